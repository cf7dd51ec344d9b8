"""Teaching: what is asked again and what never, how an image walks through the stages, and how a run ends politely."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pyarrow as pa
import pytest

from pipelines import unchanged
from pipelines.judge import drifts, judge
from pipelines.lake import Lake
from pipelines.mix import count
from pipelines.render import render
from pipelines.tables import TABLES
from pipelines.teach.config import BadConfig, TeacherConfig, load_config
from pipelines.teach.engines import open_engine
from pipelines.teach.ledger import Ledger
from pipelines.teach.probe import SAMPLE, probe
from pipelines.teach.requests import FAILURES, Answer, EngineUnavailable, Request, Teacher
from pipelines.teach.spent import reasons, spent
from pipelines.teach.stages import Walk, in_control, told_names
from pipelines.teach.subjects import Subject, subjects
from pipelines.teach.teach import ask_missing, teach
from prompts import stages
from prompts.mix import Mix
from prompts.ontology import load
from quality import checks
from quality.claims import Known
from tests.chat_server import MODEL
from tests.conftest import ROOT

NEVUS = "nevus"
TEACHER = Teacher(name="t", revision="1", reads="pixels")


def config(url: str, **changes) -> TeacherConfig:
    base = {"engine": "endpoint", "model": MODEL, "attempts": 1, "endpoint": {"urls": [url]}}
    return TeacherConfig.model_validate(base | changes)


def learn(lake: Lake, chosen: TeacherConfig):
    return teach(lake, "phantom", open_engine(lake, chosen), chosen)


def ledger(lake: Lake) -> list[dict]:
    return lake.read("completions").to_pylist()


def test_one_image_more_costs_its_own_questions_and_no_other(untaught, chat, url):
    groups = untaught.read("groups").to_pylist()
    late = subjects(untaught, "phantom")[7]
    hidden = [row | {"status": "redundant"} if row["image_id"] == late.image_id else row for row in groups]
    untaught.replace("groups", pa.Table.from_pylist(hidden, schema=TABLES["groups"].schema))
    learn(untaught, config(url))
    before = len(chat.bodies)
    untaught.replace("groups", pa.Table.from_pylist(groups, schema=TABLES["groups"].schema))
    done = learn(untaught, config(url))
    assert 1 <= done.asked <= 2 and len(chat.bodies) == before + done.asked
    assert {row["image_id"] for row in ledger(untaught)[-done.asked :]}
    assert Counter(row["image_id"] for row in ledger(untaught))[late.image_id] == done.asked


def test_an_edited_reason_prompt_asks_the_reason_stage_again_and_nothing_else(untaught, chat, url, monkeypatch):
    learn(untaught, config(url))
    before = len(chat.bodies)
    monkeypatch.setattr(stages, "_REASON", stages._REASON + "\n- Be brief.")
    monkeypatch.setattr(unchanged, "code", lambda: "edited")
    learn(untaught, config(url))
    again = chat.bodies[before:]
    reasons_before = sum("reasoning" in str(body["response_format"]) for body in chat.bodies[:before])
    assert len(again) == reasons_before > 0
    assert all("reasoning" in str(body["response_format"]) for body in again)


@pytest.mark.parametrize(
    ("change", "asks"),
    [
        ({"sampling": {"temperature": 0.5}}, True),
        ({"max_pixels": 50_000}, True),
        ({"price_per_gpu_hour": 3.0}, False),
        ({"attempts": 3}, False),
    ],
)
def test_what_changes_an_answer_asks_again_and_what_does_not_does_not(untaught, url, change, asks):
    some = [Walk(s, 0, config(url)).open[0] for s in subjects(untaught, "phantom")[:5]]
    ask_missing(untaught, some, open_engine(untaught, config(url)), "t")
    changed = config(url, **change)
    assert ask_missing(untaught, some, open_engine(untaught, changed), "t").asked == (5 if asks else 0)


def test_two_samples_and_a_control_share_are_kept_apart(untaught, url):
    chosen = config(url, samples=2, control_share=0.5)
    learn(untaught, chosen)
    judge(untaught, "phantom", open_engine(untaught, chosen).teacher, chosen)
    rows = untaught.read("trajectories").to_pylist()
    people = subjects(untaught, "phantom")
    controls = {s.image_id for s in people if in_control(s, 0.5)}
    assert 0.3 < len(controls) / len(people) < 0.7
    assert {row["image_id"] for row in rows if row["control"]} == controls
    assert Counter(row["sample"] for row in rows if not row["control"]) == {0: len(people), 1: len(people)}
    assert {row["conditioning"] for row in rows if row["control"]} == {"blind"}
    render(untaught, "phantom", count(untaught, Mix()))
    samples = untaught.read("samples").to_pylist()
    assert samples and all(count == 1 for count in Counter((row["image_id"], row["format"]) for row in samples).values())
    told = [row for row in ledger(untaught) if row["stage"] == "reason"]
    assert {row["conditioning"] for row in told} == {"blind", "confirmed"}


def test_the_ledgers_statistics_add_up(untaught, chat, url):
    chat.faults.extend(["status:400"] * 3)
    learn(untaught, config(url))
    rows, table = ledger(untaught), spent(untaught)
    assert sum(row["answers"] for row in table) == len(rows)
    assert sum(row["failures"] for row in table) == 3 == sum(row["rows"] for row in reasons(untaught))
    assert sum(row["answer_tokens"] for row in table) == sum(row["answer_tokens"] or 0 for row in rows)
    assert {row["stage"] for row in table} == {"observe", "reason"}
    assert all(row["engine_hours"] > 0 for row in table)


def test_the_probe_tells_a_teacher_that_looks_from_one_that_does_not(untaught, chat, url, monkeypatch):
    monkeypatch.setattr("tests.chat_server.said", lambda body: json.dumps({"words": str(body["messages"])[-500:]}))
    found = probe(untaught, "phantom", config(url))
    assert set(found.changed) == {"observe, blank", "observe, swapped", "reason, blank", "reason, swapped"}
    assert set(found.changed.values()) == {0.0} and found.compared["reason, blank"] == SAMPLE
    monkeypatch.setattr("tests.chat_server.said", lambda body: json.dumps({"words": str(body["messages"])}))
    seeing = config(url, endpoint={"urls": [url], "revision": "2"})
    assert set(probe(untaught, "phantom", seeing).changed.values()) == {1.0}
    asked = len(chat.bodies)
    probe(untaught, "phantom", seeing)
    assert len(chat.bodies) == asked


def test_a_second_run_over_a_source_is_refused(untaught, url):
    with untaught.alone("teach-phantom"), pytest.raises(EngineUnavailable, match="another run is teaching phantom"):
        learn(untaught, config(url))
    assert learn(untaught, config(url)).asked


def test_sigterm_finishes_what_is_in_flight_and_keeps_it(untaught, chat, url):
    chat.seconds = 0.3
    command = [sys.executable, "-m", "tests.endpoint_driver", untaught.url, url]
    driver = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + 120
    while len(chat.bodies) < 30 and time.monotonic() < limit:
        time.sleep(0.05)
    driver.send_signal(signal.SIGTERM)
    driver.communicate(timeout=60)
    assert driver.returncode == 128 + signal.SIGTERM
    assert 30 <= len(ledger(untaught)) == len(chat.bodies) < 2 * len(subjects(untaught, "phantom"))
    chat.seconds = 0.0
    rest = learn(untaught, config(url))
    assert rest.cached and len(ledger(untaught)) == len(chat.bodies) == rest.cached + rest.asked


def subject(sha: str = "a" * 64) -> Subject:
    return Subject("s:1", sha, "clinical", NEVUS, {}, ())


def row(request: Request, answer: dict | str | None, **changes) -> dict:
    text = json.dumps(answer) if isinstance(answer, dict) else answer
    return {"request_key": "k", "failure": None, "finish_reason": "stop", "answer": text, "answer_tokens": 1} | changes


OBSERVED = {
    "morphological_features_skincon": ["Macule"],
    "morphological_features_others": [],
    "detailed_description": "In this photograph, the skin shows a flat macule. It is the only change that can be seen in the picture, "
    "and the skin around it looks even. Its outline and its symmetry could not be judged with certainty from this view.",
}
REASONED = {
    "supporting": ["Macule"],
    "against": [],
    "reasoning": "The question is how well the observed finding agrees with a common mole. In favour of it, the observation records a "
    "macule, which is a general feature of form and not a specific one. Nothing that was recorded speaks against it, although this alone "
    "is weak evidence. A single image shows neither the course nor the tissue, and other conditions can share this feature, so that the "
    "conclusion is drawn with caution: common brown mole of the skin.",
    "final_diagnosis": "common brown mole of the skin",
}


def walk(**changes) -> Walk:
    base = {"engine": "endpoint", "model": MODEL, "endpoint": {"urls": ["http://x/v1"]}}
    return Walk(subject(), 0, TeacherConfig.model_validate(base | changes))


def test_a_failed_check_uses_the_next_seed_and_a_hopeless_failure_does_not():
    going = walk(attempts=3)
    for attempt in range(3):
        (request,) = going.open
        assert request.attempt == attempt
        going.take(request, row(request, {"no": "schema"}))
    assert not going.open and going.observed and not going.observed.passed
    ended = walk(attempts=3)
    (request,) = ended.open
    ended.take(request, row(request, None, failure="undecodable_image", finish_reason="truncated file"))
    assert not ended.open and ended.observed and ended.observed.faults == {"undecodable_image"}


def test_a_cut_off_answer_says_so():
    going = walk(attempts=1)
    (request,) = going.open
    going.take(request, row(request, '{"morph', finish_reason="length", answer_tokens=512))
    assert going.observed and going.observed.faults == {"truncated"}


def test_an_unknown_diagnosis_is_named_in_the_ontologys_words():
    going = walk(normalise=True)
    (request,) = going.open
    going.take(request, row(request, OBSERVED))
    (reason,) = going.open
    going.take(reason, row(reason, REASONED))
    (naming,) = going.open
    assert naming.stage == "normalise" and naming.picture == "none"
    name = load().nodes[NEVUS].name
    assert name in naming.schema["properties"]["diagnosis"]["enum"], naming.prompt
    going.take(naming, row(naming, {"diagnosis": name}))
    judged = going.reasoned["confirmed"]
    assert judged.passed and judged.normalised_from == REASONED["final_diagnosis"] and not going.open


def test_who_was_not_told_the_diagnosis_is_not_asked_until_it_agrees():
    wrong = {**REASONED, "final_diagnosis": "psoriasis", "reasoning": REASONED["reasoning"] + " So it is psoriasis."}
    for conditioning, seeds in (("blind", 1), ("confirmed", 2)):
        going = walk(conditioning=conditioning, attempts=2)
        going.take(going.open[0], row(going.open[0], OBSERVED))
        asked = 0
        while going.open:
            going.take(going.open[0], row(going.open[0], wrong))
            asked += 1
        assert asked == seeds


def test_candidates_hold_the_diagnosis_at_no_fixed_place():
    name, places = load().nodes[NEVUS].name, Counter()
    for n in range(200):
        names = told_names(subject(f"{n:064x}"), "candidates", 5)
        assert len(names) == len(set(names)) == 5
        places[names.index(name)] += 1
    assert min(places[n] for n in range(5)) > 20
    assert told_names(subject(), "blind", 5) == [] and told_names(subject(), "confirmed", 5) == [name]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('engine = "vllm"', "needs a model"),
        ("temprature = 1", "temprature"),
        ("[sampling]\ntemperature = 9", "sampling.temperature"),
        ("samples = 3", "composer"),
        ("a = [", "teacher.toml"),
    ],
)
def test_a_wrong_file_is_refused_with_the_field(tmp_path, text, told):
    file = tmp_path / "teacher.toml"
    file.write_text(text)
    with pytest.raises(BadConfig, match=told):
        load_config(str(file))


def test_every_failure_is_in_the_docs():
    page = (ROOT / "docs" / "teacher.md").read_text()
    for code, meaning in FAILURES.items():
        assert f"| `{code}` | {meaning} |" in page


def test_the_example_files_load():
    assert load_config(str(ROOT / "config" / "teacher.toml")).engine == "vllm"
    assert load_config(str(ROOT / "config" / "endpoint.toml")).endpoint.urls
    assert replace(subject(), node=NEVUS).node == NEVUS


FAULTY = OBSERVED | {"detailed_description": OBSERVED["detailed_description"] + " It lies on the left knee. It is a nevus."}


def test_a_failed_answer_is_asked_for_again_with_its_faults_and_without_what_the_teacher_may_not_know():
    going = walk(attempts=3)
    going.subject = replace(subject(), known=Known(site="trunk_back", site_raw="upper back"))
    (request,) = going.open
    going.take(request, row(request, FAULTY, request_key="first"))
    (again,) = going.open
    assert again.prompt.startswith(request.prompt) and again.attempt == 1
    assert checks.CHECKS["names_diagnosis"] in again.prompt and "left knee" in again.prompt
    assert "upper back" not in again.prompt
    going.take(again, row(again, FAULTY, request_key="second"))
    (third,) = going.open
    assert third.prompt == again.prompt and third.seed(TEACHER) != again.seed(TEACHER)
    going.take(third, row(third, OBSERVED))
    assert going.observed and going.observed.passed and [judged.key for judged in going.earlier] == ["first", "second"]


def test_a_teacher_that_was_told_the_diagnosis_disagrees_and_is_not_told_it_again_by_the_repair():
    wrong = {**REASONED, "final_diagnosis": "psoriasis", "reasoning": REASONED["reasoning"] + " So it is psoriasis."}
    going = walk(conditioning="blind", attempts=2)
    going.take(going.open[0], row(going.open[0], OBSERVED))
    going.take(going.open[0], row(going.open[0], wrong | {"supporting": ["Scale"]}))
    (again,) = going.open
    assert '"Scale"' in again.prompt and "unrelated" not in again.prompt and load().nodes[NEVUS].name not in again.prompt


def test_no_answer_is_asked_for_again_in_the_same_words():
    going = walk(attempts=2)
    (request,) = going.open
    going.take(request, row(request, None, failure="endpoint_failed"))
    (again,) = going.open
    assert again.prompt == request.prompt and again.attempt == 1


def test_a_description_that_two_images_share_although_their_findings_differ_is_rejected(untaught):
    chosen = config("http://nobody/v1")
    engine = open_engine(untaught, chosen)
    people = [one for one in subjects(untaught, "phantom") if one.kind == "clinical"][:3]
    said = [OBSERVED, OBSERVED | {"morphological_features_others": ["arrangement: single"]}, OBSERVED]
    with closing(Ledger(untaught, engine.teacher)) as answers:
        for one, answer in zip(people, said, strict=True):
            request = Walk(one, 0, chosen).open[0]
            answers.note(request.key(engine.teacher), request, Answer(text=json.dumps(answer), finish_reason="stop"), 0.0, 0)
    judge(untaught, "phantom", engine.teacher, chosen)
    rows = {row["image_id"]: row for row in untaught.read("rejects").to_pylist() if row["check"] == "copied_text"}
    assert set(rows) == {one.image_id for one in people}
    rates = {(r["stage"], r["check"]): (r["made"], r["failed"]) for r in untaught.read("trajectory_verdicts").to_pylist()}
    assert rates["observe", "copied_text"] == (3, 3) and rates["observe", "schema"] == (3, 0)


def test_a_check_that_fails_more_often_than_before_is_told():
    base = {"source": "s", "teacher": "t", "conditioning": "confirmed", "stage": "observe", "check": "length"}
    before, after = [base | {"made": 100, "failed": 5}], [base | {"made": 100, "failed": 30}]
    assert drifts(before, after) == ["s, t, observe length: 5.0% before, 30.0% now"]
    assert not drifts(before, before) and not drifts([], after)
    assert not drifts(before, [base | {"made": 10, "failed": 9}])
