"""What to do about silence: links that come and go, deadlines, questions to the venue. Pure.

The rules:

1. Only the venue's own word is a no. Silence, or a link lost with an order on it, leaves the order where it is, *in doubt*; the
   client hears PendingNew with a Text that says so, never a reject.
2. A create is never sent twice. Cancels and questions are harmless and are repeated.
3. "No such order" counts only as the answer to a question that was asked two answer timeouts after the order left, or later.
4. Questions about an order whose id at the venue is not known go one at a time per account: the answer may carry no id of ours
   (there is a FIX venue that gives ClOrdID with ExecType=New only).
5. After a link came up, and until what was open on it has been answered, new orders do not go there: they could only be judged by a book
   that may be wrong.
6. An open order that nothing has been heard of for long is asked about, one a second and link.
7. Where there is a second witness, it is asked first: it knows all that was executed, and names the order in its answer (rule 4 does not
   bind it). What the order's own link may still tell is given time.
"""

from __future__ import annotations

from collections import deque

from router import commands
from router.changes import fail_replace, refuse_pending
from router.model import Alert, Effect, Found, LinkDown, NotSent, Unanswered
from router.order import Happening, Order
from router.reports import report
from router.state import Reconciling, State, askable, halt_of, sendable
from router.words import CxlRejReason, ExecType, OrdRejReason, OrdStatus

__all__ = [
    "answered",
    "ask",
    "ask_all",
    "askable",
    "asked_without_name",
    "drop_pending",
    "drop_question",
    "link_down",
    "link_up",
    "nameless_answer",
    "never_arrived",
    "not_found",
    "not_sent",
    "overdue",
    "reconciled",
    "started",
    "sweep",
]

_SECOND = 1_000_000_000


def link_up(state: State, link: str, now: int) -> list[Effect]:
    """A link is ready: send what was held for it, and ask about everything that was open when it went."""
    state.up.add(link)
    effects: list[Effect] = []
    for order in [*state.blotter.on_link(link), *state.blotter.witnessed_by(link)]:
        if order.doubt and (order.witness in ("", link) or order.witness in state.up):
            effects += ask(state, order, now)
        elif order.doubt:
            state.wait(order, now)  # its witness will be up soon, and knows more
        elif order.link == link and order.pending is not None and not order.done and order.leg.accepted:
            # The witness cleared the doubt while the link was away, and what the client asked for meanwhile waited for it, or was lost.
            effects.append(commands.change(state, order, now))
    open_here = {order.order_id for order in state.blotter.on_link(link) if order.doubt}
    if open_here:
        within = state.policy.configured.reconcile_within
        state.reconciling[link] = Reconciling(since=now, until=now + within, orders=open_here)
    return effects if open_here else effects + _place_held(state, link, now)


def reconciled(state: State, now: int) -> list[Effect]:
    """After any input, while a link is being reconciled: it takes orders again once all that was open has been answered, whatever the
    answers, or when that takes too long."""
    effects: list[Effect] = []
    for link, under_way in list(state.reconciling.items()):
        under_way.orders = {each for each in under_way.orders if _being_asked(state, state.blotter.orders.get(each))}
        if under_way.orders and now < under_way.until:
            continue
        del state.reconciling[link]
        if under_way.orders:
            seconds = (now - under_way.since) // 1_000_000_000
            text = f"{link} has not answered about {len(under_way.orders)} open orders within {seconds} s; it takes new orders again"
            effects.append(Alert(text))
        effects += _place_held(state, link, now)
    return effects


def ask_all(state: State, orders: list[Order], now: int) -> list[Effect]:
    """Ask about open orders that are not being asked about already."""
    return [effect for order in orders if not order.asked and askable(state, order) for effect in ask(state, order, now)]


def sweep(state: State, now: int) -> list[Effect]:
    """Ask about the open order of each link that has not been heard of for longest: a message of the venue may have been lost."""
    every = state.policy.configured.sweep_every
    quiet: dict[str, Order] = {}
    for order in state.blotter.live.values():
        older = order.link not in quiet or order.heard < quiet[order.link].heard
        waits = order.done or order.asked or bool(order.doubt) or (order.pending is not None and order.order_id in state.due)
        if older and order.leg.accepted and not waits and order.link in state.up:
            quiet[order.link] = order
    long_quiet = [order for order in quiet.values() if order.heard + every <= now]
    wait = _SECOND if long_quiet else min([order.heard + every - now for order in quiet.values()], default=every)
    state.sweep_at = now + wait
    return ask_all(state, long_quiet, now)


