"""Which question goes to the venue when: the venue pushes nothing about orders, so each open one is looked at again and again. Pure.

1. Of the 10 requests a second that the venue allows a user (document, "Response Status Code"), at most `_POLLS` are polls, and none goes
   where creates and cancels have used most of the second: orders and cancels go before polls.
2. The longest due goes first, so nothing starves; what is over-due is late for all alike.
3. Where more than `_ALONE_AT_MOST` orders rest in one symbol, one openOrders serves them all; one that has left the list, or whose
   `deal_volume` has changed, is then looked at by itself. One that is being canceled has left that list already and is always looked at so.
4. Never two questions about one order at a time. A lost one is repeated: a question does no harm.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from bridges.cryptocom import calls
from bridges.cryptocom.reading import Malformed, Reply, Verdict, shown
from bridges.cryptocom.search import Look, Paging, Search
from bridges.cryptocom.tracking import Tracked
from bridges.wire import Note, Out, Request
from router.model import Ask, Found

__all__ = ["Polling"]

_SECOND: Final = 1_000_000_000
_POLLS: Final = 5
_ALL: Final = 8
_ALONE_AT_MOST: Final = 3
_RETRY: Final = _SECOND // 2
_NO_SUCH_ORDER: Final = "22"
_TELL_UNKNOWN_AT: Final = 3
_TOO_MANY: Final = 429


class _List:
    """An openOrders of one symbol under way."""

    def __init__(self, issued: int) -> None:
        self.issued = issued
        self.paging = Paging()
        self.in_flight = False
        self.due = issued


class Polling:
    """The open orders of an account, and the questions about them."""

    def __init__(self) -> None:
        self.orders: dict[str, Tracked] = {}
        """By the venue's order id."""
        self._searches: dict[str, Search] = {}
        self._lists: dict[str, _List] = {}
        self._sent: deque[tuple[int, bool]] = deque()
        """The last second's requests: when, and whether it was a poll."""
        self._paused_until = 0

    def track(self, order: Tracked) -> Tracked:
        """Look at this order until it is over. Returns the one that is followed already, where it is."""
        return self.orders.setdefault(order.venue_order_id, order)

    def search(self, ask: Ask, now: int) -> None:
        """Look for an order; one that is being looked for already goes on."""
        self._searches.setdefault(ask.order_id, Search(ask, now))

    def forget_questions(self) -> None:
        """The link went: the router asks again when it is back."""
        self._searches.clear()
        for order in self.orders.values():
            order.asked = None

    def spent(self, now: int) -> None:
        """A request of another kind went out on the same budget."""
        self._sent.append((now, False))

    def look_soon(self, symbol: str, now: int) -> None:
        """Something happened to the orders of a symbol."""
        for order in self._group(symbol):
            order.due = order.canceled = now

    def due(self, now: int) -> list[Request]:
        """The questions to be sent now."""
        room = self._room(now)
        if room <= 0:
            return []
        # Ties go by order of coming; the sort is stable.
        waiting = sorted((each for each in self._candidates() if each[0] <= now), key=lambda each: each[0])[:room]
        self._sent.extend((now, True) for _ in waiting)
        return [issue(now) for _, issue in waiting]

    def looked(self, context: calls.Looking, reply: Reply, now: int) -> list[Out]:
        """An answer to showOrder."""
        order = self.orders.get(context.venue_order_id)
        if order is None:
            return []
        order.in_flight = False
        order.due = now + order.pace(now)
        if reply.verdict is not Verdict.YES:
            return self._refused(order, reply, now)
        try:
            row = shown(reply.data)
            if row.order_id != context.venue_order_id:
                raise Malformed(f"it is of order {row.order_id}")
        except Malformed as wrong:
            order.due = now + _SECOND
            return [Note(f"{order.name}: an answer that makes no sense: {wrong}", "error")]
        outs = order.tell(row, context.issued, now)
        if order.over:
            del self.orders[context.venue_order_id]
        elif order.unlike is not None:
            order.due = now + min(order.pace(now), _SECOND)
        if order.asked is not None:
            order.due = min(order.due, now + _SECOND)
        return outs

    def listed(self, context: calls.Listing, reply: Reply, now: int) -> list[Out]:
        """A page of openOrders."""
        listing = self._lists.get(context.symbol)
        if listing is None:
            return []
        listing.in_flight = False
        members = self._group(context.symbol)
        try:
            if reply.verdict is not Verdict.YES:
                self._pause(reply, now)
                return self.lost(context, now)
            if not listing.paging.take(reply.data, "resultList"):
                listing.due = now
                return []
        except Malformed as wrong:
            del self._lists[context.symbol]
            for order in members:
                order.alone = True
            return [Note(f"openOrders of {context.symbol} makes no sense, its orders are asked for one by one: {wrong}", "error")]
        del self._lists[context.symbol]
        outs: list[Out] = []
        for order in members:
            if order.since >= listing.issued:
                continue
            row = listing.paging.rows.get(order.venue_order_id)
            if row is None:
                order.alone = True
            else:
                outs += order.still_there(row, listing.issued)
            if not order.alone:
                order.due = now + order.pace(now)
        return outs

    def searched(self, context: calls.Searching, reply: Reply, rivals: frozenset[Look], now: int) -> list[Out]:
        """A page of a search."""
        search = self._searches.get(context.order_id)
        if search is None:
            return []
        self._pause(reply, now)
        outs = search.answered(context, reply, rivals, now)
        if any(isinstance(out, Found) for out in outs):
            del self._searches[context.order_id]
        return outs

    def lost(self, context: calls.Looking | calls.Listing | calls.Searching, now: int) -> list[Out]:
        """A question was lost: it is asked again a little later."""
        match context:
            case calls.Looking():
                order = self.orders.get(context.venue_order_id)
                if order is not None:
                    order.in_flight = False
                    order.due = now + _RETRY
            case calls.Listing():
                if self._lists.pop(context.symbol, None) is not None:
                    for order in self._group(context.symbol):
                        order.due = max(order.due, now + _RETRY)
            case calls.Searching():
                search = self._searches.get(context.order_id)
                if search is not None:
                    search.lost(context, now)
        return []

    def _refused(self, order: Tracked, reply: Reply, now: int) -> list[Out]:
        self._pause(reply, now)
        order.due = now + max(_SECOND, order.pace(now))
        if reply.code != _NO_SUCH_ORDER:
            return []
        # Right after the create it may not be there yet. Later it is the venue contradicting itself.
        order.unknown += 1
        if order.unknown != _TELL_UNKNOWN_AT:
            return []
        return [Found(order_id=order.order_id)]

    def _pause(self, reply: Reply, now: int) -> None:
        if reply.status == _TOO_MANY:
            self._paused_until = now + _SECOND

    def _room(self, now: int) -> int:
        while self._sent and self._sent[0][0] <= now - _SECOND:
            self._sent.popleft()
        if now < self._paused_until:
            return 0
        polls = sum(poll for _, poll in self._sent)
        return min(_POLLS - polls, _ALL - len(self._sent))

    def _candidates(self) -> Iterator[tuple[int, Callable[[int], Request]]]:
        for search in self._searches.values():
            if not search.in_flight:
                yield search.due, search.next
        groups: dict[str, list[Tracked]] = defaultdict(list)
        for order in self.orders.values():
            if order.canceled is not None or order.alone:
                if not order.in_flight:
                    yield order.due, partial(self._look, order)
            else:
                groups[order.symbol].append(order)
        for symbol, group in groups.items():
            listing = self._lists.get(symbol)
            if listing is not None:
                if not listing.in_flight:
                    yield listing.due, partial(self._page, symbol)
            elif len(group) > _ALONE_AT_MOST:
                waiting = [order.due for order in group if not order.in_flight]
                if waiting:
                    yield min(waiting), partial(self._list, symbol)
            else:
                for order in group:
                    if not order.in_flight:
                        yield order.due, partial(self._look, order)

    def _group(self, symbol: str) -> list[Tracked]:
        orders = self.orders.values()
        return [each for each in orders if each.symbol == symbol and each.canceled is None and not each.alone and not each.in_flight]

    def _look(self, order: Tracked, now: int) -> Request:
        order.in_flight = True
        return calls.show(order.venue_order_id, order.symbol, now)

    def _list(self, symbol: str, now: int) -> Request:
        self._lists[symbol] = _List(now)
        return self._page(symbol, now)

    def _page(self, symbol: str, _now: int) -> Request:
        listing = self._lists[symbol]
        listing.in_flight = True
        return calls.list_open(symbol, listing.paging.page)
