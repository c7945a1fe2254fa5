"""The journal: what is written is there after any crash, and what is wrong with it is said, not guessed around."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from router.engine import Engine
from router.journal import JournalCorrupt, JournalLocked, JournalWriter, Record, read
from router.model import LinkUp, NewOrder, Tick
from router.recovery import recover
from router.segments import MIGRATIONS, VERSION
from router.words import Side

SAMPLE = Path(__file__).parent / "samples" / "journal-version-1.log"


def order(n: int) -> NewOrder:
    return NewOrder(session="s", cl_ord_id=f"ü{n}", symbol="BTC/USDT", side=Side.SELL, order_qty=Decimal("0.10"), echo={"5001": "a\x7fb"})


SMALL: dict[str, Any] = {"segment_bytes": 1000, "reserve_bytes": 4000}


def written(folder: Path, count: int, **how: Any) -> list[Record]:
    writer = JournalWriter(folder, **how)
    records = list(writer.replay())
    for n in range(len(records), count):
        writer.append(order(n), 1000 + n)
        records.append(Record(n + 1, 1000 + n, order(n)))
    writer.close()
    return records


def the_file(folder: Path) -> Path:
    return sorted(folder.glob("journal-*.log"))[-1]


def test_what_is_written_is_read_back_exactly(tmp_path: Path) -> None:
    """Decimals keep their digits, texts their characters."""
    records = written(tmp_path, 5)
    assert list(read(tmp_path)) == records
    assert str(records[0].event.order_qty) == "0.10"  # type: ignore[union-attr]


def test_a_second_life_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    """Sequence and checksum run through."""
    written(tmp_path, 3)
    assert [each.sequence for each in written(tmp_path, 6)] == [1, 2, 3, 4, 5, 6]
    assert len(list(read(tmp_path))) == 6


def test_it_goes_on_in_a_new_file_when_one_is_full(tmp_path: Path) -> None:
    """The checksum runs on over the files."""
    records = written(tmp_path, 40, **SMALL)
    assert len(list(tmp_path.glob("journal-*.log"))) > 3
    assert list(read(tmp_path)) == records
    assert [each.sequence for each in written(tmp_path, 45, **SMALL)] == list(range(1, 46))


@pytest.mark.parametrize("cut", [1, 2, 9, 10, 30])
def test_a_last_line_cut_short_is_dropped_and_said(tmp_path: Path, cut: int) -> None:
    """Nothing followed from it."""
    written(tmp_path, 3)
    path = the_file(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    writer = JournalWriter(tmp_path)
    assert [each.sequence for each in writer.replay()] == [1, 2]
    assert writer.torn_bytes > 0
    writer.append(Tick(), 2000)
    writer.close()
    assert [each.sequence for each in read(tmp_path)] == [1, 2, 3]


@pytest.mark.parametrize("torn", [b"", b"1", b"12345678 [4,", b'12345678 [4,18,{"type":"ti\0\0\0'])
def test_zeros_at_the_end_are_space_and_not_a_tear(tmp_path: Path, torn: bytes) -> None:
    """Kept for what comes, and what a file system leaves of a write after a power failure. Only what is no zero is said to be cut off."""
    written(tmp_path, 3)
    with the_file(tmp_path).open("ab") as file:
        file.write(torn + b"\0" * 5000)
    writer = JournalWriter(tmp_path)
    assert len(list(writer.replay())) == 3
    assert writer.torn_bytes == len(torn.rstrip(b"\0"))
    writer.append(order(4), 4)
    writer.close()
    assert [each.sequence for each in read(tmp_path)] == [1, 2, 3, 4]


def test_a_line_after_a_hole_is_no_torn_tail(tmp_path: Path) -> None:
    """Something followed: nobody can say what was in the hole."""
    written(tmp_path, 3)
    path = the_file(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"\0" * len(lines[2]), lines[3]]))
    with pytest.raises(JournalCorrupt, match="line 3"):
        list(read(tmp_path))


def test_a_hole_that_is_filled_while_it_is_read_is_none(tmp_path: Path) -> None:
    """A reader beside a router may see a page as it was and the next as it is: it looks again."""
    records = written(tmp_path, 3)
    path = the_file(tmp_path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"\0" * len(lines[2]), lines[3]]))
    reading = read(tmp_path)
    seen = [next(reading)]
    path.write_bytes(whole)
    assert [*seen, *reading] == records


def test_a_closed_file_may_end_in_zeros_only(tmp_path: Path) -> None:
    """The router died after it made the next file and before it gave the rest of this one back."""
    records = written(tmp_path, 20, **SMALL)
    first = tmp_path / "journal-000001.log"
    good = first.read_bytes()
    first.write_bytes(good + b"\0" * 300)
    assert list(read(tmp_path)) == records
    first.write_bytes(good + b"1234")
    with pytest.raises(JournalCorrupt, match="cut short"):
        list(read(tmp_path))


def test_a_router_that_died_while_it_made_a_file_goes_on(tmp_path: Path) -> None:
    """The draft of the next file is not looked at."""
    written(tmp_path, 3)
    (tmp_path / "next").write_bytes(b"half a head")
    assert len(written(tmp_path, 40, **SMALL)) == len(list(read(tmp_path))) == 40


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    """In the middle or in the last whole line: the start is refused, with the file and what to do, and nothing is changed."""
    written(tmp_path, 3)
    path = the_file(tmp_path)
    good = path.read_bytes()
    for at in range(0, len(good) - 1, 7):
        bad = bytearray(good)
        bad[at] ^= 0x01
        path.write_bytes(bad)
        with pytest.raises(JournalCorrupt, match=r"journal-000001\.log"):
            list(read(tmp_path))
        assert path.read_bytes() == bad


def test_a_missing_line_and_a_missing_file_are_noticed(tmp_path: Path) -> None:
    """Also where every line that is there checks by itself."""
    written(tmp_path / "a", 3)
    path = the_file(tmp_path / "a")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    with pytest.raises(JournalCorrupt):
        list(read(tmp_path / "a"))
    written(tmp_path / "b", 20, **SMALL)
    (tmp_path / "b" / "journal-000002.log").unlink()
    with pytest.raises(JournalCorrupt, match="file 2 of the journal is missing"):
        list(read(tmp_path / "b"))


def test_a_file_of_another_journal_does_not_join_on(tmp_path: Path) -> None:
    """Each file says where it begins."""
    written(tmp_path / "a", 20, **SMALL)
    written(tmp_path / "b", 0)
    other = JournalWriter(tmp_path / "b", **SMALL)
    list(other.replay())
    other.append(Tick(), 1)
    other.close()
    written(tmp_path / "b", 21, **SMALL)
    (tmp_path / "b" / "journal-000002.log").replace(tmp_path / "a" / "journal-000002.log")
    with pytest.raises(JournalCorrupt, match="does not join on"):
        list(read(tmp_path / "a"))


def test_what_is_left_of_a_journal_can_be_read_and_not_started_from(tmp_path: Path) -> None:
    """Tools see the records that are there; a router needs the book before them."""
    records = written(tmp_path, 40, **SMALL)
    (tmp_path / "journal-000001.log").unlink()
    left = list(read(tmp_path))
    assert 0 < len(left) < 40
    assert left == records[-len(left) :]
    writer = JournalWriter(tmp_path)
    with pytest.raises(JournalCorrupt, match="file 1 of the journal is missing"):
        list(writer.replay())
    writer.close()


class TestVersions:
    """`samples/journal-version-1.log` was written by the router before version 2."""

    def sample(self, folder: Path) -> list[Record]:
        folder.mkdir(exist_ok=True)
        shutil.copy(SAMPLE, folder / "journal-000001.log")
        return list(read(folder))

    def test_version_1_is_read(self, tmp_path: Path) -> None:
        """Its inputs give the orders that they gave then."""
        records = self.sample(tmp_path)
        assert [each.sequence for each in records] == list(range(1, 14))
        assert all(each.settled == each.sequence - 1 for each in records)
        engine = Engine()
        recover(engine, records)
        orders = engine.state.blotter.orders.values()
        assert [(each.base, each.cum_qty) for each in orders] == [("partially-filled", Decimal("0.4")), ("rejected", 0), ("new", 0)]

    def test_a_new_router_goes_on_in_a_file_of_its_own_version(self, tmp_path: Path) -> None:
        """An older one, started by mistake, sees by its head that it cannot read it."""
        before = self.sample(tmp_path)
        writer = JournalWriter(tmp_path)
        list(writer.replay())
        writer.append(order(1), before[-1].time + 1)
        writer.close()
        assert (tmp_path / "journal-000001.log").read_bytes() == SAMPLE.read_bytes()
        assert b'"version":2' in (tmp_path / "journal-000002.log").read_bytes()
        assert [each.sequence for each in read(tmp_path)] == list(range(1, 15))

    def test_every_version_has_its_migration(self) -> None:
        """None is skipped, and each leads to the next."""
        assert sorted(MIGRATIONS) == list(range(1, VERSION))


def test_a_newer_journal_is_refused_by_name(tmp_path: Path) -> None:
    """Not read as if it were ours."""
    from zlib import crc32

    body = b'{"type":"fixrouter-journal","version":99,"segment":1}'
    (tmp_path / "journal-000001.log").write_bytes(b"%08x %b\n" % (crc32(body), body))
    with pytest.raises(JournalCorrupt, match="newer fixrouter"):
        list(read(tmp_path))


def test_one_writer_and_any_number_of_readers(tmp_path: Path) -> None:
    """Two routers on one journal would be two truths."""
    writer = JournalWriter(tmp_path)
    list(writer.replay())
    writer.append(LinkUp("l"), 1)
    with pytest.raises(JournalLocked):
        JournalWriter(tmp_path)
    assert len(list(read(tmp_path))) == 1
    writer.close()
    JournalWriter(tmp_path).close()


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """A limit on file sizes stands in for a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def until_full(writer: JournalWriter) -> int:
    """Append until that fails; returns how many were taken."""
    for n in range(100_000):
        try:
            writer.append(order(n), n)
        except OSError:
            return n
    raise AssertionError("it never filled")


