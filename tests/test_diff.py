"""Differences between releases: every kind of change is told with its reason, and bytes are counted as files and as chunks."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.chunks import LEAST, MOST, chunks, new_bytes
from pipelines.diff import compare, since_before
from pipelines.history import before, order
from pipelines.lake import Lake
from pipelines.release import release
from pipelines.tables import TABLES
from prompts.ontology import load
from prompts.schemas import TEXT_KEY
from quality.image_gates import ACTIONS
from tests.outgoing_lake import Made, lake_of, numbered

SOURCE, IMAGES = "ham10000", 12
EXCLUDING = next(code for code, action in sorted(ACTIONS.items()) if action == "exclude")


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("old")
    lake = lake_of(home, numbered([Made(0)] * IMAGES))
    prompted(lake, "one")
    assert release(lake, [SOURCE], home / "releases", "open")
    return home


def prompted(lake: Lake, version: str) -> None:
    """Accepted trajectories, asked with prompts of a version."""
    ids = lake.read("images", source=SOURCE, columns=["image_id"]).column(0).to_pylist()
    said = {"observation": json.dumps({TEXT_KEY: "A red patch."}), "reasoning": json.dumps({"reasoning": "It is red."})}
    row = {"source": SOURCE, "teacher": "composer", "conditioning": "confirmed", "sample": 0, "status": "accepted", **said}
    rows = [{**row, "image_id": i, "prompts": json.dumps({"reason": version})} for i in ids]
    lake.replace("trajectories", pa.Table.from_pylist(rows, schema=TABLES["trajectories"].schema), source=SOURCE)


def changed(lake: Lake, table: str, change: Callable[[dict], dict | None]) -> None:
    """Change the rows of an image's table; None drops one."""
    rows = [change(row) for row in lake.read(table, source=SOURCE).to_pylist()]
    lake.replace(table, pa.Table.from_pylist([row for row in rows if row], schema=TABLES[table].schema), source=SOURCE)


def of(number: int) -> str:
    return Made(number).image_id


def gate(lake):
    changed(lake, "image_quality", lambda row: {**row, "gates": [EXCLUDING]} if row["image_id"] == of(0) else row)


def licence(lake):
    changed(lake, "images", lambda row: {**row, "licence_id": "CC-BY-NC-4.0"} if row["image_id"] == of(0) else row)


def privacy(lake):
    note = json.dumps({"note": "seen with Dr. Petrova"})
    changed(lake, "images", lambda row: {**row, "history": note} if row["image_id"] == of(0) else row)


def source(lake):
    for table in ("images", "samples", "image_quality"):
        changed(lake, table, lambda row: None if row["image_id"] == of(0) else row)


def duplicate(lake):
    changed(lake, "samples", lambda row: None if row["image_id"] == of(0) else row)
    rows = [{"image_id": of(0), "source": SOURCE, "group_id": "g", "status": "redundant"}]
    lake.replace("groups", pa.Table.from_pylist(rows, schema=TABLES["groups"].schema))


def failed_check(lake):
    changed(lake, "samples", lambda row: None if row["image_id"] == of(0) else row)
    keys = dict.fromkeys(TABLES["rejects"].schema.names, "x") | {"image_id": of(0), "source": SOURCE, "sample": 0}
    rows = [{**keys, "check": "label_leak"}]
    lake.replace("rejects", pa.Table.from_pylist(rows, schema=TABLES["rejects"].schema), source=SOURCE)


def one_format(lake):
    changed(lake, "samples", lambda row: None if row["image_id"] == of(0) and row["format"] == "choice" else row)


def label(lake):
    nodes = sorted(name for name in load().nodes if len(load().path(name)) > 1)
    changed(lake, "samples", lambda row: {**row, "node": nodes[-1]} if row["image_id"] == of(0) else row)


def teacher(lake):
    changed(lake, "samples", lambda row: {**row, "teacher": "vllm", "sample_id": row["sample_id"][::-1]})


def split(lake):
    changed(lake, "samples", lambda row: {**row, "split": "test"} if row["image_id"] == of(0) else row)


def review(lake):
    changed(lake, "samples", lambda row: {**row, "verified_by": 2} if row["image_id"] == of(0) else row)


def prompt(lake):
    prompted(lake, "two")
    changed(lake, "samples", lambda row: {**row, "messages": row["messages"].replace("A patch", "One patch")})


