"""Apifiny's protocol as the witness beside a FIX session: signatures, questions, the order stream, the link."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal as D
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.apifiny.protocol import ApifinyProtocol, capabilities
from bridges.wire import Address, Answer, Frame, Kind, Note, Reconnect, Request, Told
from router.model import Ask, Barred, Cancel, Found, LinkDown, LinkUp, Listed, Listing, NotSent, Place, Replace, Stated
from router.rules import Instrument
from router.words import OrdStatus, OrdType, Side, TimeInForce
from tests.bridges.evidence import found as found_with_age

S = 1_000_000_000
MS = 1_000_000
NOW = 1_700_000_000 * S
KEY, SECRET = "a key of this test", "a secret of this test, long enough for HS256"
BTC = Instrument(symbol="BTC/USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", tick=D("0.01"), lot=D("0.0001"))
ETH = Instrument(symbol="ETH/USDT", venue_symbol="ETHUSDT", base="ETH", quote="USDT", tick=D("0.01"), lot=D("0.001"))
ID = "000000011584603011942221"
ORDER = {
    "accountId": "STA-BINANCE_00000001", "venue": "BINANCE", "orderId": ID, "symbol": "BTCUSDT", "orderType": "LIMIT", "timeInForce": 1,
    "orderSide": "BUY", "limitPrice": 100.0, "quantity": 1.12, "filledAveragePrice": 0, "filledCumulativeQuantity": 0,
    "openQuantity": 1.12, "orderStatus": "SUBMITTED", "createdAt": 1584603012164, "updatedAt": 1584603012164,
}  # fmt: skip
SYMBOL = {
    "symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT", "minPrice": 0.01, "maxPrice": 99999, "minQuantity": 0.01,
    "maxQuantity": 0, "tickSize": 0.01, "stepSize": 0.0001, "minNotional": 1, "maxNotional": 1000, "status": "enabled",
}  # fmt: skip
ACCOUNT = {"accountId": "STA-00000001", "accountStatus": "OPENED", "subAccountInfo": [{"venue": "BINANCE", "accountStatus": "OPENED"}]}


def place(**more: Any) -> Place:
    standard = {
        "order_id": "1", "venue_cl_ord_id": ID, "venue": "BINANCE", "symbol": "BTCUSDT", "side": Side.BUY, "ord_type": OrdType.LIMIT,
        "time_in_force": TimeInForce.GTC, "post_only": False, "order_qty": D("1.12"), "cash_order_qty": None, "price": D("100.50"),
        "stop_px": None, "reduce_only": False, "time": NOW,
    }  # fmt: skip
    return Place(**standard | more)


def ask(order_id: str = "1", cl_ord_id: str = ID) -> Ask:
    return Ask(order_id, cl_ord_id, None, "BINANCE", "BTCUSDT", Side.BUY, OrdType.LIMIT, D("1.12"), None, D("100.50"), NOW - 10 * S)


CANCEL = Cancel("1", ID, None, "BINANCE", "BTCUSDT")


def order(**more: Any) -> dict[str, Any]:
    return ORDER | more


def answer(result: Any = None, error: Any = None, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps({"result": result, "error": error}).encode())


def refusal(code: str, message: str = "no", status: int = 200) -> Answer:
    return answer(error={"code": code, "message": message}, status=status)


_KEYS = ("payload", "result", "error", "ping", "orderId", "orderStatus", "channel", "symbol", "orderbook", "trade", "code", "records")
_LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from((ID, "BTCUSDT", "orderbook", "FILLED"))
ANYTHING = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5), max_leaves=12
)


class Desk:
    """A protocol with a clock and a venue that says what it is told to."""

    def __init__(self, trading: bool = False, up: bool = True, venue: str = "BINANCE", market_url: str | None = None) -> None:
        self.protocol = ApifinyProtocol("acc", "link", "STA-00000001", KEY, SECRET, venue, (BTC, ETH), trading, market_url)
        self.now = NOW
        if up:
            account, symbols, venues = self.protocol.begin(self.now)
            self.reply(account, answer([ACCOUNT]))
            self.reply(symbols, answer([SYMBOL, SYMBOL | {"symbol": "ETHUSDT"}]))
            self.reply(venues, answer([{"exchange ": venue, "status": "enabled"}]))
            assert self.protocol.opened(self.now, "order") == [LinkUp("link")]

    def reply(self, request: Any, told: Answer) -> list[Any]:
        assert isinstance(request, Request)
        return list(self.protocol.answered(request, told, self.now))

    def say(self, message: Any, stream: str = "order") -> list[Any]:
        return list(self.protocol.receive(message if isinstance(message, str | bytes) else json.dumps(message), self.now, stream))

    def update(self, **more: Any) -> list[Any]:
        return self.say({"logTimestamp": 1, "payload": order(**more)})

    def after(self, time: int = 50 * MS) -> list[Any]:
        self.now += time
        return list(self.protocol.tick(self.now))

    def ask(self, *asks: Ask) -> list[Any]:
        for each in asks or (ask(),):
            assert self.protocol.send(each, self.now) == []
        return self.after(20 * MS)


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_exp": False}))


# --- signatures and addresses ---------------------------------------------------------------------------------------------


def test_what_is_signed_is_what_is_sent() -> None:
    """A JWT over the exact bytes of the body or of the query, good for 30 s in whole seconds, in the header `signature`."""
    desk = Desk(trading=True)
    (create,) = desk.protocol.send(place(), NOW)
    (query,) = desk.ask()
    assert isinstance(create, Request)
    signed = desk.protocol.sign(create, NOW + 999_999_999)
    assert claims(signed.headers["signature"]) == {
        "accountId": "STA-00000001", "secretKeyId": KEY, "digest": hashlib.sha256(signed.body.encode()).hexdigest(),
        "exp": 1_700_000_030,
    }  # fmt: skip
    asked = desk.protocol.sign(query, NOW)
    said = f"accountId=STA-00000001&venue=BINANCE&orderId={ID}"
    assert (asked.method, asked.target, asked.body) == ("GET", f"/order/queryOrderInfo?{said}", "")
    assert claims(asked.headers["signature"])["digest"] == hashlib.sha256(said.encode()).hexdigest()


def test_public_questions_are_not_signed() -> None:
    """The lists of symbols and venues need no signature."""
    desk = Desk(up=False)
    _, symbols, venues = desk.protocol.begin(NOW)
    assert isinstance(symbols, Request)
    assert isinstance(venues, Request)
    assert "signature" not in desk.protocol.sign(symbols, NOW).headers
    assert (symbols.path, venues.path) == ("/utils/listSymbolInfo", "/utils/listVenueInfo")


def test_streams_and_their_addresses() -> None:
    """User streams are signed without a digest, anew at each connect; market data signs the access key and has an address of its own."""
    assert Desk(up=False).protocol.streams == ("order", "asset")
    protocol = Desk(up=False, market_url="wss://md").protocol
    assert protocol.streams == ("order", "asset", "market")
    for stream in ("order", "asset"):
        found = protocol.address(stream, NOW)
        assert (found.suffix, found.base) == (f"/{stream}", None)
        assert claims(found.headers["signature"]) == {"accountId": "STA-00000001", "secretKeyId": KEY, "exp": 1_700_000_030}
    found = protocol.address("market", NOW)
    assert found == Address("", found.headers, "wss://md")
    assert claims(found.headers["signature"]) == {"accessKey": KEY}


def test_secrets_are_not_shown() -> None:
    """No repr shows a key or a secret."""
    protocol = Desk().protocol
    shown = repr(protocol) + repr(vars(protocol))
    assert SECRET not in shown
    assert KEY not in shown


def test_order_ids_obey_the_venues_rule() -> None:
    """Account number, random number, 13 digits of milliseconds, three digits; 64 at most."""
    protocol = Desk(up=False).protocol
    assert protocol.mint(NOW, 7, 12) == "00000001" + "000007" + "1700000000000" + "012"
    long = ApifinyProtocol("a", "l", "9" * 80, KEY, SECRET, "BINANCE", (), False)
    assert len(long.mint(NOW, 999_999, 1)) == 64


def test_capabilities_follow_the_document() -> None:
    """Market orders at six venues only; GTC, IOC, post-only, and market buys by cash."""
    assert capabilities("BINANCE").ord_types == (OrdType.LIMIT, OrdType.MARKET)
    assert capabilities("GBBO").ord_types == (OrdType.LIMIT,)
    assert capabilities("GBBO").times_in_force == (TimeInForce.GTC, TimeInForce.IOC)
    assert capabilities("GBBO").post_only
    assert capabilities("GBBO").market_buy_by_cash


# --- the link -------------------------------------------------------------------------------------------------------------


def test_the_witness_is_up_when_rest_answers_and_the_order_stream_is_open() -> None:
    """Either alone is not enough; the asset stream does not matter."""
    desk = Desk(up=False)
    account, *_ = desk.protocol.begin(NOW)
    assert desk.protocol.opened(NOW, "asset") == []
    assert desk.protocol.opened(NOW, "order") == []
    assert desk.reply(account, answer([ACCOUNT])) == [Barred(link="link", why=""), LinkUp("link")]
    assert desk.protocol.closed("gone", NOW, "asset") == []
    assert desk.protocol.closed("gone", NOW, "order") == [LinkDown("link", "the order stream is closed: gone")]
    assert desk.protocol.closed("refused", NOW, "order") == []
    assert desk.protocol.opened(NOW, "order") == [LinkUp("link")]


def test_rest_is_out_after_two_failures_and_back_with_an_answer() -> None:
    """One lost answer is not an outage; two in a row are, and then it is asked every 2 s."""
    desk = Desk()
    probe, *_ = desk.after(11 * S)
    assert isinstance(probe, Request)
    assert probe.path == "/account/queryAccountInfo"
    assert desk.protocol.lost(probe, True, "no answer", desk.now) == []
    assert desk.after(1 * S) == []
    (probe,) = desk.after(1 * S)
    *_, down = desk.reply(probe, Answer(502, {}, b"<html>"))
    assert down == LinkDown("link", "REST does not answer: HTTP 502, service is not available")
    (probe,) = desk.after(2 * S)
    assert desk.reply(probe, answer([ACCOUNT])) == [LinkUp("link")]


def test_a_blocked_address_takes_the_link_down_as_banned() -> None:
    """HTTP 403 is "IP is blocked": the shell hears "banned", and the bridge begins anew later."""
    desk = Desk()
    (query,) = desk.ask()
    *_, down = desk.reply(query, Answer(403, {}, b"blocked"))
    assert down == LinkDown("link", "banned: Apifiny blocks our address (HTTP 403)")
    account, *_ = desk.protocol.begin(desk.now)
    assert desk.reply(account, answer([ACCOUNT])) == [LinkUp("link")]


@pytest.mark.parametrize(("trading", "up"), [(False, True), (True, False)])
def test_a_restricted_account_can_be_asked_and_cannot_trade(trading: bool, up: bool) -> None:
    """RESTRICTED: "Cannot submit order or cancel order, but can query order"; also where only the sub-account of our venue is."""
    desk = Desk(trading=trading)
    probe, *_ = desk.after(11 * S)
    restricted = ACCOUNT | {"subAccountInfo": [{"venue": "BINANCE", "accountStatus": "RESTRICTED"}]}
    barred, note, *link = desk.reply(probe, answer([restricted]))
    assert barred == Barred(link="link", why="Apifiny says that the account is RESTRICTED")  # for orders over FIX too
    assert note == Note("the account of link is RESTRICTED", "error")
    assert link == ([] if up else [LinkDown("link", "the account is RESTRICTED")])
    probe, *_ = desk.after(60 * S)
    assert Barred(link="link", why="") in desk.reply(probe, answer([ACCOUNT]))


def test_a_refused_signature_takes_the_link_down() -> None:
    """A documented no to the question about the account: nothing can be done with it."""
    desk = Desk()
    probe, *_ = desk.after(11 * S)
    note, down = desk.reply(probe, refusal("0x20000A", "Signature Error"))
    assert isinstance(note, Note)
    assert down == LinkDown("link", "the account is not told: 0x20000A Signature Error")


# --- what is listed -------------------------------------------------------------------------------------------------------


def test_the_venues_list_is_told_for_the_configured_instruments() -> None:
    """Limits as they stand there, 0 for none; a disabled symbol, and one that the list leaves out, cannot be traded."""
    desk = Desk(up=False)
    _, symbols, _ = desk.protocol.begin(NOW)
    note, listed = desk.reply(symbols, answer([SYMBOL, SYMBOL | {"symbol": "XRPUSDT"}]))
    assert note == Note("BINANCE does not trade ETHUSDT now")
    bitcoin = Listing(
        venue_symbol="BTCUSDT", tick=D("0.01"), lot=D("0.0001"), min_qty=D("0.01"), min_px=D("0.01"), max_px=D(99999), min_notional=D(1),
        max_notional=D(1000),
    )  # fmt: skip
    assert listed == Listed(link="link", listings=(bitcoin, Listing(venue_symbol="ETHUSDT", enabled=False)))
    _, listed = desk.reply(symbols, answer([SYMBOL | {"status": "disabled"}]))
    assert [each.enabled for each in listed.listings] == [False, False]


def test_a_disabled_venue_closes_its_symbols_until_it_is_back() -> None:
    """The list of venues has blanks in its keys; each change is told once."""
    desk = Desk()
    _, symbols, venues, *_ = desk.after(900 * S)
    assert isinstance(venues, Request)
    told = desk.reply(venues, answer([{"exchange ": "BINANCE", "status ": "disabled"}]))
    assert [each.enabled for each in next(out for out in told if isinstance(out, Listed)).listings] == [False, False]
    assert desk.reply(venues, answer([{"exchange": "BINANCE", "status": "disabled"}])) == []
    assert isinstance(symbols, Request)
    told = desk.reply(venues, answer([{"exchange": "BINANCE", "status": "enabled"}]))
    assert [each.enabled for each in next(out for out in told if isinstance(out, Listed)).listings] == [True, True]


def test_lists_are_asked_for_every_quarter_of_an_hour_and_sooner_when_they_failed() -> None:
    """An empty list is not believed."""
    desk = Desk()
    _, symbols, *_ = desk.after(900 * S)
    (note,) = desk.reply(symbols, answer([]))
    assert isinstance(note, Note)
    assert [each.path for each in desk.after(5 * S)] == ["/utils/listSymbolInfo", "/utils/listVenueInfo"]


# --- questions ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "status", "cum_qty", "avg_px"),
    [
        ({}, OrdStatus.NEW, D(0), None),
        ({"filledCumulativeQuantity": 0.5, "filledAveragePrice": 99.5}, OrdStatus.NEW, D("0.5"), D("99.5")),
        ({"orderStatus": "FILLED", "filledCumulativeQuantity": 1.12, "filledAveragePrice": 100}, OrdStatus.FILLED, D("1.12"), D(100)),
        ({"orderStatus": "PART_FILLED", "filledCumulativeQuantity": 1, "filledAveragePrice": 100}, OrdStatus.CANCELED, D(1), D(100)),
        ({"orderStatus": "CANCELLED"}, OrdStatus.CANCELED, D(0), None),
        ({"orderStatus": "CANCELLED", "filledCumulativeQuantity": "0.1"}, OrdStatus.CANCELED, D("0.1"), None),
        ({"orderStatus": "REJECTED"}, OrdStatus.REJECTED, D(0), None),
        ({"orderStatus": "REJECTED", "filledCumulativeQuantity": 1, "filledAveragePrice": 100}, OrdStatus.CANCELED, D(1), D(100)),
    ],
)
def test_a_question_is_answered_by_where_the_order_stands(row: Any, status: OrdStatus, cum_qty: D, avg_px: D | None) -> None:
    """All told, by our id, and never by an id of the venue; an average of 0 is not one."""
    desk = Desk()
    (query,) = desk.ask()
    (told,) = desk.reply(query, answer([order(**row)]))
    assert isinstance(told, Stated)
    assert (told.account, told.venue_cl_ord_id, told.venue_order_id, told.asked) == ("acc", ID, None, True)
    assert (told.status, told.cum_qty, told.avg_px) == (status, cum_qty, avg_px)


@pytest.mark.parametrize("code", ["0x05001A", "0x05003A", "0x050016A"])
def test_only_the_documents_no_such_order_is_found_nowhere(code: str) -> None:
    """The answer to a question about one order."""
    desk = Desk()
    (query,) = desk.ask()
    assert desk.reply(query, refusal(code)) == [found_with_age(order_id="1")]


@pytest.mark.parametrize(
    "told",
    [
        refusal("0x05009C"), refusal("0x01001A"), refusal("0x20000A"), refusal("0x0FFFFA"), answer([]), answer(None),
        answer([order(orderId="other")]), answer([order(orderStatus="FILLED")]), answer([order(filledCumulativeQuantity=None)]),
        answer([order(orderStatus="HALF")]), Answer(500, {}, b""), Answer(404, {}, b"not found"), Answer(200, {}, b"{"),
        answer([order()], status=503),
    ],
)  # fmt: skip
def test_what_is_no_answer_says_nothing_and_the_order_can_be_asked_about_again(told: Answer) -> None:
    """A note, and no event: the router asks again at its own deadline."""
    desk = Desk()
    (query,) = desk.ask()
    assert all(isinstance(out, Note) for out in desk.reply(query, told))
    (query,) = desk.ask()
    (stated,) = desk.reply(query, answer([order()]))
    assert stated.status is OrdStatus.NEW


def test_an_order_that_is_not_confirmed_is_not_answered() -> None:
    """PENDING_SUBMIT says nothing yet."""
    desk = Desk()
    (query,) = desk.ask()
    assert desk.reply(query, answer([order(orderStatus="PENDING_SUBMIT")])) == []


def test_a_fault_of_the_venue_is_asked_again_three_times() -> None:
    """After 50 ms each; then it is left to the router."""
    desk = Desk()
    (query,) = desk.ask()
    for _ in range(3):
        assert desk.reply(query, refusal("0x01003B")) == []
        assert desk.after(49 * MS) == []
        (query,) = desk.after(1 * MS)
    (note,) = desk.reply(query, refusal("0x01003B"))
    assert isinstance(note, Note)
    assert desk.after() == []


def test_too_many_requests_are_asked_again_after_a_second() -> None:
    """HTTP 429, and the document's code for it."""
    desk = Desk()
    (query,) = desk.ask()
    assert desk.reply(query, Answer(429, {}, b"")) == []
    assert desk.after(900 * MS) == []
    (query,) = desk.after(100 * MS)
    assert desk.reply(query, refusal("0x02002A")) == []


