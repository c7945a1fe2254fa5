"""The venue's own vocabulary: an order as asked for, and an order as it stands. Times are epoch ns.

Source: "Order channel" (fields, `event_type`, `fill_type`, `side`). Assumptions: `limit_price` 0 is a market order and
`stop_price` 0 none; both set are a stop-limit order, `stop_price` alone a stop order. The venue shows no status: the
words of `Status` are for the control alone.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

from bridges.matching import Side, Tif

Row = dict[str, Any]
EventType = Literal["new_request", "new", "fill", "partial_fill", "reject", "modify", "modify_reject", "cancel", "cancel_reject"]
ZERO = Decimal(0)
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
FILL_TYPES = {"normal": Tif.GTC, "immediate-or-cancel": Tif.IOC, "fill-or-kill": Tif.FOK}


class Status(Enum):
    UNTRIGGERED = "Untriggered"
    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    FILLED = "Filled"
    CANCELED = "Canceled"


RESTING = (Status.NEW, Status.PARTIALLY_FILLED)
OPEN = (*RESTING, Status.UNTRIGGERED)


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A request for an order; `expiration_time` in seconds, 0 for none."""

    symbol: str
    side: Side
    volume: Decimal
    limit_price: Decimal
    stop_price: Decimal = ZERO
    fill_type: str = "normal"
    expiration_time: int = 0
    comment: str = ""

    @property
    def conditional(self) -> bool:
        return bool(self.stop_price)

    @property
    def at_market(self) -> bool:
        return not self.limit_price

    @property
    def value(self) -> Decimal:
        """At its own prices; 0 for a market order."""
        return self.volume * (self.limit_price or self.stop_price)


@dataclass(frozen=True, slots=True)
class Modification:
    """What an order is to be; `volume` is the whole order's, executed part included."""

    volume: Decimal
    limit_price: Decimal
    stop_price: Decimal


@dataclass(slots=True, eq=False)
class Order:
    """`asked` is what it was last modified to. An order's key in a book is the text of its id."""

    asked: NewOrder
    order_id: int
    account_id: str
    created_ns: int
    updated_ns: int
    status: Status = Status.NEW
    filled: Decimal = ZERO
    value: Decimal = ZERO
    canceled_ns: int = 0
    filled_ns: int = 0

    @property
    def key(self) -> str:
        return str(self.order_id)

    @property
    def left(self) -> Decimal:
        """What is not executed, also of an order that has ended."""
        return self.asked.volume - self.filled
