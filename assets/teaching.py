"""Assets of the teacher, one partition a source: the answers it was paid for, and the trajectories that passed every check."""

import json
from collections.abc import Iterator

import dagster as dg

from assets.describe import check, described, note_partition, schema_spec, table_metadata, tally
from assets.partitions import by_source, in_one_run
from assets.settings import Settings
from pipelines import judge as judging
from pipelines.teach.engines import Engine, EngineUnavailable, open_engine
from pipelines.teach.stages import prompt_versions, teach
from prompts.schemas import digest
from quality.thresholds import MAX_REJECT_SHARE

GROUP = "teach"
OWNERS = ["team:data-engineering"]
PROMPTS = digest(prompt_versions(["clinical", "dermoscopic"]))[:16]


def _engine(settings: Settings) -> Engine:
    try:
        return open_engine(settings.lake(), settings.teacher, settings.teacher_model)
    except EngineUnavailable as error:
        raise dg.Failure(str(error), allow_retries=False) from error


@dg.asset(
    deps=["images", "annotations", "evidence", "diagnoses", "groups"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake", "ray"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=PROMPTS,
    metadata=table_metadata("completions"),
    check_specs=[schema_spec("completions")],
    pool="teacher",
)
def completions(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """The ledger: both stages asked for every image that has no answer yet; nothing is asked twice."""
    lake, engine = settings.lake(), _engine(settings)
    asked = cached = failed = 0
    for source in context.partition_keys:
        try:
            done = teach(lake, source, engine.teacher, engine.ask)
        except EngineUnavailable as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        asked, cached, failed = asked + done.asked, cached + done.cached, failed + done.failed
        facts = {"asked": done.asked, "cached": done.cached, "failed": done.failed, "teacher": engine.teacher.name}
        context.add_asset_metadata(facts, asset_key="completions", partition_key=source)
    return described(lake, "completions", {"asked in all": asked, "cached in all": cached, "failed in all": failed})


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            name,
            deps=["completions", "groups"],
            description=about,
            group_name=GROUP,
            owners=OWNERS,
            kinds={"deltalake"},
            code_version=PROMPTS,
            metadata=table_metadata(name),
        )
        for name, about in (
            (
                "trajectories",
                "Observation, reasoning and diagnosis of every image asked about, with each check's verdict.",
            ),
            ("rejects", "Every rejected trajectory with all its reasons."),
        )
    ],
    check_specs=[
        schema_spec("trajectories"),
        schema_spec("rejects"),
        dg.AssetCheckSpec("reject_share", asset="trajectories", description="warns when most answers fail their checks"),
    ],
    partitions_def=by_source,
    backfill_policy=in_one_run,
)
def trajectories_and_rejects(context: dg.AssetExecutionContext, settings: Settings) -> Iterator[dg.MaterializeResult]:
    """Put the ledger's answers together and judge them."""
    lake, engine = settings.lake(), _engine(settings)
    for source in context.partition_keys:
        status = judging.judge(lake, source, engine.teacher)
        note_partition(
            context,
            lake,
            "trajectories",
            source,
            {"status": dict(status.most_common()), "examples": _examples(lake, source)},
        )
        note_partition(context, lake, "rejects", source, {"reasons": tally(lake.read("rejects", source=source), "check")})
    rows = lake.read("trajectories", columns=["status"])
    status = tally(rows, "status")
    share = 1 - status.get("accepted", 0) / max(rows.num_rows, 1)
    facts = {"rejected share": share, "warns above": MAX_REJECT_SHARE, "status": status}
    verdict = check("trajectories", "reject_share", share <= MAX_REJECT_SHARE, facts, severity=dg.AssetCheckSeverity.WARN)
    yield described(lake, "trajectories", {"status": status}, verdict)
    yield described(lake, "rejects", {})


def _examples(lake, source: str) -> dg.MarkdownMetadataValue:  # noqa: ANN001
    """Three accepted trajectories to read, as markdown."""
    rows = [row for row in lake.read("trajectories", source=source).to_pylist() if row["status"] == "accepted"][:3]
    parts = []
    for row in rows:
        seen, thought = json.loads(row["observation"]), json.loads(row["reasoning"])
        parts.append(
            f"**{row['image_id']}** ({row['teacher']}, label {row['conditioning']})\n\n{seen['detailed_description']}\n\n{thought['reasoning']}"
        )
    return dg.MetadataValue.md("\n\n---\n\n".join(parts) or "none accepted")
