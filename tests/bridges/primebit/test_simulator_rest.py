"""The REST API without sockets: signatures, limit, endpoints, bodies, answers and faults."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.faults import Fault
from bridges.primebit.sim_auth import Limit
from bridges.primebit.sim_errors import Refused
from bridges.primebit.sim_rest import GARBAGE, Answer, HangUp, Later, Request

from .sim_venue import KEY, NOW, ORDERS, OTHER, OTHER_KEY, SECRET, S, Venue, body, change, hmac_hex, signed


@pytest.fixture
def venue() -> Venue:
    return Venue()


def error(answer: Answer | HangUp | Later) -> tuple[int, str]:
    assert isinstance(answer, Answer)
    no = json.loads(answer.text)["error"]
    assert set(no) == {"code", "message"}
    assert no["message"]
    return answer.status, no["code"]


def test_the_signature_is_the_documents_formula(venue):
    """HMAC(api-secret, http-verb, request-body, request-path, request-query-string, timestamp), in hexadecimal."""
    timestamp = str(NOW // S)
    path = f"{ORDERS}/5451233"
    good = Request("DELETE", path, "", b"", KEY, timestamp, hmac_hex(f"DELETE{path}{timestamp}"))
    assert error(venue.handle(good)) == (404, "order-not-found")
    content = body()
    good = Request("POST", ORDERS, "", content, KEY, timestamp, hmac_hex(f"POST{content.decode()}{ORDERS}{timestamp}"))
    assert venue.handle(good).status == 200
    good = Request("GET", ORDERS, "a=b", b"", KEY, timestamp, hmac_hex(f"GET{ORDERS}a=b{timestamp}"))
    assert error(venue.handle(good)) == (400, "bad-request")


@pytest.mark.parametrize(
    "changes",
    [
        {"api_key": ""},
        {"api_key": "nobody"},
        {"api_key": OTHER_KEY},
        {"authorization": ""},
        {"authorization": "0" * 64},
        {"authorization": "é"},
        {"authorization": "\udcff"},
        {"authorization": signed("POST", ORDERS, "", body()).authorization.upper()},
        {"timestamp": ""},
        {"timestamp": "now"},
        {"timestamp": "-1"},
        {"timestamp": "٣"},
        {"timestamp": "9" * 30},
        {"timestamp": str(NOW // S + 31)},
        {"timestamp": str(NOW // S - 31)},
        {"timestamp": str(NOW // 1_000_000)},
        {"body": body(volume="8.0")},
        {"method": "PUT"},
        {"query": "a=b"},
    ],
)
def test_what_is_not_signed_right_is_401_and_does_nothing(venue, changes):
    """Each part by itself; also a timestamp that is signed and too far off."""
    asked = signed("POST", ORDERS, "", body(), **({"timestamp": changes["timestamp"]} if "timestamp" in changes else {}))
    fields = {name: getattr(asked, name) for name in Request.__slots__} | changes
    answer = venue.handle(Request(**fields))
    assert error(answer) == (401, "unauthorized")
    assert (venue.truth(), venue.tally.rejected_signatures) == ([], 1)
    assert SECRET not in answer.text


@pytest.mark.parametrize("off", [-30, 0, 30])
def test_a_timestamp_may_be_half_a_minute_off(venue, off):
    """Either way."""
    assert venue.handle(signed("GET", ORDERS, timestamp=str(NOW // S + off))).status == 200


def test_five_in_any_second_then_429(venue):
    """By key, sliding; refused ones do nothing and do not count."""
    venue = Venue(requests_per_second=5)
    for n in range(5):
        venue.now = NOW + n * S // 10
        assert venue.call("GET")[0] == 200
    venue.now = NOW + S - 1
    assert error(venue.handle(signed("POST", ORDERS, "", body(), venue.now))) == (429, "too-many-requests")
    assert venue.truth() == []
    venue.place_other()
    venue.now = NOW + S
    assert venue.call("GET")[0] == 200
    assert venue.call("GET")[0] == 429
    venue.now = NOW + S + S // 10
    assert venue.call("GET")[0] == 200


def test_whoever_has_no_key_is_limited_by_address():
    """And does not use up anybody's share."""
    venue = Venue(requests_per_second=2)
    statuses = [venue.handle(signed("GET", ORDERS, api_key=f"guess{n}")).status for n in range(3)]
    assert statuses == [401, 401, 429]
    assert venue.call("GET")[0] == 200
    limit = Limit(0)
    for _ in range(9):
        limit.take("x", NOW)
    limit = Limit(1)
    limit.take("x", NOW)
    with pytest.raises(Refused):
        limit.take("x", NOW)
    limit.clear()
    limit.take("x", NOW)


