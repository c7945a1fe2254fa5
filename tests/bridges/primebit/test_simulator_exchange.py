"""The venue itself: order life, modifications, stops, expiry, positions and money."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.matching import Side
from bridges.primebit.sim_exchange import Exchange

from . import sim_venue
from .sim_venue import ACCOUNT, NOW, ORDERS, OTHER, D, S, Venue, change, check

BUY, SELL = Side.BUY, Side.SELL
POSITIONS = f"positions_{ACCOUNT}"


@pytest.fixture
def venue() -> Venue:
    return Venue()


def told(venue: Venue, **changes: Any) -> list[tuple[Any, ...]]:
    """Places an order; what the order channel tells."""
    line = venue.subscribed()
    venue.place(**changes)
    return [(event, volume) for event, _, volume in line.events()]


def test_a_limit_inside_the_spread_rests_and_a_counterparty_fills_it(venue):
    """First in line; each event with what is left."""
    line = venue.subscribed()
    venue.place()
    assert line.events() == [("new_request", "c1", "7.0"), ("new", "c1", "7.0")]
    venue.counterparty(SELL, 3, 64_990)
    venue.counterparty(SELL, 4, 65_000)
    assert line.events() == [("partial_fill", "c1", "4.0"), ("fill", "c1", "0.0")]
    assert venue.truth() == [("c1", "Filled", "7")]


TAKEN = [("new_request", "7.0"), ("new", "7.0")]


@pytest.mark.parametrize(
    ("changes", "events"),
    [
        ({"limit_price": "65010.0"}, [*TAKEN, ("fill", "0.0")]),
        ({"limit_price": "0.0"}, [*TAKEN, ("fill", "0.0")]),
        ({"limit_price": "0.0", "fill_type": "fill-or-kill"}, [*TAKEN, ("fill", "0.0")]),
        ({"fill_type": "immediate-or-cancel"}, [*TAKEN, ("cancel", "7.0")]),
        ({"fill_type": "fill-or-kill"}, [*TAKEN, ("cancel", "7.0")]),
    ],
)
def test_what_becomes_of_an_order_is_told_in_order(venue, changes, events):
    """By type and fill type."""
    assert told(venue, **changes) == events


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"limit_price": "65010.0"}, [("partial_fill", "500.0")]),
        ({"limit_price": "65010.0", "fill_type": "immediate-or-cancel"}, [("partial_fill", "500.0"), ("cancel", "500.0")]),
        ({"limit_price": "65010.0", "fill_type": "fill-or-kill"}, [("cancel", "1500.0")]),
        ({"limit_price": "65020.0"}, [("partial_fill", "500.0"), ("fill", "0.0")]),
        ({"volume": "2001.0", "limit_price": "0.0"}, [("partial_fill", "1001.0"), ("partial_fill", "1.0"), ("cancel", "1.0")]),
        ({"volume": "2001.0", "limit_price": "0.0", "fill_type": "fill-or-kill"}, [("cancel", "2001.0")]),
    ],
)
def test_more_than_the_best_level_has(venue, changes, end):
    """One event a trade; a cancel shows what was not executed."""
    assert told(venue, **({"volume": "1500.0"} | changes))[2:] == end


def test_an_order_is_answered_as_it_was_taken_in(venue):
    """Whole, whatever it traded at once; exactly the order channel's fields."""
    line = venue.subscribed()
    answer = venue.place(limit_price="65010.0", expiration_time=NOW // S + 60)
    (order_id,) = {each["data"]["order"]["order_id"] for each in line.take()}
    assert answer == {
        "login": "3034201",
        "comment": "c1",
        "contract_size": "1.0",
        "expiration_time": NOW // S + 60,
        "fill_type": "normal",
        "side": "buy",
        "limit_price": "65010.0",
        "order_id": order_id,
        "stop_price": "0.0",
        "symbol": "BTCUSD",
        "volume": "7.0",
    }


def test_both_parties_of_a_trade_are_told_taker_first_and_then_their_positions(venue):
    """Between two accounts, and of one with itself."""
    line = venue.subscribed("order_" + ACCOUNT, POSITIONS, "tick_BTCUSD_market_demo")
    venue.place_other(comment="theirs", side="sell")
    venue.place()
    assert line.events() == [("new_request", "c1", "7.0"), ("new", "c1", "7.0"), ("fill", "c1", "0.0"), ("new", "buy", "7.0")]
    assert venue.exchange.accounts[OTHER].positions["BTCUSD"].size == -7
    venue.place(comment="a", side="sell", volume="2.0")
    venue.place(comment="b", volume="2.0")
    assert line.events()[3:] == [
        ("new", "b", "2.0"),
        ("fill", "b", "0.0"),
        ("fill", "a", "0.0"),
        ("modified", "buy", "9.0"),
        ("modified", "buy", "7.0"),
    ]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"limit_price": "65000.25"}, 400, "invalid-field"),
        ({"stop_price": "65100.25"}, 400, "invalid-field"),
        ({"limit_price": "1000000.5"}, 400, "invalid-field"),
        ({"volume": "7.5"}, 400, "invalid-field"),
        ({"volume": "0.0"}, 400, "invalid-field"),
        ({"volume": "1000001.0"}, 400, "invalid-field"),
        ({"expiration_time": NOW // S}, 400, "invalid-field"),
        ({"stop_price": "65000.0"}, 400, "invalid-field"),
        ({"volume": "20000.0"}, 400, "insufficient-margin"),
    ],
)
def test_what_the_venue_refuses_is_told_as_reject(venue, changes, status, code):
    """4xx with the field that is at fault, `new_request` and `reject` on the channel, and no order."""
    line = venue.subscribed()
    got, answer = venue.call("POST", content=sim_venue.body(**changes))
    assert (got, answer["error"]["code"]) == (status, code)
    if code == "invalid-field":
        assert answer["error"]["message"].startswith(f"{next(iter(changes))}:")
    volume = changes.get("volume", "7.0")
    assert line.events() == [("new_request", "c1", volume), ("reject", "c1", volume)]
    assert venue.truth() == []


