"""What happens by the clock alone: orders that expire, clients that stay away. Pure; a deadline is in the state, so it outlives a restart.

Rules: where the venue has no Day or GoodTillDate, the router lets the order rest as GoodTillCancel and cancels it at its hour; a day ends
at the hour agreed with the client. A client that is back within its grace loses nothing; after a crash of the router, everybody's grace
begins anew.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from router import questions
from router.changes import end
from router.model import ClientDown, ClientUp, Effect, NewOrder
from router.order import Order
from router.rules import Client
from router.state import State
from router.words import Done, TimeInForce

__all__ = ["client_down", "client_up", "due", "expiry", "restarted", "run"]

_SECOND = 1_000_000_000


def expiry(order: NewOrder, time_in_force: TimeInForce, client: Client, now: int) -> int | None:
    """When an order is to expire, ns UTC; None for one that does not. Raises `ValueError` for a date that is none."""
    if time_in_force is TimeInForce.DAY:
        return _end_of_day(datetime.fromtimestamp(now // _SECOND, UTC), client, now)
    if time_in_force is not TimeInForce.GTD:
        return None
    if order.expire_time is not None:
        return order.expire_time
    # The session's end that falls on that day.
    midnight = datetime.strptime(order.expire_date, "%Y%m%d").replace(tzinfo=UTC)
    return int(midnight.timestamp()) * _SECOND + (client.day_ends or 86_400 * _SECOND)


def run(state: State, now: int) -> list[Effect]:
    """Do what is due."""
    effects: list[Effect] = []
    for order_id in [order_id for order_id, when in state.expires.items() if when <= now]:
        del state.expires[order_id]
        order = state.blotter.orders[order_id]
        effects += end(state, order, Done.EXPIRED, _why(order), now)
        if not order.done and order.pending is not None and order.pending.request is not None:
            # A change of the client's is under way. Whatever comes of it, the order is still to end.
            state.expires[order_id] = now + state.policy.configured.answer_timeout
        state.blotter.settle(order)
    for session in [session for session, when in state.away.items() if when <= now]:
        del state.away[session]
        effects += _cancel_all(state, session, now)
    return effects + (questions.sweep(state, now) if _sweep_due(state, now) else [])


def due(state: State, now: int) -> bool:
    """Whether `run` would have something to do."""
    return (
        any(when <= now for when in state.expires.values())
        or any(when <= now for when in state.away.values())
        or any(each.until <= now for each in state.reconciling.values())
        or _sweep_due(state, now)
    )


def client_up(state: State, event: ClientUp, now: int) -> list[Effect]:  # noqa: ARG001 - an input's handler
    """It is back in time."""
    state.away.pop(event.session, None)
    return []


def client_down(state: State, event: ClientDown, now: int) -> list[Effect]:
    """Its grace begins, where its orders are to be canceled without it."""
    grace = state.policy.client(event.session).cancel_on_disconnect
    if grace is not None:
        state.away.setdefault(event.session, now + grace)
    return []


def restarted(state: State, now: int) -> None:
    """Nobody is connected."""
    for client in state.policy.configured.clients:
        if client.cancel_on_disconnect is not None:
            state.away[client.session] = now + client.cancel_on_disconnect


def _sweep_due(state: State, now: int) -> bool:
    return bool(state.policy.configured.sweep_every and state.blotter.live and state.sweep_at <= now)


def _cancel_all(state: State, session: str, now: int) -> list[Effect]:
    effects: list[Effect] = []
    for order in [each for each in state.blotter.live.values() if each.request.session == session]:
        effects += end(state, order, Done.CANCELED, "canceled because this session stayed disconnected", now)
        state.blotter.settle(order)
    return effects


def _end_of_day(today: datetime, client: Client, now: int) -> int:
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    ends = int(midnight.timestamp()) * _SECOND + client.day_ends
    return ends if ends > now else int((midnight + timedelta(days=1)).timestamp()) * _SECOND + client.day_ends


def _why(order: Order) -> str:
    return "the day is over" if order.time_in_force is TimeInForce.DAY else "its ExpireTime(126) or ExpireDate(432) has come"
