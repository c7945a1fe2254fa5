"""Limits arranged for orders: which of them an order of a session and account for a symbol at a destination must keep to, and the figures
that it counts for. Looked up once for all orders alike. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final, Protocol

from router.blotter import Blotter
from router.figures import Count, Figures, Habit, Holding, Key, Money, Profit
from router.holdings import Account, Holdings
from router.model import NewOrder, Refusal
from router.order import Order, Pending
from router.policy import Policy
from router.references import References
from router.resting import Resting
from router.rules import Configured, Limit

__all__ = ["Applied", "Known", "Rulebook", "Slot", "covers", "signature"]

_REMEMBERED: Final = 10_000


class Known(Protocol):
    """What of the engine's state is looked at here."""

    blotter: Blotter
    policy: Policy
    figures: Figures
    held: Holdings
    references: References
    rulebook: Rulebook


class _Feed:
    """The figures of one group of limits that an order counts for; None where no limit of the group asks."""

    __slots__ = ("count", "day_begins", "holding", "money", "profit")

    def __init__(self, figures: Figures, group: _Group, words: Key, quote: str, unit: str) -> None:
        key = (group.name, *words)
        self.day_begins = group.day_begins
        self.count = figures.counts.setdefault(key, Count()) if group.count else None
        self.money = figures.money.setdefault((*key, quote), Money()) if group.money else None
        self.holding = figures.holdings.setdefault((*key, unit), Holding()) if group.holding else None
        self.profit = figures.profits.setdefault((*key, quote), Profit()) if group.profit else None


class Applied:
    """One limit, and the figures that it is about for orders of one kind."""

    __slots__ = ("checks", "feed", "habit", "limit", "pace")

    def __init__(self, limit: Limit, feed: _Feed, pace: deque[int] | None, habit: Habit | None) -> None:
        self.limit = limit
        self.feed = feed
        self.pace = pace
        self.habit = habit
        self.checks: tuple[Callable[[Any, Applied], Refusal | None], ...] | None = None
        """What is to be judged; made by `risk` when it first is."""


class Slot:
    """What is the same for all orders of one session and account for one symbol at one destination."""

    __slots__ = (
        "applied",
        "duplicates",
        "feeds",
        "funds",
        "habitual",
        "inverse",
        "links",
        "margin",
        "paced",
        "place",
        "plain",
        "quote",
        "size",
        "symbol",
        "unit",
    )

    def __init__(
        self, symbol: str, place: tuple[str, str], links: tuple[str, ...], size: Decimal, inverse: bool, quote: str, unit: str
    ) -> None:
        self.symbol = symbol
        self.place = place
        """Destination and the venue's symbol."""
        self.links = links
        """That may know prices of it."""
        self.size = size
        self.inverse = inverse
        self.quote = quote
        self.unit = unit
        self.applied: tuple[Applied, ...] = ()
        self.feeds: tuple[_Feed, ...] = ()
        self.funds: tuple[Account, ...] = ()
        """Where a limit asks for balances: what its links' account holds; empty where that is no measure (margin)."""
        self.margin = False
        self.plain = size == 1 and not inverse
        self.paced: tuple[deque[int], ...] = ()
        self.habitual: tuple[Applied, ...] = ()
        self.duplicates = 0
        """The longest time for which an order like another is refused, ns."""


