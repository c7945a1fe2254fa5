"""The venue's REST API: a request to an outcome, and the faults in between. Pure.

Endpoints, all of them, below `/api/v1/trading/account/{account}`: `POST /order`, `PUT /order/{id}`, `DELETE /order/{id}`,
`GET /order` and `GET /order/{id}`. The document shows the DELETE alone and leaves the rest to a Swagger file that is
not here. Assumptions:
 1. A good answer is 200 with an order object of the order channel: placing gives the order as it was taken in,
    whole, modifying as it was modified, whatever either traded at once; cancelling as it ended. `GET /order` gives a
    list of the open ones. What happened is told on the channels, first.
 2. Errors are {"error": {"code", "message"}}: in this order 429 over the limit, 401 not authenticated, 404 no such path or
    method, 403 another account's, then 400 and 404 for what is asked. Nothing is done then.
 3. No method takes a query, and `GET` and `DELETE` take no body.
 4. Faults meet requests that are signed, within the limit and of their own account; a modification is a `cancel` to
    `match`. `http_500` acts and answers 500, `http_503` does not act and answers 503: a 5xx says nothing of the outcome.
    `drop_reply` acts, `drop_request` does not, and both hang up. `delay` is a request that reaches the venue so much
    later: it acts late and answers late, whether or not the client still waits. `rate_limit` does not act: 429. `reject`
    answers 400 `rejected`, with `reject`, `modify_reject` or `cancel_reject` on the channel. `garbage` (with `new`,
    `cancel`, `query` or `any`) acts and answers 200 with a body that is no JSON.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bridges.faults import Fault, Faults
from bridges.primebit import sim_errors as errors
from bridges.primebit import sim_rules as rules
from bridges.primebit.sim_auth import Keys, Limit, raw
from bridges.primebit.sim_errors import Refused
from bridges.primebit.sim_exchange import Exchange
from bridges.primebit.sim_feed import Feed
from bridges.primebit.sim_rows import dumps
from bridges.primebit.sim_settings import PrimebitSettings
from bridges.primebit.sim_tally import Tally

GARBAGE = "<html>this is not JSON"
_FAULTS = ("drop_reply", "drop_request", "delay", "http_500", "http_503", "rate_limit", "reject")
_PATH = re.compile(r"/api/v1/trading/account/([^/]+)/order(?:/([^/]+))?")
# By method and whether the path names an order.
_KINDS = {
    ("POST", False): "new",
    ("PUT", True): "modify",
    ("DELETE", True): "cancel",
    ("GET", False): "query",
    ("GET", True): "query",
}


@dataclass(frozen=True, slots=True)
class Request:
    """`path` and `query` as they stand in the request line, undecoded; headers as given, "" for none."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    api_key: str = ""
    timestamp: str = ""
    authorization: str = ""
    remote: str = ""


@dataclass(slots=True)
class Answer:
    status: int
    text: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection ends without an answer."""


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing yet: `then` is to be called when it is `at_ns`, and gives the outcome."""

    at_ns: int
    then: "Callable[[int], Answer | HangUp]"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was understood: `order` is the text of an order id, "" where the path names none."""

    kind: str
    account_id: str
    order: str
    query: str
    body: bytes

    @property
    def match(self) -> str:
        """What the kind is to a fault."""
        return "cancel" if self.kind == "modify" else self.kind


class RestApi:
    """`feed` is told of whatever a request did, before the answer leaves."""

    def __init__(self, exchange: Exchange, feed: Feed, faults: Faults, tally: Tally, keys: Keys, settings: PrimebitSettings) -> None:
        self._exchange, self._feed, self._faults, self._tally, self._keys = exchange, feed, faults, tally, keys
        self._limit = Limit(settings.requests_per_second)

    def reset(self) -> None:
        """Nobody has made a request."""
        self._limit.clear()

    def handle(self, request: Request, now_ns: int) -> Answer | HangUp | Later:
        call = _understood(request)
        self._tally.by_kind[call.kind if call else "other"] += 1
        try:
            outcome = self._met(self._admitted(request, call, now_ns), now_ns)
        except Refused as no:
            outcome = self._error(no)
        if isinstance(outcome, Later):
            then = outcome.then
            return Later(outcome.at_ns, lambda later_ns: self._counted(then(later_ns)))
        return self._counted(outcome)

    def _counted(self, outcome: Answer | HangUp) -> Answer | HangUp:
        self._tally.by_status[str(outcome.status) if isinstance(outcome, Answer) else "none"] += 1
        return outcome

    def _admitted(self, request: Request, call: Call | None, now_ns: int) -> Call:
        """Within the limit, signed, and of the signer's account; Refused."""
        self._limit.take(request.api_key if request.api_key in self._keys else f"address {request.remote}", now_ns)
        signed = raw(request.method) + request.body + raw(request.path + request.query + request.timestamp)
        try:
            account_id = self._keys.check(request.api_key, signed, request.authorization, request.timestamp, now_ns)
        except Refused:
            self._tally.rejected_signatures += 1
            raise
        if call is None:
            raise errors.not_found()
        if call.account_id != account_id:
            raise errors.wrong_account()
        return call

    def _met(self, call: Call, now_ns: int) -> Answer | HangUp | Later:
        """The request, and the fault that meets it."""
        fault = self._faults.take_request(call.match, _FAULTS)
        act = partial(self._act, call)
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
                return self._error(Refused(500, "internal-server-error", "Internal Server Error"))
            case "http_503":
                return self._error(Refused(503, "service-unavailable", "Service Unavailable"))
            case "rate_limit":
                return self._error(errors.too_many_requests())
        return act(now_ns, refuse=True)

    def _act(self, call: Call, now_ns: int, refuse: bool = False) -> Answer:
        self._exchange.expire(now_ns)
        self._feed.publish(now_ns)
        try:
            if call.query:
                raise errors.bad_request("There are no query parameters")
            if call.body and call.kind in ("cancel", "query"):
                raise errors.bad_request("There is no body")
            answer = Answer(200, dumps(self._done(call, now_ns, refuse)))
        except Refused as no:
            answer = self._error(no)
        self._feed.publish(now_ns, call.match)
        if self._faults.take_request(call.match, ("garbage",)) is not None:
            answer.text = GARBAGE
        return answer

    def _done(self, call: Call, now_ns: int, refuse: bool) -> Any:
        """What a good answer says; Refused."""
        match call.kind:
            case "new":
                new = rules.new_order(call.body)
                if refuse:
                    self._exchange.refuse_new(call.account_id, new, now_ns)
                return self._exchange.place(call.account_id, new, now_ns)
            case "modify":
                change = rules.modification(call.body)
                if refuse:
                    self._exchange.refuse_change(call.account_id, call.order, "modify_reject")
                return self._exchange.modify(call.account_id, call.order, change, now_ns)
            case "cancel":
                if refuse:
                    self._exchange.refuse_change(call.account_id, call.order, "cancel_reject")
                return self._exchange.cancel(call.account_id, call.order, now_ns)
        if refuse:
            raise errors.rejected()
        if call.order:
            return self._exchange.open_row(call.account_id, call.order)
        return self._exchange.open_rows(call.account_id)

    def _error(self, no: Refused) -> Answer:
        self._tally.by_code[no.code] += 1
        return Answer(no.status, dumps({"error": {"code": no.code, "message": no.message}}))


def _understood(request: Request) -> Call | None:
    path = _PATH.fullmatch(request.path)
    if path is None:
        return None
    kind = _KINDS.get((request.method, path[2] is not None))
    return Call(kind, path[1], path[2] or "", request.query, request.body) if kind else None
