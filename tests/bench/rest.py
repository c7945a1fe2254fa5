"""REST: a FIX order in, the simulated Phemex, the first report out; beside what a client library's call alone takes, and a bare POST.

`python -m tests.bench` has this as a section of its own; `python -m tests.bench.rest` measures it alone. In a round all contenders meet
the same process of the simulated Phemex, one after the other and in another order each round; their own processes are fresh."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import socket
import sys
import tempfile
import time
import tomllib
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.bench.client import Client, Failed, Party
from tests.bench.direct import PRICE
from tests.bench.machine import description
from tests.bench.measure import Size
from tests.bench.processes import ROOT, Child, free_ports, on_one_core

__all__ = ["DEPTH", "READING", "Rounds", "one_round", "page"]

DEPTH: Final = 16
TITLE: Final = "REST: FIX order in → simulated Phemex → first report out"
_FULL: Final = Size(warm_up=200, closed=1000, window=3000)
_QUICK: Final = Size(warm_up=50, closed=200, window=500)
_MODES: Final = (("free", "Any core"), ("pinned", "One core: client, contender and venue pinned to it"))
_READY_S: Final = 15
_WAIT_S: Final = 60
_TABLE: Final = re.compile(r"(?m)^(?=\[)")
_KEY_ID: Final = "demo-key"

READING: Final = f"""How to read the REST section
- r: from the client's send of a FIX order to the report 150=0 of its ClOrdID. x, p: from the call of their function to its return. closed:
  one order in flight. window {DEPTH}: {DEPTH} in flight; r's on one FIX session, x's and p's from {DEPTH} tasks of one loop.
- All place the same resting limit order at the same simulated Phemex, over kept HTTP connections. Its rate limit is off
  (requests_per_minute = 0), and its orders are gone before the next contender. That every order arrived is asked of the venue.
- r is `fixrouter run` with the demo's configuration less Crypto.com: journal, raw FIX log, structured log to a file. The router keeps to
  the venue's 200 requests a minute by itself: that alone is lifted, by a launcher of the benchmark's (tests/bench/unbudgeted.py). r also
  hears each order on its account stream, which x and p have not asked for; whichever speaks first, stream or answer, makes the report.
- x is ccxt's async phemex.create_order, throttle off, `posSide` left out, which the venue's document of 2019 has not; all else is ccxt's.
  p makes a body, signs it, posts it with aiohttp, and reads the answer's code. Neither remembers or writes anything.
- r's client is a process beside the router, x and p are their own clients. CPU: user and system time of the contender's process; venue's
  CPU: that of the simulated Phemex in the window, the account stream's part in r included.
- The simulated venue is one Python process: its CPU an order is what it takes at least from one order to the next, whoever asks.
- r/x is the figure that counts; aimed at are at most 1 at p50 and at least 1 in throughput."""


@dataclass(frozen=True)
class Figures:
    """Times in us, CPU in us an order, throughput in orders a second."""

    p50: float
    p99: float
    closed_cpu: float
    rate: float
    window_cpu: float
    venue_cpu: float


@dataclass(frozen=True)
class _Running:
    """A contender at work. `closed(count)`: ns each. `window(count)`: ns for all."""

    process: Child
    closed: Callable[[int], list[int]]
    window: Callable[[int], int]
    check: Callable[[int], None] = lambda _: None


Rounds = dict[str, list[dict[str, Figures]]]
"""By mode, one dict a round, figures by the contender's key."""


