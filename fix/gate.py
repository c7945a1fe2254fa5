"""The front door: the gate on the configured address, behind which QuickFIX listens on loopback.

QuickFIX's acceptor stalls every session on half a first message, binds all interfaces, has no TLS, and queues without bound for a
client that does not read. So a connection reaches it only with a complete Logon of a session that may come from that address; from
then on bytes pass as they are. Whoever does not take what it is owed is cut off: its reports stay in the session's store, and a
resend request fetches them.

QuickFIX sees only loopback. Who came from where is therefore logged here, under a number of the connection; what strangers do only so
many times a minute. Nothing of a message is ever logged but its session.

Assumptions (those on reading a Logon are in first.py, those on who may come in admission.py):
1. A client that closes its side has finished: what it said before still reaches the router, the router's answer need not reach it.
2. When the gate is full, the oldest connection that has not logged on yet gives way: a flood of silent ones keeps nobody out.
3. A client certificate opens the door to every session of its address; it is not bound to a CompID.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from fix.admission import Address, Admission, Counts, Network, Quiet, Refused, Why, address_of
from fix.first import Logon, NotALogon, SessionKey, first_message, shown
from fix.relay import Line, Noted, Side, accept_for_ever, listening
from fix.text import printable
from fix.tls import TlsServer

__all__ = ["Connected", "Gate", "GateSettings"]

_REFUSALS_LOGGED_A_MINUTE: Final = 60


@dataclass(frozen=True)
class GateSettings:
    """Where it listens, what is behind it, who may come, how much is borne. Times in seconds."""

    host: str
    port: int
    """0: any free one."""
    upstream_host: str
    upstream_port: int
    sessions: Mapping[SessionKey, Sequence[Network]] = field(default_factory=dict)
    """(BeginString, client's CompID, our CompID) -> networks it may come from; none: from anywhere."""
    tls: TlsServer | None = None
    max_connections: int = 256
    max_per_address: int = 32
    logon_attempts_per_minute: int = 30
    """Of one address; connections that send no Logon count."""
    handshake_within_s: float = 5.0
    logon_within_s: float = 5.0
    """From the connection, or from the end of its TLS handshake."""
    upstream_within_s: float = 3.0
    linger_s: float = 5.0
    """How long a closed connection's last bytes are waited for."""
    first_message_bytes: int = 4096
    slow_reader_bytes: int = 4 * 1024 * 1024
    """Owed to a client beyond what the system's socket buffers hold; then it is cut."""


@dataclass(frozen=True, slots=True)
class Connected:
    """One connection that passed, for operators."""

    number: int
    address: str
    session: str
    from_client: int
    to_client: int
    owed: int
    """Bytes that the client has not taken."""


class _Visitor(asyncio.Protocol):
    """A connection, from its arrival until its Logon has passed or it is refused."""

    def __init__(self, gate: Gate, number: int, address: Address) -> None:
        self.number, self.address = number, address
        self.transport: asyncio.Transport | None = None
        self.logon: Logon | None = None
        self.line: Line | None = None
        self.task: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.gone = False
        self._gate = gate
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._gate.wait_for_logon(self)

    def data_received(self, data: bytes) -> None:
        if self.logon is None and not self.gone:
            self._heard += data
            self._gate.look_at(self, self._heard)

    def connection_lost(self, wrong: Exception | None) -> None:
        if self.line is not None:  # it was joined while this was under way
            self.line.near.connection_lost(wrong)
        else:
            self._gate.refuse(self, Refused(Why.LEFT))

    def handed_over(self) -> bytes:
        """All that was heard of it."""
        heard, self._heard = self._heard, b""
        return heard

    def certified_as(self) -> str:
        """The common name of its certificate, "" without one."""
        certificate = self.transport.get_extra_info("peercert") if self.transport else None
        subject = (certificate or {}).get("subject", ())
        return next((printable(value)[:64] for part in subject for name, value in part if name == "commonName"), "")


class Gate:
    """Runs on the loop that opens it; see `relay.LineThread` for one of its own."""

    def __init__(self, settings: GateSettings, note: Noted) -> None:
        """Raises `OSError`, `ValueError` where the certificate cannot be used."""
        self.port = settings.port
        self.counts = Counts()
        self.addresses: dict[str, str] = {}
        """Where sessions are connected from."""
        self._settings = settings
        self._note = note
        self._tls = settings.tls.context() if settings.tls else None
        self._admission = Admission(settings.sessions, settings.max_per_address, settings.logon_attempts_per_minute)
        self._quiet = Quiet(_REFUSALS_LOGGED_A_MINUTE)
        self._numbers = count(1)
        self._all: dict[int, _Visitor] = {}
        self._waiting: dict[int, _Visitor] = {}
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._empty = asyncio.Event()

    # --- for the owner, on any thread -------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the certificate files anew: new connections get the new certificate, those there are stay. Raises `OSError`,
        `ValueError` where they cannot be used; the old one stays then."""
        if self._settings.tls is not None:
            self._tls = self._settings.tls.context()
            self._note("certificate reloaded", level="info")

    def connected(self) -> list[Connected]:
        """Who is in."""
        return [_connected(each, each.line) for each in list(self._all.values()) if each.line is not None]

    # --- on the loop ------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Listen. Raises `OSError`."""
        self._listener = listening(self._settings.host, self._settings.port)
        self.port = self._listener.getsockname()[1]
        self._accepting = asyncio.ensure_future(accept_for_ever(self._listener, self._arrive, self._note))
        self._note("front door open", level="info", host=self._settings.host, port=self.port, tls=self._tls is not None)

    async def close(self) -> None:
        """Let nobody in any more, and close every connection, after what is on its way."""
        if self._accepting is not None:
            self._accepting.cancel()
            with suppress(asyncio.CancelledError):
                await self._accepting
        if self._listener is not None:
            self._listener.close()
        tasks = [each.task for each in self._all.values() if each.task is not None]
        for each in list(self._all.values()):
            if each.line is not None:
                each.line.end("the gate closes")
            else:
                self.refuse(each, Refused(Why.STOPPING))
        await asyncio.gather(*tasks, return_exceptions=True)
        while self._all:
            self._empty.clear()
            await self._empty.wait()
        await asyncio.sleep(0)  # the transports' own last calls

    def _arrive(self, sock: socket.socket, host: str) -> None:
        self.counts.arrived += 1
        visitor = _Visitor(self, next(self._numbers), address_of(host))
        try:
            self._admission.arrive(visitor.address, asyncio.get_running_loop().time())
            self._make_room()
        except Refused as refused:
            sock.close()
            self._tell(visitor, refused)
            return
        self._all[visitor.number] = self._waiting[visitor.number] = visitor
        visitor.task = asyncio.ensure_future(self._greet(visitor, sock))
        visitor.task.add_done_callback(lambda _: sock.close() if visitor.transport is None else None)

    def _make_room(self) -> None:
        if len(self._all) < self._settings.max_connections:
            return
        if not self._waiting:
            raise Refused(Why.TOO_MANY, str(self._settings.max_connections))
        self.refuse(next(iter(self._waiting.values())), Refused(Why.GAVE_WAY))

    async def _greet(self, visitor: _Visitor, sock: socket.socket) -> None:
        limits = {"ssl_handshake_timeout": self._settings.handshake_within_s, "ssl_shutdown_timeout": self._settings.linger_s}
        tls = {"ssl": self._tls, **limits} if self._tls else {}
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: visitor, sock, **tls)  # type: ignore[arg-type]
        except ConnectionAbortedError:
            self.refuse(visitor, Refused(Why.TOO_SLOW, f"no TLS handshake within {self._settings.handshake_within_s:g} s"))
        except OSError as wrong:
            self.refuse(visitor, Refused(Why.TLS, _reason(wrong)))

    def wait_for_logon(self, visitor: _Visitor) -> None:
        """It is connected: its time runs."""
        if visitor.gone:
            self._drop(visitor)
            return
        late = Refused(Why.TOO_SLOW, f"no logon within {self._settings.logon_within_s:g} s")
        visitor.timer = asyncio.get_running_loop().call_later(self._settings.logon_within_s, self.refuse, visitor, late)

    def look_at(self, visitor: _Visitor, heard: bytes) -> None:
        """It has said so much."""
        try:
            logon = first_message(heard, self._settings.first_message_bytes)
            if logon is None:
                return
            self._admission.log_on(logon.session, visitor.address, f"connection {visitor.number} from {visitor.address}")
        except NotALogon as wrong:
            self.refuse(visitor, Refused(Why.NOT_A_LOGON, str(wrong)))
        except Refused as refused:
            self.refuse(visitor, refused)
        else:
            self._pass_on(visitor, logon)

    def _pass_on(self, visitor: _Visitor, logon: Logon) -> None:
        assert visitor.transport is not None
        visitor.logon = logon
        visitor.transport.pause_reading()
        if visitor.timer is not None:
            visitor.timer.cancel()
        del self._waiting[visitor.number]
        visitor.task = asyncio.ensure_future(self._join(visitor, shown(logon.session)))

    async def _join(self, visitor: _Visitor, session: str) -> None:
        settings, near, far = self._settings, Side("the client", self._settings.slow_reader_bytes), Side("the router", None)
        try:
            async with asyncio.timeout(settings.upstream_within_s):
                await asyncio.get_running_loop().create_connection(lambda: far, settings.upstream_host, settings.upstream_port)
        except (OSError, TimeoutError) as wrong:
            far.abort()
            self.refuse(visitor, Refused(Why.ROUTER_DOWN, f"{session}: {str(wrong) or type(wrong).__name__}"))
            return
        if visitor.gone or visitor.transport is None:
            far.abort()
            return
        self.counts.passed_on += 1
        self.addresses[session] = str(visitor.address)
        self._note(
            "client connected", level="info", connection=visitor.number, address=str(visitor.address), session=session,
            certificate=visitor.certified_as(),
        )  # fmt: skip
        near.transport = visitor.transport
        visitor.line = Line(near, far, settings.linger_s, lambda line: self._ended(visitor, line, session))
        visitor.transport.set_protocol(near)
        visitor.line.join(visitor.handed_over())

    def _ended(self, visitor: _Visitor, line: Line, session: str) -> None:
        self.counts.cut += line.was_cut
        self.addresses.pop(session, None)
        self._forget(visitor)
        self._note(
            "client disconnected", level="warning" if line.was_cut else "info", connection=visitor.number, address=str(visitor.address),
            session=session, why=line.why, from_client=line.near.heard, to_client=line.far.heard, seconds=f"{line.seconds:.1f}",
        )  # fmt: skip

    def refuse(self, visitor: _Visitor, refused: Refused) -> None:
        """Close it without a word. It may have gone already."""
        if visitor.gone:
            return
        self._forget(visitor)
        self._tell(visitor, refused)
        self._drop(visitor)

    def _drop(self, visitor: _Visitor) -> None:
        if visitor.transport is not None:
            visitor.transport.abort()
        elif visitor.task is not None:
            visitor.task.cancel()

    def _forget(self, visitor: _Visitor) -> None:
        visitor.gone = True
        if visitor.timer is not None:
            visitor.timer.cancel()
        if visitor.logon is not None:
            self._admission.free(visitor.logon.session)
        self._admission.leave(visitor.address)
        self._waiting.pop(visitor.number, None)
        del self._all[visitor.number]
        self._empty.set()

    def _tell(self, visitor: _Visitor, refused: Refused) -> None:
        self.counts.refused[refused.why] += 1
        unsaid = self._quiet.may_speak(asyncio.get_running_loop().time())
        if unsaid is not None:
            more = {"unlogged_before": unsaid} if unsaid else {}
            self._note(
                "connection refused", level="warning", connection=visitor.number, address=str(visitor.address), why=str(refused), **more
            )


def _reason(wrong: OSError) -> str:
    reason = wrong.reason if isinstance(wrong, ssl.SSLError) and wrong.reason else type(wrong).__name__
    return printable(str(reason))[:100]


def _connected(visitor: _Visitor, line: Line) -> Connected:
    session = shown(visitor.logon.session) if visitor.logon else ""
    owed = line.near.transport.get_write_buffer_size()
    return Connected(visitor.number, str(visitor.address), session, line.near.heard, line.far.heard, owed)
