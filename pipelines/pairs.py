"""Preference pairs: where a teacher answered an image several times, the accepted answer beside each rejected one.

Both answers are to one question in one layout. What failed decides the question: a fault of the observation makes a pair of descriptions,
a fault of the reasoning one of reasonings. A rejected answer that cannot be laid out at all (no JSON, no diagnosis) teaches nothing
but JSON and makes no pair; nor do two answers that are the same. The answer-blind control is not compared with other conditionings.
Memory: a block of images.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from pipelines.chosen import Row, beside_images, best, blocks, table_of
from pipelines.lake import Lake
from pipelines.rate import refused
from pipelines.render import CARRIED, record_of
from prompts.formats import FORMATS, Asked, Record
from prompts.formats.prose import morph_json, tagged
from prompts.ontology import Ontology, load


def pair(lake: Lake, source: str) -> bool:
    """Rebuild `preference_pairs` of one source; False when nothing changed."""
    return lake.replace_streaming("preference_pairs", _tables(lake, source), source=source, by="image_id")


def _tables(lake: Lake, source: str) -> Iterator[pa.Table]:
    ontology, low = load(), refused(lake, source)
    for first, last in blocks(lake, source):
        between = ("image_id", first, last)
        rows = lake.read("trajectories", source=source, between=between).to_pylist()
        answers: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in rows:
            if row["status"] != "accepted" and not row["control"] and row["observation"]:
                answers[row["image_id"], row["teacher"], row["conditioning"]].append(row)
        chosen = beside_images(lake, source, list(best(rows, low)), between)
        yield table_of("preference_pairs", [pair for row in chosen for pair in _pairs(row, answers, ontology)])


def _pairs(chosen: Row, answers: Mapping[tuple[str, ...], Sequence[Row]], ontology: Ontology) -> Iterator[Row]:
    for rejected in answers.get((chosen["image_id"], chosen["teacher"], chosen["conditioning"]), ()):
        yield from pair_rows(chosen, rejected, ontology)


def pair_rows(chosen: Row, rejected: Row, ontology: Ontology) -> Iterator[Row]:
    """The pair of an accepted trajectory (with its image's facts) and a rejected one, if both can be laid out and differ."""
    failed = [verdict for verdict in json.loads(rejected["verdicts"]) if not verdict["passed"]]
    name = "description" if any(v["stage"] == "observe" for v in failed) else "reasoning"
    record = record_of(chosen, Asked(), None)
    turns = FORMATS[name](record, ontology)
    other = _laid_out(name, record, rejected)
    if not turns or not failed or other is None or other == turns[1]["content"]:
        return
    key = "\0".join([chosen["image_id"], name, *(f"{row['teacher']} {row['sample']}" for row in (chosen, rejected))])
    yield {
        **{field: chosen[field] for field in (*CARRIED, "source", "image_id", "split", "node")},
        "pair_id": hashlib.sha256(key.encode()).hexdigest()[:24],
        "format": name,
        "prompt": turns[0]["content"],
        "chosen": turns[1]["content"],
        "rejected": other,
        "why": sorted({f"{verdict['stage']}: {verdict['check']}: {verdict['detail']}" for verdict in failed}),
        "chosen_sample": chosen["sample"],
        "rejected_sample": rejected["sample"],
    }


def _laid_out(name: str, asked: Record, rejected: Row) -> str | None:
    """A rejected answer in the layout of a format; None where a part of it is missing."""
    observation = json.loads(rejected["observation"])
    answer = json.loads(rejected["reasoning"] or "{}")
    try:
        if name == "description":
            return observation["detailed_description"] or None
        record = Record(
            image_id=asked.image_id,
            sha256=asked.sha256,
            kind=asked.kind,
            observation=observation,
            reasoning=answer,
            node=asked.node,
        )
        return tagged(answer["reasoning"], morph_json(record), answer["final_diagnosis"])
    except (KeyError, TypeError, AttributeError):
        return None
