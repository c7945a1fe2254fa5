"""A destination that is back takes no new orders until what was open there was answered for; quiet orders are asked about."""

from __future__ import annotations

from router.model import Found, Send
from router.words import OrdRejReason, OrdStatus
from tests.router.desk import LINK, Desk, alerts, reports, sent, shape

HOLD = 5


def back(**config: object) -> Desk:
    """One order was open when the link went; now the link is back, and the question about it is under way."""
    desk = Desk(**config)
    desk.new("a")
    desk.accept(1)
    desk.down()
    assert sent(desk.up()) == ["Ask"]
    return desk


def answer(desk: Desk) -> list[str]:
    return shape(desk.state(OrdStatus.NEW, "0"))


def test_a_new_order_waits_until_all_is_answered_and_then_goes() -> None:
    """PendingNew with Text, then on its way."""
    desk = back()
    held = desk.new("b")
    assert shape(held) == ["pending-new/pending-new"]
    assert "is being asked what became of its open orders: held for it" in reports(held)[0].text
    assert answer(desk) == ["Place"]
    assert sent(desk.new("c")) == ["Place"]


def test_without_a_wait_it_is_refused_at_once() -> None:
    """By configuration."""
    refused = reports(back(hold_while_reconciling=0).new("b"))[0]
    assert (refused.ord_rej_reason, "the order was not sent" in refused.text) == (OrdRejReason.EXCHANGE_CLOSED, True)


def test_a_wait_that_is_too_long_ends_in_a_refusal() -> None:
    """Never sent late."""
    desk = back()
    desk.new("b")
    assert "rejected/rejected" in shape(desk.later(HOLD + 1))
    assert "Place" not in sent([*desk.later(60), *desk.state(OrdStatus.NEW, "0")])


def test_it_opens_after_a_while_in_any_case_with_an_alert() -> None:
    """A venue that never answers does not stay closed for ever."""
    desk = back()
    said = [text for _ in range(8) for text in alerts(desk.later(5))]
    assert any("has not answered about 1 open orders within 30 s" in text for text in said)
    assert sent(desk.new("b")) == ["Place"]


def test_an_answer_that_leaves_doubt_is_an_answer() -> None:
    """The rest is an operator's to decide; others trade on."""
    desk = Desk()
    desk.new("a")
    desk.down()
    desk.up()
    desk.apply(Found(order_id=desk.order().order_id, candidates=("o1", "o2")))
    assert desk.order().doubt
    assert sent(desk.new("b")) == ["Place"]


def test_a_list_that_was_read_early_is_no_proof_that_the_order_never_arrived() -> None:
    """What counts is when the venue was asked, not when it was told: the order may have arrived after the list was made."""
    desk = Desk()
    desk.new("a")
    desk.down()
    desk.up()
    early = desk.now
    order_id = desk.order().order_id
    asked = [each.command for each in desk.later(30) if isinstance(each, Send)]
    assert [each.believe for each in asked] == [desk.order().placed + 10_000_000_000]  # type: ignore[union-attr]
    assert shape(desk.apply(Found(order_id=order_id, as_of=early))) == []
    assert desk.order().doubt
    assert shape(desk.apply(Found(order_id=order_id))) == ["rejected/rejected"]


def test_a_fill_that_ends_the_only_open_order_opens_it() -> None:
    """Whatever settles it."""
    desk = back()
    desk.state(OrdStatus.FILLED, "1")
    assert sent(desk.new("b")) == ["Place"]


def test_a_link_without_open_orders_takes_orders_at_once() -> None:
    """There is nothing to ask."""
    desk = Desk()
    desk.down()
    desk.up()
    assert sent(desk.new("a")) == ["Place"]


def test_a_link_lost_again_is_not_being_reconciled() -> None:
    """It is down, and new orders are told so."""
    desk = back()
    desk.down()
    assert LINK not in desk.engine.state.reconciling
    assert "is not connected" in reports(desk.new("b"))[0].text


def test_cancels_pass_meanwhile() -> None:
    """They are for what is open."""
    desk = back()
    desk.cancel()
    assert answer(desk) == ["Cancel"]


class TestSweep:
    def test_an_order_not_heard_of_for_long_is_asked_about(self) -> None:
        """Once, then again after as long."""
        desk = Desk()
        desk.new("a")
        desk.accept(1)
        assert sent(desk.later(59)) == []
        assert sent(desk.later(2)) == ["Ask"]
        assert answer(desk) == []
        assert sent(desk.later(30)) == []
        assert sent(desk.later(31)) == ["Ask"]

    def test_one_a_second_and_link_the_one_not_heard_of_for_longest_first(self) -> None:
        """The venue's budget is for orders."""
        desk = Desk()
        for number in (1, 2, 3):
            desk.new(str(number))
            desk.accept(number)
        desk.fill("0.5", number=1)
        said = [*desk.later(61), *desk.later(1), *desk.later(1)]
        assert [each.command.venue_cl_ord_id for each in said if isinstance(each, Send)] == ["v2", "v3", "v1"]

    def test_what_was_missed_is_found(self) -> None:
        """A fill whose message was lost."""
        desk = Desk()
        desk.new("a")
        desk.accept(1)
        desk.later(61)
        assert "trade/filled" in shape(desk.state(OrdStatus.FILLED, "1"))

    def test_it_can_be_switched_off(self) -> None:
        """By configuration."""
        desk = Desk(sweep_every=0)
        desk.new("a")
        desk.accept(1)
        assert desk.later(1000) == []

    def test_what_waits_for_an_answer_anyway_is_left_alone(self) -> None:
        """A question, a cancel, an order that is not acknowledged."""
        desk = Desk(answer_timeout=200_000_000_000)
        desk.new("a")
        desk.new("b")
        desk.accept(2)
        desk.cancel("c", "b")
        assert desk.later(100) == []
