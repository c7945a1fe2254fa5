"""The simulator's control, Crypto.com's part: the ground truth, counterparties, and what is to go wrong.

Readings: `cancel` takes the venue's order id; `reset` leaves connections, subscriptions and counts; `disconnect` drops
every WebSocket (REST has no session to drop); `refuse_connections` hangs up on every request but `/_sim/*`.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from bridges.control import BadRequest, Counterparty
from bridges.cryptocom.sim_errors import Refused
from bridges.cryptocom.sim_exchange import Exchange
from bridges.cryptocom.sim_gateway import Gateway
from bridges.cryptocom.sim_orders import Order
from bridges.cryptocom.sim_tally import Tally
from bridges.cryptocom.sim_text import plain_text
from bridges.faults import Fault, Faults


class Line(Protocol):
    """The connections, as far as the control touches them."""

    def publish(self) -> None: ...
    def disconnect(self) -> None: ...
    def refuse_until(self, until_ms: int) -> None: ...


class Controlled:
    """A `control.Simulated`. `clock` gives epoch milliseconds."""

    def __init__(self, exchange: Exchange, gateway: Gateway, faults: Faults, tally: Tally, line: Line, clock: Callable[[], int]) -> None:
        self._exchange, self._gateway, self._faults, self._tally = exchange, gateway, faults, tally
        self._line, self._clock = line, clock

    def orders(self) -> list[dict[str, Any]]:
        self._exchange.advance(self._clock())
        return [_as_json(order) for order in self._exchange.orders()]

    def requests(self) -> dict[str, Any]:
        return self._tally.as_json()

    def trade(self, order: Counterparty) -> dict[str, Any]:
        instrument = self._exchange.instruments.get(order.symbol)
        if instrument is None:
            raise BadRequest(f"symbol: not listed: {order.symbol!r}")
        if order.venue is not None:
            raise BadRequest("venue: there is only one here")
        for name, value, step in (("qty", order.qty, instrument.lot), ("price", order.price, instrument.tick)):
            if value % step:
                raise BadRequest(f"{name}: not a multiple of {step}")
        self._exchange.advance(self._clock())
        placed = self._exchange.trade(order.symbol, order.side, order.qty, order.price, self._clock())
        self._line.publish()
        return {
            "symbol": order.symbol,
            "side": order.side.value,
            "qty": plain_text(order.qty),
            "filled": plain_text(order.qty - placed.dropped),
            "trades": [
                {
                    "id": trade.maker_id if trade.maker_id.isdigit() else None,
                    "price": plain_text(trade.price),
                    "qty": plain_text(trade.qty),
                }
                for trade in placed.trades
            ],
        }

    def cancel(self, order_id: str) -> dict[str, Any]:
        order = self._exchange.find_any(int(order_id)) if order_id.isascii() and order_id.isdigit() else None
        if order is None:
            raise BadRequest(f"id: no order {order_id!r}")
        try:
            self._exchange.cancel_by_venue(order, self._clock())
        except Refused as no:
            raise BadRequest(f"id: {no.msg}") from None
        self._line.publish()
        return _as_json(order)

    def fault(self, fault: Fault) -> None:
        if fault.kind == "disconnect":
            self._line.disconnect()
        elif fault.kind == "refuse_connections":
            self._line.refuse_until(self._clock() + round(fault.delay_s * 1000))
        else:
            self._faults.post(fault)

    def reset(self) -> None:
        """Orders, books, tapes, balances, faults and limits as at the start; connections and counts stay."""
        self._exchange.reset(self._clock())
        self._gateway.reset()
        self._faults.clear()
        self._line.refuse_until(0)
        self._line.publish()


def _as_json(order: Order) -> dict[str, Any]:
    new = order.asked
    return {
        "id": str(order.order_id),
        "client_id": None,
        "user_id": order.user_id,
        "symbol": new.symbol,
        "side": new.side.value,
        "type": new.type.name,
        "price": _text(new.price),
        "qty": None if new.by_total else _text(new.volume),
        "total": _text(new.volume) if new.by_total else None,
        "filled": _text(order.filled),
        "filled_value": _text(order.value),
        "fee": _text(order.fee),
        "status": order.status.name,
        "created_ms": order.created_ms,
        "updated_ms": order.updated_ms,
        "trades": [
            {"id": str(fill.trade_id), "price": _text(fill.price), "qty": _text(fill.qty), "fee": _text(fill.fee)} for fill in order.fills
        ],
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain_text(amount)
