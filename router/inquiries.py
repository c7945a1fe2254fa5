"""What a client can ask about instruments, destinations and positions, and the answers. Pure data; `reference.py` answers.

Sources: FIX 4.4 volume 3 ("Security Definition, Security Status and Trading Session messages"), volume 5 ("Position Maintenance").
The words are FIX's; its codes and tag numbers are known in `fix/` only. Quantities and prices are exact `Decimal`s, times integer ns UTC.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

import msgspec

from router.rules import Instrument
from router.words import ZERO

__all__ = [
    "Answer",
    "Inquiry",
    "PositionReport",
    "PositionsRequest",
    "Result",
    "SecurityDefinition",
    "SecurityDefinitionRequest",
    "SecurityList",
    "SecurityListRequest",
    "Subscription",
    "Tradable",
    "TradingStatus",
    "TradingStatusReport",
    "TradingStatusRequest",
]


class Result(StrEnum):
    """What a search brought."""

    YES = "found"
    NOTHING = "nothing-matches"
    UNSUPPORTED = "unsupported"
    FORBIDDEN = "not-authorized"


class Subscription(StrEnum):
    """SubscriptionRequestType(263)."""

    SNAPSHOT = "snapshot"
    UPDATES = "snapshot-and-updates"
    STOP = "stop"


class TradingStatus(StrEnum):
    """Whether a destination takes new orders: TradSesStatus(340)."""

    OPEN = "open"
    RECONCILING = "reconciling"
    """Up, and its open orders are being asked about."""
    HALTED = "halted"
    """By an operator, for everybody or for the session that asks."""
    CLOSED = "closed"
    """Not connected, or switched off."""
    UNKNOWN = "unknown"
    """There is no such destination, or the request cannot be done."""


# --- questions ----------------------------------------------------------------------------------------------------------


class SecurityListRequest(msgspec.Struct, frozen=True, kw_only=True, tag="security-list-request", omit_defaults=True):
    """SecurityListRequest(x), decoded."""

    session: str
    request_id: str
    offered: bool = True
    """False: it asks in a way that is not offered."""
    symbol: str | None = None
    """Ours or a venue's; None: all."""
    destination: str | None = None


class SecurityDefinitionRequest(msgspec.Struct, frozen=True, kw_only=True, tag="security-definition-request", omit_defaults=True):
    """SecurityDefinitionRequest(c), decoded."""

    session: str
    request_id: str
    listing: bool = False
    """All that fits is asked for, not one security."""
    symbol: str | None = None
    destination: str | None = None
    wrong: str = ""
    """Why it cannot be answered."""


class TradingStatusRequest(msgspec.Struct, frozen=True, kw_only=True, tag="trading-status-request", omit_defaults=True):
    """TradingSessionStatusRequest(g), decoded."""

    session: str
    request_id: str
    destination: str | None = None
    """None: all."""
    subscription: Subscription = Subscription.SNAPSHOT


class PositionsRequest(msgspec.Struct, frozen=True, kw_only=True, tag="positions-request", omit_defaults=True):
    """RequestForPositions(AN), decoded."""

    session: str
    request_id: str
    account: str | None = None
    """"": of orders without an account; None: all of the session. The name of an account at a venue, where the session may ask about it:
    what that holds."""
    account_type: str = ""
    """AccountType(581) as the client wrote it."""
    symbol: str | None = None
    destination: str | None = None
    wrong: str = ""


Inquiry = SecurityListRequest | SecurityDefinitionRequest | TradingStatusRequest | PositionsRequest


# --- answers ------------------------------------------------------------------------------------------------------------
# None of them is about an order; `order_id` is what whoever reads effects by order looks at.


class Tradable(msgspec.Struct, frozen=True, gc=False):
    """An instrument at a destination, by what its venue said last."""

    destination: str
    instrument: Instrument


class SecurityList(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A page of a SecurityList(y)."""

    order_id: ClassVar[str] = ""
    session: str
    request_id: str
    response_id: str
    result: Result
    total: int
    last: bool
    tradables: tuple[Tradable, ...] = ()


class SecurityDefinition(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """SecurityDefinition(d)."""

    order_id: ClassVar[str] = ""
    session: str
    request_id: str
    response_id: str
    result: Result
    listing: bool
    total: int
    tradable: Tradable | None = None
    text: str = ""


class TradingStatusReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """TradingSessionStatus(h)."""

    order_id: ClassVar[str] = ""
    session: str
    request_id: str
    destination: str
    status: TradingStatus
    text: str = ""
    unsolicited: bool = False
    """An update of a subscription."""


class PositionReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """PositionReport(AP): what was bought and sold through the router; or, `held`, what an account at a venue holds by its word: a
    position, or where there is no symbol the balance of a currency."""

    order_id: ClassVar[str] = ""
    session: str
    report_id: str
    request_id: str
    result: Result
    total: int
    time: int
    account: str = ""
    """"" for none."""
    account_type: str = ""
    destination: str = ""
    symbol: str = ""
    currency: str = ""
    bought: Decimal = ZERO
    sold: Decimal = ZERO
    avg_px: Decimal = ZERO
    text: str = ""
    held: bool = False


Answer = SecurityList | SecurityDefinition | TradingStatusReport | PositionReport
