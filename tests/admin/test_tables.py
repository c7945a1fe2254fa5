"""What an operator reads: tables at every width, times, and texts from outside."""

from __future__ import annotations

import io
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from router.admin import contract as c
from router.admin import desk, sheets, toolbar
from router.admin.fitting import fitted
from router.admin.tables import listing
from router.admin.texts import as_json, brief, clean, lasting, moment, size
from router.admin.words import COMMANDS, Request, read, split
from tests.admin import fake_api as fake

DAY = "2026-11-21"
FULL = {
    "status": fake.status(halted=[c.HaltRow(scope="session", name=fake.SESSION, by="ann", why=fake.HOSTILE, since=fake.NIGHT)]),
    "whoami": c.Me(name="ann", role=c.Role.VIEW, expires=fake.NIGHT),
    "session": fake.session(), "venue": fake.venue(name=fake.HOSTILE), "order": fake.life(),
    "orders": c.Page(rows=[fake.unknown_order(), fake.order()], more=True, after="261121080000-42"),
    **{path.rpartition("/")[2]: told for path, told in fake.FakeApi().says.items()
       if path.count("/") == 2 and path not in ("/v1/status", "/v1/orders", "/v1/acts")},
    "ask": [c.BookRow(destination="PHEMEX", fields={"id": fake.HOSTILE, "qty": "5"}, error=""),
            c.BookRow(destination="PHEMEX", fields={}, error=fake.HOSTILE)],
}  # fmt: skip


def printed(what: RenderableType, width: int = 100, colour: bool = False) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=colour, color_system="standard" if colour else None, highlight=False).print(what)
    return out.getvalue()


def seen(name: str, told: Any, width: int) -> str:
    command = next(each for each in COMMANDS if each.name == name)
    return printed(desk.shown(Request(command), told, width, DAY), width)


@pytest.mark.parametrize("width", [40, 80, 120, 160, 400])
@pytest.mark.parametrize("name", [each.name for each in COMMANDS if each.act is None])
def test_every_answer_is_shown_at_every_width(name: str, width: int) -> None:
    """Each command that sees has a rendering; no line is wider than the terminal, and nothing in it drives the terminal."""
    text = seen(name, FULL[name], width)
    assert text.strip()
    assert max(map(len, text.splitlines())) <= width
    assert not any(unicodedata.category(each) == "Cc" for each in text if each != "\n")


@given(st.integers(80, 250), st.lists(st.decimals(0, 10**9, places=8), min_size=3))
def test_an_amount_is_never_cut(width: int, amounts: list[Any]) -> None:
    """Where the width does not do, columns go; amounts that are shown are exact."""
    rows = [fake.order(number, order_qty=f"{amount:f}", price=f"{amount:f}") for number, amount in enumerate(amounts)]
    text = printed(fitted(listing(rows, c.OrderRow, DAY), width), width)
    for amount in amounts:
        assert f"{amount:f} " in text


def test_a_narrow_table_says_what_it_leaves_out() -> None:
    """At 80 columns ids are short and columns missing, and that is said; at 400 everything is there."""
    narrow, wide = seen("orders", FULL["orders"], 80), seen("orders", FULL["orders"], 400)
    assert "not shown at this width: " in narrow
    assert "not shown" not in wide
    assert fake.order().venue_order_id in wide
    assert fake.order().cl_ord_id in wide


def test_why_an_order_is_unknown_is_told_at_any_width() -> None:
    """The note has a line of its own where its column has no room."""
    for width in (80, 400):
        assert "no answer to the create for 12 s; at the venue it may be 8f3a99" in seen("orders", FULL["orders"], width)


def test_an_order_of_long_ago_has_no_gaps_in_its_words() -> None:
    """The history has its quantity and price, and not its type."""
    order = fake.order(order_qty="2", symbol="BTC/USD", price="61740.5", ord_type="", time_in_force="")
    text = seen("order", fake.life().model_copy(update={"order": order}), 100)
    assert "2 BTC/USD at 61740.5\n" in "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def test_why_a_session_is_halted_and_a_destination_is_down_is_told_at_any_width() -> None:
    """Likewise."""
    for width in (60, 80, 400):
        assert "by ann: fat fingers" in seen("sessions", [fake.session(halted="by ann: fat fingers")], width)
        assert "no Logon for 40 s" in seen("venues", FULL["venues"], width).replace("\n", " ")


