"""Scores of the eleven tasks from items and answers, each with a bootstrap interval over groups of images that belong together.

A score is a function of weights, one an item: all 1 for the score itself, a resampling's counts for its interval. Resamplings draw whole
groups (patients, lesions), seeded by the items' ids, so that the same answers give the same interval everywhere.
An answer that cannot be read is wrong, and counted. Scores are 0 to 100.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from prompts.benchmark.items import ABSENT, Item
from prompts.ontology import Ontology
from quality.benchmark import answers
from quality.benchmark.claims import Counts
from quality.benchmark.fairness import tone_groups
from quality.thresholds import BOOTSTRAP, INTERVAL, TONE_GROUP

Weights = np.ndarray
"""float, shape (items,)."""

Measure = Callable[[Weights], float | None]
"""A score of weighted items, 0 to 1; None where the weights leave nothing to score."""

Judged = Mapping[str, Counts | None]
"""Claim counts by item id; None where the judge's answers could not be used."""


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of one task, 0 to 100, with its interval. `headline` is the one that the reference benchmark reports for the task.

    `items` are the questions that count, `unreadable` those among them whose answer was none or could not be read.
    """

    measure: str
    value: float | None
    low: float | None
    high: float | None
    items: int
    unreadable: int
    headline: bool = False


def score(items: Sequence[Item], said: Mapping[str, str | None], ontology: Ontology, judged: Judged) -> list[Score]:
    """Scores of one task and variant: `items` of one scorer, answers by item id (missing: none was given)."""
    (scorer,) = {item.scorer for item in items}
    items = sorted(items, key=lambda item: item.item_id)
    texts = [said.get(item.item_id) or "" for item in items]
    if scorer in ("choice", "steps", "fairness"):
        return _chosen(items, texts, scorer)
    return _written(items, texts, ontology, judged)


def _chosen(items: Sequence[Item], texts: Sequence[str], scorer: str) -> list[Score]:
    picked = [answers.chosen(text, item.options) for item, text in zip(items, texts, strict=True)]
    right = np.array([option in item.truth["right"] for item, option in zip(items, picked, strict=True)], float)
    unreadable = sum(option is None for option in picked)
    measures: dict[str, Measure] = {"accuracy": _mean(right)}
    if scorer == "steps":
        measures = {"step accuracy": _mean(right), **_walks(items, right)}
    else:
        measures["macro F1"] = _macro_f1(items, picked)
    if scorer == "fairness":
        measures = {"accuracy x fairness": _fair_accuracy(items, right), "fairness": fairness(items, right), **measures}
        measures["worst group"] = _worst(items, right)
    return _with_intervals(items, measures, unreadable)


def _written(items: Sequence[Item], texts: Sequence[str], ontology: Ontology, judged: Judged) -> list[Score]:
    """`claims`, alone or with half or two thirds of the score for what else the task asks."""
    parts: dict[str, Measure] = {"claims": _mean(np.array([_claim_score(judged.get(item.item_id)) for item in items]))}
    missing = [judged.get(item.item_id) is None for item in items]
    scorer = items[0].scorer
    named = [answers.diagnosis(text) for text in texts]
    if "diagnosis" in scorer:
        graded = [_graded(item, name, ontology) for item, name in zip(items, named, strict=True)]
        parts["graded diagnosis"] = _mean(np.array(graded))
        parts["same diagnosis"] = _mean(np.array([grade == 1.0 for grade in graded], float))
        missing = [gone or name is None for gone, name in zip(missing, named, strict=True)]
    if "morphology" in scorer:
        read = [answers.morphology(text, item.kind) for item, text in zip(items, texts, strict=True)]
        parts["presence F1"] = _presence_f1(items, read)
        missing = [gone or value is None for gone, value in zip(missing, read, strict=True)]
    return _with_intervals(items, {**_combined(parts), **parts} if len(parts) > 1 else parts, sum(missing))


def _combined(parts: Mapping[str, Measure]) -> dict[str, Measure]:
    """The reference's weights: half text and half diagnosis; half text and half morphology; with all three .66 and .34."""

    def share(weights: Weights) -> float | None:
        text = parts["claims"](weights)
        if text is None:
            return None
        if "graded diagnosis" in parts:
            text = 0.5 * text + 0.5 * (parts["graded diagnosis"](weights) or 0.0)
        if "presence F1" not in parts:
            return text
        of_morphology = 0.34 if "graded diagnosis" in parts else 0.5
        return (1 - of_morphology) * text + of_morphology * (parts["presence F1"](weights) or 0.0)

    return {"together": share}


def _claim_score(counts: Counts | None) -> float:
    return counts.score if counts else 0.0


def _graded(item: Item, name: str | None, ontology: Ontology) -> float:
    node = ontology.resolve(name) if name else None
    return ontology.similarity(node, item.truth["node"]) if node else 0.0


def _mean(values: np.ndarray) -> Measure:
    def measure(weights: Weights) -> float | None:
        total = weights.sum()
        return float(values @ weights / total) if total else None

    return measure


