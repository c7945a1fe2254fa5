"""What each channel does ("Channels"): joins and their snapshots, and the requests on them. Pure.

Assumptions:
 1. Parameters that are not named, of a wrong kind or out of range are `invalid_params`; an unknown symbol is `not_found`, an
    unknown topic "unmatched topic". `/trades` begins with the last 100 trades, newest first.
 2. `place` is answered with the order as it was accepted, before it trades (the document's is unfilled); what follows at
    once comes after the reply, as upserts and trades. `cancel` is answered with the order as it is then.
 3. `/orderbooks`: `limit` is levels a side of the snapshot; upserts are of the whole book. `/orders`: `status` "open" is what
    is active, null everything; newest first.
 4. `assign` takes amounts by symbol, as text or number, as in its example, or `symbol` and `margin`, as in its table.
 5. Deposits are the balances of the start, in one bonus each. `create_withdrawal` is `forbidden` unless the simulator's
    settings allow it; then the amount leaves at once.
 6. An event that a channel does not know breaks it: `Unknown` (see `sim_session`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bridges.moonbase import sim_rows as rows
from bridges.moonbase.sim_errors import UNMATCHED, Refused, invalid
from bridges.moonbase.sim_exchange import Exchange
from bridges.moonbase.sim_rules import new_order, number, only
from bridges.moonbase.sim_settings import MoonbaseSettings
from bridges.moonbase.sim_tape import MAX_RESOLUTION
from bridges.moonbase.sim_text import stamp, stamp_z

MAX_LIMIT = 1000
LAST_TRADES = 100
MARKET_TOPICS = frozenset({"trades", "candles", "orderbooks", "orders"})
USER_TOPICS = frozenset({"tickers", "balances", "positions", "deposits", "withdrawals"})
Params = dict[str, Any]
_MOVED = ("asset", "limit")
_JOIN_PARAMS = {"orders": ("status", "limit"), "orderbooks": ("limit",), "deposits": _MOVED, "withdrawals": _MOVED}


class Unknown(Exception):
    """The channel knows no such event."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that a connection has joined. `symbols` of tickers, empty for all; `resolution_s` of candles."""

    topic: str
    name: str
    symbol: str
    symbols: tuple[str, ...] = ()
    resolution_s: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """`response` for the reply, and what is still to be done after it."""

    response: Any
    then: Callable[[int], None] | None = None


