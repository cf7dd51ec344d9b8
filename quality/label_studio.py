"""Label Studio's formats: the labelling configuration, a task with the model's answer as its prediction, and the annotations that return.

Read from Label Studio 1.23: pictures are data URIs, which it shows without any storage being set up, so that a file of tasks is all that
a reviewer's server needs.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as Xml

from prompts import schemas
from prompts.ontology import Ontology
from quality.review import ACCEPT, REJECT

CONCEPTS, NONE_OF_THEM, NOT_WRITTEN = "concepts", "none of them", "not written"
PERSON, PERSON_SHOWN = "person", "the picture identifies a person"
VERDICTS = {"observation_verdict": (ACCEPT, REJECT), "reasoning_verdict": (ACCEPT, REJECT, NOT_WRITTEN)}
COMMENT_CHARACTERS = 2000
"""Of a comment that are kept."""

_RULE = (
    "Accept only what can stand as it is. Where a finding or the diagnosis is wrong, correct it below: an answer that you corrected counts as "
    "rejected, and your correction is kept."
)

_TOLD = {
    "blind": "The teacher did not know it.",
    "candidates": "The teacher was told that it is one of a few.",
    "confirmed": "The teacher was told so.",
}


class WrongFile(ValueError):
    """A file that is no JSON export of Label Studio; the message says what it is and what to do."""


def config(kind: str, ontology: Ontology) -> str:
    """The labelling configuration (XML) for one kind of image."""
    view = Xml.Element("View", style="display: flex; gap: 1em")
    left = Xml.SubElement(view, "View", style="flex: 45%; position: sticky; top: 0; align-self: flex-start")
    Xml.SubElement(left, "Image", name="image", value="$image", zoom="true", zoomControl="true", brightnessControl="true")
    Xml.SubElement(left, "Header", value="Why you are asked", size="5")
    Xml.SubElement(left, "Text", name="why", value="$why")
    right = Xml.SubElement(view, "View", style="flex: 55%")
    Xml.SubElement(right, "Header", value=_RULE, size="5")
    _stage(right, "observation", "1. What is seen")
    for name, values in _findings(kind).items():
        title = schemas.DERM7PT_TITLES.get(name, "Concepts that are visible")
        _choices(right, name, title, values, choice="multiple" if name == CONCEPTS else "single-radio")
    _stage(right, "reasoning", "2. What it means")
    Xml.SubElement(right, "Header", value="Diagnosis", size="5")
    tree = Xml.SubElement(right, "Taxonomy", name="diagnosis", toName="image", maxUsages="1", leafsOnly="false")
    _branch(tree, None, ontology)
    _choices(right, PERSON, "3. Privacy", (PERSON_SHOWN,), choice="multiple")
    Xml.SubElement(right, "TextArea", name="comment", toName="image", placeholder="Comment", rows="3", maxSubmissions="1")
    Xml.indent(view)
    return Xml.tostring(view, encoding="unicode") + "\n"


def _stage(parent: Xml.Element, stage: str, title: str) -> None:
    Xml.SubElement(parent, "Header", value=title, size="4")
    Xml.SubElement(parent, "Text", name=f"{stage}_text", value=f"${stage}")
    name = f"{stage}_verdict"
    _choices(parent, name, "", VERDICTS[name], required="true", requiredMessage=f"Accept or reject: {title}")


def _choices(parent: Xml.Element, name: str, title: str, values: Sequence[str], **how: str) -> None:
    if title:
        Xml.SubElement(parent, "Header", value=title, size="5")
    found = Xml.SubElement(
        parent, "Choices", {"name": name, "toName": "image", "showInline": "true", "choice": "single-radio", **how}
    )
    for value in values:
        Xml.SubElement(found, "Choice", value=value)


def _findings(kind: str) -> dict[str, tuple[str, ...]]:
    """Controls of the closed findings, with their values."""
    if kind == "clinical":
        return {CONCEPTS: (*schemas.SKINCON, NONE_OF_THEM)}
    return {key: (*values, schemas.NOT_ASSESSABLE) for key, values in schemas.DERM7PT.items()}


def _branch(parent: Xml.Element, node: str | None, ontology: Ontology) -> None:
    for child in ontology.children(node):
        _branch(Xml.SubElement(parent, "Choice", value=ontology.nodes[child].name), child, ontology)


def task(
    item: str, trajectory: Mapping[str, Any], label: str, why: Sequence[str], jpeg: bytes, ontology: Ontology
) -> dict[str, Any]:
    """A task: the picture, both texts, why it was chosen, and the model's structured answer as a prediction.

    `label` is the source's diagnosis. No verdict is predicted: a person gives it. Names of the trajectory's key go along and come back.
    """
    observation = json.loads(trajectory["observation"])
    reasoning = json.loads(trajectory["reasoning"]) if trajectory["reasoning"] else None
    data = {
        "image": f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}",
        "item": item,
        **{name: trajectory[name] for name in ("image_id", "teacher", "conditioning", "sample")},
        "why": "; ".join(why),
        "observation": _observed(observation),
        "reasoning": _reasoned(reasoning, label, trajectory["conditioning"]),
    }
    version = f"{trajectory['teacher']} {trajectory['revision'][:12]}"
    return {"data": data, "predictions": [{"model_version": version, "result": _prediction(trajectory, observation, ontology)}]}


def _observed(observation: Mapping[str, Any]) -> str:
    others = observation[schemas.OTHERS_KEY]
    return observation[schemas.TEXT_KEY] + (f"\n\nFurther findings: {', '.join(others)}." if others else "")


def _reasoned(reasoning: Mapping[str, Any] | None, label: str, conditioning: str) -> str:
    source = f"Diagnosis of the source: {label}. {_TOLD[conditioning]}"
    if reasoning is None:
        return f"No reasoning was written.\n\n{source}"
    sides = [
        f"{name}: {', '.join(reasoning[key]) or 'nothing'}" for name, key in (("For", "supporting"), ("Against", "against"))
    ]
    return "\n\n".join(
        [reasoning["reasoning"], f"{sides[0]}. {sides[1]}.", f"Conclusion: {reasoning['final_diagnosis']}.", source]
    )


def _prediction(trajectory: Mapping[str, Any], observation: Mapping[str, Any], ontology: Ontology) -> list[dict[str, Any]]:
    stated = closed_findings(trajectory["kind"], observation)
    result = [_result(name, "choices", value if isinstance(value, list) else [value]) for name, value in stated.items()]
    if trajectory["final_node"]:
        path = [ontology.nodes[node].name for node in ontology.path(trajectory["final_node"])]
        result.append(_result("diagnosis", "taxonomy", [path]))
    return result


def _result(name: str, kind: str, value: Any) -> dict[str, Any]:
    return {"id": name, "from_name": name, "to_name": "image", "type": kind, "value": {kind: value}}


def closed_findings(kind: str, observation: Mapping[str, Any]) -> dict[str, Any]:
    """The closed part of an observation by control: a value a criterion, or the list of concepts."""
    if kind == "dermoscopic":
        return dict(observation[schemas.DERM7PT_KEY])
    return {CONCEPTS: sorted(observation[schemas.SKINCON_KEY]) or [NONE_OF_THEM]}


@dataclass(frozen=True, slots=True)
class Stated:
    """What one annotation says. `answers` holds choices as lists, the diagnosis as its path, by control; `fault` why it cannot be used."""

    task: str
    annotation: str
    data: Mapping[str, Any]
    reviewer: str
    stated_at: str
    cancelled: bool
    answers: Mapping[str, Any]
    fault: str = ""


def read_export(raw: bytes) -> Iterator[Stated]:
    """Every annotation of a JSON export, in its order; tasks nobody annotated give none. Raises WrongFile for anything else."""
    for number, entry in enumerate(_tasks(raw), start=1):
        name = str(entry.get("id", f"number {number}"))
        data = entry.get("data")
        annotations = entry["annotations"]
        if not isinstance(data, dict) or not isinstance(annotations, list):
            yield _faulty(name, "", "the task has no data, or annotations that are no list")
            continue
        yield from (_stated(name, data, annotation) for annotation in annotations)


def _tasks(raw: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise WrongFile(f"not JSON ({str(error)[:100]}): choose JSON when exporting") from error
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise WrongFile("not a list of tasks: choose JSON when exporting, of the whole project")
    if any("annotator" in entry and "annotations" not in entry for entry in found):
        raise WrongFile("this is JSON-MIN, which leaves out who skipped what: choose JSON when exporting")
    if not all("annotations" in entry for entry in found):
        raise WrongFile("tasks without annotations: this is a file of tasks, not an export of annotated ones")
    return found


def _faulty(task: str, annotation: str, fault: str) -> Stated:
    return Stated(task, annotation, {}, "", "", False, {}, fault)


def _stated(name: str, data: Mapping[str, Any], annotation: Any) -> Stated:
    if not isinstance(annotation, dict):
        return _faulty(name, "", "an annotation that is no object")
    number = str(annotation.get("id", ""))
    reviewer = _reviewer(annotation.get("completed_by"))
    if not reviewer:
        return _faulty(name, number, "nobody is named as its author")
    try:
        when = _moment(annotation.get("updated_at") or annotation.get("created_at"))
        answers = _answers(annotation.get("result") or [])
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        return _faulty(name, number, f"cannot be read: {type(error).__name__} {str(error)[:100]}")
    return Stated(name, number, data, reviewer, when, bool(annotation.get("was_cancelled")), answers)


def _reviewer(found: Any) -> str:
    """A user's address where the export holds it, otherwise the number that Label Studio knows the user by."""
    if isinstance(found, dict):
        found = found.get("email") or found.get("id")
    return f"user {found}" if isinstance(found, int) and not isinstance(found, bool) else str(found or "")


