"""The write-ahead journal: every input of the engine, in order, in append-only files. The one truth that survives a crash.

Layout: `journal-000001.log`, `journal-000002.log`, …, each of lines `CHECKSUM JSON`. The JSON is `[sequence, time in ns UTC,
input]`; the first line of a file is its head. The checksum is CRC-32 of the JSON and of everything before it (each starts
from the last), so a line that is missing, moved or changed shows.

Rules:

1. `append` writes one line with one system call before it returns: it survives the death of the process, not a power failure.
2. A last line without its end is a write that a crash cut short. Nothing followed from it: it is cut off, and said.
3. Anything else that does not check stops the start. Guessing about orders is worse than standing still.
4. One writer: the folder is locked while a router has it. Readers need no lock and stop at an unfinished last line.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from router.model import Input

__all__ = ["JournalCorrupt", "JournalLocked", "JournalWriter", "Record", "read"]

VERSION: Final = 1
SEGMENT_BYTES: Final = 64 * 1024 * 1024


class JournalCorrupt(Exception):
    """The journal does not check; the message names file, line and what to do."""


class JournalLocked(Exception):
    """Another router writes this journal."""


class Record(NamedTuple):
    """One input as it was journaled."""

    sequence: int
    time: int
    event: Input


class _Head(msgspec.Struct, frozen=True, tag="fixrouter-journal"):
    version: int
    segment: int


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(tuple[int, int, Input]).decode
_decode_head: Final = msgspec.json.Decoder(_Head).decode


class _Position:
    """Where reading has got to: file, bytes that check, checksum, last sequence and time."""

    def __init__(self) -> None:
        self.segment = 0
        self.path: Path | None = None
        self.good_bytes = 0
        self.torn_bytes = 0
        self.checksum = 0
        self.sequence = 0
        self.time = 0


def read(folder: Path) -> Iterator[Record]:
    """Every record of a journal, oldest first; read-only, also while a router writes. Raises `JournalCorrupt`."""
    yield from _read(folder, _Position())


def _read(folder: Path, position: _Position) -> Iterator[Record]:
    segments = sorted(folder.glob("journal-*.log"))
    for number, path in enumerate(segments, start=1):
        position.segment, position.path, position.good_bytes = number, path, 0
        with path.open("rb") as file:
            for line_number, line in enumerate(file, start=1):
                if not line.endswith(b"\n") or not line.strip(b"\0\n"):
                    _torn(position, path, file.read(), line, last=number == len(segments))
                    return
                body = line[9:-1]
                checksum = crc32(body, position.checksum)
                if line[:9] != b"%08x " % checksum:
                    raise JournalCorrupt(_advice(path, line_number, "the checksum does not fit"))
                position.checksum = checksum
                position.good_bytes += len(line)
                if line_number == 1:
                    _check_head(body, number, path)
                    continue
                yield _record(body, position, path, line_number)


def _record(body: bytes, position: _Position, path: Path, line_number: int) -> Record:
    try:
        sequence, time, event = _decode(body)
    except (msgspec.DecodeError, ValueError, ArithmeticError) as wrong:
        raise JournalCorrupt(_advice(path, line_number, f"a record that this version cannot read: {wrong}")) from None
    if sequence != position.sequence + 1:
        raise JournalCorrupt(_advice(path, line_number, f"record {sequence} follows record {position.sequence}"))
    position.sequence, position.time = sequence, time
    return Record(sequence, time, event)


def _torn(position: _Position, path: Path, rest: bytes, line: bytes, *, last: bool) -> None:
    if not last or rest.strip(b"\0\n"):
        raise JournalCorrupt(_advice(path, 0, "a line in the middle is cut short"))
    position.torn_bytes = len(line) + len(rest)


def _check_head(body: bytes, number: int, path: Path) -> None:
    try:
        head = _decode_head(body)
    except (msgspec.DecodeError, ValueError) as wrong:
        raise JournalCorrupt(_advice(path, 1, f"it does not begin like a journal: {wrong}")) from None
    if head.version > VERSION:
        raise JournalCorrupt(f"{path}: written by a newer fixrouter (journal version {head.version}, this one reads {VERSION}): use that")
    if head.segment != number:
        raise JournalCorrupt(_advice(path, 1, f"it is file {head.segment} of the journal, but the {number}. that is here"))


def _advice(path: Path, line_number: int, what: str) -> str:
    where = f"{path}, line {line_number}" if line_number else str(path)
    return (
        f"{where}: {what}. Nothing was changed. Keep a copy of the folder; restore it from a backup, or compare the open orders with "
        "the venues by hand before starting on an empty folder"
    )


class JournalWriter:
    """The journal of a running router. `replay` must be read to its end before the first `append`."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, making it where it is missing. Raises `JournalLocked`, `OSError`."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise JournalLocked(f"{folder} is in use by another router") from None
        self._position = _Position()
        self._file = -1
        self.torn_bytes = 0
        """Bytes of an unfinished last line that `replay` cut off."""

    @property
    def time(self) -> int:
        """Time of the last record, ns UTC; 0 when there is none."""
        return self._position.time

    def replay(self) -> Iterator[Record]:
        """Every record there is, oldest first; then the journal is ready for `append`. Raises `JournalCorrupt`."""
        position = self._position
        yield from _read(self._folder, position)
        if position.path is None:
            self._next_segment()
            return
        self._file = os.open(position.path, os.O_WRONLY | os.O_APPEND)
        if position.torn_bytes:
            self.torn_bytes = position.torn_bytes
            os.ftruncate(self._file, position.good_bytes)
        if position.good_bytes == 0:
            self._write_head()

    def append(self, event: Input, now: int) -> None:
        """Write one input (rule 1). Raises `OSError` when the disk will not have it; the journal is then as before."""
        position = self._position
        if position.good_bytes >= SEGMENT_BYTES:
            self._next_segment()
        self._write(_encode((position.sequence + 1, now, event)))
        position.sequence += 1
        position.time = now

    def close(self) -> None:
        """Let the folder go."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _next_segment(self) -> None:
        number = self._position.segment + 1
        path = self._folder / f"journal-{number:06}.log"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        if self._file >= 0:
            os.close(self._file)
        self._file = file
        self._position.segment, self._position.path, self._position.good_bytes = number, path, 0
        self._write_head()

    def _write_head(self) -> None:
        self._write(_encode(_Head(VERSION, self._position.segment)))

    def _write(self, body: bytes) -> None:
        position = self._position
        checksum = crc32(body, position.checksum)
        line = b"%08x %b\n" % (checksum, body)
        try:
            written = os.write(self._file, line)
            if written != len(line):
                raise OSError(f"{position.path}: only {written} of {len(line)} bytes were written")
        except OSError:
            # A half line must not stay: the next one would be joined to it.
            os.ftruncate(self._file, position.good_bytes)
            raise
        position.checksum = checksum
        position.good_bytes += len(line)
