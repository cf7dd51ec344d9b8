"""Runs whose process is gone: a kill -9 leaves them "started" in the UI, holding their places in pools.

A run of `make corpus` carries the tag `OWNER`, its process on this machine. The next one ends those whose process no longer exists.
"""

import socket

import dagster as dg
import psutil

OWNER = "dermoforge/process"


def this_process() -> str:
    """Machine, process id and start time: an id that is used again by another process does not match."""
    process = psutil.Process()
    return f"{socket.gethostname()} {process.pid} {process.create_time():.2f}"


def alive(owner: str) -> bool:
    """Whether the process behind a tag still runs. Processes of other machines count as alive."""
    host, pid, started = owner.rsplit(" ", 2)
    if host != socket.gethostname():
        return True
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == started
    except psutil.NoSuchProcess:
        return False


def end_abandoned_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs of dead processes as failed and give back their places in pools; returns their ids."""
    open_ = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED])
    ended = []
    for run in instance.get_runs(filters=open_):
        if OWNER in run.tags and not alive(run.tags[OWNER]):
            instance.report_run_failed(run, "the process of this run was killed")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            ended.append(run.run_id)
    return ended
