"""Moonbase's protocol: executions, of the orders' own rows and of trades."""

from __future__ import annotations

import json
from decimal import Decimal as D
from typing import Any

from router.model import (
    Accepted,
    Canceled,
    Filled,
    Stated,
)
from router.words import OrdStatus, OrdType, Side
from tests.bridges.moonbase.desk import CANCELLED, MS, NOW, ORDERS, TRADES, Desk, S, ask, place, row


def only(outs: list[Any], kind: type) -> Any:
    """The one of its kind."""
    (one,) = [each for each in outs if isinstance(each, kind)]
    return one


# --- executions ---------------------------------------------------------------------------------------------------------


def test_executions_are_the_differences_of_sums() -> None:
    """Quantities, prices, fees: each `Filled` has what is new, and what it leads to."""
    desk = Desk()
    desk.live()
    first = only(desk.upsert(row(filled_amount=0.3, filled_total=0.27, fee=0.001)), Filled)
    assert (first.last_qty, first.last_px, first.avg_px, first.fee) == (D("0.3"), D("0.9"), D("0.9"), D("0.001"))
    assert "filled_total" in first.text
    last = only(desk.upsert(row(filled_amount=1.0, filled_total=0.97, fee=0.003, is_active=False)), Filled)
    assert (last.last_qty, last.last_px, last.cum_qty, last.avg_px, last.fee) == (D("0.7"), D(1), D(1), D("0.97"), D("0.002"))
    assert last.complete and not last.text


def test_a_derived_price_that_does_not_divide_says_so() -> None:
    """Rounded to twelve decimals, with what it was rounded from."""
    desk = Desk()
    desk.live()
    filled = only(desk.upsert(row(filled_amount=0.3, filled_total=0.1)), Filled)
    assert filled.last_px == D("0.333333333333")
    assert "rounded: 0.1 for 0.3" in filled.text


def test_a_sell_may_be_filled_with_or_without_a_sign() -> None:
    """`filled_amount` is read either way."""
    for sign in (1, -1):
        desk = Desk()
        desk.send(place(side=Side.SELL))
        desk.reply(row(requested_amount=-1.0), desk.last(event="place"))
        filled = only(desk.upsert(row(requested_amount=-1.0, filled_amount=0.5 * sign, filled_total=0.5)), Filled)
        assert (filled.last_qty, filled.side) == (D("0.5"), Side.SELL)


def test_repeated_and_reordered_rows_change_nothing() -> None:
    """Sums only grow, and an end is an end."""
    desk = Desk()
    desk.live()
    later = row(filled_amount=0.5, filled_total=0.5, updated_at="2019-02-17T20:37:42")
    assert only(desk.upsert(later), Filled).cum_qty == D("0.5")
    assert desk.upsert(row(filled_amount=0.25, filled_total=0.25)) == []
    assert desk.upsert(later) == []
    assert only(desk.upsert(later | CANCELLED), Canceled).cum_qty == D("0.5")
    assert desk.upsert(later) == []
    assert desk.upsert(later | CANCELLED) == []


def test_numbers_with_exponents_are_exact() -> None:
    """A JSON float as it may come: 1.0e-7."""
    desk = Desk()
    desk.send(place(order_qty=D("1e-7")))
    text = json.dumps({"ref": desk.sent[-1]["ref"], "join_ref": None, "topic": ORDERS, "event": "phx_reply", "payload": "@"})
    body = json.dumps({"status": "ok", "response": row()}).replace('"requested_amount": 1.0', '"requested_amount": 1.0e-7')
    body = body.replace('"filled_amount": 0.0', '"filled_amount": 1.0E-7').replace('"filled_total": 0.0', '"filled_total": 1e-7')
    outs = desk.do(desk.protocol.receive(text.replace('"@"', body), NOW))
    assert (only(outs, Filled).last_qty, only(outs, Filled).last_px) == (D("0.0000001"), D(1))


def test_an_end_without_a_reason_is_told_as_canceled() -> None:
    """Reading 7: not active, not filled, no cancelled_at; but a stop order that waits for its trigger is not over."""
    desk = Desk()
    desk.live()
    assert "no longer active" in only(desk.upsert(row(is_active=False)), Canceled).text
    desk.send(place(order_id="2", venue_cl_ord_id="c2", ord_type=OrdType.STOP_LIMIT, stop_px=D(2)))
    waiting = row(id=11, trigger_price=2.0, triggered_at=None, is_active=False)
    (accepted,) = desk.reply(waiting)
    assert isinstance(accepted, Accepted) and "trigger" in accepted.text


