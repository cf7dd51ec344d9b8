"""The engines by name. `open_engine` is the only place that knows them."""

import json
from collections.abc import Generator

from pipelines.lake import Lake
from pipelines.teach import composer
from pipelines.teach.config import TeacherConfig
from pipelines.teach.requests import Answer, Answered, Engine, Request, Take, Teacher
from prompts.ontology import load


def open_engine(lake: Lake, config: TeacherConfig) -> Engine:
    """The engine that a configuration names. Raises EngineUnavailable where it cannot run here."""
    if config.engine == "vllm":
        from pipelines.teach.vllm_engine import open_vllm

        return open_vllm(lake, config)
    if config.engine == "endpoint":
        from pipelines.teach.endpoint import open_endpoint

        return open_endpoint(lake, config)
    return Engine(Teacher(name="composer", revision=composer.revision(), reads="facts"), compose_all)


def compose_all(take: Take) -> Generator[Answered]:
    """Answer every question with the composer, in batches of 256. It needs no pixels: the facts hold what was measured."""
    while batch := take(256):
        yield [(request, compose(request)) for request in batch]


def compose(request: Request) -> Answer:
    """The composer's answer, or a `nothing_to_say` failure when neither annotation nor measurement supports a sentence."""
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
