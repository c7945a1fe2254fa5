"""Rate limits by key ("Rate limits"). Pure.

Assumptions:
 1. A window slides: at most so many in any hour or minute. What is refused does not count.
 2. A subscription is a `phx_join`, a repeated one too, on whatever connection; it is a request as well. Leaving and
    Phoenix's heartbeat are neither, and `cancel` has no limit.
 3. `retry_after` is in whole seconds, rounded up.
"""

from collections import deque

SECOND_NS = 1_000_000_000


class Limit:
    """`most` of 0 is no limit."""

    def __init__(self, most: int, window_s: int) -> None:
        self._most, self._window_ns = most, window_s * SECOND_NS
        self._recent: dict[str, deque[int]] = {}

    def wait_s(self, key: str, now_ns: int) -> int:
        """Seconds until the next one may come; 0 for at once."""
        recent = self._recent.get(key)
        if not self._most or not recent:
            return 0
        while recent and recent[0] <= now_ns - self._window_ns:
            recent.popleft()
        if len(recent) < self._most:
            return 0
        return -(-(recent[-self._most] + self._window_ns - now_ns) // SECOND_NS)

    def count(self, key: str, now_ns: int) -> None:
        if self._most:
            self._recent.setdefault(key, deque()).append(now_ns)

    def clear(self) -> None:
        self._recent.clear()

    def memory(self) -> dict[str, deque[int]]:
        return self._recent

    def recall(self, memory: dict[str, deque[int]]) -> None:
        self._recent = memory


class Limits:
    def __init__(self, joins_per_hour: int, requests_per_minute: int) -> None:
        self.joins, self.requests = Limit(joins_per_hour, 3600), Limit(requests_per_minute, 60)

    def admit(self, key: str, kind: str, now_ns: int) -> int:
        """Counts a request of this kind (`cancel`, `join`, any other): 0, or the seconds to wait of one that is refused."""
        if kind == "cancel":
            return 0
        limits = (self.requests, self.joins) if kind == "join" else (self.requests,)
        wait_s = max(limit.wait_s(key, now_ns) for limit in limits)
        if not wait_s:
            for limit in limits:
                limit.count(key, now_ns)
        return wait_s

    def clear(self) -> None:
        self.joins.clear()
        self.requests.clear()