class _Site:
    """The demo's configuration on other ports, without Crypto.com, and its simulated Phemex as a process without a rate limit."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.client_port, self._venue_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self._venue_port}"
        self.folder = folder
        self._demo = folder / "config" / "demo"
        shutil.copytree(ROOT / "config", folder / "config")
        self._edit("simulators.toml", r"(?m)^port = 9201$", f"port = {self._venue_port}")
        self._edit("simulators.toml", r"(?m)^requests_per_minute = \d+", "requests_per_minute = 0")
        self._edit("router.toml", r"127\.0\.0\.1:9201\b", f"127.0.0.1:{self._venue_port}")
        self._edit("clients.cfg", r"(?m)^SocketAcceptPort=\d+", f"SocketAcceptPort={self.client_port}")
        self._edit("router.toml", r"\[front_door\]\nhost = .*\nport = .*\n", "")  # its cost is measured by itself
        # The FIX venues' file must have a session: one try to reach Apifiny, where nobody is, and no other while this runs.
        self._edit("apifiny.cfg", r"(?m)^SocketConnectPort=\d+", f"SocketConnectPort={free_ports(1)[0]}")
        self._edit("apifiny.cfg", r"(?m)^ReconnectInterval=\d+", "ReconnectInterval=3600")
        self._router = self._demo / "router.toml"
        self._router.write_text(_without(self._router.read_text(), "cryptocom"))
        self.secret = self._demo / "phemex.secret"
        arguments = ["router", "simulate", "phemex", "--config", str(self._demo / "simulators.toml")]
        self.venue = stack.enter_context(Child(arguments, folder))
        self.venue.listening(self._venue_port)

    def router(self, state: Path) -> list[str]:
        """The arguments of a router whose state is in this folder."""
        text, states = re.subn(r"(?m)^state = .*$", f'state = "{state}"', self._router.read_text())
        if states != 1:
            raise Failed("config/demo/router.toml: state is not where the benchmark looks for it")
        self._router.write_text(text)
        return ["run", "--no-console", "--config", str(self._router)]

    def taken(self) -> int:
        """Orders that the venue has answered with yes so far."""
        with urllib.request.urlopen(f"{self.url}/_sim/requests", timeout=_READY_S) as answer:
            told = json.load(answer)
        return int(told["by_code"].get("0", 0))

    def reset(self) -> None:
        """No order of the last contender's is left."""
        request = urllib.request.Request(f"{self.url}/_sim/reset", data=b"{}", headers={"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=_READY_S):
            pass

    def _edit(self, file: str, pattern: str, text: str) -> None:
        path = self._demo / file
        after, count = re.subn(pattern, text, path.read_text())
        if not count:
            raise Failed(f"config/demo/{file} has no {pattern}")
        path.write_text(after)


def _without(text: str, account: str) -> str:
    """A router's TOML without the tables of one account."""
    kept = []
    for table in _TABLE.split(text):
        entries = tomllib.loads(table)
        ours = [each["name"] for each in entries.get("accounts", ())] + [each["account"] for each in entries.get("destinations", ())]
        if account not in ours:
            kept.append(table)
    return "".join(kept)


# --- contenders -------------------------------------------------------------------------------------------------------------


def _order(cl_ord_id: str, now: str) -> str:
    return f"11={cl_ord_id}\x0121=1\x0155=BTC/USD\x0154=1\x0160={now}\x0138=1\x0140=2\x0144={PRICE}\x0159=1\x01100=PHEMEX\x01"


_OMS: Final = Party("OMS42", "ROUTER", _order, lambda serial: f"BENCH-{serial:07}", logon=lambda: "")


def _routed(site: _Site, stack: ExitStack, folder: Path) -> _Running:
    state = folder / "state"
    child = stack.enter_context(Child(["tests.bench.unbudgeted", *site.router(state)], folder))
    child.listening(site.client_port)
    try:
        client = Client(site.client_port, _OMS)
        stack.callback(client.close)
        client.ready(_READY_S)
    except (OSError, Failed) as wrong:
        raise child.failed(str(wrong)) from wrong

    def check(orders: int) -> None:
        inputs = sum(path.read_bytes().count(b"\n") for path in (state / "journal").glob("*.log"))
        if inputs < 2 * orders:
            raise Failed(f"{orders} orders, but only {inputs} lines in the journal")

    return _Running(
        child, lambda count: client.closed(client.make(count)), lambda count: client.window(client.make(count), min(DEPTH, count)), check
    )


def _direct(kind: str, site: _Site, stack: ExitStack, folder: Path) -> _Running:
    (port,) = free_ports(1)
    child = stack.enter_context(Child(["tests.bench.direct", kind, site.url, _KEY_ID, str(site.secret), str(port)], folder))
    child.listening(port)
    line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=_WAIT_S))
    answers = stack.enter_context(line.makefile("rb"))

    def told(what: str) -> Any:
        line.sendall(f"{what}\n".encode())
        try:
            answer = answers.readline()
        except TimeoutError:
            answer = b""
        if not answer:
            raise child.failed(f"no answer to {what!r}")
        return json.loads(answer)

    return _Running(child, lambda count: told(f"closed {count}"), lambda count: told(f"window {count} {DEPTH}"))


_CONTENDERS: Final[tuple[tuple[str, str, Callable[[_Site, ExitStack, Path], _Running]], ...]] = (
    ("p", "bare signed aiohttp POST", partial(_direct, "bare")),
    ("x", "ccxt async phemex.create_order, throttle off", partial(_direct, "ccxt")),
    ("r", "THIS ROUTER, FIX to FIX, journal on", _routed),
)


def _installed() -> str:
    """ccxt's version, "" where it is not installed."""
    try:
        return version("ccxt")
    except PackageNotFoundError:
        return ""


# --- measuring --------------------------------------------------------------------------------------------------------------


