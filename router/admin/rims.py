"""What operators need of the rims, as protocols: `fix.rim` and `bridges` satisfy them. Methods may be called from any thread, and return at
once; a name that is not known raises `KeyError`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal, Protocol

__all__ = ["BudgetState", "Links", "SessionState", "Sessions"]


@dataclass(frozen=True, slots=True)
class SessionState:
    """One FIX session now."""

    name: str
    kind: Literal["client", "drop-copy", "venue"]
    logged_on: bool
    enabled: bool
    since: int
    """When it last logged on or out, ns UTC; 0: not in this life of the router."""
    next_in: int
    next_out: int
    last_heard: int
    """When it last sent a message, ns UTC; 0: never."""
    address: str
    """Where it is connected from; ""."""


@dataclass(frozen=True, slots=True)
class BudgetState:
    """One group of a venue's request budget now."""

    link: str
    group: str
    requests: int
    seconds: float
    used: int
    reserve: int
    closed_for_s: float


class Sessions(Protocol):
    """FIX sessions, with clients and with venues."""

    def states(self) -> list[SessionState]: ...

    def logout(self, name: str, text: str) -> None:
        """Log it out; its peer may log on again."""
        ...

    def enable(self, name: str, on: bool) -> None:
        """Let it log on, or log it out and keep it out."""
        ...

    def reset(self, name: str) -> None:
        """Both sequence numbers to 1 and its stored messages away, with a logout first."""
        ...

    def set_next(self, name: str, next_in: int | None, next_out: int | None) -> None:
        """Set the next MsgSeqNum(34). Raises `ValueError` while it is logged on, or for a number below 1."""
        ...

    def resend(self, name: str, begin: int, end: int) -> int:
        """Send stored application messages again with PossResend(97)=Y; `end` 0: to the last. Returns how many. Raises `ValueError` where
        there are none, or it is not logged on."""
        ...


class Links(Protocol):
    """Links to venues, of either kind."""

    def budgets(self) -> list[BudgetState]: ...

    def enable(self, link: str, on: bool) -> None:
        """Connect, or disconnect and stay so."""
        ...

    def reconnect(self, link: str) -> None:
        """Disconnect and connect again."""
        ...

    def topics(self, link: str) -> Mapping[str, str]:
        """What can be inquired about, with what it is; empty where nothing can."""
        ...

    def inquire(self, link: str, topic: str, arguments: Mapping[str, str]) -> Future[Any]:
        """Ask the venue; the result has `rows` (mappings of texts) and `error`. Raises `Unsendable` (`router.ports`)."""
        ...

    def changes(self, link: str) -> Mapping[str, str]:
        """What can be changed at the venue beside orders, with what it is; empty where nothing can."""
        ...

    def change(self, link: str, what: str, arguments: Mapping[str, str]) -> Future[Any]:
        """Have it changed; the result has `error`. Raises `Unsendable`."""
        ...

    def names(self) -> Sequence[str]:
        """All links."""
        ...
