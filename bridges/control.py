"""The simulator control (`/_sim/*`), the same for every venue: HTTP in front of a `Simulated`.

Errors: 400 with {"error": "<field>: <what>"}; bodies are JSON objects, numbers in them exact decimals or text.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from aiohttp import web

from bridges.faults import Fault
from bridges.matching import Side


class BadRequest(Exception):
    """What was asked for cannot be done; the text begins with the name of the field at fault."""


@dataclass(frozen=True, slots=True)
class Counterparty:
    """An immediate-or-cancel limit order of somebody else. `venue`: one of several behind a simulator, if said."""

    symbol: str
    side: Side
    qty: Decimal
    price: Decimal
    venue: str | None = None


class Simulated(Protocol):
    """A simulator as the control sees it. All may raise BadRequest; what they give must be fit for JSON."""

    def orders(self) -> list[dict[str, Any]]: ...
    def requests(self) -> dict[str, Any]: ...
    def trade(self, order: Counterparty) -> dict[str, Any]: ...
    def cancel(self, order_id: str) -> dict[str, Any]: ...
    def fault(self, fault: Fault) -> None: ...
    def reset(self) -> None: ...


def routes(simulated: Simulated) -> list[web.RouteDef]:
    """The control's routes, to be added to the venue's own application."""

    async def orders(_request: web.Request) -> web.Response:
        return web.json_response(simulated.orders())

    async def requests(_request: web.Request) -> web.Response:
        return web.json_response(simulated.requests())

    async def trade(request: web.Request) -> web.Response:
        return web.json_response(simulated.trade(_counterparty(await _body(request))))

    async def cancel(request: web.Request) -> web.Response:
        body = await _body(request)
        _only(body, {"id"})
        return web.json_response(simulated.cancel(_text(body, "id")))

    async def fault(request: web.Request) -> web.Response:
        simulated.fault(_fault(await _body(request)))
        return web.json_response({"ok": True})

    async def reset(_request: web.Request) -> web.Response:
        simulated.reset()
        return web.json_response({"ok": True})

    return [
        web.get("/_sim/orders", orders),
        web.get("/_sim/requests", requests),
        web.post("/_sim/trade", _guarded(trade)),
        web.post("/_sim/cancel", _guarded(cancel)),
        web.post("/_sim/fault", _guarded(fault)),
        web.post("/_sim/reset", _guarded(reset)),
    ]


_Handler = Callable[[web.Request], Awaitable[web.Response]]


def _guarded(handler: _Handler) -> _Handler:
    async def guarded(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except BadRequest as no:
            return web.json_response({"error": str(no)}, status=400)

    return guarded


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read(), parse_float=Decimal, parse_int=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as e:
        raise BadRequest(f"body: not JSON: {e}") from None
    if not isinstance(body, dict):
        raise BadRequest("body: not a JSON object")
    return body


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _counterparty(body: dict[str, Any]) -> Counterparty:
    _only(body, {"symbol", "side", "qty", "price", "venue"})
    side = _text(body, "side").upper()
    if side not in ("BUY", "SELL"):
        raise BadRequest("side: neither BUY nor SELL")
    venue = _text(body, "venue") if "venue" in body else None
    return Counterparty(_text(body, "symbol"), Side(side), _amount(body, "qty"), _amount(body, "price"), venue)


def _fault(body: dict[str, Any]) -> Fault:
    _only(body, {"kind", "count", "delay_s", "match"})
    count = _number(body, "count", Decimal(1))
    if count != count.to_integral_value():
        raise BadRequest("count: not a whole number")
    match = _text(body, "match") if "match" in body else "any"
    try:
        return Fault(_text(body, "kind"), int(count), float(_number(body, "delay_s", Decimal(0))), match)
    except ValueError as no:
        raise BadRequest(str(no)) from None


def _only(body: dict[str, Any], known: set[str]) -> None:
    for name in body:
        if name not in known:
            raise BadRequest(f"{name}: unknown field")


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        raise BadRequest(f"{name}: missing")
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name}: not a text")
    return value


def _number(body: dict[str, Any], name: str, default: Decimal | None = None) -> Decimal:
    """A JSON number, or a text that is one: both become the same Decimal, and neither was ever a float."""
    value = body.get(name, default)
    if value is None:
        raise BadRequest(f"{name}: missing")
    try:
        number = Decimal(value) if isinstance(value, str | Decimal) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    # Far beyond any market, and still exact in 28 digits.
    if not number.is_finite() or abs(number) > Decimal(10) ** 18 or number.adjusted() < -18:
        raise BadRequest(f"{name}: not a decimal number")
    return number


def _amount(body: dict[str, Any], name: str) -> Decimal:
    number = _number(body, name)
    if number <= 0:
        raise BadRequest(f"{name}: not positive")
    return number
