"""The venue's own vocabulary: orders, their status, and what happens to them. Typed, with no text of any wire."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from bridges.matching import ZERO, Side


class OrderType(Enum):
    LIMIT = "LIMIT"
    MARKET = "MARKET"


class Status(Enum):
    """ "Order Status" of "Create New Order". PART_FILLED is final: the rest is gone."""

    PENDING_SUBMIT = "PENDING_SUBMIT"
    SUBMITTED = "SUBMITTED"
    PART_FILLED = "PART_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"


# "Time In Force". 2 (GTD) is "temporarily not supported".
GTC, IOC, POST_ONLY = 1, 3, 7


class What(Enum):
    """What an Execution tells."""

    NEW = "NEW"
    PARTIAL_FILL = "PARTIAL_FILL"
    FILL = "FILL"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"


@dataclass(slots=True)
class NewOrder:
    """A request for an order, as sent. `qty` in base units; `total` in quote units, for a market buy alone.

    `by_rest`: it came over REST, so FIX does not report it.
    """

    account_id: str
    venue: str
    order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    tif: int
    price: Decimal | None = None
    qty: Decimal | None = None
    total: Decimal | None = None
    by_rest: bool = False


@dataclass(slots=True, eq=False)
class Order:
    """An order at the venue: `venue_id` is its name for it, `asked.order_id` the client's. Times in epoch ms."""

    asked: NewOrder
    venue_id: str
    created_ms: int
    updated_ms: int
    status: Status = Status.PENDING_SUBMIT
    filled: Decimal = ZERO
    filled_value: Decimal = ZERO
    frozen: Decimal = ZERO
    cancelled_ms: int | None = None
    filled_ms: int | None = None
    latest: "Execution | None" = None
    last_fill: "Execution | None" = None

    @property
    def is_open(self) -> bool:
        return self.status is Status.PENDING_SUBMIT or self.status is Status.SUBMITTED


@dataclass(slots=True, eq=False)
class Execution:
    """One thing that happened to an order: quantity, price, fee and `taker` are a fill's own, code and detail a reject's.

    `fee` is in quote currency.
    """

    order: Order
    what: What
    exec_id: str
    at_ms: int
    qty: Decimal | None = None
    price: Decimal | None = None
    code: str = ""
    detail: str = ""
    fee: Decimal = ZERO
    taker: bool = False
