"""Assets of what is trained on: rendered samples, prompts for reinforcement learning, preference pairs; one partition a source."""

import dagster as dg

from assets.describe import check, described, note_partition, schema_spec, tally
from assets.graph import code_of, placed
from assets.partitions import by_source, in_one_run
from assets.settings import Settings
from pipelines import mix as mixing
from pipelines import pairs as pairing
from pipelines import render as rendering
from pipelines.lake import Lake
from quality.thresholds import MAX_CLASS_SHARE

RENDERING = code_of("pipelines.render", "pipelines.mix", "prompts.formats", "prompts.mix")


@dg.asset(
    deps=["trajectories", "judgements", "groups", "images", "annotations", "image_quality"],
    **placed("corpus", table="samples"),
    code_version=RENDERING,
    kinds={"deltalake"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    check_specs=[
        schema_spec("samples"),
        dg.AssetCheckSpec(
            "turns", asset="samples", blocking=True, description="turns alternate, one image mark, options answered"
        ),
        dg.AssetCheckSpec("letters", asset="samples", description="places of true options are uniform (chi-square)"),
        dg.AssetCheckSpec("leakage", asset="samples", description="length, place and order of options give no answer away"),
        dg.AssetCheckSpec(
            "duplicates", asset="samples", blocking=True, description="no question twice, no image in two splits"
        ),
        dg.AssetCheckSpec("balance", asset="samples", description="warns when one diagnosis is most of a format"),
    ],
)
def samples(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """One row an accepted trajectory in one format: question, answer and weight, as the mix takes them."""
    lake = settings.lake()
    counted = mixing.count(lake, settings.chosen_mix())
    for source in context.partition_keys:
        capped = rendering.render(lake, source, counted)
        formats = tally(lake.read("samples", source=source, columns=["format"]), "format")
        note_partition(context, lake, "samples", source, {"formats": formats, "left out by the caps": capped})
    formats = tally(lake.read("samples", columns=["format"]), "format")
    return described(
        lake,
        "samples",
        {"formats": formats},
        *_checks(lake),
        content=["sample_id", "split", "messages", "ground_truth", "weight", "licence_id"],
    )


def _checks(lake: Lake) -> list[dg.AssetCheckResult]:
    found = rendering.judged(lake)
    uneven, given_away = found.uneven_letters(), found.given_away()
    largest = {name: f"{node}: {share:.1%}" for name, (node, share) in found.largest_class().items()}
    balanced = all(share <= MAX_CLASS_SHARE for _, share in found.largest_class().values())
    twice = {"repeated questions": dict(found.repeated), "images in two splits": len(found.crossing)}
    twice |= {"descriptions that another split has word for word": found.echoed}
    return [
        check("samples", "turns", not found.faults, {"faults": found.faults}),
        check("samples", "letters", not uneven, {"p of uneven formats": uneven, "questions": dict(found.asked)}),
        check("samples", "leakage", not given_away, {"given away": given_away}),
        check("samples", "duplicates", not found.repeated and not found.crossing, twice),
        check("samples", "balance", balanced, {"largest share": largest}, severity=dg.AssetCheckSeverity.WARN),
    ]


@dg.asset(
    deps=["samples"],
    **placed("corpus", table="rl_prompts"),
    code_version=RENDERING,
    kinds={"deltalake"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    check_specs=[schema_spec("rl_prompts")],
)
def rl_prompts(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """One row a prompt, with what a reward compares: diagnosis, taxonomy, morphology and the tags of the answer."""
    lake = settings.lake()
    for source in context.partition_keys:
        rendering.prompts(lake, source)
        tasks = tally(lake.read("rl_prompts", source=source, columns=["task"]), "task")
        note_partition(context, lake, "rl_prompts", source, {"tasks": tasks})
    return described(lake, "rl_prompts", {"tasks": tally(lake.read("rl_prompts", columns=["task"]), "task")})


@dg.asset(
    deps=["trajectories", "judgements", "groups", "images", "annotations", "image_quality"],
    **placed("corpus", table="preference_pairs"),
    code_version=code_of("pipelines.render", "pipelines.pairs", "prompts.formats"),
    kinds={"deltalake"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    check_specs=[schema_spec("preference_pairs")],
)
def preference_pairs(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """One row a pair: an accepted beside a rejected answer to one question, where a teacher was asked several times."""
    lake = settings.lake()
    for source in context.partition_keys:
        pairing.pair(lake, source)
        formats = tally(lake.read("preference_pairs", source=source, columns=["format"]), "format")
        note_partition(context, lake, "preference_pairs", source, {"formats": formats})
    formats = tally(lake.read("preference_pairs", columns=["format"]), "format")
    return described(lake, "preference_pairs", {"formats": formats})
