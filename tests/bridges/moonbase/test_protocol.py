"""Moonbase's protocol: logging on, placing, canceling, what is told of orders, and nonsense."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal as D
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.moonbase.protocol import CAPABILITIES, MoonbaseProtocol
from bridges.wire import MAIN, Frame, Note, Reconnect, VenueProtocol
from router.model import (
    Accepted,
    Canceled,
    CancelRejected,
    Filled,
    LinkDown,
    LinkUp,
    NotSent,
    Rejected,
    Remembered,
    Stated,
    Unanswered,
)
from router.words import CxlRejReason, OrdStatus, OrdType, Side, TimeInForce
from tests.bridges.moonbase.desk import CANCELLED, ETC, NOW, ORDERS, TRADES, Desk, S, ask, cancel, place, row


def only(outs: list[Any], kind: type) -> Any:
    """The one of its kind."""
    (one,) = [each for each in outs if isinstance(each, kind)]
    return one


# --- the connection -----------------------------------------------------------------------------------------------------


def test_the_address_is_signed_as_the_document_says() -> None:
    """Document, "Algorithm": HMAC-SHA256 over the request line of GET /users/verify and its query."""
    protocol = MoonbaseProtocol("acc", "XXX", "secret", [ETC])
    suffix = protocol.address(MAIN, 1_550_000_000 * S).suffix
    signed = hmac.new(b"secret", b"GET\n/users/verify\nkey=XXX&timestamp=1550000000", hashlib.sha256).hexdigest()
    assert suffix == f"?vsn=1.0.0&key=XXX&timestamp=1550000000&signature={signed}"
    assert parse_qs(protocol.address(MAIN, 1_550_000_001 * S).suffix[1:])["timestamp"] == ["1550000001"]
    assert "secret" not in repr(protocol)


def test_it_satisfies_the_contract() -> None:
    """The protocol is a `VenueProtocol`, and says that it keeps no id of ours."""
    protocol: VenueProtocol = MoonbaseProtocol("acc", "k", "s", [ETC])
    assert protocol.budgets[0].requests == 300
    assert (CAPABILITIES.client_id, CAPABILITIES.post_only, CAPABILITIES.times_in_force) == (False, False, (TimeInForce.GTC,))


def test_the_link_is_up_when_the_snapshot_is_here() -> None:
    """Not when the socket is open; the join is remembered before its frame leaves; trades follow after that."""
    desk = Desk(up=False)
    outs = desk.protocol.opened(NOW)
    assert [type(each) for each in outs] == [Remembered, Frame]
    desk.do(outs)
    assert desk.sent[-1]["payload"] == {"status": None, "limit": 1000}
    assert desk.sent[-1]["ref"] == desk.sent[-1]["join_ref"]
    assert desk.join() == [LinkUp("acc")]
    assert desk.sent[-1]["topic"] == TRADES


def test_a_silent_venue_is_left() -> None:
    """A heartbeat every 20 s; without an answer within 10 s the connection is opened anew, and no order leaves meanwhile."""
    desk = Desk()
    desk.reply([], desk.last(TRADES))
    desk.now += 20 * S
    assert desk.do(desk.protocol.tick(desk.now)) == []
    assert desk.last("phoenix", "heartbeat")
    desk.now += 10 * S
    assert [type(each) for each in desk.do(desk.protocol.tick(desk.now))] == [Reconnect]
    assert isinstance(only(desk.send(place()), NotSent), NotSent)


def test_a_join_without_an_answer_is_not_waited_for_for_ever() -> None:
    """10 s, then a new connection."""
    desk = Desk(up=False)
    desk.connect()
    assert [type(each) for each in desk.wait(10 * S)] == [Reconnect]


# --- placing ------------------------------------------------------------------------------------------------------------


def test_a_place_is_answered_with_the_id() -> None:
    """The document's frames: the reply is matched by ref, and gives the order's id."""
    desk = Desk()
    assert desk.send(place()) == []
    frame = desk.sent[-1]
    assert (frame["topic"], frame["event"], frame["join_ref"]) == (ORDERS, "place", desk.last()["ref"])
    assert frame["payload"] == {"limit_price": 1, "requested_amount": 1}
    accepted = only(desk.reply(row()), Accepted)
    assert (accepted.venue_cl_ord_id, accepted.venue_order_id) == ("c1", "10")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"side": Side.SELL, "order_qty": D("1E-8")}, '{"limit_price":1,"requested_amount":-0.00000001}'),
        ({"price": D("0.1234567890123456789012345678")}, '{"limit_price":0.1234567890123456789012345678,"requested_amount":1}'),
        ({"ord_type": OrdType.MARKET, "price": None}, '{"requested_amount":1}'),
        ({"ord_type": OrdType.STOP, "price": None, "stop_px": D("2.50")}, '{"trigger_price":2.50,"requested_amount":1}'),
        ({"ord_type": OrdType.STOP_LIMIT, "stop_px": D(2)}, '{"limit_price":1,"trigger_price":2,"requested_amount":1}'),
        (
            {"side": Side.SELL, "order_qty": D("12345678901234567890.123456789")},
            '{"limit_price":1,"requested_amount":-12345678901234567890.123456789}',
        ),
    ],
)  # fmt: skip
def test_numbers_go_out_in_full_digits(more: dict[str, Any], said: str) -> None:
    """The side is the sign; no exponent, no float, nothing rounded."""
    (frame,) = Desk(trades=True).protocol.send(place(**more), NOW)
    assert isinstance(frame, Frame)
    assert frame.text.endswith(f'"payload":{said}}}')


@pytest.mark.parametrize(
    "more",
    [
        {"time_in_force": TimeInForce.IOC}, {"post_only": True}, {"reduce_only": True}, {"order_qty": None, "cash_order_qty": D(5)},
        {"price": None}, {"ord_type": OrdType.STOP, "stop_px": D(2)}, {"symbol": "NO:SUCH"}, {"side": Side.SELL_SHORT},
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_not_sent(more: dict[str, Any]) -> None:
    """A certain no, and no frame."""
    desk = Desk()
    before = len(desk.sent)
    assert only(desk.send(place(**more)), NotSent).place
    assert len(desk.sent) == before


def test_nothing_is_placed_while_the_link_is_down() -> None:
    """Not before the snapshot, and not after the end."""
    desk = Desk(up=False)
    assert only(desk.send(place()), NotSent).place
    desk.connect()
    assert only(desk.send(place()), NotSent).place
    desk.join()
    desk.lose()
    assert only(desk.send(place()), NotSent).place


def test_silence_is_neither_yes_nor_no() -> None:
    """5 s without a reply: unanswered, once; a reply that comes late still names the order."""
    desk = Desk()
    desk.send(place())
    frame = desk.sent[-1]
    assert desk.wait(5 * S - 1) == []
    assert only(desk.wait(1), Unanswered).order_id == "1"
    assert desk.wait(5 * S) == []
    assert only(desk.reply(row(), frame), Accepted).venue_order_id == "10"


def test_a_lost_connection_leaves_a_place_unknown() -> None:
    """First the link is down, then the order is unknown: so nobody asks on a dead link."""
    desk = Desk()
    desk.send(place())
    assert [type(each) for each in desk.lose()] == [LinkDown, Unanswered]


def test_the_venues_no_is_a_reject() -> None:
    """With its type and details as the text."""
    desk = Desk()
    desk.send(place())
    rejected = only(desk.refuse("insufficient_funds", asset="BTC_D"), Rejected)
    assert (rejected.venue_cl_ord_id, rejected.text) == ("c1", "insufficient_funds asset: BTC_D")


@pytest.mark.parametrize(
    "payload",
    [
        {"status": "error", "type": "internal_server_error", "details": {}}, {"status": "maybe"}, {}, {"status": "ok", "response": {}},
        {"status": "ok", "response": row(id="ten")}, {"status": "ok", "response": None},
    ],
)  # fmt: skip
def test_an_answer_that_says_neither_leaves_the_place_unknown(payload: dict[str, Any]) -> None:
    """A failure of the server's own, or what cannot be read, is not a no."""
    desk = Desk()
    desk.send(place())
    assert [type(each) for each in desk.answer(payload)] == [Unanswered]


