"""Symbols that come by a reload: ordered, followed and priced from then on, and what was there is left alone."""

from __future__ import annotations

import json
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest

from bridges.primebit.holdings import REFRESH, Account
from bridges.primebit.protocol import CAPABILITIES
from bridges.wire import Frame, Note, Request
from router.model import Accepted, Ask, Balance, Canceled, Filled, NotSent, Position
from router.rules import Instrument
from tests.bridges.evidence import found as found_with_age

from .desk import BTC, C1, C2, Desk, S, ask, order, place, position, replace
from .test_protocol_holdings import Rig, money, up

ETH = Instrument(symbol="ETH/USD", venue_symbol="ETHUSD", base="ETH", quote="USD", tick=D("0.05"), lot=D("0.1"))
EUR = Instrument(symbol="BTC/EUR", venue_symbol="BTCEUR", base="BTC", quote="EUR", tick=D("0.5"), lot=D("0.1"))
ETH_STREAMS = [("subscribe", "tick_ETHUSD_market_demo"), ("subscribe", "order_book_ETHUSD_demo")]


def learn(desk: Desk, *instruments: Instrument) -> list[Any]:
    return list(desk.protocol.learn(instruments, desk.now))


def channels(outs: list[Any]) -> list[tuple[str, str]]:
    said = [json.loads(each.text) for each in outs if isinstance(each, Frame)]
    return [(each["method"], each["params"][0]) for each in said if "params" in each]


def eth_place(**more: Any) -> Any:
    return place(**{"symbol": "ETHUSD", "price": D("3400.05"), "venue_cl_ord_id": C2, "order_id": "2"} | more)


def eth_ask(placed: int) -> Ask:
    return msgspec.structs.replace(ask(C2, placed=placed), symbol="ETHUSD", order_id="2", price=D("3400.05"))


def test_an_order_of_a_new_symbol() -> None:
    """Refused before; after, said exactly and followed to its end, its fill priced on the tick that was learned."""
    desk = Desk()
    (before,) = desk.send(eth_place())
    assert isinstance(before, NotSent) and "not configured" in before.text
    learn(desk, BTC, ETH)
    (request,) = desk.send(eth_place())
    assert isinstance(request, Request)
    fields = json.loads(request.body)
    assert (fields["symbol"], fields["limit_price"], fields["volume"]) == ("ETHUSD", "3400.05", "5")
    row: dict[str, Any] = {"order_id": 78, "comment": C2, "symbol": "ETHUSD", "limit_price": "3400.05"}
    (accepted,) = desk.answer(request, order(**row))
    assert isinstance(accepted, Accepted) and accepted.venue_order_id == "78"
    desk.event("new", **row)
    desk.moved("new", position("2", "3400.0004", ident=5) | {"symbol": "ETHUSD"})
    (filled,) = desk.event("partial_fill", "3", **row)
    assert isinstance(filled, Filled)
    assert (filled.symbol, filled.last_px, filled.text) == ("ETHUSD", D(3400), "price derived from the position")
    (end,) = desk.event("cancel", "3", **row)
    assert isinstance(end, Canceled) and end.cum_qty == 2


def test_on_an_open_stream_only_what_is_new_is_subscribed() -> None:
    """Once; and its prices are known as soon as they are told."""
    desk = Desk()
    frames = learn(desk, BTC, ETH)
    assert channels(frames) == ETH_STREAMS
    assert learn(desk, BTC, ETH) == []
    assert desk.confirm(frames) == []
    book = {"bids": [{"price": "3499", "size": "3"}], "asks": [{"price": "3501", "size": "4"}]}
    desk.say({"channel": "order_book_ETHUSD_demo", "data": book, "message_timestamp_ms": 1})
    tick = {"ask": None, "bid": None, "last": "3500", "timestamp_ms": 1, "volume": "1"}
    desk.say({"channel": "tick_ETHUSD_market_demo", "data": tick, "message_timestamp_ms": 1})
    top = desk.protocol.top("ETHUSD")
    assert (top.bid, top.ask, top.last) == (D(3499), D(3501), D(3500)) and desk.protocol.top("BTCUSD").last is None


