"""Contenders a, b and c as processes: `python -m tests.bench.echo tcp|typed|text PORT FOLDER`. Each answers an order with one message."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import quickfix
import quickfix42

from tests.bench.client import utc
from tests.bench.reports import acknowledgement, fields

__all__ = ["ACCEPTOR", "serve_until_stopped"]

ACCEPTOR = """[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort={port}
SocketReuseAddress=Y
SocketNodelay=Y
AllowedRemoteAddresses=127.0.0.1
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=30
UseDataDictionary=N
FileStorePath={folder}/{store}
[SESSION]
BeginString=FIX.4.2
SenderCompID=ROUTER
TargetCompID=OMS42
"""


class Quiet(quickfix.Application):
    """Callbacks that do nothing."""

    def onCreate(self, session_id: Any) -> None:  # noqa: N802 - QuickFIX's names
        """Nothing."""

    def onLogon(self, session_id: Any) -> None:  # noqa: N802
        """Nothing."""

    def onLogout(self, session_id: Any) -> None:  # noqa: N802
        """Nothing."""

    def toAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        """Nothing."""

    def toApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        """Nothing."""

    def fromAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        """Nothing."""


class TextEcho(Quiet):
    """Reads by toString and split, writes one formatted text: what the router does, and nothing else of it."""

    def __init__(self) -> None:
        super().__init__()
        self._serial = itertools.count(1)

    def fromApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        serial = next(self._serial)
        text = acknowledgement(fields(message.toString()), f"O{serial}", f"E{serial}", "0")
        quickfix.Session.sendToTarget(quickfix.Message(text, False), session_id)


class TypedEcho(Quiet):
    """Reads and writes with the binding's typed fields, as its examples do."""

    def __init__(self) -> None:
        super().__init__()
        self._serial = itertools.count(1)

    def fromApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        cl_ord_id, symbol, side = quickfix.ClOrdID(), quickfix.Symbol(), quickfix.Side()
        quantity, price, ord_type, time_in_force = quickfix.OrderQty(), quickfix.Price(), quickfix.OrdType(), quickfix.TimeInForce()
        for field in (cl_ord_id, symbol, side, quantity, price, ord_type, time_in_force):
            message.getField(field)
        serial = next(self._serial)
        report = quickfix42.ExecutionReport()
        for field in (
            quickfix.OrderID(f"O{serial}"), cl_ord_id, quickfix.ExecID(f"E{serial}"), quickfix.ExecTransType("0"), quickfix.ExecType("0"),
            quickfix.OrdStatus("0"), side, quickfix.LeavesQty(quantity.getValue()), quickfix.CumQty(0), quickfix.AvgPx(0),
            quickfix.StringField(60, utc()), symbol, quantity, ord_type, price, time_in_force,
        ):  # fmt: skip
            report.setField(field)
        quickfix.Session.sendToTarget(report, session_id)


def serve_until_stopped(*engines: Any) -> None:
    """Run QuickFIX's engines, each on a thread of Python's own, until SIGTERM; then end without taking anything of them down."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    for engine in engines:
        threading.Thread(target=engine.block, daemon=True).start()
    stop.wait()
    os._exit(0)


def _tcp(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as server:
        peer, _ = server.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := peer.recv(1 << 16):
        peer.sendall(data)
    signal.pause()


def main(kind: str, port: int, folder: Path) -> None:
    if kind == "tcp":
        _tcp(port)
    sys.setswitchinterval(0.0005)
    application = TypedEcho() if kind == "typed" else TextEcho()
    settings = quickfix.SessionSettings()
    settings.setFromString(ACCEPTOR.format(port=port, folder=folder, store="clients"))
    stores = quickfix.FileStoreFactory(settings)
    serve_until_stopped(quickfix.SocketAcceptor(application, stores, settings))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