def test_many_questions_go_together() -> None:
    """Orders asked about within 20 ms go in one request; a list without an envelope, as in the document, is read."""
    desk = Desk()
    (query,) = desk.ask(*(ask(str(number), f"{number:020}") for number in range(100)))
    assert isinstance(query, Request)
    assert query.path == "/order/listMultipleOrderInfo"
    assert query.query.startswith("accountId=STA-00000001&orderIdList=00000000000000000000,00000000000000000001,")
    rows = [order(orderId=f"{number:020}") for number in range(99)]
    told = desk.reply(query, Answer(200, {}, json.dumps(rows).encode()))
    assert [each.venue_cl_ord_id for each in told] == [f"{number:020}" for number in range(99)]
    assert all(each.asked for each in told)
    (alone,) = desk.after()
    assert alone.path == "/order/queryOrderInfo"
    assert desk.reply(alone, refusal("0x05003A")) == [found_with_age(order_id="99")]


def test_a_list_that_is_refused_for_one_order_is_asked_about_one_by_one() -> None:
    """What is no such order in a list is not known."""
    desk = Desk()
    (query,) = desk.ask(ask("1", "11"), ask("2", "22"))
    assert desk.reply(query, refusal("0x05003A")) == []
    assert [parse_qs(each.query)["orderId"] for each in desk.after()] == [["11"], ["22"]]


