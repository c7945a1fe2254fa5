"""The runtime: journal, then apply, then perform; and what a crash between them leaves."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from router.acts import CancelOrders, Forget
from router.engine import Engine
from router.journal import JournalWriter, read
from router.model import (
    Accepted,
    Alert,
    Canceled,
    CancelOrder,
    CancelReject,
    Effect,
    ExecutionReport,
    Filled,
    Input,
    LinkDown,
    LinkUp,
    MassCancel,
    NewOrder,
    ReplaceOrder,
    Started,
    Stated,
    Stopped,
    Tick,
    VenueCommand,
)
from router.ports import Unsendable, Unwritten
from router.rules import Configured
from router.runtime import Runtime, recover
from router.words import CxlRejReason, MassScope, OrdStatus, OrdType, Side
from tests.router.desk import LINK, SECOND, SESSION, D, configured


class Recorder:
    """A client side, a venue and a journal that write down what reaches them, in one list."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []
        self.minted = 0
        self.unsendable = ""
        self.broken = False
        self.disk_full = False
        self.grouped = False
        self.starved = ""
        self.sequence = 0
        self.settled = 0
        self.fails_from = 0
        self.sync_fails = ""
        self.in_sync: threading.Semaphore | None = None
        self.sync_gate: threading.Semaphore | None = None

    def report(self, message: ExecutionReport | CancelReject, possibly_resent: bool = False) -> None:
        self.events.append(("resent" if possibly_resent else "report", message))

    def mint(self, now: int) -> str:
        self.minted += 1
        return f"v{self.minted}"

    def submit(self, command: VenueCommand) -> None:
        if self.unsendable:
            raise Unsendable(self.unsendable)
        if self.broken:
            raise ZeroDivisionError("a bug")
        self.events.append(("submit", command))

    def append(self, event: Input, now: int) -> int:
        if self.disk_full or 0 < self.fails_from <= self.sequence + 1:
            raise OSError("No space left on device")
        self.events.append(("journal", event))
        self.sequence += 1
        return self.sequence

    def sync(self) -> None:
        if self.sync_fails:
            raise OSError(self.sync_fails)
        if self.in_sync is not None and self.sync_gate is not None:
            self.in_sync.release()
            self.sync_gate.acquire()
        self.events.append(("sync", None))

    def settle(self, sequence: int) -> None:
        self.settled = sequence

    def tend(self) -> None:
        """Nothing."""

    def close(self) -> None:
        self.events.append(("close", None))

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000 * SECOND

    def __call__(self) -> int:
        return self.now


def router() -> tuple[Runtime, Recorder, Clock]:
    recorder, clock = Recorder(), Clock()
    runtime = Runtime(Engine(), recorder, recorder, {LINK: recorder}, clock, lambda event, effects: None)
    runtime.start(configured(), "test")
    runtime.step(LinkUp(LINK))
    recorder.events.clear()
    return runtime, recorder, clock


def new(cl_ord_id: str = "a", **more: Any) -> NewOrder:
    standard: dict[str, Any] = {
        "session": SESSION, "cl_ord_id": cl_ord_id, "symbol": "BTC/USDT", "side": Side.BUY, "ord_type": OrdType.LIMIT,
        "order_qty": D(1), "price": D(100),
    }  # fmt: skip
    return NewOrder(**standard | more)


def test_the_journal_has_it_before_anybody_else() -> None:
    """With the id for the venue in it."""
    runtime, recorder, _ = router()
    runtime.step(new())
    assert recorder.kinds() == ["journal", "submit"]
    assert recorder.events[0][1].venue_cl_ord_id == recorder.events[1][1].venue_cl_ord_id == "v1"


def test_an_order_that_goes_nowhere_takes_no_id() -> None:
    """Nothing is minted for a refusal."""
    runtime, recorder, _ = router()
    runtime.step(new(symbol="NO/THING"))
    assert (recorder.minted, recorder.kinds()) == (0, ["journal", "report"])


