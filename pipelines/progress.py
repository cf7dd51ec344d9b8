"""Progress of long work as log lines: at most one every two seconds, read in the terminal and in the Dagster run alike."""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
EVERY_SECONDS = 2.0

log = logging.getLogger("dermoforge.progress")


class Progress:
    """Counts done items of `total` and says so: `fingerprints ham10000: 3,000 / 7,028 (1,210/s, 3 s left)`."""

    def __init__(self, what: str, total: int) -> None:
        """`what` names stage and source; `total` is the number of items expected."""
        self.what, self.total, self.done = what, total, 0
        self._start = self._said = time.monotonic()

    def add(self, count: int) -> None:
        """Count finished items; speaks when two seconds have passed or all is done."""
        self.done += count
        now = time.monotonic()
        if now - self._said >= EVERY_SECONDS or (self.done >= self.total and self.total):
            self._said = now
            rate = self.done / max(now - self._start, 1e-6)
            left = max(self.total - self.done, 0) / max(rate, 1e-6)
            log.info("%s: %s / %s (%s/s, %.0f s left)", self.what, f"{self.done:,}", f"{self.total:,}", f"{rate:,.0f}", left)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Consecutive lists of at most `size` items."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
