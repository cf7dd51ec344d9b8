"""How language-like a text is: function words of English and of other languages, noise, repetition.

What is asked of a word is found once and kept (`_Kinds`); a text is then judged by the kinds of its words, a letter each.
"""

import re
import string
from collections.abc import Sequence
from functools import lru_cache
from operator import eq

from quality.text import sentences, tokens, words

_OTHER_SCRIPT = re.compile(r"[\u0370-\u1dff\u2c60-\ud7ff\uf900-\ufaff]{2}")
"""A word in another script than Latin; a single Greek letter may stand in English."""

_VOWEL = re.compile(r"[aeiouy]")
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{6}")

_CLOSED_CLASS = (
    "a an the this that these those it its they their there here he she we i you his her our "
    "of in on at by to from with without within into onto over under above below between among around across along "
    "through about against for as near beside than toward towards per via "
    "and or but nor so yet if while whereas although though because since unless until when where which who "
    "whose what how "
    "is are was were be been being am has have had do does did can could may might must shall should will would "
    "not no none neither either both each every all any some several few many much more most less least other "
    "another such "
    "only also too very same one two three"
)
# Closed-class English words: articles, prepositions, pronouns, conjunctions, auxiliaries.
FUNCTION_WORDS: frozenset[str] = frozenset(_CLOSED_CLASS.split())

# Function words of other languages that are no English words, but for those in English names: Campbell de Morgan, en coup de sabre, café au lait.
_ELSEWHERE = (
    "der das und ist nicht eine einer mit von auf sind keine les des une est dans pas sur avec el los las una por que con "
    "del esta il gli della nel che sono não uma os nas com pelo ao het een van niet zijn op deze er se ne le la dì di é é "
    "ha hay ni qui och är som på av det från nie jest się przez oraz tidak yang dan dari pada bir ve ile için og ikke auch "
    "sich wird zum zur lassen ein dem den zu im aus bei un aux na ja ei ole myös nem egy az és este sunt cu din je jsou "
    "není ang ng mga ya wa kwa"
)
ELSEWHERE: frozenset[str] = frozenset(_ELSEWHERE.split())

CLOSED, OPEN, NOISE = "c", "o", "n"
"""Kinds of words: closed-class English ones, all others that can be pronounced, and those that cannot."""

_WORDS_KEPT = 65_536
_BARE = 9
"""Words of a sentence without a function word from which it counts as none of English."""

_ASCII_LETTERS, _ASCII_SPACES = string.ascii_letters.encode(), b" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"


class _Kinds(dict[str, str]):
    """The kind of each word that was met."""

    def __missing__(self, word: str) -> str:
        if len(self) >= _WORDS_KEPT:
            self.clear()
        pronounceable = _VOWEL.search(word) and not _CONSONANTS.search(word)
        self[word] = kind = CLOSED if word in FUNCTION_WORDS else OPEN if pronounceable else NOISE
        return kind


_KINDS = _Kinds()


@lru_cache(maxsize=64)
def kinds(text: str) -> str:
    """The kind of each word of a text, a letter each: `CLOSED`, `OPEN` (with a vowel and no run of six consonants) or `NOISE`."""
    return "".join(map(_KINDS.__getitem__, words(text)))


def holds_foreign(text: str) -> bool:
    """Whether any sentence of a text is `foreign`."""
    if not text.isascii() or not ELSEWHERE.isdisjoint(words(text)):
        return any(map(foreign, sentences(text)))
    return max(map(len, kinds(text).split(CLOSED))) >= _BARE and any(map(foreign, sentences(text)))


def foreign(sentence: str) -> bool:
    """Whether a sentence has words or letters of another language and hardly any English function words, or is long and has none at all."""
    said = tokens(sentence.lower())
    share = sum(map(FUNCTION_WORDS.__contains__, said)) / len(said) if said else 0.0
    other = len(ELSEWHERE.intersection(said))
    if not sentence.isascii():
        if _OTHER_SCRIPT.search(sentence):
            return True
        accented = sum(any(char.isalpha() and not char.isascii() for char in token) for token in said)
        other += max(0, accented - 1)  # English has words such as "café-au-lait"
    return (other >= 2 and share < 0.2) or (other >= 1 and share < 0.15) or (len(said) >= _BARE and share == 0)


def letter_share(text: str) -> float:
    """Share of the non-space characters that are ASCII letters, 0 to 1; 0 for an empty text."""
    solid = text.encode().translate(None, _ASCII_SPACES) if text.isascii() else "".join(text.split())
    plain = solid if isinstance(solid, bytes) else solid.encode("ascii", "ignore")
    return (len(plain) - len(plain.translate(None, _ASCII_LETTERS))) / len(solid) if solid else 0.0


def may_hold_run(text: str, length: int) -> bool:
    """Whether some character may stand `length` times in a row; False is certain."""
    data = text.encode("latin-1", "replace")
    number = int.from_bytes(data, "big")
    # A byte that equals the one before it leaves a zero.
    return bytes(length - 1) in (number ^ (number >> 8)).to_bytes(len(data), "big")


def looped(tokens: Sequence[str]) -> str:
    """A phrase of two to five words that stands four times in a row; empty when there is none."""
    if not repeated_share(tokens, 5):  # four times the same two words hold some five words twice
        return ""
    for size in range(2, 6):
        same = "".join("x" if one == other else " " for one, other in zip(tokens, tokens[size:], strict=False))
        start = same.find("x" * 3 * size)
        if start >= 0:
            return " ".join(tokens[start : start + size])
    return ""


def longest_run(items: Sequence[str]) -> int:
    """Length of the longest stretch of equal neighbours; 0 for nothing."""
    if not any(map(eq, items, items[1:])):
        return min(len(items), 1)
    best = run = 0
    previous: str | None = None
    for item in items:
        run = run + 1 if item == previous else 1
        best, previous = max(best, run), item
    return best


def repeated_share(tokens: Sequence[str], size: int) -> float:
    """Share of the `size`-grams of `tokens` that occurred before in the text, 0 to 1; 0 when there are none."""
    total = len(tokens) - size + 1
    distinct = len(set(zip(*(tokens[start:] for start in range(size)), strict=False)))
    return (total - distinct) / total if total > 0 else 0.0
