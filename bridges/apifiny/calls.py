"""Apifiny's requests: what each one says, what it was about, how it is signed. Pure.

Source: "Authentication", "Trading", "REST API". Readings, where the document is silent:

- A JWT's `exp` is in whole seconds, 30 s from now, of streams too (one sample there has milliseconds, the others seconds).
- `digest` is the sha256 of the bytes that are sent: the body of a POST, the query string of a GET.
- Prices, quantities and `total` are texts, as in the sample of "Create New Order"; `timeInForce` is a number, and stands in market orders
  too.
- `orderIdList` stands in the query, so it is kept short enough for a request line: fewer than the 500 ids that the document allows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import jwt

from bridges.wire import Kind, Request, Signed
from router.model import Cancel, Place
from router.words import OrdType, Side, TimeInForce

__all__ = [
    "AccountState", "CancelAll", "Canceling", "Inquiring", "Keys", "Looking", "Placing", "Symbols", "Unsayable", "Venues", "account_state",
    "batches", "cancel", "cancel_all", "create", "get", "look", "mint", "post", "symbols", "unsayable", "venues",
]  # fmt: skip

MARKET_VENUES: Final = frozenset({"BINANCE", "BINANCEUS", "COINBASEPRO", "HUOBI", "KUCOIN", "OKEX"})
"""Document, "Order Type": only these take market orders; "Market Data": only these have trades on the stream."""
TIMES_IN_FORCE: Final = {TimeInForce.GTC: 1, TimeInForce.IOC: 3}
POST_ONLY: Final = 7
IDS_AT_MOST: Final = 500
QUERY_AT_MOST: Final = 6000
"""Characters; servers commonly take request lines of 8190."""
_SECOND: Final = 1_000_000_000
_TOKEN_SECONDS: Final = 30
_ORDER_ID_AT_MOST: Final = 64
_TYPES: Final = {OrdType.LIMIT: "LIMIT", OrdType.MARKET: "MARKET"}
_SIDES: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}


# --- what a request was about ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Placing:
    """A create."""

    place: Place


@dataclass(frozen=True, slots=True)
class Canceling:
    """A cancel, and how often it was sent before."""

    command: Cancel
    tries: int = 0


@dataclass(frozen=True, slots=True)
class CancelAll:
    """A cancel of everything, and how often it was sent before."""

    tries: int = 0


@dataclass(frozen=True, slots=True)
class Looking:
    """A question about one order, or about many at once."""

    ids: tuple[str, ...]
    tries: int = 0
    asked: int = 0
    """When, ns UTC."""

    @property
    def many(self) -> bool:
        return len(self.ids) > 1


@dataclass(frozen=True, slots=True)
class Symbols:
    """A question about what is traded."""


@dataclass(frozen=True, slots=True)
class Venues:
    """A question about the venues."""


@dataclass(frozen=True, slots=True)
class AccountState:
    """A question about the account, and whether REST answers."""


@dataclass(frozen=True, slots=True)
class Inquiring:
    """An operator's question."""

    ticket: int
    topic: str


class Unsayable(ValueError):
    """An order that cannot be said to Apifiny; says why."""


# --- keys ------------------------------------------------------------------------------------------------------------------


class Keys:
    """The credentials of one account; never shown."""

    def __init__(self, account_id: str, key_id: str, secret: str) -> None:
        self.account_id = account_id
        self._key_id = key_id
        self._secret = secret

    def __repr__(self) -> str:
        return f"Keys({self.account_id})"

    def sign(self, request: Request, now: int) -> Signed:
        """The request as it goes out (document, "Signature"); what is signed is what is sent."""
        headers = {"Content-Type": "application/json"}
        if request.private:
            said = request.body if request.method == "POST" else request.query
            headers["signature"] = self._token(now, hashlib.sha256(said.encode()).hexdigest())
        target = f"{request.path}?{request.query}" if request.query else request.path
        return Signed(request.method, target, headers, request.body)

    def stream(self, now: int) -> Mapping[str, str]:
        """Headers of a user stream: "Websocket Stream remove digest"."""
        return {"signature": self._token(now)}

    def market(self) -> Mapping[str, str]:
        """Headers of the market data stream (document, "Heartbeat and Connection", the sample)."""
        return {"signature": jwt.encode({"accessKey": self._key_id}, self._secret, algorithm="HS256")}

    def _token(self, now: int, digest: str | None = None) -> str:
        claims: dict[str, Any] = {"accountId": self.account_id, "secretKeyId": self._key_id}
        if digest is not None:
            claims["digest"] = digest
        claims["exp"] = now // _SECOND + _TOKEN_SECONDS
        return jwt.encode(claims, self._secret, algorithm="HS256")


