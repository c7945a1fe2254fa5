"""The WebSocket API's channels: what each message asks for, and what each channel shows. Pure.

Assumptions:
 1. Numbers in `tick` and in answers to requests are JSON numbers; only `review` has text, as their samples do.
 2. A trade's `amount` is its total (price times `vol`); `ds` is UTC. A ticker's and a candle's `amount` is quote coin.
 3. kline requests: `since` is the start of the first candle wanted, in epoch seconds; `endIdx` the start of the last one
    (also epoch seconds; empty: the newest); `pageSize` up to 300. They are texts or numbers, and the answer echoes
    `since`. trade requests: `top` up to 200, 200 if not said. depth: `asks` and `bids` up to 150, 150 if not said.
 4. `cb_id` is echoed as it came, and left out where none came.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridges.cryptocom.sim_exchange import Exchange
from bridges.cryptocom.sim_market_api import MAX_CANDLES, MAX_LEVELS, MAX_TRADES
from bridges.cryptocom.sim_tape import Candle, Tape, Traded
from bridges.cryptocom.sim_text import date_text, plain, plain_text

MINUTES = {
    "1min": 1,
    "5min": 5,
    "15min": 15,
    "30min": 30,
    "60min": 60,
    "1day": 1440,
    "1week": 10080,
    "1month": 43200,
}
_CHANNEL = re.compile(r"market_([a-z0-9]+)_(?:(trade_ticker|ticker)|(kline)_([a-z0-9]+)|(depth)_step([0-2]))")


@dataclass(frozen=True, slots=True)
class Channel:
    """`kind`: `review`, `ticker`, `trade_ticker`, `kline` (of `minutes`) or `depth` (of `step`)."""

    name: str
    kind: str
    symbol: str = ""
    minutes: int = 0
    step: int = 0


def parse_channel(name: object, symbols: Iterable[str]) -> Channel | None:
    """None where there is no such channel."""
    if name == "review":
        return Channel("review", "review")
    found = _CHANNEL.fullmatch(name) if isinstance(name, str) else None
    if found is None or found[1] not in symbols or (found[3] and found[4] not in MINUTES):
        return None
    if found[3]:
        return Channel(found[0], "kline", found[1], minutes=MINUTES[found[4]])
    if found[5]:
        return Channel(found[0], "depth", found[1], step=int(found[6]))
    return Channel(found[0], found[2], found[1])


def whole(params: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    """An optional whole number, as a number or a text; ValueError outside its bounds."""
    value = params.get(name)
    if value is None or value == "":
        return default
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} is not a whole number between {least} and {most}")
    return value


def review(exchange: Exchange, now_ms: int) -> dict[str, Any]:
    rows = {}
    for symbol, tape in exchange.tapes.items():
        day = tape.day(now_ms)
        rows[symbol] = {name: plain_text(amount) for name, amount in _amounts(day).items()}
        rows[symbol]["rose"] = plain_text(round(day.rose, 8))
    return rows


def ticker_tick(tape: Tape, now_ms: int) -> dict[str, Any]:
    day = tape.day(now_ms)
    return {
        "id": now_ms // 1000,
        **_plain(day),
        "rose": plain(round(day.rose, 8)),
        "ts": now_ms,
        "lower_frame": "0",
    }


def kline_tick(candle: Candle) -> dict[str, Any]:
    return {"id": candle.start_s, **_plain(candle)}


def kline_rows(tape: Tape, minutes: int, params: Mapping[str, Any], now_ms: int) -> list[dict[str, Any]]:
    """ "Request k-line data history"; ValueError for a parameter out of bounds."""
    since = whole(params, "since", 0, 0, 10**12)
    last = whole(params, "endIdx", 10**12, 0, 10**12)
    size = whole(params, "pageSize", MAX_CANDLES, 1, MAX_CANDLES)
    rows = [kline_tick(each) for each in tape.candles(minutes, now_ms, MAX_CANDLES) if since <= each.start_s <= last]
    return rows[-size:]


def trade_rows(trades: Iterable[Traded]) -> list[dict[str, Any]]:
    return [
        {
            "id": each.trade_id,
            "side": each.side.value.lower(),
            "price": plain(each.price),
            "vol": plain(each.qty),
            "amount": plain(each.price * each.qty),
            "ts": each.at_ms,
            "ds": date_text(each.at_ms),
        }
        for each in trades
    ]


def requested_trades(tape: Tape, params: Mapping[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """ "Request last 200 trades": `top` and the rows; ValueError for a `top` out of bounds."""
    top = whole(params, "top", MAX_TRADES, 1, MAX_TRADES)
    return top, trade_rows(tape.latest(top))


def book_sizes(params: Mapping[str, Any]) -> tuple[int, int]:
    """Levels wanted of asks and bids; ValueError out of bounds."""
    return whole(params, "asks", MAX_LEVELS, 1, MAX_LEVELS), whole(params, "bids", MAX_LEVELS, 1, MAX_LEVELS)


def _plain(candle: Candle) -> dict[str, Decimal]:
    return {name: plain(amount) for name, amount in _amounts(candle).items()}


def _amounts(candle: Candle) -> dict[str, Decimal]:
    return {
        "amount": candle.amount,
        "vol": candle.vol,
        "open": candle.open,
        "close": candle.close,
        "high": candle.high,
        "low": candle.low,
    }
