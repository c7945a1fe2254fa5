"""Phoenix, channels, limits and faults of the simulated Moonbase, without sockets."""

import json

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bridges.matching import Side
from bridges.moonbase.sim_frames import ARRAYS

from .sim_venue import NOW, ORDERS, SYMBOL, TRADES, D, Rig, S, parsed, rows

BOOK = "/orderbooks/ETC:BTC"
CANDLES = "/candles/ETC:BTC"


@pytest.fixture
def rig() -> Rig:
    return Rig()


def no(frames):
    """The type of the only frame, an error's reply."""
    (reply,) = frames
    assert (reply["event"], reply["payload"]["status"]) == ("phx_reply", "error")
    assert set(reply["payload"]) == {"status", "type", "details"}
    return reply["payload"]["type"]


# Phoenix


def test_join_heartbeat_and_leave(rig):
    """Replies bear the request's ref; after the leave comes phx_close with the join's."""
    client = rig.connect()
    (reply,) = client.ask(ORDERS, "phx_join")
    assert reply == {
        "ref": "1", "join_ref": "1", "topic": ORDERS, "event": "phx_reply", "payload": {"status": "ok", "response": []},
    }  # fmt: skip
    (beat,) = client.ask("phoenix", "heartbeat", join_ref=None)
    assert (beat["topic"], beat["ref"], beat["payload"]) == ("phoenix", "2", {"status": "ok", "response": {}})
    left, closed = client.ask(ORDERS, "phx_leave")
    assert left["payload"]["status"] == "ok"
    assert (closed["event"], closed["ref"], closed["join_ref"]) == ("phx_close", "1", "1")
    assert no(client.place(1, 0.005)) == "unmatched topic"


def test_arrays_for_who_asks_for_them(rig):
    """Serializer 2.0.0: join_ref, ref, topic, event, payload."""
    client = rig.connect(vsn=ARRAYS)
    client.session.receive(json.dumps(["3", "3", ORDERS, "phx_join", {}]), NOW)
    client.session.receive(json.dumps(["3", "4", ORDERS, "place", {"requested_amount": 1, "limit_price": 0.005}]), NOW)
    joined, placed, told = client.take()
    assert joined == ["3", "3", ORDERS, "phx_reply", {"status": "ok", "response": []}]
    assert placed[:4] == ["3", "4", ORDERS, "phx_reply"]
    assert told[:4] == [None, None, ORDERS, "upsert"]


@pytest.mark.parametrize("join_ref", ["2", 1, None, ""])
def test_a_wrong_join_ref_is_unmatched(rig, join_ref):
    """Also for a leave; and the channel is still joined."""
    client = rig.trader()
    for event in ("place", "cancel", "phx_leave", "nonsense"):
        assert no(client.ask(ORDERS, event, {}, join_ref)) == "unmatched topic"
    assert client.placed(1, 0.005)


def test_joining_again_closes_the_older_channel(rig):
    """phx_close with its ref, then the reply; from then on the new join_ref counts."""
    client = rig.trader()
    old = client.joins[ORDERS]
    closed, reply = client.ask(ORDERS, "phx_join")
    assert (closed["event"], closed["ref"], reply["payload"]["status"]) == ("phx_close", old, "ok")
    assert no(client.ask(ORDERS, "place", {"requested_amount": 1}, old)) == "unmatched topic"
    assert client.placed(1, 0.005)


def test_a_join_whose_refs_differ_is_refused(rig):
    """ "for join messages ref and join_ref will always be the same"."""
    assert no(rig.connect().ask(ORDERS, "phx_join", {}, "77")) == "invalid_params"


def test_an_unknown_event_breaks_the_channel(rig):
    """phx_error, and nothing more on that topic until it is joined again."""
    client = rig.trader()
    (broken,) = client.ask(ORDERS, "plaice", {"requested_amount": 1})
    assert (broken["event"], broken["ref"]) == ("phx_error", client.joins[ORDERS])
    assert no(client.place(1, 0.005)) == "unmatched topic"
    client.join(ORDERS)
    assert client.placed(1, 0.005)


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("/orders/DOGE:BTC", "not_found"),
        ("/orders", "unmatched topic"),
        ("orders/ETC:BTC", "unmatched topic"),
        ("/tickers/ETC:BTC", "unmatched topic"),
    ],
)
def test_topics_that_are_not(rig, topic, kind):
    """Unknown channels and unknown symbols."""
    assert no(rig.connect().ask(topic, "phx_join")) == kind


