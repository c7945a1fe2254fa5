"""Where the pure core meets the world: the lock, the clock, and the order of things: journal, apply, perform.

Threads: `step` may be called from any thread, except from QuickFIX's toApp, toAdmin and onLogout, which hold a session's
mutex that a report may need: those `post`. One input is handled to its end before the next begins."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping

import msgspec

from router.changes import named
from router.engine import Engine
from router.model import (
    Alert,
    CancelOrder,
    Effect,
    Input,
    NewOrder,
    NotSent,
    Outcome,
    Place,
    Refusal,
    ReplaceOrder,
    Report,
    Send,
    Started,
    Stopped,
    Tick,
)
from router.ports import Clients, Clock, Journal, Unsendable, Venue
from router.reports import not_taken
from router.rules import Configured

__all__ = ["Observer", "Runtime", "recover"]

Observer = Callable[[Input, list[Effect]], None]
"""Told of every input and its effects after they were performed; must not block."""


class Runtime:
    """One running router."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        clients: Clients,
        venues: Mapping[str, Venue],
        clock: Clock,
        observer: Observer,
        last_time: int = 0,
    ) -> None:
        self.engine = engine
        self._journal = journal
        self._clients = clients
        self._venues = venues
        self._clock = clock
        self._observer = observer
        self._last_time = last_time
        self._lock = threading.Lock()
        self._posted: deque[Input] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._unsettled = False

    def start(self, configured: Configured, version: str) -> None:
        """Take a configuration into use and say that a new life begins. Before any client or venue is let in."""
        self.step(configured)
        self.step(Started(version))

    def step(self, event: Input) -> list[Effect]:
        """Handle one input to its end; returns its own effects, performed. Raises `OSError` when it cannot be journaled: then it had no
        effect at all."""
        with self._lock:
            return self._step(event)

    def hear(self, event: Input) -> None:
        """Handle what a venue says now; where the journal cannot take it, keep it, in order, and try again at every tick."""
        if self._closing:
            return  # what comes after the last record is asked for at the next start
        if not self._posted:
            try:
                self.step(event)
            except OSError as failed:
                self._observer(event, [Alert(f"the journal cannot be written: {failed}; {type(event).__name__} is kept for later")])
            else:
                return
        self.post(event)

    def post(self, event: Input) -> None:
        """Have an input handled soon, by the ticking thread; never blocks, takes no lock."""
        self._posted.append(event)
        self._wake.set()

    def tick(self) -> None:
        """Handle what was posted and what is due."""
        while self._posted:
            self.step(self._posted[0])
            self._posted.popleft()
        with self._lock:
            # The tick after the last input also marks that all of its effects were performed: see `recover`.
            if self._unsettled or self.engine.due(self._now()):
                self._step(Tick())
                self._unsettled = False

    def run(self, every: float = 0.25) -> None:
        """Tick until `stop`; the body of the ticking thread. A failing journal is retried at the next tick."""
        while not self._closing:
            self._wake.wait(every)
            self._wake.clear()
            if self._closing:
                return
            try:
                self.tick()
            except OSError as failed:
                self._observer(Tick(), [Alert(f"the journal cannot be written: {failed}")])

    def stop(self) -> None:
        """Say that this life ended in order. No input is taken after it."""
        self._closing = True
        self._wake.set()
        with self._lock:
            self._step(Stopped())
            self._journal.close()

    def refuse(self, request: NewOrder | CancelOrder | ReplaceOrder, text: str) -> None:
        """Answer a request that could not be journaled, and so cannot be taken."""
        with self._lock:
            self._last_time = self._now()
            self._clients.report(not_taken(request, text, self._last_time))

    def _step(self, event: Input) -> list[Effect]:
        waiting = [event]
        first: list[Effect] | None = None
        while waiting:
            event = waiting.pop(0)
            now = self._last_time = self._now()
            if type(event) is NewOrder or type(event) is ReplaceOrder:
                event = self._identified(event, now)
            self._journal.append(event, now)
            effects = self.engine.apply(event, now)
            first = effects if first is None else first
            for effect in effects:
                waiting += self._perform(effect)
            self._unsettled = True
            self._observer(event, effects)
        return first or []

    def _perform(self, effect: Effect) -> list[Input]:
        """Do one effect; returns what became of it where that is known at once."""
        if isinstance(effect, Send):
            try:
                self._venues[effect.link].submit(effect.command)
            except Unsendable as why:
                return [NotSent(order_id=effect.command.order_id, place=isinstance(effect.command, Place), text=str(why))]
        elif not isinstance(effect, Alert | Outcome):
            self._clients.report(effect)
        return []

    def _identified(self, request: NewOrder | ReplaceOrder, now: int) -> NewOrder | ReplaceOrder:
        """Give what may become an order at a venue its id there before it is journaled, so that replay gives it the same."""
        state = self.engine.state
        if isinstance(request, ReplaceOrder):
            order = named(state, request.session, request.orig_cl_ord_id, request.order_id)
            link = order.link if order is not None else ""
        else:
            outcome = state.policy.route(request)
            link = "" if isinstance(outcome, Refusal) else outcome[0].link
        return msgspec.structs.replace(request, venue_cl_ord_id=self._venues[link].mint(now)) if link in self._venues else request

    def _now(self) -> int:
        """The time, never twice the same and never back: order of inputs is order of times, whatever the clock does."""
        return max(self._clock(), self._last_time + 1)


def recover(engine: Engine, records: Iterable[tuple[int, int, Input]]) -> list[Report]:
    """Replay a journal into a fresh engine.

    Returns the reports of its last input where the router may have died before it handed them over: they are to be sent
    again, marked PossResend(97)=Y, with the same ExecIDs. Every earlier input was handled to its end, since inputs are
    handled one at a time."""
    last: list[Effect] = []
    for _, time, event in records:
        last = engine.apply(event, time)
    return [effect for effect in last if isinstance(effect, Report)]
