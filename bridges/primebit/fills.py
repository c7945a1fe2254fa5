"""What a fill cost: PrimeBit's order events tell volumes and no price. Pure.

A fill waits `HOLD` for what tells its price; the first of these that there is, and its Text says which it was:

1. The positions channel. price_open is weighted by volume, so what opens a position or adds to it shows the price of what was added. Of
   one execution it is on the tick, but for a hundredth of it, which is how price_open was rounded. Off the tick, or of several executions
   together, it is an average, and gives way to last trades of the fills' own volumes.
2. The market tick: a trade of the same volume since the fill was heard of, else the latest since then.
3. The order's limit price, which the fill is never worse than.
4. For an order without one: any last trade. Where not even that was ever told, the fill waits on.

Readings: a position's volume counts as an order's does, a buy's up and a sell's down; each execution changes the position after its order
event and before its tick (measured by nothing: the document does not say). A price that the order's limit forbids is not its price.
What moved a position and is no fill of an order on this account, and the other way round, is `unexplained`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final

from bridges.primebit.payload import Malformed, amount, identifier, listed, mapped, name, positive
from router.words import EXACT, ZERO, Side

__all__ = ["HOLD", "Fill", "Pricing", "rounded"]

HOLD: Final = 300_000_000
PRUNE: Final = 2_000_000_000
"""ns after which a fill and a change of position no longer belong together, while the stream is up."""
_AT_MOST: Final = 50
_POSITIONS_AT_MOST: Final = 1_000
_SYMBOLS_AT_MOST: Final = 1_000
_UNPRICED_AT_MOST: Final = 500
"""Fills of a symbol without a price: those of one that nobody here trades may never have one."""
_STEP: Final = Decimal("1e-8")
"""Derived prices are given to eight decimals, as the core does."""
POSITION: Final = "price derived from the position"
TRADE: Final = "price from the last trade"
LIMIT: Final = "price not stated by the venue: the limit price"
STALE: Final = "price not stated by the venue: the last trade seen"


@dataclass(slots=True, eq=False)
class Fill:
    """One execution. `cum`: CumQty after it. `live`: told by the stream as it happened, so that ticks beside it may be its own."""

    order_id: str
    symbol: str
    side: Side
    qty: Decimal
    cum: Decimal
    limit: Decimal | None
    seen: int
    live: bool
    complete: bool
    px: Decimal | None = None
    text: str = ""
    moved: bool = False
    traded: bool = False
    """Whether its tick was seen."""
    hint: Decimal | None = None

    @property
    def signed(self) -> Decimal:
        return self.qty if self.side is Side.BUY else -self.qty

    def fits(self, px: Decimal) -> bool:
        """Could the order have been executed at this price?"""
        return px > 0 and (self.limit is None or (px <= self.limit if self.side is Side.BUY else px >= self.limit))

    def settle(self, px: Decimal, text: str) -> None:
        self.px, self.text = px, text


@dataclass(frozen=True, slots=True)
class _Position:
    symbol: str
    signed: Decimal
    px: Decimal | None


@dataclass(frozen=True, slots=True)
class _Move:
    """A change of a position. `px`: of what was added; `partly`: some of it only closed, at a price not told."""

    signed: Decimal
    px: Decimal | None
    partly: bool
    time: int


@dataclass(slots=True)
class _Trade:
    px: Decimal
    volume: Decimal | None
    time: int
    used: bool = False


class Pricing:
    """All symbols of one account. Prices in quote units, volumes as the venue counts, times ns UTC."""

    def __init__(self, ticks: Mapping[str, Decimal]) -> None:
        """`ticks`: the price step by venue symbol."""
        self._ticks = dict(ticks)
        self._fills: dict[str, list[Fill]] = {}
        self._moves: dict[str, list[_Move]] = {}
        self._trades: dict[str, deque[_Trade]] = {}
        self._positions: dict[str, _Position] = {}
        self.rows: dict[str, Mapping[str, Any]] = {}
        """Positions as the venue wrote them last, by id."""
        self.known = False
        """Whether positions were ever told."""
        self.version = 0
        """Counts the changes of positions."""

    def learn(self, ticks: Mapping[str, Decimal]) -> None:
        """These are the price steps now; of the others they stay."""
        self._ticks.update(ticks)

    # --- what comes in ----------------------------------------------------------------------------------------------------

    def add(self, fill: Fill) -> None:
        """A fill was heard of."""
        if fill.symbol not in self._fills and len(self._fills) >= _SYMBOLS_AT_MOST:
            return  # no account trades so many: its price will not be known
        fills = self._fills.setdefault(fill.symbol, [])
        fills.append(fill)
        if len(fills) > (_AT_MOST if fills[0].px is not None else _UNPRICED_AT_MOST):
            self._conclude(fills.pop(0))
        self._match(fill.symbol)

    def position(self, data: Any, now: int) -> None:
        """An event of the positions channel; before their first snapshot it tells no change. Raises `Malformed`."""
        if not self.known:
            return
        fields = mapped(data, "the position event")
        row = mapped(fields.get("position"), "the position")
        ident, closed = identifier(row, "position_id"), fields.get("event_type") == "closed"
        after = _Position(name(row, "symbol"), ZERO, None) if closed else _read(row)
        self._change(ident, after, row, now)
        self._match(after.symbol)

    def snapshot(self, data: Any, now: int) -> None:
        """All positions. Raises `Malformed`, and then changes nothing."""
        rows = {identifier(mapped(each, "a position"), "position_id"): each for each in listed(data, "positions")}
        if len(rows) > _POSITIONS_AT_MOST:
            raise Malformed(f"{len(rows)} positions")
        read = {ident: _read(row) for ident, row in rows.items()}
        if self.known:
            gone = {ident: _Position(each.symbol, ZERO, None) for ident, each in self._positions.items() if ident not in read}
            for ident, after in (gone | read).items():
                self._change(ident, after, rows.get(ident, {}), now)
        else:
            self._positions, self.rows, self.known = read, dict(rows), True
            self.version += 1
        for symbol in list(self._moves):
            self._match(symbol)

    def open(self) -> Iterator[tuple[str, Decimal, Decimal | None]]:
        """Each open position: symbol, volume, below 0 when sold, and what it was opened at."""
        return ((each.symbol, each.signed, each.px) for each in self._positions.values())

    def trade(self, symbol: str, px: Decimal, volume: Decimal | None, now: int) -> None:
        """A market tick."""
        trades = self._trades.setdefault(symbol, deque(maxlen=_AT_MOST))
        trades.append(_Trade(px, volume, now))
        fills = self._fills.get(symbol, ())
        for fill in fills:
            if not fill.traded and (fill.px, fill.qty) == (px, volume):
                fill.traded = trades[-1].used = True  # its price was known already: it is not another's
                return
        for fill in fills:
            if fill.px is None and fill.moved:
                self._by_volume(fill)

    def tick(self, now: int, watching: bool) -> None:
        """Deadlines. `watching`: the stream is up, so that what has not come will not come."""
        for symbol, fills in self._fills.items():
            for fill in fills:
                if fill.px is None and now - fill.seen >= HOLD:
                    self._conclude(fill)
            if watching:
                self._fills[symbol] = [each for each in fills if not _over(each, now)]
                self._moves[symbol] = [each for each in self._moves.get(symbol, ()) if now - each.time < PRUNE]
        if watching:
            self._fills = {symbol: fills for symbol, fills in self._fills.items() if fills}
            self._moves = {symbol: moves for symbol, moves in self._moves.items() if moves and now - moves[-1].time < PRUNE}

    # --- what is not accounted for ----------------------------------------------------------------------------------------

    def unexplained(self, symbol: str) -> Decimal:
        """By how much the position changed beyond the fills heard of; below zero: downward."""
        moved = sum((each.signed for each in self._moves.get(symbol, ())), ZERO)
        return moved - sum((each.signed for each in self._fills.get(symbol, ()) if not each.moved), ZERO)

    def forgive(self, symbol: str) -> None:
        """What is unexplained now stays so."""
        self._moves.pop(symbol, None)
        for each in self._fills.get(symbol, ()):
            each.moved = True

    # --- parts ------------------------------------------------------------------------------------------------------------

    def _change(self, ident: str, after: _Position, row: Mapping[str, Any], now: int) -> None:
        before = self._positions.get(ident)
        was = before.signed if before is not None else ZERO
        signed = EXACT.subtract(after.signed, was)
        if after.signed and ident not in self._positions and len(self._positions) >= _POSITIONS_AT_MOST:
            raise Malformed(f"more than {_POSITIONS_AT_MOST} positions")
        self.version += 1
        if after.signed:
            self._positions[ident], self.rows[ident] = after, row
        else:
            self._positions.pop(ident, None)
            self.rows.pop(ident, None)
        if not signed:
            return
        moves = self._moves.setdefault(after.symbol, [])
        moves.append(_Move(signed, _added(was, before.px if before is not None else None, after), was * after.signed < 0, now))
        del moves[:-_AT_MOST]

    def _match(self, symbol: str) -> None:
        """Pair the oldest fills with the oldest moves of the same sum, as few as possible of each."""
        while True:
            moves = self._moves.get(symbol, [])
            fills = [each for each in self._fills.get(symbol, ()) if not each.moved][:_AT_MOST]
            filled, moved = list(accumulate(each.signed for each in fills)), list(accumulate(each.signed for each in moves))
            fitting = [(k, m) for k, total in enumerate(filled, 1) for m, move in enumerate(moved, 1) if total == move]
            found = min(fitting, key=sum, default=None)
            if found is None:
                return
            self._price(fills[: found[0]], moves[: found[1]])
            del moves[: found[1]]

    def _price(self, fills: Sequence[Fill], moves: Sequence[_Move]) -> None:
        px = _average(fills, moves)
        for fill in fills:
            fill.moved = True
            if fill.px is not None:
                continue
            fill.hint = px if px is not None and fill.fits(px) else None
            one = _on_tick(fill.hint, self._ticks.get(fill.symbol)) if fill.hint is not None and len(fills) == 1 else None
            if one is not None:
                fill.settle(one, POSITION)
            else:
                self._by_volume(fill)

    def _by_volume(self, fill: Fill) -> bool:
        for trade in self._trades.get(fill.symbol, ()):
            if fill.live and trade.time >= fill.seen and not trade.used and trade.volume == fill.qty and fill.fits(trade.px):
                trade.used = fill.traded = True
                fill.settle(trade.px, TRADE)
                return True
        return False

    def _conclude(self, fill: Fill) -> None:
        if self._by_volume(fill):
            return
        trades = self._trades.get(fill.symbol, ())
        own = [each for each in trades if fill.live and each.time >= fill.seen and fill.fits(each.px)]
        if fill.hint is not None:
            fill.settle(fill.hint, POSITION)
        elif own:
            fill.settle(own[-1].px, TRADE)
        elif fill.limit is not None:
            fill.settle(fill.limit, LIMIT)
        elif trades:
            fill.settle(trades[-1].px, STALE)


def _read(row: Any) -> _Position:
    fields = mapped(row, "a position")
    side, volume = name(fields, "side"), amount(fields, "volume")
    if side not in ("buy", "sell") or volume < 0:
        raise Malformed("a position has no side, or a volume below zero")
    return _Position(name(fields, "symbol"), volume if side == "buy" else -volume, positive(fields, "price_open"))


def _added(was: Decimal, was_px: Decimal | None, after: _Position) -> Decimal | None:
    """The price of what was added to a position; None where something was only closed."""
    if after.px is None or (abs(after.signed) <= abs(was) and was * after.signed > 0):
        return None
    if was * after.signed <= 0:
        return after.px
    if was_px is None:
        return None
    value = EXACT.subtract(EXACT.multiply(after.px, after.signed), EXACT.multiply(was_px, was))
    return rounded(EXACT.divide(value, EXACT.subtract(after.signed, was)))


def _average(fills: Sequence[Fill], moves: Sequence[_Move]) -> Decimal | None:
    if len({each.side for each in fills}) > 1:
        return None
    priced = [(each.px, abs(each.signed)) for each in moves if each.px is not None]
    if len(priced) == len(moves) and not any(each.partly for each in moves):
        value = sum((EXACT.multiply(px, volume) for px, volume in priced), ZERO)
        return rounded(EXACT.divide(value, sum((volume for _, volume in priced), ZERO)))
    # One execution has one price: what it opened beyond the old position tells that of the part that closed it.
    return priced[-1][0] if priced and len(fills) == 1 else None


def _on_tick(px: Decimal, step: Decimal | None) -> Decimal | None:
    """The price on the tick that this is, up to how price_open was rounded; None where it is none."""
    if step is None:
        return px
    nearest = EXACT.multiply(EXACT.divide(px, step).to_integral_value(), step)
    return nearest if abs(EXACT.subtract(px, nearest)) * 100 <= step else None


def rounded(px: Decimal) -> Decimal:
    """A derived price, to eight decimals."""
    exponent = px.as_tuple().exponent
    return px if isinstance(exponent, int) and exponent >= -8 else px.quantize(_STEP, context=EXACT).normalize(EXACT)


def _over(fill: Fill, now: int) -> bool:
    return fill.px is not None and now - fill.seen >= PRUNE
