"""What each endpoint answers: one method an endpoint, by its name. Everything here runs on the admin loop and waits for nothing long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel

from router.admin import queries
from router.admin.acts import Acting
from router.admin.arguments import read_body
from router.admin.auth import Operator
from router.admin.book import Book, Wanted
from router.admin.contract import ACTS, BookRow, LimitRow, Me, OrderLife, OrderRow, Page
from router.admin.glance import Glance
from router.admin.holding_rows import holding_rows
from router.admin.lives import Found, Lives
from router.admin.needs import Core, Watch, Wiring
from router.admin.openapi import document
from router.admin.problems import Refusal, near, unknown
from router.admin.rims import Links
from router.admin.risk_rows import risk_rows
from router.admin.route_test import hypothetical, route_test
from router.admin.tally import gently
from router.admin.views import config_rows, limit_rows, order_row, our_order, perhaps_ours, route_rows, stamp
from router.order import Order
from router.ports import Unsendable
from router.rules import Destination

__all__ = ["Api", "Ask", "answer"]

_INQUIRY_S: Final = 5.0
_BODY_S: Final = 10.0
_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Ask:
    """One request that was let through."""

    request: web.Request
    query: Mapping[str, str]
    who: Operator | None
    """None where no token is needed."""

    @property
    def operator(self) -> Operator:
        """Who is asking, where a token is needed."""
        assert self.who is not None
        return self.who


def answer(body: BaseModel, status: int = 200) -> web.Response:
    """One model as JSON."""
    return web.Response(body=body.model_dump_json().encode(), status=status, content_type="application/json")


async def _listing(rows: Iterable[BaseModel]) -> web.Response:
    """Rows as a JSON array, printed row by row."""
    printed = [each.model_dump_json() async for each in gently(rows)]
    return web.Response(body=f"[{','.join(printed)}]".encode(), content_type="application/json")


class Api:
    """The handlers, by the names of the endpoints."""

    def __init__(
        self, core: Core, links: Links, watch: Watch, wiring: Wiring, glance: Glance, book: Book, acting: Acting, lives: Lives
    ) -> None:
        self._core, self._links, self._watch, self._wiring = core, links, watch, wiring
        self._glance, self._book, self._acting, self._lives = glance, book, acting, lives
        self._document = json.dumps(document(wiring.version)).encode()
        self.stopping = False

    # --- seen -------------------------------------------------------------------------------------------------------------

    async def me(self, ask: Ask) -> web.Response:
        operator = ask.operator
        return answer(Me(name=operator.name, role=operator.role, expires=stamp(operator.expires * _SECOND)))

    async def status(self, _: Ask) -> web.Response:
        return answer(await self._glance.status(self.stopping))

    async def sessions(self, _: Ask) -> web.Response:
        return await _listing(await self._glance.sessions())

    async def session(self, ask: Ask) -> web.Response:
        return answer(_one(ask.request.match_info["name"], "session", {each.name: each for each in await self._glance.sessions()}))

    async def venues(self, _: Ask) -> web.Response:
        return await _listing(await self._glance.destinations())

    async def venue(self, ask: Ask) -> web.Response:
        return answer(
            _one(
                ask.request.match_info["name"].upper(),
                "destination",
                {each.name.upper(): each for each in await self._glance.destinations()},
            )
        )

    async def budgets(self, _: Ask) -> web.Response:
        return await _listing(self._glance.budgets())

    async def fills(self, ask: Ask) -> web.Response:
        return await self._newest(self._watch.fills(), ask.query)

    async def rejects(self, ask: Ask) -> web.Response:
        return await self._newest(self._watch.rejects(), ask.query)

    async def alerts(self, ask: Ask) -> web.Response:
        return await _listing(self._wiring.alerts()[: queries.limit(ask.query)])

    async def latency(self, _: Ask) -> web.Response:
        return await _listing(self._watch.latency())

    async def config(self, _: Ask) -> web.Response:
        return await _listing(config_rows(self._wiring.settings()))

    async def routes(self, _: Ask) -> web.Response:
        with self._core.reading():
            rows = route_rows(self._core.engine.state)
        return await _listing(rows)

    async def route_test(self, ask: Ask) -> web.Response:
        self._session(ask.query)
        query = ask.query
        order = hypothetical(
            query["side"], query["symbol"], queries.amount(query, "qty"), queries.amount(query, "cash"), queries.amount(query, "price"),
            queries.amount(query, "stop_px"), query.get("session", ""), query.get("account", ""), query.get("destination", ""),
            query.get("tif", ""), query.get("post_only") == "true",
        )  # fmt: skip
        with self._core.reading():
            found = route_test(self._core.engine.state, order, self._wiring.clock())
        return answer(found)

    async def limits(self, ask: Ask) -> web.Response:
        rows: list[LimitRow] = []
        for place in self._places(ask.query):
            for instrument in place.instruments:
                if ask.query.get("symbol") in (None, instrument.symbol, instrument.venue_symbol):
                    with self._core.reading():
                        rows += limit_rows(self._core.engine.state, place, instrument)
        with self._core.reading():
            rows += risk_rows(self._core.engine.state, self._wiring.clock(), ask.query.get("destination"), ask.query.get("symbol"))
        return await _listing(rows)

    async def holdings(self, ask: Ask) -> web.Response:
        names = [each.name for each in self._places(ask.query)]
        with self._core.reading():
            rows = list(holding_rows(self._core.engine.state, names))
        return await _listing(rows)

    # --- orders -----------------------------------------------------------------------------------------------------------

    async def orders(self, ask: Ask) -> web.Response:
        self._session(ask.query)
        self._places(ask.query)
        most, after = queries.limit(ask.query), queries.after(ask.query)
        wanted: Wanted = ask.query.get("state", "all" if "id" in ask.query else "open")  # type: ignore[assignment]
        rows, more = await self._book.rows(wanted, lambda order: _fits(order, ask.query), after, most, ask.query.get("id", ""))
        printed = Page(rows=rows, more=more, after=rows[-1].order_id if rows else "")
        return answer(printed)

    async def order(self, ask: Ask) -> web.Response:
        name = ask.request.match_info["id"]
        known = self._book.find(name)
        if len(known) > 1:
            raise Refusal(409, f"{len(known)} orders have the id {name}", candidates=[each.order_id for each in known])
        found = await self._lives.find(known[0].order_id if known else name)
        row = self._row(known[0]) if known else self._of_history(name, found)
        return answer(OrderLife(order=row, life=found.life, fills=found.fills))

    def _row(self, order: Order) -> OrderRow:
        with self._core.reading():
            return order_row(order)

    def _of_history(self, name: str, found: Found) -> OrderRow:
        if len(found.order_ids) > 1:
            raise Refusal(409, f"{len(found.order_ids)} orders have had the id {name}", candidates=found.order_ids[:50])
        if found.order is None:
            raise Refusal(404, f"no order has the id {name}", candidates=self._book.near(name))
        known = self._book.find(found.order_ids[0])
        return self._row(known[0]) if known else found.order

    async def _newest(self, rows: Sequence[Any], query: Mapping[str, str]) -> web.Response:
        self._session(query)
        self._places(query)
        most, found = queries.limit(query), []
        async for row in gently(rows):
            if _chosen(row, query):
                found.append(row)
                if len(found) == most:
                    break
        return await _listing(found)

    # --- venues are asked -------------------------------------------------------------------------------------------------

    async def inquiry(self, ask: Ask) -> web.Response:
        place = _one(ask.request.match_info["name"].upper(), "destination", self._glance.places())
        topic = ask.request.match_info["topic"]
        if any(topic in self._links.changes(link) for link in (place.link, place.witness) if link):
            raise Refusal(405, f"{topic} changes something, and a GET only asks: it is an act")
        topics = {each for link in self._glance.topics(place).values() for each in link}
        if topic not in topics:
            raise Refusal(404, f"{place.name} cannot be asked about {topic[:200]}", candidates=near(topic, topics))
        return await _listing(await self._ask(place, topic, ask.query))

    async def balances(self, ask: Ask) -> web.Response:
        return await _listing(await self._ask_all("balances", ask.query))

    async def positions(self, ask: Ask) -> web.Response:
        return await _listing(await self._ask_all("positions", ask.query))

    async def _ask_all(self, topic: str, query: Mapping[str, str]) -> list[BookRow]:
        """Of each link once: destinations behind one have one account there."""
        places: dict[str, Destination] = {}
        for place in self._places(query):
            link = self._link(place, topic)
            if link:
                places.setdefault(link, place)
        told = await asyncio.gather(*(self._ask(place, topic, {}) for place in places.values()))
        return [row for rows in told for row in rows]

    async def _ask(self, place: Destination, topic: str, arguments: Mapping[str, str]) -> list[BookRow]:
        try:
            async with asyncio.timeout(_INQUIRY_S):
                told = await asyncio.wrap_future(self._links.inquire(self._link(place, topic), topic, arguments))
        except TimeoutError:
            return [_untold(place, f"no answer within {_INQUIRY_S:g} s")]
        except (Unsendable, KeyError, ValueError) as wrong:
            return [_untold(place, str(wrong))]
        fields = [{name: str(value) for name, value in each.items()} for each in told.rows]
        if topic == "open-orders":
            await self._tell_whose(place, fields)
        rows = [BookRow(destination=place.name, fields=each, error="") for each in fields]
        return [*rows, _untold(place, told.error)] if told.error else rows

    async def _tell_whose(self, place: Destination, rows: Sequence[dict[str, str]]) -> None:
        """Add `our_order` to the orders of an account: ours, perhaps ours, or placed by somebody else, whom the router leaves alone."""
        live = [order async for order in gently(self._book.live())]
        nameless = [each for each in live if each.account == place.account and each.placed and each.venue_order_id is None]
        async for row in gently(rows):
            if "order_id" in row:
                with self._core.reading():
                    known = our_order(self._core.engine.state, place.account, row)
                row["our_order"] = known or perhaps_ours(nameless, row)

    def _link(self, place: Destination, topic: str) -> str:
        return next((link for link, topics in self._glance.topics(place).items() if topic in topics), "")

    # --- done -------------------------------------------------------------------------------------------------------------

    async def acts(self, _: Ask) -> web.Response:
        return await _listing(ACTS)

    async def act(self, ask: Ask) -> web.Response:
        if ask.request.content_type != "application/json":
            raise Refusal(415, "acts are taken as Content-Type: application/json")
        try:
            async with asyncio.timeout(_BODY_S):
                body = read_body(await ask.request.read())
        except TimeoutError:
            raise Refusal(408, f"the body did not come within {_BODY_S:g} s") from None
        done = await self._acting.act(ask.operator, ask.request.match_info["name"], body, ask.query.get("preview") == "true")
        return answer(done, 200 if done.ok else 409)

    # --- for machines -----------------------------------------------------------------------------------------------------

    async def metrics(self, _: Ask) -> web.Response:
        body, kind = self._wiring.metrics()
        return web.Response(body=body, headers={"Content-Type": kind})

    async def healthz(self, _: Ask) -> web.Response:
        return _health(self._wiring.alive())

    async def readyz(self, _: Ask) -> web.Response:
        return _health(["the router is stopping"] if self.stopping else self._wiring.ready())

    async def openapi(self, _: Ask) -> web.Response:
        return web.Response(body=self._document, content_type="application/json")

    # --- small things -----------------------------------------------------------------------------------------------------

    def _places(self, query: Mapping[str, str]) -> list[Destination]:
        """The destination that is asked for, or all. Raises `Refusal`."""
        places = self._glance.places()
        name = query.get("destination")
        if name is None:
            return list(places.values())
        if name.upper() not in places:
            raise unknown("destination", name, "destination", [each.name for each in places.values()])
        return [places[name.upper()]]

    def _session(self, query: Mapping[str, str]) -> None:
        with self._core.reading():
            known = {each.session for each in self._core.engine.state.policy.configured.clients}
        if query.get("session", "") not in known | {""}:
            raise unknown("session", query["session"], "session", known)


def _one(name: str, what: str, known: Mapping[str, Any]) -> Any:
    """The one of this name. Raises `Refusal`."""
    if name not in known:
        raise Refusal(404, f"there is no {what} {name[:200]}", candidates=near(name, known))
    return known[name]


def _fits(order: Order, query: Mapping[str, str]) -> bool:
    request = order.request
    return (
        query.get("session", request.session) == request.session
        and query.get("account", request.account or "") == (request.account or "")
        and query.get("destination", order.destination).upper() == order.destination.upper()
        and query.get("side", request.side) == request.side
        and query.get("symbol", request.symbol) in (request.symbol, order.symbol, order.venue_symbol)
    )


def _chosen(row: Any, query: Mapping[str, str]) -> bool:
    """Whether a fill or a reject is asked for."""
    plain = all(getattr(row, name) == query[name] for name in ("session", "account", "symbol", "side") if name in query)
    there = "destination" not in query or row.destination.upper() == query["destination"].upper()
    return plain and there and query.get("order", row.order_id) in (row.order_id, row.cl_ord_id)


def _untold(place: Destination, why: str) -> BookRow:
    return BookRow(destination=place.name, fields={}, error=why)


def _health(missing: list[str]) -> web.Response:
    body = json.dumps({"ok": not missing, "missing": missing})
    return web.Response(text=body, status=503 if missing else 200, content_type="application/json")
