"""The figures of limits: the same as a slow count of the whole book makes, at every moment, after replay, snapshots and reloads."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router import shares
from router.acts import BustTrade, CorrectTrade, Forget
from router.engine import Engine
from router.figures import DAY, Figures
from router.model import Accepted, Canceled, CancelRejected, Filled, Price, Priced, Replaced
from router.order import Order
from router.rules import Configured, Instrument, Limit
from router.snapshot import dump, load
from router.state import State
from router.words import ExecType, OrdType, Side, TimeInForce
from tests.router.desk import BTC, LINK, SECOND, SESSION, D, Desk, configured, reports
from tests.router.test_histories import CONFIG, play, steps

ZERO = D(0)
TIGHT = (
    Limit(name="count", per=("session",), max_open_orders=2),
    Limit(name="money", max_open_notional=D(300), max_net_notional=D(200), max_daily_notional=D(500), without_reference="pass"),
    Limit(name="held", per=("symbol", "destination"), max_position=D(3), without_reference="pass"),
    Limit(name="loss", max_daily_loss=D(1000), day_begins=6 * 3600 * SECOND, reference="last", without_reference="pass"),
)
LOOSER = (
    Limit(name="count", per=("account",), max_open_orders=3),
    Limit(name="cash", symbols=("BTC/*",), max_open_notional=D(500), without_reference="pass"),
    Limit(name="held", per=("destination",), max_position=D(4), reducing_only=False, without_reference="pass"),
)
CONFIGS = {"tight": TIGHT, "looser": LOOSER}
NUMBERS = st.integers(0, 5)
client_steps = st.one_of(
    st.tuples(st.just("order"), st.sampled_from([Side.BUY, Side.SELL]), st.sampled_from(["0.5", "1", "2"]),
              st.sampled_from(["99", "100", "101"]), st.sampled_from(["BINANCE", "NATIVE"])),
    st.tuples(st.just("order"), st.just(Side.BUY), st.just("0.5"), st.just("100"), st.just("BINANCE")),
    st.tuples(st.just("market"), st.booleans()),
    st.tuples(st.just("change"), NUMBERS, st.sampled_from(["0.5", "1", "3"]), st.sampled_from(["98", "100", "110"])),
    st.tuples(st.just("stop"), NUMBERS),
)  # fmt: skip
venue_steps = st.one_of(
    st.tuples(st.just("took"), NUMBERS),
    st.tuples(st.just("took"), NUMBERS),
    st.tuples(st.just("executed"), NUMBERS, st.sampled_from(["0.25", "0.5", "1"]), st.sampled_from(["98", "100", "103"])),
    st.tuples(st.just("executed"), NUMBERS, st.just("0.25"), st.just("100")),
    st.tuples(st.just("over"), NUMBERS),
    st.tuples(st.just("changed"), NUMBERS),
    st.tuples(st.just("kept"), NUMBERS),
)
other_steps = st.one_of(
    st.tuples(st.just("price"), st.sampled_from([None, "90", "100"])),
    st.tuples(st.just("reload"), st.sampled_from(sorted(CONFIGS))),
    st.tuples(st.just("bust"), NUMBERS, st.booleans()),
    st.tuples(st.just("days"), st.sampled_from([3600 * 7, 3600 * 20])),
)
all_steps = st.integers(0, 19).flatmap(
    lambda number: client_steps if number < 8 else venue_steps if number < 16 else other_steps if number < 18 else steps
)
histories = st.lists(all_steps, min_size=20, max_size=70)
OURS = {"new", "cash", "order", "market", "change", "stop", "replace", "cancel", "mass", "down", "up", "later", "price", "kept", "restart"}
"""Steps at which nothing but what was judged may add to a figure. (A venue may fill more than it was asked to, or take back its no.)"""


def a_live_one(desk: Desk, n: int) -> Order | None:
    live = list(desk.engine.state.blotter.live.values())
    return live[n % len(live)] if live else None


def ask(desk: Desk, step: tuple[Any, ...]) -> None:
    """What a client does, always under an id that is new."""
    fresh = f"u{len(desk.inputs)}"
    match step:
        case ("order", side, qty, px, to):
            desk.new(fresh, side=side, order_qty=D(qty), price=D(px), destination=to, venue_cl_ord_id=fresh)
        case ("market", cash):
            amount = {"cash_order_qty": D(50), "order_qty": None} if cash else {"side": Side.SELL, "order_qty": D("0.5")}
            desk.new(fresh, ord_type=OrdType.MARKET, price=None, venue_cl_ord_id=fresh, **amount)
        case ("change", n, qty, px):
            order = a_live_one(desk, n)
            if order is not None:
                desk.replace(fresh, order.cl_ord_id, qty=qty, px=px, side=order.request.side)
        case ("stop", n):
            order = a_live_one(desk, n)
            if order is not None:
                desk.cancel(fresh, order.cl_ord_id)


def answer(desk: Desk, kind: str, order: Order, *more: str) -> None:
    """What a venue says of the present leg."""
    names = {"account": "acc", "venue_cl_ord_id": order.venue_cl_ord_id, "venue_order_id": f"O{order.venue_cl_ord_id}"}
    exec_id = f"X{len(desk.inputs)}"
    match kind:
        case "took":
            desk.apply(Accepted(exec_id=exec_id, **names))
        case "executed":
            desk.apply(Filled(exec_id=exec_id, last_qty=D(more[0]), last_px=D(more[1]), complete=False, **names))
        case "over":
            desk.apply(Canceled(exec_id=exec_id, **names))
        case "changed":
            desk.apply(Replaced(exec_id=exec_id, **names))
        case _:
            desk.apply(CancelRejected(**names))


def do(desk: Desk, step: tuple[Any, ...]) -> None:
    match step:
        case ("order" | "market" | "change" | "stop", *_):
            ask(desk, step)
        case ("took" | "executed" | "over" | "changed" | "kept" as kind, n, *more):
            order = a_live_one(desk, n)
            if order is not None and order.placed:
                answer(desk, kind, order, *more)
        case ("price", px):
            price = None if px is None else D(px)
            desk.apply(Priced(LINK, (Price(symbol="BTCUSDT", bid=price, ask=price, last=price),)))
        case ("reload", name):
            desk.apply(configured(**deepcopy(CONFIG), limits=CONFIGS[name]))
        case ("bust", n, wholly):
            order = a_live_one(desk, n)
            if order is not None and order.executions:
                exec_id = next(iter(order.executions))
                names = {"order_id": order.order_id, "exec_id": exec_id, "text": "never was"}
                desk.apply(BustTrade(**names) if wholly else CorrectTrade(**names, last_qty=D("0.4"), last_px=D(97)))
        case ("days", seconds):
            desk.later(seconds)
        case _:
            play(desk, step)


# --- the witness: counts everything anew, from the orders and what clients were told ----------------------------------------


@dataclass
class Sum:
    """Of the orders under one key of one limit."""

    orders: int = 0
    buys: Any = ZERO
    sells: Any = ZERO
    to_buy: Any = ZERO
    to_sell: Any = ZERO
    position: Any = ZERO
    traded: Any = ZERO
    held: Any = ZERO
    cash: Any = ZERO
    on: set[str] = field(default_factory=set)


def witness(desk: Desk) -> dict[tuple[str, ...], Sum]:
    """Limits' figures from the book, and from every execution that was ever told."""
    state = desk.engine.state
    sums: dict[tuple[str, ...], Sum] = defaultdict(Sum)
    told: dict[str, list[Any]] = defaultdict(list)
    for each in reports(desk.said):
        if each.exec_type in (ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL):
            told[each.order_id].append(each)
    for order in state.blotter.orders.values():
        if not order.destination:
            continue
        words = {"session": SESSION, "account": "", "symbol": "BTC/USDT", "destination": order.destination}
        for limit in state.policy.configured.limits:
            add(sums[limit.name, *(words[each] for each in limit.per)], order, limit, told[order.order_id], desk)
    return sums


