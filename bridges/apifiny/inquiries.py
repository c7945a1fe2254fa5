"""What an operator may ask Apifiny: topics, their requests, their answers as rows of texts. Pure.

Market data ("Order Book", "Trades", "Ticker") is asked for at its own address, unsigned, one request a second.

Only questions: nothing here withdraws, transfers, or asks for a ticket. Readings: "Query Account History" is sent as a POST, as its "HTTP
Request" says (its sample is a GET with a body); deposit addresses are asked for by `coin`, "different from currency name if multiple
chains are supported". History is that of the last three days, as in the document's sample, where no times are given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bridges.apifiny.calls import Inquiring, get, post
from bridges.apifiny.reading import Failure, Malformed, outcome, printable, rows, texts
from bridges.wire import Answer, Kind, Request, Told

__all__ = ["MARKET_GROUP", "TOPICS", "inquiry", "refused", "told"]


@dataclass(frozen=True, slots=True)
class _Topic:
    path: str
    what: str
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    venue: bool = True
    posts: bool = False
    market: bool = False


_TIMES: Final = ("startTime", "endTime")
_TOPICS: Final = {
    "account": _Topic("/account/queryAccountInfo", "state of the account"),
    "balances": _Topic("/asset/listBalance", "amount, available and frozen of each currency"),
    "fees": _Topic("/order/getCommissionRate", "fee rates", needs=("symbol",)),
    "open-orders": _Topic("/order/listOpenOrder", "orders that are open"),
    "completed-orders": _Topic("/order/listCompletedOrder", "orders that are over", may=(*_TIMES, "limit", "orderStatus")),
    "filled-orders": _Topic("/order/listFilledOrder", "executions", may=("symbol", "orderId", "limit", *_TIMES)),
    "activity": _Topic(
        "/asset/queryAssetActivityList", "account history", may=("startTimeDate", "endTimeDate", "limit", "page"), venue=False, posts=True
    ),
    "order-book": _Topic("/orderbook/v1", "the order book of a symbol", needs=("symbol",), market=True),
    "trades": _Topic("/trade/v1", "the latest trades of a symbol", needs=("symbol",), market=True),
    "ticker": _Topic("/ticker/v1", "the last 24 hours of a symbol", needs=("symbol",), market=True),
    "deposit-address": _Topic("/asset/queryAddress", "where a currency is paid in", needs=("currency",)),
}
MARKET_GROUP: Final = "market"
_HISTORY_MS: Final = 3 * 86_400_000
_WORD: Final = re.compile(r"[A-Za-z0-9._/-]{1,64}")


def _described(topic: _Topic) -> str:
    needs = f"; needs {', '.join(topic.needs)}" if topic.needs else ""
    may = f"; may have {', '.join(topic.may)}" if topic.may else ""
    return f"{topic.what}{needs}{may}"


TOPICS: Final[Mapping[str, str]] = {name: _described(topic) for name, topic in _TOPICS.items()}


def inquiry(
    ticket: int, name: str, arguments: Mapping[str, str], account_id: str, venue: str, now: int, market_base: str | None
) -> Request | Told:
    """The request of a question, or why there is none. `market_base`: where market data is, None where that is not configured."""
    topic = _TOPICS.get(name)
    if topic is None:
        return Told(ticket, error=f"{printable(name)} is none of {', '.join(TOPICS)}")
    missing = [each for each in topic.needs if not arguments.get(each)]
    strange = [each for each in arguments if each not in topic.needs + topic.may]
    if missing or strange:
        return Told(ticket, error=f"{name}: {', '.join(missing)} missing" if missing else f"{name}: {printable(strange[0])} is not taken")
    for each, value in arguments.items():
        if not _WORD.fullmatch(value):
            return Told(ticket, error=f"{name}: {each} is not a word or a number")
    context = Inquiring(ticket, name)
    if topic.market:
        if market_base is None:
            return Told(ticket, error=f"{name}: no market_url is configured for {venue}")
        path = f"{topic.path}/{arguments['symbol']}/{venue}"
        return Request(Kind.QUERY, "GET", path, group=MARKET_GROUP, private=False, base=market_base, context=context)
    said = {"accountId": account_id} | ({"venue": venue} if topic.venue else {})
    said |= {"coin" if each == "currency" else each: value for each, value in arguments.items()}
    return post(Kind.QUERY, topic.path, context, _page(now) | said) if topic.posts else get(topic.path, context, said)


def told(context: Inquiring, answer: Answer) -> Told:
    """The answer to a question, its numbers as they came."""
    try:
        if _TOPICS[context.topic].market and answer.status == 200:
            return Told(context.ticket, tuple(_market(texts(answer.body))))
        result = outcome(texts(answer.body))
        if isinstance(result, Failure):
            return Told(context.ticket, error=result.text)
        if answer.status != 200:
            return Told(context.ticket, error=f"HTTP {answer.status}")
        found = (_flat(each) for row in rows(result) for each in _opened(row))
        return Told(context.ticket, tuple(map(_order, found) if context.topic == "open-orders" else found))
    except Malformed as wrong:
        return Told(context.ticket, error=f"HTTP {answer.status} that cannot be read: {wrong}")


def refused(context: Inquiring, why: str) -> Told:
    """No answer came."""
    return Told(context.ticket, error=why)


def _page(now: int) -> dict[str, str]:
    """What "Query Account History" asks for where the operator does not; times are ms, as texts."""
    return {"startTimeDate": str(now // 1_000_000 - _HISTORY_MS), "endTimeDate": str(now // 1_000_000), "limit": "100", "page": "1"}


def _opened(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A page as its records, an account followed by its sub-accounts; anything else as it is."""
    if isinstance(row.get("records"), list):
        return rows(row["records"])
    if isinstance(row.get("subAccountInfo"), list):
        return [{key: value for key, value in row.items() if key != "subAccountInfo"}, *rows(row["subAccountInfo"])]
    return [row]


def _market(body: Any) -> list[dict[str, str]]:
    """Market data comes without an envelope; a book as its levels, the best of each side first."""
    if isinstance(body, dict) and body.get("error") is None and isinstance(body.get("asks"), list) and isinstance(body.get("bids"), list):
        levels = [(side, level) for side in ("asks", "bids") for level in body[side]]
        if not all(isinstance(level, list) and len(level) == 2 for _, level in levels):
            raise Malformed("a level is not a price and a size")
        return [{"side": side.removesuffix("s"), "price": _text(price), "size": _text(size)} for side, (price, size) in levels]
    found = outcome(body) if isinstance(body, dict) and "error" in body else body
    if isinstance(found, Failure):
        raise Malformed(found.text)
    return [_flat(row) for row in rows(found)]


def _order(row: dict[str, str]) -> dict[str, str]:
    """An open order: its id is the one that whoever placed it gave."""
    order_id = row.pop("orderId", "")
    return {"order_id": order_id, "cl_ord_id": order_id} | row


def _flat(row: Mapping[str, Any]) -> dict[str, str]:
    return {printable(key): _text(value) for key, value in row.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return printable(value if isinstance(value, str) else json.dumps(value))
