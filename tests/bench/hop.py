"""Contender e as a process: `python -m tests.bench.hop file|memory PORT VENUE_PORT FOLDER`.

The least that two QuickFIX sessions and Python can do between a client and the simulated Apifiny: an order comes in, one goes out, the
venue's report comes in, one goes out. Nothing is journaled, checked, logged or remembered but the client's id. Text codec both ways.

`file` keeps the messages of both sessions in files; `memory` those of the venue's session in memory, as the router does, since Apifiny
wants each logon to begin at 1."""

from __future__ import annotations

import itertools
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import Any

import quickfix

from fix.acceptor import session_id as session_of
from fix.apifiny import logon_token, order_id
from tests.bench.echo import ACCEPTOR, Quiet, serve_until_stopped
from tests.bench.reports import acknowledgement, fields
from tests.bench.venue import ACCOUNT, KEY_ID, secret

INITIATOR = f"""[DEFAULT]
ConnectionType=initiator
StartTime=00:00:00
EndTime=00:00:00
HeartBtInt=30
ReconnectInterval=1
SocketNodelay=Y
UseDataDictionary=N
ResetOnLogon=Y
ResetOnLogout=Y
ResetOnDisconnect=Y
FileStorePath={{folder}}/venue
[SESSION]
BeginString=FIX.4.2
SenderCompID={ACCOUNT}
TargetCompID=APIFINY
SocketConnectHost=127.0.0.1
SocketConnectPort={{port}}
"""
_TO_CLIENT = session_of("FIX.4.2:ROUTER->OMS42")
_TO_VENUE = session_of(f"FIX.4.2:{ACCOUNT}->APIFINY")


class Inward(Quiet):
    """The clients' side: orders, sent on to the venue."""

    def __init__(self, orders: dict[str, dict[str, str]]) -> None:
        super().__init__()
        self._orders = orders
        self._serial = itertools.count(1)

    def fromApp(self, message: Any, session_id: Any) -> None:  # noqa: N802 - QuickFIX's name
        order = fields(message.toString())
        name = order_id(ACCOUNT, time.time_ns(), secrets.randbelow(1_000_000), next(self._serial))
        self._orders[name] = order
        text = (
            f"8=FIX.4.2\x019=0\x0135=D\x0111={name}\x011={ACCOUNT}\x01207={order['100']}\x0155={order['55'].replace('/', '')}\x0121=1\x01"
            f"40={order['40']}\x0159={order['59']}\x0160={order['60']}\x0154={order['54']}\x0144={order['44']}\x0138={order['38']}\x01"
            f"10=000\x01"
        )
        quickfix.Session.sendToTarget(quickfix.Message(text, False), _TO_VENUE)


class Outward(Quiet):
    """The venue's side: the signed logon, and reports, sent back to the client."""

    def __init__(self, orders: dict[str, dict[str, str]]) -> None:
        super().__init__()
        self._orders = orders
        self._serial = itertools.count(1)
        self._secret = secret()
        self.logged_on = threading.Event()

    def onLogon(self, session_id: Any) -> None:  # noqa: N802
        self.logged_on.set()

    def toAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        if message.getHeader().getField(35) == "A":
            token = logon_token(ACCOUNT, KEY_ID, self._secret, time.time_ns())
            message.setField(95, str(len(token)))
            message.setField(96, token)

    def fromApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        report = fields(message.toString())
        order = self._orders[report["11"]]
        text = acknowledgement(order, report["37"], f"E{next(self._serial)}", report["150"])
        quickfix.Session.sendToTarget(quickfix.Message(text, False), _TO_CLIENT)


def _settings(text: str) -> Any:
    settings = quickfix.SessionSettings()
    settings.setFromString(text)
    return settings


def main(store: str, port: int, venue_port: int, folder: Path) -> None:
    sys.setswitchinterval(0.0005)
    orders: dict[str, dict[str, str]] = {}
    inward, outward = Inward(orders), Outward(orders)
    to_venue = _settings(INITIATOR.format(port=venue_port, folder=folder))
    to_clients = _settings(ACCEPTOR.format(port=port, folder=folder, store="clients"))
    venue_stores = quickfix.FileStoreFactory(to_venue) if store == "file" else quickfix.MemoryStoreFactory()
    client_stores = quickfix.FileStoreFactory(to_clients)
    initiator = quickfix.SocketInitiator(outward, venue_stores, to_venue)
    acceptor = quickfix.SocketAcceptor(inward, client_stores, to_clients)
    threading.Thread(target=initiator.block, daemon=True).start()
    if not outward.logged_on.wait(15):
        raise SystemExit("the simulated venue did not answer the logon")
    serve_until_stopped(acceptor)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
