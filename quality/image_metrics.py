"""What is measured of a picture before anything is concluded: light, detail, compression, margins, marks and colours. No weights.

Everything is measured at a longest side of `WORKING_SIDE` pixels or less, only compression at full size on a sample of rows. The gates
that look at these numbers are in `quality.image_gates`.
"""

from dataclasses import dataclass

import numpy as np

from quality import marks

WORKING_SIDE = 256
COLOUR_SIDE = 128
"""Longest sides, in pixels, of the luminance and of the sample of colours."""
SEAM_GAPS = 0.3
"""Share of the rows (or columns) in which the parts of a collage may look alike."""
BLOCK_ROWS = 32
"""Rows, about, that are looked at for compression."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Numbers of one picture. Levels are 0 to 255, shares 0 to 1, lengths in longest sides.

    `light_high`, `light_middle`, `light_low`: luminance's 98th, 50th, 2nd percentile; `sharpness`: luminance differences at 1 pixel over
    those at 8, along the direction in which that is least (0.125 in a smooth or shaken picture), times least over most fine detail of four
    directions (shaken pictures have none along one); `texture`: mean difference at 1 pixel;
    `blockiness`: jumps at the borders of 8 x 8 blocks over those inside; `flat_share`: pixels equal to their neighbours at full size,
    `edge_share`: pixels 40 levels and more from a neighbour; `palette_share`: pixels of the two commonest of 4,096 colours;
    `skin_share`: pixels of a hue that skin has in some light; `violet_share`: pixels as stained nuclei are; `colourfulness`: largest less smallest
    channel; `dark_corners`: how many; `margin`: share that a frame takes; `seam`: how a straight line across stands out.
    """

    light_high: int
    light_middle: int
    light_low: int
    clipped_share: float
    black_share: float
    contrast: int
    sharpness: float
    texture: float
    edge_share: float
    blockiness: float
    flat_share: float
    palette_share: float
    skin_share: float
    violet_share: float
    coloured_share: float
    colourfulness: float
    dark_corners: int
    corner_light: float
    margin: float
    seam: float
    hair_length: float
    ruler_ticks: int
    text_characters: int
    ink_share: float
    red: float
    green: float
    blue: float


def measure(rgb: np.ndarray, grey: np.ndarray) -> Metrics:
    """The numbers of an (h, w, 3) uint8 raster of at least 32 x 32 pixels; `grey` is its `working_grey`."""
    from quality import image_kernels as k

    few = k.sampled(rgb, -(-max(rgb.shape[:2]) // COLOUR_SIDE))
    palette, light, counts = np.zeros(4096, np.int64), np.zeros(256, np.int64), np.zeros(10, np.int64)
    k.tally(few, palette, light, counts)
    pixels = few.shape[0] * few.shape[1]
    levels = np.searchsorted(np.cumsum(light), np.array([0.98, 0.5, 0.02, 0.75]) * pixels)
    steps = k.differences(grey)
    edge, other, flat = k.blocks(rgb, BLOCK_ROWS)
    corners, corner_light = _corners(grey, int(levels[3]))
    found = marks.find(grey)
    red, green, blue = (round(float(total) / pixels, 2) for total in counts[6:9])
    return Metrics(
        light_high=int(levels[0]),
        light_middle=int(levels[1]),
        light_low=int(levels[2]),
        clipped_share=_share(counts[0], pixels),
        black_share=_share(counts[1], pixels),
        contrast=int(levels[0] - levels[2]),
        sharpness=_sharpness(steps[:4]),
        texture=round(float(steps[0, 0] + steps[1, 0]) / 2, 4),
        edge_share=round(float(steps[4, 0]), 4),
        blockiness=_ratio(edge + 0.5, other + 0.5),
        flat_share=round(float(flat), 4),
        palette_share=_share(counts[9], pixels),
        skin_share=_share(counts[2], max(pixels - int(counts[1]), 1)),
        violet_share=_share(counts[3], pixels),
        coloured_share=_share(counts[4], pixels),
        colourfulness=round(float(counts[5]) / pixels, 2),
        dark_corners=corners,
        corner_light=corner_light,
        margin=_margin(grey),
        seam=_seam(grey),
        hair_length=found.hair_length,
        ruler_ticks=found.ruler_ticks,
        text_characters=found.text_characters,
        ink_share=marks.ink_share(few),
        red=red,
        green=green,
        blue=blue,
    )


def _share(count: float, of: int) -> float:
    return round(float(count) / of, 4)


def _ratio(a: float, b: float) -> float:
    return round(float(a) / max(float(b), 1e-3), 4)


def _sharpness(steps: np.ndarray) -> float:
    """Of differences at 1 and at 8 pixels and second differences, in four directions, the last two aslant (where fine detail counts twice)."""
    fine = steps[:, 2] / np.array([1.0, 1.0, 2.0, 2.0]) + 0.05
    return round(min(_ratio(*pair) for pair in steps[:, :2]) * float(fine.min() / fine.max()), 4)


def working_grey(rgb: np.ndarray) -> np.ndarray:
    """(h, w) uint8 luminance at the working size: of four pixels of each square first, which is fast, then the rest of the way."""
    import cv2

    from quality.image_kernels import shrunk

    factor = min(max(rgb.shape[:2]) // WORKING_SIDE, min(rgb.shape[:2]))
    grey = shrunk(rgb, factor) if factor > 2 else cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    if factor == 2:
        height, width = grey.shape[0] // 2, grey.shape[1] // 2
        grey = cv2.resize(grey[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    height, width = grey.shape
    scale = WORKING_SIDE / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR)
    return grey


def _corners(grey: np.ndarray, lighter: int) -> tuple[int, float]:
    """How many corners are nearly black beside the lighter half of the picture, and the light of the second darkest over that half's."""
    import cv2

    size = max(2, min(grey.shape) // 20)
    found = sorted(
        cv2.sumElems(part)[0] / part.size for rows in (grey[:size], grey[-size:]) for part in (rows[:, :size], rows[:, -size:])
    )
    return sum(value < 0.4 * lighter for value in found), round(found[1] / max(lighter, 1), 4)


def _margin(grey: np.ndarray) -> float:
    """Share of the picture that a frame or bars of one shade take."""
    from quality.image_kernels import margins

    top, bottom, left, right = margins(grey, 10, 12).tolist()
    height, width = grey.shape
    return round(1 - max(height - top - bottom, 0) * max(width - left - right, 0) / (height * width), 4)


def _seam(grey: np.ndarray) -> float:
    """How far a straight line from edge to edge stands out from the columns (or rows) beside it."""
    import cv2

    from quality.image_kernels import standing_out, steps_across

    steps = (steps_across(side, SEAM_GAPS) for side in (grey, cv2.transpose(grey)))
    return round(max(standing_out(across, 12, len(across) // 6) for across in steps), 4)
