"""The WebSocket without sockets: answers, subscriptions, books, ticks, and the faults on the order channel."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.faults import Fault
from bridges.matching import Side
from bridges.primebit.sim_feed import GARBAGE

from .sim_venue import ACCOUNT, KEY, NOW, ORDER_CHANNEL, ORDERS, OTHER, OTHER_KEY, SECRET, S, Venue, change, hmac_hex, signed

BOOK = "order_book_BTCUSD_demo"


@pytest.fixture
def venue() -> Venue:
    return Venue()


def answer(data, message, success=True, correlation_id=None):
    return {"correlation_id": correlation_id, "response": {"message": message, "success": success, "data": data}}


def test_pings_raw_and_structured(venue):
    """As in the document, with and without a correlation id."""
    session, line = venue.connect()
    session.receive("ping", NOW)
    assert line.sent.pop() == "pong"
    session.receive('{"method": "ping"}', NOW)
    session.receive('{"method": "ping", "correlation_id": "527d3d2b"}', NOW)
    assert line.take() == [answer(None, "pong"), answer(None, "pong", correlation_id="527d3d2b")]
    assert venue.tally.by_kind["ping"] == 3


def test_a_book_is_given_whole_and_again_when_it_changes(venue):
    """Prices and sizes as text, best first; not when nothing in it changes."""
    session, line = venue.connect()
    session.receive(json.dumps({"method": "subscribe", "params": [BOOK]}), NOW)
    book = {
        "bids": [{"price": "64990.0", "size": "1000.0"}, {"price": "64980.0", "size": "1000.0"}],
        "asks": [{"price": "65010.0", "size": "1000.0"}, {"price": "65020.0", "size": "1000.0"}],
    }
    assert line.take() == [answer(book, f"successfully subscribed to {BOOK}")]
    venue.place()
    book["bids"].insert(0, {"price": "65000.0", "size": "7.0"})
    assert line.take() == [{"channel": BOOK, "data": book, "message_timestamp_ms": NOW // 1_000_000}]
    venue.place(symbol="ETHUSD", limit_price="3500.0")
    venue.place(fill_type="immediate-or-cancel", comment="c2", limit_price="64000.0")
    assert line.take() == []


def test_a_book_is_told_32_levels_deep(venue):
    """What better levels push out comes back."""
    line = venue.subscribed(BOOK)
    for n in range(40):
        venue.place(limit_price=f"{64000 + n}.0", volume="1.0")
    bids = line.take()[-1]["data"]["bids"]
    assert (len(bids), bids[0]["price"], bids[-1]["price"]) == (32, "64990.0", "64010.0")
    venue.place(limit_price="63000.0")
    assert line.take() == []


def test_ticks_of_trades_and_of_the_best_prices(venue):
    """One market tick a trade, as in the sample; a fair one when the best bid or ask moves."""
    market, fair = "tick_BTCUSD_market_demo", "tick_BTCUSD_fair_demo"
    line = venue.subscribed(market, fair)
    venue.place(limit_price="65020.0", volume="1500.0")
    first, second, third = line.take()
    assert first == {
        "channel": market,
        "data": {"ask": None, "bid": None, "last": "65010.0", "timestamp_ms": NOW // 1_000_000, "volume": "1000.0"},
        "message_timestamp_ms": NOW // 1_000_000,
    }
    assert (second["data"]["last"], second["data"]["volume"]) == ("65020.0", "500.0")
    fair_data = {"ask": "65020.0", "bid": "64990.0", "last": "65005.0", "timestamp_ms": NOW // 1_000_000, "volume": None}
    assert (third["channel"], third["data"]) == (fair, fair_data)
    venue.place(limit_price="64000.0")
    assert line.take() == []
    venue.counterparty(Side.BUY, 10_000, 66_000)
    assert line.take()[-1]["data"] == fair_data | {"ask": None, "last": None}


@pytest.mark.parametrize("kind", ["market", "fair", "spot", "funding", "next-funding"])
def test_every_category_of_ticks_can_be_subscribed_to(venue, kind):
    """With no initial state."""
    session, line = venue.connect()
    venue.ask(session, "subscribe", f"tick_ETHUSD_{kind}_demo")
    assert line.take() == [answer(None, f"successfully subscribed to tick_ETHUSD_{kind}_demo")]


def test_private_channels_begin_with_their_state(venue):
    """Open orders, positions, money."""
    venue.place()
    venue.place(comment="c2", limit_price="65010.0")
    session, line = venue.connect()
    for kind in ("order", "positions", "account"):
        venue.ask(session, "subscribe", f"{kind}_{ACCOUNT}")
    orders, positions, account = (each["response"]["data"] for each in line.take())
    assert [each["comment"] for each in orders] == ["c1"]
    assert [(each["symbol"], each["side"], each["volume"]) for each in positions] == [("BTCUSD", "buy", "7.0")]
    assert account == {"balance": "10000000.0", "equity": "10000000.0", "margin": "9100.7", "margin_free": "9990899.3"}


def test_an_event_is_as_in_the_document(venue):
    """Event type and order, on the account's channel."""
    line = venue.subscribed()
    order = venue.place()
    _, event = line.take()
    assert event == {"channel": ORDER_CHANNEL, "data": {"event_type": "new", "order": order}, "message_timestamp_ms": NOW // 1_000_000}


@pytest.mark.parametrize(
    "changes",
    [
        {"api-key": "nobody"},
        {"api-key": None},
        {"api-key": 7},
        {"signature": "0" * 64},
        {"signature": None},
        {"signature": "\ud800"},
        {"signature": hmac_hex(str(NOW // S)).upper()},
        {"signature": hmac_hex(f"{KEY}{NOW // S}")},
        {"timestamp": None},
        {"timestamp": NOW // S},
        {"timestamp": str(NOW // S + 1)},
        {"timestamp": str(NOW // S - 31), "signature": hmac_hex(str(NOW // S - 31))},
    ],
)
def test_a_private_channel_needs_a_signature_of_its_timestamp(venue, changes):
    """Nothing is subscribed otherwise, and the connection stays."""
    session, line = venue.connect()
    venue.ask(session, "subscribe", ORDER_CHANNEL, **changes)
    (message,) = line.take()
    assert (message["response"]["success"], message["response"]["data"]) == (False, None)
    assert message["response"]["message"].startswith("unauthorized")
    assert (session.channels, venue.tally.rejected_signatures) == (set(), 1)
    assert SECRET not in json.dumps(message)
    venue.ask(session, "subscribe", ORDER_CHANNEL)
    assert session.channels == {ORDER_CHANNEL}


def test_another_accounts_channel_is_forbidden(venue):
    """With a good signature; and nobody hears of another's orders."""
    session, line = venue.connect()
    venue.ask(session, "subscribe", f"order_{OTHER}")
    assert line.take()[0]["response"]["message"].startswith("forbidden")
    timestamp = str(NOW // S)
    fields = {"api-key": OTHER_KEY, "timestamp": timestamp, "signature": hmac_hex(timestamp, SECRET + "2")}
    venue.ask(session, "subscribe", f"order_{OTHER}", **fields)
    assert line.take()[0]["response"]["success"]
    venue.place()
    assert line.take() == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PING",
        "no JSON",
        "[]",
        "{}",
        '{"method":7}',
        '{"method":"login"}',
        '{"method":"subscribe"}',
        '{"method":"subscribe","params":[]}',
        '{"method":"subscribe","params":"order_book_BTCUSD_demo"}',
        '{"method":"subscribe","params":["order_book_BTCUSD_demo","order_book_ETHUSD_demo"]}',
        '{"method":"subscribe","params":["order_book_BTCUSD_live"]}',
        '{"method":"subscribe","params":["order_book_LTCUSD_demo"]}',
        '{"method":"unsubscribe","params":["nothing"]}',
        '{"method":"subscribe","params":["order_book_BTCUSD_demo"],"id":1}',
        '{"method":"ping","correlation_id":7}',
        "[" * 100_000,
        '{"method":' + "9" * 5000 + "}",
    ],
)
def test_what_is_not_understood_is_answered_and_survived(venue, text):
    """`success` false, with the fault in words."""
    session, line = venue.connect()
    session.receive(text, NOW)
    (message,) = line.take()
    assert message == answer(None, message["response"]["message"], success=False)
    assert message["response"]["message"]
    assert session.channels == set()
    session.receive("ping", NOW)
    assert line.sent == ["pong"]


def test_a_fault_is_told_with_its_correlation_id(venue):
    """So that the client knows which request it was."""
    session, line = venue.connect()
    session.receive('{"method":"subscribe","params":["nothing"],"correlation_id":"a"}', NOW)
    (message,) = line.take()
    assert message == answer(None, "invalid-field: params: there is no such channel", success=False, correlation_id="a")


def test_unsubscribing_ends_a_channel(venue):
    """Without a signature, and with success where there was nothing to end."""
    line = venue.subscribed()
    (session,) = venue.sessions
    for _ in range(2):
        session.receive(json.dumps({"method": "unsubscribe", "params": [ORDER_CHANNEL]}), NOW)
        assert line.take() == [answer(None, f"successfully unsubscribed {ORDER_CHANNEL}")]
    venue.place()
    assert line.take() == []


@settings(max_examples=200)
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_no_text_raises(value):
    """Whatever JSON it is, wherever in a request it stands."""
    venue = Venue()
    session, line = venue.connect()
    session.receive(json.dumps(value), NOW)
    for name in ("method", "params", "correlation_id", "api-key", "timestamp", "signature"):
        session.receive(json.dumps({"method": "subscribe", "params": [ORDER_CHANNEL], name: value}), NOW)
    session.receive(json.dumps({"method": "subscribe", "params": [value]}), NOW)
    assert len(line.sent) == 8


# Faults


def test_a_duplicated_event_is_the_same_text_twice(venue):
    """One event for each time it was asked for."""
    line = venue.subscribed()
    venue.faults.post(Fault("duplicate_event", 3))
    venue.place(limit_price="65010.0")
    assert [event for event, *_ in line.events()] == ["new_request", "new_request", "new", "new", "fill", "fill"]
    venue.place(comment="c2")
    assert len(line.take()) == 2


def test_reordered_events_change_places(venue):
    """The second comes before the first."""
    line = venue.subscribed()
    venue.faults.post(Fault("reorder_events", match="stream"))
    venue.place()
    assert [event for event, *_ in line.events()] == ["new", "new_request"]


def test_garbage_comes_before_the_event_and_loses_nothing(venue):
    """One text that is no JSON, one that is nothing known; `any` meets the stream where somebody listens."""
    for match in ("stream", "any"):
        line = venue.subscribed()
        venue.faults.post(Fault("garbage", match=match))
        venue.place()
        assert tuple(line.sent[:2]) == GARBAGE
        del line.sent[:2]
        assert [event for event, *_ in line.events()] == ["new_request", "new"]
        assert not venue.faults


def test_an_event_may_be_lost_or_late(venue):
    """drop_reply and delay with match stream; the request's own answer is not touched."""
    line = venue.subscribed()
    venue.faults.post(Fault("drop_reply", match="stream"))
    assert "order_id" in venue.place()
    assert line.events() == [("new", "c1", "7.0")]
    venue.faults.post(Fault("delay", delay_s=2, match="stream"))
    venue.place(comment="c2")
    assert line.events() == [("new", "c2", "7.0")]
    assert venue.feed.due_ns == NOW + 2 * S
    venue.feed.tick(NOW + 2 * S - 1)
    assert line.events() == []
    venue.feed.tick(NOW + 2 * S)
    assert line.events() == [("new_request", "c2", "7.0")]


def test_a_fault_waits_for_somebody_to_meet(venue):
    """It is not used up while nobody is subscribed, nor by other channels."""
    venue.faults.post(Fault("duplicate_event"))
    positions = venue.subscribed(f"positions_{ACCOUNT}")
    venue.place(limit_price="65010.0")
    assert len(positions.take()) == 1
    line = venue.subscribed()
    venue.place(comment="c2")
    assert len(line.take()) == 3


def test_matches_narrow_a_fault_to_what_a_request_caused(venue):
    """`cancel` leaves a new order's alone, and takes a modification's."""
    line = venue.subscribed()
    venue.faults.post(Fault("duplicate_event", 2, match="cancel"))
    path = venue.placed()
    assert len(line.take()) == 2
    venue.call("PUT", path, change("9.0"))
    venue.handle(signed("DELETE", f"{ORDERS}/{path.rpartition('/')[2]}"))
    assert [event for event, *_ in line.events()] == ["modify", "modify", "cancel", "cancel"]