def test_a_fault_of_ours_on_the_way_out_is_an_outcome_that_is_not_known() -> None:
    """It may have left: never a reject, never a second create; the client hears that it is unknown, and an operator hears of the fault."""
    recorder, clock, seen = Recorder(), Clock(), []
    runtime = Runtime(Engine(), recorder, recorder, {LINK: recorder}, clock, lambda _, effects: seen.extend(effects))
    runtime.start(configured(), "test")
    runtime.step(LinkUp(LINK))
    recorder.broken = True
    runtime.step(new())
    order = next(iter(runtime.engine.state.blotter.orders.values()))
    assert (order.base, bool(order.doubt), bool(order.placed)) == (OrdStatus.PENDING_NEW, True, True)
    told = [each for kind, each in recorder.events if kind == "report"]
    assert [(each.ord_status, "unknown at BINANCE" in each.text) for each in told] == [(OrdStatus.PENDING_NEW, True)]
    assert any("internal error" in each.text for each in seen if isinstance(each, Alert))


def test_what_could_not_be_sent_is_journaled_as_that_and_rejected() -> None:
    """The link was lost between the decision and the sending."""
    runtime, recorder, _ = router()
    recorder.unsendable = "just logged out"
    runtime.step(new())
    assert recorder.kinds() == ["journal", "journal", "report"]
    assert recorder.events[-1][1].ord_status is OrdStatus.REJECTED


def test_what_cannot_be_journaled_has_no_effect() -> None:
    """A full disk: no order in the book, nothing sent; the client is told, and the next order goes when there is space again."""
    runtime, recorder, _ = router()
    recorder.disk_full = True
    with pytest.raises(OSError, match="No space left"):
        runtime.step(new())
    assert recorder.events == []
    assert not runtime.engine.state.blotter.orders
    runtime.refuse(new(), "the router cannot write its journal")
    runtime.refuse(CancelOrder(session=SESSION, cl_ord_id="c", orig_cl_ord_id="a"), "the router cannot write its journal")
    assert recorder.events[0][1].text == recorder.events[1][1].text == "the router cannot write its journal"
    recorder.disk_full = False
    recorder.events.clear()
    runtime.step(new())
    assert recorder.kinds() == ["journal", "submit"]


def test_what_is_posted_while_the_disk_is_full_is_not_lost() -> None:
    """A link that went down went down, also if it could not be written at once."""
    runtime, recorder, _ = router()
    recorder.disk_full = True
    runtime.post(LinkDown(LINK))
    with pytest.raises(OSError, match="No space left"):
        runtime.tick()
    recorder.disk_full = False
    runtime.tick()
    assert LINK not in runtime.engine.state.up


def test_what_a_venue_says_while_the_disk_is_full_is_kept_in_order() -> None:
    """QuickFIX counts it as received; losing it would leave the client without its fill."""
    runtime, recorder, _ = router()
    runtime.step(new())
    recorder.disk_full = True
    runtime.hear(Accepted(account="acc", exec_id="n", venue_cl_ord_id="v1", venue_order_id="o1"))
    recorder.disk_full = False
    runtime.hear(Filled(account="acc", exec_id="x", venue_order_id="o1", last_qty=D(1), last_px=D(100), complete=True))
    assert "report" not in recorder.kinds()
    runtime.tick()
    assert [message.ord_status for kind, message in recorder.events if kind == "report"] == [OrdStatus.NEW, OrdStatus.FILLED]


def test_time_never_repeats_and_never_goes_back() -> None:
    """Order of inputs is order of times, whatever the clock does."""
    runtime, recorder, clock = router()
    clock.now -= 10 * SECOND
    runtime.step(new("a", symbol="NO/THING"))
    runtime.step(new("b", symbol="NO/THING"))
    times = [message.time for kind, message in recorder.events if kind == "report"]
    assert times == sorted(set(times))


def test_a_tick_marks_that_all_was_performed_and_is_not_repeated() -> None:
    """An idle router writes nothing."""
    runtime, recorder, _ = router()
    runtime.tick()
    runtime.tick()
    assert [event for kind, event in recorder.events if kind == "journal"] == [Tick()]


def test_deadlines_are_ticked() -> None:
    """A silent venue is asked."""
    runtime, recorder, clock = router()
    runtime.step(new())
    recorder.events.clear()
    clock.now += 6 * SECOND
    runtime.tick()
    assert recorder.kinds() == ["journal", "report", "submit"] or recorder.kinds() == ["journal", "submit", "report"]


