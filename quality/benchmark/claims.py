"""The claims of a reference held against a model's prose: what it supports, half supports, contradicts, and what it adds.

Two readers give the same counts. This one reads words (`quality.finding_words`) and needs no model; a judge model is asked in
`pipelines.benchmark.grade`. The score is the reference benchmark's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prompts.benchmark.items import ABSENT, claim
from prompts.schemas import DERM7PT_KEY, OTHERS_KEY
from quality import checks, claim_words, finding_words, text
from quality.patterns import whole_words
from quality.text import Mention, Polarity
from sources.vocabulary import DERM7PT


@dataclass(frozen=True, slots=True)
class Counts:
    """How many claims the reference makes, and how many of them a text supports, half supports and contradicts; `extra` are its own."""

    claims: int
    supported: float
    partial: float
    contradicted: float
    extra: float

    @property
    def score(self) -> float:
        """(supported + half of the partial) of the claims, less half of the contradicted and extra ones (at most half), 0 to 1."""
        recall = (self.supported + 0.5 * self.partial) / self.claims
        return max(0.0, recall - 0.5 * min(1.0, (self.contradicted + self.extra) / self.claims))


def read_words(claims: Sequence[str], morphology: Mapping[str, str], prose: str) -> Counts:
    """Counts by words. `morphology` is what is known of the image: a text that affirms what is absent adds an extra claim."""
    values = {claim(name, value): (name, value) for name, value in morphology.items()}
    prose = _itemised(prose)
    verdicts = [_verdict(*values[one], prose) for one in claims]
    return Counts(
        claims=len(claims),
        supported=verdicts.count("supported"),
        partial=verdicts.count("partial"),
        contradicted=verdicts.count("contradicted"),
        extra=sum(_affirms(name, prose) for name, value in morphology.items() if value == ABSENT),
    )


def sentence(finding: str) -> str:
    """A finding as the plainest sentence that says it; the reader above supports every claim in its own sentence."""
    name, _, value = finding.partition(": ")
    if not value:
        return f"There is {re.split(r'[(/]', name)[0].strip().lower()}."
    return f"There is a {name}." if value == "present" else f"There is {value.removesuffix(' areas')} {name}."


_ABSENCE = re.compile(r"(\babsence of [^,;.]*),", re.IGNORECASE)


def _itemised(prose: str) -> str:
    """Prose in which an absence among several in one list denies its own item alone: "the absence of A, B, and the absence of C"."""
    return ". ".join(_ABSENCE.sub(r"\1;", one) if len(_ABSENCE.findall(one)) > 1 else one for one in text.sentences(prose))


def _verdict(name: str, value: str, prose: str) -> str:
    found = text.mentions(prose, claim_words.NAMED[name])
    said = [mention for mention in found if mention.polarity is Polarity.AFFIRMED]
    if name in DERM7PT and _contradicted(name, value, prose):
        return "contradicted"
    if not said:
        return "contradicted" if any(mention.polarity is Polarity.DENIED for mention in found) else "missing"
    return "supported" if any(_tells(name, value, mention) for mention in said) else "partial"


def _contradicted(name: str, value: str, prose: str) -> bool:
    """Whether prose is at odds with one value of one dermoscopic criterion, taken by itself."""
    return bool(checks.contradictions({DERM7PT_KEY: {name: value}, OTHERS_KEY: []}, prose))


def _tells(name: str, value: str, mention: Mention) -> bool:
    """Whether a mention of a criterion tells its value too; concepts, and criteria that are there or not, have none."""
    if name not in DERM7PT or value == "present":
        return True
    clause = mention.before + mention.quote + mention.after
    return all(pattern.search(clause) for pattern in _words_of(name, value))


def _words_of(name: str, value: str) -> list[re.Pattern[str]]:
    known = finding_words.VALUES.get(name, {})
    if value == "combinations":
        return [whole_words(r"combin\w+", r"blu\w+.*whit\w+", r"whit\w+.*blu\w+")]
    if value in known:
        return [known[value]]
    return [known.get(part) or whole_words(rf"{part}\w*") for part in value.removesuffix(" areas").split()]


def _affirms(name: str, prose: str) -> bool:
    """Whether prose clearly states a finding that is not there. Colours are everyday words: they add no claim."""
    if name in DERM7PT:
        return _contradicted(name, ABSENT, prose)
    pattern = finding_words.CONCEPTS.get(name)
    return pattern is not None and any(m.polarity is Polarity.AFFIRMED for m in text.mentions(prose, pattern))
