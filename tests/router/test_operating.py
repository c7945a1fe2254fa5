"""What operators order: halts, cancels, decisions about what is not known. Each is an input, so replay does it again."""

from __future__ import annotations

import pytest

from router.acts import CancelOrders, Commanded, Forget, Halt, MarkDone, Reconcile, Resolve, Resume, Scope, Stopping, Switch, Switched
from router.engine import Engine
from router.model import Found, Outcome, Started, Unanswered
from router.rules import Client
from router.state import unsettled
from router.words import CxlRejReason, Done, OrdRejReason, OrdStatus, TimeInForce
from tests.router.desk import LINK, SESSION, D, Desk, alerts, configured, rejects, reports, sent, shape

BY = {"by": "ann", "why": "because"}


def halt(desk: Desk, scope: Scope = Scope.ALL, name: str = "") -> Outcome:
    return said(desk.apply(Halt(scope=scope, name=name, **BY)))


def said(effects: list[object]) -> Outcome:
    """The answer to the operator, which is the last word."""
    assert isinstance(effects[-1], Outcome)
    return effects[-1]


def working() -> Desk:
    desk = Desk()
    desk.new("a")
    desk.accept(1)
    return desk


class TestHalt:
    @pytest.mark.parametrize(
        ("scope", "name"), [(Scope.ALL, ""), (Scope.SESSION, SESSION), (Scope.ACCOUNT, "ACC"), (Scope.DESTINATION, "BINANCE")]
    )
    def test_new_orders_and_replaces_are_refused_and_cancels_pass(self, scope: Scope, name: str) -> None:
        """With the operator's reason."""
        desk = Desk()
        desk.new("a", account="ACC")
        desk.accept(1)
        assert halt(desk, scope, name).ok
        refused = reports(desk.new("b", account="ACC"))[0]
        assert (refused.ord_status, refused.ord_rej_reason, "halted by the operator: because" in refused.text) == (
            OrdStatus.REJECTED, OrdRejReason.BROKER_OPTION, True,
        )  # fmt: skip
        reject = rejects(desk.replace("r", account="ACC"))[0]
        assert (reject.reason, "halted" in reject.text) == (CxlRejReason.BROKER_OPTION, True)
        assert sent(desk.cancel("c", "a")) == ["Cancel"]

    @pytest.mark.parametrize(("scope", "name"), [(Scope.SESSION, "other"), (Scope.ACCOUNT, "ACC"), (Scope.DESTINATION, "GBBO")])
    def test_others_trade_on(self, scope: Scope, name: str) -> None:
        """A halt is about its scope."""
        desk = Desk(clients=(Client(session=SESSION, default_time_in_force=TimeInForce.GTC), Client(session="other")))
        assert halt(desk, scope, name).ok
        assert sent(desk.new("a", account="DIFFERENT")) == ["Place"]

    def test_halts_add_up_until_each_is_resumed(self) -> None:
        """One resume does not undo another's halt."""
        desk = Desk()
        halt(desk)
        halt(desk, Scope.DESTINATION, "BINANCE")
        first = said(desk.apply(Resume(scope=Scope.ALL, **BY)))
        assert (first.ok, first.text) == (True, "resumed everything; still halted: destination BINANCE")
        assert shape(desk.new("a")) == ["rejected/rejected"]
        assert said(desk.apply(Resume(scope=Scope.DESTINATION, name="BINANCE", **BY))).ok
        assert sent(desk.new("b")) == ["Place"]
        assert not said(desk.apply(Resume(scope=Scope.ALL, **BY))).ok

    def test_what_there_is_not_cannot_be_halted(self) -> None:
        """With what there is."""
        answer = halt(Desk(), Scope.DESTINATION, "NASDAQ")
        assert (answer.ok, "BINANCE" in answer.text) == (False, True)
        assert not halt(Desk(), Scope.SESSION, "nobody").ok
        assert not halt(Desk(), Scope.ACCOUNT).ok
        assert not halt(Desk(), Scope.ALL, "BINANCE").ok

    def test_an_order_held_for_its_link_does_not_go_into_a_halt(self) -> None:
        """It was taken before; the halt is about what leaves."""
        desk = Desk(up=False, hold_when_down=10_000_000_000)
        desk.new("a")
        halt(desk)
        assert shape(desk.up()) == ["rejected/rejected"]

    def test_the_new_leg_of_a_replace_does_not_go_into_a_halt(self) -> None:
        """The old one is gone: 9 and Canceled, with the reason."""
        desk = working()
        desk.replace("r", "a", "3")
        halt(desk)
        effects = desk.end(1, cum_qty=D(0))
        assert shape(effects) == ["9/canceled", "canceled/canceled"]
        assert "halted" in reports(effects)[0].text

    def test_it_survives_a_restart(self) -> None:
        """It is an input."""
        desk = working()
        halt(desk)
        again = Engine()
        for time, event in desk.inputs:
            again.apply(event, time)
        assert again.state.halted == desk.engine.state.halted


