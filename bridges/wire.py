"""What a venue's protocol and the shell say to each other. Pure.

A protocol decides and never touches a socket, a clock or a thread: it is told what happened and when, and returns what is to
be done, in order. The shell does it. So a protocol is tested by calling it, and all sockets, deadlines and retries are in one place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Protocol, runtime_checkable

from router.model import (
    Balance,
    Barred,
    Found,
    Held,
    LinkDown,
    LinkUp,
    Listed,
    NotSent,
    Position,
    Priced,
    Remembered,
    Unanswered,
    VenueCommand,
    VenueEvent,
)
from router.rules import Instrument

__all__ = [
    "MAIN",
    "Address",
    "Answer",
    "Budget",
    "Changeable",
    "Frame",
    "Holdings",
    "Kind",
    "Note",
    "Out",
    "Reconnect",
    "Request",
    "Signed",
    "Told",
    "Top",
    "VenueProtocol",
]


class Kind(StrEnum):
    """What a request is for. NEW may be refused for want of budget; the others have a reserve."""

    NEW = "new"
    CANCEL = "cancel"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, not signed yet: signing happens at the moment of sending."""

    kind: Kind
    method: str
    path: str
    query: str = ""
    """As it goes on the wire, without the question mark."""
    body: str = ""
    group: str = "default"
    """The budget it counts against."""
    private: bool = True
    """Whether it is signed."""
    base: str | None = None
    """Instead of the configured address, for what is somewhere else."""
    context: Any = None
    """The protocol's own note of what this was about; comes back with the answer."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it goes out."""

    method: str
    target: str
    """Path, and query with its question mark."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


MAIN: Final = "main"
"""The stream of a venue that has only one."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a stream is now, and what its opening request carries; asked for at each connect, so a signature in it is fresh."""

    suffix: str = ""
    """Put after the configured address: a path, a query."""
    headers: Mapping[str, str] = field(default_factory=dict)
    base: str | None = None
    """Instead of the configured address, for a stream that is somewhere else."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A text to send on a stream."""

    text: str
    stream: str = MAIN


@dataclass(frozen=True, slots=True)
class Reconnect:
    """A stream is to be closed and opened anew: a gap, a refused login, silence."""

    why: str
    stream: str = MAIN


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to an operator's question (`VenueProtocol.inquire`): rows of texts as the venue gives them, exact."""

    ticket: int
    rows: tuple[Mapping[str, str], ...] = ()
    error: str = ""
    """Why there is no answer; "" where there is one."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the log and the operator."""

    text: str
    level: str = "warning"


Out = (
    Request
    | Frame
    | Reconnect
    | Note
    | Told
    | VenueEvent
    | NotSent
    | Unanswered
    | Found
    | Listed
    | Barred
    | Remembered
    | LinkUp
    | LinkDown
    | Priced
    | Held
)


@dataclass(frozen=True, slots=True)
class Top:
    """Best prices of one symbol with their quantities, as the venue states them, and the last trade's price; None where there is none, or
    none to be trusted."""

    bid: Decimal | None = None
    bid_qty: Decimal | None = None
    ask: Decimal | None = None
    ask_qty: Decimal | None = None
    last: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that the account has, as far as the venue has told. What is not named has not been told of, or is 0."""

    balances: Sequence[Balance] = ()
    positions: Sequence[Position] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit of the venue: `requests` in any `seconds`, of which `reserve` are kept for cancels and queries."""

    group: str
    requests: int
    seconds: float
    reserve: int


class VenueProtocol(Protocol):
    """One account at one venue. Every method returns what is to be done, in order; `now` is ns UTC."""

    budgets: Sequence[Budget]
    """The first is that of new orders."""
    streams: Sequence[str]
    """The names of its streams, most often only `MAIN`."""
    topics: Mapping[str, str]
    """What an operator may inquire about, with what it is and the arguments it needs: "balances", "positions"."""

    def mint(self, now: int, random: int, serial: int) -> str:
        """An order id by the venue's rule (or for our own use, where the venue takes none). `random` below a million is different at
        each start; `serial` counts up. Called from other threads than the rest; must not touch state."""
        ...

    def top(self, symbol: str) -> Top:
        """Best prices and last trade of a venue symbol; empty for one that is not known, or of which nothing can be trusted."""
        ...

    def held(self) -> Holdings | None:
        """Balances and positions as the venue told them last; None while nothing of it can be trusted (the stream that tells them is
        down, or has not told all of it yet). Asked about once a second: cheap, and the same object while nothing has changed."""
        ...

    def learn(self, instruments: Sequence[Instrument], now: int) -> Sequence[Out]:
        """The symbols that are traded from now on, all of them, with their rules: what is new is subscribed where prices or orders need
        it. What is not among them any more stays known, for its open orders."""
        ...

    def recall(self, remembered: Mapping[str, str], now: int) -> None:
        """Before anything else: what it asked to be remembered (`Remembered`) before a restart, by key."""
        ...

    def address(self, stream: str, now: int) -> Address:
        """Where this stream is, asked before each connect."""
        ...

    def begin(self, now: int) -> Sequence[Out]:
        """The bridge starts, or starts again after a ban: what is needed before the stream, e.g. symbols."""
        ...

    def send(self, command: VenueCommand, now: int) -> Sequence[Out]:
        """The router wants something done. A create that cannot be said at all returns `NotSent`."""
        ...

    def cancel_all(self, now: int) -> Sequence[Out]:
        """Cancel every open order of the account, whoever placed it. Each end is told as its own event."""
        ...

    def inquire(self, ticket: int, topic: str, arguments: Mapping[str, str], now: int) -> Sequence[Out]:
        """An operator's question, one of `topics`; answered once by `Told` with this ticket, at once or later."""
        ...

    def sign(self, request: Request, now: int) -> Signed:
        """The request as it goes out now."""
        ...

    def answered(self, request: Request, answer: Answer, now: int) -> Sequence[Out]:
        """An answer came, whatever its status. 5xx, 429 and what cannot be read are not a no: `Unanswered`."""
        ...

    def lost(self, request: Request, sent: bool, why: str, now: int) -> Sequence[Out]:
        """No answer came. `sent` False: it certainly never left this process (`NotSent` for a create)."""
        ...

    def opened(self, now: int, stream: str = MAIN) -> Sequence[Out]:
        """A stream is open: login, subscriptions."""
        ...

    def receive(self, frame: str | bytes, now: int, stream: str = MAIN) -> Sequence[Out]:
        """A frame of a stream. Nonsense leads to `Reconnect` or `Note`, never to an exception."""
        ...

    def closed(self, why: str, now: int, stream: str = MAIN) -> Sequence[Out]:
        """A stream is gone, or could not be opened; what was sent on it may have arrived."""
        ...

    def tick(self, now: int) -> Sequence[Out]:
        """Called at least every 50 ms: heartbeats, polls, watchdogs."""
        ...


@runtime_checkable
class Changeable(Protocol):
    """What a protocol is besides, where an operator can have something changed at its venue that is no order."""

    changes: Mapping[str, str]
    """What, with the arguments it needs: "assign-margin"."""

    def change(self, ticket: int, what: str, arguments: Mapping[str, str], now: int) -> Sequence[Out]:
        """One of `changes`; answered once by `Told`, without an error where the venue has done it."""
        ...
