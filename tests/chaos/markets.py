"""Where the chaos client trades: what fits each destination, and how fast it may go there."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Final


@dataclass(frozen=True)
class Market:
    """One symbol at one destination. Prices in quote units; `pace` in orders a second."""

    destination: str
    simulator: str
    symbol: str
    venue_symbol: str
    tick: Decimal
    lot: Decimal
    bid: Decimal
    ask: Decimal
    pace: float
    ioc: bool = True
    least: Decimal = Decimal(1)

    def inside(self, random: Random) -> Decimal:
        """Inside the spread, so first in line."""
        return self.bid + self.tick * random.randrange(1, int((self.ask - self.bid) / self.tick))

    def away(self, side: str) -> Decimal:
        """Where nobody comes."""
        return self._far(self.bid if side == "1" else self.ask, "0.95" if side == "1" else "1.05")

    def across(self, side: str) -> Decimal:
        """Where it takes."""
        return self._far(self.ask if side == "1" else self.bid, "1.01" if side == "1" else "0.99")

    def _far(self, price: Decimal, factor: str) -> Decimal:
        return price * Decimal(factor) // self.tick * self.tick

    def qty(self, number: int) -> Decimal:
        """Another one for each order, so that orders at a venue that keeps no id of ours can be told apart by whoever looks there."""
        return self.least + self.lot * (number % 4000)


_D = Decimal


def _coins(destination: str, simulator: str, pace: float) -> tuple[Market, ...]:
    """Spot against a dollar coin, by what venues behind Apifiny and Crypto.com have in common."""
    quote = "USD" if destination == "COINBASEPRO" else "USDT"
    btc, eth = (f"{coin}{quote}".lower() if simulator == "cryptocom" else f"{coin}{quote}" for coin in ("BTC", "ETH"))
    return (
        Market(destination, simulator, f"BTC/{quote}", btc, _D("0.5"), _D("0.00001"), _D(64990), _D(65010), pace, least=_D("0.001")),
        Market(destination, simulator, f"ETH/{quote}", eth, _D("0.05"), _D("0.0001"), _D(3499), _D(3501), pace, least=_D("0.01")),
    )


def _contracts(destination: str, pace: float) -> tuple[Market, ...]:
    return (
        Market(destination, destination.lower(), "BTC/USD", "BTCUSD", _D("0.5"), _D(1), _D(64990), _D(65010), pace),
        Market(destination, destination.lower(), "ETH/USD", "ETHUSD", _D("0.05"), _D(1), _D(3499), _D(3501), pace),
    )


MARKETS: Final = (
    *_coins("BINANCE", "apifiny", 4),
    *_coins("COINBASEPRO", "apifiny", 4),
    *_coins("GBBO", "apifiny", 4),
    *_contracts("PHEMEX", 0.8),
    *_contracts("PRIMEBIT", 0.8),
    Market("MOONBASE", "moonbase", "ETC/BTC", "ETC:BTC", _D("0.00001"), _D("0.01"), _D("0.00499"), _D("0.00501"), 1, ioc=False),
    *_coins("CRYPTOCOM", "cryptocom", 1.2),
)
DESTINATIONS: Final = tuple(dict.fromkeys(each.destination for each in MARKETS))
