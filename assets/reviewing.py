"""Assets of the people: verdicts that came back, the queue that goes out, and the teacher's agreement with experts."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from assets.describe import check, described, markdown_table, note_partition, schema_spec, tally
from assets.graph import code_of, placed
from assets.partitions import RANGE, by_source, in_one_run
from assets.settings import Settings
from assets.standing import CHECKS
from pipelines import agree as agreeing
from pipelines import review_queue as queueing
from pipelines import reviews as reviewing
from pipelines.preview import pictured
from quality.thresholds import MIN_AGREEMENT_ANSWERS

WARN = dg.AssetCheckSeverity.WARN


@dg.asset(
    **placed("curation", table="reviews"),
    code_version=code_of("pipelines.reviews"),
    kinds={"deltalake"},
    check_specs=[
        schema_spec("reviews"),
        dg.AssetCheckSpec("understood", asset="reviews", description="every returned annotation could be used"),
    ],
)
def reviews(settings: Settings) -> dg.MaterializeResult:
    """One row a person's verdict on a trajectory, from the exports of Label Studio in the folder of reviews; it stands above the checks."""
    lake = settings.lake()
    done = reviewing.import_folder(lake, settings.reviews_path())
    facts = {
        "annotations": dict(done.outcomes),
        "verdicts": tally(lake.read("reviews"), "verdict"),
        "reviewers agree": _agree(reviewing.between_reviewers(lake)),
        "folder": str(settings.reviews_path()),
    }
    refused = check("reviews", "understood", not done.refused, {"refused": done.refused}, severity=WARN)
    return described(lake, "reviews", facts, refused)


def _agree(rows: Sequence[tuple[str, str, float | None, int, int]]) -> Any:
    if not rows:
        return "fewer than two reviewers"
    shown = [(what, name, "undefined" if value is None else f"{value:.2f}", *counts) for what, name, value, *counts in rows]
    return markdown_table(("on", "coefficient", "value", "shared items", "reviewers"), shown)


@dg.asset(
    deps=["trajectories", "images", "reviews"],
    **placed("teacher", table="review_queue"),
    code_version=code_of("pipelines.review_queue"),
    kinds={"deltalake", "json"},
    check_specs=[schema_spec("review_queue")],
)
def review_queue(settings: Settings) -> dg.MaterializeResult:
    """One row a trajectory that people are asked to look at, drawn by content hash, with its export for Label Studio."""
    lake = settings.lake()
    found = queueing.queue(lake, settings.reviews_path())
    first = {stratum: next(row for row in found.rows if row["stratum"] == stratum) for stratum in found.strata}
    told = {row["image_id"]: f"**{stratum}**: {'; '.join(row['why'])}" for stratum, row in first.items()}
    facts = {
        "strata": found.strata,
        "export": [str(path) for path in found.files],
        "checks against people": _checks(lake.read("trajectories", columns=["verdicts"]).to_pylist()),
        "examples": dg.MetadataValue.md(pictured(lake, told)),
    }
    return described(lake, "review_queue", facts)


def _checks(trajectories: Sequence[Mapping[str, Any]]) -> Any:
    rows = [(name, *counts) for name, counts in reviewing.checks_against_people(trajectories).items()]
    return (
        markdown_table(("check that failed", "reviewed", "people decided otherwise"), rows) if rows else "nothing was reviewed"
    )


@dg.asset(
    deps=["trajectories", "images", "annotations"],
    **placed("teacher", table="agreement"),
    code_version=code_of("pipelines.agree", "quality.agreement"),
    kinds={"deltalake"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    check_specs=[
        schema_spec("agreement"),
        dg.AssetCheckSpec(
            "beats_baselines", asset="agreement", description="warns when a teacher is no better than a baseline"
        ),
    ],
)
def agreement(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """One row a measure of a teacher against the experts who annotated the same images, beside baselines that see nothing."""
    lake = settings.lake()
    for source in context.partition_keys:
        agreeing.agree(lake, source)
        rows = lake.read("agreement", source=source).to_pylist()
        met = {row["field"] for row in rows if row["measure"] != "macro_f1"}
        shown = _scores([row for row in rows if row["field"] in met])
        note_partition(context, lake, "agreement", source, {"agreement, of fields that experts saw at least once": shown})
    rows = [row for row in lake.read("agreement").to_pylist() if agreeing.summary(row)]
    return described(lake, "agreement", {"in all": _scores(rows)}, _beats(rows))


def _scores(rows: Sequence[Mapping[str, Any]]) -> Any:
    if not rows:
        return "no answer about an image that experts annotated"
    header = ("source", "teacher", "field", "measure", "answers", "assessed", "score", "absent", "majority", "random")
    return markdown_table(header, [_cells(row) for row in rows])


def _cells(row: Mapping[str, Any]) -> list[str]:
    teacher = f"{row['teacher']} (circular: written from these annotations)" if row["circular"] else row["teacher"]
    numbers = [
        "-" if row[name] is None else f"{row[name]:.2f}" for name in ("assessed", "score", "absent", "majority", "prior")
    ]
    return [row["source"], teacher, row["field"], row["measure"], str(row["answers"]), *numbers]


def _beats(rows: Sequence[Mapping[str, Any]]) -> dg.AssetCheckResult:
    judged = [row for row in rows if not row["circular"] and row["answers"] >= MIN_AGREEMENT_ANSWERS]
    poor = [row for row in judged if agreeing.no_better(row)]
    facts = {"no better than a baseline": _scores(poor) if poor else "none", "judged": len(judged)}
    return check("agreement", "beats_baselines", not poor, facts, severity=WARN)


reviewed = dg.define_asset_job(
    "reviewed",
    # Publishing is never a consequence: somebody asks for it.
    selection=dg.AssetSelection.assets("reviews").downstream() - dg.AssetSelection.assets("hub_release") - CHECKS,
    description="Take returned verdicts in, and make everything again that they decide.",
)


@dg.sensor(
    job=reviewed,
    minimum_interval_seconds=60,
    description="Takes returned verdicts in as soon as the folder of reviews has changed.",
)
def returned_reviews(settings: Settings) -> dg.RunRequest | dg.SkipReason:
    """Exports of Label Studio in the folder of reviews: one run for each state of the folder."""
    files = sorted(settings.reviews_path().glob("*.json"))
    if not files:
        return dg.SkipReason(f"no *.json in {settings.reviews_path()}")
    return dg.RunRequest(run_key=_content(files), tags=RANGE)


def _content(files: Sequence[Path]) -> str:
    sink = hashlib.sha256()
    for path in files:
        sink.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return sink.hexdigest()
