"""How fast ingest is: archive to packs and hashes against decoding alone, and addresses to packs against img2dataset.

`python -m benchmarks.ingest [--quick]` makes its own pictures (600 x 450 JPEG of 270 kB, as HAM10000 is published: 10,015 in 2.7 GB), prints a table and
RATIO lines; the full run also measures memory from 1,000 to 50,000 images and writes benchmarks/results/ingest.json.

`ingest_vs_bare_decode`: images a second of the whole ingest (zip, decode, checks, sha256, pixel hash, pHash in eight orientations,
dHash, packs, Delta commits) over those of two processes that only decode the same bytes to RGB arrays. Process start-up is left out
on both sides. `ingest_vs_bare_work`: the same over two processes that also read the zip, take the sha256 and write the bytes.
`ingest_vs_img2dataset`: the same pictures by their addresses from one local server; img2dataset downloads and stores them (with its own resizing off), ours also decodes and hashes them. It is installed into an environment of its own on first use.
`bare_fetch_vs_img2dataset`: what two processes reach that only fetch, decode, digest and store: the most that any ingest could show.
"""

import argparse
import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results" / "ingest.json"
PEER = REPOSITORY / ".venv-peers"
PROCESSES = 2
SIZES = {"quick": (1_500, 1_000), "full": (8_000, 4_000)}
"""Pictures in the archive, and by address."""

ROUNDS = {"quick": 1, "full": 3}
"""Measurements of each rate, in turns; the best counts, on all sides alike: the machine is shared, and noise only ever adds."""

OTHER_SIZES = {(1024, 1024): (95, 2_000), (3000, 2000): (90, 300)}
"""JPEG quality and number of pictures as BCN20000 and ISIC 2019 have them (about 500 kB), and as phones take them (about 2 MB)."""

SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
"""Archive and lake lie in memory where that is possible: the disk is not what is measured."""

OWN = """
[bench]
location = "{home}"
images = "images.zip"
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer pictures, no memory curve")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory_of:
        print(peak_memory(given.memory_of))
        return
    report = measured("quick" if given.quick else "full")
    if not given.quick:
        report["ingest_vs_bare_decode_by_size"] = share_by_size()
        report["peak_mib_by_images"] = memory_curve()
    for key, value in report.items():
        print(f"{key:36} {value}")
    print(f"RATIO ingest_vs_bare_decode {report['ingest_images_a_second'] / report['bare_decode_images_a_second']:.3f}")
    print(f"RATIO ingest_vs_bare_work {report['ingest_images_a_second'] / report['bare_read_decode_digest_write']:.3f}")
    print(f"RATIO ingest_vs_img2dataset {report['addresses_images_a_second'] / report['img2dataset_images_a_second']:.3f}")
    print(
        f"RATIO bare_fetch_vs_img2dataset {report['bare_fetch_decode_digest_write'] / report['img2dataset_images_a_second']:.3f}"
    )
    if not given.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")


def measured(which: str) -> dict[str, Any]:
    """Images a second of every route."""
    archived, linked = SIZES[which]
    rounds = ROUNDS[which]
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        home = Path(folder)
        pictures = distinct_pictures(24)
        archive(home / "images.zip", pictures, archived)
        start_workers()
        warm = home / "warm"
        warm.mkdir()
        archive(warm / "images.zip", pictures, 600)
        ingest_archive(warm)  # what a first ingest imports and compiles belongs to no image
        bare, work, ours = best(
            rounds, lambda: bare_decode(pictures, archived), lambda: bare_work(home, archived), lambda: ingest_archive(home)
        )
        with served(home / "site", pictures, linked) as address:
            peer, by_address = best(
                rounds, lambda: img2dataset(home, address, linked), lambda: ingest_addresses(home, address, linked)
            )
            (fetched,) = best(1, lambda: bare_fetch(home, address, linked))
    return {
        "pictures": archived,
        "pictures_by_address": linked,
        "processes": PROCESSES,
        "bare_decode_images_a_second": round(archived / bare, 1),
        "bare_read_decode_digest_write": round(archived / work, 1),
        "ingest_images_a_second": round(archived / ours, 1),
        "img2dataset_images_a_second": round(linked / peer, 1),
        "addresses_images_a_second": round(linked / by_address, 1),
        "bare_fetch_decode_digest_write": round(linked / fetched, 1),
    }


def best(rounds: int, *runs: Callable[[], float]) -> list[float]:
    """The shortest of a few runs of each, in seconds."""
    return [min(seconds) for seconds in zip(*([run() for run in runs] for _ in range(rounds)), strict=True)]


def share_by_size() -> dict[str, float]:
    """Images a second of ingest over those of the bare decode, for pictures of other sizes."""
    found = {}
    for (width, height), (quality, count) in OTHER_SIZES.items():
        with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
            home, pictures = Path(folder), distinct_pictures(8, (width, height), quality)
            archive(home / "images.zip", pictures, count)
            runs = (partial(bare_decode, pictures, count), partial(ingest_archive, home))
            bare, ours = best(ROUNDS["full"], *runs)
            found[f"{width} x {height}, {len(pictures[0]) >> 10} KiB"] = round(bare / ours, 3)
    return found


def distinct_pictures(count: int, size: tuple[int, int] = (600, 450), quality: int = 100) -> list[bytes]:
    """JPEG photographs of drawn lesions with sensor noise; of 600 x 450, about 270 kB each."""
    from PIL import Image

    from sources import phantom

    made = []
    for record, _ in zip(phantom.records(), range(count), strict=False):
        drawn = Image.open(BytesIO(phantom.render(record.member))).convert("RGB").resize(size, Image.Resampling.BICUBIC)
        noise = np.random.default_rng(len(made)).normal(0, 8, (size[1], size[0], 3))
        out = BytesIO()
        Image.fromarray((np.asarray(drawn) + noise).clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=quality)
        made.append(out.getvalue())
    return made


def archive(path: Path, pictures: list[bytes], count: int) -> None:
    """A zip of `count` members, as image sets are published: stored, a folder a class."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as out:
        for n in range(count):
            out.writestr(f"{'nevus' if n % 2 else 'melanoma'}/{n:06d}.jpg", pictures[n % len(pictures)])


