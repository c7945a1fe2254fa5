"""The simulated venue: accounts, balances, orders, books and the rules between them.

Pure: the time comes in as epoch milliseconds, what happened goes out as `Execution`s. No wire's text is in here, so
that FIX, REST and WebSocket can all stand in front of it.

Assumptions, where the document is silent:
 1. An order id is account number, at least one random digit, 13-digit millisecond timestamp, three digits. The
    account number is the digits of the account id. (The document's own example, 000000011584603011942221, has no random
    digit.) Its timestamp may differ from the venue's clock by 60 s; more is 0x05009A.
 2. An order id is used up for ever by an order that got as far as the rules of trading, accepted or not. A request
    turned down before that (endpoint, account, symbol, the id itself), or by a fault of the server, leaves it free.
 3. Price, quantity, notional, time in force and order type faults are all 0x01001A.
 4. A venue that this endpoint does not serve, known or not, is 0x02003A. Another account than the caller's is 0x20000B.
 5. A market order never rests; 3 and 1 mean the same to it. Its notional is `total`, or for a sell the quantity at the
    best bid, and unlimited where there is no bid.
 6. A market buy by `total` buys whole steps for as long as the money lasts; it is FILLED when no further step can be
    paid for, PART_FILLED or CANCELLED when the book ran out first.
 7. A post-only order that would trade is rejected with 0x01001A.
 8. Resting orders freeze what they may cost, fills move it at the resting order's price, cancels free it. A fee is a
    share of a fill's value, in quote currency as in the document's samples ("lastCommissionCurrency": "USD"): a buy
    freezes the dearer rate's on top, a sell gets so much less.
 9. Whoever is named in no account (the house, a counterparty of `trade`) has everything.
10. An account may trade with itself.
11. An order is known by the id that its client gave, at its venue and account alone; anything else is 0x05003A.
12. RESTRICTED accounts may query only ("Account Status"); SUSPENDED ones may not even log on.
13. An order without an id gets one by the same rule (1).
"""

from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from typing import Any, Literal

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_ledger import Ledger
from bridges.apifiny.sim_orders import GTC, POST_ONLY, Execution, NewOrder, Order, Status, What
from bridges.apifiny.sim_rules import account_number, check_order_id, check_terms
from bridges.apifiny.sim_settings import Account, ApifinySettings, Instrument
from bridges.apifiny.sim_tape import Tape
from bridges.matching import ZERO, Book, Placed, Side, Tif

# Faults of the request that leave its id free (assumption 2).
_BEFORE_THE_RULES = frozenset(
    {
        errors.WRONG_ENDPOINT,
        errors.UNKNOWN_ACCOUNT,
        errors.PERMISSION_DENIED,
        errors.UNKNOWN_SYMBOL,
        errors.MAINTENANCE,
        errors.ACCOUNT_STATUS,
        errors.ORDER_ID_RULE,
        errors.ORDER_TIMESTAMP,
        errors.DUPLICATE_ORDER_ID,
        errors.TOO_OFTEN,
    }
)
# What outlives the venue's process: everything but its configuration, and the time of its start.
_KEPT = ("_orders", "_by_venue_id", "_refused", "_used_ids", "ledger", "books", "_minted", "_executed", "fills", "tapes")


