"""One open order at the venue: what has been told of it, when it is looked at next, and its rows as events. Pure.

1. A row whose trades do not add up to its `deal_volume` is not believed: the venue is in the middle of writing it. It is looked at again;
   only after `PATIENCE` is told what there is, without CumQty, and an operator hears of it.
2. CumQty is counted in the order in which the executions are told. The venue's order is that of its trade ids, which are assumed to grow.
3. The executions of a market order wait for its end (at most `PATIENCE`): only the last one of a filled order is `complete`, and an order
   by cash amount has nothing else that says so. A market order never rests, so the wait is one poll.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from bridges.cryptocom.reading import LIVE, MARKET, Row, Status, Trade
from bridges.wire import Note, Out
from router.model import Accepted, Canceled, Filled
from router.words import EXACT, ZERO, Done

__all__ = ["PATIENCE", "Tracked"]

_MS: Final = 1_000_000
_SECOND: Final = 1_000_000_000
PATIENCE: Final = 10 * _SECOND
_FAST: Final = 200 * _MS
_FRESH: Final = 5 * _SECOND
_PACES: Final = ((_FRESH, _FAST), (15 * _SECOND, _SECOND), (60 * _SECOND, 2 * _SECOND))
_SLOWEST: Final = 5 * _SECOND
_AVG_PX_STEP: Final = Decimal(1).scaleb(-12)


class Tracked:
    """An order that is open as far as we know. Times in ns UTC."""

    __slots__ = (
        "account", "alone", "announced", "asked", "cancel_due", "canceled", "complete", "cum_qty", "due", "fresh", "in_flight", "ioc",
        "loose", "notional", "order_id", "over", "since", "symbol", "told", "unknown", "unlike", "venue_cl_ord_id", "venue_order_id",
    )  # fmt: skip

    def __init__(self, account: str, order_id: str, venue_cl_ord_id: str, venue_order_id: str, symbol: str, fresh: int, now: int) -> None:
        """`fresh`: when the order was placed."""
        self.account = account
        self.order_id = order_id
        self.venue_cl_ord_id = venue_cl_ord_id
        self.venue_order_id = venue_order_id
        self.symbol = symbol
        self.fresh = fresh
        self.since = self.due = now
        self.canceled: int | None = None
        """When the venue took its cancel."""
        self.cancel_due: int | None = None
        """When a cancel of ours (emulated IOC) is to be sent again."""
        self.asked: int | None = None
        """When the router asked; None when that was answered."""
        self.in_flight = False
        self.alone = False
        """Whether it must be looked at by itself: a list showed that it changed."""
        self.announced = False
        self.ioc = False
        """Whether the emulation of IOC wants it canceled."""
        self.told: dict[str, Trade] = {}
        self.cum_qty = self.notional = ZERO
        self.unlike: int | None = None
        """Since when its trades have not added up."""
        self.loose = False
        """Whether executions were told that did not add up: CumQty says nothing from then on."""
        self.unknown = 0
        """How often in a row the venue said that it knows no such order."""
        self.complete = False
        """Whether an execution was told to be the last."""
        self.over = False

    def pace(self, now: int) -> int:
        """How long to wait until the next look, ns."""
        if self.canceled is not None:
            return _FAST if now - self.canceled < _FRESH else _SECOND
        age = now - self.fresh
        return next((pace for until, pace in _PACES if age < until), _SLOWEST)

    def ask(self, now: int) -> None:
        """The router wants to know."""
        self.asked = self.due = now

    def still_there(self, row: Row, issued: int) -> list[Out]:
        """A row of a list. It shows no trades, so it can only say that nothing has changed; where something has, a look is due.
        What was executed before this process started is not known here either, and so is a change."""
        if row.deal_volume != self.cum_qty or row.status not in LIVE or row.status is Status.PENDING_CANCEL:
            self.alone = True
            return []
        return [self.accepted()] if self._answers(issued) or not self.announced else []

    def tell(self, row: Row, issued: int, now: int) -> list[Out]:
        """A row of showOrder as events: executions, then the end, or that the order is still there. `issued`: when it was asked for."""
        self.unknown = 0
        believed = self._adds_up(row, now)
        self.alone = self.unlike is not None
        if not believed:
            return []
        outs: list[Out] = []
        if self.unlike is not None and not self.loose:
            self.loose = True
            outs.append(Note(f"{self.name}: its executions do not add up to {row.deal_volume:f}; told as they are listed", "error"))
        live, repeat, announced = row.status in LIVE, self._answers(issued), self.announced
        if live and not announced:
            outs.append(self.accepted())
        if not live or row.type != MARKET or now - self.since >= PATIENCE:
            outs += self._fills(row, repeat)
        if not live:
            self.over = True
            outs += self._end(row)
        elif repeat and announced:
            outs.append(self.accepted())
        return outs

    def accepted(self, text: str = "") -> Accepted:
        """The order is there; the ExecID is always the same, so a repetition is recognised."""
        self.announced = True
        return Accepted(
            account=self.account,
            exec_id=f"{self.venue_order_id}:new",
            venue_cl_ord_id=self.venue_cl_ord_id,
            venue_order_id=self.venue_order_id,
            text=text,
        )

    @property
    def name(self) -> str:
        """For people."""
        return f"order {self.venue_order_id} ({self.order_id})"

    def _answers(self, issued: int) -> bool:
        """Whether this look answers the router's question: it must have been asked for after the question."""
        if self.asked is None or issued < self.asked:
            return False
        self.asked = None
        return True

    def _adds_up(self, row: Row, now: int) -> bool:
        executed = ZERO
        for trade in row.trades:
            executed = EXACT.add(executed, trade.qty)
        if executed == row.deal_volume and not (row.status is Status.FILLED and not row.trades):
            self.unlike = None
            return True
        if self.unlike is None:
            self.unlike = now
        return now - self.unlike >= PATIENCE

    def _fills(self, row: Row, repeat: bool) -> list[Out]:
        before = list(self.told.values()) if repeat else []
        new = [trade for trade in row.trades if trade.trade_id not in self.told]
        self.told |= {trade.trade_id: trade for trade in new}
        cum_qty, notional = (ZERO, ZERO) if repeat else (self.cum_qty, self.notional)
        outs: list[Out] = []
        for trade in (every := [*before, *new]):
            # Of a limit order whose list is short, the last one listed is not the last one.
            complete = row.status is Status.FILLED and trade is every[-1] and (row.by_cash or not self.loose)
            self.complete |= complete and trade in new
            cum_qty = EXACT.add(cum_qty, trade.qty)
            notional = EXACT.fma(trade.qty, trade.px, notional)
            filled = Filled(
                account=self.account, exec_id=f"{self.venue_order_id}:{trade.trade_id}",
                venue_cl_ord_id=self.venue_cl_ord_id, venue_order_id=self.venue_order_id,
                last_qty=trade.qty, last_px=trade.px, complete=complete,
                cum_qty=None if self.loose else cum_qty, avg_px=None if self.loose else _average(notional, cum_qty),
                fee=trade.fee, fee_currency=trade.fee_currency,
            )  # fmt: skip
            outs.append(filled)
        self.cum_qty, self.notional = cum_qty, notional
        return outs

    def _end(self, row: Row) -> list[Out]:
        if row.status is Status.FILLED:
            # Said by the last execution, or by the quantity. Where it is said by neither, because that one was told before the venue called
            # the order filled or is not listed, it has to be said in another way; the CumQty that goes with it is what matters.
            told = self.complete if row.by_cash else self.complete or self.cum_qty >= row.volume
            return [] if told else [self._canceled(row, Done.CANCELED, "filled, says Crypto.com")]
        if row.status is Status.EXPIRED:
            return [self._canceled(row, Done.EXPIRED, "abnormal order, says Crypto.com")]
        return [self._canceled(row, Done.CANCELED, "IOC emulated: the rest was canceled" if self.ioc else "")]

    def _canceled(self, row: Row, how: Done, text: str) -> Canceled:
        cum_qty: Decimal | None = self.cum_qty
        avg_px = _average(self.notional, self.cum_qty)
        if self.loose:
            # Of a market buy the document does not say whether `deal_volume` is coins or money, and here it has not shown.
            cum_qty = None if row.by_cash else row.deal_volume
            avg_px = row.avg_price if row.avg_price else None
        return Canceled(
            account=self.account, exec_id=f"{self.venue_order_id}:end", how=how,
            venue_cl_ord_id=self.venue_cl_ord_id, venue_order_id=self.venue_order_id, cum_qty=cum_qty, avg_px=avg_px, text=text,
        )  # fmt: skip


def _average(notional: Decimal, cum_qty: Decimal) -> Decimal | None:
    """Exact where it ends within 12 decimals, else the nearest such value, as the router itself has it."""
    if not cum_qty:
        return None
    exact = EXACT.divide(notional, cum_qty)
    rounded = EXACT.quantize(exact, _AVG_PX_STEP)
    return exact if exact == rounded else rounded.normalize(EXACT)
