"""The asset of the benchmark: items over the test split, and the proof that nothing is trained on their images."""

import dagster as dg

from assets.describe import check, described, markdown_table, schema_spec
from assets.graph import code_of, placed
from assets.settings import Settings
from pipelines.benchmark import build as building
from pipelines.benchmark.leaderboard import enter_baselines

SHOWN = 20


@dg.asset(
    deps=[
        "trajectories",
        "judgements",
        "groups",
        "images",
        "annotations",
        "diagnoses",
        "samples",
        "rl_prompts",
        "preference_pairs",
    ],
    **placed("corpus", table="benchmark"),
    kinds={"deltalake"},
    code_version=code_of("pipelines.benchmark.build", "prompts.benchmark.tasks"),
    check_specs=[
        schema_spec("benchmark"),
        dg.AssetCheckSpec(
            "apart", asset="benchmark", blocking=True, description="no training row shows an image of the benchmark"
        ),
    ],
)
def benchmark(settings: Settings) -> dg.MaterializeResult:
    """One row a question: the test split as eleven tasks on four axes, with the scores of baselines that see no picture."""
    lake = settings.lake()
    building.build(lake)
    baselines = [row for row in enter_baselines(lake) if row["headline"] and row["value"] is not None]
    cells = [(row["model"], row["task"], row["variant"], f"{row['value']:.1f}") for row in baselines]
    trained = building.trained_on(lake)
    facts = {"training rows with its images": len(trained), "the first": trained[:SHOWN]}
    return described(
        lake,
        "benchmark",
        {"items": building.counts(lake), "baselines": markdown_table(("baseline", "task", "variant", "score"), cells)},
        check("benchmark", "apart", not trained, facts),
    )
