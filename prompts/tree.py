"""The data of the ontology: what one node says, how the files of `prompts/diagnoses` are read, and the rules that they must keep.

Closed vocabularies: findings are those of `prompts.schemas.all_findings`, sites and malignancy those below. Every broken rule is a
sentence that starts with file and node.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, Literal

from prompts.names import normalise
from prompts.schemas import all_findings

LABELS = "labels.json"
LEVELS = ("superclass", "group", "diagnosis", "subtype")
MALIGNANCY = ("benign", "indeterminate", "malignant", "non-neoplastic", "mixed")
"""After the first level of the ISIC Archive; `indeterminate` is a lesion between benign and malignant, `mixed` a class that holds both."""

SITES = (
    "any site",
    *("head and neck", "scalp", "forehead", "face", "eyelid", "nose", "cheek", "ear", "lip", "oral mucosa", "neck"),
    *("trunk", "chest", "breast", "abdomen", "back", "lower back", "shoulder", "axilla"),
    *("arm", "elbow", "forearm", "wrist", "hand", "palm", "finger", "nail"),
    *("buttock", "groin", "genital skin", "perianal skin"),
    *("leg", "thigh", "knee", "lower leg", "shin", "ankle", "foot", "sole", "toe"),
    *("flexures", "intertriginous folds", "sun-exposed skin"),
)
"""Where a diagnosis is typically found."""

ICD11 = re.compile(r"[0-9A-Z][A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,2})?")
"""A stem code of ICD-11 (World Health Organization): four characters and up to two after the point."""

FINDINGS = all_findings()

Kind = Literal["dermoscopic", "clinical", "both"]
Polarity = Literal["supports", "against"]
KINDS: tuple[Kind, ...] = ("dermoscopic", "clinical", "both")
POLARITIES: tuple[Polarity, ...] = ("supports", "against")


class OntologyError(ValueError):
    """The data break a rule of the ontology; the message lists every fault with file and node."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A finding (of `prompts.schemas.all_findings`) that supports a diagnosis or speaks against it, for one kind of image or both."""

    finding: str
    kind: Kind
    polarity: Polarity


@dataclass(frozen=True, slots=True)
class Node:
    """One diagnosis or class of diagnoses; `parent` is None for a superclass.

    `isic` are the names of the same class in the ISIC Archive's tree; `overlaps` other nodes that can be true of the same picture;
    `without_criteria` is the reason why no finding of the vocabularies argues for it.
    """

    id: str
    name: str
    parent: str | None
    malignancy: str
    synonyms: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    icd11: str | None = None
    isic: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    overlaps: tuple[str, ...] = ()
    without_criteria: str | None = None
    criteria: tuple[Criterion, ...] = ()
    file: str = ""


_criterion = cache(Criterion)

REQUIRED = frozenset({"id", "name", "parent", "malignancy"})
LISTS = ("synonyms", "abbreviations", "isic", "sites", "overlaps")
KEYS = REQUIRED | {*LISTS, *POLARITIES, "icd11", "without_criteria"}


def read(files: Mapping[str, bytes]) -> tuple[dict[str, Node], dict[str, dict[str, str | None]]]:
    """Nodes by id and, by source, normalised raw labels to node ids, from file contents by name. Raises OntologyError with every fault."""
    documents, faults = _decoded(files)
    nodes = []
    for file, entries in documents.items():
        if file != LABELS:
            for entry in entries:
                faults += (wrong := list(_entry_faults(file, entry)))
                nodes += [] if wrong else [_node(entry, file)]
    faults += _tree_faults(nodes)
    by_id = {node.id: node for node in nodes}
    for node in nodes:
        faults += (f"{node.file}: {node.id}: {fault}" for fault in _node_faults(node, by_id))
    faults += _name_faults(nodes)
    labels, wrong = _labels(documents.get(LABELS, {}), by_id)
    if faults + wrong:
        raise OntologyError("; ".join(faults + wrong))
    return by_id, labels


def ancestry(node: Node, by_id: Mapping[str, Node]) -> list[Node]:
    """The node and those above it, nearest first; cut off where a parent is missing or the levels are used up."""
    found = [node]
    while (parent := by_id.get(found[-1].parent or "")) and len(found) <= len(LEVELS):
        found.append(parent)
    return found


def _decoded(files: Mapping[str, bytes]) -> tuple[dict[str, Any], list[str]]:
    documents, faults = {}, []
    for file in sorted(files):
        try:
            documents[file] = json.loads(files[file])
        except ValueError as error:
            faults.append(f"{file}: no JSON: {error}")
    return documents, faults


def _entry_faults(file: str, entry: Mapping[str, Any]) -> Iterator[str]:
    where = f"{file}: {entry.get('id', 'a node without id')}"
    if missing := sorted(REQUIRED - entry.keys()):
        yield f"{where}: without {', '.join(missing)}"
    if unknown := sorted(entry.keys() - KEYS):
        yield f"{where}: unknown key {', '.join(unknown)}"
    for key in LISTS:
        if not isinstance(entry.get(key, []), list):
            yield f"{where}: {key} is no list"
    for side in POLARITIES:
        if unknown := sorted(entry.get(side, {}).keys() - set(KINDS)):
            yield f"{where}: {side} knows no {', '.join(unknown)}"


def _node(entry: Mapping[str, Any], file: str) -> Node:
    criteria = tuple(
        _criterion(finding, kind, side)
        for side in POLARITIES
        for kind in KINDS
        for finding in entry.get(side, {}).get(kind, ())
    )
    return Node(
        id=entry["id"],
        name=entry["name"],
        parent=entry["parent"],
        malignancy=entry["malignancy"],
        icd11=entry.get("icd11"),
        without_criteria=entry.get("without_criteria"),
        criteria=criteria,
        file=file,
        **{key: tuple(entry.get(key, ())) for key in LISTS},
    )


