"""What is to be done later, by the clock. Pure: it is told the time."""

import heapq
from collections.abc import Callable

Action = Callable[[int], None]


class Later:
    def __init__(self) -> None:
        self._due: list[tuple[int, int, Action]] = []
        self._count = 0

    def put(self, at_ns: int, action: Action) -> None:
        """`action` is called with the time at which it happens."""
        self._count += 1
        heapq.heappush(self._due, (at_ns, self._count, action))

    @property
    def due_ns(self) -> int | None:
        return self._due[0][0] if self._due else None

    def advance(self, now_ns: int) -> None:
        while self._due and self._due[0][0] <= now_ns:
            heapq.heappop(self._due)[2](now_ns)

    def clear(self) -> None:
        self._due.clear()
