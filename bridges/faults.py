"""The fault plan of a simulator: what is to go wrong, how often, and with which requests.

Pure, and apart from `control` (which takes the plan over HTTP), so that a venue's pure files may ask it.

How a fault is matched, for every venue:
- A request fault (`REQUEST_KINDS`) meets the next request of its `match`: `new`, `cancel` or `query`; `any` is any of
  these three. With `stream` it meets the next pushed report instead (where the venue's file says so).
- A stream fault (`STREAM_KINDS`) meets the next report that leaves; `match` `new`, `cancel` or `query` narrows it to
  the direct answer to such a request, `stream` and `any` are every report.
- `disconnect` happens when it is posted, and `refuse_connections` holds for `delay_s` from then; neither is kept.
Faults of one kind are used up in the order in which they were posted.
"""

from collections.abc import Collection
from dataclasses import dataclass

REQUEST_KINDS = frozenset({"drop_reply", "drop_request", "delay", "http_500", "http_503", "rate_limit", "reject"})
STREAM_KINDS = frozenset({"duplicate_event", "reorder_events", "garbage"})
IMMEDIATE_KINDS = frozenset({"disconnect", "refuse_connections"})
KINDS = REQUEST_KINDS | STREAM_KINDS | IMMEDIATE_KINDS
MATCHES = frozenset({"new", "cancel", "query", "stream", "any"})


@dataclass(frozen=True, slots=True)
class Fault:
    """`count` times `kind`, on requests of `match`; `delay_s` in seconds where the kind takes one."""

    kind: str
    count: int = 1
    delay_s: float = 0.0
    match: str = "any"

    def __post_init__(self) -> None:
        """ValueError beginning with the name of the field at fault."""
        if self.kind not in KINDS:
            raise ValueError(f"kind: unknown fault {self.kind!r}, one of {', '.join(sorted(KINDS))}")
        if self.match not in MATCHES:
            raise ValueError(f"match: unknown {self.match!r}, one of {', '.join(sorted(MATCHES))}")
        if self.count < 1:
            raise ValueError("count: must be at least 1")
        if not 0 <= self.delay_s <= 86_400:
            raise ValueError("delay_s: must be between 0 and 86400 seconds")


class Faults:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        self._armed: list[tuple[Fault, int]] = []

    def __bool__(self) -> bool:
        return bool(self._armed)

    def post(self, fault: Fault) -> None:
        self._armed.append((fault, fault.count))

    def clear(self) -> None:
        self._armed.clear()

    def pending(self) -> list[tuple[Fault, int]]:
        """The faults and how many times each is still to happen, oldest first."""
        return list(self._armed)

    def take_request(self, match: str, kinds: Collection[str]) -> Fault | None:
        """The fault, if any, that meets this request (`new`, `cancel`, `query`, or `stream`), used up once.

        `kinds` says which kinds the caller can perform: the others stay for whoever can.
        """
        matches = (match,) if match == "stream" else (match, "any")
        return self._take(kinds, matches)

    def take_stream(self, answer_to: str | None, kinds: Collection[str] = STREAM_KINDS) -> Fault | None:
        """The fault, if any, that meets this report; `answer_to` names the request that it directly answers."""
        matches = ("stream", "any") if answer_to is None else ("stream", "any", answer_to)
        return self._take(kinds, matches)

    def _take(self, kinds: Collection[str], matches: tuple[str, ...]) -> Fault | None:
        for i, (fault, left) in enumerate(self._armed):
            if fault.kind in kinds and fault.match in matches:
                if left > 1:
                    self._armed[i] = (fault, left - 1)
                else:
                    del self._armed[i]
                return fault
        return None
