"""The tags of the document's "FIX API": what a request may carry, and what a report does. Pure; text <-> typed values.

Readings where the document is silent:
 1. Every tag that the document lists for a request is required but Text(58). Price(44) belongs to limit orders alone,
    and a market buy takes CashOrderQty(152), the FIX spelling of REST's `total`, in the place of OrderQty(38). A tag of
    the wrong kind of order counts as not defined for the message (373=2), a missing one as missing (373=1).
 2. Any tag that is not listed, and is not of the standard header or trailer, is refused with 373=2.
 3. TimeInForce is one character; which one is the venue's business (0x01001A), as are zero and negative amounts.
 4. A report has no tag that the document does not list, no Text(58) either, so a reject tells no reason (`reject_text`
    adds it). OrderQty is absent where nobody gave one (orders by cash), Price where there is none (market orders, but
    for their fills). A reject's OrderID is the id that was sent: the venue gave none that was ever told.
 5. OrderCancelReject carries 37 (the order's, or NONE), 11 (as sent), 39 (the true status, 8 for an unknown order),
    434=1, 102 and 58.
"""

import re
from collections.abc import Collection
from decimal import Decimal

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_fixwire import SOH, Message, parse_utc_timestamp, utc_timestamp
from bridges.apifiny.sim_orders import Execution, NewOrder, Order, OrderType, Status, What
from bridges.matching import ZERO, Side

HEADER_AND_TRAILER = frozenset(
    {8, 9, 10, 34, 35, 43, 49, 50, 52, 56, 57, 89, 90, 91, 93, 97, 115, 116, 122, 128, 129, 142, 143, 144, 145} | {212, 213, 347, 369}
)
NEW_TAGS = frozenset({11, 55, 21, 40, 59, 60, 54, 44, 1, 38, 152, 207, 58})
CANCEL_TAGS = frozenset({11, 1, 207, 58})
STATUS_TAGS = frozenset({11, 1, 207})
_NEW_REQUIRED = (11, 55, 21, 40, 59, 60, 54, 1, 207)
_ENQUIRY_REQUIRED = (11, 1, 207)
_DECIMAL = re.compile(r"-?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})", re.ASCII)
_MISSING, _UNDEFINED, _VALUE, _FORMAT = 1, 2, 5, 6

_SIDES = {"1": Side.BUY, "2": Side.SELL}
_SIDE_CHARS = {side: char for char, side in _SIDES.items()}
_TYPES = {"1": OrderType.MARKET, "2": OrderType.LIMIT}
# "ExecType VALUES"; OrdStatus says the same at that moment.
_EXEC_TYPES = {What.NEW: "0", What.PARTIAL_FILL: "1", What.FILL: "2", What.CANCELED: "4", What.REJECTED: "8"}
# CxlRejReason(102): 0 too late, 1 unknown order, 2 broker's option.
_CXL_REASONS = {errors.FINAL_STATUS: 0, errors.UNKNOWN_ORDER: 1}


class Malformed(Exception):
    """Not a valid message of its type: SessionRejectReason(373), the tag at fault, and words."""

    def __init__(self, reason: int, tag: int, text: str) -> None:
        super().__init__(reason, tag, text)
        self.reason = reason
        self.tag = tag
        self.text = text


def new_order(message: Message) -> NewOrder:
    """A NewOrderSingle(D); `Malformed` where it is none."""
    f = message.fields
    _check_tags(f, NEW_TAGS, _NEW_REQUIRED)
    order_type = _TYPES.get(f[40])
    if order_type is None:
        raise Malformed(_VALUE, 40, "OrdType is not 1 or 2")
    side = _SIDES.get(f[54])
    if side is None:
        raise Malformed(_VALUE, 54, "Side is not 1 or 2")
    if f[21] not in ("1", "2", "3"):
        raise Malformed(_VALUE, 21, "HandlInst is not 1, 2 or 3")
    if len(f[59]) != 1:
        raise Malformed(_FORMAT, 59, "TimeInForce is not one character")
    try:
        parse_utc_timestamp(f[60])
    except ValueError:
        raise Malformed(_FORMAT, 60, "TransactTime is no UTCTimestamp") from None
    by_cash = order_type is OrderType.MARKET and side is Side.BUY
    return NewOrder(
        account_id=f[1],
        venue=f[207],
        order_id=f[11],
        symbol=f[55],
        side=side,
        order_type=order_type,
        tif=int(f[59]) if f[59] in "123456789" else 0,
        price=_amount(f, 44, order_type is OrderType.LIMIT),
        qty=_amount(f, 38, not by_cash),
        total=_amount(f, 152, by_cash),
    )


