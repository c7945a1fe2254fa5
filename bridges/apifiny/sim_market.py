"""Market data of the simulated venue, as rows: what REST and the streams both tell. Pure.

Readings where the document is silent: a symbol that is listed nowhere is 0x04003A, one that this venue does not have is
0x20001A, a venue without the kind of data asked for is 0x05003D. Symbols are BTCUSDT, but BTC/USDT for candles on the stream.
"""

from bridges.apifiny import sim_errors as errors
from bridges.apifiny import sim_rows as rows
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_exchange import Exchange
from bridges.apifiny.sim_settings import Instrument
from bridges.apifiny.sim_tape import PERIODS

# "For trade, kline_<period> and ticker we support 6 venues currently"; REST's kline and ticker have GATEIO besides.
STREAM_VENUES = frozenset({"BINANCE", "BINANCEUS", "COINBASEPRO", "HUOBI", "KUCOIN", "OKEX"})
REST_VENUES = STREAM_VENUES | {"GATEIO"}
TRADES = 100
CANDLES = 500
KLINE = "kline_"
CHANNELS = frozenset({"orderbook", "trade", "ticker", *(KLINE + period for period in PERIODS)})


class Market:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def instrument(self, symbol: str, venue: str) -> Instrument:
        found = self._exchange.instrument(venue, symbol)
        if found is not None:
            return found
        raise Refused(errors.NO_MARKET if self._exchange.venues_of(symbol) else errors.UNKNOWN_SYMBOL, f"{symbol:.40} {venue:.40}")

    def of_pair(self, base: str, quote: str, venue: str) -> Instrument:
        """By its two currencies."""
        pairs = [(at, each) for at, each in self._exchange.instruments() if (each.base, each.quote) == (base, quote)]
        for at, each in pairs:
            if at == venue:
                return each
        raise Refused(errors.NO_MARKET if pairs else errors.UNKNOWN_SYMBOL, f"{base:.20}/{quote:.20} {venue:.40}")

    def book(self, symbol: str, venue: str, now_ms: int) -> rows.Row:
        return rows.book(symbol, self._exchange.books[venue, symbol], now_ms)

    def last_trade_id(self, symbol: str, venue: str) -> int:
        return self._exchange.tapes[venue, symbol].last_id

    def trades(self, symbol: str, venue: str, after_id: int = 0) -> list[rows.Row]:
        """The newest first, at most 100."""
        return [rows.trade(symbol, venue, each) for each in self._exchange.tapes[venue, symbol].latest(TRADES, after_id)]

    def ticker(self, symbol: str, venue: str, now_ms: int) -> rows.Row:
        return rows.ticker(symbol, venue, self._exchange.tapes[venue, symbol].day(now_ms), now_ms)

    def candles(self, of: Instrument, venue: str, period: str, start_ms: int | None = None, end_ms: int | None = None) -> list[rows.Row]:
        """Those that begin from `start_ms` to `end_ms`, the oldest first; the latest 500."""
        found = [
            each
            for each in self._exchange.tapes[venue, of.symbol].candles(period)
            if (start_ms is None or each.begin_ms >= start_ms) and (end_ms is None or each.begin_ms <= end_ms)
        ]
        return [rows.candle(f"{of.base}/{of.quote}", venue, period, each) for each in found[-CANDLES:]]
