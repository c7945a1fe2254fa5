"""What the FIX side does for sessions, by a real client through the front door: passwords, limits, drop copy, rules, absences."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from fix.passwords import hashed
from tests.system import System
from tests.wire import Client, stamp

OMS42 = r'(session = "FIX.4.2:ROUTER->OMS42"\n)'
OMS44 = r'(session = "FIX.4.4:ROUTER->OMS44"\n)'


def agreed(session: str, *lines: str) -> tuple[str, str, str]:
    """More lines for a client's table."""
    return "router.toml", session, r"\1" + "\n".join(line.replace("\\", r"\\") for line in lines) + "\n"


def started(folder: Path, *replace: tuple[str, str, str]) -> System:
    return System(folder / "s", *replace).start()


class TestFrontDoor:
    def test_half_a_logon_holds_nobody_up(self, system: System) -> None:
        """QuickFIX alone would stall every session on it; behind the door another session trades on."""
        stuck = system.start().client("FIX.4.4", "OMS44B")
        stuck.dial()
        stuck.send_bytes(b"8=FIX.4.4\x019=100\x0135=A\x01")
        oms = system.client("FIX.4.2", "OMS42B").connect()
        oms.order(f"door-{time.time_ns()}", t44="64000")
        assert oms.wait(lambda m: m["35"] == "8")["39"] == "0"
        oms.drop()
        stuck.drop()

    def test_a_stranger_s_right_logon_does_not_reach_quickfix(self, tmp_path: Path) -> None:
        """By address: hung up on without a word, and no sequence number is used."""
        system = started(tmp_path, agreed(OMS42, 'allow = ["127.0.0.1/32"]'))
        try:
            with pytest.raises(ConnectionError):
                system.client().connect(source="127.0.0.2")
            oms = system.client().connect()
            oms.order("a")
            assert oms.report("a")["39"] == "0"
        finally:
            system.close()

    def test_a_second_connection_of_a_session_is_refused_and_the_first_trades_on(self, system: System) -> None:
        """The door says who holds it."""
        first = system.start().client("FIX.4.4", "OMS44B").connect()
        with pytest.raises(ConnectionError):
            system.client("FIX.4.4", "OMS44B").connect()
        first.order(f"second-{time.time_ns()}", t44="64000")
        assert first.wait(lambda m: m["35"] == "8")["39"] == "0"
        first.drop()


class TestPasswords:
    def test_the_right_one_logs_on_and_a_wrong_one_does_not(self, tmp_path: Path) -> None:
        """On 4.2 too; what was wrong is not said; no password is logged anywhere."""
        login = 'username = "desk"', f'password_hash = "{hashed("right horse")}"'
        system = started(tmp_path, agreed(OMS42, *login))
        try:
            for fields in ([], [("553", "desk"), ("554", "wrong horse")], [("553", "other"), ("554", "right horse")]):
                with pytest.raises((ConnectionError, AssertionError)):
                    system.client().connect(logon=fields)
            system.client().connect(logon=[("553", "desk"), ("554", "right horse")]).order("a")
            said = "".join(path.read_text(errors="replace") for path in system.folder.rglob("*.log"))
            assert "horse" not in said
        finally:
            system.close()


class TestThrottle:
    def test_what_is_too_much_is_refused_and_cancels_pass(self, tmp_path: Path) -> None:
        """j with Text, and nothing of it is lost or half done."""
        system = started(tmp_path, agreed(OMS44, "messages_per_second = 3"))
        try:
            oms = system.client("FIX.4.4", "OMS44").connect()
            for n in range(6):
                oms.order(f"{n}", t44="64000")
            oms.cancel("c", "0")
            refused = oms.wait(lambda m: m["35"] == "j")
            assert (refused["372"], "messages a second" in refused["58"]) == ("D", True)
            assert oms.report("c", t39="4")["41"] == "0"
            system.until_at_venue(3)
        finally:
            system.close()


class TestDropCopy:
    def test_it_hears_what_the_others_are_told_also_after_an_absence(self, tmp_path: Path) -> None:
        """Its own sequence numbers; the client's CompID in 115; order entry is refused with j."""
        system = started(tmp_path)
        try:
            oms = system.client().connect()
            drop = system.client("FIX.4.4", "DROP").connect()
            oms.order("a", t44="64000")
            copy = drop.wait(lambda m: m["35"] == "8")
            assert (copy["11"], copy["115"], copy["39"], copy["797"]) == ("a", "OMS42", "0", "Y")
            drop.order("mine")
            assert "drop copy" in drop.wait(lambda m: m["35"] == "j")["58"]
            drop.drop()
            oms.cancel("c", "a")
            oms.report("c", t39="4")
            assert system.router is not None
            system.router.end()
            system.start_router()
            drop.connect()
            assert drop.wait(lambda m: m["35"] == "8" and m["39"] == "4")["11"] == "c"
        finally:
            system.close()


class TestRules:
    def test_a_client_s_ways_are_translated_both_ways(self, tmp_path: Path) -> None:
        """Its own symbol in and out, a destination it never names, a tag it cannot stand."""
        system = started(
            tmp_path,
            agreed(
                OMS44,
                "rules = [",
                '  { direction = "in", map = { "55" = { "XBTUSD" = "BTC/USD" } }, default = { "100" = "PHEMEX" } },',
                '  { direction = "out", map = { "55" = { "BTC/USD" = "XBTUSD" } }, drop = ["100"] },',
                "]",
            ),
        )
        try:
            oms = system.client("FIX.4.4", "OMS44").connect()
            oms.order("a", t55="XBTUSD", t38="5", t44="60000", t100="")
            report = oms.report("a")
            assert (report["39"], report["55"], report["100"]) == ("0", "XBTUSD", "")
            assert len(system.venue_orders("phemex")) == 1
            message = "35=D|11=a|55=XBTUSD|54=1|40=2|38=1|44=1|60=20260101-00:00:00"
            told = system.fixrouter(
                "check", "--config", str(system.demo / "router.toml"), "--session", "FIX.4.4:ROUTER->OMS44", "--message", message
            )
            assert "55=BTC/USD" in told.stdout
            assert "100=PHEMEX" in told.stdout
        finally:
            system.close()


