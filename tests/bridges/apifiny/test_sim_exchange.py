"""The venue itself: rules, order life and money."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_exchange import Exchange
from bridges.apifiny.sim_orders import Order, OrderType, Status, What
from bridges.matching import Side

from .venue import ACCOUNT, BINANCE, NOW, OTHER, D, limit, order_id, settings

MARKET = {"order_type": OrderType.MARKET, "price": None}


def exchange(**changes) -> Exchange:
    return Exchange(settings(**changes), NOW)


def enter(venue: Exchange, new) -> tuple[Order, list[What]]:
    """Places and confirms; the order and what happened, in order, counterparties included."""
    order = venue.place(new, new.account_id, BINANCE, NOW)
    if order.status is Status.REJECTED:
        return order, [What.REJECTED]
    return order, [each.what for each in venue.confirm(order, NOW)]


def money(venue: Exchange, account: str = ACCOUNT) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """USDT available and frozen, BTC available and frozen, at BINANCE."""
    usdt, btc = (venue.ledger.of(account, "BINANCE", currency) for currency in ("USDT", "BTC"))
    return usdt.available, usdt.frozen, btc.available, btc.frozen


def test_a_limit_order_inside_the_spread_rests_and_freezes_its_cost():
    """PENDING_SUBMIT until it is confirmed, SUBMITTED after."""
    venue = exchange()
    order = venue.place(limit(1, Side.BUY, "65000", "0.5"), ACCOUNT, BINANCE, NOW)
    assert order.status is Status.PENDING_SUBMIT
    assert money(venue) == (D(967_500), D(32_500), D(10), D(0))
    assert [each.what for each in venue.confirm(order, NOW)] == [What.NEW]
    assert order.status is Status.SUBMITTED
    venue.check()


def test_a_fill_moves_money_at_the_resting_price_and_frees_the_difference():
    """A buy at 65020 against offers at 65010 pays 65010."""
    venue = exchange()
    order, happened = enter(venue, limit(1, Side.BUY, "65020", "0.5"))
    assert happened == [What.NEW, What.FILL]
    assert order.status is Status.FILLED
    assert money(venue) == (D(1_000_000) - D(65010) / 2, D(0), D("10.5"), D(0))
    venue.check()


def test_a_resting_order_with_fills_stays_submitted_until_it_is_filled():
    """PARTIAL_FILL each time, FILL at the last; to both parties when both are clients."""
    venue = exchange()
    maker, _ = enter(venue, limit(1, Side.SELL, "65000", "1"))
    _, happened = enter(venue, limit(2, Side.BUY, "65000", "0.4", account_id=OTHER, order_id=order_id(2, account=OTHER)))
    assert happened == [What.NEW, What.FILL, What.PARTIAL_FILL]
    assert (maker.status, maker.filled) == (Status.SUBMITTED, D("0.4"))
    _, executions = venue.trade("BINANCE", "BTCUSDT", Side.BUY, D(2), D(65000), NOW)
    assert [(each.order, each.what, each.qty, each.price) for each in executions] == [(maker, What.FILL, D("0.6"), D(65000))]
    assert money(venue) == (D(1_065_000), D(0), D(9), D(0))
    assert money(venue, OTHER) == (D(974_000), D(0), D("10.4"), D(0))
    venue.check()


def test_cancel_frees_the_money_and_ends_in_part_filled_where_something_filled():
    """PART_FILLED is final: the rest is gone."""
    venue = exchange()
    plain, _ = enter(venue, limit(1, Side.BUY, "60000", "1"))
    venue.cancel(ACCOUNT, "BINANCE", order_id(1), NOW)
    assert plain.status is Status.CANCELLED
    part, _ = enter(venue, limit(2, Side.BUY, "65010", "3", tif=1))
    execution = venue.cancel(ACCOUNT, "BINANCE", order_id(2), NOW)
    assert (part.status, part.filled, execution.what) == (Status.PART_FILLED, D(1), What.CANCELED)
    assert money(venue)[1] == 0
    venue.check()


@pytest.mark.parametrize(
    ("changes", "happened", "status"),
    [
        ({"tif": 3, "price": D(65010), "qty": D("1.5")}, [What.NEW, What.PARTIAL_FILL, What.CANCELED], "PART_FILLED"),
        ({"tif": 3, "price": D(65000)}, [What.NEW, What.CANCELED], "CANCELLED"),
        ({"tif": 7, "price": D(65000)}, [What.NEW], "SUBMITTED"),
        ({"tif": 7, "price": D(65010)}, [What.REJECTED], "REJECTED"),
        (MARKET | {"qty": None, "total": D(65010)}, [What.NEW, What.FILL], "FILLED"),
        (
            MARKET | {"qty": None, "total": D(200_000)},
            [What.NEW, What.PARTIAL_FILL, What.PARTIAL_FILL, What.CANCELED],
            "PART_FILLED",
        ),
        (MARKET | {"side": Side.SELL, "qty": D("1.5")}, [What.NEW, What.PARTIAL_FILL, What.FILL], "FILLED"),
        (
            MARKET | {"side": Side.SELL, "qty": D(3)},
            [What.NEW, What.PARTIAL_FILL, What.PARTIAL_FILL, What.CANCELED],
            "PART_FILLED",
        ),
    ],
)
def test_times_in_force_and_market_orders(changes, happened, status):
    """What may not rest is cancelled in the same breath; post-only never takes; nothing stays frozen."""
    venue = exchange()
    order, told = enter(venue, limit(1, **({"side": Side.BUY, "price": "65000", "qty": "1"} | changes)))
    assert told == happened
    assert order.status.value == status
    assert status == "SUBMITTED" or order.frozen == 0
    venue.check()


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (errors.WRONG_ENDPOINT, {"venue": "OKEX"}),
        (errors.WRONG_ENDPOINT, {"venue": "NOWHERE"}),
        (errors.UNKNOWN_ACCOUNT, {"account_id": "STA-00000009"}),
        (errors.PERMISSION_DENIED, {"account_id": OTHER, "order_id": order_id(1, account=OTHER)}),
        (errors.UNKNOWN_SYMBOL, {"symbol": "BTCUSD"}),
        (errors.MAINTENANCE, {"symbol": "ETHUSDT"}),
        (errors.ORDER_ID_RULE, {"order_id": "abc"}),
        (errors.ORDER_ID_RULE, {"order_id": "\u0660" + order_id(1)}),
        (errors.ORDER_ID_RULE, {"order_id": order_id(1, account=OTHER)}),
        (errors.ORDER_ID_RULE, {"order_id": f"00000001{NOW}123"}),
        (errors.ORDER_ID_RULE, {"order_id": f"00000001{'7' * 41}{NOW}123"}),
        (errors.ORDER_TIMESTAMP, {"order_id": order_id(1, NOW - 60_001)}),
        (errors.ORDER_TIMESTAMP, {"order_id": order_id(1, NOW + 60_001)}),
        (errors.REQUEST_ERROR, {"tif": 2}),
        (errors.REQUEST_ERROR, {"tif": 0}),
        (errors.REQUEST_ERROR, {"price": D("65000.001")}),
        (errors.REQUEST_ERROR, {"price": D(0)}),
        (errors.REQUEST_ERROR, {"price": D(-65000)}),
        (errors.REQUEST_ERROR, {"price": D("1000000.01")}),
        (errors.REQUEST_ERROR, {"price": D("1e29")}),
        (errors.REQUEST_ERROR, {"price": None}),
        (errors.REQUEST_ERROR, {"qty": D("0.100001")}),
        (errors.REQUEST_ERROR, {"qty": D("9000.00001")}),
        (errors.REQUEST_ERROR, {"qty": D(0)}),
        (errors.REQUEST_ERROR, {"qty": D("0.00015")}),
        (errors.REQUEST_ERROR, {"qty": D(154)}),
        (errors.REQUEST_ERROR, {"total": D(100)}),
        (errors.REQUEST_ERROR, MARKET),
        (errors.REQUEST_ERROR, MARKET | {"qty": None, "total": D(9)}),
        (errors.REQUEST_ERROR, MARKET | {"side": Side.SELL, "price": D(1)}),
        (errors.REQUEST_ERROR, MARKET | {"side": Side.SELL, "tif": 7}),
        (errors.REQUEST_ERROR, MARKET | {"side": Side.SELL, "venue": "GBBO"}),
        (errors.REQUEST_ERROR, MARKET | {"side": Side.SELL, "qty": D("0.0001")}),
        (errors.NOT_ENOUGH, {"qty": D(16)}),
        (errors.NOT_ENOUGH, {"side": Side.SELL, "qty": D("10.00001")}),
        (errors.NOT_ENOUGH, MARKET | {"qty": None, "total": D(1_000_001)}),
    ],
)
def test_every_rule_has_its_code(code, changes):
    """Rejected with the table's code, and nothing moves."""
    venue = exchange()
    asked = limit(1, **({"side": Side.BUY, "price": "65000", "qty": "0.1"} | changes))
    order = venue.place(asked, ACCOUNT, BINANCE, NOW)
    assert order.status is Status.REJECTED
    assert order.latest is not None
    assert order.latest.code == code
    assert money(venue) == (D(1_000_000), D(0), D(10), D(0))
    assert list(venue.orders()) == []
    venue.check()


