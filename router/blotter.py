"""Every order the router has had, findable by each of its names, and every execution it has booked.

Rules: an index entry is never changed, and removed only with its order (`forget`); a ClOrdID belongs to one order of one session for as
long as that is remembered, the ids of its cancel requests included; an execution is booked once, known by (account, ExecID).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, takewhile

from router.model import VenueEvent
from router.order import Leg, Order

__all__ = ["Blotter"]


class Blotter:
    """The orders, in memory. Not thread-safe: `runtime` holds the lock."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        """By our OrderID, in order of arrival."""
        self.live: dict[str, Order] = {}
        """Those of `orders` that are not done or still have a request pending."""
        self._by_cl_ord_id: dict[tuple[str, str], Order] = {}
        self._by_venue_cl_ord_id: dict[tuple[str, str], Order] = {}
        self._by_venue_order_id: dict[tuple[str, str], Order] = {}
        self._executions: dict[tuple[str, str], str] = {}
        """Booked executions: (account, ExecID) to OrderID."""
        self.parked: dict[tuple[str, str], list[VenueEvent]] = {}
        """Events whose order at (account, venue order id) is not known yet: its acknowledgement may be on the way."""
        self._keys: dict[str, list[tuple[str, str]]] = {}
        """By OrderID: the keys that the indexes have for it."""

    def add(self, order: Order) -> None:
        """Take a new order in, under its OrderID, its ClOrdID and its id for the venue."""
        self.orders[order.order_id] = order
        self._keys[order.order_id] = []
        self.name(order, order.cl_ord_id)
        if not order.done:
            self.live[order.order_id] = order
        if order.venue_cl_ord_id:
            self.add_leg(order)

    def name(self, order: Order, cl_ord_id: str) -> None:
        """Give an order one more ClOrdID: that of a request about it."""
        key = (order.request.session, cl_ord_id)
        self._by_cl_ord_id[key] = order
        self._keys[order.order_id].append(key)

    def bind(self, order: Order, leg: Leg, venue_order_id: str) -> list[VenueEvent]:
        """The venue told its id for an order. Returns the events that were waiting for this, in their order of arrival."""
        leg.venue_order_id = venue_order_id
        key = (order.account, venue_order_id)
        self._by_venue_order_id[key] = order
        self._keys[order.order_id].append(key)
        return self.parked.pop(key, [])

    def add_leg(self, order: Order) -> None:
        """Make the present leg of an order findable by its id for the venue."""
        key = (order.account, order.venue_cl_ord_id)
        self._by_venue_cl_ord_id[key] = order
        self._keys[order.order_id].append(key)

    def settle(self, order: Order) -> None:
        """Keep `live` true after an order changed."""
        if not order.done or order.pending is not None or order.doubt or order.waiting:
            self.live[order.order_id] = order
        else:
            self.live.pop(order.order_id, None)

    def by_cl_ord_id(self, session: str, cl_ord_id: str) -> Order | None:
        """The order that ever carried this ClOrdID on this session."""
        return self._by_cl_ord_id.get((session, cl_ord_id))

    def at_venue(self, account: str, venue_cl_ord_id: str | None, venue_order_id: str | None) -> Order | None:
        """The order that a venue event speaks of: by our id there, by the venue's, or by our id given as the venue's."""
        if venue_cl_ord_id is not None:
            found = self._by_venue_cl_ord_id.get((account, venue_cl_ord_id))
            if found is not None:
                return found
        if venue_order_id is None:
            return None
        key = (account, venue_order_id)
        return self._by_venue_order_id.get(key) or self._by_venue_cl_ord_id.get(key)

    def first_sight(self, order: Order, account: str, exec_id: str) -> bool:
        """Mark an execution message of an order as seen; False if it was seen before. Called with the booking, never ahead of it."""
        key = (account, exec_id)
        if key in self._executions:
            return False
        self._executions[key] = order.order_id
        self._keys[order.order_id].append(key)
        return True

    def over(self, before: int, at_most: int = 0) -> list[Order]:
        """Orders that were over before a time, in their order of arrival; 0: all of them. Looks no further than those that arrived by
        then."""
        found = (
            each for each in takewhile(lambda each: each.created < before, self.orders.values())
            if each.updated < before and each.order_id not in self.live
        )  # fmt: skip
        return list(islice(found, at_most or None))

    def forget(self, gone: list[Order]) -> None:
        """Drop orders, with all their names."""
        indexes = (self._by_cl_ord_id, self._by_venue_cl_ord_id, self._by_venue_order_id)
        for order in gone:
            del self.orders[order.order_id]
            for key in self._keys.pop(order.order_id):
                for index in indexes:
                    if index.get(key) is order:
                        del index[key]
                if self._executions.get(key) == order.order_id:
                    del self._executions[key]

    def rekey(self) -> None:
        """Know again which keys belong to which order, where the indexes were put in place by somebody else."""
        self._keys = {order_id: [] for order_id in self.orders}
        for index in (self._by_cl_ord_id, self._by_venue_cl_ord_id, self._by_venue_order_id):
            for key, order in index.items():
                self._keys[order.order_id].append(key)
        for key, order_id in self._executions.items():
            self._keys[order_id].append(key)

    def on_link(self, link: str) -> Iterator[Order]:
        """The live orders of a link that may have reached the venue."""
        return iter([order for order in self.live.values() if order.link == link and order.placed])

    def witnessed_by(self, link: str) -> Iterator[Order]:
        """The live orders that may have reached a venue where this link is the second witness."""
        return iter([order for order in self.live.values() if order.witness == link and order.placed])

    def check(self) -> None:
        """Assert every invariant of the whole book; slow, for tests and tools."""
        for order in self.orders.values():
            order.check()
            assert self._by_cl_ord_id[order.request.session, order.cl_ord_id] is order
            assert self._by_cl_ord_id[order.request.session, order.request.cl_ord_id] is order
            if order.venue_cl_ord_id:
                assert self._by_venue_cl_ord_id[order.account, order.venue_cl_ord_id] is order
            if order.venue_order_id is not None:
                assert self._by_venue_order_id[order.account, order.venue_order_id] is order
            is_live = not order.done or order.pending is not None or bool(order.doubt) or bool(order.waiting)
            assert (order.order_id in self.live) == is_live, f"{order.order_id}: live list is wrong"
        for index in (self._by_cl_ord_id, self._by_venue_cl_ord_id, self._by_venue_order_id):
            assert all(key in self._keys[order.order_id] for key, order in index.items()), "an index has what `forget` would not find"
        assert all(key in self._keys[order_id] for key, order_id in self._executions.items()), "an execution that `forget` would not find"
        assert self._keys.keys() == self.orders.keys()
        assert all(self.orders.get(order_id) is order for order_id, order in self.live.items())
        assert not any(key in self._by_venue_order_id for key in self.parked), "events parked for an order that is known"
