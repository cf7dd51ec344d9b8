"""What of a held-out image training had nothing like: the rule of task 2.3."""

from collections.abc import Iterable
from dataclasses import dataclass

from prompts.benchmark.items import Case

SHIFTS = ("new source", "new diagnosis", "new skin tone")
"""The variants of the task, the strongest first; an image belongs to the first that is true of it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What training images have: sources, (kind, label) pairs, and (label, scale, tone) triples."""

    sources: frozenset[str]
    labels: frozenset[tuple[str, str]]
    toned: frozenset[tuple[str, str, str]]


def seen(training: Iterable[Case]) -> Seen:
    """What these cases have."""
    cases = list(training)
    return Seen(
        frozenset(case.source for case in cases),
        frozenset((case.kind, case.node) for case in cases),
        frozenset((case.node, system, value) for case in cases for system, value in case.tones.items()),
    )


def shift(case: Case, trained: Seen) -> str | None:
    """The shift of a case; None where training had its source, its label, and its label on its skin tone (or none is stated)."""
    if case.source not in trained.sources:
        return "new source"
    if (case.kind, case.node) not in trained.labels:
        return "new diagnosis"
    tones = [(case.node, system, value) for system, value in case.tones.items()]
    return "new skin tone" if tones and not any(tone in trained.toned for tone in tones) else None
