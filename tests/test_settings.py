"""Settings as a deployment gives them: the examples load, the environment goes before a file, and what cannot be meant is refused."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from assets.environment import read_environment
from assets.settings import NAMES, Settings
from sources.catalogue import source
from sources.licences import LICENCES

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "config").glob("*.env"))
COMMAND = str(Path(sys.executable).with_name("dermoforge"))
LOADED = """
import json, sys
from assets.environment import read_environment
read_environment(sys.argv[1])
from assets.settings import Settings, chosen_sources
Settings().check()
print(json.dumps(Settings().model_dump(mode="json") | {"sources": chosen_sources()}))
"""


def loaded(file: Path, **environment: str) -> dict:
    """What a process that reads a file has for settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DERMOFORGE_")}
    command = [sys.executable, "-c", LOADED, str(file)]
    done = subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_there_is_an_example_for_each_kind_of_deployment():
    assert [file.stem for file in EXAMPLES] == ["annotations-only", "cluster", "laptop", "one-gpu"]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_is_what_the_settings_become(file):
    said = dict(line.split("=", 1) for line in file.read_text().splitlines() if line and not line.startswith("#"))
    found = loaded(file)
    assert found["sources"] == sorted(said.pop("DERMOFORGE_SOURCES").split(","))
    ours = {name.removeprefix("DERMOFORGE_").lower(): value for name, value in said.items() if name in NAMES}
    assert ours
    assert {name: found["lake_url" if name == "lake" else name] for name in ours} == ours
    for name in found["sources"]:
        assert found["profile"] != "annotations-only" or LICENCES[source(name).licence_id].annotations
    assert not [name for name in said if re.search(r"SECRET|PASSWORD|TOKEN|_KEY", name)]


def test_the_environment_goes_before_the_file():
    found = loaded(ROOT / "config" / "laptop.env", DERMOFORGE_LAKE="/elsewhere", DERMOFORGE_RELEASES="")
    assert (found["lake_url"], found["releases"]) == ("/elsewhere", "releases")


def test_make_reads_the_same_file():
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DERMOFORGE_")}
    wanted = ["make", "-s", "--eval=shown: ; @env", "shown", "CONFIG=config/annotations-only.env", "TEACHER=vllm"]
    done = subprocess.run(
        wanted, cwd=ROOT, env={**kept, "DERMOFORGE_LAKE": "/mine"}, capture_output=True, text=True, check=True
    )
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert found["DERMOFORGE_LAKE"] == "/mine"
    assert found["DERMOFORGE_PROFILE"] == "annotations-only"
    assert found["DERMOFORGE_SOURCES"] == "fitzpatrick17k,skincon"
    assert found["DERMOFORGE_TEACHER"] == "vllm"


@pytest.mark.parametrize(
    "line", ["LAKE = x", "export DERMOFORGE_LAKE=x", "DERMOFORGE_LAKE='x'", "DERMOFORGE_LAKE=a b", "lake=x"]
)
def test_a_line_that_the_other_readers_would_read_otherwise_is_refused(line, tmp_path):
    (tmp_path / "x.env").write_text(f"# a comment\n\n{line}\n")
    with pytest.raises(ValueError, match=r"x\.env, line 3: not NAME=value"):
        read_environment(str(tmp_path / "x.env"))


def test_wrong_settings_are_refused_together_with_what_is_allowed(tmp_path):
    wrong = {"PROFILE": "opne", "TEACHER": "gpt", "PUBLISH": "maybe", "PROFIL": "open"}
    (tmp_path / "wrong.env").write_text("".join(f"DERMOFORGE_{name}={value}\n" for name, value in wrong.items()))
    command = [COMMAND, "--config", str(tmp_path / "wrong.env"), "status"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    for told in (
        "DERMOFORGE_PROFILE is 'opne': choose open, noncommercial, annotations-only",
        "DERMOFORGE_TEACHER is 'gpt': choose composer, vllm, endpoint",
        "DERMOFORGE_PUBLISH is 'maybe': choose no, yes",
        "no setting DERMOFORGE_PROFIL; did you mean DERMOFORGE_PROFILE?",
    ):
        assert told in done.stderr


def test_the_launchpad_offers_the_words_that_a_field_takes():
    fields = Settings.to_fields_dict()
    assert fields["profile"].config_type.config_values == ["open", "noncommercial", "annotations-only"]
    assert all(field.description for field in fields.values())


def test_a_stage_in_a_wrong_environment_fails_for_good(monkeypatch):
    monkeypatch.setattr("assets.settings.WRONG", ["DERMOFORGE_PROFILE is 'opne': choose open"])
    with pytest.raises(dg.Failure, match="choose open") as refused:
        Settings().lake()
    assert refused.value.allow_retries is False
