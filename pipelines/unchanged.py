"""What was made of what: where nothing has changed since, a stage that works on a whole source is not done again.

A note says which files of which tables, which settings and which code a result was made of, and what was told of it. It is a file of the
lake, `made/<what>.json`, written when the result stands. Any other file, setting or line of code, and the work is done again; to do it
again in any case, delete `made/`. The ledger alone may grow: an answer that was found stays the answer. Stages that work image by image
need none of this: `pipelines.increment`.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.lake import Lake, put_atomically
from prompts.schemas import digest

PACKAGES = ("sources", "prompts", "quality", "pipelines")
"""Code and data of which any byte may change what is made."""

LIBRARIES = (
    *("ahocorasick-rs", "datasets", "deltalake", "hyperscan", "jsonschema", "jsonschema-rs", "matplotlib", "numpy", "pillow"),
    *("pyarrow", "scipy"),
)
"""Packages of others whose version may."""


@cache
def code() -> str:
    """A digest of all code and data of the stages, and of the libraries' versions: 400 files, about 30 ms."""
    root, sink = Path(__file__).parents[1], sha256()
    for name in PACKAGES:
        for path in sorted(path for path in (root / name).rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            sink.update(f"{path.relative_to(root)}\0".encode() + sha256(path.read_bytes()).digest())
    sink.update(digest({name: version(name) for name in LIBRARIES}).encode())
    return sink.hexdigest()


def made_of(lake: Lake, tables: Iterable[str], source: str | None, *settings: Any) -> str:
    """A digest of the code, of tables as they stand (of one `source` those that are cut by it) and of settings that JSON can hold.

    Never of the ledger, which `recall` looks at.
    """
    return digest([code(), {name: lake.files(name, source) for name in sorted(tables)}, *settings])


def recall(lake: Lake, what: str, made: str) -> dict[str, Any] | None:
    """What was noted of a result that was made of the same, None if it was not."""
    fs, root = lake.filesystem()
    try:
        found = json.loads(fs.cat_file(f"{root}/made/{what}.json"))
        same = found["of"] == made and lake.only_added_since("completions", found["ledger"])
        return found["told"] if same else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # cut short or of another version: made again
        return None


def note(lake: Lake, what: str, made: str, told: Mapping[str, Any]) -> None:
    """Write down that a result stands and what it was made of: `made` as it was before the work began."""
    fs, root = lake.filesystem()
    found = {"of": made, "ledger": lake.moment("completions"), "told": told}
    put_atomically(fs, f"{root}/made/{what}.json", json.dumps(found).encode())
