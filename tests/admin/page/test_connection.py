"""Signing in, losing the router, and what comes from outside."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.admin.page.desk import Desk
from tests.admin.page.rows import HOSTILE, ago, alert, fill, order, reject, session, venue
from tests.admin.page.stage import Stage, token

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
expect = api.expect


class TestConnection:
    """Signing in, going away, coming back."""

    def test_a_wrong_token(self, opened: Callable[..., Desk]) -> None:
        """A token of another router gets back to the prompt with the reason, and is not kept."""
        desk = opened(lost=True, text=token("admin", secret="another router's secret, as long as ours is"))
        expect(desk.page.locator("#signin-error")).to_contain_text("does not take this token")
        expect(desk.page.locator("#desk")).to_be_hidden()
        assert desk.page.evaluate("sessionStorage.length") == 0

    def test_what_is_no_token(self, opened: Callable[..., Desk]) -> None:
        """Nonsense is not sent anywhere."""
        desk = opened(text="let me in")
        expect(desk.page.locator("#signin-error")).to_contain_text("That is not a token")
        assert not [each for each in desk.requests if "/v1/" in each]

    def test_signing_out_forgets(self, desk: Desk) -> None:
        """After signing out there is neither a token nor a row left in the page; a reload asks again."""
        desk.page.locator("#signout").click()
        expect(desk.page.locator("#token")).to_be_focused()
        expect(desk.page.locator("#orders-table button.open")).to_have_count(0)
        assert desk.page.evaluate("sessionStorage.length") == 0

    def test_a_reload_stays_signed_in(self, desk: Desk) -> None:
        """The token is asked for once a tab."""
        desk.page.reload()
        expect(desk.row(1)).to_be_visible()

    def test_away_and_back(self, stage: Stage, opened: Callable[..., Desk]) -> None:
        """Without the router the page says since when its data is old, and acts are off; back, it has fetched all anew."""
        desk = opened(lost=True)
        desk.live()
        stage.away = True
        stage.drop()
        expect(desk.page.locator("#away")).to_contain_text(re.compile(r"No connection to the router since \d\d:\d\d:\d\d UTC"))
        expect(desk.page.locator("#verdict-word")).to_have_text("Not known: no connection")
        expect(desk.row(1).get_by_role("button", name="Cancel…")).to_be_disabled()
        expect(desk.page.locator("#halt")).to_be_disabled()
        stage.orders.pop("261121-000002")
        stage.add(order(8, created=ago()))
        stage.away = False
        desk.page.locator("#retry").click()
        desk.live()
        expect(desk.row(8)).to_be_visible()
        expect(desk.row(2)).to_have_count(0)
        expect(desk.page.locator("#away")).to_be_hidden()
        expect(desk.page.locator("#halt")).to_be_enabled()

    def test_it_comes_back_by_itself(self, stage: Stage, opened: Callable[..., Desk]) -> None:
        """A stream that breaks is opened again without anybody's doing."""
        desk = opened(lost=True)
        desk.live()
        asked = stage.lists
        stage.drop()
        expect(desk.page.locator("#link")).to_have_text("reconnecting")
        desk.live()
        assert stage.lists == asked + 1

    def test_a_silent_stream_is_away(self, stage: Stage, opened: Callable[..., Desk]) -> None:
        """A connection that is open and says nothing, not even the status of each second, is not taken for well."""
        desk = opened(lost=True)
        desk.live()
        stage.away = True
        stage.silence()
        expect(desk.page.locator("#link")).to_have_text("reconnecting", timeout=12_000)

    def test_lagged_fetches_anew(self, stage: Stage, desk: Desk) -> None:
        """Told that it fell behind, the page asks for everything again."""
        desk.live()
        stage.add(order(8, created=ago()))
        stage.publish(kind="lagged")
        expect(desk.row(8)).to_be_visible()
        assert stage.lists == 2

    def test_a_token_that_expires(self, opened: Callable[..., Desk], stage: Stage) -> None:
        """When the router stops taking the token, the prompt comes back with the reason."""
        desk = opened(lost=True)
        desk.live()
        desk.page.evaluate(
            "text => sessionStorage.setItem('fixrouter.token', text)", token(secret="the secret of the router's next life, new")
        )
        stage.drop()
        expect(desk.page.locator("#signin-error")).to_contain_text("does not take this token")


class TestOutside:
    """What comes from outside stays text; nothing goes outside."""

    def test_hostile_texts_stay_texts(self, stage: Stage, opened: Callable[..., Desk]) -> None:
        """Markup in ids, symbols, texts and alerts is shown as it is, in the tables, an order's life and an act's dialog."""
        bad = dict.fromkeys(("cl_ord_id", "symbol", "text", "account", "destination", "unknown", "venue_order_id", "pending"), HOSTILE)
        stage.add(order(9, candidates=[HOSTILE], **bad))
        stage.alerts, stage.rejects = {1: alert(1, HOSTILE, rule=HOSTILE)}, [reject(1, text=HOSTILE, cl_ord_id=HOSTILE)]
        stage.venues["X"] = venue(HOSTILE, why=HOSTILE, state="down", up=False)
        stage.sessions["X"] = session(HOSTILE, halted=HOSTILE)
        desk = opened()
        expect(desk.row(9)).to_contain_text(HOSTILE)
        expect(desk.page.locator("#alerts-list")).to_contain_text(HOSTILE)
        stage.publish(kind="fill", fill=fill(1, order(9, **bad)))
        expect(desk.page.locator("#fills-table")).to_contain_text(HOSTILE)
        desk.row(9).get_by_role("button", name="Resolve…").click()
        expect(desk.page.locator("#act fieldset")).to_contain_text(HOSTILE)
        desk.page.keyboard.press("Escape")
        desk.row(9).get_by_role("button", name="261121-000009").click()
        expect(desk.page.locator("#life")).to_contain_text(HOSTILE)
        assert desk.page.locator("img, body script").count() == 0

    def test_everything_comes_from_the_router(self, stage: Stage, desk: Desk) -> None:
        """No request leaves for anywhere else, and the token is in no address."""
        desk.live()
        hosts = {each.replace("ws://", "http://").split("/")[2] for each in desk.requests}
        assert hosts == {stage.url.split("/")[2]}
        assert not [each for each in desk.requests if token("trade").split(".")[0] in each]

    def test_the_policy_holds(self, opened: Callable[..., Desk]) -> None:
        """Injected script and style do not run, and are seen by these tests' own watch of the console."""
        desk = opened()
        desk.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = true'}))")
        desk.page.evaluate("document.body.setAttribute('style', 'display: none')")
        assert desk.page.evaluate("window.ran") is None
        assert len([each for each in desk.faults if "Content Security Policy" in each]) == 2
        desk.faults.clear()
