"""The simulator over real sockets: FIX on one port, REST, WebSockets and control on the other, the clock in the test's hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import jwt
import pytest
from yarl import URL

from bridges.apifiny.sim_fixwire import Message, Parser
from bridges.apifiny.simulator import ApifinySimulator, serve

from .venue import ACCOUNT, NOW, OTHER, SECRET, enquiry, logon, message, new, new_body, order_id, settings, signature, token


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW

    def __call__(self) -> int:
        return self.now_ms


class Client:
    """A FIX client that waits for data and never for time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, clock: Clock) -> None:
        self._reader, self._writer, self._clock = reader, writer, clock
        self._parser = Parser()
        self._read: list[Message] = []
        self.seq = 1

    def send(self, *messages: tuple[str, str]) -> None:
        """Type and body of each; one write."""
        data = b""
        for msg_type, body in messages:
            self.seq += 1
            data += message(msg_type, self.seq, body, self._clock())
        self._writer.write(data)

    def send_raw(self, data: bytes) -> None:
        self._writer.write(data)

    async def read(self) -> dict[int, str]:
        """The next message; EOFError when the venue hung up."""
        while not self._read:
            data = await self._reader.read(65536)
            if not data:
                raise EOFError
            self._read += self._parser.feed(data)
        return self._read.pop(0).fields

    async def ends(self) -> None:
        with pytest.raises((EOFError, ConnectionError)):
            await self.read()

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


