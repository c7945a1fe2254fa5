"""The engine, told what happens and asked what it does about it. FIX 4.2 Appendix D is cited where a scenario is one of its matrices."""

from __future__ import annotations

from router.model import Found, NotSent, Refusal, ReplaceOrder, Started, Unanswered
from router.rules import Route
from router.words import CxlRejReason, Done, ExecType, OrdRejReason, OrdStatus, OrdType, Side, TimeInForce
from tests.router.desk import LINK, SECOND, SESSION, D, Desk, alerts, configured, rejects, reports, sent, shape


class TestNewOrder:
    def test_it_is_placed_then_reported_new_when_the_venue_says_so(self) -> None:
        """D1: nothing is claimed before the venue's own word."""
        desk = Desk()
        assert shape(desk.new()) == ["Place"]
        assert desk.order().ord_status is OrdStatus.PENDING_NEW
        assert shape(desk.accept()) == ["new/new"]

    def test_the_command_carries_the_venues_symbol_and_the_id_made_for_it(self) -> None:
        """Symbols are mapped, ids are ours; quantities and prices go out as they came in."""
        command = Desk().new(price=D("100.10"), order_qty=D("1.500"))[0].command  # type: ignore[union-attr]
        assert (command.symbol, command.venue_cl_ord_id, str(command.price), str(command.order_qty)) == ("BTCUSDT", "v1", "100.10", "1.500")

    def test_fills_add_up_and_the_last_one_fills(self) -> None:
        """D1: CumQty, LeavesQty, AvgPx are ours to compute."""
        desk = Desk()
        desk.new()
        desk.accept()
        first = reports(desk.fill("0.4", "100"))[0]
        assert (first.ord_status, first.cum_qty, first.leaves_qty, first.avg_px) == (OrdStatus.PARTIALLY_FILLED, D("0.4"), D("0.6"), D(100))
        last = reports(desk.fill("0.6", "99", complete=True))[0]
        assert (last.ord_status, last.cum_qty, last.leaves_qty, last.avg_px) == (OrdStatus.FILLED, D(1), D(0), D("99.4"))
        assert (last.last_qty, last.last_px, last.price) == (D("0.6"), D(99), D(100))
        assert not desk.engine.state.blotter.live

    def test_a_fill_before_the_acknowledgement_is_booked(self) -> None:
        """The client hears of the trade at once; the late acknowledgement says nothing new."""
        desk = Desk()
        desk.new()
        assert shape(desk.fill("0.4", venue_cl_ord_id="v1")) == ["trade/partially-filled"]
        assert shape(desk.accept()) == []
        assert desk.order().cum_qty == D("0.4")

    def test_a_fill_under_an_id_that_is_only_told_later_waits_for_it(self) -> None:
        """Reports may overtake each other: the fill names the venue's id before the acknowledgement has told it."""
        desk = Desk()
        desk.new()
        assert shape(desk.fill("0.4")) == ["!"]
        assert shape(desk.accept()) == ["new/new", "trade/partially-filled"]

    def test_the_same_execution_is_booked_once(self) -> None:
        """Dedup by ExecID: the venue may say it twice."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.fill("0.4", exec_id="same")
        assert desk.fill("0.4", exec_id="same") == []
        assert desk.order().cum_qty == D("0.4")

    def test_an_acknowledgement_told_again_after_the_end_is_nothing(self) -> None:
        """A repetition is no contradiction."""
        desk = Desk()
        desk.new()
        desk.accept(exec_id="n")
        desk.end()
        assert desk.accept(exec_id="n") == []

    def test_the_venues_reject_passes_its_reason_on(self) -> None:
        """The venue's text reaches Text(58)."""
        desk = Desk()
        desk.new()
        report = reports(desk.reject(text="0x06001A not enough", reason=OrdRejReason.EXCEEDS_LIMIT))[0]
        assert (report.ord_status, report.text, report.ord_rej_reason) == (
            OrdStatus.REJECTED, "0x06001A not enough", OrdRejReason.EXCEEDS_LIMIT,
        )  # fmt: skip

    def test_a_reject_without_a_reason_says_that_there_was_none(self) -> None:
        """No invented reasons."""
        desk = Desk()
        desk.new()
        assert "gave no reason" in reports(desk.reject())[0].text

    def test_an_ioc_remainder_is_canceled_without_a_request(self) -> None:
        """4.2 Appendix D, IOC: the kill is ExecType Canceled, under the order's own ClOrdID."""
        desk = Desk()
        desk.new(time_in_force=TimeInForce.IOC)
        desk.accept()
        desk.fill("0.4")
        report = reports(desk.end())[0]
        assert (report.ord_status, report.cl_ord_id, report.orig_cl_ord_id) == (OrdStatus.CANCELED, "a", None)
        assert (report.cum_qty, report.leaves_qty) == (D("0.4"), D(0))

    def test_an_order_by_cash_amount_is_filled_when_the_venue_says_so(self) -> None:
        """It has no OrderQty to compare with: LeavesQty is 0 throughout."""
        desk = Desk()
        desk.new(ord_type=OrdType.MARKET, price=None, order_qty=None, cash_order_qty=D(1000))
        desk.accept()
        assert shape(desk.fill("4", "100")) == ["trade/partially-filled"]
        assert shape(desk.fill("5", "120", complete=True)) == ["trade/filled"]
        assert (desk.order().cum_qty, desk.order().leaves_qty, desk.order().avg_px) == (D(9), D(0), D("111.111111111111"))

    def test_reports_of_done_for_day_and_expiry(self) -> None:
        """Each end has its own ExecType."""
        for how, said in ((Done.EXPIRED, "expired/expired"), (Done.DONE_FOR_DAY, "done-for-day/done-for-day")):
            desk = Desk()
            desk.new()
            desk.accept()
            assert shape(desk.end(how=how)) == [said]

    def test_exec_ids_differ_for_every_report_of_every_order(self) -> None:
        """An OMS dedups by ExecID."""
        desk = Desk()
        for number, cl_ord_id in enumerate(("a", "b"), start=1):
            desk.new(cl_ord_id)
            desk.accept(number)
            desk.fill("0.5", number=number)
            desk.fill("0.5", number=number, complete=True)
        ids = [report.exec_id for report in reports(desk.said)]
        assert len(set(ids)) == len(ids) == 6


