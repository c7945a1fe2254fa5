"""Apifiny's own errors: the document's table, and what each row says of a create, a cancel and a question. Pure data and look-ups.

Source: "Apifiny Connect Status/Error Codes". The hexadecimal code is the key. Where the table contradicts itself:

- Five rows bear a decimal code that is not their hexadecimal one: 0x05003B (327738, which is 0x05003A), 0x05005A and 0x05006B (327786,
  which is 0x05006A), 0x05007B (327802, 0x05007A) and 0x06001B (393242, 0x06001A). A bare decimal code may mean any of its rows: the row
  whose hexadecimal it is gives the reason, but it is a no to a create only if each of its rows that speaks of creates is one.
- 0x05008A stands there twice: with a create it is a wrong timestamp, a no; with a cancel a timeout, which is unknown.
- 0x050016A has seven digits and is another code than 0x05016A.

How the rows are read, beyond their words:

1. A last digit A or D is a no. B is a fault of the venue's ("Server side errors"), so what became of a create is unknown, and cancels and
   questions are sent again. C is not explained: unknown.
2. But these, although B, refuse in so many words: no such account, permission denied, a wrong orderSide (0x02002B, 0x20000B, 0x05006B).
3. And these, although A, leave a create unknown: timeouts (0x05005A, 0x06010A); an id that is there already (0x05002A, 0x05007B,
   0x02006A: our ids are used once, so it is this very order); too many requests (0x02002A); "Order_GBBO_Error" and "SOM_Request_Error",
   which may come from behind the venue (0x05016A, 0x05017A).
4. "No such order" to a question is 0x05001A, 0x05003A or 0x050016A. Order_OpenOrderNotExist (0x05003B) is not: an order may be there and
   not open.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from router.words import CxlRejReason, OrdRejReason

__all__ = ["TABLE", "Row", "Verdict", "no_such_order", "of_cancel", "of_create", "of_question", "rows_of"]


class Row(NamedTuple):
    """One row of the document's table."""

    decimal: int
    text: str
    code: str
    """Hexadecimal, as the document spells it."""

    @property
    def key(self) -> int:
        """The hexadecimal code's value."""
        return int(self.code, 16)


class Verdict(StrEnum):
    """What an error says of the request that it answers."""

    NO = "no"
    UNKNOWN = "unknown"
    AGAIN = "again"
    """A fault of the venue's: to be sent again after 50 ms, a few times, where that does no harm."""
    LATER = "later"
    """Too many requests: likewise, after a second."""


