"""Moonbase's protocol: what becomes of orders after silence, a lost connection, a restart."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from bridges.wire import Note
from router.model import Accepted, Canceled, Filled, Found, LinkDown, LinkUp, Stated, Unanswered
from router.words import OrdStatus, OrdType
from tests.bridges.evidence import found as found_with_age
from tests.bridges.moonbase.desk import CANCELLED, NOW, Desk, S, ask, cancel, place, row


def kinds(outs: list[Any]) -> list[type]:
    """Of what kind they are."""
    return [type(each) for each in outs]


def lost(**more: Any) -> Desk:
    """A desk whose place got no answer."""
    desk = Desk(trades=True)
    desk.send(place(**more))
    assert kinds(desk.wait(5 * S)) == [Unanswered]
    return desk


# --- without an id ------------------------------------------------------------------------------------------------------


def test_an_unanswered_place_is_found_in_the_snapshot_of_a_rejoin() -> None:
    """Same side, amount, limit, trigger, inserted about then, and nobody's: nothing is said before the snapshot."""
    desk = lost()
    assert desk.send(ask()) == []
    assert desk.joins() == 2
    others = (
        row(id=11, requested_amount=-1.0), row(id=12, limit_price=2.0), row(id=13, requested_amount=2.0), row(id=14, trigger_price=3.0),
        row(id=15, inserted_at="2019-02-17T20:30:00"), row(id=16, limit_price=None),
    )  # fmt: skip
    assert desk.join(*others, row()) == [found_with_age(order_id="1", candidates=("10",))]


def test_the_venues_clock_may_differ_by_a_minute() -> None:
    """In either direction."""
    for time, found in (("20:36:50", ("10",)), ("20:38:40", ("10",)), ("20:36:30", ()), ("20:39:30", ())):
        desk = lost()
        desk.send(ask())
        assert desk.join(row(inserted_at=f"2019-02-17T{time}")) == [found_with_age(order_id="1", candidates=found)]


def test_what_the_channel_told_meanwhile_needs_no_join() -> None:
    """The reply was lost, the upsert was not."""
    desk = lost()
    desk.upsert(row())
    assert desk.send(ask()) == [found_with_age(order_id="1", candidates=("10",))]
    assert desk.joins() == 1


def test_not_there_is_said_of_a_snapshot_asked_for_after_the_order_left() -> None:
    """One join for all such questions: the same question again costs nothing."""
    desk = lost()
    desk.send(ask())
    assert desk.join() == [found_with_age(order_id="1")]
    for _ in range(5):
        assert desk.send(ask()) == [found_with_age(order_id="1")]
    assert desk.joins() == 2
    desk.upsert(row())
    assert desk.send(ask()) == [found_with_age(order_id="1", candidates=("10",))]


def test_a_list_that_does_not_reach_back_is_no_no() -> None:
    """A thousand rows, all younger than the order: nothing is answered, and somebody should look."""
    desk = lost()
    desk.send(ask())
    young = [row(id=1000 + number, limit_price=5.0, inserted_at="2019-02-17T20:38:00") for number in range(1000)]
    outs = desk.join(*young)
    assert kinds(outs) == [Note]
    assert desk.send(ask()) == []
    assert desk.joins() == 2


def test_a_row_that_cannot_be_read_is_no_no_either() -> None:
    """It may have been the order."""
    desk = lost()
    desk.send(ask())
    assert Found not in kinds(desk.join(row(id=None)))


def test_an_order_of_ours_is_not_a_candidate() -> None:
    """What looks like it and is another's is left out."""
    desk = Desk(trades=True)
    desk.live()
    desk.send(place(order_id="2", venue_cl_ord_id="c2"))
    desk.wait(5 * S)
    desk.send(ask(order_id="2"))
    assert desk.join(row(), row(id=11)) == [found_with_age(order_id="2", candidates=("11",))]


