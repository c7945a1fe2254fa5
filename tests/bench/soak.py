"""`python -m tests.bench.soak --minutes N`: a steady flow of orders over all venues, and what the router's process needs, minute by minute.

Bounded by its minutes; at the end the three ledgers of the chaos tests are compared too. The exit code is 1 where something grows that
should not (`_LIMITS`) or an order is wrong. A run of 20 minutes or more writes `tests/bench/soak.txt`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from tests.bench.machine import description
from tests.chaos.flow import Flow
from tests.chaos.ledgers import ClientLedger, RouterLedger, VenueLedger
from tests.chaos.markets import DESTINATIONS
from tests.chaos.oms import Oms
from tests.chaos.rig import Rig
from tests.chaos.storm import Storm
from tests.chaos.verdict import Verdict, judge

_RESULTS: Final = Path(__file__).with_name("soak.txt")
_WORTH_KEEPING_MINUTES: Final = 20
_MIB: Final = 1024 * 1024
_LIMITS: Final = {"rss_kib_per_order": 1.0, "files_gained": 3.0, "threads_per_hour": 1.0}
"""What may grow in the last third, once the orders that are kept, and the lists of the newest fills and ended orders, are full. QuickFIX's
stores keep an index of every message in memory until a session begins anew, some 80 bytes each; connections to venues come and go with
bursts of requests."""


@dataclass
class Sample:
    """The router's process at one moment."""

    minute: float
    rss: int
    files: int
    threads: int
    cpu_s: float
    journal: int
    orders: int
    open: int
    reports: int

    def line(self) -> str:
        """A row of the table."""
        return (
            f"{self.minute:6.1f} {self.rss / _MIB:9.1f} {self.files:6} {self.threads:8} {self.cpu_s:9.1f} {self.journal / _MIB:12.2f} "
            f"{self.orders:8} {self.open:6} {self.reports:9}"
        )


HEAD: Final = (
    f"{'minute':>6} {'RSS MiB':>9} {'files':>6} {'threads':>8} {'CPU s':>9} {'journal MiB':>12} {'orders':>8} {'open':>6} {'reports':>9}"
)


