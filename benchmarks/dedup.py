"""How fast near-copies are found: the Hamming join against exact peers and brute force, and files to pairs against imagededup.

`python -m benchmarks.dedup [--quick]` prints tables and RATIO lines; the full run writes benchmarks/results/dedup.json. Hashes are
random with 2 % planted near-copies (up to 4 bits flipped); every method must find the same pairs where it says that it is exact.

`join_vs_best_exact_peer`, `join_vs_brute`: at 200,000 hashes and radius 4, the fastest of the exact peers (faiss
BinaryMultiHash, imagededup's own search) and compiled popcount over all pairs on every core, over ours.
`stage_vs_imagededup`: images a second from files to candidate pairs, on the same photographs, over imagededup's
`encode_images` + `find_duplicates`. Ours decodes to the full raster, refuses what is no picture, and hashes eight orientations.
Photographs are those of `DERMOFORGE_MIRROR/ham10000`, otherwise phantoms. The peers are installed on first use, apart from ours.
"""

import argparse
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ingest import SCRATCH
from benchmarks.peak import peak_mib
from quality.hamming import near_pairs

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results" / "dedup.json"
PEERS = REPOSITORY / ".venv-peers" / "dedup"
PACKAGES = ("imagededup==0.3.3.post2", "faiss-cpu==1.15.1", "scikit-learn==1.9.1", "joblib", "threadpoolctl", "matplotlib")
MATPLOTLIB_NEEDS = ("contourpy", "cycler", "fonttools", "kiwisolver", "pyparsing", "python-dateutil", "narwhals")
COUNTS = {"quick": (200_000,), "full": (20_000, 100_000, 200_000, 1_000_000)}
RADII = (2, 4, 8)
PHOTOGRAPHS = {"quick": 800, "full": 4_000}
PATIENCE = {"quick": 6.0, "full": 45.0}
"""Seconds after which a method is stopped and its row says so; what it did up to then does not count."""

PROCESSES = 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes and photographs, radius 4 only, 6 s a method")
    which = "quick" if parser.parse_args().quick else "full"
    peers()
    report = {"join": joins(which), "stage": stage(which)}
    table(report["join"])
    at = {row["method"]: row["seconds"] for row in report["join"] if (row["hashes"], row["radius"]) == (200_000, 4)}
    peers_took = (s for method, s in at.items() if method not in ("ours", "brute force") and s is not None)
    best = min(peers_took, default=PATIENCE[which])  # where none ended in time: the least that the best of them takes
    print(f"photographs a second: ours {report['stage']['ours']}, imagededup {report['stage']['imagededup']}")
    print(f"RATIO join_vs_best_exact_peer {best / at['ours']:.1f}")
    print(f"RATIO join_vs_brute {at['brute force'] / at['ours']:.1f}")
    print(f"RATIO stage_vs_imagededup {report['stage']['ours'] / report['stage']['imagededup']:.2f}")
    if which == "full":
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")


def table(rows: list[dict[str, Any]]) -> None:
    """Seconds by method, pairs found, and the memory of the process that found them."""
    print(f"{'hashes':>9} {'radius':>6}  {'method':20} {'seconds':>9} {'pairs':>8} {'recall':>6} {'peak MiB':>8}")
    for row in rows:
        seconds = f"{row['seconds']:9.4f}" if row["seconds"] is not None else f"> {row['patience']:7.0f}"
        rest = f"{row['pairs']:8} {row['recall']:6.3f} {row['peak_mib']:8}" if row["seconds"] is not None else ""
        print(f"{row['hashes']:9} {row['radius']:6}  {row['method']:20} {seconds} {rest}")
    ours = {(r["hashes"], r["radius"]): r["seconds"] for r in rows if r["method"] == "ours"}
    for radius in RADII:
        if (100_000, radius) in ours and (1_000_000, radius) in ours:
            print(
                f"ours, radius {radius}: 10 times the hashes, {ours[1_000_000, radius] / ours[100_000, radius]:.1f} times the time"
            )