class _Group:
    """Limits that select alike, keep apart alike and begin their day alike: they share figures."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.name = limits[0].name
        self.day_begins = limits[0].day_begins
        self.count = any(each.max_open_orders is not None for each in limits)
        asks = [(each.max_open_notional, each.max_net_notional, each.max_daily_notional) for each in limits]
        self.money = any(each is not None for ask in asks for each in ask)
        self.holding = any(each.max_position is not None or each.reducing_only for each in limits)
        self.profit = any(each.max_daily_loss is not None for each in limits)


class Rulebook:
    """The limits of one configuration, and what of the book can be found anew at any time: which orders rest."""

    def __init__(self, configured: Configured) -> None:
        self.limits = configured.limits
        self.stale = configured.reference_stale
        groups: dict[object, list[Limit]] = {}
        for each in self.limits:
            groups.setdefault(signature(each), []).append(each)
        self._groups = {each.name: _Group(limits) for limits in groups.values() for each in limits}
        self._slots: dict[tuple[str, str | None, str, str], Slot] = {}
        self.seen: dict[str, tuple[NewOrder, Pending | None, bool, Decimal, Decimal]] = {}
        """By OrderID of those that are open: what of it was looked at when it was last counted."""
        self.weighed: tuple[Order, Decimal, Decimal] | None = None
        """The order that was judged last, and the quantity and value that it will count for, so that they are found out once."""
        self.resting: Resting | None = Resting() if any(each.self_trade for each in self.limits) else None

    def __eq__(self, other: object) -> bool:
        """Whether the same is judged, of the same orders that rest."""
        if not isinstance(other, Rulebook):
            return NotImplemented
        return (self.limits, self.stale, self.resting) == (other.limits, other.stale, other.resting)

    __hash__ = None  # type: ignore[assignment]

    def shared(self, limit: Limit) -> str:
        """The name under which a limit's figures are kept; limits that select alike share them."""
        return self._groups[limit.name].name

    def slot(self, known: Known, order: Order) -> Slot:
        """The limits and figures for an order that has a destination."""
        request = order.request
        words = (request.session, request.account, order.destination, order.venue_symbol)
        found = self._slots.get(words)
        if found is None:
            if len(self._slots) >= _REMEMBERED:
                self._slots.clear()
            found = self.made(known, request.session, request.account or "", order.symbol, order.destination, order.venue_symbol)
            self._slots[words] = found
        return found

    def made(self, known: Known, session: str, account: str, symbol: str, destination: str, venue_symbol: str) -> Slot:
        """A slot, made anew; its figures are those in force."""
        slot = _slot_of(known, symbol, destination, venue_symbol)
        words = {"session": session, "account": account, "symbol": symbol, "destination": destination}
        figures, applied = known.figures, []
        feeds: dict[str, _Feed] = {}
        for limit in self.limits:
            if not covers(limit, session, account, symbol, destination):
                continue
            apart = tuple(words[each] for each in limit.per)
            group = self._groups[limit.name]
            feed = feeds.get(group.name)
            if feed is None:
                feed = feeds[group.name] = _Feed(figures, group, apart, slot.quote, slot.unit)
            key = (limit.name, *apart)
            pace = figures.paces.setdefault(key, deque()) if limit.max_orders is not None else None
            habit = figures.habits.setdefault(key, Habit()) if limit.max_cancel_ratio is not None else None
            applied.append(Applied(limit, feed, pace, habit))
        slot.applied = tuple(applied)
        slot.feeds = tuple(each for each in feeds.values() if each.count or each.money or each.holding or each.profit)
        if slot.plain and not slot.margin and any(each.limit.check_balance for each in applied):
            slot.funds = tuple(known.held.setdefault(link, Account()) for link in slot.links)
        slot.paced = tuple(each.pace for each in applied if each.pace is not None)
        slot.habitual = tuple(each for each in applied if each.habit is not None)
        slot.duplicates = max((each.limit.duplicate_within for each in applied), default=0)
        return slot


def covers(limit: Limit, session: str, account: str, symbol: str, destination: str) -> bool:
    """Whether a limit is for such orders."""
    return (
        (not limit.sessions or session in limit.sessions)
        and (not limit.accounts or account in limit.accounts)
        and (not limit.destinations or destination.upper() in {each.upper() for each in limit.destinations})
        and (not limit.symbols or any(fnmatchcase(symbol, each) for each in limit.symbols))
    )


def signature(limit: Limit) -> object:
    """What limits that share figures have in common."""
    return limit.sessions, limit.accounts, limit.symbols, limit.destinations, limit.per, limit.day_begins


def _slot_of(known: Known, symbol: str, destination: str, venue_symbol: str) -> Slot:
    found = known.policy.find(destination, venue_symbol)
    if found is None:  # not configured any more; what is known of it is counted all the same
        return Slot(symbol, (destination, venue_symbol), (), Decimal(1), False, symbol.rpartition("/")[2], symbol.partition("/")[0])
    place, instrument = found
    unit = f"{instrument.quote} of {instrument.symbol}" if instrument.inverse else instrument.base
    links = tuple(each for each in (place.witness, place.link) if each)
    where = (place.name, venue_symbol)
    slot = Slot(instrument.symbol, where, links, instrument.contract_size, instrument.inverse, instrument.quote, unit)
    slot.margin = place.capabilities.margin
    return slot
