"""Faces: dlib's frontal detector (histograms of oriented gradients, King 2009), whose weights are part of the library.

It finds upright frontal faces of about a third of the longer side and more. Profiles, turned faces, lone eyes, tattoos and jewellery it
does not find: nothing here says that a picture shows nobody.
"""

from functools import lru_cache
from typing import Any

import numpy as np

LEAST_SCORE = -0.5


def face_score(grey: np.ndarray) -> float:
    """The detector's score of the likeliest face in a luminance at working size; `LEAST_SCORE` where it finds none. Its own limit is 0.

    Its window has 80 pixels: of 256.
    """
    _, scores, _ = _detector().run(np.ascontiguousarray(grey), 0, LEAST_SCORE)
    return round(max([LEAST_SCORE, *scores]), 4)


@lru_cache(maxsize=1)
def _detector() -> Any:
    import dlib

    return dlib.get_frontal_face_detector()
