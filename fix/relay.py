"""What the gate and the tunnels share: two connections that are one line, a listening socket, the thread they run on.

A line decides nothing of what it carries: what one side hears, the other is told, at once and unchanged. It bounds what it holds:
a side that does not take what it is owed is either waited for (the other side is not read meanwhile) or cut off."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Protocol

__all__ = ["Line", "LineThread", "Noted", "Side", "accept_for_ever", "listening"]

Noted = Callable[..., None]
"""A structured log call: an event's name, its level, and its fields."""


class Side(asyncio.Protocol):
    """One end of a line."""

    __slots__ = ("cut_at", "gone", "heard", "line", "name", "other", "transport")

    line: Line
    other: asyncio.Transport
    transport: asyncio.Transport

    def __init__(self, name: str, cut_at: int | None) -> None:
        """`name` for the log. `cut_at`: it is cut off when it owes to take so many bytes; None: it is waited for."""
        self.name = name
        self.cut_at = cut_at
        self.heard = 0
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.pause_reading()  # until the line is joined

    def abort(self) -> None:
        """Close it now, where it is connected: asyncio's abort raises on a connection that closed after its last write."""
        if hasattr(self, "transport") and not self.gone:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard += len(data)
        if not self.line.why:
            self.other.write(data)

    def pause_writing(self) -> None:
        self.line.full(self)

    def resume_writing(self) -> None:
        self.line.drained(self)

    def eof_received(self) -> None:
        self.line.end(f"{self.name} closed")

    def connection_lost(self, wrong: Exception | None) -> None:
        self.gone = True
        if hasattr(self, "line"):
            self.line.lost(self, wrong)


class Line:
    """Two sides joined. `ended(line)` is called once, when both connections are gone; `why` then says why, `seconds` how long."""

    def __init__(self, near: Side, far: Side, linger_s: float, ended: Callable[[Line], None]) -> None:
        """`linger_s`: how long an end may take to receive what is on its way to it when the other closes."""
        self.near, self.far = near, far
        self.why = ""
        self.seconds = 0.0
        self.was_cut = False
        self._linger_s = linger_s
        self._ended = ended
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()

    def join(self, first: bytes = b"") -> None:
        """Both are connected: let it flow. `first` is what was heard of the near side before."""
        near, far = self.near, self.far
        near.line = far.line = self
        near.other, far.other = far.transport, near.transport
        for side in (near, far):
            if side.cut_at is not None:
                side.transport.set_write_buffer_limits(high=side.cut_at)
        near.heard += len(first)
        far.transport.write(first)
        near.transport.resume_reading()
        far.transport.resume_reading()
        for side in (near, far):
            if side.gone:
                self.lost(side, None)

    def full(self, side: Side) -> None:
        """A side does not take what it is sent."""
        if side.cut_at is None:
            self._opposite(side).transport.pause_reading()
        elif not self.why:
            # What it had said still reaches the other; what it is owed, it can ask for again when it comes back.
            self.was_cut = True
            self.end(f"{side.name} does not read: cut with {side.cut_at} bytes owed")
            side.transport.abort()

    def drained(self, side: Side) -> None:
        """It took it."""
        if side.cut_at is None:
            self._opposite(side).transport.resume_reading()

    def end(self, why: str) -> None:
        """Close both, each after what is on its way to it; those who do not take it in time are cut off."""
        if self.why:
            return
        self.why = why
        self.near.transport.close()
        self.far.transport.close()
        self._timer = self._loop.call_later(self._linger_s, self.abort)

    def abort(self) -> None:
        """Close both now."""
        self.why = self.why or "aborted"
        self.near.abort()
        self.far.abort()

    def lost(self, side: Side, wrong: Exception | None) -> None:
        """One connection is gone."""
        side.gone = True
        self.end(f"{side.name} vanished: {wrong}" if wrong else f"{side.name} closed")
        if self.near.gone and self.far.gone:
            if self._timer is not None:
                self._timer.cancel()
            self.seconds = self._loop.time() - self._since
            self._ended(self)

    def _opposite(self, side: Side) -> Side:
        return self.far if side is self.near else self.near


def listening(host: str, port: int) -> socket.socket:
    """A listening socket on a numeric address or a name. Raises `OSError`."""
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, kind, proto)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


async def accept_for_ever(listener: socket.socket, taken: Callable[[socket.socket, str], None], note: Noted) -> None:
    """Give every connection to `taken`, with its peer's host. (asyncio's transports set TCP_NODELAY.)"""
    loop = asyncio.get_running_loop()
    while True:
        try:
            sock, address = await loop.sock_accept(listener)
        except OSError as wrong:
            note("cannot accept connections", level="error", why=str(wrong))  # out of descriptors, most likely: some will be freed
            await asyncio.sleep(1)
            continue
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            taken(sock, address[0])
        except (OSError, ValueError):
            sock.close()  # it was gone before it was looked at


class Part(Protocol):
    """The gate, or a tunnel."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class LineThread:
    """The thread that all of them share."""

    def __init__(self, parts: Sequence[Part], note: Noted, died: Callable[[str], None]) -> None:
        """`died(why)` is called when the thread ends without `stop`."""
        self._parts = parts
        self._note = note
        self._died = died
        self._stopping = False
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._fault)
        self._thread = threading.Thread(target=self._main, name="front-door", daemon=True)

    def start(self) -> None:
        """Listen. Raises `OSError` where a port cannot be had."""
        self._thread.start()
        try:
            for part in self._parts:
                self._run(part.open(), 10)
        except BaseException:
            self.stop(1)
            raise

    def stop(self, within_s: float) -> None:
        """Close every connection, at once for those who do not take what they are owed."""
        self._stopping = True
        with suppress(TimeoutError):
            self._run(self._close(), within_s)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(within_s)

    async def _close(self) -> None:
        await asyncio.gather(*(part.close() for part in self._parts))
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, None], within_s: float) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(within_s)

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            if self._stopping:
                self._loop.close()
            else:
                self._died("the front door's thread ended")

    def _fault(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._note("error at the front door", level="error", what=str(context.get("message")), why=repr(context.get("exception")))
