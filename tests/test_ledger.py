"""The ledger: an answer is asked for once, whatever the order, batch size, folder name or crash; a changed question is new."""

import multiprocessing
import os
import signal
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.lake import Lake
from pipelines.teach.config import BadConfig, TeacherConfig, load_config
from pipelines.teach.engines import compose, compose_all, open_engine
from pipelines.teach.ledger import COMMIT_ROWS, Ledger
from pipelines.teach.requests import Answered, Engine, EngineUnavailable, Request, Take, Teacher
from pipelines.teach.teach import ask_missing
from prompts.schemas import observation_schema

MEASURED = ["colour: light brown", "number of colours: one", "outline: smooth"]


def question(n: int, **changes) -> Request:
    request = Request(
        stage="observe",
        image_id=f"s:{n}",
        image_sha256=f"{n:064d}",
        kind="dermoscopic",
        prompt="Describe.",
        facts={"kind": "dermoscopic", "expert_concepts": {}, "measured": MEASURED},
        schema=observation_schema("dermoscopic"),
    )
    return replace(request, **changes)


class Counted:
    """The real composer, with a count of the questions that reached it."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.calls, self.stop_after = 0, stop_after

    def __call__(self, take: Take) -> Generator[Answered]:
        for batch in compose_all(take):
            if self.stop_after is not None and self.calls >= self.stop_after:
                raise KeyboardInterrupt
            self.calls += len(batch)
            yield batch


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(str(tmp_path))


@pytest.fixture
def teacher(lake) -> Teacher:
    return open_engine(lake, TeacherConfig()).teacher


def test_nothing_is_asked_twice(lake, teacher):
    ask = Counted()
    first = ask_missing(lake, [question(n) for n in range(10)], Engine(teacher, ask), "t")
    second = ask_missing(lake, [question(n) for n in reversed(range(12))], Engine(teacher, ask), "t")
    assert (first.asked, second.asked, second.cached) == (10, 2, 10)
    assert ask.calls == 12
    keys = lake.read("completions").column("request_key").to_pylist()
    assert len(keys) == len(set(keys)) == 12


def test_another_name_for_the_same_picture_costs_nothing(lake, teacher):
    ask = Counted()
    ask_missing(lake, [question(1)], Engine(teacher, ask), "t")
    ask_missing(lake, [question(1, image_id="renamed:1"), question(1, image_id="copy:1")], Engine(teacher, ask), "t")
    assert ask.calls == 1


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "reason", "facts": {"node": "x"}},
        {"image_sha256": "f" * 64},
        {"facts": {"kind": "dermoscopic", "expert_concepts": {}, "measured": MEASURED[:1]}},
        {"schema": observation_schema("clinical")},
        {"attempt": 1},
    ],
)
def test_everything_that_can_change_the_answer_changes_the_key(teacher, change):
    assert question(1).key(teacher) != question(1, **change).key(teacher)


@pytest.mark.parametrize("change", [{"name": "other"}, {"revision": "2"}, {"sampling": {"temperature": 1.0}}])
def test_another_teacher_is_asked_again(teacher, change):
    assert question(1).key(teacher) != question(1).key(replace(teacher, **change))


def test_a_teacher_of_pixels_is_keyed_by_its_prompt_and_not_by_facts(teacher):
    sees = replace(teacher, reads="pixels")
    assert question(1).key(sees) == question(1, facts={}).key(sees)
    assert question(1).key(sees) != question(1, prompt="Other.").key(sees)


def test_answers_before_a_crash_are_kept(lake, teacher):
    questions = [question(n) for n in range(3 * COMMIT_ROWS)]
    with pytest.raises(KeyboardInterrupt):
        ask_missing(lake, questions, Engine(teacher, Counted(stop_after=2 * COMMIT_ROWS)), "t")
    kept = lake.read("completions").num_rows
    assert kept == 2 * COMMIT_ROWS
    rest = Counted()
    ask_missing(lake, questions, Engine(teacher, rest), "t")
    assert rest.calls == 3 * COMMIT_ROWS - kept
    assert len(Ledger(lake, teacher).find((q.key(teacher), q) for q in questions)) == len(questions)


def test_a_picture_about_which_nothing_can_be_said_is_a_failure_row_and_not_asked_again(lake, teacher):
    mute = question(1, facts={"kind": "dermoscopic", "expert_concepts": {}, "measured": []})
    ask = Counted()
    assert ask_missing(lake, [mute], Engine(teacher, ask), "t").failed == 1
    assert ask_missing(lake, [mute], Engine(teacher, ask), "t").cached == 1
    assert lake.read("completions").column("failure").to_pylist() == ["nothing_to_say"]


def test_the_seed_comes_from_the_content(teacher):
    assert question(1).seed(teacher) == question(1, image_id="elsewhere:9").seed(teacher)
    assert question(1).seed(teacher) != question(2).seed(teacher)


def test_unknown_engines_and_missing_models_are_named(lake):
    with pytest.raises(BadConfig, match="'composer', 'vllm' or 'endpoint'"):
        load_config(engine="gpt")
    with pytest.raises(BadConfig, match="DERMOFORGE_TEACHER_MODEL"):
        load_config(engine="vllm")
    with pytest.raises(EngineUnavailable, match="no/such-model"):
        open_engine(lake, load_config(engine="vllm", model="no/such-model"))


def test_an_answer_that_came_back_outlives_a_killed_writer(lake, teacher):
    _run_and_kill(lake, committed=3, noted=5)
    assert lake.read("completions").num_rows == 3
    asked = [(question(n).key(teacher), question(n)) for n in range(8)]
    assert len(Ledger(lake, teacher).find(asked)) == 8
    assert lake.read("completions").num_rows == 8
    assert not list((Path(lake.url) / "journal").iterdir())


def test_answers_that_were_committed_just_before_the_kill_are_not_doubled(lake, teacher):
    _run_and_kill(lake, committed=0, noted=4)
    (journal,) = (Path(lake.url) / "journal").iterdir()
    left = journal.read_bytes()
    Ledger(lake, teacher)
    journal.write_bytes(left)
    Ledger(lake, teacher)
    assert lake.read("completions").num_rows == 4


def test_a_line_that_was_cut_off_is_asked_again(lake, teacher):
    _run_and_kill(lake, committed=0, noted=4)
    (journal,) = (Path(lake.url) / "journal").iterdir()
    journal.write_bytes(journal.read_bytes()[:-20])
    again = ask_missing(lake, [question(n) for n in range(4)], Engine(teacher, Counted()), "t")
    assert (again.cached, again.asked) == (3, 1)


def test_the_journal_of_a_writer_that_lives_is_left_to_it(lake, teacher):
    mine = Ledger(lake, teacher)
    mine.note(question(1).key(teacher), question(1), compose(question(1)), 0.0, 0)
    Ledger(lake, teacher)
    assert lake.read("completions").num_rows == 0
    mine.close()
    assert lake.read("completions").num_rows == 1
    assert not list((Path(lake.url) / "journal").iterdir())


def _run_and_kill(lake: Lake, *, committed: int, noted: int) -> None:
    child = multiprocessing.get_context("spawn").Process(target=note_and_die, args=(lake.url, committed, noted))
    child.start()
    child.join(timeout=120)
    assert child.exitcode == -signal.SIGKILL


def note_and_die(folder: str, committed: int, noted: int) -> None:
    """A writer that is killed with some answers committed and some only noted."""
    lake = Lake(folder)
    engine = open_engine(lake, TeacherConfig())
    mine = Ledger(lake, engine.teacher)
    for n in range(committed + noted):
        if n == committed:
            mine.commit()
        mine.note(question(n).key(engine.teacher), question(n), compose(question(n)), 0.0, 0)
    os.kill(os.getpid(), signal.SIGKILL)


def test_many_writers_lose_nothing_and_read_each_other(tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write, args=(str(tmp_path), n)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=120)
    assert [writer.exitcode for writer in writers] == [0] * 4
    lake = Lake(str(tmp_path))
    keys = lake.read("completions").column("request_key").to_pylist()
    assert len(keys) == len(set(keys)) == 4 * WRITTEN
    engine = open_engine(lake, TeacherConfig())
    again = ask_missing(lake, [question(n) for n in range(4 * WRITTEN)], engine, "t")
    assert (again.asked, again.cached) == (0, 4 * WRITTEN)


WRITTEN = 120


def write(folder: str, number: int) -> None:
    """Answers of one writer, in commits of four, its small files merged while the others write."""
    lake = Lake(folder)
    engine = open_engine(lake, TeacherConfig())
    mine = Ledger(lake, engine.teacher)
    for n in range(number * WRITTEN, (number + 1) * WRITTEN):
        one = question(n)
        mine.note(one.key(engine.teacher), one, compose(one), 0.0, 0)
        if n % 4 == 3:
            mine.commit()
        if n % 40 == 39:
            lake.compact("completions")
    mine.close()
