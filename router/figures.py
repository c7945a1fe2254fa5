"""What limits are judged by: open orders and their value, positions, what was traded today. Kept up to date order by order. Pure.

The rules:

1. A figure is a sum over orders. Of each order it is remembered what it counts for (`Share`); when an order changed, the difference is
   booked. So an order costs the same however many there are, and `rebuild` makes the same figures from the book alone.
2. An order counts for the worst that may come of it: while a replace is under way, for the greater of what it was and what it is to be;
   while its state at the venue is not known, as open. What its session never saw confirmed is counted all the same.
3. Values are in the quote currency, and sums of different currencies are kept apart, whatever a limit says. Quantities are in base units;
   those of inverse contracts in units of their quote currency, kept apart by symbol. `Instrument.contract_size` turns contracts into these.
4. An order without a price counts at its StopPx(99), else at the reference price that was known when it came: mid, else last, else the
   `reference_price` of a limit for it; else for nothing.
5. A day's figures are of the executions that were booked on that day; what is taken back or corrected later counts on the later day. The
   result of a day is of that day's executions alone, what is left of them valued at the reference.
6. Positions are what went through this router since its book began; orders that are forgotten leave theirs behind (`carried`).
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Final

import msgspec

from router.words import ZERO, Side

__all__ = ["DAY", "Count", "Figures", "Habit", "Holding", "Key", "Money", "Profit", "Share"]

DAY: Final = 86_400_000_000_000

Key = tuple[str, ...]
"""The name of a limit, the words its figures are kept apart by, and the unit."""


class Share(msgspec.Struct, array_like=True, gc=False):
    """What one order counts for."""

    open: bool = False
    quantity: Decimal = ZERO
    """What may still be executed, in the unit of positions."""
    value: Decimal = ZERO
    cum_qty: Decimal = ZERO
    """As booked, in the order's own unit, as is `notional`."""
    notional: Decimal = ZERO
    price: Decimal | None = None
    """What it is valued at, where it has no price of its own."""
    flow: list[tuple[int, Decimal, Decimal]] = []
    """When CumQty and its value changed, ns UTC, and by how much; of the last days."""


class Count(msgspec.Struct):
    """Open orders."""

    orders: int = 0


class Money(msgspec.Struct):
    """The value of open orders by side, and what was traded on a day."""

    buys: Decimal = ZERO
    sells: Decimal = ZERO
    day: int = 0
    traded: Decimal = ZERO

    def today(self, day: int) -> Decimal:
        """What was traded on that day."""
        return self.traded if self.day == day else ZERO


class Holding(msgspec.Struct):
    """What was bought less what was sold, and what of it is still to come."""

    position: Decimal = ZERO
    buys: Decimal = ZERO
    sells: Decimal = ZERO


class Profit(msgspec.Struct):
    """By (destination, the venue's symbol): base units that a day's executions left, and the money they brought. Their worth at a price p
    is p times the first plus the second, of inverse contracts as of all others."""

    day: int = 0
    by: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}


class Habit(msgspec.Struct):
    """Cancels since each of the last orders, until the next one; and their sum."""

    orders: deque[int] = msgspec.field(default_factory=deque)
    cancels: int = 0


class Figures(msgspec.Struct):
    """Every figure there is, and what each order counts for."""

    shares: dict[str, Share] = {}
    """By OrderID."""
    counts: dict[Key, Count] = {}
    money: dict[Key, Money] = {}
    holdings: dict[Key, Holding] = {}
    profits: dict[Key, Profit] = {}
    paces: dict[Key, deque[int]] = {}
    """When the last orders were taken, ns UTC."""
    habits: dict[Key, Habit] = {}
    recent: dict[tuple[str, str, Side, Decimal | None, Decimal | None], int] = {}
    """When an order with this session, symbol, side, price and quantity was taken."""
    carried: dict[tuple[str, str, str, str, str], Decimal] = {}
    """By session, account, symbol, destination and the venue's symbol: CumQty of orders that are forgotten, sells below zero."""
