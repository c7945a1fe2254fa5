"""The comparison of the three ledgers: what is wrong, what is honestly unknown, and the numbers.

What counts as wrong is in `KINDS`. An order that the router itself lists as unknown (`Order.doubt`) is no fault: it is counted, by what the
router says of it. PrimeBit cannot be asked about orders that have ended, so there such orders stay."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from router.model import ExecutionReport
from router.order import Leg, Order
from router.words import OrdStatus
from tests.chaos.ledgers import ClientLedger, RouterLedger, VenueLedger, VenueOrder
from tests.chaos.markets import MARKETS

KINDS: Final = (
    "lost order", "duplicate create", "told gone, yet at the venue", "not at the venue", "wrong quantity", "wrong price", "wrong state",
    "report missing", "report counted twice", "report unknown to the journal", "request without an answer", "stuck", "internal error",
    "session fault", "router died",
)  # fmt: skip
_SIMULATORS: Final = {each.destination: each.simulator for each in MARKETS}
_CODES: Final = {
    OrdStatus.NEW: "0", OrdStatus.PARTIALLY_FILLED: "1", OrdStatus.FILLED: "2", OrdStatus.CANCELED: "4", OrdStatus.PENDING_CANCEL: "6",
    OrdStatus.REJECTED: "8", OrdStatus.PENDING_NEW: "A", OrdStatus.EXPIRED: "C", OrdStatus.PENDING_REPLACE: "E",
    OrdStatus.DONE_FOR_DAY: "3",
}  # fmt: skip
_VALUED: Final = ("apifiny", "moonbase", "cryptocom")
"""Simulators whose `filled_value` is in quote units."""
_NEAR: Final = Decimal("1e-6")
"""Derived prices have eight decimals: the value of many may differ by so much of it."""


@dataclass
class Verdict:
    """What came of a run."""

    faults: dict[str, list[str]] = field(default_factory=dict)
    """By kind: one line each, with the ids to look for."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Orders that the router lists as unknown, by what it says."""
    unknown_orders: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Nothing is wrong."""
        return not self.faults

    def wrong(self, kind: str, what: str) -> None:
        """One fault more."""
        assert kind in KINDS
        self.faults.setdefault(kind, []).append(what)

    def lines(self) -> list[str]:
        """For people."""
        told = [f"{name:34} {number}" for name, number in self.counts.items()]
        told += [f"listed as unknown: {number:5}  {what}" for what, number in self.unknown.most_common()]
        for kind, faults in self.faults.items():
            told += [f"WRONG  {kind}: {len(faults)}", *(f"         {each}" for each in faults[:12])]
        return [*told, "verdict: nothing lost, nothing twice" if self.good else f"verdict: WRONG ({', '.join(self.faults)})"]


def judge(client: ClientLedger, router: RouterLedger, venues: VenueLedger, asked: dict[tuple[str, str], str]) -> Verdict:
    """Compare. `asked`: every request that the client sent, (session, ClOrdID) -> MsgType."""
    verdict = Verdict()
    for order in router.orders.values():
        _with_client(verdict, order, client)
        _with_venue(verdict, order, venues)
    _requests(verdict, client, router, asked)
    _reports(verdict, client, router)
    _strangers(verdict, router, venues)
    for alert in router.alerts:
        if alert.startswith("internal error"):
            verdict.wrong("internal error", alert)
    _count(verdict, client, router, venues, asked)
    return verdict


def _name(order: Order) -> str:
    at_venue = order.venue_order_id or order.venue_cl_ord_id
    return f"{order.destination} {order.order_id} (ClOrdID {order.request.cl_ord_id}, venue id {at_venue})"


def _with_client(verdict: Verdict, order: Order, client: ClientLedger) -> None:
    told = client.orders.get(order.order_id)
    if told is None:
        return  # its reports are missing, and that is said
    if told.cum_qty != order.cum_qty:
        verdict.wrong("wrong quantity", f"{_name(order)}: executions told {told.cum_qty:f}, booked {order.cum_qty:f}")
    if Decimal(told.last["14"]) != order.cum_qty:
        verdict.wrong("wrong quantity", f"{_name(order)}: CumQty told {told.last['14']}, booked {order.cum_qty:f}")


def _with_venue(verdict: Verdict, order: Order, venues: VenueLedger) -> None:
    simulator = _SIMULATORS.get(order.destination)
    if simulator is None:
        return
    if order.doubt:
        verdict.unknown[f"{order.destination}: {re.sub(r'[0-9a-fx.-]*[0-9][0-9a-f.-]*', 'N', order.doubt)}"] += 1
        verdict.unknown_orders.append(f"{_name(order)}: {order.doubt}")
    for leg in (*order.former, order.leg):
        found = venues.of(simulator, leg)
        for each in found:
            each.claimed = order.order_id
        if len(found) > 1:
            verdict.wrong("duplicate create", f"{_name(order)}: {', '.join(each.id for each in found)} are all of one leg")
        elif found:
            _with_venue_order(verdict, order, leg, found[0])
        elif leg.accepted and order.placed:
            verdict.wrong("not at the venue", f"{_name(order)}: {leg.venue_order_id or leg.venue_cl_ord_id} was accepted, says the router")
    waits = not order.done and order.base is OrdStatus.PENDING_NEW
    if not order.doubt and (waits or order.pending is not None or order.waiting):
        verdict.wrong(
            "stuck", f"{_name(order)}: {order.base}, pending {order.pending.status if order.pending else 'nothing'}, no doubt listed"
        )


def _with_venue_order(verdict: Verdict, order: Order, leg: Leg, there: VenueOrder) -> None:
    if order.doubt:
        return
    present = leg is order.leg
    if present and order.done and not leg.accepted and not leg.cum_qty:
        verdict.wrong("told gone, yet at the venue", f"{_name(order)}: {order.base}; at the venue {there.id} is {there.status}")
        return
    if leg.cum_qty != there.filled:
        verdict.wrong("wrong quantity", f"{_name(order)}: booked {leg.cum_qty:f}, executed at the venue {there.filled:f} ({there.id})")
    elif leg.terms.order_qty != there.qty and not order.done:
        verdict.wrong("wrong quantity", f"{_name(order)}: {leg.terms.order_qty} ordered, {there.qty} at the venue")
    elif there.simulator in _VALUED and there.value is not None and abs(there.value - leg.notional) > _NEAR * (there.value + 1):
        verdict.wrong("wrong price", f"{_name(order)}: booked for {leg.notional:f}, executed for {there.value:f}")
    if there.live != (present and not order.done):
        verdict.wrong("wrong state", f"{_name(order)}: {order.base}{'' if present else ', a former leg'}; at the venue {there.status}")


def _requests(verdict: Verdict, client: ClientLedger, router: RouterLedger, asked: dict[tuple[str, str], str]) -> None:
    journaled = {(each.request.session, each.request.cl_ord_id) for each in router.orders.values()}
    waiting = {
        (each.request.session, request.cl_ord_id)
        for each in router.orders.values()
        for request in [each.pending.request if each.pending else None, *each.waiting]
        if request is not None and hasattr(request, "cl_ord_id") and each.doubt
    }
    for key, msg_type in asked.items():
        if key in client.answered or key in waiting:
            continue
        if msg_type != "D":
            verdict.wrong("request without an answer", f"{msg_type} {key[1]} of {key[0]}")
        else:
            verdict.wrong("lost order", f"{key[1]} of {key[0]}: {'journaled, ' if key in journaled else ''}nothing was ever told of it")


def _reports(verdict: Verdict, client: ClientLedger, router: RouterLedger) -> None:
    for key, report in router.reports.items():
        heard = client.reports.get(key)
        if heard is None:
            verdict.wrong("report missing", f"{key[0]} ExecID {key[1]}: {report.exec_type} {report.ord_status} of {report.cl_ord_id}")
        elif not _same(report, heard):
            verdict.wrong("report unknown to the journal", f"{key[0]} ExecID {key[1]} says otherwise: {heard.raw}")
    for key, heard in client.reports.items():
        if key not in router.reports and heard["37"] != "NONE":
            verdict.wrong("report unknown to the journal", f"{key[0]} ExecID {key[1]}: {heard.raw}")
    for key in router.cancel_rejects - client.cancel_rejects:
        verdict.wrong("report missing", f"{key[0]}: the refusal (9) of {key[1]}")
    for what in client.twice:
        verdict.wrong("report counted twice", what)


def _same(report: ExecutionReport, heard: dict[str, str]) -> bool:
    status = _CODES[report.ord_status]
    # FIX 4.2 shows a replaced order as 5 where 4.4 shows what is beneath.
    return (Decimal(heard["14"]), Decimal(heard["32"] or "0")) == (report.cum_qty, report.last_qty) and heard["39"] in (status, "5")


def _strangers(verdict: Verdict, router: RouterLedger, venues: VenueLedger) -> None:
    """Orders at venues that no order of ours has claimed: each must be what an order in doubt may be."""
    nameless = [each for each in router.orders.values() if each.doubt and each.placed and not each.leg.venue_order_id]
    for there in venues.unclaimed():
        alike = next((each for each in nameless if _alike(each, there)), None)
        if alike is None:
            of = next((each for each in router.orders.values() if _alike(each, there)), None)
            kind = "duplicate create" if of is not None and any(each.claimed == of.order_id for each in venues.orders) else "lost order"
            kind = "told gone, yet at the venue" if kind == "lost order" and of is not None and of.done else kind
            whose = _name(of) if of is not None else "no order of ours"
            verdict.wrong(kind, f"{there.simulator} {there.id} ({there.side} {there.qty} {there.symbol} at {there.price}): like {whose}")
        else:
            nameless.remove(alike)


def _alike(order: Order, there: VenueOrder) -> bool:
    if _SIMULATORS.get(order.destination) != there.simulator or order.venue_symbol.lower() != there.symbol.lower():
        return False
    return any(
        (leg.terms.side.value, leg.terms.order_qty, leg.terms.price) == (there.side, there.qty, there.price)
        for leg in (*order.former, order.leg)
    )


def _count(
    verdict: Verdict, client: ClientLedger, router: RouterLedger, venues: VenueLedger, asked: dict[tuple[str, str], str]
) -> None:  # fmt: skip
    kinds = Counter(asked.values())
    verdict.counts = {
        "orders sent by the client": kinds["D"],
        "cancels, replaces": kinds["F"] + kinds["G"],
        "orders in the journal": len(router.orders),
        "inputs in the journal": router.inputs,
        "orders at the venues": len(venues.orders),
        "reports heard": len(client.reports),
        "of those heard again (97=Y)": client.repeated,
        "executions": sum(len(each.executions) for each in client.orders.values()),
        "orders still open": sum(not each.done for each in router.orders.values()),
        "orders listed as unknown": sum(verdict.unknown.values()),
    }
