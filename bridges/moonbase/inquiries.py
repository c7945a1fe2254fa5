"""What an operator asks for, over the channels that orders do not need. Pure.

Document, "Balances", "Positions", "Deposits", "Withdrawals". Each first question on a topic costs a join of the twenty an hour, and is
refused with the time of the next one when there is none to spare. Balances and positions are kept up by `upsert`, and cost nothing after
that; deposits and withdrawals are listed by a join alone, each time. Open orders are those that the joined channels of orders show, and
cost nothing; the venue keeps no id of ours with them. Nothing here withdraws. What changes something is no topic (`CHANGES`).

Balances and positions are joined without a question too, for what the account holds (`holdings.py`): of the joins for inquiries, only while
half of the hour's joins are left after that, and each at most every ten minutes in one connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from bridges.moonbase.calls import when
from bridges.moonbase.holdings import BALANCES, POSITIONS, Estate
from bridges.moonbase.joins import PER_HOUR, Purpose
from bridges.moonbase.payload import Malformed, fields, listed, plain
from bridges.moonbase.phoenix import Channel, Phoenix, Reply, Standing
from bridges.moonbase.rows import Row
from bridges.moonbase.view import View
from bridges.wire import Note, Out, Told

__all__ = ["CHANGES", "TOPICS", "Inquiries", "Inquiring"]

TOPICS: Final[Mapping[str, str]] = {
    "balances": "the account's balances, by asset",
    "positions": "the account's positions, by symbol",
    "deposits": "deposits; asset and limit may be given",
    "deposit-address": "the address to deposit at; asset is needed",
    "withdrawals": "withdrawals, read only; asset and limit may be given",
    "open-orders": "all open orders of the account, as the channels of the symbols tell them",
}
CHANGES: Final[Mapping[str, str]] = {"assign-margin": "the margin assigned to a position; symbol and margin are needed"}
"""What is no question. Asked for by `Inquiries.change` alone."""
_CHANNELS: Final = {
    "balances": "/balances", "positions": "/positions", "deposits": "/deposits", "deposit-address": "/deposits",
    "withdrawals": "/withdrawals", "assign-margin": "/positions",
}  # fmt: skip
_NEEDED: Final = {"deposit-address": {"asset"}, "assign-margin": {"symbol", "margin"}}
_ALLOWED: Final = {"deposits": {"asset", "limit"}, "withdrawals": {"asset", "limit"}} | _NEEDED
_KEYS: Final = {"/balances": "asset", "/positions": "symbol"}
_ROWS_AT_MOST: Final = 10_000
_HOLDINGS: Final = (BALANCES, POSITIONS)
KEEP_AGAIN: Final = 600_000_000_000
"""ns until a channel of holdings is joined anew, in one connection."""


@dataclass(frozen=True, slots=True)
class Inquiring:
    """A question whose frame left."""

    ticket: int
    topic: str


@dataclass(slots=True)
class _Desk:
    channel: Channel
    waiting: list[tuple[int, str, Mapping[str, str]]] = field(default_factory=list)
    rows: dict[str, Mapping[str, str]] = field(default_factory=dict)
    not_before: int = 0
    """When it may be joined for its holdings again, ns UTC."""


class Inquiries:
    """One account's. `symbols`: those that margin may be assigned to; `views`: the channels of orders; `estate` hears what it holds."""

    def __init__(self, symbols: Sequence[str], wire: Phoenix, views: Mapping[str, View], estate: Estate) -> None:
        self._symbols = frozenset(symbols)
        self._wire = wire
        self._views = views
        self._estate = estate
        self._desks = {topic: _Desk(Channel(topic)) for topic in sorted(set(_CHANNELS.values()))}

    def learn(self, symbols: Sequence[str]) -> None:
        """Margin may be assigned to these too."""
        self._symbols = self._symbols.union(symbols)

    def put(self, ticket: int, topic: str, arguments: Mapping[str, str], context: Callable[[str], Any], now: int) -> list[Out]:
        """A question. `context` makes what comes back with the reply of the join of a topic."""
        wrong = self._wrong(topic, arguments, TOPICS)
        if wrong:
            return [Told(ticket, error=wrong)]
        return [self._open_orders(ticket)] if topic == "open-orders" else self._put(ticket, topic, arguments, context, now)

    def change(self, ticket: int, what: str, arguments: Mapping[str, str], context: Callable[[str], Any], now: int) -> list[Out]:
        """One of `CHANGES`; an operator's act, not a question. Answered like one."""
        wrong = self._wrong(what, arguments, CHANGES)
        return [Told(ticket, error=wrong)] if wrong else self._put(ticket, what, arguments, context, now)

    def _put(self, ticket: int, topic: str, arguments: Mapping[str, str], context: Callable[[str], Any], now: int) -> list[Out]:
        desk = self._desks[_CHANNELS[topic]]
        if desk.channel.standing is Standing.JOINED and topic not in ("deposits", "withdrawals"):
            return self._serve(desk, ticket, topic, arguments, now)
        if desk.channel.standing is Standing.JOINING:
            if topic in ("deposits", "withdrawals"):
                return [Told(ticket, error="another question of the kind is under way")]
            desk.waiting.append((ticket, topic, arguments))
            return []
        free = self._wire.joins.free_at(Purpose.INQUIRY, now)
        if free > now:
            return [Told(ticket, error=f"it would cost a join, of which Moonbase allows 20 an hour; the next one is at {when(free)}")]
        desk.waiting.append((ticket, topic, arguments))
        desk.channel.parameters = _parameters(arguments) if topic in ("deposits", "withdrawals") else {}
        return self._wire.join(desk.channel, Purpose.INQUIRY, context(desk.channel.topic), now)

    def keep(self, context: Callable[[str], Any], now: int) -> list[Out]:
        """Join what tells the account's holdings, where that is not known and joins can be spared."""
        desks = [self._desks[each] for each in _HOLDINGS if not self._estate.knows(each)]
        missing = [desk for desk in desks if desk.channel.standing is not Standing.JOINING and now >= desk.not_before]
        joins = self._wire.joins
        if not missing or joins.used(now) + len(missing) > PER_HOUR // 2 or joins.free_at(Purpose.INQUIRY, now) > now:
            return []
        for desk in missing:
            desk.not_before = now + KEEP_AGAIN
        return [out for desk in missing for out in self._wire.join(desk.channel, Purpose.INQUIRY, context(desk.channel.topic), now)]

    def joined(self, topic: str, reply: Reply, now: int) -> list[Out]:
        """The join of a topic was answered with yes."""
        desk = self._desks[topic]
        desk.channel.standing = Standing.JOINED
        waiting, desk.waiting = desk.waiting, []
        try:
            rows = _rows(listed(reply.response, topic))
        except Malformed as wrong:
            desk.channel.standing = Standing.OUT
            self._estate.lost(topic)
            return [Told(ticket, error=f"Moonbase's answer makes no sense: {wrong}") for ticket, _, _ in waiting]
        key = _KEYS.get(topic, "id")
        desk.rows = {row.get(key, str(number)): row for number, row in enumerate(rows)}
        notes = self._estate.told(topic, desk.rows.values()) if topic in _HOLDINGS else []
        return [*notes, *(out for ticket, asked, arguments in waiting for out in self._serve(desk, ticket, asked, arguments, now))]

    def refused(self, topic: str, why: str) -> list[Out]:
        """The join was refused, or the channel or its connection is gone."""
        desk = self._desks[topic]
        desk.channel.standing = Standing.OUT
        self._estate.lost(topic)
        desk.rows.clear()
        waiting, desk.waiting = desk.waiting, []
        return [Told(ticket, error=why) for ticket, _, _ in waiting]

    def knows(self, topic: str) -> bool:
        """Whether a topic of the venue is one of ours."""
        return topic in self._desks

    def current(self, topic: str, ref: str | None) -> bool:
        """Whether a message about the channel's end means the present one."""
        return ref in (None, self._desks[topic].channel.join_ref)

    def answered(self, context: Inquiring, reply: Reply) -> list[Out]:
        """A request on a channel was answered."""
        if not reply.ok:
            return [Told(context.ticket, error=reply.text)]
        try:
            if context.topic == "deposit-address":
                return [Told(context.ticket, tuple(_rows([reply.response])))]
            data = fields(reply.response, "the answer").get("data")
            return [Told(context.ticket, tuple(_rows(listed(data, "data"))))]
        except Malformed as wrong:
            return [Told(context.ticket, error=f"Moonbase said yes, but its answer makes no sense: {wrong}")]

    def unanswered(self, context: Inquiring) -> list[Out]:
        """No answer came."""
        done = "; it may have been done" if context.topic == "assign-margin" else ""
        return [Told(context.ticket, error=f"Moonbase did not answer{done}")]

    def upsert(self, topic: str, data: Any) -> list[Out]:
        """Balances or positions changed. What cannot be read says nothing of orders, whose channels are others."""
        desk, key = self._desks[topic], _KEYS.get(topic, "id")
        try:
            rows = _rows(listed(data, "data"))
        except Malformed as wrong:
            self._estate.lost(topic)
            return [Note(f"Moonbase: an upsert of {topic} makes no sense: {wrong}")]
        merged = [{**desk.rows.get(row.get(key, ""), {}), **row} for row in rows]
        for row in merged:
            if key in row and (row[key] in desk.rows or len(desk.rows) < _ROWS_AT_MOST):
                desk.rows[row[key]] = row
        return [*self._estate.changed(topic, merged)]

    def spoiled(self) -> None:
        """A frame could not be read: it may have been of these."""
        for topic in _HOLDINGS:
            self._estate.lost(topic)

    def closed(self) -> list[Out]:
        """The connection is gone."""
        for desk in self._desks.values():
            desk.not_before = 0
        return [out for topic in self._desks for out in self.refused(topic, "the connection to Moonbase was lost")]

    def _serve(self, desk: _Desk, ticket: int, topic: str, arguments: Mapping[str, str], now: int) -> list[Out]:
        context = Inquiring(ticket, topic)
        if topic == "deposit-address":
            return [self._wire.push(desk.channel, "get_deposit_address", {"asset": arguments["asset"]}, context, now)]
        if topic == "assign-margin":
            return [self._wire.push(desk.channel, "assign", {arguments["symbol"]: arguments["margin"]}, context, now)]
        return [Told(ticket, tuple(desk.rows.values()))]

    def _open_orders(self, ticket: int) -> Told:
        views = self._views.values()
        rows = [_order(row, view.symbol) for view in views if view.trusted for row in view.rows.values() if row.live]
        silent = [view.symbol for view in views if not (view.trusted and view.readable)]
        short = [view.symbol for view in views if view.trusted and view.floor]
        errors = [f"the orders of {', '.join(silent)} are not known for certain now"] if silent else []
        errors += [f"of {', '.join(short)} older ones than those shown may be open"] if short else []
        return Told(ticket, tuple(rows[:_ROWS_AT_MOST]), plain("; ".join(errors)))

    def _wrong(self, topic: str, arguments: Mapping[str, str], offered: Mapping[str, str]) -> str:
        if topic not in offered:
            return f"no such topic: {plain(topic)}; there are {', '.join(offered)}"
        if not self._wire.open:
            return "Moonbase is not connected"
        strange = set(arguments) - _ALLOWED.get(topic, set())
        missing = _NEEDED.get(topic, set()) - set(arguments)
        if strange or missing:
            return (
                f"{topic}: {', '.join(sorted(map(plain, strange)))} is not known"
                if strange
                else f"{topic} needs {', '.join(sorted(missing))}"
            )
        limit = arguments.get("limit", "1")
        if not (limit.isascii() and limit.isdigit() and len(limit) < 5 and int(limit)):
            return "limit is not a number from 1 to 9999"
        if topic == "assign-margin":
            return self._wrong_margin(arguments)
        return ""

    def _wrong_margin(self, arguments: Mapping[str, str]) -> str:
        if arguments["symbol"] not in self._symbols:
            return f"{plain(arguments['symbol'])} is not configured"
        try:
            margin = Decimal(arguments["margin"])
        except InvalidOperation:
            return "margin is not a number"
        exact = margin.is_finite() and margin >= 0 and len(arguments["margin"]) < 40 and arguments["margin"] == f"{margin:f}"
        return "" if exact else "margin is not a plain number from 0 up"


def _order(row: Row, symbol: str) -> Mapping[str, str]:
    """Amounts in base units, without a sign; `total` is what was paid or received."""
    return {
        "order_id": row.order_id, "symbol": symbol, "side": row.side.value, "amount": plain(row.requested.copy_abs()),
        "limit_price": plain(row.limit_price), "trigger_price": plain(row.trigger_price), "filled": plain(row.filled),
        "total": plain(row.total), "fee": plain(row.fee), "waits": plain(row.waits),
    }  # fmt: skip


def _parameters(arguments: Mapping[str, str]) -> dict[str, Any]:
    return {name: int(value) if name == "limit" else value for name, value in arguments.items()}


def _rows(values: list[Any]) -> list[Mapping[str, str]]:
    return [{str(name): plain(value) for name, value in fields(each, "a row").items()} for each in values[:_ROWS_AT_MOST]]
