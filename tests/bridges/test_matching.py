"""The price-time order book."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.matching import Book, Side, Tif

D = Decimal
LOT = D("0.01")


def offers(*orders: tuple[str, str]) -> Book:
    """A book with offers of (price, quantity), named o0, o1, ..."""
    book = Book()
    for i, (price, qty) in enumerate(orders):
        book.add_limit(f"o{i}", Side.SELL, D(price), D(qty))
    return book


def trades_of(placed) -> list[tuple[str, Decimal, Decimal]]:
    return [(trade.maker_id, trade.price, trade.qty) for trade in placed.trades]


def test_better_prices_trade_first_then_older_orders_at_the_resting_price():
    """Price, then time; each trade at the price of the order that was there."""
    book = offers(("101", "1"), ("100", "1"), ("100", "2"))
    placed = book.add_limit("b", Side.BUY, D(102), D("3.5"))
    assert trades_of(placed) == [("o1", D(100), D(1)), ("o2", D(100), D(2)), ("o0", D(101), D("0.5"))]
    assert placed.complete
    assert placed.rested == 0
    assert book.levels(Side.SELL) == [(D(101), D("0.5"))]
    book.check()


def test_a_partly_filled_order_keeps_its_place_in_the_queue():
    """Losing quantity to a trade does not lose time priority."""
    book = offers(("100", "2"), ("100", "2"))
    book.add_limit("b", Side.BUY, D(100), D(1))
    assert trades_of(book.add_limit("c", Side.BUY, D(100), D(2))) == [("o0", D(100), D(1)), ("o1", D(100), D(1))]


def test_a_limit_order_rests_what_does_not_trade_at_its_limit():
    """The rest of a GTC order stands at its own price."""
    book = offers(("100", "1"), ("102", "1"))
    placed = book.add_limit("b", Side.BUY, D(101), D(3))
    assert (placed.rested, placed.dropped, placed.complete) == (D(2), D(0), False)
    assert book.best(Side.BUY) == D(101)
    assert book.best(Side.SELL) == D(102)


def test_ioc_drops_the_rest():
    """Nothing of an IOC order ever rests."""
    book = offers(("100", "1"))
    placed = book.add_limit("b", Side.BUY, D(100), D(3), Tif.IOC)
    assert (placed.rested, placed.dropped, placed.refused) == (D(0), D(2), False)
    assert len(book) == 0


@pytest.mark.parametrize(("qty", "refused"), [("3", False), ("3.01", True)])
def test_fok_trades_whole_or_not_at_all(qty, refused):
    """FOK counts what stands at its limit or better, and no more."""
    book = offers(("100", "1"), ("101", "2"), ("102", "9"))
    placed = book.add_limit("b", Side.BUY, D(101), D(qty), Tif.FOK)
    assert placed.refused is refused
    assert placed.complete is not refused
    assert len(book) == (3 if refused else 1)


def test_post_only_is_refused_where_it_would_trade_and_rests_elsewhere():
    """Touching the other side's best price is trading."""
    book = offers(("100", "1"))
    assert book.would_cross(Side.BUY, D(100))
    assert book.add_limit("b", Side.BUY, D(100), D(1), post_only=True).refused
    assert not book.would_cross(Side.BUY, D("99.99"))
    assert book.add_limit("b", Side.BUY, D("99.99"), D(1), post_only=True).rested == 1


def test_a_market_order_takes_any_price_and_never_rests():
    """The rest of a market order is dropped when the book runs out."""
    book = offers(("100", "1"), ("900", "1"))
    placed = book.add_market("b", Side.BUY, D(3))
    assert trades_of(placed) == [("o0", D(100), D(1)), ("o1", D(900), D(1))]
    assert (placed.dropped, placed.complete, len(book)) == (D(1), False, 0)


def test_a_market_order_by_cash_buys_whole_lots_until_no_more_can_be_paid_for():
    """Change is left when the next lot costs more than what remains: that is a complete order."""
    book = offers(("100", "1"), ("200", "1"))
    placed = book.add_market_cash("b", Side.BUY, D(151), LOT)
    assert trades_of(placed) == [("o0", D(100), D(1)), ("o1", D(200), D("0.25"))]
    assert (placed.dropped, placed.complete) == (D(1), True)


