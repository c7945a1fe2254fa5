"""A desk to try the engine on: one client, two destinations on one link, and words for what happens. Nothing in here decides anything."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from router.engine import Engine
from router.model import (
    Accepted,
    Alert,
    Canceled,
    CancelOrder,
    CancelReject,
    CancelRejected,
    Effect,
    ExecutionReport,
    Filled,
    LinkDown,
    LinkUp,
    MassCancel,
    MassCancelReport,
    NewOrder,
    Outcome,
    Rejected,
    Replaced,
    ReplaceOrder,
    Send,
    Started,
    Stated,
    StatusRequest,
    Tick,
)
from router.order import Order
from router.rules import Capabilities, Client, Configured, Destination, Instrument, Route
from router.words import ExecType, MassScope, OrdStatus, OrdType, Side, TimeInForce

SESSION = "FIX.4.2:ROUTER->OMS"
LINK = "FIX.4.2:ACC->VENUE"
SECOND = 1_000_000_000
BTC = Instrument(
    symbol="BTC/USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", tick=D("0.01"), lot=D("0.001"), min_qty=D("0.001"),
    max_qty=D(100), min_px=D(1), max_px=D(1000000), min_notional=D(10), max_notional=D(1000000),
)  # fmt: skip
CAN = Capabilities(
    ord_types=(OrdType.LIMIT, OrdType.MARKET), times_in_force=(TimeInForce.GTC, TimeInForce.IOC), post_only=True, market_buy_by_cash=True
)
NATIVE = Capabilities(
    ord_types=(OrdType.LIMIT,), times_in_force=(TimeInForce.GTC,), post_only=False, market_buy_by_cash=False, native_replace=True
)
LIMIT_ONLY = Capabilities(ord_types=(OrdType.LIMIT,), times_in_force=(TimeInForce.GTC,), post_only=False, market_buy_by_cash=False)


def configured(**more: Any) -> Configured:
    """One client; BINANCE can do much, GBBO little, NATIVE replaces by itself; the route goes to BINANCE. `client` and `witness` change
    those."""
    client = Client(session=SESSION, **{"default_time_in_force": TimeInForce.GTC} | more.pop("client", {}))
    witness = more.pop("witness", "")
    destinations = tuple(
        Destination(name=name, account="acc", link=LINK, venue=name, capabilities=can, instruments=(BTC,), witness=witness)
        for name, can in (("BINANCE", CAN), ("GBBO", LIMIT_ONLY), ("NATIVE", NATIVE))
    )
    standard: dict[str, Any] = {"destinations": destinations, "clients": (client,), "routes": (Route(destination="BINANCE"),)}
    return Configured(**standard | more)


class Desk:
    """An engine, a clock that only moves when told, and everything the engine ever said."""

    def __init__(self, up: bool = True, **config: Any) -> None:
        self.engine = Engine()
        self.now = 1_800_000_000 * SECOND
        self.inputs: list[tuple[int, Any]] = []
        self.said: list[Effect] = []
        self._ids = 0
        self.apply(configured(**config))
        self.apply(Started("test"))
        if up:
            self.apply(LinkUp(LINK))

    def apply(self, event: Any) -> list[Effect]:
        self.now += 1000
        self.inputs.append((self.now, event))
        effects = self.engine.apply(event, self.now)
        self.engine.state.blotter.check()
        assert not [each for each in effects if isinstance(each, Alert) and each.text.startswith("internal error")], effects
        self.said += effects
        return effects

    # --- the client ---

    def new(self, cl_ord_id: str = "a", **more: Any) -> list[Effect]:
        self._ids += 1
        standard: dict[str, Any] = {
            "session": SESSION, "cl_ord_id": cl_ord_id, "symbol": "BTC/USDT", "side": Side.BUY, "ord_type": OrdType.LIMIT,
            "order_qty": D(1), "price": D(100), "venue_cl_ord_id": f"v{self._ids}",
        }  # fmt: skip
        return self.apply(NewOrder(**standard | more))

    def cancel(self, cl_ord_id: str = "c", orig: str = "a", **more: Any) -> list[Effect]:
        return self.apply(CancelOrder(session=SESSION, cl_ord_id=cl_ord_id, orig_cl_ord_id=orig, **more))

    def replace(self, cl_ord_id: str = "r", orig: str = "a", qty: str = "2", px: str | None = "100", **more: Any) -> list[Effect]:
        """Its new leg, where it needs one, is called "w" and the ClOrdID."""
        standard: dict[str, Any] = {
            "session": SESSION, "cl_ord_id": cl_ord_id, "orig_cl_ord_id": orig, "symbol": "BTC/USDT", "side": Side.BUY,
            "ord_type": OrdType.LIMIT, "order_qty": D(qty), "price": None if px is None else D(px), "venue_cl_ord_id": f"w{cl_ord_id}",
        }  # fmt: skip
        return self.apply(ReplaceOrder(**standard | more))

    def mass_cancel(self, **more: Any) -> list[Effect]:
        return self.apply(MassCancel(**{"session": SESSION, "cl_ord_id": "q", "scope": MassScope.ALL, "asked": "7"} | more))

    def status(self, cl_ord_id: str | None = "a", **more: Any) -> list[Effect]:
        return self.apply(StatusRequest(session=SESSION, cl_ord_id=cl_ord_id, **more))

    # --- the venue ---

    def accept(self, number: int = 1, exec_id: str = "", venue_order_id: str | None = None) -> list[Effect]:
        return self.apply(
            Accepted(
                account="acc", exec_id=exec_id or f"n{number}", venue_cl_ord_id=f"v{number}", venue_order_id=venue_order_id or f"o{number}"
            )
        )

    def fill(self, qty: str, px: str = "100", number: int = 1, complete: bool = False, exec_id: str = "", **more: Any) -> list[Effect]:
        exec_id = exec_id or f"x{number}-{len(self.inputs)}"
        standard = {"venue_order_id": f"o{number}"}
        return self.apply(Filled(account="acc", exec_id=exec_id, last_qty=D(qty), last_px=D(px), complete=complete, **standard | more))

    def end(self, number: int = 1, exec_id: str = "", **more: Any) -> list[Effect]:
        return self.apply(Canceled(account="acc", exec_id=exec_id or f"e{number}-{len(self.inputs)}", venue_order_id=f"o{number}", **more))

    def reject(self, number: int = 1, exec_id: str = "", **more: Any) -> list[Effect]:
        standard: dict[str, Any] = {"venue_order_id": f"v{number}"}
        return self.apply(Rejected(account="acc", exec_id=exec_id or f"r{number}-{len(self.inputs)}", **standard | more))

    def reject_cancel(self, number: int = 1, **more: Any) -> list[Effect]:
        return self.apply(CancelRejected(account="acc", venue_order_id=f"o{number}", **more))

    def replaced(self, number: int = 1, exec_id: str = "") -> list[Effect]:
        return self.apply(Replaced(account="acc", exec_id=exec_id or f"m{number}-{len(self.inputs)}", venue_order_id=f"o{number}"))

    def state(self, status: OrdStatus, cum: str, px: str | None = "100", name: str = "v1", asked: bool = True) -> list[Effect]:
        """What the venue says all told."""
        avg_px = None if px is None else D(px)
        return self.apply(Stated(account="acc", status=status, cum_qty=D(cum), avg_px=avg_px, venue_cl_ord_id=name, asked=asked))

    def down(self, link: str = LINK) -> list[Effect]:
        return self.apply(LinkDown(link))

    def up(self, link: str = LINK) -> list[Effect]:
        return self.apply(LinkUp(link))

    def later(self, seconds: float) -> list[Effect]:
        """Let time pass, and tick where a tick would have something to do."""
        self.now += int(seconds * SECOND)
        return self.apply(Tick()) if self.engine.due(self.now + 1000) else []

    # --- looking ---

    def order(self, cl_ord_id: str = "a") -> Order:
        order = self.engine.state.blotter.by_cl_ord_id(SESSION, cl_ord_id)
        assert order is not None
        return order


def reports(effects: list[Effect]) -> list[ExecutionReport]:
    return [each for each in effects if isinstance(each, ExecutionReport)]


def rejects(effects: list[Effect]) -> list[CancelReject]:
    return [each for each in effects if isinstance(each, CancelReject)]


def sent(effects: list[Effect]) -> list[str]:
    """Names of the commands sent to venues."""
    return [type(each.command).__name__ for each in effects if isinstance(each, Send)]


def alerts(effects: list[Effect]) -> list[str]:
    return [each.text for each in effects if isinstance(each, Alert)]


def shape(effects: list[Effect]) -> list[str]:
    """What was said, in short: commands, `exec_type/ord_status`, `9/ord_status`, `!`, an operator's `yes` or `no`."""
    said = []
    for each in effects:
        match each:
            case Send():
                said.append(type(each.command).__name__)
            case ExecutionReport():
                said.append(f"{each.exec_type}/{each.ord_status}")
            case CancelReject():
                said.append(f"9/{each.ord_status}")
            case MassCancelReport():
                said.append(f"r/{each.affected}")
            case Alert():
                said.append("!")
            case Outcome(ok=ok):
                said.append("yes" if ok else "no")
    return said


__all__ = ["BTC", "LINK", "SECOND", "SESSION", "D", "Desk", "ExecType", "alerts", "configured", "rejects", "reports", "sent", "shape"]
