"""Apifiny's dialect, against what its document says."""

from __future__ import annotations

import hashlib
from decimal import Decimal as D

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix.apifiny import ApifinyDialect, capabilities, logon_token, order_id
from fix.text import Malformed, fields
from router.model import Accepted, Ask, Cancel, Canceled, CancelRejected, Filled, Place, Rejected
from router.words import CxlRejReason, OrdRejReason, OrdType, Side, TimeInForce

NOW = 1_614_254_993_065_000_000
DIALECT = ApifinyDialect("acc", "STA-00000001")
SECRET = "a secret of at least thirty-two bytes"


def place(**more: object) -> Place:
    standard = {
        "order_id": "1", "venue_cl_ord_id": "42", "venue": "BINANCE", "symbol": "BTCUSDT", "side": Side.SELL, "ord_type": OrdType.LIMIT,
        "time_in_force": TimeInForce.IOC, "post_only": False, "order_qty": D("0.10"), "cash_order_qty": None, "price": D("65000"),
        "time": NOW, "stop_px": None, "reduce_only": False,
    }  # fmt: skip
    return Place(**standard | more)  # type: ignore[arg-type]


def test_the_logon_token_says_what_the_document_asks() -> None:
    """HS256; digest of the account id; thirty seconds, whole."""
    token = logon_token("STA-00000001", "key", SECRET, NOW)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    assert claims == {
        "accountId": "STA-00000001", "secretKeyId": "key", "method": "Fix", "exp": 1614254993 + 30,
        "digest": hashlib.sha256(b"STA-00000001").hexdigest(),
    }  # fmt: skip


@given(st.integers(0, 999_999), st.integers(0, 10**9))
def test_order_ids_follow_the_rule(random: int, serial: int) -> None:
    """Account number, random number, thirteen digits of milliseconds, three digits; at most 64."""
    made = order_id("STA-00000001", NOW, random, serial)
    assert made.isdigit()
    assert len(made) <= 64
    assert made.startswith("00000001")
    assert made[-16:-3] == "1614254993065"


def test_a_thousand_ids_of_one_millisecond_differ() -> None:
    """The serial number sees to that."""
    assert len({order_id("STA-1", NOW, 7, serial) for serial in range(1000)}) == 1000


def test_a_new_order_has_the_documented_tags_and_no_others() -> None:
    """Document, "New Order"."""
    out = {tag: value for tag, value in fields(DIALECT.encode(place())).items() if tag}
    assert out == {
        "8": "FIX.4.2", "9": "0", "35": "D", "11": "42", "1": "STA-00000001", "207": "BINANCE", "55": "BTCUSDT", "21": "1", "40": "2",
        "59": "3", "60": "20210225-12:09:53.065", "54": "2", "44": "65000", "38": "0.10", "10": "000",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "tags"),
    [
        ({"post_only": True, "time_in_force": TimeInForce.GTC}, {"59": "7"}),
        ({"time_in_force": TimeInForce.GTC}, {"59": "1"}),
        ({"ord_type": OrdType.MARKET, "price": None}, {"40": "1", "44": None}),
        ({"ord_type": OrdType.MARKET, "price": None, "order_qty": None, "cash_order_qty": D(1000)}, {"152": "1000", "38": None}),
    ],
)
def test_how_orders_are_said(more: dict[str, object], tags: dict[str, str | None]) -> None:
    """Post-only is TimeInForce 7; a market buy states an amount."""
    out = fields(DIALECT.encode(place(**more)))
    assert {tag: out.get(tag) for tag in tags} == tags


ASK = Ask("1", "42", None, "BINANCE", "BTCUSDT", Side.SELL, OrdType.LIMIT, D(1), None, D(1), NOW)