def test_a_thousand_questions_are_few_requests_and_each_order_is_asked_about_once() -> None:
    """No more ids than a request line holds, 500 at most; a repeated question goes with the one under way."""
    desk = Desk()
    asks = [ask(str(number), f"{number:04}") for number in range(1000)]
    queries = desk.ask(*asks, *asks)
    ids = [each for query in queries for each in parse_qs(query.query)["orderIdList"][0].split(",")]
    assert sorted(ids) == [each.venue_cl_ord_id for each in asks]
    assert [parse_qs(query.query)["orderIdList"][0].count(",") + 1 for query in queries] == [500, 500]
    assert desk.ask(*asks) == []
    long = Desk().ask(*(ask(str(number), f"{number:064}") for number in range(500)))
    assert len(long) > 1
    assert all(len(query.query) < 6100 for query in long)


def test_a_lost_question_can_be_asked_again() -> None:
    """Also where it never left."""
    desk = Desk()
    for sent in (True, False):
        (query,) = desk.ask()
        assert not any(isinstance(out, Found | Stated | NotSent) for out in desk.protocol.lost(query, sent, "gone", desk.now))
    (query,) = desk.ask()
    assert isinstance(query, Request)
    assert query.kind is Kind.QUERY


# --- the order stream -----------------------------------------------------------------------------------------------------