@pytest.mark.parametrize("at_ms", [NOW - 60_000, NOW + 60_000])
def test_the_longest_and_oldest_order_id_within_the_rule_is_good(at_ms):
    """64 digits, 60 s either way."""
    new = limit(1, Side.BUY, "65000", "0.1", order_id=f"00000001{'7' * 40}{at_ms}123")
    assert enter(exchange(), new)[1] == [What.NEW]


def test_an_order_id_serves_once_even_after_the_order_is_gone():
    """Duplicates are 0x05002A for ever, and leave the order that has the id alone."""
    venue = exchange()
    order, _ = enter(venue, limit(1, Side.BUY, "65000", "0.1"))
    venue.cancel_order(order, NOW)
    again = venue.place(limit(1, Side.SELL, "65000", "0.1"), ACCOUNT, BINANCE, NOW)
    assert again.latest is not None
    assert again.latest.code == errors.DUPLICATE_ORDER_ID
    assert venue.find(ACCOUNT, "BINANCE", order_id(1)) is order


def test_a_reject_by_the_rules_of_trading_uses_up_the_id_and_one_before_them_does_not():
    """A server's failure (...B) may be tried again with the same id."""
    venue = exchange()
    venue.refuse(limit(1, Side.BUY, "65000", "0.1"), errors.NEW_ORDER_FAILURE, NOW)
    assert enter(venue, limit(1, Side.BUY, "65000", "0.1"))[1] == [What.NEW]
    enter(venue, limit(2, Side.BUY, "65000", "0.1", symbol="NONE"))
    assert enter(venue, limit(2, Side.BUY, "65000.001", "0.1"))[1] == [What.REJECTED]
    order, _ = enter(venue, limit(2, Side.BUY, "65000", "0.1"))
    assert order.latest is not None
    assert order.latest.code == errors.DUPLICATE_ORDER_ID


