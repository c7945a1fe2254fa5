"""An HTTP answer as a result, a refusal in the document's words, or neither; and what that says of a create or a cancel. Pure.

Source: "Standard response", "Status/Error Codes". Readings:

- Only an error with a code of the document's table is a no, and not all of those (`codes.py`). 5xx, 408, what cannot be read, and a code
  that is not in the table say nothing about what was done: unknown.
- 429 is "Request too often". 403 without a code of the table is "too many errors and IP is blocked": a no of the gateway, before any
  order was looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bridges.apifiny.codes import Verdict, of_cancel, of_create, rows_of
from bridges.apifiny.reading import Failure, Malformed, OrderRow, loads, order_row, outcome, rows
from bridges.wire import Answer
from router.model import Cancel, CancelRejected, Place, Rejected, Unanswered
from router.words import OrdRejReason

__all__ = [
    "RETRIES",
    "Blocked",
    "Reply",
    "Result",
    "Unclear",
    "cancel_refused",
    "create_refused",
    "one_order",
    "pause",
    "read",
    "reason",
    "reject",
]

RETRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Result:
    """The `result` of an answer."""

    value: Any


@dataclass(frozen=True, slots=True)
class Unclear:
    """Neither a yes nor a no."""

    why: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """Our address is blocked."""


Reply = Result | Failure | Unclear | Blocked
"""What an answer is."""


def read(answer: Answer) -> Reply:
    """What an answer is. Never raises."""
    status = answer.status
    if status >= 500 or status == 408:
        return Unclear(f"HTTP {status}{', service is not available' if status == 502 else ''}")
    if status == 429:
        return Failure(rows_of(0x02002A, True), "HTTP 429: Request too often, please try later")
    try:
        found = outcome(loads(answer.body))
    except Malformed as wrong:
        return Blocked() if status == 403 else Unclear(f"HTTP {status} that cannot be read: {wrong}")
    if isinstance(found, Failure):
        return Blocked() if status == 403 and not found.rows else found
    return Result(found) if status == 200 else Unclear(f"HTTP {status} with a result")


def one_order(result: Any, order_id: str) -> OrderRow:
    """The order that we asked about or sent. Raises `Malformed` where the result is not of it."""
    for row in rows(result):
        if row.get("orderId") == order_id:
            return order_row(row)
    raise Malformed("its result is not of our order")


def create_refused(place: Place, failure: Failure, account: str) -> Rejected | Unanswered:
    """An error in answer to a create."""
    verdict, reason = of_create(failure.rows)
    if verdict is Verdict.NO:
        return reject(place, reason, failure.text, account)
    return Unanswered(order_id=place.order_id, text=f"the order was answered by {failure.text}")


def reject(place: Place, reason: OrdRejReason, text: str, account: str) -> Rejected:
    """The venue's no to an order; one for each, however often it is told."""
    order_id = place.venue_cl_ord_id
    return Rejected(account=account, exec_id=f"{order_id}:rejected", reason=reason, venue_cl_ord_id=order_id, text=text)


def cancel_refused(command: Cancel, failure: Failure, tries: int, account: str) -> CancelRejected | Unanswered | int:
    """An error in answer to a cancel that was sent `tries` times before; a number: send it again after so many ns.

    A fault of the venue's own that stays is its no: it said each time that it did not cancel, and "Persistent resubmissions will result in
    suspension"."""
    verdict, reason = of_cancel(failure.rows)
    if verdict in (Verdict.AGAIN, Verdict.LATER):
        if tries < RETRIES:
            return pause(verdict)
        verdict = Verdict.NO
    if verdict is Verdict.NO:
        return CancelRejected(account=account, reason=reason, venue_cl_ord_id=command.venue_cl_ord_id, text=failure.text)
    return Unanswered(order_id=command.order_id, text=f"the cancel was answered by {failure.text}")


def pause(verdict: Verdict) -> int:
    """ns before a request is sent again ("a resubmit interval of 50 ms"; after too many requests, the second that they are counted in)."""
    return 1_000_000_000 if verdict is Verdict.LATER else 50_000_000


def reason(reply: Reply) -> str:
    """Why there is no result."""
    match reply:
        case Failure():
            return reply.text
        case Unclear(why):
            return why
        case _:
            return "HTTP 403: Apifiny blocks our address"
