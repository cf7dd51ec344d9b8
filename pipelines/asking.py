"""What is asked about the pictures of a source, worked out beside the disk: a million pictures take no more memory than a window of them.

The deciding facts of every picture go into one temporary file, and what is asked about it into another. Matching sees one cell at a time
(a split, kind and teacher), and of a large cell one window: the pictures whose ranks begin alike, so that a window is a random part of its
cell and the same one whatever the order of the pictures.
"""

import struct
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from prompts.asking import Pictures, Questions, ask, asked_of, attribute_of, barred_by, option_set, rank_of
from prompts.formats.record import Asked
from prompts.ontology import Ontology

WINDOW = 1 << 15
"""A cell with twice as many pictures is matched in windows, each of one to two times as many. In smaller ones rare labels find no partners."""

CHUNK = 1 << 14
"""Pictures read from a file at once."""

FACT = struct.Struct("<QQIII")
"""Rank, barred concepts, codes of cell, node and finding."""

SET = struct.Struct("<iQ")
"""Number of the combination of answers (-1: nothing is asked), and the set's key."""


@contextmanager
def asking(ontology: Ontology) -> Iterator["Asking"]:
    """An empty one, whose files go with the context."""
    with tempfile.TemporaryFile() as facts, tempfile.TemporaryFile() as sets:
        yield Asking(ontology, facts, sets)


class Asking:
    """Pictures in the order in which they are rendered: taken, then matched, then given back with what is asked about them."""

    def __init__(self, ontology: Ontology, facts: BinaryIO, sets: BinaryIO) -> None:
        """None yet; `facts` and `sets` are empty files."""
        self._ontology, self._facts, self._sets = ontology, facts, sets
        self._cells: Counter[str] = Counter()
        self._codes: dict[str, dict[Any, int]] = {"cell": {}, "node": {}, "finding": {}}
        self._combinations: dict[tuple[str, ...], int] = {}

    def take(self, sha256: str, cell: str, node: str, observation: Mapping[str, Any]) -> None:
        """The next picture. `cell` names its split, kind and teacher: sets never leave a cell."""
        self._cells[cell] += 1
        codes = (self._code("cell", cell), self._code("node", node), self._code("finding", attribute_of(sha256, observation)))
        self._facts.write(FACT.pack(rank_of(sha256), barred_by(observation), *codes))

    def _code(self, what: str, value: Any) -> int:
        return self._codes[what].setdefault(value, len(self._codes[what]))

    def match(self) -> None:
        """Form the sets, window by window."""
        for cell, count in sorted(self._cells.items()):
            bits = max(0, (count // WINDOW).bit_length() - 1)
            for window in range(1 << bits):
                places, pictures = self._window(cell, bits, window)
                self._write(places, ask(pictures, self._ontology))

    def _window(self, cell: str, bits: int, window: int) -> tuple[list[int], Pictures]:
        """Places and facts of the pictures of a cell whose rank begins with these bits."""
        places, pictures, code = [], Pictures(), self._codes["cell"][cell]
        nodes, findings = list(self._codes["node"]), list(self._codes["finding"])
        for place, (rank, barred, its, node, finding) in enumerate(self._read(self._facts, FACT)):
            if its == code and rank >> (64 - bits) == window:
                places.append(place)
                pictures.put(rank, barred, cell, nodes[node], findings[finding])
        return places, pictures

    def _write(self, places: list[int], questions: Questions) -> None:
        """The sets of a window's pictures, each at its picture's place of the file."""
        width, kinds = self._width(), questions.given()
        for given in kinds:
            for answers in given.combinations:
                self._combinations.setdefault(answers, len(self._combinations))
        numbers = [[self._combinations[answers] for answers in given.combinations] for given in kinds]
        blank = SET.pack(-1, 0) * (width - len(kinds))
        for n, place in enumerate(places):
            sets = (
                SET.pack(known[given.combination[n]] if given.combination[n] >= 0 else -1, given.key[n])
                for given, known in zip(kinds, numbers, strict=True)
            )
            self._sets.seek(place * width * SET.size)
            self._sets.write(b"".join(sets) + blank)

    def _width(self) -> int:
        """Kinds of questions: three, and one a level of the ontology."""
        return 3 + max((len(self._ontology.path(node)) for node in self._codes["node"]), default=0)

    def __iter__(self) -> Iterator[tuple[Asked, tuple[str, str] | None]]:
        """What is asked about each picture and the finding that is asked for, in the order in which the pictures were taken."""
        combinations, nodes, findings = list(self._combinations), list(self._codes["node"]), list(self._codes["finding"])
        row = struct.Struct("<" + SET.format.strip("<") * self._width())
        for fact, sets in zip(self._read(self._facts, FACT), self._read(self._sets, row), strict=True):
            told = [None if n < 0 else option_set(combinations[n], key) for n, key in zip(sets[::2], sets[1::2], strict=True)]
            yield asked_of(told, self._ontology.path(nodes[fact[3]])), findings[fact[4]]

    @staticmethod
    def _read(file: BinaryIO, row: struct.Struct) -> Iterator[tuple[Any, ...]]:
        file.flush()
        start = 0
        while True:
            file.seek(start)
            data = file.read(row.size * CHUNK)
            if not data:
                return
            start += len(data)
            yield from row.iter_unpack(data)
