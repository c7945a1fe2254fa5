"""The simulated Moonbase over real sockets: one port for everything, the clock in the test's hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bridges import memory
from bridges.matching import Side
from bridges.moonbase import simulator as module
from bridges.moonbase.simulator import WS_PATH, MoonbaseSimulator, serve

from .sim_venue import NOW, ORDERS, SECRET, SYMBOL, D, S, parsed, query, settings


class Clock:
    def __init__(self) -> None:
        self.now_ns = NOW

    def __call__(self) -> int:
        return self.now_ns


class Socket:
    """A WebSocket client that waits for data and never for time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._ref = socket, 0
        self._join_ref = ""

    async def ask(self, event: str, topic: str = ORDERS, **payload):
        """The payload of the next frame, which is the reply."""
        self._ref += 1
        if event == "phx_join":
            self._join_ref = str(self._ref)
        frame = {"ref": str(self._ref), "join_ref": self._join_ref, "topic": topic, "event": event, "payload": payload}
        await self._socket.send_str(json.dumps(frame))
        reply = await self.read()
        assert reply["ref"] == str(self._ref), reply
        return reply["payload"]

    async def send(self, data: str | bytes) -> None:
        await (self._socket.send_str(data) if isinstance(data, str) else self._socket.send_bytes(data))

    async def read(self):
        message = await self._receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return parsed(message.data)

    async def _receive(self) -> aiohttp.WSMessage:
        # Here and not in the fixture: a timeout ends only the task that it was entered in.
        async with asyncio.timeout(20):
            return await self._socket.receive()

    async def ends(self) -> int | None:
        """The close code."""
        message = await self._receive()
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await self._receive()
        return self._socket.close_code


class Desk:
    """A running simulator, its clock and a client."""

    def __init__(self, simulator: MoonbaseSimulator, clock: Clock, http: aiohttp.ClientSession) -> None:
        self.simulator, self.clock, self._http = simulator, clock, http
        self._base = f"http://127.0.0.1:{simulator.port}"

    async def post(self, path: str, **fields):
        async with self._http.post(f"{self._base}/_sim/{path}", json=fields) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str):
        async with self._http.get(f"{self._base}/_sim/{path}") as answer:
            return await answer.json()

    async def connect(self, **changes) -> Socket:
        params = query(self.clock()) | {"vsn": "1.0.0"} | changes
        return Socket(await self._http.ws_connect(self._base + WS_PATH, params=params))

    async def status(self, **changes) -> int:
        """The HTTP status of an upgrade that is refused."""
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await self.connect(**changes)
        return caught.value.status

    async def joined(self) -> Socket:
        socket = await self.connect()
        assert (await socket.ask("phx_join"))["status"] == "ok"
        return socket


@asynccontextmanager
async def running(remembered=None, **changes) -> AsyncIterator[Desk]:
    clock = Clock()
    if remembered is None:
        simulator = await serve(settings(**changes), clock)
    else:
        simulator = MoonbaseSimulator(settings(**changes), clock)
        simulator.recall(remembered)
        await simulator.start()
    async with aiohttp.ClientSession() as http:
        yield Desk(simulator, clock, http)
    await simulator.close()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with running() as desk:
        yield desk


