"""What a channel `/orders/<symbol>` has told in this connection: the snapshot of its last join and every row since. Pure.

It speaks for the venue as long as nothing was lost (`trusted`), and it says that an order is *not* there only where it reaches back to the
time when the order was sent (`covers`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from bridges.moonbase.payload import Malformed
from bridges.moonbase.phoenix import Channel, Standing
from bridges.moonbase.rows import Row, read_row
from router.model import Ask, Cancel, Place
from router.words import OrdType, Side

__all__ = ["LIMIT", "TOLERANCE", "Look", "View", "looks_like", "view_of"]

LIMIT: Final = 1000
"""Document, "Orders", "Join": the default."""
TOLERANCE: Final = 60_000_000_000
"""ns that the venue's clock may differ from ours."""
_SILENCES: Final = 2
_ROWS_AT_MOST: Final = 5 * LIMIT

_PARAMETERS: Final = {"status": None, "limit": LIMIT}

Look = tuple[str, Decimal | None, Decimal | None, bool]


def looks_like(order: Ask | Place) -> Look:
    """Symbol, signed amount, limit, and whether there is a trigger: what an order can be known by. `Ask` does not tell its price."""
    qty = order.order_qty
    signed = None if qty is None else qty if order.side is Side.BUY else qty.copy_negate()
    price = order.price if order.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT) else None
    return order.symbol, signed, price, order.ord_type in (OrdType.STOP, OrdType.STOP_LIMIT)


@dataclass(slots=True)
class View:
    """One symbol's channel. Times in ns UTC."""

    symbol: str
    channel: Channel
    core: bool = False
    """Whether the link is down without it."""
    rows: dict[str, Row] = field(default_factory=dict)
    """By the venue's id, oldest first."""
    floor: int = 0
    """Orders inserted before this may be missing."""
    readable: bool = True
    spoiled: bool = False
    silent: int = 0
    """Requests in a row that got no answer, with nothing heard since."""
    held: list[tuple[Place | Cancel, int]] = field(default_factory=list)
    """What waits for a join to be answered, and since when."""
    broken: str = ""
    """Why the venue does not let us join."""

    def forget(self) -> None:
        """The connection is gone, and all that was known by it."""
        self.channel.standing, self.channel.was_joined, self.channel.wanted = Standing.OUT, False, None
        self.rows.clear()
        self.floor, self.readable, self.spoiled, self.silent = 0, True, False, 0

    @property
    def joined(self) -> bool:
        """Whether commands can go out on it now."""
        return self.channel.standing is Standing.JOINED

    @property
    def anew(self) -> bool:
        """Whether it is being joined anew: what happens meanwhile is in the snapshot."""
        return self.channel.was_joined and self.channel.standing is Standing.JOINING

    @property
    def trusted(self) -> bool:
        """Whether what it told is all that there was to tell."""
        return self.joined and not self.spoiled and self.silent < _SILENCES

    def covers(self, placed: int) -> bool:
        """Would an order sent at that time be here, had it arrived?"""
        return self.trusted and self.readable and self.channel.asked > placed and (not self.floor or self.floor < placed - TOLERANCE)

    def snapshot(self, listed: list[Any]) -> list[str]:
        """The reply of a join, newest first. Returns what is wrong with rows that cannot be read."""
        rows: list[Row] = []
        faults: list[str] = []
        for each in listed:
            try:
                rows.append(read_row(each, self.symbol))
            except Malformed as wrong:
                faults.append(str(wrong))
        rows.sort(key=lambda row: row.inserted)
        self.readable, self.spoiled, self.silent = not faults, False, 0
        self.floor = rows[0].inserted if rows and len(listed) >= LIMIT else 0
        for row in rows:
            self.put(row)
        return faults

    def put(self, row: Row) -> None:
        """A row, unless a later one is here."""
        before = self.rows.get(row.order_id)
        if before is None or not row.behind(before):
            self.rows[row.order_id] = row
        if len(self.rows) > _ROWS_AT_MOST + LIMIT:
            self._shorten()

    def _shorten(self) -> None:
        """Forget the rows that ended first, else the latest; many at a time, for to find them costs a look at all."""
        ended = [each for each in self.rows.values() if not each.live]
        latest = [each for each in reversed(self.rows.values()) if each.live]
        for each in [*ended, *latest][: len(self.rows) - _ROWS_AT_MOST]:
            self.floor = max(self.floor, each.inserted)
            del self.rows[each.order_id]

    def alike(self, look: Look, trigger: Decimal | None, placed: int, now: int) -> Iterator[Row]:
        """Rows that look like an order that was sent at `placed`. `trigger`: its price, where it is known."""
        _, signed, price, stops = look
        for row in self.rows.values():
            same = row.requested == signed and row.limit_price == price and (row.trigger_price is not None) is stops
            if same and (trigger is None or row.trigger_price == trigger) and placed - TOLERANCE <= row.inserted <= now + TOLERANCE:
                yield row


def view_of(symbol: str) -> View:
    """One of a symbol whose channel was never joined."""
    return View(symbol, Channel(f"/orders/{symbol}", parameters=_PARAMETERS))
