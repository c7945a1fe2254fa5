"""The simulator's control, Apifiny's part: the ground truth, counterparties, and what is to go wrong.

Readings: `trade` without a venue goes to the first one that has a client's order resting on the other side, or else to
the first that lists the symbol; `cancel` takes the venue's id or the client's; `reset` leaves sessions and counts.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_exchange import Exchange
from bridges.apifiny.sim_feed import Feed
from bridges.apifiny.sim_fixapi import FixApi
from bridges.apifiny.sim_json import plain
from bridges.apifiny.sim_orders import Order, Status
from bridges.apifiny.sim_rest import RestApi
from bridges.apifiny.sim_tally import Tally
from bridges.control import BadRequest, Counterparty
from bridges.faults import Fault, Faults


class Line(Protocol):
    """The connections, as far as the control touches them."""

    def flush(self) -> None: ...
    def disconnect(self) -> None: ...
    def refuse_until(self, until_ms: int) -> None: ...


class Controlled:
    """A `control.Simulated`. `clock` gives epoch milliseconds."""

    def __init__(
        self,
        exchange: Exchange,
        api: FixApi,
        feed: Feed,
        rest: RestApi,
        faults: Faults,
        tally: Tally,
        line: Line,
        clock: Callable[[], int],
    ) -> None:
        self._exchange, self._api, self._feed, self._rest, self._faults, self._tally = exchange, api, feed, rest, faults, tally
        self._line, self._clock = line, clock

    def orders(self) -> list[dict[str, Any]]:
        return [_as_json(order) for order in self._exchange.orders() if order.status is not Status.REJECTED]

    def requests(self) -> dict[str, Any]:
        return self._tally.as_json()

    def trade(self, order: Counterparty) -> dict[str, Any]:
        venues = self._exchange.venues_of(order.symbol)
        if not venues:
            raise BadRequest(f"symbol: no venue lists {order.symbol!r}")
        if order.venue is not None and order.venue not in venues:
            raise BadRequest(f"venue: {order.venue!r} does not list {order.symbol}")
        venue = order.venue or self._where_clients_rest(order, venues)
        instrument = self._exchange.instrument(venue, order.symbol)
        assert instrument is not None, "it is listed"
        for name, value, step in (
            ("qty", order.qty, instrument.step_size),
            ("price", order.price, instrument.tick_size),
        ):
            if value % step:
                raise BadRequest(f"{name}: not a multiple of {step}")
        placed, executions = self._exchange.trade(venue, order.symbol, order.side, order.qty, order.price, self._clock())
        self._api.report(executions)
        self._line.flush()
        makers = {each.order.venue_id: each.order for each in executions}
        return {
            "venue": venue,
            "symbol": order.symbol,
            "side": order.side.value,
            "qty": _text(order.qty),
            "filled": _text(order.qty - placed.dropped),
            "trades": [
                {
                    "id": trade.maker_id if trade.maker_id in makers else None,
                    "client_id": makers[trade.maker_id].asked.order_id if trade.maker_id in makers else None,
                    "price": _text(trade.price),
                    "qty": _text(trade.qty),
                }
                for trade in placed.trades
            ],
        }

    def _where_clients_rest(self, wanted: Counterparty, venues: list[str]) -> str:
        resting = {
            order.asked.venue
            for order in self._exchange.orders()
            if order.status is Status.SUBMITTED and order.asked.symbol == wanted.symbol and order.asked.side is wanted.side.opposite
        }
        return next((venue for venue in venues if venue in resting), venues[0])

    def cancel(self, order_id: str) -> dict[str, Any]:
        order = self._exchange.find_any(order_id)
        if order is None:
            raise BadRequest(f"id: no order {order_id!r}")
        try:
            execution = self._exchange.cancel_order(order, self._clock())
        except Refused as no:
            raise BadRequest(f"id: {no.text}") from None
        self._api.report([execution])
        self._line.flush()
        return _as_json(order)

    def fault(self, fault: Fault) -> None:
        if fault.kind == "disconnect":
            self._line.disconnect()
        elif fault.kind == "refuse_connections":
            self._line.refuse_until(self._clock() + round(fault.delay_s * 1000))
        else:
            self._faults.post(fault)

    def reset(self) -> None:
        """Orders, books, balances and faults as at the start; sessions and counts stay."""
        self._exchange.reset()
        self._api.reset()
        self._rest.reset()
        self._feed.reset()
        self._faults.clear()
        self._line.refuse_until(0)
        self._line.flush()


def _as_json(order: Order) -> dict[str, Any]:
    new = order.asked
    return {
        "id": order.venue_id,
        "client_id": new.order_id,
        "by": "rest" if new.by_rest else "fix",
        "account": new.account_id,
        "venue": new.venue,
        "symbol": new.symbol,
        "side": new.side.value,
        "type": new.order_type.value,
        "tif": new.tif,
        "price": _text(new.price),
        "qty": _text(new.qty),
        "total": _text(new.total),
        "filled": _text(order.filled),
        "filled_value": _text(order.filled_value),
        "status": order.status.value,
        "created_ms": order.created_ms,
        "updated_ms": order.updated_ms,
        "cancelled_ms": order.cancelled_ms,
        "filled_ms": order.filled_ms,
    }


def _text(amount: Decimal | None) -> str | None:
    """Plain digits, without the zeros that arithmetic leaves at the end."""
    return None if amount is None else plain(amount)
