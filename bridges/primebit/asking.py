"""The router's questions about orders (`Ask`), answered from REST and from what the channel has told. Pure.

The rules:

1. An order seen to end on the channel is answered for from memory; one that a snapshot of the last `FRESH` showed, from that; any other by
   `GET …/order/{id}`, or, where its id is not known, by the list of open orders.
2. "Not found" says that an order has ended, and not how. The channel has `GRACE` to say that; then a new connection is asked for, whose
   snapshots may show it; and where the router knows of the gap, or asks after a restart, the end is told without CumQty: never with 0.
3. An order without an id here is known by its comment, else by what it looks like: open orders, and orders seen to end since it was sent.
4. "Not there" is said only where nothing can have been missed: the channel was there since before the order was sent, or the position shows
   that nothing was executed unseen. Else the order may have come and gone, and its end is told without CumQty, after `LATE`.
5. An answer that was overtaken by a modify is asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridges.primebit.answers import NOT_FOUND, No, Unknown, Yes, judge, listing
from bridges.primebit.orders import Row, looks_like
from bridges.primebit.payload import Malformed, name
from bridges.primebit.tracked import Tracked
from bridges.primebit.tracking import Orders
from bridges.wire import Answer, Kind, Note, Out, Reconnect, Request
from router.model import Ask, Canceled, Found
from router.words import OrdStatus

__all__ = ["Looking", "Questions", "Searching"]

_SECOND: Final = 1_000_000_000
FRESH: Final = 2 * _SECOND
GRACE: Final = _SECOND
LATE: Final = 15 * _SECOND
"""ns after it was sent that an order may still arrive; three of the router's standard deadlines."""


@dataclass(frozen=True, slots=True)
class Looking:
    """Context of a question about one order. `changes`: modifies seen of it when the question left."""

    command: Ask
    order_id: str
    changes: int


@dataclass(frozen=True, slots=True)
class Searching:
    """Context of a search through the open orders."""

    command: Ask
    asked: int
    """When, ns UTC."""


