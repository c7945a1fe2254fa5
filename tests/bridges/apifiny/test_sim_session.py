"""The venue's side of a FIX session: bytes and the time in, messages and bytes out."""

import pytest

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_session import Session

from .venue import NOW, fix, logon, message, parse


def admit_all(fields, now_ms):
    assert fields[96]


def feed(session: Session, data: bytes, now_ms: int = NOW) -> list[str]:
    """Message types given to the application."""
    return [each.msg_type for each in session.receive(data, now_ms)]


def sent(session: Session) -> list[dict[int, str]]:
    return [each.fields for each in parse(session.take_output())]


@pytest.fixture
def session() -> Session:
    """Logged on, with heartbeats of 30 s; the client's next MsgSeqNum is 2."""
    session = Session(admit_all, NOW)
    feed(session, logon())
    session.take_output()
    return session


def test_a_good_logon_is_answered_by_a_logon_that_starts_both_sides_at_one():
    """ResetOnLogon: MsgSeqNum 1, 141=Y, the client's heartbeat interval."""
    session = Session(admit_all, NOW)
    assert feed(session, logon()) == []
    (answer,) = sent(session)
    assert session.active
    assert {tag: answer[tag] for tag in (35, 34, 49, 56, 98, 108, 141)} == {
        35: "A",
        34: "1",
        49: "APIFINY",
        56: "STA-00000001",
        98: "0",
        108: "30",
        141: "Y",
    }


def test_a_refused_logon_gets_a_logout_with_code_and_reason_and_is_over():
    """ "otherwise MsgType(35)=5 will be returned"."""

    def admit(fields, now_ms):
        raise Refused(errors.SIGNATURE_ERROR, "exp is in the past")

    session = Session(admit, NOW)
    feed(session, logon() + message("0", 2, ""))
    (answer,) = sent(session)
    assert answer[35] == "5"
    assert answer[58] == "0x20000A Signature Error: exp is in the past"
    assert session.closed
    assert not session.active


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (logon(body="98=0|108=30|"), "ResetSeqNumFlag"),
        (logon(body="98=0|108=30|141=N|"), "ResetSeqNumFlag"),
        (message("A", 2, "98=0|108=30|141=Y|95=1|96=x|"), "MsgSeqNum 1"),
        (logon(body="98=1|108=30|141=Y|"), "EncryptMethod"),
        (logon(body="98=0|108=x|141=Y|"), "HeartBtInt"),
        (logon(body="98=0|141=Y|"), "HeartBtInt"),
        (logon(NOW - 121_000), "SendingTime"),
        (fix("35=A|34=1|49=STA-00000001|56=OTHER|52=20231114-22:13:20|98=0|108=30|141=Y|"), "TargetCompID"),
        (fix("35=A|34=1|49=STA-00000001|56=APIFINY|52=now|98=0|108=30|141=Y|"), "UTCTimestamp"),
        (logon(body="98=0|108=30|141=Y|58=|"), "tag 58"),
    ],
)
def test_a_logon_that_is_not_as_configured_is_refused_with_words(wrong, words):
    """The document's configuration resets at logon; the rest is FIX 4.2."""
    session = Session(admit_all, NOW)
    feed(session, wrong)
    (answer,) = sent(session)
    assert answer[35] == "5"
    assert words in answer[58]
    assert session.closed


def test_anything_but_a_logon_first_closes_without_a_word():
    """And so does saying nothing for 10 s."""
    session = Session(admit_all, NOW)
    assert feed(session, message("D", 1, "11=1|")) == []
    assert session.closed
    assert session.take_output() == b""
    nameless = Session(admit_all, NOW)
    feed(nameless, fix("35=A|34=1|56=APIFINY|52=20231114-22:13:20|98=0|108=30|141=Y|"))
    assert nameless.closed
    assert nameless.take_output() == b""
    silent = Session(admit_all, NOW)
    silent.tick(NOW + 9_999)
    assert not silent.closed
    silent.tick(NOW + 10_000)
    assert silent.closed


