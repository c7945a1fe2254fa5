"""The engine's whole memory as bytes, and back. Pure: no file is touched here; `recovery.py` keeps snapshots beside the journal.

The rules:

1. A snapshot is exact: an engine that goes on from it says the very same as one that replayed every input. What hangs together by
   identity (an order in several indexes, the leg of an execution) hangs together again; what has an order of its own (queues, the live
   orders) keeps it.
2. The tables below name every attribute of `Order`, `Leg`, `Pending`, `Blotter`, `Policy` and `State`. One that is missing is named by
   `uncovered`, and then no snapshot is made: a start without one is slow, a start with a wrong one is a lie.
3. A new attribute goes to the end of its table, with the default that its absence means: older snapshots stay readable. Anything else is a
   new `VERSION`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

import msgspec

from router.acts import Scope, Switch
from router.blotter import Blotter
from router.figures import Figures
from router.holdings import Holdings
from router.inquiries import Answer
from router.model import CancelOrder, CancelReject, ExecutionReport, Listed, MassCancelReport, NewOrder, ReplaceOrder, Report, VenueEvent
from router.order import Leg, Order, Pending
from router.policy import Policy
from router.reference import recount
from router.references import References
from router.rules import Configured, Instrument
from router.shares import revive
from router.state import Halted, Reconciling, State, Traded, Watching
from router.words import ZERO, Done, OrdStatus, TimeInForce

__all__ = ["VERSION", "SnapshotUnfit", "Unsure", "dump", "load", "uncovered"]

VERSION: Final = 1
Unsure = list[tuple[int, list[Report]]]
"""Reports, by the sequence of their input, of which it is not known that they were handed over."""


class SnapshotUnfit(Exception):
    """The state cannot be kept, or the bytes are not a state."""


# --- the tables ---------------------------------------------------------------------------------------------------------


class _Leg(msgspec.Struct, array_like=True):
    venue_cl_ord_id: str
    venue_order_id: str | None
    terms: NewOrder | None
    """None: the order's own request, as nearly always."""
    cum_qty: Decimal
    notional: Decimal
    inferred: Decimal
    accepted: bool
    aside_qty: Decimal = ZERO
    aside_value: Decimal = ZERO


class _Pending(msgspec.Struct, tag="pending"):
    status: OrdStatus
    request: CancelOrder | ReplaceOrder | None
    shown: bool
    end: Done
    text: str
    sent: bool
    native: bool


class _Order(msgspec.Struct, array_like=True):
    order_id: str
    request: NewOrder
    cl_ord_id: str
    orig_cl_ord_id: str | None
    base: OrdStatus
    pending: _Pending | None
    cum_qty: Decimal
    notional: Decimal
    created: int
    updated: int
    reports: int
    text: str
    time_in_force: TimeInForce | None
    venue_time_in_force: TimeInForce
    replaced: bool
    destination: str
    account: str
    link: str
    venue: str
    symbol: str
    venue_symbol: str
    witness: str
    leg: _Leg
    former: list[_Leg]
    executions: dict[str, tuple[int, Decimal, Decimal]]
    """The leg by its number: former ones first, then the present one."""
    inferred: set[str]
    waiting: list[CancelOrder | ReplaceOrder | _Pending]
    placed: int
    doubt: str
    asked: bool
    queries: int
    candidates: tuple[str, ...]
    heard: int


_Index = dict[str, dict[str, int]]
"""The second part of a key by the first, to the number of the order: sessions and accounts are few."""


class _Blotter(msgspec.Struct):
    orders: list[_Order]
    live: list[int]
    _by_cl_ord_id: _Index
    _by_venue_cl_ord_id: _Index
    _by_venue_order_id: _Index
    _executions: _Index
    parked: dict[tuple[str, str], list[VenueEvent]]


class _Policy(msgspec.Struct):
    configured: Configured
    _instruments: dict[tuple[str, str], Instrument]
    """As the venues last told them; what they told before lives on in what they have not told since."""


