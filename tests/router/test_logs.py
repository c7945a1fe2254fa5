"""Logs: one line an event, orders by both ids, secrets never."""

from __future__ import annotations

import io
import json

from router.logs import Narrator
from tests.router.desk import Desk


def test_each_effect_is_a_line_with_both_ids() -> None:
    """ClOrdID and OrderID in every line about an order."""
    stream = io.StringIO()
    narrator = Narrator(stream, form="json")
    desk = Desk()
    desk.new()
    desk.accept()
    desk.cancel(orig="nobody")
    narrator.observe(desk.inputs[-1][1], desk.said)
    narrator.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["place", "report", "cancel reject"]
    assert (lines[1]["cl_ord_id"], lines[1]["order_id"]) == ("a", desk.order().order_id)
    assert lines[0]["order_id"] == desk.order().order_id


def test_secrets_are_not_written_whoever_passes_them() -> None:
    """By the name they come under."""
    stream = io.StringIO()
    narrator = Narrator(stream)
    narrator.note("logon", secret="hunter2", password="hunter3", user="me")
    narrator.close()
    assert "hunter" not in stream.getvalue()
    assert "user=me" in stream.getvalue()


def test_a_value_cannot_break_the_line() -> None:
    """A client's id with blanks, quotes or line ends in it stays one quoted value."""
    stream = io.StringIO()
    narrator = Narrator(stream)
    desk = Desk()
    desk.new('a "b"\nlevel=error', price=None)
    narrator.observe(desk.inputs[-1][1], desk.said)
    narrator.close()
    assert stream.getvalue().count("\n") == 1
    assert 'cl_ord_id="a \\"b\\"\\nlevel=error"' in stream.getvalue()


def test_the_level_decides_what_is_written() -> None:
    """Less noise on request."""
    stream = io.StringIO()
    narrator = Narrator(stream, level="warning")
    narrator.note("small")
    narrator.note("big", level="error")
    narrator.close()
    assert stream.getvalue().count("\n") == 1


def test_a_closed_output_stops_nothing() -> None:
    """The router goes on when nobody reads its log."""
    stream = io.StringIO()
    stream.close()
    narrator = Narrator(stream)
    narrator.note("into the void")
    narrator.close()
