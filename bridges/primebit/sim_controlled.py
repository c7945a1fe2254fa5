"""The simulator's control, PrimeBit's part: the ground truth, counterparties, and what is to go wrong. Pure.

Readings: `client_id` is the order's comment, also where the venue does not show it; `cancel` takes the venue's id or the
comment; `reset` leaves connections, subscriptions and counts, and begins the rate limit anew.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from bridges.control import BadRequest, Counterparty
from bridges.faults import Fault, Faults
from bridges.matching import Trade
from bridges.primebit.sim_errors import Refused
from bridges.primebit.sim_exchange import Exchange
from bridges.primebit.sim_feed import Feed
from bridges.primebit.sim_orders import Order
from bridges.primebit.sim_rest import RestApi
from bridges.primebit.sim_rows import SIDE_WORDS
from bridges.primebit.sim_tally import Tally

# A counterparty's; far beyond any book.
_MOST_VOLUME = Decimal(10) ** 12


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
        return [_as_json(order) for order in self._exchange.orders()]

    def requests(self) -> dict[str, Any]:
        return self._tally.as_json()

    def trade(self, order: Counterparty) -> dict[str, Any]:
        self._check(order)
        now_ns = self._clock()
        self._exchange.expire(now_ns)
        clients = {each.key: each for each in self._exchange.orders()}
        placed = self._exchange.trade(order.symbol, order.side, order.qty, order.price, now_ns)
        self._feed.publish(now_ns)
        return {
            "symbol": order.symbol,
            "side": order.side.value,
            "qty": _plain(order.qty),
            "filled": _plain(order.qty - placed.dropped),
            "trades": [_traded(trade, clients.get(trade.maker_id)) for trade in placed.trades],
        }

    def cancel(self, order_id: str) -> dict[str, Any]:
        order = self._exchange.find_any(order_id)
        if order is None:
            raise BadRequest(f"id: no order {order_id!r}")
        now_ns = self._clock()
        try:
            self._exchange.cancel_order(order, now_ns)
        except Refused as no:
            raise BadRequest(f"id: {no.code} {no.message}") from None
        self._feed.publish(now_ns)
        return _as_json(order)

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

    def _check(self, order: Counterparty) -> None:
        if order.venue is not None:
            raise BadRequest("venue: there is one only")
        contract = self._exchange.contracts.get(order.symbol)
        if contract is None:
            raise BadRequest(f"symbol: no contract {order.symbol!r}")
        if order.qty > _MOST_VOLUME or order.qty % contract.volume_step:
            raise BadRequest(f"qty: not a multiple of {_plain(contract.volume_step)}")
        if order.price > contract.max_price or order.price % contract.tick_size:
            raise BadRequest(f"price: not a multiple of {_plain(contract.tick_size)}")


def _traded(trade: Trade, order: Order | None) -> dict[str, Any]:
    return {
        "id": None if order is None else order.key,
        "client_id": None if order is None else order.asked.comment or None,
        "price": _plain(trade.price),
        "qty": _plain(trade.qty),
    }


def _as_json(order: Order) -> dict[str, Any]:
    new = order.asked
    return {
        "id": order.key,
        "client_id": new.comment or None,
        "account_id": order.account_id,
        "symbol": new.symbol,
        "side": SIDE_WORDS[new.side],
        "fill_type": new.fill_type,
        "price": _plain(new.limit_price) if new.limit_price else None,
        "stop_price": _plain(new.stop_price) if new.stop_price else None,
        "expiration_time": new.expiration_time,
        "qty": _plain(new.volume),
        "filled": _plain(order.filled),
        "filled_value": _plain(order.value),
        "status": order.status.value,
        "created_ns": order.created_ns,
        "updated_ns": order.updated_ns,
        "cancelled_ns": order.canceled_ns or None,
        "filled_ns": order.filled_ns or None,
    }


def _plain(amount: Decimal) -> str:
    """Plain digits without zeros at the end."""
    digits = f"{amount:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