class _State(msgspec.Struct):
    blotter: _Blotter
    policy: _Policy
    up: set[str]
    due: dict[str, int]
    unnamed: dict[str, deque[str]]
    owed: dict[str, deque[str]]
    expires: dict[str, int]
    away: dict[str, int]
    remembered: dict[str, dict[str, str]]
    listed: dict[str, Listed]
    halted: dict[tuple[Scope, str], Halted]
    off: dict[tuple[Switch, str], Halted]
    reconciling: dict[str, Reconciling]
    sweep_at: int
    serial: int
    released: list[VenueEvent]
    _second: int
    _stamp: str
    stopping: bool
    figures: Figures = msgspec.field(default_factory=Figures)
    references: References = msgspec.field(default_factory=dict)
    positions: dict[tuple[str, str, str, str], Traded] | None = None
    """None: of before there were any; they are made from the orders."""
    watching: dict[str, dict[str, Watching]] = msgspec.field(default_factory=dict)
    barred: dict[str, str] = msgspec.field(default_factory=dict)
    held: Holdings = msgspec.field(default_factory=dict)


class _Said(msgspec.Struct, omit_defaults=True):
    sequence: int
    execution: ExecutionReport | None = None
    reject: CancelReject | None = None
    mass: MassCancelReport | None = None


class _Whole(msgspec.Struct):
    unsure: list[_Said]
    state: _State


_DERIVED: Final = {"Blotter": {"_keys"}, "Policy": {"destinations", "routes", "_clients"}, "State": {"counted", "rulebook"}}
"""What is made anew from the rest, and never changes after it is made."""


def uncovered() -> list[str]:
    """Attributes that no table names, and names in a table that no attribute has: "Order.price"."""
    kinds: tuple[tuple[type, set[str], type[msgspec.Struct]], ...] = (
        (Leg, set(Leg.__slots__), _Leg),
        (Pending, set(Pending.__slots__), _Pending),
        (Order, set(Order.__slots__), _Order),
        (Blotter, set(vars(Blotter())), _Blotter),
        (Policy, set(vars(Policy(Configured()))), _Policy),
        (State, set(vars(State())), _State),
    )
    return [
        f"{kind.__name__}.{name}"
        for kind, names, table in kinds
        for name in sorted((names - _DERIVED.get(table.__name__[1:], set())) ^ set(table.__struct_fields__))
    ]


# --- to bytes -----------------------------------------------------------------------------------------------------------

_leg_values: Final[Callable[[Any], tuple[Any, ...]]] = attrgetter(*_Leg.__struct_fields__)
_order_values: Final[Callable[[Any], tuple[Any, ...]]] = attrgetter(*_Order.__struct_fields__)
_pending_values: Final[Callable[[Any], tuple[Any, ...]]] = attrgetter(*_Pending.__struct_fields__)


def dump(state: State, unsure: Unsure) -> bytes:
    """A state as bytes. Raises `SnapshotUnfit` where a table is not complete, or the state has something unheard of."""
    missing = uncovered()
    if missing:
        raise SnapshotUnfit(f"router/snapshot.py does not know {', '.join(missing)}")
    kept = {name: value for name, value in vars(state).items() if name not in ("blotter", "counted", "policy", "rulebook")}
    policy = {name: getattr(state.policy, name) for name in _Policy.__struct_fields__}
    try:
        told = _State(blotter=_blotter(state.blotter), policy=_Policy(**policy), **kept)
        said = [_said(sequence, report) for sequence, reports in unsure for report in reports if not isinstance(report, Answer)]
        return _encoder.encode(_Whole(said, told))
    except (KeyError, TypeError) as wrong:
        raise SnapshotUnfit(f"a state that cannot be kept: {wrong!r}") from wrong


def _said(sequence: int, report: Report) -> _Said:
    match report:
        case ExecutionReport():
            return _Said(sequence, execution=report)
        case CancelReject():
            return _Said(sequence, reject=report)
        case MassCancelReport():
            return _Said(sequence, mass=report)
        case _:
            raise TypeError(f"{type(report).__name__} is not kept")


def _blotter(blotter: Blotter) -> _Blotter:
    numbers = {order_id: number for number, order_id in enumerate(blotter.orders)}
    held = vars(blotter)
    indexes = {name: _by_number(held[name], lambda order: numbers[order.order_id]) for name in _INDEXES}
    return _Blotter(
        orders=[_order(order) for order in blotter.orders.values()],
        live=[numbers[order_id] for order_id in blotter.live],
        _executions=_by_number(held["_executions"], numbers.__getitem__),
        parked=blotter.parked,
        **indexes,
    )


_INDEXES: Final = ("_by_cl_ord_id", "_by_venue_cl_ord_id", "_by_venue_order_id")


def _by_number(index: dict[tuple[str, str], Any], number: Callable[[Any], int]) -> _Index:
    told: _Index = {}
    for (first, second), value in index.items():
        told.setdefault(first, {})[second] = number(value)
    return told


