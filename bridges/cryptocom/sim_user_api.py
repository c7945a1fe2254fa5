"""The User API: each call from its parameters to its `data`. Pure; who asks is known already.

Assumptions:
 1. Lists come newest first, as in the samples; myTrades with `sort` 1 ("reverse order") oldest first.
 2. `page` counts from 1; without `pageSize` it is `default_page_size`, and above `max_page_size` it is refused. A page
    beyond the last is empty. `count` is the number of all that fit, not of the page.
 3. `startDate` and `endDate` are inclusive to the second, in UTC, and go by `created_at` and `ctime`.
 4. The answer to a cancel says `data` null ("(null)"): nothing of the order's status.
 5. Faults: `duplicate_event` lists the first trade of an answer twice, `reorder_events` reverses the trades; both meet
    the next showOrder or myTrades (`match` `query` or `any`) that has enough trades to show it.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bridges.cryptocom import sim_shapes
from bridges.cryptocom.sim_errors import NO_PERMISSION, Refused, invalid, malformed
from bridges.cryptocom.sim_exchange import Exchange
from bridges.cryptocom.sim_orders import Order
from bridges.cryptocom.sim_rules import new_order
from bridges.cryptocom.sim_settings import CryptocomSettings, User
from bridges.cryptocom.sim_text import date_ms, whole_second
from bridges.faults import Faults

Params = Mapping[str, str]
_T = TypeVar("_T")


class UserApi:
    def __init__(self, exchange: Exchange, settings: CryptocomSettings, faults: Faults) -> None:
        self._exchange, self._settings, self._faults = exchange, settings, faults

    def account(self, user: User, _params: Params, _now_ms: int) -> Any:
        return sim_shapes.account(self._exchange, user.user_id)

    def create(self, user: User, params: Params, now_ms: int) -> Any:
        _may_trade(user)
        order = self._exchange.place(user.user_id, new_order(params, self._exchange.instruments), now_ms)
        return {"order_id": order.order_id}

    def cancel(self, user: User, params: Params, now_ms: int) -> Any:
        _may_trade(user)
        self._exchange.cancel(self._order(user, params), now_ms)

    def cancel_all(self, user: User, params: Params, now_ms: int) -> Any:
        _may_trade(user)
        self._exchange.cancel_all(user.user_id, self._symbol(params), now_ms)

    def show(self, user: User, params: Params, _now_ms: int) -> Any:
        order = self._order(user, params)
        instrument = self._exchange.instruments[order.asked.symbol]
        rows = [sim_shapes.order_trade(order, fill, instrument) for fill in reversed(order.fills)]
        rows = self._disturbed(rows)
        info = sim_shapes.order_row(order, instrument) | {"tradeList": rows}
        return {"trade_list": rows, "order_info": info}

    def open_orders(self, user: User, params: Params, _now_ms: int) -> Any:
        symbol = self._symbol(params)
        orders = self._exchange.open_orders(user.user_id, symbol)
        return {"count": len(orders), "resultList": self._rows(symbol, self._page(params, orders))}

    def all_orders(self, user: User, params: Params, _now_ms: int) -> Any:
        symbol = self._symbol(params)
        orders = self._exchange.all_orders(user.user_id, symbol)
        wanted = _between(params)
        if wanted is not None:
            orders = [order for order in orders if wanted(order.created_ms)]
        return {"count": len(orders), "orderList": self._rows(symbol, self._page(params, orders))}

    def my_trades(self, user: User, params: Params, _now_ms: int) -> Any:
        symbol = self._symbol(params)
        if params.get("sort", "") not in ("", "0", "1"):
            raise invalid("sort is neither 0 nor 1")
        fills = self._exchange.fills(user.user_id, symbol)
        wanted = _between(params)
        if wanted is not None:
            fills = [(order, fill) for order, fill in fills if wanted(whole_second(fill.at_ms))]
        if params.get("sort") == "1":
            fills.reverse()
        instrument = self._exchange.instruments[symbol]
        rows = [sim_shapes.my_trade(order, fill, instrument) for order, fill in self._page(params, fills)]
        return {"count": len(fills), "resultList": self._disturbed(rows)}

    # Parts

    def _symbol(self, params: Params) -> str:
        symbol = params.get("symbol")
        if not symbol:
            raise malformed("symbol is missing")
        if symbol not in self._exchange.instruments:
            raise invalid("unknown symbol")
        return symbol

    def _order(self, user: User, params: Params) -> Order:
        if not params.get("order_id"):
            raise malformed("order_id is missing")
        symbol = self._symbol(params)
        return self._exchange.find(user.user_id, symbol, _whole("order_id", params["order_id"]))

    def _page(self, params: Params, rows: list[_T]) -> list[_T]:
        size = _whole("pageSize", params.get("pageSize") or str(self._settings.default_page_size))
        page = _whole("page", params.get("page") or "1")
        if not 1 <= size <= self._settings.max_page_size or page < 1:
            raise invalid(f"pageSize is not between 1 and {self._settings.max_page_size}, or page is below 1")
        return rows[(page - 1) * size : page * size]

    def _rows(self, symbol: str, orders: list[Order]) -> list[dict[str, Any]]:
        return [sim_shapes.order_row(order, self._exchange.instruments[symbol]) for order in orders]

    def _disturbed(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(rows) > 1 and self._faults.take_request("query", {"reorder_events"}):
            rows = rows[::-1]
        if rows and self._faults.take_request("query", {"duplicate_event"}):
            rows = [rows[0], *rows]
        return rows


def _may_trade(user: User) -> None:
    if not user.can_trade:
        raise Refused(403, NO_PERMISSION)


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise invalid(f"{name} is not a whole number")
    return int(text)


def _between(params: Params) -> Callable[[int], bool] | None:
    """What a time must satisfy; None where no date is given."""
    first = date_ms("startDate", params["startDate"]) if params.get("startDate") else None
    last = date_ms("endDate", params["endDate"]) if params.get("endDate") else None
    if first is not None and last is not None and first > last:
        raise invalid("startDate is after endDate")
    if first is None and last is None:
        return None
    return lambda at_ms: (first is None or at_ms >= first) and (last is None or at_ms < last + 1000)
