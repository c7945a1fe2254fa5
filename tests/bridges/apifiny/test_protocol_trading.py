"""Apifiny's protocol as the order path: creates, cancels, and what the order stream makes of them."""

from __future__ import annotations

import json
from decimal import Decimal as D
from typing import Any

import pytest

from bridges.wire import Answer, Kind, Note, Request
from router.model import Accepted, Barred, Canceled, CancelRejected, Filled, LinkDown, LinkUp, NotSent, Place, Rejected, Stated, Unanswered
from router.words import CxlRejReason, OrdRejReason, OrdStatus, OrdType, Side, TimeInForce
from tests.bridges.apifiny.test_protocol import ACCOUNT, CANCEL, ID, MS, NOW, SYMBOL, Desk, S, answer, order, place, refusal


def sent(desk: Desk, command: Place) -> Request:
    (request,) = desk.protocol.send(command, desk.now)
    assert isinstance(request, Request)
    return request


ACCEPTED = Accepted(account="acc", exec_id=f"{ID}:new", venue_cl_ord_id=ID, venue_order_id=ID)


def filled(desk: Desk, qty: Any, px: Any, cum: Any, avg: Any, **more: Any) -> list[Any]:
    figures = {"lastFilledQuantity": qty, "lastFilledPrice": px, "filledCumulativeQuantity": cum, "filledAveragePrice": avg}
    return desk.update(**figures | more)


# --- the link and creates -------------------------------------------------------------------------------------------------


def test_to_trade_the_symbols_are_needed_too() -> None:
    """An order stream and an account that is open are not enough."""
    desk = Desk(trading=True, up=False)
    account, symbols, _ = desk.protocol.begin(NOW)
    assert desk.protocol.opened(NOW, "order") == []
    assert desk.reply(account, answer([ACCOUNT])) == [Barred(link="link", why="")]
    (not_sent,) = desk.protocol.send(place(), NOW)
    assert not_sent == NotSent(order_id="1", place=True, text="the link link is down")
    assert desk.reply(symbols, answer([SYMBOL]))[-1] == LinkUp("link")
    assert isinstance(desk.protocol.closed("gone", NOW, "order")[0], LinkDown)


def test_an_order_is_said_as_the_document_says() -> None:
    """Prices and quantities as texts, exactly as they were given."""
    request = sent(Desk(trading=True), place())
    assert (request.kind, request.method, request.path) == (Kind.NEW, "POST", "/order/newOrder")
    assert json.loads(request.body) == {
        "accountId": "STA-00000001", "venue": "BINANCE", "orderId": ID,
        "orderInfo": {
            "symbol": "BTCUSDT", "orderType": "LIMIT", "timeInForce": 1, "orderSide": "BUY", "limitPrice": "100.50", "quantity": "1.12",
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "info"),
    [
        ({"post_only": True}, {"timeInForce": 7}),
        ({"time_in_force": TimeInForce.IOC}, {"timeInForce": 3}),
        (
            {"ord_type": OrdType.MARKET, "price": None, "order_qty": None, "cash_order_qty": D("1E+3")},
            {"orderType": "MARKET", "total": "1000"},
        ),
        ({"ord_type": OrdType.MARKET, "price": None, "side": Side.SELL}, {"orderType": "MARKET", "orderSide": "SELL", "quantity": "1.12"}),
    ],
)
def test_order_types_and_times_in_force(more: dict[str, Any], info: dict[str, Any]) -> None:
    """Post-only is 7; a market buy states `total`."""
    said = json.loads(sent(Desk(trading=True), place(**more)).body)["orderInfo"]
    assert said | info == said


