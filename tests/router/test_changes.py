"""Replace, native and by ourselves; changes that wait; what the router ends by itself. FIX 4.2 Appendix D by D-number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.model import (
    Accepted,
    Ask,
    Cancel,
    Canceled,
    CancelRejected,
    ClientDown,
    ClientUp,
    Filled,
    Found,
    Place,
    Rejected,
    Replace,
    Replaced,
    Send,
    Started,
    Stated,
)  # fmt: skip
from router.words import CxlRejReason, CxlRejResponseTo, ExecType, OrdStatus, OrdType, Side, TimeInForce
from tests.router.desk import SESSION, D, Desk, alerts, rejects, reports, sent, shape


def working(destination: str = "BINANCE", qty: str = "1", **config: Any) -> Desk:
    """A desk with order "a" live at a destination."""
    desk = Desk(**config)
    desk.new("a", destination=destination, order_qty=D(qty))
    desk.accept(1)
    return desk


def command(effects: list[Any], kind: type) -> Any:
    return next(each.command for each in effects if isinstance(each, Send) and isinstance(each.command, kind))


class TestByOurselves:
    """Where the venue cannot replace: cancel, then a new leg of the rest; one order to the client."""

    def test_the_old_leg_ends_before_the_new_one_begins(self) -> None:
        """D6: Replaced only when the new leg is accepted; one OrderID, ClOrdID (Y,X)."""
        desk = working()
        asked = desk.replace("r", qty="2", px="101")
        assert shape(asked) == ["Cancel", "pending-replace/pending-replace"]
        ended = desk.end(1)
        place = command(ended, Place)
        assert (place.order_qty, place.price, place.venue_cl_ord_id) == (D(2), D(101), "wr")
        assert reports(ended) == []
        report = reports(desk.apply(accepted("wr")))[0]
        assert (report.exec_type, report.ord_status, report.cl_ord_id, report.orig_cl_ord_id) == (
            ExecType.REPLACED, OrdStatus.NEW, "r", "a",
        )  # fmt: skip
        assert (report.order_qty, report.price, report.leaves_qty, report.replaced) == (D(2), D(101), D(2), True)
        assert report.order_id == desk.order("a").order_id

    def test_what_was_executed_counts_on(self) -> None:
        """D7: fills while it is pending carry the original ClOrdID; the new leg is OrderQty less CumQty; AvgPx goes on."""
        desk = working(qty="10")
        desk.fill("1", "100")
        desk.replace("r", qty="12", px="100")
        during = reports(desk.fill("2", "97"))[0]
        assert (during.cl_ord_id, during.ord_status, during.order_qty, during.leaves_qty) == ("a", OrdStatus.PENDING_REPLACE, D(10), D(7))
        assert command(desk.end(1), Place).order_qty == D(9)
        report = reports(desk.apply(accepted("wr")))[0]
        assert (report.ord_status, report.cum_qty, report.leaves_qty, report.avg_px) == (OrdStatus.PARTIALLY_FILLED, D(3), D(9), D(98))
        last = reports(desk.fill("9", "98", venue_order_id="owr", complete=True))[0]
        assert (last.ord_status, last.cum_qty, last.cl_ord_id) == (OrdStatus.FILLED, D(12), "r")

    def test_too_late(self) -> None:
        """D8, D9: the order fills first: 9 with 102=0 and 434=2, and no new leg."""
        desk = working()
        desk.replace("r", qty="2")
        desk.fill("1", complete=True)
        refused = rejects(desk.reject_cancel(1, reason=CxlRejReason.TOO_LATE))[0]
        assert (refused.reason, refused.response_to, refused.ord_status) == (
            CxlRejReason.TOO_LATE, CxlRejResponseTo.REPLACE, OrdStatus.FILLED,
        )  # fmt: skip
        assert "Place" not in sent(desk.said[2:])[1:]

    def test_too_late_and_the_venue_does_not_answer_the_cancel(self) -> None:
        """The deadline refuses it."""
        desk = working()
        desk.replace("r", qty="2")
        desk.fill("1", complete=True)
        assert shape(desk.later(6)) == ["9/filled"]

    @pytest.mark.parametrize("qty", ["4", "3"])
    def test_a_quantity_not_above_what_was_executed_cancels_the_balance(self, qty: str) -> None:
        """D11, D12: Replaced and Filled, OrderQty is CumQty."""
        desk = working(qty="10")
        desk.fill("4")
        desk.replace("r", qty=qty)
        report = reports(desk.end(1))[0]
        assert (report.exec_type, report.ord_status, report.order_qty, report.cum_qty, report.leaves_qty) == (
            ExecType.REPLACED, OrdStatus.FILLED, D(4), D(4), D(0),
        )  # fmt: skip

    def test_the_new_leg_is_rejected(self) -> None:
        """9 with 434=2, and the order is canceled: its old leg is gone."""
        desk = working()
        desk.replace("r")
        desk.end(1)
        effects = desk.apply(rejected("wr"))
        assert shape(effects) == ["9/canceled", "canceled/canceled"]
        assert (rejects(effects)[0].response_to, rejects(effects)[0].orig_cl_ord_id) == (CxlRejResponseTo.REPLACE, "a")
        assert reports(effects)[0].cl_ord_id == "a"

    def test_the_link_is_lost_before_the_end_of_the_old_leg_is_known(self) -> None:
        """The question's answer ends it, and then the new leg goes."""
        desk = working(witness="REST")
        desk.replace("r", qty="2")
        desk.down()
        assert shape(desk.up("REST")) == ["Ask"]
        assert sent(desk.state(OrdStatus.CANCELED, "0.4")) == []
        assert shape(desk.said[-3:]) == ["!", "9/canceled", "canceled/canceled"]
        assert desk.order().cum_qty == D("0.4")

    def test_the_old_leg_ends_while_its_executions_are_in_doubt(self) -> None:
        """No new leg until they are known: the witness is asked."""
        desk = working(qty="10", witness="REST")
        desk.up("REST")
        desk.replace("r", qty="12")
        desk.down()
        desk.up()
        assert "Place" not in sent(desk.end(1))
        effects = desk.state(OrdStatus.CANCELED, "4")
        assert command(effects, Place).order_qty == D(8)
        assert reports(effects)[0].last_qty == D(4)

    def test_nobody_knows_what_became_of_the_new_leg(self) -> None:
        """PendingReplace with Text; not sent again; "not there" counts late only, and is 9 and Canceled."""
        desk = working(witness="REST")
        desk.up("REST")
        desk.replace("r")
        desk.end(1)
        assert shape(desk.later(6)) == ["pending-replace/pending-replace", "Ask"]
        assert "unknown at BINANCE" in reports(desk.said)[-1].text
        assert desk.apply(nothing_found(desk)) == []
        desk.later(11)
        assert shape(desk.apply(nothing_found(desk))) == ["9/canceled", "canceled/canceled"]
        assert sent(desk.said).count("Place") == 2

    def test_a_fill_of_the_new_leg_overtakes_its_acknowledgement(self) -> None:
        """Replaced comes first all the same."""
        desk = working()
        desk.replace("r")
        desk.end(1)
        assert shape(desk.fill("0.5", venue_cl_ord_id="wr", venue_order_id="ow")) == ["replaced/new", "trade/partially-filled"]

    def test_a_late_fill_of_the_old_leg_is_booked(self) -> None:
        """A position is a fact; the overfill it makes possible is told to the operator when it happens."""
        desk = working(qty="1")
        desk.replace("r", qty="2")
        desk.end(1)
        desk.apply(accepted("wr"))
        assert shape(desk.fill("0.5", number=1)) == ["trade/partially-filled"]
        assert shape(desk.fill("2", venue_order_id="owr", complete=True)) == ["trade/filled", "!"]
        assert "executed 2.5 of 2" in alerts(desk.said)[-1]

    def test_the_ends_of_the_old_leg_may_be_repeated(self) -> None:
        """They say nothing of the new one."""
        desk = working()
        desk.replace("r")
        desk.end(1, exec_id="e")
        desk.apply(accepted("wr"))
        assert desk.end(1, exec_id="e") == []
        assert desk.end(1, exec_id="e2") == []
        assert desk.order().base is OrdStatus.NEW

    def test_replaced_twice_and_canceled(self) -> None:
        """D13: X, Y, Z in a chain, then the end of the last."""
        desk = working()
        for last, now in (("a", "r"), ("r", "s")):
            desk.replace(now, last, qty="2", px="101" if now == "r" else "102")
            desk.end(1) if now == "r" else desk.end(number="wr")  # type: ignore[arg-type]
            desk.apply(accepted(f"w{now}"))
        assert (desk.order().cl_ord_id, desk.order().orig_cl_ord_id, desk.order().request.price) == ("s", "r", D(102))
        desk.cancel("c", "s")
        report = reports(desk.end(number="ws"))[0]  # type: ignore[arg-type]
        assert (report.cl_ord_id, report.orig_cl_ord_id, report.ord_status) == ("c", "s", OrdStatus.CANCELED)

    def test_before_it_was_sent(self) -> None:
        """An order held for its venue changes at once."""
        desk = Desk(up=False, hold_when_down=10**12)
        desk.new("a")
        assert shape(desk.replace("r", qty="3", px="99")) == ["replaced/pending-new"]
        assert (command(desk.up(), Place).order_qty, desk.order().request.price) == (D(3), D(99))

    def test_before_it_was_acknowledged(self) -> None:
        """Held until the venue knows the order."""
        desk = Desk()
        desk.new("a")
        assert shape(desk.replace("r")) == ["pending-replace/pending-replace"]
        assert shape(desk.accept(1)) == ["new/pending-replace", "Cancel"]

    def test_a_restart_asks_and_goes_on(self) -> None:
        """The pending replace is in the journal, at whatever step."""
        desk = working(qty="10", witness="REST")
        desk.replace("r", qty="12")
        desk.apply(Started("again"))
        desk.up()
        desk.up("REST")
        assert sent(desk.state(OrdStatus.NEW, "1")) == ["Cancel"]
        assert command(desk.end(1), Place).order_qty == D(11)
        desk.apply(Started("again"))
        desk.up()
        assert shape(desk.up("REST")) == ["Ask"]
        assert shape(desk.state(OrdStatus.NEW, "0", name="wr"))[0] == "replaced/partially-filled"


