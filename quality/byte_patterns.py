"""Patterns and texts as a search for many patterns at once reads them: a byte a character, and no match lost.

Such a search knows neither Unicode nor assertions. A text is written with one byte for every character, those that no pattern tells
apart with the same; a pattern is written so that it matches wherever the given one does, and sometimes where that one does not.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

WORD, SPACE, OTHER = ord("_"), 0x81, 0x80
"""Bytes of characters outside ASCII: those of words with the low line, white space, and all the rest."""

MARKS = {mark: 0x90 + place for place, mark in enumerate("\u2019\u2018\u201c\u201d\u2026\u2013\u2014")}
"""Bytes of the marks that patterns name or prose often holds."""

ASCII_IN_ANOTHER_CASE = "\u017f\u212a\u0130\u0131"
"""Long s, Kelvin sign, I with and without a dot: they match ASCII letters where case is ignored."""

STANDS_FOR: Mapping[int, str] = (
    {code: chr(code) for code in range(128)}
    | {WORD: "_\u00e9\u00b2\u0663", SPACE: "\u00a0", OTHER: "\u00d7"}
    | {code: mark for mark, code in MARKS.items()}
)
"""For each byte a character of every kind that it stands for: to a class of a pattern, one is like another."""

_IN_CATEGORY: dict[Any, Callable[[str], bool]] = {
    op.CATEGORY_DIGIT: str.isdecimal,
    op.CATEGORY_NOT_DIGIT: lambda char: not char.isdecimal(),
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
    op.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
    op.CATEGORY_NOT_WORD: lambda char: not (char.isalnum() or char == "_"),
}
_CUT = frozenset(map(ord, " \t\n.!?;")) | {SPACE}
"""What may stand where a text is cut, or where a part of it is trimmed."""


class _Bytes(dict[int, int]):
    """The byte of a character, for `str.translate`."""

    def __missing__(self, code: int) -> int:
        char = chr(code)
        return WORD if char.isalnum() else SPACE if char.isspace() else OTHER


_BYTES = _Bytes({code: code for code in range(128)} | {ord(mark): code for mark, code in MARKS.items()})
_UNREADABLE = re.compile(f"[{ASCII_IN_ANOTHER_CASE}]")


def encoded(text: str) -> bytes | None:
    """A text, a byte a character; None for one that holds a character of `ASCII_IN_ANOTHER_CASE`."""
    if text.isascii():
        return text.encode("ascii")
    return None if _UNREADABLE.search(text) else text.translate(_BYTES).encode("latin-1")


def encoded_pattern(pattern: re.Pattern[str]) -> bytes:
    """A pattern that matches in the encoded text of a whole wherever the given one matches in a part of it.

    Parts end where `_CUT` or the end of a word stands. Assertions are left out, but those against one class at either end become that
    class's opposite, so that a match may begin or end one character earlier or later. Raises ValueError for what no pattern here uses:
    references to groups, and flags that change inside a pattern.
    """
    items = list(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))
    before, after = "", ""
    if items and (not_before := _forbidden(items[0], -1)):
        before, items = rf"(?:^|\b|{_class(_outside(not_before) | _CUT)})", items[1:]
    if items and (not_after := _forbidden(items[-1], 1)):
        after, items = rf"(?:$|\b|{_class(_outside(not_after) | _CUT)})", items[:-1]
    return (before + _sequence(items) + after).encode("ascii")


def _forbidden(item: tuple[Any, Any], way: int) -> list[Any] | None:
    """The class that an assertion forbids ahead (-1) or behind (1); None for anything else."""
    what, detail = item
    if what is not op.ASSERT_NOT or detail[0] != way or len(detail[1]) != 1:
        return None
    what, detail = detail[1][0]
    return detail if what is op.IN else [(what, detail)] if what is op.LITERAL else None


def _sequence(items: Iterable[tuple[Any, Any]]) -> str:
    return "".join(_part(what, detail) for what, detail in items)


def _part(what: Any, detail: Any) -> str:
    if what in (op.LITERAL, op.RANGE):
        return _single(what, detail)
    if what is op.ANY:
        return _class(frozenset(STANDS_FOR))
    if what is op.NOT_LITERAL:
        return _class(_outside([(op.LITERAL, detail)]))
    if what is op.IN:
        return _class(_members(detail))
    if what is op.BRANCH:
        return f"(?:{'|'.join(map(_sequence, detail[1]))})"
    if what is op.SUBPATTERN and not detail[1] and not detail[2]:
        return f"(?:{_sequence(detail[3])})"
    if what in (op.MAX_REPEAT, op.MIN_REPEAT):
        most = "" if detail[1] is op.MAXREPEAT else detail[1]
        return f"(?:{_sequence(detail[2])}){{{detail[0]},{most}}}"
    if what is op.AT:
        return r"\b" if detail is op.AT_BOUNDARY else ""
    if what in (op.ASSERT, op.ASSERT_NOT):
        return ""
    raise ValueError(f"a search for many patterns cannot read {what}")


@cache
def _single(what: Any, detail: Any) -> str:
    """A class of one member: most of a pattern is letters."""
    return _class(_members([(what, detail)]))


def _members(kinds: Iterable[tuple[Any, Any]]) -> frozenset[int]:
    """The bytes of a class, each of which may stand for a character that it holds."""
    listed = [kind for kind in kinds if kind[0] is not op.NEGATE]
    return _outside(listed) if len(listed) < len(list(kinds)) else _codes(listed, wanted=True)


def _outside(kinds: Iterable[tuple[Any, Any]]) -> frozenset[int]:
    """The bytes that may stand for a character outside a class."""
    listed = [kind for kind in kinds if kind[0] is not op.NEGATE]
    return _codes(listed, wanted=len(listed) < len(list(kinds)))


def _codes(kinds: list[tuple[Any, Any]], wanted: bool) -> frozenset[int]:
    held = frozenset[str]().union(*(_chars(what, detail) for what, detail in kinds))
    return frozenset(code for code, chars in STANDS_FOR.items() if any((char in held) is wanted for char in chars))


@cache
def _chars(what: Any, detail: Any) -> frozenset[str]:
    """The characters of `STANDS_FOR` that a member of a class holds."""
    return frozenset(char for chars in STANDS_FOR.values() for char in chars if _holds(char, what, detail))


def _holds(char: str, what: Any, detail: Any) -> bool:
    if what is op.LITERAL and (detail < 128 or chr(detail) in MARKS):
        return ord(char) == detail
    if what is op.RANGE and detail[1] < 128:
        return detail[0] <= ord(char) <= detail[1]
    if what is op.CATEGORY:
        return _IN_CATEGORY[detail](char)
    raise ValueError(f"a search for many patterns cannot tell {what} {detail} from others: name it in MARKS")


@cache
def _class(codes: frozenset[int]) -> str:
    """A class of bytes, in the shortest way."""
    if codes == _members([(op.CATEGORY, op.CATEGORY_WORD)]):
        return r"\w"
    ordered, ranges = sorted(codes), []
    for code in ordered:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    if len(ordered) == 1:
        return _escaped(ordered[0])
    return "[" + "".join(_escaped(low) if low == high else f"{_escaped(low)}-{_escaped(high)}" for low, high in ranges) + "]"


def _escaped(code: int) -> str:
    return chr(code) if code < 128 and (chr(code).isalnum() or code == ord(" ")) else f"\\x{code:02x}"
