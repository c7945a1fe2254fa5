"""Balances and positions of one account, as its venue told them last. Pure.

Bounded: of what comes when it is full, nothing is kept, and that is said once. The same `Holdings` as long as nothing changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from bridges.wire import Holdings, Note
from router.model import Balance, Position
from router.words import ZERO

__all__ = ["ROWS_AT_MOST", "Shelf"]

ROWS_AT_MOST: Final = 1_000
"""Of each kind."""
_Row = TypeVar("_Row", Balance, Position)


class Shelf:
    """What is kept; when it can be trusted, its owner knows."""

    def __init__(self, whose: str) -> None:
        """`whose`: for notes, "Crypto.com"."""
        self._whose = whose
        self._balances: dict[str, Balance] = {}
        self._positions: dict[str, Position] = {}
        self._held: Holdings | None = None
        self._noted: set[str] = set()

    @property
    def holdings(self) -> Holdings:
        """All of it."""
        if self._held is None:
            self._held = Holdings(tuple(self._balances.values()), tuple(self._positions.values()))
        return self._held

    @property
    def currencies(self) -> Iterable[str]:
        """Those that are kept."""
        return self._balances.keys()

    def balances(self, told: Mapping[str, Balance], whole: bool = False) -> list[Note]:
        """Take rows by currency. `whole`: what is not among them is gone, and 0 from now on."""
        gone = {each: Balance(each, ZERO, ZERO) for each in self._balances} if whole else {}
        return self._put("currencies", self._balances, {**gone, **told})

    def positions(self, told: Mapping[str, Position], whole: bool = False) -> list[Note]:
        """Take rows by the venue's symbol, likewise."""
        gone = {each: Position(each, ZERO) for each in self._positions} if whole else {}
        return self._put("positions", self._positions, {**gone, **told})

    def note(self, kind: str, text: str) -> list[Note]:
        """What is wrong, said once until that kind is well again."""
        if kind in self._noted:
            return []
        self._noted.add(kind)
        return [Note(f"{self._whose}: {text}")]

    def well(self, *kinds: str) -> None:
        """These are right again."""
        self._noted.difference_update(kinds)

    def _put(self, what: str, kept: dict[str, _Row], told: Mapping[str, _Row]) -> list[Note]:
        room = ROWS_AT_MOST - len(kept)
        refused = frozenset([key for key in told if key not in kept][room:])
        for key, row in told.items():
            if key not in refused and kept.get(key) != row:
                kept[key], self._held = row, None
        return self.note(f"too many {what}", f"more than {ROWS_AT_MOST} {what} are told; not all are kept") if refused else []
