"""The rules for a new order, of the request alone ("Orders", "Place"). Pure.

Assumptions:
 1. Prices and the amount are JSON numbers, as the document's "float"; texts, and parameters that the document does not
    name, are refused.
 2. `price_step` and `amount_step` are in no answer of the venue: what is off them is refused, as is what is not above
    zero (the amount: zero) or beyond 10^7, where price times amount would no longer be exact. There is no smallest amount but the step.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bridges.matching import Side
from bridges.moonbase.sim_errors import invalid
from bridges.moonbase.sim_orders import NewOrder
from bridges.moonbase.sim_settings import Instrument

LARGEST = Decimal(10) ** 7
_PLAIN = re.compile(r"\d{1,8}(\.\d{1,18})?", re.ASCII)
_PLACE = ("limit_price", "trigger_price", "requested_amount")


def only(params: Mapping[str, Any], *known: str) -> None:
    """Refused for a parameter that is none of these."""
    for name in params:
        if name not in known:
            raise invalid(name, "unknown parameter")


def new_order(params: Mapping[str, Any], instrument: Instrument) -> NewOrder:
    """The order that the parameters ask for; Refused."""
    only(params, *_PLACE)
    amount = number("requested_amount", params.get("requested_amount"))
    limit, trigger = (_price(name, params.get(name), instrument.price_step) for name in _PLACE[:2])
    if not amount:
        raise invalid("requested_amount", "is zero")
    _on_step("requested_amount", amount, instrument.amount_step)
    return NewOrder(instrument.symbol, Side.BUY if amount > 0 else Side.SELL, abs(amount), limit, trigger)


def _price(name: str, value: Any, step: Decimal) -> Decimal | None:
    if value is None:
        return None
    price = number(name, value)
    if price <= 0:
        raise invalid(name, "is not above zero")
    _on_step(name, price, step)
    return price


def number(name: str, value: Any, or_text: bool = False) -> Decimal:
    """A JSON number of at most 18 decimals, exact; with `or_text` also a text that is one. Refused."""
    if value is None:
        raise invalid(name, "is missing")
    if or_text and isinstance(value, str) and _PLAIN.fullmatch(value):
        value = Decimal(value)
    if type(value) is int and abs(value) <= LARGEST:
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise invalid(name, "is no number")
    exact: Decimal = value if value else Decimal(0)
    if abs(exact) > LARGEST or exact.adjusted() < -18 or len(exact.as_tuple().digits) > 26:
        raise invalid(name, "is out of range")
    return exact


def _on_step(name: str, value: Decimal, step: Decimal) -> None:
    if value % step:
        raise invalid(name, f"is not a multiple of {step:f}")
