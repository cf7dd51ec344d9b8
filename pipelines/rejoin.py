"""Join a release without images to the images that you hold: `python rejoin.py FOLDER_OR_ARCHIVE … --out JOINED`.

This file is part of every release of the profile `annotations-only` and needs nothing but Python 3.9 and pyarrow. Images are found by
size and sha256, whatever they are called: in folders, in zip and in tar archives. JOINED gets `data/`, the same Parquet files with the
column `images` that `datasets` shows as pictures, and `images/`, the pictures under the names that the rows use. Rows whose image you do
not hold are left out and listed in `missing.txt`. Memory: one row group.
"""

import argparse
import hashlib
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


def main() -> int:
    """Command line; exit status 1 when no image of the release was found."""
    parser = argparse.ArgumentParser(description="Join a release without images to the images that you hold.")
    parser.add_argument(
        "held", nargs="+", type=Path, help="folders, zip or tar archives with the images, as their owners publish them"
    )
    parser.add_argument("--out", required=True, type=Path, help="folder to write; must not exist")
    parser.add_argument(
        "--release", type=Path, default=Path(__file__).parent, help="the release (default: where this file lies)"
    )
    given = parser.parse_args()
    if given.out.exists():
        print(f"{given.out} exists: name a new folder", file=sys.stderr)
        return 2
    wanted = wanted_images(given.release)
    found = collect(given.held, wanted, given.out / "images")
    rows = sum(join(file, given.release, given.out, found) for file in sorted(given.release.glob("data/*/*.parquet")))
    keys = {key for names in wanted.values() for key in names}
    missing = sorted(keys - found)
    (given.out / "missing.txt").write_text("".join(f"{key}\n" for key in missing))
    print(f"{len(found):,} of {len(keys):,} images found, {rows:,} rows joined; the others: {given.out / 'missing.txt'}")
    return 0 if found else 1


def wanted_images(release):
    """Keys of the images that a release speaks about, by size and sha256 of their files."""
    wanted = {}
    for file in sorted(release.glob("data/*/*.parquet")):
        for row in pq.read_table(file, columns=["image_id", "image_sha256", "image_bytes"]).to_pylist():
            wanted.setdefault((row["image_bytes"], row["image_sha256"]), set()).add(row["image_id"])
    return wanted


def collect(held, wanted, folder):
    """Copy the wanted files that are held into `folder` under their keys; returns the keys that were found."""
    sizes, found = {size for size, _ in wanted}, set()
    for place in held:
        for size, handle in files(place, sizes):
            data = handle.read()
            for key in wanted.get((size, hashlib.sha256(data).hexdigest()), set()) - found:
                path = folder / key[:2] / f"{key}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                found.add(key)
    return found


def files(place, sizes):
    """Size and open handle of every file in a folder or archive that has a wanted size."""
    if place.is_dir():
        for path in sorted(path for path in place.rglob("*") if path.is_file()):
            if path.name.lower().endswith(ARCHIVES):
                yield from files(path, sizes)
            elif path.stat().st_size in sizes:
                with path.open("rb") as handle:
                    yield path.stat().st_size, handle
    elif zipfile.is_zipfile(place):
        with zipfile.ZipFile(place) as archive:
            for member in archive.infolist():
                if member.file_size in sizes and not member.is_dir():
                    with archive.open(member) as handle:
                        yield member.file_size, handle
    elif tarfile.is_tarfile(place):
        with tarfile.open(place) as archive:
            for member in archive:
                handle = archive.extractfile(member) if member.size in sizes and member.isfile() else None
                if handle:
                    yield member.size, handle
    else:
        raise SystemExit(f"{place} is no folder, zip or tar archive")


def join(file, release, out, found):
    """Write one Parquet file with images; returns its rows. A file of which nothing was found is not written."""
    source, writer, rows = pq.ParquetFile(file), None, 0
    for n in range(source.num_row_groups):
        table = source.read_row_group(n)
        keys = table.column("image_id").to_pylist()
        table = table.filter(pa.array([key in found for key in keys]))
        if table.num_rows:
            joined = with_images(table, out / "images")
            if writer is None:
                path = out / file.relative_to(release)
                path.parent.mkdir(parents=True, exist_ok=True)
                writer = pq.ParquetWriter(path, joined.schema, compression="zstd")
            writer.write_table(joined)
            rows += table.num_rows
    if writer is not None:
        writer.close()
    return rows


def with_images(table, folder):
    """The table with the column `images`, and the metadata by which `datasets` knows pictures."""
    keys = table.column("image_id").to_pylist()
    cells = [[{"bytes": (folder / key[:2] / f"{key}.jpg").read_bytes(), "path": f"{key}.jpg"}] for key in keys]
    kind = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    told = json.loads(table.schema.metadata[b"huggingface"])
    told["info"]["features"]["images"] = {"feature": {"_type": "Image"}, "_type": "List"}
    joined = table.append_column(pa.field("images", kind), pa.array(cells, kind))
    return joined.replace_schema_metadata({b"huggingface": json.dumps(told).encode()})


if __name__ == "__main__":
    sys.exit(main())
