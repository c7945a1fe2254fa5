"""History is a view: filled from the journal, complete, and the same when it is made anew."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from router import journal_commands
from router.history import History
from router.journal import JournalWriter, Record
from router.recovery import compact
from router.segments import numbered
from router.words import CxlRejReason
from tests.router.desk import SECOND, Desk
from tests.system import ROOT


def records() -> tuple[Desk, list[Record]]:
    desk = Desk()
    desk.new()
    desk.accept()
    desk.fill("0.4")
    desk.cancel()
    desk.end()
    desk.new("b", price=None)
    return desk, [Record(number, now, event) for number, (now, event) in enumerate(desk.inputs, start=1)]


def test_an_order_is_found_by_each_of_its_names(tmp_path: Path) -> None:
    """ClOrdID, the cancel's ClOrdID, OrderID, our id at the venue and the venue's."""
    desk, journal = records()
    history = History(tmp_path / "h.sqlite")
    history.fill(journal)
    order_id = desk.order().order_id
    for name in ("a", "c", order_id, "v1", "o1"):
        assert history.find(name) == [order_id]
    assert history.find("nobody") == []


def test_its_life_is_told_in_order_with_what_followed(tmp_path: Path) -> None:
    """Every input that concerned it, and every effect."""
    desk, journal = records()
    history = History(tmp_path / "h.sqlite")
    history.fill(journal)
    life = list(history.life(desk.order().order_id))
    assert [moment.kind for moment in life] == ["NewOrder", "Accepted", "Filled", "CancelOrder", "Canceled"]
    assert [[kind for kind, _ in moment.effects] for moment in life] == [
        ["Send"], ["ExecutionReport"], ["ExecutionReport"], ["Send", "ExecutionReport"], ["ExecutionReport"],
    ]  # fmt: skip
    summary = history.summary(desk.order().order_id)
    assert (summary["ord_status"], summary["cum_qty"]) == ("canceled", "0.4")


def test_a_refused_order_is_in_it_too(tmp_path: Path) -> None:
    """With the reason."""
    desk, journal = records()
    history = History(tmp_path / "h.sqlite")
    history.fill(journal)
    assert "Price(44) is missing" in history.summary(desk.order("b").order_id)["text"]


def test_filled_bit_by_bit_or_at_once_it_is_the_same(tmp_path: Path) -> None:
    """And filling again adds nothing."""
    _, journal = records()
    bits, whole = History(tmp_path / "bits.sqlite"), History(tmp_path / "whole.sqlite")
    for count in range(1, len(journal) + 1):
        assert bits.fill(journal[:count]) == 1
    assert whole.fill(journal) == len(journal)
    assert whole.fill(journal) == 0
    assert [list(history._db.iterdump()) for history in (bits,)] == [list(history._db.iterdump()) for history in (whole,)]


SMALL: dict[str, Any] = {"segment_bytes": 1200, "reserve_bytes": 4000}


def journaled(folder: Path, desk: Desk) -> None:
    """A journal of what the desk has had so far, in small files."""
    writer = JournalWriter(folder, **SMALL)
    already = sum(1 for _ in writer.replay())
    for now, event in desk.inputs[already:]:
        writer.append(event, now)
    writer.close()


def trade(desk: Desk, first: int, last: int) -> None:
    for n in range(first, last + 1):
        desk.new(f"a{n}")
        desk.accept(n)
        desk.fill("0.4", number=n)
        desk.cancel(f"c{n}", f"a{n}")
        desk.reject_cancel(n, reason=CxlRejReason.OTHER)


def rows(history: History) -> list[str]:
    return list(history._db.iterdump())


class TestCatchingUp:
    """From the journal's folder, with as little replay as there can be."""

    def test_from_a_snapshot_it_is_the_same_as_from_the_beginning(self, tmp_path: Path) -> None:
        """Also where only the first half was known before."""
        desk, folder = Desk(), tmp_path / "j"
        trade(desk, 1, 6)
        journaled(folder, desk)
        compact(folder, print)
        history = History(tmp_path / "h.sqlite")
        assert history.catch_up(folder, print) == len(desk.inputs)
        trade(desk, 7, 12)
        journaled(folder, desk)
        numbered(folder)[2].rename(tmp_path / "away")  # what is known is not read again
        assert history.catch_up(folder, print) == 30
        (tmp_path / "away").rename(folder / "journal-000002.log")
        whole = History(tmp_path / "whole.sqlite")
        whole.catch_up(folder, print)
        assert rows(history) == rows(whole)
        assert history.catch_up(folder, print) == 0

    def test_a_snapshot_ahead_of_it_is_not_begun_from(self, tmp_path: Path) -> None:
        """What lies between would be missing."""
        desk, folder = Desk(), tmp_path / "j"
        trade(desk, 1, 3)
        journaled(folder, desk)
        history = History(tmp_path / "h.sqlite")
        history.catch_up(folder, print)
        trade(desk, 4, 9)
        journaled(folder, desk)
        compact(folder, print)
        assert history.catch_up(folder, print) == 30
        assert history.sequence == len(desk.inputs)

    def test_where_the_beginning_is_gone_it_has_what_is_left(self, tmp_path: Path) -> None:
        """And says what is missing; effects are told as they were."""
        desk, folder, said = Desk(), tmp_path / "j", []
        trade(desk, 1, 6)
        journaled(folder, desk)
        compact(folder, print)
        trade(desk, 7, 12)
        journaled(folder, desk)
        assert compact(folder, print, keep_days=1, now=lambda: desk.now + 2 * 86_400 * SECOND).removed
        history = History(tmp_path / "h.sqlite")
        taken = history.catch_up(folder, said.append)
        assert 0 < taken < len(desk.inputs)
        assert "are gone" in said[0]
        (order_id,) = history.find("a12")
        assert history.summary(order_id)["cum_qty"] == "0.4"
        assert len(list(history.fills())) < 12

    def test_a_history_of_another_journal_says_so(self, tmp_path: Path) -> None:
        """After a restore from a backup, say."""
        desk, said = Desk(), []
        journaled(tmp_path / "short", desk)
        trade(desk, 1, 3)
        journaled(tmp_path / "long", desk)
        history = History(tmp_path / "h.sqlite")
        history.catch_up(tmp_path / "long", print)
        assert history.catch_up(tmp_path / "short", said.append) == 0
        assert "journal rebuild" in said[0]

    def test_an_older_history_is_made_anew(self, tmp_path: Path) -> None:
        """It is only a view."""
        old = sqlite3.connect(tmp_path / "h.sqlite")
        old.executescript("CREATE TABLE inputs (sequence INTEGER); INSERT INTO inputs VALUES (99)")
        old.close()
        assert History(tmp_path / "h.sqlite").sequence == 0

    def test_two_that_fill_at_once_take_turns(self, tmp_path: Path) -> None:
        """Everything is in it once."""
        desk = Desk()
        trade(desk, 1, 40)
        journaled(tmp_path / "j", desk)

        def fill(_: int) -> int:
            history = History(tmp_path / "h.sqlite")
            try:
                return history.catch_up(tmp_path / "j", print)
            finally:
                history.close()

        History(tmp_path / "h.sqlite").close()
        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(fill, range(4))) == [0, 0, 0, len(desk.inputs)]