class TestByTheVenue:
    """Where it can."""

    def test_it_states_the_whole(self) -> None:
        """And is confirmed by the venue's word."""
        desk = working("NATIVE", qty="10")
        desk.fill("4")
        asked = desk.replace("r", qty="12", px="101")
        replace = command(asked, Replace)
        assert (replace.order_qty, replace.price, replace.venue_order_id) == (D(12), D(101), "o1")
        report = reports(desk.replaced(1))[0]
        assert (report.exec_type, report.ord_status, report.order_qty, report.leaves_qty, report.cl_ord_id) == (
            ExecType.REPLACED, OrdStatus.PARTIALLY_FILLED, D(12), D(8), "r",
        )  # fmt: skip

    def test_the_venue_says_no(self) -> None:
        """9 with 434=2; the order is as it was."""
        desk = working("NATIVE")
        desk.replace("r", qty="2")
        refused = rejects(desk.reject_cancel(1, text="no"))[0]
        assert (refused.response_to, refused.ord_status, refused.text) == (CxlRejResponseTo.REPLACE, OrdStatus.NEW, "no")
        assert (desk.order().cl_ord_id, desk.order().request.order_qty) == ("a", D(1))

    def test_a_quantity_not_above_what_was_executed_is_a_cancel(self) -> None:
        """The venue would refuse it; D11 wants the balance canceled."""
        desk = working("NATIVE", qty="10")
        desk.fill("4")
        assert sent(desk.replace("r", qty="4")) == ["Cancel"]
        assert shape(desk.end(1)) == ["replaced/filled"]

    def test_canceled_by_the_venue_instead(self) -> None:
        """Canceled, and the request is refused."""
        desk = working("NATIVE")
        desk.replace("r", qty="2")
        assert shape(desk.end(1)) == ["canceled/canceled", "9/canceled"]

    def test_silence_leads_to_a_question_and_the_replace_again(self) -> None:
        """It states the whole, so it may be repeated."""
        desk = working("NATIVE")
        desk.replace("r", qty="2")
        assert shape(desk.later(6)) == ["Ask"]
        assert sent(desk.state(OrdStatus.NEW, "0")) == ["Replace"]

    def test_unasked(self) -> None:
        """Nothing changes, an operator hears."""
        desk = working("NATIVE")
        assert shape(desk.replaced(1)) == ["!"]


