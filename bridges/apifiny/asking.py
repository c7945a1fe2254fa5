"""Questions about orders, gathered: many at once after a logon go as few requests, for all share 20 requests a second. Pure.

The rules:

1. A question waits up to 20 ms, that is until the next tick after that, for others to go with it. One alone is asked by itself.
2. No order is asked about twice at a time; a question that is repeated meanwhile is answered by the answer under way.
3. An order that a list leaves out, or that a refused list was about, is asked about by itself: only that answer can say "no such order".
4. A question that was not answered is dropped: the router asks again at its own deadline.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bridges.apifiny.calls import Looking, batches
from router.model import Ask

__all__ = ["Asking"]

GATHER: Final = 20_000_000
"""ns."""
_LOOKS_AT_MOST: Final = 1_000
"""Orders that are to be looked at and that the router has not asked about."""


class Asking:
    """The questions that wait, and those under way."""

    def __init__(self) -> None:
        self._waiting: dict[str, None] = {}
        self._since = 0
        self._under_way: set[str] = set()
        self._alone: list[str] = []
        self._askers: dict[str, str] = {}
        """The router's id of an order, by the venue's; none of an order that only we want to see."""

    def ask(self, ask: Ask, now: int) -> None:
        """The router wants to know."""
        self._askers[ask.venue_cl_ord_id] = ask.order_id
        self.look(ask.venue_cl_ord_id, now)

    def look(self, order_id: str, now: int) -> None:
        """An update of this order could not be read: look at it."""
        if order_id in self._under_way or order_id in self._alone:
            return
        if order_id not in self._askers and len(self._waiting) + len(self._under_way) + len(self._alone) >= _LOOKS_AT_MOST:
            return  # a stream of nonsense does not become a stream of requests; the router asks at its own deadline
        self._since = self._since if self._waiting else now
        self._waiting.setdefault(order_id)

    def due(self, now: int) -> list[tuple[str, ...]]:
        """What is to be asked now, ids that go together."""
        found: list[tuple[str, ...]] = [(each,) for each in self._alone]
        self._alone = []
        if self._waiting and now - self._since >= GATHER:
            found += batches(list(self._waiting))
            self._waiting.clear()
        self._under_way.update(each for ids in found for each in ids)
        return found

    def asker(self, order_id: str) -> str | None:
        """The router's id, where it was the router that asked."""
        return self._askers.get(order_id)

    def answered(self, looking: Looking, seen: Iterable[str]) -> None:
        """These were spoken of; what a list left out is asked about by itself (rule 3)."""
        spoken = set(seen)
        self.dropped(Looking(tuple(each for each in looking.ids if each in spoken or not looking.many)))
        left = [each for each in looking.ids if each not in spoken] if looking.many else []
        self._under_way.difference_update(left)
        self._alone += left

    def dropped(self, looking: Looking) -> None:
        """No answer, or none that says anything."""
        self._under_way.difference_update(looking.ids)
        for each in looking.ids:
            self._askers.pop(each, None)
