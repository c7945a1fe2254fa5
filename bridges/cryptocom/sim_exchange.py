"""The simulated venue: users, money, orders, books and tapes. Pure: the time comes in as epoch milliseconds.

Assumptions, where the document is silent (of errors: `sim_errors`; of the rules for an order: `sim_rules`):
 1. Ids are large integers that grow and differ from run to run: nineteen digits for orders, sixteen for trades. Both
    parties of a trade know it by one id, so a user who trades with himself has two fills of the same id.
 2. An order is created in 0 INIT and enters the market `accept_ms` later (0: at once); a cancel is 5 PENDING_CANCEL for
    `cancel_ms` (0: 4 CANCELED at once). An order being canceled may still be filled. Canceled with fills is 4 too.
 3. A market order never rests: what the book cannot fill is canceled (4), and without any fill at all it is 6 EXPIRED
    ("Abnormal order"). A market buy is 2 FILLED once its money buys no further lot, although some change is left.
 4. Resting orders lock what they may cost; fills move it at the resting order's price; a cancel unlocks the rest.
 5. The fee is `fee_rate` of what is received, in that coin (the samples' `fee_coin`: base for a buy, quote for a sell),
    cut to eight decimals. Maker and taker pay alike.
 6. "Up to 2,000 cancellations": the oldest 2,000 of the market.
 7. Another user's order, and an order asked for under another symbol, is one that does not exist.
"""

import heapq
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from typing import Any

from bridges.cryptocom.sim_errors import CANCEL_FAILED, NO_SUCH_ORDER, NOT_ENOUGH, denied
from bridges.cryptocom.sim_orders import LIVE, OPEN, Fill, Funds, NewOrder, Order, OrderType, Status
from bridges.cryptocom.sim_settings import CryptocomSettings, Instrument
from bridges.cryptocom.sim_tape import Tape, Traded
from bridges.matching import ZERO, Book, Placed, Side, Tif

MAX_CANCELS = 2000
# What outlives the venue's process: everything but its configuration, and the time of its start.
_KEPT = ("_orders", "_by_market", "_live", "_fills", "_due", "_funds", "books", "tapes", "_ordered", "_traded")
_CENT = Decimal("0.00000001")