def test_application_messages_come_through_in_order_and_are_numbered_out(session):
    """Each answer takes the next number."""
    assert feed(session, message("D", 2, "") + message("F", 3, "")) == ["D", "F"]
    session.send("8", "37=1\x01", NOW)
    session.send("8", "37=2\x01", NOW)
    assert [(each[34], each[37]) for each in sent(session)] == [("2", "1"), ("3", "2")]


def test_a_gap_is_asked_for_once_and_what_is_sent_again_comes_through(session):
    """Messages ahead are not kept: they come again, with PossDup."""
    assert feed(session, message("D", 4, "") + message("D", 5, "")) == []
    (ask,) = sent(session)
    assert (ask[35], ask[7], ask[16]) == ("2", "2", "0")
    again = message("4", 2, "43=Y|123=Y|36=4|") + message("D", 4, "43=Y|") + message("D", 5, "43=Y|")
    assert feed(session, again + message("D", 6, "")) == ["D", "D", "D"]
    assert sent(session) == []


def test_a_second_gap_is_asked_for_again(session):
    """Once for each gap, not once for a session."""
    feed(session, message("D", 3, "") + message("D", 2, "43=Y|") + message("D", 3, "43=Y|"))
    feed(session, message("D", 9, ""))
    assert [each[7] for each in sent(session)] == ["2", "4"]


def test_a_resend_request_and_a_logout_are_heard_across_a_gap(session):
    """Two sides that both wait for the other would wait for ever."""
    feed(session, message("2", 5, "7=1|16=0|"))
    assert [each[35] for each in sent(session)] == ["4", "2"]
    feed(session, message("5", 9, ""))
    assert [each[35] for each in sent(session)] == ["5"]
    assert session.closed


def test_a_number_too_low_ends_the_session_unless_it_is_a_duplicate(session):
    """FIX 4.2: a serious error; with PossDup it is ignored."""
    feed(session, message("0", 2, ""))
    assert feed(session, message("D", 2, "43=Y|")) == []
    assert not session.closed
    feed(session, message("D", 2, ""))
    (answer,) = sent(session)
    assert answer[35] == "5"
    assert answer[58] == "MsgSeqNum too low, expecting 3 but received 2"
    assert session.closed


def test_a_garbled_message_is_ignored_and_then_missed(session):
    """A bad checksum takes no number, so the next message shows the gap."""
    assert feed(session, message("D", 2, "")[:-4] + b"999\x01") == []
    assert sent(session) == []
    feed(session, message("D", 3, ""))
    assert sent(session)[0][7] == "2"


@pytest.mark.parametrize(
    ("asked", "gap"),
    [("7=2|16=0|", ("2", "4")), ("7=2|16=999999|", ("2", "4")), ("7=3|16=3|", ("3", "4")), ("7=1|16=1|", ("1", "2"))],
)
def test_a_resend_request_is_answered_by_a_gap_fill(session, asked, gap):
    """The venue keeps nothing: MsgSeqNum and NewSeqNo(36) skip what was asked for."""
    session.send("8", "", NOW)
    session.send("8", "", NOW)
    sent(session)
    feed(session, message("2", 2, asked))
    (fill,) = sent(session)
    assert (fill[35], fill[43], fill[123], fill[34], fill[36]) == ("4", "Y", "Y", *gap)
    session.send("8", "", NOW)
    assert sent(session)[0][34] == "4"


def test_a_sequence_reset_moves_the_expected_number_forward_only(session):
    """SequenceReset-Reset, whatever its own number."""
    feed(session, message("4", 99, "36=10|"))
    assert feed(session, message("D", 10, "")) == ["D"]
    feed(session, message("4", 11, "36=5|"))
    assert sent(session)[0][373] == "5"
    assert feed(session, message("D", 11, "")) == ["D"]


