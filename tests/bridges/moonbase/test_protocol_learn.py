"""Moonbase's protocol when symbols are added while it runs: channels are joined as needed, within the hour's twenty."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from bridges.moonbase.joins import PER_HOUR
from bridges.moonbase.protocol import EAGER, MoonbaseProtocol
from bridges.wire import Note
from router.model import Accepted, Ask, Canceled, Found, LinkDown, LinkUp, NotSent, Stated, Unanswered
from router.rules import Instrument
from router.words import OrdType, Side
from tests.bridges.moonbase.desk import CANCELLED, ETC, MS, NOW, ORDERS, SYMBOL, TRADES, Desk, S, cancel, place, row

ICO, XMR = "ICO_D:BTC_D", "XMR_D:BTC_D"
ICO_ORDERS, XMR_ORDERS = f"/orders/{ICO}", f"/orders/{XMR}"


def pair(symbol: str, tick: str = "0.00001") -> Instrument:
    """An instrument of that symbol."""
    base = symbol.partition("_")[0]
    return Instrument(symbol=f"{base}/BTC", venue_symbol=symbol, base=base, quote="BTC", tick=D(tick), lot=D("0.01"))


def learn(desk: Desk, *instruments: Instrument) -> list[Any]:
    """The protocol is told of all that is traded."""
    return desk.do(desk.protocol.learn(instruments, desk.now))


def joins(desk: Desk) -> list[str]:
    """The topics that were joined."""
    return [each["topic"] for each in desk.sent if each["event"] == "phx_join"]


def two() -> Desk:
    """As many symbols as are joined at a connection, and the link up."""
    desk = Desk(trades=True)
    learn(desk, ETC, pair(ICO))
    desk.reply([], desk.last(ICO_ORDERS))
    assert EAGER == 2
    return desk


def test_an_order_of_a_new_symbol_leaves_once_it_is_learned() -> None:
    """Before: not sent. After: its channel is joined for it, it is placed there, followed to its end."""
    desk = two()
    (refused,) = desk.send(place(symbol=XMR))
    assert isinstance(refused, NotSent)
    assert "not configured" in refused.text
    assert learn(desk, ETC, pair(ICO), pair(XMR)) == []
    assert desk.send(place(symbol=XMR)) == []
    assert desk.reply([], desk.last(XMR_ORDERS)) == []
    (accepted, *_) = desk.reply(row(symbol=XMR), desk.last(XMR_ORDERS, "place"))
    assert isinstance(accepted, Accepted)
    over = desk.say(XMR_ORDERS, "upsert", {"data": [row(symbol=XMR) | CANCELLED]})
    assert any(isinstance(each, Canceled) for each in [*over, *desk.wait(5 * S)])


def test_an_unanswered_order_of_a_new_symbol_is_found() -> None:
    """Its channel is joined anew, and the snapshot tells."""
    desk = two()
    learn(desk, ETC, pair(ICO), pair(XMR))
    desk.send(place(symbol=XMR))
    desk.reply([], desk.last(XMR_ORDERS))
    assert any(isinstance(each, Unanswered) for each in desk.wait(6 * S))
    desk.send(Ask("1", "c1", None, "", XMR, Side.BUY, OrdType.LIMIT, D(1), None, D(1), NOW))
    (found,) = [each for each in desk.reply([row(symbol=XMR)], desk.last(XMR_ORDERS)) if isinstance(each, Found)]
    assert found.candidates == ("10",)


def test_while_there_are_few_a_new_symbol_is_joined_at_once_and_at_each_connection() -> None:
    """As after a restart. The link does not go down for it; it is joined once."""
    desk = Desk(trades=True)
    assert learn(desk, ETC, pair(ICO)) == []
    assert joins(desk) == [ORDERS, TRADES, ICO_ORDERS]
    assert desk.reply([], desk.last(ICO_ORDERS)) == []
    desk.send(place(symbol=ICO))
    assert desk.last(ICO_ORDERS, "place")["payload"]["limit_price"] == 1
    desk.lose()
    desk.connect()
    assert desk.joins(ICO_ORDERS) == 2
    assert LinkUp("acc") not in desk.join()
    assert LinkUp("acc") in desk.reply([], desk.last(ICO_ORDERS))
    assert desk.joins(f"/trades/{ICO}") == 1


def test_where_there_are_more_it_costs_no_join_until_an_order_needs_it() -> None:
    """Neither now nor at the next connection."""
    desk = two()
    before = joins(desk)
    assert learn(desk, ETC, pair(ICO), pair(XMR)) == []
    assert desk.wait(S) == []
    assert joins(desk) == before
    desk.lose()
    desk.connect()
    desk.join()
    desk.reply([], desk.last(ICO_ORDERS))
    desk.wait(S)
    assert desk.joins(XMR_ORDERS) == 0


def test_on_a_closed_stream_it_is_joined_when_it_opens() -> None:
    """Nothing before."""
    desk = Desk(trades=True)
    desk.lose()
    before = joins(desk)
    assert learn(desk, ETC, pair(ICO)) == []
    assert desk.wait(S) == []
    assert joins(desk) == before
    desk.connect()
    assert desk.joins(ICO_ORDERS) == 1


def test_learning_twice_changes_nothing() -> None:
    """Neither a join nor a word; what is left out stays known, and changed rules are the core's business."""
    desk = two()
    before = list(desk.sent)
    for instruments in ((ETC, pair(ICO)), (pair(ICO), pair(ICO), ETC), (ETC,), (pair(SYMBOL, "0.1"), pair(ICO))):
        assert learn(desk, *instruments) == []
    assert desk.wait(S) == []
    assert desk.sent == before
    desk.send(place(symbol=ICO))
    assert desk.last(ICO_ORDERS, "place")