def test_the_stream_is_the_word_of_a_witness() -> None:
    """Every update is stated unasked, but what is not confirmed; the form with an envelope is read too."""
    desk = Desk()
    assert desk.update(orderStatus="PENDING_SUBMIT") == []
    (told,) = desk.update(filledCumulativeQuantity=0.1, filledAveragePrice=100.0, lastFilledQuantity=0.1, lastFilledPrice=100.0)
    assert told == Stated(account="acc", status=OrdStatus.NEW, cum_qty=D("0.1"), avg_px=D(100), venue_cl_ord_id=ID, asked=False)
    (told,) = desk.say({"result": {"logTimestamp": 1, "payload": [order(orderStatus="CANCELLED")]}, "error": None})
    assert (told.status, told.asked) == (OrdStatus.CANCELED, False)


def test_a_frame_that_cannot_be_read_opens_the_order_stream_anew() -> None:
    """It may have been of any order; what comes before the new connection does not count any more."""
    for garbage in (b"\xff\xfe", "{", "[1]", "7", '{"payload": [1]}', '{"payload": {}}', "[" * 100_000):
        desk = Desk()
        note, reconnect = desk.say(garbage)
        assert isinstance(note, Note)
        assert isinstance(reconnect, Reconnect)
        assert reconnect.stream == "order"
        assert desk.update() == []


