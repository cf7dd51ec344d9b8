"""The ontology of diagnoses: names, hierarchy, malignancy, criteria, and how raw labels map to it. The data are in ontology.json.

Four levels at most: superclass, group, diagnosis, subtype. A coarse label stays coarse: `map_label` never goes further down than
the label says, and nothing is matched by similarity of spelling.
"""

import difflib
import hashlib
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from prompts.schemas import all_findings

DATA = Path(__file__).with_name("ontology.json")
LEVELS = ("superclass", "group", "diagnosis", "subtype")
MALIGNANCY = ("benign", "indeterminate", "malignant", "non-neoplastic")

Relation = Literal["same", "ancestor", "descendant", "sibling", "same superclass", "unrelated"]
SIMILARITY: dict[Relation, float] = {
    "same": 1.0,
    "ancestor": 0.85,
    "descendant": 0.85,
    "sibling": 0.7,
    "same superclass": 0.5,
    "unrelated": 0.1,
}
"""Graded agreement of two diagnoses, as the reference benchmark scores it."""

MORPHOLOGY_WORDS = frozenset({"milia", "milium", "comedo", "cyst", "scar", "nail"})
"""Names that also describe a sign (milia-like cysts of dermoscopy): `mentions` does not count them."""

PLURALS = (
    ("elis", "elides"),
    ("titis", "titides"),
    ("go", "gines"),
    ("ma", "mata"),
    ("us", "i"),
    ("is", "es"),
    ("um", "a"),
    ("a", "ae"),
)
"""Latin and Greek endings and their plurals (lentigo, lentigines), the first that fits; English ones are in the pattern."""


class OntologyError(ValueError):
    """The data break a rule of the ontology; the message lists every fault."""


CAPITALS = re.compile(r"\b\w*[A-Z]\w*[A-Z]")
"""What every abbreviation looks like; a test holds them to it."""

_SPACES = {code: " " for code in range(128) if not chr(code).isalnum()}


class Mapped(NamedTuple):
    """The node of a raw label (None: it names no diagnosis of the tree) and how it was found."""

    node: str | None
    how: Literal["source table", "name", "synonym", "abbreviation", "unmapped"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """A finding (of `prompts.schemas.all_findings`) that supports a diagnosis or speaks against it, for one kind of image or both."""

    finding: str
    kind: Literal["dermoscopic", "clinical", "both"]
    polarity: Literal["supports", "against"]


@dataclass(frozen=True, slots=True)
class Node:
    """One diagnosis or class of diagnoses; `parent` is None for a superclass."""

    id: str
    name: str
    parent: str | None
    malignancy: str
    synonyms: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True)