class Exchange:
    """`start_ms` makes this run's ids differ from any other run's; `listener` hears of what happens to orders, as it happens."""

    def __init__(self, settings: ApifinySettings, start_ms: int) -> None:
        self._accounts = {account.account_id: account for account in settings.accounts}
        self._numbers = {account_id: account_number(account_id) for account_id in self._accounts}
        self._instruments = {(venue, each.symbol): each for each in settings.instruments for venue in each.venues}
        self._balances = settings.balances
        self._order_ids: Literal["own", "echo"] = settings.order_ids
        self._start_ms = start_ms
        self._minted = 0
        self._executed = 0
        self._fees = {True: settings.taker_fee, False: settings.maker_fee}
        self._dearer_fee = max(settings.taker_fee, settings.maker_fee)
        self.listener: Callable[[Execution], None] = lambda _execution: None
        self.reset()

    def reset(self) -> None:
        """Orders gone, books and balances as at the start. Ids that the venue mints go on."""
        self._orders: dict[tuple[str, str], Order] = {}
        self._by_venue_id: dict[str, Order] = {}
        self._refused: dict[tuple[str, str], Order] = {}
        self._used_ids: set[tuple[str, str]] = set()
        self.fills: list[Execution] = []
        self.tapes = {key: Tape() for key in self._instruments}
        self.ledger = Ledger()
        for balance in self._balances:
            for venue in balance.venues:
                for currency, amount in balance.amounts.items():
                    self.ledger.of(balance.account_id, venue, currency).available += amount
        self.books = {key: _seeded(instrument) for key, instrument in self._instruments.items()}

    def memory(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _KEPT}

    def recall(self, memory: dict[str, Any], now_ms: int) -> None:
        """Takes an earlier run's memory. Orders that a fault kept in PENDING_SUBMIT are confirmed: the fault is over."""
        for name in _KEPT:
            setattr(self, name, memory[name])
        for order in [each for each in self._by_venue_id.values() if each.status is Status.PENDING_SUBMIT]:
            self.confirm(order, now_ms)
        self.check()

    def mint_exec_id(self) -> str:
        """An ExecID that no run of this venue has given before."""
        self._executed += 1
        return f"{self._start_ms}-{self._executed}"

    def mint_order_id(self, account_id: str, now_ms: int) -> str:
        """An order id that the account has not used."""
        while True:
            self._minted += 1
            minted = f"{self._numbers[account_id]}{self._minted:06d}{now_ms:013d}{self._minted % 1000:03d}"
            if (account_id, minted) not in self._used_ids:
                return minted

    # Questions

    def account(self, account_id: str) -> Account | None:
        return self._accounts.get(account_id)

    def orders(self) -> Iterable[Order]:
        """Every order ever accepted, oldest first; what still waits in PENDING_SUBMIT included."""
        return self._by_venue_id.values()

    def refused(self) -> Iterable[Order]:
        """The last request with each id that was turned down, at once or late."""
        return self._refused.values()

    def instruments(self) -> Iterable[tuple[str, Instrument]]:
        """(venue, instrument), in the order of the settings."""
        return ((venue, each) for (venue, _), each in self._instruments.items())

    def fees(self) -> tuple[Decimal, Decimal]:
        """The taker's and the maker's share of a fill's value."""
        return self._fees[True], self._fees[False]

    def find(self, account_id: str, venue: str, order_id: str) -> Order | None:
        """The order of that id, or else the last refused request with it."""
        key = (account_id, order_id)
        order = self._orders.get(key) or self._refused.get(key)
        return order if order is not None and order.asked.venue == venue else None

    def find_any(self, some_id: str) -> Order | None:
        """For the simulator's control alone: by the venue's id or any client's."""
        order = self._by_venue_id.get(some_id)
        if order is not None:
            return order
        return next((each for each in self._orders.values() if each.asked.order_id == some_id), None)

    def instrument(self, venue: str, symbol: str) -> Instrument | None:
        return self._instruments.get((venue, symbol))

    def venues_of(self, symbol: str) -> list[str]:
        return [venue for venue, listed in self._instruments if listed == symbol]

    # Orders

    def place(self, new: NewOrder, caller: str, served: Collection[str], now_ms: int) -> Order:
        """Takes a request in: PENDING_SUBMIT with its money frozen, or REJECTED with the reason in `latest`.

        `caller` is the account that signed the request, `served` the venues behind the endpoint that it came to.
        """
        try:
            order = self._accept(new, caller, served, now_ms)
        except Refused as no:
            return self.refuse(new, no.code, now_ms, no.detail)
        self._orders[new.account_id, new.order_id] = self._by_venue_id[order.venue_id] = order
        self._used_ids.add((new.account_id, new.order_id))
        return order

    def refuse(self, new: NewOrder, code: str, now_ms: int, detail: str = "") -> Order:
        """Turns a request down without looking at it further."""
        order = Order(new, new.order_id, now_ms, now_ms, Status.REJECTED)
        order.latest = self._execution(order, What.REJECTED, now_ms, code=code, detail=detail)
        key = (new.account_id, new.order_id)
        if code not in _BEFORE_THE_RULES and not code.endswith("B"):
            self._used_ids.add(key)
        if code != errors.DUPLICATE_ORDER_ID:
            self._refused[key] = order
        return order

    def confirm(self, order: Order, now_ms: int) -> list[Execution]:
        """PENDING_SUBMIT -> SUBMITTED and into the book: New, fills of both parties, the end of what may not rest."""
        new = order.asked
        book = self.books[new.venue, new.symbol]
        if new.tif == POST_ONLY and new.price is not None and book.would_cross(new.side, new.price):
            return [self._reject_late(order, "a post-only order would trade", now_ms)]
        order.status = Status.SUBMITTED
        done = [self._happened(order, What.NEW, now_ms)]
        placed = self._match(book, order)
        for i, trade in enumerate(placed.trades):
            last = placed.complete and i == len(placed.trades) - 1
            done.append(self._fill(order, trade.price, trade.qty, last, now_ms, taker=True))
            maker = self._by_venue_id.get(trade.maker_id)
            if maker is not None:
                done.append(self._fill(maker, trade.price, trade.qty, trade.maker_id not in book, now_ms))
        self.tapes[new.venue, new.symbol].record(placed.trades, new.side, now_ms)
        if not placed.complete and not placed.rested:
            done.append(self._finish(order, now_ms))
        return done

    def cancel(self, account_id: str, venue: str, order_id: str, now_ms: int) -> Execution:
        """Errors: 0x05003A unknown, 0x05015A still PENDING_SUBMIT, 0x05007A final, 0x02005A account may not."""
        account = self._accounts.get(account_id)
        if account is not None and account.status != "OPENED":
            raise Refused(errors.ACCOUNT_STATUS, account.status)
        order = self._orders.get((account_id, order_id))
        if order is None or order.asked.venue != venue:
            refused = self._refused.get((account_id, order_id))
            if refused is not None and refused.asked.venue == venue:
                raise Refused(errors.FINAL_STATUS, refused.status.value)
            raise Refused(errors.UNKNOWN_ORDER)
        return self.cancel_order(order, now_ms)

    def cancel_order(self, order: Order, now_ms: int) -> Execution:
        """Cancels whoever asks, the venue itself included. Errors: 0x05015A, 0x05007A."""
        if order.status is Status.PENDING_SUBMIT:
            raise Refused(errors.PENDING_SUBMIT)
        if order.status is not Status.SUBMITTED:
            raise Refused(errors.FINAL_STATUS, order.status.value)
        self.books[order.asked.venue, order.asked.symbol].cancel(order.venue_id)
        return self._finish(order, now_ms)

    def trade(self, venue: str, symbol: str, side: Side, qty: Decimal, price: Decimal, now_ms: int) -> tuple[Placed, list[Execution]]:
        """A counterparty's IOC limit order against a book; KeyError where the venue does not list the symbol."""
        book = self.books[venue, symbol]
        placed = book.add_limit("counterparty", side, price, qty, Tif.IOC)
        self.tapes[venue, symbol].record(placed.trades, side, now_ms)
        done = []
        for trade in placed.trades:
            maker = self._by_venue_id.get(trade.maker_id)
            if maker is not None:
                done.append(self._fill(maker, trade.price, trade.qty, trade.maker_id not in book, now_ms))
        return placed, done

    def check(self) -> None:
        """Asserts what must always hold: sound books, no debts, and exactly the open orders' money frozen."""
        for book in self.books.values():
            book.check()
        frozen: dict[tuple[str, str, str], Decimal] = {}
        for order in self._by_venue_id.values():
            new = order.asked
            resting = self.books[new.venue, new.symbol].get(order.venue_id)
            assert (resting is not None) == (order.status is Status.SUBMITTED), f"{order} and its book disagree"
            if resting is not None and new.qty is not None:
                assert resting.qty == new.qty - order.filled
            assert order.is_open or not order.frozen
            key = (new.account_id, new.venue, self._paying(order))
            frozen[key] = frozen.get(key, ZERO) + order.frozen
        for key, funds in self.ledger.items():
            assert funds.available >= 0, f"{key} is in debt"
            assert funds.frozen == frozen.pop(key, ZERO), f"{key} has the wrong amount frozen"
        assert not any(frozen.values())

    # Parts

    def _accept(self, new: NewOrder, caller: str, served: Collection[str], now_ms: int) -> Order:
        if new.venue not in served:
            raise Refused(errors.WRONG_ENDPOINT, new.venue)
        account = self._accounts.get(new.account_id)
        if account is None:
            raise Refused(errors.UNKNOWN_ACCOUNT)
        if new.account_id != caller:
            raise Refused(errors.PERMISSION_DENIED, "not the account that is logged on")
        if account.status != "OPENED":
            raise Refused(errors.ACCOUNT_STATUS, account.status)
        instrument = self._instruments.get((new.venue, new.symbol))
        if instrument is None:
            raise Refused(errors.UNKNOWN_SYMBOL, new.symbol)
        if instrument.status != "enabled":
            raise Refused(errors.MAINTENANCE, new.symbol)
        check_order_id(new.order_id, self._numbers[new.account_id], now_ms)
        if (new.account_id, new.order_id) in self._used_ids:
            raise Refused(errors.DUPLICATE_ORDER_ID, new.order_id)
        check_terms(new, instrument, self.books[new.venue, new.symbol].best(new.side.opposite))
        order = Order(new, self._mint(new), now_ms, now_ms)
        cost = _cost(new) * (1 + self._dearer_fee) if new.side is Side.BUY else _cost(new)
        if not self.ledger.freeze(self.ledger.of(new.account_id, new.venue, self._paying(order)), cost):
            raise Refused(errors.NOT_ENOUGH, self._paying(order))
        order.frozen = cost
        return order

    def _mint(self, new: NewOrder) -> str:
        if self._order_ids == "echo":
            # The client's ids are unique within the account only; the book needs more where accounts' numbers nest.
            return new.order_id if new.order_id not in self._by_venue_id else f"{new.account_id}:{new.order_id}"
        self._minted += 1
        return f"{self._start_ms}{self._minted:09d}"

    def _match(self, book: Book, order: Order) -> Placed:
        new = order.asked
        if new.total is not None:
            step = self._instruments[new.venue, new.symbol].step_size
            return book.add_market_cash(order.venue_id, new.side, new.total, step)
        assert new.qty is not None, "check_terms saw to it"
        if new.price is None:
            return book.add_market(order.venue_id, new.side, new.qty)
        tif = Tif.GTC if new.tif in (GTC, POST_ONLY) else Tif.IOC
        return book.add_limit(order.venue_id, new.side, new.price, new.qty, tif)

    def _paying(self, order: Order) -> str:
        """The currency that the order pays with."""
        instrument = self._instruments[order.asked.venue, order.asked.symbol]
        return instrument.quote if order.asked.side is Side.BUY else instrument.base

    def _fill(self, order: Order, price: Decimal, qty: Decimal, last: bool, now_ms: int, taker: bool = False) -> Execution:
        new = order.asked
        instrument = self._instruments[new.venue, new.symbol]
        value = price * qty
        fee = value * self._fees[taker]
        base = self.ledger.of(new.account_id, new.venue, instrument.base)
        quote = self.ledger.of(new.account_id, new.venue, instrument.quote)
        if new.side is Side.BUY:
            reserved = (value if new.price is None else new.price * qty) * (1 + self._dearer_fee)
            self.ledger.spend(quote, reserved, value + fee)
            base.available += qty
        else:
            reserved = qty
            self.ledger.spend(base, reserved, qty)
            quote.available += value - fee
        order.frozen -= reserved
        order.filled += qty
        order.filled_value += value
        order.filled_ms = now_ms
        if last:
            order.status = Status.FILLED
            self._release(order)
        told = Execution(order, What.FILL if last else What.PARTIAL_FILL, self.mint_exec_id(), now_ms, qty, price, fee=fee, taker=taker)
        order.last_fill = told
        self.fills.append(told)
        return self._told(told)

    def _finish(self, order: Order, now_ms: int) -> Execution:
        """The rest is gone."""
        order.status = Status.PART_FILLED if order.filled else Status.CANCELLED
        order.cancelled_ms = now_ms
        self._release(order)
        return self._happened(order, What.CANCELED, now_ms)

    def _reject_late(self, order: Order, detail: str, now_ms: int) -> Execution:
        key = (order.asked.account_id, order.asked.order_id)
        self._release(order)
        order.status = Status.REJECTED
        del self._orders[key], self._by_venue_id[order.venue_id]
        order.venue_id = order.asked.order_id  # no New report ever told the other
        self._refused[key] = order
        return self._told(self._execution(order, What.REJECTED, now_ms, code=errors.REQUEST_ERROR, detail=detail))

    def _release(self, order: Order) -> None:
        new = order.asked
        if order.frozen:
            self.ledger.free(self.ledger.of(new.account_id, new.venue, self._paying(order)), order.frozen)
            order.frozen = ZERO

    def _happened(self, order: Order, what: What, now_ms: int) -> Execution:
        return self._told(self._execution(order, what, now_ms))

    def _told(self, execution: Execution) -> Execution:
        order = execution.order
        order.updated_ms = execution.at_ms
        order.latest = execution
        self.listener(execution)
        return execution

    def _execution(self, order: Order, what: What, now_ms: int, code: str = "", detail: str = "") -> Execution:
        return Execution(order, what, self.mint_exec_id(), now_ms, None, None, code, detail)


def _cost(new: NewOrder) -> Decimal:
    """What the order freezes: the most it can cost, in the currency it pays with."""
    if new.total is not None:
        return new.total
    assert new.qty is not None, "check_terms saw to it"
    return new.qty if new.side is Side.SELL or new.price is None else new.price * new.qty


def _seeded(instrument: Instrument) -> Book:
    book, seed = Book(), instrument.seed
    if seed is not None:
        for i in range(seed.levels):
            book.add_limit(f"house-bid-{i}", Side.BUY, seed.bid - seed.step * i, seed.qty)
            book.add_limit(f"house-ask-{i}", Side.SELL, seed.ask + seed.step * i, seed.qty)
    return book
