"""The simulator's control, Moonbase's part: the ground truth, counterparties, and what is to go wrong. Pure.

Readings: `cancel` takes the venue's order id; `reset` leaves connections, joined channels and counts, and begins the rate
limits anew; `disconnect` drops every WebSocket; `refuse_connections` hangs up on every request but `/_sim/*`.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from bridges.control import BadRequest, Counterparty
from bridges.faults import Fault
from bridges.moonbase.sim_errors import Refused
from bridges.moonbase.sim_exchange import Exchange
from bridges.moonbase.sim_orders import Order
from bridges.moonbase.sim_rules import LARGEST
from bridges.moonbase.sim_session import Venue
from bridges.moonbase.sim_text import plain


class Line(Protocol):
    """The connections, as far as the control touches them."""

    def disconnect(self) -> None: ...
    def refuse_until(self, until_ns: int) -> None: ...


class Controlled:
    """A `control.Simulated`. `clock` gives epoch nanoseconds."""

    def __init__(self, exchange: Exchange, venue: Venue, line: Line, clock: Callable[[], int]) -> None:
        self._exchange, self._venue, self._line, self._clock = exchange, venue, line, clock

    def orders(self) -> list[dict[str, Any]]:
        return [_as_json(order) for order in self._exchange.orders()]

    def requests(self) -> dict[str, Any]:
        return self._venue.tally.as_json()

    def trade(self, order: Counterparty) -> dict[str, Any]:
        instrument = self._exchange.instruments.get(order.symbol)
        if instrument is None:
            raise BadRequest(f"symbol: not listed: {order.symbol!r}")
        if order.venue is not None:
            raise BadRequest("venue: there is only one here")
        for name, value, step in (("qty", order.qty, instrument.amount_step), ("price", order.price, instrument.price_step)):
            if value > LARGEST:
                raise BadRequest(f"{name}: above {LARGEST:f}")
            if value % step:
                raise BadRequest(f"{name}: not a multiple of {step:f}")
        now_ns = self._clock()
        placed = self._exchange.trade(order.symbol, order.side, order.qty, order.price, now_ns)
        self._venue.feed.publish(now_ns)
        return {
            "symbol": order.symbol,
            "side": order.side.value,
            "qty": plain(order.qty),
            "filled": plain(order.qty - placed.dropped),
            "trades": [{"id": self._known(each.maker_id), "price": plain(each.price), "qty": plain(each.qty)} for each in placed.trades],
        }

    def cancel(self, order_id: str) -> dict[str, Any]:
        order = self._exchange.find_any(int(order_id)) if order_id.isascii() and order_id.isdigit() and len(order_id) < 20 else None
        if order is None:
            raise BadRequest(f"id: no order {order_id!r}")
        now_ns = self._clock()
        try:
            self._exchange.cancel(order, now_ns)
        except Refused as no:
            raise BadRequest(f"id: {no.kind}") from None
        self._venue.feed.publish(now_ns)
        return _as_json(order)

    def fault(self, fault: Fault) -> None:
        if fault.kind == "disconnect":
            self._line.disconnect()
        elif fault.kind == "refuse_connections":
            self._line.refuse_until(self._clock() + round(fault.delay_s * 1e9))
        else:
            self._venue.faults.post(fault)

    def reset(self) -> None:
        """Orders, books, tapes, balances, faults and limits as at the start; connections and counts stay."""
        self._exchange.reset()
        self._venue.channels.reset()
        self._venue.later.clear()
        self._venue.feed.forget_held()
        self._venue.faults.clear()
        self._venue.limits.clear()
        self._line.refuse_until(0)
        self._venue.feed.publish(self._clock())

    def _known(self, order_id: str) -> str | None:
        """None for the house's orders."""
        return order_id if self._exchange.find_any(int(order_id)) is not None else None


def _as_json(order: Order) -> dict[str, Any]:
    new = order.asked
    return {
        "id": str(order.order_id),
        "client_id": None,
        "user_id": order.user_id,
        "symbol": new.symbol,
        "side": new.side.value,
        "type": new.type,
        "price": _text(new.limit_price),
        "stop_price": _text(new.trigger_price),
        "qty": plain(new.amount),
        "filled": plain(order.filled),
        "filled_value": plain(order.total),
        "fee": plain(order.fee),
        "status": order.stage.value,
        "created_ns": order.inserted_ns,
        "updated_ns": order.updated_ns,
        "triggered_ns": order.triggered_ns,
        "cancelled_ns": order.cancelled_ns,
        "trades": [
            {"id": str(fill.trade_id), "price": plain(fill.price), "qty": plain(fill.amount), "fee": plain(fill.fee)}
            for fill in order.fills
        ],
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)
