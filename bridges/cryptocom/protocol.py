"""Crypto.com Exchange, v1 REST API: commands to requests, answers to events, for one account. Pure.

Source: Crypto.com's "Exchange-official-API-docs". The venue keeps no id of ours and pushes nothing about orders, so a create is
never sent twice, an unanswered one is searched for by what it looks like (`search.py`), and open orders are polled (`polling.py`),
and so are balances (`holdings.py`). Where the document is silent, the reading is stated here:

- A refusal is certain: HTTP 400, 401, 403, 404, 499, or 200 with a `code` that is not 0. Everything else (5xx, 429,
  other statuses, what cannot be read, code 100001 "system exception") says nothing about what was done: `Unanswered`.
- The document has no table of codes. Those of exchanges on the same software are taken: 19 not enough money, 6 and 7 the quantity, 22 no
  such order, 8 the order is over. Any other one is a refusal with its text.
- Executions are those of showOrder; `volume` and `price` of a trade are its own (the sample's 9744.25 where the order's price is 8000), its
  `deal_price` is the money that moved. Both sides of a trade share its id: an execution is known by order id and trade id.
- `deal_volume` is in coins, of a market buy too. Status 4 with `deal_volume` > 0 is a cancel after executions, status 6 an order that
  expired; status 5 may still be filled.
- A DELETE that is answered with success has been accepted, not carried out: the end of the order comes from polling.
- IOC does not exist here. Where the configuration wants it emulated, a limit order is placed and canceled at once. A market order is over
  at once by itself, and is taken with either TimeInForce.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bridges.cryptocom import calls, inquiries
from bridges.cryptocom.holdings import Coins
from bridges.cryptocom.link import Link
from bridges.cryptocom.market_data import MarketData
from bridges.cryptocom.polling import Polling
from bridges.cryptocom.reading import Malformed, Reply, Verdict, identifier, printable, read_reply
from bridges.cryptocom.search import looks_like
from bridges.cryptocom.tracking import Tracked
from bridges.wire import MAIN, Address, Answer, Budget, Holdings, Note, Out, Request, Signed, Top
from router.model import (
    Accepted,
    Ask,
    Cancel,
    Canceled,
    CancelRejected,
    Filled,
    LinkDown,
    NotSent,
    Place,
    Rejected,
    Replace,
    Unanswered,
    VenueCommand,
)
from router.rules import Capabilities, Instrument
from router.words import CxlRejReason, OrdRejReason, OrdType, Side, TimeInForce

__all__ = ["CAPABILITIES", "CryptocomProtocol", "capabilities"]

_CANCEL_RETRY: Final = 500_000_000
_AFTER_CANCEL: Final = 200_000_000
_IOC_TEXT: Final = "IOC emulated: placed as a limit order, then canceled"
_REJECT_REASONS: Final = {
    "6": OrdRejReason.INCORRECT_QUANTITY,
    "7": OrdRejReason.INCORRECT_QUANTITY,
    "19": OrdRejReason.EXCEEDS_LIMIT,
}
_CANCEL_REASONS: Final = {"8": CxlRejReason.TOO_LATE, "22": CxlRejReason.UNKNOWN_ORDER}


def capabilities(emulate_ioc: bool) -> Capabilities:
    """What an account here takes (document, "Create an order": limit and market, and no TimeInForce at all)."""
    ioc = (TimeInForce.IOC,) if emulate_ioc else ()
    return Capabilities(
        ord_types=(OrdType.LIMIT, OrdType.MARKET),
        times_in_force=(TimeInForce.GTC, *ioc),
        post_only=False,
        market_buy_by_cash=True,
        client_id=False,
    )


CAPABILITIES: Final = capabilities(False)


class CryptocomProtocol:
    """One account. Satisfies `bridges.wire.VenueProtocol`."""

    budgets: Sequence[Budget] = (Budget(calls.USER_GROUP, 10, 1.0, 4), Budget(calls.MARKET_GROUP, 10, 1.0, 0))
    """Document, "Response Status Code"."""
    streams: Sequence[str] = (MAIN,)
    topics: Mapping[str, str] = inquiries.TOPICS

    def __init__(self, account: str, key_id: str, secret: str, instruments: Sequence[Instrument], emulate_ioc: bool = False) -> None:
        """`account`: our name for the credentials, and the link's; `key_id` and `secret`: document, "Generate the API Key"."""
        self._account = account
        self._key_id = key_id
        self._secret = secret
        self._times_in_force = capabilities(emulate_ioc).times_in_force
        self._symbols = [each.venue_symbol for each in instruments]
        self._link = Link(account, instruments)
        self._coins = Coins()
        self._market = MarketData(self._symbols)
        self._polling = Polling()
        self._creating: dict[str, Place] = {}
        """Creates under way, by our order id."""

    def mint(self, now: int, random: int, serial: int) -> str:
        """An id for our own use: `random` makes it unique across restarts, `serial` within one ms."""
        return f"{random:06}-{now // 1_000_000:013}-{serial}"

    def top(self, symbol: str) -> Top:
        """Best prices and last trade of a venue symbol, as far as the stream has told them."""
        return self._market.top(symbol)

    def held(self) -> Holdings | None:
        """Balances (`holdings.py`); there are no positions."""
        return self._coins.held()

    def recall(self, remembered: Mapping[str, str], now: int) -> None:
        """Nothing here outlives a restart."""

    def learn(self, instruments: Sequence[Instrument], now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.learn`."""
        self._symbols = list(dict.fromkeys([*self._symbols, *(each.venue_symbol for each in instruments)]))
        return [*self._link.learn(instruments, now), *self._market.learn(self._symbols)]

    def address(self, stream: str, now: int) -> Address:  # noqa: ARG002 - the contract's signature
        """The configured one."""
        return Address()

    def inquire(self, ticket: int, topic: str, arguments: Mapping[str, str], now: int) -> Sequence[Out]:
        """`wire.VenueProtocol.inquire`; `inquiries.py`."""
        return self._spending(inquiries.inquire(ticket, topic, arguments, self._symbols), now)

    def begin(self, now: int) -> Sequence[Out]:
        """The markets first, then the account."""
        self._coins.forget()
        return self._link.begin(now)

    def send(self, command: VenueCommand, now: int) -> Sequence[Out]:
        """A command as requests; what cannot be said is `NotSent`."""
        match command:
            case Place():
                return self._place(command, now)
            case Cancel():
                return self._cancel(command, now)
            case Ask():
                return self._ask(command, now)
            case Replace():
                return [NotSent(order_id=command.order_id, place=False, text="Crypto.com has no replace")]

    def cancel_all(self, now: int) -> Sequence[Out]:
        """Document, "Cancel all orders": one request a symbol, of those configured. What became of each order is seen by looking at it."""
        for _ in self._symbols:
            self._polling.spent(now)
        return [calls.cancel_all(symbol) for symbol in self._symbols]

    def sign(self, request: Request, now: int) -> Signed:
        """Document, "Request Signing"."""
        return calls.sign_request(request, self._key_id, self._secret, now)

    def answered(self, request: Request, answer: Answer, now: int) -> Sequence[Out]:
        """An answer, whatever its status."""
        reply = read_reply(answer)
        if isinstance(request.context, inquiries.Asking):
            return self._spending(inquiries.answered(request.context, reply), now)
        # First what the answer says of the order, then what it says of the link.
        outs = self._take(request.context, reply, now)
        if any(isinstance(out, Accepted | Filled | Canceled) for out in outs):
            self._coins.moved(now)
        return [*outs, *self._health(self._link.answered(reply, now)), *self._polls(now)]

    def lost(self, request: Request, sent: bool, why: str, now: int) -> Sequence[Out]:
        """No answer: perhaps it arrived (`sent`), or it certainly did not."""
        why = printable(why)
        if isinstance(request.context, inquiries.Asking):
            return inquiries.lost(request.context, why)
        outs: list[Out] = []
        match request.context:
            case calls.Creating(place):
                outs = [self._unanswered(place, why)] if sent else [self._not_sent(place, why)]
            case calls.Canceling() as context:
                outs = self._cancel_lost(context, sent, why, now)
            case calls.Looking() | calls.Listing() | calls.Searching() as context:
                outs = self._polling.lost(context, now)
            case calls.Login() | calls.ReadSymbols():
                self._link.lost_probe(now)
                self._coins.lost(now)
        return [*outs, *self._health(self._link.failed(why))]

    def opened(self, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002 - the contract's signature
        """The public stream is open."""
        return self._market.opened(now)

    def receive(self, frame: str | bytes, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002 - the contract's signature
        """A frame of the public stream."""
        return self._market.receive(frame, now)

    def closed(self, why: str, now: int, stream: str = MAIN) -> Sequence[Out]:  # noqa: ARG002 - the contract's signature
        """The public stream is gone; orders do not need it."""
        return self._market.closed(why)

    def tick(self, now: int) -> Sequence[Out]:
        """Polls, probes, the stream's watchdog."""
        probes = self._link.tick(self._coins.due(now), now)
        if probes:
            self._polling.spent(now)
            self._coins.asked(now)
        return [*probes, *self._market.tick(now), *self._polls(now)]

    # --- commands ---------------------------------------------------------------------------------------------------------

    def _place(self, place: Place, now: int) -> list[Out]:
        why = self._unsayable(place)
        if why:
            return [NotSent(order_id=place.order_id, place=True, text=why)]
        self._creating[place.order_id] = place
        self._polling.spent(now)
        return [calls.create(place)]

    def _unsayable(self, place: Place) -> str:
        """Why an order cannot be sent, or ""."""
        if not self._link.up:
            return f"the link to Crypto.com ({self._account}) is down"
        by_cash = place.ord_type is OrdType.MARKET and place.side is Side.BUY
        if place.ord_type not in calls.TYPES or place.side not in calls.SIDES:
            return f"Crypto.com has no {place.ord_type} {place.side} order"
        if place.time_in_force not in self._times_in_force or place.post_only or place.reduce_only or place.stop_px is not None:
            return "Crypto.com has no TimeInForce but GTC, no post-only, no reduce-only and no stop"
        if (place.cash_order_qty is None) is by_cash or (place.order_qty is None) is not by_cash:
            return "a market buy states an amount of money, every other order a quantity"
        if (place.price is None) is (place.ord_type is OrdType.LIMIT):
            return "a limit order has a price, a market order none"
        return self._link.too_fine(place.symbol, place.price, place.order_qty)

    def _cancel(self, command: Cancel, now: int) -> list[Out]:
        if command.venue_order_id is None:
            return [NotSent(order_id=command.order_id, place=False, text="Crypto.com's id of the order is not known")]
        context = calls.Canceling(command.order_id, command.venue_cl_ord_id, command.venue_order_id, ours=False)
        self._polling.spent(now)
        return [calls.cancel(context, command.symbol)]

    def _ask(self, ask: Ask, now: int) -> list[Out]:
        if ask.venue_order_id is None:
            if ask.order_id not in self._creating:
                self._polling.search(ask, now)
            return self._polls(now)
        tracked = Tracked(self._account, ask.order_id, ask.venue_cl_ord_id, ask.venue_order_id, ask.symbol, ask.placed, now)
        order = self._polling.track(tracked)
        order.ask(now)
        outs: list[Out] = []
        if _ends_at_once(ask) and not order.ioc:
            # Its create was not answered, or the router died between create and cancel.
            order.ioc = True
            outs.append(self._cancel_ours(order, now))
        return [*outs, *self._polls(now)]

    # --- answers ----------------------------------------------------------------------------------------------------------

    def _take(self, context: object, reply: Reply, now: int) -> list[Out]:
        match context:
            case calls.Creating(place):
                return self._created(place, reply, now)
            case calls.Canceling():
                return self._canceled(context, reply, now)
            case calls.CancelingAll(symbol):
                self._polling.look_soon(symbol, now)
                return (
                    []
                    if reply.verdict is Verdict.YES
                    else [Note(f"Crypto.com did not cancel everything in {symbol}: {reply.text}", "error")]
                )
            case calls.Looking():
                return self._polling.looked(context, reply, now)
            case calls.Listing():
                return self._polling.listed(context, reply, now)
            case calls.Searching():
                return self._polling.searched(context, reply, frozenset(map(looks_like, self._creating.values())), now)
            case calls.Login():
                risen = self._link.logged_in(reply, now)
                return [*(self._coins.told(reply, now) if self._link.up else []), *risen]
            case calls.ReadSymbols():
                self._coins.asked(now)
                return self._link.symbols(reply, now)
        return []

    def _created(self, place: Place, reply: Reply, now: int) -> list[Out]:
        if reply.verdict is Verdict.UNKNOWN:
            return [self._unanswered(place, reply.text)]
        if reply.verdict is Verdict.NO:
            del self._creating[place.order_id]
            reason = _REJECT_REASONS.get(reply.code, OrdRejReason.BROKER_OPTION)
            cl_ord_id = place.venue_cl_ord_id
            exec_id = f"{cl_ord_id}:rejected"
            return [Rejected(account=self._account, exec_id=exec_id, reason=reason, venue_cl_ord_id=cl_ord_id, text=reply.text)]
        try:
            venue_order_id = identifier(reply.data.get("order_id") if isinstance(reply.data, dict) else None)
        except Malformed as wrong:
            return [self._unanswered(place, f"it took the order, but names no id: {wrong}")]
        del self._creating[place.order_id]
        tracked = Tracked(self._account, place.order_id, place.venue_cl_ord_id, venue_order_id, place.symbol, now, now)
        order = self._polling.track(tracked)
        if not _ends_at_once(place):
            return [order.accepted()]
        order.ioc = True
        return [order.accepted(_IOC_TEXT), self._cancel_ours(order, now)]

    def _unanswered(self, place: Place, why: str) -> Unanswered:
        self._creating.pop(place.order_id, None)
        return Unanswered(order_id=place.order_id, text=why)

    def _not_sent(self, place: Place, why: str) -> NotSent:
        self._creating.pop(place.order_id, None)
        return NotSent(order_id=place.order_id, place=True, text=why)

    def _canceled(self, context: calls.Canceling, reply: Reply, now: int) -> list[Out]:
        """A cancel was answered. Success says that the venue will; what became of the order is seen by looking at it."""
        order = self._polling.orders.get(context.venue_order_id)
        if order is not None:
            order.due = now
            if reply.verdict is Verdict.YES:
                order.canceled = now
            elif context.ours and reply.code not in _CANCEL_REASONS:
                order.cancel_due = now + _CANCEL_RETRY
        if context.ours:
            return []
        if reply.verdict is Verdict.YES:
            return []
        if reply.verdict is Verdict.UNKNOWN:
            return [Unanswered(order_id=context.order_id, text=reply.text)]
        return [
            CancelRejected(
                account=self._account,
                venue_cl_ord_id=context.venue_cl_ord_id,
                venue_order_id=context.venue_order_id,
                reason=_CANCEL_REASONS.get(reply.code, CxlRejReason.BROKER_OPTION),
                text=reply.text,
            )
        ]

    def _cancel_lost(self, context: calls.Canceling, sent: bool, why: str, now: int) -> list[Out]:
        order = self._polling.orders.get(context.venue_order_id)
        if order is not None:
            order.due = now
            if context.ours:
                order.cancel_due = now + _CANCEL_RETRY
        if context.ours:
            return []
        if sent:
            return [Unanswered(order_id=context.order_id, text=why)]
        return [NotSent(order_id=context.order_id, place=False, text=why)]

    # --- parts ------------------------------------------------------------------------------------------------------------

    def _cancel_ours(self, order: Tracked, now: int) -> Request:
        """The second half of an emulated IOC. The look at it can wait until that was answered."""
        order.cancel_due = None
        order.due = max(order.due, now + _AFTER_CANCEL)
        self._polling.spent(now)
        return calls.cancel(calls.Canceling(order.order_id, order.venue_cl_ord_id, order.venue_order_id, ours=True), order.symbol)

    def _spending(self, outs: list[Out], now: int) -> list[Out]:
        """An operator's requests, which the polls make room for."""
        for out in outs:
            if isinstance(out, Request) and out.group == calls.USER_GROUP:
                self._polling.spent(now)
        return outs

    def _health(self, outs: list[Out]) -> list[Out]:
        if any(isinstance(out, LinkDown) for out in outs):
            self._polling.forget_questions()
            self._coins.forget()
        return outs

    def _polls(self, now: int) -> list[Out]:
        if not self._link.up:
            return []
        again = [order for order in self._polling.orders.values() if order.cancel_due is not None and order.cancel_due <= now]
        return [*(self._cancel_ours(order, now) for order in again), *self._polling.due(now)]


def _ends_at_once(place: Place | Ask) -> bool:
    """Whether it is an IOC that has to be emulated. A market order is over at once by itself."""
    return place.time_in_force is TimeInForce.IOC and place.ord_type is OrdType.LIMIT
