"""Once a second: what is known about the router is gathered, alerts are judged, and who should know is told. Runs on the admin loop.

The trading path notices a copy of a few references under its lock, once a second. Everything else is done here in small slices, with a
breath after each. It satisfies `needs.Watch`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol

from router.acts import Switch
from router.admin import health
from router.admin.alert_settings import AlertSettings, HealthSettings
from router.admin.alerts import Alerts, spell
from router.admin.contract import AlertRow, FillRow, Latency, RejectRow
from router.admin.facts import DestinationFacts, Facts, Survey
from router.admin.metrics import CONTENT_TYPE, Metrics
from router.admin.needs import Figures, JournalState, Totals
from router.admin.rims import Links, Sessions
from router.admin.watch import Watch
from router.admin.webhook import Webhook
from router.engine import Engine
from router.ports import Clock
from router.rules import Destination

__all__ = ["Monitor", "Pulse", "Watched"]

_SLICE: Final = 32
_BREATH_S: Final = 0.001
_DIGEST_S: Final = 0.1
_SECOND: Final = 1_000_000_000


class Watched(Protocol):
    """The runtime, as it is watched."""

    @property
    def engine(self) -> Engine: ...

    @property
    def ticked(self) -> int:
        """When its ticking thread last went round, ns UTC."""
        ...

    def reading(self) -> AbstractContextManager[object]: ...


class Pulse:
    """How late an event loop comes to its work: something is posted to it and the time taken until it is done."""

    def __init__(self, post: Callable[[Callable[[], None]], None], clock: Callable[[], float] = time.monotonic) -> None:
        """`post`: have something called on that loop; from any thread, not waiting."""
        self._post = post
        self._clock = clock
        self._posted = 0.0
        self._lag = 0.0
        self._back = True

    def beat(self) -> float:
        """How late it was the last time, in seconds, or is by now; then measure again."""
        if not self._back:
            return self._clock() - self._posted
        lag = self._lag
        self._posted, self._back = self._clock(), False
        self._post(self._done)
        return lag

    def _done(self) -> None:
        self._lag = self._clock() - self._posted
        self._back = True


class Monitor:
    """What operators see of a running router, and what it tells them by itself."""

    def __init__(
        self,
        runtime: Watched,
        watch: Watch,
        sessions: Sessions,
        links: Links,
        journal: Callable[[], JournalState],
        alerts: AlertSettings,
        health_settings: HealthSettings,
        clock: Clock,
        note: Callable[..., None],
        version: str = "",
        folder: Path = Path(),
        pulses: Mapping[str, Pulse] | None = None,
        skews: Callable[[], Mapping[str, float]] = dict,
        unauthorized: Callable[[], int] = int,
        every_s: float = 1.0,
    ) -> None:
        """`pulses`: by name, of event loops other than the one this runs on. `skews`: by link, seconds that its clock is ahead of ours.
        `folder`: where the TOML file is. Raises `Fault` for a webhook whose secrets are missing."""
        self._runtime, self._sessions, self._links = runtime, sessions, links
        self._watch, self._journal, self._clock, self._note = watch, journal, clock, note
        self._settings, self._health = alerts, health_settings
        self._pulses, self._skews, self._unauthorized = pulses or {}, skews, unauthorized
        self._alerts = Alerts(alerts)
        self._webhook = Webhook(alerts.webhook, folder, note) if alerts.webhook is not None else None
        self._metrics = Metrics(watch, lambda: self.facts, self._alerts.by_rule, version)
        self._started = clock()
        self._every_s = every_s
        self._seen: Mapping[tuple[str, str], int] = {}
        self._lag = 0.0
        self.facts: Facts | None = None
        """The last that were gathered, about a second old; None before the first."""
        self.on_alert: Callable[[AlertRow], None] = lambda _: None
        """Told of each alert that is raised or cleared, on the loop; for the stream of events."""

    # --- for the API, from any thread -------------------------------------------------------------------------------------

    def fills(self) -> Sequence[FillRow]:
        """`Watch.fills`."""
        return self._watch.fills()

    def rejects(self) -> Sequence[RejectRow]:
        """`Watch.rejects`."""
        return self._watch.rejects()

    def alerts(self) -> Sequence[AlertRow]:
        """Active ones first, then those of before."""
        return self._alerts.rows()

    def latency(self) -> Sequence[Latency]:
        """`Watch.latency`."""
        return self._watch.latency()

    def totals(self) -> Totals:
        """`Watch.totals`."""
        return self._watch.totals()

    def figures(self, session: str) -> Figures:
        """`Watch.figures`."""
        return self._watch.figures(session)

    def scrape(self) -> tuple[bytes, str]:
        """The body of /metrics, and its content type."""
        return self._metrics.render(), CONTENT_TYPE

    def dead(self) -> list[str]:
        """What does not move any more; empty: /healthz answers 200."""
        return health.dead(self._health, self.facts, self._clock())

    def missing(self) -> list[str]:
        """What is missing before orders can be taken; empty: /readyz answers 200."""
        return health.missing(self._health, self.facts)

    # --- on the admin loop ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Watch until canceled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._for_ever(self._digest, _DIGEST_S))
            tasks.create_task(self._for_ever(self.once, self._every_s))
            if self._webhook is not None:
                tasks.create_task(self._for_ever(self._webhook.run, self._every_s))

    async def once(self) -> None:
        """Gather, judge and tell, one time."""
        await self._digest()
        self.facts = await self._gather()
        for row in self._alerts.evaluate(self.facts):
            self._tell(row)

    async def _for_ever(self, work: Callable[[], Awaitable[None]], every_s: float) -> None:
        said = ""
        while True:
            try:
                await work()
                said = ""
            except Exception as fault:  # noqa: BLE001 - one bad second must not blind operators for good; said once, not each second
                if repr(fault) != said:
                    self._note("monitor", level="error", why=repr(fault))
                said = repr(fault)
            due = time.monotonic() + every_s
            await asyncio.sleep(every_s)
            self._lag = max(time.monotonic() - due, self._lag)

    async def _digest(self) -> None:
        while self._watch.digest(_SLICE):
            await asyncio.sleep(_BREATH_S)

    async def _gather(self) -> Facts:
        state = self._runtime.engine.state
        now = self._clock()
        lag, self._lag = self._lag, 0.0
        with self._runtime.reading():
            live = list(state.blotter.live.values())
            up, off, halts = set(state.up), set(state.off), len(state.halted)
            reconciling = {link: (len(each.orders), each.since) for link, each in state.reconciling.items()}
        survey = Survey(now, self._seen)
        for number, order in enumerate(live, start=1):
            survey.look(order)
            if not number % _SLICE:
                await asyncio.sleep(_BREATH_S)
        self._seen = survey.seen
        off_links = frozenset(name for what, name in off if what is Switch.LINK)
        return Facts(
            now=now, started=self._started, ticked=self._runtime.ticked or self._started, book=survey.book(), journal=self._journal(),
            destinations=tuple(self._destination(each, up, off_links, reconciling) for each in state.policy.configured.destinations),
            sessions=tuple(self._sessions.states()), budgets=tuple(self._links.budgets()), skews=dict(self._skews()),
            loop_lags={"admin": lag, **{name: pulse.beat() for name, pulse in self._pulses.items()}},
            rejects=self._watch.rejects_since(now - int(self._settings.reject_storm_s * _SECOND)), said=self._watch.take_alerts(),
            halts=halts, threads=threading.active_count(), memory_bytes=_resident(), backlog=self._watch.backlog,
            dropped=self._watch.dropped, unauthorized=self._unauthorized(),
        )  # fmt: skip

    def _destination(
        self, each: Destination, up: set[str], off: frozenset[str], reconciling: Mapping[str, tuple[int, int]]
    ) -> DestinationFacts:
        link = self._watch.link(each.link)
        left, since = reconciling.get(each.link, (0, 0))
        return DestinationFacts(
            name=each.name, link=each.link, up=each.link in up, since=link.since if link is not None else self._started,
            why=link.why if link is not None else "not once since the router started", off=each.link in off,
            reconciling=left, reconciling_since=since,
        )  # fmt: skip

    def _tell(self, row: AlertRow) -> None:
        level = {"info": "info", "warning": "warning", "critical": "error"}[row.level] if row.active else "info"
        happens = row.rule in ("core", "overfill")  # those are in the log already, and have no end that is worth a message
        if not happens:
            self._note("alert" if row.active else "alert over", level=level, rule=row.rule, text=spell(row), order_id=row.order_id)
        self.on_alert(row)
        if self._webhook is not None and (row.active or not happens):
            self._webhook.say(row)


def _resident() -> int:
    """Memory that the process has now, in bytes; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * 4096
    except (OSError, ValueError, IndexError):
        return 0
