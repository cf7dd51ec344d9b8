"""What pixels show: a classical segmentation of the lesion, and colours, symmetry, outline, edge and shape measured from it.

A statement is made only when the measurement is clear of its threshold and the outline is trustworthy; everything else is left
unsaid. Reference colours and thresholds stand in `quality.thresholds`. The segmentation's agreement with published lesion masks is
measured by `python -m benchmarks.segmentation`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from prompts.schemas import COLOURS
from quality import thresholds as t

WORKING_SIDE = 192
"""Longest side, in pixels, at which everything is measured."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Measurements of one lesion. Lengths are relative, areas are shares, colours are CIELAB.

    `measured` is False, with `why_not`, when no outline can be trusted. `asymmetry` is the area outside the mirror image along each
    principal axis, `traces` the share of every colour of `COLOURS` (None where the light can fake it), `edge_width` is in lesion radii, `contrast` the CIE76 difference
    between lesion and surrounding skin.
    """

    measured: bool
    why_not: str = ""
    area_share: float = 0.0
    colours: tuple[str, ...] = ()
    colour_shares: tuple[float, ...] = ()
    traces: tuple[float | None, ...] = ()
    colours_clear: bool = False
    asymmetry: tuple[float, float] = (0.0, 0.0)
    tone_asymmetry: float = 0.0
    solidity: float = 0.0
    edge_width: float = 0.0
    elongation: float = 0.0
    contrast: float = 0.0
    skin_lab: tuple[float, float, float] = (0.0, 0.0, 0.0)
    touches_frame: bool = False


def measure(rgb: np.ndarray) -> Evidence:
    """Segment and measure an (h, w, 3) uint8 raster."""
    small = _working(rgb)
    lab = _lab(_without_hair(small))
    mask, why_not = _segment(lab)
    if mask is None:
        return Evidence(False, why_not)
    ring = _ring(mask)
    skin = np.median(lab[ring], axis=0)
    contrast = float(np.linalg.norm(np.median(lab[mask], axis=0) - skin))
    if contrast < t.LESION_CONTRAST:
        return Evidence(False, "lesion and skin differ too little", contrast=round(contrast, 2))
    shape = shape_of(mask)
    if shape.solidity < (t.RAGGED_AT_FRAME if shape.touches_frame else t.RAGGED):
        return Evidence(False, "the outline is too ragged to be one lesion", contrast=round(contrast, 2))
    neutral = _without_cast(lab, skin)
    if float((neutral[:, :, 2] < t.INK_BLUE).mean()) > t.INK_SHARE:
        return Evidence(False, "strong blue, as of ink or a ruler", contrast=round(contrast, 2))
    shares = _colour_shares(neutral[_core(mask)], np.median(neutral[ring], axis=0))
    needed = {name: t.RED_SHARE if name in t.REDS else t.COLOUR_SHARE for name in COLOURS}
    if skin[1] - t.SKIN_HUE[0] > t.PINK_LIGHT:
        needed |= dict.fromkeys(t.REDS, 2.0)  # light this pink can make brown red: no such colour is named
    named = [name for name in COLOURS if shares[name] >= needed[name]]
    return replace(
        shape,
        colours=tuple(named),
        colour_shares=tuple(round(shares[name], 4) for name in named),
        traces=tuple(None if needed[name] > 1 else round(shares[name], 4) for name in COLOURS),
        colours_clear=all(s > 1.3 * needed[n] if n in named else s < t.COLOUR_TRACE for n, s in shares.items()),
        tone_asymmetry=_tone_asymmetry(lab, mask, contrast),
        edge_width=round(_edge_width(lab, mask, skin), 4),
        contrast=round(contrast, 2),
        skin_lab=(round(float(skin[0]), 2), round(float(skin[1]), 2), round(float(skin[2]), 2)),
    )


def shape_of(mask: np.ndarray) -> Evidence:
    """What a boolean mask alone tells: area, asymmetry, solidity, elongation, contact with the frame."""
    return Evidence(
        measured=True,
        area_share=round(float(mask.mean()), 4),
        asymmetry=_asymmetry(mask),
        solidity=round(_solidity(mask), 4),
        elongation=round(_elongation(mask), 4),
        touches_frame=_touches_frame(mask),
    )


def findings(evidence: Evidence) -> tuple[str, ...]:
    """The statements that a measurement supports, in the words of `prompts.schemas.MEASURED`."""
    if not evidence.measured:
        return ()
    said = [f"colour: {name}" for name in evidence.colours]
    if evidence.colours_clear and evidence.colours:
        said.append(f"number of colours: {('one', 'two', 'three or more')[min(len(evidence.colours), 3) - 1]}")
    if evidence.touches_frame:
        return tuple(said)
    axes = sorted(evidence.asymmetry)
    if axes[1] < t.SYMMETRIC_BELOW and evidence.tone_asymmetry < t.EVEN_BELOW:
        said.append("symmetry: symmetric")
    elif axes[0] > t.ASYMMETRIC_ABOVE:
        said.append("symmetry: asymmetric in both axes")
    elif axes[0] < t.SYMMETRIC_BELOW and axes[1] > t.ASYMMETRIC_ABOVE:
        said.append("symmetry: asymmetric in one axis")
    said += _between("outline", evidence.solidity, ("irregular", t.IRREGULAR_BELOW), ("smooth", t.SMOOTH_ABOVE))
    said += _between("edge", evidence.edge_width, ("sharp", t.SHARP_BELOW), ("gradual", t.GRADUAL_ABOVE))
    if "outline: smooth" in said:  # anything else may be two lesions that touch
        said += _between("shape", evidence.elongation, ("round", t.ROUND_BELOW), ("elongated", t.ELONGATED_ABOVE))
        if t.OVAL_BETWEEN[0] < evidence.elongation < t.OVAL_BETWEEN[1]:
            said.append("shape: oval")
    return tuple(said)


def _between(what: str, value: float, low: tuple[str, float], high: tuple[str, float]) -> list[str]:
    """The low word below its limit, the high word above its own, nothing in the band between them."""
    return [f"{what}: {low[0]}"] if value < low[1] else [f"{what}: {high[0]}"] if value > high[1] else []


def segment(rgb: np.ndarray) -> np.ndarray | None:
    """Boolean lesion mask at the size of `rgb`, or None when none can be trusted."""
    import cv2

    mask, _ = _segment(_lab(_without_hair(_working(rgb))))
    if mask is None:
        return None
    size = (rgb.shape[1], rgb.shape[0])
    return cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)


def _working(rgb: np.ndarray) -> np.ndarray:
    import cv2

    scale = WORKING_SIDE / max(rgb.shape[:2])
    if scale >= 1:
        return np.ascontiguousarray(rgb)
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def _without_hair(rgb: np.ndarray) -> np.ndarray:
    """Thin dark lines filled from their surroundings (black-hat, then a median), as DullRazor does with morphology."""
    import cv2

    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    lines = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel) > t.HAIR_DEPTH
    if not lines.any():
        return rgb
    lines = cv2.dilate(lines.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return np.where(lines[:, :, None], cv2.medianBlur(rgb, 11), rgb)


def _lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB float32, L 0..100, lightly smoothed."""
    import cv2

    blurred = cv2.GaussianBlur(rgb, (0, 0), 1.2)
    return cv2.cvtColor(blurred.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)


