"""What operators see: every endpoint over a real socket."""

from __future__ import annotations

from pathlib import Path

import pytest
from openapi_spec_validator import validate

from router.acts import Halt, Scope
from router.admin.client import Client
from router.admin.contract import Destination, Me, OrderLife, OrderRow, Page, Role, SessionRow, Status
from router.admin.endpoints import ENDPOINTS
from router.admin.views import config_rows
from router.model import LinkDown, Unanswered
from router.settings import load
from tests.admin.stage import LINK, Stage, Told
from tests.router.desk import SECOND, SESSION, D


class TestSeen:
    """Rows of the contract."""

    async def test_the_status_says_everything_at_a_glance(self, tmp_path: Path) -> None:
        """Counts, halts, the journal."""
        async with Stage(tmp_path) as stage:
            stage.new("a")
            stage.new("b", symbol="NO/THING")
            unsure = stage.new("c")
            stage.runtime.step(Unanswered(order_id=unsure, text="no reply"))
            stage.runtime.step(Halt(by="ann", why="news", scope=Scope.ALL))
            stage.now += 2 * SECOND
            status = Status.model_validate(await stage.get("/v1/status"))
            assert (status.open_orders, status.unknown_orders, status.pending_orders, status.orders_total) == (2, 1, 2, 3)
            assert (status.rejects_total, status.fills_total, status.journal_sequence, status.journal_failing) == (1, 0, 7, "")
            assert [(each.scope, each.by, each.why) for each in status.halted] == [("all", "ann", "news")]
            assert (status.sessions.up, status.sessions.total, status.destinations.up, status.destinations.total) == (1, 1, 3, 3)
            assert (status.now, status.uptime_s, status.stopping) == ("2027-01-15T08:00:02.000000Z", 62, False)
            assert 1.9 < status.oldest_pending_s <= 2

    async def test_who_am_i(self, tmp_path: Path) -> None:
        """Of the token."""
        async with Stage(tmp_path) as stage:
            assert Me.model_validate(await stage.get("/v1/me", Role.TRADE)) == Me(
                name="ann", role=Role.TRADE, expires="2027-01-15T09:00:00.000000Z"
            )

    async def test_sessions_by_names_with_colons_and_arrows(self, tmp_path: Path) -> None:
        """Percent-encoded in the path; an unknown one is answered with those that are like it."""
        async with Stage(tmp_path) as stage:
            stage.new()
            rows = [SessionRow.model_validate(each) for each in await stage.get("/v1/sessions")]
            assert [(each.name, each.kind, each.open_orders, each.orders) for each in rows] == [
                (SESSION, "client", 1, 1),
                (LINK, "venue", 1, 0),
            ]
            assert await stage.get("/v1/sessions/FIX.4.2%3AROUTER-%3EOMS") == rows[0].model_dump()
            status, body = await stage.ask("GET", "/v1/sessions/FIX.4.2%3AROUTER-%3EOMX")
            assert (status, body["candidates"][0]) == (404, SESSION)

    async def test_a_destination_says_why_it_takes_no_orders(self, tmp_path: Path) -> None:
        """Halted, then down, with the link's own words."""
        async with Stage(tmp_path) as stage:
            stage.runtime.step(Halt(by="ann", why="odd", scope=Scope.DESTINATION, name="GBBO"))
            rows = [Destination.model_validate(each) for each in await stage.get("/v1/venues")]
            assert [(each.name, each.state) for each in rows] == [("BINANCE", "open"), ("GBBO", "halted"), ("NATIVE", "open")]
            stage.runtime.step(LinkDown(LINK, "connection reset"))
            row = await stage.get("/v1/venues/gbbo")
            assert (row["state"], row["why"], row["up"], row["since"]) == ("down", "connection reset", False, "2027-01-15T08:00:00.000000Z")

    async def test_the_rest_of_the_listings(self, tmp_path: Path) -> None:
        """Budgets, limits, routes, settings, acts, latency, alerts."""
        async with Stage(tmp_path) as stage:
            assert (await stage.get("/v1/budgets"))[0]["used"] == 42
            limits = await stage.get("/v1/limits?destination=binance&symbol=BTCUSDT")
            assert {
                "destination": "BINANCE",
                "symbol": "BTC/USDT",
                "name": "tick",
                "value": "0.01",
                "source": "configuration",
                "scope": "",
                "used": "",
            } in limits
            assert [each["destination"] for each in await stage.get("/v1/routes")] == ["BINANCE"]
            assert {"key": "answer_timeout_s", "value": "5"} in await stage.get("/v1/config")
            assert [each["name"] for each in await stage.get("/v1/acts")][:2] == ["halt", "resume"]
            assert (await stage.get("/v1/latency"), await stage.get("/v1/alerts")) == ([], [])

    def test_settings_are_shown_without_what_opens_doors(self, tmp_path: Path) -> None:
        """The demo's file with a password: secrets are named by their source only, hashes not at all."""
        demo = Path("config/demo/router.toml").read_text()
        key = 'session = "FIX.4.2:ROUTER->OMS42"\n'
        (tmp_path / "router.toml").write_text(demo.replace(key, f'{key}username = "u"\npassword_hash = "$argon2id$hush"\n', 1))
        rows = {each.key: each.value for each in config_rows(load(tmp_path / "router.toml"))}
        assert (rows["clients[0].username"], rows["clients[0].password_hash"]) == ("u", "(secret)")
        assert rows["accounts[0].secret.file"] == "apifiny.secret"
        assert "hush" not in str(rows)

    async def test_where_an_order_would_go(self, tmp_path: Path) -> None:
        """And why not, by the same rules as a real one; nothing is sent."""
        async with Stage(tmp_path) as stage:
            path = f"/v1/route-test?side=buy&qty=0.5&symbol=BTC/USDT&session={SESSION.replace('>', '%3E')}"
            fine = await stage.get(f"{path}&price=65000")
            assert (fine["destination"], fine["venue_symbol"], fine["account"], fine["refused"]) == ("BINANCE", "BTCUSDT", "acc", "")
            assert fine["steps"][-1] == "BINANCE takes orders now"
            off_tick = await stage.get(f"{path}&price=65000.001")
            assert (off_tick["destination"], "off the tick" in off_tick["refused"]) == ("", True)
            stage.runtime.step(LinkDown(LINK, ""))
            down = await stage.get(f"{path}&price=65000&destination=GBBO")
            assert down["refused"] == "GBBO is not connected"
            assert not stage.world.sent
            assert not stage.runtime.engine.state.blotter.orders

    async def test_health_is_for_anybody(self, tmp_path: Path) -> None:
        """What is missing is said."""
        async with Stage(tmp_path) as stage:
            assert await stage.ask("GET", "/healthz", None) == (200, {"ok": True, "missing": []})
            stage.missing = ["no destination is connected"]
            assert await stage.ask("GET", "/readyz", None) == (503, {"ok": False, "missing": ["no destination is connected"]})
            stage.server.stopping()
            assert (await stage.ask("GET", "/readyz", None))[1]["missing"] == ["the router is stopping"]
            assert (await stage.get("/v1/status"))["stopping"] is True


