"""Outgoing TLS: QuickFIX's initiator speaks plain to a loopback port, the tunnel speaks verified TLS to the venue.

The package of QuickFIX has no TLS, and its TLS initiator would accept any host name. Nothing of what the initiator says, its
credentials among it, leaves before the venue's certificate and host name are verified; where they are not, or the venue cannot be
reached, the initiator's connection is closed and it tries again by its own ReconnectInterval.

Assumptions:
1. Orders must not wait in a buffer of ours: a venue that does not take what it is owed is cut off, and the session resolves it.
2. Whoever can open a loopback port on this machine is trusted with the line, not with the credentials: those are the initiator's.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from itertools import count

from fix.relay import Line, Noted, Side, accept_for_ever, listening
from fix.text import printable
from fix.tls import TlsClient

__all__ = ["Tunnel", "TunnelSettings"]


@dataclass(frozen=True)
class TunnelSettings:
    """One venue's line. Times in seconds."""

    name: str
    """For the log."""
    port: int
    """On 127.0.0.1, where the initiator connects; 0: any free one."""
    venue_host: str
    venue_port: int
    tls: TlsClient = field(default_factory=TlsClient)
    connect_within_s: float = 5.0
    """TCP and TLS together."""
    linger_s: float = 5.0
    owed_bytes: int = 1024 * 1024
    """What the venue may leave untaken before it is cut off."""
    max_connections: int = 8


class Tunnel:
    """Runs on the loop that opens it; see `relay.LineThread` for one of its own."""

    def __init__(self, settings: TunnelSettings, note: Noted) -> None:
        """Raises `OSError`, `ValueError` where the certificates cannot be used."""
        self.port = settings.port
        self._settings = settings
        self._note = note
        self._tls = settings.tls.context()
        self._numbers = count(1)
        self._lines: dict[int, Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._failure = ""
        self._empty = asyncio.Event()

    async def open(self) -> None:
        """Listen. Raises `OSError`."""
        self._listener = listening("127.0.0.1", self._settings.port)
        self.port = self._listener.getsockname()[1]
        self._accepting = asyncio.ensure_future(accept_for_ever(self._listener, self._arrive, self._note))

    async def close(self) -> None:
        """Close every line, after what is on its way."""
        tasks = {*self._tasks, *([self._accepting] if self._accepting else [])}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        for line in list(self._lines.values()):
            line.end("the router stops")
        while self._lines:
            self._empty.clear()
            await self._empty.wait()
        await asyncio.sleep(0)  # the transports' own last calls

    def _arrive(self, sock: socket.socket, host: str) -> None:
        if len(self._lines) + len(self._tasks) >= self._settings.max_connections:
            self._note("tunnel refused a connection", level="warning", tunnel=self._settings.name, why="too many")
            sock.close()
            return
        task = asyncio.ensure_future(self._carry(sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, sock: socket.socket) -> None:
        loop, settings = asyncio.get_running_loop(), self._settings
        near, far = Side("the router", None), Side("the venue", settings.owed_bytes)
        try:
            async with asyncio.timeout(settings.connect_within_s):
                await loop.create_connection(
                    lambda: far, settings.venue_host, settings.venue_port, ssl=self._tls,
                    server_hostname=settings.tls.server_name or settings.venue_host, ssl_shutdown_timeout=settings.linger_s,
                )  # fmt: skip
        except (OSError, TimeoutError) as wrong:  # a certificate that is not theirs is an OSError too
            sock.close()
            far.abort()
            self._failed(str(wrong) or type(wrong).__name__)
            return
        except asyncio.CancelledError:
            sock.close()
            far.abort()
            raise
        await loop.connect_accepted_socket(lambda: near, sock)
        self._join(near, far)

    def _join(self, near: Side, far: Side) -> None:
        number = next(self._numbers)
        self._failure = ""
        where = f"{self._settings.venue_host}:{self._settings.venue_port}"
        version = far.transport.get_extra_info("ssl_object").version()
        self._note("tunnel open", level="info", tunnel=self._settings.name, connection=number, venue=where, tls=version)
        line = self._lines[number] = Line(near, far, self._settings.linger_s, lambda line: self._ended(number, line))
        line.join()

    def _ended(self, number: int, line: Line) -> None:
        del self._lines[number]
        self._empty.set()
        self._note(
            "tunnel closed", level="warning" if line.was_cut else "info", tunnel=self._settings.name, connection=number, why=line.why,
            to_venue=line.near.heard, from_venue=line.far.heard, seconds=f"{line.seconds:.1f}",
        )  # fmt: skip

    def _failed(self, why: str) -> None:
        # The initiator tries again for ever: say what is new, once.
        level = "debug" if why == self._failure else "error"
        self._failure = why
        self._note("venue not reached over TLS", level=level, tunnel=self._settings.name, why=printable(why)[:200])
