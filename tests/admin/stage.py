"""A whole admin server on a port of its own: real core, real journal, real watch; rims that write down what is asked of them. Nothing in
here decides anything."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import aiohttp

from router.acts import Commanded
from router.admin.admin_settings import AdminSettings
from router.admin.auth import Tokens
from router.admin.contract import Role
from router.admin.needs import JournalState, Wiring
from router.admin.rims import BudgetState, SessionState
from router.admin.server import AdminServer
from router.admin.watch import Watch
from router.engine import Engine
from router.journal import JournalWriter
from router.model import Accepted, Effect, Filled, Input, LinkUp, NewOrder, Report, VenueCommand
from router.ports import Unsendable
from router.runtime import Runtime
from router.settings import RouterSettings
from router.words import OrdType, Side
from tests.router.desk import LINK, SECOND, SESSION, D, configured

NOW = 1_800_000_000 * SECOND
SECRET = b"a secret of thirty-two bytes !!!"


class Sessions:
    """One client session and one with a venue, and what was asked of them."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.wrong = ""
        self.all = [
            SessionState(SESSION, "client", True, True, NOW, 12, 34, NOW, "127.0.0.1:5001"),
            SessionState(LINK, "venue", True, True, NOW, 3, 4, NOW, ""),
        ]

    def states(self) -> list[SessionState]:
        return list(self.all)

    def logout(self, name: str, text: str) -> None:
        self._ask("logout", name, text)

    def enable(self, name: str, on: bool) -> None:
        self._ask("enable", name, on)

    def reset(self, name: str) -> None:
        self._ask("reset", name)

    def set_next(self, name: str, next_in: int | None, next_out: int | None) -> None:
        self._ask("set_next", name, next_in, next_out)

    def resend(self, name: str, begin: int, end: int) -> int:
        self._ask("resend", name, begin, end)
        return 3

    def _ask(self, *what: Any) -> None:
        if self.wrong:
            raise ValueError(self.wrong)
        self.asked.append(what)


@dataclasses.dataclass
class Told:
    rows: tuple[Mapping[str, str], ...] = ()
    error: str = ""


