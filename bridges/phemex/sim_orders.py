"""The venue's own vocabulary: an order as asked for, and an order as it stands. Integers are scaled; times are epoch ns.

`ordStatus` and `execStatus`: the document's sample shows "New" alone. The other words are the venue's later ones
(Untriggered, Triggered, PartiallyFilled, Filled, Canceled, Rejected; MakerFill, TakerFill, Canceled, CreateRejected);
"Untriggered" and "Triggered" as `execStatus` are an assumption.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from bridges.matching import Side

OrdType = Literal["Market", "Limit", "Stop", "StopLimit"]
TimeInForce = Literal["GoodTillCancel", "PostOnly", "ImmediateOrCancel", "FillOrKill"]
Row = dict[str, Any]


class Status(Enum):
    """ordStatus."""

    CREATED = "Created"
    UNTRIGGERED = "Untriggered"
    TRIGGERED = "Triggered"
    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    FILLED = "Filled"
    CANCELED = "Canceled"
    REJECTED = "Rejected"


RESTING = (Status.NEW, Status.PARTIALLY_FILLED)
OPEN = (*RESTING, Status.UNTRIGGERED, Status.TRIGGERED)


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A request for an order. `price_ep` is 0 for a market order, `stop_px_ep` for one without a trigger."""

    symbol: str
    cl_ord_id: str
    side: Side
    qty: int
    ord_type: OrdType = "Limit"
    time_in_force: TimeInForce = "GoodTillCancel"
    price_ep: int = 0
    stop_px_ep: int = 0
    reduce_only: bool = False
    close_on_trigger: bool = False

    @property
    def conditional(self) -> bool:
        return self.ord_type in ("Stop", "StopLimit")

    @property
    def at_market(self) -> bool:
        return self.ord_type in ("Market", "Stop")

    @property
    def reduces(self) -> bool:
        return self.reduce_only or self.close_on_trigger


@dataclass(slots=True, eq=False)
class Order:
    """`row` is the latest AOP entry of the order: what happened to it last."""

    asked: NewOrder
    order_id: str
    user_id: int
    request_num: int
    created_ns: int
    updated_ns: int
    status: Status = Status.CREATED
    added_seq: int = 0
    cum_qty: int = 0
    cum_value_ev: int = 0
    canceled_ns: int = 0
    filled_ns: int = 0
    code: int = 0
    row: Row = field(default_factory=dict)

    @property
    def leaves_qty(self) -> int:
        return self.asked.qty - self.cum_qty if self.status in OPEN or self.status is Status.CREATED else 0


@dataclass(frozen=True, slots=True)
class Fill:
    """One order's part in one trade."""

    exec_id: str
    qty: int
    price_ep: int
    value_ev: int
    fee_ev: int
    maker: bool
    closed_size: int
    closed_pnl_ev: int
