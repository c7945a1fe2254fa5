"""The Crypto.com protocol against the simulated venue's pure core: what is told must be what is true there."""

from decimal import Decimal

import pytest
from msgspec import structs

from bridges.matching import Side as Maker
from bridges.wire import Kind, Note
from router.model import Accepted, Canceled, CancelRejected, Filled, Found, LinkDown, LinkUp, NotSent, Rejected, Unanswered
from router.words import CxlRejReason, Done, OrdRejReason, Side, TimeInForce
from tests.bridges.evidence import found as found_with_age

from .rig import ACCOUNT, Rig, ask, cancel, market, place, requests
from .venue import D, Desk, limit


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    assert rig.heard == [LinkUp(ACCOUNT)]
    rig.heard.clear()
    return rig


def accepted_id(rig: Rig) -> str:
    [event] = [each for each in rig.heard if isinstance(each, Accepted)]
    assert event.venue_order_id is not None and event.exec_id == f"{event.venue_order_id}:new"
    return event.venue_order_id


def total(heard: list, order_id: str) -> Decimal:
    return sum((each.last_qty for each in heard if isinstance(each, Filled) and each.venue_order_id == order_id), D(0))


def test_an_order_rests_is_filled_in_part_and_then_whole(rig):
    rig.send(place())
    order_id = accepted_id(rig)
    assert rig.run(1) == []
    rig.desk.trade(Maker.SELL, "0.2", "65000")
    [first] = rig.run(1)
    assert (first.last_qty, first.last_px, first.complete, first.cum_qty, first.avg_px) == (D("0.2"), D(65000), False, D("0.2"), D(65000))
    assert (first.account, first.venue_cl_ord_id, first.venue_order_id, first.fee_currency) == (ACCOUNT, "c1", order_id, "BTC")
    rig.desk.trade(Maker.SELL, "0.1", "65000")
    rig.desk.trade(Maker.SELL, "0.2", "65000")
    second, third = rig.run(1)
    assert (second.last_qty, second.complete, second.cum_qty) == (D("0.1"), False, D("0.3"))
    assert (third.last_qty, third.complete, third.cum_qty) == (D("0.2"), True, D("0.5"))
    assert len({each.exec_id for each in (first, second, third)}) == 3 and first.exec_id.startswith(f"{order_id}:")
    rig.sent.clear()
    assert rig.run(5) == [] and {each.path for _, each in rig.sent} == {"/v1/account"}  # nobody asks about an order that is over


def test_trades_that_come_twice_or_in_the_wrong_order_are_told_once_in_theirs(rig):
    rig.send(place())
    rig.desk.trade(Maker.SELL, "0.2", "65000")
    rig.desk.trade(Maker.SELL, "0.1", "65000")
    rig.desk.fault("reorder_events", match="query")
    rig.desk.fault("duplicate_event", match="query")
    fills = [each for each in rig.run(2) if isinstance(each, Filled)]
    assert [each.cum_qty for each in fills] == [D("0.2"), D("0.3")]


@pytest.mark.parametrize(("side", "qty"), [(Side.BUY, "65010.05"), (Side.SELL, "0.7")])
def test_a_market_order_is_complete_with_its_last_execution(rig, side, qty):
    rig.send(market(side, qty))
    order_id = accepted_id(rig)
    rig.run(1)
    fills = [each for each in rig.heard if isinstance(each, Filled)]
    assert [each.complete for each in fills] == [False] * (len(fills) - 1) + [True]
    assert total(rig.heard, order_id) == rig.desk.exchange.find_any(int(order_id)).filled > 0
    assert not rig.the._polling.orders


def test_an_order_that_the_book_cannot_fill_expires(rig):
    rig.send(structs.replace(market(Side.BUY, "100"), symbol="ethusdt"))
    rig.run(1)
    end = rig.heard[-1]
    assert (end.how, end.cum_qty, end.avg_px) == (Done.EXPIRED, D(0), None)


