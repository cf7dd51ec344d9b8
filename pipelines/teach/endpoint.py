"""The `endpoint` engine: any OpenAI-compatible servers of one model, asked as much as they take.

Requests run in one event loop in a thread of its own. A throttling server is asked less; a failed request is tried again, at another URL where
there is one. A request that fails on every try while its server answers another question is a row with a reason; servers that answer nobody
end the run when patience does. Memory: the pictures of the requests in flight.
"""

import asyncio
import logging
import os
import queue
import threading
import time
from collections.abc import Coroutine, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.lake import Lake
from pipelines.teach.chat import LARGEST_BODY, Failed, Fatal, Later, Outcome, body_of, meaning, trial
from pipelines.teach.config import Endpoint, TeacherConfig
from pipelines.teach.pictures import Packs, Picture, prepare
from pipelines.teach.requests import Answer, Answered, Engine, EngineUnavailable, Request, Status, Take, Teacher
from pipelines.teach.seen import Seen
from pipelines.teach.throttle import Throttle
from pipelines.workers import start_ray

CHUNK = 16
"""Pictures that one task prepares."""

ALIVE_SECONDS = 10.0
TURN_SECONDS = 0.05

log = logging.getLogger("dermoforge.teacher")


@dataclass(slots=True, eq=False)
class Server:
    """One URL, its share, and how many requests it holds."""

    url: str
    throttle: Throttle
    in_flight: int = 0


def open_endpoint(lake: Lake, config: TeacherConfig) -> Engine:
    """The engine for the configured URLs. Raises EngineUnavailable for a URL that is none."""
    for url in config.endpoint.urls:
        if not url.startswith(("http://", "https://")):
            raise EngineUnavailable(f"{url!r} is not a URL: endpoint.urls holds base URLs such as http://127.0.0.1:8000/v1")
    teacher = Teacher(
        name=f"endpoint:{config.model}", revision=config.endpoint.revision, reads="pixels", sampling=config.decides()
    )
    packs = Packs(lake)

    def ask(take: Take) -> Generator[Answered]:
        client = Client(config, teacher, packs)
        try:
            yield from client.ask(take)
        finally:
            client.close()

    return Engine(teacher, ask, lambda: Status(replicas=len(config.endpoint.urls)))


