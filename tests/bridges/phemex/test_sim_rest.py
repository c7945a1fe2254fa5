"""The REST API without sockets: signatures, limits, endpoints, answers and faults."""

import json

import pytest

from bridges.faults import Fault
from bridges.phemex import sim_errors as errors
from bridges.phemex.sim_auth import Rounds
from bridges.phemex.sim_rest import GARBAGE, Answer, HangUp, Later

from .venue import NOW, OTHER_TOKEN, SECRET, TOKEN, S, Venue, body, hmac_hex, sample, signed

ACCOUNT = ("GET", "/accounts/accountPositions", "currency=BTC")


@pytest.fixture
def venue() -> Venue:
    return Venue()


def orders(venue: Venue) -> list[tuple[str, str]]:
    return [(each.asked.cl_ord_id, each.status.value) for each in venue.exchange.orders()]


def test_the_signature_is_the_documents_formula(venue):
    """ "HMacSha256( /accounts/accountPositions + currency=BTC + 154567778 )", here with an expiry that is to come."""
    expiry = NOW // S + 60
    signature = hmac_hex(f"/accounts/accountPositionscurrency=BTC{expiry}")
    answer = venue.handle(signed(*ACCOUNT, signature=signature))
    assert answer.status == 200
    text = (sample("signature_body"), "/orders")
    content = json.dumps(text[0], separators=(",", ":"))
    signature = hmac_hex(f"/orders{expiry}{content}")
    assert venue.handle(signed("POST", "/orders", "", content.encode(), signature=signature)).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"token": ""},
        {"token": "nobody"},
        {"token": OTHER_TOKEN},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "é"},
        {"expiry": ""},
        {"expiry": "soon"},
        {"expiry": "-1"},
        {"expiry": "٣"},
        {"expiry": "9" * 30},
    ],
)
def test_what_is_not_signed_right_is_401_and_does_nothing(venue, changes):
    """Each header by itself."""
    answer = venue.handle(signed("POST", "/orders", "", body(), **changes))
    assert answer.status == 401
    assert json.loads(answer.text)["code"] == 401
    assert orders(venue) == []
    assert venue.tally.rejected_signatures == 1
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("expiry", "status"),
    [(0, 401), (1, 200), (60, 200), (300, 200), (301, 401), (-1, 401)],
)
def test_an_expiry_lies_ahead_and_not_too_far(venue, expiry, status):
    """In seconds, up to 5 minutes; in milliseconds it is too far."""
    when = str(NOW // S + expiry)
    signature = hmac_hex(f"/accounts/accountPositionscurrency=BTC{when}")
    assert venue.handle(signed(*ACCOUNT, expiry=when, signature=signature)).status == status
    signature = hmac_hex(f"/accounts/accountPositionscurrency=BTC{when}000")
    assert venue.handle(signed(*ACCOUNT, expiry=f"{when}000", signature=signature)).status == 401


def test_upper_case_and_other_orders_of_the_parts_are_refused(venue):
    """ "The `signature` is **case sensitive**"."""
    good = signed(*ACCOUNT)
    for signature in (good.signature.upper(), hmac_hex(f"currency=BTC/accounts/accountPositions{good.expiry}")):
        assert venue.handle(signed(*ACCOUNT, signature=signature)).status == 401
    assert venue.handle(signed(*ACCOUNT, signature=hmac_hex(f"/accounts/accountPositions?currency=BTC{good.expiry}"))).status == 401


def test_two_hundred_a_minute_then_429_until_the_next_round(venue):
    """X-RateLimit-Remaining counts down; X-RateLimit-Retry-After says when; refused ones do nothing."""
    for left in range(199, -1, -1):
        answer = venue.handle(signed(*ACCOUNT))
        assert (answer.status, answer.headers) == (200, {"X-RateLimit-Remaining": str(left)})
    venue.now += 20 * S + 1
    answer = venue.handle(signed("POST", "/orders", "", body(), venue.now))
    assert (answer.status, answer.headers) == (
        429,
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Retry-After": "40"},
    )
    assert orders(venue) == []
    other = signed(*ACCOUNT, now_ns=venue.now, token=OTHER_TOKEN)
    expiry = other.expiry
    signature = hmac_hex(f"/accounts/accountPositionscurrency=BTC{expiry}", SECRET + "2")
    assert venue.handle(signed(*ACCOUNT, now_ns=venue.now, token=OTHER_TOKEN, signature=signature)).status == 200
    venue.now = NOW + 60 * S
    assert venue.call("POST", "/orders", "", body())[0] == 200


def test_an_address_that_breaks_its_own_limit_is_403():
    """Where the settings give one."""
    venue = Venue(ip_requests_per_minute=2)
    statuses = [venue.handle(signed(*ACCOUNT)).status for _ in range(3)]
    assert statuses == [200, 200, 403]
    assert venue.handle(signed(*ACCOUNT, remote="192.0.2.1")).status == 200


def test_a_limit_of_nought_is_none():
    """For load tests."""
    assert [Rounds(0).take("x", NOW) for _ in range(3)] == [(1, 0)] * 3


def test_placing_is_answered_by_the_order_as_created(venue):
    """Whatever came of it at once: the rest is AOP's to tell."""
    answer = venue.place(priceEp=650_100_000)
    assert (answer["code"], answer["msg"]) == (0, "")
    (order,) = venue.exchange.orders()
    assert order.status.value == "Filled"
    data = answer["data"]
    assert (data["orderID"], data["clOrdID"], data["ordStatus"]) == (order.order_id, "c1", "Created")
    assert (data["bizError"], data["cumQty"], data["leavesQty"], data["transactTimeNs"]) == (0, 0, 7, 0)


def test_a_no_is_http_200_with_its_code_and_no_data(venue):
    """Of the trading engine and of the gateway alike."""
    assert venue.place(orderQty=0) == {"code": 11058, "msg": "TE_QTY_TOO_SMALL", "data": None}
    status, answer = venue.call("POST", "/orders", "", b"{}")
    assert (status, answer) == (200, {"code": 10500, "msg": "Missing required parameter - symbol", "data": None})
    assert venue.tally.as_json()["by_code"] == {"11058": 1, "10500": 1}


def test_a_cancel_is_written_into_the_path(venue):
    """As the document shows it, in either order; answered by the order as it was before."""
    for n, form in enumerate(("orderID={}&symbol=BTCUSD", "symbol=BTCUSD&orderID={}")):
        order_id = venue.place(clOrdID=f"c{n}")["data"]["orderID"]
        status, answer = venue.call("DELETE", "/orders/" + form.format(order_id))
        assert (status, answer["code"], answer["data"]["ordStatus"]) == (200, 0, "New")
        assert orders(venue)[n] == (f"c{n}", "Canceled")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("orderID=nothing&symbol=BTCUSD", errors.OM_ORDER_NOT_FOUND),
        ("orderID={}&symbol=ETHUSD", errors.OM_ORDER_NOT_FOUND),
        ("orderID={}&symbol=DOGEUSD", errors.TE_SYMBOL_INVALID),
        ("orderID={}", errors.MISSING_PARAMETER),
        ("orderID={}&symbol=", errors.MISSING_PARAMETER),
        ("symbol=BTCUSD", errors.TE_MISSING_ORDER_ID),
        ("orderID=&symbol=BTCUSD", errors.TE_MISSING_ORDER_ID),
        ("orderID={}&symbol=BTCUSD&text=x", errors.BAD_ARGUMENTS),
        ("orderID={}&orderID={}&symbol=BTCUSD", errors.BAD_ARGUMENTS),
        ("clOrdID=c1&symbol=BTCUSD", errors.BAD_ARGUMENTS),
    ],
)
def test_a_cancel_that_names_no_order_is_refused(venue, path, code):
    """And the order lives."""
    order_id = venue.place()["data"]["orderID"]
    status, answer = venue.call("DELETE", "/orders/" + path.replace("{}", order_id))
    assert (status, answer["code"], answer["data"]) == (200, code, None)
    assert orders(venue) == [("c1", "New")]


