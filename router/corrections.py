"""Executions that are taken back or changed after they were told: by the venue's later word, or by an operator. Pure.

The rules (FIX 4.2 Appendix D, "execution cancels and corrects"; 4.4 group J):

1. An execution is named by the ExecID that the client has had for it; the report names it in ExecRefID(19) and has an ExecID of its own.
2. CumQty, AvgPx and LeavesQty are told anew. What is taken back of an order that is over is not worked any more: it ends Canceled.
3. A correction may be corrected again, under the ExecID of the last one.
4. What an operator took back or corrected stays so, whatever totals the venue tells later: it counts on as it did.
"""

from __future__ import annotations

from decimal import Decimal

from router.acts import BustTrade, CorrectTrade
from router.model import Effect, Outcome
from router.order import Happening, Leg, Order
from router.reports import report
from router.state import State
from router.words import EXACT, ZERO, ExecType, OrdStatus

__all__ = ["absorbed", "bust_trade", "correct_trade"]


def bust_trade(state: State, event: BustTrade, now: int) -> list[Effect]:
    """The execution never was."""
    order = state.blotter.orders.get(event.order_id)
    if order is None or event.exec_id not in order.executions:
        return [_unknown(event)]
    _set_aside(order, event.exec_id, ZERO, ZERO)
    return [*_change(order, event.exec_id, ZERO, ZERO, event.text, now), Outcome(True, f"execution {event.exec_id} is taken back")]


def correct_trade(state: State, event: CorrectTrade, now: int) -> list[Effect]:
    """The execution was another than was told."""
    order = state.blotter.orders.get(event.order_id)
    if order is None or event.exec_id not in order.executions:
        return [_unknown(event)]
    if event.last_qty <= 0 or event.last_px <= 0:
        return [Outcome(False, f"a correction to {event.last_qty:f} at {event.last_px:f} makes no sense")]
    _set_aside(order, event.exec_id, event.last_qty, event.last_px)
    changed = _change(order, event.exec_id, event.last_qty, event.last_px, event.text, now)
    return [*changed, Outcome(True, f"execution {event.exec_id} is now {event.last_qty:f} at {event.last_px:f}")]


def absorbed(order: Order, leg: Leg, last_qty: Decimal, last_px: Decimal, now: int) -> list[Effect]:
    """The execution behind a quantity that was booked from the venue's totals has come: where its price is another, the client is told."""
    for exec_id, (of, quantity, price) in order.executions.items():
        if exec_id in order.inferred and of is leg and quantity == last_qty:
            order.inferred.discard(exec_id)
            text = "the venue's own word on what was missed"
            return [] if price == last_px else _change(order, exec_id, last_qty, last_px, text, now)
    return []  # told in other parts than it was booked in: CumQty is right, and its value was the venue's own average


def _set_aside(order: Order, exec_id: str, last_qty: Decimal, last_px: Decimal) -> None:
    """The venue goes on counting what it told: its totals must not bring back what an operator took away (rule 4)."""
    leg, old_qty, old_px = order.executions[exec_id]
    leg.aside_qty = EXACT.add(leg.aside_qty, EXACT.subtract(old_qty, last_qty))
    value = EXACT.subtract(EXACT.multiply(old_qty, old_px), EXACT.multiply(last_qty, last_px))
    leg.aside_value = EXACT.add(leg.aside_value, value)


def _change(order: Order, exec_id: str, last_qty: Decimal, last_px: Decimal, text: str, now: int) -> list[Effect]:
    leg, old_qty, old_px = order.executions.pop(exec_id)
    order.inferred.discard(exec_id)
    order.rebook(leg, EXACT.subtract(last_qty, old_qty), EXACT.subtract(EXACT.multiply(last_qty, last_px), EXACT.multiply(old_qty, old_px)))
    _settle(order, now)
    kind = ExecType.TRADE_CORRECT if last_qty else ExecType.TRADE_CANCEL
    changed = report(order, kind, now, text, last_qty, last_px, exec_ref_id=exec_id)
    if last_qty:
        order.executions[changed.exec_id] = (leg, last_qty, last_px)
    return [changed]


def _settle(order: Order, now: int) -> None:
    """The state that the new CumQty makes."""
    order_qty = order.request.order_qty
    if order.base is OrdStatus.FILLED and order_qty is not None and order.cum_qty < order_qty:
        order.happen(Happening.REDUCED, now)
    elif order.base is OrdStatus.PARTIALLY_FILLED and not order.cum_qty:
        order.happen(Happening.EMPTIED, now)
    elif order.base is OrdStatus.PARTIALLY_FILLED and order_qty is not None and order.cum_qty >= order_qty:
        order.happen(Happening.FILLED, now)


def _unknown(event: BustTrade | CorrectTrade) -> Outcome:
    return Outcome(False, f"order {event.order_id} has no execution {event.exec_id}: nothing was changed")