class Desk:
    """A running simulator, its clock, FIX clients and an HTTP client."""

    def __init__(self, simulator: ApifinySimulator, clock: Clock, http: aiohttp.ClientSession) -> None:
        self.simulator, self.clock, self._http = simulator, clock, http
        self._clients: list[Client] = []

    async def connect(self, endpoint: int = 0) -> Client:
        streams = await asyncio.open_connection("127.0.0.1", self.simulator.fix_ports[endpoint])
        self._clients.append(Client(*streams, self.clock))
        return self._clients[-1]

    async def logged_on(self, endpoint: int = 0) -> Client:
        client = await self.connect(endpoint)
        client.send_raw(logon(self.clock()))
        assert (await client.read())[35] == "A"
        return client

    async def post(self, path: str, body: dict | None = None):
        url = f"http://127.0.0.1:{self.simulator.control_port}/_sim/{path}"
        async with self._http.post(url, json=body) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str):
        async with self._http.get(f"http://127.0.0.1:{self.simulator.control_port}/_sim/{path}") as answer:
            return await answer.json()

    async def rest(self, method: str, path: str, given: dict | str = "", venue: str = "BINANCE"):
        """A signed REST request: the status and the JSON of its answer, or a ClientError."""
        text = json.dumps(given) if isinstance(given, dict) else given
        headers = {"signature": signature(text, self.clock())}
        url = URL(f"{self.url}/ac/v2/{venue}/{path}" + ("" if method == "POST" else f"?{text}"), encoded=True)
        async with self._http.request(method, url, data=text if method == "POST" else None, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def listen(self, path: str, token: str) -> aiohttp.ClientWebSocketResponse:
        return await self._http.ws_connect(self.url + path, headers={"signature": token}, autoping=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.simulator.control_port}"

    async def close(self) -> None:
        for client in self._clients:
            await client.close()


@asynccontextmanager
async def running(**changes) -> AsyncIterator[Desk]:
    clock = Clock()
    simulator = await serve(settings(**changes), clock)
    async with aiohttp.ClientSession() as http:
        desk = Desk(simulator, clock, http)
        async with asyncio.timeout(20):
            yield desk
        await desk.close()
        await simulator.close()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with running() as desk:
        yield desk


async def test_an_order_rests_is_traded_with_and_is_in_the_ground_truth(desk):
    """From NewOrderSingle to the counterparty's trade, over both ports."""
    client = await desk.logged_on()
    client.send(("D", new(1, t38="1")))
    told = await client.read()
    status, traded = await desk.post("trade", {"symbol": "BTCUSDT", "side": "SELL", "qty": "0.4", "price": 65000})
    assert status == 200
    assert traded["trades"] == [{"id": told[37], "client_id": order_id(1), "price": "65000", "qty": "0.4"}]
    assert (traded["venue"], traded["filled"]) == ("BINANCE", "0.4")
    fill = await client.read()
    assert (fill[37], fill[150], fill[32], fill[44]) == (told[37], "1", "0.4", "65000")
    (order,) = await desk.get("orders")
    assert {name: order[name] for name in ("id", "client_id", "side", "price", "qty", "filled", "status")} == {
        "id": told[37],
        "client_id": order_id(1),
        "side": "BUY",
        "price": "65000",
        "qty": "1",
        "filled": "0.4",
        "status": "SUBMITTED",
    }


async def test_reports_of_one_input_come_in_order_and_numbered(desk):
    """Several orders in one write, answered one after the other."""
    client = await desk.logged_on()
    client.send(("D", new(1)), ("D", new(2, t44="65010")), ("F", enquiry(1)), ("5", ""))
    answers = [await client.read() for _ in range(5)]
    assert [(each[34], each[35], each.get(150)) for each in answers] == [
        ("2", "8", "0"),
        ("3", "8", "0"),
        ("4", "8", "2"),
        ("5", "8", "4"),
        ("6", "5", None),
    ]
    await client.ends()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (logon(raw=token(exp=NOW // 1000 - 1)), "0x20000A Signature Error: exp is in the past"),
        (logon(raw=token(secret="x" * 40)), "0x20000A Signature Error: the signature does not verify"),
        (logon(sender="STA-00000009"), "0x02002B"),
        (message("A", 1, "98=0|108=30|141=Y|"), "0x20000A Signature Error: RawDataLength"),
        (message("A", 1, f"98=0|108=30|141=Y|95=9|96={token()}|"), "0x20000A Signature Error: RawDataLength"),
    ],
)
async def test_a_bad_logon_is_told_why_and_cut_off_and_counted(desk, raw, words):
    """Logout with code and reason, then the end of the connection."""
    client = await desk.connect()
    client.send_raw(raw)
    answer = await client.read()
    assert answer[35] == "5"
    assert answer[58].startswith(words)
    await client.ends()
    counts = await desk.get("requests")
    assert counts["by_kind"]["logon"] == 1
    assert counts["rejected_signatures"] == (words.startswith("0x20000A"))


async def test_one_session_at_a_time_and_the_next_after_it(desk):
    """A second connection is refused while the first lives; each endpoint has its own session."""
    first = await desk.logged_on()
    second = await desk.connect()
    second.send_raw(logon())
    assert "logged on already" in (await second.read())[58]
    await second.ends()
    await desk.logged_on(endpoint=1)
    first.send(("5", ""))
    assert (await first.read())[35] == "5"
    await first.ends()
    again = await desk.logged_on()
    again.send(("D", new(1)))
    assert (await again.read())[34] == "2"


async def test_a_venue_is_served_by_its_own_endpoint_alone(desk):
    """0x02003A at the other one; reports go where the order came from."""
    client, okex = await desk.logged_on(), await desk.logged_on(endpoint=1)
    client.send(("D", new(1, t207="OKEX")))
    assert (await client.read())[150] == "8"
    okex.send(("D", new(2, t207="OKEX")))
    assert (await okex.read())[150] == "0"
    status, traded = await desk.post("trade", {"symbol": "BTCUSDT", "side": "SELL", "qty": 1, "price": 65000})
    assert (status, traded["venue"], traded["filled"]) == (200, "OKEX", "0.1")
    assert (await okex.read())[150] == "2"
    assert (await desk.get("requests"))["by_code"] == {"ok": 3, "0x02003A": 1}


async def test_what_happens_while_the_client_is_away_is_lost_to_fix_and_kept_by_the_venue(desk):
    """The order lives on; a status request tells."""
    client = await desk.logged_on()
    client.send(("D", new(1)), ("5", ""))
    await client.read()
    await client.read()
    await client.ends()
    await desk.post("cancel", {"id": order_id(1)})
    client = await desk.logged_on()
    client.send(("H", enquiry(1)))
    report = await client.read()
    assert (report[34], report[150]) == ("2", "4")


async def test_the_venue_cancels_by_either_id_and_tells_the_client(desk):
    """Once: a second time is a fault of the caller."""
    client = await desk.logged_on()
    client.send(("D", new(1)))
    told = await client.read()
    status, order = await desk.post("cancel", {"id": told[37]})
    assert (status, order["status"]) == (200, "CANCELLED")
    assert (await client.read())[150] == "4"
    assert (await desk.post("cancel", {"id": order_id(1)}))[0] == 400


async def test_delayed_answers_leave_when_their_time_has_come(desk):
    """The clock decides; the order is in PENDING_SUBMIT until then."""
    client = await desk.logged_on()
    await desk.post("fault", {"kind": "delay", "delay_s": 20, "match": "new"})
    client.send(("D", new(1)), ("1", "112=after|"))
    assert (await client.read())[112] == "after"
    assert (await desk.get("orders"))[0]["status"] == "PENDING_SUBMIT"
    desk.clock.now_ms += 20_000
    desk.simulator.tick()
    assert (await client.read())[150] == "0"
    assert (await desk.get("orders"))[0]["status"] == "SUBMITTED"


async def test_silence_is_ended_by_the_venue(desk):
    """Heartbeat, TestRequest, hanging up, all by the clock."""
    client = await desk.logged_on()
    for passed, msg_type in ((30_000, "0"), (36_000, "1")):
        desk.clock.now_ms = NOW + passed
        desk.simulator.tick()
        assert (await client.read())[35] == msg_type
    desk.clock.now_ms = NOW + 72_000
    desk.simulator.tick()
    await client.ends()


async def test_disconnect_and_refuse_connections(desk):
    """All sessions drop at once; nobody gets in until the time is over."""
    client = await desk.logged_on()
    await desk.post("fault", {"kind": "refuse_connections", "delay_s": 60})
    await desk.post("fault", {"kind": "disconnect"})
    await client.ends()
    refused = await desk.connect()
    refused.send_raw(logon())
    await refused.ends()
    desk.clock.now_ms += 60_000
    await desk.logged_on()


async def test_reset_clears_orders_faults_and_books_and_leaves_sessions(desk):
    """As at the start, with the client still logged on."""
    client = await desk.logged_on()
    await desk.post("fault", {"kind": "drop_request", "match": "cancel"})
    client.send(("D", new(1, t44="65010", t38="1")))
    await client.read()
    await client.read()
    await desk.post("reset")
    assert await desk.get("orders") == []
    client.send(("F", enquiry(1)), ("D", new(1, t44="65010", t38="1")))
    assert (await client.read())[102] == "1"
    assert (await client.read())[150] == "0"
    assert (await client.read())[44] == "65010"


async def test_reset_forgets_orders_that_were_still_pending(desk):
    """Nothing comes of them later."""
    client = await desk.logged_on()
    await desk.post("fault", {"kind": "delay", "delay_s": 5, "match": "new"})
    client.send(("D", new(1)), ("1", "112=sent|"))
    assert (await client.read())[112] == "sent"
    await desk.post("reset")
    desk.clock.now_ms += 5000
    desk.simulator.tick()
    client.send(("1", "112=after|"))
    assert (await client.read())[112] == "after"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"symbol": "DOGE"}, "symbol"),
        ({"venue": "COINBASEPRO"}, "venue"),
        ({"qty": "0.000001"}, "qty"),
        ({"price": "65000.001"}, "price"),
    ],
)
async def test_a_trade_that_cannot_be_is_refused_by_field(desk, body, field):
    """400, and the book is as it was."""
    good = {"symbol": "BTCUSDT", "side": "SELL", "qty": "1", "price": "64990"}
    status, answer = await desk.post("trade", good | body)
    assert status == 400
    assert answer["error"].startswith(f"{field}:")


