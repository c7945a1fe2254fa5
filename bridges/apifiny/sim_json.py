"""JSON with exact decimals: numbers in full digits, without exponents, both ways without a float. Pure."""

import json
from decimal import Decimal
from typing import Any

# Further digits on either side of the point are no amount, and would make a text without end of "1e999999999".
MAX_DIGITS = 30


def dumps(value: Any) -> str:
    """Decimal becomes a JSON number; floats have no business here (TypeError)."""
    match value:
        case None | bool() | int() | str():
            return json.dumps(value)
        case Decimal():
            return plain(value)
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{dumps(each)}" for name, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(dumps, value)) + "]"
    raise TypeError(f"{type(value).__name__} is not for JSON")


def loads(text: bytes | str) -> Any:
    """Every number a Decimal; ValueError for what is no JSON, has a name twice in an object, or a number out of bounds."""
    try:
        return json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_no_constant, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def plain(value: Decimal) -> str:
    """Plain digits, without the zeros that arithmetic leaves at the end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(text: str) -> Decimal:
    if len(text) > 2 * MAX_DIGITS:
        raise ValueError("a number is too long")
    value = Decimal(text)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or value.adjusted() > MAX_DIGITS or exponent < -MAX_DIGITS:
        raise ValueError("a number is out of bounds")
    return value


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return found