def wired(**disk: Any) -> tuple[Runtime, Recorder, list[str]]:
    """A router with an accepted order "a", whose alerts are kept."""
    recorder, alerts = Recorder(), []
    for name, value in disk.items():
        setattr(recorder, name, value)

    def observe(event: Input, effects: list[Effect]) -> None:
        alerts.extend(each.text for each in effects if isinstance(each, Alert))

    runtime = Runtime(Engine(), recorder, recorder, {LINK: recorder}, Clock(), observe)
    runtime.start(configured(), "test")
    runtime.step(LinkUp(LINK))
    runtime.step(new())
    runtime.step(Accepted(account="acc", exec_id="n", venue_cl_ord_id="v1", venue_order_id="o1"))
    recorder.events.clear()
    return runtime, recorder, alerts


CANCEL = CancelOrder(session=SESSION, cl_ord_id="c", orig_cl_ord_id="a")
CANCELED = Canceled(account="acc", exec_id="e", venue_order_id="o1")


class TestFullDisk:
    def test_it_is_said_once_when_it_begins_and_once_when_it_ends(self) -> None:
        """Not at every order and every tick."""
        runtime, recorder, alerts = wired(disk_full=False)
        assert runtime.failing == ""
        recorder.disk_full = True
        for n in range(3):
            with pytest.raises(Unwritten, match="No space left"):
                runtime.step(new(f"b{n}"))
            with pytest.raises(Unwritten, match="No space left"):
                runtime.tick()
        assert "No space left" in runtime.failing
        recorder.disk_full = False
        runtime.tick()
        runtime.tick()
        assert runtime.failing == ""
        assert [text.partition(":")[0] for text in alerts] == [
            "the journal cannot be written, so no new orders are taken",
            "the journal can be written again",
        ]

    def test_a_cancel_is_passed_on_unrecorded_and_its_outcome_told_later(self) -> None:
        """It may be repeated; the client knows what the router does not."""
        runtime, recorder, _ = wired()
        recorder.disk_full = True
        runtime.step(CANCEL)
        runtime.hear(CANCELED)
        (_, command), (_, answer) = recorder.events
        assert (type(command).__name__, command.venue_order_id) == ("Cancel", "o1")
        assert (answer.reason, answer.cl_ord_id, answer.orig_cl_ord_id) == (CxlRejReason.BROKER_OPTION, "c", "a")
        assert "passed to BINANCE unrecorded" in answer.text
        assert next(iter(runtime.engine.state.blotter.live.values())).pending is None
        recorder.disk_full = False
        recorder.events.clear()
        runtime.tick()
        assert [each.ord_status for kind, each in recorder.events if kind == "report"] == [OrdStatus.CANCELED]

    def test_a_cancel_that_cannot_be_passed_on_says_so(self) -> None:
        """An order that nobody knows, or that the venue does not know yet; a link that is down."""
        runtime, recorder, _ = wired()
        runtime.step(new("b"))
        recorder.events.clear()
        recorder.disk_full = True
        with pytest.raises(Unwritten):
            runtime.step(CancelOrder(session=SESSION, cl_ord_id="c", orig_cl_ord_id="nobody"))
        with pytest.raises(Unwritten):
            runtime.step(CancelOrder(session=SESSION, cl_ord_id="c", orig_cl_ord_id="b"))
        assert recorder.events == []
        recorder.unsendable = "just logged out"
        runtime.step(CANCEL)
        assert "not passed on" in recorder.events[-1][1].text

    @pytest.mark.parametrize(
        "event",
        [MassCancel(session=SESSION, cl_ord_id="q", scope=MassScope.ALL, asked="7"), CancelOrders(by="somebody", why="panic")],
    )
    def test_all_orders_can_be_canceled_too(self, event: Input) -> None:
        """By a client and by an operator; the book stays what the journal says."""
        runtime, recorder, _ = wired()
        recorder.disk_full = True
        with pytest.raises(Unwritten, match="1 cancels were passed on unrecorded"):
            runtime.step(event)
        assert [type(each).__name__ for kind, each in recorder.events if kind == "submit"] == ["Cancel"]
        assert next(iter(runtime.engine.state.blotter.live.values())).pending is None

    def test_what_follows_from_an_order_is_not_lost_when_the_disk_fills_in_between(self) -> None:
        """The order is in the journal, that it was not sent is not: the client is told when it is."""
        runtime, recorder, _ = wired()
        recorder.unsendable = "just logged out"
        recorder.fails_from = recorder.sequence + 2
        runtime.step(new("b"))
        assert recorder.kinds() == ["journal"]
        recorder.fails_from = 0
        runtime.tick()
        assert [each.ord_status for kind, each in recorder.events if kind == "report"] == [OrdStatus.REJECTED]

    def test_what_is_heard_while_something_is_posted_waits_for_its_turn(self) -> None:
        """A link's end, posted, comes before its new beginning, heard."""
        runtime, recorder, _ = wired()
        runtime.post(LinkDown(LINK))
        runtime.hear(LinkUp(LINK))
        runtime.tick()
        assert [type(event).__name__ for kind, event in recorder.events if kind == "journal"][:2] == ["LinkDown", "LinkUp"]
        assert LINK in runtime.engine.state.up

    def test_with_only_the_reserve_left_all_but_new_orders_goes_on(self) -> None:
        """And is journaled; new orders and replaces are refused at once."""
        runtime, recorder, alerts = wired()
        recorder.starved = "no space for the journal's next file"
        with pytest.raises(Unwritten, match="no space"):
            runtime.step(new("b"))
        replace = ReplaceOrder(session=SESSION, cl_ord_id="r", orig_cl_ord_id="a", symbol="BTC/USDT", side=Side.BUY, order_qty=D(2))
        with pytest.raises(Unwritten, match="no space"):
            runtime.step(replace)
        assert recorder.events == []
        runtime.step(CANCEL)
        runtime.hear(CANCELED)
        assert recorder.kinds() == ["journal", "submit", "report", "journal", "report"]
        recorder.starved = ""
        runtime.tick()
        runtime.step(new("b"))
        assert len(alerts) == 2

    def test_an_end_that_cannot_be_written_is_an_end(self) -> None:
        """The next start takes it for a crash."""
        runtime, recorder, alerts = wired()
        recorder.disk_full = True
        runtime.stop()
        assert recorder.kinds() == ["close"]
        assert "the end was not journaled" in alerts[-1]


