"""What a venue says: accepted, filled, canceled, rejected. Each function takes one event and returns its effects. Pure.

An event whose order is not known yet is parked until an acknowledgement names it (reports may overtake each other); an execution
message seen before changes nothing, but answers a question that is under way.
"""

from __future__ import annotations

from decimal import Decimal

from router.changes import ENDS, confirm_replace, fail_replace, leg_over, refuse_pending
from router.commands import change
from router.corrections import absorbed
from router.model import (
    Accepted,
    Alert,
    Canceled,
    CancelRejected,
    Effect,
    Filled,
    Rejected,
    Replaced,
    ReplaceOrder,
    Stated,
    VenueEvent,
)  # fmt: skip
from router.order import Contradiction, Happening, Leg, Order
from router.questions import answered, ask, asked_without_name, drop_pending, nameless_answer, not_found
from router.reports import report, status
from router.state import State, askable, sendable
from router.words import EXACT, NONE, ZERO, CxlRejReason, Done, ExecType, OrdStatus

__all__ = ["accepted", "cancel_rejected", "canceled", "filled", "idle", "rejected", "replaced", "stated"]

_PARKED_AT_MOST = 10_000
_OF_ONE_ORDER_AT_MOST = 1_000
_DERIVED_STEP = Decimal("1e-8")
"""Derived prices are given to eight decimals: more would feign a precision that an average does not have."""


def accepted(state: State, event: Accepted, now: int) -> list[Effect]:
    """The venue has the order."""
    order = _order(state, event)
    if order is None:
        return _park(state, event)
    leg = _bind(state, order, event)
    if leg is not order.leg:
        return []
    effects: list[Effect] = []
    if state.blotter.first_sight(order, event.account, event.exec_id):
        effects += _acknowledge(state, order, now, event.text)
    return effects + answered(state, order, now) + _send_held(state, order, now)


def _acknowledge(state: State, order: Order, now: int, text: str) -> list[Effect]:
    """The present leg is live at the venue."""
    was_refused = order.base is OrdStatus.REJECTED
    effects: list[Effect] = _live(state, order, now)
    if was_refused:
        effects.append(Alert(f"{order.destination} accepted an order that was reported rejected", order.order_id))
    if order.happen(Happening.ACCEPTED, now):
        effects.append(report(order, ExecType.NEW, now, text))
        state.rest(order)
        order.doubt = ""  # nothing can have been executed of it before
    return effects


def _live(state: State, order: Order, now: int) -> list[Effect]:
    """Whatever the venue says of the present leg but no, it has it; the new leg of a replace completes that."""
    replacing = order.replacing
    order.leg.accepted = True
    if not replacing:
        return []
    order.doubt = ""
    return [confirm_replace(state, order, now)]


def filled(state: State, event: Filled, now: int) -> list[Effect]:
    """The venue executed a part of the order, or all of it."""
    order = _order(state, event)
    if order is None:
        return _park(state, event)
    leg = _bind(state, order, event)
    if not state.blotter.first_sight(order, event.account, event.exec_id):
        return answered(state, order, now)
    counted = _counted(leg, event)
    if counted == event.last_qty:
        # Booked before, as a part of what was missed.
        return absorbed(order, leg, event.last_qty, event.last_px, now) + answered(state, order, now)
    waited = order.base is OrdStatus.PENDING_NEW
    effects = _live(state, order, now) if leg is order.leg else []
    effects += _missed(order, leg, event.cum_qty, event.avg_px, now, event.last_qty, event.last_px)
    last_qty = EXACT.subtract(event.last_qty, counted)
    if event.complete:
        effects += _replaced_unheard(state, order, leg, EXACT.add(leg.told_qty, last_qty), now)
    late = f"executed although the order was {order.base}" if order.done else ""
    order.fill(leg, last_qty, event.last_px, event.complete, now)
    text = "; ".join(each for each in (late, event.text) if each)
    told = report(order, ExecType.TRADE, now, text, last_qty, event.last_px, fee=event.fee, fee_currency=event.fee_currency)
    order.executions[told.exec_id] = (leg, last_qty, event.last_px)
    effects.append(told)
    if late:
        effects.append(Alert(f"{order.destination}: {last_qty:f} {late}", order.order_id))
    if order.overfilled:
        effects.append(Alert(f"{order.destination} executed {order.cum_qty:f} of {order.request.order_qty:f}", order.order_id))
    effects += _judge_gap(state, order, leg, event, now)
    if event.complete and not order.done:
        effects += _nothing_left(order, leg, now)
    if order.done:
        return effects + _end_pending(state, order, now)
    if waited and not order.asked and not (order.pending is not None and order.pending.sent):
        state.rest(order)
    return effects + _send_held(state, order, now)


