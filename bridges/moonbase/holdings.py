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
from typing import Final

from bridges.moonbase.payload import Malformed, number, word
from bridges.shelf import Shelf
from bridges.wire import Holdings, Note
from router.model import Balance, Position
from router.words import EXACT, ZERO

__all__ = ["BALANCES", "POSITIONS", "Estate"]

BALANCES: Final = "/balances"
POSITIONS: Final = "/positions"

Rows = Iterable[Mapping[str, str]]


class Estate:
    """One account's."""

    def __init__(self) -> None:
        self._shelf = Shelf("Moonbase")
        self._known: set[str] = set()

    def held(self) -> Holdings | None:
        """`wire.VenueProtocol.held`."""
        return self._shelf.holdings if len(self._known) == 2 else None

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
            self._shelf.well(topic)
        return notes

    def changed(self, topic: str, rows: Rows) -> list[Note]:
        """Rows of `upsert`, each complete."""
        return self._take(topic, rows, whole=False) if topic in self._known else []

    def _take(self, topic: str, rows: Rows, whole: bool) -> list[Note]:
        try:
            if topic == BALANCES:
                notes = self._shelf.balances({each.currency: each for each in map(_balance, rows)}, whole)
            else:
                notes = self._shelf.positions({each.symbol: each for each in map(_position, rows)}, whole)
        except Malformed as wrong:
            self.lost(topic)
            return self._shelf.note(topic, f"a row of {topic} makes no sense: {wrong}")
        self._known.add(topic)
        return notes


def _balance(row: Mapping[str, str]) -> Balance:
    available = number(row, "available_amount") or ZERO
    tied = EXACT.add(number(row, "placed_amount"), number(row, "assigned_amount"))
    return Balance(word(row, "asset").upper(), EXACT.add(available, tied) or ZERO, available)


def _position(row: Mapping[str, str]) -> Position:
    amount, price = number(row, "amount") or ZERO, number(row, "price")
    return Position(word(row, "symbol"), amount, price if amount and price > 0 else None)
