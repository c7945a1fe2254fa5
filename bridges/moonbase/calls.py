"""Commands in the venue's words, and its refusals in ours. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from router.model import Cancel, NotSent, Place
from router.words import CxlRejReason, OrdRejReason, OrdType, Side, TimeInForce

__all__ = ["ORD_TYPES", "cancel_reason", "not_sent", "payload", "reject_reason", "unsayable", "when"]

_SECOND: Final = 1_000_000_000
ORD_TYPES: Final = {
    OrdType.LIMIT: (True, False),
    OrdType.MARKET: (False, False),
    OrdType.STOP: (False, True),
    OrdType.STOP_LIMIT: (True, True),
}
"""Whether limit_price and trigger_price are said (document, "Place")."""


def unsayable(place: Place) -> str:
    """Why an order has no words here, or ""."""
    if place.ord_type not in ORD_TYPES or place.side not in (Side.BUY, Side.SELL):
        return f"Moonbase has no {place.ord_type} {place.side} order"
    if place.time_in_force is not TimeInForce.GTC or place.post_only or place.reduce_only:
        return "Moonbase has no TimeInForce but GTC, no post-only and no reduce-only"
    if place.order_qty is None or place.cash_order_qty is not None or place.order_qty <= 0:
        return "Moonbase takes a quantity, never an amount of money"
    if (place.price is not None, place.stop_px is not None) != ORD_TYPES[place.ord_type]:
        return f"a {place.ord_type} order states other prices"
    return ""


def payload(place: Place) -> dict[str, Decimal]:
    """Document, "Place"; the side is the sign of the amount."""
    assert place.order_qty is not None
    prices = {"limit_price": place.price, "trigger_price": place.stop_px}
    said = {name: price for name, price in prices.items() if price is not None}
    # copy_negate, since the minus sign would round to the context's 28 digits.
    return said | {"requested_amount": place.order_qty if place.side is Side.BUY else place.order_qty.copy_negate()}


def not_sent(command: Place | Cancel, why: str) -> NotSent:
    """It is certain that it never left."""
    return NotSent(order_id=command.order_id, place=isinstance(command, Place), text=why)


def reject_reason(kind: str) -> OrdRejReason:
    """By what an error's `type` says; the document has no list of them."""
    kind = kind.lower()
    if any(each in kind for each in ("insufficient", "balance", "funds")):
        return OrdRejReason.EXCEEDS_LIMIT
    return OrdRejReason.UNKNOWN_SYMBOL if "symbol" in kind else OrdRejReason.BROKER_OPTION


def cancel_reason(kind: str, over: bool) -> CxlRejReason:
    """`over`: the channel has told that the order ended."""
    if over:
        return CxlRejReason.TOO_LATE
    return CxlRejReason.UNKNOWN_ORDER if "not_found" in kind.lower() else CxlRejReason.BROKER_OPTION


def when(time: int) -> str:
    """A time for people, UTC; never earlier than it is."""
    seconds = -(-time // _SECOND) % 86_400
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02} UTC"
