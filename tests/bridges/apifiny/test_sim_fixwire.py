"""FIX framing of the simulator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.apifiny.sim_fixwire import Parser, encode, parse_utc_timestamp, utc_timestamp

from .venue import fix

HEARTBEAT = fix("35=0|34=2|49=A|56=B|52=20260102-03:04:05.678|")
# Checked by hand: 9 counts from "35" to the SOH before "10".
SPELLED = b"8=FIX.4.2\x019=5\x0135=0\x0110=161\x01"


def types(data: bytes, piece: int | None = None) -> tuple[list[str], int]:
    """Message types found, and stretches dropped, feeding whole or in pieces."""
    parser, found = Parser(), []
    for at in range(0, len(data), piece or len(data)):
        found += [message.msg_type for message in parser.feed(data[at : at + (piece or len(data))])]
    return found, parser.garbled


def test_a_message_spelled_out_by_hand_is_understood_and_written_the_same():
    """BodyLength and CheckSum as FIX counts them."""
    (message,) = Parser().feed(SPELLED)
    assert (message.begin_string, message.msg_type, message.fields) == ("FIX.4.2", "0", {35: "0"})
    assert encode("FIX.4.2", "0", "") == SPELLED


@pytest.mark.parametrize("piece", [None, 1, 7])
def test_messages_come_out_the_same_in_pieces_of_any_size(piece):
    """Whole, by the byte, and in pieces that cut through everything."""
    assert types(SPELLED + HEARTBEAT + SPELLED, piece) == (["0", "0", "0"], 0)


@pytest.mark.parametrize(
    "garbled",
    [
        b"hello",
        b"8=FI",
        SPELLED.replace(b"10=161", b"10=162"),
        SPELLED.replace(b"9=5", b"9=4"),
        SPELLED.replace(b"9=5", b"9=99999"),
        SPELLED.replace(b"\x019=5", b"\x019=x"),
        b"8=FIX.4.2\x0135=0\x0110=161\x01",
        b"8=FIX.4.2\x019=5\x0134=0\x0110=160\x01",
        SPELLED[:-3],
    ],
)
@pytest.mark.parametrize("piece", [None, 1])
def test_what_is_no_message_is_dropped_and_the_next_one_is_found(garbled, piece):
    """FIX 4.2: a garbled message is ignored."""
    found, dropped = types(garbled + HEARTBEAT, piece)
    assert found == ["0"]
    assert dropped >= 1


def test_endless_bytes_without_a_message_are_not_kept():
    """Noise is dropped as it comes, a length beyond the limit is no message, and a message within it is waited for."""
    parser = Parser(max_body=100)
    for noise in (b"x" * 1000, b"8=FIX.4.2\x01" * 100, b"8=FIX.4.2\x019=101\x0135=D\x01" + b"y" * 1000):
        assert parser.feed(noise * 10) == []
        assert len(parser._buffer) < 150
    assert [message.msg_type for message in parser.feed(HEARTBEAT)] == ["0"]


def test_raw_data_may_hold_the_separator():
    """RawData(96) is as long as RawDataLength(95) says, not until the next SOH."""
    (message,) = Parser().feed(fix("35=A|34=1|95=5|96=a|10=|108=30|"))
    assert message.fields[96] == "a\x0110="
    assert message.fields[108] == "30"
    (message,) = Parser().feed(fix("35=A|95=3|96=abc|"))
    assert message.fields == {35: "A", 95: "3", 96: "abc"}


def test_a_raw_data_length_that_does_not_fit_is_left_to_the_reader():
    """Then both fields are as they stand."""
    (message,) = Parser().feed(fix("35=A|95=9|96=abc|108=30|"))
    assert (message.fields[95], message.fields[96], message.fields[108]) == ("9", "abc", "30")


@pytest.mark.parametrize(
    ("body", "flaw"),
    [
        ("35=D|x=1|", (0, "x")),
        ("35=D|055=1|", (0, "055")),
        ("35=D|+5=1|", (0, "+5")),
        ("35=D|novalue|", (0, "novalue")),
        ("35=D|55=|", (4, "55")),
        ("35=D|55=a|55=b|", (2, "55")),
        ("35=D|55=a=b|", None),
    ],
)
def test_faults_inside_a_whole_message_are_told_with_the_first_tag(body, flaw):
    """SessionRejectReason: 0 invalid tag, 4 no value, 2 a tag that has no business there twice."""
    (message,) = Parser().feed(fix(body))
    assert message.flaw == flaw


def test_timestamps_go_both_ways_with_milliseconds():
    """UTCTimestamp of FIX 4.2."""
    assert utc_timestamp(1_700_000_000_007) == "20231114-22:13:20.007"
    assert parse_utc_timestamp("20231114-22:13:20.007") == 1_700_000_000_007
    assert parse_utc_timestamp("20231114-22:13:20") == 1_700_000_000_000


@pytest.mark.parametrize("text", ["", "20231314-22:13:20", "20231114-22:13:20.1", "2023-11-14 22:13:20", "20231114"])
def test_what_is_no_timestamp_is_refused(text):
    """ValueError, whatever is wrong."""
    with pytest.raises(ValueError):  # noqa: PT011
        parse_utc_timestamp(text)


@given(st.lists(st.one_of(st.binary(max_size=40), st.just(SPELLED), st.just(SPELLED[:9])), max_size=12), st.integers(1, 9))
def test_no_bytes_make_the_parser_fail_and_pieces_do_not_matter(parts, piece):
    """Whole and in pieces the same messages come out, and nothing ever raises."""
    data = b"".join(parts) + HEARTBEAT
    assert types(data)[0] == types(data, piece)[0]