class Exchange:
    """`start_ms` makes this run's ids differ from any other run's."""

    def __init__(self, settings: CryptocomSettings, start_ms: int) -> None:
        self.instruments = {each.symbol: each for each in settings.instruments}
        self._settings = settings
        self._start_ms = start_ms
        self._ordered = self._traded = 0
        self.reset(start_ms)

    def reset(self, now_ms: int) -> None:
        """Orders gone, books, tapes and balances as at the start. Ids go on."""
        self._orders: dict[int, Order] = {}
        # By user and market, oldest first, so that polling costs no more as the day grows old.
        self._by_market: dict[tuple[int, str], list[Order]] = {}
        self._live: dict[tuple[int, str], dict[int, Order]] = {}
        self._fills: dict[tuple[int, str], list[tuple[Order, Fill]]] = {}
        self._due: list[tuple[int, int, Order]] = []
        self._funds: dict[tuple[int, str], Funds] = {}
        for user in self._settings.users:
            for coin, amount in user.balances.items():
                self.funds(user.user_id, coin).normal += amount
        self.books = {symbol: _seeded(each) for symbol, each in self.instruments.items()}
        self.tapes = {symbol: Tape(_middle(each), now_ms) for symbol, each in self.instruments.items()}
        self.touched = set(self.instruments)

    def memory(self) -> dict[str, Any]:
        return {"start_ms": self._start_ms} | {name: getattr(self, name) for name in _KEPT}

    def recall(self, memory: dict[str, Any]) -> None:
        """Takes an earlier run's memory. Ids grow even where the clock went back in between."""
        for name in _KEPT:
            setattr(self, name, memory[name])
        self._start_ms = max(self._start_ms, memory["start_ms"])
        self.touched = set(self.instruments)
        self.check()

    # Questions

    def orders(self) -> Iterable[Order]:
        """Every order ever accepted, oldest first."""
        return self._orders.values()

    def all_orders(self, user_id: int, symbol: str) -> list[Order]:
        """Every order of the user in the market, newest first: also what was over before anybody looked."""
        return self._by_market.get((user_id, symbol), [])[::-1]

    def open_orders(self, user_id: int, symbol: str) -> list[Order]:
        """Newest first."""
        live = self._live.get((user_id, symbol), {})
        return [order for order in reversed(live.values()) if order.status in OPEN]

    def fills(self, user_id: int, symbol: str) -> list[tuple[Order, Fill]]:
        """Every fill of the user in the market, newest first."""
        return self._fills.get((user_id, symbol), [])[::-1]

    def find(self, user_id: int, symbol: str, order_id: int) -> Order:
        """Refused: no such order of this user in this market."""
        order = self._orders.get(order_id)
        if order is None or order.user_id != user_id or order.asked.symbol != symbol:
            raise denied(NO_SUCH_ORDER)
        return order

    def find_any(self, order_id: int) -> Order | None:
        return self._orders.get(order_id)

    def funds(self, user_id: int, coin: str) -> Funds:
        return self._funds.setdefault((user_id, coin), Funds())

    # What happens

    def advance(self, now_ms: int) -> None:
        """Whatever is due by the clock: orders enter the market and cancels take effect."""
        while self._due and self._due[0][0] <= now_ms:
            at_ms, _, order = heapq.heappop(self._due)
            if order.status is Status.INIT:
                self._enter(order, at_ms)
            elif order.status is Status.PENDING_CANCEL:
                self._finish(order, Status.CANCELED, at_ms)

    def place(self, user_id: int, new: NewOrder, now_ms: int) -> Order:
        """Refused: the money is not there."""
        order_id = self._start_ms * 1_000_000 + self._ordered + 1
        order = Order(order_id, user_id, new, now_ms, now_ms)
        cost = new.volume if new.price is None or new.side is Side.SELL else new.price * new.volume
        funds = self.funds(user_id, self._pays(new))
        if cost > funds.normal:
            raise denied(NOT_ENOUGH, self._pays(new))
        self._ordered += 1
        funds.normal -= cost
        funds.locked += cost
        order.frozen = cost
        self._orders[order_id] = order
        self._by_market.setdefault((user_id, new.symbol), []).append(order)
        self._live.setdefault((user_id, new.symbol), {})[order_id] = order
        if self._settings.accept_ms:
            heapq.heappush(self._due, (now_ms + self._settings.accept_ms, order_id, order))
        else:
            self._enter(order, now_ms)
        return order

    def cancel(self, order: Order, now_ms: int) -> None:
        """A user's cancel. Refused: the order is over, or being canceled."""
        if order.status not in OPEN:
            raise denied(CANCEL_FAILED, order.status.name)
        if self._settings.cancel_ms and order.status is not Status.INIT:
            order.status, order.updated_ms = Status.PENDING_CANCEL, now_ms
            heapq.heappush(self._due, (now_ms + self._settings.cancel_ms, order.order_id, order))
        else:
            self._finish(order, Status.CANCELED, now_ms)

    def cancel_all(self, user_id: int, symbol: str, now_ms: int) -> None:
        for order in self.open_orders(user_id, symbol)[: -MAX_CANCELS - 1 : -1]:
            self.cancel(order, now_ms)

    def cancel_by_venue(self, order: Order, now_ms: int) -> None:
        """Refused: the order is over."""
        if order.status not in LIVE:
            raise denied(CANCEL_FAILED, order.status.name)
        self._finish(order, Status.CANCELED, now_ms)

    def trade(self, symbol: str, side: Side, qty: Decimal, price: Decimal, now_ms: int) -> Placed:
        """A counterparty's IOC limit order; KeyError for an unknown symbol."""
        placed = self.books[symbol].add_limit("counterparty", side, price, qty, Tif.IOC)
        self._settle(symbol, side, None, placed, now_ms)
        return placed

    def check(self) -> None:
        """Asserts what must always hold: sound books, no debts, and exactly the live orders' money locked."""
        for book in self.books.values():
            book.check()
        locked: dict[tuple[int, str], Decimal] = {}
        for order in self._orders.values():
            in_book = str(order.order_id) in self.books[order.asked.symbol]
            assert in_book == (order.status in LIVE - {Status.INIT}), f"{order} and its book disagree"
            live = self._live[order.user_id, order.asked.symbol]
            assert (order.order_id in live) == (order.status in LIVE)
            assert order.filled == sum((fill.qty for fill in order.fills), ZERO)
            assert order.fee == sum((fill.fee for fill in order.fills), ZERO)
            assert order.remaining >= 0
            assert order.status in LIVE or not order.frozen
            key = (order.user_id, self._pays(order.asked))
            locked[key] = locked.get(key, ZERO) + order.frozen
        for key, funds in self._funds.items():
            assert funds.normal >= 0, f"{key} is in debt"
            assert funds.locked == locked.pop(key, ZERO), f"{key} has the wrong amount locked"
        assert not any(locked.values())

    # Parts

    def _enter(self, order: Order, now_ms: int) -> None:
        new, book_id = order.asked, str(order.order_id)
        book, lot = self.books[new.symbol], self.instruments[new.symbol].lot
        if new.by_total:
            placed = book.add_market_cash(book_id, new.side, new.volume, lot)
        elif new.price is None:
            placed = book.add_market(book_id, new.side, new.volume)
        else:
            placed = book.add_limit(book_id, new.side, new.price, new.volume)
        order.status = Status.NEW
        self._settle(new.symbol, new.side, order, placed, now_ms)
        if placed.complete:
            self._finish(order, Status.FILLED, now_ms)
        elif new.type is OrderType.MARKET:
            self._finish(order, Status.CANCELED if order.filled else Status.EXPIRED, now_ms)

    def _settle(self, symbol: str, side: Side, taker: Order | None, placed: Placed, now_ms: int) -> None:
        """Both parties' fills of each trade, and the tape."""
        self.touched.add(symbol)
        for trade in placed.trades:
            self._traded += 1
            trade_id = self._start_ms * 1000 + self._traded
            self.tapes[symbol].add(Traded(trade_id, side, trade.price, trade.qty, now_ms))
            maker = self._orders.get(int(trade.maker_id)) if trade.maker_id.isdigit() else None
            for order in (taker, maker):
                if order is not None:
                    self._fill(order, trade_id, trade.price, trade.qty, now_ms)
            if maker is not None and trade.maker_id not in self.books[symbol]:
                self._finish(maker, Status.FILLED, now_ms)

    def _fill(self, order: Order, trade_id: int, price: Decimal, qty: Decimal, now_ms: int) -> None:
        new, value = order.asked, price * qty
        instrument = self.instruments[new.symbol]
        spent, got, coin = (value, qty, instrument.base) if new.side is Side.BUY else (qty, value, instrument.quote)
        unlocked = new.price * qty if new.side is Side.BUY and new.price is not None else spent
        fee = (got * self._settings.fee_rate).quantize(_CENT, ROUND_DOWN)
        paying = self.funds(order.user_id, self._pays(new))
        paying.locked -= unlocked
        paying.normal += unlocked - spent
        self.funds(order.user_id, coin).normal += got - fee
        order.frozen -= unlocked
        order.filled += qty
        order.value += value
        order.fee += fee
        fill = Fill(trade_id, price, qty, fee, now_ms)
        order.fills.append(fill)
        self._fills.setdefault((order.user_id, new.symbol), []).append((order, fill))
        order.updated_ms = now_ms
        if order.status is not Status.PENDING_CANCEL:
            order.status = Status.PART_FILLED

    def _finish(self, order: Order, status: Status, now_ms: int) -> None:
        """The order is over: out of the book, and what it still locks is free."""
        symbol = order.asked.symbol
        self.books[symbol].cancel(str(order.order_id))
        self._live[order.user_id, symbol].pop(order.order_id, None)
        self.touched.add(symbol)
        funds = self.funds(order.user_id, self._pays(order.asked))
        funds.locked -= order.frozen
        funds.normal += order.frozen
        order.frozen = ZERO
        order.status, order.updated_ms = status, now_ms

    def _pays(self, new: NewOrder) -> str:
        instrument = self.instruments[new.symbol]
        return instrument.quote if new.side is Side.BUY else instrument.base


def _seeded(instrument: Instrument) -> Book:
    book, seed = Book(), instrument.seed
    if seed is not None:
        for i in range(seed.levels):
            book.add_limit(f"house-bid-{i}", Side.BUY, seed.bid - seed.step * i, seed.qty)
            book.add_limit(f"house-ask-{i}", Side.SELL, seed.ask + seed.step * i, seed.qty)
    return book


def _middle(instrument: Instrument) -> Decimal:
    return (instrument.seed.bid + instrument.seed.ask) / 2 if instrument.seed else ZERO
