"""The simulated venue: orders, stops, books, positions and the rules between them.

Pure: the time comes in as epoch nanoseconds; what happened waits in `take_changes` for whoever tells the streams.

Assumptions, where the document is silent:
 1. An order that the trading engine refuses (a code from 11000 on) is answered so over HTTP and told in AOP as well,
    with execStatus CreateRejected, ordStatus Rejected and the code. A duplicate clOrdID is refused over HTTP alone: told
    in AOP it could be taken for the order that has that id. So is what is not a proper request.
 2. A clOrdID is used up for ever by the order that was accepted with it; a refused request leaves it free.
 3. Every accepted order is told New (or Untriggered) first, in the same message as what follows at once: its fills, and
    Canceled for what may not rest, a post-only order that would trade and a fill-or-kill that cannot be filled included.
 4. A stop is triggered by the last trade of the book; the mark price is the last trade too. Before the first trade
    that is the middle of the seed. Orders trigger oldest first, and a Stop trades at once, a StopLimit as a limit does.
    A stop that would trigger at once is refused (11043, 11044), and triggered without money for it, canceled.
 5. reduceOnly needs a position on the other side (else 11057, and 11011 on the same side) that covers it together with
    the reducing orders that rest already (else 11011); where the position shrinks, what it no longer covers is canceled
    by the venue after the trades of one order, the oldest being covered first. closeOnTrigger is the same, when it triggers: it is then
    cut down to the position. Other orders on its side are left alone.
 6. Cancelling: unknown, another user's or of another symbol is 10002, canceled 11062, filled or refused 11063.
 7. A user may trade with itself. The house and the counterparty of `trade` have no account.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from typing import Any

from bridges.matching import Placed, Side, Tif
from bridges.phemex import sim_errors as errors
from bridges.phemex import sim_rows as rows
from bridges.phemex.sim_account import KEPT_OF_ACCOUNT, KEPT_OF_POSITION, Position, TradingAccount
from bridges.phemex.sim_contract import Contract
from bridges.phemex.sim_errors import Refused
from bridges.phemex.sim_market import KEPT_OF_MARKET, Market, PublicTrade
from bridges.phemex.sim_orders import OPEN, RESTING, Fill, NewOrder, Order, Row, Status
from bridges.phemex.sim_rules import check_terms
from bridges.phemex.sim_settings import VALUE_SCALES, Account, PhemexSettings

# The trading engine's codes; those below are the order manager's, those above the gateway's.
TRADING_ENGINE = range(11_000, 12_000)
# "Data Gateway will publish the 100 history account/order/position".
MAX_FINISHED = 100
# What outlives the venue's process, beside what is kept of markets, accounts and positions.
_KEPT = ("_orders", "_open", "_by_client_id", "_history", "_minted", "_seq")


@dataclass(slots=True)
class Changes:
    """Since the last time: AOP's order rows by trading account, symbols whose book changed, and trades, oldest first."""

    rows: dict[int, list[Row]] = field(default_factory=dict)
    positions: dict[int, dict[str, None]] = field(default_factory=dict)
    symbols: dict[str, None] = field(default_factory=dict)
    trades: dict[str, list[PublicTrade]] = field(default_factory=dict)


