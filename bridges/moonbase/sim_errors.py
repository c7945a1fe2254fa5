"""The venue's no. Pure.

The document shows one only, of the rate limit: {"status": "error", "type", "details"}, as the payload of the reply. All
others are an assumption in that form: `invalid_params`, with what is wrong by parameter, `insufficient_funds`, `not_found`,
`already_done`, `forbidden`, and `unmatched topic`, in Phoenix's own words.
"""

from typing import Any


class Refused(Exception):
    """The request is not done; `kind` is the error's type."""

    def __init__(self, kind: str, /, **details: Any) -> None:
        super().__init__(kind, details)
        self.kind, self.details = kind, details

    def payload(self) -> dict[str, Any]:
        return {"status": "error", "type": self.kind, "details": self.details}


def invalid(name: str, what: str) -> Refused:
    return Refused("invalid_params", **{name: what})


def rate_limited(retry_after_s: int) -> Refused:
    return Refused("rate_limit_exceeded", retry_after=retry_after_s)


UNMATCHED = "unmatched topic"
