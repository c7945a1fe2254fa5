"""The pure core: one input in, its effects out. No clock, no thread, no socket, no randomness.

Same inputs, same effects, always: that is what makes the journal a full account, and recovery nothing but replay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from router import changes, executions, holdings, mass, operating, positions, questions, reference, references, requests, shares, timers
from router.inquiries import PositionsRequest, SecurityDefinitionRequest, SecurityListRequest, TradingStatusRequest
from router.model import (
    Accepted,
    Alert,
    Barred,
    Canceled,
    CancelOrder,
    CancelReject,
    CancelRejected,
    ClientDown,
    ClientUp,
    Effect,
    ExecutionReport,
    Filled,
    Found,
    Held,
    Input,
    LinkDown,
    LinkUp,
    Listed,
    MassCancel,
    MassStatus,
    NewOrder,
    NotSent,
    Priced,
    Rejected,
    Remembered,
    Replaced,
    ReplaceOrder,
    Send,
    Started,
    Stated,
    StatusRequest,
    Stopped,
    Tick,
    Unanswered,
)
from router.order import Contradiction, Order
from router.policy import Policy
from router.rules import Configured
from router.state import State, contradiction

__all__ = ["Engine"]

_REQUESTS: dict[type, Callable[[State, Any, int], list[Effect]]] = {
    NewOrder: requests.new_order,
    CancelOrder: changes.cancel_order,
    ReplaceOrder: changes.replace_order,
    StatusRequest: requests.status_request,
    MassCancel: mass.mass_cancel,
    MassStatus: mass.mass_status,
    SecurityListRequest: reference.security_list,
    SecurityDefinitionRequest: reference.security_definition,
    TradingStatusRequest: reference.trading_status,
    PositionsRequest: positions.positions,
    ClientUp: timers.client_up,
    ClientDown: timers.client_down,
    **operating.ACTS,
}
_EXECUTIONS: dict[type, Callable[[State, Any, int], list[Effect]]] = {
    Accepted: executions.accepted,
    Filled: executions.filled,
    Canceled: executions.canceled,
    Rejected: executions.rejected,
    CancelRejected: executions.cancel_rejected,
    Replaced: executions.replaced,
    Stated: executions.stated,
}


_OF_ORDERS = (ExecutionReport, CancelReject, Alert)


class Engine:
    """The state of the router and the one function that changes it."""

    def __init__(self) -> None:
        self.state = State()

    def apply(self, event: Input, now: int) -> list[Effect]:
        """Take one input at `now` (ns UTC, never before the last one's). Returns what is to be done, in this order."""
        try:
            effects = self._apply(event, now)
            if self.state.reconciling:
                effects += questions.reconciled(self.state, now)
        except Exception as fault:  # noqa: BLE001 - the input is in the journal: raised again at every replay, this would keep the
            # router from ever starting. The same input does the same again, so the book stays what replay makes of the journal.
            counted = self._figured(reference.catch_up)
            return [_fault(event, fault), *counted, *self._figured(shares.rebuild, self.state.policy.configured, now)]
        effects += self._followed(event, effects)
        return effects + self._figured(_count, effects, now) if self.state.rulebook.limits else effects

    def _followed(self, event: Input, effects: list[Effect]) -> list[Effect]:
        """Keep positions, and tell subscribers; a fault there must not keep what was decided from being done."""
        try:
            return reference.follow(self.state, event, effects)
        except Exception as fault:  # noqa: BLE001 - as in `apply`
            return [_fault(event, fault)]

    def _figured(self, work: Callable[..., None], *what: Any) -> list[Effect]:
        """Keep the figures; a fault there must not keep what was decided from being done."""
        try:
            work(self.state, *what)
        except Exception as fault:  # noqa: BLE001 - as in `apply`
            return [Alert(f"internal error, please report it: the figures of limits are not to be trusted: {fault!r}")]
        return []

    def _apply(self, event: Input, now: int) -> list[Effect]:
        request = _REQUESTS.get(type(event))
        if request is not None:
            effects = request(self.state, event, now)
            return effects + self._release(now) if self.state.released else effects
        execution = _EXECUTIONS.get(type(event))
        if execution is not None:
            return self._execution(execution, event, now)
        if isinstance(event, Tick):
            return self._tick(now)
        if isinstance(event, Priced):
            references.note(self.state.references, event, now)
            return []
        if isinstance(event, Held):
            holdings.note(self.state.held, event, now)
            return []
        effects = self._circumstance(event, now)
        for order in list(self.state.blotter.live.values()):
            effects += self._after(order, now)
        return effects

    def _after(self, order: Order, now: int) -> list[Effect]:
        """Whatever happened to an order: what waited for its last change may go now."""
        effects = changes.next_waiting(self.state, order, now) if order.waiting else []
        self.state.blotter.settle(order)
        return effects

    def _tick(self, now: int) -> list[Effect]:
        """Only the orders that are due: thousands may be live, and a tick comes four times a second."""
        state = self.state
        effects: list[Effect] = []
        for order_id in [order_id for order_id, deadline in state.due.items() if deadline <= now]:
            order = state.blotter.orders[order_id]
            effects += questions.overdue(state, order, now)
            effects += self._after(order, now)
        return effects + timers.run(state, now)

    def due(self, now: int) -> bool:
        """True when a `Tick` at `now` would have something to do."""
        return any(deadline <= now for deadline in self.state.due.values()) or timers.due(self.state, now)

    def _execution(self, execution: Callable[[State, Any, int], list[Effect]], event: Any, now: int) -> list[Effect]:
        state = self.state
        order = state.blotter.at_venue(event.account, event.venue_cl_ord_id, event.venue_order_id)
        if order is not None:
            # The venue speaks of it, so it is there, also where we had reason to think that it never left.
            order.placed = order.placed or now
        try:
            effects = execution(state, event, now)
        except Contradiction as wrong:
            return [contradiction(event, state.blotter.at_venue(event.account, event.venue_cl_ord_id, event.venue_order_id), wrong)]
        order = state.blotter.at_venue(event.account, event.venue_cl_ord_id, event.venue_order_id)
        if order is not None:
            order.heard = now
            effects += self._after(order, now)
        return effects + self._release(now)

    def _release(self, now: int) -> list[Effect]:
        """Events that waited for their order to be known."""
        effects: list[Effect] = []
        while self.state.released:
            released = self.state.released.pop(0)
            effects += self._execution(_EXECUTIONS[type(released)], released, now)
        return effects

    def _circumstance(self, event: Input, now: int) -> list[Effect]:
        state = self.state
        match event:
            case Configured():
                before, state.policy = state.policy.configured, Policy(event)
                if (before.limits, before.reference_stale) != (event.limits, event.reference_stale) or (
                    event.limits and before.destinations != event.destinations
                ):
                    shares.rebuild(state, event, now)
                for listed in state.listed.values():
                    state.policy.learn(listed)
                return []
            case Listed():
                state.listed[event.link] = event
                state.policy.learn(event)
                return []
            case Barred():
                state.barred.pop(event.link, None)
                if event.why:
                    state.barred[event.link] = event.why
                return []
            case Remembered():
                state.remembered.setdefault(event.link, {})[event.key] = event.value
                return []
            case Started():
                timers.restarted(state, now)
                return questions.started(state, now)
            case LinkUp():
                return questions.link_up(state, event.link, now)
            case LinkDown():
                return questions.link_down(state, event, now)
            case NotSent():
                return questions.not_sent(state, event, now)
            case Unanswered():
                return questions.unanswered(state, event, now)
            case Found():
                return questions.found(state, event, now)
            case Stopped():
                return []
            case _:
                raise TypeError(f"not an input: {type(event).__name__}")


def _fault(event: Input, fault: Exception) -> Alert:
    return Alert(f"internal error, please report it: {type(event).__name__}: {fault!r}")


def _count(state: State, effects: list[Effect], now: int) -> None:
    """Every order that was spoken of counts for what it is now: there is no change of an order without a word of it."""
    last = ""
    for effect in effects:
        if isinstance(effect, Send):
            order_id = effect.command.order_id
        elif isinstance(effect, _OF_ORDERS):
            order_id = effect.order_id
        else:
            continue
        if order_id != last:
            order = state.blotter.orders.get(order_id)
            if order is not None:
                shares.renew(state, order, now)
            last = order_id
