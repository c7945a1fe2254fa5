"""Phemex's protocol, told what the document shows and what it does not."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.phemex.answers import header
from bridges.phemex.orders import is_minted
from bridges.phemex.payload import loads
from bridges.phemex.protocol import CAPABILITIES, PhemexProtocol
from bridges.phemex.scaling import CONTRACTS, Unscalable, price, price_ep, quantity
from bridges.wire import Answer, Frame, Kind, Note, Reconnect, Request
from router.model import (
    Accepted,
    Ask,
    Cancel,
    Canceled,
    CancelRejected,
    Filled,
    Found,
    LinkDown,
    LinkUp,
    NotSent,
    Place,
    Rejected,
    Unanswered,
)
from router.rules import Instrument
from router.words import CxlRejReason, OrdRejReason, OrdType, Side, TimeInForce
from tests.bridges.evidence import found as found_with_age

S = 1_000_000_000
NOW = 1_700_000_000 * S
KEY, SECRET = "806066b0-f02b-4d3e-b444-76ec718e1023", "a secret of this test"
MINTED = "1700000000000-000007-000001"
SAMPLES = Path(__file__).parent / "samples"
BTC = Instrument(symbol="BTC/USD", venue_symbol="BTCUSD", base="BTC", quote="USD", tick=D("0.5"), lot=D(1))
ETH = Instrument(symbol="ETH/USD", venue_symbol="ETHUSD", base="ETH", quote="USD", tick=D("0.05"), lot=D(1))
PLACED = NOW - 10 * S


def text(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text().strip()


def sample(name: str) -> Any:
    return json.loads(text(name))


def place(**more: Any) -> Place:
    standard = {
        "order_id": "1", "venue_cl_ord_id": "c1", "venue": "", "symbol": "BTCUSD", "side": Side.BUY, "ord_type": OrdType.LIMIT,
        "time_in_force": TimeInForce.GTC, "post_only": False, "order_qty": D(7), "cash_order_qty": None, "price": D(65000),
        "stop_px": None, "reduce_only": False, "time": NOW,
    }  # fmt: skip
    return Place(**standard | more)


def ask(cl_ord_id: str = "c1", venue_order_id: str | None = None, order_id: str = "1", placed: int = PLACED) -> Ask:
    return Ask(order_id, cl_ord_id, venue_order_id, "", "BTCUSD", Side.BUY, OrdType.LIMIT, D(7), None, D(65000), placed)


CANCEL = Cancel("1", "c1", "v1", "", "BTCUSD")


def row(**more: Any) -> dict[str, Any]:
    """The document's row, of our BTCUSD order."""
    fields = sample("aop_incremental")["orders"][0] | {
        "symbol": "BTCUSD", "clOrdID": "c1", "orderID": "v1", "side": "Buy", "orderQty": 7, "priceEp": 650_000_000, "execSeq": 10,
        "transactTimeNs": NOW,
    }  # fmt: skip
    return fields | more


def fill(qty: int, cum: int, value_ev: int, seq: int = 11, exec_id: str = "e1", **more: Any) -> dict[str, Any]:
    status = {"execStatus": "MakerFill", "ordStatus": "Filled" if cum == 7 else "PartiallyFilled"}
    figures = {"execQty": qty, "execPriceEp": 650_000_000, "cumQty": cum, "cumValueEv": value_ev, "execFeeEv": -3}
    return row(**status | figures | {"execID": exec_id, "execSeq": seq} | more)


def aop(*orders: Any, sequence: int, kind: str = "incremental", currency: str = "BTC") -> str:
    accounts = [{"accountID": 1, "currency": currency, "accountBalanceEv": 1, "totalUsedBalanceEv": 0, "userID": 1}]
    message = {"accounts": accounts, "orders": list(orders), "positions": [], "sequence": sequence, "timestamp": NOW, "type": kind}
    return json.dumps(message)