def add(total: Sum, order: Order, limit: Limit, told: list[Any], desk: Desk) -> None:
    buy = order.request.side is Side.BUY
    share = desk.engine.state.figures.shares.get(order.order_id)
    quantity, value = left(order, share.price if share else None)
    total.orders += not order.done
    if buy:
        total.buys, total.to_buy, total.position = total.buys + value, total.to_buy + quantity, total.position + order.cum_qty
    else:
        total.sells, total.to_sell, total.position = total.sells + value, total.to_sell + quantity, total.position - order.cum_qty
    cum, notional = ZERO, ZERO
    for each in told:
        worth = each.cum_qty * each.avg_px if each.cum_qty else ZERO
        if (each.time - limit.day_begins) // DAY == (desk.now - limit.day_begins) // DAY:
            sign = 1 if buy else -1
            total.traded += worth - notional
            total.held += sign * (each.cum_qty - cum)
            total.cash -= sign * (worth - notional)
        cum, notional = each.cum_qty, worth


def left(order: Order, valued: Any) -> tuple[Any, Any]:
    """What is open of an order, at most."""
    if order.done:
        return ZERO, ZERO
    request = order.request
    if request.order_qty is None:
        value = max((request.cash_order_qty or ZERO) - order.notional, ZERO)
        return (value / valued if valued else ZERO), value
    ways = [(request.order_qty, request.price or valued)]
    asked = order.pending.request if order.pending is not None else None
    if asked is not None and hasattr(asked, "order_qty"):
        ways.append((asked.order_qty, asked.price or request.price or valued))
    quantities = [max(quantity - order.cum_qty, ZERO) for quantity, _ in ways]
    return max(quantities), max(left * (px or ZERO) for left, (_, px) in zip(quantities, ways, strict=True))


