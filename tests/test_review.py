"""People in the loop: what they are asked, that Label Studio can read it, and what their verdicts do when they come back."""

import base64
import copy
import io
import json
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface import LabelInterface
from PIL import Image

from assets.definitions import build_defs
from assets.partitions import RANGE
from assets.reviewing import returned_reviews
from assets.settings import Settings
from pipelines import review
from pipelines.judge import judge
from pipelines.lake import Lake
from pipelines.mix import count
from pipelines.release import releasable
from pipelines.render import render
from pipelines.review_queue import queue
from pipelines.reviews import between_reviewers, checks_against_people, import_file, import_folder
from pipelines.teach.config import TeacherConfig
from pipelines.teach.engines import open_engine
from prompts import schemas
from prompts.mix import Mix
from prompts.ontology import load
from quality import label_studio
from quality.label_studio import WrongFile
from quality.reliability import cohen_kappa, krippendorff_alpha, reviewers_agree
from quality.review import choose, decide
from quality.thresholds import REVIEW_ITEMS, REVIEW_SHARES

ONTOLOGY = load()
COMPOSER = TeacherConfig()  # type: ignore[call-arg]


@pytest.fixture
def lake(untaught, corpus) -> Lake:
    """The corpus' lake, ledger included."""
    import shutil

    shutil.copytree(corpus.home / "lake" / "tables" / "completions", Path(untaught.url) / "tables" / "completions")
    return untaught


def again(lake: Lake) -> dict[tuple, dict[str, Any]]:
    """Judge again; trajectories by key."""
    judge(lake, "phantom", open_engine(lake, COMPOSER).teacher, COMPOSER)
    return {key(row): row for row in lake.read("trajectories").to_pylist()}


def accepted(lake: Lake, folder: Path) -> dict[str, Any]:
    """A task about a trajectory that passed every check."""
    rows = {key(row): row for row in lake.read("trajectories").to_pylist()}
    return next(task for task in exported(lake, folder) if rows[key(task["data"])]["status"] == "accepted")


def key(row: dict[str, Any]) -> tuple:
    return tuple(row[name] for name in ("image_id", "teacher", "conditioning", "sample"))


def exported(lake: Lake, folder: Path) -> list[dict[str, Any]]:
    """Tasks of the queue's export."""
    found = queue(lake, folder)
    return [entry for path in found.files if path.suffix == ".json" for entry in json.loads(path.read_text())]


def annotated(
    task: dict[str, Any], reviewer: Any = 1, verdict: str = "accept", at: int = 1, number: int = 1, **answers: Any
) -> dict[str, Any]:
    """A task as Label Studio exports it after somebody took the prediction over and gave verdicts; `answers` replace controls."""
    result = {entry["from_name"]: entry for entry in copy.deepcopy(task["predictions"][0]["result"])}
    said = {"observation_verdict": [verdict], "reasoning_verdict": [verdict], **answers}
    for name, value in said.items():
        kind = {"comment": "textarea", "diagnosis": "taxonomy"}.get(name, "choices")
        inner = {"text": value} if kind == "textarea" else {kind: value}
        result[name] = {"id": name, "from_name": name, "to_name": "image", "type": kind, "value": inner}
    when = datetime(2026, 1, 1, 12, at, tzinfo=UTC).isoformat().replace("+00:00", "Z")
    annotation = {
        "id": number,
        "completed_by": reviewer,
        "result": [entry for entry in result.values() if entry["value"] != {"choices": []}],
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "2026-01-01T11:00:00Z",
        "updated_at": when,
        "lead_time": 40.2,
    }
    return {"id": number, "data": task["data"], "annotations": [annotation], "drafts": [], "predictions": []}


