"""The stream of events, and what is done with those who do not keep to the protocol."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router.admin.admin_settings import AdminSettings
from router.admin.contract import Event, Role
from router.admin.stream import Listener
from router.model import LinkDown
from tests.admin.stage import LINK, Stage


class TestStream:
    """What changes is told as it changes."""

    async def open(self, stage: Stage, **more: Any) -> aiohttp.ClientWebSocketResponse:
        return await stage.http.ws_connect(f"{stage.url}/v1/events", **more)

    async def until(self, socket: aiohttp.ClientWebSocketResponse, kind: str) -> Event:
        while True:
            event = Event.model_validate_json((await socket.receive(30)).data)
            if event.kind == kind:
                return event

    async def test_orders_fills_rejects_and_acts_are_told(self, tmp_path: Path) -> None:
        """As rows of the contract; a browser brings its token as a subprotocol, and is answered with the other one."""
        async with Stage(tmp_path) as stage:
            protocols = ("fixrouter.v1", f"bearer.{stage.token(Role.VIEW)}")
            async with await self.open(stage, protocols=protocols, headers={"Origin": stage.url}) as socket:
                assert socket.protocol == "fixrouter.v1"
                assert (await self.until(socket, "status")).status is not None
                order_id = stage.new("a")
                order = (await self.until(socket, "order")).order
                assert order is not None
                assert (order.order_id, order.status) == (order_id, "pending-new")
                stage.accept()
                stage.fill("0.25")
                fill = (await self.until(socket, "fill")).fill
                assert fill is not None
                assert fill.last_qty == "0.25"
                stage.new("b", symbol="NO/THING")
                reject = (await self.until(socket, "reject")).reject
                assert reject is not None
                assert reject.cl_ord_id == "b"
                await stage.act("halt", scope="all")
                act = (await self.until(socket, "act")).act
                assert act is not None
                assert (act.act, act.ok) == ("halt", True)
                stage.runtime.step(LinkDown(LINK, "reset"))
                while True:
                    venue = (await self.until(socket, "venue")).venue
                    if venue is not None and venue.state == "down":
                        break

    async def test_a_token_is_needed_and_never_taken_from_the_address(self, tmp_path: Path) -> None:
        """Addresses are logged by whatever lies between."""
        async with Stage(tmp_path) as stage:
            for path in ("/v1/events", f"/v1/events?token={stage.token()}"):
                assert (await stage.ask("GET", path, None))[0] == 401
            assert (await stage.ask("GET", "/v1/events"))[0] == 400

    async def test_the_stream_ends_with_its_token(self, tmp_path: Path) -> None:
        """Code 4401."""
        async with Stage(tmp_path) as stage:
            headers = {"Authorization": f"Bearer {stage.token(valid_for_s=1)}"}
            async with await self.open(stage, headers=headers) as socket:
                async for _ in socket:
                    pass
                assert socket.close_code == 4401

    async def test_there_are_not_more_than_so_many(self, tmp_path: Path) -> None:
        """503; when one leaves, another may come."""
        async with Stage(tmp_path, AdminSettings(port=0, streams=2)) as stage:
            headers = {"Authorization": f"Bearer {stage.token()}"}
            sockets = [await self.open(stage, headers=headers) for _ in range(2)]
            assert (await stage.ask("GET", "/v1/events"))[0] == 503
            for socket in sockets:
                await socket.close()

    async def test_who_falls_behind_is_told_so_and_gets_nothing_old(self) -> None:
        """What waited is gone; what comes after is told."""
        listener = Listener(most=2)
        for text in ("1", "2", "3", "4"):
            listener.offer(text)
        assert [json.loads(await listener.next()) for _ in range(2)] == [{"kind": "lagged"}, 4]

    async def test_nobody_listening_costs_nothing(self, tmp_path: Path) -> None:
        """Nothing is kept for nobody."""
        async with Stage(tmp_path) as stage:
            stage.new()
            assert not stage.server._feed._work

    async def test_a_stop_says_goodbye(self, tmp_path: Path) -> None:
        """Code 1001: going away."""
        async with Stage(tmp_path) as stage:
            headers = {"Authorization": f"Bearer {stage.token()}"}
            async with await self.open(stage, headers=headers) as socket:
                stopping = asyncio.create_task(asyncio.to_thread(stage.server.stop, 5))
                async for _ in socket:
                    pass
                assert socket.close_code == 1001
                await stopping


class TestProtocol:
    """Those who do not keep to it."""

    async def raw(self, stage: Stage, data: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(stage.url.rpartition(":")[2]))
        try:
            writer.write(data)
            return await reader.read()
        finally:
            writer.close()

    async def test_half_a_request_is_cut_off(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """After ten seconds (made short here); others are served meanwhile."""
        monkeypatch.setattr("router.admin.server._HEAD_S", 0.05)
        async with Stage(tmp_path) as stage:
            assert await self.raw(stage, b"GET /v1/status HTTP/1.1\r\nHost: 127") == b""
            assert (await stage.ask("GET", "/v1/status"))[0] == 200

    async def test_a_body_that_does_not_come_is_not_waited_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """408, and the connection is closed."""
        monkeypatch.setattr("router.admin.api._BODY_S", 0.05)
        async with Stage(tmp_path) as stage:
            head = (
                f"POST /v1/acts/halt HTTP/1.1\r\nHost: {stage.url.removeprefix('http://')}\r\nAuthorization: Bearer {stage.token()}\r\n"
                "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
            )
            assert (await self.raw(stage, head.encode())).startswith(b"HTTP/1.1 408")

    async def test_too_many_connections(self, tmp_path: Path) -> None:
        """One too many is cut; the others stay."""
        async with Stage(tmp_path, AdminSettings(port=0, connections=2)) as stage:
            port = int(stage.url.rpartition(":")[2])
            kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
            for _, writer in kept:
                writer.write(b"GET")
            assert await self.raw(stage, b"") == b""
            for _, writer in kept:
                writer.close()

    @pytest.mark.parametrize(
        "data", [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n"]
    )
    async def test_nonsense_is_answered_or_cut(self, tmp_path: Path, data: bytes) -> None:
        """And breaks nothing."""
        async with Stage(tmp_path) as stage:
            assert (await self.raw(stage, data)).startswith(b"HTTP/1.0 400")
            assert (await stage.ask("GET", "/v1/status"))[0] == 200

    async def test_an_unknown_path_suggests(self, tmp_path: Path) -> None:
        """404 with near ones; another method is 405."""
        async with Stage(tmp_path) as stage:
            status, body = await stage.ask("GET", "/v1/staus")
            assert (status, body["candidates"][0]) == (404, "/v1/status")
            assert (await stage.ask("POST", "/v1/status"))[0] == 405
            assert (await stage.ask("GET", "/v1/acts/halt"))[0] == 405
            assert (await stage.ask("GET", "/../../etc/passwd"))[0] == 404

    async def test_a_failure_of_ours_tells_the_client_a_number_only(self, tmp_path: Path) -> None:
        """The log has the rest under it."""
        async with Stage(tmp_path) as stage:
            stage.links.budgets = None  # type: ignore[assignment,method-assign]
            header = {"Authorization": f"Bearer {stage.token()}"}
            async with stage.http.get(f"{stage.url}/v1/budgets", headers=header) as response:
                body = await response.json()
            (note,) = [fields for name, fields in stage.notes if name == "admin request failed"]
            assert (response.status, body["error"]) == (500, f"something went wrong here; the log has it as {note['id']}")
            assert "NoneType" in note["why"]
