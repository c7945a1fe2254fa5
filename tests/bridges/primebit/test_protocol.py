"""PrimeBit's protocol: requests, signatures, answers, the channels, and what an order's events become."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest

from bridges.primebit.orders import is_minted
from bridges.primebit.protocol import CAPABILITIES, PrimebitProtocol
from bridges.wire import Frame, Kind, Note, Reconnect, Request, Told
from router.model import Accepted, Canceled, CancelRejected, Filled, LinkDown, LinkUp, NotSent, Rejected, Replaced, Unanswered
from router.words import CxlRejReason, OrdRejReason, OrdType, Side, TimeInForce
from tests.bridges.primebit.desk import BTC, C1, CANCEL, ID, KEY, MS, NOW, PATH, SECRET, Desk, S, order, place, position, replace


def hexdigest(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def kinds(outs: list[Any]) -> list[str]:
    return [type(each).__name__ for each in outs]


def test_what_it_can_do() -> None:
    """The four order types, three times in force, native replace, our id; no post-only."""
    assert set(CAPABILITIES.ord_types) == {OrdType.LIMIT, OrdType.MARKET, OrdType.STOP, OrdType.STOP_LIMIT}
    assert set(CAPABILITIES.times_in_force) == {TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}
    assert CAPABILITIES.native_replace and CAPABILITIES.client_id and not CAPABILITIES.post_only


@pytest.mark.parametrize("change", [{"environment": "test"}, {"account_id": "a/b"}, {"account_id": ""}])
def test_a_configuration_that_cannot_be_is_refused(change: dict[str, str]) -> None:
    """An unknown environment, and an account id that would change the path, stop the start."""
    arguments = {"account": "acc", "account_id": ID, "key_id": KEY, "secret": SECRET, "instruments": (BTC,), "environment": "demo"}
    with pytest.raises(ValueError, match=r"environment|account_id"):
        PrimebitProtocol(**arguments | change)  # type: ignore[arg-type]


def test_a_minted_id_is_known_again() -> None:
    """An id of ours is at most 64 characters and recognised."""
    minted = Desk(up=False).protocol.mint(NOW, 7, 12)
    assert is_minted(minted) and len(minted) <= 64


def test_signature_of_a_request() -> None:
    """Document, "Authorization": method, body, path, query, timestamp."""
    desk = Desk()
    (request,) = desk.send(place())
    signed = desk.protocol.sign(request, NOW)
    stamp = str(NOW // S)
    assert signed.target == PATH
    assert signed.headers["api-key"] == KEY and signed.headers["timestamp"] == stamp
    assert signed.headers["authorization"] == hexdigest(f"POST{request.body}{PATH}{stamp}")


def test_no_secret_in_what_is_said() -> None:
    """The secret is in no frame, no request and no repr."""
    desk = Desk(up=False)
    said = repr(desk.protocol) + repr(desk.protocol.opened(NOW)) + repr(vars(desk.protocol)["_channel"])
    assert SECRET not in said


def test_subscriptions() -> None:
    """Orders before positions; private ones signed over the timestamp; each with a correlation id of its own."""
    frames = [json.loads(each.text) for each in Desk(up=False).protocol.opened(NOW) if isinstance(each, Frame)]
    names = [each["params"][0] for each in frames]
    assert names == [f"order_{ID}", f"positions_{ID}", f"account_{ID}", "tick_BTCUSD_market_demo", "order_book_BTCUSD_demo"]
    assert all(each["signature"] == hexdigest(each["timestamp"]) for each in frames[:3])
    assert not any("signature" in each for each in frames[3:])
    assert len({each["correlation_id"] for each in frames}) == 5


def test_up_only_when_orders_and_positions_are_confirmed() -> None:
    """One of the two is not enough."""
    desk = Desk(up=False)
    frames = list(desk.protocol.opened(NOW))
    assert desk.confirm(frames[:1]) == []
    assert desk.confirm(frames[2:]) == []
    assert desk.confirm(frames[1:2]) == [LinkUp("acc")]


def test_the_samples_null_correlation_id_is_understood() -> None:
    """An answer without a correlation id is known by the channel in its message."""
    desk = Desk(up=False)
    desk.protocol.opened(NOW)
    for channel in (f"order_{ID}", f"positions_{ID}"):
        response = {"message": f"successfully subscribed to {channel}", "success": True, "data": []}
        outs = desk.say({"correlation_id": None, "response": response})
    assert outs == [LinkUp("acc")]


def test_a_refused_private_channel_is_left() -> None:
    """Without the order channel nothing would be heard: a new connection."""
    desk = Desk(up=False)
    frame = desk.protocol.opened(NOW)[0]
    ident = json.loads(frame.text)["correlation_id"]  # type: ignore[union-attr]
    outs = desk.say({"correlation_id": ident, "response": {"success": False, "message": "bad signature", "data": None}})
    assert kinds(outs) == ["Note", "Reconnect"]


def test_heartbeat_and_watchdog() -> None:
    """Pings every 5 s; one that is not answered for 15 s ends the connection; a raw pong is tolerated."""
    desk = Desk()
    assert desk.later(5 * S) == []
    assert desk.say("pong") == []
    outs: list[Any] = []
    for _ in range(25):
        desk.now += S
        outs += desk.protocol.tick(desk.now)
    assert [json.loads(each.text)["method"] for each in outs if isinstance(each, Frame)][:2] == ["ping", "ping"]
    assert [type(each) for each in outs if not isinstance(each, Frame)] == [Reconnect]


def test_no_snapshot_in_time() -> None:
    """A venue that confirms nothing is left after 10 s."""
    desk = Desk(up=False)
    desk.protocol.opened(NOW)
    assert any(isinstance(each, Reconnect) for each in desk.later(11 * S))


BODIES = [
    ({}, {"volume": "5", "limit_price": "65000", "stop_price": "0.0", "fill_type": "normal"}),
    (
        {"ord_type": OrdType.MARKET, "price": None, "time_in_force": TimeInForce.IOC},
        {"limit_price": "0.0", "fill_type": "immediate-or-cancel"},
    ),
    ({"ord_type": OrdType.STOP, "price": None, "stop_px": D("66000.5")}, {"limit_price": "0.0", "stop_price": "66000.5"}),
    ({"ord_type": OrdType.STOP_LIMIT, "stop_px": D(64000), "side": Side.SELL}, {"side": "sell", "stop_price": "64000"}),
    ({"time_in_force": TimeInForce.FOK, "order_qty": D("0.0001")}, {"fill_type": "fill-or-kill", "volume": "0.0001"}),
]


@pytest.mark.parametrize(("changes", "fields"), BODIES)
def test_a_create(changes: dict[str, Any], fields: dict[str, Any]) -> None:
    """The body has the order channel's names; prices and volume are texts; comment is our id."""
    (request,) = Desk().send(place(**changes))
    assert (request.kind, request.method, request.path) == (Kind.NEW, "POST", PATH)
    body = json.loads(request.body)
    assert body | fields == body
    assert body["comment"] == C1 and body["expiration_time"] == 0 and body["symbol"] == "BTCUSD"


