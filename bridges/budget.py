"""Request budgets: how many requests a venue allows in a time, shared out so that what is urgent always has a place. Pure.

The rules, in any window of the venue's length:

1. Never more requests than the venue allows. The window slides, which is never more than a fixed window or a token bucket of the same
   figures would allow, so it holds for venues that count in either way.
2. New orders never use the reserve: it is for cancels and queries.
3. New orders and queries together leave half of the reserve free: a cancel finds a place also while everything is being asked.
4. A request counts a little longer than the venue's window: two that leave a window apart may arrive nearer to each other.
5. A new order may wait for its place, but only so long as its sender says; then it is refused, and nothing is used.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable

from bridges.wire import Budget, Kind

__all__ = ["Budgets"]

_SECOND = 1_000_000_000
SLACK = 100_000_000
"""ns by which the ways of two requests may differ."""


class _Window:
    """One group's requests: those of the last `seconds`, and those that have a place in the next."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.span = int(budget.seconds * _SECOND) + SLACK
        self.taken: list[tuple[int, Kind]] = []
        self.closed_until = 0
        spare = budget.requests - budget.reserve // 2
        self._most = {
            Kind.NEW: ((budget.requests, tuple(Kind)), (budget.requests - budget.reserve, (Kind.NEW,)), (spare, (Kind.NEW, Kind.QUERY))),
            Kind.QUERY: ((budget.requests, tuple(Kind)), (spare, (Kind.NEW, Kind.QUERY))),
            Kind.CANCEL: ((budget.requests, tuple(Kind)),),
        }

    def free_at(self, kind: Kind, now: int) -> int:
        """When a request of this kind may go, ns; `now` when it may go at once."""
        while self.taken and self.taken[0][0] <= now - self.span:
            self.taken.pop(0)
        free = max(now, self.closed_until)
        for most, kinds in self._most[kind]:
            times = [time for time, each in self.taken if each in kinds]
            if len(times) >= most:
                free = max(free, times[len(times) - most] + self.span)
        return free


class Budgets:
    """All groups of one account. Not thread-safe."""

    def __init__(self, budgets: Iterable[Budget]) -> None:
        self._windows = {each.group: _Window(each) for each in budgets}

    def used(self, now: int) -> list[tuple[Budget, int, float]]:
        """Each budget, how many requests count against it now, and for how many seconds the venue has closed it."""
        return [
            (
                each.budget,
                sum(1 for time, _ in each.taken if time > now - each.span),
                max((each.closed_until - now) / _SECOND, 0.0),
            )
            for each in self._windows.values()
        ]

    def take(self, group: str, kind: Kind, now: int, patience: float = 0.0) -> tuple[bool, float]:
        """Ask for one request. Returns whether it has a place, and the seconds until that, or until there would be one: a place within
        `patience` is taken, a later one is not."""
        window = self._windows[group]
        free = window.free_at(kind, now)
        wait = (free - now) / _SECOND
        if wait > patience:
            return False, wait
        insort(window.taken, (free, kind))
        return True, wait

    def close(self, group: str, seconds: float, now: int) -> None:
        """The venue said that it has had enough (429, Retry-After): nothing goes for so long."""
        window = self._windows[group]
        window.closed_until = max(window.closed_until, now + int(seconds * _SECOND))
