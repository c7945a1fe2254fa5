"""A small OMS: one order over one client session, its reports until it is done. What `fixrouter order` is, and a pattern to start from."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import quickfix

from fix import tags as t
from fix.acceptor import session_id
from fix.guard import guarded
from fix.sessions import SessionFile
from fix.text import fields, join, timestamp
from router.words import OrdType, Side, TimeInForce

__all__ = ["Oms", "Ticket"]


@dataclass(frozen=True)
class Ticket:
    """What to order; `cash` means that `quantity` is an amount of quote currency."""

    side: Side
    quantity: Decimal
    symbol: str
    price: Decimal | None
    destination: str | None
    time_in_force: TimeInForce | None
    post_only: bool
    cash: bool


class Oms(quickfix.Application):
    """The client's end of one session of the router."""

    def __init__(self, router_session: str, clients: SessionFile, host: str, port: int, state: Path) -> None:
        """`router_session`: the session as the router names it, e.g. `FIX.4.2:ROUTER->OMS42B`. Raises `KeyError` for one not in the file.

        `state`: where sequence numbers are kept from call to call; they must not start anew while the router's go on."""
        super().__init__()
        begin, _, rest = router_session.partition(":")
        router, _, us = rest.partition("->")
        section = next((each for each in clients.sessions if clients.key(each) == router_session), None)
        if section is None:
            raise KeyError(router_session)
        self._begin = begin
        self._session_id = session_id(f"{begin}:{us}->{router}")
        self.received: SimpleQueue[Mapping[str, str]] = SimpleQueue()
        self.refused = ""
        self._logged_on = threading.Event()
        dictionaries = [
            f"{key}={(clients.path.parent / value).resolve()}"
            for key in ("DataDictionary", "AppDataDictionary", "TransportDataDictionary", "DefaultApplVerID")
            if (value := clients.value(section, key)) is not None and key != "DefaultApplVerID"
        ]
        if begin == "FIXT.1.1":
            dictionaries.append(f"DefaultApplVerID={clients.value(section, 'DefaultApplVerID')}")
        settings = quickfix.SessionSettings()
        settings.setFromString(
            "\n".join([
                "[DEFAULT]", "ConnectionType=initiator", "StartTime=00:00:00", "EndTime=00:00:00", "HeartBtInt=30", "ReconnectInterval=1",
                "SocketNodelay=Y", f"FileStorePath={state}", "[SESSION]", f"BeginString={begin}", f"SenderCompID={us}",
                f"TargetCompID={router}", f"SocketConnectHost={host}", f"SocketConnectPort={port}", "UseDataDictionary=Y", *dictionaries,
            ]) + "\n"
        )  # fmt: skip
        store = quickfix.FileStoreFactory(settings)
        self._engine = quickfix.SocketInitiator(self, store, settings)
        self._kept = (store, settings)

    def log_on(self, within_s: float) -> bool:
        """Connect. False when the router was not reached or refused; `refused` has what it said."""
        threading.Thread(target=self._engine.block, name="fix-oms", daemon=True).start()
        return self._logged_on.wait(within_s)

    def log_out(self, within_s: float = 3) -> None:
        """Say goodbye, and wait for the answer so long."""
        session = quickfix.Session.lookupSession(self._session_id)
        session.logout()
        until = time.monotonic() + within_s
        while session.isLoggedOn() and time.monotonic() < until:
            time.sleep(0.02)

    def order(self, ticket: Ticket) -> str:
        """Send it; returns its ClOrdID."""
        cl_ord_id = _new_id()
        pairs = [
            (t.CL_ORD_ID, cl_ord_id),
            (t.HANDL_INST, "1"),
            (t.SYMBOL, ticket.symbol),
            (t.SIDE, t.SIDES[ticket.side]),
            (t.TRANSACT_TIME, timestamp(time.time_ns())),
            (t.ORD_TYPE, t.ORD_TYPES[OrdType.MARKET if ticket.price is None else OrdType.LIMIT]),
            (t.CASH_ORDER_QTY if ticket.cash else t.ORDER_QTY, f"{ticket.quantity:f}"),
        ]
        if ticket.price is not None:
            pairs.append((t.PRICE, f"{ticket.price:f}"))
        if ticket.time_in_force is not None:
            pairs.append((t.TIME_IN_FORCE, t.TIMES_IN_FORCE[ticket.time_in_force]))
        if ticket.post_only:
            pairs.append((t.EXEC_INST, t.POST_ONLY_EXEC_INST))
        if ticket.destination is not None:
            pairs.append((t.EX_DESTINATION, ticket.destination))
        self._send(t.NEW_ORDER_SINGLE, pairs)
        return cl_ord_id

    def cancel(self, cl_ord_id: str, ticket: Ticket) -> None:
        """Ask for its cancel."""
        pairs = [
            (t.CL_ORD_ID, _new_id()),
            (t.ORIG_CL_ORD_ID, cl_ord_id),
            (t.SYMBOL, ticket.symbol),
            (t.SIDE, t.SIDES[ticket.side]),
            (t.TRANSACT_TIME, timestamp(time.time_ns())),
        ]
        self._send(t.ORDER_CANCEL_REQUEST, pairs)

    def next(self, within_s: float) -> Mapping[str, str] | None:
        """The next message of the router, None when none comes."""
        try:
            return self.received.get(timeout=max(within_s, 0))
        except Empty:
            return None

    def _send(self, msg_type: str, pairs: list[tuple[str, str]]) -> None:
        text = f"8={self._begin}{t.SOH}9=0{t.SOH}35={msg_type}{t.SOH}{join(pairs)}10=000{t.SOH}"
        quickfix.Session.sendToTarget(quickfix.Message(text, False), self._session_id)

    # --- QuickFIX's callbacks ---------------------------------------------------------------------------------------------

    def onCreate(self, session_id: Any) -> None:  # noqa: N802 - QuickFIX's names from here on
        """A session exists."""

    def onLogon(self, session_id: Any) -> None:  # noqa: N802
        self._logged_on.set()

    def onLogout(self, session_id: Any) -> None:  # noqa: N802
        """The caller sees that nothing comes any more."""

    def toAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        """Nothing to add."""

    def toApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        """Nothing to add."""

    def fromAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        guarded(_silent, self._hear, message, session_id)

    def fromApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        guarded(_silent, self._hear, message, session_id)

    def _hear(self, message: Any, _: Any) -> None:
        found = fields(message.toString())
        if found[t.MSG_TYPE] == "5":
            self.refused = found.get(t.TEXT, "")
        elif found[t.MSG_TYPE] in ("8", "9", "3", "j"):
            self.received.put(found)


def _new_id() -> str:
    return f"CLI-{time.time_ns() // 1_000_000}-{secrets.token_hex(2)}"


def _silent(event: str, **_: object) -> None:
    """The small OMS keeps no log."""