@pytest.mark.parametrize(
    "changes",
    [
        {"price": D("65000.3")}, {"order_qty": D("0.00005")}, {"order_qty": D(0)}, {"order_qty": None, "cash_order_qty": D(5)},
        {"price": None}, {"stop_px": D(1)}, {"post_only": True}, {"reduce_only": True}, {"time_in_force": TimeInForce.DAY},
        {"side": Side.CROSS}, {"symbol": "LTCUSD"}, {"venue_cl_ord_id": "x" * 65},
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_not_sent(changes: dict[str, Any]) -> None:
    """Off tick, off lot, or without a word at the venue: nothing is rounded, nothing leaves."""
    (out,) = Desk().send(place(**changes))
    assert isinstance(out, NotSent) and out.place


def test_nothing_is_created_while_the_stream_is_down() -> None:
    """Nothing would be heard of it."""
    (out,) = Desk(up=False).send(place())
    assert isinstance(out, NotSent)


def test_a_yes_is_an_acceptance_told_once() -> None:
    """The answer accepts, under the venue's id; the channel's word for it says nothing new."""
    desk = Desk()
    (request,) = desk.send(place())
    assert desk.answer(request, order()) == [Accepted(account="acc", exec_id="new-77", venue_cl_ord_id=C1, venue_order_id="77")]
    assert desk.event("new_request") == [] and desk.event("new") == []


def test_the_channel_may_overtake_the_answer() -> None:
    """The comment names our order before the answer does; it is accepted once."""
    desk = Desk()
    (request,) = desk.send(place())
    assert kinds(desk.event("new")) == ["Accepted"]
    assert desk.answer(request, order()) == []


SILENT = [
    (429, {"error": {"code": "too-many", "message": ""}}),
    (500, {}),
    (503, b"<html>"),
    (200, b"{"),
    (200, {"order_id": 1}),
    (200, order(comment="another's")),
    (400, b"what"),
    (302, {}),
]


@pytest.mark.parametrize(("status", "body"), SILENT)
def test_what_says_nothing_is_unknown(status: int, body: Any) -> None:
    """429, 5xx and what cannot be read are not a no."""
    desk = Desk()
    (request,) = desk.send(place())
    outs = desk.answer(request, body, status)
    assert [each.order_id for each in outs if isinstance(each, Unanswered)] == ["1"]
    assert not any(isinstance(each, Rejected | Accepted) for each in outs)


def test_a_no_is_a_reject_told_once() -> None:
    """The answer and the channel have one ExecID; code and message go to the client."""
    desk = Desk()
    (request,) = desk.send(place())
    (told,) = desk.event("reject")
    (answered,) = desk.refuse(request, "invalid-volume", 400)
    assert isinstance(told, Rejected) and isinstance(answered, Rejected) and told.exec_id == answered.exec_id
    assert answered.reason is OrdRejReason.INCORRECT_QUANTITY and answered.text == "invalid-volume no"


def test_a_reject_after_the_yes_is_an_end() -> None:
    """What was accepted cannot be rejected any more: it is canceled, with nothing executed."""
    desk = Desk()
    (request,) = desk.send(place())
    desk.answer(request, order())
    (out,) = desk.event("reject")
    assert isinstance(out, Canceled) and out.cum_qty == 0


@pytest.mark.parametrize("sent", [True, False])
def test_a_lost_create(sent: bool) -> None:
    """It may have arrived, or it never left."""
    desk = Desk()
    (request,) = desk.send(place())
    (out,) = desk.protocol.lost(request, sent, "timeout", NOW)
    assert isinstance(out, Unanswered if sent else NotSent)


def test_cancel() -> None:
    """DELETE by the venue's id; its yes says nothing, the channel's event ends the order with CumQty."""
    desk = Desk()
    desk.placed()
    (request,) = desk.send(CANCEL)
    assert (request.kind, request.method, request.path, request.body) == (Kind.CANCEL, "DELETE", f"{PATH}/77", "")
    assert desk.answer(request, order()) == []
    (out,) = desk.event("cancel")
    assert isinstance(out, Canceled) and out.cum_qty == 0 and out.venue_cl_ord_id == C1
    assert desk.event("cancel") == []


def test_a_cancel_is_refused_once() -> None:
    """By the answer or by the channel, whichever comes first."""
    desk = Desk()
    desk.placed()
    (request,) = desk.send(CANCEL)
    (out,) = desk.refuse(request, "order-not-found")
    assert isinstance(out, CancelRejected) and out.reason is CxlRejReason.UNKNOWN_ORDER
    assert desk.event("cancel_reject") == []


@pytest.mark.parametrize("answer_first", [True, False])
def test_the_refusal_of_one_cancel_told_twice_does_not_refuse_the_next(answer_first: bool) -> None:
    """A client cancels again at once: what is still to be told of its first cancel says nothing of the second."""
    desk = Desk()
    desk.placed()
    again = msgspec.structs.replace(CANCEL)
    (first,) = desk.send(CANCEL)
    refused = desk.refuse(first, "order-not-found") if answer_first else desk.event("cancel_reject")
    assert [type(each) for each in refused] == [CancelRejected]
    (second,) = desk.send(again)
    assert (desk.event("cancel_reject") if answer_first else desk.refuse(first, "order-not-found")) == []
    (out,) = desk.refuse(second, "order-not-found")
    assert isinstance(out, CancelRejected)


def test_modify() -> None:
    """PUT with the whole order's volume; the event is the yes; what is left counts against the new volume."""
    desk = Desk()
    desk.placed()
    desk.event("partial_fill", "3")
    desk.moved("new", position("2", "65000"))
    (request,) = desk.send(replace(qty=8))
    assert (request.method, request.path) == ("PUT", f"{PATH}/77")
    assert json.loads(request.body) == {"volume": "8", "limit_price": "65000", "stop_price": "0.0"}
    assert desk.answer(request, order("6")) == []
    (out,) = desk.event("modify", "6")
    assert isinstance(out, Replaced) and out.venue_order_id == "77"
    desk.event("partial_fill", "5")
    (filled,) = desk.moved("modified", position("3", "65000"))
    assert isinstance(filled, Filled) and filled.last_qty == 1 and filled.cum_qty == 3


def test_a_fill_under_way_during_a_modify() -> None:
    """What was executed before the modify, and not told, is told by what it left."""
    desk = Desk()
    desk.placed()
    desk.send(replace(qty=8))
    assert kinds(desk.event("modify", "6")) == ["Replaced"]
    (filled,) = desk.moved("new", position("2", "65000"))
    assert isinstance(filled, Filled) and filled.cum_qty == 2 and not filled.complete


@pytest.mark.parametrize("first", ["answer", "channel"])
def test_a_modify_is_refused_once(first: str) -> None:
    """By the answer or by the channel, whichever comes first."""
    desk = Desk()
    desk.placed()
    (request,) = desk.send(replace())
    told = [lambda: desk.refuse(request, "invalid-volume", 400), lambda: desk.event("modify_reject")]
    outs = [each() for each in (told if first == "answer" else reversed(told))]
    assert kinds(outs[0]) == ["CancelRejected"] and outs[1] == []


def test_a_modify_taken_and_not_told_of_is_asked_about() -> None:
    """Its event is lost: after 2 s it is unknown."""
    desk = Desk()
    desk.placed()
    (request,) = desk.send(replace())
    desk.answer(request, order("8"))
    assert [each.order_id for each in desk.later(3 * S) if isinstance(each, Unanswered)] == ["1"]


def test_cancel_all() -> None:
    """The list, then each order, whoever placed it."""
    desk = Desk()
    (listing,) = desk.protocol.cancel_all(NOW)
    outs = desk.answer(listing, [order(), order(order_id=78, comment="by hand")])
    assert [each.path for each in outs] == [f"{PATH}/77", f"{PATH}/78"]
    assert desk.refuse(outs[0], "order-not-found") == []
    assert kinds(desk.refuse(outs[1], "market-closed", 400)) == ["Note"]


def test_orders_of_others_are_left_alone() -> None:
    """An order that nobody here placed is told of once, and its executions never."""
    desk = Desk()
    assert desk.event("new", order_id=99, comment="by hand") == []
    assert kinds(desk.later(3 * S)) == ["Note"]
    assert desk.event("partial_fill", "3", order_id=99, comment="by hand") == []
    assert desk.later(3 * S) == []


def test_inquiries() -> None:
    """Balances and positions as the stream told them, exact; open orders by a request; nothing from memory while the stream is down."""
    desk = Desk()
    told = {"balance": "1506.93744527", "equity": "1506.95849405", "margin": "229.35394987", "margin_free": "1277.60454418"}
    desk.say({"channel": f"account_{ID}", "data": told, "message_timestamp_ms": 1})
    desk.moved("new", position("1.0", "9292.5"))
    assert desk.protocol.inquire(1, "balances", {}, NOW) == [Told(1, (told,))]
    (positions,) = desk.protocol.inquire(2, "positions", {}, NOW)
    assert isinstance(positions, Told) and positions.rows[0]["price_open"] == "9292.5"
    (request,) = desk.protocol.inquire(3, "open-orders", {}, NOW)
    assert isinstance(request, Request)
    (orders,) = desk.answer(request, [order()])
    assert orders.ticket == 3 and orders.rows[0]["order_id"] == "77"
    (unknown,) = desk.protocol.inquire(4, "weather", {}, NOW)
    assert isinstance(unknown, Told) and unknown.error
    assert desk.protocol.closed("gone", NOW) == [LinkDown("acc", "gone")]
    (down,) = desk.protocol.inquire(5, "balances", {}, NOW)
    assert isinstance(down, Told) and down.error


def test_market_data() -> None:
    """Best prices of the book and the last trade; the book goes with the stream."""
    desk = Desk()
    levels = {"bids": [{"price": "2.1", "size": "3"}, {"price": "2.0", "size": "9"}], "asks": [{"price": "2.2", "size": "5.1"}]}
    desk.say({"channel": "order_book_BTCUSD_demo", "data": levels, "message_timestamp_ms": 1})
    desk.traded("8521.00", "1.2003")
    top = desk.protocol.top("BTCUSD")
    assert (top.bid, top.bid_qty, top.ask, top.ask_qty, top.last) == (D("2.1"), D(3), D("2.2"), D("5.1"), D("8521.00"))
    desk.protocol.closed("gone", NOW)
    assert desk.protocol.top("BTCUSD").bid is None


def test_nonsense_leads_to_fresh_snapshots() -> None:
    """A frame that cannot be read may have been an order's; what it told is found by the snapshots."""
    desk = Desk()
    desk.placed()
    desk.now += 2 * S
    outs = desk.say("{nonsense")
    assert isinstance(outs[0], Note)
    told = desk.confirm(outs, [order("3")], [position("2", "64990")])
    assert [(each.last_qty, each.last_px) for each in told if isinstance(each, Filled)] == [(D(2), D(64990))]


@pytest.mark.parametrize(
    "frame",
    [b"\xff", "[]", "1", "null", '{"channel": 5}', "{}", '{"response": 1}',
     '{"channel":"order_x","data":{}}', '{"response":{"message":null}}',
     f'{{"channel":"order_{ID}","data":{{"event_type":"new","order":{{"volume":1e999999}}}}}}',
     f'{{"channel":"positions_{ID}","data":{{"position":{{"position_id":1,"symbol":"X","side":"buy","volume":NaN}}}}}}',
     f'{{"channel":"order_{ID}","data":{{"event_type":"odd","order":{json.dumps(order())}}}}}', "[" * 100_000],
)  # fmt: skip
def test_nothing_from_the_wire_raises(frame: str | bytes) -> None:
    """Whatever comes, it is told or dropped, and the protocol lives on."""
    desk = Desk()
    desk.say(frame)
    assert desk.later(300 * MS) is not None
    assert isinstance(desk.send(place())[0], Request)
