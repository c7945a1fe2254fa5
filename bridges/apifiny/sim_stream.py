"""A WebSocket's conversation: the heartbeat of all of them, and the requests for market data. Pure.

Readings where the document is silent:
 1. "the server will send heartbeat periodically (currently at 30s interval)": the first one 30 s after the connection
    began, the next ones 30 s after the last, and on user streams too (their sample answers it). Whoever has not answered
    with that very number within `pong_within_ms` is cut off. Other pongs are ignored.
 2. A user stream takes nothing but pongs. Whatever else comes, or is no request for market data, is answered by an error in
    the standard form, and the connection stays.
 3. "1 request per second" by access key counts each request for market data, refused ones too, whatever the connection.
 4. Several venues in one request are subscribed all or none. Unsubscribing what was not subscribed does nothing.
"""

from typing import Any, Protocol

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_feed import Feed, Topic
from bridges.apifiny.sim_json import dumps, loads
from bridges.apifiny.sim_market import CHANNELS, KLINE, STREAM_VENUES, Market
from bridges.apifiny.sim_rate import PerSecond
from bridges.apifiny.sim_rest import error_of
from bridges.apifiny.sim_settings import ApifinySettings

_FIELDS = {"channel", "symbol", "venues", "action"}
MAX_VENUES = 100


class Outlet(Protocol):
    def send(self, text: str) -> None: ...
    def hang_up(self) -> None: ...


class Heartbeat:
    """Asks, and hangs up on whoever does not answer. Times in epoch milliseconds."""

    def __init__(self, outlet: Outlet, every_ms: int, within_ms: int, now_ms: int) -> None:
        self._outlet, self._every_ms, self._within_ms = outlet, every_ms, within_ms
        self._next_ms = now_ms + every_ms
        self._asked: int | None = None
        self._until_ms = 0

    def tick(self, now_ms: int) -> None:
        if self._asked is not None:
            if now_ms >= self._until_ms:
                self._outlet.hang_up()
        elif now_ms >= self._next_ms:
            self._asked, self._until_ms, self._next_ms = now_ms, now_ms + self._within_ms, now_ms + self._every_ms
            self._outlet.send(dumps({"ping": now_ms}))

    def answered(self, number: Any) -> None:
        if self._asked is not None and number == self._asked:
            self._asked = None


class Session:
    """One connection. `access_key`: of market data, "" for a user stream; `rate` is shared by all connections."""

    def __init__(
        self, outlet: Outlet, feed: Feed, market: Market, rate: PerSecond, settings: ApifinySettings, access_key: str, now_ms: int
    ) -> None:
        self._outlet, self._feed, self._market, self._rate = outlet, feed, market, rate
        self._access_key, self._codes = access_key, settings.error_codes
        self._heartbeat = Heartbeat(outlet, settings.ping_ms, settings.pong_within_ms, now_ms)

    def tick(self, now_ms: int) -> None:
        self._heartbeat.tick(now_ms)

    def receive(self, text: str, now_ms: int) -> None:
        """One text from the client; never raises."""
        try:
            request = _parsed(text)
            if request.keys() == {"pong"}:
                self._heartbeat.answered(request["pong"])
                return
            if not self._access_key:
                raise Refused(errors.REQUEST_ERROR, "nothing but a pong is taken here")
            if not self._rate.take(self._access_key, now_ms):
                raise Refused(errors.TOO_OFTEN)
            self._perform(request, now_ms)
        except Refused as no:
            self._outlet.send(dumps(error_of(no, self._codes)))

    def _perform(self, request: dict[str, Any], now_ms: int) -> None:
        if request.keys() != _FIELDS:
            raise Refused(errors.REQUEST_ERROR, "not channel, symbol, venues and action")
        topics = [self._topic(request["channel"], request["symbol"], venue) for venue in _venues(request["venues"])]
        if request["action"] not in ("sub", "unsub"):
            raise Refused(errors.REQUEST_ERROR, "action is not sub or unsub")
        for topic in topics:
            if request["action"] == "sub":
                self._feed.subscribe(self._outlet, topic, now_ms)
            else:
                self._feed.unsubscribe(self._outlet, topic)

    def _topic(self, channel: Any, symbol: Any, venue: str) -> Topic:
        if not isinstance(channel, str) or channel not in CHANNELS:
            raise Refused(errors.REQUEST_ERROR, "no such channel")
        if not isinstance(symbol, str):
            raise Refused(errors.REQUEST_ERROR, "symbol is not a text")
        if channel.startswith(KLINE):
            base, _, quote = symbol.partition("/")
            instrument = self._market.of_pair(base, quote, venue)
        else:
            instrument = self._market.instrument(symbol, venue)
        if channel != "orderbook" and venue not in STREAM_VENUES:
            raise Refused(errors.MAINTENANCE, venue)
        return Topic(channel, symbol, venue, instrument)


def _parsed(text: str) -> dict[str, Any]:
    try:
        request = loads(text)
    except ValueError as no:
        raise Refused(errors.REQUEST_ERROR, f"not JSON: {no!s:.100}") from None
    if not isinstance(request, dict):
        raise Refused(errors.REQUEST_ERROR, "not an object")
    return request


def _venues(given: Any) -> list[str]:
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_VENUES or not all(isinstance(each, str) for each in given):
        raise Refused(errors.REQUEST_ERROR, "venues is not a list of names")
    return list(dict.fromkeys(given))
