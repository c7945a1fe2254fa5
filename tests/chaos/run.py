"""One run: a flow of orders, a storm over it, then quiet, and the verdict."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from router.journal import JournalCorrupt
from tests.chaos.flow import Flow
from tests.chaos.ledgers import ClientLedger, RouterLedger, VenueLedger
from tests.chaos.markets import DESTINATIONS
from tests.chaos.oms import Oms
from tests.chaos.rig import Rig
from tests.chaos.storm import Storm, Tally
from tests.chaos.verdict import Verdict, judge

_OURS = re.compile(r"internal error,|internal error in |error in a FIX callback|report not sent")
"""What the router says of faults of its own."""
_RAISED = re.compile(r"[A-Za-z.]+(Error|Exception|Locked|Corrupt|Interrupt)\b(: |$)")
"""The last line of a traceback."""
_NO_SPACE = re.compile(r"No space left|bytes were written")
_UNCHANGED_S = 30.0
"""What has been wrong for so long, the same all the while, stays wrong."""
Says = Callable[[str, int, int], None]
"""Progress: what is done, kills so far, orders sent so far."""


@dataclass
class Plan:
    """What to do. The same plan draws the same storm; processes take turns as they like, so no two runs are the same."""

    seed: int
    kills: int
    plant: str = ""
    points: list[str] = field(default_factory=list)
    """Points of the deaths in turn; empty: drawn."""
    storms: tuple[str, ...] = ("faults", "lines", "people", "disk")
    venues_faults: list[tuple[str, str, str]] = field(default_factory=list)
    """Faults posted at the start: simulator, kind, match."""
    destinations: tuple[str, ...] = DESTINATIONS
    pace: float = 1.0
    settle_s: float = 120.0
    quiet_s: float = 3.0
    """How long nobody must be told anything before it counts as quiet."""
    orderly_end: bool = True
    """False: what a planted bug leaves behind need not settle."""


@dataclass
class Outcome:
    """What came of it."""

    verdict: Verdict
    tally: Tally
    seconds: float
    settled_s: float
    folder: Path


async def run(plan: Plan, folder: Path, says: Says = lambda what, kills, orders: None) -> Outcome:
    """Do it, in a folder that is left behind."""
    began = time.monotonic()
    flow = Flow(Random(f"{plan.seed}-flow"), plan.pace)
    rig = Rig(folder, plan.plant)
    sessions = [Oms(rig.system.fix_port, "FIX.4.4", "OMS44", flow.told), Oms(rig.system.fix_port, "FIX.4.2", "OMS42", flow.told)]
    storm = Storm(rig, flow, sessions, plan.seed)
    present: list[asyncio.Task[Any]] = []
    try:
        async with rig:
            present += [asyncio.ensure_future(each.run()) for each in sessions]
            await _storm(plan, rig, flow, storm, sessions, lambda kills: says("storm", kills, len(flow.asked)))
            settled = time.monotonic()
            verdict = await _settle(plan, rig, flow, storm, sessions, lambda what: says(what, plan.kills, len(flow.asked)))
            return Outcome(verdict, storm.tally, time.monotonic() - began, time.monotonic() - settled, folder)
    finally:
        await _cancel(present)
        rig.unmount()


async def _storm(plan: Plan, rig: Rig, flow: Flow, storm: Storm, sessions: list[Oms], done: Callable[[int], None]) -> None:
    for venue, kind, match in plan.venues_faults:
        await rig.post(venue, "/_sim/fault", kind=kind, count=3, match=match)
    endless: list[Coroutine[Any, Any, None]] = [flow.trade(each, sessions) for each in plan.destinations]
    endless += [getattr(storm, each)() for each in plan.storms]
    tasks = [asyncio.ensure_future(each) for each in endless]
    lives = asyncio.ensure_future(storm.lives(plan.kills, done, plan.points))
    try:
        await asyncio.wait([*tasks, lives], return_when=asyncio.FIRST_COMPLETED)
        for ended in [each for each in (*tasks, lives) if each.done()]:
            ended.result()  # a fault of ours is raised here
    finally:
        await _cancel([*tasks, lives])
    for relay in rig.relays.values():
        relay.cut()  # what still stalls is lost, and the lines are good from now on


async def _settle(plan: Plan, rig: Rig, flow: Flow, storm: Storm, sessions: list[Oms], says: Callable[[str], None]) -> Verdict:
    """Let one more life bring everything to an end, within bounds, and compare."""
    until = time.monotonic() + plan.settle_s
    await rig.start()
    while not all(each.logged_on for each in sessions) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    says("settling")
    await _quiet(sessions, until, plan.quiet_s)
    for book in flow.open.values():
        for owner, order in [*book.values()][::2]:
            flow.cancel(owner, order)  # half of what is open; the rest stays, and is compared as such
    await _quiet(sessions, until, plan.quiet_s)
    faults: dict[str, list[str]] = {}
    since = time.monotonic()
    while True:
        deaf = [each.name for each in sessions if not await each.all_heard(10)]
        verdict = await _compared(rig, flow, storm, sessions)
        for name in deaf:
            verdict.wrong("session fault", f"{name}: no TestRequest was answered within 10 s, or a resend is still under way")
        if verdict.faults != faults:
            faults, since = verdict.faults, time.monotonic()
        if verdict.good or not plan.orderly_end or time.monotonic() > until or time.monotonic() - since > _UNCHANGED_S:
            break
        says(f"settling: {', '.join(verdict.faults)}")
        await asyncio.sleep(3)
    if plan.orderly_end and await rig.kill(signal.SIGTERM) != 0:
        verdict.wrong("router died", f"asked to stop, it ended with {rig.process.returncode if rig.process else None}")
    return verdict


async def _quiet(sessions: list[Oms], until: float, for_s: float) -> None:
    """Until nobody has been told anything for a while."""
    began = time.monotonic()
    while time.monotonic() < until and time.monotonic() - max(began, *(each.last_heard for each in sessions)) < for_s:
        await asyncio.sleep(0.1)


async def _compared(rig: Rig, flow: Flow, storm: Storm, sessions: list[Oms]) -> Verdict:
    client = ClientLedger.of({each.name: each.heard for each in sessions}, flow.numbers)
    try:
        router = await asyncio.to_thread(RouterLedger, rig.journal)
    except JournalCorrupt as wrong:
        verdict = Verdict()
        verdict.wrong("internal error", str(wrong))
        return verdict
    verdict = judge(client, router, VenueLedger(await rig.venue_orders()), flow.asked)
    for each in sessions:
        for fault in each.faults:
            verdict.wrong("session fault", f"{each.name}: {fault}")
    for death in storm.tally.deaths:
        verdict.wrong("router died", death)
    for line in rig.log_lines():
        if _OURS.search(line) or (_RAISED.match(line) and not _NO_SPACE.search(line)):
            verdict.wrong("internal error", line[:400])
    return verdict


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError, Exception):
            await task