def test_a_cancel_after_executions_states_what_was_executed(rig):
    rig.send(place())
    order_id = accepted_id(rig)
    rig.desk.trade(Maker.SELL, "0.2", "65000")
    rig.heard.clear()
    rig.send(cancel(order_id))
    rig.run(1)
    heard = rig.heard
    assert [type(each) for each in heard] == [Filled, Canceled]
    assert (heard[1].how, heard[1].cum_qty, heard[1].avg_px, heard[1].exec_id) == (Done.CANCELED, D("0.2"), D(65000), f"{order_id}:end")


def test_a_cancel_that_takes_its_time_is_awaited():
    rig = Rig(desk=Desk(cancel_ms=3000))
    rig.send(place())
    order_id = accepted_id(rig)
    rig.run(1)
    rig.send(cancel(order_id))
    assert rig.run(1) == []
    rig.desk.trade(Maker.SELL, "0.2", "65000")
    assert [type(each) for each in rig.run(3)] == [Filled, Canceled]


def test_a_cancel_of_what_is_over_is_refused_and_the_truth_is_looked_up(rig):
    rig.send(place())
    order_id = accepted_id(rig)
    rig.run(10)
    rig.desk.trade(Maker.SELL, "0.5", "65000")
    rig.heard.clear()
    rig.send(cancel(order_id))
    refused, filled = rig.heard + rig.run(0.2)
    assert isinstance(refused, CancelRejected) and refused.reason is CxlRejReason.TOO_LATE and "8 " in refused.text
    assert filled.complete
    rig.heard.clear()
    rig.send(cancel("12345"))
    assert rig.heard[0].reason is CxlRejReason.UNKNOWN_ORDER


@pytest.mark.parametrize(("fault", "kind"), [("drop_reply", "new"), ("http_500", "new"), ("garbage", "new")])
@pytest.mark.parametrize("filled", [False, True])
def test_a_create_without_an_answer_is_found_again(rig, fault, kind, filled):
    rig.desk.fault(fault, match=kind)
    sent = rig.now
    rig.send(place())
    assert [type(each) for each in rig.heard] == [Unanswered] and rig.heard[0].order_id == "1"
    [order] = rig.desk.exchange.orders()
    if filled:
        rig.desk.trade(Maker.SELL, "0.5", "65000")
    rig.run(1)
    rig.heard.clear()
    rig.send(ask(place(), at=sent))
    rig.run(1)
    assert rig.heard == [found_with_age(order_id="1", candidates=(str(order.order_id),))]
    rig.heard.clear()
    rig.send(ask(place(), str(order.order_id), sent))
    rig.run(1)
    told = rig.heard
    assert [type(each) for each in told] == ([Filled] if filled else [Accepted])
    assert len(requests([request for _, request in rig.sent], "/v1/order")) == 1  # a create is never sent twice


@pytest.mark.parametrize("fault", ["drop_request", "http_503"])
def test_a_create_that_never_arrived_is_not_found(rig, fault):
    rig.desk.fault(fault, match="new")
    rig.send(place())
    assert [type(each) for each in rig.heard] == [Unanswered]
    rig.send(ask(place(), at=rig.now))
    rig.run(1)
    assert rig.heard[-1] == found_with_age(order_id="1")


def test_a_search_goes_through_every_page_that_matters_and_names_all_that_fit(rig):
    """125 orders after it, and others that are almost alike."""
    sent = rig.now
    first = rig.desk.create(limit())
    for changes in ({"side": "SELL", "price": "65005"}, {"price": "65000.01"}, {"volume": "0.50001"}):
        rig.desk.create(limit(**changes))
    for _ in range(125):
        rig.desk.cancel(rig.desk.create(limit(price="9000", volume="0.0002")))
    rig.send(ask(place(), at=sent))
    rig.run(3)
    assert rig.heard[-1] == found_with_age(order_id="1", candidates=(first,))
    second = rig.desk.create(limit())
    rig.send(ask(place(), at=sent))
    rig.run(3)
    assert rig.heard[-1] == found_with_age(order_id="1", candidates=(first, second))
    rig.desk.now_ms += 10_000
    rig.send(ask(place(), at=rig.now + 61 * 10**9))
    rig.run(3)
    assert rig.heard[-1] == found_with_age(order_id="1")  # too old