class TestRefusals:
    def test_a_duplicate_cl_ord_id_is_rejected_and_the_first_order_untouched(self) -> None:
        """103=6; it tells where the first one stands (4.4 Appendix D, F.1.b)."""
        desk = Desk()
        desk.new()
        desk.accept()
        effects = desk.new("a", price=D(50))
        report = reports(effects)[0]
        assert (report.exec_type, report.ord_rej_reason) == (ExecType.REJECTED, OrdRejReason.DUPLICATE_ORDER)
        assert (report.ord_status, report.leaves_qty, report.order_id) == (OrdStatus.NEW, D(1), desk.order().order_id)
        assert sent(effects) == []
        assert (desk.order().ord_status, desk.order().request.price) == (OrdStatus.NEW, D(100))

    def test_a_repetition_of_a_known_order_is_answered_with_its_status(self) -> None:
        """A reject would make the OMS believe that its live order is dead."""
        desk = Desk()
        desk.new()
        desk.accept()
        effects = desk.new("a", possibly_known=True, sent=desk.now)
        assert shape(effects) == ["order-status/new"]

    def test_an_old_order_that_comes_by_resend_is_refused(self) -> None:
        """103=8: a thirty-second-old order must not reach the market."""
        desk = Desk()
        effects = desk.new(possibly_known=True, sent=desk.now - 31 * SECOND)
        assert reports(effects)[0].ord_rej_reason is OrdRejReason.STALE_ORDER
        assert sent(effects) == []

    def test_a_young_repetition_of_an_unknown_order_is_taken(self) -> None:
        """The first sending was lost; this is the order."""
        desk = Desk()
        assert sent(desk.new(possibly_known=True, sent=desk.now - 5 * SECOND)) == ["Place"]

    def test_what_could_not_be_decoded_is_rejected_and_keeps_its_id(self) -> None:
        """The refusal is an order too: its ClOrdID is used up and its status can be asked."""
        desk = Desk()
        refusal = Refusal(OrdRejReason.UNSUPPORTED, "OrdType(40) P is not offered")
        report = reports(desk.new(ord_type=None, refusal=refusal))[0]
        assert (report.ord_status, report.text) == (OrdStatus.REJECTED, "OrdType(40) P is not offered")
        assert shape(desk.status()) == ["order-status/rejected"]

    def test_an_order_for_a_venue_that_is_not_connected_is_refused_at_once(self) -> None:
        """Known not sent: a plain no."""
        desk = Desk(up=False)
        effects = desk.new()
        assert reports(effects)[0].ord_status is OrdStatus.REJECTED
        assert "not connected" in reports(effects)[0].text

    def test_with_holding_on_it_waits_and_goes_when_the_link_is_back(self) -> None:
        """The client hears that it is held."""
        desk = Desk(up=False, hold_when_down=10 * SECOND)
        assert "held" in reports(desk.new())[0].text
        assert sent(desk.up()) == ["Place"]
        assert shape(desk.accept()) == ["new/new"]

    def test_what_is_held_too_long_is_rejected_and_never_sent(self) -> None:
        """Old orders do not reach the market."""
        desk = Desk(up=False, hold_when_down=10 * SECOND)
        desk.new()
        assert shape(desk.later(11)) == ["rejected/rejected"]
        assert sent(desk.up()) == []

    def test_what_is_held_can_be_canceled(self) -> None:
        """It never left, so the cancel is certain."""
        desk = Desk(up=False, hold_when_down=10 * SECOND)
        desk.new()
        report = reports(desk.cancel())[0]
        assert (report.ord_status, report.cl_ord_id, report.orig_cl_ord_id) == (OrdStatus.CANCELED, "c", "a")
        assert sent(desk.up()) == []

    def test_a_command_that_certainly_did_not_leave_is_rejected(self) -> None:
        """The link's own word: not sent."""
        desk = Desk()
        desk.new()
        report = reports(desk.apply(NotSent(order_id=desk.order().order_id, place=True, text="just logged out")))[0]
        assert (report.ord_status, report.ord_rej_reason) == (OrdStatus.REJECTED, OrdRejReason.EXCHANGE_CLOSED)

    def test_replace_is_answered_with_a_cancel_reject(self) -> None:
        """434=2: the message an OMS waits for; the order goes on."""
        desk = Desk()
        desk.new()
        desk.accept()
        reject = rejects(desk.apply(ReplaceOrder(session=SESSION, cl_ord_id="g", orig_cl_ord_id="a")))[0]
        assert (reject.response_to, reject.ord_status) == ("order-cancel-replace-request", OrdStatus.NEW)


