"""The state at a glance: the status, the sessions and the destinations, put together from the core, the rims and the watch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from router.admin.contract import Budget, Counts, Destination, SessionRow, Status
from router.admin.needs import Core, Watch, Wiring
from router.admin.rims import Links, Sessions, SessionState
from router.admin.tally import Tally, count
from router.admin.views import destination_row, halt_rows, session_row, stamp
from router.rules import Destination as Place

__all__ = ["Glance"]

_FRESH_S: Final = 0.9
"""A count of the orders is used again for so long."""
_SECOND: Final = 1_000_000_000


class Glance:
    """Looks; for the admin loop."""

    def __init__(self, core: Core, sessions: Sessions, links: Links, watch: Watch, wiring: Wiring) -> None:
        self._core = core
        self._sessions = sessions
        self._links = links
        self._watch = watch
        self._wiring = wiring
        self._tally = Tally()
        self._counted = float("-inf")
        self._counting = asyncio.Lock()

    async def tally(self) -> Tally:
        """The live orders, counted within the last second."""
        async with self._counting:
            now = asyncio.get_running_loop().time()
            if now - self._counted >= _FRESH_S:
                self._tally, self._counted = await count(self._core), now
        return self._tally

    async def status(self, stopping: bool) -> Status:
        """Everything at a glance."""
        tally, now, wiring = await self.tally(), self._wiring.clock(), self._wiring
        journal, totals = wiring.journal(), self._watch.totals()
        sessions = [each for each in self._sessions.states() if each.kind != "venue"]
        with self._core.reading():
            state = self._core.engine.state
            halted, orders = halt_rows(state), len(state.blotter.orders)
            places = [each.link in state.up for each in state.policy.configured.destinations]
        return Status(
            version=wiring.version, now=stamp(now), started=stamp(wiring.started), uptime_s=(now - wiring.started) // _SECOND,
            stopping=stopping, halted=halted, sessions=Counts(up=sum(each.logged_on for each in sessions), total=len(sessions)),
            destinations=Counts(up=sum(places), total=len(places)), open_orders=tally.everywhere.open,
            unknown_orders=tally.everywhere.unknown, pending_orders=tally.everywhere.pending,
            oldest_pending_s=round((now - tally.oldest_pending) / _SECOND, 3) if tally.oldest_pending else 0.0, orders_total=orders,
            fills_total=totals.fills, rejects_total=totals.rejects, journal_sequence=journal.sequence, journal_bytes=journal.bytes,
            journal_failing=journal.failing, durability=journal.durability, alerts=sum(each.active for each in wiring.alerts()),
        )  # fmt: skip

    async def sessions(self) -> list[SessionRow]:
        """Every FIX session, by name."""
        tally = await self.tally()
        return [self._session(each, tally) for each in sorted(self._sessions.states(), key=lambda state: (state.kind, state.name))]

    async def destinations(self) -> list[Destination]:
        """Every destination, in the order of the configuration."""
        tally = await self.tally()
        rows = []
        for place in self.places().values():
            topics = {topic: what for each in self.topics(place).values() for topic, what in each.items()}
            memory = self._watch.link(place.link)
            with self._core.reading():
                rows.append(destination_row(self._core.engine.state, place, tally.destinations[place.name], memory, topics))
        return rows

    def places(self) -> dict[str, Place]:
        """Destinations by their names in capitals."""
        with self._core.reading():
            return {each.name.upper(): each for each in self._core.engine.state.policy.configured.destinations}

    def topics(self, place: Place) -> dict[str, Mapping[str, str]]:
        """By link, what can be asked there about a destination: its witness first, which knows more."""
        found = {}
        for link in (place.witness, place.link):
            try:
                topics = self._links.topics(link) if link else {}
            except KeyError:
                topics = {}
            if topics:
                found[link] = topics
        return found

    def budgets(self) -> list[Budget]:
        """What is left of the venues' budgets."""
        return [
            Budget(
                link=each.link, group=each.group, requests=each.requests, seconds=each.seconds, used=each.used, reserve=each.reserve,
                closed_for_s=each.closed_for_s,
            )
            for each in self._links.budgets()
        ]  # fmt: skip

    def _session(self, session: SessionState, tally: Tally) -> SessionRow:
        figures, counted = self._watch.figures(session.name), tally.sessions[session.name]
        if session.kind == "venue":
            links = [place.name for place in self.places().values() if place.link == session.name]
            counted.open = sum(tally.destinations[name].open for name in links)
        with self._core.reading():
            return session_row(self._core.engine.state, session, counted, figures)
