"""The client dialects: text to commands, reports to text, in the words of each version."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix import tags as t
from fix.client import ClientDialect, MissingField, UnsupportedMessage
from fix.text import fields
from router.model import CancelOrder, CancelReject, ExecutionReport, NewOrder, ReplaceOrder, StatusRequest
from router.words import CxlRejReason, CxlRejResponseTo, ExecType, OrdRejReason, OrdStatus, OrdType, Side, TimeInForce

V42 = ClientDialect("FIX.4.2", "FIX.4.2:ROUTER->OMS")
V44 = ClientDialect("FIX.4.4", "FIX.4.4:ROUTER->OMS")
V50 = ClientDialect("FIXT.1.1", "FIXT.1.1:ROUTER->OMS")
ALL = pytest.mark.parametrize("dialect", [V42, V44, V50], ids=["4.2", "4.4", "5.0SP2"])


def new(**more: str) -> dict[str, str]:
    """Fields of a limit order; keys are `t` and a tag, "" leaves one out."""
    found = {"35": "D", "11": "a", "55": "BTC/USDT", "54": "1", "40": "2", "38": "0.50", "44": "65000.0", "60": "20260101-00:00:00"}
    found |= {key[1:]: value for key, value in more.items()}
    return {tag: value for tag, value in found.items() if value}


def decoded(**more: str) -> NewOrder:
    order = V42.decode(new(**more))
    assert isinstance(order, NewOrder)
    return order


class TestIn:
    @ALL
    def test_a_limit_order(self, dialect: ClientDialect) -> None:
        """Digits as they came."""
        order = dialect.decode(new(t1="ACC", t59="3", t100="BINANCE", t207="ELSE", t5001="x", t9999="y", t4999="z"))
        assert isinstance(order, NewOrder)
        assert (order.cl_ord_id, order.symbol, order.side, order.ord_type) == ("a", "BTC/USDT", Side.BUY, OrdType.LIMIT)
        assert (str(order.order_qty), str(order.price), order.time_in_force) == ("0.50", "65000.0", TimeInForce.IOC)
        assert (order.account, order.destination, order.echo) == ("ACC", "BINANCE", {"5001": "x", "9999": "y"})
        assert (order.refusal, order.post_only, order.possibly_known, order.sent) == (None, False, False, None)

    def test_the_destination_is_100_else_207_else_none(self) -> None:
        """Interfaces: ExDestination, or else SecurityExchange, or the routes."""
        assert decoded(t207="GBBO").destination == "GBBO"
        assert decoded().destination is None

    @pytest.mark.parametrize("more", [{"t18": "6"}, {"t59": "7"}, {"t18": "6", "t59": "1"}, {"t18": "6", "t59": "7"}])
    def test_post_only_both_ways(self, more: dict[str, str]) -> None:
        """ExecInst 6, or Apifiny's 59=7, which is good till cancel."""
        order = decoded(**more)
        assert order.post_only
        assert order.refusal is None
        assert order.time_in_force in (None, TimeInForce.GTC)

    @pytest.mark.parametrize(
        ("more", "text"),
        [
            ({"t40": "P"}, "OrdType(40) P is not offered"),
            ({"t54": "B"}, "Side(54) B is not offered"),
            ({"t59": "8"}, "TimeInForce(59) 8 is not offered"),
            ({"t18": "G"}, "ExecInst(18) G is not offered"),
            ({"t18": "6 G"}, "ExecInst(18) G is not offered"),
            ({"t110": "1"}, "MinQty(110) is not offered"),
            ({"t111": "1"}, "MaxFloor(111) is not offered"),
            ({"t210": "1"}, "MaxShow(210) is not offered"),
            ({"t126": "20260101-00:00:00"}, "ExpireTime(126) is for TimeInForce(59) 6, GoodTillDate, only"),
            ({"t59": "6", "t432": "20261399"}, "ExpireTime(126) or ExpireDate(432) is not a time"),
            ({"t11": "x" * 65}, "ClOrdID(11) is longer than 64 characters"),
            ({"t44": "1e99"}, "Price(44) 1e99 is beyond what can be handled exactly"),
            ({"t38": "NaN"}, "OrderQty(38) NaN is beyond"),
            ({"t38": "?"}, "OrderQty(38) ? is not a number"),
        ],
    )
    def test_what_cannot_be_represented_comes_with_its_refusal(self, more: dict[str, str], text: str) -> None:
        """So that the answer is a report, is journaled, and takes the ClOrdID."""
        refusal = decoded(**more).refusal
        assert refusal is not None
        assert text in refusal.text

    @pytest.mark.parametrize("tag", ["11", "55", "54", "40"])
    def test_an_order_without_what_names_it_has_no_report(self, tag: str) -> None:
        """Nothing to answer about: the message is refused with the tag."""
        with pytest.raises(MissingField) as missing:
            V44.decode(new(**{f"t{tag}": ""}))
        assert missing.value.tag == int(tag)

    @pytest.mark.parametrize(
        ("more", "sent"),
        [
            ({"t43": "Y", "t122": "20260101-00:00:10", "t60": "20260101-00:00:20"}, 10),
            ({"t43": "Y", "t122": "20260101-00:00:20", "t60": "20260101-00:00:10"}, 10),
            ({"t97": "Y", "t60": "20260101-00:00:30", "t52": "20260101-00:05:00"}, 30),
        ],
    )
    def test_a_repetition_is_as_old_as_its_oldest_time(self, more: dict[str, str], sent: int) -> None:
        """QuickFIX renews 52 at a resend; 122 and 60 tell."""
        order = decoded(**more)
        assert order.possibly_known
        assert order.sent == (1767225600 + sent) * 1_000_000_000

    def test_a_repetition_without_a_readable_time_is_refused(self) -> None:
        """Its age cannot be told."""
        order = decoded(t43="Y", t122="yesterday")
        assert order.refusal is not None
        assert order.refusal.reason is OrdRejReason.STALE_ORDER

    def test_cancel_status_and_replace(self) -> None:
        """F, H and G."""
        assert V42.decode({"35": "F", "11": "c", "41": "a", "37": "1"}) == CancelOrder(
            session=V42.session, cl_ord_id="c", orig_cl_ord_id="a", order_id="1"
        )
        assert V42.decode({"35": "F", "11": "c", "41": "NONE", "37": "1"}) == CancelOrder(session=V42.session, cl_ord_id="c", order_id="1")
        found = {"35": "G", "11": "g", "41": "a", "55": "BTC/USDT", "54": "1", "40": "2", "38": "2", "44": "99", "6001": "x", "60": "t"}
        assert V42.decode(found) == ReplaceOrder(
            session=V42.session, cl_ord_id="g", orig_cl_ord_id="a", symbol="BTC/USDT", side=Side.BUY, ord_type=OrdType.LIMIT,
            order_qty=D(2), price=D(99), echo={"6001": "x"}, transact_time="t",
        )  # fmt: skip
        assert V44.decode({"35": "H", "37": "1", "54": "2", "55": "X", "790": "q"}) == StatusRequest(
            session=V44.session, order_id="1", symbol="X", side=Side.SELL, ord_status_req_id="q"
        )

    def test_other_messages_are_unsupported(self) -> None:
        """The rim answers j, 380=3."""
        with pytest.raises(UnsupportedMessage):
            V42.decode({"35": "V"})

    @given(
        st.dictionaries(
            st.sampled_from(["11", "55", "54", "40", "38", "44", "59", "18", "43", "60", "122", "97", "5001"]), st.text(max_size=8)
        )
    )
    def test_no_fields_whatever_raise_anything_else(self, found: dict[str, str]) -> None:
        """Garbage in, one clear answer out."""
        for msg_type in "DFGH":
            try:
                V44.decode(found | {"35": msg_type})
            except MissingField:
                continue


