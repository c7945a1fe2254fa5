"""The REST API without sockets: paths, signatures, limits, answers, faults, and that FIX has the same orders."""

import json
from decimal import Decimal

import pytest

from bridges.apifiny.sim_rest import GARBAGE, Answer, HangUp, Request
from bridges.faults import Fault
from bridges.matching import Side

from .venue import ACCOUNT, NOW, OTHER, SECRET, D, RestVenue, enquiry, new, new_body, order_id, signature

WHO = f"accountId={ACCOUNT}&venue=BINANCE"
NEW_ORDER = ("POST", "order/newOrder")


@pytest.fixture
def venue() -> RestVenue:
    return RestVenue(rest_requests_per_second=0, public_requests_per_second=0)


def code(answer: dict) -> str:
    assert answer["result"] is None
    return answer["error"]["code"]


def statuses(venue: RestVenue) -> list[str]:
    return [each.status.value for each in venue.exchange.orders()]


def get(venue: RestVenue, path: str, query: str = "", remote: str = "") -> Answer:
    (answer,) = venue.ask(Request("GET", path, query, remote=remote))
    return answer


def public(venue: RestVenue, path: str, query: str = ""):
    return json.loads(get(venue, path, query).text, parse_float=Decimal)


# Orders


def test_a_new_order_is_answered_as_it_was_taken_in(venue):
    """PENDING_SUBMIT, with the fields of the document's sample, whatever came of it."""
    answer = venue.new(1, limitPrice="65010")
    assert answer["error"] is None
    (row,) = answer["result"]
    assert row == {
        "accountId": "STA-BINANCE_00000001",
        "venue": "BINANCE",
        "orderId": order_id(1),
        "symbol": "BTCUSDT",
        "orderType": "LIMIT",
        "timeInForce": 1,
        "orderSide": "BUY",
        "limitPrice": 65010,
        "quantity": D("0.1"),
        "openQuantity": D("0.1"),
        "filledAveragePrice": 0,
        "filledCumulativeQuantity": 0,
        "orderStatus": "PENDING_SUBMIT",
        "createdAt": NOW,
        "updatedAt": NOW,
        "cancelledUpdatedAt": None,
        "filledUpdatedAt": None,
    }
    (row,) = venue.query(1)["result"]
    assert (row["orderStatus"], row["openQuantity"], row["filledAveragePrice"]) == ("FILLED", 0, 65010)
    assert (row["lastFilledQuantity"], row["lastFilledPrice"], row["isTaker"]) == (D("0.1"), 65010, True)
    assert (row["lastCommission"], row["lastCommissionCurrency"], row["filledUpdatedAt"]) == (0, "USDT", NOW)


def test_an_order_without_an_id_gets_one_by_the_rule(venue):
    """Account number, random number, time, three digits; two orders have two."""
    ids = [venue.new(None)["result"][0]["orderId"] for _ in range(2)]
    assert len(set(ids)) == 2
    assert all(each.startswith("00000001") and each[-16:-3] == str(NOW) for each in ids)


def test_part_filled_is_final_and_a_resting_order_with_fills_is_submitted(venue):
    """An IOC order that finds too little is PART_FILLED; cancelled with fills likewise, without any CANCELLED."""
    venue.new(1, limitPrice="65010", quantity="3", timeInForce=3)
    (row,) = venue.query(1)["result"]
    assert (row["orderStatus"], row["filledCumulativeQuantity"], row["openQuantity"]) == ("PART_FILLED", 1, 0)
    venue.new(2, quantity="1")
    venue.trade(Side.SELL, "0.4", "65000")
    (row,) = venue.query(2)["result"]
    assert (row["orderStatus"], row["filledCumulativeQuantity"], row["openQuantity"]) == ("SUBMITTED", D("0.4"), D("0.6"))
    assert row["isTaker"] is False
    (row,) = venue.cancel(2)["result"]
    assert (row["orderStatus"], row["openQuantity"], row["cancelledUpdatedAt"]) == ("PART_FILLED", 0, NOW)
    venue.new(3)
    assert venue.cancel(3)["result"][0]["orderStatus"] == "CANCELLED"