def cancel_request(message: Message) -> tuple[str, str, str]:
    """An OrderCancelRequest(F): account, venue, order id."""
    return _enquiry(message, CANCEL_TAGS)


def status_request(message: Message) -> tuple[str, str, str]:
    """An OrderStatusRequest(H): account, venue, order id."""
    return _enquiry(message, STATUS_TAGS)


def execution_report(execution: Execution, with_text: bool) -> str:
    """The body of an ExecutionReport(8), in the document's order of tags."""
    new = execution.order.asked
    what = execution.what
    char = _EXEC_TYPES[what]
    price = new.price if execution.price is None else execution.price
    # One expression: this is the simulator's hottest line.
    return (
        f"{f'11={new.order_id}{SOH}' if what is What.NEW else ''}"
        f"37={execution.order.venue_id}{SOH}17={execution.exec_id}{SOH}55={new.symbol}{SOH}54={_SIDE_CHARS[new.side]}{SOH}"
        f"{'' if execution.qty is None else f'32={execution.qty:f}{SOH}'}"
        f"{'' if price is None else f'44={price:f}{SOH}'}"
        f"{'' if new.qty is None else f'38={new.qty:f}{SOH}'}"
        f"60={utc_timestamp(execution.at_ms)}{SOH}150={char}{SOH}39={char}{SOH}"
        f"{f'58={errors.explain(execution.code, execution.detail)}{SOH}' if with_text and execution.code else ''}"
    )


def unknown_order_report(exec_id: str, now_ms: int) -> str:
    """What a status request for an order that the venue does not know is answered with."""
    return f"37=NONE{SOH}17={exec_id}{SOH}60={utc_timestamp(now_ms)}{SOH}150=8{SOH}39=8{SOH}"


def nonsense_report(execution: Execution) -> str:
    """A report that frames well and means nothing: the fault `garbage`."""
    order = execution.order
    return f"37={order.venue_id}{SOH}17=?{SOH}55=?{SOH}54=9{SOH}32=NaN{SOH}44=-1e999{SOH}38=-0{SOH}60=yesterday{SOH}150=Z{SOH}39=Z{SOH}"


def cancel_reject(order: Order | None, order_id: str, no: Refused) -> str:
    """The body of an OrderCancelReject(9)."""
    return (
        f"37={'NONE' if order is None else order.venue_id}{SOH}11={order_id}{SOH}39={ord_status(order)}{SOH}434=1{SOH}"
        f"102={_CXL_REASONS.get(no.code, 2)}{SOH}58={no.text}{SOH}"
    )


def ord_status(order: Order | None) -> str:
    """OrdStatus(39) of an order as it stands."""
    if order is None or order.status is Status.REJECTED:
        return "8"
    if order.status is Status.PENDING_SUBMIT:
        return "A"
    if order.status is Status.SUBMITTED:
        return "1" if order.filled > ZERO else "0"
    return "2" if order.status is Status.FILLED else "4"


def _enquiry(message: Message, allowed: Collection[int]) -> tuple[str, str, str]:
    f = message.fields
    _check_tags(f, allowed, _ENQUIRY_REQUIRED)
    return f[1], f[207], f[11]


def _check_tags(fields: dict[int, str], allowed: Collection[int], required: Collection[int]) -> None:
    for tag in fields:
        if tag not in allowed and tag not in HEADER_AND_TRAILER:
            raise Malformed(_UNDEFINED, tag, "tag not defined for this message type")
    for tag in required:
        if tag not in fields:
            raise Malformed(_MISSING, tag, "required tag missing")


def _amount(fields: dict[int, str], tag: int, wanted: bool) -> Decimal | None:
    text = fields.get(tag)
    if text is None:
        if wanted:
            raise Malformed(_MISSING, tag, "required tag missing")
        return None
    if not wanted:
        raise Malformed(_UNDEFINED, tag, "tag not defined for this kind of order")
    if not _DECIMAL.fullmatch(text):
        raise Malformed(_FORMAT, tag, "not a decimal number")
    return Decimal(text)
