"""Writing reports: one for local eyes beside the releases, one inside a release."""

import os
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from pipelines.lake import Lake
from pipelines.release import releasable
from pipelines.report.audience import LOCAL, public
from pipelines.report.facts import facts
from pipelines.report.page import report
from sources.licences import Profile


def write_report(
    lake: Lake,
    sources: Sequence[str],
    releases: Path,
    *,
    profile: Profile,
    local: bool = True,
    cleared: Collection[str] = (),
    out: Path | None = None,
) -> Path | None:
    """Write a report of the lake as it is now and return where; None when it holds no image of `sources`.

    The local one lies beside the releases, never in one: publishing sends the folder of a release and nothing else.
    """
    held = [name for name in sources if lake.read("images", source=name, columns=["image_id"]).num_rows]
    if not held:
        return None
    rows, withheld = releasable(lake, held, profile, cleared)
    released = {row["image_id"] for row in rows}
    html = report(
        lake,
        held,
        LOCAL if local else public(lake, held, profile),
        title=f"DermoForge: {', '.join(held)}",
        profile=profile,
        told=facts(lake, held, released),
        released=released,
        samples=Counter(row["format"] for row in rows),
        withheld=withheld,
    )
    path = out or releases / f"report-{'local' if local else 'public'}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    temporary.write_text(html, encoding="utf-8")
    os.replace(temporary, path)
    return path
