"""Judgements on rendered samples: turns that a trainer reads as meant, answers that options do not give away, nothing twice, no class alone.

A `Tally` takes samples one by one and holds counts and 8 bytes a sample, so that a corpus of any size is judged in one pass.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prompts.formats import WITH_OPTIONS
from prompts.formats.parse import Options, ParseFault, steps
from quality import thresholds as t

MARK = "<image>"


def turn_faults(turns: Sequence[Mapping[str, str]]) -> list[str]:
    """What a trainer would refuse or misread: roles that do not alternate, not one image mark in the first turn alone, an empty turn."""
    faults = []
    if not turns or [turn["role"] for turn in turns] != ["user", "assistant"] * (len(turns) // 2):
        faults.append("user and assistant do not alternate")
    if [turn["content"].count(MARK) for turn in turns] != [1] + [0] * (len(turns) - 1):
        faults.append(f"not one {MARK} mark, in the first turn alone")
    if any(not turn["content"].strip() for turn in turns):
        faults.append("an empty turn")
    return faults


def guesses(asked: Options) -> dict[str, int]:
    """The place that a reader without the picture would choose, by rule."""
    left = [n for n, option in enumerate(asked.options) if option != asked.wrong]
    lengths = [len(option) for option in asked.options]
    return {
        "first": left[0],
        "last": left[-1],
        "longest": max(left, key=lambda n: lengths[n]),
        "shortest": min(left, key=lambda n: lengths[n]),
        "first in the alphabet": min(left, key=lambda n: asked.options[n]),
    }


@dataclass(slots=True)
class Tally:
    """What was counted over samples so far."""

    faults: list[str] = field(default_factory=list)
    letters: dict[tuple[str, int], Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    asked: Counter[str] = field(default_factory=Counter)
    chance: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    right: Counter[tuple[str, str]] = field(default_factory=Counter)
    classes: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    seen: set[int] = field(default_factory=set)
    repeated: Counter[str] = field(default_factory=Counter)
    split_of: dict[int, str] = field(default_factory=dict)
    crossing: set[int] = field(default_factory=set)
    descriptions: dict[int, str] = field(default_factory=dict)
    echoed: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Take in a row of `samples` (sample_id, image_id, format, split, messages, node, weight, teacher)."""
        turns = json.loads(row["messages"])
        self.faults += [f"{row['sample_id']}: {fault}" for fault in turn_faults(turns)]
        self.classes[row["format"]][row["node"]] += row["weight"]
        self._once(row, turns)
        if row["format"] in WITH_OPTIONS and len(turns) > 1:
            try:
                for asked, truth in steps(turns):
                    self._asked(row["format"], asked, truth)
            except ParseFault as fault:
                self.faults.append(f"{row['sample_id']}: {fault}")

    def _once(self, row: Mapping[str, Any], turns: Sequence[Mapping[str, str]]) -> None:
        """Note a question that the same image was asked already, an image in two splits, a description that another split has word for word."""
        question = _hash(row["image_id"], row["teacher"], row["format"], turns[0]["content"] if turns else "")
        if question in self.seen:
            self.repeated[row["format"]] += 1
        self.seen.add(question)
        image = _hash(row["image_id"])
        if self.split_of.setdefault(image, row["split"]) != row["split"]:
            self.crossing.add(image)
        if row["format"] == "description" and turns:
            text = _hash(turns[-1]["content"])
            self.echoed += self.descriptions.setdefault(text, row["split"]) != row["split"]

    def _asked(self, name: str, asked: Options, truth: int) -> None:
        left = len(asked.options) - (asked.wrong is not None)
        self.asked[name] += 1
        self.chance[name] += 1 / left
        if asked.wrong is None:
            self.letters[name, left][truth] += 1
        for rule, place in guesses(asked).items():
            self.right[name, rule] += place == truth

    def uneven_letters(self) -> dict[str, float]:
        """Formats and numbers of options whose true places are not uniform, with the p of a chi-square test."""
        from scipy.stats import chisquare

        found = {}
        for (name, options), counts in sorted(self.letters.items()):
            chance = float(chisquare([counts[n] for n in range(options)]).pvalue)
            if chance < t.LETTERS_CHANCE:
                found[f"{name}, {options} options"] = chance
        return found

    def given_away(self) -> dict[str, str]:
        """Rules that find the true option more often than chance, by more than `LEAK_POINTS` and four standard errors."""
        found = {}
        for (name, rule), right in sorted(self.right.items()):
            count, chance = self.asked[name], self.chance[name] / self.asked[name]
            share = right / count
            if share - chance > max(t.LEAK_POINTS, 4 * (chance * (1 - chance) / count) ** 0.5):
                found[f"{name}: {rule}"] = f"{share:.1%} right, chance {chance:.1%}"
        return found

    def largest_class(self) -> dict[str, tuple[str, float]]:
        """By format, the diagnosis with the largest share of what a weighted sampler draws, and that share."""
        found = {}
        for name, drawn in sorted(self.classes.items()):
            node = max(sorted(drawn), key=lambda node: drawn[node])
            found[name] = node, drawn[node] / sum(drawn.values())
        return found


def _hash(*parts: str) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest(), "big")