class TestPower:
    def test_nothing_leaves_before_the_disk_has_it(self) -> None:
        """Journal, sync, then the venue."""
        runtime, recorder, _ = wired(grouped=True)
        runtime.step(new("b"))
        assert recorder.kinds() == ["journal", "sync", "submit"]
        assert recorder.settled == recorder.sequence

    def test_what_could_not_be_sent_is_journaled_and_synced_in_its_turn(self) -> None:
        """An input that follows from another."""
        runtime, recorder, _ = wired(grouped=True)
        recorder.unsendable = "just logged out"
        runtime.step(new("b"))
        assert recorder.kinds() == ["journal", "sync", "journal", "sync", "report"]

    def test_inputs_that_come_during_a_sync_share_the_next(self) -> None:
        """Eight come while the first one is being synced: two syncs for nine, effects in the journal's order, each at its step's end."""
        runtime, recorder, _ = wired(grouped=True)
        recorder.sync_gate = threading.Semaphore(0)
        recorder.in_sync = threading.Semaphore(0)
        with ThreadPoolExecutor(9) as pool:
            first = pool.submit(runtime.step, new("b0", symbol="NO/THING"))
            recorder.in_sync.acquire()
            rest = [pool.submit(runtime.step, new(f"b{n}", symbol="NO/THING")) for n in range(1, 9)]
            while recorder.kinds().count("journal") < 9:
                pass  # each of them is journaled while the sync lasts
            assert recorder.kinds().count("report") == 0
            recorder.sync_gate.release(9)
            returned = [each.result(10) for each in (first, *rest)]
        assert recorder.kinds().count("sync") == 2
        journaled = [event.cl_ord_id for kind, event in recorder.events if kind == "journal"]
        told = [event.cl_ord_id for kind, event in recorder.events if kind == "report"]
        assert told == journaled
        assert [effects[0].cl_ord_id for effects in returned] == [f"b{n}" for n in range(9)]  # type: ignore[union-attr]

    def test_many_threads_keep_the_order(self) -> None:
        """Reports leave in the order of the journal, whoever syncs."""
        runtime, recorder, _ = wired(grouped=True)
        with ThreadPoolExecutor(8) as pool:
            for each in [pool.submit(runtime.step, new(f"b{n}", symbol="NO/THING")) for n in range(300)]:
                each.result(60)
        journaled = [event.cl_ord_id for kind, event in recorder.events if kind == "journal"]
        assert [event.cl_ord_id for kind, event in recorder.events if kind == "report"] == journaled
        assert len(journaled) == 300

    def test_while_the_disk_is_not_sure_nothing_leaves_but_cancels(self) -> None:
        """The order was taken and waits; what comes after it is refused, what venues say is kept; then all goes in its order."""
        runtime, recorder, alerts = wired(grouped=True)
        recorder.sync_fails = "Input/output error"
        runtime.step(new("b"))
        assert recorder.kinds() == ["journal"]
        assert "Input/output" in runtime.failing
        with pytest.raises(Unwritten, match="Input/output"):
            runtime.step(new("d"))
        runtime.step(CANCEL)
        runtime.hear(CANCELED)
        assert recorder.kinds() == ["journal", "submit", "report"]
        recorder.sync_fails = ""
        recorder.events.clear()
        runtime.tick()
        assert recorder.kinds()[:5] == ["sync", "submit", "journal", "sync", "report"]
        assert len(alerts) == 2

    def test_a_cancel_whose_sync_fails_is_passed_on(self) -> None:
        """It is in the journal, perhaps; to the venue it goes at once, and once more when the disk is sure."""
        runtime, recorder, _ = wired(grouped=True)
        recorder.sync_fails = "Input/output error"
        runtime.step(CANCEL)
        assert recorder.kinds() == ["journal", "submit"]
        recorder.sync_fails = ""
        runtime.tick()
        assert [type(each).__name__ for kind, each in recorder.events if kind == "submit"] == ["Cancel", "Cancel"]

    def test_a_tick_says_that_all_was_performed(self) -> None:
        """And an idle router writes nothing more."""
        runtime, recorder, _ = wired(grouped=True)
        runtime.step(new("b", symbol="NO/THING"))
        recorder.events.clear()
        runtime.tick()
        runtime.tick()
        assert recorder.events == [("journal", Tick()), ("sync", None)]

    def test_a_real_journal_under_many_threads_gives_the_same_book_again(self, tmp_path: Path) -> None:
        """Files change under way; nothing is unsure after an orderly end."""
        journal = JournalWriter(tmp_path, durability="power", segment_bytes=4000, reserve_bytes=8000)
        list(journal.replay())
        recorder = Recorder()
        runtime = Runtime(Engine(), journal, recorder, {LINK: recorder}, Clock(), lambda event, effects: None)
        runtime.start(configured(), "test")
        runtime.step(LinkUp(LINK))
        with ThreadPoolExecutor(6) as pool:
            for each in [pool.submit(runtime.step, new(f"b{n}")) for n in range(60)]:
                each.result(60)
            runtime.tick()
        runtime.stop()
        again = Engine()
        assert recover(again, read(tmp_path)) == []
        assert list(again.state.blotter.orders) == list(runtime.engine.state.blotter.orders)
        assert [kind for kind, _ in recorder.events] == ["submit"] * 60


