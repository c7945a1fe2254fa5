"""What users own: balances and positions ("Balances", "Positions"). Pure.

Assumptions:
 1. Orders are paid from balances: `placed_amount` is what resting orders tie up, `available_amount` what is free. A buy ties
    up its price times amount and the fee, a sell its amount.
 2. `/positions` keeps the sum of what was traded: `amount` signed, `total` what it cost, negative for what was bought (as
    the document's 1 for -1), `price` their ratio to 8 decimals, `fee` negative. An amount of zero ends it: total and price are 0.
 3. `assign` sets a position's margin and moves it between `available_amount` and `assigned_amount` of the quote asset. Margin
    makes no difference to orders: there is no leverage, no liquidation.
 4. Pledging, offering, loaning, borrowing and drawing are not simulated: always 0.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from bridges.matching import ZERO
from bridges.moonbase.sim_errors import Refused
from bridges.moonbase.sim_settings import Instrument, MoonbaseSettings

_EIGHT = Decimal("0.00000001")


@dataclass(slots=True)
class Balance:
    balance_id: int
    asset: str
    available: Decimal = ZERO
    placed: Decimal = ZERO
    assigned: Decimal = ZERO
    withdrawn: Decimal = ZERO

    def move(self, amount: Decimal) -> None:
        """From free to tied up by orders; back where it is negative. Refused where it is not there."""
        if amount > self.available:
            raise Refused("insufficient_funds", asset=self.asset, required=amount, available=self.available)
        self.available -= amount
        self.placed += amount


@dataclass(slots=True)
class Position:
    position_id: int
    symbol: str
    amount: Decimal = ZERO
    total: Decimal = ZERO
    margin: Decimal = ZERO
    fee: Decimal = ZERO

    @property
    def price(self) -> Decimal:
        return abs(self.total / self.amount).quantize(_EIGHT, ROUND_HALF_EVEN) if self.amount else ZERO

    def take(self, amount: Decimal, price: Decimal, fee: Decimal) -> None:
        """A fill; `amount` is signed."""
        self.amount += amount
        self.total = self.total - amount * price if self.amount else ZERO
        self.fee -= fee


class Account:
    """One user. `changed_*` are names in the order in which they changed, for whoever takes them."""

    def __init__(self, assets: list[str], symbols: list[str], first_id: int) -> None:
        self.balances = {asset: Balance(first_id + n, asset) for n, asset in enumerate(assets)}
        self.positions = {symbol: Position(first_id + n, symbol) for n, symbol in enumerate(symbols)}
        self.changed_balances: dict[str, None] = {}
        self.changed_positions: dict[str, None] = {}

    def balance(self, asset: str) -> Balance:
        """To be changed."""
        self.changed_balances[asset] = None
        return self.balances[asset]

    def position(self, symbol: str) -> Position:
        """To be changed."""
        self.changed_positions[symbol] = None
        return self.positions[symbol]

    def assign(self, instrument: Instrument, margin: Decimal) -> None:
        """Refused where the quote asset does not suffice."""
        more = margin - self.positions[instrument.symbol].margin
        balance = self.balances[instrument.quote]
        if more > balance.available:
            raise Refused("insufficient_funds", asset=instrument.quote, required=more, available=balance.available)
        balance = self.balance(instrument.quote)
        balance.available -= more
        balance.assigned += more
        self.position(instrument.symbol).margin = margin


def opened(settings: MoonbaseSettings) -> dict[int, Account]:
    """Every user's account at the start: every asset that is traded or owned, every symbol."""
    traded = [asset for each in settings.instruments for asset in (each.base, each.quote)]
    symbols = [each.symbol for each in settings.instruments]
    accounts, first_id = {}, 1
    for user in settings.users:
        assets = sorted({*traded, *user.balances})
        account = accounts[user.user_id] = Account(assets, symbols, first_id)
        for asset, amount in user.balances.items():
            account.balances[asset].available = amount
        first_id += len(assets) + len(symbols)
    return accounts