def test_a_market_buy_takes_total_and_its_average_is_of_all_fills(venue):
    """1 at 65010 and the rest at 65020."""
    venue.new(1, orderType="MARKET", timeInForce=3, limitPrice=None, quantity=None, total=97520)
    (row,) = venue.query(1)["result"]
    assert (row["orderStatus"], row["filledCumulativeQuantity"], row["total"]) == ("FILLED", D("1.5"), 97520)
    assert row["filledAveragePrice"] == D("65013.333333333333")
    assert "limitPrice" not in row and "quantity" not in row


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"symbol": "DOGEUSDT"}, "0x04003A"),
        ({"symbol": "ETHUSDT"}, "0x05003D"),
        ({"limitPrice": "65000.001"}, "0x01001A"),
        ({"limitPrice": None}, "0x01001A"),
        ({"limitPrice": "6.5e4"}, "0x01001A"),
        ({"limitPrice": "-1"}, "0x01001A"),
        ({"limitPrice": True}, "0x01001A"),
        ({"quantity": "1000"}, "0x01001A"),
        ({"quantity": "11", "orderSide": "SELL"}, "0x06001A"),
        ({"timeInForce": 2}, "0x01001A"),
        ({"timeInForce": "1"}, "0x01001A"),
        ({"timeInForce": 1.5}, "0x01001A"),
        ({"timeInForce": None}, "0x01001A"),
        ({"orderType": "STOP"}, "0x01001A"),
        ({"orderSide": "buy"}, "0x01001A"),
        ({"total": 5}, "0x01001A"),
        ({"price": 5}, "0x01001A"),
        ({"orderType": "MARKET"}, "0x01001A"),
    ],
)
def test_a_new_order_that_cannot_be_is_refused_by_its_code(venue, changes, expected):
    """And is no order; the message begins with the table's."""
    answer = venue.new(1, **changes)
    assert code(answer) == expected
    assert statuses(venue) == []
    venue.exchange.check()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"accountId":NaN}',
        b'{"a":1e999999999}',
        b"[" * 100_000,
        b'{"venue":"A","venue":"A"}',
        b"\xff\xfe",
        b"1" * 5000,
    ],
)
def test_a_body_that_is_no_request_is_answered(venue, body):
    """0x01001A, whatever it is."""
    (answer,) = venue.ask(Request("POST", "/ac/v2/BINANCE/order/newOrder", "", body, signature(body)))
    assert code(json.loads(answer.text)) == "0x01001A"


def test_ids_are_checked_and_used_once(venue):
    """The rule 0x05012A, the time 0x05009A, the same id again 0x05002A, by FIX too."""
    assert code(venue.call(*NEW_ORDER, new_body(1) | {"orderId": "abc"})) == "0x05012A"
    assert code(venue.call(*NEW_ORDER, new_body(1, NOW - 61_000))) == "0x05009A"
    venue.new(1)
    assert code(venue.new(1)) == "0x05002A"
    assert venue.by_fix("D", new(1))[0][1][150] == "8"


def test_a_post_only_order_that_would_trade_is_rejected_afterwards(venue):
    """Taken in first; then REJECTED, for queries and lists."""
    assert venue.new(1, limitPrice="65010", timeInForce=7)["result"][0]["orderStatus"] == "PENDING_SUBMIT"
    assert venue.query(1)["result"][0]["orderStatus"] == "REJECTED"
    assert [each["orderStatus"] for each in venue.listed("listCompletedOrder")] == ["REJECTED"]
    assert code(venue.cancel(1)) == "0x05007A"


def test_cancelling_what_cannot_be_cancelled(venue):
    """Unknown, filled, still pending: each by its code."""
    assert code(venue.cancel(1)) == "0x05003A"
    venue.new(1, limitPrice="65010")
    assert code(venue.cancel(1)) == "0x05007A"
    venue.faults.post(Fault("delay", 1, 5, "new"))
    assert venue.ask(venue.signed(*NEW_ORDER, new_body(2))) == []
    assert code(venue.cancel(2)) == "0x05015A"


