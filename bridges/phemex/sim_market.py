"""One contract's market: its book, its last trades and the orders that wait for a price. Pure."""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from bridges.matching import Book, Placed, Side, Tif
from bridges.phemex.sim_contract import Contract
from bridges.phemex.sim_orders import NewOrder, Order
from bridges.phemex.sim_settings import PRICE_SCALE

# "Data Gateway will publish the 1000 history trades".
MAX_TRADES = 1000
# What outlives the venue's process; the contract is its configuration.
KEPT_OF_MARKET = ("book", "last_ep", "trades", "stops", "reducing")
# Timestamp in nanoseconds, the taker's side in small letters, priceEp, quantity.
PublicTrade = tuple[int, str, int, int]
_TIFS = {"ImmediateOrCancel": Tif.IOC, "FillOrKill": Tif.FOK}


@dataclass(slots=True)
class Market:
    """The book's prices are whole numbers of Ep and its quantities of contracts. `trades` has the newest first."""

    contract: Contract
    book: Book
    last_ep: int = 0
    trades: deque[PublicTrade] = field(default_factory=lambda: deque(maxlen=MAX_TRADES))
    stops: dict[str, Order] = field(default_factory=dict)
    reducing: dict[str, Order] = field(default_factory=dict)

    @classmethod
    def seeded(cls, contract: Contract) -> "Market":
        """With the house's orders; the middle of them stands for the last trade until there is one."""
        book, seed, last_ep = Book(), contract.settings.seed, 0
        if seed is not None:
            for i in range(seed.levels):
                for side, price in ((Side.BUY, seed.bid - seed.step * i), (Side.SELL, seed.ask + seed.step * i)):
                    book.add_limit(f"house-{side.value}-{i}", side, price * PRICE_SCALE, Decimal(seed.qty))
            middle = int((seed.bid + seed.ask) / 2 * PRICE_SCALE)
            last_ep = middle - middle % contract.tick_ep
        return cls(contract, book, last_ep)

    def match(self, order: Order) -> Placed:
        new, qty = order.asked, Decimal(order.asked.qty)
        tif = _TIFS.get(new.time_in_force, Tif.GTC)
        if not new.at_market:
            post_only = new.time_in_force == "PostOnly"
            return self.book.add_limit(order.order_id, new.side, Decimal(new.price_ep), qty, tif, post_only)
        if tif is Tif.FOK and sum(total for _, total in self.book.levels(new.side.opposite)) < qty:
            return Placed([], dropped=qty, refused=True)
        return self.book.add_market(order.order_id, new.side, qty)

    def triggers(self, new: NewOrder) -> bool:
        """A buy stop triggers at its price or above it, a sell stop at it or below."""
        return self.last_ep >= new.stop_px_ep if new.side is Side.BUY else self.last_ep <= new.stop_px_ep

    def levels(self, side: Side, depth: int) -> list[tuple[int, int]]:
        """(priceEp, contracts), best first."""
        return [(int(price), int(total)) for price, total in self.book.levels(side, depth)]
