"""Which questions with options are asked about which pictures: matched sets of diagnoses, of levels of the ontology, of findings.

Takes the little that decides it (a rank, a label, a finding a picture); what is rendered is read later, picture by picture.
Everything follows from the pictures' contents; their order does not count.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from prompts import schemas
from prompts.formats.record import Asked
from prompts.matching import OptionSet, hashed, matched, matched_masks, shuffled
from prompts.ontology import Ontology

CHOICES = 4
MANY = 25
STEP_OPTIONS = 8
"""Options of one step of a walk; the ontology has 17 superclasses."""

Child = tuple[str, tuple[str, ...]]
"""A node of a path, and those of its siblings, sorted, that a picture of the label rules out."""

CORRECTED = 4
"""One set of steps in so many tells of an earlier wrong answer."""

RELATED: tuple[frozenset[str], ...] = tuple(
    map(
        frozenset,
        (
            ("Pigmented", "Brown(Hyperpigmentation)", "Black", "Blue", "Gray"),
            ("Purple", "Purpura/Petechiae", "Blue"),
            ("Erythema", "Salmon", "Purple", "Telangiectasia", "Purpura/Petechiae", "Wheal", "Poikiloderma"),
            ("Macule", "Patch"),
            (
                "Papule",
                "Nodule",
                "Plaque",
                "Dome-shaped",
                "Flat topped",
                "Wheal",
                "Acuminate",
                "Warty/Papillomatous",
                "Umbilicated",
            ),
            ("Cyst", "Nodule", "Abscess"),
            ("Vesicle", "Bulla", "Pustule", "Abscess"),
            ("Crust", "Exudate", "Erosion", "Ulcer", "Excoriation", "Friable"),
            ("Scale", "Xerosis", "Crust", "Lichenification"),
            ("Warty/Papillomatous", "Exophytic/Fungating", "Pedunculated"),
            ("Scar", "Atrophy", "Sclerosis", "Induration", "White(Hypopigmentation)"),
            ("Atrophy", "Poikiloderma", "Telangiectasia"),
            ("Fissure", "Xerosis", "Excoriation"),
            ("Burrow", "Excoriation"),
            ("Comedo", "Black", "Cyst"),
            ("Yellow", "Crust", "Pustule", "Exudate"),
            ("Translucent", "Vesicle", "Cyst"),
        ),
    )
)
"""Concepts of SkinCon of which one is part of another, shades into it or mostly comes with it: where one is recorded, the other may be
true though nobody wrote it down, and is no wrong option."""

_BIT = {concept: n for n, concept in enumerate(schemas.SKINCON)}


@cache
def may_hold(concept: str) -> int:
    """Bits of the concepts that may be true where this one is: itself and those related to it."""
    return sum(1 << _BIT[other] for other in {concept}.union(*(group for group in RELATED if concept in group)))


def attribute_of(sha256: str, observation: Mapping[str, Any]) -> tuple[str, str] | None:
    """The finding that is asked for, chosen by content hash: (criterion, value), or ("concept", a concept that is present)."""
    seven = observation.get(schemas.DERM7PT_KEY)
    if seven is None:
        found = [("concept", concept) for concept in sorted(observation.get(schemas.SKINCON_KEY) or ()) if concept in _BIT]
    else:
        found = [(name, value) for name, value in sorted(seven.items()) if value != schemas.NOT_ASSESSABLE]
    return found[hashed(f"{sha256}/attribute") % len(found)] if found else None


def barred_by(observation: Mapping[str, Any]) -> int:
    """Bits of the concepts that may be true of a picture."""
    mask = 0
    for concept in observation.get(schemas.SKINCON_KEY) or ():
        mask |= may_hold(concept) if concept in _BIT else 0
    return mask


def rank_of(sha256: str) -> int:
    """64 bits by which the pictures of a cell are put in order."""
    return hashed(f"{sha256}/rank")


class Pictures:
    """The deciding facts of many pictures, a few machine words each."""

    def __init__(self) -> None:
        """None yet."""
        self.rank, self.barred = array("Q"), array("Q")
        self.cell: list[str] = []
        self.node: list[str] = []
        self.attribute: list[tuple[str, str] | None] = []
        self._same: dict[Any, Any] = {}

    def add(self, sha256: str, cell: str, node: str, observation: Mapping[str, Any]) -> int:
        """Take a picture in and return its place. `cell` names its source, split and kind: sets never leave a cell."""
        return self.put(rank_of(sha256), barred_by(observation), cell, node, attribute_of(sha256, observation))

    def put(self, rank: int, barred: int, cell: str, node: str, attribute: tuple[str, str] | None) -> int:
        """Take in a picture whose facts are known, and return its place."""
        self.rank.append(rank)
        self.barred.append(barred)
        self.cell.append(self._one(cell))
        self.node.append(self._one(node))
        self.attribute.append(self._one(attribute))
        return len(self.node) - 1

    def _one(self, value: Any) -> Any:
        """The first object equal to a value, so that a million rows share it."""
        return self._same.setdefault(value, value)

    def cells(self) -> Iterator[list[int]]:
        """Places by cell, each in the order of their ranks."""
        cells: dict[str, list[int]] = defaultdict(list)
        for place in sorted(range(len(self.node)), key=self.rank.__getitem__):
            cells[self.cell[place]].append(place)
        for name in sorted(cells):
            yield cells[name]


@dataclass(slots=True)
class Given:
    """Option sets by picture: the number of a combination of answers (-1: none) and the key of the set."""

    combination: array
    key: array
    combinations: list[tuple[str, ...]] = field(default_factory=list)
    _numbers: dict[tuple[str, ...], int] = field(default_factory=dict)

    @classmethod
    def none(cls, pictures: int) -> "Given":
        """Nothing given to any picture."""
        return cls(array("i", [-1]) * pictures, array("Q", [0]) * pictures)

    def give(self, answers: Sequence[str], places: Sequence[int], key: int) -> None:
        """One set: its answers, and its pictures in the same order."""
        known = tuple(sorted(answers))
        number = self._numbers.setdefault(known, len(self.combinations))
        if number == len(self.combinations):
            self.combinations.append(known)
        for place in places:
            self.combination[place], self.key[place] = number, key

    def set_of(self, place: int) -> OptionSet | None:
        """The option set of a picture, its options in the order that belongs to the set."""
        number = self.combination[place]
        return None if number < 0 else option_set(self.combinations[number], self.key[place])


def option_set(answers: Iterable[str], key: int) -> OptionSet:
    """The set of this key, its options in the order that belongs to it."""
    name = f"{key:016x}"
    return OptionSet(shuffled(answers, name), name)


@dataclass(slots=True)
class Questions:
    """Everything that is asked, by picture."""

    choice: Given
    choice_25: Given
    attribute: Given
    levels: tuple[Given, ...]

    def of(self, place: int, path: Sequence[str]) -> Asked:
        """What is asked about a picture whose label has this path."""
        return asked_of([given.set_of(place) for given in self.given()], path)

    def given(self) -> tuple[Given, ...]:
        """The option sets of every kind of question, those of the walk last."""
        return self.choice, self.choice_25, self.attribute, *self.levels


def asked_of(sets: Sequence[OptionSet | None], path: Sequence[str]) -> Asked:
    """What is asked about a picture whose label has this path, from its option sets in the order of `Questions.given`."""
    choice, choice_25, attribute, *levels = sets
    return Asked(choice, choice_25, attribute, tuple(_told(step, node) for step, node in zip(levels, path, strict=False)))


def ask(pictures: Pictures, ontology: Ontology) -> Questions:
    """Match pictures into sets, for every format with options."""
    count = len(pictures.node)
    depth = max((len(ontology.path(node)) for node in set(pictures.node)), default=0)
    nothing = [Given.none(count) for _ in range(3 + depth)]
    questions = Questions(nothing[0], nothing[1], nothing[2], tuple(nothing[3:]))
    for cell in pictures.cells():
        _flat(questions.choice, pictures, cell, ontology, CHOICES)
        _flat(questions.choice_25, pictures, cell, ontology, MANY)
        _attributes(questions.attribute, pictures, cell)
        _walks(questions.levels, pictures, {(): cell}, ontology)
    return questions


def _flat(given: Given, pictures: Pictures, cell: Iterable[int], ontology: Ontology, size: int) -> None:
    """Sets of diagnoses: relatives first, below the deepest class that has enough of them, then a class higher, then all."""

    @cache
    def excludes(a: str, b: str) -> bool:
        return ontology.exclusive(a, b)

    left = [p for p in cell if not ontology.nodes[pictures.node[p]].without_criteria]
    for above in (3, 2, 1, 0):
        families: dict[tuple[str, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for place in left:
            path = ontology.path(pictures.node[place])
            if len(path) > above:
                families[path[:above]][path[-1]].append(place)
        for family in families.values():
            for answers, places in matched(family, size, size, excludes):
                given.give(answers, places, _key(pictures, places, size))
        left = [p for p in left if given.combination[p] < 0]


def _attributes(given: Given, pictures: Pictures, cell: Sequence[int]) -> None:
    """Sets of values of one criterion, and sets of concepts of which each picture shows one."""
    criteria: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place in cell:
        if asked := pictures.attribute[place]:
            criteria[asked[0]][asked[1]].append(place)
    concepts = criteria.pop("concept", {})
    for values in criteria.values():
        for answers, places in matched(values, 2, CHOICES, _differ):
            given.give(answers, places, _key(pictures, places, 0))
    bits = {place: _BIT[concept] for concept, places in concepts.items() for place in places}
    asked = array("b", [0]) * len(pictures.node)
    for place, bit in bits.items():
        asked[place] = bit
    for places in matched_masks(asked, pictures.barred, (p for p in cell if p in bits), CHOICES):
        given.give([schemas.SKINCON[asked[p]] for p in places], places, _key(pictures, places, 0))


def _differ(a: str, b: str) -> bool:
    return a != b


def _walks(
    levels: Sequence[Given], pictures: Pictures, cells: Mapping[tuple[Any, ...], Sequence[int]], ontology: Ontology
) -> None:
    """Sets of children, level by level: pictures meet at a level that were asked, or told, the same at all levels above."""
    for level, given in enumerate(levels):
        below: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for above, places in cells.items():
            _step(given, pictures, places, level, ontology)
            for place in places:
                path = ontology.path(pictures.node[place])
                if len(path) > level + 1:
                    below[*above, path[level], given.combination[place]].append(place)
        cells = below


def _step(given: Given, pictures: Pictures, places: Iterable[int], level: int, ontology: Ontology) -> None:
    members: dict[Child, list[int]] = defaultdict(list)
    for place in places:
        members[_child(pictures.node[place], level, ontology)].append(place)
    for answers, matching in matched(members, 2, STEP_OPTIONS, _ruled_out, whole=True):
        given.give([child for child, _ in answers], matching, _key(pictures, matching, level))


_children: dict[tuple[str, str, int], Child] = {}


def _child(label: str, level: int, ontology: Ontology) -> Child:
    """The node of a label's path at a level, and its siblings that a picture of the label rules out."""
    key = (ontology.digest, label, level)
    if key not in _children:
        node = ontology.path(label)[level]
        _children[key] = node, tuple(sorted(ontology.alternatives(node, label)))
    return _children[key]


def _ruled_out(a: Child, b: Child) -> bool:
    return a[0] in b[1] and b[0] in a[1]


def _key(pictures: Pictures, places: Iterable[int], salt: int) -> int:
    """64 bits that name a set."""
    return hashed("/".join(map(str, [salt, *sorted(pictures.rank[p] for p in places)])))


def _told(step: OptionSet | None, truth: str) -> OptionSet | None:
    """A step, with an earlier wrong answer in one set of `CORRECTED` that leaves two options or more.

    Each picture of such a set is told of another wrong answer, a fixed number of places after its true one: what is wrong does not say
    what is right.
    """
    if step is None or len(step.options) < 3:
        return step
    drawn = hashed(f"{step.key}/wrong")
    if drawn % CORRECTED:
        return step
    names = sorted(step.options)
    shift = 1 + drawn // CORRECTED % (len(names) - 1)
    return OptionSet(step.options, step.key, names[(names.index(truth) + shift) % len(names)])
