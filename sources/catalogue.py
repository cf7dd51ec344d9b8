"""The catalogue: every set that has a module in `sources.sets`, and those of a deployment's own file.

`python -m sources.catalogue` lists the sets, `… show NAME` says everything about one, `… licences` what each licence permits, and
`… markdown` prints the tables of docs/sets.md. A fact that was not read on the set's own page says "confirm" in its traps.
"""

import argparse
import os
import pkgutil
import sys
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module

import sources.sets
from sources.entry import ArchiveQuery, Source
from sources.licences import LICENCES, may_release, strictest


class UnknownSource(ValueError):
    """A name that the catalogue does not hold; the message lists the names and the closest."""


def _published() -> dict[str, Source]:
    names = sorted(module.name for module in pkgutil.iter_modules(sources.sets.__path__))
    return {name: import_module(f"sources.sets.{name}").SOURCE for name in names}


SOURCES: dict[str, Source] = _published()
"""Published sets by name. Sets of a deployment's own are found by `source` too."""


def catalogue() -> dict[str, Source]:
    """Published sets, and those of the file that DERMOFORGE_OWN_SETS names. Raises ValueError for a file that is not understood."""
    own = os.environ.get("DERMOFORGE_OWN_SETS")
    if not own:
        return SOURCES
    from sources.own import own_sets

    mine = own_sets(own)
    if taken := sorted(SOURCES.keys() & mine.keys()):
        raise ValueError(f"DERMOFORGE_OWN_SETS {own}: {', '.join(taken)} is a published set: choose another name")
    return SOURCES | mine


def source(name: str) -> Source:
    """The entry of a set. Raises UnknownSource, with the closest name."""
    known = catalogue()
    if name not in known:
        close = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise UnknownSource(f"no source is called {name!r}{hint} Known: {', '.join(known)}")
    return _chosen(known[name])


def _chosen(entry: Source) -> Source:
    """The entry with the part of the ISIC Archive that the environment names, if it is a query."""
    collections = os.environ.get("DERMOFORGE_ISIC_COLLECTIONS", "")
    search = os.environ.get("DERMOFORGE_ISIC_SEARCH", "")
    if entry.name != "isic_archive" or not (collections or search) or not entry.query:
        return entry
    names = tuple(name.strip() for name in collections.split(",") if name.strip())
    return replace(entry, query=ArchiveQuery(collections=names, search=search, api=entry.query.api))


def effective_licence(entry: Source) -> str:
    """The strictest of everything that is said about a set's licence."""
    return strictest([entry.licence_id, *(licence for _, licence in entry.licence_claims)])


def released(entry: Source) -> str:
    """In words, what a release may contain of a set."""
    licence = effective_licence(entry)
    if entry.query:
        return "each image by its own licence"
    if entry.annotates:
        return "as its images" if may_release(licence, "noncommercial") else "nothing"
    profiles = [profile for profile in ("open", "noncommercial") if may_release(licence, profile)]  # type: ignore[arg-type]
    return " and ".join(profiles) or "nothing"


def how_to_get(entry: Source) -> str:
    """In words, what a user has to do for a set."""
    if entry.access == "built-in":
        return "nothing: it is drawn"
    if entry.query:
        return "fetched from the archive's API"
    by_hand = [file.name.removesuffix("*") for file in entry.files if file.url is None and file.required]
    images = " and an address an image" if entry.linked else ""
    return f"put there: {', '.join(by_hand)}" if by_hand else f"fetched{images}"


def markdown() -> str:
    """The generated tables of docs/sets.md."""
    head = "| set | title | images | modality | licence | a release may contain | access | how to get it | status |"
    lines = [head, "|" + "---|" * 9]
    for entry in SOURCES.values():
        count = f"{entry.published_images:,}" if entry.published_images else "-"
        modality = entry.modality or ("annotations" if entry.annotates else "each image's own")
        cells = (
            f"`{entry.name}`",
            f"[{entry.title}]({entry.url})" if entry.url else entry.title,
            count,
            str(modality),
            effective_licence(entry),
            released(entry),
            entry.access,
            how_to_get(entry),
            entry.status,
        )
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| licence | permits | page |", "|---|---|---|"]
    lines += [f"| {x.id}: {x.name} | {x.permits()} | {x.url or '-'} |" for x in LICENCES.values()]
    traps = [f"- `{entry.name}`: {'; '.join(entry.traps)}." for entry in SOURCES.values()]
    return "\n".join([*lines, "", "What goes wrong with each:", "", *traps, ""])


def main() -> None:
    """The command line of the catalogue."""
    parser = argparse.ArgumentParser(prog="python -m sources.catalogue", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("list", "show", "licences", "markdown"), default="list")
    parser.add_argument("name", nargs="?", help="the set to show")
    given = parser.parse_args()
    if given.what == "markdown":
        print(markdown(), end="")
        return
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 160)
    try:
        console.print(_shown(given.what, given.name))
    except ValueError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from error


def _shown(what: str, name: str | None):  # noqa: ANN202
    from rich.table import Table

    if what == "licences":
        table = Table("licence", "permits", "name", title="licences")
        for licence in LICENCES.values():
            table.add_row(licence.id, licence.permits(), licence.name)
        return table
    if what == "show":
        entry = source(name or "")
        table = Table("field", "value", title=entry.title, show_header=False)
        for field in entry.__slots__:
            if value := getattr(entry, field):
                table.add_row(field, "\n".join(map(str, value)) if isinstance(value, tuple) else str(value))
        table.add_row("released", released(entry))
        table.add_row("how to get it", how_to_get(entry))
        return table
    table = Table("name", "title", "images", "modality", "licence", "access", "how to get it", title="sources")
    for entry in catalogue().values():
        count = f"{entry.published_images:,}" if entry.published_images else "-"
        modality = str(entry.modality or "-")
        table.add_row(entry.name, entry.title, count, modality, effective_licence(entry), entry.access, how_to_get(entry))
    return table


if __name__ == "__main__":
    main()