class TestCancel:
    def test_one_order(self) -> None:
        """Its client is told why."""
        desk = working()
        effects = desk.apply(CancelOrders(order_id=desk.order().order_id, **BY))
        assert sent(effects) == ["Cancel"]
        assert said(effects).text == "cancel of 1 open order"
        assert reports(desk.end(1))[0].text == "canceled by the operator: because"

    @pytest.mark.parametrize(
        ("filters", "count"),
        [({}, 3), ({"destination": "gbbo"}, 1), ({"account": "ACC"}, 1), ({"session": SESSION}, 3), ({"symbol": "BTC/USDT"}, 3),
         ({"symbol": "BTCUSDT", "destination": "BINANCE"}, 2), ({"session": "other"}, 0), ({"symbol": "ETH/USDT"}, 0)],
    )  # fmt: skip
    def test_many(self, filters: dict[str, str], count: int) -> None:
        """Those that fit all that is given."""
        desk = Desk()
        for number, more in enumerate(({}, {"destination": "GBBO"}, {"account": "ACC"}), start=1):
            desk.new(str(number), **more)
            desk.accept(number)
        effects = desk.apply(CancelOrders(**filters, **BY))
        assert sent(effects) == ["Cancel"] * count
        assert f"cancel of {count} open order" in said(effects).text

    def test_what_cannot_be_canceled(self) -> None:
        """An order that is over, one that is not there; a cancel that waits is said."""
        desk = working()
        desk.fill("1")
        assert said(desk.apply(CancelOrders(order_id=desk.order().order_id, **BY))).text.endswith("is filled and cannot be canceled")
        assert not said(desk.apply(CancelOrders(order_id="nobody", **BY))).ok
        desk.new("b")
        assert said(desk.apply(CancelOrders(**BY))).text.endswith("1 wait for their venue to be in reach or to have acknowledged them")
        assert "Cancel" in sent(desk.accept(2))


class TestResolve:
    def unknown(self) -> Desk:
        """Two at the venue look like one of ours."""
        desk = Desk()
        desk.new("a")
        order_id = desk.order().order_id
        desk.apply(Unanswered(order_id=order_id, text="no answer"))
        desk.apply(Found(order_id=order_id, candidates=("o7", "o8")))
        assert desk.order().candidates == ("o7", "o8")
        return desk

    def test_it_is_this_one(self) -> None:
        """Bound, and asked about: what was executed of it is told."""
        desk = self.unknown()
        effects = desk.apply(Resolve(order_id=desk.order().order_id, venue_order_id="o8", **BY))
        assert (sent(effects), said(effects).ok) == (["Ask"], True)
        assert desk.order().candidates == ()
        assert shape(desk.fill("1", number=8)) == ["trade/filled"]

    def test_it_was_never_placed(self) -> None:
        """Rejected; and if it was placed after all, the venue's word counts, with an alert."""
        desk = self.unknown()
        effects = desk.apply(Resolve(order_id=desk.order().order_id, **BY))
        assert shape(effects) == ["rejected/rejected", "yes"]
        assert "the operator found that it never reached BINANCE: because" in reports(effects)[0].text
        late = desk.accept(1)
        assert "new/new" in shape(late)
        assert "was reported rejected" in alerts(late)[0]

    def test_what_the_router_knows_is_not_decided(self) -> None:
        """Nothing changes, and the reason is said."""
        desk = working()
        assert "nothing to decide" in said(desk.apply(Resolve(order_id=desk.order().order_id, **BY))).text
        desk.down()
        assert "accepted order" in said(desk.apply(Resolve(order_id=desk.order().order_id, **BY))).text
        assert "known to be o1" in said(desk.apply(Resolve(order_id=desk.order().order_id, venue_order_id="o2", **BY))).text
        assert not said(desk.apply(Resolve(order_id="nobody", **BY))).ok

    def test_an_id_that_is_another_orders(self) -> None:
        """Two orders are never one at the venue."""
        desk = self.unknown()
        desk.new("b")
        desk.accept(2, venue_order_id="o7")
        answer = said(desk.apply(Resolve(order_id=desk.order().order_id, venue_order_id="o7", **BY)))
        assert (answer.ok, desk.order("b").order_id in answer.text) == (False, True)


