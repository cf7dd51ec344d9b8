"""A DuckDB shell over the lake: a view on every table. `python -m pipelines.sql ["select …"]`, or statements on standard input."""

import argparse
import os
import sys
from typing import Any

from pipelines.lake import Lake
from pipelines.tables import TABLES


def connect(lake: Lake) -> Any:
    """A DuckDB connection with one view a table; filters and columns are pushed down into Delta's files."""
    import duckdb

    connection = duckdb.connect()
    for table in TABLES:
        connection.register(table, lake.dataset(table))
    return connection


def run(connection: Any, statement: str) -> bool:
    """Run one statement and print its rows; False (and the message on stderr) when DuckDB refuses it."""
    import duckdb

    try:
        relation = connection.sql(statement)
    except duckdb.Error as error:
        print(error, file=sys.stderr)
        return False
    if relation is not None:
        relation.show(max_width=200, max_rows=200)
    return True


def main() -> int:
    """Command line; exit status 1 when a statement given with the command fails."""
    parser = argparse.ArgumentParser(prog="make sql", description=__doc__)
    parser.add_argument("statement", nargs="?", help="one SQL statement; without it, a shell")
    parser.add_argument("--lake", default=os.environ.get("DERMOFORGE_LAKE") or "lake", help="lake URL (default: %(default)s)")
    arguments = parser.parse_args()
    connection = connect(Lake(arguments.lake))
    if arguments.statement:
        return 0 if run(connection, arguments.statement) else 1
    return shell(connection)


def shell(connection: Any) -> int:
    """Read statements until end of input; each ends with a semicolon."""
    if sys.stdin.isatty():
        import readline  # noqa: F401 - line editing

        print("Tables: " + ", ".join(TABLES) + "\nEnd a statement with ; and leave with Ctrl-D.")
    held, good = "", True
    while True:
        try:
            held += input("dermoforge> " if sys.stdin.isatty() and not held else "") + "\n"
        except EOFError:
            break
        if held.rstrip().endswith(";"):
            good, held = run(connection, held) and good, ""
    if held.strip():
        good = run(connection, held) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
