"""What operators order the core to do. Pure data; `operating.py` does it.

Each is an input like any other: journaled with who (`by`) and why before it has any consequence, so what an operator did survives a restart
and can be read years later. The answer to the operator is the effect `Outcome`.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from router.words import Done

__all__ = [
    "Act",
    "BustTrade",
    "CancelOrders",
    "Commanded",
    "CorrectTrade",
    "Forget",
    "Halt",
    "MarkDone",
    "Reconcile",
    "Resolve",
    "Resume",
    "Scope",
    "Stopping",
    "Switch",
    "Switched",
]


class Scope(StrEnum):
    """What a halt is about."""

    ALL = "all"
    SESSION = "session"
    ACCOUNT = "account"
    """A client's Account(1)."""
    DESTINATION = "destination"


class Halt(msgspec.Struct, frozen=True, kw_only=True, tag="halt", omit_defaults=True):
    """Take no new orders and no replaces of this scope; cancels pass. Until `Resume`, through restarts too."""

    by: str
    why: str
    scope: Scope
    name: str = ""


class Resume(msgspec.Struct, frozen=True, kw_only=True, tag="resume", omit_defaults=True):
    """Take orders of this scope again. Another halt that covers them still holds."""

    by: str
    why: str
    scope: Scope
    name: str = ""


class CancelOrders(msgspec.Struct, frozen=True, kw_only=True, tag="cancel-orders", omit_defaults=True):
    """Cancel every open order that fits all that is given; with nothing given, all."""

    by: str
    why: str
    order_id: str = ""
    session: str = ""
    account: str = ""
    destination: str = ""
    symbol: str = ""


class Resolve(msgspec.Struct, frozen=True, kw_only=True, tag="resolve", omit_defaults=True):
    """Decide about an order whose state at its venue is not known: it is this order there, or it was never placed."""

    by: str
    why: str
    order_id: str
    venue_order_id: str = ""
    """"": it was never placed."""


class MarkDone(msgspec.Struct, frozen=True, kw_only=True, tag="mark-done", omit_defaults=True):
    """The order is over, whatever the venue says or does not say. Nothing is sent to the venue."""

    by: str
    why: str
    order_id: str
    how: Done = Done.CANCELED


class Reconcile(msgspec.Struct, frozen=True, kw_only=True, tag="reconcile", omit_defaults=True):
    """Ask a destination about every open order there."""

    by: str
    why: str
    destination: str


class Switch(StrEnum):
    """What can be switched off: a link to a venue, or a client session."""

    LINK = "link"
    SESSION = "session"


class Switched(msgspec.Struct, frozen=True, kw_only=True, tag="switched", omit_defaults=True):
    """A link or a session was switched on or off; what is off stays off through a restart."""

    by: str
    why: str
    what: Switch
    name: str
    on: bool


class CorrectTrade(msgspec.Struct, frozen=True, kw_only=True, tag="correct-trade", omit_defaults=True):
    """An execution was another than was told: named by the ExecID(17) that the client has had."""

    order_id: str
    exec_id: str
    last_qty: Decimal
    last_px: Decimal
    text: str
    by: str = ""


class BustTrade(msgspec.Struct, frozen=True, kw_only=True, tag="bust-trade", omit_defaults=True):
    """An execution never was."""

    order_id: str
    exec_id: str
    text: str
    by: str = ""


class Commanded(msgspec.Struct, frozen=True, kw_only=True, tag="commanded", omit_defaults=True):
    """The record of an operator's command and what came of it; changes nothing."""

    by: str
    role: str
    command: str
    why: str
    ok: bool
    outcome: str


class Stopping(msgspec.Struct, frozen=True, kw_only=True, tag="stopping", omit_defaults=True):
    """The router is about to stop: no new orders from here on, and the open ones of some sessions are canceled."""

    why: str
    cancel: tuple[str, ...] = ()
    """Client sessions whose open orders are not to be left behind."""


class Forget(msgspec.Struct, frozen=True, tag="forget"):
    """Drop orders that were over before a time, ns UTC, with all their ids: their ClOrdIDs are free again."""

    before: int
    at_most: int = 0
    """How many at once, oldest first, so that nobody waits long for it; 0: all."""


Act = Halt | Resume | CancelOrders | Resolve | MarkDone | Reconcile | Switched | CorrectTrade | BustTrade | Commanded | Forget | Stopping
