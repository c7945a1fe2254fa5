"""REST without sockets: signatures, clocks, forms, rules, limits, pages and faults."""

from urllib.parse import urlencode

import pytest

from bridges.cryptocom.sim_auth import FORM
from bridges.cryptocom.sim_gateway import GARBAGE
from bridges.cryptocom.sim_text import to_json
from bridges.matching import Side

from .venue import KEY, NOW, OTHER_KEY, SECRET, D, Desk, limit, market, read, settings, signed


def post(desk: Desk, path: str, params: dict[str, str], **call):
    """As given, signed or not: HTTP status and code."""
    status, answer = read(desk.raw("POST", path, **({"body": urlencode(params).encode()} | call)))
    return status, answer["code"]


# Who asks


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sign": "0" * 64}, (401, "100005")),
        ({"sign": ""}, (400, "100004")),
        ({"time": ""}, (400, "100004")),
        ({"api_key": ""}, (400, "100004")),
        ({"api_key": "key-nobody"}, (401, "100005")),
        ({"api_key": OTHER_KEY}, (401, "100005")),
        ({"symbol": "ethusdt"}, (401, "100005")),
    ],
)
def test_a_request_changed_after_signing_is_refused(change, expected):
    """Any parameter of it."""
    desk = Desk()
    assert post(desk, "/v1/openOrders", signed({"symbol": "btcusdt"}) | change) == expected
    assert desk.tally.rejected_signatures == (expected[0] == 401)


def test_an_upper_case_signature_and_another_secret_are_refused():
    """Hexadecimal as the hash functions give it."""
    desk = Desk()
    params = signed({"symbol": "btcusdt"})
    assert post(desk, "/v1/openOrders", params | {"sign": params["sign"].upper()})[0] == 401
    assert post(desk, "/v1/openOrders", signed({"symbol": "btcusdt"}, secret=SECRET + "x"))[0] == 401


def test_empty_values_are_sent_and_not_signed():
    """ "if the corresponding parameter value is not null/empty"."""
    assert post(Desk(), "/v1/openOrders", signed({"symbol": "btcusdt", "page": ""})) == (200, "0")


@pytest.mark.parametrize(
    ("stamp", "status"),
    [
        (NOW, 200),
        (NOW - 30_000, 200),
        (NOW + 30_000, 200),
        (NOW - 30_001, 401),
        (NOW + 30_001, 401),
        (NOW // 1000, 401),
    ],
)
def test_the_time_may_differ_by_the_window_and_is_in_milliseconds(stamp, status):
    """Seconds are decades away."""
    assert post(Desk(), "/v1/account", signed({}, stamp))[0] == status


@pytest.mark.parametrize("stamp", ["-1", "1e12", "1700000000500.0", " 1700000000500", "٣", "9" * 30])
def test_a_time_that_is_no_number_is_refused(stamp):
    """And breaks nothing."""
    params = signed({})
    assert post(Desk(), "/v1/account", signed({"time": stamp}) | {"time": stamp})[0] == 401
    assert post(Desk(), "/v1/account", params | {"time": stamp})[0] == 401


def test_the_form_is_a_form_in_the_body():
    """Content type, query string, repeats, and what is no form: all 400."""
    desk = Desk()
    params = signed({"symbol": "btcusdt"})
    body = urlencode(params).encode()
    for call in (
        {"content_type": "application/json"},
        {"content_type": ""},
        {"query": "symbol=btcusdt"},
        {"body": body + b"&symbol=btcusdt"},
        {"body": b"{}"},
        {"body": b"\xff=1"},
        {"body": b"a=%ff"},
        {"body": b""},
        {"body": b"&".join(b"a%d=1" % i for i in range(99))},
    ):
        assert post(desk, "/v1/openOrders", params, **call) == (400, "100004"), call
    assert post(desk, "/v1/openOrders", params, content_type=f"{FORM}; charset=UTF-8") == (200, "0")


def test_a_key_may_be_bound_to_addresses_and_to_looking():
    """403 both."""
    users = settings().users
    desk = Desk(users=(users[0].model_copy(update={"ip_whitelist": ("10.0.0.9",), "can_trade": False}), users[1]))
    assert desk.refused("POST", "/v1/account") == (403, "100007")
    assert desk.ask("POST", "/v1/account", address="10.0.0.9")
    assert desk.refused("POST", "/v1/order", limit(), address="10.0.0.9") == (403, "110032")
    one = {"symbol": "btcusdt", "order_id": "1"}
    assert desk.refused("DELETE", "/v1/order", one, address="10.0.0.9") == (403, "110032")


def test_unknown_paths_and_methods_are_404():
    """In the shape of every error."""
    desk = Desk()
    for method, path in (("GET", "/v1/order"), ("POST", "/v1/symbols"), ("POST", "/v1/order/"), ("PUT", "/v1/order")):
        assert desk.refused(method, path) == (404, "404")
    assert Desk(orders_cancel_path=False).refused("POST", "/v1/orders/cancel") == (404, "404")


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("GET", "/v1/symbols", {"symbol": "btcusdt"}),
        ("GET", "/v1/depth", {"symbol": "btcusdt"}),
        ("GET", "/v1/depth", {"symbol": "btcusdt", "type": "step0", "limit": "5"}),
        ("GET", "/v1/ticker", {}),
        ("POST", "/v1/account", {"symbol": "btcusdt"}),
        ("POST", "/v1/showOrder", {"order_id": "1"}),
        ("POST", "/v1/showOrder", {"symbol": "btcusdt"}),
        ("POST", "/v1/cancelAllOrders", {}),
        ("POST", "/v1/openOrders", {"symbol": "btcusdt", "startDate": "2023-11-14 22:13:20"}),
        ("POST", "/v1/order", limit() | {"client_order_id": "1"}),
    ],
)
def test_missing_and_superfluous_parameters_are_400(method, path, params):
    """ "Allowed Parameters"."""
    assert Desk().refused(method, path, params) == (400, "100004")


