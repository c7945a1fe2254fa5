"""The operators' console: a prompt with history, completion and a live bottom line, over the admin API.

It lives through the router's restarts: it says once that the router is away and once that it is back. Between prompts the keyboard is read
raw, so that Ctrl-C ends a command on whatever thread the console runs; what else is typed meanwhile is kept for the next prompt.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.styles import Style
from rich.console import Console, RenderableType
from rich.text import Text

from router.admin import desk, toolbar
from router.admin.client import Client, Refused, Unreachable
from router.admin.completion import Values, WordCompleter
from router.admin.contract import Event, Status
from router.admin.helping import helped
from router.admin.tables import BAD, GOOD, WARN
from router.admin.texts import clean, moment
from router.admin.words import WrongUse, read, split

__all__ = ["Desk", "serve_console"]

_STYLE: Final = Style.from_dict({"bottom-toolbar": "noreverse bg:#303030 #d0d0d0", "bottom-toolbar bad": "bg:#a00000 #ffffff bold"})
FIRST_S: Final = 1.5
"""The first prompt waits so long for the first word of the router."""
ALERTS_A_MINUTE: Final = 6
"""More of them are only counted, in the bottom line: a storm must not take the keyboard away."""


class Desk:
    """One console: a person, an API, and what is known of the router meanwhile."""

    def __init__(
        self, client: Client, out: Console, history: Path | None = None, *, leaves_with_router: bool = False,
        keys: Input | None = None, screen: Output | None = None,
    ) -> None:  # fmt: skip
        """`leaves_with_router`: the console of a router's own process: Ctrl-C on an empty line leaves it, and so does the router's end.
        `keys` and `screen`: where the person is; the terminal unless told otherwise."""
        self.out = out
        self._client = client
        self._live = toolbar.Live()
        self._heard_first = asyncio.Event()
        self._started = ""
        self._alerts: list[float] = []
        self._own = leaves_with_router
        plain = ColorDepth.DEPTH_1_BIT if out.no_color else None
        self._prompt: PromptSession[str] = PromptSession(
            history=_history(history), auto_suggest=AutoSuggestFromHistory(), completer=WordCompleter(Values(client)),
            bottom_toolbar=self._toolbar, style=_STYLE, color_depth=plain, reserve_space_for_menu=6, input=keys, output=screen,
            complete_while_typing=True,
        )  # fmt: skip
        self._question: PromptSession[str] = PromptSession(
            bottom_toolbar=self._toolbar, style=_STYLE, color_depth=plain, input=keys, output=screen
        )

    async def run(self) -> None:
        """Until the person leaves, or with `leaves_with_router` the router ends."""
        listening = asyncio.create_task(self._listening())
        try:
            # The first prompt comes with its bottom line; a notice while a terminal is asked where its cursor is would leave a hole.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._heard_first.wait(), FIRST_S)
            while (line := await self._line()) is not None:
                if not await self._do(line):
                    break
        finally:
            listening.cancel()

    async def ask(self, question: str) -> str:
        """A question in the middle of a command; "" for Ctrl-C and Ctrl-D."""
        try:
            return await self._question.prompt_async(question)
        except (KeyboardInterrupt, EOFError):
            return ""

    # --- the person ---

    async def _line(self) -> str | None:
        """The next line; None at the end."""
        while True:
            try:
                return await self._prompt.prompt_async("fixrouter> ")
            except EOFError:
                return None
            except KeyboardInterrupt:
                if self._own and not self._prompt.default_buffer.text:
                    return None
                if not self._prompt.default_buffer.text:
                    self.out.print(Text("quit or Ctrl-D leaves", "dim"))

    async def _do(self, line: str) -> bool:
        """One line; False to leave."""
        try:
            words = split(line)
            if not words:
                return True
            if words[0].lower() in ("quit", "exit", "q"):
                return False
            if words[0].lower() in ("help", "?"):
                self.out.print(helped(words[1].lower() if len(words) > 1 else ""))
                return True
            await self._interruptible(desk.put(self._client, read(words), self))
        except WrongUse as wrong:
            self.out.print(Text(clean(str(wrong)), WARN))
        except Exception as fault:  # noqa: BLE001 - a fault of ours in one answer must not take the console, and with it perhaps the router
            self.out.print(Text(f"a fault of the console's own, not the router's: {type(fault).__name__}: {clean(str(fault))}", BAD))
        return True

    async def _interruptible(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that Ctrl-C ends."""
        task = asyncio.create_task(work)
        keys = self._prompt.app.input
        typed: list[KeyPress] = []

        def pressed() -> None:
            for press in keys.read_keys():
                if press.key == Keys.ControlC:
                    task.cancel()
                else:
                    typed.append(press)

        with keys.raw_mode(), keys.attach(pressed):
            await asyncio.wait([task])
        store_typeahead(keys, typed)
        if not task.cancelled():
            task.result()

    def _toolbar(self) -> StyleAndTextTuples:
        return [*toolbar.line(self._live, self._prompt.app.output.get_size().columns)]

    # --- the router ---

    async def _listening(self) -> None:
        """The stream for good; a fault of ours in it must not leave the bottom line standing as if it were of now."""
        while True:
            try:
                await self._listen()
            except Exception as fault:  # noqa: BLE001 - see above
                self._live.away = f"a fault of the console's own: {type(fault).__name__}"
            await asyncio.sleep(1)

    async def _listen(self) -> None:
        """The stream, for the bottom line and the notices."""
        async for heard in self._client.follow():
            if isinstance(heard, Event):
                await self._heard(heard)
            else:
                await self._lost(heard)
            self._heard_first.set()
            self._prompt.app.invalidate()
            self._question.app.invalidate()

    async def _heard(self, event: Event) -> None:
        if event.status is not None:
            if self._live.away:
                await self._notice(Text(f"the router is back ({self._since(event.status)})", GOOD))
            self._started = event.status.started
            self._live.status, self._live.away = event.status, ""
        if event.alert is not None and event.alert.active and event.alert.level != "info" and self._may_tell():
            text = f"{moment(event.alert.time, desk.today())} {event.alert.level.upper()}: {clean(event.alert.text)}"
            await self._notice(Text(text, BAD if event.alert.level == "critical" else WARN))

    def _since(self, status: Status) -> str:
        again = self._started and status.started != self._started
        return f"{'restarted at' if again else 'up since'} {moment(status.started, desk.today())} UTC"

    async def _lost(self, why: Unreachable | Refused) -> None:
        """Said once, until it is back."""
        told = "the router is away; waiting…"
        if isinstance(why, Refused):
            told = f"the router does not let us in: {clean(str(why))}; trying again…"
        if self._live.away == told:
            return
        self._live.away = told
        if self._own and self._live.status is not None:
            self._leave()
        else:
            await self._notice(Text(told, BAD))

    def _may_tell(self) -> bool:
        now = time.monotonic()
        self._alerts = [each for each in self._alerts if now - each < 60]
        if len(self._alerts) >= ALERTS_A_MINUTE:
            return False
        self._alerts.append(now)
        return True

    async def _notice(self, text: RenderableType) -> None:
        """A line above the prompt, whatever is being typed there."""
        if any(each.app.is_running for each in (self._prompt, self._question)):
            await run_in_terminal(lambda: self.out.print(text))
        else:
            self.out.print(text)

    def _leave(self) -> None:
        """End the prompt from outside."""
        for each in (self._question, self._prompt):
            if each.app.is_running:
                each.app.exit(exception=EOFError)


def _history(path: Path | None) -> History:
    """The lines of before; without a file where there can be none. It names orders: only its owner reads it."""
    if path is None:
        return InMemoryHistory()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


def serve_console(
    where: str, token: Callable[[], str], out: TextIO | None = None, *, history: Path | None = None, stop: threading.Event | None = None,
    no_color: bool | None = None,
) -> None:  # fmt: skip
    """A console on this terminal, on whatever thread, until the person leaves. `where` as for `Client`; `token` from `token_from`.

    With `stop` it is the console of the router's own process: it also returns when `stop` is set or the router ends.
    """
    screen = Console(file=out or sys.stdout, no_color=no_color, highlight=False)

    async def serve() -> None:
        async with Client(where, token) as client:
            await _until(Desk(client, screen, history, leaves_with_router=stop is not None).run(), stop)

    asyncio.run(serve())


async def _until(work: Coroutine[Any, Any, None], stop: threading.Event | None) -> None:
    """Work to its end, or until `stop` is set."""
    task = asyncio.create_task(work)
    while not task.done() and not (stop is not None and stop.is_set()):
        await asyncio.wait([task], timeout=None if stop is None else 0.1)
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
        return
    task.result()
