"""The route table: where an order goes, by rules that an operator can read; the first that fits. Pure.

The rules of the rules:

1. They are tried in their order, and the first that fits decides. A rule with `requested` is about orders that name such a destination; one
   without is about orders that name none. What a client names is never replaced but by a rule that says so.
2. A rule fits only where the place it leads to trades the order's symbol. A rule with `refuse` leads nowhere, and fits whatever the symbol.
3. A rule's fallbacks are tried in their order where its destination takes no orders now. That is judged before anything is sent, and never
   again: an order whose outcome is not known is not sent to another place.
4. What of a rule can be told from the order's words alone is looked up, and remembered by those words, so a long table costs an order no
   more than a short one; amounts, times and tags are looked at in the few rules that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Final

from router.model import NewOrder, Refusal
from router.rules import Destination, Instrument, Route
from router.words import EXACT, OrdRejReason

__all__ = ["Place", "Routes"]

Place = tuple[Destination, Instrument]
Find = Callable[[str, str], Place | None]
"""What a destination trades under a symbol."""
Open = Callable[[Destination], bool]
"""Whether a destination may be used, or takes orders now."""
_DAY: Final = 86_400_000_000_000
_REMEMBERED: Final = 10_000
_Words = tuple[str, str, str, str, str, str, str, str]


class Routes:
    """The rules of one configuration."""

    def __init__(self, routes: Sequence[Route], find: Find, ours: Mapping[str, str]) -> None:
        """`find`: what a destination trades, asked anew for each order; `ours`: our symbol of each spelling."""
        self._routes = tuple(routes)
        self._find = find
        self._ours = ours
        self._by_words: dict[_Words, tuple[tuple[int, Route], ...]] = {}

    def choose(self, order: NewOrder, now: int, may: Open, takes: Open, steps: list[str] | None = None) -> Place | Refusal | None:
        """Where the first rule that fits sends an order, or its refusal; None where no rule fits. `may`: whether the order's account may
        trade there; `takes`: whether the place takes orders now. `steps` is told why, a line a rule."""
        for number, rule in self._candidates(order):
            why_not = _unmet(rule, order, now)
            if why_not:
                _say(steps, number, rule, f"does not fit: {why_not}")
                continue
            if rule.refuse:
                _say(steps, number, rule, f"refuses: {rule.refuse}")
                return Refusal(OrdRejReason.BROKER_OPTION, rule.refuse)
            place = self._place(number, rule, order, may, takes, steps)
            if place is not None:
                return place
        return None

    def explain(self, order: NewOrder, now: int, may: Open, takes: Open) -> tuple[Place | Refusal | None, list[str]]:
        """`choose`, with what was thought of each rule, those that do not fit by their words included."""
        steps: list[str] = []
        candidates = {number for number, _ in self._candidates(order)}
        found = self.choose(order, now, may, takes, steps)
        told = {int(step.split("]")[0].removeprefix("routes[")): step for step in steps}
        last = max(told, default=len(self._routes))
        words = self._words(order)
        return found, [
            told.get(number) or _line(number, rule, f"does not fit: {_mismatch(rule, words)}")
            for number, rule in enumerate(self._routes)
            if (number in told or number not in candidates) and number <= (last if found is not None else len(self._routes))
        ]

    def never(self) -> Iterator[tuple[int, str]]:
        """Rules that can never decide: (number, why)."""
        for number, rule in enumerate(self._routes):
            if not rule.refuse and self._nowhere(rule):
                yield number, f"{rule.destination} trades none of {', '.join(rule.symbols)}"
            for before, earlier in enumerate(self._routes[:number]):
                if _covers(earlier, rule):
                    yield number, f"routes[{before}] takes everything that it would"
                    break

    def unreached(self, symbols: Sequence[str]) -> list[str]:
        """Those symbols of which no limit order that names no destination finds a rule, whoever sends it and when."""
        return [each for each in symbols if not any(self._leads(rule, each) for rule in self._routes)]

    def _leads(self, rule: Route, symbol: str) -> bool:
        if rule.requested or (rule.symbols and not any(fnmatchcase(symbol, each) for each in rule.symbols)):
            return False
        if rule.refuse:
            return not _particular(rule)  # a refusal for some orders leaves the others without a rule
        return any(self._find(place, symbol) is not None for place in (rule.destination, *rule.fallbacks))

    def _nowhere(self, rule: Route) -> bool:
        exact = [each for each in rule.symbols if "*" not in each]
        places = (rule.destination, *rule.fallbacks)
        return bool(exact) and len(exact) == len(rule.symbols) and not any(self._find(place, each) for each in exact for place in places)

    def _place(self, number: int, rule: Route, order: NewOrder, may: Open, takes: Open, steps: list[str] | None) -> Place | None:
        found = [place for name in (rule.destination, *rule.fallbacks) if (place := self._find(name, order.symbol)) is not None]
        places = [place for place in found if may(place[0])]
        if not places:
            why = f"{found[0][0].name} is not for this account" if found else f"{rule.destination} does not trade {order.symbol}"
            _say(steps, number, rule, f"does not fit: {why}")
            return None
        chosen = next((place for place in places if takes(place[0])), places[0])
        first = "" if chosen is places[0] else f", because {places[0][0].name} takes no orders now"
        _say(steps, number, rule, f"fits: {chosen[0].name}{first}")
        return chosen

    def _words(self, order: NewOrder) -> _Words:
        """What rules ask that does not change from order to order."""
        return (
            order.session, order.account or "", self._ours.get(order.symbol, order.symbol), order.side.value,
            order.ord_type.value if order.ord_type else "", order.time_in_force.value if order.time_in_force else "",
            order.security_type, (order.destination or "").upper(),
        )  # fmt: skip

    def _candidates(self, order: NewOrder) -> tuple[tuple[int, Route], ...]:
        words = self._words(order)
        found = self._by_words.get(words)
        if found is None:
            if len(self._by_words) >= _REMEMBERED:
                self._by_words.clear()
            found = tuple((number, rule) for number, rule in enumerate(self._routes) if not _mismatch(rule, words))
            self._by_words[words] = found
        return found


def _mismatch(rule: Route, words: _Words) -> str:
    """The first of its words that a rule does not take; "" where it takes all."""
    session, account, symbol, side, ord_type, time_in_force, security_type, requested = words
    wanted: tuple[tuple[str, Sequence[str], str], ...] = (
        ("session", rule.sessions, session), ("Account(1)", rule.accounts, account), ("Side(54)", rule.sides, side),
        ("OrdType(40)", rule.ord_types, ord_type), ("TimeInForce(59)", rule.times_in_force, time_in_force),
        ("SecurityType(167)", rule.security_types, security_type),
    )  # fmt: skip
    for name, allowed, value in wanted:
        if allowed and value not in allowed:
            return f"{name} {value or 'none'}"
    if rule.symbols and not any(fnmatchcase(symbol, each) for each in rule.symbols):
        return f"Symbol(55) {symbol}"
    if requested not in [each.upper() for each in rule.requested] and (rule.requested or requested):
        return f"ExDestination(100) {requested or 'none'}"
    return ""


def _unmet(rule: Route, order: NewOrder, now: int) -> str:
    """The first condition on amounts, time and tags that does not hold; "" where all do."""
    quantity = order.order_qty
    if not _within(quantity, rule.min_qty, rule.max_qty):
        return f"OrderQty(38) {_amount(quantity)}"
    if rule.min_notional is not None or rule.max_notional is not None:
        notional = _notional(order)
        if not _within(notional, rule.min_notional, rule.max_notional):
            return f"the order's value, {_amount(notional)}"
    if rule.from_time != rule.to_time and not _at(now % _DAY, rule.from_time, rule.to_time):
        return "the time of day"
    for tag, values in rule.tags.items():
        if order.echo.get(tag) not in values:
            return f"tag {tag}={order.echo.get(tag, 'none')}"
    return ""


def _notional(order: NewOrder) -> Decimal | None:
    if order.cash_order_qty is not None:
        return order.cash_order_qty
    return None if order.price is None or order.order_qty is None else EXACT.multiply(order.price, order.order_qty)


def _within(value: Decimal | None, low: Decimal | None, high: Decimal | None) -> bool:
    """A value that is not known is within no limits."""
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _at(time: int, start: int, end: int) -> bool:
    """Whether a time of day is between two, over midnight too."""
    return start <= time < end if start < end else time >= start or time < end


def _covers(earlier: Route, later: Route) -> bool:
    """Whether nothing that `later` would take gets past `earlier`. Only what is plain is said: False means "perhaps not"."""
    if not earlier.refuse and (earlier.destination.upper(), earlier.fallbacks) != (later.destination.upper(), later.fallbacks):
        return False
    if _conditional(earlier):
        return False
    lists: tuple[tuple[Sequence[str], Sequence[str]], ...] = (
        (earlier.sessions, later.sessions), (earlier.accounts, later.accounts), (earlier.symbols, later.symbols),
        (earlier.sides, later.sides), (earlier.ord_types, later.ord_types), (earlier.times_in_force, later.times_in_force),
        (earlier.security_types, later.security_types),
    )  # fmt: skip
    asked = {each.upper() for each in later.requested} <= {each.upper() for each in earlier.requested}
    return (asked if later.requested else not earlier.requested) and all(not a or (b and set(b) <= set(a)) for a, b in lists)


def _conditional(rule: Route) -> bool:
    """Whether a rule asks for amounts, times or tags."""
    amounts = (rule.min_qty, rule.max_qty, rule.min_notional, rule.max_notional)
    return any(each is not None for each in amounts) or bool(rule.tags) or rule.from_time != rule.to_time


def _particular(rule: Route) -> bool:
    """Whether a rule is for some orders of a symbol only."""
    words = (rule.sessions, rule.accounts, rule.sides, rule.ord_types, rule.times_in_force, rule.security_types)
    return _conditional(rule) or any(words)


def _amount(value: Decimal | None) -> str:
    return "none" if value is None else f"{value:f}"


def _say(steps: list[str] | None, number: int, rule: Route, text: str) -> None:
    if steps is not None:
        steps.append(_line(number, rule, text))


def _line(number: int, rule: Route, text: str) -> str:
    return f"routes[{number}]{f' {rule.name}' if rule.name else ''}: {text}"
