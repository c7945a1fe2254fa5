"""What accounts own, by account, venue and currency: "amount" is available + frozen. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from bridges.matching import ZERO

Key = tuple[str, str, str]


@dataclass(slots=True)
class Funds:
    available: Decimal = ZERO
    frozen: Decimal = ZERO


class Ledger:
    def __init__(self) -> None:
        self._funds: dict[Key, Funds] = {}

    def of(self, account_id: str, venue: str, currency: str) -> Funds:
        key = (account_id, venue, currency)
        funds = self._funds.get(key)
        if funds is None:
            funds = self._funds[key] = Funds()
        return funds

    def items(self) -> list[tuple[Key, Funds]]:
        return list(self._funds.items())

    def freeze(self, funds: Funds, amount: Decimal) -> bool:
        """Sets an amount aside for an order; False, and nothing done, where it is not there."""
        if amount > funds.available:
            return False
        funds.available -= amount
        funds.frozen += amount
        return True

    def free(self, funds: Funds, amount: Decimal) -> None:
        funds.frozen -= amount
        funds.available += amount

    def spend(self, funds: Funds, reserved: Decimal, spent: Decimal) -> None:
        """Takes `spent` out of the `reserved` part of what is frozen; the difference is available again."""
        funds.frozen -= reserved
        funds.available += reserved - spent
