"""What each act would do, said before it is done: one function an act, from its arguments to a `Plan`. Those about trading are here;
`rim_plans` has those about links, sessions and the router itself.

A plan only looks. What it says is what a preview shows; `do` carries it out, on a thread that may wait for the core's lock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from router.acts import BustTrade, CancelOrders, CorrectTrade, Halt, MarkDone, Reconcile, Resolve, Resume, Scope
from router.admin.arguments import Given
from router.admin.plan import Desk, Plan, counted, lines
from router.admin.problems import Refusal, near, unknown
from router.admin.rim_plans import RIM_PLANS
from router.admin.tally import gently
from router.admin.views import number, stamp
from router.operating import fits, undecidable
from router.order import Order
from router.words import Done

__all__ = ["PLANS"]


# --- trading ------------------------------------------------------------------------------------------------------------


def _scope(desk: Desk, given: Given) -> tuple[Scope, str]:
    scope, name = Scope(given.text("scope")), given.text("name")
    with desk.core.reading():
        configured = desk.core.engine.state.policy.configured
    if scope is Scope.ALL:
        if name:
            raise Refusal(400, "name: nothing is named with scope all")
        return scope, name
    if not name:
        raise Refusal(400, f"name is missing: which {scope}")
    known = {
        Scope.SESSION: {each.session: each.session for each in configured.clients},
        Scope.DESTINATION: {each.name.upper(): each.name for each in configured.destinations},
        Scope.ACCOUNT: {name: name},
    }[scope]
    asked = name.upper() if scope is Scope.DESTINATION else name
    if asked not in known:
        raise unknown("name", name, scope.value, known.values())
    return scope, known[asked]


async def _covered(desk: Desk, scope: Scope, name: str) -> int:
    filters = {} if scope is Scope.ALL else {scope.value: name}
    wanted = CancelOrders(by="", why="", **filters)
    return len([order async for order in gently(desk.book.live()) if not order.done and fits(wanted, order)])


async def _halt(desk: Desk, given: Given, by: str) -> Plan:
    scope, name = _scope(desk, given)
    what = "everything" if scope is Scope.ALL else f"{scope} {name}"
    stays = f"{counted(await _covered(desk, scope, name))} of this scope stay as they are: cancel-all ends them"
    details = ["new orders and replaces are refused, cancels pass", "it holds through restarts, until it is resumed", stays]
    return Plan(f"would halt {what}", desk.step(Halt(by=by, why=given.why, scope=scope, name=name)), details)


async def _resume(desk: Desk, given: Given, by: str) -> Plan:
    scope, name = _scope(desk, given)
    what = "everything" if scope is Scope.ALL else f"{scope} {name}"
    with desk.core.reading():
        halts = dict(desk.core.engine.state.halted)
    halted = halts.pop((scope, name), None)
    if halted is None:
        return Plan(f"{what} is not halted", details=[f"halted: {' '.join(each).strip()}" for each in halts])
    details = [f"halted by {halted.by} since {stamp(halted.since)}: {halted.why}"]
    details += [f"still halted: {' '.join(each).strip()}" for each in halts]
    return Plan(f"would resume {what}", desk.step(Resume(by=by, why=given.why, scope=scope, name=name)), details)


async def _cancel(desk: Desk, given: Given, by: str) -> Plan:
    order = desk.order(given.text("order"))
    if order.done:
        return Plan(f"order {order.order_id} is {order.ord_status} and cannot be canceled", details=[desk.line(order)])
    act = CancelOrders(by=by, why=given.why, order_id=order.order_id)
    return Plan(f"would cancel 1 open order at {order.destination}", desk.step(act), [desk.line(order)])


async def _cancel_all(desk: Desk, given: Given, by: str) -> Plan:
    filters = {name: given.text(name) for name in ("destination", "account", "session", "symbol")}
    act = CancelOrders(by=by, why=given.why, **filters)
    orders = [order async for order in gently(desk.book.live()) if not order.done and fits(act, order)]
    words = {"destination": "at", "account": "of account", "session": "of", "symbol": "in"}
    narrowed = [f"{words[name]} {value}" for name, value in filters.items() if value]
    return Plan(" ".join(["would cancel", counted(len(orders)), *(narrowed or ["everywhere"])]), desk.step(act), lines(desk, orders))


async def _reconcile(desk: Desk, given: Given, by: str) -> Plan:
    destination = desk.destination(given.text("destination"))
    orders = [
        each async for each in gently(desk.book.live()) if each.destination == destination.name and each.placed
    ]  # fmt: skip
    act = Reconcile(by=by, why=given.why, destination=destination.name)
    return Plan(f"would ask {destination.name} about {counted(len(orders))}", desk.step(act), lines(desk, orders))


# --- one order's truth --------------------------------------------------------------------------------------------------


async def _resolve(desk: Desk, given: Given, by: str) -> Plan:
    order, venue_order_id = desk.order(given.text("order")), given.text("venue_order_id")
    if bool(venue_order_id) == ("not_placed" in given.flags):
        with desk.core.reading():
            candidates = list(order.candidates)
        raise Refusal(400, "venue_order_id or not_placed: say one of them", candidates=candidates)
    act = Resolve(by=by, why=given.why, order_id=order.order_id, venue_order_id=venue_order_id)
    evidence = _evidence(desk, order)
    with desk.core.reading():
        wrong = undecidable(order, act)
    if wrong:
        return Plan(wrong, details=evidence)
    if venue_order_id:
        where = f"{venue_order_id} at {order.destination}"
        text = f"would take order {order.order_id} to be {where}, and ask about its state"
        if order.candidates and venue_order_id not in order.candidates:
            evidence.append(f"{venue_order_id} is none of the orders that look like it")
    else:
        text = f"would report order {order.order_id} as rejected: never placed at {order.destination}"
    return Plan(text, desk.step(act), evidence)


def _evidence(desk: Desk, order: Order) -> list[str]:
    """What is known of an order whose state at its venue is not."""
    lines = [desk.line(order)]
    with desk.core.reading():
        terms, leg = order.leg.terms, order.leg
        lines.append(f"unknown: {order.doubt}" if order.doubt else "its state is known")
        lines.append(
            f"sent to {order.destination} at {stamp(order.placed)} as {leg.venue_cl_ord_id}" if order.placed else "it was never sent"
        )
        lines.append(
            f"as sent: {terms.side} {number(terms.order_qty)} {order.venue_symbol}" + (f" @ {number(terms.price)}" if terms.price else "")
        )
        lines.append("the venue accepted it" if leg.accepted else "the venue has not said that it has it")
        if leg.venue_order_id:
            lines.append(f"the venue's id of it: {leg.venue_order_id}")
        lines.append(f"asked {order.queries} times; last word or question at {stamp(order.heard)}")
        lines += [f"looks like it at the venue: {each}" for each in order.candidates] or ["nothing at the venue is known to look like it"]
    return lines


async def _mark_done(desk: Desk, given: Given, by: str) -> Plan:
    order, how = desk.order(given.text("order")), Done(given.text("how") or Done.CANCELED)
    if order.done:
        return Plan(f"order {order.order_id} is {order.ord_status} already", details=[desk.line(order)])
    details = [*_evidence(desk, order), f"{order.destination or 'no venue'} is told nothing: what is open there stays open"]
    act = MarkDone(by=by, why=given.why, order_id=order.order_id, how=how)
    return Plan(f"would mark order {order.order_id} as {how}", desk.step(act), details)


def _execution(desk: Desk, order: Order, exec_id: str) -> str:
    """An execution that stands, in a line. Raises `Refusal`."""
    with desk.core.reading():
        standing = {name: (quantity, price) for name, (_, quantity, price) in order.executions.items()}
    if exec_id not in standing:
        raise Refusal(404, f"order {order.order_id} has no execution {exec_id}", candidates=near(exec_id, standing) or list(standing)[-10:])
    quantity, price = standing[exec_id]
    return f"{exec_id}: {number(quantity)} at {number(price)}"


async def _fill_correct(desk: Desk, given: Given, by: str) -> Plan:
    order, exec_id = desk.order(given.text("order")), given.text("exec_id")
    quantity, price = given.amount("last_qty"), given.amount("last_px")
    if quantity <= 0 or price <= 0:
        raise Refusal(400, f"{'last_qty' if quantity <= 0 else 'last_px'}: it must be above zero")
    now = _execution(desk, order, exec_id)
    act = CorrectTrade(order_id=order.order_id, exec_id=exec_id, last_qty=quantity, last_px=price, text=given.why, by=by)
    details = [desk.line(order), f"as told: {now}", f"would be: {number(quantity)} at {number(price)}"]
    return Plan(f"would correct execution {exec_id} of order {order.order_id}", desk.step(act), details)


async def _fill_bust(desk: Desk, given: Given, by: str) -> Plan:
    order, exec_id = desk.order(given.text("order")), given.text("exec_id")
    details = [
        desk.line(order),
        f"as told: {_execution(desk, order, exec_id)}",
        "what is taken back of an order that is over is not worked",
    ]
    act = BustTrade(order_id=order.order_id, exec_id=exec_id, text=given.why, by=by)
    return Plan(f"would take back execution {exec_id} of order {order.order_id}", desk.step(act), details)


PLANS: Final[dict[str, Callable[[Desk, Given, str], Awaitable[Plan]]]] = {
    "halt": _halt,
    "resume": _resume,
    "cancel": _cancel,
    "cancel-all": _cancel_all,
    "reconcile": _reconcile,
    "resolve": _resolve,
    "mark-done": _mark_done,
    "fill-correct": _fill_correct,
    "fill-bust": _fill_bust,
    **RIM_PLANS,
}
