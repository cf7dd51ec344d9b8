"""Which cells of diagnosis × skin tone a corpus fills: one matrix a tone system, as systems are never converted into one another.

Here: counting and naming what is missing. Not here: where the counts come from (`pipelines.report`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SCALES: dict[str, tuple[str, ...]] = {
    "fitzpatrick": ("I", "II", "III", "IV", "V", "VI"),
    "monk": tuple(str(tone) for tone in range(1, 11)),
    "ddi-bins": ("12", "34", "56"),
    "drawn": ("1", "2", "3", "4", "5", "6"),
}
"""Every tone that a system knows, light to dark, as readers write it: a tone without a single image is a gap too."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Images by diagnosis (rows, most frequent first) and tone (columns, light to dark) in one tone system.

    `cells[row][column]` counts images; `missing` names, by tone, the diagnoses that have no image of it.
    """

    system: str
    tones: tuple[str, ...]
    diagnoses: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]

    @property
    def most(self) -> int:
        """The largest cell."""
        return max((count for row in self.cells for count in row), default=0)

    @property
    def empty(self) -> int:
        """Cells without an image."""
        return sum(count == 0 for row in self.cells for count in row)

    @property
    def missing(self) -> dict[str, list[str]]:
        """Diagnoses without an image, by tone."""
        return {
            tone: [name for name, row in zip(self.diagnoses, self.cells, strict=True) if not row[place]]
            for place, tone in enumerate(self.tones)
        }


def coverage(system: str, counts: Mapping[tuple[str, str], int]) -> Coverage:
    """The matrix of one system from images by (diagnosis, tone). Tones outside the scale come last, by name."""
    seen = {tone for _, tone in counts}
    known = SCALES.get(system, ())
    tones = (*known, *sorted(seen - set(known)))
    totals: dict[str, int] = {}
    for (diagnosis, _), count in counts.items():
        totals[diagnosis] = totals.get(diagnosis, 0) + count
    diagnoses = tuple(sorted(totals, key=lambda name: (-totals[name], name)))
    return Coverage(system, tones, diagnoses, tuple(_row(counts, name, tones) for name in diagnoses))


def _row(counts: Mapping[tuple[str, str], int], diagnosis: str, tones: Sequence[str]) -> tuple[int, ...]:
    return tuple(counts.get((diagnosis, tone), 0) for tone in tones)
