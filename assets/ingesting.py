"""Assets of the first stage, one partition a source: what was read, what was measured of each picture, labels, keypoints, embeddings."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import dagster as dg

from assets.describe import (
    Facts,
    check,
    described,
    markdown_table,
    note_partition,
    partition_event,
    schema_spec,
    tally,
)
from assets.graph import Group, placed
from assets.partitions import by_source, in_one_run
from assets.published import SETS
from assets.settings import Settings
from pipelines import diagnose as diagnosing
from pipelines import embed as embedding
from pipelines import ingest as ingesting
from pipelines import keypoints as pointing
from pipelines import measure as measuring
from pipelines.annotations import joined
from pipelines.lake import Lake
from pipelines.preview import caught, thumbnails
from prompts.ontology import load
from quality.image_gates import ACTIONS, GATES
from quality.thresholds import MAX_EXCLUDED_SHARE, MAX_UNMAPPED_SHARE
from sources.download import ChecksumMismatch, GivenUp, Gone
from sources.fetch import SourceUnavailable
from sources.isic_api import QueryFailed
from sources.tables import MetadataError

INGESTED: dict[str, tuple[Group, str]] = {
    "images": ("images", "One row an image that decodes, as its source describes it; bytes lie in immutable packs."),
    "quarantine": ("images", "One row an input that did not become an image, or only after mending, with a reason code."),
    "annotations": (
        "images",
        "One row an image of another set that an annotation-only set (concepts, captions) speaks of; joined by image id when read.",
    ),
    "fingerprints": (
        "duplicates",
        "One row an image: perceptual hashes in eight orientations, from the decode that proved it an image.",
    ),
}
"""The tables that one reading of a source writes."""

PERMANENT = (SourceUnavailable, ChecksumMismatch, GivenUp, Gone, QueryFailed, MetadataError, ingesting.SourceTooDamaged)
"""Failures that another try would only repeat."""


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table,
            description=about,
            deps=SETS,
            **placed(group, table=table, needs="network"),
            kinds={"deltalake", "parquet"},
            code_version=ingesting.VERSION,
        )
        for table, (group, about) in INGESTED.items()
    ],
    check_specs=[
        *(schema_spec(table) for table in INGESTED),
        dg.AssetCheckSpec("reconciled", asset="images", description="published = images + quarantine + known to be missing"),
        dg.AssetCheckSpec("unchanged_upstream", asset="images", description="no file changed under a version that did not"),
    ],
    partitions_def=by_source,
    backfill_policy=in_one_run,
    pool="network",
)
def ingested(context: dg.AssetExecutionContext, settings: Settings) -> Iterator[dg.MaterializeResult]:
    """Fetch and read the sources; a source whose files are unchanged is not read again, one that fails leaves the others be."""
    lake, facts = settings.lake(), {"images": 0, "dropped": 0, "repaired": 0, "annotations": 0}
    told: dict[str, dict[str, Facts]] = {}
    failed: dict[str, str] = {}
    for source in context.partition_keys:
        try:
            done = ingesting.ingest(
                lake, source, mirror=settings.mirror or None, cache=settings.cache, embedder=settings.embedder
            )
            told[source] = _of_source(lake, source, done)
        except Exception as error:  # whatever is wrong with one source, the others are read
            failed[source] = _said(context, source, error)
            continue
        for key in facts:
            facts[key] += getattr(done, key)
    if failed:
        _stop(context, lake, told, failed)
    for source, tables in told.items():
        for table, found in tables.items():
            note_partition(context, lake, table, source, found)
    rows = lake.read("sources").to_pylist()
    checks = (_reconciled(rows), _unchanged(rows))
    yield described(lake, "images", {"images of this run": facts["images"]}, *checks)
    yield described(lake, "quarantine", {"dropped": facts["dropped"], "repaired": facts["repaired"]})
    yield described(lake, "fingerprints", {})
    yield described(lake, "annotations", {"annotations of this run": facts["annotations"]})


def _said(context: dg.AssetExecutionContext, source: str, error: Exception) -> str:
    """Why a source failed; what nobody foresaw goes to the log with its traceback."""
    if isinstance(error, PERMANENT):
        return str(error).removeprefix(f"{source}: ")
    context.log.error(f"{source} failed", exc_info=error)
    return f"{type(error).__name__}: {error}"


def _of_source(lake: Lake, source: str, done: ingesting.Ingested) -> dict[str, Facts]:
    """By table, what a person sees of one source."""
    here, elsewhere = joined(lake, source)
    return {
        "images": {"read again": not done.skipped, "thumbnails": dg.MetadataValue.md(thumbnails(lake, source))},
        "quarantine": {"reasons": tally(lake.read("quarantine", source=source), "reason")},
        "fingerprints": {},
        "annotations": {"on images here": here, "on images not in the lake": elsewhere},
    }


def _stop(
    context: dg.AssetExecutionContext, lake: Lake, told: Mapping[str, Mapping[str, Facts]], failed: Mapping[str, str]
) -> NoReturn:
    """Record the sources that were read, and fail for the others: a result of the step would stand for every partition of the run.

    Nothing after this step runs, so that no release lacks a source unnoticed; a run without the failed sources takes the others on.
    """
    for source, tables in told.items():
        for table, found in tables.items():
            context.log_event(partition_event(lake, table, source, found))
    kept = [f"{source}: {lake.read('images', source=source, columns=['image_id']).num_rows:,} images" for source in failed]
    lines = [f"{source}: {why}" for source, why in failed.items()]
    raise dg.Failure(
        f"{len(failed)} of {len(told) + len(failed)} sources failed. " + " | ".join(lines),
        metadata={
            "failed": dg.MetadataValue.md("\n".join(f"- **{source}**: {why}" for source, why in failed.items())),
            "read": ", ".join(told) or "none",
            "stand as they were": dg.MetadataValue.md("\n".join(f"- {line}" for line in kept)),
            "what to do": "mend it and re-execute from failure, or run the other partitions without these sources",
        },
        allow_retries=False,
    )


def _reconciled(rows: Sequence[Mapping[str, Any]]) -> dg.AssetCheckResult:
    """Each source's published number against what is accounted for."""
    lines, off = [], 0
    for row in rows:
        if row["published"] is None:
            continue
        known = row["images"] + row["set_aside"] + row["known_missing"]
        gap = row["published"] - known
        off += gap != 0
        parts = (row["published"], row["images"], row["set_aside"], row["known_missing"])
        lines.append((row["source"], *(f"{part:,}" for part in parts), f"{gap:,}" if gap else "0"))
    header = ("source", "published", "images", "quarantined", "known missing", "not in the files given")
    facts = {"sources": markdown_table(header, lines), "sources that do not add up": off}
    return check("images", "reconciled", not off, facts, severity=dg.AssetCheckSeverity.WARN)


