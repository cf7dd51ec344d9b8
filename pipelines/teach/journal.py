"""Answers on their way into the ledger, one line each in a file of the writer's own: what survives when the writer is killed.

A Delta commit takes hundreds of answers, so each answer would otherwise die with the process that waits to commit it. A line is
handed to the operating system before the answer counts as received; the next ledger that opens takes over what a dead writer left.
The file is locked for as long as its writer lives. A machine that loses power may lose the lines of the last seconds.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipelines.lake import Lake

Row = Mapping[str, Any]


class Journal:
    """One writer's file: `add` an answer, `clear` when all of them are committed. Nothing is made before the first answer."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the journals of all writers of a lake on this machine."""
        self._folder = folder
        self._file: tuple[int, str] | None = None

    def add(self, row: Row) -> None:
        """Keep one answer. Raises OSError when the disk is full."""
        if self._file is None:
            self._file = _begin(self._folder)
        line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
        if os.write(self._file[0], line) < len(line):
            raise OSError(f"{self._file[1]}: the disk is full")

    def clear(self) -> None:
        """Forget what was added: it is in the table."""
        if self._file:
            os.ftruncate(self._file[0], 0)

    def close(self) -> None:
        """Remove the file."""
        if self._file:
            os.unlink(self._file[1])
            os.close(self._file[0])
            self._file = None


def _begin(folder: Path) -> tuple[int, str]:
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        fd, path = tempfile.mkstemp(suffix=".jsonl", dir=folder)
        fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_APPEND)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:
            return fd, path
        os.close(fd)  # somebody took it for a dead writer's before it was locked


def folder_of(lake: Lake) -> Path:
    """Where the journals of a lake lie: in it, or, when it is an object store, which cannot append, in this machine's temporary folder."""
    fs, root = lake.filesystem()
    if "file" in fs.protocol:
        return Path(root) / "journal"
    return Path(tempfile.gettempdir()) / f"dermoforge-journal-{sha256(lake.url.encode()).hexdigest()[:16]}"


def take_over(folder: Path, keep: Callable[[Sequence[Row]], None]) -> None:
    """Hand `keep` the answers that dead writers left, file by file, and remove each file when it returns."""
    for path in sorted(folder.glob("*.jsonl")):
        try:
            fd = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_nlink:
                keep(list(_whole(path.read_bytes().splitlines())))
                path.unlink()
        except BlockingIOError:
            pass  # its writer lives
        finally:
            os.close(fd)


def _whole(lines: Iterable[bytes]) -> Iterable[Row]:
    """The rows of whole lines; one that was cut off belongs to an answer that nobody has counted yet."""
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            continue
