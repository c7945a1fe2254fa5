"""Moonbase's protocol: one Phoenix WebSocket for everything. Pure (`wire.VenueProtocol`).

Source: "Moonbase Exchange WebSocket API documentation". Where it is silent or contradicts itself, the reading is stated here:

 1. The socket is the configured address (`…/socket/websocket`) with `?vsn=1.0.0&key=…&timestamp=…&signature=…`. The signature is
    HMAC-SHA256 in lower-case hexadecimal over "GET\\n/users/verify\\n" and "key=…&timestamp=…"; the timestamp is in seconds; `vsn` is not
    signed.
 2. Frames are objects, as in every example. The heartbeat is Phoenix's own: topic `phoenix`, event `heartbeat`, every 20 s, answered
    within 10 s.
 3. An error is a reply whose payload has status "error", `type` and `details` ("Rate limits"), or Phoenix's own `{"reason": …}`. It is
    the venue's own no, unless its type speaks of the server's failure (internal, server, timeout, unavailable, crash): that is unknown.
    rate_limit_exceeded on a `place` is a no: the venue answered instead of acting. No new order leaves until `retry_after` is over.
 4. Joins: `joins.py`. A join of `/orders/<symbol>` takes status null, which is read as every status, newest first, at most `limit`. A topic
    is joined anew by a second phx_join, as Phoenix allows; the end of the old channel is told with the old join_ref (in `ref`, where there
    is no join_ref), and means nothing.
 5. Times have no zone: UTC. The venue's clock may differ by a minute.
 6. `filled_amount` may have the sign of requested_amount or none; `filled_total` is the sum of price times amount, `fee` what was charged,
    in a currency that is not said. They are the order's sums, and only grow.
 7. An order is over when is_active is false: canceled where cancelled_at is set, filled where nothing is left of it, and else ended by the
    venue, told as canceled. One with a trigger_price and without triggered_at waits for it, whatever is_active says.
 8. Upserts come for orders just placed too, before or after the reply. What is an order's own word, and what trades add: `tracking.py`.
 9. Cancels, and only they, have no limit. Heartbeats and joins count as requests: the reserve of 40 is for them.
10. "Assign": the table names symbol and margin, the example maps symbols to margins as texts; the example is taken.

A connection costs one join a symbol; at most `EAGER` symbols are joined at each, and others when they are needed. The link is up when
those are joined. `/trades/<symbol>` is joined only with joins that are nobody's share, and done without otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from bridges.moonbase.calls import ORD_TYPES, unsayable, when
from bridges.moonbase.holdings import Estate
from bridges.moonbase.inquiries import CHANGES, TOPICS, Inquiries, Inquiring
from bridges.moonbase.joins import Purpose
from bridges.moonbase.orders import Canceling, Orders, Placing
from bridges.moonbase.payload import Malformed, printable
from bridges.moonbase.phoenix import Channel, Message, Pending, Phoenix, Reply, Standing, read_message, read_reply
from bridges.moonbase.view import View
from bridges.wire import MAIN, Address, Answer, Budget, Holdings, Note, Out, Reconnect, Request, Signed, Top
from router.model import Ask, Cancel, LinkDown, LinkUp, NotSent, Place, Replace, VenueCommand
from router.rules import Capabilities, Instrument
from router.words import TimeInForce

__all__ = ["CAPABILITIES", "EAGER", "MoonbaseProtocol"]

CAPABILITIES: Final = Capabilities(
    ord_types=tuple(ORD_TYPES),
    times_in_force=(TimeInForce.GTC,),
    post_only=False,
    market_buy_by_cash=False,
    client_id=False,
)
_SECOND: Final = 1_000_000_000
EAGER: Final = 2
"""Symbols joined at each connection, orders or not: with more, a few connections would use the hour's joins up."""
AGAIN: Final = 600 * _SECOND
"""ns until a join that the venue refused, but not for want of budget, is tried again."""
_WORTH_TELLING: Final = 3 * _SECOND
SETTLED: Final = 5 * _SECOND
"""ns after which the account's holdings are worth joins: a connection that dies sooner has not spent them."""


@dataclass(frozen=True, slots=True)
class _Joining:
    """A join that left; which of the three channels it was tells the topic."""

    topic: str