class TestCancel:
    def test_of_an_order_that_rests(self) -> None:
        """D3: Pending Cancel and Canceled are of (Y,X)."""
        desk = Desk()
        desk.new()
        desk.accept()
        effects = desk.cancel()
        assert shape(effects) == ["Cancel", "pending-cancel/pending-cancel"]
        assert (reports(effects)[0].cl_ord_id, reports(effects)[0].orig_cl_ord_id) == ("c", "a")
        report = reports(desk.end())[0]
        assert (report.ord_status, report.cl_ord_id, report.orig_cl_ord_id, report.leaves_qty) == (OrdStatus.CANCELED, "c", "a", D(0))

    def test_fills_while_it_is_pending_carry_the_original_id(self) -> None:
        """D4: Execution(X), Partial Fill, OrdStatus Pending Cancel; what is left is then canceled."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.cancel()
        fill = reports(desk.fill("0.4"))[0]
        assert (fill.exec_type, fill.ord_status, fill.cl_ord_id, fill.orig_cl_ord_id) == (
            ExecType.TRADE, OrdStatus.PENDING_CANCEL, "a", None,
        )  # fmt: skip
        report = reports(desk.end())[0]
        assert (report.cum_qty, report.leaves_qty, report.cl_ord_id) == (D("0.4"), D(0), "c")

    def test_too_late_because_it_was_filled_meanwhile(self) -> None:
        """D5: the fill, then the cancel reject, 102=0 and OrdStatus Filled."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.cancel()
        assert shape(desk.fill("1", complete=True)) == ["trade/pending-cancel"]
        reject = rejects(desk.reject_cancel(reason=CxlRejReason.TOO_LATE, text="0x05007A"))[0]
        assert (reject.reason, reject.ord_status, reject.cl_ord_id, reject.orig_cl_ord_id) == (
            CxlRejReason.TOO_LATE, OrdStatus.FILLED, "c", "a",
        )  # fmt: skip

    def test_of_a_filled_order_is_concluded_even_if_the_venue_stays_silent(self) -> None:
        """Nothing may stay pending for ever."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.cancel()
        desk.fill("1", complete=True)
        assert shape(desk.later(6)) == ["9/filled"]
        assert not desk.engine.state.blotter.live

    def test_refused_by_the_venue_returns_to_what_it_was(self) -> None:
        """D3, the reject row; a second cancel may follow."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.cancel()
        effects = desk.reject_cancel(reason=CxlRejReason.BROKER_OPTION, text="not now")
        assert [(each.ord_status, each.text) for each in rejects(effects)] == [(OrdStatus.NEW, "not now")]
        assert shape(desk.cancel("c2")) == ["Cancel", "pending-cancel/pending-cancel"]

    def test_refused_as_too_late_makes_the_router_ask(self) -> None:
        """The order is gone, and only the answer to a question says how."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.cancel()
        assert shape(desk.reject_cancel(reason=CxlRejReason.TOO_LATE)) == ["9/new", "Ask"]

    def test_is_held_until_the_venue_knows_the_order(self) -> None:
        """Apifiny refuses to cancel what is PENDING_SUBMIT."""
        desk = Desk()
        desk.new()
        assert shape(desk.cancel()) == ["pending-cancel/pending-cancel"]
        effects = desk.accept()
        assert shape(effects) == ["new/pending-cancel", "Cancel"]
        assert reports(desk.end())[0].cl_ord_id == "c"

    def test_held_for_an_order_that_is_then_rejected(self) -> None:
        """Both requests get their answer."""
        desk = Desk()
        desk.new()
        desk.cancel()
        assert shape(desk.reject()) == ["rejected/rejected", "9/rejected"]

    def test_held_for_an_order_that_is_then_filled(self) -> None:
        """It never went out, so nobody else will refuse it."""
        desk = Desk()
        desk.new()
        desk.cancel()
        assert shape(desk.fill("1", venue_cl_ord_id="v1", complete=True)) == ["trade/pending-cancel", "9/filled"]

    def test_of_an_unknown_order(self) -> None:
        """102=1, OrderID NONE."""
        reject = rejects(Desk().cancel(orig="nobody"))[0]
        assert (reject.reason, reject.order_id, reject.ord_status) == (CxlRejReason.UNKNOWN_ORDER, "NONE", OrdStatus.REJECTED)

    def test_of_a_done_order_tells_its_true_status(self) -> None:
        """102=0 and 39 as it is."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.fill("1", complete=True)
        reject = rejects(desk.cancel())[0]
        assert (reject.reason, reject.ord_status) == (CxlRejReason.TOO_LATE, OrdStatus.FILLED)

    def test_while_another_is_pending(self) -> None:
        """102=3."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.cancel()
        assert rejects(desk.cancel("c2"))[0].reason is CxlRejReason.ALREADY_PENDING

    def test_under_an_id_already_used(self) -> None:
        """A ClOrdID names one thing for ever."""
        desk = Desk()
        desk.new()
        desk.accept()
        assert rejects(desk.cancel("a"))[0].reason is CxlRejReason.DUPLICATE_CL_ORD_ID

    def test_by_order_id_alone_and_by_both_when_they_agree(self) -> None:
        """37 or 41; where both stand, they must mean one order."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.new("b")
        desk.accept(2)
        order_id = desk.order().order_id
        assert rejects(desk.cancel("c1", orig="b", order_id=order_id))[0].reason is CxlRejReason.UNKNOWN_ORDER
        assert sent(desk.cancel("c2", orig=None, order_id=order_id)) == ["Cancel"]  # type: ignore[arg-type]

    def test_of_another_sessions_order_is_unknown(self) -> None:
        """A session sees its own orders only, also by OrderID."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.new("z", session="FIX.4.4:ROUTER->OTHER")
        other = desk.engine.state.blotter.by_cl_ord_id("FIX.4.4:ROUTER->OTHER", "z")
        assert other is not None
        assert rejects(desk.cancel(orig=None, order_id=other.order_id))[0].reason is CxlRejReason.UNKNOWN_ORDER  # type: ignore[arg-type]

    def test_by_the_venue_on_its_own_while_ours_is_held(self) -> None:
        """Canceled under the order's own id, and our request refused."""
        desk = Desk()
        desk.new()
        desk.cancel()
        effects = desk.end(venue_cl_ord_id="v1")
        assert shape(effects) == ["canceled/canceled", "9/canceled"]
        assert reports(effects)[0].cl_ord_id == "a"

    def test_a_client_that_wants_no_pending_states_sees_none(self) -> None:
        """Neither the report nor OrdStatus 6 in a fill."""
        desk = Desk()
        client = configured().clients[0]
        desk.apply(configured(clients=(type(client)(session=SESSION, default_time_in_force=TimeInForce.GTC, report_pending=()),)))
        desk.new()
        desk.accept()
        assert shape(desk.cancel()) == ["Cancel"]
        assert shape(desk.fill("0.4")) == ["trade/partially-filled"]