def test_on_a_stream_that_is_not_open_nothing_is_said_until_it_is() -> None:
    """The next opening subscribes to all of it."""
    desk = Desk()
    desk.protocol.closed("gone", desk.now)
    assert learn(desk, BTC, ETH) == []
    told = channels(list(desk.protocol.opened(desk.now)))
    assert set(ETH_STREAMS) < set(told) and ("subscribe", "order_book_BTCUSD_demo") in told and len(told) == 7


def test_nothing_is_said_on_a_stream_that_is_being_left() -> None:
    """Its successor is told."""
    desk = Desk()
    desk.now += 6 * S
    desk.protocol.tick(desk.now)
    desk.now += 16 * S
    desk.protocol.tick(desk.now)
    assert learn(desk, BTC, ETH) == []
    assert set(ETH_STREAMS) < set(channels(list(desk.protocol.opened(desk.now))))


def test_what_is_no_more_stays_known() -> None:
    """Its order can be modified and is followed, its book goes on, also on the next connection; when it comes back nothing is new."""
    desk = Desk()
    desk.placed()
    assert channels(learn(desk, ETH)) == ETH_STREAMS
    desk.traded("65001", "1")
    assert learn(desk, BTC, ETH) == learn(desk, ETH) == []
    assert desk.protocol.top("BTCUSD").last == D(65001)
    (modify,) = desk.send(replace(qty=8))
    assert isinstance(modify, Request)
    (end,) = desk.event("cancel")
    assert isinstance(end, Canceled) and end.venue_cl_ord_id == C1
    desk.protocol.closed("gone", desk.now)
    assert ("subscribe", "order_book_BTCUSD_demo") in channels(list(desk.protocol.opened(desk.now)))


def test_changed_rules_are_used() -> None:
    """For orders, for modifies of those that are open, and for the prices of fills."""
    desk = Desk()
    desk.placed()
    (before,) = desk.send(place(order_id="2", venue_cl_ord_id=C2, price=D("65000.1")))
    assert isinstance(before, NotSent) and "not a multiple of 0.5" in before.text
    assert learn(desk, msgspec.structs.replace(BTC, tick=D("0.1"), lot=D(4))) == []
    (lot,) = desk.send(place(order_id="2", venue_cl_ord_id=C2, price=D("65000.1")))
    assert isinstance(lot, NotSent) and "not a multiple of 4" in lot.text
    (request,) = desk.send(place(order_id="2", venue_cl_ord_id=C2, price=D("65000.1"), order_qty=D(8)))
    assert isinstance(request, Request)
    desk.moved("new", position("2", "64999.3"))
    (filled,) = desk.event("partial_fill", "3")
    assert isinstance(filled, Filled) and filled.last_px == D("64999.3")
    (modify,) = desk.send(msgspec.structs.replace(replace(qty=8), price=D("64999.9")))
    assert isinstance(modify, Request)


def test_an_unanswered_order_of_a_new_symbol_is_known_to_be_not_there() -> None:
    """Learned of while all orders and positions were told, it is as well watched as the others."""
    desk = Desk()
    desk.now += S
    learn(desk, BTC, ETH)
    desk.now += S
    desk.send(eth_place())
    (request,) = desk.send(eth_ask(desk.now))
    assert desk.answer(request, []) == [found_with_age(order_id="2")]


@pytest.mark.parametrize(("positions", "there"), [((), True), ((position("5", "3400") | {"symbol": "ETHUSD"},), False)])
def test_learned_of_while_the_stream_was_away(positions: Any, there: bool) -> None:
    """The positions say after it whether anything was missed: where they moved, "not there" is not said of an order of before."""
    desk = Desk()
    desk.protocol.closed("gone", desk.now)
    learn(desk, BTC, ETH)
    placed = desk.now + 1
    desk.now += S
    desk.connect(positions=positions)
    (request,) = desk.send(eth_ask(placed))
    assert bool(desk.answer(request, [])) is there
    (request,) = desk.send(eth_ask(desk.now))
    assert desk.answer(request, []) == [found_with_age(order_id="2")]


