"""`make corpus`: the whole job in this process, with progress while it runs and one table at the end.

The same Dagster job that the UI runs, on the instance that the UI shows, so the run can be looked at afterwards.
"""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress

import dagster as dg
from rich.console import Console
from rich.table import Table

from assets.abandoned import OWNER, end_abandoned_runs, this_process
from assets.definitions import defs
from assets.partitions import RANGE
from assets.settings import Settings, chosen_sources
from pipelines.summary import summarise
from sources.catalogue import source

log = logging.getLogger("dermoforge.corpus")

PUBLISHING = {"hub_release"}
"""Never part of a build: publishing is asked for."""


def main() -> int:
    """Run the job for DERMOFORGE_SOURCES; exit status 1 when a step or a blocking check fails, 2 for a wrong setting."""
    argparse.ArgumentParser(prog="make corpus", description=__doc__).parse_args()
    settings = Settings()
    try:
        names = [source(name).name for name in chosen_sources()]
        settings.check()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return run_corpus(settings, names)


def run_corpus(settings: Settings, names: list[str], only: str = "") -> int:
    """Run the job, or the assets named in `only`, and print what came of it; the exit status."""
    _quiet()
    try:
        chosen = selected(only)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"corpus of {', '.join(names)}", file=sys.stderr)
    with _instance() as instance:
        result = _run(instance, chosen)
        seconds = _seconds(instance, result.run_id)
    Console(width=110).print(*_report(settings, names, seconds, _teacher_calls(result)), sep="\n")
    for message in _failures(result):
        print(message, file=sys.stderr)
    return 0 if result.success else 1


def _quiet() -> None:
    warnings.filterwarnings("ignore")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("dermoforge")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _instance() -> dg.DagsterInstance:
    """The instance whose UI shows the run; one that forgets, when DAGSTER_HOME is not set."""
    return dg.DagsterInstance.get() if os.environ.get("DAGSTER_HOME") else dg.DagsterInstance.ephemeral()


def selected(only: str) -> list[dg.AssetKey] | None:
    """The assets of `a,+b,c+` (`+` before a name takes what it needs too, behind it what follows); None for all. Raises ValueError."""
    graph, wanted = defs.resolve_asset_graph(), dg.AssetSelection.assets()
    known = {key.to_user_string() for key in graph.materializable_asset_keys} - PUBLISHING
    for part in filter(None, (part.strip() for part in only.split(","))):
        name = part.strip("+")
        if name not in known:
            raise ValueError(f"no asset is called {name!r}. Known: {', '.join(sorted(known))}")
        asset = dg.AssetSelection.assets(name)
        wanted |= asset.upstream() if part.startswith("+") else asset
        wanted |= asset.downstream() if part.endswith("+") else asset
    if not only:
        return None
    return sorted(key for key in wanted.required_multi_asset_neighbors().resolve(graph) if key.to_user_string() in known)


def _run(instance: dg.DagsterInstance, chosen: list[dg.AssetKey] | None) -> dg.ExecuteInProcessResult:
    job = defs.resolve_job_def("corpus")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    for run_id in end_abandoned_runs(instance):
        log.info("run %s had been killed; going on where its last commit stands", run_id)
    tags = {**RANGE, OWNER: this_process()}
    return job.execute_in_process(run_config=quiet, instance=instance, tags=tags, raise_on_error=False, asset_selection=chosen)


def _seconds(instance: dg.DagsterInstance, run_id: str) -> dict[str, float]:
    """Wall seconds of each step, in the order in which they ran."""
    starts: dict[str, float] = {}
    spent: dict[str, float] = {}
    for record in instance.get_records_for_run(run_id).records:
        event, key = record.event_log_entry.dagster_event, record.event_log_entry.step_key
        if event is None or key is None:
            continue
        if event.is_step_start:
            starts[key] = record.timestamp
        elif event.is_step_success or event.is_step_failure:
            spent[key] = record.timestamp - starts.get(key, record.timestamp)
    return spent


def _teacher_calls(result: dg.ExecuteInProcessResult) -> Mapping[str, int]:
    for event in result.get_asset_materialization_events():
        if event.asset_key == dg.AssetKey("completions"):
            metadata = event.materialization.metadata
            with suppress(KeyError):
                return {key: int(metadata[f"{key} in all"].value or 0) for key in ("asked", "cached", "failed")}  # type: ignore[arg-type]
    return {}


def _failures(result: dg.ExecuteInProcessResult) -> list[str]:
    messages = []
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            cause = error.cause if error and error.cause else error
            messages.append(f"FAILED {event.step_key}: {cause.message.strip() if cause else 'no message'}")
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed:
            lines = [f"  {key}: {_indented(value.value)}" for key, value in evaluation.metadata.items()]
            level = "FAILED" if evaluation.severity == dg.AssetCheckSeverity.ERROR else "WARNING"
            name = f"{evaluation.asset_key.to_user_string()}.{evaluation.check_name}"
            messages.append("\n".join([f"{level} check {name}", *lines]))
    return messages


def _indented(value: object) -> str:
    """A fact as text; a table below its name."""
    text = str(value)
    return "\n    " + text.replace("\n", "\n    ") if "\n" in text else text


def _report(settings: Settings, names: list[str], seconds: Mapping[str, float], calls: Mapping[str, int]) -> list[Table]:
    parts = summarise(settings.lake(), names, settings.releases_path(), settings.release_profile(), settings.cleared_images())
    parts["teacher calls"] = {**calls}
    parts["seconds"] = {key: round(value, 1) for key, value in seconds.items()} | {"total": round(sum(seconds.values()), 1)}
    table = Table("stage", "what", "count", title="corpus", show_lines=False)
    for stage, facts in parts.items():
        for n, (what, value) in enumerate(facts.items()):
            shown = f"{value:,}" if isinstance(value, int | float) else str(value)
            table.add_row("" if n else stage, what, shown)
        table.add_section()
    return [table]


if __name__ == "__main__":
    sys.exit(main())
