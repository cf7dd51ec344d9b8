"""How names of diagnoses are compared and found in prose: folding, plurals, and words that are also signs."""

import re
import unicodedata
from collections.abc import Callable, Collection
from functools import lru_cache

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
        *("telangiectasis", "telangiectases", "ulcer", "white nail", "wound", "wrinkles", "xeroderma", "xerosis"),
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


_SPACES = {code: " " for code in range(128) if not chr(code).isalnum()}


@lru_cache(maxsize=256)
def normalise(text: str) -> str:
    """NFKD without accents, case folded, punctuation to single spaces."""
    if text.isascii():
        return " ".join(_ascii_words(text))
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", plain.casefold()).strip()


def _ascii_words(text: str) -> list[str]:
    return text.lower().translate(_SPACES).split()


def with_plurals(names: Collection[str]) -> frozenset[str]:
    """Normalised names, and the irregular plurals of their last words."""
    return frozenset({*names, *(plural for name in names if (plural := _plural(name)))})


def _plural(name: str) -> str | None:
    return next((name.removesuffix(one) + many for one, many in PLURALS if name.endswith(one)), None)


def finder(names: Collection[str]) -> Callable[[str], tuple[str, ...]]:
    """A search for normalised names in prose, in order, the longest at each place, also with an irregular or English plural."""
    import ahocorasick_rs

    said = sorted(name + ending for name in with_plurals(names) for ending in ("", "s", "es"))
    spaced = [f" {name.replace(' ', '  ')} " for name in said]
    # Every name holds one of these words: most prose holds none.
    telling = frozenset(max(name.split(), key=len) for name in said)
    search = ahocorasick_rs.AhoCorasick(spaced, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)

    @lru_cache(maxsize=64)
    def found(text: str) -> tuple[str, ...]:
        words = _ascii_words(text) if text.isascii() else normalise(text).split()
        if telling.isdisjoint(words):
            return ()
        # Two spaces between words, so that neighbours do not share the one that bounds them.
        return tuple([said[match[0]] for match in search.find_matches_as_indexes(f" {'  '.join(words)} ")])

    return found
