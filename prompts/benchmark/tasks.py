"""The eleven tasks as pure functions from cases to items. Every rule of choice is in `prompts.benchmark.option_sets`.

A case is asked about only where the answer is known: attributes where a person stated them, texts where some finding is present.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from prompts.benchmark import wording
from prompts.benchmark.items import ABSENT, STANDARD, Case, Item, hashed, make
from prompts.benchmark.option_sets import capped, evenly, richest, rings, windows
from prompts.ontology import Ontology
from prompts.schemas import SKINCON
from sources.vocabulary import DERM7PT

KINDS = ("dermoscopic", "clinical")
FEW, MANY = 4, 25


def morphology_items(cases: Sequence[Case], most: int) -> Iterator[Item]:
    """Tasks 1.1 to 1.4. At most `most` images of a class, or of a member of an option set."""
    told = [case for case in cases if case.present and case.description]
    for case in capped(told, lambda case: case.node, most):
        truth = _texts(case, case.present, case.description)
        yield make(case, "description", wording.DESCRIPTION, truth)
        yield make(case, "morph_description", wording.MORPH_DESCRIPTION[case.kind], truth)
    stated = [case for case in cases if case.basis != "generated"]
    yield from _derm7pt(stated, most)
    yield from _skincon(stated, most)


def reasoning_items(cases: Sequence[Case], ontology: Ontology, most: int) -> Iterator[Item]:
    """Tasks 3.1 and 3.2: the claims are the present findings that the reference reasoning cites."""
    for case in capped([case for case in cases if _cited(case)], lambda case: case.node, most):
        truth = _texts(case, _cited(case), case.description) | {"diagnosis": ontology.nodes[case.node].name}
        yield make(case, "reasoning", wording.REASONING, truth)
        yield make(case, "reasoning_morph", wording.REASONING_MORPH[case.kind], truth)


def _cited(case: Case) -> tuple[str, ...]:
    return tuple(finding for finding in case.present if finding in case.cited)


def _texts(case: Case, claims: Sequence[str], reference: str) -> dict[str, object]:
    return {"claims": list(claims), "morphology": dict(case.morphology), "node": case.node, "reference": reference}


def _derm7pt(cases: Sequence[Case], most: int) -> Iterator[Item]:
    for criterion in DERM7PT:
        members: dict[str, list[Case]] = {}
        for case in cases:
            if case.kind == "dermoscopic" and criterion in case.morphology:
                members.setdefault(case.morphology[criterion], []).append(case)
        stem = wording.DERM7PT_CHOICE.format(criterion=criterion.replace("_", " "))
        values = richest({value: min(len(found), most) for value, found in members.items()})
        for value, case in evenly(values, members, most) if values else ():
            yield _choice(case, "derm7pt", stem, values, value, field=criterion)


def _skincon(cases: Sequence[Case], most: int) -> Iterator[Item]:
    """Exactly one option is a concept of the image; neighbours in a set are about equally frequent."""
    clinical = [case for case in cases if case.kind == "clinical"]
    counts = Counter(name for case in clinical for name in SKINCON if case.morphology.get(name, ABSENT) != ABSENT)
    ring = sorted(counts, key=lambda name: (-counts[name], name))
    for options in windows(ring, FEW) if len(ring) > 1 else ():
        members: dict[str, list[Case]] = {}
        for case in clinical:
            there = [name for name in options if case.morphology.get(name, ABSENT) != ABSENT]
            if len(there) == 1 and all(name in case.morphology for name in options):
                members.setdefault(there[0], []).append(case)
        for concept, case in evenly(options, members, most):
            yield _choice(case, "skincon", wording.SKINCON_CHOICE, options, concept, field="concept")


def diagnosis_items(
    cases: Sequence[Case],
    ontology: Ontology,
    most: int,
    *,
    task: str = "diagnosis_4",
    size: int = FEW,
    variant: str = STANDARD,
    system: str | None = None,
) -> Iterator[Item]:
    """Flat choices among `size` labels of these cases, dermoscopic and clinical ones apart; each set evenly (tasks 2.1, 2.3 and 4)."""
    name_of = {node: ontology.nodes[node].name for node in {case.node for case in cases}}
    for options, members in _label_sets(cases, ontology, size):
        for node, case in evenly(options, members, most):
            named = tuple(name_of[option] for option in options)
            yield _choice(case, task, wording.DIAGNOSIS, named, name_of[node], variant=variant, system=system)


def _label_sets(
    cases: Sequence[Case], ontology: Ontology, size: int
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Sequence[Case]]]]:
    for kind in KINDS:
        members: dict[str, list[Case]] = {}
        for case in cases:
            if case.kind == kind and can_be_told(case.node, ontology):
                members.setdefault(case.node, []).append(case)
        counts = {node: len(found) for node, found in members.items()}
        for ring in rings(counts, ontology.exclusive, ontology.path):
            for options in windows(ring, size):
                yield options, members


def can_be_told(node: str, ontology: Ontology) -> bool:
    """Whether some finding argues for the label: not for a whole superclass, nor for what the ontology has no criteria for."""
    path = ontology.path(node)
    return len(path) > 1 and not any(ontology.nodes[above].without_criteria for above in path)


def hierarchy_items(cases: Sequence[Case], ontology: Ontology, most: int) -> Iterator[Item]:
    """Task 2.2: one item a level. Offered are the classes at that place that some label of the benchmark lies in, whoever is asked about.

    A class that the ontology cannot rule out for the label counts as right too. A level with one class is stated, not asked.
    """
    for kind in KINDS:
        mine = [case for case in cases if case.kind == kind and can_be_told(case.node, ontology)]
        offered: dict[str | None, set[str]] = {}
        for node in {case.node for case in mine}:
            for above, below in zip((None, *ontology.path(node)), ontology.path(node), strict=False):
                offered.setdefault(above, set()).add(below)
        for case in capped(mine, lambda case: case.node, most):
            yield from _steps(case, ontology, offered)


def _steps(case: Case, ontology: Ontology, offered: Mapping[str | None, set[str]]) -> Iterator[Item]:
    path = ontology.path(case.node)
    for depth, node in enumerate(path):
        options = sorted(offered[path[depth - 1] if depth else None])
        if len(options) == 1:
            continue
        ruled_out = ontology.alternatives(node, case.node)
        right = [ontology.nodes[option].name for option in options if option not in ruled_out]
        if len(right) == len(options):
            continue
        above = ", then ".join(ontology.nodes[one].name for one in path[:depth])
        stem = wording.BELOW.format(path=above) if depth else wording.TOP
        named = _shuffled(case, stem, tuple(ontology.nodes[option].name for option in options))
        truth = {"right": right, "true": ontology.nodes[node].name, "field": f"level {depth + 1}"}
        yield make(case, "hierarchy", wording.choice(stem, named), truth, options=named, step=depth)


def fairness_items(cases: Sequence[Case], ontology: Ontology, most: int) -> Iterator[Item]:
    """Task 4: flat choices about images whose skin tone is stated; every scale is a variant by itself."""
    for system in sorted({system for case in cases for system in case.tones}):
        toned = [case for case in cases if system in case.tones]
        yield from diagnosis_items(toned, ontology, most, task="fairness", variant=system, system=system)


def _choice(
    case: Case,
    task: str,
    stem: str,
    options: Sequence[str],
    true: str,
    *,
    variant: str = STANDARD,
    system: str | None = None,
    field: str = "diagnosis",
) -> Item:
    shown = _shuffled(case, stem, options)
    truth = {"right": [true], "true": true, "field": field}
    return make(case, task, wording.choice(stem, shown), truth, options=shown, variant=variant, system=system)


def _shuffled(case: Case, key: str, options: Sequence[str]) -> tuple[str, ...]:
    """Options in an order by content hash: which of them is true does not enter."""
    among = "/".join(sorted(options))
    return tuple(sorted(options, key=lambda option: hashed(f"{case.sha256}/{key}/{among}/{option}")))
