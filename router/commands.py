"""What is asked of a venue, made from where an order stands. Pure. Nothing here decides whether it may be asked."""

from __future__ import annotations

from decimal import Decimal

from router.model import Ask, Cancel, Place, Replace, ReplaceOrder, Send
from router.order import Order
from router.state import State
from router.words import TimeInForce

__all__ = ["ask", "change", "place"]


def place(state: State, order: Order, now: int) -> Send:
    """The present leg leaves for its venue: from here on it may be live there."""
    terms = order.leg.terms
    order.placed = now
    state.wait(order, now)
    assert terms.ord_type is not None
    return Send(
        order.link,
        Place(
            order.order_id, order.venue_cl_ord_id, order.venue, order.venue_symbol, terms.side, terms.ord_type,
            order.venue_time_in_force, terms.post_only, terms.order_qty, terms.cash_order_qty, terms.price,
            terms.stop_px, terms.reduce_only, now,
        ),
    )  # fmt: skip


def change(state: State, order: Order, now: int) -> Send:
    """What is pending leaves for the venue: a cancel, or a replace where the venue does that itself."""
    pending = order.pending
    assert pending is not None
    pending.sent = True
    state.wait(order, now)
    names = (order.order_id, order.venue_cl_ord_id, order.venue_order_id, order.venue, order.venue_symbol)
    if not pending.native:
        return Send(order.link, Cancel(*names))
    assert isinstance(pending.request, ReplaceOrder)
    terms = order.leg.terms
    assert terms.ord_type is not None
    return Send(
        order.link,
        Replace(
            *names, terms.side, terms.ord_type, order.venue_time_in_force, _quantity(pending.request.order_qty),
            pending.request.price if pending.request.price is not None else terms.price,
            pending.request.stop_px if pending.request.stop_px is not None else terms.stop_px,
        ),
    )  # fmt: skip


def ask(state: State, order: Order, link: str) -> Send:
    """Where does this order stand? With what it looks like, for venues that keep no id of ours."""
    terms = order.leg.terms
    assert terms.ord_type is not None
    return Send(
        link,
        Ask(
            order.order_id, order.venue_cl_ord_id, order.venue_order_id, order.venue, order.venue_symbol, terms.side, terms.ord_type,
            terms.order_qty, terms.cash_order_qty, terms.price, order.placed, order.venue_time_in_force or TimeInForce.GTC, terms.stop_px,
            order.placed + 2 * state.policy.configured.answer_timeout,
        ),
    )  # fmt: skip


def _quantity(value: Decimal | None) -> Decimal:
    assert value is not None
    return value
