"""Fits and measures the rule that tells dermoscopy from clinical photographs (`quality.modality`).

`python -m benchmarks.modality` reads HAM10000, isic9 and PAD-UFES-20 from the mirror, brings all pictures to one size (so that no set is told
by its pixels), fits a logistic rule with squares on each half of them and measures it on the other, then fits it on all and prints the
constants. Sets weigh equally within a modality, modalities equally.
"""

import cv2
import numpy as np
from scipy.optimize import minimize

from benchmarks.photographs import photographs
from quality import image_metrics, modality
from quality.thresholds import MODALITY_CLEAR

SIDE = 180
SETS = {"ham10000": 1500, "isic9": 1500, "pad_ufes_20": None}
PENALTY = 0.002


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
    for what, numbers in zip(
        ("MEANS", "SPREADS", "LINEAR", "SQUARE", "CONSTANT"), fit(values, is_dermoscopic, sets), strict=True
    ):
        print(f"{what} = {np.round(numbers, 4).tolist()}")


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


def fit(values: np.ndarray, is_dermoscopic: np.ndarray, sets: np.ndarray) -> tuple[np.ndarray, ...]:
    """Means, spreads, coefficients of the scaled values and of their squares, and the constant."""
    means, spreads = values.mean(axis=0), values.std(axis=0) + 1e-6
    design = _design(values, means, spreads)
    weights = np.zeros(len(sets))
    for side in (True, False):
        names = np.unique(sets[is_dermoscopic == side])
        for name in names:
            mine = (sets == name) & (is_dermoscopic == side)
            weights[mine] = 0.5 / len(names) / mine.sum()

    def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
        z = design @ b
        slope = weights * (1 / (1 + np.exp(-z)) - is_dermoscopic)
        return float(weights @ (np.logaddexp(0, z) - is_dermoscopic * z) + PENALTY * b @ b), design.T @ slope + 2 * PENALTY * b

    found = minimize(loss, np.zeros(design.shape[1]), jac=True).x
    count = values.shape[1]
    return means, spreads, found[:count], found[count:-1], found[-1]


def applied(fitted: tuple[np.ndarray, ...], values: np.ndarray) -> np.ndarray:
    """Log odds."""
    means, spreads, *coefficients = fitted
    return _design(values, means, spreads) @ np.concatenate([np.atleast_1d(c) for c in coefficients])


def _design(values: np.ndarray, means: np.ndarray, spreads: np.ndarray) -> np.ndarray:
    z = np.clip((values - means) / spreads, -3, 3)
    return np.concatenate([z, z * z, np.ones((len(z), 1))], axis=1)


if __name__ == "__main__":
    main()
