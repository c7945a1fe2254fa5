"""The simulated Apifiny on the wire: FIX endpoints, and REST, WebSockets and control on one port. Decides nothing; passes bytes and
the time."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from aiohttp import web

from bridges import control
from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_auth import Keys
from bridges.apifiny.sim_controlled import Controlled
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_exchange import Exchange
from bridges.apifiny.sim_feed import Feed
from bridges.apifiny.sim_fixapi import FixApi
from bridges.apifiny.sim_fixwire import Message
from bridges.apifiny.sim_logon import check_logon
from bridges.apifiny.sim_market import Market
from bridges.apifiny.sim_rest import RestApi
from bridges.apifiny.sim_session import Session
from bridges.apifiny.sim_settings import ApifinySettings, Endpoint
from bridges.apifiny.sim_tally import OK, Tally
from bridges.apifiny.sim_web import Web
from bridges.faults import Faults
from bridges.memory import Memory

Clock = Callable[[], int]
TICK_S = 0.1
CLOSE_S = 1.0
# A client that reads this much too slowly is cut off.
MAX_UNSENT = 8 << 20


def system_clock() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Connection(asyncio.Protocol):
    """One TCP connection and its session: the `sim_fixapi.Outlet` of its account once it is logged on."""

    def __init__(self, simulator: "ApifinySimulator", endpoint: Endpoint) -> None:
        self._simulator = simulator
        self._transport: asyncio.Transport | None = None
        self.endpoint = endpoint
        self.venues = frozenset(endpoint.venues)
        self.account_id = ""
        self.session = Session(self._admit, simulator.clock())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._simulator.connected(self)

    def data_received(self, data: bytes) -> None:
        now_ms = self._simulator.clock()
        self._simulator.touched[self] = None
        for message in self.session.receive(data, now_ms):
            self._simulator.api.handle(self, message, now_ms)
        self._simulator.flush()

    def connection_lost(self, _exc: Exception | None) -> None:
        self.session.closed = True
        self._transport = None
        self._simulator.gone(self)

    def send(self, msg_type: str, body: str) -> None:
        self.session.send(msg_type, body, self._simulator.clock())
        self._simulator.touched[self] = None

    def send_raw(self, data: bytes) -> None:
        self.session.send_raw(data)
        self._simulator.touched[self] = None

    def reject(self, message: Message, reason: int, tag: int, text: str) -> None:
        self.session.reject(message, reason, tag, text, self._simulator.clock())
        self._simulator.touched[self] = None

    def flush(self) -> None:
        """Everything that waits, in one write; hangs up after it where the session is over."""
        if self._transport is None:
            return
        data = self.session.take_output()
        if data:
            self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self.abort()
        elif self.session.closed:
            self._transport.close()

    def abort(self) -> None:
        """Drops the connection without a word."""
        self.session.closed = True
        if self._transport is not None:
            self._transport.abort()

    def _admit(self, fields: Mapping[int, str], now_ms: int) -> None:
        self.account_id = self._simulator.log_on(self, fields, now_ms)


class ApifinySimulator:
    """A running simulator: `fix_ports` (one an endpoint, in order), `control_port`; ends with `close`."""

    def __init__(self, settings: ApifinySettings, clock: Clock = system_clock) -> None:
        self.clock = clock
        self.fix_ports: tuple[int, ...] = ()
        self.control_port = 0
        self._tally = Tally()
        self.exchange = Exchange(settings, clock())
        self.api = FixApi(
            self.exchange,
            faults := Faults(),
            self._tally,
            self._outlet,
            settings.reject_text,
            settings.fix_requests_per_second,
        )
        market, keys = Market(self.exchange), Keys(settings.accounts)
        self.feed = Feed(self.exchange, market, faults)
        self.rest = RestApi(self.exchange, self.feed, self.api, faults, self._tally, keys, settings, clock())
        self._web = Web(self.rest, self.feed, market, keys, self._tally, settings, self)
        self._controlled = Controlled(self.exchange, self.api, self.feed, self.rest, faults, self._tally, self, clock)
        self._settings = settings
        self._refusing_until_ms = 0
        self._connections: set[Connection] = set()
        self._all_gone = asyncio.Event()
        self._all_gone.set()
        self._sessions: dict[tuple[str, int], Connection] = {}
        self._endpoint_of = {venue: id(each) for each in settings.endpoints for venue in each.venues}
        self._servers: list[asyncio.Server] = []
        self._runner: web.AppRunner | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._waking: asyncio.TimerHandle | None = None
        self.touched: dict[Connection, None] = {}

    # Start and end

    async def start(self) -> None:
        """OSError where a port is taken; nothing stays open then."""
        loop = asyncio.get_running_loop()
        try:
            for endpoint in self._settings.endpoints:
                server = await loop.create_server(partial(Connection, self, endpoint), self._settings.host, endpoint.port)
                self._servers.append(server)
            self.fix_ports = tuple(server.sockets[0].getsockname()[1] for server in self._servers)
            app = web.Application(middlewares=[self._web.door])
            app.add_routes([*control.routes(self._controlled), *self._web.routes()])
            self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_S)
            await self._runner.setup()
            await web.TCPSite(self._runner, self._settings.host, self._settings.control_port).start()
            self.control_port = self._runner.addresses[0][1]
        except BaseException:
            await self.close()
            raise
        self._tick_later()

    async def close(self) -> None:
        """Says Logout to whoever is logged on and closes everything."""
        for timer in (self._ticking, self._waking):
            if timer is not None:
                timer.cancel()
        self._ticking = self._waking = None
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            if connection.session.active:
                connection.session.log_out("the venue is closing", self.clock())
            connection.session.closed = True
            connection.flush()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._all_gone.wait()
        for connection in list(self._connections):
            connection.abort()
        self.rest.reset()
        await self._web.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def memory(self) -> Memory:
        """What the venue knows, for a later run to `recall` before its start: no sessions, no counts, no faults."""
        return self.exchange.memory()

    def recall(self, memory: Memory) -> None:
        self.exchange.recall(memory, self.clock())

    def tick(self) -> None:
        """Whatever is due by the clock. Runs of itself ten times a second, and on time for delayed answers."""
        now_ms = self.clock()
        self.api.tick(now_ms)
        self.rest.tick(now_ms)
        self.feed.tick(now_ms)
        self._web.tick(now_ms)
        for connection in list(self._connections):
            connection.session.tick(now_ms)
            connection.flush()
        self.flush()

    def flush(self) -> None:
        """Sends what the last input caused, one write a connection, and sees to it that what is due wakes us."""
        self.feed.publish(self.clock())
        touched, self.touched = self.touched, {}
        for connection in touched:
            connection.flush()
        due = [each for each in (self.api.due_ms, self.rest.due_ms, self.feed.due_ms) if each is not None]
        if due and self._ticking is not None:
            if self._waking is not None:
                self._waking.cancel()
            delay_s = max(0, min(due) - self.clock()) / 1000
            self._waking = asyncio.get_running_loop().call_later(delay_s, self.tick)

    def _tick_later(self) -> None:
        def run() -> None:
            self._tick_later()
            self.tick()

        self._ticking = asyncio.get_running_loop().call_later(TICK_S, run)

    # Sessions

    def connected(self, connection: Connection) -> None:
        if self.refusing:
            connection.abort()
        self._connections.add(connection)
        self._all_gone.clear()

    def gone(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._all_gone.set()
        key = (connection.account_id, id(connection.endpoint))
        if self._sessions.get(key) is connection:
            del self._sessions[key]

    def log_on(self, connection: Connection, fields: Mapping[int, str], now_ms: int) -> str:
        """The account id, once the session is its own; Refused otherwise."""
        account_id = fields.get(49, "")
        self._tally.by_kind["logon"] += 1
        try:
            self._check_logon(connection, account_id, fields, now_ms)
        except Refused as no:
            self._tally.by_code[no.code] += 1
            self._tally.rejected_signatures += no.code == errors.SIGNATURE_ERROR
            raise
        self._tally.by_code[OK] += 1
        self._sessions[account_id, id(connection.endpoint)] = connection
        return account_id

    def _check_logon(self, connection: Connection, account_id: str, fields: Mapping[int, str], now_ms: int) -> None:
        token = fields.get(96)
        if token is None or fields.get(95) != str(len(token)):
            raise Refused(errors.SIGNATURE_ERROR, "RawDataLength is not the length of RawData")
        check_logon(self.exchange.account(account_id), account_id, token, now_ms)
        known = self._sessions.get((account_id, id(connection.endpoint)))
        if known is not None and not known.session.closed:
            raise Refused(errors.REQUEST_ERROR, "this session is logged on already")

    def _outlet(self, account_id: str, venue: str) -> Connection | None:
        return self._sessions.get((account_id, self._endpoint_of.get(venue, 0)))

    @property
    def refusing(self) -> bool:
        return self.clock() < self._refusing_until_ms

    # What the control asks of the line

    def disconnect(self) -> None:
        """Drops every FIX connection and WebSocket at once."""
        for connection in list(self._connections):
            connection.abort()
        self._web.disconnect()

    def refuse_until(self, until_ms: int) -> None:
        """Hangs up before that time on every FIX connection, REST request and WebSocket that begins; 0 ends it."""
        self._refusing_until_ms = until_ms


async def serve(settings: ApifinySettings, clock: Clock = system_clock) -> ApifinySimulator:
    """Starts the simulator; `clock` gives epoch milliseconds."""
    simulator = ApifinySimulator(settings, clock)
    await simulator.start()
    return simulator
