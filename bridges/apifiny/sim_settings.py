"""What an Apifiny simulator is told at its start. Amounts are Decimal; an unknown key is a fault."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from bridges.apifiny.sim_errors import PERMISSION_DENIED, TEXTS

Amount = Annotated[Decimal, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
AccountStatus = Literal["OPENED", "RESTRICTED", "SUSPENDED"]


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
    """A symbol at the venues named, with the limits of "Query List Symbols" (`listSymbolInfo`)."""

    venues: tuple[str, ...]
    symbol: str
    base: str
    quote: str
    tick_size: Amount
    step_size: Amount
    min_price: Amount
    max_price: Amount
    min_quantity: Amount
    max_quantity: Amount
    min_notional: Amount
    max_notional: Amount
    status: Literal["enabled", "disabled"] = "enabled"
    seed: Seed | None = None


class Account(_Frozen):
    """One account and its API key. Status as in "Account Status"."""

    account_id: str = Field(pattern=r"\d")
    key_id: str
    secret: SecretStr
    status: AccountStatus = "OPENED"


class Balance(_Frozen):
    """What an account has at the start, at each of the venues named, by currency."""

    account_id: str
    venues: tuple[str, ...]
    amounts: dict[str, Decimal]


class Endpoint(_Frozen):
    """One FIX address and the venues behind it ("FIX API ENDPOINT URL"). Port 0 takes any free one."""

    port: Port
    venues: tuple[str, ...] = Field(min_length=1)


class ApifinySettings(_Frozen):
    """`rest_requests_per_second`: 20 by account ("Rate Limits"); `public_requests_per_second`: market data, 1 by access key
    (by address where a request has none). 0 is no limit.

    `error_codes`: as text in hexadecimal, or as the table's number. `bare_order_lists`: listMultipleOrderInfo and
    listCompletedOrder without result and error around the list, as their samples show. `treasury_error`: what answers
    withdraw, transferToVenue and createWithdrawTicket. `accept_ms`: how long a REST order stays in PENDING_SUBMIT.
    Fees are shares of a fill's value.
    """

    host: str = "127.0.0.1"
    control_port: Port
    order_ids: Literal["own", "echo"] = "own"
    reject_text: bool = False
    fix_requests_per_second: int = Field(default=0, ge=0)
    rest_requests_per_second: int = Field(default=20, ge=0)
    public_requests_per_second: int = Field(default=1, ge=0)
    error_codes: Literal["hex", "decimal"] = "hex"
    bare_order_lists: bool = False
    treasury_error: str = PERMISSION_DENIED
    accept_ms: int = Field(default=0, ge=0)
    ping_ms: int = Field(default=30_000, gt=0)
    pong_within_ms: int = Field(default=10_000, gt=0)
    maker_fee: Decimal = Field(default=Decimal(0), ge=0, lt=1)
    taker_fee: Decimal = Field(default=Decimal(0), ge=0, lt=1)
    endpoints: tuple[Endpoint, ...]
    accounts: tuple[Account, ...]
    instruments: tuple[Instrument, ...]
    balances: tuple[Balance, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "ApifinySettings":
        venues = [venue for endpoint in self.endpoints for venue in endpoint.venues]
        if len(set(venues)) != len(venues):
            raise ValueError("endpoints: a venue is served by exactly one endpoint")
        if self.treasury_error not in TEXTS:
            raise ValueError("treasury_error: not a code of the document's table that the simulator knows")
        accounts = {account.account_id for account in self.accounts}
        if len(accounts) != len(self.accounts):
            raise ValueError("accounts: the same account twice")
        listed = [(venue, each.symbol) for each in self.instruments for venue in each.venues]
        if len(set(listed)) != len(listed):
            raise ValueError("instruments: the same symbol twice at one venue")
        for each in self.instruments:
            if each.seed and each.seed.bid - each.seed.step * (each.seed.levels - 1) <= 0:
                raise ValueError(f"instruments: {each.symbol}: the seed's bids reach down to zero")
            if each.seed and each.seed.bid >= each.seed.ask:
                raise ValueError(f"instruments: {each.symbol}: the seed is crossed")
        for balance in self.balances:
            if balance.account_id not in accounts:
                raise ValueError(f"balances: unknown account {balance.account_id}")
        return self
