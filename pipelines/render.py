"""Samples and prompts for reinforcement learning: every image's trajectory rendered into the formats, one source at a time, in blocks.

Two passes: the first decides from labels and findings which pictures are asked which questions, the second renders. Memory: the facts of
one window of pictures (`pipelines.asking`), and the rows of one block.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from pipelines.asking import asking
from pipelines.chosen import Row, chosen, table_of
from pipelines.lake import Lake
from pipelines.mix import Counted
from prompts.formats import FORMATS, GRPO_TASKS, Asked, Context, Record, ground_truth
from prompts.formats.rewards import LAYOUTS
from prompts.mix import Mix
from prompts.ontology import Ontology, load
from quality.samples import Tally

CARRIED = ("teacher", "revision", "conditioning", "verified_by", "licence_id", "attribution")
"""Columns of a trajectory that its samples keep."""

JUDGED = ("sample_id", "image_id", "format", "split", "messages", "node", "weight", "teacher")
"""Columns of a sample that the checks look at."""

encoded = json.JSONEncoder(ensure_ascii=False).encode
sorted_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def render(lake: Lake, source: str, counted: Counted) -> dict[str, int]:
    """Rebuild `samples` of one source; returns how many pictures the caps left out, by diagnosis. Writes nothing that is there already."""
    capped: Counter[str] = Counter()
    lake.replace_streaming("samples", _tables(lake, source, counted, capped), source=source, by="image_id")
    told = {"source": source, **asdict(counted.mix), "formats": sorted_json(counted.mix.formats)}
    lake.replace("mixes", table_of("mixes", [told]), source=source)
    return dict(capped.most_common())


def _tables(lake: Lake, source: str, counted: Counted, capped: Counter[str]) -> Iterator[pa.Table]:
    ontology = load()
    with asking(ontology) as pictures:
        for block in chosen(lake, source):
            for row in filter(counted.keeps, block):
                cell = f"{row['split']}/{row['kind']}/{row['teacher']}"
                pictures.take(row["sha256"], cell, row["node"], json.loads(row["observation"]))
        pictures.match()
        told = iter(pictures)
        for block in chosen(lake, source):
            rows = []
            for row in block:
                if counted.keeps(row):
                    rows += sample_rows(row, record_of(row, *next(told)), counted, ontology)
                else:
                    capped[ontology.nodes[row["node"]].name] += 1
            yield table_of("samples", rows)


def record_of(row: Mapping[str, Any], asked: Asked, attribute: tuple[str, str] | None) -> Record:
    """The canonical record of a trajectory with its image's facts."""
    return Record(
        image_id=row["image_id"],
        sha256=row["sha256"],
        kind=row["kind"],
        observation=json.loads(row["observation"]),
        reasoning=json.loads(row["reasoning"]),
        node=row["node"],
        context=Context(
            row["age_years"], bool(row["age_is_floor"]), row["sex"], row["body_site"], json.loads(row["history"] or "{}")
        ),
        gates=None if row["gates"] is None else tuple(row["gates"]),
        attribute=attribute,
        asked=asked,
    )


def sample_rows(trajectory: Mapping[str, Any], record: Record, counted: Counted, ontology: Ontology) -> Iterator[Row]:
    """One row a format that the record can be rendered into and the mix takes."""
    weight = counted.weight(trajectory)
    shared = {key: trajectory[key] for key in CARRIED} | {
        "source": trajectory["source"],
        "image_id": record.image_id,
        "split": trajectory["split"],
        "node": record.node,
        "weight": weight.weight,
        "weight_why": weight.why,
        "tone_weights": [{**tone._asdict(), "weight": value} for tone, value in weight.tones],
    }
    for name, turns in rendered(record, counted.mix, ontology):
        truth = ground_truth(record, GRPO_TASKS[name], ontology) if name in GRPO_TASKS else None
        yield {
            **shared,
            "sample_id": _id(record.image_id, name, trajectory["teacher"]),
            "format": name,
            "messages": encoded(turns),
            "ground_truth": None if truth is None else sorted_json(truth),
        }


def rendered(record: Record, mix: Mix, ontology: Ontology) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Formats and turns of a record. A matched set is taken or left as a whole."""
    sets = {"choice": record.asked.choice, "choice_25": record.asked.choice_25}
    sets |= {"criterion": record.asked.attribute, "concept": record.asked.attribute}
    for name, render_format in FORMATS.items():
        found = sets.get(name)
        if mix.takes(name, found.key if found else record.sha256) and (turns := render_format(record, ontology)):
            yield name, turns


def judged(lake: Lake) -> Tally:
    """Everything that the checks on samples say, from one pass over the table. Memory: 100 bytes a sample."""
    found = Tally()
    for batch in lake.scan("samples", JUDGED):
        for row in batch.to_pylist():
            found.add(row)
    return found


def prompts(lake: Lake, source: str) -> bool:
    """Rebuild `rl_prompts` of one source from its samples; False when nothing changed."""
    columns = [name for name in lake.read("rl_prompts").schema.names if name in lake.read("samples").schema.names]
    rows = lake.read("samples", source=source, columns=[*columns, "sample_id", "format", "messages"], among=_rewarded())
    return lake.replace("rl_prompts", table_of("rl_prompts", list(prompt_rows(rows.to_pylist()))), source=source)


def prompt_rows(samples: Iterable[Row]) -> Iterator[Row]:
    """The first human turn of samples that a reward exists for, with what the reward compares and the tags of the answer."""
    for row in samples:
        task = GRPO_TASKS[row["format"]]
        yield {
            **{key: row[key] for key in row if key not in ("sample_id", "messages")},
            "prompt_id": _id(row["image_id"], task, row["teacher"]),
            "task": task,
            "prompt": json.loads(row["messages"])[0]["content"],
            "layout": list(LAYOUTS[row["format"]]),
        }


def _rewarded() -> tuple[str, pa.Array]:
    return "format", pa.array(sorted(GRPO_TASKS))


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
