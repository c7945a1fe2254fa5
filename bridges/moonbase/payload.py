"""JSON to and from values that can be trusted: exact numbers, names, times, texts. Pure.

Nothing here rounds, no number is ever a float, and nothing raises but `Malformed`, whatever the text is. Numbers go out as JSON numbers
in full decimal digits, written from the `Decimal` itself (document, "Place": float).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

__all__ = ["Malformed", "dumps", "fields", "identifier", "listed", "loads", "number", "plain", "printable", "stamp", "word"]

_DIGITS_AT_MOST: Final = 30
_SMALLEST: Final = -34
_LARGEST: Final = 24
"""What lies beyond is no amount: printing 1E+999999 in full would fill the memory, and a quotient of two must fit 100 digits."""
_NAME_AT_MOST: Final = 64
_TEXT_AT_MOST: Final = 300
_UNPRINTABLE: Final = dict.fromkeys((*range(32), 127), " ")
_NUMBER: Final = re.compile(r"-?\d{1,60}(\.\d{1,60})?([eE][+-]?\d{1,3})?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Malformed(ValueError):
    """Something that cannot be read; says which field."""


def loads(text: str | bytes) -> Any:
    """JSON with fractions as `Decimal`, exponents included. Raises `Malformed`."""
    try:
        return _DECODER.decode(text.decode() if isinstance(text, bytes) else text)
    except (ValueError, RecursionError, InvalidOperation) as wrong:
        raise Malformed(f"not JSON: {printable(str(wrong))[:80]}") from None


def dumps(value: object) -> str:
    """JSON of texts, whole numbers, `Decimal`s, None, and mappings of them; a `Decimal` becomes a number in full digits."""
    match value:
        case Decimal():
            return f"{value:f}"
        case dict():
            return "{" + ",".join(f"{json.dumps(key)}:{dumps(each)}" for key, each in value.items()) + "}"
        case str() | int() | None:
            return json.dumps(value)
    raise AssertionError(f"a {type(value).__name__} is never sent")


def fields(value: object, what: str) -> Mapping[str, Any]:
    """An object. Raises `Malformed`."""
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not an object")
    return value


def listed(value: object, what: str) -> list[Any]:
    """A list. Raises `Malformed`."""
    if not isinstance(value, list):
        raise Malformed(f"{what} is not a list")
    return value


def number(row: Mapping[str, Any], key: str) -> Decimal:
    """An amount or a price: a JSON number, or a text that is one ("Assign" has both). Raises `Malformed`."""
    value = row.get(key)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = Decimal(value)
    if type(value) is int and value.bit_length() < 200:
        value = Decimal(value)
    if not isinstance(value, Decimal) or not _sane(value):
        raise Malformed(f"{key} is {'missing' if value is None else 'not a number that makes sense'}")
    return value


def identifier(row: Mapping[str, Any], key: str) -> str:
    """A positive whole number, as text. Raises `Malformed`."""
    value = row.get(key)
    if type(value) is not int or not 0 < value < 1 << 63:
        raise Malformed(f"{key} is {'missing' if value is None else 'not an id'}")
    return str(value)


def word(row: Mapping[str, Any], key: str) -> str:
    """A name: printable ASCII, not empty. Raises `Malformed`."""
    value = row.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= _NAME_AT_MOST or not (value.isascii() and value.isprintable()):
        raise Malformed(f"{key} is {'not a name' if value else 'missing'}")
    return value


def stamp(row: Mapping[str, Any], key: str) -> int:
    """A time, ns since 1970 UTC; one without a zone is UTC. Raises `Malformed`."""
    value = row.get(key)
    try:
        time = datetime.fromisoformat(value)  # type: ignore[arg-type]
        aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
        return (aware - _EPOCH) // _MICROSECOND * 1000
    except (ValueError, TypeError, OverflowError):
        raise Malformed(f"{key} is not a time") from None


def plain(value: object) -> str:
    """A value of the venue as text, exact, for an operator; "" for null."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal() if _sane(value):
            return f"{value:f}"
        case int() if value.bit_length() < 200:
            return str(value)
    return printable(value if isinstance(value, str) else repr(value))


def printable(value: object) -> str:
    """A text from outside, fit for a report, a log and the journal: one line of ASCII, and not too long."""
    text = value if isinstance(value, str) else ""
    return text.encode("ascii", "replace").decode().translate(_UNPRINTABLE).strip()[:_TEXT_AT_MOST]


def _sane(value: Decimal) -> bool:
    if not value.is_finite():
        return False
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    return len(digits) <= _DIGITS_AT_MOST and exponent >= _SMALLEST and max(value.adjusted(), exponent) <= _LARGEST


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
