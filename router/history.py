"""History: a SQLite view of the journal for questions. Never the truth: it may be deleted at any time and is filled anew.

It is filled by whoever asks, in a process of its own, by replaying the journal; the trading path knows nothing of it. Replay begins at the
newest snapshot that the history reaches back to; where the journal's beginning is gone, the history begins where what is left does.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from router.engine import Engine
from router.model import CancelReject, Effect, ExecutionReport, Input, MassCancelReport, NewOrder, Outcome, Send
from router.order import Order
from router.recovery import Note, Restored, newest, oldest, without_collections
from router.segments import Position, Record, last_sequence, numbered, walk
from router.words import ExecType

__all__ = ["History", "Moment", "rendered"]

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS inputs (sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS effects (
    sequence INTEGER NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (sequence, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (
    order_id TEXT PRIMARY KEY, session TEXT NOT NULL, cl_ord_id TEXT NOT NULL, destination TEXT NOT NULL, symbol TEXT NOT NULL,
    side TEXT NOT NULL, order_qty TEXT, price TEXT, ord_status TEXT NOT NULL, cum_qty TEXT NOT NULL, avg_px TEXT NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, text TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS names (name TEXT NOT NULL, order_id TEXT NOT NULL, PRIMARY KEY (name, order_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (
    sequence INTEGER NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL, what TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (sequence, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS told_when ON told (what, time);
CREATE TABLE IF NOT EXISTS concerns (order_id TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (order_id, sequence)) WITHOUT ROWID;
"""


_VERSION: Final = 2
"""Of the tables. A history of another version is made anew."""
_FILLS: Final = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})
Progress = Callable[[int], None]
"""Told the sequence that the filling has got to, now and then."""


class Moment(NamedTuple):
    """One input of an order's life and what followed from it, as JSON texts."""

    sequence: int
    time: int
    kind: str
    body: str
    effects: tuple[tuple[str, str], ...]


