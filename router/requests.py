"""What a client asks for: new order, cancel, status. Each function takes one request and returns its effects. Pure.

Every request gets an answer at once, or leaves a pending state that `questions` watches over.
"""

from __future__ import annotations

from router.limits import check
from router.model import Cancel, CancelOrder, Effect, NewOrder, Place, Refusal, ReplaceOrder, Send, StatusRequest
from router.order import Happening, Order, Pending
from router.reports import cancel_reject, duplicate, report, status, unknown_order
from router.rules import Destination, Instrument
from router.state import State, sendable
from router.words import CxlRejReason, ExecType, OrdRejReason, OrdStatus

__all__ = ["cancel_order", "new_order", "place", "replace_order", "send_cancel", "status_request"]


def new_order(state: State, request: NewOrder, now: int) -> list[Effect]:
    """NewOrderSingle(D): place it, hold it for its link, or refuse it."""
    known = state.blotter.by_cl_ord_id(request.session, request.cl_ord_id)
    if known is not None:
        if request.possibly_known:
            # A repetition of what we have. A reject would make the OMS believe that its live order is dead.
            return [status(known, now, "this ClOrdID(11) came before; this is where its order stands")]
        return [duplicate(request, known, now)]
    order = Order(state.order_id(now), request, now)
    client = state.policy.client(request.session)
    if order.time_in_force is None:
        order.time_in_force = client.default_time_in_force
    order.venue_cl_ord_id = request.venue_cl_ord_id
    outcome = request.refusal or _stale(request, now, client.max_age) or state.policy.route(request)
    if not isinstance(outcome, Refusal):
        _address(order, *outcome)
        outcome = check(request, order.time_in_force, *outcome) or outcome
    hold = state.policy.configured.hold_when_down
    if not isinstance(outcome, Refusal) and order.link not in state.up and not hold:
        outcome = Refusal(OrdRejReason.EXCHANGE_CLOSED, f"{order.destination} is not connected: the order was not sent")
    state.blotter.add(order)
    if isinstance(outcome, Refusal):
        return [_refuse(state, order, outcome, now)]
    effects: list[Effect] = []
    if ExecType.PENDING_NEW in client.report_pending or order.link not in state.up:
        text = "" if order.link in state.up else f"{order.destination} is not connected: held for it"
        effects.append(report(order, ExecType.PENDING_NEW, now, text))
    if order.link in state.up:
        return [place(state, order, now), *effects]
    state.due[order.order_id] = now + hold
    return effects


def place(state: State, order: Order, now: int) -> Send:
    """The order leaves for its venue: from here on it may be live there."""
    request = order.request
    order.placed = now
    state.wait(order, now)
    assert request.ord_type is not None
    assert order.time_in_force is not None
    return Send(
        order.link,
        Place(
            order.order_id, order.venue_cl_ord_id, order.venue, order.venue_symbol, request.side, request.ord_type,
            order.time_in_force, request.post_only, request.order_qty, request.cash_order_qty, request.price,
            request.stop_px, request.reduce_only, now,
        ),
    )  # fmt: skip


def cancel_order(state: State, request: CancelOrder, now: int) -> list[Effect]:
    """OrderCancelRequest(F): send it, hold it until the venue knows the order, or refuse it."""
    used = state.blotter.by_cl_ord_id(request.session, request.cl_ord_id)
    if used is not None:
        if request.possibly_known and used.request.cl_ord_id != request.cl_ord_id:
            return [status(used, now, "this cancel request came before; this is where its order stands")]
        text = f"ClOrdID(11) {request.cl_ord_id} was used before, for order {used.order_id}"
        return [cancel_reject(request, _meant(state, request), CxlRejReason.DUPLICATE_CL_ORD_ID, text, now)]
    order = _meant(state, request)
    if order is None:
        text = f"no order of this session has {_naming(request)}"
        return [cancel_reject(request, None, CxlRejReason.UNKNOWN_ORDER, text, now)]
    if order.done:
        return [cancel_reject(request, order, CxlRejReason.TOO_LATE, f"the order is {order.base}", now)]
    if order.pending is not None:
        text = f"request {order.pending.cl_ord_id} is still to be answered by {order.destination}"
        return [cancel_reject(request, order, CxlRejReason.ALREADY_PENDING, text, now)]
    state.blotter.name(order, request.cl_ord_id)
    if not order.placed:
        return [_withdraw(state, order, request.cl_ord_id, now)]
    shown = ExecType.PENDING_CANCEL in state.policy.client(request.session).report_pending
    order.pending = Pending(OrdStatus.PENDING_CANCEL, request.cl_ord_id, shown)
    effects: list[Effect] = []
    # Apifiny, "Cancel an Order": one that is still PENDING_SUBMIT cannot be canceled; so the first report is waited for.
    if sendable(state, order) and order.base is not OrdStatus.PENDING_NEW:
        effects.append(send_cancel(state, order, now))
    if shown:
        effects.append(report(order, ExecType.PENDING_CANCEL, now))
    return effects


