"""How far people who judge the same things agree with one another, beyond chance."""

from collections import Counter
from collections.abc import Mapping, Sequence


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa (1960) of two raters' answers to the same questions; None where chance alone would agree on all of them."""
    if not pairs:
        return None
    n = len(pairs)
    observed = sum(a == b for a, b in pairs) / n
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(first[value] * second[value] for value in first) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def krippendorff_alpha(units: Sequence[Sequence[str]]) -> float | None:
    """Krippendorff's alpha for nominal values: `units` are the answers to each question, by however many raters gave one.

    A question that one rater alone answered is left out. None where nothing is left, or all answers are one value. Krippendorff,
    Computing Krippendorff's Alpha-Reliability (2011), section C.
    """
    pairable = [unit for unit in units if len(unit) > 1]
    values = Counter(value for unit in pairable for value in unit)
    n = values.total()
    expected = n**2 - sum(count**2 for count in values.values())
    if not expected:
        return None
    observed = sum((len(unit) ** 2 - sum(c**2 for c in Counter(unit).values())) / (len(unit) - 1) for unit in pairable)
    return 1 - (n - 1) * observed / expected


def reviewers_agree(said: Mapping[str, Mapping[str, str]]) -> tuple[str, float | None, int]:
    """Coefficient, its value and the number of questions that two or more answered; `said` is the answer by reviewer and question.

    Cohen's kappa for two reviewers, Krippendorff's alpha for more.
    """
    units = {
        question: [answers[question] for _, answers in sorted(said.items()) if question in answers] for question in _all(said)
    }
    shared = [unit for unit in units.values() if len(unit) > 1]
    if len(said) == 2:
        return "Cohen's kappa", cohen_kappa([(a, b) for a, b in shared]), len(shared)
    return "Krippendorff's alpha", krippendorff_alpha(shared), len(shared)


def _all(said: Mapping[str, Mapping[str, str]]) -> list[str]:
    return sorted({question for answers in said.values() for question in answers})
