"""Word patterns, and which of them can match where in a text: those of a shelf are sought in one pass, when the first of them is asked for.

Prose meets about 160 patterns, and a sound text holds a match of few; running each over every text would take fifty times as long. The
search is a prefilter (`quality.byte_patterns`): what it finds, the pattern itself is asked again.
"""

import re
import threading
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, cached_property, lru_cache
from itertools import repeat
from typing import Any, Generic, TypeVar, cast

from quality.byte_patterns import ASCII_IN_ANOTHER_CASE, encoded, encoded_pattern


class _Uncompiled:
    """Stands for a pattern until something is asked of it: 150 of them take half a second, and what loads them all asks few."""

    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern, self.flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        """What the compiled pattern has of this name, kept here from then on."""
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(re.compile(self.pattern, self.flags), name)
        setattr(self, name, found)
        return found


Name = TypeVar("Name")
_REGISTERED: list[re.Pattern[str]] = []
_NUMBER: dict[int, int] = {}
_SHELF: dict[int, int] = {}
"""The shelf of each pattern that is sought apart from the others, by its number."""

_OF_THREAD = threading.local()


def whole_words(*alternatives: str) -> re.Pattern[str]:
    """A pattern of alternatives that match whole words in any case."""
    pattern = _Uncompiled(r"(?<![^\W_])(?:" + "|".join(alternatives) + r")(?![^\W_])", re.IGNORECASE)
    return registered(cast(re.Pattern[str], pattern))


def frames(*alternatives: str) -> re.Pattern[str]:
    """As `whole_words`, for long alternatives made of others: sought by themselves, as together they would take long to build."""
    pattern = whole_words(*alternatives)
    apart(pattern)
    return pattern


def apart(*patterns: re.Pattern[str]) -> None:
    """Seek registered patterns together but apart from all others: a text that is asked about none of them is not searched for them."""
    shelf = max(_SHELF.values(), default=0) + 1
    _SHELF.update({_NUMBER[id(pattern)]: shelf for pattern in patterns})
    _database.cache_clear()
    _searched.cache_clear()


