"""What a person does in the UI, through the GraphQL that the UI speaks to: `dagster dev` with its daemon, over a finished phantom corpus."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Corpus

BLOCKLIST = "external.csv"

LAUNCH = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
RERUN = """mutation($p: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $p) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
BACKFILL = """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
BACKFILL_STATUS = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
  __typename ... on PartitionBackfill { status runs(limit: 5) { runId tags { key value } } error { message } } } }"""
RUN = """query($id: ID!) { runOrError(runId: $id) { ... on Run { status stepStats { stepKey status } } } }"""
RUNS = (
    """{ runsOrError(limit: 5) { ... on Runs { results { jobName status assetMaterializations { assetKey { path } } } } } }"""
)
PARTITION = """query($k: AssetKeyInput!) { assetOrError(assetKey: $k) { ... on Asset {
  assetMaterializations(limit: 1) { partition runId metadataEntries { label ... on IntMetadataEntry { intValue } } } } } }"""
CHECKS = """query($k: AssetKeyInput!) { assetNodeOrError(assetKey: $k) { ... on AssetNode { assetChecksOrError { ... on AssetChecks {
  checks { name blocking executionForLatestMaterialization { status evaluation { severity metadataEntries {
    label ... on MarkdownMetadataEntry { mdStr } } } } } } } } } }"""
START = """mutation($s: ScheduleSelector!) { startSchedule(scheduleSelector: $s) {
  __typename ... on ScheduleStateResult { scheduleState { status } } ... on PythonError { message } } }"""
STOP = """mutation($id: String!) { stopRunningSchedule(id: $id) {
  __typename ... on ScheduleStateResult { scheduleState { status } } ... on PythonError { message } } }"""
SCHEDULE = """query($s: ScheduleSelector!) { scheduleOrError(scheduleSelector: $s) { __typename ... on Schedule {
  scheduleState { id status } futureTicks(limit: 1) { results { timestamp } } } } }"""


@dataclass(frozen=True)
class UI:
    """A running `dagster dev`: where its corpus lies and how to ask it."""

    home: Path
    address: str

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer; errors fail."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.address}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            found = json.load(answer)
        assert "errors" not in found, found["errors"]
        (data,) = found["data"].values()
        return data

    def launch(self, *assets: str, **tags: str) -> str:
        """Start a run of assets, as *Materialize* does; its id."""
        selector = self.place | {"pipelineName": "__ASSET_JOB", "assetSelection": [{"path": [name]} for name in assets]}
        execution = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
        done = self.ask(LAUNCH, p={"selector": selector, "runConfigData": {}, "executionMetadata": execution})
        assert done["__typename"] == "LaunchRunSuccess", done
        return done["run"]["runId"]

    def ended(self, run_id: str) -> dict[str, Any]:
        """The run, when it has ended."""
        return until(lambda: self.ask(RUN, id=run_id), lambda run: run["status"] in ("SUCCESS", "FAILURE", "CANCELED"))

    @property
    def place(self) -> dict[str, str]:
        """The code location."""
        return {"repositoryLocationName": "assets.definitions", "repositoryName": "__repository__"}


def until(look: Callable[[], Any], enough: Callable[[Any], bool], seconds: float = 250) -> Any:
    """What is seen as soon as it is enough; the last that was seen fails."""
    end = time.monotonic() + seconds
    while not enough(seen := look()):
        assert time.monotonic() < end, seen
        time.sleep(0.3)
    return seen


def steps(run: dict[str, Any]) -> dict[str, str]:
    return {step["stepKey"]: step["status"] for step in run["stepStats"]}


