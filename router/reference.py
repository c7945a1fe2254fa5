"""Answers to questions about instruments and destinations, and what was executed of each. Pure.

The rules:

1. Instruments are told as the venue listed them last, else as configured; one entry for each symbol and destination.
2. A destination is told with the reason that a new order would be refused with now. Who subscribed hears of every change once. A
   subscription ends with its session's logout and with the router's life: after either, ask anew.
3. What was executed is counted for `positions.py` as it is booked; executions that are corrected or taken back count as they are now.
   Orders that are forgotten leave theirs behind.
4. An answer is never sent again after a crash: it may not be true any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router.acts import Halt, Resume, Stopping, Switch, Switched
from router.inquiries import (
    Result,
    SecurityDefinition,
    SecurityDefinitionRequest,
    SecurityList,
    SecurityListRequest,
    Subscription,
    Tradable,
    TradingStatus,
    TradingStatusReport,
    TradingStatusRequest,
)
from router.model import ClientDown, Effect, ExecutionReport, Input, LinkDown, LinkUp, Started, Stopped
from router.order import Order
from router.rules import Configured, Destination
from router.state import State, Traded, Watching, halt_of
from router.words import EXACT, ZERO, ExecType, Side

__all__ = [
    "PAGE",
    "SUBSCRIPTIONS",
    "catch_up",
    "follow",
    "recount",
    "security_definition",
    "security_list",
    "trading_status",
]

PAGE: Final = 50
"""Instruments in one SecurityList."""
SUBSCRIPTIONS: Final = 50
"""Of one session at a time."""
_FILLS: Final = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})
_TURNING: Final = frozenset({LinkUp, LinkDown, Halt, Resume, Switched, Stopping, Configured})
"""Inputs that may change what a destination is; the end of reconciling may come with any."""


# --- instruments --------------------------------------------------------------------------------------------------------


def security_list(state: State, request: SecurityListRequest, now: int) -> list[Effect]:
    """SecurityListRequest(x): all that fits, in pages of fifty, or one message that says why not."""
    found = list(_tradables(state, request.symbol, request.destination)) if request.offered else []
    result = Result.UNSUPPORTED if not request.offered else Result.YES if found else Result.NOTHING
    pages = [tuple(found[at : at + PAGE]) for at in range(0, len(found), PAGE)] or [()]
    return [
        SecurityList(
            session=request.session, request_id=request.request_id, response_id=f"L{now}-{number}", result=result,
            total=len(found), last=number == len(pages), tradables=page,
        )
        for number, page in enumerate(pages, 1)
    ]  # fmt: skip


def security_definition(state: State, request: SecurityDefinitionRequest, now: int) -> list[Effect]:
    """SecurityDefinitionRequest(c): a definition for each destination that trades the symbol, or of all that fits."""

    def told(number: int, result: Result, tradable: Tradable | None, total: int, text: str) -> SecurityDefinition:
        return SecurityDefinition(
            session=request.session, request_id=request.request_id, response_id=f"S{now}-{number}", result=result,
            listing=request.listing, total=total, tradable=tradable, text=text,
        )  # fmt: skip

    if request.wrong:
        return [told(1, Result.UNSUPPORTED, None, 0, request.wrong)]
    found = list(_tradables(state, request.symbol, request.destination))
    if not found:
        return [told(1, Result.NOTHING, None, 0, "no destination trades it")]
    return [told(number, Result.YES, each, len(found), f"{number} of {len(found)}") for number, each in enumerate(found, 1)]


def _tradables(state: State, symbol: str | None, destination: str | None) -> Iterator[Tradable]:
    for place in _destinations(state, destination):
        for instrument in place.instruments:
            if symbol in (None, instrument.symbol, instrument.venue_symbol):
                found = state.policy.find(place.name, instrument.symbol)
                assert found is not None
                yield Tradable(place.name, found[1])


def _destinations(state: State, name: str | None) -> tuple[Destination, ...]:
    if name is None:
        return state.policy.configured.destinations
    found = state.policy.destinations.get(name.upper())
    return () if found is None else (found,)


# --- destinations -------------------------------------------------------------------------------------------------------


def trading_status(state: State, request: TradingStatusRequest, now: int) -> list[Effect]:  # noqa: ARG001 - an input's handler
    """TradingSessionStatusRequest(g): how each destination asked about stands, and from then on its changes, where that is wanted."""
    places = _destinations(state, request.destination)
    held = state.watching.get(request.session, {})
    wrong = _unfit(request, held) if places else f"there is no destination {request.destination}"
    if wrong:
        return [_told(request.session, request.request_id, request.destination or "", TradingStatus.UNKNOWN, wrong)]
    states = {each.name: _standing(state, request.session, each) for each in places}
    if request.subscription is Subscription.UPDATES:
        state.watching.setdefault(request.session, {})[request.request_id] = Watching(request.destination, states)
    elif request.subscription is Subscription.STOP:
        _drop(state, request.session, request.request_id)
    return [_told(request.session, request.request_id, name, *standing) for name, standing in states.items()]


def _unfit(request: TradingStatusRequest, held: dict[str, Watching]) -> str:
    known = request.request_id in held
    if request.subscription is Subscription.STOP and not known:
        return f"there is no subscription {request.request_id}"
    if request.subscription is Subscription.UPDATES and not known and len(held) >= SUBSCRIPTIONS:
        return f"this session has {SUBSCRIPTIONS} subscriptions, and may not have more"
    return ""


def _told(
    session: str, request_id: str, destination: str, status: TradingStatus, text: str, unsolicited: bool = False
) -> TradingStatusReport:
    return TradingStatusReport(
        session=session, request_id=request_id, destination=destination, status=status, text=text, unsolicited=unsolicited
    )


def _drop(state: State, session: str, request_id: str) -> None:
    held = state.watching.get(session, {})
    held.pop(request_id, None)
    if not held:
        state.watching.pop(session, None)


def _updates(state: State) -> Iterator[Effect]:
    """What subscribers have not heard yet."""
    for session, held in state.watching.items():
        for request_id, watching in held.items():
            now = {each.name: _standing(state, session, each) for each in _destinations(state, watching.destination)}
            gone = [name for name in watching.told if name not in now]
            now |= dict.fromkeys(gone, (TradingStatus.CLOSED, "it is not configured any more"))
            for name, standing in now.items():
                if watching.told.get(name) != standing:
                    yield _told(session, request_id, name, *standing, unsolicited=True)
            watching.told = now


def _standing(state: State, session: str, place: Destination) -> tuple[TradingStatus, str]:
    """How a destination stands for a session, and why where it does not take orders."""
    switched = state.off.get((Switch.LINK, place.link))
    if switched is not None:
        return TradingStatus.CLOSED, f"{place.name} is switched off by the operator: {switched.why}"
    if place.link not in state.up:
        return TradingStatus.CLOSED, f"{place.name} is not connected"
    halted = halt_of(state, session, None, place.name)
    if halted:
        return TradingStatus.HALTED, halted
    if place.link in state.reconciling:
        return TradingStatus.RECONCILING, f"{place.name} is being asked what became of its open orders"
    return TradingStatus.OPEN, ""


# --- what was executed -------------------------------------------------------------------------------------------------


def _book(state: State, order: Order) -> None:
    """Count what an order's executions have become since it was last counted."""
    was_qty, was_value = state.counted.get(order.order_id, (ZERO, ZERO))
    quantity, value = EXACT.subtract(order.cum_qty, was_qty), EXACT.subtract(order.notional, was_value)
    request = order.request
    key = (request.session, request.account or "", order.destination, order.symbol)
    traded = state.positions.setdefault(key, Traded())
    if request.side is Side.BUY:
        traded.bought, traded.paid = EXACT.add(traded.bought, quantity), EXACT.add(traded.paid, value)
    else:
        traded.sold, traded.received = EXACT.add(traded.sold, quantity), EXACT.add(traded.received, value)
    state.counted[order.order_id] = order.cum_qty, order.notional
    if not order.cum_qty:
        del state.counted[order.order_id]


