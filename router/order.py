"""One order and its transition table: the only place where the state of an order changes.

The rules, all of them here:

1. An order is in one *base* state (`TRANSITIONS` says how it moves) and may have one request *pending* on top. OrdStatus(39) is
   whichever has the higher precedence (FIX 4.4 volume 4, Appendix D: PendingCancel 12, PendingReplace 11, DoneForDay 10, Filled 8,
   Canceled 5, Expired 3, PartiallyFilled 4, New 2).
2. What the venue executed is always booked, in whatever state the order is: before its acknowledgement, while a cancel is pending,
   after it was canceled or even refused. A position is a fact; the state only decides how it is shown.
3. A pair that is missing from the table is the venue contradicting itself: `Contradiction`, and nothing changes.
4. LeavesQty is 0 once the order is done, and OrderQty - CumQty before (FIX 4.2 volume 6, LeavesQty). An order by cash amount
   has no quantity of its own: its LeavesQty is 0 throughout.
5. Until a cancel or replace is confirmed, reports carry the order's own ClOrdID, not the request's (FIX 4.2 Appendix D, introduction).
6. At its venue an order is one *leg*; where the venue cannot replace, a replace ends that leg and begins another. The client sees one
   order: one OrderID, CumQty and AvgPx over all legs. A new leg begins only when the last one is known to be over, with all that was
   executed of it.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from functools import reduce
from typing import Final

from router.model import CancelOrder, NewOrder, ReplaceOrder
from router.words import EXACT, ZERO, Done, OrdStatus, TimeInForce

__all__ = ["DONE", "TRANSITIONS", "Contradiction", "Happening", "Leg", "Order", "Pending"]


class Happening(StrEnum):
    """What can befall the base state of an order."""

    ACCEPTED = "accepted"
    FILLED_IN_PART = "filled-in-part"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    DONE_FOR_DAY = "done-for-day"
    REJECTED = "rejected"
    REDUCED = "reduced"
    """A part of what filled it was taken back."""
    REOPENED = "reopened"
    """It was made larger when all of what it was before had been executed."""
    EMPTIED = "emptied"
    """All that was executed of it was taken back."""


class Contradiction(Exception):
    """The venue says something that cannot follow from what it said before."""


_S, _H = OrdStatus, Happening
_LIVE: Final = (_S.PENDING_NEW, _S.NEW, _S.PARTIALLY_FILLED)
_CLOSED: Final = (_S.CANCELED, _S.EXPIRED, _S.DONE_FOR_DAY)

TRANSITIONS: Final[dict[tuple[OrdStatus, Happening], OrdStatus]] = {
    # An acknowledgement moves only an order that waits for it; one that comes late says nothing new.
    (_S.PENDING_NEW, _H.ACCEPTED): _S.NEW,
    (_S.NEW, _H.ACCEPTED): _S.NEW,
    (_S.PARTIALLY_FILLED, _H.ACCEPTED): _S.PARTIALLY_FILLED,
    (_S.FILLED, _H.ACCEPTED): _S.FILLED,
    # We, or the venue, said no too early: the order is real after all, and the client must know.
    (_S.REJECTED, _H.ACCEPTED): _S.NEW,
    **{(state, _H.FILLED_IN_PART): _S.PARTIALLY_FILLED for state in (*_LIVE, _S.REJECTED)},
    **{(state, _H.FILLED): _S.FILLED for state in (*_LIVE, *_CLOSED, _S.FILLED, _S.REJECTED)},
    # A late fill of a closed order changes its CumQty, not its state (precedence: Canceled 5 over PartiallyFilled 4).
    **{(state, _H.FILLED_IN_PART): state for state in _CLOSED},
    **{(state, _H.CANCELED): _S.CANCELED for state in (*_LIVE, _S.CANCELED)},
    **{(state, _H.EXPIRED): _S.EXPIRED for state in (*_LIVE, _S.EXPIRED)},
    **{(state, _H.DONE_FOR_DAY): _S.DONE_FOR_DAY for state in (*_LIVE, _S.DONE_FOR_DAY)},
    (_S.PENDING_NEW, _H.REJECTED): _S.REJECTED,
    (_S.REJECTED, _H.REJECTED): _S.REJECTED,
    # The venue works nothing of a filled order any more, whatever is taken back of it.
    (_S.FILLED, _H.REDUCED): _S.CANCELED,
    # The old leg of a replace was filled late, after it was said to be canceled, and the new one is live.
    (_S.FILLED, _H.REOPENED): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _H.EMPTIED): _S.NEW,
}

DONE: Final = frozenset({_S.FILLED, _S.CANCELED, _S.EXPIRED, _S.DONE_FOR_DAY, _S.REJECTED})
_PENDING_UNDER: Final = frozenset({_S.CANCELED, _S.EXPIRED, _S.REJECTED})
"""States that end a pending request: it is answered with them."""
_AVG_PX_DECIMALS: Final = 12
_AVG_PX_STEP: Final = Decimal(1).scaleb(-_AVG_PX_DECIMALS)


class Pending:
    """What the venue has been asked to do with an order and has not answered: PENDING_CANCEL or PENDING_REPLACE."""

    __slots__ = ("end", "native", "request", "sent", "shown", "status", "text")

    def __init__(
        self, status: OrdStatus, request: CancelOrder | ReplaceOrder | None, shown: bool, end: Done = Done.CANCELED, text: str = ""
    ) -> None:
        self.status = status
        self.request = request
        """The client's request; None where the router cancels by itself (an expiry, a mass cancel, an operator)."""
        self.shown = shown
        """Whether this client wants to see this pending state at all."""
        self.end = end
        """How the order ends when our own cancel is confirmed."""
        self.text = text
        """Why we cancel it."""
        self.sent = False
        """False while it is held back: the venue knows no such order yet, or the link is down."""
        self.native = False
        """A replace that the venue does itself; False: by cancel and a new leg."""


