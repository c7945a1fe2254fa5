"""One order of ours: what has been told of it, and its rows and trades as events. Pure. Amounts in base units, prices in quote units.

Two witnesses, never counted twice:

1. The order's own rows are the truth of *how much*: filled_amount and filled_total only grow, so what was executed since the last row is
   the difference, and every `Filled` carries the CumQty that it leads to.
2. Trades say *how*: those that have been seen, and that fit into the difference in the order in which they came, split it and give it its
   true prices and ids; what they leave is told as one more execution, at the price that the totals leave for it.
3. Such a derived price is certain when it is the order's limit (nothing executes at a worse price). When it is not, and trades can be
   expected, the row waits for them, a tenth of a second at most; then the Text says that the price was derived.
4. A trade that is ahead of the rows for longer than `PATIENCE` says that a row was lost: it is told as what a second witness says
   (`Stated`, unasked), and the channel is not believed until it has been joined anew.
5. Where the router's count is not known (an order of an earlier life), the first row is told as `Stated`, which is booked by difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bridges.moonbase.rows import Row, Trade, average
from bridges.wire import Out
from router.model import Accepted, Canceled, Filled, Stated
from router.words import EXACT, ZERO, OrdStatus

__all__ = ["PATIENCE", "TRADE_WAIT", "Tracked"]

_SECOND: Final = 1_000_000_000
TRADE_WAIT: Final = _SECOND // 10
PATIENCE: Final = 2 * _SECOND
_LIKE: Final = Decimal("1e-9")
"""Totals are floats at the venue: trades whose sum differs from them by less, in proportion, fit."""
_STEP: Final = Decimal(1).scaleb(-12)
_POOL_AT_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class _Part:
    """One execution to be told."""

    exec_id: str
    qty: Decimal
    px: Decimal
    text: str = ""


class Tracked:
    """An order of ours whose id at the venue is known."""

    __slots__ = (
        "account", "cum_qty", "fee", "held", "known", "over", "pool", "pooled", "row", "seen", "symbol", "told_row", "total",
        "venue_cl_ord_id", "venue_order_id",
    )  # fmt: skip

    def __init__(self, account: str, venue_cl_ord_id: str, venue_order_id: str, symbol: str, known: bool) -> None:
        """`known`: nothing of it can have been told before this life."""
        self.account = account
        self.venue_cl_ord_id = venue_cl_ord_id
        self.venue_order_id = venue_order_id
        self.symbol = symbol
        self.known = known
        self.row: Row | None = None
        """The latest row."""
        self.told_row: Row | None = None
        self.cum_qty = self.total = self.fee = ZERO
        """What was told."""
        self.seen = ZERO
        """The sum of all its trades that we saw. Trades missed make it too small, and then prices are derived: that does no harm."""
        self.pool: list[Trade] = []
        """Trades that no row has shown yet."""
        self.pooled = 0
        """Since when `pool` is not empty, ns."""
        self.held: int | None = None
        """Since when its row waits for trades (rule 3), ns."""
        self.over = False

    def accepted(self, text: str = "") -> Accepted:
        """It is there. Always the same ExecID, so that a repetition is known as one."""
        exec_id, ours, theirs = f"{self.venue_order_id}:new", self.venue_cl_ord_id, self.venue_order_id
        return Accepted(account=self.account, exec_id=exec_id, venue_cl_ord_id=ours, venue_order_id=theirs, text=text)

    def stated(self, row: Row) -> Stated:
        """Where it stands, all told; from here on differences are counted from this."""
        self.row = self.told_row = row
        self.cum_qty, self.total, self.fee, self.known, self.held = row.filled, row.total, row.fee or ZERO, True, None
        self.over = self.over or not row.live
        self._drop_counted()
        return self._standing(row.status, row.filled, row.avg_px, True)

    def take(self, row: Row, now: int, patient: bool) -> list[Out]:
        """A row of it. `patient`: its trades may follow (rule 3)."""
        if self.row is not None and row.behind(self.row):
            return []
        self.row = row
        return self.advance(now, patient)

    def trade(self, trade: Trade, now: int, patient: bool) -> list[Out]:
        """A trade of it: of what was told already, of the row that waits, or ahead of its row."""
        self.seen = EXACT.add(self.seen, trade.qty)
        if self.seen <= self.cum_qty or not self.known or len(self.pool) >= _POOL_AT_MOST:
            return []
        self.pooled = now if not self.pool else self.pooled
        self.pool.append(trade)
        return self.advance(now, patient) if self.held is not None else []

    def advance(self, now: int, patient: bool) -> list[Out]:
        """Tell what the latest row says and was not told."""
        row = self.row
        if row is None or row is self.told_row:
            return []
        if not self.known:
            return [self.stated(row)]
        parts = self._parts(row)
        if patient and any(part.text for part in parts):
            self.held = now if self.held is None else self.held
            if now < self.held + TRADE_WAIT:
                return []
        self.held, self.told_row = None, row
        return [*self._fills(parts, row), *self._end(row)]

    def ahead(self, now: int) -> Stated | None:
        """What trades say that no row has said in time (rule 4), once."""
        if not self.pool or self.over or self.held is not None or now < self.pooled + PATIENCE:
            return None
        qty = total = ZERO
        for each in self.pool:
            qty, total = EXACT.add(qty, each.qty), EXACT.fma(each.qty, each.px, total)
        self.pool.clear()
        cum_qty, avg_px = EXACT.add(self.cum_qty, qty), average(EXACT.add(self.total, total), EXACT.add(self.cum_qty, qty))
        return self._standing(OrdStatus.NEW, cum_qty, avg_px, False)

    # --- parts ------------------------------------------------------------------------------------------------------------

    def _standing(self, status: OrdStatus, cum_qty: Decimal, avg_px: Decimal | None, asked: bool) -> Stated:
        return Stated(
            account=self.account, status=status, cum_qty=cum_qty, avg_px=avg_px, asked=asked,
            venue_cl_ord_id=self.venue_cl_ord_id, venue_order_id=self.venue_order_id,
        )  # fmt: skip

    def _parts(self, row: Row) -> list[_Part]:
        """What was executed since the last row, split by the trades that fit (rule 2)."""
        qty, value = EXACT.subtract(row.filled, self.cum_qty), EXACT.subtract(row.total, self.total)
        if qty <= 0:
            return []
        parts: list[_Part] = []
        left, rest = qty, value
        for trade in self.pool:
            if trade.qty > left:
                break
            left, rest = EXACT.subtract(left, trade.qty), EXACT.fma(trade.qty.copy_negate(), trade.px, rest)
            parts.append(_Part(f"{self.venue_order_id}:{trade.trade_id}", trade.qty, trade.px))
        if not left and rest.copy_abs() <= EXACT.multiply(_LIKE, value):
            return parts
        if not left or rest <= 0:
            parts, left, rest = [], qty, value  # they do not add up to what the venue says was paid
        return [*parts, self._derived(row, left, rest)]

    def _derived(self, row: Row, qty: Decimal, value: Decimal) -> _Part:
        exec_id = f"{self.venue_order_id}:to-{row.filled.normalize(EXACT):f}"
        exact = EXACT.divide(value, qty)
        px = EXACT.quantize(exact, _STEP).normalize(EXACT)
        if px == row.limit_price:
            return _Part(exec_id, qty, px)
        rounded = "" if px == exact else f", rounded: {value:f} for {qty:f}"
        return _Part(exec_id, qty, px, f"price derived from Moonbase's filled_total{rounded}")

    def _fills(self, parts: list[_Part], row: Row) -> list[Out]:
        outs: list[Out] = []
        fee = None if row.fee is None else EXACT.subtract(row.fee, self.fee)
        for part in parts:
            last = part is parts[-1]
            self.cum_qty = EXACT.add(self.cum_qty, part.qty)
            self.total = row.total if last else EXACT.fma(part.qty, part.px, self.total)
            filled = Filled(
                account=self.account, venue_cl_ord_id=self.venue_cl_ord_id, venue_order_id=self.venue_order_id,
                exec_id=part.exec_id, last_qty=part.qty, last_px=part.px, complete=last and row.complete,
                side=row.side, order_qty=row.requested.copy_abs(), symbol=self.symbol, cum_qty=self.cum_qty,
                avg_px=average(self.total, self.cum_qty), fee=fee if last else None, text=part.text,
            )  # fmt: skip
            outs.append(filled)
        if parts:
            self.fee = self.fee if row.fee is None else row.fee
            self._drop_counted()
        return outs

    def _end(self, row: Row) -> list[Out]:
        if row.live or self.over:
            return []
        self.over = True
        if row.complete:
            return []  # its last execution has said so
        canceled = Canceled(
            account=self.account, venue_cl_ord_id=self.venue_cl_ord_id, venue_order_id=self.venue_order_id,
            exec_id=f"{self.venue_order_id}:end", symbol=self.symbol, side=row.side, order_qty=row.requested.copy_abs(),
            cum_qty=row.filled, avg_px=row.avg_px, text="" if row.canceled else "no longer active, says Moonbase",
        )  # fmt: skip
        return [canceled]

    def _drop_counted(self) -> None:
        """Keep of the pool only what is beyond what was told."""
        ahead = EXACT.subtract(self.seen, self.cum_qty)
        kept: list[Trade] = []
        for trade in reversed(self.pool):
            if trade.qty > ahead:
                break
            ahead = EXACT.subtract(ahead, trade.qty)
            kept.append(trade)
        self.pool = kept[::-1]