async def test_a_trade_with_the_house_names_nobody(desk):
    """A venue that is named is taken; the house's orders have no id for the outside."""
    body = {"symbol": "BTCUSDT", "side": "BUY", "qty": "1.5", "price": "65010", "venue": "GBBO"}
    _, traded = await desk.post("trade", body)
    assert (traded["venue"], traded["filled"]) == ("GBBO", "1")
    assert traded["trades"] == [{"id": None, "client_id": None, "price": "65010", "qty": "1"}]


async def test_closing_logs_clients_out():
    """And leaves the ports free."""
    async with running() as desk:
        client = await desk.logged_on()
        await desk.simulator.close()
        assert (await client.read())[35] == "5"
        await client.ends()


async def test_nothing_that_is_answered_holds_a_secret(desk):
    """Neither a refused logon nor the control."""
    client = await desk.connect()
    client.send_raw(logon(raw=token(accountId=OTHER)))
    assert SECRET not in str(await client.read())
    assert SECRET not in str(await desk.get("requests"))
    assert SECRET not in repr(desk.simulator.exchange.account(OTHER))


# REST and WebSockets

ORDERS = "/ac/ws/v2/BINANCE/order"


def named(n: int) -> dict[str, str]:
    return {"accountId": ACCOUNT, "venue": "BINANCE", "orderId": order_id(n)}


