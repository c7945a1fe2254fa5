"""Moonbase's protocol: twenty joins an hour, and what an operator may ask for."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.moonbase.joins import PER_HOUR, SPAN, Joins, Purpose
from bridges.moonbase.protocol import MoonbaseProtocol
from bridges.wire import Note, Told
from router.model import LinkDown, LinkUp, NotSent, Unanswered
from router.rules import Instrument
from tests.bridges.moonbase.desk import CANCELLED, MS, NOW, ORDERS, SYMBOL, TRADES, Desk, S, ask, place, row

MINUTE = 60 * S


def flap(desk: Desk, alive: int) -> bool:
    """A connection that lives for so long; whether the link came up in it."""
    joins = desk.joins()
    desk.connect()
    desk.wait(alive)
    up = desk.joins() > joins and LinkUp("acc") in desk.join()
    desk.lose()
    desk.now += 100 * MS
    return up


def all_joins(desk: Desk) -> int:
    """Joins of whatever topic."""
    return sum(each["event"] == "phx_join" for each in desk.sent)


def test_ten_quick_flaps_leave_joins_to_spare() -> None:
    """Some connections die before they have cost anything; what is kept for resolving is untouched."""
    desk = Desk(up=False)
    for _ in range(10):
        flap(desk, 500 * MS)
    assert all_joins(desk) <= 12
    desk.connect()
    assert LinkUp("acc") in desk.come_up(MINUTE)
    desk.send(place())
    desk.wait(5 * S)
    before = desk.joins()
    desk.send(ask(placed=desk.now - 5 * S))
    assert desk.joins() == before + 1


def test_endless_flapping_never_exceeds_the_hours_joins_and_recovers() -> None:
    """Whatever the connections do; one that stays is up within twenty minutes, without a restart."""
    desk = Desk(up=False)
    times: list[int] = []
    while desk.now < NOW + 2 * 3600 * S:
        before = all_joins(desk)
        flap(desk, 20 * S)
        times += [desk.now] * (all_joins(desk) - before)
        desk.now += 10 * S
    assert all(sum(other - 3600 * S < time <= other for time in times) <= PER_HOUR for other in times)
    assert len(times) > PER_HOUR
    desk.connect()
    assert LinkUp("acc") in desk.come_up(20 * MINUTE)


def test_trades_are_done_without_when_joins_are_few() -> None:
    """They have no share of their own; orders do."""
    desk = Desk(up=False)
    for _ in range(8):
        desk.now += 5 * MINUTE
        desk.connect()
        assert LinkUp("acc") in desk.join()
        desk.lose()
    assert desk.joins(ORDERS) == 8
    assert desk.joins(TRADES) == 4


def test_without_joins_the_link_is_down_and_says_until_when() -> None:
    """The venue closes the channel again and again: in the end the link is down, no order leaves, and it comes back by itself."""
    desk = Desk(trades=True)
    outs: list[Any] = []
    while not any(isinstance(each, LinkDown) for each in outs):
        outs = desk.say(ORDERS, "phx_close", {}, None, desk.last()["ref"])
        desk.now += MS
        if not any(isinstance(each, LinkDown) for each in outs):
            desk.join()
    (down,) = [each for each in outs if isinstance(each, LinkDown)]
    assert "it can be at 20:37:4" in down.text
    assert isinstance(desk.send(place())[0], NotSent)
    desk.wait(5 * S)
    assert LinkUp("acc") in desk.join()


def test_joins_are_remembered_across_restarts() -> None:
    """The venue counts by key, not by process."""
    desk = Desk(trades=True)
    for _ in range(12):
        desk.now += 4 * MINUTE
        flap(desk, MS)
    again = Desk(up=False)
    again.now = desk.now
    again.protocol.recall({"joins": desk.remembered, "other": "x"}, again.now)
    assert again.protocol._wire.joins.used(again.now) == desk.protocol._wire.joins.used(desk.now) > 10


@pytest.mark.parametrize("value", ["nonsense", "c,c,c", "x1,c9999999999999999999", ",,", "c-1", "é" * 50])
def test_a_memory_that_cannot_be_read_counts_as_joined_now(value: str) -> None:
    """The cautious reading; nothing raises."""
    joins = Joins()
    joins.recall(value, NOW)
    assert joins.used(NOW) == sum(each not in ("", "c-1") for each in value.split(","))
    assert joins.free_at(Purpose.CONNECT, NOW + SPAN + S) == NOW + SPAN + S


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Purpose)), st.integers(0, 600)), max_size=120))
def test_no_hour_has_more_than_twenty_and_each_share_is_kept(asked: list[tuple[Purpose, int]]) -> None:
    """Whatever is asked for, when: the window holds, and the free times that were told are true."""
    joins, now, taken = Joins(), NOW, list[int]()
    for purpose, seconds in asked:
        now += seconds * S
        free = joins.free_at(purpose, now)
        assert free >= now
        assert joins.free_at(purpose, free) == free
        if free == now:
            joins.take(purpose, now)
            taken.append(now)
    assert all(sum(other - SPAN < time <= other for time in taken) <= PER_HOUR for other in taken)
    others = [purpose for purpose, _ in asked]
    if Purpose.RESOLVE not in others:
        assert joins.free_at(Purpose.RESOLVE, now) == now


def test_a_refused_join_waits_as_long_as_the_venue_says() -> None:
    """rate_limit_exceeded of a join: somebody else uses the key. The link stays down until then, and comes by itself."""
    desk = Desk(up=False)
    desk.connect()
    assert Note in [type(each) for each in desk.refuse("rate_limit_exceeded", retry_after=30)]
    desk.wait(29 * S)
    assert desk.joins() == 1
    desk.wait(3 * S)
    assert desk.join() == [LinkUp("acc")]


def test_one_symbol_that_the_venue_refuses_does_not_keep_the_others_out() -> None:
    """Orders in it are not sent; it is tried again ten minutes later, and no sooner."""
    two = [Instrument(symbol=f"S{n}", venue_symbol=f"S{n}:BTC", base="S", quote="BTC", tick=D(1), lot=D(1)) for n in (1, 2)]
    desk = Desk(up=False)
    desk.protocol = MoonbaseProtocol("acc", "k", "s", two)
    desk.connect()
    desk.reply([], desk.last("/orders/S1:BTC"))
    assert LinkUp("acc") in desk.refuse("no_such_symbol", desk.last("/orders/S2:BTC"))
    assert "no_such_symbol" in desk.send(place(symbol="S2:BTC"))[0].text  # type: ignore[union-attr]
    assert desk.send(place(symbol="S1:BTC")) == []
    desk.wait(9 * MINUTE)
    assert desk.joins("/orders/S2:BTC") == 1
    desk.wait(2 * MINUTE)
    assert desk.joins("/orders/S2:BTC") == 2


def test_many_symbols_are_joined_when_they_are_needed() -> None:
    """Two at each connection, another for its first order."""
    many = [Instrument(symbol=f"S{n}", venue_symbol=f"S{n}:BTC", base="S", quote="BTC", tick=D(1), lot=D(1)) for n in range(30)]
    desk = Desk(up=False)
    desk.protocol = MoonbaseProtocol("acc", "k", "s", many)
    desk.connect()
    assert all_joins(desk) == 2
    desk.reply([], desk.sent[0])
    assert LinkUp("acc") in desk.reply([], desk.sent[1])
    assert desk.send(place(symbol="S7:BTC")) == []
    assert desk.sent[-1]["event"] == "phx_join"
    assert desk.reply([], desk.last("/orders/S7:BTC")) == []
    assert (desk.sent[-1]["topic"], desk.sent[-1]["event"]) == ("/orders/S7:BTC", "place")


def test_unanswered_orders_never_use_up_the_joins() -> None:
    """However many places are lost: connections keep their share."""
    desk = Desk()
    for number in range(40):
        desk.send(place(order_id=str(number), venue_cl_ord_id=f"c{number}"))
        assert Unanswered in [type(each) for each in desk.wait(5 * S)]
        desk.send(ask(order_id=str(number), placed=desk.now - 5 * S))
        if desk.protocol._orders.views[SYMBOL].anew:
            desk.join()
    assert desk.joins() <= 10
    desk.lose()
    desk.connect()
    assert LinkUp("acc") in (desk.come_up(5 * S) if desk.joins() < 9 else desk.join())


# --- operators ----------------------------------------------------------------------------------------------------------

BALANCE = {"withdrawn_amount": 0, "placed_amount": 0, "id": 15, "available_amount": 100, "assigned_amount": 0, "asset": "BTC_D"}


def inquire(desk: Desk, ticket: int, topic: str, **arguments: str) -> list[Any]:
    """An operator's question."""
    return desk.do(desk.protocol.inquire(ticket, topic, arguments, desk.now))


