"""What Phemex has told of balances and positions, kept. Pure.

Source: "Subscribe Account-Order-Position (AOP)", its two samples. Readings, where it is silent:

- `accountBalanceEv` is all the money of an account, `totalUsedBalanceEv` what its orders, its positions and their losses tie up. The rest
  can be used; it is below 0 where more is used than there is, as in the first sample. A bonus is not money, and not counted.
- `size` is in contracts and has no sign: `side` is Buy, Sell, or for no position None. A symbol has one position.
- A snapshot shows every position of its account: one that it leaves out is gone. An increment shows those that changed.
- A message may come late (`aop.py`, rule 2). Its `sequence` says so: what was told since then stands. A snapshot was asked for, and
  always counts.
- Of accounts that we do not trade in nothing is kept. Nor is the price of a position in a contract whose scale is not known.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from bridges.phemex.payload import Malformed, listed, name, whole
from bridges.phemex.scaling import CONTRACTS, VALUE_SCALES, price
from bridges.wire import Holdings, Note, Out
from router.model import Balance, Position
from router.words import EXACT

__all__ = ["Accounts"]

_POSITIONS_AT_MOST: Final = 1_000
_SIGNS: Final = {"Buy": 1, "Sell": -1, "None": 0}


@dataclass(frozen=True, slots=True)
class _Message:
    """What an AOP message says of one trading account."""

    currency: str
    snapshot: bool
    sequence: int
    balance: Balance
    positions: dict[str, Position]


class Accounts:
    """The trading accounts of one user. Rows outlive a connection, so that what is gone after it can be told as 0."""

    def __init__(self, currencies: Sequence[str]) -> None:
        """`currencies`: those of the accounts that are kept, and without which nothing is told."""
        self._kept = set(currencies)
        self._wanted = set(currencies)
        self._balances: dict[str, Balance] = {}
        self._positions: dict[str, tuple[str, Position]] = {}
        """By symbol, with the currency of the account that it is in."""
        self._told: dict[str, int] = {}
        """By currency, of those whose snapshot has come on this connection: the latest sequence."""
        self._moved: dict[str, int] = {}
        """By symbol: the latest sequence since a snapshot of its account."""
        self._held: Holdings | None = None
        self._full_said = False

    def learn(self, currencies: Iterable[str]) -> None:
        """More accounts to keep; waited for, too, once their first snapshot has come (`aop.py`, rule 3)."""
        self._kept.update(currencies)

    def held(self) -> Holdings | None:
        """`wire.VenueProtocol.held`."""
        if not self._told or not self._told.keys() >= self._wanted:
            return None
        if self._held is None:
            positions = tuple(each for _, each in self._positions.values())
            self._held = Holdings(tuple(self._balances[each] for each in sorted(self._told)), positions)
        return self._held

    def connected(self) -> None:
        """A new connection: nothing is known until it is told anew, and its sequences are its own."""
        self._told.clear()
        self._held = None

    def heard(self, message: Mapping[str, Any]) -> list[Out]:
        """An AOP message that is no repetition. Where any of it makes no sense, nothing of it is believed."""
        try:
            told = _read(message, self._kept)
        except Malformed as wrong:
            return [Note(f"Phemex: what the account holds makes no sense: {wrong}")]
        if told is None or (told.currency not in self._told and not told.snapshot):
            return []
        self._balance(told)
        return self._take(told)

    def _balance(self, told: _Message) -> None:
        latest = self._told.get(told.currency)
        if latest is not None and told.sequence < latest and not told.snapshot:
            return
        if latest is None or self._balances[told.currency] != told.balance:
            self._held = None
        self._told[told.currency], self._balances[told.currency] = told.sequence, told.balance
        self._wanted.add(told.currency)

    def _take(self, told: _Message) -> list[Out]:
        outs: list[Out] = []
        rows = _gone(told, self._positions) | told.positions if told.snapshot else told.positions
        for symbol, position in rows.items():
            if symbol not in self._positions and len(self._positions) >= _POSITIONS_AT_MOST:
                outs += self._full()
            elif told.snapshot or self._moved.get(symbol, told.sequence) <= told.sequence:
                self._moved[symbol] = told.sequence
                if self._positions.get(symbol) != (told.currency, position):
                    self._positions[symbol], self._held = (told.currency, position), None
        return outs

    def _full(self) -> list[Out]:
        if self._full_said:
            return []
        self._full_said = True
        return [Note(f"Phemex: more than {_POSITIONS_AT_MOST} positions; the others are not kept")]


def _gone(told: _Message, positions: Mapping[str, tuple[str, Position]]) -> dict[str, Position]:
    """Those of a snapshot's account that it does not show, as 0."""
    return {
        symbol: Position(symbol, Decimal(0))
        for symbol, (currency, _) in positions.items()
        if currency == told.currency and symbol not in told.positions
    }


def _read(message: Mapping[str, Any], currencies: Container[str]) -> _Message | None:
    """None where it says nothing of an account in these currencies. Raises `Malformed`."""
    accounts, rows = listed(message, "accounts"), listed(message, "positions")
    if not accounts and not rows:
        return None
    if len(accounts) != 1 or not isinstance(accounts[0], dict):
        raise Malformed("it is not of one account")
    currency = name(accounts[0], "currency")
    if currency not in currencies:
        return None
    positions = [_position(each) for each in rows]
    by_symbol = {each.symbol: each for each in positions}
    if len(by_symbol) < len(positions):
        raise Malformed("a position is told twice")
    return _Message(currency, message.get("type") == "snapshot", whole(message, "sequence"), _money(accounts[0], currency), by_symbol)


def _money(account: Mapping[str, Any], currency: str) -> Balance:
    total, used = whole(account, "accountBalanceEv"), whole(account, "totalUsedBalanceEv")
    if used < 0:
        raise Malformed(f"totalUsedBalanceEv {used} is below zero")
    scale = Decimal(VALUE_SCALES[currency])
    return Balance(currency, EXACT.divide(Decimal(total), scale), EXACT.divide(Decimal(total - used), scale))


def _position(row: Any) -> Position:
    if not isinstance(row, dict):
        raise Malformed("a position is not an object")
    symbol, sign, size = name(row, "symbol"), _SIGNS.get(name(row, "side")), whole(row, "size")
    if sign is None or size < 0 or (size and not sign):
        raise Malformed(f"a position of {size} {symbol} with side {row['side']}")
    entry = whole(row, "avgEntryPriceEp", 0) if size else 0
    if entry < 0:
        raise Malformed(f"avgEntryPriceEp {entry} of {symbol} is below zero")
    return Position(symbol, Decimal(sign * size), price(entry) if entry and symbol in CONTRACTS else None)
