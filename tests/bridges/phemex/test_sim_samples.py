"""The simulator's messages beside the document's own: the same keys, and values of the same kinds."""

import json
from typing import Any

import pytest

from bridges.matching import Side

from .venue import NOW, Venue, body, sample


def shape(value: Any) -> Any:
    """Keys and kinds of a JSON value; a list's are those of its first item."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def row_shape(row: list[Any]) -> list[str]:
    """A tuple written as a list: every place counts."""
    return [type(each).__name__ for each in row]


@pytest.fixture
def venue() -> Venue:
    return Venue()


def test_a_ping_is_answered_as_in_the_document(venue):
    """Letter for letter, without spaces."""
    session, line = venue.connect()
    session.receive(json.dumps(sample("ping_request")), NOW)
    assert line.sent == [json.dumps(sample("ping_response"), separators=(",", ":"))]


@pytest.mark.parametrize("name", ["orderbook_subscribe_request", "orderbook_unsubscribe_request"])
def test_a_subscription_is_answered_as_in_the_document(venue, name):
    """The id comes back."""
    session, line = venue.connect()
    text = json.dumps(sample(name)).replace("<symbol>", "BTCUSD")
    session.receive(text, NOW)
    assert line.take()[0] == sample("subscribe_response")


def test_the_documents_user_auth_is_understood_and_its_expiry_is_not_seconds(venue):
    """157009123213 is neither seconds nor milliseconds of any year near: 6012, and not 6001."""
    session, line = venue.connect()
    session.receive(json.dumps(sample("auth_request")), NOW)
    (answer,) = line.take()
    assert (answer["id"], answer["error"]["code"], answer["result"]) == (1234, 6012, None)


def test_the_documents_orders_are_understood(venue):
    """Both bodies that it shows, once the price is one that this book's contract allows."""
    assert venue.call("POST", "/orders", "", json.dumps(sample("place_order")).encode())[1]["code"] == 0
    again = sample("signature_body") | {"clOrdID": "another"}
    assert venue.call("POST", "/orders", "", json.dumps(again).encode())[1]["code"] == 0


def test_the_orderbook_messages_have_the_documents_form(venue):
    """Numbers, best first, "depth" a number though the format writes it as text."""
    line = venue.subscribed()
    session, line = venue.connect()
    venue.ask(session, "orderbook.subscribe", "BTCUSD")
    _, snapshot = line.take()
    assert shape(snapshot) == shape(sample("orderbook_snapshot"))
    for side in ("asks", "bids"):
        assert {tuple(row_shape(each)) for each in snapshot["book"][side]} == {("int", "int")}
    venue.exchange.trade("BTCUSD", Side.BUY, 1, 650_100_000, NOW)
    venue.feed.publish(NOW)
    (increment,) = line.take()
    assert shape(increment) == shape(sample("orderbook_incremental"))
    assert increment["book"] == {"asks": [[650_100_000, 999]], "bids": []}


def test_the_trade_messages_have_the_documents_form(venue):
    """Of the sample, not of the format above it, which says "trade"."""
    session, line = venue.connect()
    venue.exchange.trade("BTCUSD", Side.BUY, 1, 650_100_000, NOW)
    venue.feed.publish(NOW)
    venue.ask(session, "trade.subscribe", "BTCUSD")
    _, snapshot = line.take()
    venue.exchange.trade("BTCUSD", Side.SELL, 2, 649_900_000, NOW)
    venue.feed.publish(NOW)
    (increment,) = line.take()
    for ours, name in ((snapshot, "trade_snapshot"), (increment, "trade_incremental")):
        theirs = sample(name)
        assert list(ours) == list(theirs)
        assert row_shape(ours["trades"][0]) == row_shape(theirs["trades"][0])
        assert ours["type"] == theirs["type"]
    assert snapshot["trades"] == [[NOW, "buy", "650100000", "1"]]
    assert increment["trades"] == [[NOW, "sell", "649900000", "2"]]


def test_aop_has_exactly_the_documents_keys_and_kinds(venue):
    """Of accounts, orders and positions, in a snapshot and in an increment."""
    theirs = sample("aop_incremental")
    line = venue.subscribed()
    venue.place(symbol="ETHUSD", priceEp=35_000_000, timeInForce="PostOnly", side="Sell", orderQty=297)
    (increment,) = line.take()
    session, line = venue.connect()
    session.user_id = 60463
    venue.ask(session, "aop.subscribe")
    _, _, snapshot = line.take()
    for ours in (increment, snapshot):
        assert list(ours) == list(theirs)
        assert shape(ours) == shape(theirs)
        for part in ("accounts", "orders", "positions"):
            assert list(ours[part][0]) == list(theirs[part][0])
    assert (increment["type"], snapshot["type"]) == ("incremental", "snapshot")
    same = ("action", "code", "cxlRejReason", "execID", "execStatus", "message", "nthItem", "ordStatus", "ordType")
    same += ("orderQty", "leavesQty", "side", "symbol", "timeInForce", "totalItems", "execQty", "cumQty")
    for name in same:
        assert increment["orders"][0][name] == theirs["orders"][0][name], name


def test_the_body_of_these_tests_is_the_documents(venue):
    """So that every other test places orders as the document does."""
    assert list(json.loads(body())) == list(sample("place_order"))
