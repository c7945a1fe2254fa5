"""One connection to PrimeBit's WebSocket: subscriptions, their confirmations, heartbeats (document, "Web Socket API"). Pure.

Readings, where the document is silent:

- Each request has a correlation id of its own, and its answer is known by it; an answer with none (as in the samples) by the channel's name
  at the end of its message.
- The heartbeat is the structured ping; the raw "pong" is tolerated, and counts for nothing.
- A fresh state of a channel is had by unsubscribing and subscribing ("data field in response contains initial state").
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bridges.primebit.payload import mapped, name, printable
from bridges.wire import Frame

__all__ = ["ANSWER_WITHIN", "Channel", "Confirmed", "Happened", "Refused", "signature"]

_SECOND: Final = 1_000_000_000
PING_EVERY: Final = 5 * _SECOND
SILENCE: Final = 15 * _SECOND
"""ns without an answer to a ping after which the connection is dead."""
ANSWER_WITHIN: Final = 10 * _SECOND
_ASKED_AT_MOST: Final = 1_000


def signature(key: bytes, *parts: str) -> str:
    """Lower-case hexadecimal HMAC-SHA256 of the parts, one after the other."""
    return hmac.new(key, "".join(parts).encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A subscription, with the channel's state."""

    channel: str
    data: Any


@dataclass(frozen=True, slots=True)
class Refused:
    """A subscription that was not granted."""

    channel: str
    text: str


@dataclass(frozen=True, slots=True)
class Happened:
    """A message of a channel. `stamp`: message_timestamp_ms."""

    channel: str
    data: Any
    stamp: int


class Channel:
    """One connection."""

    def __init__(self, key_id: str, key: bytes, now: int) -> None:
        self._key_id = key_id
        self._key = key
        self._pinged = now
        self._unanswered: int | None = None
        self._serial = 0
        self._opened = now
        self._asked: dict[str, tuple[str, str]] = {}

    def subscribe(self, channel: str, now: int, private: bool) -> Frame:
        """Document, "Subscriptions", "WS Authorization"."""
        extra = {}
        if private:
            stamp = str(now // _SECOND)
            extra = {"timestamp": stamp, "api-key": self._key_id, "signature": signature(self._key, stamp)}
        return self._frame("subscribe", channel, extra)

    def unsubscribe(self, channel: str) -> Frame:
        """Document, "Unsubscribe from channel"."""
        return self._frame("unsubscribe", channel, {})

    def take(self, message: Any) -> Confirmed | Refused | Happened | None:
        """What a message says, None where nothing is to be done. Raises `Malformed`."""
        fields = mapped(message, "the message")
        if "channel" in fields:
            stamp = fields.get("message_timestamp_ms")
            return Happened(name(fields, "channel"), fields.get("data"), stamp if type(stamp) is int else 0)
        response = mapped(fields.get("response"), "response")
        method, channel = self._answered(fields.get("correlation_id"), printable(response.get("message")))
        if method == "ping":
            self._unanswered = None
        if method != "subscribe":
            return None
        if response.get("success") is not True:
            return Refused(channel, printable(response.get("message")))
        return Confirmed(channel, response.get("data"))

    def tick(self, now: int) -> Frame | None:
        """A ping, where one is due."""
        if now - self._pinged < PING_EVERY:
            return None
        self._pinged = now
        if self._unanswered is None:
            self._unanswered = now
        return self._frame("ping", "", {})

    def silent(self, now: int) -> bool:
        """Whether a ping has gone unanswered for too long."""
        return self._unanswered is not None and now - self._unanswered > SILENCE

    def _answered(self, ident: Any, text: str) -> tuple[str, str]:
        if isinstance(ident, str):
            return self._asked.pop(ident, ("", ""))
        words = text.split()
        wanted = ("ping", "") if text == "pong" else ("unsubscribe" if "unsubscribed" in words else "subscribe", words[-1] if words else "")
        for each, asked in self._asked.items():
            if asked == wanted:
                return self._asked.pop(each)
        return "", ""

    def _frame(self, method: str, channel: str, extra: Mapping[str, str]) -> Frame:
        self._serial += 1
        ident = f"{self._opened // 1_000_000}-{self._serial}"
        self._asked[ident] = (method, channel)
        if len(self._asked) > _ASKED_AT_MOST:
            del self._asked[next(iter(self._asked))]
        fields: dict[str, Any] = {"method": method}
        if channel:
            fields["params"] = [channel]
        return Frame(json.dumps(fields | {"correlation_id": ident, **extra}, separators=(",", ":")))
