"""Pre-trade limits as operators see them."""

from __future__ import annotations

from router.admin.risk_rows import risk_rows
from router.model import Price, Priced
from router.rules import Limit
from tests.router.desk import LINK, SECOND, D, Desk

LIMITS = (
    Limit(name="a", per=("destination",), max_open_notional=D(1000), max_open_orders=5, max_position=D(9)),
    Limit(name="b", symbols=("ETH/*",), max_order_qty=D(7)),
    Limit(name="c", destinations=("GBBO",), only_sides=("buy",), duplicate_within=500_000_000),
    Limit(name="d", max_daily_loss=D(100), max_orders=10, window=SECOND, reference="last"),
)


def rows(desk: Desk, **where: str) -> list[tuple[str, str, str, str]]:
    return [(each.name, each.value, each.used, each.scope) for each in risk_rows(desk.engine.state, desk.now, **where)]


def test_each_limit_with_its_figure_now() -> None:
    """A row for each figure that it is kept apart by; what has none says only what is asked."""
    desk = Desk(limits=LIMITS)
    desk.new("a", order_qty=D(2))
    desk.new("b", destination="GBBO")
    desk.accept(1)
    desk.fill("1")
    desk.apply(Priced(LINK, (Price(symbol="BTCUSDT", last=D(70)),)))
    assert rows(desk) == [
        ("a: open orders", "5", "1", "destination BINANCE"),
        ("a: open orders", "5", "1", "destination GBBO"),
        ("a: open notional", "1000 USDT", "100", "destination BINANCE"),
        ("a: open notional", "1000 USDT", "100", "destination GBBO"),
        ("a: position with open orders", "9 BTC", "2", "destination BINANCE"),
        ("a: position with open orders", "9 BTC", "1", "destination GBBO"),
        ("b: order quantity", "7", "", "all"),
        ("c: sides", "buy", "", "all"),
        ("c: same order again", "after 500 ms", "", "all"),
        ("d: daily loss", "100 USDT", "30", "all"),
        ("d: orders and replaces in the window", "10", "2", "all"),
    ]


def test_those_of_a_symbol_or_a_destination() -> None:
    """Limits that cover it, those of everything included."""
    desk = Desk(limits=LIMITS)
    assert {name[0] for name, *_ in rows(desk, symbol="BTC/USDT")} == {"a", "c", "d"}
    assert {name[0] for name, *_ in rows(desk, destination="binance")} == {"a", "b", "d"}


def test_a_loss_that_cannot_be_valued_says_so() -> None:
    """There is no price to value what is left by."""
    desk = Desk(limits=LIMITS[3:])
    desk.new("a")
    desk.accept(1)
    desk.fill("1")
    assert rows(desk)[0] == ("d: daily loss", "100 USDT", "not known", "all")