def test_a_write_that_fails_half_way_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    """Behind the reserve too: the half is taken back, and later writes join on."""
    writer = JournalWriter(tmp_path, segment_bytes=90, reserve_bytes=110)
    list(writer.replay())
    with no_file_above(190):
        appended = until_full(writer)
        assert "no space" in writer.starved
    assert [each.time for each in read(tmp_path)] == list(range(appended))
    writer.append(Tick(), 9)  # shorter than the half of an order
    assert [each.time for each in read(tmp_path)] == [*range(appended), 9]
    assert the_file(tmp_path).read_bytes().rstrip(b"\0").endswith(b"\n")
    writer.close()


class TestSpace:
    def test_the_space_is_had_before_it_is_needed(self, tmp_path: Path) -> None:
        """A file is whole from the start, and the next is made when this one is half full."""
        writer = JournalWriter(tmp_path, **SMALL)
        list(writer.replay())
        assert the_file(tmp_path).stat().st_size == 5000
        while not (tmp_path / "next").exists():
            writer.append(order(1), writer.time + 1)
            writer.tend()
        assert (tmp_path / "next").stat().st_size == 5000
        writer.close()
        assert not (tmp_path / "next").exists()

    def test_without_space_the_reserve_is_used_and_said(self, tmp_path: Path) -> None:
        """Everything goes on in the file that there is; with space again it goes on in the next."""
        writer = JournalWriter(tmp_path, segment_bytes=4000, reserve_bytes=4000)
        list(writer.replay())
        blocked = tmp_path / "next"
        blocked.mkdir()  # nobody can make a file of this name
        while not writer.starved:
            writer.append(order(1), writer.time + 1)
        for _ in range(3):
            writer.append(order(2), writer.time + 1)
            writer.tend()
            assert "next file" in writer.starved
        assert len(list(tmp_path.glob("*.log"))) == 1
        blocked.rmdir()
        writer.tend()
        assert writer.starved == ""
        writer.append(order(3), writer.time + 1)
        writer.close()
        assert len(list(tmp_path.glob("*.log"))) == 2
        assert [each.sequence for each in read(tmp_path)] == list(range(1, writer._position.sequence + 1))

    def test_a_next_file_that_cannot_get_its_name_is_tried_again(self, tmp_path: Path) -> None:
        """Its space was had; what failed was the last step. Until it succeeds this goes on in the file that there is."""
        writer = JournalWriter(tmp_path, **SMALL)
        list(writer.replay())
        blocked = tmp_path / "journal-000002.log"
        blocked.mkdir()
        for n in range(12):
            writer.tend()
            writer.append(order(n), n)
        assert writer.starved
        blocked.rmdir()
        writer.tend()
        assert writer.starved == "", "a router that is idle takes no orders for ever"
        writer.append(order(12), 12)
        assert writer.starved == ""
        writer.close()
        assert [each.time for each in read(tmp_path)] == list(range(13))
        assert len(list(tmp_path.glob("*.log"))) == 2

    def test_a_file_that_was_closed_is_told_once_and_not_by_append(self, tmp_path: Path) -> None:
        """Who compacts it is not started on the path of orders."""
        told: list[str] = []
        writer = JournalWriter(tmp_path, closed=lambda: told.append("closed"), **SMALL)
        list(writer.replay())
        writer.tend()
        told.clear()
        for n in range(8):
            writer.append(order(n), n)
        assert told == []
        writer.tend()
        writer.tend()
        assert told == ["closed"]
        writer.close()

    def test_a_full_disk(self, tmp_path: Path) -> None:
        """A real one, of 300 KiB: what fits is there, and it goes on when there is space again."""
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(tmp_path)], capture_output=True).returncode:
            pytest.skip("needs mount")
        try:
            writer = JournalWriter(tmp_path / "j", segment_bytes=60_000, reserve_bytes=40_000)
            list(writer.replay())
            ballast = tmp_path / "ballast"
            ballast.write_bytes(b"x" * 150_000)
            appended = until_full(writer)
            assert "No space left" in writer.starved
            assert [each.time for each in read(tmp_path / "j")] == list(range(appended))
            ballast.unlink()
            writer.tend()
            assert writer.starved == ""
            writer.append(order(appended), appended)
            writer.close()
            assert [each.time for each in read(tmp_path / "j")] == list(range(appended + 1))
        finally:
            subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


