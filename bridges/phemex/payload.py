"""What comes from Phemex as bytes, made into values that can be trusted: JSON, whole numbers, names, texts. Pure.

Nothing here rounds, and nothing raises but `Malformed`, whatever the bytes are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

__all__ = ["Malformed", "listed", "loads", "name", "plain", "printable", "whole"]

_INT64: Final = 1 << 63
"""Scaled numbers and times of the venue are 64-bit; anything beyond is not a number of its."""
_NAME_AT_MOST: Final = 64
_TEXT_AT_MOST: Final = 300
_EXPONENT_AT_MOST: Final = 30
"""Beyond it a number is nonsense, and to print it in full would fill the memory."""
_UNPRINTABLE: Final = dict.fromkeys((*range(32), 127), " ")


class Malformed(ValueError):
    """Something that cannot be read; says which field."""


def loads(text: str | bytes) -> Any:
    """JSON with fractions as `Decimal`, never through a float. Raises `Malformed`."""
    try:
        return _DECODER.decode(text.decode() if isinstance(text, bytes) else text)
    except (ValueError, RecursionError, InvalidOperation) as wrong:
        raise Malformed(f"not JSON: {printable(str(wrong))[:80]}") from None


def whole(fields: Mapping[str, Any], key: str, default: int | None = None) -> int:
    """A whole number of 64 bits, as a JSON number or as text ("Subscribe Trade" has both). `default`: for a missing one."""
    value = fields.get(key, default)
    if isinstance(value, str) and len(value) < 20 and value.isascii() and value.removeprefix("-").isdigit():
        value = int(value)
    if type(value) is not int or not -_INT64 <= value < _INT64:
        raise Malformed(f"{key} is {'missing' if value is None else 'not a whole number'}")
    return value


def name(fields: Mapping[str, Any], key: str) -> str:
    """An id, symbol or word: printable ASCII, not empty."""
    value = fields.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= _NAME_AT_MOST or not (value.isascii() and value.isprintable()):
        raise Malformed(f"{key} is {'not a name' if value else 'missing'}")
    return value


def listed(fields: Mapping[str, Any], key: str) -> list[Any]:
    """A list, empty where there is none."""
    value = fields.get(key)
    if value is not None and not isinstance(value, list):
        raise Malformed(f"{key} is not a list")
    return value or []


def plain(value: object) -> str:
    """Any value of the venue as text, exact, for an operator; "" for null."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() < 200:
            return str(value)
        case Decimal() if value.is_finite() and abs(value.adjusted()) < _EXPONENT_AT_MOST and len(f"{value}") < _NAME_AT_MOST:
            return f"{value:f}"
        case str():
            return printable(value)
    return "(cannot be shown)"


def printable(value: object) -> str:
    """A text from outside, fit for a report, a log and the journal: one line of ASCII, and not too long."""
    text = value if isinstance(value, str) else ""
    return text.encode("ascii", "replace").decode().translate(_UNPRINTABLE).strip()[:_TEXT_AT_MOST]


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
"""Made once: `json.loads` would make one at each call."""
