"""Assets of the first stage, one partition a source: images with their quarantine, annotations and fingerprints, labels, evidence, embeddings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from assets.describe import check, described, markdown_table, note_partition, schema_spec, table_metadata, tally
from assets.partitions import by_source, in_one_run
from assets.settings import Settings
from pipelines import diagnose as diagnosing
from pipelines import embed as embedding
from pipelines import ingest as ingesting
from pipelines import keypoints as pointing
from pipelines import measure as measuring
from pipelines.annotations import joined
from pipelines.preview import thumbnails
from prompts.ontology import load
from quality.thresholds import MAX_UNMAPPED_SHARE
from sources.download import ChecksumMismatch, GivenUp, Gone
from sources.fetch import SourceUnavailable
from sources.isic_api import QueryFailed
from sources.tables import MetadataError

GROUP = "ingest"
OWNERS = ["team:data-engineering"]
INGESTED = {
    "images": "Every image that decodes, as its source describes it; bytes lie in immutable packs.",
    "quarantine": "Every input that did not become an image, or only after mending, with a reason code.",
    "fingerprints": "Perceptual hashes in eight orientations, from the decode that proved an image.",
    "annotations": "What annotation-only sets (concepts, captions) say about images of other sets; joined by image id when read.",
}
"""The tables that one reading of a source writes."""

PERMANENT = (SourceUnavailable, ChecksumMismatch, GivenUp, Gone, QueryFailed, MetadataError, ingesting.SourceTooDamaged)
"""Failures that another try would only repeat."""


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table,
            description=about,
            group_name=GROUP,
            owners=OWNERS,
            kinds={"deltalake", "parquet"},
            code_version=ingesting.VERSION,
            metadata=table_metadata(table),
        )
        for table, about in INGESTED.items()
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
    """Fetch and read the sources; a source whose files are unchanged is not read again."""
    lake, facts = settings.lake(), {"images": 0, "dropped": 0, "repaired": 0, "annotations": 0}
    for source in context.partition_keys:
        try:
            done = ingesting.ingest(lake, source, mirror=settings.mirror or None, cache=settings.cache)
        except PERMANENT as error:
            raise dg.Failure(f"{source}: {error}", allow_retries=False) from error
        pictures = dg.MetadataValue.md(thumbnails(lake, source))
        note_partition(context, lake, "images", source, {"read again": not done.skipped, "thumbnails": pictures})
        reasons = tally(lake.read("quarantine", source=source), "reason")
        note_partition(context, lake, "quarantine", source, {"reasons": reasons})
        note_partition(context, lake, "fingerprints", source, {})
        here, elsewhere = joined(lake, source)
        note_partition(context, lake, "annotations", source, {"on images here": here, "on images not in the lake": elsewhere})
        for key in facts:
            facts[key] += getattr(done, key)
    rows = lake.read("sources").to_pylist()
    checks = (_reconciled(rows), _unchanged(rows))
    yield described(lake, "images", {"images of this run": facts["images"]}, *checks)
    yield described(lake, "quarantine", {"dropped": facts["dropped"], "repaired": facts["repaired"]})
    yield described(lake, "fingerprints", {})
    yield described(lake, "annotations", {"annotations of this run": facts["annotations"]})


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
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=load().digest[:16],
    metadata=table_metadata("diagnoses"),
    check_specs=[schema_spec("diagnoses"), dg.AssetCheckSpec("labels_map", asset="diagnoses", blocking=True)],
)
def diagnoses(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """The ontology node of every raw label, never more precise than the label."""
    lake = settings.lake()
    for source in context.partition_keys:
        diagnosing.diagnose(lake, source)
        rows = lake.read("diagnoses", source=source)
        note_partition(context, lake, "diagnoses", source, {"labels": tally(rows, "node"), "how": tally(rows, "how")})
    rows = lake.read("diagnoses")
    share, labels = diagnosing.unmapped(rows)
    facts = {"unmapped share": share, "allowed": MAX_UNMAPPED_SHARE, "labels": labels}
    return described(lake, "diagnoses", {}, check("diagnoses", "labels_map", share <= MAX_UNMAPPED_SHARE, facts))


@dg.asset(
    deps=["images"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake", "ray"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=measuring.VERSION,
    metadata=table_metadata("evidence"),
    check_specs=[schema_spec("evidence")],
)
def evidence(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """What a classical segmentation measures: colours, outline, symmetry, and the statements that follow."""
    lake, computed = settings.lake(), 0
    for source in context.partition_keys:
        done = measuring.measure(lake, source)
        computed += done.computed
        rows = lake.read("evidence", source=source, columns=["why_not"])
        facts = {"computed": done.computed, "kept": done.kept, "no outline": tally(rows.drop_null(), "why_not")}
        note_partition(context, lake, "evidence", source, facts)
    return described(lake, "evidence", {"computed": computed})


@dg.asset(
    deps=["images"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake", "ray"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=pointing.VERSION,
    metadata=table_metadata("keypoints"),
    check_specs=[schema_spec("keypoints")],
)
def keypoints(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """What copies are found and proved by: keypoints of each picture and of its mirror image, computed once."""
    lake, computed = settings.lake(), 0
    for source in context.partition_keys:
        done = pointing.find_keypoints(lake, source)
        computed += done.computed
        note_partition(context, lake, "keypoints", source, {"computed": done.computed, "kept": done.kept})
    return described(lake, "keypoints", {"computed": computed}, content=("image_id", "source", "input_digest"))


@dg.asset(
    deps=["images"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake", "pytorch"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=embedding.VERSION,
    metadata=table_metadata("embeddings"),
    check_specs=[schema_spec("embeddings")],
    pool="gpu",
)
def embeddings(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """Image vectors by open_clip; without weights the rows say so and semantic pairs are left out."""
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
