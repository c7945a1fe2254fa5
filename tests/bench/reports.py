"""The ExecutionReport that the bare contenders write, with the tags that the router's own has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

__all__ = ["acknowledgement", "fields"]


def fields(text: str) -> dict[str, str]:
    """Tag to value, the least that can be done."""
    return dict([field.split("=", 1) for field in text[:-1].split("\x01")])


def acknowledgement(order: Mapping[str, str], order_id: str, exec_id: str, exec_type: str) -> str:
    """The text of a report that executes nothing."""
    return (
        f"8=FIX.4.2\x019=0\x0135=8\x0137={order_id}\x0111={order['11']}\x0117={exec_id}\x0120=0\x01150={exec_type}\x0139={exec_type}\x01"
        f"54={order['54']}\x01151={order['38']}\x0114=0\x016=0\x0160={datetime.now(UTC).strftime('%Y%m%d-%H:%M:%S.%f')[:-3]}\x01"
        f"55={order['55']}\x0138={order['38']}\x0140={order['40']}\x0144={order['44']}\x0159={order['59']}\x0110=000\x01"
    )