# fmt: off
TABLE: Final[tuple[Row, ...]] = (
    Row(65548, "common error", "0x01000C"),
    Row(65562, "general request error, please check if the parameters in request are correct.", "0x01001A"),
    Row(65579, "general server side error, retry or contact customer service.", "0x01002B"),
    Row(65595, "server busy please wait", "0x01003B"),
    Row(65658, "IP is not in the white list", "0x01007A"),
    Row(131098, "Account Session Stopped", "0x02001A"),
    Row(131099, "create account error", "0x02001B"),
    Row(131114, "Request too often, please try later", "0x02002A"),
    Row(131115, "Account doesn't exist, please verify account ID.", "0x02002B"),
    Row(131130, "Sorry, the venue does not match the request url, please check the base url.", "0x02003A"),
    Row(131162, "Account status doesn't satisfy request, please verify account status.", "0x02005A"),
    Row(131178, "SQL execution error, duplicate primary key", "0x02006A"),
    Row(196634, "token error", "0x03001A"),
    Row(196650, "session error", "0x03002A"),
    Row(196666, "session extension validation Error", "0x03003A"),
    Row(196682, "sso token error", "0x03004A"),
    Row(196698, "session type error", "0x03005A"),
    Row(262170, "withdraw address not exist", "0x04001A"),
    Row(262186, "the number of withdraw addresses reaches limit", "0x04002A"),
    Row(262202, "Util_Unknown_Symbol", "0x04003A"),
    Row(262218, "Util_Unknown_Currency", "0x04004A"),
    Row(262250, "Util_Unknown_CoinType", "0x04006A"),
    Row(262266, "Util_Unknown_Coin", "0x04007A"),
    Row(262299, "Util_Create_Withdraw_Address_Error", "0x04009B"),
    Row(262427, "A connection issue encountered, please try again", "0x04011B"),
    Row(262443, "You have reach your daily withdrawal limit, please try next day", "0x04012B"),
    Row(5243242, "Order doesn't exist, please change order ID, Execute Fail", "0x050016A"),
    Row(327706, "Order ID doesn't exist, please recreate order id.", "0x05001A"),
    Row(327722, "Order_OriginalOrderIdDuplicate", "0x05002A"),
    Row(327723, "New order failure,retry or contact customer service.", "0x05002B"),
    Row(327738, "Order_OpenOrderNotExist", "0x05003B"),
    Row(327738, "Order doesn't exist, please change order ID.", "0x05003A"),
    Row(327741, "This exchange is currently under maitenance or not supported yet.", "0x05003D"),
    Row(327754, "Order_CancelPendingSubmitWait", "0x05004A"),
    Row(327755, "cancel order error, need to contact customer service.", "0x05004B"),
    Row(327786, "timeout for new order or other request, please wait and retry.", "0x05005A"),
    Row(327786, "orderSide parameter error", "0x05006B"),
    Row(327786, "too many open orders, cannot create new order, need to delete some orders and retry.", "0x05006A"),
    Row(327802, "order id repeat", "0x05007B"),
    Row(327802, "cannot cancel order under current order status, need confirm order status and retry or abandon request.", "0x05007A"),
    Row(327818, "Order create failed, incorrect timestamp format", "0x05008A"),
    Row(327818, "timeout for cancel order operation, need wait and retry.", "0x05008A"),
    Row(327834, "Order create failed, timestamp error", "0x05009A"),
    Row(327836, "Order_Detail_Not_Exist", "0x05009C"),
    Row(327946, "Order_Status_Not_Pending_Submit_Cancel", "0x05010A"),
    Row(327948, "Order_Log_Not_Exist order", "0x05010C"),
    Row(327962, "the number of new order within 24 hours exceed limit, please contact customer service.", "0x05011A"),
    Row(327978, "order id rule error", "0x05012A"),
    Row(328010, "the order is being cancelled, please verify order status.", "0x05014A"),
    Row(
        328026,
        "order cannot be canceled when in Pending_Submit status,please wait for status changed to submitted to cancel "
        "order.( if order status is still pending submit after 10 minutes, please contact customer service. )",
        "0x05015A",
    ),
    Row(328042, "Order_GBBO_Error", "0x05016A"),
    Row(328058, "SOM_Request_Error", "0x05017A"),
    Row(328074, "Your account has reached the trade amount limitation", "0x05018A"),
    Row(393242, "Asset_AvailableNotEnough.", "0x06001A"),
    Row(393242, "withdraw ticket error, please check or create a withdraw ticket first.", "0x06001B"),
    Row(393258, "Not enough asset available. Please verify if there is enough asset in account.", "0x06002A"),
    Row(393274, "asset free frozen not enough", "0x06003A"),
    Row(393290, "asset reduce frozen not enough", "0x06004A"),
    Row(393306, "Order_Cancel_TimeOut_Error", "0x06005A"),
    Row(393322, "Asset_Activity_Submitted_Not_Exist", "0x06006A"),
    Row(393338, "Asset_Query_Deposit_Address_Error", "0x06007A"),
    Row(393354, "Assets in this currency are insufficient or non-existent", "0x06008A"),
    Row(393355, "Asset_Activity_Completed_TxId_Error", "0x06008B"),
    Row(393372, "Asset_Log_Not_Exist", "0x06009C"),
    Row(393482, "Order_Create_TimeOut_Error", "0x06010A"),
    Row(393514, "Asset_Activity_Id_Exist", "0x06012A"),
    Row(393530, "Conversion between two currencies is not supported", "0x06013A"),
    Row(2097162, "Signature Error", "0x20000A"),
    Row(2097163, "Permission denied. Invalid API key or permissions for action.", "0x20000B"),
    Row(2097178, "No matching market", "0x20001A"),
)
# fmt: on
"""The whole table, in the document's order and words."""

_REFUSALS: Final = frozenset({0x02002B, 0x20000B, 0x05006B})
_RATE: Final = 0x02002A
_UNKNOWN_CREATE: Final = frozenset(
    {0x05005A, 0x06010A, 0x05002A, 0x05007B, 0x02006A, _RATE, 0x05016A, 0x05017A}
)  # fmt: skip
_UNKNOWN_CANCEL: Final = frozenset({0x05008A, 0x06005A})
_NOT_OF_CREATES: Final = frozenset({0x05003A, 0x05003B, 0x05007A, 0x06001B})
"""Rows that share a decimal code with another, and speak of something else than creates."""
_NO_SUCH_ORDER: Final = frozenset({0x05001A, 0x05003A, 0x050016A})

