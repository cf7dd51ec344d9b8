"""How light, hues and relief lie in a picture: sixty-four numbers from which fitted rules conclude (`quality.off_topic`, `quality.modality`)."""

import numpy as np

LAYOUT = (
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
RELIEF = (
    *(f"{a} with {b}" for a, b in (("light", "red"), ("light", "blue"), ("red", "blue"))),
    *(f"{what} of ring {n}" for n in range(5) for what in ("light", "red", "blue")),
    *(f"light {way}" for way in ("across", "down")),
    *(f"{what}, {n} %" for what in ("red less green", "green less blue") for n in (5, 50, 95)),
    *(f"step at {n} of 64" for n in (1, 2, 4, 8, 16)),
    *(f"{what} of {side}" for side in (64, 128) for what in ("relief", "leaning", "peaks", "evenness")),
    "step at 1 of 128",
)
NAMES = (*LAYOUT, *RELIEF)
SIDES = (64, 128)
"""Longest sides, in pixels, at which colours and relief are looked at: the smallest pictures of the sets have 150."""


def features(rgb: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """(64,) numbers in the order of `NAMES`, of an (h, w, 3) uint8 raster and its `working_grey`; none depends on the size of the picture."""
    from quality import layout_kernels, relief_kernels
    from quality.image_kernels import sampled

    cells = layout_kernels.cell_means(sampled(rgb, -(-max(rgb.shape[:2]) // SIDES[0])))
    larger = _at_side(grey, SIDES[1])
    small = _at_side(larger, SIDES[0])
    return np.concatenate(
        [
            layout_kernels.layout(cells),
            relief_kernels.light_and_hues(cells),
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
