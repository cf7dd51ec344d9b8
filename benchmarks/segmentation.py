"""How well the classical segmentation finds lesions: Dice against HAM10000's published masks, with plain Otsu as the peer.

`python -m benchmarks.segmentation [--quick]` reads the image and mask archives from DERMOFORGE_TEST_DATA (default
`../shared/data` beside the repository), prints a table and RATIO lines; the full run writes benchmarks/results/segmentation.json.

Both are compared on the same images twice: on those that ours did not refuse, and on all, where a refusal counts as a Dice of 0.
Statements are those that a description would carry; the published mask confirms one, contradicts it, or lies between thresholds.
"""

import argparse
import json
import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from quality import evidence
from quality.raster import decode

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results" / "segmentation.json"
QUICK = 300
TOPICS = ("outline", "shape", "symmetry")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"the first {QUICK} masks only")
    quick = parser.parse_args().quick
    data = Path(os.environ.get("DERMOFORGE_TEST_DATA", REPOSITORY.parent / "shared" / "data")) / "mirror" / "ham10000"
    report = measured(islice(cases(data), QUICK if quick else None))
    for key, value in report.items():
        print(f"{key:32} {value}")
    print(f"RATIO segmentation_vs_otsu_where_outlined {report['dice_mean_outlined'] / report['dice_mean_otsu_outlined']:.3f}")
    print(f"RATIO segmentation_vs_otsu_all {report['dice_mean_all'] / report['dice_mean_otsu_all']:.3f}")
    if not quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")


def measured(found: Iterable[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Counts and means over (image, published mask) pairs."""
    scores, described, verdicts = [], 0, Counter()
    for rgb, truth in found:
        mask, measurement = evidence.segment(rgb), evidence.measure(rgb)
        scores.append((-1.0 if mask is None else dice(mask, truth), dice(otsu(rgb), truth)))
        described += measurement.measured
        verdicts.update(agreement(evidence.findings(measurement), truth).items())
    ours, peer = np.array(scores).T
    outlined = ours >= 0
    report: dict[str, float] = {"images": len(ours), "outlined": int(outlined.sum()), "described": described}
    for name, which in (("outlined", outlined), ("all", np.ones_like(outlined))):
        for what, values in (("", np.maximum(ours, 0)), ("_otsu", peer)):
            report[f"dice_mean{what}_{name}"] = round(float(np.mean(values[which])), 4)
            report[f"dice_median{what}_{name}"] = round(float(np.median(values[which])), 4)
    for topic in TOPICS:
        for verdict in ("confirmed", "contradicted", "undecided"):
            report[f"{topic}_{verdict}"] = verdicts[topic, verdict]
    return report


def cases(data: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Images that have a published mask, with it, in the order of their names."""
    with zipfile.ZipFile(data / "HAM10000_segmentations_lesion_tschandl.zip") as masks:
        parts = [zipfile.ZipFile(data / f"HAM10000_images_part_{n}.zip") for n in (1, 2)]
        where = {Path(name).stem: part for part in parts for name in part.namelist()}
        for name in sorted(masks.namelist()):
            image_id = Path(name).stem.removesuffix("_segmentation")
            rgb = decode(where[image_id].read(f"{image_id}.jpg")).rgb
            yield rgb, decode(masks.read(name)).rgb[:, :, 0] > 127


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Overlap of two masks, 0 to 1."""
    return 2 * float((a & b).sum()) / max(int(a.sum() + b.sum()), 1)


def otsu(rgb: np.ndarray) -> np.ndarray:
    """The peer: what is darker than Otsu's threshold on blurred grey."""
    import cv2

    grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    return cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1] > 0


def agreement(said: Iterable[str], truth: np.ndarray) -> dict[str, str]:
    """By topic, what the published mask does to a statement: `confirmed`, `contradicted`, or `undecided` when it supports none."""
    ours, theirs = (dict(s.split(": ", 1) for s in statements) for statements in (said, shape_findings(truth)))
    stated = {topic: ours[topic] for topic in TOPICS if topic in ours}
    verdict = {True: "confirmed", False: "contradicted"}
    return {topic: verdict[theirs[topic] == word] if topic in theirs else "undecided" for topic, word in stated.items()}


def shape_findings(mask: np.ndarray) -> tuple[str, ...]:
    """Statements that a mask alone supports: symmetry of the contour, outline, shape."""
    if not mask.any():
        return ()
    return tuple(said for said in evidence.findings(evidence.shape_of(mask)) if not said.startswith("edge"))


if __name__ == "__main__":
    main()
