"""Contenders x and p as processes: `python -m tests.bench.direct ccxt|bare URL TOKEN SECRET_FILE PORT`.

Each places orders at the simulated Phemex by itself, with no router, when it is told to over a socket: a line `closed N` (one after the
other) or `window N DEPTH` (so many at once) is answered by a line of JSON, the ns of each order or the ns of all of them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

__all__ = ["PRICE"]

PRICE = 60_000
"""Below the simulator's bids: the order rests."""

Place = Callable[[], Awaitable[object]]
"""Place one order; returns when it is answered, raises where it was not taken."""


def _ccxt(url: str, token: str, secret: str) -> tuple[Place, Callable[[], Awaitable[object]]]:
    from tests.bench.ccxtphemex import Phemex

    exchange = Phemex(url, token, secret)
    return lambda: exchange.create_order("BTC/USD:BTC", "limit", "buy", 1, PRICE), exchange.close


def _bare(url: str, token: str, secret: str) -> tuple[Place, Callable[[], Awaitable[object]]]:
    """What nobody can do without: the body, the signature, the request, the answer read and looked at."""
    session, key, serial = aiohttp.ClientSession(), secret.encode(), itertools.count(1)
    order = {"symbol": "BTCUSD", "side": "Buy", "ordType": "Limit", "orderQty": 1, "priceEp": PRICE * 10_000}

    async def place() -> None:
        body = json.dumps({**order, "clOrdID": f"bare-{next(serial)}"}, separators=(",", ":"))
        expiry = str(int(time.time()) + 60)
        headers = {
            "Content-Type": "application/json",
            "x-phemex-access-token": token,
            "x-phemex-request-expiry": expiry,
            "x-phemex-request-signature": hmac.new(key, f"/orders{expiry}{body}".encode(), hashlib.sha256).hexdigest(),
        }
        async with session.post(f"{url}/orders", data=body.encode(), headers=headers) as response:
            answer = json.loads(await response.read())
        if answer["code"] != 0:
            raise RuntimeError(f"the order was answered with {answer}")

    return place, session.close


async def _closed(place: Place, count: int) -> list[int]:
    clock, times = time.perf_counter_ns, []
    for _ in range(count):
        start = clock()
        await place()
        times.append(clock() - start)
    return times


async def _window(place: Place, count: int, depth: int) -> int:
    left = iter(range(count))

    async def work() -> None:
        for _ in left:
            await place()

    start = time.perf_counter_ns()
    async with asyncio.TaskGroup() as group:
        for _ in range(depth):
            group.create_task(work())
    return time.perf_counter_ns() - start


async def _serve(kind: str, url: str, token: str, secret: str, port: int) -> None:
    place, close = {"ccxt": _ccxt, "bare": _bare}[kind](url, token, secret)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            what, *numbers = line.split()
            took: object = await (_closed if what == b"closed" else _window)(place, *map(int, numbers))
            writer.write(json.dumps(took).encode() + b"\n")
        writer.close()

    try:
        async with await asyncio.start_server(told, "127.0.0.1", port):
            await stop.wait()
    finally:
        await close()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:4], Path(sys.argv[4]).read_text().strip(), int(sys.argv[5])))
