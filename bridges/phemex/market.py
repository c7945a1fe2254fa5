"""Phemex's books and trades, kept as best bid, best ask and last trade (document, "Subscribe OrderBook", "Subscribe Trade"). Pure.

Readings, where the document is silent or contradicts itself:

- A level is [priceEp, contracts] in whole numbers, as in the sample; an increment gives a level's new quantity, and 0 takes it away.
- `sequence` of a symbol's book rises by 1: one that does not rise was seen, one that jumps is a gap. (The samples' 11433 and 11438 are
  of no one connection.) Until the next snapshot a book with a gap has no best prices.
- A trade is [ns, "buy" or "sell", priceEp, contracts]: the price is taken as scaled, like every other; the sample's "999" may be
  either. The newest stands first. The list is named `trades` (sample) or `trade` (format).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from bridges.phemex.payload import Malformed, listed, whole
from bridges.phemex.scaling import price
from bridges.wire import Top

__all__ = ["Market"]

_LEVELS_AT_MOST: Final = 1000
"""The depth is 100 ("Depth: Market Depth", sample); ten times that is a book that has lost its way."""
_TRADES_AT_MOST: Final = 100
"""Kept for operators, of the 1000 that a snapshot has ("1000 history trades")."""


class Market:
    """One symbol."""

    def __init__(self) -> None:
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self._sequence: int | None = None
        self._last_ep: int | None = None
        self._trades: deque[list[Any]] = deque(maxlen=_TRADES_AT_MOST)

    def forget(self) -> None:
        """The stream is gone, and with it the book; the last trade stays true."""
        self._sequence = None
        self._bids.clear()
        self._asks.clear()

    @property
    def sound(self) -> bool:
        """False until a snapshot has come, and from a gap to the next snapshot."""
        return self._sequence is not None

    def book(self, message: Mapping[str, Any]) -> bool:
        """Take a book message. False where it shows that one was lost; raises `Malformed`."""
        sequence, sides = whole(message, "sequence"), message.get("book")
        if not isinstance(sides, dict):
            raise Malformed("book is not an object")
        bids, asks = _levels(sides, "bids"), _levels(sides, "asks")
        if message.get("type") == "snapshot":
            self.forget()
        elif self._sequence is None or sequence <= self._sequence:
            return True  # before the snapshot that it is a part of, or seen
        elif sequence != self._sequence + 1:
            self.forget()
            return False
        for kept, levels in ((self._bids, bids), (self._asks, asks)):
            for px, qty in levels:
                if qty > 0:
                    kept[px] = qty
                else:
                    kept.pop(px, None)
        self._sequence = sequence
        if len(self._bids) > _LEVELS_AT_MOST or len(self._asks) > _LEVELS_AT_MOST:
            self.forget()
            return False
        return True

    def trades(self, message: Mapping[str, Any]) -> None:
        """Take a trade message. Raises `Malformed`."""
        newest = (listed(message, "trades") or listed(message, "trade"))[:_TRADES_AT_MOST]
        sound = [trade for trade in newest if isinstance(trade, list) and len(trade) >= 4]
        if newest and sound[:1] != newest[:1]:
            raise Malformed("a trade is not a list of four")
        if newest:
            self._last_ep = whole({"price": newest[0][2]}, "price")
        if message.get("type") == "snapshot":
            self._trades.clear()
        self._trades.extendleft(reversed(sound))

    @property
    def latest(self) -> Sequence[list[Any]]:
        """The latest trades as the venue wrote them, the newest first: ns, side, priceEp, contracts."""
        return tuple(self._trades)

    @property
    def levels(self) -> tuple[tuple[str, list[tuple[int, int]]], ...]:
        """The book: (priceEp, contracts) of each side, the best first."""
        return ("ask", sorted(self._asks.items())), ("bid", sorted(self._bids.items(), reverse=True))

    @property
    def top(self) -> Top:
        """As it stands now."""
        last = price(self._last_ep) if self._last_ep is not None else None
        bid, ask = max(self._bids, default=None), min(self._asks, default=None)
        return Top(
            bid=price(bid) if bid is not None else None, bid_qty=Decimal(self._bids[bid]) if bid is not None else None,
            ask=price(ask) if ask is not None else None, ask_qty=Decimal(self._asks[ask]) if ask is not None else None, last=last,
        )  # fmt: skip


def _levels(sides: Mapping[str, Any], key: str) -> list[tuple[int, int]]:
    levels = []
    for level in listed(sides, key):
        if not isinstance(level, list) or len(level) != 2:
            raise Malformed(f"a level of {key} is not a pair")
        pair = {"price": level[0], "qty": level[1]}
        levels.append((whole(pair, "price"), whole(pair, "qty")))
    return levels
