"""Does the teacher look? A sample is asked with its picture, with a blank one and with another image's; answers that do not change were not seen.

All of it without chance (temperature 0) and through the ledger, so that it is paid for once. The composer reads no pixels and is not probed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.lake import Lake
from pipelines.teach.config import TeacherConfig
from pipelines.teach.engines import open_engine
from pipelines.teach.ledger import Ledger
from pipelines.teach.requests import Request, Teacher
from pipelines.teach.stages import observe_request, reason_request
from pipelines.teach.subjects import Subject, subjects
from pipelines.teach.teach import ask_missing
from prompts import schemas

SAMPLE = 16
"""Images that are probed, the first of a source."""


@dataclass(frozen=True, slots=True)
class Probed:
    """Shares of the answers that changed with the picture, by stage and by what was shown instead; answers compared in each."""

    compared: Mapping[str, int]
    changed: Mapping[str, float]
    examples: Sequence[tuple[str, str, str, str]]
    """(image id, what was shown, answer to the image, answer to what was shown), shortened."""


def probe(lake: Lake, source: str, config: TeacherConfig) -> Probed:
    """Ask what is missing and compare. Raises EngineUnavailable."""
    steady = config.model_copy(update={"sampling": config.sampling.model_copy(update={"temperature": 0.0})})
    engine = open_engine(lake, steady)
    people = subjects(lake, source)[:SAMPLE]
    asked = dict(_requests(people))
    ask_missing(lake, asked.values(), engine, f"probe {source}")
    return _compared(lake, engine.teacher, asked)


def _requests(people: Sequence[Subject]) -> list[tuple[tuple[str, str, str], Request]]:
    """Questions by (stage, image id, shown): the second stage about a given observation, so that only the picture differs."""
    named = []
    for one, other in zip(people, [*people[1:], *people[:1]], strict=True):
        seen = {schemas.OTHERS_KEY: ["colour: light brown"], schemas.TEXT_KEY: "The lesion is light brown."}
        for stage, own in (("observe", observe_request(one)), ("reason", reason_request(one, seen, "blind"))):
            swapped = replace(own, image_id=other.image_id, image_sha256=other.sha256)
            shown = {"own": own, "blank": replace(own, picture="blank"), "swapped": swapped}
            named += [((stage, one.image_id, name), request) for name, request in shown.items()]
    return named


def _compared(lake: Lake, teacher: Teacher, asked: Mapping[tuple[str, str, str], Request]) -> Probed:
    keys = {name: request.key(teacher) for name, request in asked.items()}
    rows = Ledger(lake, teacher).find((keys[name], request) for name, request in asked.items())
    said = {name: (rows.get(key) or {}).get("answer") for name, key in keys.items()}
    pairs: dict[str, list[bool]] = {}
    examples = []
    for (stage, image_id, shown), answer in said.items():
        own = said[stage, image_id, "own"]
        if shown != "own" and own is not None and answer is not None:
            pairs.setdefault(f"{stage}, {shown}", []).append(_same(own, answer))
            examples.append((image_id, f"{stage}, {shown}", own[:200], answer[:200]))
    changed = {name: 1 - sum(same) / len(same) for name, same in pairs.items()}
    return Probed({name: len(same) for name, same in pairs.items()}, changed, examples[:8])


def _same(a: str, b: str) -> bool:
    """Equal as JSON, or as text where one is none."""
    return _value(a) == _value(b)


def _value(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return text
