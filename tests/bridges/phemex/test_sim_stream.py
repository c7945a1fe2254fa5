"""The WebSocket's conversation and what it pushes, between recording connections."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.faults import Fault
from bridges.matching import Side
from bridges.phemex.sim_feed import GARBAGE

from .venue import NOW, SECRET, TOKEN, USER, S, Venue, asked, hmac_hex, signed

SUCCESS = {"error": None, "id": 7, "result": {"status": "success"}}


@pytest.fixture
def venue() -> Venue:
    return Venue()


def auth(venue: Venue, expiry, token: str = TOKEN, secret: str = SECRET, **changes):
    """The answer to a user.auth."""
    session, line = venue.connect()
    params = ["API", token, hmac_hex(f"{token}{expiry}", secret), expiry]
    venue.ask(session, "user.auth", *changes.get("params", params))
    (answer,) = line.take()
    return session, answer


def statuses(messages: list) -> list[tuple[str, str]]:
    return [(row["clOrdID"], row["execStatus"]) for message in messages for row in message["orders"]]


@pytest.mark.parametrize(("ahead", "accepted"), [(-1, False), (0, False), (1, True), (300, True), (301, False)])
def test_an_expiry_is_between_now_and_five_minutes_hence(venue, ahead, accepted):
    """ "EPoch Second which is between now and now+5 minutes"."""
    session, answer = auth(venue, NOW // S + ahead)
    assert (answer == SUCCESS) == accepted
    assert (session.user_id == USER) == accepted
    assert venue.tally.rejected_signatures == (not accepted)


def test_milliseconds_a_stranger_and_a_wrong_secret_are_refused(venue):
    """6012, and the connection stays as it was."""
    for answer in (
        auth(venue, (NOW // S + 60) * 1000)[1],
        auth(venue, NOW // S + 60, token="nobody")[1],
        auth(venue, NOW // S + 60, secret="wrong")[1],
    ):
        assert (answer["error"]["code"], answer["result"], answer["id"]) == (6012, None, 7)
    assert venue.tally.rejected_signatures == 3


@pytest.mark.parametrize("params", [[], ["API", "x"], ["KEY", TOKEN, "s", 1], ["API", TOKEN, "s", "1"], ["API", TOKEN, "s", True]])
def test_auth_takes_four_parameters_of_their_kinds(venue, params):
    """6001."""
    _, answer = auth(venue, 1, params=params)
    assert answer["error"]["code"] == 6001


def test_aop_needs_authorisation(venue):
    """And tells nothing before."""
    session, line = venue.connect()
    venue.ask(session, "aop.subscribe")
    assert line.take()[0]["error"]["code"] == 6012
    venue.place()
    assert line.take() == []


def test_aop_begins_with_a_snapshot_of_each_account(venue):
    """After the answer; an order that was there before is in its own account's alone."""
    venue.place()
    session, _ = auth(venue, NOW // S + 60)
    line = session._outlet
    venue.ask(session, "aop.subscribe")
    answer, btc, usd = line.take()
    assert answer == SUCCESS
    assert [(each["accounts"][0]["currency"], each["type"]) for each in (btc, usd)] == [
        ("BTC", "snapshot"),
        ("USD", "snapshot"),
    ]
    assert statuses([btc]) == [("c1", "New")]
    assert usd["orders"] == []
    assert [each["symbol"] for each in usd["positions"]] == ["ETHUSD"]
    assert btc["sequence"] < usd["sequence"]


def test_one_request_is_one_message_with_its_rows_numbered(venue):
    """New and fills together, nthItem of totalItems, the position as it is after all of them."""
    line = venue.subscribed()
    venue.place(priceEp=650_200_000, orderQty=1500)
    (message,) = line.take()
    assert [(row["nthItem"], row["totalItems"], row["execStatus"]) for row in message["orders"]] == [
        (1, 3, "New"),
        (2, 3, "TakerFill"),
        (3, 3, "TakerFill"),
    ]
    assert [row["curPosSize"] for row in message["orders"]] == [0, 1000, 1500]
    (position,) = message["positions"]
    assert (position["symbol"], position["size"], position["side"]) == ("BTCUSD", 1500, "Buy")
    assert len({row["execID"] for row in message["orders"]}) == 3


def test_sequences_rise_on_every_connection_alike(venue):
    """Strictly, over both accounts; two connections of a user are told the same."""
    first, second = venue.subscribed(), venue.subscribed()
    for n in range(3):
        venue.place(clOrdID=f"b{n}")
        venue.place(clOrdID=f"e{n}", symbol="ETHUSD", priceEp=35_000_000)
    told = first.take()
    assert told == second.take()
    sequences = [message["sequence"] for message in told]
    assert sequences == sorted(set(sequences))
    assert len(sequences) == 6


def test_nobody_is_told_of_another_users_orders(venue):
    """Nor of anything after unsubscribing."""
    line = venue.subscribed()
    venue.exchange.place(65922, asked(1, Side.BUY, 65_000, 7), NOW)
    venue.feed.publish(NOW)
    assert line.take() == []
    session = next(iter(venue.sessions))
    venue.ask(session, "aop.unsubscribe")
    assert line.take() == [SUCCESS]
    venue.place()
    assert line.take() == []


def test_silence_for_thirty_seconds_ends_the_connection(venue):
    """Any text counts; the clock decides."""
    session, line = venue.connect()
    session.tick(NOW + 30 * S - 1)
    assert not line.over
    venue.now += 29 * S
    venue.ask(session, "server.ping")
    session.tick(NOW + 58 * S)
    assert not line.over
    session.tick(NOW + 59 * S)
    assert line.over


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        '{"id":7}',
        '{"id":"7","method":"server.ping","params":[]}',
        '{"id":7,"method":"server.ping"}',
        '{"id":7,"method":"","params":["BTCUSD"]}',
        '{"id":7,"method":"kline.subscribe","params":["BTCUSD"]}',
        '{"id":7,"method":"orderbook.subscribe","params":[]}',
        '{"id":7,"method":"orderbook.subscribe","params":["BTCUSD","ETHUSD"]}',
        '{"id":7,"method":"trade.subscribe","params":["DOGEUSD"]}',
        '{"id":7,"method":"orderbook.unsubscribe","params":["DOGEUSD"]}',
        "[" * 100_000,
    ],
)
def test_what_is_not_understood_is_answered_and_survived(venue, text):
    """6001, with the id where there is one."""
    session, line = venue.connect()
    session.receive(text, NOW)
    (answer,) = line.take()
    assert (answer["error"]["code"], answer["result"]) == (6001, None)
    assert answer["id"] == (7 if '"id":7' in text else None)
    venue.ask(session, "server.ping")
    assert line.take() == [{"error": None, "id": 7, "result": "pong"}]