def test_bad_states_are_words_without_colour() -> None:
    """Colour says nothing that a word does not say."""
    assert "UNKNOWN" in seen("orders", FULL["orders"], 80)
    assert "HALTED" in seen("status", FULL["status"], 80)
    assert "down" in seen("venues", FULL["venues"], 80)
    assert "switched off" in seen("sessions", [fake.session(enabled=False)], 80)


def test_money_stands_to_the_right() -> None:
    """Amounts end in one column."""
    rows = [fake.order(1, order_qty="1"), fake.order(2, order_qty="10000.5")]
    lines = [line for line in printed(fitted(listing(rows, c.OrderRow, DAY), 160), 160).splitlines() if " buy " in line]
    assert len({line.index(qty) + len(qty) for line, qty in zip(lines, (" 1 ", " 10000.5 "), strict=True)}) == 1


def test_more_rows_are_announced() -> None:
    """A page that is not the last says how to go on."""
    request = read(split("orders open destination=PHEMEX after=1-1"))
    assert "there are more: orders state=open destination=PHEMEX after=261121080000-42" in printed(
        desk.shown(request, FULL["orders"], 160, DAY), 160
    )


def test_an_empty_listing_says_so() -> None:
    """Nothing is said in words."""
    assert seen("alerts", [], 80).strip() == "no alerts: all is well"
    assert seen("orders", c.Page(rows=[], more=False, after=""), 80).strip() == "no orders"


def test_a_venue_that_did_not_tell_is_named() -> None:
    """One venue's silence does not hide the others' rows."""
    text = seen("balances", FULL["balances"], 80)
    assert "1.20000000" in text
    assert "MOONBASE did not tell: no answer within 5 s" in text


def test_venues_that_tell_different_things_have_tables_of_their_own() -> None:
    """No venue's amounts are left out because another has more columns."""
    rows = [c.BookRow(destination="A", fields={f"name{at}": "0.00" for at in range(20)} | {"asset": "BTC", "free": "0.125"}, error=""),
            c.BookRow(destination="B", fields={"balance": "7.25"}, error="")]  # fmt: skip
    assert all(each in seen("balances", rows, 80) for each in ("7.25", "BTC", "0.125"))
    assert seen("balances", [], 80).strip() == "nothing"
    assert seen("balances", [c.BookRow(destination="A", fields={}, error="away")], 80) == "nothing\nA did not tell: away\n"


def test_what_names_a_thing_stands_first_and_always_stays() -> None:
    """Whatever the venue's spelling and order, and however many amounts there are; then amounts, then the rest."""
    fields = {f"amount{at}": "12345.678" for at in range(20)} | {"note": "text"}
    for name in ("asset", "currency", "coin", "symbol", "order_id", "orderId", "our_order", "side"):
        rows = [c.BookRow(destination="MOONBASE", fields=fields | {name: "WHAT"}, error="")]
        for width in (60, 160):
            text = seen("balances", rows, width)
            head = text.splitlines()[0].split()
            assert head[:3] == ["destination", name, "amount0"] and "WHAT" in text
            assert "note" not in head and "amount19, note" in text
    names = {"our_order": "261121080000-42", "order_id": "85906b94-3784-4e15-ac19-590bc5af4aff", "symbol": "BTCUSD"}
    text = seen("balances", [c.BookRow(destination="MOONBASE", fields=fields | names, error="")], 40)
    assert not [name for name in names if name in text.partition("not shown")[2]]
    text = seen(
        "balances",
        [c.BookRow(destination="A", fields={"note": "x", "accountId": "7", "bid": "1", "coin": "b", "held": "0"}, error="")],
        160,
    )
    assert text.splitlines()[0].split() == ["destination", "coin", "bid", "held", "note", "accountId"]


