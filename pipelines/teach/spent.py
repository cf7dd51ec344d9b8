"""What the ledger holds, and what it took: `make ledger`, or `python -m pipelines.teach.spent [--price GPU_HOUR]`."""

import argparse
import os
from typing import Any

from pipelines.lake import Lake
from pipelines.sql import connect

QUERY = """
SELECT teacher, left(revision, 12) AS revision, stage, conditioning, prompt_version,
       count(*) AS answers, count(failure) AS failures,
       coalesce(sum(prompt_tokens), 0)::BIGINT AS prompt_tokens, coalesce(sum(answer_tokens), 0)::BIGINT AS answer_tokens,
       sum(engine_seconds) / 3600 AS engine_hours, sum(engine_seconds * gpus) / 3600 AS gpu_hours
FROM completions GROUP BY ALL ORDER BY ALL
"""
REASONS = (
    "SELECT teacher, stage, failure, count(*) AS rows FROM completions WHERE failure IS NOT NULL GROUP BY ALL ORDER BY ALL"
)


def spent(lake: Lake) -> list[dict[str, Any]]:
    """Answers, failures, tokens and hours by teacher, stage and prompt version. Memory: DuckDB streams the table."""
    return _rows(lake, QUERY)


def reasons(lake: Lake) -> list[dict[str, Any]]:
    """Failures by teacher, stage and reason."""
    return _rows(lake, REASONS)


def _rows(lake: Lake, query: str) -> list[dict[str, Any]]:
    return connect(lake).sql(query).to_arrow_table().to_pylist()


def main() -> None:
    """Print both as tables."""
    from rich.console import Console

    parser = argparse.ArgumentParser(prog="make ledger", description=__doc__)
    parser.add_argument(
        "--lake", default=os.environ.get("DERMOFORGE_LAKE") or "lake", help="default: DERMOFORGE_LAKE, or ./lake"
    )
    parser.add_argument("--price", type=float, default=0.0, help="of a GPU hour, to add the cost")
    chosen = parser.parse_args()
    lake, console = Lake(chosen.lake), Console()
    console.width = max(console.width, 150)  # eleven columns
    rows = spent(lake)
    if not rows:
        console.print(f"the ledger of {lake.url} is empty")
        return
    console.print(_table("the ledger", [_shown(row, chosen.price) for row in rows]))
    if failed := reasons(lake):
        console.print(_table("failures", [{key: str(value) for key, value in row.items()} for row in failed]))


def _shown(row: dict[str, Any], price: float) -> dict[str, str]:
    cost = {"cost": f"{row['gpu_hours'] * price:,.2f}"} if price else {}
    counts = {key: f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" for key, value in list(row.items())[5:]}
    return {**{key: str(value) for key, value in list(row.items())[:5]}, **counts, **cost}


def _table(title: str, rows: list[dict[str, str]]) -> Any:
    from rich.table import Table

    table = Table(*(name.replace("_", " ") for name in rows[0]), title=title)
    for row in rows:
        table.add_row(*row.values())
    return table


if __name__ == "__main__":
    main()
