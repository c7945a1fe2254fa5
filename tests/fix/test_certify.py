"""Certification: a client that does everything right passes each case; one that does not is told which tag, value and clause.

The client is a real one at a real router with a simulated venue; the course hears the raw log that the router writes of it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fix.certify import CASES, Verdict
from tests.fix.desk import VERSIONS, Desk, Oms, numbers
from tests.system import ROOT, System
from tests.wire import stamp

COMMAND = "from fix.certify import *; from router.certify_command import certifying; certifying(Course, CASES, log_stem)()"


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A router that asks an unanswering venue after a second, and its venue."""
    system = System(tmp_path_factory.mktemp("certify") / "s", ("router.toml", r"answer_timeout_s = 5", "answer_timeout_s = 1"))
    try:
        yield system.start()
    finally:
        system.close()


@pytest.fixture(scope="module")
def sessions(floor: System) -> dict[str, Oms]:
    """One client a session, for sequence numbers go on from test to test."""
    return {version: Oms(floor.fix_port, *names) for version, names in VERSIONS.items()}


@pytest.fixture
def desk(floor: System, sessions: dict[str, Oms], request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A team on FIX 4.4, or on the version that the test names."""
    made = Desk(floor, sessions[getattr(request, "param", "4.4")], getattr(request, "param", "4.4"))
    yield made
    made.oms.garble = {}
    if not made.oms.away:
        made.go()


# --- those who do it right ---


def logon(desk: Desk) -> None:
    desk.go()
    desk.oms.connect()


def heartbeat(desk: Desk) -> None:
    desk.oms.send("0", [])


def limit_cancel(desk: Desk) -> None:
    desk.end(desk.resting())


def market(desk: Desk) -> None:
    desk.told(desk.order("", t54="2", t40="1", t38="0.1", t59=""), t39="2")


def rejected(desk: Desk) -> None:
    desk.told(desk.order(t55="XXX/YYY"), t39="8")
    desk.keep_quiet()


def partial_fill(desk: Desk) -> None:
    order = desk.resting("65009")
    desk.told(order, t39="1")
    desk.told(order, t39="2")
    desk.keep_quiet()


def too_late(desk: Desk) -> None:
    cancel = desk.cancel(desk.resting("65008"))
    desk.told(cancel, t39="6")
    desk.told(cancel, t35="9")
    desk.keep_quiet()


def replace(desk: Desk) -> None:
    new = desk.replace(desk.resting(), "0.7", "64999")
    desk.told(new, t150="5")
    desk.end(new)


def replace_refused(desk: Desk) -> None:
    order = desk.resting()
    desk.told(desk.replace(order, "0.5", "65000.001"), t35="9")
    desk.end(order)


def replace_chain(desk: Desk) -> None:
    first = desk.replace(desk.resting(), "0.6", "64999")
    desk.told(first, t150="5")
    second = desk.replace(first, "0.7", "64998")
    desk.told(second, t150="5")
    desk.end(second)


def cl_ord_id(desk: Desk) -> None:
    desk.end(desk.resting())
    long = f"{next(numbers):064}"
    desk.oms.order(long)
    desk.told(long, t39="0")
    desk.end(long)


def status(desk: Desk) -> None:
    order = desk.resting()
    desk.oms.status(order)
    desk.told(order, t17="0")
    desk.end(order)


def mass_cancel(desk: Desk) -> None:
    first, second = desk.resting(), desk.resting("64999")
    desk.oms.send("q", [("11", f"c{next(numbers)}"), ("530", "7"), ("60", stamp())])
    desk.told(first, t39="4")
    desk.told(second, t39="4")


def unknown(desk: Desk) -> None:
    order = desk.order()
    desk.told(order, t39="A")
    desk.told(order, t39="0")
    desk.end(order)


def restart(desk: Desk) -> None:
    desk.go()
    desk.oms.connect()
    desk.end(desk.resting())


def resend_request(desk: Desk) -> None:
    order = desk.resting("65007")
    desk.go(politely=False)
    desk.until_stored(order)
    desk.oms.connect()
    desk.told(order, t39="2", t43="Y")
    desk.keep_quiet()


def poss_dup(desk: Desk) -> None:
    desk.go()
    desk.oms.next_out += 2
    desk.oms.connect()
    desk.oms.status("nobody's")
    desk.oms.wait(lambda message: message["35"] == "8")


def logout(desk: Desk) -> None:
    desk.go()


GOOD: dict[str, Callable[[Desk], None]] = {
    "logon": logon, "heartbeat": heartbeat, "limit-cancel": limit_cancel, "market": market, "rejected": rejected,
    "partial-fill": partial_fill, "too-late": too_late, "replace": replace, "replace-refused": replace_refused,
    "replace-chain": replace_chain, "cl-ord-id": cl_ord_id, "transact-time": limit_cancel, "status": status, "mass-cancel": mass_cancel,
    "unknown": unknown, "restart": restart, "resend-request": resend_request, "poss-dup": poss_dup, "logout": logout,
}  # fmt: skip
ALL = [(case.name, version) for case in CASES for version in case.versions]


@pytest.mark.parametrize(("name", "desk"), ALL, indirect=["desk"])
def test_a_client_that_does_it_right_passes(name: str, desk: Desk) -> None:
    """Each case, on each version that has it."""
    desk.begin(name)
    GOOD[name](desk)
    assert desk.verdict() == Verdict(name, desk.verdict().title, "PASS")
    assert desk.course.passed


def test_the_whole_way_is_walked_in_one_go(desk: Desk) -> None:
    """Each case begins where the one before ended, and one that is failed does not spoil the next."""
    desk.begin()
    for case in CASES:
        (bad_limit_cancel if case.name == "limit-cancel" else GOOD[case.name])(desk)
        desk.until_judged(case.name)
    assert [each.name for each in desk.course.verdicts if each.outcome != "PASS"] == ["limit-cancel"]
    assert len(desk.course.verdicts) == len(CASES)
    assert not desk.course.passed


def test_an_answered_test_request_is_a_sign_of_life(desk: Desk) -> None:
    """An OMS whose Heartbeats are late, and that answers when asked."""
    desk.oms.garble = {"A": [("108", "1")]}
    desk.begin("heartbeat", heartbeat=1)
    desk.oms.wait(lambda message: message["35"] == "1")
    assert desk.verdict().outcome == "PASS"


# --- and those who do not ---


def bad_logon(desk: Desk) -> None:
    desk.go()
    desk.oms.garble = {"A": [("108", "99")]}
    desk.oms.connect()


def bad_heartbeat(desk: Desk) -> None:
    desk.oms.garble["0"] = [("112", "nonsense")]
    desk.oms.wait(lambda message: message["35"] == "1")


def bad_limit_cancel(desk: Desk) -> None:
    desk.cancel(desk.resting(), t54="2")


def bad_market(desk: Desk) -> None:
    desk.order("60000", t54="2", t40="1", t38="0.1")


def bad_rejected(desk: Desk) -> None:
    desk.told(desk.order(t55="XXX/YYY"), t39="8")
    desk.order(t55="XXX/YYY")


def bad_partial_fill(desk: Desk) -> None:
    order = desk.resting("65009")
    desk.told(order, t39="1")
    desk.told(order, t39="2")
    desk.cancel(order)


def bad_too_late(desk: Desk) -> None:
    order = desk.resting("65008")
    cancel = desk.cancel(order)
    desk.told(cancel, t39="6")
    desk.told(cancel, t35="9")
    desk.cancel(order)


def bad_replace(desk: Desk) -> None:
    desk.replace(desk.resting(), "0.2", "64999")


def bad_replace_refused(desk: Desk) -> None:
    refused = desk.replace(desk.resting(), "0.5", "65000.001")
    desk.told(refused, t35="9")
    desk.cancel(refused)


def bad_replace_chain(desk: Desk) -> None:
    order = desk.resting()
    desk.told(desk.replace(order, "0.6", "64999"), t150="5")
    desk.replace(order, "0.7", "64998")


def bad_cl_ord_id(desk: Desk) -> None:
    desk.oms.order(f"{next(numbers):065}")


def bad_transact_time(desk: Desk) -> None:
    desk.order(t60=stamp(-8 * 3600))


def bad_status(desk: Desk) -> None:
    desk.resting()
    desk.oms.status("another")


def bad_mass_cancel(desk: Desk) -> None:
    desk.resting()
    desk.resting("64999")
    desk.oms.send("q", [("11", f"c{next(numbers)}"), ("530", "6"), ("60", stamp())])


def bad_unknown(desk: Desk) -> None:
    desk.told(desk.order(), t39="A")
    desk.order()


def bad_restart(desk: Desk) -> None:
    desk.go()
    desk.oms.connect()
    desk.order(t11=desk.used)


def bad_resend_request(desk: Desk) -> None:
    order = desk.resting("65007")
    desk.go(politely=False)
    desk.until_stored(order)
    desk.oms.garble = {"2": [("7", "1")]}
    desk.oms.connect()
    desk.told(order, t39="2", t43="Y")


def bad_poss_dup(desk: Desk) -> None:
    desk.oms.garble = {"4": [("43", "")]}
    poss_dup(desk)


def bad_logout(desk: Desk) -> None:
    desk.go(politely=False)


BAD: dict[str, tuple[Callable[[Desk], None], str]] = {
    "logon": (bad_logon, "HeartBtInt(108) = 99: should be 30, seconds, as agreed [fix/README.md, Session"),
    "heartbeat": (bad_heartbeat, "TestReqID(112) = nonsense: should be"),
    "limit-cancel": (bad_limit_cancel, "Side(54) = 2: should be 1 [fix/README.md, In, OrderCancelRequest]"),
    "market": (bad_market, "Price(44) = 60000: should be absent [fix/README.md, In, NewOrderSingle]"),
    "rejected": (bad_rejected, "sent NewOrderSingle(D)"),
    "partial-fill": (bad_partial_fill, "sent OrderCancelRequest(F)"),
    "too-late": (bad_too_late, "sent OrderCancelRequest(F)"),
    "replace": (bad_replace, "OrderQty(38) = 0.2: should be 0.7"),
    "replace-refused": (bad_replace_refused, "OrigClOrdID(41) = "),
    "replace-chain": (bad_replace_chain, "the first replace's ClOrdID"),
    "cl-ord-id": (bad_cl_ord_id, "has 65 characters, 64 are allowed [fix/README.md, In, NewOrderSingle, 11 ClOrdID]"),
    "transact-time": (bad_transact_time, "s from SendingTime(52): should be now, in UTC"),
    "status": (bad_status, "ClOrdID(11) = another: should be c"),
    "mass-cancel": (bad_mass_cancel, "MassCancelRequestType(530) = 6: should be 7 or 1"),
    "unknown": (bad_unknown, "sent NewOrderSingle(D)"),
    "restart": (bad_restart, "was used before in this session"),
    "resend-request": (bad_resend_request, "BeginSeqNo(7) = 1: should be"),
    "poss-dup": (bad_poss_dup, "PossDupFlag(43) is missing: should be Y"),
    "logout": (bad_logout, "the connection ended before Logout(5) came [FIX 4.4 volume 2, Logout]"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_client_that_does_it_wrong_fails_and_hears_why(name: str, desk: Desk) -> None:
    """Each case with its typical mistake: the fault names what was sent and the clause."""
    do, fault = BAD[name]
    if name == "heartbeat":
        desk.oms.garble = {"A": [("108", "1")]}
    if name == "restart":
        desk.oms.connect()
        desk.used = desk.order()
        desk.oms.report(desk.used)
    desk.begin(name, heartbeat=1 if name == "heartbeat" else 30)
    do(desk)
    verdict = desk.verdict()
    assert verdict.outcome == "FAIL"
    assert fault in "; ".join(verdict.faults)
    assert not desk.course.passed


# --- the command ---


def _certify(system: System, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-c", COMMAND, "--config", str(system.demo / "router.toml"), *arguments],
        cwd=system.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "160"},
    )  # fmt: skip


def test_the_command_walks_a_client_through_a_case(floor: System, desk: Desk, tmp_path: Path) -> None:
    """It says what to do, trades as the counterparty, tells the verdict and writes the report."""
    desk.begin("partial-fill")  # a second reader of the same log does no harm, but must not trade: it is not fed
    simulator = f"http://127.0.0.1:{floor.control_ports['apifiny']}"
    report = tmp_path / "report.md"
    arguments = ("--session", desk.session, "--case", "partial-fill", "--simulator", simulator, "--report", str(report))
    with _certify(floor, *arguments) as command:
        assert command.stdout is not None
        said = next(line for line in command.stdout if line.startswith("->"))
        assert said.startswith("-> Send a NewOrderSingle: buy 0.5 BTC/USDT, limit 65009, at BINANCE.")
        name = desk.order("65009")
        desk.oms.report(name, t39="1")
        desk.oms.report(name, t39="2")
        rest = command.stdout.read()
        assert command.wait(20) == 0
    assert "partial-fill: PASS" in rest
    assert "| partial-fill | A partial fill, then the rest | PASS |  |" in report.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--list"], 0, "poss-dup"),
        ([], 2, "--session is needed"),
        (["--session", "FIX.4.4:ROUTER->OMS44", "--case", "nonsense"], 2, "there is no case nonsense"),
        (["--session", "FIX.4.4:ROUTER->OMS44", "--simulator", "9102"], 2, "is not an http address"),
        (["--session", "FIX.4.4:ROUTER->NOBODY"], 3, "there is no session FIX.4.4:ROUTER->NOBODY"),
    ],
)
def test_the_commands_exit_codes(floor: System, arguments: list[str], code: int, said: str) -> None:
    """Wrong use is 2, what is not there is 3."""
    with _certify(floor, *arguments) as command:
        assert command.stdout is not None
        text = command.stdout.read()
        assert command.wait(20) == code
    assert said in text


def test_without_a_router_it_says_so(system: System) -> None:
    """The journal's lock tells that nobody is there."""
    with _certify(system, "--session", "FIX.4.4:ROUTER->OMS44") as command:
        assert command.stdout is not None
        text = command.stdout.read()
        assert command.wait(20) == 3
    assert "no router runs on" in text
