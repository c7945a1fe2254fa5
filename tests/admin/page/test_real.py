"""The page with the admin API itself, on a real core: what the stage stands in for elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from router.admin.contract import Role
from tests.admin.page.desk import Desk
from tests.admin.stage import Stage as Router

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
expect = api.expect


@pytest.fixture
def router(tmp_path: Path) -> Iterator[Router]:
    """A running API with one order at the venue."""
    made = Router(tmp_path)
    made.new("CLI-1")
    made.accept()
    made.url = f"http://127.0.0.1:{made.server.start()}"
    yield made
    made.server.stop(5)
    made.world.close()


def test_an_order_from_new_to_canceled(router: Router, opened: Callable[..., Desk]) -> None:
    """A new order appears, its fill shows, its life is drawn, and a cancel with a reason goes to the venue and into the journal."""
    page = opened(at=router.url, text=router.token(Role.TRADE)).page
    expect(page.locator("#link")).to_have_text("live")
    expect(page.locator("#verdict-word")).to_be_visible()
    orders = page.locator("#orders-table")
    expect(orders).to_contain_text("CLI-1")
    order_id = router.new("CLI-2")
    expect(orders).to_contain_text("CLI-2")
    router.fill("0.25")
    expect(orders).to_contain_text("0.25")
    expect(page.locator("#fills-table")).to_contain_text("0.25")
    orders.get_by_role("button", name=order_id).click()
    expect(page.locator("#life tr.input").first).to_contain_text("NewOrder asks to buy 1 BTC/USDT @ 100", timeout=30_000)
    expect(page.locator("#life path.head").first).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#cancel-all").click()
    expect(page.locator("#act button.confirm")).to_have_text("Cancel 2 orders")
    page.fill("#act-why", "end of the test")
    page.locator("#act button.confirm").click()
    expect(page.locator("#act .preview")).to_contain_text("Done")
    expect(page.locator("#operators-list")).to_contain_text("end of the test")
    assert [(each.by, each.why, each.ok) for each in router.commanded] == [("ann", "end of the test", True)]


def test_a_full_disk_is_told(router: Router, opened: Callable[..., Desk]) -> None:
    """An act that cannot be journaled is not done, and the dialog says why."""
    desk = opened(lost=True, at=router.url, text=router.token(Role.ADMIN))
    desk.live()
    desk.page.keyboard.press("h")
    desk.page.fill("#act-why", "drill")
    expect(desk.page.locator("#act button.confirm")).to_be_enabled()
    router.world.full = True
    desk.page.locator("#act button.confirm").click()
    expect(desk.page.locator("#act .preview")).to_contain_text("No space left on device")
    expect(desk.page.locator("#act .preview")).to_contain_text("Refused")


def test_the_token_of_another_router(router: Router, opened: Callable[..., Desk]) -> None:
    """It is not taken, and the prompt says so."""
    desk = opened(lost=True, at=router.url)
    expect(desk.page.locator("#signin-error")).to_contain_text("does not take this token")
