"""Who is measured. Each contender starts its processes, fresh ones at every call, and gives a client that is ready to load it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.bench.client import Client, Failed, Party
from tests.bench.processes import Child, free_ports
from tests.bench.venue import Configuration, straight

__all__ = ["BASIC", "VARIANTS", "Contender", "Running", "timed"]

_READY_S: Final = 15


@dataclass(frozen=True)
class Running:
    """A contender at work: the process that is the contender, and whether it kept what it must keep."""

    client: Client
    process: Child
    check: Callable[[int], None] = lambda _: None
    """Called with the number of orders sent, after the last one. Raises `Failed`."""
    configuration: Configuration | None = None


@dataclass(frozen=True)
class Contender:
    """One row of the table."""

    key: str
    what: str
    start: Callable[[ExitStack, Path], Running]
    scale: int = 1
    """How many times as many orders it gets, for a contender too fast for the kernel's ticks."""


def _body(cl_ord_id: str, now: str) -> str:
    return f"11={cl_ord_id}\x0121=1\x0155=BTC/USDT\x0154=1\x0160={now}\x0138=0.001\x0140=2\x0144=65000\x0159=1\x01100=BINANCE\x01"


def _name(serial: int) -> str:
    return f"BENCH-{serial:07}"


_OMS: Final = Party("OMS42", "ROUTER", _body, _name, logon=lambda: "")
# What comes back is what was sent, so what is sent says that it is an acknowledgement.
_TCP: Final = Party("OMS42", "ROUTER", lambda cl_ord_id, now: _body(cl_ord_id, now) + "150=0\x01", _name, logon=None)


def _echo(kind: str, stack: ExitStack, folder: Path) -> Running:
    (port,) = free_ports(1)
    child = stack.enter_context(Child(["tests.bench.echo", kind, str(port), str(folder)], folder))
    return _loaded(stack, child, port, _TCP if kind == "tcp" else _OMS)


def _far_side(stack: ExitStack, folder: Path, level: str = "info", *more: tuple[str, str]) -> tuple[Configuration, Child]:
    configuration = Configuration(folder, level, *more)
    venue = stack.enter_context(configuration.simulator(folder))
    venue.listening(configuration.venue_port)
    return configuration, venue


def _straight(stack: ExitStack, folder: Path) -> Running:
    configuration, venue = _far_side(stack, folder)
    return _loaded(stack, venue, configuration.venue_port, straight())


def _hop(store: str, stack: ExitStack, folder: Path) -> Running:
    configuration, _ = _far_side(stack, folder)
    (port,) = free_ports(1)
    child = stack.enter_context(Child(["tests.bench.hop", store, str(port), str(configuration.venue_port), str(folder)], folder))
    return _loaded(stack, child, port, _OMS)


def _watched(stack: ExitStack, folder: Path) -> Running:
    running = _router("", "info", stack, folder)
    configuration = running.configuration
    assert configuration is not None
    watchers = ["tests.bench.watchers", configuration.admin_url, str(configuration.state / "admin.secret")]
    stack.enter_context(Child(watchers, folder)).said("watching")
    return running


def _router(without: str, level: str, stack: ExitStack, folder: Path, *more: tuple[str, str]) -> Running:
    configuration, _ = _far_side(stack, folder, level, *more)
    program = ["tests.bench.variant", without] if without else ["router"]
    child = stack.enter_context(Child([*program, "run", "--no-console", "--config", str(configuration.router)], folder))

    def check(orders: int) -> None:
        inputs = sum(path.read_bytes().count(b"\n") for path in (configuration.state / "journal").glob("*.log"))
        if "journal" not in without and inputs < 2 * orders:
            raise Failed(f"{orders} orders, but only {inputs} lines in the journal")
        raw = list((configuration.state / "fix" / "log").glob("*.messages.log"))
        if "rawlog" not in without and sum(path.read_bytes().count(b"\n") for path in raw) < 4 * orders:
            raise Failed(f"{orders} orders, but fewer than four lines each in the raw FIX log")

    return replace(_loaded(stack, child, configuration.client_port, _OMS, check), configuration=configuration)


def _power(stack: ExitStack, folder: Path) -> Running:
    return _router("", "info", stack, folder, (r'(?m)^durability = "process"', 'durability = "power"'))


def _alone(stack: ExitStack, folder: Path) -> Running:
    """Without Apifiny's REST and WebSocket side: the FIX session's word alone counts, and no prices, balances or positions are known."""
    return _router("", "info", stack, folder, *((rf"(?m)^{key} = .*\n", "") for key in ("rest_url", "stream_url", "market_url")))


def _unlimited(stack: ExitStack, folder: Path) -> Running:
    """Without the demo's limits."""
    return _router("", "info", stack, folder, (r"(?ms)^\[\[limits\]\]\n.*?(?=^\[|\Z)", ""))


def timed(stack: ExitStack, folder: Path) -> Running:
    """The router that times its own stages."""
    return _router("timed", "info", stack, folder)


def _loaded(stack: ExitStack, child: Child, port: int, party: Party, check: Callable[[int], None] = lambda _: None) -> Running:
    child.listening(port)
    try:
        client = Client(port, party)
        # Hung up before anybody is ended: nobody waits for the answer to a Logout.
        stack.callback(client.close)
        client.ready(_READY_S)
    except (OSError, Failed) as wrong:
        raise child.failed(str(wrong)) from wrong
    return Running(client, child, check)


def _contender(key: str, what: str, start: Callable[..., Running], *first: str) -> Contender:
    return Contender(key, what, lambda stack, folder: start(*first, stack, folder))


BASIC: Final = (
    replace(_contender("a", "raw TCP echo, Python, blocking sockets", _echo, "tcp"), scale=10),
    _contender("b", "bare QuickFIX echo, typed fields", _echo, "typed"),
    _contender("c", "bare QuickFIX echo, text codec", _echo, "text"),
    _contender("s", "the simulated Apifiny alone, far side of e and d", _straight),
    _contender("e", "bare two-session QuickFIX hop, file stores", _hop, "file"),
    _contender("e-mem", "e, with the router's stores: venue's in memory", _hop, "memory"),
    _contender("d", "THIS ROUTER, default settings, journal on", _router, "", "info"),
)
VARIANTS: Final = (
    Contender("d-ops", "d, with two operators looking on", _watched),
    Contender("d-pow", 'd, durability = "power"', _power),
    Contender("d-fix", "d without the second witness", _alone),
    Contender("d-lim", "d without limits", _unlimited),
    _contender("d-err", "d, log level error (a setting)", _router, "", "error"),
    _contender("d-log", "d without the structured log", _router, "log", "info"),
    _contender("d-raw", "d without the raw FIX log", _router, "rawlog", "info"),
    _contender("d-jnl", "d without the journal", _router, "journal", "info"),
    _contender("d-bare", "d without all three", _router, "log,rawlog,journal", "info"),
)
