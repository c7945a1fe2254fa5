"""The simulator over real sockets: one port for everything, the clock in the test's hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bridges import simulators
from bridges.matching import Side
from bridges.phemex import simulator as module
from bridges.phemex.sim_contract import Contract
from bridges.phemex.sim_market import Market
from bridges.phemex.simulator import PhemexSimulator, serve

from .venue import NOW, SECRET, TOKEN, S, body, hmac_hex, settings, signed

DEMO = Path(__file__).parents[3] / "config" / "demo" / "simulators.toml"


class Clock:
    def __init__(self) -> None:
        self.now_ns = NOW

    def __call__(self) -> int:
        return self.now_ns


class Socket:
    """A WebSocket client that waits for data and never for time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def ask(self, method: str, *params) -> dict:
        await self._socket.send_str(json.dumps({"id": 1, "method": method, "params": list(params)}))
        return await self.read()

    async def read(self) -> dict:
        """The next message; EOFError when the venue hung up."""
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise EOFError(message.type)
        return json.loads(message.data)

    async def send_bytes(self, data: bytes) -> None:
        await self._socket.send_bytes(data)

    async def ends(self) -> None:
        message = await self._socket.receive()
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await self._socket.receive()
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED), message


class Desk:
    """A running simulator, its clock and a client."""

    def __init__(self, simulator: PhemexSimulator, clock: Clock, http: aiohttp.ClientSession) -> None:
        self.simulator, self.clock, self._http = simulator, clock, http
        self._base = f"http://127.0.0.1:{simulator.port}"

    async def call(self, method: str, path: str, query: str = "", content: bytes = b""):
        """Status, headers and body of a signed request."""
        asked = signed(method, path, query, content, self.clock())
        headers = {
            "x-phemex-access-token": asked.token,
            "x-phemex-request-expiry": asked.expiry,
            "x-phemex-request-signature": asked.signature,
        }
        url = self._base + path + (f"?{query}" if query else "")
        # A connection of its own: a client may repeat a request on one that was kept.
        async with aiohttp.request(method, url, data=content or None, headers=headers) as answer:
            return answer.status, answer.headers, await answer.text()

    async def place(self, **changes) -> dict:
        status, _, text = await self.call("POST", "/orders", content=body(**changes))
        assert status == 200
        return json.loads(text)

    async def post(self, path: str, **fields):
        async with self._http.post(f"{self._base}/_sim/{path}", json=fields) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str):
        async with self._http.get(f"{self._base}/_sim/{path}") as answer:
            return await answer.json()

    async def connect(self) -> Socket:
        return Socket(await self._http.ws_connect(self._base + "/ws"))

    async def subscribed(self) -> Socket:
        """Authorised, and past its two AOP snapshots."""
        socket = await self.connect()
        expiry = self.clock() // S + 60
        answer = await socket.ask("user.auth", "API", TOKEN, hmac_hex(f"{TOKEN}{expiry}"), expiry)
        assert answer["result"] == {"status": "success"}
        await socket.ask("aop.subscribe")
        assert [(await socket.read())["type"] for _ in range(2)] == ["snapshot", "snapshot"]
        return socket


@asynccontextmanager
async def running(**changes) -> AsyncIterator[Desk]:
    clock = Clock()
    simulator = await serve(settings(**changes), clock)
    async with asyncio.timeout(20), aiohttp.ClientSession() as http:
        yield Desk(simulator, clock, http)
    await simulator.close()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with running() as desk:
        yield desk


