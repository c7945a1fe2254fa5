"""Venue accounts, destinations, what is traded there, and the routes to them. See the demo's file for each key."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from router import rules
from router.secret_source import SecretSource
from router.strict import Name, Positive, Strict, TimeOfDay, time_of_day
from router.words import OrdType, Side, TimeInForce

__all__ = ["AccountSettings", "DestinationSettings", "InstrumentSettings", "RouteSettings"]


class AccountSettings(Strict):
    """`[[accounts]]`: credentials at a venue. A FIX venue has `account_id` and the initiator sessions that use it; a REST and WebSocket
    venue has its two addresses."""

    name: Name
    venue: Name
    key_id: Name
    secret: SecretSource
    account_id: Name = "none"
    sessions: tuple[Name, ...] = ()
    rest_url: Annotated[str, Field(pattern="^https?://")] | None = None
    stream_url: Annotated[str, Field(pattern="^wss?://")] | None = None
    mode: Literal["trade", "view", "suspended"] = "trade"
    """"view" and "suspended" take no new orders and no replaces; cancels pass, and what happens to open orders is told."""
    environment: Literal["live", "demo"] = "live"
    """For a venue that has both behind one address."""
    emulate_ioc: bool = False
    """Offer immediate-or-cancel where the venue has none: a limit order, canceled at once. Reports say so in Text."""


class InstrumentSettings(Strict):
    """`[[destinations.instruments]]`: one pair; prices in the quote currency, quantities in the base currency."""

    symbol: Name
    venue_symbol: Name
    tick: Positive
    lot: Positive
    min_qty: Positive | None = None
    max_qty: Positive | None = None
    min_px: Positive | None = None
    max_px: Positive | None = None
    min_notional: Positive | None = None
    max_notional: Positive | None = None
    contract_size: Positive = Decimal(1)
    """Where a unit of quantity is a contract: so many base units; where `inverse`, so many units of the quote currency."""
    inverse: bool = False

    @model_validator(mode="after")
    def _pair(self) -> InstrumentSettings:
        if self.symbol.count("/") != 1:
            raise ValueError(f"symbol {self.symbol} must be BASE/QUOTE")
        return self

    def frozen(self) -> rules.Instrument:
        """As the core wants it."""
        base, _, quote = self.symbol.partition("/")
        return rules.Instrument(base=base, quote=quote, **self.model_dump())


class DestinationSettings(Strict):
    """`[[destinations]]`: a place to send orders to, over one session of one account."""

    name: Name
    account: Name
    session: Name | None = None
    """The initiator session, for a FIX venue."""
    venue: Name | None = None
    order_path: Literal["fix", "rest"] = "fix"
    """How orders go to a FIX venue that has a REST side too; "rest" for one whose FIX endpoint is down.
    The router itself never changes it."""
    rest_url: Annotated[str, Field(pattern="^https?://")] | None = None
    """Of a FIX venue: its REST side, the witness beside its FIX session."""
    stream_url: Annotated[str, Field(pattern="^wss?://")] | None = None
    market_url: Annotated[str, Field(pattern="^wss?://")] | None = None
    instruments: tuple[InstrumentSettings, ...]

    @property
    def link(self) -> str:
        """The link that orders go over."""
        return self.session if self.session is not None and self.order_path == "fix" else self.beside or self.account

    @property
    def witness(self) -> str:
        """The link of the second witness; "" where there is none."""
        return self.beside if self.order_path == "fix" else ""

    @property
    def beside(self) -> str:
        """The REST and WebSocket link beside a FIX session; "" where there is none."""
        return f"{self.account}:{self.name}" if self.session is not None and self.rest_url is not None else ""


class RouteSettings(Strict):
    """`[[routes]]`: where orders go; the first that fits (`routing.py`). What is not given asks nothing."""

    name: Name = ""
    destination: Name = ""
    fallbacks: tuple[Name, ...] = ()
    refuse: Name = ""
    sessions: tuple[Name, ...] = ()
    accounts: tuple[Name, ...] = ()
    symbols: tuple[Name, ...] = ()
    security_types: tuple[Name, ...] = ()
    sides: tuple[Side, ...] = ()
    ord_types: tuple[OrdType, ...] = ()
    times_in_force: tuple[TimeInForce, ...] = ()
    requested: tuple[Name, ...] = ()
    min_qty: Positive | None = None
    max_qty: Positive | None = None
    min_notional: Positive | None = None
    max_notional: Positive | None = None
    from_utc: TimeOfDay | None = None
    to_utc: TimeOfDay | None = None
    tags: dict[Annotated[str, Field(pattern=r"^[5-9]\d{3}$")], tuple[Name, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> RouteSettings:
        if bool(self.destination) == bool(self.refuse):
            raise ValueError("give one of destination and refuse")
        if self.refuse and self.fallbacks:
            raise ValueError("a rule that refuses has no fallbacks")
        if (self.from_utc is None) != (self.to_utc is None):
            raise ValueError("from_utc and to_utc go together")
        return self

    def frozen(self) -> rules.Route:
        """As the core wants it."""
        start, end = (time_of_day(each) if each else 0 for each in (self.from_utc, self.to_utc))
        return rules.Route(**self.model_dump(exclude={"from_utc", "to_utc"}), from_time=start, to_time=end)
