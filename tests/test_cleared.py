"""A picture that a person has cleared is released, and every command that speaks of that release knows it; `status` sees what is missing."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from assets.definitions import build_defs
from assets.settings import Settings
from pipelines.lake import Lake
from pipelines.release import release
from pipelines.report.__main__ import main as report
from pipelines.status import due
from pipelines.teach.config import TeacherConfig
from pipelines.teach.engines import open_engine
from tests.outgoing_lake import Made, lake_of, numbered

SOURCE = "ham10000"


@pytest.fixture
def place(tmp_path, monkeypatch) -> Settings:
    """A lake with a sound picture and one with a face, which a person has cleared, and the release of both."""
    images = numbered([Made(0), Made(0, gates=("face",))])
    lake = lake_of(tmp_path, images)
    (tmp_path / "cleared.txt").write_text(f"{images[1].image_id}  # a drawing\n")
    for name, value in {"SOURCES": SOURCE, "CLEARED": tmp_path / "cleared.txt", "LAKE": tmp_path / "lake"}.items():
        monkeypatch.setenv(f"DERMOFORGE_{name}", str(value))
    cleared = frozenset({images[1].image_id})
    assert release(lake, [SOURCE], tmp_path / "releases", cleared=cleared)
    where = {"lake_url": lake.url, "releases": str(tmp_path / "releases"), "cleared": str(tmp_path / "cleared.txt")}
    return Settings(**where, publish_to=str(tmp_path / "shelf"))


def stages(settings: Settings) -> set[str]:
    """What `status` says is due."""
    config = TeacherConfig()
    teacher = open_engine(settings.lake(), config).teacher
    where = (settings.releases_path(), settings.release_profile(), settings.cleared_images())
    return {row.stage for row in due(settings.lake(), [SOURCE], teacher, config, *where)}


def test_status_finds_the_release_with_cleared_pictures(place):
    assert "release" not in stages(place)
    shutil.rmtree(place.releases_path())
    assert "release" in stages(place)


def test_the_asset_publishes_the_release_with_cleared_pictures(place):
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = build_defs(place).resolve_job_def("publish").execute_in_process(instance=instance, run_config=quiet)
        (event,) = result.get_asset_materialization_events()
    assert "dry run" in str(event.materialization.metadata["published"].value)


def test_the_report_of_a_shell_withholds_no_cleared_picture(place, tmp_path, monkeypatch):
    out = tmp_path / "report.html"
    where = ["--releases", str(tmp_path), "--sources", SOURCE, "--out", str(out)]
    assert report(where) == 0
    assert "image gate face" not in out.read_text()
    monkeypatch.delenv("DERMOFORGE_CLEARED")
    assert report(where) == 0
    assert "image gate face: to be reviewed" in out.read_text()


def test_a_profile_that_is_none_is_refused_with_those_there_are(place, capsys):
    with pytest.raises(SystemExit) as ended:
        report(["--profile", "everything"])
    assert ended.value.code == 2
    assert "annotations-only" in capsys.readouterr().err


def test_a_file_of_cleared_pictures_that_is_not_there_is_refused(place, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DERMOFORGE_CLEARED", str(tmp_path / "nothing.txt"))
    with pytest.raises(SystemExit) as ended:
        report(["--sources", SOURCE])
    assert ended.value.code == 2
    assert "nothing.txt" in capsys.readouterr().err


def test_status_names_every_stage_that_has_not_been_run(place):
    assert stages(place) >= {"evidence", "keypoints", "embeddings", "groups", "diagnoses"}


def test_status_says_that_nothing_was_rendered_yet(place):
    lake = Lake(place.lake_url)
    shutil.rmtree(Path(place.lake_url) / "tables" / "samples")
    row = {"image_id": f"{SOURCE}:a", "teacher": "composer", "conditioning": "confirmed", "sample": 0}
    put(lake, "trajectories", [{**row, "source": SOURCE, "status": "accepted"}])
    assert "samples" in stages(place)
    put(lake, "trajectories", [{**row, "source": SOURCE, "status": "length"}])
    assert "samples" not in stages(place)


def put(lake: Lake, table: str, rows: list[dict]) -> None:
    import pyarrow as pa

    from pipelines.tables import TABLES

    lake.replace(table, pa.Table.from_pylist(rows, schema=TABLES[table].schema), source=SOURCE)
