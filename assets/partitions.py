"""Partitions: one a source of this deployment's corpus (`DERMOFORGE_SOURCES`), never one an image."""

import dagster as dg

from assets.settings import chosen_sources

by_source = dg.StaticPartitionsDefinition(chosen_sources())

in_one_run = dg.BackfillPolicy.single_run()
"""All partitions of a backfill run in one process: Ray and the teacher start once, not once a source."""
