"""What the account holds, as "List all account balance of user" tells it, and when that is asked. Pure.

1. The venue pushes nothing of it. Every answer to `/v1/account` tells all: those that show whether the link is alive (`link.py`, every 10 s
   where nothing else goes on), and besides one a minute, and one a second after an order of ours was accepted, executed or ended. One at a
   time, and of those asked for the balances at most one in 5 s.
2. An answer is believed whole or not at all: a row that cannot be read, or a coin named twice with different figures, and nothing is held
   until all is told anew. Nor is anything while the link is down, or after a question that brought nothing: no stream tells what changed.
3. Total is `normal` + `locked`. A coin that an answer leaves out is 0.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from bridges.cryptocom.reading import Malformed, Reply, Verdict, amount, printable
from bridges.shelf import Shelf
from bridges.wire import Holdings, Note
from router.model import Balance
from router.words import EXACT, ZERO

__all__ = ["Coins"]

_SECOND: Final = 1_000_000_000
EVERY: Final = 60 * _SECOND
SOON: Final = _SECOND
APART: Final = 5 * _SECOND
_NAME_AT_MOST: Final = 64


class Coins:
    """Of one account. Times in ns UTC."""

    def __init__(self) -> None:
        self._shelf = Shelf("Crypto.com")
        self._whole = False
        self._due = self._asked = self._moved = 0

    def held(self) -> Holdings | None:
        """`wire.VenueProtocol.held`."""
        return self._shelf.holdings if self._whole else None

    def forget(self) -> None:
        """The link is down, or a question brought nothing."""
        self._whole = False

    def moved(self, now: int) -> None:
        """An order of ours was accepted, executed, or ended."""
        self._moved = now
        self._due = min(self._due, now + SOON)

    def due(self, now: int) -> bool:
        """Whether all is to be asked for now. The caller sees to it that it is not under way already."""
        return now >= max(self._due, self._asked + APART)

    def asked(self, now: int) -> None:
        """`/v1/account` leaves, for whatever reason. What moved less than a second ago is asked about once more."""
        self._asked = now
        self._due = self._moved + SOON if self._moved + SOON > now else now + EVERY

    def lost(self, now: int) -> None:
        """It brought nothing."""
        self._whole = False
        self._due = now

    def told(self, reply: Reply, now: int) -> list[Note]:
        """Its answer, whatever it says."""
        if reply.verdict is not Verdict.YES:
            self.lost(now)
            return self._shelf.note("answer", f"the balances were refused: {reply.text}") if reply.verdict is Verdict.NO else []
        try:
            told = _balances(reply.data)
        except Malformed as wrong:
            self.lost(now)
            return self._shelf.note("answer", f"the balances make no sense: {wrong}")
        self._shelf.well("answer")
        self._whole = True
        return self._shelf.balances(told, whole=True)


def _balances(data: Any) -> dict[str, Balance]:
    rows = data.get("coin_list") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise Malformed("coin_list is not a list")
    found: dict[str, Balance] = {}
    for each in map(_balance, rows):
        if found.setdefault(each.currency, each) != each:
            raise Malformed(f"two rows of {each.currency}, and not the same")
    return found


def _balance(row: Any) -> Balance:
    coin = row.get("coin") if isinstance(row, dict) else None
    if not isinstance(coin, str) or not 0 < len(coin) <= _NAME_AT_MOST or not (coin.isascii() and coin.isprintable()):
        raise Malformed(f"a row without a coin: {printable(str(coin))}")
    usable, locked = amount(row.get("normal")), amount(row.get("locked"))
    return Balance(coin.upper(), _plain(EXACT.add(usable, locked)), _plain(usable))


def _plain(number: Decimal) -> Decimal:
    return number if number else ZERO  # no minus, no exponent
