"""The table `leaderboard`: every measure of every model and baseline on one version of the benchmark, and its page."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipelines.benchmark.build import benchmark_version, read_items
from pipelines.benchmark.cases import prior, training
from pipelines.lake import Lake
from pipelines.tables import TABLES
from pipelines.teach.requests import Teacher
from prompts.benchmark.items import TASKS, Item
from prompts.ontology import load
from quality.benchmark import baselines
from quality.benchmark.baselines import BASELINES
from quality.benchmark.reading import by_words
from quality.benchmark.scores import Judged, score

WORDS = "words"
"""The judge that is none: claims are read by words."""

BASELINE = "baseline: "
Row = dict[str, Any]


class Busy(Exception):
    """Another process is writing the leaderboard; nothing was changed."""


def enter(lake: Lake, teacher: Teacher, said: Mapping[str, str | None], judged: Judged, judge: str) -> list[Row]:
    """Score a model's answers to all items and put them on the table, in the place of its earlier ones by this judge. Raises Busy."""
    named = {"model": teacher.name, "revision": teacher.revision, "judge": judge, "benchmark": benchmark_version(lake)}
    return _replace(lake, [named | row for row in scored(read_items(lake), said, judged)])


def enter_baselines(lake: Lake) -> list[Row]:
    """Score the four baselines; their priors come from the training images. Raises Busy."""
    items, known, version = read_items(lake), prior(training(lake)), benchmark_version(lake)
    rows = []
    for name in BASELINES:
        said = {item.item_id: baselines.answer(name, item, known) for item in items}
        named = {"model": BASELINE + name, "revision": "", "judge": WORDS, "benchmark": version}
        rows += [named | row for row in scored(items, said, by_words(items, said))]
    return _replace(lake, rows)


def scored(items: Sequence[Item], said: Mapping[str, str | None], judged: Judged) -> Iterator[Row]:
    """Every measure of every task and variant of these items."""
    cells: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        cells.setdefault((item.task, item.variant), []).append(item)
    for (task, variant), mine in sorted(cells.items()):
        for one in score(mine, said, load(), judged):
            found = {"measure": one.measure, "headline": one.headline, "value": one.value, "low": one.low, "high": one.high}
            yield {"task": task, "variant": variant, **found, "items": one.items, "unreadable": one.unreadable}


def _replace(lake: Lake, rows: Sequence[Row]) -> list[Row]:
    with lake.alone("leaderboard") as mine:
        if not mine:
            raise Busy(f"another process is writing the leaderboard of {lake.url}: try again")
        whose = {_entry(row) for row in rows}
        kept = [row for row in lake.read("leaderboard").to_pylist() if _entry(row) not in whose]
        lake.replace("leaderboard", pa.Table.from_pylist([*kept, *rows], schema=TABLES["leaderboard"].schema))
    return list(rows)


def _entry(row: Row) -> tuple[str, ...]:
    return row["model"], row["revision"], row["judge"], row["benchmark"]


def page(lake: Lake) -> str:
    """The leaderboard of the benchmark as it is now, as markdown: headlines, what they are above guessing, and every measure."""
    version = benchmark_version(lake)
    rows = [row for row in lake.read("leaderboard").to_pylist() if row["benchmark"] == version]
    if not rows:
        return f"Nothing has been scored on benchmark {version}.\n"
    models = sorted({_entry(row) for row in rows}, key=lambda entry: (entry[0].startswith(BASELINE), entry))
    headlines = {(_entry(row), row["task"], row["variant"]): row for row in rows if row["headline"]}
    cells = sorted({key[1:] for key in headlines}, key=lambda cell: (list(TASKS).index(cell[0]), cell[1]))
    parts = [
        f"# Leaderboard of benchmark {version}",
        "Scores from 0 to 100 with intervals of 95 % (bootstrap over groups of images). An answer that cannot be read is wrong.",
        _table(cells, models, lambda entry, cell: _shown(headlines.get((entry, *cell)))),
        "## Above guessing",
        "The share of the way from the best baseline to 100; 0 or less: no better than knowing nothing of the picture.",
        _table(cells, [e for e in models if not e[0].startswith(BASELINE)], lambda e, cell: _above(headlines, e, cell)),
        "## Every measure",
        _measures(rows),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(cells: Sequence[tuple[str, str]], models: Sequence[tuple[str, ...]], shown: Any) -> str:
    if not models:
        return ""
    head = ["task", "variant", *(_name(entry) for entry in models)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for task, variant in cells:
        row = [f"{TASKS[task].number} {task}", variant, *(shown(entry, (task, variant)) for entry in models)]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def _name(entry: tuple[str, ...]) -> str:
    model, revision, judge, _ = entry
    told = [text for text in (revision, "" if judge == WORDS else f"judge {judge}") if text]
    return f"{model} ({', '.join(told)})" if told else model


def _shown(row: Row | None) -> str:
    if row is None or row["value"] is None:
        return "not scored"
    return f"{row['value']:.1f} [{row['low']:.1f}, {row['high']:.1f}]"


def _above(headlines: Mapping[tuple[Any, str, str], Row], entry: tuple[str, ...], cell: tuple[str, str]) -> str:
    mine = headlines.get((entry, *cell))
    guesses = [row["value"] for (who, *where), row in headlines.items() if who[0].startswith(BASELINE) and tuple(where) == cell]
    best = max((value for value in guesses if value is not None), default=None)
    if mine is None or mine["value"] is None or best is None or best >= 100:
        return "not scored"
    return f"{(mine['value'] - best) / (100 - best):+.2f}"


def _measures(rows: Sequence[Row]) -> str:
    head = "| model | task | variant | measure | value | items | unreadable |\n" + "|---" * 7 + "|"
    order = sorted(
        rows, key=lambda row: (_entry(row), list(TASKS).index(row["task"]), row["variant"], not row["headline"], row["measure"])
    )
    lines = [
        f"| {_name(_entry(row))} | {row['task']} | {row['variant']} | {row['measure']} | {_shown(row)} | {row['items']} | {row['unreadable']} |"
        for row in order
    ]
    return "\n".join([head, *lines])