def test_an_update_that_makes_no_sense_leads_to_a_question() -> None:
    """Its order is asked about, unasked by the router: the answer is a witness's word."""
    desk = Desk()
    (note,) = desk.update(orderStatus="HALF")
    assert isinstance(note, Note)
    (query,) = desk.after()
    assert isinstance(query, Request)
    (told,) = desk.reply(query, answer([order()]))
    assert told.asked is False


def test_an_error_on_a_stream_opens_it_anew() -> None:
    """A refused signature, say."""
    note, reconnect = Desk().say({"result": None, "error": {"code": "0x20000A", "message": "Signature Error"}})
    assert "Signature Error" in note.text
    assert isinstance(reconnect, Reconnect)


def test_pings_are_answered_and_silence_is_not_borne() -> None:
    """A pong with the same number; without a frame for 75 s the stream is opened anew, once."""
    desk = Desk()
    assert desk.say({"ping": 1492420473027}) == [Frame('{"pong": 1492420473027}', "order")]
    desk.after(74 * S)
    desk.say({"ping": 2})
    assert not any(isinstance(out, Reconnect) for out in desk.after(75 * S))
    assert [out for out in desk.after(1 * S) if isinstance(out, Reconnect)] == [
        Reconnect("Apifiny's order stream: nothing came for 75 s", "order")
    ]
    assert not any(isinstance(out, Reconnect) for out in desk.after(100 * S))