class TestMarkDone:
    @pytest.mark.parametrize(
        ("how", "status"), [(Done.CANCELED, "canceled"), (Done.EXPIRED, "expired"), (Done.DONE_FOR_DAY, "done-for-day")]
    )
    def test_it_is_over(self, how: Done, status: str) -> None:
        """The client is told; the venue is not. A fill that comes later is booked all the same."""
        desk = working()
        effects = desk.apply(MarkDone(order_id=desk.order().order_id, how=how, **BY))
        assert shape(effects) == [f"{status}/{status}", "yes"]
        assert desk.order().order_id not in desk.engine.state.blotter.live
        late = desk.fill("1")
        assert reports(late)[0].cum_qty == 1
        assert "executed although" in alerts(late)[0]

    def test_a_cancel_under_way_is_answered(self) -> None:
        """9 with the true status."""
        desk = working()
        desk.cancel()
        effects = desk.apply(MarkDone(order_id=desk.order().order_id, **BY))
        assert shape(effects) == ["canceled/canceled", "9/canceled", "yes"]
        assert not said(desk.apply(MarkDone(order_id=desk.order().order_id, **BY))).ok


class TestOther:
    def test_reconcile_asks_about_every_open_order(self) -> None:
        """Of that destination alone."""
        desk = working()
        desk.new("b", destination="GBBO")
        desk.accept(2)
        effects = desk.apply(Reconcile(destination="binance", **BY))
        assert (sent(effects), said(effects).text) == (["Ask"], "BINANCE is asked about 1 open order")
        desk.down()
        assert not said(desk.apply(Reconcile(destination="BINANCE", **BY))).ok
        assert not said(desk.apply(Reconcile(destination="NASDAQ", **BY))).ok

    def test_what_is_off_is_remembered(self) -> None:
        """For the next start."""
        desk = Desk()
        desk.apply(Switched(what=Switch.LINK, name=LINK, on=False, **BY))
        assert list(desk.engine.state.off) == [(Switch.LINK, LINK)]
        desk.apply(Switched(what=Switch.LINK, name=LINK, on=True, **BY))
        assert desk.engine.state.off == {}

    def test_a_record_changes_nothing(self) -> None:
        """It is there to be read."""
        assert Desk().apply(Commanded(by="ann", role="trade", command="halt all", why="x", ok=True, outcome="halted")) == []

    def test_what_was_over_long_ago_is_forgotten_with_all_its_names(self) -> None:
        """Its ClOrdID is free again; what is open, or ended later, stays; OrderIDs are not used twice."""
        desk = working()
        desk.fill("1", exec_id="x")
        desk.new("open")
        desk.accept(2)
        desk.new("late")
        cut = desk.now
        desk.later(1)
        desk.accept(3)
        desk.end(3)
        first = desk.order().order_id
        assert said(desk.apply(Forget(before=cut + 1))).text == "1 orders of before were dropped"
        assert desk.engine.state.blotter.by_cl_ord_id(SESSION, "a") is None
        assert desk.order("open").ord_status is OrdStatus.NEW
        assert desk.order("late").ord_status is OrdStatus.CANCELED
        assert sent(desk.new("a")) == ["Place"]
        assert desk.order().order_id != first
        assert len(set(desk.engine.state.blotter.orders)) == 3


def test_a_router_that_stops_takes_no_orders_and_leaves_none_behind_where_so_agreed() -> None:
    """The rest stays at its venue. The next life takes orders again."""
    desk = Desk(clients=(Client(session=SESSION, default_time_in_force=TimeInForce.GTC), Client(session="other")))
    desk.new("a", time_in_force=TimeInForce.GTC)
    desk.accept(1)
    desk.new("b", session="other", time_in_force=TimeInForce.GTC)
    desk.accept(2)
    assert unsettled(desk.engine.state) == 0
    effects = desk.apply(Stopping(why="a new version", cancel=(SESSION,)))
    assert (sent(effects), unsettled(desk.engine.state)) == (["Cancel"], 1)
    assert "the router is stopping: not executed" in reports(desk.new("c"))[0].text
    assert "a new version" in reports(desk.end(1))[0].text
    assert unsettled(desk.engine.state) == 0
    desk.apply(Started("test"))
    desk.up()
    desk.state(OrdStatus.NEW, "0", name="v2")
    assert sent(desk.new("d")) == ["Place"]


def test_configured_defaults_reconcile() -> None:
    """What the settings say when nothing is said."""
    assert (configured().hold_while_reconciling, configured().sweep_every) == (5_000_000_000, 60_000_000_000)