def test_a_duplicate_of_a_rejected_order_does_not_take_its_place():
    """What the venue knows under the id is the first reject."""
    venue = exchange()
    first, _ = enter(venue, limit(1, Side.BUY, "65000.001", "0.1"))
    enter(venue, limit(1, Side.BUY, "65000", "0.1"))
    assert venue.find(ACCOUNT, "BINANCE", order_id(1)) is first


def test_cancels_that_cannot_be_are_refused_by_the_true_state_of_the_order():
    """Unknown, pending, final, another account's, another venue's."""
    venue = exchange()

    def code(account=ACCOUNT, where="BINANCE", n=1) -> str:
        with pytest.raises(Refused) as caught:
            venue.cancel(account, where, order_id(n), NOW)
        return caught.value.code

    assert code() == errors.UNKNOWN_ORDER
    order = venue.place(limit(1, Side.BUY, "65000", "0.1"), ACCOUNT, BINANCE, NOW)
    assert code() == errors.PENDING_SUBMIT
    venue.confirm(order, NOW)
    assert code(account=OTHER) == errors.UNKNOWN_ORDER
    assert code(where="GBBO") == errors.UNKNOWN_ORDER
    venue.cancel_order(order, NOW)
    assert code() == errors.FINAL_STATUS
    enter(venue, limit(2, Side.BUY, "65000.001", "0.1"))
    assert code(n=2) == errors.FINAL_STATUS


