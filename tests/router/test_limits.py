"""Pre-trade checks and routes: every no names the field, the value and what would be allowed."""

from __future__ import annotations

from typing import Any

import pytest

from router.limits import check
from router.model import NewOrder, Refusal
from router.policy import Policy
from router.rules import Account, Client, Configured, Route
from router.words import OrdRejReason, OrdType, Side, TimeInForce
from tests.router.desk import BTC, SESSION, D, configured

BINANCE, GBBO, _ = configured().destinations


def everywhere(_: object) -> bool:
    return True


def order(**more: Any) -> NewOrder:
    standard: dict[str, Any] = {
        "session": SESSION, "cl_ord_id": "a", "symbol": "BTC/USDT", "side": Side.BUY, "ord_type": OrdType.LIMIT,
        "order_qty": D(1), "price": D(100),
    }  # fmt: skip
    return NewOrder(**standard | more)


MARKET = {"ord_type": OrdType.MARKET, "price": None}
REFUSED = [
    ({"side": Side.SELL_SHORT}, "Side(54) sell-short is not offered by BINANCE"),
    ({"ord_type": OrdType.STOP, "price": None, "stop_px": D(1)}, "OrdType(40) stop is not offered by BINANCE"),
    ({"price": None}, "Price(44) is missing on a limit order"),
    ({"price": D(0)}, "Price(44) 0 is not above zero"),
    ({"price": D(-5)}, "Price(44) -5 is not above zero"),
    ({"price": D("100.001")}, "Price(44) 100.001 is off the tick of BTC/USDT: 0.01"),
    ({"price": D("0.99")}, "Price(44) 0.99 is below the least allowed, 1"),
    ({"price": D(1000001)}, "Price(44) 1000001 is above the most allowed, 1000000"),
    ({"stop_px": D(1)}, "StopPx(99) is not allowed on a limit order"),
    ({**MARKET, "side": Side.SELL, "price": D(1)}, "Price(44) 1 is not allowed on a market order"),
    ({"price": D("1" + "0" * 29)}, "is above the most allowed, 1000000"),
    ({"order_qty": D("123456789012345678901234567.8")}, "is above the most allowed, 100"),
    ({"order_qty": None}, "OrderQty(38) is missing"),
    ({"order_qty": D(0)}, "OrderQty(38) 0 is not above zero"),
    ({"order_qty": D("-0.1")}, "OrderQty(38) -0.1 is not above zero"),
    ({"order_qty": D("0.1001")}, "OrderQty(38) 0.1001 is off the lot of BTC/USDT: 0.001"),
    ({"order_qty": D("100.001")}, "OrderQty(38) 100.001 is above the most allowed, 100"),
    ({"order_qty": D("0.001")}, "the order's value 0.100 is below the least allowed, 10"),
    ({"price": D(100000), "order_qty": D(11)}, "the order's value 1100000 is above the most allowed"),
    ({"cash_order_qty": D(5)}, "CashOrderQty(152) is not taken on this order"),
    (MARKET, "a market buy at BINANCE takes CashOrderQty(152), an amount of USDT"),
    ({**MARKET, "cash_order_qty": D(5)}, "a market buy at BINANCE takes CashOrderQty(152)"),
    ({**MARKET, "order_qty": None, "cash_order_qty": D(0)}, "CashOrderQty(152) 0 is not above zero"),
    ({**MARKET, "order_qty": None, "cash_order_qty": D(9)}, "CashOrderQty(152) 9 is below the least allowed, 10"),
    ({**MARKET, "side": Side.SELL, "post_only": True}, "post-only"),
]
TAKEN = [
    {},
    {"price": D("100.01"), "order_qty": D("0.100")},
    {**MARKET, "side": Side.SELL},
    {**MARKET, "order_qty": None, "cash_order_qty": D(10)},
    {"post_only": True},
]


@pytest.mark.parametrize(("more", "text"), REFUSED)
def test_what_is_refused_and_why(more: dict[str, Any], text: str) -> None:
    """One row, one fault."""
    refusal = check(order(**more), TimeInForce.GTC, BINANCE, BTC)
    assert refusal is not None
    assert text in refusal.text


