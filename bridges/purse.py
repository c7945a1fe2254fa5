"""The request budgets of one account, shared by its bridges and threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from bridges.budget import Budgets
from bridges.wire import Budget, Kind

__all__ = ["Purse"]


class Purse:
    """The request budgets of one account, for whichever bridge and thread needs one."""

    def __init__(self, budgets: Iterable[Budget]) -> None:
        self._budgets = Budgets(budgets)
        self._lock = threading.Lock()

    def take(self, group: str, kind: Kind, now: int, patience: float = 0.0) -> tuple[bool, float]:
        """`Budgets.take`."""
        with self._lock:
            return self._budgets.take(group, kind, now, patience)

    def used(self, now: int) -> list[tuple[Budget, int, float]]:
        """`Budgets.used`."""
        with self._lock:
            return self._budgets.used(now)

    def close(self, group: str, seconds: float, now: int) -> None:
        """`Budgets.close`."""
        with self._lock:
            self._budgets.close(group, seconds, now)