def test_a_witness_that_says_what_is_known_leaves_no_record() -> None:
    """Nearly all of its words are of that kind; one that is ahead is an input like any."""
    runtime, recorder, _ = router()
    runtime.step(new())
    recorder.events.clear()
    for cum, kept in (("0", []), ("0.5", ["journal"])):
        runtime.hear(Stated(account="acc", status=OrdStatus.NEW, cum_qty=D(cum), venue_cl_ord_id="v1", asked=False))
        assert recorder.kinds() == kept


def test_what_is_over_is_forgotten_a_little_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the ticking thread: nobody waits for thousands, an idle router writes nothing of it, and without the setting nothing goes."""
    monkeypatch.setattr("router.runtime._FORGET_AT_ONCE", 2)
    runtime, recorder, clock = router()
    for number in range(5):
        runtime.step(new(f"b{number}", symbol="NO/THING"))
    runtime.step(new("open"))
    blotter = runtime.engine.state.blotter
    clock.now += 61 * SECOND
    runtime.tick()
    assert len(blotter.orders) == 6
    runtime.keep_orders = 60 * SECOND
    left = []
    for _ in range(5):
        runtime.tick()
        left.append(len(blotter.orders))
    assert left == [4, 2, 1, 1, 1]
    assert [each.cl_ord_id for each in blotter.orders.values()] == ["open"]
    runtime.step(new("late", symbol="NO/THING"))
    clock.now += 61 * SECOND
    runtime.tick()
    assert list(blotter.orders) == list(blotter.live)
    runtime.tick()
    recorder.events.clear()
    clock.now += 3600 * SECOND
    runtime.step(LinkUp(LINK))
    for _ in range(3):
        runtime.tick()
    assert [event for kind, event in recorder.events if kind == "journal" and isinstance(event, Forget)] == []


def test_what_cannot_be_forgotten_is_not_tried_at_every_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours in a full batch is said once a while, and nothing else stops for it."""
    monkeypatch.setattr("router.runtime._FORGET_AT_ONCE", 1)
    runtime, recorder, clock = router()
    runtime.step(new("b", symbol="NO/THING"))
    runtime.step(new("c", symbol="NO/THING"))
    runtime.engine.state.blotter._keys.clear()
    runtime.keep_orders = 60 * SECOND
    clock.now += 61 * SECOND
    for _ in range(5):
        runtime.tick()
    assert len([event for kind, event in recorder.events if kind == "journal" and isinstance(event, Forget)]) == 1


