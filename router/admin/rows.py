"""Rows of the admin API made of what the core said. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, overload

from router.admin.contract import FillRow, RejectRow
from router.admin.facts import iso
from router.model import CancelReject, ExecutionReport
from router.order import Order
from router.words import NONE, CxlRejResponseTo, ExecType

__all__ = ["MessageRefused", "Newest", "Refused", "Seen", "fill_row", "recovered_fills", "reject_kind", "reject_row"]

_T = TypeVar("_T")
_Row = TypeVar("_Row", covariant=True)


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """A client's message that never became an input: answered with 3 or j."""

    session: str
    text: str
    reference: str
    """ClOrdID(11) of it, where it had one."""


Seen = FillRow | ExecutionReport
"""A fill as it was recovered, or as it was reported."""
Refused = ExecutionReport | CancelReject | tuple[MessageRefused, int]
"""An order, a request, or a message with its time, ns UTC."""


class Newest(Sequence[_Row], Generic[_T, _Row]):
    """Things that happened, the newest first; a row is made only of one that is looked at."""

    def __init__(self, happened: Sequence[_T], row: Callable[[_T], _Row]) -> None:
        self._happened = happened
        self._row = row

    def __len__(self) -> int:
        return len(self._happened)

    @overload
    def __getitem__(self, at: int) -> _Row: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[_Row]: ...
    def __getitem__(self, at: int | slice) -> _Row | Sequence[_Row]:
        if isinstance(at, slice):
            return [self._row(self._happened[-1 - each]) for each in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return self._row(self._happened[-1 - at])


def reject_kind(reject: CancelReject) -> Literal["cancel", "replace"]:
    """What was refused."""
    return "replace" if reject.response_to is CxlRejResponseTo.REPLACE else "cancel"


def fill_row(seen: Seen) -> FillRow:
    """Of a report of an execution, or of its correction."""
    if isinstance(seen, FillRow):
        return seen
    report = seen
    return FillRow(
        time=iso(report.time), exec_id=report.exec_id, exec_type=report.exec_type.value, exec_ref_id=report.exec_ref_id or "",
        order_id=report.order_id, cl_ord_id=report.cl_ord_id, session=report.session, account=report.account or "",
        destination=report.destination or "", symbol=report.symbol, side=report.side.value, last_qty=f"{report.last_qty:f}",
        last_px=f"{report.last_px:f}", cum_qty=f"{report.cum_qty:f}", leaves_qty=f"{report.leaves_qty:f}",
        fee="" if report.fee is None else f"{report.fee:f}", fee_currency=report.fee_currency, text=report.text,
    )  # fmt: skip


def recovered_fills(order: Order) -> list[FillRow]:
    """The executions of an order that stand, of before this process."""
    request = order.request
    return [
        FillRow(
            time=iso(order.updated), exec_id=exec_id, exec_type=ExecType.TRADE.value, exec_ref_id="", order_id=order.order_id,
            cl_ord_id=order.cl_ord_id, session=request.session, account=request.account or "", destination=order.destination,
            symbol=request.symbol, side=request.side.value, last_qty=f"{last_qty:f}", last_px=f"{last_px:f}", cum_qty="", leaves_qty="",
            fee="", fee_currency="", text="of before the router's last start; the time is that of the order's last change",
        )
        for exec_id, (_, last_qty, last_px) in order.executions.items()
    ]  # fmt: skip


def reject_row(refused: Refused) -> RejectRow:
    """Of a refused order, request or message."""
    if isinstance(refused, tuple):
        message, time = refused
        return RejectRow(
            time=iso(time), kind="message", session=message.session, order_id="", cl_ord_id=message.reference, destination="",
            reason="other", text=message.text,
        )  # fmt: skip
    reason = refused.reason if isinstance(refused, CancelReject) else refused.ord_rej_reason
    return RejectRow(
        time=iso(refused.time), kind=reject_kind(refused) if isinstance(refused, CancelReject) else "order", session=refused.session,
        order_id="" if refused.order_id == NONE else refused.order_id, cl_ord_id=refused.cl_ord_id,
        destination=refused.destination or "", reason="" if reason is None else reason.value, text=refused.text,
    )  # fmt: skip
