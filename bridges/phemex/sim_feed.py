"""What the venue pushes: AOP messages, books and trades, to whoever subscribed; and the faults on the way. Pure.

Readings where the document is silent or broken:
 1. AOP: one snapshot for each trading account, with its open orders and its last 100 others, each by the latest thing
    that happened to it; then one increment for each account and request (or trade), with every order's row in the order
    in which it happened, and the position of the symbol. `sequence` rises within a connection, over all its accounts,
    and has gaps: it counts what the venue does, not what the client is told.
 2. Books: price levels as in the sample, [priceEp, contracts] as numbers, the best 100 a side; an increment gives the
    new quantity of what changed in that view, 0 for a level that left it. `sequence` rises by 1 with each increment of
    a symbol, and a snapshot bears the latest.
 3. Trades: the sample's form, not the format's: `trades` with small-lettered sides and price and quantity as text,
    newest first. The price is scaled like every other one (the sample's 999 could be either).
 4. Faults on streams meet AOP increments alone, and only where somebody is subscribed to them: `duplicate_event` sends
    one twice, `reorder_events` holds one back until after the user's next, `garbage` sends two things that are none
    before it (a text that is no JSON, and JSON of no known form), and with match `stream` `drop_reply` loses one and
    `delay` sends it late. `new` and `cancel` narrow the first two to what such a request caused, and turn `garbage`
    to its answer over HTTP.
"""

import heapq
import json
from collections.abc import Iterable
from typing import Any, Protocol

from bridges.faults import Faults
from bridges.matching import Side
from bridges.phemex import sim_rows as rows
from bridges.phemex.sim_account import TradingAccount
from bridges.phemex.sim_exchange import Exchange
from bridges.phemex.sim_market import PublicTrade
from bridges.phemex.sim_orders import Row

DEPTH = 100
GARBAGE = ('{"accounts":[{"this is not JSON', '{"nothing":[1,2,3],"known":null}')
View = dict[Side, dict[int, int]]


class Subscriber(Protocol):
    """One connection: whose it is once it is authorised, and what it asked for."""

    user_id: int | None
    aop: bool
    books: set[str]
    trades: set[str]

    def send(self, text: str) -> None: ...


def dumps(message: Any) -> str:
    return json.dumps(message, separators=(",", ":"))


