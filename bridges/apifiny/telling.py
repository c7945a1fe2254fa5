"""What Apifiny states of an order, as events: the word of a witness, or of the order's own link. Pure.

Readings (document, "Order Status"):

- PENDING_SUBMIT, "sent but not confirmed", says nothing yet.
- PART_FILLED is final: the rest is gone. It, CANCELLED, and REJECTED of an order that was executed in part, are Canceled with CumQty.
- A resting order with executions stays SUBMITTED, with `filledCumulativeQuantity` above 0.
- `lastFilledQuantity` and `lastFilledPrice` of an update are those of the latest execution, told again with every later update: an
  execution is known by the order's id and `filledCumulativeQuantity` after it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from bridges.apifiny.reading import OrderRow
from router.model import Accepted, Canceled, Filled, Rejected, Stated, VenueEvent
from router.words import EXACT, ZERO, OrdRejReason, OrdStatus

__all__ = ["Followed", "stated"]

_STATUSES: Final = {
    "SUBMITTED": OrdStatus.NEW,
    "PART_FILLED": OrdStatus.CANCELED,
    "FILLED": OrdStatus.FILLED,
    "CANCELLED": OrdStatus.CANCELED,
    "REJECTED": OrdStatus.REJECTED,
}
_OPEN: Final = "SUBMITTED"
_OVER_AT_MOST: Final = 10_000
_OPEN_AT_MOST: Final = 10_000
"""Beyond it the one told of longest ago is told of anew, all told."""
_UNCONFIRMED: Final = "PENDING_SUBMIT"


def stated(account: str, row: OrderRow, asked: bool) -> Stated | None:
    """All that a row says; None where it says nothing yet. `asked`: as `Stated.asked`."""
    status = _STATUSES.get(row.status)
    if status is None:
        return None
    if status is OrdStatus.REJECTED and row.cum_qty:
        status = OrdStatus.CANCELED
    text = "rejected by Apifiny, which gave no reason" if status is OrdStatus.REJECTED else ""
    return Stated(
        account=account, status=status, cum_qty=row.cum_qty, avg_px=row.avg_px, venue_cl_ord_id=row.order_id, asked=asked, text=text
    )


class Followed:
    """What has been told of each open order over its own link, so that what comes next is told by what is new in it."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._cum: dict[str, Decimal] = {}
        """CumQty told last, by order id."""
        self._over: dict[str, Decimal] = {}
        """CumQty at the end of orders that ended lately: their end is told by an answer and by the stream, and once is enough."""

    def forget(self) -> None:
        """The stream was away: what it did not tell is found by questions."""
        self._cum.clear()

    def settle(self, row: OrderRow) -> None:
        """The row was told all told (`stated`)."""
        if row.status == _OPEN:
            self._cum[row.order_id] = max(row.cum_qty, self._cum.pop(row.order_id, ZERO))  # the latest last
            if len(self._cum) > _OPEN_AT_MOST:
                del self._cum[next(iter(self._cum))]
        elif row.status != _UNCONFIRMED:
            self._cum.pop(row.order_id, None)
            self._over[row.order_id] = row.cum_qty
            if len(self._over) > _OVER_AT_MOST:
                del self._over[next(iter(self._over))]

    def events(self, row: OrderRow) -> list[VenueEvent]:
        """An update of the stream as events."""
        known, over = self._cum.get(row.order_id), self._over.get(row.order_id)
        if row.status == _UNCONFIRMED or (known is not None and row.cum_qty < known) or (over is not None and row.cum_qty <= over):
            return []  # nothing yet, or overtaken by what was told since
        self.settle(row)
        if row.status == "REJECTED" and not row.cum_qty:
            return [self._rejected(row)]
        told: list[VenueEvent] = [] if known is not None else self._accepted(row)
        told += self._executed(row, known)
        return [*told, self._canceled(row)] if row.status not in (_OPEN, "FILLED") else told

    def _accepted(self, row: OrderRow) -> list[VenueEvent]:
        if row.status not in (_OPEN, "FILLED") and not row.cum_qty:
            return []
        id_ = row.order_id  # over REST the venue's id is the one it was given
        return [Accepted(account=self._account, exec_id=f"{id_}:new", venue_cl_ord_id=id_, venue_order_id=id_)]

    def _executed(self, row: OrderRow, known: Decimal | None) -> list[VenueEvent]:
        """The latest execution; where it cannot be told apart from what was told before, all told."""
        if not row.cum_qty or (row.cum_qty == known and row.status != "FILLED"):
            return []
        last_qty, last_px = row.last_qty, row.last_px
        if last_qty is None or last_px is None or EXACT.add(known or ZERO, last_qty) > row.cum_qty:
            whole = stated(self._account, row, asked=True) if row.status in (_OPEN, "FILLED") else None
            return [whole] if whole is not None else []  # `Canceled` states CumQty itself
        fill = Filled(
            account=self._account, exec_id=f"{row.order_id}:{row.cum_qty.normalize(EXACT):f}", last_qty=last_qty, last_px=last_px,
            complete=row.status == "FILLED", venue_cl_ord_id=row.order_id, cum_qty=row.cum_qty, avg_px=row.avg_px, fee=row.fee,
            fee_currency=row.fee_currency,
        )  # fmt: skip
        return [fill]

    def _canceled(self, row: OrderRow) -> Canceled:
        return Canceled(
            account=self._account, exec_id=f"{row.order_id}:end", venue_cl_ord_id=row.order_id, cum_qty=row.cum_qty, avg_px=row.avg_px,
            text="rejected by Apifiny after an execution" if row.status == "REJECTED" else "",
        )  # fmt: skip

    def _rejected(self, row: OrderRow) -> Rejected:
        return Rejected(
            account=self._account, exec_id=f"{row.order_id}:rejected", reason=OrdRejReason.BROKER_OPTION, venue_cl_ord_id=row.order_id,
            text="rejected by Apifiny, which gave no reason",
        )  # fmt: skip
