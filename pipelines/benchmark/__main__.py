"""`python -m pipelines.benchmark`: build the benchmark of a lake, ask a model, score the baselines, print the leaderboard."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.benchmark.build import build, counts, read_items
from pipelines.benchmark.grade import grade
from pipelines.benchmark.leaderboard import WORDS, Busy, enter, enter_baselines, page, scored
from pipelines.benchmark.predict import predict
from pipelines.lake import Lake
from pipelines.teach.config import BadConfig, TeacherConfig, load_config
from pipelines.teach.engines import open_engine
from pipelines.teach.requests import EngineUnavailable
from prompts.benchmark.items import TASKS
from quality.benchmark.reading import by_words


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; exit status 1 when a model or judge cannot be asked, or there is nothing to ask; 2 for a wrong argument or file."""
    chosen = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    logging.getLogger("dermoforge").setLevel(logging.INFO)
    lake = Lake(chosen.lake)
    try:
        chosen.run(lake, chosen)
    except BadConfig as error:
        print(error, file=sys.stderr)
        return 2
    except (EngineUnavailable, Busy) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.benchmark",
        description="Eleven tasks on four axes over the test split: built from the lake, asked of any model, scored beside baselines.",
        epilog="Answers are kept in the lake's ledger: a run that was ended goes on where it stood, and nothing is asked twice. "
        "docs/benchmark.md explains tasks and scores.",
    )
    parser.add_argument(
        "--lake", default=os.environ.get("DERMOFORGE_LAKE") or "lake", help="default: DERMOFORGE_LAKE, or ./lake"
    )
    steps = parser.add_subparsers(required=True, metavar="STEP")
    steps.add_parser("build", help="make the items from the test split (the asset `benchmark` does the same)").set_defaults(
        run=_build
    )
    ask = steps.add_parser("predict", help="ask a model what it has not answered yet, score it, and put it on the leaderboard")
    ask.add_argument("--config", default="", metavar="FILE", help="who answers, like config/endpoint.toml")
    ask.add_argument("--url", default="", help="without a file: base URL of an OpenAI-compatible server, with /v1")
    ask.add_argument("--model", default="", help="the name that the server knows")
    ask.add_argument("--revision", default="unstated", help="of its weights: another one is another model (default: unstated)")
    ask.add_argument("--max-tokens", type=int, default=1024, help="of an answer, without a file (default: 1024)")
    ask.add_argument(
        "--judge", default="", metavar="FILE", help="a claims judge like --config (default: claims are read by words)"
    )
    ask.add_argument("--tasks", default="", help="only these, by name, comma-separated; scores are then shown and not kept")
    ask.set_defaults(run=_predict)
    steps.add_parser("baselines", help="score constant, random, majority and label prior").set_defaults(run=_baselines)
    show = steps.add_parser("leaderboard", help="print the leaderboard as markdown")
    show.add_argument("--out", default="", metavar="FILE", help="write it there instead")
    show.set_defaults(run=_leaderboard)
    return parser


def _build(lake: Lake, chosen: argparse.Namespace) -> None:
    build(lake)
    for what, count in counts(lake).items():
        print(f"{count:7,} {what}")


def _predict(lake: Lake, chosen: argparse.Namespace) -> None:
    tasks = {name for name in chosen.tasks.split(",") if name}
    if unknown := sorted(tasks - TASKS.keys()):
        raise BadConfig(f"no task is called {', '.join(unknown)}; there are {', '.join(TASKS)}")
    items = [item for item in read_items(lake) if not tasks or item.task in tasks]
    if not items:
        raise EngineUnavailable(f"no items in the benchmark of {lake.url}: build it first")
    engine = open_engine(lake, _config(chosen))
    done = predict(lake, items, engine)
    print(
        f"{done.asked:,} questions asked now, {done.cached:,} answered before, {done.failed:,} without an answer",
        file=sys.stderr,
    )
    judge, judged = WORDS, by_words(items, done.said)
    if chosen.judge:
        judging = open_engine(lake, load_config(chosen.judge))
        judge, judged = judging.teacher.name, grade(lake, items, done.said, judging, engine.teacher.name)
    rows = scored(items, done.said, judged) if tasks else enter(lake, engine.teacher, done.said, judged, judge)
    for row in rows:
        if row["headline"] and row["value"] is not None:
            print(f"{row['value']:6.1f}  {row['task']} ({row['variant']}), {row['unreadable']} of {row['items']} unreadable")


def _config(chosen: argparse.Namespace) -> TeacherConfig:
    if chosen.config:
        return load_config(chosen.config)
    if not chosen.url or not chosen.model:
        raise BadConfig("name the model to ask: --config FILE, or --url URL --model NAME")
    sampling = {"temperature": 0.0, "top_p": 1.0, "max_tokens": chosen.max_tokens}
    endpoint = {"urls": [chosen.url], "revision": chosen.revision}
    return TeacherConfig.model_validate(
        {"engine": "endpoint", "model": chosen.model, "sampling": sampling, "endpoint": endpoint}
    )


def _baselines(lake: Lake, chosen: argparse.Namespace) -> None:
    if not enter_baselines(lake):
        raise EngineUnavailable(f"no items in the benchmark of {lake.url}: build it first")
    print(page(lake), end="")


def _leaderboard(lake: Lake, chosen: argparse.Namespace) -> None:
    if chosen.out:
        Path(chosen.out).write_text(page(lake), encoding="utf-8")
    else:
        print(page(lake), end="")


if __name__ == "__main__":
    sys.exit(main())
