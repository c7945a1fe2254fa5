"""Who may come in at the front door: addresses, numbers, rates, sessions. Pure: the time, seconds of any steady clock, is given.

Assumptions:
1. A session has one connection. A second one is refused here and not passed on: QuickFIX would refuse it too, but writes the whole
   Logon, password and all, into its log when it does, and only the gate can name the address that holds the session.
2. Addresses of one IPv6 /64 are one address for counting: whoever has one has them all.
3. A refused attempt does not count toward the rate, or a client that tries every second would never come in again.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from fix.first import SessionKey, shown

__all__ = ["Address", "Admission", "Counts", "Network", "Quiet", "Refused", "Why", "address_of"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_REMEMBERED: Final = 10_000
"""Addresses whose rate is known; the one not seen for longest is forgotten first."""
_MINUTE: Final = 60.0


class Why(StrEnum):
    """Why a connection did not come in: the kinds that are counted."""

    ADDRESS = "address not allowed"
    TOO_MANY = "too many connections"
    TOO_MANY_HERE = "too many connections from this address"
    TOO_OFTEN = "too many attempts from this address"
    GAVE_WAY = "gave way to a newer connection before its logon"
    TLS = "TLS handshake failed"
    TOO_SLOW = "too slow"
    NOT_A_LOGON = "no proper logon"
    UNKNOWN = "unknown session"
    NOT_FROM_HERE = "session not allowed from this address"
    TAKEN = "session already connected"
    LEFT = "left before its logon"
    ROUTER_DOWN = "router not reachable"
    STOPPING = "the gate closes"


class Refused(Exception):
    """No entry; `why` is the kind, the text may say more."""

    def __init__(self, why: Why, more: str = "") -> None:
        super().__init__(f"{why}: {more}" if more else str(why))
        self.why = why


@dataclass(slots=True)
class Counts:
    """What has happened since the start."""

    arrived: int = 0
    passed_on: int = 0
    cut: int = 0
    refused: Counter[Why] = field(default_factory=Counter)


class Quiet:
    """How much may be logged of what strangers do: so many lines a minute, then a number."""

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._since = -_MINUTE
        self._said = self._unsaid = 0

    def may_speak(self, now: float) -> int | None:
        """How many lines were left out since the last; None where this one is to be left out too."""
        if now - self._since >= _MINUTE:
            self._since, self._said = now, 0
        if self._said >= self._a_minute:
            self._unsaid += 1
            return None
        self._said += 1
        unsaid, self._unsaid = self._unsaid, 0
        return unsaid


def address_of(host: str) -> Address:
    """A peer's address; an IPv4 one that came through an IPv6 socket is the IPv4 one. Raises `ValueError`."""
    address = ip_address(host)
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _counted_as(address: Address) -> int:
    return int(address) >> 64 << 64 if isinstance(address, IPv6Address) else int(address)


class Admission:
    """The rules, and who is in."""

    def __init__(self, sessions: Mapping[SessionKey, Sequence[Network]], max_per_address: int, attempts_a_minute: int) -> None:
        """`sessions`: each with the networks it may come from; none means from anywhere."""
        self._sessions = {key: tuple(networks) for key, networks in sessions.items()}
        self._anywhere = not all(self._sessions.values())
        self._networks = {network for networks in self._sessions.values() for network in networks}
        self._max_per_address = max_per_address
        self._attempts_a_minute = attempts_a_minute
        self._here: Counter[int] = Counter()
        self._left: OrderedDict[int, tuple[float, float]] = OrderedDict()
        self._holders: dict[SessionKey, str] = {}

    def arrive(self, address: Address, now: float) -> None:
        """A connection, counted until `leave`. Raises `Refused`; it is not counted then."""
        if not self._anywhere and not any(address in network for network in self._networks):
            raise Refused(Why.ADDRESS)
        counted = _counted_as(address)
        if self._here[counted] >= self._max_per_address:
            raise Refused(Why.TOO_MANY_HERE, str(self._max_per_address))
        self._attempt(counted, now)
        self._here[counted] += 1

    def leave(self, address: Address) -> None:
        """It is gone."""
        counted = _counted_as(address)
        self._here[counted] -= 1
        if not self._here[counted]:
            del self._here[counted]

    def log_on(self, session: SessionKey, address: Address, who: str) -> None:
        """A session, held by `who` until `free`. Raises `Refused`."""
        networks = self._sessions.get(session)
        if networks is None:
            raise Refused(Why.UNKNOWN, shown(session))
        if networks and not any(address in network for network in networks):
            raise Refused(Why.NOT_FROM_HERE, shown(session))
        if session in self._holders:
            raise Refused(Why.TAKEN, f"{shown(session)} by {self._holders[session]}")
        self._holders[session] = who

    def free(self, session: SessionKey) -> None:
        """The session's connection is gone."""
        self._holders.pop(session, None)

    def _attempt(self, counted: int, now: float) -> None:
        """A bucket that refills at the rate and holds a minute's attempts."""
        left, then = self._left.pop(counted, (float(self._attempts_a_minute), now))
        left = min(left + (now - then) / _MINUTE * self._attempts_a_minute, float(self._attempts_a_minute))
        self._left[counted] = (left - 1, now) if left >= 1 else (left, now)
        if len(self._left) > _REMEMBERED:
            self._left.popitem(last=False)
        if left < 1:
            raise Refused(Why.TOO_OFTEN, f"{self._attempts_a_minute} a minute")
