"""The one REST and WebSocket shell: sockets, deadlines, reconnects, budgets and threads for every venue's protocol.

One thread runs an asyncio loop for all bridges; a protocol is only ever called on it. The router's commands arrive on other threads, under
the router's lock, and are handed over without waiting. What the shell promises a protocol:

- each request is answered or lost, once; a lost one says whether it may have left;
- a create has its place within a second or is refused at once: it never grows old in a queue. Cancels and queries wait, cancels first;
- requests are signed when they are sent;
- after a refused connection, a ban or a lost stream it starts anew by itself, with growing pauses that differ from bridge to bridge.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Protocol

import aiohttp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from bridges.purse import Purse
from bridges.wire import Answer, Budget, Changeable, Frame, Kind, Note, Out, Reconnect, Request, Told, VenueProtocol
from router.model import Held, LinkDown, LinkUp, Place, Priced, VenueCommand
from router.ports import Clock, Hear, Unsendable
from router.rules import Instrument

__all__ = ["Bridge", "Shell", "Teller"]

TICK_S = 0.05
ANSWER_WITHIN_S = 10
CONNECT_WITHIN_S = 3
FRAME_BYTES = 10 * 1024 * 1024
PATIENCE_S = 1.2
"""How long a new order may wait for its place in the budget before it is refused."""
BAN_S = 60.0
SKEW_S = 2.0
_FRAMES_AT_MOST = 10_000
_PAUSE_S = 0.02
_AT_WORK_NS = 4_000_000
"""Of a patient stream: how long it waits, and how long it then works on what has come."""
_SAY_AGAIN_S = 300
_TEXTS_AT_MOST = 1000
_SECOND = 1_000_000_000

Noted = Callable[..., None]


class Teller(Protocol):
    """Asks a protocol, often, what the core is to be told of (`Sampling`, `Reckoning`)."""

    def take(self, protocol: VenueProtocol, now: int) -> Priced | Held | None:
        """What is to be told now."""
        ...

    def watch(self, symbols: Sequence[str]) -> None:
        """These symbols of the venue are traded from now on."""
        ...


class Bridge:
    """One account at one venue; satisfies `ports.Venue`."""

    def __init__(
        self, name: str, protocol: VenueProtocol, rest_url: str, stream_url: str, hear: Hear, clock: Clock, note: Noted,
        purse: Purse | None = None, tellers: Sequence[Teller] = (), patient: bool = False,
    ) -> None:  # fmt: skip
        """`name` is the link's; `stream_url` is where the protocol's addresses start; `purse`: a budget shared with other bridges of the
        same account; `tellers`: what it is asked about now and then, for the core.
        `patient`: what its streams say can wait a little, so that those who trade go first."""
        self.name = name
        self._protocol = protocol
        self._rest_url = rest_url.rstrip("/")
        self._stream_url = stream_url
        self._hear = hear
        self._clock = clock
        self._note = note
        self._tellers = tellers
        self._purse = purse or Purse(protocol.budgets)
        self._patient = patient
        self._order_group = protocol.budgets[0].group
        self._banned_until = 0
        self._begun = False
        self._start = secrets.randbelow(1_000_000)
        self._serial = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._http: aiohttp.ClientSession | None = None
        self._streams: dict[str, ClientConnection] = {}
        self._frames: dict[str, asyncio.Queue[str]] = {name: asyncio.Queue(_FRAMES_AT_MOST) for name in protocol.streams}
        self._tickets: dict[int, Future[Told]] = {}
        self._ticket = 0
        self._cancels: deque[Request] = deque()
        self._queries: deque[Request] = deque()
        self._more = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.skew_s = 0.0
        """How far the venue's clock was ahead of ours at its last answer, seconds."""
        self._skew_told = False
        self._off = False
        self._told_at: dict[str, int] = {}

    # --- from the router's threads ----------------------------------------------------------------------------------------

    def mint(self, now: int) -> str:
        """A new order id (`ports.Venue.mint`)."""
        self._serial += 1
        return self._protocol.mint(now, self._start, self._serial)

    def submit(self, command: VenueCommand) -> None:
        """Hand a command over. Raises `Unsendable` for a create that has no budget now, or a venue that has shut us out."""
        if self._loop is None:
            raise Unsendable(f"{self.name} is not started")
        if isinstance(command, Place):
            now = self._clock()
            if self._off:
                raise Unsendable(f"{self.name} is switched off")
            if now < self._banned_until:
                raise Unsendable(f"{self.name} has shut us out for {(self._banned_until - now) // _SECOND + 1} s more")
            has_place, wait = self._purse.take(self._order_group, Kind.NEW, now, PATIENCE_S)
            if not has_place:
                raise Unsendable(f"the request budget of {self.name} is used up; the next order can go in {wait:.1f} s")
            if wait:
                self._loop.call_soon_threadsafe(self._loop.call_later, wait, self._send, command)
                return
        self._loop.call_soon_threadsafe(self._send, command)

    def cancel_all(self) -> None:
        """Cancel every open order of the account, whoever placed it. Raises `Unsendable` before the bridge runs."""
        if self._loop is None:
            raise Unsendable(f"{self.name} is not started")
        self._loop.call_soon_threadsafe(self._do, self._protocol.cancel_all)

    def learn(self, instruments: Sequence[Instrument]) -> None:
        """Have these symbols traded from now on; before any order of a new one is submitted."""
        if self._loop is None:
            self._protocol.learn(instruments, self._clock())  # what it wants done, it does when it begins
        else:
            self._loop.call_soon_threadsafe(self._learn, instruments)

    def recall(self, remembered: Mapping[str, str]) -> None:
        """Give the protocol what it asked to be remembered before a restart. Before it runs."""
        self._protocol.recall(remembered, self._clock())

    @property
    def topics(self) -> Mapping[str, str]:
        """What can be inquired about."""
        return self._protocol.topics

    def inquire(self, topic: str, arguments: Mapping[str, str]) -> Future[Told]:
        """Ask the venue something for an operator; the answer comes as the future's result. Raises `Unsendable` before the bridge runs."""
        if self._loop is None:
            raise Unsendable(f"{self.name} is not started")
        answer: Future[Told] = Future()
        self._loop.call_soon_threadsafe(self._inquire, self._protocol.inquire, topic, arguments, answer)
        return answer

    @property
    def changes(self) -> Mapping[str, str]:
        """What an operator can have changed at the venue beside orders."""
        return self._protocol.changes if isinstance(self._protocol, Changeable) else {}

    def change(self, what: str, arguments: Mapping[str, str]) -> Future[Told]:
        """Have it changed; the venue's answer comes as the future's result. Raises `Unsendable` before the bridge runs, and where there is
        no such thing."""
        if self._loop is None or not isinstance(self._protocol, Changeable):
            raise Unsendable(f"{self.name} is not started" if self._loop is None else f"{self.name} has no {what}")
        answer: Future[Told] = Future()
        self._loop.call_soon_threadsafe(self._inquire, self._protocol.change, what, arguments, answer)
        return answer

    def budgets(self) -> list[tuple[Budget, int, float]]:
        """`Budgets.used`, now."""
        return self._purse.used(self._clock())

    def enable(self, on: bool) -> None:
        """Connect, or disconnect and stay so. Before it runs: from its start on."""
        if self._loop is None:
            self._off = not on
        else:
            self._loop.call_soon_threadsafe(self._enable, on)

    def reconnect(self) -> None:
        """Disconnect, and connect again."""
        if self._loop is not None and not self._off:
            self._loop.call_soon_threadsafe(self._drop, "an operator has it connect anew")

    # --- on the loop ------------------------------------------------------------------------------------------------------

    def _learn(self, instruments: Sequence[Instrument]) -> None:
        for each in self._tellers:
            each.watch([instrument.venue_symbol for instrument in instruments])
        self._do(self._protocol.learn, instruments)

    def _enable(self, on: bool) -> None:
        was_off, self._off = self._off, not on
        if not on and not was_off:
            self._drop("switched off by an operator")

    def _drop(self, why: str) -> None:
        """Everything anew, as after a ban."""
        self._begun = False
        self._hear(LinkDown(self.name, why))
        for stream in list(self._streams.values()):
            self._task(stream.close())

    @property
    def _idle(self) -> bool:
        """Whether nothing may be said to the venue now."""
        return self._off or self._clock() < self._banned_until

    async def run(self) -> None:
        """Serve until canceled."""
        self._loop = asyncio.get_running_loop()
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S, sock_connect=CONNECT_WITHIN_S)
        async with aiohttp.ClientSession(timeout=timeout) as self._http, asyncio.TaskGroup() as group:
            group.create_task(self._tick_for_ever())
            group.create_task(self._pump_for_ever())
            for stream in self._protocol.streams:
                group.create_task(self._stream_for_ever(stream))

    def _inquire(self, ask: Callable[..., Sequence[Out]], what: str, arguments: Mapping[str, str], answer: Future[Told]) -> None:
        self._ticket += 1
        self._tickets[self._ticket] = answer
        self._do(ask, self._ticket, what, arguments)

    def _send(self, command: VenueCommand) -> None:
        self._do(self._protocol.send, command)

    def _do(self, say: Callable[..., Sequence[Out]], *what: Any, **stream: str) -> None:
        """Tell the protocol something, and do what it says."""
        for out in self._said(say, *what, **stream):
            match out:
                case Request(kind=Kind.NEW):
                    self._task(self._request(out))  # its budget was taken in `submit`
                case Request():
                    (self._cancels if out.kind is Kind.CANCEL else self._queries).append(out)
                    self._more.set()
                case Frame():
                    self._write(out)
                case Reconnect():
                    self._note("stream to be reopened", level="warning", link=self.name, stream=out.stream, why=out.why)
                    if out.stream in self._streams:
                        self._task(self._streams[out.stream].close())
                case Told():
                    ticket = self._tickets.pop(out.ticket, None)
                    if ticket is not None and ticket.set_running_or_notify_cancel():
                        ticket.set_result(out)
                case Note():
                    self._note("venue note", level=self._level(out), link=self.name, text=out.text)
                case LinkUp() if self._off:
                    pass  # an answer to what was asked before
                case LinkDown() if out.text.startswith("banned"):
                    self._banned_until = self._clock() + int(BAN_S * _SECOND)
                    self._begun = False
                    self._hear(out)
                case _:
                    self._hear(out)

    def _write(self, frame: Frame) -> None:
        """Queue a frame; a venue that makes us answer and never reads does not fill our memory."""
        try:
            self._frames[frame.stream].put_nowait(frame.text)
        except asyncio.QueueFull:
            self._note("stream to be reopened", level="warning", link=self.name, stream=frame.stream, why="it does not read")
            self._frames[frame.stream] = asyncio.Queue(_FRAMES_AT_MOST)
            if frame.stream in self._streams:
                self._streams[frame.stream].transport.abort()

    def _told(self, now: int) -> list[Out]:
        found = [each.take(self._protocol, now) for each in self._tellers]
        return [each for each in found if each is not None]

    def _level(self, said: Note) -> str:
        """What is the same every few seconds is said aloud once in a while."""
        now = self._clock()
        if len(self._told_at) > _TEXTS_AT_MOST:
            self._told_at.clear()
        if now - self._told_at.get(said.text, 0) < _SAY_AGAIN_S * _SECOND:
            return "debug"
        self._told_at[said.text] = now
        return said.level

    def _said(self, say: Callable[..., Sequence[Out]], *what: Any, **stream: str) -> Sequence[Out]:
        try:
            return say(*what, self._clock(), **stream)
        except Exception as fault:  # noqa: BLE001 - one venue's protocol must not end the thread that all of them share
            where = traceback.format_exc(limit=-3).replace("\n", " | ")
            return [
                Note(f"internal error in {say.__name__}, please report it: {fault!r} {where}", "error"),
                Reconnect("internal error", **stream),
            ]

    def _task(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tick_for_ever(self) -> None:
        while True:
            if not self._idle:
                if not self._begun:
                    self._begun = True
                    self._do(self._protocol.begin)
                self._do(self._protocol.tick)
                self._do(self._told)
            await asyncio.sleep(TICK_S)

    async def _pump_for_ever(self) -> None:
        """Cancels and queries, each when its budget allows; cancels first."""
        while True:
            await self._more.wait()
            self._more.clear()
            while waiting := self._cancels or self._queries:
                now = self._clock()
                wait = (self._banned_until - now) / _SECOND
                has_place = False
                if not self._idle:
                    has_place, wait = self._purse.take(waiting[0].group, waiting[0].kind, now)
                if has_place:
                    self._task(self._request(waiting.popleft()))
                else:
                    # A cancel may come meanwhile: look again at least at every tick.
                    await asyncio.sleep(min(max(wait, TICK_S / 2), TICK_S))

    async def _request(self, request: Request) -> None:
        assert self._http is not None
        signed = self._protocol.sign(request, self._clock())
        try:
            async with self._http.request(
                signed.method,
                (request.base or self._rest_url) + signed.target,
                data=signed.body.encode() or None,
                headers=dict(signed.headers),
            ) as response:
                answer = Answer(response.status, response.headers, await _whole(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as why:
            self._do(self._protocol.lost, request, False, f"no connection: {why}")
        except (aiohttp.ClientError, TimeoutError, OSError) as why:
            self._do(self._protocol.lost, request, True, f"no answer: {why or type(why).__name__}")
        else:
            self._look_at(request, answer)
            self._do(self._protocol.answered, request, answer)

    def _look_at(self, request: Request, answer: Answer) -> None:
        """What every answer tells, whatever the venue: that it has had enough, and what time it has."""
        now = self._clock()
        if answer.status == 429:
            pause = next((value for name, value in answer.headers.items() if name.lower().endswith("retry-after")), "1")
            with suppress(ValueError):
                self._purse.close(request.group, min(max(float(pause), 0.1), 600.0), now)
        with suppress(KeyError, ValueError, TypeError):
            skew = _date(answer.headers["Date"]) - now / _SECOND
            self.skew_s = skew
            late = abs(skew) > SKEW_S
            if late and not self._skew_told:
                self._note("clock skew", level="warning", link=self.name, venue_ahead_s=f"{skew:.1f}")
            self._skew_told = late

    async def _stream_for_ever(self, stream: str) -> None:
        failures = 0
        while True:
            opened = self._clock()
            why = "closed by the venue"
            try:
                if not self._idle:
                    at = self._protocol.address(stream, opened)
                    async with connect(
                        (at.base or self._stream_url) + at.suffix, additional_headers=dict(at.headers), open_timeout=CONNECT_WITHIN_S,
                        ping_interval=None, max_size=FRAME_BYTES, compression=None,
                        max_queue=1 if self._patient else 16,
                    ) as self._streams[stream]:  # fmt: skip
                        await self._converse(stream, self._streams[stream])
            except (OSError, TimeoutError, WebSocketException) as wrong:
                why = f"{wrong or type(wrong).__name__}"
            if self._streams.pop(stream, None) is not None:
                self._frames[stream] = asyncio.Queue(_FRAMES_AT_MOST)
            self._do(self._protocol.closed, why, stream=stream)
            failures = 0 if self._clock() - opened > 10 * _SECOND else failures + 1
            if self._idle:
                failures = 0  # it is not the venue that fails
            # Doubling pauses, spread by half, so that many bridges do not come back in step.
            await asyncio.sleep(min(0.1 * 2**failures, 30) * (0.5 + random.random()))  # noqa: S311 - jitter, not a secret

    async def _converse(self, stream: str, connection: ClientConnection) -> None:
        writer = asyncio.ensure_future(self._write_for_ever(connection, self._frames[stream]))
        try:
            self._do(self._protocol.opened, stream=stream)
            resumed = 0
            async for frame in connection:
                if self._patient and self._clock() - resumed > _AT_WORK_NS:
                    # The library stops reading meanwhile (`max_queue`): what comes is read in one go, and nobody wakes for each frame.
                    await asyncio.sleep(_PAUSE_S)
                    resumed = self._clock()
                self._do(self._protocol.receive, frame, stream=stream)
        finally:
            writer.cancel()

    async def _write_for_ever(self, stream: ClientConnection, frames: asyncio.Queue[str]) -> None:
        with suppress(WebSocketException):
            while True:
                await stream.send(await frames.get())


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    """An answer's body. Raises `aiohttp.ClientPayloadError` where it is longer than any venue's could be."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > FRAME_BYTES:
            raise aiohttp.ClientPayloadError(f"an answer of more than {FRAME_BYTES} bytes")
    return bytes(body)


@lru_cache(maxsize=16)
def _date(header: str) -> float:
    """A Date header, seconds since 1970; many answers share one."""
    return parsedate_to_datetime(header).timestamp()


class Shell:
    """The thread that all bridges share."""

    def __init__(self, bridges: Sequence[Bridge], died: Callable[[str], None]) -> None:
        """`died(why)` is called when a bridge ends by a fault of ours."""
        self._bridges = bridges
        self._died = died
        self._loop: asyncio.AbstractEventLoop | None = None
        self._all: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._main, name="bridges", daemon=True)

    def start(self) -> None:
        """Let the bridges connect. Does nothing where there are none."""
        if self._bridges:
            self._thread.start()

    def post(self, call: Callable[[], None]) -> None:
        """Have something called on the loop; nothing where it does not run. For measuring how late the loop is."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(call)

    def stop(self, within_s: float) -> None:
        """Close every connection."""
        if self._loop is not None and self._all is not None:
            self._loop.call_soon_threadsafe(self._all.cancel)
            self._thread.join(within_s)

    def _main(self) -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._all = asyncio.current_task()
        try:
            async with asyncio.TaskGroup() as group:
                for bridge in self._bridges:
                    group.create_task(bridge.run())
        except* Exception as faults:  # noqa: BLE001 - a fault of the shell must not end it silently, with the venue's orders unwatched
            self._died("; ".join(f"{type(each).__name__}: {each}" for each in faults.exceptions))