# --- trades, the other witness ------------------------------------------------------------------------------------------


def test_trades_that_came_before_split_the_upsert() -> None:
    """Each with its own price and id; the sums are the upsert's."""
    desk = Desk(trades=True)
    desk.live()
    assert desk.trade(3, 0.8, 0.25) == []
    assert desk.trade(4, 0.9, 0.5) == []
    one, two = desk.upsert(row(filled_amount=0.75, filled_total=0.65, fee=0.1))
    assert isinstance(one, Filled) and isinstance(two, Filled)
    assert [(each.last_qty, each.last_px, each.cum_qty) for each in (one, two)] == [
        (D("0.25"), D("0.8"), D("0.25")),
        (D("0.5"), D("0.9"), D("0.75")),
    ]
    assert (one.fee, two.fee, one.exec_id != two.exec_id) == (None, D("0.1"), True)


def test_what_the_trades_leave_is_one_more_execution() -> None:
    """A trade that we saw, and the rest at the price that the totals leave for it."""
    desk = Desk(trades=True)
    desk.live()
    desk.trade(3, 0.8, 0.25)
    assert desk.upsert(row(filled_amount=0.5, filled_total=0.425)) == []
    one, two = desk.wait(150 * MS)
    assert isinstance(one, Filled) and isinstance(two, Filled)
    assert [(each.last_qty, each.last_px) for each in (one, two)] == [(D("0.25"), D("0.8")), (D("0.25"), D("0.9"))]
    assert two.text and not one.text


def test_an_upsert_waits_a_moment_for_trades_that_would_price_it() -> None:
    """Not at all where its price is the limit's, and never longer than a tenth of a second."""
    desk = Desk(trades=True)
    desk.live()
    assert only(desk.upsert(row(filled_amount=0.1, filled_total=0.1)), Filled).last_px == D(1)
    assert desk.upsert(row(filled_amount=0.2, filled_total=0.19)) == []
    assert desk.trade(3, 1, 0.1) == []  # of what was told already
    filled = only(desk.trade(4, 0.9, 0.1), Filled)
    assert (filled.last_px, filled.text) == (D("0.9"), "")
    assert desk.upsert(row(filled_amount=0.3, filled_total=0.28)) == []
    assert desk.wait(50 * MS) == []
    assert only(desk.wait(100 * MS), Filled).last_px == D("0.9")


def test_late_and_repeated_trades_count_nothing() -> None:
    """What the order's own sums have told is told."""
    desk = Desk()
    desk.reply([], desk.last(TRADES))
    desk.live()
    desk.upsert(row(filled_amount=0.5, filled_total=0.5))
    assert desk.trade(3, 1, 0.5) == []
    assert desk.trade(3, 1, 0.5) == []
    assert desk.wait(5 * S) == []


def test_a_trade_without_its_row_says_that_a_row_was_lost() -> None:
    """Told as a second witness tells, and the next question is answered by a fresh snapshot."""
    desk = Desk(trades=True)
    desk.live()
    desk.trade(3, 1, 0.5)
    stated = only(desk.wait(3 * S), Stated)
    assert (stated.asked, stated.cum_qty, stated.status) == (False, D("0.5"), OrdStatus.NEW)
    assert desk.send(ask("10")) == []
    outs = desk.join(row(filled_amount=0.5, filled_total=0.5))
    assert only(outs, Filled).cum_qty == D("0.5")
    assert only(outs, Stated).cum_qty == D("0.5")


def test_trades_before_the_reply_price_its_executions() -> None:
    """A market order: trades, upsert and reply may come in any order."""
    desk = Desk(trades=True)
    desk.send(place(ord_type=OrdType.MARKET, price=None))
    frame = desk.sent[-1]
    desk.trade(3, 0.8, 0.5, maker=98, taker=10)
    desk.trade(4, 0.9, 0.5, maker=99, taker=10)
    filled = row(limit_price=None, filled_amount=1.0, filled_total=0.85, is_active=False)
    desk.upsert(filled)
    outs = desk.reply(filled, frame)
    assert [(each.last_qty, each.last_px, each.complete) for each in outs if isinstance(each, Filled)] == [
        (D("0.5"), D("0.8"), False), (D("0.5"), D("0.9"), True),
    ]  # fmt: skip
