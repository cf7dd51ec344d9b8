"""Set-up that cannot drift: locks, instance file, ignored folders."""

import ast
import itertools
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / lock).read_text().splitlines()
    found = (re.match(r"([A-Za-z0-9_.-]+)==([^ \\;]+)", line) for line in lines)
    return {match[1].lower().replace("_", "-"): match[2] for match in found if match}


@pytest.mark.parametrize("build", ["cpu", "gpu"])
def test_the_lock_holds_every_direct_dependency_at_its_pin(build):
    locked = pins(f"{build}.lock")
    wanted = [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"][build],
        *PROJECT["dependency-groups"]["dev"],
    ]
    for requirement in wanted:
        name, version = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==(.+)", requirement).groups()
        assert locked[name.lower()] == version, requirement


@pytest.mark.parametrize("build", ["cpu", "gpu"])
def test_the_lock_can_be_used_anywhere(build):
    text = (ROOT / "requirements" / f"{build}.lock").read_text()
    assert "://" not in text and "file:" not in text and "@ " not in text
    unhashed = [line for line in text.splitlines() if "==" in line and not line.endswith("\\")]
    assert unhashed == (["torch==2.13.0+cpu"] if build == "cpu" else [])
    assert not {"torchaudio", "torchcodec"} & set(pins(f"{build}.lock"))


def test_the_instance_file_keeps_data_here_and_explains_itself():
    text = (ROOT / "dagster.yaml").read_text()
    settings = yaml.safe_load(text)
    assert settings["telemetry"] == {"enabled": False}
    assert settings["run_retries"]["retry_on_asset_or_op_failure"] is False
    blocks = re.split(r"\n(?=[a-z_]+:)", text)
    for before, block in itertools.pairwise(blocks):
        assert before.rstrip().splitlines()[-1].startswith("#"), block.splitlines()[0]


@pytest.mark.parametrize("path", ["lake/x", "releases/x", "reviews/x", "cache/x", ".dagster/x", ".venv/x"])
def test_what_runs_write_is_ignored(path):
    assert subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0


def test_make_lists_its_targets():
    printed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("corpus", "ui", "test", "lint", "sql", "clean"):
        assert f"make {target} " in printed


def test_every_threshold_has_a_name_of_its_own():
    """A second constant of the same name would change the first one's rule without a word."""
    tree = ast.parse((ROOT / "quality" / "thresholds.py").read_text())
    named = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert sorted(named) == sorted(set(named))
