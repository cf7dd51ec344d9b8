"""Assets of the teacher, one partition a source: the answers it was paid for, and the trajectories that passed every check."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from assets.describe import check, described, markdown_table, note_partition, schema_spec, table_metadata, tally
from assets.partitions import by_source, in_one_run
from assets.settings import Settings
from pipelines import judge as judging
from pipelines.teach.account import Asked
from pipelines.teach.engines import open_engine
from pipelines.teach.probe import Probed, probe
from pipelines.teach.requests import Engine, EngineUnavailable
from pipelines.teach.teach import teach
from prompts.schemas import digest
from prompts.versions import prompt_versions
from quality.thresholds import MAX_REJECT_SHARE, MIN_CHANGED_SHARE

GROUP = "teach"
OWNERS = ["team:data-engineering"]
PROMPTS = digest(prompt_versions(["clinical", "dermoscopic"]))[:16]


def _engine(settings: Settings) -> Engine:
    try:
        return open_engine(settings.lake(), settings.teacher_config())
    except (EngineUnavailable, ValueError) as error:
        raise dg.Failure(str(error), allow_retries=False) from error


@dg.asset(
    deps=["images", "annotations", "evidence", "image_quality", "diagnoses", "groups"],
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
    lake, engine, total = settings.lake(), _engine(settings), Asked()
    for source in context.partition_keys:

        def tell(facts: Mapping[str, Any], source: str = source) -> None:
            context.log_event(dg.AssetObservation("completions", partition=source, metadata=dict(facts)))

        try:
            done = teach(lake, source, engine, settings.teacher_config(), tell)
        except EngineUnavailable as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        total += done
        facts = {**_counts(done), "teacher": engine.teacher.name}
        context.add_asset_metadata(facts, asset_key="completions", partition_key=source)
    status = engine.status()
    engines = {"engine restarts": status.restarts, "engine idle seconds": round(status.idle_seconds, 1)}
    facts = {f"{name} in all": value for name, value in _counts(total).items()}
    return described(lake, "completions", {**facts, **engines}, content=["request_key"])


def _counts(done: Asked) -> dict[str, int]:
    return {"asked": done.asked, "cached": done.cached, "failed": done.failed}


@dg.asset(
    deps=["images", "annotations", "evidence", "image_quality", "diagnoses", "groups"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"ray"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=PROMPTS,
    check_specs=[
        dg.AssetCheckSpec("sees_pictures", asset="image_probe", description="warns when answers do not change with the picture")
    ],
    pool="teacher",
)
def image_probe(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """How often the teacher's answer changes when a sample is shown blank or with another image's picture."""
    lake, config = settings.lake(), settings.teacher_config()
    if config.engine == "composer":
        told = "the composer reads annotations and measurements, no pictures"
        return dg.MaterializeResult(metadata={"probe": told}, check_results=[_sees(True, {"probe": told})])
    least, tables = 1.0, {}
    for source in context.partition_keys:
        try:
            found = probe(lake, source, config)
        except EngineUnavailable as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        rows = [(name, found.compared[name], f"{share:.0%}") for name, share in found.changed.items()]
        tables[source] = markdown_table(("stage, shown instead", "answers", "changed"), rows)
        tables[f"{source}, examples"] = markdown_table(("image", "shown", "answer to it", "answer to the image"), _cells(found))
        least = min([least, *found.changed.values()])
    return dg.MaterializeResult(
        metadata=tables,
        check_results=[
            _sees(least >= MIN_CHANGED_SHARE, {"least share that changed": least, "warns below": MIN_CHANGED_SHARE})
        ],
    )


def _sees(passed: bool, facts: Mapping[str, Any]) -> dg.AssetCheckResult:
    return check("image_probe", "sees_pictures", passed, facts, severity=dg.AssetCheckSeverity.WARN)


def _cells(found: Probed) -> list[tuple[str, ...]]:
    return [
        tuple(cell.replace("|", "/").replace("\n", " ") for cell in (i, shown, new, own))
        for i, shown, own, new in found.examples
    ]


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
        status = judging.judge(lake, source, engine.teacher, settings.teacher_config())
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
