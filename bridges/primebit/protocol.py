"""PrimeBit's protocol: REST for what we want, one WebSocket for what happened. Pure (`wire.VenueProtocol`).

Source: "PrimeBit API documentation". It leaves the bodies to a Swagger file that is not at hand, so much is a reading; each is stated here
or at the head of the file that uses it: `orders.py` (bodies), `answers.py` (yes, no, unknown), `tracking.py` (CumQty, whose order it is),
`fills.py` (prices), `trading.py` (requests), `asking.py` (questions), `channel.py` (subscriptions), `holdings.py` (what the account has).

 1. An order is created by `POST /api/v1/trading/account/{account}/order`, modified by `PUT …/order/{id}`, canceled by
    `DELETE …/order/{id}` (the one URL that the document shows), listed by `GET …/order`, read by `GET …/order/{id}` while it is open; 404
    "order-not-found" is an order that is done, or never was.
 2. The signature of REST is HMAC-SHA256 over method, body, path, query and timestamp (s), of the private channels over the timestamp alone.
 3. A create that is answered with yes is accepted, whether or not the channel's word for it is lost. A yes to a modify or a cancel only
    says that it was taken: the change, or the end, is the channel's event. A modify taken and not told of for `TOLD_WITHIN` is unknown.
 4. `comment` carries our id. Where it comes back empty, an order is known by the answer to its create, else by what it looks like.
 5. Nothing is created while the order and positions channels are not confirmed: nothing would be heard of it, or of its price.
 6. What the account can trade at, and the channels of market data, are named by `environment`: live or demo.
 7. OrderQty(38) is `volume` as the venue counts it; contract_size is kept and changes nothing.
 8. A frame that cannot be read may have been an order's: fresh snapshots of orders and positions are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bridges.primebit.answers import listing
from bridges.primebit.asking import Looking, Questions, Searching
from bridges.primebit.channel import ANSWER_WITHIN, Channel, Confirmed, Happened, Refused, signature
from bridges.primebit.fills import Pricing
from bridges.primebit.holdings import Account, texts
from bridges.primebit.market import Market
from bridges.primebit.orders import FILL_TYPES, ORD_TYPES, Row, mint, read
from bridges.primebit.payload import Malformed, listed, loads, mapped, name, printable
from bridges.primebit.tracking import Orders
from bridges.primebit.trading import CancelAll, Trading
from bridges.wire import MAIN, Address, Answer, Budget, Holdings, Kind, Note, Out, Reconnect, Request, Signed, Told, Top
from router.model import Ask, Cancel, LinkDown, LinkUp, Place, Replace, VenueCommand
from router.rules import Capabilities, Instrument

__all__ = ["CAPABILITIES", "PrimebitProtocol"]

CAPABILITIES: Final = Capabilities(
    ord_types=ORD_TYPES,
    times_in_force=tuple(FILL_TYPES),
    post_only=False,
    market_buy_by_cash=False,
    client_id=True,
    native_replace=True,
    margin=True,
)
"""Document, "Order channel". expiration_time could carry GTD; the router's `Place` has no expiry yet."""

_SECOND: Final = 1_000_000_000
_API: Final = "/api/v1/trading/account"
AGAIN_AFTER: Final = _SECOND
"""ns between two rounds of snapshots, so that a stream of nonsense does not make a stream of rounds."""


@dataclass(frozen=True, slots=True)
class _Inquiry:
    ticket: int


@dataclass(slots=True)
class _Round:
    """Snapshots of orders and positions that are under way, or have come."""

    asked: int
    rows: list[Row] | None = None
    clean: bool = True
    done: bool = False