def slope(points: list[tuple[float, float]]) -> float:
    """Least squares: what y gains for each x. 0 for fewer than two points, or all at one x."""
    count = len(points)
    if count < 2:
        return 0.0
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def growth(samples: list[Sample]) -> dict[str, float]:
    """What grows, in the last third of the run."""
    warm = samples[len(samples) * 2 // 3 :]
    fifth = max(len(warm) // 5, 1)
    return {
        "rss_kib_per_order": slope([(each.orders, each.rss / 1024) for each in warm]),
        "rss_mib_per_hour": 60 * slope([(each.minute, each.rss / _MIB) for each in warm]),
        "files_gained": median(each.files for each in warm[-fifth:]) - median(each.files for each in warm[:fifth]),
        "threads_per_hour": 60 * slope([(each.minute, each.threads) for each in warm]),
        "journal_bytes_per_order": slope([(each.orders, each.journal) for each in warm]),
        "cpu_ms_per_order": 1000 * slope([(each.orders, each.cpu_s) for each in warm]),
    }


def page(minutes: float, keep: float, samples: list[Sample], verdict: Verdict) -> tuple[list[str], bool]:
    """The table, the slopes, the verdict; and whether it is a good one."""
    grown = growth(samples)
    over = [name for name, limit in _LIMITS.items() if grown[name] > limit]
    lines = [
        "fixrouter soak: a steady flow over all venues, simulated, two client sessions",
        *description(),
        f"run       {minutes:g} minutes; slopes by least squares over the last third of it; orders kept for {keep:g} minutes",
        "",
        HEAD,
        *(each.line() for each in samples),
        "",
        *(f"{name:26} {value:9.2f}{f'   at most {_LIMITS[name]:g}' if name in _LIMITS else ''}" for name, value in grown.items()),
        "",
        *verdict.lines(),
        f"verdict on growth: {'GROWS: ' + ', '.join(over) if over else 'nothing grows'}",
    ]
    return lines, not over and verdict.good


async def soak(minutes: float, folder: Path, pace: float, keep_minutes: float, every_s: float, show: Any) -> tuple[list[Sample], Verdict]:
    """Run the flow for so many minutes."""
    flow = Flow(Random("soak"), pace)
    rig = Rig(folder, module="router")
    rig.system.edit("router.toml", r"keep_orders_days = \d+", f"keep_orders_days = {keep_minutes / 1440:.6f}")
    sessions = [Oms(rig.system.fix_port, "FIX.4.4", "OMS44", flow.told), Oms(rig.system.fix_port, "FIX.4.2", "OMS42", flow.told)]
    async with rig:
        process = await rig.start()
        tasks = [asyncio.ensure_future(each.run()) for each in sessions]
        while not all(each.logged_on for each in sessions):
            await asyncio.sleep(0.05)
        await asyncio.sleep(3)  # the venues' links
        traders = [asyncio.ensure_future(flow.trade(each, sessions)) for each in DESTINATIONS]
        traders.append(asyncio.ensure_future(Storm(rig, flow, sessions, 0).people()))
        samples: list[Sample] = []
        began = time.monotonic()
        while time.monotonic() - began < minutes * 60 and process.returncode is None:
            await asyncio.wait([*traders, *tasks], timeout=every_s, return_when=asyncio.FIRST_EXCEPTION)
            for ended in [each for each in traders if each.done()]:
                ended.result()
            samples.append(_sample(process.pid, rig, flow, sessions, (time.monotonic() - began) / 60))
            show(samples)
        for each in traders:
            each.cancel()
        verdict = await _compared(rig, flow, sessions)
        for each in tasks:
            each.cancel()
        return samples, verdict


async def _compared(rig: Rig, flow: Flow, sessions: list[Oms]) -> Verdict:
    for _ in range(10):
        await asyncio.sleep(4)
        for each in sessions:
            await each.all_heard(10)
        client = ClientLedger.of({each.name: each.heard for each in sessions}, flow.numbers)
        router = await asyncio.to_thread(RouterLedger, rig.journal)
        verdict = judge(client, router, VenueLedger(await rig.venue_orders()), flow.asked)
        if verdict.good:
            break
    return verdict


def _sample(pid: int, rig: Rig, flow: Flow, sessions: list[Oms], minute: float) -> Sample:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Sample(
        minute=minute,
        rss=int(status["VmRSS"].split()[0]) * 1024,
        files=len(os.listdir(f"/proc/{pid}/fd")),
        threads=int(status["Threads"]),
        cpu_s=(int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"),
        journal=sum(each.stat().st_size for each in rig.journal.glob("*.log")),
        orders=sum(kind == "D" for kind in flow.asked.values()),
        open=sum(len(book) for book in flow.open.values()),
        reports=sum(len(each.heard) for each in sessions),
    )


def main() -> int:
    """Run, print, and keep what is worth it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description="A steady flow, and what the router needs for it.")
    parser.add_argument("--minutes", type=float, default=60, help="how long (60)")
    parser.add_argument("--every", type=float, default=60, metavar="S", help="seconds between two samples (60)")
    parser.add_argument("--keep", type=float, default=5, metavar="MINUTES", help="how long the router keeps orders that are over (5)")
    parser.add_argument("--pace", type=float, default=1.0, help="times the usual pace, about 11 orders a second (1)")
    parser.add_argument("--out", type=Path, help=f"where the figures go ({_RESULTS.name}, from {_WORTH_KEEPING_MINUTES} minutes on)")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(130))  # asyncio cancels, and the rig ends its processes
    with tempfile.TemporaryDirectory(prefix="fixrouter-soak-") as folder:
        if sys.stdout.isatty():
            with Live(console=Console(), transient=True) as live:
                run = soak(
                    options.minutes, Path(folder), options.pace, options.keep, options.every, lambda all_of: live.update(_recent(all_of))
                )
                samples, verdict = asyncio.run(run)
        else:
            print(HEAD, flush=True)
            run = soak(
                options.minutes,
                Path(folder),
                options.pace,
                options.keep,
                options.every,
                lambda all_of: print(all_of[-1].line(), flush=True),
            )
            samples, verdict = asyncio.run(run)
    lines, good = page(options.minutes, options.keep, samples, verdict)
    print("\n".join(lines))
    out = options.out or (_RESULTS if options.minutes >= _WORTH_KEEPING_MINUTES else None)
    if out is not None:
        out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0 if good else 1


def _recent(samples: list[Sample]) -> Text:
    return Text("\n".join([HEAD, *(each.line() for each in samples[-20:])]))


if __name__ == "__main__":
    sys.exit(main())
