"""The venue's REST API: a request to an outcome, and the faults in between. Pure.

Readings where the document is silent (of what requests do: `sim_trading`, `sim_public`; of signatures: `sim_auth`):
 1. Every answer is HTTP 200 with {"result", "error"}, the error {"code", "message"}: the code as the table's hexadecimal text
    ("0x02002B"; what the sample shows bare is no JSON), or as a number where the settings say so. A path that there is not
    is 404, with 0x01001A in the same form.
 2. Over 20 requests a second of an account, FIX's apart, nothing is done: 0x02002A, with the words of "Rate Limits". Only
    requests with a good signature count.
 3. An order is in PENDING_SUBMIT until `accept_ms` after its answer; where that is 0, what came of it is told on the
    streams before its answer leaves.
 4. Faults meet private requests that are signed and within the limit: `new` is newOrder, `cancel` cancelOrder and
    cancelAccountVenueAllOrder, `query` everything else but treasury (withdraw, transfer, ticket), which no fault meets; nor
    does any meet the public endpoints. `http_500` acts and answers 500, `http_503` does not act and answers 503.
    `drop_reply` acts, `drop_request` does not, and both hang up. `delay` leaves a new order in PENDING_SUBMIT, acts on a
    cancel or a query at once, and answers late. `rate_limit` does not act and answers as in 2. `reject` turns a new order
    down with 0x05002B, a cancel with 0x05004B, a query with 0x01002B. `garbage` (`new`, `cancel`, `query`, `any`) acts and
    answers 200 with a body that is no JSON.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_auth import Keys
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_exchange import Exchange
from bridges.apifiny.sim_feed import Feed
from bridges.apifiny.sim_fixapi import FixApi
from bridges.apifiny.sim_json import dumps
from bridges.apifiny.sim_market import Market
from bridges.apifiny.sim_orders import Execution, Order, Status
from bridges.apifiny.sim_public import UTILS, MarketPath, Public, market_path
from bridges.apifiny.sim_rate import PerSecond
from bridges.apifiny.sim_settings import Account, ApifinySettings
from bridges.apifiny.sim_tally import OK, Tally
from bridges.apifiny.sim_trading import Trading
from bridges.faults import Fault, Faults

PREFIX = "/ac/v2/"
TOO_OFTEN = "rate limit is exceeded"
GARBAGE = "<html>this is not JSON"
_FAULTS = ("drop_reply", "drop_request", "delay", "http_500", "http_503", "rate_limit", "reject")
_REFUSALS = {"new": errors.NEW_ORDER_FAILURE, "cancel": errors.CANCEL_ERROR, "query": errors.SERVER_ERROR}


@dataclass(frozen=True, slots=True)
class Request:
    """`path` decoded; `query` as it stands in the request line; `signature` the header, "" for none."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    signature: str = ""
    remote: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection ends without an answer."""


Reply = Callable[[Answer | HangUp], None]
_Operation = Callable[[Trading, Account, str, Any, int], Any]
# (method, what) to kind and deed.
_PRIVATE: dict[tuple[str, str], tuple[str, _Operation]] = {
    ("POST", "order/newOrder"): ("new", Trading.new),
    ("POST", "order/cancelOrder"): ("cancel", Trading.cancel),
    ("POST", "order/cancelAccountVenueAllOrder"): ("cancel", Trading.cancel_all),
    ("GET", "order/queryOrderInfo"): ("query", Trading.order),
    ("GET", "order/listMultipleOrderInfo"): ("query", Trading.several),
    ("GET", "order/listOpenOrder"): ("query", Trading.open),
    ("GET", "order/listCompletedOrder"): ("query", Trading.completed),
    ("GET", "order/listFilledOrder"): ("query", Trading.fills),
    ("GET", "order/getCommissionRate"): ("query", Trading.fee_rate),
    ("GET", "account/queryAccountInfo"): ("query", Trading.account),
    ("GET", "asset/listBalance"): ("query", Trading.balances),
    ("GET", "asset/queryAddress"): ("query", Trading.address),
    ("POST", "asset/queryAssetActivityList"): ("query", Trading.activity),
    ("GET", "asset/createWithdrawTicket"): ("treasury", Trading.ticket),
    ("POST", "asset/withdraw"): ("treasury", Trading.withdraw),
    ("POST", "asset/transferToVenue"): ("treasury", Trading.transfer),
}
_BARE = (Trading.several, Trading.completed)


@dataclass(frozen=True, slots=True)
class _Route:
    kind: str
    venue: str
    act: _Operation


class RestApi:
    """`feed` and `fix` are told of whatever a request did, before the answer leaves. Market data's requests count in `public_rate`."""

    def __init__(
        self,
        exchange: Exchange,
        feed: Feed,
        fix: FixApi,
        faults: Faults,
        tally: Tally,
        keys: Keys,
        settings: ApifinySettings,
        start_ms: int,
    ) -> None:
        served = tuple(venue for endpoint in settings.endpoints for venue in endpoint.venues)
        self._exchange, self._feed, self._fix, self._faults, self._tally, self._keys = exchange, feed, fix, faults, tally, keys
        self._settings = settings
        self._trading = Trading(exchange, served, settings.treasury_error, start_ms)
        self._public = Public(exchange, Market(exchange), served)
        self._rate = PerSecond(settings.rest_requests_per_second)
        self._public_rate = PerSecond(settings.public_requests_per_second)
        self._later: list[tuple[int, int, Callable[[int], None], Callable[[], None]]] = []
        self._postponed = 0

    # In

    def handle(self, request: Request, now_ms: int, reply: Reply) -> None:
        """One request; `reply` is called once, at once or from `tick` or `reset`."""
        finish = partial(self._finish, reply)
        market, utils, route = market_path(request.path), _utils(request.path), _route(request)
        if route is not None:
            self._tally.by_kind[route.kind] += 1
            self._private(request, route, now_ms, finish)
            return
        self._tally.by_kind["public" if market or utils else "other"] += 1
        if request.method == "GET" and (market or utils):
            finish(self._tried(lambda: self._ask_public(request, market, utils, now_ms), bare=market is not None))
        else:
            finish(self._no(Refused(errors.REQUEST_ERROR, "no such path and method"), 404))

    def reset(self) -> None:
        """Hangs up on whoever still waits, forgets orders that were to be confirmed, and counts anew."""
        later, self._later = self._later, []
        for _, _, _, give_up in later:
            give_up()
        self._rate.clear()
        self._public_rate.clear()

    @property
    def due_ms(self) -> int | None:
        return self._later[0][0] if self._later else None

    def tick(self, now_ms: int) -> None:
        while self._later and self._later[0][0] <= now_ms:
            heapq.heappop(self._later)[2](now_ms)

    # Requests

    def _ask_public(self, request: Request, market: MarketPath | None, utils: tuple[str, str] | None, now_ms: int) -> Any:
        if market is None:
            assert utils is not None
            return self._public.utils(utils[1], utils[0], request.query, now_ms)
        if not self._public_rate.take(request.remote, now_ms):
            raise Refused(errors.TOO_OFTEN)
        return self._public.market_data(market, request.query, now_ms)

    def _private(self, request: Request, route: _Route, now_ms: int, finish: Reply) -> None:
        posted = request.method == "POST"
        try:
            account = self._keys.check(
                request.signature, request.body if posted else request.query.encode("utf-8", "surrogateescape"), now_ms
            )
            if not self._rate.take(account.account_id, now_ms):
                raise Refused(errors.TOO_OFTEN)
            if posted and request.query:
                raise Refused(errors.REQUEST_ERROR, "a POST has no query")
        except Refused as no:
            self._tally.rejected_signatures += no.code == errors.SIGNATURE_ERROR
            finish(self._no(no))
            return
        fault = self._faults.take_request(route.kind, _FAULTS) if route.kind != "treasury" else None
        act = partial(self._act, route, account, request.body if posted else request.query)
        match fault.kind if fault is not None else "":
            case "drop_request":
                finish(HangUp())
            case "http_503":
                finish(Answer(503, "503 Service Unavailable"))
            case "rate_limit":
                finish(self._no(Refused(errors.TOO_OFTEN)))
            case _:
                act(fault, now_ms, finish)

    def _act(self, route: _Route, account: Account, given: Any, fault: Fault | None, now_ms: int, finish: Reply) -> None:
        order: Order | None = None
        executions: Sequence[Execution] = ()

        def attempt() -> Any:
            nonlocal order, executions
            refuse = _REFUSALS[route.kind] if fault is not None and fault.kind == "reject" else None
            if route.kind == "new":
                result, order = self._trading.new(account, route.venue, given, now_ms, refuse)
                return [result]
            if refuse is not None:
                raise Refused(refuse)
            result = route.act(self._trading, account, route.venue, given, now_ms)
            if route.kind == "cancel":
                result, executions = result
                return result if isinstance(result, list) else [result]
            return [result] if isinstance(result, dict) else result

        answer = self._tried(attempt, bare=self._settings.bare_order_lists and route.act in _BARE)
        self._tell(executions, route.kind, now_ms)
        self._answer(route.kind, answer, order, fault, now_ms, finish)

    def _answer(self, kind: str, answer: Answer, order: Order | None, fault: Fault | None, now_ms: int, finish: Reply) -> None:
        """The order, if there is one, is confirmed and the answer leaves, each at its time."""
        outcome = self._outcome(kind, answer, fault)
        if fault is not None and fault.kind == "delay":
            self._postpone(
                now_ms + round(fault.delay_s * 1000), partial(self._confirm_and_finish, order, outcome, finish), lambda: finish(HangUp())
            )
        elif order is not None and self._settings.accept_ms:
            finish(outcome)
            self._postpone(now_ms + self._settings.accept_ms, partial(self._confirm, order), lambda: None)
        else:
            self._confirm_and_finish(order, outcome, finish, now_ms)

    def _outcome(self, kind: str, answer: Answer, fault: Fault | None) -> Answer | HangUp:
        if fault is not None and fault.kind == "drop_reply":
            return HangUp()
        if fault is not None and fault.kind == "http_500":
            return Answer(500, "500 Internal Server Error")
        garbled = kind in _REFUSALS and self._faults.take_request(kind, ("garbage",)) is not None
        return Answer(200, GARBAGE) if garbled else answer

    def _confirm_and_finish(self, order: Order | None, outcome: Answer | HangUp, finish: Reply, now_ms: int) -> None:
        if order is not None:
            self._confirm(order, now_ms)
        finish(outcome)

    def _confirm(self, order: Order, now_ms: int) -> None:
        if order.status is Status.PENDING_SUBMIT:
            self._tell(self._exchange.confirm(order, now_ms), "new", now_ms)

    def _tell(self, executions: Sequence[Execution], kind: str, now_ms: int) -> None:
        self._fix.report(executions)
        self._feed.publish(now_ms, kind)

    def _postpone(self, at_ms: int, act: Callable[[int], None], give_up: Callable[[], None]) -> None:
        self._postponed += 1
        heapq.heappush(self._later, (at_ms, self._postponed, act, give_up))

    # Out

    def _tried(self, attempt: Callable[[], Any], bare: bool = False) -> Answer:
        try:
            result = attempt()
        except Refused as no:
            return self._no(no)
        self._tally.by_code[OK] += 1
        return Answer(200, dumps(result if bare else {"result": result, "error": None}))

    def _no(self, no: Refused, status: int = 200) -> Answer:
        self._tally.by_code[no.code] += 1
        return Answer(status, dumps(error_of(no, self._settings.error_codes)))

    def _finish(self, reply: Reply, outcome: Answer | HangUp) -> None:
        self._tally.by_status[str(outcome.status) if isinstance(outcome, Answer) else "none"] += 1
        reply(outcome)


def error_of(no: Refused, codes: str) -> dict[str, Any]:
    """ "Standard response" of a request that was not successful."""
    words = TOO_OFTEN if no.code == errors.TOO_OFTEN else errors.TEXTS[no.code]
    message = f"{words}: {no.detail}" if no.detail else words
    return {"result": None, "error": {"code": no.code if codes == "hex" else int(no.code, 16), "message": message}}


def _split(path: str) -> tuple[str, str]:
    """The venue ("" for none) and the rest of a path under /ac/v2/."""
    venue, _, rest = path.removeprefix(PREFIX).partition("/")
    if not path.startswith(PREFIX):
        return "", ""
    return ("", f"{venue}/{rest}") if venue in ("utils", "account", "asset", "order") else (venue, rest)


def _utils(path: str) -> tuple[str, str] | None:
    venue, rest = _split(path)
    head, _, what = rest.partition("/")
    return (venue, what) if head == "utils" and what in UTILS else None


def _route(request: Request) -> _Route | None:
    venue, rest = _split(request.path)
    found = _PRIVATE.get((request.method, rest))
    return None if found is None else _Route(found[0], venue, found[1])
