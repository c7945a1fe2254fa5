"""The private part of the venue's REST API: what each request does, and the `result` it gives. Pure.

Readings where the document is silent or contradicts itself (of trading itself: `sim_exchange`):
 1. `venue` is the one in the path where a request has no parameter for it; another one is 0x02003A, as is a venue that is
    not served here. A path without a venue, as the co-located base URLs have it, leaves it to the parameter.
 2. `accountId` is the account that signed; another one is 0x20000B, one that there is not is 0x02002B.
 3. newOrder is answered by the order as it was taken in, PENDING_SUBMIT, whatever came of it; a request that is refused
    is no order, and its answer the error, though a query for its id shows it as REJECTED. A post-only order that would
    trade is taken in first and REJECTED afterwards.
 4. cancelOrder is answered by the order as it is after it. cancelAccountVenueAllOrder leaves PENDING_SUBMIT alone, and gives
    the ids that the client gave.
 5. listMultipleOrderInfo leaves out what it does not find. Lists of completed orders and of fills have the newest first,
    those of open orders the oldest; the time of a completed order is its last update.
 6. Without startTime and endTime lists go back one day; with one of them, three months (92 days) from it. More than that
    is 0x01001A.
 7. Nothing is ever deposited, withdrawn or transferred, so no activity is listed; the requests for it are checked, then
    refused with `treasury_error`.
"""

from collections.abc import Collection
from typing import Any

from bridges.apifiny import sim_errors as errors
from bridges.apifiny import sim_rows as rows
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_exchange import Exchange
from bridges.apifiny.sim_orders import Execution, NewOrder, Order, OrderType, Status
from bridges.apifiny.sim_params import Params
from bridges.apifiny.sim_rows import Row
from bridges.apifiny.sim_settings import Account
from bridges.apifiny.sim_tape import DAY_MS
from bridges.matching import ZERO, Side

MONTHS_MS = 92 * DAY_MS
MAX_IDS = 500
DEFAULT_LIMIT, MAX_LIMIT = 500, 1000
_WHO = frozenset({"accountId", "venue"})
_ORDER_INFO = frozenset({"symbol", "orderType", "timeInForce", "orderSide", "limitPrice", "quantity", "total"})
_RANGE = frozenset({"startTime", "endTime", "limit"})
_FINAL = frozenset({Status.PART_FILLED, Status.FILLED, Status.CANCELLED, Status.REJECTED})
_LISTED_STATUS = frozenset({"PART_FILLED", "FILLED", "CANCELLED"})


