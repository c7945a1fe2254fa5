"""The real core, a venue's real protocol, and between them and the venue a tape that decides what the venue says, and when.

What the shell promises a protocol is kept here too: each request is answered or lost, once; a stream is opened before it speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from bridges.wire import Answer, Frame, Reconnect, Request, VenueProtocol
from router.model import CancelOrder, LinkUp, NewOrder, Place, Remembered, ReplaceOrder, Send, Started, StatusRequest, Tick
from router.rules import Capabilities, Client, Configured, Destination, Instrument, Route
from router.words import OrdStatus, OrdType, Side, TimeInForce
from tests.fuzz import nasty
from tests.fuzz.judge import Core, judged
from tests.fuzz.tape import Tape

__all__ = ["MS", "SECOND", "Venue", "World", "play"]

MS: Final = 1_000_000
SECOND: Final = 1_000_000_000
SESSION: Final = "FIX.4.4:ROUTER->OMS"
_STATUSES: Final = (*(200,) * 20, 400, 401, 403, 404, 429, 499, 500, 503, 0, 302)
_HEADERS: Final = ({}, {"X-RateLimit-Retry-After": "9" * 30}, {"x-ratelimit-remaining": "-1", "Retry-After": "1e400"}, {"Date": "\udcff"})
_WHY: Final = ("gone", "", "\x01\x00\n\u202e\udcff" * 10, "x" * 100_000)
_PAUSES: Final = (0, 1, 50 * MS, 50 * MS, 300 * MS, SECOND, 3 * SECOND, 11 * SECOND, 61 * SECOND, 3700 * SECOND)


@dataclass(frozen=True)
class Venue:
    """What is different about each venue."""

    name: str
    make: Callable[[], tuple[VenueProtocol, list[Any], int]]
    """A protocol with its link up; what it wanted done last; the time."""
    account: str
    link: str
    venue: str
    instrument: Instrument
    qty: str
    px: str
    bodies: Callable[[World, Request], Sequence[Any]]
    """True answers to a request."""
    frames: Callable[[World, str], Sequence[Any]]
    """True frames of a stream."""
    packed: bool = False
    replaces: bool = False


@dataclass
class World:
    """One venue and everything that has to do with it."""

    venue: Venue
    protocol: VenueProtocol
    core: Core
    now: int
    open: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    clients: int = 0
    serial: int = 0

    def take(self, outs: Sequence[Any]) -> None:
        """Do what the protocol wants done, and what the core makes of it."""
        inputs = judged(outs)
        self.requests = (self.requests + [each for each in outs if isinstance(each, Request)])[-40:]
        self.frames = (self.frames + [each for each in outs if isinstance(each, Frame)])[-40:]
        for each in outs:
            if isinstance(each, Reconnect) and each.stream in self.open:
                self.close(each.stream, "as we asked")
        for each in inputs:
            self.hear(each)

    def hear(self, event: Any) -> None:
        """An input of the core; its commands go back to the protocol."""
        self.events = [*self.events, event][-100:]
        for each in self.core.apply(event, self.now):
            self.command(each)

    def command(self, send: Send) -> None:
        if isinstance(send.command, Place):
            self.places.append(send.command)
        self.take(self.protocol.send(send.command, self.now))

    def close(self, stream: str, why: str) -> None:
        self.open.discard(stream)
        self.take(self.protocol.closed(why, self.now, stream))
        self.reopen(stream)

    def reopen(self, stream: str) -> None:
        """As the shell does, at once."""
        self.now += SECOND
        self.protocol.address(stream, self.now)
        self.open.add(stream)
        self.take(self.protocol.opened(self.now, stream))

    # --- the client ---

    def new(self, side: Side = Side.BUY, ord_type: OrdType = OrdType.LIMIT, tif: TimeInForce = TimeInForce.GTC) -> None:
        self.clients += 1
        self.serial += 1
        qty, px = Decimal(self.venue.qty), Decimal(self.venue.px)
        self.hear(NewOrder(
            session=SESSION, cl_ord_id=f"a{self.clients}", symbol=self.venue.instrument.symbol, side=side, ord_type=ord_type,
            time_in_force=tif, order_qty=qty, price=px, venue_cl_ord_id=self.protocol.mint(self.now, 7, self.serial),
        ))  # fmt: skip

    def ask_for(self, tape: Tape) -> None:
        """A client wants something."""
        self.clients += 1
        orig = f"a{1 + tape.below(max(self.clients - 1, 1))}"
        match tape.below(4):
            case 0:
                self.clients -= 1
                self.new(tape.pick((Side.BUY, Side.SELL)), tif=tape.pick((TimeInForce.GTC, TimeInForce.IOC)))
            case 1:
                self.hear(CancelOrder(session=SESSION, cl_ord_id=f"c{self.clients}", orig_cl_ord_id=orig))
            case 2:
                self.serial += 1
                self.hear(ReplaceOrder(
                    session=SESSION, cl_ord_id=f"a{self.clients}", orig_cl_ord_id=orig, symbol=self.venue.instrument.symbol, side=Side.BUY,
                    ord_type=OrdType.LIMIT, order_qty=Decimal(self.venue.qty) * 2, price=Decimal(self.venue.px),
                    venue_cl_ord_id=self.protocol.mint(self.now, 7, self.serial),
                ))  # fmt: skip
            case _:
                self.hear(StatusRequest(session=SESSION, cl_ord_id=orig))

    # --- the venue ---

    def name(self, tape: Tape) -> int:
        """The number of an order, ours or not."""
        return tape.below(3)

    def cl(self, number: int) -> str:
        """Our id at the venue of the order with a number."""
        return self.places[number].venue_cl_ord_id if number < len(self.places) else f"unknown-{number}"

    def speak(self, stream: str, tape: Tape) -> None:
        """A frame: a true message, spoiled or not, or garbage."""
        if stream not in self.open:
            return
        if tape.maybe(10):
            frame: str | bytes = nasty.garbage(tape)
        else:
            message = tape.pick(self.venue.frames(self, stream))
            frame = nasty.bytes_of(nasty.dumps(nasty.mutated(message, tape)), tape, self.venue.packed)
        self.take(self.protocol.receive(frame, self.now, stream))

    def answer(self, tape: Tape) -> None:
        """An answer to a request, or none."""
        if not self.requests:
            return
        request = self.requests.pop(tape.below(len(self.requests)))
        self.protocol.sign(request, self.now)
        if tape.maybe(8):
            sent = tape.maybe(2) or self.known(request)
            self.take(self.protocol.lost(request, sent, tape.pick(_WHY), self.now))
            return
        headers: Mapping[str, str] = tape.pick(_HEADERS) if tape.maybe(4) else {}
        if tape.maybe(10):
            body = nasty.garbage(tape)
        else:
            told = nasty.bytes_of(nasty.dumps(nasty.mutated(tape.pick(self.venue.bodies(self, request)), tape)), tape)
            body = told if isinstance(told, bytes) else told.encode("utf-8", "surrogatepass")
        self.take(self.protocol.answered(request, Answer(tape.pick(_STATUSES), headers, body), self.now))

    def inquire(self, tape: Tape) -> None:
        """An operator asks the venue something."""
        topic = tape.pick((*self.protocol.topics, "?"))
        words = {"symbol": self.venue.instrument.venue_symbol, "currency": "BTC", "asset": "BTC", "margin": "1", "limit": "5"}
        names = [name for name in words if tape.maybe(2)]
        self.take(self.protocol.inquire(self.serial, topic, {name: words[name] for name in names}, self.now))

    def known(self, request: Request) -> bool:
        """Whether the venue has spoken of the order that a request creates: what has not left this process it could not know."""
        place = getattr(request.context, "place", request.context)
        order = self.core.engine.state.blotter.orders.get(getattr(place, "order_id", ""))
        return order is not None and order.base is not OrdStatus.PENDING_NEW

    def wait(self, pause: int) -> None:
        """Time passes; everybody is told."""
        self.now += pause
        self.take(self.protocol.tick(self.now))
        if self.core.engine.due(self.now):
            self.hear(Tick())


def world(venue: Venue) -> World:
    """A venue with its link up, and the core configured for it."""
    protocol, outs, now = venue.make()
    can = Capabilities(
        ord_types=tuple(OrdType), times_in_force=(TimeInForce.GTC, TimeInForce.IOC), post_only=True, market_buy_by_cash=True,
        client_id=venue.name != "moonbase", native_replace=venue.replaces,
    )  # fmt: skip
    destination = Destination(
        name="THERE", account=venue.account, link=venue.link, venue=venue.venue, capabilities=can, instruments=(venue.instrument,)
    )
    made = World(venue, protocol, Core(now), now, set(protocol.streams))
    made.hear(Configured(destinations=(destination,), clients=(Client(session=SESSION),), routes=(Route(destination="THERE"),)))
    made.hear(Started("test"))
    made.hear(LinkUp(venue.link))
    made.take(outs)
    return made


def play(venue: Venue, data: bytes) -> World:
    """A whole history, as the tape has it."""
    tape, the = Tape(data), world(venue)
    the.new()
    the.new(Side.SELL)
    while not tape.done:
        match tape.below(16):
            case 0:
                if tape.maybe(4):
                    the.inquire(tape)
                else:
                    the.ask_for(tape)
            case 1:
                the.close(tape.pick(tuple(the.protocol.streams)), tape.pick(_WHY))
            case 2 | 3 | 4:
                the.wait(tape.pick(_PAUSES))
            case each if each < 10:
                the.answer(tape)
            case _:
                the.speak(tape.pick(tuple(the.protocol.streams)), tape)
    the.wait(50 * MS)
    known = [each for each in the.events if isinstance(each, Remembered)]
    if known:
        fresh, _, _ = venue.make()
        fresh.recall({each.key: each.value for each in known}, the.now)
    return the
