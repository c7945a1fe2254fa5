"""The console, driven by keys on a pipe, against an API over real sockets."""

from __future__ import annotations

import asyncio
import io
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from router.admin import contract as c
from router.admin.client import Client
from router.admin.completion import Values, wanted
from router.admin.console import Desk
from tests.admin import fake_api as fake
from tests.admin.fake_api import SESSION, TOKEN, FakeApi

LATER = "2026-11-21T03:05:00.000000Z"


class Operator:
    """Somebody at the console: their keys, and what they see."""

    def __init__(self, keys: PipeInput, screen: io.StringIO, api: FakeApi, running: asyncio.Task[None]) -> None:
        self._keys, self._screen, self.api, self.running = keys, screen, api, running

    def types(self, text: str) -> None:
        self._keys.send_text(text)

    @property
    def screen(self) -> str:
        return self._screen.getvalue()

    async def enters(self, line: str, until: str = "") -> str:
        """A line; then waits for a text that was not there before, and returns what came since."""
        before = len(self.screen)
        self.types(line + "\r")
        await self.sees(until, before)
        return self.screen[before:]

    async def sees(self, text: str, after: int = 0) -> None:
        await until(lambda: text in self.screen[after:])


class Jammed(io.StringIO):
    """A screen that fails at one word, once."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at

    def write(self, text: str) -> int:
        if self._at and self._at in text:
            self._at = ""
            raise RuntimeError("jammed\x1b")
        return super().write(text)


async def until(true: Callable[[], bool]) -> None:
    """Wait for something to become so."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


async def tries(port: int, count: int) -> None:
    """Wait until somebody has tried so often to connect to a port, in vain."""
    tried: list[None] = []

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tried.append(None)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", port):
        await until(lambda: len(tried) >= count)


@asynccontextmanager
async def console(history: Path | None = None, own: bool = False, screen: io.StringIO | None = None) -> AsyncIterator[Operator]:
    """A console on an API of its own."""
    api = await FakeApi().start()
    screen = screen or io.StringIO()
    with create_pipe_input() as keys:
        async with Client(api.where, lambda: TOKEN) as client:
            out = Console(file=screen, width=160, no_color=True, highlight=False)
            desk = Desk(client, out, history, leaves_with_router=own, keys=keys, screen=DummyOutput())
            running = asyncio.create_task(desk.run())
            await api.connected.wait()
            try:
                yield Operator(keys, screen, api, running)
            finally:
                running.cancel()
                await asyncio.wait([running])
                await api.stop()


async def test_what_is_seen() -> None:
    """A listing, a wrong word, help, and the end."""
    async with console() as operator:
        assert "UNKNOWN" in await operator.enters("orders", "8f3a99")
        assert "perhaps orders" in await operator.enters("ordrs", "perhaps")
        assert 'halt all why="strange prices"' in await operator.enters("help halt", "PHEMEX")
        await operator.enters("")
        operator.types("quit\r")
        await operator.running


async def test_what_destroys_is_shown_and_asked_about_first() -> None:
    """The preview, then yes, then the reason; only then it is done."""
    async with console() as operator:
        assert "order 261121080000-42 at PHEMEX" in await operator.enters("cancel 261121080000-42", "at PHEMEX")
        assert operator.api.acts == []
        operator.types("yes\rclient phoned\r")
        await operator.sees("cancel is done")
        assert operator.api.acts == [("cancel", {"order": "261121080000-42", "why": "client phoned"})]


@pytest.mark.parametrize("keys", ["no\r", "y\r", "\r", "yes\r\r", "\x03", "\x04", "yes\r\x03"])
async def test_anything_but_a_full_yes_and_a_reason_does_nothing(keys: str) -> None:
    """Also Ctrl-C and Ctrl-D; and the console goes on."""
    async with console() as operator:
        await operator.enters("halt all", "would halt")
        operator.types(keys)
        await operator.sees("nothing was done")
        assert operator.api.acts == []
        assert "12" in await operator.enters("status", "open orders")


