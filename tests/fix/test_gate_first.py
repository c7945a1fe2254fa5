"""Reading the first message."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix.first import Logon, NotALogon, first_message, shown
from tests.fix.door import logon, message

AT_MOST = 4096
OMS42 = ("FIX.4.2", "OMS42", "ROUTER")


def text(wire: str) -> bytes:
    return wire.replace("|", "\x01").encode()


@pytest.mark.parametrize("begin", ["FIX.4.0", "FIX.4.1", "FIX.4.2", "FIX.4.3", "FIX.4.4", "FIXT.1.1"])
def test_a_logon_says_its_session_and_its_size(begin: str) -> None:
    """Of every FIX version that has this framing."""
    wire = logon("OMS", "ROUTER", begin)
    assert first_message(wire, AT_MOST) == Logon((begin, "OMS", "ROUTER"), len(wire))


def test_it_is_complete_only_with_its_last_byte() -> None:
    """Whatever the segments: every beginning of a Logon asks for more."""
    wire = logon()
    assert [first_message(wire[:size], AT_MOST) for size in range(len(wire))] == [None] * len(wire)


def test_what_follows_is_not_looked_at() -> None:
    """A second message, or garbage, in the same segment."""
    assert first_message(logon() + b"\x00garbage", AT_MOST) == first_message(logon(), AT_MOST)


def test_a_padded_body_length_is_read() -> None:
    """Some engines write it with leading zeros, which the standard allows."""
    wire = logon().replace(b"9=", b"9=00", 1)
    wire = wire[:-7] + b"10=%03d\x01" % (sum(wire[:-7]) % 256)
    found = first_message(wire, AT_MOST)
    assert found is not None
    assert found.session == OMS42


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        (b"GET / HTTP/1.1\r\n", "not FIX"),
        (b"G", "not FIX"),
        (b"\x16\x03\x01\x02", "TLS"),
        (b"8=FIXX" + b"x" * 20, "cannot be read"),
        (text("8=FIX.4.2|9=+65|35=A|xxx"), "cannot be read"),
        (text("8=FIX.4.2|9= 65|35=A|xxx"), "cannot be read"),
        (text("8=FIX.4.2|9=-65|35=A|xxx"), "cannot be read"),
        (text("8=FIX.4.2|9=6_5|35=A|xxx"), "cannot be read"),
        (text("8=FIX.4.2|9=|35=A|xxxxxxxx"), "cannot be read"),
        (text("8=FIX.4.2|9=00000000065|35=A|"), "cannot be read"),
        ("8=FIX.4.2\x019=٦٥\x0135=A\x01xxx".encode(), "cannot be read"),
        (text("8=FIX.4.2|34=1|9=65|35=A|"), "cannot be read"),
        (text("8=FIX.5.0|9=65|35=A|xxxxx"), "cannot be read"),
        (text("8=FIX.4.2|9=4090|35=A|"), "too long"),
        (text("8=FIX.4.2|9=65|35=D|"), "MsgType"),
        (text("8=FIX.4.2|9=65|49=OMS42|35=A|"), "MsgType"),
        (text("8=FIX.4.2|9=0|10=000|"), "MsgType"),
        (logon().replace(b"9=", b"9=1", 1) + b"x" * 200, "BodyLength"),
        (logon()[:-4] + b"999\x01", "CheckSum"),
        (logon()[:-7] + b"10=12x\x01", "BodyLength"),
        (message("35=A", "49=OMS42", "34=1"), "missing or occurs twice"),
        (message("35=A", "49=OMS42", "56=ROUTER", "49=OTHER"), "occurs twice"),
        (message("35=A", "49=OMS42", "56=ROUTER", "95=9", "96=x\x0149=EVIL"), "occurs twice"),
        (message("35=A", "49=OMS42", "56=ROUTER", "9=12"), "occurs twice"),
        (message("35=A", "49=OMS42", "56=ROUTER", "95=7", "96=x\x0110=12"), "occurs twice"),
        (message("35=A", "98=0", "49=OMS42", "56=ROUTER"), "not in the header"),
        (message("35=A", "90=12", "91=x\x0149=OMS42", "56=ROUTER"), "not in the header"),
        (message("35=A", "49=", "56=ROUTER"), "not in the header"),
        (message("35=A", "49=OMS42", "56=ROUTER", "58=\x00"), "NUL"),
    ],
)  # fmt: skip
def test_what_quickfix_could_read_otherwise_is_refused(wire: bytes, why: str) -> None:
    """Nothing is interpreted: a message is what it must be, or there is no entry."""
    with pytest.raises(NotALogon, match=why):
        first_message(wire, AT_MOST)


@given(st.binary(max_size=200), st.sampled_from([b"", b"8=FIX.4.2\x01", b"8=FIX.4.2\x019=20\x0135=A\x01", logon()[:40]]))
def test_nothing_from_the_wire_raises_anything_else(rest: bytes, before: bytes) -> None:
    """Any bytes: a Logon, more to come, or a refusal."""
    with suppress(NotALogon):
        first_message(before + rest, AT_MOST)


@given(st.integers(0, len(logon()) - 1), st.integers(1, 255))
def test_a_changed_byte_never_passes(at: int, by: int) -> None:
    """The checksum, or what stands before it, gives it away."""
    wire = bytearray(logon())
    wire[at] = (wire[at] + by) % 256
    with suppress(NotALogon):
        assert first_message(bytes(wire), AT_MOST) is None


def test_two_compids_never_look_alike() -> None:
    """Bytes that are no UTF-8 stay what they are, and logs show them escaped."""
    wire = logon("OMS")
    wire = wire.replace(b"OMS", b"O\xffS")
    wire = wire[:-7] + b"10=%03d\x01" % (sum(wire[:-7]) % 256)
    found = first_message(wire, AT_MOST)
    assert found is not None
    assert found.session == ("FIX.4.2", "O\udcffS", "ROUTER")
    assert shown(found.session) == "FIX.4.2:ROUTER->O\\udcffS"
