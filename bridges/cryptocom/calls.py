"""Requests to the REST API, what each is about, and their signature. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

from bridges.wire import Kind, Request, Signed
from router.model import Place
from router.words import OrdType, Side

__all__ = [
    "MARKET_GROUP", "PAGE_SIZE", "SIDES", "TYPES", "USER_GROUP", "Canceling", "Creating", "Listing", "Login", "Looking", "ReadSymbols",
    "Searching", "cancel", "create", "list_open", "login", "read_symbols", "search_page", "show", "sign_request", "signature",
]  # fmt: skip

USER_GROUP: Final = "user"
MARKET_GROUP: Final = "market"
SIDES: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}
TYPES: Final = {OrdType.LIMIT: 1, OrdType.MARKET: 2}
PAGE_SIZE: Final = 100
"""The document gives no limit for `pageSize`; whoever counts on pages must see for himself how many rows came."""
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Creating:
    """A create is under way."""

    place: Place


@dataclass(frozen=True, slots=True)
class Canceling:
    """A cancel is under way; `ours`: the emulation of IOC wants it, not the client."""

    order_id: str
    venue_cl_ord_id: str
    venue_order_id: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Looking:
    """showOrder of one order, decided at `issued` (ns UTC)."""

    venue_order_id: str
    issued: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of openOrders, for all orders that rest in a symbol."""

    symbol: str


@dataclass(frozen=True, slots=True)
class Searching:
    """A page of a search; `serial` tells one attempt from the next."""

    order_id: str
    serial: int


@dataclass(frozen=True, slots=True)
class CancelingAll:
    """Every order of a symbol."""

    symbol: str


@dataclass(frozen=True, slots=True)
class Login:
    """The signed question that shows whether the account answers."""


@dataclass(frozen=True, slots=True)
class ReadSymbols:
    """The public list of markets."""


def create(place: Place) -> Request:
    """Document, "Create an order". `volume` of a market buy is the money to spend; amounts go as they were given."""
    pairs = {"symbol": place.symbol, "side": SIDES[place.side], "type": str(TYPES[place.ord_type])}
    volume = place.cash_order_qty if place.order_qty is None else place.order_qty
    assert volume is not None
    pairs["volume"] = f"{volume:f}"
    if place.ord_type is OrdType.LIMIT:
        assert place.price is not None
        pairs["price"] = f"{place.price:f}"
    return Request(Kind.NEW, "POST", "/v1/order", body=urlencode(pairs), group=USER_GROUP, context=Creating(place))


def cancel(context: Canceling, symbol: str) -> Request:
    """Document, "Cancel an order": a DELETE with a form for its body."""
    body = urlencode({"order_id": context.venue_order_id, "symbol": symbol})
    return Request(Kind.CANCEL, "DELETE", "/v1/order", body=body, group=USER_GROUP, context=context)


def cancel_all(symbol: str) -> Request:
    """Document, "Cancel all orders"."""
    return Request(
        Kind.CANCEL, "POST", "/v1/cancelAllOrders", body=urlencode({"symbol": symbol}), group=USER_GROUP, context=CancelingAll(symbol)
    )


def show(venue_order_id: str, symbol: str, now: int) -> Request:
    """Document, "Get order detail"."""
    return _query("/v1/showOrder", {"order_id": venue_order_id, "symbol": symbol}, Looking(venue_order_id, now))


def list_open(symbol: str, page: int) -> Request:
    """Document, "List all open orders in a particular market"."""
    return _query("/v1/openOrders", _page(symbol, page), Listing(symbol))


def search_page(path: str, symbol: str, page: int, context: Searching) -> Request:
    """A page of openOrders or of allOrders. No dates: the document does not say in which zone `startDate` is, and an hour too far would
    hide the very order that is looked for."""
    return _query(path, _page(symbol, page), context)


def login() -> Request:
    """Document, "List all account balance of user"."""
    return _query("/v1/account", {}, Login())


def read_symbols() -> Request:
    """Document, "List all available market symbols"."""
    return Request(Kind.QUERY, "GET", "/v1/symbols", group=MARKET_GROUP, private=False, context=ReadSymbols())


def signature(pairs: Mapping[str, str], secret: str) -> str:
    """Document, "Request Signing": names sorted, each name and value without separators, empty values skipped, the secret; SHA-256."""
    text = "".join(f"{name}{value}" for name, value in sorted(pairs.items()) if value and name != "sign")
    return hashlib.sha256(f"{text}{secret}".encode()).hexdigest()


def sign_request(request: Request, key_id: str, secret: str, now: int) -> Signed:
    """A request as it goes out at `now` (ns UTC); `time` is ms, as in the document's example."""
    target = f"{request.path}?{request.query}" if request.query else request.path
    if not request.private:
        return Signed(request.method, target, {}, request.body)
    pairs = dict(parse_qsl(request.body, keep_blank_values=True)) | {"api_key": key_id, "time": str(now // 1_000_000)}
    pairs["sign"] = signature(pairs, secret)
    return Signed(request.method, target, {"Content-Type": _FORM}, urlencode(pairs))


def _query(path: str, pairs: Mapping[str, str], context: object) -> Request:
    return Request(Kind.QUERY, "POST", path, body=urlencode(pairs), group=USER_GROUP, context=context)


def _page(symbol: str, page: int) -> dict[str, str]:
    return {"symbol": symbol, "pageSize": str(PAGE_SIZE), "page": str(page)}
