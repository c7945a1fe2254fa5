"""Questions about instruments, destinations and positions: what is answered, and what is counted."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.acts import BustTrade, CorrectTrade, Forget, Halt, Resume, Scope, Stopping, Switch, Switched
from router.inquiries import (
    PositionReport,
    PositionsRequest,
    Result,
    SecurityDefinition,
    SecurityDefinitionRequest,
    SecurityList,
    SecurityListRequest,
    Subscription,
    TradingStatusReport,
    TradingStatusRequest,
)
from router.model import Alert, ClientDown, Effect, ExecutionReport, LinkDown, LinkUp, Listed, Listing, Outcome, Started, Stopped, Tick
from router.reference import PAGE, SUBSCRIPTIONS, catch_up
from router.rules import Account, Client, Destination
from router.snapshot import dump, load
from router.state import State, Traded, Watching
from router.words import EXACT, OrdStatus, Side
from tests.router.desk import BTC, LIMIT_ONLY, LINK, SECOND, SESSION, D, Desk, configured
from tests.router.test_histories import CONFIG, play, steps

BY = {"by": "ann", "why": "because"}
OTHER = "FIX.4.4:ROUTER->OTHER"


def many(count: int) -> dict[str, Any]:
    """One destination with so many instruments."""
    instruments = tuple(
        msgspec.structs.replace(BTC, symbol=f"C{number}/USDT", venue_symbol=f"C{number}USDT", base=f"C{number}") for number in range(count)
    )
    place = Destination(name="BINANCE", account="acc", link=LINK, venue="BINANCE", capabilities=LIMIT_ONLY, instruments=instruments)
    return {"destinations": (place,)}


class TestSecurityList:
    @staticmethod
    def ask(desk: Desk, **more: Any) -> list[SecurityList]:
        said = desk.apply(SecurityListRequest(**{"session": SESSION, "request_id": "q"} | more))
        assert all(isinstance(each, SecurityList) and (each.session, each.request_id) == (SESSION, "q") for each in said)
        return [each for each in said if isinstance(each, SecurityList)]

    def test_all(self) -> None:
        """An entry for each symbol at each destination."""
        (page,) = self.ask(Desk())
        assert (page.result, page.total, page.last) == (Result.YES, 3, True)
        assert [(each.destination, each.instrument.symbol) for each in page.tradables] == [
            ("BINANCE", "BTC/USDT"), ("GBBO", "BTC/USDT"), ("NATIVE", "BTC/USDT"),
        ]  # fmt: skip

    @pytest.mark.parametrize(("symbol", "destination"), [("BTCUSDT", "GBBO"), ("BTC/USDT", "gbbo"), (None, "GBBO")])
    def test_what_fits(self, symbol: str | None, destination: str | None) -> None:
        """A venue's spelling, too."""
        (page,) = self.ask(Desk(), symbol=symbol, destination=destination)
        assert [each.destination for each in page.tradables] == ["GBBO"]

    @pytest.mark.parametrize("more", [{"symbol": "DOGE/USDT"}, {"destination": "NOWHERE"}])
    def test_nothing_fits(self, more: dict[str, str]) -> None:
        """One message says so."""
        (page,) = self.ask(Desk(), **more)
        assert (page.result, page.total, page.last, page.tradables) == (Result.NOTHING, 0, True, ())

    def test_not_offered(self) -> None:
        """One message says so."""
        (page,) = self.ask(Desk(), offered=False)
        assert (page.result, page.tradables) == (Result.UNSUPPORTED, ())

    @pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 20])
    def test_pages(self, count: int) -> None:
        """None is longer than fifty, each says how many there are, the last one that it is; together they are everything, once."""
        pages = self.ask(Desk(**many(count)))
        assert [each.last for each in pages] == [False] * ((count - 1) // PAGE) + [True]
        assert {each.total for each in pages} == {count}
        assert all(1 <= len(each.tradables) <= PAGE for each in pages)
        assert [tradable.instrument.symbol for each in pages for tradable in each.tradables] == [
            f"C{number}/USDT" for number in range(count)
        ]
        assert len({each.response_id for each in pages}) == len(pages)

    def test_as_the_venue_listed_it(self) -> None:
        """Its own list goes before the configuration, also about whether it can be traded."""
        desk = Desk()
        desk.apply(Listed(link=LINK, listings=(Listing(venue_symbol="BTCUSDT", tick=D("0.5"), enabled=False),)))
        told = self.ask(desk, destination="BINANCE")[0].tradables[0].instrument
        assert (told.tick, told.lot, told.enabled) == (D("0.5"), BTC.lot, False)


class TestSecurityDefinition:
    @staticmethod
    def ask(desk: Desk, **more: Any) -> list[SecurityDefinition]:
        said = desk.apply(SecurityDefinitionRequest(**{"session": SESSION, "request_id": "q"} | more))
        return [each for each in said if isinstance(each, SecurityDefinition)]

    def test_of_one_symbol(self) -> None:
        """Wherever it is traded, with how many there are."""
        told = self.ask(Desk(), symbol="BTC/USDT")
        assert [each.tradable.destination for each in told if each.tradable] == ["BINANCE", "GBBO", "NATIVE"]
        assert [(each.result, each.total, each.text) for each in told] == [(Result.YES, 3, f"{number} of 3") for number in (1, 2, 3)]
        assert len({each.response_id for each in told}) == 3

    def test_of_one_symbol_at_one_place(self) -> None:
        """One definition."""
        (told,) = self.ask(Desk(), symbol="BTC/USDT", destination="GBBO")
        assert told.tradable is not None
        assert told.tradable.instrument == BTC

    def test_none(self) -> None:
        """With the reason."""
        (told,) = self.ask(Desk(), symbol="DOGE")
        assert (told.result, told.tradable, told.text) == (Result.NOTHING, None, "no destination trades it")
        (told,) = self.ask(Desk(), symbol="BTC/USDT", wrong="not so")
        assert (told.result, told.tradable, told.text) == (Result.UNSUPPORTED, None, "not so")


def status(desk: Desk, **more: Any) -> list[tuple[str, str]]:
    """What a request says: destination and state."""
    return told(desk.apply(TradingStatusRequest(**{"session": SESSION, "request_id": "g"} | more)))


def told(effects: list[Effect]) -> list[tuple[str, str]]:
    return [(each.destination, str(each.status)) for each in effects if isinstance(each, TradingStatusReport)]


class TestTradingStatus:
    def test_of_all(self) -> None:
        """As configured."""
        assert status(Desk()) == [("BINANCE", "open"), ("GBBO", "open"), ("NATIVE", "open")]

    def test_not_connected(self) -> None:
        """Closed, as a new order would be told."""
        desk = Desk(up=False)
        (report,) = desk.apply(TradingStatusRequest(session=SESSION, request_id="g", destination="binance"))
        assert isinstance(report, TradingStatusReport)
        assert (report.destination, report.status, report.text) == ("BINANCE", "closed", "BINANCE is not connected")

    def test_switched_off(self) -> None:
        """With the operator's reason."""
        desk = Desk()
        desk.apply(Switched(what=Switch.LINK, name=LINK, on=False, **BY))
        (report,) = desk.apply(TradingStatusRequest(session=SESSION, request_id="g", destination="GBBO"))
        assert isinstance(report, TradingStatusReport)
        assert (report.status, report.text) == ("closed", "GBBO is switched off by the operator: because")

    @pytest.mark.parametrize(
        ("scope", "name", "halted"),
        [(Scope.ALL, "", "BGN"), (Scope.SESSION, SESSION, "BGN"), (Scope.DESTINATION, "GBBO", "G"), (Scope.ACCOUNT, "a", "")],
    )
    def test_halted(self, scope: Scope, name: str, halted: str) -> None:
        """For who asks: a halt of an account is not one of the destination."""
        desk = Desk()
        desk.apply(Halt(scope=scope, name=name, **BY))
        assert status(desk) == [(each, "halted" if each[0] in halted else "open") for each in ("BINANCE", "GBBO", "NATIVE")]

    def test_a_halt_of_another_session(self) -> None:
        """Is none for this one."""
        desk = Desk(clients=(Client(session=SESSION), Client(session=OTHER)))
        desk.apply(Halt(scope=Scope.SESSION, name=OTHER, **BY))
        assert status(desk, destination="GBBO") == [("GBBO", "open")]

    def test_reconciling(self) -> None:
        """Until what was open is answered."""
        desk = Desk()
        desk.new("a")
        desk.accept(1)
        desk.down()
        desk.up()
        assert status(desk, destination="BINANCE") == [("BINANCE", "reconciling")]
        desk.state(OrdStatus.NEW, "0")
        assert status(desk, destination="BINANCE") == [("BINANCE", "open")]

    def test_unknown_destination(self) -> None:
        """Said by name."""
        (report,) = Desk().apply(TradingStatusRequest(session=SESSION, request_id="g", destination="NOWHERE"))
        assert isinstance(report, TradingStatusReport)
        assert (report.status, report.text) == ("unknown", "there is no destination NOWHERE")


def watching(**more: Any) -> Desk:
    """A desk where the client hears how BINANCE stands."""
    desk = Desk()
    assert status(desk, subscription=Subscription.UPDATES, **{"destination": "BINANCE"} | more)
    return desk


class TestSubscription:
    def test_every_change_once(self) -> None:
        """Down, up with open orders, reconciled, halted, resumed; nothing else is said of it."""
        desk = watching()
        desk.new("a")
        desk.accept(1)
        assert told(desk.down()) == [("BINANCE", "closed")]
        assert told(desk.down()) == []
        assert told(desk.up()) == [("BINANCE", "reconciling")]
        assert told(desk.apply(Tick())) == []
        assert told(desk.state(OrdStatus.NEW, "0")) == [("BINANCE", "open")]
        assert told(desk.new("b")) == []
        assert told(desk.apply(Halt(scope=Scope.DESTINATION, name="GBBO", **BY))) == []
        assert told(desk.apply(Halt(scope=Scope.ALL, **BY))) == [("BINANCE", "halted")]
        assert told(desk.apply(Resume(scope=Scope.ALL, **BY))) == [("BINANCE", "open")]
        assert told(desk.apply(Switched(what=Switch.LINK, name=LINK, on=False, **BY))) == [("BINANCE", "closed")]
        assert told(desk.apply(Switched(what=Switch.LINK, name=LINK, on=True, **BY))) == [("BINANCE", "open")]
        assert told(desk.apply(Stopping(why="now"))) == [("BINANCE", "halted")]

    def test_another_reason_is_a_change(self) -> None:
        """Text is what a person reads."""
        desk = watching()
        assert told(desk.apply(Halt(scope=Scope.DESTINATION, name="BINANCE", **BY))) == [("BINANCE", "halted")]
        assert told(desk.apply(Halt(scope=Scope.DESTINATION, name="BINANCE", by="ann", why="else"))) == [("BINANCE", "halted")]

    def test_updates_say_that_they_are(self) -> None:
        """Under the id of the request."""
        desk = watching(request_id="mine")
        (update,) = [each for each in desk.down() if isinstance(each, TradingStatusReport)]
        assert (update.session, update.request_id, update.unsolicited) == (SESSION, "mine", True)

    def test_a_snapshot_promises_nothing(self) -> None:
        """Nor does one answer begin a subscription."""
        desk = Desk()
        status(desk)
        assert told(desk.down()) == []

    def test_of_all_destinations(self) -> None:
        """Those of a later configuration, too, and those that are gone."""
        desk = watching(destination=None)
        fewer = configured()
        place = msgspec.structs.replace(fewer.destinations[0], name="NEW", link="other")
        assert told(desk.apply(msgspec.structs.replace(fewer, destinations=(*fewer.destinations[:2], place)))) == [
            ("NEW", "closed"), ("NATIVE", "closed"),
        ]  # fmt: skip
        assert told(desk.apply(LinkUp("other"))) == [("NEW", "open")]

    def test_stop(self) -> None:
        """Answered by how it stands; after that nothing is said, and a second stop is refused."""
        desk = watching()
        assert status(desk, subscription=Subscription.STOP) == [("BINANCE", "open"), ("GBBO", "open"), ("NATIVE", "open")]
        assert told(desk.down()) == []
        assert status(desk, subscription=Subscription.STOP) == [("", "unknown")]
        assert desk.engine.state.watching == {}

    def test_the_same_id_again(self) -> None:
        """Takes the place of the first."""
        desk = watching()
        status(desk, subscription=Subscription.UPDATES, destination="GBBO")
        assert told(desk.down()) == [("GBBO", "closed")]

    def test_not_without_end(self) -> None:
        """So many for a session, by name; who holds one may renew it."""
        desk = Desk()
        for number in range(SUBSCRIPTIONS):
            assert status(desk, subscription=Subscription.UPDATES, request_id=f"g{number}", destination="GBBO") == [("GBBO", "open")]
        assert status(desk, subscription=Subscription.UPDATES, destination="GBBO") == [("GBBO", "unknown")]
        assert status(desk, subscription=Subscription.UPDATES, request_id="g7", destination="GBBO") == [("GBBO", "open")]

    def test_ends_with_the_logout(self) -> None:
        """Another session's does not."""
        desk = watching()
        desk.apply(TradingStatusRequest(session=OTHER, request_id="g", destination="BINANCE", subscription=Subscription.UPDATES))
        desk.apply(ClientDown(SESSION))
        assert [each.session for each in desk.down() if isinstance(each, TradingStatusReport)] == [OTHER]

    @pytest.mark.parametrize("life", [Started("test"), Stopped()])
    def test_ends_with_the_routers_life(self, life: Any) -> None:
        """Nobody is connected after it."""
        desk = watching()
        assert told(desk.apply(life)) == []
        assert told(desk.apply(LinkUp(LINK)) + desk.apply(LinkDown(LINK))) == []

    def test_outlives_a_snapshot(self) -> None:
        """What was told is not told again."""
        desk = watching()
        desk.engine.state, _ = load(dump(desk.engine.state, []))
        assert told(desk.apply(LinkUp(LINK))) == []
        assert told(desk.down()) == [("BINANCE", "closed")]


def ask(desk: Desk, **more: Any) -> list[PositionReport]:
    """Positions of the session."""
    said = desk.apply(PositionsRequest(**{"session": SESSION, "request_id": "p"} | more))
    assert all(isinstance(each, PositionReport) for each in said)
    return [each for each in said if isinstance(each, PositionReport)]


def amounts(reports: list[PositionReport]) -> list[tuple[str, str, str, str]]:
    return [(each.account, f"{each.bought:f}", f"{each.sold:f}", f"{each.avg_px:f}") for each in reports]


def traded(desk: Desk, number: int, qty: str, px: str, **more: Any) -> None:
    """One order, executed whole."""
    desk.new(f"t{number}", order_qty=D(qty), price=D(px), **more)
    desk.accept(number)
    desk.fill(qty, px, number=number, complete=True)


class TestPositions:
    def test_what_was_bought_and_sold(self) -> None:
        """By account, destination and symbol; the average is of the side that is ahead."""
        desk = Desk()
        traded(desk, 1, "2", "100", account="x")
        traded(desk, 2, "1", "103", account="x")
        traded(desk, 3, "1", "110", account="x", side=Side.SELL)
        traded(desk, 4, "5", "90", side=Side.SELL)
        traded(desk, 5, "1", "100", account="x", destination="GBBO")
        reports = ask(desk)
        assert amounts(reports) == [("x", "3", "1", "101"), ("", "0", "5", "90"), ("x", "1", "0", "100")]
        assert [(each.destination, each.symbol, each.currency) for each in reports] == [
            ("BINANCE", "BTC/USDT", "USDT"), ("BINANCE", "BTC/USDT", "USDT"), ("GBBO", "BTC/USDT", "USDT"),
        ]  # fmt: skip
        assert {(each.result, each.total) for each in reports} == {(Result.YES, 3)}
        assert len({each.report_id for each in reports}) == 3

    def test_of_one_account(self) -> None:
        """Or of orders without one; at a place; of a symbol by the venue's name for it."""
        desk = Desk()
        traded(desk, 1, "2", "100", account="x")
        traded(desk, 2, "3", "100")
        assert amounts(ask(desk, account="x")) == [("x", "2", "0", "100")]
        assert amounts(ask(desk, account="")) == [("", "3", "0", "100")]
        assert len(ask(desk, symbol="BTCUSDT", destination="binance")) == 2
        for more in ({"account": "y"}, {"symbol": "ETH/USDT"}, {"destination": "GBBO"}):
            assert [(each.result, each.total) for each in ask(desk, **more)] == [(Result.NOTHING, 0)]

    def test_of_another_session(self) -> None:
        """Is not told."""
        desk = Desk()
        traded(desk, 1, "2", "100", account="x", session=OTHER)
        assert [each.result for each in ask(desk)] == [Result.NOTHING]

    def test_an_account_that_is_not_agreed(self) -> None:
        """Refused by name; all is what is agreed."""
        desk = Desk(client={"accounts": (Account(name="x"),)})
        (report,) = ask(desk, account="y")
        assert (report.result, report.account, report.text) == (Result.FORBIDDEN, "y", "this session trades for x")
        assert [each.result for each in ask(desk, account="x")] == [Result.NOTHING]

    def test_a_request_that_is_wrong(self) -> None:
        """With its reason."""
        (report,) = ask(Desk(), wrong="not so")
        assert (report.result, report.text) == (Result.UNSUPPORTED, "not so")

    def test_flat(self) -> None:
        """Told as it is, without an average."""
        desk = Desk()
        traded(desk, 1, "2", "100")
        traded(desk, 2, "2", "101", side=Side.SELL)
        assert amounts(ask(desk)) == [("", "2", "2", "0")]

    def test_an_average_without_end(self) -> None:
        """Twelve decimals."""
        desk = Desk()
        traded(desk, 1, "1", "100")
        traded(desk, 2, "2", "101")
        assert amounts(ask(desk)) == [("", "3", "0", "100.666666666667")]

    def test_corrections(self) -> None:
        """An execution that was another, or never was, counts as it is now."""
        desk = Desk()
        desk.new("a")
        desk.accept(1)
        (report,) = [each for each in desk.fill("0.5", "100") if isinstance(each, ExecutionReport)]
        order_id = report.order_id
        effects = desk.apply(CorrectTrade(order_id=order_id, exec_id=report.exec_id, last_qty=D("0.4"), last_px=D(90), text="so"))
        assert amounts(ask(desk)) == [("", "0.4", "0", "90")]
        corrected = next(each for each in effects if isinstance(each, ExecutionReport))
        desk.apply(BustTrade(order_id=order_id, exec_id=corrected.exec_id, text="so"))
        assert amounts(ask(desk)) == [("", "0.0", "0", "0")]

    def test_what_was_missed(self) -> None:
        """Booked from the venue's totals, and then at the price that it truly had."""
        desk = Desk()
        desk.new("a")
        desk.accept(1)
        desk.down()
        desk.up()
        desk.state(OrdStatus.NEW, "0.5", "100")
        assert amounts(ask(desk)) == [("", "0.5", "0", "100")]
        desk.fill("0.5", "99")
        assert amounts(ask(desk)) == [("", "0.5", "0", "99")]

    def test_orders_that_are_forgotten(self) -> None:
        """Leave theirs behind; a snapshot after that has them."""
        desk = Desk()
        traded(desk, 1, "2", "100")
        desk.apply(Forget(desk.now + SECOND))
        assert not desk.engine.state.blotter.orders
        assert desk.engine.state.counted == {}
        desk.engine.state, _ = load(dump(desk.engine.state, []))
        assert amounts(ask(desk)) == [("", "2", "0", "100")]

    def test_an_older_snapshot(self) -> None:
        """One of before there were positions: they are made from its orders."""
        desk = Desk()
        traded(desk, 1, "2", "100")
        told = msgspec.msgpack.decode(dump(desk.engine.state, []))
        del told["state"]["positions"]
        del told["state"]["watching"]
        desk.engine.state, _ = load(msgspec.msgpack.encode(told))
        traded(desk, 2, "1", "103")
        assert amounts(ask(desk)) == [("", "3", "0", "101")]

    def test_a_fault_in_the_middle_of_an_input(self) -> None:
        """What was booked before it, and never told, is counted afterwards."""
        desk = Desk()
        desk.new("a")
        desk.accept(1)
        order = desk.order()
        order.fill(order.leg, D("0.5"), D(100), False, desk.now)
        catch_up(desk.engine.state)
        assert amounts(ask(desk)) == [("", "0.5", "0", "100")]


def test_a_fault_here_keeps_nothing_from_being_done() -> None:
    """The order goes its way, and somebody is told."""
    desk = Desk()
    desk.engine.state.watching[SESSION] = {"g": cast("Watching", None)}
    effects = desk.engine.apply(Halt(scope=Scope.ALL, **BY), desk.now)
    assert [type(each) for each in effects] == [Outcome, Alert]
    assert desk.engine.state.halted


def test_an_answer_is_not_kept_for_after_a_crash() -> None:
    """A report is."""
    desk = Desk()
    (page,) = TestSecurityList.ask(desk)
    (report,) = [each for each in desk.status() if isinstance(each, ExecutionReport)]
    _, unsure = load(dump(desk.engine.state, [(7, [page, report])]))
    assert unsure == [(7, [report])]


def by_hand(state: State) -> dict[tuple[str, str, str, str], Traded]:
    """Positions from the orders alone."""
    found: dict[tuple[str, str, str, str], Traded] = defaultdict(Traded)
    for order in state.blotter.orders.values():
        each = found[order.request.session, order.request.account or "", order.destination, order.symbol]
        if order.request.side is Side.BUY:
            each.bought, each.paid = EXACT.add(each.bought, order.cum_qty), EXACT.add(each.paid, order.notional)
        else:
            each.sold, each.received = EXACT.add(each.sold, order.cum_qty), EXACT.add(each.received, order.notional)
    return {key: each for key, each in found.items() if each != Traded()}


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, max_size=40))
def test_positions_are_what_the_orders_say(history: list[tuple[Any, ...]]) -> None:
    """Whatever happens, in whatever order; and a snapshot goes on from the same."""
    desk = Desk(**deepcopy(CONFIG))
    for step in history:
        play(desk, step)
    state = desk.engine.state
    assert {key: each for key, each in state.positions.items() if each != Traded()} == by_hand(state)
    again, _ = load(dump(state, []))
    assert (again.positions, again.counted, again.watching) == (state.positions, state.counted, state.watching)


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, max_size=40))
def test_who_subscribed_knows_what_who_asks_is_told(history: list[tuple[Any, ...]]) -> None:
    """After every step, and no update says what was known."""
    desk = Desk(**deepcopy(CONFIG))
    known: dict[str, str] = {}
    for step in history:
        if not desk.engine.state.watching:
            known = dict(status(desk, subscription=Subscription.UPDATES))
        before = len(desk.said)
        play(desk, step)
        updates = told(desk.said[before:])
        assert all(known[name] != now or now == "halted" for name, now in updates)
        known |= dict(updates)
        if desk.engine.state.watching:
            assert known == dict(status(desk))
