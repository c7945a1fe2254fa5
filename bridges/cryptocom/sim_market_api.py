"""The Market API (REST): each call from its parameters to its `data`, each number as its sample shows it. Pure.

Assumptions:
 1. Each answer is wrapped in `code`, `msg` and `data` ("Unless otherwise specified, all responses ..."), also where only
    `data` is shown.
 2. Depth steps: step0 has the market's own prices, step1 and step2 one and two decimals less; bids are rounded down and
    offers up. At most 150 levels a side. `time` is null, as in the sample.
 3. `change` is `rose`: the relative change over 24 hours, as in the sample. A side without orders is priced 0.
 4. klines: at most 300, oldest first; trades: newest first, `type` being the taker's side.
"""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from bridges.cryptocom.sim_errors import invalid, malformed
from bridges.cryptocom.sim_exchange import Exchange
from bridges.cryptocom.sim_text import number, plain, plain_text, whole_second
from bridges.matching import ZERO, Side

Params = Mapping[str, str]
Levels = list[tuple[Decimal, Decimal]]
MINUTES = {"1": 1, "5": 5, "15": 15, "30": 30, "60": 60, "1440": 1440, "10080": 10080, "43200": 43200}
STEPS = {"step0": 0, "step1": 1, "step2": 2}
MAX_CANDLES, MAX_TRADES, MAX_LEVELS = 300, 200, 150


class MarketApi:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def symbols(self, _params: Params, _now_ms: int) -> Any:
        return [
            {
                "symbol": each.symbol,
                "count_coin": each.quote,
                "amount_precision": each.amount_precision,
                "base_coin": each.base,
                "price_precision": each.price_precision,
            }
            for each in self._exchange.instruments.values()
        ]

    def tickers(self, _params: Params, now_ms: int) -> Any:
        return {"date": now_ms, "ticker": [self._ticker_row(symbol, now_ms) for symbol in self._exchange.instruments]}

    def ticker(self, params: Params, now_ms: int) -> Any:
        symbol = self._symbol(params)
        day = self._exchange.tapes[symbol].day(now_ms)
        return {
            "high": plain(day.high),
            "vol": plain(day.vol),
            "last": plain(day.close),
            "low": plain(day.low),
            "buy": f"{self._best(symbol, Side.BUY):.8f}",
            "sell": f"{self._best(symbol, Side.SELL):.8f}",
            "rose": plain(round(day.rose, 8)),
            "time": now_ms,
        }

    def klines(self, params: Params, now_ms: int) -> Any:
        symbol = self._symbol(params)
        minutes = _one_of(params, "period", MINUTES)
        return [
            [each.start_s, *map(plain, (each.open, each.high, each.low, each.close, each.vol))]
            for each in self._exchange.tapes[symbol].candles(minutes, now_ms, MAX_CANDLES)
        ]

    def trades(self, params: Params, _now_ms: int) -> Any:
        return [
            {
                "amount": number(each.qty, 16),
                "price": number(each.price, 16),
                "ctime": whole_second(each.at_ms),
                "id": each.trade_id,
                "type": each.side.value.lower(),
            }
            for each in self._exchange.tapes[self._symbol(params)].latest(MAX_TRADES)
        ]

    def prices(self, _params: Params, _now_ms: int) -> Any:
        return {symbol: plain(tape.last) for symbol, tape in self._exchange.tapes.items()}

    def depth(self, params: Params, _now_ms: int) -> Any:
        symbol = self._symbol(params)
        step = _one_of(params, "type", STEPS)
        asks, bids = (depth(self._exchange, symbol, side, step, MAX_LEVELS) for side in (Side.SELL, Side.BUY))
        return {"tick": {"asks": level_rows(asks), "bids": level_rows(bids), "time": None}}

    def _symbol(self, params: Params) -> str:
        symbol = params.get("symbol")
        if not symbol:
            raise malformed("symbol is missing")
        if symbol not in self._exchange.instruments:
            raise invalid("unknown symbol")
        return symbol

    def _ticker_row(self, symbol: str, now_ms: int) -> dict[str, Any]:
        day = self._exchange.tapes[symbol].day(now_ms)
        rose = plain_text(round(day.rose, 10))
        return {
            "symbol": symbol,
            "high": plain_text(day.high),
            "vol": plain_text(day.vol),
            "last": number(day.close, 16),
            "low": plain_text(day.low),
            "buy": plain(self._best(symbol, Side.BUY)),
            "sell": plain(self._best(symbol, Side.SELL)),
            "change": rose,
            "rose": rose,
        }

    def _best(self, symbol: str, side: Side) -> Decimal:
        return self._exchange.books[symbol].best(side) or ZERO


def depth(exchange: Exchange, symbol: str, side: Side, step: int, count: int) -> Levels:
    """(price, quantity), best first, at most `count`, prices merged by the step."""
    levels = exchange.books[symbol].levels(side, count if not step else None)
    if step:
        unit = exchange.instruments[symbol].tick.scaleb(step)
        rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
        merged: dict[Decimal, Decimal] = {}
        for price, qty in levels:
            coarse = (price / unit).to_integral_value(rounding) * unit
            merged[coarse] = merged.get(coarse, ZERO) + qty
        levels = list(merged.items())
    return levels[:count]


def level_rows(levels: Levels) -> list[list[Decimal]]:
    return [[plain(price), plain(qty)] for price, qty in levels]


def _one_of(params: Params, name: str, known: Mapping[str, int]) -> int:
    if not params.get(name):
        raise malformed(f"{name} is missing")
    if params[name] not in known:
        raise invalid(f"{name} is not one of {', '.join(known)}")
    return known[params[name]]
