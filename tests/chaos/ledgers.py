"""The three ledgers: what the client was told, what the router's journal says, and what the venues have. `verdict` compares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from router.acts import Forget
from router.engine import Engine
from router.journal import read
from router.model import Alert, CancelReject, ExecutionReport
from router.order import Leg, Order
from router.runtime import recover
from tests.wire import Message

ZERO: Final = Decimal(0)
LIVE: Final = frozenset({
    "PENDING_SUBMIT", "SUBMITTED", "Created", "Untriggered", "Triggered", "New", "PartiallyFilled", "WAITING", "OPEN", "INIT", "NEW",
    "PENDING_CANCEL",
})  # fmt: skip
"""Words of the simulators for an order that is not over. Apifiny's PART_FILLED is an end (its document); Crypto.com's is not."""


# --- the client's -------------------------------------------------------------------------------------------------------


@dataclass
class Told:
    """One order as its client was told of it, folded by ExecID as FIX asks: each id counts once."""

    last: Message
    executions: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @property
    def cum_qty(self) -> Decimal:
        """What the executions add up to."""
        return sum((qty for qty, _ in self.executions.values()), ZERO)


class ClientLedger:
    """What the sessions received."""

    def __init__(self) -> None:
        self.orders: dict[str, Told] = {}
        """By OrderID."""
        self.reports: dict[tuple[str, str], Message] = {}
        """By (session, ExecID)."""
        self.answered: set[tuple[str, str]] = set()
        """(session, ClOrdID) of every request that got any answer."""
        self.cancel_rejects: set[tuple[str, str]] = set()
        self.twice: list[str] = []
        self.repeated = 0
        """Reports that came again, marked PossResend(97)."""

    @staticmethod
    def of(heard: dict[str, list[Message]], numbers: dict[tuple[str, str], str]) -> ClientLedger:
        """`heard` by session; `numbers`: (session, MsgSeqNum) -> ClOrdID, for refusals of the session layer."""
        ledger = ClientLedger()
        for session, messages in heard.items():
            for message in messages:
                ledger._take(session, message, numbers)
        return ledger

    def _take(self, session: str, message: Message, numbers: dict[tuple[str, str], str]) -> None:
        if message["35"] in ("3", "j"):
            self.answered.add((session, numbers.get((session, message["45"]), "")))
            return
        self.answered.add((session, message["11"]))
        if message["35"] == "9":
            self.cancel_rejects.add((session, message["11"]))
            return
        exec_id = message["17"]
        if exec_id == "0":
            return
        if (session, exec_id) in self.reports:
            self._again(session, exec_id, message)
            return
        self.reports[session, exec_id] = message
        if message["37"] == "NONE":
            return
        told = self.orders.setdefault(message["37"], Told(message))
        told.last = message
        self._book(told, exec_id, message)

    def _again(self, session: str, exec_id: str, message: Message) -> None:
        self.repeated += 1
        first = self.reports[session, exec_id]
        if message["97"] != "Y" and first["97"] != "Y":
            self.twice.append(f"{session} ExecID {exec_id} came twice without PossResend(97)")
        if any(first[tag] != message[tag] for tag in ("37", "39", "32", "31", "14")):
            self.twice.append(f"{session} ExecID {exec_id} came twice and differs: {first.raw} {message.raw}")

    @staticmethod
    def _book(told: Told, exec_id: str, message: Message) -> None:
        corrects = message["20"] == "2" or message["150"] == "G"
        busts = message["20"] == "1" or message["150"] == "H"
        if (corrects or busts) and message["19"]:
            told.executions.pop(message["19"], None)
        quantity = Decimal(message["32"] or "0")
        if quantity and not busts:
            told.executions[exec_id] = (quantity, Decimal(message["31"] or "0"))


# --- the router's -------------------------------------------------------------------------------------------------------


class RouterLedger:
    """What the journal says: the blotter that a restart would have, and every report that follows from it."""

    def __init__(self, folder: Path) -> None:
        engine = Engine()
        recover(engine, read(folder))
        engine.state.blotter.check()
        self.reports: dict[tuple[str, str], ExecutionReport] = {}
        self.cancel_rejects: set[tuple[str, str]] = set()
        self.alerts: list[str] = []
        again = Engine()
        self.inputs = 0
        for record in read(folder):
            self.inputs += 1
            if not isinstance(record.event, Forget):  # what was over is compared too; the flow uses no id twice
                for effect in again.apply(record.event, record.time):
                    self._take(effect)
        self.orders: dict[str, Order] = again.state.blotter.orders
        """By OrderID."""

    def _take(self, effect: Any) -> None:
        if isinstance(effect, ExecutionReport) and effect.exec_id != "0":
            self.reports[effect.session, effect.exec_id] = effect
        elif isinstance(effect, CancelReject):
            self.cancel_rejects.add((effect.session, effect.cl_ord_id))
        elif isinstance(effect, Alert):
            self.alerts.append(effect.text)


# --- the venues' --------------------------------------------------------------------------------------------------------


@dataclass
class VenueOrder:
    """One order as its simulator has it."""

    simulator: str
    id: str
    client_id: str
    symbol: str
    side: str
    price: Decimal | None
    qty: Decimal | None
    filled: Decimal
    value: Decimal | None
    live: bool
    status: str
    claimed: str = ""
    """The OrderID of ours that it belongs to."""


class VenueLedger:
    """What all simulators have accepted."""

    def __init__(self, told: dict[str, list[dict[str, Any]]]) -> None:
        self.orders: list[VenueOrder] = []
        self._by_name: dict[tuple[str, str], list[VenueOrder]] = {}
        for simulator, rows in told.items():
            for row in rows:
                if str(row["status"]).lower() != "rejected":
                    self._take(_venue_order(simulator, row))

    def _take(self, order: VenueOrder) -> None:
        self.orders.append(order)
        for name in {order.id, order.client_id} - {""}:
            self._by_name.setdefault((order.simulator, name), []).append(order)

    def of(self, simulator: str, leg: Leg) -> list[VenueOrder]:
        """The orders there that carry one of a leg's ids."""
        found: dict[str, VenueOrder] = {}
        for name in (leg.venue_cl_ord_id, leg.venue_order_id):
            for order in self._by_name.get((simulator, name or ""), ()):
                found[order.id] = order
        return list(found.values())

    def unclaimed(self) -> Iterable[VenueOrder]:
        """Those that belong to no order of ours."""
        return [each for each in self.orders if not each.claimed]


def _venue_order(simulator: str, row: dict[str, Any]) -> VenueOrder:
    def amount(name: str) -> Decimal | None:
        return None if row.get(name) is None else Decimal(str(row[name]))

    status = str(row["status"])
    live = status in LIVE or (simulator == "cryptocom" and status == "PART_FILLED")
    return VenueOrder(
        simulator, str(row["id"]), str(row["client_id"] or ""), str(row["symbol"]), str(row["side"]).lower(), amount("price"),
        amount("qty"), amount("filled") or ZERO, amount("filled_value"), live, status,
    )  # fmt: skip
