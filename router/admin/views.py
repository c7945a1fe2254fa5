"""What the state looks like to operators: rows of the contract. Pure: whoever calls holds the lock (`Runtime.reading`), a row at a time.

Amounts are printed once, here, exactly; times too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel

from router.acts import Scope, Switch
from router.admin.contract import ConfigRow, Destination, HaltRow, LimitRow, OrderRow, RouteRow, SessionRow
from router.admin.needs import Figures, LinkState
from router.admin.rims import SessionState
from router.admin.tally import Count
from router.order import Order
from router.rules import Destination as Place
from router.rules import Instrument, Route
from router.state import State

__all__ = [
    "NOT_OURS", "config_rows", "destination_row", "halt_rows", "limit_rows", "number", "order_row", "our_order", "perhaps_ours",
    "route_rows", "session_row", "stamp",
]  # fmt: skip

NOT_OURS = "not ours"
_NAMED_AT_MOST = 3
_SECRET_KEYS = frozenset({"password_hash"})
_LIMITS = ("tick", "lot", "min_qty", "max_qty", "min_px", "max_px", "min_notional", "max_notional")


def stamp(time_ns: int) -> str:
    """A time in ns UTC as the contract has it; "" for 0."""
    if not time_ns:
        return ""
    second, rest = divmod(time_ns, 1_000_000_000)
    return f"{_second(second)}.{rest // 1000:06}Z"


@lru_cache(maxsize=1024)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def number(value: Decimal | None) -> str:
    """An amount, exact, never in powers of ten; "" for none."""
    return "" if value is None else f"{value:f}"


def order_row(order: Order) -> OrderRow:
    """An order as it stands."""
    request, pending = order.request, order.pending
    asked = "" if pending is None else f"{pending.status} {pending.request.cl_ord_id if pending.request else 'by the router'}"
    return OrderRow(
        order_id=order.order_id, cl_ord_id=order.cl_ord_id, session=request.session, account=request.account or "",
        destination=order.destination or request.destination or "", symbol=order.symbol or request.symbol, side=request.side.value,
        ord_type=request.ord_type or "", time_in_force=order.time_in_force or "", order_qty=number(request.order_qty),
        price=number(request.price), stop_px=number(request.stop_px), status=order.ord_status.value, cum_qty=number(order.cum_qty),
        leaves_qty=number(order.leaves_qty), avg_px=number(order.avg_px), created=stamp(order.created), updated=stamp(order.updated),
        venue_order_id=order.venue_order_id or "", venue_cl_ord_id=order.venue_cl_ord_id, pending=asked, unknown=order.doubt,
        candidates=list(order.candidates), text=order.text, done=order.done, cash_order_qty=number(request.cash_order_qty),
    )  # fmt: skip


def our_order(state: State, account: str, row: Mapping[str, str]) -> str:
    """Our OrderID of an order that a venue lists, "" for none: by `cl_ord_id`, our id there, or `order_id`, the venue's."""
    order = state.blotter.at_venue(account, row.get("cl_ord_id") or None, row.get("order_id") or None)
    return "" if order is None else order.order_id


def perhaps_ours(orders: Iterable[Order], row: Mapping[str, str]) -> str:
    """Whose an order may be that the book does not know by its names. `orders`: those whose id at the venue was not told. Where the venue
    keeps our id with its orders (`cl_ord_id`), the others are not ours; where not, an order without an answer may be any of them."""
    candidates = [each.order_id for each in orders if row.get("order_id", "") in each.candidates]
    if not candidates and "cl_ord_id" not in row:
        candidates = [each.order_id for each in orders if row.get("symbol", each.venue_symbol) == each.venue_symbol]
    more = " or another" if len(candidates) > _NAMED_AT_MOST else ""
    return f"perhaps {' or '.join(candidates[:_NAMED_AT_MOST])}{more}" if candidates else NOT_OURS


def halt_rows(state: State) -> list[HaltRow]:
    """All that operators stopped."""
    rows = [
        HaltRow(scope=scope.value, name=name, by=halted.by, why=halted.why, since=stamp(halted.since))
        for (scope, name), halted in state.halted.items()
    ]
    switched = {Switch.LINK: "link", Switch.SESSION: "session-login"}
    return rows + [
        HaltRow(scope=switched[what], name=name, by=off.by, why=off.why, since=stamp(off.since)) for (what, name), off in state.off.items()
    ]


def _halted(state: State, *scopes: tuple[Scope, str]) -> str:
    found = next((state.halted[scope] for scope in ((Scope.ALL, ""), *scopes) if scope in state.halted), None)
    return "" if found is None else f"halted by {found.by}: {found.why}"


def session_row(state: State, session: SessionState, count: Count, figures: Figures) -> SessionRow:
    """A FIX session with its orders."""
    return SessionRow(
        name=session.name, kind=session.kind, logged_on=session.logged_on, enabled=session.enabled,
        halted=_halted(state, (Scope.SESSION, session.name)) if session.kind == "client" else "", since=stamp(session.since),
        next_in=session.next_in, next_out=session.next_out, open_orders=count.open, orders=figures.orders, reports=figures.reports,
        rejects=figures.rejects, last_heard=stamp(session.last_heard), address=session.address,
    )  # fmt: skip


