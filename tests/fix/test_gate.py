"""The front door, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_network

import pytest

from fix.admission import Why
from fix.gate import Gate, GateSettings
from fix.relay import LineThread
from tests.fix.door import PATIENCE_S, Notes, door, logon, message


async def test_a_session_passes_as_it_is() -> None:
    """The Logon, what came with it in one segment, and everything later, both ways; logged at both ends."""
    async with door() as here:
        first = logon() + message("35=1", "112=hello") + b"\x00 not even FIX"
        client, router = await here.session(first)
        router.say(b"answer")
        await client.hears(b"answer")
        client.say(b"more")
        await router.hears(b"more")
        assert [(each.number, each.session, each.owed) for each in here.gate.connected()] == [(1, "FIX.4.2:ROUTER->OMS42", 0)]
        line = await here.notes.of("client connected", connection=1, session="FIX.4.2:ROUTER->OMS42", address="127.0.0.1")
        client.hang_up()
        assert await router.heard_to_the_end() == b""
        line = await here.notes.of("client disconnected", connection=1, why="the client closed")
        assert (line["from_client"], line["to_client"]) == (len(first) + 4, 6)


async def test_a_logon_may_come_in_any_two_segments() -> None:
    """Split at every byte; the router gets it whole."""
    first = logon()
    async with door() as here:
        for at in range(1, len(first)):
            client = await here.client()
            client.say(first[:at])
            await client.writer.drain()
            await asyncio.sleep(0)
            client.say(first[at:])
            router = await here.router.next()
            await router.hears(first)
            router.hang_up()
            assert await client.heard_to_the_end() == b""


async def test_half_a_logon_byte_by_byte_reaches_nobody() -> None:
    """It has its time, and then it is closed; a session goes on meanwhile."""
    async with door(logon_within_s=0.3) as here:
        good, router = await here.session(logon())
        slow = await here.client()
        for byte in logon("OMS44", begin="FIX.4.4")[:-1]:
            slow.say(bytes([byte]))
            good.say(b"x")
            await router.hears(b"x")
        await here.refused("no logon within 0.3 s")
        assert await slow.heard_to_the_end() == b""
        good.say(b"still there")
        await router.hears(b"still there")
        assert here.router.count == 1


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "not FIX"),
        (b"\x16\x03\x01\x02\x00\x01", "TLS, where plain FIX is spoken"),
        (logon()[:-4] + b"000\x01", "CheckSum"),
        (logon("X" * 5000), "too long"),
        (message("35=D", "49=OMS42", "56=ROUTER"), "MsgType"),
        (logon("NOBODY"), "unknown session: FIX.4.2:ROUTER->NOBODY"),
        (logon("OMS42", "OTHER"), "unknown session: FIX.4.2:OTHER->OMS42"),
        (logon("OMS42", "ROUTER", "FIX.4.4"), "unknown session: FIX.4.4:ROUTER->OMS42"),
        (logon("FAR", "ROUTER", "FIXT.1.1"), "not allowed from this address: FIXT.1.1:ROUTER->FAR"),
    ],
)  # fmt: skip
async def test_who_has_no_proper_logon_is_closed_without_a_word(first: bytes, why: str) -> None:
    """And the router never hears of it."""
    async with door() as here:
        client = await here.client()
        client.say(first)
        await here.refused(why)
        assert await client.heard_to_the_end() == b""
        assert here.router.count == 0


async def test_secrets_are_never_logged() -> None:
    """Neither of a Logon that passes nor of one that does not."""
    secrets = ("553=user", "554=hush1", "95=5", "96=hush2")
    async with door() as here:
        await here.session(logon("OMS42", "ROUTER", "FIX.4.2", *secrets))
        for bad in (logon("NOBODY", "ROUTER", "FIX.4.2", *secrets), logon("OMS44", "ROUTER", "FIX.4.4", *secrets)[:-4] + b"000\x01"):
            (await here.client()).say(bad)
        await here.refused("unknown session")
        await here.refused("CheckSum")
    assert "hush" not in repr(here.notes.all)


async def test_an_address_of_no_session_is_closed_at_once() -> None:
    """It need not speak."""
    async with door(sessions={("FIX.4.2", "OMS42", "ROUTER"): [ip_network("192.0.2.0/24")]}) as here:
        client = await here.client()
        assert await client.heard_to_the_end() == b""
        await here.refused("address not allowed")


async def test_a_second_connection_of_a_session_is_refused() -> None:
    """Naming who has it; once that one is gone, it may come."""
    async with door() as here:
        first, router = await here.session(logon())
        second = await here.client()
        second.say(logon())
        assert await second.heard_to_the_end() == b""
        await here.refused("already connected: FIX.4.2:ROUTER->OMS42 by connection 1 from 127.0.0.1")
        first.hang_up()
        await router.heard_to_the_end()
        await here.notes.of("client disconnected", connection=1)
        await here.session(logon())


async def test_a_client_may_come_back_at_once() -> None:
    """Its old connection, closed just before, is not in its way."""
    async with door() as here:
        for _ in range(30):
            client, _ = await here.session(logon())
            client.hang_up()


async def test_a_thousand_silent_connections_keep_nobody_out() -> None:
    """A session's traffic goes on, another comes in, and no more than the limit are ever held."""
    async with door(max_connections=50, logon_within_s=60) as here:
        good, router = await here.session(logon())
        for _ in range(1000):
            await here.client()
            good.say(b"x")
            await router.hears(b"x")
        other, other_end = await here.session(logon("OMS44", begin="FIX.4.4"))
        other.say(b"y")
        await other_end.hears(b"y")
        assert here.gate.counts.refused[Why.GAVE_WAY] == 1002 - 50
        assert len(here.gate.connected()) == 2


