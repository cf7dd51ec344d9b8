"""A team's server in small: Dagster on Postgres, the lake in an object store, three Ray nodes. The corpus is the laptop's, to the byte."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import ROOT, Corpus, object_store
from tests.postgres import free_port, postgres

BUSY_SECONDS = 240
"""How long the node that is to die may take to get its first task of a stage."""


@dataclass(frozen=True)
class Team:
    """What the machines of a team share: a data base, a bucket, and a Ray cluster whose head computes nothing."""

    postgres: dict[str, str]
    bucket: str
    cluster: Any
    client_port: int

    def settings(self, home: Path) -> dict[str, str]:
        """The environment of a run whose lake is in the bucket and whose instance is the team's."""
        (home / "instance").mkdir(parents=True)
        (home / "instance" / "dagster.yaml").write_bytes((ROOT / "deploy" / "dagster.yaml").read_bytes())
        return {
            "DAGSTER_HOME": str(home / "instance"),
            **self.postgres,
            "DERMOFORGE_LAKE": f"{self.bucket}/lake",
            "RAY_ADDRESS": self.cluster.address,
        }


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    """A team's machines, all of them this one."""
    from ray.cluster_utils import Cluster

    with postgres() as database, object_store() as bucket:
        head = {"num_cpus": 0, "include_dashboard": False, "ray_client_server_port": free_port()}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        yield Team(database, bucket, cluster, head["ray_client_server_port"])
        cluster.shutdown()


CLIENT = """
from textwrap import dedent
from pipelines.workers import map_in_order
assert list(map_in_order(dedent, [" " * n + str(n) for n in range(20)])) == [str(n) for n in range(20)]
try:
    list(map_in_order(dedent, [1, 2]))
except TypeError as error:
    print("raised as it was:", error)
"""


def test_a_process_outside_the_cluster_is_its_client(team):
    environment = {**os.environ, "RAY_ADDRESS": f"ray://127.0.0.1:{team.client_port}"}
    done = subprocess.run(
        [sys.executable, "-c", CLIENT], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "raised as it was" in done.stdout, done.stderr


@pytest.mark.timeout(900)
def test_a_team_makes_the_laptops_corpus_although_a_node_dies_in_the_middle(corpus, team, tmp_path):
    ours, victim = Corpus(tmp_path), next(iter(team.cluster.worker_nodes))
    process = ours.start(**team.settings(tmp_path))
    try:
        kill_when_busy(victim, "measure_batch", process)
        printed, errors = process.communicate(timeout=600)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, f"{printed}\n{errors}"
    assert ours.manifest() == corpus.manifest()
    assert not (tmp_path / "lake").exists()
    assert not list((tmp_path / "instance").rglob("*.db"))


def kill_when_busy(node: Any, task: str, run: subprocess.Popen[str]) -> None:
    """End all processes of a node at once, as a power cut does, as soon as one of its workers runs `task`."""
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    end = time.monotonic() + BUSY_SECONDS
    while run.poll() is None and time.monotonic() < end:
        children = raylet.children(recursive=True)
        if any(f"ray::{task}" in " ".join(child.cmdline()) for child in children):
            for process in (raylet, *children):
                os.kill(process.pid, signal.SIGKILL)
            return
        time.sleep(0.02)
    raise AssertionError(f"no worker of the node ran {task} within {BUSY_SECONDS} s: {run.communicate() if run.poll() else ''}")
