"""What a venue says: accepted, filled, canceled, rejected. Each function takes one event and returns its effects. Pure.

An event whose order is not known yet is parked until an acknowledgement names it (reports may overtake each other); an execution
message seen before changes nothing, but answers a question that is under way.
"""

from __future__ import annotations

from decimal import Decimal

from router.model import Accepted, Alert, Canceled, CancelOrder, CancelRejected, Effect, Filled, Rejected, VenueEvent
from router.order import Contradiction, Happening, Order
from router.questions import answered, ask, asked_without_name, drop_pending, nameless_answer, not_found
from router.reports import cancel_reject, report
from router.requests import send_cancel
from router.state import State, sendable
from router.words import EXACT, NONE, ZERO, CxlRejReason, Done, ExecType, OrdStatus

__all__ = ["accepted", "cancel_rejected", "canceled", "filled", "rejected"]

_ENDS = {
    Done.CANCELED: (Happening.CANCELED, ExecType.CANCELED),
    Done.EXPIRED: (Happening.EXPIRED, ExecType.EXPIRED),
    Done.DONE_FOR_DAY: (Happening.DONE_FOR_DAY, ExecType.DONE_FOR_DAY),
}
_PARKED_AT_MOST = 10_000
_DERIVED_STEP = Decimal("1e-8")
"""Derived prices are given to eight decimals: more would feign a precision that an average does not have."""


def accepted(state: State, event: Accepted, now: int) -> list[Effect]:
    """The venue has the order."""
    order = _order(state, event)
    if order is None:
        return _park(state, event)
    _bind(state, order, event.venue_order_id)
    effects: list[Effect] = []
    if state.blotter.first_sight(event.account, event.exec_id):
        if order.base is OrdStatus.REJECTED:
            effects.append(Alert(f"{order.destination} accepted an order that was reported rejected", order.order_id))
        if order.happen(Happening.ACCEPTED, now):
            effects.append(report(order, ExecType.NEW, now, event.text))
            state.rest(order)
            order.doubt = ""  # nothing can have been executed of it before
    return effects + answered(state, order, now) + _send_held_cancel(state, order, now)


def filled(state: State, event: Filled, now: int) -> list[Effect]:
    """The venue executed a part of the order, or all of it."""
    order = _order(state, event)
    if order is None:
        return _park(state, event)
    _bind(state, order, event.venue_order_id)
    if not state.blotter.first_sight(event.account, event.exec_id):
        return answered(state, order, now)
    if event.cum_qty is not None and event.cum_qty <= order.cum_qty:
        # Counted before, as a part of what was missed.
        return answered(state, order, now)
    effects = _missed(order, event.cum_qty, event.avg_px, now, event.last_qty, event.last_px)
    waited = order.base is OrdStatus.PENDING_NEW
    late = f"executed although the order was {order.base}" if order.done else ""
    order.fill(event.last_qty, event.last_px, event.complete, now)
    effects.append(report(order, ExecType.TRADE, now, late, event.last_qty, event.last_px, fee=event.fee, fee_currency=event.fee_currency))
    if late:
        effects.append(Alert(f"{order.destination}: {event.last_qty:f} {late}", order.order_id))
    if order.overfilled:
        effects.append(Alert(f"{order.destination} executed {order.cum_qty:f} of {order.request.order_qty:f}", order.order_id))
    effects += _judge_gap(state, order, event, now)
    if order.done:
        return effects + _end_pending(state, order, now)
    if waited and not order.asked:
        state.rest(order)
    return effects + _send_held_cancel(state, order, now)


def canceled(state: State, event: Canceled, now: int) -> list[Effect]:
    """The rest of the order is gone."""
    order = _order(state, event)
    if order is None:
        return _park(state, event)
    _bind(state, order, event.venue_order_id)
    effects = _missed(order, event.cum_qty, event.avg_px, now)
    known = event.cum_qty is not None and event.cum_qty <= order.cum_qty
    if order.doubt and not order.done and not known:
        # What was executed between the last report before the doubt and this end is not known, so neither is CumQty.
        doubt = f"{order.destination} says that the order is {event.how}, but not what was executed of it meanwhile"
        effects += answered(state, order, now, doubt)
        order.doubt = doubt
        return [*effects, Alert(doubt, order.order_id)]
    if effects and order.done:
        # What was missed filled it: that is its end.
        return effects + answered(state, order, now) + _end_pending(state, order, now)
    happening, exec_type = _ENDS[event.how]
    if not state.blotter.first_sight(event.account, event.exec_id) or not order.happen(happening, now):
        return effects + answered(state, order, now)
    order.text = event.text
    if order.pending is not None and order.pending.sent:
        order.orig_cl_ord_id, order.cl_ord_id = order.cl_ord_id, order.pending.cl_ord_id
        order.pending = None
    effects += [report(order, exec_type, now, event.text), *answered(state, order, now)]
    order.doubt = ""
    state.rest(order)
    return effects + drop_pending(state, order, now)


def rejected(state: State, event: Rejected, now: int) -> list[Effect]:
    """The venue's no to a new order, or its "no such order" to a question."""
    order = state.blotter.at_venue(event.account, event.venue_cl_ord_id, event.venue_order_id)
    if order is None:
        if event.venue_cl_ord_id is None and event.venue_order_id in (None, NONE):
            asked = nameless_answer(state, event.account)
            return not_found(state, asked, now, counted=True) if asked is not None else []
        return [Alert(f"{event.account}: a reject that names no order of ours: {event.text or 'without a reason'}")]
    if not state.blotter.first_sight(event.account, event.exec_id):
        return answered(state, order, now)
    if order.base is not OrdStatus.PENDING_NEW:
        raise Contradiction(f"rejected cannot follow {order.base}")
    order.text = event.text or f"rejected by {order.destination}, which gave no reason"
    order.happen(Happening.REJECTED, now)
    effects: list[Effect] = [report(order, ExecType.REJECTED, now, order.text, ord_rej_reason=event.reason)]
    effects += answered(state, order, now)
    order.doubt = ""
    state.rest(order)
    return effects + drop_pending(state, order, now)