def mint(account_id: str, now: int, random: int, serial: int) -> str:
    """An order id by Apifiny's rule: account number + random number + 13 digits of ms + 3 digits, at most 64 ("Create New Order").

    `random` makes it unique across restarts, `serial` (mod 1000) within one millisecond."""
    account_number = "".join(character for character in account_id if character.isascii() and character.isdigit())
    return f"{account_number}{random:06}{now // 1_000_000:013}{serial % 1000:03}"[-_ORDER_ID_AT_MOST:]


# --- requests --------------------------------------------------------------------------------------------------------------


def get(path: str, context: Any, arguments: Mapping[str, str], private: bool = True) -> Request:
    """A GET, its arguments in the order given."""
    return Request(Kind.QUERY, "GET", path, query=urlencode(arguments, safe=","), private=private, context=context)


def post(kind: Kind, path: str, context: Any, body: Mapping[str, Any]) -> Request:
    """A POST; the body is made once, here."""
    return Request(kind, "POST", path, body=json.dumps(body, separators=(",", ":")), context=context)


def unsayable(place: Place, venue: str) -> str:
    """Why an order cannot be said to this venue, or "" ("Create New Order", "Order Type", "Time In Force")."""
    limit = place.ord_type is OrdType.LIMIT
    by_cash = place.ord_type is OrdType.MARKET and place.side is Side.BUY
    if place.ord_type not in _TYPES or (not limit and venue not in MARKET_VENUES) or place.side not in _SIDES:
        return f"{venue} behind Apifiny has no {place.ord_type} {place.side} order"
    if place.stop_px is not None or place.reduce_only:
        return "Apifiny has neither stop prices nor reduce-only"
    if place.time_in_force not in TIMES_IN_FORCE or (place.post_only and (not limit or place.time_in_force is not TimeInForce.GTC)):
        return f"Apifiny has no {'post-only ' if place.post_only else ''}{place.ord_type} order that is {place.time_in_force}"
    if (place.cash_order_qty is None) is by_cash or (place.order_qty is None) is not by_cash:
        return "a market buy states an amount of money, every other order a quantity"
    return "a limit order has a price, a market order none" if (place.price is None) is limit else ""


def create(place: Place, account_id: str, venue: str) -> Request:
    """Document, "Create New Order". Raises `Unsayable`."""
    why = unsayable(place, venue)
    if why:
        raise Unsayable(why)
    info: dict[str, Any] = {
        "symbol": place.symbol,
        "orderType": _TYPES[place.ord_type],
        "timeInForce": POST_ONLY if place.post_only else TIMES_IN_FORCE[place.time_in_force],
        "orderSide": _SIDES[place.side],
    }
    for key, value in (("limitPrice", place.price), ("quantity", place.order_qty), ("total", place.cash_order_qty)):
        if value is not None:
            info[key] = f"{value:f}"
    body = {"accountId": account_id, "venue": venue, "orderId": place.venue_cl_ord_id, "orderInfo": info}
    return post(Kind.NEW, "/order/newOrder", Placing(place), body)


def cancel(command: Cancel, account_id: str, venue: str) -> Request:
    """Document, "Cancel an Order"."""
    body = {"accountId": account_id, "venue": venue, "orderId": command.venue_cl_ord_id}
    return post(Kind.CANCEL, "/order/cancelOrder", Canceling(command), body)


def cancel_all(account_id: str, venue: str) -> Request:
    """Document, "Cancel All": of every symbol."""
    return post(Kind.CANCEL, "/order/cancelAccountVenueAllOrder", CancelAll(), {"accountId": account_id, "venue": venue})


def look(ids: tuple[str, ...], account_id: str, venue: str, now: int) -> Request:
    """Document, "Get an Order" for one, "Query Multiple Orders by IDs" (which names no venue) for more."""
    if len(ids) == 1:
        return get("/order/queryOrderInfo", Looking(ids, asked=now), {"accountId": account_id, "venue": venue, "orderId": ids[0]})
    return get("/order/listMultipleOrderInfo", Looking(ids, asked=now), {"accountId": account_id, "orderIdList": ",".join(ids)})


def batches(ids: Sequence[str]) -> list[tuple[str, ...]]:
    """Ids shared out over questions: at most 500 in each, and no more than a request line holds."""
    found: list[list[str]] = [[]]
    length = 0
    for each in ids:
        if found[-1] and (len(found[-1]) >= IDS_AT_MOST or length + len(each) + 1 > QUERY_AT_MOST):
            found.append([])
            length = 0
        found[-1].append(each)
        length += len(each) + 1
    return [tuple(each) for each in found if each]


def symbols() -> Request:
    """Document, "Query List Symbols"; not signed."""
    return get("/utils/listSymbolInfo", Symbols(), {}, private=False)


def venues() -> Request:
    """Document, "Query List Venues"; not signed."""
    return get("/utils/listVenueInfo", Venues(), {}, private=False)


def account_state(account_id: str, venue: str) -> Request:
    """Document, "Query Account Info"."""
    return get("/account/queryAccountInfo", AccountState(), {"accountId": account_id, "venue": venue})
