"""A venue that never tells the same twice: what a protocol keeps of it has an end. Each flood is poured twice; the second adds nothing."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bridges.wire import Answer
from tests.bridges.apifiny import test_protocol as apifiny
from tests.bridges.cryptocom import rig as cryptocom
from tests.bridges.moonbase import desk as moonbase
from tests.bridges.phemex import test_protocol as phemex
from tests.bridges.primebit import desk as primebit
from tests.fuzz.judge import judged

_MANY = 12_000
"""More than what any protocol keeps of one kind."""


def held(thing: Any, seen: set[int] | None = None) -> int:
    """How many elements all the containers within a thing have."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, str | bytes | int | type) or thing is None or callable(thing):
        return 0
    seen.add(id(thing))
    if isinstance(thing, dict | list | set | frozenset | tuple | deque):
        inner = thing.values() if isinstance(thing, dict) else thing
        return len(thing) + sum(held(each, seen) for each in inner)
    slots = [name for kind in type(thing).__mro__ for name in kind.__dict__.get("__slots__", ()) if isinstance(name, str)]
    return sum(held(getattr(thing, name, None), seen) for name in {*slots, *getattr(thing, "__dict__", {})})


def pour(protocol: Any, now: int, frames: Iterator[tuple[str, Any]]) -> int:
    """The frames, and what is held after them."""
    for stream, message in frames:
        judged(protocol.receive(json.dumps(message), now, stream))
    return held(protocol)


def _phemex_rows(start: int, **more: Any) -> list[dict[str, Any]]:
    row = phemex.row(execSeq=1)
    return [row | {"clOrdID": f"1600000000000-000001-{start + n:06}", "orderID": f"o{start + n}"} | more for n in range(_MANY)]


def _phemex_snapshots(turn: int) -> Iterator[tuple[str, Any]]:
    yield "main", json.loads(phemex.aop(*_phemex_rows(turn * 10**5), sequence=1000 + turn, kind="snapshot"))


def _phemex_increments(turn: int) -> Iterator[tuple[str, Any]]:
    yield "main", json.loads(phemex.aop(*_phemex_rows(turn * 10**5), sequence=1000 + turn))


def _phemex_accounts(turn: int) -> Iterator[tuple[str, Any]]:
    for n in range(2_000):
        yield "main", json.loads(phemex.aop(sequence=10_000 * turn + n, kind="snapshot", currency=f"C{turn}-{n}"))


def _primebit_events(turn: int) -> Iterator[tuple[str, Any]]:
    for n in range(3_000):
        order = primebit.order("5", 1000 + turn * 10**5 + n, "not ours", symbol=f"S{turn}-{n}")
        yield "main", {"channel": f"order_{primebit.ID}", "data": {"event_type": "new", "order": order}, "message_timestamp_ms": 1}


def _primebit_fills(turn: int) -> Iterator[tuple[str, Any]]:
    for n in range(600):
        own = {"order_id": 1000, "comment": "not ours", "limit_price": "0.0", "symbol": "OTHER"}
        order = primebit.order(str(10**6 - turn * 600 - n), **own)
        yield "main", {"channel": f"order_{primebit.ID}", "data": {"event_type": "partial_fill", "order": order}, "message_timestamp_ms": 1}


def _primebit_positions(turn: int) -> Iterator[tuple[str, Any]]:
    for n in range(3_000):
        position = primebit.position("2", "65000", ident=turn * 10**5 + n) | {"symbol": f"S{turn}-{n}"}
        yield (
            "main",
            {"channel": f"positions_{primebit.ID}", "data": {"event_type": "opened", "position": position}, "message_timestamp_ms": 1},
        )


def _moonbase_frame(topic: str, event: str, rows: list[Any]) -> tuple[str, Any]:
    return "main", {"ref": None, "join_ref": None, "topic": topic, "event": event, "payload": {"data": rows}}


def _moonbase_rows(turn: int) -> Iterator[tuple[str, Any]]:
    yield _moonbase_frame(moonbase.ORDERS, "upsert", [moonbase.row(id=turn * 10**5 + n + 1) for n in range(_MANY)])


def _moonbase_trades(turn: int) -> Iterator[tuple[str, Any]]:
    trade = {"timestamp": "2019-02-17T20:37:41.682639", "symbol": moonbase.SYMBOL, "price": 1, "amount": 0.5, "maker_order_id": 10}
    rows = [trade | {"taker_order_id": 10**6 + turn * 10**5 + n, "id": turn * 10**5 + n + 1} for n in range(_MANY)]
    yield _moonbase_frame(moonbase.TRADES, "insert", rows)


def _moonbase_desk() -> Any:
    desk = moonbase.Desk(trades=True)
    desk.send(moonbase.place())  # while its reply is waited for, trades of unknown orders are kept
    return desk


def _apifiny_orders(turn: int) -> Iterator[tuple[str, Any]]:
    yield "order", {"payload": [apifiny.order(orderId=f"{turn}-{n}") for n in range(_MANY)]}


def _apifiny_nonsense(turn: int) -> Iterator[tuple[str, Any]]:
    yield "order", {"payload": [apifiny.order(orderId=f"{turn}-{n}", orderStatus="?") for n in range(_MANY)]}


def _apifiny_balances(turn: int) -> Iterator[tuple[str, Any]]:
    yield "asset", {"payload": [{"currency": f"C{turn}-{n}", "available": 1, "frozen": 1} for n in range(_MANY)]}


def _apifiny_desk() -> Any:
    desk = apifiny.Desk(trading=True)
    desk.protocol.opened(desk.now, "asset")
    return desk


@pytest.mark.parametrize(
    ("make", "frames"),
    [
        (phemex.Desk, _phemex_snapshots), (phemex.Desk, _phemex_increments), (phemex.Desk, _phemex_accounts),
        (primebit.Desk, _primebit_events), (primebit.Desk, _primebit_fills), (primebit.Desk, _primebit_positions),
        (_moonbase_desk, _moonbase_rows), (_moonbase_desk, _moonbase_trades),
        (_apifiny_desk, _apifiny_orders), (_apifiny_desk, _apifiny_nonsense), (_apifiny_desk, _apifiny_balances),
    ],
    ids=lambda each: each.__name__.strip("_") if each.__name__.startswith("_") else each.__module__.split(".")[-2],
)  # fmt: skip
def test_what_is_kept_of_a_flood_has_an_end(make: Callable[[], Any], frames: Callable[[int], Iterator[tuple[str, Any]]]) -> None:
    """After as much again, no more is held than before."""
    desk = make()
    first = pour(desk.protocol, desk.now, frames(1))
    second = pour(desk.protocol, desk.now, frames(2))
    assert second <= first + 500, f"{first} elements, then {second}"


def test_a_page_of_a_list_may_not_be_endless() -> None:
    """Crypto.com's lists come in pages of a hundred; one of twenty thousand is no page, and is not kept."""
    the = cryptocom.up(cryptocom.protocol())
    [search] = cryptocom.requests(the.send(cryptocom.ask(cryptocom.place("3")), cryptocom.START), "Orders")
    info = cryptocom.row(1)["order_info"]
    rows = [info | {"id": cryptocom.BIG + n} for n in range(20_000)]
    body = json.dumps({"code": "0", "msg": "suc", "data": {"count": 10**9, "resultList": rows}}).encode()
    judged(the.answered(search, Answer(200, {}, body), cryptocom.START))
    assert held(the) < 5_000
