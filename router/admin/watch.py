"""What happened, counted and kept for operators: told everything by the runtime's observer, digested on the admin's side.

The trading path pays for one append. Counts are plain dictionaries, rows are made when somebody asks. A value that a client wrote
becomes a metric's label only when the configuration knows it, so there are never more labels than the configuration has names.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from router.admin.contract import FillRow, Latency, RejectRow
from router.admin.facts import CoreAlert
from router.admin.latency import Latencies
from router.admin.needs import Figures, Totals
from router.admin.rows import MessageRefused, Newest, Refused, Seen, fill_row, recovered_fills, reject_kind, reject_row
from router.engine import Engine
from router.model import (
    Accepted,
    Alert,
    CancelReject,
    Effect,
    ExecutionReport,
    Filled,
    Input,
    LinkDown,
    LinkUp,
    MassCancelReport,
    NewOrder,
    Place,
    Rejected,
    Send,
)
from router.ports import Clock
from router.rules import Configured
from router.words import NONE, ExecType, OrdRejReason, OrdStatus

__all__ = ["LinkState", "StageClock", "Watch"]

KEPT: Final = 10_000
BACKLOG_AT_MOST: Final = 100_000
_ORDERS_AT_MOST: Final = 50_000
_FILLS: Final = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})
_ENDS: Final = {
    ExecType.CANCELED: "canceled", ExecType.EXPIRED: "expired", ExecType.REJECTED: "rejected", ExecType.DONE_FOR_DAY: "done-for-day",
}  # fmt: skip


class StageClock:
    """What the trading path measured of itself. `took` may be called from any thread; it costs an append."""

    def __init__(self) -> None:
        self._taken: deque[tuple[str, int]] = deque(maxlen=BACKLOG_AT_MOST)

    def took(self, stage: str, ns: int) -> None:
        """A stage took so long."""
        self._taken.append((stage, ns))

    def __len__(self) -> int:
        return len(self._taken)

    def take(self, at_most: int) -> list[tuple[str, int]]:
        """What was measured and not taken before."""
        return [self._taken.popleft() for _ in range(min(at_most, len(self._taken)))]


@dataclass(frozen=True, slots=True)
class LinkState:
    """A link to a venue, as its events told."""

    up: bool
    since: int
    """ns UTC."""
    why: str = ""


class Watch:
    """Counts and rings. `observe` is for the trading path; `digest` for one thread of the admin's; all else for any."""

    def __init__(self, clock: Clock, stages: StageClock | None = None, kept: int = KEPT) -> None:
        """`stages`: what the runtime measures, where that is switched on. `kept`: how many fills and rejects."""
        self._clock = clock
        self._stages = stages
        self._work: deque[tuple[int, Input | MessageRefused, list[Effect]]] = deque()
        self._lock = threading.Lock()  # between digesting and asking; the trading path never takes it
        self.dropped = 0
        """Inputs that were not even kept: nobody digests, or more come than can be digested."""
        self.orders: Counter[tuple[str, str]] = Counter()
        """New orders by session and destination."""
        self.ends: Counter[tuple[str, str, str]] = Counter()
        """Orders that are over, by session, destination and how: filled, canceled, expired, rejected, done-for-day."""
        self.reports: Counter[tuple[str, str, str]] = Counter()
        """Messages to clients by session, destination and ExecType, cancel-reject or mass-cancel-report."""
        self.refused: Counter[tuple[str, str, str, str]] = Counter()
        """Rejects by session, destination, kind (order, cancel, replace, message) and reason."""
        self.commands: Counter[tuple[str, str]] = Counter()
        """What was sent to venues, by link and kind."""
        self.inputs: Counter[str] = Counter()
        """By kind."""
        self.said = 0
        """Alerts of the core."""
        self._recovered = Totals()
        self._latencies = Latencies()
        self._fills: deque[Seen] = deque(maxlen=kept)
        self._rejects: deque[Refused] = deque(maxlen=kept)
        self._alerts: deque[CoreAlert] = deque(maxlen=1000)
        self._links: dict[str, LinkState] = {}
        self._destinations: frozenset[str] = frozenset()
        self._names: dict[tuple[str, str], str] = {}
        self._placed: dict[str, int] = {}
        self._ended: dict[str, None] = {}

    # --- from the trading path --------------------------------------------------------------------------------------------

    def observe(self, event: Input, effects: list[Effect]) -> None:
        """Take note of an input and what followed; the runtime's observer. Never blocks."""
        if len(self._work) < BACKLOG_AT_MOST:
            self._work.append((self._clock(), event, effects))
        else:
            self.dropped += 1

    def message_refused(self, session: str, text: str, reference: str = "") -> None:
        """A client's message was answered with Reject(3) or BusinessMessageReject(j). From any thread; never blocks."""
        if len(self._work) < BACKLOG_AT_MOST:
            self._work.append((self._clock(), MessageRefused(session, text, reference), []))

    # --- before the first input -------------------------------------------------------------------------------------------

    def seed(self, engine: Engine) -> None:
        """Take in what was recovered: it passed no observer. The newest fills come back without their times of day: the book knows only
        when each order last changed."""
        orders = engine.state.blotter.orders
        self._learn(engine.state.policy.configured)
        self._recovered = Totals(
            fills=sum(len(each.executions) for each in orders.values()),
            rejects=sum(1 for each in orders.values() if each.base is OrdStatus.REJECTED),
        )
        rows = (row for order in reversed(orders.values()) for row in reversed(recovered_fills(order)))
        newest = list(islice(rows, self._fills.maxlen))
        newest.reverse()
        newest.sort(key=lambda row: row.time)
        self._fills.extend(newest)

    # --- on the admin's side ----------------------------------------------------------------------------------------------

    @property
    def backlog(self) -> int:
        """Inputs that wait to be digested."""
        return len(self._work)

    def digest(self, at_most: int = 64) -> int:
        """Count a slice of what happened. Returns how much is left."""
        with self._lock:
            for _ in range(min(at_most, len(self._work))):
                time, event, effects = self._work.popleft()
                self._count(time, event, effects)
            if self._stages is not None:
                now = self._clock()
                for stage, ns in self._stages.take(at_most * 8):
                    self._latencies.took(stage, ns, now)
        return len(self._work) + (len(self._stages) if self._stages is not None else 0)

    def fills(self) -> Sequence[FillRow]:
        """The newest first; each is made when it is looked at."""
        with self._lock:
            return Newest(list(self._fills), fill_row)

    def rejects(self) -> Sequence[RejectRow]:
        """The newest first; each is made when it is looked at."""
        with self._lock:
            return Newest(list(self._rejects), reject_row)

    def latency(self) -> list[Latency]:
        """Of the last five minutes."""
        with self._lock:
            return self._latencies.rows(self._clock())

    def histogram(self, stage: str) -> tuple[list[int], float]:
        """Of the whole life of the process (`Latencies.histogram`)."""
        with self._lock:
            return self._latencies.histogram(stage)

    def totals(self) -> Totals:
        """Fills and rejects, those of the recovered book included."""
        with self._lock:
            fills = sum(count for (_, _, outcome), count in self.reports.items() if outcome == ExecType.TRADE)
            return Totals(self._recovered.fills + fills, self._recovered.rejects + self.refused.total())

    def figures(self, session: str) -> Figures:
        """Of one session, since the process began."""
        with self._lock:
            return Figures(*(_of(session, counter) for counter in (self.orders, self.reports, self.refused)))

    def link(self, name: str) -> LinkState | None:
        """When a link last came or went, and why; None: it has done neither."""
        return self._links.get(name)

    def rejects_since(self, time: int) -> dict[str, int]:
        """By session: how many rejects there were after a time, ns UTC."""
        found: Counter[str] = Counter()
        with self._lock:
            for each in reversed(self._rejects):
                session, when = (each[0].session, each[1]) if isinstance(each, tuple) else (each.session, each.time)
                if when <= time:
                    break
                found[session] += 1
        return dict(found)

    def take_alerts(self) -> tuple[CoreAlert, ...]:
        """What the core said since this was last asked."""
        with self._lock:
            said = tuple(self._alerts)
            self._alerts.clear()
        return said

    # --- counting ---------------------------------------------------------------------------------------------------------

    def _count(self, time: int, event: Input | MessageRefused, effects: list[Effect]) -> None:
        kind = type(event)
        if kind is MessageRefused:
            self._message(time, event)
            return
        self.inputs[kind.__name__] += 1
        answered = kind is Accepted or kind is Filled or kind is Rejected
        for effect in effects:
            count = _EFFECTS.get(type(effect))
            if count is not None:
                count(self, time, effect, answered)
        if kind is NewOrder:
            self._new_order(event, effects)
        elif (circumstance := _CIRCUMSTANCES.get(kind)) is not None:
            circumstance(self, time, event)
        if any(type(each) is Alert for each in effects):
            self._alert(time, effects)

    def _new_order(self, event: Any, effects: list[Effect]) -> None:
        destination = event.destination
        for effect in effects:
            if type(effect) is Send and type(effect.command) is Place:
                destination = self._names.get((effect.link, effect.command.venue), effect.command.venue)
            elif type(effect) is ExecutionReport:
                destination = effect.destination
        self.orders[event.session, self._known(destination)] += 1

    def _report(self, _: int, report: ExecutionReport, answered: bool) -> None:
        exec_type, session, destination = report.exec_type, report.session, self._known(report.destination)
        self.reports[session, destination, exec_type.value] += 1
        if exec_type in _FILLS:
            self._fills.append(report)
        end = _ENDS.get(exec_type) or ("filled" if _fills_up(report) else "")
        if end:
            self._end(report, (session, destination, end))
        if exec_type is ExecType.REJECTED:
            self._rejects.append(report)
            self.refused[session, destination, "order", report.ord_rej_reason.value if report.ord_rej_reason else "other"] += 1
        placed = self._placed.pop(report.order_id, None) if answered or end else None
        if placed is not None and answered:
            self._latencies.took("venue answer", report.time - placed, report.time)

    def _end(self, report: ExecutionReport, how: tuple[str, str, str]) -> None:
        """An order is over once, whatever its venue executes afterwards."""
        if report.ord_rej_reason is OrdRejReason.DUPLICATE_ORDER or report.order_id == NONE:
            self.ends[how] += 1  # it speaks of another order, or of none
        elif report.order_id not in self._ended:
            self.ends[how] += 1
            self._ended[report.order_id] = None
            if len(self._ended) > _ORDERS_AT_MOST:
                del self._ended[next(iter(self._ended))]

    def _cancel_reject(self, _: int, reject: CancelReject, __: bool) -> None:
        destination = self._known(reject.destination)
        self.reports[reject.session, destination, "cancel-reject"] += 1
        self.refused[reject.session, destination, reject_kind(reject), reject.reason.value] += 1
        self._rejects.append(reject)

    def _mass_cancel_report(self, _: int, report: MassCancelReport, __: bool) -> None:
        self.reports[report.session, "none", "mass-cancel-report"] += 1

    def _send(self, _: int, send: Send, __: bool) -> None:
        command = send.command
        self.commands[send.link, type(command).__name__.lower()] += 1
        if type(command) is Place:
            self._placed[command.order_id] = command.time
            if len(self._placed) > _ORDERS_AT_MOST:
                del self._placed[next(iter(self._placed))]

    def _alert(self, time: int, effects: Iterable[Effect]) -> None:
        over = {each.order_id for each in effects if type(each) is ExecutionReport and _overfills(each)}
        for effect in effects:
            if type(effect) is Alert:
                self.said += 1
                self._alerts.append(CoreAlert(time, effect.text, effect.order_id, bool(effect.order_id) and effect.order_id in over))

    def _message(self, time: int, message: Any) -> None:
        self.refused[message.session, "none", "message", "other"] += 1
        self._rejects.append((message, time))

    def _link_up(self, time: int, event: LinkUp) -> None:
        known = self._links.get(event.link)
        if known is None or not known.up:
            self._links[event.link] = LinkState(True, time)

    def _link_down(self, time: int, event: LinkDown) -> None:
        known = self._links.get(event.link)
        since = time if known is None or known.up else known.since
        self._links[event.link] = LinkState(False, since, event.text)

    def _configured(self, _: int, event: Configured) -> None:
        self._learn(event)

    def _learn(self, configured: Configured) -> None:
        self._names = {(each.link, each.venue): each.name for each in configured.destinations}
        self._destinations = frozenset(each.name for each in configured.destinations)

    def _known(self, destination: str | None) -> str:
        """A destination as a label."""
        if destination in self._destinations:
            return destination or ""
        return "other" if destination else "none"


_EFFECTS: Final[dict[type, Callable[[Watch, int, Any, bool], None]]] = {
    ExecutionReport: Watch._report,
    CancelReject: Watch._cancel_reject,
    MassCancelReport: Watch._mass_cancel_report,
    Send: Watch._send,
}
_CIRCUMSTANCES: Final[dict[type, Callable[[Watch, int, Any], None]]] = {
    LinkUp: Watch._link_up,
    LinkDown: Watch._link_down,
    Configured: Watch._configured,
}


def _of(session: str, counter: Counter[Any]) -> int:
    return sum(count for key, count in counter.items() if key[0] == session)


def _fills_up(report: ExecutionReport) -> bool:
    """Whether nothing is left after this execution; OrdStatus(39) may say PendingCancel then."""
    if report.exec_type is not ExecType.TRADE:
        return False
    return report.ord_status is OrdStatus.FILLED if report.order_qty is None else report.cum_qty >= report.order_qty


def _overfills(report: ExecutionReport) -> bool:
    return report.exec_type is ExecType.TRADE and report.order_qty is not None and report.cum_qty > report.order_qty
