"""One contract's market: its book, its last price and the orders that wait for a price. Pure.

Assumption: a market order takes what there is at any price and never rests, whatever its fill_type; fill-or-kill takes
all or nothing.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from bridges.matching import Book, Placed, Side, Tif
from bridges.primebit.sim_orders import FILL_TYPES, ZERO, NewOrder, Order
from bridges.primebit.sim_settings import ContractSettings

# What outlives the venue's process; the contract is its configuration.
KEPT_OF_MARKET = ("book", "last", "stops")


@dataclass(slots=True)
class Market:
    """`last` is the last trade's price; 0 where there never was one."""

    contract: ContractSettings
    book: Book
    last: Decimal = ZERO
    stops: dict[str, Order] = field(default_factory=dict)

    @classmethod
    def seeded(cls, contract: ContractSettings) -> "Market":
        """With the house's orders; the middle of them stands for the last trade until there is one."""
        book, seed, last = Book(), contract.seed, ZERO
        if seed is not None:
            for i in range(seed.levels):
                for side, price in ((Side.BUY, seed.bid - seed.step * i), (Side.SELL, seed.ask + seed.step * i)):
                    book.add_limit(f"house-{side.value}-{i}", side, price, seed.qty)
            middle = (seed.bid + seed.ask) / 2
            last = middle - middle % contract.tick_size
        return cls(contract, book, last)

    def match(self, order: Order) -> Placed:
        """What is left of an order, into the book."""
        new, tif = order.asked, FILL_TYPES[order.asked.fill_type]
        if not new.at_market:
            return self.book.add_limit(order.key, new.side, new.limit_price, order.left, tif)
        if tif is Tif.FOK and sum(total for _, total in self.book.levels(new.side.opposite)) < order.left:
            return Placed([], dropped=order.left, refused=True)
        return self.book.add_market(order.key, new.side, order.left)

    def triggers(self, new: NewOrder) -> bool:
        """A buy stop triggers at its price or above it, a sell stop at it or below."""
        if not self.last:
            return False
        return self.last >= new.stop_price if new.side is Side.BUY else self.last <= new.stop_price
