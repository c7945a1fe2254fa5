"""When the links and the router itself were away on a day. Pure.

The rules:

1. A link is down from `LinkDown`, or from the router's start, until `LinkUp`; and only while the router runs.
2. The router is away from `Stopped` until `Started`. Where it died, nobody wrote down when: it counts from its last record, so the time is
   the longest that it can have been.
3. Times are cut to the day. Before the first start that the journal knows, nothing is counted.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from router.model import Input, LinkDown, LinkUp, Started, Stopped
from router.rules import Configured
from router.state import State

__all__ = ["ROUTER", "LinkTime", "Outage", "Outages"]

ROUTER: Final = ""
"""The name of the router itself among the outages."""


class Outage(NamedTuple):
    """One time away, ns UTC, within the day."""

    link: str
    since: int
    until: int
    lost: bool
    """False: it had not been up since the router started."""
    over: bool
    """False: it lasted until the end of the day, or of what is known of it."""


class LinkTime(NamedTuple):
    """What a link's day was like. Times in ns."""

    link: str
    lost: int
    connected: int
    down: int
    longest: int
    up_at_end: bool


class Outages:
    """Follows the links through the journal. `begins`, `ends`: the day, ns UTC."""

    def __init__(self, begins: int, ends: int) -> None:
        self.found: list[Outage] = []
        self.starts = 0
        self._begins, self._ends = begins, ends
        self._down: dict[str, tuple[int, bool]] = {}
        """Links that are away: since when, and whether they were lost."""
        self._links: dict[str, None] = {}
        self._connected: dict[str, int] = {}
        self._lost: dict[str, int] = {}
        self._running = False
        self._away = 0
        self._last = 0

    def resume(self, state: State, now: int) -> None:
        """Begin at a snapshot. Since when a link is down is not in it, nor whether the router had stopped: it counts from there."""
        self._know(state.policy.configured)
        self._running, self._last = True, now
        self._down = {link: (now, True) for link in self._links if link not in state.up}

    def take(self, event: Input, now: int) -> None:
        """One input of the journal, before the end of the day."""
        if isinstance(event, Configured):
            self._know(event)
            return  # it comes just before a start, and so says nothing of when the last life ended
        if isinstance(event, Started):
            self._start(now)
        elif isinstance(event, Stopped):
            self._stop(now)
        elif isinstance(event, LinkDown) and event.link not in self._down and self._running:
            self._down[event.link] = (now, True)
            self._count(self._lost, event.link, now)
        elif isinstance(event, LinkUp):
            self._links.setdefault(event.link)
            self._end(event.link, now)
            self._count(self._connected, event.link, now)
        self._last = now

    def close(self, next_event: Input | None) -> None:
        """The day is over, or what is known of it. `next_event`: the first of the journal after it."""
        died = isinstance(next_event, Started | Configured)
        if self._running and died and self._last:
            self._stop(self._last)
        for link in list(self._down):
            self._end(link, self._ends, over=False)
        if not self._running and self._away:
            self._add(Outage(ROUTER, self._away, self._ends, True, False))

    def times(self) -> list[LinkTime]:
        """A line for each link."""
        return [self._time(link) for link in self._links]

    def _time(self, link: str) -> LinkTime:
        away = [each for each in self.found if each.link == link]
        long = [each.until - each.since for each in away]
        up = self._running and all(each.over for each in away)
        return LinkTime(link, self._lost.get(link, 0), self._connected.get(link, 0), sum(long), max(long, default=0), up)

    def _know(self, configured: Configured) -> None:
        self._links = {name: None for each in configured.destinations for name in (each.link, each.witness) if name}

    def _start(self, now: int) -> None:
        if self._running:
            self._stop(self._last)
        if self._away:
            self._add(Outage(ROUTER, self._away, now, True, True))
        self.starts += now >= self._begins
        self._running = True
        self._down = dict.fromkeys(self._links, (now, False))

    def _stop(self, when: int) -> None:
        for link in list(self._down):
            self._end(link, when)
        self._running, self._away = False, when

    def _end(self, link: str, when: int, over: bool = True) -> None:
        since, lost = self._down.pop(link, (0, False))
        if since:
            self._add(Outage(link, since, when, lost, over))

    def _add(self, outage: Outage) -> None:
        since, until = max(outage.since, self._begins), min(outage.until, self._ends)
        if until > since:
            self.found.append(outage._replace(since=since, until=until))

    def _count(self, counter: dict[str, int], link: str, now: int) -> None:
        counter[link] = counter.get(link, 0) + (now >= self._begins)
