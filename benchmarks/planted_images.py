"""What the image gates find of planted faults, and what they say of sound pictures.

`python -m benchmarks.planted_images [--quick]` puts every fault of `benchmarks.image_faults` into phantoms and into photographs of the mirror
(HAM10000, PAD-UFES-20, isic9) and prints, by gate and set, how many it catches and how many pictures without the fault it fires on. Nobody
has published marks of hairs, rulers, ink, dark corners and blur on the real pictures: for these the rate on real ones counts what is truly
there as well; 336 pictures were looked at for it (benchmarks/marks_by_eye.json). Pictures whose modality is stated wrongly are real ones of the other kind. Time of metrics is over time of decoding, in the same run.

The full run plants 200 of each fault in every set and writes benchmarks/results/planted_images.json, with the seeds of misses.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.image_faults import FAULTS
from benchmarks.photographs import photographs
from pipelines.measure import quality_of
from quality import appearance, evidence, image_metrics, modality, off_topic
from quality.image_gates import GATES, judge
from quality.raster import BadImage, decode

MARKS = Path(__file__).resolve().parent / "marks_by_eye.json"
RESULTS = Path(__file__).resolve().parent / "results" / "planted_images.json"
SETS = {"phantom": "clinical close-up", "ham10000": "dermoscopic", "pad_ufes_20": "smartphone", "isic9": "dermoscopic"}
"""Sets with the modality that their pictures state. Dermoscopic phantoms bear drawn hairs and corners, so they stand for no sound picture."""
PLANTED = {"quick": 5, "full": 200}
NATURAL = ("hair", "ruler", "ink", "dark_corners", "blurred", "small_lesion")
"""Gates for what real pictures truly have, unmarked."""
OTHER_SIDE = {"ham10000": "clinical close-up", "pad_ufes_20": "dermoscopic", "isic9": "clinical close-up"}
RECALL, FALSE_ALARMS = 0.95, 0.05

Picture = np.ndarray
Measured = dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few pictures of each set, nothing written")
    which = "quick" if parser.parse_args().quick else "full"
    pools = {name: sound(name, PLANTED[which]) for name in SETS}
    pools = {name: pool for name, pool in pools.items() if pool}
    report = {"sets": {name: len(pool) for name, pool in pools.items()}, "faults": planted(pools, PLANTED[which])}
    untouched = {name: [measured(picture) for picture in pool] for name, pool in pools.items()}
    report["modality"] = swapped(untouched)
    report["false alarms"] = false_alarms(untouched)
    report["by eye"] = by_eye()
    print_report(report)
    overhead, faces = image_metrics_overhead(), face_overhead(pools)
    report["overhead"] = overhead
    print(f"metrics over decoding: {json.dumps(overhead)}; the face detector takes {faces:.1f} ms a picture")
    ratios(report)
    if which == "full":
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")


def sound(name: str, most: int) -> list[Picture]:
    """Pictures of a set that nothing was done to, at least twice as many as faults are planted where there are as many."""
    modality_of_set = SETS[name]
    found = photographs(name, None if name == "phantom" else 2 * most)
    return [p.rgb for p in found if p.modality == modality_of_set][: 2 * most]


def measured(file: Picture | bytes) -> Measured | None:
    """The numbers of a picture or of a file's bytes; None for what ingest would put into quarantine."""
    data = file if isinstance(file, bytes) else cv2.imencode(".png", cv2.cvtColor(file, cv2.COLOR_RGB2BGR))[1].tobytes()
    try:
        rgb = decode(data).rgb
    except BadImage:
        return None
    return quality_of(data, rgb, evidence.Evidence(False))


def fires(file: Picture | bytes, stated: str) -> list[str]:
    """Codes of the gates that fire; `quarantine` for what does not get as far as a gate."""
    numbers = measured(file)
    return ["quarantine"] if numbers is None else [verdict.code for verdict in judge(numbers, stated)]


