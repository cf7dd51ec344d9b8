"""Which pictures share keypoints: candidates for copies that a hash of the whole picture cannot see (cropped, turned, framed).

Descriptors that agree on a fixed choice of bits meet in a table; each meeting is a vote for the pair of pictures, the rarer the look the
weightier, and only votes for one turn and one change of scale count together. It proposes; `quality.geometry` decides.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from quality.keypoints import Keypoints

TABLES, BITS = 8, 26
"""Tables, and bits of 256 on which two descriptors must agree to meet in one."""

CROWD = 24
"""Descriptors in one place of a table from which they tell nothing (skin without texture looks alike everywhere)."""

FEW = 1_000_000
"""Keypoints below which comparing is faster than counting through 2^26 places."""

WEIGHT, PARTNERS = 3.0, 32
"""Consistent weight that makes a candidate, and the most candidates that one picture proposes: those with most weight.

On 1,337 photographs and phantoms with 840 copies of seven kinds, 99 % of the copies have 3.4 and more; of strangers one in ten
thousand has. In a corpus of a few hundred pictures every look is rare and more strangers are proposed, which costs little.
"""


@dataclass(frozen=True, slots=True)
class Voters:
    """Keypoints of many pictures: `owner` (n,) int32 picture numbers, ascending; `turn` degrees; `octave`; `bits` (n, 4) uint64."""

    owner: np.ndarray
    turn: np.ndarray
    octave: np.ndarray
    bits: np.ndarray


def voters(pictures: Sequence[Keypoints]) -> Voters:
    """The keypoints of pictures, in their order."""
    owner = np.repeat(np.arange(len(pictures), dtype=np.int32), [len(k.places) for k in pictures])
    places = np.concatenate([np.empty((0, 4), np.float32), *(k.places for k in pictures)])
    descriptors = np.concatenate([np.empty((0, 32), np.uint8), *(k.descriptors for k in pictures)])
    return Voters(owner, places[:, 2], places[:, 3].astype(np.int8), np.ascontiguousarray(descriptors).view(np.uint64))


def proposed(base: Voters, probe: Voters, numbers: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(picture, picture of `base`, weight), the weightiest first for each picture of `probe`; `numbers` are its pictures' numbers in `base`.

    A picture never proposes itself. Memory: 32 bytes a keypoint of `base` (at most 512 a picture), 64 of `probe`, and 256 MB.
    """
    if not len(base.owner) or not len(probe.owner):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    first, last, where = _meetings(base, probe)
    starts = np.searchsorted(probe.owner, np.arange(len(numbers) + 1))

    def of_one(n: int) -> np.ndarray:
        from quality.votes_kernels import tally

        mine = slice(starts[n], starts[n + 1])
        looks = (probe.turn[mine], probe.octave[mine])
        voted, weight = tally(
            first[:, mine], last[:, mine], where, (base.owner, base.turn, base.octave), looks, numbers[n], CROWD, WEIGHT
        )
        best = np.lexsort((voted, -weight))[:PARTNERS]
        return np.stack([np.full(len(best), numbers[n]), voted[best], weight[best]], axis=1)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        out = np.concatenate([np.empty((0, 3)), *pool.map(of_one, range(len(numbers)))])
    return out[:, 0].astype(np.int64), out[:, 1].astype(np.int64), out[:, 2]


def _meetings(base: Voters, probe: Voters) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each keypoint of `probe` meets keypoints of `base`: bounds (tables, k) twice, and the tables' orders (tables, keypoints)."""
    from quality.votes_kernels import keys, places

    bounds = np.empty((2, TABLES, len(probe.owner)), np.int32)
    where = np.empty((TABLES, len(base.owner)), np.int32)
    for t, bits in enumerate(_chosen()):
        mine, asked = keys(base.bits, bits), keys(probe.bits, bits)
        if len(mine) < FEW:
            where[t] = np.argsort(mine, kind="stable")
            bounds[0, t], bounds[1, t] = (np.searchsorted(mine, asked, side, where[t]) for side in ("left", "right"))
            continue
        where[t], starts = places(mine, BITS)
        bounds[0, t], bounds[1, t] = starts[asked], starts[asked + 1]
    return bounds[0], bounds[1], where


def _chosen() -> list[np.ndarray]:
    """The bits of each table, chosen once and for all."""
    rng = np.random.default_rng(20_000)
    return [np.sort(rng.choice(256, BITS, replace=False)) for _ in range(TABLES)]