def cancel_rejected(state: State, event: CancelRejected, now: int) -> list[Effect]:
    """The venue's no to a cancel."""
    order = _order(state, event)
    if order is None or order.pending is None:
        named = order.order_id if order is not None else ""
        return [Alert(f"{event.account}: a cancel was refused that is not waited for: {event.text}", named)]
    if order.done:
        return drop_pending(state, order, now)
    pending = order.pending
    order.pending = None
    state.rest(order)
    request = CancelOrder(session=order.request.session, cl_ord_id=pending.cl_ord_id, orig_cl_ord_id=order.cl_ord_id)
    effects: list[Effect] = [cancel_reject(request, order, event.reason, event.text, now)]
    if event.reason in (CxlRejReason.UNKNOWN_ORDER, CxlRejReason.TOO_LATE) and sendable(state, order):
        # It says that the order is gone, and we were not told how: only the answer to a question ends the order.
        effects += ask(state, order, now)
    return effects


def _missed(
    order: Order, cum_qty: Decimal | None, avg_px: Decimal | None, now: int, last_qty: Decimal = ZERO, last_px: Decimal = ZERO
) -> list[Effect]:
    """Book what the venue's CumQty says was executed and we never saw, at the price that its AvgPx leaves for it. `last_qty`,
    `last_px`: the execution that comes with these figures, which is booked by itself."""
    if cum_qty is None or avg_px is None:
        return []
    missing = EXACT.subtract(EXACT.subtract(cum_qty, order.cum_qty), last_qty)
    if missing <= 0:
        return []
    value = EXACT.subtract(EXACT.subtract(EXACT.multiply(avg_px, cum_qty), order.notional), EXACT.multiply(last_qty, last_px))
    price = EXACT.divide(value, missing).quantize(_DERIVED_STEP, context=EXACT).normalize(EXACT)
    if price <= 0:
        return [
            Alert(f"{order.destination}: {missing:f} was executed unseen, and the average price makes no sense: {avg_px:f}", order.order_id)
        ]
    order.fill(missing, price, False, now)
    text = "missed while out of reach; price derived from the venue's average"
    return [report(order, ExecType.TRADE, now, text, missing, price), Alert(f"{order.destination}: {missing:f} {text}", order.order_id)]


def _judge_gap(state: State, order: Order, event: Filled, now: int) -> list[Effect]:
    """What an execution tells about those that may have been missed before it."""
    if event.complete and order.leaves_qty:
        doubt = f"{order.destination} says that the order is filled, but executions of {order.leaves_qty:f} were not seen"
        effects = answered(state, order, now, doubt)
        order.doubt = doubt
        return [*effects, Alert(doubt, order.order_id)]
    if order.doubt and not order.done and event.cum_qty is None:
        missed = f"executions at {order.destination} may have been missed while it was out of reach"
        return answered(state, order, now, missed)
    effects = answered(state, order, now)
    order.doubt = ""
    return effects


def _end_pending(state: State, order: Order, now: int) -> list[Effect]:
    """The order is filled. A cancel still held is refused here; one that went out is refused by the venue, or by its deadline."""
    if order.pending is None:
        state.rest(order)
        return []
    if order.pending.sent:
        state.wait(order, now)
        return []
    return drop_pending(state, order, now)


def _send_held_cancel(state: State, order: Order, now: int) -> list[Effect]:
    if order.pending is None or order.pending.sent or order.done or not sendable(state, order):
        return []
    return [send_cancel(state, order, now)]


def _order(state: State, event: VenueEvent) -> Order | None:
    order = state.blotter.at_venue(event.account, event.venue_cl_ord_id, event.venue_order_id)
    if order is not None or not isinstance(event, Filled | Canceled) or event.venue_cl_ord_id is not None:
        return order
    asked = asked_without_name(state, event.account)
    if asked is None:
        return None
    # The answer to the one question whose answer may come without our id; it must speak of an order like ours.
    alike = event.symbol in (None, asked.venue_symbol) and event.side in (None, asked.request.side)
    return asked if alike and event.order_qty in (None, asked.request.order_qty) else None


def _bind(state: State, order: Order, venue_order_id: str | None) -> None:
    """Learn the venue's id for an order; what was parked under it is released to be applied next."""
    if venue_order_id is None or venue_order_id == order.venue_order_id:
        return
    if order.venue_order_id is not None:
        raise Contradiction(f"its id was {order.venue_order_id} and is now {venue_order_id}")
    owner = state.blotter.at_venue(order.account, None, venue_order_id)
    if owner is not None and owner is not order:
        raise Contradiction(f"its id {venue_order_id} is that of order {owner.order_id}")
    state.released += state.blotter.bind(order, venue_order_id)


def _park(state: State, event: VenueEvent) -> list[Effect]:
    parked = state.blotter.parked
    name = event.venue_order_id or event.venue_cl_ord_id or "no id"
    if event.venue_order_id is not None and len(parked) < _PARKED_AT_MOST:
        parked.setdefault((event.account, event.venue_order_id), []).append(event)
    return [Alert(f"{event.account}: {type(event).__name__} of an order that is not known here: {name}")]
