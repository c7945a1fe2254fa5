"""An admin API that answers with the contract's models, for the tests of its clients: it records what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from pydantic import BaseModel

from router.admin import contract as c

TOKEN = "let-me-in"
NIGHT = "2026-11-21T03:00:00.000000Z"
SESSION = "FIX.4.2:ROUTER->OMS42"
HOSTILE = "evil\x1b]0;owned\x07[bold red]x[/bold red]"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def status(**changes: Any) -> c.Status:
    """A quiet night."""
    told: dict[str, Any] = {
        "version": "0.1.0", "now": "2026-11-21T03:00:05.000000Z", "started": NIGHT, "uptime_s": 93784, "stopping": False, "halted": [],
        "sessions": {"up": 3, "total": 6}, "destinations": {"up": 7, "total": 7}, "open_orders": 12, "unknown_orders": 0,
        "pending_orders": 1, "oldest_pending_s": 0.4, "orders_total": 1204, "fills_total": 310, "rejects_total": 4,
        "journal_sequence": 90412, "journal_bytes": 48_200_000, "journal_failing": "", "durability": "process", "alerts": 0,
    }  # fmt: skip
    return c.Status.model_validate(told | changes)


def order(number: int = 42, **changes: Any) -> c.OrderRow:
    """A resting order of OMS42's."""
    told: dict[str, Any] = {
        "order_id": f"261121080000-{number}", "cl_ord_id": f"CLI-179522572675{number}-6433", "session": SESSION, "account": "ACC1",
        "destination": "PHEMEX", "symbol": "BTC/USD", "side": "buy", "ord_type": "limit", "time_in_force": "good-till-cancel",
        "order_qty": "0.50000001", "price": "64990.5", "stop_px": "", "status": "new", "cum_qty": "0", "leaves_qty": "0.50000001",
        "avg_px": "0", "created": "2026-11-21T02:59:59.123456Z", "updated": NIGHT, "venue_order_id": f"8f3a21{number}",
        "venue_cl_ord_id": f"00000001196482179522572675600{number}", "pending": "", "unknown": "", "candidates": [], "text": "",
        "done": False,
    }  # fmt: skip
    return c.OrderRow.model_validate(told | changes)


def unknown_order() -> c.OrderRow:
    """One whose create was never answered."""
    return order(
        43, status="pending-new", venue_order_id="", unknown="no answer to the create for 12 s", candidates=["8f3a99", "8f3b01"],
        cl_ord_id=HOSTILE,
    )  # fmt: skip


def session(name: str = SESSION, **changes: Any) -> c.SessionRow:
    told: dict[str, Any] = {
        "name": name, "kind": "client", "logged_on": True, "enabled": True, "halted": "", "since": NIGHT, "next_in": 1204,
        "next_out": 2981, "open_orders": 12, "orders": 400, "reports": 1203, "rejects": 2, "last_heard": NIGHT, "address": "10.0.0.7:51422",
    }  # fmt: skip
    return c.SessionRow.model_validate(told | changes)


def venue(name: str = "PHEMEX", **changes: Any) -> c.Destination:
    told: dict[str, Any] = {
        "name": name, "venue": name.title(), "account": name.lower(), "link": name.lower(), "up": True, "state": "open", "why": "",
        "since": NIGHT, "witness": "", "witness_up": True, "open_orders": 3, "unknown_orders": 0, "reconciling": 0,
        "symbols": ["BTC/USD", "ETH/USD"], "topics": {"balances": "what is there", "trades": "what was traded"},
    }  # fmt: skip
    return c.Destination.model_validate(told | changes)


def fill() -> c.FillRow:
    return c.FillRow(
        time=NIGHT, exec_id="261121080000-42-3", exec_type="trade", exec_ref_id="", order_id="261121080000-42", cl_ord_id="CLI-1",
        session=SESSION, account="ACC1", destination="PHEMEX", symbol="BTC/USD", side="buy", last_qty="0.12500000", last_px="64990.5",
        cum_qty="0.125", leaves_qty="0.37500001", fee="0.00001250", fee_currency="BTC", text="",
    )  # fmt: skip


