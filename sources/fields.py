"""Values that many sets spell differently: missing, age, sex and body site, parsed once for all readers."""

import math
import re
from dataclasses import dataclass

MISSING = frozenset({"", "nan", "na", "n/a", "none", "null", "unknown", "unk", "unspecified", "not specified", "-"})

OLDEST = 120
"""Years; no one older is documented to have been in such a set."""


@dataclass(frozen=True, slots=True)
class Age:
    """Years, or None when missing. `is_floor`: top-coded as in "85+". `ok` is False when the text is neither age nor missing."""

    years: float | None
    is_floor: bool = False
    ok: bool = True


def missing(text: str) -> bool:
    """Whether a value says that there is none."""
    return text.strip().casefold() in MISSING


def value(text: str) -> str | None:
    """The trimmed text, or None when it is missing."""
    return None if missing(text) else text.strip()


def age(text: str) -> Age:
    """Parse an age in years: `45`, `45.0`, `85+`, `>= 85`, `NaN`, `unknown`."""
    if missing(text):
        return Age(None)
    match = re.fullmatch(r"(>=?|≥)?\s*(\d{1,3}(?:[.,]\d+)?)\s*(\+)?", text.strip())
    years = float(match[2].replace(",", ".")) if match else math.nan
    if not match or not 0 <= years <= OLDEST:
        return Age(None, ok=False)
    return Age(years, is_floor=bool(match[1] or match[3]))


def sex(text: str) -> str | None:
    """`female`, `male`, `other`, or None when missing or not understood."""
    return {"f": "female", "female": "female", "m": "male", "male": "male", "other": "other"}.get(text.strip().casefold())


_REGIONS = {
    "head_neck": "head neck face scalp forehead temple eye eyelid ear nose cheek lip mouth chin jaw",
    "trunk_front": "chest abdomen breast anterior_torso sternum",
    "trunk_back": "back posterior_torso lumbar scapular",
    "trunk_unspecified": "trunk torso lateral_torso",
    "shoulder_axilla": "shoulder axilla armpit",
    "upper_limb": "upper_extremity arm forearm elbow wrist hand palm finger",
    "lower_limb": "lower_extremity leg thigh knee calf shin ankle foot sole toe",
    "gluteal_buttocks": "buttock buttocks gluteal",
    "groin_genital_perineum": "genital groin perineum",
    "nail": "nail",
    "mucosa": "oral mucosa tongue",
}
_REGION_OF = {word: region for region, words in _REGIONS.items() for word in words.split()}


def body_site(text: str | None) -> str | None:
    """One of eleven body regions for a site as published; None when it names none of them (`acral` alone is hand or foot)."""
    if text is None or missing(text):
        return None
    key = re.sub(r"[^a-z]+", "_", text.casefold()).strip("_")
    if key in _REGION_OF:
        return _REGION_OF[key]
    found = {_REGION_OF[word] for word in key.split("_") if word in _REGION_OF}
    return found.pop() if len(found) == 1 else None
