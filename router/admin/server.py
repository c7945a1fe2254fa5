"""The admin API's thread: a loop of its own, so that nothing operators do is done where orders pass.

A connection that has not sent a whole request's head within ten seconds is cut, and so is one too many: half requests hold nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import stat
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from router.admin.acts import Acting
from router.admin.admin_settings import AdminSettings
from router.admin.api import Api
from router.admin.app import Front, application
from router.admin.auth import Tokens
from router.admin.book import Book
from router.admin.contract import ActDone, Event
from router.admin.glance import Glance
from router.admin.lives import Lives
from router.admin.needs import Core, Watch, Wiring
from router.admin.plan import Desk
from router.admin.rims import Links, Sessions
from router.admin.sockets import Streams
from router.admin.stream import Feed
from router.model import Effect, Input

__all__ = ["AdminServer"]

_HEAD_S: Final = 10.0
_KEEPALIVE_S: Final = 75.0
_LINGER_S: Final = 1.0
"""What is left of a body that was not read is read for so long."""
_AGAIN_S: Final = 1.0
_QUIET: Final = logging.Logger("admin-http", level=logging.CRITICAL)
"""What clients do wrong on the wire is theirs; failures of ours are noted by the application."""
Background = Callable[[], Awaitable[None]]
"""Something that runs on the admin loop until it is canceled."""


class _Full(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class AdminServer:
    """The API on 127.0.0.1 or a Unix socket. `start` and `stop` from outside; `observe` and `publish` from any thread."""

    def __init__(
        self, settings: AdminSettings, tokens: Tokens, core: Core, sessions: Sessions, links: Links, watch: Watch, wiring: Wiring,
        state: Path, background: Sequence[Background] = (),
    ) -> None:  # fmt: skip
        """`state`: the folder of journal and history. `background`: what else runs on this loop, the monitor for one."""
        self._settings = settings
        self._wiring = wiring
        self._silent: set[object] = set()
        """Connections that have not sent a whole head yet."""
        self._glance = Glance(core, sessions, links, watch, wiring)
        self._feed = Feed(core, self._glance)
        book = Book(core)
        self._acting = Acting(Desk(core, book, sessions, links, wiring), self._acted)
        self._api = Api(core, links, watch, wiring, self._glance, book, self._acting, Lives(state))
        self._front = Front(settings, tokens, wiring)
        self._app = application(self._front, self._api, Streams(self._feed, wiring, settings.streams), wiring)
        self._app.middlewares.append(_noting(self._silent))
        self._background = [self._feed.run, book.follow, *background]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
        self._bound: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, name="admin", daemon=True)

    @property
    def app(self) -> web.Application:
        """The application by itself."""
        return self._app

    @property
    def unauthorized(self) -> int:
        """How often somebody came without a token of ours."""
        return self._front.unauthorized

    def observe(self, event: Input, effects: list[Effect]) -> None:
        """Part of the runtime's observer: for the stream of events. Never blocks."""
        self._feed.observe(event, effects)

    def publish(self, event: Event) -> None:
        """Tell all who listen. Never blocks."""
        self._feed.publish(event)

    def start(self, within_s: float = 10) -> int:
        """Serve; returns the port, 0 for a Unix socket. Raises `OSError` where the address cannot be had."""
        self._thread.start()
        return self._bound.result(within_s)

    def stop(self, within_s: float) -> None:
        """Let what is being answered be answered, then serve no more."""
        self._api.stopping = self._feed.stopping = True
        if self._loop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # it ended meanwhile
                self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join(within_s)
        self._acting.close()

    def stopping(self) -> None:
        """From now on /readyz and the status say that the router is stopping."""
        self._api.stopping = self._feed.stopping = True

    # --- on the thread ----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as wrong:  # noqa: BLE001 - the thread's last word
            if self._bound.done():
                self._wiring.note("the admin API ended", level="error", why=f"{type(wrong).__name__}: {wrong}")
            else:
                self._bound.set_exception(wrong)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        runner = web.AppRunner(
            self._app, access_log=None, logger=_QUIET, keepalive_timeout=_KEEPALIVE_S, lingering_time=_LINGER_S, shutdown_timeout=1
        )  # fmt: skip
        await runner.setup()
        tasks = [asyncio.create_task(self._for_ever(each)) for each in self._background]
        try:
            server = await self._listen(runner)
            await self._ending.wait()
            await _deafen(server)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await runner.cleanup()

    async def _for_ever(self, background: Background) -> None:
        while True:
            try:
                await background()
            except Exception as wrong:  # noqa: BLE001 - one part of the admin's must not take the others down
                self._wiring.note("a task of the admin API failed", level="error", why=f"{type(wrong).__name__}: {wrong}")
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self, runner: web.AppRunner) -> asyncio.Server:
        loop = asyncio.get_running_loop()

        def accepted() -> asyncio.Protocol:
            assert runner.server is not None
            if self._ending.is_set() or len(runner.server.connections) >= self._settings.connections:
                return _Full()  # what is accepted while we end would come after the runner has closed all it knows
            handler = runner.server()
            self._silent.add(handler)
            loop.call_later(_HEAD_S, self._cut, handler)
            return handler

        listening = self._socket()
        if self._settings.socket is not None:
            server = await loop.create_unix_server(accepted, sock=listening)
            self._bound.set_result(0)
            return server
        port: int = listening.getsockname()[1]
        self._front.names = self._settings.names(port)
        server = await loop.create_server(accepted, sock=listening)
        self._bound.set_result(port)
        return server

    def _socket(self) -> socket.socket:
        path = self._settings.socket
        if path is None:
            return socket.create_server((self._settings.host, self._settings.port), family=_family(self._settings.host), reuse_port=False)
        _clear(path)
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        os.chmod(path, 0o600)  # before it listens: there is no moment in which another could connect
        return listening

    def _cut(self, handler: object) -> None:
        if handler in self._silent:
            self._silent.discard(handler)
            transport = getattr(handler, "transport", None)
            if transport is not None:
                transport.abort()

    def _acted(self, done: ActDone) -> None:
        self._feed.publish(Event(kind="act", act=done))


async def _deafen(server: asyncio.Server) -> None:
    """Accept nobody any more. A connection that was accepted at this very moment is attached first: `Server.close` would make asyncio
    fail on it, and leave it open."""
    for each in server.sockets:
        asyncio.get_running_loop().remove_reader(each.fileno())
    await asyncio.sleep(0)
    server.close()


def _noting(silent: set[object]) -> Middleware:
    """A connection that has sent a request's head is not silent any more."""

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        silent.discard(request.protocol)
        return await handler(request)

    return note


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _clear(path: Path) -> None:
    """Take away the socket of a router that is gone. Raises `OSError` where one listens, or where something else has the name."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise FileExistsError(f"{path} is there and is no socket")
    with socket.socket(socket.AF_UNIX) as trial:
        try:
            trial.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(f"another router listens on {path}")
