"""The rules for a new order, of the request alone ("Create an order"). Pure.

Assumptions:
 1. Numbers are plain decimals ("0.001"): no sign, no exponent, at most 8 decimals, above zero and at most 10^8.
 2. `price_precision` and `amount_precision` bind the value, not the text: 0.10 has one digit. A market buy's total obeys
    `price_precision`.
 3. Minimum amounts are in no answer of the venue. There is one of base quantity (`min_volume`) and one of price times
    quantity (`min_total`), the latter also for a market buy's total and not for a market sell.
 4. A market order's `price` ("no need for this parameter") is not looked at, nor is `fee_is_user_exchange_coin`
    ("redundant") beyond being 0 or 1.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from bridges.cryptocom.sim_errors import NO_PRICE, NO_VOLUME, TOO_LARGE, TOO_SMALL, invalid, malformed
from bridges.cryptocom.sim_orders import NewOrder, OrderType
from bridges.cryptocom.sim_settings import Instrument
from bridges.matching import Side

MAX_AMOUNT = Decimal(10) ** 8
_AMOUNT = re.compile(r"\d{1,12}(\.\d{1,8})?", re.ASCII)
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_TYPES = {"1": OrderType.LIMIT, "2": OrderType.MARKET}


def new_order(params: Mapping[str, str], instruments: Mapping[str, Instrument]) -> NewOrder:
    """The order that the parameters ask for; Refused with 400 or 499 otherwise."""
    for name, code in (("side", None), ("type", None), ("symbol", None), ("volume", NO_VOLUME)):
        if not params.get(name):
            raise malformed(f"{name} is missing", code) if code else malformed(f"{name} is missing")
    instrument = instruments.get(params["symbol"])
    if instrument is None:
        raise invalid("unknown symbol")
    side, kind = _SIDES.get(params["side"]), _TYPES.get(params["type"])
    if side is None:
        raise invalid("side is neither BUY nor SELL")
    if kind is None:
        raise invalid("type is neither 1 nor 2")
    if params.get("fee_is_user_exchange_coin", "") not in ("", "0", "1"):
        raise invalid("fee_is_user_exchange_coin is neither 0 nor 1")
    price = None
    if kind is OrderType.LIMIT:
        if not params.get("price"):
            raise malformed("price is missing", NO_PRICE)
        price = _amount("price", params["price"], instrument.price_precision)
    new = NewOrder(params["symbol"], side, kind, Decimal(0), price)
    digits = instrument.price_precision if new.by_total else instrument.amount_precision
    volume = _amount("volume", params["volume"], digits)
    if not new.by_total and volume < instrument.min_volume:
        raise invalid(f"volume is below {instrument.min_volume}", TOO_SMALL)
    total = volume if new.by_total else None if price is None else price * volume
    if total is not None and total < instrument.min_total:
        raise invalid(f"the total is below {instrument.min_total}", TOO_SMALL)
    return NewOrder(new.symbol, side, kind, volume, price)


def _amount(name: str, text: str, digits: int) -> Decimal:
    if not _AMOUNT.fullmatch(text):
        raise invalid(f"{name} is not a plain decimal number")
    value = Decimal(text)
    if not value:
        raise invalid(f"{name} is not positive", TOO_SMALL)
    if value > MAX_AMOUNT:
        raise invalid(f"{name} is above {MAX_AMOUNT}", TOO_LARGE)
    if value != round(value, digits):
        raise invalid(f"{name} has more than {digits} decimals")
    return value
