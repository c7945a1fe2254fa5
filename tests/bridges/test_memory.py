"""A venue that is stopped and started again: it knows what it knew, or says in one line why it does not."""

import hashlib
import json
import pickle
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import BaseModel, SecretStr

from bridges import matching, memory, simulators
from bridges.apifiny import sim_ledger as apifiny_ledger
from bridges.apifiny import sim_orders as apifiny_orders
from bridges.apifiny import sim_tape as apifiny_tape
from bridges.apifiny.sim_orders import Status as ApifinyStatus
from bridges.apifiny.simulator import ApifinySimulator
from bridges.cryptocom import sim_orders as cryptocom_orders
from bridges.cryptocom import sim_tape as cryptocom_tape
from bridges.cryptocom.sim_orders import OrderType
from bridges.cryptocom.sim_orders import Status as CryptocomStatus
from bridges.cryptocom.simulator import CryptocomSimulator
from bridges.matching import Side
from bridges.phemex import sim_account as phemex_account
from bridges.phemex import sim_errors as phemex_errors
from bridges.phemex import sim_orders as phemex_orders
from bridges.phemex.sim_errors import Refused as PhemexRefused
from bridges.phemex.sim_orders import Status as PhemexStatus
from bridges.phemex.simulator import PhemexSimulator

from .apifiny import venue as apifiny
from .cryptocom import venue as cryptocom
from .phemex import venue as phemex
from .test_simulators import written

D = Decimal


@dataclass(frozen=True)
class Venue:
    """What is different about each: one lot (`unit`), and how an order is placed, by venue's id and id of its executions."""

    name: str
    make: Callable[[Any, Callable[[], int]], simulators.Simulator]
    settings: Callable[..., BaseModel]
    now: int
    symbol: str
    unit: Decimal
    place: Callable[[Any, int, Side, int, Decimal, int], str]
    cancel: Callable[[Any, str], object]
    check: Callable[[Any], None]
    instruments: str
    accounts: str


def _apifiny_place(exchange: Any, n: int, side: Side, price: int, qty: Decimal, now: int) -> str:
    order = exchange.place(apifiny.limit(n, side, D(price), qty), apifiny.ACCOUNT, apifiny.BINANCE, now)
    exchange.confirm(order, now)
    return order.venue_id


def _phemex_place(exchange: Any, n: int, side: Side, price: int, qty: Decimal, now: int) -> str:
    return exchange.place(phemex.USER, phemex.asked(n, side, price, int(qty)), now).order_id


def _cryptocom_place(exchange: Any, n: int, side: Side, price: int, qty: Decimal, now: int) -> str:
    new = cryptocom_orders.NewOrder("btcusdt", side, OrderType.LIMIT, qty, D(price))
    return str(exchange.place(10106, new, now).order_id)


APIFINY = Venue(
    "apifiny", ApifinySimulator, apifiny.settings, apifiny.NOW, "BTCUSDT", D("0.1"), _apifiny_place,
    lambda exchange, some: exchange.cancel_order(exchange.find_any(some), apifiny.NOW),
    lambda exchange: exchange.check(), "instruments", "accounts",
)  # fmt: skip
PHEMEX = Venue(
    "phemex", PhemexSimulator, phemex.settings, phemex.NOW, "BTCUSD", D(10), _phemex_place,
    lambda exchange, some: exchange.cancel_order(exchange.find_any(some), phemex.NOW),
    phemex.check, "contracts", "accounts",
)  # fmt: skip
CRYPTOCOM = Venue(
    "cryptocom", CryptocomSimulator, cryptocom.settings, cryptocom.NOW, "btcusdt", D("0.1"), _cryptocom_place,
    lambda exchange, some: exchange.cancel(exchange.find_any(int(some)), cryptocom.NOW),
    lambda exchange: exchange.check(), "instruments", "users",
)  # fmt: skip
VENUES = [APIFINY, PHEMEX, CRYPTOCOM]
every_venue = pytest.mark.parametrize("venue", VENUES, ids=lambda each: each.name)


