"""Each pre-trade limit's question: does an order keep to it, and if not, in which words is that said. Pure. The rules are in `risk.py`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

from router.figures import DAY, Profit
from router.holdings import found
from router.model import NewOrder, Refusal
from router.order import Order
from router.references import reference
from router.rulebook import Applied, Slot
from router.rules import Limit
from router.shares import looks, market_price, outstanding, worth
from router.state import State
from router.words import EXACT, ZERO, OrdRejReason, OrdType, Side

__all__ = ["Asked", "Check", "checks", "result"]

_HUNDRED: Final = Decimal(100)
_CENT: Final = Decimal("0.01")
_MS: Final = 1_000_000


class Asked:
    """What is to be judged: an order, or what a replace would make of it."""

    __slots__ = ("buy", "is_new", "now", "order", "own", "price", "quantity", "slot", "state", "terms", "value")

    def __init__(self, state: State, order: Order, terms: NewOrder, slot: Slot, now: int, is_new: bool) -> None:
        self.state = state
        self.order = order
        self.terms = terms
        """As they are to be."""
        self.slot = slot
        self.now = now
        self.is_new = is_new
        self.buy = terms.side is Side.BUY
        self.price = None if terms.price is not None else self._price()
        self.quantity, self.value = outstanding(slot, terms, order.cum_qty, order.notional, self.price)
        """What it adds, in units of positions and in quote currency; None: not known."""
        self.own: tuple[str, ...] = ()
        """Our own orders that it is not to meet."""
        if not is_new:
            self._less_what_is()

    def _price(self) -> Decimal | None:
        share = self.state.figures.shares.get(self.order.order_id)
        return market_price(self.state, self.slot, self.now) if share is None else share.price

    def _less_what_is(self) -> None:
        share = self.state.figures.shares.get(self.order.order_id)
        if share is not None:
            self.quantity = None if self.quantity is None else max(EXACT.subtract(self.quantity, share.quantity), ZERO)
            self.value = None if self.value is None else max(EXACT.subtract(self.value, share.value), ZERO)


Check = Callable[[Asked, Applied], Refusal | None]


def checks(limit: Limit, symbol: str) -> tuple[Check, ...]:
    """What a limit asks of orders for a symbol. Where the symbol is allowed, it is not looked at again."""
    allowed = any(fnmatchcase(symbol, each) for each in limit.only_symbols)
    return tuple(check for asks, check in _CHECKS if asks(limit) and not (allowed and check is _symbol))


# --- what an order may be -----------------------------------------------------------------------------------------------


def _side(asked: Asked, applied: Applied) -> Refusal | None:
    return _only(applied.limit, "Side(54)", asked.terms.side, asked.terms.side in applied.limit.only_sides, applied.limit.only_sides)


def _ord_type(asked: Asked, applied: Applied) -> Refusal | None:
    value, allowed = asked.terms.ord_type or "", applied.limit.only_ord_types
    return _only(applied.limit, "OrdType(40)", value, value in allowed, allowed)


def _symbol(asked: Asked, applied: Applied) -> Refusal | None:
    symbol, allowed = asked.slot.symbol, applied.limit.only_symbols
    return _only(applied.limit, "Symbol(55)", symbol, any(fnmatchcase(symbol, each) for each in allowed), allowed)


def _only(limit: Limit, what: str, value: str, holds: bool, allowed: tuple[str, ...]) -> Refusal | None:
    return None if holds else Refusal(OrdRejReason.OTHER, f"limit {limit.name}: {what} is only {', '.join(allowed)}, not {value or 'none'}")


def _hours(asked: Asked, applied: Applied) -> Refusal | None:
    limit, time = applied.limit, asked.now % DAY
    start, end = limit.from_time, limit.to_time
    if start <= time < end if start < end else time >= start or time < end:
        return None
    text = f"limit {limit.name}: orders from {_clock(start)} to {_clock(end)} UTC, not at {_clock(time)}"
    return Refusal(OrdRejReason.OTHER, text)


def _order_qty(asked: Asked, applied: Applied) -> Refusal | None:
    quantity, most = asked.terms.order_qty, applied.limit.max_order_qty
    assert most is not None
    if quantity is None:
        quantity = asked.quantity  # by cash amount: what it would buy
        if quantity is None:
            return _unknown(asked, applied.limit, "order quantity", most)
    was = None if asked.is_new else asked.order.request.order_qty
    return _no(applied.limit, "order quantity", most, "", quantity) if quantity > most and (was is None or quantity > was) else None


def _order_notional(asked: Asked, applied: Applied) -> Refusal | None:
    limit, terms = applied.limit, asked.terms
    most = limit.max_order_notional
    assert most is not None
    value = _whole(asked, terms, limit)
    if value is None:
        return _unknown(asked, limit, "order notional", most)
    if value <= most:
        return None
    was = None if asked.is_new else _whole(asked, asked.order.request, limit)
    return None if was is not None and value <= was else _no(limit, "order notional", most, asked.slot.quote, value)


def _whole(asked: Asked, terms: NewOrder, limit: Limit) -> Decimal | None:
    """The value of an order, executed parts included."""
    if terms.order_qty is None:
        return terms.cash_order_qty
    price = terms.price or terms.stop_px or _reference(asked, limit) or asked.price
    return worth(asked.slot, EXACT.multiply(terms.order_qty, asked.slot.size), price)


def _band(asked: Asked, applied: Applied) -> Refusal | None:
    limit, price = applied.limit, asked.terms.price
    if price is None:
        return None
    at = _reference(asked, limit)
    assert limit.price_band is not None
    if at is None:
        return _unknown(asked, limit, "price band", limit.price_band, "%")
    away = EXACT.multiply(EXACT.subtract(price, at), _HUNDRED)
    worse, most = away if asked.buy else away.copy_negate(), EXACT.multiply(limit.price_band, at)
    if worse <= most and not (limit.both_sides and worse.copy_negate() > most):
        return None
    away = EXACT.divide(away, at)
    said = f"{_amount(away.copy_abs().quantize(_CENT, context=EXACT))} % {'above' if away > 0 else 'below'} the reference {_amount(at)}"
    text = f"limit {limit.name}: price band {_amount(limit.price_band)} %: Price(44) {_amount(price)} would be {said}"
    return Refusal(OrdRejReason.EXCEEDS_LIMIT, text)


def _reference(asked: Asked, limit: Limit) -> Decimal | None:
    if limit.reference == "configured":
        return limit.reference_price
    return reference(asked.state.references, asked.slot.links, asked.slot.place[1], limit.reference, asked.now - asked.state.rulebook.stale)


# --- what all orders may be together ------------------------------------------------------------------------------------


def _open_orders(asked: Asked, applied: Applied) -> Refusal | None:
    count, most = applied.feed.count, applied.limit.max_open_orders
    assert count is not None
    assert most is not None
    if not asked.is_new or count.orders < most:
        return None
    return _no(applied.limit, "open orders", Decimal(most), "", Decimal(count.orders + 1))


def _open_notional(asked: Asked, applied: Applied) -> Refusal | None:
    money, most = applied.feed.money, applied.limit.max_open_notional
    assert money is not None
    assert most is not None
    if asked.value is None:
        return _unknown(asked, applied.limit, "open notional", most)
    after = EXACT.add(EXACT.add(money.buys, money.sells), asked.value)
    return _no(applied.limit, "open notional", most, asked.slot.quote, after) if after > most and asked.value else None


def _net_notional(asked: Asked, applied: Applied) -> Refusal | None:
    money, most = applied.feed.money, applied.limit.max_net_notional
    assert money is not None
    assert most is not None
    if asked.value is None:
        return _unknown(asked, applied.limit, "net open notional", most)
    before = EXACT.subtract(money.buys, money.sells)
    after = (EXACT.add if asked.buy else EXACT.subtract)(before, asked.value)
    if after.copy_abs() <= max(most, before.copy_abs()):
        return None
    return _no(applied.limit, "net open notional", most, asked.slot.quote, after)


def _position(asked: Asked, applied: Applied) -> Refusal | None:
    holding, most = applied.feed.holding, applied.limit.max_position
    assert holding is not None
    assert most is not None
    if asked.quantity is None:
        return _unknown(asked, applied.limit, "position", most)
    if asked.buy:
        after = EXACT.add(EXACT.add(holding.position, holding.buys), asked.quantity)
    else:
        after = EXACT.add(EXACT.subtract(holding.sells, holding.position), asked.quantity)
    if after <= most or not asked.quantity:
        return None
    return _no(applied.limit, "position, open orders included,", most, asked.slot.unit, after if asked.buy else after.copy_negate())


def _reducing(asked: Asked, applied: Applied) -> Refusal | None:
    holding = applied.feed.holding
    assert holding is not None
    open_already = holding.buys if asked.buy else holding.sells
    toward = holding.position.copy_negate() if asked.buy else holding.position
    room = max(EXACT.subtract(toward, open_already), ZERO)
    if asked.quantity is not None and asked.quantity <= room:
        return None
    position = f"{_amount(holding.position)} {asked.slot.unit}"
    added = "not known" if asked.quantity is None else _amount(asked.quantity)
    text = f"orders may only reduce the position, {position}; {_amount(room)} more may do so, this is {added}"
    return Refusal(OrdRejReason.OTHER, f"limit {applied.limit.name}: {text}")


def _daily_notional(asked: Asked, applied: Applied) -> Refusal | None:
    money, limit = applied.feed.money, applied.limit
    most = limit.max_daily_notional
    assert money is not None
    assert most is not None
    if asked.value is None:
        return _unknown(asked, limit, "daily notional", most)
    traded = money.today((asked.now - limit.day_begins) // DAY)
    after = EXACT.add(EXACT.add(EXACT.add(traded, money.buys), money.sells), asked.value)
    return _no(limit, "daily notional, open orders included,", most, asked.slot.quote, after) if after > most and asked.value else None


def _daily_loss(asked: Asked, applied: Applied) -> Refusal | None:
    profit, limit = applied.feed.profit, applied.limit
    most = limit.max_daily_loss
    assert profit is not None
    assert most is not None
    made = result(asked.state, profit, limit, asked.now)
    if made is None:
        return _unknown(asked, limit, "daily loss", most)
    lost = EXACT.minus(made)
    if lost < most:
        return None
    text = f"limit {limit.name}: daily loss {_amount(most)} {asked.slot.quote} is reached, it is {_amount(lost)}"
    return Refusal(OrdRejReason.EXCEEDS_LIMIT, text)


def result(state: State, profit: Profit, limit: Limit, now: int) -> Decimal | None:
    """What a day's executions have made so far, in quote currency; None where what is left of them cannot be valued."""
    total = ZERO
    if profit.day != (now - limit.day_begins) // DAY:
        return total
    for (destination, symbol), (held, cash) in profit.by.items():
        total = EXACT.add(total, cash)
        if held:
            price = _mark(state, limit, destination, symbol, now)
            if price is None:
                return None
            total = EXACT.add(total, EXACT.multiply(held, price))
    return total


