"""The simulator's control, Phemex's part: the ground truth, counterparties, and what is to go wrong. Pure.

Readings: prices are real ones (64990, not 649900000), quantities whole contracts; `cancel` takes the venue's id or the
client's; `reset` leaves connections, subscriptions and counts, and begins the rounds of the rate limit anew.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from bridges.control import BadRequest, Counterparty
from bridges.faults import Fault, Faults
from bridges.phemex.sim_contract import unscaled
from bridges.phemex.sim_errors import Refused
from bridges.phemex.sim_exchange import Exchange
from bridges.phemex.sim_feed import Feed
from bridges.phemex.sim_orders import Order
from bridges.phemex.sim_rest import RestApi
from bridges.phemex.sim_rows import SIDES
from bridges.phemex.sim_settings import PRICE_SCALE, VALUE_SCALES
from bridges.phemex.sim_tally import Tally


class Line(Protocol):
    """The connections, as far as the control touches them."""

    def disconnect(self) -> None: ...
    def refuse_until(self, until_ns: int) -> None: ...


class Controlled:
    """A `control.Simulated`. `clock` gives epoch nanoseconds."""

    def __init__(
        self,
        exchange: Exchange,
        feed: Feed,
        rest: RestApi,
        faults: Faults,
        tally: Tally,
        line: Line,
        clock: Callable[[], int],
    ) -> None:
        self._exchange, self._feed, self._rest, self._faults = exchange, feed, rest, faults
        self._tally, self._line, self._clock = tally, line, clock

    def orders(self) -> list[dict[str, Any]]:
        return [self._as_json(order) for order in self._exchange.orders()]

    def requests(self) -> dict[str, Any]:
        return self._tally.as_json()

    def trade(self, order: Counterparty) -> dict[str, Any]:
        if order.venue is not None:
            raise BadRequest("venue: there is one only")
        if order.symbol not in self._exchange.markets:
            raise BadRequest(f"symbol: no contract {order.symbol!r}")
        if order.qty % 1:
            raise BadRequest("qty: not a whole number of contracts")
        try:
            price_ep = self._exchange.markets[order.symbol].contract.price_ep(order.price)
        except ValueError as no:
            raise BadRequest(f"price: {no}") from None
        now_ns = self._clock()
        clients = {each.order_id: each for each in self._exchange.orders()}
        placed = self._exchange.trade(order.symbol, order.side, int(order.qty), price_ep, now_ns)
        self._feed.publish(now_ns)
        return {
            "symbol": order.symbol,
            "side": order.side.value,
            "qty": str(int(order.qty)),
            "filled": str(int(order.qty - placed.dropped)),
            "trades": [
                {
                    "id": trade.maker_id if trade.maker_id in clients else None,
                    "client_id": clients[trade.maker_id].asked.cl_ord_id if trade.maker_id in clients else None,
                    "price": _real(trade.price),
                    "qty": str(int(trade.qty)),
                }
                for trade in placed.trades
            ],
        }

    def cancel(self, order_id: str) -> dict[str, Any]:
        order = self._exchange.find_any(order_id)
        if order is None:
            raise BadRequest(f"id: no order {order_id!r}")
        now_ns = self._clock()
        try:
            self._exchange.cancel_order(order, now_ns)
        except Refused as no:
            raise BadRequest(f"id: {no.code} {no.text}") from None
        self._feed.publish(now_ns)
        return self._as_json(order)

    def fault(self, fault: Fault) -> None:
        if fault.kind == "disconnect":
            self._line.disconnect()
        elif fault.kind == "refuse_connections":
            self._line.refuse_until(self._clock() + round(fault.delay_s * 1e9))
        else:
            self._faults.post(fault)

    def reset(self) -> None:
        """Orders, books, positions, balances and faults as at the start; connections and counts stay."""
        self._exchange.reset()
        self._feed.reset()
        self._rest.reset()
        self._faults.clear()
        self._line.refuse_until(0)
        self._feed.publish(self._clock())

    def _as_json(self, order: Order) -> dict[str, Any]:
        new = order.asked
        scale = VALUE_SCALES[self._exchange.contract(new.symbol).settle]
        return {
            "id": order.order_id,
            "client_id": new.cl_ord_id,
            "user_id": order.user_id,
            "symbol": new.symbol,
            "side": SIDES[new.side],
            "type": new.ord_type,
            "tif": new.time_in_force,
            "price": _real(new.price_ep) if new.price_ep else None,
            "stop_price": _real(new.stop_px_ep) if new.stop_px_ep else None,
            "reduce_only": new.reduce_only,
            "close_on_trigger": new.close_on_trigger,
            "qty": str(new.qty),
            "filled": str(order.cum_qty),
            "filled_value": unscaled(order.cum_value_ev, scale),
            "status": order.status.value,
            "created_ns": order.created_ns,
            "updated_ns": order.updated_ns,
            "cancelled_ns": order.canceled_ns or None,
            "filled_ns": order.filled_ns or None,
        }


def _real(price_ep: int | Decimal) -> str:
    return unscaled(int(price_ep), PRICE_SCALE)