def planted(pools: dict[str, list[Picture]], most: int) -> list[dict[str, Any]]:
    """Recall of every fault in every set, and the first misses by their seeds."""
    rows = []
    for kind, (code, fault) in FAULTS.items():
        for name, pool in pools.items():
            caught, missed = 0, []
            for n in range(most):
                rng = np.random.default_rng([n, *kind.encode(), *name.encode()])
                said = fires(fault(pool[n % len(pool)], rng, pool), SETS[name])
                hit = code in said or "quarantine" in said
                caught += hit
                missed += [] if hit else [n]
            rows.append(
                {"fault": kind, "gate": code, "set": name, "planted": most, "recall": caught / most, "missed": missed[:10]}
            )
    return rows


def swapped(untouched: dict[str, list[Measured | None]]) -> dict[str, float]:
    """Share of real pictures that are told as of the other modality when that is stated."""
    numbers = {name: untouched[name] for name in OTHER_SIDE if name in untouched}
    return {name: _share(found, OTHER_SIDE[name], "modality") for name, found in numbers.items()}


def false_alarms(untouched: dict[str, list[Measured | None]]) -> dict[str, dict[str, float]]:
    """By set, the share of untouched pictures on which each gate fires. A file's own JPEG quality is not asked: the raster is stored anew."""
    return {name: {gate.code: _share(found, SETS[name], gate.code) for gate in GATES} for name, found in untouched.items()}


def by_eye() -> list[dict[str, Any]]:
    """Gates against what a person saw on contact sheets of real pictures (benchmarks/marks_by_eye.json), unclear ones left out."""
    seen, rows = json.loads(MARKS.read_text()), []
    for name, ids in seen["looked at"].items():
        chosen = {p.image_id: p for p in photographs(name) if p.image_id in set(ids)}
        said = {i: {v.code for v in judge(measured(p.data) or {}, p.modality)} for i, p in chosen.items()}
        for mark in (mark for mark in seen["marks"] if mark["set"] == name and said):
            has, without = set(mark["has"]), set(ids) - set(mark["has"]) - set(mark["unclear"])
            found, wrong = (sum(mark["gate"] in said[i] for i in which) for which in (has, without))
            rows.append(
                {"set": name, "gate": mark["gate"], "have it": len(has), "found": found, "others": len(without), "wrong": wrong}
            )
    return rows


def _share(found: list[Measured | None], stated: str, code: str) -> float:
    return round(float(np.mean([code in (v.code for v in judge(n or {}, stated)) for n in found])), 4)


PUBLISHED = {"ham10000": (600, 450, ".jpg"), "isic9": (1024, 1024, ".jpg"), "pad_ufes_20": (1000, 1000, ".png")}
"""Sizes and formats in which HAM10000, ISIC 2019 and PAD-UFES-20 (its untouched originals in the mirror: 927 to 1,204) are published."""


def image_metrics_overhead(most: int = 24) -> dict[str, float]:
    """Time of the metrics (and of the predicted modality) over time of decoding: by set, at its published size, and all of them together.

    Time of this thread, so that other work on the machine counts less. Phantoms are the smallest files there are.
    """
    decoding, measuring, shares = 0.0, 0.0, {}
    for name in ("phantom", *PUBLISHED):
        files = [resized(p.rgb, *PUBLISHED[name]) if name in PUBLISHED else p.data for p in photographs(name, most)]
        if not files:
            continue
        rasters = [decode(data).rgb for data in files]
        a, b = fastest(decode, files), fastest(metrics_of, rasters)
        shares[name] = round(b / a, 3)
        decoding, measuring = decoding + a / len(files), measuring + b / len(files)
    return {**shares, "whole": round(measuring / max(decoding, 1e-9), 3)}


def metrics_of(rgb: Picture) -> float:
    """Everything but the face detector and evidence."""
    grey = image_metrics.working_grey(rgb)
    image_metrics.measure(rgb, grey)
    seen = appearance.features(rgb, grey)
    return modality.score(seen) + off_topic.score(seen)