REJECT_REASONS: Final[dict[int, OrdRejReason]] = {
    0x04003A: OrdRejReason.UNKNOWN_SYMBOL,
    0x20001A: OrdRejReason.UNKNOWN_SYMBOL,
    0x02001A: OrdRejReason.EXCHANGE_CLOSED,
    0x05003D: OrdRejReason.EXCHANGE_CLOSED,
    0x02002B: OrdRejReason.UNKNOWN_ACCOUNT,
    0x05006A: OrdRejReason.EXCEEDS_LIMIT,
    0x05011A: OrdRejReason.EXCEEDS_LIMIT,
    0x05018A: OrdRejReason.EXCEEDS_LIMIT,
    0x06001A: OrdRejReason.EXCEEDS_LIMIT,
    0x06002A: OrdRejReason.EXCEEDS_LIMIT,
    0x06003A: OrdRejReason.EXCEEDS_LIMIT,
    0x06008A: OrdRejReason.EXCEEDS_LIMIT,
}
"""OrdRejReason(103) of a no to a create; any other is BROKER_OPTION."""
CANCEL_REASONS: Final[dict[int, CxlRejReason]] = {
    0x05001A: CxlRejReason.UNKNOWN_ORDER,
    0x05003A: CxlRejReason.UNKNOWN_ORDER,
    0x05003B: CxlRejReason.UNKNOWN_ORDER,
    0x050016A: CxlRejReason.UNKNOWN_ORDER,
    0x05007A: CxlRejReason.TOO_LATE,
    0x05014A: CxlRejReason.ALREADY_PENDING,
}
"""CxlRejReason(102) of a no to a cancel; any other is BROKER_OPTION."""


def rows_of(code: int, hexadecimal: bool) -> tuple[Row, ...]:
    """The rows that a code may mean: first that whose hexadecimal code it is. `hexadecimal`: it was written so, and means no other.
    Empty for a code that is not in the document."""
    exact = tuple(row for row in TABLE if row.key == code)
    return exact if hexadecimal else exact + tuple(row for row in TABLE if row.decimal == code and row.key != code)


def of_create(rows: tuple[Row, ...]) -> tuple[Verdict, OrdRejReason]:
    """What an error says of a create: NO or UNKNOWN. No row at all: unknown."""
    about = [row for row in rows if row.key not in _NOT_OF_CREATES or row == rows[0]]
    refused = bool(about) and all(_refuses_create(row) for row in about)
    return (Verdict.NO, REJECT_REASONS.get(rows[0].key, OrdRejReason.BROKER_OPTION)) if refused else (Verdict.UNKNOWN, OrdRejReason.OTHER)


def of_cancel(rows: tuple[Row, ...]) -> tuple[Verdict, CxlRejReason]:
    """What an error says of a cancel."""
    if not rows:
        return Verdict.UNKNOWN, CxlRejReason.OTHER
    key = rows[0].key
    reason = CANCEL_REASONS.get(key, CxlRejReason.BROKER_OPTION)
    if key in CANCEL_REASONS:
        return Verdict.NO, reason
    return (Verdict.UNKNOWN if key in _UNKNOWN_CANCEL else of_question(rows)), reason


def of_question(rows: tuple[Row, ...]) -> Verdict:
    """Whether a question that was answered by an error is worth repeating at once (AGAIN, LATER), or not."""
    if not rows:
        return Verdict.UNKNOWN
    row = rows[0]
    if row.key == _RATE:
        return Verdict.LATER
    if row.key == 0x05005A or (row.code[-1] == "B" and row.key not in _REFUSALS):
        return Verdict.AGAIN
    return Verdict.UNKNOWN if row.code[-1] == "C" else Verdict.NO


def no_such_order(rows: tuple[Row, ...]) -> bool:
    """Whether the answer to a question about one order is the document's "Order doesn't exist" (reading 4)."""
    return bool(rows) and rows[0].key in _NO_SUCH_ORDER


def _refuses_create(row: Row) -> bool:
    if row.key in _UNKNOWN_CREATE:
        return False
    return row.key in _REFUSALS or row.code[-1] in "AD"
