"""The admin API of a running router: real sessions, real links, the journal of a real process."""

from __future__ import annotations

from pathlib import Path

from router.admin.client import Client
from tests.system import System


async def test_an_operator_sees_an_order_and_ends_it(tmp_path: Path) -> None:
    """From the client's order to its life in the journal, its cancel by the operator, a halt, and what the client is told of all that."""
    system = System(tmp_path)
    try:
        system.start()
        token = system.fixrouter("token", "ann", "--role", "admin", "--config", str(system.demo / "router.toml")).stdout.strip()
        oms = system.client().connect()
        oms.order("op-1")
        oms.report("op-1", t39="0")
        async with Client(f"http://127.0.0.1:{system.admin_port}", lambda: token) as client:
            status = await client.status()
            assert (status.open_orders, status.destinations.up, status.destinations.total, status.journal_failing) == (1, 7, 7, "")
            assert {each.name: each.logged_on for each in await client.sessions()}["FIX.4.2:ROUTER->OMS42"]
            life = await client.order("op-1")
            assert [each.kind for each in life.life if each.kind != "Stated"] == [
                "NewOrder",
                "Accepted",
            ]  # the witness speaks when it likes
            assert life.order.venue_order_id == system.venue_orders()[0]["id"]
            assert (await client.act("cancel", {"order": life.order.venue_order_id}, why="asked by telephone")).ok
            assert "asked by telephone" in oms.report("op-1", t39="4")["58"]
            assert (await client.act("halt", {"scope": "all"}, why="lunch")).ok
            oms.order("op-2")
            assert "lunch" in oms.report("op-2", t39="8")["58"]
            rows = await client.balances()
            assert rows
            assert not [each for each in rows if each.error]
        assert "Commanded" in system.fixrouter("journal", "dump", "--config", str(system.demo / "router.toml")).stdout
    finally:
        system.close()


async def test_new_symbols_are_traded_after_a_reload(tmp_path: Path) -> None:
    """At every venue with two of them, while sessions and links stay up; what the file has wrong changes nothing."""
    system = System(tmp_path)
    router = system.demo / "router.toml"
    whole = router.read_text()
    system.edit("router.toml", r'(?m)^    \{ symbol = "ETH/.*\n', "")
    orders = {
        "BINANCE": ("ETH/USDT", "1900"), "COINBASEPRO": ("ETH/USD", "1900"), "GBBO": ("ETH/USDT", "1900"), "PHEMEX": ("ETH/USD", "1900"),
        "PRIMEBIT": ("ETH/USD", "1900"), "CRYPTOCOM": ("ETH/USDT", "1900"),
    }  # fmt: skip
    try:
        system.start()
        token = system.fixrouter("token", "ann", "--role", "admin", "--config", str(router)).stdout.strip()
        oms = system.client().connect()
        oms.order("stays")
        oms.report("stays", t39="0")
        for place, (symbol, px) in orders.items():
            oms.order(f"{place}-1", t55=symbol, t100=place, t38="1", t44=px)
            assert "Symbol(55)" in oms.report(f"{place}-1", t39="8")["58"]
        async with Client(f"http://127.0.0.1:{system.admin_port}", lambda: token) as client:
            router.write_text(whole.replace('venue_symbol = "ETHUSD", tick = 0.05', 'venue_symbol = "LTCUSD", tick = 0.05'))
            spoilt = await client.act("reload", {}, why="spoilt")
            assert (spoilt.ok, "the file cannot be used" in spoilt.text) == (False, True)
            router.write_text(whole)
            done = await client.act("reload", {}, why="ether too")
            assert done.ok, done
            for place, (symbol, px) in orders.items():
                oms.order(f"{place}-2", t55=symbol, t100=place, t38="1", t44=px)
            waited = {f"{place}-2" for place in orders}
            while waited:
                report = oms.wait(lambda message: message["35"] == "8")
                assert report["39"] in "A0", report
                waited -= {report["11"]} if report["39"] == "0" else set()
            oms.cancel("stays-c", "stays")
            oms.report("stays-c", t39="4")
            assert {each.name: each.state for each in await client.venues()} == dict.fromkeys((*orders, "MOONBASE"), "open")
    finally:
        system.close()