def _tree_faults(nodes: Sequence[Node]) -> list[str]:
    """Ids that stand twice, and files that are not one superclass with all that is below it."""
    faults, files, first = [], defaultdict(list), {}
    for node in nodes:
        if first.setdefault(node.id, node) is not node:
            faults.append(f"{node.file}: {node.id}: the id appears twice, also in {first[node.id].file}")
        if node.parent is None:
            files[node.file].append(node.id)
    faults += [f"{file}: more than one superclass: {', '.join(ids)}" for file, ids in files.items() if len(ids) > 1]
    return faults


def _node_faults(node: Node, by_id: Mapping[str, Node]) -> Iterator[str]:
    """Every broken rule of one node."""
    if node.parent is not None and node.parent not in by_id:
        yield f"no parent {node.parent}"
        return
    line = ancestry(node, by_id)
    if len(line) > len(LEVELS):
        yield f"deeper than {len(LEVELS)} levels, or in a cycle"
        return
    if line[-1].file != node.file:
        yield f"its superclass {line[-1].id} stands in {line[-1].file}"
    yield from _malignancy_faults(node, line)
    if node.icd11 is not None and not ICD11.fullmatch(node.icd11):
        yield f"icd11 {node.icd11!r} is no ICD-11 code"
    yield from (f"{site!r} is no site" for site in node.sites if site not in SITES)
    yield from _overlap_faults(node, line, by_id)
    yield from _criteria_faults(node, line)


def _malignancy_faults(node: Node, line: Sequence[Node]) -> Iterator[str]:
    if node.malignancy not in MALIGNANCY:
        yield f"malignancy {node.malignancy!r} is none of {', '.join(MALIGNANCY)}"
    elif len(line) > 1 and line[1].malignancy not in ("mixed", node.malignancy):
        yield f"{node.malignancy} below {line[1].id}, which is {line[1].malignancy}"


def _overlap_faults(node: Node, line: Sequence[Node], by_id: Mapping[str, Node]) -> Iterator[str]:
    for other in node.overlaps:
        if other not in by_id:
            yield f"overlaps no node {other}"
        elif by_id[other] in line or node in ancestry(by_id[other], by_id):
            yield f"overlaps {other}, which is itself, above it or below it"


def _criteria_faults(node: Node, line: Sequence[Node]) -> Iterator[str]:
    yield from (f"{c.finding!r} is no finding of the vocabularies" for c in node.criteria if c.finding not in FINDINGS)
    kinds = {(c.finding, c.kind) for c in node.criteria if c.polarity == "supports"}
    for finding, kind in ((c.finding, c.kind) for c in node.criteria if c.polarity == "against"):
        clash = [k for k in KINDS if (finding, k) in kinds and (kind in (k, "both") or k == "both")]
        yield from (f"{finding!r} both supports and opposes ({k})" for k in clash)
    if node.criteria and node.without_criteria:
        yield "has criteria and a reason for having none"
    diagnoses = line[: len(line) - 2]
    if diagnoses and not any(n.criteria or n.without_criteria for n in diagnoses):
        yield "a diagnosis with neither criteria nor a reason for having none"


def _name_faults(nodes: Sequence[Node]) -> list[str]:
    """Names, synonyms, abbreviations and archive names that two nodes share once case, accents and punctuation are folded."""
    owner: dict[str, Node] = {}
    faults = []
    for node in nodes:
        for text in {normalise(name) for name in (node.name, *node.synonyms, *node.abbreviations, *node.isic)}:
            first = owner.setdefault(text, node)
            if first.id != node.id or not text:
                faults.append(f"{node.file}: {node.id}: {text!r} names both {first.id} and {node.id}")
    return faults


def _labels(document: Mapping[str, Any], by_id: Mapping[str, Node]) -> tuple[dict[str, dict[str, str | None]], list[str]]:
    """Tables by source, each with those of its vocabularies below its own; and what is wrong with them."""
    tables: dict[str, dict[str, str | None]] = {}
    faults = []
    for name, written in document.get("labels", {}).items():
        table = tables[name] = {}
        for raw, node in written.items():
            if node is not None and node not in by_id:
                faults.append(f"{LABELS}: {name}: {raw!r} maps to no node {node}")
            if table.setdefault(normalise(raw), node) != node:
                faults.append(f"{LABELS}: {name}: {raw!r} maps to {node}, another spelling to {table[normalise(raw)]}")
    shared = document.get("vocabularies", {})
    faults += [f"{LABELS}: no vocabulary {name}" for name in shared if name not in tables]
    for name, source in ((name, source) for name, sources in shared.items() for source in sources):
        tables[source] = {**tables.get(name, {}), **tables.get(source, {})}
    return tables, faults


def overlapping(by_id: Mapping[str, Node]) -> frozenset[tuple[str, str]]:
    """Pairs of ids, in both orders, that can be true of the same picture though neither is above the other."""
    said = [(node.id, other) for node in by_id.values() for other in node.overlaps]
    return frozenset(pair for a, b in said for pair in ((a, b), (b, a)))


def overlap(a: Sequence[str], b: Sequence[str], pairs: frozenset[tuple[str, str]]) -> bool:
    """Whether two paths (ids from the superclass down) meet in a pair: what holds of a class holds of all below it."""
    return any(pair in pairs for pair in product(a, b))