class TestStatus:
    def test_by_cl_ord_id_of_order_and_cancel_and_by_order_id(self) -> None:
        """Every name works; nothing happened, so the ExecID is 0."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.cancel()
        for effects in (desk.status("a"), desk.status("c"), desk.status(None, order_id=desk.order().order_id)):
            assert shape(effects) == ["order-status/pending-cancel"]
            assert reports(effects)[0].exec_id == "0"

    def test_of_an_unknown_order(self) -> None:
        """39=8, 103=5, and it takes no ExecID."""
        report = reports(Desk().status("nobody"))[0]
        assert (report.ord_status, report.ord_rej_reason, report.exec_id) == (OrdStatus.REJECTED, OrdRejReason.UNKNOWN_ORDER, "0")


class TestDoubt:
    """A link lost, a router restarted, a venue that is silent: never a false no, never a second create."""

    def test_an_unanswered_order_is_in_doubt_and_asked_about_when_the_link_is_back(self) -> None:
        """The client hears PendingNew with the reason, never a reject."""
        desk = Desk()
        desk.new()
        effects = desk.down()
        assert shape(effects) == ["pending-new/pending-new", "!"]
        assert "unknown at BINANCE" in reports(effects)[0].text
        assert sent(desk.up()) == ["Ask"]
        assert shape(desk.accept()) == ["new/new"]
        assert desk.order().doubt == ""

    def test_the_venues_answer_not_found_counts_only_after_a_quiet_time(self) -> None:
        """It may still be on its way; then it is rejected, and never sent again."""
        desk = Desk()
        desk.new()
        desk.down()
        desk.up()
        assert reports(desk.reject(venue_order_id="NONE")) == []
        assert sent(desk.later(16)) == ["Ask"]
        assert shape(desk.reject(venue_order_id="NONE")) == ["rejected/rejected"]
        assert "Place" not in sent(desk.said[1:])

    def test_silence_leads_to_a_question_and_more_silence_to_an_alert(self) -> None:
        """With growing pauses."""
        desk = Desk()
        desk.new()
        assert shape(desk.later(6)) == ["pending-new/pending-new", "Ask"]
        asked = 0
        while asked < 3:
            asked += len(sent(desk.later(20)))
        assert any("questions about this order" in text for text in alerts(desk.said))

    def test_an_answer_that_repeats_what_is_known_ends_the_doubt(self) -> None:
        """The same ExecID again: nothing happened meanwhile."""
        desk = Desk()
        desk.new()
        desk.accept(exec_id="n")
        desk.down()
        assert sent(desk.up()) == ["Ask"]
        assert shape(desk.accept(exec_id="n")) == []
        assert desk.order().doubt == ""

    def test_a_fill_missed_in_whole_is_booked(self) -> None:
        """One execution of exactly what was left: nothing else can have happened."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.down()
        desk.up()
        assert shape(desk.fill("1", complete=True)) == ["trade/filled"]
        assert desk.order().doubt == ""

    def test_executions_that_must_have_been_missed_are_said_and_not_invented(self) -> None:
        """The venue says filled; half of it was never seen. The order is not told filled."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.down()
        desk.up()
        assert shape(desk.fill("0.5", complete=True)) == ["trade/partially-filled", "!"]
        assert "executions of 0.5 were not seen" in desk.order().doubt
        assert "executions of 0.5 were not seen" in reports(desk.status())[0].text

    def test_an_end_during_the_doubt_is_not_told_as_known(self) -> None:
        """What was executed before it is not known, so Canceled with a CumQty would be a guess."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.down()
        desk.up()
        assert shape(desk.end()) == ["!"]
        assert "not what was executed of it" in reports(desk.status())[0].text

    def test_a_cancel_asked_for_while_the_link_is_down_goes_when_it_is_back(self) -> None:
        """Held, not refused: a cancel is never lost."""
        desk = Desk()
        desk.new()
        desk.accept(exec_id="n")
        desk.down()
        assert shape(desk.cancel()) == ["pending-cancel/pending-cancel"]
        assert sent(desk.up()) == ["Ask"]
        assert sent(desk.accept(exec_id="n")) == ["Cancel"]

    def test_a_cancel_lost_with_the_link_is_sent_again(self) -> None:
        """Repeating a cancel is harmless."""
        desk = Desk()
        desk.new()
        desk.accept(exec_id="n")
        desk.cancel()
        desk.down()
        desk.up()
        assert sent(desk.accept(exec_id="n")) == ["Cancel"]
        assert shape(desk.end()) == ["canceled/canceled"]

    def test_a_restart_puts_open_orders_in_doubt_and_leaves_done_ones_alone(self) -> None:
        """What happened at the venue meanwhile is not known."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.new("b")
        desk.accept(2)
        desk.fill("1", number=2, complete=True)
        assert desk.apply(Started("test")) == []
        assert desk.order().doubt
        assert not desk.order("b").doubt
        assert sent(desk.up()) == ["Ask"]

    def test_orders_without_a_venue_id_are_asked_about_one_at_a_time(self) -> None:
        """The answer may name no id of ours: with one question open, it is clear whose it is."""
        desk = Desk()
        desk.new()
        desk.new("b", side=Side.SELL)
        desk.down()
        assert sent(desk.up()) == ["Ask"]
        effects = desk.fill("1", number=7, complete=True, symbol="BTCUSDT", side=Side.BUY, order_qty=D(1))
        assert shape(effects) == ["trade/filled", "Ask"]
        assert desk.order().cum_qty == D(1)
        assert desk.order("b").cum_qty == D(0)

    def test_an_order_named_by_its_own_event_after_an_early_not_found_holds_nobody_up(self) -> None:
        """Too early to believe, then its acknowledgement: no doubt is left, and the next question goes."""
        desk = Desk()
        desk.new()
        desk.new("b", side=Side.SELL)
        desk.down()
        desk.up()
        assert sent(desk.reject(venue_order_id="NONE")) == []
        assert shape(desk.accept()) == ["new/new", "Ask"]
        assert desk.order().doubt == ""
        assert shape(desk.accept(2)) == ["new/new"]
        assert not desk.engine.state.due
        assert not any(desk.engine.state.unnamed.values())

    def test_a_late_answer_to_a_repeated_question_is_not_taken_for_the_next_orders(self) -> None:
        """Asked twice about one order, and answered twice: the first answer is of a question that was asked too early, the second ends that
        order, and neither the one that is asked about next."""
        desk = Desk()
        desk.new()
        desk.new("b", side=Side.SELL)
        desk.down()
        desk.up()
        desk.later(20)
        assert shape(desk.reject(venue_order_id="NONE")) == []
        assert shape(desk.reject(venue_order_id="NONE")) == ["rejected/rejected", "Ask"]
        assert desk.order("b").ord_status is OrdStatus.PENDING_NEW
        assert shape(desk.reject(venue_order_id="NONE")) == ["rejected/rejected"]

    def test_an_order_named_before_its_turn_needs_no_turn(self) -> None:
        """And the question under way is not asked twice."""
        desk = Desk()
        desk.new()
        desk.new("b", side=Side.SELL)
        desk.down()
        desk.up()
        assert shape(desk.accept(2)) == ["new/new"]
        assert shape(desk.accept()) == ["new/new"]
        assert not any(desk.engine.state.unnamed.values())

    def test_events_that_name_somebody_elses_order_are_never_taken_for_the_answer(self) -> None:
        """The same symbol, side and quantity, but another id: not ours, neither its fill nor its reject."""
        desk = Desk()
        desk.new()
        desk.down()
        desk.up()
        alike = {"symbol": "BTCUSDT", "side": Side.BUY, "order_qty": D(1), "venue_cl_ord_id": "theirs"}
        assert shape(desk.fill("1", number=7, complete=True, **alike)) == ["!"]
        desk.later(20)
        assert shape(desk.reject(venue_order_id="o7")) == ["!"]
        assert shape(desk.reject(venue_cl_ord_id="theirs", venue_order_id=None)) == ["!"]
        assert (desk.order().cum_qty, desk.order().ord_status) == (D(0), OrdStatus.PENDING_NEW)

    def test_a_question_that_was_lost_is_asked_again_at_its_deadline_and_not_at_once(self) -> None:
        """Or a venue that answers nothing would be asked without end."""
        desk = Desk()
        desk.new()
        order_id = desk.order().order_id
        assert sent(desk.apply(Unanswered(order_id=order_id, text="lost"))) == ["Ask"]
        assert desk.apply(Unanswered(order_id=order_id, text="lost")) == []
        assert sent(desk.later(20)) == ["Ask"]

    def test_an_answer_that_fits_no_open_question_is_not_taken_for_one(self) -> None:
        """Another side than the order asked about: somebody else's."""
        desk = Desk()
        desk.new()
        desk.down()
        desk.up()
        effects = desk.fill("1", number=7, complete=True, symbol="BTCUSDT", side=Side.SELL, order_qty=D(1))
        assert shape(effects) == ["!"]
        assert desk.order().cum_qty == D(0)


