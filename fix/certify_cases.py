"""The cases of certification, in the order in which they are walked. Data only.

Prices lie inside the demo's spread of BTC/USDT at BINANCE (64,990 / 65,010), so that orders rest; those that somebody trades with are the
best bid. Sources: fix/README.md; FIX 4.4 volume 2 (session), volume 4 and its Appendix D (order state changes)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from fix.certify_facts import Absent, Amount, Condition, Is, May, Named, Seq
from fix.certify_steps import Act, Alive, Answer, Ask, Away, Case, Quiet, Resent, Step

__all__ = ["CASES"]

_D: Final = "fix/README.md, In, NewOrderSingle"
_F: Final = "fix/README.md, In, OrderCancelRequest"
_G: Final = "fix/README.md, In, OrderCancelReplaceRequest; FIX 4.4 volume 4, Order Cancel/Replace Request"
_H: Final = "fix/README.md, In, OrderStatusRequest"
_Q: Final = "FIX 4.4 volume 4, Order Mass Cancel Request"
_8: Final = "fix/README.md, Out, ExecutionReport"
_SESSION: Final = "fix/README.md, Session"
_RESENDS: Final = "FIX 4.4 volume 2, Message Recovery"
_SYMBOL: Final = Is(("BTC/USDT", "BTCUSDT"))
_HERE: Final = May(("BINANCE",))


def _order(keep: str, price: str, symbol: Condition = _SYMBOL, said: str = "BTC/USDT") -> Ask:
    tags: dict[str, Condition] = {
        "55": symbol, "54": Is(("1",)), "40": Is(("2",)), "38": Amount(Decimal("0.5")), "44": Amount(Decimal(price)), "100": _HERE,
    }  # fmt: skip
    return Ask("D", f"Send a NewOrderSingle: buy 0.5 {said}, limit {price}, at BINANCE.", tags, _D, keep)


def _new(about: str) -> Answer:
    return Answer("8", "The router reports New (39=0).", {"150": "0", "39": "0"}, about)


def _resting(keep: str, price: str) -> tuple[Step, ...]:
    return _order(keep, price), _new(keep)


def _cancel(keep: str, order: str, said: str = "the order's ClOrdID") -> Ask:
    tags: dict[str, Condition] = {"41": Named(order, said), "55": _SYMBOL, "54": Is(("1",))}
    return Ask("F", f"Send an OrderCancelRequest: OrigClOrdID(41) is {said}.", tags, _F, keep)


def _canceled(order: str, *, before: bool = False) -> Answer:
    return Answer("8", "The router reports Canceled (39=4).", {"150": "4", "39": "4"}, order, before)


def _ended(keep: str, order: str) -> tuple[Step, ...]:
    return _cancel(keep, order), _canceled(order)


def _replace(keep: str, order: str, qty: str, price: str, said: str = "the order's ClOrdID") -> Ask:
    tags: dict[str, Condition] = {
        "41": Named(order, said), "55": _SYMBOL, "54": Is(("1",)), "40": Is(("2",)), "38": Amount(Decimal(qty)),
        "44": Amount(Decimal(price)),
    }  # fmt: skip
    return Ask("G", f"Send an OrderCancelReplaceRequest: quantity {qty} in all, limit {price}; OrigClOrdID(41) is {said}.", tags, _G, keep)


def _replaced(keep: str) -> Answer:
    return Answer("8", "The router reports Replaced (150=5), under the new ClOrdID.", {"150": "5"}, keep)


def _trade(qty: str, price: str) -> Act:
    body: dict[str, str | int | float] = {"symbol": "BTCUSDT", "venue": "BINANCE", "side": "sell", "qty": qty, "price": price}
    return Act("/_sim/trade", body, f"Somebody sells {qty} at {price}.")


def _fault(kind: str, match: str, said: str) -> Act:
    return Act("/_sim/fault", {"kind": kind, "count": 1, "match": match}, said)


def _logon(number: Condition = Seq("next"), ask: str = "Log on.") -> Ask:  # noqa: B008 - a value
    tags: dict[str, Condition] = {"98": Is(("0",)), "108": Seq("heartbeat"), "34": number, "141": May(("N",))}
    return Ask("A", ask, tags, f"{_SESSION}, Logon and Sequence numbers")


_LOGGED_ON: Final = Answer("A", "The router answers with a Logon.", {})
_FILLED: Final = {"39": "2", "14": "0.5", "151": "0"}

CASES: Final = (
    Case(
        "logon",
        "Logon with HeartBtInt as agreed, and sequence numbers that go on",
        "If your side is logged on, log it out; then log on, without a sequence reset.",
        (_logon(), _LOGGED_ON),
    ),
    Case(
        "heartbeat",
        "Heartbeats, and TestRequests answered",
        "Do nothing for a heartbeat interval and a half. Your side sends a Heartbeat, or answers the router's TestRequest.",
        (Alive("Stay logged on and send nothing by hand.", "FIX 4.4 volume 2, Heartbeat and Test Request"),),
    ),
    Case(
        "limit-cancel",
        "A limit order, and its cancel",
        "An order that rests, and is canceled.",
        (*_resting("order", "65000"), *_ended("cancel", "order")),
    ),
    Case(
        "market",
        "A market order",
        "An order that is filled from the book at once.",
        (
            Ask(
                "D",
                "Send a NewOrderSingle: sell 0.1 BTC/USDT at market, at BINANCE; no Price(44).",
                {"55": _SYMBOL, "54": Is(("2",)), "40": Is(("1",)), "38": Amount(Decimal("0.1")), "44": Absent(), "100": _HERE},
                _D,
                "order",
            ),
            Answer("8", "The router reports Filled (39=2).", {"39": "2", "14": "0.1"}, "order"),
        ),
    ),
    Case(
        "rejected",
        "An order that is rejected, and not sent again",
        "An order of a symbol that does not exist. Your side takes the reject as the end of the order.",
        (
            _order("order", "65000", Is(("XXX/YYY",)), "XXX/YYY"),
            Answer("8", "The router rejects it (39=8, 103=1).", {"39": "8", "103": "1"}, "order"),
            Quiet(5, ("D", "F", "G"), "the order is rejected, and nothing is to be sent for it", f"{_8}, 103"),
        ),
    ),
    Case(
        "partial-fill",
        "A partial fill, then the rest",
        "An order that rests and is filled in two parts. Your side books both, and does no more about it.",
        (
            *_resting("order", "65009"),
            _trade("0.2", "65009"),
            Answer("8", "The router reports Partially filled (39=1).", {"39": "1", "14": "0.2", "151": "0.3"}, "order"),
            _trade("0.3", "65009"),
            Answer("8", "The router reports Filled (39=2).", _FILLED, "order"),
            Quiet(3, ("D", "F", "G"), "the order is filled, and nothing is to be sent for it", f"{_8}, 39"),
        ),
    ),
    Case(
        "too-late",
        "A cancel that comes too late",
        "An order is filled while its cancel is on its way. Your side takes the OrderCancelReject(9) quietly: the order is filled.",
        (
            *_resting("order", "65008"),
            _fault("drop_request", "cancel", "The venue will lose the cancel."),
            _cancel("cancel", "order"),
            _trade("0.5", "65008"),
            Answer("9", "The router refuses the cancel (434=1, 102=0, 39=2).", {"434": "1", "102": "0", "39": "2"}, "cancel"),
            Quiet(
                5, ("D", "F", "G"), "the cancel was too late, and nothing is to be sent for the order", "fix/README.md, OrderCancelReject"
            ),
        ),
    ),
    Case(
        "replace",
        "Quantity and price replaced",
        "An order that rests, is replaced, and canceled.",
        (
            *_resting("order", "65000"),
            _replace("replace", "order", "0.7", "64999"),
            _replaced("replace"),
            *_ended("cancel", "replace"),
        ),
    ),
    Case(
        "replace-refused",
        "A replace that is refused",
        "A replace off the tick is refused, and the order goes on as it was: your side cancels it by its own ClOrdID.",
        (
            *_resting("order", "65000"),
            _replace("replace", "order", "0.5", "65000.001"),
            Answer("9", "The router refuses the replace (434=2).", {"434": "2"}, "replace"),
            _cancel("cancel", "order", "the order's ClOrdID: the replace's was never the order's"),
            _canceled("order"),
        ),
    ),
    Case(
        "replace-chain",
        "OrigClOrdID after several replaces",
        "Two replaces and a cancel: each OrigClOrdID(41) is the ClOrdID(11) of the last request that was accepted.",
        (
            *_resting("order", "65000"),
            _replace("first", "order", "0.6", "64999"),
            _replaced("first"),
            _replace("second", "first", "0.7", "64998", "the first replace's ClOrdID"),
            _replaced("second"),
            _cancel("cancel", "second", "the second replace's ClOrdID"),
            _canceled("second"),
        ),
    ),
    Case(
        "cl-ord-id",
        "ClOrdIDs: unique, at most 64 characters",
        "Two orders and their cancels: four ClOrdIDs, none used before. Use the longest that your side makes.",
        (
            *_resting("first", "65000"),
            *_ended("first cancel", "first"),
            *_resting("second", "65000"),
            *_ended("second cancel", "second"),
        ),
    ),
    Case(
        "transact-time",
        "TransactTime present, and in UTC",
        "An order and its cancel, with TransactTime(60) of now, in UTC, whatever the time zone of your side.",
        (*_resting("order", "65000"), *_ended("cancel", "order")),
    ),
    Case(
        "status",
        "An order's status asked for",
        "An order that rests; its status; its cancel.",
        (
            *_resting("order", "65000"),
            Ask(
                "H",
                "Send an OrderStatusRequest: ClOrdID(11) is the order's.",
                {"11": Named("order", "the order's ClOrdID"), "55": _SYMBOL, "54": Is(("1",))},
                _H,
                "asked",
            ),
            Answer("8", "The router tells the status (39=0, 17=0).", {"39": "0", "17": "0"}, "order"),
            *_ended("cancel", "order"),
        ),
    ),
    Case(
        "mass-cancel",
        "All orders canceled at once",
        "Two orders that rest, and one request that cancels both.",
        (
            *_resting("first", "65000"),
            *_resting("second", "64999"),
            Ask(
                "q",
                "Send an OrderMassCancelRequest: MassCancelRequestType(530)=7, or 1 with Symbol(55).",
                {"530": Is(("7", "1")), "55": May(("BTC/USDT", "BTCUSDT"))},
                _Q,
                "mass",
            ),
            Answer("r", "The router accepts it.", {}, "mass"),
            _canceled("first", before=True),
            _canceled("second", before=True),
        ),
        ("4.4", "5.0SP2"),
    ),
    Case(
        "unknown",
        "An order whose fate at the venue is unknown",
        "The venue does not answer. The router reports Pending New (39=A) with a Text(58): the order is neither live nor dead, and your "
        "side does not send it again. When the venue has been asked, the order is New; then cancel it.",
        (
            _fault("drop_reply", "new", "The venue will not answer the next order."),
            _order("order", "65000"),
            Answer("8", "The router reports Pending New (39=A), unknown at the venue.", {"150": "A", "39": "A"}, "order"),
            Answer("8", "The router has asked, and reports New (39=0). Do not send the order again.", {"39": "0"}, "order"),
            *_ended("cancel", "order"),
        ),
    ),
    Case(
        "restart",
        "No ClOrdID used again after a restart",
        "Stop your OMS and start it again: the program, not only the session. Then an order and its cancel, with ClOrdIDs never used.",
        (
            Away("Stop your OMS."),
            _logon(ask="Start it again and log on."),
            _LOGGED_ON,
            *_resting("order", "65000"),
            *_ended("cancel", "order"),
        ),
    ),
    Case(
        "resend-request",
        "What was missed is asked for",
        "An order is filled while your side is away. It comes back with its next number, asks for what it missed, and books the fill.",
        (
            *_resting("order", "65007"),
            Away("Cut the connection: no Logout, or with one."),
            _trade("0.5", "65007"),
            _logon(ask="Come back: log on."),
            _LOGGED_ON,
            Ask(
                "2",
                "Your side sends a ResendRequest from the first message that it missed.",
                {"7": Seq("missed")},
                _RESENDS,
            ),
            Answer("8", "The router sends the fill again, with PossDupFlag(43)=Y.", {**_FILLED, "43": "Y"}, "order"),
            Quiet(3, ("D", "F", "G"), "the order is filled, and nothing is to be sent for it", f"{_SESSION}, Away"),
        ),
    ),
    Case(
        "poss-dup",
        "A resend that the router asks for",
        "The router is to miss something of yours: log out, raise your next outgoing sequence number by 2, and log on; or cut the network, "
        "let your side send an order, and log on. The router asks; your side sends again with PossDupFlag(43)=Y and OrigSendingTime(122), "
        "or fills the gap.",
        (
            _logon(Seq("beyond"), "Log on with a sequence number that is higher than the router expects."),
            Resent("The router sends a ResendRequest; your side answers it.", _RESENDS),
        ),
    ),
    Case(
        "logout",
        "Logout",
        "Log out: a Logout, the router's answer, and then the end of the connection.",
        (
            Ask("5", "Send a Logout.", {}, "FIX 4.4 volume 2, Logout", holds=True),
            Answer("5", "The router answers with a Logout.", {}),
            Away("Close the connection."),
        ),
    ),
)
