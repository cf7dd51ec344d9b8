"""Assets of what is trained on: rendered samples, prompts for reinforcement learning, preference pairs; one partition a source."""

import dagster as dg

from assets.describe import described, note_partition, schema_spec, table_metadata, tally
from assets.partitions import by_source, in_one_run
from assets.settings import Settings
from pipelines import render as rendering
from pipelines.mix import count
from pipelines.pairs import pair

GROUP = "release"
OWNERS = ["team:data-engineering"]


@dg.asset(
    deps=["trajectories", "judgements", "groups", "images", "annotations", "image_quality"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    metadata=table_metadata("samples"),
    check_specs=[schema_spec("samples")],
)
def samples(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """Every accepted trajectory in the formats that it supports, as the mix takes them."""
    lake = settings.lake()
    counted = count(lake, settings.chosen_mix())
    for source in context.partition_keys:
        capped = rendering.render(lake, source, counted)
        formats = tally(lake.read("samples", source=source, columns=["format"]), "format")
        note_partition(context, lake, "samples", source, {"formats": formats, "left out by the caps": capped})
    formats = tally(lake.read("samples", columns=["format"]), "format")
    return described(lake, "samples", {"formats": formats})


@dg.asset(
    deps=["samples"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    metadata=table_metadata("rl_prompts"),
    check_specs=[schema_spec("rl_prompts")],
)
def rl_prompts(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """Prompts with what a reward compares: diagnosis, taxonomy, morphology and the tags of the answer."""
    lake = settings.lake()
    for source in context.partition_keys:
        rendering.prompts(lake, source)
        tasks = tally(lake.read("rl_prompts", source=source, columns=["task"]), "task")
        note_partition(context, lake, "rl_prompts", source, {"tasks": tasks})
    return described(lake, "rl_prompts", {"tasks": tally(lake.read("rl_prompts", columns=["task"]), "task")})


@dg.asset(
    deps=["trajectories", "judgements", "groups", "images", "annotations", "image_quality"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    metadata=table_metadata("preference_pairs"),
    check_specs=[schema_spec("preference_pairs")],
)
def preference_pairs(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """Accepted beside rejected answers to one question, where a teacher was asked several times."""
    lake = settings.lake()
    for source in context.partition_keys:
        pair(lake, source)
        formats = tally(lake.read("preference_pairs", source=source, columns=["format"]), "format")
        note_partition(context, lake, "preference_pairs", source, {"formats": formats})
    formats = tally(lake.read("preference_pairs", columns=["format"]), "format")
    return described(lake, "preference_pairs", {"formats": formats})