def test_a_test_request_is_answered_and_a_logout_too(session):
    """With the same TestReqID(112); then everything is over."""
    feed(session, message("1", 2, "112=abc|") + message("5", 3, "") + message("D", 4, ""))
    heartbeat, logout = sent(session)
    assert (heartbeat[35], heartbeat[112]) == ("0", "abc")
    assert logout[35] == "5"
    assert session.closed
    session.send("8", "", NOW)
    assert session.take_output() == b""


def test_answers_to_messages_before_a_logout_in_one_piece_still_leave(session):
    """Each message is answered before the next is looked at."""
    for each in session.receive(message("D", 2, "") + message("5", 3, ""), NOW):
        session.send("8", f"37={each.msg_type}\x01", NOW)
    assert [answer[35] for answer in sent(session)] == ["8", "5"]


def test_silence_brings_heartbeats_then_a_test_request_then_the_end(session):
    """HeartBtInt 30: heartbeat at 30 s, test request at 36, gone at 72."""
    session.tick(NOW + 29_999)
    assert sent(session) == []
    session.tick(NOW + 30_000)
    assert [each[35] for each in sent(session)] == ["0"]
    session.tick(NOW + 36_000)
    session.tick(NOW + 36_100)
    assert [each[35] for each in sent(session)] == ["1"]
    session.tick(NOW + 71_999)
    assert not session.closed
    session.tick(NOW + 72_000)
    assert session.closed


def test_any_message_ends_the_silence(session):
    """Also a heartbeat that was asked for."""
    session.tick(NOW + 36_000)
    feed(session, message("0", 2, "", NOW + 40_000), NOW + 40_000)
    session.tick(NOW + 75_999)
    assert not session.closed
    sent(session)
    session.tick(NOW + 76_000)
    assert "1" in [each[35] for each in sent(session)]


@pytest.mark.parametrize(
    ("wrong", "reason", "tag", "over"),
    [
        (message("D", 2, "", sender="STA-00000002"), "9", "49", True),
        (fix("35=D|34=2|49=STA-00000001|56=X|52=20231114-22:13:20|"), "9", "56", True),
        (message("D", 2, "", NOW + 120_001), "10", "52", True),
        (fix("35=D|34=2|49=STA-00000001|56=APIFINY|"), "1", "52", False),
        (fix("35=D|34=2|49=STA-00000001|56=APIFINY|52=soon|"), "6", "52", False),
        (message("D", 2, "11=|"), "4", "11", False),
        (message("1", 2, ""), "1", "112", False),
        (message("2", 2, "7=1|"), "1", "16", False),
        (message("2", 2, "7=x|16=0|"), "6", "7", False),
    ],
)
def test_unsound_messages_are_rejected_and_use_up_their_number(session, wrong, reason, tag, over):
    """Reject(3) with RefSeqNum, RefTagID and reason; foreign CompIDs and clocks end the session too."""
    assert feed(session, wrong) == []
    reject, *rest = sent(session)
    assert (reject[35], reject[45], reject[371], reject[373]) == ("3", "2", tag, reason)
    assert [each[35] for each in rest] == (["5"] if over else [])
    assert session.closed is over
    if not over:
        assert feed(session, message("D", 3, "")) == ["D"]


def test_a_foreign_version_a_missing_number_and_a_second_logon_end_the_session():
    """These leave nothing to go on with."""
    for wrong in (
        message("D", 2, "").replace(b"8=FIX.4.2", b"8=FIX.4.4"),
        fix("35=D|49=STA-00000001|56=APIFINY|"),
        message("A", 2, "98=0|108=30|141=Y|"),
    ):
        session = Session(admit_all, NOW)
        feed(session, logon())
        sent(session)
        whole = wrong if b"FIX.4.4" not in wrong else wrong[:-7] + b"10=%03d\x01" % (sum(wrong[:-7]) % 256)
        assert feed(session, whole) == []
        assert [each[35] for each in sent(session)] == ["5"]
        assert session.closed
