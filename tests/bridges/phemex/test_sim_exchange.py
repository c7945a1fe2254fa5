"""The venue itself: order life, stops, positions and money."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.matching import Side
from bridges.phemex import sim_errors as errors
from bridges.phemex.sim_errors import Refused
from bridges.phemex.sim_exchange import Exchange
from bridges.phemex.sim_orders import NewOrder, Order, Status

from . import venue
from .venue import NOW, OTHER, USER, asked, check

BUY, SELL = Side.BUY, Side.SELL
STOP: dict[str, Any] = {"ord_type": "Stop"}


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(venue.settings(), NOW)


def enter(exchange: Exchange, new: NewOrder, user: int = USER) -> tuple[Order | int, list[tuple[str, str]]]:
    """Places an order: it, or the code of its refusal, and (execStatus, ordStatus) of what AOP tells its user."""
    exchange.take_changes()
    outcome: Order | int
    try:
        outcome = exchange.place(user, new, NOW)
    except Refused as no:
        outcome = no.code
    check(exchange)
    rows = exchange.take_changes().rows
    told = [row for account in exchange.accounts[user].values() for row in rows.get(account.account_id, [])]
    return outcome, [(row["execStatus"], row["ordStatus"]) for row in told]


def trade(exchange: Exchange, side: Side, qty: int, price: int) -> list[tuple[str, str, str]]:
    """A counterparty; (clOrdID, execStatus, ordStatus) of what AOP tells the first user."""
    exchange.take_changes()
    exchange.trade("BTCUSD", side, qty, price * 10_000, NOW)
    check(exchange)
    rows = exchange.take_changes().rows.get(USER * 10_000 + 1, [])
    return [(row["clOrdID"], row["execStatus"], row["ordStatus"]) for row in rows]


def position(exchange: Exchange, user: int = USER) -> int:
    return exchange.accounts[user]["BTC"].positions["BTCUSD"].size


def test_a_limit_inside_the_spread_rests_and_a_counterparty_fills_it(exchange):
    """First in line, at its own price, with a rebate."""
    order, told = enter(exchange, asked(1, BUY, 65_000, 7))
    assert told == [("New", "New")]
    assert trade(exchange, SELL, 3, 64_990) == [("c1", "MakerFill", "PartiallyFilled")]
    assert trade(exchange, SELL, 4, 65_000) == [("c1", "MakerFill", "Filled")]
    assert (order.cum_qty, position(exchange)) == (7, 7)
    assert order.row["execFeeEv"] == -1
    assert order.row["feeRateEr"] == -25_000


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (asked(1, BUY, 65_010, 7), [("New", "New"), ("TakerFill", "Filled")]),
        (asked(1, BUY, None, 7), [("New", "New"), ("TakerFill", "Filled")]),
        (
            asked(1, BUY, None, 3000),
            [
                ("New", "New"),
                ("TakerFill", "PartiallyFilled"),
                ("TakerFill", "PartiallyFilled"),
                ("Canceled", "Canceled"),
            ],
        ),
        (asked(1, BUY, 65_010, 1500), [("New", "New"), ("TakerFill", "PartiallyFilled")]),
        (
            asked(1, BUY, 65_010, 1500, time_in_force="ImmediateOrCancel"),
            [("New", "New"), ("TakerFill", "PartiallyFilled"), ("Canceled", "Canceled")],
        ),
        (asked(1, BUY, 65_010, 1500, time_in_force="FillOrKill"), [("New", "New"), ("Canceled", "Canceled")]),
        (asked(1, BUY, None, 2001, time_in_force="FillOrKill"), [("New", "New"), ("Canceled", "Canceled")]),
        (asked(1, BUY, 65_010, 7, time_in_force="PostOnly"), [("New", "New"), ("Canceled", "Canceled")]),
        (asked(1, BUY, 65_009, 7, time_in_force="PostOnly"), [("New", "New")]),
        (asked(1, BUY, 65_000, 7, time_in_force="ImmediateOrCancel"), [("New", "New"), ("Canceled", "Canceled")]),
    ],
)
def test_what_becomes_of_an_order_is_told_in_order(exchange, new, told):
    """By type and time in force."""
    assert enter(exchange, new)[1] == told


def test_both_parties_of_a_trade_are_told(exchange):
    """Each with an execID of its own."""
    maker, _ = enter(exchange, asked(1, SELL, 65_000, 5), OTHER)
    taker, _ = enter(exchange, asked(1, BUY, 65_000, 5))
    assert (maker.status, taker.status) == (Status.FILLED, Status.FILLED)
    assert (maker.row["execStatus"], taker.row["execStatus"]) == ("MakerFill", "TakerFill")
    assert maker.row["execID"] != taker.row["execID"]
    assert (position(exchange), position(exchange, OTHER)) == (5, -5)


def test_a_client_order_id_is_used_up_by_what_was_accepted_alone(exchange):
    """For ever, by user; a duplicate is not told in AOP."""
    assert enter(exchange, asked(1, BUY, 65_000, 0))[0] == errors.TE_QTY_TOO_SMALL
    order, _ = enter(exchange, asked(1, BUY, 65_000, 7))
    assert enter(exchange, asked(1, BUY, 65_000, 7)) == (errors.TE_CL_ORD_ID_DUPLICATE, [])
    exchange.cancel(USER, order.order_id, "BTCUSD", NOW)
    assert enter(exchange, asked(1, BUY, 65_000, 7)) == (errors.TE_CL_ORD_ID_DUPLICATE, [])
    assert isinstance(enter(exchange, asked(1, BUY, 65_000, 7), OTHER)[0], Order)


def test_what_the_trading_engine_refuses_is_told_and_what_is_no_request_is_not(exchange):
    """CreateRejected with the code, or nothing."""
    assert enter(exchange, asked(1, BUY, 65_000, 0)) == (errors.TE_QTY_TOO_SMALL, [("CreateRejected", "Rejected")])
    assert enter(exchange, asked(2, BUY, 0, 7, price_ep=1)) == (errors.BAD_ARGUMENTS, [])
    assert enter(exchange, asked(3, BUY, 65_000, 7, symbol="DOGEUSD")) == (errors.TE_SYMBOL_INVALID, [])
    assert list(exchange.orders()) == []
    (order,) = exchange.history(exchange.accounts[USER]["BTC"])
    assert (order.row["code"], order.row["message"]) == (errors.TE_QTY_TOO_SMALL, "TE_QTY_TOO_SMALL")


def test_an_order_needs_its_margin_and_the_fees(exchange):
    """One bitcoin at 1 % and twice 0.075 %: about 86 of them may be bought."""
    assert isinstance(enter(exchange, asked(1, BUY, 50_000, 1_000_000))[0], Order)
    assert isinstance(enter(exchange, asked(2, BUY, 50_000, 1_000_000))[0], Order)
    assert isinstance(enter(exchange, asked(3, BUY, 20_000, 600_000))[0], Order)
    assert enter(exchange, asked(4, BUY, 50_000, 1_000_000))[0] == errors.TE_NO_ENOUGH_AVAILABLE_BALANCE
    # The dearer side counts, and not both.
    assert isinstance(enter(exchange, asked(5, SELL, 70_000, 1_000_000))[0], Order)


def test_cancelling_by_anyone_else_or_twice_is_refused(exchange):
    """10002, 11062, 11063; the answer is the order as it stood before."""
    order, _ = enter(exchange, asked(1, BUY, 65_000, 7))
    for user, order_id, symbol in (
        (OTHER, order.order_id, "BTCUSD"),
        (USER, order.order_id, "ETHUSD"),
        (USER, "c1", "BTCUSD"),
    ):
        with pytest.raises(Refused) as caught:
            exchange.cancel(user, order_id, symbol, NOW)
        assert caught.value.code == errors.OM_ORDER_NOT_FOUND
    assert exchange.cancel(USER, order.order_id, "BTCUSD", NOW)["ordStatus"] == "New"
    assert order.status is Status.CANCELED
    with pytest.raises(Refused) as caught:
        exchange.cancel(USER, order.order_id, "BTCUSD", NOW)
    assert caught.value.code == errors.TE_ORD_ALREADY_CANCELED
    filled, _ = enter(exchange, asked(2, BUY, None, 7))
    with pytest.raises(Refused) as caught:
        exchange.cancel(USER, filled.order_id, "BTCUSD", NOW)
    assert caught.value.code == errors.TE_ORD_STATUS_CANNOT_CANCEL
    check(exchange)


def test_cancelling_all_is_of_one_user_and_takes_stops_along(exchange):
    """Of a symbol or of all."""
    enter(exchange, asked(1, BUY, 65_000, 7))
    enter(exchange, asked(2, BUY, None, 7, stop_px_ep=660_000_000, **STOP))
    enter(exchange, asked(3, BUY, 3_400, 7, symbol="ETHUSD"))
    kept, _ = enter(exchange, asked(1, BUY, 65_000, 7), OTHER)
    assert exchange.cancel_all(USER, "BTCUSD", NOW) == 2
    assert exchange.cancel_all(USER, None, NOW) == 1
    assert exchange.cancel_all(USER, None, NOW) == 0
    assert kept.status is Status.NEW
    check(exchange)


def test_a_stop_waits_for_the_last_price_and_then_trades(exchange):
    """Untriggered, Triggered, New, fills; nothing of it is in the book before."""
    stop, told = enter(exchange, asked(1, BUY, None, 7, stop_px_ep=650_200_000, **STOP))
    assert told == [("Untriggered", "Untriggered")]
    assert trade(exchange, BUY, 1, 65_010) == []
    assert trade(exchange, BUY, 1000, 65_020) == [
        ("c1", "Triggered", "Triggered"),
        ("c1", "New", "New"),
        ("c1", "TakerFill", "Filled"),
    ]
    assert stop.row["execPriceEp"] == 650_200_000


def test_a_stop_limit_rests_when_it_has_triggered(exchange):
    """At its limit."""
    new = asked(1, SELL, 65_005, 7, stop_px_ep=649_900_000, ord_type="StopLimit")
    assert enter(exchange, new)[1] == [("Untriggered", "Untriggered")]
    assert trade(exchange, SELL, 1, 64_990) == [("c1", "Triggered", "Triggered"), ("c1", "New", "New")]
    assert trade(exchange, BUY, 7, 65_010) == [("c1", "MakerFill", "Filled")]


def test_one_stop_may_trigger_the_next(exchange):
    """Oldest first, until no more does."""
    enter(exchange, asked(1, BUY, None, 1000, stop_px_ep=650_200_000, **STOP))
    enter(exchange, asked(2, BUY, None, 1, stop_px_ep=650_100_000, **STOP))
    told = trade(exchange, BUY, 1000, 65_010)
    assert [(each[0], each[1]) for each in told] == [
        ("c2", "Triggered"),
        ("c2", "New"),
        ("c2", "TakerFill"),
        ("c1", "Triggered"),
        ("c1", "New"),
        ("c1", "TakerFill"),
        ("c1", "Canceled"),
    ]


def test_a_stop_that_would_trigger_at_once_is_refused(exchange):
    """By its side; the middle of the seed is the last price until there is a trade."""
    code, told = enter(exchange, asked(1, BUY, None, 7, stop_px_ep=650_000_000, **STOP))
    assert (code, told) == (errors.TE_RISING_TRIGGER_DIRECTLY, [("CreateRejected", "Rejected")])
    code, _ = enter(exchange, asked(1, SELL, None, 7, stop_px_ep=650_000_000, **STOP))
    assert code == errors.TE_FALLING_TRIGGER_DIRECTLY


def test_a_canceled_stop_does_not_trigger(exchange):
    """It is gone."""
    stop, _ = enter(exchange, asked(1, BUY, None, 7, stop_px_ep=650_200_000, **STOP))
    assert exchange.cancel(USER, stop.order_id, "BTCUSD", NOW)["ordStatus"] == "Untriggered"
    assert trade(exchange, BUY, 2000, 65_020) == []


def test_reduce_only_needs_a_position_that_covers_it(exchange):
    """None: 11057; the same side, or more than there is left to close: 11011."""
    reduce = {"reduce_only": True}
    assert enter(exchange, asked(1, SELL, 65_000, 5, **reduce))[0] == errors.TE_QTY_NOT_MATCH_REDUCE_ONLY
    enter(exchange, asked(2, BUY, None, 10))
    assert enter(exchange, asked(3, BUY, 65_000, 5, **reduce))[0] == errors.TE_REDUCE_ONLY_ABORT
    assert enter(exchange, asked(4, SELL, 65_005, 11, **reduce))[0] == errors.TE_REDUCE_ONLY_ABORT
    assert isinstance(enter(exchange, asked(5, SELL, 65_005, 6, **reduce))[0], Order)
    assert enter(exchange, asked(6, SELL, 65_005, 5, **reduce))[0] == errors.TE_REDUCE_ONLY_ABORT
    assert isinstance(enter(exchange, asked(7, SELL, 65_005, 4, **reduce))[0], Order)


def test_reducing_orders_give_way_when_the_position_shrinks(exchange):
    """The oldest is covered first; the venue cancels the rest."""
    enter(exchange, asked(1, BUY, None, 10))
    enter(exchange, asked(2, SELL, 65_005, 6, reduce_only=True))
    enter(exchange, asked(3, SELL, 65_005, 4, reduce_only=True))
    _, told = enter(exchange, asked(4, SELL, None, 2))
    assert told == [("New", "New"), ("TakerFill", "Filled"), ("Canceled", "Canceled")]
    assert trade(exchange, BUY, 100, 65_005) == [("c2", "MakerFill", "Filled")]
    assert position(exchange) == 2


def test_close_on_trigger_closes_what_there_is(exchange):
    """Cut down to the position; canceled where there is none any more."""
    enter(exchange, asked(1, BUY, None, 10))
    close = {"close_on_trigger": True, "stop_px_ep": 649_800_000, **STOP}
    order, _ = enter(exchange, asked(2, SELL, None, 50, **close))
    late, _ = enter(exchange, asked(3, SELL, None, 50, **close))
    trade(exchange, SELL, 1001, 64_980)
    assert (order.status, order.cum_qty, position(exchange)) == (Status.FILLED, 10, 0)
    assert (late.status, late.cum_qty) == (Status.CANCELED, 0)


def test_profit_and_fees_are_in_the_balance(exchange):
    """Bought at 65010, sold at 64990: a loss, and two taker fees."""
    account = exchange.accounts[USER]["BTC"]
    bought, _ = enter(exchange, asked(1, BUY, None, 500))
    sold, _ = enter(exchange, asked(2, SELL, None, 500))
    loss = sold.cum_value_ev - bought.cum_value_ev
    assert (sold.row["closedSize"], sold.row["closedPnlEv"]) == (500, -loss)
    assert account.balance_ev == 10**8 - loss - bought.row["execFeeEv"] - sold.row["execFeeEv"]
    assert loss > 0
    assert account.positions["BTCUSD"].closed_pnl_ev == -loss
    assert exchange.used_ev(account) == 0


def test_a_snapshot_shows_open_orders_and_the_last_hundred_others(exchange):
    """However old the open ones are."""
    first, _ = enter(exchange, asked("first", BUY, 60_000, 1))
    for n in range(105):
        enter(exchange, asked(n, BUY, 60_000, 1, time_in_force="ImmediateOrCancel"))
    last, _ = enter(exchange, asked("last", BUY, 60_000, 1))
    shown = exchange.history(exchange.accounts[USER]["BTC"])
    assert [order.asked.cl_ord_id for order in shown] == ["cfirst", *(f"c{n}" for n in range(5, 105)), "clast"]
    assert exchange.history(exchange.accounts[USER]["USD"]) == []
    assert (first.status, last.status) == (Status.NEW, Status.NEW)


def test_ids_differ_between_runs_and_look_like_uuids():
    """So that a client that journals them never sees one twice."""
    ids = set()
    for start in (NOW, NOW + 1):
        exchange = Exchange(venue.settings(), start)
        ids |= {exchange.place(USER, asked(n, BUY, None, 1), NOW).order_id for n in range(3)}
    assert len(ids) == 6
    assert {tuple(map(len, each.split("-"))) for each in ids} == {(8, 4, 4, 4, 12)}


def test_reset_is_the_start_again_but_for_ids_and_sequences(exchange):
    """Books, positions, money and client ids."""
    order, _ = enter(exchange, asked(1, BUY, 65_020, 1500))
    before = exchange.next_seq()
    exchange.reset()
    check(exchange)
    again, told = enter(exchange, asked(1, BUY, 65_020, 1500))
    assert [each[0] for each in told] == ["New", "TakerFill", "TakerFill"]
    assert again.order_id != order.order_id
    assert exchange.next_seq() > before


ACTIONS = st.tuples(
    st.sampled_from(["place", "place", "place", "trade", "cancel", "all"]),
    st.sampled_from(list(Side)),
    st.sampled_from([None, 64_970, 64_985, 65_000, 65_015, 65_030]),
    st.integers(1, 700),
    st.sampled_from(["GoodTillCancel", "PostOnly", "ImmediateOrCancel", "FillOrKill"]),
    st.sampled_from([(), ("reduce_only",), ("stop",), ("stop", "reduce_only"), ("stop", "close_on_trigger")]),
    st.integers(64_960, 65_040),
    st.sampled_from([USER, OTHER]),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(ACTIONS, max_size=40))
def test_whatever_is_asked_the_venue_stays_sound(actions):
    """Books, sums, money, and no reducing order without a position, after every step."""
    exchange = Exchange(venue.settings(), NOW)
    for n, (what, side, price, qty, tif, extras, stop, user) in enumerate(actions):
        try:
            if what == "place":
                changes: dict[str, Any] = {name: True for name in extras if name != "stop"}
                if "stop" in extras:
                    changes |= {"stop_px_ep": stop * 10_000, "ord_type": "Stop" if price is None else "StopLimit"}
                exchange.place(user, asked(n, side, price, qty, time_in_force=tif, **changes), NOW + n)
            elif what == "trade":
                exchange.trade("BTCUSD", side, qty, (price or 65_000) * 10_000, NOW + n)
            elif what == "cancel":
                orders = list(exchange.orders())
                if orders:
                    order = orders[qty % len(orders)]
                    exchange.cancel(order.user_id, order.order_id, "BTCUSD", NOW + n)
            else:
                exchange.cancel_all(user, None, NOW + n)
        except Refused:
            pass
        check(exchange)
