"""The ontology of diagnoses: names, hierarchy, malignancy, criteria, and how raw labels map to it.

Four levels at most: superclass, group, diagnosis, subtype. The data are in `prompts/diagnoses` (a file a superclass) and
`prompts/labels.json`. A coarse label stays coarse: `map_label` never goes further down than the label says, and nothing is matched by
similarity of spelling. `python -m prompts.ontology markdown` prints docs/ontology.md.
"""

import argparse
import difflib
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from prompts.names import MORPHOLOGY_WORDS, finder, normalise
from prompts.tree import LABELS, LEVELS, Criterion, Node, OntologyError, overlap, overlapping, read

__all__ = [
    "AGREES",
    "CAPITALS",
    "LEVELS",
    "MORPHOLOGY_WORDS",
    "Criterion",
    "Mapped",
    "Node",
    "Ontology",
    "OntologyError",
    "load",
    "normalise",
]

HERE = Path(__file__).parent

Relation = Literal["same", "ancestor", "descendant", "overlap", "sibling", "same superclass", "unrelated"]
SIMILARITY: dict[Relation, float] = {
    "same": 1.0,
    "ancestor": 0.85,
    "descendant": 0.85,
    "overlap": 0.85,
    "sibling": 0.7,
    "same superclass": 0.5,
    "unrelated": 0.1,
}
"""Graded agreement of two diagnoses, as the reference benchmark scores it; `overlap` is ours."""

AGREES: frozenset[Relation] = frozenset({"same", "ancestor", "descendant", "overlap"})
"""Relations of two names that can both be true of one picture."""


CAPITALS = re.compile(r"[A-Z][^\WA-Z]*[A-Z]")
"""What every abbreviation looks like; a test holds them to it."""


class Mapped(NamedTuple):
    """The node of a raw label (None: it names no diagnosis of the tree) and how it was found."""

    node: str | None
    how: Literal["source table", "name", "synonym", "abbreviation", "isic name", "unmapped"]