def _mark(state: State, limit: Limit, destination: str, symbol: str, now: int) -> Decimal | None:
    if limit.reference == "configured":
        return limit.reference_price
    found = state.policy.find(destination, symbol)
    links = () if found is None else (found[0].witness, found[0].link)
    return reference(state.references, links, symbol, limit.reference, now - state.rulebook.stale)


def _balance(asked: Asked, applied: Applied) -> Refusal | None:
    slot, limit = asked.slot, applied.limit
    if not slot.funds:
        return None  # on margin
    currency, need = (slot.quote, asked.value) if asked.buy else (slot.unit, asked.quantity)
    if need == ZERO:
        return None
    fund = found(slot.funds, currency)
    here = f"{currency} at {slot.place[0]}"
    if need is None or fund is None or fund.at < asked.now - asked.state.rulebook.stale:
        why = "no reference price is known" if need is None else f"what there is of {here} was not told lately"
        text = f"limit {limit.name}: the balance cannot be judged: {why}"
        return None if limit.without_reference == "pass" else Refusal(OrdRejReason.EXCEEDS_LIMIT, text)
    if need <= fund.left:
        return None
    text = f"limit {limit.name}: the available balance is {_amount(fund.left)} {here}, the order needs {_amount(need)}"
    return Refusal(OrdRejReason.EXCEEDS_LIMIT, text)


