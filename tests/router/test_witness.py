"""The second witness beside an order's own link, and what a venue states of an order all told."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from router.executions import idle
from router.model import Ask, LinkDown, Send, Stated
from router.words import ExecType, OrdStatus, OrdType
from tests.router.desk import LINK, D, Desk, alerts, reports, sent, shape
from tests.router.test_histories import CONFIG, play, steps
from tests.router.test_snapshot import pictured


def watched() -> Desk:
    """A live order at a venue with a FIX link and a witness "REST", both up."""
    desk = Desk(witness="REST")
    desk.up("REST")
    desk.new("a")
    desk.accept(1)
    return desk


def asked_on(effects: list[object]) -> list[str]:
    return [each.link for each in effects if isinstance(each, Send) and isinstance(each.command, Ask)]


def test_an_unasked_word_that_adds_nothing_changes_nothing() -> None:
    """The FIX session has told it already."""
    desk = watched()
    desk.fill("0.4")
    assert desk.state(OrdStatus.NEW, "0.4", asked=False) == []
    assert desk.later(30) == []


def test_what_the_witness_is_ahead_of_is_asked_about_when_the_link_had_its_time() -> None:
    """And then booked by difference."""
    desk = watched()
    assert desk.state(OrdStatus.NEW, "0.4", asked=False) == []
    assert asked_on(desk.later(6)) == ["REST"]
    effects = desk.state(OrdStatus.NEW, "0.4", "99")
    report = reports(effects)[0]
    assert (report.exec_type, report.last_qty, report.last_px, report.cum_qty) == (ExecType.TRADE, D("0.4"), D(99), D("0.4"))
    assert "derived" in report.text
    assert desk.order().doubt == ""


def test_a_link_that_tells_in_time_makes_the_witness_moot() -> None:
    """No question, no double."""
    desk = watched()
    desk.state(OrdStatus.NEW, "0.4", asked=False)
    desk.fill("0.4")
    assert asked_on(desk.later(6)) == ["REST"]
    assert reports(desk.state(OrdStatus.NEW, "0.4")) == []
    assert desk.order().cum_qty == D("0.4")


def test_an_execution_told_after_it_was_booked_from_the_total_is_not_booked_again() -> None:
    """Neither whole nor in part."""
    desk = watched()
    desk.down()
    desk.state(OrdStatus.NEW, "0.4")
    desk.up()
    assert reports(desk.fill("0.3")) == []
    report = reports(desk.fill("0.3"))[0]
    assert (report.last_qty, report.cum_qty) == (D("0.2"), D("0.6"))


def test_while_the_link_is_away_the_witness_is_asked() -> None:
    """So the client hears of its executions all the same."""
    desk = watched()
    assert asked_on(desk.down()) == ["REST"]
    assert shape(desk.state(OrdStatus.FILLED, "1")) == ["trade/filled", "!"]


def test_a_cancel_of_unknown_executions_is_cleared_up() -> None:
    """By the witness; without one, it would wait for a person."""
    desk = watched()
    desk.apply(LinkDown("REST"))
    desk.down()
    desk.up()
    desk.up("REST")
    effects = desk.end(1)
    assert asked_on(effects) == ["REST"] or asked_on(desk.said) != []
    done = desk.state(OrdStatus.CANCELED, "0.3")
    assert shape(done) == ["trade/partially-filled", "!", "canceled/canceled"]
    assert reports(done)[-1].cum_qty == D("0.3")


def test_after_a_restart_the_witness_is_waited_for() -> None:
    """The FIX session comes up first and knows less; it is asked only if the witness stays away."""
    desk = Desk(witness="REST")
    desk.new("a")
    desk.accept(1)
    desk.down()
    assert asked_on(desk.up()) == []
    assert asked_on(desk.later(6)) == [LINK]
    assert asked_on(desk.up("REST")) == ["REST"]


def test_a_witness_that_goes_away_with_a_question() -> None:
    """The deadline asks again, on what is left."""
    desk = watched()
    desk.down()
    desk.up()
    desk.apply(LinkDown("REST"))
    assert asked_on(desk.later(21)) == [LINK]


def test_its_no_to_a_new_order() -> None:
    """REJECTED by the venue's own word."""
    desk = Desk(witness="REST")
    desk.up("REST")
    desk.new("a")
    desk.later(6)
    assert shape(desk.state(OrdStatus.REJECTED, "0")) == ["rejected/rejected"]


def test_an_order_whose_acknowledgement_was_lost() -> None:
    """New, and its executions."""
    desk = Desk(witness="REST")
    desk.up("REST")
    desk.new("a")
    desk.later(6)
    assert shape(desk.state(OrdStatus.NEW, "0.5")) == ["new/new", "trade/partially-filled", "!"]


def test_executions_without_any_price() -> None:
    """The limit stands in for it, and Text says so; without a limit the order stays in doubt."""
    desk = watched()
    desk.down()
    assert "limit" in reports(desk.state(OrdStatus.NEW, "0.5", None))[0].text


