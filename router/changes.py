"""Cancel and replace: what clients ask to change of a live order, and what the router itself ends. Pure.

The rules:

1. An order has one change under way; another one meanwhile is refused (102=3) or waits, as agreed with the client.
2. A change is held until the venue has said that it knows the order: there are venues that cannot cancel what they have not confirmed.
3. A venue that can replace is asked to. Elsewhere a replace is a cancel, and when the end of the old leg is certain, with all that was
   executed of it, a new leg of the rest. Never two legs at once: what the client could be filled for is never more than it asked for.
4. A new quantity not above CumQty cancels the balance (FIX 4.2 Appendix D, D11 and D12; 4.4 C.3).
5. If the new leg fails, the old one is gone all the same: 9 (434=2) and a Canceled report.
"""

from __future__ import annotations

from typing import Final

import msgspec

from router import risk
from router.commands import change, place
from router.limits import check
from router.model import CancelOrder, Effect, NewOrder, ReplaceOrder
from router.order import Happening, Order, Pending
from router.reports import cancel_reject, report, status
from router.rules import Capabilities
from router.state import State, barred, halt_of, sendable
from router.words import EXACT, CxlRejReason, Done, ExecType, OrdStatus

__all__ = [
    "ENDS",
    "cancel_order",
    "confirm_replace",
    "end",
    "fail_replace",
    "leg_over",
    "named",
    "next_waiting",
    "refuse_pending",
    "replace_order",
]

ENDS: Final = {
    Done.CANCELED: (Happening.CANCELED, ExecType.CANCELED),
    Done.EXPIRED: (Happening.EXPIRED, ExecType.EXPIRED),
    Done.DONE_FOR_DAY: (Happening.DONE_FOR_DAY, ExecType.DONE_FOR_DAY),
}


def cancel_order(state: State, request: CancelOrder, now: int) -> list[Effect]:
    """OrderCancelRequest(F): send it, hold it until the venue knows the order, or refuse it."""
    return _change(state, request, now)


def replace_order(state: State, request: ReplaceOrder, now: int) -> list[Effect]:
    """OrderCancelReplaceRequest(G): have it replaced, replace it ourselves (rule 3), or refuse it without effect."""
    return _change(state, request, now)


def end(state: State, order: Order, how: Done, text: str, now: int) -> list[Effect]:
    """The router ends an order by itself: an expiry, a mass cancel, a client that is gone, an operator."""
    if order.done:
        return []
    if not order.placed:
        return [_withdraw(state, order, how, text, now)]
    pending = Pending(OrdStatus.PENDING_CANCEL, None, shown=False, end=how, text=text)
    if order.pending is None:
        return _begin(state, order, pending, now)
    if order.pending.status is not OrdStatus.PENDING_CANCEL and not any(isinstance(each, Pending) for each in order.waiting):
        order.waiting.append(pending)
    return []


def next_waiting(state: State, order: Order, now: int) -> list[Effect]:
    """What waited for the last change to be answered."""
    effects: list[Effect] = []
    while order.waiting and order.pending is None:
        waiting = order.waiting.pop(0)
        if not isinstance(waiting, Pending):
            effects += _start(state, order, waiting, now)
        elif not order.done:
            effects += _begin(state, order, waiting, now)
    return effects


def leg_over(state: State, order: Order, now: int) -> list[Effect]:
    """The old leg of an order being replaced is over, with all that was executed of it: the rest becomes a new leg."""
    assert order.pending is not None
    request = order.pending.request
    assert isinstance(request, ReplaceOrder)
    assert request.order_qty is not None
    rest = EXACT.subtract(request.order_qty, order.cum_qty)
    if rest <= 0:
        return [confirm_replace(state, order, now)]
    halted = halt_of(state, order.request.session, order.request.account, order.destination)
    if halted or not sendable(state, order):
        lost = f"{order.destination} was lost between the end of the order and its replacement"
        return fail_replace(state, order, halted or lost, now)
    order.next_leg(request.venue_cl_ord_id, msgspec.structs.replace(_terms(order, request), order_qty=rest))
    state.blotter.add_leg(order)
    return [place(state, order, now)]


def confirm_replace(state: State, order: Order, now: int) -> Effect:
    """The order is what the client asked for: ClOrdID and terms change now, not before."""
    assert order.pending is not None
    request = order.pending.request
    assert isinstance(request, ReplaceOrder)
    assert request.order_qty is not None
    terms = _terms(order, request)
    order.request = msgspec.structs.replace(terms, order_qty=max(request.order_qty, order.cum_qty))
    if order.pending.native:
        order.leg.terms = order.request
    order.pending = None
    order.replaced = True
    order.orig_cl_ord_id, order.cl_ord_id = order.cl_ord_id, request.cl_ord_id
    state.rest(order)
    if order.base is OrdStatus.FILLED and order.cum_qty < request.order_qty:
        order.happen(Happening.REOPENED, now)
    elif not order.leaves_qty and order.request.order_qty is not None:
        order.happen(Happening.FILLED, now)
    return report(order, ExecType.REPLACED, now)


