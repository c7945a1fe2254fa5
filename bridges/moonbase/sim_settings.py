"""What a Moonbase simulator is told at its start. Amounts are Decimal; an unknown key is a fault."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Amount = Annotated[Decimal, Field(gt=0)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seed(_Frozen):
    """The house's resting orders: `levels` a side, each one order of `qty`, `step` apart from `bid` and `ask` out."""

    bid: Amount
    ask: Amount
    step: Amount
    levels: int = Field(ge=1)
    qty: Amount


class Instrument(_Frozen):
    """A symbol, base and quote asset with a colon between them ("ETC:BTC"). Steps stand in no document (see `sim_rules`)."""

    symbol: str = Field(pattern=r"^[A-Z0-9_]+:[A-Z0-9_]+$")
    price_step: Amount
    amount_step: Amount
    seed: Seed | None = None

    @property
    def base(self) -> str:
        return self.symbol.partition(":")[0]

    @property
    def quote(self) -> str:
        return self.symbol.partition(":")[2]


class User(_Frozen):
    """A user, the API key and secret of "Authentication", and what it owns at the start, by asset."""

    user_id: int = Field(ge=1)
    key: str = Field(min_length=1)
    secret: SecretStr
    balances: dict[str, Annotated[Decimal, Field(ge=0)]] = {}


class MoonbaseSettings(_Frozen):
    """Port 0 takes any free one. "Rate limits": joins in an hour and requests in a minute, by key; 0 is none.

    `fee_rate`: of price times amount, in the quote asset. The document's position of total -1 has the fee -0.001.
    """

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    joins_per_hour: int = Field(default=20, ge=0)
    requests_per_minute: int = Field(default=300, ge=0)
    time_window_s: int = Field(default=30, ge=1)
    silence_s: int = Field(default=60, ge=1)
    fee_rate: Decimal = Field(default=Decimal("0.001"), ge=0, lt=1)
    allow_withdrawals: bool = False
    users: tuple[User, ...]
    instruments: tuple[Instrument, ...]

    @model_validator(mode="after")
    def _consistent(self) -> "MoonbaseSettings":
        for name, values in (
            ("users: user_id", [each.user_id for each in self.users]),
            ("users: key", [each.key for each in self.users]),
            ("instruments: symbol", [each.symbol for each in self.instruments]),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: the same one twice")
        for each in self.instruments:
            _check(each, decimals(self.fee_rate))
        return self


def decimals(number: Decimal) -> int:
    """How many digits after the point the value needs."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _check(each: Instrument, fee_decimals: int) -> None:
    if decimals(each.price_step) + decimals(each.amount_step) + fee_decimals > 14:
        # Fees are price times amount times rate: 14 decimals and 14 before the point stay exact in 28 digits.
        raise ValueError(f"instruments: {each.symbol}: more than 14 decimals in price, amount and fee rate together")
    if each.base == each.quote:
        raise ValueError(f"instruments: {each.symbol}: base and quote are one")
    seed = each.seed
    if seed is None:
        return
    if seed.bid >= seed.ask:
        raise ValueError(f"instruments: {each.symbol}: the seed is crossed")
    if seed.bid - seed.step * (seed.levels - 1) <= 0:
        raise ValueError(f"instruments: {each.symbol}: the seed's bids reach down to zero")
    if any(price % each.price_step for price in (seed.bid, seed.ask, seed.step)) or seed.qty % each.amount_step:
        raise ValueError(f"instruments: {each.symbol}: the seed is off the steps")