def canceled(state: State, event: Canceled, now: int) -> list[Effect]:
    """The rest of the order is gone."""
    order = _order(state, event)
    if order is None:
        return _park(state, event)
    leg = _bind(state, order, event)
    effects = _missed(order, leg, event.cum_qty, event.avg_px, now)
    if leg is not order.leg:
        return effects  # a leg that was over; its late executions are facts all the same
    known = event.cum_qty is not None and event.cum_qty <= leg.told_qty
    if order.doubt and not order.done and not known:
        # What was executed between the last report before the doubt and this end is not known, so neither is CumQty.
        doubt = f"{order.destination} says that the order is {event.how}, but not what was executed of it meanwhile"
        return effects + _unclear(state, order, doubt, now)
    if effects and order.done:
        # What was missed filled it: that is its end.
        return effects + answered(state, order, now) + _end_pending(state, order, now)
    if not state.blotter.first_sight(order, event.account, event.exec_id):
        return effects + answered(state, order, now)
    effects += _live(state, order, now) if not order.done else []
    if _being_replaced(order) and event.how is Done.CANCELED and not order.done:
        order.doubt = ""
        effects += [*_settled(state, order, now), *leg_over(state, order, now)]
        return effects
    return effects + _ended(state, order, event, now)


def _ended(state: State, order: Order, event: Canceled, now: int) -> list[Effect]:
    pending = order.pending
    ours = pending is not None and pending.sent and pending.request is None and event.how is Done.CANCELED
    happening, exec_type = ENDS[pending.end if ours and pending is not None else event.how]
    if not order.happen(happening, now):
        return answered(state, order, now)
    order.text = pending.text if ours and pending is not None else event.text
    if pending is not None and pending.sent and not isinstance(pending.request, ReplaceOrder):
        if pending.request is not None:
            order.orig_cl_ord_id, order.cl_ord_id = order.cl_ord_id, pending.request.cl_ord_id
        order.pending = None
    effects = [report(order, exec_type, now, order.text), *answered(state, order, now)]
    order.doubt = ""
    state.rest(order)
    return effects + drop_pending(state, order, now)


def _settled(state: State, order: Order, now: int) -> list[Effect]:
    """A question under way about a leg that is over needs no answer; the next one's turn."""
    pending, order.pending = order.pending, None  # so that nothing is sent again
    effects = answered(state, order, now)
    order.pending = pending
    return effects


def _being_replaced(order: Order) -> bool:
    """Whether the leg was canceled to be replaced by another."""
    pending = order.pending
    return pending is not None and pending.sent and not pending.native and pending.status is OrdStatus.PENDING_REPLACE


def replaced(state: State, event: Replaced, now: int) -> list[Effect]:
    """The venue changed the order as it was asked to."""
    order = _order(state, event)
    if order is None:
        return _park(state, event)
    _bind(state, order, event)
    if not state.blotter.first_sight(order, event.account, event.exec_id):
        return answered(state, order, now)
    if order.pending is None or not order.pending.native or not order.pending.sent:
        return [Alert(f"{order.destination} changed an order unasked", order.order_id)]
    if order.done:
        return drop_pending(state, order, now)
    return [confirm_replace(state, order, now), *answered(state, order, now)]