def _segment(lab: np.ndarray) -> tuple[np.ndarray | None, str]:
    """Mask at working size and why there is none. Distance from the skin colour, thresholded, centred, one component."""
    import cv2

    valid = _valid(lab)
    skin = _skin_colour(lab, valid)
    difference = lab - skin
    # Lesions are darker or redder than skin; being lighter (glare, scale) counts half.
    lightness = np.where(difference[:, :, 0] > 0, 0.5, 1.0) * difference[:, :, 0]
    distance = np.sqrt(lightness**2 + difference[:, :, 1] ** 2 + 0.5 * difference[:, :, 2] ** 2)
    distance = np.where(valid, cv2.GaussianBlur(distance, (0, 0), 1.5), 0)
    top = float(np.percentile(distance[valid], 99.5))
    if top < t.LESION_CONTRAST:
        return None, "nothing stands out from the skin"
    scaled = np.clip(distance / top * 255, 0, 255).astype(np.uint8)
    cut, _ = cv2.threshold(scaled[valid].reshape(-1, 1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = ((scaled > cut * t.OTSU_FACTOR) & valid).astype(np.uint8)
    size = max(3, round(min(mask.shape) * 0.03) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    mask = cv2.morphologyEx(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), cv2.MORPH_CLOSE, kernel)
    return _component(mask, scaled)


def _valid(lab: np.ndarray) -> np.ndarray:
    """Pixels that are not the black surround of a dermoscope: dark areas that are connected to a corner."""
    import cv2

    dark = (lab[:, :, 0] < t.SURROUND_LIGHTNESS).astype(np.uint8)
    _, labels = cv2.connectedComponents(dark)
    corners = {int(labels[y, x]) for y in (0, -1) for x in (0, -1)} - {0}
    surround = np.isin(labels, list(corners)) if corners else np.zeros_like(dark, dtype=bool)
    surround = cv2.dilate(surround.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    return ~surround if surround.mean() < 0.6 else np.ones_like(surround)


def _skin_colour(lab: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Median colour of the lighter half of the border zone: skin, as lesions sit near the centre and are darker."""
    h, w = valid.shape
    border = np.ones_like(valid)
    border[h // 8 : h - h // 8, w // 8 : w - w // 8] = False
    zone = border & valid
    pixels = lab[zone] if zone.sum() > 50 else lab[valid]
    lighter = pixels[pixels[:, 0] >= np.median(pixels[:, 0])]
    return np.median(lighter, axis=0)


def _component(mask: np.ndarray, scaled: np.ndarray) -> tuple[np.ndarray | None, str]:
    """The component that weighs most, near the centre first, with its holes filled; refused when implausible."""
    import cv2

    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return None, "no connected lesion"
    h, w = mask.shape
    off_centre = np.hypot((centres[1:, 0] - w / 2) / w, (centres[1:, 1] - h / 2) / h)
    strength = np.array([float(scaled[labels == n].mean()) for n in range(1, count)])
    weight = stats[1:, cv2.CC_STAT_AREA] * strength * np.exp(-((off_centre / 0.25) ** 2))
    best = int(np.argmax(weight)) + 1
    found = (labels == best).astype(np.uint8)
    contours, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(found, contours, -1, 1, thickness=cv2.FILLED)
    area = float(found.mean())
    if not t.LESION_AREA[0] <= area <= t.LESION_AREA[1]:
        return None, f"the outline covers {area:.0%} of the picture"
    others = float(stats[1:, cv2.CC_STAT_AREA].sum() - stats[best, cv2.CC_STAT_AREA]) / float(stats[best, cv2.CC_STAT_AREA])
    if others > t.FRAGMENTS:
        return None, "several areas stand out, not one"
    return found.astype(bool), ""


def _ring(mask: np.ndarray) -> np.ndarray:
    """Skin around the lesion, a little away from its edge."""
    import cv2

    near = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    far = cv2.dilate(mask.astype(np.uint8), np.ones((31, 31), np.uint8)).astype(bool)
    ring = far & ~near
    return ring if ring.sum() > 50 else ~mask


def _core(mask: np.ndarray) -> np.ndarray:
    """The lesion without its margin, whose colours are mixtures with skin: the fading rim of a dark spot is no second colour."""
    import cv2

    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    return inside > t.MARGIN * np.sqrt(mask.sum() / np.pi)


def _without_cast(lab: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """The picture as if in neutral light: a* and b* shifted so that skin has skin's usual hue, less so where it is dark."""
    tint = np.clip(skin[1:] - np.array(t.SKIN_HUE, dtype=np.float32), -t.CAST_MOST, t.CAST_MOST)
    light = np.sqrt(np.clip(lab[:, :, :1] / max(float(skin[0]), 1.0), 0, 1))
    return np.concatenate([lab[:, :, :1], lab[:, :, 1:] - light * tint], axis=2)


def _colour_shares(lesion: np.ndarray, skin: np.ndarray) -> dict[str, float]:
    """Share of lesion pixels nearest to each reference colour; pixels that are far from all of them count for none."""
    names = list(t.REFERENCE_LAB)
    references = np.array([t.REFERENCE_LAB[name] for name in names], dtype=np.float32)
    weights = np.array([0.8, 1.0, 1.0], dtype=np.float32)
    apart = np.linalg.norm((lesion[:, None, :] - references[None]) * weights, axis=2)
    nearest = apart.argmin(axis=1)
    known = apart.min(axis=1) < t.COLOUR_RADIUS
    # What looks like the skin around it is not a colour of the lesion.
    like_skin = np.linalg.norm((lesion - skin) * weights, axis=1) < t.SKIN_LIKE
    counts = np.bincount(nearest[known & ~like_skin], minlength=len(names)) / max(len(lesion), 1)
    shares: dict[str, Any] = dict.fromkeys(COLOURS, 0.0)
    for name, share in zip(names, counts.tolist(), strict=True):
        shares[name] += share
    return shares


def _asymmetry(mask: np.ndarray) -> tuple[float, float]:
    """Share of the area that does not overlap its own mirror image, along the two principal axes."""
    turned = _along_axes(mask.astype(np.uint8), mask).astype(bool)
    area = max(int(turned.sum()), 1)
    folds = (turned[::-1], turned[:, ::-1])
    one, other = (round(float((turned & ~np.roll(fold, 1, axis=axis)).sum()) / area, 4) for axis, fold in enumerate(folds))
    return one, other


def _along_axes(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`values` turned so that the lesion's principal axes are those of the picture, its centre in the middle."""
    import cv2

    ys, xs = np.nonzero(mask)
    centre = (float(xs.mean()), float(ys.mean()))
    angle = float(np.degrees(0.5 * np.arctan2(2 * np.cov(xs, ys)[0, 1], np.var(xs) - np.var(ys))))
    side = 2 * max(mask.shape)
    turn = cv2.getRotationMatrix2D(centre, angle, 1.0)
    turn[:, 2] += np.array([side / 2 - centre[0], side / 2 - centre[1]])
    return cv2.warpAffine(values, turn, (side, side), flags=cv2.INTER_NEAREST)


def _tone_asymmetry(lab: np.ndarray, mask: np.ndarray, contrast: float) -> float:
    """Mean difference in lightness between the lesion and its mirror image, over the contrast with skin; the worse of two axes."""
    import cv2

    smooth = cv2.GaussianBlur(np.ascontiguousarray(lab[:, :, 0]), (0, 0), 3)
    tone, inside = _along_axes(smooth, mask), _along_axes(mask.astype(np.uint8), mask).astype(bool)
    worst = 0.0
    for axis in (0, 1):
        fold = np.roll(np.flip(tone, axis), 1, axis=axis)
        both = inside & np.roll(np.flip(inside, axis), 1, axis=axis)
        worst = max(worst, _mean(np.abs(tone - fold)[both]) if both.any() else 1e3)
    return round(worst / contrast, 4)


def _solidity(mask: np.ndarray) -> float:
    """Area over the area of the convex hull: 1 for a smooth convex outline, lower for notches and streaks."""
    import cv2

    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=cv2.contourArea)
    return cv2.contourArea(contour) / max(cv2.contourArea(cv2.convexHull(contour)), 1.0)


def _edge_width(lab: np.ndarray, mask: np.ndarray, skin: np.ndarray) -> float:
    """Width of the transition from lesion to skin, relative to the lesion's radius: from its colour at growing distance.

    Colour is measured along the line from skin to the outer part of the lesion: lightness alone does not tell a pink lesion from skin.
    """
    import cv2

    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    signed = inside - outside
    radius = float(np.sqrt(mask.sum() / np.pi))
    reach = 0.5 * radius
    steps = np.linspace(-reach, reach, 21)
    outer = (signed > 0.1 * radius) & (signed < 0.3 * radius)
    across = np.median(lab[outer if outer.any() else mask], axis=0) - skin
    seen = (lab - skin) @ (across / max(float(np.linalg.norm(across)), 1e-6))
    profile = np.array([_mean(seen[np.abs(signed - s) < max(reach / 20, 0.75)]) for s in steps])
    profile = profile[np.isfinite(profile)]
    if len(profile) < 5:
        return 1.0
    profile = profile[: max(2, int(np.argmax(profile)) + 1)]  # up to the lesion's full colour: a pale centre is another border
    span = float(np.ptp(profile))
    steepest = float(np.diff(profile).max())
    return span / max(steepest, 1e-6) * (steps[1] - steps[0]) / max(radius, 1.0)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _elongation(mask: np.ndarray) -> float:
    """Long over short principal axis."""
    ys, xs = np.nonzero(mask)
    small, large = np.linalg.eigvalsh(np.cov(xs, ys))
    return float(np.sqrt(large / max(small, 1e-6)))


def _touches_frame(mask: np.ndarray) -> bool:
    """Whether more than a sliver of the outline lies on the border of the picture."""
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return bool(edge.mean() > t.FRAME_CONTACT)
