"""What an operator sees on the page, and how it moves."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from router.admin import contract as c
from tests.admin.page.desk import Desk
from tests.admin.page.rows import ago, alert, fill, order, reject, venue
from tests.admin.page.stage import Stage

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
expect = api.expect


class TestSeen:
    """What is shown, and how it moves."""

    def test_rows_of_everything(self, stage: Stage, opened: Callable[..., Desk]) -> None:
        """Orders, venues with budgets, sessions, fills, rejects and alerts are there after signing in, with who it is."""
        stage.fills, stage.rejects, stage.alerts = [fill(1, order(1))], [reject(1)], {1: alert(1, "the clock is off", level="info")}
        page = opened().page
        expect(page.locator("#orders-table")).to_contain_text("OMS44-90001")
        expect(page.locator("#venues-table")).to_contain_text("214/500")
        expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", "214")
        expect(page.locator("#sessions-table")).to_contain_text("OMS42")
        expect(page.locator("#fills-table")).to_contain_text("64990")
        expect(page.locator("#rejects-table")).to_contain_text("not a multiple of the tick")
        expect(page.locator("#alerts-list")).to_contain_text("the clock is off")
        expect(page.locator("#who")).to_have_text("nina")
        expect(page.locator("#role")).to_have_text("trade")

    def test_all_is_well_in_words(self, desk: Desk) -> None:
        """With nothing wrong the first line says so."""
        expect(desk.page.locator("#verdict-word")).to_have_text("All is well")

    def test_what_is_wrong_is_named(self, stage: Stage, opened: Callable[..., Desk]) -> None:
        """Each thing that needs a person is named in the first line and counted in the title; a halt is a note."""
        stage.journal_failing = "No space left on device"
        stage.add(order(9, unknown="no answer for 12 s"))
        stage.venues["PHEMEX"] = venue("PHEMEX", state="down", up=False)
        stage.halted = [c.HaltRow(scope="all", name="", by="omar", why="drill", since=ago(60))]
        page = opened().page
        expect(page.locator("#verdict-word")).to_have_text("3 things need you")
        said = page.locator("#verdict-list")
        for words in ("journal cannot be written: No space left", "1 order unknown", "PHEMEX down since", "everything halted by omar"):
            expect(said).to_contain_text(words)
        expect(page).to_have_title("(3) fixrouter")

    def test_unknown_orders_come_first(self, stage: Stage, desk: Desk) -> None:
        """An order whose state is not known stands above all others, with the reason."""
        stage.publish(kind="order", order=order(2, unknown="no answer for 12 s", updated=ago()))
        expect(desk.page.locator("#orders-table button.open").first).to_have_text("261121-000002")
        expect(desk.row(2)).to_contain_text("UNKNOWN: no answer for 12 s")

    def test_an_update_moves_a_row(self, stage: Stage, desk: Desk) -> None:
        """A live update changes the row and puts it where it now belongs."""
        desk.page.locator("#orders-table").get_by_role("button", name="Filled").click()
        desk.page.mouse.move(5, 5)
        stage.publish(kind="order", order=order(4, cum_qty="10.5", updated=ago()))
        stage.publish(kind="order", order=order(5, cum_qty="9.75", updated=ago()))
        expect(desk.page.locator("#orders-table button.open")).to_have_text([f"261121-{n:06d}" for n in (1, 2, 3, 5, 4)])
        expect(desk.row(4)).to_contain_text("10.5")

    def test_the_focus_moves_with_its_row(self, stage: Stage, desk: Desk) -> None:
        """A row in focus that moves keeps the focus; one that goes hands it to the row in its place."""
        desk.page.locator("#orders-table").get_by_role("button", name="Filled").click()
        desk.page.mouse.move(5, 5)
        desk.row(2).get_by_role("button", name="261121-000002").focus()
        stage.publish(kind="order", order=order(2, cum_qty="3", updated=ago()))
        expect(desk.page.locator("#orders-table button.open").last).to_have_text("261121-000002")
        expect(desk.row(2).get_by_role("button", name="261121-000002")).to_be_focused()
        desk.page.keyboard.press("ArrowUp")
        expect(desk.row(5).get_by_role("button", name="261121-000005")).to_be_focused()
        stage.orders.pop("261121-000005")
        stage.publish(kind="lagged")
        expect(desk.row(5)).to_have_count(0)
        expect(desk.row(2).get_by_role("button", name="261121-000002")).to_be_focused()

    def test_rows_stay_under_the_mouse(self, stage: Stage, desk: Desk) -> None:
        """While the mouse is over the table rows keep their places, and what waits is counted; afterwards they move."""
        before = desk.shown()
        desk.row(3).hover()
        stage.publish(kind="order", order=order(7, created=ago(), updated=ago()))
        expect(desk.page.locator("#orders-note")).to_contain_text("1 more wait")
        assert desk.shown() == before
        desk.page.mouse.move(5, 5)
        expect(desk.page.locator("#orders-table button.open").first).to_have_text("261121-000007")

    def test_an_ended_order_is_greyed_then_gone(self, stage: Stage, opened: Callable[..., Desk]) -> None:
        """An order that ends stays in sight for a moment, greyed and without acts; later it is under Done only."""
        desk = opened()
        expect(desk.row(2)).to_be_visible()
        stage.publish(kind="order", order=order(2, status="filled", done=True, leaves_qty="0", updated=ago()))
        expect(desk.row(2)).to_have_attribute("data-tone", "done")
        expect(desk.row(2).locator("button.act")).to_have_count(0)
        expect(desk.row(2)).to_have_count(0, timeout=10_000)
        desk.page.get_by_text("Done", exact=True).click()
        expect(desk.row(2)).to_contain_text("filled")

    def test_an_older_row_does_not_overwrite(self, stage: Stage, desk: Desk) -> None:
        """What was asked and what was streamed may cross: the newer wins."""
        stage.publish(kind="order", order=order(3, cum_qty="4", updated=ago(1)))
        expect(desk.row(3)).to_contain_text("4")
        stage.publish(kind="order", order=order(3, cum_qty="1", updated=ago(60)))
        stage.publish(kind="order", order=order(6, updated=ago()))
        expect(desk.row(6)).to_be_visible()
        expect(desk.row(3).locator("td.amount").nth(2)).to_have_text("4")

    def test_the_worst_alerts_come_first(self, stage: Stage, desk: Desk) -> None:
        """Active alerts stand by level, then by age; one that is cleared goes to the end at once."""
        rows = [alert(1, "bad", level="critical"), alert(2, "old"), alert(3, "new"), alert(4, "worse", level="critical")]
        for row in rows:
            stage.publish(kind="alert", alert=row)
        said = desk.page.locator("#alerts-list .what")
        expect(said).to_have_text(["worse", "bad", "new", "old"])
        expect(desk.page.locator("#alerts-count")).to_have_text("4 active")
        stage.publish(kind="alert", alert=alert(4, "worse", level="critical", active=False, cleared=ago()))
        expect(said).to_have_text(["bad", "new", "old", "worse"])

    def test_a_fill_is_shown_once(self, stage: Stage, desk: Desk) -> None:
        """A fill that was asked for and comes by the stream too is one row."""
        for number in (1, 1, 2):
            stage.publish(kind="fill", fill=fill(number, order(1)))
        expect(desk.page.locator("#fills-table button.open")).to_have_count(2)

    def test_five_hundred_rows_at_most(self, stage: Stage, opened: Callable[..., Desk]) -> None:
        """Of many orders 500 are shown, which is said; the filter finds the others."""
        stage.add(*(order(number) for number in range(10, 700)))
        desk = opened()
        expect(desk.page.locator("#orders-note")).to_contain_text("the first 500 of 695")
        assert len(desk.shown()) == 500
        desk.page.fill("#orders-filter", "oms44-90010 phemex")
        expect(desk.page.locator("#orders-table button.open")).to_have_text(["261121-000010"])

    def test_latency_charts(self, desk: Desk) -> None:
        """A chart a stage with labeled axes; the arrow keys read values at a time."""
        chart = desk.page.locator("figure", has_text="venue answer").locator("svg")
        expect(chart.locator("path.p99")).to_have_attribute("d", re.compile("L"))
        expect(chart.locator("text.tick").filter(has_text="ms").first).to_be_visible()
        chart.focus()
        desk.page.keyboard.press("ArrowLeft")
        expect(desk.page.locator("figure", has_text="venue answer").locator(".readout")).to_have_text(
            re.compile(r"^\d\d:\d\d:\d\d: p50 2\.\d\d ms")
        )

    def test_an_orders_life(self, desk: Desk) -> None:
        """The life is drawn with an arrow for each message, exact times and what lay between, and both sides' ids can be copied."""
        desk.row(1).get_by_role("button", name="261121-000001").click()
        life = desk.page.locator("#life")
        expect(life.locator("tr.input td.time").first).to_have_text("08:00:03.123456")
        expect(life.locator("tr.input").nth(1)).to_contain_text("+2.31 ms")
        expect(life.locator("tr.gap").first).to_contain_text("12.0 s later")
        expect(life.locator("line.arrow")).to_have_count(13)
        expect(life).to_contain_text("8f3a21c0-0001")
        for what in ("OrderID", "ClOrdID", "venue's OrderID", "our id there"):
            expect(life.get_by_role("button", name=f"Copy {what}", exact=True)).to_be_visible()
        expect(life.locator("table.fills")).to_contain_text("0.00001250 BTC")

    def test_any_id_is_found(self, opened: Callable[..., Desk]) -> None:
        """Enter in the filter asks the router for an id that is not in the table; one that it does not know gets what was perhaps meant."""
        desk = opened(lost=True)
        desk.live()
        desk.page.fill("#orders-filter", "no-such-id")
        desk.page.keyboard.press("Enter")
        expect(desk.page.locator("#life-body")).to_contain_text("there is no order no-such-id")
        desk.page.locator("#life-body").get_by_role("button", name="261121-000001").click()
        expect(desk.page.locator("#life .standing")).to_have_text("new")


