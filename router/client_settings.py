"""What is agreed with those who connect to the router, and the doors that they come in by. See the demo's file for each key."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork, model_validator

from router.message_rules import MessageRule
from router.strict import Name, Positive, Strict, TimeOfDay
from router.words import ExecType, TimeInForce

__all__ = ["ClientSettings", "DropCopySettings", "FrontDoorSettings", "TlsSettings", "TunnelSettings"]


class ClientSettings(Strict):
    """`[[clients]]`: what is agreed with one client session of the acceptor's file."""

    session: Name
    accounts: tuple[Name, ...] = ()
    default_time_in_force: TimeInForce = TimeInForce.DAY
    max_age_s: Positive = Decimal(30)
    report_pending: tuple[ExecType, ...] = (ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE)
    when_pending: Literal["refuse", "wait"] = "refuse"
    day_ends_utc: TimeOfDay = "00:00"
    cancel_on_disconnect_s: Annotated[Decimal, Field(ge=0)] | None = None
    cancel_on_stop: bool = False
    report_destination: bool = True
    username: Name | None = None
    password_hash: Name | None = None
    """Made by `fixrouter password`."""
    messages_per_second: Annotated[int, Field(ge=1)] | None = None
    allow: tuple[IPvAnyNetwork, ...] = ()
    """Where its connections may come from, judged by the front door; empty: anywhere."""
    venue_accounts: tuple[Name, ...] = ()
    """Our accounts at venues whose balances and positions it may ask about: RequestForPositions(AN) with the name as Account(1)."""
    rules: tuple[MessageRule, ...] = ()

    @model_validator(mode="after")
    def _both(self) -> ClientSettings:
        if (self.username is None) != (self.password_hash is None):
            raise ValueError("username and password_hash go together")
        return self


class DropCopySettings(Strict):
    """`[[drop_copies]]`: a session that hears the reports of others; empty: of all. A report must fit every list that is not empty."""

    session: Name
    sessions: tuple[Name, ...] = ()
    accounts: tuple[Name, ...] = ()
    destinations: tuple[Name, ...] = ()
    allow: tuple[IPvAnyNetwork, ...] = ()


class TlsSettings(Strict):
    """Certificates as PEM files; with `client_ca` a client must show one of that authority."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class TunnelSettings(Strict):
    """`[[tunnels]]`: verified TLS to a FIX venue, for an initiator session that speaks plain to 127.0.0.1 and `port`."""

    name: Name
    port: Annotated[int, Field(gt=0, lt=65536)]
    host: Name
    venue_port: Annotated[int, Field(gt=0, lt=65536)]
    server_name: Name | None = None
    """Whose certificate it must be; its host's where this is missing."""
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class FrontDoorSettings(Strict):
    """`[front_door]`: the gate in front of QuickFIX. Without it QuickFIX itself listens, for a trusted network segment."""

    host: Name = "127.0.0.1"
    port: Annotated[int, Field(gt=0, lt=65536)]
    tls: TlsSettings | None = None
    max_connections: Annotated[int, Field(gt=0)] = 256
    max_per_address: Annotated[int, Field(gt=0)] = 32
    logon_attempts_per_minute: Annotated[int, Field(gt=0)] = 30
    logon_within_s: Annotated[float, Field(gt=0)] = 5
    slow_reader_bytes: Annotated[int, Field(gt=0)] = 4 * 1024 * 1024
