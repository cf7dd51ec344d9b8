"""Where the time of an ingest goes: CPU microseconds an image of every step, each alone in this process on the pictures of `benchmarks.ingest`.

`python -m benchmarks.ingest_steps` prints the steps, their sum, and what `ingest` really costs in driver and workers together; the
difference is Ray, memory that other steps have pushed out of the caches, and the loops around the steps. The best of several rounds
counts. Of every step the last column says what it is of the decode: a step that no ingest can leave out bounds `ingest_vs_bare_decode`.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.ingest import OWN, SCRATCH, archive, distinct_pictures, ingest_archive, start_workers

IMAGES, ROUNDS = 1_536, 7
"""Six whole batches."""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        home, pictures = Path(folder), distinct_pictures(24)
        archive(home / "images.zip", pictures, IMAGES)
        steps = {**of_workers(home, pictures), **of_driver(home)}
        whole = whole_cost(home)
    decode = steps["decode to RGB"]
    for name, cost in (*steps.items(), ("sum of the steps", sum(steps.values())), ("the whole ingest", whole)):
        print(f"{name:44} {cost:7.0f} us {cost / decode:6.1%}")


def of_workers(home: Path, pictures: Sequence[bytes]) -> dict[str, float]:
    """Steps of a batch, in the order in which a worker does them."""
    import simplejpeg

    from pipelines import ingest
    from pipelines.lake import Lake
    from quality import phash, raster

    batch = first_batch(home)
    count = len(batch.records)
    files = [pictures[n % len(pictures)] for n in range(count)]
    rasters = [raster.decode(data).rgb for data in pictures]
    turns = [rasters[n % len(rasters)] for n in range(count)]
    looks = [phash.looks(rgb) for rgb in turns]
    seen = [(600, 450, "JPEG", len(data), "0" * 64, "0" * 32, n) for n, data in enumerate(files)]

    def decode(with_checks: bool) -> Any:
        plain = lambda data: simplejpeg.decode_jpeg(data, "RGB", strict=True)  # noqa: E731
        return lambda: [(raster.decode(data, "a.jpg") if with_checks else plain(data), None)[1] for data in files]

    def pack() -> None:
        with tempfile.TemporaryDirectory(dir=home) as lake, Lake(lake).new_pack("bench") as made:
            for record, data in zip(batch.records, files, strict=True):
                made.add(record.image_id, data, "0" * 64)

    def rows() -> None:
        ingest._fingerprints(ingest._images(batch.records, seen, "1", "pack"), looks)

    bare = cost(decode(False), count)
    return {
        "read and check the member": cost(lambda: [None for _ in ingest._bytes_of(batch)], count),
        "decode to RGB": bare,
        "parse the header, look for a blank picture": max(cost(decode(True), count) - bare, 0.0),
        "sha256 of the file": cost(lambda: [hashlib.sha256(data).hexdigest() for data in files], count),
        "pixel hash": cost(lambda: [raster.pixel_hash(rgb) for rgb in turns], count),
        "luminance, reduced for the hashes": cost(lambda: [phash.looks(rgb) for rgb in turns], count),
        "hashes in eight orientations, table rows": cost(rows, count),
        "pack": cost(pack, count),
    }


def of_driver(home: Path) -> dict[str, float]:
    """Steps that the driver does for the whole source."""
    from pipelines import gather
    from sources import catalogue
    from sources.digests import of_file

    entry = catalogue.source("bench")
    got = gather.gather(entry, mirror=None, cache=str(home))
    (file,) = got.located
    fs, path = gather.fsspec.url_to_fs(file.location)
    _ = file.sha256  # taken in a thread that would be counted too
    return {
        "sha256 of the archive (driver)": cost(lambda: of_file(fs, path), IMAGES),
        "directory of the archive, records (driver)": cost(lambda: gather.read(entry, got), IMAGES),
    }


def first_batch(home: Path) -> Any:
    """What a worker is given first."""
    from pipelines import gather, ingest
    from pipelines.lake import Lake
    from sources import catalogue

    os.environ["DERMOFORGE_OWN_SETS"] = str(home / "own.toml")
    (home / "own.toml").write_text(OWN.format(home=home))
    entry = catalogue.source("bench")
    got = gather.gather(entry, mirror=None, cache=str(home))
    read = gather.read(entry, got)
    empty = ingest.IngestBatch(Lake(str(home)), entry.name, entry.version, {f.name: f.location for f in got.located}, ())
    return next(iter(ingest._batches(empty, read.records, read.members)))


def cost(work: Callable[[], Any], images: int) -> float:
    """CPU microseconds an image."""
    spent = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent) / images * 1e6


def whole_cost(home: Path) -> float:
    """CPU microseconds an image of the driver, its workers and Ray's own processes, from archive to committed tables."""
    import psutil

    start_workers()
    me, spent = psutil.Process(), []

    def used() -> float:
        times = [process.cpu_times() for process in (me, *me.children(recursive=True)) if process.is_running()]
        return sum(each.user + each.system for each in times)

    for _ in range(ROUNDS):
        before = used()
        ingest_archive(home)
        spent.append(used() - before)
    return min(spent) / IMAGES * 1e6


if __name__ == "__main__":
    main()
