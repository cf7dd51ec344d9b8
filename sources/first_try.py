"""Images by their addresses, over a few connections a host that one thread looks after: a third of what threads cost.

What comes whole at the first try is done here. A host on which anything else happens is left to `sources.download`, which waits,
goes on where it stopped, and gives up. Memory: one image a connection.
"""

import asyncio
import logging
import os
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sources import download
from sources.files import Link

AT_ONCE = 16
"""Connections in all; `sources.download.PER_HOST` limits a host."""

log = logging.getLogger("dermoforge.fetch")

Report = Callable[[Link, str | None], bool]
"""Is told of each link: None where its file is there, otherwise why it is gone for good; says whether that settles it."""


def fetch(links: Sequence[Link], folder: str, report: Report) -> list[Link]:
    """Fetch links into `folder` under their names; returns those that are not settled, in their order."""
    waiting: defaultdict[str, deque[Link]] = defaultdict(deque)
    for link in links:
        if _simple(link.url):
            waiting[download.host_of(link.url)].append(link)
    settled: set[str] = set()

    def tell(link: Link, gone: str | None) -> bool:
        if final := report(link, gone):
            settled.add(link.name)
        return final

    if waiting:
        _run(_hosts(waiting, folder, tell))
    return [link for link in links if link.name not in settled]


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run in a thread of its own. What a signal raises in the main thread would end any task at any point, and all would tell of it."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner, ThreadPoolExecutor(1) as thread:
        loop = runner.get_loop()
        try:
            thread.submit(runner.run, work).result()
        except BaseException:
            loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
            log.warning("stopped: the images that are here stay, and the next run goes on with the others")
            raise


def _simple(url: str) -> bool:
    """Whether an address can be asked for letter by letter: a signature in it would not survive being written anew."""
    return url.startswith(("http://", "https://")) and url.isascii() and url.isprintable() and " " not in url


async def _hosts(waiting: dict[str, deque[Link]], folder: str, report: Report) -> None:
    import aiohttp

    turns = asyncio.Semaphore(AT_ONCE)
    headers = {"User-Agent": download.AGENT, "Accept-Encoding": "identity"}
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=download.PER_HOST),  # redirects included
        headers=headers,
        # A picture that takes longer than the window may be a slow drip: `download` tells one from the other.
        timeout=aiohttp.ClientTimeout(download.WINDOW_SECONDS, sock_connect=download.TIMEOUT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        requote_redirect_url=False,
        read_bufsize=1 << 20,
    )
    async with session:
        hosts = [host for host in waiting for _ in range(download.PER_HOST)]
        await asyncio.gather(*(_connection(session, turns, host, waiting[host], folder, report) for host in hosts))


async def _connection(
    session: Any, turns: asyncio.Semaphore, host: str, waiting: deque[Link], folder: str, report: Report
) -> None:
    """One link of a host after the other, until there are no more or one does not come whole."""
    limit = download.hosts[host]
    if not limit.acquire(blocking=False):
        return  # threads have all the connections that the host allows
    try:
        while waiting:
            link = waiting.popleft()
            try:
                async with turns:
                    report(link, await _one(session, link, os.path.join(folder, link.name)))
            except Exception as error:  # whatever it is, another try is the business of `download`
                log.debug("%s: %s", link.url, error)
                waiting.clear()
    finally:
        limit.release()


async def _one(session: Any, link: Link, target: str) -> str | None:
    from yarl import URL

    async with session.get(URL(link.url, encoded=True), max_redirects=download.REDIRECTS) as answer:
        try:
            download.raise_for(answer, link.url)
        except download.Gone as error:
            return str(error)
        data = await answer.read()
    download.put(target, data)
    return None
