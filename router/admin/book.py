"""Finding orders for operators: by any of their ids, and in pages. The lock is held only to copy references, never to look through them."""

from __future__ import annotations

import asyncio
import difflib
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterable
from itertools import islice
from typing import Final, Literal

from router.admin.contract import OrderRow
from router.admin.needs import Core
from router.admin.tally import BREATH_S, gently
from router.admin.views import order_row
from router.order import Order
from router.state import State

__all__ = ["Book", "Match", "named"]

Wanted = Literal["open", "done", "unknown", "all"]
Match = Callable[[Order], bool]
_EVERY_S: Final = 1.0
_ROWS, _LOOKED_AT = 16, 256
"""How many are printed, and how many looked at, between two breaths."""
_NEAR_OF: Final = 200
"""Newest orders whose ids an unknown one is compared with."""


def named(state: State, name: str) -> list[Order]:
    """Every order that has this id: OrderID, a ClOrdID on any session (a request's too), ours or the venue's at the venue. A few look-ups,
    whatever the number of orders."""
    blotter, configured = state.blotter, state.policy.configured
    found = [blotter.orders.get(name)]
    found += [blotter.by_cl_ord_id(each.session, name) for each in configured.clients]
    found += [blotter.at_venue(account, name, name) for account in sorted({each.account for each in configured.destinations})]
    return list({order.order_id: order for order in found if order is not None}.values())


class Book:
    """All orders in their order of arrival, as references of our own: paging does not touch the core's indexes."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._orders: list[Order] = []
        self._of: object = None
        self._all()

    async def follow(self) -> None:
        """Take new orders over every second, so that it is never much at once. Until canceled."""
        while True:
            self._all()
            await asyncio.sleep(_EVERY_S)

    def find(self, name: str) -> list[Order]:
        """Orders with this id."""
        with self._core.reading():
            return named(self._core.engine.state, name)

    def near(self, name: str) -> list[str]:
        """Ids like this one, of the newest orders."""
        newest = self._all()[-_NEAR_OF:]
        ids = [each for order in newest for each in (order.order_id, order.cl_ord_id, order.venue_order_id or "") if each]
        return difflib.get_close_matches(name, dict.fromkeys(ids), n=5)

    def live(self) -> list[Order]:
        """Orders that are open or still have something to be answered; the oldest first."""
        with self._core.reading():
            return list(self._core.engine.state.blotter.live.values())

    async def rows(self, state: Wanted, fits: Match, after: str, limit: int, name: str = "") -> tuple[list[OrderRow], bool]:
        """A page, the newest first, and whether there are more; with a name, of the orders with this id only."""
        rows: list[OrderRow] = []
        async for order in self._fitting(state, fits, after, name):
            if len(rows) == limit:
                return rows, True
            with self._core.reading():
                rows.append(order_row(order))
            if not len(rows) % _ROWS:
                await asyncio.sleep(BREATH_S)
        return rows, False

    async def _fitting(self, state: Wanted, fits: Match, after: str, name: str) -> AsyncIterator[Order]:
        orders: Iterable[Order]
        if name or state in ("open", "unknown"):
            orders = sorted(self.find(name) if name else self.live(), key=_serial, reverse=True)
            orders = (each for each in orders if not after or _serial(each) < _number(after))
        else:
            everything = self._all()
            end = bisect_left(everything, _number(after), key=_serial) if after else len(everything)
            orders = (everything[index] for index in range(end - 1, -1, -1))
        async for order in gently(orders, size=_LOOKED_AT):
            if _is(order, state) and fits(order):
                yield order

    def _all(self) -> list[Order]:
        """Every order, the oldest first: those that are new since the last time are taken over."""
        with self._core.reading():
            orders = self._core.engine.state.blotter.orders
            anew = orders is not self._of or len(orders) < len(self._orders)
            count = len(orders) if anew else len(orders) - len(self._orders)
            new = list(islice(reversed(orders.values()), count))
        new.reverse()
        self._of = orders
        if anew:
            self._orders = new
        else:
            self._orders.extend(new)
        return self._orders


def _is(order: Order, state: Wanted) -> bool:
    match state:
        case "open":
            return not order.done or bool(order.doubt)
        case "unknown":
            return bool(order.doubt)
        case "done":
            return order.done
        case _:
            return True


def _serial(order: Order) -> int:
    return _number(order.order_id)


def _number(order_id: str) -> int:
    """The number in an OrderID ("261121080000-17"): orders of arrival. Raises `ValueError`."""
    return int(order_id.rpartition("-")[2])
