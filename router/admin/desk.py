"""What console and `fixrouter ctl` share: a request put to the API, its answer for people, the questions before what cannot be undone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from pydantic import BaseModel
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from router.admin import contract as c
from router.admin import sheets
from router.admin.client import Client, NoToken, Refused, Unreachable
from router.admin.contract import Problem
from router.admin.fitting import fitted
from router.admin.tables import BAD, WARN, books, listing
from router.admin.texts import clean
from router.admin.words import Request, WrongUse, nearest

__all__ = ["Talk", "Told", "act", "look", "patiently", "put", "refusal", "shown", "today", "watch"]

PATIENCE_S: Final = 0.4
Told = BaseModel | Sequence[BaseModel]


class Talk(Protocol):
    """The person at the terminal."""

    @property
    def out(self) -> Console: ...

    async def ask(self, question: str) -> str:
        """What is answered; "" where nothing is."""
        ...


# --- seeing -------------------------------------------------------------------------------------------------------------


async def look(client: Client, request: Request) -> Told:
    """What a request asks to see, as the API told it. Raises as the client does, and `WrongUse`."""
    given = await _full_names(client, request)
    name = request.command.name
    if name == "orders":
        return await client.orders({"state": "all" if "id" in given else "open", **given})
    if name == "venue":
        return _one_of(await client.venues(), given["destination"])
    if name == "config":
        return [row for row in await client.config() if row.key.startswith(given.get("key", ""))]
    if name == "ask":
        return await client.ask(given.pop("destination"), given.pop("topic"), given)
    if name in ("session", "order"):
        told: BaseModel = await getattr(client, name)(*given.values())
        return told
    asked: Callable[..., Awaitable[Told]] = getattr(client, name.replace("-", "_"))
    return await (asked(given) if request.command.arguments else asked())


def _one_of(rows: Sequence[c.Destination], name: str) -> c.Destination:
    found = [row for row in rows if row.name == name]
    if not found:
        raise WrongUse(f"there is no destination {name}{nearest(name.upper(), [row.name for row in rows])}")
    return found[0]


async def _full_names(client: Client, request: Request) -> dict[str, str]:
    """The arguments, with sessions and destinations in full: "oms42" for "FIX.4.2:ROUTER->OMS42", where only one fits."""
    given = dict(request.given)
    kinds = {each.name: str(each.kind) for each in request.command.arguments}
    if "scope" in given and "name" in given:
        kinds["name"] = given["scope"]
    if any(kinds.get(name) == "session" for name in given):
        names = [row.name for row in await client.sessions()]
        given |= {name: _meant(value, names) for name, value in given.items() if kinds.get(name) == "session"}
    if any(kinds.get(name) == "destination" for name in given):
        names = [row.name for row in await client.venues()]
        given |= {name: _meant(value, names) for name, value in given.items() if kinds.get(name) == "destination"}
    return given


def _meant(value: str, names: Sequence[str]) -> str:
    """A name in full; what fits none is left to the API to refuse."""
    if value in names:
        return value
    small = value.lower()
    fits = [each for each in names if small in (each.lower(), each.lower().rpartition("->")[2])]
    if len(fits) > 1:
        raise WrongUse(f"{value} may be {' or '.join(fits)}: say which")
    return fits[0] if fits else value


_ROWS: Final[dict[str, type]] = {
    "sessions": c.SessionRow, "venues": c.Destination, "fills": c.FillRow, "rejects": c.RejectRow, "balances": c.BookRow,
    "positions": c.BookRow, "holdings": c.HoldingRow, "ask": c.BookRow, "routes": c.RouteRow, "limits": c.LimitRow, "budgets": c.Budget,
    "latency": c.Latency, "alerts": c.AlertRow, "config": c.ConfigRow,
}  # fmt: skip


def shown(request: Request, told: Told, width: int, today: str) -> RenderableType:
    """An answer for people, in so many columns."""
    if isinstance(told, c.Page):
        table = listing(told.rows, c.OrderRow, today)
        if told.more:
            table.foot.append(f"there are more: {Request(request.command, {**request.given, 'after': told.after}).line}")
        return fitted(table, width)
    if isinstance(told, c.OrderLife):
        return sheets.life(told, today, width)
    if isinstance(told, c.RouteTest):
        return sheets.route_test(told)
    single: dict[type, Callable[[Any, str], RenderableType]] = {
        c.Status: sheets.status, c.SessionRow: sheets.session, c.Destination: sheets.destination,
        c.Me: sheets.me,
    }  # fmt: skip
    if isinstance(told, BaseModel):
        return single[type(told)](told, today)
    kind = _ROWS[request.command.name]
    if kind is c.BookRow:
        return Group(*(fitted(each, width) for each in books([row for row in told if isinstance(row, c.BookRow)])))
    return fitted(listing(told, kind, today), width)


async def patiently(out: Console, asking: Coroutine[Any, Any, Told]) -> Told:
    """An answer; where it takes its time, something moves on the terminal meanwhile."""
    task = asyncio.create_task(asking)
    try:
        await asyncio.wait([task], timeout=PATIENCE_S)
        if not task.done():
            with out.status("waiting for the answer; Ctrl-C ends it"):
                await asyncio.wait([task])
        return task.result()
    finally:
        task.cancel()


def today() -> str:
    """The day in UTC."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


