"""The teacher: our pipeline against the same engine driven bare, what the ledger costs an answer, and the driver's memory.

`python -m benchmarks.teacher [--quick]` prints the numbers; the full run writes benchmarks/results/teacher.json. The engine is real, the model
is tiny and random (`tests/tiny_vlm.py`): with a model that small, whatever the pipeline costs shows. Both are timed from the stored
pictures to the last answer, engines up and warm, the median of six rounds with other seeds. Bare and ours take turns (bare, ours, ours,
bare), as the speed of a shared machine drifts over minutes; both keep what vLLM caches from round to round. --quick leaves the engines out, whose start alone takes a minute.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.peak import peak_mib
from pipelines.lake import Lake
from pipelines.tables import TABLES
from pipelines.teach.config import TeacherConfig
from pipelines.teach.requests import Answer, Answered, Engine, Request, Take, Teacher
from prompts.schemas import observation_schema
from prompts.stages import observe_prompt

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("DERMOFORGE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
RESULTS = REPOSITORY / "benchmarks" / "results" / "teacher.json"
QUESTIONS = 500
WARM = 16
ROUNDS = 3
"""Rounds of a turn; each engine has two turns, and every round its own seeds."""

TOKENS = 256
SIZES = {"quick": ((10_000,), (100, 400)), "full": ((100_000, 1_000_000), (1_000, 20_000))}
"""Answers in the ledger, and requests of a driver."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, no engines")
    which = "quick" if parser.parse_args().quick else "full"
    answers, requests = SIZES[which]
    rows: list[dict[str, Any]] = []
    ratios: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        lake = photographs(home)
        if which == "full":
            subprocess.run(
                [sys.executable, REPOSITORY / "tests" / "tiny_vlm.py", home / "model"], check=True, stdout=sys.stderr
            )
            bare, ours = engines(lake, str(home / "model"))
            rows += [bare, ours]
            ratios["teacher_vs_bare_engine"] = ours["a second"] / bare["a second"]
        costs = [row for count in answers for row in apart(ledger, str(home / f"ledger-{count}"), count)]
        ratios["ledger_ms_per_answer"] = max(row["ms each"] for row in costs)
        memory = [row for count in requests for row in driver_rows(lake, str(home), count)]
        ratios["driver_memory_growth"] = memory[-1]["peak MiB"] / memory[0]["peak MiB"]
        rows += costs + memory
    show(rows, ratios)
    if which == "full":
        RESULTS.write_text(json.dumps({"rows": rows, "ratios": ratios}, indent=1) + "\n")


