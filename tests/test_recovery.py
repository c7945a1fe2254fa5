"""The router away, dead, or cut off from its venue: nothing is lost, nothing is done twice, and nothing is claimed that is not known."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from router.engine import Engine
from router.journal import read
from router.runtime import recover
from tests.system import System, free_port


def book(system: System) -> dict[str, tuple[str, str]]:
    """The blotter that the journal gives: status and CumQty by ClOrdID."""
    engine = Engine()
    recover(engine, read(system.folder / "var" / "journal"))
    engine.state.blotter.check()
    return {each.request.cl_ord_id: (str(each.ord_status), f"{each.cum_qty:f}") for each in engine.state.blotter.orders.values()}


def test_reports_made_while_the_oms_is_away_arrive_when_it_comes_back(system: System) -> None:
    """Persistent sessions: the gap is seen, asked for and filled, in order, once."""
    oms = system.start().client().connect()
    oms.order("a")
    oms.report("a", t39="0")
    oms.drop()
    for quantity in ("0.2", "0.3"):
        system.post("/_sim/trade", symbol="BTCUSDT", side="sell", qty=quantity, price="65000")
    assert system.router is not None
    system.router.wait_for("ord_status=filled")
    oms.connect()
    first, second = oms.report("a"), oms.report("a")
    assert [(each["14"], each["39"], each["43"]) for each in (first, second)] == [("0.2", "1", "Y"), ("0.5", "2", "Y")]
    oms.status("a")
    assert oms.report("a", t17="0")["39"] == "2"


def test_killed_with_orders_open_it_comes_back_with_the_same_book(system: System) -> None:
    """kill -9; the fill that happened meanwhile is told, the resting order is still there, ClOrdIDs are still taken."""
    oms = system.start().client("FIX.4.4", "OMS44").connect()
    for cl_ord_id, price in (("a", "65000"), ("b", "64000"), ("c", "63000")):
        oms.order(cl_ord_id, t44=price)
        oms.report(cl_ord_id, t39="0")
    oms.cancel("c-cancel", "c")
    oms.report("c-cancel", t39="4")
    before = book(system)
    system.kill_router()
    assert book(system) == before == {"a": ("new", "0"), "b": ("new", "0"), "c": ("canceled", "0")}
    system.post("/_sim/trade", symbol="BTCUSDT", side="sell", qty="0.5", price="65000")
    system.start_router()
    oms.drop()
    oms.connect()
    assert oms.report("a", t39="2")["14"] == "0.5"
    oms.order("b")
    duplicate = oms.report("b")
    assert (duplicate["150"], duplicate["103"]) == ("8", "6")
    oms.status("b")
    assert oms.report("b", t17="0")["39"] == "0"
    oms.cancel("b-cancel", "b")
    assert oms.report("b-cancel", t39="4")["14"] == "0"
    assert len(system.venue_orders()) == 3


def test_killed_again_and_again_while_orders_flow(tmp_path: Path) -> None:
    """Each order that was journaled is at the venue once and told New, or is nowhere and told Rejected; the venue has no other."""
    system = System(tmp_path / "s", ("router.toml", r"answer_timeout_s = 5", "answer_timeout_s = 0.5"))
    try:
        oms = system.start().client()
        for life in range(4):
            oms.connect()
            for n in range(25):
                oms.order(f"k{life}-{n}", t44="64000", t38="0.001")
            oms.report(f"k{life}-{5 * life}", t39="0")
            system.kill_router()
            oms.drop()
            system.start_router()
        oms.connect()
        # All of them: what the router had not counted as received is resent by the client's own session layer.
        journaled = {f"k{life}-{n}" for life in range(4) for n in range(25)}
        told: dict[str, str] = {}
        while journaled - {cl_ord_id for cl_ord_id, status in told.items() if status != "A"}:
            told = {each["11"]: each["39"] for each in oms.seen if each["35"] == "8"}
            if journaled - {cl_ord_id for cl_ord_id, status in told.items() if status != "A"}:
                oms.wait(lambda message: message["35"] == "8")
        at_venue = system.venue_orders()
        assert len(at_venue) == sum(1 for status in told.values() if status == "0")
        assert len({each["client_id"] for each in at_venue}) == len(at_venue)
        assert {status for status, _ in book(system).values()} <= {"new", "rejected"}
    finally:
        system.close()


def test_a_torn_last_line_does_not_stop_the_start(system: System) -> None:
    """It is cut off and said."""
    oms = system.start().client().connect()
    oms.order("a")
    oms.report("a", t39="0")
    system.kill_router()
    oms.drop()
    journal = sorted((system.folder / "var" / "journal").glob("*.log"))[-1]
    with journal.open("ab") as file:
        file.write(b'12345678 [99,1800000000000000000,{"type":"tic')
    system.start_router("journal tail cut", "venue link up")
    assert book(system)["a"][0] == "new"


def test_a_changed_journal_stops_the_start_with_what_to_do(system: System) -> None:
    """Exit 2, the file and line, and nothing changed."""
    oms = system.start().client().connect()
    oms.order("a")
    oms.report("a", t39="0")
    system.kill_router()
    oms.drop()
    journal = sorted((system.folder / "var" / "journal").glob("*.log"))[-1]
    bad = journal.read_bytes().replace(b'"65000"', b'"65001"', 1)
    journal.write_bytes(bad)
    result = system.fixrouter("run", "--config", str(system.demo / "router.toml"))
    assert result.returncode == 2
    assert "the checksum does not fit" in result.stderr
    assert "backup" in result.stderr
    assert journal.read_bytes() == bad


class TestVenueAway:
    def test_new_orders_are_refused_at_once_and_cancels_are_kept(self, system: System) -> None:
        """8 with the reason; a cancel goes out when the venue is back."""
        oms = system.start().client().connect()
        oms.order("a")
        oms.report("a", t39="0")
        system.post("/_sim/fault", kind="refuse_connections", delay_s=2, match="any")
        system.post("/_sim/fault", kind="disconnect", match="any")
        assert system.router is not None
        system.router.wait_for("venue link down")
        oms.order("b")
        refused = oms.report("b")
        assert (refused["39"], "not connected" in refused["58"]) == ("8", True)
        oms.cancel("a-cancel", "a")
        assert oms.report("a-cancel")["39"] == "6"
        assert oms.report("a-cancel", t39="4")["14"] == "0"
        assert len(system.venue_orders()) == 1

    def test_an_order_without_an_answer_is_told_unknown_then_what_became_of_it(self, system: System) -> None:
        """The acknowledgement is lost with the link: PendingNew with Text, then New. It is at the venue once."""
        oms = system.start().client().connect()
        system.post("/_sim/fault", kind="drop_reply", count=1, match="new")
        oms.order("a")
        system.until_at_venue(1)
        system.post("/_sim/fault", kind="disconnect", match="any")
        doubt = oms.report("a")
        assert (doubt["150"], doubt["39"], "unknown at BINANCE" in doubt["58"]) == ("A", "A", True)
        assert oms.report("a")["39"] == "0"
        assert len(system.venue_orders()) == 1

    def test_a_fill_lost_with_the_link_is_found_out(self, system: System) -> None:
        """By the answer to the question asked after the logon."""
        oms = system.start().client().connect()
        oms.order("a")
        oms.report("a", t39="0")
        system.post("/_sim/fault", kind="refuse_connections", delay_s=1, match="any")
        system.post("/_sim/fault", kind="disconnect", match="any")
        assert system.router is not None
        system.router.wait_for("venue link down")
        system.post("/_sim/trade", symbol="BTCUSDT", side="sell", qty="0.5", price="65000")
        done = oms.report("a", t39="2")
        assert (done["14"], done["32"], done["31"]) == ("0.5", "0.5", "65000")

    def test_an_order_that_never_arrived_is_rejected_only_after_asking(self, tmp_path: Path) -> None:
        """Neither acted on nor answered: silence, a question, "no such order", and only then the no."""
        system = System(tmp_path / "s", ("router.toml", r"answer_timeout_s = 5", "answer_timeout_s = 0.5"))
        try:
            oms = system.start().client().connect()
            system.post("/_sim/fault", kind="drop_request", count=1, match="new")
            oms.order("a")
            assert "unknown at BINANCE" in oms.report("a", t39="A")["58"]
            refused = oms.report("a")
            assert (refused["39"], "never arrived" in refused["58"]) == ("8", True)
            assert system.venue_orders() == []
        finally:
            system.close()

    def test_with_holding_on_an_order_waits_for_the_venue(self, tmp_path: Path) -> None:
        """PendingNew with Text, then New."""
        system = System(tmp_path / "s", ("router.toml", r"hold_when_down_s = 0", "hold_when_down_s = 20"))
        try:
            system.start_router("accepting clients")
            oms = system.client()
            oms.connect().order("a")
            assert "held" in oms.report("a", t39="A")["58"]
            system.start_simulator()
            assert oms.report("a")["39"] == "0"
        finally:
            system.close()

    def test_a_wrong_secret_is_said_and_nothing_is_sent(self, tmp_path: Path) -> None:
        """The venue's own words at the operator's."""
        system = System(tmp_path / "s")
        try:
            system.start_simulator()
            (system.demo / "apifiny.secret").write_text("not the secret, but long enough to be one\n")
            system.start_router("venue logs out")
            assert system.router is not None
            assert "0x20000A" in system.router.lines[-1]
            assert system.get("/_sim/requests")["rejected_signatures"] >= 1
        finally:
            system.close()


def test_it_stops_in_order(system: System) -> None:
    """SIGTERM: clients get a Logout, exit code 0; the next start sends nothing again."""
    oms = system.start().client().connect()
    oms.order("a", t55="NO/THING")
    oms.report("a", t39="8")
    assert system.router is not None
    system.router.process.send_signal(signal.SIGTERM)
    assert oms.wait(lambda message: message["35"] == "5")["58"] == "the router stops"
    oms.send("5", [])
    assert system.router.end() == 0
    oms.drop()
    system.start_router()
    oms.connect()
    oms.status("a")
    told = oms.report("a")
    assert (told["17"], told["97"]) == ("0", "")


class TestCommandLine:
    def test_order_prints_its_reports_until_done(self, shared: System) -> None:
        """Exit 0 when done, 1 when refused, 2 for wrong use, 3 where no router is."""
        config = ("--config", str(shared.demo / "router.toml"))
        done = shared.fixrouter("order", "sell", "0.1", "BTC/USDT", "--tif", "ioc", "--price", "64990", "--to", "BINANCE", *config)
        assert (done.returncode, "filled" in done.stdout) == (0, True)
        canceled = shared.fixrouter("order", "buy", "0.1", "BTC/USDT", "--price", "64000", "--cancel-after", "0.2", "--post-only", *config)
        assert (canceled.returncode, "canceled" in canceled.stdout) == (0, True)
        cash = shared.fixrouter("order", "buy", "1000", "BTC/USDT", "--cash", *config)
        assert (cash.returncode, "filled" in cash.stdout) == (0, True)
        refused = shared.fixrouter("order", "buy", "0.1", "NO/THING", "--price", "1", *config)
        assert (refused.returncode, "NO/THING" in refused.stdout) == (1, True)
        assert shared.fixrouter("order", "buy", "much", "BTC/USDT", *config).returncode == 2
        assert shared.fixrouter("order", "buy", "1", "BTC/USDT", "--session", "none", *config).returncode == 2

    def test_order_without_a_router(self, system: System) -> None:
        """3."""
        result = system.fixrouter("order", "buy", "1", "BTC/USDT", "--config", str(system.demo / "router.toml"))
        assert result.returncode == 3
        assert "cannot reach the router" in result.stderr

    def test_check_says_what_is_wrong_or_what_each_destination_can(self, system: System) -> None:
        """0 or 2."""
        path = str(system.demo / "router.toml")
        assert system.fixrouter("check", "--config", path).returncode == 0
        system.edit("router.toml", r"answer_timeout_s", "answer_timeout")
        wrong = system.fixrouter("check", "--config", path)
        assert (wrong.returncode, "router.answer_timeout: unknown key" in wrong.stderr) == (2, True)

    def test_the_journal_can_be_read_while_the_router_runs(self, shared: System) -> None:
        """find, dump and tail."""
        config = ("--config", str(shared.demo / "router.toml"))
        oms = shared.client("FIX.4.2", "OMS42B")
        oms.next_out = 1
        shared.fixrouter("order", "buy", "0.1", "BTC/USDT", "--price", "64000", "--cancel-after", "0.1", *config)
        dump = [json.loads(line) for line in shared.fixrouter("journal", "dump", *config).stdout.splitlines()]
        assert [each["sequence"] for each in dump] == list(range(1, len(dump) + 1))
        order = [each["input"] for each in dump if each["kind"] == "NewOrder"][-1]
        tail = shared.fixrouter("journal", "tail", "-n", "3", *config).stdout.splitlines()
        assert len(tail) == 3
        life = shared.fixrouter("journal", "find", order["cl_ord_id"], *config).stdout
        assert "ord_status   canceled" in life
        assert life.index("NewOrder") < life.index("Accepted") < life.index("CancelOrder") < life.index("Canceled")
        assert shared.fixrouter("journal", "find", "nobody", *config).returncode == 1

    def test_two_routers_on_one_journal(self, shared: System) -> None:
        """The second is refused, with the reason."""
        result = shared.fixrouter("run", "--config", str(shared.demo / "router.toml"))
        assert (result.returncode, "in use by another router" in result.stderr) == (2, True)

    @pytest.mark.parametrize("names", [["nasdaq"], ["apifiny", "nasdaq"]])
    def test_simulating_what_there_is_not(self, system: System, names: list[str]) -> None:
        """2, with what there is."""
        result = system.fixrouter("simulate", *names)
        assert (result.returncode, "apifiny" in result.stderr) == (2, True)


class TestSeveralEndpoints:
    def test_an_account_with_two_endpoints_has_a_session_for_each(self, tmp_path: Path) -> None:
        """Co-located venues have endpoints of their own: an order goes over the session of its destination."""
        ours = "FIX.4.2:STA-00000001->APIFINY"
        system = System(
            tmp_path / "s",
            ("simulators.toml", r'venues = \["BINANCE", "COINBASEPRO", "GBBO"\]', 'venues = ["BINANCE", "GBBO"]'),
            ("router.toml", rf'sessions = \["{ours}"\]', f'sessions = ["{ours}", "{ours}:CB"]'),
            ("router.toml", rf'(name = "COINBASEPRO"[^\n]*\naccount = "apifiny"\nsession = "{ours})"', r'\1:CB"'),
        )  # fmt: skip
        try:
            port = free_port()
            with (system.demo / "apifiny.cfg").open("a") as file:
                file.write(
                    f"\n[SESSION]\nBeginString=FIX.4.2\nSenderCompID=STA-00000001\nSessionQualifier=CB\n"
                    f"SocketConnectHost=127.0.0.1\nSocketConnectPort={port}\n"
                )
            with (system.demo / "simulators.toml").open("a") as file:
                file.write(f'\n[[apifiny.endpoints]]\nport = {port}\nvenues = ["COINBASEPRO"]\n')
            system.start_simulator()
            system.start_router("accepting clients", "link=FIX.4.2:STA-00000001->APIFINY:CB", "link=FIX.4.2:STA-00000001->APIFINY")
            oms = system.client().connect()
            for cl_ord_id, symbol, destination in (("a", "BTC/USDT", "BINANCE"), ("b", "BTC/USD", "COINBASEPRO")):
                oms.order(cl_ord_id, t55=symbol, t100=destination)
                assert oms.report(cl_ord_id)["39"] == "0"
            assert [each["venue"] for each in system.venue_orders()] == ["BINANCE", "COINBASEPRO"]
        finally:
            system.close()

    def test_a_venue_sent_to_the_wrong_endpoint_is_refused_by_the_venue(self, tmp_path: Path) -> None:
        """0x02003A, and the client is told."""
        system = System(
            tmp_path / "s",
            ("simulators.toml", r'venues = \["BINANCE", "COINBASEPRO", "GBBO"\]', 'venues = ["BINANCE", "GBBO"]'),
            ("simulators.toml", r"reject_text = false", "reject_text = true"),
        )
        try:
            system.start_simulator()
            # Its witness there is refused for the same reason, so that link stays down.
            system.start_router("accepting clients", *(f"link={link}" for link in system.links if link != "apifiny:COINBASEPRO"))
            oms = system.client().connect()
            oms.order("b", t55="BTC/USD", t100="COINBASEPRO")
            refused = oms.report("b")
            assert (refused["39"], "0x02003A" in refused["58"]) == ("8", True)
        finally:
            system.close()


class TestJoins:
    def test_a_venues_hourly_limit_outlives_the_router(self, tmp_path: Path) -> None:
        """Moonbase, twenty joins an hour: each is in the journal before it is made, so a router that is killed again and again counts on,
        and never asks for one too many."""
        system = System(tmp_path / "s")
        try:
            system.start()
            for _ in range(3):
                system.kill_router()
                system.start_router("accepting clients", "link=moonbase")
            told = system.fixrouter("journal", "dump", "--config", str(system.demo / "router.toml")).stdout
            counted = [line for line in told.splitlines() if "remembered" in line and "joins" in line]
            requests = system.get("/_sim/requests", "moonbase")
            joins = requests["by_kind"]["join"] if "by_kind" in requests else next(v for k, v in requests.items() if "join" in str(k))
            assert joins <= len(counted) <= joins + 3  # a router that is killed may have counted one that it did not come to make
            assert 0 < joins <= 20
        finally:
            system.close()