def about(one: Any, other: Any) -> bool:
    """Average prices are told to 12 decimals."""
    return bool(abs(one - other) < D("1e-9"))


def compare(desk: Desk) -> dict[tuple[str, ...], Sum]:
    """The engine's figures are the witness's."""
    state = desk.engine.state
    sums = witness(desk)
    for key, total in sums.items():
        slot = next(
            (each for each in slots(state) if any(one.limit.name == key[0] and apart(one.limit, each) == key[1:] for one in each.applied)),
            None,
        )
        assert slot is not None, key
        applied = next(one for one in slot.applied if one.limit.name == key[0])
        feed, limit = applied.feed, applied.limit
        day = (desk.now - limit.day_begins) // DAY
        if feed.count is not None:
            assert feed.count.orders == total.orders, key
        if feed.money is not None:
            assert (feed.money.buys, feed.money.sells) == (total.buys, total.sells), key
            assert about(feed.money.today(day), total.traded), key
        if feed.holding is not None:
            assert feed.holding.position == total.position, key
            assert about(feed.holding.buys, total.to_buy), key
            assert about(feed.holding.sells, total.to_sell), key
        if feed.profit is not None:
            held, cash = (ZERO, ZERO) if feed.profit.day != day else whole(feed.profit.by)
            assert about(held, total.held), key
            assert about(cash, total.cash), key
    return sums


def whole(by: dict[Any, tuple[Any, Any]]) -> tuple[Any, Any]:
    return sum((held for held, _ in by.values()), ZERO), sum((cash for _, cash in by.values()), ZERO)


def slots(state: State) -> list[Any]:
    return [state.rulebook.slot(state, each) for each in state.blotter.orders.values() if each.destination]


def apart(limit: Limit, slot: Any) -> tuple[str, ...]:
    words = {"session": SESSION, "account": "", "symbol": slot.symbol, "destination": slot.place[0]}
    return tuple(words[each] for each in limit.per)


def exceeded(limit: Limit, total: Sum) -> dict[str, tuple[Any, Any]]:
    """What of a limit is asked: the figure, and the most it may be."""
    asked = {
        "orders": (total.orders, limit.max_open_orders),
        "open": (total.buys + total.sells, limit.max_open_notional),
        "long": (total.position + total.to_buy, limit.max_position),
        "short": (total.to_sell - total.position, limit.max_position),
        "daily": (total.traded + total.buys + total.sells, limit.max_daily_notional),
    }
    return {name: (figure, most) for name, (figure, most) in asked.items() if most is not None}


# --- the properties -----------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(histories)
def test_nothing_gets_past_a_limit(history: list[tuple[Any, ...]]) -> None:
    """After every step the figures are the witness's; and where only clients, links or the clock moved, no figure that is past its limit
    has grown."""
    desk = Desk(**deepcopy(CONFIG), limits=TIGHT)
    before = compare(desk)
    for step in history:
        do(desk, step)
        sums = compare(desk)
        if step[0] in OURS:
            for limit in desk.engine.state.policy.configured.limits:
                for key in [key for key in sums if key[0] == limit.name]:
                    was = exceeded(limit, before.get(key, Sum()))
                    for name, (figure, most) in exceeded(limit, sums[key]).items():
                        assert figure <= most or figure <= was[name][0], (key, name, figure, most)
        before = sums