def test_a_question_waits_for_a_place_that_looks_the_same() -> None:
    """What it would find might be that one."""
    desk = lost()
    desk.now += S
    desk.send(place(order_id="2", venue_cl_ord_id="c2"))
    frame = desk.sent[-1]
    desk.upsert(row())
    assert desk.send(ask()) == []
    outs = desk.reply(row(), frame)
    assert kinds(outs) == [Accepted]
    assert desk.joins() == 2


def test_the_trigger_price_is_compared_where_it_is_known() -> None:
    """In this life from the order that left; after a restart only that there is one."""
    desk = lost(ord_type=OrdType.STOP_LIMIT, stop_px=D(2))
    desk.send(ask(ord_type=OrdType.STOP_LIMIT))
    two, three = row(id=11, trigger_price=2.0, triggered_at=None), row(id=12, trigger_price=3.0, triggered_at=None)
    assert desk.join(two, three) == [found_with_age(order_id="1", candidates=("11",))]
    other_life = Desk(snapshot=(two, three))
    assert other_life.send(ask(ord_type=OrdType.STOP_LIMIT, placed=NOW - S)) == [found_with_age(order_id="1", candidates=("11", "12"))]


def test_a_found_order_is_told_from_then_on() -> None:
    """The router asks again, by id: where it stands, then what happens to it."""
    desk = lost()
    desk.upsert(row(filled_amount=0.5, filled_total=0.5))
    assert desk.send(ask()) == [found_with_age(order_id="1", candidates=("10",))]
    (stated,) = desk.send(ask("10"))
    assert stated == Stated(
        account="acc", status=OrdStatus.NEW, cum_qty=D("0.5"), avg_px=D(1), venue_cl_ord_id="c1", venue_order_id="10"
    )  # fmt: skip
    (filled,) = desk.upsert(row(filled_amount=0.75, filled_total=0.75))
    assert isinstance(filled, Filled) and (filled.last_qty, filled.cum_qty) == (D("0.25"), D("0.75"))


# --- a lost connection --------------------------------------------------------------------------------------------------


def test_after_a_lost_connection_the_snapshot_tells_what_was_missed() -> None:
    """First the link is up, then what happened, then the answers: one join in all."""
    desk = Desk(trades=True)
    desk.live()
    assert kinds(desk.lose()) == [LinkDown]
    desk.connect()
    up, filled, canceled = desk.join(row(filled_amount=0.5, filled_total=0.45, **CANCELLED))
    assert up == LinkUp("acc")
    assert isinstance(filled, Filled) and (filled.last_qty, filled.last_px) == (D("0.5"), D("0.9"))
    assert isinstance(canceled, Canceled) and canceled.cum_qty == D("0.5")
    (stated,) = desk.send(ask("10"))
    assert isinstance(stated, Stated) and (stated.status, stated.cum_qty) == (OrdStatus.CANCELED, D("0.5"))
    assert desk.joins() == 2


def test_a_place_lost_with_the_connection_is_found_after_it() -> None:
    """The new connection's snapshot is younger than the order: no more joins."""
    desk = Desk()
    desk.send(place())
    desk.lose()
    desk.now += S
    desk.connect()
    assert desk.join(row()) == [LinkUp("acc")]
    assert desk.send(ask()) == [found_with_age(order_id="1", candidates=("10",))]
    assert desk.joins() == 2


def test_trades_of_the_connection_before_are_not_waited_for() -> None:
    """A row that waited for its trades is told when the connection goes."""
    desk = Desk(trades=True)
    desk.live()
    assert desk.upsert(row(filled_amount=0.5, filled_total=0.45)) == []
    assert kinds(desk.lose()) == [Filled, LinkDown]


