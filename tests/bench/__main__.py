"""`python -m tests.bench`: measure, print, and write `tests/bench/results.txt`.

Contenders are interleaved, round by round, with fresh processes each time. Nothing here asserts a time; the exit code is 1 only where
something did not work."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests.bench import rest, table
from tests.bench.client import Failed
from tests.bench.contenders import BASIC, VARIANTS
from tests.bench.inplace import in_place
from tests.bench.machine import description
from tests.bench.measure import WINDOW, Size, measure
from tests.bench.stages import Stage, stages

_RESULTS: Final = Path(__file__).with_name("results.txt")
_FULL: Final = Size(warm_up=300, closed=2000, window=6000)
_QUICK: Final = Size(warm_up=100, closed=300, window=1000)
_MODES: Final = (
    ("free", "ANY CORE"),
    ("pinned", "ONE CORE: client, contender and far side pinned to it, so that no sleeping core is to be woken"),
)
_READING: Final = f"""How to read this
- closed: one order in flight, from the client's send to the ExecutionReport 150=0 of that ClOrdID. window {WINDOW}: {WINDOW} in flight. The
  client is the same raw socket for all, its orders made ahead; what was acknowledged together is followed by as many in one write.
- median [least-most] of the rounds. Contenders are interleaved and their processes fresh in every round; ratios are taken within a
  round. Compare within one table only: machines drift, and less than 30 % is noise on a shared one.
- CPU: user and system time of the contender's process, the far side's and the client's not; of s, the far side's own. What is put off
  until after the last report counts. The kernel's ticks make it +-5 us in the closed loop, +-2 us in the window.
- e and d have the same far side, the simulated Apifiny in a process of its own; s is the client straight at it. e has file stores on
  both sides; the router keeps the venue's session in memory, as e-mem does. b, c, e have no dictionary; d validates both sessions.
- d is `fixrouter run` with the demo's configuration: journal, raw FIX log, structured log to a file. It is checked after each run that
  journal and raw log hold every order. d-log, d-raw, d-jnl take a part out by force: there is no setting for them. d-fix has no
  rest_url, stream_url and market_url: no second witness of executions, no prices, no balances.
- The stages in place are dearer than warm ones: between two orders other processes and threads have filled caches and branch predictors.
- a bounces what it reads in one piece: its window figure is that of a pipe, not of 64 messages.
- Any core: the scheduler may still put two processes on one, and does so with the short ones. A router that jumps between two cores pays
  for it at each hand-over of the GIL: that is the difference between the two tables' CPU figures.
- d/e is the figure that counts; aimed at are at most 1.2 at p50 and at least 0.8 in throughput."""


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    size = _QUICK if options.quick else _FULL
    until = time.monotonic() + options.minutes * 60
    head = description()
    rounds: dict[str, table.Rounds] = {mode: [] for mode, _ in _MODES}
    over_rest: rest.Rounds = {}
    try:
        for number in range(options.rounds):
            began = time.monotonic()
            _one_round(number, size, rounds)
            rest.one_round(number, options.quick, over_rest, _say)
            if time.monotonic() + (time.monotonic() - began) > until and number + 1 < options.rounds:
                _say(f"stopped after {number + 1} rounds: another would take longer than {options.minutes:g} minutes in all")
                break
        with tempfile.TemporaryDirectory(prefix="fixrouter-bench-") as folder:
            placed = in_place(_QUICK.closed if options.quick else _FULL.closed)
            measured = stages(Path(folder), calls=200 if options.quick else 3000)
    except (Failed, OSError) as wrong:
        _say(f"failed: {wrong}")
        return 1
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    lines = _page(head, size, rounds, placed, measured)
    lines += ["", "", *rest.page(options.quick, over_rest), "", "", *_READING.splitlines(), "", *rest.READING.splitlines()]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    path = options.out or (None if options.quick else _RESULTS)
    if path is not None:
        path.write_text(text, encoding="utf-8")
    return 0


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="The router beside bare QuickFIX.")
    parser.add_argument("--rounds", type=int, help="how often every contender is measured (5; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="few orders: to see that it works; writes no file unless told to")
    parser.add_argument("--minutes", type=float, default=8, help="no round is begun that would end later (8)")
    parser.add_argument("--out", type=Path, help="where the results are written (tests/bench/results.txt)")
    options = parser.parse_args()
    options.rounds = max(options.rounds or (1 if options.quick else 5), 1)
    return options


def _one_round(number: int, size: Size, rounds: dict[str, table.Rounds]) -> None:
    """Every contender in every mode; the variants in every second round, which is enough for a part's share."""
    for mode, _ in _MODES:
        figures = {}
        for contender in (*BASIC, *(VARIANTS if number % 2 == 0 else ())):
            figures[contender.key] = each = measure(contender, size, pinned=mode == "pinned")
            _say(f"round {number + 1}, {mode:6}  {contender.key:6}  p50 {each.p50:6.0f} us   {each.rate:8.0f} orders/s")
        rounds[mode].append(figures)


def _page(
    head: list[str], size: Size, rounds: dict[str, table.Rounds], placed: list[tuple[str, float, float]], measured: list[Stage]
) -> list[str]:
    count = len(rounds["free"])
    lines = ["fixrouter benchmark", *head, ""]
    orders = f"{size.warm_up} + {size.warm_up} orders to warm up, {size.closed} closed, {size.window} in the window"
    lines.append(f"runs      {count} rounds; in each, for every contender: {orders} (a: ten times as many)")
    for mode, title in _MODES:
        lines += ["", "", title, "", *table.contenders(rounds[mode]), "", "Ratios", *table.ratios(rounds[mode])]
        lines += ["", "What a part costs: d less d without it, and its throughput beside that", *table.parts(rounds[mode])]
    lines += ["", "", "WHAT EACH STAGE COSTS IN PLACE: d on one core, one order in flight; an indented line is part of that above", ""]
    lines += table.in_place_lines(placed)
    lines += ["", "", "WHAT EACH STAGE COSTS WARM: the router's code in a loop, one process, one thread", ""]
    return [*lines, *table.stage_lines(measured)]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The stages made objects of QuickFIX, whose destructors can crash.
    os._exit(code)
