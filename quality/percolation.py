"""Bridges: verified pairs that alone hold two large parts of a group together. One wrong edge of that kind joins two crowds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from quality.policies import CANDIDATES, groups

PART = 8
"""Images that both sides of a bridge must have to be worth a look: smaller sets are ordinary lesions."""


def bridges(edges: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Verified candidates whose removal leaves two parts of at least `PART` images each, in the order given.

    A depth-first search numbers the images; an edge is a bridge when nothing below it reaches above it (Tarjan). Iterative: groups may
    be long chains.
    """
    near: dict[str, list[tuple[str, int]]] = defaultdict(list)
    used = [edge for edge in edges if groups(edge)]
    for n, edge in enumerate(used):
        near[edge["a"]].append((edge["b"], n))
        near[edge["b"]].append((edge["a"], n))
    found: list[int] = []
    seen: dict[str, int] = {}
    for start in near:
        if start not in seen:
            found += _of_component(start, near, seen)
    return [used[n] for n in sorted(found) if used[n]["kind"] in CANDIDATES]


def _of_component(start: str, near: Mapping[str, list[tuple[str, int]]], seen: dict[str, int]) -> list[int]:
    lowest, below, cut = {start: len(seen)}, {start: 1}, []
    seen[start] = len(seen)
    path = [(start, -1, iter(near[start]))]
    while path:
        image, came, ahead = path[-1]
        step = next(ahead, None)
        if step is None:
            path.pop()
            if path:
                above = path[-1][0]
                lowest[above] = min(lowest[above], lowest[image])
                below[above] += below[image]
                if lowest[image] > seen[above]:
                    cut.append((came, below[image]))
        elif step[1] != came and step[0] in seen:
            lowest[image] = min(lowest[image], seen[step[0]])
        elif step[1] != came:
            seen[step[0]] = lowest[step[0]] = len(seen)
            below[step[0]] = 1
            path.append((step[0], step[1], iter(near[step[0]])))
    return [n for n, part in cut if min(part, below[start] - part) >= PART]
