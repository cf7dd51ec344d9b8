"""The real vLLM engine in Ray actors, on a tiny random model: images in, schema-valid JSON out, and whoever is killed, nothing twice."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import jsonschema
import psutil
import pytest
from transformers import AutoProcessor

from pipelines.ingest import ingest
from pipelines.lake import Lake
from pipelines.teach.config import TeacherConfig
from pipelines.teach.engines import open_engine
from pipelines.teach.pictures import tokens_of
from pipelines.teach.serve import healthy
from pipelines.teach.teach import ask_missing
from pipelines.teach.vllm_engine import for_grammar
from prompts import schemas
from quality.checks import CHECKS
from tests import teach_driver
from tests.conftest import ROOT

SPEC = importlib.util.spec_from_file_location("tiny_vlm", Path(__file__).with_name("tiny_vlm.py"))
assert SPEC and SPEC.loader
tiny_vlm = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tiny_vlm)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return str(tiny_vlm.write(tmp_path_factory.mktemp("tiny-vlm") / "model"))


@pytest.fixture(scope="module")
def photographs(real_data, tmp_path_factory) -> Callable[[], Lake]:
    """Lakes with real photographs and an empty ledger, one at every call."""
    home = tmp_path_factory.mktemp("photographs")
    ingest(Lake(str(home / "lake")), "pad_ufes_20", mirror=str(real_data / "mirror"), cache=str(home / "cache"))

    def another() -> Lake:
        import shutil

        folder = tmp_path_factory.mktemp("copy") / "lake"
        shutil.copytree(home / "lake", folder)
        return Lake(str(folder))

    return another


@pytest.fixture(scope="module")
def undisturbed(photographs, model):
    """Both stages asked about 200 photographs in one go."""
    lake = photographs()
    engine = open_engine(lake, teach_driver.config(model))
    done = ask_missing(lake, teach_driver.questions(lake), engine, "test")
    yield lake, engine, done
    import ray

    ray.shutdown()


def rows(lake: Lake) -> dict[str, dict]:
    found = lake.read("completions").to_pylist()
    assert len({row["request_key"] for row in found}) == len(found)
    return {row["request_key"]: row for row in found}


@pytest.mark.timeout(900)
def test_every_question_about_real_photographs_is_answered_or_has_a_reason(undisturbed):
    lake, engine, done = undisturbed
    asked = {q.key(engine.teacher): q for q in teach_driver.questions(lake)}
    found = rows(lake)
    assert set(found) == set(asked) and len(asked) == done.asked == 2 * teach_driver.IMAGES
    assert all((row["answer"] is None) == (row["failure"] is not None) for row in found.values())
    assert not done.failed
    for key, row in found.items():
        if row["finish_reason"] == "stop":
            jsonschema.validate(json.loads(row["answer"], strict=False), for_grammar(asked[key].schema))


def test_every_call_held_the_image_tokens_that_its_picture_must_give(undisturbed, model):
    lake, *_ = undisturbed
    processor = AutoProcessor.from_pretrained(model)
    size = {row["image_id"]: (row["height"], row["width"]) for row in lake.read("images").to_pylist()}
    for row in rows(lake).values():
        assert row["image_tokens"] == tokens_of(processor, size[row["image_id"]]) > 0
        assert row["prompt_tokens"] > row["image_tokens"] and row["answer_tokens"] > 0


def test_nothing_is_asked_again_and_a_renamed_source_costs_nothing(undisturbed):
    from dataclasses import replace

    lake, engine, done = undisturbed
    renamed = [replace(q, image_id=f"renamed:{q.image_id}") for q in reversed(teach_driver.questions(lake))]
    again = ask_missing(lake, renamed, engine, "test")
    assert (again.asked, again.cached) == (0, done.asked)


def test_other_weights_are_another_teacher(undisturbed, tmp_path):
    lake, engine, _ = undisturbed
    other = open_engine(lake, teach_driver.config(str(tiny_vlm.write(tmp_path / "model", seed=1))))
    question = teach_driver.questions(lake)[0]
    assert question.key(other.teacher) != question.key(engine.teacher)


@pytest.mark.timeout(1500)
def test_killed_engines_and_a_killed_driver_lose_only_what_was_in_flight(undisturbed, photographs, model, tmp_path):
    calm, lake, calls = undisturbed[0], photographs(), tmp_path / "calls"
    first = _driver(lake, model, calls)
    _kill("VLLM::EngineCore", lake, answers=40)
    _wait_for(lake, answers=120)
    first.kill()
    first.communicate()
    second = _driver(lake, model, calls)
    _kill("ray::VllmActor", lake, answers=160)
    _kill("VLLM::EngineCore", lake, answers=240)
    printed, told = second.communicate(timeout=900)
    assert second.returncode == 0, told[-3000:]
    *_, failed, restarts = map(int, printed.splitlines()[-1].split())
    assert (failed, restarts) == (0, 2)
    same = {key: row["answer"] for key, row in rows(calm).items()}
    assert {key: row["answer"] for key, row in rows(lake).items()} == same
    # Four deaths.
    assert len(same) <= len(calls.read_text().split()) <= len(same) + 4 * teach_driver.IN_FLIGHT
    assert not _processes("VLLM::EngineCore")


def _driver(lake: Lake, model: str, calls: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.teach_driver", lake.url, model, str(calls)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _kill(title: str, lake: Lake, *, answers: int) -> None:
    """SIGKILL for the engine's processes once so many answers are committed."""
    _wait_for(lake, answers=answers)
    found = _processes(title)
    assert found
    for process in found:
        process.send_signal(signal.SIGKILL)


