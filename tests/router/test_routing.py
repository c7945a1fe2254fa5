"""The route table: which rule decides, and why; rules that can never decide; what happens when a place takes no orders."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from router.model import NewOrder, Refusal
from router.policy import Policy
from router.rules import Destination, Route
from router.words import OrdStatus, OrdType, Side, TimeInForce
from tests.router.desk import LINK, SESSION, D, Desk, configured, rejects, reports, sent

HOUR = 3_600_000_000_000


def order(**more: Any) -> NewOrder:
    standard: dict[str, Any] = {
        "session": SESSION, "cl_ord_id": "a", "symbol": "BTC/USDT", "side": Side.BUY, "ord_type": OrdType.LIMIT, "order_qty": D(1),
        "price": D(100), "time_in_force": TimeInForce.GTC,
    }  # fmt: skip
    return NewOrder(**standard | more)


def goes(routes: tuple[Route, ...], now: int = 0, closed: tuple[str, ...] = (), **more: Any) -> str:
    """Where an order goes, or why nowhere."""
    found = Policy(configured(routes=routes)).route(order(**more), now, lambda each: each.name not in closed)
    return found.text if isinstance(found, Refusal) else found[0].name


FIRST = Route(destination="BINANCE")


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "fitting", "other"),
        [
            ({"sessions": (SESSION,)}, {}, {"session": "x"}),
            ({"accounts": ("A",)}, {"account": "A"}, {"account": None}),
            ({"symbols": ("BTC/USDT",)}, {"symbol": "BTCUSDT"}, None),
            ({"symbols": ("BTC/*",)}, {}, None),
            ({"security_types": ("FXSPOT",)}, {"security_type": "FXSPOT"}, {}),
            ({"sides": ("sell",)}, {"side": Side.SELL}, {}),
            ({"ord_types": ("market",)}, {"ord_type": OrdType.MARKET}, {}),
            ({"times_in_force": ("immediate-or-cancel",)}, {"time_in_force": TimeInForce.IOC}, {"time_in_force": None}),
            ({"min_qty": D(2)}, {"order_qty": D(2)}, {"order_qty": None}),
            ({"max_qty": D(2)}, {"order_qty": D(2)}, {"order_qty": D("2.1")}),
            ({"min_notional": D(200)}, {"order_qty": D(2)}, {"price": None}),
            ({"max_notional": D(200)}, {"cash_order_qty": D(200), "order_qty": None}, {"order_qty": D(3)}),
            ({"tags": {"5001": ("X", "Y")}}, {"echo": {"5001": "Y"}}, {"echo": {"5002": "X"}}),
            ({"requested": ("SMART",)}, {"destination": "smart"}, {}),
        ],
    )
    def test_each_decides(self, condition: dict[str, Any], fitting: dict[str, Any], other: dict[str, Any] | None) -> None:
        """An order that meets it goes by the rule, another by the next."""
        routes = (Route(destination="GBBO", **condition), FIRST)
        assert goes(routes, **fitting) == "GBBO"
        if other is not None:
            assert goes(routes, **other) == "BINANCE"

    @pytest.mark.parametrize(
        ("start", "end", "now", "there"), [(8, 17, 8, True), (8, 17, 17, False), (22, 6, 23, True), (22, 6, 5, True), (22, 6, 12, False)]
    )
    def test_the_time_of_day(self, start: int, end: int, now: int, there: bool) -> None:
        """UTC, over midnight too."""
        routes = (Route(destination="GBBO", from_time=start * HOUR, to_time=end * HOUR), FIRST)
        assert goes(routes, now * HOUR) == ("GBBO" if there else "BINANCE")

    def test_all_of_a_rule_must_hold(self) -> None:
        """One that does not is enough."""
        routes = (Route(destination="GBBO", sides=("buy",), min_qty=D(5)), FIRST)
        assert goes(routes) == "BINANCE"
        assert goes(routes, order_qty=D(5)) == "GBBO"


class TestOutcomes:
    def test_the_first_that_fits_decides(self) -> None:
        """Order is meaning."""
        assert goes((Route(destination="GBBO"), FIRST)) == "GBBO"
        assert goes((FIRST, Route(destination="GBBO"))) == "BINANCE"

    def test_a_refusal_with_its_text(self) -> None:
        """Whatever the symbol."""
        assert goes((Route(refuse="no selling today", sides=("sell",)), FIRST), side=Side.SELL, symbol="XYZ") == "no selling today"

    def test_a_named_destination_is_replaced_only_by_a_rule_that_says_so(self) -> None:
        """Never silently."""
        assert goes((Route(destination="GBBO"),), destination="BINANCE") == "BINANCE"
        assert goes((Route(destination="GBBO", requested=("BINANCE",)),), destination="BINANCE") == "GBBO"
        assert "unknown destination" in goes((FIRST,), destination="NASDAQ")

    def test_a_fallback_where_the_first_takes_no_orders(self) -> None:
        """In their order; where none takes any, the first, which says why."""
        routes = (Route(destination="BINANCE", fallbacks=("GBBO", "NATIVE")),)
        assert goes(routes) == "BINANCE"
        assert goes(routes, closed=("BINANCE",)) == "GBBO"
        assert goes(routes, closed=("BINANCE", "GBBO")) == "NATIVE"
        assert goes(routes, closed=("BINANCE", "GBBO", "NATIVE")) == "BINANCE"

    def test_no_rule_fits(self) -> None:
        """Said, with what to do."""
        assert "name a destination" in goes((Route(destination="GBBO", sides=("sell",)),))


def test_an_order_whose_outcome_is_not_known_never_falls_back() -> None:
    """It was sent once; the fallback is for orders that come later."""
    away = Destination(**{name: getattr(configured().destinations[1], name) for name in Destination.__struct_fields__} | {"link": "OTHER"})
    destinations = (configured().destinations[0], away)
    desk = Desk(destinations=destinations, routes=(Route(destination="BINANCE", fallbacks=("GBBO",)),))
    desk.up("OTHER")
    assert sent(desk.new("a")) == ["Place"]
    assert sent(desk.down(LINK)) == []
    assert desk.order("a").destination == "BINANCE"
    assert sent(desk.new("b")) == ["Place"]
    assert desk.order("b").destination == "GBBO"
    assert "BINANCE" not in {each.destination for each in reports(desk.later(60))} - {"BINANCE"}


def test_it_explains_itself() -> None:
    """A line for each rule up to the one that decides."""
    routes = (
        Route(destination="GBBO", name="sells", sides=("sell",)), Route(destination="GBBO", min_qty=D(5)),
        Route(destination="BINANCE", fallbacks=("GBBO",)), Route(refuse="nothing else"),
    )  # fmt: skip
    policy = Policy(configured(routes=routes))
    found, steps = policy.routes.explain(order(), 0, lambda _: True, lambda each: each.name != "BINANCE")
    assert isinstance(found, tuple)
    assert found[0].name == "GBBO"
    assert steps == [
        "routes[0] sells: does not fit: Side(54) buy",
        "routes[1]: does not fit: OrderQty(38) 1",
        "routes[2]: fits: GBBO, because BINANCE takes no orders now",
    ]


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ((FIRST, Route(destination="BINANCE", sides=("sell",))), [(1, "routes[0] takes everything that it would")]),
        ((FIRST, Route(refuse="x")), []),  # BINANCE does not trade everything
        ((Route(refuse="x"), FIRST), [(1, "routes[0] takes everything that it would")]),
        ((Route(destination="BINANCE", symbols=("XYZ",)),), [(0, "BINANCE trades none of XYZ")]),
        ((Route(destination="BINANCE", min_qty=D(5)), FIRST), []),
        ((Route(destination="BINANCE", sides=("sell",)), FIRST), []),
        ((Route(refuse="x", requested=("A", "B")), Route(refuse="y", requested=("a",))), [(1, "routes[0] takes everything that it would")]),
    ],
)
def test_rules_that_can_never_decide(routes: tuple[Route, ...], said: list[tuple[int, str]]) -> None:
    """Said by `fixrouter check`."""
    assert list(Policy(configured(routes=routes)).routes.never()) == said


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ((FIRST,), ["ETC/BTC"]),
        ((), ["BTC/USDT", "ETC/BTC"]),
        ((Route(destination="BINANCE", sides=("sell",)),), ["ETC/BTC"]),
        ((Route(destination="BINANCE", requested=("X",)),), ["BTC/USDT", "ETC/BTC"]),
        ((FIRST, Route(refuse="no")), []),
        ((FIRST, Route(refuse="no", sides=("sell",))), ["ETC/BTC"]),
        ((Route(destination="NATIVE", symbols=("ETH/*",)),), ["BTC/USDT", "ETC/BTC"]),
    ],
)
def test_symbols_that_no_rule_takes(routes: tuple[Route, ...], said: list[str]) -> None:
    """Said by `fixrouter check`: an order for them must name a destination."""
    assert Policy(configured(routes=routes)).routes.unreached(["BTC/USDT", "ETC/BTC"]) == said


def test_a_long_table_is_looked_up_by_an_orders_words() -> None:
    """The second order of its kind looks at what is left alone."""
    routes = tuple(Route(destination="GBBO", sessions=(f"s{n}",)) for n in range(1000))
    policy = Policy(configured(routes=(*routes, FIRST)))
    for _ in range(2):
        found = policy.route(order(), 0, lambda _: True)
    assert not isinstance(found, Refusal)
    assert found[0].name == "BINANCE"
    assert [len(each) for each in policy.routes._by_words.values()] == [1]


def test_an_account_that_is_not_for_trading_takes_no_orders_and_its_fallback_does() -> None:
    """By configuration: new orders and replaces are refused with the reason, cancels pass."""
    places = configured().destinations
    closed = msgspec.structs.replace(places[0], closed="venue account acc is suspended")
    desk = Desk()
    desk.new("a")
    desk.accept(1)
    desk.apply(configured(destinations=(closed, *places[1:])))
    refused = reports(desk.new("b", destination="BINANCE"))[0]
    assert (refused.ord_status, refused.text) == (OrdStatus.REJECTED, "venue account acc is suspended: not executed")
    assert "is suspended" in rejects(desk.replace("r", "a"))[0].text
    assert sent(desk.cancel("c", "a")) == ["Cancel"]
    desk.apply(configured(destinations=(closed, *places[1:]), routes=(Route(destination="BINANCE", fallbacks=("GBBO",)),)))
    assert sent(desk.new("d")) == ["Place"]
    assert desk.order("d").destination == "GBBO"


def test_two_accounts_at_one_venue_are_two_destinations_chosen_by_the_clients_account() -> None:
    """The client names the venue; its Account(1) decides whose credentials are used."""
    first = configured().destinations[0]
    second = msgspec.structs.replace(first, name="BINANCE-2", account="acc-2")
    routes = (Route(destination="BINANCE-2", requested=("BINANCE",), accounts=("fund-2",)),)
    desk = Desk(destinations=(first, second), routes=routes)
    for name, account, place in (("a", "fund-2", "BINANCE-2"), ("b", "fund-1", "BINANCE")):
        desk.new(name, account=account, destination="BINANCE")
        assert desk.order(name).destination == place
