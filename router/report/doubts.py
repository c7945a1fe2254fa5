"""Orders whose true state at the venue was not known, and for how long. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from router.model import Input, LinkDown, LinkUp, Started
from router.order import Order
from router.state import State

__all__ = ["Doubt", "Doubts"]


class Doubt(msgspec.Struct):
    """One time of not knowing, ns UTC; it may have begun before the day."""

    order: Order
    why: str
    since: int
    until: int | None = None
    """None: it was not over at the end of the day."""


class Doubts:
    """Follows `Order.doubt` through the journal. `begins`: the day's, ns UTC."""

    def __init__(self, begins: int) -> None:
        self.found: list[Doubt] = []
        """Those that were over on the day, and, after `close`, those that were not."""
        self._begins = begins
        self._open: dict[str, Doubt] = {}

    def look(self, state: State, event: Input | None, touched: Iterable[Order], now: int) -> None:
        """After an input; None: at a snapshot. `touched`: the orders that it and its effects speak of. A link or a start can concern
        every order."""
        if isinstance(event, Started | LinkDown | LinkUp):
            touched = [*state.blotter.live.values(), *(each.order for each in self._open.values())]
        for order in touched:
            known = self._open.get(order.order_id)
            if order.doubt and known is None:
                self._open[order.order_id] = Doubt(order, order.doubt, now)
            elif known is not None and not order.doubt:
                self._over(known, now)

    def close(self) -> None:
        """The day is over."""
        for doubt in list(self._open.values()):
            if doubt.order.doubt:
                self.found.append(doubt)
            else:  # cleared by a word on another order
                self._over(doubt, doubt.order.updated)

    def _over(self, doubt: Doubt, now: int) -> None:
        del self._open[doubt.order.order_id]
        if now >= self._begins:
            doubt.until = now
            self.found.append(doubt)