class Ontology:
    """The tree with its look-ups. Ids are stable; names are what people read."""

    nodes: Mapping[str, Node]
    raw_labels: Mapping[str, Mapping[str, str | None]]
    digest: str
    _children: Mapping[str | None, tuple[str, ...]] = field(default_factory=dict)

    def path(self, node: str) -> tuple[str, ...]:
        """Ids from the superclass down to `node` itself."""
        parent = self.nodes[node].parent
        return (node,) if parent is None else (*self.path(parent), node)

    def children(self, node: str | None) -> tuple[str, ...]:
        """Ids below a node, in the order of the data; of None: the superclasses."""
        return self._children.get(node, ())

    def siblings(self, node: str) -> tuple[str, ...]:
        """The other children of the node's parent."""
        return tuple(other for other in self.children(self.nodes[node].parent) if other != node)

    def granularity(self, node: str) -> str:
        """`superclass`, `group`, `diagnosis` or `subtype`, by depth."""
        return LEVELS[len(self.path(node)) - 1]

    def cousins(self, node: str) -> tuple[tuple[str, ...], ...]:
        """Nodes of the same depth as `node`, nearest relatives first: siblings, then those that share the grandparent, and so on."""
        path = self.path(node)
        seen, rings = {node}, []
        for ancestor in [*reversed(path[:-1]), None]:
            ring = [n for n in self._below(ancestor) if len(self.path(n)) == len(path) and n not in seen]
            seen.update(ring)
            rings.append(tuple(ring))
        return tuple(rings)

    def _below(self, node: str | None) -> list[str]:
        return [found for child in self.children(node) for found in (child, *self._below(child))]

    def criteria(self, node: str) -> tuple[Criterion, ...]:
        """The node's criteria, or those of its nearest ancestor that has any."""
        return next((self.nodes[n].criteria for n in reversed(self.path(node)) if self.nodes[n].criteria), ())

    @cached_property
    def _names(self) -> dict[str, Mapped]:
        """Every normalised name to its node; names win over synonyms, synonyms over abbreviations."""
        names: dict[str, Mapped] = {}
        for node in self.nodes.values():
            names.setdefault(normalise(node.name), Mapped(node.id, "name"))
        for how in ("synonym", "abbreviation"):
            for node in self.nodes.values():
                for text in node.synonyms if how == "synonym" else node.abbreviations:
                    names.setdefault(normalise(text), Mapped(node.id, how))
        return names

    def resolve(self, label: str) -> str | None:
        """The node that a text names, exactly after normalisation; None when it names none."""
        found = self._names.get(normalise(label))
        return found.node if found else None

    def close_names(self, label: str, most: int) -> tuple[str, ...]:
        """Names of the nodes whose name or synonym is spelled most like a text, the nearest first, each node once."""
        near = difflib.get_close_matches(normalise(label), self._names, n=4 * most, cutoff=0.3)
        nodes = (self._names[name].node for name in near)
        return tuple(dict.fromkeys(self.nodes[node].name for node in nodes if node))[:most]

    def map_label(self, source: str, raw: str) -> Mapped:
        """The node of a source's raw label: the source's own table first, then the names of the tree."""
        table = self.raw_labels.get(source, {})
        if raw in table:
            return Mapped(table[raw], "source table")
        return self._names.get(normalise(raw), Mapped(None, "unmapped"))

    def relation(self, a: str, b: str) -> Relation:
        """How `a` stands to `b`: `ancestor` means that a is above b."""
        if a == b:
            return "same"
        up, down = self.path(a), self.path(b)
        if a in down:
            return "ancestor"
        if b in up:
            return "descendant"
        if self.nodes[a].parent == self.nodes[b].parent and self.nodes[a].parent is not None:
            return "sibling"
        return "same superclass" if up[0] == down[0] else "unrelated"

    def similarity(self, a: str, b: str) -> float:
        """Graded agreement, 1.0 for the same node down to 0.1 for unrelated ones."""
        return SIMILARITY[self.relation(a, b)]

    @cached_property
    def _mention(self) -> tuple[Any, list[str]]:
        """The search for names between spaces, the longest first, and the names in its order."""
        import ahocorasick_rs

        words = {normalise(t) for n in self.nodes.values() for t in (n.name, *n.synonyms)} - MORPHOLOGY_WORDS
        words |= {plural for word in words if (plural := _plural(word))}
        names = sorted(word + ending for word in words for ending in ("", "s", "es"))
        spaced = [f" {name.replace(' ', '  ')} " for name in names]
        return ahocorasick_rs.AhoCorasick(spaced, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest), names

    @cached_property
    def _abbreviation(self) -> re.Pattern[str]:
        short = sorted({text for node in self.nodes.values() for text in node.abbreviations}, key=lambda w: (-len(w), w))
        return re.compile(rf"\b(?:{'|'.join(map(re.escape, short))})s?\b")

    def mentions(self, text: str) -> tuple[str, ...]:
        """Diagnosis names in a text, in order: names and synonyms in any case and number, abbreviations in capitals."""
        search, names = self._mention
        # Two spaces between words, so that neighbours do not share the one that bounds them.
        spaced = f" {normalise(text).replace(' ', '  ')} "
        named = [names[match[0]] for match in search.find_matches_as_indexes(spaced)]
        short = self._abbreviation.finditer(text) if CAPITALS.search(text) else ()
        return (*named, *(match[0] for match in short))


