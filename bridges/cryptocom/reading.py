"""The venue's JSON, read: answers, rows of orders, trades. Pure; what makes no sense raises `Malformed` and nothing else.

Numbers come as text ("0.00100000") or as JSON numbers (0E-8), the same field now so and now so (document, "Get order detail"):
both are read as exact Decimals from their own digits. Order ids pass 2^53 and are kept as text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum, IntEnum
from typing import Any, Final

from bridges.wire import Answer

__all__ = [
    "LIVE", "MARKET", "Malformed", "Reply", "Row", "Status", "Trade", "Verdict", "amount", "identifier", "listed", "parse", "printable",
    "read_reply", "shown", "whole",
]  # fmt: skip

_NUMBER: Final = re.compile(r"-?\d{1,30}(\.\d{0,30})?([eE][+-]?\d{1,2})?", re.ASCII)
_DIGITS: Final = re.compile(r"\d{1,40}", re.ASCII)
_TEXT_AT_MOST: Final = 200
_NAME_AT_MOST: Final = 64
_ROWS_AT_MOST: Final = 1_000
"""Of one page; we ask for 100."""
_MAGNITUDE_AT_MOST: Final = 30
"""Decimal exponents that any amount can have; beyond them it is nonsense, and arithmetic with it would be slow or fail."""

_CERTAIN_NO: Final = frozenset({400, 401, 403, 404, 499})
"""HTTP statuses with which the venue refuses before it does anything (document, "Response Status Code"). 429 is not among them: "a rate
limit has been exceeded" does not say that nothing was done."""
_SAYS_NOTHING: Final = frozenset({"100001"})
"""Codes that are an HTTP 500 in other words ("system exception"): an order may exist all the same."""


class Malformed(ValueError):
    """The venue sent what its document does not know."""


class Verdict(Enum):
    """The three answers: yes, no, unknown."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Status(IntEnum):
    """Document, "List all open orders in a particular market", the comment on `status`."""

    INIT = 0
    NEW = 1
    FILLED = 2
    PART_FILLED = 3
    CANCELED = 4
    PENDING_CANCEL = 5
    EXPIRED = 6


LIVE: Final = frozenset({Status.INIT, Status.NEW, Status.PART_FILLED, Status.PENDING_CANCEL})

MARKET: Final = 2
"""`type` (document, "Create an order")."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, judged. `text` is "code msg", or what was wrong with it."""

    verdict: Verdict
    status: int
    text: str
    code: str = ""
    data: Any = None


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution of an order: `qty` in base, `px` in quote units; `at` is ms, cut to the second by the venue."""

    trade_id: str
    qty: Decimal
    px: Decimal
    at: int
    fee: Decimal | None
    fee_currency: str


@dataclass(frozen=True, slots=True)
class Row:
    """An order as the venue lists it. `volume` is in base units, but of a market buy in quote units; `created` is ms UTC."""

    order_id: str
    side: str
    type: int
    status: Status
    volume: Decimal
    price: Decimal | None
    deal_volume: Decimal
    avg_price: Decimal | None
    created: int
    trades: tuple[Trade, ...] = ()

    @property
    def by_cash(self) -> bool:
        """Whether it is a market buy, whose `volume` is an amount of money (document, "Create an order", `volume`)."""
        return self.type == MARKET and self.side == "BUY"


def parse(text: str | bytes) -> Any:
    """JSON with exact numbers. Raises `Malformed`."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, InvalidOperation, RecursionError) as wrong:
        raise Malformed(f"not JSON: {type(wrong).__name__}") from None


def read_reply(answer: Answer) -> Reply:
    """What an answer of the REST API says (document, "Response Status Code")."""
    code = text = ""
    data = None
    try:
        whole_answer = _object(parse(answer.body))
        code = identifier(whole_answer.get("code"))
        text = printable(f"{code} {whole_answer.get('msg')}")
        data = whole_answer.get("data")
    except Malformed as wrong:
        text = f"HTTP {answer.status}, {printable(str(wrong))}"
    if answer.status in _CERTAIN_NO:
        verdict = Verdict.NO
    elif answer.status != 200 or not code or code in _SAYS_NOTHING:
        # 5xx says nothing about what was done, nor does a status that the document does not list.
        verdict = Verdict.UNKNOWN
        if answer.status != 200:
            text = f"HTTP {answer.status} {text}"
    else:
        verdict = Verdict.YES if code.strip("0") == "" else Verdict.NO
    return Reply(verdict, answer.status, text, code, data)


