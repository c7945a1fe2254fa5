"""/metrics: what Prometheus reads. Every name begins with `fixrouter_`, but for the process's own, which have the names everybody uses.

Labels are names of the configuration and words of the program, never ids and nothing that a client wrote. Made from the facts of the last
second and the watch's counts: a scrape takes no lock of the trading path and looks at no order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from router.admin.facts import Facts, OrdersAt
from router.admin.latency import BOUNDS_S, STAGES
from router.admin.watch import Watch

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECOND: Final = 1_000_000_000
_PREFIX: Final = "fixrouter_"
_Key = TypeVar("_Key", bound=tuple[str, ...])


class Metrics(Collector):
    """One router's metrics, in a registry of its own."""

    def __init__(self, watch: Watch, facts: Callable[[], Facts | None], alerts: Callable[[], Mapping[str, int]], version: str) -> None:
        """`facts`: the last that were gathered. `alerts`: how many are active, by rule."""
        self._watch = watch
        self._facts = facts
        self._alerts = alerts
        self._version = version
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        self._registry.register(self)

    def render(self) -> bytes:
        """The answer to a scrape."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: what there is depends on the configuration."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric with its values now."""
        yield InfoMetricFamily(f"{_PREFIX}build", "The router's version.", {"version": self._version})
        yield from _counts(self._watch)
        yield from _latencies(self._watch)
        yield _family(GaugeMetricFamily, "alerts_active", "Alerts that are active.", ["rule"], _keyed(self._alerts()))
        facts = self._facts()
        if facts is not None:
            yield from _orders(facts)
            yield from _links(facts)
            yield from _budgets(facts)
            yield from _process(facts)


def _counts(watch: Watch) -> Iterator[Metric]:
    route = ["session", "destination"]
    yield _family(CounterMetricFamily, "orders", "New orders that clients sent.", route, watch.orders)
    yield _family(CounterMetricFamily, "orders_done", "Orders that are over, by how they ended.", [*route, "outcome"], watch.ends)
    yield _family(CounterMetricFamily, "reports", "Messages about orders to clients, by ExecType.", [*route, "outcome"], watch.reports)
    yield _family(CounterMetricFamily, "rejects", "Orders, requests and messages refused.", [*route, "kind", "reason"], watch.refused)
    yield _family(CounterMetricFamily, "venue_commands", "Commands sent to venues.", ["link", "command"], watch.commands)
    yield _family(CounterMetricFamily, "inputs", "Inputs of the core.", ["kind"], _keyed(watch.inputs))
    yield _family(CounterMetricFamily, "core_alerts", "Alerts that the core gave by itself.", [], {(): watch.said})
    yield _family(CounterMetricFamily, "observer_dropped", "Inputs that were handled but never counted here.", [], {(): watch.dropped})


def _latencies(watch: Watch) -> Iterator[Metric]:
    text = "What a stage of an order takes. All but the venue's answer need [metrics] stages = true."
    family = HistogramMetricFamily(f"{_PREFIX}stage_seconds", text, labels=["stage"])
    for stage in STAGES:
        counts, total = watch.histogram(stage)
        if any(counts):
            sums = [sum(counts[: number + 1]) for number in range(len(counts))]
            ends = [*(f"{each:g}" for each in BOUNDS_S), "+Inf"]
            family.add_metric([stage], list(zip(ends, sums, strict=True)), total)
    yield family


