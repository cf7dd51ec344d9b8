"""Photometric verification: are two pictures one photograph? High-pass luminance, squeezed to one size, correlated.

Measured on real dermoscopy (shared archive ids of HAM10000 and a squashed 180 x 180 selection): 670 copies score at least .926;
881 pairs of different lesions that a perceptual hash proposes score at most .84.
"""

import numpy as np

WIDTH, HEIGHT, BOX = 96, 72, 17


def signature(rgb: np.ndarray) -> np.ndarray:
    """(72, 96) float32 of unit norm: luminance minus its 17 x 17 box mean, so that light and tint do not count."""
    import cv2

    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
    high = small - cv2.blur(small, (BOX, BOX), borderType=cv2.BORDER_REFLECT)
    high -= high.mean()
    norm = float(np.linalg.norm(high))
    return high / norm if norm else high


def same_photograph(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two signatures, -1 to 1; at or above `quality.thresholds.SAME_PHOTOGRAPH` they are copies."""
    return float(np.vdot(a, b))