def shown(data: Any) -> Row:
    """`data` of showOrder (document, "Get order detail"). The trades come twice there; each is kept once, oldest first."""
    found = _object(data)
    info = _object(found.get("order_info"))
    trades: dict[str, Trade] = {}
    for rows in (found.get("trade_list"), info.get("tradeList")):
        for each in _array(rows if rows is not None else []):
            trade = _trade(each)
            trades.setdefault(trade.trade_id, trade)
    ordered = sorted(trades.values(), key=lambda trade: (trade.at, int(trade.trade_id)))
    return _row(info, tuple(ordered))


def listed(data: Any, key: str) -> tuple[list[Row], int]:
    """`data` of openOrders (`key` resultList) or allOrders (orderList): rows and `count`, -1 where there is none."""
    found = _object(data)
    rows = found.get(key)
    count = found.get("count")
    if isinstance(rows, list) and len(rows) > _ROWS_AT_MOST:
        raise Malformed(f"a page of {len(rows)} orders")
    return [_row(_object(each)) for each in _array(rows if rows is not None else [])], -1 if count is None else whole(count)


def amount(value: Any, least: Decimal | None = None) -> Decimal:
    """An exact number, from text or a JSON number; at least `least`. Raises `Malformed`."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Malformed(f"not a number: {printable(str(value))}")
    text = value if isinstance(value, str) else str(value)
    if not _NUMBER.fullmatch(text):
        raise Malformed(f"not a number: {printable(text)}")
    number = Decimal(text)
    if abs(number.adjusted()) > _MAGNITUDE_AT_MOST or (least is not None and number < least):
        raise Malformed(f"not an amount: {printable(text)}")
    return number


def identifier(value: Any) -> str:
    """An id or a code: a whole number, as number or as text. Raises `Malformed`."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Malformed(f"not an id: {printable(str(value))}")
    text = str(value)
    if not _DIGITS.fullmatch(text):
        raise Malformed(f"not an id: {printable(text)}")
    return text


def whole(value: Any) -> int:
    """A whole number, as number or as text, at least 0. Raises `Malformed`."""
    return int(identifier(value))


def printable(text: str) -> str:
    """A text that can stand in a message or a log: nothing that cannot be printed, and not much of it."""
    return "".join(each if each.isprintable() else "?" for each in text[:_TEXT_AT_MOST])


def _row(info: dict[str, Any], trades: tuple[Trade, ...] = ()) -> Row:
    try:
        status = Status(whole(info.get("status")))
    except ValueError:
        raise Malformed(f"not a status: {printable(str(info.get('status')))}") from None
    side = info.get("side")
    if side not in ("BUY", "SELL"):
        raise Malformed(f"not a side: {printable(str(side))}")
    price, average = info.get("price"), info.get("avg_price")
    return Row(
        order_id=identifier(info.get("id")),
        side=side,
        type=whole(info.get("type")),
        status=status,
        volume=amount(info.get("volume"), Decimal(0)),
        price=None if price is None else amount(price),
        deal_volume=amount(info.get("deal_volume"), Decimal(0)),
        avg_price=None if average is None else amount(average),
        created=whole(info.get("created_at")),
        trades=trades,
    )


def _trade(value: Any) -> Trade:
    found = _object(value)
    qty, px = amount(found.get("volume")), amount(found.get("price"))
    if qty <= 0 or px <= 0:
        raise Malformed("a trade of nothing")
    fee, coin = found.get("fee"), found.get("feeCoin")
    return Trade(
        trade_id=identifier(found.get("id")),
        qty=qty,
        px=px,
        at=whole(found.get("ctime")),
        fee=None if fee is None else amount(fee),
        fee_currency=printable(coin)[:_NAME_AT_MOST] if isinstance(coin, str) else "",
    )


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed("not an object")
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed("not a list")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)
