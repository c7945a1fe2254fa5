"""When somebody is to be woken: rules over the facts of a moment. Pure.

One alert for all orders that wait at one destination, not one for each: a venue that is silent is one thing to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from router.admin.alert_settings import AlertSettings, Day, HoursSettings
from router.admin.facts import Facts, OrdersAt, Waiting

__all__ = ["RULES", "Finding", "Level", "open_now"]

Level = Literal["info", "warning", "critical"]
_SECOND: Final = 1_000_000_000
_DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not well."""

    rule: str
    subject: str
    """What it is about; with the rule, its name."""
    level: Level
    text: str
    order_id: str = ""


Rule = Callable[[AlertSettings, Facts], Iterator[Finding]]


# --- the rules ----------------------------------------------------------------------------------------------------------


def _pending(settings: AlertSettings, facts: Facts) -> Iterator[Finding]:
    for name, tally in facts.book.by_destination.items():
        oldest = tally.oldest_pending
        if oldest is not None and _longer(facts, oldest.since, settings.pending_s):
            waits = f"{name or 'no destination yet'}: order {oldest.order_id} ({oldest.why}) waits since {_clock(oldest.since)}"
            yield Finding("order-pending", name, "warning", waits + _others(tally.pending, "wait"), oldest.order_id)


def _unknown(settings: AlertSettings, facts: Facts) -> Iterator[Finding]:
    for name, tally in facts.book.by_destination.items():
        oldest = tally.oldest_unknown
        if oldest is not None and _longer(facts, oldest.since, settings.unknown_s):
            yield Finding("order-unknown", name, "critical", _not_known(name, tally, oldest), oldest.order_id)


def _not_known(name: str, tally: OrdersAt, oldest: Waiting) -> str:
    state = f"{name}: the state of order {oldest.order_id} is not known since {_clock(oldest.since)} ({oldest.why})"
    return state + _others(tally.unknown, "are unknown")


def _down(settings: AlertSettings, facts: Facts) -> Iterator[Finding]:
    for each in facts.destinations:
        if not each.up and not each.off and _longer(facts, each.since, settings.destination_down_s):
            why = f": {each.why}" if each.why else ""
            open_orders = facts.book.by_destination.get(each.name, OrdersAt()).open
            text = f"{each.name} is not connected since {_clock(each.since)}{why}; {_orders(open_orders)} open there"
            yield Finding("destination-down", each.name, "critical", text)


def _reconciling(settings: AlertSettings, facts: Facts) -> Iterator[Finding]:
    for each in facts.destinations:
        if each.reconciling and _longer(facts, each.reconciling_since, settings.reconciling_s):
            text = f"{each.name} is asked about its open orders since {_clock(each.reconciling_since)}"
            yield Finding("reconciling", each.name, "warning", f"{text}; {_orders(each.reconciling)} still to be answered for")


def _skew(settings: AlertSettings, facts: Facts) -> Iterator[Finding]:
    for link, skew in facts.skews.items():
        if settings.clock_skew_s and abs(skew) > settings.clock_skew_s:
            text = f"the clock of {link} is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} ours"
            yield Finding("clock-skew", link, "warning", text)


def _budget(settings: AlertSettings, facts: Facts) -> Iterator[Finding]:
    for each in facts.budgets:
        name = f"{each.link} {each.group}"
        if not settings.budget_percent:
            return
        if each.closed_for_s > 0:
            yield Finding("budget-closed", name, "critical", f"{name}: the venue takes no requests for {each.closed_for_s:.0f} s more")
        elif each.used * 100 >= settings.budget_percent * each.requests:
            used = f"{name}: {each.used} of {each.requests} requests in {each.seconds:g} s are used; {each.reserve} of them are kept for"
            yield Finding("budget", name, "warning", f"{used} cancels and queries")


def _journal(_: AlertSettings, facts: Facts) -> Iterator[Finding]:
    if facts.journal.failing:
        text = f"the journal cannot be written, so no new orders are taken: {facts.journal.failing}"
        yield Finding("journal", "journal", "critical", text)


def _storm(settings: AlertSettings, facts: Facts) -> Iterator[Finding]:
    for session, count in facts.rejects.items():
        if settings.reject_storm and count >= settings.reject_storm:
            text = f"{session}: {count} rejects within {_seconds(settings.reject_storm_s)} s"
            yield Finding("reject-storm", session, "warning", text)


def _sessions(settings: AlertSettings, facts: Facts) -> Iterator[Finding]:
    for each in facts.sessions:
        hours = next((hours for hours in settings.hours if each.name in hours.sessions and open_now(hours, facts.now)), None)
        if hours is None or each.logged_on or not each.enabled:
            continue
        since = max(each.since or facts.started, _opened(hours, facts.now))
        if _longer(facts, since, settings.session_down_s):
            text = f"{each.name} is not logged on since {_clock(since)}, within its hours ({hours.opens} to {hours.closes} UTC)"
            yield Finding("session-down", each.name, "critical", text)


def _lag(settings: AlertSettings, facts: Facts) -> Iterator[Finding]:
    for name, lag in facts.loop_lags.items():
        if settings.loop_lag_s and lag > settings.loop_lag_s:
            yield Finding("loop-lag", name, "warning", f"the event loop of {name} is {lag:.1f} s late")


def _memory(settings: AlertSettings, facts: Facts) -> Iterator[Finding]:
    mib = facts.memory_bytes // (1 << 20)
    if settings.memory_mib and mib > settings.memory_mib:
        yield Finding("memory", "memory", "warning", f"the router uses {mib} MiB of memory, more than {settings.memory_mib}")


def _uncounted(_: AlertSettings, facts: Facts) -> Iterator[Finding]:
    if facts.dropped:
        text = f"{facts.dropped} inputs were not counted since the router started: operators see figures that are too low"
        yield Finding("watch", "watch", "warning", f"{text}; orders are not affected")


RULES: Final[tuple[Rule, ...]] = (
    _pending, _unknown, _down, _reconciling, _skew, _budget, _journal, _storm, _sessions, _lag, _memory, _uncounted,
)  # fmt: skip


# --- hours and words ----------------------------------------------------------------------------------------------------


def open_now(hours: HoursSettings, now: int) -> bool:
    """Whether a time, ns UTC, lies within them."""
    return _opened(hours, now) > 0


def _opened(hours: HoursSettings, now: int) -> int:
    """When the hours that a time lies in began, ns UTC; 0 where it lies in none."""
    moment = datetime.fromtimestamp(now // _SECOND, UTC)
    opens, closes = _minutes(hours.opens), _minutes(hours.closes)
    for day in (moment.replace(hour=0, minute=0, second=0), moment.replace(hour=0, minute=0, second=0) - timedelta(days=1)):
        begin = day + timedelta(minutes=opens)
        end = day + timedelta(minutes=closes, days=closes <= opens)
        if _DAYS[day.weekday()] in hours.days and begin <= moment < end:
            return int(begin.timestamp()) * _SECOND
    return 0


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _longer(facts: Facts, since: int, seconds: Decimal) -> bool:
    return bool(seconds) and facts.now - since >= _ns(seconds)


def _ns(seconds: Decimal) -> int:
    return int(seconds * _SECOND)


def _seconds(seconds: Decimal) -> str:
    return f"{seconds.normalize():f}"


def _clock(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // _SECOND, UTC):%H:%M:%S} UTC"


def _orders(count: int) -> str:
    return {0: "no orders", 1: "1 order"}.get(count, f"{count} orders")


def _others(count: int, what: str) -> str:
    return f"; {count} orders there {what}" if count > 1 else ""
