"""The individual typology angle of the skin around a lesion: an estimate, never a label.

ITA = atan2(L* - 50, b*) in degrees (Chardin 1991). It was defined for a colorimeter on the skin. A photograph adds its light: exposure moves
L*, white balance and a dermoscope's pink or blue light move b*. Of Fitzpatrick 17k, ITA is within one type of the human label for half of the
pictures only (Groh 2021). It may describe a set as a histogram; it fills no missing label and overwrites none.
"""

import math

from quality import thresholds as t
from quality.evidence import Evidence


def typology_angle(evidence: Evidence) -> float | None:
    """Degrees, -90 to 180, from the median CIELAB of the skin around the outline; None without a trusted outline."""
    if not evidence.measured or evidence.skin_lab == (0.0, 0.0, 0.0):
        return None
    light, _, yellow = evidence.skin_lab
    return round(math.degrees(math.atan2(light - 50, yellow)), 1)


def doubt(evidence: Evidence) -> str | None:
    """Why the angle says more about the light than about the skin; None where nothing shows that it does."""
    if typology_angle(evidence) is None:
        return None
    light, red, yellow = evidence.skin_lab
    if red - t.SKIN_HUE[0] > t.PINK_LIGHT:
        return "pink light"
    if yellow < t.SKIN_YELLOW[0]:
        return "blue light"
    if yellow > t.SKIN_YELLOW[1]:
        return "yellow light"
    return None if t.SKIN_LIGHTNESS[0] <= light <= t.SKIN_LIGHTNESS[1] else "too dark or too bright"
