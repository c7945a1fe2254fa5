"""What was traded at one venue in one symbol: the public trades, candles and the day's statistics. Pure.

Readings where the document is silent:
 1. The last 1000 trades are all that is known of the past: older candles are gone.
 2. A period in which nothing was traded has no candle. Weeks begin on Monday, months on the first, all in UTC.
 3. The ticker of a day without a trade has the last price there ever was, or 0.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from bridges.matching import ZERO, Side, Trade

MAX_TRADES = 1000
MINUTE_MS = 60_000
DAY_MS = 1440 * MINUTE_MS
# "The period of each candle, 1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w, 1M"; the last two are of the calendar.
_LENGTHS = {
    name: minutes * MINUTE_MS for name, minutes in {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1440}.items()
}
PERIODS = frozenset({*_LENGTHS, "1w", "1M"})


@dataclass(frozen=True, slots=True)
class PublicTrade:
    """`side` is the maker's ("side": "maker order side of this fill"); `at_ms` epoch milliseconds."""

    trade_id: int
    at_ms: int
    price: Decimal
    qty: Decimal
    side: Side


@dataclass(frozen=True, slots=True)
class Candle:
    """`volume` in base, `amount` in quote currency; `begin_ms` is the start of its period."""

    begin_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    amount: Decimal
    count: int


class Tape:
    def __init__(self) -> None:
        self._trades: deque[PublicTrade] = deque(maxlen=MAX_TRADES)
        self.last_id = 0

    def record(self, trades: Sequence[Trade], taker: Side, now_ms: int) -> None:
        for each in trades:
            self.last_id += 1
            self._trades.append(PublicTrade(self.last_id, now_ms, each.price, each.qty, taker.opposite))

    def latest(self, limit: int, after_id: int = 0) -> list[PublicTrade]:
        """The newest first."""
        newest = [each for each in self._trades if each.trade_id > after_id]
        return newest[: -limit - 1 : -1]

    def candles(self, period: str) -> list[Candle]:
        """The oldest first."""
        return [_candle(begin, list(trades)) for begin, trades in groupby(self._trades, lambda each: begin_of(each.at_ms, period))]

    def day(self, now_ms: int) -> Candle:
        """Of the 24 hours that end now."""
        trades = [each for each in self._trades if each.at_ms > now_ms - DAY_MS]
        if trades:
            return _candle(now_ms - DAY_MS, trades)
        last = self._trades[-1].price if self._trades else ZERO
        return Candle(now_ms - DAY_MS, last, last, last, last, ZERO, ZERO, 0)


def begin_of(at_ms: int, period: str) -> int:
    """The start of the period that a time lies in, in epoch milliseconds."""
    if period in _LENGTHS:
        return at_ms - at_ms % _LENGTHS[period]
    at = datetime.fromtimestamp(at_ms // 1000, UTC).replace(hour=0, minute=0, second=0)
    begin = at - timedelta(days=at.weekday()) if period == "1w" else at.replace(day=1)
    return int(begin.timestamp()) * 1000


def _candle(begin_ms: int, trades: Sequence[PublicTrade]) -> Candle:
    prices = [each.price for each in trades]
    volume = sum((each.qty for each in trades), ZERO)
    amount = sum((each.qty * each.price for each in trades), ZERO)
    return Candle(begin_ms, prices[0], max(prices), min(prices), prices[-1], volume, amount, len(trades))