@pytest.mark.parametrize("account", [OTHER, "00000000-0000-0000-0000-000000000000", "x"])
def test_another_account_is_403(venue, account):
    """Whether or not it exists."""
    assert error(venue.handle(signed("GET", f"/api/v1/trading/account/{account}/order"))) == (403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", ORDERS),
        ("PUT", ORDERS),
        ("PATCH", f"{ORDERS}/1"),
        ("POST", f"{ORDERS}/1"),
        ("GET", f"{ORDERS}/"),
        ("GET", f"{ORDERS}s"),
        ("GET", f"{ORDERS}/1/2"),
        ("GET", ORDERS.replace("v1", "v0")),
        ("GET", "/"),
    ],
)
def test_what_is_no_method_is_404(venue, method, path):
    """Signed, all the same."""
    assert error(venue.handle(signed(method, path))) == (404, "not-found")


def test_bodies_and_queries_belong_where_they_belong(venue):
    """Nowhere else."""
    path = venue.placed()
    for method, target, content, query in (
        ("DELETE", path, b"{}", ""),
        ("GET", path, b"{}", ""),
        ("GET", ORDERS, b"", "symbol=BTCUSD"),
        ("DELETE", path, b"", "x"),
    ):
        assert error(venue.handle(signed(method, target, query, content))) == (400, "bad-request")
    assert venue.truth() == [("c1", "New", "0")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        *(({name: None}, name) for name in ("symbol", "side", "volume", "limit_price", "fill_type")),
        ({"stop_prise": "1.0"}, "stop_prise"),
        ({"order_id": 7}, "order_id"),
        ({"side": "Buy"}, "side"),
        ({"fill_type": "ioc"}, "fill_type"),
        ({"volume": 7}, "volume"),
        ({"volume": "-7"}, "volume"),
        ({"volume": "+7"}, "volume"),
        ({"volume": "7e0"}, "volume"),
        ({"volume": "٧"}, "volume"),
        ({"volume": ""}, "volume"),
        ({"volume": "NaN"}, "volume"),
        ({"volume": "1" * 13}, "volume"),
        ({"limit_price": "65000."}, "limit_price"),
        ({"limit_price": ".5"}, "limit_price"),
        ({"stop_price": " 1"}, "stop_price"),
        ({"expiration_time": "0"}, "expiration_time"),
        ({"expiration_time": True}, "expiration_time"),
        ({"expiration_time": -1}, "expiration_time"),
        ({"expiration_time": NOW // 1_000_000}, "expiration_time"),
        ({"comment": "c" * 65}, "comment"),
        ({"comment": "a\nb"}, "comment"),
        ({"comment": "\ud800"}, "comment"),
        ({"comment": 7}, "comment"),
        ({"\ud800": 7}, "\ud800"),
    ],
)
def test_a_body_that_is_no_request_is_400_naming_the_field_and_told_nowhere(venue, changes, field):
    """Strict in everything."""
    line = venue.subscribed()
    status, answer = venue.call("POST", content=body(**changes))
    assert (status, answer["error"]["code"]) == (400, "invalid-field")
    assert answer["error"]["message"].startswith(f"{field}:")
    assert (venue.truth(), line.take()) == ([], [])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"no JSON",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"symbol":"BTCUSD","symbol":"ETHUSD"}',
        b'{"volume":7.0}',
        b'{"volume":NaN}',
        b'{"expiration_time":' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_object_is_400(venue, content):
    """For new orders and modifications."""
    path = venue.placed()
    for method, target in (("POST", ORDERS), ("PUT", path)):
        assert error(venue.handle(signed(method, target, "", content))) == (400, "bad-request")
    assert venue.truth() == [("c1", "New", "0")]


@pytest.mark.parametrize("missing", ["volume", "limit_price", "stop_price"])
def test_a_modification_says_all_three(venue, missing):
    """And nothing else; what is no proper one is told nowhere."""
    path, line = venue.placed(), venue.subscribed()
    fields = json.loads(change("8.0"))
    less = json.dumps({name: value for name, value in fields.items() if name != missing}).encode()
    more = json.dumps(fields | {"side": "sell"}).encode()
    for content in (less, more):
        assert error(venue.handle(signed("PUT", path, "", content))) == (400, "invalid-field")
    assert line.take() == []


def test_what_may_be_left_out_is_nothing(venue):
    """No stop, no expiry, no comment."""
    answer = venue.place(stop_price=None, expiration_time=None, comment=None)
    assert (answer["stop_price"], answer["expiration_time"], answer["comment"]) == ("0.0", 0, "")


