"""JSON and times as the venue writes them: exact, never through a float. Pure.

Amounts are JSON numbers in full decimal digits, no exponent, without needless zeros (the document has both 1.0 and 1).
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


def plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def to_json(value: Any) -> str:
    """JSON with each Decimal as a number; a float is a TypeError."""
    match value:
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{to_json(each)}" for name, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(to_json, value)) + "]"
        case Decimal():
            return plain(value)
        case float():
            raise TypeError("an amount went through a float")
        case _:
            return json.dumps(value)


def from_json(text: str) -> Any:
    """Numbers with a point or an exponent are Decimals. ValueError for whatever is no JSON."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")


def stamp(at_ns: int) -> str:
    """ "2019-02-17T20:37:41.686411": the document names no zone, it is taken for UTC."""
    seconds, micros = divmod(at_ns // 1000, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{micros:06d}"


def stamp_z(at_ns: int) -> str:
    """ "2017-12-24T12:30:01.234Z", of withdrawals alone."""
    return stamp(at_ns)[:-3] + "Z"
