"""What was traded in a market: the last trades, the last 24 hours, candles. Pure.

Assumptions:
 1. `mark_price` is the last trade's price; before the first one, the middle of the seeded book, cut to the price's step.
 2. Tickers' `base_amount` and `quote_amount` are of the last 24 hours, of the last 5,000 trades at most.
 3. There are candles only for periods with trades (the document's "nearest candle from the past" lies 24 hours back); that one
    is the newest before `from`, null without any. `from` and `to` are epoch seconds of a candle's start, both included.
 4. A candle's `id` is that of its first trade. `buys` and `sells` are volumes by the taker's side. Resolutions are whole
    minutes in seconds, up to a week.
"""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

from bridges.matching import ZERO, Side
from bridges.moonbase.sim_orders import Traded

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
MAX_TRADES = 5_000
MAX_RESOLUTION = 7 * 86_400


@dataclass(slots=True)
class Candle:
    """`start_s` in epoch seconds, volumes in base asset."""

    candle_id: int
    start_s: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    buys: Decimal = ZERO
    sells: Decimal = ZERO

    def take(self, trade: Traded) -> None:
        self.high, self.low = max(self.high, trade.price), min(self.low, trade.price)
        self.close = trade.price
        if trade.side is Side.BUY:
            self.buys += trade.amount
        else:
            self.sells += trade.amount


class Tape:
    def __init__(self, first_price: Decimal) -> None:
        self.last = first_price
        self._trades: deque[Traded] = deque(maxlen=MAX_TRADES)

    def add(self, trade: Traded) -> None:
        self.last = trade.price
        self._trades.append(trade)

    def latest(self, count: int) -> list[Traded]:
        """Newest first."""
        return [trade for trade, _ in zip(reversed(self._trades), range(count), strict=False)]

    def day(self, now_ns: int) -> tuple[Decimal, Decimal]:
        """Base and quote amounts of the last 24 hours."""
        base = quote = ZERO
        for trade in reversed(self._trades):
            if trade.at_ns <= now_ns - DAY_NS:
                break
            base += trade.amount
            quote += trade.amount * trade.price
        return base, quote

    def candles(self, from_s: int, to_s: int, resolution_s: int) -> tuple[list[Candle], int | None]:
        """Those within, oldest first, and the start of the newest before."""
        found: list[Candle] = []
        before = None
        for trade in self._trades:
            start_s = trade.at_ns // SECOND_NS // resolution_s * resolution_s
            if start_s < from_s:
                before = start_s
            elif start_s <= to_s:
                _add(found, start_s, trade)
        return found, before

    def candle(self, resolution_s: int) -> Candle | None:
        """The newest one."""
        if not self._trades:
            return None
        start_s = self._trades[-1].at_ns // SECOND_NS // resolution_s * resolution_s
        return self.candles(start_s, start_s, resolution_s)[0][-1]


def _add(found: list[Candle], start_s: int, trade: Traded) -> None:
    # "not equal" rather than "before": the clock may have gone back.
    if not found or found[-1].start_s != start_s:
        found.append(Candle(trade.trade_id, start_s, trade.price, trade.price, trade.price, trade.price))
    found[-1].take(trade)