class Client:
    """The requests of one run in flight."""

    def __init__(self, config: TeacherConfig, teacher: Teacher, packs: Packs) -> None:
        """Starts the event loop; sends nothing."""
        self._config, self._teacher, self._packs = config, teacher, packs
        options = config.endpoint
        self._options: Endpoint = options
        self._key = os.environ.get(options.key_variable, "")
        self._servers = [Server(url.rstrip("/"), Throttle(options.concurrency)) for url in options.urls]
        self._seen = Seen(options.processor) if options.processor else None
        self._done: queue.SimpleQueue[tuple[Request, Answer]] = queue.SimpleQueue()
        self._fatal = ""
        self._open = 0
        self._heard = time.monotonic()
        self._session: Any = None
        self._prepare: Any = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="endpoint", daemon=True)
        self._thread.start()

    def ask(self, take: Take) -> Generator[Answered]:
        """Questions in, answers out. Raises EngineUnavailable when the servers answer nobody, or refuse everybody."""
        begun = False
        while True:
            while self._open < self._room() and (requests := take(CHUNK)):
                if not begun:
                    self._begin()
                    begun = True
                self._submit(requests)
            if not self._open:
                return
            yield self._collect()
            self._stop_if_hopeless()

    def close(self) -> None:
        """Give up what is in flight and end the loop."""

        async def end() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._session is not None:
                await self._session.close()

        self._run(end(), seconds=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def _run(self, work: Coroutine[Any, Any, Any], seconds: float) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=seconds)

    def _room(self) -> int:
        """Requests to hold: what the servers take now, and as many again whose pictures are being prepared."""
        return 2 * sum(min(s.throttle.most, max(1, int(s.throttle.limit))) for s in self._servers) + CHUNK

    def _begin(self) -> None:
        import ray

        start_ray()
        self._prepare = ray.remote(num_cpus=1, max_retries=2)(prepare)
        self._heard = time.monotonic()
        self._run(self._greet(), seconds=ALIVE_SECONDS * (len(self._servers) + 2))

    async def _greet(self) -> None:
        """Open the session, and look whether a server knows the model: a wrong name would fail every question."""
        import aiohttp

        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        total = aiohttp.ClientTimeout(total=self._options.timeout_seconds, connect=ALIVE_SECONDS)
        self._session = aiohttp.ClientSession(headers=headers, timeout=total, connector=aiohttp.TCPConnector(limit=0))
        for server in self._servers:
            known = await self._models(server)
            if known and self._config.model not in known:
                raise EngineUnavailable(f"{server.url} does not serve {self._config.model!r}, but {', '.join(known[:10])}")
            if self._seen is None and known is not None:
                await self._look(server)

    async def _look(self, server: Server) -> None:
        """Raises EngineUnavailable for a server that drops pictures: its model would answer without seeing anything."""
        counts = []
        for pictured in (True, False):
            server.in_flight += 1
            outcome = await self._post(server, trial(self._config.model, pictured=pictured))
            if not isinstance(outcome, Answer) or outcome.prompt_tokens is None:
                log.warning("%s: it could not be proved that pictures reach the model; set endpoint.processor", server.url)
                return
            counts.append(outcome.prompt_tokens)
        if counts[0] <= counts[1]:
            raise EngineUnavailable(f"{server.url}: a picture adds no token to the prompt, so the model does not see it")

    async def _models(self, server: Server) -> list[str] | None:
        """Names of the models, empty where they are not told; None when the server does not answer."""
        import aiohttp

        try:
            short = aiohttp.ClientTimeout(total=ALIVE_SECONDS)
            async with self._session.get(f"{server.url}/models", timeout=short, allow_redirects=False) as response:
                if response.status >= 500:
                    return None
                found = await response.json(content_type=None) if response.status == 200 else {}
                return [str(entry["id"]) for entry in found.get("data", ())]
        except (aiohttp.ClientError, TimeoutError):
            return None
        except (ValueError, AttributeError, KeyError, TypeError):
            return []

    def _submit(self, requests: Sequence[Request]) -> None:
        pictures = self._prepare.remote(self._packs.job(requests, self._config.max_pixels, encoded=True))
        self._open += len(requests)
        asyncio.run_coroutine_threadsafe(self._chunk(requests, pictures), self._loop)

    def _collect(self) -> Answered:
        """What is done by now; waits up to a second for the first."""
        found: Answered = []
        try:
            found.append(self._done.get(timeout=1.0))
            while True:
                found.append(self._done.get_nowait())
        except queue.Empty:
            self._open -= len(found)
            return found

    def _stop_if_hopeless(self) -> None:
        silence = time.monotonic() - self._heard
        if self._open and silence > self._options.patience_seconds:
            self._fatal = self._fatal or f"no answer for {silence:.0f} s; the last failure: {self._last_failure}"
        if self._fatal:
            raise EngineUnavailable(f"{', '.join(server.url for server in self._servers)}: {self._fatal}")

    async def _chunk(self, requests: Sequence[Request], pictures: Any) -> None:
        try:
            made = await pictures
        except Exception as error:  # whatever a worker of Ray died of
            self._fatal = f"pictures could not be prepared: {error}"
            return
        await asyncio.gather(*(self._settle(r, p) for r, p in zip(requests, made, strict=True)))

    async def _settle(self, request: Request, picture: Picture) -> None:
        try:
            answer = await self._answer(request, picture)
        except Exception as error:  # a fault of ours must end the run, not leave it waiting
            log.exception("asking about %s", request.image_id)
            self._fatal = f"{type(error).__name__}: {error}"
            return
        self._heard = time.monotonic()
        self._done.put((request, answer))

    _last_failure = "none"

    async def _answer(self, request: Request, picture: Picture) -> Answer:
        """Ask until there is an answer: later where a server is busy, elsewhere where it fails, a bounded number of times."""
        if picture.fault:
            return Answer(text=None, failure="undecodable_image", finish_reason=picture.fault)
        body = body_of(request, picture, self._teacher, self._config.model)
        failures, last = 0, None
        while True:
            server = await self._turn(last)
            outcome = await self._post(server, body)
            if isinstance(outcome, Answer):
                server.throttle.answered()
                return self._seen.judged(request.prompt, picture, outcome) if self._seen else outcome
            last = self._note(server, outcome)
            if isinstance(outcome, Failed):
                failures += 1
                if failures >= self._options.tries and await self._answers(server):
                    return Answer(text=None, failure="endpoint_failed", finish_reason=outcome.why[:500])

    async def _answers(self, server: Server) -> bool:
        """Whether the server answers another question now: one with a dead engine may still list its models."""
        server.in_flight += 1
        return isinstance(await self._post(server, trial(self._config.model, pictured=True)), Answer)

    def _note(self, server: Server, outcome: Later | Failed | Fatal) -> Server:
        now = time.monotonic()
        if isinstance(outcome, Later):
            server.throttle.throttled(outcome.seconds, now)
            self._last_failure = "busy"
        elif isinstance(outcome, Failed):
            server.throttle.failed(now)
            self._last_failure = outcome.why
        else:
            self._fatal = outcome.why
            server.throttle.open_at = float("inf")
        return server

    async def _turn(self, last: Server | None) -> Server:
        """A server with room: the emptiest, and not the one that has just failed where there is another."""
        while True:
            now = time.monotonic()
            free = [server for server in self._servers if server.throttle.room(server.in_flight, now)]
            if free:
                chosen = min(free, key=lambda server: (server is last, server.in_flight))
                chosen.in_flight += 1
                return chosen
            await asyncio.sleep(TURN_SECONDS)

    async def _post(self, server: Server, body: dict[str, Any]) -> Outcome:
        import aiohttp

        try:
            async with self._session.post(f"{server.url}/chat/completions", json=body, allow_redirects=False) as response:
                data = await _bounded(response)
                outcome = meaning(response.status, response.headers, data)
        except TimeoutError:
            outcome = Failed(f"no answer within {self._options.timeout_seconds:.0f} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            outcome = Failed(f"{type(error).__name__}: {error}")
        finally:
            server.in_flight -= 1
        return self._without_key(outcome)

    def _without_key(self, outcome: Outcome) -> Outcome:
        """Servers quote requests in their errors: the key must not reach a table or a log."""
        if isinstance(outcome, Failed | Fatal) and self._key:
            return replace(outcome, why=outcome.why.replace(self._key, "[key]"))
        if isinstance(outcome, Answer) and self._key and outcome.failure and outcome.finish_reason:
            return replace(outcome, finish_reason=outcome.finish_reason.replace(self._key, "[key]"))
        return outcome


async def _bounded(response: Any) -> bytes:
    """The body. Raises ValueError when it is larger than any answer."""
    parts, size = [], 0
    async for part in response.content.iter_chunked(1 << 16):
        size += len(part)
        if size > LARGEST_BODY:
            response.close()
            raise ValueError(f"an answer of more than {LARGEST_BODY >> 20} MiB")
        parts.append(part)
    return b"".join(parts)