def _order(order: Order) -> _Order:
    told = _Order(*_order_values(order))
    legs = (*order.former, order.leg)
    told.leg = _leg(order.leg, order)
    told.former = [_leg(leg, order) for leg in order.former]
    if order.executions:
        at = {id(leg): number for number, leg in enumerate(legs)}
        told.executions = {exec_id: (at[id(leg)], quantity, price) for exec_id, (leg, quantity, price) in order.executions.items()}
    if order.pending is not None:
        told.pending = _Pending(*_pending_values(order.pending))
    told.waiting = [_Pending(*_pending_values(each)) if isinstance(each, Pending) else each for each in order.waiting]
    return told


def _leg(leg: Leg, order: Order) -> _Leg:
    told = _Leg(*_leg_values(leg))
    if leg.terms is order.request:
        told.terms = None
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, deque):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no place in a snapshot")


# --- and back -----------------------------------------------------------------------------------------------------------


def load(data: bytes) -> tuple[State, Unsure]:
    """What was dumped. Raises `SnapshotUnfit` for bytes that are nothing of the kind."""
    try:
        whole = _decoder.decode(data)
        told = whole.state
        state = State()
        vars(state).update(_attributes(told))
        state.blotter = _blotter_of(told.blotter)
        state.policy = Policy(told.policy.configured)
        vars(state.policy).update(_attributes(told.policy))
        revive(state, told.policy.configured)
        recount(state, from_book=told.positions is None)
    except (msgspec.DecodeError, ValueError, ArithmeticError, LookupError) as wrong:
        raise SnapshotUnfit(f"not a state: {wrong}") from wrong
    return state, _unsure_of(whole.unsure)


def _unsure_of(told: list[_Said]) -> Unsure:
    unsure: dict[int, list[Report]] = {}
    for each in told:
        report = each.execution or each.reject or each.mass
        if report is not None:
            unsure.setdefault(each.sequence, []).append(report)
    return list(unsure.items())


def _attributes(told: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(told, name) for name in told.__struct_fields__}


def _blotter_of(told: _Blotter) -> Blotter:
    orders = [_order_of(each) for each in told.orders]
    blotter = Blotter()
    held: dict[str, Any] = {name: _by_key(getattr(told, name), orders) for name in _INDEXES}
    vars(blotter).update(held)
    vars(blotter)["_executions"] = _by_key(getattr(told, "_executions"), [each.order_id for each in orders])  # noqa: B009 - private there
    blotter.orders = {each.order_id: each for each in orders}
    blotter.live = {orders[number].order_id: orders[number] for number in told.live}
    blotter.parked = told.parked
    blotter.rekey()
    return blotter


def _by_key(told: _Index, values: list[Any]) -> dict[tuple[str, str], Any]:
    return {(first, second): values[number] for first, rest in told.items() for second, number in rest.items()}


def _order_of(told: _Order) -> Order:
    order = Order.__new__(Order)
    for name in _Order.__struct_fields__:
        setattr(order, name, getattr(told, name))
    order.leg = _leg_of(told.leg, told.request)
    order.former = tuple(_leg_of(leg, told.request) for leg in told.former)
    if told.executions:
        legs = (*order.former, order.leg)
        order.executions = {exec_id: (legs[number], quantity, price) for exec_id, (number, quantity, price) in told.executions.items()}
    if told.pending is not None:
        order.pending = _pending_of(told.pending)
    order.waiting = [_pending_of(each) if isinstance(each, _Pending) else each for each in told.waiting]
    return order


def _leg_of(told: _Leg, request: NewOrder) -> Leg:
    leg = Leg.__new__(Leg)
    for name in _Leg.__struct_fields__:
        setattr(leg, name, getattr(told, name))
    if told.terms is None:
        leg.terms = request
    return leg


def _pending_of(told: _Pending) -> Pending:
    pending = Pending.__new__(Pending)
    for name in _Pending.__struct_fields__:
        setattr(pending, name, getattr(told, name))
    return pending


def _queue(kind: type, value: Any) -> Any:  # noqa: ARG001 - msgspec's signature; the only kind it does not know by itself
    return deque(value)


_encoder: Final = msgspec.msgpack.Encoder(enc_hook=_plain)
_decoder: Final = msgspec.msgpack.Decoder(_Whole, dec_hook=_queue)
