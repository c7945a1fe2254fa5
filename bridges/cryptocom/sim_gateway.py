"""REST, between the socket and the two APIs: routes, who asks, limits, faults, and the answer's bytes. Pure.

Readings and assumptions:
 1. Parameters are those of the overview's "Allowed Parameters" and of each call's own table together (the overview's
    user calls leave `symbol` out); any other is 400, on GETs too.
 2. A path or method that is not in the overview is 404. `POST /v1/orders/cancel` is not in the overview either: later
    clients of this API cancel there, with the same parameters; `orders_cancel_path = false` takes it away.
 3. `code` is text ("0"), as in the samples; the general part shows the number.
 4. Limits: the user's counts each signed request, the address's each GET. Over it: HTTP 429, and nothing was done.
 5. Faults meet a request before anybody asks who sent it: `new` is `POST /v1/order`, `cancel` the three cancels, `query`
    all the rest, GETs included. `drop_request` and `drop_reply` close the connection. `http_503` and `rate_limit` do not
    act; `http_500` acts, so that a 5xx says nothing about the outcome. `reject` answers 200 with a code, after the
    signature was checked. `delay` acts at once and answers late. `garbage` acts and answers 200 with what is not JSON.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridges.cryptocom import sim_errors as errors
from bridges.cryptocom.sim_auth import SIGNED, authenticate, parse_form, parse_pairs
from bridges.cryptocom.sim_errors import Refused, denied, malformed
from bridges.cryptocom.sim_exchange import Exchange
from bridges.cryptocom.sim_limits import Limit
from bridges.cryptocom.sim_market_api import MarketApi
from bridges.cryptocom.sim_settings import CryptocomSettings, User
from bridges.cryptocom.sim_tally import Tally
from bridges.cryptocom.sim_text import to_json
from bridges.cryptocom.sim_user_api import UserApi
from bridges.faults import REQUEST_KINDS, Fault, Faults

GARBAGE = b"<html><body>this is not JSON</body></html>"
_REJECTS = {"new": errors.ORDER_FAILED, "cancel": errors.CANCEL_FAILED, "query": errors.SYSTEM}
_PAGES = frozenset({"pageSize", "page"})
_DATES = frozenset({"startDate", "endDate"})

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came; `address` is the client's IP."""

    method: str
    path: str
    query: str = ""
    content_type: str = ""
    body: bytes = b""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` None: close the connection without a word. `delay_ms`: not before so long from now."""

    status: int
    body: bytes | None
    delay_ms: int = 0


@dataclass(frozen=True, slots=True)
class _Market:
    run: Callable[[Params, int], Any]
    allowed: frozenset[str] = frozenset()
    kind: str = "query"


@dataclass(frozen=True, slots=True)
class _User:
    run: Callable[[User, Params, int], Any]
    allowed: frozenset[str] = frozenset()
    kind: str = "query"


class Gateway:
    def __init__(self, exchange: Exchange, settings: CryptocomSettings, faults: Faults, tally: Tally) -> None:
        self._exchange, self._settings, self._faults, self._tally = exchange, settings, faults, tally
        self._users = {user.api_key: user for user in settings.users}
        self._by_user = Limit(settings.user_requests_per_second)
        self._by_address = Limit(settings.market_requests_per_second)
        self._routes = _routes(UserApi(exchange, settings, faults), MarketApi(exchange), settings.orders_cancel_path)

    def handle(self, call: Call, now_ms: int) -> Answer:
        self._exchange.advance(now_ms)
        route = self._routes.get((call.method, call.path))
        if route is None:
            self._tally.by_status["404"] += 1
            return self._refusal(Refused(404, errors.NOT_FOUND))
        self._tally.by_kind[route.kind] += 1
        self._tally.by_call[f"{call.method} {call.path}"] += 1
        fault = self._faults.take_request(route.kind, REQUEST_KINDS)
        if fault is not None and fault.kind == "drop_request":
            return self._dropped()
        answer = self._answer(route, call, fault, now_ms)
        if fault is not None and fault.kind == "drop_reply":
            return self._dropped()
        if fault is not None and fault.kind == "http_500":
            answer = self._refusal(Refused(500, errors.SYSTEM))
        elif self._faults.take_request(route.kind, {"garbage"}):
            answer = Answer(200, GARBAGE)
        if answer.body is not None:
            self._tally.by_status[str(answer.status)] += 1
        if fault is not None and fault.kind == "delay":
            return Answer(answer.status, answer.body, round(fault.delay_s * 1000))
        return answer

    def reset(self) -> None:
        self._by_user.clear()
        self._by_address.clear()

    def _answer(self, route: _Market | _User, call: Call, fault: Fault | None, now_ms: int) -> Answer:
        try:
            data = self._act(route, call, fault, now_ms)
        except Refused as no:
            return self._refusal(no)
        self._tally.by_code["0"] += 1
        return Answer(200, to_json({"code": "0", "msg": "suc", "data": data}).encode())

    def _act(self, route: _Market | _User, call: Call, fault: Fault | None, now_ms: int) -> Any:
        what = fault.kind if fault is not None else ""
        if what == "http_503":
            raise Refused(503, errors.BUSY)
        if what == "rate_limit":
            raise Refused(429, errors.TOO_OFTEN)
        if isinstance(route, _Market):
            self._admit(self._by_address, call.address, now_ms)
            params = _allowed(parse_pairs(call.query.encode()), route.allowed)
            if what == "reject":
                raise denied(_REJECTS[route.kind])
            return route.run(params, now_ms)
        params = parse_form(call.content_type, call.query, call.body)
        user = authenticate(params, self._users, call.address, self._settings.time_window_ms, now_ms)
        self._admit(self._by_user, user.user_id, now_ms)
        params = _allowed(params, route.allowed | SIGNED)
        if what == "reject":
            raise denied(_REJECTS[route.kind])
        return route.run(user, params, now_ms)

    def _admit(self, limit: Limit, key: object, now_ms: int) -> None:
        if not limit.admit(key, now_ms):
            raise Refused(429, errors.TOO_OFTEN)

    def _refusal(self, no: Refused) -> Answer:
        self._tally.by_code[no.code] += 1
        self._tally.rejected_signatures += no.code == errors.BAD_SIGNATURE
        return Answer(no.status, to_json({"code": no.code, "msg": no.msg, "data": None}).encode())

    def _dropped(self) -> Answer:
        self._tally.by_status["dropped"] += 1
        return Answer(0, None)


def _allowed(params: dict[str, str], allowed: frozenset[str]) -> dict[str, str]:
    for name in params:
        if name not in allowed:
            raise malformed(f"{name[:40]} is not an allowed parameter")
    return params


def _routes(user: UserApi, market: MarketApi, orders_cancel_path: bool) -> dict[tuple[str, str], _Market | _User]:
    """The overview of "API Reference"."""
    symbol = frozenset({"symbol"})
    one = symbol | {"order_id"}
    order = symbol | {"side", "type", "volume", "price", "fee_is_user_exchange_coin"}
    routes: dict[tuple[str, str], _Market | _User] = {
        ("GET", "/v1/symbols"): _Market(market.symbols),
        ("GET", "/v1/tickers"): _Market(market.tickers),
        ("GET", "/v1/ticker"): _Market(market.ticker, symbol),
        ("GET", "/v1/klines"): _Market(market.klines, symbol | {"period"}),
        ("GET", "/v1/trades"): _Market(market.trades, symbol),
        ("GET", "/v1/ticker/price"): _Market(market.prices),
        ("GET", "/v1/depth"): _Market(market.depth, symbol | {"type"}),
        ("POST", "/v1/account"): _User(user.account),
        ("POST", "/v1/order"): _User(user.create, order, "new"),
        ("POST", "/v1/showOrder"): _User(user.show, one),
        ("DELETE", "/v1/order"): _User(user.cancel, one, "cancel"),
        ("POST", "/v1/cancelAllOrders"): _User(user.cancel_all, symbol, "cancel"),
        ("POST", "/v1/openOrders"): _User(user.open_orders, symbol | _PAGES),
        ("POST", "/v1/allOrders"): _User(user.all_orders, symbol | _PAGES | _DATES),
        ("POST", "/v1/myTrades"): _User(user.my_trades, symbol | _PAGES | _DATES | {"sort"}),
    }
    if orders_cancel_path:
        routes["POST", "/v1/orders/cancel"] = _User(user.cancel, one, "cancel")
    return routes
