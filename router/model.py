"""The vocabulary that every part of the router shares: enums, commands, venue events, reports. Pure data, no behaviour.

Three families, all frozen:

- **Inputs** are everything that can happen: a client's command (imperative: `NewOrder`), a venue's event (past tense:
  `Filled`), a configuration taken into use, a tick of the clock. Each is journaled before it has any consequence, so each
  must be complete: replay sees nothing but inputs.
- **Effects** are everything the core may ask for: a venue command to send, a report to a client, an alert.
- **Configuration** is what decisions depend on. It is an input too (`Configured`): an order is judged by the rules that
  stood when it came, also when it is replayed years later under others.

Names are FIX's (volume 6, field definitions), in Python's spelling. Codes and tag numbers are not known here: `fix/tags.py`
maps them. Quantities and prices are exact `Decimal`s; times are integer nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from decimal import Context, Decimal
from enum import StrEnum
from typing import Final

import msgspec

__all__ = [
    "EXACT",
    "NONE",
    "ZERO",
    "Accepted",
    "Account",
    "Alert",
    "Ask",
    "Cancel",
    "CancelOrder",
    "CancelReject",
    "CancelRejected",
    "Canceled",
    "Capabilities",
    "Client",
    "Configured",
    "CxlRejReason",
    "CxlRejResponseTo",
    "Destination",
    "Done",
    "Effect",
    "ExecType",
    "ExecutionReport",
    "Filled",
    "Found",
    "Input",
    "Instrument",
    "LinkDown",
    "LinkUp",
    "NewOrder",
    "NotSent",
    "OrdRejReason",
    "OrdStatus",
    "OrdType",
    "Place",
    "Refusal",
    "Rejected",
    "ReplaceOrder",
    "Route",
    "Send",
    "Side",
    "Started",
    "StatusRequest",
    "Stopped",
    "Tick",
    "TimeInForce",
    "Unanswered",
    "VenueCommand",
    "VenueEvent",
]  # fmt: skip

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


class Refusal(msgspec.Struct, frozen=True):
    """Why a new order is not taken: what goes into OrdRejReason(103) and Text(58)."""

    reason: OrdRejReason
    text: str


# --- commands of clients ------------------------------------------------------------------------------------------------


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, tag="new-order", omit_defaults=True):
    """NewOrderSingle(D), decoded. A value that we cannot even represent is kept as `refusal`, so that the answer is journaled
    too."""

    session: str
    cl_ord_id: str
    symbol: str
    side: Side
    ord_type: OrdType | None = None
    time_in_force: TimeInForce | None = None
    order_qty: Decimal | None = None
    cash_order_qty: Decimal | None = None
    """CashOrderQty(152): an amount of quote currency."""
    price: Decimal | None = None
    stop_px: Decimal | None = None
    post_only: bool = False
    reduce_only: bool = False
    """ExecInst(18)=E, Do not increase: the order may only make a position smaller."""
    account: str | None = None
    destination: str | None = None
    """ExDestination(100), else SecurityExchange(207), as the client wrote it."""
    transact_time: str = ""
    sent: int | None = None
    """When the client first sent it, where it says that it is a repetition (43=Y: 122; 97=Y: 60); None for a first sending."""
    possibly_known: bool = False
    """PossDupFlag(43) or PossResend(97): the client does not know whether we have had this before."""
    echo: dict[str, str] = {}
    """The client's own tags, given back in every report of the order."""
    refusal: Refusal | None = None
    venue_cl_ord_id: str = ""
    """Our id for the venue, made by its rule before the order is journaled; "" while no destination is known."""


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True, tag="cancel-order", omit_defaults=True):
    """OrderCancelRequest(F), decoded."""

    session: str
    cl_ord_id: str
    orig_cl_ord_id: str | None = None
    order_id: str | None = None
    possibly_known: bool = False


class ReplaceOrder(msgspec.Struct, frozen=True, kw_only=True, tag="replace-order", omit_defaults=True):
    """OrderCancelReplaceRequest(G), decoded as far as its refusal needs."""

    session: str
    cl_ord_id: str
    orig_cl_ord_id: str | None = None
    order_id: str | None = None


class StatusRequest(msgspec.Struct, frozen=True, kw_only=True, tag="status-request", omit_defaults=True):
    """OrderStatusRequest(H), decoded."""

    session: str
    cl_ord_id: str | None = None
    order_id: str | None = None
    symbol: str = ""
    side: Side = Side.BUY
    ord_status_req_id: str | None = None


# --- events of venues ---------------------------------------------------------------------------------------------------
# An order is named by our id at the venue, by the venue's, or by both; ids are unique within a venue account.


class Accepted(msgspec.Struct, frozen=True, kw_only=True, tag="accepted", omit_defaults=True):
    """The order is live at the venue."""

    account: str
    exec_id: str
    venue_cl_ord_id: str | None = None
    venue_order_id: str | None = None
    text: str = ""
    """What the client should know about how it is worked there."""


