"""Are two pictures one photograph, one lesion, or neither? Keypoints in either chirality, then tones in the common part.

Three questions about two pictures, from their stored features alone:
`registered`: how many matching keypoints lie at the same place, in one of the eight orientations, and whether they are
`banded`, all in one quarter of the picture;
`inliers`: how many agree with one affine map (RANSAC), for copies that were cropped, turned or framed;
`tone`: the second picture laid over the first, high-pass luminance correlated block by block, the median over textured blocks - so that
hairs, rulers and watermarks, which cover a few blocks, neither make a copy nor hide one.
"""

from dataclasses import dataclass

import numpy as np

from quality.keypoints import SIDE, SMALL, Features, Keypoints
from quality.phash import orient
from quality.thresholds import COPY_KEYPOINTS, SAME_PHOTOGRAPH

RATIO = 0.8
"""Best over second-best descriptor distance (Lowe's test)."""

REACH, IN_PLACE = 5.0, 3.0
"""Pixels of the 256-pixel square within which a mapped keypoint agrees, and within which it lies at the same place."""

BOX, BLOCK, COARSE = 9, 16, 23
"""Pixels of the 128-pixel square: box of the high-pass filter of a block, its side, and the box for the whole picture."""

BANDS = 8
"""Bands of the picture in which keypoints are counted; two neighbouring ones are a quarter."""

INSIDE = np.s_[BLOCK : SMALL - BLOCK, BLOCK : SMALL - BLOCK]
"""The picture without its rim."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How two pictures fit. `tone` is that of the better of register and map; `whole` is the correlation of the whole pictures.

    `orientation` (`quality.phash.orient`) turns b upright onto a where keypoints or tones say so; `common` is the share of the smaller
    picture that the other shows as well.
    """

    registered: int
    banded: bool
    inliers: int
    common: float
    tone: float
    whole: float
    orientation: int


def fit(a: Features, b: Features, orientation: int = 0) -> Fit:
    """Compare two pictures in the chirality of `orientation`, in which b was proposed: 0 to 7, `quality.phash.orient`."""
    mirrored = bool(orientation.bit_count() & 1)
    there, here = _matches(a.plain, b.mirrored if mirrored else b.plain)
    in_place = {k: _in_register(there, here, k) for k in range(8) if bool(k.bit_count() & 1) == mirrored}
    best = max(in_place, key=lambda k: (len(in_place[k]), -k))
    registered, banded = len(in_place[best]), _in_a_band(in_place[best])
    if registered < COPY_KEYPOINTS:
        best = orientation
    inliers, matrix = _mapped(there, here)
    upright = orient(b.grey, best)
    whole = whole_tone(a.grey, upright)
    tone, common = 0.0, 0.0
    if registered >= COPY_KEYPOINTS or whole >= SAME_PHOTOGRAPH:
        tone, common = _register_tone(a.grey, upright), 1.0
    if matrix is not None:
        mapped, share = _tone(a.grey, b.grey[:, ::-1] if mirrored else b.grey, matrix)
        tone, common = max((tone, common), (mapped, share))
    return Fit(registered, banded, inliers, common, tone, whole, best)


def _matches(a: Keypoints, b: Keypoints) -> tuple[np.ndarray, np.ndarray]:
    """Places (n, 2) of matching keypoints in a, and in b."""
    from quality.hamming_kernels import matched

    if len(a.places) < 2 or len(b.places) < 2:
        return np.empty((0, 2), np.float32), np.empty((0, 2), np.float32)
    left, right = matched(a.descriptors.view(np.uint64), b.descriptors.view(np.uint64), RATIO)
    return a.places[left, :2], b.places[right, :2]


def _in_register(there: np.ndarray, here: np.ndarray, k: int) -> np.ndarray:
    """Places (n, 2) of the matches that lie at one place once b is in orientation k; for an odd number of flips `here` lies in b's mirror image."""
    x, y = here[:, 0], here[:, 1]
    if k.bit_count() & 1:
        x = SIDE - 1 - x
    if k & 4:
        x, y = y, x
    if k & 2:
        y = SIDE - 1 - y
    if k & 1:
        x = SIDE - 1 - x
    return there[np.hypot(there[:, 0] - x, there[:, 1] - y) <= IN_PLACE]