@pytest.mark.parametrize("params", [[], [""], ["BTCUSD"]])
def test_unsubscribing_ends_books_and_trades(venue, params):
    """With no symbol all of them, with one that one."""
    session, line = venue.connect()
    for kind in ("orderbook", "trade"):
        for symbol in ("BTCUSD", "ETHUSD"):
            venue.ask(session, f"{kind}.subscribe", symbol)
        venue.ask(session, f"{kind}.unsubscribe", *params)
    kept = {"ETHUSD"} if params == ["BTCUSD"] else set()
    assert (session.books, session.trades) == (kept, kept)
    line.take()
    venue.counterparty(Side.BUY, 1, 65_010)
    assert line.take() == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(64_960, 65_040), st.integers(1, 900)), max_size=30))
def test_a_snapshot_and_its_increments_are_the_next_snapshot(orders):
    """Level by level, sequences by ones."""
    venue = Venue()
    line = venue.subscribed(("orderbook.subscribe", "BTCUSD"))
    session = next(iter(venue.sessions))
    ours = json.loads(venue.feed.book_snapshot("BTCUSD"))
    book = {side: dict(map(tuple, ours["book"][side])) for side in ("asks", "bids")}
    sequence = ours["sequence"]
    for n, (side, price, qty) in enumerate(orders):
        venue.place(clOrdID=f"n{n}", side=side.value.capitalize(), priceEp=price * 10_000, orderQty=qty)
    for message in line.take():
        sequence += 1
        assert message["sequence"] == sequence
        for side in ("asks", "bids"):
            for level, qty in message["book"][side]:
                book[side][level] = qty
                if not qty:
                    del book[side][level]
    venue.ask(session, "orderbook.subscribe", "BTCUSD")
    _, snapshot = line.take()
    assert snapshot["sequence"] == sequence
    assert {side: dict(map(tuple, snapshot["book"][side])) for side in book} == book


