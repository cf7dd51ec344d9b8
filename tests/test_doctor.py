"""The doctor on a machine that is broken in each way: it names the fault and the remedy, and says nothing is wrong where nothing is."""

import os
import socket
from pathlib import Path

import pytest

from pipelines import doctor
from pipelines.lake import Lake
from pipelines.tables import TABLES
from pipelines.teach.config import TeacherConfig, load_config


def place(tmp_path: Path, **changes) -> doctor.Place:
    whole = {
        "lake": Lake(str(tmp_path / "lake")),
        "releases": tmp_path / "releases",
        "cache": tmp_path / "cache",
        "teacher": TeacherConfig,
        "embedder": "hf-hub:no/such",
        "port": _free_port(),
    }
    return doctor.Place(**{**whole, **changes})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def faults(examined: doctor.Place) -> dict[str, doctor.Finding]:
    return {finding.what: finding for finding in doctor.examine(examined) if finding.level == "fault"}


def test_a_sound_machine_has_no_fault(tmp_path):
    assert faults(place(tmp_path)) == {}
    assert not (tmp_path / "lake").exists()


def test_a_disk_that_is_too_small(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "NEEDED_GB", 1e9)
    found = faults(place(tmp_path))
    assert {"disk of lake", "disk of releases", "disk of cache"} <= set(found)
    assert "DERMOFORGE_LAKE" in found["disk of lake"].remedy


def test_a_lake_that_cannot_be_written(tmp_path):
    assert "cannot be written" in faults(place(tmp_path, lake=Lake("/proc/lake")))["lake"].found
    (tmp_path / "file").write_text("")
    assert "no folder" in faults(place(tmp_path, lake=Lake(str(tmp_path / "file"))))["lake"].found


def test_a_lake_of_another_version(tmp_path):
    import pyarrow as pa
    from deltalake import write_deltalake

    lake = Lake(str(tmp_path / "lake"))
    write_deltalake(lake.table_url(next(iter(TABLES))), pa.table({"other": [1]}))
    assert "another version" in faults(place(tmp_path, lake=lake))["tables"].found


def test_an_object_store_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{_free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert "AWS_ENDPOINT_URL" in faults(place(tmp_path, lake=Lake("s3://none/lake")))["tables"].remedy


def test_a_port_that_is_taken(tmp_path):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        assert f"make ui PORT={port + 1}" in faults(place(tmp_path, port=port))["port"].remedy


def test_a_torchvision_of_another_torch(tmp_path, monkeypatch):
    broken = tmp_path / "broken" / "torchvision"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')\n")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    found = faults(place(tmp_path))["torch"]
    assert "nms does not exist" in found.found
    assert "make install" in found.remedy


def test_weights_that_are_not_here(tmp_path):
    found = faults(place(tmp_path, teacher=lambda: load_config(engine="vllm", model="no/such-model")))
    assert "hf download no/such-model" in found["teacher's weights"].remedy


def test_a_teacher_file_with_a_wrong_field(tmp_path):
    file = tmp_path / "teacher.toml"
    file.write_text("engine = 'gpt'\n")
    assert (
        "'composer', 'vllm' or 'endpoint'" in faults(place(tmp_path, teacher=lambda: load_config(str(file))))["teacher"].found
    )


def test_a_server_that_is_down(tmp_path):
    file = tmp_path / "endpoint.toml"
    file.write_text(f"engine = 'endpoint'\nmodel = 'm'\n[endpoint]\nurls = ['http://127.0.0.1:{_free_port()}/v1']\n")
    assert "make teacher" in faults(place(tmp_path, teacher=lambda: load_config(str(file))))["teacher's server"].remedy


def test_a_cluster_that_is_down(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{_free_port()}")
    assert "unset RAY_ADDRESS" in faults(place(tmp_path))["ray"].remedy


def test_publishing_without_a_token(tmp_path, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "no-token"))
    if os.path.exists(os.path.expanduser("~/.cache/huggingface/token")):
        pytest.fail("this test needs an account without a stored token")
    assert "HF_TOKEN" in faults(place(tmp_path, publish_to="hf://datasets/o/n"))["hub token"].remedy
