"""The WebSocket's conversation: requests, answers and pings. Pure: a connection is an `Outlet` passed in.

Source: "Web Socket API". Readings where the document is silent or broken:
 1. A raw `ping` is answered by a raw `pong`; anything else is a JSON object of `method`, `params`, `correlation_id` and, for
    private channels, `api-key`, `timestamp` and `signature`, all of them texts. A field beyond these is a fault.
 2. A subscription names one channel. It is answered "successfully subscribed to <channel>", as in all samples but the
    first, with the initial state as `data`; subscribing again is answered by the state again.
 3. Every private subscription is signed; the key must be the account's own. Unsubscribing needs no signature, and what
    was not subscribed is unsubscribed with success.
 4. Faults of the client are answered with `success` false, the fault as `message` and `data` null. The connection stays;
    silence does not end it.
"""

import json
from typing import Any, Protocol

from bridges.primebit import sim_errors as errors
from bridges.primebit.sim_auth import Keys, raw
from bridges.primebit.sim_errors import Refused
from bridges.primebit.sim_feed import Feed
from bridges.primebit.sim_rows import dumps
from bridges.primebit.sim_tally import Tally

_FIELDS = frozenset({"method", "params", "correlation_id", "api-key", "timestamp", "signature"})


class Outlet(Protocol):
    def send(self, text: str) -> None: ...


class Session:
    """One connection: a `sim_feed.Subscriber`."""

    def __init__(self, outlet: Outlet, keys: Keys, feed: Feed, tally: Tally) -> None:
        self._outlet, self._keys, self._feed, self._tally = outlet, keys, feed, tally
        self.channels: set[str] = set()

    def send(self, text: str) -> None:
        self._outlet.send(text)

    def receive(self, text: str, now_ns: int) -> None:
        """One text from the client; whatever it is, there is an answer."""
        if text == "ping":
            self._tally.by_kind["ping"] += 1
            self.send("pong")
            return
        correlation_id: str | None = None
        try:
            request = _parsed(text)
            correlation_id = _text(request, "correlation_id") if request.get("correlation_id") is not None else None
            message, data = self._perform(request, now_ns)
            success = True
        except Refused as no:
            success, message, data = False, f"{no.code}: {no.message}", None
        response = {"message": message, "success": success, "data": data}
        self.send(dumps({"correlation_id": correlation_id, "response": response}))

    def _perform(self, request: dict[str, Any], now_ns: int) -> tuple[str, Any]:
        """Message and data of the answer; Refused."""
        for name in request:
            if name not in _FIELDS:
                raise errors.field(name[:40], "unknown field")
        match _text(request, "method"):
            case "ping":
                self._tally.by_kind["ping"] += 1
                return "pong", None
            case "subscribe":
                self._tally.by_kind["subscribe"] += 1
                return self._subscribe(request, now_ns)
            case "unsubscribe":
                self._tally.by_kind["unsubscribe"] += 1
                channel, _ = self._channel(request)
                self.channels.discard(channel)
                return f"successfully unsubscribed {channel}", None
        raise errors.field("method", "unknown")

    def _subscribe(self, request: dict[str, Any], now_ns: int) -> tuple[str, Any]:
        channel, owner = self._channel(request)
        if owner is not None and self._authorised(request, now_ns) != owner:
            raise errors.wrong_account()
        self.channels.add(channel)
        return f"successfully subscribed to {channel}", self._feed.initial(channel)

    def _channel(self, request: dict[str, Any]) -> tuple[str, str | None]:
        match request.get("params"):
            case [str(channel)]:
                pass
            case _:
                raise errors.field("params", "not one channel name")
        try:
            return channel, self._feed.owner(channel)
        except KeyError:
            raise errors.field("params", "there is no such channel") from None

    def _authorised(self, request: dict[str, Any], now_ns: int) -> str:
        try:
            key, timestamp, signature = (_text(request, name) for name in ("api-key", "timestamp", "signature"))
            return self._keys.check(key, raw(timestamp), signature, timestamp, now_ns)
        except Refused as no:
            self._tally.rejected_signatures += 1
            raise errors.unauthorised(no.message) from None


def _parsed(text: str) -> dict[str, Any]:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        raise errors.bad_request("not JSON") from None
    if not isinstance(request, dict):
        raise errors.bad_request("not a JSON object")
    return request


def _text(request: dict[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise errors.field(name, "missing" if value is None else "not a text")
    return value