class Run:
    """One run of a venue, over real sockets, by a clock that stands still: two runs begin at the same instant."""

    def __init__(self, venue: Venue, state: Path, **changes: Any) -> None:
        self.venue, self._state = venue, state
        self._settings = venue.settings(**changes)
        self.now = venue.now
        self.said: list[str] = []

    async def __aenter__(self) -> "Run":
        self._stack = AsyncExitStack()
        make = partial(self.venue.make, self._settings, lambda: self.now)
        running = simulators.running(self.venue.name, make, self._settings, self._state, self.said.append)
        self.simulator: Any = await self._stack.enter_async_context(running)
        self.exchange = self.simulator.exchange
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def place(self, n: int, side: Side, price: int, units: int) -> str:
        return self.venue.place(self.exchange, n, side, price, units * self.venue.unit, self.now)

    async def orders(self) -> list[dict[str, Any]]:
        return await self._control("orders")

    async def order(self, some: str) -> dict[str, Any]:
        return next(each for each in await self.orders() if each["id"] == some)

    async def trade(self, side: Side, price: int, units: int) -> dict[str, Any]:
        qty = str(units * self.venue.unit)
        return await self._control("trade", {"symbol": self.venue.symbol, "side": side.value, "qty": qty, "price": str(price)})

    async def _control(self, what: str, body: Any = None) -> Any:
        port = getattr(self.simulator, "control_port", 0) or self.simulator.port
        method, data = ("POST", json.dumps(body)) if body else ("GET", None)
        async with aiohttp.request(method, f"http://127.0.0.1:{port}/_sim/{what}", data=data) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


async def busy(run: Run) -> dict[str, str]:
    """An order of each kind: resting, partly filled, filled, cancelled. Their ids."""
    ids = {
        "partly": run.place(1, Side.BUY, 65000, 5),
        "behind": run.place(2, Side.BUY, 65000, 3),
        "resting": run.place(3, Side.SELL, 65100, 4),
        "filled": run.place(4, Side.BUY, 65010, 1),
        "cancelled": run.place(5, Side.BUY, 64000, 1),
    }
    run.venue.cancel(run.exchange, ids["cancelled"])
    assert (await run.trade(Side.SELL, 65000, 2))["trades"][0]["id"] == ids["partly"]
    return ids


# --- what is kept ---------------------------------------------------------------------------------------------------------


@every_venue
async def test_a_venue_carries_on_where_it_stopped(venue, tmp_path):
    """The same orders, more than once; they trade in their old order; no id comes back."""
    async with Run(venue, tmp_path) as first:
        ids = await busy(first)
        before, whole = await first.orders(), first.simulator.memory()
        assert len(before) == 5
    for _ in range(2):
        async with Run(venue, tmp_path) as again:
            assert await again.orders() == before
            assert again.said == []
            venue.check(again.exchange)
            assert again.simulator.memory().keys() == whole.keys()
    async with Run(venue, tmp_path) as last:
        trade = await last.trade(Side.SELL, 65000, 4)
        assert [(each["id"], D(each["qty"])) for each in trade["trades"]] == [
            (ids["partly"], 3 * venue.unit),
            (ids["behind"], venue.unit),
        ]
        assert (await last.order(ids["partly"]))["filled"] == str(5 * venue.unit)
        assert (await last.order(ids["partly"]))["status"].upper() == "FILLED"
        assert last.place(6, Side.BUY, 64000, 1) not in ids.values()
        venue.cancel(last.exchange, ids["resting"])
        venue.check(last.exchange)


@every_venue
async def test_the_file_is_its_users_alone_and_moved_aside_while_the_venue_runs(venue, tmp_path):
    """A run that ends in disorder leaves no older memory to be taken for the latest."""
    for _ in range(2):
        async with Run(venue, tmp_path):
            assert not (tmp_path / f"{venue.name}.state").exists()
    kept = tmp_path / f"{venue.name}.state"
    assert {each.name for each in tmp_path.iterdir()} == {kept.name, f"{venue.name}.old"}
    assert kept.stat().st_mode & 0o777 == 0o600


@every_venue
async def test_no_secret_is_in_the_file(venue, tmp_path):
    """Nor any key, nor a settings object."""
    async with Run(venue, tmp_path) as run:
        await busy(run)
    text = (tmp_path / f"{venue.name}.state").read_bytes()
    secrets = (apifiny.SECRET, phemex.SECRET, phemex.TOKEN, cryptocom.SECRET, cryptocom.KEY)
    assert not [each for each in secrets if each.encode() in text]
    assert b"ettings" not in text and b"Secret" not in text


