"""How the duplicate stages grow: the Hamming join, connected components and splits over simulated corpora, each in its own process.

`python -m benchmarks.scale [--quick]` prints seconds, peak memory and the growth from one size to the next; the full run writes
benchmarks/results/scale.json. Hashes are random with 2 % planted near-copies; the corpus has 1.4 images a lesion, 30 diagnoses and 6 skin
tones. RATIO lines give the growth of the join at radius 4 and of the split over the last tenfold step that was measured.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.dedup import planted
from benchmarks.peak import peak_mib
from pipelines.tables import TABLES
from quality.hamming import near_pairs

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results" / "scale.json"
HASHES = {"quick": (100_000, 1_000_000), "full": (100_000, 1_000_000, 10_000_000)}
IMAGES = {"quick": (10_000, 100_000), "full": (100_000, 1_000_000, 10_000_000)}


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
    peak = peak_mib()
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
    from pipelines.split import group_table
    from prompts.ontology import load

    ontology = load()
    nodes = sorted(ontology.nodes)[:30]
    none = TABLES["groups"].schema.empty_table()
    group_table(simulated(1_000, nodes), copies(1_000), none, ontology)  # compiles
    images = simulated(size, nodes)
    edges = joined(images, size)
    made: list[pa.Table] = []

    def first() -> int:
        made.append(group_table(images, edges, none, ontology).select(["group_id", "image_id", "split"]))
        return len(pc.unique(made[0].column("group_id")))

    done = [measured("groups and split", size, first)]
    before = made.pop().select(["image_id", "split"])
    more = simulated(size + size // 100, nodes)

    def moved() -> int:
        after = group_table(more, edges, before, ontology).slice(0, size)  # ids of added images come last
        return pc.sum(pc.not_equal(after.column("split"), before.column("split"))).as_py()

    done.append(measured("again with 1 % more: moved", size, moved))
    out.send(done)


def simulated(size: int, nodes: list[str]) -> pa.Table:
    """Images with lesions, diagnoses and skin tones."""
    rng = np.random.default_rng(3)
    lesion = rng.integers(0, size * 5 // 7, size * 2)[:size]
    node, tone = rng.zipf(1.6, size * 2)[:size] % len(nodes), rng.integers(1, 7, size * 2)[:size]
    tones = [pa.array(tone).cast(pa.string()), pa.repeat("fitzpatrick", size), pa.repeat("expert", size)]
    stated = pa.StructArray.from_arrays(tones, ["value", "system", "basis"])
    known = {
        "image_id": names(np.arange(size)),
        "source": pa.repeat("s", size),
        "lesion_id": pa.array(lesion).cast(pa.string()),
        "skin_tones": pa.ListArray.from_arrays(pa.array(np.arange(size + 1), pa.int32()), stated),
        "width": pa.repeat(600, size),
        "height": pa.repeat(450, size),
        "licence_id": pa.repeat("CC-BY-4.0", size),
        "expert_concepts": pa.repeat("{}", size),
        "history": pa.repeat("{}", size),
        "node": pa.array(nodes).take(pa.array(node)),
    }
    missing = ("patient_id", "lineage", "archive_id", "expert_caption")
    return pa.table(known | {name: pa.nulls(size, pa.string()) for name in missing})


def names(numbers: np.ndarray) -> pa.Array:
    """The ids of images by their numbers."""
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 8, "0")
    return pc.binary_join_element_wise("s", digits, ":")


def joined(images: pa.Table, size: int) -> pa.Table:
    """Edges of shared lesions, and of copies."""
    from pipelines.deduplicate import key_pairs
    from pipelines.split import EDGES

    return pa.concat_tables([key_pairs(images).select(list(EDGES)), copies(size)])


def copies(size: int) -> pa.Table:
    """Verified copies between 2 % of the images."""
    rng = np.random.default_rng(4)
    pairs = np.unique(np.sort(rng.integers(0, size, (size // 50, 2))), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    said = {"kind": "perceptual", "verdict": "copy", "distance": 2.0}
    ends = {"a": names(pairs[:, 0]), "b": names(pairs[:, 1])}
    return pa.table(ends | {name: pa.repeat(value, len(pairs)) for name, value in said.items()})


if __name__ == "__main__":
    main()
