"""Everything the engine knows: the orders, the configuration in force, the links, and what it is waiting for. No behaviour of
its own beyond keeping that together; `requests`, `executions` and `questions` change it, and nothing else does."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from router.acts import Scope, Switch
from router.blotter import Blotter
from router.figures import Figures
from router.holdings import Holdings
from router.inquiries import TradingStatus
from router.model import Alert, Listed, VenueEvent
from router.order import Contradiction, Order
from router.policy import Policy
from router.references import References
from router.rulebook import Rulebook
from router.rules import Configured, Destination
from router.words import ZERO

__all__ = ["Halted", "Reconciling", "State", "Traded", "Watching", "askable", "barred", "contradiction", "halt_of", "sendable", "unsettled"]

_SECOND = 1_000_000_000


class Halted(msgspec.Struct, frozen=True, kw_only=True):
    """Who stopped something, why, and since when (ns UTC)."""

    by: str
    why: str
    since: int


class Reconciling(msgspec.Struct, kw_only=True):
    """A link that is up and whose open orders are being asked about: new orders do not go there yet."""

    since: int
    until: int
    """When it takes orders again in any case."""
    orders: set[str]
    """OrderIDs that are still to be answered."""


class Traded(msgspec.Struct, array_like=True):
    """What was executed, in the orders' units; of each side the quantity, and the sum of quantities times prices."""

    bought: Decimal = ZERO
    paid: Decimal = ZERO
    sold: Decimal = ZERO
    received: Decimal = ZERO


class Watching(msgspec.Struct):
    """One subscription to the states of destinations."""

    destination: str | None
    """None: all."""
    told: dict[str, tuple[TradingStatus, str]]
    """By destination: what was last said of it."""


class State:
    """The memory of one engine; rebuilt by replaying the journal."""

    def __init__(self) -> None:
        self.blotter = Blotter()
        self.policy = Policy(Configured())
        self.up: set[str] = set()
        """Links that can carry orders."""
        self.due: dict[str, int] = {}
        """By OrderID: when to worry about an order that waits for the venue, or for its link."""
        self.unnamed: dict[str, deque[str]] = {}
        """By account: orders to ask about whose id at the venue we never learned; the first one's question is under way.
        Their answers can be told apart only one at a time."""
        self.owed: dict[str, deque[str]] = {}
        """By account: OrderIDs of such questions that were sent and not answered, oldest first; a link's answers come in this order."""
        self.expires: dict[str, int] = {}
        """By OrderID: when the router ends an order by its own clock."""
        self.away: dict[str, int] = {}
        """By client session that is gone: when its orders are to be canceled."""
        self.remembered: dict[str, dict[str, str]] = {}
        """By link: what its protocol wants back after a restart."""
        self.listed: dict[str, Listed] = {}
        """By link: the instruments as the venue last told them; they outlive a restart."""
        self.halted: dict[tuple[Scope, str], Halted] = {}
        """Scopes that take no new orders, by operators' acts."""
        self.barred: dict[str, str] = {}
        """By link: why its account may not trade, by the venue's word."""
        self.stopping = False
        """Whether this life of the router is about to end."""
        self.off: dict[tuple[Switch, str], Halted] = {}
        """Links and sessions that operators switched off."""
        self.reconciling: dict[str, Reconciling] = {}
        """By link."""
        self.sweep_at = 0
        """When to look for open orders that have not been heard of for long; 0: when the first order is open."""
        self.serial = 0
        """How many orders there have been."""
        self.released: list[VenueEvent] = []
        """Parked events whose order has just become known: to be applied next."""
        self.positions: dict[tuple[str, str, str, str], Traded] = {}
        """By session, account ("" for none), destination and symbol: what went through the router."""
        self.counted: dict[str, tuple[Decimal, Decimal]] = {}
        """By OrderID: CumQty and its value, as they are in `positions`."""
        self.watching: dict[str, dict[str, Watching]] = {}
        """By session and request id: who wants to hear how destinations stand."""
        self.figures = Figures()
        """What limits are judged by."""
        self.held: Holdings = {}
        """What accounts at venues hold."""
        self.references: References = {}
        """Prices as venues told them."""
        self.rulebook = Rulebook(self.policy.configured)
        """The limits in force."""
        self._second = -1
        self._stamp = ""

    def order_id(self, now: int) -> str:
        """The next OrderID(37): the second it came, and its number. Unique, and readable over a telephone."""
        second = now // _SECOND
        if second != self._second:
            self._second = second
            self._stamp = datetime.fromtimestamp(second, UTC).strftime("%y%m%d%H%M%S")
        self.serial += 1
        return f"{self._stamp}-{self.serial}"

    def wait(self, order: Order, now: int) -> None:
        """Expect word of an order within the answer timeout, longer at each question that got none."""
        self.due[order.order_id] = now + self.policy.configured.answer_timeout * 2 ** min(order.queries, 4)

    def rest(self, order: Order) -> None:
        """Expect nothing in particular."""
        self.due.pop(order.order_id, None)


def contradiction(event: VenueEvent, order: Order | None, wrong: Contradiction) -> Alert:
    """The venue contradicts itself: nothing changed, somebody should look."""
    if order is None:
        return Alert(f"{event.account}: {wrong}; ignored")
    return Alert(f"{order.destination}: {wrong}; ignored", order.order_id)


def sendable(state: State, order: Order) -> bool:
    """True when a command about this order can go out now."""
    return order.link in state.up and bool(order.placed)


def halt_of(state: State, session: str, account: str | None, destination: str) -> str:
    """Why new orders are not taken from this session or account, or for this destination; "" when they are."""
    if state.stopping:
        return "the router is stopping"
    if not state.halted:
        return ""
    scopes = ((Scope.ALL, ""), (Scope.SESSION, session), (Scope.ACCOUNT, account or ""), (Scope.DESTINATION, destination))
    for scope in scopes:
        halted = state.halted.get(scope)
        if halted is not None:
            what = "trading" if scope[0] is Scope.ALL else f"{scope[0]} {scope[1]}"
            return f"{what} is halted by the operator: {halted.why}"
    return ""


def unsettled(state: State) -> int:
    """How many live orders wait for an answer that may still come: not yet acknowledged, or with a request under way, on a link that is
    up."""
    waiting = (each for each in state.blotter.live.values() if each.link in state.up and each.placed and not each.done)
    return sum(1 for each in waiting if each.pending is not None or not each.leg.accepted)


def barred(state: State, destination: Destination) -> str:
    """Why a destination's account takes no new orders, by configuration or by the venue's word; "" where it does."""
    return destination.closed or state.barred.get(destination.link, "") or state.barred.get(destination.witness, "")


def askable(state: State, order: Order) -> str:
    """The link on which the venue can be asked about this order now: its witness's, which knows more, else its own; "" for none."""
    if not order.placed:
        return ""
    return next((link for link in (order.witness, order.link) if link in state.up), "")