def stated(state: State, event: Stated, now: int) -> list[Effect]:
    """Where the venue, or a second witness, says that the order stands."""
    order = _order(state, event)
    if order is None:
        return []  # somebody else's on the same account
    leg = _bind(state, order, event)
    if not event.asked:
        if _is_news(order, leg, event) and order.order_id not in state.due:
            state.wait(order, now)
        return []
    exec_id = f"stated:{order.order_id}:{len(order.former)}:{event.status}"
    account, ours, theirs = event.account, event.venue_cl_ord_id, event.venue_order_id
    match event.status:
        case OrdStatus.REJECTED:
            refused = Rejected(account=account, exec_id=exec_id, venue_cl_ord_id=ours, venue_order_id=theirs, text=event.text)
            return rejected(state, refused, now)
        case OrdStatus.CANCELED | OrdStatus.EXPIRED | OrdStatus.DONE_FOR_DAY:
            ended = Canceled(
                account=account, exec_id=exec_id, how=Done(event.status.value), venue_cl_ord_id=ours, venue_order_id=theirs,
                cum_qty=event.cum_qty, avg_px=event.avg_px, text=event.text,
            )  # fmt: skip
            return canceled(state, ended, now)
        case _:
            return _standing(state, order, leg, event, now)


def idle(state: State, event: Stated) -> bool:
    """Whether a second witness says only what is known: such a word changes nothing, and so need not be an input at all. Nearly all are."""
    if event.asked:
        return False
    order = state.blotter.at_venue(event.account, event.venue_cl_ord_id, event.venue_order_id)
    if order is None:
        return True  # somebody else's on the same account
    leg = order.leg_of(event.venue_cl_ord_id, event.venue_order_id)
    known = event.venue_order_id in (None, leg.venue_order_id) or (
        leg.venue_order_id is not None and event.venue_order_id == leg.venue_cl_ord_id
    )
    return known and bool(order.placed) and not order.waiting and not _is_news(order, leg, event)


def _is_news(order: Order, leg: Leg, event: Stated) -> bool:
    return event.cum_qty > leg.told_qty or (leg is order.leg and not order.done and event.status is not OrdStatus.NEW)


def _standing(state: State, order: Order, leg: Leg, event: Stated, now: int) -> list[Effect]:
    """It is live, or filled."""
    effects: list[Effect] = []
    if leg is order.leg and not leg.accepted:
        effects += _acknowledge(state, order, now, event.text)
    filled = event.status is OrdStatus.FILLED
    if filled:
        effects += _replaced_unheard(state, order, leg, event.cum_qty, now)
    effects += _missed(order, leg, event.cum_qty, event.avg_px, now, complete=filled)
    if filled and not order.done and order.request.order_qty is None and leg.told_qty == event.cum_qty:
        # An order by cash amount has no quantity that tells its end; the executions were told before.
        order.happen(Happening.FILLED, now)
        effects.append(status(order, now, f"{order.destination} says that nothing is left of it"))
    if leg.told_qty < event.cum_qty or (event.status is OrdStatus.FILLED and leg.leaves_qty):
        return effects + _unclear(state, order, f"{order.destination} says that {event.cum_qty:f} was executed, but not how", now)
    if filled and not order.done:
        effects += _nothing_left(order, leg, now)
    effects += answered(state, order, now)
    order.doubt = ""
    return effects + (_end_pending(state, order, now) if order.done else _send_held(state, order, now))


def _nothing_left(order: Order, leg: Leg, now: int) -> list[Effect]:
    """The venue has executed all of it, and of that an operator took a part back: nobody works that part any more."""
    if leg is not order.leg or leg.leaves_qty or not leg.aside_qty or order.request.order_qty is None:
        return []
    order.happen(Happening.CANCELED, now)
    return [report(order, ExecType.CANCELED, now, "the rest was executed, and taken back by the operator")]


def _replaced_unheard(state: State, order: Order, leg: Leg, cum_qty: Decimal, now: int) -> list[Effect]:
    """Nothing is left of the order at the quantity that the venue was asked to change it to: so it did, and its word of that was lost."""
    pending = order.pending
    if pending is None or not pending.native or not pending.sent or leg is not order.leg or cum_qty == leg.terms.order_qty:
        return []
    assert isinstance(pending.request, ReplaceOrder)
    whole = EXACT.add(EXACT.subtract(order.cum_qty, leg.cum_qty), cum_qty)
    return [confirm_replace(state, order, now)] if whole == pending.request.order_qty else []


