"""Conformance cards: the same cases at every venue, through the real router from a FIX client's side. A case is left out for a venue only
where the venue's capabilities say that it cannot; a client sees no other difference."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from bridges import venues
from bridges.cryptocom import protocol as cryptocom
from bridges.moonbase import protocol as moonbase
from bridges.phemex import protocol as phemex
from bridges.primebit import protocol as primebit
from fix import apifiny
from router.model import LinkUp
from router.rules import Capabilities
from router.settings import load
from router.words import OrdType, TimeInForce
from tests.system import System
from tests.wire import Client, stamp


@dataclass(frozen=True)
class Card:
    """One venue: where to send, what to trade, and whom to ask for the truth."""

    destination: str
    simulator: str
    symbol: str
    venue_symbol: str
    qty: str
    part: str
    """A part of `qty`; twice the part is less than it."""
    can: Capabilities
    has_stream: bool = True
    has_http: bool = True
    budget: int = 0
    """More orders than this at once are beyond what the venue takes; 0: there is no such limit."""
    inside: str = "65000"
    """Inside the spread: rests, and is first in line."""
    away: str = "60000"
    """Below every bid: rests, and nobody comes that far."""
    across: str = "66000"
    """A buy at this price would take."""
    has_history: bool = True
    """Whether the venue can be asked about orders that have ended; PrimeBit's document has no such call."""
    cancel_tries: int = 1
    """How often a cancel is tried that the venue answers with a fault of its own."""
    path: str = "fix"
    """How orders go to a venue behind Apifiny."""


BTC = ("apifiny", "BTC/USDT", "BTCUSDT", "0.5", "0.2", apifiny.capabilities("BINANCE"))
CARDS = {
    "BINANCE": Card("BINANCE", *BTC, has_http=False),
    "GBBO": Card("GBBO", *BTC[:-1], apifiny.capabilities("GBBO"), has_http=False),
    "COINBASEPRO": Card("COINBASEPRO", "apifiny", "BTC/USD", "BTCUSD", *BTC[3:], has_http=False),
    "BINANCE over REST": Card("BINANCE", *BTC, path="rest", budget=20, cancel_tries=4),
    "PHEMEX": Card("PHEMEX", "phemex", "BTC/USD", "BTCUSD", "5", "2", phemex.CAPABILITIES, budget=200),
    "PRIMEBIT": Card("PRIMEBIT", "primebit", "BTC/USD", "BTCUSD", "5", "2", primebit.CAPABILITIES, budget=5, has_history=False),
    "MOONBASE": Card(
        "MOONBASE",
        "moonbase",
        "ETC/BTC",
        "ETC:BTC",
        "5",
        "2",
        moonbase.CAPABILITIES,
        has_http=False,
        budget=300,
        inside="0.005",
        away="0.004",
        across="0.006",
    ),
    "CRYPTOCOM": Card("CRYPTOCOM", "cryptocom", "BTC/USDT", "btcusdt", "0.5", "0.2", cryptocom.capabilities(True), False, budget=10),
}
QUICK = ("router.toml", r"answer_timeout_s = 5", "answer_timeout_s = 1")
BY_REST = ("router.toml", r'(name = "BINANCE"\n)', r'\1order_path = "rest"' + "\n")
MANY_JOINS = ("simulators.toml", "joins_per_hour = 20", "joins_per_hour = 0")
"""The venue's limit has a test of its own (moonbase/); here one venue lives through an hour's flaps in a minute. The router keeps to it."""
_numbers = count(1)


