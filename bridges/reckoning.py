"""What the account of a bridge holds, told to the core as it changes. Pure.

What changed since it was told is told, and all of it now and then, so that it does not count as old, and so that what the core worked out
meanwhile is put right. What the venue does not list any more is told as 0 once. While the venue's word cannot be had, nothing is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridges.wire import Holdings, VenueProtocol
from router.model import Balance, Held, Position
from router.words import ZERO

__all__ = ["Reckoning"]


class Reckoning:
    """One bridge's. Times in ns."""

    def __init__(self, link: str, every: int, again: int) -> None:
        """`every`: how often to look; `again`: when all is told again."""
        self._link = link
        self._every = every
        self._again = again
        self._next = 0
        self._whole_at = 0
        self._seen: Holdings | None = None
        self._balances: dict[str, Balance] = {}
        self._positions: dict[str, Position] = {}

    def watch(self, symbols: Sequence[str]) -> None:
        """What an account holds is told whatever is traded."""

    def take(self, protocol: VenueProtocol, now: int) -> Held | None:
        """What is to be told now; None where it is not time to look, or nothing is new."""
        if now < self._next:
            return None
        self._next = now + self._every
        holdings = protocol.held()
        if holdings is None:
            return None
        whole = now >= self._whole_at
        if holdings is self._seen and not whole:
            return None
        balances = {each.currency: each for each in holdings.balances}
        positions = {each.symbol: each for each in holdings.positions}
        balances |= {each: Balance(each, ZERO, ZERO) for each in self._balances if each not in balances}
        positions |= {each: Position(each, ZERO) for each in self._positions if each not in positions}
        news = Held(
            self._link,
            tuple(each for name, each in balances.items() if whole or self._balances.get(name) != each),
            tuple(each for name, each in positions.items() if whole or self._positions.get(name) != each),
        )
        self._seen = holdings
        self._balances = {name: each for name, each in balances.items() if each.total or each.available}
        self._positions = {name: each for name, each in positions.items() if each.qty}
        if whole:
            self._whole_at = now + self._again
        return news if news.balances or news.positions else None
