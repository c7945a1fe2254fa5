"""What the hostile venues of `world.py` found in the core: told here in its own words, so that each stays found."""

from __future__ import annotations

from router.model import Accepted, NotSent
from router.words import OrdStatus
from tests.router.desk import Desk


def test_an_order_that_the_venue_has_spoken_of_was_sent() -> None:
    """The venue contradicts our own "never left": an alert, and the order stays one that the venue is asked about."""
    desk = Desk()
    desk.new()
    desk.accept()
    desk.apply(NotSent(order_id=desk.order().order_id, place=True, text="no connection"))
    assert desk.order().placed
    assert desk.order().base is OrdStatus.NEW


def test_a_leg_that_was_canceled_and_fills_all_the_same() -> None:
    """The old leg fills after the venue said that it was canceled, and its replacement is accepted: the order is not filled, for it is
    larger now and the rest of it is live."""
    desk = Desk()
    desk.new()
    desk.accept()
    desk.replace(qty="2")
    desk.end(cum_qty=0)
    desk.fill("1")
    desk.apply(Accepted(account="acc", exec_id="n2", venue_cl_ord_id="wr", venue_order_id="o2"))
    assert desk.order().base is OrdStatus.PARTIALLY_FILLED
