"""The inner loops of `pipelines.split` and `pipelines.copy_sets`, compiled by numba on first use; import it where they are needed."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def survivors(starts: np.ndarray, partners: np.ndarray) -> np.ndarray:
    """For each of n pictures in order of preference: the first of its partners that stands for itself, or itself.

    The partners of picture n are `partners[starts[n] : starts[n + 1]]`.
    """
    stands = np.arange(len(starts) - 1)
    for n in range(len(stands)):
        for partner in partners[starts[n] : starts[n + 1]]:
            if partner < stands[n] and stands[partner] == partner:
                stands[n] = partner
    return stands


@njit(cache=True, nogil=True)
def filled_up(
    groups: np.ndarray, sizes: np.ndarray, starts: np.ndarray, strata: np.ndarray, filled: np.ndarray, shares: np.ndarray
) -> np.ndarray:
    """A split for each of `groups` in turn: the one that lacks most of its shares once the group is in its strata.

    The strata of group n are `strata[starts[n] : starts[n + 1]]`; `filled` counts images by stratum and split, and grows. Of splits
    that lack as much the larger share wins, then the first. No split has the share 0.
    """
    chosen = np.zeros(len(groups), np.int64)
    for n, group in enumerate(groups):
        mine = strata[starts[group] : starts[group + 1]]
        most = -np.inf
        for split in range(len(shares)):
            lack = 0.0
            for stratum in mine:
                lack += shares[split] * (filled[stratum].sum() + sizes[group]) - filled[stratum, split]
            if shares[split] and (lack > most or (lack == most and shares[split] > shares[chosen[n]])):
                most, chosen[n] = lack, split
        for stratum in mine:
            filled[stratum, chosen[n]] += sizes[group]
    return chosen
