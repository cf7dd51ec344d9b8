"""Real photographs sorted by each metric, to be looked at: `python -m benchmarks.contact_sheets SET FOLDER [--most 400]`.

Writes sheets of a set: for each metric that a gate reads, a row of the 24 pictures with the lowest values and one of the 24 with the
highest, each with its value. Prints the rate of every gate. What a metric really sorts shows in its rows.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.photographs import photographs
from pipelines.measure import quality_of
from quality import evidence
from quality.image_gates import GATES, judge

SIDE, CAPTION, SHOWN, METRICS_A_SHEET = 84, 12, 24, 6
"""Pixels of a thumbnail and of the line under it, pictures in a row, metrics on a sheet."""
READ = [
    *dict.fromkeys(metric for gate in GATES for metric, _, _ in gate.limits if metric != "modality_against"),
    "modality_score",
]


def main() -> None:
    """Measure, write the sheets, print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", help="ham10000, pad_ufes_20, isic9")
    parser.add_argument("folder", type=Path, help="where the sheets are written")
    parser.add_argument("--most", type=int, default=400, help="pictures that are measured, spread over the set")
    given = parser.parse_args()
    measured, fired = [], Counter[str]()
    for picture in photographs(given.set, given.most):
        rgb = picture.rgb
        numbers = quality_of(picture.data, rgb, evidence.measure(rgb))
        measured.append((numbers, thumbnail(rgb)))
        fired.update(verdict.code for verdict in judge(numbers, picture.modality))
    for code, count in fired.most_common():
        print(f"{given.set} {code:18}{count / len(measured):8.3f} of {len(measured)}")
    given.folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(READ), METRICS_A_SHEET):
        rows = [row for metric in READ[first : first + METRICS_A_SHEET] for row in extremes(measured, metric)]
        if rows:
            cv2.imwrite(str(given.folder / f"{given.set}-{first // METRICS_A_SHEET}.png"), np.vstack(rows)[:, :, ::-1])


def extremes(measured: Sequence[tuple[dict[str, Any], np.ndarray]], metric: str) -> list[np.ndarray]:
    """The lowest and the highest pictures of a metric, a row each; none where it was measured on too few."""
    found = sorted(((n[metric], place) for place, (n, _) in enumerate(measured) if n[metric] is not None), key=lambda x: x[0])
    if len(found) < SHOWN:
        return []
    ends = (("least", found[:SHOWN]), ("most", found[::-1][:SHOWN]))
    return [row(f"{name} {metric}", [(value, measured[place][1]) for value, place in some]) for name, some in ends]


def row(title: str, pictures: Sequence[tuple[float, np.ndarray]]) -> np.ndarray:
    """Thumbnails side by side, each over its value, under the row's title."""
    line = np.full((SIDE + 2 * CAPTION, SIDE * len(pictures), 3), 255, np.uint8)
    for place, (value, small) in enumerate(pictures):
        line[CAPTION : CAPTION + SIDE, place * SIDE : (place + 1) * SIDE] = small
        write(line, f"{value:.4g}", place * SIDE + 2, SIDE + 2 * CAPTION - 3)
    write(line, title, 2, CAPTION - 3)
    return line


def write(canvas: np.ndarray, words: str, left: int, base: int) -> None:
    """Small black letters on a canvas."""
    cv2.putText(canvas, words, (left, base), cv2.FONT_HERSHEY_SIMPLEX, 0.33, (0, 0, 0), 1, cv2.LINE_AA)


def thumbnail(rgb: np.ndarray) -> np.ndarray:
    """The whole picture on a square of `SIDE` pixels."""
    scale = SIDE / max(rgb.shape[:2])
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:SIDE, :SIDE]
    square = np.full((SIDE, SIDE, 3), 128, np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    return square


if __name__ == "__main__":
    main()
