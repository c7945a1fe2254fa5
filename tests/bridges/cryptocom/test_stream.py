"""The WebSocket without sockets: pings, subscriptions, both order books, faults."""

import gzip
import json

import pytest

from bridges.cryptocom.sim_stream import GARBAGE
from bridges.matching import Side

from .venue import D, Desk, limit

DEPTH = "market_btcusdt_depth_step0"
TRADES = "market_btcusdt_trade_ticker"


def rebuilt(frames) -> dict[str, dict]:
    """The book that a client has after these frames."""
    book: dict[str, dict] = {}
    for frame in frames:
        tick = frame["tick"]
        if "side" in tick:
            book[tick["side"]][tick["price"]] = tick["volume"]
            book[tick["side"]] = {price: volume for price, volume in book[tick["side"]].items() if volume}
        else:
            book = {side: dict(tick[side]) for side in ("asks", "buys")}
    return book


def test_a_ping_wants_the_same_number_back():
    """Whoever is silent, or answers another number, is cut off."""
    desk = Desk()
    good, silent, wrong, text = (desk.stream() for _ in range(4))
    assert good.tick(4999) == []
    for viewer in (silent, wrong, text):
        viewer.tick()
    (ping,) = good.tick(1)
    assert ping == {"ping": desk.now_ms}
    for viewer in (silent, wrong, text):
        assert viewer.tick() == [ping]
    good.stream.receive(json.dumps({"pong": desk.now_ms}), desk.now_ms)
    wrong.stream.receive(json.dumps({"pong": desk.now_ms + 1}), desk.now_ms)
    text.stream.receive(json.dumps({"pong": str(desk.now_ms)}), desk.now_ms)
    desk.now_ms += 9999
    for viewer in (silent, wrong, text):
        assert viewer.tick() == []
        assert not viewer.stream.closed
        desk.now_ms += 1
        viewer.tick()
        assert viewer.stream.closed
        desk.now_ms -= 1
    assert good.tick() == [{"ping": desk.now_ms}]
    assert not good.stream.closed


def test_frames_are_gzip_and_the_clients_are_text():
    """A binary frame is not understood."""
    desk = Desk()
    viewer = desk.stream()
    viewer.stream.receive(json.dumps({"event": "req", "params": {"channel": "review"}}), desk.now_ms)
    (frame,) = viewer.stream.take_output()
    assert json.loads(gzip.decompress(frame))["channel"] == "review"
    viewer.stream.receive(gzip.compress(b'{"pong":1}'), desk.now_ms)
    assert viewer.stream.closed


@pytest.mark.parametrize(
    ("event", "channel", "params"),
    [
        ("sub", "review", {}),
        ("req", "market_btcusdt_ticker", {}),
        ("req", DEPTH, {}),
        ("unsub", TRADES, {}),
        ("sub", "market_BTCUSDT_ticker", {}),
        ("sub", "market_xrpusdt_ticker", {}),
        ("sub", "market_btcusdt_kline_2min", {}),
        ("sub", "market_btcusdt_depth_step3", {}),
        ("sub", DEPTH, {"asks": 151}),
        ("sub", DEPTH, {"bids": "many"}),
        ("sub", DEPTH, {"bids": True}),
        ("req", TRADES, {"top": 201}),
        ("req", "market_btcusdt_kline_1min", {"pageSize": 301}),
        ("req", "market_btcusdt_kline_1min", {"since": "yesterday"}),
    ],
)
def test_what_the_overview_does_not_have_is_an_error(event, channel, params):
    """One frame that says so, and the connection lives on."""
    viewer = Desk().stream()
    (frame,) = viewer.say(event, channel, cb_id="x", **params)
    assert (frame["status"], frame["channel"], frame["cb_id"]) == ("error", channel, "x")
    assert not viewer.stream.closed


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"event":"sub"}', '{"event":"sub","params":[]}', "[" * 100_000])
def test_what_is_no_request_is_an_error(text):
    """And breaks nothing."""
    desk = Desk()
    viewer = desk.stream()
    viewer.stream.receive(text, desk.now_ms)
    assert [frame["status"] for frame in viewer.read()] == ["error"]


def test_trades_tickers_and_candles_are_pushed_when_something_traded():
    """And only then; one frame for all trades of a moment, the newest first."""
    desk = Desk()
    viewer = desk.stream()
    for channel in (TRADES, "market_btcusdt_ticker", "market_btcusdt_kline_1min", "market_ethusdt_ticker"):
        viewer.say("sub", channel)
    desk.create(limit())
    assert viewer.publish() == []
    desk.trade(Side.SELL, "0.6", "64990")
    trades, ticker, kline = viewer.publish()
    assert [(row["price"], row["vol"], row["side"]) for row in trades["tick"]["data"]] == [
        (D(64990), D("0.1"), "sell"),
        (D(65000), D("0.5"), "sell"),
    ]
    assert trades["tick"]["id"] == trades["tick"]["data"][0]["id"] > trades["tick"]["data"][1]["id"]
    assert (ticker["tick"]["close"], ticker["tick"]["vol"]) == (D(64990), D("0.6"))
    assert (kline["tick"]["low"], kline["tick"]["amount"]) == (D(64990), D("38999"))
    assert viewer.publish() == []