def _unchanged(rows: Sequence[Mapping[str, Any]]) -> dg.AssetCheckResult:
    """Files whose content changed although the catalogue's version of the set did not; the lake holds the new ones alone."""
    changed = [f"{row['source']} ({row['version']}): {line}" for row in rows for line in row["drift"] or ()]
    facts = {"changed": changed}
    return check("images", "unchanged_upstream", not changed, facts, severity=dg.AssetCheckSeverity.WARN)


@dg.asset(
    deps=["images"],
    **placed("curation", table="diagnoses"),
    kinds={"deltalake"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=load().digest[:16],
    check_specs=[schema_spec("diagnoses"), dg.AssetCheckSpec("labels_map", asset="diagnoses", blocking=True)],
)
def diagnoses(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """One row an image: the ontology node of its raw label, never more precise than the label."""
    lake = settings.lake()
    for source in context.partition_keys:
        diagnosing.diagnose(lake, source)
        rows = lake.read("diagnoses", source=source)
        note_partition(context, lake, "diagnoses", source, {"labels": tally(rows, "node"), "how": tally(rows, "how")})
    rows = lake.read("diagnoses")
    share, labels = diagnosing.unmapped(rows)
    facts = {"unmapped share": share, "allowed": MAX_UNMAPPED_SHARE, "labels": labels}
    return described(lake, "diagnoses", {}, check("diagnoses", "labels_map", share <= MAX_UNMAPPED_SHARE, facts))


MEASURED = {
    "evidence": "One row an image: what a classical segmentation measures: colours, outline, symmetry, and the statements that follow.",
    "image_quality": "One row an image: the numbers of its picture and the gates that fired: what is excluded, what a person has to see, what is noted.",
}
"""The tables that one decode of an image writes."""


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table,
            deps=["images"],
            description=about,
            **placed("curation", table=table),
            kinds={"deltalake", "ray"},
            code_version=f"{measuring.VERSION}/{measuring.QUALITY_VERSION}",
        )
        for table, about in MEASURED.items()
    ],
    check_specs=[
        *(schema_spec(table) for table in MEASURED),
        dg.AssetCheckSpec("excluded_share", asset="image_quality", description="warns when gates exclude much of a source"),
    ],
    partitions_def=by_source,
    backfill_policy=in_one_run,
)
def measured(context: dg.AssetExecutionContext, settings: Settings) -> Iterator[dg.MaterializeResult]:
    """Measure what is new, and judge every picture's numbers by the gates."""
    lake, computed, counts = settings.lake(), {"evidence": 0, "image_quality": 0}, []
    for source in context.partition_keys:
        done = measuring.measure(lake, source)
        for table in computed:
            computed[table] += done[table].computed
        rows = lake.read("evidence", source=source, columns=["why_not"])
        made = {table: {"computed": d.computed, "kept": d.kept} for table, d in done.items()}
        note_partition(context, lake, "evidence", source, made["evidence"] | {"no outline": tally(rows.drop_null(), "why_not")})
        counts.append(_gate_counts(lake, source))
        pictures = {"caught": dg.MetadataValue.md(caught(lake, source)), "gates": counts[-1]["gates"]}
        note_partition(context, lake, "image_quality", source, made["image_quality"] | pictures)
    yield described(lake, "evidence", {"computed": computed["evidence"]})
    yield described(lake, "image_quality", {"computed": computed["image_quality"]}, _excluded(counts))


