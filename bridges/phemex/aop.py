"""What the account stream has told: orders of this life, rounds of snapshots, and answers to questions. Pure.

The rules:

1. The stream may lose, repeat and reorder messages, and its `sequence` has gaps of its own (it counts what the venue does): so a loss is
   not seen by it. It is healed by what the next row says of the whole order (cumQty, cumValueEv), and by snapshots: one a minute (of
   orders, and of what the account holds: `holdings.py`), and one after anything that could not be read.
2. A message whose `sequence` came before on this connection is a repetition and is dropped. One that is merely late is taken: its
   executions count, its acceptances do not.
3. A *round* is one aop.subscribe and the snapshots after it, one for each trading account (document: "Every APO message will only send AOP
   message for one trading account"). It is complete when every account that we trade in has come; one that
   we trade in since a reload is waited for in the rounds after its first snapshot.
4. A question is answered from a round that was asked for after it, or at most a second before, and after the order had left: never from
   memory, which a lost message makes false. So the first questions after a login need no round of their own.
5. "Not there" is said only where the snapshot must have shown the order: it holds the 100 latest ("will publish the 100 history
   account/order/position"), so it must be shorter, or reach back to before the order. Nor is it said of an order whose confirmation has
   not reached the router. Else the question stays open: the router asks again, and its operator hears of it.
6. Of a snapshot only what concerns orders placed or asked about in this life goes on, and only where it is news. Increments of orders whose
   clOrdID is not of our making are told to the operator alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bridges.phemex import rows
from bridges.phemex.orders import is_minted
from bridges.phemex.payload import Malformed, listed, name, whole
from bridges.phemex.rows import LIVE, Row
from bridges.phemex.scaling import CONTRACTS
from bridges.wire import Note, Out
from router.model import Accepted, Ask, Found

__all__ = ["Aop"]

_SECOND: Final = 1_000_000_000
FRESH: Final = _SECOND
"""ns: how much older than a question the round may be that answers it (rule 4)."""
AUDIT_EVERY: Final = 60 * _SECOND
MARGIN: Final = 60 * _SECOND
"""ns by which the venue's clock may differ from ours: beyond it no request of ours would be valid (expiry is a minute ahead)."""
HISTORY: Final = 100
_NEVER: Final = 1 << 63
_ENDED_AT_MOST: Final = 10_000
_SEQUENCES_AT_MOST: Final = 1_000
_KEPT_AT_MOST: Final = 10_000
"""Orders, and rows of a round, that are kept although this life has not placed them: a snapshot shows 100 (document)."""


@dataclass(slots=True)
class _Known:
    """What this life knows of an order of ours."""

    order_id: str | None = None
    accepted: bool = False
    """Whether the router was told that the order is live."""
    ended: bool = False
    seq: int = -1
    """execSeq of the latest row; -1 before any."""
    told: tuple[str, int] = ("", 0)
    """ordStatus and cumQty of what was last passed on."""


@dataclass(slots=True)
class _Reach:
    """How far back one account's snapshot goes (rule 5)."""

    rows: int = 0
    ended: int = 0
    oldest: int = _NEVER
    oldest_ended: int = _NEVER
    readable: bool = True

    def count(self, row: Row) -> None:
        time = row.time if row.time > 0 else _NEVER
        self.rows += 1
        self.oldest = min(self.oldest, time)
        if row.ended:
            self.ended += 1
            self.oldest_ended = min(self.oldest_ended, time)

    def covers(self, placed: int) -> bool:
        """Would an order sent at that time be in it? Whether the venue means 100 in all, or 100 beside the open ones, is not said:
        both must hold."""
        before = placed - MARGIN
        return self.readable and (self.rows < HISTORY or self.oldest < before) and (self.ended < HISTORY or self.oldest_ended < before)


@dataclass(frozen=True, slots=True)
class _Question:
    command: Ask
    put: int
    """When, ns."""
    round: int
    """The number of the last round begun before it."""


