"""What makes a start short: snapshots beside the journal, and the book rebuilt from the newest good one and the files after it.

Rules:

1. `snapshot-000007.bin` is the state after the last record of the journal's file 7, which is closed. Its first line is its head, with the
   checksum of all that follows; the rest is `snapshot.dump`'s.
2. It is never made in the trading process: `compact` runs in one of its own. It is written under another name, brought to the disk, read
   back, and only then renamed: there is a whole snapshot, or none.
3. A snapshot that does not check, is of another version, or does not join on to the journal is passed over, and said. The one before
   is used, or the journal's beginning. One that the journal does not reach up to stops the start: the journal's end is missing.
4. The two newest good ones are kept, and where old files are to go, the first of each day: what is left of the journal begins where a
   snapshot ends, so that its effects can be told. A file goes only when it is old enough and covered by both of the newest.
"""

from __future__ import annotations

import fcntl
import gc
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from router.engine import Engine
from router.journal import JournalCorrupt, JournalWriter
from router.model import Effect, Report
from router.segments import START, Mark, Position, Record, head_of, numbered, walk
from router.snapshot import VERSION, SnapshotUnfit, Unsure, dump, load
from router.state import State

__all__ = [
    "KEEP",
    "Busy",
    "Compacted",
    "Note",
    "Restored",
    "Tail",
    "begin",
    "compact",
    "compaction_command",
    "newest",
    "oldest",
    "rebuilt",
    "recover",
    "saved",
    "without_collections",
]

KEEP: Final = 2
_DAY_NS: Final = 86_400_000_000_000
Note = Callable[[str], None]
"""Told, in a sentence, what a person should know."""


class Busy(Exception):
    """Another compaction of this journal is at work."""


class _Head(msgspec.Struct, frozen=True, tag="fixrouter-snapshot"):
    version: int
    mark: Mark
    size: int
    digest: str


class Restored(NamedTuple):
    """The book at a mark."""

    state: State
    mark: Mark
    unsure: Unsure


class Compacted(NamedTuple):
    """What a compaction did."""

    snapshot: Path | None
    """None: there was nothing new to keep."""
    orders: int
    removed: list[Path]
    """Files of the journal that are gone."""


class Tail:
    """Reports that may not have been handed over when the journal ends here: those of inputs after the last one known to be settled."""

    def __init__(self, unsure: Unsure | None = None) -> None:
        self.unsure = list(unsure or ())

    def take(self, record: Record, effects: list[Effect]) -> None:
        """One more input, and what it led to."""
        settled = record.sequence - 1 if record.settled < 0 else record.settled
        if self.unsure:
            self.unsure = [each for each in self.unsure if each[0] > settled]
        reports = [effect for effect in effects if isinstance(effect, Report)]
        if reports:
            self.unsure.append((record.sequence, reports))

    @property
    def reports(self) -> list[Report]:
        """All of them, in order."""
        return [report for _, reports in self.unsure for report in reports]


def recover(engine: Engine, records: Iterable[Record], unsure: Unsure | None = None) -> list[Report]:
    """Replay records into an engine.

    Returns the reports that the router may have died before it handed over: they are to be sent again, marked PossResend(97)=Y, with the
    same ExecIDs."""
    tail = Tail(unsure)
    for record in records:
        tail.take(record, engine.apply(record.event, record.time))
    return tail.reports


def begin(journal: JournalWriter, note: Note) -> tuple[Engine, list[Report]]:
    """The book of a router that starts, as fast as it can be had, with the journal ready for more. Returns it and the reports to send
    again (`recover`). Raises `JournalCorrupt`, `OSError`."""
    engine = Engine()
    _check_end(journal.folder)
    with without_collections():
        known = newest(journal.folder, note)
        if known is None:
            return engine, recover(engine, journal.replay())
        engine.state = known.state
        return engine, recover(engine, journal.replay(known.mark), known.unsure)


