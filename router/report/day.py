"""One day of the journal, counted: replayed through the engine, whose effects are the reports that clients had. Pure.

The rules:

1. The day is UTC. What came later is not looked at: the same journal gives the same report for ever.
2. The orders of the day are those that came on it, those that were open when it began, and any other that something was executed of. They
   are told as they stood at its end. Executions count on their own day, whenever their order came.
3. Latencies are differences of journal times: from the moment when one input was journaled to the moment when the other was.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from decimal import Decimal
from typing import Final

from router.acts import BustTrade, CorrectTrade
from router.engine import Engine
from router.journal import Record
from router.model import (
    Accepted,
    Alert,
    CancelOrder,
    CancelReject,
    Effect,
    ExecutionReport,
    Filled,
    Input,
    NewOrder,
    Send,
)
from router.order import Leg, Order
from router.report.doubts import Doubts
from router.report.outages import Outages
from router.report.trades import Contract, Trades
from router.state import State
from router.words import ExecType, OrdRejReason, OrdStatus

__all__ = ["ACKNOWLEDGED", "CANCELED", "DAY", "SLOT", "VENUE", "Day", "kind_of"]

SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
SLOT: Final = 300 * SECOND
"""Nanoseconds of one bar of the picture of the day."""
ACKNOWLEDGED: Final = "client's order to report New"
VENUE: Final = "sent to the venue to its acknowledgement"
CANCELED: Final = "client's cancel to report Canceled"
_EXECUTED: Final = (ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL)
_TEXTS_AT_MOST: Final = 2000
"""Different texts that are kept apart; with a client that writes what it likes there is no end of them."""
_NUMBERED: Final = re.compile(r"\(\d+\)|[\w.\-]*\d[\w.\-]*")

_Executions = dict[str, tuple[Leg, Decimal, Decimal]]
"""As `Order.executions`: leg, quantity and price by ExecID."""


class Day:
    """What is known of one day; `take` every record of the journal, then `close`."""

    def __init__(self, begins: int, ends: int) -> None:
        """`begins`, `ends`: ns UTC; a day that is not over ends now."""
        self.begins, self.ends = begins, ends
        self.engine = Engine()
        self.orders: dict[str, Order] = {}
        """By OrderID: the orders of the day (rule 2)."""
        self.ended: dict[str, int] = {}
        """By OrderID: when an order of the day was over."""
        self.slots: dict[str, Counter[int]] = {}
        """By destination: new orders of each `SLOT` of the day; "" for those refused before one was known."""
        self.latencies: dict[str, dict[str, array[int]]] = {ACKNOWLEDGED: {}, VENUE: {}, CANCELED: {}}
        """By kind and destination: nanoseconds."""
        self.rejects: Counter[tuple[str, str, str]] = Counter()
        """New orders refused, by destination, reason and kind of text."""
        self.cancel_rejects: Counter[tuple[str, str, str]] = Counter()
        self.alerts: Counter[str] = Counter()
        self.trades = Trades(self._contract)
        self.outages = Outages(begins, ends)
        self.doubts = Doubts(begins)
        self.inputs = 0
        """Journal records of the day."""
        self.first = 0
        """Time of the journal's first record, ns UTC; 0 where there is none."""
        self._begun = False
        self._cancels: dict[str, int] = {}
        """By OrderID: when the client asked for a cancel that is not answered yet."""

    def resume(self, state: State, now: int) -> None:
        """Go on from the book of a snapshot, made at `now`, where the journal before it is gone or need not be read. Before any `take`."""
        self.engine.state = state
        self.first = now
        self.outages.resume(state, now)
        self.doubts.look(state, None, state.blotter.live.values(), now)

    def _contract(self, order: Order) -> Contract:
        """By the configuration of the time; not known where that has no such instrument any more."""
        found = self.engine.state.policy.find(order.destination, order.symbol)
        return Contract(None) if found is None else Contract(found[1].contract_size, found[1].inverse)

    def take(self, record: Record) -> bool:
        """One record, oldest first. False: the day is over, and no other is needed."""
        now, event = record.time, record.event
        self.first = self.first or now
        if now >= self.ends:
            self.close(event)
            return False
        if now >= self.begins:
            self._begin()
        was = self._executions(event)
        parked = self._parked(event)
        effects = self.engine.apply(event, now)
        self.outages.take(event, now)
        touched = self._touched(event, effects)
        self.doubts.look(self.engine.state, event, touched.values(), now)
        self._cancel(event, touched, now)
        if self._begun:
            self._count(event, effects, now, was, parked)
        return True

    def close(self, next_event: Input | None = None) -> None:
        """The day is over; `next_event`: what came first after it, where anything did."""
        self._begin()
        self.outages.close(next_event)
        self.doubts.close()

    def came(self, order: Order) -> bool:
        """Whether an order came on the day, and not before."""
        return order.created >= self.begins

    # --- of one input ---

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self.orders |= {name: order for name, order in self.engine.state.blotter.live.items() if not order.done}

    def _executions(self, event: Input) -> _Executions:
        """What an input may be about to change: the executions of its order, where they can change at all."""
        blotter = self.engine.state.blotter
        if isinstance(event, CorrectTrade | BustTrade):
            order = blotter.orders.get(event.order_id)
            return dict(order.executions) if order is not None else {}
        if not isinstance(event, Filled):
            return {}
        order = blotter.at_venue(event.account, event.venue_cl_ord_id, event.venue_order_id)
        return dict(order.executions) if order is not None and order.inferred else {}

    def _parked(self, event: Input) -> list[Filled]:
        """The executions that an input brings: its own, and those that waited for it."""
        account, name = getattr(event, "account", None), getattr(event, "venue_order_id", None)
        waited = self.engine.state.blotter.parked.get((account, name), ()) if account and name else ()
        return [each for each in (event, *waited) if isinstance(each, Filled)]

    def _touched(self, event: Input, effects: list[Effect]) -> dict[str, Order]:
        blotter = self.engine.state.blotter
        names = {each.command.order_id if isinstance(each, Send) else getattr(each, "order_id", "") for each in effects}
        names.add(getattr(event, "order_id", None) or "")
        found = {name: blotter.orders[name] for name in names if name in blotter.orders}
        account = getattr(event, "account", None)
        if account and hasattr(event, "venue_order_id"):
            order = blotter.at_venue(account, getattr(event, "venue_cl_ord_id", None), event.venue_order_id)
            if order is not None:
                found[order.order_id] = order
        return found

    def _cancel(self, event: Input, touched: dict[str, Order], now: int) -> None:
        for name, order in touched.items():
            if order.done:
                asked = self._cancels.pop(name, None)
                if asked is not None and order.base is OrdStatus.CANCELED and now >= self.begins:
                    self._measure(CANCELED, order, now - asked)
            elif isinstance(event, CancelOrder) and order.pending is not None:
                self._cancels.setdefault(name, now)

    # --- counting, on the day ---

    def _count(self, event: Input, effects: list[Effect], now: int, was: _Executions, filled: list[Filled]) -> None:
        self.inputs += 1
        if isinstance(event, NewOrder):
            self._arrival(event, now)
        for effect in effects:
            if isinstance(effect, ExecutionReport):
                self._report(effect, event, now, was, filled)
            elif isinstance(effect, CancelReject):
                self._tally(self.cancel_rejects, effect.destination or "", str(effect.reason), effect.text)
            elif isinstance(effect, Alert) and (len(self.alerts) < _TEXTS_AT_MOST or kind_of(effect.text) in self.alerts):
                self.alerts[kind_of(effect.text)] += 1

    def _arrival(self, event: NewOrder, now: int) -> None:
        order = self.engine.state.blotter.by_cl_ord_id(event.session, event.cl_ord_id)
        if order is not None and order.created == now:
            self.orders[order.order_id] = order
            self.slots.setdefault(order.destination, Counter())[(now - self.begins) // SLOT] += 1

    def _report(self, told: ExecutionReport, event: Input, now: int, was: _Executions, filled: list[Filled]) -> None:
        if told.exec_type is ExecType.REJECTED:
            self._tally(self.rejects, told.destination or "", str(told.ord_rej_reason or OrdRejReason.OTHER), told.text)
        order = self.engine.state.blotter.orders.get(told.order_id)
        if order is None:
            return
        if told.exec_type in _EXECUTED:
            self.orders[order.order_id] = order
            self.trades.take(order, told, was.get(told.exec_ref_id or ""), _venue_exec_id(told, filled))
        elif told.exec_type is ExecType.NEW:
            self.orders[order.order_id] = order
            self._measure(ACKNOWLEDGED, order, now - order.created)
            if isinstance(event, Accepted) and 0 < order.placed < now:  # not one that the venue only now shows to be there
                self._measure(VENUE, order, now - order.placed)
        if not order.done:
            self.ended.pop(order.order_id, None)
        elif told.exec_type is not ExecType.ORDER_STATUS:
            self.ended.setdefault(order.order_id, order.updated)

    def _measure(self, kind: str, order: Order, ns: int) -> None:
        self.latencies[kind].setdefault(order.destination, array("q")).append(ns)

    def _tally(self, counter: Counter[tuple[str, str, str]], destination: str, reason: str, text: str) -> None:
        key = (destination, reason, kind_of(text))
        counter[key if key in counter or len(counter) < _TEXTS_AT_MOST else ("", "", "other texts")] += 1


def kind_of(text: str) -> str:
    """A text without what differs from one order to the next: every word with a digit is "#". Tag numbers, "(11)", stay."""
    return _NUMBERED.sub(lambda found: found[0] if found[0].startswith("(") else "#", text)


def _venue_exec_id(told: ExecutionReport, filled: list[Filled]) -> str:
    """The venue's own name of an execution; "" where it was derived from the venue's totals. Takes it off the list."""
    for number, each in enumerate(filled):
        if told.exec_type is ExecType.TRADE and each.last_px == told.last_px and each.last_qty >= told.last_qty:
            return filled.pop(number).exec_id
    return ""
