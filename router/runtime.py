"""Where the pure core meets the world: the lock, the clock, and the order of things: journal, apply, perform.

The rules:

1. `step` may be called from any thread, except from QuickFIX's toApp, toAdmin and onLogout, which hold a session's mutex that a report may
   need: those `post`.
2. Effects are performed in the order of the journal. Where the journal is safe with each append, one input is handled to its end before
   the next begins. Where it must be synced first, inputs that come while a sync is under way are journaled and applied, and share the next
   one; whoever comes first syncs and performs for all.
3. While the journal cannot be written, no order is taken. What venues say is kept in memory, in order, and handled when it can be written
   again. A cancel is passed to the venue without a record, for it may be repeated, and the client is told so.
4. While only the reserve is left, new orders and replaces are refused, and everything else goes on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import msgspec

from router.acts import CancelOrders, Forget
from router.changes import named
from router.engine import Engine
from router.executions import idle
from router.model import (
    Alert,
    Cancel,
    CancelOrder,
    Effect,
    Input,
    MassCancel,
    NewOrder,
    NotSent,
    Outcome,
    Place,
    Refusal,
    ReplaceOrder,
    Send,
    Started,
    Stated,
    Stopped,
    Tick,
    Unanswered,
)
from router.ports import Clients, Clock, Journal, Unsendable, Unwritten, Venue
from router.recovery import recover
from router.reports import cancel_reject, not_taken
from router.requests import routed
from router.rules import Configured
from router.snapshot import dump, load
from router.state import State, sendable
from router.words import CxlRejReason

__all__ = ["Observer", "Runtime", "recover"]

_FORGET_AT_ONCE: Final = 250
"""Orders; a millisecond or two for whoever waits."""
_FORGET_EVERY: Final = 60_000_000_000
"""Nanoseconds between two looks for orders to forget, where they are kept for long; a twentieth of that time where it is short."""

Observer = Callable[[Input, list[Effect]], None]
"""Told of every input and its effects after they were performed; must not block."""


class _Taken:
    """An input that is journaled and applied, and whose effects wait for the disk."""

    __slots__ = ("done", "effects", "event", "sequence")

    def __init__(self, event: Input, effects: list[Effect], sequence: int) -> None:
        self.event = event
        self.effects = effects
        self.sequence = sequence
        self.done = False


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
        self._grouped = journal.grouped
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
        self.keep_orders: int | None = None
        """Nanoseconds after which an order that is over is forgotten; None: never."""
        self._forget_at = 0
        self.ticked = 0
        """When the ticking thread last went round, ns UTC."""
        self.failing = ""
        """Why orders are not taken for the journal's sake; "" when they are."""
        self._broken = ""
        """Why the last append failed."""
        self._in_doubt = ""
        """Why the last sync failed: what is in `_outbox` may or may not be on the disk."""
        self._judging = threading.Lock()
        self._committing = threading.Lock()
        self._outbox: deque[_Taken] = deque()

    def start(self, configured: Configured, version: str) -> None:
        """Take a configuration into use and say that a new life begins. Before any client or venue is let in."""
        self.step(configured)
        self.step(Started(version))

    def step(self, event: Input) -> list[Effect]:
        """Handle one input to its end; returns its own effects, performed. Raises `Unwritten` (an `OSError`) when it cannot be journaled:
        then it had no effect at all, but for the cancels of rule 3."""
        try:
            if self._grouped:
                return self._step_grouped(event)
            with self._lock:
                return self._step(event)
        except Unwritten as failed:
            self._judge()
            return self._unwritten(event, failed)

    def hear(self, event: Input) -> None:
        """Handle what a venue says now; where the journal cannot take it, keep it, in order, and try again at every tick."""
        if self._closing:
            return  # what comes after the last record is asked for at the next start
        if type(event) is Stated and self._is_idle(event):
            return
        if not self._posted:
            try:
                self.step(event)
            except Unwritten:
                pass
            else:
                return
        self.post(event)

    def post(self, event: Input) -> None:
        """Have an input handled soon, by the ticking thread; never blocks, takes no lock."""
        self._posted.append(event)
        self._wake.set()

    @contextmanager
    def reading(self) -> Iterator[State]:
        """The state, standing still, to copy a little of it: nothing trades meanwhile."""
        with self._lock:
            yield self.engine.state

    def tick(self) -> None:
        """Handle what was posted and what is due, and look after the journal. Raises `Unwritten`; what was posted is kept."""
        self._journal.tend()
        if self._in_doubt:
            with self._committing:
                self._commit()
        self._judge()
        while self._posted:
            self.step(self._posted[0])
            self._posted.popleft()
        self._forget()
        if self._unsettled or self._broken or self._is_due():
            self.step(Tick())

    def run(self, every: float = 0.25) -> None:
        """Tick until `stop`; the body of the ticking thread. A failing journal is retried at the next tick."""
        while not self._closing:
            self._wake.wait(every)
            self._wake.clear()
            self.ticked = self._clock()
            if self._closing:
                return
            try:
                self.tick()
            except Unwritten:
                pass  # said once, by `_judge`
            except OSError as failed:
                self._observer(Tick(), [Alert(f"the ticking thread failed: {failed}")])

    def stop(self) -> None:
        """Say that this life ended in order. No input is taken after it."""
        self._closing = True
        self._wake.set()
        try:
            self.step(Stopped())
        except Unwritten as failed:
            self._observer(Stopped(), [Alert(f"the end was not journaled: {failed}; the next start takes it for a crash")])
        with self._lock:
            self._journal.close()

    def refuse(self, request: NewOrder | CancelOrder | ReplaceOrder, text: str) -> None:
        """Answer a request that could not be journaled, and so cannot be taken."""
        with self._lock:
            self._last_time = self._now()
            self._clients.report(not_taken(request, text, self._last_time))

    # --- one at a time ----------------------------------------------------------------------------------------------------

    def _step(self, event: Input) -> list[Effect]:
        waiting = [event]
        first: list[Effect] | None = None
        while waiting:
            event = waiting.pop(0)
            now = self._last_time = self._now()
            if type(event) is NewOrder or type(event) is ReplaceOrder:
                event = self._identified(event, now)
            try:
                self._journal.append(event, now)
            except OSError as failed:
                self._broken = str(failed)
                if first is None:
                    raise Unwritten(str(failed)) from failed
                self._posted.extend((event, *waiting))
                break
            if self._broken:
                self._broken = ""
            effects = self.engine.apply(event, now)
            first = effects if first is None else first
            for effect in effects:
                waiting += self._perform(effect)
            # The tick after it says that all of this was performed: see `recover`.
            self._unsettled = type(event) is not Tick or bool(effects)
            self._observer(event, effects)
        return first or []

    # --- in groups --------------------------------------------------------------------------------------------------------

    def _step_grouped(self, event: Input) -> list[Effect]:
        with self._lock:
            taken = self._take(event)
        while not taken.done:
            with self._committing:
                if not taken.done and not self._commit():
                    break  # performed once the disk is sure of it
        return taken.effects

    def _take(self, event: Input) -> _Taken:
        if self._in_doubt:
            raise Unwritten(self._in_doubt)
        now = self._last_time = self._now()
        if type(event) is NewOrder or type(event) is ReplaceOrder:
            event = self._identified(event, now)
        try:
            sequence = self._journal.append(event, now)
        except OSError as failed:
            self._broken = str(failed)
            raise Unwritten(str(failed)) from failed
        self._broken = ""
        # A tick with effects still to be performed does not say that all were.
        taken = _Taken(event, self.engine.apply(event, now), sequence)
        self._unsettled = type(event) is not Tick or bool(taken.effects) or bool(self._outbox)
        self._outbox.append(taken)
        return taken

    def _commit(self) -> bool:
        """Sync, and perform what was taken before that, and what follows from it. Returns False where the disk is not sure. Called with
        `_committing` held; inputs go on being taken meanwhile."""
        again = True
        while again:
            count = len(self._outbox)
            try:
                self._journal.sync()
            except OSError as failed:
                self._held(str(failed))
                return False
            self._in_doubt = ""
            again = False
            for _ in range(count):
                again = self._deliver(self._outbox[0]) or again
        return True

    def _deliver(self, taken: _Taken) -> bool:
        """Perform the effects of the oldest input that waits. Returns whether inputs followed from it."""
        following: list[Input] = []
        try:
            for effect in taken.effects:
                following += self._perform(effect)
        finally:
            self._journal.settle(taken.sequence)
            self._outbox.popleft()
            taken.done = True
        self._observer(taken.event, taken.effects)
        for event in following:
            try:
                with self._lock:
                    self._take(event)
            except Unwritten:
                self.post(event)
        return bool(following)

    def _held(self, why: str) -> None:
        """A sync failed. What waits goes on waiting, but for cancels (rule 3)."""
        first, self._in_doubt = not self._in_doubt, why
        self._judge()
        with self._lock:
            waiting = list(self._outbox) if first else []
        for taken in waiting:
            for effect in taken.effects:
                if isinstance(effect, Send) and isinstance(effect.command, Cancel):
                    self._perform(effect)

    # --- a journal that cannot be written ---------------------------------------------------------------------------------

    def _judge(self) -> None:
        """Say once that the journal fails, and once that it does not any more."""
        with self._judging:
            why = self._in_doubt or self._broken or self._journal.starved
            if bool(why) == bool(self.failing):
                return
            text = f"the journal cannot be written, so no new orders are taken: {why}" if why else "the journal can be written again"
            self.failing = why
        self._observer(Tick(), [Alert(text)])

    def _unwritten(self, event: Input, failed: Unwritten) -> list[Effect]:
        """What can be done about an input that is not in the journal."""
        match event:
            case CancelOrder():
                return self._passed_on(event, failed)
            case MassCancel() | CancelOrders():
                count = self._passed_on_all(event)
                raise Unwritten(f"{failed}; {count} cancels were passed on unrecorded, and their outcome will be reported") from failed
            case _:
                raise failed

    def _passed_on(self, request: CancelOrder, failed: Unwritten) -> list[Effect]:
        with self._lock:
            state = self.engine.state
            order = named(state, request.session, request.orig_cl_ord_id, request.order_id)
            if order is None or order.done or not order.leg.accepted or not sendable(state, order):
                raise failed
            names = (order.order_id, order.venue_cl_ord_id, order.venue_order_id, order.venue, order.venue_symbol)
            send = Send(order.link, Cancel(*names))
            went = not self._perform(send)
            became = (
                f"passed to {order.destination} unrecorded; its outcome will be reported" if went else "not passed on: the link is down"
            )
            now = self._last_time = self._now()
            text = f"the journal cannot be written ({failed}): the cancel was {became}"
            answer = cancel_reject(request, order, CxlRejReason.BROKER_OPTION, text, now)
            self._clients.report(answer)
            effects: list[Effect] = [send, answer]
            self._observer(request, effects)
            return effects

    def _passed_on_all(self, event: MassCancel | CancelOrders) -> int:
        """Send the cancels that this would lead to, found out on a copy of the book; ours stays as the journal has it. Slow, and rare."""
        with self._lock:
            copy = Engine()
            copy.state, _ = load(dump(self.engine.state, []))
            effects = copy.apply(event, self._now())
            cancels = [each for each in effects if isinstance(each, Send) and isinstance(each.command, Cancel)]
            return sum(not self._perform(each) for each in cancels)

    # --- what both share --------------------------------------------------------------------------------------------------

    def _is_idle(self, event: Stated) -> bool:
        with self._lock:
            return idle(self.engine.state, event)

    def _is_due(self) -> bool:
        with self._lock:
            return self.engine.due(self._now())

    def _forget(self) -> None:
        """Have what was over long ago forgotten, a little at a time."""
        now = self._clock()
        if self.keep_orders is None or now < self._forget_at:
            return
        before = now - self.keep_orders
        with self._lock:
            found = len(self.engine.state.blotter.over(before, _FORGET_AT_ONCE))
        done = not found or any(isinstance(each, Outcome) for each in self.step(Forget(before, _FORGET_AT_ONCE)))
        if found < _FORGET_AT_ONCE or not done:  # what failed by a fault of ours is not tried, and alerted of, four times a second
            self._forget_at = now + min(_FORGET_EVERY, self.keep_orders // 20)

    def _perform(self, effect: Effect) -> list[Input]:
        """Do one effect; returns what became of it where that is known at once."""
        if isinstance(effect, Send):
            try:
                self._venues[effect.link].submit(effect.command)
            except Unsendable as why:
                return [NotSent(order_id=effect.command.order_id, place=isinstance(effect.command, Place), text=str(why))]
            except Exception as fault:  # noqa: BLE001 - a fault of ours on the way out: whether it left is not known, so it is asked
                text = f"internal error, please report it: {fault!r}"
                self._observer(Tick(), [Alert(text, effect.command.order_id)])
                return [Unanswered(order_id=effect.command.order_id, text=text)]
        elif not isinstance(effect, Alert | Outcome):
            self._clients.report(effect)
        return []

    def _identified(self, request: NewOrder | ReplaceOrder, now: int) -> NewOrder | ReplaceOrder:
        """Give what may become an order at a venue its id there before it is journaled, so that replay gives it the same."""
        if self._journal.starved:
            raise Unwritten(self._journal.starved)
        state = self.engine.state
        if isinstance(request, ReplaceOrder):
            order = named(state, request.session, request.orig_cl_ord_id, request.order_id)
            link = order.link if order is not None else ""
        else:
            outcome = routed(state, request, now)
            link = "" if isinstance(outcome, Refusal) else outcome[0].link
        return msgspec.structs.replace(request, venue_cl_ord_id=self._venues[link].mint(now)) if link in self._venues else request

    def _now(self) -> int:
        """The time, never twice the same and never back: order of inputs is order of times, whatever the clock does."""
        return max(self._clock(), self._last_time + 1)