def carry_on(engine: Engine, inputs: list[tuple[int, Any]]) -> list[Any]:
    return [effect for now, event in inputs for effect in engine.apply(event, now)]


@settings(max_examples=100, deadline=None)
@given(histories, st.data())
def test_replay_and_snapshots_give_the_same_figures(history: list[tuple[Any, ...]], data: st.DataObject) -> None:
    """Whoever replays, and whoever goes on from a snapshot, has the same figures and says the same."""
    desk = Desk(**deepcopy(CONFIG), limits=TIGHT)
    for step in history:
        do(desk, step)
    cut = data.draw(st.integers(0, len(desk.inputs)))
    again, part = Engine(), Engine()
    said = carry_on(again, desk.inputs[:cut])
    part.state, _ = load(dump(again.state, []))
    rest = carry_on(again, desk.inputs[cut:])
    assert said + rest == desk.said
    assert carry_on(part, desk.inputs[cut:]) == rest
    for engine in (again, part):
        assert engine.state.figures == desk.engine.state.figures
        assert engine.state.references == desk.engine.state.references
        assert engine.state.rulebook == desk.engine.state.rulebook


def current(state: State, now: int) -> dict[str, Any]:
    """Figures without those that are nothing, and days as they are now."""
    kept: Figures = deepcopy(state.figures)
    begins = {each.name: each.day_begins for each in state.policy.configured.limits}
    return {
        "shares": {
            name: (each.open, each.quantity, each.value, each.cum_qty, each.notional)
            for name, each in kept.shares.items()
            if each.open or each.cum_qty
        },
        "counts": {key: each.orders for key, each in kept.counts.items() if each.orders},
        "money": {
            key: sums for key, each in kept.money.items() if any(sums := (each.buys, each.sells, each.today((now - begins[key[0]]) // DAY)))
        },
        "holdings": {key: each for key, each in kept.holdings.items() if each.position or each.buys or each.sells},
        "resting": state.rulebook.resting,
    }


@settings(max_examples=150, deadline=None)
@given(histories)
def test_figures_made_from_the_book_are_those_kept_up_to_date(history: list[tuple[Any, ...]]) -> None:
    """What a reload makes anew is what was there."""
    history = [each for each in history if each[0] != "reload"]
    desk = Desk(**deepcopy(CONFIG), limits=(*TIGHT, Limit(name="own", self_trade="cancel-resting")))
    for step in history:
        do(desk, step)
    state = desk.engine.state
    before = current(state, desk.now)
    shares.rebuild(state, state.policy.configured, desk.now)
    assert current(state, desk.now) == before


# --- cases --------------------------------------------------------------------------------------------------------------


def one(desk: Desk, kind: str) -> Any:
    """The only figure of a kind."""
    (figure,) = getattr(desk.engine.state.figures, kind).values()
    return figure


def test_a_change_under_way_counts_once_and_for_the_greater() -> None:
    """A replace by cancel and new order: never the sum of both legs."""
    desk = Desk(limits=(Limit(name="all", max_open_notional=D(1000)),))
    desk.new("a")
    desk.accept(1)
    desk.replace("r", "a", qty="3", px="90")
    assert one(desk, "money").buys == D(270)
    desk.end(1, cum_qty=ZERO, avg_px=ZERO)
    assert one(desk, "money").buys == D(270)
    desk.apply(deepcopy(desk.inputs[-1][1]).__class__(account="acc", exec_id="gone", venue_cl_ord_id="wr", venue_order_id="o9"))
    assert one(desk, "money").buys == ZERO


def test_an_order_that_was_never_acknowledged_counts() -> None:
    """What the venue was sent may be executed, whatever the client was told; when the link is lost too."""
    desk = Desk(limits=(Limit(name="all", max_open_orders=9),))
    desk.new("a")
    desk.down()
    assert one(desk, "counts").orders == 1
    desk.up()
    desk.reject(1, venue_order_id="v1")
    assert one(desk, "counts").orders == 0


def test_forgotten_orders_leave_their_position() -> None:
    """Also when the figures are made anew, and after a snapshot."""
    desk = Desk(limits=(Limit(name="all", max_position=D(5)),))
    desk.new("a", order_qty=D(2))
    desk.accept(1)
    desk.fill("2")
    desk.apply(Forget(before=desk.now + 1))
    assert not desk.engine.state.blotter.orders
    desk.engine.state, _ = load(dump(desk.engine.state, []))
    assert one(desk, "holdings").position == 2
    desk.apply(configured(limits=(Limit(name="other", per=("session",), max_position=D(5)),)))
    assert one(desk, "holdings").position == 2
    assert "would be 5.5" in desk.new("b", order_qty=D("3.5"))[-1].text  # type: ignore[union-attr]


def test_limits_that_are_new_know_what_was_before_them() -> None:
    """Without limits nothing is counted; when they come, the book is, and what an order executed counts when it was last changed."""
    desk = Desk()
    desk.new("a", order_qty=D(2))
    desk.accept(1)
    desk.fill("1", px="90")
    assert desk.engine.state.figures == Figures()
    desk.apply(configured(limits=(Limit(name="all", max_open_orders=5, max_position=D(3), max_daily_notional=D(300)),)))
    assert one(desk, "counts").orders == 1
    assert (one(desk, "holdings").position, one(desk, "holdings").buys) == (1, 1)
    assert (one(desk, "money").traded, one(desk, "money").buys) == (90, 100)


def contract(size: str, inverse: bool) -> Configured:
    instrument = Instrument(
        symbol="BTC/USD", venue_symbol="BTCUSDT", base="BTC", quote="USD", tick=D("0.5"), lot=D(1), contract_size=D(size), inverse=inverse
    )
    whole = configured(
        limits=(Limit(name="all", max_open_notional=D(10**6), max_position=D(10**6), max_daily_loss=D(10**6), reference="last"),)
    )
    places = tuple(
        type(each)(**{name: getattr(each, name) for name in each.__struct_fields__} | {"instruments": (instrument,)})
        for each in whole.destinations
    )
    return type(whole)(**{name: getattr(whole, name) for name in whole.__struct_fields__} | {"destinations": places})


@pytest.mark.parametrize(
    ("size", "inverse", "open_value", "position", "made"),
    [
        # 100 contracts of 0.005 ETH: 0.5 units at 200 are 100; at 220 they have made 10.
        ("0.005", False, D(100), D("0.5"), D(10)),
        # 100 contracts of 1 USD bought at 200: 0.5 units of base; at 220 worth 110 in USD.
        ("1", True, D(100), D(100), D(10)),
    ],
)
def test_contracts_count_by_what_they_are_of(size: str, inverse: bool, open_value: Any, position: Any, made: Any) -> None:
    """Value in quote currency, positions in base units or in units of what an inverse contract is of."""
    desk = Desk()
    desk.apply(contract(size, inverse))
    desk.new("a", symbol="BTC/USD", order_qty=D(100), price=D(200))
    assert one(desk, "money").buys == open_value
    desk.accept(1)
    desk.fill("100", px="200")
    desk.apply(Priced(LINK, (Price(symbol="BTCUSDT", last=D(220)),)))
    assert one(desk, "holdings").position == position
    held, cash = whole(one(desk, "profits").by)
    assert held * 220 + cash == made
    assert one(desk, "money").traded == 100


def test_currencies_are_never_added() -> None:
    """One limit on two quote currencies holds for each of them."""
    desk = Desk(limits=(Limit(name="all", max_open_notional=D(150)),))
    other = BTC.__class__(
        **{name: getattr(BTC, name) for name in BTC.__struct_fields__} | {"symbol": "ETC/BTC", "venue_symbol": "E", "quote": "BTC"}
    )
    whole = configured(limits=(Limit(name="all", max_open_notional=D(150)),))
    places = tuple(
        type(each)(**{name: getattr(each, name) for name in each.__struct_fields__} | {"instruments": (BTC, other)})
        for each in whole.destinations
    )
    desk.apply(type(whole)(**{name: getattr(whole, name) for name in whole.__struct_fields__} | {"destinations": places}))
    assert [type(each).__name__ for each in desk.new("a")] == ["Send"]
    assert [type(each).__name__ for each in desk.new("b", symbol="ETC/BTC")] == ["Send"]
    assert "limit all: open notional 150 USDT would be 200" in desk.new("c")[-1].text  # type: ignore[union-attr]


def test_the_same_symbol_as_the_clients_write_it_is_one() -> None:
    """Ours and the venue's spelling."""
    desk = Desk(limits=(Limit(name="all", per=("symbol",), max_open_orders=1),))
    desk.new("a")
    assert "open orders 1 would be 2" in desk.new("b", symbol="BTCUSDT", time_in_force=TimeInForce.IOC)[-1].text  # type: ignore[union-attr]
