"""External benchmarks that no image of the corpus may touch: files of sha256, pHashes or embeddings, and how to write one.

`python -m pipelines.blocklist FOLDER > benchmark.csv` writes the list of a folder of benchmark images. A list is CSV, Parquet or JSON
lines with any of the columns `sha256` (hex), `phash` (16 hex digits, the definition of `quality.phash`) and `vector` (numbers, of the
model that the lake's embeddings have). The loosest rule holds: whatever might be one of its images is kept out.
"""

import argparse
import csv
import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.lake import Lake
from pipelines.progress import Progress
from quality import thresholds
from quality.raster import BadImage

COLUMNS = ("sha256", "phash", "vector")


class BadBlocklist(Exception):
    """A list that cannot be read; the message names the file, and the row where there is one."""


def touched(lake: Lake, files: Sequence[str]) -> dict[str, str]:
    """Images of the lake that might be of a benchmark, with the name of its list (the first in the order given)."""
    found: dict[str, str] = {}
    for file in files:
        name, columns = Path(file).stem, read(file)
        for image_id in _by_sha256(lake, columns) | _by_phash(lake, columns, file) | _by_vector(lake, columns, file):
            found.setdefault(image_id, name)
    return found


def read(file: str) -> Mapping[str, list[Any]]:
    """The columns of a list that are known, without empty values. Raises BadBlocklist."""
    import duckdb

    try:
        relation = duckdb.connect().sql(f"select * from {_reader(file)}")
        assert relation is not None
        table = relation.to_arrow_table()
    except (duckdb.Error, OSError) as error:
        raise BadBlocklist(f"blocklist {file}: {error}") from error
    known = [name for name in COLUMNS if name in table.column_names]
    if not known:
        raise BadBlocklist(f"blocklist {file}: has columns {', '.join(table.column_names)}, but none of {', '.join(COLUMNS)}")
    return {name: table.column(name).drop_null().to_pylist() for name in known}


def _reader(file: str) -> str:
    quoted = file.replace("'", "''")
    readers = {".csv": f"read_csv('{quoted}', all_varchar = true)", ".parquet": f"read_parquet('{quoted}')"}
    readers |= dict.fromkeys((".jsonl", ".ndjson", ".json"), f"read_json_auto('{quoted}')")
    if Path(file).suffix not in readers:
        raise BadBlocklist(f"blocklist {file}: give CSV, Parquet or JSON lines (.csv, .parquet, .jsonl)")
    return readers[Path(file).suffix]


def _by_sha256(lake: Lake, columns: Mapping[str, list[Any]]) -> set[str]:
    known = {str(value).lower() for value in columns.get("sha256", ())}
    rows = lake.read("images", columns=["image_id", "sha256"]).to_pydict() if known else {"image_id": [], "sha256": []}
    return {i for i, sha in zip(rows["image_id"], rows["sha256"], strict=True) if sha in known}


def _by_phash(lake: Lake, columns: Mapping[str, list[Any]], file: str) -> set[str]:
    from quality.hamming import near_pairs

    if not columns.get("phash"):
        return set()
    listed = np.array([_hash(value, n, file) for n, value in enumerate(columns["phash"], 1)], np.uint64)
    table = lake.read("fingerprints", columns=["image_id", "phash"])
    hashes = np.asarray(table.column("phash").combine_chunks().flatten(), dtype=np.int64).view(np.uint64).reshape(-1, 8)
    names = table.column("image_id").to_pylist()
    pairs = (near_pairs(hashes[:, k], listed, thresholds.BENCHMARK_RADIUS) for k in range(8))
    return {names[i] for near, _, _ in pairs for i in near}


def _hash(value: Any, row: int, file: str) -> int:
    try:
        if len(str(value)) != 16:
            raise ValueError
        return int(str(value), 16)
    except ValueError:
        raise BadBlocklist(f"blocklist {file}, row {row}: {value!r} is no pHash of 16 hex digits") from None


def _by_vector(lake: Lake, columns: Mapping[str, list[Any]], file: str) -> set[str]:
    if not columns.get("vector"):
        return set()
    table = lake.read("embeddings", columns=["image_id", "vector"])
    table = table.filter(table.column("vector").is_valid())
    if not table.num_rows:
        return set()
    vectors = np.stack([np.frombuffer(v, dtype="<f2") for v in table.column("vector").to_pylist()]).astype(np.float32)
    listed = np.array(columns["vector"], np.float32)
    if listed.ndim != 2 or listed.shape[1] != vectors.shape[1]:
        raise BadBlocklist(f"blocklist {file}: vectors of shape {listed.shape}, the lake's have {vectors.shape[1]} numbers")
    listed /= np.linalg.norm(listed, axis=1, keepdims=True)
    near = (vectors @ listed.T).max(axis=1) >= thresholds.COSINE_CANDIDATE
    return {name for name, hit in zip(table.column("image_id").to_pylist(), near, strict=True) if hit}


def rows(files: Iterable[Path]) -> Iterable[tuple[str, str, str]]:
    """(file name, sha256, pHash) of benchmark images; files that are no image are named on stderr and left out."""
    from quality.phash import phash8
    from quality.raster import decode

    for file in files:
        data = file.read_bytes()
        try:
            found = phash8(decode(data, file.name).rgb)
        except BadImage as error:
            sys.stderr.write(f"{file}: {error}\n")
            continue
        yield file.name, hashlib.sha256(data).hexdigest(), f"{int(found[0]):016x}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.blocklist", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with the benchmark's images, searched through")
    folder: Path = parser.parse_args().folder
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    progress, out = Progress("benchmark images", len(files)), csv.writer(sys.stdout)
    out.writerow(("name", "sha256", "phash"))
    for row in rows(files):
        out.writerow(row)
        progress.add(1)


if __name__ == "__main__":
    main()
