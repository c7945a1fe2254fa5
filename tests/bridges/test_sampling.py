"""Which prices a bridge tells the core."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any, cast

from bridges.sampling import Sampling
from bridges.wire import Top, VenueProtocol
from router.model import Price


class Tops:
    """A venue as far as this goes."""

    def __init__(self, **tops: Top) -> None:
        self.tops = tops

    def top(self, symbol: str) -> Top:
        return self.tops[symbol]


def taken(sampling: Sampling, tops: Tops, now: int) -> tuple[Price, ...] | None:
    told = sampling.take(cast(VenueProtocol, tops), now)
    assert told is None or told.link == "link"
    return None if told is None else told.prices


def test_what_moved_is_told_and_what_did_not_now_and_then() -> None:
    """Every five; what stands still again after thirty; what was never there not at all."""
    venue = Tops(A=Top(), B=Top())
    sampling = Sampling("link", ["A", "B"], every=5, again=30)
    assert taken(sampling, venue, 100) is None
    venue.tops["A"] = Top(bid=D(1), bid_qty=D(9), ask=D(3), last=D(2))
    assert taken(sampling, venue, 104) is None
    assert taken(sampling, venue, 105) == (Price(symbol="A", bid=D(1), ask=D(3), last=D(2)),)
    assert taken(sampling, venue, 110) is None
    venue.tops["B"] = Top(ask=D(7))
    assert taken(sampling, venue, 115) == (Price(symbol="B", ask=D(7)),)
    assert taken(sampling, venue, 135) == (Price(symbol="A", bid=D(1), ask=D(3), last=D(2)),)


def test_a_price_from_before_a_lost_stream_grows_old() -> None:
    """That the book is gone is told, once; the last trade, though still known, is not said to be fresh."""
    venue, sampling = Tops(A=Top(bid=D(1), ask=D(3), last=D(2))), Sampling("link", ["A"], every=5, again=30)
    assert taken(sampling, venue, 100) is not None
    venue.tops["A"] = Top(last=D(2))
    assert taken(sampling, venue, 105) == (Price(symbol="A", last=D(2)),)
    assert taken(sampling, venue, 200) is None


def test_a_symbol_that_comes_later_is_told_too() -> None:
    """And what is watched already is not told again for that."""
    best: dict[str, Any] = {"bid": D(1), "ask": D(3)}
    venue, sampling = Tops(A=Top(**best), B=Top(**best)), Sampling("link", ["A"], every=5, again=30)
    assert taken(sampling, venue, 100) == (Price(symbol="A", **best),)
    sampling.watch(["A", "B"])
    assert taken(sampling, venue, 105) == (Price(symbol="B", **best),)
