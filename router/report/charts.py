"""The pictures of a day, as SVG that takes its colours from the page (light and dark) and its text from the page's font.

Each destination has a row of its own, so nothing has to be told by colour. What the pictures show is on the page as numbers, too.
"""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from router.report.day import DAY, SLOT
from router.report.outages import ROUTER, Outage

__all__ = ["activity", "availability", "latency"]

_COLOURS: Final = {"#010101": "ink", "#020202": "quiet", "#030303": "line", "#040404": "bar", "#050505": "mark", "#060606": "bad"}
"""What is drawn in, and the page's name for it."""
_INK, _QUIET, _LINE, _BAR, _MARK, _BAD = _COLOURS
_STYLE: Final[Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "fixrouter", "text.parse_math": False, "font.size": 9.0, "axes.edgecolor": _LINE,
    "axes.labelcolor": _QUIET, "xtick.color": _QUIET, "ytick.color": _QUIET, "xtick.labelcolor": _QUIET, "ytick.labelcolor": _QUIET,
    "text.color": _INK, "grid.color": _LINE, "grid.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False,
    "axes.spines.left": False, "xtick.major.size": 0, "ytick.major.size": 0, "xtick.minor.size": 0,
}  # fmt: skip
_WIDTH: Final = 10.4
_HOURS: Final = range(0, 25, 2)
_PER_HOUR: Final = 3_600_000_000_000
_DECADES: Final = {
    0: "1 ns",
    1: "10 ns",
    2: "100 ns",
    3: "1 µs",
    4: "10 µs",
    5: "100 µs",
    6: "1 ms",
    7: "10 ms",
    8: "100 ms",
    9: "1 s",
    10: "10 s",
    11: "100 s",
    12: "1000 s",
}
_BINS_PER_DECADE: Final = 12


def activity(slots: Mapping[str, Mapping[int, int]]) -> Markup:
    """New orders of each five minutes, a row a destination; the first row, where it is the sum of the others, has a scale of its own."""
    tops = [max(each.values()) for each in slots.values()]
    shared = max(tops[1:] or tops)
    with mpl.rc_context(_STYLE):
        figure, rows = _rows(len(slots), 0.62)
        for axes, (name, counts) in zip(rows, slots.items(), strict=True):
            top = tops[0] if axes is rows[0] else shared
            axes.bar([(slot + 0.5) * SLOT / _PER_HOUR for slot in counts], list(counts.values()), width=SLOT / _PER_HOUR * 0.92, color=_BAR)
            axes.set_ylim(0, top * 1.08)
            axes.set_yticks([top])
            axes.grid(axis="y")
            _name(axes, name or "no destination", f"{sum(counts.values()):,}")
        _hours(rows)
        return _svg(figure, "New orders of each five minutes of the day, by destination")


def latency(samples: Mapping[str, Sequence[int]], points: Mapping[str, Mapping[str, int]], what: str) -> Markup:
    """How long it took, a row a destination, on a logarithmic scale; lines at the `points` (name to ns) of each."""
    low = min(_decade(min(each)) for each in samples.values())
    high = max(max(_decade(max(each)) for each in samples.values()) + 1, low + 1)
    edges = [10 ** (low + step / _BINS_PER_DECADE) for step in range((high - low) * _BINS_PER_DECADE + 1)]
    with mpl.rc_context(_STYLE):
        figure, rows = _rows(len(samples), 0.72)
        for axes, (name, values) in zip(rows, samples.items(), strict=True):
            axes.hist(list(values), bins=edges, color=_BAR, rwidth=0.92)
            axes.set_xscale("log")
            axes.set_yticks([])
            _points(axes, points[name])
            _name(axes, name, f"{len(values):,}")
        rows[-1].set_xlim(edges[0], edges[-1])
        ticks = [decade for decade in range(low, high + 1) if decade in _DECADES]
        for axes in rows:
            axes.set_xticks([10**decade for decade in ticks], [_DECADES[decade] for decade in ticks])
            axes.minorticks_off()
            axes.grid(axis="x")
            axes.tick_params(labelbottom=axes is rows[-1])
        return _svg(figure, f"Distribution of the time from {what}, by destination")


def availability(links: Sequence[str], outages: Sequence[Outage], begins: int, ends: int) -> Markup:
    """When each link was up (a line), lost (a block), or not yet up after a start (a low block), and when the router was away."""
    with mpl.rc_context(_STYLE):
        figure, (axes,) = _rows(1, 0.26 * (len(links) + 1) + 0.1)
        names = [ROUTER, *links]
        for row, name in enumerate(names):
            axes.plot([0, (ends - begins) / _PER_HOUR], [row, row], color=_BAR, linewidth=2, solid_capstyle="butt", zorder=1)
            for each in (each for each in outages if each.link == name):
                # At least two minutes wide: a blink would not be seen.
                span = ((each.since - begins) / _PER_HOUR, max((each.until - each.since) / _PER_HOUR, 0.033))
                half, colour = (0.32, _BAD) if each.lost else (0.16, _QUIET)
                axes.broken_barh([span], (row - half, 2 * half), facecolor=colour, linewidth=0, zorder=2)
        axes.set_yticks(range(len(names)), ["the router itself", *links])
        axes.tick_params(axis="y", labelcolor=_INK)
        axes.set_ylim(len(names) - 0.5, -0.5)
        _hours([axes])
        return _svg(figure, "When each link to a venue was away")


def _rows(count: int, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(_WIDTH, 0.45 + height * count), layout="constrained")
    FigureCanvasSVG(figure)
    figure.patch.set_alpha(0)
    rows = [row[0] for row in figure.subplots(count, 1, sharex=True, squeeze=False)]
    for axes in rows:
        axes.patch.set_alpha(0)
        axes.set_axisbelow(True)
    return figure, rows


def _name(axes: Axes, name: str, count: str) -> None:
    axes.set_ylabel(f"{name}\n{count}", rotation=0, ha="right", va="center", color=_INK, labelpad=8)


def _hours(rows: Sequence[Axes]) -> None:
    for axes in rows:
        axes.set_xlim(0, DAY / _PER_HOUR)
        axes.set_xticks(list(_HOURS), [f"{hour:02}:00" for hour in _HOURS])
        axes.grid(axis="x")


def _points(axes: Axes, points: Mapping[str, int]) -> None:
    top = axes.get_ylim()[1]
    axes.set_ylim(0, top * 1.5)
    for number, (name, value) in enumerate(points.items()):
        axes.axvline(value, color=_MARK, linewidth=1.2, linestyle=("-", (0, (4, 2)), (0, (1, 1.5)))[number % 3])
        axes.text(value * 1.03, top * (1.2 if number % 2 else 1.46), name, va="top", fontsize=8, color=_MARK, clip_on=True)


def _decade(ns: int) -> int:
    return len(str(max(ns, 1))) - 1


def _svg(figure: Figure, label: str) -> Markup:
    """The drawing as part of a page: no XML head, no ids, no fonts and colours of its own."""
    out = io.StringIO()
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the font for measuring does not have: the page's has it
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' id="(figure|axes|patch|text|line2d|matplotlib\.axis|xtick|ytick|[A-Z]\w*)_\d+"', "", text)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
    for colour, name in _COLOURS.items():
        text = text.replace(colour, f"var(--{name})")
    text = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", text, count=1)
    text = re.sub(r'<svg ([^>]*?)height="[^"]*"', r"<svg \1", text, count=1)
    # The labels in it were escaped by matplotlib.
    return Markup(text.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1))  # noqa: S704