@given(ANYTHING)
def test_no_input_raises(message: Any) -> None:
    """Whatever comes, on whichever stream and in answer to whichever request, leads to no exception."""
    desk = Desk(trading=True, market_url="wss://md")
    for stream in ("order", "asset", "market"):
        desk.protocol.opened(NOW, stream)
        desk.say(message, stream)
    requests = [*desk.protocol.send(place(), NOW), *desk.protocol.send(CANCEL, NOW), *desk.protocol.cancel_all(NOW), *desk.after(901 * S)]
    requests += [*desk.ask(), *desk.ask(ask("2", "22"), ask("3", "33")), *desk.protocol.inquire(1, "account", {}, NOW)]
    body = json.dumps(message).encode()
    for request in requests:
        if isinstance(request, Request):
            for told in (body, b'{"result": ' + body + b"}", b'{"result": [' + body + b'], "error": null}', b'{"error": ' + body + b"}"):
                desk.reply(request, Answer(200, {}, told))


# --- commands, and an operator's questions --------------------------------------------------------------------------------


def test_a_witness_places_and_cancels_nothing() -> None:
    """Its orders go over FIX."""
    desk = Desk()
    why = "orders of acc go over FIX"
    assert desk.protocol.send(place(), NOW) == [NotSent(order_id="1", place=True, text=why)]
    assert desk.protocol.send(CANCEL, NOW) == [NotSent(order_id="1", place=False, text=why)]
    change = Replace("1", ID, None, "BINANCE", "BTCUSDT", Side.BUY, OrdType.LIMIT, TimeInForce.GTC, D(1), D(1), None)
    assert desk.protocol.send(change, NOW) == [NotSent(order_id="1", place=False, text=why)]


