"""The simulator over real sockets: REST, WebSocket and control on one port, the clock in the test's hand."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bridges.cryptocom.simulator import CryptocomSimulator, serve

from .venue import NOW, OTHER_KEY, D, limit, parse, settings, signed


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW

    def __call__(self) -> int:
        return self.now_ms


class Client:
    """A running simulator, its clock and an HTTP client."""

    def __init__(self, simulator: CryptocomSimulator, clock: Clock, http: aiohttp.ClientSession) -> None:
        self.simulator, self.clock, self.http = simulator, clock, http
        self.url = f"http://127.0.0.1:{simulator.port}"

    async def ask(self, method: str, path: str, params: dict[str, str] | None = None, key: str = "") -> Any:
        """HTTP status and the whole answer; a second passes first, so that no limit is met."""
        self.clock.now_ms += 1000
        if method == "GET":
            call = self.http.get(self.url + path, params=params)
        else:
            whole = signed(params, self.clock(), key) if key else signed(params, self.clock())
            call = self.http.request(method, self.url + path, data=whole)
        async with call as response:
            assert response.content_type == "application/json"
            return response.status, parse(await response.read())

    async def sim(self, path: str, **body: Any) -> Any:
        call = self.http.post if body or path == "reset" else self.http.get
        async with call(f"{self.url}/_sim/{path}", json=body or None) as response:
            return parse(await response.read())

    async def view(self) -> aiohttp.ClientWebSocketResponse:
        return await self.http.ws_connect(self.url + "/kline-api/ws")


async def frame(socket: aiohttp.ClientWebSocketResponse) -> Any:
    """The next frame; None where the venue has hung up."""
    message = await socket.receive()
    if message.type is not aiohttp.WSMsgType.BINARY:
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        return None
    return parse(gzip.decompress(message.data))


@asynccontextmanager
async def running(**changes: Any) -> AsyncIterator[Client]:
    clock = Clock()
    simulator = await serve(settings(**changes), clock)
    try:
        async with aiohttp.ClientSession() as http:
            yield Client(simulator, clock, http)
    finally:
        async with asyncio.timeout(5):
            await simulator.close()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with running() as client:
        yield client


async def test_an_order_rests_until_somebody_trades_with_it(client):
    """Create, showOrder, /_sim/trade, myTrades, DELETE with a body, /_sim/orders."""
    status, answer = await client.ask("POST", "/v1/order", limit())
    assert (status, answer["code"]) == (200, "0")
    one = {"symbol": "btcusdt", "order_id": str(answer["data"]["order_id"])}
    done = await client.sim("trade", symbol="btcusdt", side="SELL", qty="0.2", price="65000")
    assert done["filled"] == "0.2"
    assert done["trades"] == [{"id": one["order_id"], "price": "65000", "qty": "0.2"}]
    _, answer = await client.ask("POST", "/v1/showOrder", one)
    assert answer["data"]["order_info"]["status"] == 3
    _, answer = await client.ask("POST", "/v1/myTrades", {"symbol": "btcusdt"})
    assert answer["data"]["count"] == 1
    assert await client.ask("DELETE", "/v1/order", one) == (200, {"code": "0", "msg": "suc", "data": None})
    (truth,) = await client.sim("orders")
    assert (truth["id"], truth["status"], truth["qty"], truth["filled"]) == (one["order_id"], "CANCELED", "0.5", "0.2")
    tally = await client.sim("requests")
    assert tally["by_kind"] == {"new": 1, "cancel": 1, "query": 2, "stream": 0}


async def test_refusals_carry_their_http_status(client):
    """401, 404, 429, 499."""
    assert (await client.ask("POST", "/v1/account", {"x": "y"}))[0] == 400
    assert (await client.ask("GET", "/v1/nothing"))[0] == 404
    assert (await client.ask("POST", "/v1/order", limit(price="0.001")))[0] == 499
    bad = signed({}, client.clock(), secret="wrong")
    async with client.http.post(client.url + "/v1/account", data=bad) as response:
        assert response.status == 401
    client.clock.now_ms += 1000
    statuses = []
    for _ in range(11):
        async with client.http.post(client.url + "/v1/account", data=signed({}, client.clock())) as response:
            statuses.append(response.status)
    assert statuses == [200] * 10 + [429]
    assert (await client.sim("requests"))["rejected_signatures"] == 1


async def test_the_stream_shows_what_rest_and_control_do(client):
    """Book and trades, as gzip frames."""
    socket = await client.view()
    for channel in ("market_btcusdt_depth_step0", "market_btcusdt_trade_ticker"):
        await socket.send_json({"event": "sub", "params": {"channel": channel, "cb_id": "1"}})
    assert (await frame(socket))["status"] == "ok"
    assert (await frame(socket))["tick"]["buys"][0] == [D(64990), D(1)]
    assert (await frame(socket))["status"] == "ok"
    await client.ask("POST", "/v1/order", limit())
    assert (await frame(socket))["tick"] == {"side": "buys", "price": D(65000), "volume": D("0.5")}
    await client.sim("trade", symbol="btcusdt", side="SELL", qty="0.2", price="65000")
    assert (await frame(socket))["tick"]["volume"] == D("0.3")
    assert (await frame(socket))["tick"]["data"][0]["vol"] == D("0.2")
    await client.sim("reset")
    assert (await frame(socket))["tick"] == {"side": "buys", "price": D(65000), "volume": D(0)}
    await socket.close()


async def test_a_ping_that_is_not_answered_ends_the_connection(client):
    """The one that is keeps it."""
    good, silent = await client.view(), await client.view()
    client.clock.now_ms += 5000
    client.simulator.tick()
    ping = await frame(good)
    await good.send_str((await frame(silent)) and f'{{"pong":{ping["ping"]}}}')
    await good.send_json({"event": "req", "params": {"channel": "review"}})
    assert (await frame(good))["channel"] == "review"
    client.clock.now_ms += 10_000
    client.simulator.tick()
    assert await frame(silent) is None
    assert "ping" in await frame(good)


async def test_a_dropped_reply_closes_the_connection_and_the_order_is_there(client):
    """A dropped request does not leave one."""
    await client.sim("fault", kind="drop_reply", match="new")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.ask("POST", "/v1/order", limit())
    assert len(await client.sim("orders")) == 1
    await client.sim("fault", kind="drop_request", match="new")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.ask("POST", "/v1/order", limit())
    assert len(await client.sim("orders")) == 1


async def test_a_delayed_answer_comes_when_the_clock_says_so(client):
    """The order is there at once."""
    await client.sim("fault", kind="delay", match="new", delay_s=3)
    answer = asyncio.create_task(client.ask("POST", "/v1/order", limit()))
    while not await client.sim("orders"):
        pass
    client.clock.now_ms += 2999
    client.simulator.tick()
    await client.sim("requests")
    assert not answer.done()
    client.clock.now_ms += 1
    client.simulator.tick()
    assert (await answer)[0] == 200


async def test_garbage_is_not_json(client):
    """Although it is called that, with HTTP 200."""
    await client.sim("fault", kind="garbage", match="query")
    with pytest.raises(ValueError, match="Expecting value"):
        await client.ask("GET", "/v1/symbols")


async def test_disconnect_drops_every_stream_and_refusal_lasts_its_time(client):
    """The control answers all along."""
    socket = await client.view()
    await client.sim("fault", kind="disconnect")
    assert await frame(socket) is None
    await client.sim("fault", kind="refuse_connections", delay_s=5)
    with pytest.raises(aiohttp.ClientError):
        await client.ask("POST", "/v1/order", limit())
    with pytest.raises(aiohttp.ClientError):
        await client.view()
    assert await client.sim("orders") == []
    client.clock.now_ms += 4000
    assert (await client.ask("POST", "/v1/order", limit()))[0] == 200
    assert await client.view()


async def test_the_control_says_what_is_wrong_with_what_it_is_asked(client):
    """The name of the field comes first."""
    for path, body, words in (
        ("trade", {"symbol": "BTCUSDT", "side": "BUY", "qty": 1, "price": 1}, "symbol:"),
        ("trade", {"symbol": "btcusdt", "side": "BUY", "qty": "0.000001", "price": 1}, "qty:"),
        ("trade", {"symbol": "btcusdt", "side": "BUY", "qty": 1, "price": "0.001"}, "price:"),
        ("trade", {"symbol": "btcusdt", "side": "BUY", "qty": 1, "price": 1, "venue": "X"}, "venue:"),
        ("cancel", {"id": "7"}, "id:"),
        ("cancel", {"id": "seven"}, "id:"),
    ):
        assert (await client.sim(path, **body))["error"].startswith(words)


async def test_the_venue_may_cancel_on_its_own(client):
    """Once."""
    _, answer = await client.ask("POST", "/v1/order", limit())
    order_id = str(answer["data"]["order_id"])
    assert (await client.sim("cancel", id=order_id))["status"] == "CANCELED"
    assert (await client.sim("cancel", id=order_id))["error"].startswith("id:")
    _, answer = await client.ask("POST", "/v1/openOrders", {"symbol": "btcusdt"})
    assert answer["data"]["count"] == 0


async def test_reset_forgets_orders_money_and_faults_but_no_id_comes_again(client):
    """And connections stay."""
    _, first = await client.ask("POST", "/v1/order", limit())
    await client.sim("fault", kind="http_503", count=5)
    await client.sim("reset")
    assert await client.sim("orders") == []
    _, second = await client.ask("POST", "/v1/order", limit(), OTHER_KEY)
    assert second["data"]["order_id"] > first["data"]["order_id"]


async def test_orders_on_their_way_arrive_with_the_clock():
    """INIT until then; the stream shows it when it is in the book."""
    async with running(accept_ms=500, cancel_ms=500) as client:
        socket = await client.view()
        await socket.send_json({"event": "sub", "params": {"channel": "market_btcusdt_depth_step0"}})
        await frame(socket)
        await frame(socket)
        _, answer = await client.ask("POST", "/v1/order", limit())
        one = {"symbol": "btcusdt", "order_id": str(answer["data"]["order_id"])}
        assert (await client.sim("orders"))[0]["status"] == "INIT"
        client.clock.now_ms += 500
        client.simulator.tick()
        assert (await frame(socket))["tick"]["price"] == D(65000)
        assert (await client.ask("DELETE", "/v1/order", one))[0] == 200
        assert (await client.sim("orders"))[0]["status"] == "PENDING_CANCEL"


async def test_closing_waits_neither_for_late_answers_nor_for_silent_viewers():
    """Nothing is left behind, and nobody is waited for."""
    async with running() as client:
        await client.view()
        await client.sim("fault", kind="delay", match="any", delay_s=3600)
        asking = asyncio.create_task(client.ask("GET", "/v1/symbols"))
        while not (await client.sim("requests"))["by_kind"]["query"]:
            pass
        async with asyncio.timeout(3):
            await client.simulator.close()
        with pytest.raises(aiohttp.ClientError):
            await asking


async def test_a_port_that_is_taken_is_an_os_error(client):
    """And nothing stays open."""
    with pytest.raises(OSError, match="address already in use"):
        await serve(settings(port=client.simulator.port))
