"""The journal: what is written is there after any crash, and what is wrong with it is said, not guessed around."""

from __future__ import annotations

import os
import resource
import signal
from decimal import Decimal
from pathlib import Path

import pytest

from router import journal as journal_module
from router.journal import JournalCorrupt, JournalLocked, JournalWriter, Record, read
from router.model import LinkUp, NewOrder, Tick
from router.words import Side


def order(n: int) -> NewOrder:
    return NewOrder(session="s", cl_ord_id=f"ü{n}", symbol="BTC/USDT", side=Side.SELL, order_qty=Decimal("0.10"), echo={"5001": "a\x7fb"})


def written(folder: Path, count: int) -> list[Record]:
    writer = JournalWriter(folder)
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


def test_it_goes_on_in_a_new_file_when_one_is_full(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The checksum runs on over the files."""
    full = journal_module.SEGMENT_BYTES
    request.addfinalizer(lambda: setattr(journal_module, "SEGMENT_BYTES", full))
    journal_module.SEGMENT_BYTES = 1000  # type: ignore[misc]
    records = written(tmp_path, 40)
    assert len(list(tmp_path.glob("journal-*.log"))) > 3
    assert list(read(tmp_path)) == records
    assert [each.sequence for each in written(tmp_path, 45)] == list(range(1, 46))


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


def test_zeros_at_the_end_are_a_torn_tail(tmp_path: Path) -> None:
    """What a file system leaves of a write after a power failure."""
    written(tmp_path, 3)
    with the_file(tmp_path).open("ab") as file:
        file.write(b"\0" * 500)
    writer = JournalWriter(tmp_path)
    assert len(list(writer.replay())) == 3
    assert writer.torn_bytes == 500
    writer.close()


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


def test_a_missing_line_and_a_missing_file_are_noticed(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Also where every line that is there checks by itself."""
    written(tmp_path / "a", 3)
    path = the_file(tmp_path / "a")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    with pytest.raises(JournalCorrupt):
        list(read(tmp_path / "a"))
    full = journal_module.SEGMENT_BYTES
    request.addfinalizer(lambda: setattr(journal_module, "SEGMENT_BYTES", full))
    journal_module.SEGMENT_BYTES = 500  # type: ignore[misc]
    written(tmp_path / "b", 20)
    (tmp_path / "b" / "journal-000002.log").unlink()
    with pytest.raises(JournalCorrupt):
        list(read(tmp_path / "b"))


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


def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    """A file size limit stands in for the disk: the write fails half way, the half is taken back, and later writes join on."""
    writer = JournalWriter(tmp_path)
    list(writer.replay())
    writer.append(order(1), 1)
    size = the_file(tmp_path).stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, before[1]))
    try:
        with pytest.raises(OSError, match=r"."):
            writer.append(order(2), 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert the_file(tmp_path).stat().st_size == size
    writer.append(order(3), 3)
    writer.close()
    assert [each.time for each in read(tmp_path)] == [1, 3]


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
