"""The mix: which pictures and formats go into a corpus, and how often a trainer should draw each; settings and pure functions.

A cap keeps, of every diagnosis, the pictures with the smallest hashes: another picture displaces one at most. A format's share does the
same by format. Weights lift rare diagnoses: (pictures of the commonest / pictures of this one) to the power `lift`, at most `most`; 0.5 is
square-root sampling (Mahajan et al. 2018). Skin tones get weights of the same kind, each scale and judge by itself, never merged.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from prompts.formats import FORMATS
from prompts.matching import hashed
from sources.record import ToneSystem


@dataclass(frozen=True, slots=True)
class Mix:
    """`cap`: most pictures of a diagnosis in a split (0: all). `tones`: the skin-tone scale whose weight enters `weight` ("": none).

    `formats`: share of the pictures rendered into a format, 1 where it is not named.
    """

    cap: int = 5000
    lift: float = 0.5
    most: float = 8.0
    tones: str = ""
    formats: Mapping[str, float] = field(default_factory=dict)

    def takes(self, name: str, key: str) -> bool:
        """Whether a format is rendered for the picture, or matched set, with this key: by hash, so that a larger share adds and removes none."""
        share = self.formats.get(name, 1.0)
        return share >= 1 or hashed(f"{key}/mix/{name}") < share * 2**64


class Tone(NamedTuple):
    """A skin-tone statement."""

    system: str
    basis: str
    value: str


class Weight(NamedTuple):
    """How often a picture should be drawn, relative to one of the commonest diagnosis, why, and what each skin-tone statement weighs."""

    weight: float
    why: str
    tones: tuple[tuple[Tone, float], ...]


def load_mix(path: str) -> Mix:
    """The mix of a TOML file; the default one for an empty path. Raises ValueError naming the file and the field, and OSError."""
    if not path:
        return Mix()
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"mix {path}: {error}") from error
    if unknown := sorted(found.keys() - {one.name for one in fields(Mix)}):
        raise ValueError(f"mix {path}: no setting {', '.join(unknown)}")
    if faults := list(_faults(found)):
        raise ValueError(f"mix {path}: {'; '.join(faults)}")
    return Mix(**found)


def _faults(found: Mapping[str, Any]) -> Iterable[str]:
    if type(found.get("cap", 0)) is not int or found.get("cap", 0) < 0:
        yield "cap is a number of pictures, 0 for no cap"
    if not _within(found.get("lift", 0), 0, 1):
        yield "lift lies between 0 and 1"
    if not _within(found.get("most", 1), 1, 1000):
        yield "most lies between 1 and 1000"
    if found.get("tones", "") not in ("", *ToneSystem):
        yield f"tones is none of {', '.join(ToneSystem)}"
    for name, share in found.get("formats", {}).items():
        if name not in FORMATS:
            yield f"there is no format {name}"
        elif not _within(share, 0, 1):
            yield f"the share of {name} lies between 0 and 1"


def _within(value: Any, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def thresholds(ranks: Mapping[str, Sequence[int]], cap: int) -> dict[str, int]:
    """The largest rank that is kept of every class with more than `cap` pictures. `ranks` are hashes by class."""
    return {name: sorted(values)[cap - 1] for name, values in ranks.items() if 0 < cap < len(values)}


def weigh(
    mix: Mix, name: str, node: str, tones: Sequence[Tone], nodes: Counter[str], toned: Mapping[tuple[str, str], Counter[str]]
) -> Weight:
    """The weight of a picture; `nodes` and `toned` (by scale and judge) count the kept pictures of its split; `name` is the node's."""
    of_class = _lifted(mix, nodes[node], max(nodes.values()))
    why = f"{name} x{of_class:g} ({nodes[node]:,} of at most {max(nodes.values()):,} pictures)"
    weights = []
    for tone in tones:
        counts = toned[tone.system, tone.basis]
        weights.append((tone, _lifted(mix, counts[tone.value], max(counts.values()))))
    weight = of_class
    for tone, of_tone in [pair for pair in weights if pair[0].system == mix.tones][:1]:
        weight *= of_tone
        why += f"; {tone.system} {tone.value} by {tone.basis} x{of_tone:g}"
    return Weight(round(weight, 4), why, tuple(weights))


def _lifted(mix: Mix, count: int, largest: int) -> float:
    return round(min(mix.most, (largest / count) ** mix.lift), 4)
