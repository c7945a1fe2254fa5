"""An order's row of an AOP message as venue events (document, "Subscribe Account-Order-Position (AOP)"). Pure.

Readings; the document's sample shows one row, of a New order, and names no other state:

- ordStatus is Created, Untriggered, Triggered, New, PartiallyFilled, Filled, Canceled or Rejected (the venue's later words); any other
  is not understood, and said so. execStatus CreateRejected is a reject too.
- A row with an execID that is not all zeros and an execQty is an execution, whatever execStatus calls it.
- cumQty and cumValueEv are the order's, this execution included; execFeeEv is this execution's, negative for a rebate.
- A row that tells of quantity executed without the execution itself (a snapshot may) becomes a `Filled` of one contract with CumQty
  and AvgPx: whatever else was missed is then booked from these, and nothing twice.
- The ExecIDs that we give where the venue has none depend on the order alone, so that a repetition is known as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from bridges.phemex.codes import REJECT_REASONS
from bridges.phemex.payload import Malformed, name, printable, whole
from bridges.phemex.scaling import CONTRACTS, Contract, price
from router.model import Accepted, Canceled, Filled, Rejected, VenueEvent
from router.words import OrdRejReason, Side

__all__ = ["ENDED", "LIVE", "Row", "events", "new_exec_id", "read", "reject_exec_id"]

LIVE: Final = frozenset({"Untriggered", "Triggered", "New", "PartiallyFilled"})
ENDED: Final = frozenset({"Filled", "Canceled", "Rejected"})
_STATUSES: Final = LIVE | ENDED | {"Created"}
_SIDES: Final = {"Buy": Side.BUY, "Sell": Side.SELL}
_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Row:
    """What has last happened to an order. Quantities in contracts; `seq` rises with what happens, 0 where it is not told."""

    order_id: str
    cl_ord_id: str | None
    contract: Contract
    side: Side
    status: str
    exec_id: str | None
    """None where the row is no execution."""
    exec_qty: int
    exec_price_ep: int
    exec_fee_ev: int
    order_qty: int
    cum_qty: int
    cum_value_ev: int
    price_ep: int
    seq: int
    time: int
    code: int
    message: str

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def avg_px(self) -> Decimal | None:
        """AvgPx of all that was executed."""
        if self.exec_id is not None and self.exec_qty == self.cum_qty:
            return price(self.exec_price_ep)
        likely = price(self.exec_price_ep if self.exec_id is not None else self.price_ep)
        return self.contract.average(self.cum_qty, self.cum_value_ev, likely)


def new_exec_id(order_id: str) -> str:
    """ExecID of an acceptance, whoever tells it: the stream, the create's answer, a snapshot."""
    return f"new-{order_id}"


def reject_exec_id(cl_ord_id: str) -> str:
    """ExecID of a reject, told over HTTP or in AOP."""
    return f"reject-{cl_ord_id}"


