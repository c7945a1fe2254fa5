"""Random histories: whatever clients ask and venues answer, in whatever order, the book stays sound and replay gives the same."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from router.acts import CancelOrders, Forget, Halt, MarkDone, Reconcile, Resolve, Resume, Scope
from router.engine import Engine
from router.model import ClientDown, ClientUp, ExecutionReport, Filled, Found, Listed, Listing, Started, Unanswered
from router.words import CxlRejReason, Done, ExecType, OrdStatus, OrdType, Side, TimeInForce
from tests.router.desk import LINK, SECOND, SESSION, D, Desk, reports

STANDINGS = [OrdStatus.NEW, OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED]
CONFIG: dict[str, Any] = {"witness": "REST", "client": {"wait_when_pending": True, "cancel_on_disconnect": 5 * SECOND}}
BY = {"by": "ann", "why": "because"}
links = st.sampled_from([LINK, "REST"])
TIMES = [TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.DAY]
numbers = st.integers(1, 4)
quantities = st.sampled_from(["0.1", "0.5", "1", "1.5"])
exec_ids = st.sampled_from(["x1", "x2", "x3", "x4", "x5", "x6"])
steps = st.one_of(
    st.tuples(st.just("new"), numbers, st.sampled_from(TIMES), st.booleans()),
    st.tuples(st.just("cash"), numbers),
    st.tuples(st.just("cancel"), numbers, st.integers(1, 9)),
    st.tuples(st.just("status"), numbers),
    st.tuples(st.just("accept"), numbers, exec_ids),
    st.tuples(st.just("fill"), numbers, quantities, st.booleans(), exec_ids),
    st.tuples(st.just("end"), numbers, st.sampled_from(list(Done)), exec_ids),
    st.tuples(st.just("reject"), numbers, st.booleans(), exec_ids),
    st.tuples(st.just("reject_cancel"), numbers, st.sampled_from(list(CxlRejReason))),
    st.tuples(st.just("stated"), numbers, quantities, quantities, exec_ids),
    st.tuples(st.just("end_stated"), numbers, quantities, exec_ids),
    st.tuples(st.just("unanswered"), numbers),
    st.tuples(st.just("found"), numbers, st.lists(st.sampled_from(["o1", "o2", "o3"]), unique=True)),
    st.tuples(st.just("replace"), numbers, st.integers(1, 9), quantities),
    st.tuples(st.just("replaced"), numbers, exec_ids),
    st.tuples(st.just("leg"), st.integers(1, 9), quantities),
    st.tuples(st.just("standing"), numbers, st.sampled_from(STANDINGS), st.sampled_from(["0", "0.5", "1"]), st.booleans()),
    st.tuples(st.just("mass")),
    st.tuples(st.just("listed")),
    st.tuples(st.just("present"), st.booleans()),
    st.tuples(st.just("down"), links),
    st.tuples(st.just("up"), links),
    st.tuples(st.just("restart")),
    st.tuples(st.just("later"), st.sampled_from([1, 6, 40, 70])),
    st.tuples(st.just("halt"), st.sampled_from(["", "BINANCE"]), st.booleans()),
    st.tuples(st.just("cancel_orders")),
    st.tuples(st.just("reconcile")),
    st.tuples(st.just("resolve"), numbers, st.sampled_from(["", "o1", "o2", "o3"])),
    st.tuples(st.just("mark_done"), numbers, st.sampled_from(list(Done))),
)


def play(desk: Desk, step: tuple[Any, ...]) -> None:
    match step:
        case ("new", n, tif, known):
            more = {"possibly_known": True, "sent": desk.now} if known else {}
            desk.new(f"a{n}", time_in_force=tif, venue_cl_ord_id=f"v{n}", **more)
        case ("cash", n):
            amount = {"order_qty": None, "price": None, "cash_order_qty": D(100)}
            desk.new(f"a{n}", ord_type=OrdType.MARKET, side=Side.BUY, venue_cl_ord_id=f"v{n}", **amount)
        case ("cancel", n, m):
            desk.cancel(f"c{m}", f"a{n}")
        case ("status", n):
            desk.status(f"a{n}")
        case ("accept", n, exec_id):
            desk.accept(n, exec_id=exec_id)
        case ("fill", n, quantity, complete, exec_id):
            desk.fill(quantity, number=n, complete=complete, exec_id=exec_id)
        case ("end", n, how, exec_id):
            desk.end(n, how=how, exec_id=exec_id)
        case ("reject", n, named, exec_id):
            desk.reject(n, exec_id=exec_id, venue_order_id=f"v{n}" if named else "NONE")
        case ("reject_cancel", n, reason):
            desk.reject_cancel(n, reason=reason)
        case ("stated", n, quantity, cum, exec_id):
            desk.fill(quantity, number=n, exec_id=exec_id, cum_qty=D(cum), avg_px=D(100))
        case ("end_stated", n, cum, exec_id):
            desk.end(n, exec_id=exec_id, cum_qty=D(cum), avg_px=D(100))
        case ("unanswered" | "found", n, *candidates):
            order = desk.engine.state.blotter.by_cl_ord_id(SESSION, f"a{n}")
            if order is not None and order.placed:
                event = Found(order_id=order.order_id, candidates=tuple(*candidates)) if candidates else None
                desk.apply(event or Unanswered(order_id=order.order_id, text="lost"))
        case ("replace", n, m, quantity):
            desk.replace(f"r{m}", f"a{n}", qty=quantity)
        case ("replaced", n, exec_id):
            desk.replaced(n, exec_id=exec_id)
        case ("leg", m, quantity):
            names = {"account": "acc", "venue_cl_ord_id": f"wr{m}", "venue_order_id": f"ow{m}"}
            desk.apply(Filled(exec_id=f"leg{m}{quantity}", last_qty=D(quantity), last_px=D(100), complete=False, **names))
        case ("standing", n, status, cum, asked):
            desk.state(status, cum, name=f"v{n}", asked=asked)
        case ("mass",):
            desk.mass_cancel()
        case ("listed",):
            desk.apply(Listed(link=LINK, listings=(Listing(venue_symbol="BTCUSDT", tick=D("0.1"), lot=D("0.1"), min_qty=D("0.1")),)))
        case ("present", here):
            desk.apply((ClientUp if here else ClientDown)(SESSION))
        case ("down", link):
            desk.down(link)
        case ("up", link):
            desk.up(link)
        case ("restart",):
            desk.apply(Started("test"))
        case ("later", seconds):
            desk.later(seconds)
        case ("halt", name, on):
            scope = Scope.DESTINATION if name else Scope.ALL
            desk.apply((Halt if on else Resume)(scope=scope, name=name, **BY))
        case ("cancel_orders",):
            desk.apply(CancelOrders(**BY))
        case ("reconcile",):
            desk.apply(Reconcile(destination="BINANCE", **BY))
        case ("resolve", n, venue_order_id):
            desk.apply(Resolve(order_id=order_id(desk, n), venue_order_id=venue_order_id, **BY))
        case ("mark_done", n, how):
            desk.apply(MarkDone(order_id=order_id(desk, n), how=how, **BY))


def order_id(desk: Desk, n: int) -> str:
    order = desk.engine.state.blotter.by_cl_ord_id(SESSION, f"a{n}")
    return order.order_id if order is not None else "nobody"


@settings(max_examples=400, deadline=None)
@given(st.lists(steps, max_size=40))
def test_no_history_breaks_the_book(history: list[tuple[Any, ...]]) -> None:
    """`Desk.apply` runs `blotter.check()` after each step, and lets no internal error pass."""
    desk = Desk(**deepcopy(CONFIG))
    for step in history:
        play(desk, step)
    orders = desk.engine.state.blotter.orders.values()
    for order in orders:
        mine = [each for each in reports(desk.said) if each.order_id == order.order_id and each.exec_type is ExecType.TRADE]
        assert sum((each.last_qty for each in mine), Decimal(0)) == order.cum_qty
        cums = [each.cum_qty for each in reports(desk.said) if each.order_id == order.order_id]
        assert cums == sorted(cums)
    exec_ids_said = [each.exec_id for each in reports(desk.said) if each.exec_id != "0"]
    assert len(exec_ids_said) == len(set(exec_ids_said))
    placed = [each.command.venue_cl_ord_id for each in desk.said if hasattr(each, "command") and type(each.command).__name__ == "Place"]
    assert len(placed) == len(set(placed)), "an order was sent twice"


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=40))
def test_replay_says_the_same_again(history: list[tuple[Any, ...]]) -> None:
    """The same inputs give the same effects with the same ids, and the same book."""
    desk = Desk(**deepcopy(CONFIG))
    for step in history:
        play(desk, step)
    again = Engine()
    said = [effect for now, event in desk.inputs for effect in again.apply(event, now)]
    assert said == desk.said
    for order_id, order in desk.engine.state.blotter.orders.items():
        other = again.state.blotter.orders[order_id]
        assert [getattr(order, name) for name in ("base", "cum_qty", "notional", "cl_ord_id", "doubt", "reports")] == [
            getattr(other, name) for name in ("base", "cum_qty", "notional", "cl_ord_id", "doubt", "reports")
        ]


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=40), st.integers(0, 3))
def test_what_is_over_is_forgotten_whole(history: list[tuple[Any, ...]], at_most: int) -> None:
    """Whatever befell it: no more than is asked for at once, the oldest first, none that is live, and no name of it stays in any index.
    (`Desk.apply` runs `blotter.check()`.)"""
    desk = Desk(**deepcopy(CONFIG))
    for step in history:
        play(desk, step)
    blotter = desk.engine.state.blotter
    over = [name for name in blotter.orders if name not in blotter.live]
    gone = over[:at_most] if at_most else over
    stay = [name for name in blotter.orders if name not in gone]
    desk.apply(Forget(before=desk.now + 1, at_most=at_most))
    assert list(blotter.orders) == stay
    indexes = [index for name, index in vars(blotter).items() if name.startswith("_by")]
    assert len(indexes) == 3
    assert not [key for index in indexes for key, order in index.items() if order.order_id in gone]
    assert not desk.engine.state.counted.keys() & set(gone)


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=40))
def test_a_client_is_never_told_a_rejected_order_unless_somebody_said_no(history: list[tuple[Any, ...]]) -> None:
    """Rejected comes from a refusal of ours before sending, or from the venue's own word; never from silence or a lost link."""
    desk = Desk(**deepcopy(CONFIG))
    for step in history:
        said = len(desk.said)
        play(desk, step)
        new: list[ExecutionReport] = [each for each in reports(desk.said[said:]) if each.ord_status is OrdStatus.REJECTED]
        executed = [each for each in new if each.exec_type is ExecType.REJECTED]
        halted = all("halted by the operator" in each.text for each in executed)
        assert halted or step[0] in ("new", "cash", "reject", "found", "standing", "resolve")