def _moment(text: Any) -> str:
    """A time as UTC text that sorts; raises ValueError for anything that is none."""
    moment = datetime.fromisoformat(str(text))
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _answers(results: Any) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for result in results:
        kind, value = result["type"], result["value"]
        if kind == "choices":
            answers[result["from_name"]] = [str(choice) for choice in value["choices"]]
        elif kind == "taxonomy":
            answers[result["from_name"]] = [str(step) for step in value["taxonomy"][0]] if value["taxonomy"] else []
        elif kind == "textarea":
            answers[result["from_name"]] = (
                "\n".join(map(str, value["text"])) if isinstance(value["text"], list) else str(value["text"])
            )
    return answers


def corrected(kind: str, answers: Mapping[str, Any], observation: Mapping[str, Any]) -> dict[str, Any]:
    """Findings that a person states otherwise than the observation, by control. Silence corrects nothing.

    Raises ValueError for a value that the vocabulary does not hold.
    """
    said, values = closed_findings(kind, observation), _findings(kind)
    changes: dict[str, Any] = {}
    for name, allowed in values.items():
        chosen = answers.get(name)
        if not chosen:
            continue
        if not set(chosen) <= set(allowed):
            raise ValueError(f"{name}: {sorted(set(chosen) - set(allowed))} is none of its values")
        if NONE_OF_THEM in chosen and len(chosen) > 1:
            raise ValueError(f"{name}: {sorted(chosen)} contradict each other")
        stated = sorted(chosen) if name == CONCEPTS else chosen[0]
        if stated != said[name]:
            changes[name] = stated
    return changes
