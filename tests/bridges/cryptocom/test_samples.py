"""The simulator's messages against the document's samples: the same keys, the same types."""

import re

import pytest

from bridges.cryptocom.sim_auth import signature
from bridges.matching import Side

from .venue import SAMPLES, D, Desk, limit, parse, read, sample, shape


@pytest.fixture
def desk() -> Desk:
    """A resting buy of 0.001, and a sell of 0.001 at 9000 that was filled at 64990."""
    desk = Desk()
    desk.create(limit(price="65000", volume="0.001"))
    desk.trade(Side.SELL, "0.001", "65000")
    desk.create(limit("SELL", "9000", "0.001"))
    desk.create(limit(price="9000", volume="0.001"))
    return desk


def test_the_signing_example_hashes_what_the_document_spells_out():
    """api_key, its value, time, its value, the secret."""
    text = (SAMPLES / "signing.txt").read_text()
    key, time, secret = (re.search(rf"{name} = (\S+)", text)[1] for name in ("api_key", "time", "secret_key"))
    # sha256 of the example's text, by coreutils' sha256sum: the document gives none.
    assert signature({"time": time, "api_key": key, "sign": "x", "price": ""}, secret) == SIGN


SIGN = "566812d7cddd99c796516ca2071db0fc8aaaa35a37c276b43b8188e1a930d4ca"


@pytest.mark.parametrize(
    ("path", "params", "name"),
    [
        ("/v1/symbols", {}, "symbols"),
        ("/v1/trades", {"symbol": "btcusdt"}, "trades"),
    ],
)
def test_market_answers_whose_sample_is_whole(desk, path, params, name):
    """code and msg are texts."""
    desk.trade(Side.BUY, "1", "65010")
    assert shape(read(desk.raw("GET", path, params))[1]) == shape(sample(name))


@pytest.mark.parametrize(
    ("path", "params", "name"),
    [
        ("/v1/tickers", {}, "tickers"),
        ("/v1/ticker", {"symbol": "btcusdt"}, "ticker"),
        ("/v1/klines", {"symbol": "btcusdt", "period": "1"}, "klines"),
        ("/v1/depth", {"symbol": "btcusdt", "type": "step0"}, "depth"),
    ],
)
def test_market_data(desk, path, params, name):
    """The samples of `data` alone."""
    assert shape(desk.ask("GET", path, params)) == shape(sample(name))


def test_latest_execution_price(desk):
    """The table has {"btcusdt":15000,"ethusdt":800}."""
    desk.trade(Side.BUY, "1", "65010")
    assert desk.ask("GET", "/v1/ticker/price") == {"btcusdt": D(65010), "ethusdt": D(0)}


def test_account(desk):
    """btcValuatin, so spelt, and all amounts as numbers."""
    assert shape(desk.ask("POST", "/v1/account")) == shape(sample("account"))


def test_create_order(desk):
    """An id and nothing else."""
    assert shape(desk.ask("POST", "/v1/order", limit())) == shape(sample("create_order"))


def test_show_order(desk):
    """The trades twice, `fee` and `deal_price` numbers in the order and texts in the trade."""
    filled = next(order for order in desk.exchange.orders() if order.asked.side is Side.SELL)
    assert shape(desk.show(str(filled.order_id))) == shape(sample("show_order"))


def test_open_orders(desk):
    """Without tradeList."""
    ours = desk.listed("/v1/openOrders")
    assert shape(ours) == shape(sample("open_orders"))
    row, theirs = ours["resultList"][0], sample("open_orders")["resultList"][0]
    for name in ("total_price", "volume", "price", "deal_volume", "remain_volume", "status", "status_msg", "fee_coin"):
        assert row[name] == theirs[name], name


def test_all_orders(desk):
    """Under `orderList`, not `resultList`."""
    assert shape(desk.listed("/v1/allOrders")) == shape(sample("all_orders"))


def test_my_trades(desk):
    """bid_* on a buy, ask_* on a sell."""
    ours, theirs = desk.listed("/v1/myTrades"), sample("my_trades")
    assert set(ours) == set(theirs)
    for side in ("BUY", "SELL"):
        (mine,), (document,) = ([row for row in each["resultList"] if row["side"] == side] for each in (ours, theirs))
        assert shape(mine) == shape(document)