def test_fills_and_rejects_since_a_time(tmp_path: Path) -> None:
    """As they were told, oldest first."""
    desk = Desk()
    trade(desk, 1, 2)
    desk.new("bad", price=None)
    middle = desk.now
    trade(desk, 4, 4)
    history = History(tmp_path / "h.sqlite")
    history.fill([Record(number, now, event) for number, (now, event) in enumerate(desk.inputs, start=1)])
    assert [(each["cl_ord_id"], each["last_qty"]) for each in history.fills()] == [("a1", "0.4"), ("a2", "0.4"), ("a4", "0.4")]
    assert [each["cl_ord_id"] for each in history.rejects()] == ["c1", "c2", "bad", "c4"]
    assert [each["cl_ord_id"] for each in history.fills(middle + 1)] == ["a4"]
    assert [each["cl_ord_id"] for each in history.rejects(middle + 1)] == ["c4"]


def test_a_name_is_kept_though_the_order_lost_it(tmp_path: Path) -> None:
    """The ClOrdID of a cancel that was refused, taken in together with what came after it."""
    desk = Desk()
    trade(desk, 1, 1)
    history = History(tmp_path / "h.sqlite")
    history.fill([Record(number, now, event) for number, (now, event) in enumerate(desk.inputs, start=1)])
    assert history.find("c1") == [desk.order("a1").order_id]


