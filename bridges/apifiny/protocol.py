"""Apifiny's REST and WebSocket protocol: the witness beside a FIX session, or the order path itself. Pure (`wire.VenueProtocol`).

Source: Apifiny Connect API document. Where it is silent or contradicts itself, the reading is stated here, and beside the code in
`codes.py` (errors), `reading.py` (answers and rows), `answers.py` (yes, no, unknown), `telling.py` (states and executions), `calls.py`
(requests and signatures), `streams.py`, `market.py`, `reference.py`, `link.py` and `standing.py` (when the link is up), `asking.py`
(questions gathered), `holdings.py` (balances), `inquiries.py`:

 1. One protocol is for one account and one venue behind Apifiny. The REST address is configured up to the venue's base (".../ac/v2", or
    ".../ac/v2/VENUE1" where the venue is not co-located), the stream's up to the stream's name (".../ac/ws/v2/VENUE1"); the market data
    stream has an address of its own.
 2. `orderId` of REST and of the streams is the id that we supplied, also for an order that went over FIX. OrderID(37) of FIX may be
    another: events name orders by our id only.
 3. As witness nothing is placed or canceled here (`NotSent`), but by `cancel_all`, an operator's last resort. What the order stream says
    is `Stated` unasked; answers to questions are `Stated`.
 4. To trade, a create that is answered by PENDING_SUBMIT is neither accepted nor refused yet: the stream tells, or the answer to a
    question.
 5. The streams send no snapshot: what happened while the order stream was away is found by the router's questions when the link is up. A
    frame of it that cannot be read may have been of any order: the stream is opened anew, and so the questions are asked. An update whose
    order is legible, but not its state, leads to a question about that order.
 6. The budget, 20 requests a second, is of the account, so all venues of one account share it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bridges.apifiny import calls
from bridges.apifiny.answers import (
    RETRIES,
    Blocked,
    Reply,
    Result,
    Unclear,
    cancel_refused,
    create_refused,
    one_order,
    pause,
    read,
    reason,
    reject,
)
from bridges.apifiny.asking import Asking
from bridges.apifiny.codes import Verdict, no_such_order, of_question
from bridges.apifiny.holdings import Assets, Listing
from bridges.apifiny.inquiries import MARKET_GROUP, TOPICS, inquiry, refused, told
from bridges.apifiny.market import Markets
from bridges.apifiny.reading import Failure, Malformed, OrderRow, loads, name, order_row, printable, rows
from bridges.apifiny.standing import Standing
from bridges.apifiny.streams import ASSET, MARKET, ORDER, Heart, Subscriptions, payload, pong
from bridges.apifiny.telling import Followed, stated
from bridges.wire import MAIN, Address, Answer, Budget, Holdings, Note, Out, Request, Signed, Top
from router.model import Ask, Cancel, Found, NotSent, Place, Unanswered, VenueCommand
from router.rules import Capabilities, Instrument
from router.words import OrdRejReason, OrdType

__all__ = ["ApifinyProtocol", "capabilities"]

_BAD_REQUEST: Final = 0x01001A


def capabilities(venue: str) -> Capabilities:
    """What a venue behind Apifiny takes (document, "Order Type" and "Time In Force"; GTD is "temporarily not supported")."""
    market = (OrdType.MARKET,) if venue in calls.MARKET_VENUES else ()
    return Capabilities(
        ord_types=(OrdType.LIMIT, *market), times_in_force=tuple(calls.TIMES_IN_FORCE), post_only=True, market_buy_by_cash=True
    )


class ApifinyProtocol:
    """One account at one venue behind Apifiny."""

    budgets: Sequence[Budget] = (
        Budget("default", requests=20, seconds=1.0, reserve=8),
        Budget(MARKET_GROUP, requests=1, seconds=1.0, reserve=0),
    )
    """Document, "Rate Limits"."""
    topics: Mapping[str, str] = TOPICS

    def __init__(
        self, account: str, link: str, account_id: str, key_id: str, secret: str, venue: str, instruments: Sequence[Instrument],
        trading: bool, market_url: str | None = None,
    ) -> None:  # fmt: skip
        """`account`: our name for the credentials; `link`: what it is heard as; `account_id`, `key_id`, `secret`: Apifiny's; `venue`: its
        code. `trading`: orders go this way; otherwise it is the witness of an account whose orders go over FIX."""
        self.streams: Sequence[str] = (ORDER, ASSET) if market_url is None else (ORDER, ASSET, MARKET)
        self._account = account
        self._name = link
        self._keys = calls.Keys(account_id, key_id, secret)
        self._venue = venue
        self._trading = trading
        self._market_url = market_url
        self._market_base = None if market_url is None else "http" + market_url.removeprefix("ws").removesuffix("/ws/v1")
        symbols = [each.venue_symbol for each in instruments]
        self._standing = Standing(link, account_id, venue, symbols, trading)
        self._assets = Assets(link, account_id, venue)
        self._asking = Asking()
        self._followed = Followed(account)
        self._markets = Markets(link, symbols)
        self._subscriptions = Subscriptions(symbols, venue)
        self._hearts: dict[str, Heart] = {}
        self._again: list[tuple[int, Request]] = []

    def __repr__(self) -> str:
        return f"ApifinyProtocol({self._name}, {self._venue})"

    def top(self, symbol: str) -> Top:
        """Best prices and last trade of a venue symbol; empty where nothing can be trusted."""
        return self._markets.top(symbol)

    def held(self) -> Holdings | None:
        """Balances (`holdings.py`); there are no positions."""
        heart = self._hearts.get(ASSET)
        return self._assets.held() if heart is not None and not heart.leaving else None

    def mint(self, now: int, random: int, serial: int) -> str:
        """An order id by Apifiny's rule (`calls.mint`)."""
        return calls.mint(self._keys.account_id, now, random, serial)

    def recall(self, remembered: Mapping[str, str], now: int) -> None:
        """Nothing is remembered."""

    def learn(self, instruments: Sequence[Instrument], now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.learn`. Of the rules, Apifiny's own word and the core's judgement are enough: none is needed here."""
        symbols = [each.venue_symbol for each in instruments]
        self._markets.learn(symbols)
        self._subscriptions.learn(symbols)
        return self._standing.learn(symbols, now)

    # --- requests ---------------------------------------------------------------------------------------------------------

    def begin(self, now: int) -> Sequence[Out]:
        """The account's state and the venue's lists."""
        self._assets.begin()
        return self._standing.begin(now)

    def send(self, command: VenueCommand, now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.send`. Questions are gathered (`asking.py`)."""
        if isinstance(command, Ask):
            self._asking.ask(command, now)
            return []
        if isinstance(command, Place):
            return [self._place(command)]
        if isinstance(command, Cancel) and self._trading:
            return [calls.cancel(command, self._keys.account_id, self._venue)]
        why = "Apifiny changes no orders" if self._trading else f"orders of {self._account} go over FIX"
        return [NotSent(order_id=command.order_id, place=False, text=why)]

    def _place(self, place: Place) -> Out:
        try:
            self._check(place)
            return calls.create(place, self._keys.account_id, self._venue)
        except calls.Unsayable as why:
            return NotSent(order_id=place.order_id, place=True, text=str(why))

    def _check(self, place: Place) -> None:
        if not self._trading:
            raise calls.Unsayable(f"orders of {self._account} go over FIX")
        if not self._standing.up:
            raise calls.Unsayable(f"the link {self._name} is down")
        if place.venue not in ("", self._venue):
            raise calls.Unsayable(f"{self._name} is the link to {self._venue}, not to {place.venue}")
        if not self._standing.knows(place.symbol):
            raise calls.Unsayable(f"Symbol(55) {place.symbol} is not configured for {self._name}")

    def cancel_all(self, now: int) -> Sequence[Out]:  # noqa: ARG002 - the contract's signature
        """Document, "Cancel All": "With best effort". Each end is told by the order stream, or over FIX."""
        return [calls.cancel_all(self._keys.account_id, self._venue)]

    def inquire(self, ticket: int, topic: str, arguments: Mapping[str, str], now: int) -> Sequence[Out]:
        """An operator's question (`inquiries.py`)."""
        return [inquiry(ticket, topic, arguments, self._keys.account_id, self._venue, now, self._market_base)]

    def sign(self, request: Request, now: int) -> Signed:
        """Document, "Signature"."""
        return self._keys.sign(request, now)

    # --- answers ----------------------------------------------------------------------------------------------------------

    def answered(self, request: Request, answer: Answer, now: int) -> Sequence[Out]:
        """An answer, whatever its status: first what it says of its subject, then what it says of the link."""
        reply = read(answer)
        outs: list[Out]
        match request.context:
            case calls.Placing(place):
                self._assets.moved(now)
                outs = self._placed(place, reply)
            case calls.Canceling() as context:
                self._assets.moved(now)
                outs = self._canceled(request, context, reply, now)
            case calls.CancelAll() as context:
                outs = self._canceled_all(request, context, reply, now)
            case calls.Looking() as context:
                outs = self._looked(request, context, reply, now)
            case calls.Inquiring() as context:
                outs = [told(context, answer)]
            case Listing() as context:
                outs = self._assets.answered(context, reply, now)
            case _:
                outs = self._standing.answered(request.context, reply, now)
        return [*outs, *self._standing.heed(reply, request.private, now)]

    def _placed(self, place: Place, reply: Reply) -> list[Out]:
        match reply:
            case Result(value):
                return self._confirmed(place, value, "order")
            case Failure():
                return [create_refused(place, reply, self._account)]
            case Blocked():
                return [reject(place, OrdRejReason.EXCHANGE_CLOSED, "HTTP 403: Apifiny blocks our address", self._account)]
            case Unclear(why):
                return [Unanswered(order_id=place.order_id, text=f"the order was answered by {why}")]

    def _confirmed(self, command: Place | Cancel, value: Any, what: str) -> list[Out]:
        """A yes, with the order as it is now."""
        try:
            return [*self._followed.events(one_order(value, command.venue_cl_ord_id))]
        except Malformed as wrong:
            return [Unanswered(order_id=command.order_id, text=f"the {what} was answered by a success that makes no sense: {wrong}")]

    def _canceled(self, request: Request, context: calls.Canceling, reply: Reply, now: int) -> list[Out]:
        command = context.command
        match reply:
            case Result(value):
                return self._confirmed(command, value, "cancel")
            case Failure():
                found = cancel_refused(command, reply, context.tries, self._account)
                return self._repeat(request, found, now) if isinstance(found, int) else [found]
            case _:
                why = reply.why if isinstance(reply, Unclear) else "HTTP 403: Apifiny blocks our address"
                return [Unanswered(order_id=command.order_id, text=f"the cancel was answered by {why}")]

    def _canceled_all(self, request: Request, context: calls.CancelAll, reply: Reply, now: int) -> list[Out]:
        if isinstance(reply, Result):
            number = len(reply.value) if isinstance(reply.value, list) else 0
            return [Note(f"Apifiny cancels {number} orders at {self._venue}", "info")]
        verdict = of_question(reply.rows) if isinstance(reply, Failure) else Verdict.UNKNOWN
        if verdict in (Verdict.AGAIN, Verdict.LATER) and context.tries < RETRIES:
            return self._repeat(request, pause(verdict), now)
        return [Note(f"Apifiny did not say that everything at {self._venue} is canceled: {reason(reply)}", "error")]

    def _looked(self, request: Request, context: calls.Looking, reply: Reply, now: int) -> list[Out]:
        """The answer to a question about orders."""
        if isinstance(reply, Result):
            return self._seen(context, reply.value)
        if not isinstance(reply, Failure):
            self._asking.dropped(context)
            return [Note(f"a question to {self._name} was not answered: {reason(reply)}")]
        if no_such_order(reply.rows) or (context.many and reply.rows and reply.rows[0].key == _BAD_REQUEST):
            return self._not_there(context)
        verdict = of_question(reply.rows)
        if verdict in (Verdict.AGAIN, Verdict.LATER) and context.tries < RETRIES:
            return self._repeat(request, pause(verdict), now)
        self._asking.dropped(context)
        return [Note(f"a question to {self._name} was refused: {reply.text}")]

    def _seen(self, context: calls.Looking, value: Any) -> list[Out]:
        try:
            found = rows(value)
        except Malformed as wrong:
            self._asking.dropped(context)
            return [Note(f"an answer of {self._name} makes no sense: {wrong}")]
        outs: list[Out] = []
        seen: list[str] = []
        for fields in found:
            order_id = fields.get("orderId")
            if order_id not in context.ids:
                continue
            try:
                outs += self._state(order_row(fields), order_id)
                seen.append(order_id)
            except Malformed as wrong:
                outs.append(Note(f"an answer of {self._name} makes no sense: {wrong}"))
        self._asking.answered(context, seen)
        return outs if outs or seen or context.many else [Note(f"an answer of {self._name} is not about the order that was asked about")]

    def _state(self, row: OrderRow, order_id: str) -> list[Out]:
        """An order as an answer tells it; nothing while it is not confirmed."""
        whole = stated(self._account, row, asked=self._trading or self._asking.asker(order_id) is not None)
        if self._trading:
            self._followed.settle(row)
        return [whole] if whole is not None else []

    def _not_there(self, context: calls.Looking) -> list[Out]:
        """ "Order doesn't exist": a no for one order; a list is then asked about one by one."""
        asker = self._asking.asker(context.ids[0])
        self._asking.answered(context, ())
        return [Found(order_id=asker, as_of=context.asked)] if asker is not None and not context.many else []

    def lost(self, request: Request, sent: bool, why: str, now: int) -> Sequence[Out]:
        """No answer: perhaps it arrived (`sent`), or it certainly did not."""
        why = printable(why)
        return [*self._lost(request.context, sent, why, now), *self._standing.failed(now, why)]

    def _lost(self, context: Any, sent: bool, why: str, now: int) -> list[Out]:
        match context:
            case calls.Placing(command) | calls.Canceling(command) if sent:
                return [Unanswered(order_id=command.order_id, text=why)]
            case calls.Placing(command) | calls.Canceling(command):
                return [NotSent(order_id=command.order_id, place=isinstance(command, Place), text=why)]
            case calls.CancelAll():
                return [Note(f"Apifiny was {'perhaps' if sent else 'not'} told to cancel everything at {self._venue}: {why}", "error")]
            case calls.Looking():
                self._asking.dropped(context)
            case calls.Inquiring():
                return [refused(context, why)]
            case Listing():
                self._assets.lost(now)
            case _:
                self._standing.lost(context, now)
        return []

    def _repeat(self, request: Request, wait: int, now: int) -> list[Out]:
        """Send it again, by the tick."""
        self._again.append((now + wait, replace(request, context=replace(request.context, tries=request.context.tries + 1))))
        return []

    # --- streams ----------------------------------------------------------------------------------------------------------

    def address(self, stream: str, now: int) -> Address:
        """Document, "User Data Stream" and "Market Data"; signed at each connect."""
        if stream == MARKET:
            return Address(headers=self._keys.market(), base=self._market_url)
        return Address(f"/{stream}", self._keys.stream(now))

    def opened(self, now: int, stream: str = MAIN) -> Sequence[Out]:
        """A stream is open, and so its signature was taken; only market data is subscribed."""
        self._hearts[stream] = Heart(stream, now)
        if stream == ASSET:
            self._assets.opened(now)
        if stream == ORDER:
            self._followed.forget()
            return self._standing.stream(True)
        if stream == MARKET:
            self._subscriptions.opened()
            return self._subscriptions.tick(now)
        return []

    def receive(self, frame: str | bytes, now: int, stream: str = MAIN) -> Sequence[Out]:
        """A frame of a stream (reading 5)."""
        heart = self._hearts.get(stream)
        if heart is None or heart.leaving:
            return []
        heart.heard = now
        try:
            message = loads(frame)
            answer = pong(message, stream)
            if answer is not None:
                return [answer]
            return self._markets.receive(message) if stream == MARKET else self._update(heart, payload(message), now)
        except Malformed as wrong:
            if stream == ASSET:
                return self._assets.spoiled(str(wrong), now)
            note = Note(f"Apifiny's {stream} stream of {self._name} makes no sense: {wrong}")
            return [note, *(heart.leave("an update cannot be read") if stream == ORDER else [])]

    def _update(self, heart: Heart, carried: list[dict[str, Any]] | Failure, now: int) -> list[Out]:
        if isinstance(carried, Failure):
            return [Note(f"Apifiny's {heart.stream} stream of {self._name}: {carried.text}", "error"), *heart.leave(carried.text)]
        if heart.stream == ORDER:
            return [out for fields in carried for out in self._order(fields, now)]
        return self._assets.changed(carried)

    def _order(self, fields: Mapping[str, Any], now: int) -> list[Out]:
        order_id = name(fields, "orderId")
        self._assets.moved(now)
        try:
            row = order_row(fields)
        except Malformed as wrong:
            self._asking.look(order_id, now)
            return [Note(f"an update of order {order_id} on {self._name} makes no sense, so it is asked about: {wrong}")]
        if self._trading:
            return [*self._followed.events(row)]
        whole = stated(self._account, row, asked=False)
        return [whole] if whole is not None else []

    def closed(self, why: str, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002 - the contract's signature
        """A stream is gone, or could not be opened."""
        self._hearts.pop(stream, None)
        if stream == ASSET:
            self._assets.closed()
        if stream == ORDER:
            return self._standing.stream(False, f"the order stream is closed: {printable(why)}")
        if stream == MARKET:
            self._subscriptions.closed()
            self._markets.forget()
        return []

    def tick(self, now: int) -> Sequence[Out]:
        """Questions that were gathered, what is sent again, lists and probes that are due, silence of the streams."""
        outs: list[Out] = [calls.look(ids, self._keys.account_id, self._venue, now) for ids in self._asking.due(now)]
        due = [request for time, request in self._again if time <= now]
        self._again = [each for each in self._again if each[0] > now]
        silent = [out for heart in self._hearts.values() for out in heart.tick(now)]
        whole = self._assets.tick(self._standing.up, now)
        return [*due, *outs, *self._standing.tick(now), *whole, *silent, *self._markets.tick(), *self._subscriptions.tick(now)]
