"""Differential diagnosis: the label and three others, ranked by a count of findings, each with what speaks for and against it.

The rule: a diagnosis scores the recorded findings that support it in the ontology less those that speak against it. Candidates have the
depth of the label, can be ruled out by a picture of it, and have at least one finding for them. More points come first, then more
findings for it, then the name. Where the label does not come first, there is no such sample: ranks are counted, never arranged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prompts import questions, schemas
from prompts.formats.record import Record, Turn, once
from prompts.ontology import Ontology

OTHERS = 3
"""Diagnoses beside the label."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A diagnosis with the recorded findings on both sides, in the order in which they are recorded."""

    node: str
    supporting: tuple[str, ...]
    against: tuple[str, ...]

    @property
    def points(self) -> int:
        """Findings for it less findings against it."""
        return len(self.supporting) - len(self.against)


def differential(record: Record, ontology: Ontology) -> list[Turn]:
    """The ranked list; empty when the label does not lead it or fewer than three others have a finding for them."""
    ranked = ranking(record, ontology)
    if not ranked:
        return []
    lines = [
        questions.RANKED.format(
            rank=rank,
            name=ontology.nodes[one.node].name,
            supporting="; ".join(one.supporting),
            against="; ".join(one.against) or questions.NOTHING,
        )
        for rank, one in enumerate(ranked, 1)
    ]
    ask = questions.pick(questions.DIFFERENTIAL, f"{record.sha256}/differential")
    return once(ask, "\n".join([*lines, questions.RANKED_BY]))


def ranking(record: Record, ontology: Ontology) -> list[Candidate]:
    """The label, then the best three others by the rule; empty when the label is not first or there are fewer."""
    found = schemas.findings(record.observation)
    index = _index(ontology, record.kind)
    own = index.weigh(record.node, found)
    if not own.supporting:
        return []
    rivals = index.rivals(record.node, ontology, found)
    if len(rivals) < OTHERS or any(order(one, ontology)[:2] < order(own, ontology)[:2] for one in rivals[:1]):
        return []
    return [own, *rivals[:OTHERS]]


def order(one: Candidate, ontology: Ontology) -> tuple[int, int, str]:
    """What candidates are sorted by."""
    return -one.points, -len(one.supporting), ontology.nodes[one.node].name


@dataclass(slots=True)
class _Index:
    """Criteria by node, and nodes by supporting finding, for one kind of image."""

    supports: dict[str, frozenset[str]] = field(default_factory=dict)
    opposes: dict[str, frozenset[str]] = field(default_factory=dict)
    supported: dict[str, list[str]] = field(default_factory=dict)
    opposed: dict[str, list[str]] = field(default_factory=dict)
    near: dict[str, frozenset[str]] = field(default_factory=dict)

    def weigh(self, node: str, found: Iterable[str]) -> Candidate:
        """A node with the findings on both sides."""
        found = tuple(dict.fromkeys(found))
        return Candidate(
            node,
            tuple(f for f in found if f in self.supports[node]),
            tuple(f for f in found if f in self.opposes[node]),
        )

    def rivals(self, label: str, ontology: Ontology, found: Iterable[str]) -> list[Candidate]:
        """The best others with a finding for them, by the rule."""
        if label not in self.near:
            self.near[label] = frozenset(node for ring in ontology.cousins(label) for node in ring)
        near, found = self.near[label], tuple(dict.fromkeys(found))
        points = _count(self.supported, found)
        minus = _count(self.opposed, found)
        scored = [(minus.get(node, 0) - n, -n, ontology.nodes[node].name, node) for node, n in points.items() if node in near]
        return [self.weigh(node, found) for *_, node in sorted(scored)[:OTHERS]]


def _count(nodes_of: Mapping[str, Iterable[str]], found: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in found:
        for node in nodes_of.get(finding, ()):
            counts[node] = counts.get(node, 0) + 1
    return counts


_indices: dict[tuple[str, str], _Index] = {}


def _index(ontology: Ontology, kind: str) -> _Index:
    key = (ontology.digest, kind)
    if key not in _indices:
        built = _Index()
        for node in ontology.nodes:
            criteria = [c for c in ontology.criteria(node) if c.kind in (kind, "both")]
            built.supports[node] = frozenset(c.finding for c in criteria if c.polarity == "supports")
            built.opposes[node] = frozenset(c.finding for c in criteria if c.polarity == "against")
            for finding in built.supports[node]:
                built.supported.setdefault(finding, []).append(node)
            for finding in built.opposes[node]:
                built.opposed.setdefault(finding, []).append(node)
        _indices[key] = built
    return _indices[key]