def destination_row(state: State, place: Place, count: Count, memory: LinkState | None, topics: dict[str, str]) -> Destination:
    """A destination with its link and its orders."""
    condition, why, since = _condition(state, place, memory)
    reconciling = state.reconciling.get(place.link)
    return Destination(
        name=place.name, venue=place.venue, account=place.account, link=place.link, up=place.link in state.up, state=condition, why=why,
        since=stamp(since), witness=place.witness, witness_up=place.witness in state.up, open_orders=count.open,
        unknown_orders=count.unknown, reconciling=0 if reconciling is None else len(reconciling.orders),
        symbols=[each.symbol for each in place.instruments], topics=topics,
    )  # fmt: skip


_Condition = Literal["open", "reconciling", "down", "halted", "off"]


def _condition(state: State, place: Place, memory: LinkState | None) -> tuple[_Condition, str, int]:
    """State, why, and since when: what keeps orders away most, first."""
    since = memory.since if memory else 0
    off = state.off.get((Switch.LINK, place.link))
    if off is not None:
        return "off", f"switched off by {off.by}: {off.why}", off.since
    if place.link not in state.up:
        return "down", (memory.why if memory else "") or "not connected", since
    for scope in ((Scope.ALL, ""), (Scope.DESTINATION, place.name)):
        halted = state.halted.get(scope)
        if halted is not None:
            return "halted", f"halted by {halted.by}: {halted.why}", halted.since
    reconciling = state.reconciling.get(place.link)
    if reconciling is not None:
        return "reconciling", f"{len(reconciling.orders)} orders are still to be answered for", reconciling.since
    return "open", "", since


def limit_rows(state: State, place: Place, instrument: Instrument) -> Iterator[LimitRow]:
    """What orders for one symbol at one destination must keep to, as it is in force."""
    found = state.policy.find(place.name, instrument.symbol)
    in_force = instrument if found is None else found[1]
    told = [
        listing
        for link in (place.link, place.witness)
        if link in state.listed
        for listing in state.listed[link].listings
        if listing.venue_symbol == instrument.venue_symbol
    ]
    for name in _LIMITS:
        value = getattr(in_force, name)
        by_venue = any(getattr(listing, name) is not None for listing in told)
        if value is not None:
            yield LimitRow(
                destination=place.name, symbol=instrument.symbol, name=name, value=number(value),
                source="venue" if by_venue else "configuration",
            )  # fmt: skip
    if not in_force.enabled:
        yield LimitRow(destination=place.name, symbol=instrument.symbol, name="enabled", value="no", source="venue")


def route_rows(state: State) -> list[RouteRow]:
    """The routes, in the order they are tried."""
    return [
        RouteRow(
            number=number,
            destination=", else ".join((each.destination, *each.fallbacks)) if not each.refuse else f"refused: {each.refuse}",
            sessions=list(each.sessions),
            symbols=list(each.symbols),
            asks="; ".join(_asked(each)),
        )
        for number, each in enumerate(state.policy.configured.routes)
    ]


def _asked(route: Route) -> Iterator[str]:
    """What a route asks besides session and symbol."""
    for name in route.__struct_fields__:
        value = getattr(route, name)
        if value and name not in ("destination", "name", "fallbacks", "refuse", "sessions", "symbols", "from_time", "to_time"):
            words = ", ".join(f"{tag}={'/'.join(of)}" for tag, of in value.items()) if isinstance(value, dict) else _listed(value)
            yield f"{name.replace('_', ' ')} {words}"
    if route.from_time != route.to_time:
        yield f"from {_hour(route.from_time)} to {_hour(route.to_time)} UTC"


def _listed(value: object) -> str:
    return number(value) if isinstance(value, Decimal) else ", ".join(value) if isinstance(value, tuple) else str(value)


def _hour(time: int) -> str:
    minutes = time // 60_000_000_000
    return f"{minutes // 60:02}:{minutes % 60:02}"


def config_rows(settings: BaseModel) -> list[ConfigRow]:
    """Settings, flattened; they name where secrets are and have none in them, and hashes of passwords are not shown either."""
    return [ConfigRow(key=key, value=value) for key, value in _flat("", settings.model_dump(mode="json"))]


def _flat(key: str, value: object) -> Iterator[tuple[str, str]]:
    if key.rpartition(".")[2] in _SECRET_KEYS and value:
        yield key, "(secret)"
    elif isinstance(value, dict) and value:
        for name, each in value.items():
            yield from _flat(f"{key}.{name}" if key else str(name), each)
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        for number, each in enumerate(value):
            yield from _flat(f"{key}[{number}]", each)
    elif isinstance(value, list):
        yield key, ", ".join(str(each) for each in value)
    else:
        yield key, "" if value is None or value == {} else str(value).lower() if isinstance(value, bool) else str(value)
