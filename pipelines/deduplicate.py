"""Pairs of images that may be one photograph: exact by construction, perceptual and semantic ones only after verification.

On dermoscopy most perceptual matches are different lesions, so a candidate becomes a copy only when the two pictures correlate
after high-pass filtering (`quality.copies`); the numbers are kept either way. Memory: the hashes of the whole lake (72 bytes an
image), the embeddings while their pairs are sought, and one 14 KB signature an image that takes part in a candidate.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipelines.lake import Lake
from pipelines.pixels import PixelBatch, pixel_batches
from pipelines.tables import TABLES
from pipelines.workers import map_in_order
from quality import thresholds


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two image ids (a < b) that a hash or an embedding proposes; `orientation` turns b upright onto a (`quality.phash.orient`)."""

    a: str
    b: str
    kind: str
    distance: float
    orientation: int = 0


def deduplicate(lake: Lake) -> bool:
    """Rebuild `duplicate_pairs` over the whole lake; False when nothing changed."""
    images = lake.read("images", columns=["image_id", "sha256", "pixel_hash"]).to_pydict()
    exact = exact_pairs(images["image_id"], images["sha256"], images["pixel_hash"])
    known = {(p["a"], p["b"]) for p in exact}
    pixels = dict(zip(images["image_id"], images["pixel_hash"], strict=True))
    proposed = [c for c in candidates(lake) if (c.a, c.b) not in known and pixels[c.a] != pixels[c.b]]
    rows = exact + list(_verified(lake, proposed))
    return lake.replace("duplicate_pairs", pa.Table.from_pylist(rows, schema=TABLES["duplicate_pairs"].schema))


def exact_pairs(ids: list[str], sha256: list[str], pixel_hash: list[str]) -> list[dict[str, Any]]:
    """Equal bytes, then equal pixels in other bytes: every member paired with the first of its set (a star, not n² pairs)."""
    rows = []
    for kind, keys in (("bytes", sha256), ("pixels", pixel_hash)):
        sets: dict[str, list[str]] = defaultdict(list)
        for image_id, key in zip(ids, keys, strict=True):
            sets[key].append(image_id)
        rows += [_row(Candidate(s[0], b, kind, 0.0), 1.0, True) for s in map(sorted, sets.values()) for b in s[1:]]
    seen: set[tuple[str, str]] = set()
    return [r for r in rows if (r["a"], r["b"]) not in seen and not seen.add((r["a"], r["b"]))]


def candidates(lake: Lake) -> list[Candidate]:
    """Perceptual candidates in all eight orientations, then semantic ones that are not among them; sorted, a pair once."""
    best: dict[tuple[str, str], Candidate] = {}
    for candidate in sorted([*_perceptual(lake), *_semantic(lake)], key=lambda c: (c.kind, c.distance, c.orientation)):
        best.setdefault((candidate.a, candidate.b), candidate)
    return [best[pair] for pair in sorted(best)]


def _perceptual(lake: Lake) -> Iterator[Candidate]:
    import numpy as np

    from quality.hamming import near_pairs

    table = lake.read("fingerprints", columns=["image_id", "phash"])
    ids = table.column("image_id").to_pylist()
    if not ids:
        return
    hashes = np.asarray(table.column("phash").combine_chunks().flatten(), dtype=np.int64).view(np.uint64).reshape(-1, 8)
    for k in range(8):
        probe = None if k == 0 else hashes[:, k]
        for i, j, distance in zip(*near_pairs(hashes[:, 0], probe, thresholds.PHASH_RADIUS), strict=True):
            if ids[i] < ids[j]:
                yield Candidate(ids[i], ids[j], "perceptual", float(distance), k)


def _semantic(lake: Lake) -> Iterator[Candidate]:
    import numpy as np

    table = lake.read("embeddings", columns=["image_id", "vector"])
    table = table.filter(table.column("vector").is_valid())
    ids = table.column("image_id").to_pylist()
    if not ids:
        return
    vectors = np.stack([np.frombuffer(v, dtype="<f2") for v in table.column("vector").to_pylist()]).astype(np.float32)
    for start in range(0, len(ids), 2048):
        cosines = vectors[start : start + 2048] @ vectors[start:].T
        for i, j in np.argwhere(cosines >= thresholds.COSINE_CANDIDATE).tolist():
            if j > i:
                yield Candidate(ids[start + i], ids[start + j], "semantic", 1.0 - float(cosines[i, j]))


def _verified(lake: Lake, proposed: list[Candidate]) -> Iterator[dict[str, Any]]:
    from quality import copies

    needed: dict[str, set[int]] = defaultdict(set)
    for c in proposed:
        needed[c.a].add(0)
        needed[c.b].add(c.orientation)
    signatures = dict(_signatures(lake, needed))
    for c in proposed:
        score = copies.same_photograph(signatures[c.a, 0], signatures[c.b, c.orientation])
        yield _row(c, float(score), bool(score >= thresholds.SAME_PHOTOGRAPH))


def _signatures(lake: Lake, needed: Mapping[str, set[int]]) -> Iterator[tuple[tuple[str, int], Any]]:
    batches = pixel_batches(lake, sorted(needed), size=64)
    jobs = [SignatureJob(b, tuple((i, tuple(sorted(needed[i]))) for _, i in b.rows)) for b in batches]
    for result in map_in_order(signature_batch, jobs):
        yield from result


@dataclass(frozen=True, slots=True)
class SignatureJob:
    """Images to sign, each in the orientations that its candidates need."""

    batch: PixelBatch
    orientations: tuple[tuple[str, tuple[int, ...]], ...]


def signature_batch(job: SignatureJob) -> list[tuple[tuple[str, int], Any]]:
    """Signatures of a job by image and orientation. Runs in a worker."""
    from quality import copies, phash, raster

    needed, out = dict(job.orientations), []
    for image_id, data in job.batch.images():
        rgb = raster.decode(data).rgb
        out += [((image_id, k), copies.signature(phash.orient(rgb, k))) for k in needed[image_id]]
    return out


def _row(c: Candidate, score: float, verified: bool) -> dict[str, Any]:
    return {
        "a": c.a,
        "b": c.b,
        "kind": c.kind,
        "distance": c.distance,
        "orientation": c.orientation,
        "verified": verified,
        "score": round(score, 6),
    }