async def test_an_order_rests_is_traded_with_and_is_in_the_ground_truth(desk):
    """Place over the WebSocket, trade by the control, on one port."""
    socket = await desk.joined()
    order = (await socket.ask("place", limit_price=0.005, requested_amount=7))["response"]
    assert (await socket.read())["payload"]["data"] == [order]
    status, traded = await desk.post("trade", symbol=SYMBOL, side="SELL", qty=3, price="0.005")
    assert (status, traded["filled"]) == (200, "3")
    assert traded["trades"] == [{"id": str(order["id"]), "price": "0.005", "qty": "3"}]
    (row,) = (await socket.read())["payload"]["data"]
    assert (row["filled_amount"], row["filled_total"], row["is_active"]) == (3, D("0.015"), True)
    (known,) = await desk.get("orders")
    (fill,) = known.pop("trades")
    assert (fill["price"], fill["qty"], fill["fee"]) == ("0.005", "3", "0.000015")
    assert known == {
        "id": str(order["id"]), "client_id": None, "user_id": 5, "symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "price": "0.005",
        "stop_price": None, "qty": "7", "filled": "3", "filled_value": "0.015", "fee": "0.000015", "status": "OPEN",
        "created_ns": NOW, "updated_ns": NOW, "triggered_ns": NOW, "cancelled_ns": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "0" * 64},
        {"signature": query()["signature"].upper()},
        {"key": "nobody"},
        {"timestamp": "soon"},
        query(NOW - 31 * S),
        query(NOW + 31 * S),
        query(secret="wrong"),
        query(key="other"),
    ],
)
async def test_who_cannot_prove_it_is_not_let_in(desk, changes):
    """403, and counted."""
    assert await desk.status(**changes) == 403
    told = await desk.get("requests")
    assert (told["rejected_signatures"], told["by_status"], told["by_kind"]["connect"]) == (1, {"403": 1}, 1)


async def test_the_signature_of_the_documents_formula_is_taken_thirty_seconds_off(desk):
    """Either way; an unknown vsn is 403 too; secrets are not shown."""
    for off in (-30, 30):
        await desk.connect(**query(NOW + off * S))
    assert await desk.status(vsn="3.0.0") == 403
    assert SECRET not in repr(desk.simulator._settings) + json.dumps(await desk.get("requests"))


async def test_disconnect_refuse_connections_and_errors_of_the_upgrade(desk):
    """All streams drop at once; nobody but the control gets in until the time is over; then once a 503."""
    socket = await desk.joined()
    await desk.post("fault", kind="refuse_connections", delay_s=60)
    await desk.post("fault", kind="disconnect")
    await socket.ends()
    with pytest.raises(aiohttp.ClientError):
        await desk.connect()
    desk.clock.now_ns += 60 * S
    await desk.post("fault", kind="http_503", match="stream")
    assert await desk.status() == 503
    await desk.joined()


async def test_a_server_fault_closes_with_1011(desk):
    """And the order was never taken."""
    socket = await desk.joined()
    await desk.post("fault", kind="http_500", match="new")
    await socket.send(json.dumps({"ref": "2", "join_ref": "1", "topic": ORDERS, "event": "place", "payload": {"requested_amount": 1}}))
    assert await socket.ends() == 1011
    assert await desk.get("orders") == []


async def test_a_delayed_request_waits_for_the_clock(desk):
    """And acts although its client is gone."""
    socket = await desk.joined()
    await desk.post("fault", kind="delay", delay_s=20, match="new")
    await socket.send(json.dumps({"ref": "2", "join_ref": "1", "topic": ORDERS, "event": "place", "payload": {"requested_amount": 1}}))
    assert (await socket.ask("heartbeat", "phoenix"))["status"] == "ok"
    await desk.post("fault", kind="disconnect")
    await socket.ends()
    assert await desk.get("orders") == []
    desk.clock.now_ns += 20 * S
    desk.simulator.tick()
    assert [each["status"] for each in await desk.get("orders")] == ["FILLED"]


async def test_silence_is_ended_by_the_venue(desk):
    """60 s without a frame; a heartbeat is one."""
    talking, silent = await desk.connect(), await desk.connect()
    desk.clock.now_ns += 40 * S
    assert (await talking.ask("heartbeat", "phoenix"))["status"] == "ok"
    desk.clock.now_ns += 20 * S
    desk.simulator.tick()
    await silent.ends()
    assert (await talking.ask("heartbeat", "phoenix"))["status"] == "ok"


@pytest.mark.parametrize(("data", "code"), [(b"{}", None), ("no frame", 1011)])
async def test_what_is_no_frame_ends_the_connection(desk, data, code):
    """The venue speaks text and JSON."""
    socket = await desk.connect()
    await socket.send(data)
    ended = await socket.ends()
    assert code in (None, ended)