def test_over_the_limit_is_a_no_and_closes_new_orders_for_as_long() -> None:
    """Document, "Rate limits": retry_after is heeded; cancels go on."""
    desk = Desk(trades=True)
    desk.live()
    desk.send(place(order_id="2", venue_cl_ord_id="c2"))
    assert "retry_after: 30" in only(desk.refuse("rate_limit_exceeded", retry_after=30), Rejected).text
    assert "20:38" in only(desk.send(place(order_id="3")), NotSent).text
    assert desk.send(cancel()) == []
    desk.wait(31 * S)
    assert desk.send(place(order_id="4", venue_cl_ord_id="c4")) == []


def test_an_upsert_before_the_reply_is_kept_until_the_reply_names_the_order() -> None:
    """Either may come first; the acceptance is told first."""
    desk = Desk()
    desk.send(place())
    frame = desk.sent[-1]
    assert desk.upsert(row(filled_amount=0.25, filled_total=0.25)) == []
    accepted, filled = desk.reply(row(), frame)
    assert isinstance(accepted, Accepted) and isinstance(filled, Filled)
    assert (filled.last_qty, filled.last_px, filled.cum_qty, filled.complete) == (D("0.25"), D(1), D("0.25"), False)


def test_an_order_placed_elsewhere_makes_no_events() -> None:
    """It is not adopted, in the snapshot or after."""
    desk = Desk(snapshot=(row(id=77),))
    assert desk.upsert(row(id=77, filled_amount=1.0, filled_total=1.0, is_active=False)) == []


