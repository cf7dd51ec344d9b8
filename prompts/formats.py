"""The five sample formats and the reinforcement-learning prompt, as pure renderings of one canonical record.

Layouts follow the companion trainer's contracts. Wording, option order and distractors are chosen by content hash, so a record
renders the same everywhere. Turns that need a complete morphology are left out when it is not complete; nothing is filled in.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prompts import questions, schemas
from prompts.ontology import Ontology

Turn = dict[str, str]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXY"
CHOICES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The canonical record of an image: an accepted observation and reasoning, and the ontology node of its label."""

    image_id: str
    sha256: str
    kind: str
    observation: Mapping[str, Any]
    reasoning: Mapping[str, Any]
    node: str


def description(record: Record, ontology: Ontology) -> list[Turn]:
    """One request, one paragraph without a disease name."""
    return _once(questions.pick(questions.DESCRIPTION, f"{record.sha256}/description"), record.observation[schemas.TEXT_KEY])


def morph_description(record: Record, ontology: Ontology) -> list[Turn]:
    """The schema first, then the same paragraph; empty when the morphology is not complete."""
    if not schemas.is_complete(record.observation):
        return []
    ask = questions.pick(questions.MORPH_DESCRIPTION[record.kind], f"{record.sha256}/morph")
    return _once(ask, f"<morph>{morph_json(record)}</morph>\n\n{record.observation[schemas.TEXT_KEY]}")


def choice(record: Record, ontology: Ontology) -> list[Turn]:
    """Four lettered options, three of them siblings of the diagnosis; empty when the ontology has too few."""
    options, letter = flat_options(record, ontology)
    if not options:
        return []
    stem = questions.pick(questions.CHOICE, f"{record.sha256}/choice")
    lines = [f"{LETTERS[n]}) {name}" for n, name in enumerate(options)]
    return _once("\n".join([stem, *lines]), lines[LETTERS.index(letter)])


def hierarchy(record: Record, ontology: Ontology) -> list[Turn]:
    """A walk from the top of the ontology to the label, one turn a level; a level without an alternative is stated, not asked."""
    turns: list[Turn] = []
    stated = ""
    for depth, node in enumerate(ontology.path(record.node)):
        names = [ontology.nodes[child].name for child in (node, *ontology.alternatives(node, record.node))]
        name = names[0]
        if len(names) == 1:
            stated += questions.SINGLE_CHILD.format(name=name) + " "
            continue
        names = sorted(names, key=lambda option: _hash(f"{record.sha256}/{depth}/{option}"))
        variants = questions.HIERARCHY_TOP if not turns else questions.HIERARCHY_LOWER
        ask = questions.pick(variants, f"{record.sha256}/hierarchy/{depth}")
        options = ", ".join(f'"{option}"' for option in names)
        turns += [_turn("user", f"{ask.replace('{stated}', stated)} {options}"), _turn("assistant", name)]
        stated = ""
    return turns


def reasoning(record: Record, ontology: Ontology) -> list[Turn]:
    """Reasoning, morphology and one label, each in its tag, in this order; empty when the morphology is not complete."""
    if not schemas.is_complete(record.observation):
        return []
    ask = questions.pick(questions.REASONING[record.kind], f"{record.sha256}/reasoning")
    label = ontology.nodes[record.node].name
    body = (
        f"<reasoning>{record.reasoning['reasoning']}</reasoning>\n"
        f"<morph>{morph_json(record)}</morph>\n"
        f"<final_diagnosis>{label}</final_diagnosis>"
    )
    return _once(ask, body)


FORMATS: dict[str, Callable[[Record, Ontology], list[Turn]]] = {
    "description": description,
    "morph_description": morph_description,
    "choice": choice,
    "hierarchy": hierarchy,
    "reasoning": reasoning,
}


def morph_json(record: Record) -> str:
    """The closed part of the observation as the trainers' JSON: snake_case keys, SkinCon concepts sorted, no others list."""
    if record.kind == "dermoscopic":
        return json.dumps({schemas.DERM7PT_KEY: record.observation[schemas.DERM7PT_KEY]}, ensure_ascii=False)
    return json.dumps({schemas.SKINCON_KEY: sorted(record.observation[schemas.SKINCON_KEY])}, ensure_ascii=False)


def flat_options(record: Record, ontology: Ontology) -> tuple[list[str], str]:
    """Option names in order and the letter of the true one; empty when there are not three distractors.

    Distractors have the depth of the true label: its siblings, then, where there are too few, the nearest cousins. None of them can
    be true of the image: none is above or below its label or overlaps it, and each has criteria that a picture can show.
    """
    others: list[str] = []
    for ring in ontology.cousins(record.node):
        others += sorted(ring, key=lambda other: _hash(f"{record.sha256}/option/{other}"))
        if len(others) >= CHOICES - 1:
            break
    if len(others) < CHOICES - 1:
        return [], ""
    names = [ontology.nodes[other].name for other in others[: CHOICES - 1]]
    place = int(_hash(f"{record.sha256}/letter")[:8], 16) % CHOICES
    names.insert(place, ontology.nodes[record.node].name)
    return names, LETTERS[place]


def ground_truth(record: Record, task: str, ontology: Ontology) -> dict[str, Any]:
    """What the reinforcement-learning reward compares with; seven-point keys in Title Case, the leaf left out of the path."""
    path = [ontology.nodes[node].name for node in ontology.path(record.node)]
    if record.kind == "dermoscopic":
        seven = record.observation[schemas.DERM7PT_KEY]
        morph: Any = {schemas.DERM7PT_KEY: {schemas.DERM7PT_TITLES[key]: value for key, value in seven.items()}}
    else:
        morph = {schemas.SKINCON_KEY: sorted(record.observation[schemas.SKINCON_KEY])}
    return {"task": task, "modality": record.kind, "final_label": path[-1], "taxon_path": path[:-1], "morph": morph}


GRPO_TASKS = {"morph_description": "task1", "reasoning": "task3"}
"""Formats that the companion trainer's reward knows, by its task names."""


def _once(ask: str, answer: str) -> list[Turn]:
    return [_turn("user", ask), _turn("assistant", answer)]


def _turn(role: str, content: str) -> Turn:
    return {"role": role, "content": content}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