def test_cancelling_all_says_how_many(venue):
    """Of the symbol that the query names; an empty one names none."""
    venue.place()
    venue.place(clOrdID="c2", symbol="ETHUSD", priceEp=35_000_000)
    assert venue.call("DELETE", "/orders/all", "symbol=")[1]["code"] == errors.TE_SYMBOL_INVALID
    assert venue.call("DELETE", "/orders/all", "symbl=BTCUSD")[1]["code"] == errors.BAD_ARGUMENTS
    assert venue.call("DELETE", "/orders/all", "symbol=ETHUSD")[1] == {"code": 0, "msg": "", "data": 1}
    assert venue.call("DELETE", "/orders/all")[1]["data"] == 1
    assert orders(venue) == [("c1", "Canceled"), ("c2", "Canceled")]


def test_an_account_and_its_positions(venue):
    """By currency."""
    venue.place(priceEp=650_100_000)
    status, answer = venue.call(*ACCOUNT)
    assert (status, answer["code"]) == (200, 0)
    account, (position,) = answer["data"]["account"], answer["data"]["positions"]
    assert (account["accountId"], account["currency"]) == (604630001, "BTC")
    assert (position["symbol"], position["side"], position["size"]) == ("BTCUSD", "Buy", 7)
    assert venue.call("GET", ACCOUNT[1], "currency=DOGE")[1]["code"] == errors.TE_CURRENCY_INVALID
    assert venue.call("GET", ACCOUNT[1])[1]["code"] == errors.MISSING_PARAMETER


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/orders", ""),
        ("PUT", "/orders", ""),
        ("DELETE", "/orders", "orderID=x&symbol=BTCUSD"),
        ("DELETE", "/orders/orderID=x", "symbol=BTCUSD"),
        ("DELETE", "/orders/x", ""),
        ("POST", "/orders/", ""),
        ("GET", "/orders/activeList", "symbol=BTCUSD"),
    ],
)
def test_what_the_document_does_not_have_is_404(venue, method, path, query):
    """The later documents' endpoints among them."""
    assert venue.call(method, path, query)[0] == 404


