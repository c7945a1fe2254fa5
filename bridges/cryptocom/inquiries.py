"""What an operator may ask Crypto.com: topics, their requests, their answers as rows of texts. Pure.

Only questions: nothing here moves anything. They count against the same ten requests a second as orders and polls, and one that the venue
does not answer says nothing about the link: polls and probes do.

- "List all open orders in a particular market" and its like are asked for each configured symbol, or for the one given, page after page
  up to `_PAGES_AT_MOST`. A page that is full may have another after it; `count` says when there is none.
- An order's `id` is told as `order_id`, an execution's order (`bid_id` or `ask_id`) too, and the symbol that was asked for as `symbol`.
  The venue keeps no id of ours: there is no `cl_ord_id`.
- The samples of "ticker", "klines" and "depth" show only `data`; it is read as of every call ("Unless otherwise specified, all responses").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlencode

from bridges.cryptocom.calls import MARKET_GROUP, PAGE_SIZE, USER_GROUP
from bridges.cryptocom.reading import Malformed, Reply, Verdict, amount, printable, whole
from bridges.wire import Kind, Out, Request, Told

__all__ = ["TOPICS", "Asking", "answered", "inquire", "lost"]

_PAGES_AT_MOST: Final = 10
_ROWS_AT_MOST: Final = 1_000
"""Of one answer; the document's most are 300 candles."""
_PERIODS: Final = ("1", "5", "15", "30", "60", "1440", "10080", "43200")
_CANDLE: Final = ("time", "open", "high", "low", "close", "volume")
_NAME: Final = re.compile(r"[A-Za-z0-9._/-]{1,64}")


@dataclass(frozen=True, slots=True)
class _Topic:
    path: str
    what: str
    rows: str = ""
    """Where in `data` they are; "" where `data` is the rows or the row."""
    market: bool = False
    needs: tuple[str, ...] = ()
    each_symbol: bool = False
    """Asked for each symbol, in pages."""


_TOPICS: Final = {
    "balances": _Topic("/v1/account", "usable and locked amount of each coin", "coin_list"),
    "open-orders": _Topic("/v1/openOrders", "open orders; may have symbol", "resultList", each_symbol=True),
    "all-orders": _Topic("/v1/allOrders", "orders, those that are over too; may have symbol", "orderList", each_symbol=True),
    "filled-orders": _Topic("/v1/myTrades", "executions; may have symbol", "resultList", each_symbol=True),
    "symbols": _Topic("/v1/symbols", "all markets and their decimals", market=True),
    "ticker": _Topic("/v1/ticker", "the last 24 hours of a symbol; needs symbol", market=True, needs=("symbol",)),
    "order-book": _Topic("/v1/depth", "the order book of a symbol; needs symbol", "tick", market=True, needs=("symbol",)),
    "trades": _Topic("/v1/trades", "the latest trades of a symbol; needs symbol", market=True, needs=("symbol",)),
    "candles": _Topic(
        "/v1/klines", f"candles of a symbol; needs symbol and period, minutes: {', '.join(_PERIODS)}", market=True,
        needs=("symbol", "period"),
    ),
}  # fmt: skip
TOPICS: Final[Mapping[str, str]] = {name: topic.what for name, topic in _TOPICS.items()}


