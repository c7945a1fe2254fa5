"""The venues reached over REST and WebSocket: how each one's protocol is made, and what it can do. Adding a venue is one entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridges.cryptocom import protocol as cryptocom
from bridges.phemex import protocol as phemex
from bridges.shell import Bridge, Noted
from bridges.wire import VenueProtocol
from router.ports import Clock, Hear
from router.rules import Capabilities, Instrument
from router.settings import AccountSettings, Settings

__all__ = ["VENUES", "bridges", "capabilities", "faults"]


@dataclass(frozen=True)
class _Venue:
    capabilities: Callable[[AccountSettings], Capabilities]
    protocol: Callable[[AccountSettings, str, Sequence[Instrument]], VenueProtocol]


VENUES: Final[Mapping[str, _Venue]] = {
    "phemex": _Venue(
        lambda account: phemex.CAPABILITIES,  # noqa: ARG005
        lambda account, secret, instruments: phemex.PhemexProtocol(account.name, account.key_id, secret, instruments),
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
        for key in ("rest_url", "stream_url")
        if getattr(account, key) is None
    ]


def bridges(settings: Settings, folder: Path, hear: Hear, clock: Clock, note: Noted) -> dict[str, Bridge]:
    """A bridge for each account of these venues, by its link's name. Raises `Fault` for a secret that is missing."""
    made = {}
    for account in settings.accounts:
        if account.venue not in VENUES:
            continue
        assert account.rest_url is not None
        assert account.stream_url is not None
        instruments = [i.frozen() for each in settings.destinations if each.account == account.name for i in each.instruments]
        secret = account.secret.read(folder).get_secret_value()
        protocol = VENUES[account.venue].protocol(account, secret, instruments)
        made[account.name] = Bridge(account.name, protocol, account.rest_url, account.stream_url, hear, clock, note)
    return made
