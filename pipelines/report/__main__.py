"""`make report`: the local report of a corpus, or with --public the one that may travel, as one HTML file."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.lake import Lake
from pipelines.outgoing import cleared_images
from pipelines.report.write import write_report
from sources.licences import PROFILES

DEFAULTS = {"lake": "lake", "releases": "releases", "sources": "phantom", "profile": "noncommercial", "cleared": ""}


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; exit status 1 when the lake holds no image of the sources, 2 for a wrong argument."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    # A default of the environment is not held against `choices` by argparse.
    if chosen.profile not in PROFILES:
        parser.error(f"no licence profile is called {chosen.profile!r}: choose {', '.join(PROFILES)}")
    try:
        cleared = cleared_images(chosen.cleared)
    except OSError as error:
        parser.error(f"--cleared: {error}")
    names = sorted({name.strip() for name in chosen.sources.split(",") if name.strip()})
    how = {"profile": chosen.profile, "local": not chosen.public, "cleared": cleared, "out": chosen.out}
    path = write_report(Lake(chosen.lake), names, Path(chosen.releases), **how)
    if path is None:
        print(f"{chosen.lake} holds no image of {', '.join(names)}: run `make corpus` first", file=sys.stderr)
        return 1
    print(path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make report",
        description="Write what a corpus holds, what was left out and why, and how its rows look, as one HTML file without network.",
        epilog="The local report shows every picture, whatever its licence: it is for those who hold the data. "
        "A release has its own report.html, with pictures that may be passed on.",
    )
    for name, fallback in DEFAULTS.items():
        variable = f"DERMOFORGE_{name.upper()}"
        parser.add_argument(
            f"--{name}", default=os.environ.get(variable) or fallback, help=f"default: {variable}, or {fallback or 'none'}"
        )
    parser.add_argument("--public", action="store_true", help="show only what the licence profile and the image gates let out")
    parser.add_argument(
        "--out", type=Path, help="where to write it (default: report-local.html or report-public.html in --releases)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
