"""The shell, with a protocol that only writes down what it is told, against a small server of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from aiohttp import web

from bridges import shell as shell_module
from bridges.purse import Purse
from bridges.reckoning import Reckoning
from bridges.sampling import Sampling
from bridges.shell import Bridge
from bridges.wire import MAIN, Address, Answer, Budget, Frame, Holdings, Kind, Note, Out, Reconnect, Request, Signed, Told, Top
from router.model import Balance, Cancel, Held, LinkDown, LinkUp, Place, Price, Priced, VenueCommand
from router.ports import Unsendable
from router.rules import Instrument
from router.words import OrdType, Side, TimeInForce
from tests.router.desk import BTC, D

SECOND = 1_000_000_000


class Scribe:
    """A protocol that decides nothing: it sends what it is given and remembers what it hears."""

    def __init__(self) -> None:
        self.budgets = (Budget("default", 5, 60.0, 2),)
        self.streams: Sequence[str] = (MAIN,)
        self.topics = {"balances": "what is there"}
        self.heard: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        self.on_open: Sequence[Out] = ()
        self.on_frame: Sequence[Out] = ()
        self.broken = False
        self.kept: list[tuple[Any, ...]] = []

    def mint(self, now: int, random: int, serial: int) -> str:
        return f"{random}-{serial}"

    def top(self, symbol: str) -> Top:
        self.heard.put_nowait(("top", symbol))
        return Top(bid=D(1), ask=D(2))

    def held(self) -> Holdings | None:
        self.heard.put_nowait(("held",))
        return Holdings((Balance("BTC", D(2), D(1)),))

    def learn(self, instruments: Sequence[Instrument], now: int) -> Sequence[Out]:
        self.heard.put_nowait(("learned", [each.symbol for each in instruments]))
        return [Frame("subscribe")]

    def recall(self, remembered: Mapping[str, str], now: int) -> None:
        self.heard.put_nowait(("recalled", dict(remembered)))

    def address(self, stream: str, now: int) -> Address:
        return Address() if stream == MAIN else Address(f"?stream={stream}", {"signature": f"at {now}"})

    def inquire(self, ticket: int, topic: str, arguments: Mapping[str, str], now: int) -> Sequence[Out]:
        return [Told(ticket, ({"topic": topic, **arguments},))]

    def begin(self, now: int) -> Sequence[Out]:
        self.heard.put_nowait(("begin",))
        return [LinkUp("link")]

    def send(self, command: VenueCommand, now: int) -> Sequence[Out]:
        if self.broken:
            raise ZeroDivisionError("a bug")
        kind = Kind.NEW if isinstance(command, Place) else Kind.CANCEL
        return [Request(kind, "POST", f"/{command.order_id}", context=command.order_id)]

    def cancel_all(self, now: int) -> Sequence[Out]:
        return [Request(Kind.CANCEL, "DELETE", "/all", context="all")]

    def sign(self, request: Request, now: int) -> Signed:
        return Signed(request.method, request.path, {"X-Signed-At": str(now)}, "body")

    def answered(self, request: Request, answer: Answer, now: int) -> Sequence[Out]:
        self.heard.put_nowait(("answered", request.context, answer.status, answer.body))
        return []

    def lost(self, request: Request, sent: bool, why: str, now: int) -> Sequence[Out]:
        self.heard.put_nowait(("lost", request.context, sent))
        return []

    def opened(self, now: int, stream: str = MAIN) -> Sequence[Out]:
        self.heard.put_nowait(("opened", stream))
        return self.on_open

    def receive(self, frame: str | bytes, now: int, stream: str = MAIN) -> Sequence[Out]:
        self.heard.put_nowait(("received", frame, stream))
        return self.on_frame

    def closed(self, why: str, now: int, stream: str = MAIN) -> Sequence[Out]:
        self.heard.put_nowait(("closed", stream))
        return []

    def tick(self, now: int) -> Sequence[Out]:
        return []

    async def wait(self, *wanted: Any) -> tuple[Any, ...]:
        """The first that fits of what was heard and not yet waited for."""
        async with asyncio.timeout(10):
            while True:
                for said in self.kept:
                    if said[: len(wanted)] == wanted:
                        self.kept.remove(said)
                        return said
                self.kept.append(await self.heard.get())


class Server:
    """A venue that answers as told."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.silent = False
        self.streams: list[web.WebSocketResponse] = []
        self.opened: list[tuple[str, str | None]] = []
        self.port = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path)
        await request.read()
        if self.silent:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=self.status, headers=self.headers, text="answer")

    async def stream(self, request: web.Request) -> web.StreamResponse:
        stream = web.WebSocketResponse()
        await stream.prepare(request)
        self.streams.append(stream)
        self.opened.append((request.query_string, request.headers.get("signature")))
        async for message in stream:
            await stream.send_str(f"echo {message.data}")
        return stream


