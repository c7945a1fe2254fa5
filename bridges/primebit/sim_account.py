"""Balance and positions of one trading account. Pure.

Source: "Account channel", "Positions channel" (fields). Assumptions, where the document only names them:
1. A position is the net of an account's trades in a symbol; `price_open` is the average of what built it up, weighted by
   volume, and stays when it shrinks. One that turns round is closed, and a new one opened for the rest.
2. `profit` is (price_current - price_open) x volume x contract_size, the other way round for a sell position;
   `price_current` is the last trade's price. Balance takes in the profit of what is closed. There are no fees and no funding.
3. `equity` is balance and profits, `margin` the positions' value at `price_open` times the contract's rate, `margin_free`
   the difference. Resting orders tie up nothing.
4. A new order, or one modified to be worth more, that would add to its position needs its own margin to be free
   (insufficient-margin).
"""

from dataclasses import dataclass, field
from decimal import Decimal

from bridges.matching import Side
from bridges.primebit.sim_orders import ZERO
from bridges.primebit.sim_settings import ContractSettings


@dataclass(slots=True)
class Position:
    """`size` is signed, buys positive; `cost` is what it was entered at, the sum of price x volume, never negative."""

    position_id: int
    size: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def volume(self) -> Decimal:
        return abs(self.size)

    @property
    def price_open(self) -> Decimal:
        return self.cost / self.volume

    def add(self, signed: Decimal, price: Decimal) -> None:
        self.size += signed
        self.cost += abs(signed) * price

    def take(self, volume: Decimal, price: Decimal) -> Decimal:
        """Closes so much of it; the gain, in price x volume."""
        entry = self.cost * volume / self.volume
        gain = price * volume - entry if self.size > 0 else entry - price * volume
        rest = self.volume - volume
        self.cost = self.cost - entry if rest else ZERO
        self.size = rest.copy_sign(self.size)
        return gain

    def profit(self, price: Decimal, contract: ContractSettings) -> Decimal:
        value = price * self.volume
        return (value - self.cost if self.size > 0 else self.cost - value) * contract.contract_size


@dataclass(slots=True)
class TradingAccount:
    """`positions` has those that are open, by symbol."""

    account_id: str
    login: str
    balance: Decimal
    positions: dict[str, Position] = field(default_factory=dict)

    def profit(self, contracts: dict[str, ContractSettings], last: dict[str, Decimal]) -> Decimal:
        return sum((each.profit(last[symbol], contracts[symbol]) for symbol, each in self.positions.items()), ZERO)

    def margin(self, contracts: dict[str, ContractSettings]) -> Decimal:
        return sum((margin_of(each.cost, contracts[symbol]) for symbol, each in self.positions.items()), ZERO)

    def opens(self, symbol: str, side: Side, volume: Decimal) -> Decimal:
        """How much of an order would add to its position, or open one the other way."""
        position = self.positions.get(symbol)
        if position is None or (position.size > 0) == (side is Side.BUY):
            return volume
        return max(ZERO, volume - position.volume)


def margin_of(cost: Decimal, contract: ContractSettings) -> Decimal:
    return cost * contract.contract_size * contract.margin_rate


# What outlives the venue's process; the rest is its configuration.
KEPT_OF_ACCOUNT = ("balance", "positions")
