"""Dermoscopic or clinical, told from how light falls and how fine the relief is: a logistic rule that says nothing where it is not sure.

Contact, polarised light and gel make dermoscopy even, round and smooth; a photograph at a distance has light from one side, the skin's relief
and its highlights. The coefficients are what `python -m benchmarks.modality` fits on HAM10000 and the ISIC 9-class selection against
PAD-UFES-20, each picture also in other light, crop, size and compression; it measures them on patients that were held out. Pictures of other
cameras may differ: a flag follows from it, never a label.
"""

import numpy as np

from quality.thresholds import MODALITY_CLEAR

NAMES = (
    *(f"{a} with {b}" for a, b in (("light", "red"), ("light", "blue"), ("red", "blue"))),
    *(f"{what} of ring {n}" for n in range(5) for what in ("light", "red", "blue")),
    *(f"light {way}" for way in ("across", "down")),
    *(f"{what}, {n} %" for what in ("red less green", "green less blue") for n in (5, 50, 95)),
    *(f"step at {n} of 64" for n in (1, 2, 4, 8, 16)),
    *(f"{what} of {side}" for side in (64, 128) for what in ("relief", "leaning", "peaks", "evenness")),
    "step at 1 of 128",
)
SIDES = (64, 128)
"""Longest sides, in pixels, at which relief is measured: HAM10000's lesions have 150 pixels in the mirror."""
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


def features(rgb: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """(40,) numbers in the order of `NAMES`, of an (h, w, 3) uint8 raster and its `working_grey`; none depends on the size of the picture."""
    from quality import layout_kernels, relief_kernels
    from quality.image_kernels import sampled

    larger = _at_side(grey, SIDES[1])
    small = _at_side(larger, SIDES[0])
    return np.concatenate(
        [
            relief_kernels.light_and_hues(layout_kernels.cell_means(sampled(rgb, -(-max(rgb.shape[:2]) // SIDES[0])))),
            relief_kernels.steps(small),
            relief_kernels.curvature(small),
            relief_kernels.curvature(larger),
            [relief_kernels.difference(larger, 1)],
        ]
    )


def _at_side(grey: np.ndarray, side: int) -> np.ndarray:
    """At a longest side of 64 or 128 pixels; no side is under eight, as differences at a distance need some."""
    import cv2

    scale = side / max(grey.shape)
    size = (max(8, round(scale * grey.shape[1])), max(8, round(scale * grey.shape[0])))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def score(rgb: np.ndarray, grey: np.ndarray) -> float:
    """Log odds of dermoscopic over clinical, both taken as equally frequent."""
    return odds(features(rgb, grey))


def odds(values: np.ndarray) -> float:
    """The same of `features`."""
    z = np.clip((values - MEANS) / SPREADS, -3, 3)
    return round(float(z @ LINEAR + (z * z) @ SQUARE + CONSTANT), 3)


def predicted(odds: float) -> str:
    """`dermoscopic`, `clinical`, or `unclear` between the two."""
    return "unclear" if abs(odds) < MODALITY_CLEAR else "dermoscopic" if odds > 0 else "clinical"
