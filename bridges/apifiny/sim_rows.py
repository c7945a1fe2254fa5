"""What the venue's answers and pushes look like in JSON: orders, balances, accounts, symbols, market data. Pure.

Readings where the document is silent or contradicts itself:
 1. `accountId` in REST is the sub-account (STA-VENUE1_00000001), in the streams the account, as the samples show.
 2. Every row has cancelledUpdatedAt and filledUpdatedAt, null where there is none. limitPrice is absent of market orders,
    quantity and openQuantity of market orders by `total`, `total` of all others.
 3. openQuantity is 0 once an order is final. filledAveragePrice has at most 12 decimals, rounded half-even, and is 0
    without fills.
 4. lastFilled*, lastCommission* and isTaker tell the order's last fill, in every later update of it too; they are absent
    before the first.
 5. A listed fill is the order as it is now with that fill's own last*.
 6. A symbol's precisions are the decimals of its steps; a currency's is 8, and no currency can be deposited or withdrawn.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from bridges.apifiny.sim_ledger import Funds
from bridges.apifiny.sim_orders import Execution, Order
from bridges.apifiny.sim_settings import Account, Instrument
from bridges.apifiny.sim_tape import Candle, PublicTrade
from bridges.matching import ZERO, Book, Side

Row = dict[str, Any]
DEPTH = 20
_AVERAGE = Decimal("1e-12")


def sub_account(account_id: str, venue: str) -> str:
    """STA-00000001 -> STA-VENUE1_00000001."""
    prefix, dash, number = account_id.rpartition("-")
    return f"{prefix}{dash}{venue}_{number}"


def order(given: Order, quote: str) -> Row:
    """As REST shows it; `quote` is the currency of commissions."""
    return {"accountId": sub_account(given.asked.account_id, given.asked.venue)} | _order(given, given.last_fill, quote)


def fill(given: Execution, quote: str) -> Row:
    """ "Query List Fills"."""
    asked = given.order.asked
    return {"accountId": sub_account(asked.account_id, asked.venue)} | _order(given.order, given, quote)


def order_update(given: Order, quote: str, now_ms: int) -> Row:
    """ "Order Update Payload"."""
    return {"logTimestamp": now_ms, "payload": {"accountId": given.asked.account_id} | _order(given, given.last_fill, quote)}


def _order(given: Order, last: Execution | None, quote: str) -> Row:
    new = given.asked
    row: Row = {
        "venue": new.venue,
        "orderId": new.order_id,
        "symbol": new.symbol,
        "orderType": new.order_type.value,
        "timeInForce": new.tif,
        "orderSide": new.side.value,
    }
    if new.price is not None:
        row["limitPrice"] = new.price
    if new.total is not None:
        row["total"] = new.total
    if new.qty is not None:
        row["quantity"] = new.qty
        row["openQuantity"] = new.qty - given.filled if given.is_open else ZERO
    row |= {
        "filledAveragePrice": average(given),
        "filledCumulativeQuantity": given.filled,
        "orderStatus": given.status.value,
        "createdAt": given.created_ms,
        "updatedAt": given.updated_ms,
        "cancelledUpdatedAt": given.cancelled_ms,
        "filledUpdatedAt": given.filled_ms,
    }
    return row if last is None else row | _last(last, quote)


def _last(last: Execution, quote: str) -> Row:
    return {
        "lastCommission": last.fee,
        "lastCommissionCurrency": quote,
        "lastFilledQuantity": last.qty,
        "lastFilledPrice": last.price,
        "lastFilledCreatedAt": last.at_ms,
        "isTaker": last.taker,
    }


def average(given: Order) -> Decimal:
    if not given.filled:
        return ZERO
    exact = given.filled_value / given.filled
    return exact.quantize(_AVERAGE, ROUND_HALF_EVEN) if exact.adjusted() < 15 else exact


def balance(account_id: str, venue: str, currency: str, funds: Funds) -> Row:
    """ "Query Account Asset"."""
    return {
        "accountId": sub_account(account_id, venue),
        "venue": venue,
        "currency": currency,
        "coin": currency,
        "amount": funds.available + funds.frozen,
        "available": funds.available,
        "frozen": funds.frozen,
    }


def balance_update(account_id: str, venue: str, changed: Iterable[tuple[str, Decimal, Decimal]], now_ms: int) -> Row:
    """ "Account Update Payload", of (currency, available, frozen)."""
    payload = [
        {"accountId": account_id, "amount": free + frozen, "available": free, "currency": currency, "frozen": frozen, "venue": venue}
        for currency, free, frozen in changed
    ]
    return {"result": {"logTimestamp": now_ms, "payload": payload}, "error": None}


def account(given: Account, venues: Sequence[str], since_ms: int) -> Row:
    """ "Query Account Info"."""
    times = {"createdAt": since_ms, "updatedAt": since_ms}
    subs = [{"accountId": sub_account(given.account_id, venue), "venue": venue, "accountStatus": given.status} | times for venue in venues]
    return {"accountId": given.account_id, "accountStatus": given.status} | times | {"subAccountInfo": subs}


def symbol(given: Instrument) -> Row:
    """ "Query List Symbols"."""
    return {
        "symbol": given.symbol,
        "baseAsset": given.base,
        "baseAssetPrecision": _decimals(given.step_size),
        "quoteAsset": given.quote,
        "quotePrecision": _decimals(given.tick_size),
        "minPrice": given.min_price,
        "maxPrice": given.max_price,
        "minQuantity": given.min_quantity,
        "maxQuantity": given.max_quantity,
        "tickSize": given.tick_size,
        "stepSize": given.step_size,
        "minNotional": given.min_notional,
        "maxNotional": given.max_notional,
        "status": given.status,
    }


def currency(name: str) -> Row:
    """ "Query List Currencies"."""
    return {
        "currency": name,
        "currencyPrecision": 8,
        "status": "NOT_DEPOSIT_NOT_WITHDRAW",
        "withdrawMaxAmount": 1_000_000,
        "withdrawMinAmount": Decimal("0.004"),
        "withdrawMinFee": Decimal("0.0005"),
        "nextStatus": None,
        "nextStatusAt": None,
        "coin": name,
    }


def book(name: str, given: Book, now_ms: int) -> Row:
    """ "Order book": the best 20 prices a side, [price, size]."""
    sides = {word: [list(level) for level in given.levels(side, DEPTH)] for word, side in (("asks", Side.SELL), ("bids", Side.BUY))}
    return {"symbol": name, "updatedAt": now_ms} | sides


def trade(name: str, venue: str, given: PublicTrade) -> Row:
    """ "Trades"."""
    return {
        "symbol": name,
        "provider": venue,
        "price": given.price,
        "qty": given.qty,
        "side": given.side.value,
        "tradeTime": given.at_ms,
        "exchangeID": str(given.trade_id),
        "updateTime": given.at_ms,
    }


def candle(pair: str, venue: str, period: str, given: Candle) -> Row:
    """ "OHLCV"; `timestamp` is milliseconds, as in the samples (the table says seconds)."""
    return {
        "currencyPair": pair,
        "period": period,
        "open": given.open,
        "high": given.high,
        "low": given.low,
        "close": given.close,
        "vol": given.volume,
        "count": given.count,
        "timestamp": given.begin_ms,
        "exchange": venue,
    }


def ticker(name: str, venue: str, day: Candle, now_ms: int) -> Row:
    """ "Ticker": "24 hr stats"; `vol` in base and `amount` in quote currency."""
    return {
        "symbol": name,
        "open": day.open,
        "high": day.high,
        "low": day.low,
        "close": day.close,
        "vol": day.volume,
        "amount": day.amount,
        "count": day.count,
        "provider": venue,
        "tickerTime": now_ms,
        "updateAt": now_ms,
    }


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)
