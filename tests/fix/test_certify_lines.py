"""Certification from the lines of a log alone: what holds in every case, time that passes, and lines that are none."""

from __future__ import annotations

import time
from itertools import count

import pytest

from fix.certify import Course, UnknownCase, Verdict
from router.certify_command import markdown
from tests.fix.desk import SECOND


class Script:
    """Lines as the raw log has them, of a session that never was."""

    def __init__(self, name: str) -> None:
        self.course = Course("FIX.4.4:ROUTER->OMS44", [name])
        self.now = 1_800_000_000 * SECOND
        self.numbers = {"<": count(1), ">": count(1)}
        self.course.begin(self.now)

    def line(self, who: str, *fields: str) -> None:
        """One message, sent at its time."""
        moment = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(self.now // SECOND))
        body = [f"34={next(self.numbers[who])}", f"52={moment}", *(field.replace("NOW", moment) for field in fields)]
        self.course.hear(f"{moment}.000000 {who} " + "\x01".join(["8=FIX.4.4", *body]) + "\x01\n")

    def order(self, *more: str) -> None:
        """The order that most cases begin with."""
        self.line("<", "35=D", "11=a", "55=BTC/USDT", "54=1", "40=2", "38=0.50", "44=65000", "60=NOW", *more)

    @property
    def fault(self) -> str:
        """What the first case's verdict says."""
        return "; ".join(self.course.verdicts[0].faults)


def test_an_oms_that_refuses_our_reports_fails() -> None:
    """The typical outcome of a stock dictionary: the report is answered by a Reject."""
    script = Script("limit-cancel")
    script.order()
    script.line(">", "35=8", "11=a", "150=0", "39=0")
    script.line("<", "35=3", "45=1", "371=100", "58=Tag not defined for this message type")
    assert "refused the router's message 1 with Reject(3)" in script.fault
    assert "Dictionaries" in script.fault


def test_what_the_router_refuses_is_told_with_its_text() -> None:
    """ExecutionReport with a reject, Reject and BusinessMessageReject."""
    for answer in (["35=8", "11=a", "150=8", "39=8"], ["35=3", "45=1", "372=D", "371=59"], ["35=j", "45=1", "372=D"]):
        script = Script("limit-cancel")
        script.order()
        script.line(">", *answer, "58=the reason")
        assert script.course.verdicts[0].outcome == "FAIL"
        assert "the reason" in script.fault


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        (["35=A", "98=0", "108=30", "141=Y"], "ResetSeqNumFlag(141) = Y"),
        (["35=4", "36=9"], "GapFillFlag(123) is missing"),
        (["35=D", "11=b", "43=Y"], "OrigSendingTime(122) is missing"),
        (["35=D", "55=BTC/USDT"], "ClOrdID(11) is missing"),
        (["35=D", "11=b"], "TransactTime(60) is missing"),
        (["35=D", "11=b", "60=10:00"], "TransactTime(60) = 10:00: is not a UTCTimestamp"),
    ],
)
def test_what_is_wrong_in_every_case(fields: list[str], fault: str) -> None:
    """Resets, repetitions without their first time, and messages without a name or a time."""
    script = Script("limit-cancel")
    script.line("<", *fields)
    assert script.course.verdicts[0].outcome == "FAIL"
    assert fault in script.fault


def test_a_client_that_never_comes_is_skipped_one_that_stops_fails() -> None:
    """Nothing in time; or an order, and then no cancel."""
    script = Script("limit-cancel")
    script.course.tick(script.now + 299 * SECOND)
    assert not script.course.over
    script.course.tick(script.now + 300 * SECOND)
    assert script.course.verdicts[0].outcome == "SKIP"
    stopped = Script("limit-cancel")
    stopped.order()
    stopped.line(">", "35=8", "11=a", "150=0", "39=0")
    stopped.course.tick(stopped.now + 300 * SECOND)
    assert stopped.course.verdicts[0].outcome == "FAIL"
    assert "OrderCancelRequest(F) did not come within 300 s" in stopped.fault


def test_a_router_that_does_not_answer_is_not_the_clients_fault() -> None:
    """The case is skipped, and says what did not come."""
    script = Script("limit-cancel")
    script.order()
    script.course.tick(script.now + 60 * SECOND)
    assert script.course.verdicts[0].outcome == "SKIP"
    assert "did not come: The router reports New" in script.fault


def test_a_fill_that_was_not_missed_needs_no_resend() -> None:
    """The counterparty came late: nothing to be asked for, and nobody's fault."""
    script = Script("resend-request")
    script.line("<", "35=D", "11=a", "55=BTC/USDT", "54=1", "40=2", "38=0.5", "44=65007", "60=NOW")
    script.line(">", "35=8", "11=a", "150=0", "39=0")
    script.course.hear("20270115-08:00:00.000000 : Disconnecting\n")
    script.line("<", "35=A", "98=0", "108=30")
    script.line(">", "35=A", "98=0", "108=30")
    script.line(">", "35=8", "11=a", "150=F", "39=2", "14=0.5", "151=0")
    assert script.course.verdicts[0].outcome == "SKIP"
    assert "your side had missed nothing yet" in script.fault


def test_skipped_on_request_is_not_passed() -> None:
    """Certified is who passed every case."""
    script = Script("limit-cancel")
    script.course.skip(script.now)
    assert script.course.verdicts[0].outcome == "SKIP"
    assert not script.course.passed


def test_lines_that_are_none_change_nothing() -> None:
    """A log may hold anything: empty lines, cut ones, numbers that are none."""
    script = Script("limit-cancel")
    for line in (
        "",
        "x",
        "20260101-00:00:00.000000",
        "20260101-00:00:00.000000 ? 8=",
        "20260101-00:00:00.000000 < \x01\x01=\x01",
        "é" * 40,
    ):
        assert script.course.hear(line) == []
    script.line(">", "35=4", "36=²", "34=-1")
    assert not script.course.over


def test_an_unknown_case_is_refused() -> None:
    """By name, and on a version that lacks it."""
    with pytest.raises(UnknownCase, match="there is no case nonsense"):
        Course("FIX.4.4:ROUTER->OMS44", ["nonsense"])
    with pytest.raises(UnknownCase, match=r"there is no case mass-cancel for FIX 4\.2"):
        Course("FIX.4.2:ROUTER->OMS42", ["mass-cancel"])


def test_the_report_is_a_table_that_nothing_from_the_wire_can_break() -> None:
    """Markdown for the onboarding file."""
    text = markdown("S", [Verdict("a", "A", "PASS"), Verdict("b", "B", "FAIL", ("x | <y>", "z"))], False, 0)
    assert "| a | A | PASS |  |" in text
    assert r"| b | B | FAIL | x \| &lt;y><br>z |" in text
    assert "not certified" in text