@dataclass(slots=True)
class _Round:
    """A subscription that is under way, or the last one that was completed."""

    number: int
    asked: int
    missing: set[str]
    reach: dict[str, _Reach] = field(default_factory=dict)
    latest: dict[str, Row] = field(default_factory=dict)
    """By clOrdID, increments included; emptied when it is too old to answer anything."""

    def answers(self, question: _Question) -> bool:
        """Was it asked for late enough (rule 4)? One that was begun after the question always was, whatever the clock does."""
        recent = self.asked > question.command.placed and question.put - self.asked <= FRESH
        return recent or self.number > question.round


class Aop:
    """One account's orders. The caller sends the frames: `wants_round` says when one is due."""

    def __init__(self, account: str, currencies: Sequence[str]) -> None:
        """`currencies`: those of the trading accounts whose snapshots are waited for."""
        self._account = account
        self._currencies = set(currencies)
        self._awaited = set(currencies)
        self._orders: dict[str, _Known] = {}
        self._ended: deque[str] = deque()
        self._waiting: dict[str, _Question] = {}
        self._rounds = 0
        self._round: _Round | None = None
        self._sequences: dict[int, None] = {}
        self._spoiled = False

    # --- rounds -----------------------------------------------------------------------------------------------------------

    @property
    def under_way(self) -> int | None:
        """When the round was asked for that is not complete yet."""
        return self._round.asked if self._round is not None and self._round.missing else None

    @property
    def complete(self) -> bool:
        """Every snapshot of this connection has come."""
        return self._round is not None and not self._round.missing

    @property
    def missing(self) -> str:
        """The trading accounts that the round waits for."""
        return ", ".join(sorted(self._round.missing)) if self._round is not None else ""

    def wants_round(self, now: int) -> bool:
        """Questions wait, or something may be lost (rule 1), and nothing is under way that will tell. What was lost waits a second after
        the last round, so that a stream of nonsense does not make a stream of rounds."""
        if self._round is None or self._round.missing:
            return False
        age = now - self._round.asked
        return bool(self._waiting) or (self._spoiled and age > FRESH) or age > AUDIT_EVERY

    def spoiled(self) -> None:
        """A frame could not be read: something may be lost."""
        self._spoiled = True

    def learn(self, currencies: Iterable[str]) -> None:
        """Trading accounts that are ours too. A user may not have them: the link does not go for want of their snapshots."""
        self._spoiled |= not self._currencies.issuperset(currencies)
        self._currencies.update(currencies)

    def renew(self) -> None:
        """An operator wants a fresh snapshot."""
        self._spoiled = True

    @property
    def rounds(self) -> int:
        """How many were begun."""
        return self._rounds

    def begin_round(self, now: int) -> None:
        """aop.subscribe leaves now."""
        self._rounds += 1
        self._round = _Round(self._rounds, now, set(self._awaited))
        self._spoiled = False

    def connected(self) -> None:
        """A new connection: its sequences are its own."""
        self._sequences.clear()
        self._round = None

    def closed(self) -> None:
        """The stream is gone. The router asks its questions again when the link is back."""
        self._waiting.clear()
        self._round = None

    def tidy(self, now: int) -> None:
        """Let go of rows that are too old to answer from."""
        if self._round is not None and not self._round.missing and now - self._round.asked > FRESH:
            self._round.latest.clear()

    # --- what we do -------------------------------------------------------------------------------------------------------

    def placed(self, cl_ord_id: str) -> None:
        """An order is about to leave."""
        self._orders[cl_ord_id] = _Known()

    def order_id(self, cl_ord_id: str) -> str | None:
        """The venue's id for an order, if this life has heard it."""
        known = self._orders.get(cl_ord_id)
        return known.order_id if known is not None else None

    def confirmed(self, cl_ord_id: str, order_id: str) -> list[Out]:
        """The create was answered with yes. Where the stream has spoken of the order, it has said this and maybe more."""
        known = self._orders.setdefault(cl_ord_id, _Known())
        known.order_id = order_id
        if known.seq >= 0 or known.ended:
            return []
        known.accepted = True
        exec_id = rows.new_exec_id(order_id)
        return [Accepted(account=self._account, exec_id=exec_id, venue_cl_ord_id=cl_ord_id, venue_order_id=order_id)]

    def refused(self, cl_ord_id: str) -> None:
        """The order was answered with no, or never left."""
        self._end(cl_ord_id, self._orders.setdefault(cl_ord_id, _Known()))

    def ask(self, command: Ask, now: int) -> list[Out]:
        """A question: answered now where a round is fresh enough, else when the next one is complete."""
        known = self._orders.setdefault(command.venue_cl_ord_id, _Known())
        if command.venue_order_id is not None:
            known.accepted, known.order_id = True, command.venue_order_id
        question, current = _Question(command, now, self._rounds), self._round
        if current is not None and self.complete and current.answers(question):
            return self._answer(command, current)
        self._waiting[command.order_id] = question
        return []

    # --- what the venue says ----------------------------------------------------------------------------------------------

    def seen(self, message: Mapping[str, Any]) -> bool:
        """Whether it is a repetition (rule 2). Raises `Malformed`."""
        return whole(message, "sequence") in self._sequences

    def receive(self, message: Mapping[str, Any]) -> list[Out]:
        """An AOP message. Raises `Malformed` where it is none at all; rows that make no sense are told in a `Note`."""
        sequence = whole(message, "sequence")
        if sequence in self._sequences:
            return []
        read, faults = _read(listed(message, "orders"))
        outs: list[Out] = []
        if faults:
            outs.append(Note(f"{len(faults)} rows of the account stream make no sense: {faults[0]}"))
        if message.get("type") == "snapshot":
            outs += self._snapshot(_currency(message), read, bool(faults))
        else:
            for row in read:
                outs += self._increment(row)
        self._sequences[sequence] = None
        if len(self._sequences) > _SEQUENCES_AT_MOST:
            del self._sequences[next(iter(self._sequences))]
        return outs

    def _increment(self, row: Row) -> list[Out]:
        if self._round is not None and row.cl_ord_id is not None:
            self._keep(self._round, row)
        known = self._orders.get(row.cl_ord_id or "")
        if known is None and (row.cl_ord_id is None or not is_minted(row.cl_ord_id)):
            return [_foreign(row)]
        if known is None:
            return list(rows.events(row, self._account, False))  # of another life: the router knows it, or says that it does not
        late = row.seq < known.seq or (known.ended and row.seq == known.seq)
        if late and row.exec_id is None and row.status in LIVE:
            return []  # rule 2
        if known.accepted and row.status == "New" and row.exec_id is None and not row.cum_qty:
            # The answer to the create has said this already.
            known.order_id, known.seq, known.told = row.order_id, row.seq, (row.status, row.cum_qty)
            return []
        return self._tell(row, known)

    def _snapshot(self, currency: str, read: list[Row], faulty: bool) -> list[Out]:
        current = self._round
        if current is None:
            return [Note("an account snapshot came that was not asked for")]
        reach = _Reach(readable=not faulty)
        if currency in self._currencies:
            current.reach[currency] = reach  # no question is about any other
            self._awaited.add(currency)
        asked = {each.command.venue_cl_ord_id for each in self._waiting.values()}
        outs: list[Out] = []
        for row in read:
            reach.count(row)
            if row.cl_ord_id is None:
                continue
            self._keep(current, row)
            known = self._orders.get(row.cl_ord_id)
            if known is None:
                self._remember(row, row.cl_ord_id)
            elif row.seq >= known.seq and known.told != (row.status, row.cum_qty) and row.cl_ord_id not in asked:
                outs += self._tell(row, known)
        was_under_way = bool(current.missing)
        current.missing.discard(currency)
        return [*outs, *self._answer_waiting(current)] if was_under_way and not current.missing else outs

    def _answer_waiting(self, current: _Round) -> list[Out]:
        """The round is complete."""
        waiting, self._waiting = self._waiting, {}
        outs: list[Out] = []
        for order_id, question in waiting.items():
            if question.command.venue_cl_ord_id in current.latest or current.answers(question):
                outs += self._answer(question.command, current)
            else:
                self._waiting[order_id] = question  # put when this round had long left: the next one answers
        return outs

    def _answer(self, command: Ask, current: _Round) -> list[Out]:
        known = self._orders.setdefault(command.venue_cl_ord_id, _Known())
        row = current.latest.get(command.venue_cl_ord_id)
        if row is not None:
            return self._tell(row, known)
        if command.venue_order_id is None and (known.accepted or known.seq >= 0):
            # The venue confirmed it to us and the router has yet to hear that: to it, "not there" would be a reject.
            return [Note(f"Phemex does not show order {known.order_id}, {command.venue_cl_ord_id}, which it had confirmed", "error")]
        contract = CONTRACTS.get(command.symbol)
        reach = current.reach.get(contract.settle) if contract is not None else None
        if reach is None or not reach.covers(command.placed):
            return [Note(f"Phemex does not show order {command.venue_cl_ord_id}, but its history does not reach back to it", "error")]
        return [Found(order_id=command.order_id, as_of=current.asked)]

    # --- parts ------------------------------------------------------------------------------------------------------------

    def _keep(self, current: _Round, row: Row) -> None:
        assert row.cl_ord_id is not None
        before = current.latest.get(row.cl_ord_id)
        if before is None and len(current.latest) >= _KEPT_AT_MOST and row.cl_ord_id not in self._orders:
            return
        if before is None or row.seq >= before.seq:
            current.latest[row.cl_ord_id] = row

    def _remember(self, row: Row, cl_ord_id: str) -> None:
        """An order of another life, of which the router asks if it wants to know: what came before this row is late (rule 2)."""
        if is_minted(cl_ord_id) and len(self._orders) - len(self._ended) < _KEPT_AT_MOST:
            self._orders[cl_ord_id] = known = _Known(row.order_id, seq=row.seq, told=(row.status, row.cum_qty))
            if row.ended:
                self._end(cl_ord_id, known)

    def _tell(self, row: Row, known: _Known) -> list[Out]:
        told = rows.events(row, self._account, known.accepted)
        known.order_id = row.order_id
        if row.seq >= known.seq:
            known.seq, known.told = row.seq, (row.status, row.cum_qty)
        if told and row.status != "Rejected":
            known.accepted = True
        if row.ended and row.cl_ord_id is not None:
            self._end(row.cl_ord_id, known)
        return list(told)

    def _end(self, cl_ord_id: str, known: _Known) -> None:
        if known.ended:
            return
        known.ended = True
        self._ended.append(cl_ord_id)
        if len(self._ended) > _ENDED_AT_MOST:
            self._orders.pop(self._ended.popleft(), None)


def _foreign(row: Row) -> Note:
    """An order on this account that no router of ours has sent: by hand, by a liquidation. It is told, and not as an event: the core
    takes an execution that carries no id of ours for the answer to a question that is under way (Apifiny's are like that)."""
    what = f"{row.contract.symbol} {row.side} {row.order_qty}, executed {row.cum_qty}"
    return Note(f"Phemex: order {row.order_id} ({row.cl_ord_id or 'no clOrdID'}) is not ours: {row.status}, {what}")


def _read(listed_rows: Sequence[Any]) -> tuple[list[Row], list[str]]:
    read: list[Row] = []
    faults: list[str] = []
    for each in listed_rows:
        try:
            if not isinstance(each, dict):
                raise Malformed("a row is not an object")
            read.append(rows.read(each))
        except Malformed as wrong:
            faults.append(str(wrong))
    return read, faults


def _currency(message: Mapping[str, Any]) -> str:
    """Whose snapshot it is. Raises `Malformed`."""
    accounts = listed(message, "accounts")
    if len(accounts) != 1 or not isinstance(accounts[0], dict):
        raise Malformed("a snapshot is not of one account")
    return name(accounts[0], "currency")