class TestOrders:
    """Listings, pages, and one order's life."""

    async def test_an_order_is_told_exactly(self, tmp_path: Path) -> None:
        """Every amount as it was given."""
        async with Stage(tmp_path) as stage:
            order_id = stage.new("a", order_qty=D("1.500"), price=D("100.10"), account="desk")
            stage.accept()
            stage.fill("0.25")
            (row,) = Page.model_validate(await stage.get("/v1/orders")).rows
            assert (row.order_id, row.order_qty, row.price, row.cum_qty, row.leaves_qty, row.avg_px) == (
                order_id,
                "1.500",
                "100.10",
                "0.25",
                "1.250",
                "100",
            )
            assert (row.status, row.venue_order_id, row.venue_cl_ord_id, row.account) == ("partially-filled", "o1", "v1", "desk")

    async def test_filters(self, tmp_path: Path) -> None:
        """By state, place, account, side, symbol, any id."""
        async with Stage(tmp_path) as stage:
            stage.new("a", account="x")
            stage.new("b", symbol="NO/THING")
            unsure = stage.new("c", destination="GBBO")
            stage.runtime.step(Unanswered(order_id=unsure, text="no reply"))

            async def ids(query: str) -> list[str]:
                return [each["cl_ord_id"] for each in (await stage.get(f"/v1/orders{query}"))["rows"]]

            assert await ids("") == ["c", "a"]
            assert await ids("?state=done") == ["b"]
            assert await ids("?state=unknown") == ["c"]
            assert await ids("?state=all") == ["c", "b", "a"]
            assert await ids("?destination=gbbo") == ["c"]
            assert await ids("?account=x&side=buy&symbol=BTCUSDT") == ["a"]
            assert await ids("?side=sell") == []
            assert await ids("?id=b") == ["b"]
            assert await ids("?id=v2") == ["c"]
            assert await ids("?id=nothing") == []

    async def test_pages_lead_through_all_of_them(self, tmp_path: Path) -> None:
        """The newest first, none twice and none left out, also when more come meanwhile."""
        async with Stage(tmp_path) as stage:
            ids = [stage.new(f"a{number}") for number in range(7)]
            for state in ("open", "all"):
                found: list[str] = []
                after, more = "", True
                while more:
                    page = Page.model_validate(await stage.get(f"/v1/orders?state={state}&limit=3&after={after}"))
                    found += [each.order_id for each in page.rows]
                    after, more = page.after, page.more
                    stage.new(f"late-{state}-{len(found)}")
                assert found[: len(ids)] == list(reversed(ids)) or [each for each in found if each in ids] == list(reversed(ids))
                assert len(found) == len(set(found))

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("state=opne", "state: opne is none of"), ("limit=0", "limit: 0"), ("limit=1001", "limit: 1001"), ("limit=1e3", "limit: 1e3"),
            ("limit=-1", "limit: -1"), ("limit=9999999999999999999", "limit:"), ("after=x", "after: x"),
            ("staet=open", "staet: /v1/orders takes no"),
            ("state=open&state=done", "it stands there twice"), ("destination=NOWHERE", "destination: there is no"),
            ("session=x", "session: there is no"),
            (f"id={'x' * 300}", "id: at most 256"), ("id=a%00b", "id: at most"),
        ],
    )  # fmt: skip
    async def test_a_wrong_query_names_the_parameter(self, tmp_path: Path, query: str, said: str) -> None:
        """400."""
        async with Stage(tmp_path) as stage:
            status, body = await stage.ask("GET", f"/v1/orders?{query}")
            assert (status, said in body["error"]) == (400, True), body

    async def test_a_life_is_told_from_the_journal(self, tmp_path: Path) -> None:
        """By any id, from the request to the last fill, in words, by a process of its own."""
        async with Stage(tmp_path) as stage:
            order_id = stage.new("a/1")
            stage.accept()
            stage.fill("0.25")
            life = OrderLife.model_validate(await stage.get("/v1/orders/a%2F1"))
            assert (life.order.order_id, life.order.cum_qty) == (order_id, "0.25")
            assert [(each.kind, each.who) for each in life.life] == [("NewOrder", "client"), ("Accepted", "venue"), ("Filled", "venue")]
            assert life.life[0].summary == "asks to buy 1 BTC/USDT @ 100"
            assert life.life[0].effects[0] == "place to BINANCE: v1"
            assert life.life[1].summary == "accepts it as o1"
            assert life.life[2].effects == ["report trade: partially-filled, cum 0.25, leaves 0.75, 0.25 @ 100"]
            assert [(each.last_qty, each.last_px) for each in life.fills] == [("0.25", "100")]
            status, body = await stage.ask("GET", "/v1/orders/a%2F2")
            assert (status, body["candidates"]) == (404, ["a/1"])

    async def test_an_id_of_several_orders_lists_them(self, tmp_path: Path) -> None:
        """409."""
        async with Stage(tmp_path) as stage:
            ids = [stage.new("a"), stage.new("v1")]
            status, body = await stage.ask("GET", "/v1/orders/v1")
            assert (status, sorted(body["candidates"])) == (409, ids)

    async def test_fills_and_rejects(self, tmp_path: Path) -> None:
        """The newest first, filtered."""
        async with Stage(tmp_path) as stage:
            stage.new("a")
            stage.accept()
            stage.fill("0.25")
            stage.fill("0.5")
            stage.new("b", symbol="NO/THING")
            assert [each["last_qty"] for each in await stage.get("/v1/fills")] == ["0.5", "0.25"]
            assert [each["last_qty"] for each in await stage.get("/v1/fills?limit=1&order=a&destination=BINANCE")] == ["0.5"]
            assert await stage.get("/v1/fills?side=sell") == []
            assert [(each["cl_ord_id"], each["reason"]) for each in await stage.get("/v1/rejects")] == [("b", "unknown-symbol")]


