"""Symbols that come by a reload: ordered, followed and priced from then on, and what was there is left alone."""

from __future__ import annotations

import json
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest

from bridges.faults import Fault
from bridges.phemex.protocol import CAPABILITIES, PhemexProtocol
from bridges.wire import Frame, Note, Request, Told
from router.model import Accepted, Balance, LinkUp, NotSent
from router.rules import Instrument
from router.words import OrdStatus, Side
from tests.bridges.evidence import found as found_with_age

from .test_protocol import ACCEPTED, BTC, ETH, Desk, S, ask, fill, methods, place, row, sample, text, yes
from .test_protocol_holdings import Teller, _agrees, account
from .test_protocol_sim import Rig

XRP = Instrument(symbol="XRP/USD", venue_symbol="XRPUSD", base="XRP", quote="USD", tick=D("0.0001"), lot=D(1))
ETH_ORDER = {"symbol": "ETHUSD", "price": D("186.75"), "venue_cl_ord_id": "c2", "order_id": "2"}


def learn(desk: Desk, *instruments: Instrument) -> list[Any]:
    return list(desk.protocol.learn(instruments, desk.now))


def said(outs: list[Any]) -> list[tuple[str, list[Any]]]:
    frames = [json.loads(each.text) for each in outs if isinstance(each, Frame)]
    return [(each["method"], each["params"]) for each in frames]


ETH_STREAMS = [("orderbook.subscribe", ["ETHUSD"]), ("trade.subscribe", ["ETHUSD"])]


def test_an_order_of_a_new_symbol() -> None:
    """Refused before, said exactly after; what is not to be placed does not become so by its name."""
    desk = Desk()
    (before,) = desk.send(place(**ETH_ORDER))
    assert isinstance(before, NotSent) and "not configured" in before.text
    learn(desk, BTC, ETH)
    (request,) = desk.send(place(**ETH_ORDER))
    assert isinstance(request, Request)
    fields = json.loads(request.body)
    assert (fields["symbol"], fields["priceEp"], fields["orderQty"]) == ("ETHUSD", 1_867_500, 7)
    assert desk.answer(request, body=yes("c2")) == [Accepted(account="acc", exec_id="new-v1", venue_cl_ord_id="c2", venue_order_id="v1")]
    told = row(symbol="ETHUSD", clOrdID="c2", priceEp=1_867_500, execSeq=11, ordStatus="Canceled", execStatus="Canceled")
    (end,) = desk.told(told, currency="USD")
    assert (end.symbol, end.venue_cl_ord_id, end.cum_qty) == ("ETHUSD", "c2", 0)


def test_on_an_open_stream_only_what_is_new_is_subscribed() -> None:
    """Once; and its prices are known as soon as they are told."""
    desk = Desk()
    assert said(learn(desk, BTC, ETH)) == ETH_STREAMS
    assert learn(desk, BTC, ETH) == []
    assert desk.protocol.top("ETHUSD").bid is None
    desk.say(sample("orderbook_snapshot") | {"symbol": "ETHUSD"})
    top = desk.protocol.top("ETHUSD")
    assert (top.bid, top.ask) == (D("9806.5"), D(11271)) and desk.protocol.top("BTCUSD").bid is None
    assert [each for each in said(desk.later(7)) if each[0] == "orderbook.subscribe"] == [("orderbook.subscribe", ["BTCUSD"])]


@pytest.mark.parametrize("when", ["closed", "logging in", "leaving"])
def test_on_a_stream_that_is_not_open_nothing_is_said_until_it_is(when: str) -> None:
    """The next login subscribes to all of it."""
    desk = Desk(up=when == "leaving")
    if when == "logging in":
        (auth,) = desk.protocol.opened(desk.now)
    if when == "leaving":
        desk.later(9)
        desk.later(31)
    assert learn(desk, BTC, ETH) == []
    if when == "logging in":
        assert isinstance(auth, Frame)
        frames = desk.say({"error": None, "id": json.loads(auth.text)["id"], "result": {"status": "success"}})
    else:
        desk.protocol.closed("gone", desk.now)
        frames = desk.log_in()
    btc = [("orderbook.subscribe", ["BTCUSD"]), ("trade.subscribe", ["BTCUSD"])]
    assert said(frames) == [("aop.subscribe", []), *btc, *ETH_STREAMS]