class TestAbsence:
    def test_cancel_on_disconnect_and_a_flap_inside_the_grace(self, tmp_path: Path) -> None:
        """Back in time: nothing happens. Away too long, through a crash of the router even: canceled, and told at the next logon."""
        system = started(tmp_path, agreed(OMS42, "cancel_on_disconnect_s = 2"))
        try:
            oms = system.client().connect()
            oms.order("a", t44="64000")
            oms.report("a")
            oms.drop()
            oms.connect()
            oms.status("a")
            assert oms.wait(lambda m: m["20"] == "3")["39"] == "0"
            oms.drop()
            system.kill_router()
            system.start_router()
            assert system.router is not None
            system.router.wait_for("exec_type=canceled")
            oms.connect()
            assert "disconnected" in oms.report("a", t39="4")["58"]
        finally:
            system.close()


def test_mass_status(tmp_path: Path) -> None:
    """One report for each open order, numbered; where there is none, one that says so. On 4.2, which has none: j, and what to use."""
    system = started(tmp_path)
    try:
        old = system.client().connect()
        old.send("q", [("11", "q"), ("530", "7"), ("60", stamp())])
        refused = old.wait(lambda m: m["35"] == "j")
        assert (refused["372"], "OrderCancelRequest(F)" in refused["58"]) == ("q", True)
        old.send("AF", [("584", "s"), ("585", "7")])
        assert "OrderStatusRequest(H)" in old.wait(lambda m: m["35"] == "j")["58"]
        oms: Client = system.client("FIX.4.4", "OMS44").connect()
        oms.send("AF", [("584", "s0"), ("585", "7")])
        none = oms.wait(lambda m: m["584"] == "s0")
        assert (none["39"], none["103"], none["911"], none["912"]) == ("8", "5", "0", "Y")
        for name in "ab":
            oms.order(name, t44="64000")
            oms.report(name)
        oms.send("AF", [("584", "s1"), ("585", "1"), ("55", "BTC/USDT")])
        found = [oms.wait(lambda m: m["584"] == "s1") for _ in "ab"]
        assert [(m["11"], m["911"], m["912"], m["150"]) for m in found] == [("a", "2", "N", "I"), ("b", "2", "Y", "I")]
    finally:
        system.close()


@pytest.mark.parametrize("session", [("FIX.4.4", "OMS44"), ("FIXT.1.1", "OMS50")])
def test_what_a_client_wrote_comes_back_in_every_report(tmp_path: Path, session: tuple[str, str]) -> None:
    """Parties, ClOrdLinkID, its own tags, Account, a ClOrdID of 64 characters; TransactTime in its own precision."""
    system = started(tmp_path)
    try:
        oms = system.client(*session).connect()
        name = "x" * 64
        body = [("11", name), ("1", "ACC"), ("583", "link"), ("6001", "mine"), ("55", "BTC/USDT"), ("54", "1")]
        body += [("38", "0.5"), ("40", "2"), ("44", "64000")]
        parties = [("453", "2"), ("448", "TRADER"), ("447", "D"), ("452", "11"), ("448", "DESK"), ("447", "D"), ("452", "13")]
        oms.send("D", [*body, ("60", stamp() + "456"), *parties])
        report = oms.report(name, t39="0")
        assert (report["1"], report["583"], report["6001"], len(report["60"])) == ("ACC", "link", "mine", 24)
        assert "453=2|448=TRADER|447=D|452=11|448=DESK|447=D|452=13" in report.raw
        oms.cancel("c", name)
        assert "448=DESK" in oms.report("c", t39="4").raw
        oms.send("D", [("11", "b"), *body[1:], ("60", stamp()[:-4])])
        assert len(oms.report("b", t39="0")["60"]) == 17
    finally:
        system.close()


def test_a_clients_own_reject_is_noted_and_not_answered(tmp_path: Path) -> None:
    """Two systems that answer j with j would never stop."""
    system = started(tmp_path)
    try:
        oms = system.client("FIX.4.4", "OMS44").connect()
        oms.send("j", [("45", "1"), ("372", "8"), ("380", "3"), ("58", "not wanted")])
        oms.order("a", t44="64000")
        oms.report("a")
        assert not [m for m in oms.seen if m["35"] == "j"]
        assert system.router is not None
        assert "not wanted" in system.router.wait_for("client refuses a message")
    finally:
        system.close()


BROKEN = """
from router import __main__
from router.model import NewOrder
from router.runtime import Runtime

step = Runtime.step


def broken(self, event):
    if isinstance(event, NewOrder) and event.cl_ord_id == "boom":
        raise ZeroDivisionError("a bug")
    return step(self, event)


Runtime.step = broken
__main__.main()
"""


def test_a_fault_of_ours_is_not_silent(tmp_path: Path) -> None:
    """A request that ran into a bug is answered with j that says what is not known; the session lives on."""
    system = System(tmp_path / "s")
    try:
        system.start_simulator()
        system.start_router(program=("-c", BROKEN))
        oms = system.client("FIX.4.4", "OMS44").connect()
        oms.order("boom", t44="64000")
        refused = oms.wait(lambda m: m["35"] == "j")
        assert (refused["372"], "whether this was taken is not known" in refused["58"]) == ("D", True)
        oms.order("a", t44="64000")
        assert oms.report("a")["39"] == "0"
    finally:
        system.close()
