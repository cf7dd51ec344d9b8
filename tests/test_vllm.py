"""The real vLLM engine in a Ray actor, on a tiny random model: images in, schema-valid JSON out, noise rejected with reasons."""

import importlib.util
import json
import os
import signal
from collections import Counter
from pathlib import Path

import jsonschema
import pytest

from pipelines.lake import Lake
from pipelines.teach.engines import open_engine
from pipelines.teach.ledger import ask_missing
from pipelines.teach.stages import observe_request, reason_request, subjects
from pipelines.teach.vllm_engine import for_grammar
from prompts import schemas
from quality.checks import CHECKS

SPEC = importlib.util.spec_from_file_location("tiny_vlm", Path(__file__).with_name("tiny_vlm.py"))
assert SPEC and SPEC.loader
tiny_vlm = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tiny_vlm)

IMAGES = 24


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return str(tiny_vlm.write(tmp_path_factory.mktemp("tiny-vlm") / "model"))


@pytest.fixture(scope="module")
def taught(corpus, model):
    """A ledger of its own beside the corpus' images, and both stages asked for the first images."""
    lake = Lake(corpus.lake.url)
    engine = open_engine(lake, "vllm", model)
    people = subjects(lake, "phantom")[:IMAGES]
    observe = [observe_request(s) for s in people]
    seen = {"morphological_features_others": ["colour: pink"], "detailed_description": "Pink."}
    reason = [reason_request(s, seen) for s in people[:4]]
    done = ask_missing(lake, [*observe, *reason], engine.teacher, engine.ask, "test")
    yield lake, engine, observe, reason, done
    import ray

    ray.shutdown()


def rows(taught):
    lake, engine, observe, reason, _ = taught
    table = {row["request_key"]: row for row in lake.read("completions").to_pylist()}
    return [(request, table[request.key(engine.teacher)]) for request in [*observe, *reason]]


@pytest.mark.timeout(900)
def test_every_question_is_answered_in_the_schema(taught):
    assert taught[4].asked == IMAGES + 4
    complete = 0
    for request, row in rows(taught):
        assert row["failure"] is None
        if row["finish_reason"] == "stop":
            jsonschema.validate(json.loads(row["answer"], strict=False), for_grammar(request.schema))
            complete += 1
    assert complete >= IMAGES


def test_the_image_reached_the_model(taught):
    for _, row in rows(taught):
        assert row["image_tokens"] >= 4
        assert row["prompt_tokens"] > row["image_tokens"]
        assert row["answer_tokens"] > 0


def test_nothing_is_asked_again(taught):
    lake, engine, observe, reason, _ = taught
    again = ask_missing(lake, [*reason, *observe], engine.teacher, engine.ask, "test")
    assert (again.asked, again.cached) == (0, IMAGES + 4)


def test_other_weights_are_another_teacher(taught, tmp_path):
    lake, engine, observe, *_ = taught
    other = open_engine(lake, "vllm", str(tiny_vlm.write(tmp_path / "model", seed=1)))
    assert other.teacher.revision != engine.teacher.revision
    assert observe[0].key(other.teacher) != observe[0].key(engine.teacher)


@pytest.mark.timeout(900)
def test_a_killed_engine_is_started_again_and_answers_the_rest(taught):
    lake, engine, *_ = taught
    people = subjects(lake, "phantom")[40:110]
    requests = [observe_request(s) for s in people]
    killed, answered = [], []
    for batch in engine.ask(requests):
        answered += [request.image_id for request, _ in batch]
        if not killed:
            pids = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and b"VllmActor" in _title(p)]
            assert pids
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            killed += pids
    assert Counter(answered) == Counter(request.image_id for request in requests)


def _title(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.timeout(900)
def test_the_whole_job_with_a_teacher_of_noise_rejects_with_reasons(corpus, model, tmp_path):
    mine = type(corpus)(tmp_path)
    printed = mine.run(DERMOFORGE_TEACHER="vllm", DERMOFORGE_TEACHER_MODEL=model)
    status = Counter(row["status"] for row in mine.lake.read("trajectories").to_pylist())
    assert "accepted" not in status
    assert {row["check"] for row in mine.lake.read("rejects").to_pylist()} <= set(CHECKS)
    assert "nothing to release" in printed
    assert schemas.SKINCON_KEY in " ".join(row["answer"] or "" for row in mine.lake.read("completions").to_pylist())