def engines(lake: str, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows of the bare engine and of our pipeline, which take turns."""
    found: dict[Callable[..., None], list[dict[str, Any]]] = {bare_engine: [], pipeline: []}
    for run, first in ((bare_engine, 0), (pipeline, 0), (pipeline, ROUNDS), (bare_engine, ROUNDS)):
        found[run] += apart(run, lake, model, QUESTIONS, first)
    bare, ours = (turns[0] | timed(QUESTIONS, [s for t in turns for s in t["rounds"]]) for turns in found.values())
    return bare, ours


def show(rows: list[dict[str, Any]], ratios: dict[str, float]) -> None:
    """The table, then a line for each claim."""
    columns = ("seconds", "a second", "ms each", "peak MiB", "idle seconds")
    print(f"{'what':40} {'count':>10}" + "".join(f"{name:>14}" for name in columns))
    for row in rows:
        cells = "".join(f"{row[name]:14,.2f}" if name in row else f"{'':>14}" for name in columns)
        print(f"{row['what']:40} {row['count']:10,}{cells}")
    for key, value in ratios.items():
        print(f"RATIO {key} {value:.3f}")


def apart(function: Callable[..., None], *arguments: Any) -> list[dict[str, Any]]:
    """Rows that a process of its own measures."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=function, args=(*arguments, there))
    process.start()
    there.close()
    rows = here.recv()
    process.join()
    return rows


def row_of(what: str, count: int, rounds: list[float], **more: float) -> dict[str, Any]:
    """One row of the table, of the seconds of each round, with the peak memory of this process."""
    return {"what": what, "count": count, **timed(count, rounds), "peak MiB": peak_mib(), **more}


def timed(count: int, rounds: list[float]) -> dict[str, Any]:
    """The columns of time, of the median round."""
    seconds = statistics.median(rounds)
    times = {"seconds": round(seconds, 2), "a second": round(count / seconds, 1), "ms each": round(1000 * seconds / count, 4)}
    return times if len(rounds) == 1 else {**times, "rounds": [round(one, 2) for one in rounds]}


def ledger(folder: str, count: int, out: Any) -> None:
    """Write and find again `count` answers of 1.2 kB: keys, commits and look-ups of the real ledger, no teacher."""
    from pipelines.teach.account import Account
    from pipelines.teach.flow import Listed
    from pipelines.teach.teach import run

    lake, rows = Lake(folder), []
    engine = Engine(Teacher(name="none", revision="0", reads="pixels", sampling={"temperature": 0.2}), instant)
    for what in ("ledger: ask and keep", "ledger: find again"):
        start = time.perf_counter()
        done = run(lake, map(Listed, simulated(count)), engine, Account(what, count, 0.0))
        rows.append(row_of(what, count, [time.perf_counter() - start]))
        assert (done.asked, done.cached) == ((count, 0) if "keep" in what else (0, count))
    out.send(rows)


def simulated(count: int) -> Iterator[Request]:
    """Questions about `count` images, in their order."""
    prompt, schema = observe_prompt("dermoscopic"), observation_schema("dermoscopic")
    common: dict[str, Any] = {"stage": "observe", "kind": "dermoscopic", "prompt": prompt, "facts": {}, "schema": schema}
    return (Request(image_id=f"s:{n:07}", image_sha256=f"{n:064x}", **common) for n in range(count))


def instant(take: Take) -> Generator[Answered]:
    """Answers without a teacher."""
    while requests := take(64):
        # As long as an observation, and as hard to compress.
        texts = [hashlib.shake_256(request.image_sha256.encode()).hexdigest(600) for request in requests]
        counts = {"finish_reason": "stop", "prompt_tokens": 900, "image_tokens": 64, "answer_tokens": 250}
        yield [(request, Answer(text=text, **counts)) for request, text in zip(requests, texts, strict=True)]


def photographs(home: Path) -> str:
    """A lake with 257 real photographs."""
    from pipelines.ingest import ingest

    ingest(Lake(str(home / "lake")), "pad_ufes_20", mirror=str(DATA / "mirror"), cache=str(home / "cache"))
    return str(home / "lake")


def driver_rows(base: str, home: str, count: int) -> list[dict[str, Any]]:
    """The driver's row; its lake is made elsewhere, as making it takes memory too."""
    lake = f"{home}/lake-{count}"
    apart(enlarge, base, lake, count // 2)
    return apart(driver, lake, count)


def driver(lake_url: str, count: int, out: Any) -> None:
    """Memory of the driver through `count` requests, both stages, to a local server over HTTP."""
    from pipelines.teach.engines import open_engine
    from pipelines.teach.teach import teach

    port = 18000 + os.getpid() % 1000
    server = subprocess.Popen([sys.executable, str(REPOSITORY / "tests" / "chat_server.py"), str(port)])
    try:
        lake = Lake(lake_url)
        config = TeacherConfig.model_validate(
            {"engine": "endpoint", "model": "teacher", "attempts": 1, "endpoint": {"urls": [f"http://127.0.0.1:{port}/v1"]}}
        )
        time.sleep(2)
        start = time.perf_counter()
        done = teach(lake, "pad_ufes_20", open_engine(lake, config), config)
        assert done.asked == count, done
        out.send([row_of("driver, requests over HTTP", count, [time.perf_counter() - start])])
    finally:
        server.kill()


def enlarge(base_url: str, url: str, count: int, out: Any) -> None:
    """Make a lake that says of `count` images that they are the base's photographs over and over."""
    base, lake = Lake(base_url), Lake(url)
    rows = base.read("images").to_pylist()
    for pack in {row["pack"] for row in rows}:
        Path(url, pack).parent.mkdir(parents=True, exist_ok=True)
        os.link(Path(base.url, pack), Path(url, pack))
    images = [
        {**rows[n % len(rows)], "image_id": f"pad_ufes_20:{n}", "sha256": f"{n * 2654435761 % 2**64:064x}"}
        for n in range(count)
    ]
    put(lake, "images", images)
    common = {"source": "pad_ufes_20", "status": "unique", "split": "train", "node": "nevus"}
    for table in ("groups", "diagnoses"):
        empty = dict.fromkeys(TABLES[table].schema.names)
        put(
            lake,
            table,
            [{**empty, **{k: v for k, v in common.items() if k in empty}, "image_id": i["image_id"]} for i in images],
        )
    out.send([])


def put(lake: Lake, table: str, rows: list[dict[str, Any]]) -> None:
    """Make rows a table."""
    lake.replace(table, pa.Table.from_pylist(rows, schema=TABLES[table].schema))


def questions(lake: Lake, count: int) -> list[Request]:
    """Both stages about real photographs; the second about an observation that is given, as noise writes none that passes."""
    from pipelines.teach.stages import observe_request, reason_request
    from pipelines.teach.subjects import Subject

    seen = {"morphological_features_others": ["colour: pink"], "detailed_description": "Pink."}
    rows = lake.read("images", columns=["image_id", "sha256"]).to_pylist()
    people = [Subject(row["image_id"], row["sha256"], "clinical", "melanoma", {}, ()) for row in rows]
    return [request for s in people for request in (observe_request(s), reason_request(s, seen))][:count]


def engine_config(model: str) -> TeacherConfig:
    """What both engines are started with."""
    return TeacherConfig.model_validate({"engine": "vllm", "model": model, "sampling": {"max_tokens": TOKENS}})


def bare_engine(lake_url: str, model: str, count: int, first: int, out: Any) -> None:
    """`vllm.LLM.chat` on the same prompts, pictures, seeds and schemas, all at once."""
    from pipelines.teach.pictures import Packs, prepare
    from pipelines.teach.vllm_actor import chat_of, engine_arguments, parameters_of
    from pipelines.teach.vllm_engine import ENVIRONMENT, sampling_of

    os.environ.update(ENVIRONMENT)
    from vllm import LLM

    config, lake = engine_config(model), Lake(lake_url)
    teacher = Teacher(name="bare", revision="0", reads="pixels", sampling=config.decides())
    asked = questions(lake, count)
    packs, options = Packs(lake), config.vllm

    def ask(some: list[Request]) -> Any:
        pictures = prepare(packs.job(some, config.max_pixels, encoded=False))
        chats = [chat_of(request.prompt, picture) for request, picture in zip(some, pictures, strict=True)]
        return llm.chat(chats, [parameters_of(sampling_of(request, teacher)) for request in some], use_tqdm=False)  # type: ignore[arg-type]

    llm = LLM(**engine_arguments(model, options.max_model_len, options.max_num_seqs, 1, {}, gpu=False))
    ask(asked[-WARM:])
    times, answers = [], []
    for sample in range(first, first + ROUNDS):
        some = [replace(request, sample=sample) for request in asked]
        start = time.perf_counter()
        answers = ask(some)
        times.append(time.perf_counter() - start)
    tokens = sum(len(answer.outputs[0].token_ids) for answer in answers)
    out.send([row_of("bare engine", count, times, tokens=tokens)])


def pipeline(lake_url: str, model: str, count: int, first: int, out: Any) -> None:
    """Our pipeline, from the questions to the committed ledger."""
    from pipelines.teach.engines import open_engine
    from pipelines.teach.teach import ask_missing

    lake = Lake(lake_url)
    engine, asked = open_engine(lake, engine_config(model)), questions(lake, count)
    ask_missing(lake, [replace(request, sample=-1 - first) for request in asked[-WARM:]], engine, "warm")
    times, idle = [], engine.status().idle_seconds
    for sample in range(first, first + ROUNDS):
        start = time.perf_counter()
        done = ask_missing(lake, [replace(request, sample=sample) for request in asked], engine, "benchmark")
        times.append(time.perf_counter() - start)
        assert (done.asked, done.failed) == (count, 0), done
    tokens = sum(row["answer_tokens"] for row in lake.read("completions").to_pylist() if row["sample"] == first + ROUNDS - 1)
    spent = {"idle seconds": round((engine.status().idle_seconds - idle) / ROUNDS, 2), "tokens": tokens}
    out.send([row_of("our pipeline", count, times, **spent)])


if __name__ == "__main__":
    main()
