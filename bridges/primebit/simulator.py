"""The simulated PrimeBit on the wire: REST, WebSocket and control on one port. Decides nothing; passes bytes and the time.

The WebSocket is at `/api/v0/websocket`, REST below `/api/v1` ("Web Socket API", "REST API").
"""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable

from aiohttp import WSCloseCode, WSMsgType, web

from bridges import control
from bridges.faults import Faults
from bridges.memory import Memory
from bridges.primebit.sim_auth import Keys
from bridges.primebit.sim_controlled import Controlled
from bridges.primebit.sim_exchange import Exchange
from bridges.primebit.sim_feed import Feed
from bridges.primebit.sim_rest import Answer, HangUp, Later, Request, RestApi
from bridges.primebit.sim_settings import PrimebitSettings
from bridges.primebit.sim_stream import Session
from bridges.primebit.sim_tally import Tally

Clock = Callable[[], int]
TICK_S = 0.1
CLOSE_S = 1.0
WS_PATH = "/api/v0/websocket"
# A client that is this many messages behind is cut off.
MAX_UNSENT = 10_000


class Connection:
    """One WebSocket: its session's `Outlet`. What is sent waits in a queue, for a writer to be slow with."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, simulator: "PrimebitSimulator"):
        self._request, self._socket = request, socket
        self._unsent: asyncio.Queue[str] = asyncio.Queue()
        self.session = simulator.session(self)

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
        await self._socket.close(code=WSCloseCode.GOING_AWAY, message=b"the venue is closing")

    async def write(self) -> None:
        """Runs until it is cancelled or the connection is gone."""
        while True:
            text = await self._unsent.get()
            try:
                await self._socket.send_str(text)
            except ConnectionError:
                return


class PrimebitSimulator:
    """A running simulator: `port`; ends with `close`."""

    def __init__(self, settings: PrimebitSettings, clock: Clock = time.time_ns) -> None:
        self.clock = clock
        self.port = 0
        self.exchange = Exchange(settings, clock())
        self._settings = settings
        self._keys, self._tally, faults = Keys(settings.accounts), Tally(), Faults()
        self._connections: dict[Connection, None] = {}
        self._sessions: dict[Session, None] = {}
        self._feed = Feed(self.exchange, settings.environment, faults, self._sessions)
        self._rest = RestApi(self.exchange, self._feed, faults, self._tally, self._keys, settings)
        self._controlled = Controlled(self.exchange, self._feed, self._rest, faults, self._tally, self, clock)
        self._refusing_until_ns = 0
        self._later: list[tuple[int, int, Later, asyncio.Future[Answer | HangUp]]] = []
        self._postponed = 0
        self._runner: web.AppRunner | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._waking: asyncio.TimerHandle | None = None

    # Start and end

    async def start(self) -> None:
        """OSError where the port is taken; nothing stays open then."""
        app = web.Application(middlewares=[self._door])
        app.add_routes(control.routes(self._controlled))
        app.add_routes([web.get(WS_PATH, self._converse), web.route("*", "/{path:.*}", self._answer)])
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
        """Closes every connection and the port; requests that still wait are hung up on."""
        for timer in (self._ticking, self._waking):
            if timer is not None:
                timer.cancel()
        self._ticking = self._waking = None
        for _, _, _, future in self._later:
            if not future.done():
                future.set_result(HangUp())
        self._later.clear()
        for connection in list(self._connections):
            try:
                async with asyncio.timeout(CLOSE_S):
                    await connection.close()
            except TimeoutError:
                connection.hang_up()
        if self._runner is not None:
            await self._runner.cleanup()

    def memory(self) -> Memory:
        """What the venue knows, for a later run to `recall` before its start: no connections, no counts, no faults."""
        return self.exchange.memory()

    def recall(self, memory: Memory) -> None:
        self.exchange.recall(memory)
        self._feed.recalled()

    def tick(self) -> None:
        """Whatever is due by the clock. Runs of itself ten times a second, and on time for what was delayed."""
        now_ns = self.clock()
        while self._later and self._later[0][0] <= now_ns:
            _, _, later, future = heapq.heappop(self._later)
            outcome = later.then(now_ns)
            if not future.done():
                future.set_result(outcome)
        self._feed.tick(now_ns)
        self.exchange.expire(now_ns)
        self._feed.publish(now_ns)
        self._wake_when_due()

    def _wake_when_due(self) -> None:
        due = [each for each in (self._later[0][0] if self._later else None, self._feed.due_ns, self.exchange.due_ns) if each is not None]
        if due and self._ticking is not None:
            if self._waking is not None:
                self._waking.cancel()
            delay_s = max(0, min(due) - self.clock()) / 1e9
            self._waking = asyncio.get_running_loop().call_later(min(delay_s, TICK_S), self.tick)

    def _tick_later(self) -> None:
        def run() -> None:
            self._tick_later()
            self.tick()

        self._ticking = asyncio.get_running_loop().call_later(TICK_S, run)

    # HTTP

    @web.middleware
    async def _door(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        """Refuses connections while it is told to; the control is spared, for it could never be told otherwise."""
        if self.clock() < self._refusing_until_ns and not request.path.startswith("/_sim/"):
            return _hung_up(request)
        return await handler(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        headers = request.headers
        asked = Request(
            request.method,
            path,
            query,
            await request.read(),
            headers.get("api-key", ""),
            headers.get("timestamp", ""),
            headers.get("authorization", ""),
            request.remote or "",
        )
        outcome = self._rest.handle(asked, self.clock())
        if isinstance(outcome, Later):
            outcome = await self._postponed_until(outcome)
        if isinstance(outcome, HangUp):
            return _hung_up(request)
        return web.Response(status=outcome.status, text=outcome.text, content_type="application/json")

    async def _postponed_until(self, later: Later) -> Answer | HangUp:
        future: asyncio.Future[Answer | HangUp] = asyncio.get_running_loop().create_future()
        self._postponed += 1
        heapq.heappush(self._later, (later.at_ns, self._postponed, later, future))
        self._wake_when_due()
        return await future

    # WebSocket

    def session(self, connection: Connection) -> Session:
        return Session(connection, self._keys, self._feed, self._tally)

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = Connection(request, socket, self)
        self._connections[connection] = self._sessions[connection.session] = None
        writer = asyncio.create_task(connection.write())
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                connection.session.receive(message.data, self.clock())
        finally:
            del self._connections[connection], self._sessions[connection.session]
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    # What the control asks of the line

    def disconnect(self) -> None:
        """Drops every WebSocket at once."""
        for connection in list(self._connections):
            connection.hang_up()

    def refuse_until(self, until_ns: int) -> None:
        """Hangs up on every request and WebSocket that comes before that time; 0 ends it."""
        self._refusing_until_ns = until_ns


def _hung_up(request: web.Request) -> web.Response:
    """The connection is gone; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def serve(settings: PrimebitSettings, clock: Clock = time.time_ns) -> PrimebitSimulator:
    """Starts the simulator; `clock` gives epoch nanoseconds."""
    simulator = PrimebitSimulator(settings, clock)
    await simulator.start()
    return simulator