def test_an_unknown_symbol_is_404_and_told_nowhere(venue):
    """There is no contract to make an order object with."""
    line = venue.subscribed()
    got, answer = venue.call("POST", content=sim_venue.body(symbol="DOGEUSD"))
    assert (got, answer["error"]["code"], line.take()) == (404, "symbol-not-found", [])


# Cancelling and modifying


def test_a_cancel_is_answered_and_told_with_what_was_left(venue):
    """After a partial fill."""
    line, path = venue.subscribed(), venue.placed()
    venue.counterparty(SELL, 3, 65_000)
    line.take()
    status, answer = venue.call("DELETE", path)
    assert (status, answer["volume"]) == (200, "4.0")
    assert line.events() == [("cancel", "c1", "4.0")]
    assert venue.truth() == [("c1", "Canceled", "3")]


def test_cancelling_or_modifying_what_has_ended_is_404_and_told(venue):
    """With the order as it ended; what never was is not told."""
    line, path = venue.subscribed(), venue.placed(limit_price="65010.0")
    line.take()
    for method, content, event in (("DELETE", b"", "cancel_reject"), ("PUT", change("9.0"), "modify_reject")):
        status, answer = venue.call(method, path, content)
        assert (status, answer["error"]["code"]) == (404, "order-not-found")
        assert line.events() == [(event, "c1", "0.0")]
        for unknown in ("1", "x", "-1", "9" * 40):
            assert venue.call(method, f"{ORDERS}/{unknown}", content)[0] == 404
        assert line.events() == []


def test_nobody_else_may_touch_or_see_an_order(venue):
    """Under one's own account it is not there."""
    theirs = venue.place_other(comment="theirs")["order_id"]
    for method, content in (("DELETE", b""), ("PUT", change("9.0")), ("GET", b"")):
        assert venue.call(method, f"{ORDERS}/{theirs}", content)[0] == 404
    assert venue.call("GET")[1] == []
    assert venue.truth() == [("theirs", "New", "0")]


