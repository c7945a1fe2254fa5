"""Balance and positions of one trading account. Pure.

Source: "Account channel", "Positions channel" (fields). Assumptions, where the document only names them:
1. A position is the net of an account's trades in a symbol; `price_open` is the average of what built it up, weighted by
   volume, and stays when it shrinks. One that turns round is closed, and a new one opened for the rest.
2. `profit` is (price_current - price_open) x volume x contract_size, the other way round for a sell position;
   `price_current` is the last trade's price. Balance takes in the profit of what is closed. There are no fees and no funding.
3. `equity` is balance and profits, `margin` the value of positions at `price_open` and of resting orders at their limits,
   times the contract's rate, and `margin_free` the difference. Of a symbol's resting orders the dearer side counts, and
   what would close the position does not. An order that waits for its stop price ties up nothing.
4. A new order, or one modified to be worth more, needs what it would add to the margin to be free (insufficient-margin).
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
class Resting:
    """What rests: its volume, and its price x volume."""

    volume: Decimal = ZERO
    cost: Decimal = ZERO

    def plus(self, more: "Resting") -> "Resting":
        volume = self.volume + more.volume
        return Resting(volume, self.cost + more.cost if volume else ZERO)

    def less(self, other: "Resting") -> "Resting":
        return self.plus(Resting(-other.volume, -other.cost))


NOTHING = Resting()


@dataclass(slots=True)
class TradingAccount:
    """`positions` has those that are open, by symbol; `orders` what rests by the order's key, `sides` their sums."""

    account_id: str
    login: str
    balance: Decimal
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[str, Resting] = field(default_factory=dict)
    sides: dict[tuple[str, Side], Resting] = field(default_factory=dict)

    def profit(self, contracts: dict[str, ContractSettings], last: dict[str, Decimal]) -> Decimal:
        return sum((each.profit(last[symbol], contracts[symbol]) for symbol, each in self.positions.items()), ZERO)

    def margin(self, contracts: dict[str, ContractSettings]) -> Decimal:
        entered = sum((margin_of(each.cost, contracts[symbol]) for symbol, each in self.positions.items()), ZERO)
        return entered + sum((self.order_margin(symbol, contract) for symbol, contract in contracts.items()), ZERO)

    def order_margin(self, symbol: str, contract: ContractSettings, side: Side | None = None, more: Resting = NOTHING) -> Decimal:
        """What a symbol's resting orders tie up, with more on a side."""
        costs = []
        for each in Side:
            rests = self.sides.get((symbol, each), NOTHING).plus(more if each is side else NOTHING)
            opens = self.opens(symbol, each, rests.volume)
            costs.append(rests.cost if opens == rests.volume else rests.cost * opens / rests.volume)
        return margin_of(max(costs), contract)

    def rest(self, key: str, symbol: str, side: Side, now: Resting) -> bool:
        """So much of an order rests now; whether that is news."""
        before = self.orders.pop(key, NOTHING)
        if now.volume:
            self.orders[key] = now
        self.sides[symbol, side] = self.sides.get((symbol, side), NOTHING).less(before).plus(now)
        return before != now

    def opens(self, symbol: str, side: Side, volume: Decimal) -> Decimal:
        """How much of orders would add to its position, or open one the other way."""
        position = self.positions.get(symbol)
        if position is None or (position.size > 0) == (side is Side.BUY):
            return volume
        return max(ZERO, volume - position.volume)


def margin_of(cost: Decimal, contract: ContractSettings) -> Decimal:
    return cost * contract.contract_size * contract.margin_rate


# What outlives the venue's process; the rest is its configuration, or follows from the orders.
KEPT_OF_ACCOUNT = ("balance", "positions")