@lru_cache(maxsize=256)
def normalise(text: str) -> str:
    """NFKD without accents, case folded, punctuation to single spaces."""
    if text.isascii():
        return " ".join(text.lower().translate(_SPACES).split())
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", " ", plain.casefold()).strip()


def _plural(word: str) -> str | None:
    """The irregular plural of a normalised name's last word; None where none of the endings fits."""
    return next((word.removesuffix(one) + many for one, many in PLURALS if word.endswith(one)), None)


@lru_cache(maxsize=1)
def load() -> Ontology:
    """The project's ontology, validated once. Raises OntologyError listing every fault."""
    return parse(DATA.read_bytes())


def parse(data: bytes) -> Ontology:
    """An ontology from its JSON. Raises OntologyError listing every fault."""
    document = json.loads(data)
    nodes = [_node(entry) for entry in document["nodes"]]
    faults = list(_faults(nodes, document["raw_labels"]))
    if faults:
        raise OntologyError("; ".join(faults))
    children: dict[str | None, list[str]] = defaultdict(list)
    for node in nodes:
        children[node.parent].append(node.id)
    below = {parent: tuple(ids) for parent, ids in children.items()}
    return Ontology({n.id: n for n in nodes}, document["raw_labels"], hashlib.sha256(data).hexdigest(), below)


def _node(entry: Mapping[str, Any]) -> Node:
    criteria = [
        Criterion(finding, kind, polarity)
        for polarity in ("supports", "against")
        for kind in ("dermoscopic", "clinical", "both")
        for finding in entry.get(polarity, {}).get(kind, ())
    ]
    return Node(
        id=entry["id"],
        name=entry["name"],
        parent=entry["parent"],
        malignancy=entry["malignancy"],
        synonyms=tuple(entry.get("synonyms", ())),
        abbreviations=tuple(entry.get("abbreviations", ())),
        criteria=tuple(criteria),
    )


def _faults(nodes: list[Node], raw_labels: Mapping[str, Mapping[str, str | None]]):  # noqa: ANN202
    """Every broken rule as a sentence."""
    by_id = {node.id: node for node in nodes}
    for node in nodes:
        if node.parent is not None and node.parent not in by_id:
            yield f"{node.id}: no parent {node.parent}"
        if node.malignancy not in MALIGNANCY:
            yield f"{node.id}: malignancy {node.malignancy!r}"
        if _depth(node, by_id) > len(LEVELS):
            yield f"{node.id}: deeper than {len(LEVELS)} levels, or in a cycle"
        yield from _criteria_faults(node)
    yield from _name_faults(nodes)
    for source, table in raw_labels.items():
        yield from (f"{source}: {raw!r} maps to no node {node}" for raw, node in table.items() if node and node not in by_id)


def _depth(node: Node, by_id: Mapping[str, Node]) -> int:
    depth, parent = 1, node.parent
    while parent is not None and depth <= len(LEVELS):
        depth += 1
        parent = by_id[parent].parent if parent in by_id else None
    return depth


def _criteria_faults(node: Node):  # noqa: ANN202
    known = all_findings()
    yield from (f"{node.id}: {c.finding!r} is no finding of the vocabularies" for c in node.criteria if c.finding not in known)
    sides: dict[tuple[str, str], set[str]] = defaultdict(set)
    for c in node.criteria:
        for kind in ("dermoscopic", "clinical") if c.kind == "both" else (c.kind,):
            sides[c.finding, kind].add(c.polarity)
    yield from (f"{node.id}: {f!r} both supports and opposes ({k})" for (f, k), found in sides.items() if len(found) > 1)


def _name_faults(nodes: list[Node]):  # noqa: ANN202
    owner: dict[str, str] = {}
    ids = [node.id for node in nodes]
    yield from (f"{node_id}: the id appears twice" for node_id in sorted({i for i in ids if ids.count(i) > 1}))
    for node in nodes:
        for text in {normalise(name) for name in (node.name, *node.synonyms, *node.abbreviations)}:
            if owner.setdefault(text, node.id) != node.id:
                yield f"{text!r} names both {owner[text]} and {node.id}"