def test_what_is_no_more_stays_known() -> None:
    """An order that waited for its place goes out; what is open is told of; its book goes on, also on the next connection."""
    desk = Desk(up=False, instruments=(BTC, ETH))
    desk.log_in()
    desk.snapshot(currency="USD")
    assert desk.snapshot() == [LinkUp("acc")]
    assert desk.answer(desk.placed(), body=yes()) == [ACCEPTED]
    desk.say(text("orderbook_snapshot"))
    assert learn(desk, ETH) == learn(desk, BTC, ETH) == learn(desk, ETH) == []
    assert desk.protocol.top("BTCUSD").ask == D(11271)
    assert desk.placed(order_id="9", venue_cl_ord_id="c9").path == "/orders"
    (end,) = desk.told(row(ordStatus="Canceled", execStatus="Canceled", execSeq=11))
    assert end.venue_cl_ord_id == "c1"
    desk.protocol.closed("gone", desk.now)
    assert ("orderbook.subscribe", ["BTCUSD"]) in said(desk.log_in())


def test_changed_rules_are_used() -> None:
    """A finer tick from the next order on; a coarser lot too."""
    desk = Desk()
    (before,) = desk.send(place(price=D("65000.1")))
    assert isinstance(before, NotSent) and "off the tick" in before.text
    assert learn(desk, msgspec.structs.replace(BTC, tick=D("0.1"), lot=D(5))) == []
    (lot,) = desk.send(place(price=D("65000.1")))
    assert isinstance(lot, NotSent) and "off the lot" in lot.text
    (request,) = desk.send(place(price=D("65000.1"), order_qty=D(10)))
    assert isinstance(request, Request) and json.loads(request.body)["priceEp"] == 650_001_000


def test_a_contract_whose_size_is_not_known_is_said_and_not_guessed() -> None:
    """Its orders stay unsent; the others that come with it are taken."""
    desk = Desk()
    note, *frames = learn(desk, BTC, XRP, ETH)
    assert isinstance(note, Note) and note.level == "error" and "XRPUSD has no known contract size" in note.text
    assert said(frames) == ETH_STREAMS
    (refused,) = desk.send(place(symbol="XRPUSD", price=D("0.5")))
    assert isinstance(refused, NotSent)
    with pytest.raises(ValueError, match="XRPUSD has no known contract size"):
        PhemexProtocol("acc", "key", "secret", (XRP,))


def eth_ask(placed: int) -> Any:
    return msgspec.structs.replace(ask("c2", order_id="2", placed=placed), symbol="ETHUSD")


ROUND = ["aop.unsubscribe", "aop.subscribe"]


def rounds(outs: list[Any]) -> list[str]:
    return [each for each in methods(outs) if each.startswith("aop.")]


def test_another_trading_account_is_asked_for_and_from_then_on_waited_for() -> None:
    """By one fresh snapshot; a question is then answered when both accounts have told."""
    desk = Desk()
    learn(desk, BTC, ETH)
    assert rounds(desk.later(2)) == ROUND
    learn(desk, BTC, ETH)
    desk.snapshot(currency="USD")
    desk.snapshot()
    assert rounds(desk.later(5)) == []
    placed = desk.now
    desk.now += 10 * S
    assert rounds(desk.send(ask(placed=placed))) == ROUND
    assert desk.snapshot() == []
    assert desk.snapshot(currency="USD") == [found_with_age(order_id="1")]


def test_a_snapshot_that_is_under_way_is_not_overtaken() -> None:
    """Its rows are older than a new request: the next one leaves when it is complete. The link is up as before."""
    desk = Desk(up=False)
    desk.log_in()
    learn(desk, BTC, ETH)
    assert rounds(desk.later(2)) == []
    link_up, *frames = desk.snapshot()
    assert link_up == LinkUp("acc") and rounds(frames) == ROUND


def test_a_trading_account_that_the_user_has_not_does_not_hold_up_the_link() -> None:
    """No snapshot of it ever comes: the stream stays, orders of the others are answered for, and what they hold is told."""
    desk = Teller()
    learn(desk, BTC, ETH)
    desk.later(2)
    desk.first(account())
    assert desk.held.balances == (Balance("BTC", D(1), D(1)),)
    assert {type(each) for each in desk.later(29)} == {Frame}
    placed = desk.now
    desk.now += 10 * S
    assert rounds(desk.send(ask(placed=placed))) == ROUND
    assert desk.first(account()) == [found_with_age(order_id="1")]


