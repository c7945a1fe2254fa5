"""The page of a day: one HTML file with everything in it, for people. What is from outside is escaped by the template engine.

Amounts are exact, with thousands separated and zeros at the end left out; averages and basis points are rounded to two decimals, times to
three digits, and only here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from router.report import charts
from router.report.day import Day, kind_of
from router.report.doubts import Doubt
from router.report.files import iso
from router.report.outages import ROUTER
from router.words import EXACT, ZERO, OrdStatus

__all__ = ["ENDS", "amount", "counted", "duration", "notionals", "render"]

ENDS: Final = ("filled", "canceled", "expired", "rejected", "open")
_END: Final = {
    OrdStatus.FILLED: "filled", OrdStatus.CANCELED: "canceled", OrdStatus.DONE_FOR_DAY: "canceled", OrdStatus.EXPIRED: "expired",
    OrdStatus.REJECTED: "rejected",
}  # fmt: skip
_POINTS: Final = {"p50": 50, "p90": 90, "p99": 99}
_LISTED_AT_MOST: Final = 50
_CENT: Final = Decimal("0.01")
_UNITS: Final = ((1_000_000_000, "s"), (1_000_000, "ms"), (1000, "µs"), (1, "ns"))


class Latency(NamedTuple):
    """One destination's times, ns."""

    destination: str
    times: int
    p50: int
    p90: int
    p99: int
    most: int


def render(day: Day, title: str, made: str) -> str:
    """The page. `title`: the day's name; `made`: what is said of when and from what it was made."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"amount": amount, "duration": duration, "points": points, "clock": _clock, "count": lambda n: f"{n:,}"}
    return environment.get_template("page.html").render(day=day, title=title, made=made, **_facts(day))


def _facts(day: Day) -> dict[str, Any]:
    links = day.outages.times()
    return {
        "total": counted(day, came=True), "before": counted(day, came=False), "places": _places(day), "notionals": notionals(day),
        "volumes": day.trades.volumes(), "slippages": day.trades.slippages(), "fees": day.trades.fees(),
        "changed": [each for each in day.trades.fills if each.kind != "trade"], "adjustments": day.trades.adjustments,
        "executed": sum(1 for _ in day.trades.standing()), "activity": charts.activity(_slots(day)) if day.slots else "",
        "latencies": [_latency(kind, of) for kind, of in day.latencies.items() if of],
        "rejects": _most(day.rejects), "cancel_rejects": _most(day.cancel_rejects), "alerts": day.alerts.most_common(_LISTED_AT_MOST),
        "links": links, "away": [each for each in day.outages.found if each.link == ROUTER],
        "availability": charts.availability([each.link for each in links], day.outages.found, day.begins, day.ends) if links else "",
        "doubts": _doubts(day.doubts.found), "unknown": [each for each in day.doubts.found if each.until is None][:_LISTED_AT_MOST],
        "still_unknown": sum(each.until is None for each in day.doubts.found),
    }  # fmt: skip


def counted(day: Day, came: bool, destination: str | None = None) -> Counter[str]:
    """Orders by how they stood at the end of the day, with "orders" and "unknown". `came`: those of the day; else those from before."""
    found: Counter[str] = Counter()
    for order in day.orders.values():
        if day.came(order) is came and destination in (None, order.destination):
            found.update(("orders", _END.get(order.base, "open"), *(("unknown",) if order.doubt else ())))
            found["in part"] += bool(order.cum_qty) and order.done and order.base is not OrdStatus.FILLED
    return found


def notionals(day: Day) -> dict[str, tuple[Decimal, bool]]:
    """What was traded, by quote currency; False: not all of it has a known value."""
    found: dict[str, tuple[Decimal, bool]] = {}
    for volume in day.trades.volumes().values():
        value, whole = found.get(volume.quote, (ZERO, True))
        found[volume.quote] = EXACT.add(value, volume.value), whole and volume.valued
    return dict(sorted(found.items()))


def amount(value: Decimal | None) -> str:
    """Exact, for reading."""
    return "–" if value is None else f"{EXACT.normalize(value):,f}"


def points(value: Decimal | None) -> str:
    """Basis points, rounded to two decimals, with their sign."""
    return "–" if value is None else f"{EXACT.quantize(value, _CENT):+,f}"


def duration(ns: int) -> str:
    """A time as people read it: three digits, or hours, minutes and seconds."""
    if ns >= 60_000_000_000:
        minutes, seconds = divmod(ns // 1_000_000_000, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"
    # From 999.5 of a unit on, three digits of it are one of the next.
    unit, name = next(((unit, name) for unit, name in _UNITS if 2000 * ns >= 1999 * unit), (1, "ns"))
    return f"{ns / unit:.3g} {name}"


def _clock(time_ns: int) -> str:
    return iso(time_ns)[11:19]


def _slots(day: Day) -> dict[str, Counter[int]]:
    """All together, and each by itself where there is more than one."""
    if len(day.slots) == 1:
        return day.slots
    names = sorted(day.slots, key=lambda each: (not each, each))
    return {"all": sum(day.slots.values(), Counter()), **{name: day.slots[name] for name in names}}


def _places(day: Day) -> list[tuple[str, Counter[str], int]]:
    """Destination, its orders of the day, its executions; the orders that got to none are "" and last."""
    executed = Counter(each.order.destination for each in day.trades.standing())
    names = {order.destination for order in day.orders.values()} | set(executed)
    found = [(name, counted(day, True, name), executed[name]) for name in sorted(names, key=lambda each: (not each, each))]
    return [each for each in found if each[1]["orders"] or each[2]]


def _latency(kind: str, of: dict[str, Any]) -> tuple[str, Markup, list[Latency]]:
    rows = [_percentiles(name, sorted(values)) for name, values in sorted(of.items())]
    marks = {each.destination: {"p50": each.p50, "p99": each.p99} for each in rows}
    return kind, charts.latency(dict(sorted(of.items())), marks, kind), rows


def _percentiles(name: str, values: Sequence[int]) -> Latency:
    """By nearest rank: each is a time that was measured."""
    ranks = [values[max(-(-len(values) * share // 100) - 1, 0)] for share in _POINTS.values()]
    return Latency(name, len(values), ranks[0], ranks[1], ranks[2], values[-1])


def _most(counter: Counter[Any]) -> list[tuple[Any, int]]:
    return counter.most_common(_LISTED_AT_MOST)


def _doubts(found: Iterable[Doubt]) -> list[tuple[str, str, int, int, int, int]]:
    """Destination, why, how many, how many not over, the median and the longest of those that are, ns."""
    groups: dict[tuple[str, str], list[Doubt]] = {}
    for doubt in found:
        groups.setdefault((doubt.order.destination, kind_of(doubt.why)), []).append(doubt)
    rows = []
    for (place, why), members in sorted(groups.items()):
        took = sorted(each.until - each.since for each in members if each.until is not None)
        median, longest = (took[(len(took) - 1) // 2], took[-1]) if took else (0, 0)
        rows.append((place, why, len(members), len(members) - len(took), median, longest))
    return rows
