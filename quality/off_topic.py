"""Skin, or a photograph of something else: a logistic rule on how light and hues lie in the picture.

Skin fills a picture with one hue and soft light, and what is on it lies in the middle. Rooms, streets, landscapes, animals and food have
several hues, edges from side to side, and another light above than below. The coefficients are what `python -m benchmarks.off_topic` fits.
A person has to look at what the rule points out: it knows no objects.
"""

import numpy as np

NAMES = (
    "light, next cell",
    "light, 4 cells on",
    "light, 8 cells on",
    "hue, next cell",
    "hue, 4 cells on",
    "hue, 8 cells on",
    "longest step",
    "rim's light",
    "rim's red",
    "rim's blue",
    "spread of the rim's light",
    "spread of the rim's red",
    "spread of the rim's blue",
    "middle's light beside the rim's",
    "middle's red",
    "middle's blue",
    "upper less lower light",
    "upper less lower red",
    "upper less lower blue",
    "more green than red",
    "more blue than red",
    "grey",
    "vivid",
    "yellow to green",
)
MEANS = np.array(
    [
        0.0414,
        0.098,
        0.1176,
        0.0269,
        0.0631,
        0.0743,
        2.2223,
        0.5476,
        0.3932,
        0.2989,
        0.0813,
        0.0249,
        0.0219,
        -0.0749,
        0.0414,
        -0.0229,
        0.0554,
        0.0185,
        0.0162,
        0.1216,
        0.1358,
        0.108,
        0.1572,
        0.3509,
    ]
)
SPREADS = np.array(
    [
        0.0237,
        0.0472,
        0.0633,
        0.0199,
        0.0449,
        0.0612,
        0.9183,
        0.1483,
        0.0726,
        0.0624,
        0.0639,
        0.0298,
        0.0295,
        0.143,
        0.0642,
        0.0467,
        0.0753,
        0.0364,
        0.0356,
        0.2705,
        0.2683,
        0.2275,
        0.283,
        0.3884,
    ]
)
LINEAR = np.array(
    [
        0.9846,
        -0.2614,
        0.2763,
        -0.5206,
        -0.4149,
        0.1402,
        0.4637,
        -0.2398,
        -0.1535,
        0.1986,
        0.6089,
        0.2894,
        1.4838,
        0.5616,
        -0.8715,
        -0.2356,
        0.4051,
        0.1945,
        0.7586,
        0.4849,
        0.2744,
        0.3886,
        0.9596,
        0.5384,
    ]
)
SQUARE = np.array(
    [
        0.2246,
        -0.0262,
        0.3152,
        0.2538,
        0.2918,
        -0.0979,
        -0.0849,
        0.5529,
        0.1255,
        0.2861,
        -0.1423,
        -0.1743,
        0.0773,
        -0.387,
        -0.0801,
        -0.3934,
        0.0404,
        -0.0641,
        0.2031,
        0.0521,
        -0.1929,
        -0.0557,
        -0.2593,
        0.0179,
    ]
)
CONSTANT = -1.7603
SAMPLE_SIDE = 64
"""Longest side, in pixels, of the sample of colours that is looked at."""


def features(rgb: np.ndarray) -> np.ndarray:
    """(24,) numbers in the order of `NAMES`, of an (h, w, 3) uint8 raster; none depends on the size of the picture."""
    from quality.image_kernels import sampled
    from quality.layout_kernels import layout

    return layout(sampled(rgb, -(-max(rgb.shape[:2]) // SAMPLE_SIDE)))


def score(rgb: np.ndarray) -> float:
    """Log odds of something else over skin, both taken as equally frequent."""
    return odds(features(rgb))


def odds(values: np.ndarray) -> float:
    """The same of `features`."""
    z = np.clip((values - MEANS) / SPREADS, -3, 3)
    return round(float(z @ LINEAR + (z * z) @ SQUARE + CONSTANT), 3)