def test_cancelling_all_gives_the_clients_ids(venue):
    """Of one symbol or of all, by FIX or REST; what is final or pending is left."""
    venue.new(1)
    venue.by_fix("D", new(2))
    venue.new(3, limitPrice="65010")
    assert (
        code(venue.call("POST", "order/cancelAccountVenueAllOrder", {"accountId": ACCOUNT, "venue": "BINANCE", "symbol": "X"}))
        == "0x04003A"
    )
    answer = venue.call("POST", "order/cancelAccountVenueAllOrder", {"accountId": ACCOUNT, "venue": "BINANCE", "symbol": "BTCUSDT"})
    assert answer == {"result": [order_id(1), order_id(2)], "error": None}
    assert statuses(venue) == ["CANCELLED", "CANCELLED", "FILLED"]
    assert venue.call("POST", "order/cancelAccountVenueAllOrder", {"accountId": ACCOUNT, "venue": "BINANCE"})["result"] == []


# FIX and REST


def test_an_order_by_fix_is_in_rest_and_cancelled_by_it(venue):
    """By its ClOrdID; FIX is told."""
    venue.by_fix("D", new(1))
    assert venue.query(1)["result"][0]["orderStatus"] == "SUBMITTED"
    assert [each["orderId"] for each in venue.listed("listOpenOrder")] == [order_id(1)]
    assert venue.cancel(1)["result"][0]["orderStatus"] == "CANCELLED"
    assert [(kind, body[150]) for kind, body in venue.take_fix()] == [("8", "4")]


def test_an_order_by_rest_is_not_reported_by_fix_but_where_fix_asks(venue):
    """Its fills stay away, and those of the FIX order that it met do not; status and cancel are answered."""
    venue.by_fix("D", new(1, t54="2", t44="65005"))
    venue.new(2, limitPrice="65005", quantity="0.3")
    assert [body[150] for _, body in venue.take_fix()] == ["2"]
    assert [body[150] for _, body in venue.by_fix("H", enquiry(2))] == ["1"]
    venue.trade(Side.SELL, "0.1", "65005")
    assert venue.take_fix() == []
    assert [body[150] for _, body in venue.by_fix("F", enquiry(2))] == ["4"]
    assert venue.query(2)["result"][0]["orderStatus"] == "PART_FILLED"


# Who asks


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"digest": "0" * 64}, "0x20000A"),
        ({"digest": None}, "0x20000A"),
        ({"digest": 5}, "0x20000A"),
        ({"exp": None}, "0x20000A"),
        ({"exp": NOW // 1000}, "0x20000A"),
        ({"exp": NOW // 1000 + 61}, "0x20000A"),
        ({"exp": NOW + 30_000}, "0x20000A"),
        ({"exp": NOW / 1000 + 30.5}, "0x20000A"),
        ({"exp": True}, "0x20000A"),
        ({"accountId": None}, "0x20000A"),
        ({"accountId": "STA-00000009"}, "0x02002B"),
        ({"accountId": OTHER}, "0x20000A"),
        ({"secretKeyId": "key2"}, "0x20000B"),
        ({"secretKeyId": None}, "0x20000B"),
        ({"secret": SECRET + "2"}, "0x20000A"),
    ],
)
def test_a_signature_that_is_wrong_is_refused_by_its_code(venue, claims, expected):
    """Nothing is done, and no secret is told."""
    answer = venue.call(*NEW_ORDER, new_body(1), **claims)
    assert code(answer) == expected
    assert statuses(venue) == []
    assert venue.tally.rejected_signatures == (expected == "0x20000A")
    assert SECRET not in str(answer)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é", ".", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.W10.x", "." * 5000])
def test_a_signature_that_is_none_is_refused(venue, token):
    """0x20000A, whatever it is."""
    (answer,) = venue.ask(Request("GET", "/ac/v2/BINANCE/order/listOpenOrder", WHO, b"", token))
    assert code(json.loads(answer.text)) == "0x20000A"