def read(fields: Mapping[str, Any]) -> Row:
    """Raises `Malformed` for what cannot be an order's row."""
    contract = CONTRACTS.get(name(fields, "symbol"))
    if contract is None:
        raise Malformed(f"symbol {fields['symbol']} has no known scale")
    side = _SIDES.get(name(fields, "side"))
    if side is None:
        raise Malformed(f"side {fields['side']} is neither Buy nor Sell")
    status = name(fields, "ordStatus")
    if fields.get("execStatus") == "CreateRejected":
        status = "Rejected"
    if status not in _STATUSES:
        raise Malformed(f"ordStatus {status} is not one that we know")
    exec_id = fields.get("execID")
    executed = isinstance(exec_id, str) and bool(exec_id.strip("0-")) and whole(fields, "execQty", 0) > 0
    row = Row(
        order_id=name(fields, "orderID"), cl_ord_id=name(fields, "clOrdID") if fields.get("clOrdID") else None, contract=contract,
        side=side, status=status, exec_id=name(fields, "execID") if executed else None, exec_qty=whole(fields, "execQty", 0),
        exec_price_ep=whole(fields, "execPriceEp", 0), exec_fee_ev=whole(fields, "execFeeEv", 0), order_qty=whole(fields, "orderQty"),
        cum_qty=whole(fields, "cumQty"), cum_value_ev=whole(fields, "cumValueEv"), price_ep=whole(fields, "priceEp", 0),
        seq=whole(fields, "execSeq", 0), time=whole(fields, "transactTimeNs", 0), code=whole(fields, "code", 0),
        message=printable(fields.get("message")),
    )  # fmt: skip
    if row.cum_qty < 0 or (executed and row.cum_qty < row.exec_qty):
        raise Malformed(f"cumQty {row.cum_qty} cannot be, with execQty {row.exec_qty}")
    if row.order_qty <= 0 or row.cum_value_ev < 0 or row.price_ep < 0:
        raise Malformed(f"orderQty {row.order_qty}, cumValueEv {row.cum_value_ev} or priceEp {row.price_ep} cannot be")
    if executed and row.exec_price_ep <= 0:
        raise Malformed(f"execPriceEp {row.exec_price_ep} of an execution is not above zero")
    return row


def events(row: Row, account: str, accepted: bool) -> list[VenueEvent]:
    """What a row says. `accepted`: the router knows the order as accepted, so a reject can only be told as its end."""
    told: list[VenueEvent] = []
    if row.exec_id is not None:
        told.append(_filled(row, account, row.exec_id, Decimal(row.exec_qty), price(row.exec_price_ep)))
    elif row.cum_qty and row.status not in ("Canceled", "Rejected") and row.avg_px is not None:
        told.append(_filled(row, account, f"cum-{row.order_id}-{row.cum_qty}", _ONE, row.avg_px))
    elif row.status in LIVE:
        told.append(_accepted(row, account))
    if row.status == "Rejected" and not (accepted or told):
        told.append(_rejected(row, account))
    elif row.status in ("Canceled", "Rejected"):
        told.append(_canceled(row, account))
    return told


def _accepted(row: Row, account: str) -> Accepted:
    return Accepted(
        account=account, exec_id=new_exec_id(row.order_id), venue_cl_ord_id=row.cl_ord_id, venue_order_id=row.order_id,
        text="held by Phemex until its stop price is reached" if row.status == "Untriggered" else "",
    )  # fmt: skip


def _filled(row: Row, account: str, exec_id: str, last_qty: Decimal, last_px: Decimal) -> Filled:
    real = row.exec_id is not None
    return Filled(
        account=account, exec_id=exec_id, last_qty=last_qty, last_px=last_px, complete=row.status == "Filled",
        venue_cl_ord_id=row.cl_ord_id, venue_order_id=row.order_id, symbol=row.contract.symbol, side=row.side,
        order_qty=Decimal(row.order_qty), cum_qty=Decimal(row.cum_qty), avg_px=row.avg_px,
        fee=row.contract.amount(row.exec_fee_ev) if real else None, fee_currency=row.contract.settle if real else "",
    )  # fmt: skip


def _canceled(row: Row, account: str) -> Canceled:
    return Canceled(
        account=account, exec_id=f"canceled-{row.order_id}", venue_cl_ord_id=row.cl_ord_id, venue_order_id=row.order_id,
        symbol=row.contract.symbol, side=row.side, order_qty=Decimal(row.order_qty), cum_qty=Decimal(row.cum_qty), avg_px=row.avg_px,
        text=f"{row.code} {row.message}" if row.code else "",
    )  # fmt: skip


def _rejected(row: Row, account: str) -> Rejected:
    return Rejected(
        account=account, exec_id=reject_exec_id(row.cl_ord_id or row.order_id),
        reason=REJECT_REASONS.get(row.code, OrdRejReason.BROKER_OPTION), venue_cl_ord_id=row.cl_ord_id, venue_order_id=row.order_id,
        text=f"{row.code} {row.message}" if row.code else row.message or "rejected by Phemex, which gave no reason",
    )  # fmt: skip