@pytest.mark.parametrize(
    "text",
    ["", "no JSON", "[]", "{}", "[" * 100_000, '{"topic":1,"event":"x","payload":{}}', '{"topic":"a","event":"b","payload":[]}',
     '{"topic":"a","event":"b","payload":{},"ref":[1]}', '{"topic":"a","event":"b","payload":{"x":NaN}}', "1" * 5000],
)  # fmt: skip
def test_what_is_no_frame_closes_the_connection(rig, text):
    """1011, and nobody else notices."""
    client = rig.connect()
    client.session.receive(text, NOW)
    assert (client.closed, client.sent) == (1011, [])


def test_silence_for_sixty_seconds_ends_the_connection(rig):
    """Any frame counts."""
    client = rig.connect()
    rig.now += 59 * S
    client.ask("phoenix", "heartbeat")
    client.session.tick(NOW + 118 * S)
    assert not client.over
    client.session.tick(NOW + 119 * S)
    assert client.over


JUNK = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
                    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3), max_leaves=5)  # fmt: skip
NAMES = ("requested_amount", "limit_price", "trigger_price", "id", "status", "limit", "symbols", "from", "to", "resolution", "asset",
         "amount", "address", "symbol", "margin", "kind", "self", "ETC:BTC")  # fmt: skip


@examples(max_examples=150, deadline=None)
@given(
    st.sampled_from([ORDERS, TRADES, BOOK, CANDLES, "/tickers", "/balances", "/positions", "/deposits", "/withdrawals", "phoenix"]),
    st.sampled_from(["phx_join", "place", "cancel", "get_snapshot", "assign", "get_deposit_address", "create_withdrawal"]),
    st.dictionaries(st.sampled_from(NAMES) | st.text(), JUNK, max_size=4),
)
def test_no_payload_does_harm(topic, event, payload):
    """Every request is answered, by a reply or phx_error, in JSON, and the venue stays sound."""
    rig = Rig(allow_withdrawals=True)
    client = rig.connect()
    client.ask(topic, "phx_join", {"from": 0, "to": 1, "resolution": 60} if topic == CANDLES else {})
    frames = client.ask(topic, event, payload)
    assert [each for each in frames if each["event"] in ("phx_reply", "phx_error")]
    rig.exchange.check()


# Channels


def test_the_book_its_snapshot_and_its_upserts(rig):
    """Prices rising, bids positive, asks negative; 0 for a level that is gone; a limit a side."""
    client = rig.trader()
    book = client.join(BOOK)
    assert book == [[D("0.00498"), 10], [D("0.00499"), 10], [D("0.00501"), -10], [D("0.00502"), -10]]
    assert rig.connect().join(BOOK, limit=1) == book[1:3]
    _, *pushed = client.place(12.5, 0.00501)
    assert rows(pushed, topic=BOOK) == [[D("0.00501"), D("2.5")]]
    rig.counterparty(Side.SELL, "2.5", "0.00501")
    assert rows(client.take(), topic=BOOK) == [[D("0.00501"), 0]]


@examples(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(494, 506), st.integers(1, 2000)), max_size=20))
def test_a_snapshot_and_its_upserts_are_the_next_snapshot(steps):
    """Level by level."""
    rig = Rig(requests_per_minute=0)
    client = rig.trader()
    book = dict(map(tuple, client.join(BOOK)))
    for side, price, amount in steps:
        signed = D(amount) / 100 * (1 if side is Side.BUY else -1)
        book |= dict(map(tuple, rows(client.place(signed, D(price) / 100_000), topic=BOOK)))
    assert {price: qty for price, qty in book.items() if qty} == dict(map(tuple, rig.connect().join(BOOK)))


