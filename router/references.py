"""The prices that limits judge by: what venues told last of their symbols (`Priced`), for as long as it can be trusted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from router.model import Priced
from router.words import EXACT

__all__ = ["Reference", "References", "note", "reference"]

_HALF: Final = Decimal("0.5")


class Reference(msgspec.Struct, frozen=True, array_like=True):
    """Best prices and last trade of one symbol, and when they were told, ns UTC."""

    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    at: int


References = dict[str, dict[str, Reference]]
"""By link, then by the venue's symbol."""


def note(references: References, event: Priced, now: int) -> None:
    """Keep what was told."""
    known = references.setdefault(event.link, {})
    for each in event.prices:
        known[each.symbol] = Reference(each.bid, each.ask, each.last, now)


def reference(references: References, links: Sequence[str], symbol: str, kind: str, since: int) -> Decimal | None:
    """The "mid" or "last" price of a venue's symbol, told by one of the links at `since` or later; None where none was. Of a book with one
    side only there is no mid."""
    for link in links:
        told = references.get(link, {}).get(symbol)
        if told is None or told.at < since:
            continue
        if kind == "last" and told.last is not None:
            return told.last
        if kind == "mid" and told.bid is not None and told.ask is not None:
            return EXACT.multiply(EXACT.add(told.bid, told.ask), _HALF)
    return None
