"""What a venue's protocol and the shell say to each other. Pure.

A protocol decides and never touches a socket, a clock or a thread: it is told what happened and when, and returns what is to
be done, in order. The shell does it. So a protocol is tested by calling it, and all sockets, deadlines and retries are in one place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from router.model import Found, LinkDown, LinkUp, NotSent, Unanswered, VenueCommand, VenueEvent

__all__ = ["Answer", "Budget", "Frame", "Kind", "Note", "Out", "Reconnect", "Request", "Signed", "VenueProtocol"]


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


@dataclass(frozen=True, slots=True)
class Frame:
    """A text to send on the stream."""

    text: str


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The stream is to be closed and opened anew: a gap, a refused login, silence."""

    why: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the log and the operator."""

    text: str
    level: str = "warning"


Out = Request | Frame | Reconnect | Note | VenueEvent | NotSent | Unanswered | Found | LinkUp | LinkDown


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

    def mint(self, now: int, random: int, serial: int) -> str:
        """An order id by the venue's rule (or for our own use, where the venue takes none). `random` below a million is different at
        each start; `serial` counts up. Called from other threads than the rest; must not touch state."""
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

    def sign(self, request: Request, now: int) -> Signed:
        """The request as it goes out now."""
        ...

    def answered(self, request: Request, answer: Answer, now: int) -> Sequence[Out]:
        """An answer came, whatever its status. 5xx, 429 and what cannot be read are not a no: `Unanswered`."""
        ...

    def lost(self, request: Request, sent: bool, why: str, now: int) -> Sequence[Out]:
        """No answer came. `sent` False: it certainly never left this process (`NotSent` for a create)."""
        ...

    def opened(self, now: int) -> Sequence[Out]:
        """The stream is open: login, subscriptions."""
        ...

    def receive(self, frame: str | bytes, now: int) -> Sequence[Out]:
        """A frame of the stream. Nonsense leads to `Reconnect` or `Note`, never to an exception."""
        ...

    def closed(self, why: str, now: int) -> Sequence[Out]:
        """The stream is gone."""
        ...

    def tick(self, now: int) -> Sequence[Out]:
        """Called at least every 50 ms: heartbeats, polls, watchdogs."""
        ...
