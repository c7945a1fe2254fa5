"""Executions taken back or changed after they were told (FIX 4.2 Appendix D, execution cancels and corrects; 4.4 group J)."""

from __future__ import annotations

from typing import Any

from fix.client import ClientDialect
from fix.text import fields
from router.acts import BustTrade, CorrectTrade
from router.model import Outcome
from router.words import ExecType, OrdStatus
from tests.router.desk import D, Desk, reports, shape


def traded(*quantities: str) -> Desk:
    """An order of 1 with these executions at 100."""
    desk = Desk()
    desk.new("a")
    desk.accept(1)
    for quantity in quantities:
        desk.fill(quantity, "100")
    return desk


def correct(desk: Desk, number: int, qty: str, px: str) -> list[Any]:
    order = desk.order()
    return desk.apply(
        CorrectTrade(order_id=order.order_id, exec_id=f"{order.order_id}-{number}", last_qty=D(qty), last_px=D(px), text="why")
    )


def bust(desk: Desk, number: int) -> list[Any]:
    order = desk.order()
    return desk.apply(BustTrade(order_id=order.order_id, exec_id=f"{order.order_id}-{number}", text="why"))


def test_a_corrected_price_changes_the_average_only() -> None:
    """ExecRefID names the execution; the report has an ExecID of its own."""
    desk = traded("0.5", "0.5")
    report = reports(correct(desk, 2, "0.5", "90"))[0]
    assert (report.exec_type, report.exec_ref_id, report.ord_status) == (ExecType.TRADE_CORRECT, "270115080000-1-2", OrdStatus.FILLED)
    assert (report.cum_qty, report.avg_px, report.last_qty, report.last_px, report.text) == (D(1), D(95), D("0.5"), D(90), "why")


def test_a_corrected_quantity_of_a_live_order_changes_what_is_left() -> None:
    """CumQty and LeavesQty anew."""
    desk = traded("0.5")
    report = reports(correct(desk, 2, "0.2", "100"))[0]
    assert (report.ord_status, report.cum_qty, report.leaves_qty) == (OrdStatus.PARTIALLY_FILLED, D("0.2"), D("0.8"))


def test_a_correction_is_corrected_under_its_own_id() -> None:
    """The first id is gone."""
    desk = traded("0.5")
    correct(desk, 2, "0.4", "100")
    answer = correct(desk, 2, "0.3", "100")[0]
    assert isinstance(answer, Outcome)
    assert (answer.ok, "has no execution" in answer.text) == (False, True)
    assert reports(correct(desk, 3, "0.3", "100"))[0].cum_qty == D("0.3")


def test_a_busted_execution_of_a_live_order() -> None:
    """Back to New, nothing executed."""
    desk = traded("0.5")
    report = reports(bust(desk, 2))[0]
    assert (report.exec_type, report.ord_status, report.cum_qty, report.leaves_qty, report.avg_px) == (
        ExecType.TRADE_CANCEL, OrdStatus.NEW, D(0), D(1), D(0),
    )  # fmt: skip
    assert shape(desk.fill("1", "100", complete=True)) == ["trade/filled"]


def test_a_busted_execution_of_a_filled_order() -> None:
    """Nobody works the rest any more: Canceled, nothing left."""
    desk = traded("0.5", "0.5")
    report = reports(bust(desk, 3))[0]
    assert (report.ord_status, report.cum_qty, report.leaves_qty) == (OrdStatus.CANCELED, D("0.5"), D(0))


def test_what_cannot_be_is_said_and_changes_nothing() -> None:
    """An operator's slip."""
    desk = traded("0.5")
    assert shape(bust(desk, 9)) == ["no"]
    assert shape(correct(desk, 2, "0", "100")) == ["no"]
    assert shape(desk.apply(BustTrade(order_id="nobody", exec_id="x", text=""))) == ["no"]
    assert desk.order().cum_qty == D("0.5")


def test_the_venues_own_word_corrects_what_was_booked_from_its_average() -> None:
    """An execution that comes after its quantity was counted: the same price says nothing, another corrects."""
    for price, said in (("100", []), ("98", ["trade-correct/partially-filled"])):
        desk = Desk(witness="REST")
        desk.up("REST")
        desk.new("a")
        desk.accept(1)
        desk.down()
        desk.state(OrdStatus.NEW, "0.5", "100")
        desk.up()
        assert shape(desk.fill("0.5", price)) == said
        assert (desk.order().cum_qty, desk.order().avg_px) == (D("0.5"), D(price))


def test_in_the_words_of_each_version() -> None:
    """4.2: ExecTransType 1 and 2, ExecType as the status; later: ExecType H and G. ExecRefID in all."""
    desk = traded("0.5", "0.2")
    effects = reports([*correct(desk, 2, "0.4", "100"), *bust(desk, 3)])
    found = {begin: [fields(ClientDialect(begin, "s").encode(each)) for each in effects] for begin in ("FIX.4.2", "FIX.4.4")}
    assert [(m["20"], m["150"], m["39"], m["19"][-1]) for m in found["FIX.4.2"]] == [("2", "1", "1", "2"), ("1", "1", "1", "3")]
    assert [(m["150"], m["39"], m["19"][-1]) for m in found["FIX.4.4"]] == [("G", "1", "2"), ("H", "1", "3")]


def test_what_an_operator_took_back_is_not_brought_back_by_the_venues_totals() -> None:
    """It goes on counting what it told; only what it executes from then on is new."""
    desk = traded("0.5")
    bust(desk, 2)
    assert shape(desk.state(OrdStatus.NEW, "0.5")) == []
    said = desk.fill("0.2", "100", cum_qty=D("0.7"), avg_px=D(100))
    assert [(each.last_qty, each.cum_qty) for each in reports(said)] == [(D("0.2"), D("0.2"))]
    last = desk.fill("0.3", "100", complete=True, cum_qty=D(1), avg_px=D(100))
    assert shape(last) == ["trade/partially-filled", "canceled/canceled"]
    assert (desk.order().cum_qty, desk.order().doubt) == (D("0.5"), "")


def test_what_an_operator_corrected_stays_corrected() -> None:
    """Quantity and price."""
    desk = traded("0.5")
    correct(desk, 2, "0.4", "99")
    assert shape(desk.state(OrdStatus.NEW, "0.5", "100")) == []
    assert (desk.order().cum_qty, desk.order().avg_px) == (D("0.4"), D(99))