# Rules


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"side": ""}, (400, "100004")),
        ({"volume": ""}, (400, "23")),
        ({"price": ""}, (400, "24")),
        ({"side": "buy"}, (499, "100004")),
        ({"type": "3"}, (499, "100004")),
        ({"type": "LIMIT"}, (499, "100004")),
        ({"symbol": "BTCUSDT"}, (499, "100004")),
        ({"symbol": "xrpusdt"}, (499, "100004")),
        ({"price": "65000.001"}, (499, "100004")),
        ({"volume": "0.500001"}, (499, "100004")),
        ({"volume": "5e-1"}, (499, "100004")),
        ({"volume": "-1"}, (499, "100004")),
        ({"volume": ".5"}, (499, "100004")),
        ({"volume": "1.000000000"}, (499, "100004")),
        ({"volume": "NaN"}, (499, "100004")),
        ({"volume": "0.00000"}, (499, "6")),
        ({"price": "0"}, (499, "6")),
        ({"volume": "0.00009"}, (499, "6")),
        ({"volume": "0.001", "price": "999.99"}, (499, "6")),
        ({"volume": "100000001"}, (499, "7")),
        ({"fee_is_user_exchange_coin": "2"}, (499, "100004")),
        ({"volume": "20"}, (200, "19")),
        ({"side": "SELL", "volume": "10.00001"}, (200, "19")),
        ({"type": "2", "volume": "0.99"}, (499, "6")),
        ({"type": "2", "volume": "100.001"}, (499, "100004")),
        ({"type": "2", "side": "SELL", "volume": "0.000011"}, (499, "100004")),
    ],
)
def test_an_order_against_the_rules_is_refused(change, expected):
    """And no order is made."""
    desk = Desk()
    assert desk.refused("POST", "/v1/order", limit() | change) == expected
    assert desk.listed("/v1/allOrders") == {"count": 0, "orderList": []}


def test_values_count_and_not_their_zeros_and_a_market_order_needs_no_price():
    """0.50 is 0.5; `price` with type 2 is not looked at."""
    desk = Desk()
    desk.create(limit(price="65000.00000000", volume="0.50000000", fee_is_user_exchange_coin="1"))
    desk.create(market("BUY", "100", price="nothing"))
    assert [row["status"] for row in desk.listed("/v1/allOrders")["orderList"]] == [2, 1]


# Life of an order


