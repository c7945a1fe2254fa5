"""The journal's files as they lie on the disk, and how they are read. `journal.py` writes them.

Layout: `journal-000001.log`, `journal-000002.log`, …, each of lines `CHECKSUM JSON`. The first line of a file is its head; every other is a
record, `[sequence, time in ns UTC, input]`, with a fourth number where inputs were still to be performed when it was written: the last
sequence that was. The checksum is CRC-32 of the JSON and of everything before it (each starts from the last, over the files' ends), so a
line that is missing, moved or changed shows. A head says where its file begins, so a file can be read without those before it.

Rules:

1. A file may end in zeros: space that is kept for what comes. Before them there may be one line without its end, in the last file only: a
   write that a crash cut short. Nothing followed from it. In a file whose inputs are synced before anything follows from them, there may be
   whole pages missing before lines that are there, after a power failure: none of it was synced, as long as no line says otherwise.
2. Anything else that does not check is `JournalCorrupt`. Guessing about orders is worse than standing still.
3. A file is closed when there is one after it; nothing is ever written to a closed file.
4. Files of older versions are read by `MIGRATIONS`, a step a version; a newer one is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgspec

from router.model import Input

__all__ = [
    "MIGRATIONS",
    "START",
    "VERSION",
    "Head",
    "JournalCorrupt",
    "Mark",
    "Position",
    "Record",
    "head_of",
    "last_sequence",
    "numbered",
    "read",
    "walk",
]

VERSION: Final = 2
_READ_AGAIN: Final = 5
"""How often a tail that does not check is looked at again: a router may be writing it while we read."""


class JournalCorrupt(Exception):
    """The journal does not check; the message names file, line and what to do."""


class Record(NamedTuple):
    """One input as it was journaled."""

    sequence: int
    time: int
    event: Input
    settled: int = -1
    """Every effect up to this sequence had been performed when it was written; -1: up to the one before."""


class Mark(NamedTuple):
    """The end of a file: where reading can begin when everything before is known."""

    segment: int
    sequence: int
    time: int
    checksum: int


START: Final = Mark(0, 0, 0, 0)


class Head(msgspec.Struct, frozen=True, tag="fixrouter-journal"):
    """The first line of a file. Of a version 1 file the last three are not known: -1."""

    version: int
    segment: int
    sequence: int = -1
    """Of the last record before this file."""
    time: int = -1
    """Of that record."""
    before: int = -1
    """The checksum that this file's first begins from."""
    synced: bool = False
    """Nothing followed from an input before it was synced."""


class _Line(msgspec.Struct, array_like=True, frozen=True):
    sequence: int
    time: int
    event: Input
    settled: int = -1


def _version_2(line: list[Any]) -> list[Any]:
    """Version 1 had no fourth number: inputs were performed before the next was taken."""
    return [*line, line[0] - 1]


MIGRATIONS: Final[dict[int, Callable[[list[Any]], list[Any]]]] = {1: _version_2}
"""By version: what makes a record of the next version of one of this."""

_decode: Final = msgspec.json.Decoder(_Line).decode
_decode_any: Final = msgspec.json.Decoder().decode
_decode_head: Final = msgspec.json.Decoder(Head).decode


class Position:
    """Where reading has got to, and where writing goes on."""

    def __init__(self, mark: Mark = START) -> None:
        self.segment, self.sequence, self.time, self.checksum = mark
        self.path: Path | None = None
        self.version = VERSION
        self.synced = False
        self.lines = 0
        self.good_bytes = 0
        self.torn_bytes = 0

    @property
    def mark(self) -> Mark:
        """The end of the file that was read last."""
        return Mark(self.segment, self.sequence, self.time, self.checksum)

    def enter(self, number: int, path: Path) -> None:
        """A file begins."""
        self.segment, self.path, self.lines, self.good_bytes = number, path, 0, 0
        self.version, self.synced = VERSION, False


def numbered(folder: Path) -> dict[int, Path]:
    """The journal's files by number, in order."""
    found = {int(path.stem[8:]): path for path in folder.glob("journal-*.log") if path.stem[8:].isdigit()}
    return dict(sorted(found.items()))


def head_of(path: Path) -> Head | None:
    """What a file says of itself, unchecked; None where that cannot be read."""
    try:
        with path.open("rb") as file:
            return _decode_head(file.readline()[9:-1])
    except (OSError, msgspec.DecodeError, RecursionError, ValueError):
        return None


def last_file(folder: Path) -> Mark | None:
    """Where the last file begins, by its own word; None where it does not say, or there is none."""
    files = numbered(folder)
    number = max(files, default=0)
    head = head_of(files[number]) if number else None
    return Mark(number - 1, head.sequence, head.time, head.before) if head is not None and head.before >= 0 else None


def last_sequence(folder: Path) -> int:
    """The number of the last record; -1 where the last file does not say where it begins. Raises `JournalCorrupt`."""
    begins = last_file(folder)
    if begins is None:
        return -1
    position = Position(begins)
    for _ in walk(folder, position):
        """Only where it ends is wanted."""
    return position.sequence


def read(folder: Path, after: Mark | None = None, until: int | None = None) -> Iterator[Record]:
    """Every record of a journal that is still there, oldest first, or those after a mark and up to the end of a file; read-only, also while
    a router writes. Raises `JournalCorrupt`."""
    files = numbered(folder)
    if after is None and files and next(iter(files)) > 1:
        after = _blind_start(*next(iter(files.items())))
    yield from walk(folder, Position(after or START), until)