# --- how orders follow each other ---------------------------------------------------------------------------------------


def _pace(asked: Asked, applied: Applied) -> Refusal | None:
    pace, limit = applied.pace, applied.limit
    assert pace is not None
    assert limit.max_orders is not None
    while pace and pace[0] <= asked.now - limit.window:
        pace.popleft()
    if len(pace) < limit.max_orders:
        return None
    within = _amount(EXACT.divide(Decimal(limit.window), Decimal(1_000_000_000)))
    return _no(limit, f"orders and replaces within {within} s:", Decimal(limit.max_orders), "", Decimal(len(pace) + 1))


def _cancel_ratio(asked: Asked, applied: Applied) -> Refusal | None:
    habit, limit = applied.habit, applied.limit
    assert habit is not None
    assert limit.max_cancel_ratio is not None
    count = len(habit.orders)
    if not asked.is_new or count < limit.cancel_ratio_after or habit.cancels <= EXACT.multiply(limit.max_cancel_ratio, Decimal(count)):
        return None
    most = f"{_amount(limit.max_cancel_ratio)} cancels an order"
    return Refusal(OrdRejReason.EXCEEDS_LIMIT, f"limit {limit.name}: {most}; there were {habit.cancels} for the last {count} orders")


def _duplicate(asked: Asked, applied: Applied) -> Refusal | None:
    before = asked.state.figures.recent.get(looks(asked.order)) if asked.is_new else None
    if before is None or asked.now - before >= applied.limit.duplicate_within:
        return None
    again = applied.limit.duplicate_within // _MS
    text = f"the same order came {(asked.now - before) // _MS} ms before; it is taken again after {again} ms"
    return Refusal(OrdRejReason.OTHER, f"limit {applied.limit.name}: {text}")


