"""History is a view: filled from the journal, complete, and the same when it is made anew."""

from __future__ import annotations

from pathlib import Path

from router.history import History
from router.journal import Record
from tests.router.desk import Desk


def records() -> tuple[Desk, list[Record]]:
    desk = Desk()
    desk.new()
    desk.accept()
    desk.fill("0.4")
    desk.cancel()
    desk.end()
    desk.new("b", price=None)
    return desk, [Record(number, now, event) for number, (now, event) in enumerate(desk.inputs, start=1)]


def test_an_order_is_found_by_each_of_its_names(tmp_path: Path) -> None:
    """ClOrdID, the cancel's ClOrdID, OrderID, our id at the venue and the venue's."""
    desk, journal = records()
    history = History(tmp_path / "h.sqlite")
    history.fill(journal)
    order_id = desk.order().order_id
    for name in ("a", "c", order_id, "v1", "o1"):
        assert history.find(name) == [order_id]
    assert history.find("nobody") == []


def test_its_life_is_told_in_order_with_what_followed(tmp_path: Path) -> None:
    """Every input that concerned it, and every effect."""
    desk, journal = records()
    history = History(tmp_path / "h.sqlite")
    history.fill(journal)
    life = list(history.life(desk.order().order_id))
    assert [moment.kind for moment in life] == ["NewOrder", "Accepted", "Filled", "CancelOrder", "Canceled"]
    assert [[kind for kind, _ in moment.effects] for moment in life] == [
        ["Send"], ["ExecutionReport"], ["ExecutionReport"], ["Send", "ExecutionReport"], ["ExecutionReport"],
    ]  # fmt: skip
    summary = history.summary(desk.order().order_id)
    assert (summary["ord_status"], summary["cum_qty"]) == ("canceled", "0.4")


def test_a_refused_order_is_in_it_too(tmp_path: Path) -> None:
    """With the reason."""
    desk, journal = records()
    history = History(tmp_path / "h.sqlite")
    history.fill(journal)
    assert "Price(44) is missing" in history.summary(desk.order("b").order_id)["text"]


def test_filled_bit_by_bit_or_at_once_it_is_the_same(tmp_path: Path) -> None:
    """And filling again adds nothing."""
    _, journal = records()
    bits, whole = History(tmp_path / "bits.sqlite"), History(tmp_path / "whole.sqlite")
    for count in range(1, len(journal) + 1):
        assert bits.fill(journal[:count]) == 1
    assert whole.fill(journal) == len(journal)
    assert whole.fill(journal) == 0
    assert [list(history._db.iterdump()) for history in (bits,)] == [list(history._db.iterdump()) for history in (whole,)]
