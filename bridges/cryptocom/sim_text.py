"""Numbers, dates and JSON as the venue writes them: exact, never through a float. Pure.

The document shows the same amount in three forms, each kept where its samples have it:
- `fixed8`: a text of eight decimals ("0.00100000");
- `number`: a JSON number with its scale, as Java's BigDecimal prints it (9744.2500000000000000, 0E-8, 0E-16). Python's
  Decimal prints by the same rule;
- `plain`: a JSON number without needless zeros (9745, 0.57373498).
"""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bridges.cryptocom.sim_errors import invalid

_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def fixed8(amount: Decimal) -> str:
    return f"{amount:.8f}"


def number(amount: Decimal, scale: int) -> Decimal:
    """The amount with `scale` decimals; rounds half to even where it has more."""
    return Decimal(f"{amount:.{scale}f}")


def plain_text(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(amount: Decimal) -> Decimal:
    return Decimal(plain_text(amount))


def whole_second(at_ms: int) -> int:
    """`ctime` of every trade in the document ends in 000, even below a `created_at` that does not."""
    return at_ms // 1000 * 1000


def date_text(at_ms: int) -> str:
    """ "yyyy-MM-dd HH:mm:ss"; the document names no zone: UTC."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def date_ms(name: str, text: str) -> int:
    """Epoch milliseconds of "yyyy-MM-dd HH:mm:ss" (once misspelt "mm:hh:ss"); Refused where it is no such date."""
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise invalid(f"{name} is not yyyy-MM-dd HH:mm:ss") from None
    return round(moment.timestamp()) * 1000


def to_json(value: Any) -> str:
    """JSON with each Decimal as a number of exactly its own digits; a float is a TypeError."""
    match value:
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{to_json(each)}" for name, each in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(to_json, value)) + "]"
        case Decimal():
            return str(value)
        case float():
            raise TypeError("an amount went through a float")
        case _:
            return json.dumps(value)
