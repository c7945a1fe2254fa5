"""The simulator over real sockets: one port for everything, the clock in the test's hand; and its settings."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bridges import memory
from bridges.primebit import simulator as module
from bridges.primebit.simulator import PrimebitSimulator, serve

from .sim_venue import KEY, NOW, ORDER_CHANNEL, ORDERS, SECRET, D, S, body, change, check, hmac_hex, settings, signed


class Clock:
    def __init__(self) -> None:
        self.now_ns = NOW

    def __call__(self) -> int:
        return self.now_ns


# Seconds after which what does not come has failed to; nothing waits for it to pass.
PATIENCE_S = 10


class Socket:
    """A WebSocket client that waits for data and never for time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def ask(self, method: str, channel: str, **fields) -> dict:
        await self._socket.send_str(json.dumps({"method": method, "params": [channel]} | fields))
        return await self.read()

    async def say(self, text: str) -> str:
        await self._socket.send_str(text)
        return await self._socket.receive_str(timeout=PATIENCE_S)

    async def read(self) -> dict:
        return json.loads(await self._socket.receive_str(timeout=PATIENCE_S))

    async def event(self) -> tuple[str, str, str]:
        """The next message, an order event's type, comment and volume."""
        data = (await self.read())["data"]
        return data["event_type"], data["order"]["comment"], data["order"]["volume"]

    async def send_bytes(self, data: bytes) -> None:
        await self._socket.send_bytes(data)

    async def ends(self) -> None:
        message = await self._socket.receive(timeout=PATIENCE_S)
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await self._socket.receive(timeout=PATIENCE_S)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED), message


class Desk:
    """A running simulator, its clock and a client."""

    def __init__(self, simulator: PrimebitSimulator, clock: Clock, http: aiohttp.ClientSession) -> None:
        self.simulator, self.clock, self._http = simulator, clock, http
        self._base = f"http://127.0.0.1:{simulator.port}"

    async def call(self, method: str, path: str = ORDERS, content: bytes = b"") -> tuple[int, str]:
        """Status and body of a signed request."""
        asked = signed(method, path, "", content, self.clock())
        headers = {"api-key": asked.api_key, "timestamp": asked.timestamp, "authorization": asked.authorization}
        # A connection of its own: a client may repeat a request on one that was kept.
        patience = aiohttp.ClientTimeout(PATIENCE_S)
        async with aiohttp.request(method, self._base + path, data=content or None, headers=headers, timeout=patience) as answer:
            return answer.status, await answer.text()

    async def place(self, **changes) -> dict:
        status, text = await self.call("POST", content=body(**changes))
        assert status == 200, text
        return json.loads(text)

    async def post(self, path: str, **fields):
        async with self._http.post(f"{self._base}/_sim/{path}", json=fields) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str):
        async with self._http.get(f"{self._base}/_sim/{path}") as answer:
            return await answer.json()

    async def connect(self) -> Socket:
        return Socket(await self._http.ws_connect(self._base + "/api/v0/websocket"))

    async def subscribed(self, *channels: str) -> Socket:
        socket = await self.connect()
        timestamp = str(self.clock() // S)
        for channel in channels or (ORDER_CHANNEL,):
            told = {"api-key": KEY, "timestamp": timestamp, "signature": hmac_hex(timestamp)}
            assert (await socket.ask("subscribe", channel, **told))["response"]["success"]
        return socket


@asynccontextmanager
async def running(**changes) -> AsyncIterator[Desk]:
    clock = Clock()
    simulator = await serve(settings(**changes), clock)
    try:
        async with aiohttp.ClientSession() as http:
            yield Desk(simulator, clock, http)
    finally:
        await simulator.close()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with running() as desk:
        yield desk


async def test_an_order_rests_is_traded_with_and_is_in_the_ground_truth(desk):
    """REST in, WebSocket out, control beside them, all on one port."""
    socket = await desk.subscribed()
    order_id = str((await desk.place())["order_id"])
    assert [await socket.event() for _ in range(2)] == [("new_request", "c1", "7.0"), ("new", "c1", "7.0")]
    status, traded = await desk.post("trade", symbol="BTCUSD", side="SELL", qty=3, price="65000")
    assert (status, traded["filled"]) == (200, "3")
    assert traded["trades"] == [{"id": order_id, "client_id": "c1", "price": "65000", "qty": "3"}]
    assert await socket.event() == ("partial_fill", "c1", "4.0")
    (order,) = await desk.get("orders")
    expected = {
        "id": order_id,
        "client_id": "c1",
        "symbol": "BTCUSD",
        "side": "buy",
        "price": "65000",
        "qty": "7",
        "filled": "3",
        "filled_value": "195000",
        "status": "PartiallyFilled",
        "created_ns": NOW,
        "cancelled_ns": None,
    }
    assert {name: order[name] for name in expected} == expected


async def test_modifying_asking_and_cancelling_by_path(desk):
    """Signed as they stand in the request line."""
    path = f"{ORDERS}/{(await desk.place())['order_id']}"
    status, text = await desk.call("PUT", path, change("9.0", "65000.5"))
    assert (status, json.loads(text)["volume"]) == (200, "9.0")
    assert json.loads((await desk.call("GET"))[1]) == [json.loads((await desk.call("GET", path))[1])]
    assert (await desk.call("DELETE", path))[0] == 200
    status, text = await desk.call("GET", path)
    assert (status, json.loads(text)["error"]["code"]) == (404, "order-not-found")


async def test_raw_pings_and_public_channels(desk):
    """Without a key."""
    socket = await desk.connect()
    assert await socket.say("ping") == "pong"
    answer = await socket.ask("subscribe", "order_book_BTCUSD_demo", correlation_id="a")
    assert (answer["correlation_id"], answer["response"]["data"]["bids"][0]) == ("a", {"price": "64990.0", "size": "1000.0"})


async def test_a_wrong_path_and_a_wrong_signature(desk):
    """404 and 401, as errors of the venue; a header that is no UTF-8 harms nobody."""
    assert (await desk.call("GET", "/api/v1/nothing"))[0] == 404
    async with aiohttp.request("GET", f"http://127.0.0.1:{desk.simulator.port}{ORDERS}") as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (401, "unauthorized")
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.simulator.port)
    head = f"GET {ORDERS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\napi-key: {KEY}\r\ntimestamp: {NOW // S}\r\nauthorization: "
    writer.write(head.encode() + b"\xff\xfe\r\n\r\n")
    assert (await reader.read()).split(b"\r\n")[0].split(b" ")[1] in (b"400", b"401")
    writer.close()
    await writer.wait_closed()