def one_round(number: int, quick: bool, rounds: Rounds, say: Callable[[str], None]) -> None:
    """Every contender in every mode, once. Raises `Failed`, `OSError`."""
    size = _QUICK if quick else _FULL
    present = [each for each in _CONTENDERS if each[0] != "x" or _installed()]
    turn = number % len(present)
    for mode, _ in _MODES:
        figures = {}
        with ExitStack() as stack:
            stack.enter_context(on_one_core(mode == "pinned"))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fixrouter-bench-", ignore_cleanup_errors=True)))
            site = _Site(stack, folder)
            for key, _, start in (*present[turn:], *present[:turn]):
                (folder / key).mkdir()
                figures[key] = each = _measured(site, start, folder / key, size)
                say(f"round {number + 1}, {mode:6}  REST {key:6}  p50 {each.p50:6.0f} us   {each.rate:8.0f} orders/s")
        rounds.setdefault(mode, []).append(figures)


def _measured(site: _Site, start: Callable[[_Site, ExitStack, Path], _Running], folder: Path, size: Size) -> Figures:
    site.reset()
    with ExitStack() as stack:
        running = start(site, stack, folder)
        process, venue = running.process, site.venue
        before = site.taken()
        running.closed(size.warm_up)
        running.window(size.warm_up)
        at_first = process.cpu_us()
        times = sorted(running.closed(size.closed))
        between, venue_between = process.cpu_us(), venue.cpu_us()
        took = running.window(size.window)
        at_last, venue_at_last = process.cpu_us(), venue.cpu_us()
        orders = 2 * size.warm_up + size.closed + size.window
        if (taken := site.taken() - before) != orders:
            raise Failed(f"{orders} orders were placed, the venue took {taken}")
        running.check(orders)
        return Figures(
            p50=median(times) / 1000,
            p99=times[len(times) * 99 // 100] / 1000,
            closed_cpu=(between - at_first) / size.closed,
            rate=size.window * 1e9 / took,
            window_cpu=(at_last - between) / size.window,
            venue_cpu=(venue_at_last - venue_between) / size.window,
        )


# --- the page ---------------------------------------------------------------------------------------------------------------

_COLUMNS: Final[tuple[tuple[str, Callable[[Figures], float], int], ...]] = (
    ("closed p50 us", lambda each: each.p50, 22),
    ("closed p99 us", lambda each: each.p99, 22),
    ("CPU us/order", lambda each: each.closed_cpu, 19),
    (f"window {DEPTH} orders/s", lambda each: each.rate, 23),
    ("CPU us/order", lambda each: each.window_cpu, 19),
    ("venue's CPU us/order", lambda each: each.venue_cpu, 22),
)


def page(quick: bool, rounds: Rounds) -> list[str]:
    """The section's lines."""
    size = _QUICK if quick else _FULL
    lines = [TITLE, ""]
    lines.append(
        f"{2 * size.warm_up} orders to warm up, {size.closed} closed, {size.window} in the window, for every contender in each round"
    )
    lines.append(
        f"ccxt {_installed()}, aiohttp {version('aiohttp')}" if _installed() else "ccxt is not installed (the extra `bench`): no row x"
    )
    for mode, title in _MODES:
        lines += ["", title, f"{'':52}" + "".join(f"{name:>{width}}" for name, _, width in _COLUMNS)]
        for key, what, _ in _CONTENDERS:
            measured = [each[key] for each in rounds.get(mode, ()) if key in each]
            if measured:
                cells = "".join(f"{_spread([of(each) for each in measured], ',.0f'):>{width}}" for _, of, width in _COLUMNS)
                lines.append(f"{key:4}{what:48}{cells}")
        lines += [_ratio(rounds.get(mode, []), other) for other in ("x", "p")]
    return lines


def _ratio(rounds: Sequence[dict[str, Figures]], other: str) -> str:
    pairs = [(each["r"], each[other]) for each in rounds if other in each]
    p50 = _spread([r.p50 / o.p50 for r, o in pairs], ".2f")
    return f"{'r/' + other:8}p50 {p50:20} throughput {_spread([r.rate / o.rate for r, o in pairs], '.2f')}"


def _spread(values: Sequence[float], form: str) -> str:
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:{form}}"
    return f"{median(values):{form}} [{min(values):{form}}-{max(values):{form}}]"


def main() -> int:
    """This section alone, to the terminal."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.rest", description=TITLE)
    parser.add_argument("--rounds", type=int, default=0, help="how often every contender is measured (5; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="few orders: to see that it works")
    parser.add_argument("--minutes", type=float, default=4, help="no round is begun after so many (4)")
    options = parser.parse_args()
    until = time.monotonic() + options.minutes * 60
    head = description()
    rounds: Rounds = {}
    try:
        for number in range(options.rounds or (1 if options.quick else 5)):
            if number and time.monotonic() > until:
                break
            one_round(number, options.quick, rounds, lambda line: print(line, file=sys.stderr, flush=True))
    except (Failed, OSError) as wrong:
        print(f"failed: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print("\n".join([*head, "", *page(options.quick, rounds), "", *READING.splitlines()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
