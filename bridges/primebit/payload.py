"""What comes from PrimeBit as bytes, made into values that can be trusted: JSON, amounts, ids, texts. Pure.

Nothing here rounds, and nothing raises but `Malformed`, whatever the bytes are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

__all__ = ["Malformed", "amount", "identifier", "listed", "loads", "mapped", "name", "positive", "printable"]

_NAME_AT_MOST: Final = 128
_TEXT_AT_MOST: Final = 300
_AMOUNT: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,18})?")
_UNPRINTABLE: Final = dict.fromkeys((*range(32), 127), " ")


class Malformed(ValueError):
    """Something that cannot be read; says which field."""


def loads(text: str | bytes) -> Any:
    """JSON with all fractions as `Decimal`, never through a float. Raises `Malformed`."""
    try:
        return _DECODER.decode(text.decode() if isinstance(text, bytes) else text)
    except (ValueError, RecursionError, InvalidOperation) as wrong:
        raise Malformed(f"not JSON: {printable(str(wrong))[:80]}") from None


def amount(fields: Mapping[str, Any], key: str) -> Decimal:
    """A price, volume or balance, as text (the document's way) or as a JSON number; exact."""
    value = fields.get(key)
    text = f"{value:f}" if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < 20 else value
    if type(text) is int and abs(text) < 10**20:
        text = str(text)
    if not isinstance(text, str) or _AMOUNT.fullmatch(text) is None:
        raise Malformed(f"{key} is {'missing' if value is None else 'not an amount'}")
    # "2.0" is 2: a client is shown no zeros that only the venue's notation has.
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def positive(fields: Mapping[str, Any], key: str) -> Decimal | None:
    """A price, or None for zero: the document writes "0.0" where there is none."""
    value = amount(fields, key)
    if value < 0:
        raise Malformed(f"{key} is below zero")
    return value or None


def identifier(fields: Mapping[str, Any], key: str) -> str:
    """An id, given as a JSON number ("Order channel") or as text."""
    value = fields.get(key)
    if type(value) is int and 0 <= value < 10**20:
        return str(value)
    return name(fields, key)


def name(fields: Mapping[str, Any], key: str) -> str:
    """A symbol, channel or word: printable ASCII without spaces or slashes, not empty."""
    value = fields.get(key)
    fits = isinstance(value, str) and 0 < len(value) <= _NAME_AT_MOST and value.isascii() and value.isprintable()
    if not fits or any(each in value for each in " /?#&%"):  # type: ignore[operator]
        raise Malformed(f"{key} is {'not a name' if value else 'missing'}")
    return value  # type: ignore[return-value]


def mapped(value: Any, what: str) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not an object")
    return value


def listed(value: Any, what: str) -> list[Any]:
    """A list; empty where there is nothing."""
    if value is not None and not isinstance(value, list):
        raise Malformed(f"{what} is not a list")
    return value or []


def printable(value: object) -> str:
    """A text from outside, fit for a report, a log and the journal: one line of ASCII, and not too long."""
    text = value if isinstance(value, str) else ""
    return text.encode("ascii", "replace").decode().translate(_UNPRINTABLE).strip()[:_TEXT_AT_MOST]


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
"""Made once: `json.loads` would make one at each call."""