class Desk:
    """A client at one venue."""

    def __init__(self, system: System, oms: Client, card: Card) -> None:
        self.system, self.oms, self.card = system, oms, card

    def order(self, cl_ord_id: str, **more: str) -> None:
        card = self.card
        self.oms.order(cl_ord_id, **{"t55": card.symbol, "t100": card.destination, "t38": card.qty, "t44": card.inside} | more)

    def rest(self, cl_ord_id: str, **more: str) -> str:
        """An order that rests; returns the venue's id."""
        self.order(cl_ord_id, **more)
        return self.oms.report(cl_ord_id, t39="0")["198"]

    def replace(self, cl_ord_id: str, orig: str, **more: str) -> None:
        card = self.card
        fields = {"t55": card.symbol, "t38": card.qty, "t44": card.inside, "t40": "2", "t54": "1"} | more
        self.oms.send("G", [("11", cl_ord_id), ("41", orig), *((tag[1:], value) for tag, value in fields.items()), ("60", stamp())])

    def rest_when_back(self, cl_ord_id: str, **more: str) -> None:
        """An order that rests, as soon as the venue takes orders again: what was executed is told a moment before that."""
        for attempt in range(10_000):
            self.order(f"{cl_ord_id}-{attempt}", **more)
            report = self.oms.report(f"{cl_ord_id}-{attempt}")
            if report["39"] == "0":
                return
            assert "not connected" in report["58"]
        raise TimeoutError(f"{self.card.destination} is not back")

    def cancel(self, cl_ord_id: str, orig: str) -> None:
        self.oms.cancel(cl_ord_id, orig, t55=self.card.symbol)

    def trade(self, qty: str, price: str | None = None, side: str = "sell") -> None:
        where = {"venue": self.card.destination} if self.card.simulator == "apifiny" else {}
        self.system.post(
            "/_sim/trade", self.card.simulator, symbol=self.card.venue_symbol, side=side, qty=qty, price=price or self.card.inside, **where
        )

    def fault(self, kind: str, **more: object) -> None:
        self.system.post("/_sim/fault", self.card.simulator, kind=kind, **{"count": 1, "match": "any"} | more)

    def at_venue(self) -> int:
        return len(self.system.venue_orders(self.card.simulator))


def started(folder: Path, path: str) -> tuple[System, Client]:
    system = System(folder, QUICK, MANY_JOINS, *([BY_REST] if path == "rest" else []))
    return system, system.start().client("FIX.4.4", "OMS44").connect()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[System, Client]]]:
    """A system and its client for each way to Apifiny, started when first wanted."""
    systems: dict[str, tuple[System, Client]] = {}

    def wanted(path: str) -> tuple[System, Client]:
        if path not in systems:
            systems[path] = started(tmp_path_factory.mktemp("cards") / "s", path)
        return systems[path]

    try:
        yield wanted
    finally:
        for system, _ in systems.values():
            system.close()


EACH = [name for name in CARDS if name not in ("GBBO", "COINBASEPRO")]
"""Every venue and way; two destinations more behind the same Apifiny are only tried (`test_every_destination`)."""


@pytest.fixture(params=EACH)
def desk(running: Callable[[str], tuple[System, Client]], request: pytest.FixtureRequest) -> Desk:
    """At each venue in turn."""
    card = CARDS[request.param]
    return Desk(*running(card.path), card)