# Faults


@pytest.mark.parametrize(
    ("kind", "status", "lives"),
    [("http_500", 500, True), ("http_503", 503, False), ("rate_limit", 429, False), ("reject", 200, False)],
)
def test_faults_that_answer(venue, kind, status, lives):
    """http_500 acts, http_503 does not: a 5xx says nothing of the outcome."""
    venue.faults.post(Fault(kind, match="new", delay_s=2.5))
    got, answer = venue.call("POST", "/orders", "", body())
    assert got == status
    assert answer["code"] != 0
    assert orders(venue) == ([("c1", "New")] if lives else [])
    assert venue.call("POST", "/orders", "", body(clOrdID="c2"))[1]["code"] == 0


@pytest.mark.parametrize(("kind", "lives"), [("drop_reply", True), ("drop_request", False)])
def test_faults_that_hang_up(venue, kind, lives):
    """After acting, or before."""
    line = venue.subscribed()
    venue.faults.post(Fault(kind, match="new"))
    assert isinstance(venue.handle(signed("POST", "/orders", "", body())), HangUp)
    assert (orders(venue), len(line.take())) == (([("c1", "New")], 1) if lives else ([], 0))
    assert venue.tally.by_status["none"] == 1


def test_a_delayed_request_acts_late_and_answers_late(venue):
    """At the time that is passed to it, signed in time though it was."""
    venue.faults.post(Fault("delay", match="new", delay_s=90))
    later = venue.handle(signed("POST", "/orders", "", body()))
    assert isinstance(later, Later)
    assert later.at_ns == NOW + 90 * S
    assert orders(venue) == []
    answer = later.then(later.at_ns)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.headers) == (200, {"X-RateLimit-Remaining": "199"})
    assert next(iter(venue.exchange.orders())).created_ns == NOW + 90 * S


def test_a_rate_limit_says_how_long(venue):
    """Whole seconds, at least one."""
    for delay_s, said in ((0, "1"), (2.5, "3")):
        venue.faults.post(Fault("rate_limit", delay_s=delay_s))
        answer = venue.handle(signed(*ACCOUNT))
        assert (answer.status, answer.headers["X-RateLimit-Retry-After"]) == (429, said)


def test_rejects_have_the_venues_codes(venue):
    """New, cancel and query; a new order's is told in AOP too."""
    order_id = venue.place()["data"]["orderID"]
    line = venue.subscribed()
    for match in ("new", "cancel", "query"):
        venue.faults.post(Fault("reject", match=match))
    assert venue.place(clOrdID="c2")["code"] == errors.TE_NO_ENOUGH_AVAILABLE_BALANCE
    (message,) = line.take()
    assert [(row["clOrdID"], row["execStatus"], row["code"]) for row in message["orders"]] == [("c2", "CreateRejected", 11001)]
    _, answer = venue.call("DELETE", f"/orders/orderID={order_id}&symbol=BTCUSD")
    assert answer["code"] == errors.TE_ORD_STATUS_CANNOT_CANCEL
    assert venue.call(*ACCOUNT)[1]["code"] == errors.TE_CURRENCY_INVALID
    assert orders(venue) == [("c1", "New")]


def test_a_garbled_answer_has_acted(venue):
    """200, and nothing that can be parsed; the stream is left alone."""
    line = venue.subscribed()
    venue.faults.post(Fault("garbage", match="new"))
    answer = venue.handle(signed("POST", "/orders", "", body()))
    assert (answer.status, answer.text) == (200, GARBAGE)
    assert orders(venue) == [("c1", "New")]
    assert len(line.take()) == 1


def test_faults_spare_what_is_refused_anyway(venue):
    """A bad signature uses none up."""
    venue.faults.post(Fault("http_503"))
    assert venue.handle(signed(*ACCOUNT, token=TOKEN, signature="x")).status == 401
    assert venue.call(*ACCOUNT)[0] == 503
