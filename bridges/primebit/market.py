"""PrimeBit's books and last trades (document, "Order Book", "Tick"), kept as best bid, best ask and last trade. Pure.

Each message of a book holds its 32 best levels whole, so a lost one is healed by the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from bridges.primebit.payload import Malformed, amount, listed, mapped, positive
from bridges.wire import Top

__all__ = ["Market"]


class Market:
    """One symbol."""

    def __init__(self) -> None:
        self.top = Top()

    def forget(self) -> None:
        """The stream is gone, and with it the book; the last trade stays true."""
        self.top = Top(last=self.top.last)

    def book(self, data: Any) -> None:
        """Take a book. Raises `Malformed`."""
        fields = mapped(data, "the book")
        bids, asks = _levels(fields, "bids"), _levels(fields, "asks")
        bid, ask = max(bids, default=(None, None)), min(asks, default=(None, None))
        self.top = Top(bid=bid[0], bid_qty=bid[1], ask=ask[0], ask_qty=ask[1], last=self.top.last)

    def tick(self, data: Any) -> tuple[Decimal, Decimal | None] | None:
        """Take a market tick; the trade's price and volume, where it tells one. Raises `Malformed`."""
        fields = mapped(data, "the tick")
        if fields.get("last") is None:
            return None
        last = positive(fields, "last")
        if last is None:
            return None
        self.top = replace(self.top, last=last)
        return last, amount(fields, "volume") if fields.get("volume") is not None else None


def _levels(fields: Mapping[str, Any], key: str) -> list[tuple[Decimal, Decimal]]:
    levels = []
    for each in listed(fields.get(key), key):
        level = mapped(each, f"a level of {key}")
        price, size = amount(level, "price"), amount(level, "size")
        if price <= 0 or size < 0:
            raise Malformed(f"a level of {key} makes no sense")
        if size:
            levels.append((price, size))
    return levels
