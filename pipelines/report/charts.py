"""Charts as inline SVG: drawn by Matplotlib, coloured by the page.

Matplotlib, as its SVG needs no script (Plotly brings 4 MB of it, Vega 1), keeps text as text, and repeats byte for byte once ids are
salted and the date left out. Colours are replaced by CSS variables, so that one chart serves light and dark. Charts are drawn narrow: a
phone shows one at its true size, a desktop several beside each other.
"""

import io
import re
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from html import escape
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 3.7
"""Inches of 72 points: a panel shows them at 1.3 pixels a point, a phone of 400 pixels too."""

ROW = 0.23
"""Inches of a bar with its label."""

MOST_BARS = 24
LABEL = 24
"""Characters of a label: what is longer is cut."""

COLOURS = {"#010203": "var(--ink)", "#040506": "var(--line)", "#070809": "var(--strong)", "#0a0b0c": "var(--soft)"}
"""What Matplotlib draws with, and what the page makes of it: text, lines, released, in the lake only."""
INK, LINE, STRONG, SOFT = COLOURS


STYLE: dict[Any, Any] = {"svg.fonttype": "none", "text.parse_math": False}
"""Text stays text, and a dollar sign in a label is one."""

P = ParamSpec("P")


def _styled(draw: Callable[P, str]) -> Callable[P, str]:
    """Draw with this module's style and leave Matplotlib's settings as they were."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> str:
        import matplotlib as mpl

        with mpl.rc_context(STYLE), warnings.catch_warnings():
            # The browser has the glyphs that Matplotlib's own font lacks: text is not drawn here.
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            return draw(*args, **kwargs)

    return styled


@_styled
def bars(name: str, rows: Sequence[tuple[str, float, float]], unit: str = "") -> str:
    """Horizontal bars: (label, whole, part of it); the number at the end is the whole, with the part before it where they differ.

    At most `MOST_BARS`; the rest becomes one bar.
    """
    shown = [*rows[:MOST_BARS]]
    if len(rows) > MOST_BARS:
        rest = rows[MOST_BARS:]
        shown.append((f"{len(rest)} more", sum(row[1] for row in rest), sum(row[2] for row in rest)))
    figure, axes = _figure(ROW * len(shown) + 0.15)
    places = range(len(shown))
    axes.barh(places, [row[1] for row in shown], color=SOFT, height=0.68)
    axes.barh(places, [row[2] for row in shown], color=STRONG, height=0.68)
    most = max((row[1] for row in shown), default=1) or 1
    for place, (_, whole, part) in enumerate(shown):
        axes.text(whole + most * 0.015, place, _number(whole, part, unit), va="center", fontsize=8, color=INK)
    axes.set_yticks(places, [plain(row[0]) for row in shown], fontsize=8)
    axes.set_xlim(0, most * 1.42)
    axes.set_ylim(len(shown) - 0.45, -0.55)
    axes.xaxis.set_visible(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    return _svg(name, figure)


def _number(whole: float, part: float, unit: str) -> str:
    if unit:
        return f"{whole:.0f}{unit}"
    return f"{whole:,.0f}" if part in (0, whole) else f"{part:,.0f} of {whole:,.0f}"


@_styled
def histogram(name: str, values: Sequence[float], step: float, axis: str, limits: Sequence[float] = ()) -> str:
    """Counts of values in bins of `step`, with dashed lines at the limits that a check allows."""
    import numpy as np

    low = np.floor(min(values, default=0.0) / step) * step
    high = np.floor(max(values, default=1.0) / step) * step + step
    figure, axes = _figure(1.75)
    axes.hist(list(values), bins=np.arange(low, high + step, step).tolist(), color=STRONG, rwidth=0.9)
    for limit in limits:
        axes.axvline(limit, color=INK, linewidth=0.9, linestyle=(0, (3, 3)))
    _plain_axes(axes, axis)
    return _svg(name, figure)


@_styled
def curve(name: str, points: Sequence[tuple[float, float]], axis: str) -> str:
    """A line through points."""
    figure, axes = _figure(1.75)
    axes.plot([x for x, _ in points], [y for _, y in points], color=STRONG, linewidth=1.8)
    axes.fill_between([x for x, _ in points], [y for _, y in points], color=SOFT, alpha=0.45, linewidth=0)
    axes.set_xlim(0)
    axes.set_ylim(0)
    _plain_axes(axes, axis)
    return _svg(name, figure)


def _figure(height: float) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="none")
    axes = figure.add_subplot(facecolor="none")
    return figure, axes


def _plain_axes(axes: Any, label: str) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.tick_params(length=0, labelsize=8, labelcolor=INK)
    axes.set_xlabel(label, fontsize=8.5, color=INK)
    for direction in (axes.xaxis, axes.yaxis):
        direction.set_major_locator(MaxNLocator(5, integer=True))
        direction.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def plain(text: str) -> str:
    """One short line without control characters, which SVG has no room for."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LABEL else line[: LABEL - 1] + "…"


def _svg(name: str, figure: "Figure") -> str:
    """The figure as an SVG element with the page's colours and fonts; ids are salted with the chart's name: no two charts share one."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(out, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = out.getvalue()
    for pattern, instead in _TRIMMED:
        text = pattern.sub(instead, text)
    for drawn, shown in COLOURS.items():
        text = text.replace(drawn, shown)
    head = f'<svg class="chart" role="img" aria-label="{escape(name)}" viewBox="0 0 {figure.get_figwidth() * 72:.0f} {figure.get_figheight() * 72:.2f}">'
    return head + text.strip()


_TRIMMED = tuple(
    (re.compile(pattern, re.DOTALL), instead)
    for pattern, instead in (
        (r"^.*?<svg[^>]*>", ""),
        (r"<metadata>.*?</metadata>", ""),
        (r"<style.*?</style>", ""),
        (r'<g id="[^"]*"', "<g"),
        (r"font-family: [^;\"]*; ", ""),
        (r' transform="rotate\(-0 [^"]*"', ""),
        (r"<g/>|<defs>\s*</defs>", ""),
        (r"\s*\n\s*", " "),
    )
)
"""What Matplotlib writes and the page has no use for: its head, its fonts, turns by nothing, ids that every chart has."""
