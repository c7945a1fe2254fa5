"""Questions about orders at PrimeBit, and what is made of a stream that was away."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from bridges.wire import Kind, Note, Reconnect, Request
from router.model import Accepted, Canceled, CancelRejected, Filled, LinkDown, LinkUp, Replaced, Stated, Unanswered
from router.words import OrdStatus
from tests.bridges.evidence import found as found_with_age
from tests.bridges.primebit.desk import C1, C2, PATH, Desk, S, ask, order, place, position, replace

LATER = 3 * S


def of(kind: type, outs: list[Any]) -> list[Any]:
    return [each for each in outs if isinstance(each, kind)]


def test_a_live_order_is_stated() -> None:
    """By a request for the order; nothing of it is an execution message."""
    desk = Desk()
    desk.placed()
    desk.now += LATER
    (request,) = desk.send(ask(venue_order_id="77"))
    assert (request.kind, request.method, request.path) == (Kind.QUERY, "GET", f"{PATH}/77")
    (stated,) = desk.answer(request, order())
    assert stated == Stated(account="acc", status=OrdStatus.NEW, cum_qty=D(0), venue_cl_ord_id=C1, venue_order_id="77")


def test_what_the_answer_shows_of_executions_is_told_before_it() -> None:
    """A fill that the stream has not told yet waits for its price, and the statement waits behind it."""
    desk = Desk()
    desk.placed()
    desk.now += LATER
    (request,) = desk.send(ask(venue_order_id="77"))
    assert desk.answer(request, order("3")) == []
    fill, stated = desk.moved("new", position("2", "64990"))
    assert isinstance(fill, Filled) and isinstance(stated, Stated) and stated.cum_qty == 2 and stated.avg_px == D(64990)
    assert desk.event("partial_fill", "3") == []


def test_an_order_seen_done_is_answered_for_from_memory() -> None:
    """Late questions need no request."""
    desk = Desk()
    desk.placed()
    desk.event("fill", "0.0")
    desk.moved("new", position("5", "65000"))
    (stated,) = desk.send(ask(venue_order_id="77"))
    assert (stated.status, stated.cum_qty, stated.avg_px) == (OrdStatus.FILLED, D(5), D(65000))
    (again,) = desk.send(ask())
    assert again == stated


def test_not_found_leaves_the_stream_time_to_tell() -> None:
    """The answer overtook the fill: the channel says how the order ended."""
    desk = Desk()
    desk.placed()
    desk.now += LATER
    (request,) = desk.send(ask(venue_order_id="77"))
    assert desk.refuse(request, "order-not-found") == []
    desk.event("fill", "0.0")
    desk.moved("new", position("5", "65000"))
    assert [(each.status, each.cum_qty) for each in of(Stated, desk.later(1))] == [(OrdStatus.FILLED, D(5))]


def test_not_found_and_not_told_needs_a_new_connection() -> None:
    """An end that the stream owes: its snapshots are asked for by coming back, and no end is made up."""
    desk = Desk()
    desk.placed()
    desk.now += LATER
    (request,) = desk.send(ask(venue_order_id="77"))
    desk.refuse(request, "order-not-found")
    outs = desk.later(2 * S)
    assert of(Reconnect, outs) and not of(Canceled, outs) and not of(Stated, outs)


def test_ended_while_away_and_filled() -> None:
    """The position moved by just what was left, and nothing else explains it: filled, at the position's price, before LinkUp."""
    desk = Desk()
    desk.placed()
    outs = desk.reconnect(positions=[position("5", "64990")])
    assert of(LinkDown, outs) and outs[-1] == LinkUp("acc")
    (fill,) = of(Filled, outs)
    assert (fill.last_qty, fill.last_px, fill.complete) == (D(5), D(64990), True)
    (stated,) = desk.send(ask(venue_order_id="77"))
    assert stated.status is OrdStatus.FILLED


def test_ended_while_away_in_part() -> None:
    """The position moved by a part of what was left: that was executed, and the rest is gone."""
    desk = Desk()
    desk.placed()
    _, fill, end, _ = desk.reconnect(positions=[position("2", "64990")])
    assert (fill.last_qty, end.cum_qty) == (D(2), D(2)) and isinstance(end, Canceled)


