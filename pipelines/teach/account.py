"""The account of a teaching run while it goes on: done, cached, failed, rates, time left, GPU hours and cost."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.teach.requests import Answer

EVERY_SECONDS = 5.0
TELL_SECONDS = 60.0
"""Between two notes to whoever watches the asset: each is an event that is stored."""

log = logging.getLogger("dermoforge.teacher")

Tell = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """Answers that were there already (`cached`), asked now, and of those failed."""

    cached: int = 0
    asked: int = 0
    failed: int = 0

    def __add__(self, other: "Asked") -> "Asked":
        return Asked(self.cached + other.cached, self.asked + other.asked, self.failed + other.failed)


class Account:
    """Counts one run over one source, and says so in the log and to `tell`. `finished` walks have no open question."""

    def __init__(self, what: str, walks: int, price: float, tell: Tell | None = None) -> None:
        """`walks` is how many images times samples there are; `price` is that of a GPU hour."""
        self._what, self._walks, self._price, self._tell = what, walks, price, tell
        self.asked = self.failed = self.finished = self._tokens = 0
        self._gpu_seconds = 0.0
        self._start = self._said = self._told = time.monotonic()
        self._first: float | None = None
        self._asked_before = self._finished_before = self._tokens_before = 0

    def add(self, answer: Answer, gpu_seconds: float) -> None:
        """Count an answer."""
        self.asked += 1
        self.failed += answer.failure is not None
        self._tokens += (answer.prompt_tokens or 0) + (answer.answer_tokens or 0)
        self._gpu_seconds += gpu_seconds

    def say(self, finished: int, cached: int, *, last: bool = False) -> None:
        """Speak when it is time to."""
        self.finished = finished
        now = time.monotonic()
        if self._first is None and self.asked:
            # Rates count from the first answers on: an engine starts for minutes.
            self._first, self._asked_before, self._finished_before = now, self.asked, finished
            self._tokens_before = self._tokens
        if self.asked and (last or now - self._said >= EVERY_SECONDS):
            self._said = now
            facts = self.facts(finished, cached)
            log.info("teacher %s: %s", self._what, ", ".join(f"{value} {name}" for name, value in facts.items()))
            if self._tell and (last or now - self._told >= TELL_SECONDS):
                self._told = now
                self._tell(facts)

    def facts(self, finished: int, cached: int) -> dict[str, str]:
        """The account as words, in the order in which a person would ask."""
        elapsed = max(time.monotonic() - (self._first or self._start), 1e-6)
        rate = (finished - self._finished_before) / elapsed
        left = f"{duration((self._walks - finished) / rate)}" if rate else "unknown time"
        facts = {
            f"of {self._walks:,} images done": f"{finished:,}",
            "answers asked": f"{self.asked:,}",
            "cached": f"{cached:,}",
            "failed": f"{self.failed:,}",
            "requests/s": f"{(self.asked - self._asked_before) / elapsed:,.1f}",
            "tokens/s": f"{(self._tokens - self._tokens_before) / elapsed:,.0f}",
            "left": left,
        }
        if self._gpu_seconds:
            hours = self._gpu_seconds / 3600
            facts["GPU hours"] = f"{hours:,.2f}"
            if self._price:
                facts["cost"] = f"{hours * self._price:,.2f}"
        return facts


def duration(seconds: float) -> str:
    """`2 h 10 min`, `3 min`, `40 s`."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
