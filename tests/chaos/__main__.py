"""`python -m tests.chaos --seed N --kills N`: kill the router again and again under load, and compare three ledgers. Exit code 0 or 1."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.live import Live

from tests.chaos.child import PLANTS
from tests.chaos.run import Outcome, Plan, Says, run

_PLAIN_EVERY_S = 10.0


def main() -> int:
    """Run, print the verdict, and keep what a bad run leaves."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(130))  # asyncio cancels, and the rig ends its processes and gives its disk back
    options = _options()
    plan = Plan(options.seed, options.kills, options.plant, orderly_end=not options.plant)
    print(f"chaos: seed {plan.seed}, {plan.kills} kills{f', planted: {plan.plant}' if plan.plant else ''}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="fixrouter-chaos-"))
    outcome = _watched(plan, folder)
    for line in _page(plan, outcome):
        print(line)
    if outcome.verdict.good and not options.keep:
        shutil.rmtree(folder)
        return 0
    (folder / "unknown.txt").write_text("\n".join(outcome.verdict.unknown_orders) + "\n")
    config = folder / "s" / "config" / "demo" / "router.toml"
    print(f"kept: {folder} (router.log, unknown.txt); an order's life: cd {folder / 's'} && fixrouter journal find ID --config {config}")
    return 0 if outcome.verdict.good else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill the router and compare three ledgers.")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="of the storm and of the flow (drawn)")
    parser.add_argument("--kills", type=int, default=100, help="how many times the router dies (100: about 12 minutes)")
    parser.add_argument("--plant", default="", choices=["", *PLANTS], help="a bug to plant in the router's process: it must be caught")
    parser.add_argument("--keep", action="store_true", help="keep journal and logs of a good run too")
    return parser.parse_args()


def _watched(plan: Plan, folder: Path) -> Outcome:
    began = time.monotonic()
    if not sys.stdout.isatty():
        return asyncio.run(run(plan, folder, _plainly(plan, began)))
    with Live(console=Console(), refresh_per_second=4, transient=True) as live:
        return asyncio.run(run(plan, folder, lambda what, kills, orders: live.update(_line(plan, began, what, kills, orders))))


def _plainly(plan: Plan, began: float) -> Says:
    last = began

    def says(what: str, kills: int, requests: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _PLAIN_EVERY_S or what != "storm":
            last = time.monotonic()
            print(_line(plan, began, what, kills, requests), flush=True)

    return says


def _line(plan: Plan, began: float, what: str, kills: int, requests: int) -> str:
    return f"{time.monotonic() - began:6.0f} s  {what}: {kills} of {plan.kills} kills, {requests} requests sent"


def _page(plan: Plan, outcome: Outcome) -> list[str]:
    tally = outcome.tally
    kills = ", ".join(f"{name} {number}" for name, number in tally.kills.most_common())
    faults = ", ".join(f"{name} {number}" for name, number in tally.faults.most_common())
    return [
        "",
        f"seed {plan.seed}: {plan.kills} kills in {outcome.seconds:.0f} s, of which {outcome.settled_s:.0f} s to settle",
        f"kills: {kills}",
        f"faults of venues: {faults or 'none'}",
        f"lines cut {tally.cut}, stalled {tally.stalled}; disk full {tally.disk_full} times; others' trades {tally.trades}, "
        f"cancels by venues {tally.venue_cancels}",
        *outcome.verdict.lines(),
    ]


if __name__ == "__main__":
    sys.exit(main())
