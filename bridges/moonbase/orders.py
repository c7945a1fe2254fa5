"""The orders of one account over their channels: placing, canceling, questions, and what the venue tells. Pure.

The rules:

1. A `place` leaves only on a channel that is joined, once. Without a reply in 5 s, or with the connection or channel lost in between, it is
   `Unanswered`; a reply that comes later still binds the id.
2. What waits for a join has not left, and is `NotSent` when the join is not answered soon.
3. Rows of orders that nobody bound to one of ours are kept, and make no events: orders placed elsewhere are not adopted.
4. A question about an order with an id is answered by the channel's latest row (`Stated`), if the channel has been heard without a break.
5. A question about one without: rows that look like it and are nobody's are `Found`; "not there" needs a snapshot that was asked for after
   the order was sent, and costs a join where there is none. While a `place` that looks the same is unanswered, the question waits.
6. A join that is not free yet is waited for; the router repeats its question, which costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from bridges.moonbase.calls import cancel_reason, not_sent, payload, reject_reason, when
from bridges.moonbase.joins import Purpose
from bridges.moonbase.payload import Malformed, listed, printable
from bridges.moonbase.phoenix import Channel, Phoenix, Reply, Standing
from bridges.moonbase.questions import Questions
from bridges.moonbase.rows import Row, Trade, read_row, read_trade
from bridges.moonbase.tracking import Tracked
from bridges.moonbase.view import View, view_of
from bridges.wire import Note, Out
from router.model import Ask, Cancel, CancelRejected, Place, Rejected, Unanswered

__all__ = ["Canceling", "Orders", "Placing"]

_SECOND: Final = 1_000_000_000
HOLD_PLACE: Final = 2 * _SECOND
_LOST_FOR: Final = 3600 * _SECOND
_KEPT_AT_MOST: Final = 10_000
_LOOSE_AT_MOST: Final = 100
"""Trades that are kept of one order before its reply; what a row shows beyond them is told without them (`tracking.py`, rule 2)."""


@dataclass(frozen=True, slots=True)
class Placing:
    """A `place` that left."""

    place: Place


@dataclass(frozen=True, slots=True)
class Canceling:
    """A `cancel` that left. `command` None: an operator's cancel of everything."""

    command: Cancel | None
    venue_order_id: str
    symbol: str


