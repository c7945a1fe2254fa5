"""What the venue pushes over WebSockets, to whoever asked for it, and the faults on the way. Pure.

Readings where the document is silent:
 1. `/order` tells every execution of the account, of orders by FIX and by REST alike, in the order in which it happened, each
    with the order as it was then; nothing is told at the start, nor that an order is PENDING_SUBMIT. A request that is
    refused is no order and is not told. A stream whose path names a venue tells of that venue, one without tells all.
 2. `/asset` tells the currencies of which anything changed, one message a venue for all that one input did, and nothing at
    the start.
 3. Market data is not acknowledged: the state of things is the answer (20 levels; the last 100 trades, none if there are none;
    the current candle, if there is one; the ticker), one message a venue. Then books come whole whenever one of these levels
    changed, trades as they happen, newest first, tickers after trades, candles after trades and every second.
 4. Faults meet `/order` messages alone, and only where somebody listens: `duplicate_event` sends one twice,
    `reorder_events` holds one back until after the next, `garbage` sends two things that are none before it (a text that is
    no JSON, and JSON of no known form), and with match `stream` `drop_reply` loses one and `delay` sends it late. `new` and
    `cancel` narrow the first two to what such a REST request caused, and turn `garbage` to its answer over HTTP.
"""

import heapq
from dataclasses import dataclass, field
from typing import Protocol

from bridges.apifiny import sim_rows as rows
from bridges.apifiny.sim_exchange import Exchange
from bridges.apifiny.sim_json import dumps
from bridges.apifiny.sim_market import KLINE, Market
from bridges.apifiny.sim_orders import Execution
from bridges.apifiny.sim_settings import Instrument
from bridges.apifiny.sim_tape import begin_of
from bridges.faults import Faults

GARBAGE = ('{"logTimestamp":{"this is not JSON', '{"nothing":[1,2,3],"known":null}')
CANDLE_MS = 1000


