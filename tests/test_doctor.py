"""The doctor on a machine that is broken in each way: it names the fault and the remedy, and says nothing is wrong where nothing is."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from pipelines import doctor
from pipelines.lake import Lake
from pipelines.tables import TABLES
from pipelines.teach.config import TeacherConfig, load_config
from tests.conftest import ROOT, object_store
from tests.postgres import free_port, postgres


def place(tmp_path: Path, **changes) -> doctor.Place:
    whole = {
        "lake": Lake(str(tmp_path / "lake")),
        "releases": tmp_path / "releases",
        "cache": tmp_path / "cache",
        "teacher": TeacherConfig,
        "embedder": "hf-hub:no/such",
        "port": free_port(),
    }
    return doctor.Place(**{**whole, **changes})


def fault(examined: doctor.Place, what: str) -> doctor.Finding:
    """The fault of that name; what is looked at after it is not."""
    return next(found for found in doctor.examine(examined) if found.what == what and found.level == "fault")


def test_a_sound_machine_has_no_fault(tmp_path):
    assert [found for found in doctor.examine(place(tmp_path)) if found.level == "fault"] == []
    assert not (tmp_path / "lake").exists()


@pytest.fixture
def full(tmp_path) -> Iterator[Path]:
    """A folder on a disk with next to no room; where nothing may be mounted, /proc, which has none at all."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=False, capture_output=True)
    yield Path("/proc") if mounted.returncode else small
    if not mounted.returncode:
        subprocess.run(["umount", small], check=True)


def test_a_disk_without_room(tmp_path, full):
    found = fault(place(tmp_path, lake=Lake(str(full / "lake"))), "disk of lake")
    assert found.found.startswith("0.0 GB free")
    assert "DERMOFORGE_LAKE" in found.remedy


def test_a_lake_that_cannot_be_written(tmp_path):
    assert "cannot be written" in fault(place(tmp_path, lake=Lake("/proc/lake")), "lake").found
    (tmp_path / "file").write_text("")
    assert "no folder" in fault(place(tmp_path, lake=Lake(str(tmp_path / "file"))), "lake").found


def test_a_lake_of_another_version(tmp_path):
    import pyarrow as pa
    from deltalake import write_deltalake

    lake = Lake(str(tmp_path / "lake"))
    write_deltalake(lake.table_url(next(iter(TABLES))), pa.table({"other": [1]}))
    assert "another version" in fault(place(tmp_path, lake=lake), "tables").found


def test_an_object_store_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert "AWS_ENDPOINT_URL" in fault(place(tmp_path, lake=Lake("s3://none/lake")), "tables").remedy


def test_an_object_store_without_credentials(tmp_path, monkeypatch):
    with object_store() as url:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        found = fault(place(tmp_path, lake=Lake(f"{url}/lake")), "tables")
        assert "set AWS_ACCESS_KEY_ID" in found.remedy