class Orders:
    """All that is known of orders. `wire` sends; the caller settles joins."""

    def __init__(self, account: str, symbols: Iterable[str], wire: Phoenix) -> None:
        self.views = {symbol: view_of(symbol) for symbol in symbols}
        self.trades = {symbol: Channel(f"/trades/{symbol}") for symbol in self.views}
        """Of what is configured; `views` may be of more."""
        self.closed_until = 0
        """The venue takes no new orders until then."""
        self._account = account
        self._wire = wire
        self._tracked: dict[str, Tracked] = {}
        self._ids: dict[str, str] = {}
        """The venue's id by our order id."""
        self._creating: dict[str, Place] = {}
        self._lost: dict[str, Place] = {}
        """Those whose reply did not come."""
        self._restless: dict[str, Tracked] = {}
        """Orders with rows that wait for trades, or trades that wait for rows."""
        self.questions = Questions(self.views, self._creating, self._lost, self._tracked, self._order)
        self._trade_ids: dict[str, None] = {}
        self._loose: dict[str, list[Trade]] = {}

    def learn(self, symbol: str) -> View:
        """This is traded too from now on."""
        self.trades.setdefault(symbol, Channel(f"/trades/{symbol}"))
        return self._view(symbol)

    # --- commands ---------------------------------------------------------------------------------------------------------

    def place(self, place: Place, now: int) -> list[Out]:
        """Rule 1. The caller has looked whether the order can be said at all."""
        view = self.views.get(place.symbol)
        if view is None:
            return [not_sent(place, f"{place.symbol} is not configured for {self._account}")]
        if now < self.closed_until:
            return [not_sent(place, f"Moonbase takes no new orders from us until {when(self.closed_until)}")]
        return self._hold(view, place, now) if not view.joined else [self._push_place(view, place, now)]

    def cancel(self, command: Cancel, now: int) -> list[Out]:
        """Cancels are exempt from the venue's limits; they need the venue's id, and the channel."""
        if command.venue_order_id is None and command.order_id not in self._ids:
            return [not_sent(command, "Moonbase's id of the order is not known")]
        view = self._view(command.symbol)
        return self._hold(view, command, now) if not view.joined else [self._push_cancel(view, command, now)]

    def cancel_all(self, now: int) -> list[Out]:
        """Every open order that the joined channels show, whoever placed it."""
        outs: list[Out] = []
        for view in self.views.values():
            if not view.joined:
                outs.append(Note(f"Moonbase: nothing was canceled in {view.symbol}: its channel is not joined", "error"))
                continue
            for row in view.rows.values():
                if row.live:
                    context = Canceling(None, row.order_id, view.symbol)
                    outs.append(self._wire.push(view.channel, "cancel", {"id": int(row.order_id)}, context, now))
        return outs

    def ask(self, ask: Ask) -> None:
        """A question; `questions` answers it when it can."""
        self._view(ask.symbol)
        self.questions.put(ask)

    def _hold(self, view: View, command: Place | Cancel, now: int) -> list[Out]:
        """The channel is not joined: wait for it if it may be joined now (rule 2)."""
        free = max(self._wire.joins.free_at(Purpose.CONNECT, now), view.channel.not_before)
        if view.channel.standing is Standing.OUT and (view.broken or free > now):
            return [not_sent(command, view.broken or f"{view.channel.topic} can be joined only at {when(free)}")]
        if view.channel.standing is Standing.OUT:
            view.channel.wanted = Purpose.CONNECT
        view.held.append((command, now))
        return []

    def _push_place(self, view: View, place: Place, now: int) -> Out:
        self._creating[place.order_id] = place
        return self._wire.push(view.channel, "place", payload(place), Placing(place), now)

    def _push_cancel(self, view: View, command: Cancel, now: int) -> Out:
        order_id = command.venue_order_id or self._ids[command.order_id]
        if not order_id.isascii() or not order_id.isdigit():
            return not_sent(command, f"{printable(order_id)} is not an id of Moonbase's")
        return self._wire.push(view.channel, "cancel", {"id": int(order_id)}, Canceling(command, order_id, view.symbol), now)

    # --- replies ----------------------------------------------------------------------------------------------------------

    def joined(self, view: View, reply: Reply, up: bool, now: int) -> list[Out]:
        """A join of orders was answered with yes. Rows that are ours are told when the link is up; else `resync` will."""
        channel = view.channel
        channel.standing, channel.was_joined, view.core, view.broken = Standing.JOINED, True, True, ""
        try:
            faults = view.snapshot(listed(reply.response, "the snapshot"))
        except Malformed as wrong:
            faults, view.readable = [str(wrong)], False
        outs: list[Out] = [Note(f"Moonbase: {len(faults)} rows of {channel.topic} make no sense: {faults[0]}", "error")] if faults else []
        if up:
            outs += self.resync(view, now)
        held, view.held = view.held, []
        for command, _ in held:
            outs.append(self._push_place(view, command, now) if isinstance(command, Place) else self._push_cancel(view, command, now))
        return outs

    def resync(self, view: View, now: int) -> list[Out]:
        """What its rows say of our orders that was not told."""
        outs: list[Out] = []
        for order in self._of(view.symbol):
            row = view.rows.get(order.venue_order_id)
            if row is not None:
                outs += order.take(row, now, False)
        return outs

    def placed(self, place: Place, reply: Reply, now: int) -> list[Out]:
        """A `place` was answered, in time or late."""
        self._heard(place.symbol)
        if reply.ok is None:
            return self._unknown(place, reply.text)
        if not reply.ok:
            self._creating.pop(place.order_id, None)
            self._lost.pop(place.order_id, None)
            if reply.retry_after is not None:
                self.closed_until = max(self.closed_until, now + reply.retry_after)
            exec_id = f"{place.venue_cl_ord_id}:rejected"
            reason = reject_reason(reply.kind)
            return [Rejected(account=self._account, exec_id=exec_id, reason=reason, venue_cl_ord_id=place.venue_cl_ord_id, text=reply.text)]
        try:
            row = read_row(reply.response, place.symbol)
        except Malformed as wrong:
            return self._unknown(place, f"Moonbase took the order, but its answer cannot be read: {wrong}")
        return self._bind(place, row, now)

    def canceled(self, context: Canceling, reply: Reply, now: int) -> list[Out]:
        """A `cancel` was answered: a row that shows the end, or a no."""
        self._heard(context.symbol)
        command = context.command
        if reply.ok:
            try:
                return self.row(self.views[context.symbol], read_row(reply.response, context.symbol), now)
            except Malformed as wrong:
                return [Note(f"Moonbase's answer to a cancel cannot be read: {wrong}")]
        if command is None:
            return [Note(f"Moonbase did not cancel order {context.venue_order_id}: {reply.text}", "error")]
        if reply.ok is None:
            return [Unanswered(order_id=command.order_id, text=reply.text)]
        row = self.views[context.symbol].rows.get(context.venue_order_id)
        over = row is not None and not row.live
        rejected = CancelRejected(
            account=self._account, venue_cl_ord_id=command.venue_cl_ord_id, venue_order_id=context.venue_order_id,
            reason=cancel_reason(reply.kind, over), text=reply.text,
        )  # fmt: skip
        return [rejected]

    def unanswered(self, context: Placing | Canceling) -> list[Out]:
        """No reply in time (rule 1)."""
        symbol = context.place.symbol if isinstance(context, Placing) else context.symbol
        self.views[symbol].silent += 1
        if isinstance(context, Placing):
            return self._unknown(context.place, "Moonbase did not answer in time")
        return [] if context.command is None else [Unanswered(order_id=context.command.order_id, text="Moonbase did not answer the cancel")]

    # --- what the venue tells ---------------------------------------------------------------------------------------------

    def upsert(self, view: View, data: Any, now: int) -> list[Out]:
        """Rows of `upsert`. Raises `Malformed`, after those that make sense."""
        view.silent = 0
        outs: list[Out] = []
        for each in listed(data, "data"):
            try:
                outs += self.row(view, read_row(each, view.symbol), now)
            except Malformed as wrong:
                view.spoiled = True
                outs.append(Note(f"Moonbase: a row of {view.channel.topic} makes no sense: {wrong}", "error"))
        return outs

    def keep(self, view: View, data: Any) -> list[Out]:
        """Rows that come while the link is not up: they are told when it is (`resync`). Raises `Malformed`."""
        for each in listed(data, "data"):
            view.put(read_row(each, view.symbol))
        return []

    def row(self, view: View, row: Row, now: int) -> list[Out]:
        """A row of an order of anybody's (rule 3)."""
        view.put(row)
        order = self._tracked.get(row.order_id)
        if order is None:
            return []
        self._restless[row.order_id] = order
        return order.take(row, now, self._patient(view.symbol))

    def insert(self, symbol: str, data: Any, now: int) -> list[Out]:
        """Trades of anybody's. Raises `Malformed`."""
        outs: list[Out] = []
        for each in listed(data, "data"):
            trade = read_trade(each)
            if trade.trade_id in self._trade_ids:
                continue
            _keep(self._trade_ids, trade.trade_id, None)
            for order_id in trade.order_ids:
                order = self._tracked.get(order_id)
                if order is not None:
                    self._restless[order_id] = order
                    outs += order.trade(trade, now, self._patient(symbol))
                elif self._creating and len(self._loose.get(order_id, ())) < _LOOSE_AT_MOST:
                    _keep(self._loose, order_id, [*self._loose.get(order_id, []), trade])
        return outs

    def tick(self, now: int) -> list[Out]:
        """Rows that waited for trades long enough, trades that waited for rows, commands that waited for a join (rule 2)."""
        outs: list[Out] = []
        for order in list(self._restless.values()):
            if order.held is not None:
                outs += order.advance(now, True)
            ahead = order.ahead(now)
            if ahead is not None:
                self.views[order.symbol].spoiled = True
                outs.append(ahead)
            if order.held is None and not order.pool:
                del self._restless[order.venue_order_id]
        for view in self.views.values():
            late = [each for each in view.held if isinstance(each[0], Place) and now >= each[1] + HOLD_PLACE]
            view.held = [each for each in view.held if each not in late]
            outs += [not_sent(command, f"{view.channel.topic} was not joined in time") for command, _ in late]
        return outs

    # --- channels that come and go ----------------------------------------------------------------------------------------

    def refused(self, view: View, text: str) -> list[Out]:
        """A join was refused: what waited for it never left."""
        view.channel.standing, view.channel.was_joined = Standing.OUT, False
        held, view.held = view.held, []
        return [not_sent(command, f"{view.channel.topic} cannot be joined: {text}") for command, _ in held]

    def dropped(self, view: View) -> list[Out]:
        """The venue closed the channel: what was under way on it may have been done."""
        view.channel.standing, view.channel.wanted = Standing.OUT, Purpose.CONNECT
        places = [each for each in self._creating.values() if each.symbol == view.symbol]
        return [out for each in places for out in self._unknown(each, "Moonbase closed the channel before it answered")]

    def last_words(self, now: int) -> list[Out]:
        """The connection is gone: rows that waited for trades wait no longer."""
        outs: list[Out] = []
        for order in self._restless.values():
            if order.held is not None:
                outs += order.advance(now, False)
            order.pool.clear()
        self._restless.clear()
        return outs

    def closed(self) -> list[Out]:
        """The connection is gone. The router asks its questions again when the link is back."""
        outs: list[Out] = []
        for view in self.views.values():
            outs += [not_sent(command, "the connection to Moonbase was lost before it left") for command, _ in view.held]
            view.held = []
            view.forget()
        for channel in self.trades.values():
            channel.standing, channel.wanted = Standing.OUT, None
        self.questions.forget()
        self._loose.clear()
        return [*outs, *self.in_doubt()]

    def in_doubt(self) -> list[Out]:
        """Every `place` under way is unknown now."""
        return [out for each in list(self._creating.values()) for out in self._unknown(each, "the link to Moonbase was lost")]

    def busy(self, symbol: str, now: int) -> bool:
        """Whether we have something at stake there."""
        lost = any(each.symbol == symbol and now - each.time < _LOST_FOR for each in self._lost.values())
        return lost or any(not order.over for order in self._of(symbol))

    def spoiled(self) -> None:
        """A frame could not be read: it may have been anybody's."""
        for view in self.views.values():
            view.spoiled = True

    # --- parts ------------------------------------------------------------------------------------------------------------

    def _bind(self, place: Place, row: Row, now: int) -> list[Out]:
        """The reply names the order: it is live, and what was heard of it before is told now."""
        order = self._tracked.get(row.order_id)
        if order is not None and order.venue_cl_ord_id != place.venue_cl_ord_id:
            text = f"Moonbase gives order {row.order_id} to {place.venue_cl_ord_id}, which was taken for {order.venue_cl_ord_id}"
            return [Note(text, "error"), *self._unknown(place, text)]
        self._creating.pop(place.order_id, None)
        self._lost.pop(place.order_id, None)
        if order is None:
            order = self._track(Tracked(self._account, place.venue_cl_ord_id, row.order_id, place.symbol, known=True), place.order_id)
        outs: list[Out] = [order.accepted("held by Moonbase until its trigger price is reached" if row.waits and row.live else "")]
        for trade in self._loose.pop(row.order_id, []):
            outs += order.trade(trade, now, True)
        view = self.views[place.symbol]
        view.put(row)
        outs += order.take(view.rows.get(row.order_id, row), now, self._patient(place.symbol))
        self._restless[row.order_id] = order
        return outs

    def _order(self, ask: Ask) -> Tracked | None:
        """The order that a question names; one of an earlier life is taken up by it."""
        order_id = ask.venue_order_id or self._ids.get(ask.order_id)
        if order_id is None:
            return None
        self._lost.pop(ask.order_id, None)
        order = self._tracked.get(order_id)
        if order is None:
            order = self._track(Tracked(self._account, ask.venue_cl_ord_id, order_id, ask.symbol, known=False), ask.order_id)
        return order

    def _track(self, order: Tracked, order_id: str) -> Tracked:
        self._tracked[order.venue_order_id] = order
        self._ids[order_id] = order.venue_order_id
        if len(self._tracked) > _KEPT_AT_MOST:
            over = next((each for each in self._tracked.values() if each.over), None)
            if over is not None:
                del self._tracked[over.venue_order_id]
                self._ids = {key: value for key, value in self._ids.items() if value != over.venue_order_id}
        return order

    def _unknown(self, place: Place, why: str) -> list[Out]:
        if self._creating.pop(place.order_id, None) is None:
            return []  # told before
        _keep(self._lost, place.order_id, place)
        return [Unanswered(order_id=place.order_id, text=why)]

    def _view(self, symbol: str) -> View:
        """Also of a symbol that is not configured any more, but has orders."""
        return self.views.setdefault(symbol, view_of(symbol))

    def _of(self, symbol: str) -> Iterator[Tracked]:
        return (order for order in self._tracked.values() if order.symbol == symbol)

    def _patient(self, symbol: str) -> bool:
        trades = self.trades.get(symbol)
        return trades is not None and trades.standing is Standing.JOINED

    def _heard(self, symbol: str) -> None:
        self.views[symbol].silent = 0


def _keep(what: dict[str, Any], key: str, value: Any) -> None:
    what[key] = value
    if len(what) > _KEPT_AT_MOST:
        del what[next(iter(what))]