class TestRefused:
    """Without any effect on the order."""

    @pytest.mark.parametrize(
        ("more", "says"),
        [
            ({"symbol": "ETH/USDT"}, "Symbol(55) ETH/USDT is not the order's, BTC/USDT"),
            ({"side": Side.SELL}, "Side(54) sell is not the order's"),
            ({"ord_type": OrdType.MARKET}, "OrdType(40) cannot be changed"),
            ({"time_in_force": TimeInForce.IOC}, "TimeInForce(59) cannot be changed"),
            ({"account": "other"}, "Account(1) other is not the order's"),
            ({"order_qty": None}, "OrderQty(38) is missing"),
            ({"qty": "0"}, "OrderQty(38) 0 is not above zero"),
            ({"qty": "1.0001"}, "off the lot"),
            ({"px": "100.001"}, "off the tick"),
            ({"cash_order_qty": D(5)}, "CashOrderQty(152)"),
        ],
    )
    def test_what_it_may_not_change(self, more: dict[str, Any], says: str) -> None:
        """9 with 434=2, naming the tag."""
        desk = working()
        effects = desk.replace("r", **more)
        assert shape(effects) == ["9/new"]
        assert says in rejects(effects)[0].text
        assert rejects(effects)[0].response_to is CxlRejResponseTo.REPLACE
        assert desk.order().pending is None

    def test_a_rest_that_the_venue_would_not_take(self) -> None:
        """The new leg is an order of its own there; refused before the old one is touched."""
        desk = working(qty="1")
        desk.fill("0.5")
        refused = rejects(desk.replace("r", qty="0.501"))[0]
        assert "below the least allowed" in refused.text

    def test_done_unknown_duplicate_and_while_another_is_pending(self) -> None:
        """102 = 0, 1, 6, 3."""
        desk = working()
        assert rejects(desk.replace("r", "nobody"))[0].reason is CxlRejReason.UNKNOWN_ORDER
        assert rejects(desk.replace("a"))[0].reason is CxlRejReason.DUPLICATE_CL_ORD_ID
        desk.cancel("c")
        assert rejects(desk.replace("r"))[0].reason is CxlRejReason.ALREADY_PENDING
        desk.end(1)
        assert rejects(desk.replace("s"))[0].reason is CxlRejReason.TOO_LATE

    def test_an_order_by_cash(self) -> None:
        """It has no OrderQty to change."""
        desk = Desk()
        desk.new("a", ord_type=OrdType.MARKET, order_qty=None, price=None, cash_order_qty=D(100))
        desk.accept(1)
        assert "CashOrderQty(152)" in rejects(desk.replace("r", px=None, ord_type=OrdType.MARKET))[0].text