class MoonbaseProtocol:
    """One API key."""

    budgets: Sequence[Budget] = (Budget("default", requests=300, seconds=60.0, reserve=40),)
    """Document, "Rate limits"."""
    streams: Sequence[str] = (MAIN,)
    topics: Mapping[str, str] = TOPICS
    changes: Mapping[str, str] = CHANGES
    """What an operator might have done at the venue. No question of the API's leads here."""

    def __init__(self, account: str, key_id: str, secret: str, instruments: Sequence[Instrument]) -> None:
        """`account`: our name for the credentials, and the link's."""
        self._account = account
        self._key_id = key_id
        self._secret = secret.encode()
        symbols = list(dict.fromkeys(each.venue_symbol for each in instruments))
        self._eager = symbols[:EAGER]
        self._wire = Phoenix(account)
        self._orders = Orders(account, symbols, self._wire)
        self._estate = Estate()
        self._inquiries = Inquiries(symbols, self._wire, self._orders.views, self._estate)
        self._up = False
        self._up_since = 0
        self._told_until = 0

    def mint(self, now: int, random: int, serial: int) -> str:
        """An id for our own use: `random` makes it unique across restarts, `serial` within one ms."""
        return f"{random:06}-{now // 1_000_000:013}-{serial}"

    def top(self, symbol: str) -> Top:  # noqa: ARG002
        """Nothing: its channels of market data are not joined."""
        return Top()

    def held(self) -> Holdings | None:
        """Balances and positions, while joins could be spared for their channels (`inquiries.py`)."""
        return self._estate.held() if self._wire.open else None

    def recall(self, remembered: Mapping[str, str], now: int) -> None:
        """The joins of the hour before the restart."""
        self._wire.joins.recall(remembered.get("joins", ""), now)

    def learn(self, instruments: Sequence[Instrument], now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.learn`. A new symbol's channel is joined when an order needs it; at once, and at each connection, while there
        are fewer than `EAGER` symbols, as it would be after a restart. No rule of an instrument is needed here."""
        new = [each for each in dict.fromkeys(one.venue_symbol for one in instruments) if each not in self._orders.trades]
        self._inquiries.learn(new)
        for symbol in new:
            view = self._orders.learn(symbol)
            if len(self._eager) < EAGER:
                self._eager.append(symbol)
                view.channel.wanted = Purpose.CONNECT if view.channel.standing is Standing.OUT else view.channel.wanted
        return self._settle(now)

    def address(self, stream: str, now: int) -> Address:  # noqa: ARG002 - there is one
        """Reading 1; signed afresh at each connect."""
        query = urlencode({"key": self._key_id, "timestamp": str(now // _SECOND)})
        signature = hmac.new(self._secret, f"GET\n/users/verify\n{query}".encode(), hashlib.sha256).hexdigest()
        return Address(f"?vsn=1.0.0&{query}&signature={signature}")

    def begin(self, now: int) -> Sequence[Out]:  # noqa: ARG002
        """Nothing is needed before the stream."""
        return ()

    # --- commands ---------------------------------------------------------------------------------------------------------

    def send(self, command: VenueCommand, now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.send`."""
        outs: list[Out] = []
        match command:
            case Place():
                why = unsayable(command) or ("" if self._ready else "Moonbase is not connected")
                outs = [NotSent(order_id=command.order_id, place=True, text=why)] if why else self._orders.place(command, now)
            case Cancel():
                down = NotSent(order_id=command.order_id, place=False, text="Moonbase is not connected")
                outs = self._orders.cancel(command, now) if self._wire.open else [down]
            case Replace():
                outs = [NotSent(order_id=command.order_id, place=False, text="Moonbase cannot change an order")]
            case Ask():
                self._orders.ask(command)
        return [*outs, *self._settle(now)]

    def cancel_all(self, now: int) -> Sequence[Out]:
        """Every open order that the joined channels show; each end is told by its own row."""
        return self._orders.cancel_all(now)

    def inquire(self, ticket: int, topic: str, arguments: Mapping[str, str], now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.inquire`; `inquiries.py`."""
        return self._inquiries.put(ticket, topic, arguments, _Joining, now)

    def change(self, ticket: int, what: str, arguments: Mapping[str, str], now: int) -> Sequence[Out]:
        """One of `changes`, which are no questions; answered once by `Told`."""
        return self._inquiries.change(ticket, what, arguments, _Joining, now)

    def sign(self, request: Request, now: int) -> Signed:  # noqa: ARG002
        """Never called: there are no requests over HTTP."""
        return Signed(request.method, request.path, {}, request.body)

    def answered(self, request: Request, answer: Answer, now: int) -> Sequence[Out]:  # noqa: ARG002
        """Never called."""
        return ()

    def lost(self, request: Request, sent: bool, why: str, now: int) -> Sequence[Out]:  # noqa: ARG002
        """Never called."""
        return ()

    # --- the stream -------------------------------------------------------------------------------------------------------

    def opened(self, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002
        """A connection: join what is needed, as soon as it may be."""
        self._wire.opened(now)
        self._told_until = 0
        for view in self._orders.views.values():
            needed = view.symbol in self._eager or self._orders.busy(view.symbol, now)
            view.core = needed and not view.broken
            view.channel.wanted = Purpose.CONNECT if needed else None
        return self._settle(now)

    def receive(self, frame: str | bytes, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002
        """A frame. What cannot be read may have been an order's: no channel is believed after it until it was joined anew."""
        outs: list[Out] = []
        try:
            outs = self._message(read_message(frame), now)
        except Malformed as wrong:
            self._orders.spoiled()
            self._inquiries.spoiled()
            outs = [Note(f"Moonbase sent a frame that makes no sense: {wrong}")]
        return [*outs, *self._settle(now)]

    def closed(self, why: str, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002
        """The connection is gone. First the link, so that the router asks nothing while it is down."""
        outs = self._orders.last_words(now)
        lost = self._wire.closed()
        if self._up:
            self._up = False
            outs.append(LinkDown(self._account, printable(why)))
        outs += self._orders.closed()
        for context in lost:
            if isinstance(context, Inquiring):
                outs += self._inquiries.unanswered(context)
        return [*outs, *self._inquiries.closed()]

    def tick(self, now: int) -> Sequence[Out]:
        """Heartbeat, deadlines, joins that may leave now."""
        outs = [out for pending in self._wire.overdue(now) for out in self._overdue(pending)]
        return [*outs, *self._orders.tick(now), *self._wire.beat(now), *self._settle(now)]

    # --- messages ---------------------------------------------------------------------------------------------------------

    def _message(self, message: Message, now: int) -> list[Out]:
        match message.event:
            case "phx_reply":
                pending = self._wire.answered(message)
                return self._reply(message, pending, read_reply(message), now) if pending is not None else []
            case "phx_error" | "phx_close":
                return self._ended(message)
            case "upsert" | "insert":
                return self._news(message, now)
        return []

    def _news(self, message: Message, now: int) -> list[Out]:
        topic, data = message.topic, message.payload.get("data")
        view = self._view(topic)
        if view is not None and message.event == "upsert":
            return self._orders.upsert(view, data, now) if self._up else self._orders.keep(view, data)
        for symbol, channel in self._orders.trades.items():
            if channel.topic == topic and message.event == "insert":
                return self._orders.insert(symbol, data, now)
        return self._inquiries.upsert(topic, data) if self._inquiries.knows(topic) and message.event == "upsert" else []

    def _reply(self, message: Message, pending: Pending, reply: Reply, now: int) -> list[Out]:
        match pending.context:
            case _Joining():
                return self._joined(pending.topic, message.ref, reply, now)
            case Placing(place):
                return [*self._orders.placed(place, reply, now), *self._unmatched(pending, reply)]
            case Canceling() as context:
                return [*self._orders.canceled(context, reply, now), *self._unmatched(pending, reply)]
            case Inquiring() as context:
                return [] if pending.told else self._inquiries.answered(context, reply)
        return []

    def _unmatched(self, pending: Pending, reply: Reply) -> list[Out]:
        """Phoenix's "unmatched topic": it does not know that we joined."""
        view = self._view(pending.topic)
        return self._orders.dropped(view) if view is not None and reply.kind.startswith("unmatched") else []

    def _joined(self, topic: str, ref: str | None, reply: Reply, now: int) -> list[Out]:
        view = self._view(topic)
        if view is not None and ref != view.channel.join_ref:
            return []  # of a join before the last
        if not reply.ok:
            return self._refused(topic, reply, now)
        if view is not None:
            return self._orders.joined(view, reply, self._up, now)
        for channel in self._orders.trades.values():
            if channel.topic == topic:
                channel.standing = Standing.JOINED
                return []
        return self._inquiries.joined(topic, reply, now) if self._inquiries.current(topic, ref) else []

    def _refused(self, topic: str, reply: Reply, now: int) -> list[Out]:
        text = f"Moonbase refused to join {topic}: {reply.text}"
        if reply.retry_after is not None:
            self._wire.joins.close(now + reply.retry_after)
        view = self._view(topic)
        if view is not None:
            view.channel.wanted = Purpose.CONNECT
            if reply.retry_after is None:
                view.channel.not_before, view.broken = now + AGAIN, text
                view.core = view.core and self._up  # one symbol that the venue does not have must not keep the others from being joined
            return [Note(text, "error"), *self._orders.refused(view, reply.text)]
        for channel in self._orders.trades.values():
            if channel.topic == topic:
                channel.standing = Standing.OUT
                return [Note(text)]
        return self._inquiries.refused(topic, text)

    def _ended(self, message: Message) -> list[Out]:
        """phx_close, phx_error: a channel is gone (reading 4)."""
        ref, view = message.join_ref or message.ref, self._view(message.topic)
        if view is not None:
            channel = view.channel
            mine = ref == channel.join_ref or (ref is None and channel.standing is Standing.JOINED)
            if not mine or channel.standing is Standing.OUT:
                return []
            return [Note(f"Moonbase closed {message.topic}"), *self._orders.dropped(view)]
        for channel in self._orders.trades.values():
            if channel.topic == message.topic and ref in (None, channel.join_ref):
                channel.standing = Standing.OUT
        topic = message.topic
        if self._inquiries.knows(topic) and self._inquiries.current(topic, ref):
            return self._inquiries.refused(topic, "Moonbase closed the channel")
        return []

    def _overdue(self, pending: Pending) -> list[Out]:
        match pending.context:
            case Placing() | Canceling() as context:
                return self._orders.unanswered(context)
            case Inquiring() as context:
                return self._inquiries.unanswered(context)
            case _Joining():
                return self._join_overdue(pending.topic)
        self._wire.open = False
        return [Reconnect("Moonbase does not answer the heartbeat")]

    def _join_overdue(self, topic: str) -> list[Out]:
        if self._inquiries.knows(topic):
            return self._inquiries.refused(topic, "Moonbase did not answer")
        if self._view(topic) is None:
            return []  # trades are done without
        self._wire.open = False
        return [Reconnect(f"Moonbase does not answer the join of {topic}")]

    # --- what follows -----------------------------------------------------------------------------------------------------

    @property
    def _ready(self) -> bool:
        return self._up and self._wire.open

    def _settle(self, now: int) -> list[Out]:
        """After everything: answer what can be answered, join what may be joined, and say whether the link is up."""
        if not self._wire.open:
            return []
        outs = self._orders.questions.answers(now) if self._up else []
        for view in list(self._orders.views.values()):
            outs += self._join(view.channel, now)
        outs += self._judge(now)
        for channel in self._orders.trades.values():
            outs += self._join(channel, now)
        return [*outs, *(self._inquiries.keep(_Joining, now) if self._up and now >= self._up_since + SETTLED else [])]

    def _join(self, channel: Channel, now: int) -> list[Out]:
        if channel.wanted is None or channel.standing is Standing.JOINING or now < channel.not_before:
            return []
        free = self._wire.joins.free_at(channel.wanted, now)
        if free <= now:
            return self._wire.join(channel, channel.wanted, _Joining(channel.topic), now)
        if channel.wanted is Purpose.TRADES:
            channel.wanted = None
        elif free > max(self._told_until, now + _WORTH_TELLING):
            self._told_until = free
            return [Note(f"Moonbase allows 20 joins an hour: {channel.topic} waits until {when(free)}")]
        return []

    def _judge(self, now: int) -> list[Out]:
        core = [view for view in self._orders.views.values() if view.core]
        ready = bool(core) and all(view.joined or (self._up and view.anew) for view in core)
        if ready == self._up:
            return []
        self._up, self._up_since = ready, now
        if not ready:
            lost = next(view for view in core if not view.joined and not view.anew)
            for view in core:
                view.core = not view.broken
            text = f"{lost.channel.topic} is not joined{self._until(lost, now)}"
            return [LinkDown(self._account, text), *self._orders.in_doubt()]
        outs: list[Out] = [LinkUp(self._account)]
        for view in core:
            outs += self._orders.resync(view, now)
            trades = self._orders.trades.get(view.symbol)
            if trades is not None and trades.standing is Standing.OUT:
                trades.wanted = Purpose.TRADES
        return outs

    def _until(self, view: View, now: int) -> str:
        free = max(self._wire.joins.free_at(Purpose.CONNECT, now), view.channel.not_before)
        return f"; it can be at {when(free)}" if free > now else ""

    def _view(self, topic: str) -> View | None:
        return self._orders.views.get(topic.removeprefix("/orders/")) if topic.startswith("/orders/") else None