def send_cancel(state: State, order: Order, now: int) -> Send:
    """The pending cancel leaves for the venue."""
    assert order.pending is not None
    order.pending.sent = True
    state.wait(order, now)
    return Send(order.link, Cancel(order.order_id, order.venue_cl_ord_id, order.venue_order_id, order.venue, order.venue_symbol))


def replace_order(state: State, request: ReplaceOrder, now: int) -> list[Effect]:
    """OrderCancelReplaceRequest(G) is not offered yet, and says so in the message that an OMS waits for: 9 with 434=2."""
    order = _meant(state, request)
    if order is None:
        text = f"no order of this session has {_naming(request)}"
        return [cancel_reject(request, None, CxlRejReason.UNKNOWN_ORDER, text, now)]
    text = "OrderCancelReplaceRequest(G) is not offered: cancel the order and send a new one; this order is unchanged"
    return [cancel_reject(request, order, CxlRejReason.BROKER_OPTION, text, now)]


def status_request(state: State, request: StatusRequest, now: int) -> list[Effect]:
    """OrderStatusRequest(H): answered from our own book, with what we do not know said in Text."""
    order = _named(state, request.session, request.cl_ord_id, request.order_id)
    if order is None:
        return [unknown_order(request, now)]
    return [status(order, now, order.text, request.ord_status_req_id)]


def _stale(request: NewOrder, now: int, max_age: int) -> Refusal | None:
    if request.sent is None or now - request.sent <= max_age:
        return None
    age = (now - request.sent) // 1_000_000_000
    text = f"first sent {age} s ago and repeated only now; this session's limit is {max_age // 1_000_000_000} s"
    return Refusal(OrdRejReason.STALE_ORDER, f"{text}: not executed")


def _address(order: Order, destination: Destination, instrument: Instrument) -> None:
    order.destination = destination.name
    order.account = destination.account
    order.link = destination.link
    order.venue = destination.venue
    order.venue_symbol = instrument.venue_symbol


def _refuse(state: State, order: Order, refusal: Refusal, now: int) -> Effect:
    order.text = refusal.text
    order.happen(Happening.REJECTED, now)
    state.blotter.settle(order)
    return report(order, ExecType.REJECTED, now, refusal.text, ord_rej_reason=refusal.reason)


def _withdraw(state: State, order: Order, cl_ord_id: str, now: int) -> Effect:
    """Cancel an order that never left."""
    order.orig_cl_ord_id, order.cl_ord_id = order.cl_ord_id, cl_ord_id
    order.text = "canceled before it was sent to the venue"
    order.happen(Happening.CANCELED, now)
    state.rest(order)
    state.blotter.settle(order)
    return report(order, ExecType.CANCELED, now, order.text)


def _meant(state: State, request: CancelOrder | ReplaceOrder) -> Order | None:
    return _named(state, request.session, request.orig_cl_ord_id, request.order_id)


def _named(state: State, session: str, cl_ord_id: str | None, order_id: str | None) -> Order | None:
    """The order of this session that is meant; where both ids are given they must agree."""
    by_id = state.blotter.orders.get(order_id) if order_id else None
    if by_id is not None and by_id.request.session != session:
        by_id = None
    if cl_ord_id is None:
        return by_id
    by_cl_ord_id = state.blotter.by_cl_ord_id(session, cl_ord_id)
    return by_cl_ord_id if not order_id or by_cl_ord_id is by_id else None


def _naming(request: CancelOrder | ReplaceOrder) -> str:
    names = [f"OrigClOrdID(41) {request.orig_cl_ord_id}"] if request.orig_cl_ord_id else []
    names += [f"OrderID(37) {request.order_id}"] if request.order_id else []
    return " with ".join(names) or "neither OrigClOrdID(41) nor OrderID(37)"
