"""The stream of events over WebSockets."""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakSet

from aiohttp import WSCloseCode, web

from router.admin.api import Ask
from router.admin.needs import Wiring
from router.admin.problems import Refusal
from router.admin.stream import Feed, Listener

__all__ = ["Streams"]

_PROTOCOL: Final = "fixrouter.v1"
_HEARTBEAT_S: Final = 20
_SEND_S: Final = 30
"""Who takes nothing for so long is cut off."""
_EXPIRED: Final = 4401
_SECOND: Final = 1_000_000_000


class Streams:
    """Everybody who listens, at most so many."""

    def __init__(self, feed: Feed, wiring: Wiring, most: int) -> None:
        self._feed = feed
        self._wiring = wiring
        self._most = most
        self._open: WeakSet[web.WebSocketResponse] = WeakSet()

    async def serve(self, ask: Ask) -> web.StreamResponse:
        """One listener, from its first message to its last. Raises `Refusal`."""
        if len(self._feed) >= self._most:
            raise Refusal(503, f"{self._most} event streams are open, and more are not taken", retry_after_s=5)
        socket = web.WebSocketResponse(protocols=(_PROTOCOL,), heartbeat=_HEARTBEAT_S, max_msg_size=1024, timeout=2)
        if not socket.can_prepare(ask.request):
            raise Refusal(400, "this is a WebSocket: Upgrade, Connection or Sec-WebSocket-Version is missing")
        listener = self._feed.join()
        self._open.add(socket)
        try:
            await socket.prepare(ask.request)
            await self._talk(socket, listener, ask.operator.expires - self._wiring.clock() / _SECOND)
        finally:
            self._feed.leave(listener)
            self._open.discard(socket)
        return socket

    async def close(self, _: web.Application) -> None:
        """Say goodbye to all: the router is going away."""
        for socket in set(self._open):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the router is stopping")

    async def _talk(self, socket: web.WebSocketResponse, listener: Listener, valid_s: float) -> None:
        sending = asyncio.create_task(_send(socket, listener))
        try:
            async with asyncio.timeout(valid_s):
                async for _ in socket:
                    pass  # nothing that a client could say here has a meaning
        except TimeoutError:
            await socket.close(code=_EXPIRED, message=b"the token has expired")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(socket: web.WebSocketResponse, listener: Listener) -> None:
    while not socket.closed:
        text = await listener.next()
        try:
            async with asyncio.timeout(_SEND_S):
                await socket.send_str(text)
        except TimeoutError:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, drain=False)
