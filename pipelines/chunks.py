"""What a deduplicating store has to be sent: files cut where their content says so, as the Hub's storage (Xet) cuts them.

Sizes are Xet's (8 to 128 KiB, 64 KiB on average; its published specification). The hash table behind its cuts is another, so its own count
differs by chance, not in size.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import numpy as np

LEAST, MOST = 8 << 10, 128 << 10
MASK = np.uint64(0xFFFF << 48)
"""Sixteen bits that are zero at a cut: one place in 65,536."""

AT_ONCE = 256 << 20
"""Bytes of a file that are cut at once; a cut more where a larger file is divided."""


@cache
def _gear() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 1 << 64, 256, dtype=np.uint64)


def chunks(path: Path) -> Iterator[tuple[bytes, int]]:
    """Digest and size in bytes of each chunk of a file. Memory: `AT_ONCE`."""
    from xxhash import xxh3_128_digest

    from pipelines.chunk_kernels import cut_points

    with path.open("rb") as handle:
        while block := handle.read(AT_ONCE):
            start = 0
            for end in cut_points(np.frombuffer(block, np.uint8), _gear(), MASK, LEAST, MOST).tolist():
                yield xxh3_128_digest(block[start:end]), end - start
                start = end


def new_bytes(there: Iterable[Path], files: Iterable[Path]) -> int:
    """Bytes of `files` in chunks that `there` lacks, each counted once. Memory: 100 bytes for every 64 KiB."""
    known = {digest for path in there for digest, _ in chunks(path)}
    total = 0
    for path in files:
        for digest, size in chunks(path):
            if digest not in known:
                known.add(digest)
                total += size
    return total