class Questions:
    """The questions of one account."""

    def __init__(self, account: str, path: str, orders: Orders) -> None:
        """`path`: that of the account's orders."""
        self._account = account
        self._path = path
        self._orders = orders
        self._waiting: dict[str, tuple[int, Ask, str]] = {}
        """Questions answered by "not found", and until when the channel may tell more (rule 2)."""

    def forget(self) -> None:
        """The link went: the router asks again."""
        self._waiting.clear()

    def ask(self, command: Ask, now: int, up: bool) -> list[Out]:
        """A question (rule 1)."""
        each = self._orders.by_id.get(command.venue_order_id or "") or self._orders.by_owner.get(command.venue_cl_ord_id)
        order_id = command.venue_order_id or (each.order_id if each is not None else "")
        if not order_id:
            return [Request(kind=Kind.QUERY, method="GET", path=self._path, context=Searching(command, now))]
        if each is not None:
            self._orders.adopt(each, command)
            fresh = up and each.replacing is None and now - each.synced <= FRESH and each.synced > command.placed
            if each.ended is not None or fresh:
                self._orders.state(each)
                return []
        return self._look(command, order_id, each)

    def _look(self, command: Ask, order_id: str, each: Tracked | None) -> list[Out]:
        try:
            name({"order_id": order_id}, "order_id")
        except Malformed:
            return [Note(f"order id {order_id[:40]!r} cannot be one of PrimeBit's", "error")]
        context = Looking(command, order_id, each.changes if each is not None else 0)
        return [Request(kind=Kind.QUERY, method="GET", path=f"{self._path}/{order_id}", context=context)]

    def looked(self, context: Looking, answer: Answer, now: int, up: bool) -> list[Out]:
        """The answer about one order. While the stream is down it says nothing: the router asks again when it is back, and the
        snapshots may then know more."""
        if not up:
            return []
        each = self._orders.by_id.get(context.order_id)
        match judge(answer):
            case Yes(row) if row.order_id == context.order_id:
                return self._shown(context, row, now)
            case Yes():
                return [Note(f"PrimeBit answered for order {context.order_id} with another", "error")]
            case No(code) if code == NOT_FOUND:
                if each is not None and each.ended is not None:
                    self._orders.state(each)
                elif each is None or each.gap:
                    return self._unknowable(context.command, context.order_id, each)
                else:
                    self._waiting[context.command.order_id] = (now + GRACE, context.command, context.order_id)
                return []
            case No(code, text):
                return [Note(f"PrimeBit does not say where order {context.order_id} stands: {code} {text}", "error")]
            case Unknown(why):
                return [Note(f"PrimeBit did not say where order {context.order_id} stands: {why}")]

    def _shown(self, context: Looking, row: Row, now: int) -> list[Out]:
        each = self._orders.see(row, now)
        self._orders.adopt(each, context.command)
        if each.ended is None and each.changes != context.changes:
            return self._look(context.command, context.order_id, each)
        if each.ended is not None or self._orders.sync(each, row, now):
            self._orders.state(each)
        return []

    def _unknowable(self, command: Ask, order_id: str, each: Tracked | None) -> list[Out]:
        if each is not None:
            self._orders.give_up(each)
            self._orders.state(each)
            return []
        return [self._vague(command, order_id)]

    def _vague(self, command: Ask, order_id: str | None) -> Canceled:
        return Canceled(
            account=self._account, exec_id=f"canceled-{order_id or command.venue_cl_ord_id}", venue_cl_ord_id=command.venue_cl_ord_id,
            venue_order_id=order_id, text="PrimeBit does not list the order, and does not tell what was executed of it",
        )  # fmt: skip

    def searched(self, context: Searching, answer: Answer, now: int, up: bool) -> list[Out]:
        """The list of open orders came (rules 3 and 4; `up` as above)."""
        if not up:
            return []
        command = context.command
        try:
            rows, _ = listing(answer)
        except Malformed as wrong:
            return [Note(f"the open orders at PrimeBit cannot be read: {wrong}")]
        for row in rows:
            self._orders.see(row, now)
        each = self._orders.by_owner.get(command.venue_cl_ord_id)
        if each is not None:
            row_of = {row.order_id: row for row in rows}
            self._orders.adopt(each, command)
            if each.order_id in row_of and each.ended is None and not self._orders.sync(each, row_of[each.order_id], now):
                return []
            if each.order_id in row_of or each.ended is not None:
                self._orders.state(each)
                return []
            return self._look(command, each.order_id, each)
        candidates = self._candidates(command, {row.order_id: row for row in rows})
        if candidates or self._orders.quiet.get(command.symbol, now) <= command.placed:
            if not candidates and now - command.placed > GRACE:
                self._orders.creating.pop(command.venue_cl_ord_id, None)  # it stands in no other order's way any more
            return [Found(order_id=command.order_id, candidates=candidates, as_of=context.asked)]
        return [self._vague(command, None)] if now - command.placed > LATE else []

    def _candidates(self, command: Ask, rows: dict[str, Row]) -> tuple[str, ...]:
        found = []
        for each in self._orders.by_id.values():
            if each.owner or each.ended is OrdStatus.REJECTED or (each.ended is None and each.order_id not in rows):
                continue
            if each.ended is not None and each.seen < command.placed:
                continue
            row = rows.get(each.order_id) or Row(
                each.order_id, "", each.symbol, each.side, each.limit, each.stop, each.fill_type, each.left, each.contract_size
            )
            if looks_like(command, row, each.total if each.sure else None):
                found.append(each.order_id)
        return tuple(sorted(found))

    def tick(self, now: int) -> list[Out]:
        """Questions whose order the venue no longer lists: told by now, or a new connection is needed (rule 2)."""
        outs: list[Out] = []
        for order_id, (until, command, venue_order_id) in list(self._waiting.items()):
            each = self._orders.by_id.get(venue_order_id)
            if each is not None and each.ended is not None:
                self._orders.state(each)
            elif now < until:
                continue
            elif each is None or each.gap:
                outs += self._unknowable(command, venue_order_id, each)
            else:
                outs.append(Reconnect(f"order {venue_order_id} has ended and the stream has not told how"))
            del self._waiting[order_id]
        return outs