def test_the_digest_is_of_the_exact_bytes(venue):
    """Of a body with spaces, of a query undecoded; the same things written otherwise are refused."""
    body = json.dumps(new_body(1), indent=2)
    assert venue.call(*NEW_ORDER, body)["error"] is None
    query = WHO.replace("BINANCE", "BIN%41NCE")
    assert venue.call("GET", "order/listOpenOrder", query)["error"] is None
    (answer,) = venue.ask(Request("GET", "/ac/v2/BINANCE/order/listOpenOrder", query, b"", signature(WHO)))
    assert code(json.loads(answer.text)) == "0x20000A"


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("BINANCE", WHO, None),
        ("", WHO, None),
        ("BINANCE", "accountId=STA-00000001&venue=GBBO", "0x02003A"),
        ("NOWHERE", "accountId=STA-00000001&venue=NOWHERE", "0x02003A"),
        ("", "accountId=STA-00000001&venue=NOWHERE", "0x02003A"),
        ("BINANCE", "accountId=STA-00000001", "0x01001A"),
        ("BINANCE", "venue=BINANCE", "0x01001A"),
        ("BINANCE", "accountId=STA-00000002&venue=BINANCE", "0x20000B"),
        ("BINANCE", "accountId=STA-00000009&venue=BINANCE", "0x02002B"),
        ("BINANCE", WHO + "&x=1", "0x01001A"),
        ("BINANCE", WHO + "&venue=BINANCE", "0x01001A"),
        ("BINANCE", WHO + "&&;", "0x01001A"),
    ],
)
def test_account_and_venue_are_those_of_signature_and_path(venue, path, query, expected):
    """A path without a venue is that of the co-located base URLs."""
    where = f"/ac/v2/{path}/order/listOpenOrder".replace("//", "/")
    (answer,) = venue.ask(Request("GET", where, query, b"", signature(query)))
    assert (json.loads(answer.text)["error"] or {"code": None})["code"] == expected


def test_restricted_accounts_query_only_and_suspended_ones_do_nothing():
    """ "Account Status"."""
    for status, allowed in (("RESTRICTED", True), ("SUSPENDED", False)):
        accounts = RestVenue().settings.accounts
        venue = RestVenue(accounts=(accounts[0].model_copy(update={"status": status}), accounts[1]), rest_requests_per_second=0)
        assert code(venue.new(1)) == code(venue.cancel(1)) == "0x02005A"
        everything = venue.call("POST", "order/cancelAccountVenueAllOrder", {"accountId": ACCOUNT, "venue": "BINANCE"})
        assert code(everything) == "0x02005A"
        assert (venue.call("GET", "account/queryAccountInfo", WHO)["error"] is None) == allowed


def test_twenty_a_second_by_account():
    """Then 0x02002A in the document's words, and nothing done, until a second has passed; a bad signature does not count."""
    venue = RestVenue()
    venue.call("GET", "order/listOpenOrder", WHO, secret=SECRET + "x")
    for _ in range(20):
        assert venue.call("GET", "order/listOpenOrder", WHO)["error"] is None
    answer = venue.new(1)
    assert answer["error"] == {"code": "0x02002A", "message": "rate limit is exceeded"}
    query = f"accountId={OTHER}&venue=BINANCE"
    assert venue.call("GET", "order/listOpenOrder", query, accountId=OTHER, secretKeyId="key2", secret=SECRET + "2")["error"] is None
    venue.now += 1000
    assert venue.new(1)["error"] is None


def test_codes_may_be_numbers():
    """As the table's first column has them."""
    answer = RestVenue(error_codes="decimal").cancel(1)
    assert answer["error"]["code"] == 327738


# Lists


def test_open_orders_are_listed_oldest_first(venue):
    """Resting and pending ones, of this venue alone."""
    for n in range(1, 4):
        venue.new(n, limitPrice="65010" if n == 2 else "65000")
    venue.faults.post(Fault("delay", 1, 5, "new"))
    venue.ask(venue.signed(*NEW_ORDER, new_body(4)))
    rows = [(each["orderId"], each["orderStatus"]) for each in venue.listed("listOpenOrder")]
    assert rows == [(order_id(1), "SUBMITTED"), (order_id(3), "SUBMITTED"), (order_id(4), "PENDING_SUBMIT")]