class Filled(msgspec.Struct, frozen=True, kw_only=True, tag="filled", omit_defaults=True):
    """One execution. `complete`: the venue says that nothing is left of the order."""

    account: str
    exec_id: str
    last_qty: Decimal
    last_px: Decimal
    complete: bool
    venue_cl_ord_id: str | None = None
    venue_order_id: str | None = None
    symbol: str | None = None
    side: Side | None = None
    order_qty: Decimal | None = None
    cum_qty: Decimal | None = None
    """CumQty of the order after this execution, where the venue states it: shows what was missed, and what was counted already."""
    avg_px: Decimal | None = None
    """AvgPx after this execution, where the venue states it: prices what was missed."""
    fee: Decimal | None = None
    """What the venue charged; negative is a rebate."""
    fee_currency: str = ""


class Done(StrEnum):
    """How an order ended without being filled."""

    CANCELED = "canceled"
    EXPIRED = "expired"
    DONE_FOR_DAY = "done-for-day"


class Canceled(msgspec.Struct, frozen=True, kw_only=True, tag="canceled", omit_defaults=True):
    """The rest of the order is gone: asked for by the client, or by the venue's own doing."""

    account: str
    exec_id: str
    how: Done = Done.CANCELED
    venue_cl_ord_id: str | None = None
    venue_order_id: str | None = None
    symbol: str | None = None
    side: Side | None = None
    order_qty: Decimal | None = None
    cum_qty: Decimal | None = None
    """CumQty at the end, where the venue states it: with it the end is certain also after an outage."""
    avg_px: Decimal | None = None
    text: str = ""


class Rejected(msgspec.Struct, frozen=True, kw_only=True, tag="rejected", omit_defaults=True):
    """The venue's own no to a new order; with no id at all, its "no such order" to a question."""

    account: str
    exec_id: str
    reason: OrdRejReason = OrdRejReason.BROKER_OPTION
    venue_cl_ord_id: str | None = None
    venue_order_id: str | None = None
    text: str = ""


class CancelRejected(msgspec.Struct, frozen=True, kw_only=True, tag="cancel-rejected", omit_defaults=True):
    """The venue's own no to a cancel."""

    account: str
    reason: CxlRejReason = CxlRejReason.BROKER_OPTION
    venue_cl_ord_id: str | None = None
    venue_order_id: str | None = None
    text: str = ""


class NotSent(msgspec.Struct, frozen=True, kw_only=True, tag="not-sent", omit_defaults=True):
    """A command that is known not to have left this process."""

    order_id: str
    place: bool
    """True: it was the order itself; False: a cancel or a question about it."""
    text: str


class Unanswered(msgspec.Struct, frozen=True, kw_only=True, tag="unanswered", omit_defaults=True):
    """A command may have arrived and nobody knows what became of it: no reply, a 5xx, an answer that cannot be read."""

    order_id: str
    text: str


class Found(msgspec.Struct, frozen=True, kw_only=True, tag="found", omit_defaults=True):
    """The answer to `Ask` about an order whose id at the venue is not known: ids of orders there that look like it, maybe none."""

    order_id: str
    candidates: tuple[str, ...] = ()


class LinkUp(msgspec.Struct, frozen=True, tag="link-up"):
    """A link to a venue account can carry orders."""

    link: str


class LinkDown(msgspec.Struct, frozen=True, tag="link-down"):
    """A link to a venue account is gone; what was on the wire may or may not have arrived."""

    link: str
    text: str = ""


# --- configuration ------------------------------------------------------------------------------------------------------


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One tradable pair at one destination. Prices in `quote`, quantities in `base` units; None: no such limit."""

    symbol: str
    """Ours, one per pair: "BTC/USDT"."""
    venue_symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    min_qty: Decimal | None = None
    max_qty: Decimal | None = None
    min_px: Decimal | None = None
    max_px: Decimal | None = None
    min_notional: Decimal | None = None
    max_notional: Decimal | None = None


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination can do; everything else is refused by name before anything is sent."""

    ord_types: tuple[OrdType, ...]
    times_in_force: tuple[TimeInForce, ...]
    post_only: bool
    market_buy_by_cash: bool
    """A market buy states CashOrderQty(152), not OrderQty(38)."""
    reduce_only: bool = False
    client_id: bool = True
    """The venue keeps our id with the order. Where not, an unanswered order is looked for by what it looks like."""
    native_replace: bool = False


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """A place that an order can be sent to: a venue, reached with one account over one link."""

    name: str
    account: str
    link: str
    venue: str
    """The venue's code on the link, SecurityExchange(207) toward Apifiny."""
    capabilities: Capabilities
    instruments: tuple[Instrument, ...]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A client's Account(1) on a session; `destinations` empty: all of them."""

    name: str
    destinations: tuple[str, ...] = ()


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What we have agreed with the owner of one client session."""

    session: str
    accounts: tuple[Account, ...] = ()
    """Account(1) values allowed; empty: any, and none."""
    default_time_in_force: TimeInForce = TimeInForce.DAY
    """For an order without TimeInForce(59); FIX 4.2 volume 6: absence means Day."""
    max_age: int = 30_000_000_000
    """Nanoseconds: an order that says it is a repetition and is older than this is refused."""
    report_pending: tuple[ExecType, ...] = (ExecType.PENDING_CANCEL,)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order goes that names no destination; empty lists match everything; the first match wins."""

    destination: str
    sessions: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()


