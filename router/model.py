"""What can happen and what can be asked for: inputs and effects. Pure data; their words are in `words.py`, the configuration in `rules.py`.

Both families are frozen:

- **Inputs** are everything that can happen: a client's command (imperative: `NewOrder`), a venue's event (past tense: `Filled`), an
  operator's act (`acts.py`), a configuration taken into use, a tick of the clock. Each is journaled before it has any consequence, so each
  must be complete: replay sees nothing but inputs.
- **Effects** are everything the core may ask for: a venue command to send, a report to a client, an alert.

Quantities and prices are exact `Decimal`s; times are integer nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from router.acts import Act
from router.inquiries import Answer, Inquiry
from router.rules import Configured
from router.words import (
    ZERO,
    CxlRejReason,
    CxlRejResponseTo,
    Done,
    ExecType,
    MassScope,
    OrdRejReason,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)

__all__ = [
    "Accepted",
    "Alert",
    "Ask",
    "Balance",
    "Barred",
    "Cancel",
    "CancelOrder",
    "CancelReject",
    "CancelRejected",
    "Canceled",
    "ClientDown",
    "ClientUp",
    "Effect",
    "ExecutionReport",
    "Filled",
    "Found",
    "Held",
    "Input",
    "LinkDown",
    "LinkUp",
    "Listed",
    "Listing",
    "MassCancel",
    "MassCancelReport",
    "MassStatus",
    "NewOrder",
    "NotSent",
    "Outcome",
    "Place",
    "Position",
    "Price",
    "Priced",
    "Refusal",
    "Rejected",
    "Remembered",
    "Replace",
    "ReplaceOrder",
    "Replaced",
    "Report",
    "Send",
    "Started",
    "Stated",
    "StatusRequest",
    "Stopped",
    "Tick",
    "Unanswered",
    "VenueCommand",
    "VenueEvent",
]  # fmt: skip


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
    security_type: str = ""
    """SecurityType(167), as the client wrote it: for the route table."""
    expire_time: int | None = None
    """ExpireTime(126), ns UTC, of a good-till-date order."""
    expire_date: str = ""
    """ExpireDate(432), YYYYMMDD, of a good-till-date order: until the session's end on that day."""
    transact_time: str = ""
    sent: int | None = None
    """When the client first sent it, where it says that it is a repetition (43=Y: 122; 97=Y: 60); None for a first sending."""
    possibly_known: bool = False
    """PossDupFlag(43) or PossResend(97): the client does not know whether we have had this before."""
    echo: dict[str, str] = {}
    """The client's own tags, given back in every report of the order."""
    parties: str = ""
    """Its Parties block as it wrote it, given back in every report of the order."""
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
    """OrderCancelReplaceRequest(G), decoded. It states the whole order anew; what it leaves out stays (but for OrderQty, Symbol and Side,
    which FIX requires)."""

    session: str
    cl_ord_id: str
    orig_cl_ord_id: str | None = None
    order_id: str | None = None
    symbol: str = ""
    side: Side = Side.UNDISCLOSED
    ord_type: OrdType | None = None
    time_in_force: TimeInForce | None = None
    order_qty: Decimal | None = None
    """Of the whole order, executed parts included (FIX 4.2 volume 6, OrderQty)."""
    cash_order_qty: Decimal | None = None
    price: Decimal | None = None
    stop_px: Decimal | None = None
    account: str | None = None
    transact_time: str = ""
    possibly_known: bool = False
    echo: dict[str, str] = {}
    parties: str = ""
    refusal: Refusal | None = None
    venue_cl_ord_id: str = ""
    """Our id for a new leg at the venue, made by its rule before the request is journaled."""


class MassCancel(msgspec.Struct, frozen=True, kw_only=True, tag="mass-cancel", omit_defaults=True):
    """OrderMassCancelRequest(q), decoded: cancel every open order of this session that fits."""

    session: str
    cl_ord_id: str
    scope: MassScope | None
    """None: not offered, with `asked` as the client wrote it."""
    asked: str = ""
    symbol: str | None = None
    side: Side | None = None


class MassStatus(msgspec.Struct, frozen=True, kw_only=True, tag="mass-status", omit_defaults=True):
    """OrderMassStatusRequest(AF), decoded: tell of every open order of this session that fits."""

    session: str
    mass_status_req_id: str
    scope: MassScope | None
    asked: str = ""
    symbol: str | None = None
    side: Side | None = None


class ClientUp(msgspec.Struct, frozen=True, tag="client-up"):
    """A client logged on."""

    session: str


class ClientDown(msgspec.Struct, frozen=True, tag="client-down"):
    """A client is gone: logged out, or its connection was lost."""

    session: str


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


class Stated(msgspec.Struct, frozen=True, kw_only=True, tag="stated", omit_defaults=True):
    """Where the venue says that an order stands, all told: an answer to `Ask`, or the word of a second witness. Not an execution message:
    it may be repeated, and what it shows of executions is booked by difference."""

    account: str
    status: OrdStatus
    """NEW for an order that is live, whatever was executed of it; else how it ended: FILLED, CANCELED, EXPIRED, REJECTED."""
    cum_qty: Decimal
    avg_px: Decimal | None = None
    venue_cl_ord_id: str | None = None
    venue_order_id: str | None = None
    asked: bool = True
    """False: said unasked by a witness beside the order's own link. It may be ahead of that link, so what it adds counts only when the
    link has had time to tell; then the order is asked about."""
    text: str = ""


class Replaced(msgspec.Struct, frozen=True, kw_only=True, tag="replaced", omit_defaults=True):
    """The venue changed an order as it was asked to (`Replace`)."""

    account: str
    exec_id: str
    venue_cl_ord_id: str | None = None
    venue_order_id: str | None = None


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
    text: str = ""
    """What the client should know of it: that its price was derived, and from what."""


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
    """The venue's own no to a cancel or to a replace."""

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
    as_of: int = 0
    """When what this rests on was asked of the venue, ns UTC: a list may be older than the question. 0: with the question."""