class World:
    def __init__(self, server: Server, protocol: Scribe, patient: bool = False) -> None:
        self.server, self.protocol = server, protocol
        self.events: list[Any] = []
        self.notes: list[str] = []
        self.now = 1_800_000_000 * SECOND
        url = f"127.0.0.1:{server.port}"
        tellers = (Sampling("link", [], 1, SECOND), Reckoning("link", 1, SECOND))
        self.bridge = Bridge(
            "link", protocol, f"http://{url}", f"ws://{url}/ws", self.events.append, lambda: self.now, self.note, tellers=tellers,
            patient=patient,
        )  # fmt: skip

    def note(self, event: str, **fields: Any) -> None:
        self.notes.append(f"{event} {fields}")


def place(order_id: str) -> Place:
    return Place(order_id, "v", "V", "S", Side.BUY, OrdType.LIMIT, TimeInForce.GTC, False, None, None, None, None, False, 0)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A bridge, running, its stream open."""
    server = Server()
    application = web.Application()
    application.add_routes([web.get("/ws", server.stream), web.route("*", "/{path}", server.handle)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    made = World(server, Scribe())
    running = asyncio.ensure_future(made.bridge.run())
    await made.protocol.wait("begin")
    await made.protocol.wait("opened")
    yield made
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await runner.cleanup()


async def test_a_command_becomes_a_signed_request_and_its_answer_comes_back(world: World) -> None:
    """Once."""
    world.bridge.submit(place("one"))
    assert await world.protocol.wait("answered") == ("answered", "one", 200, b"answer")
    assert world.server.requests == ["/one"]


async def test_a_5xx_is_an_answer_and_a_dropped_connection_is_lost_after_sending(world: World) -> None:
    """The protocol decides what they mean; POST is not repeated."""
    world.server.status = 502
    world.bridge.submit(place("one"))
    assert (await world.protocol.wait("answered"))[2] == 502
    world.server.silent = True
    world.bridge.submit(place("two"))
    assert await world.protocol.wait("lost") == ("lost", "two", True)
    assert world.server.requests == ["/one", "/two"]


async def test_a_refused_connection_is_lost_before_sending() -> None:
    """It certainly did not leave."""
    protocol, server = Scribe(), Server()
    server.port = 1
    world = World(server, protocol)
    running = asyncio.ensure_future(world.bridge.run())
    await protocol.wait("begin")
    world.bridge.submit(place("one"))
    assert await protocol.wait("lost") == ("lost", "one", False)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_new_order_without_budget_is_refused_at_once_and_a_cancel_is_not(world: World) -> None:
    """Five a minute, two kept: the fourth order is refused with when the next can go."""
    for each in "abc":
        world.bridge.submit(place(each))
    with pytest.raises(Unsendable, match=r"budget of link is used up; the next order can go in 60\.1 s"):
        world.bridge.submit(place("d"))
    world.bridge.submit(Cancel("x", "v", "o", "V", "S"))
    await world.protocol.wait("answered", "x")


async def test_everything_can_be_canceled_at_once(world: World) -> None:
    """For whoever has to."""
    world.bridge.cancel_all()
    await world.protocol.wait("answered", "all")
    assert world.server.requests == ["/all"]


async def test_429_closes_the_budget_for_as_long_as_the_venue_says(world: World) -> None:
    """Whatever the header's prefix."""
    world.server.status, world.server.headers = 429, {"X-RateLimit-Retry-After": "30"}
    world.bridge.submit(place("a"))
    await world.protocol.wait("answered")
    with pytest.raises(Unsendable, match=r"30\.0 s"):
        world.bridge.submit(place("b"))


async def test_a_ban_shuts_the_bridge_until_it_is_over(world: World) -> None:
    """New orders are refused with how long; nothing is sent meanwhile; then it begins anew."""
    world.protocol.on_frame = [LinkDown("link", "banned: HTTP 403")]
    await world.server.streams[0].send_str("x")
    await world.protocol.wait("received")
    assert world.events[-1] == LinkDown("link", "banned: HTTP 403")
    with pytest.raises(Unsendable, match="shut us out"):
        world.bridge.submit(place("a"))
    world.bridge.submit(Cancel("x", "v", "o", "V", "S"))
    world.now += int((shell_module.BAN_S + 1) * SECOND)
    await world.protocol.wait("answered", "x")
    await world.protocol.wait("begin")


