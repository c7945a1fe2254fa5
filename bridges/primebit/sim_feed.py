"""What the venue pushes on its channels, to whoever subscribed; and the faults on the way. Pure.

Readings where the document is silent:
 1. Every push is {"channel", "data", "message_timestamp_ms"}. What one request does is told before it is answered: order
    events, positions and market ticks in the order in which they happened, then accounts, then books and fair ticks.
 2. Books: the best 32 levels of both sides, whole, as in the initial state, whenever one of them changes.
 3. `market` ticks: one for each trade, with its price as `last`, its volume, and no `ask` and `bid`, as in the sample.
    `fair` ticks: whenever the best ask or bid changes, with both; `last` is the middle of them. `spot`, `funding` and
    `next-funding` can be subscribed to and never tick.
 4. `account` is told after trades, and when what its resting orders tie up may have changed; `positions` are told when the
    account trades. Neither is told when the price moves.
 5. Faults on streams meet events of the order channel alone, one event at a time, and only where somebody is subscribed
    to them: `duplicate_event` sends one twice, `reorder_events` holds one back until after the account's next, `garbage`
    sends two things that are none before it (a text that is no JSON, and JSON of no known form), and with match `stream`
    `drop_reply` loses one and `delay` sends it late. `new` and `cancel` (modifications included) narrow the first two to
    what such a request caused, and turn `garbage` to its answer over HTTP.
"""

import heapq
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Protocol

from bridges.faults import Faults
from bridges.matching import Side
from bridges.primebit import sim_rows as rows
from bridges.primebit.sim_exchange import Exchange, OrderTold, PositionTold, Ticked
from bridges.primebit.sim_rows import dumps

DEPTH = 32
TICKS = ("market", "fair", "spot", "funding", "next-funding")
PRIVATE = ("order", "account", "positions")
GARBAGE = ('{"channel":"order_this is not JSON', '{"nothing":[1,2,3],"known":null}')
Levels = list[tuple[Decimal, Decimal]]


class Subscriber(Protocol):
    """One connection: what it asked for."""

    channels: set[str]

    def send(self, text: str) -> None: ...


