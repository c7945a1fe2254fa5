"""The Crypto.com protocol, called: the document's own payloads, every bad answer, and nonsense."""

import hashlib
from urllib.parse import parse_qsl

import pytest

from bridges.cryptocom import calls
from bridges.cryptocom.protocol import CAPABILITIES, capabilities
from bridges.cryptocom.reading import Malformed, Status, amount, parse
from bridges.wire import Answer, Kind, Note, Request, VenueProtocol
from router.model import Accepted, Balance, Canceled, CancelRejected, Filled, Found, LinkDown, LinkUp, NotSent, Rejected, Unanswered
from router.words import CxlRejReason, Done, OrdRejReason, OrdType, Side, TimeInForce
from tests.bridges.evidence import found as found_with_age

from .rig import (  # fmt: skip
    ACCOUNT,
    BIG,
    BTC,
    MS,
    SECOND,
    START,
    TRADE,
    D,
    answer,
    ask,
    cancel,
    events,
    market,
    open_order,
    place,
    protocol,
    requests,
    row,
    up,
)
from .venue import KEY, SAMPLES, SECRET, sample


def form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body, strict_parsing=bool(request.body)))


def look_again(the, now):
    """The next look at the one order there is."""
    return next(found[0] for step in range(200) if (found := requests(the.tick(now + step * 50 * MS), "showOrder")))


# --- out


def test_it_satisfies_the_contract():
    the: VenueProtocol = protocol()
    assert [(each.group, each.requests, each.seconds, each.reserve) for each in the.budgets] == [
        ("user", 10, 1.0, 4),
        ("market", 10, 1.0, 0),
    ]
    assert (CAPABILITIES.ord_types, CAPABILITIES.times_in_force) == ((OrdType.LIMIT, OrdType.MARKET), (TimeInForce.GTC,))
    assert CAPABILITIES.market_buy_by_cash and not CAPABILITIES.client_id and not CAPABILITIES.post_only
    assert capabilities(True).times_in_force == (TimeInForce.GTC, TimeInForce.IOC)


def test_ids_differ_within_a_run_and_between_runs():
    the = protocol()
    assert len({the.mint(now, start, serial) for now in (START, START + MS) for start in (1, 2) for serial in (1, 2, 1001)}) == 12


def test_the_signature_is_the_documents():
    text = (SAMPLES / "signing.txt").read_text()
    key, time, secret = (text.split(f"{name} = ")[1].split()[0] for name in ("api_key", "time", "secret_key"))
    # By coreutils' sha256sum of the example's text: the document gives none.
    expected = "566812d7cddd99c796516ca2071db0fc8aaaa35a37c276b43b8188e1a930d4ca"
    assert calls.signature({"time": time, "sign": "x", "price": "", "api_key": key}, secret) == expected


def test_a_request_is_signed_when_it_is_sent():
    the = up(protocol())
    [request] = the.send(place(), START)
    signed = the.sign(request, START + 7_999_999)
    pairs = dict(parse_qsl(signed.body, strict_parsing=True))
    text = f"api_key{KEY}price65000sideBUYsymbolbtcusdttime{START // MS + 7}type1volume0.5{SECRET}"
    assert pairs.pop("sign") == hashlib.sha256(text.encode()).hexdigest()
    assert pairs == form(request) | {"api_key": KEY, "time": str(START // MS + 7)}
    assert (signed.method, signed.target, signed.headers) == ("POST", "/v1/order", {"Content-Type": "application/x-www-form-urlencoded"})
    assert SECRET not in signed.body
    [public] = protocol().begin(START)
    plain = the.sign(public, START)
    assert (plain.method, plain.target, plain.headers, plain.body) == ("GET", "/v1/symbols", {}, "")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (place(), {"side": "BUY", "type": "1", "volume": "0.5", "price": "65000"}),
        (
            place(side=Side.SELL, order_qty=D("0.50000"), price=D("6.5E+4")),
            {"side": "SELL", "type": "1", "volume": "0.50000", "price": "65000"},
        ),
        (market(Side.BUY, "1000.50"), {"side": "BUY", "type": "2", "volume": "1000.50"}),
        (market(Side.SELL, "0.001"), {"side": "SELL", "type": "2", "volume": "0.001"}),
    ],
)
def test_orders_as_forms(command, expected):
    [request] = up(protocol()).send(command, START)
    assert (request.kind, request.method, request.path, request.group) == (Kind.NEW, "POST", "/v1/order", "user")
    assert form(request) == expected | {"symbol": "btcusdt"}


