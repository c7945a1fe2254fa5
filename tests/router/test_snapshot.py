"""Snapshots: whoever goes on from one says the very same as who replayed everything, and one that is not good is never used."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router import recovery, snapshot
from router.acts import BustTrade
from router.engine import Engine
from router.journal import JournalCorrupt, JournalWriter, read
from router.model import Accepted, CancelRejected, Effect, Started, Tick
from router.order import Leg, Order, Pending
from router.recovery import Busy, Tail, begin, compact, newest, rebuilt, recover, saved
from router.segments import Record, numbered
from router.snapshot import SnapshotUnfit, dump, load, uncovered
from router.state import State
from router.words import CxlRejReason, TimeInForce
from tests.router.desk import SECOND, D, Desk
from tests.router.test_histories import CONFIG, play, steps

SMALL: dict[str, Any] = {"segment_bytes": 1200, "reserve_bytes": 4000}
DAY = 86_400 * SECOND


# --- bytes and back -----------------------------------------------------------------------------------------------------


def test_no_attribute_is_forgotten() -> None:
    """Add it to the end of its table in router/snapshot.py, with the default that its absence in an older snapshot means."""
    assert uncovered() == []


def test_a_forgotten_attribute_makes_no_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better a slow start than a book with a hole."""

    class Grown(State):
        def __init__(self) -> None:
            super().__init__()
            self.brand_new = 1

    monkeypatch.setattr(snapshot, "State", Grown)
    assert uncovered() == ["Grown.brand_new"]
    with pytest.raises(SnapshotUnfit, match=r"Grown\.brand_new"):
        dump(Grown(), [])


def picture(thing: Any, seen: dict[int, int]) -> Any:
    """Everything there is in a book, by value; what is met again is told by when it was met first, so that sharing shows."""
    if isinstance(thing, Order | Leg | Pending):
        if id(thing) in seen:
            return ("again", seen[id(thing)])
        seen[id(thing)] = len(seen)
        return (type(thing).__name__, {name: picture(getattr(thing, name), seen) for name in type(thing).__slots__})
    if isinstance(thing, dict):
        return [(key, picture(value, seen)) for key, value in thing.items()]
    if isinstance(thing, list | tuple) and not isinstance(thing, msgspec.Struct):
        return [picture(each, seen) for each in thing]
    return thing


def pictured(state: State) -> dict[str, Any]:
    """Indexes are compared without their order, which nobody goes by; all else with it. Routes are made from the configuration, an order's
    keys from the indexes."""
    seen: dict[int, int] = {}
    blotter = {name: picture(value, seen) for name, value in vars(state.blotter).items() if name != "_keys"}
    blotter = {name: sorted(value, key=lambda each: each[0]) if name.startswith("_") else value for name, value in blotter.items()}
    policy = {name: value for name, value in vars(state.policy).items() if name != "routes"}
    rest = {name: value for name, value in vars(state).items() if name not in ("blotter", "policy")}
    return {"blotter": blotter, "policy": policy, **rest}


def carried_on(engine: Engine, inputs: list[tuple[int, Any]]) -> list[Effect]:
    return [effect for now, event in inputs for effect in engine.apply(event, now)]


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, min_size=1, max_size=25), st.data())
def test_going_on_from_a_snapshot_is_going_on(history: list[tuple[Any, ...]], data: st.DataObject) -> None:
    """At any cut: the same effects, and the same book, down to what is shared and what comes first."""
    desk = Desk(**deepcopy(CONFIG))
    for step in history:
        play(desk, step)
    cut = data.draw(st.integers(0, len(desk.inputs)))
    whole, part = Engine(), Engine()
    carried_on(whole, desk.inputs[:cut])
    part.state, _ = load(dump(whole.state, []))
    assert pictured(part.state) == pictured(whole.state)
    part.state.blotter.check()
    assert carried_on(part, desk.inputs[cut:]) == carried_on(whole, desk.inputs[cut:])
    assert pictured(part.state) == pictured(whole.state)