async def test_a_delayed_request_waits_for_the_clock(desk):
    """Others pass it meanwhile."""
    await desk.post("fault", kind="delay", delay_s=20, match="new")
    first = asyncio.create_task(desk.place())
    while not (await desk.get("requests"))["by_kind"]["new"]:
        await asyncio.sleep(0)
    await desk.place(comment="c2")
    assert [each["client_id"] for each in await desk.get("orders")] == ["c2"]
    desk.clock.now_ns += 20 * S
    desk.simulator.tick()
    assert (await first)["comment"] == "c1"
    assert [each["client_id"] for each in await desk.get("orders")] == ["c2", "c1"]


async def test_what_expires_is_told_by_the_clock_alone(desk):
    """Nobody has to ask."""
    socket = await desk.subscribed()
    await desk.place(expiration_time=NOW // S + 5)
    desk.clock.now_ns += 5 * S
    desk.simulator.tick()
    assert [(await socket.event())[0] for _ in range(3)] == ["new_request", "new", "cancel"]


async def test_a_dropped_reply_is_a_connection_that_ends(desk):
    """The order lives."""
    await desk.post("fault", kind="drop_reply", match="new")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await desk.place()
    assert [each["status"] for each in await desk.get("orders")] == ["New"]
    assert (await desk.get("requests"))["by_status"] == {"none": 1}


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


async def test_the_venue_cancels_by_id_or_comment_and_tells_the_client(desk):
    """Once: a second time is a fault of the caller."""
    socket = await desk.subscribed()
    order_id = str((await desk.place())["order_id"])
    status, order = await desk.post("cancel", id=order_id)
    assert (status, order["status"], order["cancelled_ns"]) == (200, "Canceled", NOW)
    assert [(await socket.event())[0] for _ in range(3)] == ["new_request", "new", "cancel"]
    assert (await desk.post("cancel", id="c1"))[0] == 400
    assert (await desk.post("cancel", id="nothing"))[0] == 400


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"symbol": "DOGEUSD"}, "symbol"),
        ({"venue": "BINANCE"}, "venue"),
        ({"qty": "0.5"}, "qty"),
        ({"qty": 10**17}, "qty"),
        ({"price": "65000.25"}, "price"),
        ({"price": 10**17}, "price"),
        ({"side": "both"}, "side"),
    ],
)
async def test_a_trade_that_cannot_be_is_refused_by_field(desk, fields, field):
    """400, and the book is as it was."""
    status, answer = await desk.post("trade", **({"symbol": "BTCUSD", "side": "BUY", "qty": 1, "price": 65010} | fields))
    assert status == 400
    assert answer["error"].startswith(f"{field}:")


