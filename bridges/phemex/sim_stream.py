"""The WebSocket's conversation: requests, answers and the heartbeat. Pure: a connection is an `Outlet` passed in.

Readings where the document is silent or broken:
 1. `user.auth` takes the sample's four parameters (type, token, signature, expiry in seconds); its request line shows
    two. It is answered like a subscription.
 2. "if it doesn't receive any message in 30s": any text counts, the WebSocket's own pings do not.
 3. The trade subscription's method stands empty in the request and as kline.subscribe in the sample: trade.subscribe,
    by trade.unsubscribe. Klines are not simulated.
 4. Unsubscribing: no parameter or an empty one (as shown for books) ends every subscription of the kind, a symbol its
    own. What was not subscribed is unsubscribed with success.
 5. An answer comes before the snapshot. Subscribing again is answered by a new snapshot.
 6. Faults of the client are {"error": {"code", "message"}, "id", "result": null}: 6001 for what is not understood or
    has a wrong parameter, 6012 for a bad token or signature, and for AOP without authorisation. The connection stays.
"""

import json
from collections.abc import Callable
from typing import Any, Protocol

from bridges.phemex import sim_errors as errors
from bridges.phemex.sim_auth import SECOND_NS, Keys
from bridges.phemex.sim_errors import Unauthorised
from bridges.phemex.sim_feed import Feed, dumps
from bridges.phemex.sim_tally import Tally

SILENCE_NS = 30 * SECOND_NS


class Outlet(Protocol):
    def send(self, text: str) -> None: ...
    def hang_up(self) -> None: ...


class Complaint(Exception):
    """The client's fault: a code and a message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message


def _invalid(detail: str = "") -> Complaint:
    return Complaint(errors.WS_INVALID_ARGUMENT, f"invalid argument: {detail}" if detail else "invalid argument")


class Session:
    """One connection: a `sim_feed.Subscriber`."""

    def __init__(self, outlet: Outlet, keys: Keys, feed: Feed, symbols: frozenset[str], tally: Tally, now_ns: int):
        self._outlet, self._keys, self._feed, self._symbols, self._tally = outlet, keys, feed, symbols, tally
        self._heard_ns = now_ns
        self.user_id: int | None = None
        self.aop = False
        self.books: set[str] = set()
        self.trades: set[str] = set()

    def send(self, text: str) -> None:
        self._outlet.send(text)

    def tick(self, now_ns: int) -> None:
        if now_ns - self._heard_ns >= SILENCE_NS:
            self._outlet.hang_up()

    def receive(self, text: str, now_ns: int) -> None:
        """One text from the client; whatever it is, there is an answer."""
        self._heard_ns = now_ns
        request_id: Any = None
        try:
            request = _parsed(text)
            request_id = request.get("id")
            if type(request_id) is not int:
                request_id = None
                raise _invalid("id")
            method, params = request.get("method"), request.get("params")
            if not isinstance(method, str) or not isinstance(params, list):
                raise _invalid("method and params")
            self._perform(request_id, method, params, now_ns)
        except Complaint as no:
            error = {"code": no.code, "message": no.message}
            self.send(dumps({"error": error, "id": request_id, "result": None}))

    def _perform(self, request_id: int, method: str, params: list[Any], now_ns: int) -> None:
        if method == "server.ping":
            self._tally.by_kind["ping"] += 1
            self.send(dumps({"error": None, "id": request_id, "result": "pong"}))
            return
        act = {
            "user.auth": self._authorise,
            "orderbook.subscribe": self._subscribe_book,
            "orderbook.unsubscribe": lambda given, _now_ns: self._unsubscribe(given, self.books),
            "trade.subscribe": self._subscribe_trades,
            "trade.unsubscribe": lambda given, _now_ns: self._unsubscribe(given, self.trades),
            "aop.subscribe": self._subscribe_aop,
            "aop.unsubscribe": self._unsubscribe_aop,
        }.get(method)
        if act is None:
            raise _invalid("method")
        self._tally.by_kind["auth" if method == "user.auth" else "subscribe"] += 1
        snapshot = act(params, now_ns)
        self.send(dumps({"error": None, "id": request_id, "result": {"status": "success"}}))
        for message in snapshot() if snapshot is not None else ():
            self.send(message)

    def _authorise(self, params: list[Any], now_ns: int) -> None:
        match params:
            case ["API", str(token), str(signature), int(expiry)] if type(expiry) is int:
                pass
            case _:
                raise _invalid('params are not ["API", token, signature, expiry]')
        try:
            text = f"{token}{expiry}".encode()
            self.user_id = self._keys.check(token, text, signature, str(expiry), now_ns)
        except Unauthorised as no:
            self._tally.rejected_signatures += 1
            raise Complaint(errors.WS_INVALID_TOKEN, f"invalid login token: {no}") from None

    def _subscribe_book(self, params: list[Any], _now_ns: int) -> "Snapshot":
        symbol = self._symbol(params)
        self.books.add(symbol)
        return lambda: [self._feed.book_snapshot(symbol)]

    def _subscribe_trades(self, params: list[Any], now_ns: int) -> "Snapshot":
        symbol = self._symbol(params)
        self.trades.add(symbol)
        return lambda: [self._feed.trade_snapshot(symbol, now_ns)]

    def _subscribe_aop(self, params: list[Any], now_ns: int) -> "Snapshot":
        user_id = self.user_id
        if user_id is None:
            raise Complaint(errors.WS_INVALID_TOKEN, "not authorised: user.auth comes first")
        if params:
            raise _invalid("params")
        self.aop = True
        return lambda: self._feed.aop_snapshots(user_id, now_ns)

    def _unsubscribe_aop(self, params: list[Any], _now_ns: int) -> None:
        if params:
            raise _invalid("params")
        self.aop = False

    def _unsubscribe(self, params: list[Any], subscribed: set[str]) -> None:
        if params in ([], [""]):
            subscribed.clear()
        else:
            subscribed.discard(self._symbol(params))

    def _symbol(self, params: list[Any]) -> str:
        match params:
            case [str(symbol)] if symbol in self._symbols:
                return symbol
        raise _invalid("params are not one known symbol")


Snapshot = Callable[[], list[str]]


def _parsed(text: str) -> dict[str, Any]:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        raise _invalid("not JSON") from None
    if not isinstance(request, dict):
        raise _invalid("not an object")
    return request