def test_completed_orders_in_a_time_range(venue):
    """One day unless said; limit and status narrow it; a range of more than three months is refused."""
    day = 86_400_000
    venue.new(1)
    venue.cancel(1)
    venue.now += day + 1
    venue.call(*NEW_ORDER, new_body(2, venue.now, limitPrice="65010"))
    (filled,) = venue.listed("listCompletedOrder", "&startTime=&endTime=&limit=100&orderStatus=")
    assert filled["orderStatus"] == "FILLED"
    both = venue.listed("listCompletedOrder", f"&startTime={NOW}")
    assert [each["orderStatus"] for each in both] == ["FILLED", "CANCELLED"]
    assert [each["orderStatus"] for each in venue.listed("listCompletedOrder", f"&endTime={NOW}")] == ["CANCELLED"]
    assert len(venue.listed("listCompletedOrder", f"&startTime={NOW}&limit=1")) == 1
    assert [each["orderStatus"] for each in venue.listed("listCompletedOrder", f"&startTime={NOW}&orderStatus=CANCELLED")] == ["CANCELLED"]
    for bad in (f"&startTime={NOW}&endTime={NOW - 1}", f"&startTime={NOW}&endTime={NOW + 93 * day}", "&limit=1001", "&orderStatus=NEW"):
        assert code(venue.call("GET", "order/listCompletedOrder", WHO + bad)) == "0x01001A"
    assert len(venue.call("GET", "order/listCompletedOrder", f"accountId={ACCOUNT}&startTime={NOW}")["result"]) == 2


def test_several_orders_by_id_in_either_form():
    """The standard answer, or the bare list of the sample; no more than 500."""
    query = f"accountId={ACCOUNT}&orderIdList={order_id(1)},{order_id(9)},{order_id(2)}"
    for bare in (False, True):
        venue = RestVenue(bare_order_lists=bare)
        venue.new(1)
        venue.new(2)
        answer = venue.call("GET", "order/listMultipleOrderInfo", query)
        assert [each["orderId"] for each in (answer if bare else answer["result"])] == [order_id(1), order_id(2)]
        many = ",".join("1" for _ in range(501))
        assert code(venue.call("GET", "order/listMultipleOrderInfo", f"accountId={ACCOUNT}&orderIdList={many}")) == "0x01001A"


def test_fills_are_listed_one_by_one_newest_first(venue):
    """With their own price, quantity and role; the rest is the order as it is."""
    venue.new(1, limitPrice="65020", quantity="1.5")
    venue.now += 1000
    venue.new(2)
    venue.trade(Side.SELL, "0.1", "65000")
    fills = venue.listed("listFilledOrder")
    assert [(each["lastFilledPrice"], each["lastFilledQuantity"], each["isTaker"], each["orderStatus"]) for each in fills] == [
        (65000, D("0.1"), False, "FILLED"),
        (65020, D("0.5"), True, "FILLED"),
        (65010, 1, True, "FILLED"),
    ]
    assert len(venue.listed("listFilledOrder", f"&orderId={order_id(1)}&symbol=BTCUSDT")) == 2
    assert venue.listed("listFilledOrder", "&symbol=ETHUSDT") == []
    assert len(venue.listed("listFilledOrder", f"&startTime={NOW + 1}")) == 1


def test_fees_are_charged_in_quote_and_told():
    """The taker's and the maker's, in fills, balances and getCommissionRate; nobody gets into debt."""
    venue = RestVenue(taker_fee=D("0.001"), maker_fee=D("0.0005"))
    venue.new(1, limitPrice="65010", quantity="1")
    venue.new(2, quantity="1")
    venue.trade(Side.SELL, "1", "65000")
    venue.new(3, orderSide="SELL", limitPrice="64990", quantity="1")
    assert [each["lastCommission"] for each in venue.listed("listFilledOrder")] == [D("64.99"), D("32.5"), D("65.01")]
    (rate,) = venue.listed("getCommissionRate", "&symbol=BTCUSDT")
    assert (rate["takeFee"], rate["makeFee"], rate["tradingVolume"]) == (D("0.001"), D("0.0005"), 195_000)
    balances = {each["currency"]: each for each in venue.call("GET", "asset/listBalance", WHO)["result"]}
    assert balances["USDT"]["amount"] == 1_000_000 - 65010 - 65000 + 64990 - D("162.5")
    assert (balances["USDT"]["frozen"], balances["BTC"]["available"]) == (0, 11)
    venue.exchange.check()
    dear = RestVenue(taker_fee=D("0.5"))
    assert code(dear.new(1, quantity="11")) == "0x06001A"
    assert dear.new(2, orderType="MARKET", timeInForce=3, limitPrice=None, quantity=None, total=65010)["error"] is None
    dear.exchange.check()