def report(**more: Any) -> ExecutionReport:
    standard: dict[str, Any] = {
        "session": "s", "order_id": "1", "exec_id": "1-1", "exec_type": ExecType.TRADE, "ord_status": OrdStatus.PARTIALLY_FILLED,
        "cl_ord_id": "a", "side": Side.BUY, "symbol": "BTC/USDT", "time": 1_767_225_600_123_456_789, "leaves_qty": D("0.30"),
        "cum_qty": D("0.20"), "avg_px": D("65000.5"), "last_qty": D("0.20"), "last_px": D("65000.5"), "venue_order_id": "V1",
        "account": "ACC", "destination": "BINANCE", "ord_type": OrdType.LIMIT, "time_in_force": TimeInForce.GTC,
        "order_qty": D("0.50"), "price": D("65001"), "echo": {"5001": "x"},
    }  # fmt: skip
    return ExecutionReport(**standard | more)


class TestOut:
    @ALL
    def test_a_fill_carries_what_an_oms_books_from(self, dialect: ClientDialect) -> None:
        """Price(44) is the limit, LastPx(31) the fill's price; the venue's own id is in 198."""
        out = fields(dialect.encode(report()))
        wanted = {
            "37": "1", "11": "a", "17": "1-1", "39": "1", "55": "BTC/USDT", "54": "1", "38": "0.50", "44": "65001", "40": "2", "59": "1",
            "32": "0.20", "31": "65000.5", "14": "0.20", "151": "0.30", "6": "65000.5", "60": "20260101-00:00:00.123", "1": "ACC",
            "100": "BINANCE", "198": "V1", "5001": "x",
        }  # fmt: skip
        assert {tag: out.get(tag) for tag in wanted} == wanted
        assert (out["150"], out.get("20")) == (("1", "0") if dialect is V42 else ("F", None))

    @pytest.mark.parametrize(
        ("more", "in_42", "in_44"),
        [
            ({}, "1", "F"),
            ({"ord_status": OrdStatus.FILLED, "cum_qty": D("0.5"), "leaves_qty": D(0)}, "2", "F"),
            ({"ord_status": OrdStatus.PENDING_CANCEL, "cum_qty": D("0.5"), "leaves_qty": D(0)}, "2", "F"),
            ({"ord_status": OrdStatus.CANCELED, "leaves_qty": D(0)}, "1", "F"),
            ({"exec_type": ExecType.ORDER_STATUS, "ord_status": OrdStatus.NEW}, "0", "I"),
            ({"exec_type": ExecType.PENDING_CANCEL, "ord_status": OrdStatus.PENDING_CANCEL}, "6", "6"),
            ({"exec_type": ExecType.EXPIRED, "ord_status": OrdStatus.EXPIRED}, "C", "C"),
        ],
    )
    def test_exec_type_in_each_version(self, more: dict[str, Any], in_42: str, in_44: str) -> None:
        """4.2 tells partial and full fills apart, and has no Order Status."""
        assert fields(V42.encode(report(**more)))["150"] == in_42
        assert fields(V44.encode(report(**more)))["150"] == in_44

    def test_a_status_is_exec_trans_type_3_in_42(self) -> None:
        """And carries the request's id in 4.4."""
        status = report(exec_type=ExecType.ORDER_STATUS, exec_id="0", ord_status_req_id="q")
        assert (fields(V42.encode(status))["20"], fields(V42.encode(status))["17"]) == ("3", "0")
        assert fields(V44.encode(status))["790"] == "q"

    def test_reject_reasons_that_42_does_not_have_become_0(self) -> None:
        """The text says what it is."""
        rejected = report(
            exec_type=ExecType.REJECTED, ord_status=OrdStatus.REJECTED, ord_rej_reason=OrdRejReason.INCORRECT_QUANTITY, text="why"
        )
        assert (fields(V42.encode(rejected))["103"], fields(V42.encode(rejected))["58"]) == ("0", "why")
        assert fields(V44.encode(rejected))["103"] == "13"

    def test_a_cancel_reject(self) -> None:
        """434 and 102, the true status, and NONE where the order is unknown."""
        reject = CancelReject(
            session="s", order_id="NONE", cl_ord_id="c", orig_cl_ord_id="a", ord_status=OrdStatus.REJECTED, time=0,
            reason=CxlRejReason.DUPLICATE_CL_ORD_ID, text="why", response_to=CxlRejResponseTo.REPLACE,
        )  # fmt: skip
        out = fields(V44.encode(reject))
        assert {tag: out[tag] for tag in ("35", "37", "11", "41", "39", "434", "102", "58")} == {
            "35": "9", "37": "NONE", "11": "c", "41": "a", "39": "8", "434": "2", "102": "6", "58": "why",
        }  # fmt: skip
        assert fields(V42.encode(reject))["102"] == "2"

    def test_100_is_left_out_for_a_stock_dictionary(self) -> None:
        """Stock 4.2 and 4.4 dictionaries do not have it in ExecutionReport."""
        assert "100" not in fields(ClientDialect("FIX.4.2", "s", report_destination=False).encode(report()))

    def test_a_repetition_is_marked(self) -> None:
        """PossResend(97)=Y, same ExecID."""
        out = fields(V42.encode(report(), possibly_resent=True))
        assert (out["97"], out["17"]) == ("Y", "1-1")

    @pytest.mark.parametrize("more", [{"venue_order_id": "a\x0139=2"}, {"cl_ord_id": ""}, {"echo": {"5001": ""}}, {"symbol": "x\x01"}])
    def test_a_value_that_would_become_another_field_is_not_sent(self, more: dict[str, Any]) -> None:
        """Whoever it came from."""
        for dialect in (V42, V44):
            with pytest.raises(ValueError, match="another field"):
                dialect.encode(report(**more))

    def test_a_text_from_a_venue_cannot_inject_fields(self) -> None:
        """SOH becomes a blank."""
        out = fields(V42.encode(report(text="no\x0139=2\x01")))
        assert (out["39"], out["58"]) == ("1", "no 39=2")


def test_every_code_reads_back_to_its_word() -> None:
    """Tables used in both directions."""
    for codes in (t.SIDES, t.ORD_TYPES, t.TIMES_IN_FORCE, t.ORD_STATUSES, t.EXEC_TYPES):
        assert {word: t.reading(codes)[code] for word, code in codes.items()} == {word: word for word in codes}  # type: ignore[attr-defined]