def link_down(state: State, event: LinkDown, now: int) -> list[Effect]:
    """A link is gone, with whatever was on the wire."""
    was_up = event.link in state.up
    state.up.discard(event.link)
    state.reconciling.pop(event.link, None)
    effects: list[Effect] = []
    for order in state.blotter.on_link(event.link):
        _forget_questions(state, order)
        effects += _doubt(state, order, f"the link to {order.destination} was lost", now)
        if askable(state, order):
            effects += ask(state, order, now)
    for order in state.blotter.witnessed_by(event.link):
        if order.asked:
            order.asked = False
            state.wait(order, now)
    if was_up:
        count = sum(1 for _ in state.blotter.on_link(event.link))
        why = f": {event.text}" if event.text else ""
        if any(each.witness == event.link for each in state.policy.configured.destinations):
            return [*effects, Alert(f"{event.link}, a second witness, is down{why}")]
        effects.append(Alert(f"{event.link} is down{why}; {count} open orders are in doubt until it is back"))
    return effects


def started(state: State, now: int) -> list[Effect]:
    """The router starts: what happened at the venues since it stopped is not known."""
    state.up.clear()
    state.reconciling.clear()
    state.stopping = False
    effects: list[Effect] = []
    for order in list(state.blotter.live.values()):
        if order.placed:
            _forget_questions(state, order)
            effects += _doubt(state, order, "the router was stopped", now)
    return effects


def overdue(state: State, order: Order, now: int) -> list[Effect]:
    """A deadline of `state.due` has passed."""
    state.rest(order)
    if not order.placed:
        return [_give_up_holding(order, now)]
    if order.done and order.pending is not None and not order.replacing:
        # The venue need not answer a cancel of an order that it has filled; the client must hear.
        return drop_pending(state, order, now)
    if not askable(state, order):
        return []
    effects: list[Effect] = []
    if not order.doubt:
        effects += _doubt(state, order, f"{order.destination} has not answered", now)
    return effects + ask(state, order, now)


def ask(state: State, order: Order, now: int) -> list[Effect]:
    """Ask where an order stands, now or when it is its turn (rule 4)."""
    link = askable(state, order)
    if order.venue_order_id is None and link == order.link:
        queue = state.unnamed.setdefault(order.account, deque())
        if order.order_id not in queue:
            queue.append(order.order_id)
        if queue[0] != order.order_id:
            return []
        state.owed.setdefault(order.account, deque()).append(order.order_id)
    order.asked = True
    order.heard = now
    order.queries += 1
    state.wait(order, now)
    effects: list[Effect] = []
    if order.queries == 4:
        effects.append(Alert(f"{order.destination} has left {order.queries - 1} questions about this order open", order.order_id))
    return [*effects, commands.ask(state, order, link)]


def answered(state: State, order: Order, now: int, doubt: str = "", counted: bool = False) -> list[Effect]:
    """The venue spoke of this order. `doubt`: what its word leaves open. `counted`: its question is taken off the list already."""
    if not counted and order.order_id in state.owed.get(order.account, ()):
        state.owed[order.account].remove(order.order_id)
    if not order.asked:
        return _named_meanwhile(state, order, now)
    order.asked = False
    order.queries = 0
    order.doubt = doubt
    state.rest(order)
    effects = _leave_queue(state, order, now)
    if order.pending is not None and not order.done and sendable(state, order) and order.leg.accepted:
        effects.append(commands.change(state, order, now))
    return effects


def _named_meanwhile(state: State, order: Order, now: int) -> list[Effect]:
    """An order that waits for its turn to be asked about (rule 4) was named by an event of its own, and needs no turn any more."""
    waits = order.order_id in state.unnamed.get(order.account, ())
    if not waits or (order.venue_order_id is None and not order.done):
        return []
    effects = _leave_queue(state, order, now)
    if order.doubt and not order.done and askable(state, order):
        effects += ask(state, order, now)
    return effects