@pytest.mark.parametrize("thing", [SecretStr("x" * 40), *(each.settings() for each in VENUES)], ids=lambda each: type(each).__name__)
def test_settings_are_refused(thing, tmp_path):
    """However deep they lie; and then nothing is written."""
    with pytest.raises(TypeError, match="settings do not belong"):
        memory.save(tmp_path / "x.state", "", {"orders": [{"of": (thing,)}]})
    assert list(tmp_path.iterdir()) == []


async def test_apifiny_keeps_used_ids_refusals_reports_and_money(tmp_path):
    """An id that was used stays used, a status is answered with the very same report, and ExecIDs go on."""
    async with Run(APIFINY, tmp_path) as first:
        ids = await busy(first)
        refused = first.exchange.refuse(apifiny.limit(9, Side.BUY, "1", "1"), "0x01001A", apifiny.NOW)
        latest = {each: first.exchange.find_any(each).latest for each in ids.values()}
        money = first.exchange.ledger.items()
    async with Run(APIFINY, tmp_path) as second:
        assert second.exchange.ledger.items() == money
        for some, report in latest.items():
            order = second.exchange.find_any(some)
            assert order.latest.order is order
            assert (order.latest.exec_id, order.latest.what, order.latest.qty) == (report.exec_id, report.what, report.qty)
        again = second.exchange.find(apifiny.ACCOUNT, "BINANCE", apifiny.order_id(9))
        assert again.latest.exec_id == refused.latest.exec_id
        for used in (1, 9):
            told = second.exchange.place(apifiny.limit(used, Side.BUY, "65000", "0.1"), apifiny.ACCOUNT, apifiny.BINANCE, apifiny.NOW)
            assert told.status is ApifinyStatus.REJECTED
        old = {report.exec_id for report in latest.values()} | {refused.latest.exec_id}
        assert second.exchange.mint_exec_id() not in old


async def test_apifiny_confirms_what_a_fault_had_delayed(tmp_path):
    """The fault is forgotten, so the order does not wait for it for ever."""
    async with Run(APIFINY, tmp_path) as first:
        new = apifiny.limit(1, Side.BUY, "65000", "0.1")
        order = first.exchange.place(new, apifiny.ACCOUNT, apifiny.BINANCE, apifiny.NOW)
        assert order.status is ApifinyStatus.PENDING_SUBMIT
    async with Run(APIFINY, tmp_path) as second:
        assert second.exchange.find_any(order.venue_id).status is ApifinyStatus.SUBMITTED
        assert (await second.trade(Side.SELL, 65000, 1))["trades"][0]["id"] == order.venue_id


async def test_phemex_keeps_positions_stops_and_sequences(tmp_path):
    """A stop triggers in the run after the one that it was placed in; a reduce-only order stays covered."""
    async with Run(PHEMEX, tmp_path) as first:
        await busy(first)
        stop = phemex.asked(7, Side.SELL, None, 10, ord_type="Stop", stop_px_ep=649_900_000)
        stop_id = first.exchange.place(phemex.USER, stop, phemex.NOW).order_id
        reducing = first.exchange.place(phemex.USER, phemex.asked(8, Side.SELL, 65200, 20, reduce_only=True), phemex.NOW).order_id
        account, seq = first.exchange.accounts[phemex.USER]["BTC"], first.exchange.next_seq()
        shown = json.loads(first.simulator._feed.book_snapshot("BTCUSD"))
    async with Run(PHEMEX, tmp_path) as second:
        assert second.exchange.accounts[phemex.USER]["BTC"] == account
        assert second.exchange.next_seq() == seq + 1
        assert json.loads(second.simulator._feed.book_snapshot("BTCUSD"))["sequence"] == shown["sequence"]
        await second.trade(Side.SELL, 64990, 10)
        assert second.exchange.find_any(stop_id).status is PhemexStatus.FILLED
        assert second.exchange.find_any(reducing).status in phemex_orders.RESTING
        phemex.check(second.exchange)
        with pytest.raises(PhemexRefused) as no:
            second.exchange.place(phemex.USER, phemex.asked(1, Side.BUY, 65000, 1), phemex.NOW)
        assert no.value.code == phemex_errors.TE_CL_ORD_ID_DUPLICATE