class TestWaiting:
    """A client that agreed to have changes wait for each other."""

    def test_a_cancel_waits_for_the_replace(self) -> None:
        """D16, chaining: processed one after the other."""
        desk = working(client={"wait_when_pending": True})
        desk.replace("r")
        assert desk.cancel("c", "r") == []
        desk.end(1)
        assert shape(desk.apply(accepted("wr"))) == ["replaced/new", "Cancel", "pending-cancel/pending-cancel"]
        report = reports(desk.end(number="wr"))[0]  # type: ignore[arg-type]
        assert (report.cl_ord_id, report.orig_cl_ord_id, report.ord_status) == ("c", "r", OrdStatus.CANCELED)

    def test_it_is_answered_when_the_order_ends_first(self) -> None:
        """Too late."""
        desk = working(client={"wait_when_pending": True})
        desk.replace("r")
        desk.cancel("c", "a")
        desk.fill("1", complete=True)
        assert shape(desk.reject_cancel(1, reason=CxlRejReason.TOO_LATE)) == ["9/filled", "9/filled"]


class TestByTheClock:
    """Day and good-till-date where the venue has none; clients that are gone."""

    def test_a_day_order_expires_at_the_end_of_the_day(self) -> None:
        """It rests as GTC at the venue and is canceled at the hour; the client hears Expired."""
        desk = Desk(client={"day_ends": 0})
        placed = desk.new("a", time_in_force=TimeInForce.DAY)
        assert command(placed, Place).time_in_force is TimeInForce.GTC
        assert reports(desk.accept(1))[0].time_in_force is TimeInForce.DAY
        desk.fill("0.4")
        assert sent(desk.later(86_400)) == ["Cancel"]
        report = reports(desk.end(1))[0]
        assert (report.exec_type, report.ord_status, report.cum_qty, report.cl_ord_id) == (
            ExecType.EXPIRED, OrdStatus.EXPIRED, D("0.4"), "a",
        )  # fmt: skip
        assert "day is over" in report.text

    def test_good_till_date(self) -> None:
        """By ExpireTime, or to the end of ExpireDate; a time that is past is refused."""
        desk = Desk()
        desk.new("a", time_in_force=TimeInForce.GTD, expire_time=desk.now + 10 * 10**9)
        desk.accept(1)
        assert desk.later(9) == []
        assert sent(desk.later(2)) == ["Cancel"]
        desk.new("b", time_in_force=TimeInForce.GTD, expire_date="20270116")
        desk.accept(2)
        assert desk.engine.state.expires[desk.order("b").order_id] == 1_800_144_000 * 10**9
        assert "is past" in reports(desk.new("c", time_in_force=TimeInForce.GTD, expire_time=desk.now - 1))[0].text
        assert "needs ExpireTime" in reports(desk.new("d", time_in_force=TimeInForce.GTD))[0].text

    def test_the_timer_outlives_a_restart(self) -> None:
        """It is in the journal."""
        desk = Desk()
        desk.new("a", time_in_force=TimeInForce.DAY)
        desk.accept(1)
        desk.apply(Started("again"))
        desk.up()
        desk.state(OrdStatus.NEW, "0")
        assert "Cancel" in sent(desk.later(86_400))

    def test_a_refused_cancel_is_tried_again(self) -> None:
        """It is still to expire."""
        desk = Desk()
        desk.new("a", time_in_force=TimeInForce.GTD, expire_time=desk.now + 10**9)
        desk.accept(1)
        desk.later(2)
        assert "!" in shape(desk.reject_cancel(1, reason=CxlRejReason.BROKER_OPTION))
        assert sent(desk.later(6)) == ["Cancel"]

    def test_a_cancel_of_the_clients_that_is_refused_does_not_save_it(self) -> None:
        """It was under way at the hour; the order ends all the same, once."""
        desk = Desk()
        desk.new("a", time_in_force=TimeInForce.GTD, expire_time=desk.now + 10**9)
        desk.accept(1)
        desk.cancel("c")
        desk.later(2)
        assert shape(desk.reject_cancel(1)) == ["9/new"]
        assert sent(desk.later(6)) == ["Cancel"]
        assert shape(desk.end(1)) == ["expired/expired"]

    def test_a_client_that_stays_away_has_its_orders_canceled(self) -> None:
        """After its grace; one that is back in time loses nothing."""
        desk = working(client={"cancel_on_disconnect": 10 * 10**9})
        gone, back = presence()
        desk.apply(gone)
        assert desk.later(5) == []
        desk.apply(back)
        assert desk.later(20) == []
        desk.apply(gone)
        assert sent(desk.later(11)) == ["Cancel"]
        report = reports(desk.end(1))[0]
        assert (report.ord_status, "stayed disconnected" in report.text) == (OrdStatus.CANCELED, True)

    def test_a_crash_of_the_router_is_a_disconnection_too(self) -> None:
        """The grace begins anew."""
        desk = working(client={"cancel_on_disconnect": 10 * 10**9})
        desk.apply(Started("again"))
        desk.up()
        desk.state(OrdStatus.NEW, "0")
        assert "Cancel" in sent(desk.later(11))

    def test_without_the_agreement_orders_stay(self) -> None:
        """The default."""
        desk = working()
        desk.apply(presence()[0])
        assert shape(desk.later(1000)) == ["Ask"]  # nothing was heard of it for long, so the venue is asked; it is not canceled