def predicted(task: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a task predicts, by control."""
    return {entry["from_name"]: entry["value"] for entry in task["predictions"][0]["result"]}


def returned(folder: Path, *tasks: dict[str, Any], name: str = "export.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tasks))
    return path


def refused_rows(lake: Lake) -> list[dict[str, Any]]:
    """Trajectories that a check refused although both stages were written, and so could be accepted by a person."""
    return [
        r for r in lake.read("trajectories").to_pylist() if r["status"] != "accepted" and r["observation"] and r["reasoning"]
    ]


# What is asked


def test_the_queue_is_the_same_however_the_trajectories_lie(corpus):
    rows = corpus.lake.read("trajectories").to_pylist()
    first = choose(rows, (), ONTOLOGY)
    random.Random(1).shuffle(rows)
    assert [(one.item, one.stratum, one.why) for one in choose(rows, (), ONTOLOGY)] == [
        (one.item, one.stratum, one.why) for one in first
    ]
    assert 0 < len(first) <= REVIEW_ITEMS and len({one.item for one in first}) == len(first)
    assert all(one.why and one.row["observation"] for one in first)


def test_the_random_sample_is_drawn_from_everything_and_no_judged_item_comes_again(corpus):
    rows = corpus.lake.read("trajectories").to_pylist()
    first = choose(rows, (), ONTOLOGY)
    by_chance = [one for one in first if one.stratum == "random"]
    assert len(by_chance) >= min(REVIEW_ITEMS * REVIEW_SHARES["random"], len(first) / 2)
    assert {one.row["node"] for one in by_chance} > {None} or len({one.row["node"] for one in by_chance}) > 5
    later = choose(rows, {one.item for one in first[:50]}, ONTOLOGY)
    assert not {one.item for one in first[:50]} & {one.item for one in later}


def made(image: int, **changes: Any) -> dict[str, Any]:
    """A trajectory with the fields that the queue looks at."""
    seen = {schemas.SKINCON_KEY: ["Plaque"], schemas.OTHERS_KEY: [], schemas.TEXT_KEY: "A plaque."}
    base = {
        **{"image_id": f"x:{image}", "source": "x", "teacher": "t", "revision": "1", "conditioning": "confirmed", "sample": 0},
        **{"kind": "clinical", "node": "nevus", "final_node": "nevus", "observation": json.dumps(seen), "reasoning": "{}"},
        **{"control": False, "verdicts": "[]", "status": "accepted"},
    }
    return base | changes


def test_each_stratum_finds_what_it_is_for():
    failed = json.dumps([{"stage": "reason", "check": "contradiction", "passed": False, "detail": ""}])
    blind = json.dumps([{"stage": "reason", "check": "diagnosis_disagrees", "passed": False, "detail": ""}])
    other = json.dumps({schemas.SKINCON_KEY: ["Papule"], schemas.OTHERS_KEY: [], schemas.TEXT_KEY: "A papule."})
    melanoma = ONTOLOGY.resolve("melanoma")
    rows = [made(n) for n in range(600)]
    rows[3]["verdicts"] = failed
    rows.append(made(7, conditioning="blind", control=True, verdicts=blind, final_node=melanoma))
    rows.append(made(9, sample=1, observation=other))
    rows.append(made(1000, node=melanoma, final_node=melanoma))
    found = {one.stratum: one for one in choose(rows, (), ONTOLOGY) if one.stratum != "random"}
    chosen = {(one.row["image_id"], why) for one in choose(rows, (), ONTOLOGY) for why in one.why}
    assert ("x:3", "rejected by checks: contradiction") in chosen
    assert ("x:7", "blind, it said melanoma") in chosen and found["blind control disagrees"].row["control"]
    assert ("x:9", "samples disagree: Papule, Plaque") in chosen
    assert ("x:1000", "rare diagnosis: 1 images") in chosen
    assert not any(one.row["control"] for one in choose(rows, (), ONTOLOGY) if one.stratum == "random")


def test_exporting_twice_gives_the_same_bytes(lake, tmp_path):
    first = [path.read_bytes() for path in queue(lake, tmp_path / "a").files]
    second = [path.read_bytes() for path in queue(lake, tmp_path / "b").files]
    assert first == second and len(first) == 4
    assert lake.read("review_queue").num_rows == sum(len(json.loads(data)) for data in first[::2])


# What Label Studio says to it


@pytest.mark.parametrize("kind", ["dermoscopic", "clinical"])
def test_label_studio_accepts_configuration_tasks_predictions_and_annotations(lake, tmp_path, kind):
    queue(lake, tmp_path)
    folder = tmp_path / "queue"
    interface = LabelInterface((folder / f"{kind}.xml").read_text())
    interface.validate()
    tasks = json.loads((folder / f"{kind}.json").read_text())
    assert tasks
    for task in tasks:
        assert interface.validate_task({"data": task["data"]})  # with predictions, version 2.1 forgets to pass them on
        for prediction in task["predictions"]:
            assert interface.validate_prediction(prediction, return_errors=True) == []
        done = annotated(task, comment=["looks right"], person=[label_studio.PERSON_SHOWN])["annotations"][0]
        assert interface.validate_annotation(done)


def test_label_studio_would_refuse_a_value_that_is_not_in_the_configuration(lake, tmp_path):
    task = next(t for t in exported(lake, tmp_path) if "pigment_network" in predicted(t))
    interface = LabelInterface((tmp_path / "queue" / "dermoscopic.xml").read_text())
    predicted(task)["pigment_network"]["choices"] = ["purple"]
    assert interface.validate_prediction(task["predictions"][0], return_errors=True)


def test_pictures_travel_inside_the_tasks_without_what_the_camera_wrote(lake, tmp_path):
    task = exported(lake, tmp_path)[0]
    head, data = task["data"]["image"].split(",", 1)
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert head == "data:image/jpeg;base64" and min(picture.size) > 32 and not picture.getexif()


def test_the_reviewer_sees_the_models_answer_and_no_verdict_is_given_for_them(lake, tmp_path):
    rows = {key(row): row for row in lake.read("trajectories").to_pylist()}
    for task in exported(lake, tmp_path):
        row, result = rows[key(task["data"])], predicted(task)
        assert json.loads(row["observation"])[schemas.TEXT_KEY] in task["data"]["observation"]
        assert not set(result) & set(label_studio.VERDICTS)
        if row["final_node"]:
            assert result["diagnosis"]["taxonomy"][0][-1] == ONTOLOGY.nodes[row["final_node"]].name
        assert task["data"]["why"]


# What verdicts do


def test_only_a_person_makes_a_row_verified_and_the_mark_reaches_the_release(lake, tmp_path):
    rows = again(lake)
    assert {row["verified_by"] for row in rows.values()} == {0}
    tasks = [t for t in exported(lake, tmp_path) if rows[key(t["data"])]["status"] == "accepted"][:3]
    done = import_file(lake, returned(tmp_path, *(annotated(t) for t in tasks), *(annotated(t, reviewer=2) for t in tasks[:1])))
    assert done.outcomes == {"new": 4} and not done.refused
    rows = again(lake)
    assert [rows[key(t["data"])]["verified_by"] for t in tasks] == [2, 1, 1]
    assert sum(row["verified_by"] for row in rows.values()) == 4
    render(lake, "phantom", count(lake, Mix()))
    shown = Counter(row["verified_by"] for row in releasable(lake, ["phantom"], "open")[0] if row["verified_by"])
    assert set(shown) == {1, 2}


def test_a_persons_rejection_outranks_the_checks_and_says_why(lake, tmp_path):
    task = accepted(lake, tmp_path)
    import_file(lake, returned(tmp_path, annotated(task, verdict="reject", comment=["the border is not sharp"])))
    row = again(lake)[key(task["data"])]
    assert row["status"] == "rejected: reviewer" and row["verified_by"] == 0
    (reason,) = [r for r in lake.read("rejects").to_pylist() if key(r) == key(row)]
    assert (reason["stage"], reason["check"]) == ("review", "reviewer") and "the border is not sharp" in reason["detail"]


def test_a_persons_acceptance_outranks_the_checks_and_leaves_their_verdicts_beside_it(lake, tmp_path, monkeypatch):
    monkeypatch.setattr("quality.thresholds.REASONING_WORDS", (90, 110))
    monkeypatch.setattr("pipelines.unchanged.code", lambda: "edited")
    refused = {key(row) for row in again(lake).values()} & {key(row) for row in refused_rows(lake)}
    task = next(t for t in exported(lake, tmp_path) if key(t["data"]) in refused)
    assert "rejected by checks: length" in task["data"]["why"]
    import_file(lake, returned(tmp_path, annotated(task)))
    row = again(lake)[key(task["data"])]
    assert row["status"] == "accepted" and row["verified_by"] == 1
    assert [v["check"] for v in json.loads(row["verdicts"]) if not v["passed"]] == ["length"]
    assert not [r for r in lake.read("rejects").to_pylist() if key(r) == key(row)]
    found = checks_against_people(lake.read("trajectories").to_pylist())
    assert found == {"length": (1, 1)}


def test_a_corrected_answer_does_not_stand_and_the_correction_is_kept(lake, tmp_path):
    tasks = exported(lake, tmp_path)
    seven = next(t for t in tasks if "pigment_network" in predicted(t))
    now = predicted(seven)["pigment_network"]["choices"][0]
    other = next(value for value in schemas.DERM7PT["pigment_network"] if value != now)
    skin = next(t for t in tasks if "concepts" in predicted(t) and t["data"]["reasoning"])
    path = [ONTOLOGY.nodes[node].name for node in ONTOLOGY.path(ONTOLOGY.resolve("melanoma in situ"))]
    import_file(
        lake, returned(tmp_path, annotated(seven, pigment_network=[other]), annotated(skin, number=2, diagnosis=[path]))
    )
    by_image = {row["image_id"]: row for row in lake.read("reviews").to_pylist()}
    assert json.loads(by_image[seven["data"]["image_id"]]["corrections"]) == {"pigment_network": other}
    assert by_image[skin["data"]["image_id"]]["diagnosis"] == ONTOLOGY.resolve("melanoma in situ")
    assert {row["verdict"] for row in by_image.values()} == {"reject"}
    assert again(lake)[key(seven["data"])]["status"] == "rejected: reviewer"


def test_a_picture_that_identifies_a_person_takes_every_answer_about_it_away(lake, tmp_path):
    task = accepted(lake, tmp_path)
    import_file(lake, returned(tmp_path, annotated(task, person=[label_studio.PERSON_SHOWN])))
    rows = [row for row in again(lake).values() if row["image_id"] == task["data"]["image_id"]]
    assert rows and {row["status"] for row in rows} == {"rejected: reviewer"}


def test_people_who_are_divided_do_not_let_a_row_through():
    said = [{"verdict": v, "comment": None, "reviewer": str(n)} for n, v in enumerate(("accept", "reject", "skipped"))]
    assert not decide(said, identifies_person=False).accepted
    assert decide([*said, said[0]], identifies_person=False).accepted
    assert decide(said[2:], identifies_person=False) is None


def test_a_verdict_on_an_answer_that_has_changed_decides_nothing(lake, tmp_path, monkeypatch):
    task = accepted(lake, tmp_path)
    file = returned(tmp_path, annotated(task, verdict="reject"))
    import_file(lake, file)
    rows = [row | {"item": "another"} for row in lake.read("reviews").to_pylist()]
    import pyarrow as pa

    from pipelines.tables import TABLES

    lake.replace("reviews", pa.Table.from_pylist(rows, schema=TABLES["reviews"].schema))
    assert again(lake)[key(task["data"])]["status"] == "accepted"
    changed = annotated(task, verdict="reject")
    changed["data"] = task["data"] | {"item": "of last year"}
    assert import_file(lake, returned(tmp_path, changed)).outcomes == {"outdated": 1}


# What comes back


def test_the_latest_verdict_stands_in_whatever_order_files_are_read(lake, tmp_path):
    task = exported(lake, tmp_path)[0]
    early, late = annotated(task, verdict="accept", at=1), annotated(task, verdict="reject", at=9, number=7)
    first, second = returned(tmp_path, early, name="1.json"), returned(tmp_path, late, name="2.json")
    assert import_file(lake, first).outcomes == {"new": 1} and import_file(lake, second).outcomes == {"changed": 1}
    after = lake.read("reviews")
    assert import_file(lake, first).outcomes == {"older": 1} and import_file(lake, second).outcomes == {"known": 1}
    assert lake.read("reviews").equals(after) and after.to_pylist()[0]["verdict"] == "reject"
    version = lake.version("reviews")
    import_folder(lake, tmp_path)
    assert lake.version("reviews") == version


def test_a_skipped_task_is_no_verdict_and_takes_an_earlier_one_back(lake, tmp_path):
    task = accepted(lake, tmp_path)
    given, taken_back = annotated(task, verdict="reject"), annotated(task, at=5)
    taken_back["annotations"][0] |= {"was_cancelled": True, "result": []}
    import_file(lake, returned(tmp_path, given))
    assert again(lake)[key(task["data"])]["status"] == "rejected: reviewer"
    assert import_file(lake, returned(tmp_path, taken_back)).outcomes == {"skipped": 1}
    assert again(lake)[key(task["data"])]["status"] != "rejected: reviewer"
    assert task["data"]["item"] in {t["data"]["item"] for t in exported(lake, tmp_path / "next")}


def test_tasks_nobody_annotated_and_users_with_addresses_are_understood(lake, tmp_path):
    tasks = exported(lake, tmp_path)[:3]
    open_ = annotated(tasks[0]) | {"annotations": []}
    ann = annotated(tasks[1], reviewer={"id": 4, "email": "ann@example.org", "first_name": "", "last_name": ""})
    done = import_file(lake, returned(tmp_path, open_, ann, annotated(tasks[2], reviewer=4)))
    assert done.outcomes == {"new": 2}
    assert {row["reviewer"] for row in lake.read("reviews").to_pylist()} == {"ann@example.org", "user 4"}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a": 1}', "not a list"),
        (b"[1, 2]", "not a list"),
        (b'[{"id": 1, "annotator": 1, "image": "x"}]', "JSON-MIN"),
        (b'[{"data": {"image": "x"}, "predictions": []}]', "a file of tasks"),
    ],
)
def test_a_file_that_is_no_export_is_named_and_changes_nothing(lake, tmp_path, raw, told):
    path = tmp_path / "wrong.json"
    path.write_bytes(raw)
    with pytest.raises(WrongFile, match=told) as error:
        import_file(lake, path)
    assert "wrong.json" in str(error.value)
    assert any("wrong.json" in line for line in import_folder(lake, tmp_path).refused)
    assert lake.read("reviews").num_rows == 0


def hostile(task: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Exports that were edited, cut or mixed up, and what the importer says to each."""

    def edited(**changes: Any) -> dict[str, Any]:
        one = annotated(task)
        one["annotations"][0] |= changes
        return one

    def about(**changes: Any) -> dict[str, Any]:
        return annotated(task) | {"data": task["data"] | changes}

    missing = annotated(task, observation_verdict=[])
    no_reason = annotated(task, reasoning_verdict=[])
    return [
        (about(image_id="phantom:nowhere"), "no trajectory of this lake"),
        (about(image_id=["x"]), "no trajectory of this lake"),
        (about(sample="0"), "no trajectory of this lake"),
        (annotated(task) | {"data": None}, "no data"),
        (annotated(task) | {"annotations": {"a": 1}}, "no list"),
        (annotated(task) | {"annotations": ["x"]}, "no object"),
        (edited(completed_by=None), "nobody is named"),
        (edited(updated_at="yesterday"), "cannot be read"),
        (edited(result=[{"type": "choices", "value": {}}]), "cannot be read"),
        (edited(result=["x"]), "cannot be read"),
        (edited(result=[]), "no verdict on the observation"),
        (missing, "no verdict on the observation"),
        (no_reason, "no verdict on the reasoning"),
        (annotated(task, observation_verdict=["maybe"]), "is no verdict"),
        (annotated(task, observation_verdict=["accept", "reject"]), "is no verdict"),
        (annotated(task, concepts=["Plaque", "none of them"]), "contradict each other"),
        (annotated(task, concepts=["Rainbow"]), "none of its values"),
        (annotated(task, diagnosis=[["a", "unheard-of disease"]]), "not in the ontology"),
    ]


def test_every_annotation_that_cannot_be_used_is_refused_with_its_reason_and_the_others_are_taken(lake, tmp_path):
    rows = again(lake)
    tasks = [t for t in exported(lake, tmp_path) if rows[key(t["data"])]["reasoning"]]
    skin = next(t for t in tasks if "concepts" in predicted(t))
    faults = hostile(skin)
    done = import_file(
        lake, returned(tmp_path, *(one for one, _ in faults), annotated(next(t for t in tasks if t is not skin), number=99))
    )
    assert done.outcomes == {"new": 1} and len(done.refused) == len(faults)
    for line, (_, told) in zip(done.refused, faults, strict=True):
        assert told in line and "export.json, task" in line
    assert [row["annotation"] for row in lake.read("reviews").to_pylist()] == ["99"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(st.fixed_dictionaries({"annotations": json_values, "data": json_values}), max_size=3))
def test_no_json_breaks_the_reader(tasks):
    for one in label_studio.read_export(json.dumps(tasks).encode()):
        assert one.fault or one.reviewer


# Reviewers among each other


def test_kappa_and_alpha_reach_the_published_values():
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)
    binary = list(zip("0100000010", "1110010000", strict=True))
    assert krippendorff_alpha(binary) == pytest.approx(0.095, abs=5e-4)
    nominal = list(zip("aabbdcccedda", "babbbccceddd", strict=True))
    assert krippendorff_alpha(nominal) == pytest.approx(0.692, abs=5e-4)
    raters = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    units = [[v for v in unit if v != "."] for unit in zip(*raters, strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)


@given(st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=4), min_size=1, max_size=12))
def test_alpha_is_at_most_one_and_one_only_without_any_disagreement(units):
    alpha = krippendorff_alpha(units)
    assert alpha is None or alpha <= 1
    if alpha is not None:
        assert (alpha == 1) == all(len(set(unit)) == 1 for unit in units)