@settings(max_examples=80, deadline=None)
@given(st.lists(steps, min_size=1, max_size=15))
def test_at_every_cut_of_a_history(history: list[tuple[Any, ...]]) -> None:
    """A snapshot after each single input, each loaded from the one before."""
    desk = Desk(**deepcopy(CONFIG))
    for step in history:
        play(desk, step)
    engine, said = Engine(), []
    for each in desk.inputs:
        said += carried_on(engine, [each])
        engine.state, _ = load(dump(engine.state, []))
    assert said == desk.said
    assert pictured(engine.state) == pictured(desk.engine.state)


def test_legs_and_what_waits_come_back_as_they_were() -> None:
    """Executions of a leg that is over and of the present one, taken back after the snapshot; a request that waits."""
    desk = Desk(**deepcopy(CONFIG))
    desk.new("a1", time_in_force=TimeInForce.DAY)
    desk.accept(1)
    desk.fill("0.3", number=1, exec_id="x1")
    desk.replace("r1", "a1", qty="3")
    desk.end(1, cum_qty=D("0.3"), avg_px=D(100))
    desk.apply(Accepted(account="acc", exec_id="n2", venue_cl_ord_id="wr1", venue_order_id="o2"))
    desk.fill("0.5", px="99", number=2, exec_id="x2")
    desk.cancel("c1", "r1")
    desk.replace("r2", "r1", qty="4")
    desk.mass_cancel()
    order = desk.order("a1")
    assert len(order.former) == 1
    assert [type(each).__name__ for each in order.waiting] == ["ReplaceOrder"]
    again = Engine()
    again.state, _ = load(dump(desk.engine.state, []))
    assert pictured(again.state) == pictured(desk.engine.state)
    busts = [BustTrade(order_id=order.order_id, exec_id=exec_id, text="never was", by="somebody") for exec_id in list(order.executions)]
    rejected = CancelRejected(account="acc", venue_order_id="o2", reason=CxlRejReason.OTHER)
    for number, event in enumerate([*busts, rejected, Started("again")], start=1):
        assert again.apply(event, desk.now + number) == desk.engine.apply(event, desk.now + number)
    again.state.blotter.check()
    assert pictured(again.state) == pictured(desk.engine.state)


