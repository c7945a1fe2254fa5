"""One order of the account, as far as it is known (`tracking.py` has the rules). Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from bridges.primebit.fills import Fill
from router.model import Cancel, Replace, VenueEvent
from router.words import EXACT, ZERO, OrdStatus, Side

__all__ = ["Change", "Tracked"]


@dataclass(slots=True)
class Change:
    """A modify that is under way."""

    command: Replace
    sent: int
    confirmed: int = 0
    """When it was answered with yes; 0: not yet."""


@dataclass(slots=True)
class Tracked:
    """One order. `sure`: `total` is the whole order's volume (else rule 4). `whole`: every execution of it was told in this life."""

    order_id: str
    symbol: str
    side: Side
    limit: Decimal | None
    stop: Decimal | None
    fill_type: str
    contract_size: Decimal | None
    total: Decimal
    sure: bool
    seen: int
    owner: str = ""
    shown: Decimal | None = None
    """What was left of it by the latest word on its executions."""
    cum: Decimal = ZERO
    notional: Decimal = ZERO
    whole: bool = True
    accepted: bool = False
    ended: OrdStatus | None = None
    vague: bool = False
    """It has ended, and what was executed of it is not known."""
    gap: bool = False
    """The router was told that the link went, and nothing certain of the order since."""
    synced: int = 0
    changes: int = 0
    replacing: Change | None = None
    canceling: Cancel | None = None
    """The cancel that is to be answered."""
    echoes: int = 0
    """Cancels refused by their own answers, whose refusals the channel may still tell: those speak of no later cancel."""
    noted: bool = False
    queue: deque[Fill | VenueEvent] = field(default_factory=deque)

    @property
    def left(self) -> Decimal:
        return EXACT.subtract(self.total, self.cum)