def test_tickers_of_some_symbols_or_of_all(rig):
    """A price that there is not is null; upserts have updated_at."""
    some, everything = rig.connect(), rig.trader()
    assert [row["symbol"] for row in everything.join("/tickers")] == [SYMBOL, "ICO:BTC"]
    (ico,) = some.join("/tickers", symbols=["ICO:BTC"])
    assert ico == {"symbol": "ICO:BTC", "quote_amount": 0, "mark_price": None, "bid_price": None, "base_amount": 0, "ask_price": None}
    frames = everything.place(10)
    (row,) = rows(frames, topic="/tickers")
    assert (row["base_amount"], row["quote_amount"], row["mark_price"], row["ask_price"]) == (10, D("0.0501"), D("0.00501"), D("0.00502"))
    assert row["updated_at"] == "2019-02-17T20:37:41.686411"
    assert some.take() == []


def test_trades_snapshot_has_no_order_ids(rig):
    """As the document's; newest first. The insert has both."""
    client = rig.trader(TRADES)
    pushed = rows(client.place(15), "insert", TRADES)
    newest, oldest = rig.connect().join(TRADES)
    assert (newest["price"], newest["amount"], oldest["amount"]) == (D("0.00502"), 5, 10)
    assert set(newest) == {"timestamp", "symbol", "price", "id", "amount"}
    assert set(pushed[0]) == set(newest) | {"taker_order_id", "maker_order_id"}


def test_candles_by_join_by_snapshot_and_by_upsert(rig):
    """Only periods with trades; the nearest one before; get_snapshot is answered like the join."""
    client = rig.trader()
    first = NOW // S // 60 * 60
    rig.counterparty(Side.BUY, "2", "0.00501")
    rig.now += 120 * S
    params = {"from": first + 60, "to": first + 600, "resolution": 60}
    assert client.join(CANDLES, **params) == {"data": [[], first]}
    rig.counterparty(Side.SELL, "3", "0.00499")
    (told,) = rows(client.take(), topic=CANDLES)
    assert (told["timestamp"], told["open"], told["sells"], told["buys"], told["volume"]) == (first + 120, D("0.00499"), 3, 0, 3)
    (reply,) = client.ask(CANDLES, "get_snapshot", params)
    assert reply["payload"]["response"] == {"data": [[told], first]}
    assert no(client.ask(CANDLES, "get_snapshot", params | {"resolution": 61})) == "invalid_params"


def test_orders_by_status_and_limit_newest_first(rig):
    """Only this reply has user_id."""
    client = rig.trader()
    ids = [client.placed(1, 0.005) for _ in range(3)]
    client.cancel(ids[1])
    everything = rig.connect().join(ORDERS)
    assert [row["id"] for row in everything] == ids[::-1]
    assert {row["user_id"] for row in everything} == {5}
    assert [row["id"] for row in rig.connect().join(ORDERS, status="open")] == [ids[2], ids[0]]
    assert [row["id"] for row in rig.connect().join(ORDERS, status=None, limit=1)] == [ids[2]]
    assert no(rig.connect().ask(ORDERS, "phx_join", {"status": "closed"})) == "invalid_params"
    assert no(rig.connect().ask(ORDERS, "phx_join", {"limit": 0})) == "invalid_params"