def test_not_there_is_said_of_a_new_symbols_order_only_by_its_own_account() -> None:
    """The snapshot of another one shows none of its orders, and says nothing of them."""
    desk = Desk()
    learn(desk, BTC, ETH)
    desk.later(2)
    desk.snapshot()
    (note,) = desk.send(eth_ask(desk.now - S // 2))
    assert isinstance(note, Note) and "does not reach back" in note.text
    desk.snapshot(currency="USD")
    placed = desk.now
    desk.now += 10 * S
    assert rounds(desk.send(eth_ask(placed))) == ROUND
    assert desk.snapshot() == []
    assert desk.snapshot(currency="USD") == [found_with_age(order_id="2")]


def test_what_the_new_account_holds_is_told_beside_what_was() -> None:
    """Nothing is unknown meanwhile; after a lost stream both are waited for."""
    desk = Teller()
    desk.first(account())
    before = desk.held
    learn(desk, BTC, ETH)
    desk.holds(account(5, currency="USD"))
    assert desk.held is before
    desk.first(account(currency="USD"))
    both = (Balance("BTC", D(1), D(1)), Balance("USD", D(10_000), D(10_000)))
    assert desk.held.balances == both
    desk.protocol.closed("gone", desk.now)
    desk.log_in()
    desk.first(account())
    assert desk.protocol.held() is None
    desk.first(account(currency="USD"))
    assert desk.held.balances == both


def test_an_operator_may_ask_about_it() -> None:
    """Its account, its book, its trades; before, they are none of ours."""
    desk = Desk()

    def asked(topic: str, **arguments: str) -> list[Any]:
        return list(desk.protocol.inquire(1, topic, arguments, desk.now))

    for topic, arguments in (("balances", {"currency": "USD"}), ("trades", {"symbol": "ETHUSD"})):
        (told,) = asked(topic, **arguments)
        assert isinstance(told, Told) and "is none of" in told.error
    learn(desk, BTC, ETH)
    assert asked("trades", symbol="ETHUSD") == [Told(1)]
    assert [each.query for each in asked("balances")] == ["currency=BTC", "currency=USD"]


def test_open_orders_are_not_disturbed() -> None:
    """One is filled while the symbols come, as if nothing had been."""
    desk = Desk()
    assert desk.answer(desk.placed(), body=yes()) == [ACCEPTED]
    learn(desk, BTC, ETH)
    (filled,) = desk.told(fill(7, 7, 10769))
    assert (filled.venue_cl_ord_id, filled.complete) == ("c1", True)
    desk.later(2)
    assert desk.snapshot(fill(7, 7, 10769)) == []


def test_positions_are_on_margin() -> None:
    """Nobody need have the whole of what an order pays."""
    assert CAPABILITIES.margin


class Small(Rig):
    """Without ETHUSD, until it is learned of."""

    instruments: tuple[Instrument, ...] = (BTC,)

    def learn(self) -> None:
        """A reload: first the bridge, then the core."""
        self.instruments = (BTC, ETH)
        (destination,) = self.config.destinations
        destination = msgspec.structs.replace(destination, instruments=self.instruments)
        self.config = msgspec.structs.replace(self.config, destinations=(destination,))
        self.do(self.protocol.learn(self.instruments, self.now))
        self.apply(self.config)


def test_a_new_symbol_at_the_simulated_venue() -> None:
    """Ordered, filled, priced, held, recovered when its answer is lost and when the stream is; the old symbol's order lives through it."""
    rig = Small()
    old = rig.new()
    refused = rig.new(symbol="ETH/USD", price="3400")
    assert rig.order(refused).base is OrdStatus.REJECTED
    rig.learn()
    rests = rig.new(symbol="ETH/USD", price="3400")
    bought = rig.new(symbol="ETH/USD", price="3501")
    assert [rig.order(each).base for each in (old, rests, bought)] == [OrdStatus.NEW, OrdStatus.NEW, OrdStatus.FILLED]
    assert (rig.protocol.top("ETHUSD").ask, rig.protocol.top("ETHUSD").last) == (D(3501), D(3501))
    rig.pass_time(2)
    assert {each.currency for each in _agrees(rig).balances} == {"BTC", "USD"}
    for kind in ("drop_reply", "drop_request"):
        rig.venue.faults.post(Fault(kind, match="new"))
        if kind == "drop_reply":
            rig.venue.faults.post(Fault(kind, match="stream"))
        rig.new(symbol="ETH/USD", price="3300")
        rig.pass_time(20)
    rig.disconnect()
    rig.new(Side.SELL, "3600", symbol="ETH/USD")
    rig.connect()
    rig.pass_time(10)
    rig.agree()
    assert not rig.notes
    assert all("acc is down" in each.text for each in rig.alerts)
