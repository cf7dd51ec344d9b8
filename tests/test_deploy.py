"""What deploy/ holds: an instance on Postgres that retries what died and not what failed, and the commands of the compose file, which run."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from assets.settings import Settings
from tests.conftest import ROOT
from tests.postgres import free_port, postgres

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
START_SECONDS = 150
"""Longest start of the servers together: four imports of Dagster on a busy machine."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The variables of a team server with a lake of its own."""
    home = tmp_path_factory.mktemp("deploy")
    (home / "dagster").mkdir()
    (home / "dagster" / "dagster.yaml").write_bytes((DEPLOY / "dagster.yaml").read_bytes())
    kept = {key: value for key, value in os.environ.items() if not key.startswith("DERMOFORGE_")}
    names = {"LAKE": "lake", "RELEASES": "releases", "REVIEWS": "reviews", "CACHE": "cache"}
    with postgres() as variables:
        places = {f"DERMOFORGE_{key}": str(home / value) for key, value in names.items()}
        yield {**kept, **variables, **places, "DAGSTER_HOME": str(home / "dagster")}


@pytest.fixture
def instance(environment, monkeypatch) -> Iterator[dg.DagsterInstance]:
    """The instance that deploy/dagster.yaml describes."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as found:
        yield found


def test_the_instance_is_on_postgres_with_a_queue_and_pools(instance, environment):
    stored = instance.get_ref().storage_data
    assert stored is not None
    assert stored.class_name == "DagsterPostgresStorage"
    settings = instance.get_concurrency_config()
    assert settings.run_queue_config.max_concurrent_runs == 1
    assert settings.pool_config.default_pool_limit == 1
    assert not instance.telemetry_enabled
    assert not list(Path(environment["DAGSTER_HOME"]).rglob("*.db"))


@dg.job
def failing() -> None:
    """A run whose step fails for good."""

    @dg.op
    def fail() -> None:
        raise dg.Failure("the archive is not there", allow_retries=False)

    fail()


@dg.job(resource_defs={"settings": Settings()})
def refused() -> None:
    """A run in a wrong environment."""

    @dg.op
    def touch(settings: Settings) -> None:
        settings.lake()

    touch()


def test_what_failed_is_not_tried_again_and_what_died_is(instance, monkeypatch):
    monkeypatch.setattr("assets.settings.WRONG", ["DERMOFORGE_PROFILE is 'opne'"])
    for job in (failing, refused):
        run = job.execute_in_process(instance=instance, raise_on_error=False).run_id
        assert instance.get_run_by_id(run).tags["dagster/will_retry"] == "false", job.name
    killed = instance.create_run_for_job(failing, status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(killed, "its container is gone")
    assert instance.get_run_by_id(killed.run_id).tags["dagster/will_retry"] == "true"


def test_the_compose_file_holds_no_secret_and_names_what_exists():
    for name, service in COMPOSE["services"].items():
        for variable, value in service.get("environment", {}).items():
            assert not re.search("PASSWORD|SECRET|TOKEN|KEY", variable) or value is None or value.startswith("${"), (
                name,
                variable,
            )
    ours = [service for service in COMPOSE["services"].values() if service["image"].startswith("dermoforge")]
    assert [Path(sys.executable).with_name(service["command"][0]).exists() for service in ours] == [True] * 3
    assert (DEPLOY / COMPOSE["x-dermoforge"]["env_file"].split(":-")[1].rstrip("}")).exists()
    wanted = set(re.findall(r"env: (\w+)", (DEPLOY / "dagster.yaml").read_text()))
    assert wanted <= set(COMPOSE["x-dermoforge"]["environment"])


def test_the_image_is_made_by_the_makefile():
    steps = re.findall(r"^RUN (.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert "make install BUILD=${BUILD}" in steps
    kept_out = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert {".venv", "lake", "releases", "cache"} <= set(kept_out)


@pytest.mark.timeout(600)
def test_the_commands_of_the_compose_file_run_a_job(environment, tmp_path):
    from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError

    ports = {"4000": str(free_port()), "3000": str(free_port())}
    workspace = tmp_path / "workspace.yaml"
    place = (DEPLOY / "workspace.yaml").read_text().replace("host: code", "host: 127.0.0.1")
    workspace.write_text(place.replace("4000", ports["4000"]))
    with ExitStack() as running:
        for name in ("code", "webserver", "daemon"):
            command = [ports.get(part, part) for part in COMPOSE["services"][name]["command"]]
            command = [str(workspace) if part == "deploy/workspace.yaml" else part for part in command]
            running.enter_context(started(command, environment, tmp_path / f"{name}.log"))
        client = DagsterGraphQLClient("127.0.0.1", port_number=int(ports["3000"]))

        def submit() -> str | None:
            try:
                return client.submit_job_execution("corpus", asset_selection=["reviews"])
            except (DagsterGraphQLClientError, OSError):
                return None

        run = until(submit, tmp_path)
        ended = until(lambda: {"SUCCESS": "SUCCESS", "FAILURE": "FAILURE"}.get(client.get_run_status(run).value), tmp_path)
    assert ended == "SUCCESS", logs(tmp_path)


@contextmanager
def started(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """A server with all that it starts, as long as the context lasts."""
    program = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
    with log.open("w") as out:
        process = subprocess.Popen(program, cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True)
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def until(ask: Callable[[], Any], folder: Path) -> Any:
    """What is answered at last. A test fails that waits too long."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(0.5)
    raise AssertionError(logs(folder))


def logs(folder: Path) -> str:
    """The end of what each server said."""
    return "\n".join(f"{path.name}: {path.read_text()[-3000:]}" for path in sorted(folder.glob("*.log")))
