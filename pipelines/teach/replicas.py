"""A pool of engine actors that is kept full, outlives its members, and never waits without a limit.

Chunks of questions wait in each replica's queue, so that the engine finds the next one when one ends. When a replica dies, its
chunks go to the others and a new one starts. A chunk that was there at two deaths is taken apart, and its questions are asked one by one with
nothing beside them: the one that kills an engine by itself is given up with a reason. Memory: the questions in flight.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.teach.requests import Answer, Answered, EngineUnavailable, Request, Status, Take

SUSPECT = 2
"""Deaths that a question sees before it is asked alone."""

HEARTBEAT_SECONDS = 1.0

log = logging.getLogger("dermoforge.teacher")


@dataclass(slots=True, eq=False)
class Chunk:
    """Questions that travel together, and the engines that died over them."""

    requests: list[Request]
    deaths: int = 0

    @property
    def alone(self) -> bool:
        """Nothing else may be asked beside it."""
        return self.deaths >= SUSPECT


@dataclass(slots=True, eq=False)
class Replica:
    """An actor, whether its engine is up, its chunks in flight by their reference, and when it last gave a sign of life."""

    actor: Any
    ready: Any
    up: bool = False
    chunks: dict[Any, Chunk] = field(default_factory=dict)
    heard: float = field(default_factory=time.monotonic)
    idle_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How many replicas, GPUs of each, questions a chunk and chunks in flight at each; deaths in a row of each; longest start and longest silence."""

    replicas: int
    gpus: int
    chunk: int
    in_flight: int
    restarts: int
    start_seconds: float
    answer_seconds: float


Start = Callable[[], tuple[Any, Any]]
"""Starts an actor: its handle, and a reference that resolves when its engine is up."""

Send = Callable[[Any, Sequence[Request]], Any]
"""Sends questions to an actor: a reference to `(fields of answers, idle seconds)`."""


class Pool:
    """Replicas behind one `ask`. They stay up between questions until `close`."""

    def __init__(self, start: Start, limits: Limits) -> None:
        """Starts nothing before the first question."""
        self._start, self._limits = start, limits
        self._replicas: list[Replica] = []
        self._again: deque[Chunk] = deque()
        self._deaths_in_a_row = self._restarts = 0
        self._idle_of_dead = 0.0
        self._last_death = ""

    def status(self) -> Status:
        """What is up, how often something was started again, and the idle seconds that were reported."""
        up = sum(replica.up for replica in self._replicas)
        idle = self._idle_of_dead + sum(replica.idle_seconds for replica in self._replicas)
        return Status(replicas=max(up, 1), gpus=self._limits.gpus, restarts=self._restarts, idle_seconds=idle)

    def ask(self, take: Take, send: Send) -> Generator[Answered]:
        """Questions in, answers out. Raises EngineUnavailable when replicas die again and again without an answer."""
        self._again.clear()
        try:
            while True:
                self._fill(take, send)
                if not any(replica.chunks for replica in self._replicas) and not self._again:
                    return
                yield from self._answers()
                yield from self._bury()
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """An engine that still works on questions nobody waits for would hold up the next ones."""
        for replica in [replica for replica in self._replicas if replica.chunks]:
            self._end(replica)

    def close(self) -> None:
        """End every replica."""
        for replica in list(self._replicas):
            self._end(replica)

    def _end(self, replica: Replica) -> None:
        import ray

        ray.kill(replica.actor)
        self._idle_of_dead += replica.idle_seconds
        self._replicas.remove(replica)

    def _fill(self, take: Take, send: Send) -> None:
        """Give every replica its chunks, the emptiest first; start replicas with the first question."""
        while chunk := self._next(take):
            while len(self._replicas) < self._limits.replicas:
                self._replicas.append(Replica(*self._start()))
            room = [r for r in self._replicas if self._has_room(r, chunk)]
            if not room:
                self._again.appendleft(chunk)
                return
            replica = min(room, key=lambda r: len(r.chunks))
            if not replica.chunks:
                replica.heard = time.monotonic()
            replica.chunks[send(replica.actor, chunk.requests)] = chunk

    def _next(self, take: Take) -> Chunk | None:
        if self._again:
            return self._again.popleft()
        if self._replicas and not any(self._has_room(replica, None) for replica in self._replicas):
            return None
        requests = take(self._limits.chunk)
        return Chunk(requests) if requests else None

    def _has_room(self, replica: Replica, chunk: Chunk | None) -> bool:
        if any(one.alone for one in replica.chunks.values()):
            return False
        return not replica.chunks if chunk and chunk.alone else len(replica.chunks) < self._limits.in_flight

    def _answers(self) -> Iterator[Answered]:
        """Answers of the chunks that are done, or nothing after a second."""
        import ray

        owner = {reference: replica for replica in self._replicas for reference in replica.chunks}
        coming = {replica.ready: replica for replica in self._replicas if not replica.up}
        done, _ = ray.wait([*owner, *coming], num_returns=1, timeout=HEARTBEAT_SECONDS)
        if not done:
            yield []
        for reference in done:
            replica = owner.get(reference) or coming[reference]
            try:
                result: Any = ray.get(reference)
            except ray.exceptions.RayError as error:
                self._died(replica, str(error), hopeless=getattr(error, "actor_init_failed", False))
                yield []
                return
            replica.up, replica.heard = True, time.monotonic()
            if reference in replica.chunks:
                chunk = replica.chunks.pop(reference)
                answers, replica.idle_seconds = result
                self._deaths_in_a_row = 0
                yield [(request, Answer(**answer)) for request, answer in zip(chunk.requests, answers, strict=True)]

    def _bury(self) -> Iterator[Answered]:
        """End replicas that have been silent for too long, and give up questions that killed an engine by themselves."""
        now = time.monotonic()
        for replica in list(self._replicas):
            limit = self._limits.answer_seconds if replica.up else self._limits.start_seconds
            if (replica.chunks or not replica.up) and now - replica.heard > limit:
                self._died(replica, f"no sign of life for {limit:.0f} s", hopeless=False)
        for chunk in [chunk for chunk in self._again if chunk.deaths > SUSPECT]:
            self._again.remove(chunk)
            (request,) = chunk.requests
            self._deaths_in_a_row = 0
            yield [(request, Answer(text=None, failure="engine_died", finish_reason=self._last_death))]

    def _died(self, replica: Replica, why: str, *, hopeless: bool) -> None:
        self._last_death = _last_line(why)
        self._deaths_in_a_row += 1
        chunks = list(replica.chunks.values())
        self._end(replica)
        for chunk in chunks:
            chunk.deaths += 1
            self._again += [Chunk([request], chunk.deaths) for request in chunk.requests] if chunk.alone else [chunk]
        # One bad question on each replica may cost each of them that many deaths.
        most = self._limits.restarts * self._limits.replicas
        if hopeless or self._deaths_in_a_row > most:
            raise EngineUnavailable(
                f"the engine died {self._deaths_in_a_row} times without an answer; the last time: {why.strip()[-2000:]}"
            )
        self._restarts += 1
        log.warning(
            "an engine died (%d of %d in a row), starting another: %s",
            self._deaths_in_a_row,
            most,
            self._last_death,
        )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1][:500]