def _processes(title: str) -> list[psutil.Process]:
    mine = [p for p in psutil.process_iter(["cmdline"]) if title in " ".join(p.info["cmdline"] or ())]
    return [p for p in mine if p.pid != os.getpid()]


def _wait_for(lake: Lake, *, answers: int) -> None:
    limit = time.monotonic() + 600
    while lake.read("completions", columns=["request_key"]).num_rows < answers:
        assert time.monotonic() < limit, "the driver makes no progress"
        time.sleep(0.25)


@pytest.mark.timeout(900)
def test_the_whole_job_with_a_teacher_of_noise_rejects_with_reasons(corpus, model, tmp_path):
    file = tmp_path / "teacher.toml"
    file.write_text(f'engine = "vllm"\nmodel = "{model}"\n[sampling]\nmax_tokens = 96\n')
    mine = type(corpus)(tmp_path)
    printed = mine.run(DERMOFORGE_TEACHER_FILE=str(file))
    status = Counter(row["status"] for row in mine.lake.read("trajectories").to_pylist())
    assert "accepted" not in status
    reasons = {row["check"] for row in mine.lake.read("rejects").to_pylist()}
    assert reasons <= {*CHECKS, "truncated"} and "truncated" in reasons
    assert "nothing to release" in printed
    answers = mine.lake.read("completions").to_pylist()
    assert schemas.SKINCON_KEY in " ".join(row["answer"] or "" for row in answers)
    assert {row["attempt"] for row in answers} == {0, 1}


@pytest.mark.timeout(900)
def test_a_served_teacher_is_asked_over_http_and_started_again_when_it_dies(photographs, model, tmp_path):
    log = (tmp_path / "log").open("w+")
    port = _free_port()
    command = [sys.executable, "-m", "pipelines.teach.serve", model, "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        _wait_until(lambda: healthy(port) or server.poll() is not None)
        lake = photographs()
        endpoint = {"urls": [f"http://127.0.0.1:{port}/v1"], "processor": model}
        chosen = {"engine": "endpoint", "model": "teacher", "endpoint": endpoint, "sampling": {"max_tokens": 64}}
        engine = open_engine(lake, TeacherConfig.model_validate(chosen))
        asked = teach_driver.questions(lake)[:16]
        done = ask_missing(lake, asked, engine, "test")
        assert (done.asked, done.failed) == (16, 0), log.name
        size = {row["image_id"]: (row["height"], row["width"]) for row in lake.read("images").to_pylist()}
        processor = AutoProcessor.from_pretrained(model)
        assert all(row["image_tokens"] == tokens_of(processor, size[row["image_id"]]) for row in rows(lake).values())
        for process in _processes("vllm.entrypoints.openai.api_server"):
            process.send_signal(signal.SIGKILL)
        _wait_until(lambda: "starting it again" in Path(log.name).read_text())
        assert not _processes("VLLM::EngineCore")
    finally:
        server.terminate()
        server.wait(timeout=60)
    assert not _processes("vllm.entrypoints.openai.api_server")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _wait_until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + 600
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.5)


@pytest.mark.timeout(900)
def test_the_benchmark_runs_end_to_end_on_a_served_model(corpus, model, tmp_path, capsys):
    import shutil

    from pipelines.benchmark.__main__ import main
    from pipelines.benchmark.build import read_items
    from prompts.benchmark.items import TASKS

    port, log = _free_port(), (tmp_path / "log").open("w+")
    command = [sys.executable, "-m", "pipelines.teach.serve", model, "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    lake = Lake(str(shutil.copytree(corpus.home / "lake", tmp_path / "lake")))
    try:
        _wait_until(lambda: healthy(port) or server.poll() is not None)
        asked = ["predict", "--url", f"http://127.0.0.1:{port}/v1", "--model", "teacher", "--max-tokens", "16"]
        assert main(["--lake", lake.url, *asked]) == 0, log.name
        assert main(["--lake", lake.url, *asked]) == 0
    finally:
        server.terminate()
        server.wait(timeout=60)
    assert "0 questions asked now" in capsys.readouterr().err
    answers = [row for row in lake.read("completions").to_pylist() if row["stage"] == "predict"]
    assert len(answers) == len({(item.image_id, item.question) for item in read_items(lake)})
    assert all(row["answer"] is not None and row["prompt_tokens"] > 100 for row in answers)
    rows = [row for row in lake.read("leaderboard").to_pylist() if row["model"] == "endpoint:teacher" and row["headline"]]
    assert {row["task"] for row in rows} == set(TASKS)
    # Noise: where an option can be read at all, it is a guess.
    assert all(row["value"] is None or row["value"] < 50 for row in rows)
    main(["--lake", lake.url, "leaderboard"])
    assert "| 2.1 diagnosis_4 | standard |" in capsys.readouterr().out