def joins(which: str) -> list[dict[str, Any]]:
    """A row for every method, number of hashes and radius."""
    rows, too_slow = [], set()
    for count in COUNTS[which]:
        for radius in RADII if which == "full" else (4,):
            truth = None
            for method, function in METHODS.items():
                row = {"hashes": count, "radius": radius, "method": method, "patience": PATIENCE[which]}
                done = None if (method, radius) in too_slow else _apart(function, count, radius, PATIENCE[which])
                if done is None:
                    too_slow.add((method, radius))  # and not tried with more hashes
                    rows.append(row | {"seconds": None})
                    continue
                seconds, pairs, peak = done
                truth = pairs if truth is None else truth
                recall = len(pairs & truth) / max(1, len(truth))
                rows.append(row | {"seconds": round(seconds, 5), "pairs": len(pairs), "recall": recall, "peak_mib": peak})
    return rows


def planted(count: int) -> np.ndarray:
    """(count,) uint64: random hashes, and 2 % copies with up to four bits flipped."""
    rng = np.random.default_rng(count)
    copies = count // 50
    first = rng.integers(0, 2**64, count - copies, dtype=np.uint64)
    second = first[rng.integers(0, len(first), copies)].copy()
    for _ in range(4):
        flips = rng.integers(0, 2, copies, dtype=np.uint64)
        second ^= flips << rng.integers(0, 64, copies, dtype=np.uint64)
    return np.concatenate([first, second])


def _apart(
    function: Callable[..., Any], count: int, radius: int, patience: float
) -> tuple[float, set[tuple[int, int]], int] | None:
    """Run in a process of its own, so that memory is its own and time has an end: (seconds, pairs, peak MiB), or None."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(function, count, radius, there))
    process.start()
    there.close()
    try:
        # Some seconds more for imports, compilation and the hashes themselves.
        return here.recv() if here.poll(patience + 4) else None
    finally:
        assert process.pid
        with suppress(ProcessLookupError):  # and its own workers
            os.killpg(process.pid, signal.SIGKILL)
        process.join()


def _measure(function: Callable[..., Any], count: int, radius: int, out: Any) -> None:
    os.setsid()
    multiprocessing.set_start_method("fork", force=True)  # as in a process of its own: peers start workers
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what peers log is not the result
    sys.path.append(str(PEERS))
    values = planted(count)
    function(values[:2_000], radius)  # imports and compiles
    before = peak_mib()
    seconds, pairs = [], np.empty((0, 2), np.int64)
    while len(seconds) < 3 and sum(seconds) < 5:
        start = time.perf_counter()
        pairs = function(values, radius)
        seconds.append(time.perf_counter() - start)
    peak = peak_mib() - before
    out.send((min(seconds), set(map(tuple, pairs.tolist())), peak))


def ours(values: np.ndarray, radius: int) -> np.ndarray:
    """Sorted bands, as the pipeline joins."""
    i, j, _ = near_pairs(values, None, radius)
    return np.stack([i, j], axis=1)


def faiss_multihash(values: np.ndarray, radius: int) -> np.ndarray:
    """The IndexBinaryMultiHash of faiss: exact when its tables and flips cover the radius."""
    import faiss  # pyright: ignore[reportMissingImports] - a peer

    faiss.omp_set_num_threads(PROCESSES)
    bits = 16 if len(values) > 50_000 else 12
    tables = 64 // bits
    codes = values.view(np.uint8).reshape(-1, 8)
    index: Any = faiss.IndexBinaryMultiHash(64, tables, bits)
    index.nflip = radius // tables
    index.add(codes)
    limits, _, labels = index.range_search(codes, radius + 1)  # faiss's radius is exclusive
    left = np.repeat(np.arange(len(values)), np.diff(limits.astype(np.int64)))
    keep = left < labels
    return np.unique(np.stack([left[keep], labels[keep]], axis=1), axis=0)


def imagededup_search(values: np.ndarray, radius: int) -> np.ndarray:
    """The search of imagededup over pHashes, with its default method."""
    from imagededup.methods import PHash  # pyright: ignore[reportMissingImports] - a peer

    encodings = {f"{n}": f"{value:016x}" for n, value in enumerate(values.tolist())}
    method = PHash(verbose=False)
    found = method.find_duplicates(encoding_map=encodings, max_distance_threshold=radius, num_dist_workers=PROCESSES)
    pairs = {(min(int(a), int(b)), max(int(a), int(b))) for a, near in found.items() for b in near}
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)


def brute_force(values: np.ndarray, radius: int) -> np.ndarray:
    """Compiled popcount over all pairs, a half on each core."""
    from concurrent.futures import ThreadPoolExecutor

    scan = _scanner()
    rows = [np.arange(n, len(values), PROCESSES) for n in range(PROCESSES)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        return np.concatenate(list(pool.map(lambda mine: scan(values, mine, radius), rows)))


@lru_cache
def _scanner() -> Any:
    from numba import njit

    from quality.hamming_kernels import popcount

    @njit(nogil=True)
    def scan(values, rows, radius):  # noqa: ANN001, ANN202 - compiled
        found, n = np.empty((1 << 20, 2), np.int64), 0
        for i in rows:
            for j in range(i + 1, values.size):
                if popcount(values[i] ^ values[j]) <= np.uint64(radius):
                    found[n, 0], found[n, 1] = i, j
                    n += 1
        return found[:n].copy()

    return scan


METHODS: dict[str, Callable[..., Any]] = {
    "brute force": brute_force,
    "faiss BinaryMultiHash": faiss_multihash,
    "imagededup": imagededup_search,
    "ours": ours,
}


def stage(which: str) -> dict[str, Any]:
    """Photographs a second from files to candidate pairs."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        files = photographs(Path(folder), PHOTOGRAPHS[which])
        rounds = 1 if which == "quick" else 3
        mine = min(files_to_pairs(files) for _ in range(rounds))
        peer = min(imagededup_stage(Path(folder)) for _ in range(rounds))
        return {"photographs": len(files), "ours": round(len(files) / mine, 1), "imagededup": round(len(files) / peer, 1)}