def test_a_cancel_is_a_delete_with_a_form():
    the, _ = open_order()
    [request] = the.send(cancel(str(BIG)), START)
    assert (request.kind, request.method, request.path) == (Kind.CANCEL, "DELETE", "/v1/order")
    assert form(request) == {"order_id": str(BIG), "symbol": "btcusdt"}
    assert the.send(cancel(None), START) == [NotSent(order_id="1", place=False, text="Crypto.com's id of the order is not known")]


@pytest.mark.parametrize(
    "command",
    [
        place(time_in_force=TimeInForce.IOC),
        place(time_in_force=TimeInForce.FOK),
        place(post_only=True),
        place(reduce_only=True),
        place(ord_type=OrdType.STOP, stop_px=D(1)),
        place(price=None),
        place(side=Side.SELL_SHORT),
        place(price=D("65000.001")),
        place(order_qty=D("0.000001")),
        place(symbol="dogeusdt"),
        market(Side.BUY, "1").__class__(**{f: getattr(market(Side.BUY, "1"), f) for f in place().__struct_fields__} | {"order_qty": D(1)}),
    ],
)
def test_what_cannot_be_said_is_not_sent(command):
    [out] = up(protocol()).send(command, START)
    assert isinstance(out, NotSent) and out.place and out.text


@pytest.mark.parametrize("text", ["1e99", "0E-99", "1e31", "NaN", "Infinity", "-1e-31", "", " 1", "1_0", "٣", "0x1", "1e5000"])
def test_what_is_no_amount(text):
    for value in (text, None, True, [], 1.5):
        with pytest.raises(Malformed):
            amount(value)
    with pytest.raises(Malformed):
        parse(b'{"a": 1e' + b"9" * 30 + b"}")


@pytest.mark.parametrize(("value", "number"), [("0.00100000", "0.001"), (5, "5"), (D("0E-16"), "0"), ("-0.1", "-0.1"), (D("1E+3"), "1000")])
def test_what_is_an_amount(value, number):
    assert amount(value) == D(number)


# --- answers to creates and cancels

BAD = [
    # status, code, msg -> what a create, and what a cancel, becomes
    (200, "19", "no money", Rejected, OrdRejReason.EXCEEDS_LIMIT, CancelRejected, CxlRejReason.BROKER_OPTION),
    (200, 19, "no money", Rejected, OrdRejReason.EXCEEDS_LIMIT, CancelRejected, CxlRejReason.BROKER_OPTION),
    (200, "5", "order failed", Rejected, OrdRejReason.BROKER_OPTION, CancelRejected, CxlRejReason.BROKER_OPTION),
    (200, "22", "no such order", Rejected, OrdRejReason.BROKER_OPTION, CancelRejected, CxlRejReason.UNKNOWN_ORDER),
    (200, "8", "over", Rejected, OrdRejReason.BROKER_OPTION, CancelRejected, CxlRejReason.TOO_LATE),
    (400, "100004", "bad", Rejected, OrdRejReason.BROKER_OPTION, CancelRejected, CxlRejReason.BROKER_OPTION),
    (401, "100005", "sign", Rejected, OrdRejReason.BROKER_OPTION, CancelRejected, CxlRejReason.BROKER_OPTION),
    (403, "100007", "ip", Rejected, OrdRejReason.BROKER_OPTION, CancelRejected, CxlRejReason.BROKER_OPTION),
    (404, "404", "where", Rejected, OrdRejReason.BROKER_OPTION, CancelRejected, CxlRejReason.BROKER_OPTION),
    (499, "100004", "bad", Rejected, OrdRejReason.BROKER_OPTION, CancelRejected, CxlRejReason.BROKER_OPTION),
    (200, "100001", "system", Unanswered, None, Unanswered, None),
    (500, "100001", "system", Unanswered, None, Unanswered, None),
    (503, "0", "suc", Unanswered, None, Unanswered, None),
    (302, "0", "suc", Unanswered, None, Unanswered, None),
    (200, None, "suc", Unanswered, None, Unanswered, None),
    (200, True, "suc", Unanswered, None, Unanswered, None),
]