@pytest.mark.parametrize(
    "more",
    [
        {"ord_type": OrdType.STOP_LIMIT}, {"stop_px": D(1)}, {"reduce_only": True}, {"time_in_force": TimeInForce.FOK},
        {"post_only": True, "time_in_force": TimeInForce.IOC}, {"side": Side.SELL_SHORT}, {"price": None}, {"order_qty": None},
        {"cash_order_qty": D(1)}, {"ord_type": OrdType.MARKET, "price": None}, {"symbol": "XRPUSDT"}, {"venue": "HUOBI"},
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_not_sent(more: dict[str, Any]) -> None:
    """And says why."""
    (not_sent,) = Desk(trading=True).protocol.send(place(**more), NOW)
    assert isinstance(not_sent, NotSent)
    assert not_sent.place
    assert not_sent.text


def test_market_orders_go_to_six_venues_only() -> None:
    """GBBO takes none."""
    market = {"ord_type": OrdType.MARKET, "price": None, "side": Side.SELL, "venue": "GBBO"}
    (not_sent,) = Desk(trading=True, venue="GBBO").protocol.send(place(**market), NOW)
    assert isinstance(not_sent, NotSent)


def test_a_create_that_is_not_confirmed_waits_for_the_stream() -> None:
    """PENDING_SUBMIT is neither yes nor no; SUBMITTED is yes, and is told once."""
    desk = Desk(trading=True)
    assert desk.reply(sent(desk, place()), answer([order(orderStatus="PENDING_SUBMIT")])) == []
    assert desk.update() == [ACCEPTED]
    assert desk.update() == []


def test_an_answer_may_be_ahead_of_the_stream_or_behind_it() -> None:
    """Each execution is told once, whichever comes first."""
    desk = Desk(trading=True)
    request = sent(desk, place())
    executed = {"filledCumulativeQuantity": 0.5, "filledAveragePrice": 100.0}
    accepted, whole = desk.reply(request, answer([order(**executed)]))
    assert accepted == ACCEPTED
    assert whole == Stated(account="acc", status=OrdStatus.NEW, cum_qty=D("0.5"), avg_px=D(100), venue_cl_ord_id=ID)
    assert filled(desk, 0.3, 100.0, 0.3, 100.0) == []
    assert filled(desk, 0.2, 100.0, 0.5, 100.0) == []
    (fill,) = filled(desk, 0.1, 101.0, 0.6, 100.1)
    assert isinstance(fill, Filled)
    assert desk.reply(request, answer([order()])) == []


@pytest.mark.parametrize(("code", "reason"), [("0x06001A", OrdRejReason.EXCEEDS_LIMIT), ("0x05012A", OrdRejReason.BROKER_OPTION)])
def test_a_documented_refusal_is_a_no(code: str, reason: OrdRejReason) -> None:
    """With its reason, and the code and text; also with an HTTP status below 500."""
    for status in (200, 400, 403):
        desk = Desk(trading=True)
        (no,) = desk.reply(sent(desk, place()), refusal(code, "Asset_AvailableNotEnough.", status))
        text = f"{code} Asset_AvailableNotEnough."
        assert no == Rejected(account="acc", exec_id=f"{ID}:rejected", reason=reason, venue_cl_ord_id=ID, text=text)


@pytest.mark.parametrize(
    "told",
    [
        Answer(500, {}, b""), Answer(502, {}, b"<html>"), refusal("0x06001A", status=500), Answer(200, {}, b"{"), Answer(429, {}, b""),
        refusal("0x01003B"), refusal("0x05002B"), refusal("0x05005A"), refusal("0x05007B"), refusal("0x0FFFFA"), answer(None), answer([]),
        answer([order(orderId="other")]), answer([order(orderStatus="?")]), answer([order()], status=302), Answer(404, {}, b""),
    ],
)  # fmt: skip
def test_everything_else_is_unknown_and_is_never_sent_again(told: Answer) -> None:
    """No event but Unanswered, and no second create."""
    desk = Desk(trading=True)
    unknown, *_ = desk.reply(sent(desk, place()), told)
    assert isinstance(unknown, Unanswered)
    assert not any(isinstance(out, Request) and out.kind is Kind.NEW for out in desk.after(3 * S))


def test_a_blocked_address_is_a_no_of_the_gateway() -> None:
    """And the link is down as banned."""
    desk = Desk(trading=True)
    no, down = desk.reply(sent(desk, place()), Answer(403, {}, b"blocked"))
    assert isinstance(no, Rejected)
    assert no.reason is OrdRejReason.EXCHANGE_CLOSED
    assert down.text.startswith("banned")


def test_a_lost_create_is_unknown_only_if_it_may_have_left() -> None:
    """Otherwise it was not sent."""
    desk = Desk(trading=True)
    request = sent(desk, place())
    assert desk.protocol.lost(request, True, "no answer", NOW)[0] == Unanswered(order_id="1", text="no answer")
    assert desk.protocol.lost(request, False, "refused", NOW)[0] == NotSent(order_id="1", place=True, text="refused")


# --- cancels --------------------------------------------------------------------------------------------------------------


def cancel(desk: Desk) -> Request:
    (request,) = desk.protocol.send(CANCEL, desk.now)
    assert isinstance(request, Request)
    return request


def test_a_cancel_names_the_order_by_our_id() -> None:
    """Taken, it says nothing yet, unless the order is told to be over."""
    desk = Desk(trading=True)
    request = cancel(desk)
    assert (request.kind, request.path) == (Kind.CANCEL, "/order/cancelOrder")
    assert json.loads(request.body) == {"accountId": "STA-00000001", "venue": "BINANCE", "orderId": ID}
    desk.update()
    assert desk.reply(request, answer([order()])) == []
    (over,) = desk.reply(request, answer([order(orderStatus="CANCELLED")]))
    assert over == Canceled(account="acc", exec_id=f"{ID}:end", venue_cl_ord_id=ID, cum_qty=D(0))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("0x05003A", CxlRejReason.UNKNOWN_ORDER),
        ("0x05007A", CxlRejReason.TOO_LATE),
        ("0x05014A", CxlRejReason.ALREADY_PENDING),
        ("0x05015A", CxlRejReason.BROKER_OPTION),
    ],
)
def test_a_refused_cancel_has_its_reason(code: str, reason: CxlRejReason) -> None:
    """And the code and text."""
    desk = Desk(trading=True)
    (no,) = desk.reply(cancel(desk), refusal(code, "too late"))
    assert no == CancelRejected(account="acc", reason=reason, venue_cl_ord_id=ID, text=f"{code} too late")