def photographs(folder: Path, count: int) -> list[Path]:
    """Real photographs as files, or drawn ones where there are none."""
    archive = Path(os.environ.get("DERMOFORGE_MIRROR", "")) / "ham10000" / "HAM10000_images_part_1.zip"
    if archive.is_file():
        with zipfile.ZipFile(archive) as members:
            for name in sorted(members.namelist())[:count]:
                (folder / f"{Path(name).stem}.jpg").write_bytes(members.read(name))
    else:
        from sources import phantom

        print("DERMOFORGE_MIRROR/ham10000 is not here: drawn photographs instead")
        drawn = ((record.member, phantom.render(record.member)) for record in phantom.records())
        for name, data in islice(((name, data) for name, data in drawn if _decodes(data)), count):
            (folder / name).write_bytes(data)
    return sorted(folder.iterdir())


def _decodes(data: bytes) -> bool:
    """Whether a phantom is none of those that are damaged on purpose."""
    from quality.raster import BadImage, decode

    with suppress(BadImage):
        return decode(data).rgb.size > 0
    return False


def files_to_pairs(files: list[Path]) -> float:
    """Seconds of ours: decode, hash in eight orientations, join at radius 4 in all of them; two processes."""
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(fingerprints, [files[:8]] * PROCESSES))
        near_pairs(np.arange(8, dtype=np.uint64), None, 4)
        start = time.perf_counter()
        parts = [files[n : n + 250] for n in range(0, len(files), 250)]
        hashes = np.concatenate(list(pool.map(fingerprints, parts)))
        for k in range(8):
            near_pairs(hashes[:, 0], None if k == 0 else hashes[:, k], 4)
        return time.perf_counter() - start


def fingerprints(files: list[Path]) -> np.ndarray:
    """(n, 8) uint64 hashes, by the functions that ingest calls."""
    import cv2

    from quality.phash import phash8
    from quality.raster import decode

    cv2.setNumThreads(1)
    return np.stack([phash8(decode(path.read_bytes(), path.name).rgb) for path in files])


def imagededup_stage(folder: Path) -> float:
    """Seconds of imagededup on the same files, with as many processes."""
    script = (
        "import sys, time\n"
        "from imagededup.methods import PHash\n"
        "if __name__ == '__main__':\n"
        "    method = PHash(verbose=False)\n"
        "    start = time.perf_counter()\n"
        f"    codes = method.encode_images(image_dir={str(folder)!r}, num_enc_workers={PROCESSES})\n"
        f"    method.find_duplicates(encoding_map=codes, max_distance_threshold=4, num_dist_workers={PROCESSES})\n"
        "    print('SECONDS', time.perf_counter() - start)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(PEERS)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    seconds = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("SECONDS")]
    if not seconds:
        raise SystemExit(f"imagededup failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return float(seconds[0])


def peers() -> None:
    """Install imagededup and faiss beside the project on first use: they are measured against, never depended on."""
    if (PEERS / "ready").exists():
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(PEERS)]
    subprocess.run([*command, *PACKAGES, *MATPLOTLIB_NEEDS], check=True)
    (PEERS / "ready").touch()


if __name__ == "__main__":
    main()
