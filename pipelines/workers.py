"""Ray, used one way: a pure function over ordered batches, a bounded number in flight, results in the order of the batches.

Order and bound are what the lake needs (chunks are committed as they come, the driver holds a few batches at a time), and a
plain task loop gives both with no plan to optimise; one batch alone runs in this process, so that a small increment does not
pay for starting Ray.
"""

import logging
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

CLIENT_TRIES = 3
"""The head of a cluster forks a server for a client, and on a busy machine that child may die of the fork (Ray 2.60, gRPC's fork handlers)."""

log = logging.getLogger("dermoforge.workers")


def start_ray() -> None:
    """Join the cluster named by RAY_ADDRESS or start a local one, once a process; the dashboard stays off."""
    import ray

    if ray.is_initialized():
        return
    address = os.environ.get("RAY_ADDRESS") or "local"
    log.info("starting Ray (%s)", address)
    with _own_sigterm():
        _init(address)


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Ray takes SIGTERM for itself; whoever handles it already, to end politely, keeps it."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    yield
    if main and callable(before):
        signal.signal(signal.SIGTERM, before)


def _init(address: str) -> None:
    import ray

    if address == "local":
        ray.init(address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        return
    for attempt in range(CLIENT_TRIES):
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
            return
        except ConnectionAbortedError as error:
            if attempt == CLIENT_TRIES - 1:
                raise
            log.warning("%s took no client, trying again: %s", address, str(error).strip().splitlines()[-1])


def gpus() -> int:
    """GPUs of the cluster; starts Ray."""
    import ray

    start_ray()
    return int(ray.cluster_resources().get("GPU", 0))


def map_in_order(function: Callable[[T], R], batches: Iterable[T], gpus: int = 0) -> Iterator[R]:
    """`function` of every batch, in order. Memory: results of at most twice as many batches as the cluster has CPUs.

    `function` must be importable by workers; each of its tasks has `gpus` GPUs for itself, and sees no others. An exception in a
    worker is raised here as it was.
    """
    stream = iter(batches)
    head = list(islice(stream, 2))
    if len(head) < 2:
        yield from map(function, head)
        return
    yield from _remote(function, chain(head, stream), gpus)


def _remote(function: Callable[[T], R], stream: Iterator[T], gpus: int) -> Iterator[R]:
    import ray

    start_ray()
    remote = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=2)(function)
    window = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
    pending: deque[Any] = deque(remote.remote(batch) for batch in islice(stream, window))
    while pending:
        try:
            result: Any = ray.get(pending.popleft())
        except ray.exceptions.RayTaskError as error:
            raise (error.cause or error) from error
        pending.extend(remote.remote(batch) for batch in islice(stream, 1))
        yield result
