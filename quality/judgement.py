"""A judge model's answer read and checked, and the judge itself measured: does it agree with itself, does it prefer long texts or first axes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from prompts.judging import AXES, judging_schema
from quality.text import clip
from quality.thresholds import JUDGE_LEAST, QUOTE_CHARACTERS

ORDERS: dict[str, tuple[str, ...]] = {"forward": tuple(AXES), "reversed": tuple(reversed(AXES))}


@dataclass(frozen=True, slots=True)
class Judgement:
    """Scores by axis with the quoted passages, or the `fault` for which there are none."""

    scores: Mapping[str, int]
    quotes: Mapping[str, str]
    fault: str = ""


def read(raw: str, judged: str) -> Judgement:
    """A judge's answer about the text `judged`. A passage that does not stand in the text makes the whole answer worthless."""
    from jsonschema import Draft202012Validator

    try:
        value = json.loads(raw, strict=False)
    except (ValueError, RecursionError) as error:
        return Judgement({}, {}, f"not_json: {clip(str(error), QUOTE_CHARACTERS)}")
    faults = list(Draft202012Validator(judging_schema(list(AXES))).iter_errors(value))
    if faults:
        return Judgement({}, {}, f"schema: {clip(faults[0].message, QUOTE_CHARACTERS)}")
    text = " ".join(judged.split()).casefold()
    made_up = [axis for axis in AXES if " ".join(value[axis]["quote"].split()).casefold().strip(" .…\"'") not in text]
    if made_up:
        return Judgement({}, {}, f"quote: {made_up[0]} quotes {clip(value[made_up[0]]['quote'], QUOTE_CHARACTERS)!r}")
    return Judgement({axis: value[axis]["score"] for axis in AXES}, {axis: value[axis]["quote"] for axis in AXES})


def too_low(scores: Sequence[Mapping[str, int]]) -> list[str]:
    """Axes whose mean over several judgements of one text is under its threshold; of none: nothing."""
    if not scores:
        return []
    return [axis for axis, least in JUDGE_LEAST.items() if sum(s[axis] for s in scores) / len(scores) < least]


def self_agreement(groups: Sequence[Sequence[int]]) -> float:
    """Share of pairs of scores of one text and axis that are at most one apart; 1.0 where nothing was judged twice."""
    pairs = [abs(a - b) <= 1 for group in groups for n, a in enumerate(group) for b in group[n + 1 :]]
    return sum(pairs) / len(pairs) if pairs else 1.0


def length_bias(scores: Sequence[float], lengths: Sequence[int]) -> float:
    """Spearman's correlation of score and length, -1 to 1; 0 where either does not vary."""
    a, b = _ranks(scores), _ranks(lengths)
    if len(a) < 3 or not a.std() or not b.std():
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _ranks(values: Sequence[Any]) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    _, inverse, counts = np.unique(array, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def order_bias(pairs: Sequence[tuple[Mapping[str, int], Mapping[str, int]]]) -> dict[str, float]:
    """Mean change of each axis' score when the axes are asked in the other order; empty where nothing was asked twice."""
    return {axis: sum(b[axis] - a[axis] for a, b in pairs) / len(pairs) for axis in AXES} if pairs else {}
