"""Pre-trade limits, rule by rule: what is refused, in which words, and what is let through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from router.model import Effect, Place, Price, Priced, Send
from router.reload import differences
from router.rules import Limit
from router.settings import Fault, load
from router.terminal import DEMO_ROUTER
from router.words import OrdRejReason, OrdStatus, OrdType, Side, TimeInForce
from tests.router.desk import LINK, SECOND, D, Desk, configured, rejects, reports, sent, shape

HOUR = 3600 * SECOND
MS = 1_000_000


def desk_with(**limit: Any) -> Desk:
    return Desk(limits=(Limit(**{"name": "x"} | limit),))


def price(desk: Desk, bid: str | None, ask: str | None = None, last: str | None = None) -> None:
    amounts = {name: None if each is None else D(each) for name, each in (("bid", bid), ("ask", ask or bid), ("last", last))}
    desk.apply(Priced(LINK, (Price(symbol="BTCUSDT", **amounts),)))


def refusal(effects: list[Effect]) -> str:
    """The Text of the one report that says no; "" where the order went out."""
    if sent(effects):
        return ""
    (report,) = reports(effects)
    assert report.ord_status is OrdStatus.REJECTED
    return report.text


def reason(effects: list[Effect]) -> OrdRejReason | None:
    return reports(effects)[0].ord_rej_reason


# --- one order ----------------------------------------------------------------------------------------------------------


def test_order_quantity() -> None:
    """103=3, with the limit's name, its value and the order's."""
    desk = desk_with(max_order_qty=D(5))
    assert refusal(desk.new("a", order_qty=D(5))) == ""
    effects = desk.new("b", order_qty=D("5.5"))
    assert refusal(effects) == "limit x: order quantity 5 would be 5.5"
    assert reason(effects) is OrdRejReason.EXCEEDS_LIMIT


def test_order_notional() -> None:
    """Thousands are set apart, and zeros at the end left out."""
    desk = desk_with(max_order_notional=D(1000000))
    assert refusal(desk.new("a", order_qty=D(10), price=D(100000))) == ""
    assert refusal(desk.new("b", order_qty=D(10), price=D("100000.50"))) != ""
    desk = desk_with(name="desk-a", max_open_notional=D(1000000))
    desk.new("a", order_qty=D(10), price=D(100000))
    assert refusal(desk.new("b", order_qty=D("0.4"), price=D(100000))) == "limit desk-a: open notional 1,000,000 USDT would be 1,040,000"


def market(desk: Desk, cl_ord_id: str, **amount: Any) -> list[Effect]:
    standard = {"ord_type": OrdType.MARKET, "price": None, "side": Side.SELL, "order_qty": D(1)}
    return desk.new(cl_ord_id, **standard | amount)


def test_a_market_order_is_valued_at_the_reference() -> None:
    """Or at its cash amount; refused where neither is known, unless the limit lets it pass; a price too old is not known."""
    desk = desk_with(max_order_notional=D(150))
    assert "cannot be judged: no reference price of BTC/USDT at BINANCE" in refusal(market(desk, "a"))
    cash = {"side": Side.BUY, "order_qty": None}
    assert refusal(market(desk, "b", **cash, cash_order_qty=D(150))) == ""
    assert refusal(market(desk, "c", **cash, cash_order_qty=D(151))) == "limit x: order notional 150 USDT would be 151"
    price(desk, "140", "150")
    assert refusal(market(desk, "d")) == ""
    assert refusal(market(desk, "e", order_qty=D("1.1"))) == "limit x: order notional 150 USDT would be 159.5"
    desk.later(61)
    assert "cannot be judged" in refusal(market(desk, "f"))
    assert refusal(market(desk_with(max_order_notional=D(1), without_reference="pass"), "a")) == ""


@pytest.mark.parametrize(
    ("side", "px", "both", "said"),
    [
        (Side.BUY, "105", False, ""),
        (Side.BUY, "105.01", False, "limit x: price band 5 %: Price(44) 105.01 would be 5.01 % above the reference 100"),
        (Side.BUY, "50", False, ""),
        (Side.BUY, "94", True, "limit x: price band 5 %: Price(44) 94 would be 6 % below the reference 100"),
        (Side.SELL, "95", False, ""),
        (Side.SELL, "94.99", False, "limit x: price band 5 %: Price(44) 94.99 would be 5.01 % below the reference 100"),
        (Side.SELL, "200", False, ""),
        (Side.SELL, "106", True, "limit x: price band 5 %: Price(44) 106 would be 6 % above the reference 100"),
    ],
)
def test_the_price_band(side: Side, px: str, both: bool, said: str) -> None:
    """Prices that are worse for the client; with `both_sides` far better ones too."""
    desk = desk_with(price_band=D(5), both_sides=both, reference="last")
    price(desk, "1", "2", "100")
    assert refusal(desk.new("a", side=side, price=D(px))) == said


def test_the_band_of_each_reference() -> None:
    """The middle of the book, the last trade, or what the file says; a book with one side has no middle."""
    desk = desk_with(price_band=D(5))
    price(desk, "90", "110", "500")
    assert refusal(desk.new("a", price=D(106))) != ""
    desk.apply(Priced(LINK, (Price(symbol="BTCUSDT", bid=D(90)),)))
    assert "cannot be judged" in refusal(desk.new("b", price=D(100)))
    desk = desk_with(price_band=D(5), reference="configured", reference_price=D(200))
    assert refusal(desk.new("a", price=D(210))) == ""
    assert refusal(desk.new("b", price=D(211))) != ""


def test_what_an_order_may_be() -> None:
    """Sides, types, symbols: 103=99 with what is allowed."""
    desk = desk_with(only_sides=("sell",))
    assert refusal(desk.new("a", side=Side.SELL)) == ""
    effects = desk.new("b")
    assert refusal(effects) == "limit x: Side(54) is only sell, not buy"
    assert reason(effects) is OrdRejReason.OTHER
    assert refusal(market(desk_with(only_ord_types=("limit",)), "a")) == "limit x: OrdType(40) is only limit, not market"
    assert refusal(desk_with(only_symbols=("ETH/*", "BTC/EUR")).new("a")) == "limit x: Symbol(55) is only ETH/*, BTC/EUR, not BTC/USDT"
    assert refusal(desk_with(only_symbols=("BTC/*",)).new("a")) == ""


def test_hours() -> None:
    """Over midnight too."""
    desk = desk_with(from_time=22 * HOUR, to_time=6 * HOUR)
    desk.now = desk.now // (24 * HOUR) * 24 * HOUR + 23 * HOUR
    assert refusal(desk.new("a")) == ""
    desk.now += 7 * HOUR + 60 * SECOND
    assert refusal(desk.new("b")) == "limit x: orders from 22:00 to 06:00 UTC, not at 06:01"


# --- orders together ----------------------------------------------------------------------------------------------------


def test_open_orders() -> None:
    """One that ends makes room; one that is refused never took any."""
    desk = desk_with(max_open_orders=1)
    desk.new("a")
    assert refusal(desk.new("b")) == "limit x: open orders 1 would be 2"
    desk.accept(1)
    desk.end(1)
    assert refusal(desk.new("c")) == ""


def test_net_notional() -> None:
    """Buys less sells; what brings it nearer to nothing is let through."""
    desk = desk_with(max_net_notional=D(250))
    desk.new("a", order_qty=D(2))
    assert refusal(desk.new("b")) == "limit x: net open notional 250 USDT would be 300"
    assert refusal(desk.new("c", side=Side.SELL, order_qty=D(4))) == ""
    assert refusal(desk.new("d", side=Side.SELL)) == "limit x: net open notional 250 USDT would be -300"


def test_position_with_open_orders() -> None:
    """All that may be bought counts, all that may be sold does not help."""
    desk = desk_with(max_position=D(3))
    desk.new("a", order_qty=D(2))
    desk.accept(1)
    desk.fill("1")
    desk.new("s", side=Side.SELL, order_qty=D(4))
    assert refusal(desk.new("b", order_qty=D("1.5"))) == "limit x: position, open orders included, 3 BTC would be 3.5"
    assert refusal(desk.new("c", order_qty=D(1))) == ""
    assert refusal(desk.new("t", side=Side.SELL)) == "limit x: position, open orders included, 3 BTC would be -4"


def test_reducing_only() -> None:
    """No more than what is there, with what is on its way."""
    desk = Desk(limits=())
    desk.new("a", order_qty=D(3))
    desk.accept(1)
    desk.fill("3")
    desk.apply(configured(limits=(Limit(name="x", reducing_only=True),)))
    assert refusal(desk.new("b")).startswith("limit x: orders may only reduce the position, 3 BTC; 0 more may do so")
    assert refusal(desk.new("c", side=Side.SELL, order_qty=D(2))) == ""
    effects = desk.new("d", side=Side.SELL, order_qty=D(2))
    assert refusal(effects) == "limit x: orders may only reduce the position, 3 BTC; 1 more may do so, this is 2"
    assert reason(effects) is OrdRejReason.OTHER


def test_daily_notional() -> None:
    """What was executed and what still may be; at the hour that the day begins, anew."""
    desk = desk_with(max_daily_notional=D(250), day_begins=6 * HOUR)
    desk.new("a")
    desk.accept(1)
    desk.fill("1")
    desk.new("b")
    assert refusal(desk.new("c")) == "limit x: daily notional, open orders included, 250 USDT would be 300"
    desk.now = desk.now // (24 * HOUR) * 24 * HOUR + 30 * HOUR
    assert refusal(desk.new("d")) == ""


def test_daily_loss() -> None:
    """What was made and lost, and what is left valued at the reference; the next day begins at nothing."""
    desk = desk_with(max_daily_loss=D(50), reference="last")
    desk.new("a", order_qty=D(2))
    desk.accept(1)
    desk.fill("2")
    assert "daily loss 50 USDT cannot be judged" in refusal(desk.new("b"))
    price(desk, None, last="80")
    assert refusal(desk.new("s", side=Side.SELL, price=D(70))) == ""
    desk.accept(3)
    desk.fill("1", "70", number=3)
    assert refusal(desk.new("c")) == "limit x: daily loss 50 USDT is reached, it is 50"
    price(desk, None, last="81")
    assert refusal(desk.new("d")) == ""
    price(desk, None, last="10")
    assert refusal(desk.new("e")) != ""
    desk.now += 24 * HOUR
    assert refusal(desk.new("f")) == ""


def test_figures_kept_apart() -> None:
    """By session, account, symbol or destination; a limit that does not select an order says nothing to it."""
    desk = desk_with(per=("destination",), max_open_orders=1)
    assert refusal(desk.new("a")) == ""
    assert refusal(desk.new("b", destination="GBBO")) == ""
    assert refusal(desk.new("c", destination="GBBO")) != ""
    desk = desk_with(destinations=("gbbo",), max_open_orders=1)
    assert [refusal(desk.new(each)) for each in "ab"] == ["", ""]
    assert [bool(refusal(desk.new(each, destination="GBBO"))) for each in "cd"] == [False, True]
    desk = desk_with(per=("account",), max_open_orders=1)
    assert [bool(refusal(desk.new(name, account=account))) for name, account in (("a", "A"), ("b", "B"), ("c", "A"))] == [
        False,
        False,
        True,
    ]


def test_all_that_apply_must_hold() -> None:
    """The first that does not, says no."""
    desk = Desk(
        limits=(Limit(name="wide", max_order_qty=D(9)), Limit(name="narrow", sessions=("FIX.4.2:ROUTER->OMS",), max_order_qty=D(2)))
    )
    assert refusal(desk.new("a", order_qty=D(3))).startswith("limit narrow:")
    assert refusal(desk.new("b", order_qty=D(10))).startswith("limit wide:")


# --- orders after each other --------------------------------------------------------------------------------------------


def test_the_rate_of_orders() -> None:
    """Replaces count as well; what was refused does not; the window slides."""
    desk = desk_with(max_orders=2, window=SECOND)
    desk.new("a")
    desk.accept(1)
    desk.replace("r", "a", qty="3")
    assert refusal(desk.new("b")) == "limit x: orders and replaces within 1 s: 2 would be 3"
    desk.later(1)
    assert [bool(refusal(desk.new(each))) for each in "cde"] == [False, False, True]


def test_the_rate_outlives_a_reload() -> None:
    """Under the same limit it goes on; under a new one the orders in the book count."""
    desk = desk_with(max_orders=1, window=SECOND)
    desk.new("a")
    desk.apply(configured(limits=(Limit(name="x", max_orders=1, window=SECOND, max_order_qty=D(9)),)))
    assert refusal(desk.new("b")) != ""
    desk.apply(configured(limits=(Limit(name="other", max_orders=1, window=SECOND, duplicate_within=5 * SECOND),)))
    assert refusal(desk.new("c")) != ""
    desk.later(1)
    assert "the same order came 1000 ms before" in refusal(desk.new("d"))


def test_cancels_per_order() -> None:
    """Of the last orders, after a least number; orders that are refused count as orders, so there is a way out."""
    desk = desk_with(max_cancel_ratio=D("0.5"), cancel_ratio_over=4, cancel_ratio_after=2)
    for number, name in enumerate("ab", start=1):
        assert refusal(desk.new(name)) == ""
        desk.accept(number)
        desk.cancel(f"c{name}", name)
    said = [refusal(desk.new(each)) for each in "cdef"]
    assert said[0] == "limit x: 0.5 cancels an order; there were 2 for the last 2 orders"
    assert [bool(each) for each in said] == [True, True, False, False]


def test_the_same_order_again() -> None:
    """Same symbol, side, price and quantity, in whatever writing; another price is another order; a refused one is none."""
    desk = Desk(limits=(Limit(name="x", duplicate_within=500 * MS), Limit(name="q", max_order_qty=D(50))))
    desk.new("a", price=D(100))
    effects = desk.new("b", price=D("100.00"), symbol="BTCUSDT")
    assert refusal(effects) == "limit x: the same order came 0 ms before; it is taken again after 500 ms"
    assert reason(effects) is OrdRejReason.OTHER
    assert refusal(desk.new("c", price=D(101))) == ""
    assert refusal(desk.new("d", side=Side.SELL)) == ""
    desk.now += 500 * MS
    assert refusal(desk.new("e", price=D(100))) == ""
    assert refusal(desk.new("f", order_qty=D(60))).startswith("limit q:")
    assert refusal(desk.new("g", order_qty=D(60))).startswith("limit q:")


# --- trading with ourselves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resting", "coming", "crosses"),
    [
        ((Side.SELL, "101"), (Side.BUY, "101"), True),
        ((Side.SELL, "101"), (Side.BUY, "100.99"), False),
        ((Side.BUY, "99"), (Side.SELL, "99"), True),
        ((Side.BUY, "99"), (Side.SELL, "99.01"), False),
        ((Side.BUY, "99"), (Side.BUY, "101"), False),
        ((Side.BUY, "99"), (Side.SELL, None), True),
    ],
)
def test_an_order_against_our_own(resting: tuple[Side, str], coming: tuple[Side, str | None], crosses: bool) -> None:
    """From whatever session; the resting one is named."""
    desk = desk_with(self_trade="refuse")
    desk.new("a", session="FIX.4.4:ROUTER->OTHER", side=resting[0], price=D(resting[1]))
    side, px = coming
    effects = desk.new("b", side=side, price=D(px)) if px else market(desk, "b", side=side)
    assert ("it would trade with our own order" in refusal(effects)) is crosses


def test_another_venue_another_book() -> None:
    """What rests elsewhere is in nobody's way; and what is over is not, nor what never rests."""
    desk = desk_with(self_trade="refuse")
    desk.new("a", side=Side.SELL, destination="GBBO", price=D(100))
    desk.new("i", side=Side.SELL, price=D(100), time_in_force=TimeInForce.IOC)
    assert refusal(desk.new("b")) == ""
    desk.accept(3)
    desk.end(3)
    assert refusal(desk.new("c", side=Side.SELL)) == ""