def test_a_cancel_that_meets_a_fault_of_the_venue_is_sent_again_three_times() -> None:
    """Then the fault is its no: resubmitting for ever ends in a ban."""
    desk = Desk(trading=True)
    request = cancel(desk)
    for _ in range(3):
        assert desk.reply(request, refusal("0x05004B")) == []
        (request,) = desk.after(50 * MS)
        assert request.kind is Kind.CANCEL
    (no,) = desk.reply(request, refusal("0x05004B", "cancel order error"))
    assert no == CancelRejected(account="acc", venue_cl_ord_id=ID, text="0x05004B cancel order error")
    assert desk.after(1 * S) == []


@pytest.mark.parametrize("told", [Answer(500, {}, b""), refusal("0x05008A"), refusal("0x06005A"), answer([]), Answer(403, {}, b"")])
def test_a_cancel_without_a_clear_answer_is_unknown(told: Answer) -> None:
    """The router asks where the order stands."""
    desk = Desk(trading=True)
    assert isinstance(desk.reply(cancel(desk), told)[0], Unanswered)
    assert isinstance(desk.protocol.lost(cancel(desk), True, "gone", NOW)[0], Unanswered)
    assert desk.protocol.lost(cancel(desk), False, "gone", NOW)[0] == NotSent(order_id="1", place=False, text="gone")


# --- executions -----------------------------------------------------------------------------------------------------------


def test_the_documents_update_is_a_fill() -> None:
    """Its last execution, with the fee, CumQty and AvgPx; told again it is nothing new."""
    desk = Desk(trading=True)
    fee = {"lastCommission": 0.112, "lastCommissionCurrency": "USD", "orderStatus": "FILLED", "openQuantity": 0}
    fill = Filled(
        account="acc", exec_id=f"{ID}:1.12", last_qty=D("1.12"), last_px=D(100), complete=True, venue_cl_ord_id=ID, cum_qty=D("1.12"),
        avg_px=D(100), fee=D("0.112"), fee_currency="USD",
    )  # fmt: skip
    assert filled(desk, 1.12, 100.0, 1.12, 100.0, **fee) == [ACCEPTED, fill]
    assert filled(desk, 1.12, 100.0, 1.12, 100.0, **fee) == []
    assert desk.update() == []


def test_executions_follow_each_other() -> None:
    """Each update that adds to the quantity is one execution; one that does not, is none."""
    desk = Desk(trading=True)
    desk.update()
    (first,) = filled(desk, 0.10, 100.0, 0.10, 100.0)
    assert (first.exec_id, first.last_qty, first.complete) == (f"{ID}:0.1", D("0.1"), False)
    assert filled(desk, 0.1, 100.0, 0.1, 100.0) == []
    (second,) = filled(desk, 0.2, 101.0, 0.3, 100.6)
    assert (second.last_qty, second.last_px, second.cum_qty, second.avg_px) == (D("0.2"), D(101), D("0.3"), D("100.6"))
    (missed,) = filled(desk, 0.1, 101.0, 0.6, 100.8)
    assert (missed.last_qty, missed.cum_qty) == (D("0.1"), D("0.6"))