def fail_replace(state: State, order: Order, text: str, now: int) -> list[Effect]:
    """The old leg is gone and there is no new one (rule 5)."""
    pending = order.pending
    assert pending is not None
    assert pending.request is not None
    order.pending = None
    order.text = text
    order.doubt = ""
    state.rest(order)
    if order.base is OrdStatus.FILLED:  # the old leg, late: there is nothing left to cancel
        return [cancel_reject(_toward(order, pending.request), order, CxlRejReason.TOO_LATE, text, now)]
    order.happen(Happening.CANCELED, now)
    refused = cancel_reject(_toward(order, pending.request), order, CxlRejReason.BROKER_OPTION, text, now)
    return [refused, report(order, ExecType.CANCELED, now, text)]


def refuse_pending(state: State, order: Order, reason: CxlRejReason, text: str, now: int) -> list[Effect]:
    """The change that was under way does not come about."""
    pending = order.pending
    if pending is None:
        return []
    order.pending = None
    state.rest(order)
    if pending.request is None:
        return []
    return [cancel_reject(_toward(order, pending.request), order, reason, text, now)]


def named(state: State, session: str, cl_ord_id: str | None, order_id: str | None) -> Order | None:
    """The order of this session that is meant; where both ids are given they must agree."""
    by_id = state.blotter.orders.get(order_id) if order_id else None
    if by_id is not None and by_id.request.session != session:
        by_id = None
    if cl_ord_id is None:
        return by_id
    by_cl_ord_id = state.blotter.by_cl_ord_id(session, cl_ord_id)
    return by_cl_ord_id if not order_id or by_cl_ord_id is by_id else None


def _change(state: State, request: CancelOrder | ReplaceOrder, now: int) -> list[Effect]:
    used = state.blotter.by_cl_ord_id(request.session, request.cl_ord_id)
    order = named(state, request.session, request.orig_cl_ord_id, request.order_id)
    if used is not None:
        if request.possibly_known and used.request.cl_ord_id != request.cl_ord_id:
            return [status(used, now, "this request came before; this is where its order stands")]
        text = f"ClOrdID(11) {request.cl_ord_id} was used before, for order {used.order_id}"
        return [cancel_reject(request, order, CxlRejReason.DUPLICATE_CL_ORD_ID, text, now)]
    if order is None:
        text = f"no order of this session has {_naming(request)}"
        return [cancel_reject(request, None, CxlRejReason.UNKNOWN_ORDER, text, now)]
    if order.done:
        return [cancel_reject(request, order, CxlRejReason.TOO_LATE, f"the order is {order.base}", now)]
    waits = order.pending is not None
    if waits and not state.policy.client(request.session).wait_when_pending:
        text = f"{_under_way(order)} is still to be answered by {order.destination}"
        return [cancel_reject(request, order, CxlRejReason.ALREADY_PENDING, text, now)]
    wrong = _unfit(state, order, request, now)
    if wrong:
        return [cancel_reject(request, order, CxlRejReason.BROKER_OPTION, f"{wrong}: the order is unchanged", now)]
    state.blotter.name(order, request.cl_ord_id)
    if waits:
        order.waiting.append(request)
        return []
    return _start(state, order, request, now)


def _start(state: State, order: Order, request: CancelOrder | ReplaceOrder, now: int) -> list[Effect]:
    """A request whose turn it is; judged again, for much may have happened while it waited."""
    if order.done:
        return [cancel_reject(_toward(order, request), order, CxlRejReason.TOO_LATE, f"the order is {order.base}", now)]
    wrong = _unfit(state, order, request, now)
    if wrong:
        text = f"{wrong}: the order is unchanged"
        return [cancel_reject(_toward(order, request), order, CxlRejReason.BROKER_OPTION, text, now)]
    shows = state.policy.client(request.session).report_pending
    if isinstance(request, CancelOrder):
        risk.canceling(state, order)
        if not order.placed:
            order.orig_cl_ord_id, order.cl_ord_id = order.cl_ord_id, request.cl_ord_id
            return [_withdraw(state, order, Done.CANCELED, "canceled before it was sent to the venue", now)]
        return _begin(state, order, Pending(OrdStatus.PENDING_CANCEL, request, ExecType.PENDING_CANCEL in shows), now)
    pending = Pending(OrdStatus.PENDING_REPLACE, request, ExecType.PENDING_REPLACE in shows)
    pending.native = _native(state, order, request)
    order.pending = pending
    risk.taken(state, order, now)
    if order.placed:
        return _begin(state, order, pending, now)
    effect = confirm_replace(state, order, now)
    order.leg.terms = order.request
    state.blotter.settle(order)
    return [effect]


