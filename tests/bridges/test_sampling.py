"""Which prices a bridge tells the core."""

from __future__ import annotations

from decimal import Decimal as D

from bridges.sampling import Sampling
from bridges.wire import Top
from router.model import Price


def test_what_moved_is_told_and_what_did_not_now_and_then() -> None:
    """Every five; what stands still again after thirty; what was never there not at all."""
    tops = {"A": Top(), "B": Top()}
    sampling = Sampling(["A", "B"], every=5, again=30)
    assert sampling.take(tops.__getitem__, 100) == ()
    tops["A"] = Top(bid=D(1), bid_qty=D(9), ask=D(3), last=D(2))
    assert sampling.take(tops.__getitem__, 104) == ()
    assert sampling.take(tops.__getitem__, 105) == (Price(symbol="A", bid=D(1), ask=D(3), last=D(2)),)
    assert sampling.take(tops.__getitem__, 110) == ()
    tops["B"] = Top(ask=D(7))
    assert sampling.take(tops.__getitem__, 115) == (Price(symbol="B", ask=D(7)),)
    assert sampling.take(tops.__getitem__, 135) == (Price(symbol="A", bid=D(1), ask=D(3), last=D(2)),)


def test_a_price_from_before_a_lost_stream_grows_old() -> None:
    """That the book is gone is told, once; the last trade, though still known, is not said to be fresh."""
    sampling = Sampling(["A"], every=5, again=30)
    assert len(sampling.take(lambda symbol: Top(bid=D(1), ask=D(3), last=D(2)), 100)) == 1
    gone = Top(last=D(2))
    assert sampling.take(lambda symbol: gone, 105) == (Price(symbol="A", last=D(2)),)
    assert sampling.take(lambda symbol: gone, 200) == ()
