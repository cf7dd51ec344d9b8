"""The page: numbers, examples and charts laid out as one HTML file that needs nothing else.

Everything that is not a chart or a picture of ours goes through the template's escaping: names, labels and generated text are input like
any other. A page holds at most `MOST_PICTURES` pictures of `PICTURE_BYTES` in all, so it stays under 4 MB whatever the corpus.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipelines.lake import Lake
from pipelines.preview import drawn_small
from pipelines.report import charts
from pipelines.report.audience import Audience
from pipelines.report.examples import Fallen, PairKind, Shown, gallery, gated, pair_kinds, quarantined, rejects
from pipelines.report.facts import Branch, Count, Facts
from pipelines.teach.requests import FAILURES
from quality.checks import CHECKS
from quality.thresholds import COSINE_CANDIDATE, DESCRIPTION_WORDS, REASONING_WORDS

SIDE = 208
"""Pixels of a picture's longer side: shown at half of that, so that screens of double density see them sharp."""

MOST_PICTURES = 120
PICTURE_BYTES = 2_500_000
"""Of base64 text: what is beyond it is named instead of shown."""

DIAGNOSES = 30
"""Rows of a heat map; the tree shows all."""

COMMON_WORDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that the template lays out."""

    title: str
    profile: str
    audience: Audience
    facts: Facts
    gallery: list[Shown]
    pairs: list[PairKind]
    rejects: list[Fallen]
    gates: list[Fallen]
    quarantine: list[Fallen]
    pictures: Mapping[str, str]
    withheld: Mapping[str, int]
    samples: Mapping[str, int]


def report(
    lake: Lake,
    sources: Sequence[str],
    audience: Audience,
    *,
    told: Facts,
    title: str,
    profile: str,
    released: Collection[str],
    samples: Mapping[str, int],
    withheld: Mapping[str, int],
) -> str:
    """The HTML of a report about `sources`.

    `told` are its numbers, `released` are ids of the images in the release, `samples` its rows by format, `withheld` the images that it holds back by reason.
    """
    meaning = {**CHECKS, **FAILURES}
    made = {
        "gallery": gallery(lake, sources, released, audience),
        "pairs": pair_kinds(lake, sources, audience),
        "rejects": rejects(lake, sources, meaning, audience),
        "gates": gated(lake, sources, audience),
        "quarantine": quarantined(lake, sources, audience),
    }
    return _laid_out(
        Report(
            title=title,
            profile=profile,
            audience=audience,
            facts=told,
            pictures=_pictures(lake, _needed(made)),
            withheld=withheld,
            samples=dict(sorted(samples.items())),
            **made,
        )
    )


def _needed(made: Mapping[str, Any]) -> list[str]:
    """Images in the order in which they matter: what is beyond the bounds is left out from the end."""
    ids = [row.image_id for row in made["gallery"]]
    ids += [end for kind in made["pairs"] for pair in kind.pairs for end in (pair.a, pair.b)]
    ids += [row.image_id for row in (*made["rejects"], *made["gates"]) if row.image_id]
    return list(dict.fromkeys(ids))[:MOST_PICTURES]


def _pictures(lake: Lake, wanted: Collection[str]) -> dict[str, str]:
    drawn = dict(drawn_small(lake, sorted(wanted), side=SIDE))
    kept, held = {}, 0
    for image_id in wanted:
        held += len(drawn[image_id])
        if held > PICTURE_BYTES:
            break
        kept[image_id] = drawn[image_id]
    return kept


def _laid_out(made: Report) -> str:
    from markupsafe import Markup

    told = made.facts
    drawn = {name: Markup(chart) for name, chart in _charts(told).items()}  # noqa: S704 - ours, with escaped labels
    return _template().render(
        made=made,
        facts=told,
        charts=drawn,
        style=Markup(_beside("page.css")),  # noqa: S704 - a file of this package
        tiles=_tiles(made),
        released=any(count.released for count in told.dimensions["source"]),
        shown_diagnoses=DIAGNOSES,
        cosine=COSINE_CANDIDATE,
        heat=_heat,
        share=_share,
        biggest=max((branch.images for branch in told.tree), default=1),
        depth=_depth,
    )


@lru_cache(1)
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("pipelines.report", ".")
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters["thousands"] = lambda value: f"{value:,}"
    return found.get_template("page.html")


def _beside(name: str) -> str:
    from importlib.resources import files

    return (files("pipelines.report") / name).read_text(encoding="utf-8")


def _charts(told: Facts) -> dict[str, str]:
    drawn = {f"by {name}": charts.bars(f"images by {name}", _rows(counts)) for name, counts in told.dimensions.items()}
    drawn |= {f"tone {system}": charts.bars(f"images by {system} tone", _rows(counts)) for system, counts in told.tones.items()}
    drawn["angles"] = charts.histogram("individual typology angle", told.angles, 10, "degrees (estimated from the picture)")
    drawn["novelty"] = charts.bars(
        "images without a copy in another source", [(row.source, row.images, row.alone) for row in told.novelty]
    )
    texts = told.texts
    drawn["descriptions"] = charts.histogram("words of a description", texts.descriptions, 8, "words", DESCRIPTION_WORDS)
    drawn["reasonings"] = charts.histogram("words of a reasoning", texts.reasonings, 12, "words", REASONING_WORDS)
    drawn["growth"] = charts.curve("growth of the vocabulary", texts.growth, "words read")
    common = [(word, count, count) for word, count in texts.common if len(word) > 3][:COMMON_WORDS]
    drawn["common"] = charts.bars("commonest words", common)
    return drawn


def _rows(counts: Iterable[Count]) -> list[tuple[str, float, float]]:
    return [(count.name.replace("_", " "), count.images, count.released) for count in counts]


def _tiles(made: Report) -> list[tuple[str, int, str]]:
    """The numbers at the top: name, number, remark."""
    counts = made.facts.counts
    images = sum(counts["images"].values())
    groups = counts["groups"]
    answers = sum(counts["trajectories"].values())
    accepted = counts["trajectories"].get("accepted", 0)
    released = sum(count.released for count in made.facts.dimensions["source"])
    return [
        (
            "images in the lake",
            images,
            ", ".join(counts["images"]) if len(counts["images"]) < 4 else f"from {len(counts['images'])} sources",
        ),
        ("images released", released, f"profile {made.profile}"),
        ("samples released", sum(made.samples.values()), f"in {len(made.samples)} formats"),
        ("independent groups", groups["groups"], "none crosses a split"),
        ("trajectories accepted", accepted, f"of {answers:,}"),
        ("inputs left out", sum(counts["quarantined"].values()), "each with a reason"),
    ]


def _heat(count: int, most: int) -> int:
    """Percent of the heat map's colour: by the square root, so that small cells differ from empty ones."""
    return round(12 + 78 * (count / most) ** 0.5) if count and most else 0


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _depth(branch: Branch, most: int) -> float:
    """Percent of a bar's width."""
    return round(100 * branch.images / most, 2) if most else 0.0
