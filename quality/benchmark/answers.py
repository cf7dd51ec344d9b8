"""A model's free answer read: the option it chose, its morphology, its diagnosis. None where no one reading is meant.

Tolerant in form (letter, text, both, tags, JSON, bold type, a thought before the answer), strict in meaning: an answer whose letter and text
disagree, or that names two options, chose none.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from prompts.benchmark.items import ABSENT, PRESENT
from prompts.benchmark.wording import LETTERS
from prompts.schemas import DERM7PT_KEY, DERM7PT_TITLES, SKINCON, SKINCON_KEY
from sources.vocabulary import DERM7PT

CHARACTERS = 20_000
"""Of an answer that are read."""

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_ANSWERED = re.compile(r"<(answer|final_answer|choice)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_SAID = re.compile(
    r"(?:^|[.\n:*]\s*)(?:so |thus |therefore,? )?(?:the |my )?(?:best |correct |right |final )?(?:answer|option|choice|diagnosis)"
    r"(?: is| would be)?\s*[:=]?\s*",
    re.IGNORECASE,
)
_LEADING = re.compile(r"\s*[\"'(\[]*(?:option\s+)?([A-Y])(?:[)\]:.,\"']+|\s*$|\s+[-\u2013\u2014]\s+|\s*\n)\s*", re.IGNORECASE)


def chosen(answer: str, options: Sequence[str]) -> str | None:
    """The option that an answer chooses."""
    text = _bare(answer)
    tagged = [match[2] for match in _ANSWERED.finditer(text)] or _BOXED.findall(text)
    if tagged:
        text = tagged[-1]
    elif (value := _json(text)) is not None:
        found = value.get("answer", value.get("choice", value.get("option")))
        text = found if isinstance(found, str) else text
    by_start = _read(text, options)
    if by_start is not None:
        return by_start or None
    said = [match.end() for match in _SAID.finditer(text)]
    return (_read(text[said[-1] :], options) if said else None) or _only_named(text, options)


def _bare(answer: str) -> str:
    return _THOUGHT.sub("", answer[:CHARACTERS]).replace("**", "").replace("__", "").strip()


def _read(text: str, options: Sequence[str]) -> str | None:
    """The option at the start of a text; empty where letter and text disagree, None where the text starts otherwise."""
    match = _LEADING.match(text)
    if match is None:
        line = _plain(text.split("\n")[0])
        return next((option for option in options if _plain(option) == line), None)
    place = LETTERS.index(match[1].upper())
    if place >= len(options):
        return ""
    rest = _plain(text[match.end() :].split("\n")[0])
    named = _named(rest, options)
    return options[place] if not named or options[place] in named else ""


def _only_named(text: str, options: Sequence[str]) -> str | None:
    named = _named(_plain(text), options)
    return named[0] if len(named) == 1 else None


def _named(plain: str, options: Sequence[str]) -> list[str]:
    """Options whose text stands in a plain text, longer ones first and each place once: "melanoma" is not in "nodular melanoma"."""
    named = []
    for option in sorted(options, key=lambda option: (-len(option), option)):
        words = rf"(?<![a-z0-9]){re.escape(_plain(option))}(?![a-z0-9])"
        plain, count = re.subn(words, "|", plain)
        if count:
            named.append(option)
    return named


def _plain(text: str) -> str:
    return " ".join(text.casefold().strip(" .,;:!\"'()[]*`").split())


def tagged(answer: str, tag: str) -> str | None:
    """What stands between a tag and its end, trimmed; the last where there are several, None where there is none."""
    found = re.findall(rf"<{tag}>(.*?)(?:</{tag}>|\Z)", answer[:CHARACTERS], re.DOTALL | re.IGNORECASE)
    return found[-1].strip() or None if found else None


_FINAL = re.compile(r"(?:final )?diagnosis\s*(?:is:|is|:)\s*([^\n.<]{3,120})", re.IGNORECASE)


def diagnosis(answer: str) -> str | None:
    """The final diagnosis of a reasoning: in its tag, or after the words "(final) diagnosis:"."""
    text = _THOUGHT.sub("", answer[:CHARACTERS])
    said = _FINAL.findall(text)
    return tagged(text, "final_diagnosis") or (said[-1].strip(" *\"'") if said else None)


def prose(answer: str) -> str:
    """The running text of an answer: its reasoning if it is tagged, otherwise all but the structured parts and thoughts."""
    text = _THOUGHT.sub("", answer[:CHARACTERS])
    reasoning = tagged(text, "reasoning")
    if reasoning:
        return reasoning
    text = re.sub(r"<(morph|final_diagnosis)>.*?(</\1>|\Z)", "", text, flags=re.DOTALL | re.IGNORECASE)
    return re.sub(r"</?\w+>", "", text).strip()


def morphology(answer: str, kind: str) -> dict[str, str] | None:
    """Every field's value as an answer states it in its `<morph>`; None where there is none, or one of the other kind's schema.

    Keys in snake_case or Title Case; a criterion or concept that is not named is absent, a value outside the vocabulary is kept as it is
    written and so is never right.
    """
    value = _json(tagged(answer, "morph") or _THOUGHT.sub("", answer[:CHARACTERS]))
    if value is None:
        return None
    if kind == "clinical":
        return _concepts(value.get(SKINCON_KEY))
    return _criteria(value.get(DERM7PT_KEY, value if set(map(_snake, value)) & set(DERM7PT) else None))


def _concepts(listed: Any) -> dict[str, str] | None:
    if not isinstance(listed, list):
        return None
    said = {_plain(name) for name in listed if isinstance(name, str)}
    return {name: PRESENT if _plain(name) in said else ABSENT for name in SKINCON}


def _criteria(seven: Any) -> dict[str, str] | None:
    if not isinstance(seven, Mapping):
        return None
    said = {_snake(key): _plain(value) for key, value in seven.items() if isinstance(value, str)}
    return {name: said.get(name, ABSENT) for name in DERM7PT}


def _snake(key: Any) -> str:
    names = {title.casefold(): name for name, title in DERM7PT_TITLES.items()}
    text = str(key).strip().casefold()
    return names.get(text, text.replace(" ", "_").replace("-", "_"))


def _json(text: str) -> dict[str, Any] | None:
    """The first JSON object in a text, whole: the objects nest, so no pattern finds their end."""
    decoder = json.JSONDecoder(strict=False)
    for match in re.finditer(r"\{", text):
        try:
            value, _ = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) else None
    return None
