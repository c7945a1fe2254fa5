"""The venue itself: the life of an order, money, fees, tapes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.cryptocom.sim_errors import Refused
from bridges.cryptocom.sim_exchange import Exchange
from bridges.cryptocom.sim_orders import NewOrder, Order, OrderType, Status
from bridges.cryptocom.sim_tape import Tape, Traded
from bridges.matching import Side

from .venue import NOW, D, settings

ONE, TWO = 10106, 10107


def exchange(**changes) -> Exchange:
    return Exchange(settings(**changes), NOW)


def order(side: Side = Side.BUY, volume: str = "0.5", price: str | None = "65000") -> NewOrder:
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    return NewOrder("btcusdt", side, kind, D(volume), None if price is None else D(price))


def money(venue: Exchange, user: int = ONE) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """usdt usable and locked, btc usable and locked."""
    usdt, btc = (venue.funds(user, coin) for coin in ("usdt", "btc"))
    return usdt.normal, usdt.locked, btc.normal, btc.locked


def test_a_limit_order_inside_the_spread_rests_and_locks_its_cost():
    """1 NEW."""
    venue = exchange()
    placed = venue.place(ONE, order(), NOW)
    assert placed.status is Status.NEW
    assert money(venue) == (D(967_500), D(32_500), D(10), D(0))
    venue.check()


def test_a_fill_moves_money_at_the_resting_price_and_frees_the_difference():
    """A buy at 65020 against offers at 65010 pays 65010."""
    venue = exchange()
    placed = venue.place(ONE, order(price="65020"), NOW)
    assert placed.status is Status.FILLED
    assert money(venue) == (D(1_000_000) - D(65010) / 2, D(0), D("10.5"), D(0))
    venue.check()


def test_the_fee_is_taken_from_what_is_received_in_that_coin():
    """0.1 % of 0.5 btc for the buyer, of 32500 usdt for the seller."""
    venue = exchange(fee_rate=D("0.001"))
    buy = venue.place(ONE, order(), NOW)
    sell = venue.place(TWO, order(Side.SELL), NOW)
    assert (buy.fee, sell.fee) == (D("0.0005"), D("32.5"))
    assert money(venue)[2] == D("10.4995")
    assert money(venue, TWO)[0] == D("1032467.5")
    venue.check()


def test_both_parties_know_a_trade_by_one_id_and_ids_are_large_and_grow():
    """Also when they are one user, who then has two fills of one id."""
    venue = exchange()
    buy, sell = venue.place(ONE, order(), NOW), venue.place(ONE, order(Side.SELL), NOW)
    assert buy.fills[0].trade_id == sell.fills[0].trade_id > 10**15
    assert 2**53 < buy.order_id < sell.order_id < 2**63
    assert money(venue) == (D(1_000_000), D(0), D(10), D(0))
    venue.reset(NOW)
    assert venue.place(ONE, order(), NOW).order_id > sell.order_id
    venue.check()


@pytest.mark.parametrize(
    ("new", "status", "filled"),
    [
        (order(volume="1.5", price="65010"), Status.PART_FILLED, "1"),
        (order(volume="65010", price=None), Status.FILLED, "1"),
        (order(volume="65011.5", price=None), Status.FILLED, "1.00002"),
        (order(volume="500000", price=None), Status.CANCELED, "2"),
        (order(volume="0.01", price=None), Status.EXPIRED, "0"),
        (order(Side.SELL, "1.5", None), Status.FILLED, "1.5"),
        (order(Side.SELL, "3", None), Status.CANCELED, "2"),
    ],
)
def test_where_orders_end(new, status, filled):
    """A market buy spends quote coin; nothing stays locked but by what rests."""
    venue = exchange()
    placed = venue.place(ONE, new, NOW)
    assert (placed.status, placed.filled) == (status, D(filled))
    venue.check()


def test_a_market_order_in_an_empty_book_is_expired():
    """ "Abnormal order"."""
    venue = exchange()
    new = NewOrder("ethusdt", Side.BUY, OrderType.MARKET, D(100))
    assert venue.place(ONE, new, NOW).status is Status.EXPIRED
    venue.check()


def test_a_canceled_order_leaves_open_orders_at_once_and_stays_in_all_orders():
    """With what it had filled."""
    venue = exchange()
    placed = venue.place(ONE, order(), NOW)
    venue.trade("btcusdt", Side.SELL, D("0.2"), D(65000), NOW)
    assert placed.status is Status.PART_FILLED
    venue.cancel(placed, NOW + 5)
    assert venue.open_orders(ONE, "btcusdt") == []
    assert venue.all_orders(ONE, "btcusdt") == [placed]
    assert (placed.status, placed.filled, placed.updated_ms) == (Status.CANCELED, D("0.2"), NOW + 5)
    assert money(venue) == (D(987_000), D(0), D("10.2"), D(0))
    with pytest.raises(Refused) as no:
        venue.cancel(placed, NOW)
    assert no.value.code == "8"


def test_an_order_over_before_anybody_looked_is_in_all_orders():
    """Never in openOrders, and yet it was."""
    venue = exchange()
    placed = venue.place(ONE, order(price="65010"), NOW)
    assert venue.open_orders(ONE, "btcusdt") == []
    assert venue.all_orders(ONE, "btcusdt") == [placed]


def test_a_cancel_may_take_time_and_be_overtaken_by_a_fill():
    """5 PENDING_CANCEL leaves openOrders at once all the same."""
    venue = exchange(cancel_ms=100)
    first, second = venue.place(ONE, order(), NOW), venue.place(ONE, order(), NOW)
    venue.cancel(first, NOW)
    venue.cancel(second, NOW)
    assert venue.open_orders(ONE, "btcusdt") == []
    venue.trade("btcusdt", Side.SELL, D("0.6"), D(65000), NOW + 50)
    assert (first.status, second.status) == (Status.FILLED, Status.PENDING_CANCEL)
    venue.check()
    venue.advance(NOW + 99)
    assert second.status is Status.PENDING_CANCEL
    venue.advance(NOW + 100)
    assert (first.status, second.status, second.filled) == (Status.FILLED, Status.CANCELED, D("0.1"))
    venue.check()


def test_an_order_may_take_time_to_enter_the_market():
    """0 INIT, with its money locked; a cancel finds it there."""
    venue = exchange(accept_ms=100)
    first, second = venue.place(ONE, order(), NOW), venue.place(ONE, order(), NOW)
    venue.cancel(second, NOW)
    assert (first.status, second.status) == (Status.INIT, Status.CANCELED)
    assert venue.open_orders(ONE, "btcusdt") == [first]
    venue.check()
    venue.advance(NOW + 100)
    assert (first.status, second.status) == (Status.NEW, Status.CANCELED)
    venue.check()


def test_cancel_all_is_of_one_user_and_one_market_and_of_two_thousand():
    """The oldest first."""
    venue = exchange()
    orders = [venue.place(ONE, order(volume="0.0001", price="60000"), NOW) for _ in range(2003)]
    other = venue.place(TWO, order(), NOW)
    venue.cancel_all(ONE, "btcusdt", NOW)
    assert venue.open_orders(ONE, "btcusdt") == orders[:1999:-1]
    assert other.status is Status.NEW


def test_money_that_is_not_there_is_refused_and_uses_no_id():
    """What is locked is not there either."""
    venue = exchange()
    first = venue.place(ONE, order(volume="15"), NOW)
    with pytest.raises(Refused) as no:
        venue.place(ONE, order(), NOW)
    assert (no.value.status, no.value.code) == (200, "19")
    assert venue.place(ONE, order(volume="0.1"), NOW).order_id == first.order_id + 1
    venue.check()


def test_orders_of_others_and_of_other_markets_do_not_exist():
    """22."""
    venue = exchange()
    placed = venue.place(ONE, order(), NOW)
    for user, symbol, order_id in ((TWO, "btcusdt", 0), (ONE, "ethusdt", 0), (ONE, "btcusdt", 1)):
        with pytest.raises(Refused) as no:
            venue.find(user, symbol, placed.order_id + order_id)
        assert no.value.code == "22"


steps = st.lists(
    st.tuples(
        st.sampled_from(["limit", "market", "trade", "cancel", "cancel_all", "venue", "wait"]),
        st.sampled_from([ONE, TWO]),
        st.sampled_from(list(Side)),
        st.integers(1, 40),
        st.integers(6497, 6503),
    ),
    max_size=40,
)


@given(steps, st.sampled_from([0, 30]), st.sampled_from([0, 30]), st.sampled_from(["0", "0.0013"]))
def test_whatever_happens_books_and_money_agree(history, accept_ms, cancel_ms, fee):
    """Every invariant after every step, and no coin from nowhere."""
    venue = exchange(accept_ms=accept_ms, cancel_ms=cancel_ms, fee_rate=D(fee))
    placed: list[Order] = []
    now = NOW
    for what, user, side, size, price in history:
        now += 7
        venue.advance(now)
        qty = D(size) / 10
        try:
            if what == "limit":
                placed.append(venue.place(user, NewOrder("btcusdt", side, OrderType.LIMIT, qty, D(price) * 10), now))
            elif what == "market":
                volume = qty * 65000 if side is Side.BUY else qty
                placed.append(venue.place(user, NewOrder("btcusdt", side, OrderType.MARKET, volume), now))
            elif what == "trade":
                venue.trade("btcusdt", side, qty, D(price) * 10, now)
            elif what == "cancel_all":
                venue.cancel_all(user, "btcusdt", now)
            elif what == "cancel" and placed:
                venue.cancel(placed[size % len(placed)], now)
            elif what == "venue" and placed:
                venue.cancel_by_venue(placed[size % len(placed)], now)
        except Refused:
            pass
        venue.check()
    for user in (ONE, TWO):
        mine = [each for each in placed if each.user_id == user]
        buys = [each for each in mine if each.asked.side is Side.BUY]
        sells = [each for each in mine if each.asked.side is Side.SELL]
        usdt, usdt_locked, btc, btc_locked = money(venue, user)
        assert btc + btc_locked == 10 + sum(each.filled - each.fee for each in buys) - sum(e.filled for e in sells)
        assert usdt + usdt_locked == 1_000_000 - sum(e.value for e in buys) + sum(e.value - e.fee for e in sells)


def test_candles_stand_where_nothing_was_traded():
    """Three minutes: a trade before, none, a trade in the open one."""
    start = NOW // 60_000 * 60_000
    tape = Tape(D(100), start)
    tape.add(Traded(1, Side.BUY, D(110), D(2), start + 1000))
    tape.add(Traded(2, Side.SELL, D(90), D(1), start + 2000))
    tape.add(Traded(3, Side.BUY, D(95), D(3), start + 121_000))
    rows = tape.candles(1, start + 125_000, 300)
    assert [(each.start_s * 1000 - start, each.open, each.high, each.low, each.close, each.vol) for each in rows] == [
        (0, 100, 110, 90, 90, 3),
        (60_000, 90, 90, 90, 90, 0),
        (120_000, 90, 95, 90, 95, 3),
    ]
    assert tape.candles(1, start + 125_000, 1) == rows[-1:]
    day = tape.day(start + 125_000)
    assert (day.open, day.high, day.low, day.close, day.vol, day.amount) == (100, 110, 90, 95, 6, 595)
    later = tape.day(start + 86_400_000 + 3000)
    assert (later.open, later.vol) == (90, 3)
