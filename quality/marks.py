"""Marks on a picture that are not skin: hairs, a ruler's ticks, printed characters, ink."""

from dataclasses import dataclass

import numpy as np

from quality import thresholds as t

HAIR, DARK_PRINT, LIGHT_PRINT = 1, 2, 4
"""Bits of `quality.image_kernels.lines`."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Length of hairs in longest sides of the picture, ticks of the longest evenly spaced row, characters of the longest line."""

    hair_length: float
    ruler_ticks: int
    text_characters: int


def find(grey: np.ndarray) -> Marks:
    """Look for hairs, ticks and characters in a luminance at working size."""
    from quality.image_kernels import lines, parts

    side, found = max(grey.shape), lines(grey, max(3, round(max(grey.shape) / 64)), t.HAIR_LINE_DEPTH, t.PRINT_DEPTH)
    printed = [parts(found, bit, 4) for bit in (DARK_PRINT, LIGHT_PRINT)]
    return Marks(
        round(_hair_length(parts(found, HAIR, 4), side), 3),
        max(_ticks(which, side) for which in printed),
        max(_characters(which, side) for which in printed),
    )


def _hair_length(parts: np.ndarray, side: int) -> float:
    """Total length of parts that are long and thin."""
    length = np.hypot(parts[:, 2], parts[:, 3])
    fill = parts[:, 4] / (parts[:, 2] * parts[:, 3])
    thin = (
        (length > t.HAIR_LEAST * side)
        & (parts[:, 4] < 5 * length)
        & ((fill < 0.35) | (np.minimum(parts[:, 2], parts[:, 3]) < 7))
    )
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


def _characters(parts: np.ndarray, side: int) -> int:
    """Most parts that stand on one line as characters do: of one height, side by side, close together."""
    height = parts[:, 3]
    like = (height >= 5) & (height < 0.2 * side) & (parts[:, 2] < 2 * height) & (parts[:, 4] > 0.12 * parts[:, 2] * height)
    chosen = parts[like]
    if not 3 <= len(chosen) <= 400:
        return 0
    from quality.marks_kernels import longest_line

    return int(longest_line(np.ascontiguousarray(chosen[np.argsort(chosen[:, 0], kind="stable")])))


def ink_share(rgb: np.ndarray) -> float:
    """Share of strokes that are bluer than the skin by more than lesions are, in a sample of colours."""
    import cv2

    from quality.image_kernels import inked

    mask = inked(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), t.LIT, t.INK_BLUER, t.INK_GREENER)
    return 0.0 if cv2.countNonZero(mask) / mask.size < t.INK_STROKES else round(_strokes(mask), 4)


def _strokes(mask: np.ndarray) -> float:
    """Share of the picture in parts that are long and of a pen's width: a blue lesion is neither."""
    import cv2

    side = max(mask.shape)
    thick = max(3, side // 11) | 1
    core = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((thick, thick), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    )
    inside = np.bincount(labels[core > 0], minlength=count)[1:]
    area, length = stats[1:, cv2.CC_STAT_AREA], np.hypot(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    pen = (length > t.INK_LEAST * side) & (inside < 0.2 * area) & (area < 0.18 * length * side)
    return float(area[pen].sum() / mask.size)
