"""History: a SQLite view of the journal for questions. Never the truth: it may be deleted at any time and is filled anew.

It is filled by whoever asks, in a process of its own, by replaying the journal; the trading path knows nothing of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from router.engine import Engine
from router.journal import Record
from router.model import CancelReject, Effect, ExecutionReport, Input, MassCancelReport, NewOrder, Outcome, Send
from router.order import Order

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
CREATE TABLE IF NOT EXISTS concerns (order_id TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (order_id, sequence)) WITHOUT ROWID;
"""


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
        self._db = sqlite3.connect(path)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def fill(self, records: Iterable[Record]) -> int:
        """Replay a whole journal and take in what is not here yet; returns how many inputs were new."""
        engine = Engine()
        known = self._db.execute("SELECT coalesce(max(sequence), 0) FROM inputs").fetchone()[0]
        new = 0
        touched: dict[str, Order] = {}
        for record in records:
            effects = engine.apply(record.event, record.time)
            if record.sequence <= known:
                continue
            new += 1
            for order in self._take(engine, record, effects):
                touched[order.order_id] = order
        for order in touched.values():
            self._order(order)
        self._db.commit()
        return new

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
            self._db.execute("INSERT INTO effects VALUES (?, ?, ?, ?)", (record.sequence, number, *rendered(effect)))
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
