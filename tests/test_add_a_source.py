"""The pages on adding a source, followed to the letter: their blocks, in order, in one shell, in a copy of the repository."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipelines.lake import Lake

ROOT = Path(__file__).parents[1]
LABELS = {
    "basal cell carcinoma": "basal-cell-carcinoma",
    "blue nevus": "blue-nevus",
    "dermatofibroma": "dermatofibroma",
    "melanocytic nevus": "nevus",
    "melanoma": "melanoma",
}


def blocks(page: str) -> list[str]:
    """What a page tells its reader to run."""
    return re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE)


def follow(copy: Path, script: str) -> str:
    """Run what a reader would type, in one shell; what it printed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DERMOFORGE_", "DAGSTER_"))}
    # The installed package is this checkout: the copy's own modules have to come first.
    environment = {**kept, "PYTHONPATH": str(copy)}
    shell = ["bash", "-euo", "pipefail"]
    done = subprocess.run(shell, input=script, cwd=copy, env=environment, capture_output=True, text=True, timeout=1100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path) -> Path:
    """The repository as a reader clones it, with the packages installed."""
    listed = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def images(lake: Lake, source: str) -> list[dict]:
    """The images of a source beside their labels, after a look at what the page promises of them."""
    nodes = {row["image_id"]: row["node"] for row in lake.read("diagnoses", source=source).to_pylist()}
    rows = lake.read("images", source=source).to_pylist()
    assert sorted(row["native_id"] for row in rows) == [f"IMG_{n:02}" for n in range(12)]
    assert all(nodes[row["image_id"]] == LABELS[row["diagnosis_raw"]] for row in rows)
    assert {row["licence_id"] for row in rows} == {"CC-BY-4.0"}
    assert all(row["patient_id"] for row in rows)
    (fallen,) = lake.read("quarantine", source=source).to_pylist()
    assert (fallen["native_id"], fallen["reason"]) == ("IMG_12", "empty_file")
    return rows


def test_the_example_is_short():
    assert len((ROOT / "docs" / "add_a_source.md").read_text().splitlines()) < 60


@pytest.mark.timeout(1200)  # two builds and five commands, each a process of its own
def test_the_page_on_adding_a_source_works_as_it_stands(copy):
    printed = follow(copy, "\n".join(blocks("add_a_source.md")))
    rows = images(Lake(str(copy / "demo/lake")), "clinic")
    assert {row["attribution"] for row in rows} == {"Mole clinic of Exampletown, 2024"}
    assert "IMG_12" in printed and "empty_file" in printed and "dermatofibroma" in printed
    assert "clinic: everything in demo/lake is up to date" in printed
    (manifest,) = (copy / "demo/releases").glob("corpus-*/manifest.json")
    assert json.loads(manifest.read_text())["samples"]


@pytest.mark.timeout(600)
def test_the_page_on_writing_a_reader_works_as_it_stands(copy):
    first = blocks("add_a_source.md")[0]
    follow(copy, "\n".join([first, *blocks("add_a_reader.md")]))
    images(Lake(str(copy / "lake-exampletown")), "exampletown")
    assert (
        "[Moles of Exampletown](https://example.org/moles) | 13 | dermoscopic | CC-BY-4.0"
        in (copy / "docs/sets.md").read_text()
    )
    subprocess.run([copy / ".venv/bin/ruff", "check", "sources/sets/exampletown.py"], cwd=copy, check=True)
    subprocess.run([copy / ".venv/bin/ruff", "format", "--check", "sources/sets/exampletown.py"], cwd=copy, check=True)
