"""How many requests came, by kind and by answer: `GET /_sim/requests`."""

from collections import Counter


class Tally:
    """Kinds: `new`, `cancel`, `query`, `other` over HTTP, `auth`, `subscribe`, `ping` over the WebSocket.

    `by_status` counts HTTP statuses (`none` where nothing was answered), `by_code` the venue's codes in them, and
    `rejected_signatures` whatever failed to prove who it was, over either.
    """

    def __init__(self) -> None:
        self.by_kind: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.by_code: Counter[str] = Counter()
        self.rejected_signatures = 0

    def as_json(self) -> dict[str, object]:
        kinds = ("new", "cancel", "query", "other", "auth", "subscribe", "ping")
        return {
            "by_kind": dict.fromkeys(kinds, 0) | dict(self.by_kind),
            "by_status": dict(self.by_status),
            "by_code": dict(self.by_code),
            "rejected_signatures": self.rejected_signatures,
        }
