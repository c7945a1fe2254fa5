"""Our standing with Apifiny: what it lists, in which state the account is, whether the link is up. Pure.

`link.py` says when a link is up, `reference.py` how the lists are read. A state of the account that the venue refuses to tell (a wrong
signature, say) is a state in which nothing is to be done; one that could not be asked for leaves the one known before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridges.apifiny import calls
from bridges.apifiny.answers import Blocked, Reply, Result, Unclear, reason
from bridges.apifiny.codes import Verdict, of_question
from bridges.apifiny.link import Link
from bridges.apifiny.reading import Failure, Malformed
from bridges.apifiny.reference import OPENED, account_status, listings, venue_enabled
from bridges.wire import Note, Out
from router.model import Barred, Listed

__all__ = ["Standing"]


class Standing:
    """Of one account at one venue."""

    def __init__(self, link: str, account_id: str, venue: str, symbols: Sequence[str], trading: bool) -> None:
        self._name = link
        self._account_id = account_id
        self._venue = venue
        self._symbols = list(symbols)
        self._link = Link(link, trading)
        self._list: Any = None
        self._venue_open = True
        self._status = ""
        self._barred: str | None = None

    @property
    def up(self) -> bool:
        """Whether the link is."""
        return self._link.up

    def knows(self, symbol: str) -> bool:
        """Whether it is traded."""
        return symbol in self._symbols

    def learn(self, symbols: Sequence[str], now: int) -> list[Out]:
        """What is new among these is judged by the list that is here, and by a new one, which the next tick asks for."""
        new = [each for each in dict.fromkeys(symbols) if each not in self._symbols]
        if not new:
            return []
        self._symbols += new
        self._link.relist(now)
        try:
            return self._take_symbols(self._list) if self._list is not None else []
        except Malformed as wrong:  # the list was read for the others only
            return [Note(f"{self._name}: the list of Apifiny's symbols makes no sense of {', '.join(new)}: {wrong}")]

    def begin(self, now: int) -> list[Out]:
        """The bridge begins, or begins anew."""
        self._link.restart()
        return self.tick(now)

    def tick(self, now: int) -> list[Out]:
        """Questions that are due."""
        probe = [calls.account_state(self._account_id, self._venue)] if self._link.probe_due(now) else []
        return [*probe, *([calls.symbols(), calls.venues()] if self._link.lists_due(now) else [])]

    def stream(self, is_open: bool, why: str = "") -> Sequence[Out]:
        """The order stream came, or went."""
        return self._link.stream(is_open, why)

    def heed(self, reply: Reply, signed: bool, now: int) -> Sequence[Out]:
        """What any answer says of the link."""
        match reply:
            case Blocked():
                return self._link.shut_out("banned: Apifiny blocks our address (HTTP 403)")
            case Unclear(why):
                return self._link.failed(now, why)
            case _:
                return self._link.answered(now, signed)

    def failed(self, now: int, why: str) -> Sequence[Out]:
        """No answer came."""
        return self._link.failed(now, why)

    def lost(self, context: Any, now: int) -> None:
        """A question of ours (`answered`) will have no answer."""
        if isinstance(context, calls.AccountState):
            self._link.probed(now)
        else:
            self._link.lists_failed(now)

    def answered(self, context: Any, reply: Reply, now: int) -> list[Out]:
        """The answer to a question about the venue or the account."""
        try:
            if not isinstance(reply, Result):
                raise Malformed(reason(reply))
            match context:
                case calls.Symbols():
                    return self._take_symbols(reply.value)
                case calls.Venues():
                    return self._take_venues(reply.value)
                case _:
                    status = account_status(reply.value, self._venue)
                    return [*self._bar(status), *self._take_status(status, now)]
        except Malformed as wrong:
            self.lost(context, now)
            if isinstance(context, calls.AccountState) and isinstance(reply, Failure) and of_question(reply.rows) is Verdict.NO:
                return self._take_status(f"not told: {wrong}", now)
            what = "the state of the account" if isinstance(context, calls.AccountState) else "a list"
            return [Note(f"{self._name}: {what} could not be had of Apifiny: {wrong}")]

    def _take_symbols(self, value: Any) -> list[Out]:
        listed = listings(value, self._symbols, self._venue_open)
        self._list = value
        closed = [each.venue_symbol for each in listed if not each.enabled]
        notes = [Note(f"{self._venue} does not trade {', '.join(closed)} now")] if closed else []
        return [*notes, Listed(link=self._name, listings=listed), *self._link.listed()]

    def _take_venues(self, value: Any) -> list[Out]:
        enabled = venue_enabled(value, self._venue)
        if enabled is self._venue_open:
            return []
        self._venue_open = enabled
        note = Note(f"{self._venue} is {'enabled' if enabled else 'disabled'} at Apifiny")
        return [note, *(self._take_symbols(self._list) if self._list is not None else [])]

    def _take_status(self, status: str, now: int) -> list[Out]:
        self._link.probed(now)
        changed, self._status = status != self._status, status
        notes = [Note(f"the account of {self._name} is {status}", "error")] if changed and status != OPENED else []
        return [*notes, *self._link.state(status, now)]

    def _bar(self, status: str) -> list[Out]:
        """Whether the account may trade, also over FIX: said at each change, and once in each life, for what was said in the last may be
        over."""
        why = "" if status == OPENED else f"Apifiny says that the account is {status}"
        if why == self._barred:
            return []
        self._barred = why
        return [Barred(link=self._name, why=why)]
