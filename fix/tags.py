"""Tag numbers and code characters: the only place that knows them. Names are FIX's. Pure.

Tags are text, as they stand on the wire. Each map goes from our word to FIX's code; `reading` turns one around. Where a
version lacks a code, its map says what stands in for it."""

from __future__ import annotations

from typing import Final, TypeVar

from router.inquiries import Result, Subscription, TradingStatus
from router.words import CxlRejReason, CxlRejResponseTo, ExecType, MassScope, OrdRejReason, OrdStatus, OrdType, Side, TimeInForce

SOH: Final = "\x01"

ACCOUNT: Final = "1"
AVG_PX: Final = "6"
CL_ORD_ID: Final = "11"
CUM_QTY: Final = "14"
COMMISSION: Final = "12"
COMM_TYPE: Final = "13"
EXEC_ID: Final = "17"
EXEC_REF_ID: Final = "19"
EXEC_INST: Final = "18"
EXEC_TRANS_TYPE: Final = "20"
HANDL_INST: Final = "21"
LAST_PX: Final = "31"
LAST_SHARES: Final = "32"
MSG_SEQ_NUM: Final = "34"
MSG_TYPE: Final = "35"
ORDER_ID: Final = "37"
ORDER_QTY: Final = "38"
ORD_STATUS: Final = "39"
ORD_TYPE: Final = "40"
ORIG_CL_ORD_ID: Final = "41"
POSS_DUP_FLAG: Final = "43"
PRICE: Final = "44"
SENDING_TIME: Final = "52"
SIDE: Final = "54"
SYMBOL: Final = "55"
TEXT: Final = "58"
TIME_IN_FORCE: Final = "59"
TRANSACT_TIME: Final = "60"
RAW_DATA_LENGTH: Final = "95"
RAW_DATA: Final = "96"
POSS_RESEND: Final = "97"
STOP_PX: Final = "99"
EX_DESTINATION: Final = "100"
CXL_REJ_REASON: Final = "102"
ORD_REJ_REASON: Final = "103"
MIN_QTY: Final = "110"
MAX_FLOOR: Final = "111"
ORIG_SENDING_TIME: Final = "122"
EXPIRE_TIME: Final = "126"
EXEC_TYPE: Final = "150"
LEAVES_QTY: Final = "151"
CASH_ORDER_QTY: Final = "152"
SECONDARY_ORDER_ID: Final = "198"
SECURITY_EXCHANGE: Final = "207"
SECURITY_TYPE: Final = "167"
MAX_SHOW: Final = "210"
EXPIRE_DATE: Final = "432"
CXL_REJ_RESPONSE_TO: Final = "434"
BUSINESS_REJECT_REF_MSG_TYPE: Final = "372"
BUSINESS_REJECT_REASON: Final = "380"
COMM_CURRENCY: Final = "479"
MASS_CANCEL_REQUEST_TYPE: Final = "530"
MASS_CANCEL_RESPONSE: Final = "531"
MASS_CANCEL_REJECT_REASON: Final = "532"
TOTAL_AFFECTED_ORDERS: Final = "533"
MASS_STATUS_REQ_ID: Final = "584"
MASS_STATUS_REQ_TYPE: Final = "585"
ORD_STATUS_REQ_ID: Final = "790"
TOT_NUM_REPORTS: Final = "911"
LAST_RPT_REQUESTED: Final = "912"
MASS_ACTION_REPORT_ID: Final = "1369"
DISPLAY_QTY: Final = "1138"

