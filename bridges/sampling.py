"""The prices of a bridge that the core is told now and then, for limits to judge by. Pure.

What moved since it was told is told; what did not is told again before it would count as old, as long as the book is there: a price that
is only remembered from before a lost stream grows old.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridges.wire import VenueProtocol
from router.model import Price, Priced

__all__ = ["Sampling"]


class Sampling:
    """The symbols of one bridge. Times in ns."""

    def __init__(self, link: str, symbols: Sequence[str], every: int, again: int) -> None:
        """`every`: how often to look; `again`: when a price that has not moved is told again."""
        self._link = link
        self._every = every
        self._again = again
        self._next = 0
        self._told: dict[str, tuple[Price, int]] = {each: (Price(symbol=each), 0) for each in symbols}

    def watch(self, symbols: Sequence[str]) -> None:
        """These symbols too, from now on."""
        for each in symbols:
            self._told.setdefault(each, (Price(symbol=each), 0))

    def take(self, protocol: VenueProtocol, now: int) -> Priced | None:
        """What is to be told now; None where it is not time to look, or nothing is new."""
        if now < self._next:
            return None
        self._next = now + self._every
        news = []
        for symbol, (before, at) in self._told.items():
            best = protocol.top(symbol)
            price = Price(symbol=symbol, bid=best.bid, ask=best.ask, last=best.last)
            alive = best.bid is not None or best.ask is not None
            if price != before or (alive and now - at >= self._again):
                news.append(price)
        self._told.update({each.symbol: (each, now) for each in news})
        return Priced(self._link, tuple(news)) if news else None
