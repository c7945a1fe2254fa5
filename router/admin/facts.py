"""What is known about the router at one moment, gathered once a second: what alerts, health and metrics judge and tell. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from router.admin.needs import JournalState
from router.admin.rims import BudgetState, SessionState
from router.order import Order
from router.words import OrdStatus

__all__ = ["CoreAlert", "DestinationFacts", "Facts", "LiveOrders", "OrdersAt", "Survey", "Waiting", "iso"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that waits for its venue's word, or whose state there is not known."""

    order_id: str
    since: int
    """ns UTC; for a cancel, a replace and a doubt: when it was first noticed, to a second."""
    why: str


@dataclass(slots=True)
class OrdersAt:
    """Orders of one destination."""

    open: int = 0
    unknown: int = 0
    """Whose state at the venue is not known."""
    pending: int = 0
    """That, or whose cancel or replace, the venue has not answered; without those that are unknown."""
    oldest_unknown: Waiting | None = None
    oldest_pending: Waiting | None = None


@dataclass(frozen=True, slots=True)
class LiveOrders:
    """The live orders."""

    all: OrdersAt
    by_destination: Mapping[str, OrdersAt]
    """"" for orders that have none yet."""
    open_by_session: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DestinationFacts:
    """One destination and its link."""

    name: str
    link: str
    up: bool
    since: int
    """When its link last came or went, ns UTC."""
    why: str
    """Of a link that is down."""
    off: bool = False
    """Switched off by an operator."""
    reconciling: int = 0
    """Orders still to be answered for; 0: it is not being reconciled."""
    reconciling_since: int = 0


@dataclass(frozen=True, slots=True)
class CoreAlert:
    """What the core said by itself."""

    time: int
    text: str
    order_id: str = ""
    overfill: bool = False
    """It is about an order of which more was executed than was ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One moment. Times ns UTC, lags and skews in seconds."""

    now: int
    started: int
    """When this process began to serve."""
    ticked: int
    """When the core's ticking thread last went round."""
    book: LiveOrders
    journal: JournalState
    destinations: tuple[DestinationFacts, ...] = ()
    sessions: tuple[SessionState, ...] = ()
    budgets: tuple[BudgetState, ...] = ()
    skews: Mapping[str, float] = field(default_factory=dict)
    """By link: the venue's clock minus ours."""
    loop_lags: Mapping[str, float] = field(default_factory=dict)
    """By event loop: how late it last came to its work."""
    rejects: Mapping[str, int] = field(default_factory=dict)
    """By session: those of the last `reject_storm_s`."""
    said: tuple[CoreAlert, ...] = ()
    """By the core, since the facts before these."""
    halts: int = 0
    threads: int = 0
    memory_bytes: int = 0
    backlog: int = 0
    """Inputs that were handled and are not counted yet."""
    dropped: int = 0
    """Inputs that were never counted: more came than the watch could take."""
    unauthorized: int = 0


class Survey:
    """One look at the live orders, one at a time. The next look begins with `seen` of this one."""

    def __init__(self, now: int, seen: Mapping[tuple[str, str], int] | None = None) -> None:
        """`seen`: since when each order has been found waiting for what."""
        self._now = now
        self._before = seen or {}
        self.seen: dict[tuple[str, str], int] = {}
        self._all = OrdersAt()
        self._destinations: dict[str, OrdersAt] = {}
        self._sessions: dict[str, int] = {}

    def look(self, order: Order) -> None:
        """Count one order. It may change meanwhile: each of its fields is read once."""
        tallies = (self._all, self._destinations.setdefault(order.destination, OrdersAt()))
        if not order.done:
            session = order.request.session
            self._sessions[session] = self._sessions.get(session, 0) + 1
            for tally in tallies:
                tally.open += 1
        if doubt := order.doubt:
            waiting = Waiting(order.order_id, self._since(order.order_id, "unknown"), doubt)
            for tally in tallies:
                tally.unknown += 1
                tally.oldest_unknown = _older(tally.oldest_unknown, waiting)
        elif (found := self._pending(order)) is not None:
            for tally in tallies:
                tally.pending += 1
                tally.oldest_pending = _older(tally.oldest_pending, found)

    def book(self) -> LiveOrders:
        """What was found."""
        return LiveOrders(self._all, self._destinations, self._sessions)

    def _pending(self, order: Order) -> Waiting | None:
        pending = order.pending
        if pending is not None:
            request = pending.request.cl_ord_id if pending.request is not None else "the router's own"
            return Waiting(order.order_id, self._since(order.order_id, f"{pending.status} {request}"), pending.status.value)
        if order.base is OrdStatus.PENDING_NEW:
            return Waiting(order.order_id, order.placed or order.created, OrdStatus.PENDING_NEW.value)
        return None

    def _since(self, order_id: str, what: str) -> int:
        since = self._before.get((order_id, what), self._now)
        self.seen[order_id, what] = since
        return since


def _older(known: Waiting | None, found: Waiting) -> Waiting:
    return found if known is None or found.since < known.since else known


def iso(ns: int) -> str:
    """A time as the admin API writes it; "" for 0."""
    if not ns:
        return ""
    second, rest = divmod(ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z"