def _check_end(folder: Path) -> None:
    """A snapshot says that there was a file after its own: without that, inputs are missing, and nobody could tell which."""
    number = max(saved(folder), default=0)
    if number and number >= max(numbered(folder), default=0):
        raise JournalCorrupt(
            f"{folder}: file {number + 1} of the journal is missing, which snapshot-{number:06}.bin says there was. Nothing was changed. "
            "Restore the folder from a backup, or compare the open orders with the venues by hand before starting on an empty folder"
        )


def rebuilt(folder: Path, note: Note) -> Engine:
    """The book that the journal gives, for tools: read-only, also while a router runs. Raises `JournalCorrupt`."""
    engine = Engine()
    with without_collections():
        known = newest(folder, note)
        if known is not None:
            engine.state = known.state
        recover(engine, walk(folder, Position(known.mark if known is not None else START)))
    return engine


@contextmanager
def without_collections() -> Iterator[None]:
    """Everything that is made here stays; looking it through for garbage again and again would double the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


# --- snapshots ----------------------------------------------------------------------------------------------------------


def saved(folder: Path) -> dict[int, Path]:
    """The snapshots by the number of their file, newest first, good or not."""
    found = {int(path.stem[9:]): path for path in folder.glob("snapshot-*.bin") if path.stem[9:].isdigit()}
    return dict(sorted(found.items(), reverse=True))


def newest(folder: Path, note: Note, at_most: int | None = None, known: int | None = None) -> Restored | None:
    """The newest good snapshot (rule 3), of file `at_most` or before, and of nothing after record `known`; None where there is none."""
    wanted = [(number, path) for number, path in saved(folder).items() if at_most is None or number <= at_most]
    return _first_good(folder, wanted, note, known)


def oldest(folder: Path, note: Note) -> Restored | None:
    """The good snapshot that what is left of the journal begins with; None where there is none."""
    return _first_good(folder, reversed(saved(folder).items()), note, None)


def _first_good(folder: Path, wanted: Iterable[tuple[int, Path]], note: Note, known: int | None) -> Restored | None:
    files = numbered(folder)
    for number, path in wanted:
        try:
            mark, body = _checked(path, number)
            _check_joins(mark, files)
            if known is None or mark.sequence <= known:
                return Restored(*_loaded(mark, body))
        except (OSError, SnapshotUnfit) as wrong:
            note(f"{path} is passed over: {wrong}")
    return None


def _loaded(mark: Mark, body: bytes) -> tuple[State, Mark, Unsure]:
    state, unsure = load(body)
    return state, mark, unsure


def _checked(path: Path, number: int) -> tuple[Mark, bytes]:
    with path.open("rb") as file:
        first, body = file.readline(), file.read()
    try:
        head = msgspec.json.decode(first, type=_Head)
    except (msgspec.DecodeError, ValueError) as wrong:
        raise SnapshotUnfit(f"it does not begin like a snapshot: {wrong}") from None
    if head.version != VERSION:
        raise SnapshotUnfit(f"it is of version {head.version}, and this fixrouter makes {VERSION}")
    if len(body) != head.size or _digest(head.mark, body) != head.digest:
        raise SnapshotUnfit("its checksum does not fit")
    if head.mark.segment != number:
        raise SnapshotUnfit(f"it is of file {head.mark.segment}, and named as of {number}")
    return head.mark, body


def _check_joins(mark: Mark, files: dict[int, Path]) -> None:
    """The journal must go on where the snapshot ends."""
    after = files.get(mark.segment + 1)
    if after is None:
        raise SnapshotUnfit(f"file {mark.segment + 1} of the journal, which goes on from it, is missing")
    head = head_of(after)
    if head is not None and head.before not in (-1, mark.checksum):
        raise SnapshotUnfit(f"{after.name} goes on from another journal")


def _write(folder: Path, restored: Restored) -> Path:
    body = dump(restored.state, restored.unsure)
    head = msgspec.json.encode(_Head(VERSION, restored.mark, len(body), _digest(restored.mark, body)))
    number = restored.mark.segment
    path, draft = folder / f"snapshot-{number:06}.bin", folder / f"snapshot-{number:06}.draft"
    with draft.open("wb") as file:
        file.write(head + b"\n" + body)
        file.flush()
        os.fsync(file.fileno())
    load(_checked(draft, number)[1])  # it is to be relied on: better to know now that it cannot be read
    draft.rename(path)
    _sync_folder(folder)
    return path


def _digest(mark: Mark, body: bytes) -> str:
    return blake2b(repr(tuple(mark)).encode() + body, digest_size=16).hexdigest()


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


# --- compaction ---------------------------------------------------------------------------------------------------------


def compaction_command(config: Path) -> list[str]:
    """The command line of a process that compacts the journal of a configuration; for `subprocess.Popen`, at a file's end."""
    return [sys.executable, "-m", "router", "journal", "compact", "--config", str(config)]