async def test_who_has_logged_on_gives_way_to_nobody() -> None:
    """When all places are sessions', the next one is refused."""
    async with door(max_connections=1) as here:
        good, router = await here.session(logon())
        late = await here.client()
        assert await late.heard_to_the_end() == b""
        await here.refused("too many connections: 1")
        good.say(b"x")
        await router.hears(b"x")


@pytest.mark.parametrize(
    ("limit", "why"), [("max_per_address", "connections from this address"), ("logon_attempts_per_minute", "attempts")]
)
async def test_one_address_has_its_limits(limit: str, why: str) -> None:
    """Of connections at a time, and of attempts a minute."""
    async with door(**{limit: 2}) as here:
        good, router = await here.session(logon())
        await here.client()
        third = await here.client()
        assert await third.heard_to_the_end() == b""
        await here.refused(f"too many {why}")
        good.say(b"x")
        await router.hears(b"x")


async def test_a_client_that_never_reads_is_cut() -> None:
    """With a bounded amount owed; what it had said has arrived, and the others go on."""
    async with door(slow_reader_bytes=300_000) as here:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", here.gate.port))
        with sock:
            await asyncio.get_running_loop().sock_sendall(sock, logon())
            stuck = await here.router.next()
            await stuck.hears(logon())
            good, router = await here.session(logon("OMS44", begin="FIX.4.4"))
            await stuck.says_until_cut((good, router))
            line = await here.notes.of("client disconnected", session="FIX.4.2:ROUTER->OMS42")
            assert line["why"] == "the client does not read: cut with 300000 bytes owed"
            good.say(b"y")
            await router.hears(b"y")
            assert here.gate.counts.cut == 1
            stuck.hang_up()


async def test_a_router_that_does_not_read_is_waited_for() -> None:
    """The client is not read meanwhile, so that little is held; then all of it arrives."""
    async with door() as here:
        client, router = await here.session(logon())
        router.stop_reading()
        sent = await client.says_until_stuck()
        assert here.gate.connected()[0].from_client < sent + len(logon())
        router.read_again()
        async with asyncio.timeout(PATIENCE_S):
            assert await router.reader.readexactly(sent) == bytes(sent)


async def test_when_the_client_half_closes_both_close() -> None:
    """What it said before still arrives."""
    async with door() as here:
        client, router = await here.session(logon())
        client.say(b"last words")
        client.writer.write_eof()
        assert await router.heard_to_the_end() == b"last words"
        assert await client.heard_to_the_end() == b""


async def test_what_is_on_its_way_to_the_client_when_a_line_ends_arrives() -> None:
    """However much the gate holds of it."""
    async with door(slow_reader_bytes=50_000_000, linger_s=PATIENCE_S) as here:
        client, router = await here.session(logon())
        client.stop_reading()
        router.say(bytes(20_000_000))
        router.hang_up()
        await here.notes.of("client connected")
        async with asyncio.timeout(PATIENCE_S):
            while here.gate.connected()[0].to_client < 20_000_000:
                await asyncio.sleep(0)
        client.read_again()
        assert len(await client.heard_to_the_end()) == 20_000_000


