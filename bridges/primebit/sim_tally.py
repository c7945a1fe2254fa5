"""How many requests came, by kind and by answer: `GET /_sim/requests`."""

from collections import Counter


class Tally:
    """Kinds: `new`, `modify`, `cancel`, `query`, `other` over HTTP, `subscribe`, `unsubscribe`, `ping` over the WebSocket.

    `by_status` counts HTTP statuses (`none` where nothing was answered), `by_code` the codes of the venue's errors, and
    `rejected_signatures` whatever failed to prove who it was, over either.
    """

    def __init__(self) -> None:
        self.by_kind: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.by_code: Counter[str] = Counter()
        self.rejected_signatures = 0

    def as_json(self) -> dict[str, object]:
        kinds = ("new", "modify", "cancel", "query", "other", "subscribe", "unsubscribe", "ping")
        return {
            "by_kind": dict.fromkeys(kinds, 0) | dict(self.by_kind),
            "by_status": dict(self.by_status),
            "by_code": dict(self.by_code),
            "rejected_signatures": self.rejected_signatures,
        }
