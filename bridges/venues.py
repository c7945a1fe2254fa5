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
from bridges.phemex.scaling import unscaled
from bridges.primebit import protocol as primebit
from bridges.purse import Purse
from bridges.reckoning import Reckoning
from bridges.sampling import Sampling
from bridges.shell import Bridge, Noted, Teller
from bridges.wire import VenueProtocol
from router.ports import Clock, Hear
from router.rules import Capabilities, Instrument
from router.settings import Settings
from router.venue_settings import AccountSettings

__all__ = ["VENUES", "bridges", "capabilities", "faults", "traded"]

_SECOND: Final = 1_000_000_000


@dataclass(frozen=True)
class _Venue:
    capabilities: Callable[[AccountSettings], Capabilities]
    protocol: Callable[[AccountSettings, str, Sequence[Instrument]], VenueProtocol]
    rest: bool = True
    """False where everything is on the stream."""
    unknown: Callable[[Instrument], str] = lambda _: ""
    """Why an instrument cannot be traded there, whatever the venue says of it; "" where it may be."""


VENUES: Final[Mapping[str, _Venue]] = {
    "phemex": _Venue(
        lambda account: phemex.CAPABILITIES,  # noqa: ARG005
        lambda account, secret, instruments: phemex.PhemexProtocol(account.name, account.key_id, secret, instruments),
        unknown=unscaled,
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
    """What is wrong with the accounts of these venues and what is to be traded there, a line each."""
    ours = {each.name: VENUES[each.venue] for each in settings.accounts if each.venue in VENUES}
    return [
        f"{path}: destinations[{place.name}].instruments[{instrument.symbol}]: {why}"
        for place in settings.destinations
        if place.account in ours
        for instrument in place.instruments
        if (why := ours[place.account].unknown(instrument.frozen()))
    ] + [
        f"{path}: accounts[{number}].{key}: missing, {account.venue} is reached over REST and WebSocket"
        for number, account in enumerate(settings.accounts)
        if account.venue in VENUES
        for key in (("rest_url", "stream_url") if VENUES[account.venue].rest else ("stream_url",))
        if getattr(account, key) is None
    ]


def bridges(settings: Settings, folder: Path, hear: Hear, clock: Clock, note: Noted) -> dict[str, Bridge]:
    """A bridge for each account of these venues, and one beside the FIX session of each destination that has a REST side too, by their
    links' names. Raises `Fault` for a secret that is missing."""
    made, instruments = {}, traded(settings)
    for account in settings.accounts:
        places = [each for each in settings.destinations if each.account == account.name]
        secret = account.secret.read(folder).get_secret_value()
        if account.venue in VENUES:
            assert account.stream_url is not None
            protocol = VENUES[account.venue].protocol(account, secret, instruments.get(account.name, []))
            made[account.name] = Bridge(
                account.name, protocol, account.rest_url or "", account.stream_url, hear, clock, note,
                tellers=_tellers(settings, account.name, instruments.get(account.name, [])),
            )  # fmt: skip
            continue
        purse: Purse | None = None
        for each in places:
            if not each.beside or each.rest_url is None or each.stream_url is None:
                continue
            beside = ApifinyProtocol(
                account.name, each.beside, account.account_id, account.key_id, secret, each.venue or each.name,
                instruments[each.beside], each.order_path == "rest", each.market_url,
            )  # fmt: skip
            purse = purse or Purse(beside.budgets)  # the venue counts by account
            made[each.beside] = Bridge(
                each.beside, beside, each.rest_url, each.stream_url, hear, clock, note, purse,
                _tellers(settings, each.beside, instruments[each.beside]), each.order_path == "fix",
            )  # fmt: skip
    return made


def traded(settings: Settings) -> dict[str, list[Instrument]]:
    """The instruments of each bridge, by its link's name: those of all destinations of its account, or of the one that it stands beside."""
    found: dict[str, list[Instrument]] = {}
    for place in settings.destinations:
        found.setdefault(place.beside or place.account, []).extend(each.frozen() for each in place.instruments)
    return found


def _tellers(settings: Settings, link: str, instruments: Sequence[Instrument]) -> list[Teller]:
    """What a bridge tells the core now and then: prices, balances and positions."""
    router = settings.router
    prices, holdings, stale = (
        int(each * _SECOND) for each in (router.reference_every_s, router.holdings_every_s, router.reference_stale_s)
    )
    tellers: list[Teller] = []
    if prices:
        tellers.append(Sampling(link, list(dict.fromkeys(each.venue_symbol for each in instruments)), prices, stale // 2))
    if holdings:
        tellers.append(Reckoning(link, holdings, stale // 2))
    return tellers
