"""Phemex's scaled integers and contracts: exact both ways. Pure.

Sources and readings ("...Ep" price 10^4, "...Ev" value BTC 10^8 and USD 10^4, after the samples of "Place Order" and "Subscribe
Account-Order-Position (AOP)"):

- The AOP sample's 297 ETHUSD at 186.75 are leavesValueEv 2773237, that is 277.3237 USD of 277.32375: a contract is 0.005 ETH, worth
  its price in USD, and a value is cut down to a whole Ev.
- BTCUSD is inverse: a contract is 1 USD, worth 1/price BTC. The document shows no value of one; assumption (its accounts are BTC
  and USD, and the venue's contract details say so).
- Quantities are whole contracts, here and in the router's core. Nothing is said of other symbols: none is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from router.rules import Instrument
from router.words import EXACT

__all__ = ["CONTRACTS", "PRICE_SCALE", "VALUE_SCALES", "Contract", "Unscalable", "price", "price_ep", "quantity"]

PRICE_SCALE: Final = 10_000
_PX_STEP: Final = Decimal("0.0001")
_MOST: Final = (1 << 63) - 1
_CUT_EV: Final = 2
"""Ev that cutting down takes at most from the value of two executions: the one seen and one that was missed."""


class Unscalable(ValueError):
    """A price or quantity that the venue has no number for; says why."""


@dataclass(frozen=True, slots=True)
class Contract:
    """`size` is in units of the quote where `inverse`, else of the base; `settle` is the currency of its values and fees."""

    symbol: str
    settle: str
    inverse: bool
    size: Decimal
    value_scale: int

    def value_ev(self, qty: int, px: Decimal) -> Decimal:
        """The worth of `qty` contracts at a price, in Ev, before cutting down."""
        base = EXACT.multiply(EXACT.multiply(Decimal(qty), self.size), Decimal(self.value_scale))
        return EXACT.divide(base, px) if self.inverse else EXACT.multiply(base, px)

    def average(self, qty: int, value_ev: int, likely: Decimal | None) -> Decimal | None:
        """AvgPx in price units: the one price at which `qty` contracts are worth `value_ev` (for BTCUSD so the harmonic mean, which
        is the venue's own), to four decimals. None where there is nothing.

        Cut-down values blur it: 1 BTCUSD at 65000 says 1538 Ev, and that would be 65019.5. So `likely` (the price of the last
        execution, or the limit) is taken where cutting down explains the difference."""
        if qty <= 0 or value_ev <= 0:
            return None
        if likely is not None and likely > 0 and 0 <= self.value_ev(qty, likely) - value_ev < _CUT_EV:
            return likely
        unit = EXACT.multiply(EXACT.multiply(Decimal(qty), self.size), Decimal(self.value_scale))
        exact = EXACT.divide(unit, Decimal(value_ev)) if self.inverse else EXACT.divide(Decimal(value_ev), unit)
        return EXACT.quantize(exact, _PX_STEP) or None

    def amount(self, ev: int) -> Decimal:
        """An Ev of this contract in whole units of `settle`."""
        return EXACT.divide(Decimal(ev), Decimal(self.value_scale))


CONTRACTS: Final = {
    each.symbol: each
    for each in (
        Contract("BTCUSD", "BTC", True, Decimal(1), 100_000_000),
        Contract("ETHUSD", "USD", False, Decimal("0.005"), 10_000),
    )
}
VALUE_SCALES: Final = {each.settle: each.value_scale for each in CONTRACTS.values()}
"""Ev in a whole unit, by currency."""


def price_ep(px: Decimal, tick: Decimal) -> int:
    """A price as Ep. Raises `Unscalable`: not above zero, off the tick, finer than four decimals, too large."""
    if not px.is_finite() or px <= 0:
        raise Unscalable(f"{px} is not above zero")
    if abs(px.adjusted()) > 18 or EXACT.multiply(px, Decimal(PRICE_SCALE)) > _MOST:
        raise Unscalable(f"{px} is beyond a 64-bit number")
    if EXACT.remainder(px, tick):
        raise Unscalable(f"{px:f} is off the tick, {tick:f}")
    scaled = EXACT.multiply(px, Decimal(PRICE_SCALE))
    if EXACT.remainder(scaled, Decimal(1)):
        raise Unscalable(f"{px:f} has more than four decimals")
    return int(scaled)


def unscaled(instrument: Instrument) -> str:
    """Why an instrument's amounts cannot be said to Phemex; "" where they can."""
    if instrument.venue_symbol in CONTRACTS:
        return ""
    return f"{instrument.symbol}: Phemex's {instrument.venue_symbol} has no known contract size; known: {', '.join(CONTRACTS)}"


def price(ep: int) -> Decimal:
    """An Ep as a price."""
    return EXACT.divide(Decimal(ep), Decimal(PRICE_SCALE))


def quantity(qty: Decimal, lot: Decimal) -> int:
    """A quantity as whole contracts. Raises `Unscalable`."""
    if not qty.is_finite() or qty <= 0:
        raise Unscalable(f"{qty} is not above zero")
    if abs(qty.adjusted()) > 18 or qty > _MOST:
        raise Unscalable(f"{qty} is beyond a 64-bit number")
    if EXACT.remainder(qty, Decimal(1)):
        raise Unscalable(f"{qty:f} is not a whole number of contracts")
    if EXACT.remainder(qty, lot):
        raise Unscalable(f"{qty:f} is off the lot, {lot:f}")
    return int(qty)
