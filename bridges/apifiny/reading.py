"""What comes from Apifiny as bytes, made into values that can be trusted: answers, errors, orders. Pure.

Nothing here rounds, and nothing raises but `Malformed`, whatever the bytes are. Readings, where the document is silent or contradicts
itself:

- An error's `code` stands in "Standard response" as a bare hexadecimal literal, which is no JSON. It is read so, as a text ("0x02002B"),
  and as a decimal number. The envelope {"result", "error"} is missing in two samples ("Query Multiple Orders by IDs"): a bare list is a
  result.
- A result is a list, also of one order; an object by itself is read as a list of one.
- `filledAveragePrice` 0 of an order that was executed in part (sample of "Query List Fills") is "not stated". FILLED with nothing filled
  (the same sample) makes no sense, and is not believed.
- Keys have blanks at their end in one sample ("exchange ", "status "): those are cut off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from bridges.apifiny.codes import Row, rows_of
from router.words import ZERO

__all__ = ["Failure", "Malformed", "OrderRow", "amount", "loads", "name", "order_row", "outcome", "positive", "printable", "rows", "texts"]

_DIGITS_AT_MOST: Final = 40
_NAME_AT_MOST: Final = 64
_TEXT_AT_MOST: Final = 300
_UNPRINTABLE: Final = dict.fromkeys((*range(32), 127), " ")
_HEX_CODE: Final = re.compile(r'("code"\s*:\s*)(0[xX][0-9A-Fa-f]{1,12})(?=\s*[,}])')
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_STATUSES: Final = frozenset({"PENDING_SUBMIT", "SUBMITTED", "PART_FILLED", "FILLED", "CANCELLED", "REJECTED"})


class Malformed(ValueError):
    """Something that cannot be read; says which field."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The `error` of an answer."""

    rows: tuple[Row, ...]
    """What the document says of its code; empty for one that it does not know."""
    text: str
    """Code and message, for people."""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order as Apifiny states it ("Create New Order", Response; "Order Update Payload")."""

    order_id: str
    """The id that we supplied."""
    status: str
    """One of "Order Status"."""
    cum_qty: Decimal
    avg_px: Decimal | None
    last_qty: Decimal | None = None
    last_px: Decimal | None = None
    fee: Decimal | None = None
    fee_currency: str = ""


def loads(text: str | bytes) -> Any:
    """JSON with fractions as `Decimal`, never through a float; a bare hexadecimal `code` as text. Raises `Malformed`."""
    return _decoded(_EXACT, text)


def texts(text: str | bytes) -> Any:
    """JSON with every number as the text that it came as. Raises `Malformed`."""
    return _decoded(_AS_TEXT, text)


def outcome(body: Any) -> Any:
    """The result of an answer, or its `Failure`. Raises `Malformed` for what is neither."""
    if isinstance(body, list):
        return body
    if not isinstance(body, dict):
        raise Malformed("it is neither an object nor a list")
    error = body.get("error")
    if error is not None:
        return _failure(error)
    if body.get("result") is None:
        raise Malformed("it has neither a result nor an error")
    return body["result"]


def rows(result: Any) -> list[dict[str, Any]]:
    """A result as objects, keys without their blanks. Raises `Malformed`."""
    listed = result if isinstance(result, list) else [result]
    if not all(isinstance(each, dict) for each in listed):
        raise Malformed("its result is no list of objects")
    return [{str(key).strip(): value for key, value in each.items()} for each in listed]


def order_row(fields: Mapping[str, Any]) -> OrderRow:
    """One order. Raises `Malformed`."""
    status = name(fields, "orderStatus")
    if status not in _STATUSES:
        raise Malformed(f"orderStatus is {printable(status)[:20]}, which the document does not know")
    cum_qty = amount(fields, "filledCumulativeQuantity")
    if status == "FILLED" and not cum_qty:
        raise Malformed("orderStatus is FILLED, and filledCumulativeQuantity is 0")
    average = positive(fields, "filledAveragePrice") if cum_qty else None
    last_qty, last_px = positive(fields, "lastFilledQuantity"), positive(fields, "lastFilledPrice")
    fee = amount(fields, "lastCommission", signed=True) if fields.get("lastCommission") is not None else None
    currency = printable(fields.get("lastCommissionCurrency"))
    if len(currency) > _NAME_AT_MOST:
        currency = ""  # no reason to disbelieve the execution
    return OrderRow(name(fields, "orderId"), status, cum_qty, average, last_qty, last_px, fee if currency else None, currency)


def amount(fields: Mapping[str, Any], key: str, signed: bool = False) -> Decimal:
    """An exact number, as a JSON number or as text; not negative unless `signed`. Raises `Malformed`."""
    value = fields.get(key)
    if value is None:
        raise Malformed(f"{key} is missing")
    try:
        known = isinstance(value, int | Decimal) and not isinstance(value, bool)
        number = Decimal(value) if known or (isinstance(value, str) and _NUMBER.fullmatch(value)) else None
    except (InvalidOperation, ValueError):
        number = None
    if number is None or not number.is_finite() or not _sane(number) or (number < 0 and not signed):
        raise Malformed(f"{key} is not a number that can be")
    return number if number else ZERO


def positive(fields: Mapping[str, Any], key: str) -> Decimal | None:
    """A number above 0; None where there is none, or 0. Raises `Malformed`."""
    return amount(fields, key) or None if fields.get(key) is not None else None


def name(fields: Mapping[str, Any], key: str) -> str:
    """An id, symbol or word: printable ASCII, not empty. Raises `Malformed`."""
    value = fields.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= _NAME_AT_MOST or not (value.isascii() and value.isprintable()):
        raise Malformed(f"{key} is {'not a name' if value else 'missing'}")
    return value


def printable(value: object) -> str:
    """A text from outside, fit for a report, a log and the journal: one line of ASCII, and not too long."""
    text = value if isinstance(value, str) else ""
    return text.encode("ascii", "replace").decode().translate(_UNPRINTABLE).strip()[:_TEXT_AT_MOST]


def _failure(error: Any) -> Failure:
    fields = error if isinstance(error, dict) else {"message": error}
    code, message = fields.get("code"), printable(fields.get("message"))
    number, written_hex = _code(code)
    found = rows_of(number, written_hex) if number is not None else ()
    if "rate limit" in message.lower():  # "Rate Limits" gives this message, and no code
        found = rows_of(0x02002A, True)
    shown = found[0].code if found else printable(str(code)) if code is not None else ""
    return Failure(found, f"{shown} {message or (found[0].text if found else 'without a message')}".strip()[:_TEXT_AT_MOST])


def _code(code: Any) -> tuple[int | None, bool]:
    """A code's value, and whether it was written as hexadecimal."""
    if isinstance(code, int) and not isinstance(code, bool):
        return code, False
    if not isinstance(code, str) or len(code) > 14 or not code.isascii():
        return None, False
    if re.fullmatch(r"0[xX][0-9A-Fa-f]+", code):
        return int(code, 16), True
    return (int(code), False) if code.isdigit() else (None, False)


def _sane(number: Decimal) -> bool:
    return len(number.as_tuple().digits) <= _DIGITS_AT_MOST and abs(number.adjusted()) <= _DIGITS_AT_MOST


def _decoded(decoder: json.JSONDecoder, text: str | bytes) -> Any:
    try:
        plain = text.decode() if isinstance(text, bytes) else text
        try:
            return decoder.decode(plain)
        except json.JSONDecodeError:
            return decoder.decode(_HEX_CODE.sub(r'\1"\2"', plain))
    except (ValueError, RecursionError, InvalidOperation) as wrong:
        raise Malformed(f"not JSON: {printable(str(wrong))[:80]}") from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


_EXACT: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
_AS_TEXT: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_number)
"""Made once: `json.loads` would make one at each call."""
