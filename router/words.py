"""The words of the field: sides, order types, states, reasons. Pure data.

Names are FIX's (volume 6, field definitions), in Python's spelling; codes and tag numbers are not known here: `fix/tags.py` maps them.
"""

from __future__ import annotations

from decimal import Context, Decimal
from enum import StrEnum
from typing import Final

__all__ = [
    "EXACT",
    "NONE",
    "ZERO",
    "CxlRejReason",
    "CxlRejResponseTo",
    "Done",
    "ExecType",
    "MassScope",
    "OrdRejReason",
    "OrdStatus",
    "OrdType",
    "Side",
    "TimeInForce",
]

ZERO: Final = Decimal(0)
EXACT: Final = Context(prec=100)
"""Arithmetic that never rounds what a message can carry (30 digits): the standard 28 digits would, in a product or a remainder."""
NONE: Final = "NONE"
"""OrderID(37) of a reject that concerns no order that we know (FIX 4.2, Cancel Reject, OrderID)."""


class Side(StrEnum):
    """Side(54)."""

    BUY = "buy"
    SELL = "sell"
    BUY_MINUS = "buy-minus"
    SELL_PLUS = "sell-plus"
    SELL_SHORT = "sell-short"
    SELL_SHORT_EXEMPT = "sell-short-exempt"
    UNDISCLOSED = "undisclosed"
    CROSS = "cross"
    CROSS_SHORT = "cross-short"


class OrdType(StrEnum):
    """OrdType(40)."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop-limit"


class TimeInForce(StrEnum):
    """TimeInForce(59)."""

    DAY = "day"
    GTC = "good-till-cancel"
    OPG = "at-the-opening"
    IOC = "immediate-or-cancel"
    FOK = "fill-or-kill"
    GTX = "good-till-crossing"
    GTD = "good-till-date"


class OrdStatus(StrEnum):
    """OrdStatus(39)."""

    PENDING_NEW = "pending-new"
    NEW = "new"
    PARTIALLY_FILLED = "partially-filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    DONE_FOR_DAY = "done-for-day"
    PENDING_CANCEL = "pending-cancel"
    PENDING_REPLACE = "pending-replace"


class ExecType(StrEnum):
    """ExecType(150) as FIX 4.3 and later have it; 4.2's PartialFill and Fill are both TRADE here."""

    PENDING_NEW = "pending-new"
    NEW = "new"
    TRADE = "trade"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    DONE_FOR_DAY = "done-for-day"
    PENDING_CANCEL = "pending-cancel"
    PENDING_REPLACE = "pending-replace"
    REPLACED = "replaced"
    ORDER_STATUS = "order-status"
    TRADE_CORRECT = "trade-correct"
    TRADE_CANCEL = "trade-cancel"


class OrdRejReason(StrEnum):
    """OrdRejReason(103)."""

    BROKER_OPTION = "broker-option"
    UNKNOWN_SYMBOL = "unknown-symbol"
    EXCHANGE_CLOSED = "exchange-closed"
    EXCEEDS_LIMIT = "order-exceeds-limit"
    UNKNOWN_ORDER = "unknown-order"
    DUPLICATE_ORDER = "duplicate-order"
    STALE_ORDER = "stale-order"
    UNSUPPORTED = "unsupported-order-characteristic"
    INCORRECT_QUANTITY = "incorrect-quantity"
    UNKNOWN_ACCOUNT = "unknown-account"
    OTHER = "other"


class CxlRejReason(StrEnum):
    """CxlRejReason(102)."""

    TOO_LATE = "too-late-to-cancel"
    UNKNOWN_ORDER = "unknown-order"
    BROKER_OPTION = "broker-option"
    ALREADY_PENDING = "already-pending-cancel-or-replace"
    DUPLICATE_CL_ORD_ID = "duplicate-cl-ord-id"
    OTHER = "other"


class CxlRejResponseTo(StrEnum):
    """CxlRejResponseTo(434)."""

    CANCEL = "order-cancel-request"
    REPLACE = "order-cancel-replace-request"


class Done(StrEnum):
    """How an order ended without being filled."""

    CANCELED = "canceled"
    EXPIRED = "expired"
    DONE_FOR_DAY = "done-for-day"


class MassScope(StrEnum):
    """What a mass request is about, always within the session that asks: MassCancelRequestType(530), MassStatusReqType(585)."""

    SYMBOL = "symbol"
    ALL = "all"
