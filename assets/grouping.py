"""Assets over the whole lake: pairs that may be one photograph, and the groups and splits built on them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from assets.describe import check, described, schema_spec, tally
from assets.graph import code_of, placed
from assets.settings import Settings
from pipelines import deduplicate as deduplicating
from pipelines import split as splitting
from pipelines.blocklist import BadBlocklist
from pipelines.lake import Lake
from pipelines.oracle import copies_found
from pipelines.preview import side_by_side
from quality import percolation
from quality.copies import Verdict
from quality.leakage import leaks
from quality.policies import CANDIDATES
from quality.thresholds import MAX_CONFLICT_SHARE, MAX_GROUP_SHARE

WARN = dg.AssetCheckSeverity.WARN


@dg.asset(
    deps=["images", "fingerprints", "keypoints", "embeddings"],
    **placed("duplicates", table="duplicate_pairs"),
    kinds={"deltalake", "ray"},
    code_version=deduplicating.VERSION,
    check_specs=[
        schema_spec("duplicate_pairs"),
        dg.AssetCheckSpec("planted_copies", asset="duplicate_pairs", description="recall and precision on phantoms"),
    ],
)
def duplicate_pairs(settings: Settings) -> dg.MaterializeResult:
    """One row an edge between two images: an exact copy, a verified candidate, or an identifier that says what belongs together."""
    lake = settings.lake()
    done = deduplicating.deduplicate(lake)
    edges = lake.read("duplicate_pairs").to_pylist()
    facts = {
        "images compared": done.images,
        "candidates verified": done.candidates,
        "edges": _counted(edges),
        "weakest copies (the first that a stricter threshold would keep)": dg.MetadataValue.md(_weakest(lake, edges)),
        "closest pairs kept apart (the first that a looser one would join)": dg.MetadataValue.md(_closest(lake, edges)),
    }
    return described(lake, "duplicate_pairs", facts, _planted(lake))


def _counted(edges: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return dict(Counter(f"{edge['kind']}: {edge['verdict'] or 'one key'}" for edge in edges).most_common())


def _weakest(lake: Lake, edges: Sequence[Mapping[str, Any]]) -> str:
    copies = [e for e in edges if e["kind"] in CANDIDATES and e["verdict"] == Verdict.COPY]
    return side_by_side(
        lake, [_pictured(e) for e in sorted(copies, key=lambda e: (max(e["tone"], e["whole"]), e["a"], e["b"]))]
    )


def _closest(lake: Lake, edges: Sequence[Mapping[str, Any]]) -> str:
    apart = [e for e in edges if e["kind"] in CANDIDATES and e["verdict"] == Verdict.DIFFERENT]
    nearest = sorted(apart, key=lambda e: (-e["inliers"], -e["registered"], -e["whole"], e["a"], e["b"]))
    return side_by_side(lake, [_pictured(e) for e in nearest])


def _pictured(edge: Mapping[str, Any]) -> tuple[str, str, str]:
    said = f"{edge['verdict']}; {edge['kind']}, {edge['inliers']} keypoints, tone {edge['tone']:.2f}, whole {edge['whole']:.2f}"
    return edge["a"], edge["b"], said


def _planted(lake: Lake) -> dg.AssetCheckResult:
    """How many planted copies of the phantoms were found; wrong ones fail the check, missed ones are shown by kind."""
    found = copies_found(lake)
    facts = {
        "found of planted, by kind": found.by_kind,
        "false copies": len(found.false),
        "second views of a lesion taken for copies": found.views,
    }
    return check("duplicate_pairs", "planted_copies", not found.false, facts, severity=WARN)


@dg.asset(
    deps=["images", "annotations", "duplicate_pairs", "diagnoses"],
    **placed("curation", table="groups"),
    kinds={"deltalake"},
    code_version=code_of("pipelines.split", "pipelines.split_kernels"),
    check_specs=[
        schema_spec("groups"),
        dg.AssetCheckSpec(
            "leakage", asset="groups", blocking=True, description="nothing that belongs together crosses a split"
        ),
        dg.AssetCheckSpec("largest_group", asset="groups", blocking=True, description="groups have not percolated"),
        dg.AssetCheckSpec("bridges", asset="groups", description="no single verified pair holds two large groups together"),
        dg.AssetCheckSpec("label_conflicts", asset="groups", description="copies whose labels contradict are few"),
    ],
)
def groups(settings: Settings) -> dg.MaterializeResult:
    """One row an image: the group that may not cross a split, its place in its copy set, and a stable stratified split."""
    lake = settings.lake()
    before = dict(zip(*lake.read("groups", columns=["image_id", "split"]).to_pydict().values(), strict=True))
    try:
        splitting.split(lake, settings.blocklist_files())
    except BadBlocklist as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    rows = lake.read("groups")
    left = [f"{r['image_id']}: {before[r['image_id']]}" for r in rows.to_pylist() if _left(before, r)]
    facts = {
        "status": tally(rows, "status"),
        "split": tally(rows, "split"),
        "left the corpus in this run (their split before)": left or "none",
        "kept out by": tally(rows.filter(rows.column("benchmark").is_valid()), "benchmark"),
    }
    edges = lake.read("duplicate_pairs").to_pylist()
    checks = (_leakage(lake, edges), _largest(lake, rows, edges), _bridges(lake, rows, edges), _conflicting(lake, rows))
    return described(lake, "groups", facts, *checks)


def _left(before: Mapping[str, str], row: Mapping[str, Any]) -> bool:
    return row["split"] == "excluded" and before.get(row["image_id"], "excluded") != "excluded"


def _leakage(lake: Lake, edges: Sequence[Mapping[str, Any]]) -> dg.AssetCheckResult:
    columns = ["image_id", "source", "patient_id", "lesion_id", "lineage", "archive_id", "sha256", "pixel_hash"]
    found = leaks(lake.read("images", columns=columns).to_pylist(), lake.read("groups").to_pylist(), edges)
    return check("groups", "leakage", not found, {"leaks": len(found), "examples": found[:8]})


def _largest(lake: Lake, rows: Any, edges: Sequence[Mapping[str, Any]]) -> dg.AssetCheckResult:
    """The largest group, with a picture of the verified pairs that hold it together, the weakest first."""
    name, size = next(iter(tally(rows, "group_id").items()), ("none", 0))
    share = size / max(rows.num_rows, 1)
    inside = {r["image_id"] for r in rows.to_pylist() if r["group_id"] == name}
    joined = [e for e in edges if e["a"] in inside and e["kind"] in CANDIDATES and e["verdict"] != Verdict.DIFFERENT]
    picture = side_by_side(lake, [_pictured(e) for e in sorted(joined, key=lambda e: (e["tone"], e["a"], e["b"]))])
    facts = {
        "largest group": name,
        "images": size,
        "share": share,
        "allowed share": MAX_GROUP_SHARE,
        "its verified pairs, weakest first": dg.MetadataValue.md(picture),
    }
    return check("groups", "largest_group", share <= MAX_GROUP_SHARE or size <= 32, facts)


def _bridges(lake: Lake, rows: Any, edges: Sequence[Mapping[str, Any]]) -> dg.AssetCheckResult:
    """Single pairs whose loss would split a group into two large parts: a wrong one would be how percolation starts."""
    found = percolation.bridges(edges)
    facts = {
        "bridges": len(found),
        "between parts of at least": percolation.PART,
        "pictures": dg.MetadataValue.md(side_by_side(lake, [_pictured(e) for e in found])),
    }
    return check("groups", "bridges", not found, facts, severity=WARN)


def _conflicting(lake: Lake, rows: Any) -> dg.AssetCheckResult:
    """Copy sets whose labels contradict: kept and marked, never resolved, and shown."""
    marked = [r for r in rows.to_pylist() if r["label_conflict"]]
    labels = dict(zip(*lake.read("images", columns=["image_id", "diagnosis_raw"]).to_pydict().values(), strict=True))
    sets: dict[str, list[str]] = {}
    for row in marked:
        sets.setdefault(row["copy_id"], []).append(row["image_id"])
    pairs = [(ids[0], i, f"{labels[ids[0]]} / {labels[i]}") for ids in sets.values() for i in ids[1:]]
    share = len(marked) / max(rows.num_rows, 1)
    facts = {
        "copy sets with contradicting labels": len(sets),
        "images": len(marked),
        "share": share,
        "allowed share": MAX_CONFLICT_SHARE,
        "labels": dict(Counter(said for _, _, said in pairs).most_common(20)),
        "pictures": dg.MetadataValue.md(side_by_side(lake, pairs)),
    }
    return check("groups", "label_conflicts", share <= MAX_CONFLICT_SHARE, facts, severity=WARN)
