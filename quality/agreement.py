"""Agreement of a teacher with experts, always beside what no teacher at all would reach on the same images.

Plain accuracy is worthless here: whoever answers "absent" everywhere is right on most seven-point fields. So each field has its macro-F1 and
its presence-weighted F1, for the teacher and for three baselines: the constant "absent", the most frequent answer of the experts, and
answers drawn at random with the experts' frequencies (in expectation: such a draw has a precision and a recall of each value's share).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean
from typing import Any

from prompts import schemas
from prompts.ontology import Ontology

ABSENT, PRESENT = "absent", "present"
ALL = "all"
"""Name of the row that stands for every field with at least two expert values."""

Statements = Mapping[str, frozenset[str]]
"""What an expert says: for each field the values that the statement admits, one where it is precise."""

Pairs = Sequence[tuple[str, str]]
"""(expert's value, teacher's value) of one field, an entry an answer."""

ISIC2018 = {"pigment_network": "pigment_network", "streaks": "streaks", "globules": "dots_and_globules"}
"""Attributes of ISIC 2018's second task that are seven-point criteria; negative network and milia-like cysts are none."""

PH2 = {"streaks present": "streaks", "regression present": "regression_structures"}
"""PH2's statements that say that a structure is there but not which kind."""


@dataclass(frozen=True, slots=True)
class Score:
    """A teacher's score between 0 and 1 on `answers` answers, and the baselines' on the same; `assessed` is the share it did not leave open.

    `measure`: macro_f1, presence_f1 (observations), graded, same (diagnoses). A baseline is None where it has no meaning.
    """

    field: str
    measure: str
    answers: int
    assessed: float
    score: float
    absent: float | None
    majority: float
    prior: float

    @property
    def best_baseline(self) -> float:
        """The highest of the baselines."""
        return max(self.absent or 0.0, self.majority, self.prior)