async def test_cryptocom_keeps_what_is_on_its_way_tapes_and_ids_that_grow(tmp_path):
    """Orders that wait for the clock go on waiting for it; and the clock may have gone back."""
    slow = {"accept_ms": 1000, "cancel_ms": 1000}
    async with Run(CRYPTOCOM, tmp_path, **slow) as first:
        older = int(first.place(1, Side.BUY, 65000, 5))
        first.now += 1000
        first.exchange.advance(first.now)
        first.exchange.cancel(first.exchange.find_any(older), first.now)
        newer = int(first.place(2, Side.BUY, 65000, 5))
        await first.trade(Side.SELL, 65000, 1)
        day, tape = first.exchange.tapes["btcusdt"].day(first.now), first.exchange.tapes["btcusdt"].latest(9)
    late = Run(CRYPTOCOM, tmp_path, **slow)
    late.now -= 5000
    async with late as second:
        assert second.exchange.find_any(older).status is CryptocomStatus.PENDING_CANCEL
        assert second.exchange.find_any(newer).status is CryptocomStatus.INIT
        assert second.exchange.tapes["btcusdt"].latest(9) == tape
        assert second.exchange.tapes["btcusdt"].day(first.now) == day
        assert int(second.place(3, Side.BUY, 65000, 1)) > newer > older
        second.now = first.now + 1000
        second.exchange.advance(second.now)
        assert second.exchange.find_any(older).status is CryptocomStatus.CANCELED
        assert second.exchange.find_any(newer).status is CryptocomStatus.NEW
        await second.trade(Side.SELL, 65000, 1)
        assert second.exchange.tapes["btcusdt"].latest(1)[0].trade_id > tape[0].trade_id


# --- what cannot be kept --------------------------------------------------------------------------------------------------


def _head(body: bytes, version: int = memory.VERSION, configured: str = "") -> bytes:
    digests = [hashlib.sha256(each).hexdigest() for each in (configured.encode(), body)]
    return f"fixrouter-simulator-memory {version} {' '.join(digests)}\n".encode() + body


class _Evil:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("evil"),)