def resized(rgb: Picture, width: int, height: int, kind: str) -> bytes:
    """A file of another size with a sensor's noise: a smooth enlargement would decode faster than a photograph."""
    large = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_CUBIC)
    noisy = np.clip(large + np.random.default_rng(0).normal(0, 3, large.shape), 0, 255).astype(np.uint8)
    how = [cv2.IMWRITE_JPEG_QUALITY, 92] if kind == ".jpg" else []
    return cv2.imencode(kind, cv2.cvtColor(noisy, cv2.COLOR_RGB2BGR), how)[1].tobytes()


def fastest(function: Callable[[Any], Any], items: Iterable[Any]) -> float:
    """Seconds for all items, the least of three rounds, on one thread."""
    cv2.setNumThreads(1)
    chosen, best = list(items), float("inf")
    for item in chosen[:2]:
        function(item)
    for _ in range(3):
        start = time.thread_time()
        for item in chosen:
            function(item)
        best = min(best, time.thread_time() - start)
    return best


def face_overhead(pools: dict[str, list[Picture]]) -> float:
    """Milliseconds a picture that the face detector takes."""
    from quality.people import face_score

    pictures = [picture for pool in pools.values() for picture in pool[:10]]
    return 1000 * fastest(face_score, pictures) / len(pictures)


def print_report(report: dict[str, Any]) -> None:
    """Recall by fault, then false alarms by gate, over the sets in columns."""
    names = list(report["sets"])
    print(f"{'recall':20}{'gate':18}" + "".join(f"{name:>13}" for name in names))
    for kind, (code, _) in FAULTS.items():
        cells = {row["set"]: row for row in report["faults"] if row["fault"] == kind}
        print(f"{kind:20}{code:18}" + "".join(f"{cells[name]['recall']:13.3f}" for name in names))
    print(
        f"{'modality swapped':20}{'modality':18}"
        + "".join(f"{report['modality'].get(name, float('nan')):13.3f}" for name in names)
    )
    print("\nfires on untouched pictures")
    for gate in GATES:
        note = "  (real ones have these)" if gate.code in NATURAL else ""
        print(f"{'':20}{gate.code:18}" + "".join(f"{report['false alarms'][n][gate.code]:13.4f}" for n in names) + note)
    print("\nreal pictures, against what a person saw")
    for row in report["by eye"]:
        print(
            f"{row['set']:14}{row['gate']:14}found {row['found']} of {row['have it']}, fires on {row['wrong']} of {row['others']} others"
        )


def ratios(report: dict[str, Any]) -> None:
    """RATIO lines: recall of each gate over all sets, and false alarms where untouched pictures are sound."""
    caught = defaultdict(list)
    for row in report["faults"]:
        caught[row["gate"]].append(row["recall"])
    caught["modality"] = list(report["modality"].values())
    rates = report["false alarms"]
    for gate in GATES:
        judged = (
            ["phantom"] if gate.code in NATURAL else [name for name in rates if (name, gate.code) != ("phantom", "modality")]
        )
        alarms = max((rates[name][gate.code] for name in judged if name in rates), default=0.0)
        found = float(np.mean(caught[gate.code])) if caught[gate.code] else float("nan")
        below = "" if found >= RECALL and alarms <= FALSE_ALARMS else "  below target"
        print(
            f"{gate.code:18} recall {found:.3f}, most false alarms of a set {alarms:.4f}{below if caught[gate.code] else '  not planted'}"
        )
    caught = {code: values for code, values in caught.items() if values}
    reached = [code for code, values in caught.items() if np.mean(values) >= RECALL]
    print(f"RATIO image_gates_recall_mean {np.mean([np.mean(v) for v in caught.values()]):.3f}")
    print(f"RATIO image_gates_at_recall {len(reached) / len(caught):.3f}")
    print(f"RATIO image_metrics_overhead {report['overhead']['whole']:.3f}")


if __name__ == "__main__":
    main()
