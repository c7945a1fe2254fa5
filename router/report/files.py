"""The CSV files of a day: one row an order, one row an execution message. UTF-8, with a header, CRLF, comma, quotes where needed.

- Amounts are exact decimals as text. Times are ISO 8601, UTC, with microseconds; "" where there is none.
- A cell that somebody else wrote (ClOrdID, Account, Symbol, Text, the venue's ids and currencies …) and that begins with =, +, -, @, a tab
  or a carriage return gets an apostrophe before it: a spreadsheet would run it as a formula.
- In the file of fills, a row counts in the day's volumes where `counts` is "yes"; "earlier" changes an execution of an earlier day.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from router.order import Order
from router.report.day import Day
from router.report.trades import Fill

__all__ = ["FILLS", "ORDERS", "exact", "fill_rows", "iso", "order_rows", "outside", "write"]

ORDERS: Final = (
    "order_id", "session", "cl_ord_id", "account", "destination", "symbol", "side", "ord_type", "tif", "qty", "price", "status", "cum_qty",
    "avg_px", "created", "ended", "text", "cash_qty", "stop_px", "unknown",
)  # fmt: skip
FILLS: Final = (
    "exec_id", "order_id", "session", "cl_ord_id", "account", "destination", "symbol", "side", "last_qty", "last_px", "fee", "fee_currency",
    "time", "kind", "exec_ref_id", "venue_order_id", "venue_cl_ord_id", "venue_exec_id", "counts", "became", "text",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def outside(text: str | None) -> str:
    """What somebody else wrote, so that no spreadsheet takes it for a formula."""
    if not text:
        return ""
    return f"'{text}" if text.startswith(_FORMULA) else text


def exact(value: Decimal | None) -> str:
    """An amount as text, every digit of it and no exponent."""
    return "" if value is None else f"{value:f}"


def iso(time_ns: int) -> str:
    """ns UTC as ISO 8601 with microseconds, cut and not rounded; "" for 0."""
    if not time_ns:
        return ""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z"


def order_rows(day: Day) -> Iterator[tuple[str, ...]]:
    """The orders of the day, oldest first, as they stood at its end."""
    for order in sorted(day.orders.values(), key=lambda each: each.created):
        yield _order(day, order)


def _order(day: Day, order: Order) -> tuple[str, ...]:
    asked = order.request
    ended = day.ended.get(order.order_id, order.updated) if order.done else 0
    return (
        order.order_id, asked.session, outside(asked.cl_ord_id), outside(asked.account), outside(order.destination or asked.destination),
        outside(order.symbol or asked.symbol), asked.side, asked.ord_type or "", order.time_in_force or "", exact(asked.order_qty),
        exact(asked.price), order.ord_status, exact(order.cum_qty), exact(order.avg_px), iso(order.created), iso(ended),
        outside(order.doubt or order.text), exact(asked.cash_order_qty), exact(asked.stop_px), "yes" if order.doubt else "no",
    )  # fmt: skip


def fill_rows(day: Day) -> Iterator[tuple[str, ...]]:
    """The execution messages of the day, as they were told."""
    return (_fill(each) for each in day.trades.fills)


def _fill(fill: Fill) -> tuple[str, ...]:
    order, leg = fill.order, fill.leg
    return (
        fill.exec_id, order.order_id, order.request.session, outside(fill.cl_ord_id), outside(order.request.account), order.destination,
        order.symbol, fill.side, exact(fill.last_qty), exact(fill.last_px), exact(fill.fee), outside(fill.fee_currency), iso(fill.time),
        fill.kind, fill.exec_ref_id, outside(leg.venue_order_id) if leg else "", outside(leg.venue_cl_ord_id) if leg else "",
        outside(fill.venue_exec_id), fill.counts, fill.became, outside(fill.text),
    )  # fmt: skip


def write(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Raises `OSError`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