def test_a_modified_volume_is_the_whole_orders(venue):
    """Executed part included: `volume` on the event is what is left of the new one."""
    line, path = venue.subscribed(), venue.placed()
    venue.counterparty(SELL, 3, 65_000)
    line.take()
    status, answer = venue.call("PUT", path, change("5.0", "65000.5"))
    assert (status, answer["volume"], answer["limit_price"]) == (200, "2.0", "65000.5")
    assert line.events() == [("modify", "c1", "2.0")]
    venue.counterparty(SELL, 9, "65000.5")
    assert line.events() == [("fill", "c1", "0.0")]
    assert venue.truth() == [("c1", "Filled", "5")]


@pytest.mark.parametrize(
    ("volume", "limit_price", "stop_price", "field"),
    [
        ("3.0", "65000.0", "0.0", "volume"),
        ("2.0", "65000.0", "0.0", "volume"),
        ("0.0", "65000.0", "0.0", "volume"),
        ("7.5", "65000.0", "0.0", "volume"),
        ("7.0", "65000.25", "0.0", "limit_price"),
        ("7.0", "0.0", "0.0", "limit_price"),
        ("7.0", "65000.0", "65100.0", "stop_price"),
        ("20000.0", "65000.0", "0.0", ""),
    ],
)
def test_a_modification_that_cannot_be_is_told_and_changes_nothing(venue, volume, limit_price, stop_price, field):
    """`modify_reject` shows the order as it stays, and it can still trade."""
    line, path = venue.subscribed(), venue.placed()
    venue.counterparty(SELL, 3, 65_000)
    line.take()
    status, answer = venue.call("PUT", path, change(volume, limit_price, stop_price))
    assert status == 400
    assert answer["error"]["message"].startswith(f"{field}:" if field else "The account's free margin")
    assert line.events() == [("modify_reject", "c1", "4.0")]
    venue.counterparty(SELL, 4, 65_000)
    assert line.events() == [("fill", "c1", "0.0")]


def test_a_modified_order_loses_its_place_and_trades_where_it_may(venue):
    """At its own price it goes to the end of the line; across the spread it takes."""
    line, path = venue.subscribed(), venue.placed()
    venue.place(comment="c2")
    venue.call("PUT", path, change("6.0"))
    line.take()
    venue.counterparty(SELL, 7, 65_000)
    assert line.events() == [("fill", "c2", "0.0")]
    status, answer = venue.call("PUT", path, change("6.0", "65010.0"))
    assert (status, answer["volume"]) == (200, "6.0")
    assert line.events() == [("modify", "c1", "6.0"), ("fill", "c1", "0.0")]


def test_open_orders_can_be_asked_for(venue):
    """All, oldest first, or one; one that ended is not found."""
    first, second = venue.placed(), venue.placed(comment="c2", stop_price="65100.0", limit_price="0.0")
    venue.counterparty(SELL, 3, 65_000)
    status, orders = venue.call("GET")
    assert (status, [(each["comment"], each["volume"]) for each in orders]) == (200, [("c1", "4.0"), ("c2", "7.0")])
    assert venue.call("GET", second) == (200, orders[1])
    venue.call("DELETE", first)
    assert venue.call("GET", first)[1]["error"]["code"] == "order-not-found"
    assert venue.call("GET")[1] == orders[1:]


# Stops and expiry


def test_a_stop_waits_for_a_trade_at_its_price(venue):
    """Buys at it or above; then as a market order, or a limit one that rests."""
    line = venue.subscribed()
    venue.place(stop_price="65010.0", limit_price="0.0")
    venue.place(comment="c2", stop_price="65010.0", limit_price="65005.0")
    line.take()
    assert [status for _, status, _ in venue.truth()] == ["Untriggered", "Untriggered"]
    venue.counterparty(SELL, 1, 64_990)
    assert line.events() == []
    venue.counterparty(BUY, 1, 65_010)
    assert line.events() == [("fill", "c1", "0.0")]
    assert venue.truth()[1] == ("c2", "New", "0")
    assert venue.exchange.markets["BTCUSD"].book.best(BUY) == 65_005


