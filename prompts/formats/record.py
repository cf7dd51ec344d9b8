"""The canonical record of an image, from which every format is rendered, and what is asked about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prompts.matching import OptionSet

Turn = dict[str, str]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXY"


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions with options that matching gave to an image (`prompts.asking`); None or empty where it found no partners.

    `walk` has an entry for each level of the label's path: None where the level is stated instead of asked.
    """

    choice: OptionSet | None = None
    choice_25: OptionSet | None = None
    attribute: OptionSet | None = None
    walk: tuple[OptionSet | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What the source states about the person and the picture: age in years, `female` or `male`, one of the eleven regions, history."""

    age_years: float | None = None
    age_is_floor: bool = False
    sex: str | None = None
    site: str | None = None
    history: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An accepted observation and reasoning, the ontology node of the label, and what else is known and asked.

    `kind` is `dermoscopic` or `clinical`; `gates` are codes of the image gates that fired, None where no gate has seen the picture;
    `attribute` is what the question on morphology asks for: a criterion and its value, or "concept" and a concept that is present.
    """

    image_id: str
    sha256: str
    kind: str
    observation: Mapping[str, Any]
    reasoning: Mapping[str, Any]
    node: str
    context: Context = Context()
    gates: tuple[str, ...] | None = None
    attribute: tuple[str, str] | None = None
    asked: Asked = Asked()


def once(ask: str, answer: str) -> list[Turn]:
    """One question and its answer."""
    return [turn("user", ask), turn("assistant", answer)]


def turn(role: str, content: str) -> Turn:
    """One message."""
    return {"role": role, "content": content}