CURRENCY: Final = "15"
NO_RELATED_SYM: Final = "146"
CONTRACT_MULTIPLIER: Final = "231"
SUBSCRIPTION_REQUEST_TYPE: Final = "263"
SECURITY_REQ_ID: Final = "320"
SECURITY_REQUEST_TYPE: Final = "321"
SECURITY_RESPONSE_ID: Final = "322"
SECURITY_RESPONSE_TYPE: Final = "323"
UNSOLICITED_INDICATOR: Final = "325"
TRAD_SES_REQ_ID: Final = "335"
TRADING_SESSION_ID: Final = "336"
TRAD_SES_STATUS: Final = "340"
BUSINESS_REJECT_REF_ID: Final = "379"
TOTAL_NUM_SECURITIES: Final = "393"
TOT_NO_RELATED_SYM: Final = "393"
"""4.2 and 4.4 have another name for it, in another message."""
SECURITY_LIST_REQUEST_TYPE: Final = "559"
SECURITY_REQUEST_RESULT: Final = "560"
ROUND_LOT: Final = "561"
MIN_TRADE_VOL: Final = "562"
TRAD_SES_STATUS_REJ_REASON: Final = "567"
ACCOUNT_TYPE: Final = "581"
NO_POSITIONS: Final = "702"
POS_TYPE: Final = "703"
LONG_QTY: Final = "704"
SHORT_QTY: Final = "705"
POS_REQ_ID: Final = "710"
CLEARING_BUSINESS_DATE: Final = "715"
POS_MAINT_RPT_ID: Final = "721"
POS_REQ_TYPE: Final = "724"
TOTAL_NUM_POS_REPORTS: Final = "727"
POS_REQ_RESULT: Final = "728"
SETTL_PRICE: Final = "730"
SETTL_PRICE_TYPE: Final = "731"
PRIOR_SETTL_PRICE: Final = "734"
LAST_FRAGMENT: Final = "893"
SECURITY_STATUS: Final = "965"
MIN_PRICE_INCREMENT: Final = "969"
MAX_TRADE_VOL: Final = "1140"
LOW_LIMIT_PRICE: Final = "1148"
HIGH_LIMIT_PRICE: Final = "1149"
MARKET_ID: Final = "1301"
NO_MARKET_SEGMENTS: Final = "1310"
# Ours, for words that a version has no tag for: user-defined tags, listed in the shipped dictionaries.
OWN_ROUND_LOT: Final = "5561"
OWN_MIN_TRADE_VOL: Final = "5562"
OWN_SECURITY_STATUS: Final = "5965"
OWN_MIN_PRICE_INCREMENT: Final = "5969"
OWN_MIN_NOTIONAL: Final = "5970"
OWN_MAX_NOTIONAL: Final = "5971"
OWN_MAX_TRADE_VOL: Final = "6140"
OWN_LOW_LIMIT_PRICE: Final = "6148"
OWN_HIGH_LIMIT_PRICE: Final = "6149"

NO_PARTY_IDS: Final = "453"
PARTY_TAGS: Final = frozenset({"447", "448", "452", "523", "802", "803"})
"""What a Parties block holds (FIX 4.4 volume 1, Parties), with its sub-group."""
CL_ORD_LINK_ID: Final = "583"

NEW_ORDER_SINGLE: Final = "D"
ORDER_CANCEL_REQUEST: Final = "F"
ORDER_CANCEL_REPLACE_REQUEST: Final = "G"
ORDER_STATUS_REQUEST: Final = "H"
ORDER_MASS_CANCEL_REQUEST: Final = "q"
ORDER_MASS_STATUS_REQUEST: Final = "AF"
EXECUTION_REPORT: Final = "8"
ORDER_CANCEL_REJECT: Final = "9"
BUSINESS_MESSAGE_REJECT: Final = "j"
LOGON: Final = "A"
SECURITY_LIST_REQUEST: Final = "x"
SECURITY_LIST: Final = "y"
SECURITY_DEFINITION_REQUEST: Final = "c"
SECURITY_DEFINITION: Final = "d"
TRADING_SESSION_STATUS_REQUEST: Final = "g"
TRADING_SESSION_STATUS: Final = "h"
REQUEST_FOR_POSITIONS: Final = "AN"
POSITION_REPORT: Final = "AP"
GROUPS: Final[dict[str, str]] = {
    EXECUTION_REPORT: NO_PARTY_IDS,
    SECURITY_LIST: NO_RELATED_SYM,
    SECURITY_DEFINITION: NO_MARKET_SEGMENTS,
    POSITION_REPORT: NO_POSITIONS,
}
"""By type of message that goes out: the tag that begins its repeating group."""