def test_stops_trigger_each_other(venue):
    """Sells at the price or below; what one trades triggers the next."""
    venue.place(side="sell", stop_price="64990.0", limit_price="0.0", volume="1000.0")
    venue.place(comment="c2", side="sell", stop_price="64980.0", limit_price="0.0", volume="500.0")
    venue.counterparty(SELL, 1, 64_990)
    assert venue.truth() == [("c1", "Filled", "1000"), ("c2", "Filled", "500")]


def test_a_waiting_stop_can_be_modified_and_cancelled(venue):
    """To no price that would trigger it at once, and to no other kind."""
    line, path = venue.subscribed(), venue.placed(stop_price="65100.0", limit_price="0.0")
    assert venue.call("PUT", path, change("9.0", "0.0", "65200.0"))[1]["stop_price"] == "65200.0"
    assert venue.call("PUT", path, change("9.0", "0.0", "65000.0"))[0] == 400
    assert venue.call("PUT", path, change("9.0", "65300.0", "65200.0"))[0] == 400
    assert venue.call("PUT", path, change("9.0", "0.0", "0.0"))[0] == 400
    assert venue.call("DELETE", path)[0] == 200
    assert [event for event, *_ in line.events()][2:] == ["modify", *["modify_reject"] * 3, "cancel"]
    venue.counterparty(BUY, 1500, 65_200)
    assert venue.truth() == [("c1", "Canceled", "0")]


def test_a_triggered_stop_limit_keeps_its_stop_price(venue):
    """It may be modified in everything else."""
    path = venue.placed(stop_price="65010.0", limit_price="65005.0")
    venue.counterparty(BUY, 1, 65_010)
    assert venue.call("PUT", path, change("7.0", "65004.0", "65020.0"))[0] == 400
    assert venue.call("PUT", path, change("7.0", "65004.0", "65010.0"))[1]["stop_price"] == "65010.0"


