"""Orders as PrimeBit writes them: the bodies of create and modify, and the order object read (document, "Order channel"). Pure.

Readings, where the document leaves the bodies to a Swagger file:

- A create carries the order channel's field names; prices and volume are texts; limit_price "0.0" is a market order, stop_price "0.0" no
  stop, expiration_time 0 none. `comment` carries our id.
- A modify carries volume, limit_price and stop_price; its volume is that of the whole order, executed parts included.
- `volume` of an order object is what is left.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from bridges.primebit.payload import Malformed, amount, identifier, mapped, name, positive
from router.model import Ask, Place, Replace
from router.rules import Instrument
from router.words import EXACT, OrdType, Side, TimeInForce

__all__ = ["FILL_TYPES", "ORD_TYPES", "SIDES", "Row", "Unsayable", "create", "is_minted", "looks_like", "mint", "modify", "read"]

COMMENT_AT_MOST: Final = 64
SIDES: Final = {Side.BUY: "buy", Side.SELL: "sell"}
FILL_TYPES: Final = {
    TimeInForce.GTC: "normal",
    TimeInForce.IOC: "immediate-or-cancel",
    TimeInForce.FOK: "fill-or-kill",
}
ORD_TYPES: Final = (OrdType.LIMIT, OrdType.MARKET, OrdType.STOP, OrdType.STOP_LIMIT)
_PRICED: Final = (OrdType.LIMIT, OrdType.STOP_LIMIT)
_TRIGGERED: Final = (OrdType.STOP, OrdType.STOP_LIMIT)
_SIDES_READ: Final = {word: side for side, word in SIDES.items()}
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))
_MINTED: Final = re.compile(r"[0-9]{13}-[0-9]{6}-[0-9]{6,19}")


class Unsayable(ValueError):
    """A command that PrimeBit has no words for; names the field and the reason."""


@dataclass(frozen=True, slots=True)
class Row:
    """An order object. `left`: volume not executed yet; prices None where the venue says "0.0"."""

    order_id: str
    comment: str
    symbol: str
    side: Side
    limit: Decimal | None
    stop: Decimal | None
    fill_type: str
    left: Decimal
    contract_size: Decimal | None


def mint(now: int, random: int, serial: int) -> str:
    """Our id: 13 digits of ms, the start's random number below a million, the serial number; at most 40 characters."""
    return f"{now // 1_000_000:013}-{random:06}-{serial:06}"


def is_minted(comment: str) -> bool:
    """Does it look like an id of ours, of this life or another?"""
    return _MINTED.fullmatch(comment) is not None


def create(order: Place, instrument: Instrument) -> str:
    """The JSON of a create, exact. Raises `Unsayable`."""
    comment = order.venue_cl_ord_id
    if not 0 < len(comment) <= COMMENT_AT_MOST or not (comment.isascii() and comment.isprintable()):
        raise Unsayable(f"comment {comment!r} is not 1 to {COMMENT_AT_MOST} printable characters")
    if order.cash_order_qty is not None or order.order_qty is None:
        raise Unsayable("OrderQty(38) is needed: PrimeBit takes a volume, not an amount of money")
    if order.post_only or order.reduce_only:
        raise Unsayable(f"ExecInst(18) has no word at PrimeBit: {'post-only' if order.post_only else 'do not increase'}")
    fields = {
        "symbol": order.symbol,
        "side": _said("Side(54)", SIDES, order.side),
        "volume": _volume(order.order_qty, instrument),
        "limit_price": _price("Price(44)", order.ord_type, order.price, instrument, order.ord_type in _PRICED),
        "stop_price": _price("StopPx(99)", order.ord_type, order.stop_px, instrument, order.ord_type in _TRIGGERED),
        "fill_type": _said("TimeInForce(59)", FILL_TYPES, order.time_in_force),
        "expiration_time": 0,
        "comment": comment,
    }
    return _ENCODER.encode(fields)


def modify(order: Replace, instrument: Instrument) -> str:
    """The JSON of a modify, exact. Raises `Unsayable`."""
    fields = {
        "volume": _volume(order.order_qty, instrument),
        "limit_price": _price("Price(44)", order.ord_type, order.price, instrument, order.ord_type in _PRICED),
        "stop_price": _price("StopPx(99)", order.ord_type, order.stop_px, instrument, order.ord_type in _TRIGGERED),
    }
    return _ENCODER.encode(fields)


def read(value: Any) -> Row:
    """An order object. Raises `Malformed`."""
    fields = mapped(value, "the order")
    side, left = _SIDES_READ.get(name(fields, "side")), amount(fields, "volume")
    if side is None:
        raise Malformed("side is neither buy nor sell")
    if left < 0:
        raise Malformed("volume is below zero")
    comment = fields.get("comment")
    return Row(
        order_id=identifier(fields, "order_id"), comment=comment if isinstance(comment, str) else "", symbol=name(fields, "symbol"),
        side=side, limit=positive(fields, "limit_price"), stop=positive(fields, "stop_price"), fill_type=name(fields, "fill_type"),
        left=left, contract_size=_contract_size(fields),
    )  # fmt: skip


def looks_like(ask: Ask, row: Row, total: Decimal | None) -> bool:
    """Could this be the order that is asked about? `total`: the whole order's volume, None where only what is left is known."""
    if (row.symbol, row.side, row.fill_type) != (ask.symbol, ask.side, FILL_TYPES.get(ask.time_in_force)):
        return False
    if ask.ord_type in _PRICED and row.limit != ask.price:
        return False
    if ask.order_qty is None:
        return False
    return total == ask.order_qty if total is not None else row.left <= ask.order_qty


def _contract_size(fields: Mapping[str, Any]) -> Decimal | None:
    return positive(fields, "contract_size") if fields.get("contract_size") is not None else None


def _volume(qty: Decimal, instrument: Instrument) -> str:
    if qty <= 0 or EXACT.remainder(qty, instrument.lot):
        raise Unsayable(f"OrderQty(38) {qty:f} is not a multiple of {instrument.lot:f}")
    return f"{qty:f}"


def _price(field: str, kind: OrdType, px: Decimal | None, instrument: Instrument, wanted: bool) -> str:
    if wanted is (px is None):
        raise Unsayable(f"{field} is {'missing' if wanted else 'not allowed'} on a {kind} order")
    if px is None:
        return "0.0"
    if px <= 0 or EXACT.remainder(px, instrument.tick):
        raise Unsayable(f"{field} {px:f} is not a multiple of {instrument.tick:f}")
    return f"{px:f}"


def _said(field: str, words: Mapping[Any, str], value: Any) -> str:
    word = words.get(value)
    if word is None:
        raise Unsayable(f"{field} {value} has no word at PrimeBit: {', '.join(words)}")
    return word
