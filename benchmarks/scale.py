"""How the duplicate stages grow: the Hamming join, connected components and splits over simulated corpora, each in its own process.

`python -m benchmarks.scale [--quick]` prints seconds, peak memory and the growth from one size to the next; the full run writes
benchmarks/results/scale.json. Hashes are random with 2 % planted near-copies; the corpus has 1.4 images a lesion, 30 diagnoses and 6 skin
tones. RATIO lines give the growth of the join at radius 4 and of the split over the last tenfold step that was measured.
"""

import argparse
import json
import multiprocessing
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.dedup import planted
from quality.hamming import near_pairs

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results" / "scale.json"
HASHES = {"quick": (100_000, 1_000_000), "full": (100_000, 1_000_000, 10_000_000)}
IMAGES = {"quick": (10_000, 100_000), "full": (100_000, 1_000_000)}
"""Splits hold a Python row an image: ten million of them do not fit beside their groups."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    which = "quick" if parser.parse_args().quick else "full"
    rows = [row for n in HASHES[which] for row in apart(hashes, n)] + [row for n in IMAGES[which] for row in apart(splits, n)]
    print(f"{'stage':28} {'size':>11} {'seconds':>9} {'peak MiB':>9} {'result':>12} {'growth':>7}")
    growth: dict[str, float] = {}
    before: dict[str, float] = {}
    for row in sorted(rows, key=lambda row: (row["stage"], row["size"])):
        growth[row["stage"]] = row["seconds"] / before.get(row["stage"], row["seconds"])
        before[row["stage"]] = row["seconds"]
        print(
            f"{row['stage']:28} {row['size']:11,} {row['seconds']:9.2f} {row['peak_mib']:9,} {row['result']:12,} "
            f"{growth[row['stage']]:7.1f}"
        )
    print(f"RATIO join_growth_tenfold {growth['join, radius 4']:.1f}")
    print(f"RATIO split_growth_tenfold {growth['groups and split']:.1f}")
    if which == "full":
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


def apart(function: Callable[[int, Any], None], size: int) -> list[dict[str, Any]]:
    """Rows that a process of its own measures."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=function, args=(size, there))
    process.start()
    there.close()
    rows = here.recv()
    process.join()
    return rows


def measured(stage: str, size: int, run: Callable[[], int]) -> dict[str, Any]:
    """Seconds and the peak of the process up to the stage's end; what the stage counted."""
    start = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return {"stage": stage, "size": size, "seconds": round(seconds, 3), "peak_mib": peak, "result": result}


def hashes(size: int, out: Any) -> None:
    """The join at radius 2 and 4, and components over the pairs of the latter."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    near_pairs(planted(1_000), None, 4)  # compiles
    values = planted(size)
    rows = [measured("join, radius 2", size, lambda: len(near_pairs(values, None, 2)[0]))]
    found: list[np.ndarray] = []

    def radius_4() -> int:
        found.extend(near_pairs(values, None, 4)[:2])
        return len(found[0])

    rows.append(measured("join, radius 4", size, radius_4))

    def components() -> int:
        graph = coo_matrix((np.ones(len(found[0]), np.int8), (found[0], found[1])), shape=(size, size))
        return int(connected_components(graph, directed=False)[0])

    rows.append(measured("components", size, components))
    out.send(rows)


def splits(size: int, out: Any) -> None:
    """Groups, copy sets and splits of a simulated corpus, as the pipeline makes them, and again with 1 % more images."""
    from pipelines.deduplicate import key_pairs
    from pipelines.split import group_rows
    from prompts.ontology import load

    ontology = load()
    images = list(simulated(size, sorted(ontology.nodes)[:30]))
    edges = key_pairs(images) + copies(size)
    rows: list[dict[str, Any]] = []

    def first() -> int:
        rows.extend(group_rows(images, edges, {}, ontology))
        return len({row["group_id"] for row in rows})

    done = [measured("groups and split", size, first)]
    before = {row["image_id"]: row["split"] for row in rows}
    rows.clear()
    more = list(simulated(size + size // 100, sorted(ontology.nodes)[:30]))

    def moved() -> int:
        after = group_rows(more, edges, before, ontology)
        return sum(row["split"] != before.get(row["image_id"], row["split"]) for row in after)

    done.append(measured("again with 1 % more: moved", size, moved))
    out.send(done)


def simulated(size: int, nodes: list[str]) -> Any:
    """Image rows with lesions, diagnoses and skin tones."""
    rng = np.random.default_rng(3)
    lesion = rng.integers(0, size * 5 // 7, size * 2)
    node, tone = rng.zipf(1.6, size * 2) % len(nodes), rng.integers(1, 7, size * 2)
    for n in range(size):
        yield {
            "image_id": f"s:{n:08d}",
            "source": "s",
            "patient_id": None,
            "lesion_id": str(lesion[n]),
            "lineage": None,
            "archive_id": None,
            "skin_tones": [{"value": str(tone[n]), "system": "fitzpatrick", "basis": "expert"}],
            "width": 600,
            "height": 450,
            "licence_id": "CC-BY-4.0",
            "expert_concepts": "{}",
            "expert_caption": None,
            "history": "{}",
            "node": nodes[node[n]],
        }


def copies(size: int) -> list[dict[str, Any]]:
    """Verified copies between 2 % of the images."""
    rng = np.random.default_rng(4)
    pairs = {tuple(sorted(pair)) for pair in rng.integers(0, size, (size // 50, 2)).tolist() if pair[0] != pair[1]}
    return [
        {"a": f"s:{a:08d}", "b": f"s:{b:08d}", "kind": "perceptual", "verdict": "copy", "distance": 2.0}
        for a, b in sorted(pairs)
    ]


if __name__ == "__main__":
    main()
