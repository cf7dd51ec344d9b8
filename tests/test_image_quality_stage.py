"""The stage in a lake: one decode for two tables, gates judged anew without one, and what that does to teaching and to releases."""

import json
import shutil

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from assets.settings import Settings
from pipelines import increment
from pipelines import measure as measuring
from pipelines.lake import Lake
from pipelines.preview import caught
from pipelines.release import releasable
from pipelines.teach.subjects import subjects


@pytest.fixture
def lake(corpus, tmp_path) -> Lake:
    """A copy of the corpus' tables; packs are read from where they are."""
    shutil.copytree(corpus.home / "lake", tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


def with_column(rows: pa.Table, name: str, values: list) -> pa.Table:
    field = rows.schema.field(name)
    return rows.set_column(rows.schema.get_field_index(name), field, pa.array(values, field.type))


def change(lake: Lake, image_id: str, **numbers: float) -> None:
    """Other numbers for one picture, judged."""
    rows = lake.read("image_quality", source="phantom")
    for name, value in numbers.items():
        old = rows.column(name).to_pylist()
        rows = with_column(
            rows, name, [value if i == image_id else v for i, v in zip(rows["image_id"].to_pylist(), old, strict=True)]
        )
    lake.replace("image_quality", rows, source="phantom")
    measuring.judge_images(lake, "phantom")


def taught(lake: Lake) -> set[str]:
    return {subject.image_id for subject in subjects(lake, "phantom")}


def released(lake: Lake, cleared: frozenset[str] = frozenset()) -> tuple[set[str], dict[str, int]]:
    rows, withheld = releasable(lake, ["phantom"], "open", cleared)
    return {row["image_id"] for row in rows}, dict(withheld)


def test_every_image_has_a_row_that_says_what_it_is_excluded_for(corpus):
    rows = corpus.lake.read("image_quality").to_pylist()
    assert {row["image_id"] for row in rows} == set(corpus.lake.read("images", columns=["image_id"])["image_id"].to_pylist())
    for row in rows:
        verdicts = json.loads(row["verdicts"])
        assert [v["code"] for v in verdicts] == row["gates"]
        assert row["excluded"] == any(v["action"] == "exclude" for v in verdicts)


def test_a_second_run_computes_and_writes_nothing(lake):
    before = lake.version("image_quality"), lake.version("evidence")
    done = measuring.measure(lake, "phantom")
    assert [d.computed for d in done.values()] == [0, 0]
    assert (lake.version("image_quality"), lake.version("evidence")) == before


def test_a_table_that_lags_behind_is_made_good_alone(lake, monkeypatch):
    rows = lake.read("image_quality", source="phantom")
    lake.replace("image_quality", rows.slice(3), source="phantom")
    version = lake.version("evidence")
    done = measuring.measure(lake, "phantom")
    assert (done["evidence"].computed, done["image_quality"].computed) == (0, 3)
    assert lake.version("evidence") == version
    assert lake.read("image_quality", source="phantom").equals(rows)


def test_another_threshold_costs_no_decode(lake, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a picture was decoded")

    monkeypatch.setattr(increment, "map_in_order", lambda function, batches: map(refuse, batches))
    gate = next(g for g in measuring.judge.__globals__["GATES"] if g.code == "blurred")
    always = type(gate)(gate.code, "exclude", gate.about, (("sharpness", "<", 9.0),))
    monkeypatch.setitem(measuring.judge.__globals__, "GATES", (always,))
    measuring.measure(lake, "phantom")
    assert all(lake.read("image_quality", source="phantom")["excluded"].to_pylist())


def test_an_excluded_picture_is_not_taught_and_not_released(lake):
    victim = sorted(taught(lake) & released(lake)[0])[0]
    change(lake, victim, light_high=10)
    assert victim not in taught(lake)
    out, withheld = released(lake)
    assert victim not in out
    assert withheld["image gate too_dark excludes"] == 1
    assert "too_dark" in caught(lake, "phantom")


def test_a_face_is_taught_but_released_only_when_a_person_cleared_it(lake, tmp_path):
    held_back = "image gate face: to be reviewed"
    before, withheld_before = released(lake)
    victim = sorted(taught(lake) & before)[0]
    change(lake, victim, face_score=0.8)
    assert victim in taught(lake)
    out, withheld = released(lake)
    assert victim not in out
    assert withheld[held_back] == withheld_before.get(held_back, 0) + 1
    (tmp_path / "cleared.txt").write_text(f"# seen on Monday\n{victim}  # a drawing\n\n")
    cleared = Settings(cleared=str(tmp_path / "cleared.txt")).cleared_images()
    assert cleared == {victim}
    assert victim in released(lake, cleared)[0]


def test_clearing_does_not_bring_back_what_is_excluded(lake):
    victim = sorted(released(lake)[0])[0]
    change(lake, victim, light_high=10)
    assert victim not in released(lake, frozenset([victim]))[0]


def test_what_no_gate_has_seen_is_not_released(lake):
    victim = sorted(released(lake)[0])[0]
    rows = lake.read("image_quality", source="phantom")
    lake.replace("image_quality", rows.filter(pc.not_equal(rows["image_id"], victim)), source="phantom")
    out, withheld = released(lake)
    assert victim not in out
    assert withheld["no image gate has seen it"] == 1


def test_stated_skin_tones_are_untouched_by_the_estimate(lake):
    before = lake.read("images", columns=["image_id", "skin_tones"])
    measuring.measure(lake, "phantom")
    assert lake.read("images", columns=["image_id", "skin_tones"]).equals(before)
    angles = lake.read("image_quality", columns=["ita"])["ita"]
    assert angles.null_count < len(angles)