async def test_reset_is_the_start_again_and_leaves_connections():
    """Orders, books, faults, positions and the rate limit; a book's subscriber is told what changed."""
    async with running(requests_per_second=1) as desk:
        socket = await desk.subscribed("order_book_BTCUSD_demo")
        await desk.place(limit_price="65010.0", volume="1000.0")
        assert (await socket.read())["data"]["asks"][0]["price"] == "65020.0"
        await desk.post("fault", kind="http_503")
        await desk.post("reset")
        assert (await socket.read())["data"]["asks"][0]["price"] == "65010.0"
        assert await desk.get("orders") == []
        await desk.place()
        assert desk.simulator.exchange.position_rows(desk.simulator.exchange._settings.accounts[0].account_id) == []


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


async def test_a_later_run_begins_with_the_book_as_it_was():
    """A subscriber is given it at once, and is not told what nobody did."""
    async with running() as desk:
        await desk.place()
        kept = desk.simulator.memory()
    later = PrimebitSimulator(settings(), Clock())
    later.recall(kept)
    assert later._feed.initial("order_book_BTCUSD_demo")["bids"][0] == {"price": "65000.0", "size": "7.0"}
    assert later.exchange.take_changes().told == []


async def test_a_later_run_remembers_everything(desk, tmp_path):
    """Orders, stops, books, positions and money, through the file; and goes on with them."""
    await desk.place(limit_price="65010.0")
    resting = str((await desk.place(comment="c2"))["order_id"])
    await desk.place(comment="c3", stop_price="65100.0", limit_price="0.0", expiration_time=NOW // S + 60)
    memory.save(tmp_path / "state", "x", desk.simulator.memory())
    kept = memory.load(tmp_path / "state", "x")
    clock = Clock()
    later = PrimebitSimulator(settings(), clock)
    later.recall(kept)
    check(later.exchange)
    assert [(each.asked.comment, each.status.value) for each in later.exchange.orders()] == [
        ("c1", "Filled"),
        ("c2", "New"),
        ("c3", "Untriggered"),
    ]
    account = later.exchange._settings.accounts[0].account_id
    assert later.exchange.account_row(account) == desk.simulator.exchange.account_row(account)
    assert later.exchange.open_rows(account) == desk.simulator.exchange.open_rows(account)
    later.exchange.cancel(account, resting, NOW)
    clock.now_ns += 60 * S
    later.tick()
    check(later.exchange)
    assert later.exchange.open_rows(account) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"contracts": lambda all_: (all_[0], all_[0])}, "same one twice"),
        ({"accounts": lambda all_: (all_[0], all_[0])}, "same one twice"),
        ({"accounts": lambda all_: (all_[0].model_copy(update={"account_id": "x/y"}),)}, "UUID"),
        ({"contracts": lambda all_: (all_[0].model_copy(update={"symbol": "BTC_USD"}),)}, "channel"),
        ({"contracts": lambda all_: (all_[0].model_copy(update={"max_price": D(10) ** 12}),)}, "beyond"),
        ({"contracts": lambda all_: (all_[0].model_copy(update={"tick_size": D("1E-13")}),)}, "12 decimals"),
        ({"contracts": lambda all_: (all_[0].model_copy(update={"tick_size": D(7)}),)}, "off the tick"),
        ({"contracts": lambda all_: (all_[0].model_copy(update={"volume_step": D(7)}),)}, "off the volume step"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(changes, words):
    """By name."""
    whole = settings()
    with pytest.raises(ValueError, match=words):
        settings(**{name: change(getattr(whole, name)) for name, change in changes.items()})


def test_an_unknown_setting_is_refused():
    """A misspelt one would be passed over."""
    with pytest.raises(ValueError, match="keep_comments"):
        settings(keep_comments=False)