def expert_statements(kind: str, concepts: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Fields that an image's annotation speaks about, in the vocabulary of its kind; empty where it says nothing comparable.

    `concepts` is `ImageRecord.expert_concepts`. A SkinCon list speaks about all 48 concepts, ISIC 2018's attributes about three criteria.
    """
    if kind == "clinical":
        listed = concepts.get("skincon")
        return {} if listed is None else {c: frozenset([PRESENT if c in listed else ABSENT]) for c in schemas.SKINCON}
    said = {key: frozenset([concepts[key]]) for key, values in schemas.DERM7PT.items() if concepts.get(key) in values}
    if "isic2018" in concepts:
        masks = concepts["isic2018"]
        said |= {key: _there(key) if name in masks else frozenset([ABSENT]) for name, key in ISIC2018.items()}
    return said | {key: _there(key) for text, key in PH2.items() if text in concepts.get("ph2", ())}


def _there(key: str) -> frozenset[str]:
    return frozenset(schemas.DERM7PT[key]) - {ABSENT}


def teacher_values(kind: str, observation: Mapping[str, Any]) -> dict[str, str]:
    """The closed part of a schema-valid observation by field; a concept that is not listed is absent."""
    if kind == "dermoscopic":
        return dict(observation[schemas.DERM7PT_KEY])
    listed = observation[schemas.SKINCON_KEY]
    return {concept: PRESENT if concept in listed else ABSENT for concept in schemas.SKINCON}


def paired(images: Iterable[tuple[Statements, Mapping[str, str]]]) -> dict[str, list[tuple[str, str]]]:
    """Expert's and teacher's values by field, of (statements, teacher's values) of each answer.

    A field about which some statement is not precise is compared as absent or present throughout, so that its values are of one grain.
    """
    found: dict[str, list[tuple[frozenset[str], str]]] = {}
    for said, answered in images:
        for key, admitted in said.items():
            found.setdefault(key, []).append((admitted, answered[key]))
    return {key: _of_one_grain(values) for key, values in sorted(found.items())}


def _of_one_grain(values: list[tuple[frozenset[str], str]]) -> list[tuple[str, str]]:
    if all(len(admitted) == 1 for admitted, _ in values):
        return [(next(iter(admitted)), answer) for admitted, answer in values]
    return [
        (ABSENT if admitted == {ABSENT} else PRESENT, answer if answer in (ABSENT, schemas.NOT_ASSESSABLE) else PRESENT)
        for admitted, answer in values
    ]


def class_f1(pairs: Pairs) -> dict[str, float]:
    """F1 of each value that the experts used. An answer left open misses its value and is a value of its own for nobody."""
    said, answered = Counter(e for e, _ in pairs), Counter(t for _, t in pairs)
    hits = Counter(e for e, t in pairs if e == t)
    return {value: 2 * hits[value] / (said[value] + answered[value]) for value in sorted(said)}


def macro_f1(pairs: Pairs) -> float:
    """Mean F1 of the values that the experts used."""
    return fmean(class_f1(pairs).values())


def presence_f1(pairs: Pairs) -> float | None:
    """Mean F1 of the values other than "absent", weighted by how often the experts used them; None where they used none."""
    weights = _presence(pairs)
    return _weighted(class_f1(pairs), weights) if weights else None


def _presence(pairs: Pairs) -> Counter[str]:
    return Counter(e for e, _ in pairs if e != ABSENT)


def _weighted(scores: Mapping[str, float], weights: Mapping[str, int]) -> float:
    return sum(scores[value] * count for value, count in weights.items()) / sum(weights.values())


def observation_scores(fields: Mapping[str, Pairs]) -> list[Score]:
    """Both measures of every field, and of all fields together.

    Together: the mean over fields, for presence weighted by presences. A field for which the experts used one value alone decides nothing
    and is left out of the sum.
    """
    scores = [score for key, pairs in fields.items() for score in _field_scores(key, pairs)]
    telling = {key: pairs for key, pairs in fields.items() if len({e for e, _ in pairs}) > 1}
    for measure, weight in (("macro_f1", lambda _: 1), ("presence_f1", lambda pairs: _presence(pairs).total())):
        parts = [(s, weight(telling[s.field])) for s in scores if s.field in telling and s.measure == measure]
        if parts:
            scores.append(_together(measure, parts, telling))
    return scores


def _field_scores(key: str, pairs: Pairs) -> list[Score]:
    said = Counter(e for e, _ in pairs)
    most = min(said, key=lambda value: (-said[value], value))
    constant = {name: [(e, name) for e, _ in pairs] for name in (ABSENT, most)}
    shares = {value: count / len(pairs) for value, count in said.items()}
    assessed = sum(t != schemas.NOT_ASSESSABLE for _, t in pairs) / len(pairs)
    absent, majority = (macro_f1(constant[name]) for name in (ABSENT, most))
    scores = [Score(key, "macro_f1", len(pairs), assessed, macro_f1(pairs), absent, majority, fmean(shares.values()))]
    present = presence_f1(pairs)
    if present is not None:
        absent, majority = (presence_f1(constant[name]) or 0.0 for name in (ABSENT, most))
        drawn = _weighted(shares, _presence(pairs))
        scores.append(Score(key, "presence_f1", len(pairs), assessed, present, absent, majority, drawn))
    return scores


def _together(measure: str, parts: Sequence[tuple[Score, int]], telling: Mapping[str, Pairs]) -> Score:
    total = sum(weight for _, weight in parts)
    mean = [
        sum((getattr(s, name) or 0.0) * w for s, w in parts) / total
        for name in ("assessed", "score", "absent", "majority", "prior")
    ]
    return Score(ALL, measure, max(map(len, telling.values())), *mean)


def diagnosis_scores(pairs: Sequence[tuple[str, str | None]], ontology: Ontology) -> list[Score]:
    """Graded and exact agreement of (known node, teacher's node) pairs; a name outside the ontology scores nothing.

    Grades are `prompts.ontology.SIMILARITY`: same 1.0, parent or child .85, sibling .7, same superclass .5. Empty without pairs.
    """
    if not pairs:
        return []
    said = Counter(known for known, _ in pairs)
    most = min(said, key=lambda node: (-said[node], node))
    assessed = sum(found is not None for _, found in pairs) / len(pairs)
    scores = []
    for measure, grade in (("graded", ontology.similarity), ("same", lambda a, b: float(a == b))):
        mean = fmean(grade(found, known) if found else 0.0 for known, found in pairs)
        majority = fmean(grade(most, known) for known, _ in pairs)
        drawn = sum(said[a] * said[b] * grade(a, b) for a, b in product(said, said)) / len(pairs) ** 2
        scores.append(Score("diagnosis", measure, len(pairs), assessed, mean, None, majority, drawn))
    return scores
