"""A stage for the web page: its real files with the policy they are served under, answers made of the contract's models, and a stream.

It decides nothing: what it is asked to do it writes down. By hand: `python -m tests.admin.page.stage` says where to look.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import jwt
from aiohttp import WSMsgType, web
from pydantic import BaseModel

import router.admin
from router.admin import contract as c
from tests.admin.page.rows import HOSTILE, ago, alert, fill, life, order, reject, session, venue

PAGE: Final = Path(router.admin.__file__).parent / "page"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
SECRET: Final = "a stage's secret, which is worth nothing at all"
_TYPES: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_RANK: Final = {c.Role.VIEW: 0, c.Role.TRADE: 1, c.Role.ADMIN: 2}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def token(role: str = "admin", name: str = "nina", secret: str = SECRET) -> str:
    """A token as `fixrouter token` makes them."""
    return jwt.encode({"sub": name, "role": role, "exp": datetime.now(UTC) + timedelta(hours=8)}, secret, algorithm="HS256")


class Stage:
    """What the router would know, and what it was asked to do."""

    def __init__(self) -> None:
        self.orders: dict[str, c.OrderRow] = {}
        self.sessions: dict[str, c.SessionRow] = {}
        self.venues: dict[str, c.Destination] = {}
        self.budgets: list[c.Budget] = []
        self.fills: list[c.FillRow] = []
        self.rejects: list[c.RejectRow] = []
        self.alerts: dict[int, c.AlertRow] = {}
        self.halted: list[c.HaltRow] = []
        self.journal_failing = ""
        self.asked: list[tuple[str, bool, dict[str, Any]]] = []
        """Acts: name, whether it was a preview, body."""
        self.lists = 0
        """How often the open orders were asked for."""
        self.away = False
        """Refuse all, as a router that restarts."""
        self.lose_acts = False
        """Do what is asked and never answer."""
        self.hold = False
        """Answer a preview only at `release`."""
        self.url = ""
        self._sockets: set[web.WebSocketResponse] = set()
        self._released = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._chance = random.Random(7)

    # --- told by the test, from its own thread --------------------------------------------------------------------------

    def add(self, *rows: c.OrderRow) -> None:
        """Know these orders."""
        self.orders |= {row.order_id: row for row in rows}

    def publish(self, **event: Any) -> None:
        """Send one event to all pages, after knowing what is in it."""
        told = c.Event.model_validate(event)
        if told.order:
            self.add(told.order)
        self._call(self._send(told.model_dump_json(exclude_none=True)))

    def drop(self) -> None:
        """Break all streams."""
        self._call(self._close())

    def release(self) -> None:
        """Answer the previews that were held."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._released.set)

    def silence(self) -> None:
        """Leave the streams open and send nothing more."""
        self._sockets.clear()

    def _call(self, work: Any) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _send(self, text: str) -> None:
        for socket in list(self._sockets):
            with suppress(ConnectionError):
                await socket.send_str(text)

    async def _close(self) -> None:
        for socket in list(self._sockets):
            await socket.close(code=1012)

    # --- asked by the page ----------------------------------------------------------------------------------------------

    def app(self) -> web.Application:
        """The application."""
        app = web.Application(middlewares=[self._guard])
        listings: dict[str, Callable[[], Any]] = {
            "sessions": lambda: self.sessions.values(), "venues": lambda: self.venues.values(), "budgets": lambda: self.budgets,
            "fills": lambda: self.fills, "rejects": lambda: self.rejects, "alerts": lambda: self.alerts.values(),
            "acts": lambda: c.ACTS, "latency": self._latency,
        }  # fmt: skip
        for name, rows in listings.items():
            app.router.add_get(f"/v1/{name}", self._listing(rows))
        app.router.add_get("/v1/status", self._status)
        app.router.add_get("/v1/orders", self._orders)
        app.router.add_get("/v1/orders/{id}", self._life)
        app.router.add_post("/v1/acts/{name}", self._act)
        app.router.add_get("/v1/events", self._events)
        app.router.add_get("/", _file)
        app.router.add_get("/{name}", _file)
        app.on_startup.append(self._begin)
        return app

    async def _begin(self, _: web.Application) -> None:
        self._loop = asyncio.get_running_loop()
        self._beat = asyncio.create_task(self._beats())

    async def end(self) -> None:
        """Let go of the pages."""
        self._beat.cancel()
        await self._close()

    async def _status(self, _: web.Request) -> web.Response:
        return _answered(self.status())

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(1)
            await self._send(c.Event(kind="status", status=self.status()).model_dump_json(exclude_none=True))

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/v1/"):
            return await handler(request)
        if self.away and request.transport is not None:
            request.transport.close()
            return web.Response(status=503)
        try:
            _role(request)
        except jwt.InvalidTokenError:
            return _answered(c.Problem(error="this token is not one of this router's"), 401)
        return await handler(request)

    def _listing(self, rows: Callable[[], Any]) -> Handler:
        async def answer(_: web.Request) -> web.Response:
            return web.json_response([row.model_dump() for row in rows()])

        return answer

    async def _orders(self, request: web.Request) -> web.Response:
        state = request.query["state"]
        self.lists += state == "open"
        fits = {"open": lambda row: not row.done, "done": lambda row: row.done, "unknown": lambda row: row.unknown and not row.done}[state]
        rows = sorted(filter(fits, self.orders.values()), key=lambda row: row.created, reverse=True)[: int(request.query["limit"])]
        return _answered(c.Page(rows=rows, more=False, after=""))

    async def _life(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        found = [row for row in self.orders.values() if wanted in (row.order_id, row.cl_ord_id, row.venue_order_id)]
        if len(found) == 1:
            return _answered(life(found[0]))
        near = [row.order_id for row in found] or list(itertools.islice(self.orders, 2))
        return _answered(c.Problem(error=f"there is no order {wanted}", candidates=near), 409 if found else 404)

    async def _act(self, request: web.Request) -> web.Response:
        spec = next(each for each in c.ACTS if each.name == request.match_info["name"])
        body, preview = await request.json(), request.query.get("preview") == "true"
        self.asked.append((spec.name, preview, body))
        if _RANK[_role(request)] < _RANK[spec.role]:
            return _answered(c.Problem(error="not with this role", needed=spec.role), 403)
        text, details = self._outcome(spec.name, body)
        if self.hold:
            await self._released.wait()
        if self.lose_acts and not preview and request.transport is not None:
            request.transport.close()
        done = c.ActDone(
            act=spec.name,
            ok=True,
            text=f"would {text}" if preview else text,
            by="nina",
            why=body.get("why", ""),
            time=ago(),
            preview=preview,
            details=details,
        )
        if not preview:
            await self._send(c.Event(kind="act", act=done).model_dump_json(exclude_none=True))
        return _answered(done)

    def _outcome(self, act: str, body: dict[str, Any]) -> tuple[str, list[str]]:
        if act not in ("cancel", "cancel-all"):
            return f"{act} {body.get('name') or body.get('destination') or body.get('order') or 'everything'}", []
        wanted = {"order_id": body.get("order"), "destination": body.get("destination"), "session": body.get("session")}
        fitting = [
            row
            for row in self.orders.values()
            if not row.done and all(getattr(row, name) == value for name, value in wanted.items() if value)
        ]
        lines = [
            f"{row.order_id} ({row.cl_ord_id}) {row.side} {row.leaves_qty} {row.symbol} @ {row.price} at {row.destination}"
            for row in fitting
        ]
        return f"cancel {len(fitting)} open order{'s' * (len(fitting) != 1)}", lines

    async def _events(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=["fixrouter.v1"])
        await socket.prepare(request)
        self._sockets.add(socket)
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        self._sockets.discard(socket)
        return socket

    def status(self) -> c.Status:
        """Of what the stage knows."""
        live = [row for row in self.orders.values() if not row.done]
        pending = sum(1 for row in live if row.pending or row.status == "pending-new")
        return c.Status(
            version="0.1.0", now=ago(), started=ago(93784), uptime_s=93784, stopping=False, halted=self.halted,
            sessions=c.Counts(up=sum(row.logged_on for row in self.sessions.values()), total=len(self.sessions)),
            destinations=c.Counts(up=sum(row.up for row in self.venues.values()), total=len(self.venues)), open_orders=len(live),
            unknown_orders=sum(1 for row in live if row.unknown), pending_orders=pending, oldest_pending_s=0.4 if pending else 0,
            orders_total=12041, fills_total=3102, rejects_total=17, journal_sequence=90412, journal_bytes=48_200_000,
            journal_failing=self.journal_failing, durability="process", alerts=sum(each.active for each in self.alerts.values()),
        )  # fmt: skip

    def _latency(self) -> list[c.Latency]:
        means = {"decode": 14, "journal": 5, "apply": 38, "send": 52, "venue answer": 2400, "report": 61}
        return [
            c.Latency(stage=stage, count=9000 + self._chance.randrange(99), p50=mean * k, p90=mean * k * 1.6, p99=mean * k * k * 3,
                worst=mean * 11)
            for stage, mean in means.items()
            for k in [self._chance.uniform(0.9, 1.15)]
        ]  # fmt: skip


def _answered(told: BaseModel, status: int = 200) -> web.Response:
    return web.Response(text=told.model_dump_json(), content_type="application/json", status=status)


async def _file(request: web.Request) -> web.Response:
    path = PAGE / request.match_info.get("name", "index.html")
    if path.parent != PAGE or not path.is_file():
        raise web.HTTPNotFound
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return web.Response(body=path.read_bytes(), content_type=_TYPES[path.suffix], charset="utf-8", headers=headers)


def _role(request: web.Request) -> c.Role:
    return c.Role(jwt.decode(_bearer(request), SECRET, algorithms=["HS256"])["role"])


def _bearer(request: web.Request) -> str:
    offered = [each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if offered[:1] == ["fixrouter.v1"]:
        return next((each.removeprefix("bearer.") for each in offered if each.startswith("bearer.")), "")
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


@contextmanager
def running(stage: Stage, port: int = 0) -> Iterator[Stage]:
    """Serve it on loopback, on a thread of its own."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    runner = web.AppRunner(stage.app(), access_log=None, shutdown_timeout=1)

    async def begin() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        stage.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    def run() -> None:
        loop.run_until_complete(begin())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(stage.end())
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(10)
    try:
        yield stage
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


# --- to look at ---------------------------------------------------------------------------------------------------------


def night() -> Stage:
    """A busy night, with most of what can be wrong."""
    stage = Stage()
    places = [
        ("PHEMEX", "BTC/USD", "64990"),
        ("BINANCE", "BTC/USDT", "65010.55"),
        ("MOONBASE", "ETC/BTC", "0.00499"),
        ("CRYPTOCOM", "ETH/USDT", "3499.01"),
    ]
    for number in range(34):
        where, symbol, price = places[number % 4]
        told: dict[str, Any] = {"destination": where, "symbol": symbol, "price": price, "side": "sell" if number % 3 else "buy"}
        if number % 5 == 0:
            told |= {
                "status": "partially-filled",
                "order_qty": "0.50000001",
                "cum_qty": "0.12500000",
                "leaves_qty": "0.37500001",
                "avg_px": price,
            }
        stage.add(order(number, **told))
    stage.add(
        order(40, unknown="no answer to the create for 12 s", candidates=["8f3a99aa-1", "8f3b01bb-2"], status="pending-new"),
        order(41, destination="PRIMEBIT", unknown="ended while nobody listened", symbol="ETH/USD", side="sell"),
        order(42, pending="pending-cancel OMS44-C17", ord_type="stop-limit", stop_px="64000"), order(43, ord_type="market", price=""),
        order(44, status="filled", cum_qty="5", leaves_qty="0", avg_px="64990", done=True), order(45, cl_ord_id=HOSTILE, text=HOSTILE),
    )  # fmt: skip
    client = "FIX.4.4:ROUTER->OMS44"
    rows = [
        session("FIX.4.2:ROUTER->OMS42"), session(client), session("FIX.4.4:ROUTER->OMS44B", logged_on=False, open_orders=0),
        session("FIXT.1.1:ROUTER->OMS50", halted="by omar: limits under review"), session("FIX.4.4:ROUTER->DROP", kind="drop-copy"),
        session("FIX.4.2:FIXROUTER->APIFINY", kind="venue"),
    ]  # fmt: skip
    stage.sessions = {row.name: row for row in rows}
    venues = [
        venue("BINANCE", link="apifiny", witness="apifiny-rest", witness_up=False),
        venue("COINBASEPRO", link="apifiny"), venue("GBBO", link="apifiny"), venue("PHEMEX", unknown_orders=1),
        venue("PRIMEBIT", up=False, state="down", why="connection refused, try 14", since=ago(1260), unknown_orders=1),
        venue("MOONBASE", state="reconciling", reconciling=12, since=ago(6)), venue("CRYPTOCOM"),
    ]  # fmt: skip
    stage.venues = {row.name: row for row in venues}
    stage.budgets = [
        c.Budget(link="phemex", group="orders", requests=500, seconds=60, used=214, reserve=50, closed_for_s=0),
        c.Budget(link="phemex", group="other", requests=100, seconds=60, used=12, reserve=10, closed_for_s=0),
        c.Budget(link="cryptocom", group="orders", requests=15, seconds=0.1, used=14, reserve=3, closed_for_s=0),
        c.Budget(link="moonbase", group="all", requests=120, seconds=60, used=120, reserve=20, closed_for_s=21.5),
        c.Budget(link="apifiny", group="fix", requests=50, seconds=1, used=3, reserve=5, closed_for_s=0),
    ]
    stage.alerts = {row.alert_id: row for row in [
        alert(1, "PRIMEBIT is down: connection refused", level="critical"),
        alert(2, "order 261121-000040 is unknown at PHEMEX for longer than 10 s", rule="unknown-order", order_id="261121-000040"),
        alert(3, "the clock of CRYPTOCOM is 412 ms from ours", rule="clock-skew", active=False, cleared=ago(100)),
    ]}  # fmt: skip
    stage.halted = [c.HaltRow(scope="session", name="FIXT.1.1:ROUTER->OMS50", by="omar", why="limits under review", since=ago(900))]
    stage.fills = [fill(number, order(number * 5)) for number in range(14, 0, -1)]
    stage.rejects = [reject(number) for number in range(6, 0, -1)]
    return stage


def main() -> None:
    """Serve a busy night until Ctrl-C, with a stream that goes on."""
    with running(night()) as stage:
        print(stage.url, *(f"\n{role}: {token(role)}" for role in c.Role), flush=True)
        for number in itertools.count(100):
            threading.Event().wait(1.5)
            row = order(number % 34, updated=ago(), cum_qty=str(number % 5), status="partially-filled")
            stage.publish(kind="order", order=row)
            stage.publish(kind="fill", fill=fill(number, row, time=ago()))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
