"""So many requests in any second, by key. Pure."""

from collections import deque

WINDOW_MS = 1000
# Keys may come from the wire: beyond this many, those that were last used longest ago are forgotten.
MAX_KEYS = 10_000


class PerSecond:
    """A limit of 0 is none. What is refused does not count."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._recent: dict[str, deque[int]] = {}

    def take(self, key: str, now_ms: int) -> bool:
        """Counts a request at `now_ms`; False where it is one too many."""
        if not self._limit:
            return True
        recent = self._recent.pop(key, None) or deque()
        self._recent[key] = recent
        if len(self._recent) > MAX_KEYS:
            del self._recent[next(iter(self._recent))]
        while recent and recent[0] <= now_ms - WINDOW_MS:
            recent.popleft()
        if len(recent) >= self._limit:
            return False
        recent.append(now_ms)
        return True

    def clear(self) -> None:
        self._recent.clear()
