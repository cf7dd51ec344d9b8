"""Assets of the teacher, one partition a source: the answers it was paid for, and the trajectories that passed every check."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pyarrow as pa

from assets.describe import bounded, check, described, markdown_table, note_partition, schema_spec, tally
from assets.graph import placed
from assets.partitions import by_source, in_one_run
from assets.settings import Settings
from pipelines import judge as judging
from pipelines import rate as rating
from pipelines.lake import Lake
from pipelines.teach.account import Asked
from pipelines.teach.engines import open_engine
from pipelines.teach.probe import Probed, probe
from pipelines.teach.requests import Engine, EngineUnavailable
from pipelines.teach.teach import teach
from prompts.judging import AXES
from prompts.schemas import TEXT_KEY, digest
from prompts.versions import prompt_versions
from quality.near_texts import sameness
from quality.thresholds import (
    MAX_LENGTH_BIAS,
    MAX_NEAR_TEXTS,
    MAX_ORDER_BIAS,
    MAX_REJECT_SHARE,
    MAX_SAME_OPENING,
    MIN_CHANGED_SHARE,
    MIN_SELF_AGREEMENT,
)

MADE = ("completions", "image_probe", "trajectories", "rejects", "trajectory_verdicts", "judgements")
"""The assets of the job `teach`."""

PROMPTS = digest(prompt_versions(["clinical", "dermoscopic"]))[:16]


def _engine(settings: Settings) -> Engine:
    try:
        return open_engine(settings.lake(), settings.teacher_config())
    except (EngineUnavailable, ValueError) as error:
        raise dg.Failure(str(error), allow_retries=False) from error


@dg.asset(
    deps=["images", "annotations", "evidence", "image_quality", "diagnoses", "groups"],
    **placed("teacher", table="completions", needs="teacher"),
    kinds={"deltalake", "ray"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=PROMPTS,
    check_specs=[schema_spec("completions")],
    pool="teacher",
)
def completions(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """One row an answer of the teacher, paid for once: the ledger of every stage; what it holds is not asked again."""
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
    **placed("teacher", needs="teacher"),
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
    """One row (of its table in the UI) a stage and a swap: how often the answer changes when the picture is blank or another one."""
    lake, config = settings.lake(), settings.teacher_config()
    if config.engine == "composer":
        told = "the composer reads annotations and measurements, no pictures"
        return dg.MaterializeResult(metadata={"probe": told}, check_results=[_sees(True, {"probe": told})])
    least, tables, rows_in_all = 1.0, {}, 0
    for source in context.partition_keys:
        try:
            found = probe(lake, source, config)
        except EngineUnavailable as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        rows = [(name, found.compared[name], f"{share:.0%}") for name, share in found.changed.items()]
        tables[source] = markdown_table(("stage, shown instead", "answers", "changed"), rows)
        tables[f"{source}, examples"] = markdown_table(("image", "shown", "answer to it", "answer to the image"), _cells(found))
        rows_in_all += len(rows)
        least = min([least, *found.changed.values()])
    return dg.MaterializeResult(
        metadata=bounded({"dagster/row_count": rows_in_all, **tables}),
        data_version=dg.DataVersion(digest({name: str(table.value) for name, table in tables.items()})[:32]),
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
            deps=["completions", "groups", "reviews"],
            description=about,
            **placed("teacher", table=name),
            kinds={"deltalake"},
            code_version=PROMPTS,
        )
        for name, about in (
            (
                "trajectories",
                "One row an image, teacher and try: observation, reasoning and diagnosis, with each check's verdict.",
            ),
            ("rejects", "One row a reason why a trajectory was rejected."),
            ("trajectory_verdicts", "One row a check: how often it was made on a teacher's answers, and how often it failed."),
        )
    ],
    check_specs=[
        schema_spec("trajectories"),
        schema_spec("rejects"),
        schema_spec("trajectory_verdicts"),
        dg.AssetCheckSpec("reject_share", asset="trajectories", description="warns when most answers fail their checks"),
        dg.AssetCheckSpec("template", asset="trajectories", description="warns when descriptions are alike or open alike"),
        dg.AssetCheckSpec(
            "drift", asset="trajectory_verdicts", description="warns when a check fails more or less than before"
        ),
    ],
    partitions_def=by_source,
    backfill_policy=in_one_run,
)
def trajectories_and_rejects(context: dg.AssetExecutionContext, settings: Settings) -> Iterator[dg.MaterializeResult]:
    """Put the ledger's answers together and judge them."""
    lake, engine = settings.lake(), _engine(settings)
    before = lake.read("trajectory_verdicts").to_pylist()
    for source in context.partition_keys:
        status = judging.judge(lake, source, engine.teacher, settings.teacher_config())
        note_partition(
            context,
            lake,
            "trajectories",
            source,
            {"status": dict(status.most_common()), "examples": _examples(lake, source)},
        )
        rejects = lake.read("rejects", source=source)
        facts = {"reasons": tally(rejects, "check"), "examples by reason": _reasons(rejects.to_pylist())}
        note_partition(context, lake, "rejects", source, facts)
        note_partition(context, lake, "trajectory_verdicts", source, {"failed of made": _rates(lake, source)})
    rows = lake.read("trajectories", columns=["status"])
    status = tally(rows, "status")
    share = 1 - status.get("accepted", 0) / max(rows.num_rows, 1)
    facts = {"rejected share": share, "warns above": MAX_REJECT_SHARE, "status": status}
    verdict = check("trajectories", "reject_share", share <= MAX_REJECT_SHARE, facts, severity=dg.AssetCheckSeverity.WARN)
    yield described(lake, "trajectories", {"status": status}, verdict, _template(lake, engine.teacher.name))
    yield described(lake, "rejects", {})
    moved = judging.drifts(before, lake.read("trajectory_verdicts").to_pylist())
    drift = check("trajectory_verdicts", "drift", not moved, {"moved": moved}, severity=dg.AssetCheckSeverity.WARN)
    yield described(lake, "trajectory_verdicts", {}, drift)


