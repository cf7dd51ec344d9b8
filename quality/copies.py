"""What the comparison of two pictures means: one photograph, one lesion, or nothing that joins them.

Calibrated on real photographs: among 881 pairs of different HAM10000 lesions that a perceptual hash proposes, at most 6 keypoints agree
(but for two pairs, which show one lesion under two ids), against at least 12 of every kind of copy; and on 600 pairs of one lesion,
where other photographs agree in their keypoints but not in their tones. docs/duplicates.md has the tables.
"""

from enum import StrEnum

from quality.geometry import Fit
from quality.thresholds import COMMON, COPY_KEYPOINTS, COPY_TONE, LESION_TONE, REGISTER_TONE, SAME_PHOTOGRAPH


class Verdict(StrEnum):
    """What joins two pictures: a copy may be deleted, a lesion is kept together, a different picture is only a candidate."""

    COPY = "copy"
    LESION = "same lesion"
    DIFFERENT = "different"


def verdict(fit: Fit) -> Verdict:
    """Copies agree as whole pictures and in their blocks, or lie in register, or agree in tone wherever one maps onto the other.

    Whole pictures alone are not enough: two lesions seen through one dark-rimmed dermoscope reach .92.
    """
    if fit.whole >= SAME_PHOTOGRAPH and fit.tone >= LESION_TONE:
        return Verdict.COPY
    if fit.registered >= COPY_KEYPOINTS and fit.tone >= REGISTER_TONE:
        return Verdict.COPY
    if fit.inliers >= COPY_KEYPOINTS and fit.tone >= COPY_TONE and fit.common >= COMMON:
        return Verdict.COPY
    if fit.inliers >= COPY_KEYPOINTS and fit.tone >= LESION_TONE:
        return Verdict.LESION
    return Verdict.DIFFERENT
