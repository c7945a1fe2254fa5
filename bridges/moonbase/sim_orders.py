"""The venue's own vocabulary: orders and their fills. Typed, with no text of any wire. Times are epoch nanoseconds."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from bridges.matching import ZERO, Side


class Stage(Enum):
    """Where an order is; the wire has only `is_active`, `triggered_at` and `cancelled_at` of it."""

    WAITING = "WAITING"
    OPEN = "OPEN"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A request for an order. `amount` is above zero; without `limit_price` it is a market order."""

    symbol: str
    side: Side
    amount: Decimal
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None

    @property
    def type(self) -> str:
        kind = "MARKET" if self.limit_price is None else "LIMIT"
        return kind if self.trigger_price is None else f"STOP_{kind}"


@dataclass(frozen=True, slots=True)
class Fill:
    """An order's part in a trade. `fee` in quote asset."""

    trade_id: int
    price: Decimal
    amount: Decimal
    fee: Decimal
    at_ns: int


@dataclass(slots=True, eq=False)
class Order:
    """`filled` in base asset, `total` and `fee` in quote asset, `frozen` in the asset it pays with; none is ever negative.

    `fee_rate` is that of its day: a later run may have another, and what was frozen was for this one.
    """

    order_id: int
    user_id: int
    asked: NewOrder
    inserted_ns: int
    updated_ns: int
    stage: Stage
    fee_rate: Decimal
    triggered_ns: int | None = None
    cancelled_ns: int | None = None
    filled: Decimal = ZERO
    total: Decimal = ZERO
    fee: Decimal = ZERO
    frozen: Decimal = ZERO
    fills: list[Fill] = field(default_factory=list)

    @property
    def active(self) -> bool:
        return self.stage in (Stage.WAITING, Stage.OPEN)

    @property
    def signed(self) -> Decimal:
        """`requested_amount`."""
        return self.asked.amount if self.asked.side is Side.BUY else -self.asked.amount


@dataclass(frozen=True, slots=True)
class Traded:
    """A trade; `side` is the taker's. The house and counterparties have order ids too."""

    trade_id: int
    symbol: str
    side: Side
    price: Decimal
    amount: Decimal
    taker_order_id: int
    maker_order_id: int
    at_ns: int
