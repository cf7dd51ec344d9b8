"""Where the time of an ingest goes: CPU microseconds an image of every step, each alone in this process on the pictures of `benchmarks.ingest`.

`python -m benchmarks.ingest_steps` prints the steps, their sum, and what `ingest` really costs in driver and workers together; the
difference is Ray, the commit, and what busy neighbours and colder caches cost: a decode beside another one is dearer than one alone too.
The best of several rounds counts. The last column is the share of a decode. On two cores that others used as well:

    read and check the member                           94 us   4.0%
    decode to RGB                                     2330 us 100.0%
    header, blank picture, extension                     6 us   0.3%
    sha256 of the file                                 156 us   6.7%
    pixel hash                                          20 us   0.8%
    luminance, reduced for the hashes                  201 us   8.6%
    hashes in eight orientations, table rows            25 us   1.1%
    pack                                               250 us  10.7%
    sha256 of the archive (driver)                     216 us   9.3%
    directory of the archive, records (driver)          33 us   1.4%
    sum of the steps                                  3331 us 143.0%
    the whole ingest                                  4036 us 173.2%
    decode, two processes at once                     2473 us 106.1%

So an ingest that cost nothing but its steps would reach 0.70 of bare decoding. Both digests, reading and storing the bytes alone are 31 %:
an ingest that did only these beside the decode would reach 0.77, so none reaches 0.85.
"""

import hashlib
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.ingest import OWN, SCRATCH, archive, bare_decode, distinct_pictures, ingest_archive, start_workers

IMAGES, ROUNDS = 1_536, 7
"""Six whole batches."""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        home, pictures = Path(folder), distinct_pictures(24)
        archive(home / "images.zip", pictures, IMAGES)
        steps = {**of_workers(home, pictures), **of_driver(home)}
        steps["sum of the steps"] = sum(steps.values())
        start_workers()
        steps["the whole ingest"], steps["decode, two processes at once"] = whole_cost(home), busy_decode(pictures)
    for name, spent in steps.items():
        print(f"{name:44} {spent:7.0f} us {spent / steps['decode to RGB']:6.1%}")


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

    def header() -> None:
        for data, rgb in zip(files, turns, strict=True):
            _ = raster._bare_size(data), raster._blank(rgb), raster._name_note("nevus/000001.jpg", "JPEG")

    def decode() -> None:
        for data in files:
            simplejpeg.decode_jpeg(data, "RGB", strict=True)

    def pack() -> None:
        with tempfile.TemporaryDirectory(dir=home) as lake, Lake(lake).new_pack("bench") as made:
            for record, data in zip(batch.records, files, strict=True):
                made.add(record.image_id, data, "0" * 64)

    def rows() -> None:
        ingest._fingerprints(ingest._images(batch.records, seen, "1", "pack"), looks)

    return {
        "read and check the member": cost(lambda: [None for _ in ingest._bytes_of(batch)], count),
        "decode to RGB": cost(decode, count),
        "header, blank picture, extension": cost(header, count),
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

    me, spent = psutil.Process(), []

    def used() -> float:
        times = [process.cpu_times() for process in (me, *me.children(recursive=True)) if process.is_running()]
        return sum(each.user + each.system for each in times)

    for _ in range(ROUNDS):
        before = used()
        ingest_archive(home)
        spent.append(used() - before)
    return min(spent) / IMAGES * 1e6


def busy_decode(pictures: list[bytes]) -> float:
    """CPU microseconds of a decode in each of two processes at once: what `ingest_vs_bare_decode` compares with."""
    spent, warm = [], 4 * 8
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        bare_decode(pictures, IMAGES)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(spent) / (IMAGES + warm) * 1e6


if __name__ == "__main__":
    main()
