"""Apifiny's dialect of FIX 4.2, as a dialect of a generic FIX venue: logon token, order ids, messages. Pure.

Source: Apifiny Connect API document, "FIX API" and "Create New Order". Where it is silent, the reading is stated here:

- OrderID(37) of a Rejected report is taken to be the order id that we sent: no ClOrdID(11) is listed for it, and an order
  that was never acknowledged has no other id.
- The answer to an OrderStatusRequest is the order's latest ExecutionReport once more, with the same ExecID(17). One that
  names an order unknown to us and is Rejected says "no such order".
- A market buy states CashOrderQty(152), FIX's word for REST's `total`; it carries no OrderQty(38).
- OrderCancelReject(9) is named without its tags: FIX 4.2's own are read where they are present.
- Text(58) and OrdRejReason(103) are not listed for ExecutionReport, but read where they come: the reason goes to the client.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import jwt

from fix import tags as t
from fix.text import Malformed, join, number, printable, timestamp
from router.model import Accepted, Ask, Cancel, Canceled, CancelRejected, Filled, Place, Rejected, Replace, VenueCommand, VenueEvent
from router.ports import Unsendable
from router.rules import Capabilities
from router.words import CxlRejReason, OrdRejReason, OrdType, TimeInForce

__all__ = ["ApifinyDialect", "capabilities", "logon_token", "order_id"]

MARKET_VENUES: Final = frozenset({"BINANCE", "BINANCEUS", "COINBASEPRO", "HUOBI", "KUCOIN", "OKEX"})
"""Document, "Order Type": only these take market orders."""
TOKEN_SECONDS: Final = 30
_SIDES = t.reading(t.SIDES)
_HEAD: Final = f"8=FIX.4.2{t.SOH}9=0{t.SOH}35="
_ORDER_ID_AT_MOST: Final = 64
_NAME_AT_MOST: Final = 128

# Document, "Apifiny Connect Status/Error Codes"; the hexadecimal code is the key, since some decimal ones have two meanings.
_REJECT_REASONS: Final[dict[str, OrdRejReason]] = {
    "0x04003A": OrdRejReason.UNKNOWN_SYMBOL,
    "0x20001A": OrdRejReason.UNKNOWN_SYMBOL,
    "0x05002A": OrdRejReason.DUPLICATE_ORDER,
    "0x05007B": OrdRejReason.DUPLICATE_ORDER,
    "0x05003D": OrdRejReason.EXCHANGE_CLOSED,
    "0x02001A": OrdRejReason.EXCHANGE_CLOSED,
    "0x05006A": OrdRejReason.EXCEEDS_LIMIT,
    "0x05011A": OrdRejReason.EXCEEDS_LIMIT,
    "0x05018A": OrdRejReason.EXCEEDS_LIMIT,
    "0x06001A": OrdRejReason.EXCEEDS_LIMIT,
    "0x06002A": OrdRejReason.EXCEEDS_LIMIT,
    "0x06008A": OrdRejReason.EXCEEDS_LIMIT,
}
_CANCEL_REASONS: Final[dict[str, CxlRejReason]] = {
    "0x05003A": CxlRejReason.UNKNOWN_ORDER,
    "0x05003B": CxlRejReason.UNKNOWN_ORDER,
    "0x05007A": CxlRejReason.TOO_LATE,
    "0x05014A": CxlRejReason.ALREADY_PENDING,
}
_CANCEL_CODES: Final[dict[str, CxlRejReason]] = {
    "0": CxlRejReason.TOO_LATE,
    "1": CxlRejReason.UNKNOWN_ORDER,
    "3": CxlRejReason.ALREADY_PENDING,
}


def capabilities(venue: str) -> Capabilities:
    """What a venue behind Apifiny takes (document, "Order Type" and "Time In Force"; GTD is "temporarily not supported")."""
    market = (OrdType.MARKET,) if venue in MARKET_VENUES else ()
    return Capabilities(
        ord_types=(OrdType.LIMIT, *market),
        times_in_force=(TimeInForce.GTC, TimeInForce.IOC),
        post_only=True,
        market_buy_by_cash=True,
    )


def logon_token(account_id: str, key_id: str, secret: str, now: int) -> str:
    """RawData(96) of a Logon: a JWT good for 30 s from `now` (ns UTC), so it is signed at each logon (document, "Logon")."""
    claims = {
        "accountId": account_id,
        "secretKeyId": key_id,
        "digest": hashlib.sha256(account_id.encode()).hexdigest(),
        "method": "Fix",
        "exp": now // 1_000_000_000 + TOKEN_SECONDS,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def order_id(account_id: str, now: int, random: int, serial: int) -> str:
    """An order id by Apifiny's rule: account number + random number + 13 digits of ms + 3 digits (document, "New Order").

    `random` makes it unique across restarts, `serial` (mod 1000) within one millisecond."""
    account_number = "".join(character for character in account_id if character.isdigit())
    return f"{account_number}{random:06}{now // 1_000_000:013}{serial % 1000:03}"[-_ORDER_ID_AT_MOST:]


class ApifinyDialect:
    """Commands to text, text to events, for one account."""

    def __init__(self, account: str, account_id: str) -> None:
        """`account`: our name for the credentials; `account_id`: Apifiny's, Account(1) on the wire."""
        self._account = account
        self._account_id = account_id

    def encode(self, command: VenueCommand) -> str:
        """A command as the text of a message (document, "New Order", "Cancel Order", "Query order status": these tags and no
        others)."""
        common = [(t.CL_ORD_ID, command.venue_cl_ord_id), (t.ACCOUNT, self._account_id), (t.SECURITY_EXCHANGE, command.venue)]
        match command:
            case Place():
                return f"{_HEAD}D{t.SOH}{join(common + _order(command))}10=000{t.SOH}"
            case Cancel():
                return f"{_HEAD}F{t.SOH}{join(common)}10=000{t.SOH}"
            case Ask():
                return f"{_HEAD}H{t.SOH}{join(common)}10=000{t.SOH}"
            case Replace():
                raise Unsendable("Apifiny has no replace")

    def decode(self, found: Mapping[str, str]) -> VenueEvent:
        """A message of the venue as an event. Raises `Malformed` for what makes no sense."""
        match found[t.MSG_TYPE]:
            case t.EXECUTION_REPORT:
                return self._execution(found)
            case t.ORDER_CANCEL_REJECT:
                return self._cancel_rejected(found)
            case other:
                raise Malformed(f"MsgType(35) {printable(other)[:40]} is not one that Apifiny documents")

    def _execution(self, found: Mapping[str, str]) -> VenueEvent:
        account, exec_id = self._account, _needed(found, t.EXEC_ID, "ExecID")
        cl_ord_id, venue_order_id = _name(found, t.CL_ORD_ID, "ClOrdID"), _name(found, t.ORDER_ID, "OrderID")
        text = printable(found.get(t.TEXT, ""))
        exec_type = found.get(t.EXEC_TYPE)
        match exec_type:
            case "0":
                return Accepted(account=account, exec_id=exec_id, venue_cl_ord_id=cl_ord_id, venue_order_id=venue_order_id)
            case "1" | "2":
                return Filled(
                    account=account, exec_id=exec_id, venue_cl_ord_id=cl_ord_id, venue_order_id=venue_order_id,
                    last_qty=_positive(found, t.LAST_SHARES, "LastShares"), last_px=_positive(found, t.PRICE, "Price"),
                    complete=exec_type == "2", symbol=_name(found, t.SYMBOL, "Symbol"), side=_SIDES.get(found.get(t.SIDE, "")),
                    order_qty=_order_qty(found),
                )  # fmt: skip
            case "4":
                return Canceled(
                    account=account, exec_id=exec_id, venue_cl_ord_id=cl_ord_id, venue_order_id=venue_order_id,
                    symbol=_name(found, t.SYMBOL, "Symbol"), side=_SIDES.get(found.get(t.SIDE, "")),
                    order_qty=_order_qty(found), text=text,
                )  # fmt: skip
            case "8":
                reason = _REJECT_REASONS.get(_error_code(text), OrdRejReason.BROKER_OPTION)
                return Rejected(
                    account=account, exec_id=exec_id, venue_cl_ord_id=cl_ord_id, venue_order_id=venue_order_id, reason=reason, text=text
                )
            case other:
                raise Malformed(f"ExecType(150) {printable(str(other))[:40]} is not one that Apifiny documents")

    def _cancel_rejected(self, found: Mapping[str, str]) -> CancelRejected:
        text = printable(found.get(t.TEXT, ""))
        coded = _CANCEL_CODES.get(found.get(t.CXL_REJ_REASON, ""), CxlRejReason.BROKER_OPTION)
        return CancelRejected(
            account=self._account,
            venue_cl_ord_id=_name(found, t.CL_ORD_ID, "ClOrdID"),
            venue_order_id=_name(found, t.ORDER_ID, "OrderID"),
            reason=_CANCEL_REASONS.get(_error_code(text), coded),
            text=text or "refused by Apifiny, which gave no reason",
        )