def test_a_search_waits_for_a_create_that_looks_the_same(rig):
    """What it would find might be that one."""
    the, now = rig.the, rig.now
    [create] = requests(the.send(place("2"), now))
    rig.desk.create(limit())
    rig.send(ask(place("1"), at=now))
    rig.run(2)
    assert rig.heard == []
    rig._do(the.lost(create, True, "no answer", rig.now))
    rig.run(2)
    assert [type(each) for each in rig.heard] == [Unanswered, Found]


def test_a_refusal_is_a_no(rig):
    rig.send(place("1", order_qty=D(1000)))
    rig.send(place("2", order_qty=D("0.00001")))
    rig.desk.fault("reject", match="new")
    rig.send(place("4"))
    assert all(isinstance(each, Rejected) for each in rig.heard)
    assert [each.reason for each in rig.heard] == [
        OrdRejReason.EXCEEDS_LIMIT,
        OrdRejReason.INCORRECT_QUANTITY,
        OrdRejReason.BROKER_OPTION,
    ]
    assert rig.heard[0].text.startswith("19 ")
    assert [each.venue_cl_ord_id for each in rig.heard] == ["c1", "c2", "c4"]


def test_a_rate_limit_says_nothing_about_the_order(rig):
    """429 after sending: the document does not say that nothing was done."""
    rig.desk.fault("rate_limit", match="new")
    rig.send(place("3"))
    assert [type(each) for each in rig.heard] == [Unanswered]


def test_ioc_is_emulated(rig):
    rig = Rig(emulate_ioc=True)
    rig.heard.clear()
    rig.send(place(price=D(65010), order_qty=D("1.5"), time_in_force=TimeInForce.IOC))
    rig.run(1)
    taken, filled, end = rig.heard
    assert taken.text == "IOC emulated: placed as a limit order, then canceled"
    assert (filled.last_qty, filled.complete, end.cum_qty, end.how) == (D(1), False, D(1), Done.CANCELED)
    assert [request.kind for _, request in rig.sent if request.path == "/v1/order"] == [Kind.NEW, Kind.CANCEL]


@pytest.mark.parametrize("fault", ["drop_request", "http_503", "rate_limit", "http_500", "drop_reply"])
def test_ioc_is_canceled_again_until_it_is_over(fault):
    rig = Rig(emulate_ioc=True)
    rig.heard.clear()
    rig.desk.fault(fault, match="cancel", count=2)
    rig.send(place(time_in_force=TimeInForce.IOC))
    rig.run(3)
    assert [type(each) for each in rig.heard if not isinstance(each, Note)] == [Accepted, Canceled]


def test_ioc_whose_create_was_not_answered_is_canceled_when_it_is_found():
    rig = Rig(emulate_ioc=True)
    rig.desk.fault("drop_reply", match="new")
    rig.send(place(time_in_force=TimeInForce.IOC))
    [order] = rig.desk.exchange.orders()
    rig.send(ask(place(time_in_force=TimeInForce.IOC), str(order.order_id)))
    rig.run(1)
    assert isinstance(rig.heard[-1], Canceled)


def test_a_restart_asks_about_each_order_and_hears_what_happened(rig):
    """A new process knows nothing; its router asks about every open order."""
    ids = [rig.desk.create(limit(volume="0.1")) for _ in range(12)]
    rig.desk.trade(Maker.SELL, "0.15", "65000")  # the first, and half of the second
    rig.desk.cancel(ids[5])
    placed = {name: place(str(i), order_qty=D("0.1")) for i, name in enumerate(ids)}
    for name in ids:
        rig.send(ask(placed[name], name, rig.now - 60 * 10**9))
    heard = rig.run(3)
    told = {name: [type(each) for each in rig.heard if each.venue_order_id == name] for name in ids}
    assert told == {name: [Accepted] for name in ids} | {ids[0]: [Filled], ids[1]: [Accepted, Filled], ids[5]: [Canceled]}
    assert 429 not in rig.statuses
    assert heard


