"""`[[limits]]`: pre-trade limits as the file says them; what they mean is in `rules.Limit` and `risk.py`. Shape only."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from router import rules
from router.words import OrdType, Side

__all__ = ["LimitSettings"]

_SECOND: Final = 1_000_000_000
_Positive = Annotated[Decimal, Field(gt=0)]
_Name = Annotated[str, Field(min_length=1)]
_TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
_Per = Literal["session", "account", "symbol", "destination"]
_SAME: Final = frozenset({
    "name", "sessions", "accounts", "symbols", "destinations", "per", "max_order_qty", "max_order_notional", "both_sides", "reference",
    "reference_price", "without_reference", "max_open_orders", "max_open_notional", "max_net_notional", "max_position",
    "max_daily_notional", "max_daily_loss", "max_cancel_ratio", "cancel_ratio_over", "cancel_ratio_after", "only_symbols", "reducing_only",
    "check_balance",
})  # fmt: skip
"""Said the same in the file and in the core."""
_ASKS: Final = (
    "max_order_qty", "max_order_notional", "price_band_percent", "max_open_orders", "max_open_notional", "max_net_notional", "max_position",
    "max_daily_notional", "max_daily_loss", "orders_per_second", "max_cancel_ratio", "duplicate_within_ms", "self_trade", "only_sides",
    "only_ord_types", "only_symbols", "from_utc", "reducing_only", "check_balance",
)  # fmt: skip


class LimitSettings(BaseModel):
    """One limit: which orders it is for, by which its figures are kept apart, and what must hold. What is not given asks nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name
    sessions: tuple[_Name, ...] = ()
    accounts: tuple[_Name, ...] = ()
    symbols: tuple[_Name, ...] = ()
    destinations: tuple[_Name, ...] = ()
    per: tuple[_Per, ...] = ()
    max_order_qty: _Positive | None = None
    max_order_notional: _Positive | None = None
    price_band_percent: _Positive | None = None
    both_sides: bool = False
    reference: Literal["mid", "last", "configured"] = "mid"
    reference_price: _Positive | None = None
    without_reference: Literal["refuse", "pass"] = "refuse"
    max_open_orders: Annotated[int, Field(ge=0)] | None = None
    max_open_notional: _Positive | None = None
    max_net_notional: _Positive | None = None
    max_position: Annotated[Decimal, Field(ge=0)] | None = None
    max_daily_notional: _Positive | None = None
    max_daily_loss: _Positive | None = None
    day_begins_utc: _TimeOfDay = "00:00"
    orders_per_second: _Positive | None = None
    window_s: _Positive = Decimal(1)
    """Over which the rate is taken: `orders_per_second` times this many orders within it."""
    max_cancel_ratio: Annotated[Decimal, Field(ge=0)] | None = None
    cancel_ratio_over: Annotated[int, Field(ge=1)] = 100
    cancel_ratio_after: Annotated[int, Field(ge=1)] = 20
    duplicate_within_ms: Annotated[int, Field(ge=1)] | None = None
    self_trade: Literal["refuse", "cancel-resting"] | None = None
    only_sides: tuple[Side, ...] = ()
    only_ord_types: tuple[OrdType, ...] = ()
    only_symbols: tuple[_Name, ...] = ()
    from_utc: _TimeOfDay | None = None
    to_utc: _TimeOfDay | None = None
    reducing_only: bool = False
    check_balance: bool = False

    @model_validator(mode="after")
    def _whole(self) -> LimitSettings:
        if not any(getattr(self, each) not in (None, (), False) for each in _ASKS):
            raise ValueError(f"limit {self.name} asks nothing")
        if (self.from_utc is None) != (self.to_utc is None):
            raise ValueError("from_utc and to_utc go together")
        if (self.reference == "configured") != (self.reference_price is not None):
            raise ValueError('reference_price goes with reference = "configured"')
        if self.reference == "configured" and (len(self.symbols) != 1 or "*" in self.symbols[0]):
            raise ValueError("a configured reference is of one symbol: name it in symbols")
        if self.cancel_ratio_after > self.cancel_ratio_over:
            raise ValueError("cancel_ratio_after is above cancel_ratio_over: it would never be judged")
        if self.orders_per_second is not None and self.orders_per_second * self.window_s < 1:
            raise ValueError("orders_per_second times window_s is less than one order")
        return self

    def frozen(self) -> rules.Limit:
        """As the core wants it."""
        start, end = (0, 0) if self.from_utc is None or self.to_utc is None else (_time(self.from_utc), _time(self.to_utc))
        pace = None if self.orders_per_second is None else int(self.orders_per_second * self.window_s)
        return rules.Limit(
            **self.model_dump(include=set(_SAME)), price_band=self.price_band_percent, day_begins=_time(self.day_begins_utc),
            max_orders=pace, window=int(self.window_s * _SECOND), duplicate_within=(self.duplicate_within_ms or 0) * 1_000_000,
            self_trade=self.self_trade or "", only_sides=tuple(each.value for each in self.only_sides),
            only_ord_types=tuple(each.value for each in self.only_ord_types), from_time=start, to_time=end,
        )  # fmt: skip


def _time(text: str) -> int:
    """ "HH:MM" as ns after midnight."""
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60 * _SECOND
