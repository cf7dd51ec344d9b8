"""Formats answered in prose: description, morphology and description, reasoning to a diagnosis."""

import json

from prompts import questions, schemas
from prompts.formats.record import Record, Turn, once
from prompts.ontology import Ontology

_json = json.JSONEncoder(ensure_ascii=False).encode


def description(record: Record, ontology: Ontology) -> list[Turn]:
    """One request, one paragraph without a disease name."""
    return once(questions.pick(questions.DESCRIPTION, f"{record.sha256}/description"), record.observation[schemas.TEXT_KEY])


def morph_description(record: Record, ontology: Ontology) -> list[Turn]:
    """The schema first, then the same paragraph; empty when the morphology is not complete."""
    if not schemas.is_complete(record.observation):
        return []
    ask = questions.pick(questions.MORPH_DESCRIPTION[record.kind], f"{record.sha256}/morph")
    return once(ask, f"<morph>{morph_json(record)}</morph>\n\n{record.observation[schemas.TEXT_KEY]}")


def reasoning(record: Record, ontology: Ontology) -> list[Turn]:
    """Reasoning, morphology and one label, each in its tag, in this order; empty when the morphology is not complete."""
    if not schemas.is_complete(record.observation):
        return []
    ask = questions.pick(questions.REASONING[record.kind], f"{record.sha256}/reasoning")
    return once(ask, tagged(record.reasoning["reasoning"], morph_json(record), ontology.nodes[record.node].name))


def tagged(reasoning: str, morph: str, label: str) -> str:
    """The answer of the reasoning format."""
    return f"<reasoning>{reasoning}</reasoning>\n<morph>{morph}</morph>\n<final_diagnosis>{label}</final_diagnosis>"


def morph_json(record: Record) -> str:
    """The closed part of the observation as the trainers' JSON: snake_case keys, SkinCon concepts sorted, no others list."""
    if record.kind == "dermoscopic":
        return _json({schemas.DERM7PT_KEY: record.observation[schemas.DERM7PT_KEY]})
    return _json({schemas.SKINCON_KEY: sorted(record.observation[schemas.SKINCON_KEY])})