@pytest.mark.parametrize(("status", "code", "msg", "created", "reason", "canceled", "cxl_reason"), BAD)
def test_every_bad_answer(status, code, msg, created, reason, canceled, cxl_reason):
    the = up(protocol())
    [create] = the.send(place(), START)
    first = events(the.answered(create, answer(None, status, code, msg), START))[0]
    assert type(first) is created and getattr(first, "reason", None) is reason
    assert msg in first.text or created is Unanswered
    if created is Rejected:
        assert (first.account, first.venue_cl_ord_id) == (ACCOUNT, "c1")
    the, _ = open_order()
    [request] = the.send(cancel(str(BIG)), START)
    first = events(the.answered(request, answer(None, status, code, msg), START))[0]
    assert type(first) is canceled and getattr(first, "reason", None) is cxl_reason


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"code":"0"}', b'{"code":"0","data":{"order_id":1.5}}', b"[" * 10_000])
def test_a_create_whose_answer_names_no_order_is_unanswered(body):
    the = up(protocol())
    [create] = the.send(place(), START)
    assert [type(out) for out in the.answered(create, Answer(200, {}, body), START)] == [Unanswered]


def test_a_lost_request_is_unknown_or_not_sent():
    the, look = open_order()
    [create] = the.send(place("2"), START)
    assert the.lost(create, True, "gone", START) == [Unanswered(order_id="2", text="gone")]
    [create] = the.send(place("3"), START)
    assert the.lost(create, False, "refused", START) == [NotSent(order_id="3", place=True, text="refused")]
    the.answered(look, answer(row(1)), START)  # an answer in between: not three in a row
    [request] = the.send(cancel(str(BIG)), START)
    assert the.lost(request, True, "gone", START) == [Unanswered(order_id="1", text="gone")]
    assert the.lost(request, False, "refused", START) == [NotSent(order_id="1", place=False, text="refused")]


# --- rows


def test_the_documents_order_is_read():
    the = up(protocol())
    [show] = requests(the.send(ask(place(side=Side.SELL), "8140"), START), "showOrder")
    assert form(show) == {"order_id": "8140", "symbol": "btcusdt"}
    assert the.answered(show, answer(sample("show_order")), START) == [
        Filled(
            account=ACCOUNT, exec_id="8140:6224", venue_cl_ord_id="c1", venue_order_id="8140", last_qty=D("0.001"), last_px=D("9744.25"),
            complete=True, cum_qty=D("0.001"), avg_px=D("9744.25"), fee=D(0), fee_currency="USDT",
        )
    ]  # fmt: skip


def test_the_documents_lists_are_searched():
    the = up(protocol())
    asked = ask(place(order_qty=D("0.001"), price=D(9000)), at=1571971994609 * MS)
    [first] = requests(the.send(asked, START))
    [second] = requests(the.answered(first, answer(sample("open_orders")), START))
    assert (form(first)["page"], form(second)["page"], second.path) == ("1", "1", "/v1/allOrders")  # the second row was too old already
    [found] = the.answered(second, answer(sample("all_orders")), START)[:1]
    assert isinstance(found, Request)  # newest first, and not too old: there may be more
    [found] = events(the.answered(found, answer({"count": 10, "orderList": []}), START))
    assert found == found_with_age(order_id="1", candidates=("8139",))