def _begin(state: State, order: Order, pending: Pending, now: int) -> list[Effect]:
    order.pending = pending
    effects: list[Effect] = []
    if sendable(state, order) and order.leg.accepted:
        effects.append(change(state, order, now))
    if pending.shown:
        exec_type = ExecType.PENDING_CANCEL if pending.status is OrdStatus.PENDING_CANCEL else ExecType.PENDING_REPLACE
        effects.append(report(order, exec_type, now))
    return effects


def _withdraw(state: State, order: Order, how: Done, text: str, now: int) -> Effect:
    """End an order that never left."""
    happening, exec_type = ENDS[how]
    order.text = text
    order.happen(happening, now)
    state.rest(order)
    state.blotter.settle(order)
    return report(order, exec_type, now, order.text)


def _unfit(state: State, order: Order, request: CancelOrder | ReplaceOrder, now: int) -> str:
    """Why an order cannot become what a replace asks for; "" where it can."""
    if isinstance(request, CancelOrder):
        return ""
    if request.refusal is not None:
        return request.refusal.text
    halted = halt_of(state, order.request.session, order.request.account, order.destination)
    if halted:
        return halted
    unlike = _unlike(order, request)
    if unlike:
        return unlike
    if request.order_qty is None or request.order_qty <= 0:
        return f"OrderQty(38) {'is missing' if request.order_qty is None else f'{request.order_qty:f} is not above zero'}"
    place_and_instrument = state.policy.find(order.destination, order.venue_symbol)
    if place_and_instrument is None:
        return f"{order.destination} is not configured any more"
    closed = barred(state, place_and_instrument[0])
    if closed:
        return closed
    terms = _terms(order, request)
    rest = EXACT.subtract(request.order_qty, order.cum_qty)
    if rest <= 0:
        return ""
    assert order.time_in_force is not None
    refusal = check(terms, order.time_in_force, *place_and_instrument)
    if refusal is None and not _can(state, order).native_replace:
        # It will be an order of its own, and the venue's least quantity and value hold for it.
        refusal = check(msgspec.structs.replace(terms, order_qty=rest), order.time_in_force, *place_and_instrument)
    refusal = refusal or risk.judge_replace(state, order, terms, now)
    return "" if refusal is None else refusal.text


def _unlike(order: Order, request: ReplaceOrder) -> str:
    """What a replace may not change (FIX 4.4 volume 4, Order Cancel/Replace Request, lists what it may)."""
    now = order.request
    if request.symbol not in (now.symbol, order.venue_symbol, "") and request.symbol != order.symbol:
        return f"Symbol(55) {request.symbol} is not the order's, {now.symbol}"
    if request.side is not now.side:
        return f"Side(54) {request.side} is not the order's, {now.side}"
    if request.ord_type not in (None, now.ord_type):
        return f"OrdType(40) cannot be changed from {now.ord_type} to {request.ord_type}"
    if request.time_in_force not in (None, order.time_in_force):
        return f"TimeInForce(59) cannot be changed from {order.time_in_force} to {request.time_in_force}"
    if request.account not in (None, now.account):
        return f"Account(1) {request.account} is not the order's, {now.account or 'none'}"
    if now.order_qty is None or request.cash_order_qty is not None:
        return "an order by CashOrderQty(152) cannot be replaced"
    return ""


def _terms(order: Order, request: ReplaceOrder) -> NewOrder:
    """The order as it is to be."""
    return msgspec.structs.replace(
        order.request,
        order_qty=request.order_qty,
        price=request.price if request.price is not None else order.request.price,
        stop_px=request.stop_px if request.stop_px is not None else order.request.stop_px,
        transact_time=request.transact_time or order.request.transact_time,
        echo=request.echo or order.request.echo,
        parties=request.parties or order.request.parties,
    )


def _native(state: State, order: Order, request: ReplaceOrder) -> bool:
    assert request.order_qty is not None
    return _can(state, order).native_replace and request.order_qty > order.cum_qty


def _can(state: State, order: Order) -> Capabilities:
    return state.policy.destinations[order.destination.upper()].capabilities


def _toward(order: Order, request: CancelOrder | ReplaceOrder) -> CancelOrder | ReplaceOrder:
    """The request as its reject names it: by the order's present ClOrdID."""
    return msgspec.structs.replace(request, orig_cl_ord_id=order.cl_ord_id)


def _under_way(order: Order) -> str:
    assert order.pending is not None
    return f"request {order.pending.request.cl_ord_id}" if order.pending.request is not None else "a cancel by the router"


def _naming(request: CancelOrder | ReplaceOrder) -> str:
    names = [f"OrigClOrdID(41) {request.orig_cl_ord_id}"] if request.orig_cl_ord_id else []
    names += [f"OrderID(37) {request.order_id}"] if request.order_id else []
    return " with ".join(names) or "neither OrigClOrdID(41) nor OrderID(37)"
