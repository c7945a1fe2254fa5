"""What is said of an order: ExecutionReport and OrderCancelReject in words. Pure.

ExecID(17) is the OrderID and the number of the report: the same inputs give the same ids, also when they are replayed.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from router.model import CancelOrder, CancelReject, ExecutionReport, MassStatus, NewOrder, ReplaceOrder, StatusRequest
from router.order import Order
from router.words import NONE, ZERO, CxlRejReason, CxlRejResponseTo, ExecType, OrdRejReason, OrdStatus, Side

__all__ = ["cancel_reject", "duplicate", "mass_status", "not_taken", "nothing_matches", "report", "status", "unknown_order"]

_OF_REQUEST = (ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE)


def report(
    order: Order,
    exec_type: ExecType,
    now: int,
    text: str = "",
    last_qty: Decimal = ZERO,
    last_px: Decimal = ZERO,
    ord_rej_reason: OrdRejReason | None = None,
    fee: Decimal | None = None,
    fee_currency: str = "",
    exec_ref_id: str | None = None,
) -> ExecutionReport:
    """Something happened to an order: one new execution message, with an ExecID of its own."""
    order.reports += 1
    exec_id = f"{order.order_id}-{order.reports}"
    made = _of(order, exec_type, exec_id, now, text, last_qty, last_px, ord_rej_reason, None, fee, fee_currency)
    return made if exec_ref_id is None else msgspec.structs.replace(made, exec_ref_id=exec_ref_id)


def status(order: Order, now: int, text: str = "", ord_status_req_id: str | None = None) -> ExecutionReport:
    """Where an order stands; nothing happened, so the ExecID is 0."""
    return _of(order, ExecType.ORDER_STATUS, "0", now, text or order.doubt, ZERO, ZERO, None, ord_status_req_id)


def _of(
    order: Order, exec_type: ExecType, exec_id: str, now: int, text: str, last_qty: Decimal, last_px: Decimal,
    ord_rej_reason: OrdRejReason | None, ord_status_req_id: str | None = None, fee: Decimal | None = None, fee_currency: str = "",
) -> ExecutionReport:  # fmt: skip
    request = order.request
    pending = order.pending
    cl_ord_id, orig_cl_ord_id = order.cl_ord_id, order.orig_cl_ord_id
    if exec_type in _OF_REQUEST and pending is not None and pending.request is not None:
        # FIX 4.2 Appendix D, D3: Execution(Y,X). Everything else before the confirmation speaks of X.
        cl_ord_id, orig_cl_ord_id = pending.request.cl_ord_id, order.cl_ord_id
    return ExecutionReport(
        session=request.session,
        order_id=order.order_id,
        exec_id=exec_id,
        exec_type=exec_type,
        ord_status=order.ord_status,
        cl_ord_id=cl_ord_id,
        side=request.side,
        symbol=request.symbol,
        time=now,
        leaves_qty=order.leaves_qty,
        cum_qty=order.cum_qty,
        avg_px=order.avg_px,
        last_qty=last_qty,
        last_px=last_px,
        fee=fee,
        fee_currency=fee_currency,
        orig_cl_ord_id=orig_cl_ord_id,
        venue_order_id=order.venue_order_id,
        account=request.account,
        destination=order.destination or request.destination,
        ord_type=request.ord_type,
        time_in_force=order.time_in_force,
        post_only=request.post_only,
        reduce_only=request.reduce_only,
        order_qty=request.order_qty,
        cash_order_qty=request.cash_order_qty,
        price=request.price,
        stop_px=request.stop_px,
        ord_rej_reason=ord_rej_reason,
        ord_status_req_id=ord_status_req_id,
        replaced=order.replaced,
        expire_time=request.expire_time,
        expire_date=request.expire_date,
        text=text,
        echo=request.echo,
        parties=request.parties,
        time_digits=_digits(request.transact_time),
    )


def duplicate(request: NewOrder, known: Order, now: int) -> ExecutionReport:
    """The answer to a second order under a ClOrdID already used (103=6): it tells where the first one stands, for that is what this ClOrdID
    names (FIX 4.2 Appendix D, D31; 4.4 F.1.b). An OMS that books by ClOrdID must not take its live order for dead."""
    text = f"ClOrdID(11) {request.cl_ord_id} was used before, by order {known.order_id}: that order is not touched by this"
    return msgspec.structs.replace(
        status(known, now, text), exec_id=f"D{now}", exec_type=ExecType.REJECTED, ord_rej_reason=OrdRejReason.DUPLICATE_ORDER
    )


def not_taken(request: NewOrder | CancelOrder | ReplaceOrder, text: str, now: int) -> ExecutionReport | CancelReject:
    """The answer to a request that could not even be journaled: nothing of it is known here, nothing was sent."""
    if not isinstance(request, NewOrder):
        return cancel_reject(request, None, CxlRejReason.BROKER_OPTION, text, now)
    return _no_order(request, f"X{now}", OrdRejReason.BROKER_OPTION, text, now)


def _no_order(request: NewOrder, exec_id: str, reason: OrdRejReason, text: str, now: int) -> ExecutionReport:
    """A reject that speaks of no order of ours, so its OrderID is NONE."""
    return ExecutionReport(
        session=request.session,
        order_id=NONE,
        exec_id=exec_id,
        exec_type=ExecType.REJECTED,
        ord_status=OrdStatus.REJECTED,
        cl_ord_id=request.cl_ord_id,
        side=request.side,
        symbol=request.symbol,
        time=now,
        account=request.account,
        destination=request.destination,
        ord_type=request.ord_type,
        time_in_force=request.time_in_force,
        order_qty=request.order_qty,
        cash_order_qty=request.cash_order_qty,
        price=request.price,
        ord_rej_reason=reason,
        text=text,
        echo=request.echo,
    )


def unknown_order(request: StatusRequest, now: int) -> ExecutionReport:
    """The answer to a question about an order that this session never sent (FIX 4.4 volume 4, Appendix D: 39=8, 103=5)."""
    return ExecutionReport(
        session=request.session,
        order_id=request.order_id or NONE,
        exec_id="0",
        exec_type=ExecType.ORDER_STATUS,
        ord_status=OrdStatus.REJECTED,
        cl_ord_id=request.cl_ord_id or NONE,
        side=request.side,
        symbol=request.symbol,
        time=now,
        ord_rej_reason=OrdRejReason.UNKNOWN_ORDER,
        ord_status_req_id=request.ord_status_req_id,
        text=f"no order of this session has {_named(request.cl_ord_id, 'ClOrdID(11)', request.order_id)}",
    )


def mass_status(order: Order, request: MassStatus, count: int, last: bool, now: int) -> ExecutionReport:
    """One of the answers to a mass status request."""
    return msgspec.structs.replace(
        status(order, now, order.text), mass_status_req_id=request.mass_status_req_id, tot_num_reports=count, last_rpt_requested=last
    )


def nothing_matches(request: MassStatus, text: str, now: int) -> ExecutionReport:
    """The answer to a mass status request that no order fits."""
    return ExecutionReport(
        session=request.session,
        order_id=NONE,
        exec_id="0",
        exec_type=ExecType.ORDER_STATUS,
        ord_status=OrdStatus.REJECTED,
        cl_ord_id=NONE,
        side=request.side or Side.UNDISCLOSED,
        symbol=request.symbol or NONE,
        time=now,
        ord_rej_reason=OrdRejReason.UNKNOWN_ORDER,
        mass_status_req_id=request.mass_status_req_id,
        tot_num_reports=0,
        last_rpt_requested=True,
        text=text,
    )


def cancel_reject(request: CancelOrder | ReplaceOrder, order: Order | None, reason: CxlRejReason, text: str, now: int) -> CancelReject:
    """No to a cancel or replace request. Without an order: OrderID NONE and OrdStatus Rejected, as FIX asks (102=1)."""
    return CancelReject(
        session=request.session,
        order_id=order.order_id if order else NONE,
        cl_ord_id=request.cl_ord_id,
        # FIX 4.2 volume 4, Order Cancel Reject: the ClOrdID of the last request that was accepted, whatever this one named.
        orig_cl_ord_id=order.cl_ord_id if order else request.orig_cl_ord_id or NONE,
        ord_status=order.ord_status if order else OrdStatus.REJECTED,
        reason=reason,
        text=text,
        time=now,
        response_to=CxlRejResponseTo.REPLACE if isinstance(request, ReplaceOrder) else CxlRejResponseTo.CANCEL,
        account=order.request.account if order else None,
        destination=order.destination if order else None,
        echo=order.request.echo if order else {},
        time_digits=_digits(order.request.transact_time) if order else 3,
    )


def _digits(transact_time: str) -> int:
    """How many digits of a second a client writes: "YYYYMMDD-HH:MM:SS" has none, and is 17 characters long."""
    return min(max(len(transact_time) - 18, 0), 9) if len(transact_time) >= 17 else 3


def _named(cl_ord_id: str | None, tag: str, order_id: str | None) -> str:
    return f"{tag} {cl_ord_id}" if cl_ord_id else f"OrderID(37) {order_id or 'none given'}"
