"""What a Phemex simulator is told at its start. Amounts are Decimal in real units; an unknown key is a fault.

Sources: the scales are the document's ("...Ep" price 10^4; "...Ev" value, BTC 10^8 and USD 10^4; "...Er" ratio 10^8, see
the samples). Contract size and ticks fit its samples: 297 ETHUSD at 186.75 are 277.3237 USD, so 0.005 ETH a contract.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Amount = Annotated[Decimal, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
Currency = Literal["BTC", "USD"]
PRICE_SCALE = 10_000
RATIO_SCALE = 100_000_000
VALUE_SCALES: dict[Currency, int] = {"BTC": 100_000_000, "USD": 10_000}


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seed(_Frozen):
    """The house's resting orders: `levels` a side, each one of `qty` contracts, `step` apart from `bid` and `ask` out."""

    bid: Amount
    ask: Amount
    step: Amount
    levels: int = Field(ge=1)
    qty: int = Field(ge=1)


class ContractSettings(_Frozen):
    """One perpetual contract.

    `inverse`: a contract is worth `contract_size` of the quote currency and settles in the base (BTCUSD, 1 USD);
    otherwise it is worth `contract_size` of the base and settles in the quote (ETHUSD, 0.005 ETH). Ratios are "Er".
    """

    symbol: str
    settle: Currency
    inverse: bool
    contract_size: Amount
    tick_size: Amount
    max_price: Amount
    max_order_qty: int = Field(ge=1)
    init_margin_er: int = Field(gt=0)
    maint_margin_er: int = Field(gt=0)
    risk_limit_ev: int = Field(gt=0)
    maker_fee_er: int = -25_000
    taker_fee_er: int = 75_000
    seed: Seed | None = None


class Account(_Frozen):
    """One user and its API key. `balances` in whole units of each currency: 1.5 BTC is 1.5."""

    user_id: int = Field(gt=0)
    token: str = Field(min_length=1)
    secret: SecretStr
    balances: dict[Currency, Decimal] = {}


class PhemexSettings(_Frozen):
    """`requests_per_minute`: "Every Client has the API call rate limit as 200 per minute"; 0 is no limit.

    `ip_requests_per_minute`: the limit whose breach is a 403; the document gives no number, so 0 (none) unless said.
    """

    host: str = "127.0.0.1"
    port: Port
    requests_per_minute: int = Field(default=200, ge=0)
    ip_requests_per_minute: int = Field(default=0, ge=0)
    accounts: tuple[Account, ...]
    contracts: tuple[ContractSettings, ...]

    @model_validator(mode="after")
    def _consistent(self) -> "PhemexSettings":
        for name, values in (
            ("accounts: user_id", [each.user_id for each in self.accounts]),
            ("accounts: token", [each.token for each in self.accounts]),
            ("contracts: symbol", [each.symbol for each in self.contracts]),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: the same one twice")
        for each in self.contracts:
            if each.tick_size * PRICE_SCALE % 1:
                raise ValueError(f"contracts: {each.symbol}: tick_size is finer than a price can be written")
            if each.seed:
                _check_seed(each.symbol, each.seed, each.tick_size)
        return self


def _check_seed(symbol: str, seed: Seed, tick: Decimal) -> None:
    if seed.bid - seed.step * (seed.levels - 1) <= 0:
        raise ValueError(f"contracts: {symbol}: the seed's bids reach down to zero")
    if seed.bid >= seed.ask:
        raise ValueError(f"contracts: {symbol}: the seed is crossed")
    if seed.bid % tick or seed.ask % tick or seed.step % tick:
        raise ValueError(f"contracts: {symbol}: the seed is off the tick")
