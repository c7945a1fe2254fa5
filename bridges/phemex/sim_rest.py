"""The venue's REST API: a request to an outcome, and the faults in between. Pure.

Endpoints, all of them: `POST /orders`; `DELETE /orders/orderID=<id>&symbol=<symbol>`, in the path and without a question
mark, as the document shows it ("Cancel Order Request"), both in either order; `DELETE /orders/all`; and
`GET /accounts/accountPositions?currency=<currency>`, which the document only signs ("Signature Example 1").

Readings where the document is silent:
 1. Every answer is {"code", "msg", "data"}: code 0, or the venue's no with HTTP 200 and `data` null. Placing is answered
    by the order as Created, whatever came of it at once; cancelling by the order as it was before: "this response means
    cancel operations succeeded, not the order is canceled" (a later document). What happened is told in AOP, first.
 2. Not authenticated is 401. A wrong path or method is 404. Over the limit nothing is done: 429. 403 is the IP's limit.
 3. `DELETE /orders/all` cancels every open order, stops included, of the symbol that its query names or of all; `data` is
    how many.
 4. Faults meet requests that are signed and within the limit. `http_500` acts and answers 500, `http_503` does not act
    and answers 503: a 5xx says nothing of the outcome. `drop_reply` acts, `drop_request` does not, and both hang up.
    `delay` is a request that reaches the venue so much later: it acts late and answers late, whether or not the client
    still waits. `rate_limit` does not act: 429 with X-RateLimit-Retry-After of `delay_s`, at least 1. `reject` turns a
    new order down with 11001, a cancel with 11063, a query with 11028. `garbage` (with `new`, `cancel`, `query` or
    `any`) acts and answers 200 with a body that is no JSON.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from typing import Any
from urllib.parse import parse_qsl

from bridges.faults import Fault, Faults
from bridges.phemex import sim_errors as errors
from bridges.phemex import sim_rows as rows
from bridges.phemex import sim_rules as rules
from bridges.phemex.sim_auth import Keys, Rounds
from bridges.phemex.sim_errors import Refused, Unauthorised
from bridges.phemex.sim_exchange import Exchange
from bridges.phemex.sim_feed import Feed, dumps
from bridges.phemex.sim_settings import PhemexSettings
from bridges.phemex.sim_tally import Tally

REMAINING, RETRY_AFTER = "X-RateLimit-Remaining", "X-RateLimit-Retry-After"
GARBAGE = "<html>this is not JSON"
_FAULTS = ("drop_reply", "drop_request", "delay", "http_500", "http_503", "rate_limit", "reject")


@dataclass(frozen=True, slots=True)
class Request:
    """`path` and `query` as they stand in the request line, undecoded; headers as given, "" for none."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    token: str = ""
    expiry: str = ""
    signature: str = ""
    remote: str = ""


@dataclass(slots=True)
class Answer:
    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection ends without an answer."""


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing yet: `then` is to be called when it is `at_ns`, and gives the outcome."""

    at_ns: int
    then: "Callable[[int], Answer | HangUp]"


