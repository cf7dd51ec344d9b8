"""What a match of a pattern must hold: strings one of which stands in every match, read from the parsed pattern."""

import re
import string
from collections.abc import Iterable
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

EVERYWHERE = frozenset(" .,-")
"""Characters that any prose holds."""

RARE = frozenset(string.digits + "@{<")
"""Characters that sound prose hardly ever holds: better needles than any word."""

FEW = 16
"""Characters of a class that are listed one by one as what a match must hold, such as the ten digits."""


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
