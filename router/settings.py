"""The router's configuration: one TOML file, the QuickFIX files and secrets it names, all frozen. An unknown key stops the start.

Money is written as a number or as text and read exactly, never through a float. Relative paths of things to read are relative
to the TOML file; `state` is relative to the working directory."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from router import rules
from router.admin.admin_settings import AdminSettings
from router.admin.alert_settings import AlertSettings, HealthSettings, MetricsSettings
from router.client_settings import ClientSettings, DropCopySettings, FrontDoorSettings, TunnelSettings
from router.limit_settings import LimitSettings
from router.rules import Capabilities
from router.secret_source import Fault
from router.strict import Positive, Strict, time_of_day
from router.venue_settings import AccountSettings, DestinationSettings, RouteSettings

__all__ = ["Fault", "Settings", "load"]

_CLOSED = {"trade": "", "view": "venue account {} is for viewing only", "suspended": "venue account {} is suspended"}


class RouterSettings(Strict):
    """`[router]`"""

    state: Path = Path("var")
    answer_timeout_s: Positive = Decimal(5)
    hold_when_down_s: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    hold_while_reconciling_s: Annotated[Decimal, Field(ge=0)] = Decimal(5)
    reconcile_within_s: Positive = Decimal(30)
    sweep_every_s: Annotated[Decimal, Field(ge=0)] = Decimal(60)
    reference_every_s: Annotated[Decimal, Field(ge=0)] = Decimal(5)
    """How often venues' prices are taken for limits to judge by; 0: never."""
    holdings_every_s: Annotated[Decimal, Field(ge=0)] = Decimal(1)
    """How often changes of venues' balances and positions are taken; 0: never."""
    reference_stale_s: Positive = Decimal(60)
    """A price or balance that was not told again for so long does not count; what does not move is told again in half of this."""
    stop_within_s: Annotated[Decimal, Field(ge=0)] = Decimal(1)
    """How long a stop waits for answers that are on their way, before it logs everybody out."""
    keep_orders_days: Annotated[Decimal, Field(gt=0)] | None = Decimal(30)
    """Orders that were over so long ago are dropped from memory, and their ClOrdIDs are free again; without it, never. The journal and its
    history keep them."""
    one_core: bool = True
    """Keep the router's threads on one processor. Python runs one of them at a time anyway; passing that turn between processors is the
    largest single cost of an order (`tests/bench/results.txt`)."""

    @property
    def keep_orders(self) -> int | None:
        """Nanoseconds."""
        return None if self.keep_orders_days is None else _ns(self.keep_orders_days * 86_400)


class JournalSettings(Strict):
    """`[journal]`"""

    durability: Literal["process", "power"] = "process"
    """What a record survives before anything follows from it: the death of the process, or a power failure (about 0.2 ms more an order)."""
    segment_mib: Annotated[int, Field(ge=1)] = 8
    """What lies after the last whole file is replayed at a start: eight are half a second."""
    keep_days: Annotated[int, Field(ge=1)] | None = None
    """Files that a snapshot covers and that are older are removed; without it, never."""
    reserve_mib: Annotated[int, Field(ge=0)] = 4
    """Disk space kept for cancels and venues' words when the disk is full."""


class LogSettings(Strict):
    """`[log]`"""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["logfmt", "json"] = "logfmt"


class FixSettings(Strict):
    """`[fix]`: the QuickFIX configuration files."""

    clients: Path
    venues: Path