def test_filled_with_less_than_was_ordered_is_a_doubt() -> None:
    """Not a fill that nobody saw."""
    desk = watched()
    desk.down()
    desk.state(OrdStatus.FILLED, "0.5")
    assert desk.order().base is OrdStatus.PARTIALLY_FILLED
    assert "but not how" in alerts(desk.said)[-1] or "but not how" in desk.order().doubt


def test_somebody_elses_order() -> None:
    """Not adopted."""
    desk = watched()
    assert desk.state(OrdStatus.NEW, "0.5", name="not-ours") == []


def test_nothing_is_asked_twice_for_one_answer() -> None:
    """The nameless questions of the FIX link do not hold the witness's up."""
    desk = Desk(witness="REST")
    for number, name in enumerate("ab", 1):
        desk.new(name)
        desk.accept(number)
    desk.new("c")
    desk.down()
    desk.up()
    assert len(asked_on(desk.up("REST"))) == 3
    assert "Place" not in sent(desk.said[-3:])


def test_an_order_by_cash_is_filled_by_the_venues_word() -> None:
    """It has no OrderQty that would tell; whether its executions were told before or not."""
    for told_before in (True, False):
        desk = Desk(witness="REST")
        desk.up("REST")
        desk.new("a", ord_type=OrdType.MARKET, order_qty=None, price=None, cash_order_qty=D(100))
        desk.accept(1)
        if told_before:
            desk.fill("1", "99")
        desk.state(OrdStatus.FILLED, "1", "99")
        assert desk.order().base is OrdStatus.FILLED
        assert (reports(desk.said)[-1].ord_status, reports(desk.said)[-1].cum_qty) == (OrdStatus.FILLED, D(1))


def test_a_venue_with_two_ways_in_may_have_two_ids_for_an_order() -> None:
    """By FIX its own, by REST ours given back; in either order."""
    for first, second in (("o1", "v1"), ("v1", "o1")):
        desk = Desk()
        desk.new("a")
        desk.accept(1, venue_order_id=first)
        assert shape(desk.fill("0.4", venue_cl_ord_id="v1", venue_order_id=second)) == ["trade/partially-filled"]
        assert shape(desk.fill("0.6", venue_cl_ord_id=None, venue_order_id="o1")) == ["trade/filled"]


def test_a_cancel_that_waited_for_the_link_goes_when_it_is_back_though_the_witness_cleared_the_doubt() -> None:
    """Asked for while the link was away, or lost with it."""
    for lost_with_it in (False, True):
        desk = watched()
        if lost_with_it:
            desk.cancel()
        desk.down()
        desk.state(OrdStatus.NEW, "0")
        if not lost_with_it:
            desk.cancel()
        assert "Cancel" not in sent(desk.said[-2:]) or lost_with_it
        assert sent(desk.up()) == ["Cancel"]
        assert shape(desk.end(1)) == ["canceled/canceled"]


words = st.tuples(
    st.sampled_from(["v1", "v2", "v9", None]),
    st.sampled_from([None, "o1", "o2", "v1"]),
    st.sampled_from([OrdStatus.NEW, OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.EXPIRED]),
    st.sampled_from(["0", "0.5", "1"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=25), words)
def test_a_word_that_adds_nothing_would_have_changed_nothing(history: list[tuple[Any, ...]], word: tuple[Any, ...]) -> None:
    """Whatever came before: what is not made an input says nothing, asks nothing, waits for nothing; only when the venue was last heard
    is not noted."""
    desk = Desk(**deepcopy(CONFIG))
    for step in history:
        play(desk, step)
    ours, theirs, status, cum = word
    event = Stated(account="acc", status=status, cum_qty=D(cum), venue_cl_ord_id=ours, venue_order_id=theirs, asked=False)
    if not idle(desk.engine.state, event):
        return
    before = deepcopy(desk.engine.state)
    assert desk.engine.apply(event, desk.now + 1) == []
    for order in (*before.blotter.orders.values(), *desk.engine.state.blotter.orders.values()):
        order.heard = 0
    assert pictured(desk.engine.state) == pictured(before)


def test_only_what_is_known_is_passed_over() -> None:
    """More executed, another end, an id that is new, an answer to a question: inputs all."""
    desk = Desk()
    desk.new()

    def passed_over(**more: Any) -> bool:
        said = {"account": "acc", "status": OrdStatus.NEW, "cum_qty": D(0), "venue_cl_ord_id": "v1", "asked": False}
        return idle(desk.engine.state, Stated(**said | more))

    assert passed_over()
    assert not passed_over(venue_order_id="o1")
    assert not passed_over(venue_order_id="v1"), "the first name that it is told is taken"
    desk.accept(1)
    assert passed_over(venue_order_id="o1")
    assert passed_over(venue_order_id="v1")
    assert not passed_over(cum_qty=D("0.1"))
    assert not passed_over(status=OrdStatus.CANCELED)
    assert not passed_over(asked=True)
    assert passed_over(venue_cl_ord_id="somebody-else")
    desk.fill("1")
    assert passed_over(cum_qty=D(1), status=OrdStatus.FILLED)