def nameless_answer(state: State, account: str) -> Order | None:
    """The order that an answer without any id speaks of: that of the oldest question still owed one. None where that order has been
    settled meanwhile: an answer to its repeated question must not be taken for another order's."""
    owed = state.owed.get(account)
    asked = asked_without_name(state, account)
    return asked if owed and asked is not None and owed.popleft() == asked.order_id else None


def asked_without_name(state: State, account: str) -> Order | None:
    """The order of rule 4 whose question is under way."""
    queue = state.unnamed.get(account)
    order = state.blotter.orders[queue[0]] if queue else None
    return order if order is not None and order.asked else None


def not_found(state: State, order: Order, now: int, counted: bool = False, as_of: int = 0) -> list[Effect]:
    """The venue answered a question with "no such order"; `as_of`: when that was asked, where it was not the last question."""
    if order.leg.accepted:
        doubt = f"{order.destination} says that it knows no such order"
        return [*answered(state, order, now, doubt, counted), Alert(f"{doubt}, which it had accepted", order.order_id)]
    asked = as_of or order.heard
    late = order.order_id in state.owed.get(order.account, ()) and counted  # an earlier question's answer; the last one's is to come
    if late or asked - order.placed < 2 * state.policy.configured.answer_timeout:
        # Too early to believe (rule 3): it may still be on its way. The next deadline asks again.
        state.wait(order, now)
        return []
    return never_arrived(state, order, f"{order.destination} does not know the order: it never arrived there", now, counted)


def never_arrived(state: State, order: Order, text: str, now: int, counted: bool = False) -> list[Effect]:
    """The present leg is not at the venue and never was."""
    order.candidates = ()
    if order.replacing:
        effects = fail_replace(state, order, text, now) + answered(state, order, now, "", counted)
        state.blotter.settle(order)
        return effects
    order.text = text
    order.happen(Happening.REJECTED, now)
    effects = [report(order, ExecType.REJECTED, now, order.text, ord_rej_reason=OrdRejReason.BROKER_OPTION)]
    effects += answered(state, order, now, "", counted) + drop_pending(state, order, now)
    order.doubt = ""
    state.rest(order)
    state.blotter.settle(order)
    return effects


def unanswered(state: State, event: Unanswered, now: int) -> list[Effect]:
    """A command may have arrived, and nobody knows: doubt, and a question."""
    order = state.blotter.orders.get(event.order_id)
    if order is None:
        return []
    if (order.done and order.pending is None) or order.asked:
        return []  # a question is under way already; its deadline asks again
    effects = _doubt(state, order, event.text, now)
    if askable(state, order):
        effects += ask(state, order, now)
    return effects


def found(state: State, event: Found, now: int) -> list[Effect]:
    """What a search for an order brought. Candidates that no order of ours has claimed are shared among those of ours that look alike:
    with as many of the one as of the other it does not matter which is which; otherwise a person must decide."""
    order = state.blotter.orders.get(event.order_id)
    if order is None:
        return []
    if order.done:
        return answered(state, order, now)  # a repeated question's second answer
    free = sorted(each for each in event.candidates if state.blotter.at_venue(order.account, None, each) is None)
    order.candidates = ()
    if order.venue_order_id is not None:
        return answered(state, order, now) if event.candidates else not_found(state, order, now, as_of=event.as_of)
    if not free:
        return not_found(state, order, now, as_of=event.as_of)
    claimants = [each for each in state.blotter.live.values() if each.account == order.account and _alike(each, order)]
    if len(free) != len(claimants):
        doubt = f"{len(free)} at {order.destination} and {len(claimants)} of ours look alike ({', '.join(free)}): an operator must decide"
        order.candidates = tuple(free)
        effects = answered(state, order, now, doubt)
        return [*effects, Alert(doubt, order.order_id)]
    state.released += state.blotter.bind(order, order.leg, free[0])
    order.candidates = ()
    effects = _leave_queue(state, order, now)
    return effects + ask(state, order, now)