def test_a_stop_is_the_last_thing_written() -> None:
    """A start after it knows that nothing is left undone."""
    runtime, recorder, _ = router()
    runtime.stop()
    assert recorder.events == [("journal", Stopped()), ("close", None)]


class TestRecovery:
    """A journal of the real kind, cut where a crash would cut it."""

    def life(self, folder: Path, *events: Input) -> tuple[Engine, Recorder]:
        recorder = Recorder()
        journal = JournalWriter(folder)
        engine = Engine()
        resent = recover(engine, journal.replay())
        runtime = Runtime(engine, journal, recorder, {LINK: recorder}, Clock(), lambda event, effects: None, journal.time)
        for message in resent:
            recorder.report(message, possibly_resent=True)
        for event in events:
            runtime.step(event)
        journal.close()
        return engine, recorder

    def test_the_book_is_the_same_again(self, tmp_path: Path) -> None:
        """Every order in the same state, with the same ids."""
        accepted = Accepted(account="acc", exec_id="n", venue_cl_ord_id="v1", venue_order_id="o1")
        first, _ = self.life(tmp_path, configured(), Started("t"), LinkUp(LINK), new(), accepted, new("b", symbol="NO/THING"))
        second, _ = self.life(tmp_path)
        second.state.blotter.check()
        for order_id, order in first.state.blotter.orders.items():
            again = second.state.blotter.orders[order_id]
            assert (again.base, again.venue_cl_ord_id, again.venue_order_id) == (order.base, order.venue_cl_ord_id, order.venue_order_id)

    def test_the_reports_of_the_last_input_are_sent_again_as_possible_repetitions(self, tmp_path: Path) -> None:
        """The router died after the journal and maybe before the report: same ExecID, so the OMS can tell."""
        _, before = self.life(tmp_path, configured(), Started("t"), LinkUp(LINK), new("b", symbol="NO/THING"))
        said = [message for kind, message in before.events if kind == "report"]
        _, after = self.life(tmp_path)
        assert [message for kind, message in after.events if kind == "resent"] == said

    def test_nothing_is_sent_again_once_a_tick_has_passed(self, tmp_path: Path) -> None:
        """The mark of the tick: everything before it was performed."""
        self.life(tmp_path, configured(), Started("t"), LinkUp(LINK), new("b", symbol="NO/THING"), Tick())
        _, after = self.life(tmp_path)
        assert after.events == []

    def test_an_order_that_may_have_left_is_asked_about_and_not_sent_again(self, tmp_path: Path) -> None:
        """The crash was somewhere between the journal and the wire."""
        self.life(tmp_path, configured(), Started("t"), LinkUp(LINK), new())
        engine, recorder = self.life(tmp_path, configured(), Started("t"), LinkUp(LINK))
        assert [type(event).__name__ for kind, event in recorder.events if kind == "submit"] == ["Ask"]
        assert next(iter(engine.state.blotter.orders.values())).base is OrdStatus.PENDING_NEW

    def test_old_orders_are_judged_by_the_rules_of_their_time(self, tmp_path: Path) -> None:
        """The configuration is in the journal: another one today changes nothing that was decided yesterday."""
        first, _ = self.life(tmp_path, configured(), Started("t"), LinkUp(LINK), new())
        second, _ = self.life(tmp_path, Configured(), Started("t"))
        assert [each.base for each in second.state.blotter.orders.values()] == [each.base for each in first.state.blotter.orders.values()]
        assert len(list(read(tmp_path))) == 6