def life() -> c.OrderLife:
    said = [
        c.Moment(sequence=7, time=NIGHT, kind="NewOrder", who="client", summary="new order",
                 effects=["place to PHEMEX", "report pending-new"]),
        c.Moment(sequence=8, time=NIGHT, kind="Accepted", who="venue", summary="accepted as 8f3a2142", effects=["report new"]),
    ]  # fmt: skip
    return c.OrderLife(order=order(), life=said, fills=[fill()])


def alert(**changes: Any) -> c.AlertRow:
    told: dict[str, Any] = {
        "alert_id": 1, "time": NIGHT, "rule": "unknown-too-long", "level": "critical", "text": "order 261121080000-43 is unknown for 30 s",
        "order_id": "261121080000-43", "active": True, "cleared": "",
    }  # fmt: skip
    return c.AlertRow.model_validate(told | changes)


class FakeApi:
    """The router's side, on a free port of loopback."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        """(method, path with query, body) of each request."""
        self.says: dict[str, BaseModel | Sequence[BaseModel]] = {
            "/v1/status": status(),
            "/v1/sessions": [session(), session("FIX.4.4:ROUTER->OMS44", logged_on=False),
                             session("FIX.4.4:ROUTER->DROP", kind="drop-copy")],
            f"/v1/sessions/{SESSION}": session(),
            "/v1/venues": [venue(), venue("BINANCE", state="down", up=False, why="no Logon for 40 s", symbols=["BTC/USDT"])],
            "/v1/orders": c.Page(rows=[unknown_order(), order()], more=False, after=""),
            "/v1/orders/261121080000-42": life(),
            "/v1/fills": [fill()],
            "/v1/rejects": [c.RejectRow(time=NIGHT, kind="order", session=SESSION, order_id="", cl_ord_id=HOSTILE, destination="PHEMEX",
                                        reason="order-exceeds-limit", text="notional 1200000 is over 1000000")],
            "/v1/balances": [c.BookRow(destination="PHEMEX", fields={"currency": "BTC", "free": "1.20000000", "held": "0.5"}, error=""),
                             c.BookRow(destination="MOONBASE", fields={}, error="no answer within 5 s")],
            "/v1/positions": [c.BookRow(destination="PHEMEX", fields={"symbol": "BTC/USD", "size": "-5", "entry": "64990.5"}, error="")],
            "/v1/holdings": [c.HoldingRow(account="apifiny", destinations="BINANCE", what="balance", name="USDT", total="1000",
                                          available="350.5", ours="-65", avg_px="", told=NIGHT)],
            "/v1/venues/PHEMEX/trades": [c.BookRow(destination="PHEMEX", fields={"id": "t1", "qty": "5"}, error="")],
            "/v1/routes": [c.RouteRow(number=1, destination="BINANCE", sessions=[], symbols=["BTC/USDT", "ETH/USDT"])],
            "/v1/route-test": c.RouteTest(destination="BINANCE", account="apifiny", symbol="BTC/USDT", venue_symbol="BTCUSDT", refused="",
                                          steps=["no ExDestination(100)", "route 1 fits BTC/USDT"]),
            "/v1/limits": [c.LimitRow(destination="BINANCE", symbol="BTC/USDT", name="tick", value="0.01", source="venue")],
            "/v1/budgets": [c.Budget(link="phemex", group="trade", requests=500, seconds=60, used=480, reserve=50, closed_for_s=0)],
            "/v1/latency": [c.Latency(stage="journal", count=10_000, p50=3, p90=6.2, p99=18, worst=12_400)],
            "/v1/alerts": [alert(), alert(alert_id=2, level="warning", active=False, cleared=NIGHT)],
            "/v1/config": [c.ConfigRow(key="router.durability", value="process"), c.ConfigRow(key="phemex.secret", value="(secret)")],
            "/v1/me": c.Me(name="ann", role=c.Role.TRADE, expires=NIGHT),
            "/v1/acts": list(c.ACTS),
        }  # fmt: skip
        self.refuses: dict[str, tuple[int, c.Problem]] = {}
        self.outcomes: dict[str, c.ActDone] = {}
        """What acts answer, by name; the others are done."""
        self.streams: list[web.WebSocketResponse] = []
        self.connected = asyncio.Event()
        self._server: TestServer | None = None

    async def start(self, port: int | None = None) -> Self:
        app = web.Application()
        app.router.add_get("/v1/events", self._events)
        app.router.add_route("*", "/{rest:.*}", self._answer)
        self._server = TestServer(app, port=port)
        await self._server.start_server()
        return self

    async def stop(self) -> None:
        """Go away: streams end, the port is closed."""
        for stream in [*self.streams]:
            await stream.close()
        self.streams.clear()
        self.connected.clear()
        assert self._server is not None
        await self._server.close()

    @property
    def port(self) -> int:
        assert self._server is not None
        assert self._server.port is not None
        return self._server.port

    @property
    def where(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def acts(self) -> list[tuple[str, dict[str, Any]]]:
        """What was ordered to be done, and not only looked at."""
        return [(path.rpartition("/")[2], body) for method, path, body in self.asked if method == "POST" and "preview" not in path]

    async def tell(self, event: c.Event) -> None:
        """Say something on every stream."""
        for stream in self.streams:
            await stream.send_str(event.model_dump_json())

    async def _answer(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _problem(401, c.Problem(error="the token is not known"))
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.path_qs, body))
        if request.path in self.refuses:
            return _problem(*self.refuses[request.path])
        if request.path.startswith("/v1/acts/"):
            return self._act(request.path.rpartition("/")[2], body, "preview" in request.query)
        if request.path not in self.says:
            return _problem(404, c.Problem(error=f"there is no {request.path}"))
        told = self.says[request.path]
        text = told.model_dump_json() if isinstance(told, BaseModel) else "[" + ",".join(each.model_dump_json() for each in told) + "]"
        return web.Response(text=text, content_type="application/json")

    def _act(self, name: str, body: dict[str, Any], preview: bool) -> web.Response:
        plain = c.ActDone(act=name, ok=True, text=f"{name} is done", by="night", why=body["why"], time=NIGHT)
        outcome = self.outcomes.get(name, plain)
        if preview and outcome.ok:
            outcome = outcome.model_copy(update={"preview": True, "text": f"would {name}", "details": ["order 261121080000-42 at PHEMEX"]})
        return web.Response(text=outcome.model_dump_json(), content_type="application/json", status=200 if outcome.ok else 409)

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        stream = web.WebSocketResponse(protocols=("fixrouter.v1",))
        await stream.prepare(request)
        self.streams.append(stream)
        told = self.says["/v1/status"]
        assert isinstance(told, c.Status)
        await stream.send_str(c.Event(kind="status", status=told).model_dump_json())
        self.connected.set()
        async for message in stream:
            if message.type is not WSMsgType.TEXT:
                break
        if stream in self.streams:
            self.streams.remove(stream)
        return stream


def _problem(status: int, problem: c.Problem) -> web.Response:
    return web.Response(text=problem.model_dump_json(), content_type="application/json", status=status)


async def serve(port: int) -> None:
    """By hand: `python -m tests.admin.fake_api 8099`, with a status each second."""
    api = await FakeApi().start(port)
    while True:
        await asyncio.sleep(1)
        told = api.says["/v1/status"]
        assert isinstance(told, c.Status)
        await api.tell(c.Event(kind="status", status=told))


if __name__ == "__main__":
    import sys

    asyncio.run(serve(int(sys.argv[1])))