def test_two_reviewers_get_kappa_and_more_get_alpha(lake, tmp_path):
    tasks = exported(lake, tmp_path)[:4]
    verdicts = {1: "aarr", 2: "aaar"}
    said = {"a": "accept", "r": "reject"}
    tasks_of = [
        annotated(task, reviewer=who, verdict=said[letter], number=who * 10 + n)
        for who, letters in verdicts.items()
        for n, (task, letter) in enumerate(zip(tasks, letters, strict=True))
    ]
    import_file(lake, returned(tmp_path, *tasks_of))
    what, name, value, shared, people = between_reviewers(lake)[0]
    assert (what, name, shared, people) == ("verdict", "Cohen's kappa", 4, 2) and value == pytest.approx(0.5)
    import_file(lake, returned(tmp_path, annotated(tasks[0], reviewer=3)))
    assert between_reviewers(lake)[0][1] == "Krippendorff's alpha"
    assert reviewers_agree({"a": {"1": "x"}, "b": {"2": "x"}}) == ("Cohen's kappa", None, 0)


# The command, the assets, the sensor


def test_the_command_exports_and_imports_and_its_status_tells(lake, tmp_path, capsys):
    where = ["--lake", lake.url, "--folder", str(tmp_path)]
    assert review.main(where) == 0
    told = capsys.readouterr().out
    assert " random" in told and "dermoscopic.xml" in told
    task = json.loads((tmp_path / "queue" / "clinical.json").read_text())[0]
    assert review.main([*where, str(returned(tmp_path, annotated(task)))]) == 0
    assert "1 new" in capsys.readouterr().out
    assert review.main([*where, str(returned(tmp_path, annotated(task) | {"data": {}}))]) == 1
    assert "refused: export.json, task 1" in capsys.readouterr().out
    (tmp_path / "wrong.json").write_text("no")
    assert review.main([*where, str(tmp_path / "wrong.json")]) == 2
    assert "wrong.json" in capsys.readouterr().err


