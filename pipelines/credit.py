"""ATTRIBUTION.md and LICENSES.md of a release, from its rows and the catalogue: whom to name, and what may be done with what."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from sources.catalogue import source as catalogue_entry
from sources.licences import LICENCES, carries_images

Credits = Mapping[tuple[str, str, str], int]
"""Samples by source, licence and attribution."""

CHANGES = (
    "Changes made to the images: metadata removed; pictures that are no upright sRGB JPEG were encoded as one. "
    "The text was made for this release and is no part of the sources."
)
NO_IMAGES = "No image is in this release: its rows name images by checksum, and `rejoin.py` joins them to a copy that you hold."


def attribution(credits: Credits) -> str:  # noqa: A002
    """Every source with its citation, its address, and everybody whom its rows name."""
    parts = ["# Attribution\n\nNames are those that the sources ask for. Numbers are samples.\n\n" + CHANGES]
    for name in sorted({source for source, _, _ in credits}):
        entry = catalogue_entry(name)
        lines = [f"## {entry.title}", "", f"`{name}`, version {entry.version}. {entry.url}", "", entry.citation, ""]
        named: dict[str, Counter[str]] = defaultdict(Counter)
        for (source, licence, text), count in credits.items():
            if source == name:
                named[licence][text] += count
        for licence, texts in sorted(named.items()):
            lines += [f"{_linked(licence)}:", "", *(f"- {text} ({texts[text]:,})" for text in sorted(texts)), ""]
        parts.append("\n".join(lines).rstrip())
    return "\n\n".join(parts) + "\n"


def licence_texts(head: Mapping[str, Any], credits: Credits) -> str:  # noqa: A002
    """The licences of a release's rows: what each permits and asks for, and how much is under it. `head` is the manifest's."""
    counts = Counter[str]()
    for (_, licence, _), count in credits.items():
        counts[licence] += count
    lines = ["| licence | name | permits | samples | sources |", "|---|---|---|---|---|"]
    for licence, count in sorted(counts.items()):
        found = LICENCES[licence]
        sources = ", ".join(sorted({source for source, other, _ in credits if other == licence}))
        lines.append(f"| {_linked(licence)} | {found.name} | {found.permits()} | {count:,} | {sources} |")
    same = [licence for licence in sorted(counts) if LICENCES[licence].share_alike]
    parts = [
        f"# Licences (profile `{head['profile']}`)",
        "Each row states its own licence and whom to name; the licence covers the image and the text about it. "
        + _whole(counts),
        *([] if carries_images(head["profile"]) else [NO_IMAGES]),
        "\n".join(lines),
        *([f"What you make of rows under {', '.join(same)} has to be shared under the same terms."] if same else []),
        "The full texts are at the addresses above.",
    ]
    return "\n\n".join(parts) + "\n"


def _whole(counts: Mapping[str, int]) -> str:
    """What the release as a whole may be used for."""
    closed = [licence for licence in sorted(counts) if not LICENCES[licence].commercial]
    return (
        f"As a whole it is not for commercial use, because of {', '.join(closed)}." if closed else "As a whole it may be sold."
    )


def _linked(licence: str) -> str:
    url = LICENCES[licence].url
    return f"[{licence}]({url})" if url else licence