ABOUT = {gate.code: gate.about for gate in GATES}


def _gate_counts(lake: Lake, source: str) -> dict[str, Any]:
    """How many pictures of a source each gate caught, with what follows, and the shares that are excluded or have to be seen."""
    rows = lake.read("image_quality", source=source, columns=["gates", "excluded", "review"]).to_pylist()
    fired = Counter(code for row in rows for code in row["gates"])
    gates = {f"{code} ({ACTIONS[code]}): {ABOUT[code]}": count for code, count in fired.most_common()}
    shares = {name: sum(row[name] for row in rows) / max(len(rows), 1) for name in ("excluded", "review")}
    return {"source": source, "images": len(rows), "gates": gates, **shares}


def _excluded(counts: Sequence[Mapping[str, Any]]) -> dg.AssetCheckResult:
    """Sources of which the gates exclude more than can be by chance: a set of another kind, or a gate that is wrong."""
    over = [row["source"] for row in counts if row["excluded"] > MAX_EXCLUDED_SHARE]
    lines = [(row["source"], f"{row['images']:,}", f"{row['excluded']:.2%}", f"{row['review']:.2%}") for row in counts]
    table = markdown_table(("source", "images", "excluded", "to be reviewed"), lines)
    facts = {"sources": table, "over the limit": over, "allowed": MAX_EXCLUDED_SHARE}
    return check("image_quality", "excluded_share", not over, facts, severity=dg.AssetCheckSeverity.WARN)


@dg.asset(
    deps=["images"],
    **placed("duplicates", table="keypoints"),
    kinds={"deltalake", "ray"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=pointing.VERSION,
    check_specs=[schema_spec("keypoints")],
)
def keypoints(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """One row an image: keypoints of its picture and of its mirror image, by which copies are found and proved."""
    lake, computed = settings.lake(), 0
    for source in context.partition_keys:
        done = pointing.find_keypoints(lake, source)
        computed += done.computed
        note_partition(context, lake, "keypoints", source, {"computed": done.computed, "kept": done.kept})
    return described(lake, "keypoints", {"computed": computed}, content=("image_id", "source", "input_digest"))


@dg.asset(
    deps=["images"],
    **placed("duplicates", table="embeddings", needs="gpu"),
    kinds={"deltalake", "pytorch"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=embedding.VERSION,
    check_specs=[schema_spec("embeddings")],
    pool="gpu",
)
def embeddings(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """One row an image: its vector by open_clip; without weights the rows say so and semantic pairs are left out."""
    lake, computed = settings.lake(), 0
    for source in context.partition_keys:
        done, found = embedding.embed(lake, source, settings.embedder)
        computed += 0 if found.why_not else done.computed
        facts = {
            "model": found.model,
            "none computed because": found.why_not or "-",
            "computed": done.computed,
            "kept": done.kept,
        }
        note_partition(context, lake, "embeddings", source, facts)
    return described(lake, "embeddings", {"computed": computed})


MADE = (*INGESTED, "diagnoses", *MEASURED, "keypoints", "embeddings")
"""The assets of the job `ingest`."""