def start_workers() -> None:
    """Ray with two CPUs, warm: its start takes seconds that belong to no image."""
    import ray

    from pipelines.workers import map_in_order

    os.environ.setdefault("RAY_ADDRESS", "local")
    ray.init(num_cpus=PROCESSES, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    list(map_in_order(_warm, range(8)))


def _warm(_: int) -> int:
    from pipelines import ingest  # noqa: F401
    from quality import phash, raster

    rgb = raster.decode(distinct_pictures(1)[0]).rgb
    raster.pixel_hash(rgb)
    return int(phash.phash8(rgb)[0]) & 1


def bare_decode(pictures: list[bytes], count: int) -> float:
    """Seconds in which two processes decode `count` pictures from memory."""
    with ProcessPoolExecutor(PROCESSES, initializer=_decode_some, initargs=(pictures, 8)) as pool:
        list(pool.map(_decode_some, [pictures] * PROCESSES, [8] * PROCESSES))
        start = time.perf_counter()
        list(pool.map(_decode_some, [pictures] * PROCESSES, [count // PROCESSES] * PROCESSES))
        return time.perf_counter() - start


def _decode_some(pictures: list[bytes], count: int) -> int:
    import simplejpeg

    return sum(simplejpeg.decode_jpeg(pictures[n % len(pictures)], "RGB", strict=True).shape[0] for n in range(count))


def bare_work(home: Path, count: int) -> float:
    """Seconds in which two processes do only what no ingest can leave out: read members, check, decode, digest and store them."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(_work_on_some, [home] * PROCESSES, [0] * PROCESSES, [8] * PROCESSES))
        half = count // PROCESSES
        start = time.perf_counter()
        list(pool.map(_work_on_some, [home] * PROCESSES, range(0, half * PROCESSES, half), [half] * PROCESSES))
        return time.perf_counter() - start


def _work_on_some(home: Path, first: int, count: int) -> int:
    import simplejpeg

    total = 0
    with zipfile.ZipFile(home / "images.zip") as archived, tempfile.TemporaryFile(dir=home) as out:
        for info in archived.infolist()[first : first + count]:
            data = archived.read(info)
            total += simplejpeg.decode_jpeg(data, "RGB", strict=True).shape[0] + len(hashlib.sha256(data).digest())
            out.write(data)
    return total


def ingest_archive(home: Path) -> float:
    """Seconds from archive to committed tables, into a lake of its own."""
    from pipelines.ingest import ingest
    from pipelines.lake import Lake

    os.environ["DERMOFORGE_OWN_SETS"] = str(home / "own.toml")
    (home / "own.toml").write_text(OWN.format(home=home))
    with tempfile.TemporaryDirectory(dir=home) as lake:
        start = time.perf_counter()
        ingest(Lake(lake), "bench")
        return time.perf_counter() - start


def ingest_addresses(home: Path, address: str, count: int) -> float:
    """Seconds from a table of addresses to committed tables."""
    from pipelines.ingest import ingest
    from pipelines.lake import Lake

    (home / "own.toml").write_text(f'[bench]\nlocation = "{home}/linked"\nlinks = "url"\ntable = "links.csv"\n')
    os.environ["DERMOFORGE_OWN_SETS"] = str(home / "own.toml")
    (home / "linked").mkdir(exist_ok=True)
    (home / "linked" / "links.csv").write_text("id,url\n" + "".join(f"{n},{address}/{n}.jpg\n" for n in range(count)))
    with tempfile.TemporaryDirectory(dir=home) as scratch:
        start = time.perf_counter()
        ingest(Lake(f"{scratch}/lake"), "bench", cache=f"{scratch}/cache")
        return time.perf_counter() - start


def bare_fetch(home: Path, address: str, count: int) -> float:
    """Seconds in which two processes of eight threads fetch, decode, digest and store `count` pictures, and nothing else."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(_fetch_some, [home] * PROCESSES, [address] * PROCESSES, [0] * PROCESSES, [8] * PROCESSES))
        half = count // PROCESSES
        start = time.perf_counter()
        list(
            pool.map(
                _fetch_some, [home] * PROCESSES, [address] * PROCESSES, range(0, half * PROCESSES, half), [half] * PROCESSES
            )
        )
        return time.perf_counter() - start


def _fetch_some(home: Path, address: str, first: int, count: int) -> int:
    from concurrent.futures import ThreadPoolExecutor

    import simplejpeg
    import urllib3

    with urllib3.PoolManager(maxsize=8) as pool, tempfile.TemporaryFile(dir=home) as out:

        def one(n: int) -> int:
            data = pool.request("GET", f"{address}/{n}.jpg").data
            out.write(data)
            return simplejpeg.decode_jpeg(data, "RGB", strict=True).shape[0] + len(hashlib.sha256(data).digest())

        with ThreadPoolExecutor(8) as threads:
            return sum(threads.map(one, range(first, first + count)))


@contextmanager
def served(folder: Path, pictures: list[bytes], count: int) -> Iterator[str]:
    """The address of a local server (a process of its own) that gives `count` pictures."""
    folder.mkdir()
    for n, data in enumerate(pictures):
        (folder / f"{n}.jpg").write_bytes(data)
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.ingest_server", str(folder), str(count)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


def img2dataset(home: Path, address: str, count: int) -> float:
    """Seconds that img2dataset says it downloaded for: the process's own time from first to last image."""
    python = peer_python()
    (home / "links.txt").write_text("".join(f"{address}/{n}.jpg\n" for n in range(count)))
    with tempfile.TemporaryDirectory(dir=home) as out:
        script = (
            "import time, img2dataset\n"
            "if __name__ == '__main__':\n"
            "    start = time.perf_counter()\n"
            f"    img2dataset.download(url_list={str(home / 'links.txt')!r}, output_folder={out + '/out'!r},"
            f" processes_count={PROCESSES}, thread_count=16, resize_mode='no', output_format='parquet',"
            " number_sample_per_shard=500, enable_wandb=False)\n"
            "    print('SECONDS', time.perf_counter() - start)\n"
        )
        path = Path(out) / "run.py"
        path.write_text(script)
        environment = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"}
        done = subprocess.run([python, path], capture_output=True, text=True, check=False, env=environment, cwd=out)
        seconds = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("SECONDS")]
        if not seconds:
            raise SystemExit(f"img2dataset failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return float(seconds[0])


def peer_python() -> Path:
    """The interpreter of an environment that holds img2dataset, made on first use: its pins and ours do not go together."""
    python = PEER / "bin" / "python"
    if not (PEER / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", PEER], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "img2dataset==1.47.0"], check=True)
        (PEER / "ready").touch()
    return python


def memory_curve() -> dict[int, int]:
    """Peak memory (MiB) of the driver by number of images, each measured in a process of its own."""
    curve = {}
    for count in (1_000, 10_000, 50_000):
        command = [sys.executable, "-m", "benchmarks.ingest", "--memory-of", str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
        curve[count] = int(done.stdout.split()[-1])
    return curve


def peak_memory(count: int) -> int:
    """Peak of driver and workers together while `count` small pictures are ingested, in MiB (shared pages counted once)."""
    import psutil
    from PIL import Image

    rng = np.random.default_rng(0)
    out = BytesIO()
    Image.fromarray(rng.integers(0, 255, (96, 128, 3), dtype=np.uint8)).save(out, "JPEG", quality=80)
    with tempfile.TemporaryDirectory() as folder:
        archive(Path(folder) / "images.zip", [out.getvalue()], count)
        start_workers()
        peak, stop = [0], threading.Event()

        def watch() -> None:
            me = psutil.Process()
            while not stop.wait(0.2):
                total = 0
                for process in (me, *me.children(recursive=True)):
                    try:
                        if process is me or "ray::" in " ".join(process.cmdline()):
                            total += process.memory_full_info().uss
                    except psutil.Error:
                        continue
                peak[0] = max(peak[0], total)

        watcher = threading.Thread(target=watch)
        watcher.start()
        ingest_archive(Path(folder))
        stop.set()
        watcher.join()
    return peak[0] >> 20


if __name__ == "__main__":
    main()
