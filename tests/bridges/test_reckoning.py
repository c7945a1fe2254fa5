"""What of an account's holdings a bridge tells the core, and when."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D
from typing import cast

from bridges.reckoning import Reckoning
from bridges.wire import Holdings, VenueProtocol
from router.model import Balance, Held, Position

USDT, BTC = Balance("USDT", D(10), D(7)), Balance("BTC", D(1), D(1))
LONG = Position("BTCUSD", D(3), D(100))


class Account:
    """A venue as far as this goes."""

    def __init__(self, held: Callable[[], Holdings | None]) -> None:
        self.held = held


def taken(reckoning: Reckoning, held: Callable[[], Holdings | None], now: int) -> Held | None:
    return reckoning.take(cast(VenueProtocol, Account(held)), now)


def test_all_is_told_first_then_what_changed_then_all_again() -> None:
    """Every five, and all of it every thirty."""
    reckoning, holdings = Reckoning("acc", every=5, again=30), Holdings((USDT, BTC), (LONG,))
    assert taken(reckoning, lambda: holdings, 100) == Held("acc", (USDT, BTC), (LONG,))
    less = Holdings((Balance("USDT", D(10), D(2)), BTC), (LONG,))
    assert taken(reckoning, lambda: less, 104) is None
    assert taken(reckoning, lambda: less, 105) == Held("acc", (Balance("USDT", D(10), D(2)),))
    assert taken(reckoning, lambda: less, 110) is None
    assert taken(reckoning, lambda: Holdings(less.balances, (LONG,)), 115) is None
    assert taken(reckoning, lambda: less, 130) == Held("acc", less.balances, (LONG,))
    assert taken(reckoning, lambda: less, 135) is None


def test_what_is_not_listed_any_more_is_told_as_nothing_once() -> None:
    """A position that was closed, a currency that was spent."""
    reckoning = Reckoning("acc", every=5, again=30)
    whole, part = Holdings((USDT, BTC), (LONG,)), Holdings((USDT,))
    assert taken(reckoning, lambda: whole, 100) is not None
    assert taken(reckoning, lambda: part, 105) == Held("acc", (Balance("BTC", D(0), D(0)),), (Position("BTCUSD", D(0)),))
    assert taken(reckoning, lambda: part, 110) is None
    assert taken(reckoning, lambda: part, 130) == Held("acc", (USDT,))


def test_what_is_not_known_is_not_told() -> None:
    """The stream is down: nothing is said to be gone; when it is back, what changed meanwhile is told."""
    reckoning = Reckoning("acc", every=5, again=30)
    whole = Holdings((USDT,), (LONG,))
    assert taken(reckoning, lambda: None, 95) is None
    assert taken(reckoning, lambda: whole, 100) == Held("acc", (USDT,), (LONG,))
    for now in (105, 140):
        assert taken(reckoning, lambda: None, now) is None
    assert taken(reckoning, lambda: Holdings((USDT,)), 145) == Held("acc", (USDT,), (Position("BTCUSD", D(0)),))


def test_an_account_that_has_nothing_says_nothing() -> None:
    """There is nothing to tell."""
    reckoning = Reckoning("acc", every=5, again=30)
    assert taken(reckoning, Holdings, 100) is None