def _orders(facts: Facts) -> Iterator[Metric]:
    at = {(name or "none",): tally for name, tally in facts.book.by_destination.items()}
    for each in facts.destinations:
        at.setdefault((each.name,), OrdersAt())
    now = facts.now
    yield _gauge("open_orders", "Orders that are not done.", ["destination"], {key: each.open for key, each in at.items()})
    unknown = {key: each.unknown for key, each in at.items()}
    yield _gauge("unknown_orders", "Orders whose state at the venue is not known.", ["destination"], unknown)
    pending = {key: each.pending for key, each in at.items()}
    yield _gauge("pending_orders", "Orders that wait for their venue's answer.", ["destination"], pending)
    ages = {key: _age(now, each.oldest_unknown.since) if each.oldest_unknown else 0.0 for key, each in at.items()}
    yield _gauge("unknown_oldest_seconds", "For how long the oldest of the unknown orders is.", ["destination"], ages)
    ages = {key: _age(now, each.oldest_pending.since) if each.oldest_pending else 0.0 for key, each in at.items()}
    yield _gauge("pending_oldest_seconds", "For how long the oldest waits.", ["destination"], ages)
    by_session = _keyed(facts.book.open_by_session)
    yield _gauge("session_open_orders", "Orders of a client session that are not done.", ["session"], by_session)


def _links(facts: Facts) -> Iterator[Metric]:
    ups = {(each.name, each.kind): float(each.logged_on) for each in facts.sessions}
    yield _gauge("session_up", "1 while a FIX session is logged on.", ["session", "kind"], ups)
    links = {(each.name, each.link): float(each.up) for each in facts.destinations}
    yield _gauge("destination_up", "1 while a destination's link can carry orders.", ["destination", "link"], links)
    left = {(each.name,): each.reconciling for each in facts.destinations}
    yield _gauge("reconciling_orders", "Open orders that a destination has still to answer for.", ["destination"], left)
    yield _gauge("clock_skew_seconds", "A venue's clock minus ours.", ["link"], _keyed(facts.skews))


def _budgets(facts: Facts) -> Iterator[Metric]:
    labels = ["link", "group"]
    by_group = {(each.link, each.group): each for each in facts.budgets}
    yield _gauge("budget_used", "Requests counted in the venue's window.", labels, {key: each.used for key, each in by_group.items()})
    yield _gauge("budget_limit", "Requests that the venue allows in it.", labels, {key: each.requests for key, each in by_group.items()})
    yield _gauge("budget_reserve", "Those kept for cancels and queries.", labels, {key: each.reserve for key, each in by_group.items()})
    shut = {key: each.closed_for_s for key, each in by_group.items()}
    yield _gauge("budget_closed_seconds", "For how long the venue has asked us to wait.", labels, shut)


def _process(facts: Facts) -> Iterator[Metric]:
    journal = facts.journal
    yield _gauge("journal_bytes", "Size of the journal.", [], {(): journal.bytes})
    yield _gauge("journal_failing", "1 while nothing can be written to the journal.", [], {(): float(bool(journal.failing))})
    yield _family(CounterMetricFamily, "journal_records", "Sequence number of the last record.", [], {(): journal.sequence})
    yield _gauge("observer_backlog", "Inputs that were handled and are not counted here yet.", [], {(): facts.backlog})
    yield _gauge("loop_lag_seconds", "How late an event loop last came to its work.", ["loop"], _keyed(facts.loop_lags))
    yield _gauge("tick_age_seconds", "Since when the core's ticking thread has not gone round.", [], {(): _age(facts.now, facts.ticked)})
    yield _gauge("threads", "Threads of Python.", [], {(): facts.threads})
    yield _gauge("halts", "Halts by operators that are in force.", [], {(): facts.halts})
    yield _gauge("start_time_seconds", "When the router began to serve, seconds since 1970 UTC.", [], {(): facts.started / _SECOND})
    yield _family(CounterMetricFamily, "unauthorized", "Requests without a token that is good (401).", [], {(): facts.unauthorized})


def _keyed(values: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): value for name, value in list(values.items())}


def _gauge(name: str, text: str, labels: list[str], values: Mapping[_Key, float]) -> Metric:
    return _family(GaugeMetricFamily, name, text, labels, values)


def _family(
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily], name: str, text: str, labels: list[str],
    values: Mapping[_Key, float],
) -> Metric:  # fmt: skip
    family = kind(f"{_PREFIX}{name}", text, labels=labels)
    for key, value in list(values.items()):
        family.add_metric(list(key), float(value))
    return family


def _age(now: int, since: int) -> float:
    return max(now - since, 0) / _SECOND
