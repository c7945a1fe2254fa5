"""Apifiny's books and trades, kept as best bid, best ask and last trade of each symbol (document, "Websocket API", "Market Data"). Pure.

Readings: each "orderbook" message is the whole book ("Order Book Payload" knows no increments); one that is older than the one before it
is not taken. Of trades, the one with the latest `tradeTime` is the last.

Books come many times a second, and are asked for once in a few seconds: a book's levels are read when they are asked for. One that makes
no sense is not believed, neither side of it, and the book before it is not there any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridges.apifiny.reading import Malformed, amount, name, positive, printable, rows
from bridges.wire import Note, Out, Top
from router.words import ZERO

__all__ = ["Markets"]


@dataclass(slots=True)
class _Market:
    book: Mapping[str, Any] | None = None
    """The newest one, while its levels are not read yet."""
    bid: tuple[Decimal, Decimal] | None = None
    ask: tuple[Decimal, Decimal] | None = None
    updated: Decimal = ZERO
    believed: Decimal = ZERO
    """`updatedAt` of the latest book that made sense; a later one that did not is no measure of what is old."""
    spoiled: bool = False
    """The last book made no sense: said once, until one does."""
    last: Decimal | None = None
    traded: Decimal = ZERO


class Markets:
    """The symbols of one venue; `link` is for notes."""

    def __init__(self, link: str, symbols: Sequence[str]) -> None:
        self._name = link
        self._markets = {symbol: _Market() for symbol in symbols}
        self._notes: list[Out] = []

    def learn(self, symbols: Sequence[str]) -> None:
        """These too, from now on."""
        for symbol in symbols:
            self._markets.setdefault(symbol, _Market())

    def top(self, symbol: str) -> Top:
        """As it stands now; empty for a symbol that is not configured."""
        market = self._markets.get(symbol, _Market())
        self._read(symbol, market)
        bid, ask = market.bid or (None, None), market.ask or (None, None)
        return Top(bid[0], bid[1], ask[0], ask[1], market.last)

    def forget(self) -> None:
        """The stream is gone, and with it the books; the last trade stays true."""
        for market in self._markets.values():
            market.book, market.bid, market.ask, market.updated, market.believed = None, None, None, ZERO, ZERO

    def tick(self) -> list[Out]:
        """What `top` found to be nonsense."""
        notes, self._notes = self._notes, []
        return notes

    def receive(self, message: Any) -> list[Out]:
        """A message of the stream, whatever it is. Raises `Malformed`."""
        if isinstance(message, dict) and message.get("error"):
            return [Note(f"Apifiny's market stream of {self._name}: {printable(str(message['error']))}")]
        if isinstance(message, dict) and "channel" in message:
            self.take(message)
        return []

    def take(self, message: Mapping[str, Any]) -> None:
        """A message of the stream; one of a symbol that is not configured is passed over. Raises `Malformed`."""
        market = self._markets.get(name(message, "symbol"))
        match message.get("channel"):
            case "orderbook" if market is not None:
                _book(market, _object(message, "orderbook"))
            case "trade" if market is not None:
                _trades(market, rows(_object(message, "trade").get("trades", [])))

    def _read(self, symbol: str, market: _Market) -> None:
        """The levels of the newest book, where that was not done."""
        book, market.book = market.book, None
        if book is None:
            return
        try:
            bids, asks = _levels(book, "bids"), _levels(book, "asks")
        except Malformed as wrong:
            if not market.spoiled:
                self._notes.append(Note(f"Apifiny's market stream of {self._name}: the book of {symbol} makes no sense: {wrong}"))
            market.bid, market.ask, market.updated, market.spoiled = None, None, market.believed, True
            return
        market.bid, market.ask = max(bids, default=None), min(asks, default=None, key=lambda level: level[0])
        market.believed, market.spoiled = market.updated, False


def _book(market: _Market, book: Mapping[str, Any]) -> None:
    updated = amount(book, "updatedAt")
    if updated >= market.updated:
        market.book, market.updated = book, updated


def _trades(market: _Market, trades: Sequence[Mapping[str, Any]]) -> None:
    for trade in trades:
        price, time = positive(trade, "price"), amount(trade, "tradeTime")
        if price is not None and time > market.traded:
            market.last, market.traded = price, time


def _levels(book: Mapping[str, Any], side: str) -> list[tuple[Decimal, Decimal]]:
    listed = book.get(side)
    if not isinstance(listed, list) or not all(isinstance(level, list) and len(level) == 2 for level in listed):
        raise Malformed(f"{side} is no list of pairs")
    levels = [(amount({"price": price}, "price"), amount({"size": size}, "size")) for price, size in listed]
    return [level for level in levels if level[0] and level[1]]


def _object(message: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = message.get(key)
    if not isinstance(value, dict):
        raise Malformed(f"{key} is not an object")
    return value
