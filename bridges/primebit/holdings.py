"""What PrimeBit has told of the account's money and positions, kept. Pure.

Source: "Account channel", "Positions channel". Readings, where it is silent:

- `balance` is the money of the account, without the profit of open positions; `margin_free` is what can still be used. It is `equity` less
  `margin`, so it moves with prices, and with open profit it can be more than the balance.
- No currency is named anywhere. A position's profit is a difference of prices, so it is taken to be the quote currency of the account's
  instruments; where they have several, or none, there is no name for it, and the balance is not kept. Once named it stays so.
- Nothing says that the channel tells each change. So it is asked for anew every `REFRESH`, by subscribing again (`channel.py`).
- An account may have several positions in a symbol: what is held is their sum; its price is their average, none where they are of both
  sides. The positions themselves are read in `fills.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from bridges.primebit.fills import rounded
from bridges.primebit.payload import Malformed, amount, mapped, printable
from bridges.wire import Holdings, Note, Out
from router.model import Balance, Position
from router.words import EXACT, ZERO

__all__ = ["REFRESH", "Account", "Open", "texts"]

REFRESH: Final = 60_000_000_000
_POSITIONS_AT_MOST: Final = 1_000

Open = tuple[str, Decimal, Decimal | None]
"""An open position: symbol, volume, below 0 when sold, and what it was opened at."""


class Account:
    """One trading account. Positions outlive a connection, so that what is gone after it can be told as 0."""

    def __init__(self, quotes: Iterable[str]) -> None:
        """`quotes`: the quote currencies of the instruments."""
        self._currency = _common(quotes)
        self.fields: Mapping[str, str] = {}
        """The money as the venue wrote it last; empty while it is not known."""
        self._balances: tuple[Balance, ...] | None = None
        self._positions: dict[str, Position] = {}
        self._read = -1
        self._held: Holdings | None = None
        self._asked: int | None = None
        self._notes: list[Out] = []
        self._said: set[str] = set()

    def learn(self, quotes: Iterable[str]) -> None:
        """The quote currencies of the instruments are these now. A currency that is known stays, for the account stays the same; one that
        was not known may be now, and then the balance is asked for."""
        told = {each.upper() for each in quotes}
        if self._currency is None:
            self._currency = _common(told)
            if self._currency is not None and self._asked is not None:
                self._asked = 0
        elif told - {self._currency}:
            self._once("another", f"PrimeBit: the instruments' quote currency is no longer {self._currency} alone; the balance stays in it")

    # --- money ------------------------------------------------------------------------------------------------------------

    def asked(self, now: int) -> None:
        """The channel is subscribed to now."""
        self._asked = now

    def refused(self) -> None:
        """The channel is not to be had on this connection."""
        self._asked = None

    def due(self, now: int) -> bool:
        """Whether the channel is to be subscribed to again."""
        return self._asked is not None and now - self._asked >= REFRESH

    def money(self, data: Any) -> list[Out]:
        """A message of the account channel. What makes no sense is not believed; the state before it stays."""
        if data is None:
            return []
        try:
            fields = mapped(data, "the account")
            balance, free = amount(fields, "balance"), amount(fields, "margin_free")
        except Malformed as wrong:
            return [Note(f"PrimeBit: what the account holds makes no sense: {wrong}")]
        self.fields = texts(fields)
        balances = () if self._currency is None else (Balance(self._currency, balance, free),)
        if balances != self._balances:
            self._balances, self._held = balances, None
        if self._currency is None:
            self._once("currency", "PrimeBit names no currency, and the instruments have not one in common: the balance is not kept")
        return self.notes()

    def lost(self) -> None:
        """The stream is gone: nothing is known until it is told anew."""
        self.fields, self._balances, self._held, self._asked = {}, None, None, None

    # --- all of it --------------------------------------------------------------------------------------------------------

    def held(self, version: int, positions: Iterable[Open]) -> Holdings | None:
        """`wire.VenueProtocol.held`, while the positions are known. `version` changes with them."""
        if self._balances is None:
            return None
        if version != self._read:
            self._read = version
            self._net(positions)
        if self._held is None:
            self._held = Holdings(self._balances, tuple(self._positions.values()))
        return self._held

    def notes(self) -> list[Out]:
        """What is to be said, once."""
        notes, self._notes = self._notes, []
        return notes

    def _net(self, positions: Iterable[Open]) -> None:
        parts: dict[str, list[Open]] = {symbol: [] for symbol in self._positions}
        for each in positions:
            if each[0] in parts or len(parts) < _POSITIONS_AT_MOST:
                parts.setdefault(each[0], []).append(each)
            else:
                self._once("full", f"PrimeBit: more than {_POSITIONS_AT_MOST} positions; the others are not kept")
        for symbol, several in parts.items():
            position = Position(symbol, sum((volume for _, volume, _ in several), ZERO), _average(several))
            if self._positions.get(symbol) != position:
                self._positions[symbol], self._held = position, None

    def _once(self, what: str, text: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._notes.append(Note(text))


def texts(fields: Mapping[str, Any]) -> dict[str, str]:
    """A row of the venue for an operator."""
    return {printable(key): printable(value if isinstance(value, str) else str(value)) for key, value in fields.items()}


def _common(quotes: Iterable[str]) -> str | None:
    currencies = {each.upper() for each in quotes}
    return currencies.pop() if len(currencies) == 1 else None


def _average(parts: Sequence[Open]) -> Decimal | None:
    """By volume, to eight decimals where it does not come out even."""
    volumes = [volume for _, volume, _ in parts if volume]
    if not volumes or (min(volumes) < 0 < max(volumes)):
        return None
    priced = [(px, volume) for _, volume, px in parts if volume and px is not None]
    if len(priced) < len(volumes):
        return None
    if len(priced) == 1:
        return priced[0][0]
    value = sum((EXACT.multiply(px, volume) for px, volume in priced), ZERO)
    return rounded(EXACT.divide(value, sum(volumes, ZERO)))
