"""What Crypto.com's protocol holds of an account's balances, when it asks for them, and what the simulated venue says of the same."""

from decimal import Decimal
from typing import Any

import pytest

from bridges.cryptocom.protocol import CryptocomProtocol
from bridges.matching import Side as Maker
from bridges.shelf import ROWS_AT_MOST
from bridges.wire import Answer, Holdings, Note, Out, Request
from router.model import Balance, LinkDown, LinkUp

from .rig import BIG, MS, SECOND, START, Rig, answer, cancel, events, open_order, place, protocol, requests, row, up
from .venue import D, sample

COINS: Any = {"coin_list": [{"coin": "btc", "normal": D("1.5"), "locked": D("0.25")}, {"coin": "USDT", "normal": "10", "locked": D(0)}]}
HELD = (Balance("BTC", D("1.75"), D("1.5")), Balance("USDT", D(10), D(10)))


def accounts(outs: Any) -> list[Request]:
    """The questions for the account."""
    return requests(list(outs), "/v1/account")


def run(the: CryptocomProtocol, start: int, until: int, step: int = 50 * MS) -> list[tuple[int, Request]]:
    """Ticks from `start` to `until`; the questions for the account and when they left. They are not answered."""
    return [(now, each) for now in range(start, until + 1, step) for each in accounts(the.tick(now))]


def told(coins: Any = COINS) -> CryptocomProtocol:
    """With the link up, and these balances."""
    the = protocol()
    [read] = the.begin(START)
    rows = [{"symbol": "btcusdt", "amount_precision": 5, "price_precision": 2}]
    [login] = the.answered(read, answer(rows), START)
    assert isinstance(login, Request)
    assert LinkUp("cdc-main") in the.answered(login, answer(coins), START)
    return the


def asked(the: CryptocomProtocol, at: int) -> Request:
    """The probe that is due then."""
    [probe] = accounts(the.tick(at))
    return probe


def balances(the: CryptocomProtocol) -> tuple[Balance, ...] | None:
    held = the.held()
    return None if held is None else tuple(held.balances)


# --- what is told


def test_nothing_is_held_before_the_account_has_answered():
    """Then total is usable and locked, exact, names upper case; and it is the same object while nothing changes."""
    assert protocol().held() is None
    the = told()
    held = the.held()
    assert held == Holdings(HELD)
    assert the.answered(asked(the, START + 10 * SECOND), answer(COINS), START + 10 * SECOND) == []
    assert the.held() is held
    assert balances(told(sample("account"))) == tuple(Balance(each, D("64646.466"), D("32323.233")) for each in ("BTC", "LTC", "BCH"))


def test_every_answer_tells_all_and_what_it_leaves_out_is_gone():
    """A coin that is not named any more is kept, as 0."""
    the = told()
    rows = [{"coin": "usdt", "normal": D("0E-8"), "locked": D("0.1")}, {"coin": "eth", "normal": 1, "locked": 0}]
    the.answered(asked(the, START + 10 * SECOND), answer({"coin_list": rows}), START + 10 * SECOND)
    assert balances(the) == (Balance("BTC", D(0), D(0)), Balance("USDT", D("0.1"), D(0)), Balance("ETH", D(1), D(1)))