async def test_what_is_on_its_way_to_the_router_when_a_line_ends_arrives() -> None:
    """All that the gate has heard of the client."""
    async with door(linger_s=PATIENCE_S) as here:
        client, router = await here.session(logon())
        router.stop_reading()
        await client.says_until_stuck()
        closed = asyncio.ensure_future(here.gate.close())
        await asyncio.sleep(0)
        router.read_again()
        heard = await router.heard_to_the_end()
        await closed
        assert (await here.notes.of("client disconnected"))["from_client"] == len(logon()) + len(heard)


async def test_when_the_client_vanishes_the_router_hears_it() -> None:
    """A reset, as of a process that was killed."""
    async with door() as here:
        client, router = await here.session(logon())
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.writer.transport.abort()
        assert await router.heard_to_the_end() == b""
        line = await here.notes.of("client disconnected", connection=1)
        assert line["why"].startswith("the client vanished")


async def test_when_the_router_closes_the_client_gets_the_rest() -> None:
    """Its answer, a Logout say, and then the end."""
    async with door() as here:
        client, router = await here.session(logon())
        router.say(b"logout")
        router.hang_up()
        assert await client.heard_to_the_end() == b"logout"
        await here.notes.of("client disconnected", connection=1, why="the router closed")


async def test_when_the_router_is_down_the_client_is_closed() -> None:
    """And may try again."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with door(upstream_port=nobody.getsockname()[1]) as here:
            for _ in range(2):
                client = await here.client()
                client.say(logon())
                assert await client.heard_to_the_end() == b""
            await here.refused("router not reachable: FIX.4.2:ROUTER->OMS42")
            assert here.gate.counts.refused == {Why.ROUTER_DOWN: 2}


async def test_who_does_not_take_the_rest_in_time_is_cut_off() -> None:
    """When the gate closes: the client takes what is on its way, the router does not, and it ends all the same."""
    async with door(slow_reader_bytes=50_000_000) as here:
        client, router = await here.session(logon())
        client.stop_reading()
        router.say(bytes(20_000_000))
        await client.says_until_stuck()
        router.stop_reading()
        await client.says_until_stuck()
        client.read_again()
        taken = asyncio.ensure_future(client.heard_to_the_end())
        async with asyncio.timeout(PATIENCE_S):
            await here.gate.close()
        await taken
        assert (await here.notes.of("client disconnected"))["why"] == "the gate closes"


async def test_nothing_waits_to_be_sent() -> None:
    """TCP_NODELAY, both ways."""
    async with door() as here:
        await here.session(logon())
        line = next(iter(here.gate._all.values())).line
        assert line is not None
        for side in (line.near, line.far):
            assert side.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_it_runs_on_a_thread_of_its_own() -> None:
    """Started and stopped from outside; stopping closes who is there, and the port can be had again."""
    notes: list[tuple[str, dict[str, object]]] = []
    with socket.create_server(("127.0.0.1", 0)) as router:
        settings = GateSettings("127.0.0.1", 0, "127.0.0.1", router.getsockname()[1], {("FIX.4.2", "OMS42", "ROUTER"): []})
        gate = Gate(settings, lambda event, **fields: notes.append((event, fields)))
        died: list[str] = []
        thread = LineThread([gate], lambda *a, **k: None, died.append)
        thread.start()
        with socket.create_connection(("127.0.0.1", gate.port), timeout=PATIENCE_S) as client:
            client.sendall(logon())
            router.settimeout(PATIENCE_S)
            with router.accept()[0] as other:
                assert other.recv(4096) == logon()
                with socket.create_connection(("127.0.0.1", gate.port), timeout=PATIENCE_S):
                    thread.stop(5)
                assert client.recv(10) == b""
                assert other.recv(10) == b""
        socket.create_server(("127.0.0.1", gate.port)).close()
    assert died == []
    assert notes[-1][0] == "client disconnected"


def test_a_port_that_is_taken_stops_the_start() -> None:
    """With an OSError to the owner."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gate = Gate(GateSettings("127.0.0.1", taken.getsockname()[1], "127.0.0.1", 1), Notes.__call__)  # type: ignore[arg-type]
        with pytest.raises(OSError, match="in use"):
            LineThread([gate], lambda *a, **k: None, lambda why: None).start()
