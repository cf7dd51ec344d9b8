"""The mix over the whole lake: which pictures the caps keep, and their weights, counted from labels, splits and skin tones alone.

Memory: about 100 bytes a rendered picture.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.chosen import chosen
from pipelines.lake import Lake
from prompts.matching import hashed
from prompts.mix import Mix, Tone, Weight, thresholds, weigh
from prompts.ontology import load

LIGHT = ("image_id", "teacher", "conditioning", "sample", "status", "control", "verified_by", "node")
"""Columns of `trajectories` that the mix looks at."""


@dataclass(slots=True)
class Counted:
    """What caps and weights follow from, by split: kept pictures by diagnosis and by skin tone, and the last rank that a cap keeps."""

    mix: Mix
    kept_to: dict[str, dict[str, int]] = field(default_factory=dict)
    nodes: dict[str, Counter[str]] = field(default_factory=dict)
    toned: dict[str, dict[tuple[str, str], Counter[str]]] = field(default_factory=dict)
    _weights: dict[tuple[str, str, tuple[Tone, ...]], Weight] = field(default_factory=dict)

    def keeps(self, row: Mapping[str, Any]) -> bool:
        """Whether the caps keep a picture."""
        return _rank(row) <= self.kept_to[row["split"]].get(row["node"], 2**64)

    def weight(self, row: Mapping[str, Any]) -> Weight:
        """The weight of a picture that the caps keep."""
        key = row["split"], row["node"], tones(row)
        if key not in self._weights:
            split, node, said = key
            name = load().nodes[node].name
            self._weights[key] = weigh(self.mix, name, node, said, self.nodes[split], self.toned[split])
        return self._weights[key]


def count(lake: Lake, mix: Mix) -> Counted:
    """Count every picture of the lake that is rendered, once however many teachers described it."""
    ranks: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    light: list[dict[str, Any]] = []
    seen: set[tuple[str, str]] = set()
    for source in sorted(set(lake.read("trajectories", columns=["source"]).column("source").to_pylist())):
        for block in chosen(lake, source, LIGHT):
            for row in block:
                if (row["image_id"], row["node"]) not in seen:
                    seen.add((row["image_id"], row["node"]))
                    ranks[row["split"]][row["node"]].append(_rank(row))
                    light.append({"split": row["split"], "node": row["node"], "sha256": row["sha256"], "tones": tones(row)})
    counted = Counted(mix, {split: thresholds(classes, mix.cap) for split, classes in ranks.items()})
    for row in light:
        if counted.keeps(row):
            counted.nodes.setdefault(row["split"], Counter())[row["node"]] += 1
            systems = counted.toned.setdefault(row["split"], defaultdict(Counter))
            for tone in row["tones"]:
                systems[tone.system, tone.basis][tone.value] += 1
    return counted


def used(lake: Lake, sources: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The mix that each source's samples were rendered with; without those of a lake that kept none."""
    rows = [row for row in lake.read("mixes").to_pylist() if row["source"] in sources]
    return {row.pop("source"): {**row, "formats": json.loads(row["formats"])} for row in rows}


def tones(row: Mapping[str, Any]) -> tuple[Tone, ...]:
    """The skin-tone statements of an image, sorted."""
    return tuple(sorted(Tone(one["system"], one["basis"] or "unknown", one["value"]) for one in row["skin_tones"] or ()))


def _rank(row: Mapping[str, Any]) -> int:
    return hashed(f"{row['sha256']}/cap")
