"""Dermoscopic or clinical, told from how light falls and how fine the relief is: a logistic rule that says nothing where it is not sure.

Contact, polarised light and gel make dermoscopy even, round and smooth; a photograph at a distance has light from one side, the skin's relief
and its highlights. The coefficients are what `python -m benchmarks.modality` fits on HAM10000 and the ISIC 9-class selection against
PAD-UFES-20, each picture also in other light, crop, size and compression; it measures them on patients that were held out. Pictures of other
cameras may differ: a flag follows from it, never a label.
"""

import numpy as np

from quality.appearance import LAYOUT
from quality.thresholds import MODALITY_CLEAR

# Of `appearance.RELIEF`. Of where light and hues lie besides, nothing was gained.
# fmt: off
MEANS = np.array([
    -0.7862, 0.6523, -0.7251, -0.1234, 0.046, -0.0235, -0.0511, 0.0225, -0.0123, 0.0147,
    -0.0026, 0.0012, 0.031, -0.0135, 0.0074, 0.0055, -0.0143, 0.0078, 0.0339, 0.0305,
    0.1576, 0.2255, 0.4034, -0.0561, 0.004, 0.0707, 0.0185, 1.2752, 1.3004, 1.3691,
    1.374, 2.2899, 0.5314, 2.0855, 0.6762, 1.975, 0.4479, 2.35, 0.6429, 0.014,
])
SPREADS = np.array([
    0.2509, 0.3404, 0.2243, 0.1185, 0.0497, 0.0341, 0.0746, 0.0272, 0.0187, 0.0264,
    0.0093, 0.0065, 0.0428, 0.0154, 0.0107, 0.0885, 0.0226, 0.0157, 0.0322, 0.0289,
    0.1187, 0.1238, 0.16, 0.0984, 0.0913, 0.0934, 0.0075, 0.1105, 0.1394, 0.1758,
    0.1928, 0.3956, 0.7954, 0.5342, 0.0579, 0.4356, 1.0785, 0.7136, 0.063, 0.0066,
])
LINEAR = np.array([
    -1.1553, 0.1978, -0.3724, 0.0274, -0.2255, -0.2165, 0.1125, -0.2157, -0.2922, 0.3762,
    0.3975, -0.1628, 0.2199, 0.0288, 0.4467, -0.8669, -0.2148, 0.6802, -0.7366, -0.5214,
    0.4382, 0.3649, -0.137, -0.4472, -1.0018, -0.1435, -0.1661, -0.0298, 0.5251, 0.4474,
    -0.6885, -0.3009, 1.0084, -0.1752, 0.3008, 0.2516, 1.0151, 0.4276, -0.2492, -0.162,
])
SQUARE = np.array([
    0.0421, 0.1612, 0.0607, -0.1966, 0.0809, 0.1474, 0.1445, 0.0728, 0.1275, 0.4723,
    -0.0112, 0.0765, 0.3137, -0.0354, 0.1218, 0.3879, -0.1568, 0.2618, 0.1245, -0.0431,
    0.02, 0.0809, 0.0915, 0.076, -0.2611, 0.3737, 0.3754, 0.0139, 0.0506, -0.1702,
    0.0036, 0.3116, -0.4449, 0.215, -0.2678, -0.2515, -0.1212, 0.4514, 0.2187, -0.3899,
])
# fmt: on
CONSTANT = 0.8164


def score(values: np.ndarray) -> float:
    """Log odds of dermoscopic over clinical, both taken as equally frequent, from the (64,) numbers of `appearance.features`."""
    z = np.clip((values[len(LAYOUT) :] - MEANS) / SPREADS, -3, 3)
    return round(float(z @ LINEAR + (z * z) @ SQUARE + CONSTANT), 3)


def predicted(odds: float) -> str:
    """`dermoscopic`, `clinical`, or `unclear` between the two."""
    return "unclear" if abs(odds) < MODALITY_CLEAR else "dermoscopic" if odds > 0 else "clinical"