class Outlet(Protocol):
    def send(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Topic:
    """A market-data subscription; `symbol` as the client spelled it, `instrument` what it means."""

    channel: str
    symbol: str
    venue: str
    instrument: Instrument


@dataclass(slots=True)
class _Shown:
    """What a subscriber has been told of a topic."""

    levels: object = None
    trade_id: int = 0
    candle_ms: int = 0


@dataclass(slots=True)
class Subscriber:
    """One connection: of an account (`venue` "" for all of them), or of market data."""

    outlet: Outlet
    account_id: str = ""
    venue: str = ""
    funds: dict[tuple[str, str], tuple[object, object]] = field(default_factory=dict)
    topics: dict[Topic, _Shown] = field(default_factory=dict)


_Message = tuple[list[Outlet], str]


class Feed:
    """`publish` sends what the exchange has done since the last time."""

    def __init__(self, exchange: Exchange, market: Market, faults: Faults) -> None:
        self._exchange, self._market, self._faults = exchange, market, faults
        self._orders: dict[Outlet, Subscriber] = {}
        self._assets: dict[Outlet, Subscriber] = {}
        self._markets: dict[Outlet, Subscriber] = {}
        self._happened: list[_Message] = []
        self._held: list[_Message] = []
        self._later: list[tuple[int, int, _Message]] = []
        self._postponed = 0
        exchange.listener = self._hear

    # Subscribers

    def tell_orders(self, outlet: Outlet, account_id: str, venue: str) -> None:
        self._orders[outlet] = Subscriber(outlet, account_id, venue)

    def tell_assets(self, outlet: Outlet, account_id: str, venue: str) -> None:
        subscriber = self._assets[outlet] = Subscriber(outlet, account_id, venue)
        subscriber.funds = self._funds(subscriber)

    def subscribe(self, outlet: Outlet, topic: Topic, now_ms: int) -> None:
        subscriber = self._markets.setdefault(outlet, Subscriber(outlet))
        shown = subscriber.topics[topic] = _Shown()
        self._show(outlet, topic, shown, now_ms, first=True)

    def unsubscribe(self, outlet: Outlet, topic: Topic) -> None:
        if outlet in self._markets:
            self._markets[outlet].topics.pop(topic, None)

    def leave(self, outlet: Outlet) -> None:
        for subscribers in (self._orders, self._assets, self._markets):
            subscribers.pop(outlet, None)

    # Out

    def publish(self, now_ms: int, answer_to: str | None = None) -> None:
        """`answer_to`: the kind of REST request that caused it, if one did."""
        happened, self._happened = self._happened, []
        for message in happened:
            self._push(message, now_ms, answer_to if answer_to in ("new", "cancel") else None)
        for subscriber in self._assets.values():
            self._tell_funds(subscriber, now_ms)
        for subscriber in self._markets.values():
            for topic, shown in subscriber.topics.items():
                self._show(subscriber.outlet, topic, shown, now_ms)

    def reset(self) -> None:
        """Forgets what was to leave later; everybody stays subscribed and is told what the reset changed."""
        self._happened.clear()
        self._held.clear()
        self._later.clear()
        for subscriber in self._markets.values():
            for shown in subscriber.topics.values():
                shown.trade_id = 0

    @property
    def due_ms(self) -> int | None:
        return self._later[0][0] if self._later else None

    def tick(self, now_ms: int) -> None:
        """Sends what was delayed, and the candles of every second."""
        while self._later and self._later[0][0] <= now_ms:
            _send(heapq.heappop(self._later)[2])
        for subscriber in self._markets.values():
            for topic, shown in subscriber.topics.items():
                if topic.channel.startswith(KLINE) and now_ms - shown.candle_ms >= CANDLE_MS:
                    self._show_candle(subscriber.outlet, topic, shown, now_ms)

    # Orders

    def _hear(self, execution: Execution) -> None:
        order = execution.order
        asked = order.asked
        listening = [
            each.outlet for each in self._orders.values() if each.account_id == asked.account_id and each.venue in ("", asked.venue)
        ]
        if listening:
            instrument = self._exchange.instrument(asked.venue, asked.symbol)
            quote = "" if instrument is None else instrument.quote
            self._happened.append((listening, dumps(rows.order_update(order, quote, execution.at_ms))))

    def _push(self, message: _Message, now_ms: int, answer_to: str | None) -> None:
        lost = self._faults.take_request("stream", ("drop_reply", "delay"))
        if lost is not None:
            if lost.kind == "delay":
                self._postponed += 1
                heapq.heappush(self._later, (now_ms + round(lost.delay_s * 1000), self._postponed, message))
            return
        fault = self._faults.take_stream(answer_to, ("duplicate_event", "reorder_events")) or self._faults.take_stream(None, ("garbage",))
        kind = "" if fault is None else fault.kind
        if kind == "reorder_events":
            self._held.append(message)
            return
        if kind == "garbage":
            for text in GARBAGE:
                _send((message[0], text))
        _send(message)
        if kind == "duplicate_event":
            _send(message)
        held, self._held = self._held, []
        for earlier in held:
            _send(earlier)

    # Assets

    def _funds(self, of: Subscriber) -> dict[tuple[str, str], tuple[object, object]]:
        return {
            (venue, currency): (funds.available, funds.frozen)
            for (account_id, venue, currency), funds in self._exchange.ledger.items()
            if account_id == of.account_id and of.venue in ("", venue)
        }

    def _tell_funds(self, to: Subscriber, now_ms: int) -> None:
        before, to.funds = to.funds, self._funds(to)
        changed = [key for key, value in to.funds.items() if before.get(key) != value]
        for venue in dict.fromkeys(venue for venue, _ in changed):
            ledger = self._exchange.ledger
            of = [(name, ledger.of(to.account_id, venue, name)) for where, name in changed if where == venue]
            told = [(name, funds.available, funds.frozen) for name, funds in of]
            to.outlet.send(dumps(rows.balance_update(to.account_id, venue, told, now_ms)))

    # Market data

    def _show(self, outlet: Outlet, topic: Topic, shown: _Shown, now_ms: int, first: bool = False) -> None:
        symbol, venue = topic.instrument.symbol, topic.venue
        if topic.channel == "orderbook":
            book = self._market.book(symbol, venue, now_ms)
            levels = (book["asks"], book["bids"])
            if levels != shown.levels:
                shown.levels = levels
                _tell(outlet, topic, book)
            return
        last = self._market.last_trade_id(symbol, venue)
        if last == shown.trade_id and not first:
            return
        before, shown.trade_id = shown.trade_id, last
        if topic.channel == "trade":
            _tell(outlet, topic, {"trades": self._market.trades(symbol, venue, before)})
        elif topic.channel == "ticker":
            _tell(outlet, topic, self._market.ticker(symbol, venue, now_ms))
        else:
            self._show_candle(outlet, topic, shown, now_ms)

    def _show_candle(self, outlet: Outlet, topic: Topic, shown: _Shown, now_ms: int) -> None:
        period = topic.channel.removeprefix(KLINE)
        shown.candle_ms = now_ms
        for candle in self._market.candles(topic.instrument, topic.venue, period, start_ms=begin_of(now_ms, period))[-1:]:
            _tell(outlet, topic, candle)


def _tell(outlet: Outlet, topic: Topic, content: rows.Row) -> None:
    outlet.send(dumps({"venues": [topic.venue], "channel": topic.channel, "symbol": topic.symbol, topic.channel: content}))


def _send(message: _Message) -> None:
    outlets, text = message
    for outlet in outlets:
        outlet.send(text)
