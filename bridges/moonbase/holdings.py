"""What the account holds, as the channels `/balances` and `/positions` tell it. Pure.

Document, "Balances", "Positions": the reply of a join tells all, `upsert` the rows that changed. The rows are those of `inquiries.py`,
which decides when to join; here they become figures. Readings:

- A balance's total is available_amount + placed_amount (tied up by orders) + assigned_amount (the example moves 10 of 100 from available to
  assigned). What is pledged, offered, loaned, drawn, borrowed or withdrawn is not explained, and not counted.
- A position's `amount` has a sign, as orders' amounts, and their unit; `price` is what it was opened at (the example: 1 for a total of -1).
- What a whole answer leaves out is 0. A row that cannot be read may be of anything: nothing is held until that channel told all anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from bridges.moonbase.payload import Malformed, number, word
from bridges.wire import Holdings, Note
from router.model import Balance, Position
from router.words import EXACT, ZERO

__all__ = ["BALANCES", "POSITIONS", "Estate"]

BALANCES: Final = "/balances"
POSITIONS: Final = "/positions"
ROWS_AT_MOST: Final = 1_000

Rows = Iterable[Mapping[str, str]]
_Row = TypeVar("_Row", Balance, Position)


class Estate:
    """One account's."""

    def __init__(self) -> None:
        self._balances: dict[str, Balance] = {}
        self._positions: dict[str, Position] = {}
        self._known: set[str] = set()
        self._held: Holdings | None = None
        self._noted: set[str] = set()
        """Which topics were complained of, until they told all again."""

    def held(self) -> Holdings | None:
        """`wire.VenueProtocol.held`."""
        if len(self._known) < 2:
            return None
        if self._held is None:
            self._held = Holdings(tuple(self._balances.values()), tuple(self._positions.values()))
        return self._held

    def knows(self, topic: str) -> bool:
        """Whether a channel has told all, and nothing was missed since."""
        return topic in self._known

    def lost(self, topic: str) -> None:
        """Something of a channel was missed."""
        self._known.discard(topic)

    def told(self, topic: str, rows: Rows) -> list[Note]:
        """The reply of a join: all rows."""
        self.lost(topic)
        notes = self._take(topic, rows, whole=True)
        if not notes:
            self._noted.discard(topic)
        return notes

    def changed(self, topic: str, rows: Rows) -> list[Note]:
        """Rows of `upsert`, each complete."""
        return self._take(topic, rows, whole=False) if topic in self._known else []

    def _take(self, topic: str, rows: Rows, whole: bool) -> list[Note]:
        try:
            notes = self._take_balances(rows, whole) if topic == BALANCES else self._take_positions(rows, whole)
        except Malformed as wrong:
            self.lost(topic)
            return self._note(topic, f"Moonbase: a row of {topic} makes no sense: {wrong}")
        self._known.add(topic)
        return notes

    def _take_balances(self, rows: Rows, whole: bool) -> list[Note]:
        told = {each.currency: each for each in map(_balance, rows)}
        gone = {key: Balance(key, ZERO, ZERO) for key in self._balances} if whole else {}
        return self._put(BALANCES, self._balances, gone | told)

    def _take_positions(self, rows: Rows, whole: bool) -> list[Note]:
        told = {each.symbol: each for each in map(_position, rows)}
        gone = {key: Position(key, ZERO) for key in self._positions} if whole else {}
        return self._put(POSITIONS, self._positions, gone | told)

    def _put(self, topic: str, kept: dict[str, _Row], told: Mapping[str, _Row]) -> list[Note]:
        room = ROWS_AT_MOST - len(kept)
        refused = frozenset([key for key in told if key not in kept][room:])
        for key, row in told.items():
            if key not in refused and kept.get(key) != row:
                kept[key], self._held = row, None
        return self._note(f"{topic} size", f"Moonbase: {topic} tells more than {ROWS_AT_MOST} rows; not all are kept") if refused else []

    def _note(self, kind: str, text: str) -> list[Note]:
        if kind in self._noted:
            return []
        self._noted.add(kind)
        return [Note(text)]


def _balance(row: Mapping[str, str]) -> Balance:
    available = number(row, "available_amount") or ZERO
    tied = EXACT.add(number(row, "placed_amount"), number(row, "assigned_amount"))
    return Balance(word(row, "asset").upper(), EXACT.add(available, tied) or ZERO, available)


def _position(row: Mapping[str, str]) -> Position:
    amount, price = number(row, "amount") or ZERO, number(row, "price")
    return Position(word(row, "symbol"), amount, price if amount and price > 0 else None)
