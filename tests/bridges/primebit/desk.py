"""A PrimeBit protocol with a clock, and a venue that says what it is told to: shared by the tests of the protocol."""

from __future__ import annotations

import json
from decimal import Decimal as D
from typing import Any

from bridges.primebit.protocol import PrimebitProtocol
from bridges.wire import Answer, Frame, Request
from router.model import Ask, Cancel, LinkUp, Place, Replace
from router.rules import Instrument
from router.words import OrdType, Side, TimeInForce

S = 1_000_000_000
MS = 1_000_000
NOW = 1_700_000_000 * S
KEY, SECRET = "dc93094f-393c-441a-8837-eccb7795b618", "a secret of this test"
ID = "902a74d0-127c-40ef-af6b-7eff9f8ef742"
PATH = f"/api/v1/trading/account/{ID}/order"
C1, C2 = "1700000000000-000007-000001", "1700000000000-000007-000002"
BTC = Instrument(symbol="BTC/USD", venue_symbol="BTCUSD", base="BTC", quote="USD", tick=D("0.5"), lot=D("0.0001"))


def place(**more: Any) -> Place:
    standard: dict[str, Any] = {
        "order_id": "1", "venue_cl_ord_id": C1, "venue": "", "symbol": "BTCUSD", "side": Side.BUY, "ord_type": OrdType.LIMIT,
        "time_in_force": TimeInForce.GTC, "post_only": False, "order_qty": D(5), "cash_order_qty": None, "price": D(65000),
        "stop_px": None, "reduce_only": False, "time": NOW,
    }  # fmt: skip
    return Place(**standard | more)


def ask(cl_ord_id: str = C1, venue_order_id: str | None = None, qty: int = 5, placed: int = NOW) -> Ask:
    return Ask("1", cl_ord_id, venue_order_id, "", "BTCUSD", Side.BUY, OrdType.LIMIT, D(qty), None, D(65000), placed)


def replace(qty: int = 8, price: int = 65000) -> Replace:
    return Replace("1", C1, "77", "", "BTCUSD", Side.BUY, OrdType.LIMIT, TimeInForce.GTC, D(qty), D(price), None)


CANCEL = Cancel("1", C1, "77", "", "BTCUSD")


def order(volume: str = "5", order_id: int = 77, comment: str = C1, **more: Any) -> dict[str, Any]:
    """The document's order object, of our order."""
    return {
        "login": "3034201", "comment": comment, "contract_size": "0.001", "expiration_time": 0, "fill_type": "normal", "side": "buy",
        "limit_price": "65000.0", "order_id": order_id, "stop_price": "0.0", "symbol": "BTCUSD", "volume": volume,
    } | more  # fmt: skip


def position(volume: str, px: str, side: str = "buy", ident: int = 9) -> dict[str, Any]:
    return {
        "price_current": "65000", "price_open": px, "profit": "0", "volume": volume, "side": side, "position_id": ident, "symbol": "BTCUSD",
    }  # fmt: skip


class Desk:
    """The protocol under test, and what it said to the venue."""

    def __init__(self, up: bool = True) -> None:
        self.protocol = PrimebitProtocol("acc", ID, KEY, SECRET, (BTC,), "demo")
        self.now = NOW
        self.stamp = 1571912622664
        self.money: Any = None
        """What the account channel's confirmation shows."""
        if up:
            assert self.connect()[-1] == LinkUp("acc")

    def connect(self, orders: Any = (), positions: Any = ()) -> list[Any]:
        """Open the stream; the venue confirms everything."""
        return self.confirm(list(self.protocol.opened(self.now)), orders, positions)

    def confirm(self, frames: list[Any], orders: Any = (), positions: Any = ()) -> list[Any]:
        data = {f"order_{ID}": list(orders), f"positions_{ID}": list(positions), f"account_{ID}": self.money}
        outs: list[Any] = []
        for frame in frames:
            if not isinstance(frame, Frame):
                continue
            said = json.loads(frame.text)
            channel = said.get("params", [""])[0]
            word = "subscribed to" if said["method"] == "subscribe" else "unsubscribed"
            response = {"message": f"successfully {word} {channel}", "success": True, "data": data.get(channel)}
            outs += self.say({"correlation_id": said["correlation_id"], "response": response})
        return outs

    def reconnect(self, orders: Any = (), positions: Any = ()) -> list[Any]:
        """The stream is lost and comes back a second later."""
        outs = list(self.protocol.closed("gone", self.now))
        self.now += S
        return outs + self.connect(orders, positions)

    def say(self, message: Any) -> list[Any]:
        return list(self.protocol.receive(message if isinstance(message, str | bytes) else json.dumps(message), self.now))

    def event(self, kind: str, volume: str = "5", **more: Any) -> list[Any]:
        self.stamp += 1
        data = {"event_type": kind, "order": order(volume, **more)}
        return self.say({"channel": f"order_{ID}", "data": data, "message_timestamp_ms": self.stamp})

    def moved(self, kind: str, row: Any) -> list[Any]:
        data = {"event_type": kind, "position": row}
        return self.say({"channel": f"positions_{ID}", "data": data, "message_timestamp_ms": 1})

    def traded(self, last: str, volume: str) -> list[Any]:
        data = {"ask": None, "bid": None, "last": last, "timestamp_ms": 1, "volume": volume}
        return self.say({"channel": "tick_BTCUSD_market_demo", "data": data, "message_timestamp_ms": 1})

    def send(self, command: Any) -> list[Any]:
        return list(self.protocol.send(command, self.now))

    def answer(self, request: Request, body: Any, status: int = 200) -> list[Any]:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return list(self.protocol.answered(request, Answer(status, {}, text), self.now))

    def refuse(self, request: Request, code: str, status: int = 404) -> list[Any]:
        return self.answer(request, {"error": {"code": code, "message": "no"}}, status)

    def later(self, ns: int) -> list[Any]:
        """What time brings; heartbeats are answered."""
        self.now += ns
        outs = list(self.protocol.tick(self.now))
        for frame in [each for each in outs if isinstance(each, Frame) and '"ping"' in each.text]:
            ident = json.loads(frame.text)["correlation_id"]
            self.say({"correlation_id": ident, "response": {"success": True, "message": "pong", "data": None}})
            outs.remove(frame)
        return outs

    def placed(self, comment: str = C1, **more: Any) -> list[Any]:
        """An order that has been placed and is live as 77."""
        command = place(**more)
        (request,) = self.send(command)
        price = "0.0" if command.price is None else f"{command.price:f}"
        row: dict[str, Any] = {"comment": comment, "limit_price": price}
        volume = f"{command.order_qty:f}"
        return self.answer(request, order(volume, **row)) + self.event("new", volume, **row)
