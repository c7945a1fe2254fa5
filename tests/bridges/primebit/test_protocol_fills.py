"""What PrimeBit's order events become: quantities by differences, prices worked out, each told once."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridges.primebit.fills import LIMIT, POSITION, STALE, TRADE
from router.model import Accepted, Canceled, Filled
from router.words import OrdType, Side, TimeInForce
from tests.bridges.primebit.desk import C1, MS, Desk, S, order, place, position


def told(outs: list[Any]) -> list[tuple[D, D, str]]:
    return [(each.last_qty, each.last_px, each.text) for each in outs if isinstance(each, Filled)]


def test_opening_a_position_tells_the_price() -> None:
    """The fill waits for the position, and then is told with its CumQty and a name made of it."""
    desk = Desk()
    desk.placed()
    assert desk.event("partial_fill", "3") == []
    (fill,) = desk.moved("new", position("2", "64999.5"))
    assert (fill.last_qty, fill.last_px, fill.text, fill.cum_qty, fill.complete) == (D(2), D("64999.5"), POSITION, D(2), False)
    assert fill.exec_id == "77-2" and fill.venue_cl_ord_id == C1 and fill.venue_order_id == "77"


def test_adding_to_a_position_tells_the_price_of_what_was_added() -> None:
    """price_open is weighted by volume: 2 at 64990 and 3 at 65000 are 5 at 64996."""
    desk = Desk(up=False)
    desk.connect(positions=[position("2", "64990")])
    desk.placed()
    desk.event("partial_fill", "2")
    assert told(desk.moved("modified", position("5", "64996"))) == [(D(3), D(65000), POSITION)]


def test_closing_a_position_takes_the_last_trade() -> None:
    """The position's price_open stays: the tick of the same volume has the price."""
    desk = Desk(up=False)
    desk.connect(positions=[position("5", "66000", "sell")])
    desk.placed()
    desk.event("partial_fill", "3")
    assert desk.moved("modified", position("3", "66000", "sell")) == []
    assert told(desk.traded("64998", "2")) == [(D(2), D(64998), TRADE)]


def test_turning_a_position_round() -> None:
    """What one execution opened beyond the old position has the price of all of it."""
    desk = Desk(up=False)
    desk.connect(positions=[position("2", "66000", "sell")])
    desk.placed()
    desk.event("fill", "0.0")
    assert desk.moved("closed", {"position_id": 9, "symbol": "BTCUSD"}) == []
    assert told(desk.moved("new", position("3", "64997", ident=10))) == [(D(5), D(64997), POSITION)]


def test_the_position_may_be_heard_of_first() -> None:
    """Order and position events may overtake each other."""
    desk = Desk()
    desk.placed()
    desk.moved("new", position("2", "64990"))
    assert told(desk.event("partial_fill", "3")) == [(D(2), D(64990), POSITION)]


def test_two_fills_and_one_position() -> None:
    """An average of both, unless ticks of their volumes tell each one's price."""
    desk = Desk()
    desk.placed()
    desk.event("partial_fill", "3")
    desk.event("fill", "0.0")
    assert desk.moved("new", position("5", "64996")) == []
    assert told(desk.traded("64990", "2")) == [(D(2), D(64990), TRADE)]
    assert told(desk.traded("65000", "3")) == [(D(3), D(65000), TRADE)]
    again = Desk()
    again.placed()
    again.event("partial_fill", "3")
    again.event("fill", "0.0")
    again.moved("new", position("5", "64996"))
    assert told(again.later(300 * MS)) == [(D(2), D(64996), POSITION), (D(3), D(64996), POSITION)]


def test_a_price_that_is_not_told_is_the_limit() -> None:
    """After 300 ms without position and tick the fill is told at the order's limit, and says so."""
    desk = Desk()
    desk.placed()
    desk.event("fill", "0.0")
    assert desk.later(299 * MS) == []
    assert told(desk.later(1 * MS)) == [(D(5), D(65000), LIMIT)]
    assert desk.moved("new", position("5", "64990")) == []


def test_the_last_trade_stands_in_for_the_position() -> None:
    """A tick since the fill, of whatever volume; not one that the order's limit forbids."""
    desk = Desk()
    desk.placed()
    desk.event("fill", "0.0")
    desk.traded("64995", "9")
    desk.traded("65001", "5")
    assert told(desk.later(300 * MS)) == [(D(5), D(64995), TRADE)]


def test_a_market_order_without_any_price_waits() -> None:
    """No limit to fall back on: the next trade seen, and the text says what it is."""
    desk = Desk()
    desk.placed(ord_type=OrdType.MARKET, price=None)
    desk.event("fill", "0.0", limit_price="0.0")
    assert told(desk.later(S)) == []
    desk.now += S
    desk.traded("65010", "1")
    assert told(desk.later(1)) == [(D(5), D(65010), TRADE)]
    late = Desk()
    late.traded("65010", "1")
    late.now += S
    late.placed(ord_type=OrdType.MARKET, price=None)
    late.event("fill", "0.0", limit_price="0.0")
    assert told(late.later(S)) == [(D(5), D(65010), STALE)]


def test_an_end_waits_behind_the_fills_before_it() -> None:
    """An IOC's cancel comes while its fill waits for a price: it is told after it, with CumQty."""
    desk = Desk()
    desk.placed(time_in_force=TimeInForce.IOC)
    desk.event("partial_fill", "3", fill_type="immediate-or-cancel")
    assert desk.event("cancel", "3", fill_type="immediate-or-cancel") == []
    fill, end = desk.moved("new", position("2", "65000"))
    assert isinstance(fill, Filled) and isinstance(end, Canceled) and end.cum_qty == 2


