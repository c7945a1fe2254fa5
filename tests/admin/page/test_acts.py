"""What an operator does on the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from router.admin import contract as c
from tests.admin.page.desk import Desk
from tests.admin.page.rows import ago, order
from tests.admin.page.stage import Stage

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
expect = api.expect


class TestActs:
    """What an operator does: seen first, with a reason, named on the button."""

    def test_canceling_with_the_keyboard_alone(self, stage: Stage, desk: Desk) -> None:
        """Filter, go to the row, c, a reason, Enter: canceled, and the focus is back on the row."""
        keys = desk.page.keyboard
        keys.press("/")
        keys.type("90003")
        keys.press("ArrowDown")
        keys.press("c")
        confirm = desk.page.get_by_role("button", name="Cancel order 261121-000003")
        expect(desk.page.locator("#act .preview")).to_contain_text("would cancel 1 open order")
        expect(confirm).to_be_disabled()
        keys.type("client asked")
        expect(confirm).to_be_enabled()
        keys.press("Enter")
        expect(desk.page.locator("#act .preview")).to_contain_text("Done: cancel 1 open order")
        assert stage.asked[-1] == ("cancel", False, {"order": "261121-000003", "why": "client asked"})
        expect(desk.page.get_by_role("button", name="Close")).to_be_focused()
        keys.press("Enter")
        expect(desk.row(3).get_by_role("button", name="261121-000003")).to_be_focused()

    def test_without_a_reason_nothing_is_done(self, stage: Stage, desk: Desk) -> None:
        """Enter without a reason, or with blanks for one, does nothing; neither does leaving."""
        desk.row(1).get_by_role("button", name="Cancel…").click()
        expect(desk.page.locator("#act .preview")).to_contain_text("would cancel")
        desk.page.fill("#act-why", "   ")
        desk.page.keyboard.press("Enter")
        expect(desk.page.locator("#act button.confirm")).to_be_disabled()
        desk.page.keyboard.press("Escape")
        assert [preview for _, preview, _ in stage.asked] == [True]

    def test_cancel_all_names_how_many_and_where(self, stage: Stage, desk: Desk) -> None:
        """The button says the number and the venue that the router's preview said, anew when a field changes."""
        desk.page.locator("#cancel-all").click()
        expect(desk.page.get_by_role("button", name="Cancel 5 orders", exact=True)).to_be_visible()
        desk.page.get_by_label("destination").select_option("PHEMEX")
        confirm = desk.page.get_by_role("button", name="Cancel 3 orders at PHEMEX")
        expect(desk.page.locator("#act .preview li")).to_have_count(3)
        desk.page.fill("#act-why", "venue in trouble")
        confirm.click()
        expect(desk.page.locator("#act .preview")).to_contain_text("Done")
        assert stage.asked[-1] == ("cancel-all", False, {"destination": "PHEMEX", "why": "venue in trouble"})
        expect(desk.page.locator("#operators-list")).to_contain_text("venue in trouble")

    def test_a_late_preview_is_not_shown(self, stage: Stage, desk: Desk) -> None:
        """The answer about what was asked before a field changed does not take the place of the newer one."""
        stage.hold = True
        with desk.page.expect_request("**/v1/acts/cancel-all?preview=true"):
            desk.page.locator("#cancel-all").click()
        desk.page.wait_for_function("document.querySelector('#act .preview').textContent")
        while not stage.asked:
            desk.page.evaluate("0")
        stage.hold = False
        desk.page.get_by_label("destination").select_option("PHEMEX")
        confirm = desk.page.locator("#act button.confirm")
        expect(confirm).to_have_text("Cancel 3 orders at PHEMEX")
        with desk.page.expect_response("**/v1/acts/cancel-all?preview=true") as late:
            stage.release()
        late.value.finished()
        desk.page.evaluate("new Promise(done => setTimeout(done))")
        expect(desk.page.locator("#act .preview li")).to_have_count(3)
        expect(confirm).to_have_text("Cancel 3 orders at PHEMEX")

    def test_halting_a_venue(self, stage: Stage, desk: Desk) -> None:
        """From the venue's row: the scope and name are settled."""
        desk.page.get_by_role("button", name="Acts on PHEMEX").click()
        desk.page.get_by_role("button", name="Halt…").last.click()
        desk.page.fill("#act-why", "drill")
        desk.page.get_by_role("button", name="Halt destination PHEMEX").click()
        expect(desk.page.locator("#act .preview")).to_contain_text("Done")
        assert stage.asked[-1] == ("halt", False, {"scope": "destination", "name": "PHEMEX", "why": "drill"})

    def test_halting_and_resuming_everything(self, stage: Stage, desk: Desk) -> None:
        """The button at the top offers everything first; resume offers what is halted."""
        expect(desk.page.locator("#resume")).to_be_hidden()
        desk.page.keyboard.press("h")
        expect(desk.page.get_by_role("button", name="Halt everything")).to_be_visible()
        desk.page.keyboard.press("Escape")
        stage.halted = [c.HaltRow(scope="session", name="FIX.4.4:ROUTER->OMS44", by="omar", why="drill", since=ago(60))]
        desk.page.locator("#resume").click()
        expect(desk.page.get_by_role("button", name="Resume session FIX.4.4:ROUTER->OMS44")).to_be_visible()

    @pytest.mark.parametrize(
        ("choice", "button", "body"),
        [
            ("It is V-2 at PHEMEX", "It is V-2", {"venue_order_id": "V-2"}),
            ("It was never placed: it never reached the venue", "Declare 261121-000009 never placed", {"not_placed": True}),
        ],
    )
    def test_resolving(self, stage: Stage, opened: Callable[..., Desk], choice: str, button: str, body: dict[str, Any]) -> None:
        """An unknown order's candidates are offered, and that it was never placed; nothing is chosen beforehand."""
        stage.add(order(9, unknown="no answer for 12 s", candidates=["V-1", "V-2"]))
        desk = opened()
        desk.row(9).get_by_role("button", name="Resolve…").click()
        expect(desk.page.locator("#act .preview")).to_have_text("Choose first what the order is.")
        desk.page.get_by_label(choice).check()
        desk.page.fill("#act-why", "asked the venue")
        desk.page.get_by_role("button", name=button, exact=True).click()
        expect(desk.page.locator("#act .preview")).to_contain_text("Done")
        assert stage.asked[-1] == ("resolve", False, {"order": "261121-000009", "why": "asked the venue", **body})

    def test_a_lost_answer_is_not_a_no(self, stage: Stage, opened: Callable[..., Desk]) -> None:
        """When the answer to an act is lost the page says that it is not known, and does not offer to repeat it."""
        desk = opened(lost=True)
        stage.lose_acts = True
        desk.row(1).get_by_role("button", name="Cancel…").click()
        expect(desk.page.locator("#act .preview")).to_contain_text("would cancel")
        desk.page.fill("#act-why", "client asked")
        desk.page.locator("#act button.confirm").click()
        expect(desk.page.locator("#act .preview")).to_contain_text("Whether it was done is NOT known")
        expect(desk.page.locator("#act button.confirm")).to_have_count(0)

    def test_who_may_only_look(self, opened: Callable[..., Desk]) -> None:
        """The role view has no button that acts, no key that does, and is told which role would."""
        desk = opened("view")
        expect(desk.row(1)).to_be_visible()
        expect(desk.page.locator("button.act:visible")).to_have_count(0)
        expect(desk.page.locator("#only-view")).to_have_text("You may look; to act needs the role trade.")
        desk.row(1).get_by_role("button").focus()
        for key in "ch":
            desk.page.keyboard.press(key)
        expect(desk.page.locator("#act")).to_be_hidden()

    def test_a_role_that_is_too_small_is_named(self, desk: Desk) -> None:
        """Of a venue's acts those for admin are off, and say so."""
        desk.page.get_by_role("button", name="Acts on BINANCE").click()
        expect(desk.page.get_by_role("button", name="Switch off…")).to_be_disabled()
        expect(desk.page.locator("#choice-list")).to_contain_text("needs the role admin")
        expect(desk.page.get_by_role("button", name="Reconcile…")).to_be_enabled()