class Desk:
    """A protocol with a clock and a venue that says what it is told to."""

    def __init__(self, up: bool = True, instruments: tuple[Instrument, ...] = (BTC,)) -> None:
        self.protocol = PhemexProtocol("acc", KEY, SECRET, instruments)
        self.now = NOW
        self.sequence = 0
        if up:
            self.log_in()
            assert self.snapshot() == [LinkUp("acc")]

    def log_in(self) -> list[Any]:
        (auth,) = self.protocol.opened(self.now)
        return self.say({"error": None, "id": json.loads(auth.text)["id"], "result": {"status": "success"}})

    def say(self, message: Any) -> list[Any]:
        return list(self.protocol.receive(message if isinstance(message, str | bytes) else json.dumps(message), self.now))

    def told(self, *orders: Any, kind: str = "incremental", currency: str = "BTC") -> list[Any]:
        self.sequence += 2
        return self.say(aop(*orders, sequence=self.sequence, kind=kind, currency=currency))

    def snapshot(self, *orders: Any, currency: str = "BTC") -> list[Any]:
        return self.told(*orders, kind="snapshot", currency=currency)

    def send(self, command: Any) -> list[Any]:
        return list(self.protocol.send(command, self.now))

    def placed(self, **more: Any) -> Request:
        (request,) = self.send(place(**more))
        assert isinstance(request, Request), request
        return request

    def answer(self, request: Request, status: int = 200, body: Any = None, **headers: str) -> list[Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return list(self.protocol.answered(request, Answer(status, headers, content), self.now))

    def later(self, seconds: float) -> list[Any]:
        self.now += int(seconds * S)
        return list(self.protocol.tick(self.now))


def methods(outs: list[Any]) -> list[str]:
    return [json.loads(each.text)["method"] for each in outs if isinstance(each, Frame)]


def yes(cl_ord_id: str = "c1", **more: Any) -> dict[str, Any]:
    data = {"bizError": 0, "orderID": "v1", "clOrdID": cl_ord_id, "ordStatus": "Created"}
    return {"code": 0, "msg": "", "data": data | more}


ACCEPTED = Accepted(account="acc", exec_id="new-v1", venue_cl_ord_id="c1", venue_order_id="v1")


class TestSaying:
    """What we send."""

    def test_a_create_is_the_documents(self) -> None:
        """Field by field, "Place Order"."""
        request = Desk().placed(
            venue_cl_ord_id="uuid-1573058952273", side=Side.SELL, price=D("9318.5")
        )  # fmt: skip
        assert (request.kind, request.method, request.path, request.query) == (Kind.NEW, "POST", "/orders", "")
        assert json.loads(request.body) == sample("place_order")
        assert '"priceEp":93185000,' in request.body

    @pytest.mark.parametrize(
        ("more", "fields"),
        [
            ({"side": Side.SELL}, {"side": "Sell"}),
            ({"time_in_force": TimeInForce.IOC}, {"timeInForce": "ImmediateOrCancel"}),
            ({"time_in_force": TimeInForce.FOK}, {"timeInForce": "FillOrKill"}),
            ({"post_only": True}, {"timeInForce": "PostOnly"}),
            ({"reduce_only": True}, {"reduceOnly": True}),
            ({"ord_type": OrdType.MARKET, "price": None}, {"ordType": "Market", "priceEp": None, "stopPxEp": None}),
            (
                {"ord_type": OrdType.STOP, "price": None, "stop_px": D("64000.5")},
                {"ordType": "Stop", "stopPxEp": 640_005_000, "triggerType": "ByLastPrice", "priceEp": None},
            ),
            (
                {"ord_type": OrdType.STOP_LIMIT, "stop_px": D(64000)},
                {"ordType": "StopLimit", "stopPxEp": 640_000_000, "triggerType": "ByLastPrice", "priceEp": 650_000_000},
            ),
            ({}, {"ordType": "Limit", "triggerType": "UNSPECIFIED", "stopPxEp": None, "orderQty": 7}),
        ],
    )
    def test_how_orders_are_said(self, more: dict[str, Any], fields: dict[str, Any]) -> None:
        """Words and scaled integers; None: not there at all."""
        said = json.loads(Desk().placed(**more).body)
        assert {key: said.get(key) for key in fields} == fields

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"price": D("65000.25")}, "Price(44) 65000.25 is off the tick, 0.5"),
            ({"price": D(0)}, "Price(44) 0 is not above zero"),
            ({"price": D("NaN")}, "Price(44) NaN is not above zero"),
            ({"price": D("1e30")}, "Price(44) 1E+30 is beyond"),
            ({"price": D("1e-999999")}, "Price(44) 1E-999999 is beyond"),
            ({"price": None}, "Price(44) is missing on a limit order"),
            ({"ord_type": OrdType.MARKET}, "Price(44) is not allowed on a market order"),
            ({"stop_px": D(64000)}, "StopPx(99) is not allowed on a limit order"),
            ({"ord_type": OrdType.STOP, "price": None}, "StopPx(99) is missing"),
            ({"ord_type": OrdType.STOP, "price": None, "stop_px": D("0.3")}, "StopPx(99) 0.3 is off the tick"),
            ({"order_qty": D("1.5")}, "OrderQty(38) 1.5 is not a whole number of contracts"),
            ({"order_qty": D(-1)}, "OrderQty(38) -1 is not above zero"),
            ({"order_qty": None, "cash_order_qty": D(100)}, "OrderQty(38) is needed"),
            ({"time_in_force": TimeInForce.DAY}, "TimeInForce(59) day"),
            ({"side": Side.CROSS}, "Side(54) cross"),
            ({"post_only": True, "time_in_force": TimeInForce.IOC}, "post-only is not possible"),
            ({"post_only": True, "ord_type": OrdType.MARKET, "price": None}, "post-only is not possible"),
            ({"symbol": "XRPUSD"}, "Symbol(55) XRPUSD"),
            ({"venue_cl_ord_id": "x" * 41}, "1 to 40 printable"),
            ({"venue_cl_ord_id": "a\nb"}, "1 to 40 printable"),
        ],
    )
    def test_what_cannot_be_said_is_not_sent(self, more: dict[str, Any], words: str) -> None:
        """By field and reason; nothing is rounded."""
        (out,) = Desk().send(place(**more))
        assert isinstance(out, NotSent)
        assert (out.order_id, out.place) == ("1", True)
        assert words in out.text

    def test_a_finer_price_than_the_venue_can_write(self) -> None:
        """Also where a configured tick would allow it."""
        with pytest.raises(Unscalable, match="more than four decimals"):
            price_ep(D("1.00001"), D("0.00001"))
        with pytest.raises(Unscalable, match="off the lot"):
            quantity(D(15), D(10))

    @given(st.integers(1, (1 << 63) - 1))
    def test_prices_both_ways(self, ep: int) -> None:
        """Every scaled price is a price, and comes back as itself."""
        assert price_ep(price(ep), D("0.0001")) == ep

    def test_nothing_is_created_while_the_stream_is_down(self) -> None:
        """Nobody would hear of it."""
        desk = Desk(up=False)
        assert [type(each) for each in desk.send(place())] == [NotSent]
        desk.log_in()
        assert [type(each) for each in desk.send(place())] == [NotSent]
        desk.snapshot()
        assert desk.placed()
        desk.protocol.closed("gone", NOW)
        assert [type(each) for each in desk.send(place())] == [NotSent]

    def test_a_cancel_is_the_documents(self) -> None:
        """In the path, and no question mark; signed so."""
        desk = Desk()
        (request,) = desk.send(CANCEL)
        assert (request.kind, request.method, request.path, request.query, request.body) == (
            Kind.CANCEL, "DELETE", "/orders/orderID=v1&symbol=BTCUSD", "", "",
        )  # fmt: skip
        assert desk.protocol.sign(request, NOW).target == "/orders/orderID=v1&symbol=BTCUSD"

    def test_a_cancel_without_an_id_waits(self) -> None:
        """Until the venue has told one, by answer or by row."""
        desk = Desk()
        request = desk.placed()
        nameless = Cancel("1", "c1", None, "", "BTCUSD")
        (out,) = desk.send(nameless)
        assert isinstance(out, NotSent)
        assert not out.place
        desk.answer(request, body=yes())
        (request,) = desk.send(nameless)
        assert "orderID=v1" in request.path

    def test_the_signature(self) -> None:
        """Path, query, expiry in seconds, body; the document's first example by form, its second by body."""
        desk = Desk()
        body = text("signature_body")
        for path, query, content in (("/accounts/accountPositions", "currency=BTC", ""), ("/orders", "", body)):
            signed = desk.protocol.sign(Request(Kind.QUERY, "POST", path, query, content), NOW + S - 1)
            expected = hmac.new(SECRET.encode(), f"{path}{query}1700000060{content}".encode(), hashlib.sha256).hexdigest()
            assert signed.headers == {
                "Content-Type": "application/json", "x-phemex-access-token": KEY, "x-phemex-request-expiry": "1700000060",
                "x-phemex-request-signature": expected,
            }  # fmt: skip
            assert (signed.target, signed.body) == (f"{path}?{query}" if query else path, content)
        public = desk.protocol.sign(Request(Kind.QUERY, "GET", "/x", private=False), NOW)
        assert dict(public.headers) == {"Content-Type": "application/json"}

    @given(st.integers(0, 4 * 10**18), st.integers(0, 999_999), st.integers(0, 10**15))
    def test_ids(self, now: int, random: int, serial: int) -> None:
        """At most 40 printable characters; another number, another id; and we know our own again."""
        protocol = PhemexProtocol("acc", KEY, SECRET, ())
        made = protocol.mint(now, random, serial)
        assert len(made) <= 40
        assert made.isascii()
        assert made.isprintable()
        assert is_minted(made)
        assert len({made, protocol.mint(now, random, serial + 1), protocol.mint(now, (random + 1) % 1_000_000, serial)}) == 3

    def test_what_it_can(self) -> None:
        """Both tables as they stand in the document; instruments of unknown scale are refused at the start."""
        assert CAPABILITIES.ord_types == (OrdType.LIMIT, OrdType.MARKET, OrdType.STOP, OrdType.STOP_LIMIT)
        assert CAPABILITIES.times_in_force == (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)
        with pytest.raises(ValueError, match="XRPUSD has no known contract size"):
            PhemexProtocol("acc", KEY, SECRET, [Instrument(symbol="X", venue_symbol="XRPUSD", base="X", quote="U", tick=D(1), lot=D(1))])


