"""What the venue pushes to whoever joined, and the faults on the way. Pure.

Assumptions:
 1. A push has `ref` and `join_ref` null. Each change of an order is an `upsert` of one row on `/orders/<symbol>`, each trade an
    `insert` of one row on `/trades/<symbol>`, in the order in which they happened, after the reply of the request that
    caused them. Then, one each: books (what changed), tickers, candles (the open one), balances and positions.
 2. `phx_error` says of a channel that it broke; `ref` and `join_ref` are then its `join_ref`, as with `phx_close`.

Faults on streams meet pushes of `/orders/*` and `/trades/*` that somebody has joined: `duplicate_event` sends one twice,
`reorder_events` holds one back until after the next, `garbage` sends two things that are none before it (a text that is
no JSON, and JSON that is no frame); with match `stream`, `drop_reply` loses one and `delay` sends it late. `new`, `cancel` and
`query` narrow the first two to what such a request caused; `garbage` for those is in place of its reply (`sim_session`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from bridges.faults import Faults
from bridges.moonbase import sim_rows as rows
from bridges.moonbase.sim_channels import Channel, Channels
from bridges.moonbase.sim_exchange import Exchange, OrderChanged
from bridges.moonbase.sim_later import Later
from bridges.moonbase.sim_text import stamp

GARBAGE = ('{"ref":null,"join_ref":nul', '{"nothing":[1,2,3],"known":null}')


class Subscriber(Protocol):
    """One connection, and the channels that it has joined, by topic."""

    @property
    def user_id(self) -> int: ...
    def channel(self, topic: str) -> Channel | None: ...
    def joined(self, name: str) -> Iterable[Channel]: ...
    def push(self, topic: str, event: str, data: list[Any]) -> None: ...
    def send(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Push:
    """`user_id`: whom it is for, None for everybody."""

    topic: str
    event: str
    row: rows.Row
    user_id: int | None = None


class Feed:
    """`subscribers` is the caller's: every connection there is."""

    def __init__(self, exchange: Exchange, channels: Channels, faults: Faults, later: Later, subscribers: Iterable[Subscriber]) -> None:
        self._exchange, self._channels, self._faults, self._later = exchange, channels, faults, later
        self._subscribers = subscribers
        self._held: list[Push] = []
        self._views: dict[str, rows.Levels] = {}
        self.restart()

    def restart(self) -> None:
        """Takes the exchange as it is now; whatever is held back is forgotten."""
        self._exchange.take_changes()
        for account in self._exchange.accounts.values():
            account.changed_balances.clear()
            account.changed_positions.clear()
        self._views = {symbol: rows.levels(book) for symbol, book in self._exchange.books.items()}
        self._held.clear()

    def publish(self, now_ns: int, cause: str | None = None) -> None:
        """Tells what the exchange has done since the last time; `cause` is the kind of request that it comes from."""
        changes = self._exchange.take_changes()
        traded: dict[str, None] = {}
        for event in changes.events:
            if isinstance(event, OrderChanged):
                self._push(Push(f"/orders/{event.symbol}", "upsert", event.row, event.user_id), now_ns, cause)
            else:
                traded[event.symbol] = None
                self._push(Push(f"/trades/{event.symbol}", "insert", rows.trade(event, ids=True)), now_ns, cause)
        for symbol in changes.symbols:
            self._publish_market(symbol, now_ns)
        for symbol in traded:
            self._publish_candles(symbol)
        self._publish_accounts()

    def forget_held(self) -> None:
        self._held.clear()

    # Parts

    def _publish_market(self, symbol: str, now_ns: int) -> None:
        before, after = self._views[symbol], rows.levels(self._exchange.books[symbol])
        changed = {price: after.get(price, 0) for price in {**before, **after} if before.get(price) != after.get(price)}
        self._views[symbol] = after
        for each in self._subscribers:
            if changed and each.channel(f"/orderbooks/{symbol}") is not None:
                each.push(f"/orderbooks/{symbol}", "upsert", [[price, changed[price]] for price in sorted(changed)])
            for channel in each.joined("tickers"):
                if not channel.symbols or symbol in channel.symbols:
                    data = [{"updated_at": stamp(now_ns)} | row for row in self._channels.tickers((symbol,), now_ns)]
                    each.push(channel.topic, "upsert", data)

    def _publish_candles(self, symbol: str) -> None:
        for each in self._subscribers:
            channel = each.channel(f"/candles/{symbol}")
            candle = None if channel is None else self._exchange.tapes[symbol].candle(channel.resolution_s)
            if channel is not None and candle is not None:
                each.push(channel.topic, "upsert", [rows.candle(candle, symbol, channel.resolution_s)])

    def _publish_accounts(self) -> None:
        for user_id, account in self._exchange.accounts.items():
            balances = [rows.balance(account.balances[asset]) for asset in account.changed_balances]
            positions = rows.positions(account.positions[symbol] for symbol in account.changed_positions)
            account.changed_balances.clear()
            account.changed_positions.clear()
            for topic, data in (("/balances", balances), ("/positions", positions)):
                for each in self._subscribers:
                    if data and each.user_id == user_id and each.channel(topic) is not None:
                        each.push(topic, "upsert", data)

    def _push(self, push: Push, now_ns: int, cause: str | None) -> None:
        if not self._listeners(push):
            return
        late = self._faults.take_request("stream", ("drop_reply", "delay"))
        if late is not None:
            if late.kind == "delay":
                self._later.put(now_ns + round(late.delay_s * 1e9), lambda _then_ns: self._deliver(push))
            return
        fault = self._faults.take_stream(cause, ("duplicate_event", "reorder_events")) or self._faults.take_stream(None, ("garbage",))
        kind = fault.kind if fault is not None else ""
        if kind == "reorder_events":
            self._held.append(push)
            return
        if kind == "garbage":
            self._disturb(push)
        held, self._held = self._held, []
        for each in (push, *([push] if kind == "duplicate_event" else []), *held):
            self._deliver(each)

    def _listeners(self, push: Push) -> list[Subscriber]:
        return [
            each for each in self._subscribers if push.user_id in (None, each.user_id) and each.channel(push.topic) is not None
        ]  # fmt: skip

    def _disturb(self, push: Push) -> None:
        for each in self._listeners(push):
            for text in GARBAGE:
                each.send(text)

    def _deliver(self, push: Push) -> None:
        for each in self._listeners(push):
            each.push(push.topic, push.event, [push.row])
