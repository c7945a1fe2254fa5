"""What is checked of an order before it is sent: what the destination can do, and what the instrument allows. Pure.

Every answer names the field by name and tag, the value, and what would be allowed. Nothing is ever rounded into shape.
"""

from __future__ import annotations

from decimal import Decimal

from router.model import NewOrder, Refusal
from router.rules import Destination, Instrument
from router.words import EXACT, OrdRejReason, OrdType, Side, TimeInForce

__all__ = ["EMULATED", "check"]

EMULATED = (TimeInForce.DAY, TimeInForce.GTD)
"""What the router does by its own clock where the venue does not (`timers.py`)."""
_WITH_PRICE = (OrdType.LIMIT, OrdType.STOP_LIMIT)
_WITH_STOP = (OrdType.STOP, OrdType.STOP_LIMIT)


def check(order: NewOrder, time_in_force: TimeInForce, destination: Destination, instrument: Instrument) -> Refusal | None:
    """The first reason not to send this order there, or None."""
    return (
        _tradable(instrument, destination)
        or _ability(order, time_in_force, destination)
        or _price(order, instrument)
        or _quantity(order, destination, instrument)
        or _notional(order, instrument)
    )


def _unsupported(text: str) -> Refusal:
    return Refusal(OrdRejReason.UNSUPPORTED, text)


def _ability(order: NewOrder, time_in_force: TimeInForce, destination: Destination) -> Refusal | None:
    can = destination.capabilities
    if order.side not in (Side.BUY, Side.SELL):
        return _unsupported(f"Side(54) {order.side} is not offered by {destination.name}: buy or sell")
    if order.ord_type not in can.ord_types:
        return _unsupported(f"OrdType(40) {order.ord_type} is not offered by {destination.name}: {', '.join(can.ord_types)}")
    if time_in_force not in can.times_in_force and not (time_in_force in EMULATED and TimeInForce.GTC in can.times_in_force):
        offered = ", ".join(can.times_in_force)
        return _unsupported(f"TimeInForce(59) {time_in_force} is not offered by {destination.name}: {offered}")
    if order.reduce_only and not can.reduce_only:
        return _unsupported(f"reduce-only, ExecInst(18)=E, is not offered by {destination.name}")
    if time_in_force is TimeInForce.GTD and order.expire_time is None and not order.expire_date:
        return _unsupported("TimeInForce(59) 6, GoodTillDate, needs ExpireTime(126) or ExpireDate(432)")
    if order.post_only:
        if not can.post_only:
            return _unsupported(f"post-only, ExecInst(18)=6, is not offered by {destination.name}")
        if order.ord_type is not OrdType.LIMIT or time_in_force is TimeInForce.IOC:
            return _unsupported("post-only, ExecInst(18)=6 or TimeInForce(59)=7, needs a limit order that may rest")
    return None


def _tradable(instrument: Instrument, destination: Destination) -> Refusal | None:
    if instrument.enabled:
        return None
    return Refusal(OrdRejReason.EXCHANGE_CLOSED, f"{destination.name} says that {instrument.symbol} cannot be traded now")


def _price(order: NewOrder, instrument: Instrument) -> Refusal | None:
    if (order.stop_px is not None) != (order.ord_type in _WITH_STOP):
        return _unsupported(f"StopPx(99) is {'missing' if order.stop_px is None else 'not allowed'} on a {order.ord_type} order")
    price = order.price
    if order.ord_type not in _WITH_PRICE:
        return None if price is None else _unsupported(f"Price(44) {price:f} is not allowed on a {order.ord_type} order")
    if price is None:
        return _unsupported(f"Price(44) is missing on a {order.ord_type} order")
    if price <= 0:
        return _unsupported(f"Price(44) {price:f} is not above zero")
    if EXACT.remainder(price, instrument.tick):
        return _unsupported(f"Price(44) {price:f} is off the tick of {instrument.symbol}: {instrument.tick:f}")
    return _between("Price(44)", price, instrument.min_px, instrument.max_px, OrdRejReason.EXCEEDS_LIMIT)


def _quantity(order: NewOrder, destination: Destination, instrument: Instrument) -> Refusal | None:
    quantity, cash = order.order_qty, order.cash_order_qty
    by_cash = destination.capabilities.market_buy_by_cash and order.ord_type is OrdType.MARKET and order.side is Side.BUY
    if by_cash:
        if cash is None or quantity is not None:
            amount = f"an amount of {instrument.quote}"
            return _unsupported(f"a market buy at {destination.name} takes CashOrderQty(152), {amount}, and no OrderQty(38)")
        return None if cash > 0 else Refusal(OrdRejReason.INCORRECT_QUANTITY, f"CashOrderQty(152) {cash:f} is not above zero")
    if cash is not None:
        return _unsupported(f"CashOrderQty(152) is not taken on this order at {destination.name}: state OrderQty(38)")
    if quantity is None:
        return Refusal(OrdRejReason.INCORRECT_QUANTITY, "OrderQty(38) is missing")
    if quantity <= 0:
        return Refusal(OrdRejReason.INCORRECT_QUANTITY, f"OrderQty(38) {quantity:f} is not above zero")
    if EXACT.remainder(quantity, instrument.lot):
        return Refusal(
            OrdRejReason.INCORRECT_QUANTITY, f"OrderQty(38) {quantity:f} is off the lot of {instrument.symbol}: {instrument.lot:f}"
        )
    return _between("OrderQty(38)", quantity, instrument.min_qty, instrument.max_qty, OrdRejReason.INCORRECT_QUANTITY)


def _notional(order: NewOrder, instrument: Instrument) -> Refusal | None:
    if order.cash_order_qty is not None:
        value, name = order.cash_order_qty, "CashOrderQty(152)"
    elif order.price is not None and order.order_qty is not None:
        value, name = instrument.value(order.order_qty, order.price), "the order's value"
    else:
        return None
    return _between(name, value, instrument.min_notional, instrument.max_notional, OrdRejReason.EXCEEDS_LIMIT)


def _between(name: str, value: Decimal, low: Decimal | None, high: Decimal | None, reason: OrdRejReason) -> Refusal | None:
    if low is not None and value < low:
        return Refusal(reason, f"{name} {value:f} is below the least allowed, {low:f}")
    if high is not None and value > high:
        return Refusal(reason, f"{name} {value:f} is above the most allowed, {high:f}")
    return None
