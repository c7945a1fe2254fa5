"""Phemex's protocol: REST for what we want, one WebSocket for what happened. Pure (`wire.VenueProtocol`).

Source: "Public Rest API for Phemex". Where it is silent or contradicts itself, the reading is stated here, and beside the code in
`orders.py` (a create's fields), `answers.py`, `rows.py` (states and executions), `aop.py` (snapshots, losses, questions), `holdings.py`,
`market.py`, `scaling.py` (contracts) and `codes.py`:

 1. The expiry is in seconds, of REST and of user.auth ("Unix EPoch millisecond" beside the example 154567778; user.auth says second). The
    signature is lower-case hexadecimal; its key is the secret as text, also for user.auth, where none is named.
 2. A cancel is `DELETE /orders/orderID=<id>&symbol=<symbol>`, in the path and without a question mark, signed so ("Cancel Order Request").
 3. A create that is answered with yes is accepted, whether or not the stream's word for it is lost. A yes to a cancel says nothing of the
    order's end: that comes on the stream, or by a question. What is a yes, a no, or neither: `answers.py`.
 4. A cancel of an order whose id at the venue was never told is not sent (`NotSent`): the router sends it when the order is accepted.
 5. Nothing is created while the account stream is down, for nothing would be heard of it.
 6. The stream counts as alive while pings are answered: "server.ping" every 8 s, 30 s for an answer. What it lost is found by questions
    (`aop.py`); a text that is no JSON may have been an order's, so a fresh snapshot is asked for.
 7. A new snapshot of AOP is had by unsubscribing and subscribing; of a book by subscribing again ("will immediately send the current
    Order Book snapshot").
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bridges.phemex.answers import CancelAll, No, Unknown, Yes, header, judge, no, taken
from bridges.phemex.aop import Aop
from bridges.phemex.holdings import Accounts
from bridges.phemex.inquiries import TOPICS, Inquiries, Inquiring
from bridges.phemex.market import Market
from bridges.phemex.orders import ORD_TYPES, TIMES_IN_FORCE, Unsayable, body, mint
from bridges.phemex.payload import Malformed, loads, name, printable
from bridges.phemex.scaling import CONTRACTS, unscaled
from bridges.wire import MAIN, Address, Answer, Budget, Frame, Holdings, Kind, Note, Out, Reconnect, Request, Signed, Top
from router.model import Ask, Cancel, LinkDown, LinkUp, NotSent, Place, Replace, Unanswered, VenueCommand
from router.rules import Capabilities, Instrument

__all__ = ["CAPABILITIES", "PhemexProtocol"]

CAPABILITIES: Final = Capabilities(
    ord_types=tuple(ORD_TYPES),
    times_in_force=tuple(TIMES_IN_FORCE),
    post_only=True,
    market_buy_by_cash=False,
    reduce_only=True,
    client_id=True,
    margin=True,
)
"""Document, "Place Order"; other times in force, GTD and Day among them, Phemex does not have."""

_SECOND: Final = 1_000_000_000
EXPIRY_S: Final = 60
PING_EVERY: Final = 8 * _SECOND
SILENCE: Final = 30 * _SECOND
ANSWER_WITHIN: Final = 10 * _SECOND
"""ns for the answer to a login, and for the snapshots after a subscription."""
BOOK_AGAIN: Final = 5 * _SECOND
"""ns between two subscriptions of one book: a venue whose sequences are not what we think is not flooded."""
LOW: Final = 20
"""Requests left of 200 at which somebody should know: our own reserve for cancels is 40, so another uses the key too."""


@dataclass(slots=True)
class _Link:
    """One connection's state; a new one for each."""

    opened: int
    pinged: int
    unanswered_ping: int | None = None
    logged_in: bool = False
    leaving: bool = False
    """We have asked for a new connection; nothing of this one counts any more."""