class History:
    """One SQLite file."""

    def __init__(self, path: Path) -> None:
        """Open or make it. Raises `sqlite3.Error` where it is not a database."""
        self._db = sqlite3.connect(path, timeout=60)
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version != _VERSION:
            tables = [row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            self._db.executescript(";".join(f'DROP TABLE "{name}"' for name in tables))
            self._db.execute(f"PRAGMA user_version = {_VERSION}")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    @property
    def sequence(self) -> int:
        """The last input that it has; 0 when it is empty."""
        return int(self._db.execute("SELECT coalesce(max(sequence), 0) FROM inputs").fetchone()[0])

    def catch_up(self, folder: Path, note: Note, progress: Progress | None = None) -> int:
        """Take in what the journal has and it has not; returns how many inputs. Two at once take turns. Raises `JournalCorrupt`,
        `sqlite3.Error`."""
        last, known = last_sequence(folder), self.sequence
        if known and last == known:
            return 0
        if 0 <= last < known:
            note(f"the history has inputs up to {known}, the journal only up to {last}: it is another one's; fixrouter journal rebuild")
            return 0
        self._db.execute("BEGIN IMMEDIATE")
        try:
            engine, position = Engine(), Position()
            with without_collections():
                base = self._base(folder, note)
                if base is not None:
                    engine.state, position = base.state, Position(base.mark)
                return self.fill(walk(folder, position), engine, progress)
        except BaseException:
            self._db.rollback()
            raise

    def _base(self, folder: Path, note: Note) -> Restored | None:
        """Where to begin to replay."""
        known = self.sequence
        base = newest(folder, note, known=known) if known else None
        if base is not None or min(numbered(folder), default=1) == 1:
            return base
        base = oldest(folder, note)
        if base is not None:
            note(f"the journal's files up to input {base.mark.sequence} are gone: the history has nothing between inputs {known} and that")
        return base

    def fill(self, records: Iterable[Record], engine: Engine | None = None, progress: Progress | None = None) -> int:
        """Replay records, into the engine that they follow on from, and take in what is not here yet; returns how many inputs were new."""
        engine = engine or Engine()
        known = self.sequence
        new = 0
        touched: dict[str, Order] = {}
        names: set[tuple[str, str]] = set()
        for record in records:
            effects = engine.apply(record.event, record.time)
            if progress is not None and record.sequence % 1000 == 0:
                progress(record.sequence)
            if record.sequence <= known:
                continue
            new += 1
            for order in self._take(engine, record, effects):
                touched[order.order_id] = order
                names.update((name, order.order_id) for name in _names(record.event))
        for order in touched.values():
            self._order(order)
        self._db.executemany("INSERT OR IGNORE INTO names VALUES (?, ?)", names)
        self._db.commit()
        return new

    def differences(self, other: Path) -> list[str]:
        """How another history differs from this one, over the inputs that both have: a sentence for each table; empty where it does not."""
        self._db.execute("ATTACH ? AS other", (str(other),))
        try:
            return list(self._compared())
        finally:
            self._db.execute("DETACH other")

    def _compared(self) -> Iterator[str]:
        theirs = {row[0] for row in self._db.execute("SELECT name FROM other.sqlite_master WHERE type = 'table'")}
        row = self._db.execute("SELECT min(sequence), max(sequence) FROM inputs").fetchone()
        there = self._db.execute("SELECT min(sequence), max(sequence) FROM other.inputs").fetchone() if "inputs" in theirs else (None, None)
        if row[0] is None or there[0] is None:
            yield f"this one has inputs {row[0] or 'none'} to {row[1] or 'none'}, the other {there[0] or 'none'} to {there[1] or 'none'}"
            return
        first, last = max(row[0], there[0]), min(row[1], there[1])
        if row != there:
            yield f"this one has inputs {row[0]} to {row[1]}, the other {there[0]} to {there[1]}"
        for table in ("inputs", "effects", "told"):
            if table not in theirs:
                yield f"the other has no table {table}"
                continue
            where = f"FROM {{}}.{table} WHERE sequence BETWEEN {first} AND {last}"
            one, two = f"SELECT * {where.format('main')}", f"SELECT * {where.format('other')}"
            ours = self._db.execute(f"SELECT count(*) FROM ({one} EXCEPT {two})").fetchone()[0]  # noqa: S608 - names and numbers of ours
            others = self._db.execute(f"SELECT count(*) FROM ({two} EXCEPT {one})").fetchone()[0]  # noqa: S608
            if ours or others:
                yield f"{table}: {ours} rows are only in this one, {others} only in the other"

    def fills(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """Executions, corrections and busts as they were reported, oldest first; `since` in ns UTC."""
        return self._told("fill", since)

    def rejects(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """Orders, cancels and replaces that were refused, by us or by a venue, oldest first; `since` in ns UTC."""
        return self._told("reject", since)

    def _told(self, what: str, since: int) -> Iterator[dict[str, Any]]:
        rows = self._db.execute(
            "SELECT sequence, body FROM told WHERE what = ? AND time >= ? ORDER BY sequence, number", (what, since)
        )  # fmt: skip
        for sequence, body in rows:
            yield {"sequence": sequence, **json.loads(body)}

    def find(self, name: str) -> list[str]:
        """OrderIDs of the orders that ever had this name: OrderID, ClOrdID, a cancel's ClOrdID, or an id at the venue."""
        rows = self._db.execute("SELECT order_id FROM names WHERE name = ? ORDER BY order_id", (name,))
        return [row[0] for row in rows]

    def life(self, order_id: str) -> Iterator[Moment]:
        """Everything that concerned an order, oldest first."""
        rows = self._db.execute(
            "SELECT i.sequence, time, kind, body FROM concerns c JOIN inputs i USING (sequence) WHERE order_id = ? ORDER BY i.sequence",
            (order_id,),
        )
        for sequence, time, kind, body in rows.fetchall():
            effects = self._db.execute("SELECT kind, body FROM effects WHERE sequence = ? ORDER BY number", (sequence,))
            yield Moment(sequence, time, kind, body, tuple(effects.fetchall()))

    def summary(self, order_id: str) -> dict[str, Any]:
        """Where an order stood at the last `fill`; empty where there is none."""
        cursor = self._db.execute("SELECT * FROM orders WHERE order_id = ?", (order_id,))
        row = cursor.fetchone()
        return {} if row is None else dict(zip((column[0] for column in cursor.description), row, strict=True))

    def _take(self, engine: Engine, record: Record, effects: list[Effect]) -> list[Order]:
        kind, body = rendered(record.event)
        self._db.execute("INSERT INTO inputs VALUES (?, ?, ?, ?)", (record.sequence, record.time, kind, body))
        orders = {each.order_id: each for each in _concerned(engine, record.event, effects)}
        for number, effect in enumerate(effects):
            name, text = rendered(effect)
            self._db.execute("INSERT INTO effects VALUES (?, ?, ?, ?)", (record.sequence, number, name, text))
            what = _told_as(effect)
            if what:
                self._db.execute("INSERT INTO told VALUES (?, ?, ?, ?, ?)", (record.sequence, number, record.time, what, text))
        for order_id in orders:
            self._db.execute("INSERT OR IGNORE INTO concerns VALUES (?, ?)", (order_id, record.sequence))
        return list(orders.values())

    def _order(self, order: Order) -> None:
        request = order.request
        self._db.execute(
            "INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                order.order_id, request.session, request.cl_ord_id, order.destination, request.symbol, str(request.side),
                None if request.order_qty is None else f"{request.order_qty:f}", None if request.price is None else f"{request.price:f}",
                str(order.ord_status), f"{order.cum_qty:f}", f"{order.avg_px:f}", order.created, order.updated, order.doubt or order.text,
            ),
        )  # fmt: skip
        names = {order.order_id, request.cl_ord_id, order.cl_ord_id, order.venue_cl_ord_id, order.venue_order_id or ""} - {""}
        if order.pending is not None and order.pending.request is not None:
            names.add(order.pending.request.cl_ord_id)
        self._db.executemany("INSERT OR IGNORE INTO names VALUES (?, ?)", [(name, order.order_id) for name in names])


def rendered(thing: Input | Effect) -> tuple[str, str]:
    """Kind and JSON of an input or effect."""
    return type(thing).__name__, msgspec.json.encode(thing).decode()


def _told_as(effect: Effect) -> str:
    if isinstance(effect, CancelReject):
        return "reject"
    if not isinstance(effect, ExecutionReport):
        return ""
    return "fill" if effect.exec_type in _FILLS else "reject" if effect.exec_type is ExecType.REJECTED else ""


def _names(event: Input) -> Iterator[str]:
    """What an input calls its order."""
    for attribute in ("cl_ord_id", "venue_cl_ord_id", "venue_order_id"):
        name = getattr(event, attribute, None)
        if name:
            yield name


def _concerned(engine: Engine, event: Input, effects: list[Effect]) -> Iterator[Order]:
    blotter = engine.state.blotter
    if isinstance(event, NewOrder):
        known = blotter.by_cl_ord_id(event.session, event.cl_ord_id)
        if known is not None:
            yield known
    account = getattr(event, "account", None)
    if hasattr(event, "venue_order_id") and account is not None:
        order = blotter.at_venue(account, getattr(event, "venue_cl_ord_id", None), event.venue_order_id)
        if order is not None:
            yield order
    for effect in effects:
        if isinstance(effect, MassCancelReport | Outcome):
            continue
        order_id = effect.command.order_id if isinstance(effect, Send) else effect.order_id
        if order_id in blotter.orders:
            yield blotter.orders[order_id]
        elif isinstance(effect, ExecutionReport | CancelReject):
            named = blotter.by_cl_ord_id(effect.session, effect.cl_ord_id)
            if named is not None:
                yield named
