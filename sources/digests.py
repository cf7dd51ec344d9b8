"""The sha256 (hex) of published files: of an archive or a table over its bytes, of a folder over names and contents."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fsspec

from sources.archives import UNFINISHED

FILES_AT_ONCE = 4
BUFFER = 256 << 10
"""Bytes read at a time into one buffer, which stays in the processor's cache."""


def of_file(fs: Any, path: str) -> str:
    """Raises OSError for a file that cannot be read to its end. Memory: one buffer."""
    sink, buffer = hashlib.sha256(), bytearray(BUFFER)
    view = memoryview(buffer)
    with fs.open(path, "rb") as handle:
        while count := handle.readinto(view):
            sink.update(view[:count])
    return sink.hexdigest()


class FolderDigest:
    """One digest over names and contents of a folder's files, taken when it is asked for.

    Files whose sha256 (hex) is in `known`, by their path in the folder, are not read again. Memory: a hundred bytes a file.
    """

    def __init__(self, location: str) -> None:
        self.known: dict[str, str] = {}
        self._found = ""
        fs, path = fsspec.url_to_fs(location)
        self._fs, self._base = fs, path.rstrip("/")

    def size(self) -> int:
        """Bytes of all files."""
        return sum(int(about.get("size") or 0) for about in self._files().values())

    def result(self) -> str:
        """The digest; links to nowhere, which ingest refuses by name, do not count."""
        self._found = self._found or self._take()
        return self._found

    def _files(self) -> dict[str, Any]:
        return {p: about for p, about in self._fs.find(self._base, detail=True).items() if not p.endswith(UNFINISHED)}

    def _take(self) -> str:
        names = {path: path.removeprefix(self._base) for path in sorted(self._files())}
        unread = [path for path, name in names.items() if name.lstrip("/") not in self.known]
        with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
            found = dict(zip(unread, pool.map(self._of_one, unread), strict=True))
        sink = hashlib.sha256()
        for path, name in names.items():
            if sha256 := found.get(path) or self.known.get(name.lstrip("/")):
                sink.update(f"{name}\0{sha256}\n".encode())
        return sink.hexdigest()

    def _of_one(self, path: str) -> str | None:
        try:
            return of_file(self._fs, path)
        except OSError:
            return None