async def test_a_reason_given_at_once_is_not_asked_for() -> None:
    """`why="…"` skips the question, not the yes; a short name of a session is told in full."""
    async with console() as operator:
        await operator.enters('halt session oms42 why="fat fingers"', "would halt")
        operator.types("yes\r")
        await operator.sees("halt is done")
        assert operator.api.acts == [("halt", {"scope": "session", "name": SESSION, "why": "fat fingers"})]


async def test_what_would_be_refused_is_not_asked_about() -> None:
    """The preview says no, and that is the end of it."""
    async with console() as operator:
        operator.api.outcomes["resume"] = c.ActDone(act="resume", ok=False, text="nothing is halted", by="a", why="", time=fake.NIGHT)
        assert "no: nothing is halted" in await operator.enters("resume all", "halted")
        assert operator.api.acts == []


async def test_what_destroys_nothing_is_done_at_once() -> None:
    """`reconcile` asks nothing."""
    async with console() as operator:
        await operator.enters("reconcile PHEMEX", "reconcile is done")
        assert operator.api.acts == [("reconcile", {"destination": "PHEMEX", "why": ""})]


async def test_a_role_too_small_is_told() -> None:
    """403 names the role that is needed."""
    async with console() as operator:
        operator.api.refuses["/v1/acts/reload"] = 403, c.Problem(error="reload is not for the role view", needed="admin")
        assert "it needs the role admin" in await operator.enters("reload", "role admin")


async def test_a_listing_is_watched_until_ctrl_c() -> None:
    """It is asked for again and again; then the prompt is back, and what was typed meanwhile with it."""
    async with console() as operator:
        operator.types("watch alerts 0.2\r")
        await until(lambda: sum(path == "/v1/alerts" for _, path, _ in operator.api.asked) >= 3)
        operator.types("stat\x03")
        await operator.sees("is unknown for 30 s")
        assert "open orders" in await operator.enters("us", "open orders")


async def test_the_console_lives_through_a_restart() -> None:
    """Away is said once, commands meanwhile say so at once, and back is said with the time of the start."""
    async with console() as operator:
        await operator.enters("status", "12")
        port = operator.api.port
        await operator.api.stop()
        await operator.sees("the router is away; waiting…")
        await operator.enters("orders", "cannot reach the router")
        await tries(port, 3)
        operator.api.says["/v1/status"] = fake.status(started=LATER)
        await operator.api.start(port)
        await operator.sees("03:05:00.000 UTC)")
        assert operator.screen.count("the router is away") == 1
        assert operator.screen.count("the router is back (restarted at") == 1
        await operator.enters("fills", "0.12500000")


async def test_new_alerts_are_told_while_one_types_but_a_storm_is_not() -> None:
    """Above the prompt; the line that is being typed is not lost."""
    async with console() as operator:
        operator.types("stat")
        for number in range(50):
            alert = fake.alert(alert_id=number, text=f"trouble {number}\x1b[2J")
            await operator.api.tell(c.Event(kind="alert", alert=alert))
        await operator.api.tell(c.Event(kind="alert", alert=fake.alert(level="info", text="by the way")))
        await operator.enters("us", "open orders")
        assert "CRITICAL: trouble 0\ufffd[2J" in operator.screen
        assert operator.screen.count("trouble") == 6
        assert "by the way" not in operator.screen


async def test_ctrl_c_at_the_prompt_clears_the_line_and_never_leaves() -> None:
    """Only quit and Ctrl-D leave."""
    async with console() as operator:
        operator.types("halt all\x03")
        operator.types("\x03")
        await operator.sees("quit or Ctrl-D leaves")
        await operator.enters("status", "open orders")
        operator.types("\x04")
        await operator.running
        assert operator.api.acts == []