class RestApi:
    """`feed` is told of whatever a request did, before the answer leaves."""

    def __init__(self, exchange: Exchange, feed: Feed, faults: Faults, tally: Tally, keys: Keys, settings: PhemexSettings) -> None:
        self._exchange, self._feed, self._faults, self._tally, self._keys = exchange, feed, faults, tally, keys
        self._rounds = Rounds(settings.requests_per_minute)
        self._ip_rounds = Rounds(settings.ip_requests_per_minute)

    def reset(self) -> None:
        """Everybody's round begins anew."""
        self._rounds.clear()
        self._ip_rounds.clear()

    def handle(self, request: Request, now_ns: int) -> Answer | HangUp | Later:
        kind = _kind(request)
        self._tally.by_kind[kind or "other"] += 1
        remaining, wait_s = self._rounds.take(request.token if request.token in self._keys else "", now_ns)
        outcome = self._limited(request, wait_s, now_ns) or self._authorised(request, kind, now_ns)
        if isinstance(outcome, Later):
            then = outcome.then
            return Later(outcome.at_ns, lambda later_ns: self._finished(then(later_ns), remaining))
        return self._finished(outcome, remaining)

    def _finished(self, outcome: Answer | HangUp, remaining: int) -> Answer | HangUp:
        if isinstance(outcome, Answer):
            outcome.headers.setdefault(REMAINING, str(remaining))
        self._tally.by_status[str(outcome.status) if isinstance(outcome, Answer) else "none"] += 1
        return outcome

    def _limited(self, request: Request, wait_s: int, now_ns: int) -> Answer | None:
        if self._ip_rounds.take(request.remote, now_ns)[1]:
            return self._answer(403, errors.TOO_MANY_REQUESTS, "403 IP is blocked.")
        return self._too_many(wait_s) if wait_s else None

    def _too_many(self, wait_s: int) -> Answer:
        answer = self._answer(429, errors.TOO_MANY_REQUESTS, errors.NAMES[errors.TOO_MANY_REQUESTS])
        answer.headers |= {REMAINING: "0", RETRY_AFTER: str(wait_s)}
        return answer

    def _authorised(self, request: Request, kind: str | None, now_ns: int) -> Answer | HangUp | Later:
        text = f"{request.path}{request.query}{request.expiry}".encode() + request.body
        try:
            user_id = self._keys.check(request.token, text, request.signature, request.expiry, now_ns)
        except Unauthorised as no:
            self._tally.rejected_signatures += 1
            return self._answer(401, 401, str(no))
        if kind is None:
            return self._answer(404, 404, "404 Not Found")
        fault = self._faults.take_request(kind, _FAULTS)
        act = partial(self._act, request, kind, user_id)
        if fault is None:
            return act(now_ns)
        if fault.kind == "delay":
            return Later(now_ns + round(fault.delay_s * 1e9), act)
        return self._faulty(fault, act, now_ns)

    def _faulty(self, fault: Fault, act: Callable[..., Answer], now_ns: int) -> Answer | HangUp:
        match fault.kind:
            case "drop_request":
                return HangUp()
            case "drop_reply":
                act(now_ns)
                return HangUp()
            case "http_500":
                act(now_ns)
                return self._answer(500, 500, "500 Internal Server Error")
            case "http_503":
                return self._answer(503, 503, "503 Service Unavailable")
            case "rate_limit":
                return self._too_many(max(1, ceil(fault.delay_s)))
        return act(now_ns, refuse=True)

    def _act(self, request: Request, kind: str, user_id: int, now_ns: int, refuse: bool = False) -> Answer:
        try:
            if kind == "new":
                data = self._new(request, user_id, now_ns, refuse)
            elif kind == "cancel":
                data = self._cancel(request, user_id, now_ns, refuse)
            else:
                data = self._account(request, user_id, refuse)
        except Refused as no:
            answer = self._answer(200, no.code, no.text)
        else:
            answer = self._answer(200, 0, "", data)
        self._feed.publish(now_ns, kind)
        if self._faults.take_request(kind, ("garbage",)) is not None:
            answer.text = GARBAGE
        return answer

    def _new(self, request: Request, user_id: int, now_ns: int, refuse: bool) -> Any:
        new = rules.new_order(request.body)
        if refuse:
            self._exchange.refuse(user_id, new, errors.TE_NO_ENOUGH_AVAILABLE_BALANCE, now_ns)
        order = self._exchange.place(user_id, new, now_ns)
        return rows.rest_order(order, self._exchange.contract(new.symbol), created=True)

    def _cancel(self, request: Request, user_id: int, now_ns: int, refuse: bool) -> Any:
        if refuse:
            raise Refused(errors.TE_ORD_STATUS_CANNOT_CANCEL)
        if request.path == "/orders/all":
            query = _fields(request.query, {"symbol"})
            if "symbol" in query:
                self._exchange.contract(query["symbol"])
            return self._exchange.cancel_all(user_id, query.get("symbol"), now_ns)
        fields = _fields(request.path.removeprefix("/orders/"), {"orderID", "symbol"})
        if not fields.get("orderID"):
            raise Refused(errors.TE_MISSING_ORDER_ID)
        if not fields.get("symbol"):
            raise Refused(errors.MISSING_PARAMETER, "symbol")
        self._exchange.contract(fields["symbol"])
        return self._exchange.cancel(user_id, fields["orderID"], fields["symbol"], now_ns)

    def _account(self, request: Request, user_id: int, refuse: bool) -> Any:
        query = _fields(request.query, {"currency"})
        if not query.get("currency"):
            raise Refused(errors.MISSING_PARAMETER, "currency")
        account = self._exchange.accounts[user_id].get(query["currency"])
        if account is None or refuse:
            raise Refused(errors.TE_CURRENCY_INVALID)
        positions = [rows.aop_position(account, each, self._exchange.markets[symbol].last_ep) for symbol, each in account.positions.items()]
        return {"account": rows.rest_account(account, self._exchange.used_ev(account)), "positions": positions}

    def _answer(self, status: int, code: int, msg: str, data: Any = None) -> Answer:
        self._tally.by_code[str(code)] += 1
        return Answer(status, dumps({"code": code, "msg": msg, "data": data}))


def _kind(request: Request) -> str | None:
    match request.method, request.path:
        case "POST", "/orders":
            return "new"
        case "DELETE", "/orders/all":
            return "cancel"
        case "DELETE", path if path.startswith("/orders/") and "=" in path and not request.query:
            return "cancel"
        case "GET", "/accounts/accountPositions":
            return "query"
    return None


def _fields(text: str, known: set[str]) -> dict[str, str]:
    """`name=value&name=value`, each known name at most once; Refused otherwise."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True) if text else []
    except ValueError:
        raise Refused(errors.BAD_ARGUMENTS, "not name=value") from None
    fields = dict(pairs)
    for name in fields:
        if name not in known:
            raise Refused(errors.BAD_ARGUMENTS, f"unknown parameter {name!r}")
    if len(fields) != len(pairs):
        raise Refused(errors.BAD_ARGUMENTS, "a parameter stands twice")
    return fields