@pytest.mark.parametrize("status", ["RESTRICTED", "SUSPENDED"])
def test_a_restricted_account_may_neither_order_nor_cancel(status):
    """ "Cannot submit order or cancel order, but can query order"."""
    account = settings().accounts[0].model_copy(update={"status": status})
    venue = exchange(accounts=(account, settings().accounts[1]))
    order = venue.place(limit(1, Side.BUY, "65000", "0.1"), ACCOUNT, BINANCE, NOW)
    assert order.latest is not None
    assert order.latest.code == errors.ACCOUNT_STATUS
    with pytest.raises(Refused, match=errors.ACCOUNT_STATUS):
        venue.cancel(ACCOUNT, "BINANCE", order_id(1), NOW)


@pytest.mark.parametrize(("mode", "same"), [("own", False), ("echo", True)])
def test_the_venue_mints_ids_or_keeps_the_clients(mode, same):
    """Either may be true of the real venue; a reject always carries what was sent."""
    venue = exchange(order_ids=mode)
    order, _ = enter(venue, limit(1, Side.BUY, "65000", "0.1"))
    assert (order.venue_id == order_id(1)) is same
    assert enter(venue, limit(2, Side.BUY, "65000.001", "0.1"))[0].venue_id == order_id(2)


def test_reset_brings_books_and_balances_back_but_no_id_again():
    """ExecIDs and order ids go on; the venue's life did not end."""
    venue = exchange()
    order, _ = enter(venue, limit(1, Side.BUY, "65010", "1"))
    first = order.latest
    venue.reset()
    venue.check()
    assert list(venue.orders()) == []
    assert money(venue) == (D(1_000_000), D(0), D(10), D(0))
    assert venue.books["BINANCE", "BTCUSDT"].best(Side.SELL) == D(65010)
    again, _ = enter(venue, limit(1, Side.BUY, "65010", "1"))
    assert again.venue_id != order.venue_id
    assert first is not None
    assert again.latest is not None
    assert again.latest.exec_id != first.exec_id


places = st.tuples(st.sampled_from(Side), st.integers(6490, 6510), st.integers(1, 400), st.sampled_from([1, 3, 7]), st.booleans())


@given(st.lists(st.one_of(places, places, st.integers(0, 30)), max_size=30), st.sampled_from(["own", "echo"]))
def test_random_histories_keep_books_and_money_in_step(steps, mode):
    """After each step books are sound, frozen money is the open orders', nobody is in debt, and none appears."""
    venue = exchange(order_ids=mode)
    for i, step in enumerate(steps):
        if isinstance(step, int):
            order = venue.find(ACCOUNT, "BINANCE", order_id(step))
            if order is not None and order.is_open:
                venue.cancel_order(order, NOW)
        else:
            side, price, qty, tif, by_other = step
            account = OTHER if by_other else ACCOUNT
            changes = {"tif": tif, "account_id": account, "order_id": order_id(i, account=account)}
            enter(venue, limit(i, side, str(price * 10), str(D(qty) / 100), **changes))
        venue.check()
    # Money only moves: what clients have more of, they bought or sold at prices of the book.
    for account in (ACCOUNT, OTHER):
        usdt, frozen, btc, frozen_btc = money(venue, account)
        mine = [order for order in venue.orders() if order.asked.account_id == account]
        signed = {Side.BUY: 1, Side.SELL: -1}
        assert btc + frozen_btc == 10 + sum(signed[order.asked.side] * order.filled for order in mine)
        assert usdt + frozen == 1_000_000 - sum(signed[order.asked.side] * order.filled_value for order in mine)
