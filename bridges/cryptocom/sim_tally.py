"""How many requests came: `GET /_sim/requests`. Pure."""

from collections import Counter


class Tally:
    """Kinds: `new`, `cancel`, `query` (user and market), `stream` (messages on the WebSocket). `by_status` is HTTP's, or
    `dropped` where nothing was answered; `by_code` the answer's `code`, "0" for success."""

    def __init__(self) -> None:
        self.by_kind: Counter[str] = Counter({"new": 0, "cancel": 0, "query": 0, "stream": 0})
        self.by_call: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.by_code: Counter[str] = Counter()
        self.rejected_signatures = 0

    def as_json(self) -> dict[str, object]:
        return {
            "by_kind": dict(self.by_kind),
            "by_call": dict(self.by_call),
            "by_status": dict(self.by_status),
            "by_code": dict(self.by_code),
            "rejected_signatures": self.rejected_signatures,
        }
