"""Rows of payloads, field by field as in the document's samples. Pure.

Readings:
 1. Orders: only the join's reply has `user_id`, as in the samples. `filled_amount` has the sign of `requested_amount`;
    `filled_total` (price times amount) and `fee`, both in quote asset, have none. `triggered_at` of an order without a
    trigger is when it was inserted, as in the samples; of one with a trigger, null until then. `external_id` is null.
 2. Trades: the join's reply has neither `taker_order_id` nor `maker_order_id`, as in the sample. `amount` is above zero.
 3. Books: bids are above zero, "negative amount is for short orders"; rows by rising price. In an upsert an amount is the
    level's new one, 0 where it is gone.
 4. Tickers: `updated_at` in upserts alone. A price that there is not is null.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bridges.matching import Book, Side
from bridges.moonbase.sim_accounts import Balance, Position
from bridges.moonbase.sim_orders import Order, Traded
from bridges.moonbase.sim_tape import Candle, Tape
from bridges.moonbase.sim_text import stamp

Row = dict[str, Any]
Levels = dict[Decimal, Decimal]
_UNUSED = ("pledged_amount", "offered_amount", "loaned_amount", "drawn_amount", "borrowed_amount")


def order(each: Order, user: bool = False) -> Row:
    new = each.asked
    row = {
        "updated_at": stamp(each.updated_ns),
        "triggered_at": _stamp(each.triggered_ns),
        "trigger_price": new.trigger_price,
        "symbol": new.symbol,
        "requested_amount": each.signed,
        "limit_price": new.limit_price,
        "is_liquidation": False,
        "is_active": each.active,
        "inserted_at": stamp(each.inserted_ns),
        "id": each.order_id,
        "filled_total": each.total,
        "filled_amount": each.filled if new.side is Side.BUY else -each.filled,
        "fee": each.fee,
        "external_id": None,
        "cancelled_at": _stamp(each.cancelled_ns),
    }
    return {"user_id": each.user_id} | row if user else row


def _stamp(at_ns: int | None) -> str | None:
    return None if at_ns is None else stamp(at_ns)


def trade(each: Traded, ids: bool = False) -> Row:
    row = {"timestamp": stamp(each.at_ns), "symbol": each.symbol, "price": each.price, "id": each.trade_id, "amount": each.amount}
    return row | {"taker_order_id": each.taker_order_id, "maker_order_id": each.maker_order_id} if ids else row


def levels(book: Book, depth: int | None = None) -> Levels:
    """Signed amounts by price, rising."""
    bids = dict(reversed(book.levels(Side.BUY, depth)))
    return bids | {price: -qty for price, qty in book.levels(Side.SELL, depth)}


def pairs(view: Levels) -> list[list[Decimal]]:
    return [[price, view[price]] for price in sorted(view)]


def ticker(symbol: str, book: Book, tape: Tape, now_ns: int) -> Row:
    base, quote = tape.day(now_ns)
    return {
        "symbol": symbol,
        "quote_amount": quote,
        "mark_price": tape.last or None,
        "bid_price": book.best(Side.BUY),
        "base_amount": base,
        "ask_price": book.best(Side.SELL),
    }


def candle(each: Candle, symbol: str, resolution_s: int) -> Row:
    return {
        "volume": each.buys + each.sells,
        "timestamp": each.start_s,
        "symbol": symbol,
        "sells": each.sells,
        "resolution": resolution_s,
        "open": each.open,
        "low": each.low,
        "id": each.candle_id,
        "high": each.high,
        "close": each.close,
        "buys": each.buys,
    }


def balance(each: Balance) -> Row:
    return {
        "withdrawn_amount": each.withdrawn,
        **dict.fromkeys(_UNUSED, 0),
        "placed_amount": each.placed,
        "id": each.balance_id,
        "available_amount": each.available,
        "assigned_amount": each.assigned,
        "asset": each.asset,
    }


def position(each: Position, user_id: int | None = None) -> Row:
    row = {
        "total": each.total,
        "symbol": each.symbol,
        "price": each.price,
        "margin": each.margin,
        "id": each.position_id,
        "fee": each.fee,
        "amount": each.amount,
    }
    return row if user_id is None else {"user_id": user_id} | row


def positions(found: Iterable[Position], user_id: int | None = None) -> list[Row]:
    return [position(each, user_id) for each in found]
