"""Drawn cases for the benchmark's tests, and the oracle that knows the drawing: nothing is rendered or asked."""

import hashlib
import re
from functools import cache

from pipelines.teach.composer import compose_observation, compose_reasoning
from prompts.benchmark.items import Case, Item, claim
from prompts.benchmark.wording import LETTERS
from prompts.ontology import load
from prompts.schemas import DERM7PT_KEY, SKINCON, SKINCON_KEY, TEXT_KEY, kind_of
from quality.benchmark.claims import read_words, sentence
from sources import phantom
from sources.phantom import Plan
from sources.phantom_lesion import Lesion
from sources.record import ImageRecord

ONTOLOGY = load()


@cache
def cases(lesions: int) -> tuple[Case, ...]:
    """One case a drawn lesion: every value is known, and the composer writes the reference texts."""
    first = {record.lesion_id: record for record in reversed(list(phantom.records(Plan(lesions=lesions))))}
    return tuple(_case(record) for record in first.values() if re.fullmatch(r"L\d+-v0", record.native_id))


def _case(record: ImageRecord) -> Case:
    kind, node = kind_of(record.modality), ONTOLOGY.map_label("phantom", str(record.diagnosis_raw)).node
    assert node
    sha = hashlib.sha256(record.image_id.encode()).hexdigest()
    seen = compose_observation(kind, record.expert_concepts, [], sha)
    thought = compose_reasoning(kind, seen, ONTOLOGY.nodes[node], ONTOLOGY, sha)
    values = drawn_values(record.expert_concepts)
    cited = [f for f in (*thought["supporting"], *thought["against"]) if f in {claim(*v) for v in values.items()}]
    return Case(
        image_id=record.image_id,
        sha256=sha,
        kind=kind,
        node=node,
        source="phantom",
        group=str(record.patient_id),
        morphology=values,
        basis="expert",
        description=seen[TEXT_KEY],
        cited=tuple(f for f in cited if read_words([f], values, thought["reasoning"]).supported),
        tones={tone.system: tone.value for tone in record.skin_tones},
    )


def drawn_values(concepts) -> dict[str, str]:
    """Every field's value as drawn."""
    if "skincon" in concepts:
        return {name: "present" if name in concepts["skincon"] else "absent" for name in SKINCON}
    return dict(concepts)


def oracle(item: Item, lesion: Lesion) -> str:
    """The answer of one who knows the drawn parameters and reads the question; the item's truth is not looked at."""
    node = ONTOLOGY.map_label("phantom", lesion.diagnosis).node
    values = drawn_values(lesion.concepts)
    assert node
    if item.options:
        path = [ONTOLOGY.nodes[one].name for one in ONTOLOGY.path(node)]
        asked = re.match(r"Which of these describes the ([\w ]+) in this", item.question)
        right = {
            "derm7pt": lambda: values[asked[1].replace(" ", "_")] if asked else "",
            "skincon": lambda: next(option for option in item.options if values[option] == "present"),
        }.get(item.task, lambda: next(option for option in reversed(path) if option in item.options))()
        return f"{LETTERS[item.options.index(right)]}) {right}"
    found = [claim(*pair) for pair in values.items() if pair[1] != "absent"]
    prose = " ".join(map(sentence, found))
    layout = {DERM7PT_KEY: values} if lesion.dermoscopic else {SKINCON_KEY: list(lesion.concepts["skincon"])}
    morph = f"<morph>{layout}</morph>".replace("'", '"')
    if item.task in ("description", "morph_description"):
        return prose if item.task == "description" else f"{morph}\n\n{prose}"
    middle = f"\n{morph}\n" if item.task == "reasoning_morph" else "\n"
    return f"<reasoning>{prose}</reasoning>{middle}<final_diagnosis>{ONTOLOGY.nodes[node].name}</final_diagnosis>"
