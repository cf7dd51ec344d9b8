"""Answers that need no picture: what a score is worth that nothing was looked at for.

`constant`: always the first option, everything absent, one name. `random`: every option, value and name alike often. `majority`: what training
images have most often. `label prior`: drawn as often as training images have it. All by content hash; none reads an item's truth.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from prompts.benchmark.items import ABSENT, PRESENT, Item, claim, hashed
from prompts.benchmark.wording import LETTERS
from prompts.schemas import DERM7PT_KEY, SKINCON, SKINCON_KEY
from quality.benchmark.claims import sentence
from sources.vocabulary import DERM7PT

CONSTANT = "melanocytic nevus"
NOTHING_SEEN = "No structure can be made out."


@dataclass(frozen=True, slots=True)
class Prior:
    """What training images have: names by kind of image, a label counting for every class above it too; labels alone; values by field."""

    classes: Mapping[str, Counter[str]]
    labels: Mapping[str, Counter[str]]
    values: Mapping[str, Counter[str]]


Draw = Callable[[Sequence[str], Sequence[float], str], str]
"""One of some options, given how often training images have them, and a key."""


def _first(options: Sequence[str], counts: Sequence[float], key: str) -> str:
    return options[0]


def _any(options: Sequence[str], counts: Sequence[float], key: str) -> str:
    return options[int(_fraction(key) * len(options))]


def _most(options: Sequence[str], counts: Sequence[float], key: str) -> str:
    return max(zip(options, counts, strict=True), key=lambda pair: (pair[1], pair[0]))[0]


def _drawn(options: Sequence[str], counts: Sequence[float], key: str) -> str:
    if not sum(counts):
        return _any(options, counts, key)
    point = _fraction(key) * sum(counts)
    return next(option for option, end in zip(options, accumulate(counts), strict=True) if point < end)


def _fraction(key: str) -> float:
    return int(hashed(key)[:13], 16) / 16**13


BASELINES: dict[str, Draw] = {"constant": _first, "random": _any, "majority": _most, "label prior": _drawn}


def answer(name: str, item: Item, prior: Prior) -> str:
    """The answer of a baseline to an item, as a model would write it."""
    draw, key = BASELINES[name], f"{name}/{item.item_id}"
    if item.options:
        option = draw(item.options, [_count(item, option, prior) for option in item.options], key)
        return f"{LETTERS[item.options.index(option)]}) {option}"
    values = _values(draw, item.kind, prior, key)
    found = [claim(field, value) for field, value in values.items() if value != ABSENT]
    prose = " ".join(map(sentence, found)) or NOTHING_SEEN
    morph = f"<morph>{json.dumps(_layout(item.kind, values))}</morph>"
    if item.task in ("description", "morph_description"):
        return prose if item.task == "description" else f"{morph}\n\n{prose}"
    label = CONSTANT if name == "constant" else draw(*_listed(prior.labels.get(item.kind, Counter())), f"{key}/label")
    middle = f"{morph}\n" if item.task == "reasoning_morph" else ""
    return f"<reasoning>{prose}</reasoning>\n{middle}<final_diagnosis>{label}</final_diagnosis>"


def _count(item: Item, option: str, prior: Prior) -> float:
    if item.task == "skincon":
        return prior.values.get(option, Counter())[PRESENT]
    if item.task == "derm7pt":
        return prior.values.get(item.truth["field"], Counter())[option]
    return prior.classes.get(item.kind, Counter())[option]


def _listed(counts: Counter[str]) -> tuple[list[str], list[float]]:
    names = sorted(counts) or [CONSTANT]
    return names, [float(counts[name]) for name in names]


def _values(draw: Draw, kind: str, prior: Prior, key: str) -> dict[str, str]:
    fields = DERM7PT if kind == "dermoscopic" else dict.fromkeys(SKINCON, (ABSENT, PRESENT))
    counts = {field: prior.values.get(field, Counter()) for field in fields}
    return {
        field: draw(options, [counts[field][value] for value in options], f"{key}/{field}") for field, options in fields.items()
    }


def _layout(kind: str, values: Mapping[str, str]) -> dict[str, Any]:
    if kind == "dermoscopic":
        return {DERM7PT_KEY: dict(values)}
    return {SKINCON_KEY: sorted(name for name, value in values.items() if value != ABSENT)}
