"""Compiled kernel of content-defined chunking."""

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def cut_points(data: np.ndarray, gear: np.ndarray, mask: np.uint64, least: int, most: int) -> np.ndarray:
    """Ends of the chunks of `data` (uint8) by a gear hash: where its masked bits are zero, between `least` and `most` bytes."""
    ends = np.empty(data.size // least + 1, np.int64)
    count, start, rolling = 0, 0, np.uint64(0)
    for at in range(data.size):
        rolling = (rolling << np.uint64(1)) + gear[data[at]]
        size = at + 1 - start
        if size >= most or (size >= least and rolling & mask == 0) or at + 1 == data.size:
            ends[count] = at + 1
            count += 1
            start, rolling = at + 1, np.uint64(0)
    return ends[:count]
