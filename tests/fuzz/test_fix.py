"""FIX from a hostile peer: the text codec, the client dialects, the message rules, the front door's reader, Apifiny's dialect."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fix import tags as t
from fix.apifiny import ApifinyDialect
from fix.client import ClientDialect, MissingField, Refused, UnsupportedMessage
from fix.first import NotALogon, first_message, shown
from fix.rules import compiled
from fix.text import Malformed, fields, group, join, number, plain, printable, timestamp_ns
from router.message_rules import MessageRule
from router.model import Accepted, Filled
from tests.fuzz import nasty
from tests.fuzz.judge import Core, sound
from tests.fuzz.tape import Tape
from tests.router.desk import SESSION, configured

_SOH = t.SOH
_HEADER = {"8": "FIX.4.4", "34": "5", "35": "D", "49": "OMS", "52": "20261121-00:00:00", "56": "ROUTER"}
_CLIENT: list[dict[str, str]] = [
    {"35": "D", "11": "a{n}", "55": "BTC/USDT", "54": "1", "40": "2", "38": "1", "44": "100", "59": "1", "60": "20261121-00:00:00.000",
     "21": "1", "5001": "mine", "583": "link", "1": "ACC", "18": "6", "100": "BINANCE"},
    {"35": "D", "11": "b{n}", "55": "BTC/USDT", "54": "1", "40": "2", "38": "1", "44": "100", "59": "6", "126": "20991121-00:00:00",
     "432": "20991121", "60": "20261121-00:00:00", "97": "Y", "122": "20261121-00:00:00"},
    {"35": "F", "11": "c{n}", "41": "a1", "55": "BTC/USDT", "54": "1", "38": "1", "60": "20261121-00:00:00", "37": "x"},
    {"35": "G", "11": "d{n}", "41": "a1", "55": "BTC/USDT", "54": "1", "40": "2", "38": "2", "44": "100", "60": "20261121-00:00:00"},
    {"35": "H", "11": "a1", "55": "BTC/USDT", "54": "1", "790": "q"}, {"35": "q", "11": "e{n}", "530": "7", "60": "20261121-00:00:00"},
    {"35": "AF", "584": "m{n}", "585": "7"}, {"35": "j", "45": "1", "372": "8", "380": "3"},
]  # fmt: skip
_VENUE: list[dict[str, str]] = [
    {"35": "8", "37": "o1", "11": "v1", "17": "x{n}", "150": code, "39": code, "55": "BTCUSDT", "54": "1", "38": "1", "32": "0.5",
     "44": "100", "58": "0x04003A: no"}
    for code in "01248"
] + [{"35": "9", "37": "o1", "11": "v1", "41": "v1", "39": "0", "434": "1", "102": "1", "58": "0x05003A: no"}]  # fmt: skip
VERSIONS = ("FIX.4.2", "FIX.4.4", "FIXT.1.1")
tapes = st.binary(min_size=8, max_size=300)
few = settings(max_examples=150, deadline=None, derandomize=True)


def message(true: list[dict[str, str]], tape: Tape, serial: int = 1) -> str:
    """A true message, spoiled, as QuickFIX hands it over: no value is empty, and none holds a SOH."""
    found = {tag: value.format(n=serial) for tag, value in tape.pick(true).items()}
    for _ in range(tape.below(4)):
        tag = tape.pick(sorted(found))
        match tape.below(4):
            case 0 if tag != "35":
                del found[tag]
            case 1:
                found[str(1 + tape.below(9999))] = tape.pick(nasty.VALUES)
            case _:
                found[tag] = tape.pick(nasty.VALUES)
    pairs = [(tag, value.replace(_SOH, "")) for tag, value in (_HEADER | found).items()]
    return "".join(f"{tag}={value}{_SOH}" for tag, value in pairs if value)


def client_plays(data: bytes) -> None:
    """A client says what the tape has; the real core hears it, and every answer can be said in every version."""
    tape, core = Tape(data), Core(1_800_000_000_000_000_000)
    core.apply(configured(), core.now)
    serial = 0
    while not tape.done:
        serial += 1
        dialect = ClientDialect(tape.pick(VERSIONS), SESSION)
        found = fields(message(_CLIENT, tape, serial))
        try:
            request = dialect.decode(found)
        except (MissingField, UnsupportedMessage):
            continue
        except Refused as refused:
            dialect.refuse(found, str(refused)).encode()
            continue
        assert msgspec.json.decode(msgspec.json.encode(request), type=type(request)) == request
        core.apply(request, core.now)


def venue_speaks(data: bytes) -> None:
    """Apifiny's FIX session says what the tape has: a sound event, or `Malformed` with a text that can be logged."""
    tape, dialect, serial = Tape(data), ApifinyDialect("acc", "STA"), 0
    while not tape.done:
        serial += 1
        try:
            sound(dialect.decode(fields(message(_VENUE, tape, serial))))
        except Malformed as wrong:
            assert len(str(wrong)) < 300 and printable(str(wrong)) == str(wrong).strip()


