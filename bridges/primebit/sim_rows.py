"""The venue's objects as it writes them, from the document's samples. Pure.

Readings: amounts are texts with at least one decimal, and no further zeros at the end ("2.0", "53.3"; the samples differ
between "3", "2.0" and "8521.00"). What is computed has at most 8 decimals, as `balance` and `equity` have.
"""

import json
from decimal import Decimal
from typing import Any

from bridges.matching import Side
from bridges.primebit.sim_account import Position
from bridges.primebit.sim_orders import Order, Row
from bridges.primebit.sim_settings import ContractSettings

SIDE_WORDS = {Side.BUY: "buy", Side.SELL: "sell"}
_COMPUTED = Decimal("0.00000001")


def dumps(message: Any) -> str:
    return json.dumps(message, separators=(",", ":"))


def text(amount: Decimal) -> str:
    """Plain digits with at least one decimal."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def computed(amount: Decimal) -> str:
    """As `text`, of what may have come out of a division."""
    return text(amount.quantize(_COMPUTED) + 0)


def order(order: Order, login: str, contract: ContractSettings, comment: str) -> Row:
    """The order channel's object; `volume` is what is left, also of an order that has ended."""
    new = order.asked
    return {
        "login": login,
        "comment": comment,
        "contract_size": text(contract.contract_size),
        "expiration_time": new.expiration_time,
        "fill_type": new.fill_type,
        "side": SIDE_WORDS[new.side],
        "limit_price": text(new.limit_price),
        "order_id": order.order_id,
        "stop_price": text(new.stop_price),
        "symbol": new.symbol,
        "volume": text(order.left),
    }


def position(position: Position, last: Decimal, contract: ContractSettings) -> Row:
    return {
        "position_id": position.position_id,
        "price_current": text(last),
        "price_open": computed(position.price_open),
        "profit": computed(position.profit(last, contract)),
        "side": "buy" if position.size > 0 else "sell",
        "symbol": contract.symbol,
        "volume": text(position.volume),
    }


def account(balance: Decimal, profit: Decimal, margin: Decimal) -> Row:
    equity = balance + profit
    return {
        "balance": computed(balance),
        "equity": computed(equity),
        "margin": computed(margin),
        "margin_free": computed(equity - margin),
    }


def tick(ask: Decimal | None, bid: Decimal | None, last: Decimal | None, volume: Decimal | None, now_ms: int) -> Row:
    return {
        "ask": None if ask is None else text(ask),
        "bid": None if bid is None else text(bid),
        "last": None if last is None else text(last),
        "timestamp_ms": now_ms,
        "volume": None if volume is None else text(volume),
    }


def levels(side: list[tuple[Decimal, Decimal]]) -> list[Row]:
    return [{"price": text(price), "size": text(size)} for price, size in side]
