"""A polite end: on SIGTERM or Ctrl-C nothing new is asked, what is in flight may finish for a while, and everything answered is kept.

Signals reach the main thread only; elsewhere (and for a kill -9) the ledger's commits are what is left, two seconds behind at most.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

GRACE_SECONDS = 20.0
"""How long answers in flight are waited for: less than the 30 s that schedulers leave between SIGTERM and SIGKILL."""

log = logging.getLogger("dermoforge.teacher")


class Drain:
    """Whether the end was asked for, and whether the time for it is over."""

    def __init__(self) -> None:
        """Not asked for yet."""
        self.signal: int | None = None
        self._deadline = float("inf")

    @property
    def asked(self) -> bool:
        """Ask nothing new."""
        return self.signal is not None

    @property
    def over(self) -> bool:
        """Do not wait any longer."""
        return time.monotonic() > self._deadline

    def begin(self, number: int) -> None:
        """Note the signal; a second one ends the waiting at once."""
        self._deadline = time.monotonic() + (0.0 if self.asked else GRACE_SECONDS)
        self.signal = number
        log.warning("%s: finishing what is in flight, at most %.0f s", signal.Signals(number).name, GRACE_SECONDS)


@contextmanager
def draining() -> Iterator[Drain]:
    """Turn SIGTERM and SIGINT into a drain; afterwards the signal goes to whoever handled it before, or ends the program."""
    drain = Drain()
    if threading.current_thread() is not threading.main_thread():
        yield drain
        return
    before = {
        number: signal.signal(number, lambda n, _: drain.begin(n)) for number in (int(signal.SIGTERM), int(signal.SIGINT))
    }
    try:
        yield drain
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if drain.signal is not None:
            if not callable(before[drain.signal]):
                raise SystemExit(128 + drain.signal)
            os.kill(os.getpid(), drain.signal)
