"""Orders, trades and accounts as the User API shows them, key for key with the document's samples. Pure.

Assumptions:
 1. `status_msg`: the samples have "Unsettled" (1) and "Completely Filled" (2); the other texts are ours.
 2. A market order's `price` is 0. A market buy's `volume` and `remain_volume` are quote coin, like the request's
    `volume`, and its `total_price` is that too; a market sell's `total_price` is 0.
 3. An order's `deal_price` is the quote coin traded so far, with sixteen decimals (9.7442500000000000 for 0.001 at
    9744.25); so is a trade's in "Get order detail", with eight. In "List all executed orders" it is cut to two decimals,
    which is what 9.74447 and 9.74425 both appear as.
 4. A trade's `ctime` is cut to the second: it may lie before its order's `created_at`, as in the sample.
 5. `btcValuatin` (so spelt) goes by last prices, through the coin that both trade in, and is 0 where there is none.
"""

from decimal import ROUND_DOWN, Decimal
from typing import Any

from bridges.cryptocom.sim_exchange import Exchange
from bridges.cryptocom.sim_orders import Fill, Order, Status
from bridges.cryptocom.sim_settings import Instrument
from bridges.cryptocom.sim_text import fixed8, number, plain, whole_second
from bridges.matching import ZERO, Side

_API = 3
_MESSAGES = {
    Status.INIT: "Initial",
    Status.NEW: "Unsettled",
    Status.FILLED: "Completely Filled",
    Status.PART_FILLED: "Partially Filled",
    Status.CANCELED: "Canceled",
    Status.PENDING_CANCEL: "Pending Cancel",
    Status.EXPIRED: "Expired",
}
_SATOSHI, _CENT = Decimal("0.00000001"), Decimal("0.01")


def order_row(order: Order, instrument: Instrument) -> dict[str, Any]:
    """A row of openOrders and allOrders; "Get order detail" adds `tradeList` to it."""
    new = order.asked
    total = new.volume if new.by_total else ZERO if new.price is None else new.price * new.volume
    return {
        "side": new.side.value,
        "total_price": fixed8(total),
        "fee": number(order.fee, 8),
        "created_at": order.created_ms,
        "deal_price": number(order.value, 16),
        "avg_price": fixed8(order.value / order.filled if order.filled else ZERO),
        "countCoin": instrument.quote.upper(),
        "source": _API,
        "type": int(new.type),
        "side_msg": new.side.value,
        "volume": fixed8(new.volume),
        "price": fixed8(new.price or ZERO),
        "source_msg": "API",
        "status_msg": _MESSAGES[order.status],
        "deal_volume": fixed8(order.filled),
        "fee_coin": _fee_coin(order, instrument),
        "id": order.order_id,
        "remain_volume": fixed8(order.remaining),
        "baseCoin": instrument.base.upper(),
        "status": int(order.status),
    }


def order_trade(order: Order, fill: Fill, instrument: Instrument) -> dict[str, Any]:
    """A row of `trade_list` and `tradeList`."""
    return {
        "volume": fixed8(fill.qty),
        "feeCoin": _fee_coin(order, instrument),
        "price": fixed8(fill.price),
        "fee": fixed8(fill.fee),
        "ctime": whole_second(fill.at_ms),
        "deal_price": fixed8(fill.price * fill.qty),
        "id": fill.trade_id,
        "type": order.asked.side.value,
    }


def my_trade(order: Order, fill: Fill, instrument: Instrument) -> dict[str, Any]:
    """A row of myTrades: `bid_*` for a buy, `ask_*` for a sell."""
    side = order.asked.side
    party = "bid" if side is Side.BUY else "ask"
    row = order_trade(order, fill, instrument)
    row["side"] = side.value
    row["deal_price"] = str((fill.price * fill.qty).quantize(_CENT, ROUND_DOWN))
    row[f"{party}_id"] = order.order_id
    row[f"{party}_user_id"] = order.user_id
    return row


def account(exchange: Exchange, user_id: int) -> dict[str, Any]:
    """Every coin that is traded here, whether the user has any or not."""
    coins = sorted({coin for each in exchange.instruments.values() for coin in (each.base, each.quote)})
    rows = [_coin_row(exchange, user_id, coin) for coin in coins]
    return {"total_asset": plain(sum((row["btcValuatin"] for row in rows), ZERO)), "coin_list": rows}


def _coin_row(exchange: Exchange, user_id: int, coin: str) -> dict[str, Any]:
    funds = exchange.funds(user_id, coin)
    worth = (funds.normal + funds.locked) * _in_btc(exchange, coin)
    return {
        "normal": plain(funds.normal),
        "locked": plain(funds.locked),
        "btcValuatin": plain(worth.quantize(_SATOSHI, ROUND_DOWN)),
        "coin": coin,
    }


def _in_btc(exchange: Exchange, coin: str) -> Decimal:
    if coin == "btc":
        return Decimal(1)
    last = {(each.base, each.quote): exchange.tapes[each.symbol].last for each in exchange.instruments.values()}
    if (coin, "btc") in last:
        return last[coin, "btc"]
    for (base, quote), price in last.items():
        if base == "btc" and price and (coin == quote or (coin, quote) in last):
            return last.get((coin, quote), Decimal(1)) / price
    return ZERO


def _fee_coin(order: Order, instrument: Instrument) -> str:
    return (instrument.base if order.asked.side is Side.BUY else instrument.quote).upper()