def test_open_orders_are_not_disturbed() -> None:
    """An order under way is answered, followed and canceled as ever, also where its symbol is not in the list any more."""
    desk = Desk(trades=True)
    desk.live()
    desk.send(place(order_id="2", venue_cl_ord_id="c2"))
    under_way = desk.last(ORDERS, "place")
    learn(desk, pair(ICO))
    (accepted, *_) = desk.reply(row(id=11), under_way)
    assert isinstance(accepted, Accepted)
    desk.send(cancel())
    outs = [*desk.reply(row(**CANCELLED), desk.last(ORDERS, "cancel")), *desk.wait(5 * S)]
    assert any(isinstance(each, Canceled) for each in outs)


def test_a_new_symbol_that_the_venue_refuses_keeps_nobody_waiting() -> None:
    """A note; the link stays up, the others trade."""
    desk = Desk(trades=True)
    learn(desk, ETC, pair(ICO))
    outs = desk.refuse("unknown_symbol", desk.last(ICO_ORDERS))
    assert any(isinstance(each, Note) for each in outs)
    assert not any(isinstance(each, LinkDown) for each in [*outs, *desk.wait(S)])
    assert isinstance(desk.send(place(symbol=ICO))[0], NotSent)
    desk.live()


def test_a_hundred_new_symbols_never_exceed_the_hours_joins() -> None:
    """What finds no join is not sent, and says until when."""
    desk = Desk(trades=True)
    symbols = [f"A{n}_D:BTC_D" for n in range(100)]
    learn(desk, ETC, *map(pair, symbols))
    refused = []
    for number, symbol in enumerate(symbols):
        refused += [each for each in desk.send(place(symbol=symbol, order_id=str(number))) if isinstance(each, NotSent)]
        desk.now += MS
    assert len(joins(desk)) <= PER_HOUR
    assert "can be joined only at" in refused[-1].text


def test_a_symbol_with_orders_of_an_earlier_life_can_be_learned() -> None:
    """The router asked about an order there before it was configured (again): its channel is kept as it is."""
    desk = two()
    desk.send(Ask("1", "c1", "10", "", XMR, Side.BUY, OrdType.LIMIT, D(1), None, D(1), NOW - S))
    (stated,) = [each for each in desk.reply([row(symbol=XMR)], desk.last(XMR_ORDERS)) if isinstance(each, Stated)]
    assert stated.venue_order_id == "10"
    learn(desk, ETC, pair(ICO), pair(XMR))
    assert desk.joins(XMR_ORDERS) == 1
    desk.send(place(symbol=XMR, order_id="2", venue_cl_ord_id="c2"))
    assert desk.last(XMR_ORDERS, "place")


def test_margin_may_be_assigned_to_a_new_symbol() -> None:
    """Only once it is learned."""
    desk = two()
    wanted = {"symbol": XMR, "margin": "1"}
    (told,) = desk.protocol.change(1, "assign-margin", wanted, NOW)
    assert "not configured" in told.error  # type: ignore[union-attr]
    learn(desk, ETC, pair(ICO), pair(XMR))
    desk.do(desk.protocol.change(2, "assign-margin", wanted, NOW))
    assert "/positions" in joins(desk)


def test_without_a_symbol_at_the_start_the_first_one_brings_the_link_up() -> None:
    """An account that is configured before its symbols."""
    desk = Desk(up=False)
    desk.protocol = MoonbaseProtocol("acc", "the key", "a secret of this test", [])
    desk.connect()
    desk.wait(S)
    assert joins(desk) == []
    learn(desk, ETC)
    assert LinkUp("acc") in desk.join()
