"""How long a start takes: `python -m tests.bench.restart [ORDERS]`. Prints figures; asserts nothing about time.

The journal is made by the real runtime, with every third order still open: three inputs an order on the average. Measured is what a router
does before its first connection, each in a fresh process: replay of everything, and a start from a snapshot."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from router.engine import Engine
from router.journal import JournalWriter
from router.model import Accepted, Canceled, Effect, Filled, Input, LinkUp, NewOrder, Report, VenueCommand
from router.recovery import begin, compact, saved
from router.runtime import Runtime
from router.words import OrdType, Side
from tests.bench.processes import ROOT
from tests.router.desk import LINK, SECOND, SESSION, D, configured

_ORDERS: Final = 100_000


class _Deaf:
    """A venue and clients that take everything and say nothing."""

    def __init__(self) -> None:
        self._minted = 0

    def report(self, message: Report, possibly_resent: bool = False) -> None:
        """Heard by nobody."""

    def mint(self, now: int) -> str:
        self._minted += 1
        return f"v{self._minted}"

    def submit(self, command: VenueCommand) -> None:
        """Goes nowhere."""


def made(folder: Path, orders: int) -> None:
    """A journal of so many orders."""
    deaf, journal = _Deaf(), JournalWriter(folder)
    list(journal.replay())

    def observe(event: Input, effects: list[Effect]) -> None:
        """Nobody looks."""

    runtime = Runtime(Engine(), journal, deaf, {LINK: deaf}, lambda: 1_800_000_000 * SECOND, observe)
    runtime.start(configured(), "bench")
    runtime.step(LinkUp(LINK))
    for number in range(1, orders + 1):
        for event in _life(number):
            runtime.step(event)
        if number % 1000 == 0:
            journal.tend()
    runtime.stop()


def _life(number: int) -> Iterator[Input]:
    """Accepted and filled in part; two in three end after that."""
    venue: dict[str, Any] = {"account": "acc", "venue_order_id": f"{number:016}"}
    yield NewOrder(
        session=SESSION, cl_ord_id=f"order-{number}", symbol="BTC/USDT", side=Side.BUY, ord_type=OrdType.LIMIT, order_qty=D("1.5"),
        price=D("65000.01"), account="fund-1", echo={"5001": "strategy"}, transact_time="20270115-08:00:00.000",
    )  # fmt: skip
    yield Accepted(exec_id=f"n{number}", venue_cl_ord_id=f"v{number}", **venue)
    if number % 3 == 0:
        return
    yield Filled(exec_id=f"x{number}", last_qty=D("0.4"), last_px=D("65000.01"), complete=False, **venue)
    if number % 3 == 1:
        yield Canceled(exec_id=f"e{number}", **venue)
    else:
        yield Filled(exec_id=f"y{number}", last_qty=D("1.1"), last_px=D("65000"), complete=True, **venue)


def started(folder: Path) -> str:
    """What one start took."""
    journal = JournalWriter(folder)
    since = time.perf_counter()
    engine, _ = begin(journal, print)
    took = time.perf_counter() - since
    records = journal._position.sequence  # a look from outside
    journal.close()
    orders, live = len(engine.state.blotter.orders), len(engine.state.blotter.live)
    return f"{took:5.2f} s  ({orders:,} orders, {live:,} of them open, {records:,} inputs)"


def main(orders: int) -> None:
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where) / "journal"
        made(folder, orders)
        gc.collect()
        size = sum(path.stat().st_size for path in folder.glob("*.log"))
        print(f"journal: {size / 1e6:.0f} MB in {len(list(folder.glob('*.log')))} files")
        print(f"start without a snapshot  {_in_a_process_of_its_own(folder)}")
        since = time.perf_counter()
        compact(folder, print)
        snapshot = next(iter(saved(folder).values()), None)
        size = "nothing to keep yet: one file" if snapshot is None else f"snapshot of {snapshot.stat().st_size / 1e6:.0f} MB"
        print(f"compact                   {time.perf_counter() - since:5.2f} s  ({size})")
        print(f"start from the snapshot   {_in_a_process_of_its_own(folder)}")


def _in_a_process_of_its_own(folder: Path) -> str:
    command = [sys.executable, "-m", "tests.bench.restart", "--start", str(folder)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--start"]:
        print(started(Path(sys.argv[2])))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else _ORDERS)
