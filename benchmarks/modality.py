"""Fits and measures the rule that tells dermoscopy from clinical photographs (`quality.modality`).

`python -m benchmarks.modality` reads HAM10000, isic9 and PAD-UFES-20 from the mirror, brings all pictures to one size (so that no set is told
by its pixels), fits a logistic rule with squares on each half of them and measures it on the other, then fits it on all and prints the
constants. Sets weigh equally within a modality, modalities equally.
"""

import cv2
import numpy as np

from benchmarks.logistic import applied, constants, fit
from benchmarks.photographs import photographs
from quality import image_metrics, modality
from quality.thresholds import MODALITY_CLEAR

SIDE = 180
SETS = {"ham10000": 1500, "isic9": 1500, "pad_ufes_20": None}


def main() -> None:
    """Fit, measure, print."""
    values, is_dermoscopic, sets = collected()
    halves = np.random.default_rng(0).integers(0, 2, len(sets))
    odds = np.zeros(len(sets))
    for half in (0, 1):
        chosen = halves != half
        fitted = fit(values[chosen], is_dermoscopic[chosen], sets[chosen])
        odds[~chosen] = applied(fitted, values[~chosen])
    for name in SETS:
        mine = odds[sets == name] * np.where(is_dermoscopic[sets == name], 1, -1)
        right, wrong = (mine >= MODALITY_CLEAR).mean(), (mine <= -MODALITY_CLEAR).mean()
        print(f"{name:12} {len(mine):5} held out: right {right:.3f}, unclear {1 - right - wrong:.3f}, wrong {wrong:.3f}")
    print(constants(fit(values, is_dermoscopic, sets)))


def collected() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, whether dermoscopic, and the set of every picture."""
    values, dermoscopic, sets = [], [], []
    for name, most in SETS.items():
        for picture in photographs(name, most):
            scale = SIDE / max(picture.rgb.shape[:2])
            rgb = cv2.resize(picture.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            values.append(modality.features(image_metrics.measure(rgb, image_metrics.working_grey(rgb))))
            dermoscopic.append(picture.modality == "dermoscopic")
            sets.append(name)
    return np.array(values), np.array(dermoscopic), np.array(sets)


if __name__ == "__main__":
    main()
