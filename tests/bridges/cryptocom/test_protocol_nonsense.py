"""The Crypto.com protocol's public stream, and what comes of nonsense: it never raises."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.cryptocom import calls
from bridges.cryptocom.reading import Status
from bridges.wire import Answer, Frame, Note, Reconnect

from .rig import BIG, SECOND, START, TRADE, D, ask, cancel, open_order, place, protocol, requests, row, up

# --- the stream


def frame(message) -> bytes:
    return gzip.compress(message if isinstance(message, bytes) else json.dumps(message).encode(), mtime=0)


def test_the_stream_keeps_best_prices_and_last_trades():
    the = up(protocol())
    channels = [json.loads(out.text)["params"]["channel"] for out in the.opened(START)]
    assert channels == ["market_btcusdt_depth_step0", "market_btcusdt_trade_ticker"]
    push = lambda channel, tick: the.receive(frame({"channel": channel, "ts": 1, "tick": tick}), START)  # noqa: E731
    assert push(channels[0], {"side": "asks", "price": 1, "volume": 1}) == [] and the.top("btcusdt").ask is None
    assert push(channels[0], {"asks": [[22112.22, 0.9332], [22112.21, 0.2]], "buys": [[22111.22, 0.9332], [22111.21, 0.2]]}) == []
    top = the.top("btcusdt")
    assert (top.ask, top.ask_qty) == (D("22112.21"), D("0.2")) and (top.bid, top.bid_qty) == (D("22111.22"), D("0.9332"))
    push(channels[0], {"side": "asks", "price": 22112.21, "volume": 0})
    push(channels[0], {"side": "buys", "price": 22111.50, "volume": 3})
    top = the.top("btcusdt")
    assert (top.ask, top.ask_qty) == (D("22112.22"), D("0.9332")) and (top.bid, top.bid_qty) == (D("22111.5"), D(3))
    push(channels[1], {"id": 2, "ts": 1, "data": [{"id": 2, "price": 32.233, "vol": 232}, {"id": 1, "price": 1, "vol": 1}]})
    assert the.top("btcusdt").last == D("32.233")
    assert [type(out) for out in the.closed("gone", START)] == [Note] and the.top("btcusdt").bid is None


def test_a_ping_is_answered_with_its_own_number():
    assert protocol().receive(frame({"ping": BIG}), START) == [Frame(json.dumps({"pong": BIG}))]
    assert protocol().receive('{"ping": 5}', START) == [Frame('{"pong": 5}')]


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"\x00\xffnot gzip", frame(b"{"), frame(b"[]"), frame({"ping": "1"}), frame({"ping": True}), frame({"ping": 1})[:-4],
        frame(b'{"a":"' + b" " * 11_000_000 + b'"}'),
    ],
)  # fmt: skip
def test_a_bad_frame_reopens_the_stream_and_leaves_the_link(bad):
    the = up(protocol())
    the.opened(START)
    assert [type(out) for out in the.receive(bad, START)] == [Reconnect]


def test_silence_reopens_the_stream():
    the = up(protocol())
    the.opened(START)
    the.receive(frame({"ping": 1}), START + 5 * SECOND)
    assert not [out for out in the.tick(START + 24 * SECOND) if isinstance(out, Reconnect)]
    assert len([out for step in range(25, 60) for out in the.tick(START + step * SECOND) if isinstance(out, Reconnect)]) == 1


# --- nonsense

_KEYS = st.sampled_from([
    "amount_precision", "asks", "avg_price", "buys", "channel", "code", "coin", "coin_list", "count", "created_at", "ctime", "data",
    "deal_volume", "fee", "feeCoin", "id", "locked", "msg", "normal", "orderList", "order_id", "order_info", "ping", "price",
    "price_precision", "resultList", "side", "status", "symbol", "tick", "tradeList", "trade_list", "type", "vol", "volume",
])  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS | st.text(max_size=3), inner, max_size=6),
    max_leaves=20,
)
_ODD = st.sampled_from(["1e999999999999", "-1", "0E-99", "٣", "1_0", "Infinity", "", None, True, 10**400, -5, [], {}, "x\x01y", "\ud800"])
_STATUSES = st.sampled_from([200, 200, 200, 400, 401, 403, 429, 500, 503, 0])


def _paths():
    """A protocol with every kind of request under way."""
    the, look = open_order()
    opened = [*the.send(place("2"), START), *the.send(cancel(str(BIG)), START), *the.send(ask(place("3")), START), look]
    return the, [*requests(opened), calls.login(), calls.read_symbols(), calls.list_open("btcusdt", 1)]


@given(st.integers(0, 6), _STATUSES, st.binary(max_size=60) | _JSON.map(lambda data: json.dumps(data).encode()))
def test_no_answer_raises(which, status, body):
    the, under_way = _paths()
    the.answered(under_way[which], Answer(status, {}, body), START)
    the.tick(START + SECOND)


@given(st.integers(0, 6), _JSON)
def test_no_data_of_a_success_raises(which, data):
    the, under_way = _paths()
    the.answered(under_way[which], Answer(200, {}, json.dumps({"code": "0", "msg": "suc", "data": data}).encode()), START)
    the.tick(START + SECOND)


@given(st.lists(st.tuples(_KEYS, _ODD), max_size=3), st.lists(st.tuples(_KEYS, _ODD), max_size=2), st.sampled_from(Status))
def test_no_odd_value_in_a_row_raises(info, trade, status):
    the, look = open_order()
    told = row(int(status), "0.5", [TRADE | dict(trade)])
    told["order_info"] |= dict(info)
    the.answered(look, Answer(200, {}, json.dumps({"code": "0", "msg": "suc", "data": told}).encode()), START)
    [search] = requests(the.send(ask(place("3")), START), "Orders")
    page = {"count": 1, "resultList": [told["order_info"]]}
    the.answered(search, Answer(200, {}, json.dumps({"code": "0", "msg": "suc", "data": page}).encode()), START)


@given(st.binary(max_size=60) | st.text(max_size=60) | _JSON.map(frame) | _JSON.map(json.dumps))
def test_no_frame_raises(said):
    the = up(protocol())
    the.opened(START)
    the.receive(said, START)


@given(st.dictionaries(_KEYS, _JSON, max_size=4), st.sampled_from(["depth_step0", "trade_ticker", "kline"]))
def test_no_tick_raises(tick, kind):
    the = up(protocol())
    the.opened(START)
    the.receive(frame({"channel": f"market_btcusdt_{kind}", "tick": tick}), START)
