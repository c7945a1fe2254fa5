"""New orders, and questions about orders. Each function takes one request and returns its effects. Pure.

Every request gets an answer at once, or leaves a pending state that `questions` watches over. Cancel and replace: `changes.py`.
"""

from __future__ import annotations

from router import risk, timers
from router.changes import end, named
from router.commands import place
from router.limits import EMULATED, check
from router.model import Effect, NewOrder, Refusal, StatusRequest
from router.order import Happening, Order
from router.reports import duplicate, report, status, unknown_order
from router.routing import Place
from router.rules import Destination, Instrument
from router.state import State, barred, halt_of
from router.words import Done, ExecType, OrdRejReason, TimeInForce

__all__ = ["address", "new_order", "routed", "status_request"]


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
    outcome = request.refusal or _stale(request, now, client.max_age) or routed(state, request, now)
    if not isinstance(outcome, Refusal):
        address(order, *outcome)
        wrong = _halted(state, order, outcome[0]) or check(request, order.time_in_force, *outcome)
        outcome = wrong or _set_timer(state, order, now) or outcome
    closed, hold = _closed(state, order.link)
    if not isinstance(outcome, Refusal) and closed and not hold:
        outcome = Refusal(OrdRejReason.EXCHANGE_CLOSED, f"{order.destination} {closed}: the order was not sent")
    judged = outcome if isinstance(outcome, Refusal) else risk.judge(state, order, now)
    state.blotter.add(order)
    if isinstance(judged, Refusal):
        return [_refuse(state, order, judged, now)]
    risk.taken(state, order, now)
    effects = _out_of_the_way(state, order, judged, now)
    if not closed:
        effects.append(place(state, order, now))
    else:
        state.due[order.order_id] = now + hold
    if ExecType.PENDING_NEW in client.report_pending or closed:
        text = f"{order.destination} {closed}: held for it" if closed else ""
        effects.append(report(order, ExecType.PENDING_NEW, now, text))
    return effects


def routed(state: State, request: NewOrder, now: int) -> Place | Refusal:
    """Where an order goes now, or why nowhere."""

    def takes(destination: Destination) -> bool:
        halted = barred(state, destination) or halt_of(state, request.session, request.account, destination.name)
        return not halted and not _closed(state, destination.link)[0]

    return state.policy.route(request, now, takes)


def status_request(state: State, request: StatusRequest, now: int) -> list[Effect]:
    """OrderStatusRequest(H): answered from our own book, with what we do not know said in Text."""
    order = named(state, request.session, request.cl_ord_id, request.order_id)
    if order is None:
        return [unknown_order(request, now)]
    return [status(order, now, order.text, request.ord_status_req_id)]


def _halted(state: State, order: Order, destination: Destination) -> Refusal | None:
    halted = barred(state, destination) or halt_of(state, order.request.session, order.request.account, order.destination)
    return Refusal(OrdRejReason.BROKER_OPTION, f"{halted}: not executed") if halted else None


def _closed(state: State, link: str) -> tuple[str, int]:
    """Why a link takes no new orders now, "" where it does; and how long they may wait for it, ns."""
    if link not in state.up:
        return "is not connected", state.policy.configured.hold_when_down
    if link in state.reconciling:
        return "is being asked what became of its open orders", state.policy.configured.hold_while_reconciling
    return "", 0


def _stale(request: NewOrder, now: int, max_age: int) -> Refusal | None:
    if request.sent is None or now - request.sent <= max_age:
        return None
    age = (now - request.sent) // 1_000_000_000
    text = f"first sent {age} s ago and repeated only now; this session's limit is {max_age // 1_000_000_000} s"
    return Refusal(OrdRejReason.STALE_ORDER, f"{text}: not executed")


def address(order: Order, destination: Destination, instrument: Instrument) -> None:
    """Say on an order where it goes."""
    order.destination = destination.name
    order.account = destination.account
    order.link = destination.link
    order.witness = destination.witness
    order.venue = destination.venue
    order.symbol = instrument.symbol
    order.venue_symbol = instrument.venue_symbol
    assert order.time_in_force is not None
    by_us = order.time_in_force in EMULATED and order.time_in_force not in destination.capabilities.times_in_force
    order.venue_time_in_force = TimeInForce.GTC if by_us else order.time_in_force


def _out_of_the_way(state: State, order: Order, own: tuple[str, ...], now: int) -> list[Effect]:
    """Cancel our own orders that this one would trade with, before it leaves."""
    text = f"canceled so that order {order.order_id} does not trade with it"
    return [effect for each in own for effect in end(state, state.blotter.orders[each], Done.CANCELED, text, now)]


def _set_timer(state: State, order: Order, now: int) -> Refusal | None:
    """Have the order end at its hour, where the venue does not see to that."""
    if order.venue_time_in_force is order.time_in_force or order.time_in_force is None:
        return None
    when = timers.expiry(order.request, order.time_in_force, state.policy.client(order.request.session), now)
    assert when is not None
    if when <= now:
        return Refusal(OrdRejReason.OTHER, "ExpireTime(126) or ExpireDate(432) is past")
    state.expires[order.order_id] = when
    return None


def _refuse(state: State, order: Order, refusal: Refusal, now: int) -> Effect:
    order.text = refusal.text
    state.expires.pop(order.order_id, None)
    order.happen(Happening.REJECTED, now)
    state.blotter.settle(order)
    return report(order, ExecType.REJECTED, now, refusal.text, ord_rej_reason=refusal.reason)