class Listing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a venue's own list says of one instrument; None: it says nothing of that."""

    venue_symbol: str
    tick: Decimal | None = None
    lot: Decimal | None = None
    min_qty: Decimal | None = None
    max_qty: Decimal | None = None
    min_px: Decimal | None = None
    max_px: Decimal | None = None
    min_notional: Decimal | None = None
    max_notional: Decimal | None = None
    enabled: bool = True
    """Whether it can be traded now."""


class Listed(msgspec.Struct, frozen=True, kw_only=True, tag="listed"):
    """A venue told what it trades: from now on these rules hold for the destinations of `link` (or those it is the witness of)."""

    link: str
    listings: tuple[Listing, ...]


class Barred(msgspec.Struct, frozen=True, kw_only=True, tag="barred"):
    """A venue told that the account of a link may not trade now, or (`why` "") that it may again. Holds for the destinations of `link`, and
    for those that it is the witness of; outlives a restart, until the venue says otherwise."""

    link: str
    why: str


class Remembered(msgspec.Struct, frozen=True, kw_only=True, tag="remembered"):
    """A venue's protocol wants this back after a restart (`VenueProtocol.recall`): a limit of the venue that outlives us, say. The latest
    value of a key counts."""

    link: str
    key: str
    value: str


class Price(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Best prices and the last trade's price of one symbol; None where none is known."""

    symbol: str
    """The venue's."""
    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None


class Priced(msgspec.Struct, frozen=True, tag="priced"):
    """Where the prices of a link's symbols stand: what moved since it was last told, and now and then what did not. Limits judge by it."""

    link: str
    prices: tuple[Price, ...]


class Balance(msgspec.Struct, frozen=True, array_like=True):
    """What an account at a venue has of one currency, by the venue's word; 0 where it has none of it any more."""

    currency: str
    """Upper case."""
    total: Decimal
    available: Decimal
    """What new orders can still use."""


class Position(msgspec.Struct, frozen=True, array_like=True):
    """An open position of an account at a venue, by the venue's word; 0 where there is none any more."""

    symbol: str
    """The venue's."""
    qty: Decimal
    """Above 0: long; in the unit of the symbol's orders."""
    avg_px: Decimal | None = None
    """What it was opened at, where the venue tells."""


class Held(msgspec.Struct, frozen=True, tag="held"):
    """What the account of a link holds: what changed since it was last told, and now and then all of it."""

    link: str
    balances: tuple[Balance, ...] = ()
    positions: tuple[Position, ...] = ()


class LinkUp(msgspec.Struct, frozen=True, tag="link-up"):
    """A link to a venue account can carry orders."""

    link: str


class LinkDown(msgspec.Struct, frozen=True, tag="link-down"):
    """A link to a venue account is gone; what was on the wire may or may not have arrived."""

    link: str
    text: str = ""


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The router started: every link is down, every open order's last moments are unknown."""

    version: str


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    """The router stopped in order: every effect of the inputs before this one was performed."""


class Tick(msgspec.Struct, frozen=True, tag="tick"):
    """A deadline has passed."""


VenueEvent = Accepted | Filled | Canceled | Replaced | Rejected | CancelRejected | Stated
Input = (
    NewOrder | CancelOrder | ReplaceOrder | StatusRequest | MassCancel | MassStatus | Inquiry | ClientUp | ClientDown
    | VenueEvent | NotSent | Unanswered | Found | Listed | Barred | Remembered | Priced | Held | LinkUp | LinkDown
    | Act | Configured | Started | Stopped | Tick
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


class Replace(msgspec.Struct, frozen=True, gc=False):
    """Change this order at the venue, where the venue can (`Capabilities.native_replace`). It states the whole, so it may be repeated."""

    order_id: str
    venue_cl_ord_id: str
    venue_order_id: str | None
    venue: str
    symbol: str
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: Decimal
    """The new quantity of the whole order, executed parts included."""
    price: Decimal | None
    stop_px: Decimal | None


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
    stop_px: Decimal | None = None
    believe: int = 0
    """What the venue was asked before this time, ns UTC, is no proof that it does not have the order."""


VenueCommand = Place | Cancel | Replace | Ask


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
    exec_ref_id: str | None = None
    """The execution that is corrected or taken back."""
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
    mass_status_req_id: str | None = None
    tot_num_reports: int | None = None
    last_rpt_requested: bool = False
    replaced: bool = False
    """True once a replace of the order was confirmed: FIX 4.2 has an OrdStatus for that."""
    expire_time: int | None = None
    expire_date: str = ""
    text: str = ""
    echo: dict[str, str] = {}
    parties: str = ""
    time_digits: int = 3
    """Of a second, as the client writes TransactTime(60)."""


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
    destination: str | None = None
    echo: dict[str, str] = {}
    time_digits: int = 3


class MassCancelReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """OrderMassCancelReport(r) in words: what became of the request; each order is told by its own reports."""

    session: str
    report_id: str
    cl_ord_id: str
    asked: str
    """MassCancelRequestType(530) as the client wrote it."""
    accepted: bool
    affected: int
    text: str
    time: int
    symbol: str | None = None
    side: Side | None = None


class Alert(msgspec.Struct, frozen=True, gc=False):
    """Something an operator should know; `order_id` "" where it concerns no order."""

    text: str
    order_id: str = ""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The answer to an operator's act."""

    ok: bool
    text: str


Report = ExecutionReport | CancelReject | MassCancelReport | Answer
"""What is said to a client."""
Effect = Send | Report | Alert | Outcome
