"""How many requests came, by kind and by answer: `GET /_sim/requests`."""

from collections import Counter

KINDS = ("connect", "join", "leave", "heartbeat", "new", "cancel", "query")


class Tally:
    """`by_status` has the replies' status (`ok`, `error`, or `none` where nothing was answered) and the HTTP status of
    connections (101, 403, ...); `by_type` the errors' types; `rejected_signatures` whoever failed to prove who it was."""

    def __init__(self) -> None:
        self.by_kind: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.by_type: Counter[str] = Counter()
        self.rejected_signatures = 0

    def as_json(self) -> dict[str, object]:
        return {
            "by_kind": dict.fromkeys(KINDS, 0) | dict(self.by_kind),
            "by_status": dict(self.by_status),
            "by_type": dict(self.by_type),
            "rejected_signatures": self.rejected_signatures,
        }
