"""What was traded in a market: the last trades, the last 24 hours, candles. Pure.

Assumptions:
 1. Before its first trade a market has a last price all the same: the middle of its seeded book.
 2. "24 hours" roll with the clock, and know the last 5,000 trades.
 3. Candles begin with the venue's start; one without trades stands at the close before it, as the sample's do. Weeks and
    months are 7 and 30 days of minutes (10080, 43200), counted from the epoch.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bridges.matching import ZERO, Side

DAY_MS = 86_400_000
MAX_TRADES = 5_000


@dataclass(frozen=True, slots=True)
class Traded:
    """A trade; `side` is the taker's."""

    trade_id: int
    side: Side
    price: Decimal
    qty: Decimal
    at_ms: int


@dataclass(slots=True)
class Candle:
    """`start_s` in epoch seconds; `vol` in base coin, `amount` in quote coin."""

    start_s: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    vol: Decimal = ZERO
    amount: Decimal = ZERO

    @property
    def rose(self) -> Decimal:
        return (self.close - self.open) / self.open if self.open else ZERO


class Tape:
    def __init__(self, first_price: Decimal, start_ms: int) -> None:
        self._first_price, self._start_ms = first_price, start_ms
        self._trades: deque[Traded] = deque(maxlen=MAX_TRADES)

    def add(self, trade: Traded) -> None:
        self._trades.append(trade)

    @property
    def last(self) -> Decimal:
        return self._trades[-1].price if self._trades else self._first_price

    def latest(self, count: int) -> list[Traded]:
        """Newest first."""
        newest = reversed(self._trades)
        return [trade for trade, _ in zip(newest, range(count), strict=False)]

    def since(self, trade_id: int) -> list[Traded]:
        """The trades after that one, newest first."""
        after = []
        for trade in reversed(self._trades):
            if trade.trade_id <= trade_id:
                break
            after.append(trade)
        return after

    def day(self, now_ms: int) -> Candle:
        """The last 24 hours as one candle."""
        before, recent = self._first_price, []
        for trade in self._trades:
            if trade.at_ms > now_ms - DAY_MS:
                recent.append(trade)
            else:
                before = trade.price
        return _fold(Candle((now_ms - DAY_MS) // 1000, before, before, before, before), recent)

    def candles(self, minutes: int, now_ms: int, count: int) -> list[Candle]:
        """At most `count` candles up to the one that is open, oldest first."""
        period_s = minutes * 60
        newest = now_ms // 1000 // period_s
        oldest = min(newest, max(self._start_ms // 1000 // period_s, newest - count + 1))
        close, candles = self._first_price, []
        trades = iter(self._trades)
        trade = next(trades, None)
        for index in range(oldest, newest + 1):
            inside = []
            while trade is not None and trade.at_ms // 1000 // period_s <= index:
                if trade.at_ms // 1000 // period_s == index:
                    inside.append(trade)
                else:
                    close = trade.price
                trade = next(trades, None)
            candles.append(_fold(Candle(index * period_s, close, close, close, close), inside))
            close = candles[-1].close
        return candles


def _fold(candle: Candle, trades: Iterable[Traded]) -> Candle:
    for trade in trades:
        candle.high, candle.low = max(candle.high, trade.price), min(candle.low, trade.price)
        candle.close = trade.price
        candle.vol += trade.qty
        candle.amount += trade.qty * trade.price
    return candle
