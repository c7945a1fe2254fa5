"""The venue's own vocabulary: orders, trades and what users own. Typed, with no text of any wire."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum

from bridges.matching import ZERO, Side


class Status(IntEnum):
    """ "List all open orders in a particular market", the comment on `status`."""

    INIT = 0
    NEW = 1
    FILLED = 2
    PART_FILLED = 3
    CANCELED = 4
    PENDING_CANCEL = 5
    EXPIRED = 6


class OrderType(IntEnum):
    LIMIT = 1
    MARKET = 2


LIVE = frozenset({Status.INIT, Status.NEW, Status.PART_FILLED, Status.PENDING_CANCEL})
# "get the current pending orders": what is being canceled has left at once.
OPEN = LIVE - {Status.PENDING_CANCEL}


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A request for an order, as sent: `volume` in base coin, but for a market buy, where it is quote coin to spend."""

    symbol: str
    side: Side
    type: OrderType
    volume: Decimal
    price: Decimal | None = None

    @property
    def by_total(self) -> bool:
        return self.type is OrderType.MARKET and self.side is Side.BUY


@dataclass(frozen=True, slots=True)
class Fill:
    """An order's part in a trade. Both parties know the trade by the same id. `fee` is in the coin received."""

    trade_id: int
    price: Decimal
    qty: Decimal
    fee: Decimal
    at_ms: int


@dataclass(slots=True, eq=False)
class Order:
    """`filled` in base coin, `value` in quote coin, `frozen` in the coin it pays with. Times in epoch milliseconds."""

    order_id: int
    user_id: int
    asked: NewOrder
    created_ms: int
    updated_ms: int
    status: Status = Status.INIT
    filled: Decimal = ZERO
    value: Decimal = ZERO
    fee: Decimal = ZERO
    frozen: Decimal = ZERO
    fills: list[Fill] = field(default_factory=list)

    @property
    def remaining(self) -> Decimal:
        """What is left of `volume`, in the unit of `volume`."""
        return self.asked.volume - (self.value if self.asked.by_total else self.filled)


@dataclass(slots=True)
class Funds:
    """ "usable balance" and "locked balance"."""

    normal: Decimal = ZERO
    locked: Decimal = ZERO
