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
    "head_neck": "nostril nostrils eyebrow eyebrows nape occiput earlobe head neck face scalp forehead temple eye eyelid ear nose cheek lip lips mouth chin jaw mandible perioral facial",
    "trunk_front": "stomach belly navel umbilicus epigastric epigastrium breastbone ribs pectoral nipple nipples chest abdomen abdominal breast anterior_torso anterior_trunk torso_front sternum clavicle suprapubic",
    "trunk_back": "spine scapula interscapular shoulder_blade shoulder_blades sacrum sacral back posterior_torso posterior_trunk torso_back lumbar scapular upper_back lower_back mid_back",
    "trunk_unspecified": "trunk torso lateral_torso lateral_trunk flank",
    "shoulder_axilla": "shoulder shoulders axilla axillae armpit deltoid",
    "upper_limb": "fingertip fingertips knuckle knuckles thenar upper_extremity upper_limb arm arms forearm elbow wrist wrists hand hands palm palms palmar finger fingers thumb "
    "back_of_hand dorsum_hand upper_arm antecubital",
    "lower_limb": "instep shinbone kneecap hamstring lower_extremity lower_limb leg legs thigh thighs knee knees popliteal calf shin ankle ankles foot feet sole soles "
    "plantar heel toe toes hip lower_leg lower_legs foot_sole foot_top_or_side dorsum_foot",
    "gluteal_buttocks": "gluteus gluteal_fold buttock buttocks gluteal butt glutealcleft gluteal_cleft natal_cleft",
    "groin_genital_perineum": "genital genitals groin inguinal perineum perianal penis scrotum vulva anogenital_region "
    "perianal_region genital_region genitalia_or_groin anogenital",
    "nail": "nail nails fingernail toenail periungual subungual nail_nos",
    "mucosa": "oral mucosa mucosal buccal tongue gingiva palate conjunctiva mucosalmembranes",
}
_REGION_OF = {word: region for region, words in _REGIONS.items() for word in words.split()}
_REPAIRED = {
    "ower_extremity": "lower_extremity",
    "beylid": "eyelid",
    "dorsum_feet": "foot",
    "lowerlegs": "lower_legs",
    "dorsumhand": "dorsum_hand",
}
"""Misspellings seen in published tables, with what they stand for."""

NO_REGION = frozenset(
    [
        "acral",
        "acral_nos",
        "acral_palms_or_soles",
        "palms_soles",
        "oral_genital",
        "oral_or_genital",
        "other",
        "generalized",
        "localized",
        "widespread",
        "multiple",
        "head_or_neck_and_trunk",
        "whole_body",
        "extremity",
        "extremities",
        "body",
        "hairbearingarea",
        "folds",
    ]
)
"""Values that are understood and name none of the eleven regions, or more than one."""


def region_words() -> tuple[str, ...]:
    """Every word that names a body region."""
    return tuple(_REGION_OF)


def body_site(text: str | None) -> str | None:
    """One of eleven body regions for a site as published; None when it names none of them (`acral` alone is hand or foot)."""
    if text is None or missing(text):
        return None
    key = _site_key(text)
    if key in _REGION_OF or key in NO_REGION:
        return _REGION_OF.get(key)
    found = {_REGION_OF[word] for word in key.split("_") if word in _REGION_OF}
    return found.pop() if len(found) == 1 else None


def body_site_known(text: str) -> bool:
    """Whether a site is missing, or names a region, several regions, or knowingly none: what is left over is new vocabulary."""
    if missing(text):
        return True
    key = _site_key(text)
    return key in NO_REGION or key in _REGION_OF or any(word in _REGION_OF for word in key.split("_"))


def _site_key(text: str) -> str:
    key = re.sub(r"[^a-z]+", "_", text.casefold()).strip("_")
    return _REPAIRED.get(key, key)


_ROMAN = ("I", "II", "III", "IV", "V", "VI")


def fitzpatrick(text: str) -> str | None:
    """A Fitzpatrick type as a Roman numeral, from `2`, `2.0`, `II`, `FST 2`, `FST2`, `type ii`, `ii fair skin`; None otherwise."""
    match = re.match(
        r"(?:(?:fst|type|fitzpatrick(?: skin)?(?: type)?)[ _-]*)?(vi|iv|v|i{1,3}|[1-6])(?:\.0+)?(?![a-z0-9.])",
        text.strip().casefold(),
    )
    if not match:
        return None
    return _ROMAN[int(match[1]) - 1] if match[1].isdigit() else match[1].upper()


def monk(text: str) -> str | None:
    """A Monk tone as a number from 1 to 10, from `4`, `4.0` or `MST 4`; None otherwise."""
    match = re.fullmatch(r"(?:(?:mst|monk)[ _-]*)?(10|[1-9])(?:\.0+)?", text.strip().casefold())
    return match[1] if match else None


def yes(text: str) -> bool | None:
    """A truth value however it was saved (`True`, `TRUE`, `1`, `1.0`, `yes`); None when it is none."""
    word = text.strip().casefold().removesuffix(".0")
    return True if word in ("true", "1", "yes", "y", "x") else False if word in ("false", "0", "no", "n") else None