def test_polls_leave_room_and_miss_nothing(rig):
    """Forty orders in one symbol, some of them filled, some canceled by others, and clients that go on sending."""
    for i in range(40):
        rig.send(place(str(i), order_qty=D("0.01"), price=D(60000 + i)))
        rig.run(0.25)
    ids = {each.venue_order_id: each.venue_cl_ord_id for each in rig.heard if isinstance(each, Accepted)}
    assert len(ids) == 40 and set(rig.statuses) == {200}
    rig.run(20)
    start = rig.desk.now_ms
    rig.run(10)
    idle = [request for at, request in rig.sent if at > start]
    assert len(idle) <= 12  # one list every few seconds, not one look an order
    rig.desk.trade(Maker.SELL, "2.045", "60030")  # the house's bids, four orders, and half of the fifth
    for order_id in list(ids)[:3]:
        rig.desk.exchange.cancel_by_venue(rig.desk.exchange.find_any(int(order_id)), rig.desk.now_ms)
    rig.heard.clear()
    rig.run(15)
    for order in rig.desk.exchange.orders():
        assert total(rig.heard, str(order.order_id)) == order.filled
    assert {each.venue_order_id for each in rig.heard if isinstance(each, Canceled)} == set(list(ids)[:3])
    sent_at = [at for at, request in rig.sent if request.group == "user"]
    assert max(sum(at <= other < at + 1000 for other in sent_at) for at in sent_at) <= 10
    assert 429 not in rig.statuses


def test_no_two_questions_about_one_order_are_under_way(rig):
    rig.send(place())
    rig.heard.clear()
    the, now = rig.the, rig.now
    asked = [request for step in range(100) for request in requests(the.tick(now + step * 50_000_000), "/v1/showOrder")]
    assert len(asked) == 1
    assert [requests(the.send(ask(place(), accepted), now + 6 * 10**9), "/v1/showOrder") for accepted in the._polling.orders] == [[]]
    assert the.lost(asked[0], True, "lost", now + 7 * 10**9) == []
    assert len(requests(the.tick(now + 8 * 10**9), "/v1/showOrder")) == 1


def test_the_link_goes_after_three_losses_and_comes_back(rig):
    rig.send(place())
    rig.desk.fault("drop_request", match="query", count=4)
    heard = rig.run(6)
    down, came = heard
    assert isinstance(down, LinkDown) and not down.text.startswith("banned") and came == LinkUp(ACCOUNT)
    rig.heard.clear()
    rig.desk.fault("http_503", match="query", count=3)
    assert [type(each) for each in rig.run(6)] == [LinkDown, LinkUp]


def test_nothing_is_sent_while_the_link_is_down(rig):
    rig.desk.fault("drop_request", match="query", count=1000)
    rig.run(30)
    assert isinstance(rig.heard[-1], LinkDown)
    rig.heard.clear()
    rig.send(place())
    assert [(type(each), each.place) for each in rig.heard] == [(NotSent, True)]


def test_one_user_trading_with_himself_has_two_executions(rig):
    rig.send(place("1", price=D(65005)))
    rig.send(place("2", price=D(65005), side=Side.SELL))
    rig.run(1)
    fills = [each for each in rig.heard if isinstance(each, Filled)]
    assert {each.venue_cl_ord_id: each.complete for each in fills} == {"c1": True, "c2": True}
    assert len({each.exec_id for each in fills}) == 2


def test_a_cancel_is_followed_closely_however_old_the_order(rig):
    rig.desk.settings.__dict__["cancel_ms"] = 700
    rig.send(place())
    rig.run(120)
    rig.send(cancel(accepted_id(rig)))
    rig.heard.clear()
    assert [type(each) for each in rig.run(1)] == [Canceled]


def test_questions_end_with_the_link(rig):
    """The router asks again when it is back; an answer to the old question could only confuse."""
    rig.desk.fault("drop_request", match="query", count=3)
    rig.send(ask(place(), at=rig.now))
    rig.run(10)
    assert [type(each) for each in rig.heard] == [LinkDown, LinkUp]