class Leg:
    """One order at the venue. Quantities and prices are the venue's, of this leg alone."""

    __slots__ = ("accepted", "aside_qty", "aside_value", "cum_qty", "inferred", "notional", "terms", "venue_cl_ord_id", "venue_order_id")

    def __init__(self, venue_cl_ord_id: str, terms: NewOrder) -> None:
        self.venue_cl_ord_id = venue_cl_ord_id
        self.venue_order_id: str | None = None
        self.terms = terms
        """What was asked of the venue, as an order of its own."""
        self.cum_qty = ZERO
        self.notional = ZERO
        self.inferred = ZERO
        """Of `cum_qty`: what was booked from the venue's totals, and whose executions may still be told."""
        self.accepted = False
        """Whether the venue has said that it has it."""
        self.aside_qty = ZERO
        """What operators took back of what the venue told, which it goes on counting."""
        self.aside_value = ZERO

    @property
    def told_qty(self) -> Decimal:
        """What was executed of it by the venue's own count, as far as it was heard."""
        return EXACT.add(self.cum_qty, self.aside_qty) if self.aside_qty else self.cum_qty

    @property
    def told_value(self) -> Decimal:
        """The value of that."""
        return EXACT.add(self.notional, self.aside_value)

    @property
    def leaves_qty(self) -> Decimal:
        """What the venue may still execute of it."""
        order_qty = self.terms.order_qty
        return ZERO if order_qty is None else max(EXACT.subtract(order_qty, self.told_qty), ZERO)