def test_an_order_expires_at_its_time(venue):
    """Told as a cancel, before anything that happens then."""
    line, path = venue.subscribed(), venue.placed(expiration_time=NOW // S + 60)
    line.take()
    assert venue.exchange.due_ns == NOW + 60 * S
    venue.now += 60 * S - 1
    assert venue.call("GET", path)[0] == 200
    venue.now += 1
    assert venue.call("DELETE", path)[0] == 404
    assert line.events() == [("cancel", "c1", "7.0"), ("cancel_reject", "c1", "7.0")]
    assert (venue.truth(), venue.exchange.due_ns) == ([("c1", "Canceled", "0")], None)


# Positions and money


def test_a_position_is_the_average_of_what_built_it_up(venue):
    """new, modified, closed; the average stays when it shrinks, and turning round makes a new one."""
    line = venue.subscribed(POSITIONS)
    venue.place(limit_price="65020.0", volume="1500.0")
    first, second = (each["data"] for each in line.take())
    assert first["position"] == {
        "position_id": first["position"]["position_id"],
        "price_current": "65010.0",
        "price_open": "65010.0",
        "profit": "0.0",
        "side": "buy",
        "symbol": "BTCUSD",
        "volume": "1000.0",
    }
    assert second["event_type"] == "modified"
    assert second["position"]["price_open"] == "65013.33333333"
    assert second["position"]["profit"] == "10000.0"
    venue.place(limit_price="0.0", volume="500.0", side="sell")
    (message,) = line.take()
    assert (message["data"]["position"]["price_open"], message["data"]["position"]["volume"]) == ("65013.33333333", "1000.0")
    assert venue.exchange.account_row(ACCOUNT)["balance"] == "9988333.33333333"
    venue.place(limit_price="64980.0", volume="1400.0", side="sell")
    last, closed, opened = (each["data"] for each in line.take())
    assert (last["event_type"], last["position"]["volume"]) == ("modified", "500.0")
    assert closed == {"event_type": "closed", "position": {"position_id": first["position"]["position_id"], "symbol": "BTCUSD"}}
    assert (opened["event_type"], opened["position"]["side"], opened["position"]["volume"]) == ("new", "sell", "400.0")
    assert opened["position"]["position_id"] != closed["position"]["position_id"]


def test_the_account_follows_the_trades(venue):
    """Margin at one per cent, profit by contract size; a tenth of an ether has two places."""
    line = venue.subscribed(f"account_{ACCOUNT}")
    venue.place(symbol="ETHUSD", limit_price="3501.0", volume="0.5")
    (message,) = line.take()
    assert message["data"] == {
        "balance": "10000000.0",
        "equity": "10000000.0",
        "margin": "0.017505",
        "margin_free": "9999999.982495",
    }
    venue.place(symbol="ETHUSD", limit_price="3499.0", volume="0.5", side="sell")
    assert line.take()[0]["data"]["balance"] == "9999999.999"


def test_closing_needs_no_margin(venue):
    """Only what adds to a position does, and making an order smaller does not."""
    poor = Venue(accounts=tuple(each.model_copy(update={"balance": D(10_000)}) for each in sim_venue.settings().accounts))
    path = poor.placed(comment="c0", limit_price="64000.0")
    assert "order_id" in poor.place(limit_price="65010.0")
    assert poor.call("PUT", path, change("6.0", "64000.0"))[0] == 200
    assert poor.call("PUT", path, change("9.0", "64000.0"))[1]["error"]["code"] == "insufficient-margin"
    assert poor.place(comment="c2", limit_price="65010.0")["error"]["code"] == "insufficient-margin"
    assert "order_id" in poor.place(comment="c3", limit_price="0.0", side="sell")


def test_resting_orders_tie_up_margin(venue):
    """At their limits, the dearer side; told as it changes, given back by what ends them, and by a modification of what it takes off."""
    line = venue.subscribed(f"account_{ACCOUNT}")

    def margin():
        row = line.take()[-1]["data"]
        assert row == venue.exchange.account_row(ACCOUNT)
        assert D(row["margin_free"]) == D(row["equity"]) - D(row["margin"])
        return D(row["margin"])

    buy = venue.placed(limit_price="60000.0", volume="10.0")
    assert margin() == 6000
    sell = venue.placed(comment="c2", limit_price="70000.0", volume="10.0", side="sell")
    assert margin() == 7000
    assert venue.call("DELETE", sell)[0] == 200
    assert margin() == 6000
    assert venue.call("PUT", buy, change("5.0", "64000.0"))[0] == 200
    assert margin() == 3200
    venue.place(comment="c3", limit_price="65010.0", volume="2.0")
    assert margin() == D("4500.2")
    assert venue.call("DELETE", buy)[0] == 200
    assert margin() == D("1300.2")


def test_a_modification_needs_what_it_adds(venue):
    """What the order ties up already is its own."""
    poor = Venue(accounts=tuple(each.model_copy(update={"balance": D(10_000)}) for each in sim_venue.settings().accounts))
    path = poor.placed(limit_price="64000.0", volume="14.0")
    assert poor.call("PUT", path, change("15.0", "64000.0"))[0] == 200
    assert poor.call("PUT", path, change("16.0", "64000.0"))[1]["error"]["code"] == "insufficient-margin"
    assert poor.exchange.account_row(ACCOUNT)["margin"] == "9600.0"


def test_what_closes_a_position_ties_up_nothing(venue):
    """Of a sell order that is larger than the position, the rest does."""
    venue.place(limit_price="65010.0", volume="2.0")
    venue.placed(comment="c2", limit_price="70000.0", volume="2.0", side="sell")
    assert venue.exchange.account_row(ACCOUNT)["margin"] == "1300.2"
    venue.placed(comment="c3", limit_price="70000.0", volume="1.0", side="sell")
    assert venue.exchange.account_row(ACCOUNT)["margin"] == "2000.2"


def test_a_stop_ties_up_margin_once_it_rests(venue):
    """Waiting for its price it ties up nothing; triggered into the book it does."""
    venue.placed(stop_price="65100.0", limit_price="65005.0", volume="3.0")
    assert venue.exchange.account_row(ACCOUNT)["margin"] == "0.0"
    venue.place_other(limit_price="65100.0", volume="1.0", side="sell", comment="o1")
    venue.counterparty(BUY, 2001, 65_100)
    assert venue.exchange.account_row(ACCOUNT)["margin"] == "1950.15"


# The whole


def test_a_venue_that_keeps_no_comments_shows_none(venue):
    """But the control knows them."""
    forgetful = Venue(keep_comment=False)
    line, path = forgetful.subscribed(), forgetful.placed()
    assert {comment for _, comment, _ in line.events()} == {""}
    assert forgetful.call("GET", path)[1]["comment"] == ""
    assert forgetful.truth() == [("c1", "New", "0")]


def test_ids_rise_over_runs_and_resets(venue):
    """An id is never given twice."""
    first = venue.place()["order_id"]
    venue.exchange.reset()
    second = venue.place()["order_id"]
    later = Exchange(sim_venue.settings(), NOW + S)
    assert first < second < later._mint() < 2**53
    before = later._mint()
    later.recall(venue.exchange.memory())
    assert later._mint() > before
    earlier = Exchange(sim_venue.settings(), 0)
    earlier.recall(venue.exchange.memory())
    assert earlier._mint() > second


moves = st.one_of(
    st.tuples(
        st.just("place"),
        st.sampled_from(["buy", "sell"]),
        st.sampled_from(["0.0", "64980.0", "64990.0", "65000.0", "65010.0", "65020.0"]),
        st.sampled_from(["0.0", "0.0", "64985.0", "65015.0"]),
        st.sampled_from(["normal", "normal", "immediate-or-cancel", "fill-or-kill"]),
        st.integers(1, 1500),
        st.booleans(),
    ),
    st.tuples(st.just("modify"), st.integers(0, 20), st.integers(1, 1500), st.sampled_from(["64990.0", "65000.0", "65010.0"])),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("trade"), st.sampled_from(list(Side)), st.integers(1, 1500), st.integers(64_970, 65_030)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(moves, max_size=25))
def test_whatever_is_done_the_venue_stays_sound_and_its_events_tell_it_all(history):
    """Volumes on the order channel, differences and ends, give each order as the venue has it."""
    venue = Venue()
    line = venue.subscribed()
    for move in history:
        orders = [each for each in venue.exchange.orders() if each.account_id == ACCOUNT]
        match move:
            case ("place", side, limit, stop, fill_type, volume, own):
                fields = {"side": side, "limit_price": limit, "stop_price": stop, "fill_type": fill_type, "volume": f"{volume}.0"}
                if own:
                    venue.place(**fields)
                elif stop == "0.0":
                    venue.place_other(**fields)
            case ("modify", n, volume, price) if n < len(orders):
                stop = f"{orders[n].asked.stop_price:f}"
                venue.call("PUT", f"{ORDERS}/{orders[n].key}", change(f"{volume}.0", price, stop))
            case ("cancel", n) if n < len(orders):
                venue.call("DELETE", f"{ORDERS}/{orders[n].key}")
            case ("trade", side, volume, price):
                venue.counterparty(side, volume, price)
    check(venue.exchange)
    left, filled, ended = {}, {}, set()
    for message in line.take():
        event, order = message["data"]["event_type"], message["data"]["order"]
        key, volume = str(order["order_id"]), D(order["volume"])
        if event in ("partial_fill", "fill"):
            filled[key] = filled.get(key, 0) + left[key] - volume
        if event in ("fill", "cancel", "reject"):
            ended.add(key)
        if event == "reject":
            assert key not in venue.exchange._orders
        left[key] = volume
    for order in venue.exchange.orders():
        if order.account_id == ACCOUNT:
            assert filled.get(order.key, 0) == order.filled
            assert left[order.key] == order.left
            assert (order.key in ended) == (order.key not in venue.exchange._open)
