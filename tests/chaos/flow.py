"""What the client does: orders that rest, orders that take, cancels and replaces, at every destination at its pace.
All of it drawn from one seed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from itertools import count
from random import Random

from tests.chaos.markets import DESTINATIONS, MARKETS, Market
from tests.chaos.oms import Oms
from tests.wire import Message, stamp

OPEN_AT_MOST = 8
"""Orders left open at a destination: what is asked about after each crash has to fit into the venue's budget."""
_ENDS = frozenset("2348C")


class Flow:
    """The trader: sends through the sessions, and knows from their reports what is open."""

    def __init__(self, random: Random, pace: float = 1.0) -> None:
        self._random = random
        self._pace = pace
        self._numbers = count(1)
        self._markets = {name: [each for each in MARKETS if each.destination == name] for name in DESTINATIONS}
        self.open: dict[str, dict[str, tuple[Oms, Message]]] = {name: {} for name in DESTINATIONS}
        """By destination and OrderID: the last report of each order that is open."""
        self.asked: dict[tuple[str, str], str] = {}
        """Every request sent: (session, ClOrdID) -> MsgType."""
        self.numbers: dict[tuple[str, str], str] = {}
        """(session, MsgSeqNum) -> ClOrdID, for a refusal that names nothing else."""

    def told(self, oms: Oms, message: Message) -> None:
        """A session heard this."""
        if message["35"] != "8" or message["37"] == "NONE" or message["100"] not in self.open:
            return
        book = self.open[message["100"]]
        if message["39"] in _ENDS:
            book.pop(message["37"], None)
        elif message["39"] in "015":
            book[message["37"]] = (oms, message)

    async def trade(self, destination: str, sessions: Sequence[Oms]) -> None:
        """Trade at a destination until canceled."""
        pace = self._markets[destination][0].pace * self._pace
        while True:
            await asyncio.sleep(self._random.expovariate(pace))
            up = [each for each in sessions if each.logged_on]
            if up:
                self._act(destination, self._random.choice(up))

    def _act(self, destination: str, oms: Oms) -> None:
        book = self.open[destination]
        draw = self._random.random()
        if book and (len(book) >= OPEN_AT_MOST or draw < 0.25):
            owner, order = self._random.choice(list(book.values()))
            if owner.logged_on:
                self.cancel(owner, order) if len(book) >= OPEN_AT_MOST or draw < 0.15 else self._replace(owner, order)
            return
        self._new(self._random.choice(self._markets[destination]), oms)

    def _new(self, market: Market, oms: Oms) -> None:
        number = next(self._numbers)
        side = self._random.choice("12")
        kind = self._random.choices(("inside", "away", "take", "ioc", "miss"), (4, 2, 1, 2, 1))[0]
        if kind in ("ioc", "miss") and not market.ioc:
            kind = "take"
        price = market.inside(self._random) if kind == "inside" else market.away(side) if kind in ("away", "miss") else market.across(side)
        self._request(
            oms, "D", f"o{number}",
            [("55", market.symbol), ("54", side), ("40", "2"), ("38", f"{market.qty(number):f}"), ("44", f"{price:f}"),
             ("59", "3" if kind in ("ioc", "miss") else "1"), ("100", market.destination), ("21", "1")],
        )  # fmt: skip

    def cancel(self, oms: Oms, order: Message) -> None:
        """Ask for the end of an order."""
        fields = [("41", order["11"]), ("55", order["55"]), ("54", order["54"]), ("38", order["38"])]
        self._request(oms, "F", f"c{next(self._numbers)}", fields)

    def _replace(self, oms: Oms, order: Message) -> None:
        number = next(self._numbers)
        market = next(each for each in self._markets[order["100"]] if each.symbol == order["55"])
        price = market.inside(self._random) if self._random.random() < 0.5 else Decimal(order["44"])
        qty = market.qty(number) if self._random.random() < 0.7 else Decimal(order["38"])
        self._request(
            oms, "G", f"r{number}",
            [("41", order["11"]), ("55", order["55"]), ("54", order["54"]), ("40", "2"), ("38", f"{qty:f}"), ("44", f"{price:f}"),
             ("21", "1")],
        )  # fmt: skip

    def _request(self, oms: Oms, msg_type: str, cl_ord_id: str, fields: list[tuple[str, str]]) -> None:
        self.asked[oms.name, cl_ord_id] = msg_type
        number = oms.send(msg_type, [("11", cl_ord_id), *fields, ("60", stamp())])
        self.numbers[oms.name, str(number)] = cl_ord_id
