"""What operators order: checked, previewed, done, and journaled with who, why and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from router.acts import CancelOrders, Commanded, Halt, Switch, Switched
from router.admin.contract import ACTS, Role
from router.admin.plans import PLANS
from router.model import Cancel, Place, Unanswered
from router.words import OrdStatus
from tests.admin.stage import LINK, Stage, Told
from tests.router.desk import SECOND, SESSION, D

DESTRUCTIVE = [each.name for each in ACTS if each.destroys]
GOOD: dict[str, dict[str, Any]] = {
    "halt": {"scope": "all"},
    "resume": {"scope": "all"},
    "cancel": {"order": "a"},
    "cancel-all": {},
    "reconcile": {"destination": "BINANCE"},
    "resolve": {"order": "a", "not_placed": True},
    "mark-done": {"order": "a"},
    "fill-correct": {"order": "a", "exec_id": "x", "last_qty": "1", "last_px": "2"},
    "fill-bust": {"order": "a", "exec_id": "x"},
    "venue": {"destination": "BINANCE", "do": "disable"},
    "session": {"session": SESSION, "do": "logout"},
    "resend": {"session": SESSION, "begin": "1", "end": "0"},
    "assign-margin": {"destination": "BINANCE", "symbol": "BTC/USDT", "margin": "0.5"},
    "reload": {},
    "stop": {},
}


def test_every_act_of_the_contract_has_a_plan_and_an_example_here() -> None:
    """No act without a doer."""
    assert set(PLANS) == set(GOOD) == {each.name for each in ACTS}


class TestBody:
    """What is said wrongly is answered with the field and what was perhaps meant, and nothing happens."""

    @pytest.mark.parametrize("name", DESTRUCTIVE)
    async def test_a_reason_is_needed_to_destroy(self, tmp_path: Path, name: str) -> None:
        """But not to look."""
        async with Stage(tmp_path) as stage:
            stage.new()
            before = len(stage.inputs)
            status, body = await stage.act(name, why="  ", **GOOD[name])
            assert (status, body["error"].partition(":")[0]) == (400, "why is missing")
            assert len(stage.inputs) == before

    @pytest.mark.parametrize(
        ("name", "arguments", "said", "candidates"),
        [
            ("halt", {"scope": "al"}, "scope: al is none of", ["all"]),
            ("halt", {}, "scope is missing", ["all", "session", "account", "destination"]),
            ("halt", {"scope": "session"}, "name is missing", []),
            ("halt", {"scope": "all", "name": "x"}, "name: nothing is named", []),
            ("halt", {"scope": "session", "name": "FIX.4.2:ROUTER->OM"}, "name: there is no session", [SESSION]),
            ("halt", {"scope": "destination", "name": "BINANC"}, "name: there is no destination", ["BINANCE"]),
            ("halt", {"scope": "all", "what": "x"}, "what: halt has no such argument", None),
            ("cancel-all", {"destination": "BINANC"}, "destination: there is no destination", ["BINANCE"]),
            ("cancel-all", {"symbol": "BTC/USD"}, "symbol: there is no symbol", None),
            ("cancel-all", {"symbol": 1.5}, "symbol: a text is expected", []),
            ("cancel-all", {"symbol": 7}, "symbol: a text is expected", []),
            ("cancel-all", {"account": ["x"]}, "account: a text is expected", []),
            ("cancel-all", {"account": "x" * 300}, "account: at most 256", []),
            ("cancel-all", {"account": "a\x01b"}, "account: it has characters", []),
            ("cancel-all", {"why": "one\ntwo"}, "why: it has characters", []),
            ("cancel-all", {"why": "x" * 500}, "why: at most 400", []),
            ("stop", {"cancel_all": "yes"}, "cancel_all: true or false", []),
            ("resend", {"session": SESSION, "begin": "1.5", "end": "0"}, "begin: 1.5 is not a whole number", []),
            ("resend", {"session": SESSION, "begin": "0", "end": "0"}, "begin: 0 is not a whole number from 1", []),
            ("resend", {"session": SESSION, "begin": "5", "end": "4"}, "end: 4 is before 5", []),
            ("session", {"session": SESSION, "do": "seqnum"}, "next_in, next_out", []),
            ("session", {"session": SESSION, "do": "logout", "next_in": "4"}, "next_in, next_out", []),
            ("session", {"session": LINK, "do": "disable"}, "is a venue's", []),
            ("fill-correct", {"order": "a", "exec_id": "x", "last_qty": "1e3", "last_px": "2"}, "last_qty: '1e3' is not a number", []),
            ("fill-correct", {"order": "a", "exec_id": "x", "last_qty": "9" * 21, "last_px": "2"}, "last_qty:", []),
            ("fill-correct", {"order": "a", "exec_id": "x", "last_qty": "NaN", "last_px": "2"}, "last_qty:", []),
            ("fill-correct", {"order": "a", "exec_id": "x", "last_qty": "-1", "last_px": "2"}, "last_qty: it must be above zero", []),
            ("resolve", {"order": "a"}, "venue_order_id or not_placed", []),
            ("resolve", {"order": "a", "venue_order_id": "o1", "not_placed": True}, "venue_order_id or not_placed", []),
        ],
    )
    async def test_a_wrong_argument(
        self, tmp_path: Path, name: str, arguments: dict[str, Any], said: str, candidates: list[str] | None
    ) -> None:
        """400, and what was meant."""
        async with Stage(tmp_path) as stage:
            stage.new()
            status, body = await stage.act(name, **arguments)
            assert status == 400, body
            assert said in body["error"]
            assert candidates is None or body["candidates"] == candidates
            assert not [each for each in stage.inputs if isinstance(each, Halt | CancelOrders)]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"", 400),
            (b"{", 400),
            (b"[]", 400),
            (b'"x"', 400),
            (b"\xff\xfe", 400),
            (b"[" * 60_000, 400),
            (b'{"a":' * 10_000, 400),
            (b'{"scope":"all","scope":"session","why":"x"}', 400),
            (b'{"scope":NaN,"why":"x"}', 400),
            (b'{"scope":' + b"9" * 60_000 + b',"why":"x"}', 400),
            (b'{"scope":"all","why":"\\ud800"}', 400),
            (b'{"scope":"all","why":"' + b"x" * 70_000 + b'"}', 413),
        ],
    )
    async def test_a_body_that_is_none(self, tmp_path: Path, body: bytes, status: int) -> None:
        """Not JSON, too deep, too large, twice the same: told, and the server goes on."""
        async with Stage(tmp_path) as stage:
            headers = {"Content-Type": "application/json"}
            told, problem = await stage.ask("POST", "/v1/acts/halt", headers=headers, data=body)
            assert (told, set(problem)) == (status, {"error", "needed", "candidates"})
            assert (await stage.ask("GET", "/v1/status"))[0] == 200
            assert not stage.commanded

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
    async def test_only_json_is_taken(self, tmp_path: Path, kind: str) -> None:
        """What a form of another site could send without being asked is refused by its type."""
        async with Stage(tmp_path) as stage:
            body = b'{"scope":"all","why":"x"}'
            status, _ = await stage.ask("POST", "/v1/acts/halt", headers={"Content-Type": kind}, data=body)
            assert (status, stage.commanded) == (415, [])

    async def test_an_unknown_act_suggests(self, tmp_path: Path) -> None:
        """404."""
        async with Stage(tmp_path) as stage:
            assert (await stage.act("cancel-al"))[1]["candidates"][0] == "cancel-all"

    async def test_numbers_of_json_are_exact(self, tmp_path: Path) -> None:
        """Digit by digit, never through a float."""
        async with Stage(tmp_path) as stage:
            order_id = stage.new()
            stage.accept()
            stage.fill("1", complete=True)
            exec_id = (await stage.get("/v1/fills"))[0]["exec_id"]
            body = '{"order": "a", "exec_id": "%s", "last_qty": 0.30000000000000000001, "last_px": 100.10, "why": "x"}' % exec_id  # noqa: UP031
            headers = {"Content-Type": "application/json"}
            status, done = await stage.ask("POST", "/v1/acts/fill-correct", headers=headers, data=body)
            assert (status, done["ok"]) == (200, True), done
            assert stage.runtime.engine.state.blotter.orders[order_id].cum_qty == D("0.30000000000000000001")


class TestDone:
    """What is done, and the record of it."""

    async def test_a_halt_stops_orders_and_a_resume_lets_them(self, tmp_path: Path) -> None:
        """By whom and why is in the status, in the journal and in the client's reject."""
        async with Stage(tmp_path) as stage:
            status, done = await stage.act("halt", Role.TRADE, scope="destination", name="binance", why="odd prices")
            assert (status, done["ok"], done["by"], done["why"]) == (200, True, "ann", "odd prices")
            assert (await stage.get("/v1/status"))["halted"][0]["name"] == "BINANCE"
            order = stage.runtime.engine.state.blotter.orders[stage.new()]
            assert (order.base, "odd prices" in order.text) == (OrdStatus.REJECTED, True)
            assert stage.commanded == [
                Commanded(
                    by="ann", role="trade", command="halt scope=destination name=binance", why="odd prices", ok=True, outcome=done["text"]
                )
            ]
            assert (await stage.act("resume", scope="destination", name="BINANCE"))[0] == 200
            status, done = await stage.act("resume", scope="destination", name="BINANCE")
            assert (status, done["ok"], done["text"]) == (409, False, "destination BINANCE is not halted")
            assert [each.ok for each in stage.commanded] == [True, True, False]

    @pytest.mark.parametrize("name", ["ORDER_ID", "a", "v1", "o1"])
    async def test_an_order_is_canceled_by_any_of_its_ids(self, tmp_path: Path, name: str) -> None:
        """Ours, the client's, ours at the venue, the venue's."""
        async with Stage(tmp_path) as stage:
            order_id = stage.new()
            stage.accept()
            status, done = await stage.act("cancel", order=order_id if name == "ORDER_ID" else name)
            assert (status, done["ok"]) == (200, True), done
            assert [type(each) for each in stage.world.sent] == [Place, Cancel]
            assert done["details"][0].startswith(f"{order_id} (a) buy 1 BTC/USDT @ 100 at BINANCE")

    async def test_an_id_that_nothing_has(self, tmp_path: Path) -> None:
        """404 with ids that are like it; also on record."""
        async with Stage(tmp_path) as stage:
            stage.new("order-17")
            status, body = await stage.act("cancel", order="order-18")
            assert (status, body["candidates"]) == (404, ["order-17"])
            assert [(each.ok, each.outcome) for each in stage.commanded] == [(False, "there is no order order-18")]

    async def test_an_id_that_several_have(self, tmp_path: Path) -> None:
        """409 with all of them, and none is touched."""
        async with Stage(tmp_path) as stage:
            first, second = stage.new("a"), stage.new("v1")
            status, body = await stage.act("cancel", order="v1")
            assert (status, sorted(body["candidates"])) == (409, sorted([first, second]))
            assert Cancel not in [type(each) for each in stage.world.sent]

    async def test_a_preview_says_how_many_and_which_and_does_nothing(self, tmp_path: Path) -> None:
        """Without a reason; the journal is as it was."""
        async with Stage(tmp_path) as stage:
            for number in range(3):
                stage.new(f"a{number}", destination="GBBO" if number else "BINANCE")
            before = len(stage.inputs)
            status, done = await stage.act("cancel-all", preview=True, why="", destination="gbbo")
            assert (status, done["preview"], done["text"]) == (200, True, "would cancel 2 open orders at GBBO")
            assert [line.split()[1] for line in done["details"]] == ["(a1)", "(a2)"]
            _, everywhere = await stage.act("cancel-all", preview=True, why="")
            assert everywhere["text"] == "would cancel 3 open orders everywhere"
            assert everywhere["details"][:2] == ["1 at BINANCE", "2 at GBBO"]
            assert (len(stage.inputs), len(stage.world.sent)) == (before, 3)

    @pytest.mark.parametrize(
        "filters",
        [
            {},
            {"destination": "GBBO"},
            {"account": "x"},
            {"account": "none"},
            {"session": SESSION},
            {"symbol": "BTCUSDT"},
            {"symbol": "BTC/USDT"},
        ],
    )
    async def test_what_is_previewed_is_what_is_done(self, tmp_path: Path, filters: dict[str, str]) -> None:
        """The count of the preview is that of the act."""
        async with Stage(tmp_path) as stage:
            for number in range(4):
                stage.new(f"a{number}", account="x" if number % 2 else None, destination="GBBO" if number > 1 else None)
            _, preview = await stage.act("cancel-all", preview=True, **filters)
            _, done = await stage.act("cancel-all", **filters)
            assert preview["text"].removeprefix("would cancel ").split()[0] == done["text"].removeprefix("cancel of ").split()[0]

    async def test_an_unknown_order_is_resolved_with_the_evidence_shown(self, tmp_path: Path) -> None:
        """What was sent, when, and what is known; then it is never placed."""
        async with Stage(tmp_path) as stage:
            order_id = stage.new()
            stage.runtime.step(Unanswered(order_id=order_id, text="no reply within 5 s"))
            _, preview = await stage.act("resolve", preview=True, order="a", not_placed=True)
            assert preview["text"] == f"would report order {order_id} as rejected: never placed at BINANCE"
            assert any(
                line.startswith("sent to BINANCE at 2027-01-15T08:00:00.") and line.endswith(" as v1") for line in preview["details"]
            )
            assert "the venue has not said that it has it" in preview["details"]
            assert any(line.startswith("unknown: ") and "no reply" in line for line in preview["details"])
            status, done = await stage.act("resolve", order="a", not_placed=True)
            assert (status, done["ok"]) == (200, True), done
            assert stage.runtime.engine.state.blotter.orders[order_id].base is OrdStatus.REJECTED

    async def test_what_is_known_is_not_decided(self, tmp_path: Path) -> None:
        """409, in the preview too."""
        async with Stage(tmp_path) as stage:
            stage.new()
            stage.accept()
            for preview in (True, False):
                status, done = await stage.act("resolve", preview=preview, order="a", not_placed=True)
                assert (status, done["ok"], "nothing to decide" in done["text"]) == (409, False, True)

    async def test_an_order_is_marked_done_by_an_admin(self, tmp_path: Path) -> None:
        """The venue is told nothing."""
        async with Stage(tmp_path) as stage:
            order_id = stage.new()
            status, done = await stage.act("mark-done", order="a", how="expired")
            assert (status, done["ok"]) == (200, True)
            assert stage.runtime.engine.state.blotter.orders[order_id].base is OrdStatus.EXPIRED
            assert [type(each) for each in stage.world.sent] == [Place]

    async def test_a_fill_is_taken_back(self, tmp_path: Path) -> None:
        """By the ExecID that the client has had; another one is answered with those that stand."""
        async with Stage(tmp_path) as stage:
            order_id = stage.new()
            stage.accept()
            stage.fill("0.4")
            exec_id = (await stage.get("/v1/fills"))[0]["exec_id"]
            status, body = await stage.act("fill-bust", order="a", exec_id="nope")
            assert (status, body["candidates"]) == (404, [exec_id])
            status, done = await stage.act("fill-bust", order="a", exec_id=exec_id)
            assert (status, done["text"]) == (200, f"execution {exec_id} is taken back")
            assert stage.runtime.engine.state.blotter.orders[order_id].cum_qty == 0

    async def test_a_link_is_switched_off_on_record_first(self, tmp_path: Path) -> None:
        """So that it stays off, whatever happens next."""
        async with Stage(tmp_path) as stage:
            status, done = await stage.act("venue", destination="GBBO", do="disable")
            assert (status, done["ok"]) == (200, True), done
            assert done["details"][0] == f"link {LINK}, of BINANCE, GBBO, NATIVE"
            assert Switched(by="ann", why="a test", what=Switch.LINK, name=LINK, on=False) in stage.inputs
            assert (await stage.get("/v1/venues"))[1]["state"] == "off"
            await stage.act("venue", destination="GBBO", do="enable")
            await stage.act("venue", destination="GBBO", do="reconnect")
            assert stage.links.asked == [("enable", LINK, False), ("enable", LINK, True), ("reconnect", LINK)]

    async def test_margin_is_assigned_by_the_venue(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Under its own name of the symbol; its no is told, and so is that it did not answer (the deadline is made short here)."""
        monkeypatch.setattr("router.admin.rim_plans.ANSWER_S", 0.01)
        async with Stage(tmp_path) as stage:
            margin = {"destination": "BINANCE", "symbol": "BTC/USDT", "margin": "0.5"}
            _, preview = await stage.act("assign-margin", preview=True, **margin)
            assert preview["text"] == "would have BINANCE assign 0.5 to the position in BTC/USDT"
            assert (preview["details"], stage.links.asked) == (["the position: not told"], [])
            answers = (
                (Told(), True, "BINANCE assigned 0.5 to BTC/USDT"),
                (Told(error="too much"), False, "too much"),
                (None, False, "is not known"),
            )
            for answer, ok, text in answers:
                stage.links.ready["assign-margin"] = answer
                _, done = await stage.act("assign-margin", **margin)
                assert (done["ok"], text in done["text"]) == (ok, True)
            assert stage.links.asked == [("inquire", LINK, "assign-margin", {"symbol": "BTCUSDT", "margin": "0.5"})] * 3
            assert [each.ok for each in stage.commanded] == [True, False, False]
            stage.links.away = "it is not started"
            assert (await stage.act("assign-margin", **margin))[1]["text"] == "it is not started"

    async def test_sessions_are_looked_after(self, tmp_path: Path) -> None:
        """Logged out, off, on, numbers, reset, resent."""
        async with Stage(tmp_path) as stage:
            for do, more in (("logout", {}), ("disable", {}), ("enable", {}), ("reset", {}), ("seqnum", {"next_in": "7"})):
                assert (await stage.act("session", session=SESSION, do=do, **more))[0] == 200
            status, done = await stage.act("resend", session=SESSION, begin="2", end="0")
            assert (status, done["text"].partition(" of ")[0]) == (200, "3 messages")
            assert stage.sessions.asked == [
                ("logout", SESSION, "logged out by the operator: a test"), ("enable", SESSION, False), ("enable", SESSION, True),
                ("reset", SESSION), ("set_next", SESSION, 7, None), ("resend", SESSION, 2, 0),
            ]  # fmt: skip
            stage.sessions.wrong = "it is logged on"
            status, done = await stage.act("session", session=SESSION, do="seqnum", next_out="9")
            assert (status, done["ok"], done["text"]) == (409, False, "it is logged on")
            assert stage.commanded[-1].outcome == "it is logged on"

    async def test_a_reload_shows_first_and_is_refused_as_a_whole(self, tmp_path: Path) -> None:
        """The difference in the preview; where anything is wrong, nothing is done."""
        async with Stage(tmp_path) as stage:
            _, preview = await stage.act("reload", preview=True)
            assert (preview["text"], preview["details"], stage.reloads) == ("would change 1 key", ["routes: nothing -> BINANCE"], [True])
            assert (await stage.act("reload"))[1]["text"] == "1 key changed"
            assert stage.reloads == [True, True, False]
            stage.reloadable = False
            status, done = await stage.act("reload")
            assert (status, done["text"], stage.reloads[-1]) == (409, "router.toml: it is wrong", True)

    async def test_a_stop_is_on_record_before_it_happens(self, tmp_path: Path) -> None:
        """Afterwards nothing can be written."""
        async with Stage(tmp_path) as stage:
            stage.new()
            _, preview = await stage.act("stop", preview=True, cancel_all=True)
            assert (preview["text"], stage.stops) == ("would cancel 1 open order, then stop the router", [])
            assert (await stage.act("stop", cancel_all=True))[0] == 200
            assert (stage.stops, stage.commanded[-1].command) == ([True], "stop cancel_all")

    async def test_a_reconcile_needs_no_reason(self, tmp_path: Path) -> None:
        """It only asks."""
        async with Stage(tmp_path) as stage:
            stage.new()
            status, done = await stage.act("reconcile", why="", destination="BINANCE")
            assert (status, done["text"]) == (200, "BINANCE is asked about 1 open order")

    async def test_a_full_disk_is_told(self, tmp_path: Path) -> None:
        """503: an act that cannot be journaled is not done."""
        async with Stage(tmp_path) as stage:
            stage.world.full = True
            status, body = await stage.act("halt", scope="all")
            assert (status, "journal cannot be written" in body["error"]) == (503, True)
            assert not stage.runtime.engine.state.halted

    async def test_the_time_of_an_act_is_the_routers(self, tmp_path: Path) -> None:
        """UTC, with microseconds."""
        async with Stage(tmp_path) as stage:
            stage.now += 3 * SECOND + 1500
            assert (await stage.act("halt", preview=True, scope="all"))[1]["time"] == "2027-01-15T08:00:03.000001Z"
