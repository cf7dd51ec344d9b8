"""How names of diagnoses are compared and found in prose: folding, plurals, and words that are also signs."""

import re
import unicodedata
from collections.abc import Collection

MORPHOLOGY_WORDS = frozenset(
    {
        *("abrasion", "abscess", "abscesses", "alopecia", "atrophic scar", "blackhead", "blister", "blisters"),
        *("bruise", "burn", "callus", "calluses", "cicatrix", "comedo", "comedone", "comedones", "corn", "corns"),
        *("cut", "cutaneous ulcer", "cyst", "cysts", "desquamation", "dry skin", "dystrophic nail", "ecchymoses"),
        *("ecchymosis", "exogenous pigment", "figurate erythema", "foot ulcer", "foreign body"),
        *("granulation tissue", "graze", "green nail", "gyrate erythema", "haematoma", "hair loss", "healthy"),
        *("healthy skin", "hematoma", "hyperkeratosis", "hyperpigmentation", "hypertrophic scar"),
        *("hypopigmentation", "keratosis", "leg ulcer", "leukoderma", "leukonychia", "melanonychia", "milia"),
        *("milium", "nail", "nail dystrophy", "nail ridging", "nits", "normal skin", "onycholysis", "open wound"),
        *("petechiae", "purpura", "rhytides", "salmon patch", "scar", "scars", "scrape", "scratch", "scratch marks"),
        *("skin ulcer", "skin writing", "splinter", "splinter hemorrhages", "striae", "surgical scar"),
        *("surgical wound", "sutured wound", "tattoo", "telangiectasia", "telangiectasia of the skin"),
        *("telangiectasis", "ulcer", "white nail", "wound", "wrinkles", "xeroderma", "xerosis"),
    }
)
"""Names that also describe a sign (milia-like cysts of dermoscopy): they name a diagnosis, but say none when they stand in prose."""

PLURALS = (
    ("elis", "elides"),
    ("titis", "titides"),
    ("go", "gines"),
    ("ma", "mata"),
    ("us", "i"),
    ("is", "es"),
    ("um", "a"),
    ("a", "ae"),
)
"""Latin and Greek endings and their plurals (lentigo, lentigines), the first that fits; English ones add s or es."""


def normalise(text: str) -> str:
    """NFKD without accents, case folded, punctuation to single spaces."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", text.casefold()))


def with_plurals(names: Collection[str]) -> frozenset[str]:
    """Normalised names, and the irregular plurals of their last words."""
    return frozenset({*names, *(plural for name in names if (plural := _plural(name)))})


def _plural(name: str) -> str | None:
    return next((name.removesuffix(one) + many for one, many in PLURALS if name.endswith(one)), None)


def found(text: str, names: Collection[str], longest: int) -> list[str]:
    """Names in a text, in order, the longest at each place, also with an English plural; `longest` is the most words of a name."""
    words = normalise(text).split()
    said, at = [], 0
    while at < len(words):
        for size in range(min(longest, len(words) - at), 0, -1):
            phrase = " ".join(words[at : at + size])
            if phrase in names or phrase.removesuffix("s") in names or phrase.removesuffix("es") in names:
                said.append(phrase)
                at += size - 1
                break
        at += 1
    return said