class Links:
    """The link of the desk's destinations, which answers what is laid ready for it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.ready: dict[str, Told | None] = {}
        """By topic; None: it never answers."""
        self.away = ""

    def budgets(self) -> list[BudgetState]:
        return [BudgetState(LINK, "orders", 100, 10.0, 42, 10, 0.0)]

    def enable(self, link: str, on: bool) -> None:
        self.asked.append(("enable", link, on))

    def reconnect(self, link: str) -> None:
        self.asked.append(("reconnect", link))

    def topics(self, link: str) -> Mapping[str, str]:
        if link not in self.names():
            raise KeyError(link)
        return {topic: f"the {topic}" for topic in self.ready}

    def inquire(self, link: str, topic: str, arguments: Mapping[str, str]) -> Future[Any]:
        if self.away:
            raise Unsendable(self.away)
        self.asked.append(("inquire", link, topic, dict(arguments)))
        answer: Future[Any] = Future()
        if self.ready[topic] is not None:
            answer.set_result(self.ready[topic])
        return answer

    def changes(self, link: str) -> Mapping[str, str]:
        return {"assign-margin": "of a position"} if link in self.names() else {}

    def change(self, link: str, what: str, arguments: Mapping[str, str]) -> Future[Any]:
        return self.inquire(link, what, arguments)

    def names(self) -> list[str]:
        return [LINK]


class World:
    """Clients and the venue: they take everything. The disk may be full."""

    def __init__(self, folder: Path) -> None:
        self.sent: list[VenueCommand] = []
        self.minted = 0
        self.journal = JournalWriter(folder / "journal")
        assert not list(self.journal.replay())
        self.grouped, self.starved, self.full = False, "", False

    def report(self, message: Report, possibly_resent: bool = False) -> None: ...

    def mint(self, now: int) -> str:
        self.minted += 1
        return f"v{self.minted}"

    def submit(self, command: VenueCommand) -> None:
        self.sent.append(command)

    def append(self, event: Input, now: int) -> int:
        if self.full:
            raise OSError("No space left on device")
        return self.journal.append(event, now)

    def sync(self) -> None: ...

    def settle(self, sequence: int) -> None: ...

    def tend(self) -> None: ...

    def close(self) -> None:
        self.journal.close()


class Stage:
    """The server and everything around it. `async with` it."""

    def __init__(self, folder: Path, settings: AdminSettings | None = None, **config: Any) -> None:
        self.now = NOW
        self.world = World(folder)
        self.sessions, self.links = Sessions(), Links()
        self.watch = Watch(lambda: self.now)
        self.inputs: list[Input] = []
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.reloads: list[bool] = []
        self.stops: list[bool] = []
        self.reloadable = True
        self.missing: list[str] = []
        self.failing = ""
        self.tokens = Tokens(SECRET)
        self.runtime = Runtime(Engine(), self.world, self.world, {LINK: self.world}, self.clock, self._observe)
        self.wiring = Wiring(
            version="1.2.3", started=NOW - 60 * SECOND, clock=self.clock, settings=RouterSettings, reload=self._reload,
            stop=self.stops.append, journal=lambda: JournalState(7, 4096, self.failing, "process"), alerts=list,
            metrics=lambda: (b"fixrouter_orders 1\n", "text/plain; version=0.0.4; charset=utf-8"), alive=list, ready=lambda: self.missing,
            note=self._note,
        )  # fmt: skip
        self.server = AdminServer(
            settings or AdminSettings(port=0), self.tokens, self.runtime, self.sessions, self.links, self.watch, self.wiring, folder
        )
        self.runtime.start(configured(**config), "test")
        self.runtime.step(LinkUp(LINK))
        self.url = ""

    async def __aenter__(self) -> Stage:
        port = await asyncio.to_thread(self.server.start)
        self.url = f"http://127.0.0.1:{port}"
        self.http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()
        await asyncio.to_thread(self.server.stop, 5)
        self.world.close()

    def clock(self) -> int:
        return self.now

    # --- trading ---

    def new(self, cl_ord_id: str = "a", **more: Any) -> str:
        """An order; returns its OrderID."""
        standard: dict[str, Any] = {
            "session": SESSION, "cl_ord_id": cl_ord_id, "symbol": "BTC/USDT", "side": Side.BUY, "ord_type": OrdType.LIMIT,
            "order_qty": D(1), "price": D(100),
        }  # fmt: skip
        self.runtime.step(NewOrder(**standard | more))
        return next(reversed(self.runtime.engine.state.blotter.orders))

    def accept(self, number: int = 1) -> None:
        self.runtime.step(Accepted(account="acc", exec_id=f"n{number}", venue_cl_ord_id=f"v{number}", venue_order_id=f"o{number}"))

    def fill(self, qty: str, number: int = 1, complete: bool = False) -> None:
        self.runtime.step(
            Filled(
                account="acc",
                exec_id=f"x{len(self.inputs)}",
                venue_order_id=f"o{number}",
                last_qty=D(qty),
                last_px=D(100),
                complete=complete,
            )
        )

    @property
    def commanded(self) -> list[Commanded]:
        """What the journal says that operators did."""
        return [each for each in self.inputs if isinstance(each, Commanded)]

    # --- asking ---

    def token(self, role: Role = Role.ADMIN, name: str = "ann", valid_for_s: int = 3600) -> str:
        return self.tokens.make(name, role, valid_for_s, self.now // SECOND)

    async def ask(self, method: str, path: str, role: Role | None = Role.ADMIN, **more: Any) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        headers = ({"Authorization": f"Bearer {self.token(role)}"} if role is not None else {}) | more.pop("headers", {})
        async with self.http.request(method, self.url + path, headers=headers, **more) as response:
            assert response.status != 500, self.notes
            return response.status, await response.json()

    async def get(self, path: str, role: Role | None = Role.VIEW, **more: Any) -> Any:
        """The JSON of a good answer."""
        status, body = await self.ask("GET", path, role, **more)
        assert status == 200, body
        return body

    async def act(self, name: str, /, role: Role = Role.ADMIN, preview: bool = False, **arguments: Any) -> tuple[int, Any]:
        """Do something, with a reason."""
        query = "?preview=true" if preview else ""
        return await self.ask("POST", f"/v1/acts/{name}{query}", role, json={"why": "a test"} | arguments)

    def _observe(self, event: Input, effects: list[Effect]) -> None:
        self.inputs.append(event)
        self.watch.observe(event, effects)
        self.watch.digest()
        self.server.observe(event, effects)

    def _note(self, event: str, level: str = "info", **fields: Any) -> None:
        self.notes.append((event, {"level": level, **fields}))

    def _reload(self, preview: bool) -> tuple[bool, str, list[str]]:
        self.reloads.append(preview)
        text = "would change 1 key" if preview else "1 key changed"
        return self.reloadable, text if self.reloadable else "router.toml: it is wrong", ["routes: nothing -> BINANCE"]
