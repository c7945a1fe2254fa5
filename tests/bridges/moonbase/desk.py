"""A Moonbase protocol with a clock and a venue that says what it is told to, in the document's frames."""

from __future__ import annotations

import json
from decimal import Decimal as D
from typing import Any

from bridges.moonbase.protocol import MoonbaseProtocol
from bridges.wire import Frame, Out
from router.model import Ask, Cancel, LinkUp, Place, Remembered
from router.rules import Instrument
from router.words import OrdType, Side, TimeInForce

S = 1_000_000_000
MS = 1_000_000
NOW = 1_550_435_861 * S  # 2019-02-17T20:37:41Z, the document's day
SYMBOL = "ETC_D:BTC_D"
ORDERS, TRADES = f"/orders/{SYMBOL}", f"/trades/{SYMBOL}"
ETC = Instrument(symbol="ETC/BTC", venue_symbol=SYMBOL, base="ETC", quote="BTC", tick=D("0.00001"), lot=D("0.01"))
ROW: dict[str, Any] = {
    "user_id": 5, "updated_at": "2019-02-17T20:37:41.679118", "triggered_at": "2019-02-17T20:37:41.678723", "trigger_price": None,
    "symbol": SYMBOL, "requested_amount": 1.0, "limit_price": 1.0, "is_liquidation": False, "is_active": True,
    "inserted_at": "2019-02-17T20:37:41.679112", "id": 10, "filled_total": 0.0, "filled_amount": 0.0, "fee": 0.0, "external_id": None,
    "cancelled_at": None,
}  # fmt: skip
"""The document's order ("Place", reply)."""
CANCELLED = {"is_active": False, "cancelled_at": "2019-02-17T21:07:50.745379"}


def row(**more: Any) -> dict[str, Any]:
    """The document's order, otherwise."""
    return ROW | more


def place(**more: Any) -> Place:
    """A buy of 1 at 1, as in the document."""
    standard = {
        "order_id": "1", "venue_cl_ord_id": "c1", "venue": "", "symbol": SYMBOL, "side": Side.BUY, "ord_type": OrdType.LIMIT,
        "time_in_force": TimeInForce.GTC, "post_only": False, "order_qty": D(1), "cash_order_qty": None, "price": D(1), "stop_px": None,
        "reduce_only": False, "time": NOW,
    }  # fmt: skip
    return Place(**standard | more)


def cancel(venue_order_id: str | None = "10", order_id: str = "1") -> Cancel:
    """A cancel of it."""
    return Cancel(order_id, f"c{order_id}", venue_order_id, "", SYMBOL)


def ask(venue_order_id: str | None = None, order_id: str = "1", placed: int = NOW, ord_type: OrdType = OrdType.LIMIT) -> Ask:
    """A question about it."""
    return Ask(order_id, f"c{order_id}", venue_order_id, "", SYMBOL, Side.BUY, ord_type, D(1), None, D(1), placed)


class Desk:
    """The protocol, its clock, and the frames that it sent."""

    def __init__(self, up: bool = True, snapshot: tuple[Any, ...] = (), trades: bool = False) -> None:
        self.protocol = MoonbaseProtocol("acc", "the key", "a secret of this test", [ETC])
        self.now = NOW
        self.sent: list[dict[str, Any]] = []
        self.remembered = ""
        if up:
            self.connect()
            assert LinkUp("acc") in self.join(*snapshot)
            if trades:
                self.reply([], self.last(TRADES))

    def do(self, outs: Any) -> list[Out]:
        """Take the frames and what is to be remembered; give back the rest."""
        rest: list[Out] = []
        for out in outs:
            match out:
                case Frame():
                    self.sent.append(json.loads(out.text))
                case Remembered():
                    self.remembered = out.value
                case _:
                    rest.append(out)
        return rest

    def connect(self) -> list[Out]:
        """A new connection."""
        return self.do(self.protocol.opened(self.now))

    def lose(self, why: str = "gone") -> list[Out]:
        """The connection is lost."""
        return self.do(self.protocol.closed(why, self.now))

    def send(self, command: Any) -> list[Out]:
        """A command of the router's."""
        return self.do(self.protocol.send(command, self.now))

    def say(self, topic: str, event: str, payload: Any, ref: str | None = None, join_ref: str | None = None) -> list[Out]:
        """A frame of the venue's."""
        frame = {"ref": ref, "join_ref": join_ref, "topic": topic, "event": event, "payload": payload}
        return self.do(self.protocol.receive(json.dumps(frame), self.now))

    def reply(self, response: Any, to: dict[str, Any] | None = None) -> list[Out]:
        """A yes to the last request, or to that one."""
        return self.answer({"status": "ok", "response": response}, to)

    def refuse(self, kind: str, to: dict[str, Any] | None = None, **details: Any) -> list[Out]:
        """A no."""
        return self.answer({"status": "error", "type": kind, "details": details}, to)

    def answer(self, payload: Any, to: dict[str, Any] | None = None) -> list[Out]:
        """A reply with this payload."""
        to = to or self.sent[-1]
        return self.say(to["topic"], "phx_reply", payload, to["ref"], to["join_ref"])

    def last(self, topic: str = ORDERS, event: str = "phx_join") -> dict[str, Any]:
        """The last frame of the kind."""
        return next(each for each in reversed(self.sent) if (each["topic"], each["event"]) == (topic, event))

    def join(self, *rows: Any) -> list[Out]:
        """The snapshot that the last join of the orders brings."""
        return self.reply(list(rows), self.last())

    def upsert(self, *rows: Any) -> list[Out]:
        """Rows of the orders' channel."""
        return self.say(ORDERS, "upsert", {"data": list(rows)})

    def trade(self, trade_id: int, price: Any, amount: Any, maker: int = 10, taker: int = 99) -> list[Out]:
        """A row of the trades' channel."""
        told = {"timestamp": "2019-02-17T20:37:41.682639", "taker_order_id": taker, "symbol": SYMBOL, "price": price}
        return self.say(TRADES, "insert", {"data": [told | {"maker_order_id": maker, "id": trade_id, "amount": amount}]})

    def wait(self, ns: int) -> list[Out]:
        """Time passes in ticks of 50 ms, or in one when it is long; heartbeats are answered."""
        outs: list[Out] = []
        until = self.now + ns
        while self.now < until:
            self.now = min(self.now + 50 * MS, until) if ns <= 20 * S else min(self.now + 5 * S, until)
            before = len(self.sent)
            outs += self.do(self.protocol.tick(self.now))
            for each in self.sent[before:]:
                if each["topic"] == "phoenix":
                    outs += self.reply({}, each)
        return outs

    def come_up(self, within: int) -> list[Out]:
        """Time passes until the orders are joined, with an empty snapshot; what that brought, nothing if it took too long."""
        before, until = self.joins(), self.now + within
        while self.joins() == before and self.now < until:
            self.wait(5 * S)
        return self.join() if self.joins() > before else []

    def joins(self, topic: str = ORDERS) -> int:
        """How often it joined."""
        return sum((each["topic"], each["event"]) == (topic, "phx_join") for each in self.sent)

    def live(self, **more: Any) -> list[Out]:
        """Place the document's order and have it accepted."""
        self.send(place(**more))
        return self.reply(row(), self.last(event="place"))
