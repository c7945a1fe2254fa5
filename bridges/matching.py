"""A price-time order book: what every venue's simulator matches with.

Rules, all of them:
- A trade happens at the resting order's price; better prices trade first, and at one price the older order.
- GTC rests what is left, IOC drops it, FOK trades whole or not at all, post-only rests whole or not at all.
- A market order takes what there is at any price and never rests. It is sized by quantity, or by an amount of
  cash with a lot step: it then buys whole lots for as long as the cash pays for one more.
- The book knows ids, not owners: orders may trade with others of the same owner.

No clock, no I/O, no rounding: time is the order of the calls, amounts are Decimal and stay exact. Venue rules (ticks,
limits, balances) belong to the venue, which checks before it calls.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from sortedcontainers import SortedDict

ZERO = Decimal(0)


class Side(Enum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class Tif(Enum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


@dataclass(slots=True, eq=False)
class Resting:
    """An order in the book; `qty` is what is left of it, in base units."""

    order_id: str
    side: Side
    price: Decimal
    qty: Decimal


@dataclass(slots=True)
class Trade:
    maker_id: str
    price: Decimal
    qty: Decimal


@dataclass(slots=True)
class Placed:
    """What became of an order.

    `rested` is what now stands in the book and `dropped` what is gone, both in the order's own unit (base quantity, or
    cash for a market order by cash). `refused` means that nothing happened at all: a post-only order would have
    traded, or a FOK could not be filled whole. `complete`: the order is filled; by cash, that no further lot could be
    paid for although there was one on offer, so that `dropped` is change.
    """

    trades: list[Trade]
    rested: Decimal = ZERO
    dropped: Decimal = ZERO
    refused: bool = False
    complete: bool = False


class Level:
    """The orders at one price, oldest first, and their total."""

    __slots__ = ("orders", "price", "total")

    def __init__(self, price: Decimal) -> None:
        self.price = price
        self.total = ZERO
        # OrderedDict and not dict: taking the first of a dict whose head was deleted many times is not O(1).
        self.orders: OrderedDict[str, Resting] = OrderedDict()


class Book:
    """One instrument's two sides. Ids are unique among the orders that rest: ValueError otherwise."""

    def __init__(self) -> None:
        # Keyed so that the best price comes first: the price for offers, its negative for bids.
        self._sides: dict[Side, SortedDict[Decimal, Level]] = {Side.BUY: SortedDict(), Side.SELL: SortedDict()}
        self._resting: dict[str, Resting] = {}

    def __contains__(self, order_id: object) -> bool:
        return order_id in self._resting

    def __len__(self) -> int:
        return len(self._resting)

    def get(self, order_id: str) -> Resting | None:
        return self._resting.get(order_id)

    def best(self, side: Side) -> Decimal | None:
        """The best price on a side: highest bid, lowest offer; None where the side is empty."""
        levels = self._sides[side]
        return levels.peekitem(0)[1].price if levels else None

    def levels(self, side: Side, depth: int | None = None) -> list[tuple[Decimal, Decimal]]:
        """(price, total quantity), best first, at most `depth` of them."""
        return [(level.price, level.total) for level in self._sides[side].values()[:depth]]

    def would_cross(self, side: Side, price: Decimal) -> bool:
        """Would a limit order of this side and price trade now?"""
        best = self.best(side.opposite)
        return best is not None and _reaches(side, price, best)

    def add_limit(self, order_id: str, side: Side, price: Decimal, qty: Decimal, tif: Tif = Tif.GTC, post_only: bool = False) -> Placed:
        self._check_new(order_id, price, qty)
        if post_only and self.would_cross(side, price):
            return Placed([], dropped=qty, refused=True)
        if tif is Tif.FOK and self._available(side, price, qty) < qty:
            return Placed([], dropped=qty, refused=True)
        trades, left = self._take(side, price, qty)
        if not left:
            return Placed(trades, complete=True)
        if tif is not Tif.GTC:
            return Placed(trades, dropped=left)
        self._rest(Resting(order_id, side, price, left))
        return Placed(trades, rested=left)

    def add_market(self, order_id: str, side: Side, qty: Decimal) -> Placed:
        self._check_new(order_id, qty)
        trades, left = self._take(side, None, qty)
        return Placed(trades, dropped=left, complete=not left)

    def add_market_cash(self, order_id: str, side: Side, cash: Decimal, lot: Decimal) -> Placed:
        """Trades whole lots worth at most `cash` of quote currency."""
        self._check_new(order_id, cash, lot)
        trades: list[Trade] = []
        offers = self._sides[side.opposite]
        while offers:
            level = offers.peekitem(0)[1]
            affordable = cash // (level.price * lot) * lot
            if not affordable:
                return Placed(trades, dropped=cash, complete=bool(trades))
            maker = next(iter(level.orders.values()))
            trade = self._trade(level, maker, min(affordable, maker.qty))
            cash -= trade.price * trade.qty
            trades.append(trade)
        return Placed(trades, dropped=cash, complete=bool(trades) and not cash)

    def cancel(self, order_id: str) -> Decimal | None:
        """Takes an order out; gives the quantity that was left, or None where no such order rests."""
        order = self._resting.get(order_id)
        if order is None:
            return None
        level = self._sides[order.side][_key(order.side, order.price)]
        level.total -= order.qty
        self._remove(level, order)
        return order.qty

    def __iter__(self) -> Iterator[Resting]:
        """The resting orders: bids, then offers, each in the order in which they would trade."""
        for levels in self._sides.values():
            for level in levels.values():
                yield from level.orders.values()

    def check(self) -> None:
        """Asserts every invariant of the book."""
        seen = 0
        for side, levels in self._sides.items():
            for key, level in levels.items():
                assert level.orders, f"empty level {level.price}"
                assert key == _key(side, level.price)
                assert level.total == sum(order.qty for order in level.orders.values())
                for order_id, order in level.orders.items():
                    assert order.order_id == order_id
                    assert order.side is side
                    assert order.price == level.price
                    assert order.qty > 0
                    assert self._resting[order_id] is order
                    seen += 1
        assert seen == len(self._resting), "an order is in the index and not in a level"
        bid, ask = self.best(Side.BUY), self.best(Side.SELL)
        assert bid is None or ask is None or bid < ask, f"crossed: {bid} / {ask}"

    def _check_new(self, order_id: str, *amounts: Decimal) -> None:
        if order_id in self._resting:
            raise ValueError(f"order {order_id} is in the book already")
        if any(amount <= 0 for amount in amounts):
            raise ValueError(f"order {order_id}: amounts must be positive")

    def _available(self, side: Side, price: Decimal, enough: Decimal) -> Decimal:
        total = ZERO
        for level in self._sides[side.opposite].values():
            if total >= enough or not _reaches(side, price, level.price):
                break
            total += level.total
        return total

    def _take(self, side: Side, limit: Decimal | None, qty: Decimal) -> tuple[list[Trade], Decimal]:
        """Trades up to `qty` at the limit or better; gives the trades and what is left."""
        trades: list[Trade] = []
        offers = self._sides[side.opposite]
        while qty and offers:
            level = offers.peekitem(0)[1]
            if limit is not None and not _reaches(side, limit, level.price):
                break
            maker = next(iter(level.orders.values()))
            trade = self._trade(level, maker, min(qty, maker.qty))
            qty -= trade.qty
            trades.append(trade)
        return trades, qty

    def _trade(self, level: Level, maker: Resting, qty: Decimal) -> Trade:
        maker.qty -= qty
        level.total -= qty
        if not maker.qty:
            self._remove(level, maker)
        return Trade(maker.order_id, maker.price, qty)

    def _rest(self, order: Resting) -> None:
        levels = self._sides[order.side]
        key = _key(order.side, order.price)
        level = levels.get(key)
        if level is None:
            level = levels[key] = Level(order.price)
        level.orders[order.order_id] = order
        level.total += order.qty
        self._resting[order.order_id] = order

    def _remove(self, level: Level, order: Resting) -> None:
        del self._resting[order.order_id]
        del level.orders[order.order_id]
        if not level.orders:
            del self._sides[order.side][_key(order.side, order.price)]


def _key(side: Side, price: Decimal) -> Decimal:
    return -price if side is Side.BUY else price


def _reaches(side: Side, limit: Decimal, price: Decimal) -> bool:
    """Does an order of this side and limit trade at this price?"""
    return limit >= price if side is Side.BUY else limit <= price