def _in_a_band(places: np.ndarray) -> bool:
    """Whether nearly all lie in one quarter of the picture, across or down: as those of a watermark or a ruler do."""
    for along in places.T:
        counts = np.bincount((along * BANDS / SIDE).astype(int), minlength=BANDS)
        if len(along) - int((counts[1:] + counts[:-1]).max()) < COPY_KEYPOINTS // 2:
            return True
    return False


def _mapped(there: np.ndarray, here: np.ndarray) -> tuple[int, np.ndarray | None]:
    """Keypoints that agree with one affine map of b onto a, and the map (2, 3) if they are enough."""
    import cv2

    if len(there) < COPY_KEYPOINTS:
        return 0, None
    matrix, agree = cv2.estimateAffine2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=REACH, maxIters=2000)
    if matrix is None or not _plausible(matrix):
        return 0, None
    inliers = int(agree.sum())
    return inliers, matrix if inliers >= COPY_KEYPOINTS else None


def _plausible(matrix: np.ndarray) -> bool:
    """Whether an affine map keeps handedness and stretches neither axis out of proportion."""
    if not np.isfinite(matrix).all():
        return False
    scales = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return bool(np.linalg.det(matrix[:, :2]) > 0 and scales[1] > 0.2 and scales[0] < 5 and scales[0] < 2.2 * scales[1])


def whole_tone(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two (128, 128) luminances after their box means are taken out; 0 for flat ones.

    The rim is left out: black frames and the edge of a dermoscope make strangers look alike.
    """
    import cv2

    first, second = (g - cv2.blur(g, (COARSE, COARSE)) for g in (a.astype(np.float32), b.astype(np.float32)))
    return _correlation(first[INSIDE].ravel(), second[INSIDE].ravel())


def _register_tone(a: np.ndarray, b: np.ndarray) -> float:
    """Median correlation of blocks at the same place, without the rim."""
    import cv2

    first, second = (g - cv2.blur(g, (BOX, BOX)) for g in (a.astype(np.float32), b.astype(np.float32)))
    inner = range(BLOCK, SMALL - BLOCK, BLOCK)
    blocks = [np.s_[y : y + BLOCK, x : x + BLOCK] for y in inner for x in inner]
    return float(np.median([_correlation(first[at].ravel(), second[at].ravel()) for at in blocks]))


def _tone(a: np.ndarray, b: np.ndarray, matrix: np.ndarray) -> tuple[float, float]:
    """Median correlation of the blocks that both pictures cover, b laid over a, and the share of the smaller one that both show."""
    import cv2

    scaled = matrix.astype(np.float64)
    scaled[:, 2] *= SMALL / SIDE
    area = float(abs(np.linalg.det(scaled[:, :2])))
    laid = cv2.warpAffine(np.ascontiguousarray(b), scaled, (SMALL, SMALL), flags=cv2.INTER_LINEAR)
    covered = cv2.warpAffine(np.full_like(b, 255), scaled, (SMALL, SMALL), flags=cv2.INTER_NEAREST) > 0
    common = float(covered.mean()) / min(1.0, area)
    sure = cv2.erode(covered.astype(np.uint8), np.ones((BOX, BOX), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0
    if area > 1.1:  # b has fewer pixels for the same skin: a is shown as coarsely
        size = round(SMALL / float(np.sqrt(area)))
        a = cv2.resize(
            cv2.resize(a, (size, size), interpolation=cv2.INTER_AREA), (SMALL, SMALL), interpolation=cv2.INTER_LINEAR
        )
    first, second = (g - cv2.blur(g, (BOX, BOX)) for g in (a.astype(np.float32), laid.astype(np.float32)))
    corners = [(y, x) for y in range(0, SMALL, BLOCK) for x in range(0, SMALL, BLOCK)]
    blocks = [np.s_[y : y + BLOCK, x : x + BLOCK] for y, x in corners]
    found = [_correlation(first[at][sure[at]], second[at][sure[at]]) for at in blocks if sure[at].mean() >= 0.6]
    return (float(np.median(found)) if len(found) >= 4 else 0.0), min(common, 1.0)


def _correlation(p: np.ndarray, q: np.ndarray) -> float:
    p, q = p - p.mean(), q - q.mean()
    size = float(np.sqrt((p @ p) * (q @ q)))
    return float(p @ q) / size if size > 1e-6 else 0.0