class TestPower:
    def test_what_was_not_settled_is_said_with_the_next_input(self, tmp_path: Path) -> None:
        """So that a start after a crash knows which reports may not have left."""
        writer = JournalWriter(tmp_path, durability="power")
        list(writer.replay())
        for n in range(3):
            writer.append(order(n), n)
        writer.sync()
        writer.settle(2)
        writer.append(order(3), 3)
        writer.settle(4)
        writer.append(Tick(), 4)
        writer.close()
        settled = [each.sequence - 1 if each.settled < 0 else each.settled for each in read(tmp_path)]
        assert settled == [0, 0, 0, 2, 4]

    def test_after_a_failed_sync_the_lines_are_written_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file system may drop what it could not write, and say nothing at the next sync. The disk is the harness's here."""
        writer = JournalWriter(tmp_path, durability="power")
        list(writer.replay())
        writer.append(order(0), 0)
        writer.sync()
        writer.append(order(1), 1)

        def failing(file: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        with monkeypatch.context() as disk:
            disk.setattr(os, "fdatasync", failing)
            with pytest.raises(OSError, match="Input/output"):
                writer.sync()
        path = the_file(tmp_path)
        data = path.read_bytes()
        lost = data.index(b"\n", data.index(b"\n[1,") if b"\n[1," in data else data.index(b" [1,")) + 1
        path.write_bytes(data[:lost] + b"\0" * (len(data) - lost))
        assert len(list(read(tmp_path))) == 1
        writer.sync()
        assert len(list(read(tmp_path))) == 2
        writer.close()

    def holed(self, folder: Path, settled: int, hole: slice) -> int:
        """The later records say that so much was settled when they were written; a part of the file is lost. Returns how many records
        the next start finds."""
        writer = JournalWriter(folder, durability="power")
        list(writer.replay())
        for n in range(1, 7):
            writer.settle(min(n - 1, settled))
            writer.append(order(n), n)
        writer.close()
        path = the_file(folder)
        lines = path.read_bytes().splitlines(keepends=True)
        lost = b"".join(lines[hole])
        path.write_bytes(path.read_bytes().replace(lost[10:], b"\0" * (len(lost) - 10)))
        again = JournalWriter(folder, durability="power")
        try:
            found = list(again.replay())
            again.append(Tick(), 99)
        finally:
            again.close()
        assert again.torn_bytes > 0
        assert [each.time for each in read(folder)] == [*[each.time for each in found], 99]
        return len(found)

    @pytest.mark.parametrize("hole", [slice(3, 4), slice(3, 6), slice(6, 7)])
    def test_what_was_never_synced_may_be_lost_in_any_order(self, tmp_path: Path, hole: slice) -> None:
        """A power failure: pages come to the disk as they like, until a sync. Nothing followed from any of it, so it is cut off."""
        assert self.holed(tmp_path, 2, hole) == hole.start - 1

    def test_what_was_synced_may_not(self, tmp_path: Path) -> None:
        """A line after the hole says that what was in it had been performed."""
        with pytest.raises(JournalCorrupt, match="does not fit"):
            self.holed(tmp_path, 4, slice(3, 4))

    def test_another_durability_begins_another_file(self, tmp_path: Path) -> None:
        """A file is judged by what was promised when it was written."""
        for durability, files in (("process", 1), ("power", 2), ("power", 2), ("process", 3)):
            writer = JournalWriter(tmp_path, durability=durability)  # type: ignore[arg-type]
            list(writer.replay())
            writer.append(Tick(), writer.time + 1)
            writer.close()
            assert len(list(tmp_path.glob("journal-*.log"))) == files
        assert [each.sequence for each in read(tmp_path)] == [1, 2, 3, 4]

    def test_files_change_under_way(self, tmp_path: Path) -> None:
        """Each line is synced in the file that it is in."""
        records = written(tmp_path, 40, durability="power", **SMALL)
        assert [(each.sequence, each.event) for each in read(tmp_path)] == [(each.sequence, each.event) for each in records]


def test_a_reader_beside_a_writer_sees_a_beginning_of_it_and_nothing_else(tmp_path: Path) -> None:
    """It reads while a child appends as fast as it can, over file after file; never is a line missing, or the journal called corrupt."""
    child = os.fork()
    if child == 0:
        writer = JournalWriter(tmp_path, segment_bytes=20_000, reserve_bytes=20_000)
        list(writer.replay())
        for n in range(20_000):
            writer.append(order(n), n)
            if n % 20 == 0:
                writer.tend()
        os._exit(0)
    seen = 0
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        times = [each.time for each in read(tmp_path)]
        assert times == list(range(len(times)))
        assert len(times) >= seen
        seen = len(times)
    assert len(list(read(tmp_path))) == 20_000


def test_a_writer_killed_at_any_moment_leaves_a_journal_that_reads(tmp_path: Path) -> None:
    """A child writes as fast as it can and is killed; what it had written is there in order."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        writer = JournalWriter(tmp_path)
        list(writer.replay())
        n = 0
        while True:
            writer.append(order(n), n)
            n += 1
            if n == 500:
                os.write(tell, b"x")
    os.read(ready, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    writer = JournalWriter(tmp_path)
    records = list(writer.replay())
    writer.close()
    assert len(records) >= 500
    assert [each.sequence for each in records] == list(range(1, len(records) + 1))
