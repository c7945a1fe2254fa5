"""An HTTP answer as yes, no or unknown (document, "HTTP Return Codes"). Pure.

The document ends at "HTTP Response:". Readings:

- An answer is {"code", "msg", "data"}. Code 0 to a create, with `data.orderID` and our clOrdID, is a yes; so is code 0 to a cancel, which
  says that the request was taken, and not that the order is gone.
- Any other code is the venue's own no, with any status below 500. But that our id is known there already (`codes.KNOWN_THERE`) is no no:
  our ids are used once, so this very order has arrived before.
- 5xx is unknown, as the document says. So is 429 after a request was sent: "it means it reached limit" does not say that nothing was done.
- 401 and 403 are a no of the gateway, before any order was looked at ("403 ... when IP break Rate Limit"; 401 is not in the document).
- Anything that is not JSON, or neither yes nor no, is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridges.phemex.codes import CANCEL_REASONS, KNOWN_THERE, REJECT_REASONS
from bridges.phemex.payload import Malformed, loads, name, printable, whole
from bridges.phemex.rows import reject_exec_id
from bridges.wire import Answer
from router.model import Cancel, CancelRejected, Place, Rejected
from router.words import CxlRejReason, OrdRejReason

__all__ = ["CancelAll", "No", "Unknown", "Yes", "header", "judge", "no", "taken"]


@dataclass(frozen=True, slots=True)
class Yes:
    """`order_id`: the venue's, "" for a cancel."""

    order_id: str


@dataclass(frozen=True, slots=True)
class No:
    """A code and its text; the status where the gateway gave none."""

    code: int
    text: str
    shut_out: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    why: str


@dataclass(frozen=True, slots=True)
class CancelAll:
    """What a request to cancel everything was about."""


def taken(answer: Answer) -> bool:
    """Whether a request that concerns no single order was taken: code 0."""
    try:
        fields = loads(answer.body)
        return isinstance(fields, dict) and whole(fields, "code") == 0
    except Malformed:
        return False


def judge(command: Place | Cancel, answer: Answer) -> Yes | No | Unknown:
    """What the answer says of the command. Never raises."""
    status, place = answer.status, isinstance(command, Place)
    try:
        fields = loads(answer.body)
        if not isinstance(fields, dict):
            raise Malformed("it is not an object")
        code = whole(fields, "code")
    except Malformed as wrong:
        if status in (401, 403):
            return No(status, "not authorised" if status == 401 else "the address is blocked", status == 403)
        return Unknown(f"HTTP {status} that cannot be read: {wrong}")
    text = printable(fields.get("msg"))
    if status in (408, 429) or status >= 500 or (place and code in KNOWN_THERE):
        return Unknown(f"HTTP {status}: {code} {text}".strip())
    if code != 0:
        return No(code, text, status == 403)
    if status != 200:
        return Unknown(f"HTTP {status} with code 0")
    try:
        return Yes(_order_id(fields.get("data"), command.venue_cl_ord_id) if place else "")
    except Malformed as wrong:
        return Unknown(f"HTTP 200 with code 0, but {wrong}")


def no(command: Place | Cancel, told: No, account: str) -> Rejected | CancelRejected:
    """A no as the event that it is."""
    text = f"{told.code} {told.text}".strip()
    if isinstance(command, Cancel):
        reason = CANCEL_REASONS.get(told.code, CxlRejReason.BROKER_OPTION)
        return CancelRejected(
            account=account, reason=reason, venue_cl_ord_id=command.venue_cl_ord_id, venue_order_id=command.venue_order_id, text=text
        )
    otherwise = OrdRejReason.EXCHANGE_CLOSED if told.shut_out else OrdRejReason.BROKER_OPTION
    return Rejected(
        account=account, exec_id=reject_exec_id(command.venue_cl_ord_id), reason=REJECT_REASONS.get(told.code, otherwise),
        venue_cl_ord_id=command.venue_cl_ord_id, text=text,
    )  # fmt: skip


def header(headers: Mapping[str, str], wanted: str) -> int | None:
    """A header's whole number, whatever the case of its name; None where there is none."""
    for each, value in headers.items():
        if each.lower() == wanted.lower() and value.isascii() and value.isdigit() and len(value) < 9:
            return int(value)
    return None


def _order_id(data: Any, cl_ord_id: str) -> str:
    if not isinstance(data, dict):
        raise Malformed("data is missing")
    if data.get("clOrdID") != cl_ord_id:
        raise Malformed("data is not of our order")
    if whole(data, "bizError", 0) != 0:
        raise Malformed(f"bizError is {data['bizError']}")
    return name(data, "orderID")