class TestMass:
    """q and AF."""

    def test_every_open_order_of_the_session_that_fits(self) -> None:
        """The report first, then each order by its own ClOrdID."""
        desk = Desk()
        for number, (name, side) in enumerate((("a", Side.BUY), ("b", Side.SELL), ("x", Side.BUY)), 1):
            desk.new(name, side=side, session=SESSION if name != "x" else "other")
            desk.accept(number)
        assert shape(desk.mass_cancel(side=Side.BUY)) == ["r/1", "Cancel"]
        assert shape(desk.mass_cancel()) == ["r/2", "Cancel"]
        report = reports(desk.end(2))[0]
        assert (report.cl_ord_id, report.orig_cl_ord_id, report.text) == ("b", None, "canceled by mass cancel request q")

    def test_an_order_being_replaced_is_canceled_afterwards(self) -> None:
        """Whatever the replace comes to."""
        desk = working()
        desk.replace("r")
        desk.mass_cancel()
        desk.end(1)
        assert shape(desk.apply(accepted("wr"))) == ["replaced/new", "Cancel"]

    def test_what_is_not_offered(self) -> None:
        """Rejected as a whole, by name."""
        desk = working()
        effects = desk.mass_cancel(scope=None, asked="3")
        assert shape(effects) == ["r/0"]
        assert "MassCancelRequestType(530) 3" in effects[0].text  # type: ignore[union-attr]