def test_an_order_has_the_documents_fields_in_full_digits(rig):
    """No user_id in reply and upsert; no exponents on the wire."""
    client = rig.trader()
    client.session.receive(
        f'{{"ref":"9","join_ref":"1","topic":"{ORDERS}","event":"place","payload":{{"limit_price":1e-5,"requested_amount":1E2}}}}', NOW
    )
    text = client.sent[0]
    assert '"limit_price":0.00001' in text
    assert '"requested_amount":100,' in text
    assert list(parsed(text)["payload"]["response"]) == [
        "updated_at", "triggered_at", "trigger_price", "symbol", "requested_amount", "limit_price", "is_liquidation", "is_active",
        "inserted_at", "id", "filled_total", "filled_amount", "fee", "external_id", "cancelled_at",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({}, "requested_amount"),
        ({"requested_amount": 0}, "requested_amount"),
        ({"requested_amount": "1"}, "requested_amount"),
        ({"requested_amount": True}, "requested_amount"),
        ({"requested_amount": 0.001}, "requested_amount"),
        ({"requested_amount": 1e300}, "requested_amount"),
        ({"requested_amount": 1, "limit_price": -1}, "limit_price"),
        ({"requested_amount": 1, "limit_price": 0}, "limit_price"),
        ({"requested_amount": 1, "limit_price": 0.000015}, "limit_price"),
        ({"requested_amount": 1, "trigger_price": 1e-300}, "trigger_price"),
        ({"requested_amount": 1, "self": 1}, "self"),
        ({"requested_amount": 1, "kind": 1}, "kind"),
    ],
)
def test_parameters_that_are_wrong_are_named(rig, params, name):
    """invalid_params with the parameter, and no order."""
    client = rig.trader()
    frames = client.ask(ORDERS, "place", params)
    assert no(frames) == "invalid_params"
    assert list(frames[0]["payload"]["details"]) == [name]
    assert list(rig.exchange.orders()) == []


def test_cancelling_what_is_not_or_is_over(rig):
    """not_found and already_done; the id is a number."""
    client = rig.trader()
    order_id = client.placed(1, 0.005)
    assert no(client.cancel(order_id + 1)) == "not_found"
    assert no(client.cancel(str(order_id))) == "invalid_params"
    reply, told = client.cancel(order_id)
    assert told["payload"]["data"] == [reply["payload"]["response"]]
    assert no(client.cancel(order_id)) == "already_done"


def test_margin_is_assigned_from_the_quote_asset(rig):
    """Texts, as in the example; the reply has no user_id, the join's has."""
    client = rig.trader("/balances")
    assert {row["user_id"] for row in client.join("/positions")} == {5}
    reply, balances, positions = client.ask("/positions", "assign", {SYMBOL: "4", "ICO:BTC": "1.5"})
    assert [(row["symbol"], row["margin"]) for row in reply["payload"]["response"]["data"]] == [(SYMBOL, 4), ("ICO:BTC", D("1.5"))]
    (btc,) = balances["payload"]["data"]
    assert (btc["available_amount"], btc["assigned_amount"]) == (D("4.5"), D("5.5"))
    assert len(positions["payload"]["data"]) == 2
    assert no(client.ask("/positions", "assign", {SYMBOL: "400"})) == "insufficient_funds"
    client.ask("/positions", "assign", {"symbol": SYMBOL, "margin": 0})
    assert rig.exchange.accounts[5].balances["BTC"].available == D("8.5")


def test_deposits_and_withdrawals(rig):
    """Bonuses and an address; no withdrawals unless the settings say so."""
    client = rig.trader("/withdrawals")
    (deposit,) = client.join("/deposits", asset="BTC")
    assert (deposit["amount"], deposit["is_processed"]) == (10, True)
    (reply,) = client.ask("/deposits", "get_deposit_address", {"asset": "BTC"})
    assert reply["payload"]["response"] == {"asset": "BTC", "address": deposit["address"]}
    wanted = {"asset": "BTC", "address": "some address", "amount": "1.0"}
    assert no(client.ask("/withdrawals", "create_withdrawal", wanted)) == "forbidden"
    free = Rig(allow_withdrawals=True)
    client = free.trader("/withdrawals")
    (reply,) = client.ask("/withdrawals", "create_withdrawal", wanted)
    assert free.connect().join("/withdrawals") == [reply["payload"]["response"]]
    assert free.exchange.accounts[5].balances["BTC"].available == 9


# Limits


def test_twenty_joins_an_hour_for_a_key(rig):
    """Over all connections, rejoins too; not another's key; the hour slides."""
    for n in range(20):
        rig.now = NOW + n * S
        rig.connect().join("/tickers")
    frames = rig.connect().ask(ORDERS, "phx_join")
    assert frames[0]["payload"] == {"status": "error", "type": "rate_limit_exceeded", "details": {"retry_after": 3581}}
    rig.connect(1).join(ORDERS)
    rig.now = NOW + 3600 * S
    rig.connect().join(ORDERS)
    assert no(rig.connect().ask(ORDERS, "phx_join")) == "rate_limit_exceeded"


