"""The main job as a user runs it: complete, repeatable, and unharmed by kill -9."""

import os
import random
import signal
import subprocess
import time
from collections import Counter

import dagster as dg
import pytest

from pipelines.oracle import copies_found
from sources import phantom


def test_every_phantom_is_an_image_or_has_a_reason(corpus):
    drawn = {record.image_id for record in phantom.records()}
    kept = set(corpus.lake.read("images").column("image_id").to_pylist())
    dropped = {f"phantom:{r['native_id']}" for r in corpus.lake.read("quarantine").to_pylist() if not r["repaired"]}
    assert kept | dropped == drawn
    assert not kept & dropped


def test_planted_faults_have_the_reasons_that_were_planted(corpus):
    rows = corpus.lake.read("quarantine").to_pylist()
    found = {(f"phantom:{r['native_id']}", r["reason"]) for r in rows}
    assert set(phantom.truth().faults.items()) <= found


def test_planted_copies_are_found_and_nothing_else_is_called_a_copy(corpus):
    found = copies_found(corpus.lake)
    assert found.false == ()
    for kind in found.by_kind:
        got, planted = map(int, found.by_kind[kind].split(" of "))
        assert got == planted, (kind, found.by_kind)


def test_planted_label_conflicts_are_marked_and_not_taught(corpus):
    status = {r["image_id"]: r["status"] for r in corpus.lake.read("groups").to_pylist()}
    taught = set(corpus.lake.read("trajectories").column("image_id").to_pylist())
    for pair in phantom.truth().label_conflicts:
        assert {status[i] for i in pair} == {"conflicting label"}
        assert not taught & set(pair)


def test_the_last_table_tells_the_whole_story(corpus):
    printed = corpus.run()
    for word in ("images in", "quarantined", "duplicates", "trajectories", "samples", "release", "seconds", "paths"):
        assert word in printed
    assert "reasoning / train" in printed
    assert "weights are not on this machine" in printed


def test_a_second_run_asks_nothing_and_finds_its_release(corpus):
    before = corpus.manifest()
    versions = {table: corpus.lake.version(table) for table in ("images", "fingerprints", "groups", "completions", "samples")}
    printed = corpus.run()
    assert corpus.manifest() == before
    assert versions == {table: corpus.lake.version(table) for table in versions}
    row = next(line for line in printed.splitlines() if "asked" in line)
    assert row.split("│")[3].strip() == "0"


@pytest.mark.timeout(1200)
def test_killed_at_random_moments_it_ends_as_if_undisturbed(corpus, tmp_path, monkeypatch):
    other = type(corpus)(tmp_path)
    for pool in ("network", "gpu", "teacher"):
        limit = [".venv/bin/dagster", "instance", "concurrency", "set", pool, "1"]
        subprocess.run(limit, env=other.environment, check=True, capture_output=True)
    moments = random.Random(20)
    for _ in range(3):
        process = other.start()
        try:
            process.communicate(timeout=moments.uniform(4, 25))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    other.run()
    assert other.manifest() == corpus.manifest()
    keys = Counter(other.lake.read("completions").column("request_key").to_pylist())
    assert set(keys.values()) == {1}
    assert set(keys) == set(corpus.lake.read("completions").column("request_key").to_pylist())
    assert not list((tmp_path / "releases").glob(".*.partial"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    with dg.DagsterInstance.get() as instance:
        statuses = {run.status for run in instance.get_runs()}
    assert statuses <= {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}


@pytest.mark.timeout(300)
def test_a_run_killed_while_it_holds_a_pool_does_not_block_the_next(corpus, tmp_path):
    other = type(corpus)(tmp_path)
    limit = [".venv/bin/dagster", "instance", "concurrency", "set", "network", "1"]
    subprocess.run(limit, env=other.environment, check=True, capture_output=True)
    process = other.start()
    assert process.stderr
    next(line for line in process.stderr if "starting Ray" in line)  # the first step, which holds the pool, has begun
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    printed = other.run()
    assert "had been killed" in printed


def test_an_unknown_source_is_named_with_the_closest(corpus):
    process = corpus.start(DERMOFORGE_SOURCES="ham1000")
    _printed, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "did you mean ham10000" in errors


def test_the_code_location_loads_fast_and_light(corpus):
    code = "import sys, time; t = time.perf_counter(); import assets.definitions; print(time.perf_counter() - t); print(sorted({'torch', 'ray', 'vllm', 'open_clip', 'transformers', 'datasets', 'numba', 'cv2', 'scipy', 'faiss', 'matplotlib', 'sklearn', 'hyperscan', 'jsonschema'} & set(sys.modules)))"
    start = time.perf_counter()
    out = subprocess.run([".venv/bin/python", "-c", code], capture_output=True, text=True, check=True, cwd=os.getcwd())
    assert time.perf_counter() - start < 60
    assert out.stdout.splitlines()[1] == "[]"
