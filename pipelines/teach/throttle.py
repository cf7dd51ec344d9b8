"""How much a server is asked at once: more while it answers, half when it throttles, nothing while it asks to be left alone.

Additive increase and multiplicative decrease, as TCP does it: the one rule that is known to settle at what a shared server can take.
"""

from dataclasses import dataclass

FIRST = 8.0
"""Requests in flight at the start."""

PAUSES = (0.5, 30.0)
"""Seconds of the first pause after a failure, and the longest; each further failure in a row doubles it."""

MOST_RETRY_AFTER = 120.0
"""Longest Retry-After that is honoured as it stands."""


@dataclass(slots=True)
class Throttle:
    """One server's share: `limit` requests in flight at most, none before `open_at` (seconds of the caller's clock)."""

    most: int
    limit: float = FIRST
    open_at: float = 0.0
    failures: int = 0
    halved_at: float = float("-inf")

    def room(self, in_flight: int, now: float) -> bool:
        """Whether one more request may go out now."""
        return now >= self.open_at and in_flight < min(self.most, max(1, int(self.limit)))

    def answered(self) -> None:
        """Any answer, whatever it says: a little more next time."""
        self.failures = 0
        self.limit = min(self.most, self.limit + 1.0 / max(self.limit, 1.0))

    def throttled(self, retry_after: float | None, now: float) -> None:
        """Half as much, once a second at most: one burst of refusals is one message. Then wait as asked."""
        if now - self.halved_at > 1.0:
            self.limit, self.halved_at = max(1.0, self.limit / 2), now
        self._pause(retry_after, now)

    def failed(self, now: float) -> None:
        """A server error or a broken connection: pause, longer each time."""
        self._pause(None, now)

    def _pause(self, asked: float | None, now: float) -> None:
        first, longest = PAUSES
        if now >= self.open_at:  # requests that were in flight together fail together: one failure
            self.failures += 1
        pause = min(first * 2 ** (self.failures - 1), longest) if asked is None else min(max(asked, 0.0), MOST_RETRY_AFTER)
        self.open_at = max(self.open_at, now + pause)
