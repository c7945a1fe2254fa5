"""A client of the admin API: what the console and `fixrouter ctl` speak through. Methods answer with the contract's models.

Errors: `Unreachable` where no answer came (the router is away, or hangs), `Refused` where the router said no.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import TypeAdapter, ValidationError
from yarl import URL

from router.admin.contract import (
    ActDone,
    ActSpec,
    AlertRow,
    BookRow,
    Budget,
    ConfigRow,
    Destination,
    Event,
    FillRow,
    HoldingRow,
    Latency,
    LimitRow,
    Me,
    OrderLife,
    Page,
    Problem,
    RejectRow,
    RouteRow,
    RouteTest,
    SessionRow,
    Status,
)  # fmt: skip

__all__ = ["Client", "NoToken", "Refused", "Unreachable", "token_from"]

ANSWER_S: Final = 30.0
"""An inquiry of all venues takes 5 s at the longest; a reload reads files and books."""
CONNECT_S: Final = 3.0
SILENCE_S: Final = 5.0
"""The stream says something each second; after so long without a word the router hangs, whatever TCP thinks."""
BACK_OFF_S: Final = (0.2, 0.5, 1.0, 2.0)
REFUSED_S: Final = 5.0
"""The router counts wrong tokens by address and may shut it out: one that is refused is not shown to it often."""
_SAID: Final = {401: "the token is not accepted", 403: "the token's role is too small for this", 429: "too many requests: wait a little"}
T = TypeVar("T")


class Unreachable(Exception):
    """No answer: the router is away, or nothing of it answers there."""

    def __init__(self, text: str, perhaps_heard: bool = False) -> None:
        super().__init__(text)
        self.perhaps_heard = perhaps_heard
        """The question may have arrived all the same: what it ordered may have been done."""


class Refused(Exception):
    """The router said no."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(problem.error)
        self.status = status
        """The HTTP status."""
        self.problem = problem


class NoToken(Exception):
    """There is nothing to show to the router."""


def token_from(path: Path) -> Callable[[], str]:
    """Where the token is from: FIXROUTER_TOKEN, else a file; read at each request: there may be a new one. It raises `NoToken`."""

    def read() -> str:
        found = os.environ.get("FIXROUTER_TOKEN", "").strip()
        try:
            found = found or path.read_text().strip()
        except (OSError, UnicodeDecodeError) as wrong:
            why = wrong.strerror if isinstance(wrong, OSError) else "not text"
            raise NoToken(f"no token: {path}: {why}; `fixrouter token NAME` makes one, or set FIXROUTER_TOKEN") from None
        if not found or not (found.isascii() and found.isprintable()):
            raise NoToken(f"no token: {path} holds none")
        return found

    return read


