"""Dermoscopic or clinical, told from colours and light alone: a logistic rule that says nothing where it is not sure.

Contact, polarised light and gel make dermoscopy even and pink; a photograph at a distance has shadows and the room's light. The coefficients
are what `python -m benchmarks.modality` fits on HAM10000 and the ISIC 9-class selection against PAD-UFES-20, and it measures them on halves
that were held out. Pictures of other cameras may differ: a flag follows from it, never a label.
"""

import numpy as np

from quality.image_metrics import Metrics
from quality.thresholds import MODALITY_CLEAR

NAMES = (
    "red share",
    "blue share",
    "colourfulness",
    "corner light",
    "clipped",
    "high light",
    "middle light",
    "low light",
    "contrast",
)
MEANS = np.array([0.3982, 0.3026, 0.2064, 0.7808, 0.0004, 0.7459, 0.6439, 0.3446, 0.4013])
SPREADS = np.array([0.0386, 0.0274, 0.096, 0.2479, 0.0057, 0.0816, 0.0867, 0.1327, 0.1474])
LINEAR = np.array([1.5276, 2.87, 1.2643, -0.8841, 0.1926, -0.8303, 1.4409, -0.3192, -0.1711])
SQUARE = np.array([0.674, -0.145, -0.6033, 0.4308, 0.5029, -0.0569, -0.1031, -0.0597, 0.23])
CONSTANT = 1.5319


def features(metrics: Metrics) -> np.ndarray:
    """(9,) numbers in the order of `NAMES`; none depends on the size of the picture."""
    total = max(metrics.red + metrics.green + metrics.blue, 1.0)
    return np.array(
        [
            metrics.red / total,
            metrics.blue / total,
            metrics.colourfulness / 255,
            metrics.corner_light,
            metrics.clipped_share,
            metrics.light_high / 255,
            metrics.light_middle / 255,
            metrics.light_low / 255,
            metrics.contrast / 255,
        ]
    )


def score(metrics: Metrics) -> float:
    """Log odds of dermoscopic over clinical, both taken as equally frequent."""
    z = np.clip((features(metrics) - MEANS) / SPREADS, -3, 3)
    return round(float(z @ LINEAR + (z * z) @ SQUARE + CONSTANT), 3)


def predicted(odds: float) -> str:
    """`dermoscopic`, `clinical`, or `unclear` between the two."""
    return "unclear" if abs(odds) < MODALITY_CLEAR else "dermoscopic" if odds > 0 else "clinical"