async def test_frames_go_out_in_order_and_come_in(world: World) -> None:
    """As they were given."""
    world.protocol.on_frame = [Frame("one"), Frame("two")]
    await world.server.streams[0].send_str("go")
    await world.protocol.wait("received", "go")
    world.protocol.on_frame = []
    await world.protocol.wait("received", "echo one")
    await world.protocol.wait("received", "echo two")


@pytest.mark.parametrize("by", ["venue", "protocol"])
async def test_a_lost_stream_is_told_and_opened_again(world: World, by: str) -> None:
    """Closed by either side."""
    if by == "venue":
        await world.server.streams[0].close()
    else:
        world.protocol.on_frame = [Reconnect("a gap"), Note("look")]
        await world.server.streams[0].send_str("x")
    await world.protocol.wait("closed")
    world.protocol.on_frame = []
    await world.protocol.wait("opened")


async def test_what_the_account_holds_is_told(world: World) -> None:
    """As the protocol knows it."""
    await world.protocol.wait("held")
    assert Held("link", (Balance("BTC", D(2), D(1)),)) in world.events


async def test_a_new_symbol_is_learnt_while_it_runs(world: World) -> None:
    """The protocol hears of it, what it says is done, and the symbol is priced from then on."""
    world.bridge.learn([BTC])
    assert await world.protocol.wait("learned") == ("learned", ["BTC/USDT"])
    assert (await world.protocol.wait("received"))[1] == "echo subscribe"
    world.now += 1
    await world.protocol.wait("top")
    assert Priced("link", (Price(symbol="BTCUSDT", bid=D(1), ask=D(2)),)) in world.events


class Assigning(Scribe):
    """One whose venue has something to be changed."""

    changes: Mapping[str, str] = {"assign-margin": "of a position"}

    def change(self, ticket: int, what: str, arguments: Mapping[str, str], now: int) -> Sequence[Out]:
        return [Told(ticket, ({"did": what, **arguments},))]


async def test_a_change_at_the_venue_is_answered_once(world: World) -> None:
    """Where its protocol offers any; elsewhere it certainly did not leave."""
    assert world.bridge.changes == {}
    with pytest.raises(Unsendable, match="link has no assign-margin"):
        world.bridge.change("assign-margin", {})
    other = World(world.server, Assigning())
    with pytest.raises(Unsendable, match="not started"):
        other.bridge.change("assign-margin", {})
    running = asyncio.ensure_future(other.bridge.run())
    await other.protocol.wait("begin")
    assert other.bridge.changes == {"assign-margin": "of a position"}
    told = await asyncio.wrap_future(other.bridge.change("assign-margin", {"margin": "5"}))
    assert told.rows == ({"did": "assign-margin", "margin": "5"},)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_bug_in_a_protocol_is_said_and_stops_nothing(world: World) -> None:
    """Other venues share the thread."""
    world.protocol.broken = True
    world.bridge.submit(place("a"))
    await world.protocol.wait("closed")
    assert any("ZeroDivisionError" in note for note in world.notes)
    world.protocol.broken = False
    world.bridge.submit(place("b"))
    await world.protocol.wait("answered", "b")


async def test_a_clock_that_differs_from_the_venues_is_said_once(world: World) -> None:
    """The world's clock is years off the server's Date."""
    for each in "ab":
        world.bridge.submit(place(each))
        await world.protocol.wait("answered", each)
    assert sum("clock skew" in note for note in world.notes) == 1


async def test_an_operators_question_is_answered(world: World) -> None:
    """By a future that any thread can wait for."""
    answer = world.bridge.inquire("balances", {"asset": "BTC"})
    told = await asyncio.wrap_future(answer)
    assert told.rows == ({"topic": "balances", "asset": "BTC"},)
    assert world.bridge.topics == {"balances": "what is there"}


async def test_what_was_remembered_comes_back_before_anything_else(world: World) -> None:
    """Handed to the protocol as it was."""
    world.bridge.recall({"joins": "1,2"})
    assert await world.protocol.wait("recalled") == ("recalled", {"joins": "1,2"})


