"""Marks on a picture that are not skin: hairs, a ruler's ticks, printed characters, ink."""

from dataclasses import dataclass

import numpy as np

from quality import thresholds as t


@dataclass(frozen=True, slots=True)
class Marks:
    """Length of hairs in longest sides of the picture, ticks of the longest evenly spaced row, characters of the longest line."""

    hair_length: float
    ruler_ticks: int
    text_characters: int


def find(grey: np.ndarray) -> Marks:
    """Look for hairs, ticks and characters in a luminance at working size."""
    from quality.image_kernels import lines

    reach = max(3, round(max(grey.shape) / 64))
    hair, ticks, characters = 0.0, 0, 0
    thin = _components(lines(grey, reach, t.HAIR_LINE_DEPTH, 1))
    if len(thin):
        hair = _hair_length(thin, max(grey.shape))
    for sign in (1, -1):
        printed = _components(lines(grey, reach, t.PRINT_DEPTH, sign))
        characters = max(characters, _characters(printed, grey.shape))
        ticks = max(ticks, _ticks(printed, max(grey.shape)))
    return Marks(round(hair, 3), ticks, characters)


def _components(mask: np.ndarray) -> np.ndarray:
    """(n, 7) of connected parts of four pixels and more: left, top, width, height, area, and the centre's x and y."""
    import cv2

    if not mask.any():
        return np.zeros((0, 7))
    _, _, stats, centres = cv2.connectedComponentsWithStats(mask)
    rows = np.concatenate([stats[1:].astype(np.float64), centres[1:]], axis=1)
    return rows[rows[:, 4] >= 4]


def _hair_length(parts: np.ndarray, side: int) -> float:
    """Total length of parts that are long and thin."""
    length = np.hypot(parts[:, 2], parts[:, 3])
    fill = parts[:, 4] / (parts[:, 2] * parts[:, 3])
    thin = (length > t.HAIR_LEAST * side) & (parts[:, 4] < 5 * length) & ((fill < 0.35) | (np.minimum(parts[:, 2], parts[:, 3]) < 7))
    return float(length[thin].sum() / side)


def _ticks(parts: np.ndarray, side: int) -> int:
    """Most parts in a straight evenly spaced row, all short, thin and alike."""
    from quality.marks_kernels import longest_row

    length = np.hypot(parts[:, 2], parts[:, 3])
    low, high = np.minimum(parts[:, 2], parts[:, 3]), np.maximum(parts[:, 2], parts[:, 3])
    short = parts[(length < 0.14 * side) & (length > 3) & (low < 0.75 * high + 1) & (parts[:, 4] < 4.5 * length)]
    if not 4 <= len(short) <= 400:
        return 0
    return int(longest_row(np.ascontiguousarray(short[:, 5:7]), np.ascontiguousarray(short[:, 2:4]), 0.16 * side))


def _characters(parts: np.ndarray, shape: tuple[int, ...]) -> int:
    """Most parts that stand on one line as characters do: of one height, side by side, close together."""
    height = parts[:, 3]
    side = max(shape)
    like = (height >= 5) & (height < 0.2 * side) & (parts[:, 2] < 2 * height) & (parts[:, 4] > 0.12 * parts[:, 2] * height)
    chosen = parts[like]
    if not 3 <= len(chosen) <= 400:
        return 0
    from quality.marks_kernels import longest_line

    return int(longest_line(np.ascontiguousarray(chosen[np.argsort(chosen[:, 0], kind="stable")])))


def ink_share(rgb: np.ndarray) -> float:
    """Share of strokes that are bluer than the skin by more than lesions are, in a sample of colours."""
    import cv2

    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    light, a, b = (lab[:, :, n].astype(np.int16) for n in range(3))
    lit = light > 40
    if lit.sum() < 64:
        return 0.0
    skin_a, skin_b = int(np.median(a[lit])), int(np.median(b[lit]))
    blue = lit & ((b < 126) & (b - skin_b < -t.INK_BLUER) & (a - skin_a < 18) | (a < 122) & (a - skin_a < -t.INK_GREENER))
    if not blue.any():
        return 0.0
    mask = blue.astype(np.uint8)
    thick = max(3, round(max(rgb.shape[:2]) / 12)) | 1
    blobs = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((thick, thick), np.uint8))
    return round(float((mask & ~blobs & 1).mean()), 4)