def test_a_market_order_by_cash_that_meets_an_end_of_the_book_is_not_complete():
    """Money left because nothing was on offer is not change."""
    placed = offers(("100", "1")).add_market_cash("b", Side.BUY, D(151), LOT)
    assert (placed.dropped, placed.complete) == (D(51), False)
    assert not offers(("100", "1")).add_market_cash("b", Side.BUY, D("0.5"), LOT).complete


def test_cancel_takes_an_order_out_once():
    """The quantity left is told, and the level goes with its last order."""
    book = offers(("100", "2"), ("101", "1"))
    book.add_limit("b", Side.BUY, D(100), D("0.5"))
    assert book.cancel("o0") == D("1.5")
    assert book.cancel("o0") is None
    assert book.best(Side.SELL) == D(101)
    book.check()


def test_cancel_leaves_the_others_at_the_price():
    """The level tells what is left at it."""
    book = offers(("100", "2"), ("100", "3"))
    book.cancel("o0")
    assert book.levels(Side.SELL) == [(D(100), D(3))]
    book.check()


def test_one_id_cannot_rest_twice_and_amounts_are_positive():
    """These are mistakes of the caller, and nothing changes."""
    book = offers(("100", "1"))
    with pytest.raises(ValueError, match="o0"):
        book.add_limit("o0", Side.SELL, D(100), D(1))
    for price, qty in ((D(0), D(1)), (D(1), D(0)), (D(1), D(-1))):
        with pytest.raises(ValueError, match="positive"):
            book.add_limit("x", Side.BUY, price, qty)
    assert len(book) == 1


def test_check_notices_a_broken_book():
    """`check` is not a formality."""
    book = offers(("100", "1"))
    order = book.get("o0")
    assert order is not None
    order.qty += 1
    with pytest.raises(AssertionError):
        book.check()


sides = st.sampled_from(Side)
prices = st.integers(1, 12).map(D)
quantities = st.integers(1, 500).map(lambda n: n * LOT)
limits = st.tuples(st.just("limit"), sides, prices, quantities, st.sampled_from(Tif), st.booleans())
markets = st.tuples(st.just("market"), sides, quantities)
cash = st.tuples(st.just("cash"), sides, st.integers(1, 20_000).map(lambda n: n * LOT))
cancels = st.tuples(st.just("cancel"), st.integers(0, 20))


@given(st.lists(st.one_of(limits, limits, markets, cash, cancels), max_size=60))
def test_random_histories_keep_the_book_sound_and_every_quantity_accounted_for(steps):
    """After each step: invariants hold, and what was sent is what traded, rests or was dropped."""
    book = Book()
    for i, (what, *rest) in enumerate(steps):
        order_id = str(i)
        before = {order.order_id: (order.qty, order.price) for order in book}
        opposite = [order.order_id for order in book if what != "cancel" and order.side is rest[0].opposite]
        if what == "cancel":
            left = book.cancel(str(rest[0]))
            assert left == before.pop(str(rest[0]), (None,))[0]
            assert {order.order_id: (order.qty, order.price) for order in book} == before
        else:
            if what == "limit":
                side, price, qty, tif, post_only = rest
                placed = book.add_limit(order_id, side, price, qty, tif, post_only)
                assert not (post_only and placed.trades)
                assert not (tif is not Tif.GTC and placed.rested)
                if tif is Tif.FOK:
                    assert placed.complete or placed.refused or not placed.trades
                for trade in placed.trades:
                    assert trade.price <= price if side is Side.BUY else trade.price >= price
            elif what == "market":
                side, qty = rest
                placed = book.add_market(order_id, side, qty)
                assert not placed.rested
            else:
                side, qty = rest
                placed = book.add_market_cash(order_id, side, qty, LOT)
            used = sum(trade.qty * (trade.price if what == "cash" else 1) for trade in placed.trades)
            assert used + placed.rested + placed.dropped == qty
            # Makers traded in the order of the queue, at their own prices, and lost exactly what traded.
            makers = [trade.maker_id for trade in placed.trades]
            assert makers == opposite[: len(makers)]
            after = {order.order_id: order.qty for order in book}
            for trade in placed.trades:
                assert trade.price == before[trade.maker_id][1]
                assert after.get(trade.maker_id, D(0)) == before[trade.maker_id][0] - trade.qty
            assert after.get(order_id, D(0)) == placed.rested
        book.check()
