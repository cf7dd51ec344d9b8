"""What is not made again where nothing has changed, and that any change of what it hangs on makes it again."""

import json
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from pipelines import audit as auditing
from pipelines import release as releasing
from pipelines import unchanged
from pipelines.judge import judge
from pipelines.lake import Lake
from pipelines.tables import TABLES
from pipelines.teach.config import TeacherConfig
from pipelines.teach.engines import open_engine
from pipelines.teach.teach import teach
from quality import checks

COMPOSER = TeacherConfig()  # type: ignore[call-arg]


class JudgedAgain(Exception):
    """An answer met a check."""


@pytest.fixture
def lake(corpus, tmp_path, monkeypatch) -> Lake:
    """The corpus' lake as its run left it, where any check of an answer is noticed."""

    def met(*_: object) -> None:
        raise JudgedAgain

    monkeypatch.setattr(checks, "check_observation", met)
    shutil.copytree(corpus.home / "lake", tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


def taught(lake: Lake, config: TeacherConfig = COMPOSER):
    return teach(lake, "phantom", open_engine(lake, config), config)


def judged(lake: Lake, config: TeacherConfig = COMPOSER):
    return judge(lake, "phantom", open_engine(lake, config).teacher, config)


def rewritten(lake: Lake, table: str, **change: object) -> None:
    """Change the first row of a table."""
    first, *rest = lake.read(table).to_pylist()
    lake.replace(table, pa.Table.from_pylist([first | change, *rest], schema=TABLES[table].schema), source=first["source"])


def test_a_run_without_a_change_judges_nothing_and_tells_the_same(lake):
    answers = lake.read("completions").num_rows
    versions = {table: lake.version(table) for table in TABLES}
    told = []
    done = teach(lake, "phantom", open_engine(lake, COMPOSER), COMPOSER, told.append)
    assert (done.asked, done.cached, done.failed) == (0, answers, 0)
    rows = lake.read("trajectories").to_pylist()
    status = judged(lake)
    assert sum(status.values()) == len(rows)
    assert status["accepted"] == sum(row["status"] == "accepted" for row in rows) > 0
    assert versions == {table: lake.version(table) for table in TABLES}


def edited_code(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unchanged, "code", lambda: "edited")


def another_label(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    rewritten(lake, "diagnoses", node="melanoma")


def another_record(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    rewritten(lake, "images", sex="female" if lake.read("images").to_pylist()[0]["sex"] != "female" else "male")


def another_measurement(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    rewritten(lake, "evidence", findings=["colour: black"])


def another_group(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row | {"status": "redundant"} for row in lake.read("groups").to_pylist()[:1]] + lake.read("groups").to_pylist()[1:]
    lake.replace("groups", pa.Table.from_pylist(rows, schema=TABLES["groups"].schema))


def lost_answer(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    key = lake.read("completions").to_pylist()[-1]["request_key"]
    DeltaTable(lake.table_url("completions")).delete(f"request_key = '{key}'")


def torn_note(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in Path(lake.url).glob("made/*/phantom.json"):
        path.write_bytes(path.read_bytes()[:40])


CHANGES = [edited_code, another_label, another_record, another_measurement, another_group, lost_answer, torn_note]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_a_verdict_hangs_on_makes_it_again(lake, monkeypatch, change):
    change(lake, monkeypatch)
    with pytest.raises(JudgedAgain):
        taught(lake)
    with pytest.raises(JudgedAgain):
        judged(lake)


def test_another_setting_of_the_teacher_judges_again(lake):
    with pytest.raises(JudgedAgain):
        judged(lake, TeacherConfig(candidates=7))  # type: ignore[call-arg]


def test_trajectories_that_were_tampered_with_are_judged_again(lake):
    taught(lake)
    rewritten(lake, "trajectories", status="accepted by nobody")
    with pytest.raises(JudgedAgain):
        judged(lake)


def test_answers_to_others_and_a_merge_of_files_change_nothing(lake):
    rows = [row | {"request_key": f"{n:064x}"} for n, row in enumerate(lake.read("completions").to_pylist()[:3])]
    for row in rows:
        lake.append("completions", pa.Table.from_pylist([row], schema=TABLES["completions"].schema))
    lake.compact("completions")
    taught(lake)
    judged(lake)


def test_questions_without_an_answer_are_looked_for_again(lake, monkeypatch):
    monkeypatch.undo()
    rows = lake.read("completions").to_pylist()
    shutil.rmtree(Path(lake.url) / "tables" / "completions")
    lake.append("completions", pa.Table.from_pylist(rows[:-20], schema=TABLES["completions"].schema))
    assert judged(lake)["rejected: unanswered"] > 0
    lake.append("completions", pa.Table.from_pylist(rows[-20:], schema=TABLES["completions"].schema))
    assert judged(lake)["rejected: unanswered"] == 0


def test_a_release_that_stands_is_neither_planned_nor_read_back_again(corpus, lake, tmp_path, monkeypatch):
    first = releasing.release(lake, ["phantom"], tmp_path / "releases")
    assert first and not any(auditing.audited(lake, first.path).values())

    def never(*_: object) -> None:
        raise AssertionError("planned or read back again")

    monkeypatch.setattr(releasing, "outgoing", never)
    monkeypatch.setattr(auditing, "audit", never)
    again = releasing.release(lake, ["phantom"], tmp_path / "releases")
    assert again and again.reused and again.manifest == first.manifest
    assert releasing.latest(lake, ["phantom"], tmp_path / "releases", "noncommercial") == first.manifest
    assert auditing.audited(lake, first.path) == {check: [] for check in auditing.CHECKS}
    with pytest.raises(AssertionError):
        releasing.latest(lake, ["phantom"], tmp_path / "releases", "open")


def test_a_release_is_planned_again_when_a_sample_has_changed(lake, tmp_path):
    first = releasing.release(lake, ["phantom"], tmp_path / "releases")
    rows = [row | {"weight": 0.123} for row in lake.read("samples").to_pylist()]
    lake.replace("samples", pa.Table.from_pylist(rows, schema=TABLES["samples"].schema), source="phantom")
    again = releasing.release(lake, ["phantom"], tmp_path / "releases")
    assert first and again and not again.reused and again.path != first.path


def test_a_plan_hangs_on_every_table_that_planning_reads(lake, monkeypatch):
    looked_at, delta = set(), Lake._delta
    monkeypatch.setattr(Lake, "_delta", lambda self, table: looked_at.add(table) or delta(self, table))
    list(releasing.outgoing(lake, ["phantom"], "noncommercial").pairs())
    monkeypatch.setattr(releasing, "made_of", lambda *_: "nothing")
    releasing.planned(lake, ["phantom"], "noncommercial")
    assert {"samples", "preference_pairs", "mixes"} <= looked_at <= {*releasing.PLANNED, "completions"}


def test_a_release_whose_files_were_touched_is_read_back(corpus, lake, tmp_path, monkeypatch):
    copy = tmp_path / corpus.release.name
    shutil.copytree(corpus.release, copy)
    assert not any(auditing.audited(lake, copy).values())
    read: list[Path] = []
    monkeypatch.setattr(auditing, "audit", lambda path: read.append(path) or {"files": ["a fault"]})
    victim = next(copy.glob("trainer/grpo/*.jsonl"))
    told = victim.stat()
    os.utime(victim, ns=(told.st_atime_ns, told.st_mtime_ns + 1))
    assert auditing.audited(lake, copy)["files"]
    assert auditing.audited(lake, copy)["files"], "what failed is not remembered as sound"
    os.utime(victim, ns=(told.st_atime_ns, told.st_mtime_ns))
    (copy / "notes.txt").write_text("from the desk of")
    assert auditing.audited(lake, copy)["files"]
    (copy / "notes.txt").unlink()
    victim.unlink()
    assert auditing.audited(lake, copy)["files"]
    assert read == [copy] * 4


def test_a_note_says_what_a_result_was_made_of(lake):
    note = json.loads((Path(lake.url) / "made" / "trajectories" / "phantom.json").read_text())
    assert set(note) == {"of", "ledger", "told"}
    assert note["told"]["files"]["trajectories"] == lake.files("trajectories", "phantom")