# Accounts and assets


def test_account_and_balances(venue):
    """Sub-accounts, and what an open order freezes."""
    (account,) = venue.call("GET", "account/queryAccountInfo", WHO)["result"]
    assert (account["accountId"], account["accountStatus"]) == (ACCOUNT, "OPENED")
    assert account["subAccountInfo"][0]["accountId"] == "STA-BINANCE_00000001"
    venue.new(1)
    balances = {each["currency"]: each for each in venue.call("GET", "asset/listBalance", WHO)["result"]}
    assert balances["USDT"] == {
        "accountId": "STA-BINANCE_00000001",
        "venue": "BINANCE",
        "currency": "USDT",
        "coin": "USDT",
        "amount": 1_000_000,
        "available": 993_500,
        "frozen": 6500,
    }


def test_deposits_and_activity(venue):
    """An address for a coin that there is; no activity, ever."""
    (address,) = venue.call("GET", "asset/queryAddress", WHO + "&coin=BTC")["result"]
    assert (address["venue"], address["coin"]) == ("BINANCE", "BTC")
    assert code(venue.call("GET", "asset/queryAddress", WHO + "&coin=DOGE")) == "0x04007A"
    body = {"accountId": ACCOUNT, "startTimeDate": "1584355090628", "endTimeDate": "1584614290628", "limit": "10", "page": "1"}
    (page,) = venue.call("POST", "asset/queryAssetActivityList", body)["result"]
    assert (page["records"], page["total"], page["current"]) == ([], 0, 1)


@pytest.mark.parametrize("error", ["0x20000B", "0x06001B"])
def test_treasury_is_refused_after_its_parameters(error):
    """As the settings say; no fault is used up by it."""
    venue = RestVenue(treasury_error=error)
    venue.faults.post(Fault("drop_request"))
    withdrawal = {"accountId": ACCOUNT, "venue": "BINANCE", "coin": "BTC", "amount": 10.0021, "address": "3N", "ticket": "b2"}
    transfer = {"accountId": ACCOUNT, "venue": "BINANCE", "currency": "BTC", "amount": 10.0, "targetVenue": "GBBO"}
    assert code(venue.call("GET", "asset/createWithdrawTicket", WHO)) == error
    assert code(venue.call("POST", "asset/withdraw", withdrawal)) == error
    assert code(venue.call("POST", "asset/transferToVenue", transfer)) == error
    assert code(venue.call("POST", "asset/withdraw", withdrawal | {"amount": 0})) == "0x01001A"
    assert code(venue.call("POST", "asset/transferToVenue", transfer | {"currency": "DOGE"})) == "0x04007A"
    assert venue.faults.pending()


# Public endpoints


def test_utils_are_public(venue):
    """Venues, currencies, symbols with the limits of the settings, and the time; unsigned."""
    assert public(venue, "/ac/v2/BINANCE/utils/currentTimeMillis") == {"result": NOW, "error": None}
    venues = public(venue, "/ac/v2/BINANCE/utils/listVenueInfo")["result"]
    assert [each["exchange"] for each in venues] == ["BINANCE", "GBBO", "OKEX"]
    symbols = public(venue, "/ac/v2/BINANCE/utils/listSymbolInfo")["result"]
    assert [(each["symbol"], each["status"]) for each in symbols] == [("BTCUSDT", "enabled"), ("ETHUSDT", "disabled")]
    assert (symbols[0]["tickSize"], symbols[0]["stepSize"], symbols[0]["baseAssetPrecision"]) == (D("0.01"), D("0.00001"), 5)
    assert [each["coin"] for each in public(venue, "/ac/v2/GBBO/utils/listCurrency")["result"]] == ["BTC", "USDT"]
    assert code(public(venue, "/ac/v2/NOWHERE/utils/listSymbolInfo")) == "0x02003A"


