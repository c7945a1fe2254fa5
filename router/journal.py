"""The write-ahead journal: every input of the engine, in order, in append-only files. The one truth that survives a crash.

`segments.py` says how the files look and reads them; here they are written. Rules:

1. `append` writes one line with one system call before it returns: it survives the death of the process. A power failure it survives
   once `sync` has returned, which is called where durability is "power".
2. Space is had before it is needed: a file is made whole, with a reserve behind its end, and the next one is made while this one is
   half full. When there is none to be had, `starved` says so, and what is still appended goes into the reserve.
3. A write that fails leaves the journal as it was. After a failed sync nobody knows what the disk has: the lines since the last good one
   are written again before the next (a file system may forget what it could not write, and then report success).
4. One writer: the folder is locked while a router has it. Readers need no lock.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal
from zlib import crc32

import msgspec

from router.model import Input
from router.segments import VERSION, Head, JournalCorrupt, Mark, Position, Record, read, walk

__all__ = ["Durability", "JournalCorrupt", "JournalLocked", "JournalWriter", "Record", "read"]

Durability = Literal["process", "power"]
SEGMENT_BYTES: Final = 8 * 1024 * 1024
"""About 30,000 inputs: what is replayed at a start beyond the last snapshot takes well under a second."""
RESERVE_BYTES: Final = 4 * 1024 * 1024

_encode: Final = msgspec.json.Encoder().encode


class JournalLocked(Exception):
    """Another router writes this journal."""


class JournalWriter:
    """The journal of a running router. `replay` must be read to its end before the first `append`.

    `append` is called by one thread at a time, and so are `sync` and `tend`; the three may overlap. `_making` is held while the next file
    is made, `_turning` while files change and while one is synced; no thread takes the first while it has the second."""

    def __init__(
        self,
        folder: Path,
        *,
        durability: Durability = "process",
        segment_bytes: int = SEGMENT_BYTES,
        reserve_bytes: int = RESERVE_BYTES,
        closed: Callable[[], None] | None = None,
    ) -> None:
        """Take the folder, making it where it is missing. `closed` is called by `tend` when a file was closed, and so can be compacted.
        Raises `JournalLocked`, `OSError`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.grouped = durability == "power"
        """Whether `sync` is to be called before any consequence."""
        self._segment_bytes = segment_bytes
        self._whole_bytes = segment_bytes + reserve_bytes
        self._closed = closed
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise JournalLocked(f"{folder} is in use by another router") from None
        self._position = Position()
        self._file = -1
        self._allocated = 0
        self._soiled = 0
        """Bytes of a failed write that could not be wiped yet."""
        self._next = -1
        self._making = threading.Lock()
        self._turning = threading.Lock()
        """Held while the file is changed, and while it is synced."""
        self._turned = False
        self._may_turn = True
        """False after it failed, until `tend`: not every append is to try again."""
        self._named = False
        self._settled = 0
        self._unsynced: list[tuple[int, bytes]] = []
        self._sync_failed = False
        self.torn_bytes = 0
        """Bytes of an unfinished last line that `replay` cut off."""
        self.starved = ""
        """Why no space can be had for another file; "" when it can."""

    @property
    def time(self) -> int:
        """Time of the last record, ns UTC; 0 when there is none."""
        return self._position.time

    @property
    def sequence(self) -> int:
        """Of the last record; 0 when there is none."""
        return self._position.sequence

    @property
    def size_bytes(self) -> int:
        """Of all files, what is kept in reserve included."""
        return sum(path.stat().st_size for path in self.folder.glob("*") if path.is_file())

    def replay(self, after: Mark | None = None) -> Iterator[Record]:
        """Every record there is, oldest first, or those after a mark; then the journal is ready for `append`. Raises `JournalCorrupt`,
        `OSError`."""
        position = self._position = Position(after) if after is not None else self._position
        yield from walk(self.folder, position)
        with suppress(OSError):
            (self.folder / "next").unlink()
        if position.path is None:
            self._turn(position.mark)
        else:
            self._take_up(position.path)
        self._settled = position.sequence
        self._grow()

    def append(self, event: Input, now: int) -> int:
        """Write one input (rule 1); returns its sequence. Raises `OSError` when it is not written; the journal is then as before."""
        position = self._position
        if position.good_bytes >= self._segment_bytes and self._may_turn:
            self._try_turn()
        sequence = position.sequence + 1
        if self.grouped and self._settled != position.sequence:
            self._write(_encode((sequence, now, event, self._settled)))
        else:
            self._write(_encode((sequence, now, event)))
        position.sequence = sequence
        position.time = now
        return sequence

    def settle(self, sequence: int) -> None:
        """Every effect up to this sequence has been performed: a start after a crash need not tell them again."""
        self._settled = sequence

    def sync(self) -> None:
        """Return when what was appended before the call survives a power failure. Raises `OSError`; what was appended is then in doubt
        until a later call returns (rule 3)."""
        with self._turning:
            count = len(self._unsynced)
            try:
                if self._sync_failed:
                    for at, line in self._unsynced[:count]:
                        os.pwrite(self._file, line, at)
                os.fdatasync(self._file)
                self._keep_name()
            except OSError:
                self._sync_failed = True
                raise
            self._sync_failed = False
            del self._unsynced[:count]

    def tend(self) -> None:
        """What is to be done now and then, off the path of orders: have the space for what comes, say that a file was closed."""
        self._grow()
        if self._next < 0 and self._position.good_bytes * 2 >= self._segment_bytes:
            self._try_make()
        elif self._next >= 0 and not self._may_turn:
            self.starved = ""  # there is space: what failed was the last step, and the next append tries it again
        self._may_turn = True
        turned, self._turned = self._turned, False
        if turned and self._closed is not None:
            self._closed()

    def close(self) -> None:
        """Let the folder go."""
        if self._file >= 0:
            with suppress(OSError):
                os.ftruncate(self._file, self._position.good_bytes)
            os.close(self._file)
            self._file = -1
        if self._next >= 0:
            os.close(self._next)
            self._next = -1
            (self.folder / "next").unlink(missing_ok=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # --- space ------------------------------------------------------------------------------------------------------------

    def _grow(self) -> None:
        """Have the whole of the present file, which a full disk may have kept us from."""
        if self._allocated >= self._whole_bytes or self._position.good_bytes >= self._segment_bytes:
            return
        with self._turning:
            try:
                os.posix_fallocate(self._file, 0, self._whole_bytes)
            except OSError as failed:
                self.starved = f"no space for the journal: {failed.strerror}"
            else:
                self._allocated = self._whole_bytes
                self.starved = ""

    def _try_make(self) -> None:
        try:
            self._make()
        except OSError as failed:
            if self._position.good_bytes >= self._segment_bytes:
                self.starved = f"no space for the journal's next file: {failed.strerror}"
        else:
            self.starved = ""

    def _make(self) -> None:
        """Have the next file's space, under a name that nobody reads."""
        with self._making:
            if self._next >= 0:
                return
            path = self.folder / "next"
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(file, 0, self._whole_bytes)
            except OSError:
                os.close(file)
                path.unlink(missing_ok=True)
                raise
            self._next = file

    # --- files ------------------------------------------------------------------------------------------------------------

    def _take_up(self, path: Path) -> None:
        """Go on in the last file, cut to what checks."""
        position = self._position
        self._file = os.open(path, os.O_RDWR)
        self.torn_bytes = position.torn_bytes
        if os.fstat(self._file).st_size != position.good_bytes:
            os.ftruncate(self._file, position.good_bytes)
        self._allocated = position.good_bytes
        if position.lines == 0:
            self._write(_encode(Head(VERSION, position.segment, position.sequence, position.time, position.checksum, self.grouped)))
        elif position.version < VERSION or position.synced != self.grouped:
            self._turn(position.mark)

    def _try_turn(self) -> None:
        try:
            self._turn(self._position.mark)
        except OSError as failed:
            self._may_turn = False
            self.starved = f"no space for the journal's next file: {failed.strerror or failed}"

    def _turn(self, mark: Mark) -> None:
        """Close this file and go on in the next. It has its head before it has its name: who sees it sees the last one closed."""
        self._make()
        path = self.folder / f"journal-{mark.segment + 1:06}.log"
        body = _encode(Head(VERSION, mark.segment + 1, mark.sequence, mark.time, mark.checksum, self.grouped))
        checksum = crc32(body, mark.checksum)
        line = b"%08x %b\n" % (checksum, body)
        with self._turning:
            if self.grouped and self._file >= 0:
                self._sync_all()
            if os.pwrite(self._next, line, 0) != len(line):
                raise OSError(f"{path}: its head was not written")
            if self.grouped:
                os.fdatasync(self._next)
            os.rename(self.folder / "next", path)
            self._leave_file()
            self._file, self._next = self._next, -1
            self._position.enter(mark.segment + 1, path)
            self._position.lines, self._position.good_bytes, self._position.checksum = 1, len(line), checksum
            self._allocated, self._turned, self._named = self._whole_bytes, True, False
            self.starved = ""

    def _sync_all(self) -> None:
        if self._sync_failed:
            raise OSError("the last lines are not on the disk yet")
        os.fdatasync(self._file)
        self._unsynced.clear()

    def _keep_name(self) -> None:
        """A new file's name must survive a power failure too."""
        if self._named:
            return
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._named = True

    def _leave_file(self) -> None:
        if self._file >= 0:
            with suppress(OSError):
                os.ftruncate(self._file, self._position.good_bytes)
            os.close(self._file)

    # --- lines ------------------------------------------------------------------------------------------------------------

    def _write(self, body: bytes) -> None:
        position = self._position
        if self._soiled:
            self._wipe(self._soiled)
        checksum = crc32(body, position.checksum)
        line = b"%08x %b\n" % (checksum, body)
        try:
            written = os.pwrite(self._file, line, position.good_bytes)
        except OSError:
            self._wipe(len(line))
            raise
        if written != len(line):
            self._wipe(written)
            raise OSError(f"{position.path}: only {written} of {len(line)} bytes were written")
        if self.grouped:
            self._unsynced.append((position.good_bytes, line))
        position.checksum = checksum
        position.good_bytes += len(line)

    def _wipe(self, count: int) -> None:
        """A half line must not stay: the next one may be shorter."""
        self._soiled = count
        at = self._position.good_bytes
        with suppress(OSError):
            if at + count > self._allocated or os.pwrite(self._file, bytes(count), at) != count:
                os.ftruncate(self._file, at)
                self._allocated = at
            self._soiled = 0
