"""What an operator may ask Phemex: rows with exact amounts in full units, from REST, from a fresh snapshot, or from the stream."""

from __future__ import annotations

import json
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.matching import Side as VenueSide
from bridges.phemex.inquiries import TOPICS, descaled
from bridges.phemex.sim_contract import unscaled
from bridges.phemex.sim_settings import PRICE_SCALE, VALUE_SCALES
from bridges.wire import Frame, Note, Request, Told
from router.model import LinkUp

from .test_protocol import BTC, ETH, Desk, aop, fill, methods, row, sample, text
from .test_protocol_sim import Rig
from .venue import body, signed


def inquire(desk: Desk, topic: str, ticket: int = 1, **arguments: str) -> list[Any]:
    return list(desk.protocol.inquire(ticket, topic, arguments, desk.now))


def both() -> Desk:
    """A desk with both contracts, and so both trading accounts, up."""
    desk = Desk(up=False, instruments=(BTC, ETH))
    desk.log_in()
    assert desk.snapshot() == []
    assert desk.snapshot(currency="USD") == [LinkUp("acc")]
    return desk


def data(code: int = 0) -> dict[str, Any]:
    """An answer with the document's account and position of a USD account."""
    told = sample("aop_incremental")
    return {"code": code, "msg": "", "data": {"account": told["accounts"][0], "positions": told["positions"]}}


def test_it_says_what_it_can_be_asked() -> None:
    """By the names that the other venues have."""
    assert Desk(up=False).protocol.topics == TOPICS
    assert set(TOPICS) == {"balances", "positions", "open-orders", "order-book", "trades"}


def test_balances_are_asked_for_account_by_account() -> None:
    """The document's signed request, a currency each, and its sample of an account in full units."""
    desk = both()
    btc, usd = inquire(desk, "balances")
    assert [(each.method, each.path, each.query, each.private) for each in (btc, usd)] == [
        ("GET", "/accounts/accountPositions", f"currency={currency}", True) for currency in ("BTC", "USD")
    ]
    assert desk.answer(usd, body=data()) == []
    account = {"accountBalanceEv": 9992165009, "accountID": 604630001, "currency": "BTC", "totalUsedBalanceEv": 10841771568}
    (told,) = desk.answer(btc, body={"code": 0, "msg": "", "data": {"account": account}})
    assert told == Told(1, (
        {"currency": "USD", "accountBalance": "9604963524.4492", "totalUsedBalance": "103276.1766", "accountID": "659220002",
         "userID": "65922", "bonusBalance": "0"},
        {"currency": "BTC", "accountBalance": "99.92165009", "totalUsedBalance": "108.41771568", "accountID": "604630001"},
    ))  # fmt: skip


def test_positions_are_told_in_full_units() -> None:
    """Document, AOP sample: prices, values and ratios each by their own scale; what names it stands first."""
    desk = both()
    (usd,) = inquire(desk, "positions", currency="USD")
    (told,) = desk.answer(usd, body=data())
    (position,) = told.rows
    assert list(position)[:4] == ["symbol", "currency", "side", "size"]
    wanted = {"symbol": "ETHUSD", "size": "18132", "avgEntryPrice": "186.314", "displayLeverage": "0.01", "unrealisedPnl": "-16.5129",
              "value": "16891.2309", "transactTimeNs": "1573131627774194463"}  # fmt: skip
    assert {name: position[name] for name in wanted} == wanted
    assert not [name for name in position if name.endswith(("Ev", "Ep", "Er"))]


def test_one_account_that_does_not_answer_does_not_hide_the_other() -> None:
    """The rows there are, and which account's are missing and why."""
    desk = both()
    btc, usd = inquire(desk, "balances")
    assert list(desk.protocol.lost(btc, True, "timed out", desk.now)) == []
    (told,) = desk.answer(usd, body=data())
    assert (len(told.rows), told.error) == (1, "BTC: timed out")


