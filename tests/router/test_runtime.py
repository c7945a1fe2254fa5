"""The runtime: journal, then apply, then perform; and what a crash between them leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from router.engine import Engine
from router.journal import JournalWriter, read
from router.model import (
    Accepted,
    CancelOrder,
    CancelReject,
    ExecutionReport,
    Filled,
    Input,
    LinkDown,
    LinkUp,
    NewOrder,
    Started,
    Stopped,
    Tick,
    VenueCommand,
)
from router.ports import Unsendable
from router.rules import Configured
from router.runtime import Runtime, recover
from router.words import OrdStatus, OrdType, Side
from tests.router.desk import LINK, SECOND, SESSION, D, configured


class Recorder:
    """A client side, a venue and a journal that write down what reaches them, in one list."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []
        self.minted = 0
        self.unsendable = ""
        self.disk_full = False

    def report(self, message: ExecutionReport | CancelReject, possibly_resent: bool = False) -> None:
        self.events.append(("resent" if possibly_resent else "report", message))

    def mint(self, now: int) -> str:
        self.minted += 1
        return f"v{self.minted}"

    def submit(self, command: VenueCommand) -> None:
        if self.unsendable:
            raise Unsendable(self.unsendable)
        self.events.append(("submit", command))

    def append(self, event: Input, now: int) -> None:
        if self.disk_full:
            raise OSError("No space left on device")
        self.events.append(("journal", event))

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