def test_an_order_that_was_filled_and_then_said_to_be_is_over() -> None:
    """FILLED without a new execution still ends the order: a market buy by cash has no quantity to compare with."""
    desk = Desk(trading=True)
    desk.update()
    filled(desk, 1.12, 100.0, 1.12, 100.0)
    (whole,) = filled(desk, 1.12, 100.0, 1.12, 100.0, orderStatus="FILLED")
    assert isinstance(whole, Stated)
    assert (whole.status, whole.cum_qty) == (OrdStatus.FILLED, D("1.12"))


def test_an_update_of_several_executions_is_told_by_what_it_adds_up_to() -> None:
    """Where the last execution overlaps what was told, or is not stated, all is told."""
    desk = Desk(trading=True)
    desk.update(filledCumulativeQuantity=0.2, filledAveragePrice=100.0, lastFilledQuantity=0.2, lastFilledPrice=100.0)
    (whole,) = filled(desk, 0.3, 100.0, 0.4, 100.0)
    assert isinstance(whole, Stated)
    (whole,) = filled(desk, None, None, 0.5, 100.0)
    assert whole == Stated(account="acc", status=OrdStatus.NEW, cum_qty=D("0.5"), avg_px=D(100), venue_cl_ord_id=ID)


def test_part_filled_is_the_end() -> None:
    """The last execution where it is new, then the rest is gone, with CumQty."""
    desk = Desk(trading=True)
    desk.update()
    fill, over = filled(desk, 0.5, 100.0, 0.5, 100.0, orderStatus="PART_FILLED")
    assert isinstance(fill, Filled)
    assert not fill.complete
    assert over == Canceled(account="acc", exec_id=f"{ID}:end", venue_cl_ord_id=ID, cum_qty=D("0.5"), avg_px=D(100))


def test_the_end_of_an_order_is_told_once() -> None:
    """By the answer to the cancel or by the stream, whichever comes first; an execution that came between is told all the same."""
    desk = Desk(trading=True)
    desk.update()
    (over,) = desk.reply(cancel(desk), answer([order(orderStatus="CANCELLED")]))
    assert isinstance(over, Canceled)
    assert desk.update(orderStatus="CANCELLED") == []
    _, fill, over = filled(desk, 0.5, 100.0, 0.5, 100.0, orderStatus="PART_FILLED")
    assert (fill.cum_qty, over.cum_qty) == (D("0.5"), D("0.5"))


def test_a_rejection_on_the_stream_is_a_no() -> None:
    """Told twice it is the same one as that of the answer."""
    desk = Desk(trading=True)
    (no,) = desk.update(orderStatus="REJECTED")
    assert isinstance(no, Rejected)
    assert (no.exec_id, no.venue_cl_ord_id) == (f"{ID}:rejected", ID)


def test_a_question_brings_what_the_stream_did_not() -> None:
    """Its answer is stated, and what the stream tells late of it is not told again."""
    desk = Desk(trading=True)
    desk.update()
    desk.protocol.closed("gone", desk.now, "order")
    desk.protocol.opened(desk.now, "order")
    (query,) = desk.ask()
    (whole,) = desk.reply(query, answer([order(filledCumulativeQuantity=0.4, filledAveragePrice=100)]))
    assert isinstance(whole, Stated)
    assert whole.asked
    assert filled(desk, 0.4, 100.0, 0.4, 100.0) == []
    (fill,) = filled(desk, 0.1, 100.0, 0.5, 100.0)
    assert (fill.last_qty, fill.cum_qty) == (D("0.1"), D("0.5"))


def test_a_lost_order_to_cancel_everything_is_said() -> None:
    """Perhaps it arrived: somebody has to look."""
    desk = Desk(trading=True)
    (request,) = desk.protocol.cancel_all(NOW)
    (note,) = desk.protocol.lost(request, True, "gone", NOW)
    assert isinstance(note, Note)
    assert note.level == "error"


def test_what_was_told_before_a_lost_stream_does_not_count_after_it() -> None:
    """The acceptance is told again with its ExecID: what is the same is known by that."""
    desk = Desk(trading=True)
    assert desk.update() == [ACCEPTED]
    desk.protocol.closed("gone", desk.now, "order")
    desk.protocol.opened(desk.now, "order")
    assert desk.update() == [ACCEPTED]


def test_an_illegible_update_is_asked_about_on_the_orders_own_link() -> None:
    """The answer counts as asked for: no other link will tell."""
    desk = Desk(trading=True)
    desk.update(orderStatus="HALF")
    (query,) = desk.after()
    (whole,) = desk.reply(query, answer([order()]))
    assert isinstance(whole, Stated)
    assert whole.asked
