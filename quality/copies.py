"""What the comparison of two pictures means: one photograph, one lesion, or nothing that joins them.

Calibrated on real photographs: among 881 pairs of different HAM10000 lesions that a perceptual hash proposes, at most 6 keypoints agree
(but for two pairs, which show one lesion under two ids), against at least 12 of every kind of copy; and on 600 pairs of one lesion,
where other photographs agree in their keypoints but less in their tones. docs/duplicates.md has the tables.
"""

from enum import StrEnum

from quality.geometry import Fit
from quality.thresholds import (
    BANDED_TONE,
    COMMON,
    CONTRADICTED_TONE,
    CONTRADICTED_WHOLE,
    COPY_KEYPOINTS,
    COPY_TONE,
    LESION_TONE,
    REGISTER_TONE,
    SAME_PHOTOGRAPH,
    WHOLE_TONE,
)


class Verdict(StrEnum):
    """What joins two pictures: a copy may be deleted, a lesion is kept together, a different picture is only a candidate."""

    COPY = "copy"
    LESION = "same lesion"
    DIFFERENT = "different"


def verdict(fit: Fit, *, contradicted: bool = False) -> Verdict:
    """Copies agree as whole pictures and in their blocks, or lie in register, or agree in tone wherever one maps onto the other.

    Whole pictures alone are not enough: two lesions seen through one dark-rimmed dermoscope reach .92. Where the source itself says
    that they are two lesions (`contradicted`), only tones of a copy prove it wrong; less keeps them together without deleting any.
    """
    mapped = fit.inliers >= COPY_KEYPOINTS
    is_copy = (
        (fit.whole >= SAME_PHOTOGRAPH and fit.tone >= WHOLE_TONE)
        or (fit.registered >= COPY_KEYPOINTS and fit.tone >= (BANDED_TONE if fit.banded else REGISTER_TONE))
        or (mapped and fit.tone >= COPY_TONE and fit.common >= COMMON)
    )
    sure = fit.tone >= CONTRADICTED_TONE or fit.whole >= CONTRADICTED_WHOLE
    if is_copy and (sure or not contradicted):
        return Verdict.COPY
    return Verdict.LESION if is_copy or (mapped and fit.tone >= LESION_TONE) else Verdict.DIFFERENT
