"""The simulated Moonbase on the wire: WebSocket and control on one port. Decides nothing; passes texts and the time.

The WebSocket is at `/socket/websocket`, where Phoenix's clients look for it; the document names no address. The query has
`key`, `timestamp`, `signature` (HTTP 403 where they are not right, see `sim_auth`) and `vsn`, by default 1.0.0 (403 for one
that is not known). `http_500` and `http_503` with match `stream` are the answer to the next upgrade.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import WSCloseCode, WSMsgType, web

from bridges import control
from bridges.faults import Faults
from bridges.memory import Memory
from bridges.moonbase.sim_auth import Denied, Keys
from bridges.moonbase.sim_channels import Channels
from bridges.moonbase.sim_control import Controlled
from bridges.moonbase.sim_exchange import Exchange
from bridges.moonbase.sim_feed import Feed
from bridges.moonbase.sim_frames import OBJECTS, VERSIONS
from bridges.moonbase.sim_later import Later
from bridges.moonbase.sim_limits import Limits
from bridges.moonbase.sim_session import Session, Venue
from bridges.moonbase.sim_settings import MoonbaseSettings, User
from bridges.moonbase.sim_tally import Tally

Clock = Callable[[], int]
TICK_S = 0.1
CLOSE_S = 1.0
WS_PATH = "/socket/websocket"
# A client that is this many messages behind is cut off.
MAX_UNSENT = 10_000


class Connection:
    """One WebSocket: its session's `Outlet`. What is sent waits in a queue, for a writer to be slow with."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._request, self._socket = request, socket
        self._unsent: asyncio.Queue[str | int] = asyncio.Queue()

    def send(self, text: str) -> None:
        if self._unsent.qsize() >= MAX_UNSENT:
            self.hang_up()
        else:
            self._unsent.put_nowait(text)

    def close(self, code: int) -> None:
        """Once everything that was sent before is out."""
        self._unsent.put_nowait(code)

    def hang_up(self) -> None:
        """Drops the connection without a word."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def end(self, code: int) -> None:
        """Closes at once; without an answer after a second it hangs up."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._socket.close(code=code)
        except TimeoutError:
            self.hang_up()

    async def write(self) -> None:
        """Runs until it is cancelled or the connection is gone."""
        while True:
            item = await self._unsent.get()
            if isinstance(item, int):
                await self.end(item)
                return
            try:
                await self._socket.send_str(item)
            except ConnectionError:
                return