class Client:
    """One API, at "http://127.0.0.1:8080" or "unix:/path/to/socket"; used within `async with`."""

    def __init__(self, where: str, token: Callable[[], str], silence_s: float = SILENCE_S) -> None:
        self.where = where
        self._silence_s = silence_s
        self._token = token
        self._http: aiohttp.ClientSession | None = None
        self._base = "http://localhost" if where.startswith("unix:") else where.rstrip("/")

    async def __aenter__(self) -> Self:
        unix = self.where.removeprefix("unix:") if self.where.startswith("unix:") else ""
        connector = aiohttp.UnixConnector(unix) if unix else aiohttp.TCPConnector()
        timeout = aiohttp.ClientTimeout(total=ANSWER_S, sock_connect=CONNECT_S)
        self._http = aiohttp.ClientSession(connector=connector, timeout=timeout)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        assert self._http is not None
        await self._http.close()

    # --- seeing ---

    async def status(self) -> Status:
        return await self._one("/v1/status", Status)

    async def sessions(self) -> list[SessionRow]:
        return await self._many("/v1/sessions", SessionRow)

    async def session(self, name: str) -> SessionRow:
        return await self._one(f"/v1/sessions/{_in_path(name)}", SessionRow)

    async def venues(self) -> list[Destination]:
        return await self._many("/v1/venues", Destination)

    async def orders(self, filters: Mapping[str, str] | None = None) -> Page:
        """A page of them, by state (open, unknown, done, all), session, destination, account, symbol, side, id, limit, after."""
        return await self._one("/v1/orders", Page, filters)

    async def order(self, any_id: str) -> OrderLife:
        return await self._one(f"/v1/orders/{_in_path(any_id)}", OrderLife)

    async def fills(self, filters: Mapping[str, str] | None = None) -> list[FillRow]:
        return await self._many("/v1/fills", FillRow, filters)

    async def rejects(self, filters: Mapping[str, str] | None = None) -> list[RejectRow]:
        return await self._many("/v1/rejects", RejectRow, filters)

    async def balances(self, filters: Mapping[str, str] | None = None) -> list[BookRow]:
        return await self._many("/v1/balances", BookRow, filters)

    async def positions(self, filters: Mapping[str, str] | None = None) -> list[BookRow]:
        return await self._many("/v1/positions", BookRow, filters)

    async def holdings(self, filters: Mapping[str, str] | None = None) -> list[HoldingRow]:
        return await self._many("/v1/holdings", HoldingRow, filters)

    async def ask(self, destination: str, topic: str, arguments: Mapping[str, str] | None = None) -> list[BookRow]:
        """What a venue says about one of its topics."""
        return await self._many(f"/v1/venues/{_in_path(destination)}/{_in_path(topic)}", BookRow, arguments)

    async def routes(self) -> list[RouteRow]:
        return await self._many("/v1/routes", RouteRow)

    async def route_test(self, order: Mapping[str, str]) -> RouteTest:
        """Where an order would go: `side`, `qty`, `symbol`, and what else is known of it."""
        return await self._one("/v1/route-test", RouteTest, order)

    async def limits(self, filters: Mapping[str, str] | None = None) -> list[LimitRow]:
        return await self._many("/v1/limits", LimitRow, filters)

    async def budgets(self) -> list[Budget]:
        return await self._many("/v1/budgets", Budget)

    async def latency(self) -> list[Latency]:
        return await self._many("/v1/latency", Latency)

    async def alerts(self, filters: Mapping[str, str] | None = None) -> list[AlertRow]:
        return await self._many("/v1/alerts", AlertRow, filters)

    async def config(self) -> list[ConfigRow]:
        return await self._many("/v1/config", ConfigRow)

    async def whoami(self) -> Me:
        return await self._one("/v1/me", Me)

    async def acts(self) -> list[ActSpec]:
        return await self._many("/v1/acts", ActSpec)

    # --- doing ---

    async def act(self, name: str, arguments: Mapping[str, str], why: str = "", preview: bool = False) -> ActDone:
        """Have something done, or told what it would do. An answer of no, with its reason, is an answer too: `ok` is False."""
        body: dict[str, Any] = {**{key: True if value == "true" else value for key, value in arguments.items()}, "why": why}
        status, answer = await self._ask("POST", f"/v1/acts/{_in_path(name)}", {"preview": "true"} if preview else None, body)
        if status == 409:
            try:
                return ActDone.model_validate_json(answer)
            except ValidationError:
                pass
        return _understood(status, answer, TypeAdapter(ActDone))

    # --- hearing ---

    async def events(self) -> AsyncIterator[Event]:
        """The stream, once. Raises `Unreachable` when it ends, `Refused`."""
        assert self._http is not None
        try:
            async with self._http.ws_connect(
                f"{self._base}/v1/events", headers=self._headers(), protocols=("fixrouter.v1",), heartbeat=self._silence_s,
                timeout=aiohttp.ClientWSTimeout(ws_close=0.5),
            ) as stream:  # fmt: skip
                while True:
                    message = await stream.receive(timeout=self._silence_s)
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        break
                    yield _understood(200, message.data.encode(), TypeAdapter(Event))
        except aiohttp.WSServerHandshakeError as wrong:
            raise _refusal(wrong.status) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as wrong:
            raise Unreachable(self._away(wrong)) from None
        raise Unreachable(f"the router at {self.where} ended the stream")

    async def follow(self) -> AsyncIterator[Event | Unreachable | Refused]:
        """The stream for good: connects again with back-off whenever it ends, saying each time why it ended."""
        tries = 0
        while True:
            try:
                async for event in self.events():
                    tries = 0
                    yield event
            except Unreachable as ended:
                yield ended
                wait = BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)]
            except (Refused, NoToken) as no:
                yield no if isinstance(no, Refused) else Refused(401, Problem(error=str(no)))
                wait = REFUSED_S
            await asyncio.sleep(wait)
            tries += 1

    # --- the wire ---

    async def _one(self, path: str, model: type[T], query: Mapping[str, str] | None = None) -> T:
        return _understood(*await self._ask("GET", path, query), TypeAdapter(model))

    async def _many(self, path: str, model: type[T], query: Mapping[str, str] | None = None) -> list[T]:
        return _understood(*await self._ask("GET", path, query), TypeAdapter(list[model]))  # type: ignore[valid-type]

    async def _ask(self, method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None) -> tuple[int, bytes]:
        assert self._http is not None
        text = "?" + "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in query.items()) if query else ""
        try:
            # Percent-encoded by us: a session's name has ":" and ">" in it, an id may have "/".
            url = URL(self._base + path + text, encoded=True)
            async with self._http.request(method, url, json=body, headers=self._headers(), allow_redirects=False) as answer:
                return answer.status, await answer.read()
        except aiohttp.ClientConnectorError as wrong:
            raise Unreachable(self._away(wrong)) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as wrong:
            raise Unreachable(self._away(wrong), perhaps_heard=True) from None

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token()}"}

    def _away(self, wrong: BaseException) -> str:
        why = "no answer in time" if isinstance(wrong, TimeoutError) else "nothing answers there"
        if not isinstance(wrong, (TimeoutError, aiohttp.ClientConnectorError)):
            why = "the connection broke"
        return f"cannot reach the router at {self.where}: {why}"


def _in_path(name: str) -> str:
    return quote(name, safe="") if name.strip(".") else quote(name, safe="").replace(".", "%2E")


def _understood(status: int, answer: bytes, model: TypeAdapter[T]) -> T:
    """An answer as what it should be. Raises `Refused`: also for one that makes no sense to us."""
    if not 200 <= status < 300:
        raise _refusal(status, answer)
    try:
        return model.validate_json(answer)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        what = ".".join(str(each) for each in first["loc"])
        problem = Problem(error=f"the router's answer is not understood ({what}: {first['msg']}): is it another version?")
        raise Refused(status, problem) from None


def _refusal(status: int, answer: bytes = b"") -> Refused:
    try:
        return Refused(status, Problem.model_validate_json(answer))
    except ValidationError:
        return Refused(status, Problem(error=_SAID.get(status, f"the router answered with HTTP status {status}")))
