"""Latencies of the last minutes, and of the whole life of the process. Pure.

A latency falls into one of a fixed row of buckets, sixteen to each doubling, so a percentile is right to about 6 %; the worst is exact.
Each second has its own counts; what is older than the window is taken out of the sums, so asking costs the same however much happened.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import Final

from router.admin.contract import Latency

__all__ = ["BOUNDS_S", "STAGES", "Latencies", "bucket", "top"]

STAGES: Final = ("decode", "journal", "apply", "send", "venue answer", "report")
BOUNDS_S: Final = (
    0.000005, 0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
)  # fmt: skip
"""Upper ends of the metric's buckets, in seconds."""
_BOUNDS_NS: Final = tuple(round(each * 1e9) for each in BOUNDS_S)
_BITS: Final = 4
_STEPS: Final = 1 << _BITS


def bucket(ns: int) -> int:
    """The number of the bucket that a latency falls into; below 16 ns each has its own."""
    shift = ns.bit_length() - _BITS - 1
    return max(ns, 0) if shift <= 0 else (shift << _BITS) + (ns >> shift)


def top(number: int) -> int:
    """The largest latency of a bucket, ns."""
    shift = max((number >> _BITS) - 1, 0)
    return (((number - (shift << _BITS)) + 1) << shift) - 1


class _Second:
    __slots__ = ("at", "counts", "worst")

    def __init__(self, at: int) -> None:
        self.at = at
        self.counts: dict[int, int] = {}
        self.worst = 0


class _Stage:
    """One stage's latencies."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        self.window: deque[_Second] = deque()
        self.sums: dict[int, int] = {}
        self.ever = [0] * (len(_BOUNDS_NS) + 1)
        """Of the whole life, by the metric's buckets."""
        self.total_ns = 0

    def took(self, ns: int, second: int) -> None:
        if not self.window or self.window[-1].at < second:
            self.window.append(_Second(second))
            self.forget(second)
        now, number = self.window[-1], bucket(ns)
        now.counts[number] = now.counts.get(number, 0) + 1
        now.worst = max(now.worst, ns)
        self.sums[number] = self.sums.get(number, 0) + 1
        self.ever[bisect_left(_BOUNDS_NS, ns)] += 1
        self.total_ns += ns

    def forget(self, second: int) -> None:
        """Take out what is older than the window."""
        while self.window and self.window[0].at <= second - self.seconds:
            for number, count in self.window.popleft().counts.items():
                self.sums[number] -= count
                if not self.sums[number]:
                    del self.sums[number]

    def percentiles(self, shares: tuple[float, ...]) -> list[int]:
        """In ns, of `sums`."""
        count, worst = sum(self.sums.values()), max((each.worst for each in self.window), default=0)
        found: list[int] = []
        seen = 0
        for number in sorted(self.sums):
            seen += self.sums[number]
            while len(found) < len(shares) and seen >= shares[len(found)] * count:
                found.append(min(top(number), worst))
        return found + [worst] * (len(shares) - len(found))


class Latencies:
    """All stages."""

    def __init__(self, seconds: int = 300) -> None:
        """`seconds`: of the window."""
        self._seconds = seconds
        self._stages: dict[str, _Stage] = {}

    def took(self, stage: str, ns: int, now: int) -> None:
        """A stage took `ns`, just now (ns UTC)."""
        found = self._stages.get(stage)
        if found is None:
            found = self._stages[stage] = _Stage(self._seconds)
        found.took(ns, now // 1_000_000_000)

    def rows(self, now: int) -> list[Latency]:
        """The window's figures in microseconds, in the order of the stages; those of which nothing was measured are left out."""
        rows = []
        for name in (*STAGES, *sorted(set(self._stages) - set(STAGES))):
            stage = self._stages.get(name)
            if stage is None:
                continue
            stage.forget(now // 1_000_000_000)
            p50, p90, p99, worst = (each / 1000 for each in stage.percentiles((0.5, 0.9, 0.99, 1.0)))
            rows.append(Latency(stage=name, count=sum(stage.sums.values()), p50=p50, p90=p90, p99=p99, worst=worst))
        return rows

    def histogram(self, stage: str) -> tuple[list[int], float]:
        """Of the whole life: counts by `BOUNDS_S` (each alone, the last one beyond all bounds), and the sum in seconds."""
        found = self._stages.get(stage)
        return (list(found.ever), found.total_ns / 1e9) if found is not None else ([0] * (len(_BOUNDS_NS) + 1), 0.0)