class TestAnswers:
    """HTTP: yes, no, unknown."""

    def test_yes_accepts_once(self) -> None:
        """By the answer or by the row, whichever is first."""
        desk = Desk()
        assert desk.answer(desk.placed(), body=yes()) == [ACCEPTED]
        assert desk.told(row()) == []
        desk = Desk()
        request = desk.placed()
        assert desk.told(row()) == [ACCEPTED]
        assert desk.answer(request, body=yes()) == []
        desk = Desk()
        request = desk.placed()
        assert desk.told(row(ordStatus="Canceled")) != []
        assert desk.answer(request, body=yes()) == []

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (11001, OrdRejReason.EXCEEDS_LIMIT),
            (11027, OrdRejReason.UNKNOWN_SYMBOL),
            (11058, OrdRejReason.INCORRECT_QUANTITY),
            (11057, OrdRejReason.UNSUPPORTED),
            (12345, OrdRejReason.BROKER_OPTION),
        ],
    )
    def test_no_to_a_create(self, code: int, reason: OrdRejReason) -> None:
        """Told over HTTP and in AOP under one ExecID."""
        desk = Desk()
        (http,) = desk.answer(desk.placed(), body={"code": code, "msg": "TE_WHY", "data": None})
        assert http == Rejected(account="acc", exec_id="reject-c1", reason=reason, venue_cl_ord_id="c1", text=f"{code} TE_WHY")
        (told,) = desk.told(row(ordStatus="Rejected", execStatus="CreateRejected", code=code, message="TE_WHY"))
        assert (told.exec_id, told.reason, told.text) == (http.exec_id, http.reason, http.text)

    @pytest.mark.parametrize("status", [400, 404, 405])
    def test_a_no_in_the_venues_words_counts_with_other_statuses(self, status: int) -> None:
        """It is JSON with a code: its own."""
        desk = Desk()
        (out,) = desk.answer(desk.placed(), status, {"code": status, "msg": "no", "data": None})
        assert isinstance(out, Rejected)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (500, {"code": 500, "msg": "internal", "data": None}),
            (500, b""),
            (502, b"<html>"),
            (503, {"code": 0, "msg": "", "data": {"orderID": "v1", "clOrdID": "c1"}}),
            (200, b"<html>this is not JSON"),
            (200, b""),
            (200, b"[]"),
            (200, b"null"),
            (200, b"{}"),
            (200, b'{"code":"0"}'),
            (200, b'{"code":0.0}'),
            (200, b'{"code":true}'),
            (200, b'{"code":NaN}'),
            (200, b"[" * 100_000),
            (200, b"\xff\xfe{"),
            (200, {"code": 0, "msg": "", "data": None}),
            (200, {"code": 0, "data": {"orderID": "v1", "clOrdID": "another"}}),
            (200, {"code": 0, "data": {"clOrdID": "c1"}}),
            (200, {"code": 0, "data": {"orderID": "v\n1", "clOrdID": "c1"}}),
            (200, yes(bizError=11001)),
            (202, yes()),
            (302, b""),
            (404, b"<html>a proxy's"),
            (408, {"code": 408, "msg": "timeout"}),
            (429, {"code": 39995, "msg": "Too many requests.", "data": None}),
            (200, {"code": 11085, "msg": "TE_CL_ORD_ID_DUPLICATE", "data": None}),
            (200, {"code": 10001, "msg": "OM_DUPLICATE_ORDERID", "data": None}),
        ],
    )
    def test_what_is_neither_is_unknown(self, status: int, body: Any) -> None:
        """The order may be live; the document says so of 5xx. A duplicate id says that this very order is there."""
        desk = Desk()
        outs = desk.answer(desk.placed(), status, body)
        assert [type(each) for each in outs if not isinstance(each, Note)] == [Unanswered]
        assert outs[0].order_id == "1"

    def test_too_many_requests_is_told(self) -> None:
        """With the seconds; the shell waits by itself."""
        desk = Desk()
        outs = desk.answer(desk.placed(), 429, {"code": 39995}, **{"x-ratelimit-retry-after": "17"})
        assert any(isinstance(each, Note) and "17 s" in each.text for each in outs)

    @pytest.mark.parametrize("body", [b"403 Forbidden", {"code": 39995, "msg": "403 IP is blocked.", "data": None}])
    def test_an_address_that_is_blocked(self, body: Any) -> None:
        """The order did not get in, and nothing more is sent there."""
        desk = Desk()
        first, second, third = desk.answer(desk.placed(), 403, body, **{"X-RateLimit-Retry-After": "30"})
        assert isinstance(first, Rejected)
        assert isinstance(second, LinkDown)
        assert second.text.startswith("banned for 30 s")
        assert isinstance(third, Reconnect)
        assert desk.told(row()) == []
        assert desk.protocol.closed("told to", NOW) == []
        assert isinstance(desk.send(place())[0], NotSent)
        desk.log_in()
        assert desk.snapshot() == [LinkUp("acc")]

    def test_a_key_that_is_not_accepted(self) -> None:
        """The gateway's no, whatever its body."""
        for body in (b"nothing", {"code": 401, "msg": "401 Request Expired."}):
            desk = Desk()
            outs = desk.answer(desk.placed(), 401, body)
            assert [type(each) for each in outs] == [Rejected, Note]
            assert "401" in outs[0].text

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (10002, CxlRejReason.UNKNOWN_ORDER),
            (10003, CxlRejReason.ALREADY_PENDING),
            (11062, CxlRejReason.TOO_LATE),
            (11063, CxlRejReason.TOO_LATE),
            (39999, CxlRejReason.BROKER_OPTION),
        ],
    )
    def test_no_to_a_cancel(self, code: int, reason: CxlRejReason) -> None:
        """With the venue's words."""
        desk = Desk()
        (request,) = desk.send(CANCEL)
        assert desk.answer(request, body={"code": code, "msg": "NO", "data": None}) == [
            CancelRejected(account="acc", reason=reason, venue_cl_ord_id="c1", venue_order_id="v1", text=f"{code} NO")
        ]

    def test_yes_and_unknown_to_a_cancel(self) -> None:
        """Yes is not the end: the stream tells that."""
        desk = Desk()
        (request,) = desk.send(CANCEL)
        assert desk.answer(request, body={"code": 0, "msg": "", "data": None}) == []
        for status, body in ((500, b""), (200, b"?"), (200, b"{}")):
            (out,) = desk.answer(request, status, body)
            assert (type(out), out.order_id) == (Unanswered, "1")

    def test_lost_requests(self) -> None:
        """Not sent is certain; sent is not."""
        desk = Desk()
        request = desk.placed()
        (cancel,) = desk.send(CANCEL)
        lost = desk.protocol.lost
        assert list(lost(request, True, "timed out", NOW)) == [Unanswered(order_id="1", text="timed out")]
        assert list(lost(cancel, True, "timed out", NOW)) == [Unanswered(order_id="1", text="timed out")]
        assert list(lost(request, False, "refused", NOW)) == [NotSent(order_id="1", place=True, text="refused")]
        assert list(lost(cancel, False, "refused", NOW)) == [NotSent(order_id="1", place=False, text="refused")]

    def test_somebody_else_uses_the_key(self) -> None:
        """Few requests left: said once a minute."""
        desk = Desk()
        for left, notes in (("199", 0), ("19", 1), ("3", 0), ("nonsense", 0)):
            outs = desk.answer(desk.placed(), body=yes(), **{"X-RateLimit-Remaining": left})
            assert sum(isinstance(each, Note) for each in outs) == notes
        assert header({"A": "१"}, "a") is None

    @given(st.integers(100, 599), st.binary(max_size=200))
    def test_no_answer_raises(self, status: int, body: bytes) -> None:
        """Whatever the bytes."""
        desk = Desk()
        assert desk.answer(desk.placed(), status, body)