class PrimebitProtocol:
    """One account of one API key."""

    streams: Sequence[str] = (MAIN,)
    topics: Mapping[str, str] = {
        "balances": "balance, equity and margin, as last told by the stream; no arguments",
        "positions": "open positions, as last told by the stream; no arguments",
        "open-orders": "all open orders of the account, asked for now; no arguments",
    }
    budgets: Sequence[Budget] = (Budget("default", requests=5, seconds=1.0, reserve=2),)

    def __init__(
        self, account: str, account_id: str, key_id: str, secret: str, instruments: Sequence[Instrument], environment: str
    ) -> None:
        """`account`: our name for the credentials, and the link's; `account_id`: the venue's. Raises `ValueError` for what cannot be."""
        if environment not in ("live", "demo"):
            raise ValueError(f"environment {environment!r} is neither live nor demo")
        try:
            name({"account_id": account_id}, "account_id")
        except Malformed as wrong:
            raise ValueError(str(wrong)) from None
        self._account = account
        self._key_id = key_id
        self._key = secret.encode()
        self._path = f"{_API}/{account_id}/order"
        self._instruments = {each.venue_symbol: each for each in instruments}
        self._markets = {each: Market() for each in self._instruments}
        self._orders_channel, self._account_channel = f"order_{account_id}", f"account_{account_id}"
        self._positions_channel = f"positions_{account_id}"
        self._environment = environment
        self._books = {self._book_channel(each): each for each in self._instruments}
        self._ticks = {self._tick_channel(each): each for each in self._instruments}
        self._pricing = Pricing({each.venue_symbol: each.tick for each in instruments})
        self._orders = Orders(account, self._instruments, self._pricing)
        self._trading = Trading(account, self._path, self._instruments, self._orders)
        self._questions = Questions(account, self._path, self._orders)
        self._money = Account(each.quote for each in instruments)
        self._channel: Channel | None = None
        self._leaving = False
        self._round: _Round | None = None
        self._spoiled = False
        self._up = False

    def top(self, symbol: str) -> Top:
        """Best prices and last trade of a venue symbol; empty where nothing can be trusted."""
        market = self._markets.get(symbol)
        return market.top if market is not None else Top()

    def held(self) -> Holdings | None:
        """`wire.VenueProtocol.held`; `holdings.py`."""
        return self._money.held(self._pricing.version, self._pricing.open()) if self._up and not self._leaving else None

    def learn(self, instruments: Sequence[Instrument], now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.learn`. The private channels tell of every symbol as it is."""
        new = [symbol for symbol in dict.fromkeys(each.venue_symbol for each in instruments) if symbol not in self._instruments]
        self._instruments |= {each.venue_symbol: each for each in instruments}
        self._markets |= {each: Market() for each in new}
        books, ticks = {self._book_channel(each): each for each in new}, {self._tick_channel(each): each for each in new}
        self._books |= books
        self._ticks |= ticks
        self._pricing.learn({each.venue_symbol: each.tick for each in instruments})
        self._orders.learn(new, now)
        self._money.learn(each.quote for each in instruments)
        channel = self._channel if not self._leaving else None
        return [channel.subscribe(each, now, False) for each in (*ticks, *books)] if channel is not None else []

    def _book_channel(self, symbol: str) -> str:
        return f"order_book_{symbol}_{self._environment}"

    def _tick_channel(self, symbol: str) -> str:
        return f"tick_{symbol}_market_{self._environment}"

    def recall(self, remembered: Mapping[str, str], now: int) -> None:
        """Nothing is remembered beyond a restart."""

    def address(self, stream: str, now: int) -> Address:  # noqa: ARG002
        """The configured address is whole."""
        return Address()

    # --- requests ---------------------------------------------------------------------------------------------------------

    def mint(self, now: int, random: int, serial: int) -> str:
        """Our id for `comment` (`orders.mint`)."""
        return mint(now, random, serial)

    def begin(self, now: int) -> Sequence[Out]:  # noqa: ARG002
        """Nothing is needed before the stream."""
        return ()

    def send(self, command: VenueCommand, now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.send`."""
        match command:
            case Place():
                return [self._trading.place(command, self._up)]
            case Cancel():
                return [self._trading.cancel(command)]
            case Replace():
                return [self._trading.replace(command, now, self._up)]
            case Ask():
                return [*self._questions.ask(command, now, self._up), *self._orders.flush()]

    def cancel_all(self, now: int) -> Sequence[Out]:  # noqa: ARG002
        """The open orders, then a cancel for each; the channel tells their ends."""
        return [self._trading.all()]

    def inquire(self, ticket: int, topic: str, arguments: Mapping[str, str], now: int) -> Sequence[Out]:  # noqa: ARG002
        """`wire.VenueProtocol.inquire`; balances and positions are the stream's, and only told while it is up."""
        if topic == "open-orders":
            return [Request(kind=Kind.QUERY, method="GET", path=self._path, context=_Inquiry(ticket))]
        if topic not in self.topics:
            return [Told(ticket, error=f"PrimeBit is not asked about {topic}; known: {', '.join(self.topics)}")]
        if not self._up:
            return [Told(ticket, error="the stream of PrimeBit is down")]
        if topic == "positions":
            return [Told(ticket, tuple(texts(row) for row in self._pricing.rows.values()))]
        if not self._money.fields:
            return [Told(ticket, error="PrimeBit has not told the balances")]
        return [Told(ticket, (self._money.fields,))]

    def sign(self, request: Request, now: int) -> Signed:
        """Document, "Authorization"."""
        headers = {"Content-Type": "application/json"} if request.body else {}
        if request.private:
            stamp = str(now // _SECOND)
            signed = signature(self._key, request.method, request.body, request.path, request.query, stamp)
            headers |= {"api-key": self._key_id, "timestamp": stamp, "authorization": signed}
        target = f"{request.path}?{request.query}" if request.query else request.path
        return Signed(request.method, target, headers, request.body)

    # --- answers ----------------------------------------------------------------------------------------------------------

    def answered(self, request: Request, answer: Answer, now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.answered`; `answers.py` has the readings."""
        outs = self._take(request.context, answer, now)
        if answer.status in (401, 403):
            outs.append(Note(f"PrimeBit does not accept the API key, the signature or the timestamp (HTTP {answer.status})", "error"))
        elif answer.status == 429:
            outs.append(Note("PrimeBit: over the limit of 5 requests a second (HTTP 429)"))
        return [*outs, *self._orders.flush()]

    def _take(self, context: Any, answer: Answer, now: int) -> list[Out]:
        match context:
            case Place():
                return self._trading.placed(context, answer, now)
            case Cancel() | Replace():
                return self._trading.requested(context, answer, now)
            case Looking():
                return self._questions.looked(context, answer, now, self._up)
            case Searching():
                return self._questions.searched(context, answer, now, self._up)
            case CancelAll():
                return self._trading.all_answered(context, answer)
            case _Inquiry(ticket):
                return [_told(ticket, answer)]
        return []

    def lost(self, request: Request, sent: bool, why: str, now: int) -> Sequence[Out]:  # noqa: ARG002
        """`wire.VenueProtocol.lost`. A question is asked again by the router."""
        match request.context:
            case Place() | Cancel() | Replace() as command:
                return [self._trading.lost(command, sent, printable(why))]
            case CancelAll(order_id):
                what = f"order {order_id} was not canceled" if order_id else "nothing was canceled"
                return [Note(f"{what} at PrimeBit: {printable(why)}", "error")]
            case _Inquiry(ticket):
                return [Told(ticket, error=printable(why))]
        return []

    # --- the stream -------------------------------------------------------------------------------------------------------

    def opened(self, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002
        """Subscribe to everything; orders before positions, so that the positions tell of nothing that the orders do not."""
        self._channel, self._leaving, self._spoiled = Channel(self._key_id, self._key, now), False, False
        self._round = _Round(now)
        self._money.lost()
        self._money.asked(now)
        private = (self._orders_channel, self._positions_channel, self._account_channel)
        return [
            *(self._channel.subscribe(each, now, True) for each in private),
            *(self._channel.subscribe(each, now, False) for each in (*self._ticks, *self._books)),
        ]

    def receive(self, frame: str | bytes, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002
        """`wire.VenueProtocol.receive`; reading 8."""
        channel = self._channel
        if channel is None or self._leaving or frame in ("pong", b"pong"):
            return []
        try:
            outs = self._message(channel.take(loads(frame)), now)
        except Malformed as wrong:
            self._spoiled = True
            outs = [Note(f"PrimeBit sent a message that makes no sense: {wrong}")]
        return [*self._orders.flush(), *outs, *self._again(now)]

    def _message(self, message: Confirmed | Refused | Happened | None, now: int) -> list[Out]:
        match message:
            case Confirmed(channel, data) if channel == self._orders_channel:
                return self._orders_shown(data, now)
            case Confirmed(channel, data) if channel == self._positions_channel:
                return self._positions_shown(data, now)
            case Refused(channel, text) if channel in (self._orders_channel, self._positions_channel):
                why = f"PrimeBit refused the channel {channel}: {text}"
                return [Note(why, "error"), *self._leave(why)]
            case Refused(channel, text):
                if channel == self._account_channel:
                    self._money.refused()
                return [Note(f"PrimeBit refused the channel {channel}: {text}")]
            case Happened(channel, data, stamp) if channel == self._orders_channel:
                fields = mapped(data, "the order event")
                if self._round is not None and self._round.rows is not None:
                    self._round.clean = False
                self._orders.event(name(fields, "event_type"), read(fields.get("order")), stamp or now // 1_000_000, now)
            case Happened(channel, data) if channel == self._positions_channel:
                self._pricing.position(data, now)
            case Confirmed(channel, data) | Happened(channel, data) if channel == self._account_channel:
                return self._money.money(data)
            case Confirmed(channel, data) | Happened(channel, data):
                self._public(channel, data, now)
        return []

    def _public(self, channel: str, data: Any, now: int) -> None:
        if data is None:
            return
        if channel in self._books:
            self._markets[self._books[channel]].book(data)
        elif channel in self._ticks:
            trade = self._markets[self._ticks[channel]].tick(data)
            if trade is not None:
                self._pricing.trade(self._ticks[channel], *trade, now)

    def _orders_shown(self, data: Any, now: int) -> list[Out]:
        rows = [read(each) for each in listed(data, "the orders")]
        if self._round is None or self._round.done:
            return []
        for row in rows:
            each = self._orders.see(row, now)
            if each.ended is None:
                self._orders.sync(each, row, now)
        self._round.rows = rows
        return []

    def _positions_shown(self, data: Any, now: int) -> list[Out]:
        current, baseline = self._round, self._pricing.known
        if current is None or current.rows is None or current.done:
            return []
        self._pricing.snapshot(data, now)
        current.done = True
        lost = self._orders.settle(current.rows, current.asked, current.clean, baseline, now)
        if self._up and any(not each.gap for each in lost):
            return self._leave("orders have ended and the stream has not told how")
        if self._up:
            return []
        self._up = True
        return [LinkUp(self._account)]

    def closed(self, why: str, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002
        """`wire.VenueProtocol.closed`."""
        was_up, self._up, self._channel, self._round = self._up, False, None, None
        self._questions.forget()
        self._orders.lost()
        self._money.lost()
        for market in self._markets.values():
            market.forget()
        return [LinkDown(self._account, printable(why))] if was_up else []

    def tick(self, now: int) -> Sequence[Out]:
        """Pings, prices that are waited for no longer, and what was waited for too long."""
        self._pricing.tick(now, self._up)
        outs: list[Out] = [*self._trading.untold(now), *self._money.notes()]
        channel = self._channel
        if channel is not None and not self._leaving:
            if self._up:
                self._orders.strangers(now)
                for each in self._questions.tick(now):
                    outs += self._leave(each.why) if isinstance(each, Reconnect) else [each]
            outs += self._watch(channel, now)
        return [*self._orders.flush(), *outs]

    def _watch(self, channel: Channel, now: int) -> list[Out]:
        if channel.silent(now):
            return self._leave("no answer to ping")
        if self._round is not None and not self._round.done and now - self._round.asked > ANSWER_WITHIN:
            return self._leave(f"no snapshot of orders and positions for {ANSWER_WITHIN // _SECOND} s")
        ping = channel.tick(now)
        return [*([ping] if ping is not None else []), *self._again(now), *(self._refresh(channel, now) if self._money.due(now) else [])]

    def _again(self, now: int) -> list[Out]:
        """Fresh snapshots, where something may have been lost."""
        current, channel = self._round, self._channel
        if not self._spoiled or self._leaving or channel is None or current is None or now - current.asked < AGAIN_AFTER:
            return []
        self._spoiled, self._round = False, _Round(now)
        names = (self._orders_channel, self._positions_channel)
        frames = [*map(channel.unsubscribe, names), *(channel.subscribe(each, now, True) for each in names)]
        return [*frames, *self._refresh(channel, now)]

    def _refresh(self, channel: Channel, now: int) -> list[Out]:
        """The account channel's state anew."""
        self._money.asked(now)
        return [channel.unsubscribe(self._account_channel), channel.subscribe(self._account_channel, now, True)]

    def _leave(self, why: str) -> list[Out]:
        if self._leaving:
            return []
        self._leaving = True
        return [Reconnect(why)]


def _told(ticket: int, answer: Answer) -> Told:
    try:
        _, raw = listing(answer)
    except Malformed as wrong:
        return Told(ticket, error=f"PrimeBit's answer cannot be read: {wrong}")
    return Told(ticket, tuple(_order(row) for row in raw))


def _order(fields: Mapping[str, Any]) -> dict[str, str]:
    """An open order for an operator; our id is its comment."""
    row = texts(fields)
    names = {"order_id": row.pop("order_id", ""), "cl_ord_id": row.pop("comment", "")}
    return names | row