@dataclass(slots=True)
class _Asked:
    """One question, whatever number of requests it takes."""

    ticket: int
    topic: str
    left: int
    rows: list[Mapping[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Asking:
    """Context of a request: a symbol's page of a question; `symbol` "" where it is of all."""

    asked: _Asked
    symbol: str
    arguments: Mapping[str, str]
    page: int = 1


def inquire(ticket: int, topic: str, arguments: Mapping[str, str], symbols: Sequence[str]) -> list[Out]:
    """The requests of a question, or why there is none. `symbols`: those configured."""
    wrong = _wrong(topic, arguments)
    if wrong:
        return [Told(ticket, error=wrong)]
    what = _TOPICS[topic]
    wanted = (arguments.get("symbol", ""),) if not what.each_symbol or "symbol" in arguments else tuple(symbols)
    asked = _Asked(ticket, topic, len(wanted))
    return [_request(Asking(asked, each, arguments)) for each in wanted]


def _wrong(topic: str, arguments: Mapping[str, str]) -> str:
    what = _TOPICS.get(topic)
    if what is None:
        return f"Crypto.com is not asked about {printable(topic)}; known: {', '.join(TOPICS)}"
    missing = [each for each in what.needs if not arguments.get(each)]
    strange = [each for each in arguments if each not in (*what.needs, *(("symbol",) if what.each_symbol else ()))]
    if missing or strange:
        return f"{topic} needs {', '.join(missing)}" if missing else f"{topic}: {printable(strange[0])} is not taken"
    if not _NAME.fullmatch(arguments.get("symbol", "x")):
        return f"{topic}: symbol is not a name"
    return "" if arguments.get("period", "1") in _PERIODS else f"{topic}: period is none of {', '.join(_PERIODS)}"


def _request(context: Asking) -> Request:
    what = _TOPICS[context.asked.topic]
    pairs = {"symbol": context.symbol} if context.symbol else {}
    if what.market:
        pairs |= {"period": context.arguments["period"]} if "period" in what.needs else {}
        pairs |= {"type": "step0"} if context.asked.topic == "order-book" else {}
        return Request(Kind.QUERY, "GET", what.path, urlencode(pairs), group=MARKET_GROUP, private=False, context=context)
    if what.each_symbol:
        pairs |= {"pageSize": str(PAGE_SIZE), "page": str(context.page)}
    return Request(Kind.QUERY, "POST", what.path, body=urlencode(pairs), group=USER_GROUP, context=context)


def answered(context: Asking, reply: Reply) -> list[Out]:
    """A part of a question was answered: the next page, the whole, or nothing yet."""
    asked, what = context.asked, _TOPICS[context.asked.topic]
    try:
        if reply.verdict is not Verdict.YES:
            raise Malformed(reply.text)
        found = _found(reply.data, what.rows)
        asked.rows += [_row(each, context) for each in found]
        if what.each_symbol and _more(reply.data, len(found), context.page):
            if context.page < _PAGES_AT_MOST:
                return [_request(replace(context, page=context.page + 1))]
            raise Malformed(f"there are more than {context.page * PAGE_SIZE}")
    except Malformed as wrong:
        asked.errors.append(_named(context, str(wrong)))
    return _told(asked)


def lost(context: Asking, why: str) -> list[Out]:
    """A part of a question was not answered."""
    context.asked.errors.append(_named(context, why))
    return _told(context.asked)


def _named(context: Asking, why: str) -> str:
    return printable(f"{context.symbol}: {why}" if context.symbol else why)


def _told(asked: _Asked) -> list[Out]:
    asked.left -= 1
    return [] if asked.left > 0 else [Told(asked.ticket, tuple(asked.rows), printable("; ".join(asked.errors)))]


def _more(data: Any, found: int, page: int) -> bool:
    """Whether there is a page after this one."""
    count = data.get("count")
    return found == PAGE_SIZE and (count is None or whole(count) > page * PAGE_SIZE)


def _found(data: Any, key: str) -> list[Any]:
    """The rows in `data`; a book's levels as rows. Raises `Malformed`."""
    inner = data.get(key) if key and isinstance(data, dict) else data
    if key == "tick":
        return _levels(inner)
    rows = [inner] if isinstance(inner, dict) else inner if inner is not None else []
    if not isinstance(rows, list) or len(rows) > _ROWS_AT_MOST or not (key == "" or isinstance(data, dict)):
        raise Malformed("the answer is not a list of rows")
    return rows


def _levels(tick: Any) -> list[Any]:
    sides = [(side, tick.get(f"{side}s") if isinstance(tick, dict) else None) for side in ("ask", "bid")]
    if not all(isinstance(levels, list) and all(isinstance(each, list) and len(each) == 2 for each in levels) for _, levels in sides):
        raise Malformed("the answer is not an order book")
    return [{"side": side, "price": level[0], "size": level[1]} for side, levels in sides for level in levels or []]


def _row(value: Any, context: Asking) -> Mapping[str, str]:
    if context.asked.topic == "candles" and isinstance(value, list) and len(value) == len(_CANDLE):
        value = dict(zip(_CANDLE, value, strict=True))
    if not isinstance(value, dict):
        raise Malformed("a row is not an object")
    row = {printable(name): _plain(each) for name, each in value.items()}
    first = {"order_id": order_id} if (order_id := _order_id(row, context.asked.topic)) else {}
    if context.symbol:
        first["symbol"] = context.symbol
    return first | {name: text for name, text in row.items() if name not in first}


def _order_id(row: dict[str, str], topic: str) -> str:
    """Of which order a row is, "" where it is of none; where that is its `id`, it is not told twice."""
    if topic == "filled-orders":
        return row.get("bid_id") or row.get("ask_id") or ""
    return row.pop("id", "") if topic in ("open-orders", "all-orders") else ""


def _plain(value: Any) -> str:
    """A value as text, exact; "" for null, and for what is inside a row."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() < 200:
            return str(value)
        case Decimal():
            return f"{amount(value):f}"
        case str():
            return printable(value)
    return ""