class Settings(Strict):
    """The whole file."""

    router: RouterSettings = RouterSettings()
    journal: JournalSettings = JournalSettings()
    log: LogSettings = LogSettings()
    admin: AdminSettings | None = AdminSettings()
    alerts: AlertSettings = AlertSettings()
    health: HealthSettings = HealthSettings()
    metrics: MetricsSettings = MetricsSettings()
    fix: FixSettings
    front_door: FrontDoorSettings | None = None
    clients: tuple[ClientSettings, ...]
    drop_copies: tuple[DropCopySettings, ...] = ()
    tunnels: tuple[TunnelSettings, ...] = ()
    accounts: tuple[AccountSettings, ...]
    destinations: tuple[DestinationSettings, ...]
    routes: tuple[RouteSettings, ...] = ()
    limits: tuple[LimitSettings, ...] = ()

    def faults(self) -> list[str]:
        """What does not fit together, a line each, beginning with the key."""
        faults = _twice("clients", "session", [*(each.session for each in self.clients), *(each.session for each in self.drop_copies)])
        faults += [
            f"drop_copies[{number}]: sessions: there is no client {each}"
            for number, copy in enumerate(self.drop_copies)
            for each in copy.sessions
            if each not in {client.session for client in self.clients}
        ]
        faults += [
            f"clients[{number}] {client.session}: venue_accounts: {each} {wrong}"
            for number, client in enumerate(self.clients)
            for each in client.venue_accounts
            for wrong in (
                "is one of its own accounts too" if each in client.accounts else "",
                "" if each in {account.name for account in self.accounts} else "is no account",
            )
            if wrong
        ]
        faults += _twice("accounts", "name", [each.name for each in self.accounts])
        faults += _twice("destinations", "name", [each.name.upper() for each in self.destinations])
        faults += self._watched_faults()
        accounts = {each.name: each for each in self.accounts}
        destinations = {each.name.upper() for each in self.destinations}
        for number, destination in enumerate(self.destinations):
            key = f"destinations[{number}] {destination.name}"
            account = accounts.get(destination.account)
            if account is None:
                faults.append(f"{key}: account: there is no account {destination.account}")
            elif account.sessions and destination.session not in account.sessions:
                faults.append(f"{key}: session: {destination.session} is not one of account {account.name}")
            elif destination.session is not None and not account.sessions:
                faults.append(f"{key}: session: account {account.name} has none")
            if (destination.rest_url is None) != (destination.stream_url is None):
                faults.append(f"{key}: rest_url and stream_url go together")
            if destination.order_path == "rest" and destination.rest_url is None:
                faults.append(f"{key}: order_path: rest needs a rest_url")
            if destination.rest_url is not None and destination.session is None:
                faults.append(f"{key}: rest_url: it is for a destination with a FIX session; this one's stands with its account")
            faults += _twice(key, "symbol", [each.symbol for each in destination.instruments])
        for number, route in enumerate(self.routes):
            faults += [
                f"routes[{number}]: {key}: there is no destination {each}"
                for key, names in (("destination", (route.destination,)), ("fallbacks", route.fallbacks))
                for each in names
                if each and each.upper() not in destinations
            ]
            known = {each.session for each in self.clients}
            faults += [f"routes[{number}]: sessions: there is no client {each}" for each in route.sessions if each not in known]
        faults += _twice("limits", "name", [each.name for each in self.limits])
        for limit in self.limits:
            faults += [
                f"limits {limit.name}: destinations: there is no destination {each}"
                for each in limit.destinations
                if each.upper() not in destinations
            ]
            known = {each.session for each in self.clients}
            faults += [f"limits {limit.name}: sessions: there is no client {each}" for each in limit.sessions if each not in known]
        return faults

    def _watched_faults(self) -> list[str]:
        """What alerts and health name and is not there."""
        sessions = {each.session for each in self.clients} | {each.session for each in self.drop_copies}
        sessions |= {name for each in self.accounts for name in each.sessions}
        named = [(f"alerts.hours[{number}].sessions", each.sessions, sessions) for number, each in enumerate(self.alerts.hours)]
        named.append(("health.required_sessions", self.health.required_sessions, sessions))
        named.append(("health.required_destinations", self.health.required_destinations or (), {each.name for each in self.destinations}))
        return [f"{key}: there is no {name}" for key, names, known in named for name in names if name not in known]

    def frozen(self, capabilities: dict[str, Capabilities]) -> rules.Configured:
        """As the core wants it; `capabilities` by destination, from the venues' code."""
        venues = {each.name: each.venue or each.name for each in self.destinations}
        closed = {each.name: _CLOSED[each.mode].format(each.name) for each in self.accounts}
        return rules.Configured(
            destinations=tuple(
                rules.Destination(
                    name=each.name, account=each.account, link=each.link, witness=each.witness, venue=venues[each.name],
                    closed=closed[each.account],
                    capabilities=capabilities[each.name], instruments=tuple(instrument.frozen() for instrument in each.instruments),
                )
                for each in self.destinations
            ),
            clients=tuple(
                rules.Client(
                    session=each.session, accounts=tuple(rules.Account(name=name) for name in each.accounts),
                    default_time_in_force=each.default_time_in_force, max_age=_ns(each.max_age_s), report_pending=each.report_pending,
                    wait_when_pending=each.when_pending == "wait", day_ends=time_of_day(each.day_ends_utc),
                    cancel_on_disconnect=None if each.cancel_on_disconnect_s is None else _ns(each.cancel_on_disconnect_s),
                    venue_accounts=each.venue_accounts,
                )
                for each in self.clients
            ),
            routes=tuple(each.frozen() for each in self.routes),
            answer_timeout=_ns(self.router.answer_timeout_s),
            hold_when_down=_ns(self.router.hold_when_down_s),
            hold_while_reconciling=_ns(self.router.hold_while_reconciling_s),
            reconcile_within=_ns(self.router.reconcile_within_s),
            sweep_every=_ns(self.router.sweep_every_s),
            limits=tuple(each.frozen() for each in self.limits),
            reference_stale=_ns(self.router.reference_stale_s),
        )  # fmt: skip


def load(path: Path) -> Settings:
    """Read a file. Raises `Fault` with a line for everything that is wrong with it."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as wrong:
        raise Fault([f"{path}: {wrong.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise Fault([f"{path}: {wrong}"]) from None
    try:
        settings = Settings.model_validate(data)
    except ValidationError as wrong:
        raise Fault([f"{path}: {_key(each['loc'])}: {_saying(each)}" for each in wrong.errors()]) from None
    faults = settings.faults()
    if faults:
        raise Fault([f"{path}: {fault}" for fault in faults])
    return settings


def _key(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".") or "the file"


def _saying(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown key"
    return f"{error['msg'].removeprefix('Value error, ')}" + ("" if error["type"] == "missing" else f" (it is {error['input']!r:.60})")


def _twice(where: str, key: str, values: list[str]) -> list[str]:
    return [f"{where}: {key}: {value} stands there twice" for value in sorted({each for each in values if values.count(each) > 1})]


def _ns(seconds: Decimal) -> int:
    return int(seconds * 1_000_000_000)
