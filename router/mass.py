"""Mass requests, each within the session that asks: cancel what is open, or tell of it. Pure.

Sources: FIX 4.4 volume 4, "Order Mass Cancel Request" (each order is told by its own report), "Order Mass Status Request".
"""

from __future__ import annotations

from router.changes import end
from router.model import Effect, MassCancel, MassCancelReport, MassStatus
from router.order import Order
from router.reports import mass_status as told
from router.reports import nothing_matches
from router.state import State
from router.words import Done, MassScope

__all__ = ["mass_cancel", "mass_status"]


def mass_cancel(state: State, request: MassCancel, now: int) -> list[Effect]:
    """OrderMassCancelRequest(q): the report on it, then what happens to each order."""
    wrong = _unfit(request)
    orders = [] if wrong else _open(state, request)
    answer = MassCancelReport(
        session=request.session, report_id=f"M{now}", cl_ord_id=request.cl_ord_id, asked=request.asked, accepted=not wrong,
        affected=len(orders), text=wrong, time=now, symbol=request.symbol, side=request.side,
    )  # fmt: skip
    effects: list[Effect] = [answer]
    for order in orders:
        effects += end(state, order, Done.CANCELED, f"canceled by mass cancel request {request.cl_ord_id}", now)
        state.blotter.settle(order)
    return effects


def mass_status(state: State, request: MassStatus, now: int) -> list[Effect]:
    """OrderMassStatusRequest(AF): one report for each open order, or one that says that there is none."""
    wrong = _unfit(request)
    orders = [] if wrong else _open(state, request)
    if not orders:
        return [nothing_matches(request, wrong or "no open order of this session matches", now)]
    return [told(order, request, len(orders), order is orders[-1], now) for order in orders]


def _open(state: State, request: MassCancel | MassStatus) -> list[Order]:
    return [
        order
        for order in state.blotter.live.values()
        if order.request.session == request.session
        and not order.done
        and (request.scope is not MassScope.SYMBOL or request.symbol in (order.request.symbol, order.symbol, order.venue_symbol))
        and request.side in (None, order.request.side)
    ]


def _unfit(request: MassCancel | MassStatus) -> str:
    if request.scope is None:
        tag = "MassCancelRequestType(530)" if isinstance(request, MassCancel) else "MassStatusReqType(585)"
        return f"{tag} {request.asked} is not offered: 1 (a symbol), 6 or 7 (all of this session)"
    if request.scope is MassScope.SYMBOL and not request.symbol:
        return "Symbol(55) is missing"
    return ""
