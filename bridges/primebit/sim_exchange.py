"""The simulated venue: orders, stops, books, positions and the rules between them.

Pure: the time comes in as epoch nanoseconds; what happened waits in `take_changes` for whoever tells the streams.

Assumptions, where the document is silent:
 1. Every proper request for an order of a known symbol gets an order id and is told `new_request`, then `new` or `reject`.
    What is no proper request, and an unknown symbol, is told nowhere.
 2. An accepted order is told its trades next, `partial_fill` or `fill`, one event a trade, and `cancel` for what may not
    rest: the remainder of an immediate-or-cancel or market order, a fill-or-kill that cannot be filled whole.
 3. `volume` is what is left: "0.0" on `fill`, what the end left unexecuted on `cancel`, the whole on `reject`.
 4. A trade is told in this order: the taker's order, the maker's, the taker's position, the maker's, the market's tick.
 5. Modifying: `volume` is the new one of the whole order, executed part included. A modified order goes to the end of the
    line at its price, and trades at once where it may. What ended, market orders therefore, cannot be modified.
 6. Modifying or cancelling what has ended is 404, with `modify_reject` or `cancel_reject` of the order as it ended; with
    what is another account's, or never was, there is no event. A `modify_reject` shows the order as it stays.
 7. A stop is triggered by the last trade's price (before the first trade the middle of the seed), oldest first; that is
    not told. Then it trades as the market or limit order that it is, keeping its `stop_price`. One that would trigger at
    once is refused. Its margin is looked at when it is placed and not when it triggers.
 8. An order expires, told as `cancel`, at its `expiration_time`; a new one's lies ahead.
 9. An account may trade with itself. The house and the counterparty of `trade` have no account.
10. Order and position ids are one ascending sequence of numbers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from bridges.matching import Placed, Side, Tif, Trade
from bridges.primebit import sim_errors as errors
from bridges.primebit import sim_rows as rows
from bridges.primebit.sim_account import KEPT_OF_ACCOUNT, NOTHING, Position, Resting, TradingAccount
from bridges.primebit.sim_errors import Refused
from bridges.primebit.sim_market import KEPT_OF_MARKET, Market
from bridges.primebit.sim_orders import OPEN, RESTING, ZERO, EventType, Modification, NewOrder, Order, Row, Status
from bridges.primebit.sim_rules import check_modification, check_terms
from bridges.primebit.sim_settings import PrimebitSettings

SECOND_NS = 1_000_000_000
# What outlives the venue's process, beside what is kept of markets and accounts.
_KEPT = ("_orders", "_open", "_expiring", "_last_id")


@dataclass(frozen=True, slots=True)
class OrderTold:
    account_id: str
    event_type: EventType
    row: Row


@dataclass(frozen=True, slots=True)
class PositionTold:
    account_id: str
    event_type: str
    row: Row


@dataclass(frozen=True, slots=True)
class Ticked:
    """A trade."""

    symbol: str
    price: Decimal
    volume: Decimal


@dataclass(slots=True)
class Changes:
    """Since the last time: what happened, in that order; accounts whose money and symbols whose book changed."""

    told: list[OrderTold | PositionTold | Ticked] = field(default_factory=list)
    accounts: dict[str, None] = field(default_factory=dict)
    symbols: dict[str, None] = field(default_factory=dict)


class Exchange:
    """`start_ns` makes this run's ids differ from any other run's, as long as it makes fewer than one a millisecond."""

    def __init__(self, settings: PrimebitSettings, start_ns: int) -> None:
        self._settings = settings
        self.contracts = {each.symbol: each for each in settings.contracts}
        self._last_id = start_ns // 1_000_000
        self.reset()

    def reset(self) -> None:
        """Orders gone, books, positions and balances as at the start. Ids go on."""
        self._orders: dict[str, Order] = {}
        self._open: dict[str, Order] = {}
        self._expiring: dict[str, Order] = {}
        self.markets = {symbol: Market.seeded(contract) for symbol, contract in self.contracts.items()}
        self.accounts = {each.account_id: TradingAccount(each.account_id, each.login, each.balance) for each in self._settings.accounts}
        self._changes = Changes(accounts=dict.fromkeys(self.accounts), symbols=dict.fromkeys(self.markets))

    def memory(self) -> dict[Any, Any]:
        return {key: {name: getattr(part, name) for name in kept} for key, part, kept in self._parts()}

    def recall(self, memory: dict[Any, Any]) -> None:
        """Takes an earlier run's memory."""
        first_id = self._last_id
        for key, part, kept in self._parts():
            for name in kept:
                setattr(part, name, memory[key][name])
        self._last_id = max(self._last_id, first_id)
        for order in self._open.values():
            self._count(order)
        for market in self.markets.values():
            market.book.check()

    def _parts(self) -> Iterator[tuple[object, object, tuple[str, ...]]]:
        yield "exchange", self, _KEPT
        for symbol, market in self.markets.items():
            yield ("market", symbol), market, KEPT_OF_MARKET
        for account_id, account in self.accounts.items():
            yield ("account", account_id), account, KEPT_OF_ACCOUNT

    def take_changes(self) -> Changes:
        changes, self._changes = self._changes, Changes()
        return changes

    # Questions

    def orders(self) -> Iterable[Order]:
        """Every order ever accepted, oldest first."""
        return self._orders.values()

    def find_any(self, some_id: str) -> Order | None:
        """For the simulator's control alone: by the venue's id or the comment."""
        return self._orders.get(some_id) or next((each for each in self.orders() if each.asked.comment == some_id), None)

    def open_rows(self, account_id: str) -> list[Row]:
        """The account's open orders, oldest first."""
        return [self._row(order) for order in self._open.values() if order.account_id == account_id]

    def open_row(self, account_id: str, key: str) -> Row:
        """One open order; Refused (404) otherwise."""
        order = self._open.get(key)
        if order is None or order.account_id != account_id:
            raise errors.order_not_found()
        return self._row(order)

    def account_row(self, account_id: str) -> Row:
        account = self.accounts[account_id]
        return rows.account(account.balance, account.profit(self.contracts, self._last_prices()), account.margin(self.contracts))

    def position_rows(self, account_id: str) -> list[Row]:
        return [self._position_row(symbol, each) for symbol, each in self.accounts[account_id].positions.items()]

    # Requests

    def place(self, account_id: str, new: NewOrder, now_ns: int) -> Row:
        """Takes an order in and lets it trade. Gives it as it was taken in, whole; Refused where it is not."""
        order = self._create(account_id, new, now_ns)
        market = self.markets[new.symbol]
        try:
            self._check(order, market, now_ns)
        except Refused:
            self._tell(order, "reject")
            raise
        self._orders[order.key] = order
        self._change(order, Status.UNTRIGGERED if new.conditional else Status.NEW, "new", now_ns)
        accepted = self._row(order)
        if new.conditional:
            market.stops[order.key] = order
        else:
            self._enter(order, market, now_ns)
            self._settle(market, now_ns)
        return accepted

    def modify(self, account_id: str, key: str, change: Modification, now_ns: int) -> Row:
        """Gives the order as modified, before it trades; Refused where it cannot be, and it stays as it was."""
        order = self._found(account_id, key, "modify_reject")
        market = self.markets[order.asked.symbol]
        asked = replace(order.asked, volume=change.volume, limit_price=change.limit_price, stop_price=change.stop_price)
        try:
            check_modification(change, order, market.contract)
            self._check_trigger(order.status is Status.UNTRIGGERED, asked, market)
            if asked.value > order.asked.value:
                self._check_margin(order, asked, change.volume - order.filled, market)
        except Refused:
            self._tell(order, "modify_reject")
            raise
        market.book.cancel(key)
        order.asked = asked
        self._change(order, order.status, "modify", now_ns)
        modified = self._row(order)
        if order.status in RESTING:
            self._enter(order, market, now_ns)
            self._settle(market, now_ns)
        return modified

    def cancel(self, account_id: str, key: str, now_ns: int) -> Row:
        """Gives the order as it ended; Refused where it is not open."""
        order = self._found(account_id, key, "cancel_reject")
        self.cancel_order(order, now_ns)
        return self._row(order)

    def refuse_new(self, account_id: str, new: NewOrder, now_ns: int) -> None:
        """Turns an order down without looking at its terms; Refused, always."""
        self._tell(self._create(account_id, new, now_ns), "reject")
        raise errors.rejected()

    def refuse_change(self, account_id: str, key: str, event_type: EventType) -> None:
        """Turns a cancel or a modification down; Refused, always."""
        self._tell(self._found(account_id, key, event_type), event_type)
        raise errors.rejected()

    def cancel_order(self, order: Order, now_ns: int) -> None:
        """Cancels whoever asks, the venue itself included; Refused where it is not open."""
        if order.status not in OPEN:
            raise errors.order_not_found()
        market = self.markets[order.asked.symbol]
        market.stops.pop(order.key, None)
        market.book.cancel(order.key)
        self._end(order, now_ns)

    def expire(self, now_ns: int) -> None:
        """Ends what has expired by now."""
        for order in [each for each in self._expiring.values() if each.asked.expiration_time * SECOND_NS <= now_ns]:
            self.cancel_order(order, now_ns)

    @property
    def due_ns(self) -> int | None:
        """When `expire` has something to do next."""
        return min((each.asked.expiration_time * SECOND_NS for each in self._expiring.values()), default=None)

    def trade(self, symbol: str, side: Side, volume: Decimal, price: Decimal, now_ns: int) -> Placed:
        """A counterparty's immediate-or-cancel limit order; KeyError for an unknown symbol."""
        market = self.markets[symbol]
        placed = market.book.add_limit("counterparty", side, price, volume, Tif.IOC)
        self._changes.symbols[symbol] = None
        self._trades(None, placed, market, now_ns)
        self._settle(market, now_ns)
        return placed

    # Checks

    def _create(self, account_id: str, new: NewOrder, now_ns: int) -> Order:
        if new.symbol not in self.markets:
            raise errors.unknown_symbol()
        order = Order(new, self._mint(), account_id, now_ns, now_ns)
        self._tell(order, "new_request")
        return order

    def _found(self, account_id: str, key: str, event_type: EventType) -> Order:
        order = self._orders.get(key)
        if order is None or order.account_id != account_id:
            raise errors.order_not_found()
        if order.status not in OPEN:
            self._tell(order, event_type)
            raise errors.order_not_found()
        return order

    def _check(self, order: Order, market: Market, now_ns: int) -> None:
        new = order.asked
        check_terms(new, market.contract)
        if new.expiration_time and new.expiration_time * SECOND_NS <= now_ns:
            raise errors.field("expiration_time", "not ahead")
        self._check_trigger(new.conditional, new, market)
        self._check_margin(order, new, new.volume, market)

    def _check_trigger(self, waits: bool, new: NewOrder, market: Market) -> None:
        if waits and market.triggers(new):
            raise errors.field("stop_price", "would trigger at once")

    def _check_margin(self, order: Order, new: NewOrder, volume: Decimal, market: Market) -> None:
        account, contract = self.accounts[order.account_id], market.contract
        price = new.limit_price or new.stop_price or market.book.best(new.side.opposite) or market.last
        more = Resting(volume, volume * price).less(account.orders.get(order.key, NOTHING))
        needed = account.order_margin(new.symbol, contract, new.side, more) - account.order_margin(new.symbol, contract)
        equity = account.balance + account.profit(self.contracts, self._last_prices())
        if needed > max(ZERO, equity - account.margin(self.contracts)):
            raise errors.no_margin()

    # What happens

    def _enter(self, order: Order, market: Market, now_ns: int) -> None:
        """Into the book: the fills of both parties, and the end of what may not rest."""
        placed = market.match(order)
        self._changes.symbols[order.asked.symbol] = None
        self._trades(order, placed, market, now_ns)
        if order.status in RESTING and not placed.rested:
            self._end(order, now_ns)
        self._count(order)

    def _trades(self, taker: Order | None, placed: Placed, market: Market, now_ns: int) -> None:
        for trade in placed.trades:
            market.last = trade.price
            parties = [order for order in (taker, self._orders.get(trade.maker_id)) if order is not None]
            for order in parties:
                self._fill(order, trade, now_ns)
            for order in parties:
                self._move_position(order, trade, market)
            self._changes.told.append(Ticked(market.contract.symbol, trade.price, trade.qty))

    def _fill(self, order: Order, trade: Trade, now_ns: int) -> None:
        order.filled += trade.qty
        order.value += trade.qty * trade.price
        if order.left:
            self._change(order, Status.PARTIALLY_FILLED, "partial_fill", now_ns)
        else:
            order.filled_ns = now_ns
            self._change(order, Status.FILLED, "fill", now_ns)

    def _move_position(self, order: Order, trade: Trade, market: Market) -> None:
        account, symbol, volume = self.accounts[order.account_id], order.asked.symbol, trade.qty
        self._changes.accounts[account.account_id] = None
        sign = 1 if order.asked.side is Side.BUY else -1
        position = account.positions.get(symbol)
        if position is not None and position.size * sign < 0:
            closing = min(volume, position.volume)
            account.balance += position.take(closing, trade.price) * market.contract.contract_size
            volume -= closing
            if position.size:
                self._tell_position(account, "modified", self._position_row(symbol, position))
                return
            del account.positions[symbol]
            self._tell_position(account, "closed", {"position_id": position.position_id, "symbol": symbol})
            position = None
        if volume:
            kind = "new" if position is None else "modified"
            position = account.positions.setdefault(symbol, position or Position(self._mint()))
            position.add(volume * sign, trade.price)
            self._tell_position(account, kind, self._position_row(symbol, position))

    def _settle(self, market: Market, now_ns: int) -> None:
        """What trades bring about: stops trigger, until no more do."""
        while True:
            order = next((each for each in market.stops.values() if market.triggers(each.asked)), None)
            if order is None:
                return
            del market.stops[order.key]
            order.status, order.updated_ns = Status.NEW, now_ns
            self._enter(order, market, now_ns)

    def _end(self, order: Order, now_ns: int) -> None:
        order.canceled_ns = now_ns
        self._changes.symbols[order.asked.symbol] = None
        self._change(order, Status.CANCELED, "cancel", now_ns)

    def _change(self, order: Order, status: Status, event_type: EventType, now_ns: int) -> None:
        order.status, order.updated_ns = status, now_ns
        for kept, wanted in ((self._open, True), (self._expiring, bool(order.asked.expiration_time))):
            if wanted and status in OPEN:
                kept[order.key] = order
            else:
                kept.pop(order.key, None)
        self._count(order)
        self._tell(order, event_type)

    def _count(self, order: Order) -> None:
        """What rests of it ties up margin."""
        account, new = self.accounts[order.account_id], order.asked
        left = order.left if order.status in RESTING else ZERO
        if account.rest(order.key, new.symbol, new.side, Resting(left, left * new.limit_price)):
            self._changes.accounts[account.account_id] = None

    # What is told

    def _tell(self, order: Order, event_type: EventType) -> None:
        self._changes.told.append(OrderTold(order.account_id, event_type, self._row(order)))

    def _tell_position(self, account: TradingAccount, event_type: str, row: Row) -> None:
        self._changes.told.append(PositionTold(account.account_id, event_type, row))

    def _row(self, order: Order) -> Row:
        comment = order.asked.comment if self._settings.keep_comment else ""
        return rows.order(order, self.accounts[order.account_id].login, self.contracts[order.asked.symbol], comment)

    def _position_row(self, symbol: str, position: Position) -> Row:
        return rows.position(position, self.markets[symbol].last, self.contracts[symbol])

    def _last_prices(self) -> dict[str, Decimal]:
        return {symbol: market.last for symbol, market in self.markets.items()}

    def _mint(self) -> int:
        self._last_id += 1
        return self._last_id
