"""What the router wants done, as requests, and what their answers say (document, "REST API"). Pure.

A create is posted once. What is a yes, a no or neither: `answers.py`. A yes to a modify or a cancel only says that it was taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bridges.primebit.answers import NOT_FOUND, No, Unknown, Yes, judge, listing, refused, rejected
from bridges.primebit.orders import Unsayable, create, modify
from bridges.primebit.payload import Malformed, name
from bridges.primebit.tracked import Change
from bridges.primebit.tracking import Orders
from bridges.wire import Answer, Kind, Note, Out, Request
from router.model import Cancel, NotSent, Place, Replace, Unanswered
from router.rules import Instrument

__all__ = ["CancelAll", "Trading"]

TOLD_WITHIN: Final = 2_000_000_000
"""ns from the yes to a modify to its event."""


@dataclass(frozen=True, slots=True)
class CancelAll:
    """Context of the list, and of each cancel, of everything."""

    order_id: str = ""


class Trading:
    """The orders of one account, as requests."""

    def __init__(self, account: str, path: str, instruments: Mapping[str, Instrument], orders: Orders) -> None:
        """`path`: that of the account's orders; `instruments` by the venue's symbol."""
        self._account = account
        self._path = path
        self._instruments = instruments
        self._orders = orders

    def place(self, command: Place, up: bool) -> Out:
        """A create, or `NotSent` where it cannot be said, or nothing would be heard of it."""
        instrument = self._instruments.get(command.symbol)
        if instrument is None:
            return NotSent(order_id=command.order_id, place=True, text=f"Symbol(55) {command.symbol} is not configured for {self._account}")
        if not up:
            return NotSent(order_id=command.order_id, place=True, text="the order stream of PrimeBit is down")
        try:
            body = create(command, instrument)
        except Unsayable as why:
            return NotSent(order_id=command.order_id, place=True, text=str(why))
        self._orders.creating[command.venue_cl_ord_id] = command
        return Request(kind=Kind.NEW, method="POST", path=self._path, body=body, context=command)

    def cancel(self, command: Cancel) -> Out:
        """A cancel; `NotSent` where the id at the venue is not known."""
        order_id = self._order_id(command)
        if not order_id:
            return NotSent(order_id=command.order_id, place=False, text="PrimeBit has not told its id for this order yet")
        each = self._orders.by_id.get(order_id)
        if each is not None:
            each.canceling = command
        return self._delete(order_id, command)

    def _delete(self, order_id: str, context: Cancel | CancelAll) -> Request:
        return Request(kind=Kind.CANCEL, method="DELETE", path=f"{self._path}/{order_id}", context=context)

    def replace(self, command: Replace, now: int, up: bool) -> Out:
        """A modify; its volume is that of the whole order."""
        order_id, instrument = self._order_id(command), self._instruments.get(command.symbol)
        each = self._orders.by_id.get(order_id)
        why = ""
        if each is None or instrument is None:
            why = "PrimeBit has not told its id for this order yet"
        elif not up:
            why = "the order stream of PrimeBit is down"
        elif each.replacing is not None and each.replacing.command != command:
            why = "a modify of this order is still to be answered"
        else:
            try:
                body = modify(command, instrument)
            except Unsayable as wrong:
                why = str(wrong)
        if why or each is None:
            return NotSent(order_id=command.order_id, place=False, text=why)
        each.replacing = Change(command, now)
        return Request(kind=Kind.CANCEL, method="PUT", path=f"{self._path}/{order_id}", body=body, context=command)

    def _order_id(self, command: Cancel | Replace) -> str:
        """The venue's id, fit for a path; "" where it is not known."""
        each = self._orders.by_owner.get(command.venue_cl_ord_id)
        order_id = command.venue_order_id or (each.order_id if each is not None else "")
        try:
            return name({"order_id": order_id}, "order_id")
        except Malformed:
            return ""

    def all(self) -> Request:
        """The open orders, of which each is then canceled."""
        return Request(kind=Kind.CANCEL, method="GET", path=self._path, context=CancelAll())

    def placed(self, command: Place, answer: Answer, now: int) -> list[Out]:
        """The answer to a create."""
        cl_ord_id, told = command.venue_cl_ord_id, judge(answer)
        if isinstance(told, Yes) and told.row.comment not in ("", cl_ord_id):
            told = Unknown("HTTP 200 with the order of another")
        match told:
            case Yes(row):
                # What is left of it is for the channel to say.
                each = self._orders.see(row, now)
                self._orders.own(each, cl_ord_id)
                if each.ended is None:
                    self._orders.accept(each)
                return []
            case No():
                self._orders.creating.pop(cl_ord_id, None)
                return [rejected(command, told, self._account)]
            case Unknown(why):
                return [Unanswered(order_id=command.order_id, text=f"the order was answered by {why}")]

    def requested(self, command: Cancel | Replace, answer: Answer, now: int) -> list[Out]:
        """The answer to a cancel or a modify; the channel may have said no before."""
        what = "cancel" if isinstance(command, Cancel) else "modify"
        order_id = self._order_id(command)
        each = self._orders.by_id.get(order_id)
        change = each.replacing if each is not None and each.replacing is not None and each.replacing.command == command else None
        match judge(answer):
            case Yes():
                if change is not None:
                    change.confirmed = now
                return []
            case Unknown(why):
                return [Unanswered(order_id=command.order_id, text=f"the {what} was answered by {why}")]
            case No() as told:
                ended = each is not None and each.ended is not None
                waited = each is None or each.canceling is command if isinstance(command, Cancel) else change is not None or ended
                if each is not None and change is not None:
                    each.replacing = None
                elif each is not None and isinstance(command, Cancel):
                    each.echoes += waited
                    waited = waited or ended
                    if each.canceling is command:
                        each.canceling = None
                return [refused(command.venue_cl_ord_id, order_id, told, self._account)] if waited else []

    def all_answered(self, context: CancelAll, answer: Answer) -> list[Out]:
        """The list of what is to be canceled, or the answer to one of its cancels."""
        return _not_canceled(context.order_id, judge(answer)) if context.order_id else self._cancel_each(answer)

    def _cancel_each(self, answer: Answer) -> list[Out]:
        try:
            rows, _ = listing(answer)
        except Malformed as wrong:
            return [Note(f"nothing was canceled at PrimeBit: its open orders cannot be read: {wrong}", "error")]
        return [self._delete(row.order_id, CancelAll(row.order_id)) for row in rows]

    def lost(self, command: Place | Cancel | Replace, sent: bool, why: str) -> Out:
        """No answer came; `sent` False: it never left."""
        if sent:
            return Unanswered(order_id=command.order_id, text=why)
        if isinstance(command, Place):
            self._orders.creating.pop(command.venue_cl_ord_id, None)
        each = self._orders.by_id.get(self._order_id(command)) if not isinstance(command, Place) else None
        if each is not None and isinstance(command, Cancel):
            each.canceling = None
        elif each is not None:
            each.replacing = None
        return NotSent(order_id=command.order_id, place=isinstance(command, Place), text=why)

    def untold(self, now: int) -> list[Out]:
        """Modifies that were taken and not told of (`TOLD_WITHIN`)."""
        late = [each.replacing for each in self._orders.open.values() if each.replacing is not None]
        outs: list[Out] = []
        for change in late:
            if change.confirmed and now - change.confirmed > TOLD_WITHIN:
                change.confirmed = now
                outs.append(Unanswered(order_id=change.command.order_id, text="the modify was taken, and the stream has not told of it"))
        return outs


def _not_canceled(order_id: str, told: Yes | No | Unknown) -> list[Out]:
    match told:
        case No(code, text) if code != NOT_FOUND:
            return [Note(f"PrimeBit did not cancel order {order_id}: {code} {text}", "error")]
        case Unknown(why):
            return [Note(f"whether PrimeBit canceled order {order_id} is not known: {why}", "error")]
    return []
