"""Writing shards: `python -m benchmarks.shards [--quick]`.

Speed: MB/s of a Parquet file and of a tar as releases hold them, beside `pyarrow.parquet.write_table` of a ready table and
`webdataset.ShardWriter`, on the same bytes in turns. Memory: the peak of one process that plans, spools and writes shards of more and more
images. Change: bytes of a release that differ after 1 % more images came, and after a source went, counted in whole files and in chunks as
the Hub stores them. The full run writes benchmarks/results/shards.json.
"""

import argparse
import json
import multiprocessing
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.peak import peak_mib
from pipelines.chunks import new_bytes
from pipelines.lake import Lake
from pipelines.outgoing import outgoing
from pipelines.release import image_jobs, planned, release, shard_jobs, spooled_rows
from pipelines.shard import MOST_ROWS, add_samples, parquet_table, parquet_writer, public_row, write_images, write_shard
from pipelines.tables import TABLES
from prompts.ontology import load

RESULTS = Path(__file__).parent / "results" / "shards.json"
TEXT = 900
"""Letters of a sample's answer: a reasoning of 125 words."""

PUBLISHED, SMALL = 270_000, 20_000
"""Bytes of an image: of HAM10000 as published (2.7 GB, 10,015 images), and of a crop or a phantom."""


def main() -> None:
    """Measure, print the tables and the ratios."""
    parser = argparse.ArgumentParser(description="Writing shards: speed, memory, and what changes.")
    parser.add_argument("--quick", action="store_true", help="fewer images")
    quick = parser.parse_args().quick
    speed = [
        row for size in (SMALL, PUBLISHED) for row in speeds(size, 40_000_000 if quick else 120_000_000, 5 if quick else 15)
    ]
    ratios = {}
    print(f"{'what':44}{'MB/s':>10}{'beside':>10}{'ratio':>8}")
    for row in speed:
        print(f"{row['what']:44}{row['MB/s']:10,.0f}{row['peer MB/s']:10,.0f}{row['ratio']:8.2f}")
        ratios[row["key"]] = row["ratio"]
    memory = [apart(memories, size) for size in ((500, 2_000) if quick else (1_000, 10_000, 50_000))]
    print(f"\n{'images':>10}{'peak MiB':>10}{'seconds':>10}")
    for row in memory:
        print(f"{row['images']:10,}{row['peak MiB']:10,}{row['seconds']:10.1f}")
    ratios["memory_growth"] = memory[-1]["peak MiB"] / memory[0]["peak MiB"]
    changed = [row for size, count in ((SMALL, 300), (PUBLISHED, 100)) for row in changes(size, count if quick else 4 * count)]
    print(f"\n{'change':58}{'MB':>8}{'new files':>11}{'new chunks':>12}")
    for row in changed:
        print(f"{row['what']:58}{row['MB']:8,.0f}{row['files']:11.1%}{row['chunks']:12.1%}")
    ratios |= {row["key"]: row["chunks"] for row in changed if row["key"]}
    for key, value in ratios.items():
        print(f"RATIO {key} {value:.3f}")
    if not quick:
        RESULTS.write_text(
            json.dumps({"speed": speed, "memory": memory, "changes": changed, "ratios": ratios}, indent=1) + "\n"
        )