def test_what_an_act_would_do_is_listed() -> None:
    """A preview names what it is about; a refusal begins with no."""
    told = c.ActDone(act="halt", ok=False, text="not \x1b[2J now", by="ann", why="", time=fake.NIGHT, details=["a", "b"])
    assert [line.rstrip() for line in printed(sheets.done(told)).splitlines()] == ["no: not \ufffd[2J now", "  a", "  b"]


def test_many_details_are_counted() -> None:
    """The question after them stays in sight."""
    told = c.ActDone(act="cancel-all", ok=True, text="30 orders", by="a", why="", time="", preview=True, details=["x"] * 30)
    lines = [line.strip() for line in printed(sheets.done(told)).splitlines()]
    assert lines == ["30 orders", *["x"] * 12, "… and 18 more like these"]


@pytest.mark.parametrize(
    ("time", "today", "told"),
    [
        ("2026-11-21T03:00:00.123456Z", DAY, "03:00:00.123"),
        ("2026-11-20T23:59:59.999999Z", DAY, "2026-11-20 23:59:59.999"),
        ("2026-11-21T01:00:00+02:00", DAY, "2026-11-20 23:00:00.000"),
        ("", DAY, ""),
        ("soon\x1b", DAY, "soon\ufffd"),
    ],
)
def test_times(time: str, today: str, told: str) -> None:
    """UTC to the millisecond, with the date when it is not today."""
    assert moment(time, today) == told


def test_spans_and_sizes() -> None:
    """In the two largest units; nothing is told that is nought."""
    spans = {0: "0 s", 0.4: "0.4 s", 12: "12 s", 60: "1 min", 93_784: "1 d 2 h", 3_601: "1 h", 86_400: "1 d"}
    assert {each: lasting(each) for each in spans} == spans
    assert [size(each) for each in (0, 999, 48_200_000, 3 * 10**15)] == ["0 B", "999 B", "48.2 MB", "3000.0 TB"]


@given(st.text())
def test_no_text_from_outside_drives_the_terminal(text: str) -> None:
    """No control, no direction override, no line separator is left; what is plain is unchanged."""
    cleaned = clean(text)
    assert not any(unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co") for each in cleaned)
    assert len(cleaned) == len(text)
    assert clean(cleaned) == cleaned


@given(st.text(), st.integers(3, 40))
def test_a_short_id_keeps_its_end(text: str, width: int) -> None:
    """Ids differ at their ends."""
    short = brief(text, width)
    assert len(short) <= width
    assert short[-1:] == text[-1:]


def test_json_is_whole() -> None:
    """Nothing is shortened or cleaned away in a document for scripts."""
    assert c.Page.model_validate_json(as_json(FULL["orders"])) == FULL["orders"]  # type: ignore[arg-type]
    assert as_json([]) == "[]"


class TestToolbar:
    """The console's bottom line."""

    def test_a_quiet_night(self) -> None:
        """Nothing is in capitals or in red."""
        line = toolbar.line(toolbar.Live(status=fake.status()), 80)
        assert {style for style, _ in line} == {""}
        assert "".join(text for _, text in line) == " open 12  unknown 0  sessions 3/6  venues 7/7  alerts 0  03:00:05 UTC "

    def test_what_is_bad_is_first_and_in_capitals(self) -> None:
        """Journal, unknown orders, halts, venues and alerts push the rest out where there is no room."""
        halt = c.HaltRow(scope="all", name="", by="ann", why="x", since=fake.NIGHT)
        bad = fake.status(unknown_orders=2, halted=[halt], journal_failing="no space", alerts=3, destinations={"up": 5, "total": 7})
        line = toolbar.line(toolbar.Live(status=bad), 75)
        assert [text.strip() for style, text in line if style == "class:bad"] == [
            "JOURNAL FAILING", "UNKNOWN 2", "HALTED all", "VENUES 5/7", "ALERTS 3",
        ]  # fmt: skip
        assert sum(len(text) for _, text in line) <= 75

    def test_an_absent_router_is_all_there_is_to_say(self) -> None:
        """No figures of before are shown as if they were of now."""
        assert toolbar.line(toolbar.Live(status=fake.status(), away="the router is away"), 80) == [("class:bad", " the router is away ")]
