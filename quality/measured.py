"""How well the checks and image gates do on planted faults: the figures that cards and reports quote.

They are data (`measured.json`), written by `python -m benchmarks.measured` from the results of the two benchmarks that plant faults.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecall:
    """A check of texts: share of planted faults that are found (None: none planted).

    `known` are the faults of all authors, from whose texts the checks were mended; `unseen` those of the last author, as they were found
    before that author's texts were looked at. `false_alarms` is the worst share of sound texts that it fires on.
    """

    known: float | None
    unseen: float | None
    false_alarms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRecall:
    """An image gate: share of planted faults it fires on (None: none planted), and of untouched phantoms and, at worst, real pictures."""

    recall: float | None
    phantoms: float
    real: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Figures by check and by gate, and what they were measured on: faults in the words of so many `authors`, so many of a kind."""

    authors: int
    planted: int
    sound: int
    checks: dict[str, CheckRecall]
    gates: dict[str, GateRecall]
    pictures: dict[str, int]


@lru_cache(1)
def measured() -> Measured:
    """The figures of `measured.json`."""
    data = json.loads(Path(__file__).with_name("measured.json").read_text(encoding="utf-8"))
    return Measured(
        authors=data["authors"],
        planted=data["planted"],
        sound=data["sound"],
        checks={name: CheckRecall(**row) for name, row in data["checks"].items()},
        gates={name: GateRecall(**row) for name, row in data["gates"].items()},
        pictures=data["pictures"],
    )