class Feed:
    """`subscribers` is the caller's: every connection there is."""

    def __init__(self, exchange: Exchange, faults: Faults, subscribers: Iterable[Subscriber]) -> None:
        self._exchange, self._faults, self._subscribers = exchange, faults, subscribers
        self._views: dict[str, View] = {symbol: self._view(symbol) for symbol in exchange.markets}
        self._book_seq = dict.fromkeys(exchange.markets, 1)
        self._trade_seq = dict.fromkeys(exchange.markets, 1)
        self._held: dict[int, list[str]] = {}
        self._later: list[tuple[int, int, int, str]] = []
        self._postponed = 0
        exchange.take_changes()

    # Snapshots

    def book_snapshot(self, symbol: str) -> str:
        view = self._views[symbol]
        return self._book(symbol, view[Side.SELL], view[Side.BUY], "snapshot")

    def trade_snapshot(self, symbol: str, now_ns: int) -> str:
        return self._trades(symbol, self._exchange.markets[symbol].trades, "snapshot", now_ns)

    def aop_snapshots(self, user_id: int, now_ns: int) -> list[str]:
        return [
            self._aop(
                account,
                [order.row for order in self._exchange.history(account)],
                account.positions,
                "snapshot",
                now_ns,
            )
            for account in self._exchange.accounts[user_id].values()
        ]

    # Increments

    def publish(self, now_ns: int, answer_to: str | None = None) -> None:
        """Tells what the exchange has done since the last time; `answer_to` is the kind of request that caused it."""
        changes = self._exchange.take_changes()
        for accounts in self._exchange.accounts.values():
            for account in accounts.values():
                if account.account_id in changes.rows:
                    happened, positions = changes.rows[account.account_id], changes.positions[account.account_id]
                    text = self._aop(account, happened, positions, "incremental", now_ns)
                    self._push(account.user_id, text, now_ns, answer_to)
        for symbol in changes.symbols:
            self._publish_book(symbol)
        for symbol, trades in changes.trades.items():
            self._trade_seq[symbol] += 1
            text = self._trades(symbol, reversed(trades), "incremental", now_ns)
            for each in self._subscribers:
                if symbol in each.trades:
                    each.send(text)

    @property
    def due_ns(self) -> int | None:
        """When `tick` has something to do next."""
        return self._later[0][0] if self._later else None

    def tick(self, now_ns: int) -> None:
        while self._later and self._later[0][0] <= now_ns:
            _, _, user_id, text = heapq.heappop(self._later)
            self._deliver(user_id, text)

    def reset(self) -> None:
        """Forgets what was to leave later."""
        self._later.clear()
        self._held.clear()

    def memory(self) -> dict[Any, Any]:
        return {"book_seq": self._book_seq, "trade_seq": self._trade_seq}

    def recall(self, memory: dict[Any, Any]) -> None:
        """Takes an earlier run's sequences, and the exchange's books as they are now."""
        self._book_seq, self._trade_seq = memory["book_seq"], memory["trade_seq"]
        self._views = {symbol: self._view(symbol) for symbol in self._exchange.markets}
        self._exchange.take_changes()

    # Parts

    def _publish_book(self, symbol: str) -> None:
        before, after = self._views[symbol], self._view(symbol)
        changed = {
            side: {price: after[side].get(price, 0) for price in sorted({**before[side], **after[side]})} for side in (Side.BUY, Side.SELL)
        }
        asks, bids = (
            {price: qty for price, qty in changed[side].items() if before[side].get(price, 0) != qty} for side in (Side.SELL, Side.BUY)
        )
        self._views[symbol] = after
        if not asks and not bids:
            return
        self._book_seq[symbol] += 1
        text = self._book(symbol, asks, bids, "incremental")
        for each in self._subscribers:
            if symbol in each.books:
                each.send(text)

    def _view(self, symbol: str) -> View:
        market = self._exchange.markets[symbol]
        return {side: dict(market.levels(side, DEPTH)) for side in Side}

    def _book(self, symbol: str, asks: dict[int, int], bids: dict[int, int], kind: str) -> str:
        book = {"asks": sorted(asks.items()), "bids": sorted(bids.items(), reverse=True)}
        return dumps({"book": book, "depth": DEPTH, "sequence": self._book_seq[symbol], "symbol": symbol, "type": kind})

    def _trades(self, symbol: str, trades: Iterable[PublicTrade], kind: str, now_ns: int) -> str:
        told = [[at_ns, side, str(price_ep), str(qty)] for at_ns, side, price_ep, qty in trades]
        seq = self._trade_seq[symbol]
        return dumps({"sequence": seq, "symbol": symbol, "timestamp": now_ns, "trades": told, "type": kind})

    def _aop(self, account: TradingAccount, happened: list[Row], symbols: Iterable[str], kind: str, now_ns: int) -> str:
        marks = {symbol: self._exchange.markets[symbol].last_ep for symbol in account.positions}
        return dumps(
            {
                "accounts": [rows.aop_account(account, self._exchange.used_ev(account))],
                "orders": [row | {"nthItem": i, "totalItems": len(happened)} for i, row in enumerate(happened, 1)],
                "positions": [rows.aop_position(account, account.positions[each], marks[each]) for each in symbols],
                "sequence": self._exchange.next_seq(),
                "timestamp": now_ns,
                "type": kind,
            }
        )

    def _push(self, user_id: int, text: str, now_ns: int, answer_to: str | None) -> None:
        if not any(each.aop and each.user_id == user_id for each in self._subscribers):
            return
        late = self._faults.take_request("stream", ("drop_reply", "delay"))
        if late is not None:
            if late.kind == "delay":
                self._postponed += 1
                due_ns = now_ns + round(late.delay_s * 1e9)
                heapq.heappush(self._later, (due_ns, self._postponed, user_id, text))
            return
        # A `garbage` that is for a request's answer is for the HTTP one.
        fault = self._faults.take_stream(answer_to, ("duplicate_event", "reorder_events"))
        fault = fault or self._faults.take_stream(None, ("garbage",))
        kind = fault.kind if fault is not None else ""
        if kind == "reorder_events":
            self._held.setdefault(user_id, []).append(text)
            return
        before = GARBAGE if kind == "garbage" else ()
        again = (text,) if kind == "duplicate_event" else ()
        for each in (*before, text, *again, *self._held.pop(user_id, ())):
            self._deliver(user_id, each)

    def _deliver(self, user_id: int, text: str) -> None:
        for each in self._subscribers:
            if each.aop and each.user_id == user_id:
                each.send(text)
