"""A plan: what an act would do, and how; and the desk that plans look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from router.admin.book import Book
from router.admin.needs import Core, Wiring
from router.admin.problems import Refusal
from router.admin.rims import Links, Sessions
from router.admin.views import number
from router.model import Input, Outcome
from router.order import Order
from router.rules import Destination

__all__ = ["Desk", "Did", "Plan", "counted", "lines"]

_LINES_AT_MOST: Final = 50
Did = tuple[bool, str]
"""Whether it was done, and what to say."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an act would do."""

    text: str
    """"would cancel 3 open orders"; of one that is refused, why."""
    do: Callable[[], Did] | None = None
    """None: it is refused."""
    details: list[str] = field(default_factory=list)
    ends: bool = False
    """Nothing can be journaled after it, so it is journaled before."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What plans look at and act on."""

    core: Core
    book: Book
    sessions: Sessions
    links: Links
    wiring: Wiring

    def step(self, act: Input) -> Callable[[], Did]:
        """To do: an input of the core, whose answer is its `Outcome`."""

        def do() -> Did:
            for effect in self.core.step(act):
                if isinstance(effect, Outcome):
                    return effect.ok, effect.text
            return True, "done"

        return do

    def order(self, name: str) -> Order:
        """The one order with this id. Raises `Refusal`: 404 with ids like it, 409 with the OrderIDs of several."""
        found = self.book.find(name)
        if not found:
            raise Refusal(404, f"there is no order {name[:200]}", candidates=self.book.near(name[:200]))
        if len(found) > 1:
            raise Refusal(409, f"{len(found)} orders have the id {name[:200]}", candidates=[each.order_id for each in found])
        return found[0]

    def line(self, order: Order) -> str:
        """An order in a line."""
        with self.core.reading():
            request = order.request
            qty = number(request.order_qty) or f"{number(request.cash_order_qty)} (cash)"
            price = f" @ {number(request.price)}" if request.price is not None else ""
            stands = f"{order.ord_status}, {number(order.cum_qty)} executed" + (f"; unknown: {order.doubt}" if order.doubt else "")
            symbol, where = order.symbol or request.symbol, order.destination or "nowhere"
            return f"{order.order_id} ({order.cl_ord_id}) {request.side} {qty} {symbol}{price} at {where}: {stands}"

    def destination(self, name: str) -> Destination:
        """A destination that is known to be one."""
        with self.core.reading():
            return self.core.engine.state.policy.destinations[name.upper()]


def lines(desk: Desk, orders: list[Order]) -> list[str]:
    counts = Counter(order.destination or "nowhere" for order in orders)
    told = [f"{count} at {where}" for where, count in sorted(counts.items())] if len(counts) > 1 else []
    told += [desk.line(order) for order in orders[:_LINES_AT_MOST]]
    more = len(orders) - _LINES_AT_MOST
    return [*told, f"and {more} more"] if more > 0 else told


def counted(count: int) -> str:
    return f"{count} open order{'s' * (count != 1)}"
