"""The arithmetic of contracts, against the numbers in the document's AOP sample."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.matching import Side
from bridges.phemex.sim_account import Position
from bridges.phemex.sim_contract import Contract, unscaled, up

from .venue import D, sample, settings

BTC, ETH = (Contract.of(each) for each in settings().contracts)


def test_values_average_prices_and_costs_are_the_samples():
    """leavesValueEv, avgEntryPriceEp, buyValueToCostEr, sellValueToCostEr, orderCostEv, posCostEv, usedBalanceEv."""
    message = sample("aop_incremental")
    (order,), (theirs,) = message["orders"], message["positions"]
    assert ETH.value_ev(order["leavesQty"], order["priceEp"]) == order["leavesValueEv"]
    assert ETH.avg_price_ep(theirs["size"], theirs["valueEv"]) == theirs["avgEntryPriceEp"]
    assert ETH.order_cost_er(Side.BUY) == theirs["buyValueToCostEr"]
    assert ETH.order_cost_er(Side.SELL) == theirs["sellValueToCostEr"]
    ours = Position(ETH, theirs["size"], theirs["valueEv"])
    ours.buy_leaves_ev, ours.sell_leaves_ev = theirs["buyLeavesValueEv"], theirs["sellLeavesValueEv"]
    assert ours.order_cost_ev == theirs["orderCostEv"]
    assert ours.cost_ev == theirs["posCostEv"]
    assert theirs["usedBalanceEv"] == theirs["orderCostEv"] + theirs["posCostEv"] - theirs["unrealisedPnlEv"]


@pytest.mark.parametrize(("price", "scaled"), [("64995.5", 649_955_000), ("65000", 650_000_000), ("0.5", 5000)])
def test_prices_are_scaled_and_unscaled_exactly(price, scaled):
    """By 10^4."""
    assert BTC.price_ep(D(price)) == scaled
    assert unscaled(scaled, 10_000) == price


@pytest.mark.parametrize("price", ["65000.25", "65000.0001", "0.1"])
def test_a_price_off_the_tick_is_refused(price):
    """Never rounded."""
    with pytest.raises(ValueError, match=r"multiple of 0\.5"):
        BTC.price_ep(D(price))


def test_an_inverse_contract_is_worth_its_dollars_in_bitcoin():
    """65000 contracts at 65000 are one bitcoin."""
    assert BTC.value_ev(65_000, 650_000_000) == 10**8
    assert BTC.avg_price_ep(65_000, 10**8) == 650_000_000


def test_fees_are_rounded_in_the_houses_favour():
    """A taker pays up, a maker gets less: 23018 at -0.025 % is 5.75."""
    assert BTC.fee_ev(46_098, maker=False) == 35
    assert BTC.fee_ev(23_018, maker=True) == -5


@pytest.mark.parametrize("contract", [BTC, ETH], ids=["inverse", "linear"])
@pytest.mark.parametrize("side", list(Side))
def test_a_rise_is_a_longs_gain_and_a_shorts_loss(contract, side):
    """Through a whole round of buying and selling."""
    position = Position(contract)
    low, high = contract.value_ev(100, 30_000_000), contract.value_ev(100, 40_000_000)
    assert position.fill(side, 100, low) == (0, 0)
    closed, gain = position.fill(side.opposite, 100, high)
    assert closed == 100
    assert gain == abs(high - low) * (1 if side is Side.BUY else -1)
    assert (position.size, position.value_ev, position.term) == (0, 0, 2)


def test_a_trade_larger_than_the_position_turns_it_round():
    """What is over opens the other side, at its own value."""
    position = Position(ETH)
    position.fill(Side.BUY, 10, ETH.value_ev(10, 35_000_000))
    closed, gain = position.fill(Side.SELL, 25, ETH.value_ev(25, 36_000_000))
    assert (closed, gain, position.size, position.side) == (10, 50_000, -15, "Sell")
    assert ETH.avg_price_ep(15, position.value_ev) == 36_000_000


@given(st.integers(1, 10**6), st.integers(1, 2 * 10**9))
def test_a_value_never_says_more_than_there_is(qty, price_ep):
    """Cut down by less than one unit, of either contract."""
    for contract in (BTC, ETH):
        exact = Decimal(qty) * 10**12 / price_ep if contract.inverse else Decimal(qty) * price_ep * 5 / 1000
        assert 0 <= exact - contract.value_ev(qty, price_ep) < 1


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**8))
def test_rounding_up_is_upwards_for_rebates_too(number, divisor):
    """Towards plus infinity."""
    assert 0 <= up(number, divisor) * divisor - number < divisor


@given(st.integers(-(10**12), 10**12))
def test_unscaled_is_the_same_number(number):
    """As text."""
    assert D(unscaled(number, 10_000)) * 10_000 == number