def test_ended_while_away_among_others_is_not_known() -> None:
    """Two orders ended and the position may be of either: canceled without CumQty, never with 0."""
    desk = Desk()
    desk.placed()
    desk.send(place(order_id="2", venue_cl_ord_id=C2))
    desk.event("new", order_id=78, comment=C2)
    assert [type(each) for each in desk.reconnect(positions=[position("5", "64990")])] == [LinkDown, LinkUp]
    (request,) = desk.send(ask(venue_order_id="77"))
    (end,) = desk.refuse(request, "order-not-found")
    assert isinstance(end, Canceled) and end.cum_qty is None and end.venue_order_id == "77"
    assert desk.send(ask(venue_order_id="77")) == [end]


def test_an_answer_while_the_stream_is_down_says_nothing() -> None:
    """The snapshots after it may know more than "not found" does."""
    desk = Desk()
    desk.placed()
    desk.now += LATER
    (request,) = desk.send(ask(venue_order_id="77"))
    desk.protocol.closed("gone", desk.now)
    assert desk.refuse(request, "order-not-found") == []


def test_an_order_of_another_life_that_is_done() -> None:
    """After a restart nothing is known of its executions: its end is told without CumQty."""
    desk = Desk()
    (request,) = desk.send(ask(venue_order_id="70", placed=desk.now - 9 * S))
    (end,) = desk.refuse(request, "order-not-found")
    assert isinstance(end, Canceled) and end.cum_qty is None and (end.venue_cl_ord_id, end.venue_order_id) == (C1, "70")


def test_an_order_of_another_life_that_is_live() -> None:
    """The snapshot answers; what was executed is what was ordered less what is left; later fills count from there."""
    desk = Desk(up=False)
    outs = desk.connect(orders=[order("3")], positions=[position("2", "64000")])
    assert outs == [LinkUp("acc")]
    assert desk.event("partial_fill", "2") == []
    desk.moved("modified", position("3", "64300"))
    stated = desk.send(ask(venue_order_id="77", placed=desk.now - 9 * S))
    assert [type(each) for each in stated] == [Stated, Filled, Stated]
    assert [each.cum_qty for each in stated] == [D(2), D(3), D(3)]
    assert stated[1].last_qty == 1 and stated[1].last_px == D(64900) and stated[2].avg_px is None


def test_a_fill_while_away_of_an_order_that_is_still_open() -> None:
    """The snapshot shows less left: the difference is a fill, priced by the position."""
    desk = Desk()
    desk.placed()
    outs = desk.reconnect([order("3")], [position("2", "64990")])
    assert [(each.last_qty, each.last_px) for each in of(Filled, outs)] == [(D(2), D(64990))]
    (stated,) = desk.send(ask(venue_order_id="77"))
    assert (stated.status, stated.cum_qty, stated.avg_px) == (OrdStatus.NEW, D(2), D(64990))


def test_a_stop_that_was_triggered_while_away_is_no_change_by_others() -> None:
    """Its stop price is gone from the snapshot: what is missing was executed."""
    desk = Desk(up=False)
    desk.connect()
    desk.send(place())
    desk.event("new", stop_price="65500.0")
    outs = desk.reconnect([order("3")], [position("2", "64990")])
    assert [each.last_qty for each in of(Filled, outs)] == [D(2)]


def test_an_unanswered_create_is_found_by_its_comment() -> None:
    """The list of open orders has our id: accepted, and stated."""
    desk = Desk()
    (create,) = desk.send(place())
    assert of(Unanswered, list(desk.protocol.lost(create, True, "timeout", desk.now)))
    (request,) = desk.send(ask())
    assert request.path == PATH
    outs = desk.answer(request, [order(order_id=76, comment=C2), order()])
    assert [type(each) for each in outs if not isinstance(each, Note)] in ([Stated], [Accepted, Stated])
    assert outs[-1].venue_order_id == "77"