def test_the_resting_one_is_canceled_first() -> None:
    """All that are in the way, before the order leaves; one that never left is withdrawn."""
    desk = desk_with(self_trade="cancel-resting")
    for number, px in ((1, 100), (2, 101), (3, 102)):
        desk.new(f"a{number}", side=Side.SELL, price=D(px))
        desk.accept(number)
    effects = desk.new("b", price=D(101))
    assert sent(effects) == ["Cancel", "Cancel", "Place"]
    names = [each.command.venue_cl_ord_id for each in effects if isinstance(each, Send) and not isinstance(each.command, Place)]
    assert names == ["v1", "v2"]
    ended = desk.end(1)
    assert "so that order" in reports(ended)[0].text


def test_a_replace_does_not_meet_our_own() -> None:
    """It is refused, whatever the limit does with new orders; also at the price that a replace under way is to have."""
    desk = desk_with(self_trade="cancel-resting")
    desk.new("s", side=Side.SELL, price=D(110))
    desk.accept(1)
    desk.new("a", price=D(100))
    desk.accept(2)
    (reject,) = rejects(desk.replace("r", "a", qty="1", px="110"))
    assert "would trade with our own order" in reject.text
    desk.replace("t", "s", qty="1", px="104", side=Side.SELL)
    (reject,) = rejects(desk.replace("q", "a", qty="1", px="105"))
    assert "would trade with our own order" in reject.text