def test_from_new_to_partly_filled_to_canceled():
    """As polling sees it."""
    desk = Desk(fee_rate=D("0.001"))
    order_id = desk.create(limit())
    info = desk.show(order_id)["order_info"]
    assert (info["status"], info["status_msg"], info["tradeList"]) == (1, "Unsettled", [])
    desk.now_ms += 300
    desk.trade(Side.SELL, "0.2", "65000")
    shown = desk.show(order_id)
    info = shown["order_info"]
    assert (info["status"], info["deal_volume"], info["remain_volume"]) == (3, "0.20000000", "0.30000000")
    assert (info["avg_price"], info["fee"], info["fee_coin"]) == ("65000.00000000", D("0.0002"), "BTC")
    (trade,) = shown["trade_list"]
    assert shown["trade_list"] == info["tradeList"]
    assert (trade["price"], trade["volume"], trade["fee"]) == ("65000.00000000", "0.20000000", "0.00020000")
    assert trade["ctime"] % 1000 == 0
    assert desk.listed("/v1/openOrders")["resultList"][0]["status"] == 3
    coins = {row["coin"]: row for row in desk.ask("POST", "/v1/account")["coin_list"]}
    assert (coins["usdt"]["normal"], coins["usdt"]["locked"]) == (967_500, 19_500)
    assert desk.cancel(order_id) is None
    assert desk.listed("/v1/openOrders") == {"count": 0, "resultList": []}
    (row,) = desk.listed("/v1/allOrders")["orderList"]
    assert (row["status"], row["status_msg"], row["deal_volume"]) == (4, "Canceled", "0.20000000")
    (mine,) = desk.listed("/v1/myTrades")["resultList"]
    assert (mine["id"], mine["bid_id"], mine["side"], mine["deal_price"]) == (
        trade["id"],
        int(order_id),
        "BUY",
        "13000.00",
    )
    assert desk.refused("DELETE", "/v1/order", {"order_id": order_id, "symbol": "btcusdt"}) == (200, "8")


def test_a_market_buy_spends_quote_coin():
    """volume and remain_volume in usdt, deal_volume in btc; filled, with change."""
    desk = Desk()
    info = desk.show(desk.create(market("BUY", "1000")))["order_info"]
    assert (info["volume"], info["total_price"], info["price"]) == ("1000.00000000", "1000.00000000", "0.00000000")
    assert (info["deal_volume"], info["remain_volume"], info["status"]) == ("0.01538000", "0.14620000", 2)
    assert info["deal_price"] == D("999.8538")


def test_a_trade_may_seem_older_than_its_order():
    """As in the document's sample: ctime 1571971998000, created_at 1571971998681."""
    desk = Desk()
    shown = desk.show(desk.create(limit(price="65010")))
    assert shown["trade_list"][0]["ctime"] < shown["order_info"]["created_at"]


def test_the_later_cancel_path_does_the_same():
    """POST /v1/orders/cancel."""
    desk = Desk()
    order_id = desk.create(limit())
    assert desk.ask("POST", "/v1/orders/cancel", {"order_id": order_id, "symbol": "btcusdt"}) is None
    assert desk.listed("/v1/openOrders")["count"] == 0


def test_another_users_order_does_not_exist():
    """Not to look at, not to cancel, in no list."""
    desk = Desk()
    one = {"order_id": desk.create(limit()), "symbol": "btcusdt"}
    assert desk.refused("POST", "/v1/showOrder", one, OTHER_KEY) == (200, "22")
    assert desk.refused("DELETE", "/v1/order", one, OTHER_KEY) == (200, "22")
    assert desk.refused("DELETE", "/v1/order", one | {"symbol": "ethusdt"}) == (200, "22")
    assert desk.refused("DELETE", "/v1/order", one | {"order_id": "12ab"}) == (499, "100004")
    assert desk.listed("/v1/allOrders", OTHER_KEY)["count"] == 0


def test_cancel_all_takes_the_markets_orders():
    """`data` null again."""
    desk = Desk()
    for _ in range(3):
        desk.create(limit())
    assert desk.ask("POST", "/v1/cancelAllOrders", {"symbol": "btcusdt"}) is None
    assert desk.listed("/v1/openOrders")["count"] == 0
    assert {row["status"] for row in desk.listed("/v1/allOrders")["orderList"]} == {4}


# Pages and dates


def test_pages_come_newest_first_and_count_is_of_all():
    """Twenty without pageSize; beyond the last there is nothing."""
    desk = Desk()
    ids = [int(desk.create(limit(volume="0.001"))) for _ in range(23)][::-1]

    def page(**params):
        answer = desk.listed("/v1/openOrders", **params)
        assert answer["count"] == 23
        return [row["id"] for row in answer["resultList"]]

    assert page() == ids[:20]
    assert page(pageSize="10", page="3") == ids[20:]
    assert page(pageSize="10", page="4") == []
    for bad in ({"page": "0"}, {"pageSize": "0"}, {"pageSize": "1001"}, {"page": "-1"}, {"page": "x"}):
        assert desk.refused("POST", "/v1/openOrders", {"symbol": "btcusdt"} | bad) == (499, "100004")


