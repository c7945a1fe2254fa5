"""Rate limits ("Response Status Code", 429): at most so many requests in any second, by user or by address. Pure.

Assumption: a refused request does not count, and a user's request counts once it is known to be the user's.
"""

from collections import deque

WINDOW_MS = 1000


class Limit:
    """`per_second` of 0 is no limit."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._recent: dict[object, deque[int]] = {}

    def admit(self, key: object, now_ms: int) -> bool:
        if not self._per_second:
            return True
        recent = self._recent.setdefault(key, deque())
        while recent and recent[0] <= now_ms - WINDOW_MS:
            recent.popleft()
        if len(recent) >= self._per_second:
            return False
        recent.append(now_ms)
        return True

    def clear(self) -> None:
        self._recent.clear()
