"""What each order counts for, booked into the figures of limits as it changes (`figures.py` says the rules). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from router.figures import DAY, Figures, Holding, Money, Share
from router.holdings import spend
from router.model import NewOrder
from router.order import DONE, Order
from router.references import reference
from router.resting import target
from router.rulebook import Known, Rulebook, Slot, signature
from router.rules import Configured, Limit
from router.words import EXACT, ZERO, Side

__all__ = ["carry", "looks", "market_price", "outstanding", "rebuild", "renew", "revive", "worth"]

_KEPT_DAYS: Final = 2
_STEP: Final = Decimal("1e-18")
"""Base amounts of inverse contracts end here: sums of them must not depend on their order."""


def worth(slot: Slot, quantity: Decimal, price: Decimal | None) -> Decimal | None:
    """The value of a quantity in the unit of positions; None where it takes a price that is not known."""
    if slot.inverse:
        return quantity
    return None if price is None else EXACT.multiply(quantity, price)


def outstanding(
    slot: Slot, terms: NewOrder, cum_qty: Decimal, notional: Decimal, price: Decimal | None
) -> tuple[Decimal | None, Decimal | None]:
    """What may still be executed of an order with these terms, and its value; None where that is not known. `price`: for terms that have
    none (rule 4)."""
    price = terms.price or terms.stop_px or price
    if terms.order_qty is None:
        value = max(EXACT.subtract(terms.cash_order_qty or ZERO, notional), ZERO)
        quantity = value if slot.inverse else None if price is None else EXACT.divide(value, price).quantize(_STEP, context=EXACT)
        return quantity, value
    left = EXACT.subtract(terms.order_qty, cum_qty) if cum_qty else terms.order_qty
    if left <= 0:
        return ZERO, ZERO
    quantity = left if slot.plain else EXACT.multiply(left, slot.size)
    return quantity, worth(slot, quantity, price)


def market_price(known: Known, slot: Slot, now: int) -> Decimal | None:
    """What an order without a price is valued at (rule 4)."""
    for kind in ("mid", "last"):
        found = reference(known.references, slot.links, slot.place[1], kind, now - known.rulebook.stale)
        if found is not None:
            return found
    return max((each.limit.reference_price for each in slot.applied if each.limit.reference_price is not None), default=None)


def _counts(slot: Slot, order: Order, price: Decimal | None) -> tuple[Decimal, Decimal]:
    """Quantity and value of what may still be executed (rule 2)."""
    request = order.request
    quantity, value = outstanding(slot, request, order.cum_qty, order.notional, price)
    quantity, value = quantity or ZERO, value or ZERO
    to_be = target(order)
    if to_be is None or to_be.order_qty is None:
        return quantity, value
    left = max(EXACT.subtract(to_be.order_qty, order.cum_qty), ZERO)
    other = EXACT.multiply(left, slot.size)
    other_value = worth(slot, other, to_be.price or request.price or to_be.stop_px or request.stop_px or price)
    return max(quantity, other), max(value, other_value or ZERO)


def renew(known: Known, order: Order, now: int) -> None:
    """Have the figures say what an order counts for now."""
    rulebook = known.rulebook
    if not rulebook.limits or not order.destination:
        return
    done = order.base in DONE
    if not _news(rulebook, order, done):
        return
    if rulebook.resting is not None:
        rulebook.resting.renew(order)
    share = known.figures.shares.get(order.order_id)
    if share is None and done and not order.cum_qty:
        return
    slot = rulebook.slot(known, order)
    if not slot.feeds and not slot.funds:
        return
    buy = order.request.side is Side.BUY
    weighed, rulebook.weighed = rulebook.weighed, None
    if share is None:
        share = known.figures.shares[order.order_id] = _first_share(known, slot, order, now)
    if weighed is not None and weighed[0] is order:
        _renew_open(slot, share, buy, True, weighed[1], weighed[2])
    else:
        _renew_open(slot, share, buy, not done, *((ZERO, ZERO) if done else _counts(slot, order, share.price)))
    if order.cum_qty != share.cum_qty or order.notional != share.notional:
        _renew_executed(slot, share, buy, order.cum_qty, order.notional, now)
    if done and not order.cum_qty and not share.flow:
        del known.figures.shares[order.order_id]


def _news(rulebook: Rulebook, order: Order, done: bool) -> bool:
    """Whether anything that counts has changed of an order; most words about it change nothing."""
    seen = rulebook.seen.get(order.order_id)
    if seen is not None:
        request, pending, was_done, cum_qty, notional = seen
        if (
            order.cum_qty is cum_qty and order.request is request and order.pending is pending and done is was_done
            and order.notional is notional
        ):  # fmt: skip
            return False
    if done:
        rulebook.seen.pop(order.order_id, None)
    else:
        rulebook.seen[order.order_id] = (order.request, order.pending, done, order.cum_qty, order.notional)
    return True


def _first_share(known: Known, slot: Slot, order: Order, now: int) -> Share:
    priced = order.request.price is not None or order.request.stop_px is not None
    return Share(price=None if priced else market_price(known, slot, now))


def _renew_open(slot: Slot, share: Share, buy: bool, is_open: bool, quantity: Decimal, value: Decimal) -> None:
    if is_open is not share.open:
        for feed in slot.feeds:
            if feed.count is not None:
                feed.count.orders += 1 if is_open else -1
        share.open = is_open
    if quantity == share.quantity and value == share.value:
        return
    more, more_value = EXACT.subtract(quantity, share.quantity), EXACT.subtract(value, share.value)
    share.quantity, share.value = quantity, value
    for feed in slot.feeds:
        if feed.money is not None:
            _add(feed.money, buy, more_value)
        if feed.holding is not None:
            _add(feed.holding, buy, more)
    if slot.funds:
        spend(slot.funds, *((slot.quote, more_value) if buy else (slot.unit, more)))


def _add(sides: Money | Holding, buy: bool, more: Decimal) -> None:
    if buy:
        sides.buys = EXACT.add(sides.buys, more)
    else:
        sides.sells = EXACT.add(sides.sells, more)


def _renew_executed(slot: Slot, share: Share, buy: bool, cum_qty: Decimal, notional: Decimal, now: int) -> None:
    quantity, value = EXACT.subtract(cum_qty, share.cum_qty), EXACT.subtract(notional, share.notional)
    share.cum_qty, share.notional = cum_qty, notional
    share.flow.append((now, quantity, value))
    _hold(slot, buy, quantity)
    _trade(slot, buy, quantity, value, now, now)
    if slot.funds:
        spend(slot.funds, slot.quote, value if buy else value.copy_negate())
        spend(slot.funds, slot.unit, quantity.copy_negate() if buy else quantity)


def _hold(slot: Slot, buy: bool, quantity: Decimal) -> None:
    for feed in slot.feeds:
        if feed.holding is not None:
            sized = EXACT.multiply(quantity, slot.size)
            feed.holding.position = (EXACT.add if buy else EXACT.subtract)(feed.holding.position, sized)


def _trade(slot: Slot, buy: bool, quantity: Decimal, value: Decimal, at: int, now: int) -> None:
    """Book a quantity and its value that were executed at a time, where that is today."""
    base = worth_of = None
    for feed in slot.feeds:
        money, profit = feed.money, feed.profit
        if (money is None and profit is None) or (at - feed.day_begins) // DAY != (now - feed.day_begins) // DAY:
            continue
        if base is None or worth_of is None:
            base, worth_of = _parts(slot, quantity, value)
        day = (now - feed.day_begins) // DAY
        if money is not None:
            money.day, money.traded = day, EXACT.add(money.today(day), worth_of)
        if profit is not None:
            if profit.day != day:
                profit.day, profit.by = day, {}
            held, cash = profit.by.get(slot.place, (ZERO, ZERO))
            one, other = (EXACT.add, EXACT.subtract) if buy else (EXACT.subtract, EXACT.add)
            profit.by[slot.place] = one(held, base), other(cash, worth_of)


def _parts(slot: Slot, quantity: Decimal, value: Decimal) -> tuple[Decimal, Decimal]:
    """Base units and quote currency of an execution."""
    if slot.plain:
        return quantity, value
    sized = EXACT.multiply(quantity, slot.size)
    if not slot.inverse:
        return sized, EXACT.multiply(value, slot.size)
    return (EXACT.divide(EXACT.multiply(sized, quantity), value).quantize(_STEP, context=EXACT) if value else ZERO), sized


# --- from the book ------------------------------------------------------------------------------------------------------


def rebuild(known: Known, configured: Configured, now: int) -> None:
    """Make all figures anew, under the limits of a configuration: from the book, and from when its executions were booked where that is
    known, else from when the order last changed. Slow: for a configuration that is taken into use."""
    before, figures = known.rulebook.limits, known.figures
    known.rulebook = Rulebook(configured)
    since = [(fund, fund.since) for each in known.held.values() for fund in each.balances.values()]
    shares, figures.shares = figures.shares, {}
    figures.counts, figures.money, figures.holdings, figures.profits = {}, {}, {}, {}
    _keep_paces(figures, before, configured.limits)
    if not configured.limits:
        return
    for (session, account, symbol, destination, venue_symbol), quantity in figures.carried.items():
        _hold(known.rulebook.made(known, session, account, symbol, destination, venue_symbol), True, quantity)
    for order in known.blotter.orders.values():
        if order.destination and (order.cum_qty or order.order_id in shares or order.base not in DONE):
            _restore(known, order, shares.get(order.order_id), now)
    _restore_paces(known, now)
    for fund, was in since:  # the orders were counted before
        fund.since = was


def _restore(known: Known, order: Order, was: Share | None, now: int) -> None:
    slot, buy = known.rulebook.slot(known, order), order.request.side is Side.BUY
    if not slot.feeds and not slot.funds:
        renew(known, order, now)
        return
    share = _first_share(known, slot, order, now) if was is None else Share(price=was.price)
    if was is None:
        share.flow = [(order.updated, order.cum_qty, order.notional)] if order.cum_qty else []
    else:
        share.flow = [each for each in was.flow if each[0] > now - _KEPT_DAYS * DAY]
    share.cum_qty, share.notional = order.cum_qty, order.notional
    known.figures.shares[order.order_id] = share
    if order.cum_qty:
        _hold(slot, buy, order.cum_qty)
    for at, quantity, value in share.flow:
        _trade(slot, buy, quantity, value, at, now)
    renew(known, order, now)


def _keep_paces(figures: Figures, before: Iterable[Limit], after: Iterable[Limit]) -> None:
    """Rates and habits go on under a limit that selects as before; what they were under another is not in the book."""
    old = {each.name: signature(each) for each in before}
    kept = {each.name for each in after if old.get(each.name) == signature(each)}
    figures.paces = {key: value for key, value in figures.paces.items() if key[0] in kept}
    figures.habits = {key: value for key, value in figures.habits.items() if key[0] in kept}


def _restore_paces(known: Known, now: int) -> None:
    """Rates of limits that are new, and what the newest orders looked like."""
    limits = known.rulebook.limits
    has = {key[0] for key in known.figures.paces}
    since = now - max((max(each.window if each.max_orders is not None else 0, each.duplicate_within) for each in limits), default=0)
    newest = []
    for order in reversed(known.blotter.orders.values()):
        if order.created <= since:
            break
        if order.destination and (order.placed or order.base not in DONE):
            newest.append(order)
    for order in reversed(newest):
        known.figures.recent[looks(order)] = order.created
        for each in known.rulebook.slot(known, order).applied:
            if each.pace is not None and each.limit.name not in has:
                each.pace.append(order.created)


def looks(order: Order) -> tuple[str, str, Side, Decimal | None, Decimal | None]:
    """What makes an order the same as another for the duplicate guard."""
    request = order.request
    return request.session, order.symbol, request.side, request.price, request.order_qty or request.cash_order_qty


def revive(known: Known, configured: Configured) -> None:
    """After a snapshot was loaded: arrange the limits, and find out which orders rest."""
    known.rulebook = Rulebook(configured)
    if known.rulebook.resting is not None:
        for order in known.blotter.live.values():
            if order.destination:
                known.rulebook.resting.renew(order)


def carry(known: Known, forgotten: Iterable[Order]) -> None:
    """Orders are dropped from the book: their positions stay."""
    for order in forgotten:
        known.figures.shares.pop(order.order_id, None)
        if order.cum_qty:
            request = order.request
            key = (request.session, request.account or "", order.symbol, order.destination, order.venue_symbol)
            signed = order.cum_qty if request.side is Side.BUY else order.cum_qty.copy_negate()
            known.figures.carried[key] = EXACT.add(known.figures.carried.get(key, ZERO), signed)