def test_trades_come_newest_first_and_with_sort_the_other_way():
    """Of all orders of the market."""
    desk = Desk()
    first = desk.create(limit(volume="0.4"))
    desk.create(limit("SELL", "64000", "0.3"))
    desk.trade(Side.SELL, "0.1", "65000")
    newest = desk.listed("/v1/myTrades")
    assert newest["count"] == 3
    ids = [(row["id"], row["side"]) for row in newest["resultList"]]
    assert [each for each, _ in ids] == sorted((each for each, _ in ids), reverse=True)
    assert [(row["id"], row["side"]) for row in desk.listed("/v1/myTrades", sort="1")["resultList"]] == ids[::-1]
    own = [row for row in newest["resultList"] if row["id"] == ids[-1][0]]
    assert {row["side"] for row in own} == {"BUY", "SELL"}, "a trade with oneself is listed twice, under one id"
    assert {row.get("bid_id") for row in newest["resultList"]} == {None, int(first)}
    assert desk.refused("POST", "/v1/myTrades", {"symbol": "btcusdt", "sort": "up"}) == (499, "100004")


def test_dates_are_inclusive_seconds_in_utc():
    """2023-11-14 22:13:21 is 1700000001."""
    desk = Desk()
    desk.create(limit(price="65010"))  # at 22:13:21.500
    for first, last, count in (
        ("2023-11-14 22:13:21", "2023-11-14 22:13:21", 1),
        ("2023-11-14 22:13:22", "", 0),
        ("", "2023-11-14 22:13:20", 0),
        ("2023-11-14 00:00:00", "2023-11-15 00:00:00", 1),
    ):
        for path in ("/v1/allOrders", "/v1/myTrades"):
            assert desk.listed(path, startDate=first, endDate=last)["count"] == count, (path, first, last)
    for first, last in (
        ("2023-11-14", ""),
        ("2023-13-14 00:00:00", ""),
        ("1700000000000", ""),
        ("2023-11-14 22:13:22", "2023-11-14 22:13:21"),
    ):
        params = {"symbol": "btcusdt", "startDate": first, "endDate": last}
        assert desk.refused("POST", "/v1/allOrders", params) == (499, "100004")


# Limits


def test_ten_requests_in_any_second_by_user_and_by_address():
    """429, nothing done, and the other group, user or address is not touched by it."""
    desk = Desk()
    answers = []
    for _ in range(12):
        answers.append(desk.raw("POST", "/v1/order", limit(volume="0.001")).status)
        desk.now_ms += 10
    assert answers == [200] * 10 + [429] * 2
    assert desk.raw("POST", "/v1/account", key=OTHER_KEY).status == 200
    for _ in range(10):
        assert desk.raw("GET", "/v1/symbols", address="a").status == 200
    assert desk.raw("GET", "/v1/symbols", address="a").status == 429
    assert desk.raw("GET", "/v1/symbols", address="b").status == 200
    desk.now_ms = NOW + 999
    assert read(desk.raw("POST", "/v1/account"))[1]["code"] == "429"
    desk.now_ms = NOW + 1000
    assert desk.raw("POST", "/v1/account").status == 200, "the first has left the second"
    assert desk.raw("POST", "/v1/account").status == 429
    assert len(list(desk.exchange.orders())) == 10


def test_a_request_that_nobody_signed_uses_up_nobodys_limit():
    """Or anyone could lock a user out."""
    desk = Desk()
    for _ in range(20):
        post(desk, "/v1/account", signed({}, secret="wrong"))
    assert desk.raw("POST", "/v1/account").status == 200


# Faults


@pytest.mark.parametrize(
    ("kind", "acts", "status", "code"),
    [
        ("drop_reply", True, 0, None),
        ("drop_request", False, 0, None),
        ("http_500", True, 500, "100001"),
        ("http_503", False, 503, "100002"),
        ("rate_limit", False, 429, "429"),
        ("reject", False, 200, "5"),
        ("garbage", True, 200, GARBAGE),
        ("delay", True, 200, "0"),
    ],
)
def test_faults_of_a_new_order(kind, acts, status, code):
    """A 5xx says nothing about the outcome: 500 acted, 503 did not. A query passes the fault by."""
    desk = Desk()
    desk.fault(kind, match="new", delay_s=2.5)
    desk.ask("POST", "/v1/account")
    answer = desk.raw("POST", "/v1/order", limit())
    assert answer.status == status
    assert answer.delay_ms == (2500 if kind == "delay" else 0)
    if code is None:
        assert answer.body is None
    elif code == GARBAGE:
        assert answer.body == GARBAGE
    else:
        assert read(answer)[1]["code"] == code
    assert len(list(desk.exchange.orders())) == acts
    assert not desk.faults
    desk.create(limit())