def _order(command: Place) -> list[tuple[str, str]]:
    pairs = [
        (t.SYMBOL, command.symbol),
        (t.HANDL_INST, "1"),
        (t.ORD_TYPE, t.ORD_TYPES[command.ord_type]),
        (t.TIME_IN_FORCE, t.POST_ONLY_TIME_IN_FORCE if command.post_only else t.TIMES_IN_FORCE[command.time_in_force]),
        (t.TRANSACT_TIME, timestamp(command.time)),
        (t.SIDE, t.SIDES[command.side]),
    ]
    if command.price is not None:
        pairs.append((t.PRICE, f"{command.price:f}"))
    if command.order_qty is not None:
        pairs.append((t.ORDER_QTY, f"{command.order_qty:f}"))
    if command.cash_order_qty is not None:
        pairs.append((t.CASH_ORDER_QTY, f"{command.cash_order_qty:f}"))
    return pairs


def _needed(found: Mapping[str, str], tag: str, name: str) -> str:
    value = _name(found, tag, name)
    if not value:
        raise Malformed(f"{name}({tag}) is missing")
    return value


def _name(found: Mapping[str, str], tag: str, name: str) -> str | None:
    """An id or a symbol: printable ASCII, fit for a report, a log and the journal."""
    value = found.get(tag)
    if value is not None and not (len(value) <= _NAME_AT_MOST and value.isascii() and value.isprintable()):
        raise Malformed(f"{name}({tag}) {printable(value)[:40]} is not a name")
    return value


def _order_qty(found: Mapping[str, str]) -> Decimal | None:
    """OrderQty(38); None where it is 0, as of an order by cash amount."""
    value = number(found, t.ORDER_QTY, "OrderQty")
    if value is not None and value < 0:
        raise Malformed(f"OrderQty({t.ORDER_QTY}) is {value:f}")
    return value or None


def _positive(found: Mapping[str, str], tag: str, name: str) -> Decimal:
    value = number(found, tag, name)
    if value is None or value <= 0:
        raise Malformed(f"{name}({tag}) {'is missing' if value is None else f'is {value:f}'} on a fill")
    return value


def _error_code(text: str) -> str:
    """The hexadecimal code that a text begins with, "" where there is none."""
    return text.split(maxsplit=1)[0].rstrip(":,") if text.startswith("0x") else ""
