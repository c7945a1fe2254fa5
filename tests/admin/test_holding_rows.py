"""What accounts at venues hold, as operators see it."""

from __future__ import annotations

from router.admin.contract import HoldingRow
from router.admin.holding_rows import holding_rows
from router.admin.tables import listing
from router.model import Balance, Held, Position
from router.rules import Limit
from tests.router.desk import LINK, D, Desk


def test_each_balance_and_position_with_what_orders_changed_since() -> None:
    """Under the account's name, with the destinations that trade with it; amounts as the venue wrote them."""
    desk = Desk(limits=(Limit(name="funds", check_balance=True),))
    desk.apply(Held(LINK, (Balance("USDT", D("1000.0"), D("400.50")),), (Position("BTCUSDT", D("-2"), D(100)), Position("XYZ", D(1)))))
    desk.new("a", order_qty=D(1), price=D(100))
    rows = list(holding_rows(desk.engine.state, ["BINANCE"]))
    assert [(each.what, each.name, each.total, each.available, each.ours, each.avg_px) for each in rows] == [
        ("balance", "USDT", "1000.0", "400.50", "-100", ""),
        ("position", "BTC/USDT", "-2", "", "", "100"),
        ("position", "XYZ", "1", "", "", ""),
    ]
    assert {(each.account, each.destinations, each.told[:19]) for each in rows} == {("acc", "BINANCE, GBBO, NATIVE", "2027-01-15T08:00:00")}
    table = listing(rows, HoldingRow, "2027-01-15")
    assert [str(each) for each in table.rows[0]][:3] == ["acc", "balance", "USDT"]


def test_an_account_that_nothing_was_told_of() -> None:
    """No rows, also where a limit looks for a balance."""
    desk = Desk(limits=(Limit(name="funds", check_balance=True),))
    desk.new("a")
    assert list(holding_rows(desk.engine.state, ["BINANCE"])) == []
    assert list(holding_rows(desk.engine.state, [])) == []
