"""One measurement of one contender: closed loop, then a window, with CPU time of both."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.client import batch
from tests.bench.contenders import Contender
from tests.bench.processes import on_one_core

__all__ = ["WINDOW", "Figures", "Size", "measure"]

WINDOW: Final = 64


@dataclass(frozen=True)
class Size:
    """Orders: not counted (twice), one at a time, in a window."""

    warm_up: int
    closed: int
    window: int


@dataclass(frozen=True)
class Figures:
    """Times in us, CPU in us an order, throughput in orders a second."""

    p50: float
    p99: float
    closed_cpu: float
    rate: float
    window_cpu: float


def measure(contender: Contender, size: Size, *, pinned: bool) -> Figures:
    """Start it, load it, end it. Raises `Failed`, `OSError`."""
    with ExitStack() as stack:
        stack.enter_context(on_one_core(pinned))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fixrouter-bench-", ignore_cleanup_errors=True)))
        running = contender.start(stack, folder)
        client, process = running.client, running.process
        batch(client, WINDOW, size.warm_up)
        at_first = process.cpu_us()
        closed, window = size.closed * contender.scale, size.window * contender.scale
        times = sorted(client.closed(client.make(closed)))
        between = process.cpu_us()
        taken = client.window(client.make(window), WINDOW)
        at_last = process.cpu_us()
        running.check(2 * size.warm_up + closed + window)
        return Figures(
            p50=median(times) / 1000,
            p99=times[len(times) * 99 // 100] / 1000,
            closed_cpu=(between - at_first) / closed,
            rate=window * 1e9 / taken,
            window_cpu=(at_last - between) / window,
        )