SIDES: Final[dict[Side, str]] = {
    Side.BUY: "1",
    Side.SELL: "2",
    Side.BUY_MINUS: "3",
    Side.SELL_PLUS: "4",
    Side.SELL_SHORT: "5",
    Side.SELL_SHORT_EXEMPT: "6",
    Side.UNDISCLOSED: "7",
    Side.CROSS: "8",
    Side.CROSS_SHORT: "9",
}
ORD_TYPES: Final[dict[OrdType, str]] = {OrdType.MARKET: "1", OrdType.LIMIT: "2", OrdType.STOP: "3", OrdType.STOP_LIMIT: "4"}
TIMES_IN_FORCE: Final[dict[TimeInForce, str]] = {
    TimeInForce.DAY: "0",
    TimeInForce.GTC: "1",
    TimeInForce.OPG: "2",
    TimeInForce.IOC: "3",
    TimeInForce.FOK: "4",
    TimeInForce.GTX: "5",
    TimeInForce.GTD: "6",
}
POST_ONLY_TIME_IN_FORCE: Final = "7"
"""Apifiny, "Time In Force": 7 = Post Only. FIX 4.4 gives 7 to At The Close, which no venue here has; so it means post-only on
all versions."""
POST_ONLY_EXEC_INST: Final = "6"
"""ExecInst(18)=6, Participate don't initiate."""
REDUCE_ONLY_EXEC_INST: Final = "E"
"""ExecInst(18)=E, Do not increase."""
COMM_TYPE_ABSOLUTE: Final = "3"
"""CommType(13)=3: the commission is an amount."""

ORD_STATUSES: Final[dict[OrdStatus, str]] = {
    OrdStatus.NEW: "0",
    OrdStatus.PARTIALLY_FILLED: "1",
    OrdStatus.FILLED: "2",
    OrdStatus.DONE_FOR_DAY: "3",
    OrdStatus.CANCELED: "4",
    OrdStatus.PENDING_CANCEL: "6",
    OrdStatus.REJECTED: "8",
    OrdStatus.PENDING_NEW: "A",
    OrdStatus.EXPIRED: "C",
    OrdStatus.PENDING_REPLACE: "E",
}
REPLACED_42: Final = "5"
"""OrdStatus(39) of a replaced order without executions in FIX 4.2 (Appendix D: precedence 3, above New's 2); later versions say New."""
EXEC_TYPES: Final[dict[ExecType, str]] = {
    ExecType.NEW: "0",
    ExecType.DONE_FOR_DAY: "3",
    ExecType.CANCELED: "4",
    ExecType.REPLACED: "5",
    ExecType.PENDING_CANCEL: "6",
    ExecType.REJECTED: "8",
    ExecType.PENDING_NEW: "A",
    ExecType.EXPIRED: "C",
    ExecType.PENDING_REPLACE: "E",
    ExecType.TRADE: "F",
    ExecType.TRADE_CORRECT: "G",
    ExecType.TRADE_CANCEL: "H",
    ExecType.ORDER_STATUS: "I",
}
"""FIX 4.3 and later. FIX 4.2 writes TRADE as 1 or 2; TRADE_CANCEL, TRADE_CORRECT and ORDER_STATUS as the order's status, with
ExecTransType(20) saying what it is."""
EXEC_TRANS_TYPES: Final[dict[ExecType, str]] = {ExecType.TRADE_CANCEL: "1", ExecType.TRADE_CORRECT: "2", ExecType.ORDER_STATUS: "3"}
"""ExecTransType(20) of FIX 4.2; all others are new, 0."""

