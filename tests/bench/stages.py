"""What each stage of the router costs, in one process and on one thread: no sockets, no waiting, no other thread that wants the GIL.

The stages are those of one limit order that is accepted and rests, in their order, with the router's own code and the demo's
configuration. A stage's figure is the median of its single calls, less that of the empty measurement. `sendToTarget` is measured on
sessions that are not connected: numbering, store and callback, but no socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
import quickfix

from fix.acceptor import session_id
from fix.apifiny import ApifinyDialect
from fix.client import ClientDialect
from fix.rawlog import RawLogs
from fix.rim import capabilities
from fix.text import fields
from router.engine import Engine
from router.journal import JournalWriter
from router.logs import Narrator
from router.model import Accepted, Effect, ExecutionReport, Input, LinkUp, NewOrder, Send, Started, Tick
from router.runtime import Runtime
from router.settings import load
from tests.bench.echo import ACCEPTOR, Quiet
from tests.bench.venue import ACCOUNT, Configuration

__all__ = ["Stage", "stages"]

Stage = tuple[str, float, int]
"""Its name, us a call, calls an order."""

Timer = Callable[..., float]
"""`us(work, items)`: the median of `work(item)`, us."""

_CLIENT: Final = "FIX.4.2:ROUTER->OMS42"
_LINK: Final = f"FIX.4.2:{ACCOUNT}->APIFINY"
_LIVE: Final = 10_000


class _Deaf:
    """Clients and a venue that take everything and do nothing with it."""

    def __init__(self) -> None:
        self._serial = 0

    def report(self, message: object, possibly_resent: bool = False) -> None:
        """Nothing."""

    def submit(self, command: object) -> None:
        """Nothing."""

    def mint(self, now: int) -> str:
        self._serial += 1
        return f"00000001{self._serial:06}{now // 1_000_000:013}{self._serial % 1000:03}"


class _Bench:
    """The demo's configuration, and the orders and reports that are sent through it."""

    def __init__(self, folder: Path, calls: int) -> None:
        settings = load(Configuration(folder).router)
        self._configured = settings.frozen(capabilities(settings))
        self.folder = folder
        self.client = ClientDialect("FIX.4.2", _CLIENT)
        self.venue = ApifinyDialect("apifiny", ACCOUNT)
        self.policy = self.engine().state.policy
        self.journal = _journal(folder / "stage-journal")
        venue = _Deaf()
        self.orders = [_named(self.decoded(serial), venue) for serial in range(calls)]
        self.accepted = [_accepted(order.venue_cl_ord_id) for order in self.orders]

    def engine(self) -> Engine:
        """A fresh engine, its link up."""
        engine = Engine()
        opening: tuple[Input, ...] = (self._configured, Started("bench"), LinkUp(_LINK))
        for event in opening:
            engine.apply(event, time.time_ns())
        return engine

    def runtime(self, observe: Callable[[Any, list[Effect]], None]) -> Runtime:
        """A runtime with a journal and nobody at its ends."""
        deaf = _Deaf()
        runtime = Runtime(Engine(), _journal(self.folder / "whole-journal"), deaf, {_LINK: deaf}, time.time_ns, observe)
        runtime.start(self._configured, "bench")
        runtime.step(LinkUp(_LINK))
        return runtime

    def decoded(self, serial: int) -> NewOrder:
        """An order as it comes from the client."""
        order = self.client.decode(fields(_client_text(serial)))
        assert isinstance(order, NewOrder)
        return order

    def place(self) -> Send:
        """What goes to the venue for the first order."""
        (effect,) = (each for each in self.engine().apply(self.orders[0], time.time_ns()) if isinstance(each, Send))
        return effect

    def report(self) -> ExecutionReport:
        """What goes to the client for the first acknowledgement."""
        engine = self.engine()
        engine.apply(self.orders[0], time.time_ns())
        (effect,) = (each for each in engine.apply(self.accepted[0], time.time_ns()) if isinstance(each, ExecutionReport))
        return effect


