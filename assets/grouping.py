"""Assets over the whole lake: pairs that may be one photograph, and the groups and splits built on them."""

import dagster as dg

from assets.describe import check, described, schema_spec, table_metadata, tally
from assets.settings import Settings
from pipelines import deduplicate as deduplicating
from pipelines import split as splitting
from pipelines.lake import Lake
from pipelines.oracle import copies_found
from quality.leakage import leaks
from quality.thresholds import MAX_GROUP_SHARE

GROUP = "deduplicate"
OWNERS = ["team:data-engineering"]


@dg.asset(
    deps=["images", "fingerprints", "embeddings"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake", "ray"},
    metadata=table_metadata("duplicate_pairs"),
    check_specs=[
        schema_spec("duplicate_pairs"),
        dg.AssetCheckSpec("planted_copies", asset="duplicate_pairs", description="recall and precision on phantoms"),
    ],
)
def duplicate_pairs(settings: Settings) -> dg.MaterializeResult:
    """Exact, perceptual and semantic pairs of the whole lake; candidates count only when verified."""
    lake = settings.lake()
    deduplicating.deduplicate(lake)
    rows = lake.read("duplicate_pairs")
    verified = rows.filter(rows.column("verified"))
    facts = {"verified": tally(verified, "kind"), "candidates": tally(rows, "kind")}
    return described(lake, "duplicate_pairs", facts, _planted(lake))


def _planted(lake: Lake) -> dg.AssetCheckResult:
    """How many planted copies of the phantoms were found; wrong ones fail the check, missed ones are shown by kind."""
    found = copies_found(lake)
    facts = {"found of planted, by kind": found.by_kind, "false copies": len(found.false)}
    return check("duplicate_pairs", "planted_copies", not found.false, facts, severity=dg.AssetCheckSeverity.WARN)


@dg.asset(
    deps=["images", "annotations", "duplicate_pairs", "diagnoses"],
    group_name=GROUP,
    owners=OWNERS,
    kinds={"deltalake"},
    metadata=table_metadata("groups"),
    check_specs=[
        schema_spec("groups"),
        dg.AssetCheckSpec(
            "leakage", asset="groups", blocking=True, description="nothing that belongs together crosses a split"
        ),
        dg.AssetCheckSpec("largest_group", asset="groups", blocking=True, description="groups have not percolated"),
    ],
)
def groups(settings: Settings) -> dg.MaterializeResult:
    """Groups that may not cross a split, the survivor of each copy set, and a stable stratified split."""
    lake = settings.lake()
    splitting.split(lake)
    rows = lake.read("groups")
    facts = {"status": tally(rows, "status"), "split": tally(rows, "split")}
    return described(lake, "groups", facts, _leakage(lake), _largest(rows))


def _leakage(lake: Lake) -> dg.AssetCheckResult:
    columns = ["image_id", "source", "patient_id", "lesion_id", "archive_id", "sha256", "pixel_hash"]
    images = lake.read("images", columns=columns).to_pylist()
    found = leaks(images, lake.read("groups").to_pylist(), lake.read("duplicate_pairs").to_pylist())
    return check("groups", "leakage", not found, {"leaks": len(found), "examples": found[:8]})


def _largest(rows) -> dg.AssetCheckResult:  # noqa: ANN001 - a pyarrow table
    sizes = tally(rows, "group_id")
    name, size = next(iter(sizes.items()), ("none", 0))
    share = size / max(rows.num_rows, 1)
    facts = {"largest group": name, "images": size, "share": share, "allowed share": MAX_GROUP_SHARE}
    return check("groups", "largest_group", share <= MAX_GROUP_SHARE or size <= 32, facts)