def test_faults_of_cancels_and_questions():
    """Each its own code."""
    desk = Desk()
    order_id = desk.create(limit())
    desk.fault("reject", match="cancel")
    desk.fault("reject", match="query")
    assert desk.refused("DELETE", "/v1/order", {"order_id": order_id, "symbol": "btcusdt"}) == (200, "8")
    assert desk.refused("POST", "/v1/openOrders", {"symbol": "btcusdt"}) == (200, "100001")
    desk.fault("drop_reply", match="cancel")
    assert desk.raw("DELETE", "/v1/order", {"order_id": order_id, "symbol": "btcusdt"}).body is None
    assert desk.listed("/v1/openOrders")["count"] == 0
    desk.fault("http_503", match="any")
    assert desk.refused("GET", "/v1/symbols") == (503, "100002")


def test_a_reject_does_not_tell_whether_there_is_such_a_user():
    """The signature comes first."""
    desk = Desk()
    desk.fault("reject")
    assert post(desk, "/v1/account", signed({}, secret="wrong")) == (401, "100005")


def test_a_trade_listed_twice_and_trades_in_another_order():
    """They wait for an answer with trades enough."""
    desk = Desk()
    order_id = desk.create(limit())
    desk.fault("duplicate_event", match="query")
    assert desk.listed("/v1/myTrades")["resultList"] == []
    desk.trade(Side.SELL, "0.1", "65000")
    desk.fault("reorder_events", match="query")
    twice = desk.listed("/v1/myTrades")
    assert twice["count"] == 1 and len(twice["resultList"]) == 2
    assert twice["resultList"][0] == twice["resultList"][1]
    desk.trade(Side.SELL, "0.1", "65000")
    oldest_first = [row["id"] for row in desk.show(order_id)["trade_list"]]
    assert oldest_first == sorted(oldest_first)
    assert [row["id"] for row in desk.show(order_id)["trade_list"]] == oldest_first[::-1]


def test_the_tally_tells_what_came():
    """By kind, by call, by HTTP status, by code."""
    desk = Desk()
    desk.create(limit())
    desk.listed("/v1/openOrders")
    desk.refused("GET", "/v1/nothing")
    desk.fault("drop_request")
    desk.raw("POST", "/v1/account")
    tally = desk.tally.as_json()
    assert tally["by_kind"] == {"new": 1, "cancel": 0, "query": 2, "stream": 0}
    assert tally["by_call"] == {"POST /v1/order": 1, "POST /v1/openOrders": 1, "POST /v1/account": 1}
    assert tally["by_status"] == {"200": 2, "404": 1, "dropped": 1}
    assert KEY not in to_json(tally)


# Market data


def test_depth_is_merged_away_from_the_middle():
    """Bids down, offers up; quantities add up."""
    desk = Desk()
    for price, side in (("64990.55", "BUY"), ("64990.51", "BUY"), ("65000.01", "SELL"), ("65000.12", "SELL")):
        desk.create(limit(side, price, "0.1"))

    def best(step: str):
        tick = desk.ask("GET", "/v1/depth", {"symbol": "btcusdt", "type": step})["tick"]
        return tick["bids"][0], tick["asks"][0]

    assert best("step0") == ([D("64990.55"), D("0.1")], [D("65000.01"), D("0.1")])
    assert best("step1") == ([D("64990.5"), D("0.2")], [D("65000.1"), D("0.1")])
    assert best("step2") == ([D(64990), D("1.2")], [D(65001), D("0.2")])
    assert desk.refused("GET", "/v1/depth", {"symbol": "btcusdt", "type": "step3"}) == (499, "100004")
    assert desk.refused("GET", "/v1/klines", {"symbol": "btcusdt", "period": "2"}) == (499, "100004")


def test_amounts_never_go_through_a_float():
    """The writer refuses one."""
    assert to_json({"a": D("0.10"), "b": [1, "x", None, True]}) == '{"a":0.10,"b":[1,"x",null,true]}'
    with pytest.raises(TypeError):
        to_json([0.1])