def ticked(settings: Settings) -> Any:
    """What the sensor asks for now."""
    return returned_reviews(dg.build_sensor_context(resources={"settings": settings}))


def test_a_returned_file_starts_one_run_that_takes_it_in(lake, tmp_path):
    settings = Settings(lake_url=lake.url, releases=str(tmp_path / "releases"), reviews=str(tmp_path / "reviews"))
    task = accepted(lake, tmp_path / "reviews")
    assert isinstance(ticked(settings), dg.SkipReason)
    returned(tmp_path / "reviews", annotated(task, verdict="reject"))
    asked = ticked(settings)
    assert asked.tags.items() >= RANGE.items() and ticked(settings).run_key == asked.run_key
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs(settings).resolve_job_def("reviewed")
        made = {node.to_user_string() for node in job.asset_layer.executable_asset_keys}
        assert made == {
            "reviews",
            "trajectories",
            "rejects",
            "trajectory_verdicts",
            "judgements",
            "review_queue",
            "agreement",
            "samples",
            "rl_prompts",
            "preference_pairs",
            "benchmark",
            "parquet_shards",
            "webdataset_shards",
            "trainer_exports",
            "data_card",
            "report",
        }
        rendered = {"samples", "rl_prompts", "preference_pairs", "benchmark", "data_card", "report"}
        rendered |= {"parquet_shards", "webdataset_shards", "trainer_exports"}
        some = [dg.AssetKey(name) for name in sorted(made - rendered)]
        result = job.execute_in_process(instance=instance, tags=asked.tags, run_config=quiet, asset_selection=some)
        assert result.success
        seen = {e.asset_key.to_user_string(): e.materialization for e in result.get_asset_materialization_events()}
    row = next(r for r in lake.read("trajectories").to_pylist() if key(r) == key(task["data"]))
    assert row["status"] == "rejected: reviewer"
    assert "data:image/jpeg" in str(seen["review_queue"].metadata["examples"].value)
    assert "all passed" in str(seen["review_queue"].metadata["checks against people"].value)
    returned(tmp_path / "reviews", annotated(task, verdict="accept", at=9))
    assert ticked(settings).run_key != asked.run_key