def door_reads(data: bytes) -> None:
    """The front door's reader takes any bytes, whole or in pieces."""
    logon = _logon(b"49=OMS\x0156=ROUTER\x01" + data[:40].replace(b"\x01", b"") + b"\x01")
    for bytes_ in (data, b"8=FIX.4.2\x019=" + data, logon, logon[: len(data)] + data[:3] + logon[len(data) :]):
        try:
            found = first_message(bytes_, 4096)
        except NotALogon as no:
            assert str(no).isprintable() and len(str(no)) < 200
            continue
        assert found is None or (found.size <= 4096 and shown(found.session).isprintable() and len(shown(found.session)) < 600)


def _logon(body: bytes) -> bytes:
    text = b"35=A\x01" + body
    whole = b"8=FIX.4.2\x019=%d\x01" % len(text) + text
    return whole + b"10=%03d\x01" % (sum(whole) % 256)


@few
@given(tapes)
def test_whatever_a_client_says_is_answered_or_refused(data: bytes) -> None:
    """No exception but the three that the rim knows; a command that the journal can hold; a book that stays sound."""
    client_plays(data)


@few
@given(tapes)
def test_whatever_the_fix_venue_says_is_an_event_or_nonsense(data: bytes) -> None:
    """Never a NaN, a negative amount, or an id that no log can show."""
    venue_speaks(data)


@few
@given(st.binary(max_size=200))
def test_whatever_comes_first_is_a_logon_or_not(data: bytes) -> None:
    """Garbage, and Logons with garbage in them."""
    door_reads(data)


@few
@given(st.text(max_size=80) | st.sampled_from(nasty.VALUES), st.binary(max_size=8))
def test_the_codec_reads_any_text(text: str, noise: bytes) -> None:
    """Fields, groups, numbers, times: a value or `Malformed`, and nothing printable that is not."""
    found = fields(text + noise.decode("utf-8", "surrogateescape"))
    group(text, "453", t.PARTY_TAGS)
    for value in (text, text[:20], f"20261121-00:00:00.{text[:4]}"):
        try:
            exact = number({"44": value}, "44", "Price")
            assert exact is not None and exact.is_finite() and abs(exact.adjusted()) <= 30 and plain(exact).lstrip("-").isascii()
        except Malformed as wrong:
            assert len(str(wrong)) < 200
        try:
            assert abs(timestamp_ns(value, "TransactTime(60)")) < 1 << 70
        except Malformed as wrong:
            assert len(str(wrong)) < 200
    shown_text = printable(text)
    assert shown_text.isprintable() and len(shown_text) <= 500
    shown_text.encode()
    try:
        assert len(fields(join(found.items()))) <= len(found) + 1
    except ValueError:
        assert any(not value or _SOH in value for value in found.values())


@pytest.mark.parametrize(
    "bad", ["1_000", " 1", "1 ", "٣", "１", "+5", "1e3", "1E+999999999", "NaN", "sNaN", "-Infinity", "", ".", "-", "0x1", "9" * 31]
)
def test_only_a_fix_number_is_a_number(bad: str) -> None:
    """FIX's float is digits, a sign and a point (4.2 volume 1, data types); what Python reads beyond that is not a number."""
    with pytest.raises(Malformed, match=r"Price\(44\)"):
        number({"44": bad}, "44", "Price")