async def test_an_order_rests_is_traded_with_and_is_in_the_ground_truth(desk):
    """REST in, WebSocket out, control beside them, all on one port."""
    socket = await desk.subscribed()
    order_id = (await desk.place())["data"]["orderID"]
    (row,) = (await socket.read())["orders"]
    assert (row["orderID"], row["clOrdID"], row["ordStatus"]) == (order_id, "c1", "New")
    status, traded = await desk.post("trade", symbol="BTCUSD", side="SELL", qty=3, price="65000")
    assert (status, traded["filled"]) == (200, "3")
    assert traded["trades"] == [{"id": order_id, "client_id": "c1", "price": "65000", "qty": "3"}]
    (row,) = (await socket.read())["orders"]
    assert (row["execStatus"], row["execQty"], row["execPriceEp"]) == ("MakerFill", 3, 650_000_000)
    (order,) = await desk.get("orders")
    expected = {
        "id": order_id,
        "client_id": "c1",
        "symbol": "BTCUSD",
        "side": "Buy",
        "price": "65000",
        "qty": "7",
        "filled": "3",
        "status": "PartiallyFilled",
        "created_ns": NOW,
    }
    assert {name: order[name] for name in expected} == expected


async def test_the_path_of_a_cancel_reaches_the_venue_as_it_was_signed(desk):
    """With its = and & undecoded; what happened comes over the stream."""
    socket = await desk.subscribed()
    order_id = (await desk.place())["data"]["orderID"]
    await socket.read()
    status, headers, _ = await desk.call("DELETE", f"/orders/orderID={order_id}&symbol=BTCUSD")
    assert (status, headers["X-RateLimit-Remaining"]) == (200, "198")
    assert headers["Content-Type"].startswith("application/json")
    (row,) = (await socket.read())["orders"]
    assert (row["action"], row["execStatus"], row["ordStatus"]) == ("Cancel", "Canceled", "Canceled")


async def test_a_dropped_reply_is_a_dropped_connection(desk):
    """The order lives, the request does not answer."""
    await desk.post("fault", kind="drop_reply", match="new")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await desk.place()
    await desk.post("fault", kind="drop_request", match="new")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await desk.place(clOrdID="c2")
    assert [each["client_id"] for each in await desk.get("orders")] == ["c1"]
    assert (await desk.get("requests"))["by_status"] == {"none": 2}


async def test_a_delayed_request_waits_for_the_clock(desk):
    """And acts although nobody waits any more."""
    await desk.post("fault", kind="delay", delay_s=20, match="new", count=2)
    first = asyncio.create_task(desk.place())
    second = asyncio.create_task(desk.place(clOrdID="c2"))
    while (await desk.get("requests"))["by_kind"]["new"] < 2:
        await asyncio.sleep(0)
    second.cancel()
    assert await desk.get("orders") == []
    desk.clock.now_ns += 20 * S
    desk.simulator.tick()
    assert (await first)["code"] == 0
    assert {each["client_id"] for each in await desk.get("orders")} == {"c1", "c2"}


async def test_silence_is_ended_by_the_venue(desk):
    """30 s without a text; the WebSocket's own pings do not count."""
    talking, silent = await desk.connect(), await desk.connect()
    desk.clock.now_ns += 20 * S
    assert (await talking.ask("server.ping"))["result"] == "pong"
    desk.clock.now_ns += 10 * S
    desk.simulator.tick()
    await silent.ends()
    assert (await talking.ask("server.ping"))["result"] == "pong"


async def test_disconnect_and_refuse_connections(desk):
    """All streams drop at once; nobody but the control gets in until the time is over."""
    socket = await desk.subscribed()
    await desk.post("fault", kind="refuse_connections", delay_s=60)
    await desk.post("fault", kind="disconnect")
    await socket.ends()
    with pytest.raises(aiohttp.ClientError):
        await desk.connect()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await desk.place()
    desk.clock.now_ns += 60 * S
    await desk.place()
    await desk.subscribed()


async def test_binary_frames_end_the_connection(desk):
    """The venue speaks text."""
    socket = await desk.connect()
    await socket.send_bytes(b"{}")
    await socket.ends()


async def test_a_client_that_does_not_read_is_cut_off(desk, monkeypatch):
    """It cannot make the venue remember for ever."""
    socket = await desk.subscribed()
    monkeypatch.setattr(module, "MAX_UNSENT", 2)
    (connection,) = desk.simulator._connections
    for _ in range(4):
        connection.send("{}")
    await socket.ends()


