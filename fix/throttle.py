"""How many messages a client may send: a token bucket for each session. Pure.

A second's worth may come at once. Cancels are never refused: whoever must get out can.
"""

from __future__ import annotations

from typing import Final

from fix.tags import MSG_TYPE, ORDER_CANCEL_REQUEST, ORDER_MASS_CANCEL_REQUEST

__all__ = ["Throttle"]

_EXEMPT: Final = frozenset({ORDER_CANCEL_REQUEST, ORDER_MASS_CANCEL_REQUEST})
_SECOND: Final = 1_000_000_000


class Throttle:
    """One session's."""

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self._tokens = per_second * _SECOND
        self._at: int | None = None

    def refuses(self, found: dict[str, str], now: int) -> str:
        """Why this message is not taken at `now` (ns); "" where it is."""
        if found[MSG_TYPE] in _EXEMPT:
            return ""
        if self._at is not None:
            self._tokens = min(self._tokens + max(now - self._at, 0) * self.per_second, self.per_second * _SECOND)
        self._at = now
        if self._tokens < _SECOND:
            return f"more than {self.per_second} messages a second: this one was not taken; send it again later (cancels always pass)"
        self._tokens -= _SECOND
        return ""