async def test_each_stream_has_its_own_address_headers_and_life() -> None:
    """One lost says nothing of the other; the address is asked anew at each connect."""
    server, protocol = Server(), Scribe()
    protocol.streams = (MAIN, "order")
    application = web.Application()
    application.add_routes([web.get("/ws", server.stream)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = runner.addresses[0][1]
    world = World(server, protocol)
    running = asyncio.ensure_future(world.bridge.run())
    await protocol.wait("opened", MAIN)
    await protocol.wait("opened", "order")
    assert set(server.opened) == {("", None), ("stream=order", f"at {world.now}")}
    protocol.on_frame = [Frame("mine", "order")]
    which = server.opened.index(("", None))
    await server.streams[which].send_str("x")
    await protocol.wait("received", "x", MAIN)
    protocol.on_frame = []
    await protocol.wait("received", "echo mine", "order")
    world.now += SECOND
    await server.streams[1 - which].close()
    await protocol.wait("closed", "order")
    await protocol.wait("opened", "order")
    assert server.opened[-1] == ("stream=order", f"at {world.now}")
    assert ("closed", MAIN) not in protocol.kept
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await runner.cleanup()


async def test_bridges_of_one_account_share_its_budget(world: World) -> None:
    """What one spends, the other has not."""
    purse = Purse(world.protocol.budgets)
    for _ in range(3):
        assert purse.take("default", Kind.NEW, world.now) == (True, 0.0)
    url = f"127.0.0.1:{world.server.port}"
    other = Bridge("other", Scribe(), f"http://{url}", f"ws://{url}/ws", world.events.append, lambda: world.now, world.note, purse)
    running = asyncio.ensure_future(other.run())
    await asyncio.sleep(0)
    with pytest.raises(Unsendable, match="budget of other is used up"):
        other.submit(place("d"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_switched_off_it_says_nothing_to_the_venue_and_stays_away(world: World) -> None:
    """The link is down, an order is refused at once, a cancel waits; switched on, all begins anew and the cancel goes."""
    world.bridge.enable(False)
    await world.protocol.wait("closed")
    assert LinkDown("link", "switched off by an operator") in world.events
    with pytest.raises(Unsendable, match="switched off"):
        world.bridge.submit(place("one"))
    world.bridge.submit(Cancel("two", "v", None, "V", "S"))
    streams = len(world.server.streams)
    before = len(world.events)
    for _ in range(40):
        await asyncio.sleep(0)
    assert (world.server.requests, len(world.server.streams), world.events[before:]) == ([], streams, [])
    world.bridge.enable(True)
    await world.protocol.wait("begin")
    await world.protocol.wait("opened")
    assert (await world.protocol.wait("answered"))[1] == "two"
    assert LinkUp("link") in world.events[before:]


async def test_asked_to_reconnect_it_begins_anew(world: World) -> None:
    """Down, then up."""
    world.bridge.reconnect()
    await world.protocol.wait("closed")
    await world.protocol.wait("begin")
    await world.protocol.wait("opened")
    assert [type(each) for each in world.events if not isinstance(each, Held)] == [LinkUp, LinkDown, LinkUp]


async def test_what_is_said_again_and_again_is_said_aloud_once_in_a_while(world: World) -> None:
    """A venue that refuses every five seconds does not fill the log."""
    for _ in range(3):
        world.protocol.on_frame = [Note("refused")]
        await world.server.streams[0].send_str("x")
        await world.protocol.wait("received")
    world.now += 301 * SECOND
    await world.server.streams[0].send_str("x")
    await world.protocol.wait("received")
    levels = ["warning" if "'warning'" in each else "debug" for each in world.notes if "refused" in each]
    assert levels == ["warning", "debug", "debug", "warning"]


async def test_an_answer_without_end_is_lost_and_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have been acted on: lost after sending."""
    monkeypatch.setattr(shell_module, "FRAME_BYTES", 3)
    world.bridge.submit(place("one"))
    assert await world.protocol.wait("lost") == ("lost", "one", True)


async def test_a_venue_that_makes_us_answer_and_does_not_read_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream is opened anew, and what was to be said on the old one is forgotten with it."""
    monkeypatch.setattr(shell_module, "_FRAMES_AT_MOST", 2)
    world.bridge._frames[MAIN] = asyncio.Queue(2)  # as it would have been opened with
    world.protocol.on_frame = [Frame("pong")] * 5
    await world.server.streams[0].send_str("ping")
    await world.protocol.wait("closed")
    await world.protocol.wait("opened")
    assert any("does not read" in each for each in world.notes)


async def test_what_a_patient_bridge_hears_comes_late_and_whole() -> None:
    """A witness: in order, and none left out."""
    server = Server()
    application = web.Application()
    application.add_routes([web.get("/ws", server.stream)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    made = World(server, Scribe(), patient=True)
    running = asyncio.ensure_future(made.bridge.run())
    await made.protocol.wait("opened")
    for number in range(200):
        await server.streams[0].send_str(f"{number}")
    heard = [(await made.protocol.wait("received"))[1] for _ in range(200)]
    assert heard == [f"{number}" for number in range(200)]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await runner.cleanup()