def test_a_book_is_told_a_hundred_levels_deep(venue):
    """A level that better ones push out of view is told as gone, and comes back."""
    line = venue.subscribed(("orderbook.subscribe", "BTCUSD"))
    for n in range(99):
        venue.place(clOrdID=f"n{n}", priceEp=(64_000 + n) * 10_000, orderQty=1)
    line.take()
    venue.place(clOrdID="better", priceEp=645_000_000, orderQty=1)
    (message,) = line.take()
    assert message["book"]["bids"] == [[645_000_000, 1], [640_010_000, 0]]
    venue.exchange.cancel_order(venue.exchange.find_any("better"), NOW)
    venue.feed.publish(NOW)
    (message,) = line.take()
    assert message["book"]["bids"] == [[645_000_000, 0], [640_010_000, 1]]


def test_a_trade_snapshot_has_the_last_thousand_newest_first(venue):
    """As the document says."""
    for n in range(1005):
        venue.now = NOW + n
        venue.counterparty(Side.BUY if n % 2 else Side.SELL, 1, 65_010 if n % 2 else 64_990)
        if not n % 900:
            venue.exchange.reset()
            venue.feed.publish(venue.now)
    session, line = venue.connect()
    venue.ask(session, "trade.subscribe", "BTCUSD")
    _, snapshot = line.take()
    assert len(snapshot["trades"]) == 104
    assert snapshot["trades"][0][0] == NOW + 1004
    market = venue.exchange.markets["BTCUSD"]
    market.trades.extendleft([(0, "buy", 1, 1)] * 2000)
    assert len(json.loads(venue.feed.trade_snapshot("BTCUSD", NOW))["trades"]) == 1000


# Faults


def test_a_duplicated_event_is_the_same_text_twice(venue):
    """Sequence and all, once."""
    line = venue.subscribed()
    venue.faults.post(Fault("duplicate_event"))
    venue.place()
    first, second = line.take()
    assert first == second
    venue.place(clOrdID="c2")
    assert len(line.take()) == 1


def test_reordered_events_change_places(venue):
    """The second comes before the first."""
    line = venue.subscribed()
    venue.faults.post(Fault("reorder_events", match="new"))
    venue.place()
    assert line.take() == []
    venue.counterparty(Side.SELL, 3, 65_000)
    assert statuses(line.take()) == [("c1", "MakerFill"), ("c1", "New")]


def test_garbage_comes_before_the_event_and_loses_nothing(venue):
    """One text that is no JSON, one that is nothing known."""
    line = venue.subscribed()
    venue.faults.post(Fault("garbage", match="stream"))
    venue.place()
    assert tuple(line.sent[:2]) == GARBAGE
    del line.sent[:2]
    assert statuses(line.take()) == [("c1", "New")]


def test_a_report_may_be_lost_or_late(venue):
    """drop_reply and delay with match stream; the request's own answer is not touched."""
    line = venue.subscribed()
    venue.faults.post(Fault("drop_reply", match="stream"))
    assert venue.place()["code"] == 0
    assert line.take() == []
    venue.faults.post(Fault("delay", delay_s=2, match="stream"))
    assert venue.place(clOrdID="c2")["code"] == 0
    venue.place(clOrdID="c3")
    assert statuses(line.take()) == [("c3", "New")]
    assert venue.feed.due_ns == NOW + 2 * S
    venue.feed.tick(NOW + 2 * S - 1)
    assert line.take() == []
    venue.feed.tick(NOW + 2 * S)
    assert statuses(line.take()) == [("c2", "New")]


def test_a_fault_waits_for_somebody_to_meet(venue):
    """It is not used up while nobody is subscribed."""
    venue.faults.post(Fault("duplicate_event"))
    venue.place()
    line = venue.subscribed()
    venue.place(clOrdID="c2")
    assert len(line.take()) == 2


def test_matches_narrow_a_fault_to_what_a_request_caused(venue):
    """`cancel` leaves a new order's alone."""
    line = venue.subscribed()
    venue.faults.post(Fault("duplicate_event", match="cancel"))
    venue.place()
    assert len(line.take()) == 1
    venue.handle(signed("DELETE", "/orders/all"))
    assert statuses(line.take()) == [("c1", "Canceled"), ("c1", "Canceled")]