def _journal(folder: Path) -> JournalWriter:
    journal = JournalWriter(folder)
    for _ in journal.replay():
        """It is new: nothing."""
    return journal


def stages(folder: Path, calls: int) -> list[Stage]:
    """Measure them, `calls` calls each."""
    empty = _each(lambda _: None, range(calls))

    def us(work: Callable[[Any], object], items: Iterable[Any] = range(calls)) -> float:
        return max(_each(work, items) - empty, 0) / 1000

    bench = _Bench(folder, calls)
    return [*_inward(bench, us), *_outward(bench, us), *_quickfix(bench, us), *_logs(bench, us), *_whole(bench, us)]


def _inward(bench: _Bench, us: Timer) -> list[Stage]:
    """From the client's order to the venue's."""
    message = quickfix.Message(_client_text(0), False)
    text = message.toString()
    found = fields(text)
    order, policy, venue, journal, engine = bench.orders[0], bench.policy, _Deaf(), bench.journal, bench.engine()
    now = time.time_ns()
    command = bench.place().command
    encoded = bench.venue.encode(command)
    return [
        ("client's order: Message.toString", us(lambda _: message.toString()), 1),
        ("client's order: split into fields", us(lambda _: fields(text)), 1),
        ("client's order: decode to NewOrder", us(lambda _: bench.client.decode(found)), 1),
        ("route, and mint the venue's id", us(lambda _: (policy.route(order, now, lambda _: True), venue.mint(now))), 1),
        ("journal: NewOrder", us(lambda each: journal.append(each, now), bench.orders), 1),
        ("engine: NewOrder", us(lambda each: engine.apply(each, now), bench.orders), 1),
        ("venue's order: encode", us(lambda _: bench.venue.encode(command)), 1),
        ("venue's order: Message(text)", us(lambda _: quickfix.Message(encoded, False)), 1),
    ]


def _outward(bench: _Bench, us: Timer) -> list[Stage]:
    """From the venue's report to the client's."""
    message = quickfix.Message(_venue_text(bench.orders[0].venue_cl_ord_id), False)
    text = message.toString()
    found = fields(text)
    journal, engine = bench.journal, bench.engine()
    now = time.time_ns()
    for order in bench.orders:
        engine.apply(order, now)
    report = bench.report()
    encoded = bench.client.encode(report)
    return [
        ("venue's report: Message.toString", us(lambda _: message.toString()), 1),
        ("venue's report: split into fields", us(lambda _: fields(text)), 1),
        ("venue's report: decode to Accepted", us(lambda _: bench.venue.decode(found)), 1),
        ("journal: Accepted", us(lambda each: journal.append(each, now), bench.accepted), 1),
        ("engine: Accepted", us(lambda each: engine.apply(each, now), bench.accepted), 1),
        ("client's report: encode", us(lambda _: bench.client.encode(report)), 1),
        ("client's report: Message(text)", us(lambda _: quickfix.Message(encoded, False)), 1),
    ]


def _quickfix(bench: _Bench, us: Timer) -> list[Stage]:
    """Sending to sessions that nobody is logged on to, by both kinds of store; the initiator's calls nobody either."""
    encoded = bench.client.encode(bench.report())
    built = us(lambda _: quickfix.Message(encoded, False))
    result = []
    for name, target in (("file", "FILE"), ("memory", "MEMORY")):
        settings = quickfix.SessionSettings()
        settings.setFromString(ACCEPTOR.format(port=1, folder=bench.folder, store="stage-store").replace("OMS42", target))
        application = Quiet()
        stores = quickfix.FileStoreFactory(settings) if name == "file" else quickfix.MemoryStoreFactory()
        _KEPT.append((quickfix.SocketAcceptor(application, stores, settings), application, stores, settings))
        session = session_id(f"FIX.4.2:ROUTER->{target}")
        sent = us(lambda _, session=session: quickfix.Session.sendToTarget(quickfix.Message(encoded, False), session))
        result.append((f"QuickFIX: sendToTarget, store in {name}, without the socket", max(sent - built, 0), 1))
    return result