class TestCommands:
    """`fixrouter journal`, on a journal that no router has open."""

    @pytest.fixture
    def state(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        desk = Desk()
        trade(desk, 1, 8)
        journaled(tmp_path / "var" / "journal", desk)
        return tmp_path / "var"

    def run(self, *words: str) -> tuple[int, str]:
        """In a process of its own, as commands end theirs; both outputs together."""
        config = ROOT / "config" / "demo" / "router.toml"
        output = Path("output")
        child = os.fork()
        if child == 0:
            both = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(both, 1)
            os.dup2(both, 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            try:
                journal_commands.journal([*words, "--config", str(config)])
            except SystemExit as done:
                sys.stdout.flush()
                os._exit(int(done.code or 0))
            finally:
                os._exit(99)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), output.read_text()

    def test_verify(self, state: Path) -> None:
        """0, or 2 with the file and the line."""
        code, said = self.run("verify")
        assert (code, "8 orders: every checksum fits, the book checks" in said) == (0, True)
        path = numbered(state / "journal")[3]
        path.write_bytes(path.read_bytes().replace(b"acc", b"abc", 1))
        code, said = self.run("verify")
        assert (code, "journal-000003.log" in said) == (2, True)

    def test_compact(self, state: Path) -> None:
        """A snapshot, and nothing the second time."""
        assert self.run("compact")[1].endswith("with 8 orders\n")
        assert self.run("compact") == (0, "nothing new to keep\n")
        assert self.run("verify")[0] == 0
        (snapshot,) = (state / "journal").glob("snapshot-*.bin")
        snapshot.write_bytes(b"not one")
        code, said = self.run("verify")
        assert (code, "is passed over" in said, "every checksum fits" in said) == (1, True, True)

    def test_find_as_json(self, state: Path) -> None:
        """The order and its life."""
        code, said = self.run("find", "c3", "--json")
        (found,) = json.loads(said)
        assert (code, found["order"]["cl_ord_id"]) == (0, "a3")
        assert [each["kind"] for each in found["life"]] == ["NewOrder", "Accepted", "Filled", "CancelOrder", "CancelRejected"]
        assert self.run("find", "nobody", "--json") == (1, "[]\nno order has the id nobody\n")

    def test_fills_and_rejects(self, state: Path) -> None:
        """A line each, or JSON; since a time."""
        lines = self.run("fills", "--since", "2026-01-01")[1].splitlines()
        assert len(lines) == 8
        assert "buy 0.4 BTC/USDT @ 100" in lines[0]
        told = [json.loads(line) for line in self.run("rejects", "--since", "2026-01-01", "--json")[1].splitlines()]
        assert [each["cl_ord_id"] for each in told] == [f"c{n}" for n in range(1, 9)]
        assert self.run("fills", "--since", "2099-01-01T10:00") == (0, "")
        assert self.run("fills", "--since", "yesterday")[0] == 2

    def test_rebuild_says_what_was_wrong_with_the_old_one(self, state: Path) -> None:
        """And puts a right one in its place."""
        assert "there was no history before" in self.run("rebuild")[1]
        assert "it is the same" in self.run("rebuild")[1]
        wrong = sqlite3.connect(state / "history.sqlite")
        wrong.execute("DELETE FROM told WHERE sequence = (SELECT min(sequence) FROM told)")
        wrong.commit()
        wrong.close()
        assert "told: 1 rows are only in this one, 0 only in the other" in self.run("rebuild")[1]
        (state / "history.sqlite").write_text("this is not a database, and long enough to be taken for one" * 20)
        assert "cannot be read" in self.run("rebuild")[1]
        assert self.run("find", "a1")[0] == 0
        assert not (state / "history.new.sqlite").exists()