class PhemexProtocol:
    """One API key."""

    def __init__(self, account: str, key_id: str, secret: str, instruments: Sequence[Instrument]) -> None:
        """`account`: our name for the credentials. Raises `ValueError` for an instrument whose scale is not known."""
        for each in instruments:
            if unscaled(each):
                raise ValueError(unscaled(each))
        self.budgets: Sequence[Budget] = (Budget("default", requests=200, seconds=60.0, reserve=40),)
        self.streams: Sequence[str] = (MAIN,)
        self.topics: Mapping[str, str] = TOPICS
        self._account = account
        self._key_id = key_id
        self._key = secret.encode()
        self._instruments = {each.venue_symbol: each for each in instruments}
        self._markets = {each.venue_symbol: Market() for each in instruments}
        self._book_asked: dict[str, int] = {}
        currencies = sorted({CONTRACTS[symbol].settle for symbol in self._markets})
        self._aop = Aop(account, currencies)
        self._accounts = Accounts(currencies)
        self._inquiries = Inquiries(currencies, self._markets)
        self._link: _Link | None = None
        self._up = False
        self._requests = 0
        self._asked: dict[int, str] = {}
        self._low_told = 0

    def top(self, symbol: str) -> Top:
        """Best prices and last trade of a venue symbol; empty where nothing can be trusted."""
        market = self._markets.get(symbol)
        return market.top if market is not None else Top()

    def held(self) -> Holdings | None:
        """`wire.VenueProtocol.held`; `holdings.py`."""
        return None if self._link is None or self._link.leaving else self._accounts.held()

    def learn(self, instruments: Sequence[Instrument], now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.learn`. Of a contract whose size is not known nothing is taken: its orders stay `NotSent`."""
        known = {each.venue_symbol: each for each in instruments if each.venue_symbol in CONTRACTS}
        new = {symbol: Market() for symbol in known if symbol not in self._markets}
        self._instruments |= known
        self._markets |= new
        for part in (self._aop, self._accounts, self._inquiries):
            part.learn({CONTRACTS[symbol].settle for symbol in new})
        notes = [Note(unscaled(each), "error") for each in instruments if unscaled(each)]
        subscribing = self._link is not None and self._link.logged_in and not self._link.leaving
        return [*notes, *(self._watch(new, now) if subscribing else [])]

    # --- requests ---------------------------------------------------------------------------------------------------------

    def mint(self, now: int, random: int, serial: int) -> str:
        """A clOrdID (`orders.mint`)."""
        return mint(now, random, serial)

    def recall(self, remembered: Mapping[str, str], now: int) -> None:
        """Nothing here outlives a restart."""

    def address(self, stream: str, now: int) -> Address:  # noqa: ARG002 - the contract's signature
        """The configured one."""
        return Address()

    def inquire(self, ticket: int, topic: str, arguments: Mapping[str, str], now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.inquire`; `inquiries.py`."""
        outs = self._inquiries.put(ticket, topic, arguments, self._up, self._aop.rounds)
        if not outs:
            self._aop.renew()
        return outs or self._round(now)

    def begin(self, now: int) -> Sequence[Out]:  # noqa: ARG002
        """Nothing is needed before the stream: contracts are known (`scaling.py`)."""
        return ()

    def send(self, command: VenueCommand, now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.send`. A question needs no request: it is answered by the stream."""
        match command:
            case Place():
                return [self._place(command)]
            case Cancel():
                return [self._cancel(command)]
            case Ask():
                return [*self._aop.ask(command, now), *self._round(now)]
            case Replace():
                return [NotSent(order_id=command.order_id, place=False, text="Phemex's replace is not used")]

    def _place(self, command: Place) -> Out:
        instrument = self._instruments.get(command.symbol)
        if instrument is None:
            return NotSent(order_id=command.order_id, place=True, text=f"Symbol(55) {command.symbol} is not configured for {self._account}")
        if not self._up:
            return NotSent(order_id=command.order_id, place=True, text="the account stream of Phemex is down")
        try:
            text = body(command, instrument)
        except Unsayable as why:
            return NotSent(order_id=command.order_id, place=True, text=str(why))
        self._aop.placed(command.venue_cl_ord_id)
        return Request(kind=Kind.NEW, method="POST", path="/orders", body=text, context=command)

    def _cancel(self, command: Cancel) -> Out:
        order_id = command.venue_order_id or self._aop.order_id(command.venue_cl_ord_id)
        if order_id is None:
            return NotSent(order_id=command.order_id, place=False, text="Phemex has not told its id for this order yet")
        path = f"/orders/orderID={order_id}&symbol={command.symbol}"
        return Request(kind=Kind.CANCEL, method="DELETE", path=path, context=command)

    def cancel_all(self, now: int) -> Sequence[Out]:  # noqa: ARG002
        """Document, "Cacnel All Orders Request". The stream tells each order's end; only a refusal is worth a note."""
        return [Request(kind=Kind.CANCEL, method="DELETE", path="/orders/all", context=CancelAll())]

    def sign(self, request: Request, now: int) -> Signed:
        """Document, "HTTP REST Request Header"."""
        headers = {"Content-Type": "application/json"}
        if request.private:
            expiry = str(now // _SECOND + EXPIRY_S)
            headers |= {
                "x-phemex-access-token": self._key_id,
                "x-phemex-request-expiry": expiry,
                "x-phemex-request-signature": self._hmac(f"{request.path}{request.query}{expiry}{request.body}"),
            }
        target = f"{request.path}?{request.query}" if request.query else request.path
        return Signed(request.method, target, headers, request.body)

    def _hmac(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    # --- answers ----------------------------------------------------------------------------------------------------------

    def answered(self, request: Request, answer: Answer, now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.answered`; `answers.py` has the readings."""
        command = request.context
        outs: list[Out] = []
        if isinstance(command, Place | Cancel):
            outs = self._judged(command, answer)
        elif isinstance(command, Inquiring):
            outs = self._inquiries.answered(command, answer)
        elif isinstance(command, CancelAll) and not taken(answer):
            outs = [Note(f"Phemex did not cancel everything: HTTP {answer.status}", "error")]
        return [*outs, *self._heed(answer, now)]

    def _judged(self, command: Place | Cancel, answer: Answer) -> list[Out]:
        match judge(command, answer):
            case Yes(order_id):
                return self._aop.confirmed(command.venue_cl_ord_id, order_id) if order_id else []
            case No() as told:
                if isinstance(command, Place):
                    self._aop.refused(command.venue_cl_ord_id)
                return [no(command, told, self._account)]
            case Unknown(why):
                what = "order" if isinstance(command, Place) else "cancel"
                return [Unanswered(order_id=command.order_id, text=f"the {what} was answered by {why}")]

    def _heed(self, answer: Answer, now: int) -> list[Out]:
        """What an answer says of our standing with the venue (document, "HTTP Return Codes", "API Rate Limits"). The shell heeds
        X-RateLimit-Retry-After by itself."""
        if answer.status == 403:
            after = header(answer.headers, "X-RateLimit-Retry-After")
            self._up = False
            text = f"banned{f' for {after} s' if after is not None else ''}: Phemex blocks our address (HTTP 403)"
            return [LinkDown(self._account, text), *self._leave("Phemex blocks our address")]
        if answer.status == 401:
            return [Note("Phemex does not accept the API key, the signature or the expiry (HTTP 401)", "error")]
        if answer.status == 429:
            return [Note(f"Phemex: over the limit of requests (HTTP 429), to wait {header(answer.headers, 'X-RateLimit-Retry-After')} s")]
        remaining = header(answer.headers, "X-RateLimit-Remaining")
        if remaining is None or remaining >= LOW or now < self._low_told + 60 * _SECOND:
            return []
        self._low_told = now
        return [Note(f"Phemex: {remaining} requests are left of this minute")]

    def lost(self, request: Request, sent: bool, why: str, now: int) -> Sequence[Out]:  # noqa: ARG002
        """`wire.VenueProtocol.lost`."""
        command = request.context
        if isinstance(command, Inquiring):
            return self._inquiries.lost(command, why)
        if not isinstance(command, Place | Cancel):
            return []
        if sent:
            return [Unanswered(order_id=command.order_id, text=printable(why))]
        place = isinstance(command, Place)
        if place:
            self._aop.refused(command.venue_cl_ord_id)
        return [NotSent(order_id=command.order_id, place=place, text=printable(why))]

    # --- the stream -------------------------------------------------------------------------------------------------------

    def opened(self, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002 - the contract's signature
        """Log in; the rest follows its answer ("API User Authentication")."""
        self._link = _Link(opened=now, pinged=now)
        self._asked.clear()
        self._aop.connected()
        self._accounts.connected()
        expiry = now // _SECOND + EXPIRY_S
        return [self._frame("user.auth", ["API", self._key_id, self._hmac(f"{self._key_id}{expiry}"), expiry])]

    def receive(self, frame: str | bytes, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002 - the contract's signature
        """`wire.VenueProtocol.receive`; reading 6."""
        link = self._link
        if link is None or link.leaving:
            return []
        try:
            message = loads(frame)
        except Malformed as wrong:
            self._aop.spoiled()
            return [Note(f"Phemex sent a frame that is {wrong}")]
        try:
            return self._message(link, message, now)
        except Malformed as wrong:
            return [Note(f"Phemex sent a message that makes no sense: {wrong}")]

    def _message(self, link: _Link, message: Any, now: int) -> list[Out]:
        if not isinstance(message, dict):
            raise Malformed("it is not an object")
        if "result" in message or "error" in message:
            return self._response(link, message, now)
        if "book" in message:
            symbol = name(message, "symbol")
            market = self._markets.get(symbol)
            return [] if market is None or market.book(message) else self._book_again(now)
        if "trades" in message or "trade" in message:
            market = self._markets.get(name(message, "symbol"))
            if market is not None:
                market.trades(message)
            return []
        if "orders" in message or "accounts" in message:
            return self._orders(message, now)
        raise Malformed(f"it has no known form: {printable(', '.join(map(str, message)))[:80]}")

    def _orders(self, message: Mapping[str, Any], now: int) -> list[Out]:
        repeated = self._aop.seen(message)
        outs = self._aop.receive(message)
        if not repeated:
            outs += self._accounts.heard(message)
            outs += self._inquiries.heard(message, self._aop.rounds, self._aop.complete)
        if not self._up and self._aop.complete:
            self._up = True
            outs.append(LinkUp(self._account))
        return [*outs, *self._round(now)]

    def _response(self, link: _Link, message: Mapping[str, Any], now: int) -> list[Out]:
        number = message.get("id")
        method = self._asked.pop(number, "") if type(number) is int else ""
        error = message.get("error")
        if error is not None:
            fields = error if isinstance(error, dict) else {}
            code, text = fields.get("code"), printable(fields.get("message"))
            why = f"Phemex refused {method or 'a request of the stream'}: {code if type(code) is int else ''} {text}"
            grave = method in ("user.auth", "aop.subscribe", "aop.unsubscribe")
            return [Note(why, "error" if grave else "warning"), *(self._leave(why) if grave else [])]
        if method == "server.ping":
            link.unanswered_ping = None
        elif method == "user.auth":
            link.logged_in = True
            self._aop.begin_round(now)
            return [self._frame("aop.subscribe", []), *self._watch(self._markets, now)]
        return []

    def closed(self, why: str, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002 - the contract's signature
        """`wire.VenueProtocol.closed`."""
        was_up, self._up, self._link = self._up, False, None
        self._aop.closed()
        for market in self._markets.values():
            market.forget()
        return [*([LinkDown(self._account, printable(why))] if was_up else []), *self._inquiries.closed()]

    def tick(self, now: int) -> Sequence[Out]:
        """Pings, and what was waited for too long."""
        self._aop.tidy(now)
        link = self._link
        if link is None or link.leaving:
            return []
        if link.unanswered_ping is not None and now - link.unanswered_ping > SILENCE:
            return self._leave(f"no answer to server.ping for {SILENCE // _SECOND} s")
        if not link.logged_in and now - link.opened > ANSWER_WITHIN:
            return self._leave(f"no answer to user.auth for {ANSWER_WITHIN // _SECOND} s")
        begun = self._aop.under_way
        if begun is not None and now - begun > ANSWER_WITHIN:
            return self._leave(f"no snapshot of the accounts {self._aop.missing} for {ANSWER_WITHIN // _SECOND} s")
        outs = [*self._round(now), *(self._book_again(now) if link.logged_in else [])]
        if now - link.pinged >= PING_EVERY:
            link.pinged = now
            link.unanswered_ping = link.unanswered_ping or now
            outs.append(self._frame("server.ping", []))
        return outs

    # --- parts ------------------------------------------------------------------------------------------------------------

    def _round(self, now: int) -> list[Out]:
        """A fresh snapshot, where one is wanted."""
        if self._link is None or self._link.leaving or not self._aop.wants_round(now):
            return []
        self._aop.begin_round(now)
        return [self._frame("aop.unsubscribe", []), self._frame("aop.subscribe", [])]

    def _watch(self, symbols: Iterable[str], now: int) -> list[Out]:
        frames: list[Out] = []
        for symbol in symbols:
            self._book_asked[symbol] = now
            frames += [self._frame("orderbook.subscribe", [symbol]), self._frame("trade.subscribe", [symbol])]
        return frames

    def _book_again(self, now: int) -> list[Out]:
        outs: list[Out] = []
        for symbol, market in self._markets.items():
            if not market.sound and now - self._book_asked.get(symbol, 0) >= BOOK_AGAIN:
                self._book_asked[symbol] = now
                outs.append(self._frame("orderbook.subscribe", [symbol]))
        return outs

    def _leave(self, why: str) -> list[Out]:
        if self._link is None or self._link.leaving:
            return []
        self._link.leaving = True
        return [Reconnect(why)]

    def _frame(self, method: str, params: list[Any]) -> Frame:
        self._requests += 1
        self._asked[self._requests] = method
        return Frame(json.dumps({"id": self._requests, "method": method, "params": params}, separators=(",", ":")))