def test_learned_of_before_anything_was_told() -> None:
    """What the positions were is not known: "not there" is said only of orders since they were told."""
    desk = Desk(up=False)
    learn(desk, BTC, ETH)
    early = desk.now
    desk.now += S
    desk.connect()
    (request,) = desk.send(eth_ask(early))
    assert desk.answer(request, []) == []
    (request,) = desk.send(eth_ask(desk.now))
    assert desk.answer(request, []) == [found_with_age(order_id="2")]


def test_open_orders_and_their_fills_are_not_disturbed() -> None:
    """A fill that waits for its price while the symbols come gets it, and the question about its order is still answered."""
    desk = Desk()
    desk.placed()
    assert desk.event("partial_fill", "3") == []
    learn(desk, BTC, ETH)
    (filled,) = desk.moved("new", position("2", "64990"))
    assert isinstance(filled, Filled) and (filled.venue_cl_ord_id, filled.last_px) == (C1, D(64990))


def test_a_currency_that_is_known_stays() -> None:
    """Another quote does not make the account's money another's, nor nothing: it is noted, once."""
    desk = up()
    before = desk.held
    learn(desk)
    assert desk.later(1) == []
    learn(desk, BTC, EUR)
    (note,) = desk.later(1)
    assert isinstance(note, Note) and "USD" in note.text
    learn(desk, BTC, EUR)
    assert desk.later(1) == [] and desk.held is before
    desk.protocol.closed("gone", desk.now)
    desk.money = money("5.0", "4.0")
    desk.connect()
    assert desk.held.balances == (Balance("USD", D(5), D(4)),)


def test_a_currency_that_becomes_known_is_asked_for() -> None:
    """There were two: the balance is not kept. There is one: it is subscribed to again, and kept."""
    book = Account(["USD", "EUR"])
    book.asked(S)
    book.money(money())
    book.learn(["USD", "EUR"])
    assert not book.due(S + REFRESH - 1)
    book.learn(["usd"])
    assert book.due(REFRESH)
    book.asked(2 * S)
    assert book.money(money()) == []
    held = book.held(1, [])
    assert held is not None and held.balances == (Balance("USD", D(1000), D(900)),)
    refused = Account([])
    refused.learn(["USD"])
    assert not refused.due(REFRESH)


def test_orders_are_on_margin() -> None:
    """Nobody need have the whole of what an order pays."""
    assert CAPABILITIES.margin


def test_a_new_symbol_at_the_simulated_venue() -> None:
    """Ordered, filled, priced and held, before and after the stream is lost."""
    rig = Rig()
    rig.send(eth_place(price=D(3501)))
    assert not list(rig.venue.exchange.orders())
    rig.do(rig.protocol.learn((BTC, ETH), rig.venue.now))
    rig.send(eth_place(price=D(3501)))
    rig.send(eth_place(price=D(3400), venue_cl_ord_id=C1, order_id="1"))
    for _ in range(2):
        top = rig.protocol.top("ETHUSD")
        assert (top.bid, top.ask, top.ask_qty) == (D(3499), D(3501), D("5.5"))
        held = rig.protocol.held()
        assert held is not None and held.positions == (Position("ETHUSD", D(5), D(3501)),)
        rig.disconnect()
        rig.connect()
    assert rig.protocol.top("ETHUSD").last == D(3501)


def test_a_position_of_a_new_symbol_was_told_before_it_was_one() -> None:
    """What is held is the account's, whatever is traded: learning leaves it alone."""
    desk = up(position("3", "3400") | {"symbol": "ETHUSD"})
    before = desk.held
    learn(desk, BTC, ETH)
    assert desk.held is before and before.positions == (Position("ETHUSD", D(3), D(3400)),)
