"""Partitions: one a source of this deployment's corpus (`DERMOFORGE_SOURCES`), never one an image."""

import dagster as dg

from assets.settings import chosen_sources

by_source = dg.StaticPartitionsDefinition(chosen_sources())

RANGE = {
    "dagster/asset_partition_range_start": by_source.get_first_partition_key() or "",
    "dagster/asset_partition_range_end": by_source.get_last_partition_key() or "",
}
"""Run tags that select every source at once, so that one run does the whole corpus in dependency order."""

in_one_run = dg.BackfillPolicy.single_run()
"""All partitions of a backfill run in one process: Ray and the teacher start once, not once a source."""