def test_numbers_have_full_digits_and_no_exponent(venue):
    """0.00001 is not 1e-5."""
    assert '"stepSize":0.00001,' in get(venue, "/ac/v2/BINANCE/utils/listSymbolInfo").text


def test_market_data(venue):
    """Books, trades by the maker's side, candles and the ticker, bare as in the samples."""
    venue.new(1, limitPrice="65020", quantity="1.5")
    book = public(venue, "/md/orderbook/v1/BTCUSDT/BINANCE")
    assert (book["asks"], book["bids"][0]) == ([[65020, D("0.5")]], [64990, 1])
    trades = public(venue, "/md/trade/v1/BTCUSDT/BINANCE/")
    assert [(each["price"], each["qty"], each["side"]) for each in trades] == [(65020, D("0.5"), "SELL"), (65010, 1, "SELL")]
    (candle,) = public(venue, "/md/kline/v1/BINANCE/BTC/USDT/1m")
    assert (candle["open"], candle["close"], candle["vol"], candle["count"]) == (65010, 65020, D("1.5"), 2)
    assert (candle["currencyPair"], candle["timestamp"]) == ("BTC/USDT", NOW - NOW % 60_000)
    assert public(venue, "/md/kline/v1/BINANCE/BTC/USDT/1M", f"startTime={NOW}") == []
    ticker = public(venue, "/md/ticker/v1/BTCUSDT/BINANCE/")
    assert (ticker["high"], ticker["low"], ticker["amount"]) == (65020, 65010, D("97520"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/md/orderbook/v1/DOGEUSDT/BINANCE", "0x04003A"),
        ("/md/orderbook/v1/ETHUSDT/OKEX", "0x20001A"),
        ("/md/kline/v1/GBBO/BTC/USDT/1m", "0x05003D"),
        ("/md/kline/v1/BINANCE/BTC/USDT/2m", "0x01001A"),
        ("/md/kline/v1/BINANCE/DOGE/USDT/1m", "0x04003A"),
        ("/md/ticker/v1/BTCUSDT/GBBO", "0x05003D"),
    ],
)
def test_market_data_that_there_is_not(venue, path, expected):
    """In the standard form."""
    assert code(public(venue, path)) == expected


def test_market_data_is_limited_to_one_a_second_by_address():
    """ "We throttle public endpoints"; utils are not market data."""
    venue, path = RestVenue(), "/md/orderbook/v1/BTCUSDT/BINANCE"
    texts = [get(venue, path, remote=remote).text for remote in ("a", "a", "b")]
    assert ["rate limit is exceeded" in each for each in texts] == [False, True, False]
    venue.now += 1000
    assert "asks" in get(venue, path, remote="a").text
    assert [code(public(venue, "/ac/v2/GBBO/utils/currentTimeMillis", "x=1")) for _ in range(2)] == ["0x01001A"] * 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/ac/v2/BINANCE/order/newOrder"),
        ("POST", "/ac/v2/BINANCE/order/queryOrderInfo"),
        ("GET", "/ac/v2/BINANCE/order/x"),
        ("POST", "/ac/v2/BINANCE/utils/listSymbolInfo"),
        ("GET", "/ac/v1/BINANCE/order/listOpenOrder"),
        ("GET", "/md/orderbook/v2/BTCUSDT/BINANCE"),
        ("GET", "/md/orderbook/v1/BTCUSDT"),
    ],
)
def test_what_there_is_not_is_404(venue, method, path):
    """With an error in the standard form."""
    (answer,) = venue.ask(Request(method, path, "", b"", signature("")))
    assert (answer.status, code(json.loads(answer.text))) == (404, "0x01001A")


# Faults


