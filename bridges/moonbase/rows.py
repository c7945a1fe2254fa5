"""An order and a trade as the venue lists them (document, "Orders", "Trades"). Pure. The readings are numbered in `protocol.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridges.moonbase.payload import Malformed, fields, identifier, number, stamp
from router.words import EXACT, OrdStatus, Side

__all__ = ["Row", "Trade", "average", "read_row", "read_trade", "symbol_of"]

_AVG_PX_STEP = Decimal(1).scaleb(-12)


@dataclass(frozen=True, slots=True)
class Row:
    """Where an order stands. Amounts in base units, prices in quote units, times in ns UTC."""

    order_id: str
    requested: Decimal
    """Negative for a sell."""
    limit_price: Decimal | None
    trigger_price: Decimal | None
    filled: Decimal
    """Without a sign."""
    total: Decimal
    """Sum of price times amount, without a sign."""
    fee: Decimal | None
    active: bool
    canceled: bool
    waits: bool
    """A stop order that was not triggered yet."""
    inserted: int
    updated: int

    @property
    def complete(self) -> bool:
        """Nothing is left of it."""
        return self.filled >= self.requested.copy_abs()

    @property
    def live(self) -> bool:
        """More may be executed of it."""
        return not self.canceled and not self.complete and (self.active or self.waits)

    @property
    def status(self) -> OrdStatus:
        """As `Stated` has it."""
        if self.complete:
            return OrdStatus.FILLED
        return OrdStatus.NEW if self.live else OrdStatus.CANCELED

    @property
    def side(self) -> Side:
        """The sign of requested_amount."""
        return Side.BUY if self.requested > 0 else Side.SELL

    @property
    def avg_px(self) -> Decimal | None:
        """AvgPx; None before any execution."""
        return average(self.total, self.filled)

    def behind(self, other: Row) -> bool:
        """Whether it was overtaken: amounts are cumulative and an end is an end, so a row that shows less is an older one."""
        if self.filled != other.filled:
            return self.filled < other.filled
        if self.live != other.live:
            return self.live
        return self.updated < other.updated


@dataclass(frozen=True, slots=True)
class Trade:
    """An execution that everybody sees; here of one of its two orders."""

    trade_id: str
    order_ids: tuple[str, ...]
    qty: Decimal
    px: Decimal


def read_row(value: object, symbol: str) -> Row:
    """A row of a channel `/orders/<symbol>`. Raises `Malformed`."""
    row = fields(value, "an order")
    if row.get("symbol", symbol) != symbol:
        raise Malformed("an order is of another symbol than its channel")
    requested = number(row, "requested_amount")
    filled, total = number(row, "filled_amount").copy_abs(), number(row, "filled_total").copy_abs()
    if not requested:
        raise Malformed("requested_amount is zero")
    if bool(filled) is not bool(total) or (filled and not average(total, filled)):
        raise Malformed("filled_amount and filled_total do not go together")
    active = row.get("is_active")
    if not isinstance(active, bool):
        raise Malformed("is_active is neither true nor false")
    canceled = row.get("cancelled_at") is not None
    trigger = _perhaps(row, "trigger_price")
    return Row(
        order_id=identifier(row, "id"), requested=requested, limit_price=_perhaps(row, "limit_price"), trigger_price=trigger,
        filled=filled, total=total, fee=_perhaps(row, "fee"), active=active, canceled=canceled,
        waits=trigger is not None and row.get("triggered_at") is None, inserted=stamp(row, "inserted_at"), updated=_updated(row),
    )  # fmt: skip


def read_trade(value: object) -> Trade:
    """A row of `insert`. The rows of a join's reply name no orders. Raises `Malformed`."""
    row = fields(value, "a trade")
    qty, px = number(row, "amount").copy_abs(), number(row, "price")
    if not qty or px <= 0:
        raise Malformed("a trade has no amount or no price")
    ids = {str(row[key]) for key in ("maker_order_id", "taker_order_id") if type(row.get(key)) is int}
    return Trade(identifier(row, "id"), tuple(sorted(ids)), qty, px)


def average(total: Decimal, qty: Decimal) -> Decimal | None:
    """Exact where it ends within 12 decimals, else the nearest such value, as the router itself has it."""
    if not qty:
        return None
    exact = EXACT.divide(total, qty)
    rounded = EXACT.quantize(exact, _AVG_PX_STEP)
    return exact.normalize(EXACT) if exact == rounded else rounded.normalize(EXACT)


def symbol_of(topic: str) -> str:
    """ "/orders/ETC_D:BTC_D" is of "ETC_D:BTC_D"."""
    return topic.split("/", 2)[-1]


def _perhaps(row: Mapping[str, Any], key: str) -> Decimal | None:
    return None if row.get(key) is None else number(row, key)


def _updated(row: Mapping[str, Any]) -> int:
    try:
        return stamp(row, "updated_at")
    except Malformed:
        return 0  # it only decides between rows that show the same amounts
