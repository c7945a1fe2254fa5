"""Where an order would go, and why: the same policy and the same limits as for a real one, and nothing is sent. Pure."""

from __future__ import annotations

from decimal import Decimal

from router.admin.contract import RouteTest
from router.limits import check
from router.model import NewOrder, Refusal
from router.order import Order
from router.requests import address, routed
from router.risk import would_refuse
from router.rules import Destination, Instrument
from router.state import State, halt_of
from router.words import OrdType, Side, TimeInForce

__all__ = ["hypothetical", "route_test"]


def hypothetical(
    side: str, symbol: str, qty: Decimal | None, cash: Decimal | None, price: Decimal | None, stop_px: Decimal | None, session: str,
    account: str, destination: str, time_in_force: str, post_only: bool,
) -> NewOrder:  # fmt: skip
    """An order to ask about. Its type follows from its prices."""
    kinds = {(False, False): OrdType.MARKET, (True, False): OrdType.LIMIT, (False, True): OrdType.STOP, (True, True): OrdType.STOP_LIMIT}
    return NewOrder(
        session=session, cl_ord_id="route-test", symbol=symbol, side=Side(side), ord_type=kinds[price is not None, stop_px is not None],
        time_in_force=TimeInForce(time_in_force) if time_in_force else None, order_qty=qty, cash_order_qty=cash, price=price,
        stop_px=stop_px, post_only=post_only, account=account or None, destination=destination or None,
    )  # fmt: skip


def route_test(state: State, order: NewOrder, now: int) -> RouteTest:
    """Where it would go now, step by step."""

    def takes(place: Destination) -> bool:
        closed = place.link not in state.up or place.link in state.reconciling
        return not closed and not halt_of(state, order.session, order.account, place.name)

    policy = state.policy
    _, steps = policy.routes.explain(order, now, lambda place: policy.allowed(order, place), takes)
    outcome = routed(state, order, now)
    if isinstance(outcome, Refusal):
        return _answer(None, None, outcome.text, [*steps, f"refused: {outcome.text}"])
    destination, instrument = outcome
    steps.append(f"it goes to {destination.name} as {instrument.venue_symbol}, account {destination.account}, over {destination.link}")
    refused, found = _hindrance(state, order, destination, instrument, now)
    return _answer(destination, instrument, refused, steps + found)


def _hindrance(state: State, order: NewOrder, destination: Destination, instrument: Instrument, now: int) -> tuple[str, list[str]]:
    """Why it would be refused all the same, "" where it would not; and what was looked at, in the engine's order."""
    halted = halt_of(state, order.session, order.account, destination.name)
    if halted:
        return halted, [f"refused: {halted}"]
    time_in_force = order.time_in_force or state.policy.client(order.session).default_time_in_force
    wrong = check(order, time_in_force, destination, instrument)
    if wrong is not None:
        return wrong.text, [f"refused: {wrong.text}"]
    steps = ["nothing is halted", f"{destination.name} can do it, and it is within what {instrument.symbol} allows"]
    asked = Order("", order, now)
    asked.time_in_force = time_in_force
    address(asked, destination, instrument)
    beyond = would_refuse(state, asked, now)
    if beyond is not None:
        return beyond.text, [*steps, f"refused: {beyond.text}"]
    steps.append("it keeps to the limits")
    configured = state.policy.configured
    if destination.link not in state.up:
        why, hold = f"{destination.name} is not connected", configured.hold_when_down
    elif destination.link in state.reconciling:
        why, hold = f"{destination.name} is being asked about its open orders", configured.hold_while_reconciling
    else:
        return "", [*steps, f"{destination.name} takes orders now"]
    if hold:
        return "", [*steps, f"{why}: it would wait up to {hold / 1e9:g} s"]
    return why, [*steps, f"refused: {why}"]


def _answer(destination: Destination | None, instrument: Instrument | None, refused: str, steps: list[str]) -> RouteTest:
    return RouteTest(
        destination="" if refused or destination is None else destination.name,
        account="" if destination is None else destination.account,
        symbol="" if instrument is None else instrument.symbol,
        venue_symbol="" if instrument is None else instrument.venue_symbol,
        refused=refused,
        steps=steps,
    )