class Exchange:
    """`start_ns` makes this run's ids differ from any other run's."""

    def __init__(self, settings: PhemexSettings, start_ns: int) -> None:
        self._settings = settings
        self._contracts = {each.symbol: Contract.of(each) for each in settings.contracts}
        self._start_ns = start_ns
        self._minted = 0
        self._seq = 0
        self._changes = Changes()
        self.reset()

    def reset(self) -> None:
        """Orders gone, books, positions and balances as at the start. Ids and sequences go on."""
        self._orders: dict[str, Order] = {}
        self._open: dict[str, Order] = {}
        self._by_client_id: dict[tuple[int, str], Order] = {}
        self._history: dict[int, list[Order]] = {}
        self.markets = {symbol: Market.seeded(contract) for symbol, contract in self._contracts.items()}
        self.accounts: dict[int, dict[str, TradingAccount]] = {}
        for user in self._settings.accounts:
            self.accounts[user.user_id] = self._opened(user)
        self._changes = Changes(symbols=dict.fromkeys(self._contracts))

    def _opened(self, user: Account) -> dict[str, TradingAccount]:
        """A user's trading accounts: one for each currency that a contract settles in."""
        opened = {}
        for number, currency in enumerate(VALUE_SCALES, 1):
            contracts = [each for each in self._contracts.values() if each.settle == currency]
            if contracts:
                balance_ev = int(user.balances.get(currency, Decimal(0)) * VALUE_SCALES[currency])
                positions = {each.symbol: Position(each) for each in contracts}
                account_id = user.user_id * 10_000 + number
                opened[str(currency)] = TradingAccount(user.user_id, account_id, currency, balance_ev, positions)
        return opened

    def memory(self) -> dict[Any, Any]:
        return {key: {name: getattr(part, name) for name in kept} for key, part, kept in self._parts()}

    def recall(self, memory: dict[Any, Any]) -> None:
        """Takes an earlier run's memory."""
        for key, part, kept in self._parts():
            for name in kept:
                setattr(part, name, memory[key][name])
        for market in self.markets.values():
            market.book.check()

    def _parts(self) -> Iterator[tuple[object, object, tuple[str, ...]]]:
        yield "exchange", self, _KEPT
        for symbol, market in self.markets.items():
            yield ("market", symbol), market, KEPT_OF_MARKET
        for account in (each for opened in self.accounts.values() for each in opened.values()):
            yield ("account", account.account_id), account, KEPT_OF_ACCOUNT
            for symbol, position in account.positions.items():
                yield ("position", account.account_id, symbol), position, KEPT_OF_POSITION

    def next_seq(self) -> int:
        """One counter for everything that the venue does: sequences rise, and have gaps."""
        self._seq += 1
        return self._seq

    def take_changes(self) -> Changes:
        changes, self._changes = self._changes, Changes()
        return changes

    # Questions

    def orders(self) -> Iterable[Order]:
        """Every order ever accepted, oldest first."""
        return (order for order in self._orders.values() if order.status is not Status.REJECTED)

    def history(self, account: TradingAccount) -> list[Order]:
        """What an account's snapshot shows: its open orders and its last 100 others, refused ones too, oldest first."""
        found = [order for order in self._open.values() if self._account(order) is account]
        finished = (order for order in reversed(self._history.get(account.account_id, [])) if order.status not in OPEN)
        return sorted([*found, *islice(finished, MAX_FINISHED)], key=lambda order: order.request_num)

    def find_any(self, some_id: str) -> Order | None:
        """For the simulator's control alone: by the venue's id or any client's."""
        order = self._orders.get(some_id)
        return order or next((each for each in self.orders() if each.asked.cl_ord_id == some_id), None)

    def contract(self, symbol: str) -> Contract:
        if symbol not in self._contracts:
            raise Refused(errors.TE_SYMBOL_INVALID)
        return self._contracts[symbol]

    def used_ev(self, account: TradingAccount) -> int:
        return sum(each.used_ev(self.markets[symbol].last_ep) for symbol, each in account.positions.items())

    # Requests

    def place(self, user_id: int, new: NewOrder, now_ns: int) -> Order:
        """Takes an order in and lets it trade. Refused where it is not accepted."""
        order = self._create(user_id, new, now_ns)
        market = self.markets[new.symbol]
        try:
            self._check(order, market)
        except Refused as no:
            if no.code in TRADING_ENGINE:
                self._reject(order, no.code, now_ns)
            raise
        self._keep(order)
        self._by_client_id[user_id, new.cl_ord_id] = order
        if new.conditional:
            market.stops[order.order_id] = order
            self._tell(order, Status.UNTRIGGERED, "Untriggered", now_ns)
        else:
            self._enter(order, market, now_ns)
            self._settle(market, now_ns)
        return order

    def refuse(self, user_id: int, new: NewOrder, code: int, now_ns: int) -> None:
        """Turns an order down without looking at its terms; Refused, always."""
        self._reject(self._create(user_id, new, now_ns), code, now_ns)
        raise Refused(code)

    def cancel(self, user_id: int, order_id: str, symbol: str, now_ns: int) -> Row:
        """Gives the order as it stood before, for that is how the venue answers; Refused where it cannot be."""
        order = self._orders.get(order_id)
        if order is None or order.user_id != user_id or order.asked.symbol != symbol:
            raise Refused(errors.OM_ORDER_NOT_FOUND)
        before = rows.rest_order(order, self._contracts[symbol])
        self.cancel_order(order, now_ns)
        return before

    def cancel_order(self, order: Order, now_ns: int) -> None:
        """Cancels whoever asks, the venue itself included. Refused: 11062, 11063."""
        if order.status is Status.CANCELED:
            raise Refused(errors.TE_ORD_ALREADY_CANCELED)
        if order.status not in OPEN:
            raise Refused(errors.TE_ORD_STATUS_CANNOT_CANCEL)
        market = self.markets[order.asked.symbol]
        market.stops.pop(order.order_id, None)
        market.book.cancel(order.order_id)
        self._cancel(order, "Cancel", now_ns)

    def cancel_all(self, user_id: int, symbol: str | None, now_ns: int) -> int:
        """Every open order of a user, stops included, of one symbol or all; how many there were."""
        open_orders = [order for order in self._open.values() if order.user_id == user_id and symbol in (None, order.asked.symbol)]
        for order in open_orders:
            self.cancel_order(order, now_ns)
        return len(open_orders)

    def trade(self, symbol: str, side: Side, qty: int, price_ep: int, now_ns: int) -> Placed:
        """A counterparty's immediate-or-cancel limit order; KeyError for an unknown symbol."""
        market = self.markets[symbol]
        placed = market.book.add_limit("counterparty", side, Decimal(price_ep), Decimal(qty), Tif.IOC)
        self._changes.symbols[symbol] = None
        self._trades(None, side, placed, market, now_ns)
        self._settle(market, now_ns)
        return placed

    # Parts

    def _account(self, order: Order) -> TradingAccount:
        return self.accounts[order.user_id][self._contracts[order.asked.symbol].settle]

    def _position(self, order: Order) -> Position:
        return self._account(order).positions[order.asked.symbol]

    def _create(self, user_id: int, new: NewOrder, now_ns: int) -> Order:
        self.contract(new.symbol)
        if (user_id, new.cl_ord_id) in self._by_client_id:
            raise Refused(errors.TE_CL_ORD_ID_DUPLICATE)
        order = Order(new, self._mint("order"), user_id, 0, now_ns, now_ns)
        account = self._account(order)
        account.requests += 1
        order.request_num = account.requests
        return order

    def _keep(self, order: Order) -> None:
        self._orders[order.order_id] = order
        self._history.setdefault(self._account(order).account_id, []).append(order)

    def _check(self, order: Order, market: Market) -> None:
        new, position = order.asked, self._position(order)
        check_terms(new, market.contract)
        if new.reduce_only and not new.conditional:
            self._check_reducing(new, position)
        if new.conditional:
            if not market.last_ep:
                raise Refused(errors.TE_NO_LAST_PRICE)
            if market.triggers(new):
                rising = new.side is Side.BUY
                raise Refused(errors.TE_RISING_TRIGGER_DIRECTLY if rising else errors.TE_FALLING_TRIGGER_DIRECTLY)
        elif not self._affords(order, market):
            raise Refused(errors.TE_NO_ENOUGH_AVAILABLE_BALANCE)

    def _check_reducing(self, new: NewOrder, position: Position) -> None:
        if not position.size:
            raise Refused(errors.TE_QTY_NOT_MATCH_REDUCE_ONLY)
        covered = sum(each.leaves_qty for each in self._reducing(position) if each.asked.side is new.side)
        if (position.size > 0) == (new.side is Side.BUY) or covered + new.qty > abs(position.size):
            raise Refused(errors.TE_REDUCE_ONLY_ABORT)

    def _affords(self, order: Order, market: Market) -> bool:
        new, account, position = order.asked, self._account(order), self._position(order)
        if new.reduces:
            return True
        price_ep = new.price_ep or int(market.book.best(new.side.opposite) or 0)
        value_ev = market.contract.value_ev(new.qty, price_ep)
        more = position.order_cost_with(new.side, value_ev) - position.order_cost_ev
        return more <= account.balance_ev - self.used_ev(account)

    def _reducing(self, position: Position) -> list[Order]:
        """The resting orders that may only reduce this position, oldest first."""
        reducing = self.markets[position.contract.symbol].reducing.values()
        return [order for order in reducing if self._position(order) is position]

    def _enter(self, order: Order, market: Market, now_ns: int) -> None:
        """Into the book: New, the fills of both parties, and the end of what may not rest."""
        self._tell(order, Status.NEW, "New", now_ns)
        placed = market.match(order)
        self._changes.symbols[order.asked.symbol] = None
        self._trades(order, order.asked.side, placed, market, now_ns)
        if order.status in RESTING and not placed.rested:
            self._cancel(order, "New", now_ns)

    def _trades(self, taker: Order | None, side: Side, placed: Placed, market: Market, now_ns: int) -> None:
        for trade in placed.trades:
            price_ep, qty = int(trade.price), int(trade.qty)
            for order in (taker, self._orders.get(trade.maker_id)):
                if order is not None:
                    self._fill(order, price_ep, qty, order is not taker, now_ns)
            market.last_ep = price_ep
            told = (now_ns, "buy" if side is Side.BUY else "sell", price_ep, qty)
            market.trades.appendleft(told)
            self._changes.trades.setdefault(market.contract.symbol, []).append(told)

    def _fill(self, order: Order, price_ep: int, qty: int, maker: bool, now_ns: int) -> None:
        account, position = self._account(order), self._position(order)
        value_ev = position.contract.value_ev(qty, price_ep)
        fee_ev = position.contract.fee_ev(value_ev, maker)
        closed_size, pnl_ev = position.fill(order.asked.side, qty, value_ev)
        account.balance_ev += pnl_ev - fee_ev
        position.fees_ev += fee_ev
        order.cum_qty += qty
        order.cum_value_ev += value_ev
        full = order.cum_qty == order.asked.qty
        if full:
            order.filled_ns = now_ns
        fill = Fill(self._mint("exec"), qty, price_ep, value_ev, fee_ev, maker, closed_size, pnl_ev)
        status = Status.FILLED if full else Status.PARTIALLY_FILLED
        self._tell(order, status, "MakerFill" if maker else "TakerFill", now_ns, fill=fill)

    def _settle(self, market: Market, now_ns: int) -> None:
        """What trades bring about: stops trigger, and orders that may only reduce give way, until nothing more does."""
        while True:
            if market.reducing:
                self._uncover(market, now_ns)
            order = next((each for each in market.stops.values() if market.triggers(each.asked)), None)
            if order is None:
                return
            del market.stops[order.order_id]
            self._tell(order, Status.TRIGGERED, "Triggered", now_ns)
            if self._may_trade(order, market):
                self._enter(order, market, now_ns)
            else:
                self._cancel(order, "New", now_ns)

    def _may_trade(self, order: Order, market: Market) -> bool:
        """May a triggered order trade, cut down to the position where it is to close it?"""
        new, position = order.asked, self._position(order)
        if not new.reduces:
            return self._affords(order, market)
        if (position.size > 0) == (new.side is Side.BUY) or not position.size:
            return False
        if new.close_on_trigger:
            order.asked = replace(new, qty=min(new.qty, abs(position.size)))
            return True
        try:
            self._check_reducing(new, position)
        except Refused:
            return False
        return True

    def _uncover(self, market: Market, now_ns: int) -> None:
        """Cancels reducing orders that their position no longer covers; the oldest are covered first."""
        for accounts in self.accounts.values():
            position = accounts[market.contract.settle].positions[market.contract.symbol]
            covered = 0
            for order in self._reducing(position):
                closing = position.size and (position.size > 0) != (order.asked.side is Side.BUY)
                if closing and covered + order.leaves_qty <= abs(position.size):
                    covered += order.leaves_qty
                else:
                    market.book.cancel(order.order_id)
                    self._cancel(order, "Cancel", now_ns)

    def _cancel(self, order: Order, action: str, now_ns: int) -> None:
        order.canceled_ns = now_ns
        self._changes.symbols[order.asked.symbol] = None
        self._tell(order, Status.CANCELED, "Canceled", now_ns, action)

    def _reject(self, order: Order, code: int, now_ns: int) -> None:
        order.code = code
        self._keep(order)
        self._tell(order, Status.REJECTED, "CreateRejected", now_ns)

    def _tell(self, order: Order, status: Status, exec_status: str, now_ns: int, action: str = "New", fill: Fill | None = None) -> None:
        account, position = self._account(order), self._position(order)
        leaves = order.leaves_qty if order.status in RESTING else 0
        order.status, order.updated_ns = status, now_ns
        after = order.leaves_qty if status in RESTING else 0
        if fill is not None:
            leaves = after + fill.qty
        _count_leaves(position, order.asked, leaves, after)
        _keep_in(self._open, order, status in OPEN)
        if order.asked.reduces:
            _keep_in(self.markets[order.asked.symbol].reducing, order, status in RESTING)
        seq = self.next_seq()
        if status in (Status.NEW, Status.UNTRIGGERED):
            order.added_seq = seq
        position.version, position.exec_seq, position.transact_ns = position.version + 1, seq, now_ns
        order.row = rows.aop_order(order, account, position, exec_status, action, seq, now_ns, fill)
        self._changes.rows.setdefault(account.account_id, []).append(order.row)
        self._changes.positions.setdefault(account.account_id, {})[order.asked.symbol] = None

    def _mint(self, what: str) -> str:
        """An id that looks like the venue's (a UUID), and that no run of this venue has given before."""
        self._minted += 1
        digits = sha256(f"{what}-{self._start_ns}-{self._minted}".encode()).hexdigest()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))


def _keep_in(orders: dict[str, Order], order: Order, wanted: bool) -> None:
    if wanted:
        orders[order.order_id] = order
    else:
        orders.pop(order.order_id, None)


def _count_leaves(position: Position, new: NewOrder, before: int, after: int) -> None:
    """Keeps the position's sums of what rests; by value per order, so that roundings come out even."""
    value = position.contract.value_ev(after, new.price_ep) - position.contract.value_ev(before, new.price_ep)
    if new.side is Side.BUY:
        position.buy_leaves_qty += after - before
        position.buy_leaves_ev += value
    else:
        position.sell_leaves_qty += after - before
        position.sell_leaves_ev += value