@pytest.fixture(scope="module")
def ui(corpus, tmp_path_factory) -> Iterator[UI]:
    """`dagster dev` as `make ui` starts it, over a copy of the corpus and of its runs."""
    mine = Corpus(tmp_path_factory.mktemp("ui"))
    shutil.copytree(corpus.home, mine.home, dirs_exist_ok=True)
    (mine.home / BLOCKLIST).write_text("neither,of,the,columns\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    dagster = str(Path(sys.executable).with_name("dagster"))
    environment = mine.environment | {"DERMOFORGE_BLOCKLISTS": str(mine.home / BLOCKLIST)}
    with (mine.home / "dev.log").open("w") as log:
        command = [dagster, "dev", "-h", "127.0.0.1", "-p", port]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True, preexec_fn=interruptible
        )
        try:
            found = UI(mine.home, f"http://127.0.0.1:{port}")
            until(lambda: answers(found, process), bool)
            yield found
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def interruptible() -> None:
    """Ctrl-C works as in a terminal: a shell that starts the tests in the background has them ignore it, and all that they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def answers(ui: UI, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, (ui.home / "dev.log").read_text()[-3000:]
    try:
        return ui.ask("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")["nodes"] != []
    except OSError:
        return False


def test_materialize_all_is_in_the_history(ui):
    (run,) = ui.ask(RUNS)["results"][-1:]
    made = {event["assetKey"]["path"][0] for event in run["assetMaterializations"]}
    assert run["status"] == "SUCCESS" and {"images", "trajectories", "parquet_shards", "report"} <= made
    assert "hub_release" not in made


def test_one_partition_of_one_asset_is_materialised_alone(ui):
    run_id = ui.launch("diagnoses", **{"dagster/partition": "phantom"})
    run = ui.ended(run_id)
    assert run["status"] == "SUCCESS", run
    (event,) = ui.ask(PARTITION, k={"path": ["diagnoses"]})["assetMaterializations"]
    assert event["runId"] == run_id and event["partition"] == "phantom"
    numbers = {entry["label"]: entry.get("intValue") for entry in event["metadataEntries"]}
    assert numbers["dagster/partition_row_count"] == Corpus(ui.home).lake.read("diagnoses").num_rows
    assert set(steps(run)) <= {"diagnoses", "tables_stand"}


def test_a_backfill_is_one_run_of_its_partitions(ui):
    launched = ui.ask(BACKFILL, p={"assetSelection": [{"path": ["diagnoses"]}], "partitionNames": ["phantom"]})
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    done = until(
        lambda: ui.ask(BACKFILL_STATUS, id=launched["backfillId"]),
        lambda backfill: backfill["status"] not in ("REQUESTED", "COMPLETING"),
    )
    assert done["status"] == "COMPLETED_SUCCESS", done
    (run,) = done["runs"]
    assert steps(ui.ended(run["runId"]))["diagnoses"] == "SUCCESS"
    assert {"key": "dagster/backfill", "value": launched["backfillId"]} in run["tags"]


def test_a_failed_check_is_seen_with_its_reason(ui):
    (ui.home / "reviews").mkdir(exist_ok=True)
    (ui.home / "reviews" / "broken.json").write_text("{ this is no export")
    assert ui.ended(ui.launch("reviews"))["status"] == "SUCCESS"
    checks = {check["name"]: check for check in ui.ask(CHECKS, k={"path": ["reviews"]})["assetChecksOrError"]["checks"]}
    seen = checks["understood"]["executionForLatestMaterialization"]
    assert seen["status"] == "FAILED" and seen["evaluation"]["severity"] == "WARN"
    assert "broken.json" in "".join(entry.get("mdStr") or "" for entry in seen["evaluation"]["metadataEntries"])
    assert checks["schema"]["executionForLatestMaterialization"]["status"] == "SUCCEEDED" and checks["schema"]["blocking"]


def test_a_run_goes_on_from_where_it_failed(ui):
    run_id = ui.launch("diagnoses", "groups", **{"dagster/partition": "phantom"})
    failed = ui.ended(run_id)
    assert failed["status"] == "FAILURE" and steps(failed)["groups"] == "FAILURE" and steps(failed)["diagnoses"] == "SUCCESS"
    (ui.home / BLOCKLIST).write_text("sha256\n")
    again = ui.ask(RERUN, p={"parentRunId": run_id, "strategy": "FROM_FAILURE"})
    assert again["__typename"] == "LaunchRunSuccess", again
    done = ui.ended(again["run"]["runId"])
    assert done["status"] == "SUCCESS" and "groups" in steps(done) and "diagnoses" not in steps(done)


def test_a_schedule_is_switched_on_and_off(ui):
    for name in ("weekly_corpus", "nightly_checks"):
        selector = ui.place | {"scheduleName": name}
        assert ui.ask(SCHEDULE, s=selector)["scheduleState"]["status"] == "STOPPED"
        assert ui.ask(START, s=selector)["scheduleState"]["status"] == "RUNNING"
        running = ui.ask(SCHEDULE, s=selector)
        assert running["scheduleState"]["status"] == "RUNNING" and running["futureTicks"]["results"]
        assert ui.ask(STOP, id=running["scheduleState"]["id"])["scheduleState"]["status"] == "STOPPED"