class TestRows:
    """AOP rows to events."""

    def test_the_documents_row(self) -> None:
        """An order that is not ours is told, and not taken for one of ours; one of our making is passed on."""
        desk = Desk(instruments=(BTC, ETH), up=False)
        desk.log_in()
        desk.snapshot(currency="BTC")
        assert desk.snapshot(currency="USD") == [LinkUp("acc")]
        (out,) = desk.say(text("aop_incremental"))
        assert isinstance(out, Note)
        assert "85906b94-3784-4e15-ac19-590bc5af4aff" in out.text
        message = sample("aop_incremental")
        message["orders"][0]["clOrdID"] = MINTED
        message["sequence"] += 1
        assert desk.say(message) == [
            Accepted(
                account="acc", exec_id="new-85906b94-3784-4e15-ac19-590bc5af4aff", venue_cl_ord_id=MINTED,
                venue_order_id="85906b94-3784-4e15-ac19-590bc5af4aff",
            )
        ]  # fmt: skip

    def test_a_life(self) -> None:
        """New, two executions, filled: quantities, prices, average, fee."""
        desk = Desk()
        desk.placed()
        assert desk.told(row()) == [ACCEPTED]
        (first,) = desk.told(fill(2, 2, 3076))
        assert first == Filled(
            account="acc", exec_id="e1", last_qty=D(2), last_px=D(65000), complete=False, venue_cl_ord_id="c1", venue_order_id="v1",
            symbol="BTCUSD", side=Side.BUY, order_qty=D(7), cum_qty=D(2), avg_px=D(65000), fee=D("-3e-8"), fee_currency="BTC",
        )  # fmt: skip
        (last,) = desk.told(fill(5, 7, 10768, 12, "e2"))
        assert (last.complete, last.cum_qty, last.avg_px, last.exec_id) == (True, D(7), D(65000), "e2")

    @pytest.mark.parametrize("status", ["Untriggered", "Triggered", "New", "PartiallyFilled"])
    def test_states_in_which_it_lives(self, status: str) -> None:
        """Under one ExecID; an untriggered stop says that it waits."""
        desk = Desk()
        desk.placed()
        (out,) = desk.told(row(ordStatus=status, execStatus=status))
        assert (type(out), out.exec_id) == (Accepted, "new-v1")
        assert ("stop price" in out.text) is (status == "Untriggered")

    def test_ends(self) -> None:
        """Canceled says what was executed; a reject after an acceptance can only be an end."""
        desk = Desk()
        desk.placed()
        (out,) = desk.told(row(ordStatus="Canceled", cumQty=2, cumValueEv=3076))
        assert isinstance(out, Canceled)
        assert (out.exec_id, out.cum_qty, out.avg_px, out.text) == ("canceled-v1", D(2), D(65000), "")
        desk = Desk()
        desk.answer(desk.placed(), body=yes())
        (out,) = desk.told(row(ordStatus="Rejected", execStatus="CreateRejected", code=11001, message="TE_NO"))
        assert isinstance(out, Canceled)
        assert (out.cum_qty, out.text) == (D(0), "11001 TE_NO")

    def test_created_says_nothing(self) -> None:
        """It is on its way; the answer said so."""
        desk = Desk()
        desk.placed()
        assert desk.told(row(ordStatus="Created")) == []

    def test_an_execution_that_ends_in_a_cancel(self) -> None:
        """One row, two things that happened."""
        desk = Desk()
        desk.placed()
        assert [type(each) for each in desk.told(fill(2, 2, 3076, ordStatus="Canceled"))] == [Filled, Canceled]

    def test_quantity_without_its_execution(self) -> None:
        """One contract and the sums: whatever was missed is in them."""
        desk = Desk()
        desk.placed()
        (out,) = desk.told(row(ordStatus="PartiallyFilled", cumQty=3, cumValueEv=4615))
        assert (out.exec_id, out.last_qty, out.cum_qty, out.avg_px, out.complete) == ("cum-v1-3", D(1), D(3), D(65000), False)
        assert (out.fee, out.fee_currency) == (None, "")

    def test_repeated_and_late_messages(self) -> None:
        """A repetition is dropped; a late execution counts, a late acceptance does not; a gap in the sequence is nothing."""
        desk = Desk()
        desk.placed()
        new, done = aop(row(), sequence=50), aop(fill(7, 7, 10769, 12), sequence=900)
        assert len(desk.say(done)) == 1
        assert desk.say(done) == []
        assert desk.say(new) == []
        assert len(desk.say(aop(fill(2, 2, 3076, 11, "e0"), sequence=60))) == 1
        assert desk.say(aop(row(execSeq=12), sequence=61)) == []

    def test_an_acceptance_after_the_end_came_late(self) -> None:
        """A stop that was canceled while the word of its waiting was on its way."""
        desk = Desk()
        desk.placed()
        assert len(desk.told(row(ordStatus="Canceled", execSeq=12))) == 1
        assert desk.told(row(ordStatus="Untriggered", execSeq=10)) == []

    def test_sequences_are_a_connections_own(self) -> None:
        """The next one may begin with the same."""
        desk = Desk()
        desk.placed()
        assert desk.say(aop(row(), sequence=50)) == [ACCEPTED]
        desk.protocol.closed("gone", desk.now)
        desk.log_in()
        assert desk.say(aop(fill(7, 7, 10769, 12), sequence=50)) != []

    def test_what_the_venue_says_in_one_word_of_two(self) -> None:
        """A reject by execStatus alone; a first execution whose sums are not there yet."""
        desk = Desk()
        desk.placed()
        assert [type(each) for each in desk.told(row(execStatus="CreateRejected", code=11001))] == [Rejected]
        desk = Desk()
        desk.placed()
        assert desk.told(fill(2, 2, 0))[0].avg_px == 65000

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"ordStatus": "Sleeping"}, "ordStatus Sleeping"),
            ({"ordStatus": None}, "ordStatus is missing"),
            ({"side": "None"}, "side None"),
            ({"symbol": "XRPUSD"}, "symbol XRPUSD"),
            ({"orderID": ""}, "orderID is missing"),
            ({"clOrdID": "\ud800"}, "clOrdID is not a name"),
            ({"cumQty": 1.5}, "cumQty is not a whole number"),
            ({"cumQty": 10**40}, "cumQty is not a whole number"),
            ({"cumQty": -1}, "cumQty -1"),
            ({"execID": "e", "execQty": 2, "cumQty": 1}, "cumQty 1"),
            ({"execID": "e", "execQty": 2, "cumQty": 2, "execPriceEp": 0}, "execPriceEp 0"),
            ({"execID": "e" * 65, "execQty": 2, "cumQty": 2}, "execID is not a name"),
        ],
    )
    def test_rows_that_make_no_sense(self, more: dict[str, Any], words: str) -> None:
        """Said by field; their neighbours count."""
        desk = Desk()
        desk.placed()
        note, event = desk.told(row(**more), row())
        assert isinstance(note, Note)
        assert words in note.text
        assert event == ACCEPTED
        assert isinstance(desk.told("no row")[0], Note)

    def test_averages(self) -> None:
        """By the documents' own values: 297 ETHUSD at 186.75 are 2773237. BTCUSD is inverse, and small values are blurred."""
        eth, btc = CONTRACTS["ETHUSD"], CONTRACTS["BTCUSD"]
        assert int(eth.value_ev(297, D("186.75"))) == sample("aop_incremental")["orders"][0]["leavesValueEv"]
        assert eth.average(297, 2773237, D("186.75")) == D("186.75")
        assert eth.average(297, 2773237, None) == D("186.75")
        # 10000 at 65000 and 10000 at 66000: the venue's average is the harmonic one, 65496.18.
        value = 10_000 * 10**8 // 65_000 + 10_000 * 10**8 // 66_000
        average = btc.average(20_000, value, D(66000))
        assert average is not None
        assert abs(average - D("65496.1832")) < D("0.002")
        assert btc.average(1, 1538, D(65000)) == 65000
        assert btc.average(2, 3076, D(65000)) == 65000
        assert btc.average(0, 0, D(65000)) is None

    @given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(10_000, 200_000), st.integers(10_000, 200_000))
    def test_an_average_lies_between(self, qty: int, more: int, first: int, second: int) -> None:
        """To what cutting down two values allows."""
        btc = CONTRACTS["BTCUSD"]
        value = int(btc.value_ev(qty, D(first))) + int(btc.value_ev(more, D(second)))
        average = btc.average(qty + more, value, D(second))
        assert average is not None
        blur = average * 3 / D(value) + 1
        assert min(first, second) - blur <= average <= max(first, second) + blur


