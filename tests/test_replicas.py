"""The pool of engines with actors that die, hang and refuse to start: real Ray, real processes, no model."""

import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.teach.replicas import HEARTBEAT_SECONDS, Limits, Pool
from pipelines.teach.requests import EngineUnavailable, Request
from pipelines.workers import start_ray

POISON, STUCK = "poison", "stuck"


class Fragile:
    """Answers with its prompt; a poison prompt kills its process, a stuck one never ends."""

    def __init__(self, fault: str = "") -> None:
        if fault:
            raise RuntimeError(fault)

    async def ready(self) -> int:
        return os.getpid()

    async def answer(self, prompts: list[str]) -> tuple[list[dict], float]:
        import asyncio

        if POISON in prompts:
            os._exit(1)
        await asyncio.sleep(3600 if STUCK in prompts else 0.05)
        return [{"text": prompt, "finish_reason": "stop"} for prompt in prompts], 0.0


def pool(fault: str = "", **changes) -> Pool:
    import ray

    start_ray()
    actor: Any = ray.remote(Fragile)

    def start():
        handle = actor.options(num_cpus=0).remote(fault)
        return handle, handle.ready.remote()

    limits = {
        "replicas": 2,
        "gpus": 0,
        "chunk": 4,
        "in_flight": 3,
        "restarts": 3,
        "start_seconds": 60.0,
        "answer_seconds": 60.0,
    }
    return Pool(start, Limits(**{**limits, **changes}))


def send(actor, requests):
    return actor.answer.remote([request.prompt for request in requests])


def asked(prompts: list[str]) -> Callable[[int], list[Request]]:
    left = [
        Request(stage="observe", image_id=f"s:{n}", image_sha256="", kind="clinical", prompt=prompt, facts={}, schema={})
        for n, prompt in enumerate(prompts)
    ]

    def take(most: int) -> list[Request]:
        some = left[:most]
        del left[:most]
        return some

    return take


def answers(engines: Pool, prompts: list[str]) -> list[tuple[str, str | None, str | None]]:
    try:
        return [(r.prompt, a.text, a.failure) for batch in engines.ask(asked(prompts), send) for r, a in batch]
    finally:
        engines.close()


@pytest.fixture(scope="module", autouse=True)
def _ray():
    yield
    import ray

    ray.shutdown()


def test_every_question_is_answered_once_and_engines_stay_up_for_the_next():
    engines, prompts = pool(), [f"p{n}" for n in range(101)]
    for _ in range(2):
        got = [(r.prompt, a.text) for batch in engines.ask(asked(prompts), send) for r, a in batch]
        assert Counter(got) == Counter(zip(prompts, prompts, strict=True))
    assert engines.status().restarts == 0 and engines.status().replicas == 2
    engines.close()


def test_a_question_that_kills_engines_is_given_up_and_the_others_are_answered():
    prompts = [f"p{n}" for n in range(60)]
    prompts[7] = prompts[40] = POISON
    engines = pool()
    got = answers(engines, prompts)
    assert Counter(prompt for prompt, *_ in got) == Counter(prompts)
    assert all(failure == "engine_died" for prompt, _, failure in got if prompt == POISON)
    assert all(text == prompt and failure is None for prompt, text, failure in got if prompt != POISON)
    assert engines.status().restarts >= 3


def test_a_silent_engine_is_ended_and_its_questions_go_elsewhere():
    got = answers(pool(answer_seconds=2.0), [*(f"p{n}" for n in range(20)), STUCK])
    assert Counter(failure for _, _, failure in got) == {None: 20, "engine_died": 1}


def test_an_engine_that_cannot_start_ends_the_run_with_its_words():
    with pytest.raises(EngineUnavailable, match="no such weights"):
        answers(pool("no such weights"), ["p"])


def test_engines_that_only_die_end_the_run():
    with pytest.raises(EngineUnavailable, match="died 3 times without an answer"):
        answers(pool(restarts=2, replicas=1), [POISON] * 40)


def test_whoever_asks_hears_something_every_second_and_may_leave():
    engines = pool(replicas=1)
    going = engines.ask(asked([STUCK]), send)
    begun = time.monotonic()
    heard = [next(going) for _ in range(4)]
    assert heard == [[]] * 4 and time.monotonic() - begun < 30 + 4 * HEARTBEAT_SECONDS
    going.close()
    got = [a.text for batch in engines.ask(asked(["after"]), send) for _, a in batch]
    assert got == ["after"]
    engines.close()