def _logs(bench: _Bench, us: Timer) -> list[Stage]:
    text, engine, now = _client_text(0), bench.engine(), time.time_ns()
    logs = RawLogs(bench.folder / "stage-log", time.time_ns, lambda *_: None)
    raw = logs.create(session_id(_CLIENT))
    _KEPT.append((logs, raw))
    inputs: tuple[Input, ...] = (*bench.orders, *bench.accepted)
    told = [(event, engine.apply(event, now)) for event in inputs]
    with (bench.folder / "stage.log").open("w", encoding="utf-8") as stream:
        narrator = Narrator(stream)
        begin = time.process_time_ns()
        put = us(lambda each: narrator.observe(*each), told)
        narrator.close()
        worded = (time.process_time_ns() - begin) / 1000 / len(told) - put
    return [
        ("raw FIX log: one line, without QuickFIX's call of it", us(lambda _: raw.onIncoming(text)), 4),
        ("structured log: into the queue", put, 2),
        ("structured log: word and write, own thread, same GIL (CPU)", max(worded, 0), 2),
    ]


def _whole(bench: _Bench, us: Timer) -> list[Stage]:
    """Runtime.step with nobody at its ends: journal, engine and what is around them, once more and together."""
    effects: list[Effect] = []
    runtime = bench.runtime(lambda _, done: effects.extend(done))
    placing = us(runtime.step, [bench.decoded(serial) for serial in range(len(bench.orders))])
    accepting = us(runtime.step, [_accepted(effect.command.venue_cl_ord_id) for effect in effects if isinstance(effect, Send)])
    engine, venue = bench.engine(), _Deaf()
    for serial in range(_LIVE):
        engine.apply(_named(bench.decoded(serial), venue), time.time_ns())
    return [
        ("together: Runtime.step of NewOrder, nobody at the ends", placing, 0),
        ("together: Runtime.step of Accepted, nobody at the ends", accepting, 0),
        (f"a Tick with {_LIVE:,} live orders; four a second under load", us(lambda _: engine.apply(Tick(), 0), range(20)), 0),
    ]


_KEPT: Final[list[object]] = []
"""QuickFIX's objects must outlive everything that may call them."""


def _named(order: NewOrder, venue: _Deaf) -> NewOrder:
    """As the runtime does it before it journals an order."""
    return msgspec.structs.replace(order, venue_cl_ord_id=venue.mint(time.time_ns()))


def _accepted(venue_cl_ord_id: str) -> Accepted:
    return Accepted(account="apifiny", exec_id=f"E{venue_cl_ord_id}", venue_cl_ord_id=venue_cl_ord_id, venue_order_id=f"V{venue_cl_ord_id}")


def _client_text(serial: int) -> str:
    return (
        f"8=FIX.4.2\x019=0\x0135=D\x0134=9\x0149=OMS42\x0152=20260102-03:04:05.678\x0156=ROUTER\x0111=BENCH-{serial:07}\x0121=1\x01"
        "38=0.001\x0140=2\x0144=65000\x0154=1\x0155=BTC/USDT\x0159=1\x0160=20260102-03:04:05.678\x01100=BINANCE\x0110=000\x01"
    )


def _venue_text(venue_cl_ord_id: str) -> str:
    return (
        f"8=FIX.4.2\x019=0\x0135=8\x0134=9\x0149=APIFINY\x0152=20260102-03:04:05.678\x0156={ACCOUNT}\x0111={venue_cl_ord_id}\x01"
        "14=0\x0117=1767323045678-1\x0137=1767323045678000000001\x0138=0.001\x0139=0\x0144=65000\x0154=1\x0155=BTCUSDT\x01"
        "60=20260102-03:04:05.678\x01150=0\x01151=0.001\x01207=BINANCE\x0110=000\x01"
    )


def _each(work: Callable[[Any], object], items: Iterable[Any]) -> float:
    """Median of ns a call."""
    clock, times = time.perf_counter_ns, []
    for item in items:
        start = clock()
        work(item)
        times.append(clock() - start)
    return median(times)
