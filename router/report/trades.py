"""The executions of a day: each with what became of it, their volumes, and their prices against the orders' limits. Pure.

The rules:

1. An execution counts on the day on which it was told. One that was taken back or corrected on the same day does not count; the
   correction does.
2. A correction or bust of an earlier day's execution does not change that day's report, which may be printed already: it is told, and
   summed by itself, as an adjustment (new minus old).
3. What an execution is worth is LastQty times LastPx in the quote currency; for a contract, what the contract says (`Contract`); where
   its size is not known, nothing.
4. Amounts of different currencies are never added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from router.model import ExecutionReport
from router.order import Leg, Order
from router.words import EXACT, ZERO, ExecType, Side

__all__ = ["Adjustment", "Contract", "Contracts", "Fill", "Slippage", "Trades", "Volume", "is_buy"]

_BUYS: Final = (Side.BUY, Side.BUY_MINUS)
_KINDS: Final = {ExecType.TRADE: "trade", ExecType.TRADE_CORRECT: "correct", ExecType.TRADE_CANCEL: "bust"}
_BASIS_POINTS: Final = Decimal(10_000)


class Contract(NamedTuple):
    """What one unit of quantity is where it is not one of the base currency."""

    size: Decimal | None
    """In units of the quote currency where `inverse`, else of the base; None: not known."""
    inverse: bool = False

    def value(self, qty: Decimal, px: Decimal) -> Decimal | None:
        """What `qty` at `px` is worth in the quote currency, exact; None where that is not known."""
        if self.size is None:
            return None
        units = EXACT.multiply(qty, self.size)
        return units if self.inverse else EXACT.multiply(units, px)


Contracts = Callable[[Order], Contract]
"""What a unit of an order's quantity is."""


class Fill(msgspec.Struct, kw_only=True):
    """One execution message to a client: an execution, or what became of one."""

    kind: str
    """trade, correct or bust."""
    counts: str
    """yes; no: a bust, or changed by another of this day; earlier: it changes an execution of an earlier day (rule 2)."""
    became: str = ""
    """corrected or busted, where a later one of this day says so."""
    order: Order
    leg: Leg | None
    exec_id: str
    exec_ref_id: str
    cl_ord_id: str
    side: Side
    last_qty: Decimal
    last_px: Decimal
    limit: Decimal | None
    """The order's limit when it was executed."""
    fee: Decimal | None
    fee_currency: str
    time: int
    venue_exec_id: str
    text: str


class Adjustment(NamedTuple):
    """What changed of an earlier day's execution: new minus old."""

    fill: Fill
    qty: Decimal
    value: Decimal | None


class Volume:
    """What was bought and sold of one symbol at one destination; quantities as ordered, values in `quote`."""

    def __init__(self, quote: str) -> None:
        self.quote = quote
        self.fills = 0
        self.bought = self.sold = self.paid = self.received = ZERO
        self.valued = True
        """False where a value is not known (rule 3)."""

    @property
    def value(self) -> Decimal:
        """Of both sides together."""
        return EXACT.add(self.paid, self.received)

    def add(self, buy: bool, qty: Decimal, value: Decimal | None) -> None:
        """Count one execution."""
        self.fills += 1
        self.valued = self.valued and value is not None
        if buy:
            self.bought, self.paid = EXACT.add(self.bought, qty), EXACT.add(self.paid, value or ZERO)
        else:
            self.sold, self.received = EXACT.add(self.sold, qty), EXACT.add(self.received, value or ZERO)


class Slippage:
    """Prices against limits, of one side of one symbol at one destination. Above zero is better for the client than the limit."""

    def __init__(self, quote: str) -> None:
        self.quote = quote
        self.better = self.at_limit = self.worse = self.without_limit = 0
        self.amount: Decimal | None = ZERO
        """In `quote`; None where it is not known: a contract of another kind (`Contract`)."""
        self.best: Decimal | None = None
        self.worst: Decimal | None = None
        self._weight = self._weighted = ZERO

    @property
    def average(self) -> Decimal | None:
        """Basis points of the limit, weighted by what the executions were worth at their limits; None without any."""
        return EXACT.divide(self._weighted, self._weight) if self._weight else None

    def add(self, buy: bool, qty: Decimal, px: Decimal, limit: Decimal | None, contract: Contract) -> None:
        """Count one execution. An order without a limit has nothing to be measured against."""
        if limit is None or limit <= 0:
            self.without_limit += 1
            return
        gain = EXACT.subtract(limit, px) if buy else EXACT.subtract(px, limit)
        self.better, self.worse, self.at_limit = self.better + (gain > 0), self.worse + (gain < 0), self.at_limit + (gain == 0)
        points = EXACT.divide(EXACT.multiply(gain, _BASIS_POINTS), limit)
        self.best = points if self.best is None else max(self.best, points)
        self.worst = points if self.worst is None else min(self.worst, points)
        # Without rounding on the way: gain over limit, times the value at the limit, is gain times quantity.
        self._weight = EXACT.add(self._weight, qty if contract.inverse else EXACT.multiply(qty, limit))
        self._weighted = EXACT.add(self._weighted, EXACT.multiply(qty, points if contract.inverse else EXACT.multiply(gain, _BASIS_POINTS)))
        known = contract.size is not None and not contract.inverse and self.amount is not None
        self.amount = EXACT.add(self.amount or ZERO, EXACT.multiply(EXACT.multiply(qty, contract.size or ZERO), gain)) if known else None


