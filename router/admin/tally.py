"""How many orders there are of each kind: counted little by little, so that trading does not notice."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from router.admin.needs import Core
from router.order import Order
from router.state import State
from router.words import OrdStatus

__all__ = ["BREATH_S", "Count", "Tally", "count", "gently"]

_SLICE: Final = 64
BREATH_S: Final = 0.001
"""Between slices: the trading threads go first."""
_T = TypeVar("_T")


async def gently(things: Iterable[_T], size: int = _SLICE) -> AsyncIterator[_T]:
    """The things, with a breath after each `size` of them, in which other threads and tasks go on."""
    for number, each in enumerate(things, start=1):
        yield each
        if not number % size:
            await asyncio.sleep(BREATH_S)


@dataclass(slots=True)
class Count:
    """Orders of one session or destination, or of all."""

    open: int = 0
    unknown: int = 0
    pending: int = 0


@dataclass(slots=True)
class Tally:
    """The live orders, counted. An order that changes meanwhile counts as before or as after."""

    everywhere: Count = field(default_factory=Count)
    sessions: defaultdict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    destinations: defaultdict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    oldest_pending: int = 0
    """Since when the longest has been waiting, ns UTC; 0: none is."""


async def count(core: Core) -> Tally:
    """Count what is live."""
    with core.reading():
        live = list(core.engine.state.blotter.live.values())
    tally = Tally()
    async for order in gently(live):
        _take(tally, core.engine.state, order)
    return tally


def _take(tally: Tally, state: State, order: Order) -> None:
    waits = order.pending is not None or order.base is OrdStatus.PENDING_NEW
    for each in (tally.everywhere, tally.sessions[order.request.session], tally.destinations[order.destination]):
        each.open += not order.done
        each.unknown += bool(order.doubt)
        each.pending += waits
    if waits:
        since = _waiting_since(state, order)
        tally.oldest_pending = min(tally.oldest_pending or since, since)


def _waiting_since(state: State, order: Order) -> int:
    """Since when a venue's answer is awaited: for a request about an order, since it was sent or last asked about."""
    if order.base is OrdStatus.PENDING_NEW:
        return order.created
    due = state.due.get(order.order_id)
    return order.updated if due is None else due - state.policy.configured.answer_timeout * 2 ** min(order.queries, 4)