async def watch(client: Client, request: Request, out: Console) -> None:
    """Show an answer again and again, until cancelled; what was seen last stays on the screen."""
    seen: RenderableType = Text("…")
    try:
        with Live(seen, console=out, auto_refresh=False, transient=True) as live:
            while True:
                note = Text(f"{request.line}  {datetime.now(UTC):%H:%M:%S} UTC, every {request.every_s:g} s; Ctrl-C ends it", "dim")
                try:
                    seen = shown(request, await look(client, request), out.width, today())
                except (Unreachable, Refused) as wrong:
                    note = Text(f"{wrong}; what was last seen:", BAD)
                live.update(Group(note, seen), refresh=True)
                await asyncio.sleep(request.every_s)
    except asyncio.CancelledError:
        out.print(seen)
        raise


# --- doing --------------------------------------------------------------------------------------------------------------


async def act(client: Client, request: Request, talk: Talk, sure: bool = False) -> c.ActDone | None:
    """Do it, after what must be asked; None where the person did not want it after all.

    What destroys is first shown as it would be. `sure`: neither shown nor asked about, and `why` must be there already.
    """
    spec = request.command.act
    assert spec is not None
    given, why = await _full_names(client, request), request.why
    if spec.destroys and not sure:
        would = await client.act(spec.name, given, why, preview=True)
        talk.out.print(sheets.done(would))
        if not would.ok:
            return would
        agreed = (await talk.ask(f"{spec.name}: type yes to do it: ")).strip()
        if agreed.lower() != "yes":
            talk.out.print(Text("nothing was done" + (": yes must be typed in full" if agreed.lower() == "y" else ""), WARN))
            return None
        why = why or (await talk.ask("why, for the journal: ")).strip()
        if not why:
            talk.out.print(Text("nothing was done: it needs a reason", WARN))
            return None
    return await _sent(client, spec.name, given, why)


async def _sent(client: Client, name: str, given: dict[str, str], why: str) -> c.ActDone:
    """The act itself. Where no answer comes it is not known whether it was done, and that is said."""
    doubt = f"whether {name} was done is not known: look before you repeat it"
    try:
        return await client.act(name, given, why)
    except Unreachable as away:
        raise Unreachable(f"{away}; {doubt}", True) if away.perhaps_heard else away from None
    except asyncio.CancelledError:
        raise asyncio.CancelledError(doubt) from None


async def put(client: Client, request: Request, talk: Talk) -> None:
    """A request from first to last, for people: its answer, or what is wrong, goes to the terminal."""
    try:
        if request.command.act is not None:
            outcome = await act(client, request, talk)
            if outcome is not None and not outcome.preview:
                # What was asked about has just been shown line by line.
                talk.out.print(sheets.done(outcome, details=not (outcome.ok and request.command.act.destroys)))
        elif request.every_s:
            await watch(client, request, talk.out)
        else:
            told = await patiently(talk.out, look(client, request))
            talk.out.print(shown(request, told, talk.out.width, today()))
    except Refused as no:
        talk.out.print(refusal(no.problem))
    except asyncio.CancelledError as ended:
        if ended.args:
            talk.out.print(Text(f"interrupted: {ended.args[0]}", BAD))
        raise
    except (Unreachable, NoToken, WrongUse) as wrong:
        talk.out.print(Text(clean(str(wrong)), BAD))


def refusal(problem: Problem) -> RenderableType:
    """The router's no, and what was perhaps meant."""
    lines = [Text(f"no: {clean(problem.error)}", BAD)]
    if problem.needed:
        lines.append(Text(f"  it needs the role {clean(problem.needed)}; this token has a smaller one"))
    lines += [Text(f"  perhaps: {clean(each)}") for each in problem.candidates]
    return Group(*lines)