class Order:
    """An order, from the client's request to its last fill. Quantities in base units, prices in quote units, times in ns UTC."""

    __slots__ = (
        "account",
        "asked",
        "base",
        "candidates",
        "cl_ord_id",
        "created",
        "cum_qty",
        "destination",
        "doubt",
        "executions",
        "former",
        "heard",
        "inferred",
        "leg",
        "link",
        "notional",
        "order_id",
        "orig_cl_ord_id",
        "pending",
        "placed",
        "queries",
        "replaced",
        "reports",
        "request",
        "symbol",
        "text",
        "time_in_force",
        "updated",
        "venue",
        "venue_symbol",
        "venue_time_in_force",
        "waiting",
        "witness",
    )  # fmt: skip

    def __init__(self, order_id: str, request: NewOrder, now: int) -> None:
        self.order_id = order_id
        self.request = request
        self.cl_ord_id = request.cl_ord_id
        self.orig_cl_ord_id: str | None = None
        self.base = OrdStatus.PENDING_NEW
        self.pending: Pending | None = None
        self.cum_qty = ZERO
        self.notional = ZERO
        """Sum of LastQty times LastPx, exact."""
        self.created = self.updated = now
        self.reports = 0
        """How many reports have been made of it: the last part of their ExecIDs."""
        self.text = ""
        """Why it is as it is, where somebody said so."""
        self.time_in_force = request.time_in_force
        self.venue_time_in_force = TimeInForce.GTC
        """As the venue is told; another than `time_in_force` where the router ends the order by its own clock."""
        self.replaced = False
        """True once a replace was confirmed."""
        self.destination = self.account = self.link = self.venue = self.symbol = self.venue_symbol = ""
        self.witness = ""
        """The link of a second witness of what happens at the venue; "" where there is none."""
        self.leg = Leg(request.venue_cl_ord_id, request)
        """The order at the venue now (rule 6)."""
        self.former: tuple[Leg, ...] = ()
        """Legs that are over."""
        self.executions: dict[str, tuple[Leg, Decimal, Decimal]] = {}
        """By the ExecID the client has had: leg, LastQty, LastPx of each execution that stands."""
        self.inferred: set[str] = set()
        """Those of `executions` that were booked from the venue's totals."""
        self.waiting: list[CancelOrder | ReplaceOrder | Pending] = []
        """What is to be done with it once the pending request is answered."""
        self.placed = 0
        """When it was sent and so may have reached the venue, ns UTC; 0 before."""
        self.doubt = ""
        """Why its true state at the venue is not known; "" when it is."""
        self.asked = False
        """True while a question about it is under way."""
        self.queries = 0
        self.candidates: tuple[str, ...] = ()
        """Orders at the venue that this one may be, where only a person can tell."""
        self.heard = now
        """When the venue last spoke of it, or was last asked about it; ns UTC."""

    @property
    def venue_cl_ord_id(self) -> str:
        """Our id at the venue, of the present leg."""
        return self.leg.venue_cl_ord_id

    @property
    def venue_order_id(self) -> str | None:
        """The venue's id, of the present leg; None until it is told."""
        return self.leg.venue_order_id

    def leg_of(self, venue_cl_ord_id: str | None, venue_order_id: str | None) -> Leg:
        """The leg that a venue event speaks of; the present one unless it names a former one."""
        for leg in self.former:
            if venue_cl_ord_id == leg.venue_cl_ord_id or (venue_order_id is not None and venue_order_id in _names(leg)):
                return leg
        return self.leg

    def next_leg(self, venue_cl_ord_id: str, terms: NewOrder) -> None:
        """The present leg is over; another begins (rule 6)."""
        self.former = (*self.former, self.leg)
        self.leg = Leg(venue_cl_ord_id, terms)

    @property
    def replacing(self) -> bool:
        """True while the new leg of a replace waits for the venue's word."""
        return self.pending is not None and self.pending.status is OrdStatus.PENDING_REPLACE and bool(self.former) and not self.leg.accepted

    @property
    def done(self) -> bool:
        """True when nothing more can be executed, as far as the venue has said."""
        return self.base in DONE

    @property
    def ord_status(self) -> OrdStatus:
        """OrdStatus(39), by precedence (rule 1)."""
        if self.pending is not None and self.pending.shown and self.base not in _PENDING_UNDER:
            return self.pending.status
        return self.base

    @property
    def leaves_qty(self) -> Decimal:
        """What may still be executed (rule 4)."""
        order_qty = self.request.order_qty
        if self.base in DONE or order_qty is None:
            return ZERO
        return max(EXACT.subtract(order_qty, self.cum_qty), ZERO)

    @property
    def avg_px(self) -> Decimal:
        """Average price of what was executed: exact where it ends within 12 decimals, else the nearest such value."""
        if not self.cum_qty:
            return ZERO
        exact = EXACT.divide(self.notional, self.cum_qty)
        ends = exact.as_tuple().exponent
        if isinstance(ends, int) and ends >= -_AVG_PX_DECIMALS:
            return exact
        return EXACT.quantize(exact, _AVG_PX_STEP).normalize(EXACT)

    @property
    def overfilled(self) -> bool:
        """True when the venue executed more than was ordered."""
        return self.request.order_qty is not None and self.cum_qty > self.request.order_qty

    def happen(self, what: Happening, now: int) -> bool:
        """Move the base state. Returns whether it changed; raises `Contradiction` where the table has no such move (rule 3)."""
        after = TRANSITIONS.get((self.base, what))
        if after is None:
            raise Contradiction(f"{what} cannot follow {self.base}")
        self.updated = now
        changed = after is not self.base
        self.base = after
        return changed

    def fill(self, leg: Leg, last_qty: Decimal, last_px: Decimal, complete: bool, now: int) -> None:
        """Book one execution (rule 2). `complete` settles an order by cash amount, which has no quantity to compare with."""
        value = EXACT.multiply(last_qty, last_px)
        leg.cum_qty = EXACT.add(leg.cum_qty, last_qty)
        leg.notional = EXACT.add(leg.notional, value)
        self.cum_qty = EXACT.add(self.cum_qty, last_qty)
        self.notional = EXACT.add(self.notional, value)
        order_qty = self.request.order_qty
        filled = complete or self.base is OrdStatus.FILLED
        whole = filled if order_qty is None else self.cum_qty >= order_qty
        self.happen(Happening.FILLED if whole else Happening.FILLED_IN_PART, now)

    def rebook(self, leg: Leg, quantity: Decimal, value: Decimal) -> None:
        """Change what was booked of a leg by a quantity and a value, either of which may be below zero."""
        leg.cum_qty = EXACT.add(leg.cum_qty, quantity)
        leg.notional = EXACT.add(leg.notional, value)
        leg.inferred = min(leg.inferred, leg.cum_qty)
        self.cum_qty = EXACT.add(self.cum_qty, quantity) or ZERO
        self.notional = EXACT.add(self.notional, value)

    def check(self) -> None:
        """Assert what must hold of every order at every moment."""
        request = self.request
        assert self.cum_qty >= 0, f"{self.order_id}: CumQty {self.cum_qty}"
        if request.order_qty is not None and not self.overfilled and not self.done:
            assert self.leaves_qty + self.cum_qty == request.order_qty, f"{self.order_id}: leaves + cum != qty"
        if self.base is OrdStatus.FILLED and request.order_qty is not None:
            assert self.cum_qty >= request.order_qty, f"{self.order_id}: filled with {self.cum_qty} of {request.order_qty}"
        if self.base in (OrdStatus.PENDING_NEW, OrdStatus.NEW, OrdStatus.REJECTED):
            assert self.cum_qty == 0, f"{self.order_id}: {self.base} with fills"
        assert (self.notional != 0) == (self.cum_qty != 0) or self.notional == 0, f"{self.order_id}: value without quantity"
        assert not self.placed or self.venue_cl_ord_id, f"{self.order_id}: placed without an id for the venue"
        legs = (*self.former, self.leg)
        assert self.cum_qty == reduce(EXACT.add, [leg.cum_qty for leg in legs]), f"{self.order_id}: legs do not add up"
        assert self.notional == reduce(EXACT.add, [leg.notional for leg in legs]), f"{self.order_id}: values of legs do not add up"
        assert all(leg.inferred <= leg.cum_qty for leg in legs), f"{self.order_id}: more inferred than executed"


def _names(leg: Leg) -> tuple[str, str | None]:
    return leg.venue_cl_ord_id, leg.venue_order_id
