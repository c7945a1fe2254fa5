"""The venues as their documents show them: true answers and true frames, for a tape to spoil. Ids are those of the orders of the moment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from bridges.cryptocom import calls
from bridges.cryptocom.protocol import CryptocomProtocol
from bridges.wire import Request, VenueProtocol
from tests.bridges.apifiny import test_protocol as apifiny
from tests.bridges.cryptocom import rig as cryptocom
from tests.bridges.moonbase import desk as moonbase
from tests.bridges.phemex import test_protocol as phemex
from tests.bridges.primebit import desk as primebit
from tests.fuzz.world import Venue, World

__all__ = ["VENUES", "by_name"]

_NUMBERS: Final = (0, 1, 2)


# --- Phemex

_PHEMEX_ROWS: Final = (
    phemex.row(), phemex.fill(3, 3, 4615), phemex.fill(7, 7, 10769, exec_id="w"),
    phemex.row(ordStatus="Canceled", execStatus="Canceled", cumQty=0, cumValueEv=0),
    phemex.row(ordStatus="Rejected", execStatus="CreateRejected", code=11001, message="no"),
)  # fmt: skip


def _phemex() -> tuple[VenueProtocol, list[Any], int]:
    desk = phemex.Desk()
    return desk.protocol, [], desk.now


def _phemex_bodies(the: World, request: Request) -> Sequence[Any]:
    cl = getattr(request.context, "venue_cl_ord_id", "c1")
    noes = ((0, ""), (11001, "TE_NO_ENOUGH_AVAILABLE"), (10002, "OM_ORDER_NOT_FOUND"), (10001, "OM_DUPLICATE_ORDERID"))
    return [phemex.yes(cl), phemex.yes(cl), *({"code": code, "msg": text, "data": None} for code, text in noes)]


def _phemex_frames(the: World, stream: str) -> Sequence[Any]:
    sequence = the.now % 1_000_000_007
    level = [650_000_000, 5]
    asked = json.loads(the.frames[-1].text)["id"] if the.frames else 1
    frames: list[Any] = []
    for number in _NUMBERS:
        own = {"clOrdID": the.cl(number), "orderID": f"v{number}", "side": "Sell" if number == 1 else "Buy", "execSeq": sequence % 999}
        new, fill, whole, over, refused = (each | own for each in _PHEMEX_ROWS)
        fill |= {"execID": f"e{number}{sequence % 3}"}
        frames += [json.loads(phemex.aop(row, sequence=sequence)) for row in (new, fill, whole, over, refused)]
        frames.append(json.loads(phemex.aop(fill, over, sequence=sequence, kind="snapshot")))
    return [
        *frames,
        json.loads(phemex.aop(sequence=sequence, kind="snapshot")),
        {"error": None, "id": asked, "result": {"status": "success"}},
        {"error": {"code": 6001, "message": "invalid argument"}, "id": asked, "result": None},
        {"book": {"asks": [level], "bids": [level]}, "depth": 30, "sequence": 5, "symbol": "BTCUSD", "timestamp": 1, "type": "snapshot"},
        {"book": {"asks": [level], "bids": []}, "depth": 30, "sequence": 6, "symbol": "BTCUSD", "timestamp": 1, "type": "incremental"},
        {"trades": [[1, "Buy", 650_000_000, 5]], "sequence": 5, "symbol": "BTCUSD", "type": "snapshot"},
    ]


# --- PrimeBit


def _primebit() -> tuple[VenueProtocol, list[Any], int]:
    desk = primebit.Desk()
    return desk.protocol, [], desk.now


def _primebit_order(the: World, number: int, volume: str = "5") -> dict[str, Any]:
    side = "sell" if number == 1 else "buy"
    return primebit.order(volume, 70 + number, the.cl(number), side=side)


def _primebit_bodies(the: World, request: Request) -> Sequence[Any]:
    rows = [_primebit_order(the, number) for number in _NUMBERS]
    error = {"error": {"code": "order-not-found", "message": "Order not found"}}
    return [*rows, *rows, rows, [], error, {"error": {"code": "invalid-volume", "message": "no"}}]


def _primebit_frames(the: World, stream: str) -> Sequence[Any]:
    said = [json.loads(each.text) for each in the.frames[-3:]]
    rows = [_primebit_order(the, number, volume) for number in _NUMBERS for volume in ("5", "2", "0")]
    stamp = the.now // 1_000_000
    kinds = ("new_request", "new", "fill", "partial_fill", "reject", "modify", "modify_reject", "cancel", "cancel_reject")
    channel, positions = f"order_{primebit.ID}", f"positions_{primebit.ID}"
    position = primebit.position("2", "65000")
    level = {"price": "65000", "size": "1"}
    return [
        *({"channel": channel, "data": {"event_type": kind, "order": row}, "message_timestamp_ms": stamp}
          for kind in kinds for row in rows),
        *({"channel": positions, "data": {"event_type": kind, "position": position}, "message_timestamp_ms": stamp}
          for kind in ("opened", "updated", "closed")),
        *({"correlation_id": each["correlation_id"], "response": {"message": "subscribed", "success": yes, "data": data}}
          for each in said for yes in (True, False) for data in (rows[:2], [position], [], None)),
        {"channel": "order_book_BTCUSD_demo", "data": {"bids": [level], "asks": [level]}, "message_timestamp_ms": 1},
        {"channel": "tick_BTCUSD_market_demo", "data": {"ask": None, "bid": None, "last": "65000", "timestamp_ms": 1, "volume": "2"},
         "message_timestamp_ms": 1},
    ]  # fmt: skip


# --- Moonbase


def _moonbase() -> tuple[VenueProtocol, list[Any], int]:
    desk = moonbase.Desk(trades=True)
    return desk.protocol, [], desk.now


def _moonbase_frames(the: World, stream: str) -> Sequence[Any]:
    said = [json.loads(each.text) for each in the.frames[-3:]]
    rows = []
    for number in _NUMBERS:
        own = {"id": 10 + number, "requested_amount": -1.0 if number == 1 else 1.0}
        part = {"filled_amount": 0.5, "filled_total": 0.5, "fee": 0.001}
        rows += [moonbase.row(**own), moonbase.row(**own | part), moonbase.row(**own | moonbase.CANCELLED),
                 moonbase.row(**own | {"filled_amount": 1.0, "filled_total": 1.0, "is_active": False})]  # fmt: skip
    trade = {"timestamp": "2019-02-17T20:37:41.682639", "symbol": moonbase.SYMBOL, "price": 1, "taker_order_id": 99}
    trades = [trade | {"maker_order_id": 10 + number, "id": the.now % 97, "amount": 0.5} for number in _NUMBERS]

    def frame(topic: str, event: str, payload: Any, to: Any = None) -> dict[str, Any]:
        return {"ref": to and to["ref"], "join_ref": to and to["join_ref"], "topic": topic, "event": event, "payload": payload}

    limit = {"status": "error", "type": "rate_limit_exceeded", "details": {"retry_after": 5}}
    errors = [
        limit,
        {"status": "error", "type": "insufficient_funds", "details": {}},
        {"status": "error", "response": {"reason": "internal"}},
    ]
    fitting: dict[str, list[Any]] = {"place": [rows[0], rows[4]], "phx_join": [[], rows[:1], rows[4:6]], "cancel": [{}, rows[2]]}

    def replies(to: Any) -> list[Any]:
        return [{"status": "ok", "response": each} for each in fitting.get(to["event"], [{}, rows[3], rows])]

    return [
        *(frame(each["topic"], "phx_reply", payload, each) for each in said for payload in (*replies(each) * 4, *errors)),
        *(frame(moonbase.ORDERS, "upsert", {"data": [row]}) for row in rows),
        *(frame(moonbase.TRADES, "insert", {"data": [row]}) for row in trades),
        frame(moonbase.ORDERS, "phx_error", {}), frame(moonbase.ORDERS, "phx_close", {}), frame(moonbase.ORDERS, "other", {}),
    ]  # fmt: skip


# --- Crypto.com


def _cryptocom() -> tuple[VenueProtocol, list[Any], int]:
    protocol = cryptocom.up(CryptocomProtocol(cryptocom.ACCOUNT, cryptocom.KEY, cryptocom.SECRET, (cryptocom.BTC,), False))
    return protocol, list(protocol.opened(cryptocom.START)), cryptocom.START


def _cryptocom_bodies(the: World, request: Request) -> Sequence[Any]:
    def row(number: int, status: int, deal: str = "0", trades: Any = ()) -> Any:
        own = {"id": cryptocom.BIG + number, "side": "SELL" if number == 1 else "BUY", "created_at": the.now // 1_000_000}
        return cryptocom.row(status, deal, trades, **own)

    filled = ("0.5", [cryptocom.TRADE])
    shown = [row(number, status, *(filled if status in (2, 3) else ("0",))) for number in _NUMBERS for status in (1, 3, 2, 4, 6)]
    infos = [each["order_info"] for each in shown]
    symbols = [{"symbol": "btcusdt", "count_coin": "usdt", "amount_precision": 5, "base_coin": "btc", "price_precision": 2}]
    data = [
        *({"order_id": cryptocom.BIG + number} for number in _NUMBERS), *shown, symbols, {"total_asset": 1, "coin_list": []}, {},
        *({"count": count, key: infos[:3]} for key in ("resultList", "orderList") for count in (3, 200)), {"count": 0, "resultList": []},
        {"count": 0, "orderList": []},
    ]  # fmt: skip
    if isinstance(request.context, calls.Creating):
        data = [*data, *data[:3] * 30]
    elif isinstance(request.context, calls.Looking):
        wanted = [each for each in shown if str(each["order_info"]["id"]) == request.context.venue_order_id]
        data = [*data, *wanted * 10]
    good = [{"code": "0", "msg": "suc", "data": each} for each in data]
    return [*good, {"code": "100001", "msg": "system exception", "data": None}, {"code": "6", "msg": "exceed", "data": None},
            {"code": "22", "msg": "order not exist", "data": None}]  # fmt: skip


def _cryptocom_frames(the: World, stream: str) -> Sequence[Any]:
    depth, trades = "market_btcusdt_depth_step0", "market_btcusdt_trade_ticker"
    return [
        {"channel": depth, "ts": 1, "tick": {"asks": [[65001, 0.9]], "buys": [[65000, 0.5]]}},
        {"channel": depth, "ts": 1, "tick": {"side": "asks", "price": 65001, "volume": 1}},
        {"channel": trades, "ts": 1, "tick": {"id": 2, "ts": 1, "data": [{"id": 2, "price": 65000, "vol": 1}]}},
        {"ping": 1575000000000}, *({"event_rep": "subed", "channel": depth, "status": word, "msg": "no"} for word in ("ok", "error")),
    ]  # fmt: skip


# --- Apifiny


def _apifiny(trading: bool) -> tuple[VenueProtocol, list[Any], int]:
    desk = apifiny.Desk(trading=trading, market_url="wss://md")
    outs = [*desk.protocol.opened(desk.now, "asset"), *desk.protocol.opened(desk.now, "market")]
    return desk.protocol, outs, desk.now


def _apifiny_rows(the: World) -> list[dict[str, Any]]:
    rows = []
    for number in _NUMBERS:
        own = {"orderId": the.cl(number), "orderSide": "SELL" if number == 1 else "BUY"}
        last = {"lastFilledQuantity": 0.5, "lastFilledPrice": 100, "lastCommission": 0.01, "lastCommissionCurrency": "USDT"}
        some = {"filledCumulativeQuantity": 0.5, "filledAveragePrice": 100} | last
        rows += [
            apifiny.order(**own), apifiny.order(**own | some), apifiny.order(**own | some | {"orderStatus": "PART_FILLED"}),
            apifiny.order(**own | some | {"orderStatus": "FILLED", "filledCumulativeQuantity": 1.12, "lastFilledQuantity": 1.12}),
            apifiny.order(**own, orderStatus="CANCELLED"), apifiny.order(**own, orderStatus="REJECTED"),
            apifiny.order(**own, orderStatus="PENDING_SUBMIT"),
        ]  # fmt: skip
    return rows


def _apifiny_bodies(the: World, request: Request) -> Sequence[Any]:
    rows = _apifiny_rows(the)
    results = [*([each] for each in rows), rows, [], [apifiny.ACCOUNT], [apifiny.SYMBOL], [{"exchange ": "BINANCE", "status": "enabled"}]]
    codes = ("0x02002A", "0x05003A", "0x05002A", "0x02001A", "0xFFFFFF", 84017178)
    return [*({"result": each, "error": None} for each in results), *({"error": {"code": each, "message": "no"}} for each in codes)]


def _apifiny_frames(the: World, stream: str) -> Sequence[Any]:
    rows = _apifiny_rows(the)
    book = {"bids": [[99, 1]], "asks": [[101, 1]], "updatedAt": the.now // 1_000_000}
    pings = [{"ping": 1575000000000}, {"error": {"code": "0x02001A", "message": "no"}}]
    match stream:
        case "order":
            return [*({"logTimestamp": 1, "payload": each} for each in rows), *pings]
        case "asset":
            return [{"payload": [{"currency": "BTC", "available": 1, "frozen": 0.5}]}, {"result": {"payload": []}}, *pings]
    return [
        {"channel": "orderbook", "symbol": "BTCUSDT", "orderbook": book},
        {"channel": "trade", "symbol": "BTCUSDT", "trade": {"trades": [{"price": 100, "tradeTime": 5}]}}, *pings,
    ]  # fmt: skip


def _none(the: World, request: Request) -> Sequence[Any]:
    return [{}]


VENUES: Final = (
    Venue("phemex", _phemex, "acc", "acc", "", phemex.BTC, "7", "65000", _phemex_bodies, _phemex_frames),
    Venue("primebit", _primebit, "acc", "acc", "", primebit.BTC, "5", "65000", _primebit_bodies, _primebit_frames, replaces=True),
    Venue("moonbase", _moonbase, "acc", "acc", "", moonbase.ETC, "1", "1", _none, _moonbase_frames),
    Venue("cryptocom", _cryptocom, cryptocom.ACCOUNT, cryptocom.ACCOUNT, "", cryptocom.BTC, "0.5", "65000", _cryptocom_bodies,
          _cryptocom_frames, packed=True),
    Venue("apifiny", lambda: _apifiny(True), "acc", "link", "BINANCE", apifiny.BTC, "1.12", "100.50", _apifiny_bodies, _apifiny_frames),
    Venue("apifiny-witness", lambda: _apifiny(False), "acc", "link", "BINANCE", apifiny.BTC, "1.12", "100.50", _apifiny_bodies,
          _apifiny_frames),
)  # fmt: skip


def by_name(name: str) -> Venue:
    """One of them. Raises `KeyError`."""
    return {each.name: each for each in VENUES}[name]
