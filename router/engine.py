"""The pure core: one input in, its effects out. No clock, no thread, no socket, no randomness.

Same inputs, same effects, always: that is what makes the journal a full account, and recovery nothing but replay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from router import changes, executions, mass, operating, questions, requests, timers
from router.model import (
    Accepted,
    Alert,
    Canceled,
    CancelOrder,
    CancelRejected,
    ClientDown,
    ClientUp,
    Effect,
    Filled,
    Found,
    Input,
    LinkDown,
    LinkUp,
    Listed,
    MassCancel,
    MassStatus,
    NewOrder,
    NotSent,
    Rejected,
    Remembered,
    Replaced,
    ReplaceOrder,
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


class Engine:
    """The state of the router and the one function that changes it."""

    def __init__(self) -> None:
        self.state = State()

    def apply(self, event: Input, now: int) -> list[Effect]:
        """Take one input at `now` (ns UTC, never before the last one's). Returns what is to be done, in this order."""
        try:
            effects = self._apply(event, now)
            return effects + questions.reconciled(self.state, now) if self.state.reconciling else effects
        except Exception as fault:  # noqa: BLE001 - the input is in the journal: raised again at every replay, this would keep the
            # router from ever starting. The same input does the same again, so the book stays what replay makes of the journal.
            return [Alert(f"internal error, please report it: {type(event).__name__}: {fault!r}")]

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
                state.policy = Policy(event)
                for listed in state.listed.values():
                    state.policy.learn(listed)
                return []
            case Listed():
                state.listed[event.link] = event
                state.policy.learn(event)
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