def test_requests_are_limited_and_cancels_are_not():
    """Joins are requests; heartbeats and leaves are not."""
    rig = Rig(requests_per_minute=3)
    client = rig.trader()
    ids = [client.placed(1, 0.005) for _ in range(2)]
    assert no(client.place(1, 0.005)) == "rate_limit_exceeded"
    assert client.ask("phoenix", "heartbeat")[0]["payload"]["status"] == "ok"
    for order_id in ids:
        assert client.cancel(order_id)[0]["payload"]["status"] == "ok"
    rig.now += 60 * S
    assert client.placed(1, 0.005)


# Faults


def test_a_dropped_request_and_a_dropped_reply(rig):
    """Neither is answered; the second is done, and the pushes come."""
    client = rig.trader()
    rig.fault("drop_request", "new")
    assert client.place(1, 0.005) == []
    assert list(rig.exchange.orders()) == []
    rig.fault("drop_reply", "new")
    (told,) = client.place(1, 0.005)
    assert (told["event"], len(list(rig.exchange.orders()))) == ("upsert", 1)
    assert rig.tally.by_status["none"] == 2


@pytest.mark.parametrize("kind", ["http_500", "http_503"])
def test_an_http_fault_closes_the_connection_and_does_nothing(rig, kind):
    """1011; the next request goes through."""
    client = rig.trader()
    rig.fault(kind, "new")
    assert (client.place(1, 0.005), client.closed) == ([], 1011)
    assert list(rig.exchange.orders()) == []


def test_a_delayed_request_is_done_by_the_clock(rig):
    """Also where nobody waits any more."""
    client = rig.trader()
    rig.fault("delay", "cancel", delay_s=2)
    order_id = client.placed(1, 0.005)
    assert client.cancel(order_id) == []
    rig.later.advance(NOW + 2 * S - 1)
    assert client.take() == []
    del rig.sessions[client.session]
    rig.later.advance(NOW + 2 * S)
    assert [each["event"] for each in client.take()] == ["phx_reply"]
    assert not rig.exchange.find_any(order_id).active


def test_rate_limit_reject_and_garbage_for_a_request(rig):
    """The first two do nothing; garbage stands where the reply would, and it is done."""
    client = rig.trader()
    rig.fault("rate_limit", "new", delay_s=1.5)
    assert client.place(1, 0.005)[0]["payload"]["details"] == {"retry_after": 2}
    rig.fault("reject", "new")
    assert no(client.place(1, 0.005)) == "invalid_params"
    assert list(rig.exchange.orders()) == []
    rig.fault("garbage", "query")
    rig.fault("garbage", "new")
    client.session.receive(
        json.dumps({"ref": "9", "join_ref": "1", "topic": ORDERS, "event": "place", "payload": {"requested_amount": 1}}), NOW
    )
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(client.sent[0])
    assert len(list(rig.exchange.orders())) == 1


@pytest.mark.parametrize(
    ("kind", "filled"),
    [("duplicate_event", [1, 1, 2]), ("reorder_events", [2, 1]), ("drop_reply", [2]), ("garbage", [1, 2]), ("delay", [2, 1])],
)
def test_faults_of_pushes(rig, kind, filled):
    """Twice, after the next, not at all, after garbage, late."""
    client = rig.trader()
    client.placed(5, 0.005)
    rig.fault(kind, "stream", delay_s=1)
    rig.counterparty(Side.SELL, "1", "0.005")
    rig.counterparty(Side.SELL, "1", "0.005")
    rig.later.advance(NOW + S)
    frames = []
    for text in client.sent:
        try:
            frames.append(json.loads(text))
        except ValueError:
            assert kind == "garbage"
    assert [each["payload"]["data"][0]["filled_amount"] for each in frames if "payload" in each] == filled
    assert (len(client.sent) == 4) == (kind == "garbage")


def test_a_push_that_nobody_hears_uses_up_no_fault(rig):
    """The fault waits for somebody to be met by it."""
    rig.fault("drop_reply", "stream")
    rig.counterparty(Side.BUY, "1", "0.00501")
    assert rig.faults