class TestLooks:
    """Themes and widths."""

    def test_dark_follows_the_system_until_switched(self, opened: Callable[..., Desk]) -> None:
        """The page is dark where the system is, and as it was switched after a reload."""
        page = opened(color_scheme="dark").page
        ground = "getComputedStyle(document.body).backgroundColor"
        dark = page.evaluate(ground)
        page.locator("#theme").click()
        assert page.evaluate(ground) != dark
        page.reload()
        expect(page.locator("#theme")).to_have_text("theme: light")

    @pytest.mark.parametrize("width", [800, 1280, 1920])
    def test_it_fits(self, stage: Stage, opened: Callable[..., Desk], width: int) -> None:
        """At each width the page does not scroll sideways, and an order's button to cancel is in sight."""
        desk = opened(viewport={"width": width, "height": 1000})
        expect(desk.row(1).get_by_role("button", name="Cancel…")).to_be_in_viewport()
        assert desk.page.evaluate("document.documentElement.scrollWidth") <= width


class TestWords:
    """The pure functions, in the browser that runs them."""

    @staticmethod
    def call(desk: Desk, expression: str) -> Any:
        """A value made with words.js."""
        return desk.page.evaluate(f"async () => {{ const w = await import('/words.js'); return {expression}; }}")

    def test_amounts_are_ordered_exactly(self, desk: Desk) -> None:
        """Digit by digit, also beyond what a float can tell apart, and below zero."""
        rising = [
            "",
            "-10.5",
            "-9",
            "-0.1",
            "0.00",
            "0.1",
            "0.10000000000000000001",
            "9",
            "10",
            "90071992547409930.1",
            "90071992547409930.2",
        ]
        for low, high in pairwise(rising):
            assert self.call(desk, f"w.byAmount('{low}', '{high}')") < 0 < self.call(desk, f"w.byAmount('{high}', '{low}')")
        assert self.call(desk, "w.byAmount('1.50', '01.5')") == 0

    def test_spans(self, desk: Desk) -> None:
        """A span is said in the unit that reads best."""
        said = {0: "0 µs", 412: "412 µs", 2310: "2.31 ms", 1_204_000: "1.204 s", 95_000_000: "1 min 35 s", 11_100_000_000: "3 h 5 min"}
        assert [self.call(desk, f"w.span({us})") for us in said] == list(said.values())
        assert self.call(desk, "w.micros('2026-11-21T08:00:00.000001Z') - w.micros('2026-11-21T07:59:59.999999Z')") == 2