def test_a_native_replace_whose_answer_was_lost_shows_in_the_end_of_the_order() -> None:
    """Filled at the quantity that it was to be changed to: it was changed. Replaced, then filled; also where only a statement tells."""
    for stated in (False, True):
        desk = working("NATIVE", "10")
        desk.replace("r", qty="1")
        said = desk.state(OrdStatus.FILLED, "1") if stated else desk.fill("1", complete=True)
        assert shape(said) == ["replaced/new", "trade/filled", *(["!"] if stated else [])]  # its executions were not seen
        assert (desk.order().cl_ord_id, desk.order().pending) == ("r", None)


def test_a_cancel_held_for_the_first_word_of_an_order_is_watched_when_that_word_is_a_fill() -> None:
    """It went out with the answer to a question; silence about it must end."""
    desk = Desk()
    desk.new("a", order_qty=D(10))
    desk.cancel()
    desk.down()
    desk.up()
    assert "Cancel" in shape(desk.fill("2", venue_cl_ord_id="v1"))
    assert "Ask" in shape(desk.later(20))


# --- events by the name of a leg ----------------------------------------------------------------------------------------


def accepted(name: str) -> Any:
    return Accepted(account="acc", exec_id=f"n-{name}", venue_cl_ord_id=name, venue_order_id=f"o{name}")


def rejected(name: str) -> Any:
    return Rejected(account="acc", exec_id=f"r-{name}", venue_cl_ord_id=name, text="no")


def nothing_found(desk: Desk) -> Any:
    return Found(order_id=desk.order().order_id)


def presence() -> tuple[Any, Any]:
    return ClientDown(SESSION), ClientUp(SESSION)


# --- an honest venue ----------------------------------------------------------------------------------------------------


