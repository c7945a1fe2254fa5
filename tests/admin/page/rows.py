"""Rows of the contract for the web page's stage: each valid, each with its own number, and the rest to be changed by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from router.admin import contract as c

HOSTILE: Final = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'&amp;"


def ago(seconds: float = 0) -> str:
    """A time of the contract, so long ago."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def order(number: int, **changes: Any) -> c.OrderRow:
    """A resting order of OMS44's."""
    told: dict[str, Any] = {
        "order_id": f"261121-{number:06d}", "cl_ord_id": f"OMS44-{90000 + number}", "session": "FIX.4.4:ROUTER->OMS44", "account": "ACC1",
        "destination": "PHEMEX", "symbol": "BTC/USD", "side": "buy", "ord_type": "limit", "time_in_force": "good-till-cancel",
        "order_qty": "5", "price": "64990", "stop_px": "", "status": "new", "cum_qty": "0", "leaves_qty": "5", "avg_px": "0",
        "created": ago(3600 - number), "updated": ago(600 - number), "venue_order_id": f"8f3a21c0-{number:04d}",
        "venue_cl_ord_id": f"fr{number:012d}", "pending": "", "unknown": "", "candidates": [], "text": "", "done": False,
    }  # fmt: skip
    return c.OrderRow.model_validate(told | changes)


def venue(name: str, **changes: Any) -> c.Destination:
    """A destination with nothing wrong."""
    told: dict[str, Any] = {
        "name": name, "venue": name.title(), "account": "MAIN", "link": name.lower(), "up": True, "state": "open", "why": "",
        "since": ago(7000), "witness": "", "witness_up": True, "open_orders": 3, "unknown_orders": 0, "reconciling": 0,
        "symbols": ["BTC/USD", "ETH/USD"], "topics": {},
    }  # fmt: skip
    return c.Destination.model_validate(told | changes)


def session(name: str, **changes: Any) -> c.SessionRow:
    """A client session that is logged on."""
    told: dict[str, Any] = {
        "name": name, "kind": "client", "logged_on": True, "enabled": True, "halted": "", "since": ago(7200), "next_in": 1204,
        "next_out": 2981, "open_orders": 4, "orders": 400, "reports": 1203, "rejects": 2, "last_heard": ago(4), "address": "10.0.0.7:51422",
    }  # fmt: skip
    return c.SessionRow.model_validate(told | changes)


def alert(number: int, text: str, **changes: Any) -> c.AlertRow:
    """A warning that is active."""
    told = {
        "alert_id": number,
        "time": ago(300 - number),
        "rule": "destination-down",
        "level": "warning",
        "text": text,
        "order_id": "",
        "active": True,
        "cleared": "",
    }
    return c.AlertRow.model_validate(told | changes)


def fill(number: int, of: c.OrderRow, **changes: Any) -> c.FillRow:
    """An execution of two."""
    told: dict[str, Any] = {
        "time": ago(500 - number), "exec_id": f"{of.order_id}-{number}", "exec_type": "trade", "exec_ref_id": "", "last_qty": "2",
        "last_px": of.price or "65010", "cum_qty": "2", "leaves_qty": "3", "fee": "0.00001250", "fee_currency": "BTC", "text": "",
        **of.model_dump(include={"order_id", "cl_ord_id", "session", "account", "destination", "symbol", "side"}),
    }  # fmt: skip
    return c.FillRow.model_validate(told | changes)


def reject(number: int, **changes: Any) -> c.RejectRow:
    """An order off the tick."""
    told = {
        "time": ago(400 - number), "kind": "order", "session": "FIX.4.2:ROUTER->OMS42", "order_id": "", "cl_ord_id": f"OMS42-{number}",
        "destination": "BINANCE", "reason": "incorrect-quantity", "text": "Price(44) 64990.005 is not a multiple of the tick 0.01",
    }  # fmt: skip
    return c.RejectRow.model_validate(told | changes)


def life(of: c.OrderRow) -> c.OrderLife:
    """An order that was placed, partly filled, waited and was canceled by an operator, to the microsecond."""
    start = datetime(2026, 11, 21, 8, 0, 3, 123456, tzinfo=UTC)
    said: list[tuple[int, str, str, str, list[str]]] = [
        (0, "NewOrder", "client", f"asks to {of.side} {of.order_qty} {of.symbol} @ {of.price}",
         [f"place to {of.destination}", "report pending-new: pending-new, cum 0, leaves 5"]),
        (2310, "Accepted", "venue", f"accepts it as {of.venue_order_id}", ["report new: new, cum 0, leaves 5"]),
        (801_412, "Filled", "venue", "executes 2 @ 64990, fee 0.0000125 BTC (F-1)",
         ["report trade: partially-filled, cum 2, leaves 3, 2 @ 64990"]),
        (12_801_412, "Tick", "router", "a deadline has passed", [f"query {of.destination}", "alert: no answer for 5 s"]),
        (12_804_000, "Stated", "venue", "says how it stands: partially-filled, 2 executed", []),
        (95_000_000, "CancelOrders", "operator", "nina cancels: client asked by phone",
         [f"cancel to {of.destination}", "report pending-cancel: pending-cancel, cum 2, leaves 3"]),
        (95_002_100, "Canceled", "venue", "ends it: canceled",
         ["report canceled: canceled, cum 2, leaves 0: canceled by the operator: client asked by phone"]),
    ]  # fmt: skip
    moments = [
        c.Moment(
            sequence=4000 + number, time=(start + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), kind=kind,
            who=who, summary=text, effects=effects,
        )
        for number, (us, kind, who, text, effects) in enumerate(said)
    ]  # fmt: skip
    return c.OrderLife(order=of, life=moments, fills=[fill(1, of)])
