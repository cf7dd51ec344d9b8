"""What rendering costs: `python -m benchmarks.render [--quick]`.

Samples a second in two processes, from the JSON of an accepted trajectory to Arrow rows of `samples`, in every format; beside it, in the
same run, `json.dumps` of the same messages alone, which no renderer can do without. Then a million records through one process: matched,
rendered and let go, with the memory that it takes.
"""

import argparse
import hashlib
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from benchmarks import scribe
from benchmarks.peak import peak_mib
from pipelines.asking import Asking, asking
from pipelines.chosen import table_of
from pipelines.mix import Counted
from pipelines.render import record_of, sample_rows
from prompts.mix import Mix
from prompts.ontology import load

RESULTS = Path(__file__).parent / "results" / "render.json"
PROCESSES = 2
BATCH = 1024
TEXTS = 400
"""Different trajectories; ids, labels and contexts differ for every record."""

Row = dict[str, Any]


def main() -> None:
    """Measure, print the table and the ratios."""
    parser = argparse.ArgumentParser(description="What rendering costs.")
    parser.add_argument(
        "--quick", action="store_true", help="10,000 records instead of 50,000, and 50,000 instead of a million"
    )
    quick = parser.parse_args().quick
    count, many = (10_000, 50_000) if quick else (50_000, 1_000_000)
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        pool.map(rendered, [(0, 500)] * PROCESSES, chunksize=1)
        parts = [(n * count // PROCESSES, (n + 1) * count // PROCESSES) for n in range(PROCESSES)]
        spans = pool.map(rendered, parts, chunksize=1)
    samples, seconds = sum(done for done, _, _ in spans), max(spent for _, spent, _ in spans)
    least = max(spent for _, _, spent in spans)
    streams = [streamed(part) for part in (many // 10, many)]
    ratios = {
        "samples_per_second": samples / seconds,
        "share_of_json_dumps": least / seconds,
        "bytes_a_record": (streams[1]["peak MiB"] - streams[0]["peak MiB"]) * 2**20 / (many - many // 10),
    }
    print(f"{'samples':>12}{'a second':>12}{'json.dumps alone':>20}")
    print(f"{samples:12,}{samples / seconds:12,.0f}{samples / least:20,.0f}")
    for one in streams:
        print(", ".join(f"{key} {value:,}" for key, value in one.items()))
    for key, value in ratios.items():
        print(f"RATIO {key} {value:.3f}")
    if not quick:
        RESULTS.write_text(json.dumps({"samples": samples, "streams": streams, "ratios": ratios}, indent=1) + "\n")


def rows(first: int, last: int) -> Iterator[Row]:
    """Trajectories as the lake gives them, with what is known of their images."""
    ontology = load()
    nodes = sorted(node for node in ontology.nodes if ontology.granularity(node) in ("diagnosis", "subtype"))
    texts = [scribe.sound(f"render/{n}") for n in range(TEXTS)]
    told = [(one.kind, json.dumps(one.observation), json.dumps(one.reasoning)) for one in texts]
    for n in range(first, last):
        sha = hashlib.sha256(f"render {n}".encode()).hexdigest()
        drawn = int(sha[:8], 16)
        kind, observation, reasoning = told[drawn % TEXTS]
        yield {
            "image_id": f"made:{n}",
            "sha256": sha,
            "source": "made",
            "split": "train",
            "kind": kind,
            "node": nodes[min(int(1 / (drawn / 2**32 + 1 / len(nodes))), len(nodes)) - 1],
            "observation": observation,
            "reasoning": reasoning,
            "teacher": "made",
            "revision": "1",
            "conditioning": "confirmed",
            "verified_by": 0,
            "licence_id": "CC0-1.0",
            "attribution": "made",
            "skin_tones": [{"value": "34"[n % 2], "system": "fitzpatrick", "basis": "made"}],
            "age_years": float(n % 90),
            "age_is_floor": False,
            "sex": ("female", "male")[n % 2],
            "body_site": "trunk_back",
            "history": None,
            "gates": ["hair"] if n % 3 else [],
        }


def prepared(given: Iterable[Row], pictures: Asking) -> Counted:
    """The first pass: what is asked, and counts for the weights."""
    nodes, tones = Counter[str](), Counter[str]()
    for row in given:
        pictures.take(row["sha256"], row["kind"], row["node"], json.loads(row["observation"]))
        nodes[row["node"]] += 1
        tones[row["skin_tones"][0]["value"]] += 1
    pictures.match()
    return Counted(Mix(), {"train": {}}, {"train": nodes}, {"train": {("fitzpatrick", "made"): tones}})


def rendered(part: tuple[int, int]) -> tuple[int, float, float]:
    """Samples of a range of records, the seconds of both passes, and those of `json.dumps` of the same messages."""
    given = list(rows(*part))
    start = time.perf_counter()
    tables = list(tables_of(given, given))
    spent = time.perf_counter() - start
    messages = [json.loads(text) for one in tables for text in one.column("messages").to_pylist()]
    start = time.perf_counter()
    for turns in messages:
        json.dumps(turns, ensure_ascii=False)
    return len(messages), spent, time.perf_counter() - start


def tables_of(first: Iterable[Row], second: Iterable[Row]) -> Iterator[Any]:
    """The same records twice, for the two passes: as Arrow rows, a batch at a time."""
    ontology = load()
    with asking(ontology) as pictures:
        counted, told, second = prepared(first, pictures), iter(pictures), iter(second)
        while some := list(islice(second, BATCH)):
            made = (sample_rows(row, record_of(row, *next(told)), counted, ontology) for row in some)
            yield table_of("samples", list(chain.from_iterable(made)))


def streamed(count: int) -> dict[str, Any]:
    """Records through both passes in a fresh process, nothing kept: samples, seconds, and the largest memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_streamed, (count,))


def _streamed(count: int) -> dict[str, Any]:
    start = time.perf_counter()
    samples = sum(table.num_rows for table in tables_of(rows(0, count), rows(0, count)))
    return {"records": count, "samples": samples, "seconds": round(time.perf_counter() - start), "peak MiB": peak_mib()}


if __name__ == "__main__":
    main()