class TestInquiries:
    """Venues are asked, and one that is slow holds nobody."""

    async def test_what_a_venue_tells(self, tmp_path: Path) -> None:
        """Its own words; the topic's arguments are the query."""
        async with Stage(tmp_path) as stage:
            stage.links.ready["balances"] = Told(({"currency": "BTC", "free": "1.50"},))
            assert await stage.get("/v1/balances") == [
                {"destination": "BINANCE", "fields": {"currency": "BTC", "free": "1.50"}, "error": ""}
            ]
            assert (await stage.get("/v1/venues/gbbo/balances?currency=BTC"))[0]["destination"] == "GBBO"
            assert stage.links.asked == [("inquire", LINK, "balances", {}), ("inquire", LINK, "balances", {"currency": "BTC"})]
            assert (await stage.get("/v1/venues/gbbo"))["topics"] == {"balances": "the balances"}

    async def test_one_that_cannot_be_asked_is_a_row_with_why(self, tmp_path: Path) -> None:
        """Not started, or an answer with an error; an unknown topic is a 404 with the known ones."""
        async with Stage(tmp_path) as stage:
            stage.links.ready["positions"] = Told(error="signature is wrong")
            assert (await stage.get("/v1/positions"))[0]["error"] == "signature is wrong"
            stage.links.away = "the link is not started"
            assert (await stage.get("/v1/positions"))[0]["error"] == "the link is not started"
            status, body = await stage.ask("GET", "/v1/venues/BINANCE/position")
            assert (status, body["candidates"]) == (404, ["positions"])

    async def test_open_orders_say_whose_they_are(self, tmp_path: Path) -> None:
        """By our id there or the venue's; one that somebody else placed is shown and not adopted."""
        async with Stage(tmp_path) as stage:
            ours, other = stage.new("a"), stage.new("b")
            stage.accept(1)
            rows = ({"order_id": "o1", "qty": "1"}, {"order_id": "o7", "cl_ord_id": "v2"}, {"order_id": "o8", "cl_ord_id": "by hand"})
            stage.links.ready["open-orders"] = Told(rows)
            told = [each["fields"] for each in await stage.get("/v1/venues/BINANCE/open-orders")]
            assert [each["our_order"] for each in told] == [ours, other, "not ours"]
            assert told[0] == {"order_id": "o1", "qty": "1", "our_order": ours}
            assert len(stage.runtime.engine.state.blotter.orders) == 2
            stage.links.ready["trades"] = Told(({"order_id": "o1"},))
            assert (await stage.get("/v1/venues/BINANCE/trades"))[0]["fields"] == {"order_id": "o1"}

    async def test_an_open_order_that_may_be_ours_is_not_said_to_be_another_s(self, tmp_path: Path) -> None:
        """The venue keeps no id of ours, and one of ours has not been answered for: of its symbol, or named as what it may be."""
        async with Stage(tmp_path) as stage:
            asked = stage.new("a")
            stage.links.ready["open-orders"] = Told(({"order_id": "o5", "symbol": "BTCUSDT"}, {"order_id": "o6", "symbol": "ETHBTC"}))
            told = await stage.get("/v1/venues/BINANCE/open-orders")
            assert [each["fields"]["our_order"] for each in told] == [f"perhaps {asked}", "not ours"]
            others = [stage.new(name) for name in "bcd"]
            told = await stage.get("/v1/venues/BINANCE/open-orders")
            assert told[0]["fields"]["our_order"] == f"perhaps {asked} or {others[0]} or {others[1]} or another"
            for number in range(1, 5):
                stage.accept(number)
            told = await stage.get("/v1/venues/BINANCE/open-orders")
            assert [each["fields"]["our_order"] for each in told] == ["not ours", "not ours"]

    async def test_a_get_changes_nothing(self, tmp_path: Path) -> None:
        """What would is refused with what to do, even where a bridge offers it as a topic; nothing reaches the venue."""
        async with Stage(tmp_path) as stage:
            stage.links.ready["assign-margin"] = Told()
            status, body = await stage.ask("GET", "/v1/venues/BINANCE/assign-margin?symbol=BTCUSDT&margin=5")
            assert (status, "it is an act" in body["error"]) == (405, True)
            assert stage.links.asked == []

    async def test_one_that_never_answers_has_a_deadline(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A row with the error, after the deadline (made short here)."""
        monkeypatch.setattr("router.admin.api._INQUIRY_S", 0.01)
        async with Stage(tmp_path) as stage:
            stage.links.ready["balances"] = None
            assert (await stage.get("/v1/balances"))[0]["error"] == "no answer within 0.01 s"


class TestDocument:
    """OpenAPI."""

    async def test_it_is_valid_and_says_every_path(self, tmp_path: Path) -> None:
        """Made from the table that the routes are made from; acts one by one."""
        async with Stage(tmp_path) as stage:
            document = await stage.get("/openapi.json", None)
            validate(document)
            plain = {each.path for each in ENDPOINTS if each.name != "act"}
            assert plain <= set(document["paths"])
            assert {path for path in document["paths"] if path.startswith("/v1/acts/")} == {
                f"/v1/acts/{each['name']}" for each in await stage.get("/v1/acts")
            }
            assert document["components"]["schemas"]["OrderRow"]["required"][:2] == ["order_id", "cl_ord_id"]
            assert set(OrderRow.model_fields) == set(document["components"]["schemas"]["OrderRow"]["properties"])

    async def test_what_is_answered_is_what_the_table_says(self, tmp_path: Path) -> None:
        """Every listing that takes no argument answers an array exactly where the document says so."""
        async with Stage(tmp_path) as stage:
            document = await stage.get("/openapi.json", None)
            for endpoint in ENDPOINTS:
                needed = any(each.needed for each in endpoint.query)
                if (
                    endpoint.method == "GET"
                    and not endpoint.inputs
                    and not needed
                    and endpoint.role is not None
                    and endpoint.name != "events"
                ):
                    schema = document["paths"][endpoint.path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
                    assert isinstance(await stage.get(endpoint.path), list) == (schema.get("type") == "array"), endpoint.path


class TestTogether:
    """With the clients that are built on it."""

    async def test_the_page_is_served_with_its_own_policy(self, tmp_path: Path) -> None:
        """Scripts, styles and connections of its own, and of nobody else; no token is needed to load it."""
        async with Stage(tmp_path) as stage:
            for path, kind in (("/", "text/html"), ("/app.js", "text/javascript"), ("/style.css", "text/css")):
                async with stage.http.get(stage.url + path) as response:
                    assert (response.status, response.content_type) == (200, kind)
                    assert "script-src 'self'; style-src 'self'; connect-src 'self'" in response.headers["Content-Security-Policy"]
            assert (await stage.ask("GET", "/page.py", None))[0] == 404

    async def test_the_consoles_client_and_the_server_understand_each_other(self, tmp_path: Path) -> None:
        """Every question of the client has an answer that it can read, and an act is done."""
        async with Stage(tmp_path) as stage, Client(stage.url, stage.token) as client:
            order_id = stage.new("a")
            stage.accept()
            stage.fill("0.25")
            stage.links.ready["balances"] = Told(({"currency": "BTC"},))
            assert (await client.status()).open_orders == 1
            assert (await client.session(SESSION)).logged_on
            assert [each.name for each in await client.venues()] == ["BINANCE", "GBBO", "NATIVE"]
            assert (await client.order("a")).order.order_id == order_id
            assert (await client.orders({"state": "open"})).rows[0].order_id == order_id
            assert (await client.route_test({"side": "buy", "qty": "1", "symbol": "BTC/USDT", "price": "100"})).destination == "BINANCE"
            assert (await client.ask("BINANCE", "balances"))[0].fields == {"currency": "BTC"}
            for listing in (client.sessions, client.fills, client.rejects, client.balances, client.positions, client.holdings,
                            client.routes, client.limits, client.budgets, client.latency,
                            client.alerts, client.config, client.acts):  # fmt: skip
                assert isinstance(await listing(), list)
            assert (await client.act("cancel", {"order": "a"}, preview=True)).preview
            assert (await client.act("cancel", {"order": "a"}, why="enough")).ok
            async for event in client.events():
                assert event.kind == "status"
                break