def test_a_cancel_that_says_nothing_is_left_does_not_state_cum_qty() -> None:
    """It cannot be so; what was executed is then not stated, instead of made up."""
    desk = Desk()
    desk.placed()
    (end,) = desk.event("cancel", "0.0")
    assert isinstance(end, Canceled) and end.cum_qty is None


def test_repetition_and_disorder_change_nothing() -> None:
    """CumQty never falls, and each quantity is told once."""
    desk = Desk()
    desk.placed()
    desk.event("partial_fill", "1")
    first = desk.moved("new", position("4", "65000"))
    desk.event("partial_fill", "3")
    desk.event("partial_fill", "1")
    desk.moved("new", position("4", "65000"))
    assert told(first) == [(D(4), D(65000), POSITION)]
    assert told(desk.later(S)) == []


def test_executions_of_others_do_not_price_ours() -> None:
    """They move the same position: each order's fill takes its own part, in order."""
    desk = Desk()
    desk.placed()
    desk.event("new", "4", order_id=99, comment="by hand", limit_price="66000")
    desk.event("fill", "0.0", order_id=99, comment="by hand", limit_price="66000")
    desk.event("partial_fill", "1")
    assert desk.moved("new", position("4", "66000")) == []
    assert told(desk.moved("modified", position("8", "65500"))) == [(D(4), D(65000), POSITION)]


def test_an_empty_comment_is_named_by_the_answer() -> None:
    """What the channel told before is kept, and told when the answer names the order."""
    desk = Desk()
    (request,) = desk.send(place())
    assert desk.event("new", comment="") == []
    desk.event("partial_fill", "3", comment="")
    desk.moved("new", position("2", "65000"))
    outs = desk.answer(request, order(comment=""))
    assert [type(each) for each in outs] == [Accepted, Filled]
    assert all(each.venue_cl_ord_id == C1 for each in outs)


def test_a_fill_is_the_first_word() -> None:
    """Its new event was lost or late: what was executed is what was ordered, less what is left."""
    desk = Desk()
    desk.send(place())
    desk.event("partial_fill", "3")
    outs = desk.moved("new", position("2", "65000"))
    assert told(outs) == [(D(2), D(65000), POSITION)]


def test_a_reject_or_an_end_as_the_first_word_executes_nothing() -> None:
    """Its volume may be 0 whatever was executed: no fill is made of it."""
    for kind in ("reject", "cancel"):
        desk = Desk()
        desk.send(place())
        assert told(desk.event(kind, "0.0") + desk.later(S)) == []


def test_nothing_is_executed_by_the_answer_to_a_create() -> None:
    """What the order object of the answer has left is for the channel to say."""
    desk = Desk()
    (request,) = desk.send(place())
    assert [type(each) for each in desk.answer(request, order("0.0")) + desk.later(S)] == [Accepted]


def test_a_late_new_event_after_a_nameless_fill() -> None:
    """Comments come back empty and the events are out of order: nothing is lost when the answer names the order."""
    desk = Desk()
    (request,) = desk.send(place())
    desk.event("partial_fill", "3", comment="")
    desk.event("new", comment="")
    desk.moved("new", position("2", "65000"))
    outs = desk.answer(request, order("3", comment=""))
    assert told(outs) == [(D(2), D(65000), POSITION)] and outs[-1].cum_qty == 2


def test_a_trade_of_a_priced_fill_is_not_the_next_ones() -> None:
    """The tick of the first comes after the second's order event, with the same volume: the second waits for its own."""
    desk = Desk(up=False)
    desk.connect(positions=[position("1", "66000", "sell")])
    desk.placed()
    desk.event("partial_fill", "4")
    desk.moved("closed", {"position_id": 9, "symbol": "BTCUSD"})
    assert told(desk.traded("64000", "1")) == [(D(1), D(64000), TRADE)]
    desk.event("partial_fill", "3")
    assert told(desk.moved("new", position("1", "64001", ident=10))) == [(D(1), D(64001), POSITION)]
    desk.event("partial_fill", "2")
    desk.traded("64001", "1")
    desk.traded("64002", "1")
    assert told(desk.later(S)) == [(D(1), D(64002), TRADE)]


def test_contract_size_is_kept() -> None:
    """It is told with the order, and changes no quantity."""
    desk = Desk()
    desk.placed()
    assert vars(desk.protocol)["_orders"].by_id["77"].contract_size == D("0.001")


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(64000, 65000), st.sampled_from("pot")), min_size=1, max_size=8), st.booleans())
def test_quantities_and_values_add_up(steps: list[tuple[int, int, str]], repeat: bool) -> None:
    """Whatever is heard of each execution, in any order of its three messages, CumQty is exact; with ticks so is the value."""
    desk = Desk()
    desk.placed(order_qty=D(40))
    outs: list[Any] = []
    cum, value = 0, D(0)
    for qty, px, first in steps:
        cum, value = cum + qty, value + qty * px
        said = {
            "o": lambda left=40 - cum: desk.event("partial_fill", str(left)),
            "p": lambda volume=cum, average=value / cum: desk.moved("modified", position(str(volume), f"{average:.8f}")),
            "t": lambda qty=qty, px=px: desk.traded(str(px), str(qty)),
        }
        for each in sorted(said, key=lambda each: (each == "t", each != first)):
            outs += said[each]()
            outs += said[each]() if repeat and each != "t" else []
    outs += desk.later(S)
    fills = [each for each in outs if isinstance(each, Filled)]
    assert sum(each.last_qty for each in fills) == cum == fills[-1].cum_qty
    assert len({each.exec_id for each in fills}) == len(fills)
    assert sum(each.last_qty * each.last_px for each in fills) == value
    assert all(each.side is Side.BUY for each in fills)