def test_a_place_waits_for_a_join_that_is_under_way() -> None:
    """It leaves when the channel is joined, on the new join_ref; and never, if that takes too long."""
    desk = Desk(trades=True)
    desk.say(ORDERS, "phx_error", {}, None, desk.last()["ref"])
    assert desk.joins() == 2
    assert desk.send(place()) == []
    assert desk.send(place(order_id="2", venue_cl_ord_id="c2")) == []
    desk.join()
    assert [each["join_ref"] for each in desk.sent[-2:]] == [desk.last()["ref"]] * 2
    desk.say(ORDERS, "phx_error", {}, None, desk.last()["ref"])
    desk.send(place(order_id="3", venue_cl_ord_id="c3"))
    assert "3" in [each.order_id for each in desk.wait(2 * S) if isinstance(each, NotSent)]


# --- canceling ----------------------------------------------------------------------------------------------------------


def test_a_cancel_is_answered_by_the_row() -> None:
    """The document's reply shows the end; the upsert that says the same again says nothing new."""
    desk = Desk()
    desk.live()
    assert desk.send(cancel()) == []
    assert (desk.sent[-1]["event"], desk.sent[-1]["payload"]) == ("cancel", {"id": 10})
    canceled = only(desk.reply(row(**CANCELLED)), Canceled)
    assert (canceled.cum_qty, canceled.venue_cl_ord_id) == (D(0), "c1")
    assert desk.upsert(row(**CANCELLED)) == []


def test_a_refused_cancel_is_told_with_its_reason() -> None:
    """Of an order that ended: too late; of one that it does not know: unknown."""
    desk = Desk()
    desk.live()
    desk.send(cancel())
    assert only(desk.refuse("order_not_found"), CancelRejected).reason is CxlRejReason.UNKNOWN_ORDER
    desk.send(cancel())
    frame = desk.sent[-1]
    desk.upsert(row(filled_amount=1.0, filled_total=1.0, is_active=False))
    assert only(desk.refuse("invalid", frame), CancelRejected).reason is CxlRejReason.TOO_LATE


def test_a_cancel_that_cannot_leave_says_so() -> None:
    """Without an id, and without a connection."""
    desk = Desk()
    assert not only(desk.send(cancel(None)), NotSent).place
    desk.lose()
    assert not only(desk.send(cancel()), NotSent).place


def test_a_cancel_without_an_answer_is_unknown() -> None:
    """After 5 s; the router asks and repeats."""
    desk = Desk()
    desk.live()
    desk.send(cancel())
    assert only(desk.wait(5 * S), Unanswered).order_id == "1"


def test_cancel_all_cancels_every_open_order_that_is_seen() -> None:
    """Whoever placed it; those that are over are left alone."""
    desk = Desk(
        snapshot=(row(id=30), row(id=29, is_active=False, filled_amount=1.0, filled_total=1.0), row(id=28, **CANCELLED)), trades=True
    )
    desk.live()
    before = len(desk.sent)
    assert desk.do(desk.protocol.cancel_all(desk.now)) == []
    assert sorted(each["payload"]["id"] for each in desk.sent[before:]) == [10, 30]
    assert only(desk.reply(row(**CANCELLED), next(each for each in desk.sent[before:] if each["payload"]["id"] == 10)), Canceled)


# --- nonsense -----------------------------------------------------------------------------------------------------------

NONSENSE = [
    "", "{", "[]", "null", "17", b"\xff\xfe", '{"topic":1,"event":2}',
    '{"topic":"/orders/ETC_D:BTC_D","event":"upsert","payload":{"data":5}}',
    '{"topic":"/orders/ETC_D:BTC_D","event":"upsert","payload":{"data":[{"id":10,"filled_amount":1e999999999}]}}',
    '{"topic":"/trades/ETC_D:BTC_D","event":"insert","payload":{"data":[{}]}}', '{"topic":"phoenix","event":"phx_reply","ref":NaN}',
    '{"topic":"/orders/ETC_D:BTC_D","event":"upsert","payload":{"data":[' + json.dumps(row(filled_amount=0.5)) + "]}}", "[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("frame", NONSENSE)
def test_nonsense_is_noted_and_makes_the_channel_doubtful(frame: str | bytes) -> None:
    """No event comes of it; the next question is answered by a fresh snapshot."""
    desk = Desk(trades=True)
    desk.live()
    assert {type(each) for each in desk.do(desk.protocol.receive(frame, NOW))} == {Note}
    desk.send(ask("10"))
    assert desk.joins() == 2
    assert only(desk.join(row()), Stated).status is OrdStatus.NEW


KEYS = [*row(), "data", "status", "response", "type", "details", "retry_after"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([ORDERS, TRADES, "/balances", "phoenix", "/x"]),
            st.sampled_from(["phx_reply", "upsert", "insert", "phx_error", "phx_close"]),
            VALUES, st.sampled_from([None, "1", "2", "3", "4", "5"]),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_no_frame_raises(frames: list[Any]) -> None:
    """Whatever comes, in any order, with orders and questions under way."""
    desk = Desk(trades=True)
    desk.live()
    desk.send(place(order_id="2", venue_cl_ord_id="c2"))
    desk.do(desk.protocol.inquire(1, "balances", {}, NOW))
    for topic, event, payload, ref in frames:
        desk.say(topic, event, payload, ref, ref)
        desk.send(ask("10"))
    desk.wait(S)
