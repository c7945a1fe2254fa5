"""Orders, stops, money and tapes of the simulated Moonbase, as one connection sees them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from bridges.matching import Side
from bridges.moonbase.sim_settings import Instrument, Seed

from .sim_venue import ORDERS, SYMBOL, TRADES, D, Rig, rows, settings


@pytest.fixture
def rig() -> Rig:
    return Rig()


def brief(row):
    return row["is_active"], row["filled_amount"], row["filled_total"], row["cancelled_at"] is not None


def test_a_limit_order_rests_and_is_told_of_each_trade(rig):
    """Reply as accepted; then an upsert for itself and for every trade, and the trade, which names both orders."""
    client = rig.trader(TRADES)
    reply, told = client.place(7, 0.005)
    order = reply["payload"]["response"]
    assert (order["requested_amount"], order["limit_price"], order["is_active"], order["filled_amount"]) == (7, D("0.005"), True, 0)
    assert told["payload"]["data"] == [order]
    rig.counterparty(Side.SELL, "3", "0.005")
    rig.counterparty(Side.SELL, "4", "0.004")
    frames = client.take()
    assert [brief(row) for row in rows(frames)] == [(True, 3, D("0.015"), False), (False, 7, D("0.035"), False)]
    assert rows(frames)[-1]["fee"] == D("0.000035")
    trades = rows(frames, "insert", TRADES)
    assert [(each["price"], each["amount"], each["maker_order_id"]) for each in trades] == [
        (D("0.005"), 3, order["id"]),
        (D("0.005"), 4, order["id"]),
    ]
    assert len({each["id"] for each in trades} | {each["taker_order_id"] for each in trades} | {order["id"]}) == 5
    rig.exchange.check()


def test_the_reply_of_an_order_that_trades_at_once_is_still_unfilled(rig):
    """What followed comes after it, in order."""
    client = rig.trader(TRADES)
    reply, *pushed = client.place(-15, 0.00498)
    assert brief(reply["payload"]["response"]) == (True, 0, 0, False)
    assert [each["event"] for each in pushed] == ["upsert", "upsert", "insert", "upsert", "insert"]
    assert [brief(row) for row in rows(pushed)] == [
        (True, 0, 0, False),
        (True, -10, D("0.0499"), False),
        (False, -15, D("0.0748"), False),
    ]


def test_a_market_order_takes_what_there_is_and_the_rest_is_cancelled(rig):
    """Not active, cancelled_at set; its limit_price is null."""
    client = rig.trader()
    reply, *pushed = client.place(25)
    assert reply["payload"]["response"]["limit_price"] is None
    assert brief(rows(pushed)[-1]) == (False, 20, D("0.1003"), True)
    _, *pushed = client.place(1, None)
    assert brief(rows(pushed)[-1]) == (False, 0, 0, True)
    _, *pushed = client.place(-20)
    assert brief(rows(pushed)[-1]) == (False, -20, D("0.0997"), False)
    rig.exchange.check()


@pytest.mark.parametrize(
    ("amount", "trigger", "traded_at"),
    [(2, "0.00502", "0.00502"), (-2, "0.00498", "0.00498")],
)
def test_a_stop_waits_for_the_last_price(rig, amount, trigger, traded_at):
    """Active with triggered_at null, then triggered and traded."""
    client = rig.trader()
    reply, *pushed = client.place(amount, trigger_price=float(trigger))
    row = reply["payload"]["response"]
    assert (row["is_active"], row["triggered_at"], row["trigger_price"]) == (True, None, D(trigger))
    assert len(pushed) == 1
    rig.counterparty(Side.BUY if amount > 0 else Side.SELL, "12", traded_at)
    triggered, *filled = rows(client.take())
    assert (triggered["triggered_at"] is not None, triggered["is_active"], triggered["filled_amount"]) == (True, True, 0)
    assert filled[-1]["is_active"] is False
    assert filled[-1]["filled_amount"] == amount
    rig.exchange.check()


def test_a_stop_limit_rests_once_triggered_and_can_be_cancelled_before(rig):
    """Two stops, one cancelled while it waits."""
    client = rig.trader()
    first, second = (client.placed(2, 0.005, trigger_price=0.00501) for _ in range(2))
    assert brief(client.cancel(first)[0]["payload"]["response"]) == (False, 0, 0, True)
    rig.counterparty(Side.BUY, "1", "0.00501")
    (told,) = rows(client.take())
    assert (told["id"], told["is_active"]) == (second, True)
    assert str(second) in rig.exchange.books[SYMBOL]


def test_a_stop_whose_money_is_gone_is_cancelled_when_it_triggers(rig):
    """It ties up nothing while it waits."""
    client = rig.trader()
    client.placed(-1000, trigger_price=0.00499)
    client.placed(-1000, 0.006)
    rig.counterparty(Side.SELL, "1", "0.00499")
    (told,) = rows(client.take())
    assert brief(told) == (False, 0, 0, True)
    assert told["triggered_at"] is None


def test_money_is_tied_up_spent_and_freed(rig):
    """The fee is in quote asset, for both sides; a cancel gives back the rest."""
    client = rig.trader("/balances", "/positions")

    def owned():
        balances = rig.exchange.accounts[5].balances
        return tuple((balances[asset].available, balances[asset].placed) for asset in ("ETC", "BTC"))

    order_id = client.placed(100, 0.005)
    assert owned() == ((1000, 0), (D("9.4995"), D("0.5005")))
    rig.counterparty(Side.SELL, "40", "0.005")
    assert owned() == ((1040, 0), (D("9.4995"), D("0.3003")))
    frames = client.take()
    (etc, btc) = rows(frames, topic="/balances")
    assert (etc["asset"], etc["available_amount"], btc["placed_amount"]) == ("ETC", 1040, D("0.3003"))
    (position,) = rows(frames, topic="/positions")
    assert (position["amount"], position["total"], position["price"], position["fee"]) == (40, D("-0.2"), D("0.005"), D("-0.0002"))
    assert "user_id" not in position
    client.cancel(order_id)
    assert owned() == ((1040, 0), (D("9.7998"), 0))
    client.placed(-40, 0.00499)
    assert owned() == ((1000, 30), (D("9.8496501"), 0))


def test_a_position_that_is_closed_has_cost_nothing(rig):
    """Amount, total and price are 0 again; the fees stay."""
    client = rig.trader()
    client.placed(10, 0.00501)
    client.placed(-10, 0.00499)
    position = rig.exchange.accounts[5].positions[SYMBOL]
    assert (position.amount, position.total, position.price, position.fee) == (0, 0, 0, D("-0.0001"))


def test_an_order_keeps_the_fee_rate_of_its_day(rig):
    """A later run with a dearer one frees what was tied up, no more."""
    client = rig.trader()
    client.placed(10, 0.005)
    later = Rig(fee_rate=D("0.01"))
    later.exchange.recall(rig.exchange.memory())
    later.feed.restart()
    later.counterparty(Side.SELL, "10", "0.005")
    later.exchange.check()
    assert later.exchange.accounts[5].balances["BTC"].available == D("9.94995")


@pytest.mark.parametrize(
    ("amount", "price", "asset"),
    [(2000, 0.005, "BTC"), (-1000.01, 0.005, "ETC"), (-1000.01, None, "ETC"), (1998.01, 0.005, "BTC")],
)
def test_what_is_not_there_cannot_be_ordered(rig, amount, price, asset):
    """insufficient_funds, and nothing has happened; the fee counts."""
    client = rig.trader()
    (reply,) = client.place(amount, price)
    no = reply["payload"]
    assert (no["status"], no["type"], no["details"]["asset"]) == ("error", "insufficient_funds", asset)
    assert list(rig.exchange.orders()) == []
    rig.exchange.check()


def test_a_market_buy_without_money_for_the_book_is_refused(rig):
    """By what the book offers at that moment."""
    client = rig.trader()
    client.placed(1970, 0.00495)
    (reply,) = client.place(20)[:1]
    assert reply["payload"]["status"] == "ok"
    poor = Rig(users=(settings().users[0].model_copy(update={"balances": {"BTC": D("0.05")}}),)).trader()
    assert poor.place(10)[0]["payload"]["type"] == "insufficient_funds"
    assert poor.place(9.9)[0]["payload"]["status"] == "ok"


def test_one_may_trade_with_oneself(rig):
    """Both orders are told of it."""
    client = rig.trader(TRADES)
    sell = client.placed(-5, 0.005)
    reply, *pushed = client.place(5, 0.005)
    assert [(row["id"], row["is_active"]) for row in rows(pushed)] == [
        (reply["payload"]["response"]["id"], True),
        (sell, False),
        (reply["payload"]["response"]["id"], False),
    ]
    rig.exchange.check()


def test_another_users_orders_are_not_there(rig):
    """Nor told, nor in the snapshot, nor to be cancelled."""
    one, other = rig.trader(), rig.trader(user=1)
    order_id = one.placed(1, 0.005)
    assert other.take() == []
    assert rig.connect(1).join(ORDERS) == []
    assert other.cancel(order_id)[0]["payload"]["type"] == "not_found"


def test_ids_grow_from_run_to_run_and_are_exact_in_javascript(rig):
    """A reset goes on too."""
    client = rig.trader()
    first = client.placed(1, 0.005)
    rig.exchange.reset()
    assert rig.trader().placed(1, 0.005) > first
    later = Rig()
    later.exchange.recall(rig.exchange.memory())
    assert first < later.exchange.mint() < 2**53


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fee_rate": D(1)}, "fee_rate"),
        ({"jons_per_hour": 1}, "jons_per_hour"),
        ({"users": settings().users[:1] * 2}, "user_id"),
        ({"instruments": (Instrument(symbol=SYMBOL, price_step=D("1E-9"), amount_step=D("0.001")),)}, "14 decimals"),
        ({"instruments": (Instrument(symbol="BTC:BTC", price_step=D(1), amount_step=D(1)),)}, "are one"),
    ],
)
def test_a_fault_in_the_settings_is_named(change, words):
    """Nothing is guessed, nothing unknown passed over."""
    with pytest.raises(ValidationError, match=words):
        settings(**change)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"bid": D("0.00501")}, "crossed"), ({"levels": 500}, "down to zero"), ({"step": D("0.000015")}, "off the steps")],
)
def test_a_seed_must_be_a_book(change, words):
    """Uncrossed, above zero and on the steps."""
    seed = Seed(bid=D("0.00499"), ask=D("0.00501"), step=D("0.00001"), levels=2, qty=D(10)).model_copy(update=change)
    with pytest.raises(ValidationError, match=words):
        settings(instruments=(Instrument(symbol=SYMBOL, price_step=D("0.00001"), amount_step=D("0.01"), seed=seed),))


def test_secrets_are_not_shown():
    """In repr or in JSON."""
    told = settings()
    assert "a-secret" not in repr(told) + told.model_dump_json()


PRICE = st.integers(496, 504).map(lambda n: Decimal(n) / 100_000)
STEP = st.one_of(
    st.tuples(st.just("place"), st.integers(-2000, 2000), st.none() | PRICE, st.none() | PRICE),
    st.tuples(st.just("trade"), st.integers(1, 2000), PRICE, st.sampled_from(list(Side))),
    st.tuples(st.just("cancel"), st.integers(0, 60), st.none(), st.none()),
)


@examples(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_whatever_happens_books_and_money_stay_sound(steps):
    """After every step; and the last upsert of each order is the order as it is."""
    rig = Rig(requests_per_minute=0)
    clients = [rig.trader(TRADES), rig.trader(user=1)]
    frames = [[], []]
    for n, (what, amount, price, extra) in enumerate(steps):
        orders = list(rig.exchange.orders())
        if what == "place":
            params = {"requested_amount": amount / 100, "limit_price": price, "trigger_price": extra}
            frames[n % 2] += clients[n % 2].ask(ORDERS, "place", params)
        elif what == "trade":
            rig.counterparty(extra, str(D(amount) / 100), str(price))
        elif amount < len(orders):
            frames[n % 2] += clients[n % 2].cancel(orders[amount].order_id)
        rig.exchange.check()
    for user, client in enumerate(clients):
        told = {row["id"]: row for row in rows(frames[user] + client.take())}
        snapshot = rig.connect(user).join(ORDERS)
        assert told == {row["id"]: {name: each for name, each in row.items() if name != "user_id"} for row in snapshot}