class MoonbaseSimulator:
    """A running simulator: `port`; ends with `close`. `clock` gives epoch nanoseconds."""

    def __init__(self, settings: MoonbaseSettings, clock: Clock = time.time_ns) -> None:
        self.clock = clock
        self.port = 0
        self.exchange = Exchange(settings, clock())
        self._settings = settings
        self._keys = Keys(settings.users, settings.time_window_s)
        self._connections: dict[Connection, Session] = {}
        self._sessions: dict[Session, None] = {}
        channels, faults, later = Channels(self.exchange, settings, clock()), Faults(), Later()
        feed = Feed(self.exchange, channels, faults, later, self._sessions)
        limits = Limits(settings.joins_per_hour, settings.requests_per_minute)
        self._venue = Venue(channels, feed, faults, later, limits, Tally(), settings.silence_s)
        self._controlled = Controlled(self.exchange, self._venue, self, clock)
        self._refusing_until_ns = 0
        self._runner: web.AppRunner | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._waking: asyncio.TimerHandle | None = None

    # Start and end

    async def start(self) -> None:
        """OSError where the port is taken; nothing stays open then."""
        app = web.Application(middlewares=[self._door])
        app.add_routes(control.routes(self._controlled))
        app.add_routes([web.get(WS_PATH, self._upgrade)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_S)
        try:
            await self._runner.setup()
            await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()
            self.port = self._runner.addresses[0][1]
        except BaseException:
            await self.close()
            raise
        self._tick_later()

    async def close(self) -> None:
        """Closes every connection and the port."""
        for timer in (self._ticking, self._waking):
            if timer is not None:
                timer.cancel()
        self._ticking = self._waking = None
        await asyncio.gather(*(each.end(WSCloseCode.GOING_AWAY) for each in list(self._connections)))
        if self._runner is not None:
            await self._runner.cleanup()

    def memory(self) -> Memory:
        """What the venue knows, for a later run to `recall` before its start, the rate limits too: no connections, no faults."""
        venue = self._venue
        return {
            "exchange": self.exchange.memory(),
            "channels": venue.channels.memory(),
            "joins": venue.limits.joins.memory(),
            "requests": venue.limits.requests.memory(),
        }

    def recall(self, memory: Memory) -> None:
        self.exchange.recall(memory["exchange"])
        self._venue.channels.recall(memory["channels"])
        self._venue.limits.joins.recall(memory["joins"])
        self._venue.limits.requests.recall(memory["requests"])
        self._venue.feed.restart()

    def tick(self) -> None:
        """Whatever is due by the clock. Runs of itself ten times a second, and on time for what was delayed."""
        now_ns = self.clock()
        self._venue.later.advance(now_ns)
        for session in list(self._sessions):
            session.tick(now_ns)
        self._wake_when_due()

    def _wake_when_due(self) -> None:
        due_ns = self._venue.later.due_ns
        if due_ns is not None and self._ticking is not None:
            if self._waking is not None:
                self._waking.cancel()
            delay_s = max(0, due_ns - self.clock()) / 1e9
            self._waking = asyncio.get_running_loop().call_later(min(delay_s, TICK_S), self.tick)

    def _tick_later(self) -> None:
        def run() -> None:
            self._tick_later()
            self.tick()

        self._ticking = asyncio.get_running_loop().call_later(TICK_S, run)

    # Connections

    @web.middleware
    async def _door(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        """Refuses connections while it is told to; the control is spared, for it could never be told otherwise."""
        if self.clock() < self._refusing_until_ns and not request.path.startswith("/_sim/"):
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        return await handler(request)

    async def _upgrade(self, request: web.Request) -> web.StreamResponse:
        tally, vsn = self._venue.tally, request.query.get("vsn", OBJECTS)
        tally.by_kind["connect"] += 1
        fault = self._venue.faults.take_request("stream", ("http_500", "http_503"))
        if fault is not None:
            return self._refused(int(fault.kind.removeprefix("http_")), "as the simulator was told to")
        try:
            user = self._keys.check(request.query, self.clock())
        except Denied as no:
            tally.rejected_signatures += 1
            return self._refused(403, str(no))
        if vsn not in VERSIONS:
            return self._refused(403, f"vsn is none of {', '.join(VERSIONS)}")
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        if not socket.can_prepare(request):
            return self._refused(400, "no WebSocket")
        await socket.prepare(request)
        tally.by_status["101"] += 1
        await self._converse(request, socket, user, vsn)
        return socket

    def _refused(self, status: int, why: str) -> web.Response:
        self._venue.tally.by_status[str(status)] += 1
        return web.Response(status=status, text=why)

    async def _converse(self, request: web.Request, socket: web.WebSocketResponse, user: User, vsn: str) -> None:
        connection = Connection(request, socket)
        session = self._connections[connection] = Session(connection, user, self._venue, vsn, self.clock())
        self._sessions[session] = None
        writer = asyncio.create_task(connection.write())
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                session.receive(message.data, self.clock())
                self._wake_when_due()
        finally:
            del self._connections[connection], self._sessions[session]
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    # What the control asks of the line

    def disconnect(self) -> None:
        """Drops every WebSocket at once."""
        for connection in list(self._connections):
            connection.hang_up()

    def refuse_until(self, until_ns: int) -> None:
        """Hangs up on every request and WebSocket that comes before that time; 0 ends it."""
        self._refusing_until_ns = until_ns


async def serve(settings: MoonbaseSettings, clock: Clock = time.time_ns) -> MoonbaseSimulator:
    """Starts the simulator."""
    simulator = MoonbaseSimulator(settings, clock)
    await simulator.start()
    return simulator
