"""The command line as a user types it: what it says, what it changes, and its exit status."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assets.corpus import selected

ROOT = Path(__file__).parents[1]
COMMAND = str(Path(sys.executable).with_name("dermoforge"))
LISTED = (
    "build",
    "status",
    "sources",
    "teach",
    "check",
    "ledger",
    "review",
    "publish",
    "report",
    "diff",
    "sql",
    "ui",
    "doctor",
)


def run(*arguments: str, status: int = 0, **environment: str) -> str:
    """What a command printed; its exit status has to be the one given."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DERMOFORGE_")}
    done = subprocess.run(
        [COMMAND, *arguments], cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def place(corpus, tmp_path) -> dict[str, str]:
    """Settings for a copy of the finished corpus, which may be changed."""
    for name in ("lake", "releases"):
        shutil.copytree(corpus.home / name, tmp_path / name)
    names = {"LAKE": "lake", "RELEASES": "releases", "REVIEWS": "reviews", "CACHE": "cache"}
    return {f"DERMOFORGE_{key}": str(tmp_path / value) for key, value in names.items()} | {
        "DAGSTER_HOME": str(tmp_path / "dagster")
    }


@pytest.mark.parametrize("name", LISTED)
def test_every_command_explains_itself(name):
    assert f"dermoforge {name}" in run(name, "--help")


def test_a_finished_corpus_has_nothing_due(place):
    assert "everything" in run("status", **place)


def test_status_says_what_is_missing_why_and_what_it_costs(place):
    shutil.rmtree(Path(place["DERMOFORGE_LAKE"]) / "tables" / "completions")
    shutil.rmtree(Path(place["DERMOFORGE_LAKE"]) / "tables" / "evidence")
    said = run("status", status=1, **place)
    assert "teacher: observe" in said
    assert "unknown: this teacher has not answered" in said
    assert "images without a row" in said


def test_a_part_can_be_built_alone(place):
    shutil.rmtree(Path(place["DERMOFORGE_LAKE"]) / "tables" / "samples")
    said = run("build", "--only", "samples", **place)
    assert "choice / train" in said
    assert "everything" in run("status", **place)


def test_a_name_that_is_no_asset_is_refused_with_those_there_are(place):
    assert "no asset is called 'sampels'" in run("build", "--only", "sampels", status=2, **place)
    with pytest.raises(ValueError, match="trajectories"):
        selected("nothing")


def test_a_selection_takes_whole_steps_and_never_publishes():
    assert {key.to_user_string() for key in selected("images") or ()} >= {"images", "quarantine"}
    everything = {key.to_user_string() for key in selected("images+") or ()}
    assert "samples" in everything
    assert "hub_release" not in everything


def test_an_unknown_source_is_refused_with_a_hint(place):
    assert "ham10000" in run("status", "--sources", "ham1000", status=2, **place)


def test_check_names_a_damaged_file_of_the_release(place):
    assert "each as its manifest says" in run("check", **place)
    (card,) = Path(place["DERMOFORGE_RELEASES"]).glob("*/README.md")
    card.write_text("changed")
    assert "README.md is missing or changed" in run("check", status=1, **place)


def test_sources_are_listed_shown_and_fetched(place):
    assert "HAM10000" in run("sources", "list")
    assert "licence" in run("sources", "show", "ham10000")
    assert "phantom: 0 files" in run("sources", "fetch", "phantom", **place)


def test_the_benchmark_explains_its_steps_and_shows_its_board(place):
    assert "leaderboard" in run("benchmark", "--help")
    assert "majority" in run("benchmark", "leaderboard", **place)


def test_the_report_is_one_file(place):
    assert "report" in run("report", "--public", **place)


def test_the_report_is_of_the_sources_that_are_named(tmp_path):
    empty = {"DERMOFORGE_LAKE": str(tmp_path / "lake"), "DERMOFORGE_RELEASES": str(tmp_path / "releases")}
    assert "holds no image of med_node, pad_ufes_20" in run("report", "-s", "pad_ufes_20,med_node", status=1, **empty)
    assert "did you mean med_node?" in run("report", "-s", "med_nod", status=2, **empty)


def test_sql_and_ledger_read_the_lake(place):
    assert "completions" in run("sql", "select 'completions' as name, count(*) from completions", **place)
    assert "composer" in run("ledger", **place)
