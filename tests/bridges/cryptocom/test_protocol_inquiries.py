"""What an operator may ask Crypto.com: the document's samples as rows, page after page, and the simulated venue as it is."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.cryptocom.inquiries import TOPICS
from bridges.cryptocom.protocol import CryptocomProtocol
from bridges.wire import Answer, Out, Request, Told
from router.model import LinkUp
from router.rules import Instrument

from .rig import BTC, SECOND, START, D, Rig, answer, cancel, market, open_order, place, protocol, requests, up
from .venue import OTHER_KEY, limit, sample

ETH = Instrument(symbol="ETH/USDT", venue_symbol="ethusdt", base="ETH", quote="USDT", tick=D("0.01"), lot=D("0.0001"))


def inquire(the: CryptocomProtocol, topic: str, **arguments: str) -> list[Out]:
    return list(the.inquire(1, topic, arguments, START))


def one(the: CryptocomProtocol, topic: str, **arguments: str) -> Request:
    [request] = inquire(the, topic, **arguments)
    assert isinstance(request, Request)
    return request


def tell(the: CryptocomProtocol, request: Request, told: Answer) -> Told:
    [out] = the.answered(request, told, START)
    assert isinstance(out, Told)
    return out


def sampled(name: str) -> Answer:
    """An answer whose `data` is the document's sample: the whole of it, or what stands in its `data`."""
    told = sample(name)
    return answer(told["data"] if isinstance(told, dict) and "data" in told else told)


def test_balances_are_the_documents():
    """Each coin with its usable and locked amount, to the digit."""
    the = up(protocol())
    request = one(the, "balances")
    assert (request.method, request.path, request.body, request.private) == ("POST", "/v1/account", "", True)
    told = tell(the, request, sampled("account"))
    assert told.rows[0] == {"normal": "32323.233", "locked": "32323.233", "btcValuatin": "112.33", "coin": "btc"}
    assert [each["coin"] for each in told.rows] == ["btc", "ltc", "bch"]


def test_open_orders_are_asked_for_of_every_symbol():
    """Each row with the venue's id as `order_id` and its symbol; one answer when all have come."""
    the = protocol(False, BTC, ETH)
    first, second = inquire(the, "open-orders")
    assert [dict(parse_qsl(each.body)) for each in (first, second)] == [
        {"symbol": symbol, "pageSize": "100", "page": "1"} for symbol in ("btcusdt", "ethusdt")
    ]
    assert the.answered(second, answer({"count": 0, "resultList": []}), START) == []
    told = tell(the, first, sampled("open_orders"))
    assert [(each["order_id"], each["symbol"], each["price"]) for each in told.rows] == [
        ("8139", "btcusdt", "9000.00000000"), ("8081", "btcusdt", "9000.00000000"),
    ]  # fmt: skip
    assert told.rows[0]["deal_price"] == "0.0000000000000000" and "cl_ord_id" not in told.rows[0] and "id" not in told.rows[0]


def test_a_full_page_has_another_after_it():
    """As long as `count` says so; one that is too long to be told whole says so itself."""
    the = up(protocol())
    row = sample("open_orders")["resultList"][0]
    request = one(the, "open-orders", symbol="btcusdt")
    [request] = the.answered(request, answer({"count": 101, "resultList": [row] * 100}), START)
    assert dict(parse_qsl(request.body))["page"] == "2"
    assert len(tell(the, request, answer({"count": 101, "resultList": [row]})).rows) == 101
    [request] = inquire(the, "all-orders", symbol="btcusdt")
    for _ in range(9):
        [request] = the.answered(request, answer({"orderList": [row] * 100}), START)
    told = tell(the, request, answer({"orderList": [row] * 100}))
    assert (len(told.rows), told.error) == (1000, "btcusdt: there are more than 1000")


@pytest.mark.parametrize(
    ("topic", "name", "arguments", "query", "first"),
    [
        ("symbols", "symbols", {}, "", {"symbol": "ethbtc", "count_coin": "btc", "amount_precision": "3", "price_precision": "8"}),
        ("ticker", "ticker", {"symbol": "btcusdt"}, "symbol=btcusdt", {"symbol": "btcusdt", "vol": "10232.26315789", "buy": "0.01000000"}),
        ("order-book", "depth", {"symbol": "btcusdt"}, "symbol=btcusdt&type=step0", {"side": "ask", "price": "9745", "size": "0.57373498"}),
        ("trades", "trades", {"symbol": "btcusdt"}, "symbol=btcusdt",
         {"symbol": "btcusdt", "id": "6303", "price": "9744.2500000000000000", "type": "sell"}),
        ("candles", "klines", {"symbol": "btcusdt", "period": "1"}, "symbol=btcusdt&period=1",
         {"symbol": "btcusdt", "time": "1514445780", "open": "1.12", "volume": "0"}),
    ],
)  # fmt: skip
def test_market_data_is_the_documents(topic: str, name: str, arguments: dict[str, str], query: str, first: dict[str, str]):
    """Public requests on the budget of the market API; its samples to the digit."""
    the = up(protocol())
    request = one(the, topic, **arguments)
    assert (request.method, request.query, request.private, request.group) == ("GET", query, False, "market")
    row = tell(the, request, sampled(name)).rows[0]
    assert {name: row.get(name) for name in first} == first


