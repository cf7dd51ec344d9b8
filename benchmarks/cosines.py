"""What the index over cells saves, and what it misses: semantic pairs by all products and by the index, with the pipeline's own functions.

`python -m benchmarks.cosines [--quick]` prints a table; the full run writes benchmarks/results/cosines.json. Vectors (512 numbers) lie in
clusters as those of CLIP do: cosines of two pictures are .27 to .61 (first and last hundredth), .75 in a small cluster. 2 % are planted
copies, at cosines of .95 to 1 of their originals; half of them were moved towards another picture, half anywhere. The rows `crowd` are
the hard case: a fifth of the vectors are alike, most pairs above .95 and different in 20 dimensions only, and the 32 nearest of each are sought.

As many rows are asked for their neighbours as the table says: the last ones, all copies among them, or every tenth of a crowd.
Seconds of both searches are scaled to all rows, to which they are proportional.

`ivf_vs_exact`: seconds by all products over seconds with the index, its making included, at the largest size.
`ivf_recall`: the share of the exact pairs that the index finds, the smallest of all sizes. `ivf_recall_crowd`: the same in the crowd.
"""

import argparse
import json
import multiprocessing
import time
from pathlib import Path
from typing import Any

import numpy as np

from quality import cells
from quality.cosines import near_rows, on_gpu

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results" / "cosines.json"
SIZES = {
    "quick": (("clusters", 10_000, 10_000), ("clusters", 50_000, 10_000), ("crowd", 20_000, 2_000)),
    "full": (
        *(("clusters", size, 10_000) for size in (20_000, 50_000, 100_000, 200_000)),
        ("crowd", 40_000, 4_000),
    ),
}
"""What vectors, how many, and how many rows are asked for their neighbours."""

WIDTH = 512
LEAST, PARTNERS = 0.95, 32
PROBES = {"quick": (cells.PROBES,), "full": (1, 4, 8, 16)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to 50,000 vectors, and the pipeline's probes only")
    which = "quick" if parser.parse_args().quick else "full"
    if on_gpu():
        raise SystemExit("on a GPU the pipeline always computes all products: set CUDA_VISIBLE_DEVICES= to measure")
    rows = [row for kind, count, asked in SIZES[which] for row in apart(kind, count, asked, PROBES[which])]
    table(rows)
    ours = [row for row in rows if row["probes"] == cells.PROBES]
    clusters = [row for row in ours if row["kind"] == "clusters"]
    last = clusters[-1]
    print(f"RATIO ivf_vs_exact {last['exact_seconds'] / (last['index_seconds'] + last['search_seconds']):.1f}")
    print(f"RATIO ivf_recall {min(row['recall'] for row in clusters):.4f}")
    print(f"RATIO ivf_recall_crowd {min(row['recall'] for row in ours if row['kind'] == 'crowd'):.4f}")
    if which == "full":
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


def table(rows: list[dict[str, Any]]) -> None:
    """Seconds to make the index, to search with it, and by all products; pairs of the rows asked, and the share found."""
    print(f"{'':8} {'vectors':>8} {'cells':>6} {'probes':>6} {'index s':>8} {'search s':>9} {'all products s':>14}", end="")
    print(f" {'asked':>8} {'pairs':>8} {'recall':>7}")
    for row in rows:
        print(
            f"{row['kind']:8} {row['vectors']:8,} {row['cells']:6,} {row['probes']:6} {row['index_seconds']:8.1f} "
            f"{row['search_seconds']:9.1f} {row['exact_seconds']:14.1f} {row['asked']:8,} {row['pairs']:8,} {row['recall']:7.4f}"
        )


def apart(kind: str, count: int, asked: int, probes: tuple[int, ...]) -> list[dict[str, Any]]:
    """Rows that a process of its own measures, so that no size runs on what another left."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (kind, count, asked, probes))


def measure(kind: str, count: int, asked: int, probes: tuple[int, ...]) -> list[dict[str, Any]]:
    """A row for every number of probes."""
    vectors = crowd(count) if kind == "crowd" else planted(count)
    near_rows(vectors[:100], np.arange(100), LEAST, PARTNERS, cells.build(vectors[:100]))  # imports
    rows = np.arange(0, count, count // asked) if kind == "crowd" else np.arange(count - asked, count)
    exact_seconds, wanted = timed(vectors, rows, None)
    start = time.perf_counter()
    index = cells.build(vectors)
    built = time.perf_counter() - start
    shared = {"kind": kind, "vectors": count, "cells": cells.lists(count), "index_seconds": round(built, 2), "asked": asked}
    shared |= {"exact_seconds": round(exact_seconds * count / asked, 2), "pairs": len(wanted)}
    found = []
    for index.nprobe in probes:
        seconds, got = timed(vectors, rows, index)
        recall = round(len(got & wanted) / len(wanted), 5)
        found.append({**shared, "probes": index.nprobe, "search_seconds": round(seconds * count / asked, 2), "recall": recall})
    return found


def timed(vectors: np.ndarray, rows: np.ndarray, index: Any | None) -> tuple[float, set[tuple[int, int]]]:
    """Seconds of the search, and its pairs."""
    start = time.perf_counter()
    i, j, _ = near_rows(vectors, rows, LEAST, PARTNERS, index)
    return time.perf_counter() - start, set(zip(i.tolist(), j.tolist(), strict=True))


def crowd(count: int) -> np.ndarray:
    """(count, WIDTH) float16: as `planted`, but the first fifth differs in 20 dimensions only, most at cosines above .95 of each other."""
    vectors = planted(count).astype(np.float32)
    rng = np.random.default_rng(count)
    some, dimensions = count // 5, 20
    basis = np.linalg.qr(rng.standard_normal((WIDTH, dimensions)))[0].T.astype(np.float32)
    moved = unit(rng.standard_normal((some, dimensions), dtype=np.float32) @ basis)
    far = rng.uniform(0.5, 1.6, (some, 1)).astype(np.float32)
    vectors[:some] = unit(0.96**0.5 * vectors[0] + 0.04**0.5 * far * moved)
    return vectors.astype(np.float16)


def planted(count: int, width: int = WIDTH) -> np.ndarray:
    """(count, width) float16 of unit length in clusters; the last 2 % are copies. The same every time."""
    rng = np.random.default_rng(count)

    def anywhere(some: int) -> np.ndarray:
        return unit(rng.standard_normal((some, width), dtype=np.float32))

    copies = count // 50
    others = count - copies
    small = rng.integers(0, others // 50, others)
    large = rng.integers(0, 40, others // 50)
    centres = 0.25**0.5 * anywhere(40)[large] + 0.15**0.5 * anywhere(len(large))
    vectors = unit(0.35**0.5 * anywhere(1) + centres[small] + 0.25**0.5 * anywhere(others))
    originals = vectors[rng.integers(0, others, copies)]
    towards = np.where(rng.random((copies, 1)) < 0.5, anywhere(copies), vectors[rng.integers(0, others, copies)])
    across = unit(towards - (towards * originals).sum(axis=1, keepdims=True) * originals)
    cosine = rng.uniform(LEAST, 1, (copies, 1)).astype(np.float32)
    return np.concatenate([vectors, cosine * originals + np.sqrt(1 - cosine**2) * across]).astype(np.float16)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Of length one."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