def test_what_is_no_state_is_refused() -> None:
    """Whatever the bytes are."""
    good = dump(Desk().engine.state, [])
    for bad in (b"", b"\x00", good[: len(good) // 2], b"\xc1" + good[1:]):
        with pytest.raises(SnapshotUnfit):
            load(bad)


# --- beside the journal -------------------------------------------------------------------------------------------------


def busy_desk(orders: int = 12) -> Desk:
    """Orders in many states."""
    desk = Desk()
    for n in range(1, orders + 1):
        desk.new(f"a{n}", price=None if n % 5 == 0 else 100)
        if n % 5:
            desk.accept(n)
        if n % 2:
            desk.fill("0.4", number=n)
        if n % 3 == 0:
            desk.cancel(f"c{n}", f"a{n}")
    return desk


def journaled(folder: Path, desk: Desk, **how: Any) -> None:
    """A journal of what the desk has had, in many small files."""
    writer = JournalWriter(folder, **{**SMALL, **how})
    already = sum(1 for _ in writer.replay())
    for now, event in desk.inputs[already:]:
        writer.append(event, now)
        writer.tend()
    writer.close()


def silent(_: str) -> None:
    """Nobody listens."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    journaled(tmp_path, busy_desk())
    return tmp_path


def same_as_replay(folder: Path, note: Any = silent) -> None:
    """A start from what is there gives the book and the reports that replay of everything gives."""
    whole = Engine()
    unsure = recover(whole, read(folder))
    writer = JournalWriter(folder, **SMALL)
    engine, told = begin(writer, note)
    writer.close()
    assert told == unsure
    assert pictured(engine.state) == pictured(whole.state)
    assert pictured(rebuilt(folder, silent).state) == pictured(whole.state)


def test_a_start_goes_on_from_the_snapshot(folder: Path) -> None:
    """And reads only the files after it."""
    done = compact(folder, silent)
    assert done.snapshot is not None
    assert done.orders > 0
    last = max(numbered(folder))
    assert list(saved(folder)) == [last - 1]
    numbered(folder)[2].rename(folder / "hidden")
    writer = JournalWriter(folder, **SMALL)
    engine, _ = begin(writer, silent)
    writer.close()
    (folder / "hidden").rename(folder / "journal-000002.log")
    whole = Engine()
    recover(whole, read(folder))
    assert pictured(engine.state) == pictured(whole.state)


def test_compacting_again_does_nothing_and_more_files_make_the_next(folder: Path) -> None:
    """From the last one on; two are kept."""
    compact(folder, silent)
    assert compact(folder, silent).snapshot is None
    for orders in (16, 20, 24):
        journaled(folder, busy_desk(orders))
        assert compact(folder, silent).snapshot is not None
        same_as_replay(folder)
    assert len(saved(folder)) == recovery.KEEP


def test_nothing_is_closed_in_a_journal_of_one_file(tmp_path: Path) -> None:
    """And an empty folder has none."""
    assert compact(tmp_path, silent).snapshot is None
    journaled(tmp_path, Desk(), segment_bytes=100_000)
    assert compact(tmp_path, silent).snapshot is None


class TestBadSnapshots:
    """Each is passed over, and said; the start is as good as without it."""

    def check(self, folder: Path, why: str) -> None:
        notes: list[str] = []
        same_as_replay(folder, notes.append)
        assert len(notes) == 1
        assert why in notes[0]

    def newest(self, folder: Path) -> Path:
        compact(folder, silent)
        return next(iter(saved(folder).values()))

    def test_a_changed_byte(self, folder: Path) -> None:
        """Anywhere."""
        path = self.newest(folder)
        good = path.read_bytes()
        for at in range(0, len(good), len(good) // 40):
            bad = bytearray(good)
            bad[at] ^= 0x01
            path.write_bytes(bad)
            assert newest(folder, silent) is None, f"byte {at}"
        self.check(folder, "passed over")

    def test_one_cut_short(self, folder: Path) -> None:
        """By a disk that lost its end."""
        path = self.newest(folder)
        path.write_bytes(path.read_bytes()[:-10])
        self.check(folder, "its checksum does not fit")

    def test_one_from_the_future(self, folder: Path) -> None:
        """Of a version that is not known here."""
        path = self.newest(folder)
        path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":9', 1))
        self.check(folder, "version 9")

    def test_one_of_another_file_or_another_journal(self, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        """It would join on to records that followed from something else."""
        path = self.newest(folder)
        other = path.with_name("snapshot-000002.bin")
        path.rename(other)
        self.check(folder, "named as of 2")
        other.unlink()
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        desk = Desk()
        desk.later(5)
        for n in range(1, 13):
            desk.new(f"z{n}")
        journaled(elsewhere, desk)
        stranger = self.newest(elsewhere)
        stranger.rename(folder / stranger.name)
        self.check(folder, "another journal")

    def test_the_one_before_is_used(self, folder: Path) -> None:
        """Before the journal's beginning is."""
        compact(folder, silent)
        first = max(saved(folder))
        journaled(folder, busy_desk(20))
        path = self.newest(folder)
        path.write_bytes(b"not a snapshot")
        restored = newest(folder, silent)
        assert restored is not None
        assert restored.mark.segment == first
        self.check(folder, "does not begin like a snapshot")


class TestRetention:
    def grown(self, folder: Path) -> list[Path]:
        compact(folder, silent)
        first = list(numbered(folder).values())
        journaled(folder, busy_desk(24))
        return first

    def test_files_go_that_are_old_and_covered(self, folder: Path) -> None:
        """By two snapshots; the start is the same as before."""
        first = self.grown(folder)
        whole = Engine()
        recover(whole, read(folder))
        later = Desk().now + 3 * DAY
        assert compact(folder, silent, keep_days=4, now=lambda: later).removed == []
        done = compact(folder, silent, keep_days=2, now=lambda: later)
        assert done.removed == first[:-1]
        assert min(numbered(folder)) == len(first)
        writer = JournalWriter(folder, **SMALL)
        engine, _ = begin(writer, silent)
        writer.close()
        assert pictured(engine.state) == pictured(whole.state)

    def test_nothing_goes_on_the_word_of_one_snapshot(self, folder: Path) -> None:
        """It could turn out bad."""
        assert compact(folder, silent, keep_days=0, now=lambda: Desk().now + 9 * DAY).removed == []

    def test_without_snapshots_what_is_left_is_not_started_from(self, folder: Path) -> None:
        """The book before it is gone: the router says so and stands still."""
        self.grown(folder)
        compact(folder, silent, keep_days=0, now=lambda: Desk().now + 9 * DAY)
        for path in saved(folder).values():
            path.unlink()
        writer = JournalWriter(folder, **SMALL)
        with pytest.raises(JournalCorrupt, match="is missing before it"):
            begin(writer, silent)
        writer.close()


def test_a_journal_whose_end_is_missing_stops_the_start(folder: Path) -> None:
    """A snapshot remembers that there was more; without one nobody could know."""
    compact(folder, silent)
    last = max(numbered(folder))
    numbered(folder)[last].unlink()
    writer = JournalWriter(folder, **SMALL)
    with pytest.raises(JournalCorrupt, match=f"file {last} of the journal is missing"):
        begin(writer, silent)
    writer.close()


def test_two_at_once(folder: Path) -> None:
    """The second leaves the first alone."""
    with recovery._alone(folder), pytest.raises(Busy):
        compact(folder, silent)
    assert compact(folder, silent).snapshot is not None


def compact_for_ever(folder: Path) -> None:
    while True:
        compact(folder, silent)
        for path in saved(folder).values():
            path.unlink()


def dies_at(folder: Path, what: type | Any, name: str) -> int:
    """Compact in a child that is killed as it calls a function of the system; returns how the child ended."""
    child = os.fork()
    if child == 0:
        setattr(what, name, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        compact(folder, silent)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(("what", "name"), [(os, "fsync"), (Path, "rename")])
def test_killed_before_it_is_whole_there_is_none(folder: Path, what: Any, name: str) -> None:
    """Right before the disk has it, and right before it gets its name."""
    assert dies_at(folder, what, name) == -signal.SIGKILL
    assert saved(folder) == {}
    assert len(list(folder.glob("*.draft"))) == 1
    assert compact(folder, silent).snapshot is not None
    assert not list(folder.glob("*.draft"))


def test_killed_at_any_moment_it_leaves_a_whole_snapshot_or_none(folder: Path) -> None:
    """Half a draft is not taken for one, and is cleared away by the next."""
    for moment in range(12):
        child = multiprocessing.get_context("fork").Process(target=compact_for_ever, args=(folder,))
        child.start()
        time.sleep(0.01 + moment * 0.004)  # any moment will do, and each is another
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        notes: list[str] = []
        same_as_replay(folder, notes.append)
        assert notes == []
    compact(folder, silent)
    assert not list(folder.glob("*.draft"))


# --- reports that may not have left -------------------------------------------------------------------------------------


def test_reports_of_the_last_input_before_a_snapshot_are_told_again(tmp_path: Path) -> None:
    """The router died right after it began a file: nothing in it says yet that they were handed over."""
    desk = busy_desk()
    desk.new("z", price=None)
    journaled(tmp_path, desk, segment_bytes=100_000)
    writer = JournalWriter(tmp_path, segment_bytes=10, reserve_bytes=4000)
    list(writer.replay())
    writer._turn(writer._position.mark)
    writer.close()
    assert compact(tmp_path, silent).snapshot is not None
    writer = JournalWriter(tmp_path, **SMALL)
    _, unsure = begin(writer, silent)
    assert [each.cl_ord_id for each in unsure] == ["z"]
    writer.append(Tick(), desk.now + 1)
    writer.close()
    writer = JournalWriter(tmp_path, **SMALL)
    assert begin(writer, silent)[1] == []
    writer.close()


def test_reports_are_unsure_until_a_record_says_that_they_left() -> None:
    """Several inputs may be journaled before the first one's reports leave."""
    desk = Desk()
    said = [desk.new(f"b{n}", price=None) for n in range(3)]
    tail = Tail()
    for sequence, effects in enumerate(said, start=1):
        tail.take(Record(sequence, sequence, Tick(), 0), effects)
    assert tail.reports == [effect for effects in said for effect in effects]
    tail.take(Record(4, 4, Tick(), 2), [])
    assert tail.reports == said[2]
    tail.take(Record(5, 5, Tick()), [])
    assert tail.reports == []
