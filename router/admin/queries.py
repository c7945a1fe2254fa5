"""What a query says, checked against the table of endpoints: every fault is a 400 that names the parameter. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from router.admin.arguments import exact
from router.admin.endpoints import Endpoint
from router.admin.problems import Refusal, near

__all__ = ["after", "amount", "limit", "taken"]

_TEXT_AT_MOST: Final = 256
_LIMIT: Final = 200
_LIMIT_AT_MOST: Final = 1000
_ORDER_ID: Final = re.compile(r"[0-9]{1,20}-[0-9]{1,18}", re.ASCII)


def taken(endpoint: Endpoint, given: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The parameters that have a value. Raises `Refusal`."""
    known = {each.name: each for each in endpoint.query}
    found: dict[str, str] = {}
    for name, value in given:
        if name not in known and not endpoint.any_query:
            raise Refusal(400, f"{name[:200]}: {endpoint.path} takes no such parameter", candidates=near(name, known))
        if name in found:
            raise Refusal(400, f"{name[:200]}: it stands there twice")
        if len(value) > _TEXT_AT_MOST or not value.isprintable():
            raise Refusal(400, f"{name[:200]}: at most {_TEXT_AT_MOST} printable characters")
        if value and name in known and known[name].choices and value not in known[name].choices:
            raise Refusal(400, f"{name}: {value} is none of {', '.join(known[name].choices)}", candidates=near(value, known[name].choices))
        if value:
            found[name] = value
    missing = next((each for each in endpoint.query if each.needed and each.name not in found), None)
    if missing is not None:
        raise Refusal(400, f"{missing.name} is missing: {missing.what}", candidates=missing.choices)
    return found


def limit(query: Mapping[str, str]) -> int:
    """How many rows. Raises `Refusal`."""
    text = query.get("limit", str(_LIMIT))
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= _LIMIT_AT_MOST):
        raise Refusal(400, f"limit: {text} is not a whole number from 1 to {_LIMIT_AT_MOST}")
    return int(text)


def after(query: Mapping[str, str]) -> str:
    """The OrderID that the page comes after; "" for the first page. Raises `Refusal`."""
    text = query.get("after", "")
    if text and not _ORDER_ID.fullmatch(text):
        raise Refusal(400, f"after: {text} is not an OrderID")
    return text


def amount(query: Mapping[str, str], name: str) -> Decimal | None:
    """An exact number; None where there is none. Raises `Refusal`."""
    return exact(name, query[name]) if name in query else None
