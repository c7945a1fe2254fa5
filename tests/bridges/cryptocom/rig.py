"""What the Crypto.com protocol's tests share: commands, answers, and the protocol with the simulated venue at its far end."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from bridges.cryptocom.protocol import CryptocomProtocol
from bridges.cryptocom.sim_gateway import Call
from bridges.cryptocom.sim_text import to_json
from bridges.wire import Answer, Out, Request
from router.model import Ask, Cancel, Place
from router.rules import Instrument
from router.words import OrdType, Side, TimeInForce

from .venue import KEY, NOW, SECRET, Desk

D = Decimal
MS, SECOND = 1_000_000, 1_000_000_000
START = NOW * MS
ACCOUNT = "cdc-main"
BIG = 1234567890123456789
TRADE = {"volume": "0.5", "feeCoin": "BTC", "price": "65000", "fee": "0.001", "ctime": 1, "id": 7, "type": "BUY"}
BTC = Instrument(symbol="BTC/USDT", venue_symbol="btcusdt", base="BTC", quote="USDT", tick=D("0.01"), lot=D("0.00001"))


def protocol(emulate_ioc: bool = False, *instruments: Instrument) -> CryptocomProtocol:
    return CryptocomProtocol(ACCOUNT, KEY, SECRET, instruments or (BTC,), emulate_ioc)


def place(order_id: str = "1", **changes: Any) -> Place:
    """Buy 0.5 at 65000, a limit order."""
    whole: dict[str, Any] = {
        "order_id": order_id, "venue_cl_ord_id": f"c{order_id}", "venue": "", "symbol": "btcusdt", "side": Side.BUY,
        "ord_type": OrdType.LIMIT, "time_in_force": TimeInForce.GTC, "post_only": False, "order_qty": D("0.5"), "cash_order_qty": None,
        "price": D(65000), "stop_px": None, "reduce_only": False, "time": START,
    }  # fmt: skip
    return Place(**(whole | changes))


def market(side: Side, qty: str, order_id: str = "1") -> Place:
    """`qty` is money for a buy."""
    name = "cash_order_qty" if side is Side.BUY else "order_qty"
    return place(order_id, **({"side": side, "ord_type": OrdType.MARKET, "price": None, "order_qty": None} | {name: D(qty)}))


def cancel(venue_order_id: str | None, order_id: str = "1") -> Cancel:
    return Cancel(order_id, f"c{order_id}", venue_order_id, "", "btcusdt")


def ask(placed: Place, venue_order_id: str | None = None, at: int = START) -> Ask:
    return Ask(
        placed.order_id, placed.venue_cl_ord_id, venue_order_id, "", placed.symbol, placed.side, placed.ord_type, placed.order_qty,
        placed.cash_order_qty, placed.price, at, placed.time_in_force,
    )  # fmt: skip


def answer(data: Any, status: int = 200, code: Any = "0", msg: str = "suc") -> Answer:
    return Answer(status, {}, to_json({"code": code, "msg": msg, "data": data}).encode())


def requests(outs: Sequence[Out], path: str = "") -> list[Request]:
    return [out for out in outs if isinstance(out, Request) and path in out.path]


def events(outs: Sequence[Out]) -> list[Any]:
    return [out for out in outs if not isinstance(out, Request)]


def up(the: CryptocomProtocol, now: int = START) -> CryptocomProtocol:
    """The protocol with its link up, and nothing under way."""
    [read] = the.begin(now)
    rows = [{"symbol": "btcusdt", "count_coin": "usdt", "amount_precision": 5, "base_coin": "btc", "price_precision": 2}]
    [login] = the.answered(read, answer(rows), now)
    the.answered(login, answer({"total_asset": D(1), "coin_list": []}), now)
    return the


def row(status: int, deal: str = "0", trades=(), **changes):
    """`data` of showOrder for `place()`."""
    info = {
        "id": BIG, "side": "BUY", "created_at": START // MS, "avg_price": "65000.00000000", "type": 1, "volume": "0.50000000",
        "price": "65000.00000000", "deal_volume": deal, "status": status, "tradeList": list(trades),
    }  # fmt: skip
    return {"trade_list": list(trades), "order_info": info | changes}


def open_order(the=None, the_place=None):
    """A protocol with one order, and the look at it that is under way."""
    the = the or up(protocol())
    [create] = the.send(the_place or place(), START)
    outs = the.answered(create, answer({"order_id": BIG}), START)
    return the, requests(outs, "showOrder")[0]


class Rig:
    """The protocol, and the simulated venue's pure core where the network would be. A fault of the desk loses an answer."""

    def __init__(self, emulate_ioc: bool = False, desk: Desk | None = None) -> None:
        self.desk = desk or Desk()
        self.the = protocol(emulate_ioc)
        self.heard: list[Any] = []
        self.statuses: list[int] = []
        self.sent: list[tuple[int, Request]] = []
        self.hook: Callable[[Request], None] = lambda request: None
        self._do(self.the.begin(self.now))

    @property
    def now(self) -> int:
        return self.desk.now_ms * MS

    def send(self, command: Any) -> None:
        self._do(self.the.send(command, self.now))

    def run(self, seconds: float) -> list[Any]:
        """Let the time pass in ticks of 50 ms; returns what was heard meanwhile."""
        before = len(self.heard)
        for _ in range(round(seconds * 20)):
            self.desk.now_ms += 50
            self._do(self.the.tick(self.now))
        return self.heard[before:]

    def _do(self, outs: Sequence[Out]) -> None:
        waiting = list(outs)
        while waiting:
            out = waiting.pop(0)
            if not isinstance(out, Request):
                self.heard.append(out)
                continue
            self.sent.append((self.desk.now_ms, out))
            self.hook(out)
            signed = self.the.sign(out, self.now)
            path, _, query = signed.target.partition("?")
            call = Call(signed.method, path, query, signed.headers.get("Content-Type", ""), signed.body.encode(), "10.0.0.1")
            got = self.desk.gateway.handle(call, self.desk.now_ms)
            if got.body is None:
                waiting += self.the.lost(out, True, "connection lost", self.now)
            else:
                self.statuses.append(got.status)
                waiting += self.the.answered(out, Answer(got.status, {}, got.body), self.now)