def test_executions_name_their_order():
    """Of a buy `bid_id`, of a sell `ask_id`; `id` is the trade's."""
    the = up(protocol())
    told = tell(the, one(the, "filled-orders", symbol="btcusdt"), sampled("my_trades"))
    assert [(each["order_id"], each["id"]) for each in told.rows] == [("8145", "6227"), ("8140", "6224")]


@pytest.mark.parametrize(
    ("topic", "arguments", "error"),
    [
        ("weather", {}, "Crypto.com is not asked about weather; known: balances"), ("ticker", {}, "ticker needs symbol"),
        ("balances", {"symbol": "btcusdt"}, "balances: symbol is not taken"), ("ticker", {"symbol": "a b"}, "ticker: symbol is not a name"),
        ("candles", {"symbol": "btcusdt"}, "candles needs period"),
        ("candles", {"symbol": "btcusdt", "period": "2"}, "candles: period is none of 1, 5"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_answered_at_once(topic: str, arguments: dict[str, str], error: str):
    """With why, and no request."""
    [told] = inquire(up(protocol()), topic, **arguments)
    assert isinstance(told, Told) and told.error.startswith(error)


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (answer(None, code="22", msg="no such thing"), "22 no such thing"), (answer(None, 429, "9", "slow down"), "HTTP 429 9 slow down"),
        (Answer(500, {}, b"<html>"), "HTTP 500"),
        (answer({"coin_list": 5}), "the answer is not a list"), (answer(None), "the answer is not a list"),
        (answer({"coin_list": [1]}), "a row is not an object"), (answer({"coin_list": [{"normal": D("1e99")}]}), "not an amount"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_an_error(told: Answer, error: str):
    """And says nothing of the link, of which polls and probes are the judges."""
    the = up(protocol())
    for _ in range(5):
        assert tell(the, one(the, "balances"), told).error.startswith(error)
    assert isinstance(the.lost(one(the, "balances"), True, "timed out", START)[0], Told)
    assert requests(the.send(place(), START), "/v1/order")


def test_one_symbol_that_does_not_answer_does_not_hide_the_other():
    """The rows there are, and which symbol's are missing and why."""
    the = protocol(False, BTC, ETH)
    first, second = inquire(the, "open-orders")
    assert the.lost(second, True, "timed out", START) == []
    told = tell(the, first, sampled("open_orders"))
    assert (len(told.rows), told.error) == (2, "ethusdt: timed out")


def test_polls_make_room_for_what_is_asked():
    """The venue allows ten requests a second, whoever they are for: a poll that is due waits for the next one."""
    due = START + 3 * SECOND
    for questions, polls in ((0, 1), (8, 0)):
        the, look = open_order()
        the.lost(look, True, "timed out", START)
        for _ in range(questions):
            the.inquire(1, "balances", {}, due)
        assert len(requests(the.tick(due), "showOrder")) == polls


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["1e99", "0E-8"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["coin_list", "resultList", "orderList", "tick", "asks", "bids", "id", "count"]), inner)
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(TOPICS)), _JSON)
def test_nonsense_is_an_answer_and_never_an_exception(topic: str, data: Any):
    """One answer to every question, of texts that can be shown."""
    the = up(protocol())
    arguments = {name: value for name, value in (("symbol", "btcusdt"), ("period", "1")) if name in TOPICS[topic] and topic != "symbols"}
    told = tell(the, one(the, topic, **arguments), answer(data))
    assert all(each.isprintable() and len(each) <= 300 for row in told.rows for pair in row.items() for each in pair)


def asked(rig: Rig, topic: str, **arguments: str) -> tuple[Any, ...]:
    """Rows of the simulated venue."""
    rig._do(rig.the.inquire(7, topic, arguments, rig.now))
    told = rig.heard.pop()
    assert (told.ticket, told.error) == (7, "")
    return told.rows


def test_the_simulated_venue_is_told_of_as_it_is():
    """Balances, open orders (one by another client of the account, none by another account), executions, and its market."""
    rig = Rig()
    assert rig.heard == [LinkUp("cdc-main")]
    rig.send(place("1"))
    ours = rig.heard[-1].venue_order_id
    by_hand = rig.desk.create(limit(price="60000", volume="0.1"))
    rig.desk.create(limit(price="59000"), OTHER_KEY)
    assert [(each["order_id"], each["volume"]) for each in asked(rig, "open-orders")] == [(by_hand, "0.10000000"), (ours, "0.50000000")]
    user = rig.desk.settings.users[0].user_id
    for each in asked(rig, "balances"):
        funds = rig.desk.exchange.funds(user, each["coin"])
        assert (D(each["normal"]), D(each["locked"])) == (funds.normal, funds.locked)
    rig.run(1)
    rig.send(cancel(ours))
    rig.send(market(place().side, "650.1", "2"))
    rig.run(1)
    [fill] = asked(rig, "filled-orders")
    assert fill["order_id"] not in (ours, by_hand) and D(fill["price"]) == 65010
    assert {each["order_id"] for each in asked(rig, "all-orders")} == {ours, by_hand, fill["order_id"]}
    rig.run(1)
    assert asked(rig, "trades", symbol="btcusdt")[0]["id"] == fill["id"]
    assert D(asked(rig, "ticker", symbol="btcusdt")[0]["last"]) == 65010
    book = asked(rig, "order-book", symbol="btcusdt")
    assert D(next(each["price"] for each in book if each["side"] == "ask")) == 65010
    assert {"btcusdt"} <= {each["symbol"] for each in asked(rig, "symbols")}
    assert asked(rig, "candles", symbol="btcusdt", period="1")