def walk(folder: Path, position: Position, until: int | None = None) -> Iterator[Record]:
    """As `read`, from a position, which it moves along. A journal whose beginning is missing is corrupt here. Raises `JournalCorrupt`."""
    files = _files_after(folder, position.segment)
    last = max(files, default=0)
    for number, path in files.items():
        if until is not None and number > until:
            return
        if number != position.segment + 1:
            raise JournalCorrupt(_advice(path, 0, f"file {position.segment + 1} of the journal is missing before it"))
        position.enter(number, path)
        yield from _file(path, position, number == last)


def _files_after(folder: Path, segment: int) -> dict[int, Path]:
    """A folder that is being written is not listed at one moment: a file may be missed though a later one is seen."""
    for _ in range(_READ_AGAIN):
        files = {number: path for number, path in numbered(folder).items() if number > segment}
        if list(files) == list(range(segment + 1, segment + 1 + len(files))):
            break
    return files


def _file(path: Path, position: Position, last: bool) -> Iterator[Record]:
    for attempt in range(_READ_AGAIN):
        tail = yield from _lines(path, position)
        rest = tail.rstrip(b"\0")
        if not rest:
            return
        if last and (b"\n" not in rest or (attempt and _never_synced(rest, position))):
            position.torn_bytes = len(rest)
            return
        if not (last and b"\0" in rest) or attempt == _READ_AGAIN - 1:
            what = "the checksum does not fit" if b"\n" in rest else "a line in the middle is cut short"
            raise JournalCorrupt(_advice(path, position.lines + 1, what))


def _never_synced(rest: bytes, position: Position) -> bool:
    """Whether a tail with holes may be cut (rule 1): a line after the hole that was written when something in the hole had been performed
    says that the hole was on the disk once, and that is damage."""
    first, *others = rest.split(b"\n")
    if not position.synced or b"\0" not in first:
        return False
    return all(b"\0" in line or _claims_at_most(line, position.sequence) for line in others[:-1])


def _claims_at_most(line: bytes, sequence: int) -> bool:
    try:
        return 0 <= _decode(line[9:]).settled <= sequence
    except (msgspec.DecodeError, RecursionError, ValueError, ArithmeticError):
        return False


def _lines(path: Path, position: Position) -> Generator[Record, None, bytes]:
    """The records from where the position is. Returns what is left when a line does not check."""
    with path.open("rb") as file:
        file.seek(position.good_bytes)
        for line in file:
            body = line[9:-1]
            if not position.lines and position.segment > 1:
                _join(body, position, path)
            checksum = crc32(body, position.checksum)
            if line[:9] != b"%08x " % checksum or not line.endswith(b"\n"):
                return line + file.read()
            position.checksum = checksum
            position.good_bytes += len(line)
            position.lines += 1
            if position.lines == 1:
                head = _checked_head(body, position, path)
                position.version, position.synced = head.version, head.synced
            else:
                yield _record(body, position, path)
    return b""


def _record(body: bytes, position: Position, path: Path) -> Record:
    try:
        line = _decode(body) if position.version == VERSION else _migrated(body, position.version)
    except (msgspec.DecodeError, RecursionError, ValueError, ArithmeticError, LookupError) as wrong:
        raise JournalCorrupt(_advice(path, position.lines, f"a record that this version cannot read: {wrong}")) from None
    if line.sequence != position.sequence + 1:
        raise JournalCorrupt(_advice(path, position.lines, f"record {line.sequence} follows record {position.sequence}"))
    position.sequence, position.time = line.sequence, line.time
    return Record(line.sequence, line.time, line.event, line.settled)


def _migrated(body: bytes, version: int) -> _Line:
    line = _decode_any(body)
    for step in range(version, VERSION):
        line = MIGRATIONS[step](line)
    return msgspec.convert(line, _Line)


def _blind_start(number: int, path: Path) -> Mark:
    """Where the first file that is left begins, by its own word."""
    head = head_of(path)
    if head is None or head.before < 0:
        raise JournalCorrupt(_advice(path, 1, "the files before it are gone, and it does not say where they ended"))
    return Mark(number - 1, head.sequence, head.time, head.before)


def _join(body: bytes, position: Position, path: Path) -> None:
    """A file must begin where the one before it ended."""
    try:
        head = _decode_head(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return  # its checksum will not fit either
    if head.before not in (-1, position.checksum):
        raise JournalCorrupt(_advice(path, 1, "it does not join on to the file before it"))


def _checked_head(body: bytes, position: Position, path: Path) -> Head:
    try:
        head = _decode_head(body)
    except (msgspec.DecodeError, RecursionError, ValueError) as wrong:
        raise JournalCorrupt(_advice(path, 1, f"it does not begin like a journal: {wrong}")) from None
    if head.version > VERSION:
        raise JournalCorrupt(
            f"{path}: written by a newer fixrouter (journal version {head.version}, this one reads up to {VERSION}): start that one, or "
            "restore the state folder that was kept before the upgrade"
        )
    if head.segment != position.segment:
        raise JournalCorrupt(_advice(path, 1, f"it is file {head.segment} of the journal, but named as the {position.segment}."))
    return head


def _advice(path: Path, line_number: int, what: str) -> str:
    where = f"{path}, line {line_number}" if line_number else str(path)
    return (
        f"{where}: {what}. Nothing was changed. Keep a copy of the folder; restore it from a backup, or compare the open orders with "
        "the venues by hand before starting on an empty folder"
    )
