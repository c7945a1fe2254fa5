"""Pre-trade limits: whether an order, or what a replace adds to one, is within them. Pure; the figures are kept by `figures.py`.

The rules:

1. Every limit that covers an order must hold; the first that does not says no, by name, with its value and what it would become.
2. A replace is judged by what it adds: one that leaves price and terms alone and takes away is always let through. Cancels always pass.
3. What can be judged only by a reference price that is not known is refused, or passes (`without_reference`). What takes no value to
   judge is judged all the same.
4. Open orders count with what was executed: a position or a day's value that fills can still reach is judged before they do.
5. An order that would trade with one of our own at the same venue account is refused, or first has that one canceled. The cancel leaves
   before the order; a venue that takes them in another order may let them trade.
6. A day's loss past its limit stops new orders until the next day, or until the limit is changed.
7. Net open value is judged when something is added; the end of an order on one side may raise it, for cancels always pass.
"""

from __future__ import annotations

from typing import Final

from router.model import NewOrder, Refusal
from router.order import Order
from router.rulebook import Applied
from router.shares import looks, renew
from router.state import State
from router.verdicts import Asked, checks
from router.words import ZERO

__all__ = ["canceling", "judge", "judge_replace", "taken", "would_refuse"]

_RECENT_AT_MOST: Final = 10_000


def judge(state: State, order: Order, now: int) -> Refusal | tuple[str, ...]:
    """A new order: why not, or the OrderIDs that are to be canceled first. What it says, `taken` must be told."""
    rulebook = state.rulebook
    if not rulebook.limits:
        return ()
    slot = rulebook.slot(state, order)
    if not slot.applied:
        return ()
    asked = Asked(state, order, order.request, slot, now, is_new=True)
    refusal = _verdict(asked)
    for each in slot.habitual:
        _ordered(each)
    if refusal is not None:
        return refusal
    rulebook.weighed = (order, asked.quantity or ZERO, asked.value or ZERO)
    return asked.own


def would_refuse(state: State, order: Order, now: int) -> Refusal | None:
    """What `judge` would say of an order that nobody sends: nothing is counted."""
    slot = state.rulebook.slot(state, order)
    return _verdict(Asked(state, order, order.request, slot, now, is_new=True)) if slot.applied else None


def judge_replace(state: State, order: Order, terms: NewOrder, now: int) -> Refusal | None:
    """What a replace would make of an order (rule 2)."""
    if not state.rulebook.limits:
        return None
    was = order.request
    slot = state.rulebook.slot(state, order)
    asked = Asked(state, order, terms, slot, now, is_new=False)
    same = (terms.price, terms.stop_px) == (was.price, was.stop_px)
    return None if same and asked.quantity == ZERO and asked.value == ZERO else _verdict(asked)


def taken(state: State, order: Order, now: int) -> None:
    """An order was let through, or a replace of one was: it counts from here on."""
    rulebook = state.rulebook
    if not rulebook.limits:
        return
    slot = rulebook.slot(state, order)
    for pace in slot.paced:
        pace.append(now)
    if slot.duplicates and order.created == now:
        _remember(state, order, now)
    renew(state, order, now)


def canceling(state: State, order: Order) -> None:
    """A client cancels an order of its own: for the ratio of cancels to orders."""
    if not state.rulebook.limits or not order.destination:
        return
    for each in state.rulebook.slot(state, order).habitual:
        if each.habit is not None and each.habit.orders:
            each.habit.orders[-1] += 1
            each.habit.cancels += 1


def _verdict(asked: Asked) -> Refusal | None:
    for each in asked.slot.applied:
        if each.checks is None:
            each.checks = checks(each.limit, asked.slot.symbol)
        for check in each.checks:
            refusal = check(asked, each)
            if refusal is not None:
                return refusal
    return None


def _ordered(applied: Applied) -> None:
    """Whatever became of it, it was an order: a client that is refused for its cancels gets out of that by not canceling."""
    habit = applied.habit
    assert habit is not None
    habit.orders.append(0)
    while len(habit.orders) > applied.limit.cancel_ratio_over:
        habit.cancels -= habit.orders.popleft()


def _remember(state: State, order: Order, now: int) -> None:
    recent = state.figures.recent
    if len(recent) >= _RECENT_AT_MOST:
        since = now - max(each.duplicate_within for each in state.rulebook.limits)
        state.figures.recent = recent = {key: at for key, at in recent.items() if at > since}
    recent[looks(order)] = now