class Trading:
    """`served`: every venue behind this REST address. `treasury_error`: see 7."""

    def __init__(self, exchange: Exchange, served: Collection[str], treasury_error: str, start_ms: int) -> None:
        self._exchange, self._served = exchange, served
        self._treasury_error = treasury_error
        self._start_ms = start_ms

    # Orders

    def new(self, account: Account, at: str, body: bytes, now_ms: int, refuse: str | None = None) -> tuple[Row, Order]:
        """The answer, and the order to be confirmed. `refuse`: the code to turn it down with."""
        params = Params.of_body(body, _WHO | {"orderId", "orderInfo"})
        venue = self._who(account, params, at)
        given = params.text_or_none("orderId")
        asked = _new_order(account.account_id, venue, given or "", params.within("orderInfo", _ORDER_INFO))
        if given is None:
            asked.order_id = self._exchange.mint_order_id(account.account_id, now_ms)
        if refuse is not None:
            order = self._exchange.refuse(asked, refuse, now_ms)
        else:
            order = self._exchange.place(asked, account.account_id, self._served, now_ms)
        if order.status is Status.REJECTED:
            assert order.latest is not None
            raise Refused(order.latest.code, order.latest.detail)
        return self._row(order), order

    def cancel(self, account: Account, at: str, body: bytes, now_ms: int) -> tuple[Row, list[Execution]]:
        params = Params.of_body(body, _WHO | {"orderId"})
        venue = self._who(account, params, at)
        execution = self._exchange.cancel(account.account_id, venue, params.text("orderId"), now_ms)
        return self._row(execution.order), [execution]

    def cancel_all(self, account: Account, at: str, body: bytes, now_ms: int) -> tuple[list[str], list[Execution]]:
        params = Params.of_body(body, _WHO | {"symbol"})
        venue, symbol = self._who(account, params, at), params.text_or_none("symbol")
        if account.status != "OPENED":
            raise Refused(errors.ACCOUNT_STATUS, account.status)
        if symbol is not None and self._exchange.instrument(venue, symbol) is None:
            raise Refused(errors.UNKNOWN_SYMBOL, f"{symbol:.40}")
        resting = [each for each in self._orders(account, venue, symbol) if each.status is Status.SUBMITTED]
        executions = [self._exchange.cancel_order(each, now_ms) for each in resting]
        return [each.asked.order_id for each in resting], executions

    # Queries

    def order(self, account: Account, at: str, query: str, _now_ms: int) -> Row:
        params = Params.of_query(query, _WHO | {"orderId"})
        order = self._exchange.find(account.account_id, self._who(account, params, at), params.text("orderId"))
        if order is None:
            raise Refused(errors.UNKNOWN_ORDER)
        return self._row(order)

    def several(self, account: Account, at: str, query: str, _now_ms: int) -> list[Row]:
        params = Params.of_query(query, {"accountId", "orderIdList"})
        self._account(account, params)
        venue = self._venue(at, None, required=False)
        ids = params.text("orderIdList").split(",")
        if len(ids) > MAX_IDS:
            raise Refused(errors.REQUEST_ERROR, f"more than {MAX_IDS} order ids")
        venues = self._served if venue is None else (venue,)
        found = (self._exchange.find(account.account_id, each, order_id) for order_id in ids for each in venues)
        return [self._row(each) for each in found if each is not None]

    def open(self, account: Account, at: str, query: str, _now_ms: int) -> list[Row]:
        venue = self._who(account, Params.of_query(query, _WHO), at)
        return [self._row(each) for each in self._orders(account, venue, None) if each.is_open]

    def completed(self, account: Account, at: str, query: str, now_ms: int) -> list[Row]:
        params = Params.of_query(query, _WHO | _RANGE | {"orderStatus"})
        venue = self._who(account, params, at, required=False)
        start, end = _time_range(params, now_ms)
        status, limit = params.text_or_none("orderStatus"), _limit(params)
        if status is not None and status not in _LISTED_STATUS:
            raise Refused(errors.REQUEST_ERROR, "orderStatus is not PART_FILLED, FILLED or CANCELLED")
        refused = (each for each in self._exchange.refused() if each.asked.account_id == account.account_id)
        found = [
            each
            for each in (*self._orders(account, venue, None), *(each for each in refused if venue in (None, each.asked.venue)))
            if each.status in _FINAL and start <= each.updated_ms <= end and status in (None, each.status.value)
        ]
        found.sort(key=lambda each: each.updated_ms)
        return [self._row(each) for each in found[: -limit - 1 : -1]]

    def fills(self, account: Account, at: str, query: str, now_ms: int) -> list[Row]:
        params = Params.of_query(query, _WHO | _RANGE | {"symbol", "orderId"})
        venue = self._who(account, params, at)
        start, end = _time_range(params, now_ms)
        symbol, order_id, limit = params.text_or_none("symbol"), params.text_or_none("orderId"), _limit(params)
        found = [
            each
            for each in self._exchange.fills
            if (each.order.asked.account_id, each.order.asked.venue) == (account.account_id, venue)
            and start <= each.at_ms <= end
            and symbol in (None, each.order.asked.symbol)
            and order_id in (None, each.order.asked.order_id)
        ]
        return [rows.fill(each, self._quote(each.order)) for each in found[: -limit - 1 : -1]]

    def fee_rate(self, account: Account, at: str, query: str, now_ms: int) -> list[Row]:
        params = Params.of_query(query, _WHO | {"symbol"})
        venue, symbol = self._who(account, params, at), params.text("symbol")
        if self._exchange.instrument(venue, symbol) is None:
            raise Refused(errors.UNKNOWN_SYMBOL, f"{symbol:.40}")
        traded = sum(
            (
                each.qty * each.price
                for each in self._exchange.fills
                if (each.order.asked.account_id, each.order.asked.venue) == (account.account_id, venue)
                and each.at_ms > now_ms - 30 * DAY_MS
                and each.qty is not None
                and each.price is not None
            ),
            ZERO,
        )
        taker, maker = self._exchange.fees()
        sub_account = rows.sub_account(account.account_id, venue)
        return [{"accountId": sub_account, "tradingVolume": traded, "takeFee": taker, "makeFee": maker, "specialRate": 0}]

    # Accounts and assets

    def account(self, account: Account, at: str, query: str, _now_ms: int) -> list[Row]:
        venue = self._who(account, Params.of_query(query, _WHO), at)
        return [rows.account(account, [venue], self._start_ms)]

    def balances(self, account: Account, at: str, query: str, _now_ms: int) -> list[Row]:
        venue = self._who(account, Params.of_query(query, _WHO), at)
        return [
            rows.balance(account.account_id, venue, currency, funds)
            for (owner, where, currency), funds in self._exchange.ledger.items()
            if (owner, where) == (account.account_id, venue)
        ]

    def address(self, account: Account, at: str, query: str, now_ms: int) -> list[Row]:
        params = Params.of_query(query, _WHO | {"coin"})
        venue, coin = self._who(account, params, at), self._coin(params.text("coin"))
        address = f"simulated-{venue}-{coin}"
        return [{"venue": venue, "currency": coin, "coin": coin, "address": address, "expiredAt": now_ms + DAY_MS}]

    def activity(self, account: Account, at: str, body: bytes, _now_ms: int) -> list[Row]:
        params = Params.of_body(body, {"accountId", "startTimeDate", "endTimeDate", "limit", "page"})
        self._account(account, params)
        self._venue(at, None, required=False)
        for name in ("startTimeDate", "endTimeDate", "limit", "page"):
            if params.whole_or_none(name) is None:
                raise Refused(errors.REQUEST_ERROR, f"{name} is missing")
        size, page = params.whole_or_none("limit"), params.whole_or_none("page")
        counts: Row = {"total": 0, "size": size, "current": page, "orders": [], "hitCount": False, "searchCount": True, "pages": 0}
        return [{"records": []} | counts]

    def ticket(self, account: Account, at: str, query: str, _now_ms: int) -> list[Row]:
        self._who(account, Params.of_query(query, _WHO), at)
        raise Refused(self._treasury_error)

    def withdraw(self, account: Account, at: str, body: bytes, _now_ms: int) -> list[Row]:
        params = Params.of_body(body, _WHO | {"coin", "amount", "memo", "address", "ticket"})
        self._who(account, params, at)
        self._coin(params.text("coin"))
        return self._no_transfer(params, "address", "ticket")

    def transfer(self, account: Account, at: str, body: bytes, _now_ms: int) -> list[Row]:
        params = Params.of_body(body, _WHO | {"currency", "amount", "targetVenue"})
        self._who(account, params, at)
        self._coin(params.text("currency"))
        return self._no_transfer(params, "targetVenue")

    # Parts

    def _no_transfer(self, params: Params, *required: str) -> list[Row]:
        for name in required:
            params.text(name)
        if not params.amount_or_none("amount"):
            raise Refused(errors.REQUEST_ERROR, "amount is missing or zero")
        raise Refused(self._treasury_error)

    def _who(self, account: Account, params: Params, at: str, required: bool = True) -> Any:
        """The venue, of the right account; None where there may be none (`required`) and is none."""
        self._account(account, params)
        return self._venue(at, params.text_or_none("venue"), required)

    def _account(self, account: Account, params: Params) -> None:
        account_id = params.text("accountId")
        if self._exchange.account(account_id) is None:
            raise Refused(errors.UNKNOWN_ACCOUNT)
        if account_id != account.account_id:
            raise Refused(errors.PERMISSION_DENIED, "not the account that signed")

    def _venue(self, at: str, asked: str | None, required: bool) -> str | None:
        venue = asked or at or None
        if asked is None and required:
            raise Refused(errors.REQUEST_ERROR, "venue is missing")
        if venue is not None and (venue not in self._served or (at and venue != at)):
            raise Refused(errors.WRONG_ENDPOINT, f"{venue:.40}")
        return venue

    def _coin(self, coin: str) -> str:
        if all(coin not in (each.base, each.quote) for _, each in self._exchange.instruments()):
            raise Refused(errors.UNKNOWN_COIN, f"{coin:.40}")
        return coin

    def _orders(self, account: Account, venue: str | None, symbol: str | None) -> list[Order]:
        return [
            each
            for each in self._exchange.orders()
            if each.asked.account_id == account.account_id and venue in (None, each.asked.venue) and symbol in (None, each.asked.symbol)
        ]

    def _row(self, order: Order) -> Row:
        return rows.order(order, self._quote(order))

    def _quote(self, order: Order) -> str:
        instrument = self._exchange.instrument(order.asked.venue, order.asked.symbol)
        return "" if instrument is None else instrument.quote


