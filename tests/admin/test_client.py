"""The client of the admin API, against an API over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from router.admin import contract as c
from router.admin.client import Client, NoToken, Refused, Unreachable, token_from
from tests.admin import fake_api as fake
from tests.admin.fake_api import SESSION, TOKEN, FakeApi


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    """An API of the test's own."""
    made = await FakeApi().start()
    yield made
    await made.stop()


@pytest.fixture
async def client(api: FakeApi) -> AsyncIterator[Client]:
    """A client that it lets in."""
    async with Client(api.where, lambda: TOKEN) as made:
        yield made


async def test_each_listing_comes_as_the_contracts_models(api: FakeApi, client: Client) -> None:
    """What is said is what is read, model by model."""
    listings = ("status", "sessions", "venues", "orders", "fills", "rejects", "balances", "positions", "holdings", "routes", "limits",
                "budgets", "latency", "alerts", "config", "acts")  # fmt: skip
    assert {name: await getattr(client, name)() for name in listings} == {name: api.says[f"/v1/{name}"] for name in listings}


async def test_filters_go_as_a_query(api: FakeApi, client: Client) -> None:
    """Every name and value percent-encoded: a symbol's slash, a session's arrow."""
    await client.orders({"state": "open", "symbol": "BTC/USD", "session": SESSION})
    method, path, _ = api.asked[-1]
    assert (method, path) == ("GET", "/v1/orders?state=open&symbol=BTC%2FUSD&session=FIX.4.2%3AROUTER-%3EOMS42")


@pytest.mark.parametrize("name", ["a/b", "../v1/acts/stop", "..", "a?b#c", "a b", "ü%2F", 'x"\x1b'])
async def test_no_id_leads_to_another_path(api: FakeApi, client: Client, name: str) -> None:
    """An id is one part of the path, whatever is in it."""
    with pytest.raises(Refused):
        await client.order(name)
    assert api.asked[-1][1].count("/") == 3
    assert api.asked[-1][1].startswith("/v1/orders/")
    assert "?" not in api.asked[-1][1]


async def test_an_act_says_what_and_why(api: FakeApi, client: Client) -> None:
    """Arguments and the reason are the body; a flag is true; a preview is only asked for."""
    would = await client.act("stop", {"cancel_all": "true"}, "fire", preview=True)
    assert would.preview
    assert api.acts == []
    assert (await client.act("stop", {"cancel_all": "true"}, "fire")).ok
    assert api.acts == [("stop", {"cancel_all": True, "why": "fire"})]


async def test_a_no_to_an_act_is_an_answer(api: FakeApi, client: Client) -> None:
    """409 with an `ActDone` says what came of it; 409 with a problem lists what fits."""
    api.outcomes["halt"] = c.ActDone(act="halt", ok=False, text="is halted already", by="ann", why="", time=fake.NIGHT)
    assert (await client.act("halt", {"scope": "all"})) == api.outcomes["halt"]
    api.refuses["/v1/acts/cancel"] = 409, c.Problem(error="2 orders have the id 7", candidates=["a", "b"])
    with pytest.raises(Refused, match="2 orders") as no:
        await client.act("cancel", {"order": "7"})
    assert no.value.problem.candidates == ["a", "b"]


async def test_a_wrong_token_is_refused(api: FakeApi) -> None:
    """401 with what the router said."""
    async with Client(api.where, lambda: "guess") as client:
        with pytest.raises(Refused, match="the token is not known") as no:
            await client.status()
    assert no.value.status == 401


async def test_nobody_there() -> None:
    """A closed port: nothing can have been done."""
    async with Client(f"http://127.0.0.1:{unused_port()}", lambda: TOKEN) as client:
        with pytest.raises(Unreachable, match="nothing answers there") as away:
            await client.act("halt", {"scope": "all"}, "x")
    assert not away.value.perhaps_heard


async def test_a_connection_that_breaks_leaves_a_doubt() -> None:
    """The router may have heard what was ordered."""

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server, Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", lambda: TOKEN) as client:
        with pytest.raises(Unreachable, match="the connection broke") as away:
            await client.act("halt", {"scope": "all"}, "x")
    assert away.value.perhaps_heard


async def test_what_is_not_the_contract_is_refused(api: FakeApi, client: Client) -> None:
    """An answer of another version is not guessed at, and a proxy's page is not shown as a reason."""
    api.says["/v1/status"] = c.ConfigRow(key="a", value="b")
    with pytest.raises(Refused, match="is it another version"):
        await client.status()


async def test_a_unix_socket(tmp_path: Path) -> None:
    """The API may be a socket in the file system."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=fake.status().model_dump_json(), content_type="application/json")

    app = web.Application()
    app.router.add_get("/v1/status", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "admin")).start()
    async with Client(f"unix:{tmp_path / 'admin'}", lambda: TOKEN) as client:
        assert await client.status() == fake.status()
    await runner.cleanup()


async def test_the_stream_comes_back_after_the_router(api: FakeApi) -> None:
    """It says why it ended, and goes on with the next router's events."""
    port, heard = api.port, asyncio.Queue[Any]()

    async def follow() -> None:
        async with Client(api.where, lambda: TOKEN) as client:
            async for event in client.follow():
                await heard.put(event)

    following = asyncio.create_task(follow())
    assert (await heard.get()).status == api.says["/v1/status"]
    await api.stop()
    assert isinstance(await heard.get(), Unreachable)
    api.says["/v1/status"] = fake.status(started="2026-11-21T03:05:00.000000Z")
    await api.start(port)
    while isinstance(event := await heard.get(), Unreachable):
        pass
    assert event.status.started == "2026-11-21T03:05:00.000000Z"
    following.cancel()
    await asyncio.wait([following])


async def test_a_router_that_hangs_is_away(api: FakeApi) -> None:
    """The connection stands, nothing is said: what was known is not shown as if it were of now."""
    async with Client(api.where, lambda: TOKEN, silence_s=0.05) as client:
        with pytest.raises(Unreachable, match="no answer in time"):
            [event async for event in client.events()]


class TestToken:
    """Where it is from."""

    def test_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Read anew each time: a router that starts for the first time makes one."""
        monkeypatch.delenv("FIXROUTER_TOKEN", raising=False)
        token = token_from(tmp_path / "t")
        with pytest.raises(NoToken, match="fixrouter token"):
            token()
        (tmp_path / "t").write_text("abc\n")
        assert token() == "abc"

    def test_the_environment_goes_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """FIXROUTER_TOKEN, and no file is needed."""
        monkeypatch.setenv("FIXROUTER_TOKEN", " xyz ")
        assert token_from(tmp_path / "t")() == "xyz"

    @pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"a\nb", "tökən".encode()])
    def test_what_is_no_token(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
        """It is said before anything is sent, and the content is not repeated."""
        monkeypatch.delenv("FIXROUTER_TOKEN", raising=False)
        (tmp_path / "t").write_bytes(content)
        with pytest.raises(NoToken, match="no token"):
            token_from(tmp_path / "t")()
