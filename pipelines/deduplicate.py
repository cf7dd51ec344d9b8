"""Typed edges between images: exact copies, shared identifiers, and candidates with what verification found.

Candidates come from perceptual hashes in eight orientations, from keypoints, and from embeddings where there are any; each is verified
by `quality.geometry` from stored keypoints, and its numbers are kept whatever the verdict. Only images that are new or changed are
compared, with all others: edges between old images stand as they are. Memory: 72 bytes an image for hashes; while keypoints vote, about
70 KB an image and as much again for each new one; 45 KB for each image that takes part in a candidate; the embeddings while their pairs
are sought, and once more where an index helps (`quality.cosines`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.columns import coded
from pipelines.keypoints import stored
from pipelines.lake import Lake
from pipelines.progress import Progress
from pipelines.semantic import near_in_partitions
from pipelines.tables import TABLES
from pipelines.workers import map_in_order
from prompts.schemas import digest
from quality import copies, phash, thresholds, votes
from quality.geometry import Fit
from quality.keypoints import Features
from quality.policies import CANDIDATES

VERSION = "2"
"""Raise when candidates or verification change: every image is then compared anew."""

PAIRS = 128
"""Candidates a task verifies."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two image ids (a < b) that may be one photograph; `orientation` turns b upright onto a (`quality.phash.orient`)."""

    a: str
    b: str
    kind: str
    distance: float
    orientation: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """What a run did: images compared with all others, candidates verified, edges in all, and whether the table changed."""

    images: int
    candidates: int
    edges: int
    changed: bool


def deduplicate(lake: Lake) -> Compared:
    """Bring `duplicate_pairs` up to date with the whole lake."""
    columns = ["image_id", "source", "sha256", "pixel_hash", "patient_id", "lesion_id", "lineage", "archive_id"]
    table = lake.read("images", columns=columns)
    images = table.to_pylist()
    content = _content(lake, images)
    before = dict(zip(*lake.read("compared").to_pydict().values(), strict=True))
    new = {i for i, found in content.items() if before.get(i) != found}
    kept = [
        edge
        for edge in lake.read("duplicate_pairs").to_pylist()
        if edge["kind"] in CANDIDATES and {edge["a"], edge["b"]} <= content.keys() - new
    ]
    proposed = candidates(lake, sorted(content), new)
    lesions = {image["image_id"]: (image["source"], image["lesion_id"]) for image in images if image["lesion_id"] is not None}
    judged = pa.Table.from_pylist([*kept, *_verified(lake, proposed, lesions)], schema=TABLES["duplicate_pairs"].schema)
    edges = pa.concat_tables([exact_pairs(table), key_pairs(table), judged])
    changed = lake.replace("duplicate_pairs", edges)
    # After the edges: a run that ends between the two commits is repeated with the same result.
    done = {"image_id": sorted(content), "input_digest": [content[i] for i in sorted(content)]}
    lake.replace("compared", pa.table(done, schema=TABLES["compared"].schema))
    return Compared(len(new), len(proposed), edges.num_rows, changed)