def test_increments_rebuild_the_book():
    """Through new prices, changes, prices that go and prices that come into view."""
    desk = Desk()
    viewer = desk.stream()
    frames = viewer.say("sub", DEPTH, asks=2, bids=2)[1:]
    orders = [desk.create(limit(price=price, volume="0.5")) for price in ("65000", "64999", "64998")]
    frames += viewer.publish()
    desk.trade(Side.SELL, "0.7", "64999")
    frames += viewer.publish()
    desk.cancel(orders[1])
    desk.trade(Side.BUY, "1", "65010")
    frames += viewer.publish()
    assert all("side" in frame["tick"] for frame in frames[1:])
    assert rebuilt(frames) == {"asks": {D(65020): D(1)}, "buys": {D(64998): D("0.5"), D(64990): D(1)}}
    assert viewer.publish() == []


def test_the_whole_book_comes_again_now_and_then():
    """ "the server will regularly push the full amount of data"."""
    desk = Desk()
    viewer = desk.stream()
    first = viewer.say("sub", DEPTH)[1]
    desk.now_ms += 30_000
    frames = [frame for frame in viewer.tick() if "ping" not in frame]
    assert [frame["tick"] for frame in frames] == [first["tick"]]


def test_the_full_update_sends_whole_books_only_and_when_they_change():
    """The document's other reading of the same channel."""
    desk = Desk(depth_updates="full")
    viewer = desk.stream()
    viewer.say("sub", DEPTH, asks=1, bids=1)
    desk.create(limit(price="64980"))
    assert viewer.publish() == []
    desk.create(limit())
    (frame,) = viewer.publish()
    assert frame["tick"] == {"asks": [[D(65010), D(1)]], "buys": [[D(65000), D("0.5")]]}


def test_subscribing_again_replaces_the_subscription():
    """No frame twice."""
    desk = Desk()
    viewer = desk.stream()
    viewer.say("sub", DEPTH, asks=1, bids=1)
    viewer.say("sub", DEPTH, asks=2, bids=2)
    desk.create(limit(price="64985"))
    assert len(viewer.publish()) == 2


def test_history_of_candles_is_cut_to_what_was_asked_for():
    """since and endIdx in epoch seconds, pageSize the newest of them."""
    desk = Desk()
    start = desk.now_ms // 60_000 * 60
    desk.now_ms += 240_000
    viewer = desk.stream()

    def starts(**params):
        (frame,) = viewer.say("req", "market_btcusdt_kline_1min", **params)
        return [(row["id"] - start) // 60 for row in frame["data"]]

    assert starts() == [0, 1, 2, 3, 4]
    assert starts(since=str(start + 60)) == [1, 2, 3, 4]
    assert starts(endIdx=str(start + 180), pageSize=2) == [2, 3]


def test_requested_trades_are_the_newest():
    """`top` of them."""
    desk = Desk()
    for _ in range(3):
        desk.trade(Side.BUY, "0.1", "65010")
    (frame,) = desk.stream().say("req", TRADES, top=2)
    assert (frame["top"], len(frame["data"])) == (2, 2)
    assert frame["data"][0]["id"] > frame["data"][1]["id"]


def volumes(frames) -> list:
    return [frame["tick"]["volume"] for frame in frames]


def test_faults_of_frames():
    """Twice, after the next one or a second later, lost, late."""
    desk = Desk()
    viewer = desk.stream()
    viewer.say("sub", DEPTH)

    def push(volume: str):
        desk.create(limit(volume=volume))
        return viewer.publish()

    desk.fault("duplicate_event", match="stream")
    assert volumes(push("0.1")) == [D("0.1"), D("0.1")]
    desk.fault("reorder_events", match="stream")
    assert push("0.1") == []
    assert volumes(push("0.1")) == [D("0.3"), D("0.2")]
    desk.fault("reorder_events")
    assert push("0.1") == []
    assert next(frame for frame in viewer.tick(1000) if "ping" not in frame)["tick"]["volume"] == D("0.4")
    desk.fault("drop_reply", match="stream")
    assert push("0.1") == []
    desk.fault("delay", match="stream", delay_s=2)
    assert push("0.1") == []
    assert volumes(push("0.1")) == [D("0.7")]
    assert D("0.6") in volumes(frame for frame in viewer.tick(2000) if "tick" in frame)
    assert not desk.faults


def test_garbage_is_not_gzip_and_takes_a_frames_place():
    """The subscription's answer before it is sound."""
    desk = Desk()
    viewer = desk.stream()
    desk.fault("garbage", match="stream")
    viewer.stream.receive(json.dumps({"event": "sub", "params": {"channel": DEPTH}}), desk.now_ms)
    reply, garbage = viewer.stream.take_output()
    assert json.loads(gzip.decompress(reply))["status"] == "ok"
    assert garbage == GARBAGE
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(garbage)


def test_a_fault_for_requests_does_not_lose_frames():
    """`any` is any request."""
    desk = Desk()
    viewer = desk.stream()
    viewer.say("sub", DEPTH)
    desk.create(limit())
    desk.fault("drop_reply")
    assert len(viewer.publish()) == 1
    assert desk.faults