async def test_in_the_routers_own_process_ctrl_c_leaves() -> None:
    """There the console's end is the router's; a line that was begun is only cleared."""
    async with console(own=True) as operator:
        await operator.enters("status", "open orders")
        operator.types("sta\x03")
        await operator.enters("status", "open orders")
        operator.types("\x03")
        await operator.running


async def test_in_the_routers_own_process_it_ends_with_the_router() -> None:
    """Nobody waits for a router that is this process."""
    async with console(own=True) as operator:
        await operator.enters("status", "open orders")
        await operator.api.stop()
        await operator.running
        await operator.api.start()


async def test_a_fault_of_ours_does_not_end_the_console() -> None:
    """One answer is lost, and it is said whose fault that is; the next one comes."""
    async with console(screen=Jammed("durability")) as operator:
        await operator.enters("status", "not the router's: RuntimeError: jammed\ufffd")
        await operator.enters("status", "durability")


async def test_a_fault_of_ours_in_a_notice_does_not_end_the_stream() -> None:
    """It is connected again."""
    async with console(screen=Jammed("CRITICAL")) as operator:
        operator.api.connected.clear()
        await operator.api.tell(c.Event(kind="alert", alert=fake.alert()))
        await operator.api.connected.wait()
        await operator.api.tell(c.Event(kind="alert", alert=fake.alert(text="once more")))
        await operator.sees("CRITICAL: once more")


async def test_history_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    """Lines of before come back with the up key; the file is nobody else's to read."""
    path = tmp_path / "var" / "console.history"
    async with console(history=path) as operator:
        await operator.enters("alerts", "ACTIVE")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    async with console(history=path) as operator:
        await operator.enters("status", "open orders")
        operator.types("\x1b[A\x1b[A\r")
        await operator.sees("ACTIVE")


def test_it_ends_when_it_is_told_to() -> None:
    """On any thread, when `stop` is set."""
    from router.admin.console import _until  # what `serve_console` waits with

    stop = threading.Event()

    async def run() -> None:
        waiting = asyncio.create_task(_until(asyncio.sleep(3600), stop))
        stop.set()
        await waiting

    asyncio.run(run())


class TestCompletion:
    """What the tab key offers."""

    @pytest.mark.parametrize(
        ("line", "words", "values"),
        [
            ("", ["status", "halt", "watch", "help"], []),
            ("hal", ["halt"], []),
            ("halt ", ["all", "session", "name="], []),
            ("halt session ", ['why="'], [("", "session")]),
            ("halt destination P", [], [("", "destination")]),
            ("cancel ", ['why="'], [("", "order")]),
            ("cancel-all ", ["destination=", "account="], []),
            ("cancel-all destination=", [], [("destination=", "destination")]),
            ("orders ", ["open", "unknown", "destination="], []),
            ("watch ord", ["orders"], []),
            ("watch orders ", ["open"], []),
            ("help h", ["halt"], []),
            ("session X ", ["logout", "reset"], []),
            ("resolve 1 ", ["not_placed"], []),
            ("nonsense ", [], []),
        ],
    )
    def test_what_may_come_next(self, line: str, words: list[str], values: list[tuple[str, str]]) -> None:
        """From the same tables as the language."""
        _, found = wanted(line)
        assert {each for each, _ in found.words} >= set(words)
        assert set(found.values) >= set(values)

    async def test_values_are_asked_for_once_a_second_and_are_none_when_the_router_is_away(self) -> None:
        """Typing does not load the router; what drives the terminal is offered to nobody."""
        api = await FakeApi().start()
        async with Client(api.where, lambda: TOKEN) as client:
            values = Values(client)
            assert await values.of("order") == await values.of("order")
            assert len(api.asked) == 1
            assert {each for each, _ in await values.of("session")} >= {SESSION}
            assert {each for each, _ in await values.of("symbol")} == {"BTC/USD", "ETH/USD", "BTC/USDT"}
            assert [each for each, _ in await values.of("account")] == ["ACC1"]
            await api.stop()
            assert await values.of("destination") == []