def test_balances_cost_one_join_and_are_kept_up() -> None:
    """Document, "Balances": the join's reply, then upserts; exact texts."""
    desk = Desk(trades=True)
    assert inquire(desk, 1, "balances") == []
    (told,) = desk.reply([BALANCE])
    assert told.rows[0]["available_amount"] == "100"
    desk.say("/balances", "upsert", {"data": [BALANCE | {"available_amount": 1e-8}]})
    (told,) = inquire(desk, 2, "balances")
    assert (told.ticket, told.rows[0]["available_amount"], told.rows[0]["asset"]) == (2, "0.00000001", "BTC_D")
    assert desk.joins("/balances") == 1


def test_deposits_are_listed_anew_each_time() -> None:
    """They have no upserts; the arguments go into the join."""
    desk = Desk(trades=True)
    inquire(desk, 1, "deposits", asset="BTC_D", limit="5")
    assert desk.sent[-1]["payload"] == {"asset": "BTC_D", "limit": 5}
    (told,) = desk.reply([{"id": 15, "is_processed": True, "amount": 100, "asset": "BTC_D"}])
    assert told == Told(1, ({"id": "15", "is_processed": "true", "amount": "100", "asset": "BTC_D"},))
    assert inquire(desk, 2, "deposits") == []
    assert desk.reply([]) == [Told(2)]