def answer(lake):
    changed(lake, "samples", lambda row: {**row, "messages": row["messages"].replace("A patch", "One patch")})


CHANGES = {
    gate: ("removed", f"gate: image gate {EXCLUDING} excludes", 2),
    licence: ("removed", "licence: licence CC-BY-NC-4.0 is outside profile open", 2),
    privacy: ("removed", "privacy: personal data in the source's notes: to be reviewed", 2),
    source: ("removed", "source: the image is no longer there", 2),
    duplicate: ("removed", "duplicate: a copy of it stands for it", 2),
    failed_check: ("removed", "check: label_leak", 2),
    one_format: ("removed", "format: the image is there, not in this format", 1),
    label: ("changed", "label", 2),
    teacher: ("changed", "teacher", 2 * IMAGES),
    split: ("changed", "split", 2),
    review: ("changed", "review", 2),
    prompt: ("changed", "prompt", 2 * IMAGES),
    answer: ("changed", "teacher: another answer to the same prompts", 2 * IMAGES),
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_every_kind_of_change_is_told_with_its_reason_and_back(old, tmp_path, change):
    home = tmp_path / "home"
    shutil.copytree(old, home)
    lake, first = Lake(str(home / "lake")), home / "releases" / order(home / "releases")[0]
    change(lake)
    done = release(lake, [SOURCE], home / "releases", "open")
    assert done and before(home / "releases", done.path.name) == first
    kind, why, count = CHANGES[change]
    diff = since_before(done.path)
    assert diff and getattr(diff, kind) == {why: count}
    assert diff.unchanged == 2 * IMAGES - count and sum(map(len, (diff.added, diff.removed, diff.changed))) == 1
    assert (home / "releases" / "history" / f"{done.path.name}.md").read_text() == diff.markdown()
    back = compare(done.path, first)
    if kind == "removed":
        came = {"source: the image is no longer there": "source: the image is new", CHANGES[one_format][1]: None}
        wanted = came.get(why, f"no longer held back by {why}") or "format: the image was there, not in this format"
        assert back.added == {wanted: count} and not back.removed and not back.changed
    else:
        assert back.changed == {why: count}


def test_a_release_that_did_not_change_has_no_difference(old):
    path = old / "releases" / order(old / "releases")[0]
    diff = compare(path, path)
    assert diff.unchanged == 2 * IMAGES and not (diff.added or diff.removed or diff.changed)
    assert [value for what, value in diff.n_bytes.items() if what != "total"] == [0, 0, 0]
    assert since_before(path) is None


def test_the_command_prints_it_and_names_what_is_no_release(old, tmp_path):
    path = old / "releases" / order(old / "releases")[0]
    run = [sys.executable, "-m", "pipelines.diff"]
    printed = subprocess.run([*run, str(path), str(path)], capture_output=True, text=True, check=True).stdout
    assert "| unchanged | | 24 |" in printed
    failed = subprocess.run([*run, str(path), str(tmp_path)], capture_output=True, text=True, check=False)
    assert failed.returncode == 2 and "no release" in failed.stderr


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 2_000_000), st.integers(0, 2_000_000), st.integers(1, 5_000))
def test_an_insertion_makes_few_new_chunks(tmp_path_factory, seed, size, at, inserted):
    rng, home = np.random.default_rng(seed), tmp_path_factory.mktemp("chunks")
    data = rng.bytes(size)
    at = min(at, size)
    (home / "a").write_bytes(data)
    (home / "b").write_bytes(data[:at] + rng.bytes(inserted) + data[at:])
    sizes = [length for _, length in chunks(home / "b")]
    assert sum(sizes) == size + inserted and max(sizes) <= MOST and min(sizes[:-1], default=LEAST) >= LEAST
    assert new_bytes([home / "a"], [home / "a"]) == 0
    assert inserted <= new_bytes([home / "a"], [home / "b"]) <= size + inserted
    assert new_bytes([], [home / "b"]) <= size + inserted


def test_an_insertion_in_the_middle_is_local(tmp_path):
    data = np.random.default_rng(1).bytes(8_000_000)
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "b").write_bytes(data[:4_000_000] + b"new" * 100 + data[4_000_000:])
    assert new_bytes([tmp_path / "a"], [tmp_path / "b"]) < 6 * MOST