class TestQuestions:
    """Ask: from a fresh snapshot, never from memory."""

    def test_right_after_the_login_the_snapshot_answers(self) -> None:
        """The order of another life that was filled meanwhile; others of the history are not told."""
        desk = Desk(up=False)
        desk.log_in()
        assert desk.snapshot(fill(5, 7, 10769, 20, "e9"), row(clOrdID="old", orderID="v0")) == [LinkUp("acc")]
        (out,) = desk.send(ask(venue_order_id="v1"))
        assert (out.exec_id, out.cum_qty, out.avg_px, out.complete) == ("e9", D(7), D(65000), True)

    def test_later_a_round_is_needed(self) -> None:
        """What we remember may be false: the stream may have lost its end."""
        desk = Desk()
        desk.placed()
        desk.told(row())
        desk.now += 5 * S
        assert methods(desk.send(ask(venue_order_id="v1"))) == ["aop.unsubscribe", "aop.subscribe"]
        assert methods(desk.send(ask("c2", "v2", "2"))) == []
        outs = desk.snapshot(row(ordStatus="Canceled", execSeq=11), row(clOrdID="c2", orderID="v2"))
        assert [(type(each), each.venue_order_id) for each in outs] == [(Canceled, "v1"), (Accepted, "v2")]

    def test_not_there(self) -> None:
        """Said of an order that was never confirmed, by a whole round."""
        desk = Desk(up=False, instruments=(BTC, ETH))
        desk.log_in()
        desk.snapshot(currency="USD")
        desk.snapshot(currency="BTC")
        desk.now += 5 * S
        desk.send(ask())
        assert desk.snapshot(currency="BTC") == []
        assert desk.snapshot(currency="USD") == [found_with_age(order_id="1")]

    def test_a_question_during_a_round_waits_for_the_next(self) -> None:
        """That round may have looked before the order came; but a second is nothing."""
        desk = Desk()
        assert desk.send(ask()) == [found_with_age(order_id="1")]
        assert methods(desk.send(ask(placed=NOW))) == ["aop.unsubscribe", "aop.subscribe"]
        assert desk.snapshot() == [found_with_age(order_id="1")]
        desk.now += 5 * S
        desk.send(ask())
        desk.now += S
        assert desk.send(ask("c2", None, "2")) == []
        desk.now += S
        assert desk.send(ask("c3", None, "3")) == []
        outs = desk.snapshot()
        assert [each.order_id for each in outs if isinstance(each, Found)] == ["1", "2"]
        assert methods(outs) == ["aop.unsubscribe", "aop.subscribe"]
        assert desk.snapshot() == [found_with_age(order_id="3")]

    @pytest.mark.parametrize(
        ("count", "age_s", "found"),
        [(99, 1, True), (100, 61, True), (100, 59, False), (100, 0, False), (150, 61, True)],
    )
    def test_absence_proves_nothing_beyond_the_history(self, count: int, age_s: int, found: bool) -> None:
        """100 past orders are shown: it must be fewer, or reach back to before ours by more than clocks differ."""
        desk = Desk()
        desk.now += 5 * S
        desk.send(ask())
        times = [PLACED - age_s * S] + [PLACED + S] * (count - 1)
        old = [row(clOrdID=f"x{n}", orderID=f"y{n}", ordStatus="Canceled", transactTimeNs=each) for n, each in enumerate(times)]
        (out,) = desk.snapshot(*old)
        assert type(out) is (Found if found else Note)

    def test_an_old_order_that_is_open_is_no_witness_of_those_that_ended(self) -> None:
        """Open orders may be shown beside the 100 past ones."""
        desk = Desk()
        desk.now += 5 * S
        desk.send(ask())
        past = [row(clOrdID=f"x{n}", orderID=f"y{n}", ordStatus="Canceled", transactTimeNs=PLACED + S) for n in range(100)]
        assert not any(isinstance(each, Found) for each in desk.snapshot(row(clOrdID="open", transactTimeNs=PLACED - 999 * S), *past))

    def test_orders_of_another_life(self) -> None:
        """Nothing is told of them unasked; what then comes late is known as late, and what comes anew is told."""
        desk = Desk(up=False)
        desk.log_in()
        other = MINTED.replace("7-", "8-")
        ended = row(clOrdID=MINTED, orderID="v8", ordStatus="Canceled", execSeq=20)
        assert desk.snapshot(ended, row(clOrdID=other, orderID="v9", execSeq=21)) == [LinkUp("acc")]
        assert desk.told(row(clOrdID=MINTED, orderID="v8", ordStatus="New", execSeq=19)) == []
        assert [type(each) for each in desk.told(row(clOrdID=other, orderID="v9", ordStatus="Canceled", execSeq=22))] == [Canceled]

    def test_a_snapshot_that_cannot_be_read_proves_nothing(self) -> None:
        """The row that makes no sense may be the order's; one without a time is no witness."""
        for old in ([row(ordStatus="?", clOrdID="c1")], [row(clOrdID=f"x{n}", transactTimeNs=0) for n in range(100)]):
            desk = Desk()
            desk.now += 5 * S
            desk.send(ask())
            assert not any(isinstance(each, Found) for each in desk.snapshot(*old))

    def test_an_order_that_was_confirmed_does_not_vanish(self) -> None:
        """The router that knows it as accepted raises the alarm; to one that does not yet, "not there" would be a reject."""
        for known in ("v1", None):
            desk = Desk()
            desk.answer(desk.placed(), body=yes())
            desk.now += 5 * S
            desk.send(ask(venue_order_id=known))
            (out,) = desk.snapshot()
            assert type(out) is (Note if known is None else Found)

    def test_a_reject_of_an_order_known_as_accepted_is_its_end(self) -> None:
        """Accepted in another life."""
        desk = Desk(up=False)
        desk.log_in()
        desk.snapshot(row(ordStatus="Rejected", code=11001))
        assert [type(each) for each in desk.send(ask(venue_order_id="v1"))] == [Canceled]
        assert [type(each) for each in desk.send(ask(order_id="2", cl_ord_id="c1"))] == [Canceled]

    def test_increments_since_the_snapshot_count(self) -> None:
        """The latest word answers."""
        desk = Desk()
        desk.placed()
        desk.told(row())
        desk.told(row(ordStatus="Canceled", execSeq=11))
        assert [type(each) for each in desk.send(ask(venue_order_id="v1"))] == [Canceled]

    def test_a_snapshot_tells_what_was_lost_of_this_life_and_no_more(self) -> None:
        """News of our orders, though not asked about; nothing twice."""
        desk = Desk()
        for name in ("c1", "c2"):
            desk.placed(venue_cl_ord_id=name)
        desk.told(row(), row(clOrdID="c2", orderID="v2"))
        desk.now += 5 * S
        desk.send(ask("c1", "v1"))
        rows = [row(), row(clOrdID="c2", orderID="v2", ordStatus="Canceled", execSeq=15), row(clOrdID="hand", orderID="v3")]
        assert [(type(each), each.venue_order_id) for each in desk.snapshot(*rows)] == [(Canceled, "v2"), (Accepted, "v1")]
        desk.now += 5 * S
        desk.send(ask("c1", "v1"))
        assert [(type(each), each.venue_order_id) for each in desk.snapshot(*rows)] == [(Accepted, "v1")]

    def test_a_round_a_minute(self) -> None:
        """What the stream lost of an order nobody asks about, and of what the account holds while none is open."""
        desk = Desk()
        desk.placed()
        desk.told(row())
        assert self.asked_in_a_minute(desk).count("aop.subscribe") == 1
        assert [type(each) for each in desk.snapshot(fill(7, 7, 10769, 20))] == [Filled]
        desk.protocol.lost(desk.placed(venue_cl_ord_id="c2"), False, "refused", desk.now)
        assert self.asked_in_a_minute(desk).count("aop.subscribe") == 1

    @staticmethod
    def asked_in_a_minute(desk: Desk) -> list[str]:
        """What is sent in 61 s in which the venue answers whatever is asked."""
        asked = []
        for _ in range(61):
            outs = desk.later(1)
            asked += methods(outs)
            for each in outs:
                desk.say({"error": None, "id": json.loads(each.text)["id"], "result": "pong"})
        return asked

    def test_questions_go_with_the_stream(self) -> None:
        """The router asks again."""
        desk = Desk()
        desk.now += 5 * S
        desk.send(ask())
        desk.protocol.closed("gone", desk.now)
        desk.log_in()
        assert desk.snapshot() == [LinkUp("acc")]


