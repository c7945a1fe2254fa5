"""The public part of the venue's REST API: `utils` and market data. Pure.

Readings where the document is silent:
 1. Nothing is signed, and a signature is not looked at. No parameter is taken but startTime and endTime of candles.
 2. Market data is answered bare, as in its samples; its errors in the standard form. A slash at the end does not matter.
 3. "We throttle public endpoints by Access Key 1 request per second": market data, by address, for no key is sent.
 4. listVenueInfo names every venue served here, enabled; "exchange " and "status " with a space are slips of the pen.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from bridges.apifiny import sim_errors as errors
from bridges.apifiny import sim_rows as rows
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_exchange import Exchange
from bridges.apifiny.sim_market import REST_VENUES, Market
from bridges.apifiny.sim_params import Params
from bridges.apifiny.sim_tape import PERIODS

UTILS = frozenset({"listVenueInfo", "listCurrency", "listSymbolInfo", "currentTimeMillis"})
# "/md/<kind>/v1/" and how many parts follow.
_MARKET_DATA = {"orderbook": 2, "trade": 2, "ticker": 2, "kline": 4}


@dataclass(frozen=True, slots=True)
class MarketPath:
    """A market-data path, taken apart."""

    kind: str
    parts: tuple[str, ...]


def market_path(path: str) -> MarketPath | None:
    match path.removesuffix("/").split("/"):
        case ["", "md", kind, "v1", *parts] if _MARKET_DATA.get(kind) == len(parts):
            return MarketPath(kind, tuple(parts))
    return None


class Public:
    def __init__(self, exchange: Exchange, market: Market, served: Collection[str]) -> None:
        self._exchange, self._market, self._served = exchange, market, served

    def utils(self, what: str, venue: str, query: str, now_ms: int) -> Any:
        Params.of_query(query, ())
        if venue and venue not in self._served:
            raise Refused(errors.WRONG_ENDPOINT, f"{venue:.40}")
        listed = [each for at, each in self._exchange.instruments() if at == venue or (not venue and at in self._served)]
        match what:
            case "listVenueInfo":
                return [{"exchange": each, "status": "enabled"} for each in self._served]
            case "listSymbolInfo":
                return [rows.symbol(each) for each in listed]
            case "listCurrency":
                return [rows.currency(each) for each in dict.fromkeys(name for each in listed for name in (each.base, each.quote))]
        return now_ms

    def market_data(self, path: MarketPath, query: str, now_ms: int) -> Any:
        if path.kind == "kline":
            return self._candles(path.parts, query)
        Params.of_query(query, ())
        symbol, venue = path.parts
        self._market.instrument(symbol, venue)
        match path.kind:
            case "orderbook":
                return self._market.book(symbol, venue, now_ms)
            case "trade":
                return self._market.trades(symbol, venue)
        _supported(venue)
        return self._market.ticker(symbol, venue, now_ms)

    def _candles(self, parts: tuple[str, ...], query: str) -> Any:
        venue, base, quote, period = parts
        params = Params.of_query(query, {"startTime", "endTime"})
        instrument = self._market.of_pair(base, quote, venue)
        _supported(venue)
        if period not in PERIODS:
            raise Refused(errors.REQUEST_ERROR, f"no such period: {period:.10}")
        start, end = params.whole_or_none("startTime"), params.whole_or_none("endTime")
        return self._market.candles(instrument, venue, period, start, end)


def _supported(venue: str) -> None:
    """ "Support 7 venues currently ... Others will result in an error message."""
    if venue not in REST_VENUES:
        raise Refused(errors.MAINTENANCE, venue)
