"""Pre-trade limits with where their figures stand, for operators. Pure: whoever calls holds the lock (`Runtime.reading`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final

from router.admin.contract import LimitRow
from router.figures import DAY
from router.rules import Limit
from router.state import State
from router.verdicts import result
from router.words import EXACT

__all__ = ["risk_rows"]

_Used = Callable[[State, Limit, Any, int], Decimal | None]


def risk_rows(state: State, now: int, destination: str | None = None, symbol: str | None = None) -> Iterator[LimitRow]:
    """A row for each thing that a limit asks, and of what has figures, for each of them; `destination` and `symbol`: of limits that cover
    it."""
    for limit in state.rulebook.limits:
        if destination is not None and limit.destinations and destination.upper() not in {each.upper() for each in limit.destinations}:
            continue
        if symbol is not None and limit.symbols and not any(fnmatchcase(symbol, each) for each in limit.symbols):
            continue
        for what in _SAID:
            value = _SAID[what](limit)
            if value:
                yield _row(limit, what, value, _where(limit), "")
        for what, (field, kind, used) in _COUNTED.items():
            most = getattr(limit, field)
            if most is not None:
                yield from _counted(state, limit, what, most, getattr(state.figures, kind), used, now)


def _counted(
    state: State, limit: Limit, what: str, most: Any, figures: Mapping[tuple[str, ...], Any], used: _Used, now: int
) -> Iterator[LimitRow]:
    own = limit.name if what in _OF_THEIR_OWN else state.rulebook.shared(limit)
    found = [(key, figure) for key, figure in figures.items() if key[0] == own]
    if not found:
        yield _row(limit, what, _amount(most), _where(limit), "")
    for key, figure in found:
        words = dict(zip(limit.per, key[1:], strict=False))
        unit = key[-1] if len(key) > len(limit.per) + 1 else ""
        value = used(state, limit, figure, now)
        yield _row(limit, what, f"{_amount(most)} {unit}".rstrip(), _where(limit, words), "not known" if value is None else _amount(value))


def _row(limit: Limit, what: str, value: str, scope: str, used: str) -> LimitRow:
    return LimitRow(
        destination=", ".join(limit.destinations) or "any", symbol=", ".join(limit.symbols) or "any", name=f"{limit.name}: {what}",
        value=value, source="configuration", scope=scope, used=used,
    )  # fmt: skip


def _where(limit: Limit, words: Mapping[str, str] | None = None) -> str:
    """Whose figure it is, or whose orders the limit is for."""
    if words:
        return ", ".join(f"{name} {value or 'none'}" for name, value in words.items())
    chosen = [*limit.sessions, *(f"account {each}" for each in limit.accounts)]
    return ", ".join(chosen) or (f"each {' and '.join(limit.per)}" if limit.per else "all")


def _amount(value: Decimal | int) -> str:
    return str(value) if isinstance(value, int) else f"{value.normalize(EXACT):f}"


def _position(state: State, limit: Limit, figure: Any, now: int) -> Decimal:  # noqa: ARG001
    """The greater of what may be bought and what may be sold in the end; short is below zero."""
    long, short = EXACT.add(figure.position, figure.buys), EXACT.subtract(figure.position, figure.sells)
    return long if long.copy_abs() >= short.copy_abs() else short


def _loss(state: State, limit: Limit, figure: Any, now: int) -> Decimal | None:
    made = result(state, figure, limit, now)
    return None if made is None else EXACT.subtract(Decimal(0), made)


def _traded(state: State, limit: Limit, figure: Any, now: int) -> Decimal:  # noqa: ARG001
    traded: Decimal = figure.today((now - limit.day_begins) // DAY)
    return EXACT.add(EXACT.add(traded, figure.buys), figure.sells)


def _cancels(state: State, limit: Limit, figure: Any, now: int) -> Decimal:  # noqa: ARG001
    count = len(figure.orders)
    return EXACT.divide(Decimal(figure.cancels), Decimal(count)).quantize(Decimal("0.01"), context=EXACT) if count else Decimal(0)


_COUNTED: Final[Mapping[str, tuple[str, str, _Used]]] = {
    "open orders": ("max_open_orders", "counts", lambda state, limit, figure, now: Decimal(figure.orders)),  # noqa: ARG005
    "open notional": ("max_open_notional", "money", lambda state, limit, figure, now: EXACT.add(figure.buys, figure.sells)),  # noqa: ARG005
    "net open notional": ("max_net_notional", "money", lambda state, limit, figure, now: EXACT.subtract(figure.buys, figure.sells)),  # noqa: ARG005
    "position with open orders": ("max_position", "holdings", _position),
    "daily notional with open orders": ("max_daily_notional", "money", _traded),
    "daily loss": ("max_daily_loss", "profits", _loss),
    "orders and replaces in the window": (
        "max_orders",
        "paces",
        lambda state, limit, figure, now: Decimal(sum(at > now - limit.window for at in figure)),  # noqa: ARG005
    ),
    "cancels an order": ("max_cancel_ratio", "habits", _cancels),
}
"""The rule's key, where its figures are, and how much is used."""
_OF_THEIR_OWN: Final = frozenset({"orders and replaces in the window", "cancels an order"})

_SAID: Final[Mapping[str, Callable[[Limit], str]]] = {
    "order quantity": lambda limit: _amount(limit.max_order_qty) if limit.max_order_qty is not None else "",
    "order notional": lambda limit: _amount(limit.max_order_notional) if limit.max_order_notional is not None else "",
    "price band": lambda limit: "" if limit.price_band is None else f"{_amount(limit.price_band)} % of {limit.reference}",
    "sides": lambda limit: ", ".join(limit.only_sides),
    "order types": lambda limit: ", ".join(limit.only_ord_types),
    "symbols": lambda limit: ", ".join(limit.only_symbols),
    "hours": lambda limit: "" if limit.from_time == limit.to_time else f"{_clock(limit.from_time)} to {_clock(limit.to_time)} UTC",
    "reducing only": lambda limit: "yes" if limit.reducing_only else "",
    "balance": lambda limit: "must be there" if limit.check_balance else "",
    "same order again": lambda limit: f"after {limit.duplicate_within // 1_000_000} ms" if limit.duplicate_within else "",
    "self-trade": lambda limit: limit.self_trade,
}
"""What takes no figure."""


def _clock(time: int) -> str:
    minutes = time // 60_000_000_000
    return f"{minutes // 60:02}:{minutes % 60:02}"
