"""The stream of events: what the runtime did, worded for everybody who listens.

The trading path appends to a heap, and only while somebody listens. A task on the admin loop words it, little by little, some times a
second; a listener that falls behind loses what it had waiting and is told so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from router.admin.contract import Destination, Event, SessionRow
from router.admin.glance import Glance
from router.admin.needs import Core
from router.admin.rows import fill_row, reject_row
from router.admin.tally import BREATH_S
from router.admin.views import order_row
from router.model import (
    CancelReject,
    ClientDown,
    ClientUp,
    Effect,
    ExecutionReport,
    Input,
    LinkDown,
    LinkUp,
    Send,
)
from router.words import ExecType

__all__ = ["Feed", "Listener"]

_EVERY_S: Final = 0.05
_STATUS_S: Final = 1.0
_SLICE: Final = 32
_BACKLOG_AT_MOST: Final = 20_000
_WAITING_AT_MOST: Final = 1_000
_FILLS: Final = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})
_LAGGED: Final = Event(kind="lagged").model_dump_json(exclude_none=True)


class Listener:
    """One client's messages that wait to be sent."""

    def __init__(self, most: int = _WAITING_AT_MOST) -> None:
        self._waiting: deque[str] = deque()
        self._most = most
        self._some = asyncio.Event()

    def offer(self, text: str) -> None:
        """Give it a message; if too many are waiting, it gets none of them, and `lagged`."""
        if len(self._waiting) >= self._most:
            self.lag()
            return
        self._waiting.append(text)
        self._some.set()

    def lag(self) -> None:
        """Drop what is waiting and say so."""
        self._waiting.clear()
        self._waiting.append(_LAGGED)
        self._some.set()

    async def next(self) -> str:
        """The next message, when there is one."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        return self._waiting.popleft()


class Feed:
    """From the runtime to the listeners. `observe` and `publish` may be called from any thread; the rest on the admin loop."""

    def __init__(self, core: Core, glance: Glance) -> None:
        self._core = core
        self._glance = glance
        self._work: deque[tuple[Input, list[Effect]] | Event] = deque()
        self._spilled = False
        self._listeners: set[Listener] = set()
        self._rows: dict[str, SessionRow | Destination] = {}
        self.stopping = False

    def observe(self, event: Input, effects: list[Effect]) -> None:
        """Take note of an input and what followed; never blocks."""
        if self._listeners:
            if len(self._work) < _BACKLOG_AT_MOST:
                self._work.append((event, effects))
            else:
                self._spilled = True

    def publish(self, event: Event) -> None:
        """Tell all listeners; never blocks."""
        if self._listeners:
            self._work.append(event)

    def __len__(self) -> int:
        return len(self._listeners)

    def join(self) -> Listener:
        """One more listener, from now on."""
        listener = Listener()
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """No more for this one."""
        self._listeners.discard(listener)

    async def run(self) -> None:
        """Until canceled."""
        loop = asyncio.get_running_loop()
        next_status = loop.time()
        while True:
            await self.digest()
            if loop.time() >= next_status:
                next_status = loop.time() + _STATUS_S
                await self.tell_status()
            await asyncio.sleep(_EVERY_S)

    async def tell_status(self) -> None:
        """How everything stands, and the sessions and destinations that changed."""
        if not self._listeners:
            self._rows.clear()
            return
        self._say(Event(kind="status", status=await self._glance.status(self.stopping)))
        await self._changes()

    async def digest(self) -> None:
        """Word what happened since the last time."""
        if self._spilled:
            self._spilled = False
            self._work.clear()
            for listener in self._listeners:
                listener.lag()
        orders: dict[str, None] = {}
        circumstances = False
        while self._work and self._listeners:
            for _ in range(min(_SLICE, len(self._work))):
                circumstances |= self._take(self._work.popleft(), orders)
            await asyncio.sleep(BREATH_S)
            await self._orders(orders)
        if circumstances:
            await self._changes()

    def _take(self, work: tuple[Input, list[Effect]] | Event, orders: dict[str, None]) -> bool:
        """Say what can be said at once, and note the orders; returns whether a session or a link changed."""
        if isinstance(work, Event):
            self._say(work)
            return False
        event, effects = work
        for effect in effects:
            # Not every effect is about an order.
            order_id = getattr(effect.command if isinstance(effect, Send) else effect, "order_id", "")
            if order_id:
                orders[order_id] = None
            if isinstance(effect, ExecutionReport) and effect.exec_type in _FILLS:
                self._say(Event(kind="fill", fill=fill_row(effect)))
            elif isinstance(effect, CancelReject) or (isinstance(effect, ExecutionReport) and effect.exec_type is ExecType.REJECTED):
                self._say(Event(kind="reject", reject=reject_row(effect)))
        return isinstance(event, LinkUp | LinkDown | ClientUp | ClientDown)

    async def _orders(self, orders: dict[str, None]) -> None:
        for order_id in orders:
            with self._core.reading():
                order = self._core.engine.state.blotter.orders.get(order_id)
                row = None if order is None else order_row(order)
            if row is not None:
                self._say(Event(kind="order", order=row))
        orders.clear()

    async def _changes(self) -> None:
        for session in await self._glance.sessions():
            if self._rows.get(f"session {session.name}") != session:
                self._rows[f"session {session.name}"] = session
                self._say(Event(kind="session", session=session))
        for venue in await self._glance.destinations():
            if self._rows.get(f"venue {venue.name}") != venue:
                self._rows[f"venue {venue.name}"] = venue
                self._say(Event(kind="venue", venue=venue))

    def _say(self, event: Event) -> None:
        text = event.model_dump_json(exclude_none=True)
        for listener in self._listeners:
            listener.offer(text)