@given(st.binary(max_size=60), st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_no_request_raises(content, path, key, signature):
    """Whatever comes in."""
    venue = Venue()
    venue.handle(Request("POST", path, key, content, KEY, str(NOW // S), signature, ""))
    for method, target in (("POST", ORDERS), ("PUT", f"{ORDERS}/1")):
        assert venue.handle(signed(method, target, "", content)).status in (400, 404)


# Faults


@pytest.mark.parametrize(
    ("kind", "status", "code", "lives"),
    [
        ("http_500", 500, "internal-server-error", True),
        ("http_503", 503, "service-unavailable", False),
        ("rate_limit", 429, "too-many-requests", False),
        ("reject", 400, "rejected", False),
    ],
)
def test_faults_that_answer(venue, kind, status, code, lives):
    """http_500 acts, http_503 does not: a 5xx says nothing of the outcome."""
    venue.faults.post(Fault(kind, match="new"))
    assert error(venue.handle(signed("POST", ORDERS, "", body()))) == (status, code)
    assert venue.truth() == ([("c1", "New", "0")] if lives else [])
    assert "order_id" in venue.place(comment="c2")


@pytest.mark.parametrize(("kind", "lives"), [("drop_reply", True), ("drop_request", False)])
def test_faults_that_hang_up(venue, kind, lives):
    """After acting, or before."""
    line = venue.subscribed()
    venue.faults.post(Fault(kind, match="new"))
    assert isinstance(venue.handle(signed("POST", ORDERS, "", body())), HangUp)
    assert len(line.take()) == (2 if lives else 0)
    assert venue.truth() == ([("c1", "New", "0")] if lives else [])
    assert venue.tally.by_status == {"none": 1}


def test_a_delayed_request_acts_late_and_answers_late(venue):
    """At the time that is passed to it, signed in time though it was."""
    venue.faults.post(Fault("delay", match="new", delay_s=90))
    later = venue.handle(signed("POST", ORDERS, "", body()))
    assert isinstance(later, Later)
    assert (later.at_ns, venue.truth()) == (NOW + 90 * S, [])
    answer = later.then(later.at_ns)
    assert isinstance(answer, Answer)
    assert answer.status == 200
    (order,) = venue.exchange.orders()
    assert order.created_ns == NOW + 90 * S
    assert venue.tally.by_status == {"200": 1}


def test_a_rejection_is_told_on_the_channel(venue):
    """Each in its own words; a query has none."""
    line, path = venue.subscribed(), venue.placed()
    line.take()
    venue.faults.post(Fault("reject", 4))
    for method, target, content, events in (
        ("POST", ORDERS, body(comment="c2"), ["new_request", "reject"]),
        ("PUT", path, change("9.0"), ["modify_reject"]),
        ("DELETE", path, b"", ["cancel_reject"]),
        ("GET", path, b"", []),
    ):
        assert error(venue.handle(signed(method, target, "", content))) == (400, "rejected")
        assert [event for event, *_ in line.events()] == events
    assert venue.call("DELETE", path)[0] == 200


@pytest.mark.parametrize(
    ("match", "met"),
    [("new", ["POST"]), ("cancel", ["PUT", "DELETE"]), ("query", ["GET"]), ("any", ["POST", "GET", "PUT", "DELETE"]), ("stream", [])],
)
def test_faults_meet_their_kind_of_request(venue, match, met):
    """A modification is a cancel to them."""
    path = venue.placed()
    venue.faults.post(Fault("http_500", 9, match=match))
    found = []
    for method, target, content in (("POST", ORDERS, body()), ("GET", path, b""), ("PUT", path, change("9.0")), ("DELETE", path, b"")):
        if venue.call(method, target, content)[0] == 500:
            found.append(method)
    assert found == met


def test_faults_do_not_meet_who_may_not_ask(venue):
    """They stay for a request that is signed."""
    venue.faults.post(Fault("http_503"))
    assert venue.handle(signed("GET", ORDERS, authorization="0")).status == 401
    assert venue.handle(signed("GET", ORDERS.replace("19e8", "0000"))).status == 403
    assert venue.call("GET")[0] == 503


def test_garbage_is_acted_on_and_answered_by_no_json(venue):
    """Once, with 200."""
    venue.faults.post(Fault("garbage", match="new"))
    answer = venue.handle(signed("POST", ORDERS, "", body()))
    assert (answer.status, answer.text, venue.truth()) == (200, GARBAGE, [("c1", "New", "0")])


def test_requests_are_counted(venue):
    """By kind, status and code."""
    path = venue.placed()
    venue.call("PUT", path, change("9.0"))
    venue.call("DELETE", path)
    venue.call("DELETE", path)
    venue.call("GET")
    venue.call("GET", "/")
    counts = venue.tally.as_json()
    kinds = counts["by_kind"]
    assert [kinds[kind] for kind in ("new", "modify", "cancel", "query", "other")] == [1, 1, 2, 1, 1]
    assert counts["by_status"] == {"200": 4, "404": 2}
    assert counts["by_code"] == {"order-not-found": 1, "not-found": 1}
