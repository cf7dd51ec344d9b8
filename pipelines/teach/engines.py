"""Engines behind one shape: a `Teacher` (who) and an `ask` (requests in, batches of answers out, any order).

`open_engine` is the only place that knows their names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.lake import Lake
from pipelines.progress import batches
from pipelines.teach import composer
from pipelines.teach.ledger import Ask
from pipelines.teach.requests import Answer, Request, Teacher
from prompts.ontology import load

ENGINES = ("composer", "vllm")


@dataclass(frozen=True, slots=True)
class Engine:
    """A teacher that can be asked. Nothing is started before the first question that the ledger cannot answer."""

    teacher: Teacher
    ask: Ask


class EngineUnavailable(Exception):
    """The engine asked for cannot run here; the message says what is missing."""


def open_engine(lake: Lake, name: str, model: str = "") -> Engine:
    """The engine `name`. Raises EngineUnavailable for an unknown name, or for vllm without a model directory or package."""
    if name == "composer":
        return Engine(Teacher(name="composer", revision=composer.revision(), reads="facts"), compose_all)
    if name == "vllm":
        from pipelines.teach.vllm_engine import open_vllm

        return open_vllm(lake, model)
    raise EngineUnavailable(f"unknown teacher {name!r}: choose one of {', '.join(ENGINES)}")


def compose_all(requests: Sequence[Request]) -> Iterator[list[tuple[Request, Answer]]]:
    """Answer every request with the composer, in batches of 256. It needs no pixels: the facts hold what was measured."""
    for batch in batches(requests, 256):
        yield [(request, compose(request)) for request in batch]


def compose(request: Request) -> Answer:
    """The composer's answer, or a `nothing_to_say` failure when neither annotation nor measurement supports a sentence."""
    import json

    facts = request.facts
    try:
        if request.stage == "observe":
            said = composer.compose_observation(request.kind, facts["expert_concepts"], facts["measured"], request.image_sha256)
        else:
            ontology = load()
            node = ontology.nodes[facts["node"]]
            said = composer.compose_reasoning(request.kind, facts["observation"], node, ontology, request.image_sha256)
    except composer.NothingToSay as error:
        return Answer(text=None, failure="nothing_to_say", finish_reason=str(error))
    return Answer(text=json.dumps(said, ensure_ascii=False, sort_keys=True), finish_reason="stop")
