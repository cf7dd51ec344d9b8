"""A folder of files, local or on any store that fsspec knows, read like an archive. Links are not followed."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

from sources.archives import MAX_MEMBER_BYTES, Damage, Entry


def entries(fs: Any, root: str) -> Iterator[Entry]:
    """Every file below the folder, by its path from there."""
    base = root.rstrip("/")
    for path, info in sorted(fs.find(base, detail=True).items()):
        name = path.removeprefix(base).lstrip("/")
        fault = ("member_unsafe", "a link, not a file") if info.get("islink") or info.get("type") == "link" else None
        yield Entry(name, int(info.get("size") or 0), fault=fault)
    if base.startswith("/"):  # a local walk passes over links to nowhere and to folders without a word
        yield from (Entry(name, 0, fault=("member_unsafe", "a link, not a file")) for name in _dead_links(base))


def _dead_links(base: str) -> list[str]:
    found = []
    for folder, folders, files in os.walk(base):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            if os.path.islink(path) and not os.path.isfile(path):
                found.append(os.path.relpath(path, base))
    return sorted(found)


def read(fs: Any, root: str, names: Sequence[str]) -> Iterator[tuple[str, bytes | Damage]]:
    """Bytes of the named files in the order given, or the damage that keeps them."""
    base = root.rstrip("/")
    for name in names:
        try:
            with fs.open(f"{base}/{name}", "rb") as handle:
                data = handle.read(MAX_MEMBER_BYTES + 1)
        except (OSError, ValueError) as error:
            yield name, Damage("member_damaged", f"{type(error).__name__}: {error}")
            continue
        large = Damage("member_too_large", f"more than {MAX_MEMBER_BYTES:,} bytes")
        yield name, data if len(data) <= MAX_MEMBER_BYTES else large