def registered(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """The pattern, known to `possible` and `places` from now on. For constants of modules: nothing is ever taken off the list."""
    _NUMBER.setdefault(id(pattern), len(_REGISTERED))
    _REGISTERED.append(pattern)
    _database.cache_clear()
    _searched.cache_clear()
    return pattern


def possible(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a pattern may match in a text; False is certain, and True for a pattern that was not registered."""
    number = _NUMBER.get(id(pattern))
    return number is None or number in _searched(text)[_SHELF.get(number, 0)]


_ASCII_CASES = str.maketrans(dict(zip(ASCII_IN_ANOTHER_CASE, "skii", strict=True)))
_FOR_FOLDED: dict[int, tuple[re.Pattern[str], re.Pattern[str] | None]] = {}
"""A pattern, kept so that its id stays its own, and what is sought in its place."""

_CAPITAL = re.compile(r"(?<!\\)(?:\\\\)*(?<!\(\?)[A-Z]")


def folded(text: str) -> str:
    """A text in lower case, a character for each: what ignores case matches there what it matches in the text."""
    return text.lower() if text.isascii() else text.translate(_ASCII_CASES).lower()


def spans(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    """Where a pattern matches in a text."""
    sought = _for_folded(pattern)
    return [match.span() for match in (sought.finditer(folded(text)) if sought else pattern.finditer(text))]


def matches(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a pattern matches anywhere in a text."""
    sought = _for_folded(pattern)
    return (sought.search(folded(text)) if sought else pattern.search(text)) is not None


def _for_folded(pattern: re.Pattern[str]) -> re.Pattern[str] | None:
    """A pattern that ignores case as one for `folded` texts, found in half the time; None for one with capitals or that heeds case."""
    kept = _FOR_FOLDED.get(id(pattern))  # to hash a pattern takes longer than to use it
    if kept is None:
        plain = pattern.flags & re.IGNORECASE and not _CAPITAL.search(pattern.pattern)
        kept = pattern, re.compile(pattern.pattern, pattern.flags & ~re.IGNORECASE) if plain else None
        _FOR_FOLDED[id(pattern)] = kept
    return kept[1]


class Together(Generic[Name]):
    """Patterns of one shelf by name, asked about a text together: most texts hold none, which is one question."""

    def __init__(self, named: Mapping[Name, re.Pattern[str]]) -> None:
        """All of them registered, and on one shelf by the first question."""
        self._named = [(_NUMBER[id(pattern)], name, pattern) for name, pattern in named.items()]
        self._numbers = frozenset(number for number, *_ in self._named)

    @cached_property
    def _shelf(self) -> int:
        """Raises ValueError where there are several: patterns of another one would never be found."""
        (shelf,) = {_SHELF.get(number, 0) for number in self._numbers}
        return shelf

    def possible(self, text: str) -> list[tuple[Name, re.Pattern[str]]]:
        """Those that may match in a text, in their order."""
        found = _searched(text)[self._shelf]
        if self._numbers.isdisjoint(found):
            return []
        return [(name, pattern) for number, name, pattern in self._named if number in found]


def places(pattern: re.Pattern[str], text: str, cuts: Sequence[int]) -> Sequence[int]:
    """The parts of a text in which a pattern may match, ascending; all of them for a pattern that was not registered.

    `cuts` is where the parts begin, but for the first; between two stands something that `quality.byte_patterns` knows as a cut. The text
    is searched once for all patterns of a shelf.
    """
    number = _NUMBER.get(id(pattern))
    last = () if number is None else _searched(text)[_SHELF.get(number, 0)].get(number)
    if last is None:
        return ()
    return sorted(set(map(bisect_right, repeat(cuts), last))) if last else range(len(cuts) + 1)


def at_most(pattern: re.Pattern[str], text: str, count: int) -> bool:
    """Whether a registered pattern matches in a text no more than `count` times, for certain: each match ends at a place of its own."""
    number = _NUMBER[id(pattern)]
    last = _searched(text)[_SHELF.get(number, 0)].get(number)
    return last is None or 0 < len(set(last)) <= count


class _Searched(dict[int, Mapping[int, Sequence[int]]]):
    """What was found in a text by shelf, each searched when it is first asked.

    For each pattern that may match, by its number, the last characters of its matches, or those one further on; empty: anywhere.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._data = encoded(text)

    def __missing__(self, shelf: int) -> Mapping[int, Sequence[int]]:
        self[shelf] = found = dict.fromkeys(_NUMBER.values(), ()) if self._data is None else _ends(self._data, shelf)
        return found


@lru_cache(maxsize=64)
def _searched(text: str) -> _Searched:
    return _Searched(text)


def _ends(data: bytes, shelf: int) -> Mapping[int, Sequence[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)

    def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        found[number].append(end - 1)

    database = _database(shelf)
    database.scan(data, match_event_handler=note, scratch=_scratch(database))
    return found


def _scratch(database: Any) -> Any:
    """The memory of a search: each thread has its own."""
    import hyperscan

    owned = _OF_THREAD.__dict__
    if database not in owned:
        owned[database] = hyperscan.Scratch(database)
    return owned[database]


@cache
def _database(shelf: int) -> Any:
    """The search for the patterns of a shelf, 0 for all that are not sought apart, built once: about a second for all of them."""
    import hyperscan

    sought = {number: pattern for number, pattern in enumerate(_REGISTERED) if _SHELF.get(number, 0) == shelf}
    database = hyperscan.Database()
    database.compile(
        expressions=[encoded_pattern(pattern) for pattern in sought.values()],
        ids=list(sought),
        flags=[hyperscan.HS_FLAG_CASELESS if pattern.flags & re.IGNORECASE else 0 for pattern in sought.values()],
    )
    return database
