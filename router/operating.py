"""What operators order, done: halts, cancels, decisions about what is not known. Pure.

The rules:

1. A halt stops new orders and replaces of its scope; cancels, venue events and status requests always pass. Halts add up: an order goes
   only where none covers it. They are in the journal, so a restart changes nothing.
2. An operator decides only what the router does not know. An order whose place at the venue is known is not declared "never placed".
3. Whatever a venue says afterwards is still booked: a decision that was wrong is corrected by the venue's word, with an alert.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from router import questions, shares
from router.acts import (
    BustTrade,
    CancelOrders,
    Commanded,
    CorrectTrade,
    Forget,
    Halt,
    MarkDone,
    Reconcile,
    Resolve,
    Resume,
    Scope,
    Stopping,
    Switched,
)
from router.changes import ENDS, end, next_waiting
from router.corrections import bust_trade, correct_trade
from router.model import Effect, Outcome
from router.order import Order
from router.reports import report
from router.state import Halted, State
from router.words import Done

__all__ = ["ACTS", "fits", "undecidable"]


def _halt(state: State, act: Halt, now: int) -> list[Effect]:
    wrong = _scope(state, act.scope, act.name)
    if wrong:
        return [Outcome(False, wrong)]
    state.halted[act.scope, act.name] = Halted(by=act.by, why=act.why, since=now)
    return [Outcome(True, f"halted {_what(act.scope, act.name)}: new orders and replaces are refused, cancels pass")]


def _resume(state: State, act: Resume, now: int) -> list[Effect]:  # noqa: ARG001 - an input's handler
    if state.halted.pop((act.scope, act.name), None) is None:
        return [Outcome(False, f"{_what(act.scope, act.name)} is not halted")]
    still = [_what(*each) for each in state.halted]
    return [Outcome(True, f"resumed {_what(act.scope, act.name)}" + (f"; still halted: {', '.join(still)}" if still else ""))]


def _cancel(state: State, act: CancelOrders, now: int) -> list[Effect]:
    if act.order_id and act.order_id not in state.blotter.orders:
        return [Outcome(False, f"there is no order {act.order_id}")]
    effects: list[Effect] = []
    fitting = [order for order in state.blotter.live.values() if not order.done and fits(act, order)]
    if act.order_id and not fitting:
        return [Outcome(False, f"order {act.order_id} is {state.blotter.orders[act.order_id].ord_status} and cannot be canceled")]
    for order in fitting:
        effects += end(state, order, Done.CANCELED, f"canceled by the operator: {act.why}", now)
        state.blotter.settle(order)
    held = sum(1 for order in fitting if order.pending is not None and not order.pending.sent)
    waiting = f"; {held} wait for their venue to be in reach or to have acknowledged them" if held else ""
    return [*effects, Outcome(True, f"cancel of {len(fitting)} open order{'s' * (len(fitting) != 1)}{waiting}")]


def _resolve(state: State, act: Resolve, now: int) -> list[Effect]:
    order = state.blotter.orders.get(act.order_id)
    wrong = undecidable(order, act)
    if wrong or order is None:
        return [Outcome(False, wrong)]
    if not act.venue_order_id:
        text = f"the operator found that it never reached {order.destination}: {act.why}"
        effects = questions.never_arrived(state, order, text, now) + _settled(state, order, now)
        return [*effects, Outcome(True, f"order {act.order_id} is rejected: it was never placed")]
    owner = state.blotter.at_venue(order.account, None, act.venue_order_id)
    if owner not in (None, order):
        return [Outcome(False, f"{act.venue_order_id} at {order.destination} is order {owner.order_id if owner else ''}")]
    state.released += state.blotter.bind(order, order.leg, act.venue_order_id)
    order.candidates = ()
    effects = questions.ask(state, order, now) if questions.askable(state, order) else []
    return [*effects, Outcome(True, f"order {act.order_id} is {act.venue_order_id} at {order.destination}; its state is being asked")]


def undecidable(order: Order | None, act: Resolve) -> str:
    """Why this cannot be decided about an order; "" where it can."""
    if order is None:
        return f"there is no order {act.order_id}"
    if not order.doubt or order.done:
        return f"order {act.order_id} is {order.ord_status}: there is nothing to decide"
    if order.leg.accepted and not act.venue_order_id:
        return f"{order.destination} accepted order {act.order_id}: it was placed (mark-done ends it)"
    if order.venue_order_id not in (None, order.venue_cl_ord_id, act.venue_order_id):
        return f"order {act.order_id} is known to be {order.venue_order_id} at {order.destination}"
    return ""


def _settled(state: State, order: Order, now: int) -> list[Effect]:
    """What was to be done with the order later is answered now."""
    effects = next_waiting(state, order, now)
    state.blotter.settle(order)
    return effects


def _mark_done(state: State, act: MarkDone, now: int) -> list[Effect]:
    order = state.blotter.orders.get(act.order_id)
    if order is None:
        return [Outcome(False, f"there is no order {act.order_id}")]
    if order.done:
        return [Outcome(False, f"order {act.order_id} is {order.ord_status} already")]
    happening, exec_type = ENDS[act.how]
    effects = questions.drop_question(state, order, now)
    order.doubt, order.text = "", f"marked as {act.how} by the operator: {act.why}"
    order.happen(happening, now)
    order.candidates = ()
    told = report(order, exec_type, now, order.text)
    effects += [told, *questions.drop_pending(state, order, now), *_settled(state, order, now)]
    state.rest(order)
    state.expires.pop(order.order_id, None)
    return [*effects, Outcome(True, f"order {act.order_id} is {act.how}; {order.destination or 'no venue'} was told nothing")]


def _reconcile(state: State, act: Reconcile, now: int) -> list[Effect]:
    destination = state.policy.destinations.get(act.destination.upper())
    if destination is None:
        return [Outcome(False, f"there is no destination {act.destination}")]
    if destination.link not in state.up:
        return [Outcome(False, f"{destination.name} is not connected: it is reconciled when it is back")]
    orders = [each for each in state.blotter.on_link(destination.link) if each.destination == destination.name]
    effects = questions.ask_all(state, orders, now)
    return [*effects, Outcome(True, f"{destination.name} is asked about {len(orders)} open order{'s' * (len(orders) != 1)}")]


def _switched(state: State, act: Switched, now: int) -> list[Effect]:
    if act.on:
        state.off.pop((act.what, act.name), None)
    else:
        state.off[act.what, act.name] = Halted(by=act.by, why=act.why, since=now)
    return [Outcome(True, f"{act.what} {act.name} is {'on' if act.on else 'off'}")]


def _forget(state: State, act: Forget, now: int) -> list[Effect]:  # noqa: ARG001 - an input's handler
    gone = state.blotter.over(act.before, act.at_most)
    shares.carry(state, gone)
    for order in gone:
        state.counted.pop(order.order_id, None)
    state.blotter.forget(gone)
    return [Outcome(True, f"{len(gone)} orders of before were dropped")]


def _stopping(state: State, act: Stopping, now: int) -> list[Effect]:
    state.stopping = True
    effects: list[Effect] = []
    leaving = [order for order in state.blotter.live.values() if order.request.session in act.cancel and not order.done]
    for order in leaving:
        effects += end(state, order, Done.CANCELED, f"canceled because the router stops: {act.why}", now)
        state.blotter.settle(order)
    return [*effects, Outcome(True, f"stopping; {len(leaving)} open orders are being canceled")]


def _commanded(state: State, act: Commanded, now: int) -> list[Effect]:  # noqa: ARG001 - a record, nothing else
    return []


ACTS: dict[type, Callable[[State, Any, int], list[Effect]]] = {
    Halt: _halt,
    Resume: _resume,
    CancelOrders: _cancel,
    Resolve: _resolve,
    MarkDone: _mark_done,
    Reconcile: _reconcile,
    Switched: _switched,
    CorrectTrade: correct_trade,
    BustTrade: bust_trade,
    Commanded: _commanded,
    Forget: _forget,
    Stopping: _stopping,
}


def fits(act: CancelOrders, order: Order) -> bool:
    """Whether a cancel of many is about this order."""
    request = order.request
    return (
        act.order_id in ("", order.order_id)
        and act.session in ("", request.session)
        and act.account in ("", request.account or "")
        and act.destination.upper() in ("", order.destination.upper())
        and act.symbol in ("", request.symbol, order.symbol, order.venue_symbol)
    )


def _scope(state: State, scope: Scope, name: str) -> str:
    """Why there is nothing of this name to halt; "" where there is."""
    configured = state.policy.configured
    known = {
        Scope.ALL: {""},
        Scope.SESSION: {each.session for each in configured.clients},
        Scope.DESTINATION: {each.name for each in configured.destinations},
    }
    names = known.get(scope)
    if scope is Scope.ACCOUNT:
        return "" if name else "name an account"
    assert names is not None
    return "" if name in names else f"there is no {scope} {name}: {', '.join(sorted(names))}"


def _what(scope: Scope, name: str) -> str:
    return "everything" if scope is Scope.ALL else f"{scope} {name}"