@pytest.mark.parametrize("good", ["1", "-1", "1.", ".5", "00.50", "0"])
def test_every_fix_number_is_a_number(good: str) -> None:
    """Leading and trailing zeros and a bare point are allowed there."""
    assert number({"44": good}, "44", "Price") == Decimal(good)


@pytest.mark.parametrize(
    "bad", ["20261121-00:00:00.-5", "20261121-00:00:00.1_0", "20261121-00:00:00. 1", "20261121-00:00:00.٣", "２０261121-00:00:00"]
)
def test_only_digits_make_a_time(bad: str) -> None:
    """What Python's int and strptime read beyond ASCII digits is no time."""
    with pytest.raises(Malformed):
        timestamp_ns(bad, "TransactTime(60)")


def test_data_fields_hold_no_fields() -> None:
    """What looks like a field inside of raw data is data: QuickFIX reads it so, and we must not read another order than it does."""
    data = f"x{_SOH}38=1000{_SOH}é"
    for length, tag in (("212", "213"), ("95", "96")):
        text = f"8=FIX.4.4{_SOH}35=D{_SOH}{length}={len(data.encode())}{_SOH}{tag}={data}{_SOH}38=1{_SOH}"
        assert fields(text)["38"] == "1" and fields(text)[tag] == data
    assert fields(f"95=900{_SOH}96=a{_SOH}38=1{_SOH}")["38"] == "1"


def test_what_is_not_utf8_is_refused_by_name() -> None:
    """The journal and the answer are UTF-8: QuickFIX's stand-ins for other bytes never get so far."""
    found = {"34": "5", "35": "F", "11": "a\udcff", "41": "b"}
    with pytest.raises(Refused, match="tag 11"):
        ClientDialect("FIX.4.4", SESSION).decode(found)


@pytest.mark.parametrize(
    ("tag", "bad"), [("37", "o\udcff"), ("37", "o\x85"), ("17", "x" * 200), ("11", "v\u202e"), ("38", "-1"), ("55", "x" * 200)]
)
def test_an_id_that_no_log_can_show_is_nonsense(tag: str, bad: str) -> None:
    """Nor may a report of the venue say that less than nothing was ordered."""
    with pytest.raises(Malformed):
        ApifinyDialect("acc", "STA").decode({key: value.format(n=1) for key, value in _VENUE[1].items()} | {tag: bad})


def test_an_order_by_cash_may_have_no_quantity() -> None:
    """OrderQty(38) 0 in a report says nothing."""
    event = ApifinyDialect("acc", "STA").decode({key: value.format(n=1) for key, value in _VENUE[1].items()} | {"38": "0"})
    assert isinstance(event, Filled) and event.order_qty is None
    assert isinstance(ApifinyDialect("acc", "STA").decode({"35": "8", "17": "x", "150": "0"}), Accepted)


_RULES = [
    MessageRule.model_validate({"direction": "out", "set": {"9001": "x"}, "copy": {"1": "58"}, "map": {"39": {"0": "A"}}, "drop": ["6"]}),
    MessageRule.model_validate({"direction": "out", "when": {"!58": "*"}, "default": {"58": "none"}}),
]


@few
@given(st.dictionaries(st.sampled_from(["1", "6", "11", "39", "58", "5001", "x", ""]), st.sampled_from(nasty.VALUES), max_size=6))
def test_rules_take_any_message(found: dict[str, Any]) -> None:
    """They change a message or leave it; none of its other fields is lost."""
    out, inward = compiled(_RULES, "out"), compiled([MessageRule.model_validate({"direction": "in", "copy": {"1": "11"}})], "in")
    assert out is not None and inward is not None
    inward.apply(dict(found))
    text = "".join(f"{tag}={value.replace(_SOH, '')}{_SOH}" for tag, value in ({"8": "FIX.4.4", "35": "8"} | found).items())
    assert isinstance(out.rewrite(text), str)
