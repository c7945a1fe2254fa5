"""The simulated venue: orders, stops, money, books and tapes. Pure: the time comes in as epoch nanoseconds.

What happened waits in `take_changes` for whoever tells the channels.

Assumptions, where the document is silent (of money: `sim_accounts`; of the rules for an order: `sim_rules`):
 1. Ids are whole numbers that grow, within one run and from run to run, and stay below 2^53, JavaScript's largest. The
    house's and counterparties' orders have such ids too.
 2. Being placed, each trade, being triggered and the end are changes of an order, each told as one; the trade itself after
    the orders in it, maker and taker.
 3. An order is over when it is filled or cancelled (`is_active` false); `cancelled_at` is of a cancelled one alone. A market
    order never rests: what the book cannot fill is cancelled. A waiting stop is active and open, `triggered_at` null.
 4. A buy stop triggers when the last price is at its trigger or above, a sell stop at it or below; at once where that is so
    already. Then it is the limit or market order it says, oldest first. A stop ties up nothing while it waits; where the
    money is not there when it triggers, it is cancelled.
 5. The fee is `fee_rate` of price times amount, exact, in quote asset, of maker and taker alike. A market buy needs the money
    for what the book offers at that moment.
 6. A user may trade with itself. Another user's order, and one asked for under another symbol, is one that does not exist.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any

from bridges.matching import ZERO, Book, Placed, Side, Tif, Trade
from bridges.moonbase import sim_rows as rows
from bridges.moonbase.sim_accounts import Account, opened
from bridges.moonbase.sim_errors import Refused
from bridges.moonbase.sim_orders import Fill, NewOrder, Order, Stage, Traded
from bridges.moonbase.sim_settings import Instrument, MoonbaseSettings
from bridges.moonbase.sim_tape import Tape

# What outlives the venue's process: everything but its configuration.
_KEPT = ("_orders", "_by_market", "_stops", "_minted", "accounts", "books", "tapes")


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """`row` is the order as it was then."""

    user_id: int
    symbol: str
    row: rows.Row


@dataclass(slots=True)
class Changes:
    """`events` in the order in which they happened; `symbols` are those whose book or tape changed."""

    events: list[OrderChanged | Traded] = field(default_factory=list)
    symbols: dict[str, None] = field(default_factory=dict)


class Exchange:
    """`start_ns` makes this run's ids larger than an earlier run's."""

    def __init__(self, settings: MoonbaseSettings, start_ns: int) -> None:
        self.instruments = {each.symbol: each for each in settings.instruments}
        self._settings = settings
        # Milliseconds times a thousand: 1.8e15 in the year 2027.
        self._minted = start_ns // 1_000_000 * 1000
        self._changes = Changes()
        self.reset()

    def reset(self) -> None:
        """Orders gone, books, tapes and balances as at the start. Ids go on."""
        self._orders: dict[int, Order] = {}
        # By user and symbol, oldest first.
        self._by_market: dict[tuple[int, str], list[Order]] = {}
        self._stops: dict[str, dict[int, Order]] = {symbol: {} for symbol in self.instruments}
        self.accounts: dict[int, Account] = opened(self._settings)
        self.books = {symbol: self._seeded(each) for symbol, each in self.instruments.items()}
        self.tapes = {symbol: Tape(_middle(each)) for symbol, each in self.instruments.items()}
        self._changes = Changes(symbols=dict.fromkeys(self.instruments))
        for account in self.accounts.values():
            account.changed_balances.update(dict.fromkeys(account.balances))
            account.changed_positions.update(dict.fromkeys(account.positions))

    def memory(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _KEPT}

    def recall(self, memory: dict[str, Any]) -> None:
        """Takes an earlier run's memory. Ids grow even where the clock went back in between."""
        minted = self._minted
        for name in _KEPT:
            setattr(self, name, memory[name])
        self._minted = max(minted, self._minted)
        self.check()

    def take_changes(self) -> Changes:
        changes, self._changes = self._changes, Changes()
        return changes

    def mint(self) -> int:
        """An id that nothing else has."""
        self._minted += 1
        return self._minted

    # Questions

    def orders(self) -> Iterable[Order]:
        """Every order ever accepted, oldest first."""
        return self._orders.values()

    def user_orders(self, user_id: int, symbol: str, open_only: bool, limit: int) -> list[Order]:
        """Newest first."""
        found: list[Order] = []
        for order in reversed(self._by_market.get((user_id, symbol), [])):
            if len(found) == limit:
                break
            if order.active or not open_only:
                found.append(order)
        return found

    def find(self, user_id: int, symbol: str, order_id: int) -> Order:
        """Refused: no such order of this user in this market."""
        order = self._orders.get(order_id)
        if order is None or order.user_id != user_id or order.asked.symbol != symbol:
            raise Refused("not_found", id=order_id)
        return order

    def find_any(self, order_id: int) -> Order | None:
        return self._orders.get(order_id)

    # What happens

    def accept(self, user_id: int, new: NewOrder, now_ns: int) -> Order:
        """The order, paid for and not yet in the market: `enter` comes next. Refused: the money is not there."""
        stop = new.trigger_price is not None
        stage, fee_rate = Stage.WAITING if stop else Stage.OPEN, self._settings.fee_rate
        order = Order(self._minted + 1, user_id, new, now_ns, now_ns, stage, fee_rate)
        if not stop:
            self._freeze(order)
            order.triggered_ns = now_ns
        self._orders[self.mint()] = order
        self._by_market.setdefault((user_id, new.symbol), []).append(order)
        self._tell(order)
        return order

    def enter(self, order: Order, now_ns: int) -> None:
        """What was accepted trades, rests, or waits for its trigger; and whatever that triggers."""
        if order.stage is Stage.WAITING:
            self._stops[order.asked.symbol][order.order_id] = order
        else:
            self._match(order, now_ns)
        self._trigger(order.asked.symbol, now_ns)

    def cancel(self, order: Order, now_ns: int) -> None:
        """Refused: the order is over."""
        if not order.active:
            raise Refused("already_done", id=order.order_id)
        self._finish(order, Stage.CANCELLED, now_ns)

    def trade(self, symbol: str, side: Side, amount: Decimal, price: Decimal, now_ns: int) -> Placed:
        """A counterparty's immediate-or-cancel limit order; KeyError for an unknown symbol."""
        taker_id = self.mint()
        placed = self.books[symbol].add_limit(str(taker_id), side, price, amount, Tif.IOC)
        self._settle(symbol, side, taker_id, placed, now_ns)
        self._trigger(symbol, now_ns)
        return placed

    def check(self) -> None:
        """Asserts what must always hold: sound books, no debts, and exactly the open orders' money tied up."""
        for book in self.books.values():
            book.check()
        placed: dict[tuple[int, str], Decimal] = {}
        for order in self._orders.values():
            resting = self.books[order.asked.symbol].get(str(order.order_id))
            assert (resting is not None) == (order.stage is Stage.OPEN), f"{order} and its book disagree"
            assert resting is None or resting.qty == order.asked.amount - order.filled
            assert (order.order_id in self._stops[order.asked.symbol]) == (order.stage is Stage.WAITING)
            assert (order.cancelled_ns is not None) == (order.stage is Stage.CANCELLED)
            assert order.filled == sum((fill.amount for fill in order.fills), ZERO) <= order.asked.amount
            assert order.total == sum((fill.amount * fill.price for fill in order.fills), ZERO)
            assert order.stage is Stage.OPEN or not order.frozen
            key = (order.user_id, self._pays(order.asked))
            placed[key] = placed.get(key, ZERO) + order.frozen
        for user_id, account in self.accounts.items():
            for asset, balance in account.balances.items():
                assert balance.available >= 0, f"{user_id} owes {asset}"
                assert balance.placed == placed.get((user_id, asset), ZERO), f"{user_id} has the wrong amount of {asset} tied up"

    # Parts

    def _match(self, order: Order, now_ns: int) -> None:
        new, book = order.asked, self.books[order.asked.symbol]
        if new.limit_price is None:
            placed = book.add_market(str(order.order_id), new.side, new.amount)
        else:
            placed = book.add_limit(str(order.order_id), new.side, new.limit_price, new.amount)
        self._settle(new.symbol, new.side, order.order_id, placed, now_ns)
        if order.stage is Stage.OPEN and not placed.rested:
            self._finish(order, Stage.CANCELLED, now_ns)

    def _trigger(self, symbol: str, now_ns: int) -> None:
        """One at a time: each may move the price for the next."""
        while (order := next((each for each in self._stops[symbol].values() if self._triggers(each.asked)), None)) is not None:
            del self._stops[symbol][order.order_id]
            try:
                self._freeze(order)
            except Refused:
                self._finish(order, Stage.CANCELLED, now_ns)
                continue
            order.stage, order.triggered_ns, order.updated_ns = Stage.OPEN, now_ns, now_ns
            self._tell(order)
            self._match(order, now_ns)

    def _triggers(self, new: NewOrder) -> bool:
        last = self.tapes[new.symbol].last
        if new.trigger_price is None or not last:
            return False
        return last >= new.trigger_price if new.side is Side.BUY else last <= new.trigger_price

    def _settle(self, symbol: str, side: Side, taker_id: int, placed: Placed, now_ns: int) -> None:
        """Both parties' part in each trade, and the tape."""
        self._changes.symbols[symbol] = None
        for trade in placed.trades:
            done = Traded(self.mint(), symbol, side, trade.price, trade.qty, taker_id, int(trade.maker_id), now_ns)
            for order_id in (done.maker_order_id, taker_id):
                if (order := self._orders.get(order_id)) is not None:
                    self._fill(order, done.trade_id, trade, now_ns)
            self.tapes[symbol].add(done)
            self._changes.events.append(done)

    def _fill(self, order: Order, trade_id: int, trade: Trade, now_ns: int) -> None:
        new, account = order.asked, self.accounts[order.user_id]
        value = trade.price * trade.qty
        fee = value * order.fee_rate
        order.filled += trade.qty
        order.total += value
        order.fee += fee
        order.fills.append(Fill(trade_id, trade.price, trade.qty, fee, now_ns))
        order.updated_ns = now_ns
        self._pay(order, trade, value, fee)
        account.position(new.symbol).take(trade.qty if new.side is Side.BUY else -trade.qty, trade.price, fee)
        if order.filled == new.amount:
            self._finish(order, Stage.FILLED, now_ns)
        else:
            self._tell(order)

    def _pay(self, order: Order, trade: Trade, value: Decimal, fee: Decimal) -> None:
        new, account = order.asked, self.accounts[order.user_id]
        instrument = self.instruments[new.symbol]
        base, quote = account.balance(instrument.base), account.balance(instrument.quote)
        if new.side is Side.SELL:
            order.frozen -= trade.qty
            base.placed -= trade.qty
            quote.available += value - fee
            return
        freed = value + fee if new.limit_price is None else _cost(order, new.limit_price * trade.qty)
        order.frozen -= freed
        quote.placed -= freed
        quote.available += freed - value - fee
        base.available += trade.qty

    def _finish(self, order: Order, stage: Stage, now_ns: int) -> None:
        """The order is over: out of the book, and what it still ties up is free."""
        symbol = order.asked.symbol
        if self.books[symbol].cancel(str(order.order_id)) is not None:
            self._changes.symbols[symbol] = None
        self._stops[symbol].pop(order.order_id, None)
        if order.frozen:
            self.accounts[order.user_id].balance(self._pays(order.asked)).move(-order.frozen)
            order.frozen = ZERO
        order.stage, order.updated_ns = stage, now_ns
        if stage is Stage.CANCELLED:
            order.cancelled_ns = now_ns
        self._tell(order)

    def _tell(self, order: Order) -> None:
        self._changes.events.append(OrderChanged(order.user_id, order.asked.symbol, rows.order(order)))

    def _freeze(self, order: Order) -> None:
        """Ties up what the order may cost. Refused."""
        new = order.asked
        if new.side is Side.SELL:
            amount = new.amount
        elif new.limit_price is not None:
            amount = _cost(order, new.limit_price * new.amount)
        else:
            amount = _cost(order, self._offered(new))
        self.accounts[order.user_id].balances[self._pays(new)].move(amount)
        self.accounts[order.user_id].changed_balances[self._pays(new)] = None
        order.frozen = amount

    def _offered(self, new: NewOrder) -> Decimal:
        """What a market buy will be asked for, without the fee."""
        left, value = new.amount, ZERO
        for price, qty in self.books[new.symbol].levels(Side.SELL):
            taken = min(left, qty)
            left, value = left - taken, value + taken * price
            if not left:
                break
        return value

    def _pays(self, new: NewOrder) -> str:
        instrument = self.instruments[new.symbol]
        return instrument.quote if new.side is Side.BUY else instrument.base

    def _seeded(self, instrument: Instrument) -> Book:
        book, seed = Book(), instrument.seed
        if seed is not None:
            for i in range(seed.levels):
                book.add_limit(str(self.mint()), Side.BUY, seed.bid - seed.step * i, seed.qty)
                book.add_limit(str(self.mint()), Side.SELL, seed.ask + seed.step * i, seed.qty)
        return book


def _middle(instrument: Instrument) -> Decimal:
    if instrument.seed is None:
        return ZERO
    steps = (instrument.seed.bid + instrument.seed.ask) / 2 / instrument.price_step
    return steps.to_integral_value(ROUND_DOWN) * instrument.price_step


def _cost(order: Order, value: Decimal) -> Decimal:
    """With the fee."""
    return value + value * order.fee_rate
