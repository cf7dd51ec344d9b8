"""Looking at what the publishers of several sets hold now, side by side and within a time limit; nothing is fetched.

Memory: a few lines a set.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from sources.catalogue import source as entry_of
from sources.upstream import published

AT_ONCE = 8
LONGEST_SECONDS = 40.0
"""For one look at all sets: Dagster gives a sensor 60 seconds."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a set now: `versions` by file or record (what could not be asked keeps what was seen last), changes, errors."""

    source: str
    versions: Mapping[str, str]
    changes: tuple[str, ...]
    errors: tuple[str, ...]


def look_at_all(names: Sequence[str], seen: Mapping[str, Mapping[str, str]], *, seconds: float = LONGEST_SECONDS) -> list[Look]:
    """A look at each set, in the order given. A set that fails or does not answer in time has an error; the others are unharmed."""
    pool = ThreadPoolExecutor(max_workers=AT_ONCE)
    asked = [pool.submit(_look, name, seen.get(name, {})) for name in names]
    wait(asked, timeout=seconds)
    pool.shutdown(wait=False, cancel_futures=True)
    return [_done(name, future, seen.get(name, {}), seconds) for name, future in zip(names, asked, strict=True)]


def _done(name: str, future: Future[Look], before: Mapping[str, str], seconds: float) -> Look:
    if not future.done() or future.cancelled():
        return Look(name, before, (), (f"no answer within {seconds:.0f} s",))
    error = future.exception()
    return future.result() if error is None else Look(name, before, (), (f"{type(error).__name__}: {error}",))


def _look(name: str, before: Mapping[str, str]) -> Look:
    said = published(entry_of(name))
    errors = tuple(f"{what}: {answer}" for what, answer in said.items() if isinstance(answer, Exception))
    now = {what: answer for what, answer in said.items() if isinstance(answer, str)}
    changed = tuple(
        f"{what}: was {before[what]}, is {answer}" for what, answer in sorted(now.items()) if before.get(what, answer) != answer
    )
    return Look(name, {**before, **now}, changed, errors)
