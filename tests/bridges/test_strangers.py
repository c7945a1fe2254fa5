"""Orders that another client of the same account placed: shown with whose they are, and left alone."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from bridges import venues
from bridges.shell import Bridge
from router.admin.client import Client as Operator
from router.model import Accepted, LinkUp, Place
from router.settings import load
from router.words import OrdType, Side, TimeInForce
from tests.bridges.test_conformance import BY_REST, CARDS, Card
from tests.system import System
from tests.wire import Client

LINKS = {"BINANCE": "apifiny:BINANCE", "PHEMEX": "phemex", "PRIMEBIT": "primebit", "MOONBASE": "moonbase", "CRYPTOCOM": "cryptocom"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[System, Client]]:
    """One for all: each venue has an account of its own."""
    system = System(tmp_path_factory.mktemp("strangers") / "s")
    try:
        yield system.start(), system.client("FIX.4.4", "OMS44").connect()
    finally:
        system.close()


class Stranger:
    """Another client of an account: a bridge of its own, that nobody's router knows of."""

    def __init__(self, system: System, link: str) -> None:
        self.up, self.accepted = asyncio.Event(), asyncio.Queue[str]()
        # Orders for BINANCE go over FIX unless the configuration says otherwise; a stranger's go over REST.
        own = system.demo / "stranger.toml"
        own.write_text(re.sub(BY_REST[1], BY_REST[2], (system.demo / "router.toml").read_text()))
        settings = load(own)
        made = venues.bridges(settings, system.demo, self._hear, time.time_ns, lambda *_args, **_fields: None)
        self.bridge: Bridge = made[link]

    def _hear(self, event: object) -> None:
        if isinstance(event, LinkUp):
            self.up.set()
        if isinstance(event, Accepted):
            self.accepted.put_nowait(event.venue_order_id or "")

    async def place(self, card: Card, cl_ord_id: str) -> str:
        """An order that rests; the venue's id."""
        await self.up.wait()
        self.bridge.submit(Place(
            order_id="theirs", venue_cl_ord_id=cl_ord_id, venue=card.destination, symbol=card.venue_symbol, side=Side.BUY,
            ord_type=OrdType.LIMIT, time_in_force=TimeInForce.GTC, post_only=False, order_qty=Decimal(card.qty), cash_order_qty=None,
            price=Decimal(card.away), stop_px=None, reduce_only=False, time=time.time_ns(),
        ))  # fmt: skip
        return await self.accepted.get()


@pytest.mark.parametrize("name", LINKS)
async def test_an_order_placed_elsewhere_is_shown_and_not_adopted(running: tuple[System, Client], name: str) -> None:
    """Of the two that are open at the venue one has our OrderID; the other is not ours, and is no order of the router's."""
    system, oms = running
    card, stranger = CARDS[name], Stranger(system, LINKS[name])
    token = system.fixrouter("token", "ann", "--role", "view", "--config", str(system.demo / "router.toml")).stdout.strip()
    oms.order(f"mine-{name}", t55=card.symbol, t100=name, t38=card.qty, t44=card.away)
    report = oms.report(f"mine-{name}", t39="0")
    there = asyncio.ensure_future(stranger.bridge.run())
    try:
        async with asyncio.timeout(30), Operator(f"http://127.0.0.1:{system.admin_port}", lambda: token) as operator:
            by_hand = stranger.bridge.mint(time.time_ns()) if name == "BINANCE" else "by-hand"
            theirs = await stranger.place(card, by_hand)
            rows = [each.fields for each in await operator.ask(name, "open-orders") if not each.error]
            while len(rows) < 2:  # Moonbase's channel tells of it when it likes
                rows = [each.fields for each in await operator.ask(name, "open-orders") if not each.error]
            whose = {each["order_id"]: each["our_order"] for each in rows}
            assert whose.pop(theirs) == "not ours"
            assert list(whose.values()) == [report["37"]]
            if card.can.client_id:
                assert {each["order_id"]: each["cl_ord_id"] for each in rows}[theirs] == by_hand
            assert [each.order_id for each in (await operator.orders({"destination": name, "state": "all"})).rows] == [report["37"]]
    finally:
        there.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await there
