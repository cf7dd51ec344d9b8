"""How the graph reads: the groups in order, who owns an asset, what it needs, which columns are copied, and when code changed.

An asset stands in the group of the question that it answers, and depends on nothing of a later group, so that the graph is read from
left to right with its groups folded.
"""

import ast
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

import dagster as dg

from pipelines.meanings import meaning
from pipelines.tables import TABLES

Group = Literal["sources", "images", "duplicates", "curation", "teacher", "corpus", "release"]
GROUPS: tuple[str, ...] = get_args(Group)
"""In reading order."""

Needs = Literal["network", "cpu", "gpu", "teacher"]
"""The scarce thing that an asset takes: the tag `dermoforge/needs`, to be searched by in the UI."""

OWNERS = ["team:data-engineering"]

WEEKLY = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=15), warn_window=timedelta(days=8))
"""A release of the weekly schedule: one missed Sunday warns, two fail."""

AUTOMATIC = (
    dg.AutomationCondition.eager()
    # What is published is never made here, so it is never missing.
    .replace("any_deps_missing", dg.AutomationCondition.any_deps_missing().ignore(dg.AssetSelection.groups("sources")))
    & dg.AutomationCondition.all_deps_blocking_checks_passed()
).with_label("when what it is made of has changed and passed its blocking checks")
"""Does nothing until the sensor `automatic_rebuild` is switched on."""


def _all(table: str, columns: str) -> dict[str, str]:
    return dict.fromkeys(columns.split(), table)


_IMAGE = _all("images", "image_id source")
_ANSWER = _all("completions", "image_id teacher conditioning sample")
_TRAJECTORY = _all("trajectories", "image_id source teacher conditioning sample")
_RENDERED = _all("trajectories", "image_id source node teacher revision conditioning verified_by")
_RENDERED |= {"split": "groups", "licence_id": "images annotations"}

COPIED: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("evidence", "image_quality", "keypoints", "embeddings"), _IMAGE),
    "diagnoses": {**_IMAGE, "diagnosis_raw": "images"},
    "duplicate_pairs": {"a": "images.image_id", "b": "images.image_id"},
    "groups": _IMAGE,
    "completions": {"image_id": "images", "image_sha256": "images.sha256"},
    "trajectories": {
        **_ANSWER,
        "source": "groups",
        "image_sha256": "completions",
        "revision": "completions",
        "observe_key": "completions.request_key",
        "reason_key": "completions.request_key",
    },
    "rejects": {**_ANSWER, "source": "groups"},
    "trajectory_verdicts": {"source": "groups", "teacher": "completions", "conditioning": "completions"},
    "judgements": _TRAJECTORY,
    "agreement": _all("trajectories", "source teacher revision"),
    "review_queue": {**_TRAJECTORY, "kind": "trajectories"},
    "samples": _RENDERED,
    "rl_prompts": _all(
        "samples", "source image_id format split ground_truth node weight teacher revision conditioning verified_by"
    )
    | _all("samples", "licence_id attribution"),
    "preference_pairs": {
        **_RENDERED,
        "chosen_sample": "trajectories.sample",
        "rejected_sample": "trajectories.sample",
    },
    "benchmark": {
        **_IMAGE,
        "image_sha256": "images.sha256",
        "group_id": "groups",
        "node": "diagnoses",
        "licence_id": "images annotations",
    },
}
"""By table and column, the tables whose column of that name it was copied from (`table.column` for another name)."""


def placed(group: Group, *, table: str = "", needs: Needs = "cpu", on_request: bool = False) -> dict[str, Any]:
    """What every asset says of itself, as arguments of `dg.asset` and `dg.AssetSpec`; of a `table` its columns too.

    What is made `on_request` alone is neither expected at any time nor rebuilt by itself.
    """
    told: dict[str, Any] = {
        "group_name": group,
        "owners": OWNERS,
        "tags": {"dermoforge/needs": needs},
        "metadata": _columns(table) if table else {},
        "automation_condition": None if on_request else AUTOMATIC,
    }
    return told | ({"freshness_policy": WEEKLY} if group == "release" and not on_request else {})


def _columns(table: str) -> dict[str, Any]:
    columns = [dg.TableColumn(name, str(kind), description=meaning(table, name)) for name, kind in TABLES[table].columns]
    return {"dagster/column_schema": dg.TableSchema(columns=columns), **column_lineage(table)}


def column_lineage(table: str) -> dict[str, Any]:
    """Where the columns of a table were copied from, as metadata: on the asset, and on its events, where the UI's column view looks."""
    copied = {name: _origins(name, tables) for name, tables in COPIED.get(table, {}).items()}
    return {"dagster/column_lineage": dg.TableColumnLineage(copied)} if copied else {}


def _origins(column: str, tables: str) -> list[dg.TableColumnDep]:
    parts = [name.partition(".") for name in tables.split()]
    return [dg.TableColumnDep(dg.AssetKey(table), other or column) for table, _, other in parts]


def code_of(*modules: str) -> str:
    """The code version of a stage that has no version of its own: a digest of what its modules do, comments and layout apart.

    Modules by their names, a package with all that is in it: some import what takes seconds, and are read only.
    """
    sink = hashlib.sha256()
    for path in (path for name in modules for path in _files(name)):
        sink.update(ast.dump(ast.parse(path.read_text(encoding="utf-8"))).encode())
    return sink.hexdigest()[:16]


def _files(module: str) -> list[Path]:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    return sorted(Path(spec.origin).parent.rglob("*.py")) if spec.submodule_search_locations else [Path(spec.origin)]
