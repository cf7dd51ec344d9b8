"""What a person sees of an asset: row counts, column schema, location, data version, thumbnails, and check results."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow.compute as pc

from pipelines.lake import Lake, digest_rows
from pipelines.tables import TABLES

Facts = Mapping[str, Any]


def table_metadata(table: str) -> dict[str, Any]:
    """Definition-time metadata of a table: its column schema."""
    columns = [dg.TableColumn(name, str(kind)) for name, kind in TABLES[table].columns]
    return {"dagster/column_schema": dg.TableSchema(columns=columns)}


def note_partition(context: dg.AssetExecutionContext, lake: Lake, table: str, source: str, facts: Facts) -> None:
    """Attach row count and facts to one partition's materialisation."""
    rows = lake.read(table, source=source, columns=[TABLES[table].key[0]]).num_rows
    metadata = {"dagster/partition_row_count": rows, **{key: _shown(value) for key, value in facts.items()}}
    context.add_asset_metadata(metadata, asset_key=table, partition_key=source)


def described(
    lake: Lake, table: str, facts: Facts, *checks: dg.AssetCheckResult, content: Sequence[str] | None = None
) -> dg.MaterializeResult:
    """The result of a table asset: total rows, location, data version from the content, facts and check results.

    `content` names the columns that determine the others, where reading all of them would cost gigabytes.
    """
    rows = lake.read(table, columns=content)
    return dg.MaterializeResult(
        asset_key=table,
        metadata={
            "dagster/row_count": rows.num_rows,
            "dagster/uri": lake.table_url(table),
            "delta version": lake.version(table) if lake.version(table) is not None else -1,
            **{key: _shown(value) for key, value in facts.items()},
        },
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
        metadata={key: _shown(value) for key, value in facts.items()},
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


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return markdown_table(("what", "count"), list(value.items())) if value else "none"
    if isinstance(value, list):
        return dg.MetadataValue.md("\n".join(f"- {line}" for line in value[:50]) or "none")
    return value
