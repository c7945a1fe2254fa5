"""What the router's stages cost in place: in the running router, between its threads, with whatever else has filled the caches.

The figures of `stages` are those of warm loops; here the same calls are timed where they are made, one order in flight, everything pinned
to one core. A figure includes what is called inside it and about 1 us of timing for each such call; wall time also includes the waits for
the GIL, and the other processes' work on that core: sending an order lets the venue answer before the call returns."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from statistics import median
from typing import Any, Final

import quickfix

from fix.acceptor import Acceptor
from fix.apifiny import ApifinyDialect
from fix.client import ClientDialect
from fix.initiator import Initiator, VenueLink
from router.engine import Engine
from router.journal import JournalWriter
from router.logs import Narrator
from router.runtime import Runtime

__all__ = ["TIMES", "in_place", "install"]

TIMES: Final = "FIXROUTER_BENCH_TIMES"
"""Environment variable: the file that the times are written to when the router stops."""

_ACCEPTOR_THREAD: Final = "fix-acceptor"
# Class, method, which argument's type tells the calls apart (None: none), name indented by depth.
_CALLS: Final[tuple[tuple[Any, str, int | None, str], ...]] = (
    (Acceptor, "fromApp", None, "client's order, whole callback"),
    (ClientDialect, "decode", None, "  decode client's order"),
    (Runtime, "step", 1, "  step"),
    (JournalWriter, "append", 1, "    journal"),
    (Engine, "apply", 1, "    engine"),
    (VenueLink, "submit", None, "    venue's order, encode to send"),
    (ApifinyDialect, "encode", None, "      encode venue's order"),
    (Initiator, "fromApp", None, "venue's report, whole callback"),
    (ApifinyDialect, "decode", None, "  decode venue's report"),
    (Acceptor, "report", None, "    client's report, encode to send"),
    (ClientDialect, "encode", None, "      encode client's report"),
    (Narrator, "observe", 1, "    structured log, into the queue"),
)
_SEND: Final = "      QuickFIX sendToTarget"
_ORDER: Final = (
    "client's order", "  decode client's", "  step: NewOrder", "    journal: NewOrder", "    engine: NewOrder", "    venue's order",
    "      encode venue's", f"{_SEND} to the venue", "    structured log, into the queue: NewOrder",
    "venue's report", "  decode venue's", "  step: Accepted", "    journal: Accepted", "    engine: Accepted", "    client's report",
    "      encode client's", f"{_SEND} to the client", "    structured log, into the queue: Accepted",
)  # fmt: skip
"""How the lines begin, in the order of an order's path. What is named otherwise (a tick, a link) is left out."""


def install() -> None:
    """Time the calls of this process's router, and write the medians when its log is closed, the last thing that it does."""
    times: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for owner, method, argument, name in _CALLS:
        setattr(owner, method, _timed(getattr(owner, method), times, name, argument))
    session = quickfix.Session
    session.sendToTarget = staticmethod(_timed(session.sendToTarget, times, _SEND, None))
    close = Narrator.close

    def write(self: Narrator) -> None:
        late = {name: each[len(each) // 4 :] for name, each in times.items() if len(each) > 100}
        medians = {name: (median(wall for wall, _ in each) / 1000, median(cpu for _, cpu in each) / 1000) for name, each in late.items()}
        Path(os.environ[TIMES]).write_text(json.dumps(medians), encoding="utf-8")
        close(self)

    Narrator.close = write  # type: ignore[method-assign]


def in_place(orders: int) -> list[tuple[str, float, float]]:
    """Run a router that is timed, pinned, one order in flight. Name, us and us of the thread's CPU a call, in the order of an order's
    path."""
    # Here and not above: the timed router, which needs `install` alone, imports this file as well.
    from tests.bench.contenders import timed
    from tests.bench.processes import on_one_core

    with tempfile.TemporaryDirectory(prefix="fixrouter-bench-", ignore_cleanup_errors=True) as name:
        file = Path(name) / "times.json"
        os.environ[TIMES] = str(file)
        with on_one_core(True), ExitStack() as stack:
            running = timed(stack, Path(name))
            running.client.closed(running.client.make(orders))
        found: dict[str, tuple[float, float]] = json.loads(file.read_text(encoding="utf-8"))
    return [(name, *found[name]) for beginning in _ORDER for name in found if name.startswith(beginning)]


def _timed(call: Callable[..., Any], times: dict[str, list[tuple[int, int]]], name: str, argument: int | None) -> Callable[..., Any]:
    clock, cpu, thread = time.perf_counter_ns, time.thread_time_ns, threading.current_thread

    @wraps(call)
    def timed(*arguments: Any, **named: Any) -> Any:
        label = name if argument is None else f"{name}: {type(arguments[argument]).__name__}"
        if name is _SEND:
            label += " to the venue" if thread().name == _ACCEPTOR_THREAD else " to the client"
        start, start_cpu = clock(), cpu()
        try:
            return call(*arguments, **named)
        finally:
            times[label].append((clock() - start, cpu() - start_cpu))

    return timed
