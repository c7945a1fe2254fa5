"""A journal with random damage: the same records up to a torn tail, or `JournalCorrupt` with file and line; never anything else, and never
another record. Where its first files are gone, it begins later: what is not there any more was put into a snapshot."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router.journal import JournalCorrupt, JournalWriter, Record, read
from router.model import Tick
from tests.fuzz.tape import Tape
from tests.router.test_journal import order


def written(folder: Path, count: int) -> list[Record]:
    """A journal of several segments."""
    writer = JournalWriter(folder, segment_bytes=1000, reserve_bytes=4000)
    records = list(writer.replay())
    for n in range(count):
        event = Tick() if n % 3 == 2 else order(n)
        writer.append(event, 1000 + n)
        records.append(Record(n + 1, 1000 + n, event))
    writer.close()
    return records


def damaged(data: bytes, tape: Tape) -> bytes:
    """A file with something wrong with it."""
    at = tape.below(min(len(data), 65_000) + 1)
    match tape.below(8):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + tape.raw(6) + data[at + tape.below(8) :]
        case 2:
            return data + tape.raw(40)
        case 3:
            return data[:at] + bytes([tape.below(256)]) + data[at + 1 :]
        case 4:
            return data[:at] + b"\n" + data[at:]
        case 5:
            return data[:at] + data[at // 2 :]
        case 6:
            return data[:at] + b"\x00" * tape.below(500)
        case _:
            return data[:at] + b"[" * 300 + data[at:]


def spoil(folder: Path, tape: Tape) -> None:
    """Damage some of its files; sometimes one is gone, or a stranger is there."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    for _ in range(1 + tape.below(3)):
        file = tape.pick(files)
        if tape.maybe(12):
            file.unlink(missing_ok=True)
        elif file.exists():
            file.write_bytes(damaged(file.read_bytes(), tape))
    if tape.maybe(10):
        (folder / "journal-garbage.log").write_bytes(tape.raw(40))


def read_damaged(data: bytes) -> None:
    """What the tape has, done to a journal of ten records."""
    with TemporaryDirectory() as name:
        folder, tape = Path(name) / "journal", Tape(data)
        records = written(folder, 10)
        spoil(folder, tape)
        found: list[Record] = []
        try:
            for each in read(folder):
                found.append(each)  # noqa: PERF402 - what came before it raised counts
        except JournalCorrupt as corrupt:
            assert "journal" in str(corrupt) and str(corrupt).isprintable(), corrupt
        gone = records.index(found[0]) if found and not (folder / "journal-000001.log").exists() else 0
        assert found == records[gone : gone + len(found)], "a damaged journal told something that was never written"


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(min_size=6, max_size=60))
def test_a_damaged_journal_is_read_truly_or_not_at_all(data: bytes) -> None:
    """Cut, overwritten, doubled, filled with zeros, with a file gone."""
    read_damaged(data)


def test_a_file_that_begins_with_brackets_is_corrupt(tmp_path: Path) -> None:
    """The first line of a file is read before its checksum is known to be right."""
    records = written(tmp_path, 10)
    (tmp_path / "journal-000001.log").unlink()
    (tmp_path / "journal-000002.log").write_bytes(b'733f0174 {"type":' + b"[" * 3_000 + b"\n")
    with pytest.raises(JournalCorrupt):
        assert list(read(tmp_path)) != records
