"""The whole system under hostile peers, over sockets: it trades on, and its memory stays where it was."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.server import ServerConnection, serve

from tests.system import System
from tests.wire import Client, stamp

_MEGABYTE = 1 << 20
numbers = count(1)
OTHERS = ("link=FIX.4.2:STA-00000001->APIFINY", "link=primebit", "link=moonbase")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    found = System(tmp_path)
    try:
        yield found
    finally:
        found.close()


def memory(system: System) -> int:
    """Resident bytes of the router's process."""
    assert system.router is not None
    text = Path(f"/proc/{system.router.process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) * 1024


_ORDER = [("55", "BTC/USDT"), ("54", "1"), ("60", stamp()), ("21", "1"), ("38", "0.01")]


def trades(oms: Client) -> None:
    """An order rests at a venue and is canceled."""
    name = f"z{next(numbers)}"
    oms.send("D", [("11", name), *_ORDER, ("40", "2"), ("44", "1000"), ("59", "1"), ("100", "BINANCE")])
    oms.wait(lambda message: message["11"] == name and message["39"] == "0")
    oms.send("F", [("41", name), ("11", f"{name}c"), *_ORDER[:3], ("38", "0.01")])
    oms.wait(lambda message: message["41"] == name and message["39"] == "4")


def test_strangers_and_a_client_that_never_reads_cost_little(system: System) -> None:
    """Sixty-four half-open connections, and thousands of answers that nobody takes: others trade on, and the slow one is cut."""
    system.start()
    oms, slow = system.client("FIX.4.4", "OMS44").connect(), system.client("FIX.4.4", "OMS44B").connect()
    trades(oms)
    for number in range(40):
        slow.send("D", [("11", f"s{number}"), *_ORDER, ("40", "2"), ("44", "1000"), ("59", "1"), ("100", "BINANCE")])
        slow.wait(lambda message: message["39"] == "0")
    before = memory(system)
    half = b"8=FIX.4.2\x019=4000\x0135=A\x0149=OMS42B\x0156=ROUTER\x01"
    strangers: list[socket.socket] = []
    for number in range(64):
        with suppress(OSError):
            stranger = socket.create_connection(("127.0.0.1", system.fix_port), timeout=10)
            strangers.append(stranger)
            stranger.sendall((half + b"x" * 3000, b"\x16\x03\x01" * 1000, b"", b"\x00" * 100_000)[number % 4])
    with suppress(OSError):  # until it is cut; each answer is forty reports
        for turn in range(100):
            for number in range(20):
                slow.send("AF", [("584", f"m{turn}-{number}"), ("585", "7")])
            trades(oms)
            assert memory(system) - before < 64 * _MEGABYTE, f"turn {turn}"
    assert system.router is not None
    system.router.wait_for("does not read: cut")
    trades(oms)
    for stranger in strangers:
        stranger.close()


class Hostile:
    """A WebSocket server that says what no venue says; each connection gets the next thing."""

    def __init__(self) -> None:
        self.connections = 0
        self._enough = threading.Event()
        self._server = serve(self._converse, "127.0.0.1", 0, max_size=None, compression=None)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _converse(self, connection: ServerConnection) -> None:
        number, self.connections = self.connections, self.connections + 1
        if self.connections >= 9:
            self._enough.set()
        with suppress(ConnectionClosed, OSError):
            self._speak(connection, number % 4)

    def _speak(self, connection: ServerConnection, what: int) -> None:
        match what:
            case 0:
                connection.send("x" * (10 * _MEGABYTE + 1))
            case 1:
                with connection.protocol_mutex:
                    connection.protocol.writes.append(Frame(Opcode.TEXT, b"\xff\xfe{").serialize(mask=False))
                connection.send("more")
            case 2:
                connection.send(gzip.compress(b" " * (40 * _MEGABYTE)))
            case _:
                connection.send("[" * 100_000)
                connection.send("9" * 9_000_000)
                connection.send('{"error":{"code":"\\ud800","message":"\\u0000"},"id":1}')
                for _ in range(2_000):
                    connection.send('{"ping":1}')
        connection.close()

    def wait(self) -> None:
        """Until everything has been said twice."""
        assert self._enough.wait(60), f"only {self.connections} connections"

    def close(self) -> None:
        self._server.shutdown()


@contextmanager
def hostile() -> Iterator[Hostile]:
    found = Hostile()
    try:
        yield found
    finally:
        found.close()


def test_a_hostile_stream_is_opened_anew_and_the_others_trade_on(tmp_path: Path) -> None:
    """In place of Phemex's and Crypto.com's: a frame that is too long, bad UTF-8, a gzip bomb, brackets, a flood of pings."""
    with hostile() as server:
        there = f'stream_url = "{server.url}"'
        streams = [("router.toml", rf'stream_url = "ws://127\.0\.0\.1:\d+/{path}"', there) for path in ("ws", "kline-api/ws")]
        system: Any = System(tmp_path, *streams)
        try:
            system.start_simulator()
            system.start_router("accepting clients", *OTHERS)
            oms = system.client("FIX.4.4", "OMS44").connect()
            trades(oms)
            before = memory(system)
            server.wait()
            trades(oms)
            assert memory(system) - before < 200 * _MEGABYTE
            system.router.end()
            assert not [line for line in system.router.lines if "internal error" in line]
        finally:
            system.close()


def test_garbage_from_simulators_keeps_nobody_from_trading(system: System) -> None:
    """The simulators' own fault switch, on the stream."""
    system.start()
    oms = system.client("FIX.4.4", "OMS44").connect()
    for venue in ("phemex", "primebit", "moonbase", "cryptocom"):
        system.post("/_sim/fault", venue, kind="garbage", count=20, match="stream")
    for _ in range(10):
        trades(oms)
    assert system.router is not None
    system.router.end()
    assert not [line for line in system.router.lines if "internal error" in line]