def test_an_object_store_that_refuses_the_credentials(tmp_path):
    with object_store() as url:
        urllib3.request("POST", f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset-auth", body=b"0")
        assert "refuses these credentials" in fault(place(tmp_path, lake=Lake(f"{url}/lake")), "tables").remedy
        urllib3.request("POST", f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset-auth", body=b"inf")


def test_a_bucket_that_is_not_there(tmp_path):
    with object_store():
        assert "create the bucket" in fault(place(tmp_path, lake=Lake("s3://another/lake")), "tables").remedy


@pytest.fixture
def home(tmp_path) -> Path:
    """A DAGSTER_HOME with the configuration of a team server."""
    (tmp_path / "dagster").mkdir()
    shutil.copy(ROOT / "deploy" / "dagster.yaml", tmp_path / "dagster")
    return tmp_path / "dagster"


def test_a_postgres_that_answers_and_one_that_refuses(tmp_path, home, monkeypatch):
    examined = place(tmp_path, dagster_home=str(home))
    with postgres() as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert "answers" in next(found.found for found in doctor.examine(examined) if found.what == "dagster")
        monkeypatch.setenv("DAGSTER_POSTGRES_PASSWORD", "wrong")
        assert "check DAGSTER_POSTGRES_USER" in fault(examined, "dagster").remedy
    assert "start it" in fault(examined, "dagster").remedy


def test_a_postgres_without_its_password(tmp_path, home):
    assert "DAGSTER_POSTGRES_PASSWORD" in fault(place(tmp_path, dagster_home=str(home)), "dagster").found


def test_a_setting_that_means_nothing(tmp_path):
    assert "PROFIL" in fault(place(tmp_path, wrong=("there is no setting DERMOFORGE_PROFIL",)), "settings").found


def installed(folder: Path, name: str, version: str) -> Path:
    """A folder in which a package of that name and version is installed, as Python's metadata have it."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder


def test_a_torch_of_another_version(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(installed(tmp_path / "other", "torch", "2.9.1"))
    found = fault(place(tmp_path), "packages")
    assert "torch 2.9.1 (needs ==2.13.0" in found.found
    assert "make install" in found.remedy


def test_the_gpu_build_without_a_driver(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(installed(tmp_path / "other", "vllm", "0.29.0"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "BUILD=cpu" in fault(place(tmp_path), "gpu").remedy


def test_a_lock_that_is_behind(tmp_path, monkeypatch):
    (tmp_path / "requirements").mkdir()
    locked = (ROOT / "requirements" / "cpu.lock").read_text()
    asked = (ROOT / "pyproject.toml").read_text()
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    (tmp_path / "requirements" / "cpu.lock").write_text(locked)
    (tmp_path / "pyproject.toml").write_text(asked.replace('"psutil==', '"psutil==9.'))
    assert fault(place(tmp_path), "lock").remedy.startswith("`make lock`")
    (tmp_path / "pyproject.toml").write_text(asked.replace('"psutil==', '"psutil==9.'))
    (tmp_path / "requirements" / "cpu.lock").write_text(locked.replace("\npsutil==", "\npsutil==9."))
    assert fault(place(tmp_path), "lock").remedy.startswith("`make install`")


def test_a_port_that_is_taken(tmp_path):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        assert f"make ui PORT={port + 1}" in fault(place(tmp_path, port=port), "port").remedy


def test_a_torchvision_of_another_torch(tmp_path, monkeypatch):
    broken = tmp_path / "broken" / "torchvision"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    found = fault(place(tmp_path), "torch")
    assert "nms does not exist" in found.found
    assert "make install" in found.remedy


def test_weights_that_are_not_here(tmp_path):
    examined = place(tmp_path, teacher=lambda: load_config(engine="vllm", model="no/such-model"))
    assert "hf download no/such-model" in fault(examined, "teacher's weights").remedy


def test_a_teacher_file_with_a_wrong_field(tmp_path):
    file = tmp_path / "teacher.toml"
    file.write_text("engine = 'gpt'\n")
    assert "'composer', 'vllm' or 'endpoint'" in fault(place(tmp_path, teacher=lambda: load_config(str(file))), "teacher").found


def test_a_server_that_is_down(tmp_path):
    file = tmp_path / "endpoint.toml"
    file.write_text(f"engine = 'endpoint'\nmodel = 'm'\n[endpoint]\nurls = ['http://127.0.0.1:{free_port()}/v1']\n")
    assert "make teacher" in fault(place(tmp_path, teacher=lambda: load_config(str(file))), "teacher's server").remedy


def test_a_cluster_that_is_down(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{free_port()}")
    assert "unset RAY_ADDRESS" in fault(place(tmp_path), "ray").remedy


def test_publishing_without_a_token(tmp_path, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "no-token"))
    if os.path.exists(os.path.expanduser("~/.cache/huggingface/token")):
        pytest.fail("this test needs an account without a stored token")
    assert "HF_TOKEN" in fault(place(tmp_path, publish_to="hf://datasets/o/n"), "hub token").remedy