def test_everything_can_be_canceled_as_a_last_resort() -> None:
    """One request for all symbols; refused, it is said so; a fault of the venue's is tried again."""
    desk = Desk()
    (request,) = desk.protocol.cancel_all(NOW)
    assert isinstance(request, Request)
    assert (request.kind, request.path) == (Kind.CANCEL, "/order/cancelAccountVenueAllOrder")
    assert json.loads(request.body) == {"accountId": "STA-00000001", "venue": "BINANCE"}
    assert desk.reply(request, answer(["a", "b"])) == [Note("Apifiny cancels 2 orders at BINANCE", "info")]
    assert desk.reply(request, refusal("0x01003B")) == []
    (again,) = desk.after()
    assert (again.path, again.body) == (request.path, request.body)
    assert desk.reply(again, refusal("0x20000B"))[0].level == "error"


def test_operators_are_answered_with_the_venues_own_figures() -> None:
    """Numbers as they came; an account is followed by its sub-accounts, a page of history is its records."""
    desk = Desk()
    (request,) = desk.protocol.inquire(7, "balances", {}, NOW)
    assert isinstance(request, Request)
    assert (request.kind, request.query) == (Kind.QUERY, "accountId=STA-00000001&venue=BINANCE")
    body = b'{"result": [{"currency": "BTC", "amount": 51.950, "frozen": 0, "x": null, "y": true}], "error": null}'
    row = {"currency": "BTC", "amount": "51.950", "frozen": "0", "x": "", "y": "true"}
    assert desk.reply(request, Answer(200, {}, body)) == [Told(7, (row,))]
    (request,) = desk.protocol.inquire(8, "account", {}, NOW)
    (told,) = desk.reply(request, answer([ACCOUNT]))
    assert [row["accountStatus"] for row in told.rows] == ["OPENED", "OPENED"]
    (request,) = desk.protocol.inquire(9, "activity", {"page": "2"}, NOW)
    assert isinstance(request, Request)
    times = {"startTimeDate": "1699740800000", "endTimeDate": "1700000000000"}
    assert json.loads(request.body) == times | {"limit": "100", "page": "2", "accountId": "STA-00000001"}
    assert desk.reply(request, answer([{"records": [{"logId": "a"}], "pages": 3}])) == [Told(9, ({"logId": "a"},))]
    (request,) = desk.protocol.inquire(10, "deposit-address", {"currency": "USDT.ETH"}, NOW)
    assert isinstance(request, Request)
    assert request.query.endswith("coin=USDT.ETH")
    assert desk.reply(request, refusal("0x04006A", "unknown")) == [Told(10, error="0x04006A unknown")]
    assert desk.protocol.lost(request, True, "gone", NOW)[0] == Told(10, error="gone")


