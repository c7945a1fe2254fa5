"""What tests of the front door need: Logons, a router that only listens, a client, and a log to wait on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

from fix.gate import Gate, GateSettings

SOH = "\x01"
SESSIONS: dict[tuple[str, str, str], list[Any]] = {
    ("FIX.4.2", "OMS42", "ROUTER"): [],
    ("FIX.4.4", "OMS44", "ROUTER"): [ip_network("127.0.0.0/8")],
    ("FIXT.1.1", "FAR", "ROUTER"): [ip_network("192.0.2.0/24")],
}
PATIENCE_S = 20


def message(*fields: str, begin: str = "FIX.4.2") -> bytes:
    """A message with these fields of the body, length and checksum as they should be."""
    body = "".join(field + SOH for field in fields)
    text = f"8={begin}{SOH}9={len(body.encode())}{SOH}{body}"
    return f"{text}10={sum(text.encode()) % 256:03}{SOH}".encode()


def logon(sender: str = "OMS42", target: str = "ROUTER", begin: str = "FIX.4.2", *more: str) -> bytes:
    """A Logon as an OMS sends it."""
    head = ("35=A", f"49={sender}", f"56={target}", "34=1", "52=20240102-03:04:05.678")
    return message(*head, "98=0", "108=30", *more, begin=begin)


class Notes:
    """Records log calls; each can be waited for."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._more = asyncio.Event()

    def __call__(self, event: str, level: str = "info", **fields: Any) -> None:
        self.all.append({"event": event, "level": level, **fields})
        self._more.set()

    async def of(self, event: str, **fields: Any) -> dict[str, Any]:
        """The first line of this event with these fields."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for line in self.all:
                    if line["event"] == event and fields.items() <= line.items():
                        return line
                self._more.clear()
                await self._more.wait()


class Peer:
    """One end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hears(self, data: bytes) -> None:
        """Exactly this comes next."""
        async with asyncio.timeout(PATIENCE_S):
            assert await self.reader.readexactly(len(data)) == data

    async def heard_to_the_end(self) -> bytes:
        """All that comes until the other closes."""
        heard = bytearray()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                while data := await self.reader.read(65536):
                    heard += data
        return bytes(heard)

    async def says_until_cut(self, *others: tuple[Peer, Peer]) -> None:
        """Say more and more until the connection is gone. Of the other lines, each carries something in between."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    self.say(bytes(50_000))
                    await self.writer.drain()
                    await asyncio.sleep(0)
                    for one, other in others:
                        one.say(b"x")
                        await other.hears(b"x")

    def vanish(self) -> None:
        """Close at once, if it is not closed."""
        if not self.writer.is_closing():
            self.writer.transport.abort()

    def stop_reading(self) -> None:
        """What comes stays in the system's buffer from now on."""
        self.reader._transport.pause_reading()  # type: ignore[attr-defined]

    def read_again(self) -> None:
        self.reader._transport.resume_reading()  # type: ignore[attr-defined]

    async def says_until_stuck(self) -> int:
        """Say more and more until every buffer on the way is full; how many bytes."""
        sent = idle = 0
        while idle < 100:
            before = self.writer.transport.get_write_buffer_size()
            if before == 0:
                self.say(bytes(1_000_000))
                sent += 1_000_000
                assert sent < 100_000_000, "nobody waits"
            await asyncio.sleep(0)
            idle = idle + 1 if self.writer.transport.get_write_buffer_size() == before else 0
        return sent

    def hang_up(self) -> None:
        self.writer.close()


class Router:
    """Takes connections, as QuickFIX behind the gate would."""

    def __init__(self) -> None:
        self.connections: asyncio.Queue[Peer] = asyncio.Queue()
        self.count = 0
        self.port = 0

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count += 1
        self.connections.put_nowait(Peer(reader, writer))

    async def next(self) -> Peer:
        async with asyncio.timeout(PATIENCE_S):
            return await self.connections.get()


class Door:
    """A gate before such a router, and clients to it."""

    def __init__(self, gate: Gate, router: Router, notes: Notes) -> None:
        self.gate, self.router, self.notes = gate, router, notes
        self.peers: list[Peer] = []

    async def client(self, **how: Any) -> Peer:
        """Connect; `how` as for asyncio.open_connection."""
        self.peers.append(Peer(*await asyncio.open_connection("127.0.0.1", self.gate.port, **how)))
        return self.peers[-1]

    async def session(self, first: bytes, **how: Any) -> tuple[Peer, Peer]:
        """A client that has logged on, and its other end at the router."""
        client = await self.client(**how)
        client.say(first)
        other = await self.router.next()
        self.peers.append(other)
        await other.hears(first)
        return client, other

    async def refused(self, why: str) -> None:
        """Wait until one is refused for this."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(why in line.get("why", "") for line in self.notes.all if line["event"] == "connection refused"):
                self.notes._more.clear()
                await self.notes._more.wait()


@contextlib.asynccontextmanager
async def door(**settings: Any) -> AsyncIterator[Door]:
    """An open one, with these settings; anything QuickFIX would have to clean up is closed at the end."""
    router, notes = Router(), Notes()
    server = await asyncio.start_server(router._taken, "127.0.0.1", 0)
    router.port = server.sockets[0].getsockname()[1]
    where = {"host": "127.0.0.1", "port": 0, "upstream_host": "127.0.0.1", "upstream_port": router.port, "sessions": SESSIONS}
    limits = {"max_per_address": 5000, "logon_attempts_per_minute": 5000, "linger_s": 0.2}
    gate = Gate(GateSettings(**(where | limits | settings)), notes)
    await gate.open()
    made = Door(gate, router, notes)
    try:
        yield made
    finally:
        async with asyncio.timeout(PATIENCE_S):
            await gate.close()
        server.close()
        while not router.connections.empty():
            made.peers.append(router.connections.get_nowait())
        for peer in made.peers:
            peer.vanish()
        await asyncio.gather(*(peer.writer.wait_closed() for peer in made.peers), return_exceptions=True)
        await server.wait_closed()
