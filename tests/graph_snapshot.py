"""What the code location offers, as text: `python -m tests.graph_snapshot` writes tests/graph.yaml anew.

Asset by asset in the order of the graph, then checks, jobs, schedules and sensors. Code versions are left out: they say what changed,
the snapshot what is offered.
"""

from pathlib import Path
from typing import Any

import dagster as dg
import yaml

FILE = Path(__file__).with_name("graph.yaml")
HEAD = "# What the code location offers to its users. Read the difference, then renew it: .venv/bin/python -m tests.graph_snapshot\n"


def snapshot(defs: dg.Definitions) -> str:
    graph, repository = defs.resolve_asset_graph(), defs.get_repository_def()
    told = {
        "assets": {key.to_user_string(): _asset(graph, key) for key in graph.toposorted_asset_keys},
        "checks": dict(sorted(_check(graph, key) for key in graph.asset_check_keys)),
        "jobs": {name: _job(repository.get_job(name)) for name in sorted(repository.job_names) if not name.startswith("__")},
        "schedules": {
            s.name: {
                "description": s.description,
                "cron": s.cron_schedule,
                "job": s.job_name,
                "at first": s.default_status.value,
            }
            for s in _sorted(repository.schedule_defs)
        },
        "sensors": {s.name: _sensor(s) for s in _sorted(repository.sensor_defs)},
    }
    return HEAD + yaml.safe_dump(told, sort_keys=False, width=120, allow_unicode=True)


def _sorted(found: Any) -> list[Any]:
    return sorted(found, key=lambda each: each.name)


def _asset(graph: Any, key: dg.AssetKey) -> dict[str, Any]:
    node = graph.get(key)
    schema = node.metadata.get("dagster/column_schema")
    lineage = node.metadata.get("dagster/column_lineage")
    told = {
        "group": node.group_name,
        "description": " ".join((node.description or "").split()),
        "owners": ", ".join(node.owners),
        "kinds": ", ".join(sorted(node.kinds)),
        "tags": ", ".join(f"{name}={value}" for name, value in sorted(node.tags.items()) if "dagster/kind" not in name),
        "partitioned": node.partitions_def is not None,
        "pools": ", ".join(sorted(node.pools or ())),
        "code version": bool(node.code_version),
        "automatic": bool(node.automation_condition),
        "fresh": str(node.freshness_policy.fail_window.to_timedelta()) if node.freshness_policy else None,
        "deps": " ".join(sorted(parent.to_user_string() for parent in node.parent_keys)),
        "columns": " ".join(column.name for column in schema.columns) if schema else None,
        "copied": _copied(lineage) if lineage else None,
    }
    return {name: value for name, value in told.items() if value or value is False}


def _copied(lineage: dg.TableColumnLineage) -> dict[str, str]:
    return {
        column: ", ".join(f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in deps)
        for column, deps in lineage.deps_by_column.items()
    }


def _check(graph: Any, key: dg.AssetCheckKey) -> tuple[str, str]:
    spec = graph.get_check_spec(key) if hasattr(graph, "get_check_spec") else graph.get(key).spec
    return f"{key.asset_key.to_user_string()}.{key.name}", f"{'blocks: ' if spec.blocking else ''}{spec.description or ''}"


def _job(job: dg.JobDefinition) -> dict[str, Any]:
    layer = job.asset_layer
    return {
        "description": job.description,
        "assets": " ".join(sorted(key.to_user_string() for key in layer.executable_asset_keys)),
        "checks": len(layer.asset_graph.asset_check_keys),
    }


def _sensor(sensor: Any) -> dict[str, Any]:
    told = {
        "description": sensor.description,
        "at first": sensor.default_status.value,
        "every seconds": sensor.minimum_interval_seconds,
    }
    return told | {"jobs": " ".join(sorted(t.job_name for t in sensor.targets if sensor.sensor_type.value == "STANDARD"))}


def main() -> None:
    from assets.definitions import defs

    FILE.write_text(snapshot(defs))


if __name__ == "__main__":
    main()