def test_a_search_that_cannot_be_read_begins_again_and_never_says_not_found():
    the = up(protocol())
    [first] = requests(the.send(ask(place()), START))
    assert [type(out) for out in the.answered(first, answer({"resultList": [{"id": 1}]}), START)] == [Note]
    assert requests(the.tick(START + SECOND // 2)) == []
    [again] = requests(the.tick(START + SECOND))
    assert the.lost(again, True, "gone", START + SECOND) == []
    [again] = requests(the.tick(START + 2 * SECOND), "Orders")
    assert again.path == "/v1/openOrders"


@pytest.mark.parametrize(
    ("status", "deal", "trades", "expected"),
    [
        (Status.INIT, "0", (), []),
        (Status.NEW, "0E-8", (), []),
        (Status.PENDING_CANCEL, "0", (), []),
        (Status.PART_FILLED, "0.2", ({**TRADE, "volume": "0.2"},), [(Filled, False)]),
        (Status.PENDING_CANCEL, "0.2", ({**TRADE, "volume": "0.2"},), [(Filled, False)]),
        (Status.FILLED, "0.5", (TRADE,), [(Filled, True)]),
        (Status.FILLED, "0.5", (TRADE, TRADE), [(Filled, True)]),
        (Status.CANCELED, "0", (), [(Canceled, Done.CANCELED)]),
        (Status.CANCELED, "0.2", ({**TRADE, "volume": "0.2"},), [(Filled, False), (Canceled, Done.CANCELED)]),
        (Status.EXPIRED, "0", (), [(Canceled, Done.EXPIRED)]),
        # What does not add up is not told yet.
        (Status.FILLED, "0.5", (), []),
        (Status.FILLED, "0", (), []),
        (Status.FILLED, "0.5", ({**TRADE, "volume": "0.2"},), []),
        (Status.CANCELED, "0.2", (), []),
        (Status.PART_FILLED, "0.2", (TRADE,), []),
    ],
)
def test_each_status(status, deal, trades, expected):
    the, look = open_order()
    told = events(the.answered(look, answer(row(int(status), deal, trades)), START))
    assert [(type(each), each.complete if isinstance(each, Filled) else each.how) for each in told] == expected
    if told and isinstance(told[-1], Canceled):
        assert told[-1].cum_qty == D(deal)


def test_the_routers_question_is_answered_by_a_look_that_came_after_it():
    the, early = open_order()
    assert events(the.send(ask(place(), str(BIG)), START + MS)) == []  # one look is under way
    live = answer(row(3, "0.2", [{**TRADE, "volume": "0.2"}]))
    assert [type(each) for each in events(the.answered(early, live, START + 2 * MS))] == [Filled]
    late = look_again(the, START + 3 * MS)
    assert [type(each) for each in events(the.answered(late, live, START + SECOND))] == [Filled, Accepted]  # all of it once more
    assert events(the.answered(look_again(the, START + SECOND), live, START + 2 * SECOND)) == []  # and not again


def test_executions_that_never_add_up_are_told_in_the_end():
    the, look = open_order()
    short = answer(row(2, "0.5", [{**TRADE, "volume": "0.2"}]))
    assert events(the.answered(look, short, START)) == []
    note, fill, end = events(the.answered(look_again(the, START + 10 * SECOND), short, START + 10 * SECOND))
    assert note.level == "error"
    assert (fill.cum_qty, fill.complete) == (None, False)
    assert (end.cum_qty, end.avg_px) == (D("0.5"), D(65000))  # with these the router books what is missing


def test_an_order_that_is_unknown_after_all_is_put_in_doubt():
    the, look = open_order()
    for i in range(5):
        told = events(the.answered(look, answer(None, 200, "22", "no such order"), START + i * 2 * SECOND))
        assert told == ([Found(order_id="1")] if i == 2 else [])
        look = look_again(the, START + (i + 1) * 2 * SECOND)


def test_executions_of_a_market_order_wait_for_its_end():
    """An order by cash amount is complete when the venue says so with its last execution, and in no other way."""
    the, look = open_order(the_place=market(Side.BUY, "32500"))
    cash = {"type": 2, "volume": "32500", "price": "0"}
    assert events(the.answered(look, answer(row(3, "0.5", [TRADE], **cash)), START)) == []
    [filled] = events(the.answered(look_again(the, START), answer(row(2, "0.5", [TRADE], **cash)), START + SECOND))
    assert filled.complete and filled.cum_qty == D("0.5")


def test_an_order_by_cash_ends_also_when_its_last_execution_was_told_before():
    the, look = open_order(the_place=market(Side.BUY, "32500"))
    cash = {"type": 2, "volume": "32500", "price": "0"}
    [filled] = events(the.answered(look, answer(row(3, "0.5", [TRADE], **cash)), START + 10 * SECOND))
    [end] = events(the.answered(look_again(the, START + 11 * SECOND), answer(row(2, "0.5", [TRADE], **cash)), START + 12 * SECOND))
    assert not filled.complete and (end.cum_qty, end.avg_px) == (D("0.5"), D(65000))


# --- the plan


def test_polls_keep_to_their_share_of_the_second():
    """Three fresh orders would like 15 looks a second; where creates have used the second, there is none."""
    the, looks, at = up(protocol()), [], []
    for i in range(3):
        [create] = the.send(place(str(i)), START)
        looks += requests(the.answered(create, answer({"order_id": BIG + i}), START), "showOrder")
    for now in range(START + 2 * SECOND, START + 4 * SECOND, 50 * MS):
        looks += requests(the.tick(now), "showOrder")
        while looks:
            at.append(now)
            looks += requests(the.answered(look := looks.pop(), answer(row(1, id=int(form(look)["order_id"]))), now), "showOrder")
    assert max(sum(one <= other < one + SECOND for other in at) for one in at[3:]) == 5
    for i in range(8):
        the.send(place(f"n{i}"), START + 10 * SECOND)
    assert requests(the.tick(START + 10 * SECOND + 500 * MS), "showOrder") == []
    assert requests(the.tick(START + 11 * SECOND), "showOrder")


# --- the link


def test_the_link_is_up_when_markets_and_account_have_answered():
    the = protocol(False, BTC)
    [symbols] = the.begin(START)
    assert (symbols.method, symbols.path, symbols.group, symbols.private) == ("GET", "/v1/symbols", "market", False)
    assert [type(out) for out in the.send(place(), START)] == [NotSent]
    note, login = the.answered(symbols, answer(sample("symbols")["data"]), START)
    assert isinstance(note, Note) and note.level == "error" and "btcusdt" in note.text
    assert login.path == "/v1/account" and login.private
    assert the.answered(login, answer(sample("account")), START) == [LinkUp(ACCOUNT)]
    held = the.held()
    assert held is not None and Balance("LTC", D("64646.466"), D("32323.233")) in held.balances


@pytest.mark.parametrize(("price", "qty", "named"), [(2, 5, ""), (1, 5, "tick"), (2, 4, "lot")])
def test_a_precision_that_is_too_coarse_is_named(price, qty, named):
    the = protocol()
    [symbols] = the.begin(START)
    rows = [{"symbol": "btcusdt", "amount_precision": qty, "price_precision": price}]
    notes = [out.text for out in the.answered(symbols, answer(rows), START) if isinstance(out, Note)]
    assert [named in each for each in notes] == ([True] if named else [])


def test_401_takes_the_link_down_and_a_probe_brings_it_back():
    the, look = open_order()
    assert [type(out) for out in the.answered(look, answer(None, 401, "100005", "time"), START)] == [LinkDown]
    assert the.tick(START + SECOND) == []
    [probe] = the.tick(START + 20 * SECOND)
    assert probe.path == "/v1/account"
    back = the.answered(probe, answer({"coin_list": []}), START + 20 * SECOND)
    assert back[0] == LinkUp(ACCOUNT)


@pytest.mark.parametrize(
    "refusal", [answer(None, 403, "100007", "illegal IP"), Answer(403, {}, b"<html>"), answer(None, 429, "1", "you are banned")]
)
def test_a_ban_opens_the_shells_breaker_and_nothing_more_is_asked(refusal):
    the, look = open_order()
    [down] = [out for out in the.answered(look, refusal, START) if isinstance(out, LinkDown)]
    assert down.text.startswith("banned")
    assert [out for step in range(100) for out in the.tick(START + step * SECOND)] == []
    assert [out.path for out in the.begin(START + 100 * SECOND)] == ["/v1/symbols"]