@every_venue
@pytest.mark.parametrize("damage", ["empty", "garbage", "cut", "flipped", "version"])
async def test_a_broken_file_is_one_line_and_an_empty_start(venue, damage, tmp_path):
    """And the run after that is in order again."""
    file = tmp_path / f"{venue.name}.state"
    async with Run(venue, tmp_path) as first:
        await busy(first)
    text = file.read_bytes()
    flipped = bytearray(text)
    flipped[len(text) // 2] ^= 1
    version = text.replace(f"memory {memory.VERSION} ".encode(), b"memory 0 ", 1)
    damaged = {"empty": b"", "garbage": b"\xff\x00\n\x80", "cut": text[: len(text) // 2], "flipped": bytes(flipped), "version": version}
    file.write_bytes(damaged[damage])
    async with Run(venue, tmp_path) as second:
        (line,) = second.said
        assert line.startswith(f"{venue.name} starts empty: {file} ") and "\n" not in line
        assert await second.orders() == []
        venue.check(second.exchange)
        ids = await busy(second)
    async with Run(venue, tmp_path) as third:
        assert third.said == []
        assert (await third.order(ids["partly"]))["filled"] == str(2 * venue.unit)


@every_venue
async def test_a_memory_that_does_not_fit_is_not_half_recalled(venue, tmp_path):
    """Written in order, but not by this code: something is missing, or does not agree with the rest."""
    async with Run(venue, tmp_path) as first:
        await busy(first)
    configured = venue.settings().model_dump_json(include={"instruments", "contracts", "accounts", "users", "balances"})
    file = tmp_path / f"{venue.name}.state"
    whole = memory.load(file, configured)
    assert whole is not None
    for missing in list(whole)[::-1][:3]:
        memory.save(file, configured, {name: each for name, each in whole.items() if name != missing})
        async with Run(venue, tmp_path) as second:
            (line,) = second.said
            assert "does not fit" in line
            assert await second.orders() == []
            assert second.place(1, Side.BUY, 65000, 1)
            venue.check(second.exchange)


def test_nothing_but_a_memory_is_read(tmp_path, monkeypatch):
    """A pickle can name any function there is; here it may name classes of ours alone, and calls none of another's."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "x.state"
    for evil in (_Evil(), partial(Path.touch, Path("evil")), {"a": memory.save}):
        file.write_bytes(_head(pickle.dumps(evil)))
        with pytest.raises(memory.Unusable, match="does not belong"):
            memory.load(file, "")
    assert not Path("evil").exists()
    assert memory.load(tmp_path / "none.state", "") is None


@every_venue
@pytest.mark.parametrize("which", ["instruments", "accounts"])
async def test_other_instruments_or_accounts_are_an_empty_start(venue, which, tmp_path):
    """What is remembered may name what is no longer there."""
    async with Run(venue, tmp_path) as first:
        await busy(first)
    table = venue.instruments if which == "instruments" else venue.accounts
    fewer = getattr(venue.settings(), table)[:1]
    changes: dict[str, Any] = {table: fewer}
    if venue is APIFINY:
        changes["balances"] = ()
    async with Run(venue, tmp_path, **changes) as second:
        (line,) = second.said
        assert "other instruments or accounts" in line
        assert await second.orders() == []


@every_venue
async def test_other_secrets_and_limits_change_nothing(venue, tmp_path):
    """They are not what is remembered."""
    async with Run(venue, tmp_path) as first:
        await busy(first)
        before = await first.orders()
    accounts = tuple(
        each.model_copy(update={"secret": SecretStr("another-secret-that-is-long-enough-0123")})
        for each in getattr(venue.settings(), venue.accounts)
    )
    limits = {"apifiny": "fix_requests_per_second", "phemex": "requests_per_minute", "cryptocom": "user_requests_per_second"}
    async with Run(venue, tmp_path, **{venue.accounts: accounts, limits[venue.name]: 7}) as second:
        assert second.said == []
        assert await second.orders() == before


@every_venue
async def test_a_folder_where_the_file_belongs_stops_nothing(venue, tmp_path):
    """It cannot be read, nor can it be replaced: a line at either end."""
    (tmp_path / f"{venue.name}.state" / "x").mkdir(parents=True)
    async with Run(venue, tmp_path) as run:
        await busy(run)
    empty, lost = run.said
    assert "cannot be read" in empty and "will start empty" in lost


@every_venue
async def test_a_memory_that_cannot_be_written_is_one_line(venue, tmp_path):
    """The end is in order all the same, and nothing half-written stays under the file's name."""
    async with Run(venue, tmp_path) as run:
        (tmp_path / f"{venue.name}.new").mkdir()
    (line,) = run.said
    assert line.startswith(f"{venue.name} will start empty: ")
    assert not (tmp_path / f"{venue.name}.state").exists()


async def test_all_of_them_by_the_command_s_own_way(tmp_path):
    """With the demo's settings: a folder that is made, a file each, and a second start that has nothing to say."""
    settings, said = simulators.load(written(tmp_path)), []
    for _ in range(2):
        stack = await simulators.serve(["all"], settings, tmp_path / "a" / "b", said.append)
        await stack.aclose()
    assert said == []
    assert {each.stem for each in (tmp_path / "a" / "b").glob("*.state")} == set(simulators.VENUES)
    stack = await simulators.serve(["all"], settings)
    await stack.aclose()


# --- what must not be forgotten when the simulators change ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("venue", "not_kept"),
    [
        (APIFINY, {"_accounts", "_numbers", "_instruments", "_balances", "_order_ids", "_start_ms", "_fees", "_dearer_fee", "listener"}),
        # markets and accounts are kept part by part, because contracts are configuration
        (PHEMEX, {"_settings", "_contracts", "_start_ns", "_changes", "markets", "accounts"}),
        (CRYPTOCOM, {"_settings", "instruments", "_start_ms", "touched"}),
    ],
    ids=["apifiny", "phemex", "cryptocom"],
)
def test_everything_that_an_exchange_has_is_kept_or_is_known_not_to_be(venue, not_kept):
    """A new attribute must be put in one place or the other."""
    exchange = venue.make(venue.settings(), lambda: venue.now).exchange
    kept = exchange.memory()
    kept = kept.get("exchange", kept)
    assert vars(exchange).keys() - not_kept == kept.keys() - {"start_ms"}


def test_another_shape_is_another_version():
    """When this fails, raise `memory.VERSION` and pin the new digest with it: old files would load and be wrong."""
    parts = (matching, apifiny_ledger, apifiny_orders, apifiny_tape, phemex_account, phemex_orders, cryptocom_orders, cryptocom_tape)
    shapes = {
        f"{each.__module__}.{each.__name__}": [field.name for field in fields(each)]
        for part in parts
        for each in vars(part).values()
        if isinstance(each, type) and is_dataclass(each) and each.__module__ == part.__name__
    }
    digest = hashlib.sha256(json.dumps(shapes, sort_keys=True).encode()).hexdigest()
    assert (memory.VERSION, digest[:16]) == (2, "008bf4bd5a8d3fb4")
