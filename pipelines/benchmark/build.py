"""The table `benchmark`: the eleven tasks over the test split, and whether any training row shows one of its images.

Variants: `standard`; `without <source>` (a source's items, for a model whose training left that source out); the shifts of task 2.3; and for
task 4 the skin-tone scale. Memory: the texts of the test split and the items.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.benchmark.cases import held_out, training
from pipelines.lake import Lake, digest_rows
from pipelines.tables import TABLES
from prompts.benchmark import tasks
from prompts.benchmark.items import TASKS, Case, Item
from prompts.benchmark.shifts import SHIFTS, seen, shift
from prompts.ontology import Ontology, load
from quality.thresholds import BENCHMARK_CLASS

TRAINING = tuple(name for name in ("samples", "rl_prompts", "preference_pairs") if name in TABLES)
"""Tables whose rows of other splits than `test` are trained on."""


def build(lake: Lake) -> bool:
    """Rebuild `benchmark`; False when nothing changed."""
    rows = [_row(item) for item in make(held_out(lake), training(lake), load())]
    return lake.replace("benchmark", pa.Table.from_pylist(rows, schema=TABLES["benchmark"].schema))


def make(held: Sequence[Case], trained: Iterator[Case], ontology: Ontology) -> Iterator[Item]:
    """Every item of every task and variant."""
    yield from tasks.morphology_items(held, BENCHMARK_CLASS)
    yield from tasks.diagnosis_items(held, ontology, BENCHMARK_CLASS)
    yield from tasks.diagnosis_items(held, ontology, BENCHMARK_CLASS, task="diagnosis_25", size=tasks.MANY)
    sources = sorted({case.source for case in held})
    for source in sources if len(sources) > 1 else ():
        mine = [case for case in held if case.source == source]
        yield from tasks.diagnosis_items(mine, ontology, BENCHMARK_CLASS, variant=f"without {source}")
    yield from tasks.hierarchy_items(held, ontology, BENCHMARK_CLASS)
    had = seen(trained)
    shifts = {case.image_id: shift(case, had) for case in held}
    for variant in SHIFTS:
        moved = [case for case in held if shifts[case.image_id] == variant]
        yield from tasks.diagnosis_items(moved, ontology, BENCHMARK_CLASS, task="out_of_distribution", variant=variant)
    yield from tasks.reasoning_items(held, ontology, BENCHMARK_CLASS)
    yield from tasks.fairness_items(held, ontology, BENCHMARK_CLASS)


def _row(item: Item) -> dict[str, Any]:
    return asdict(item) | {
        "options": list(item.options),
        "truth": json.dumps(item.truth, ensure_ascii=False, sort_keys=True),
    }


def read_items(lake: Lake) -> list[Item]:
    """The items of the lake's benchmark, sorted by id."""
    rows = lake.read("benchmark").to_pylist()
    return [Item(**{**row, "options": tuple(row["options"]), "truth": json.loads(row["truth"])}) for row in rows]


def benchmark_version(lake: Lake) -> str:
    """16 hex digits of the benchmark's content: scores of two versions are not compared."""
    return digest_rows(lake.read("benchmark"))[:16]


def counts(lake: Lake) -> dict[str, int]:
    """Items by task and variant, in the order of the tasks; a task without items is told with 0."""
    rows = lake.read("benchmark", columns=["task", "variant"]).to_pylist()
    found = Counter((row["task"], row["variant"]) for row in rows)
    empty = {(task, "none"): 0 for task in TASKS if task not in {name for name, _ in found}}
    order = {task: n for n, task in enumerate(TASKS)}
    ranked = sorted({**found, **empty}.items(), key=lambda entry: (order[entry[0][0]], entry[0][1]))
    return {f"{TASKS[task].number} {task} ({variant})": count for (task, variant), count in ranked}


def trained_on(lake: Lake) -> list[str]:
    """Training rows that show an image of the benchmark, its group or the same bytes, as `table image`."""
    items = lake.read("benchmark", columns=["image_id"]).column("image_id").combine_chunks().unique()
    groups = lake.read("groups", columns=["image_id", "group_id"])
    barred = groups.filter(pc.is_in(groups.column("image_id"), value_set=items)).column("group_id").combine_chunks()
    near = groups.filter(pc.is_in(groups.column("group_id"), value_set=barred)).column("image_id").combine_chunks()
    images = lake.read("images", columns=["image_id", "sha256"])
    bytes_of = images.filter(pc.is_in(images.column("image_id"), value_set=items)).column("sha256").combine_chunks()
    same = images.filter(pc.is_in(images.column("sha256"), value_set=bytes_of)).column("image_id").combine_chunks()
    kept_out = pa.concat_arrays([items, near, same])
    found = []
    for table in TRAINING:
        rows = lake.read(table, columns=["image_id", "split"])
        shown = pc.and_(pc.is_in(rows.column("image_id"), value_set=kept_out), pc.not_equal(rows.column("split"), "test"))
        found += [f"{table} {image_id}" for image_id in sorted(set(rows.filter(shown).column("image_id").to_pylist()))]
    return found