@pytest.mark.parametrize(
    "nonsense",
    [
        {}, None, {"coin_list": 5}, {"coin_list": None}, {"coin_list": [1]},
        {"coin_list": [*COINS["coin_list"], {"coin": "eth", "normal": 1}]},
        {"coin_list": [{"coin": "", "normal": 1, "locked": 0}]}, {"coin_list": [{"coin": "b\ntc", "normal": 1, "locked": 0}]},
        {"coin_list": [{"coin": "btc", "normal": n, "locked": 0} for n in (1, 2)]},
        {"coin_list": [{"coin": "btc", "normal": "much", "locked": 0}]},
    ],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_is_not_believed(nonsense):
    """Nothing is held until all is told anew, which is asked for 5 s later; it is noted once, and the link stays."""
    the = told()
    outs: list[Out] = []
    for n in range(1, 4):
        outs += the.answered(asked(the, START + n * 10 * SECOND), answer(nonsense), START + n * 10 * SECOND)
        assert the.held() is None
    assert [type(out) for out in outs] == [Note]
    assert accounts(the.tick(START + 35 * SECOND - MS)) == []
    the.answered(asked(the, START + 35 * SECOND), answer(COINS), START + 35 * SECOND)
    assert balances(the) == HELD
    [note] = the.answered(asked(the, START + 45 * SECOND), answer(nonsense), START + 45 * SECOND)
    assert isinstance(note, Note)


@pytest.mark.parametrize("reply", [Answer(500, {}, b""), answer(None, 200, "5", "no"), None])
def test_a_question_that_brought_nothing_leaves_nothing_held(reply):
    """There is no stream that would have told what changed."""
    the = told()
    probe = asked(the, START + 10 * SECOND)
    if reply is None:
        the.lost(probe, True, "no answer", START + 10 * SECOND)
    else:
        the.answered(probe, reply, START + 10 * SECOND)
    assert the.held() is None


def test_nothing_is_held_while_the_link_is_down():
    """Until the account has answered again; a late answer after a ban does not count."""
    the = told()
    probe = asked(the, START + 10 * SECOND)
    [inquiry] = the.inquire(1, "balances", {}, START)
    assert isinstance(inquiry, Request)
    [create] = the.send(place(), START)
    assert any(isinstance(out, LinkDown) for out in the.answered(create, answer(None, 403, "100007", "illegal IP"), START))
    assert the.held() is None
    the.answered(probe, answer(COINS), START + 11 * SECOND)
    assert the.held() is None
    again = told()
    again.begin(START + 60 * SECOND)
    assert again.held() is None


def test_too_many_coins_are_refused():
    """At most so many are kept, those known go on, and it is noted once."""
    the = told()
    many = [{"coin": f"c{n}", "normal": 1, "locked": 0} for n in range(ROWS_AT_MOST)]
    notes = []
    for n in (1, 2):
        at = START + n * 10 * SECOND
        notes += the.answered(asked(the, at), answer({"coin_list": [*many, {"coin": "btc", "normal": n, "locked": 0}]}), at)
    found = balances(the)
    assert [type(note) for note in notes] == [Note]
    assert found is not None and len(found) == ROWS_AT_MOST and found[0] == Balance("BTC", D(2), D(2))


# --- when it is asked


def test_the_account_is_asked_for_every_minute_where_other_answers_keep_the_link():
    """The probe of an idle link is not needed then. One at a time; never again while one is under way."""
    the = told()
    asks: list[int] = []
    for n in range(1, 40):
        at = START + n * 5 * SECOND
        asks += [now for now, _ in run(the, at, at)]
        [inquired] = the.inquire(n, "balances", {}, at)
        assert isinstance(inquired, Request)
        [create] = the.send(place(str(n)), at)
        the.answered(create, answer(None, 200, "6", "no"), at)
    assert asks == [START + 60 * SECOND]


def test_the_account_is_asked_for_a_second_after_an_order_of_ours_moved():
    """At most every 5 s, and what moved less than a second before is asked about once more."""
    the = told()
    at = START + 6 * SECOND
    [create] = the.send(place(), at)
    the.answered(create, answer({"order_id": BIG}), at)
    [(left, probe)] = run(the, at, at + 2 * SECOND)
    assert left == at + SECOND
    the.answered(probe, answer(COINS), left)
    assert the.held() is not None

    the, look = open_order(told())
    the.answered(look, answer(row(4)), START + 500 * MS)
    [(left, probe)] = run(the, START, START + 6 * SECOND)
    assert left == START + 5 * SECOND  # five seconds after the login
    the.answered(probe, answer(COINS), left)


def test_what_moved_just_before_a_question_is_asked_about_again():
    """The venue may have made its answer before."""
    the = told()
    at = START + 9_500 * MS
    [create] = the.send(place(), at)
    the.answered(create, answer({"order_id": BIG}), at)
    [create] = the.send(place("2"), at)
    the.answered(create, answer({"order_id": BIG + 1}), at + 900 * MS)
    [(first, probe)] = run(the, at + 900 * MS, at + SECOND)
    assert first == at + SECOND
    the.answered(probe, answer(COINS), first)
    [(second, _)] = run(the, first, first + 20 * SECOND)
    assert second == first + 5 * SECOND


def test_nothing_more_is_asked_for_while_the_link_is_down():
    """The link's own probes go on in their time; an order that moved is no reason while it is shut."""
    the = protocol()
    [read] = the.begin(START)
    the.lost(read, True, "no answer", START)
    assert the.tick(START + 2 * SECOND - MS) == []
    assert [each.path for each in requests(the.tick(START + 2 * SECOND))] == ["/v1/symbols"]
    the = up(protocol())
    [create] = the.send(place(), START)
    the.answered(create, answer(None, 403, "100007", "illegal IP"), START)
    assert run(the, START, START + 100 * SECOND, SECOND) == []


# --- the simulated venue


def figures(rig: Rig) -> dict[str, tuple[Decimal, Decimal]]:
    """Total and available, as held; after checking them against the venue's own."""
    found = rig.the.held()
    assert found is not None
    for each in found.balances:
        funds = rig.desk.exchange.funds(10106, each.currency.lower())
        assert (each.total, each.available) == (funds.normal + funds.locked, funds.normal)
    return {each.currency: (each.total, each.available) for each in found.balances}


def test_the_simulators_figures_are_held():
    """An order locks what it may cost, a fill moves both sides, a cancel gives back; a second later all of it is held."""
    rig = Rig()
    start = {"BTC": (D(10), D(10)), "ETH": (D(0), D(0)), "USDT": (D(1_000_000), D(1_000_000))}
    assert figures(rig) == start
    rig.run(6)
    rig.send(place())
    rig.run(2)
    assert figures(rig) == start | {"USDT": (D(1_000_000), D(967_500))}
    rig.run(6)
    rig.desk.trade(Maker.SELL, "0.2", "65000")
    rig.run(6)
    assert figures(rig) == start | {"BTC": (D("10.2"), D("10.2")), "USDT": (D(987_000), D(967_500))}
    [order] = rig.desk.exchange.orders()
    rig.send(cancel(str(order.order_id)))
    rig.run(6)
    assert figures(rig) == start | {"BTC": (D("10.2"), D("10.2")), "USDT": (D(987_000), D(987_000))}
    assert not [note for note in events(rig.heard) if isinstance(note, Note)]
    assert set(rig.statuses) == {200}