class TestStream:
    """The connection's life."""

    def test_login_is_the_documents(self) -> None:
        """The sample's four parameters, with the expiry in seconds."""
        (auth,) = Desk(up=False).protocol.opened(NOW)
        message, shown = json.loads(auth.text), sample("auth_request")
        assert message.keys() == shown.keys()
        assert (message["method"], [type(each) for each in message["params"]]) == (
            shown["method"],
            [type(each) for each in shown["params"]],
        )
        expected = hmac.new(SECRET.encode(), f"{KEY}1700000060".encode(), hashlib.sha256).hexdigest()
        assert message["params"] == ["API", KEY, expected, 1_700_000_060]

    def test_subscriptions_follow_the_login(self) -> None:
        """As the document writes them; the link is up with the last snapshot."""
        desk = Desk(up=False, instruments=(BTC, ETH))
        outs = [json.loads(each.text) for each in desk.log_in()]
        assert [(each["method"], each["params"]) for each in outs] == [
            ("aop.subscribe", []), ("orderbook.subscribe", ["BTCUSD"]), ("trade.subscribe", ["BTCUSD"]),
            ("orderbook.subscribe", ["ETHUSD"]), ("trade.subscribe", ["ETHUSD"]),
        ]  # fmt: skip
        for request, name in ((outs[0], "aop_subscribe_request"), (outs[1], "orderbook_subscribe_request")):
            assert {**request, "id": 0} == {**sample(name), "id": 0} or name.startswith("orderbook")
            assert request.keys() == sample(name).keys()
        assert desk.snapshot(currency="BTC") == []
        assert desk.snapshot(currency="USD") == [LinkUp("acc")]
        assert list(desk.protocol.closed("reset by peer", NOW)) == [LinkDown("acc", "reset by peer")]
        assert list(desk.protocol.closed("refused", NOW)) == []

    @pytest.mark.parametrize("refused", ["user.auth", "aop.subscribe"])
    def test_a_refused_login(self, refused: str) -> None:
        """A note, and a new connection."""
        desk = Desk(up=False)
        (frame,) = desk.protocol.opened(NOW)
        if refused != "user.auth":
            frame = desk.log_in()[0]
        outs = desk.say({"error": {"code": 6012, "message": "invalid login token"}, "id": json.loads(frame.text)["id"], "result": None})
        assert [type(each) for each in outs] == [Note, Reconnect]
        assert "6012 invalid login token" in outs[0].text
        assert desk.later(100) == []

    def test_a_refused_book_is_only_told(self) -> None:
        """Orders go on."""
        desk = Desk(up=False)
        book = desk.log_in()[1]
        outs = desk.say({"error": {"code": 6001, "message": "invalid argument"}, "id": json.loads(book.text)["id"], "result": None})
        assert [type(each) for each in outs] == [Note]

    def test_heartbeats(self) -> None:
        """A ping every 8 s; a pong in 30 s or a new connection, whatever else is heard."""
        desk = Desk()
        for _ in range(6):
            (ping,) = [each for each in desk.later(8) if methods([each]) == ["server.ping"]]
            assert json.loads(ping.text).keys() == sample("ping_request").keys()
            assert desk.later(1) == []
            assert desk.say(sample("ping_response") | {"id": json.loads(ping.text)["id"]}) == []
        for _ in range(4):
            assert "server.ping" in methods(desk.later(8))
            desk.snapshot()
        outs = desk.later(7)
        assert [type(each) for each in outs] == [Reconnect]
        assert desk.later(7) == []

    def test_silence_after_the_login(self) -> None:
        """Neither the answer nor a snapshot is waited for without end; which account is missing is said."""
        desk = Desk(up=False)
        desk.protocol.opened(NOW)
        assert any(isinstance(each, Reconnect) for each in desk.later(10.1))
        desk = Desk(up=False, instruments=(BTC, ETH))
        desk.log_in()
        desk.snapshot()
        (out,) = desk.later(10.1)
        assert isinstance(out, Reconnect)
        assert "USD" in out.why

    def test_nonsense_asks_for_a_fresh_snapshot(self) -> None:
        """It may have been an order's: a round on the next tick, one at a time, and the link stays up."""
        desk = Desk()
        desk.placed()
        desk.now += 5 * S
        for garbage in ('{"accounts":[{"this is not JSON', b"\xff\x00", "NaN", ""):
            assert [type(each) for each in desk.say(garbage)] == [Note]
        assert "aop.subscribe" in methods(desk.later(0.05))
        assert methods(desk.later(0.05)) == []
        assert desk.snapshot(row(ordStatus="Canceled", execSeq=11)) != []
        desk.say("?")
        assert "aop.subscribe" not in methods(desk.later(0.05))
        assert "aop.subscribe" in methods(desk.later(1))

    @pytest.mark.parametrize(
        "message",
        [
            '{"nothing":[1,2,3],"known":null}', "[]", "3", "null", '{"orders":[]}', '{"orders":{},"sequence":1}',
            '{"orders":[],"sequence":7,"type":"snapshot"}', '{"accounts":[{}],"sequence":7,"type":"snapshot"}',
            '{"book":[],"sequence":1,"symbol":"BTCUSD"}', '{"book":{"asks":[[1]]},"sequence":1,"symbol":"BTCUSD"}',
            '{"book":{"asks":[["a","b"]]},"sequence":1,"symbol":"BTCUSD"}', '{"book":{},"sequence":1}',
            '{"trades":[3],"symbol":"BTCUSD"}', '{"trades":[[1,"buy","x","y"]],"symbol":"BTCUSD"}',
        ],
    )  # fmt: skip
    def test_messages_of_no_known_form(self, message: str) -> None:
        """A note; nothing breaks."""
        desk = Desk()
        assert [type(each) for each in desk.say(message)] == [Note]
        desk.placed()
        assert desk.told(row()) == [ACCEPTED]

    def test_an_answer_that_was_not_asked_for(self) -> None:
        """The document's own ids; an error without one."""
        desk = Desk()
        assert desk.say(text("subscribe_response")) == []
        assert desk.say(text("ping_response")) == []
        assert [type(each) for each in desk.say('{"error":{"code":6001},"id":null,"result":null}')] == [Note]
        assert [type(each) for each in desk.say('{"error":[],"id":[],"result":null}')] == [Note]

    def test_before_and_after_a_connection_nothing_is_heard(self) -> None:
        """Frames of a dead stream do not count."""
        desk = Desk(up=False)
        assert desk.say(aop(row(), sequence=1)) == []
        assert list(desk.protocol.begin(NOW)) == []
        assert desk.later(100) == []