class Feed:
    """`subscribers` is the caller's: every connection there is. `environment` ends the names of public channels."""

    def __init__(self, exchange: Exchange, environment: str, faults: Faults, subscribers: Iterable[Subscriber]) -> None:
        self._exchange, self._environment, self._faults, self._subscribers = exchange, environment, faults, subscribers
        self._books = {f"order_book_{symbol}_{environment}": symbol for symbol in exchange.markets}
        self._ticks = {self._tick_channel(symbol, kind) for symbol in exchange.markets for kind in TICKS}
        self._private = {f"{kind}_{account_id}": (kind, account_id) for account_id in exchange.accounts for kind in PRIVATE}
        self._views = {symbol: self._view(symbol) for symbol in exchange.markets}
        self._held: dict[str, list[str]] = {}
        self._later: list[tuple[int, int, str, str]] = []
        self._postponed = 0
        exchange.take_changes()

    # Channels

    def owner(self, channel: str) -> str | None:
        """The account that a channel is of, None for a public one; KeyError for one that does not exist."""
        if channel in self._books or channel in self._ticks:
            return None
        return self._private[channel][1]

    def initial(self, channel: str) -> Any:
        """The initial state of a channel that exists; ticks have none."""
        if channel in self._books:
            return self._book(self._books[channel])
        if channel in self._ticks:
            return None
        kind, account_id = self._private[channel]
        if kind == "order":
            return self._exchange.open_rows(account_id)
        return self._exchange.account_row(account_id) if kind == "account" else self._exchange.position_rows(account_id)

    # Pushes

    def publish(self, now_ns: int, answer_to: str | None = None) -> None:
        """Tells what the exchange has done since the last time; `answer_to` is the kind of request that caused it."""
        changes = self._exchange.take_changes()
        for told in changes.told:
            match told:
                case OrderTold():
                    self._push(told, now_ns, answer_to)
                case PositionTold():
                    data = {"event_type": told.event_type, "position": told.row}
                    self._deliver(f"positions_{told.account_id}", data, now_ns)
                case Ticked():
                    data = rows.tick(None, None, told.price, told.volume, now_ns // 1_000_000)
                    self._deliver(self._tick_channel(told.symbol, "market"), data, now_ns)
        for account_id in changes.accounts:
            self._deliver(f"account_{account_id}", self._exchange.account_row(account_id), now_ns)
        for symbol in changes.symbols:
            self._publish_book(symbol, now_ns)

    @property
    def due_ns(self) -> int | None:
        """When `tick` has something to do next."""
        return self._later[0][0] if self._later else None

    def tick(self, now_ns: int) -> None:
        while self._later and self._later[0][0] <= now_ns:
            _, _, channel, text = heapq.heappop(self._later)
            self._send(channel, text)

    def reset(self) -> None:
        """Forgets what was to leave later."""
        self._later.clear()
        self._held.clear()

    def recalled(self) -> None:
        """Takes the exchange's books as they are now, untold."""
        self._views = {symbol: self._view(symbol) for symbol in self._exchange.markets}
        self._exchange.take_changes()

    # Parts

    def _tick_channel(self, symbol: str, kind: str) -> str:
        return f"tick_{symbol}_{kind}_{self._environment}"

    def _view(self, symbol: str) -> dict[Side, Levels]:
        book = self._exchange.markets[symbol].book
        return {side: book.levels(side, DEPTH) for side in Side}

    def _book(self, symbol: str) -> dict[str, Any]:
        view = self._views[symbol]
        return {"bids": rows.levels(view[Side.BUY]), "asks": rows.levels(view[Side.SELL])}

    def _publish_book(self, symbol: str, now_ns: int) -> None:
        before, after = self._views[symbol], self._view(symbol)
        if after == before:
            return
        self._views[symbol] = after
        self._deliver(f"order_book_{symbol}_{self._environment}", self._book(symbol), now_ns)
        was, best = ({side: view[side][0][0] if view[side] else None for side in Side} for view in (before, after))
        if best != was:
            ask, bid = best[Side.SELL], best[Side.BUY]
            middle = None if ask is None or bid is None else (ask + bid) / 2
            data = rows.tick(ask, bid, middle, None, now_ns // 1_000_000)
            self._deliver(self._tick_channel(symbol, "fair"), data, now_ns)

    def _push(self, told: OrderTold, now_ns: int, answer_to: str | None) -> None:
        channel = f"order_{told.account_id}"
        if not self._has_subscribers(channel):
            return
        text = _message(channel, {"event_type": told.event_type, "order": told.row}, now_ns)
        late = self._faults.take_request("stream", ("drop_reply", "delay"))
        if late is not None:
            if late.kind == "delay":
                self._postponed += 1
                heapq.heappush(self._later, (now_ns + round(late.delay_s * 1e9), self._postponed, channel, text))
            return
        # A `garbage` that is for a request's answer is for the HTTP one.
        fault = self._faults.take_stream(answer_to, ("duplicate_event", "reorder_events"))
        fault = fault or self._faults.take_stream(None, ("garbage",))
        kind = fault.kind if fault is not None else ""
        if kind == "reorder_events":
            self._held.setdefault(channel, []).append(text)
            return
        before = GARBAGE if kind == "garbage" else ()
        again = (text,) if kind == "duplicate_event" else ()
        for each in (*before, text, *again, *self._held.pop(channel, ())):
            self._send(channel, each)

    def _has_subscribers(self, channel: str) -> bool:
        return any(channel in each.channels for each in self._subscribers)

    def _deliver(self, channel: str, data: Any, now_ns: int) -> None:
        if self._has_subscribers(channel):
            self._send(channel, _message(channel, data, now_ns))

    def _send(self, channel: str, text: str) -> None:
        for each in self._subscribers:
            if channel in each.channels:
                each.send(text)


def _message(channel: str, data: Any, now_ns: int) -> str:
    return dumps({"channel": channel, "data": data, "message_timestamp_ms": now_ns // 1_000_000})
