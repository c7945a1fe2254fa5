"""Joins of channels: 20 an hour for a key (document, "Rate limits": Subscription), shared out so that flapping never uses them up. Pure.

1. A join counts when its frame leaves, whatever becomes of it, for an hour and ten seconds (the frames' ways to the venue differ in length,
   and whether its hour slides or stands is not said: one that slides is within both).
2. Each purpose has a share that the others leave to it (`SHARES`). What is in nobody's share (4 of 20) is anybody's: the trades' first of
   all, which have no share of their own.
3. The first joins of a connection wait after those of the connection before: not at all for the first three of an hour, then for longer
   each time (`_PAUSES`). A connection that dies meanwhile has cost nothing, so ten quick flaps cost about five.
4. What was joined is remembered across restarts: the venue remembers it too. What cannot be read of it counts as joined now.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["PER_HOUR", "Joins", "Purpose"]

_SECOND: Final = 1_000_000_000
_MS: Final = 1_000_000
PER_HOUR: Final = 20
SPAN: Final = 3610 * _SECOND
_PAUSES: Final = (0, 0, 0, 1, 2, 5, 10, 30, 60, 120, 400, 600, 800, 1000)
"""Seconds before the next connection's joins, by how many there were in the hour. Their sum is about an hour: a connection that flaps for
ever is up again every few minutes, and never waits for the whole hour."""
_BETWEEN_RESOLVES: Final = 2 * _SECOND
_KEPT_AT_MOST: Final = 100


class Purpose(StrEnum):
    """What a join is for."""

    CONNECT = "c"
    """Orders, when a connection or a channel is new."""
    RESOLVE = "r"
    """Orders, anew: to learn what became of one."""
    TRADES = "t"
    INQUIRY = "i"
    """What an operator asks for."""


SHARES: Final = {Purpose.CONNECT: 10, Purpose.RESOLVE: 4, Purpose.INQUIRY: 2}


class Joins:
    """One key's joins. Times in ns UTC."""

    def __init__(self) -> None:
        self._taken: list[tuple[int, Purpose]] = []
        self._closed_until = 0

    def free_at(self, purpose: Purpose, now: int) -> int:
        """When the next join for this may leave; `now` when it may at once."""
        self._forget(now)
        free = max(now, self._closed_until)
        if purpose in (Purpose.CONNECT, Purpose.RESOLVE):
            free = max(free, self._paced(purpose, now))
        taken = list(self._taken)
        while taken and _used_up(taken, purpose):
            free = max(free, taken.pop(0)[0] + SPAN)
        return free

    def take(self, purpose: Purpose, now: int) -> str:
        """A join leaves now. Returns what is to be remembered."""
        self._taken.append((now, purpose))
        return ",".join(f"{each}{time // _MS}" for time, each in self._taken)

    def close(self, until: int) -> None:
        """The venue said that it has had enough."""
        self._closed_until = max(self._closed_until, until)

    def recall(self, value: str, now: int) -> None:
        """What was remembered before a restart."""
        self._taken = sorted((_read(each, now) for each in value.split(",")[-_KEPT_AT_MOST:] if each), key=lambda one: one[0])
        self._forget(now)

    def used(self, now: int) -> int:
        """How many count now."""
        self._forget(now)
        return len(self._taken)

    def _forget(self, now: int) -> None:
        # A clock that was set back must not keep a join for ever.
        self._taken = [(min(time, now), purpose) for time, purpose in self._taken if time > now - SPAN]

    def _paced(self, purpose: Purpose, now: int) -> int:
        times = sorted({time for time, each in self._taken if each is purpose})
        if not times:
            return now
        if purpose is Purpose.RESOLVE:
            return times[-1] + _BETWEEN_RESOLVES
        if times[-1] == now:
            return now  # joins of one connection leave together
        return times[-1] + _PAUSES[min(len(times), len(_PAUSES) - 1)] * _SECOND


def _used_up(taken: list[tuple[int, Purpose]], purpose: Purpose) -> bool:
    left_to_others = 0
    for other, share in SHARES.items():
        if other is not purpose:
            left_to_others += max(share - sum(each is other for _, each in taken), 0)
    return len(taken) + left_to_others >= PER_HOUR


def _read(text: str, now: int) -> tuple[int, Purpose]:
    try:
        return min(int(text[1:20]) * _MS, now), Purpose(text[0])
    except ValueError:
        return now, Purpose.CONNECT
