"""Fits and measures the rule that tells dermoscopy from clinical photographs (`quality.modality`).

`python -m benchmarks.modality` reads HAM10000, isic9 and PAD-UFES-20 from the mirror, fits a logistic rule with squares on five of six parts of
the patients, measures it on the sixth, six times, then fits it on all and prints the constants. Each picture is also fitted on in another
light, crop, size and compression, so that no set is told by its files; those are measured apart (+). Sets weigh equally within a
modality, modalities equally.
"""

import cv2
import numpy as np

from benchmarks.logistic import applied, constants, fit
from benchmarks.photographs import photographs
from quality import appearance
from quality.image_metrics import working_grey
from quality.thresholds import MODALITY_CLEAR

SETS = {"ham10000": 1500, "isic9": 1500, "pad_ufes_20": None}
CHANGED = {"ham10000": 1, "isic9": 1, "pad_ufes_20": 5}
"""Changed copies of each picture: there are few clinical ones."""
PARTS = 6


def main() -> None:
    """Fit, measure, print."""
    values, is_dermoscopic, sets, parts = collected()
    odds = np.zeros(len(sets))
    weighed = np.char.rstrip(sets, "+")
    for part in range(PARTS):
        chosen = parts != part
        odds[~chosen] = applied(fit(values[chosen], is_dermoscopic[chosen], weighed[chosen]), values[~chosen])
    for name in dict.fromkeys(sets.tolist()):
        mine = odds[sets == name] * np.where(is_dermoscopic[sets == name], 1, -1)
        right, wrong = (mine >= MODALITY_CLEAR).mean(), (mine <= -MODALITY_CLEAR).mean()
        print(f"{name:12} {len(mine):5} held out: right {right:.3f}, unclear {1 - right - wrong:.3f}, wrong {wrong:.3f}")
    print(constants(fit(values, is_dermoscopic, weighed)))


def collected() -> tuple[np.ndarray, ...]:
    """Features, whether dermoscopic, the set (with a + where changed) and the part of every picture; a patient lies in one part."""
    rows, rng, part_of = [], np.random.default_rng(0), {}
    for name, most in SETS.items():
        for picture in photographs(name, most):
            part = part_of.setdefault(patient(picture.image_id), int(rng.integers(PARTS)))
            for n in range(1 + CHANGED[name]):
                rgb = changed(picture.rgb, rng) if n else picture.rgb
                rows.append(
                    (
                        appearance.features(rgb, working_grey(rgb))[len(appearance.LAYOUT) :],
                        picture.modality == "dermoscopic",
                        name + "+" * bool(n),
                        part,
                    )
                )
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def patient(image_id: str) -> str:
    """PAD-UFES-20 names its files after patient, lesion and picture; of the others each picture counts as a patient."""
    return image_id.rsplit("_", 2)[0] if image_id.startswith("pad_ufes_20") else image_id


def changed(rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Three quarters and more of each side, in another light and hue, of 150 to 500 pixels, through a JPEG of quality 50 to 97."""
    height, width = (round(side * rng.uniform(0.75, 1)) for side in rgb.shape[:2])
    y, x = int(rng.integers(0, rgb.shape[0] - height + 1)), int(rng.integers(0, rgb.shape[1] - width + 1))
    lit = (
        (rgb[y : y + height, x : x + width] / 255) ** rng.uniform(0.75, 1.35)
        * rng.uniform(0.9, 1.1)
        * rng.uniform(0.93, 1.07, 3)
    )
    scale = rng.uniform(150, 500) / max(height, width)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(np.clip(255 * lit, 0, 255).astype(np.uint8), None, fx=scale, fy=scale, interpolation=how)
    file = cv2.imencode(".jpg", resized, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 98))])[1]
    decoded = cv2.imdecode(file, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded


if __name__ == "__main__":
    main()