def test_cancel_and_question_name_the_order_by_its_own_id() -> None:
    """Document, "Cancel Order", "Query order status": neither OrigClOrdID nor symbol, side or time."""
    for command, msg_type in ((Cancel("1", "42", "V1", "BINANCE", "BTCUSDT"), "F"), (ASK, "H")):
        out = fields(DIALECT.encode(command))
        assert {tag for tag in out if tag} == {"8", "9", "35", "11", "1", "207", "10"}
        assert (out["35"], out["11"]) == (msg_type, "42")


def execution(**more: str) -> dict[str, str]:
    found = {"35": "8", "37": "V1", "17": "E1", "55": "BTCUSDT", "54": "2", "44": "65000", "38": "0.1", "60": "x", "150": "0", "39": "0"}
    return found | {key[1:]: value for key, value in more.items()}


def test_executions_become_events() -> None:
    """By ExecType; Price(44) is the fill's price on a fill."""
    assert DIALECT.decode(execution(t11="42")) == Accepted(account="acc", exec_id="E1", venue_cl_ord_id="42", venue_order_id="V1")
    for code, complete in (("1", False), ("2", True)):
        assert DIALECT.decode(execution(t150=code, t39=code, t32="0.04", t44="64990.5")) == Filled(
            account="acc", exec_id="E1", venue_order_id="V1", last_qty=D("0.04"), last_px=D("64990.5"), complete=complete,
            symbol="BTCUSDT", side=Side.SELL, order_qty=D("0.1"),
        )  # fmt: skip
    assert DIALECT.decode(execution(t150="4", t39="4")) == Canceled(
        account="acc", exec_id="E1", venue_order_id="V1", symbol="BTCUSDT", side=Side.SELL, order_qty=D("0.1")
    )
    assert DIALECT.decode(execution(t150="8", t39="8", t58="0x06001A Asset_AvailableNotEnough.")) == Rejected(
        account="acc", exec_id="E1", venue_order_id="V1", reason=OrdRejReason.EXCEEDS_LIMIT, text="0x06001A Asset_AvailableNotEnough."
    )


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({"58": "0x05003A Order doesn't exist", "102": "0"}, CxlRejReason.UNKNOWN_ORDER),
        ({"58": "0x05007A: cannot cancel", "102": "2"}, CxlRejReason.TOO_LATE),
        ({"102": "1"}, CxlRejReason.UNKNOWN_ORDER),
        ({"58": "0x05015A pending", "102": "2"}, CxlRejReason.BROKER_OPTION),
        ({}, CxlRejReason.BROKER_OPTION),
    ],
)
def test_cancel_rejects_are_read_by_their_code_first(found: dict[str, str], reason: CxlRejReason) -> None:
    """The hexadecimal code is the key of the error table."""
    event = DIALECT.decode({"35": "9", "37": "V1", "11": "42"} | found)
    assert isinstance(event, CancelRejected)
    assert event.reason is reason
    assert event.text


@pytest.mark.parametrize(
    "found",
    [
        {"35": "8"},
        execution(t150="1"),
        execution(t150="1", t32="abc"),
        execution(t150="1", t32="-1"),
        execution(t150="2", t32="0"),
        execution(t150="1", t32="1", t44="NaN"),
        execution(t150="Z"),
        execution(t17=""),
        {"35": "B"},
    ],
)
def test_nonsense_is_malformed_and_never_an_event(found: dict[str, str]) -> None:
    """Nothing is booked from what cannot be read."""
    with pytest.raises(Malformed):
        DIALECT.decode(found)


@given(st.dictionaries(st.sampled_from(["37", "17", "150", "39", "32", "44", "38", "11", "54", "58", "102"]), st.text(max_size=10)))
def test_no_fields_whatever_raise_anything_else(found: dict[str, str]) -> None:
    """A hostile venue gets Malformed, not a crash."""
    for msg_type in "89":
        try:
            DIALECT.decode(found | {"35": msg_type})
        except Malformed:
            continue


def test_only_some_venues_take_market_orders() -> None:
    """Document, "Order Type"."""
    assert OrdType.MARKET in capabilities("BINANCE").ord_types
    assert OrdType.MARKET not in capabilities("GBBO").ord_types