def test_numbers_are_printed_as_the_samples_print_them(desk):
    """0E-8, sixteen decimals, eight decimals: to the letter."""
    sell = desk.create(limit("SELL", "8000", "0.001"))
    text = desk.raw("POST", "/v1/showOrder", {"order_id": sell, "symbol": "btcusdt"}).body.decode()
    for part in ('"fee":0E-8', '"deal_price":64.9900000000000000', '"price":"8000.00000000"', '"volume":"0.00100000"'):
        assert part in text
    resting = desk.raw("POST", "/v1/openOrders", {"symbol": "btcusdt"}).body.decode()
    assert '"deal_price":0E-16' in resting
    assert '"price":64990.0000000000000000' in desk.raw("GET", "/v1/trades", {"symbol": "btcusdt"}).body.decode()
    assert parse(text)["data"]["order_info"]["id"] == int(sell)


@pytest.mark.parametrize(
    ("event", "channel", "params", "names"),
    [
        ("sub", "market_btcusdt_ticker", {}, ["ws_ticker_2", "ws_ticker_3"]),
        ("sub", "market_btcusdt_kline_1min", {}, ["ws_kline_2", "ws_kline_3"]),
        ("req", "market_btcusdt_kline_1min", {"since": "1506602880"}, ["ws_kline_req_2"]),
        ("sub", "market_btcusdt_trade_ticker", {}, ["ws_trade_2"]),
        ("sub", "market_btcusdt_depth_step0", {}, ["ws_depth_incremental_2", "ws_depth_incremental_3"]),
        ("sub", "market_btcusdt_depth_step1", {}, ["ws_depth_full_2", "ws_depth_full_3"]),
    ],
)
def test_stream_answers_and_first_frames(desk, event, channel, params, names):
    """What comes of a request at once."""
    frames = desk.stream().say(event, channel, cb_id="custom", **params)
    assert [shape(frame) for frame in frames] == [shape(sample(name)) for name in names]


def test_stream_requested_trades(desk):
    """The second row has `ds` and the first has not: ours always do."""
    (frame,) = desk.stream().say("req", "market_btcusdt_trade_ticker", cb_id="custom", top=200)
    document = sample("ws_trade_req_2")
    document["data"] = document["data"][1:]
    assert shape(frame) == shape(document)


def test_stream_pushes(desk):
    """A new trade, and an incremental change of the book."""
    viewer = desk.stream()
    viewer.say("sub", "market_btcusdt_trade_ticker")
    viewer.say("sub", "market_btcusdt_depth_step0")
    desk.trade(Side.BUY, "0.5", "65010")
    trade, book = viewer.publish()
    assert shape(trade) == shape(sample("ws_trade_3"))
    assert shape(book) == shape(sample("ws_depth_incremental_4"))


def test_the_documents_own_requests_are_understood(desk):
    """Each sample of a request, for btcusdt."""
    for name in ("ws_ticker_1", "ws_kline_1", "ws_kline_req_1", "ws_trade_1", "ws_trade_req_1", "ws_depth_full_1"):
        message = sample(name)
        channel = message["params"].pop("channel").replace("${symbol}", "btcusdt")
        channel = re.sub(r"\[1min.*\]", "1min", channel).replace("[0-2]", "0")
        params = {key: int(value) if isinstance(value, D) else value for key, value in message["params"].items()}
        frames = desk.stream().say(message["event"], channel, **params)
        assert frames[0].get("status", "ok") == "ok", frames
        assert frames[0]["channel"] == channel and frames[0]["cb_id"] == "custom"


def test_review(desk):
    """Its sample is no JSON: seven texts a symbol, and no cb_id or ts."""
    fields = set(re.findall(r"(\w+): ?\"", (SAMPLES / "ws_review_2.txt").read_text().split("bchbtc:")[1].split("}")[0]))
    (frame,) = desk.stream().say("req", "review")
    assert set(frame) == {"event_rep", "channel", "data"}
    assert set(frame["data"]) == {"btcusdt", "ethusdt"}
    assert shape(frame["data"]["btcusdt"]) == dict.fromkeys(fields, "text")
    assert fields == {"amount", "close", "high", "low", "open", "rose", "vol"}
