"""Apifiny's streams: the heartbeat of each, what the order stream carries, subscriptions to market data. Pure.

Source: "Websocket API". Readings:

- The user streams ping like market data ("currently at 30s interval"; their sample answers pings). 75 s without a frame is silence.
- An update is {"logTimestamp", "payload"} (orders), or the same as the `result` of an envelope (balances): both forms on both streams.
- "1 request per second" holds for subscriptions: one each 1.1 s. Trades are streamed for six venues only.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bridges.apifiny.calls import MARKET_VENUES
from bridges.apifiny.reading import Failure, Malformed, outcome, rows
from bridges.wire import Frame, Out, Reconnect

__all__ = ["ASSET", "MARKET", "ORDER", "Heart", "Subscriptions", "payload", "pong"]

ORDER: Final = "order"
ASSET: Final = "asset"
MARKET: Final = "market"
_SECOND: Final = 1_000_000_000
SILENCE: Final = 75 * _SECOND
SUBSCRIBE_EVERY: Final = 1_100_000_000


@dataclass(slots=True)
class Heart:
    """When a stream was last heard; one for each connection."""

    stream: str
    heard: int
    leaving: bool = False
    """We have asked for a new connection; nothing of this one counts any more."""

    def tick(self, now: int) -> list[Out]:
        """A stream that has fallen silent is opened anew."""
        if self.leaving or now - self.heard <= SILENCE:
            return []
        return self.leave(f"nothing came for {SILENCE // _SECOND} s")

    def leave(self, why: str) -> list[Out]:
        """Ask for a new connection, once."""
        if self.leaving:
            return []
        self.leaving = True
        return [Reconnect(f"Apifiny's {self.stream} stream: {why}", self.stream)]


def pong(message: Any, stream: str) -> Frame | None:
    """The answer to a heartbeat; None for any other message."""
    number = message.get("ping") if isinstance(message, dict) else None
    return Frame(json.dumps({"pong": number}), stream) if type(number) is int else None


def payload(message: Any) -> list[dict[str, Any]] | Failure:
    """The rows that an update carries; none where it carries none. Raises `Malformed`."""
    if not isinstance(message, dict):
        raise Malformed("it is not an object")
    if "payload" not in message and ("result" in message or "error" in message):
        message = outcome(message)
        if isinstance(message, Failure):
            return message
    carried = message.get("payload") if isinstance(message, Mapping) else None
    return rows(carried) if carried is not None else []


class Subscriptions:
    """What is to be subscribed on the market stream, one at a time."""

    def __init__(self, symbols: Sequence[str], venue: str) -> None:
        self._symbols = list(symbols)
        self._venue = venue
        self._open = False
        self._left: deque[Frame] = deque()
        self._due = 0

    def learn(self, symbols: Sequence[str]) -> None:
        """What is new among these is subscribed too, after what still waits; on a closed stream when it is open."""
        new = [each for each in dict.fromkeys(symbols) if each not in self._symbols]
        self._symbols += new
        if self._open:
            self._left.extend(self._all(new))

    def opened(self) -> None:
        """A new connection: everything once more."""
        self._open = True
        self._left = deque(self._all(self._symbols))

    def closed(self) -> None:
        """No connection."""
        self._open = False
        self._left.clear()

    def tick(self, now: int) -> list[Out]:
        """The next subscription, when it may go."""
        if not self._left or now < self._due:
            return []
        self._due = now + SUBSCRIBE_EVERY
        return [self._left.popleft()]

    def _all(self, symbols: Sequence[str]) -> Iterator[Frame]:
        channels = ("orderbook", "trade") if self._venue in MARKET_VENUES else ("orderbook",)
        for channel in channels:
            for symbol in symbols:
                request = {"channel": channel, "symbol": symbol, "venues": [self._venue], "action": "sub"}
                yield Frame(json.dumps(request), MARKET)