def _new_order(account_id: str, venue: str, order_id: str, info: Params) -> NewOrder:
    order_type, side = info.text("orderType"), info.text("orderSide")
    if order_type not in ("LIMIT", "MARKET"):
        raise Refused(errors.REQUEST_ERROR, "orderType is not LIMIT or MARKET")
    if side not in ("BUY", "SELL"):
        raise Refused(errors.REQUEST_ERROR, "orderSide is not BUY or SELL")
    return NewOrder(
        account_id,
        venue,
        order_id,
        info.text("symbol"),
        Side(side),
        OrderType(order_type),
        info.number("timeInForce"),
        info.amount_or_none("limitPrice"),
        info.amount_or_none("quantity"),
        info.amount_or_none("total"),
        by_rest=True,
    )


def _limit(params: Params) -> int:
    limit = params.whole_or_none("limit")
    if limit is None:
        return DEFAULT_LIMIT
    if not 1 <= limit <= MAX_LIMIT:
        raise Refused(errors.REQUEST_ERROR, f"limit is not between 1 and {MAX_LIMIT}")
    return limit


def _time_range(params: Params, now_ms: int) -> tuple[int, int]:
    """ "Data time range", in epoch milliseconds, both ends included."""
    start, end = params.whole_or_none("startTime"), params.whole_or_none("endTime")
    if start is None:
        return (now_ms - DAY_MS, now_ms) if end is None else (end - MONTHS_MS, end)
    if end is None:
        return start, start + MONTHS_MS
    if not 0 <= end - start <= MONTHS_MS:
        raise Refused(errors.REQUEST_ERROR, "endTime is before startTime, or more than three months after it")
    return start, end