@pytest.fixture(params=EACH)
def alone(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A system of the test's own, to break."""
    card = CARDS[request.param]
    system, oms = started(tmp_path / "s", card.path)
    try:
        yield Desk(system, oms, card)
    finally:
        system.close()


@pytest.fixture
def me() -> str:
    return f"card-{next(_numbers)}"


def test_accept_and_cancel(desk: Desk, me: str) -> None:
    """New with the venue's id, then Canceled under the request's."""
    assert desk.rest(me)
    desk.cancel(f"{me}c", me)
    report = desk.oms.report(f"{me}c", t39="4")
    assert (report["41"], report["14"], report["151"]) == (me, "0", "0")


@pytest.mark.parametrize("name", CARDS)
def test_every_destination(running: Callable[[str], tuple[System, Client]], me: str, name: str) -> None:
    """Rests, is filled in part, is canceled: over one session."""
    desk = Desk(*running(CARDS[name].path), CARDS[name])
    desk.rest(me)
    desk.trade(desk.card.part)
    desk.oms.report(me, t39="1")
    desk.cancel(f"{me}c", me)
    assert Decimal(desk.oms.report(f"{me}c", t39="4")["14"]) == Decimal(desk.card.part)


def test_reject(desk: Desk, me: str) -> None:
    """The venue's own no."""
    desk.fault("reject", match="new")
    desk.order(me)
    assert desk.oms.report(me, t39="8")["58"]


def test_rest_then_fill(desk: Desk, me: str) -> None:
    """With price and quantity of each fill, and the sum."""
    desk.rest(me)
    desk.trade(desk.card.part)
    part = desk.oms.report(me, t39="1")
    assert (Decimal(part["32"]), Decimal(part["14"]), Decimal(part["31"])) == (Decimal(desk.card.part),) * 2 + (Decimal(desk.card.inside),)
    desk.trade(desk.card.qty)
    done = desk.oms.report(me, t39="2")
    assert (Decimal(done["14"]), Decimal(done["151"]), Decimal(done["6"])) == (Decimal(desk.card.qty), 0, Decimal(desk.card.inside))


def test_partial_then_cancel(desk: Desk, me: str) -> None:
    """What was filled stays filled."""
    desk.rest(me)
    desk.trade(desk.card.part)
    desk.oms.report(me, t39="1")
    desk.cancel(f"{me}c", me)
    report = desk.oms.report(f"{me}c", t39="4")
    assert (Decimal(report["14"]), report["151"]) == (Decimal(desk.card.part), "0")


def test_cancel_racing_a_fill(desk: Desk, me: str) -> None:
    """It is filled before the venue sees the cancel: filled, and the cancel refused as too late."""
    desk.rest(me)
    desk.fault("delay", match="stream", delay_s=0.2) if desk.card.has_stream else None
    desk.trade(desk.card.qty)
    desk.cancel(f"{me}c", me)
    done = desk.oms.wait(lambda m: m["35"] == "8" and m["11"] == me and m["150"] == "F" and m["151"] == "0")
    assert Decimal(done["14"]) == Decimal(desk.card.qty)
    if not any(m["35"] == "9" and m["11"] == f"{me}c" for m in desk.oms.seen):
        assert desk.oms.wait(lambda m: m["35"] == "9" and m["11"] == f"{me}c")["39"] == "2"


def test_cancel_refused(desk: Desk, me: str) -> None:
    """9 with a reason; the order is still there, and can be canceled later."""
    desk.rest(me)
    desk.fault("reject", match="cancel", count=desk.card.cancel_tries)
    desk.cancel(f"{me}c", me)
    refused = desk.oms.wait(lambda m: m["35"] == "9" and m["11"] == f"{me}c")
    assert refused["58"]
    desk.cancel(f"{me}d", me)
    desk.oms.report(f"{me}d", t39="4")


def test_ioc_unfilled(desk: Desk, me: str) -> None:
    """Canceled, nothing executed; an emulated one says that it is."""
    if TimeInForce.IOC not in desk.card.can.times_in_force:
        pytest.skip("no IOC there")
    desk.order(me, t59="3")
    assert desk.oms.report(me, t39="4")["14"] == "0"
    if desk.card.destination == "CRYPTOCOM":
        assert any("emulated" in m["58"] for m in desk.oms.seen if m["11"] == me)


def test_post_only_that_would_cross(desk: Desk, me: str) -> None:
    """Never taken; refused or canceled."""
    if not desk.card.can.post_only:
        desk.order(me, t18="6")
        assert "post-only" in desk.oms.report(me, t39="8")["58"]
        return
    desk.order(me, t18="6", t44=desk.card.across)
    end = desk.oms.wait(lambda m: m["35"] == "8" and m["11"] == me and m["39"] in ("8", "4"))
    assert end["14"] == "0"


def test_market(desk: Desk, me: str) -> None:
    """A sell by quantity; a buy by cash amount where the venue wants that."""
    if OrdType.MARKET not in desk.card.can.ord_types:
        pytest.skip("no market orders there")
    desk.order(me, t40="1", t44="", t54="2", t59="")
    assert Decimal(desk.oms.report(me, t39="2")["14"]) == Decimal(desk.card.qty)
    if desk.card.can.market_buy_by_cash:
        desk.order(f"{me}b", t40="1", t44="", t38="", t152="6501", t59="")
        done = desk.oms.report(f"{me}b", t39="2")
        assert Decimal("0.0999") <= Decimal(done["14"]) <= Decimal("0.1")


@pytest.mark.parametrize("kind", ["duplicate_event", "reorder_events"])
def test_events_twice_and_out_of_order(desk: Desk, me: str, kind: str) -> None:
    """Each execution counts once, in the end all of them."""
    desk.rest(me)
    desk.fault(kind, match="stream" if desk.card.has_stream else "query")
    desk.trade(desk.card.part)
    desk.trade(desk.card.qty)
    done = desk.oms.wait(lambda m: m["35"] == "8" and m["11"] == me and m["39"] == "2")
    assert Decimal(done["14"]) == Decimal(desk.card.qty)
    fills = [m for m in desk.oms.seen if m["11"] == me and m["150"] == "F"]
    assert sum(Decimal(m["32"]) for m in fills) == Decimal(desk.card.qty)


@pytest.mark.parametrize("kind", ["drop_reply", "http_500"])
def test_reply_lost(desk: Desk, me: str, kind: str) -> None:
    """The venue acted and nobody heard: never rejected, never sent twice, found out."""
    if kind == "http_500" and not desk.card.has_http:
        pytest.skip("no HTTP there")
    before = desk.at_venue()
    desk.fault(kind, match="new")
    desk.order(me, t44=desk.card.away)
    assert desk.oms.report(me, t39="0")
    assert desk.at_venue() == before + 1
    assert not [m for m in desk.oms.seen if m["11"] == me and m["39"] == "8"]
    desk.cancel(f"{me}c", me)
    desk.oms.report(f"{me}c", t39="4")


@pytest.mark.parametrize("kind", ["drop_request", "http_503", "rate_limit"])
def test_request_lost(desk: Desk, me: str, kind: str) -> None:
    """It never arrived: unknown first, rejected only after the venue was asked, and never sent again."""
    if kind != "drop_request" and not desk.card.has_http:
        pytest.skip("no HTTP there")
    before = desk.at_venue()
    desk.fault(kind, match="new")
    desk.order(me, t44=desk.card.away)
    first = desk.oms.report(me)
    assert (first["39"], "unknown at" in first["58"]) == ("A", True)
    assert desk.oms.report(me, t39="8")["58"]
    assert desk.at_venue() == before


def test_venue_cancels_on_its_own(desk: Desk, me: str) -> None:
    """Canceled under the order's own id."""
    venue_id = desk.rest(me)
    desk.system.post("/_sim/cancel", desk.card.simulator, id=venue_id)
    assert desk.oms.report(me, t39="4")["151"] == "0"


def test_stream_lost_with_a_fill_meanwhile(desk: Desk, me: str) -> None:
    """Found out when it is back."""
    desk.rest(me)
    desk.fault("refuse_connections", delay_s=1)
    desk.fault("disconnect")
    desk.trade(desk.card.qty)
    done = desk.oms.wait(lambda m: m["35"] == "8" and m["11"] == me and m["39"] == "2")
    assert Decimal(done["14"]) == Decimal(desk.card.qty)
    desk.rest_when_back(f"{me}n", t44=desk.card.away)


def test_garbage_changes_nothing(desk: Desk, me: str) -> None:
    """An answer or event that cannot be read."""
    desk.rest(me)
    desk.fault("garbage", match="stream" if desk.card.has_stream else "query")
    desk.trade(desk.card.qty)
    assert Decimal(desk.oms.report(me, t39="2")["14"]) == Decimal(desk.card.qty)


@pytest.mark.parametrize("what", ["price", "quantity"])
def test_replace(desk: Desk, me: str, what: str) -> None:
    """One order all along: same OrderID, CumQty goes on, whether the venue replaces or the router does."""
    desk.rest(me)
    desk.trade(desk.card.part)
    order_id = desk.oms.report(me, t39="1")["37"]
    more = str(Decimal(desk.card.qty) + Decimal(desk.card.part))
    desk.replace(f"{me}r", me, **({"t44": desk.card.away} if what == "price" else {"t38": more}))
    report = desk.oms.report(f"{me}r", t150="5")
    assert (report["37"], report["41"], report["39"], Decimal(report["14"])) == (order_id, me, "1", Decimal(desk.card.part))
    assert Decimal(report["151"]) == Decimal(report["38"]) - Decimal(desk.card.part)
    if what == "quantity":
        desk.trade(desk.card.qty)
        done = desk.oms.report(f"{me}r", t39="2")
        assert (Decimal(done["14"]), Decimal(done["6"])) == (Decimal(more), Decimal(desk.card.inside))
    else:
        desk.cancel(f"{me}c", f"{me}r")
        desk.oms.report(f"{me}c", t39="4")


def test_replace_too_late(desk: Desk, me: str) -> None:
    """Filled meanwhile: 9 with 434=2 and 102=0, and nothing new is sent."""
    desk.rest(me)
    before = desk.at_venue()
    desk.trade(desk.card.qty)
    desk.replace(f"{me}r", me, t44=desk.card.away)
    refused = desk.oms.wait(lambda m: m["35"] == "9" and m["11"] == f"{me}r")
    assert (refused["434"], refused["102"]) == ("2", "0")
    assert desk.at_venue() == before


QUESTIONS: dict[str, dict[str, dict[str, str]]] = {
    "BINANCE": {
        "account": {}, "balances": {}, "fees": {"symbol": "BTCUSDT"}, "open-orders": {}, "completed-orders": {}, "filled-orders": {},
        "activity": {}, "order-book": {"symbol": "BTCUSDT"}, "ticker": {"symbol": "BTCUSDT"}, "trades": {"symbol": "BTCUSDT"},
    },
    "PRIMEBIT": {"balances": {}, "positions": {}, "open-orders": {}},
    "MOONBASE": {
        "balances": {}, "positions": {}, "deposits": {}, "deposit-address": {"asset": "BTC"}, "withdrawals": {}, "open-orders": {},
    },
    "PHEMEX": {
        "balances": {}, "positions": {}, "open-orders": {}, "order-book": {"symbol": "BTCUSD"}, "trades": {"symbol": "BTCUSD"},
    },
    "CRYPTOCOM": {
        "balances": {}, "open-orders": {}, "all-orders": {}, "filled-orders": {}, "symbols": {}, "ticker": {"symbol": "btcusdt"},
        "order-book": {"symbol": "btcusdt"}, "trades": {"symbol": "btcusdt"}, "candles": {"symbol": "btcusdt", "period": "1"},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
async def test_what_an_operator_may_ask_is_answered(tmp_path: Path, name: str) -> None:
    """Every topic of a venue, by a bridge of the test's own, from the simulated venue: rows, or none, but no error."""
    system = System(tmp_path / "s", ("simulators.toml", "public_requests_per_second = 1", "public_requests_per_second = 0"))
    try:
        system.start_simulator()
        settings = load(system.demo / "router.toml")
        link = "apifiny:BINANCE" if name == "BINANCE" else name.lower()
        up = asyncio.Event()

        def hear(event: object) -> None:
            up.set() if isinstance(event, LinkUp) else None

        bridge = venues.bridges(settings, system.demo, hear, time.time_ns, lambda *_args, **_fields: None)[link]
        running = asyncio.ensure_future(bridge.run())
        async with asyncio.timeout(30):
            await up.wait()
            asked = set(bridge.topics) - {"deposit-address"} if name == "BINANCE" else set(bridge.topics)
            assert set(QUESTIONS[name]) == asked, "a topic is not tried"
            for topic, arguments in QUESTIONS[name].items():
                told = await asyncio.wrap_future(bridge.inquire(topic, arguments))
                while "has not told" in told.error:  # its channel's first word may come after the link's
                    told = await asyncio.wrap_future(bridge.inquire(topic, arguments))
                assert told.error == "", topic
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    finally:
        system.close()


def test_mass_cancel(alone: Desk, me: str) -> None:
    """Everything open of this session, each by its own report."""
    for name in "abc":
        alone.rest(f"{me}{name}", t44=alone.card.away)
    alone.oms.send("q", [("11", f"{me}q"), ("530", "7"), ("60", stamp())])
    assert alone.oms.wait(lambda m: m["35"] == "r")["533"] == "3"
    ended: set[str] = set()
    while len(ended) < 3:
        ended.add(alone.oms.wait(lambda m: m["35"] == "8" and m["39"] == "4")["11"])
    assert ended == {f"{me}{name}" for name in "abc"}


def test_restart_with_open_orders(alone: Desk, me: str) -> None:
    """Killed; one order filled meanwhile, one canceled by the venue after a part, one still there."""
    ids = {name: alone.rest(f"{me}{name}") for name in "abc"}
    alone.system.kill_router()
    alone.trade(alone.card.qty)
    alone.trade(alone.card.part)
    alone.system.post("/_sim/cancel", alone.card.simulator, id=ids["b"])
    alone.system.start_router()
    alone.oms.drop()
    alone.oms.connect()
    if not alone.card.has_history:
        # What became of two orders that ended while nobody listened cannot be told apart: no guess, and a person is called.
        assert alone.system.router is not None
        for _ in "ab":
            alone.system.router.wait_for("not what was executed of it")
        for name in "ab":
            alone.oms.status(f"{me}{name}", t55=alone.card.symbol)
            told = alone.oms.wait(lambda m, name=name: m["11"] == f"{me}{name}" and m["150"] == "I")
            assert (told["39"], "not what was executed of it" in told["58"]) == ("0", True)
        alone.cancel(f"{me}cc", f"{me}c")
        assert alone.oms.report(f"{me}cc", t39="4")["14"] == "0"
        return
    assert Decimal(alone.oms.report(f"{me}a", t39="2")["14"]) == Decimal(alone.card.qty)
    report = alone.oms.wait(lambda m: m["11"] == f"{me}b" and m["39"] == "4")
    assert Decimal(report["14"]) == Decimal(alone.card.part)
    alone.cancel(f"{me}cc", f"{me}c")
    assert alone.oms.report(f"{me}cc", t39="4")["14"] == "0"
    assert alone.at_venue() == 3


def test_budget_used_up(alone: Desk, me: str) -> None:
    """An order is refused at once with the reason; a cancel still goes."""
    if not alone.card.budget:
        pytest.skip("no budget there")
    alone.rest(me, t44=alone.card.away)
    for n in range(3 * alone.card.budget):
        alone.order(f"{me}-{n}", t44=alone.card.away)
    refused = alone.oms.wait(lambda m: m["35"] == "8" and m["39"] == "8")
    assert "budget" in refused["58"]
    alone.cancel(f"{me}c", me)
    alone.oms.report(f"{me}c", t39="4")


BANS = {
    "PHEMEX": ("simulators.toml", r"ip_requests_per_minute = 0", "ip_requests_per_minute = 3"),
    "CRYPTOCOM": ("simulators.toml", r"(\[\[cryptocom.users\]\]\n)", r'\1ip_whitelist = ["10.0.0.1"]' + "\n"),
}


@pytest.mark.parametrize("name", BANS)
def test_ban(tmp_path: Path, name: str) -> None:
    """HTTP 403: the bridge stops asking, and orders are refused at once with the reason, while other venues trade on."""
    system = System(tmp_path / "s", BANS[name])
    try:
        system.start_simulator()
        system.start_router("accepting clients", "banned" if name == "CRYPTOCOM" else "link=phemex")
        oms = system.client("FIX.4.4", "OMS44").connect()
        desk, other = Desk(system, oms, CARDS[name]), Desk(system, oms, CARDS["BINANCE"])
        for n in range(6):
            desk.order(f"{n}", t44=desk.card.away)
        oms.wait(lambda m: m["35"] == "8" and m["39"] == "8")  # whichever the venue came to first
        if name != "CRYPTOCOM":
            assert system.router is not None
            system.router.wait_for("banned")
        desk.order("after", t44=desk.card.away)
        assert "not connected" in oms.report("after")["58"]
        assert other.rest("other")
    finally:
        system.close()