def test_an_unanswered_create_is_found_by_its_looks() -> None:
    """Comments come back empty: what looks like it is a candidate, open or seen to end, and what does not is none."""
    desk = Desk()
    desk.send(place())
    desk.event("new", order_id=80, comment="")
    desk.event("cancel", order_id=80, comment="")
    desk.event("new", "6", order_id=81, comment="")
    (request,) = desk.send(ask())
    (found,) = desk.answer(request, [order(comment=""), order(order_id=78, comment="", side="sell"), order("6", 81, "")])
    assert found == found_with_age(order_id="1", candidates=("77", "80"))
    (look,) = desk.send(ask(venue_order_id="77"))
    assert [each.venue_cl_ord_id for each in desk.answer(look, order(comment="")) if isinstance(each, Stated)] == [C1]


def test_not_there() -> None:
    """The channel was there all the time, and nothing was seen: it never arrived."""
    desk = Desk()
    desk.now += S
    desk.send(place())
    (request,) = desk.send(ask(placed=desk.now))
    assert desk.answer(request, []) == [found_with_age(order_id="1")]


def test_not_there_is_not_said_where_something_was_missed() -> None:
    """The position moved while the stream was away: the order may have been executed, and is not told as never arrived."""
    desk = Desk()
    desk.now += S
    desk.send(place())
    placed = desk.now
    desk.reconnect(positions=[position("5", "65000")])
    (request,) = desk.send(ask(placed=placed))
    assert desk.answer(request, []) == []
    desk.now += 20 * S
    (request,) = desk.send(ask(placed=placed))
    (end,) = desk.answer(request, [])
    assert isinstance(end, Canceled) and end.cum_qty is None and end.venue_order_id is None


def test_not_there_where_the_position_stood_still() -> None:
    """The stream was away and the position says that nothing was executed: it never arrived, or did nothing."""
    desk = Desk()
    desk.now += S
    desk.send(place())
    placed = desk.now
    desk.reconnect()
    (request,) = desk.send(ask(placed=placed))
    assert desk.answer(request, []) == [found_with_age(order_id="1")]


def test_answers_that_say_nothing_leave_the_question_open() -> None:
    """The router asks again; nothing is made up."""
    desk = Desk()
    desk.placed()
    desk.now += LATER
    for status, body in ((500, {}), (429, {}), (200, b"{"), (200, order(order_id=78))):
        (request,) = desk.send(ask(venue_order_id="77"))
        assert {type(each) for each in desk.answer(request, body, status)} == {Note}
    (request,) = desk.send(ask(cl_ord_id=C2))
    assert {type(each) for each in desk.answer(request, b"{")} == {Note}


def test_an_answer_overtaken_by_a_modify_is_asked_for_again() -> None:
    """What was left before the modify says nothing of after it."""
    desk = Desk()
    desk.placed()
    desk.now += LATER
    (request,) = desk.send(ask(venue_order_id="77"))
    desk.send(replace(qty=10))
    desk.event("modify", "10")
    (again,) = desk.answer(request, order("5"))
    assert isinstance(again, Request) and again.path == request.path
    (stated,) = desk.answer(again, order("10"))
    assert stated.cum_qty == 0


def test_an_unanswered_modify_that_was_done() -> None:
    """The new price is there: replaced, and stated."""
    desk = Desk()
    desk.placed()
    (put,) = desk.send(replace(qty=8, price=64000))
    desk.protocol.lost(put, True, "timeout", desk.now)
    (request,) = desk.send(ask(venue_order_id="77"))
    outs = desk.answer(request, order("8", limit_price="64000.0"))
    assert [type(each) for each in outs] == [Replaced, Stated] and outs[1].cum_qty == 0
    assert of(Replaced, desk.event("modify", "8", limit_price="64000.0")) == []


def test_an_unanswered_modify_that_was_not_done() -> None:
    """The order stands unchanged: at first that says nothing, after 10 s it is refused; the order is live throughout."""
    desk = Desk()
    desk.placed()
    (put,) = desk.send(replace(qty=8))
    desk.protocol.lost(put, True, "timeout", desk.now)
    (request,) = desk.send(ask(venue_order_id="77"))
    assert [type(each) for each in desk.answer(request, order())] == [Stated]
    desk.now += 11 * S
    (request,) = desk.send(ask(venue_order_id="77"))
    assert [type(each) for each in desk.answer(request, order())] == [CancelRejected, Stated]
