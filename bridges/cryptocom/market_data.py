"""The public stream: best prices and last trades, kept in memory for later use. Pure.

Source: document, "WebSocket API" and "ws-api Demo (java)". Frames come as gzip, ours go as text. Readings:

- The two order books, "Incremental update" and "Full update", share one channel and one request: whichever comes is taken. Of an
  increment "volume" 0 is taken for "this price is gone"; what comes before the first full book is passed over.
- {"ping": n} is answered by {"pong": n}, the demo's replacement of one word by the other. Silence for `SILENCE` is a dead line.
- Nothing is numbered, so a lost frame cannot be noticed; a full book comes again "regularly".

Orders never depend on this: a lost stream is a note, not a link that is down.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from bridges.cryptocom.reading import Malformed, amount, parse, printable
from bridges.wire import Frame, Note, Out, Reconnect, Top

__all__ = ["MarketData"]

FRAME_BYTES: Final = 10 * 1024 * 1024
SILENCE: Final = 20_000_000_000
"""Ns: four of the venue's pings."""
_LEVELS: Final = 150
_LEVELS_AT_MOST: Final = 5_000
_GZIP: Final = 31
"""zlib's name for a gzip header."""


class _Book:
    def __init__(self) -> None:
        self.sides: dict[str, dict[Decimal, Decimal]] | None = None
        self.last: Decimal | None = None


class MarketData:
    """The stream of one connection after another. `symbols` are the venue's."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self._symbols = tuple(dict.fromkeys(symbols))
        self._books: dict[str, _Book] = {}
        self._heard: int | None = None
        """When the last frame came; None while the stream is closed."""

    def top(self, symbol: str) -> Top:
        """What is known of a symbol now."""
        book = self._books.get(symbol)
        if book is None:
            return Top()
        if book.sides is None:
            return Top(last=book.last)
        bids, asks = book.sides["buys"], book.sides["asks"]
        bid, ask = max(bids, default=None), min(asks, default=None)
        bid_qty, ask_qty = None if bid is None else bids[bid], None if ask is None else asks[ask]
        return Top(bid=bid, bid_qty=bid_qty, ask=ask, ask_qty=ask_qty, last=book.last)

    def learn(self, symbols: Sequence[str]) -> list[Out]:
        """What is new among these is subscribed, now or when the stream is open."""
        new = tuple(each for each in dict.fromkeys(symbols) if each not in self._symbols)
        self._symbols += new
        return self._subscribe(new) if self._heard is not None else []

    def opened(self, now: int) -> list[Out]:
        """Subscribe to everything."""
        self._heard = now
        self._books = {}
        return self._subscribe(self._symbols)

    def _subscribe(self, symbols: Sequence[str]) -> list[Out]:
        outs: list[Out] = []
        for symbol in symbols:
            self._books[symbol] = _Book()
            depth = {"channel": f"market_{symbol}_depth_step0", "cb_id": symbol, "asks": _LEVELS, "bids": _LEVELS}
            trades = {"channel": f"market_{symbol}_trade_ticker", "cb_id": symbol}
            outs += [Frame(json.dumps({"event": "sub", "params": params})) for params in (depth, trades)]
        return outs

    def receive(self, frame: str | bytes, now: int) -> list[Out]:
        """A frame."""
        self._heard = now
        try:
            message = parse(_text(frame))
            if not isinstance(message, dict):
                raise Malformed("not an object")
            if "ping" in message:
                return [_pong(message["ping"])]
            if message.get("status") not in (None, "ok"):
                return [Note(f"a subscription was refused: {printable(str(message.get('channel')))}, {printable(str(message.get('msg')))}")]
            self._take(message)
        except Malformed as wrong:
            # Not knowing what was in it, the books cannot be trusted any more.
            return [Reconnect(f"a frame that makes no sense: {wrong}")]
        return []

    def closed(self, why: str) -> list[Out]:
        """The stream is gone, and what it said is old."""
        was_open, self._heard = self._heard is not None, None
        self._books = {}
        return [Note(f"the market data stream is closed: {printable(why)}")] if was_open else []

    def tick(self, now: int) -> list[Out]:
        """The watchdog."""
        if self._heard is None or now - self._heard < SILENCE:
            return []
        self._heard = None
        return [Reconnect(f"nothing came for {SILENCE // 1_000_000_000} s")]

    def _take(self, message: dict[str, Any]) -> None:
        channel, tick = message.get("channel"), message.get("tick")
        if not isinstance(channel, str) or tick is None:
            return
        symbol, _, kind = channel.removeprefix("market_").partition("_")
        book = self._books.get(symbol)
        if book is None or not isinstance(tick, dict):
            return
        if kind == "trade_ticker":
            rows = tick.get("data")
            if not isinstance(rows, list):
                raise Malformed("trades without a list")
            trades = [_fields(row, "price", "vol") for row in rows]
            if trades:
                book.last = trades[0][0]  # the newest comes first, as in the sample
        elif kind == "depth_step0":
            self._depth(book, tick)

    def _depth(self, book: _Book, tick: dict[str, Any]) -> None:
        if "side" not in tick:
            book.sides = {side: dict(_levels(tick.get(side))) for side in ("asks", "buys")}
        elif book.sides is not None:
            if tick["side"] not in ("asks", "buys"):
                raise Malformed("a side that is none")
            price, volume = _fields(tick, "price", "volume")
            levels = book.sides[tick["side"]]
            if volume:
                levels[price] = volume
            else:
                levels.pop(price, None)
        if book.sides is not None and max(map(len, book.sides.values())) > _LEVELS_AT_MOST:
            raise Malformed(f"a book of more than {_LEVELS_AT_MOST} prices a side")


def _text(frame: str | bytes) -> str | bytes:
    if isinstance(frame, str):
        return frame
    inflating = zlib.decompressobj(_GZIP)
    try:
        text = inflating.decompress(frame, FRAME_BYTES + 1)
    except zlib.error:
        raise Malformed("not gzip") from None
    if len(text) > FRAME_BYTES:
        raise Malformed(f"it inflates to more than {FRAME_BYTES} bytes")
    if not inflating.eof:
        raise Malformed("gzip without an end")
    return text


def _pong(number: object) -> Frame:
    if isinstance(number, bool) or not isinstance(number, int):
        raise Malformed("a ping without a number")
    return Frame(json.dumps({"pong": number}))


def _levels(rows: object) -> Iterable[tuple[Decimal, Decimal]]:
    if not isinstance(rows, list):
        raise Malformed("a book without a side")
    for row in rows:
        if not isinstance(row, list) or len(row) != 2:
            raise Malformed("a level that is no pair")
        yield amount(row[0], Decimal(0)), amount(row[1], Decimal(0))


def _fields(row: object, price: str, volume: str) -> tuple[Decimal, Decimal]:
    if not isinstance(row, dict):
        raise Malformed("not an object")
    return amount(row.get(price), Decimal(0)), amount(row.get(volume), Decimal(0))
