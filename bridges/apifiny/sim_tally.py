"""How many requests came, by kind and by answer: `GET /_sim/requests`."""

from collections import Counter

OK = "ok"


class Tally:
    """Kinds: `logon`, `new`, `cancel`, `query`; of REST also `treasury`, `public` and `other`; `stream` for WebSockets.

    Codes: the venue's, `ok`, or `35=3` for what FIX itself rejects. Statuses: HTTP's, `none` for a connection cut.
    """

    def __init__(self) -> None:
        self.by_kind: Counter[str] = Counter()
        self.by_code: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.rejected_signatures = 0

    def as_json(self) -> dict[str, object]:
        return {
            "by_kind": {"logon": 0, "new": 0, "cancel": 0, "query": 0} | dict(self.by_kind),
            "by_code": dict(self.by_code),
            "by_status": dict(self.by_status),
            "rejected_signatures": self.rejected_signatures,
        }