def _content(lake: Lake, images: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What is compared of each image, as a digest; of pictures with equal pixels only the first is compared."""
    first: dict[str, str] = {}
    for image in images:
        first.setdefault(image["pixel_hash"], image["image_id"])
    vectors = lake.read("embeddings", columns=["image_id", "input_digest", "why_not"]).to_pylist()
    vector = {row["image_id"]: row["input_digest"] for row in vectors if row["why_not"] is None}
    points = lake.read("keypoints", columns=["image_id", "input_digest"]).to_pydict()
    prints = lake.read("fingerprints", columns=["image_id", "algorithm"]).to_pydict()
    point = dict(zip(points["image_id"], points["input_digest"], strict=True))
    lesion = {image["image_id"]: image["lesion_id"] for image in images}
    stamp = [VERSION, thresholds.PHASH_RADIUS, thresholds.COSINE_CANDIDATE, *_verification()]
    algorithm = dict(zip(prints["image_id"], prints["algorithm"], strict=True))
    return {i: digest([*stamp, algorithm[i], point[i], vector.get(i), lesion[i]]) for i in first.values() if i in point}


def _verification() -> list[float]:
    t = thresholds
    contradicted = [t.CONTRADICTED_TONE, t.CONTRADICTED_WHOLE]
    return [
        t.SAME_PHOTOGRAPH,
        t.WHOLE_TONE,
        t.COPY_KEYPOINTS,
        t.REGISTER_TONE,
        t.COPY_TONE,
        t.LESION_TONE,
        t.COMMON,
        *contradicted,
    ]


def exact_pairs(images: pa.Table) -> pa.Table:
    """Equal bytes, then equal pixels in other bytes: every image with the first of its set (a star, not n² pairs)."""
    images = images.sort_by("image_id")
    same_bytes, same_pixels = _first(images, "sha256"), _first(images, "pixel_hash")
    same_pixels = np.where(same_pixels == same_bytes, np.arange(len(same_pixels)), same_pixels)
    stars = (("bytes", same_bytes), ("pixels", same_pixels))
    return pa.concat_tables([_star(images, first, kind, copies.Verdict.COPY) for kind, first in stars])


def key_pairs(images: pa.Table) -> pa.Table:
    """Edges between images of one patient, lesion or lineage (ids of their own source), and of one archive id (shared by all).

    Stars as well; memory: 100 bytes an image and 150 an edge.
    """
    images = images.sort_by("image_id")
    keys = {
        "patient": ("source", "patient_id"),
        "lesion": ("source", "lesion_id"),
        "lineage": ("source", "lineage"),
        "archive id": ("archive_id",),
    }
    return pa.concat_tables([_star(images, _first(images, *columns), kind, None) for kind, columns in keys.items()])


def _first(images: pa.Table, *columns: str) -> np.ndarray:
    """The first image that has the same values in these columns; an image that lacks the last of them is its own first."""
    key = np.zeros(images.num_rows, np.int64)
    for name in columns:
        code, values = coded(images.column(name))
        key = key * len(values) + code
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    known = images.column(columns[-1]).is_valid().to_numpy()
    return np.where(known, first[which], np.arange(len(key)))


def _star(images: pa.Table, first: np.ndarray, kind: str, verdict: str | None) -> pa.Table:
    """An edge from the first of a set to each other image of it."""
    others = np.flatnonzero(first != np.arange(len(first)))
    ids, schema = images.column("image_id"), TABLES["duplicate_pairs"].schema
    known = {"a": ids.take(pa.array(first[others])), "b": ids.take(pa.array(others)), "kind": pa.repeat(kind, len(others))}
    known["verdict"] = pa.repeat(pa.scalar(verdict, pa.string()), len(others))
    return pa.table({f.name: known.get(f.name, pa.nulls(len(others), f.type)) for f in schema}, schema=schema)


def candidates(lake: Lake, ids: Sequence[str], new: set[str]) -> list[Candidate]:
    """Candidates with at least one new end among `ids`, sorted; a pair once in each chirality, by its surest proposal."""
    best: dict[tuple[str, str, bool], Candidate] = {}
    found = [*_perceptual(lake, ids, new), *_by_keypoints(lake, ids, new), *_semantic(lake, ids, new)] if new else []
    for candidate in sorted(found, key=lambda c: (CANDIDATES.index(c.kind), c.distance, c.orientation)):
        best.setdefault((candidate.a, candidate.b, _mirrored(candidate.orientation)), candidate)
    return [best[key] for key in sorted(best)]


def _mirrored(orientation: int) -> bool:
    return bool(orientation.bit_count() & 1)


def _candidate(i: str, j: str, kind: str, distance: float, orientation: int) -> Candidate:
    """Of j seen from i; turned round where j comes first."""
    return (
        Candidate(i, j, kind, distance, orientation) if i < j else Candidate(j, i, kind, distance, phash.inverse(orientation))
    )


def _perceptual(lake: Lake, ids: Sequence[str], new: set[str]) -> Iterator[Candidate]:
    from quality.hamming import near_pairs

    table = lake.read("fingerprints", columns=["image_id", "phash"], among=("image_id", pa.array(ids)))
    names = table.column("image_id").to_pylist()
    hashes = np.asarray(table.column("phash").combine_chunks().flatten(), dtype=np.int64).view(np.uint64).reshape(-1, 8)
    rows = np.flatnonzero([name in new for name in names])
    for k in range(8):
        for i, j, distance in zip(*near_pairs(hashes[rows, 0], hashes[:, k], thresholds.PHASH_RADIUS), strict=True):
            if rows[i] != j:
                yield _candidate(names[rows[i]], names[j], "perceptual", float(distance), k)


def _by_keypoints(lake: Lake, ids: Sequence[str], new: set[str]) -> Iterator[Candidate]:
    """Pictures that share keypoints; the distance of a candidate is the inverse of its votes."""
    table = lake.read("keypoints", among=("image_id", pa.array(ids)))
    names = table.column("image_id").to_pylist()
    rows = [n for n, name in enumerate(names) if name in new]
    base = votes.voters([features.plain for features in stored(table)])
    for orientation in (0, 1):
        asking = (f.mirrored if orientation else f.plain for f in stored(table.take(pa.array(rows, pa.int64()))))
        probe = votes.voters(list(asking))
        for i, j, count in zip(*votes.proposed(base, probe, rows), strict=True):
            yield _candidate(names[i], names[j], "keypoints", 1.0 / float(count), orientation)


def _semantic(lake: Lake, ids: Sequence[str], new: set[str]) -> Iterator[Candidate]:
    table = lake.read("embeddings", columns=["image_id", "vector"], among=("image_id", pa.array(ids)))
    table = table.filter(table.column("vector").is_valid())
    names = table.column("image_id").to_pylist()
    if not names:
        return
    vectors = np.stack([np.frombuffer(v, dtype="<f2") for v in table.column("vector").to_pylist()])
    rows = np.flatnonzero([name in new for name in names])
    found = near_in_partitions(vectors, rows, thresholds.COSINE_CANDIDATE, thresholds.SEMANTIC_PARTNERS)
    for i, j, cosine in zip(*found, strict=True):
        yield _candidate(names[i], names[j], "semantic", 1.0 - float(cosine), 0)


@dataclass(frozen=True, slots=True)
class VerifyJob:
    """Candidates, each with whether its source says that they are two lesions, and the features of their images."""

    candidates: tuple[tuple[Candidate, bool], ...]
    features: Mapping[str, Features]


def _verified(lake: Lake, proposed: Sequence[Candidate], lesions: Mapping[str, tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """An edge for every pair proposed, in the chirality that fits better."""
    progress = Progress("candidates verified", len(proposed))
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for edges in map_in_order(verify_batch, _jobs(lake, proposed, lesions)):
        progress.add(len(edges))
        for edge in edges:
            held = best.get((edge["a"], edge["b"]))
            if held is None or _strength(edge) > _strength(held):
                best[edge["a"], edge["b"]] = edge
    yield from best.values()


def _strength(edge: Mapping[str, Any]) -> tuple[bool, bool, int, float]:
    is_copy = edge["verdict"] == copies.Verdict.COPY
    return is_copy, edge["verdict"] == copies.Verdict.LESION, edge["inliers"], edge["whole"]


def _jobs(lake: Lake, proposed: Sequence[Candidate], lesions: Mapping[str, tuple[str, str]]) -> Iterator[VerifyJob]:
    needed = sorted({end for c in proposed for end in (c.a, c.b)})
    table = lake.read("keypoints", among=("image_id", pa.array(needed, pa.string())))
    row = {name: n for n, name in enumerate(table.column("image_id").to_pylist())}
    for start in range(0, len(proposed), PAIRS):
        some = tuple((c, _two_lesions(lesions, c)) for c in proposed[start : start + PAIRS])
        ends = sorted({end for c, _ in some for end in (c.a, c.b)})
        taken = stored(table.take(pa.array([row[end] for end in ends], pa.int64())))
        yield VerifyJob(some, dict(zip(ends, taken, strict=True)))


def _two_lesions(lesions: Mapping[str, tuple[str, str]], c: Candidate) -> bool:
    """Whether one source gives both ends a lesion id, and not the same."""
    a, b = lesions.get(c.a), lesions.get(c.b)
    return a is not None and b is not None and a[0] == b[0] and a[1] != b[1]


def verify_batch(job: VerifyJob) -> list[dict[str, Any]]:
    """Edges of a job's candidates. Runs in a worker."""
    import cv2

    from quality.geometry import fit

    cv2.setNumThreads(1)
    return [_judged(c, fit(job.features[c.a], job.features[c.b], c.orientation), two) for c, two in job.candidates]


def _judged(c: Candidate, fit: Fit, two_lesions: bool) -> dict[str, Any]:
    numbers = {name: round(value, 6) if isinstance(value, float) else value for name, value in asdict(fit).items()}
    found = copies.verdict(fit, contradicted=two_lesions)
    return {"a": c.a, "b": c.b, "kind": c.kind, "verdict": found, "distance": round(c.distance, 6), **numbers}
