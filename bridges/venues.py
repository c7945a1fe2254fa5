"""The venues reached over REST and WebSocket: how each one's protocol is made, and what it can do. Adding a venue is one entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridges.apifiny.protocol import ApifinyProtocol
from bridges.cryptocom import protocol as cryptocom
from bridges.moonbase import protocol as moonbase
from bridges.phemex import protocol as phemex
from bridges.primebit import protocol as primebit
from bridges.purse import Purse
from bridges.sampling import Sampling
from bridges.shell import Bridge, Noted
from bridges.wire import VenueProtocol
from router.ports import Clock, Hear
from router.rules import Capabilities, Instrument
from router.settings import Settings
from router.venue_settings import AccountSettings, DestinationSettings

__all__ = ["VENUES", "bridges", "capabilities", "faults"]


@dataclass(frozen=True)
class _Venue:
    capabilities: Callable[[AccountSettings], Capabilities]
    protocol: Callable[[AccountSettings, str, Sequence[Instrument]], VenueProtocol]
    rest: bool = True
    """False where everything is on the stream."""


VENUES: Final[Mapping[str, _Venue]] = {
    "phemex": _Venue(
        lambda account: phemex.CAPABILITIES,  # noqa: ARG005
        lambda account, secret, instruments: phemex.PhemexProtocol(account.name, account.key_id, secret, instruments),
    ),
    "primebit": _Venue(
        lambda account: primebit.CAPABILITIES,  # noqa: ARG005
        lambda account, secret, instruments: primebit.PrimebitProtocol(
            account.name, account.account_id, account.key_id, secret, instruments, account.environment
        ),
    ),
    "moonbase": _Venue(
        lambda account: moonbase.CAPABILITIES,  # noqa: ARG005
        lambda account, secret, instruments: moonbase.MoonbaseProtocol(account.name, account.key_id, secret, instruments),
        rest=False,
    ),
    "cryptocom": _Venue(
        lambda account: cryptocom.capabilities(account.emulate_ioc),
        lambda account, secret, instruments: cryptocom.CryptocomProtocol(
            account.name, account.key_id, secret, instruments, account.emulate_ioc
        ),
    ),
}


def capabilities(settings: Settings) -> dict[str, Capabilities]:
    """What each destination of these venues can do."""
    ours = {each.name: each for each in settings.accounts if each.venue in VENUES}
    return {
        each.name: VENUES[ours[each.account].venue].capabilities(ours[each.account])
        for each in settings.destinations
        if each.account in ours
    }


def faults(settings: Settings, path: Path) -> list[str]:
    """What is wrong with the accounts of these venues, a line each."""
    return [
        f"{path}: accounts[{number}].{key}: missing, {account.venue} is reached over REST and WebSocket"
        for number, account in enumerate(settings.accounts)
        if account.venue in VENUES
        for key in (("rest_url", "stream_url") if VENUES[account.venue].rest else ("stream_url",))
        if getattr(account, key) is None
    ]


def bridges(settings: Settings, folder: Path, hear: Hear, clock: Clock, note: Noted) -> dict[str, Bridge]:
    """A bridge for each account of these venues, and one beside the FIX session of each destination that has a REST side too, by their
    links' names. Raises `Fault` for a secret that is missing."""
    made = {}
    for account in settings.accounts:
        places = [each for each in settings.destinations if each.account == account.name]
        secret = account.secret.read(folder).get_secret_value()
        if account.venue in VENUES:
            assert account.stream_url is not None
            protocol = VENUES[account.venue].protocol(account, secret, [i.frozen() for each in places for i in each.instruments])
            sampling = _sampling(settings, places)
            made[account.name] = Bridge(
                account.name, protocol, account.rest_url or "", account.stream_url, hear, clock, note, sampling=sampling
            )  # fmt: skip
            continue
        purse: Purse | None = None
        for each in places:
            if not each.beside or each.rest_url is None or each.stream_url is None:
                continue
            beside = ApifinyProtocol(
                account.name, each.beside, account.account_id, account.key_id, secret, each.venue or each.name,
                [i.frozen() for i in each.instruments], each.order_path == "rest", each.market_url,
            )  # fmt: skip
            purse = purse or Purse(beside.budgets)  # the venue counts by account
            sampling = _sampling(settings, [each])
            made[each.beside] = Bridge(
                each.beside, beside, each.rest_url, each.stream_url, hear, clock, note, purse, sampling, each.order_path == "fix"
            )
    return made


def _sampling(settings: Settings, places: Sequence[DestinationSettings]) -> Sampling | None:
    every, stale = (int(each * 1_000_000_000) for each in (settings.router.reference_every_s, settings.router.reference_stale_s))
    symbols = dict.fromkeys(instrument.venue_symbol for each in places for instrument in each.instruments)
    return Sampling(list(symbols), every, stale // 2) if every else None