def _alike(one: Order, other: Order) -> bool:
    """Whether two orders without an id at the venue could be taken for each other there."""
    if not one.placed or one.venue_order_id is not None or one.venue_symbol != other.venue_symbol:
        return False
    ours, theirs = one.leg.terms, other.leg.terms
    return all(
        getattr(ours, name) == getattr(theirs, name) for name in ("side", "ord_type", "order_qty", "cash_order_qty", "price", "stop_px")
    )


def not_sent(state: State, event: NotSent, now: int) -> list[Effect]:
    """A command is known not to have left this process."""
    order = state.blotter.orders.get(event.order_id)
    if order is None:
        return []
    if not event.place:
        if order.pending is not None:
            order.pending.sent = False
        return []
    if order.replacing:
        return fail_replace(state, order, f"the replacement was not sent: {event.text}", now)
    if order.base is not OrdStatus.PENDING_NEW:
        return [Alert(f"{order.destination} has spoken of an order that is said not to have been sent ({event.text})", order.order_id)]
    order.placed = 0
    order.text = f"not sent: {event.text}"
    state.rest(order)
    order.happen(Happening.REJECTED, now)
    return [report(order, ExecType.REJECTED, now, order.text, ord_rej_reason=OrdRejReason.EXCHANGE_CLOSED)]


def drop_pending(state: State, order: Order, now: int) -> list[Effect]:
    """The order ended some other way than by the client's request: refuse the request (102=0, with the true OrdStatus)."""
    return refuse_pending(state, order, CxlRejReason.TOO_LATE, f"the order is {order.base}", now)


def drop_question(state: State, order: Order, now: int) -> list[Effect]:
    """Nobody waits for an answer about this order any more; the next one's turn (rule 4)."""
    order.asked = False
    order.queries = 0
    return _leave_queue(state, order, now)


def _being_asked(state: State, order: Order | None) -> bool:
    if order is None or not order.doubt:
        return False
    return order.order_id in state.due or order.order_id in state.unnamed.get(order.account, ())


def _place_held(state: State, link: str, now: int) -> list[Effect]:
    """Send what was held for a link; what has been halted meanwhile is refused."""
    effects: list[Effect] = []
    for order in [each for each in state.blotter.live.values() if each.link == link and not each.placed and not each.done]:
        halted = halt_of(state, order.request.session, order.request.account, order.destination)
        if halted:
            effects.append(_not_to_be_sent(state, order, f"{halted}: not executed", now))
        else:
            effects.append(commands.place(state, order, now))
    return effects


def _not_to_be_sent(state: State, order: Order, text: str, now: int) -> Effect:
    state.rest(order)
    order.text = text
    order.happen(Happening.REJECTED, now)
    return report(order, ExecType.REJECTED, now, text, ord_rej_reason=OrdRejReason.BROKER_OPTION)


def _doubt(state: State, order: Order, why: str, now: int) -> list[Effect]:
    state.rest(order)
    order.asked = False
    if order.doubt:
        return []
    order.doubt = f"unknown at {order.destination}: {why}; it is being asked"
    if order.leg.accepted:
        return []
    return [report(order, ExecType.PENDING_REPLACE if order.replacing else ExecType.PENDING_NEW, now, order.doubt)]


def _forget_questions(state: State, order: Order) -> None:
    """Questions under way went with the link."""
    state.unnamed.pop(order.account, None)
    state.owed.pop(order.account, None)


def _give_up_holding(order: Order, now: int) -> Effect:
    order.text = f"{order.destination} was not ready in time: the order was not sent"
    order.happen(Happening.REJECTED, now)
    return report(order, ExecType.REJECTED, now, order.text, ord_rej_reason=OrdRejReason.EXCHANGE_CLOSED)


def _leave_queue(state: State, order: Order, now: int) -> list[Effect]:
    """The question about an order without an id was answered: the next one's turn (rule 4)."""
    queue = state.unnamed.get(order.account)
    if not queue or order.order_id not in queue:
        return []
    was_its_turn = queue[0] == order.order_id
    queue.remove(order.order_id)
    return ask(state, state.blotter.orders[queue[0]], now) if queue and was_its_turn else []