@dataclass
class Venue:
    """Keeps orders truly, answers in any order, loses what it is told to lose. Can replace or cannot."""

    desk: Desk
    legs: dict[str, dict[str, Any]] = field(default_factory=dict)
    wire: list[Any] = field(default_factory=list)
    commands: list[Any] = field(default_factory=list)
    heard: int = 0

    def look(self) -> None:
        new = self.desk.said[self.heard :]
        self.heard = len(self.desk.said)
        self.commands += [each.command for each in new if isinstance(each, Send)]

    def act(self, lose: bool) -> None:
        """Take the next command; its answers go on the wire, or are lost."""
        if not self.commands:
            return
        it = self.commands.pop(0)
        leg = self.legs.get(it.venue_cl_ord_id)
        names = {"account": "acc", "venue_cl_ord_id": it.venue_cl_ord_id}
        answers: list[Any] = []
        match it:
            case Place():
                assert leg is None, "an order was sent twice"
                assert not [each for each in self.legs.values() if each["order"] == it.order_id and each["live"]], "two legs at once"
                self.legs[it.venue_cl_ord_id] = {"order": it.order_id, "qty": it.order_qty, "cum": D(0), "live": True}
                answers = [Accepted(exec_id=f"n{it.venue_cl_ord_id}", **names)]
            case Cancel() if leg is not None and leg["live"]:
                leg["live"] = False
                answers = [Canceled(exec_id=f"c{it.venue_cl_ord_id}", cum_qty=leg["cum"], avg_px=D(100), **names)]
            case Replace() if leg is not None and leg["live"] and it.order_qty > leg["cum"]:
                leg["qty"] = it.order_qty
                answers = [Replaced(exec_id=f"m{len(self.desk.inputs)}", **names)]
            case Cancel() | Replace():
                answers = [CancelRejected(reason=CxlRejReason.TOO_LATE, **names)]
            case Ask() if leg is None:
                answers = [Found(order_id=it.order_id)]
            case Ask():
                ended = OrdStatus.FILLED if leg["cum"] >= leg["qty"] else OrdStatus.CANCELED
                answers = [Stated(status=OrdStatus.NEW if leg["live"] else ended, cum_qty=leg["cum"], avg_px=D(100), **names)]
        self.wire += [] if lose else answers

    def trade(self, which: int, part: int) -> None:
        live = [(name, leg) for name, leg in self.legs.items() if leg["live"]]
        if not live:
            return
        name, leg = live[which % len(live)]
        quantity = max(D(1), (leg["qty"] - leg["cum"]) * part // 4)
        leg["cum"] += quantity
        leg["live"] = leg["cum"] < leg["qty"]
        self.wire.append(
            Filled(
                account="acc", exec_id=f"x{name}-{leg['cum']}", last_qty=quantity, last_px=D(100), complete=not leg["live"],
                venue_cl_ord_id=name, cum_qty=leg["cum"], avg_px=D(100),
            )
        )  # fmt: skip

    def tell(self) -> None:
        if self.wire:
            self.desk.apply(self.wire.pop(0))
            self.look()


moves = st.one_of(
    st.tuples(st.just("replace"), st.integers(1, 12)),
    st.tuples(st.just("cancel")),
    st.tuples(st.just("mass")),
    st.tuples(st.just("act"), st.booleans()),
    st.tuples(st.just("trade"), st.integers(0, 3), st.integers(1, 4)),
    st.tuples(st.just("tell")),
    st.tuples(st.just("tell")),
    st.tuples(st.just("flap")),
    st.tuples(st.just("restart")),
    st.tuples(st.just("later"), st.sampled_from([1, 6, 30])),
)


@pytest.mark.parametrize("destination", ["BINANCE", "NATIVE"])
@pytest.mark.parametrize("waits", [False, True])
@settings(max_examples=500, deadline=None)
@given(history=st.lists(moves, max_size=60))
def test_whatever_is_lost_the_client_the_router_and_an_honest_venue_agree_in_the_end(
    destination: str, waits: bool, history: list[tuple[Any, ...]]
) -> None:
    """Never two legs at once, never an order sent twice, never more executed than was ever asked for; and after things have calmed down
    the order is what the venue says."""
    desk = Desk(client={"wait_when_pending": waits})
    venue = Venue(desk)
    asked, last, serial = [10], "a", 0
    desk.new("a", destination=destination, order_qty=D(10))
    venue.look()
    for move in [*history, *[("later", 30), *[("act", False), ("tell",)] * 6] * 12]:
        match move:
            case ("replace", qty):
                serial += 1
                asked.append(qty)
                desk.replace(f"r{serial}", last, qty=str(qty))
            case ("cancel",):
                serial += 1
                desk.cancel(f"c{serial}", last)
            case ("mass",):
                desk.mass_cancel()
            case ("act", lose):
                venue.act(lose)
            case ("trade", which, part):
                venue.trade(which, part)
            case ("tell",):
                venue.tell()
            case ("flap",):
                venue.wire.clear()
                venue.commands.clear()
                desk.down()
                desk.up()
            case ("restart",):
                venue.wire.clear()
                venue.commands.clear()
                desk.apply(Started("again"))
                desk.up()
            case ("later", seconds):
                desk.later(seconds)
        last = desk.order("a").cl_ord_id
        venue.look()
    order = desk.order("a")
    mine = [leg for leg in venue.legs.values() if leg["order"] == order.order_id]
    assert order.cum_qty == sum((leg["cum"] for leg in mine), D(0))
    assert order.cum_qty <= max(asked)
    assert order.done == (not any(leg["live"] for leg in mine))
    assert order.pending is None
    assert not order.waiting
    assert sum((each.last_qty for each in reports(desk.said)), D(0)) == order.cum_qty