@pytest.mark.parametrize(
    ("kind", "outcome", "acted"),
    [
        ("drop_reply", HangUp(), True),
        ("drop_request", HangUp(), False),
        ("http_500", Answer(500, "500 Internal Server Error"), True),
        ("http_503", Answer(503, "503 Service Unavailable"), False),
    ],
)
@pytest.mark.parametrize("what", ["new", "cancel"])
def test_faults_without_a_word_act_or_do_not(venue, kind, outcome, acted, what):
    """Once, then all is well."""
    if what == "cancel":
        venue.new(1)
    venue.faults.post(Fault(kind, match=what))
    assert (venue.new(1) if what == "new" else venue.cancel(1)) == outcome
    if what == "new":
        assert statuses(venue) == (["SUBMITTED"] if acted else [])
    else:
        assert statuses(venue) == ["CANCELLED" if acted else "SUBMITTED"]
    assert venue.query(9)["error"]["code"] == "0x05003A"


def test_faults_with_words(venue):
    """`reject` by kind, `rate_limit`, `garbage` after acting."""
    venue.faults.post(Fault("reject", 3))
    assert [code(each) for each in (venue.new(1), venue.cancel(1), venue.query(1))] == ["0x05002B", "0x05004B", "0x01002B"]
    venue.faults.post(Fault("rate_limit", match="query"))
    assert venue.new(2)["error"] is None
    assert code(venue.query(2)) == "0x02002A"
    venue.faults.post(Fault("garbage", match="cancel"))
    (outcome,) = venue.ask(venue.signed("POST", "order/cancelOrder", {"accountId": ACCOUNT, "venue": "BINANCE", "orderId": order_id(2)}))
    assert outcome == Answer(200, GARBAGE)
    assert statuses(venue) == ["CANCELLED"]


def test_delay_leaves_a_new_order_pending_and_answers_late(venue):
    """A cancel acts at once and answers late."""
    venue.faults.post(Fault("delay", 1, 5, "new"))
    outcomes = venue.ask(venue.signed(*NEW_ORDER, new_body(1)))
    assert (outcomes, statuses(venue), venue.rest.due_ms) == ([], ["PENDING_SUBMIT"], NOW + 5000)
    venue.rest.tick(NOW + 4999)
    assert outcomes == []
    venue.rest.tick(NOW + 5000)
    assert (len(outcomes), statuses(venue)) == (1, ["SUBMITTED"])
    venue.faults.post(Fault("delay", 1, 5, "cancel"))
    outcomes = venue.ask(venue.signed("POST", "order/cancelOrder", {"accountId": ACCOUNT, "venue": "BINANCE", "orderId": order_id(1)}))
    assert (outcomes, statuses(venue)) == ([], ["CANCELLED"])
    venue.rest.tick(NOW + 5000)
    assert len(outcomes) == 1


def test_a_fault_meets_whichever_way_is_first(venue):
    """FIX here; the next one is REST's."""
    venue.faults.post(Fault("drop_request", 2, match="new"))
    assert venue.by_fix("D", new(1)) == []
    assert venue.new(2) == HangUp()
    assert venue.new(3)["error"] is None


def test_accept_ms_keeps_an_order_pending_after_its_answer():
    """By the clock."""
    venue = RestVenue(accept_ms=100)
    assert venue.new(1)["result"][0]["orderStatus"] == "PENDING_SUBMIT"
    assert code(venue.cancel(1)) == "0x05015A"
    venue.rest.tick(NOW + 100)
    assert statuses(venue) == ["SUBMITTED"]


def test_reset_hangs_up_on_who_waits_and_forgets_what_was_pending(venue):
    """Nothing comes of it later."""
    venue.faults.post(Fault("delay", 1, 5, "new"))
    outcomes = venue.ask(venue.signed(*NEW_ORDER, new_body(1)))
    venue.exchange.reset()
    venue.rest.reset()
    assert outcomes == [HangUp()]
    venue.rest.tick(NOW + 5000)
    assert statuses(venue) == []
    venue.exchange.check()


def test_requests_are_counted(venue):
    """By kind, by code and by status."""
    venue.new(1)
    venue.query(2)
    get(venue, "/nothing")
    counts = venue.tally.as_json()
    assert (counts["by_kind"]["new"], counts["by_kind"]["query"], counts["by_kind"]["other"]) == (1, 1, 1)
    assert counts["by_code"] == {"ok": 1, "0x05003A": 1, "0x01001A": 1}
    assert counts["by_status"] == {"200": 2, "404": 1}
