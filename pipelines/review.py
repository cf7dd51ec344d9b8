"""People in the loop: `make review` writes the queue for Label Studio, `make review FILE=verdicts.json` takes an export of it back in."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.lake import Lake
from pipelines.review_queue import queue
from pipelines.reviews import Imported, between_reviewers, import_file
from quality.label_studio import WrongFile


def main(arguments: Sequence[str] | None = None) -> int:
    """Export without a file, import with one; exit status 1 when annotations were refused, 2 for a file that is no export."""
    parser = argparse.ArgumentParser(prog="make review", description=__doc__)
    parser.add_argument("file", nargs="?", help="a JSON export of Label Studio")
    parser.add_argument(
        "--lake", default=os.environ.get("DERMOFORGE_LAKE") or "lake", help="default: DERMOFORGE_LAKE, or ./lake"
    )
    parser.add_argument(
        "--folder", default=os.environ.get("DERMOFORGE_REVIEWS") or "reviews", help="default: DERMOFORGE_REVIEWS, or ./reviews"
    )
    chosen = parser.parse_args(arguments)
    lake = Lake(chosen.lake)
    if not chosen.file:
        _export(lake, Path(chosen.folder))
        return 0
    try:
        done = import_file(lake, Path(chosen.file))
    except WrongFile as error:
        print(error, file=sys.stderr)
        return 2
    _tell(lake, done)
    return 1 if done.refused else 0


def _export(lake: Lake, folder: Path) -> None:
    found = queue(lake, folder)
    for stratum, count in found.strata.items():
        print(f"{count:5} {stratum}")
    for path in found.files:
        print(path)
    if not found.rows:
        print("nothing to review: no trajectory holds an observation that nobody has judged")


def _tell(lake: Lake, done: Imported) -> None:
    for outcome, count in sorted(done.outcomes.items()):
        print(f"{count:5} {outcome}")
    for line in done.refused:
        print(f"refused: {line}")
    for what, name, value, shared, people in between_reviewers(lake):
        print(f"{what}: {name} {'undefined' if value is None else f'{value:.2f}'} ({people} reviewers, {shared} shared items)")
    if done.outcomes:
        print("the next run judges by these verdicts")


if __name__ == "__main__":
    sys.exit(main())
