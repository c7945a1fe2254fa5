"""What accounts at venues hold, by the venues' word (`Held`), and what our own orders have changed of it since. Pure.

The rules:

1. The venue's word replaces all that was worked out: what it says counts from when it was told. What it says again as it was may be of
   before our last order, and so replaces nothing but its age.
2. Until it speaks again, an order of ours takes what it may use out of what is available when it goes out, an execution takes what was
   paid and brings what was bought, and an end gives the rest back. Fees are not known before the venue tells; they come with its next word.
3. Only where the whole of an order is paid for (spot) is this a measure of what may still be ordered; on margin it is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from router.model import Held
from router.words import EXACT, ZERO

__all__ = ["Account", "Fund", "Holdings", "Stood", "found", "note", "spend"]


class Fund(msgspec.Struct, array_like=True):
    """One currency of an account."""

    total: Decimal
    available: Decimal
    at: int
    """When it was told, ns UTC."""
    since: Decimal = ZERO
    """By how much our own orders have changed what is available since (rule 2)."""

    @property
    def left(self) -> Decimal:
        """What new orders can still use, as far as is known."""
        return EXACT.add(self.available, self.since)


class Stood(msgspec.Struct, array_like=True):
    """One position of an account."""

    qty: Decimal
    """Above 0: long."""
    avg_px: Decimal | None
    at: int


class Account(msgspec.Struct):
    """What one link's account holds."""

    balances: dict[str, Fund] = {}
    """By currency."""
    positions: dict[str, Stood] = {}
    """By the venue's symbol."""


Holdings = dict[str, Account]
"""By link."""


def note(holdings: Holdings, event: Held, now: int) -> None:
    """Keep what was told (rule 1). What is 0 is kept as that: it was told."""
    account = holdings.setdefault(event.link, Account())
    for each in event.balances:
        known = account.balances.get(each.currency)
        same = known is not None and (known.total, known.available) == (each.total, each.available)
        account.balances[each.currency] = Fund(each.total, each.available, now, known.since if known is not None and same else ZERO)
    for stood in event.positions:
        account.positions[stood.symbol] = Stood(stood.qty, stood.avg_px, now)


def found(accounts: Iterable[Account], currency: str) -> Fund | None:
    """The newest word of a currency, of several links to the same account; None where there was none."""
    told = [each.balances[currency] for each in accounts if currency in each.balances]
    return max(told, key=lambda each: each.at, default=None)


def spend(accounts: Iterable[Account], currency: str, amount: Decimal) -> None:
    """Our orders took this much of a currency; below 0: brought (rule 2)."""
    if amount:
        for each in accounts:
            fund = each.balances.get(currency)
            if fund is not None:
                fund.since = EXACT.subtract(fund.since, amount)
