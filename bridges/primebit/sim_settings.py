"""What a PrimeBit simulator is told at its start. Amounts are Decimal in real units; an unknown key is a fault.

Sources: channel names end in `live` or `demo` ("Order Book", "Tick"); "limited to 5 requests per second" ("Rate Limits").
Ticks, volume steps, limits and margins are in the Swagger file that is not here: settings.
"""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Amount = Annotated[Decimal, Field(gt=0, le=Decimal(10) ** 12)]
Port = Annotated[int, Field(ge=0, le=65535)]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FINEST = Decimal("1E-12")
_SYMBOL = re.compile(r"[A-Z0-9]+")


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seed(_Frozen):
    """The house's resting orders: `levels` a side, each one of volume `qty`, `step` apart from `bid` and `ask` out."""

    bid: Amount
    ask: Amount
    step: Amount
    levels: int = Field(ge=1)
    qty: Amount


class ContractSettings(_Frozen):
    """One perpetual contract. Profit is (price difference) x volume x `contract_size`, in the account's currency.

    `margin_rate`: what a position ties up, as a part of its value. `volume_step` is the least volume, too.
    """

    symbol: str
    contract_size: Amount
    tick_size: Amount
    volume_step: Amount
    max_price: Amount
    max_volume: Amount
    margin_rate: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.01")
    seed: Seed | None = None


class Account(_Frozen):
    """One trading account and the API key that alone may use it. `balance` in the account's currency."""

    account_id: str
    login: str = Field(min_length=1)
    api_key: str = Field(min_length=1)
    secret: SecretStr
    balance: Annotated[Decimal, Field(ge=0)] = Decimal(0)


class PrimebitSettings(_Frozen):
    """`requests_per_second`: by API key, in any second; 0 is no limit.

    `keep_comment` false: the venue takes an order's comment, and shows "" everywhere.
    """

    host: str = "127.0.0.1"
    port: Port
    environment: Literal["live", "demo"] = "demo"
    requests_per_second: int = Field(default=5, ge=0)
    keep_comment: bool = True
    accounts: tuple[Account, ...]
    contracts: tuple[ContractSettings, ...]

    @model_validator(mode="after")
    def _consistent(self) -> "PrimebitSettings":
        for name, values in (
            ("accounts: account_id", [each.account_id for each in self.accounts]),
            ("accounts: api_key", [each.api_key for each in self.accounts]),
            ("contracts: symbol", [each.symbol for each in self.contracts]),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"{name}: the same one twice")
        for account in self.accounts:
            if not _UUID.fullmatch(account.account_id):
                raise ValueError("accounts: account_id: not a UUID in small letters")
        for each in self.contracts:
            if not _SYMBOL.fullmatch(each.symbol):
                raise ValueError(f"contracts: symbol: {each.symbol!r} cannot stand in a channel's name")
            _check_digits(each)
            if each.seed:
                _check_seed(each, each.seed)
        return self


def _check_digits(contract: ContractSettings) -> None:
    """What is computed stays exact in 28 digits, 8 of them decimals, and nothing can be too fine to divide by."""
    if contract.max_price * contract.max_volume * max(contract.contract_size, Decimal(1)) > Decimal(10) ** 16:
        raise ValueError(f"contracts: {contract.symbol}: the greatest order's value is beyond 10^16")
    for name in ("contract_size", "tick_size", "volume_step"):
        if getattr(contract, name) % _FINEST:
            raise ValueError(f"contracts: {contract.symbol}: {name} has more than 12 decimals")


def _check_seed(contract: ContractSettings, seed: Seed) -> None:
    where, tick = f"contracts: {contract.symbol}: the seed", contract.tick_size
    if seed.bid - seed.step * (seed.levels - 1) <= 0:
        raise ValueError(f"{where}'s bids reach down to zero")
    if seed.bid >= seed.ask:
        raise ValueError(f"{where} is crossed")
    if seed.bid % tick or seed.ask % tick or seed.step % tick:
        raise ValueError(f"{where} is off the tick")
    if seed.qty % contract.volume_step:
        raise ValueError(f"{where} is off the volume step")
