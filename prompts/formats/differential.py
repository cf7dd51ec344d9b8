"""Differential diagnosis: the label and three others, ranked by a count of findings, each with what speaks for and against it.

The rule: a diagnosis scores the recorded findings that support it in the ontology less those that speak against it. Candidates have the
depth of the label, can be ruled out by a picture of it, and have at least one finding for them. More points come first, then more
findings for it, then the closer relative of the label, then the name. Where the label does not come first, there is no such sample: ranks are counted, never arranged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from prompts import questions, schemas
from prompts.formats.record import Record, Turn, once
from prompts.ontology import Ontology

OTHERS = 3
"""Diagnoses beside the label."""

MOST = 64
"""More findings than an observation can state."""

FAR = 1 << 12
"""More than the ontology has nodes."""


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
    found = tuple(dict.fromkeys(schemas.findings(record.observation)))
    criteria = _criteria(ontology, record.kind)
    own = criteria.weigh(record.node, found)
    if not own.supporting:
        return []
    rivals = [criteria.weigh(node, found) for node in criteria.rivals(record.node, found, ontology)]
    if len(rivals) < OTHERS or _counts(rivals[0]) < _counts(own):
        return []
    return [own, *rivals]


def order(one: Candidate, label: str, ontology: Ontology) -> tuple[int, int, int, str]:
    """What the rivals of a label are sorted by."""
    ring = next(ring for ring, nodes in enumerate(ontology.cousins(label)) if one.node in nodes)
    return *_counts(one), ring, ontology.nodes[one.node].name


def _counts(one: Candidate) -> tuple[int, int]:
    return -one.points, -len(one.supporting)


class _Criteria:
    """The criteria of all nodes for one kind of image, as vectors over the nodes in the order of their names."""

    def __init__(self, ontology: Ontology, kind: str) -> None:
        """For one kind of image."""
        self.nodes = sorted(ontology.nodes, key=lambda node: ontology.nodes[node].name)
        self.sides: dict[str, dict[str, frozenset[str]]] = {"supports": {}, "against": {}}
        self.vectors: dict[str, dict[str, np.ndarray]] = {"supports": {}, "against": {}}
        self.nearness: dict[str, np.ndarray] = {}
        for place, node in enumerate(self.nodes):
            criteria = [c for c in ontology.criteria(node) if c.kind in (kind, "both")]
            for side, vectors in self.vectors.items():
                self.sides[side][node] = frozenset(c.finding for c in criteria if c.polarity == side)
                for finding in self.sides[side][node]:
                    vectors.setdefault(finding, np.zeros(len(self.nodes), np.int32))[place] = 1

    def weigh(self, node: str, found: Sequence[str]) -> Candidate:
        """A node with the findings on both sides."""
        supports, against = self.sides["supports"][node], self.sides["against"][node]
        return Candidate(node, tuple(f for f in found if f in supports), tuple(f for f in found if f in against))

    def rivals(self, label: str, found: Sequence[str], ontology: Ontology) -> list[str]:
        """The best others with a finding for them, by the rule."""
        plus, minus = (self._count(self.vectors[side], found) for side in ("supports", "against"))
        nearness = self._nearness(label, ontology)
        # One number sorts as `order` does: points, then findings for it, then relatives of the label by distance and name.
        key = (MOST + minus - plus << 20) + (MOST - plus << 12) + nearness
        able = np.flatnonzero((nearness < FAR) & (plus > 0))
        if len(able) < OTHERS:
            return []
        best = able[np.argpartition(key[able], OTHERS - 1)[:OTHERS]]
        return [self.nodes[place] for place in best[np.argsort(key[best])]]

    def _count(self, vectors: Mapping[str, np.ndarray], found: Sequence[str]) -> np.ndarray:
        counts = np.zeros(len(self.nodes), np.int32)
        for finding in found:
            if finding in vectors:
                counts += vectors[finding]
        return counts

    def _nearness(self, label: str, ontology: Ontology) -> np.ndarray:
        """Rank of each node among what has the depth of the label and can be ruled out by a picture of it, `FAR` for the others."""
        if label not in self.nearness:
            place = {node: n for n, node in enumerate(self.nodes)}
            ranks = np.full(len(self.nodes), FAR, np.int32)
            near = [n for ring in ontology.cousins(label) for n in sorted(place[node] for node in ring)]
            ranks[near] = np.arange(len(near))
            self.nearness[label] = ranks
        return self.nearness[label]


_built: dict[tuple[str, str], _Criteria] = {}


def _criteria(ontology: Ontology, kind: str) -> _Criteria:
    key = (ontology.digest, kind)
    if key not in _built:
        _built[key] = _Criteria(ontology, kind)
    return _built[key]