@dg.asset(
    deps=["trajectories"],
    **placed("teacher", table="judgements", needs="teacher"),
    kinds={"deltalake", "ray"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=PROMPTS,
    check_specs=[
        schema_spec("judgements"),
        dg.AssetCheckSpec(
            "judge_bias", asset="judgements", description="warns when scores follow length or order, or do not repeat"
        ),
    ],
    pool="teacher",
)
def judgements(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """One row a judgement: a trajectory scored on six axes by another model, if one is configured (DERMOFORGE_JUDGE_FILE)."""
    lake = settings.lake()
    try:
        config = settings.judge_config()
        engine = open_engine(lake, config) if config else None
        for source in context.partition_keys:
            if engine and config:
                rating.rate(lake, source, engine, config)
                rows = lake.read("judgements", source=source).to_pylist()
                note_partition(context, lake, "judgements", source, {"lowest scores": _lowest(rows)})
    except (EngineUnavailable, ValueError) as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    found = rating.worth(lake.read("judgements").to_pylist())
    facts = {
        "judge": engine.teacher.name if engine else "none configured",
        "texts judged": found.judged,
        "answers that could not be used": dict(found.faults),
        "mean scores": {axis: f"{mean:.2f}" for axis, mean in found.means.items()},
    }
    return described(lake, "judgements", facts, _bias(found))


def _bias(found: rating.Worth) -> dg.AssetCheckResult:
    worst = max(map(abs, found.order_bias.values()), default=0.0)
    facts = {
        "repeated scores within one": found.self_agreement,
        "correlation of score and length": found.length_bias,
        "largest change with the order of the axes": worst,
    }
    sound = found.self_agreement >= MIN_SELF_AGREEMENT and abs(found.length_bias) <= MAX_LENGTH_BIAS and worst <= MAX_ORDER_BIAS
    return check("judgements", "judge_bias", sound, facts, severity=dg.AssetCheckSeverity.WARN)


def _lowest(rows: list[dict[str, Any]]) -> dg.MarkdownMetadataValue:
    """The five worst judgements: image, scores, and the passages that decided them."""
    scored = sorted((row for row in rows if row["fault"] is None), key=lambda row: (sum(row[a] for a in AXES), row["image_id"]))
    cells = [(row["image_id"], *(row[a] for a in AXES), row["quotes"].replace("|", "/")[:300]) for row in scored[:5]]
    return markdown_table(("image", *AXES, "quotes"), cells)


def _template(lake: Lake, teacher: str) -> dg.AssetCheckResult:
    """How alike the descriptions of a teacher are. The composer writes from frames by design: measured, never warned of."""
    rows = lake.read("trajectories", columns=["observation", "sample", "control"], among=("teacher", pa.array([teacher])))
    first = [row["observation"] for row in rows.to_pylist() if row["observation"] and not row["sample"] and not row["control"]]
    found = sameness([json.loads(text)[TEXT_KEY] for text in first])
    facts = {
        "descriptions": found.texts,
        "with a near-identical other": found.near,
        "distinct sequences of five words": found.distinct,
        "that open with the same four words": found.opening,
    }
    sound = found.near <= MAX_NEAR_TEXTS and found.opening <= MAX_SAME_OPENING
    return check("trajectories", "template", sound or teacher == "composer", facts, severity=dg.AssetCheckSeverity.WARN)


def _reasons(rejects: list[dict[str, Any]]) -> dg.MarkdownMetadataValue:
    """Three examples a reject reason: the image, what was found, and the beginning of the answer."""
    shown: dict[str, list[tuple[str, ...]]] = {}
    for row in sorted(rejects, key=lambda row: (row["check"], row["image_id"], row["stage"])):
        cells = (row["check"], row["image_id"], row["stage"], row["detail"], (row["answer"] or "")[:160])
        shown.setdefault(row["check"], []).append(tuple(cell.replace("|", "/").replace("\n", " ") for cell in cells))
    rows = [cells for examples in shown.values() for cells in examples[:3]]
    return markdown_table(("reason", "image", "stage", "found", "answer"), rows)


def _rates(lake: Lake, source: str) -> dict[str, str]:
    rows = lake.read("trajectory_verdicts", source=source).to_pylist()
    rows.sort(key=lambda row: (-row["failed"] / row["made"], row["stage"], row["check"]))
    return {f"{row['stage']}: {row['check']}": f"{row['failed']} of {row['made']}" for row in rows}


def _examples(lake: Lake, source: str) -> dg.MarkdownMetadataValue:
    """Three accepted trajectories to read, as markdown."""
    rows = [row for row in lake.read("trajectories", source=source).to_pylist() if row["status"] == "accepted"][:3]
    parts = []
    for row in rows:
        seen, thought = json.loads(row["observation"]), json.loads(row["reasoning"])
        parts.append(
            f"**{row['image_id']}** ({row['teacher']}, label {row['conditioning']})\n\n{seen['detailed_description']}\n\n{thought['reasoning']}"
        )
    return dg.MetadataValue.md("\n\n---\n\n".join(parts) or "none accepted")