def change(desk: Desk, ticket: int, what: str, **arguments: str) -> list[Any]:
    """What is no question."""
    return desk.do(desk.protocol.change(ticket, what, arguments, desk.now))


def test_a_deposit_address_and_a_margin_are_asked_for_on_their_channels() -> None:
    """The document's frames; margins are texts, by symbol."""
    desk = Desk(trades=True)
    inquire(desk, 1, "deposit-address", asset="BTC_T")
    desk.reply([])
    assert (desk.sent[-1]["event"], desk.sent[-1]["payload"]) == ("get_deposit_address", {"asset": "BTC_T"})
    assert desk.reply({"asset": "BTC_T", "address": "some address"}) == [Told(1, ({"asset": "BTC_T", "address": "some address"},))]
    change(desk, 2, "assign-margin", symbol=SYMBOL, margin="10")
    desk.reply([])
    assert (desk.sent[-1]["event"], desk.sent[-1]["payload"]) == ("assign", {SYMBOL: "10"})
    (told,) = desk.reply({"data": [{"symbol": SYMBOL, "margin": 10}]})
    assert told.rows == ({"symbol": SYMBOL, "margin": "10"},)
    change(desk, 3, "assign-margin", symbol=SYMBOL, margin="11")
    (told,) = desk.wait(5 * S)
    assert "may have been done" in told.error


@pytest.mark.parametrize(
    ("topic", "arguments"),
    [
        ("create_withdrawal", {}), ("balances", {"asset": "X"}), ("deposit-address", {}), ("deposits", {"limit": "-1"}),
        ("open-orders", {"symbol": SYMBOL}),
    ],
)  # fmt: skip
def test_a_wrong_question_is_answered_at_once(topic: str, arguments: dict[str, str]) -> None:
    """With why, and no frame; withdrawing is not offered at all."""
    desk = Desk(trades=True)
    before = len(desk.sent)
    (told,) = inquire(desk, 7, topic, **arguments)
    assert told.ticket == 7 and told.error
    assert len(desk.sent) == before