async def test_one_order_over_all_three_ways(desk):
    """By FIX, seen on /order and /asset and in REST, cancelled by REST, which FIX hears."""
    orders, assets = await desk.listen(ORDERS, signature(None)), await desk.listen("/ac/ws/v2/asset", signature(None))
    client = await desk.logged_on()
    client.send(("D", new(1)))
    assert (await client.read())[150] == "0"
    assert (await orders.receive_json())["payload"]["orderStatus"] == "SUBMITTED"
    assert (await assets.receive_json())["result"]["payload"][0]["frozen"] == 6500
    status, answer = await desk.rest("GET", "order/queryOrderInfo", "&".join(f"{k}={v}" for k, v in named(1).items()))
    assert (status, answer["result"][0]["orderStatus"]) == (200, "SUBMITTED")
    status, answer = await desk.rest("POST", "order/cancelOrder", named(1))
    assert answer["result"][0]["orderStatus"] == "CANCELLED"
    assert (await client.read())[150] == "4"
    assert (await orders.receive_json())["payload"]["orderStatus"] == "CANCELLED"
    (order,) = await desk.get("orders")
    assert (order["by"], order["status"]) == ("fix", "CANCELLED")


async def test_a_counterparty_fills_an_order_by_rest_and_its_stream_is_told(desk):
    """FIX is not, though it is logged on."""
    client = await desk.logged_on()
    orders = await desk.listen(ORDERS, signature(None))
    await desk.rest("POST", "order/newOrder", new_body(1))
    await desk.post("trade", {"symbol": "BTCUSDT", "side": "SELL", "qty": "0.1", "price": 65000})
    assert [(await orders.receive_json())["payload"]["orderStatus"] for _ in range(2)] == ["SUBMITTED", "FILLED"]
    client.send(("1", "112=after|"))
    assert (await client.read())[112] == "after"
    (order,) = await desk.get("orders")
    assert (order["by"], order["client_id"], order["filled"]) == ("rest", order_id(1), "0.1")