@pytest.mark.parametrize(
    ("more", "status", "cum_qty"),
    [
        ({}, OrdStatus.NEW, D(0)), ({"filled_amount": 0.5, "filled_total": 0.5}, OrdStatus.NEW, D("0.5")),
        ({"filled_amount": 1.0, "filled_total": 1.0, "is_active": False}, OrdStatus.FILLED, D(1)), (CANCELLED, OrdStatus.CANCELED, D(0)),
    ],
)  # fmt: skip
def test_after_a_restart_an_order_is_stated(more: dict[str, Any], status: OrdStatus, cum_qty: D) -> None:
    """What was told before is not known here, so nothing is told as an execution; what comes after is."""
    desk = Desk(snapshot=(row(**more),))
    (stated,) = desk.send(ask("10", placed=NOW - S))
    assert isinstance(stated, Stated) and (stated.status, stated.cum_qty, stated.asked) == (status, cum_qty, True)
    assert desk.joins() == 1


def test_an_order_that_is_not_in_the_snapshot_is_said_not_to_be_there() -> None:
    """An order with an id: the router makes a doubt of it, not an end."""
    desk = Desk()
    assert desk.send(ask("10", placed=NOW - S)) == [found_with_age(order_id="1")]


def test_a_channel_that_answers_nothing_is_not_believed() -> None:
    """Two requests in a row without an answer, and nothing heard: the next question joins anew."""
    desk = Desk(trades=True)
    desk.live()
    for _ in range(2):
        desk.send(cancel())
        desk.wait(5 * S)
    assert desk.send(ask("10")) == []
    assert desk.joins() == 2
    assert kinds(desk.join(row(**CANCELLED))) == [Canceled, Stated]


def test_a_channel_that_the_venue_closes_is_joined_anew() -> None:
    """At once, with the link up; what was on its way is unknown; the end of an older join means nothing."""
    desk = Desk(trades=True)
    desk.send(place())
    old = desk.last()["ref"]
    assert kinds(desk.say(desk.last()["topic"], "phx_close", {}, None, old)) == [Note, Unanswered]
    assert desk.joins() == 2
    desk.join()
    assert desk.say(desk.last()["topic"], "phx_close", {}, old, None) == []
    assert desk.joins() == 2
    assert desk.send(place(order_id="2", venue_cl_ord_id="c2")) == []


def test_a_symbol_that_is_not_configured_any_more_is_asked_about_all_the_same() -> None:
    """Its channel is joined for the question."""
    desk = Desk(trades=True)
    assert desk.send(_of("OLD:BTC_D")) == []
    assert desk.sent[-1]["topic"] == "/orders/OLD:BTC_D"
    (stated,) = desk.reply([row(symbol="OLD:BTC_D")])
    assert isinstance(stated, Stated)


def _of(symbol: str) -> Any:
    standard = ask("10", placed=NOW - S)
    return type(standard)(*[symbol if name == "symbol" else getattr(standard, name) for name in standard.__struct_fields__])


def test_an_order_of_an_earlier_life_is_never_told_as_an_execution_before_it_was_stated() -> None:
    """What the router has counted of it is not known: told as an execution, it might be counted twice."""
    desk = Desk(snapshot=(row(filled_amount=0.25, filled_total=0.25),), trades=True)
    desk.do(desk.protocol.receive("nonsense", desk.now))
    assert desk.send(ask("10", placed=NOW - S)) == []
    (stated,) = desk.upsert(row(filled_amount=0.5, filled_total=0.5))
    assert isinstance(stated, Stated) and stated.cum_qty == D("0.5")
    (filled,) = desk.upsert(row(filled_amount=0.75, filled_total=0.75))
    assert isinstance(filled, Filled) and filled.last_qty == D("0.25")


def test_an_older_row_does_not_hide_one_that_waits_for_its_trades() -> None:
    """Rows that come out of order while the newest has not been told yet."""
    desk = Desk(trades=True)
    desk.live()
    assert desk.upsert(row(filled_amount=0.5, filled_total=0.45)) == []
    assert desk.upsert(row()) == []
    (filled,) = desk.wait(S)
    assert isinstance(filled, Filled) and filled.cum_qty == D("0.5")
