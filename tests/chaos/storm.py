"""What goes wrong: deaths of the router, faults of venues, bad lines, a full disk; and what other people do at the venues meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.chaos.child import POINTS
from tests.chaos.flow import Flow
from tests.chaos.markets import MARKETS
from tests.chaos.oms import Oms
from tests.chaos.rig import Rig

SIMULATORS: Final = ("apifiny", "phemex", "primebit", "moonbase", "cryptocom")
FAULTS: Final = {
    "drop_reply": 3, "drop_request": 3, "delay": 3, "http_500": 2, "http_503": 2, "rate_limit": 1, "reject": 2, "disconnect": 2,
    "refuse_connections": 1, "duplicate_event": 3, "reorder_events": 3, "garbage": 2,
}  # fmt: skip
_NO_LIFE_YET_S: Final = 30.0
_POINT_WITHIN_S: Final = 10.0


@dataclass
class Tally:
    """What was done."""

    kills: Counter[str] = field(default_factory=Counter)
    """By point; "at random" for a signal from outside, "while it starts" for one before it took clients."""
    missed: Counter[str] = field(default_factory=Counter)
    """Points that were not reached in time; those routers were killed from outside."""
    faults: Counter[str] = field(default_factory=Counter)
    trades: int = 0
    venue_cancels: int = 0
    disk_full: int = 0
    cut: int = 0
    stalled: int = 0
    deaths: list[str] = field(default_factory=list)
    """Ends of the router that nobody asked for."""


class Storm:
    """Everything that goes wrong in one run."""

    def __init__(self, rig: Rig, flow: Flow, sessions: list[Oms], seed: int) -> None:
        self._rig, self._flow, self._sessions = rig, flow, sessions
        self._kills, self._venues, self._lines, self._people, self._disk = (Random(f"{seed}-{n}") for n in range(5))
        self.tally = Tally()

    async def lives(self, kills: int, done: Callable[[int], None], points: list[str] | None = None) -> None:
        """Let the router live and die so many times. `points`: in turn, instead of drawn ones."""
        for number in range(kills):
            point = points[number % len(points)] if points else self._drawn()
            await self._one_life(point)
            done(number + 1)

    def _drawn(self) -> str:
        if self._kills.random() < 0.4:
            return ""
        return f"{self._kills.choice(list(POINTS))}:{self._kills.choice((1, 2, 5, 10, 20, 40, 80))}"

    async def _one_life(self, point: str) -> None:
        name = point.partition(":")[0]
        if self._kills.random() < 0.8:
            while self._rig.disk_full:  # else most deaths of that time would be of the disk
                await asyncio.sleep(0.1)
        await self._rig.start(point)
        if not point and self._kills.random() < 0.2:
            await asyncio.sleep(self._kills.uniform(0.2, 2.0))
            await self._ended("while it starts", "")
            return
        if await self._taking_clients():
            await self._rig.died(_POINT_WITHIN_S if point else self._kills.uniform(0.3, 10))
        await self._ended(name or "at random", name)

    async def _taking_clients(self) -> bool:
        """Wait until a client is in; False when the router died before."""
        before = sum(each.logons for each in self._sessions)
        until = asyncio.get_running_loop().time() + _NO_LIFE_YET_S
        while asyncio.get_running_loop().time() < until:
            if sum(each.logons for each in self._sessions) > before:
                return True
            if await self._rig.died(0.05) is not None:
                return False
        self.tally.deaths.append(f"life {self._rig.lives}: no client could log on within {_NO_LIFE_YET_S:g} s")
        return True

    async def _ended(self, how: str, point: str) -> None:
        assert self._rig.process is not None
        code = self._rig.process.returncode
        if code is None:
            if point:
                self.tally.missed[point] += 1
                how = "at random"
            await self._rig.kill()
        elif code != -9:
            how = "of a full disk"
            if not self._rig.disk_full:
                self.tally.deaths.append(f"life {self._rig.lives}: exit code {code}: {self._rig.log_lines()[-1][:300]}")
        self.tally.kills[how] += 1

    # --- until canceled ---------------------------------------------------------------------------------------------------

    async def faults(self, every_s: float = 0.8) -> None:
        """Venues misbehave."""
        while True:
            await asyncio.sleep(self._venues.expovariate(1 / every_s))
            venue, kind = self._venues.choice(SIMULATORS), self._venues.choices(list(FAULTS), list(FAULTS.values()))[0]
            delay = self._venues.uniform(0.5, 2.5) if kind == "refuse_connections" else self._venues.uniform(0.05, 1.5)
            match = self._venues.choice(("new", "new", "cancel", "query", "stream", "any"))
            more = {"delay_s": f"{delay:.2f}"} if kind in ("delay", "refuse_connections") else {}
            if await self._rig.post(venue, "/_sim/fault", kind=kind, count=self._venues.choice((1, 1, 2)), match=match, **more):
                self.tally.faults[kind] += 1

    async def lines(self, every_s: float = 3.0) -> None:
        """Connections stall, and are cut, some of them with what was on them."""
        while True:
            await asyncio.sleep(self._lines.expovariate(1 / every_s))
            relay = self._lines.choice(list(self._rig.relays.values()))
            if self._lines.random() < 0.5:
                relay.stall()
                self.tally.stalled += 1
                await asyncio.sleep(self._lines.uniform(0.2, 2.5))
                if self._lines.random() < 0.5:
                    relay.heal()
                    continue
            relay.cut()
            self.tally.cut += 1

    async def people(self, every_s: float = 0.25) -> None:
        """Others trade with what rests inside the spread, and venues cancel orders on their own."""
        while True:
            await asyncio.sleep(self._people.expovariate(1 / every_s))
            market = self._people.choice(MARKETS)
            if self._people.random() < 0.1:
                await self._venue_cancels(market.destination)
                continue
            side = self._people.choice(("buy", "sell"))
            price = market.ask - market.tick if side == "buy" else market.bid + market.tick
            qty = market.qty(self._people.randrange(4000))
            where = {"venue": market.destination} if market.simulator == "apifiny" else {}
            body = {"symbol": market.venue_symbol, "side": side, "qty": f"{qty:f}", "price": f"{price:f}", **where}
            self.tally.trades += await self._rig.post(market.simulator, "/_sim/trade", **body)

    async def _venue_cancels(self, destination: str) -> None:
        book = self._flow.open[destination]
        if book:
            _, order = self._people.choice(list(book.values()))
            simulator = next(each.simulator for each in MARKETS if each.destination == destination)
            self.tally.venue_cancels += await self._rig.post(simulator, "/_sim/cancel", id=order["198"])

    async def disk(self, every_s: float = 25.0) -> None:
        """The journal's disk is full for a while."""
        while True:
            await asyncio.sleep(self._disk.expovariate(1 / every_s))
            self._rig.fill_disk()
            self.tally.disk_full += 1
            try:
                await asyncio.sleep(self._disk.uniform(0.5, 3))
            finally:
                self._rig.free_disk()
