"""Who is there: when each session last logged on or out, and when it last spoke. Written by QuickFIX's threads, read by operators'."""

from __future__ import annotations

from router.ports import Clock

__all__ = ["Presence"]


class Presence:
    """Of every session of one rim; times in ns UTC. Each entry is one assignment, so no lock is needed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.since: dict[str, int] = {}
        self.heard: dict[str, int] = {}

    def turned(self, session: str) -> None:
        """It logged on or out."""
        self.since[session] = self._clock()

    def spoke(self, session: str) -> None:
        """A message of it came."""
        self.heard[session] = self._clock()