def jpegs(count: int, size: int, seed: int) -> list[bytes]:
    """Files with the markers of a JPEG and random picture data, which nothing compresses."""
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (600, 450)).save(out, "JPEG")
    scan = out.getvalue().index(b"\xff\xda")
    head = out.getvalue()[: scan + 14]
    rng = np.random.default_rng(seed)
    sizes = rng.integers(size // 2, size * 3 // 2, count)
    return [head + rng.integers(0, 255, int(n), dtype=np.uint8).tobytes() + b"\xff\xd9" for n in sizes]


def speeds(size: int, total: int, times: int) -> list[dict[str, Any]]:
    """Both writers beside their peers on pictures of about `size` bytes."""
    pictures = jpegs(total // size, size, 1)
    rows = [public_row(row) for row in sample_rows("ham10000", [f"ham10000:{n}" for n in range(len(pictures))], ("reasoning",))]
    table, megabytes = parquet_table(rows, pictures), sum(map(len, pictures)) / 1e6
    ours: dict[str, Callable[[Path], None]] = {
        "parquet": lambda path: our_parquet(path, rows, pictures),
        "wds": lambda path: our_tar(path, rows, pictures),
    }
    peers: dict[str, Callable[[Path], None]] = {
        "parquet": lambda path: pq.write_table(table, path),
        "wds": lambda path: their_tar(path, rows, pictures),
    }
    found = []
    for kind, name in (("parquet", "parquet_vs_pyarrow"), ("wds", "wds_vs_webdataset")):
        best = fastest([ours[kind], peers[kind]], times)
        mine, theirs = (megabytes / seconds for seconds in best)
        what = f"{kind}, pictures of {size / 1000:.0f} kB"
        key = name if size == PUBLISHED else f"{name}_small"
        found.append(
            {"what": what, "key": key, "MB/s": round(mine), "peer MB/s": round(theirs), "ratio": round(mine / theirs, 3)}
        )
    return found


def fastest(runs: Sequence[Callable[[Path], None]], times: int) -> list[float]:
    """The least seconds of each, in turns so that the machine's other work meets all alike."""
    seconds: list[list[float]] = [[] for _ in runs]
    with tempfile.TemporaryDirectory() as home:
        for _ in range(times):
            for run, spent in zip(runs, seconds, strict=True):
                start = time.perf_counter()
                run(Path(home) / "shard")
                spent.append(time.perf_counter() - start)
    return [min(spent) for spent in seconds]


def our_parquet(path: Path, rows: Sequence[dict[str, Any]], pictures: Sequence[bytes]) -> None:
    """As a shard's worker writes it, row group by row group, from Python rows."""
    with parquet_writer(path) as writer:
        for at in range(0, len(rows), MOST_ROWS):
            writer.write_table(parquet_table(rows[at : at + MOST_ROWS], pictures[at : at + MOST_ROWS]))


def our_tar(path: Path, rows: Sequence[dict[str, Any]], pictures: Sequence[bytes]) -> None:
    """As a shard's worker writes it."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        add_samples(tar, rows, pictures)


def their_tar(path: Path, rows: Sequence[dict[str, Any]], pictures: Sequence[bytes]) -> None:
    """As the library's users write it."""
    import webdataset

    with webdataset.ShardWriter(f"{path}-%d.tar", maxcount=1 << 30, maxsize=1 << 40, verbose=0) as sink:
        for row, picture in zip(rows, pictures, strict=True):
            sink.write({"__key__": row["id"], "jpg": picture, "json": row})


def sample_rows(
    source: str, image_ids: Sequence[str], formats: Sequence[str] = ("description", "reasoning")
) -> list[dict[str, Any]]:
    """Rows of `samples`, and the columns that a release adds to them."""
    import hashlib

    words = ("border", "brown", "network", "scale", "centre", "red", "margin", "even", "plaque", "pale")
    ontology = load()
    node = next(name for name in sorted(ontology.nodes) if len(ontology.path(name)) > 2)
    path = [ontology.nodes[name].name for name in ontology.path(node)]
    rows = []
    for image_id in image_ids:
        rng = np.random.default_rng(int(hashlib.sha256(image_id.encode()).hexdigest()[:8], 16))
        answer = " ".join(words[n] for n in rng.integers(0, len(words), TEXT // 7))
        turns = [{"role": "user", "content": "<image>\nWhat is seen?"}, {"role": "assistant", "content": answer}]
        rows += [
            {
                "sample_id": hashlib.sha256(f"{image_id}{name}".encode()).hexdigest()[:24],
                "source": source,
                "image_id": image_id,
                "format": name,
                "split": "train",
                "messages": json.dumps(turns),
                "ground_truth": None,
                "node": node,
                "teacher": "composer",
                "revision": "1",
                "conditioning": "confirmed",
                "verified_by": 0,
                "weight": 1.0,
                "licence_id": "CC-BY-4.0",
                "attribution": "the owners of the set",
                "diagnosis": path[-1],
                "taxon_path": path[:-1],
            }
            for name in formats
        ]
    return rows


def lake_of(home: Path, sources: dict[str, list[bytes]]) -> Lake:
    """A lake whose samples are ready for a release; pictures are named by their number."""
    import hashlib

    lake = Lake(str(home))
    for source, pictures in sources.items():
        ids = [f"{source}:{n:07d}" for n in range(len(pictures))]
        images, at = [], 0
        while at < len(pictures):
            pack = lake.write_pack(source, list(zip(ids[at : at + 2000], pictures[at : at + 2000], strict=True)))
            for row, (image_id, data) in enumerate(zip(ids[at : at + 2000], pictures[at : at + 2000], strict=True)):
                place = {"pack": pack, "pack_row": row, "n_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                images.append({"image_id": image_id, "source": source, "licence_id": "CC-BY-4.0", **place})
            at += 2000
        _put(lake, "images", source, images)
        _put(lake, "image_quality", source, [{"image_id": i, "source": source, "gates": []} for i in ids])
        _put(lake, "samples", source, sample_rows(source, ids))
        _put(lake, "sources", source, [{"source": source, "version": "1", "input_digest": "0"}])
    return lake


def _put(lake: Lake, table: str, source: str, rows: list[dict[str, Any]]) -> None:
    schema = TABLES[table].schema
    kept = [{key: value for key, value in row.items() if key in schema.names} for row in rows]
    lake.replace(table, pa.Table.from_pylist(kept, schema=schema), source=source)


def apart(function: Callable[[str, int, Any], None], size: int) -> dict[str, Any]:
    """What a process of its own measures, on a lake that another one made."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as home:
        making = context.Process(target=_make, args=(home, size))
        making.start()
        making.join()
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=function, args=(home, size, there))
        process.start()
        there.close()
        found = here.recv()
        process.join()
    return found


def _make(home: str, size: int) -> None:
    few = jpegs(500, 6_000, 2)
    lake_of(Path(home) / "lake", {"ham10000": [few[n % len(few)] for n in range(size)]})


def memories(home: str, size: int, out: Any) -> None:
    """Plan, spool, image tree and every shard in one process."""
    start, lake, root = time.perf_counter(), Lake(str(Path(home) / "lake")), Path(home) / "release"
    planned(lake, ["ham10000"], "open")
    found = outgoing(lake, ["ham10000"], "open")
    rows = spooled_rows(found, Path(home) / "spool")
    for job in image_jobs(found, root, rows.images):
        write_images(job)
    for job in shard_jobs(rows, root, True):
        write_shard(job)
    out.send({"images": size, "peak MiB": peak_mib(), "seconds": round(time.perf_counter() - start, 1)})


def changes(size: int, count: int) -> list[dict[str, Any]]:
    """What of a release is new after images came or went, as shares of its bytes."""
    pictures = jpegs(count + count // 100, size, 3)
    other = jpegs(count // 10, size, 4)
    more = jpegs(count // 100, size, 5)
    old = {"ham10000": pictures[:count], "bcn20000": other}
    cases = {
        "1 % more images, all over a source": ("one_percent_scattered", old | {"ham10000": pictures}),
        "1 % more images, a source of their own": ("one_percent_new_source", old | {"hiba": more}),
        "a source of 9 % taken out": ("source_removed", {"ham10000": pictures[:count]}),
    }
    found = []
    with tempfile.TemporaryDirectory() as home:
        before = released(Path(home) / "before", old)
        for number, (what, (key, sources)) in enumerate(cases.items()):
            after = released(Path(home) / str(number), sources)
            row = compared(before, after, f"{what}, {size / 1000:.0f} kB each")
            found.append({**row, "key": key if size == PUBLISHED else f"{key}_small"})
    return found


def released(home: Path, sources: dict[str, list[bytes]]) -> Path:
    """The release of a lake."""
    done = release(lake_of(home / "lake", sources), sorted(sources), home / "releases", "open")
    assert done
    return done.path


def compared(before: Path, after: Path, what: str) -> dict[str, Any]:
    """Shares of the bytes of `after` that are in files, and in chunks, which `before` lacks."""
    old, new = (json.loads((path / "manifest.json").read_text())["files"] for path in (before, after))
    known = {entry["sha256"] for entry in old}
    total = sum(entry["bytes"] for entry in new)
    fresh = [entry for entry in new if entry["sha256"] not in known]
    chunks = new_bytes((before / entry["path"] for entry in old), (after / entry["path"] for entry in fresh))
    share = sum(entry["bytes"] for entry in fresh) / total
    return {"what": what, "MB": round(total / 1e6, 1), "files": round(share, 4), "chunks": round(chunks / total, 4)}


if __name__ == "__main__":
    main()