def rejected(state: State, event: Rejected, now: int) -> list[Effect]:
    """The venue's no to a new order, or its "no such order" to a question."""
    order = state.blotter.at_venue(event.account, event.venue_cl_ord_id, event.venue_order_id)
    if order is None:
        if event.venue_cl_ord_id is None and event.venue_order_id in (None, NONE):
            asked = nameless_answer(state, event.account)
            return not_found(state, asked, now, counted=True) if asked is not None else []
        return [Alert(f"{event.account}: a reject that names no order of ours: {event.text or 'without a reason'}")]
    if not state.blotter.first_sight(order, event.account, event.exec_id):
        return answered(state, order, now)
    if order.leg_of(event.venue_cl_ord_id, event.venue_order_id) is not order.leg:
        return [Alert(f"{order.destination} rejects what it had taken: {event.text}", order.order_id)]
    if order.replacing:
        effects = _settled(state, order, now)
        return effects + fail_replace(state, order, f"the replacement was rejected: {event.text or 'without a reason'}", now)
    if order.base is not OrdStatus.PENDING_NEW:
        raise Contradiction(f"rejected cannot follow {order.base}")
    order.text = event.text or f"rejected by {order.destination}, which gave no reason"
    order.happen(Happening.REJECTED, now)
    effects = [report(order, ExecType.REJECTED, now, order.text, ord_rej_reason=event.reason)]
    effects += answered(state, order, now)
    order.doubt = ""
    state.rest(order)
    return effects + drop_pending(state, order, now)


def cancel_rejected(state: State, event: CancelRejected, now: int) -> list[Effect]:
    """The venue's no to a cancel or to a replace."""
    order = _order(state, event)
    if order is None or order.pending is None or order.replacing:
        known = order.order_id if order is not None else ""
        return [Alert(f"{event.account}: a cancel was refused that is not waited for: {event.text}", known)]
    if order.done:
        return drop_pending(state, order, now)
    ours = order.pending if order.pending.request is None else None
    effects = refuse_pending(state, order, event.reason, event.text, now)
    if ours is not None:
        effects.append(Alert(f"{order.destination} refuses the router's own cancel ({ours.text}): {event.text}", order.order_id))
        if ours.end is Done.EXPIRED:
            state.expires[order.order_id] = now + state.policy.configured.answer_timeout  # it is still to end
    if event.reason in (CxlRejReason.UNKNOWN_ORDER, CxlRejReason.TOO_LATE) and askable(state, order):
        # It says that the order is gone, and we were not told how: only the answer to a question ends the order.
        effects += ask(state, order, now)
    return effects


def _counted(leg: Leg, event: Filled) -> Decimal:
    """How much of an execution was booked before, from the venue's totals."""
    if event.cum_qty is not None:
        return event.last_qty if event.cum_qty <= leg.told_qty else ZERO
    counted = min(leg.inferred, event.last_qty)
    leg.inferred = EXACT.subtract(leg.inferred, counted)
    return counted


def _missed(
    order: Order, leg: Leg, cum_qty: Decimal | None, avg_px: Decimal | None, now: int,
    last_qty: Decimal = ZERO, last_px: Decimal = ZERO, complete: bool = False,
) -> list[Effect]:  # fmt: skip
    """Book what the venue's CumQty says was executed of a leg and we never saw, at the price that its AvgPx leaves for it; without an
    AvgPx, at the order's limit. `last_qty`, `last_px`: the execution that comes with these figures, which is booked by itself."""
    if cum_qty is None or (avg_px is None and last_qty):
        return []
    missing = EXACT.subtract(EXACT.subtract(cum_qty, leg.told_qty), last_qty)
    if missing <= 0:
        return []
    price, how = _derived(leg, cum_qty, avg_px, missing, EXACT.multiply(last_qty, last_px))
    if price is None or price <= 0:
        return [Alert(f"{order.destination}: {missing:f} was executed unseen, and no price can be told: {how}", order.order_id)]
    leg.inferred = EXACT.add(leg.inferred, missing)
    order.fill(leg, missing, price, complete, now)
    text = f"missed while out of reach; price derived from {how}"
    told = report(order, ExecType.TRADE, now, text, missing, price)
    order.executions[told.exec_id] = (leg, missing, price)
    order.inferred.add(told.exec_id)
    return [told, Alert(f"{order.destination}: {missing:f} {text}", order.order_id)]