def _macro_f1(items: Sequence[Item], picked: Sequence[str | None]) -> Measure:
    """Mean F1 of the true options; options of different questions (`field`) are different classes."""
    places = {key: n for n, key in enumerate(sorted({(item.truth["field"], item.truth["true"]) for item in items}))}
    true = np.array([places[item.truth["field"], item.truth["true"]] for item in items])
    none = len(places)
    chose = np.array([places.get((item.truth["field"], option), none) for item, option in zip(items, picked, strict=True)])

    def measure(weights: Weights) -> float | None:
        said = np.bincount(true, weights, none)
        hits = np.bincount(true, weights * (true == chose), none)
        answered = np.bincount(chose, weights, none + 1)[:none]
        there = said > 0
        return float((2 * hits[there] / (said + answered)[there]).mean()) if there.any() else None

    return measure


def _walks(items: Sequence[Item], right: np.ndarray) -> dict[str, Measure]:
    """Corrections a case, and the share of cases without one. A case weighs what its first step weighs."""
    place = {walk: n for n, walk in enumerate(sorted({item.walk for item in items}))}
    of = np.array([place[item.walk] for item in items])
    wrong = np.bincount(of, 1 - right)
    first = np.unique(of, return_index=True)[1]

    def corrections(weights: Weights) -> float | None:
        total = weights[first].sum()
        return float(wrong @ weights[first] / total) if total else None

    return {"without correction": lambda weights: _mean((wrong == 0).astype(float))(weights[first]), "corrections": corrections}


def _presence_f1(items: Sequence[Item], read: Sequence[Mapping[str, str] | None]) -> Measure:
    """F1 of what is there, pooled over images: "absent" everywhere scores nothing, and every presence weighs the same."""
    hits, said, answered = (np.array(column, float) for column in zip(*map(_presences, items, read), strict=True))

    def measure(weights: Weights) -> float | None:
        total = (said + answered) @ weights
        return float(2 * hits @ weights / total) if total else None

    return measure


def _presences(item: Item, read: Mapping[str, str] | None) -> tuple[int, int, int]:
    """Right presences, known presences, and presences that were stated of fields that are known."""
    known: Mapping[str, str] = item.truth["morphology"]
    there = {name for name, value in known.items() if value != ABSENT}
    stated = {name for name in known if read and read[name] != ABSENT}
    return sum(bool(read) and read[name] == known[name] for name in there & stated), len(there), len(stated)  # type: ignore[index]


def _group_accuracies(items: Sequence[Item], right: np.ndarray) -> Callable[[Weights], np.ndarray]:
    """Accuracy of every skin-tone group with enough items, by weights."""
    groups = tone_groups(items)
    kept = [name for name in sorted(set(groups)) if groups.count(name) >= TONE_GROUP]
    masks = np.array([[group == name for group in groups] for name in kept], float).reshape(len(kept), len(items))

    def accuracies(weights: Weights) -> np.ndarray:
        totals = masks @ weights
        return (masks @ (weights * right))[totals > 0] / totals[totals > 0]

    return accuracies


def fairness(items: Sequence[Item], right: np.ndarray) -> Measure:
    """1 - (highest - lowest accuracy of a group) / highest; None with fewer than two groups, 0 where no group is ever right."""
    accuracies = _group_accuracies(items, right)

    def measure(weights: Weights) -> float | None:
        found = accuracies(weights)
        if len(found) < 2:
            return None
        return float(found.min() / found.max()) if found.max() else 0.0

    return measure


def _fair_accuracy(items: Sequence[Item], right: np.ndarray) -> Measure:
    """Accuracy times fairness: a guess is fair to everybody, and must not look good for it."""
    fair, accuracy = fairness(items, right), _mean(right)

    def measure(weights: Weights) -> float | None:
        found, share = fair(weights), accuracy(weights)
        return None if found is None or share is None else found * share

    return measure


def _worst(items: Sequence[Item], right: np.ndarray) -> Measure:
    accuracies = _group_accuracies(items, right)

    def measure(weights: Weights) -> float | None:
        found = accuracies(weights)
        return float(found.min()) if len(found) else None

    return measure


COUNTED = frozenset({"corrections"})
"""Measures that are numbers, not shares."""


def _with_intervals(items: Sequence[Item], measures: Mapping[str, Measure], unreadable: int) -> list[Score]:
    draws = resampled(items)
    scores = []
    for number, (name, measure) in enumerate(measures.items()):
        times = 1.0 if name in COUNTED else 100.0
        value = measure(np.ones(len(items)))
        drawn = [found for weights in draws if (found := measure(weights)) is not None] if value is not None else []
        ends = np.quantile(drawn, [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2]) * times if drawn else (None, None)
        low, high = (None if end is None else float(end) for end in ends)
        scores.append(Score(name, None if value is None else value * times, low, high, len(items), unreadable, not number))
    return scores


def resampled(items: Sequence[Item]) -> np.ndarray:
    """Weights of every resampling, shape (BOOTSTRAP, items): groups drawn with replacement, seeded by the ids of the items."""
    groups = sorted({item.group_id for item in items})
    place = {group: n for n, group in enumerate(groups)}
    of = np.array([place[item.group_id] for item in items])
    seed = hashlib.sha256("".join(item.item_id for item in items).encode()).digest()
    rng = np.random.Generator(np.random.PCG64(int.from_bytes(seed[:8])))
    return rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), BOOTSTRAP)[:, of].astype(float)