class Configured(msgspec.Struct, frozen=True, kw_only=True, tag="configured"):
    """A configuration was taken into use."""

    destinations: tuple[Destination, ...] = ()
    clients: tuple[Client, ...] = ()
    routes: tuple[Route, ...] = ()
    answer_timeout: int = 5_000_000_000
    """Nanoseconds that a venue may be silent before it is asked about an order; "not found" counts only after as long again."""
    hold_when_down: int = 0
    """Nanoseconds that a new order waits for a link that is down; 0: it is refused at once."""


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The router started: every link is down, every open order's last moments are unknown."""

    version: str


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    """The router stopped in order: every effect of the inputs before this one was performed."""


class Tick(msgspec.Struct, frozen=True, tag="tick"):
    """A deadline has passed."""


VenueEvent = Accepted | Filled | Canceled | Rejected | CancelRejected
Input = (
    NewOrder | CancelOrder | ReplaceOrder | StatusRequest | VenueEvent | NotSent | Unanswered | Found | LinkUp | LinkDown
    | Configured | Started | Stopped | Tick
)  # fmt: skip


# --- effects ------------------------------------------------------------------------------------------------------------


class Place(msgspec.Struct, frozen=True, gc=False):
    """Create this order at the venue. Never sent twice."""

    order_id: str
    venue_cl_ord_id: str
    venue: str
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    post_only: bool
    order_qty: Decimal | None
    cash_order_qty: Decimal | None
    price: Decimal | None
    stop_px: Decimal | None
    reduce_only: bool
    time: int


class Cancel(msgspec.Struct, frozen=True, gc=False):
    """Cancel this order at the venue. Safe to repeat."""

    order_id: str
    venue_cl_ord_id: str
    venue_order_id: str | None
    venue: str
    symbol: str


class Ask(msgspec.Struct, frozen=True, gc=False):
    """Ask the venue where this order stands. Safe to repeat. What it looks like is told for venues that keep no id of ours."""

    order_id: str
    venue_cl_ord_id: str
    venue_order_id: str | None
    venue: str
    symbol: str
    side: Side
    ord_type: OrdType
    order_qty: Decimal | None
    cash_order_qty: Decimal | None
    price: Decimal | None
    placed: int
    """When it was sent, ns UTC."""
    time_in_force: TimeInForce = TimeInForce.GTC


VenueCommand = Place | Cancel | Ask


class Send(msgspec.Struct, frozen=True, gc=False):
    """A command for the venue at the far end of `link`."""

    link: str
    command: VenueCommand


class ExecutionReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """ExecutionReport(8) in words. `price` is the order's limit, `last_px` the fill's price."""

    session: str
    order_id: str
    exec_id: str
    """"0" where FIX asks for it: a report that only tells the status (4.2 volume 4, ExecID)."""
    exec_type: ExecType
    ord_status: OrdStatus
    cl_ord_id: str
    side: Side
    symbol: str
    time: int
    leaves_qty: Decimal = ZERO
    cum_qty: Decimal = ZERO
    avg_px: Decimal = ZERO
    last_qty: Decimal = ZERO
    last_px: Decimal = ZERO
    fee: Decimal | None = None
    fee_currency: str = ""
    orig_cl_ord_id: str | None = None
    venue_order_id: str | None = None
    account: str | None = None
    destination: str | None = None
    ord_type: OrdType | None = None
    time_in_force: TimeInForce | None = None
    post_only: bool = False
    reduce_only: bool = False
    order_qty: Decimal | None = None
    cash_order_qty: Decimal | None = None
    price: Decimal | None = None
    stop_px: Decimal | None = None
    ord_rej_reason: OrdRejReason | None = None
    ord_status_req_id: str | None = None
    text: str = ""
    echo: dict[str, str] = {}


class CancelReject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """OrderCancelReject(9) in words."""

    session: str
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    ord_status: OrdStatus
    reason: CxlRejReason
    text: str
    time: int
    response_to: CxlRejResponseTo = CxlRejResponseTo.CANCEL
    account: str | None = None
    echo: dict[str, str] = {}


class Alert(msgspec.Struct, frozen=True, gc=False):
    """Something an operator should know; `order_id` "" where it concerns no order."""

    text: str
    order_id: str = ""


Effect = Send | ExecutionReport | CancelReject | Alert
