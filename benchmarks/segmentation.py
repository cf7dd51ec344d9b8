"""How well the classical segmentation finds lesions: Dice against HAM10000's published masks, with plain Otsu as the peer.

`python -m benchmarks.segmentation [--quick]` reads the image and mask archives from DERMOFORGE_TEST_DATA (default
`../shared/data`), prints a table and RATIO lines; the full run writes benchmarks/results/segmentation.json.
"""

import argparse
import json
import os
import zipfile
from pathlib import Path

import numpy as np

from quality import evidence
from quality.raster import decode

RESULTS = Path(__file__).parent / "results" / "segmentation.json"
QUICK = 300


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"the first {QUICK} masks only")
    quick = parser.parse_args().quick
    data = Path(os.environ.get("DERMOFORGE_TEST_DATA", "../shared/data")) / "mirror" / "ham10000"
    ours, peer, refused = [], [], 0
    agree: dict[str, list[bool]] = {}
    for rgb, truth in _cases(data, QUICK if quick else None):
        mask = evidence.segment(rgb)
        peer.append(dice(_otsu(rgb), truth))
        if mask is None:
            refused += 1
            continue
        ours.append(dice(mask, truth))
        for what, same in agreement(mask, truth).items():
            agree.setdefault(what, []).append(same)
    report = {
        "images": len(peer),
        "refused": refused,
        "dice_mean": round(float(np.mean(ours)), 4),
        "dice_median": round(float(np.median(ours)), 4),
        "dice_mean_otsu": round(float(np.mean(peer)), 4),
        "dice_median_otsu": round(float(np.median(peer)), 4),
        **{f"agreement_{what}": round(float(np.mean(same)), 4) for what, same in sorted(agree.items())},
        **{f"stated_{what}": len(same) for what, same in sorted(agree.items())},
    }
    for key, value in report.items():
        print(f"{key:28} {value}")
    print(f"RATIO segmentation_vs_otsu {report['dice_mean'] / report['dice_mean_otsu']:.3f}")
    if not quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")


def _cases(data: Path, limit: int | None):  # noqa: ANN202
    with zipfile.ZipFile(data / "HAM10000_segmentations_lesion_tschandl.zip") as masks:
        parts = [zipfile.ZipFile(data / f"HAM10000_images_part_{n}.zip") for n in (1, 2)]
        where = {Path(name).stem: part for part in parts for name in part.namelist()}
        for name in sorted(masks.namelist())[:limit]:
            image_id = Path(name).stem.removesuffix("_segmentation")
            rgb = decode(where[image_id].read(f"{image_id}.jpg")).rgb
            yield rgb, decode(masks.read(name)).rgb[:, :, 0] > 127


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Overlap of two masks, 0 to 1."""
    return 2 * float((a & b).sum()) / max(int(a.sum() + b.sum()), 1)


def _otsu(rgb: np.ndarray) -> np.ndarray:
    import cv2

    grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    return cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1] > 0


def agreement(mask: np.ndarray, truth: np.ndarray) -> dict[str, bool]:
    """Whether symmetry, outline and shape stated from our mask are not contradicted by the published one; only what is stated."""
    ours, theirs = (dict(s.split(": ", 1) for s in shape_findings(m)) for m in (mask, truth))
    return {what: theirs.get(what, said) == said for what, said in ours.items()}


def shape_findings(mask: np.ndarray) -> tuple[str, ...]:
    """Statements that a mask alone supports: symmetry of the contour, outline, shape."""
    if not mask.any():
        return ()
    return tuple(said for said in evidence.findings(evidence.shape_of(mask)) if not said.startswith("edge"))


if __name__ == "__main__":
    main()