@dataclass(frozen=True)
class Ontology:
    """The tree with its look-ups. Ids are stable; names are what people read."""

    nodes: Mapping[str, Node]
    raw_labels: Mapping[str, Mapping[str, str | None]]
    digest: str
    _children: Mapping[str | None, tuple[str, ...]] = field(default_factory=dict)
    _rings: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict, repr=False)

    @cached_property
    def _paths(self) -> dict[str, tuple[str, ...]]:
        paths: dict[str, tuple[str, ...]] = {}
        waiting = list(self.children(None))
        while waiting:
            node = waiting.pop()
            paths[node] = (*paths.get(self.nodes[node].parent or "", ()), node)
            waiting += self.children(node)
        return paths

    @cached_property
    def _overlapping(self) -> frozenset[tuple[str, str]]:
        return overlapping(self.nodes)

    def path(self, node: str) -> tuple[str, ...]:
        """Ids from the superclass down to `node` itself."""
        return self._paths[node]

    def children(self, node: str | None) -> tuple[str, ...]:
        """Ids below a node, in the order of the data; of None: the superclasses."""
        return self._children.get(node, ())

    def siblings(self, node: str) -> tuple[str, ...]:
        """The other children of the node's parent."""
        return tuple(other for other in self.children(self.nodes[node].parent) if other != node)

    def granularity(self, node: str) -> str:
        """`superclass`, `group`, `diagnosis` or `subtype`, by depth."""
        return LEVELS[len(self.path(node)) - 1]

    def alternatives(self, node: str, label: str) -> tuple[str, ...]:
        """Siblings of a node on the path of `label` that a picture of `label` can rule out."""
        possible = self._possible(label)
        return tuple(other for other in self.siblings(node) if self._ruled_out(other, label, possible))

    def cousins(self, node: str) -> tuple[tuple[str, ...], ...]:
        """What a picture of `node` can rule out at its own depth, nearest relatives first: siblings, then by grandparent, and so on.

        Left out are nodes that can be true of the same picture, and diagnoses that no finding can argue for.
        """
        if node not in self._rings:
            self._rings[node] = self._cousins(node)
        return self._rings[node]

    def _cousins(self, node: str) -> tuple[tuple[str, ...], ...]:
        path, possible = self.path(node), self._possible(node)
        seen, rings = {node}, []
        for ancestor in [*reversed(path[:-1]), None]:
            ring = [n for n in self._below(ancestor) if len(self.path(n)) == len(path) and n not in seen]
            seen.update(ring)
            rings.append(tuple(n for n in ring if self._ruled_out(n, node, possible)))
        return tuple(rings)

    def _possible(self, label: str) -> set[str]:
        """Nodes outside a label's path that hold one that overlaps it: they may be true of its pictures."""
        path = self.path(label)
        return {above for a, b in self._overlapping if a in path for above in self.path(b)} - set(path)

    def _ruled_out(self, other: str, label: str, possible: set[str]) -> bool:
        return not self.nodes[other].without_criteria and other not in possible and self.exclusive(other, label)

    def _below(self, node: str | None) -> list[str]:
        return [found for child in self.children(node) for found in (child, *self._below(child))]

    def criteria(self, node: str) -> tuple[Criterion, ...]:
        """The node's criteria, or those of its nearest ancestor that has any."""
        return next((self.nodes[n].criteria for n in reversed(self.path(node)) if self.nodes[n].criteria), ())

    @cached_property
    def _names(self) -> dict[str, Mapped]:
        """Every normalised name to its node."""
        names: dict[str, Mapped] = {}
        for node in self.nodes.values():
            names[normalise(node.name)] = Mapped(node.id, "name")
            names |= {normalise(text): Mapped(node.id, "synonym") for text in node.synonyms}
            names |= {normalise(text): Mapped(node.id, "abbreviation") for text in node.abbreviations}
        for node in self.nodes.values():
            for text in node.isic:
                names.setdefault(normalise(text), Mapped(node.id, "isic name"))
        return names

    def resolve(self, label: str) -> str | None:
        """The node that a text names, exactly after normalisation; None when it names none."""
        named = self._names.get(normalise(label))
        return named.node if named else None

    def close_names(self, label: str, most: int) -> tuple[str, ...]:
        """Names of the nodes whose name or synonym is spelled most like a text, the nearest first, each node once."""
        said = normalise(label)
        near = difflib.get_close_matches(said, self._names, n=4 * most, cutoff=0.3)
        # "Common brown mole of the skin" is spelled like many names; those whose every word it holds come first.
        whole = [name for name in self._names if set(name.split()) <= set(said.split())]
        near = [*sorted(whole, key=lambda name: (-len(name), name)), *near]
        nodes = (self._names[name].node for name in near)
        return tuple(dict.fromkeys(self.nodes[node].name for node in nodes if node))[:most]

    def map_label(self, source: str, raw: str) -> Mapped:
        """The node of a source's raw label: the source's own table first, then the names of the tree."""
        table, text = self.raw_labels.get(source, {}), normalise(raw)
        if text in table:
            return Mapped(table[text], "source table")
        return self._names.get(text, Mapped(None, "unmapped"))

    def relation(self, a: str, b: str) -> Relation:
        """How `a` stands to `b`: `ancestor` means that a is above b, `overlap` that both can be true of one picture."""
        if a == b:
            return "same"
        up, down = self.path(a), self.path(b)
        if a in down:
            return "ancestor"
        if b in up:
            return "descendant"
        if overlap(up, down, self._overlapping):
            return "overlap"
        if self.nodes[a].parent == self.nodes[b].parent and self.nodes[a].parent is not None:
            return "sibling"
        return "same superclass" if up[0] == down[0] else "unrelated"

    def exclusive(self, a: str, b: str) -> bool:
        """Whether the two cannot both be true of one picture."""
        return self.relation(a, b) not in AGREES

    def similarity(self, a: str, b: str) -> float:
        """Graded agreement, 1.0 for the same node down to 0.1 for unrelated ones."""
        return SIMILARITY[self.relation(a, b)]

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of its names, lower case: eponyms among them."""
        return frozenset(word for name in self._names for word in name.split())

    @cached_property
    def _mentioned(self) -> Callable[[str], tuple[str, ...]]:
        """The search for names that count where they stand in prose."""
        return finder({normalise(t) for n in self.nodes.values() for t in (n.name, *n.synonyms)} - MORPHOLOGY_WORDS)

    @cached_property
    def _abbreviation(self) -> re.Pattern[str]:
        short = sorted({text for node in self.nodes.values() for text in node.abbreviations}, key=lambda w: (-len(w), w))
        return re.compile(rf"\b(?:{'|'.join(map(re.escape, short))})s?\b")

    def mentions(self, text: str) -> tuple[str, ...]:
        """Diagnosis names in a text, in order: names and synonyms in any case and number, abbreviations in capitals."""
        named = self._mentioned(text)
        return (*named, *(match[0] for match in self._abbreviation.finditer(text))) if CAPITALS.search(text) else named


@lru_cache(maxsize=1)
def load() -> Ontology:
    """The project's ontology, validated once. Raises OntologyError listing every fault."""
    return parse(data_files())


def data_files() -> dict[str, bytes]:
    """The project's data: contents by file name."""
    return {path.name: path.read_bytes() for path in [*sorted((HERE / "diagnoses").glob("*.json")), HERE / LABELS]}


def parse(files: Mapping[str, bytes]) -> Ontology:
    """An ontology from the contents of its files by name. Raises OntologyError listing every fault with file and node."""
    nodes, labels = read(files)
    children: dict[str | None, list[str]] = defaultdict(list)
    for node in nodes.values():
        children[node.parent].append(node.id)
    below = {parent: tuple(ids) for parent, ids in children.items()}
    digest = hashlib.sha256(b"".join(hashlib.sha256(files[name]).digest() for name in sorted(files))).hexdigest()
    return Ontology(nodes, labels, digest, below)


def main() -> None:
    """The command line: `markdown` prints the tree as a page."""
    parser = argparse.ArgumentParser(prog="python -m prompts.ontology", description=main.__doc__)
    parser.add_argument("what", choices=("markdown",))
    parser.parse_args()
    from prompts.ontology_page import markdown

    print(markdown(load()), end="")


if __name__ == "__main__":
    main()