def _self_trade(asked: Asked, applied: Applied) -> Refusal | None:
    resting, terms = asked.state.rulebook.resting, asked.terms
    if resting is None or terms.ord_type not in (OrdType.LIMIT, OrdType.MARKET):
        return None
    own = [each for each in resting.crossed(asked.order, terms.price) if each != asked.order.order_id]
    if not own:
        return None
    if applied.limit.self_trade == "cancel-resting" and asked.is_new:
        asked.own = tuple(own)
        return None
    other = asked.state.blotter.orders[own[0]]
    text = f"it would trade with our own order {own[0]}, {other.request.side} at {_amount(other.request.price or ZERO)}"
    return Refusal(OrdRejReason.OTHER, f"limit {applied.limit.name}: {text}")


# --- words --------------------------------------------------------------------------------------------------------------


def _no(limit: Limit, what: str, most: Decimal, unit: str, would: Decimal) -> Refusal:
    value = f"{_amount(most)} {unit}".rstrip()
    return Refusal(OrdRejReason.EXCEEDS_LIMIT, f"limit {limit.name}: {what} {value} would be {_amount(would)}")


def _unknown(asked: Asked, limit: Limit, what: str, most: Decimal, unit: str = "") -> Refusal | None:
    if limit.without_reference == "pass":
        return None
    where = f"{asked.slot.symbol} at {asked.slot.place[0]}"
    text = f"limit {limit.name}: {what} {_amount(most)} {unit or asked.slot.quote} cannot be judged: no reference price of {where} is known"
    return Refusal(OrdRejReason.EXCEEDS_LIMIT, text)


def _amount(value: Decimal) -> str:
    return f"{EXACT.add(value, ZERO).normalize(EXACT):,f}"


def _clock(time: int) -> str:
    minutes = time // 60_000_000_000
    return f"{minutes // 60:02}:{minutes % 60:02}"


_CHECKS: Final[tuple[tuple[Callable[[Limit], bool], Check], ...]] = (
    (lambda limit: bool(limit.only_sides), _side),
    (lambda limit: bool(limit.only_ord_types), _ord_type),
    (lambda limit: bool(limit.only_symbols), _symbol),
    (lambda limit: limit.from_time != limit.to_time, _hours),
    (lambda limit: limit.max_order_qty is not None, _order_qty),
    (lambda limit: limit.max_order_notional is not None, _order_notional),
    (lambda limit: limit.price_band is not None, _band),
    (lambda limit: limit.max_open_orders is not None, _open_orders),
    (lambda limit: limit.max_open_notional is not None, _open_notional),
    (lambda limit: limit.max_net_notional is not None, _net_notional),
    (lambda limit: limit.max_position is not None, _position),
    (lambda limit: limit.reducing_only, _reducing),
    (lambda limit: limit.check_balance, _balance),
    (lambda limit: limit.max_daily_notional is not None, _daily_notional),
    (lambda limit: limit.max_daily_loss is not None, _daily_loss),
    (lambda limit: limit.max_orders is not None, _pace),
    (lambda limit: limit.max_cancel_ratio is not None, _cancel_ratio),
    (lambda limit: bool(limit.duplicate_within), _duplicate),
    (lambda limit: bool(limit.self_trade), _self_trade),
)
"""By which limits ask for it. What is known at once comes before what takes figures."""