@pytest.mark.parametrize(
    ("status", "told", "error"),
    [
        (200, {"code": 11028, "msg": "TE_CURRENCY_INVALID", "data": None}, "USD: 11028 TE_CURRENCY_INVALID"),
        (500, b"<html>", "USD: HTTP 500 that cannot be read"), (200, {"code": 0, "data": None}, "USD: the answer has no data"),
        (200, {"code": 0, "data": {"account": []}}, "USD: an account or a position is not an object"),
        (503, {"code": 0, "data": {"account": {}}}, "USD: HTTP 503 with code 0"), (200, [], "USD: HTTP 200 that cannot be read"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_an_error(status: int, told: Any, error: str) -> None:
    """Never rows that mean nothing, and nothing that is said of the link."""
    desk = both()
    (usd,) = inquire(desk, "balances", currency="USD")
    (answer,) = [each for each in desk.answer(usd, status, told) if isinstance(each, Told)]
    assert answer.rows == () and answer.error.startswith(error)


def test_open_orders_are_those_of_a_fresh_snapshot() -> None:
    """Ours and anybody's, of every account; what has ended is left out; amounts in full units."""
    desk = both()
    desk.later(2)
    assert methods(inquire(desk, "open-orders")) == ["aop.unsubscribe", "aop.subscribe"]
    foreign = sample("aop_incremental")["orders"][0]
    assert desk.snapshot(row(), fill(7, 7, 10769, orderID="v2", clOrdID="c2")) == []
    (told,) = desk.snapshot(foreign, currency="USD")
    ours, theirs = told.rows
    assert list(ours)[:4] == ["order_id", "cl_ord_id", "symbol", "side"]
    assert (ours["order_id"], ours["cl_ord_id"], ours["price"], ours["orderQty"]) == ("v1", "c1", "65000", "7")
    assert (theirs["order_id"], theirs["cl_ord_id"]) == ("85906b94-3784-4e15-ac19-590bc5af4aff", "1573124279267067022")
    assert (theirs["price"], theirs["leavesValue"], theirs["orderQty"]) == ("186.75", "277.3237", "297")
    assert desk.snapshot(row()) == []  # nobody asked any more


def test_a_snapshot_that_was_asked_for_before_the_question_does_not_answer_it() -> None:
    """It may be older than an order that the operator knows of; the next one is asked for when it has come."""
    desk = both()
    desk.later(2)
    inquire(desk, "open-orders", 1)
    assert inquire(desk, "open-orders", 2) == []
    desk.snapshot(row())
    assert [each.ticket for each in desk.snapshot(currency="USD") if isinstance(each, Told)] == [1]
    assert methods(desk.later(2)) == ["aop.unsubscribe", "aop.subscribe"]
    desk.snapshot()
    assert desk.snapshot(currency="USD") == [Told(2)]


def test_what_happens_between_two_snapshots_counts() -> None:
    """An order that ended before the last account's snapshot came is not open; an older row after it changes nothing."""
    desk = both()
    desk.later(2)
    inquire(desk, "open-orders")
    desk.snapshot(row())
    desk.told(fill(7, 7, 10769))
    desk.told(row())
    assert [each for each in desk.snapshot(currency="USD") if isinstance(each, Told)] == [Told(1)]


def test_a_repeated_message_is_not_taken_for_news() -> None:
    """An old snapshot that comes again does not bring an order back."""
    desk = both()
    desk.later(2)
    inquire(desk, "open-orders")
    old = aop(row(), sequence=900, kind="snapshot")
    desk.say(old)
    desk.told(kind="snapshot")
    desk.say(old)
    assert desk.snapshot(currency="USD") == [Told(1)]


def test_open_orders_need_the_stream() -> None:
    """Down: said at once; lost while the question waits: said then."""
    assert inquire(Desk(up=False), "open-orders") == [Told(1, error="the account stream of Phemex is down")]
    desk = both()
    inquire(desk, "open-orders")
    assert [each for each in desk.protocol.closed("gone", desk.now) if isinstance(each, Told)] == [
        Told(1, error="the account stream of Phemex was lost")
    ]


def test_the_book_and_the_trades_are_the_streams() -> None:
    """The document's samples: the best of each side first, the newest trade first, prices in full units."""
    desk = Desk()
    assert inquire(desk, "order-book", symbol="BTCUSD") == [Told(1, error="Phemex has not told the book of BTCUSD")]
    desk.say(text("orderbook_snapshot"))
    (book,) = inquire(desk, "order-book", symbol="BTCUSD")
    assert book.rows[0] == {"side": "ask", "price": "11271", "size": "6240"}
    assert {"side": "bid", "price": "9806.5", "size": "100"} in book.rows
    desk.say(text("trade_snapshot"))
    desk.say(text("trade_incremental"))
    (trades,) = inquire(desk, "trades", symbol="BTCUSD")
    assert len(trades.rows) == 8
    assert trades.rows[0] == {"symbol": "BTCUSD", "time": "1568727884871", "side": "sell", "price": "0.0999", "size": "1"}
    assert trades.rows[1]["time"] == "1568689385584237387"


@pytest.mark.parametrize(
    ("topic", "arguments", "error"),
    [
        ("weather", {}, "Phemex is not asked about weather; known: balances"), ("trades", {}, "trades needs symbol"),
        ("order-book", {"symbol": "XRPUSD"}, "XRPUSD is none of BTCUSD"), ("balances", {"currency": "USD"}, "USD is none of BTC"),
        ("balances", {"currency": "BTC&x=y"}, "BTC&x=y is none of BTC"),
        ("open-orders", {"symbol": "BTCUSD"}, "open-orders: symbol is not taken"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_answered_at_once(topic: str, arguments: dict[str, str], error: str) -> None:
    """With why, and no request."""
    (told,) = inquire(Desk(), topic, **arguments)
    assert isinstance(told, Told) and told.error.startswith(error)


def test_a_scale_that_is_not_known_is_not_guessed() -> None:
    """The number stays as the venue wrote it, and so does its name; an unscaled twin gives way to the exact one."""
    assert descaled({"currency": "XRP", "balanceEv": 5, "priceEp": 5, "price": D("0.00049999")}) == {
        "currency": "XRP", "balanceEv": "5", "price": "0.0005"
    }  # fmt: skip


@given(st.dictionaries(st.text(max_size=6), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())))
def test_any_row_can_be_shown(row: dict[str, Any]) -> None:
    """Texts that are not too long, whatever the venue says."""
    for name, value in descaled(row, "BTC").items():
        assert (name + value).isprintable() and len(value) <= 300


_KEYS = st.sampled_from(["data", "account", "positions", "code", "orders", "orderID", "clOrdID", "ordStatus", "execSeq"])


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["Filled", "New", "snapshot", "BTC"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner),
    max_leaves=10,
))  # fmt: skip
def test_nonsense_is_an_error_and_never_an_exception(said: Any) -> None:
    """As an answer, and as the rows of a snapshot."""
    desk = both()
    (request,) = inquire(desk, "positions", currency="USD")
    outs = desk.answer(request, body=said)
    assert [type(each) for each in outs if not isinstance(each, Note)] == [Told]
    desk.later(2)
    inquire(desk, "open-orders")
    desk.snapshot(*(said if isinstance(said, list) else [said]))
    assert [each for each in desk.snapshot(currency="USD") if isinstance(each, Told)]


class Asking(Rig):
    """The simulated venue, asked by an operator."""

    def apply(self, event: Any) -> None:
        if isinstance(event, Told):
            self.told = event
        else:
            super().apply(event)

    def ask(self, topic: str, **arguments: str) -> Told:
        self.told = Told(0, error="nothing came")
        self.do(self.protocol.inquire(1, topic, arguments, self.now))
        self.pass_time(3)
        assert self.told.error == ""
        return self.told


def test_the_simulated_venue_is_told_of_as_it_is() -> None:
    """Balances, positions and open orders, the order of another client of the same account among them."""
    rig = Asking()
    bought, rests = rig.new(price="65010", qty=100), rig.new(price="60000", qty=3)
    outcome = rig.venue.handle(signed("POST", "/orders", content=body(priceEp=500_000_000, clOrdID="by-hand"), now_ns=rig.now))
    assert json.loads(outcome.text)["code"] == 0
    rig.pass_time(2)
    accounts = rig.venue.exchange.accounts[60463]
    assert {each["currency"]: each["accountBalance"] for each in rig.ask("balances").rows} == {
        name: unscaled(account.balance_ev, VALUE_SCALES[name]) for name, account in accounts.items()
    }
    position = next(each for each in rig.ask("positions").rows if each["symbol"] == "BTCUSD")
    there = accounts["BTC"].positions["BTCUSD"]
    entry = there.contract.avg_price_ep(there.size, there.value_ev)
    assert (position["side"], position["size"], position["avgEntryPrice"]) == ("Buy", "100", unscaled(entry, PRICE_SCALE))
    orders = {each["cl_ord_id"]: each for each in rig.ask("open-orders").rows}
    assert set(orders) == {rig.order(rests).venue_cl_ord_id, "by-hand"}
    assert orders["by-hand"]["price"] == "50000"
    assert orders[rig.order(rests).venue_cl_ord_id]["order_id"] == rig.order(rests).venue_order_id
    assert rig.order(bought).cum_qty == 100
    rig.trade(VenueSide.SELL, 1, 64990)
    assert rig.ask("trades", symbol="BTCUSD").rows[0]["price"] == "64990"
    book = rig.ask("order-book", symbol="BTCUSD").rows
    assert next(each for each in book if each["side"] == "bid") == {"side": "bid", "price": "64990", "size": "999"}


def test_asking_is_all_that_is_done() -> None:
    """No topic has a request that is not a GET, nor a frame that is not a subscription."""
    desk = both()
    desk.later(2)
    for topic in TOPICS:
        for out in inquire(desk, topic) + inquire(desk, topic, symbol="BTCUSD"):
            assert not isinstance(out, Request) or out.method == "GET"
            assert not isinstance(out, Frame) or "subscribe" in json.loads(out.text)["method"]
