"""What accounts at venues hold: kept by the venue's word, asked of by orders that must be paid for, told to who may ask."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.engine import Engine
from router.inquiries import PositionReport, PositionsRequest, Result
from router.model import Balance, ExecutionReport, Held, Position
from router.rules import Account, Limit
from router.snapshot import dump, load
from router.words import OrdStatus, OrdType, Side
from tests.router.desk import BTC, LINK, SESSION, D, Desk, configured

FUNDS = Limit(name="funds", check_balance=True)
BESIDE = "beside"


def told(desk: Desk, usdt: str = "1000", btc: str = "5", link: str = LINK, **more: Any) -> None:
    """The venue says what there is, all of it free."""
    balances = tuple(Balance(currency, D(amount), D(amount)) for currency, amount in (("USDT", usdt), ("BTC", btc)))
    desk.apply(Held(link, **{"balances": balances} | more))


def funded(**config: Any) -> Desk:
    desk = Desk(**{"limits": (FUNDS,)} | config)
    told(desk)
    return desk


def left(desk: Desk, currency: str = "USDT") -> Decimal:
    return desk.engine.state.held[LINK].balances[currency].left


def refused(desk: Desk, cl_ord_id: str, **more: Any) -> str:
    """Why an order is not taken; "" where it is."""
    last = desk.new(cl_ord_id, **more)[-1]
    return last.text if isinstance(last, ExecutionReport) and last.ord_status is OrdStatus.REJECTED else ""


class TestCheck:
    def test_an_order_that_cannot_be_paid_for(self) -> None:
        """By name, with what there is and what it needs; the last that fits is taken."""
        desk = funded()
        assert refused(desk, "a", order_qty=D("10.001"), price=D(100)) == (
            "limit funds: the available balance is 1,000 USDT at BINANCE, the order needs 1,000.1"
        )
        assert refused(desk, "b", side=Side.SELL, order_qty=D("5.001")) == (
            "limit funds: the available balance is 5 BTC at BINANCE, the order needs 5.001"
        )
        assert refused(desk, "c", order_qty=D(10), price=D(100)) == ""
        assert refused(desk, "d", side=Side.SELL, order_qty=D(5)) == ""

    def test_open_orders_take_what_they_may_use_before_the_venue_says_so(self) -> None:
        """Two that fit alone and not together; the end of the first gives back what it did not use."""
        desk = funded()
        assert refused(desk, "a", order_qty=D(6), price=D(100)) == ""
        assert "1,000 USDT" not in refused(desk, "b", order_qty=D(5), price=D(100))
        assert left(desk) == 400
        desk.accept(1)
        desk.fill("2", "90", number=1)
        assert (left(desk), left(desk, "BTC")) == (1000 - 180 - 400, 7)
        desk.cancel("c", "a")
        desk.end(1)
        assert (left(desk), left(desk, "BTC")) == (820, 7)

    def test_a_sell_brings_money(self) -> None:
        """At its execution, not before."""
        desk = funded()
        desk.new("a", side=Side.SELL, order_qty=D(4), price=D(100))
        desk.accept(1)
        assert (left(desk), left(desk, "BTC")) == (1000, 1)
        desk.fill("3", "110", number=1)
        assert (left(desk), left(desk, "BTC")) == (1330, 1)

    def test_the_venues_word_replaces_ours(self) -> None:
        """What it tells counts from then on, as it is; what it does not speak of stays."""
        desk = funded()
        desk.new("a", order_qty=D(6), price=D(100))
        desk.accept(1)
        told(desk, balances=(Balance("USDT", D(1000), D(350)),))
        assert (left(desk), left(desk, "BTC")) == (350, 5)
        desk.fill("1", "100", number=1)
        assert (left(desk), left(desk, "BTC")) == (350, 6)

    def test_a_word_that_is_as_before_takes_nothing_back(self) -> None:
        """It may have left the venue before our order came there; but it is fresh."""
        desk = funded()
        desk.new("a", order_qty=D(6), price=D(100))
        desk.later(50)
        told(desk)
        assert left(desk) == 400
        desk.later(50)
        assert refused(desk, "b", order_qty=D(4), price=D(100)) == ""
        assert refused(desk, "c", order_qty=D(1), price=D(100)) != ""

    def test_what_was_not_told_lately_is_not_known(self) -> None:
        """Refused with the reason, or let through, as the limit says."""
        for passes, text in (
            ("pass", ""),
            ("refuse", "limit funds: the balance cannot be judged: what there is of USDT at BINANCE was not"),
        ):
            limit = msgspec.structs.replace(FUNDS, without_reference=passes)
            desk = Desk(limits=(limit,))
            assert refused(desk, "a").startswith(text)
            told(desk)
            assert refused(desk, "b", order_qty=D(1), price=D(100)) == ""
            desk.later(61)
            assert refused(desk, "c", order_qty=D(1), price=D(100)).startswith(text)
            assert passes == "refuse" or not text

    def test_a_market_order_needs_a_price_to_be_judged_by(self) -> None:
        """By cash amount it says itself what it needs; a sell needs none."""
        desk = funded()
        market: dict[str, Any] = {"ord_type": OrdType.MARKET, "price": None}
        assert refused(desk, "a", **market, order_qty=None, cash_order_qty=D("1000.01")) != ""
        assert refused(desk, "b", **market, side=Side.SELL, order_qty=D(5)) == ""
        assert refused(desk, "c", **market, order_qty=None, cash_order_qty=D(999)) == ""

    def test_a_replace_is_judged_by_what_it_adds(self) -> None:
        """Smaller always goes; larger by the difference."""
        desk = funded()
        desk.new("a", order_qty=D(6), price=D(100), destination="NATIVE")
        desk.accept(1)
        more = desk.replace("r1", "a", qty="11", px="100")
        assert "the available balance is 400 USDT at NATIVE, the order needs 500" in more[-1].text  # type: ignore[union-attr]
        assert "Replace" in str(desk.replace("r2", "a", qty="10", px="100"))
        desk.replaced(1)
        assert left(desk) == 0
        assert "Replace" in str(desk.replace("r3", "a", qty="2", px="100"))

    def test_on_margin_it_is_not_asked(self) -> None:
        """Nor where a unit of quantity is not one of base."""
        for can, of in (({"margin": True}, {}), ({}, {"contract_size": D(10)})):
            places = tuple(
                msgspec.structs.replace(
                    each,
                    capabilities=msgspec.structs.replace(each.capabilities, **can),
                    instruments=(msgspec.structs.replace(BTC, **of),),
                )
                for each in configured().destinations
            )
            desk = Desk(limits=(FUNDS,), destinations=places)
            assert refused(desk, "a", order_qty=D(50), price=D(100)) == ""

    def test_the_newer_word_of_two_links_to_one_account(self) -> None:
        """A second witness tells what the FIX session cannot."""
        desk = Desk(limits=(FUNDS,), witness=BESIDE)
        told(desk, "1000", link=BESIDE)
        assert refused(desk, "a", order_qty=D(11), price=D(100)) != ""
        desk.later(1)
        told(desk, "2000", link=LINK)
        assert refused(desk, "b", order_qty=D(11), price=D(100)) == ""

    def test_a_reload_keeps_what_orders_took(self) -> None:
        """They are not counted a second time as the figures are made anew; and a limit that is new begins with what is told."""
        desk = funded()
        desk.new("a", order_qty=D(6), price=D(100))
        desk.apply(configured(limits=(FUNDS, Limit(name="more", max_open_orders=9))))
        assert left(desk) == 400
        desk.accept(1)
        desk.fill("1", "100", number=1)
        assert left(desk) == 400
        assert left(desk, "BTC") == 6


orders = st.tuples(st.sampled_from(list(Side)[:2]), st.integers(1, 12), st.integers(90, 110))
steps = st.lists(
    st.one_of(orders, st.tuples(st.just("fill"), st.integers(1, 8), st.integers(1, 4)), st.tuples(st.just("end"), st.integers(1, 8))),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_no_sequence_uses_more_than_there_is(history: list[tuple[Any, ...]]) -> None:
    """What the venue would have frozen for the orders that were let through never exceeds what it said there is; what is left is that
    exactly; and a snapshot in the middle changes nothing."""
    desk = funded()
    there = {"USDT": D(1000), "BTC": D(5)}
    book: dict[int, list[Any]] = {}
    for step in history:
        match step:
            case (Side() as side, int(qty), int(px)):
                number = len(book) + 1
                if not refused(desk, f"o{number}", side=side, order_qty=D(qty), price=D(px), venue_cl_ord_id=f"v{number}"):
                    desk.accept(number)
                    book[number] = [side, D(qty), D(px)]
            case ("fill", int(number), int(qty)) if number in book and book[number][1] >= qty:
                side, _, px = book[number]
                book[number][1] -= qty
                sign = 1 if side is Side.BUY else -1
                there["BTC"] += sign * qty
                there["USDT"] -= sign * qty * px
                desk.fill(str(qty), str(px), number=number, exec_id=f"x{len(desk.inputs)}")
            case ("end", int(number)) if number in book and book[number][1]:
                book[number][1] = D(0)
                desk.end(number)
        frozen = {
            "USDT": sum((qty * px for side, qty, px in book.values() if side is Side.BUY), D(0)),
            "BTC": sum((qty for side, qty, _ in book.values() if side is Side.SELL), D(0)),
        }
        for currency, amount in there.items():
            assert left(desk, currency) == amount - frozen[currency] >= 0
        desk.engine.state, _ = load(dump(desk.engine.state, []))
    again = Engine()
    for now, event in desk.inputs:
        again.apply(event, now)
    assert again.state.held == desk.engine.state.held


class TestAsking:
    def ask(self, desk: Desk, account: str = "acc", **more: Any) -> list[PositionReport]:
        said = desk.apply(PositionsRequest(session=SESSION, request_id="p", account=account, **more))
        return [each for each in said if isinstance(each, PositionReport)]

    def desk(self, **client: Any) -> Desk:
        desk = Desk(client={"venue_accounts": ("acc",)} | client)
        positions = (Position("BTCUSDT", D("-2"), D(101)), Position("ELSE", D(3)))
        desk.apply(Held(LINK, (Balance("USDT", D("10.50"), D("4")),), positions))
        return desk

    def test_what_a_venues_account_holds(self) -> None:
        """Each position, under our name of its symbol where it has one, and each balance, with when it was told."""
        rows = self.ask(self.desk())
        assert [(each.symbol, each.currency, each.bought, each.sold, each.avg_px) for each in rows] == [
            ("BTC/USDT", "USDT", 0, 2, 101),
            ("ELSE", "", 3, 0, 0),
            ("", "USDT", D("10.50"), 0, 0),
        ]
        assert {(each.account, each.destination, each.held, each.result, each.total) for each in rows} == {
            ("acc", "BINANCE", True, Result.YES, 3)
        }
        assert rows[-1].text == "available 4, told 20270115-08:00:00 UTC"

    @pytest.mark.parametrize(
        ("more", "symbols"),
        [
            ({"symbol": "BTC/USDT"}, ["BTC/USDT"]),
            ({"symbol": "BTCUSDT"}, ["BTC/USDT"]),
            ({"destination": "binance"}, ["BTC/USDT", "ELSE", ""]),
            ({"symbol": "NO/SUCH"}, [""]),
            ({"destination": "NOWHERE"}, [""]),
        ],
    )
    def test_a_part_of_it(self, more: dict[str, str], symbols: list[str]) -> None:
        """A symbol by either name; a place; where nothing fits one report says so."""
        rows = self.ask(self.desk(), **more)
        if "NO" in str(more):
            assert [(each.result, each.text) for each in rows] == [(Result.NOTHING, "nothing of this was told by the venue")]
        else:
            assert [each.symbol for each in rows] == symbols

    def test_only_who_may_ask(self) -> None:
        """For others it is an account like any: forbidden, or one that nothing was executed for."""
        assert [each.result for each in self.ask(self.desk(venue_accounts=(), accounts=(Account(name="x"),)))] == [Result.FORBIDDEN]
        assert [each.result for each in self.ask(self.desk(venue_accounts=()))] == [Result.NOTHING]
        assert len(self.ask(self.desk(accounts=(Account(name="x"),)))) == 3

    def test_what_is_gone_is_told_as_nothing(self) -> None:
        """The venue said so."""
        desk = self.desk()
        desk.apply(Held(LINK, (Balance("USDT", D(0), D(0)),), (Position("BTCUSDT", D(0)),)))
        assert [(each.symbol, each.bought, each.sold) for each in self.ask(desk)] == [("BTC/USDT", 0, 0), ("ELSE", 3, 0), ("", 0, 0)]