class TestMarket:
    """Best prices and last trade."""

    def test_the_documents_book(self) -> None:
        """The increment before the snapshot is a part of it; prices and contracts are unscaled."""
        desk = Desk()
        assert desk.say(text("orderbook_incremental")) == []
        assert desk.protocol.top("BTCUSD").ask is None
        assert desk.say(text("orderbook_snapshot")) == []
        top = desk.protocol.top("BTCUSD")
        assert (top.ask, top.ask_qty, top.bid, top.bid_qty) == (D(11271), D(6240), D("9806.5"), D(100))

    def test_increments_and_gaps(self) -> None:
        """0 takes a level away; a jump makes the book unsound until it is subscribed to anew, and not too often."""
        desk = Desk()
        book = sample("orderbook_snapshot")
        desk.say(book)

        def change(sequence: int, asks: list[list[int]]) -> list[Any]:
            return desk.say(book | {"book": {"asks": asks, "bids": []}, "sequence": sequence, "type": "incremental"})

        assert change(11439, [[112_710_000, 0], [112_720_000, 5]]) == []
        top = desk.protocol.top("BTCUSD")
        assert (top.ask, top.ask_qty) == (D(11272), D(5))
        assert change(11439, [[112_720_000, 0]]) == []
        assert desk.protocol.top("BTCUSD").ask == D(11272)
        desk.now += 6 * S
        assert methods(change(11441, [])) == ["orderbook.subscribe"]
        assert desk.protocol.top("BTCUSD").ask is None
        assert change(11442, []) == []
        assert methods(desk.later(4)) == ["server.ping"]
        assert methods(desk.later(1)) == ["orderbook.subscribe"]
        desk.say(book)
        assert desk.protocol.top("BTCUSD").ask == D(11271)
        desk.protocol.closed("gone", desk.now)
        assert desk.protocol.top("BTCUSD").bid is None

    def test_the_documents_trades(self) -> None:
        """Sample and format name the list differently; the newest is first."""
        desk = Desk()
        assert desk.say(text("trade_snapshot")) == []
        assert desk.protocol.top("BTCUSD").last == D("0.0999")
        message = sample("trade_incremental")
        message["trade"] = [[1, "buy", "650005000", "3"]]
        del message["trades"]
        assert desk.say(message) == []
        assert desk.protocol.top("BTCUSD").last == D("65000.5")
        assert desk.protocol.top("ETHUSD").last is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(sorted(sample("aop_incremental")["orders"][0]))


