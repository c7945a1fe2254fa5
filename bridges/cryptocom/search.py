"""The search for an order whose create was not answered: the venue keeps no id of ours, so it is known by what it looks like. Pure.

1. openOrders is read first and allOrders after it: an order that ends in between is then in the second. A filled one is only there.
2. Alike: symbol, side, type, volume, price of a limit order, and created between `TOLERANCE` before it was sent and `TOLERANCE` after now
   (the venue's clock is not ours).
3. Pages are read until one is empty, or every further row is too old (lists come newest first, as in the samples; a page that is not in
   that order does not end the search). `count` alone ends nothing: whether it counts the page or the list is not said. Whoever stops
   sooner may miss the order, and a false "not found" is a false no to the client: a page that cannot be read, or that brings nothing new
   although `count` promises more, starts the search again instead.
4. While a create that looks the same is on its way, the search waits: what it would find might be that one.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Final

from bridges.cryptocom.calls import PAGE_SIZE, SIDES, TYPES, Searching, search_page
from bridges.cryptocom.reading import MARKET, Malformed, Reply, Row, Verdict, listed
from bridges.wire import Note, Out, Request
from router.model import Ask, Found, Place

__all__ = ["Paging", "Search", "looks_like"]

TOLERANCE_MS: Final = 60_000
_PAGES_AT_MOST: Final = 100
_RETRY: Final = 1_000_000_000
_LISTS: Final = (("/v1/openOrders", "resultList"), ("/v1/allOrders", "orderList"))

Look = tuple[str, str, int, Decimal | None, Decimal | None]


def looks_like(order: Ask | Place) -> Look:
    """Symbol, side, type, volume, and the price of a limit order, as the venue would list them."""
    volume = order.cash_order_qty if order.order_qty is None else order.order_qty
    kind = TYPES.get(order.ord_type, 0)
    return order.symbol, SIDES.get(order.side, ""), kind, volume, None if kind == MARKET else order.price


class Paging:
    """One list, page after page. Rows that come twice, since the list moved, are kept once."""

    def __init__(self) -> None:
        self.page = 1
        self.rows: dict[str, Row] = {}

    def take(self, data: object, key: str, not_before: int | None = None) -> bool:
        """Take a page; True when it was the last one needed. `not_before`: ms, the oldest row that matters, where nothing may be missed;
        None: to miss one does no harm, and `count` may be trusted. Raises `Malformed`."""
        rows, count = listed(data, key)
        if not rows:
            return True
        fresh = [row for row in rows if row.order_id not in self.rows]
        self.rows |= {row.order_id: row for row in fresh}
        counted = 0 <= count <= len(self.rows)
        if counted and (not fresh or (not_before is None and len(rows) < PAGE_SIZE)):
            return True
        newest_first = all(after.created <= before.created for before, after in pairwise(rows))
        if not_before is not None and newest_first and rows[-1].created < not_before:
            return True
        if not fresh or self.page >= _PAGES_AT_MOST:
            raise Malformed(f"page {self.page} of a list brings no end")
        self.page += 1
        return False


class Search:
    """The search for one order."""

    def __init__(self, ask: Ask, now: int) -> None:
        self.ask = ask
        self.due = now
        self.in_flight = False
        self._serial = 0
        self._look = looks_like(ask)
        self._list = 0
        self._paging = Paging()
        self._found: set[str] = set()
        self._begun = 0
        """When its first page was asked for."""

    def next(self, now: int) -> Request:
        """The next page to ask for."""
        path, _ = _LISTS[self._list]
        self.in_flight = True
        self._begun = self._begun or now
        self._serial += 1
        return search_page(path, self.ask.symbol, self._paging.page, Searching(self.ask.order_id, self._serial))

    def answered(self, context: Searching, reply: Reply, rivals: frozenset[Look], now: int) -> list[Out]:
        """A page came. Returns `Found` when it was the last. `rivals`: what the creates on their way look like."""
        if context.serial != self._serial:
            return []
        self.in_flight = False
        self.due = now
        try:
            return self._take(reply, rivals, now)
        except Malformed as wrong:
            self._restart(now + _RETRY)
            return [Note(f"the search for order {self.ask.order_id} begins again: {wrong}")]

    def lost(self, context: Searching, now: int) -> None:
        """No answer came: from the start again, a little later."""
        if context.serial == self._serial:
            self._restart(now + _RETRY)

    def _take(self, reply: Reply, rivals: frozenset[Look], now: int) -> list[Out]:
        if reply.verdict is not Verdict.YES:
            raise Malformed(reply.text)
        _, key = _LISTS[self._list]
        if not self._paging.take(reply.data, key, self._earliest):
            return []
        self._found |= {row.order_id for row in self._paging.rows.values() if self._alike(row, now // 1_000_000)}
        if self._list + 1 < len(_LISTS):
            self._list += 1
            self._paging = Paging()
            return []
        if self._look in rivals:
            self._restart(now + _RETRY)
            return []
        return [Found(order_id=self.ask.order_id, candidates=tuple(sorted(self._found, key=int)), as_of=self._begun)]

    def _restart(self, due: int) -> None:
        self.in_flight = False
        self.due = due
        self._list = 0
        self._paging = Paging()
        self._found = set()
        self._begun = 0

    @property
    def _earliest(self) -> int:
        return self.ask.placed // 1_000_000 - TOLERANCE_MS

    def _alike(self, row: Row, now_ms: int) -> bool:
        _, side, kind, volume, price = self._look
        same = (row.side, row.type, row.volume) == (side, kind, volume) and (kind == MARKET or row.price == price)
        return same and self._earliest <= row.created <= now_ms + TOLERANCE_MS