async def test_the_venue_cancels_by_either_id_and_tells_the_client(desk):
    """Once: a second time is a fault of the caller."""
    socket = await desk.subscribed()
    order_id = (await desk.place())["data"]["orderID"]
    await socket.read()
    status, order = await desk.post("cancel", id=order_id)
    assert (status, order["status"]) == (200, "Canceled")
    assert (await socket.read())["orders"][0]["execStatus"] == "Canceled"
    assert (await desk.post("cancel", id="c1"))[0] == 400
    assert (await desk.post("cancel", id="nothing"))[0] == 400


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"symbol": "DOGEUSD"}, "symbol"),
        ({"venue": "BINANCE"}, "venue"),
        ({"qty": "0.5"}, "qty"),
        ({"price": "65000.25"}, "price"),
        ({"side": "both"}, "side"),
    ],
)
async def test_a_trade_that_cannot_be_is_refused_by_field(desk, fields, field):
    """400, and the book is as it was."""
    status, answer = await desk.post("trade", **({"symbol": "BTCUSD", "side": "BUY", "qty": 1, "price": 65010} | fields))
    assert status == 400
    assert answer["error"].startswith(f"{field}:")


async def test_reset_is_the_start_again_and_leaves_connections(desk):
    """Orders, books, faults and the rate limit's rounds; a book's subscriber is told what changed."""
    socket = await desk.connect()
    await socket.ask("orderbook.subscribe", "BTCUSD")
    await socket.read()
    await desk.place(priceEp=650_100_000, orderQty=1000)
    assert (await socket.read())["book"]["asks"] == [[650_100_000, 0]]
    await desk.post("fault", kind="http_503")
    await desk.post("reset")
    assert (await socket.read())["book"]["asks"] == [[650_100_000, 1000]]
    assert await desk.get("orders") == []
    status, headers, _ = await desk.call("POST", "/orders", content=body())
    assert (status, headers["X-RateLimit-Remaining"]) == (200, "199")


async def test_nothing_that_is_answered_holds_a_secret(desk):
    """Neither the control nor what is printed of the settings."""
    await desk.place()
    told = [await desk.get("orders"), await desk.get("requests"), settings()]
    assert SECRET not in repr(told)


async def test_closing_ends_connections_and_frees_the_port():
    """With requests still waiting."""
    async with running() as desk:
        socket = await desk.connect()
        await desk.post("fault", kind="delay", delay_s=600)
        waiting = asyncio.create_task(desk.place())
        while not (await desk.get("requests"))["by_kind"]["new"]:
            await asyncio.sleep(0)
        port = desk.simulator.port
        await desk.simulator.close()
        await socket.ends()
        with pytest.raises(aiohttp.ClientError):
            await waiting
        again = await serve(settings(port=port))
        await again.close()


def test_the_demo_is_as_the_interfaces_say():
    """Port, books with at least 20 levels at the promised prices, a long secret that is not shown."""
    told = simulators.load(DEMO).phemex
    assert (told.port, told.requests_per_minute) == (9201, 200)
    (account,) = told.accounts
    assert len(account.secret.get_secret_value()) >= 32
    assert account.secret.get_secret_value() not in repr(told)
    best = {}
    for each in told.contracts:
        levels = [Market.seeded(Contract.of(each)).levels(side, 100) for side in (Side.BUY, Side.SELL)]
        assert min(map(len, levels)) >= 20
        best[each.symbol] = tuple(side[0][0] for side in levels)
    assert best == {"BTCUSD": (649_900_000, 650_100_000), "ETHUSD": (34_990_000, 35_010_000)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"contracts": lambda all_: (all_[0], all_[0])}, "same one twice"),
        ({"accounts": lambda all_: (all_[0], all_[0])}, "same one twice"),
        (
            {"contracts": lambda all_: (all_[0].model_copy(update={"tick_size": settings().contracts[0].tick_size / 10**5}),)},
            "finer",
        ),
    ],
)
def test_settings_that_contradict_themselves_are_refused(changes, words):
    """By name."""
    whole = settings()
    with pytest.raises(ValueError, match=words):
        settings(**{name: change(getattr(whole, name)) for name, change in changes.items()})
