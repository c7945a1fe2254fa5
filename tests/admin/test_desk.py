"""The operators' commands against the real API on a real core: that both mean the same by their contract."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console

from router.acts import Scope
from router.admin import contract as c
from router.admin import desk
from router.admin.client import Client, Refused, Unreachable
from router.admin.contract import Role
from router.admin.words import COMMANDS, WrongUse, read, split
from tests.admin.stage import Stage
from tests.router.desk import SESSION


@dataclass
class Person:
    """Answers questions with what they have ready."""

    answers: list[str] = field(default_factory=list)
    out: Console = field(default_factory=lambda: Console(file=io.StringIO(), width=100, no_color=True))

    async def ask(self, question: str) -> str:
        return self.answers.pop(0) if self.answers else ""

    @property
    def screen(self) -> str:
        assert isinstance(self.out.file, io.StringIO)
        return self.out.file.getvalue()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The real API, with one order that is half done and one that is over."""
    async with Stage(tmp_path) as made:
        made.new("evil\u202etxt")
        made.accept()
        made.fill("0.5")
        made.new("over")
        made.accept(2)
        made.fill("1", 2, complete=True)
        yield made


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[Client]:
    """An admin's."""
    async with Client(stage.url, lambda: stage.token(Role.ADMIN)) as made:
        yield made


@pytest.mark.parametrize("line", [each.name for each in COMMANDS if each.act is None and not any(part.needed for part in each.arguments)])
async def test_each_listing_is_answered_and_shown(stage: Stage, client: Client, line: str) -> None:
    """Whatever asks nothing more than its name."""
    person = Person()
    await desk.put(client, read([line]), person)
    assert person.screen.strip()
    assert "no: " not in person.screen
    assert "\u202e" not in person.screen


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"orders all session={SESSION} side=buy limit=5", "partially-filled"),
        ("orders id=o1", "partially-filled"),
        ("orders id=over", " filled "),
        ("orders done", " filled "),
        ("orders unknown", "no orders"),
        ("fills order=270115080000-1 symbol=BTC/USDT", "0.5"),
        ("fills side=sell", "no fills"),
        ("route-test buy 1 BTC/USDT price=100 tif=good-till-cancel", "it would go to"),
        (f"session {SESSION}", "MsgSeqNum expected next"),
        ("orders state=open after=1-1", "no orders"),
    ],
)
async def test_what_is_asked_with_more_words(stage: Stage, client: Client, line: str, told: str) -> None:
    """Filters and arguments are the API's own."""
    person = Person()
    await desk.put(client, read(split(line)), person)
    assert told in person.screen


async def test_an_orders_life(stage: Stage, client: Client) -> None:
    """By the venue's id: what the client asked, what the venue said, and the fill."""
    person = Person()
    await desk.put(client, read(["order", "o1"]), person)
    assert "partially-filled" in person.screen
    assert "client" in person.screen
    assert "venue" in person.screen


async def test_a_halt_is_asked_about_done_and_undone(stage: Stage, client: Client) -> None:
    """The core has it, with the name of the token and the reason."""
    person = Person(["yes", "smoke", "yes", "it was steam"])
    await desk.put(client, read(split("halt all")), person)
    halted = stage.runtime.engine.state.halted[Scope.ALL, ""]
    assert (halted.by, halted.why) == ("ann", "smoke")
    await desk.put(client, read(split("resume all")), person)
    assert not stage.runtime.engine.state.halted
    assert [(each.command, each.why, each.ok) for each in stage.commanded] == [
        ("halt scope=all", "smoke", True), ("resume scope=all", "it was steam", True),
    ]  # fmt: skip


async def test_every_act_has_a_preview_or_a_reason_why_not(stage: Stage, client: Client) -> None:
    """Each example of help is understood by the API: nothing is said to be an unknown or a missing argument."""
    for command in (each for each in COMMANDS if each.act is not None):
        for example in command.examples:
            request = read(split(example))
            try:
                told = await client.act(command.name, request.given, "a test", preview=True)
                assert told.preview or not told.ok
            except Refused as no:
                assert no.problem.error
                assert not any(wrong in no.problem.error for wrong in ("takes no", "is missing", "no such argument"))
    assert stage.commanded == []


async def test_what_the_core_refuses_is_told(stage: Stage, client: Client) -> None:
    """Nothing is asked, nothing is done."""
    person = Person(["yes", "x"])
    await desk.put(client, read(split("resume all")), person)
    assert "no: " in person.screen
    assert person.answers == ["yes", "x"]


async def test_near_names_are_told(stage: Stage, client: Client) -> None:
    """Of an order and of a destination that are not there."""
    person = Person()
    await desk.put(client, read(split("cancel 999-9")), person)
    await desk.put(client, read(split("venue BINANEC")), person)
    assert "no: " in person.screen
    assert "perhaps BINANCE?" in person.screen


async def test_a_viewer_may_not_act(stage: Stage) -> None:
    """The role that is needed is named, and nothing is done."""
    async with Client(stage.url, lambda: stage.token(Role.VIEW)) as client:
        person = Person(["yes", "x"])
        await desk.put(client, read(split("halt all")), person)
    assert "it needs the role trade" in person.screen
    assert not stage.runtime.engine.state.halted


async def test_the_stream_begins_with_a_status(stage: Stage, client: Client) -> None:
    """Within a second, and then each second."""
    async with asyncio.timeout(20):
        async for event in client.events():
            if event.kind == "status":
                assert event.status is not None
                assert event.status.open_orders == 1
                break


async def test_a_doubt_about_an_act_is_told() -> None:
    """The connection broke after the order to halt was sent: it is not said that nothing was done."""

    async def half_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"preview=true" in head:
            body = c.ActDone(act="halt", ok=True, text="would halt", by="a", why="", time="", preview=True).model_dump_json().encode()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()

    server = await asyncio.start_server(half_way, "127.0.0.1", 0)
    async with server, Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", lambda: "t") as client:
        with pytest.raises(Unreachable, match="whether halt was done is not known"):
            await desk.act(client, read(split("halt all why=x")), Person(["yes"]))


async def test_a_name_that_fits_two_is_not_guessed(stage: Stage, client: Client) -> None:
    """Two sessions end in the same letters: the operator says which."""
    stage.sessions.all.append(stage.sessions.all[0].__class__("FIX.4.4:R->OMS", "client", True, True, 1, 1, 1, 1, ""))
    stage.sessions.all.append(stage.sessions.all[0].__class__("FIX.4.2:R->OMS", "client", True, True, 1, 1, 1, 1, ""))
    with pytest.raises(WrongUse, match="may be FIX"):
        await desk.look(client, read(split("session oms")))
