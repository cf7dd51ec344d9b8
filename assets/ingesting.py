"""Assets of the first stage, one partition a source: images with their quarantine, labels, fingerprints, embeddings."""

from collections.abc import Iterator

import dagster as dg

from assets.describe import check, described, note_partition, schema_spec, table_metadata, tally
from assets.partitions import by_source, in_one_run
from assets.settings import Settings
from pipelines import diagnose as diagnosing
from pipelines import embed as embedding
from pipelines import fingerprint as fingerprinting
from pipelines import ingest as ingesting
from pipelines.preview import thumbnails
from prompts.ontology import load
from quality.thresholds import MAX_UNMAPPED_SHARE
from sources.fetch import ChecksumMismatch, SourceUnavailable

GROUP = "ingest"
OWNERS = ["team:data-engineering"]


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            "images",
            description="Every image that decodes, as its source describes it; bytes lie in immutable packs.",
            group_name=GROUP,
            owners=OWNERS,
            kinds={"deltalake", "parquet"},
            code_version=ingesting.VERSION,
            metadata=table_metadata("images"),
        ),
        dg.AssetSpec(
            "quarantine",
            description="Every input that did not become an image, or only after mending, with a reason code.",
            group_name=GROUP,
            owners=OWNERS,
            kinds={"deltalake"},
            code_version=ingesting.VERSION,
            metadata=table_metadata("quarantine"),
        ),
    ],
    check_specs=[schema_spec("images"), schema_spec("quarantine")],
    partitions_def=by_source,
    backfill_policy=in_one_run,
    pool="network",
)
def images_and_quarantine(context: dg.AssetExecutionContext, settings: Settings) -> Iterator[dg.MaterializeResult]:
    """Fetch and read the sources; a source whose files are unchanged is not read again."""
    lake, facts = settings.lake(), {"images": 0, "dropped": 0, "repaired": 0}
    for source in context.partition_keys:
        try:
            done = ingesting.ingest(lake, source, mirror=settings.mirror or None, cache=settings.cache)
        except (SourceUnavailable, ChecksumMismatch, ingesting.SourceTooDamaged) as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        pictures = dg.MetadataValue.md(thumbnails(lake, source))
        note_partition(context, lake, "images", source, {"read again": not done.skipped, "thumbnails": pictures})
        reasons = tally(lake.read("quarantine", source=source), "reason")
        note_partition(context, lake, "quarantine", source, {"reasons": reasons})
        for key in facts:
            facts[key] += getattr(done, key)
    yield described(lake, "images", {"images of this run": facts["images"]})
    yield described(lake, "quarantine", {"dropped": facts["dropped"], "repaired": facts["repaired"]})


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
    unmapped = rows.filter(rows.column("node").is_null())
    share = unmapped.num_rows / max(rows.num_rows, 1)
    facts = {"unmapped share": share, "allowed": MAX_UNMAPPED_SHARE, "labels": tally(unmapped, "diagnosis_raw")}
    return described(lake, "diagnoses", {}, check("diagnoses", "labels_map", share <= MAX_UNMAPPED_SHARE, facts))


@dg.asset(
    deps=["images"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake", "ray"},
    partitions_def=by_source,
    backfill_policy=in_one_run,
    code_version=fingerprinting.VERSION,
    metadata=table_metadata("fingerprints"),
    check_specs=[schema_spec("fingerprints")],
)
def fingerprints(context: dg.AssetExecutionContext, settings: Settings) -> dg.MaterializeResult:
    """Perceptual hashes in eight orientations and the evidence of a classical segmentation."""
    lake, computed = settings.lake(), 0
    for source in context.partition_keys:
        done = fingerprinting.fingerprint(lake, source)
        computed += done.computed
        rows = lake.read("fingerprints", source=source, columns=["why_not"])
        facts = {"computed": done.computed, "kept": done.kept, "no outline": tally(rows.drop_null(), "why_not")}
        note_partition(context, lake, "fingerprints", source, facts)
    return described(lake, "fingerprints", {"computed": computed})


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
