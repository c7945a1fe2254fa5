"""REST and WebSockets on aiohttp, in front of `sim_rest` and `sim_stream`. Decides nothing; passes bytes and the time.

Readings where the document is silent: a WebSocket that may not be opened gets HTTP 401 with an error in the standard form, in
the place of the upgrade. A user stream is at /ac/ws/v2/{VENUE}/order and …/asset, or without the venue as at the co-located
addresses; a venue that is not served is 0x02003A.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_auth import Keys
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_feed import Feed
from bridges.apifiny.sim_json import dumps
from bridges.apifiny.sim_market import Market
from bridges.apifiny.sim_rate import PerSecond
from bridges.apifiny.sim_rest import Answer, HangUp, Request, RestApi, error_of
from bridges.apifiny.sim_settings import ApifinySettings
from bridges.apifiny.sim_stream import Session
from bridges.apifiny.sim_tally import Tally

MARKET_PATH = "/md/ws/v1"
USER_PATHS = ("/ac/ws/v2/{what:order|asset}", "/ac/ws/v2/{venue}/{what:order|asset}")
# A client that is this many messages behind is cut off.
MAX_UNSENT = 10_000
CLOSE_S = 1.0


class Line(Protocol):
    """What the simulator is to the web: the time, and somebody to tell that an input was handled."""

    clock: Callable[[], int]

    @property
    def refusing(self) -> bool: ...
    def flush(self) -> None: ...


class Stream:
    """One WebSocket: the `Outlet` of its session and of the feed. What is sent waits in a queue, for a writer to be slow with."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._request, self._socket = request, socket
        self._unsent: asyncio.Queue[str] = asyncio.Queue()

    def send(self, text: str) -> None:
        if self._unsent.qsize() >= MAX_UNSENT:
            self.hang_up()
        else:
            self._unsent.put_nowait(text)

    def hang_up(self) -> None:
        """Drops the connection without a word."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._socket.close(code=WSCloseCode.GOING_AWAY, message=b"the venue is closing")
        except TimeoutError:
            self.hang_up()

    async def write(self) -> None:
        """Runs until it is cancelled or the connection is gone."""
        while True:
            text = await self._unsent.get()
            try:
                await self._socket.send_str(text)
            except ConnectionError:
                return


class Web:
    """The handlers of everything but the control."""

    def __init__(self, rest: RestApi, feed: Feed, market: Market, keys: Keys, tally: Tally, settings: ApifinySettings, line: Line) -> None:
        self._rest, self._feed, self._market, self._keys, self._tally = rest, feed, market, keys, tally
        self._settings, self._line = settings, line
        self._served = frozenset(venue for endpoint in settings.endpoints for venue in endpoint.venues)
        self._rate = PerSecond(settings.public_requests_per_second)
        self._streams: dict[Stream, Session] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            *(web.get(path, self._user_stream) for path in USER_PATHS),
            web.get(MARKET_PATH, self._market_stream),
            web.route("*", "/{path:.*}", self._answer),
        ]

    def tick(self, now_ms: int) -> None:
        for session in list(self._streams.values()):
            session.tick(now_ms)

    def disconnect(self) -> None:
        """Drops every WebSocket at once."""
        for stream in list(self._streams):
            stream.hang_up()

    async def close(self) -> None:
        await asyncio.gather(*(stream.close() for stream in list(self._streams)))

    @web.middleware
    async def door(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        """Refuses connections while it is told to; the control is spared, for it could never be told otherwise."""
        if self._line.refusing and not request.path.startswith("/_sim/"):
            return _hung_up(request)
        return await handler(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        _, _, query = request.raw_path.partition("?")
        body = await request.read()
        signature = request.headers.get("signature", "")
        asked = Request(request.method, request.path, query, body, signature, request.remote or "")
        replied: asyncio.Future[Answer | HangUp] = asyncio.get_running_loop().create_future()

        def reply(outcome: Answer | HangUp) -> None:
            if not replied.done():  # cancelled where the client did not wait
                replied.set_result(outcome)

        self._rest.handle(asked, self._line.clock(), reply)
        self._line.flush()
        outcome = await replied
        if isinstance(outcome, HangUp):
            return _hung_up(request)
        return web.Response(status=outcome.status, text=outcome.text, content_type="application/json")

    async def _user_stream(self, request: web.Request) -> web.StreamResponse:
        venue = request.match_info.get("venue", "")
        try:
            account = self._keys.check(request.headers.get("signature", ""), None, self._line.clock())
            if venue and venue not in self._served:
                raise Refused(errors.WRONG_ENDPOINT, f"{venue:.40}")
        except Refused as no:
            return self._refused(no)
        tell = self._feed.tell_orders if request.match_info["what"] == "order" else self._feed.tell_assets
        return await self._converse(request, "", lambda stream: tell(stream, account.account_id, venue))

    async def _market_stream(self, request: web.Request) -> web.StreamResponse:
        try:
            key = self._keys.check_access_key(request.headers.get("signature", ""))
        except Refused as no:
            return self._refused(no)
        return await self._converse(request, key, lambda _stream: None)

    def _refused(self, no: Refused) -> web.Response:
        self._tally.by_kind["stream"] += 1
        self._tally.by_code[no.code] += 1
        self._tally.by_status["401"] += 1
        self._tally.rejected_signatures += no.code == errors.SIGNATURE_ERROR
        return web.Response(status=401, text=dumps(error_of(no, self._settings.error_codes)), content_type="application/json")

    async def _converse(self, request: web.Request, access_key: str, welcome: Callable[[Stream], None]) -> web.StreamResponse:
        self._tally.by_kind["stream"] += 1
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        if not socket.can_prepare(request).ok:
            self._tally.by_status["400"] += 1
            return web.Response(status=400, text="400 this is a WebSocket")
        # Before the handshake is answered: the client may count on everything from then on.
        stream = Stream(request, socket)
        now_ms = self._line.clock()
        session = Session(stream, self._feed, self._market, self._rate, self._settings, access_key, now_ms)
        welcome(stream)
        self._streams[stream] = session
        writer: asyncio.Task[None] | None = None
        try:
            await socket.prepare(request)
            self._tally.by_status["101"] += 1
            writer = asyncio.create_task(stream.write())
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                session.receive(message.data, self._line.clock())
        finally:
            self._feed.leave(stream)
            del self._streams[stream]
            if writer is not None:
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
        return socket


def _hung_up(request: web.Request) -> web.Response:
    """The connection is gone; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