class Channels:
    """`start_ns` is when the deposits of the start came."""

    def __init__(self, exchange: Exchange, settings: MoonbaseSettings, start_ns: int) -> None:
        self._exchange, self._settings, self._start_ns = exchange, settings, start_ns
        self._withdrawn: dict[int, list[dict[str, Any]]] = {}
        self._calls: dict[tuple[str, str], Callable[[int, str, Params, int], Done]] = {
            ("orders", "place"): self._place,
            ("orders", "cancel"): self._cancel,
            ("candles", "get_snapshot"): lambda _user, symbol, params, _now: Done(self._candles(symbol, params)[0]),
            ("positions", "assign"): self._assign,
            ("deposits", "get_deposit_address"): self._deposit_address,
            ("withdrawals", "create_withdrawal"): self._withdraw,
        }

    def join(self, user_id: int, topic: str, params: Params, now_ns: int) -> tuple[Channel, Any]:
        """The channel and its snapshot. Refused."""
        name, symbol = self._parted(topic)
        if name == "tickers":
            return self._join_tickers(topic, params, now_ns)
        if name == "candles":
            response, resolution_s = self._candles(symbol, params)
            return Channel(topic, name, symbol, resolution_s=resolution_s), response
        return Channel(topic, name, symbol), self._snapshot(user_id, name, symbol, params)

    def call(self, user_id: int, channel: Channel, event: str, params: Params, now_ns: int) -> Done:
        """Refused; Unknown."""
        call = self._calls.get((channel.name, event))
        if call is None:
            raise Unknown(event)
        return call(user_id, channel.symbol, params, now_ns)

    def memory(self) -> dict[str, Any]:
        return {"withdrawn": self._withdrawn, "channels_since_ns": self._start_ns}

    def recall(self, memory: dict[str, Any]) -> None:
        self._withdrawn, self._start_ns = memory["withdrawn"], memory["channels_since_ns"]

    def reset(self) -> None:
        self._withdrawn.clear()

    # Joins

    def _parted(self, topic: str) -> tuple[str, str]:
        _, _, rest = topic.partition("/")
        name, slash, symbol = rest.partition("/")
        if topic.startswith("/") and name in USER_TOPICS and not slash:
            return name, ""
        if not topic.startswith("/") or name not in MARKET_TOPICS or not symbol:
            raise Refused(UNMATCHED, topic=topic)
        if symbol not in self._exchange.instruments:
            raise Refused("not_found", symbol=symbol)
        return name, symbol

    def _join_tickers(self, topic: str, params: Params, now_ns: int) -> tuple[Channel, Any]:
        only(params, "symbols")
        symbols = [] if params.get("symbols") is None else params["symbols"]
        if not isinstance(symbols, list) or not all(isinstance(each, str) for each in symbols):
            raise invalid("symbols", "is no list of texts")
        for each in symbols:
            if each not in self._exchange.instruments:
                raise Refused("not_found", symbol=each)
        return Channel(topic, "tickers", "", tuple(symbols)), self.tickers(tuple(symbols), now_ns)

    def tickers(self, symbols: tuple[str, ...], now_ns: int) -> list[rows.Row]:
        """Of these symbols, or of all."""
        books, tapes = self._exchange.books, self._exchange.tapes
        return [rows.ticker(each, books[each], tapes[each], now_ns) for each in symbols or self._exchange.instruments]

    def _snapshot(self, user_id: int, name: str, symbol: str, params: Params) -> Any:
        only(params, *_JOIN_PARAMS.get(name, ()))
        account = self._exchange.accounts[user_id]
        if name == "trades":
            return [rows.trade(each) for each in self._exchange.tapes[symbol].latest(LAST_TRADES)]
        if name == "orderbooks":
            depth = None if params.get("limit") is None else _whole("limit", params["limit"], 1, MAX_LIMIT)
            return rows.pairs(rows.levels(self._exchange.books[symbol], depth))
        if name == "orders":
            return self._orders(user_id, symbol, params)
        if name == "balances":
            return [rows.balance(each) for each in account.balances.values()]
        if name == "positions":
            return rows.positions(account.positions.values(), user_id)
        return self._moved(user_id, name, params)

    def _orders(self, user_id: int, symbol: str, params: Params) -> list[rows.Row]:
        status = params.get("status")
        if status not in (None, "open"):
            raise invalid("status", "is neither open nor null")
        found = self._exchange.user_orders(user_id, symbol, status == "open", _limit(params))
        return [rows.order(each, user=True) for each in found]

    def _candles(self, symbol: str, params: Params) -> tuple[Any, int]:
        only(params, "from", "to", "resolution")
        from_s, to_s = (_whole(name, params.get(name), 0, 10**11) for name in ("from", "to"))
        resolution_s = _whole("resolution", params.get("resolution"), 60, MAX_RESOLUTION)
        if resolution_s % 60:
            raise invalid("resolution", "is not a multiple of 60")
        found, before = self._exchange.tapes[symbol].candles(from_s, to_s, resolution_s)
        return {"data": [[rows.candle(each, symbol, resolution_s) for each in found], before]}, resolution_s

    def _moved(self, user_id: int, name: str, params: Params) -> list[dict[str, Any]]:
        asset, limit = params.get("asset"), _limit(params)
        if asset is not None:
            self._known(user_id, asset)
        found = self._deposits(user_id) if name == "deposits" else self._withdrawn.get(user_id, [])[::-1]
        return [each for each in found if asset in (None, each["asset"])][:limit]

    def _deposits(self, user_id: int) -> list[dict[str, Any]]:
        (user,) = (each for each in self._settings.users if each.user_id == user_id)
        return [
            {
                "updated_at": stamp(self._start_ns),
                "transaction_hash": f"BONUS-{_address(user_id, f'bonus {asset}')}",
                "is_processed": True,
                "inserted_at": stamp(self._start_ns),
                "id": n,
                "confirmation_count": 3,
                "asset": asset,
                "amount": amount,
                "address": _address(user_id, asset),
            }
            for n, (asset, amount) in enumerate(user.balances.items(), 1)
        ]

    # Requests

    def _place(self, user_id: int, symbol: str, params: Params, now_ns: int) -> Done:
        order = self._exchange.accept(user_id, new_order(params, self._exchange.instruments[symbol]), now_ns)
        return Done(rows.order(order), lambda then_ns: self._exchange.enter(order, then_ns))

    def _cancel(self, user_id: int, symbol: str, params: Params, now_ns: int) -> Done:
        only(params, "id")
        order = self._exchange.find(user_id, symbol, _whole("id", params.get("id"), 0, 2**53))
        self._exchange.cancel(order, now_ns)
        return Done(rows.order(order))

    def _assign(self, user_id: int, _symbol: str, params: Params, _now_ns: int) -> Done:
        if set(params) == {"symbol", "margin"} and isinstance(params["symbol"], str):
            params = {params["symbol"]: params["margin"]}
        margins = {symbol: number(symbol, margin, or_text=True) for symbol, margin in params.items()}
        for symbol, margin in margins.items():
            if symbol not in self._exchange.instruments:
                raise Refused("not_found", symbol=symbol)
            if margin < 0:
                raise invalid(symbol, "is below zero")
        account = self._exchange.accounts[user_id]
        for symbol, margin in margins.items():
            account.assign(self._exchange.instruments[symbol], margin)
        return Done({"data": rows.positions(account.positions[symbol] for symbol in margins)})

    def _deposit_address(self, user_id: int, _symbol: str, params: Params, _now_ns: int) -> Done:
        only(params, "asset")
        asset = self._known(user_id, params.get("asset"))
        return Done({"asset": asset, "address": _address(user_id, asset)})

    def _withdraw(self, user_id: int, _symbol: str, params: Params, now_ns: int) -> Done:
        if not self._settings.allow_withdrawals:
            raise Refused("forbidden")
        only(params, "asset", "address", "amount")
        asset, address = self._known(user_id, params.get("asset")), params.get("address")
        amount = number("amount", params.get("amount"), or_text=True)
        if not isinstance(address, str) or not address:
            raise invalid("address", "is missing")
        if amount <= 0:
            raise invalid("amount", "is not above zero")
        balance = self._exchange.accounts[user_id].balance(asset)
        if amount > balance.available:
            raise Refused("insufficient_funds", asset=asset, required=amount, available=balance.available)
        balance.available -= amount
        balance.withdrawn += amount
        row = {"inserted_at": stamp_z(now_ns), "id": self._exchange.mint(), "asset": asset, "amount": amount, "address": address}
        self._withdrawn.setdefault(user_id, []).append(row)
        return Done(row)

    def _known(self, user_id: int, asset: Any) -> str:
        if not isinstance(asset, str):
            raise invalid("asset", "is missing or no text")
        if asset not in self._exchange.accounts[user_id].balances:
            raise Refused("not_found", asset=asset)
        return asset


def _limit(params: Params) -> int:
    return _whole("limit", MAX_LIMIT if params.get("limit") is None else params["limit"], 1, MAX_LIMIT)


def _whole(name: str, value: Any, least: int, most: int) -> int:
    if type(value) is not int:
        raise invalid(name, "is missing or no whole number")
    if not least <= value <= most:
        raise invalid(name, f"is not between {least} and {most}")
    return value


def _address(user_id: int, what: str) -> str:
    """A made-up one, always the same, in the form of the sample's."""
    text = sha256(f"{user_id} {what}".encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"