def compact(folder: Path, note: Note, keep_days: int | None = None, now: Callable[[], int] = time.time_ns) -> Compacted:
    """Make the snapshot of all closed files, and drop what need not be kept: `keep_days` None keeps the journal for ever. Raises `Busy`,
    `JournalCorrupt`, `SnapshotUnfit`, `OSError`, and `AssertionError` for a book that does not check."""
    with _alone(folder):
        last_closed = max(numbered(folder), default=0) - 1
        known = newest(folder, note, last_closed)
        written = None
        if last_closed > (known.mark.segment if known is not None else 0):
            known = _carried_on(folder, known, last_closed)
            written = _write(folder, known)
        removed = [] if keep_days is None else _drop_files(folder, now() - keep_days * _DAY_NS)
        _drop_snapshots(folder, daily=keep_days is not None)
        return Compacted(written, len(known.state.blotter.orders) if known is not None else 0, removed)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = os.open(folder / "compaction.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise Busy(f"another compaction of {folder} is at work") from None
    try:
        yield
    finally:
        os.close(lock)


def _carried_on(folder: Path, known: Restored | None, until: int) -> Restored:
    """The state at the end of a closed file."""
    engine, tail = Engine(), Tail(known.unsure if known is not None else None)
    if known is not None:
        engine.state = known.state
    position = Position(known.mark if known is not None else START)
    with without_collections():
        for record in walk(folder, position, until):
            tail.take(record, engine.apply(record.event, record.time))
    engine.state.blotter.check()
    return Restored(engine.state, position.mark, tail.unsure)


def _good(folder: Path) -> dict[int, Mark]:
    """Where the good snapshots end, by the number of their file, newest first."""
    good = {}
    for number, path in saved(folder).items():
        with suppress(OSError, SnapshotUnfit):
            good[number] = _checked(path, number)[0]
    return good


def _drop_files(folder: Path, before: int) -> list[Path]:
    """Rule 4. The oldest first, so that what is left has no gap."""
    files = numbered(folder)
    old = 0
    for number, path in files.items():
        if _ended(path, files.get(number + 1)) >= before:
            break
        old = number
    covered = list(_good(folder))[KEEP - 1 :]
    base = max((number for number in covered if number <= old), default=0)
    removed = [path for number, path in files.items() if number <= base]
    for path in removed:
        path.unlink()
    return removed


def _drop_snapshots(folder: Path, daily: bool) -> None:
    good = _good(folder)
    wanted = set(list(good)[:KEEP])
    if daily:
        first = min(numbered(folder), default=1)
        days = {mark.time // _DAY_NS: number for number, mark in good.items() if number >= first - 1}  # newest first: the last one stays
        wanted |= set(days.values())
    for number, path in saved(folder).items():
        if number in good and number not in wanted:
            path.unlink()
    for draft in folder.glob("snapshot-*.draft"):
        draft.unlink()


def _ended(path: Path, following: Path | None) -> int:
    """When the last record of a file was written, ns UTC."""
    head = head_of(following) if following is not None else None
    return head.time if head is not None and head.time >= 0 else path.stat().st_mtime_ns