def recount(state: State, from_book: bool) -> None:
    """After a snapshot was loaded: what was counted of each order; and where the snapshot has no positions, those of the book."""
    if from_book:
        state.positions, state.counted = {}, {}
        catch_up(state)
    else:
        state.counted = {each.order_id: (each.cum_qty, each.notional) for each in _executed(state)}


def catch_up(state: State) -> None:
    """Count whatever is not counted yet. Slow: for a fault in the middle of an input, after which nobody knows what was booked."""
    for order in _executed(state):
        if state.counted.get(order.order_id) != (order.cum_qty, order.notional):
            _book(state, order)


def _executed(state: State) -> list[Order]:
    return [each for each in state.blotter.orders.values() if each.cum_qty]


# --- after every input --------------------------------------------------------------------------------------------------


def follow(state: State, event: Input, effects: list[Effect]) -> list[Effect]:
    """Count what an input had executed, and tell subscribers what it changed. Called after every input, with its effects."""
    for effect in effects:
        if type(effect) is ExecutionReport and effect.exec_type in _FILLS:
            order = state.blotter.orders.get(effect.order_id)
            if order is not None:
                _book(state, order)
    return _tell(state, event) if state.watching else []


def _tell(state: State, event: Input) -> list[Effect]:
    if isinstance(event, Started | Stopped):
        state.watching.clear()
    elif isinstance(event, ClientDown):
        state.watching.pop(event.session, None)
    elif type(event) in _TURNING or _reconciling(state):
        return list(_updates(state))
    return []


def _reconciling(state: State) -> bool:
    told = (standing for held in state.watching.values() for each in held.values() for standing in each.told.values())
    return any(status is TradingStatus.RECONCILING for status, _ in told)
