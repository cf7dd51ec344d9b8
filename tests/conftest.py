"""Shared ground: the real image sets, and one finished phantom corpus made by the command that users run."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from pipelines.lake import Lake
from tests.chat_server import Chat, serve

ROOT = Path(__file__).parents[1]
TEST_DATA = Path(os.environ.get("DERMOFORGE_TEST_DATA", ROOT.parent / "shared" / "data"))


LONGEST = ("test_vllm.py", "test_cluster.py", "test_corpus.py", "test_publish.py")
"""Files that take minutes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that two workers end at about the same time."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real images and metadata. Missing data fail the tests that need them."""
    assert (TEST_DATA / "mirror" / "ham10000").is_dir(), f"no real image sets in {TEST_DATA}: set DERMOFORGE_TEST_DATA"
    return TEST_DATA


@dataclass(frozen=True)
class Corpus:
    """Where a corpus run worked, and how to run it again."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """Settings that keep everything below `home`."""
        (self.home / "dagster").mkdir(parents=True, exist_ok=True)
        (self.home / "dagster" / "dagster.yaml").write_bytes((ROOT / "dagster.yaml").read_bytes())
        names = {"LAKE": "lake", "RELEASES": "releases", "REVIEWS": "reviews", "CACHE": "cache"}
        paths = {f"DERMOFORGE_{key}": str(self.home / value) for key, value in names.items()}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("DERMOFORGE_")}
        return {**kept, **paths, "DAGSTER_HOME": str(self.home / "dagster")}

    def start(self, **settings: str) -> subprocess.Popen[str]:
        """Start the command in a process group of its own."""
        command = [sys.executable, "-m", "assets.corpus"]
        environment = {**self.environment, **settings}
        out = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=out, stderr=out, start_new_session=True)

    def run(self, **settings: str) -> str:
        """Run the command to its end; what it printed. A failure shows its output."""
        process = self.start(**settings)
        printed, errors = process.communicate(timeout=900)
        assert process.returncode == 0, f"{printed}\n{errors}"
        return printed + errors

    @property
    def lake(self) -> Lake:
        """The lake of the run."""
        return Lake(str(self.home / "lake"))

    @property
    def release(self) -> Path:
        """The one finished release."""
        (found,) = [path.parent for path in (self.home / "releases").glob("[!.]*/manifest.json")]
        return found

    def manifest(self) -> dict[str, Any]:
        """Its manifest."""
        return json.loads((self.release / "manifest.json").read_text())


@pytest.fixture(scope="session")
def corpus(tmp_path_factory, worker_id) -> Corpus:
    """A finished phantom corpus: made once, of which each worker of a parallel run has its own copy."""
    made = Corpus(tmp_path_factory.mktemp("corpus"))
    if worker_id == "master":
        made.run()
        return made
    first = tmp_path_factory.getbasetemp().parent / "first_corpus"
    with FileLock(first.with_suffix(".lock")):
        if not first.exists():
            made.run()
            shutil.copytree(made.home, first)
            return made
    shutil.copytree(first, made.home, dirs_exist_ok=True)
    return made


@pytest.fixture(scope="session")
def versions(corpus, tmp_path_factory) -> list[Path]:
    """Two releases of one lake: between them six images went and six came."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipelines.release import release

    home = tmp_path_factory.mktemp("versions")
    shutil.copytree(corpus.home / "lake", home / "lake")
    lake, rows = Lake(str(home / "lake")), corpus.lake.read("samples")
    images = sorted(set(rows.column("image_id").to_pylist()))
    made = []
    for kept in (images[:60], images[6:66]):
        lake.replace("samples", rows.filter(pc.is_in(rows.column("image_id"), pa.array(kept))), source="phantom")
        done = release(lake, ["phantom"], home / "releases")
        assert done
        made.append(done.path)
    return made


@contextmanager
def object_store() -> Iterator[str]:
    """A bucket in an S3 emulator on this machine, named by the environment as long as the context lasts."""
    import boto3
    import s3fs
    import urllib3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    access = {"ENDPOINT_URL": f"http://{host}:{port}", "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}
    with pytest.MonkeyPatch.context() as environment:
        for key, value in {**access, "REGION": "us-east-1", "DEFAULT_REGION": "us-east-1"}.items():
            environment.setenv(f"AWS_{key}", value)
        boto3.client("s3", endpoint_url=access["ENDPOINT_URL"]).create_bucket(Bucket="corpus")
        s3fs.S3FileSystem.clear_instance_cache()
        yield "s3://corpus"
    s3fs.S3FileSystem.clear_instance_cache()
    urllib3.request("POST", f"{access['ENDPOINT_URL']}/moto-api/reset")  # every emulator of a process has the same buckets
    server.stop()


@pytest.fixture
def bucket() -> Iterator[str]:
    """A lake URL in an S3 emulator on this machine."""
    with object_store() as url:
        yield f"{url}/lake"


@pytest.fixture
def chat() -> Chat:
    """What the chat server below is asked, and how it misbehaves."""
    return Chat()


@pytest.fixture
def url(chat) -> Iterator[str]:
    """A chat server on this machine."""
    server = serve(chat)
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


@pytest.fixture
def untaught(corpus, tmp_path) -> Lake:
    """The corpus' lake with an empty ledger."""
    shutil.copytree(corpus.home / "lake", tmp_path / "lake")
    shutil.rmtree(tmp_path / "lake" / "tables" / "completions")
    return Lake(str(tmp_path / "lake"))