# --- replaces and cancels -----------------------------------------------------------------------------------------------


def test_a_replace_is_judged_by_what_it_adds() -> None:
    """102=99 with the limit's words; the order is unchanged, and lives on."""
    desk = desk_with(max_open_notional=D(300))
    desk.new("a", order_qty=D(2))
    desk.accept(1)
    (reject,) = rejects(desk.replace("r", "a", qty="4"))
    assert reject.text == "limit x: open notional 300 USDT would be 400: the order is unchanged"
    assert desk.order().request.order_qty == 2
    assert desk.order().pending is None
    assert shape(desk.replace("q", "a", qty="3"))[0] == "Cancel"


def test_a_replace_that_takes_away_always_passes() -> None:
    """Also where the order itself is past a limit that came later."""
    desk = Desk()
    desk.new("a", order_qty=D(5))
    desk.accept(1)
    desk.apply(configured(limits=(Limit(name="x", max_order_qty=D(1), max_open_notional=D(10), max_position=D(1), only_sides=("sell",)),)))
    assert rejects(desk.replace("r", "a", qty="4")) == []


def test_a_cancel_always_passes() -> None:
    """Whatever the limits are."""
    desk = Desk()
    desk.new("a")
    desk.accept(1)
    desk.apply(configured(limits=(Limit(name="x", max_orders=0, max_open_orders=0, only_sides=("sell",), max_cancel_ratio=D(0)),)))
    assert sent(desk.cancel()) == ["Cancel"]


