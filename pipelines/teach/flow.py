"""Questions on their way: what the ledger knows is taken from it, the rest goes to the engine, and answers lead to the next questions.

An image whose observation has come back goes on to its reasoning at once, so that the engine is full from the first question to the last.
Images are loaded in blocks as the engine asks for more. Memory: one block of images, and the questions in flight.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

from pipelines.teach.config import TeacherConfig
from pipelines.teach.ledger import Ledger
from pipelines.teach.requests import Request, Teacher
from pipelines.teach.stages import Walk
from pipelines.teach.subjects import Subject

BLOCK = 2048
"""Walks looked up in the ledger together: a look-up costs about 50 ms, whatever it asks for."""


class Steps(Protocol):
    """Something that has open questions and goes on when one is answered."""

    open: list[Request]

    def take(self, request: Request, row: Mapping[str, Any]) -> None:
        """Go on from an answer."""
        ...


class Listed:
    """Questions without anything that follows from them."""

    __slots__ = ("open",)

    def __init__(self, request: Request) -> None:
        """One open question."""
        self.open = [request]

    def take(self, request: Request, row: Mapping[str, Any]) -> None:
        """Close it."""
        self.open.remove(request)


def walks(subjects: Iterable[Subject], config: TeacherConfig) -> Iterator[Walk]:
    """A walk a subject and sample; the samples of an image lie together."""
    return (Walk(subject, sample, config) for subject in subjects for sample in range(config.samples))


class Flow:
    """Steps of many walks through one ledger. `take` gives what must be asked, `accept` goes on from its answers."""

    def __init__(self, steps: Iterable[Steps], ledger: Ledger, teacher: Teacher) -> None:
        """Nothing is read before the first `take`."""
        self._steps, self._ledger, self._teacher = iter(steps), ledger, teacher
        self._ready: deque[tuple[str, Request]] = deque()
        self._waiting: dict[str, list[tuple[Steps, Request]]] = {}
        self._key_of: dict[Request, str] = {}
        self.finished = self.cached = 0

    def take(self, most: int) -> list[Request]:
        """Up to `most` questions that nobody has answered yet, those that follow from an observation first."""
        while len(self._ready) < most and (block := list(islice(self._steps, BLOCK))):
            self._advance([(steps, request) for steps in block for request in steps.open])
        some = [self._ready.popleft() for _ in range(min(most, len(self._ready)))]
        self._key_of |= {request: key for key, request in some}
        return [request for _, request in some]

    def key(self, request: Request) -> str:
        """The ledger key of a question that was taken."""
        return self._key_of[request]

    def accept(self, request: Request, row: Mapping[str, Any]) -> None:
        """Go on from the row of a question that was taken."""
        begun = self._waiting.pop(self._key_of.pop(request))
        new = [(steps, following) for steps, mine in begun for following in went_on(steps, mine, row)]
        self.finished += sum(not steps.open for steps, _ in begun)
        self._advance(new)

    def _advance(self, fresh: Sequence[tuple[Steps, Request]]) -> None:
        """Follow each as far as the ledger knows the way; what it does not know becomes ready, once a key."""
        left = follow(fresh, self._teacher, self._find)
        self.finished += len({id(steps) for steps, _ in fresh if not steps.open})
        for steps, key, request in left:
            if key not in self._waiting and request.stage == "observe":
                self._ready.append((key, request))
            elif key not in self._waiting:
                self._ready.appendleft((key, request))
            self._waiting.setdefault(key, []).append((steps, request))

    def _find(self, asked: Sequence[tuple[str, Request]]) -> dict[str, dict[str, Any]]:
        rows = self._ledger.find((key, request) for key, request in asked if key not in self._waiting)
        self.cached += len(rows)
        return rows


Find = Callable[[Sequence[tuple[str, Request]]], Mapping[str, Mapping[str, Any]]]


def went_on(steps: Steps, request: Request, row: Mapping[str, Any]) -> list[Request]:
    """The questions that an answer opened."""
    before = set(map(id, steps.open))
    steps.take(request, row)
    return [following for following in steps.open if id(following) not in before]


def follow(fresh: Sequence[tuple[Steps, Request]], teacher: Teacher, find: Find) -> list[tuple[Steps, str, Request]]:
    """Take every answer to these questions that `find` knows, and those that follow; what is left open, with its keys."""
    left: list[tuple[Steps, str, Request]] = []
    while fresh:
        keyed = [(steps, request.key(teacher), request) for steps, request in fresh]
        rows = find([(key, request) for _, key, request in keyed])
        left += [(steps, key, request) for steps, key, request in keyed if key not in rows]
        known = [(steps, request, rows[key]) for steps, key, request in keyed if key in rows]
        fresh = [(steps, following) for steps, request, row in known for following in went_on(steps, request, row)]
    return left
