"""A TCP relay between the router and a simulated venue, that can be cut and can swallow: a network as it really is."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Relay:
    """One port of one venue."""

    def __init__(self, name: str, port: int, upstream: int) -> None:
        self.name, self.port, self._upstream = name, port, upstream
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._lines: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def stall(self) -> None:
        """From now on nothing passes in either direction; connections stay, and new ones are taken and left waiting."""
        self._flowing.clear()

    def heal(self) -> None:
        """What was held back goes on its way."""
        self._flowing.set()

    def cut(self) -> None:
        """Every connection is lost, with what was held back."""
        for line in self._lines:
            line.transport.abort()
        self._flowing.set()

    def close(self) -> None:
        """Stop listening."""
        self.cut()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(writer)
        far: asyncio.StreamWriter | None = None
        with suppress(OSError):
            await self._flowing.wait()
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._upstream)
            self._lines.add(far)
            await asyncio.gather(self._pass(reader, far), self._pass(far_reader, writer))
        for line in (writer, far):
            if line is not None:
                self._lines.discard(line)
                line.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                if writer.transport.is_closing():
                    break
                writer.write(data)
                await writer.drain()
        writer.close()