@pytest.mark.parametrize("margin", ["1e3", "-1", "NaN", "10"])
def test_a_wrong_change_is_refused_at_once(margin: str) -> None:
    """A margin that is no plain number, a symbol that is not configured, and a question that is none; no frame."""
    desk = Desk(trades=True)
    before = len(desk.sent)
    (told,) = change(desk, 7, "assign-margin", symbol=SYMBOL if margin != "10" else "NO:SUCH", margin=margin)
    assert told.ticket == 7 and told.error
    (told,) = change(desk, 8, "balances")
    assert told.error.startswith("no such topic")
    assert len(desk.sent) == before


def test_nothing_is_changed_by_asking() -> None:
    """What changes something is no topic, and is not done for who asks for it as one."""
    desk = Desk(trades=True)
    before = len(desk.sent)
    assert set(desk.protocol.changes) == {"assign-margin"}
    assert not set(desk.protocol.changes) & set(desk.protocol.topics)
    (told,) = inquire(desk, 1, "assign-margin", symbol=SYMBOL, margin="10")
    assert "no such topic: assign-margin" in told.error
    assert len(desk.sent) == before


def test_open_orders_are_those_of_the_joined_channel() -> None:
    """Anybody's of the account, without what has ended, with exact amounts and the side that the sign means; no join is spent."""
    desk = Desk(trades=True, snapshot=(row(id=30, requested_amount=-1.50, limit_price=0.5), row(id=31, **CANCELLED)))
    desk.live()
    joins = desk.joins()
    (told,) = inquire(desk, 1, "open-orders")
    assert [(each["order_id"], each["side"], each["amount"], each["symbol"]) for each in told.rows] == [
        ("30", "sell", "1.5", SYMBOL), ("10", "buy", "1.0", SYMBOL),
    ]  # fmt: skip
    assert told.error == "" and "cl_ord_id" not in told.rows[0]
    desk.upsert(row(id=30, requested_amount=-1.5, limit_price=0.5, **CANCELLED))
    assert [each["order_id"] for each in inquire(desk, 2, "open-orders")[0].rows] == ["10"]
    assert desk.joins() == joins


def test_open_orders_that_are_not_known_for_certain_are_not_told() -> None:
    """After a row that cannot be read, until the channel was joined anew: a list that may be false is none."""
    desk = Desk(trades=True)
    desk.live()
    desk.upsert({"id": "nonsense"})
    (told,) = inquire(desk, 1, "open-orders")
    assert (told.rows, told.error) == ((), f"the orders of {SYMBOL} are not known for certain now")


def test_every_question_is_answered_once() -> None:
    """Refused, unanswered, cut off, not connected, or without a join to spare."""
    desk = Desk(trades=True)
    inquire(desk, 1, "positions")
    assert [each.ticket for each in desk.refuse("forbidden") if isinstance(each, Told)] == [1]
    inquire(desk, 2, "balances")
    assert [each.ticket for each in desk.wait(15 * S) if isinstance(each, Told)] == [2]
    inquire(desk, 3, "withdrawals")
    assert [each.ticket for each in desk.lose() if isinstance(each, Told)] == [3]
    assert "not connected" in inquire(desk, 4, "balances")[0].error
    desk.connect()
    desk.join()
    errors = []
    for ticket in range(5, 15):
        outs = inquire(desk, ticket, "deposits") or desk.reply([])
        errors += [each.error for each in outs if each.error]
    assert errors and all("the next one is at 21:37" in error for error in errors)


def test_an_order_in_the_snapshot_of_a_refused_link_is_not_lost() -> None:
    """What was open when the link went is told when it is back, however long that took."""
    desk = Desk(trades=True)
    desk.live()
    desk.lose()
    desk.connect()
    desk.refuse("rate_limit_exceeded", retry_after=600)
    desk.wait(600 * S)
    assert desk.joins() == 2
    desk.wait(2 * S)
    outs = desk.join(row(filled_amount=1.0, filled_total=1.0, is_active=False))
    assert outs[0] == LinkUp("acc")
    assert outs[1].complete  # type: ignore[union-attr]