class TestAnything:
    """Whatever comes, nothing raises, and what goes out can be journaled."""

    @given(st.binary(max_size=100) | st.text(max_size=100))
    def test_bytes(self, frame: bytes | str) -> None:
        """Of the stream."""
        Desk().say(frame)

    def test_fractions(self) -> None:
        """Exact, and never a float."""
        assert repr(loads("[0.1, 1e2, 3]")) == "[Decimal('0.1'), Decimal('1E+2'), 3]"

    @given(JSON)
    def test_json(self, message: Any) -> None:
        """Of the stream, and as an answer."""
        desk = Desk()
        desk.say(json.dumps(message))
        desk.answer(desk.placed(), 200, message)

    @given(
        st.dictionaries(
            st.sampled_from(["accounts", "orders", "book", "trades", "symbol", "sequence", "type", "id", "error", "result"]), JSON
        )
    )
    def test_messages_of_known_keys(self, message: dict[str, Any]) -> None:
        """With any values."""
        desk = Desk()
        desk.placed()
        desk.say(json.dumps(message))
        desk.later(1)

    @given(st.lists(st.tuples(FIELDS, JSON), max_size=5), st.sampled_from(["incremental", "snapshot"]), st.booleans())
    def test_rows_with_spoilt_fields(self, spoilt: list[tuple[str, Any]], kind: str, executed: bool) -> None:
        """Every event can be written down."""
        desk = Desk()
        desk.placed()
        base = fill(2, 2, 3076) if executed else row()
        for out in desk.told(base | dict(spoilt), kind=kind):
            repr(out).encode()

    @given(st.dictionaries(st.sampled_from(["code", "msg", "data"]), JSON), st.sampled_from([200, 400, 401, 403, 429, 500]))
    def test_answers(self, body: dict[str, Any], status: int) -> None:
        """Of the known form: always an answer for the order."""
        desk = Desk()
        outs = desk.answer(desk.placed(), status, body)
        assert any(isinstance(each, Rejected | Unanswered | Accepted) for each in outs)
