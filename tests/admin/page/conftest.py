"""The web page in a real browser, against the stage. Anything on the browser's console is a failure."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from router.admin import contract as c
from tests.admin.page.desk import Desk
from tests.admin.page.rows import order, session, venue
from tests.admin.page.stage import Stage, running, token

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
LOST = re.compile("Failed to load resource|WebSocket connection")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for the tests of a file."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    with api.sync_playwright() as play:
        launched = play.chromium.launch(executable_path=CHROMIUM)
        yield launched
        launched.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Five orders at two venues, with nothing wrong."""
    made = Stage()
    made.add(*(order(number, destination="PHEMEX" if number % 2 else "BINANCE") for number in range(1, 6)))
    made.venues = {row.name: row for row in (venue("BINANCE"), venue("PHEMEX"))}
    made.sessions = {row.name: row for row in (session("FIX.4.2:ROUTER->OMS42"), session("FIX.4.4:ROUTER->OMS44"))}
    made.budgets = [c.Budget(link="phemex", group="orders", requests=500, seconds=60, used=214, reserve=50, closed_for_s=0)]
    with running(made):
        yield made


@pytest.fixture
def opened(browser: Any, stage: Stage) -> Iterator[Callable[..., Desk]]:
    """Open the page with a token of a role; at the end the console must be empty, but for lost connections where a test made them."""
    made: list[tuple[Desk, Any]] = []

    def open_page(role: str = "trade", lost: bool = False, text: str = "", at: str = "", **options: Any) -> Desk:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        desk = Desk(context.new_page())
        desk.page.set_default_timeout(15_000)
        made.append((desk, context))

        def complain(said: str) -> None:
            if not (lost and LOST.search(said)):
                desk.faults.append(said)

        def alarmed(dialog: Any) -> None:
            complain(f"dialog: {dialog.message}")
            dialog.dismiss()

        desk.page.on("console", lambda message: complain(message.text))
        desk.page.on("pageerror", lambda error: complain(str(error)))
        desk.page.on("dialog", alarmed)
        desk.page.on("request", lambda request: desk.requests.append(request.url))
        desk.page.on("websocket", lambda socket: desk.requests.append(socket.url))
        desk.page.goto(at or stage.url)
        desk.page.fill("#token", text or token(role))
        desk.page.keyboard.press("Enter")
        return desk

    yield open_page
    complaints = [desk.faults for desk, _ in made]
    for _, context in made:
        context.close()
    assert complaints == [[] for _ in made]


@pytest.fixture
def desk(opened: Callable[..., Desk]) -> Desk:
    """The page of somebody who may trade."""
    made = opened()
    made.row(1).wait_for()
    return made
