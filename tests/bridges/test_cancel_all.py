"""Cancel all, at each venue that is reached over a bridge: the protocol and its shell against the simulator, on real sockets."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bridges import simulators
from bridges.cryptocom.protocol import CryptocomProtocol
from bridges.phemex.protocol import PhemexProtocol
from bridges.shell import Bridge
from router.model import Accepted, Canceled, LinkUp, Place
from router.rules import Instrument
from router.words import OrdType, Side, TimeInForce
from tests.system import ROOT

VENUES = {
    "phemex": (PhemexProtocol, "BTC/USD", "BTCUSD", "/ws", D("0.5"), D(1), D(5)),
    "cryptocom": (CryptocomProtocol, "BTC/USDT", "btcusdt", "/kline-api/ws", D("0.01"), D("0.00001"), D("0.5")),
}


@pytest.fixture(params=VENUES)
async def bridge(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Bridge, asyncio.Queue[Any], str, D]]:
    """A bridge to a simulator of the test's own."""
    make, symbol, venue_symbol, stream, tick, lot, qty = VENUES[request.param]
    demo = ROOT / "config" / "demo"
    text = re.sub(r"(?m)^(control_port|port) = \\d+", r"\\1 = 0", (demo / "simulators.toml").read_text())
    (tmp_path / "simulators.toml").write_text(text)
    for each in demo.glob("*.secret"):
        (tmp_path / each.name).write_text(each.read_text())
    settings = simulators.load(tmp_path / "simulators.toml")
    running = simulators.VENUES[request.param](settings)
    await running.start()
    port = running.port
    base, _, quote = symbol.partition("/")
    instrument = Instrument(symbol=symbol, venue_symbol=venue_symbol, base=base, quote=quote, tick=tick, lot=lot)
    heard: asyncio.Queue[Any] = asyncio.Queue()
    secret = (demo / f"{request.param}.secret").read_text().strip()
    made = Bridge(
        "link", make("acc", "demo-key", secret, [instrument]), f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}{stream}",
        heard.put_nowait, time.time_ns, lambda *_, **__: None,
    )  # fmt: skip
    serving = asyncio.ensure_future(made.run())
    yield made, heard, venue_symbol, qty
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    await running.close()


async def next_of(heard: asyncio.Queue[Any], kind: type) -> Any:
    async with asyncio.timeout(10):
        while not isinstance(event := await heard.get(), kind):
            continue
        return event


async def test_every_open_order_ends(bridge: tuple[Bridge, asyncio.Queue[Any], str, D]) -> None:
    """Each is told canceled, as if it had been asked for by itself."""
    made, heard, symbol, qty = bridge
    await next_of(heard, LinkUp)
    for number in (1, 2, 3):
        made.submit(
            Place(
                str(number),
                f"mine-{number}",
                "V",
                symbol,
                Side.BUY,
                OrdType.LIMIT,
                TimeInForce.GTC,
                False,
                qty,
                None,
                D(60000),
                None,
                False,
                0,
            )
        )
    for _ in range(3):
        await next_of(heard, Accepted)
    made.cancel_all()
    ended = {(await next_of(heard, Canceled)).venue_cl_ord_id for _ in range(3)}
    assert ended == {"mine-1", "mine-2", "mine-3"}
