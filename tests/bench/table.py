"""Figures as text: medians with ranges over the rounds, and ratios taken within each round, since the machine drifts between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from tests.bench.contenders import BASIC, VARIANTS
from tests.bench.measure import Figures
from tests.bench.stages import Stage

__all__ = ["Rounds", "contenders", "in_place_lines", "parts", "ratios", "stage_lines"]

Rounds = list[dict[str, Figures]]
"""One dict a round, figures by the contender's key; a variant is not in every round."""

_COLUMNS: Final[tuple[tuple[str, Callable[[Figures], float], str, int], ...]] = (
    ("closed p50 us", lambda each: each.p50, ",.0f", 18),
    ("closed p99 us", lambda each: each.p99, ",.0f", 21),
    ("CPU us/order", lambda each: each.closed_cpu, ",.0f", 17),
    ("window 64 orders/s", lambda each: each.rate, ",.0f", 27),
    ("CPU us/order", lambda each: each.window_cpu, ",.0f", 17),
)
_RATIOS: Final = (("p50", _COLUMNS[0][1]), ("p99", _COLUMNS[1][1]), ("throughput", _COLUMNS[3][1]), ("CPU, closed", _COLUMNS[2][1]),
                  ("CPU, window", _COLUMNS[4][1]))  # fmt: skip
_AGAINST: Final = ("a", "b", "c", "e", "e-mem")
_PARTS: Final = (("d-log", "structured log"), ("d-raw", "raw FIX log"), ("d-jnl", "journal"), ("d-bare", "the three together"),
                 ("d-fix", "second witness"), ("d-lim", "the demo's limits"))  # fmt: skip


def contenders(rounds: Rounds) -> list[str]:
    """A row for each contender."""
    lines = [" " * 55 + "".join(f"{title:>{width}}" for title, _, _, width in _COLUMNS)]
    for contender in (*BASIC, *VARIANTS):
        measured = [each[contender.key] for each in rounds if contender.key in each]
        if measured:
            cells = "".join(f"{_spread([of(each) for each in measured], form):>{width}}" for _, of, form, width in _COLUMNS)
            lines.append(f"{contender.key:7}{contender.what:48}{cells}")
    return lines


def ratios(rounds: Rounds) -> list[str]:
    """The router beside each of the others."""
    lines = [f"{'':9}" + "".join(f"{title:>27}" for title, _ in _RATIOS)]
    for other in _AGAINST:
        form = ".3g" if other == "a" else ".2f"
        cells = "".join(f"{_spread(_quotients(rounds, other, of), form):>27}" for _, of in _RATIOS)
        lines.append(f"{'d/' + other:9}{cells}")
    return lines


def parts(rounds: Rounds) -> list[str]:
    """What the router costs more than itself without a part, within the same round."""
    both = [(key, name, [(each["d"], each[key]) for each in rounds if key in each]) for key, name in _PARTS]
    lines = [f"{'':21}{'closed p50 us':>22}{'CPU us/order, closed':>24}{'CPU us/order, window':>24}{'throughput, with/without':>28}"]
    for _, name, pairs in both:
        if pairs:
            lines.append(
                f"{name:21}{_spread([d.p50 - less.p50 for d, less in pairs], '+.0f'):>22}"
                f"{_spread([d.closed_cpu - less.closed_cpu for d, less in pairs], '+.0f'):>24}"
                f"{_spread([d.window_cpu - less.window_cpu for d, less in pairs], '+.0f'):>24}"
                f"{_spread([d.rate / less.rate for d, less in pairs], '.2f'):>28}"
            )
    return lines


def stage_lines(stages: Sequence[Stage]) -> list[str]:
    """A row for each stage that an order passes, their sum, and what is no stage of its own."""
    lines = [f"{'':64}{'us a call':>10}{'calls':>7}{'us an order':>13}"]
    lines += [f"{name:64}{us:10.2f}{calls:7}{us * calls:13.1f}" for name, us, calls in stages if calls]
    lines.append(f"{'sum of these':64}{'':17}{sum(us * calls for _, us, calls in stages):13.1f}")
    return lines + [f"{name:64}{us:10.2f}" for name, us, calls in stages if not calls]


def in_place_lines(times: Sequence[tuple[str, float, float]]) -> list[str]:
    """A row for each call, indented by depth."""
    return [f"{'':52}{'us':>10}{'us of CPU':>12}", *(f"{name:52}{us:10.1f}{cpu:12.1f}" for name, us, cpu in times)]


def _quotients(rounds: Rounds, other: str, of: Callable[[Figures], float]) -> list[float]:
    return [of(each["d"]) / of(each[other]) for each in rounds if of(each[other])]


def _spread(values: Sequence[float], form: str) -> str:
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:{form}}"
    return f"{median(values):{form}} [{min(values):{form}}-{max(values):{form}}]"
