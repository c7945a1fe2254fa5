"""Our own orders that rest at venues, for the limit on trading with ourselves. Pure.

Limit orders that are not over count from when they are taken, wherever they are on their way; orders that are executed at once or not at
all never rest.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from decimal import Decimal
from typing import Final

from router.model import ReplaceOrder
from router.order import DONE, Order
from router.words import OrdType, Side, TimeInForce

__all__ = ["Resting", "target"]

_FLEETING: Final = (TimeInForce.IOC, TimeInForce.FOK)
_Book = tuple[str, str, str]


class Resting:
    """Our own limit orders by venue account, venue and symbol, sorted by price."""

    def __init__(self) -> None:
        self._at: dict[str, tuple[_Book, bool, Decimal]] = {}
        self._books: dict[tuple[_Book, bool], list[tuple[Decimal, str]]] = {}

    def __eq__(self, other: object) -> bool:
        """Whether the same orders rest at the same prices."""
        return isinstance(other, Resting) and self._at == other._at

    __hash__ = None  # type: ignore[assignment]

    def renew(self, order: Order) -> None:
        """Keep an order where it stands now."""
        was, now = self._at.get(order.order_id), _rests(order)
        if was == now:
            return
        if was is not None:
            book = self._books[was[0], was[1]]
            del book[bisect_left(book, (was[2], order.order_id))]
            del self._at[order.order_id]
        if now is not None:
            insort(self._books.setdefault((now[0], now[1]), []), (now[2], order.order_id))
            self._at[order.order_id] = now

    def crossed(self, order: Order, price: Decimal | None) -> list[str]:
        """OrderIDs of those that an order would trade with at a price, the best first; None: at any."""
        buy = order.request.side is Side.BUY
        book = self._books.get(((order.account, order.venue, order.venue_symbol), not buy))
        if not book:
            return []
        if buy:
            return [each for _, each in (book if price is None else book[: bisect_right(book, price, key=_first)])]
        return [each for _, each in reversed(book if price is None else book[bisect_left(book, price, key=_first) :])]


def _first(entry: tuple[Decimal, str]) -> Decimal:
    return entry[0]


def _rests(order: Order) -> tuple[_Book, bool, Decimal] | None:
    """Where an order rests; with a replace under way, at the price that is easier to trade with."""
    request = order.request
    price = request.price
    if order.base in DONE or request.ord_type is not OrdType.LIMIT or price is None or order.time_in_force in _FLEETING:
        return None
    buy = request.side is Side.BUY
    to_be = target(order)
    if to_be is not None and to_be.price is not None:
        price = max(price, to_be.price) if buy else min(price, to_be.price)
    return (order.account, order.venue, order.venue_symbol), buy, price


def target(order: Order) -> ReplaceOrder | None:
    """What an order is being replaced by; None where it is not."""
    request = order.pending.request if order.pending is not None else None
    return request if isinstance(request, ReplaceOrder) else None
