"""Word patterns, and which of them can match in a text at all: the words that a match must hold are sought for all of them in one pass.

Prose meets about 150 patterns; running each over every text would take ten times as long as everything else.
"""

import re
import string
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_REGISTERED: list[re.Pattern[str]] = []
_NUMBER: dict[int, int] = {}

EVERYWHERE = frozenset(" .,-")
"""Characters that any prose holds."""

RARE = frozenset(string.digits + "@{<")
"""Characters that sound prose hardly ever holds: better needles than any word."""

FEW = 16
"""Characters of a class that are listed one by one as what a match must hold, such as the ten digits."""


def whole_words(*alternatives: str) -> re.Pattern[str]:
    """A pattern of alternatives that match whole words in any case."""
    return registered(re.compile(r"(?<![^\W_])(?:" + "|".join(alternatives) + r")(?![^\W_])", re.IGNORECASE))


def registered(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """The pattern, known to `possible` from now on. For constants of modules: nothing is ever taken off the list."""
    _NUMBER.setdefault(id(pattern), len(_REGISTERED))
    _REGISTERED.append(pattern)
    _automaton.cache_clear()
    return pattern


def possible(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a pattern may match in a text; False is certain, and True for a pattern that was not registered."""
    number = _NUMBER.get(id(pattern))
    return number is None or number in _possible(text)


@lru_cache(maxsize=512)
def _possible(text: str) -> frozenset[int]:
    automaton, owners, always = _automaton()
    found = {match[0] for match in automaton.find_matches_as_indexes(text.casefold(), overlapping=True)}
    return always.union(*(owners[needle] for needle in found))


def places(text: str, spans: Sequence[tuple[int, int]]) -> Mapping[int, Sequence[int]]:
    """For each pattern by its number, the spans of a text in which it may match; a pattern that is not in it matches in none.

    `spans` are disjoint and ascending. The text is searched once, however many patterns and spans there are.
    """
    automaton, owners, always = _automaton()
    found: dict[int, list[int]] = {number: list(range(len(spans))) for number in always}
    lower, starts = text.lower(), [start for start, _ in spans]
    if len(lower) != len(text):  # a letter that grows, as the dotted capital I does: no place is certain
        return dict.fromkeys(range(len(_REGISTERED)), range(len(spans)))
    seen = {
        (needle, place)
        for needle, start, end in automaton.find_matches_as_indexes(lower, overlapping=True)
        if (place := bisect_right(starts, start) - 1) >= 0 and end <= spans[place][1]
    }
    for needle, place in sorted(seen, key=_by_place):
        for number in owners[needle]:
            held = found.setdefault(number, [])
            if not held or held[-1] < place:
                held.append(place)
    return found


def _by_place(hit: tuple[int, int]) -> int:
    return hit[1]


def number_of(pattern: re.Pattern[str]) -> int | None:
    """The number of a registered pattern."""
    return _NUMBER.get(id(pattern))


@cache
def _automaton() -> tuple[Any, list[frozenset[int]], frozenset[int]]:
    """The search, the patterns that each needle stands for, and those that have none."""
    import ahocorasick_rs

    owners: dict[str, set[int]] = {}
    always = set()
    for number, pattern in enumerate(_REGISTERED):
        found = needles(pattern)
        if found is None:
            always.add(number)
        for needle in found or ():
            owners.setdefault(needle, set()).add(number)
    search = ahocorasick_rs.AhoCorasick(sorted(owners))
    return search, [frozenset(owners[needle]) for needle in sorted(owners)], frozenset(always)


def needles(pattern: re.Pattern[str]) -> frozenset[str] | None:
    """Lower-case strings one of which every match of a pattern holds; None where nothing of the kind can be told."""
    return _of_sequence(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))


def _of_sequence(items: Iterable[Any]) -> frozenset[str] | None:
    """Of the parts that must all match, the one whose shortest needle is longest: it rules out most."""
    best: frozenset[str] | None = None
    run = ""
    for what, detail in [*items, (None, None)]:
        if what is op.LITERAL:
            run += chr(detail)
            continue
        best = _better(best, frozenset({run.casefold()}) - EVERYWHERE if run else None)
        run = ""
        best = _better(best, _of_part(what, detail))
    return best


def _of_part(what: Any, detail: Any) -> frozenset[str] | None:
    if what is op.SUBPATTERN:
        return _of_sequence(detail[3])
    if what in (op.MAX_REPEAT, op.MIN_REPEAT):
        return _of_sequence(list(detail[2]) * min(detail[0], FEW))
    if what is op.IN:
        return _of_class(detail)
    if what is op.BRANCH:
        options = [_of_sequence(option) for option in detail[1]]
        return None if None in options else frozenset().union(*(o for o in options if o is not None))
    return None


def _of_class(members: Iterable[Any]) -> frozenset[str] | None:
    found: set[str] = set()
    for what, detail in members:
        if what is op.LITERAL:
            found.add(chr(detail).casefold())
        elif what is op.RANGE and detail[1] - detail[0] < FEW:
            found |= {chr(code).casefold() for code in range(detail[0], detail[1] + 1)}
        elif what is op.CATEGORY and detail is op.CATEGORY_DIGIT:
            found |= set(string.digits)
        else:
            return None
    return frozenset(found) if len(found) <= FEW and not found & EVERYWHERE else None


def _better(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if not one or not other:
        return one or other or None
    return max(one, other, key=lambda found: (found <= RARE, min(map(len, found)), -len(found)))