def test_a_held_order_counts_and_may_be_replaced_within() -> None:
    """While it waits for its link; the replace of it takes effect at once, and counts once."""
    desk = Desk(up=False, hold_when_down=60 * SECOND, limits=(Limit(name="x", max_open_notional=D(250)),))
    desk.new("a", order_qty=D(2))
    assert reports(desk.new("b"))[0].text == "limit x: open notional 250 USDT would be 300"
    assert rejects(desk.replace("r", "a", qty="3")) != []
    assert rejects(desk.replace("q", "a", qty="1")) == []
    assert shape(desk.new("c")) == ["pending-new/pending-new"]


# --- reload and settings ------------------------------------------------------------------------------------------------


def test_a_reload_judges_the_next_order() -> None:
    """Between two inputs: what was open before counts under the new limits."""
    desk = desk_with(max_open_orders=5)
    desk.new("a")
    desk.new("b")
    desk.apply(configured(limits=(Limit(name="y", per=("session",), max_open_orders=2),)))
    assert refusal(desk.new("c")) == "limit y: open orders 2 would be 3"
    desk.apply(configured())
    assert refusal(desk.new("d")) == ""


def written(tmp_path: Path, text: str) -> Path:
    before = DEMO_ROUTER.read_text().partition("[[limits]]")[0]
    (tmp_path / "router.toml").write_text(before + text)
    return tmp_path / "router.toml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "x"', "asks nothing"),
        ('name = "x"\nmax_order_qty = 0', "greater than 0"),
        ('name = "x"\nmax_order_qty = 1\nper = ["desk"]', "per"),
        ('name = "x"\nmax_qty = 1', "unknown key"),
        ('name = "x"\nprice_band_percent = 5\nreference = "configured"', "reference_price goes with"),
        ('name = "x"\nprice_band_percent = 5\nreference = "configured"\nreference_price = 5', "is of one symbol"),
        ('name = "x"\nmax_open_orders = 1\ndestinations = ["NOWHERE"]', "there is no destination NOWHERE"),
        ('name = "x"\nmax_open_orders = 1\nsessions = ["NOBODY"]', "there is no client NOBODY"),
        ('name = "x"\nfrom_utc = "08:00"', "go together"),
        ('name = "x"\norders_per_second = 0.5', "less than one order"),
        ('name = "x"\nmax_open_orders = 1\n[[limits]]\nname = "x"\nmax_open_orders = 2', "stands there twice"),
    ],
)
def test_what_a_file_may_not_say(tmp_path: Path, text: str, said: str) -> None:
    """Each with its key."""
    with pytest.raises(Fault, match=said):
        load(written(tmp_path, f"[[limits]]\n{text}\n"))


def test_limits_change_while_it_runs(tmp_path: Path) -> None:
    """Every key of them, by the limit's name."""
    before = load(written(tmp_path, '[[limits]]\nname = "x"\nmax_order_qty = 1\n'))
    after = load(written(tmp_path, '[[limits]]\nname = "x"\nmax_order_qty = 2.5\nwindow_s = 2\norders_per_second = 3\n'))
    changes = differences(before, after)
    assert "limits[x].max_order_qty: 1 -> 2.5" in [str(each) for each in changes]
    assert all(each.live for each in changes)
    frozen = after.limits[0].frozen()
    assert (frozen.max_orders, frozen.window, frozen.max_order_qty) == (6, 2 * SECOND, D("2.5"))
