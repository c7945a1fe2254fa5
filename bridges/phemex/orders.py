"""A `Place` as the body of `POST /orders`, or why it cannot be said (document, "Place Order"). Pure.

Readings, where the document shows one request and explains nothing:

- The fields and their order are those of its sample. A market order and a Stop leave priceEp out; Stop and StopLimit add stopPxEp
  and triggerType ByLastPrice, which others say as UNSPECIFIED. The direction of the trigger is not told: the venue takes it from the
  side (a buy waits for a rise).
- PostOnly is a timeInForce, so it stands for a limit order that may rest, and for nothing else.
- takeProfitEp and stopLossEp are 0: none.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from bridges.phemex.scaling import Unscalable, price_ep, quantity
from router.model import Place
from router.rules import Instrument
from router.words import OrdType, Side, TimeInForce

__all__ = ["CL_ORD_ID_AT_MOST", "ORD_TYPES", "SIDES", "TIMES_IN_FORCE", "Unsayable", "body", "is_minted", "mint"]

CL_ORD_ID_AT_MOST: Final = 40
SIDES: Final = {Side.BUY: "Buy", Side.SELL: "Sell"}
ORD_TYPES: Final = {OrdType.LIMIT: "Limit", OrdType.MARKET: "Market", OrdType.STOP: "Stop", OrdType.STOP_LIMIT: "StopLimit"}
TIMES_IN_FORCE: Final = {
    TimeInForce.GTC: "GoodTillCancel",
    TimeInForce.IOC: "ImmediateOrCancel",
    TimeInForce.FOK: "FillOrKill",
}
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))
_MINTED: Final = re.compile(r"[0-9]{13}-[0-9]{6}-[0-9]{6,19}")
_PRICED: Final = (OrdType.LIMIT, OrdType.STOP_LIMIT)
_TRIGGERED: Final = (OrdType.STOP, OrdType.STOP_LIMIT)


class Unsayable(ValueError):
    """An order that Phemex has no words for; names the field and the reason."""


def mint(now: int, random: int, serial: int) -> str:
    """A clOrdID: 13 digits of ms, the start's random number below a million, the serial number; at most 40 characters."""
    return f"{now // 1_000_000:013}-{random:06}-{serial:06}"


def is_minted(cl_ord_id: str) -> bool:
    """Does it look like one of ours, of this life or another?"""
    return _MINTED.fullmatch(cl_ord_id) is not None


def body(order: Place, instrument: Instrument) -> str:
    """The JSON of a create, exact. Raises `Unsayable`."""
    cl_ord_id = order.venue_cl_ord_id
    if not 0 < len(cl_ord_id) <= CL_ORD_ID_AT_MOST or not (cl_ord_id.isascii() and cl_ord_id.isprintable()):
        raise Unsayable(f"clOrdID {cl_ord_id!r} is not 1 to {CL_ORD_ID_AT_MOST} printable characters")
    if order.cash_order_qty is not None or order.order_qty is None:
        raise Unsayable("OrderQty(38) is needed: Phemex takes contracts, not an amount of money")
    fields: dict[str, Any] = {
        "actionBy": "FromOrderPlacement",
        "symbol": order.symbol,
        "clOrdID": cl_ord_id,
        "side": _said("Side(54)", SIDES, order.side),
    }
    _put_price(fields, "priceEp", "Price(44)", order, order.price, instrument, order.ord_type in _PRICED)
    try:
        fields["orderQty"] = quantity(order.order_qty, instrument.lot)
    except Unscalable as why:
        raise Unsayable(f"OrderQty(38) {why}") from None
    fields["ordType"] = _said("OrdType(40)", ORD_TYPES, order.ord_type)
    fields["reduceOnly"] = order.reduce_only
    fields["triggerType"] = "ByLastPrice" if order.ord_type in _TRIGGERED else "UNSPECIFIED"
    _put_price(fields, "stopPxEp", "StopPx(99)", order, order.stop_px, instrument, order.ord_type in _TRIGGERED)
    fields |= {"pegPriceType": "UNSPECIFIED", "timeInForce": _time_in_force(order), "takeProfitEp": 0, "stopLossEp": 0}
    return _ENCODER.encode(fields)


def _put_price(fields: dict[str, Any], key: str, name: str, order: Place, px: Any, instrument: Instrument, wanted: bool) -> None:
    if wanted is (px is None):
        raise Unsayable(f"{name} is {'missing' if wanted else 'not allowed'} on a {order.ord_type} order")
    if px is None:
        return
    try:
        fields[key] = price_ep(px, instrument.tick)
    except Unscalable as why:
        raise Unsayable(f"{name} {why}") from None


def _time_in_force(order: Place) -> str:
    if not order.post_only:
        return _said("TimeInForce(59)", TIMES_IN_FORCE, order.time_in_force)
    if order.ord_type not in _PRICED or order.time_in_force is not TimeInForce.GTC:
        raise Unsayable(f"post-only is not possible on a {order.ord_type} order that is {order.time_in_force}")
    return "PostOnly"


def _said(name: str, words: Any, value: Any) -> str:
    word = words.get(value)
    if not isinstance(word, str):
        raise Unsayable(f"{name} {value} has no word at Phemex: {', '.join(words)}")
    return word