@pytest.mark.parametrize("more", TAKEN)
def test_what_is_taken(more: dict[str, Any]) -> None:
    """The near side of the same rules."""
    assert check(order(**more), TimeInForce.GTC, BINANCE, BTC) is None


@pytest.mark.parametrize("tif", [TimeInForce.FOK, TimeInForce.OPG, TimeInForce.GTX, TimeInForce.IOC])
def test_a_time_in_force_that_the_venue_lacks_is_refused_by_name(tif: TimeInForce) -> None:
    """Never silently another one."""
    refusal = check(order(), tif, GBBO, BTC)
    assert refusal is not None
    assert f"TimeInForce(59) {tif} is not offered by GBBO: good-till-cancel" in refusal.text


def test_post_only_needs_a_venue_that_has_it_and_an_order_that_may_rest() -> None:
    """18=6 on an IOC order contradicts itself."""
    for tif, destination in ((TimeInForce.GTC, GBBO), (TimeInForce.IOC, BINANCE)):
        refusal = check(order(post_only=True), tif, destination, BTC)
        assert refusal is not None
        assert "post-only" in refusal.text


class TestRoutes:
    def test_a_named_destination_is_used_or_refused_never_replaced(self) -> None:
        """In any case of letters; also in the venue's spelling of the symbol."""
        policy = Policy(configured())
        for name, symbol in (("GBBO", "BTC/USDT"), ("gbbo", "BTCUSDT")):
            outcome = policy.route(order(destination=name, symbol=symbol), 0, everywhere)
            assert not isinstance(outcome, Refusal)
            assert outcome[0].name == "GBBO"
        unknown = policy.route(order(destination="NASDAQ"), 0, everywhere)
        assert isinstance(unknown, Refusal)
        assert "unknown destination NASDAQ" in unknown.text

    def test_an_unknown_symbol_is_refused_as_that(self) -> None:
        """103=1, with and without a destination."""
        for more in ({"destination": "GBBO"}, {}):
            outcome = Policy(configured()).route(order(symbol="DOGE/USDT", **more), 0, everywhere)
            assert isinstance(outcome, Refusal)
            assert outcome.reason is OrdRejReason.UNKNOWN_SYMBOL
            assert "DOGE/USDT" in outcome.text

    def test_the_first_route_that_fits_wins(self) -> None:
        """By session and symbol; one whose destination does not trade the symbol does not fit."""
        routes = (
            Route(destination="GBBO", sessions=("another",)),
            Route(destination="GBBO", symbols=("ETH/USDT",)),
            Route(destination="GBBO", sessions=(SESSION,), symbols=("BTC/USDT",)),
            Route(destination="BINANCE"),
        )
        policy = Policy(configured(routes=routes))
        for session, name in ((SESSION, "GBBO"), ("a third", "BINANCE"), ("another", "GBBO")):
            outcome = policy.route(order(session=session), 0, everywhere)
            assert not isinstance(outcome, Refusal)
            assert outcome[0].name == name

    def test_accounts_of_a_session(self) -> None:
        """Only those agreed; one may be kept to some destinations."""
        accounts = (Account(name="A"), Account(name="B", destinations=("GBBO",)))
        policy = Policy(configured(clients=(Client(session=SESSION, accounts=accounts),)))
        allowed = {"A": "BINANCE", "B": "GBBO"}
        for account, name in allowed.items():
            outcome = policy.route(order(account=account, destination=name), 0, everywhere)
            assert not isinstance(outcome, Refusal)
        for account, name in (("C", "BINANCE"), (None, "BINANCE"), ("B", "BINANCE")):
            outcome = policy.route(order(account=account, destination=name), 0, everywhere)
            assert isinstance(outcome, Refusal)
            assert outcome.reason is OrdRejReason.UNKNOWN_ACCOUNT

    def test_without_a_configuration_nothing_goes_anywhere(self) -> None:
        """The safe beginning."""
        assert isinstance(Policy(Configured()).route(order(), 0, everywhere), Refusal)