class TestVenuesThatStateTheirFigures:
    """Where the venue states CumQty, what was missed is known; where it keeps no id of ours, an order is looked for by its looks."""

    def test_a_missed_execution_is_booked_at_the_price_the_average_leaves_for_it(self) -> None:
        """0.4 at 100 unseen, then 0.6 at 99: CumQty 1, AvgPx 99.4. It says that the price is derived."""
        desk = Desk()
        desk.new()
        desk.accept()
        effects = desk.fill("0.6", "99", complete=True, cum_qty=D(1), avg_px=D("99.4"))
        assert shape(effects) == ["trade/partially-filled", "!", "trade/filled"]
        first = reports(effects)[0]
        assert (first.last_qty, first.last_px, "derived" in first.text) == (D("0.4"), D(100), True)
        assert (desk.order().cum_qty, desk.order().avg_px) == (D(1), D("99.4"))

    def test_the_real_execution_coming_late_is_not_counted_again(self) -> None:
        """Its CumQty says that it is in already."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.fill("0.6", "99", cum_qty=D("0.9"), avg_px=D(99))
        assert desk.fill("0.3", "99", cum_qty=D("0.3"), avg_px=D(99)) == []
        assert desk.order().cum_qty == D("0.9")

    def test_an_end_with_cum_qty_is_certain_also_after_an_outage(self) -> None:
        """Nothing missed, or exactly so much."""
        for cum, said in ((D(0), ["canceled/canceled"]), (D("0.3"), ["trade/partially-filled", "!", "canceled/canceled"])):
            desk = Desk()
            desk.new()
            desk.accept()
            desk.down()
            desk.up()
            assert shape(desk.end(cum_qty=cum, avg_px=D(100))) == said
            assert (desk.order().doubt, desk.order().cum_qty) == ("", cum)
            assert not desk.engine.state.blotter.live

    def test_a_partial_fill_with_cum_qty_ends_the_doubt(self) -> None:
        """Everything is accounted for."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.down()
        desk.up()
        desk.fill("0.3", cum_qty=D("0.3"), avg_px=D(100))
        assert desk.order().doubt == ""

    def test_an_average_that_makes_no_sense_is_not_turned_into_a_price(self) -> None:
        """An alert, and no invented fill."""
        desk = Desk()
        desk.new()
        desk.accept()
        effects = desk.fill("0.6", "100", cum_qty=D(1), avg_px=D(1))
        assert shape(effects) == ["!", "trade/partially-filled"]
        assert desk.order().cum_qty == D("0.6")

    def test_a_create_without_a_reply_is_asked_about_at_once(self) -> None:
        """A 5xx, a timeout: unknown, never a no."""
        desk = Desk()
        desk.new()
        effects = desk.apply(Unanswered(order_id=desk.order().order_id, text="HTTP 502"))
        assert shape(effects) == ["pending-new/pending-new", "Ask"]
        assert "HTTP 502" in reports(effects)[0].text

    def test_one_order_like_ours_is_ours(self) -> None:
        """Bound to it, then asked about by its id."""
        desk = Desk()
        desk.new()
        desk.apply(Unanswered(order_id=desk.order().order_id, text="HTTP 502"))
        assert sent(desk.apply(Found(order_id=desk.order().order_id, candidates=("o7",)))) == ["Ask"]
        assert desk.order().venue_order_id == "o7"
        assert shape(desk.accept(7, exec_id="n")) == ["new/new"]

    def test_an_order_that_is_somebodys_already_is_not_a_candidate(self) -> None:
        """Two orders of one kind, one of them acknowledged: the other candidate is the answer."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.new("b")
        desk.apply(Unanswered(order_id=desk.order("b").order_id, text="lost"))
        desk.apply(Found(order_id=desk.order("b").order_id, candidates=("o1", "o2")))
        assert desk.order("b").venue_order_id == "o2"

    def test_two_that_fit_are_for_a_person_to_decide(self) -> None:
        """Never guessed; the client hears it."""
        desk = Desk()
        desk.new()
        desk.apply(Unanswered(order_id=desk.order().order_id, text="lost"))
        assert shape(desk.apply(Found(order_id=desk.order().order_id, candidates=("o8", "o9")))) == ["!"]
        assert "o8, o9" in reports(desk.status())[0].text
        assert desk.order().venue_order_id is None

    def test_two_of_ours_that_look_alike_and_one_that_arrived_are_not_guessed_either(self) -> None:
        """Whichever is asked about first must not get it."""
        desk = Desk()
        desk.new()
        desk.new("b")
        desk.apply(Unanswered(order_id=desk.order().order_id, text="lost"))
        desk.apply(Unanswered(order_id=desk.order("b").order_id, text="lost"))
        assert "!" in shape(desk.apply(Found(order_id=desk.order().order_id, candidates=("o8",))))
        assert desk.order().venue_order_id is None

    def test_two_of_ours_and_two_there_are_shared_out(self) -> None:
        """They are the same in everything that matters."""
        desk = Desk()
        desk.new()
        desk.new("b")
        desk.apply(Unanswered(order_id=desk.order().order_id, text="lost"))
        desk.apply(Unanswered(order_id=desk.order("b").order_id, text="lost"))
        desk.apply(Found(order_id=desk.order().order_id, candidates=("o8", "o9")))
        desk.apply(Found(order_id=desk.order("b").order_id, candidates=("o8", "o9")))
        assert (desk.order().venue_order_id, desk.order("b").venue_order_id) == ("o8", "o9")

    def test_an_accepted_order_that_the_venue_no_longer_knows_is_in_doubt(self) -> None:
        """Not rejected: it had been accepted."""
        desk = Desk()
        desk.new()
        desk.accept()
        assert shape(desk.apply(Found(order_id=desk.order().order_id))) == ["!"]
        assert desk.order().ord_status is OrdStatus.NEW

    def test_none_that_fits_counts_only_after_a_quiet_time(self) -> None:
        """Then it is rejected: it never arrived."""
        desk = Desk()
        desk.new()
        desk.apply(Unanswered(order_id=desk.order().order_id, text="lost"))
        assert reports(desk.apply(Found(order_id=desk.order().order_id))) == []
        desk.later(11)
        assert shape(desk.apply(Found(order_id=desk.order().order_id))) == ["rejected/rejected"]

    def test_a_doubt_about_one_order_leaves_questions_about_others_alone(self) -> None:
        """The queue goes on."""
        desk = Desk()
        desk.new()
        desk.new("b", price=D(99))
        desk.apply(Unanswered(order_id=desk.order().order_id, text="lost"))
        assert sent(desk.apply(Unanswered(order_id=desk.order("b").order_id, text="lost"))) == []
        assert sent(desk.apply(Found(order_id=desk.order().order_id, candidates=("o7",)))) == ["Ask", "Ask"]

    def test_fees_reach_the_client(self) -> None:
        """With their currency."""
        desk = Desk()
        desk.new()
        desk.accept()
        report = reports(desk.fill("1", complete=True, fee=D("-0.01"), fee_currency="USDT"))[0]
        assert (report.fee, report.fee_currency) == (D("-0.01"), "USDT")


class TestLyingVenues:
    def test_a_fill_after_canceled_is_reported_and_flagged(self) -> None:
        """A position is real."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.end()
        effects = desk.fill("0.4")
        assert shape(effects) == ["trade/canceled", "!"]
        assert reports(effects)[0].leaves_qty == D(0)

    def test_more_than_was_ordered_is_reported_and_flagged(self) -> None:
        """Overfill, never swallowed."""
        desk = Desk()
        desk.new()
        desk.accept()
        effects = desk.fill("1.5", complete=True)
        assert shape(effects) == ["trade/filled", "!"]
        assert (reports(effects)[0].cum_qty, reports(effects)[0].leaves_qty) == (D("1.5"), D(0))

    def test_accepted_after_rejected_brings_the_order_back(self) -> None:
        """We said no on the venue's word, and the order is live after all."""
        desk = Desk()
        desk.new()
        desk.reject()
        assert shape(desk.accept()) == ["!", "new/new"]
        assert desk.order().order_id in desk.engine.state.blotter.live

    def test_rejected_after_accepted_changes_nothing(self) -> None:
        """A contradiction is an alert."""
        desk = Desk()
        desk.new()
        desk.accept()
        assert shape(desk.reject()) == ["!"]
        assert desk.order().ord_status is OrdStatus.NEW

    def test_canceled_after_filled_changes_nothing(self) -> None:
        """Precedence: Filled stands."""
        desk = Desk()
        desk.new()
        desk.accept()
        desk.fill("1", complete=True)
        assert shape(desk.end()) == ["!"]
        assert desk.order().ord_status is OrdStatus.FILLED

    def test_one_order_under_two_venue_ids_is_a_contradiction(self) -> None:
        """The first id stands."""
        desk = Desk()
        desk.new()
        desk.accept()
        assert shape(desk.accept(exec_id="n9", venue_order_id="o9")) == ["!"]
        assert desk.order().venue_order_id == "o1"

    def test_events_of_orders_that_are_not_ours_are_shown(self) -> None:
        """Placed elsewhere on the same account: told to the operator, not adopted."""
        desk = Desk()
        assert shape(desk.fill("1", number=9)) == ["!"]
        assert shape(desk.reject_cancel(9)) == ["!"]
        assert shape(desk.reject(venue_order_id="who")) == ["!"]


def test_routes_decide_where_no_destination_is_named() -> None:
    """The first that fits."""
    routes = (Route(destination="GBBO", symbols=("ETH/USDT",)), Route(destination="BINANCE"))
    desk = Desk(routes=routes)
    desk.new()
    assert desk.order().destination == "BINANCE"
    assert desk.order().link == LINK
