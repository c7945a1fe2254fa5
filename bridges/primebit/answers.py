"""An HTTP answer as yes, no or unknown (document, "Error handling", "Rate Limits"). Pure.

Readings:

- 2xx with an order object is a yes. A 2xx that cannot be read, or that is of another order, is unknown.
- 4xx with {"error":{"code","message"}} is the venue's own no. So is 401 or 403 in any form: a gateway's, before any order was looked at.
- 408, 429, 5xx and whatever cannot be read say nothing of what was done: unknown.
- The document has no table of codes. "order-not-found" is the one agreed on; the others are guessed by their words, and code and message
  always go to the client.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bridges.primebit.orders import Row, read
from bridges.primebit.payload import Malformed, listed, loads, mapped, printable
from bridges.wire import Answer
from router.model import CancelRejected, Place, Rejected
from router.words import CxlRejReason, OrdRejReason

__all__ = ["NOT_FOUND", "No", "Unknown", "Yes", "judge", "listing", "refused", "reject_exec_id", "rejected"]

NOT_FOUND: Final = "order-not-found"
_REJECT_WORDS: Final = (
    ("symbol", OrdRejReason.UNKNOWN_SYMBOL),
    ("volume", OrdRejReason.INCORRECT_QUANTITY),
    ("margin", OrdRejReason.EXCEEDS_LIMIT),
    ("balance", OrdRejReason.EXCEEDS_LIMIT),
    ("limit-exceeded", OrdRejReason.EXCEEDS_LIMIT),
    ("account", OrdRejReason.UNKNOWN_ACCOUNT),
    ("closed", OrdRejReason.EXCHANGE_CLOSED),
)


@dataclass(frozen=True, slots=True)
class Yes:
    """Taken; the order as it was at that moment."""

    row: Row


@dataclass(frozen=True, slots=True)
class No:
    """The venue's no."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It says nothing of what was done."""

    why: str


def judge(answer: Answer) -> Yes | No | Unknown:
    """What an answer about one order says. Never raises."""
    try:
        fields = loads(answer.body)
        if 200 <= answer.status < 300:
            return Yes(read(fields))
    except Malformed as wrong:
        if answer.status in (401, 403):
            return No(f"http-{answer.status}", "not authorised")
        return Unknown(f"HTTP {answer.status} that cannot be read: {wrong}")
    code, text = _error(fields)
    if answer.status in (408, 429) or not 400 <= answer.status < 500:
        return Unknown(f"HTTP {answer.status}: {code} {text}".strip())
    if not code and answer.status not in (401, 403):
        return Unknown(f"HTTP {answer.status} without an error code")
    return No(code or f"http-{answer.status}", text)


def listing(answer: Answer) -> tuple[list[Row], list[dict[str, Any]]]:
    """The open orders, read and as they came. Raises `Malformed`: one row that cannot be read spoils the list, for it may be ours."""
    if not 200 <= answer.status < 300:
        raise Malformed(f"HTTP {answer.status}")
    raw = listed(loads(answer.body), "the list of orders")
    return [read(each) for each in raw], raw


def reject_exec_id(cl_ord_id: str) -> str:
    """Of a create's refusal, whether the answer or the channel tells it."""
    return f"reject-{cl_ord_id}"


def rejected(command: Place, told: No, account: str) -> Rejected:
    """A no to a create."""
    reason = next((reason for word, reason in _REJECT_WORDS if word in told.code.lower()), OrdRejReason.BROKER_OPTION)
    return Rejected(
        account=account, exec_id=reject_exec_id(command.venue_cl_ord_id), reason=reason, venue_cl_ord_id=command.venue_cl_ord_id,
        text=f"{told.code} {told.text}".strip(),
    )  # fmt: skip


def refused(venue_cl_ord_id: str, venue_order_id: str, told: No, account: str) -> CancelRejected:
    """A no to a cancel or a modify."""
    reason = CxlRejReason.UNKNOWN_ORDER if told.code == NOT_FOUND else CxlRejReason.BROKER_OPTION
    return CancelRejected(
        account=account, reason=reason, venue_cl_ord_id=venue_cl_ord_id, venue_order_id=venue_order_id,
        text=f"{told.code} {told.text}".strip(),
    )  # fmt: skip


def _error(fields: Any) -> tuple[str, str]:
    try:
        error = mapped(mapped(fields, "the answer").get("error"), "error")
    except Malformed:
        return "", ""
    return printable(error.get("code"))[:64], printable(error.get("message"))
