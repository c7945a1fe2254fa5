"""What a Crypto.com simulator is told at its start. Amounts are Decimal; an unknown key is a fault."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Amount = Annotated[Decimal, Field(gt=0)]
Millis = Annotated[int, Field(ge=0, le=3_600_000)]
PerSecond = Annotated[int, Field(ge=0)]


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
    """A row of `/v1/symbols`. Precisions are decimal digits; `min_*` stand in no document (see `sim_rules`)."""

    symbol: str = Field(pattern=r"^[a-z0-9]+$")
    base: str = Field(pattern=r"^[a-z0-9]+$")
    quote: str = Field(pattern=r"^[a-z0-9]+$")
    price_precision: int = Field(ge=0, le=8)
    amount_precision: int = Field(ge=0, le=8)
    min_volume: Amount
    min_total: Amount
    seed: Seed | None = None

    @property
    def lot(self) -> Decimal:
        return Decimal(1).scaleb(-self.amount_precision)

    @property
    def tick(self) -> Decimal:
        return Decimal(1).scaleb(-self.price_precision)


class User(_Frozen):
    """A user, the API key and secret of "Generate the API Key", and what it owns at the start, by coin."""

    user_id: int = Field(ge=1)
    api_key: str = Field(min_length=1)
    secret: SecretStr
    can_trade: bool = True
    ip_whitelist: tuple[str, ...] = ()
    balances: dict[str, Decimal] = {}


class CryptocomSettings(_Frozen):
    """Port 0 takes any free one; a limit of 0 requests a second is none. Times in milliseconds."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    fee_rate: Decimal = Field(default=Decimal("0.001"), ge=0, lt=1)
    user_requests_per_second: PerSecond = 10
    market_requests_per_second: PerSecond = 10
    time_window_ms: Millis = 30_000
    accept_ms: Millis = 0
    cancel_ms: Millis = 0
    orders_cancel_path: bool = True
    default_page_size: int = Field(default=20, ge=1)
    max_page_size: int = Field(default=1000, ge=1)
    depth_updates: Literal["incremental", "full"] = "incremental"
    full_depth_ms: Annotated[int, Field(ge=1)] = 30_000
    ping_ms: Annotated[int, Field(ge=1)] = 5_000
    pong_within_ms: Annotated[int, Field(ge=1)] = 10_000
    users: tuple[User, ...]
    instruments: tuple[Instrument, ...]

    @model_validator(mode="after")
    def _consistent(self) -> "CryptocomSettings":
        if len({user.user_id for user in self.users}) != len(self.users):
            raise ValueError("users: the same user_id twice")
        if len({user.api_key for user in self.users}) != len(self.users):
            raise ValueError("users: the same api_key twice")
        if len({each.symbol for each in self.instruments}) != len(self.instruments):
            raise ValueError("instruments: the same symbol twice")
        for each in self.instruments:
            if each.symbol != each.base + each.quote:
                raise ValueError(f"instruments: {each.symbol}: not base and quote in one word")
            if each.price_precision + each.amount_precision > 12:
                # Price times quantity has then at most 28 digits (8 + 8 before the point), which stay exact.
                raise ValueError(f"instruments: {each.symbol}: more than 12 decimals in price and amount together")
            seed = each.seed
            if seed and seed.bid >= seed.ask:
                raise ValueError(f"instruments: {each.symbol}: the seed is crossed")
            if seed and seed.bid - seed.step * (seed.levels - 1) <= 0:
                raise ValueError(f"instruments: {each.symbol}: the seed's bids reach down to zero")
            if seed and (seed.bid % each.tick or seed.ask % each.tick or seed.step % each.tick or seed.qty % each.lot):
                raise ValueError(f"instruments: {each.symbol}: the seed is finer than the precision")
        return self
