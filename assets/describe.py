"""What a person sees of an asset: row counts, column schema, location, data version, thumbnails, and check results."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from assets.graph import column_lineage
from pipelines.audit import PRIVATE_FIELDS
from pipelines.lake import Lake, digest_rows
from pipelines.tables import TABLES

Facts = Mapping[str, Any]

EVENT_BYTES, PARTITION_BYTES, WHOLE_BYTES = 90_000, 60_000, 30_000
"""Of an event's metadata (design section 8: 100 KB): all of it; what is told of one partition; what its event tells of the whole table."""

ROWS, LETTERS, BAR = 3, 80, 20
"""Rows shown of a table, letters of a cell, and the longest bar of a chart."""

TOO_LONG = "\n… the rest is too long to be shown here"


def note_partition(context: dg.AssetExecutionContext, lake: Lake, table: str, source: str, facts: Facts) -> None:
    """Attach row count and facts to one partition's materialisation."""
    context.add_asset_metadata(_of_partition(lake, table, source, facts), asset_key=table, partition_key=source)


def partition_event(lake: Lake, table: str, source: str, facts: Facts) -> dg.AssetMaterialization:
    """The materialisation of one partition by itself, where a step that fails for others has no result; its data version is its own."""
    metadata = {"dagster/uri": lake.table_url(table), **_of_partition(lake, table, source, facts)}
    version = digest_rows(lake.read(table, source=source))[:32]
    return dg.AssetMaterialization(table, partition=source, metadata=metadata, tags={"dagster/data_version": version})


def _of_partition(lake: Lake, table: str, source: str, facts: Facts) -> dict[str, Any]:
    rows = lake.read(table, source=source, columns=[TABLES[table].key[0]]).num_rows
    shown = {key: _shown(value) for key, value in facts.items()}
    return bounded({"dagster/partition_row_count": rows, **shown, **_first(lake, table, source)}, PARTITION_BYTES)


def _first(lake: Lake, table: str, source: str | None = None) -> dict[str, Any]:
    """A few rows to look at, cut short; without bytes, and without what leads to a person: events are kept outside the lake."""
    names = [name for name, kind in TABLES[table].columns if kind != pa.binary() and name not in PRIVATE_FIELDS]
    rows = lake.first(table, ROWS, names, source=source)
    cells = [(name, *(_cell(row.get(name)) for row in rows)) for name in names]
    return {"first rows": markdown_table(("column", *(f"row {n + 1}" for n in range(len(rows)))), cells)} if rows else {}


def _cell(value: Any) -> str:
    text = str(value).replace("|", "/").replace("\n", " ")
    return text if len(text) <= LETTERS else f"{text[:LETTERS]}…"


def bounded(metadata: Mapping[str, Any], most: int = EVENT_BYTES) -> dict[str, Any]:
    """Metadata that fit into an event of `most` bytes: of the longest text the last lines are left out, again until all is small enough."""
    kept = dict(metadata)
    while (over := sum(map(_size, kept.values())) - most) > 0:
        name = max(kept, key=lambda each: _size(kept[each]))
        if _size(kept[name]) <= len(json.dumps(TOO_LONG)):
            break
        kept[name] = _shorter(kept[name], _size(kept[name]) - over)
    return kept


def _text(value: Any) -> str:
    return value.value if isinstance(value, dg.MarkdownMetadataValue) else str(getattr(value, "value", value))


def _size(value: Any) -> int:
    return len(json.dumps(_text(value)))


def _shorter(value: Any, most: int) -> dg.MarkdownMetadataValue:
    kept, held = list[str](), len(json.dumps(TOO_LONG))
    for line in _text(value).split("\n"):
        held += len(json.dumps(line))
        if held > most:
            break
        kept.append(line)
    return dg.MetadataValue.md("\n".join([*kept, TOO_LONG]))


def described(
    lake: Lake, table: str, facts: Facts, *checks: dg.AssetCheckResult, content: Sequence[str] | None = None
) -> dg.MaterializeResult:
    """The result of a table asset: total rows, location, data version from the content, facts and check results.

    `content` names the columns that determine the others, where reading all of them would cost gigabytes.
    """
    rows, parted = lake.read(table, columns=content), TABLES[table].partitioned
    told = {
        "dagster/row_count": rows.num_rows,
        "dagster/uri": lake.table_url(table),
        "delta version": lake.version(table) if lake.version(table) is not None else -1,
        **{key: _shown(value) for key, value in facts.items()},
        **({} if parted else _first(lake, table)),
        **column_lineage(table),
    }
    return dg.MaterializeResult(
        asset_key=table,
        metadata=bounded(told, WHOLE_BYTES if parted else EVENT_BYTES),
        data_version=dg.DataVersion(digest_rows(rows)[:32]),
        check_results=[_schema_check(table, rows), *checks],
    )


def schema_spec(table: str) -> dg.AssetCheckSpec:
    """The check that every table has: right columns, keys present and unique. Blocks what reads the table."""
    return dg.AssetCheckSpec("schema", asset=table, blocking=True, description="columns as defined, keys present and unique")


def _schema_check(table: str, rows: Any) -> dg.AssetCheckResult:
    key = list(TABLES[table].key)
    nulls = sum(rows.column(name).null_count for name in key)
    repeated = rows.num_rows - rows.group_by(key).aggregate([]).num_rows if rows.num_rows else 0
    return dg.AssetCheckResult(
        check_name="schema",
        asset_key=table,
        passed=all(TABLES[table].schema.field(field.name).equals(field) for field in rows.schema)
        and not nulls
        and not repeated,
        metadata={"null keys": nulls, "repeated keys": repeated, "columns": len(rows.schema)},
    )


def check(
    table: str,
    name: str,
    passed: bool,
    facts: Facts,
    *,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """A check result of an asset with its facts."""
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=table,
        passed=passed,
        severity=severity,
        metadata=bounded({key: _shown(value) for key, value in facts.items()}),
    )


def tally(rows: Any, column: str) -> dict[str, int]:
    """Counts of a column's values, most frequent first."""
    counts = pc.value_counts(rows.column(column).combine_chunks()).to_pylist()
    return {str(c["values"]): c["counts"] for c in sorted(counts, key=lambda c: (-c["counts"], str(c["values"])))}


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> dg.MarkdownMetadataValue:
    """A markdown table as metadata."""
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return dg.MetadataValue.md("\n".join(lines))


def _chart(counts: Mapping[str, Any]) -> dg.MarkdownMetadataValue:
    """Counts with bars beside them, the longest as long as `BAR`; other values as a table."""
    if not all(isinstance(value, int) and value >= 0 for value in counts.values()):
        return markdown_table(("what", "count"), list(counts.items()))
    most = max(counts.values()) or 1
    rows = [(name, f"{value:,}", "█" * -(-BAR * value // most)) for name, value in counts.items()]
    return markdown_table(("what", "count", ""), rows)


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _chart(value) if value else "none"
    if isinstance(value, list):
        return dg.MetadataValue.md("\n".join(f"- {line}" for line in value[:50]) or "none")
    return value