async def test_a_client_that_does_not_read_is_cut_off(desk, monkeypatch):
    """It cannot make the venue remember for ever."""
    socket = await desk.joined()
    monkeypatch.setattr(module, "MAX_UNSENT", 2)
    (connection,) = desk.simulator._connections
    for _ in range(4):
        connection.send("{}")
    await socket.ends()


async def test_the_venue_cancels_on_its_own_and_tells_the_client(desk):
    """Once: a second time is a fault of the caller."""
    socket = await desk.joined()
    order = (await socket.ask("place", limit_price=0.005, requested_amount=-7))["response"]
    await socket.read()
    status, known = await desk.post("cancel", id=str(order["id"]))
    assert (status, known["status"]) == (200, "CANCELLED")
    (row,) = (await socket.read())["payload"]["data"]
    assert (row["is_active"], row["cancelled_at"]) == (False, "2019-02-17T20:37:41.686411")
    for order_id in (str(order["id"]), "1", "x", "9" * 5000):
        assert (await desk.post("cancel", id=order_id))[0] == 400


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"symbol": "DOGE:BTC"}, "symbol"),
        ({"venue": "BINANCE"}, "venue"),
        ({"qty": "0.001"}, "qty"),
        ({"qty": "100000000"}, "qty"),
        ({"price": "0.000015"}, "price"),
    ],
)
async def test_a_trade_that_cannot_be_is_refused_by_field(desk, fields, field):
    """400, and the book is as it was."""
    status, answer = await desk.post("trade", **({"symbol": SYMBOL, "side": "BUY", "qty": 1, "price": "0.00501"} | fields))
    assert status == 400
    assert answer["error"].startswith(f"{field}:")


async def test_reset_is_the_start_again_and_leaves_connections():
    """Orders, books, faults and limits; who has joined the book is told what changed."""
    async with running(joins_per_hour=1) as desk:
        socket = await desk.connect()
        await socket.ask("phx_join", "/orderbooks/ETC:BTC")
        await desk.post("trade", symbol=SYMBOL, side="BUY", qty=4, price="0.00501")
        assert (await socket.read())["payload"]["data"] == [[D("0.00501"), -6]]
        await desk.post("fault", kind="drop_request")
        await desk.post("reset")
        assert (await socket.read())["payload"]["data"] == [[D("0.00501"), -10]]
        assert (await socket.ask("phx_join", "/balances"))["status"] == "ok"


async def test_a_later_run_remembers_orders_and_joins(tmp_path):
    """Through the file: books, ids, balances, and how many joins the hour has seen."""
    async with running(joins_per_hour=3) as desk:
        socket = await desk.joined()
        order = (await socket.ask("place", limit_price=0.005, requested_amount=7))["response"]
        await desk.post("trade", symbol=SYMBOL, side="SELL", qty=3, price="0.005")
        await desk.joined()
        memory.save(tmp_path / "moonbase", "x", desk.simulator.memory())
    remembered = memory.load(tmp_path / "moonbase", "x")
    async with running(remembered, joins_per_hour=3) as desk:
        socket = await desk.connect()
        (known,) = (await socket.ask("phx_join", status="open"))["response"]
        assert (known["id"], known["filled_amount"]) == (order["id"], 3)
        assert (await socket.ask("phx_join", "/balances"))["type"] == "rate_limit_exceeded"
        assert desk.simulator.exchange.books[SYMBOL].best(Side.BUY) == D("0.005")
        assert (await socket.ask("cancel", id=order["id"]))["type"] == "unmatched topic"
        socket._join_ref = "1"
        assert (await socket.ask("cancel", id=order["id"]))["response"]["is_active"] is False
        later = (await desk.get("orders"))[0]
        assert (later["status"], later["filled"]) == ("CANCELLED", "3")


async def test_a_port_that_is_taken_leaves_nothing_open(desk):
    """OSError."""
    with pytest.raises(OSError, match="address"):
        await serve(settings(port=desk.simulator.port))