@pytest.mark.parametrize(
    ("path", "token_", "code"),
    [
        (ORDERS, "", "0x20000A"),
        (ORDERS, signature(None, exp=None), "0x20000A"),
        (ORDERS, signature(None, exp=NOW // 1000 + 61), "0x20000A"),
        (ORDERS, signature(None, exp=NOW - 1), "0x20000A"),
        (ORDERS, signature(None, secretKeyId="x"), "0x20000B"),
        ("/ac/ws/v2/NOWHERE/order", signature(None), "0x02003A"),
        ("/md/ws/v1", "", "0x20000A"),
        ("/md/ws/v1", jwt.encode({"accessKey": "nobody"}, SECRET), "0x20000B"),
        ("/md/ws/v1", jwt.encode({"accessKey": "key"}, SECRET + "x"), "0x20000A"),
    ],
)
async def test_a_stream_that_may_not_be_opened_is_told_why(desk, path, token_, code):
    """401 and the venue's error in the place of the upgrade."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as no:
        await desk.listen(path, token_)
    assert no.value.status == 401
    async with desk._http.get(desk.url + path, headers={"signature": token_}) as answer:
        assert (await answer.json())["error"]["code"] == code
    assert (await desk.get("requests"))["rejected_signatures"] == (2 if code == "0x20000A" else 0)


async def test_a_user_streams_exp_may_be_in_milliseconds(desk):
    """As the document's own sample has it."""
    orders = await desk.listen(ORDERS, signature(None, exp=NOW + 30_000))
    await desk.rest("POST", "order/newOrder", new_body(1))
    assert (await orders.receive_json())["payload"]["orderStatus"] == "SUBMITTED"


async def test_market_data_and_its_heartbeat(desk):
    """Subscribed, told, asked, and cut off for saying nothing."""
    data = await desk.listen("/md/ws/v1", jwt.encode({"accessKey": "key"}, SECRET))
    await data.send_json({"channel": "orderbook", "symbol": "BTCUSDT", "venues": ["BINANCE"], "action": "sub"})
    assert (await data.receive_json())["orderbook"]["asks"][0] == [65010, 1]
    desk.clock.now_ms += 30_000
    desk.simulator.tick()
    assert await data.receive_json() == {"ping": NOW + 30_000}
    desk.clock.now_ms += 10_000
    desk.simulator.tick()
    assert (await data.receive()).type is aiohttp.WSMsgType.CLOSED


async def test_disconnect_and_refuse_connections_hold_for_rest_and_streams(desk):
    """The control is spared; after the time everybody gets in again."""
    orders = await desk.listen(ORDERS, signature(None))
    await desk.post("fault", {"kind": "refuse_connections", "delay_s": 20})
    await desk.post("fault", {"kind": "disconnect"})
    assert (await orders.receive()).type is aiohttp.WSMsgType.CLOSED
    with pytest.raises(aiohttp.ClientError):
        await desk.rest("POST", "order/newOrder", new_body(1))
    with pytest.raises(aiohttp.ClientError):
        await desk.listen(ORDERS, signature(None))
    desk.clock.now_ms += 20_000
    await desk.listen(ORDERS, signature(None, desk.clock()))
    assert (await desk.rest("POST", "order/newOrder", new_body(2, desk.clock())))[1]["error"] is None
    assert len(await desk.get("orders")) == 1


async def test_faults_of_rest_over_the_wire(desk):
    """A reply that is dropped, one that is delayed, and a 503."""
    await desk.post("fault", {"kind": "drop_reply", "match": "new"})
    with pytest.raises(aiohttp.ClientError):
        await desk.rest("POST", "order/newOrder", new_body(1))
    await desk.post("fault", {"kind": "http_503", "match": "cancel"})
    with pytest.raises(json.JSONDecodeError):
        await desk.rest("POST", "order/cancelOrder", named(1))
    await desk.post("fault", {"kind": "delay", "delay_s": 5, "match": "cancel"})
    orders = await desk.listen(ORDERS, signature(None))
    waiting = asyncio.create_task(desk.rest("POST", "order/cancelOrder", named(1)))
    assert (await orders.receive_json())["payload"]["orderStatus"] == "CANCELLED"
    assert not waiting.done()
    desk.clock.now_ms += 5000
    desk.simulator.tick()
    assert (await waiting)[1]["result"][0]["orderStatus"] == "CANCELLED"


async def test_closing_ends_streams_and_requests_that_wait():
    """Nobody is left hanging."""
    async with running() as desk:
        orders = await desk.listen(ORDERS, signature(None))
        await desk.post("fault", {"kind": "delay", "delay_s": 50, "match": "new"})
        waiting = asyncio.create_task(desk.rest("POST", "order/newOrder", new_body(1)))
        while not await desk.get("orders"):
            pass
        closing = asyncio.create_task(desk.simulator.close())
        with pytest.raises(aiohttp.ClientError):
            await waiting
        assert (await orders.receive()).type is aiohttp.WSMsgType.CLOSE
        await closing
