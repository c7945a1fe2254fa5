"""The simulated Crypto.com on the wire: REST, market-data WebSocket and control on one port. Decides nothing."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from aiohttp import WSCloseCode, WSMsgType, web

from bridges import control
from bridges.cryptocom.sim_control import Controlled
from bridges.cryptocom.sim_exchange import Exchange
from bridges.cryptocom.sim_gateway import Call, Gateway
from bridges.cryptocom.sim_settings import CryptocomSettings
from bridges.cryptocom.sim_stream import Stream
from bridges.cryptocom.sim_tally import Tally
from bridges.faults import Faults
from bridges.memory import Memory

Clock = Callable[[], int]
# "ws-api Demo (java)": wss://ws.crypto.com/kline-api/ws
STREAM_PATH = "/kline-api/ws"
TICK_S = 0.1
CLOSE_S = 1.0
MAX_BODY = 64 << 10
# A client that reads this many frames too slowly is cut off.
MAX_UNSENT = 10_000


def system_clock() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Connection:
    """One WebSocket and its stream; frames leave in order, by a task of its own."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, stream: Stream) -> None:
        self._request, self._socket, self.stream = request, socket, stream
        self._wake = asyncio.Event()

    def flush(self) -> None:
        if self.stream.waiting > MAX_UNSENT:
            self.abort()
        self._wake.set()

    def abort(self) -> None:
        """Drops the connection without a word."""
        self.stream.closed = True
        if self._request.transport is not None:
            self._request.transport.abort()

    async def send(self) -> None:
        """Runs until the stream is over, and hangs up then."""
        with suppress(ConnectionError):
            while True:
                for frame in self.stream.take_output():
                    await self._socket.send_bytes(frame)
                if self.stream.closed:
                    await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, drain=False)
                    return
                self._wake.clear()
                if not self.stream.waiting:
                    await self._wake.wait()


class CryptocomSimulator:
    """A running simulator on `port`; ends with `close`."""

    def __init__(self, settings: CryptocomSettings, clock: Clock = system_clock) -> None:
        self.clock = clock
        self.port = 0
        self._settings = settings
        self._faults, self._tally = Faults(), Tally()
        self.exchange = Exchange(settings, clock())
        self._gateway = Gateway(self.exchange, settings, self._faults, self._tally)
        self._controlled = Controlled(self.exchange, self._gateway, self._faults, self._tally, self, clock)
        self._connections: set[Connection] = set()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._refusing_until_ms = 0
        self._runner: web.AppRunner | None = None
        self._ticking: asyncio.TimerHandle | None = None

    # Start and end

    async def start(self) -> None:
        """OSError where the port is taken; nothing stays open then."""
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes(control.routes(self._controlled))
        app.router.add_get(STREAM_PATH, self._stream)
        app.router.add_route("*", "/{any:.*}", self._rest)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_S)
        try:
            await self._runner.setup()
            await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()
        except BaseException:
            await self.close()
            raise
        self.port = self._runner.addresses[0][1]
        self._tick_later()

    async def close(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        for _, waiting in self._waiting:
            waiting.cancel()
        for connection in list(self._connections):
            connection.stream.closed = True
            connection.flush()
        if self._runner is not None:
            await self._runner.cleanup()

    def memory(self) -> Memory:
        """What the venue knows, for a later run to `recall` before its start: no connections, no counts, no faults."""
        return self.exchange.memory()

    def recall(self, memory: Memory) -> None:
        self.exchange.recall(memory)

    def tick(self) -> None:
        """Whatever is due by the clock: pings, delayed answers, orders on their way. Runs ten times a second."""
        now_ms = self.clock()
        self.exchange.advance(now_ms)
        for connection in list(self._connections):
            connection.stream.tick(now_ms)
        self.publish()
        due = [waiting for at_ms, waiting in self._waiting if at_ms <= now_ms]
        self._waiting = [each for each in self._waiting if each[0] > now_ms]
        for waiting in due:
            if not waiting.done():
                waiting.set_result(None)

    def _tick_later(self) -> None:
        def run() -> None:
            self._tick_later()
            self.tick()

        self._ticking = asyncio.get_running_loop().call_later(TICK_S, run)

    # Requests

    async def _rest(self, request: web.Request) -> web.Response:
        if self._refusing():
            return _hang_up(request)
        url = request.rel_url
        content_type = request.headers.get("Content-Type", "")
        body = await request.read()
        address = request.remote or ""
        call = Call(request.method, url.raw_path, url.raw_query_string, content_type, body, address)
        answer = self._gateway.handle(call, self.clock())
        self.publish()
        if answer.delay_ms:
            await self._until(self.clock() + answer.delay_ms)
        if answer.body is None:
            return _hang_up(request)
        return web.Response(status=answer.status, body=answer.body, content_type="application/json")

    async def _until(self, due_ms: int) -> None:
        """Waits for the clock, not for time."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((due_ms, waiting))
        await waiting

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self._refusing():
            return _hang_up(request)
        socket = web.WebSocketResponse(timeout=CLOSE_S, compress=False, max_msg_size=MAX_BODY)
        if not socket.can_prepare(request):
            return web.Response(status=400)
        await socket.prepare(request)
        stream = Stream(self.exchange, self._settings, self._faults, self._tally, self.clock())
        connection = Connection(request, socket, stream)
        self._connections.add(connection)
        sending = asyncio.create_task(connection.send())
        try:
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    stream.receive(message.data, self.clock())
                    connection.flush()
        finally:
            self._connections.discard(connection)
            stream.closed = True
            connection.flush()
            await sending
        return socket

    # What the control asks of the line

    def publish(self) -> None:
        """Tells every stream which markets have changed, and sends what waits."""
        touched, self.exchange.touched = self.exchange.touched, set()
        for connection in self._connections:
            connection.stream.publish(touched, self.clock())
            connection.flush()

    def disconnect(self) -> None:
        """Drops every WebSocket at once."""
        for connection in list(self._connections):
            connection.abort()

    def refuse_until(self, until_ms: int) -> None:
        """Hangs up on whoever asks before that time; 0 ends it."""
        self._refusing_until_ms = until_ms

    def _refusing(self) -> bool:
        return self.clock() < self._refusing_until_ms


def _hang_up(request: web.Request) -> web.Response:
    """Closes the connection without a response: what is returned finds it closed and is not sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def serve(settings: CryptocomSettings, clock: Clock = system_clock) -> CryptocomSimulator:
    """Starts the simulator; `clock` gives epoch milliseconds."""
    simulator = CryptocomSimulator(settings, clock)
    await simulator.start()
    return simulator