ORD_REJ_REASONS_42: Final[dict[OrdRejReason, str]] = {
    OrdRejReason.BROKER_OPTION: "0",
    OrdRejReason.UNKNOWN_SYMBOL: "1",
    OrdRejReason.EXCHANGE_CLOSED: "2",
    OrdRejReason.EXCEEDS_LIMIT: "3",
    OrdRejReason.UNKNOWN_ORDER: "5",
    OrdRejReason.DUPLICATE_ORDER: "6",
    OrdRejReason.STALE_ORDER: "8",
    # FIX 4.2 has no code for these; Text(58) says what it is.
    OrdRejReason.UNSUPPORTED: "0",
    OrdRejReason.INCORRECT_QUANTITY: "0",
    OrdRejReason.UNKNOWN_ACCOUNT: "0",
    OrdRejReason.OTHER: "0",
}
ORD_REJ_REASONS_44: Final[dict[OrdRejReason, str]] = {
    **ORD_REJ_REASONS_42,
    OrdRejReason.UNSUPPORTED: "11",
    OrdRejReason.INCORRECT_QUANTITY: "13",
    OrdRejReason.UNKNOWN_ACCOUNT: "15",
    OrdRejReason.OTHER: "99",
}
CXL_REJ_REASONS_42: Final[dict[CxlRejReason, str]] = {
    CxlRejReason.TOO_LATE: "0",
    CxlRejReason.UNKNOWN_ORDER: "1",
    CxlRejReason.BROKER_OPTION: "2",
    CxlRejReason.ALREADY_PENDING: "3",
    CxlRejReason.DUPLICATE_CL_ORD_ID: "2",
    CxlRejReason.OTHER: "2",
}
CXL_REJ_REASONS_44: Final[dict[CxlRejReason, str]] = {
    **CXL_REJ_REASONS_42,
    CxlRejReason.DUPLICATE_CL_ORD_ID: "6",
    CxlRejReason.OTHER: "99",
}
CXL_REJ_RESPONSES: Final[dict[CxlRejResponseTo, str]] = {CxlRejResponseTo.CANCEL: "1", CxlRejResponseTo.REPLACE: "2"}
MASS_SCOPES: Final[dict[str, MassScope]] = {"1": MassScope.SYMBOL, "6": MassScope.ALL, "7": MassScope.ALL}
"""MassCancelRequestType(530) and MassStatusReqType(585). 6, a trading session, is read as this FIX session, as some venues do; a session
reaches only its own orders, so 7 is the same."""

LIST_SYMBOL: Final = "0"
LIST_ALL: Final = "4"
"""SecurityListRequestType(559)."""
DEFINITION_OF_ONE: Final = "0"
DEFINITIONS_OF_ALL: Final = "3"
"""SecurityRequestType(321)."""
DEFINED: Final = "1"
DEFINED_IN_LIST: Final = "4"
"""SecurityResponseType(323) of 4.2 and 5.0SP2."""
DEFINITION_REFUSED: Final = "5"
NOT_DEFINED: Final = "6"
SECURITY_ACTIVE: Final = "1"
SECURITY_INACTIVE: Final = "2"
SECURITY_REQUEST_RESULTS: Final[dict[Result, str]] = {Result.YES: "0", Result.UNSUPPORTED: "1", Result.NOTHING: "2", Result.FORBIDDEN: "3"}
SUBSCRIPTIONS: Final[dict[Subscription, str]] = {Subscription.SNAPSHOT: "0", Subscription.UPDATES: "1", Subscription.STOP: "2"}
TRAD_SES_STATUSES: Final[dict[TradingStatus, str]] = {
    TradingStatus.HALTED: "1",
    TradingStatus.OPEN: "2",
    TradingStatus.CLOSED: "3",
    TradingStatus.RECONCILING: "4",
    TradingStatus.UNKNOWN: "6",
}
"""4 is Pre-Open; 6, Request Rejected, is of FIX 4.4 and later."""
TRAD_SES_REJECTED_OTHER: Final = "99"
POSITIONS: Final = "0"
"""PosReqType(724)."""
POS_REQ_RESULTS: Final[dict[Result, str]] = {Result.YES: "0", Result.NOTHING: "2", Result.FORBIDDEN: "3", Result.UNSUPPORTED: "4"}
ACCOUNT_OF_CUSTOMER: Final = "1"
"""AccountType(581)."""
SETTL_PRICE_THEORETICAL: Final = "2"
TRANSACTION_QUANTITY: Final = "TQ"
TOTAL_QUANTITY: Final = "TOT"
"""PosType(703)."""

_Word = TypeVar("_Word")


def reading(codes: dict[_Word, str]) -> dict[str, _Word]:
    """A map turned around: code to word; the first of several words wins."""
    return {code: word for word, code in reversed(codes.items())}