class Trades:
    """The executions that were told on the day, in their order."""

    def __init__(self, contracts: Contracts) -> None:
        self.fills: list[Fill] = []
        self.adjustments: list[Adjustment] = []
        self._contracts = contracts
        self._named: dict[str, Fill] = {}

    def take(self, order: Order, told: ExecutionReport, was: tuple[Leg, Decimal, Decimal] | None, venue_exec_id: str = "") -> None:
        """A report of a trade, a correction or a bust. `was`: the leg, quantity and price of the execution that it changes."""
        booked = order.executions.get(told.exec_id) or was
        fill = Fill(
            kind=_KINDS[told.exec_type], counts="yes", order=order, leg=booked[0] if booked else None, exec_id=told.exec_id,
            exec_ref_id=told.exec_ref_id or "", cl_ord_id=told.cl_ord_id, side=told.side, last_qty=told.last_qty, last_px=told.last_px,
            limit=told.price, fee=told.fee, fee_currency=told.fee_currency, time=told.time, venue_exec_id=venue_exec_id, text=told.text,
        )  # fmt: skip
        if told.exec_ref_id is not None:
            self._changes(fill, was)
        self.fills.append(fill)
        self._named[fill.exec_id] = fill

    def _changes(self, fill: Fill, was: tuple[Leg, Decimal, Decimal] | None) -> None:
        old = self._named.get(fill.exec_ref_id)
        if old is not None and old.counts == "yes":
            old.counts = "no"
            self._mark(old, "corrected" if fill.kind == "correct" else "busted")
            # The limit is that of the execution, not of the order when somebody corrected it. A bust has nothing that could count.
            fill.limit = old.limit
            fill.counts = "yes" if fill.kind == "correct" else "no"
            return
        fill.counts = "earlier"
        old_qty, old_px = (was[1], was[2]) if was is not None else (ZERO, ZERO)
        new, before = self.value(fill, fill.last_qty, fill.last_px), self.value(fill, old_qty, old_px)
        value = None if new is None or before is None else EXACT.subtract(new, before)
        self.adjustments.append(Adjustment(fill, EXACT.subtract(fill.last_qty, old_qty), value))

    def _mark(self, fill: Fill | None, became: str) -> None:
        """A bust takes back the whole chain of corrections."""
        while fill is not None:
            fill.became = became
            fill = self._named.get(fill.exec_ref_id) if became == "busted" else None

    def contract(self, fill: Fill) -> Contract:
        """What a unit of its quantity is."""
        return self._contracts(fill.order)

    def value(self, fill: Fill, qty: Decimal, px: Decimal) -> Decimal | None:
        """What a quantity at a price is worth, of what was executed there (rule 3)."""
        return self.contract(fill).value(qty, px)

    def standing(self) -> Iterator[Fill]:
        """What counts on the day (rule 1)."""
        return (fill for fill in self.fills if fill.counts == "yes")

    def volumes(self) -> dict[tuple[str, str], Volume]:
        """By destination and symbol, in that order."""
        found: dict[tuple[str, str], Volume] = {}
        for fill in self.standing():
            volume = found.setdefault((fill.order.destination, fill.order.symbol), Volume(quote(fill.order.symbol)))
            volume.add(is_buy(fill.side), fill.last_qty, self.value(fill, fill.last_qty, fill.last_px))
        return dict(sorted(found.items()))

    def slippages(self) -> dict[tuple[str, str, str], Slippage]:
        """By destination, symbol and side, in that order."""
        found: dict[tuple[str, str, str], Slippage] = {}
        for fill in self.standing():
            key = (fill.order.destination, fill.order.symbol, str(fill.side))
            slippage = found.setdefault(key, Slippage(quote(fill.order.symbol)))
            slippage.add(is_buy(fill.side), fill.last_qty, fill.last_px, fill.limit, self.contract(fill))
        return dict(sorted(found.items()))

    def fees(self) -> dict[str, Decimal]:
        """By currency; a rebate counts against them. A correction says nothing of the fee, which stays; that of a bust is not one."""
        found: dict[str, Decimal] = {}
        for fill in self.fills:
            if fill.fee is not None and fill.became != "busted":
                found[fill.fee_currency] = EXACT.add(found.get(fill.fee_currency, ZERO), fill.fee)
        return dict(sorted(found.items()))


def is_buy(side: Side) -> bool:
    """Whether it gets the base currency; every other side of FIX that is taken gives it."""
    return side in _BUYS


def quote(symbol: str) -> str:
    """The quote currency of a symbol of ours, "BASE/QUOTE"; the symbol itself where it is no pair."""
    return symbol.partition("/")[2] or symbol