@pytest.mark.parametrize(
    ("topic", "arguments"),
    [("withdraw", {}), ("fees", {}), ("fees", {"symbol": ""}), ("fees", {"symbol": "A&B"}), ("balances", {"coin": "BTC"})],
)
def test_what_cannot_be_asked_is_refused_at_once(topic: str, arguments: dict[str, str]) -> None:
    """An unknown topic, a missing, a strange or an unnamed argument."""
    (told,) = Desk().protocol.inquire(1, topic, arguments, NOW)
    assert isinstance(told, Told)
    assert told.error


def test_nothing_can_be_withdrawn_or_transferred() -> None:
    """The topics are questions only."""
    assert set(Desk(up=False).protocol.topics) == {
        "account", "balances", "fees", "open-orders", "completed-orders", "filled-orders", "activity", "deposit-address",
        "order-book", "trades", "ticker",
    }  # fmt: skip


# --- market data ----------------------------------------------------------------------------------------------------------


def book(bid: Any, ask: Any, updated: Any) -> dict[str, Any]:
    whole = {"symbol": "BTCUSDT", "updatedAt": updated, "bids": [[1, 1], bid], "asks": [ask, [10**9, 1]]}
    return {"venues": ["BINANCE"], "channel": "orderbook", "symbol": "BTCUSDT", "orderbook": whole}


def test_market_data_is_subscribed_one_a_second() -> None:
    """Books first, then trades; all again on a new connection, and none where the stream is closed."""
    desk = Desk(market_url="wss://md")
    frames = [*desk.protocol.opened(NOW, "market")]
    for _ in range(10):
        frames += [out for out in desk.after(550 * MS) if isinstance(out, Frame)]
    assert [json.loads(frame.text)["channel"] for frame in frames] == ["orderbook", "orderbook", "trade", "trade"]
    assert json.loads(frames[0].text) == {"channel": "orderbook", "symbol": "BTCUSDT", "venues": ["BINANCE"], "action": "sub"}
    assert len(desk.protocol.opened(desk.now, "market")) == 1
    desk.protocol.closed("gone", desk.now, "market")
    assert not any(isinstance(out, Frame) for out in desk.after(5 * S))


def test_the_top_of_the_book_and_the_last_trade_are_kept() -> None:
    """Whole books, the newest counts; a lost stream forgets the book and keeps the last trade."""
    desk = Desk(market_url="wss://md")
    desk.protocol.opened(NOW, "market")
    assert desk.say(book([99.5, 2], [100.5, 3], 10), "market") == []
    desk.say(book([1.0, 1], [2.0, 1], 9), "market")
    trades = [{"price": 100.1, "tradeTime": 6}, {"price": 100.2, "tradeTime": 5}]
    desk.say({"channel": "trade", "symbol": "BTCUSDT", "trade": {"trades": trades}}, "market")
    top = desk.protocol.top("BTCUSDT")
    assert (top.bid, top.bid_qty, top.ask, top.ask_qty, top.last) == (D("99.5"), D(2), D("100.5"), D(3), D("100.1"))
    desk.protocol.closed("gone", NOW, "market")
    top = desk.protocol.top("BTCUSDT")
    assert (top.bid, top.ask, top.last) == (None, None, D("100.1"))
    assert desk.protocol.top("NONE").bid is None


def test_market_data_that_cannot_be_read_does_no_harm() -> None:
    """A note; the order stream and the link stay as they are."""
    desk = Desk(market_url="wss://md")
    desk.protocol.opened(NOW, "market")
    (note,) = desk.say(book("x", [1, 1], None), "market")
    assert isinstance(note, Note)
    assert desk.update() != []
