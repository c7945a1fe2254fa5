"""What an account holds at one venue: the asset stream's changes, and "Query Account Asset", which tells all of it. Pure.

Source: "Query Account Asset", "Account Update". The rules:

1. The stream tells changes alone. All of it is asked for when the stream and the link are there, every minute, and a second after an order
   of the account moved; one question at a time, at most one in 5 s. One that fails is repeated later each time.
2. Nothing is trusted before the first answer to a question that left while the stream was open, nor after the stream is gone.
3. What the stream told since the question left counts; the answer may have been made before it. What an answer leaves out is 0.
4. A message or an answer is believed whole or not at all. A change that could not be read may have been of anything: nothing is trusted
   until all is told anew.

Readings:

- The total is available + frozen. The stream's `amount` is described as "amount of currency changed", so it is not used.
- Rows of another venue are not ours: a stream whose path names no venue tells of all of them. A row without a venue is of ours.
- An answer that names a currency twice with different figures (one for each `coin`) does not say what there is of it: not believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bridges.apifiny.answers import Reply, Result, reason
from bridges.apifiny.calls import get
from bridges.apifiny.reading import Malformed, amount, name, rows
from bridges.shelf import Shelf
from bridges.wire import Holdings, Out, Request
from router.model import Balance
from router.words import EXACT

__all__ = ["Assets", "Listing"]

_SECOND: Final = 1_000_000_000
EVERY: Final = 60 * _SECOND
SOON: Final = _SECOND
APART: Final = 5 * _SECOND


@dataclass(frozen=True, slots=True)
class Listing:
    """A question about all balances."""

    serial: int


class Assets:
    """Of one account at one venue. Times in ns UTC."""

    def __init__(self, link: str, account_id: str, venue: str) -> None:
        self._who = {"accountId": account_id, "venue": venue}
        self._venue = venue.upper()
        self._shelf = Shelf(f"Apifiny's {link}")
        self._open = self._whole = False
        self._serial = 0
        """Of what can be trusted: an answer to a question of before is nothing."""
        self._since: set[str] = set()
        """Currencies that the stream told of since the question left."""
        self._due = self._asked = self._moved = 0
        self._under_way = False
        self._failures = 0

    def held(self) -> Holdings | None:
        """`wire.VenueProtocol.held`."""
        return self._shelf.holdings if self._whole else None

    # --- the stream -------------------------------------------------------------------------------------------------------

    def opened(self, now: int) -> None:
        """The asset stream is open: ask for all."""
        self._distrust()
        self._open, self._due = True, now

    def closed(self) -> None:
        """The asset stream is gone."""
        self._distrust()
        self._open = False

    def changed(self, carried: Iterable[Mapping[str, Any]]) -> list[Out]:
        """Rows of the stream, the later of one currency counting. Raises `Malformed` before anything is believed."""
        told = {each.currency: each for each in self._read(carried)}
        notes = self._shelf.balances(told)
        self._since.update(told.keys() & self._shelf.currencies)  # what was not kept needs no note of it either
        return [*notes]

    def spoiled(self, why: str, now: int) -> list[Out]:
        """A message of the stream could not be read (rule 4)."""
        self._distrust()
        self._due = now
        return [*self._shelf.note("stream", f"the asset stream makes no sense: {why}")]

    # --- the question -----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The bridge begins, or begins anew: nothing is under way."""
        self._under_way = False

    def moved(self, now: int) -> None:
        """An order of the account was accepted, executed, or ended."""
        self._moved = now
        self._due = min(self._due, now + SOON)

    def tick(self, up: bool, now: int) -> list[Request]:
        """The question, where it is due. `up`: the link is."""
        if not self._open or not up or self._under_way or now < self._due or (self._asked and now < self._asked + APART):
            return []
        # What moved less than a second ago is asked about once more.
        self._due = self._moved + SOON if self._moved + SOON > now else now + EVERY
        self._asked, self._under_way = now, True
        self._since.clear()
        return [get("/asset/listBalance", Listing(self._serial), self._who)]

    def answered(self, listing: Listing, reply: Reply, now: int) -> list[Out]:
        """The answer, or what came in its place."""
        self._under_way = False
        if listing.serial != self._serial:
            self._due = now
            return []
        try:
            if not isinstance(reply, Result):
                raise Malformed(reason(reply))
            told = self._all(reply.value)
        except Malformed as wrong:
            self._again(now)
            return [*self._shelf.note("answer", f"the balances could not be had: {wrong}")]
        self._failures = 0
        self._shelf.well("answer", "stream")
        self._whole = True
        known = {each.currency: each for each in self._shelf.holdings.balances if each.currency in self._since}
        return [*self._shelf.balances(told | known, whole=True)]

    def lost(self, now: int) -> None:
        """No answer came."""
        self._under_way = False
        self._again(now)

    def _again(self, now: int) -> None:
        self._due = now + min(APART << self._failures, EVERY)
        self._failures = min(self._failures + 1, 10)

    # --- parts ------------------------------------------------------------------------------------------------------------

    def _distrust(self) -> None:
        self._whole = False
        self._serial += 1

    def _all(self, value: Any) -> dict[str, Balance]:
        told: dict[str, Balance] = {}
        for each in self._read(rows(value)):
            if told.setdefault(each.currency, each) != each:
                raise Malformed(f"it tells of {each.currency} twice, and not the same")
        return told

    def _read(self, carried: Iterable[Mapping[str, Any]]) -> list[Balance]:
        return [_balance(each) for each in carried if each.get("venue") is None or name(each, "venue").upper() == self._venue]


def _balance(row: Mapping[str, Any]) -> Balance:
    available, frozen = amount(row, "available", signed=True), amount(row, "frozen", signed=True)
    return Balance(name(row, "currency").upper(), EXACT.add(available, frozen), available)
