"""Texts that are nearly the same: MinHash over word shingles (Broder 1997), bands to find candidates, exact Jaccard to decide.

Our own, as finding copies is what this project is for; `datasketch` hashes one shingle at a time. Memory: 72 numbers a text.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quality.text import words
from quality.thresholds import NEAR_TEXT

SHINGLE = 5
"""Words of a shingle: long enough that two honest descriptions share few."""

BANDS, ROWS = 12, 6
"""At a Jaccard of 0.9 a pair is missed once in 10,000 times, at 0.5 it is compared in 17 of 100 cases."""

COMPARED = 8
"""Texts of a bucket that another is compared with, the first ones: equal texts stand for each other."""

_GENERATOR = np.random.default_rng(0)
_ODD = _GENERATOR.integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)
_ADD = _GENERATOR.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64)
_MIX = np.uint64(0x9E3779B97F4A7C15)


def shingles(text: str) -> np.ndarray:
    """Distinct hashes of the word shingles of a text, sorted uint64; a text shorter than one is hashed as a whole."""
    tokens = np.array([zlib.crc32(word.encode()) for word in words(text)], dtype=np.uint64)
    count = max(len(tokens) - SHINGLE + 1, 1)
    mixed = np.zeros(count, np.uint64)
    for place in range(min(SHINGLE, len(tokens))):
        mixed = (mixed ^ tokens[place : place + count]) * _MIX
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)


def near_pairs(texts: Sequence[str], least: float = NEAR_TEXT) -> list[tuple[int, int]]:
    """Pairs of places i < j whose texts have a Jaccard of at least `least`, equal ones among them; sorted.

    Of a group of equal texts only the first is compared with others, and each of the rest is paired with the first.
    """
    first: dict[str, int] = {}
    same = [first.setdefault(" ".join(words(text)), place) for place, text in enumerate(texts)]
    found = {(origin, place) for place, origin in enumerate(same) if origin != place}
    distinct = sorted(set(same))
    sets = {place: shingles(texts[place]) for place in distinct}
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for place in distinct:
        for band, part in enumerate(_signature(sets[place]).reshape(BANDS, ROWS)):
            bucket = buckets[band, part.tobytes()]
            found.update((other, place) for other in bucket[:COMPARED] if _jaccard(sets[other], sets[place]) >= least)
            bucket.append(place)
    return sorted(found)


def _signature(hashes: np.ndarray) -> np.ndarray:
    return (hashes[:, None] * _ODD + _ADD).min(axis=0)


def _jaccard(one: np.ndarray, other: np.ndarray) -> float:
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)


@dataclass(frozen=True, slots=True)
class Sameness:
    """How alike the texts of a batch are, each a share of 0 to 1.

    `near`: texts with a near-identical other one; `distinct`: distinct shingles of all shingles; `opening`: texts that begin with the
    commonest four words.
    """

    texts: int
    near: float
    distinct: float
    opening: float


def sameness(texts: Sequence[str]) -> Sameness:
    """Measure a batch; an empty one is not alike at all."""
    if not texts:
        return Sameness(0, 0.0, 1.0, 0.0)
    hashes = [shingles(text) for text in texts]
    near = {place for pair in near_pairs(texts) for place in pair}
    openings = Counter(words(text)[:4] for text in texts)
    distinct = len(np.unique(np.concatenate(hashes))) / sum(map(len, hashes))
    return Sameness(len(texts), len(near) / len(texts), distinct, max(openings.values()) / len(texts))