def _derived(leg: Leg, cum_qty: Decimal, avg_px: Decimal | None, missing: Decimal, last_value: Decimal) -> tuple[Decimal | None, str]:
    if avg_px is None:
        return leg.terms.price, "the order's limit, for the venue states none"
    value = EXACT.subtract(EXACT.subtract(EXACT.multiply(avg_px, cum_qty), leg.told_value), last_value)
    price = EXACT.divide(value, missing).quantize(_DERIVED_STEP, context=EXACT).normalize(EXACT)
    return price, f"the venue's average, {avg_px:f}" if price <= 0 else "the venue's average"


def _judge_gap(state: State, order: Order, leg: Leg, event: Filled, now: int) -> list[Effect]:
    """What an execution tells about those that may have been missed before it."""
    if event.complete and leg.leaves_qty:
        doubt = f"{order.destination} says that the order is filled, but executions of {leg.leaves_qty:f} were not seen"
        return _unclear(state, order, doubt, now)
    if order.doubt and not order.done and event.cum_qty is None:
        missed = f"executions at {order.destination} may have been missed while it was out of reach"
        return answered(state, order, now, missed)
    effects = answered(state, order, now)
    order.doubt = ""
    return effects


def _unclear(state: State, order: Order, doubt: str, now: int) -> list[Effect]:
    """The venue has said something, and it is not enough: a second witness is asked, else a person must look."""
    effects = answered(state, order, now, doubt)
    order.doubt = doubt
    if order.witness in state.up and order.queries == 0:
        return effects + ask(state, order, now)
    return [*effects, Alert(doubt, order.order_id)]


def _end_pending(state: State, order: Order, now: int) -> list[Effect]:
    """The order is filled. A cancel still held is refused here; one that went out is refused by the venue, or by its deadline."""
    if order.pending is None:
        state.rest(order)
        return []
    if order.pending.sent:
        state.wait(order, now)
        return []
    return drop_pending(state, order, now)


def _send_held(state: State, order: Order, now: int) -> list[Effect]:
    """A cancel or replace that waited for the venue to know the order."""
    if order.pending is None or order.pending.sent or order.done or not sendable(state, order):
        return []
    return [change(state, order, now)]


def _order(state: State, event: VenueEvent) -> Order | None:
    order = state.blotter.at_venue(event.account, event.venue_cl_ord_id, event.venue_order_id)
    if order is not None or not isinstance(event, Filled | Canceled) or event.venue_cl_ord_id is not None:
        return order
    asked = asked_without_name(state, event.account)
    if asked is None:
        return None
    # The answer to the one question whose answer may come without our id; it must speak of an order like ours.
    alike = event.symbol in (None, asked.venue_symbol) and event.side in (None, asked.request.side)
    return asked if alike and event.order_qty in (None, asked.leg.terms.order_qty) else None


def _bind(state: State, order: Order, event: VenueEvent) -> Leg:
    """The leg that an event speaks of. Learns the venue's id for it; what was parked under it is released to be applied next."""
    venue_order_id = event.venue_order_id
    leg = order.leg_of(event.venue_cl_ord_id, venue_order_id)
    if venue_order_id is None or venue_order_id == leg.venue_order_id:
        return leg
    if leg.venue_order_id is not None and venue_order_id == leg.venue_cl_ord_id:
        return leg  # by our id: a venue with two ways in may call an order one thing here and another there
    if leg.venue_order_id not in (None, leg.venue_cl_ord_id):
        raise Contradiction(f"its id was {leg.venue_order_id} and is now {venue_order_id}")
    owner = state.blotter.at_venue(order.account, None, venue_order_id)
    if owner is not None and owner is not order:
        raise Contradiction(f"its id {venue_order_id} is that of order {owner.order_id}")
    state.released += state.blotter.bind(order, leg, venue_order_id)
    return leg


def _park(state: State, event: VenueEvent) -> list[Effect]:
    parked = state.blotter.parked
    name = event.venue_order_id or event.venue_cl_ord_id or "no id"
    if event.venue_order_id is not None and len(parked) < _PARKED_AT_MOST:
        waiting = parked.setdefault((event.account, event.venue_order_id), [])
        if len(waiting) < _OF_ONE_ORDER_AT_MOST:
            waiting.append(event)
    return [Alert(f"{event.account}: {type(event).__name__} of an order that is not known here: {name}")]
