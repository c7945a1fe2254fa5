"""What the core needs of the world, as protocols. The rims and the tests' recorders satisfy them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from router.model import Input, Report, VenueCommand

__all__ = ["Clients", "Clock", "Hear", "Journal", "Unsendable", "Unwritten", "Venue"]

Clock = Callable[[], int]
"""Nanoseconds since 1970 UTC."""
Hear = Callable[[Input], None]
"""Where a bridge brings what its venue says: `runtime.hear`."""


class Unsendable(Exception):
    """Raised by `Venue.submit` when the command is known not to have left this process."""


class Venue(Protocol):
    """One link to a venue account."""

    def mint(self, now: int) -> str:
        """A new id for an order, by the venue's rule, never given before (also not before a restart)."""
        ...

    def submit(self, command: VenueCommand) -> None:
        """Send, without waiting. Raises `Unsendable` only when it certainly did not leave; returning means "perhaps"."""
        ...


class Clients(Protocol):
    """The client sessions, away or present: a report for one that is away is kept for it."""

    def report(self, message: Report, possibly_resent: bool = False) -> None:
        """Hand a report over; from here on it is the session layer's to deliver."""
        ...


class Unwritten(OSError):
    """The journal could not take an input, which therefore had no effect."""


class Journal(Protocol):
    """The write-ahead journal. One thread at a time appends, and one syncs; the two may overlap."""

    @property
    def grouped(self) -> bool:
        """True: no consequence of an input may leave before `sync`; False: none before `append`."""
        ...

    @property
    def starved(self) -> str:
        """Why there is no space beyond the reserve, which is not for new orders; "" while there is."""
        ...

    def append(self, event: Input, now: int) -> int:
        """Write one input before any consequence of it; returns its number. Raises `OSError` when it is not written; then it must have no
        effect."""
        ...

    def sync(self) -> None:
        """Return when all that was appended before survives a power failure. Raises `OSError`; it may be called again."""
        ...

    def settle(self, sequence: int) -> None:
        """Every consequence up to this input has left. Called where `grouped`."""
        ...

    def tend(self) -> None:
        """Do what is due off the path of orders. Called now and then by the ticking thread."""
        ...

    def close(self) -> None:
        """Write nothing more."""
        ...
