"""What the benchmark is made of: a `Case` is what is known of a held-out image, an `Item` is one question about it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Axis = Literal["morphology", "diagnosis", "reasoning", "fairness"]
ABSENT, PRESENT = "absent", "present"

STANDARD = "standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The canonical record of a held-out image.

    `morphology` holds the value of every field that is known: a seven-point criterion, or a SkinCon concept as absent or present; `basis`
    says who stated it (`expert`, `verified`: a model's, accepted by a person, `generated`). `cited` are the findings that the reference
    reasoning leans on; `tones` has a value for each skin-tone scale; `group` is what may not be pulled apart (a patient, a lesion).
    """

    image_id: str
    sha256: str
    kind: str
    node: str
    source: str
    group: str
    morphology: Mapping[str, str]
    basis: Literal["expert", "verified", "generated"]
    description: str
    cited: tuple[str, ...] = ()
    tones: Mapping[str, str] = field(default_factory=dict)
    licence_id: str | None = None
    attribution: str | None = None

    @property
    def present(self) -> tuple[str, ...]:
        """Findings that are there, as claims: `pigment network: typical`, `Scale`."""
        return tuple(claim(name, value) for name, value in self.morphology.items() if value != ABSENT)


def claim(name: str, value: str) -> str:
    """The value of a field as a finding."""
    return name if name[0].isupper() else f"{name.replace('_', ' ')}: {value}"


@dataclass(frozen=True, slots=True)
class Task:
    """One of the eleven: its number in the reference benchmark, its axis, how it is scored, and what is asked."""

    number: str
    axis: Axis
    scorer: str
    about: str


TASKS: dict[str, Task] = {
    "description": Task("1.1", "morphology", "claims", "describe the morphology in prose"),
    "morph_description": Task("1.2", "morphology", "claims and morphology", "the schema, then the description"),
    "derm7pt": Task("1.3", "morphology", "choice", "choose the value of a seven-point criterion"),
    "skincon": Task("1.4", "morphology", "choice", "choose the one clinical concept that is there"),
    "diagnosis_4": Task("2.1", "diagnosis", "choice", "choose the diagnosis among 4"),
    "diagnosis_25": Task("2.1", "diagnosis", "choice", "choose the diagnosis among 25"),
    "hierarchy": Task("2.2", "diagnosis", "steps", "walk down the ontology, set right after every error"),
    "out_of_distribution": Task("2.3", "diagnosis", "choice", "choose the diagnosis where training had nothing like the image"),
    "reasoning": Task("3.1", "reasoning", "claims and diagnosis", "reason to a diagnosis"),
    "reasoning_morph": Task("3.2", "reasoning", "claims, diagnosis and morphology", "reason, the schema, a diagnosis"),
    "fairness": Task("4", "fairness", "fairness", "choose the diagnosis; accuracy by skin tone"),
}
"""The eleven tasks by name, in the reference's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question about one image. `options` is empty where the answer is free; `truth` holds what the task's scorer compares with.

    `walk` ties the steps of a hierarchical diagnosis together, and `step` orders them.
    """

    item_id: str
    task: str
    axis: str
    variant: str
    image_id: str
    image_sha256: str
    kind: str
    source: str
    group_id: str
    node: str
    basis: str
    walk: str
    step: int
    question: str
    options: tuple[str, ...]
    truth: Mapping[str, Any]
    scorer: str
    tone_system: str | None
    tone_value: str | None
    licence_id: str | None
    attribution: str | None


def make(
    case: Case,
    task: str,
    question: str,
    truth: Mapping[str, Any],
    *,
    options: tuple[str, ...] = (),
    variant: str = STANDARD,
    step: int = 0,
    system: str | None = None,
) -> Item:
    """The item of a case; its id is a hash of what is asked. `system` names the skin-tone scale that the item counts for."""
    scale = system or min(case.tones, default=None)
    asked = "\0".join([task, variant, case.image_id, system or "", question, *options])
    return Item(
        item_id=hashed(asked)[:24],
        task=task,
        axis=TASKS[task].axis,
        variant=variant,
        image_id=case.image_id,
        image_sha256=case.sha256,
        kind=case.kind,
        source=case.source,
        group_id=case.group,
        node=case.node,
        basis=case.basis,
        walk=hashed(f"{task}\0{variant}\0{case.image_id}")[:24],
        step=step,
        question=question,
        options=options,
        truth=truth,
        scorer=TASKS[task].scorer,
        tone_system=scale,
        tone_value=case.tones[scale] if scale else None,
        licence_id=case.licence_id,
        attribution=case.attribution,
    )


def hashed(text: str) -> str:
    """sha256 hex of a text: every choice here depends on content alone."""
    return hashlib.sha256(text.encode()).hexdigest()
